"""The command: sides, exit codes, reports, waivers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from coinbase_checkouts_conformance.drift import sources
from coinbase_checkouts_conformance.drift.cli import main

from .descriptions import Json, at, description

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run it; code, output, errors."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = main([str(one) for one in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def _changed() -> Json:
    made = description()
    at(made, "components schemas Status")["enum"].append("LATE")
    at(made, "components schemas NewOrder properties note")["description"] = "By default 24 hours."
    return made


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """A description, and one in which an answer has a new value, and a sentence another number."""
    base, revision = tmp_path / "base.yaml", tmp_path / "revision.yaml"
    base.write_text(yaml.safe_dump(description(), sort_keys=False))
    revision.write_text(yaml.safe_dump(_changed(), sort_keys=False))
    return base, revision


@pytest.mark.parametrize(
    ("threshold", "code"), [("breaking", 0), ("potential", 1), ("additive", 1), ("prose", 1), (None, 1)]
)
def test_threshold(threshold: str | None, code: int, sides: tuple[Path, Path], command: Command) -> None:
    """Exit 1 from the class that is asked for, and from `potential` on when none is."""
    options = [] if threshold is None else ["--fail-on", threshold]
    assert code == command(*sides, *options)[0]
    assert 0 == command(sides[0], sides[0], *options)[0]


def test_prose_only(tmp_path: Path, sides: tuple[Path, Path], command: Command) -> None:
    """What changed in words only fails when that is asked for."""
    made = description()
    at(made, "components schemas NewOrder properties note")["description"] = "By default 24 hours."
    path = tmp_path / "prose.json"
    path.write_text(json.dumps(made))
    assert [0, 1] == [command(sides[0], path, "--fail-on", severity)[0] for severity in ("additive", "prose")]


def test_json(sides: tuple[Path, Path], command: Command) -> None:
    """JSON is one object with a list of differences, each with what a program needs."""
    code, out, err = command(*sides, "--format", "json")
    document: dict[str, Any] = json.loads(out)
    assert (1, "") == (code, err)
    assert [("potential", "response"), ("additive", "request"), ("prose", "request")] == [
        (one["class"], one["direction"]) for one in document["differences"]
    ]
    first = document["differences"][0]
    assert "#/components/schemas/Status/enum" == first["pointer"] == first["base"]["pointer"]
    lines = sides[1].read_text().splitlines()
    assert "enum:" in lines[first["revision"]["line"] - 1]
    assert "breaks exhaustive clients" in first["message"]
    assert len(first["fingerprint"]) >= 12
    assert ["createOrder", "getOrder", "listOrders"] == sorted(first["operations"])
    assert {"potential": 1, "additive": 1, "prose": 1} == {key: n for key, n in document["counts"].items() if n}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "text"], "Potentially breaking (1)"),
        (["--format", "markdown"], "#### Potentially breaking (1)"),
        (["--format", "github"], "::warning file="),
        (["--changelog"], "### Wire\n\n- ⚠ `"),
    ],
)
def test_reports(arguments: list[str], words: str, sides: tuple[Path, Path], command: Command, tmp_path: Path) -> None:
    """Each report tells the change; --output writes the same into a file."""
    _, out, _ = command(*sides, *arguments)
    assert words in out
    assert "new value LATE" in out
    path = tmp_path / "report"
    assert (1, "", "") == command(*sides, *arguments, "--output", path)
    assert out == path.read_text(encoding="utf-8")


def test_sarif(sides: tuple[Path, Path], command: Command) -> None:
    """SARIF points at the line of the revision."""
    document = json.loads(command(*sides, "--format", "sarif")[1])
    (run,) = document["runs"]
    result = run["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert str(sides[1]) == place["artifactLocation"]["uri"]
    assert "enum:" in sides[1].read_text().splitlines()[place["region"]["startLine"] - 1]
    assert result["ruleId"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]
    assert "warning" == result["level"]


def _waiver(fingerprint: str, days: int) -> str:
    until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    return f'[[waiver]]\nfingerprint = "{fingerprint}"\nreason = "handled"\nwho = "ana"\nuntil = {until}\n'


def test_waivers(sides: tuple[Path, Path], command: Command, tmp_path: Path) -> None:
    """A waiver accepts its difference until its day is over; then it fails, and one for nothing is told."""
    path = tmp_path / "waivers.toml"
    fingerprint = json.loads(command(*sides, "--format", "json")[1])["differences"][0]["fingerprint"]
    path.write_text(_waiver(fingerprint, 0))
    code, out, _ = command(*sides, "--waivers", path)
    assert (0, True) == (code, "waived: handled (ana" in out)
    path.write_text(_waiver(fingerprint, -1))
    code, out, _ = command(*sides, "--waivers", path)
    assert (1, True) == (code, f"waiver {fingerprint} expired" in out)
    path.write_text(_waiver(fingerprint, -1))
    assert 1 == command(sides[0], sides[0], "--waivers", path)[0]
    path.write_text(_waiver("0123456789abcdef", 1))
    code, out, _ = command(sides[0], sides[0], "--waivers", path)
    assert (0, True) == (code, "waiver 0123456789abcdef matches nothing" in out)


@pytest.mark.parametrize(
    "text",
    ["[[waiver]]\nfingerprint = 'x'\n", "waiver = 1\n", "[[waiver", _waiver("abc", 1), _waiver("0123456789abcdef", 1).replace("ana", " ")],
)  # fmt: skip
def test_bad_waivers(text: str, sides: tuple[Path, Path], command: Command, tmp_path: Path) -> None:
    """A file of waivers that says too little is refused."""
    path = tmp_path / "waivers.toml"
    path.write_text(text)
    code, out, err = command(*sides, "--waivers", path)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert str(path) in err


def test_git(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side may be a file of a revision of git."""

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    for made in (description(), _changed()):
        (tmp_path / "api.json").write_text(json.dumps(made))
        git("add", "-A")
        git("commit", "--quiet", "-m", "change")
    code, out, _ = command("git:HEAD~1:api.json", "git:HEAD:api.json")
    assert (1, True) == (code, "new value LATE" in out)
    assert 0 == command("git:HEAD:api.json", "api.json")[0]


