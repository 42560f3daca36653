"""The proposed patch: it applies, what it makes is OpenAPI, and the same traffic has nothing more to tell."""

from __future__ import annotations

import random
import re
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from coinbase_checkouts.sensor import Drift, JsonLines
from coinbase_checkouts_conformance.drift.cli import main
from coinbase_checkouts_conformance.drift.yaml_editing import YamlText
from tests.conformance.conversations import ID, ROOT, checkout, refund
from tests.conftest import ROOT as REPOSITORY

from .observed import Json, Observe, entry, har

SPEC = REPOSITORY / "spec" / "openapi.yaml"
GET = f"{ROOT}/{ID}"
NOW_OBSERVED = re.compile(r"observed-(har|log|cassette|live|sandbox)-\d{4}-\d\d-\d\d")


class Repository:
    """A git repository with the description in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.spec = folder / "spec" / "openapi.yaml"
        self.spec.parent.mkdir()
        self.spec.write_bytes(SPEC.read_bytes())
        self._capsys = capsys
        subprocess.run(["git", "init", "-q", str(folder)], check=True)

    def proposed(self, *arguments: str | Path) -> str:
        """The patch."""
        main(["observed", *map(str, arguments), "--format", "patch", "--description", str(self.spec)])
        return self._capsys.readouterr().out

    def apply(self, patch: str) -> Json:
        """Have git apply it; what the description then is."""
        path = self.folder / "proposed.patch"
        path.write_text(patch, encoding="utf-8", newline="")
        subprocess.run(["git", "-C", str(self.folder), "apply", "--whitespace=error-all", str(path)], check=True)
        document: Json = yaml.safe_load(self.spec.read_text(encoding="utf-8"))
        validate(document, cls=OpenAPIV31SpecValidator)
        return document


@pytest.fixture
def repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Repository:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder, capsys)


def _traffic(folder: Path) -> Path:
    limits = {"X-RateLimit-Remaining": "5", "X-Request-Id": "abc"}
    nested = {"level": "LOW", "checks": [{"name": "a", "ok": True}, {"name": "b", "weights": [1, 2.5]}]}
    strange = {
        **checkout(),
        "status": "ON_HOLD",
        "riskScore": 7,
        "risk": nested,
        "later": None,
        "no": "2026-11-20T10:00:00Z",
    }
    event = {**checkout(), "eventType": "checkout.payment.held", "attempt": 2}
    return har(
        folder / "traffic.har",
        entry("GET", GET, strange, headers=limits),
        entry("GET", ROOT, {"checkouts": [{**checkout(), "network": "ethereum", "riskScore": "high"}], "total": 1}),
        entry("GET", GET, {"errorType": "gone", "errorMessage": "no"}, status=410, headers=limits),
        entry("GET", GET, "<html>", status=502, media="text/html"),
        entry("POST", ROOT, checkout(), status=202, media="application/vnd.api+json"),
        entry("POST", f"{GET}/deactivate", checkout(), media="text/plain"),
        entry("POST", f"{GET}/refund", {"checkout": checkout(), "refund": {**refund("1.00"), "map": {ID: 1}}}),
        entry("POST", f"{GET}/refund", {"queued": True}, status=299),
        entry("POST", f"{GET}/refund", "", status=204),
        entry("POST", "/hook", "", status=204, server="https://shop.example", sent=event),
    )


def test_round_trip(repository: Repository, observe: Observe, tmp_path: Path) -> None:
    """
    The patch adds everything that can be added, and nothing else changes: comments, order and quotes are as they were.
    """
    path = _traffic(tmp_path)
    code, document, _ = observe("--har", path, "--description", repository.spec)
    assert (1, 18) == (code, sum(one["drift"] for one in document["differences"]))
    patch = repository.proposed("--har", path)
    described = repository.apply(patch)
    code, document, _ = observe("--har", path, "--description", repository.spec)
    assert (0, []) == (code, [one["message"] for one in document["differences"] if one["drift"]])

    schemas = described["components"]["schemas"]
    assert "ON_HOLD" == schemas["CheckoutStatus"]["enum"][-1]
    assert "checkout.payment.held" == schemas["EventType"]["enum"][-1]
    assert ["integer", "string"] == schemas["Checkout"]["properties"]["riskScore"]["type"]
    assert "date-time" == schemas["Checkout"]["properties"]["no"]["format"]
    assert {"additionalProperties": True} == {
        key: value for key, value in schemas["Refund"]["properties"]["map"].items() if key == "additionalProperties"
    }
    responses = described["paths"]["/api/v1/checkouts/{id}"]["get"]["responses"]
    assert {"$ref": "#/components/schemas/ErrorBody"} == responses["410"]["content"]["application/json"]["schema"]
    assert ["200", "400", "401", "403", "404", "410", "429"] == list(responses)[:7]
    before, after = (
        SPEC.read_text(encoding="utf-8").splitlines(),
        repository.spec.read_text(encoding="utf-8").splitlines(),
    )
    gone = [line for line in before if line not in set(after)]
    assert all("enum: [" in line or "x-source:" in line or "$ref" in line or "eventType" in line for line in gone), gone


def test_sources(repository: Repository, tmp_path: Path) -> None:
    """
    Each addition says where it comes from: `observed`, and an entry of x-documents that names the traffic.
    """
    patch = repository.proposed("--har", _traffic(tmp_path))
    described = repository.apply(patch)
    [name] = [name for name in described["x-documents"] if name.startswith("observed-")]
    assert NOW_OBSERVED.fullmatch(name)
    document = described["x-documents"][name]
    assert {"title", "publisher", "read"} == set(document)
    assert "traffic.har (https://business.coinbase.com" in document["title"]
    source = described["components"]["schemas"]["Checkout"]["properties"]["riskScore"]["x-source"]
    assert {"document": [name], "standing": "observed"} == source
    enum = described["components"]["schemas"]["CheckoutStatus"]["x-source"]
    assert ("documented", name, True) == (enum["standing"], enum["document"][-1], "ON_HOLD observed" in enum["note"])
    # What was proposed before is not proposed as another document.
    again = repository.proposed("--har", har(tmp_path / "b.har", entry("GET", GET, {**checkout(), "another": 1})))
    assert 1 == sum(one.startswith("observed-") for one in repository.apply(again)["x-documents"])


def test_what_no_addition_says(repository: Repository, tmp_path: Path) -> None:
    """
    What a person has to decide is a comment; where nothing else is, there is no diff.
    """
    answer = {**checkout(), "createdAt": 1_732_180_000, "updatedAt": None, "status": "someone@example.com", "a b": 1}
    del answer["address"]
    patch = repository.proposed("--har", har(tmp_path / "a.har", entry("GET", GET, answer)))
    assert {"#"} == {line[0] for line in patch.splitlines()}
    assert 5 == patch.count("# to decide:")
    nothing = repository.proposed("--har", har(tmp_path / "b.har", entry("GET", GET, checkout())))
    assert "Nothing was observed that is not described." in nothing


def test_a_sandbox_is_not_the_service(
    repository: Repository, tmp_path: Path, our_sandbox: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What only a sandbox did is `assumed`, and both the patch and the x-source say that it is no word about the service.
    """
    text = repository.spec.read_text(encoding="utf-8")
    repository.spec.write_text(re.sub(r"        tokenAddress:\n(?: {10}.*\n)+", "", text), encoding="utf-8")
    from coinbase_checkouts_conformance.cassettes import CASSETTES

    described = repository.apply(repository.proposed("--cassettes", CASSETTES / "sandbox" / "test_get"))
    source = described["components"]["schemas"]["Checkout"]["properties"]["tokenAddress"]["x-source"]
    assert ("assumed", True) == (source["standing"], "no word about the real service" in source["note"])


