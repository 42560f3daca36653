"""`conformance check`: traffic of a user's own, in HAR files and cassettes, held against description and invariants."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr  # type: ignore[import-untyped]  # ships no types

from coinbase_checkouts_conformance import cli
from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_sandbox import Sandbox
from tests.conformance.conversations import ID, KEY, ROOT, checkout

Check = Callable[..., tuple[int, str, str]]

SERVER = "https://business.coinbase.com"
CREATED = {"amount": "2.00", "currency": "USDC", "description": "Pear"}


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the command in this process; code, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main(["check", *map(str, arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return run


def entry(method: str, path: str, answer: Any, *, status: int = 200, body: Any = None, **more: Any) -> dict[str, Any]:
    """One entry of a HAR file; what *more* has replaces its own."""
    request: dict[str, Any] = {
        "method": method,
        "url": f"{SERVER}{path}",
        "headers": [{"name": "Authorization", "value": "Bearer x"}],
    }
    if body is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
    content = {"mimeType": "application/json", "text": json.dumps(answer), "size": 7}
    made = {
        "startedDateTime": "2026-11-20T10:00:00.000Z",
        "time": 12.5,
        "request": request,
        "response": {"status": status, "headers": [], "content": content},
    }
    return made | more


def har(path: Path, *entries: Mapping[str, Any]) -> Path:
    """A HAR file at *path*; one second from entry to entry."""
    timed = [
        {**one, "startedDateTime": one["startedDateTime"].replace("00:00.", f"00:{number:02d}.")}
        for number, one in enumerate(entries)
    ]
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": timed}}), encoding="utf-8")
    return path


def test_what_is_right_holds(check: Check, tmp_path: Path) -> None:
    """
    Exit 0 and one line; traffic with others does not count, nor what the server refused, aborted or a cache gave.
    """
    path = har(
        tmp_path / "right.har",
        entry("GET", "/favicon.ico", None, status=404),
        entry("POST", ROOT, checkout(), status=201, body=CREATED | {"metadata": {"a": 7}}),
        entry("POST", ROOT, {"errorType": "invalid_request", "errorMessage": "no"}, status=400, body={"amount": 1}),
        entry("GET", f"{ROOT}/{ID}", None, status=0),
        entry("GET", f"{ROOT}/{ID}", checkout("EXPIRED"), _fromCache="disk"),
        entry("GET", f"{ROOT}/{ID}", checkout()),
        entry("GET", f"/sandbox{ROOT}/{ID}", checkout("EXPIRED")),
    )
    assert (0, "1 file, 4 exchanges, 0 findings (live traffic)\n", "") == check("--har", path)


def test_what_is_wrong_is_told(check: Check, tmp_path: Path) -> None:
    """
    Exit 1; file, entry, pointer, rule and source, of the schema, of an invariant and of a request that was accepted.
    """
    path = har(
        tmp_path / "wrong.har",
        entry("POST", ROOT, checkout(), status=201, body=CREATED | {"amount": "2.001"}),
        entry("GET", f"{ROOT}/{ID}", checkout(status="LOST")),
        entry("GET", f"{ROOT}/{ID}", checkout("DEACTIVATED")),
        entry("GET", f"{ROOT}?pageSize=1000&status=LOST", {"checkouts": []}),
        entry("GET", f"{ROOT}/{ID}", checkout()),
    )
    code, out, _ = check("--har", path, "--standing", "sandbox", "--json")
    report = json.loads(out)
    assert (1, "sandbox", 1, 5) == (code, report["traffic"], report["files"], report["exchanges"])
    told = [(one["entry"], one["part"], one["pointer"], one["invariant"]) for one in report["findings"]]
    assert [
        (0, "request", "/amount", None),
        (1, "answer", "/status", None),
        (3, "request", "pageSize", None),
        (3, "request", "status", None),
        (4, "answer", "/status", "deactivation-sticks"),
    ] == told
    assert all(one["file"] == "wrong.har" and one["rule"] and one["source"] for one in report["findings"])

    code, out, _ = check("--har", path, path)
    assert code == 1
    assert "BROKEN wrong.har#4  GET /api/v1/checkouts/68f7a946db0529ea9b6d3a12 → 200\n" in out
    assert "  holds    A checkout that was deactivated is DEACTIVATED in the answer, and ever after." in out
    assert out.endswith("2 files, 10 exchanges, 10 findings (live traffic)\n")


def test_only_one_server_if_wanted(check: Check, tmp_path: Path) -> None:
    """
    Another API may have the same paths; --base-url leaves it out.
    """
    path = har(
        tmp_path / "two.har", entry("GET", f"{ROOT}/{ID}", {"id": 7}), entry("GET", f"/sandbox{ROOT}/{ID}", checkout())
    )
    assert check("--har", path)[0] == 1
    assert check("--har", path, "--base-url", f"{SERVER}/sandbox/")[0] == 0
    assert check("--har", path, "--base-url", "https://shop.example")[0] == 2


def test_overlapping_requests_conclude_nothing(check: Check, tmp_path: Path) -> None:
    """
    A HAR file's own times tell what came after what; a slow answer may be older than a quick one.
    """
    quick, slow = entry("GET", f"{ROOT}/{ID}", checkout("EXPIRED")), entry("GET", f"{ROOT}/{ID}", checkout())
    assert check("--har", har(tmp_path / "after.har", quick, slow))[0] == 1
    assert check("--har", har(tmp_path / "while.har", quick | {"time": 3000}, slow))[0] == 0
    assert check("--har", har(tmp_path / "unknown.har", quick | {"time": -1}, slow))[0] == 0


@pytest.mark.parametrize("serializer", ["yaml", "json"])
def test_cassettes_of_a_users_own(check: Check, tmp_path: Path, serializer: str) -> None:
    """
    Whatever vcrpy records can be held, tokens in it or not, compressed or not.
    """
    folder = tmp_path / "cassettes"
    machine = vcr.VCR(serializer=serializer, cassette_library_dir=str(folder))
    with (
        Sandbox(auth=False, port=0) as sandbox,
        machine.use_cassette(f"shop.{serializer}"),
        httpx.Client(base_url=sandbox.base_url, headers={"Authorization": "Bearer abc"}) as client,
    ):
        made = client.post(ROOT, json=CREATED, headers={"X-Idempotency-Key": KEY}).json()
        client.get(ROOT, params={"pageSize": "2"})
        client.post(f"{ROOT}/{made['id']}/deactivate")
    assert (0, "1 file, 3 exchanges, 0 findings (live traffic)\n", "") == check("--cassettes", folder)

    text = (folder / f"shop.{serializer}").read_text(encoding="utf-8")
    (folder / f"shop.{serializer}").write_text(text.replace("DEACTIVATED", "ACTIVE"), encoding="utf-8")
    code, out, _ = check("--cassettes", folder)
    assert (1, True) == (code, f"BROKEN cassettes/shop.{serializer}#2  POST" in out)


def test_compressed_bodies_are_read(check: Check, tmp_path: Path) -> None:
    """
    A body as it went over the wire is decompressed; one that was already is taken as it is.
    """
    import yaml

    content = json.dumps(checkout()).encode()
    for number, body in enumerate((gzip.compress(content), content)):
        interaction = {
            "request": {"method": "GET", "uri": f"{SERVER}{ROOT}/{ID}", "headers": {}, "body": None},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"], "Content-Encoding": ["gzip"]},
                "body": {"string": body},
            },
        }
        text = yaml.safe_dump({"version": 1, "interactions": [interaction]})
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert (0, "2 files, 2 exchanges, 0 findings (live traffic)\n", "") == check("--cassettes", tmp_path)


def test_cassettes_recorded_concurrently(check: Check, tmp_path: Path) -> None:
    """
    A cassette has no times; --concurrent says that its order tells nothing.
    """
    steps = [entry("GET", f"{ROOT}/{ID}", checkout(status)) for status in ("EXPIRED", "ACTIVE")]
    interactions = [
        {
            "request": {"method": "GET", "uri": one["request"]["url"], "headers": {}, "body": None},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": ["application/json"]},
                "body": {"string": one["response"]["content"]["text"]},
            },
        }
        for one in steps
    ]
    (tmp_path / "a.json").write_text(json.dumps({"version": 1, "interactions": interactions}), encoding="utf-8")
    assert [1, 0] == [check("--cassettes", tmp_path, *more)[0] for more in ([], ["--concurrent"])]


def test_our_own_recordings(check: Check) -> None:
    """
    Cassettes with provenance are read like any other, and nothing is wrong in ours.
    """
    code, out, _ = check("--cassettes", CASSETTES, "--standing", "sandbox")
    assert (0, True) == (code, out.endswith(" 0 findings (sandbox traffic)\n"))


def no_content(tmp_path: Path) -> Path:
    without = entry("GET", f"{ROOT}/{ID}", None)
    without["response"]["content"] = {"mimeType": "application/json", "size": 512}
    return har(tmp_path / "bad", without)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file or directory"),
        ("", "not a HAR file"),
        ("{", "not a HAR file"),
        ("[1]", "not a HAR file"),
        ('{"log": {"entries": [{"request": 7}]}}', "not a HAR file"),
        ('{"log": {"entries": 7}}', "not a HAR file"),
        ('{"log": {"entries": []}}', "no exchange with the Checkouts API"),
        ("\xff", "not a HAR file"),
        ("[" * 100_000, "not a HAR file"),
        ("without", "entry 0 was saved without its body"),
    ],
)
def test_a_bad_file_is_told_in_one_line(check: Check, tmp_path: Path, content: str | None, told: str) -> None:
    """
    Exit 2, and the file and the reason in one line.
    """
    path = tmp_path / "bad"
    if content == "without":
        no_content(tmp_path)
    elif content is not None:
        path.write_text(content, encoding="latin-1")
    code, out, err = check("--har", path)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert told in err


@pytest.mark.parametrize(
    "content", ["", "{", "a: b", "interactions: [7]", "interactions: !!python/object:os.x {}", "\x00"]
)
def test_a_bad_cassette_is_told_in_one_line(check: Check, tmp_path: Path, content: str) -> None:
    """
    Likewise a cassette, and a folder without one; nothing in it is run.
    """
    (tmp_path / "bad.yaml").write_text(content, encoding="utf-8")
    code, out, err = check("--cassettes", tmp_path)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert "bad.yaml" in err
    code, _, err = check("--cassettes", tmp_path / "nothing")
    assert (2, True) == (code, "no cassette in there" in err)


def test_nothing_to_check_is_told(check: Check) -> None:
    """
    Without a file there is nothing to check: exit 2.
    """
    code, out, err = check()
    assert (2, "") == (code, out)
    assert "--har" in err