def test_external(command: Command, tmp_path: Path) -> None:
    """References to other files are followed when that is allowed, and never out of the folder."""
    (tmp_path / "in").mkdir()
    made = description()
    status = made["components"]["schemas"].pop("Status")
    made["components"]["schemas"]["Status"] = {"$ref": "parts/status.yaml#/Status"}
    base, revision = tmp_path / "base.json", tmp_path / "in" / "revision.json"
    base.write_text(json.dumps(description()))
    revision.write_text(json.dumps(made))
    (tmp_path / "in" / "parts").mkdir()
    (tmp_path / "in" / "parts" / "status.yaml").write_text(
        yaml.safe_dump({"Status": {"$ref": "#/Real"}, "Real": status})
    )
    assert 2 == command(base, revision)[0]
    assert 0 == command(base, revision, "--allow-external-refs")[0]
    parts = tmp_path / "in" / "parts" / "status.yaml"
    parts.write_text(
        yaml.safe_dump({"Status": {"$ref": "#/Real"}, "Real": {**status, "enum": [*status["enum"], "LATE"]}})
    )
    document = json.loads(command(base, revision, "--allow-external-refs", "--format", "sarif")[1])
    place = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert str(parts) == place["artifactLocation"]["uri"]
    assert "enum" in parts.read_text().splitlines()[place["region"]["startLine"] - 1]
    made["components"]["schemas"]["Status"] = {"$ref": "../base.json#/components/schemas/Status"}
    revision.write_text(json.dumps(made))
    code, _, err = command(base, revision, "--allow-external-refs")
    assert (2, True) == (code, "out of the folder" in err)