def test_log(repository: Repository, observe: Observe, tmp_path: Path) -> None:
    """
    What the client's sensor told is proposed, too; of a field it does not know the type.
    """
    write = JsonLines(tmp_path / "drift.jsonl")
    write(Drift("getCheckout", "undocumented", "/riskScore"))
    write(Drift("getCheckout", "enum", "/status", "ON_HOLD"))
    write(Drift("getCheckout", "status", "", "520"))
    described = repository.apply(repository.proposed("--log", tmp_path / "drift.jsonl"))
    assert {"description", "x-source"} == set(described["components"]["schemas"]["Checkout"]["properties"]["riskScore"])
    assert 0 == observe("--log", tmp_path / "drift.jsonl", "--description", repository.spec)[0]


@pytest.mark.parametrize("end", ["\r\n", "\n", ""])
def test_line_ends(end: str, repository: Repository, observe: Observe, tmp_path: Path) -> None:
    """
    A description keeps its line ends, and the lack of one at its end.
    """
    text = repository.spec.read_text(encoding="utf-8")
    text = text.replace("\n", "\r\n") if end == "\r\n" else text.rstrip("\n") + end
    repository.spec.write_bytes(text.encode())
    path = har(tmp_path / "a.har", entry("GET", GET, {**checkout(), "riskScore": 7}))
    patch = repository.proposed("--har", path)
    (repository.folder / "a.patch").write_bytes(patch.encode())
    subprocess.run(["git", "-C", str(repository.folder), "apply", "a.patch"], check=True)
    assert 0 == observe("--har", path, "--description", repository.spec)[0]
    after = repository.spec.read_bytes()
    assert (end == "\r\n") == (b"\r\n" in after)
    assert after.count(b"\r\n") == (after.count(b"\n") if end == "\r\n" else 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "is not an OpenAPI description"),
        (b'{"openapi": "3.1.0", "paths": {}}', "is JSON; a patch is made of YAML"),
    ],
)
def test_what_cannot_be_patched(content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A description that is no YAML is told in one line, and exit 2.
    """
    (tmp_path / "openapi.json").write_bytes(content)
    JsonLines(tmp_path / "drift.jsonl")(Drift("getCheckout", "null", "/url"))
    arguments = ["--log", str(tmp_path / "drift.jsonl"), "--description", str(tmp_path / "openapi.json")]
    assert 2 == main(["observed", *arguments, "--format", "patch"])
    assert words in capsys.readouterr().err


DOCUMENT = """\
# A comment.
a: &anchor {b: [1, 2], c: {}}
d:
  # Another.
  e: 1   # at its line
  f: >-
    folded
    text

  # before g
  g:
    - one
    - two: 2
      three: 3
h: *anchor
i:
  j: *anchor
"""


@pytest.mark.parametrize("seed", range(40))
def test_additions_at_random(seed: int) -> None:
    """
    Whatever is added, what was there stays, and what is read then is what was there and what was added.
    """
    draw = random.Random(seed)
    text = DOCUMENT if seed % 2 else DOCUMENT.rstrip("\n")
    edited, expected = YamlText(text), yaml.safe_load(text)
    spots: list[tuple[str, Any]] = [
        ("#", expected),
        ("#/d", expected["d"]),
        ("#/i", expected["i"]),
        ("#/d/g/1", expected["d"]["g"][1]),
    ]
    for number, (pointer, node) in enumerate(draw.sample(spots, k=3)):
        entries = {f"{draw.choice(_KEYS)}{number}": _value(draw, 3) for _ in range(draw.randint(1, 3))}
        edited.add(pointer, entries)
        node.update(entries)
    edited.append("#/d/g", ["x", {"y": 1}])
    expected["d"]["g"] += ["x", {"y": 1}]
    after = edited.done()
    assert expected == yaml.safe_load(after)
    assert [line for line in text.splitlines() if line not in after.splitlines()] == []


_KEYS = [
    "name",
    "application/json",
    "202",
    "x-y",
    "$ref",
    "null",
    "with space",
    "a:b",
    "#c",
    "it's",
    'say "x"',
    "ü\u2028",
]


def _value(draw: random.Random, depth: int) -> Any:
    kinds = ["text", "number", "flag", "list", "map"] if depth else ["text", "number", "flag"]
    match draw.choice(kinds):
        case "text":
            return "".join(draw.choice(string.printable) for _ in range(draw.randint(0, 12)))
        case "number":
            return draw.randint(-9, 9)
        case "flag":
            return draw.choice([True, False, None])
        case "list":
            return [_value(draw, depth - 1) for _ in range(draw.randint(0, 3))]
        case _:
            return {draw.choice(_KEYS): _value(draw, depth - 1) for _ in range(draw.randint(0, 3))}


def test_additions_inside_one_line() -> None:
    """
    What is written on one line is added to on that line.
    """
    edited = YamlText(DOCUMENT)
    edited.add("#/a", {"new": "x"})
    edited.add("#/a/c", {"k": 1, "l": 2})
    edited.append("#/a/b", [3])
    edited.replace("#/d/e", {"z": 1})
    lines = edited.done().splitlines()
    assert "a: &anchor {b: [1, 2, 3], c: {k: 1, l: 2}, new: x}" == lines[1]
    assert "  e: {z: 1}   # at its line" == lines[4]