def test_touches(command: Command) -> None:
    """What a change of our own description touches is named: operations, model, overlays, claims."""
    document = json.loads(command("generation:1", "generation:2", "--format", "json")[1])
    touched = next(one["touches"] for one in document["differences"] if "maxProperties" in one["message"])
    assert ["createCheckout"] == touched["operations"]
    assert ["CreateCheckoutRequest"] == touched["models"]
    assert "validation" in touched["overlays"]
    assert "create.metadata-maxProperties" in touched["claims"]


def test_ours_is_found_from_inside_a_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Wherever the package is installed, `spec` is the file of the checkout one is in; elsewhere, the compiled copy.
    """
    root = Path(__file__).parents[3]
    monkeypatch.setattr(sources, "_CHECKOUT", tmp_path)
    monkeypatch.chdir(root / "docs")
    assert root / "spec" / "openapi.yaml" == sources.our_file()
    monkeypatch.chdir(tmp_path)
    assert sources.our_file() is None


@pytest.mark.parametrize(
    ("path", "key", "pointer"),
    [
        ("components schemas Status", "enum", "#/components/schemas/Status/enum"),
        ("components schemas NewOrder properties", "note", "#/components/schemas/NewOrder/properties/note"),
        ("paths /orders", "post", "#/paths/~1orders/post"),
    ],
)
def test_what_is_gone_is_pointed_at_where_it_was(
    path: str, key: str, pointer: str, tmp_path: Path, command: Command
) -> None:
    """
    Of what only the base has, `pointer` and `line` are those of the base.
    """
    base, revision = description(), description()
    del at(revision, path)[key]
    sides = []
    for name, data in (("base", base), ("revision", revision)):
        side = tmp_path / f"{name}.json"
        side.write_text(json.dumps(data, indent=1), encoding="utf-8")
        sides.append(side)
    _, out, _ = command(*sides, "--format", "json")
    found = [one for one in json.loads(out)["differences"] if one["pointer"] == pointer]
    assert found
    assert all(one["line"] == one["base"]["line"] for one in found)


@pytest.mark.parametrize("format_", ["text", "json", "markdown", "html", "sarif", "github", "changelog"])
def test_nothing_is_obeyed(format_: str, tmp_path: Path, command: Command) -> None:
    """What would move the cursor, ring or turn the direction of a text is written as JSON writes it."""
    odd = "\x1b]0;x\x07\x1b[2J\x9b1m\x7f\u202e"
    base, revision = description(), description()
    at(revision, "components schemas Status")["enum"].append(f"NEW{odd}")
    at(revision, "paths /orders get")["description"] = f"Said{odd}"
    revision["paths"][f"/odd{odd}"] = {"get": {"operationId": f"odd{odd}", "responses": {"200": {"description": "A"}}}}
    sides = [tmp_path / f"{name}.json" for name in ("base", f"revision{odd}")]
    for path, data in zip(sides, (base, revision), strict=True):
        path.write_text(json.dumps(data))
    _, out, err = command(*sides, *(["--changelog"] if format_ == "changelog" else ["--format", format_]))
    assert set() == set(odd) & set(out + err) - set("]0;x[2J1m")
    if format_ == "json":
        assert f"/odd{odd}" in [one["to"] for one in json.loads(out)["differences"]]


def test_fingerprint_of_what_is_required(command: Command, tmp_path: Path) -> None:
    """What has to be sent from now on is another thing when it is of another type."""
    path = tmp_path / "base.json"
    path.write_text(json.dumps(description()))
    found: dict[str, set[str]] = {}
    for kind in ("string", "integer"):
        revision = description()
        new = at(revision, "components schemas NewOrder")
        new["required"].append("tax")
        new["properties"]["tax"] = {"type": kind}
        parameter = {"name": "tax", "in": "query", "required": True, "schema": {"type": kind}}
        at(revision, "paths /orders get parameters").append(parameter)
        (tmp_path / "revision.json").write_text(json.dumps(revision))
        told = json.loads(command(path, tmp_path / "revision.json", "--format", "json")[1])
        found[kind] = {one["fingerprint"] for one in told["differences"]}
    assert [2, 2, 4] == [len(found["string"]), len(found["integer"]), len(found["string"] | found["integer"])]
