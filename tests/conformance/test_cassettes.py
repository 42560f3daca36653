"""Recordings are evidence only as long as they are whole, clean and say where they come from."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from vcr.request import Request  # type: ignore[import-untyped]  # ships no types

from coinbase_checkouts_conformance import record, replay
from coinbase_checkouts_conformance.cassettes import CASSETTES, SANDBOX, CassetteError
from coinbase_checkouts_conformance.tapes import Player, cleaned_request, cleaned_response
from coinbase_checkouts_conformance.offline import OfflineError, offline
from coinbase_checkouts_conformance.record import unclean

TEST = "test_create/test_minimal"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with one recording that may be damaged."""
    path = tmp_path / f"{TEST}.yaml"
    path.parent.mkdir()
    shutil.copy(CASSETTES / f"{TEST}.yaml", path)
    return tmp_path


def edit(folder: Path, change: dict[str, Any]) -> None:
    path = folder / f"{TEST}.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | change
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = replay.main(["-k", "create.minimal"], cassettes=folder)
    return code, capsys.readouterr().out


def test_a_part_that_is_recorded_anew_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """
    After `record -k` the recording holds the new interactions, and nothing of the old ones.
    """
    folder = tmp_path / "cassettes"
    shutil.copytree(CASSETTES / "test_get", folder / "test_get")
    path = folder / "test_get/test_as_created.yaml"
    before = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    assert record.main(["-k", "get.as-created"], cassettes=folder) == 0
    after = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    assert len(before) == len(after)
    assert replay.main(["-k", "get.as-created"], cassettes=folder) == 0


def test_no_cassette_holds_a_secret() -> None:
    """
    There is no token, key, secret or e-mail address in any recording.
    """
    assert unclean(CASSETTES) == []


def test_no_cassette_names_a_header_that_is_not_needed() -> None:
    """
    Of a request only media type and idempotency key are kept, of an answer only the media type.
    """
    kept = {"content-type", "x-idempotency-key"}
    for path in CASSETTES.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for interaction in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["interactions"]:
            assert {name.lower() for name in interaction["request"]["headers"]} <= kept
            assert {name.lower() for name in interaction["response"]["headers"]} <= {"content-type"}
            assert interaction["request"]["uri"].startswith("http://sandbox.invalid/")


def test_every_cassette_is_small_and_has_unix_lines() -> None:
    """
    A recording is under 64 KiB, UTF-8, and its lines end with LF.
    """
    for path in CASSETTES.rglob("*.yaml"):
        content = path.read_bytes()
        assert len(content) < 65536, path.name
        assert b"\r" not in content, path.name
        content.decode()


def test_a_request_loses_host_and_token() -> None:
    """
    What is matched and kept of a request has no port, no Authorization, and no token in its body.
    """
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrIn0.c2lnbmF0dXJl"
    headers = {"Authorization": f"Bearer {token}", "Host": "h", "Content-Type": "application/json"}
    cleaned = cleaned_request(Request("POST", f"http://127.0.0.1:4711/a?b={token}", f'"{token}"'.encode(), headers))
    assert ("http://sandbox.invalid/a?b=<token>", b'"<token>"') == (cleaned.uri, cleaned.body)
    assert {name.lower() for name in cleaned.headers} == {"content-type"}


def test_an_answer_loses_its_port_and_headers() -> None:
    """
    What is kept of an answer has no date, no port of the sandbox, and is bytes as before where it is not text.
    """
    response = {"status": {"code": 200, "message": "OK"}, "headers": {"Date": ["now"], "content-type": ["a/b"]}}
    cleaned = cleaned_response({**response, "body": {"string": b'"http://127.0.0.1:4711/pay/1"'}})
    assert {"content-type": ["a/b"]} == cleaned["headers"]
    assert cleaned["body"]["string"] == b'"http://sandbox.invalid/pay/1"'
    assert cleaned_response({**response, "body": {"string": b"\xff"}})["body"]["string"] == b"\xff"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"provenance": None}, "has no provenance; record it again"),
        ({"provenance": {"format": 0}}, "is of format 0, this suite reads 1; record it again"),
        ({"interactions": []}, "has no interactions"),
        ({"interactions": [{"request": {}}]}, "interaction 0 has no whole request and response"),
    ],
)
def test_a_cassette_that_is_no_evidence_is_refused(copy: Path, change: dict[str, Any], reason: str) -> None:
    """
    Without provenance, of another format, or without interactions: refused with the file and the reason.
    """
    edit(copy, change)
    with pytest.raises(CassetteError) as caught, Player(copy).tape(TEST):
        pass
    assert f"cassette {TEST}.yaml {reason}" == str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("standing", "live", "has a provenance without time, or of unknown standing"),
        ("recorded_at", "yesterday", "has a provenance without time, or of unknown standing"),
        ("test", "test_create/test_full", "was recorded for test_create/test_full"),
    ],
)
def test_a_provenance_that_cannot_be_is_refused(copy: Path, field: str, value: str, reason: str) -> None:
    """
    A provenance of unknown standing, without time, or of another test is refused.
    """
    provenance = yaml.safe_load((copy / f"{TEST}.yaml").read_text(encoding="utf-8"))["provenance"]
    edit(copy, {"provenance": {**provenance, field: value}})
    with pytest.raises(CassetteError) as caught, Player(copy).tape(TEST):
        pass
    assert f"cassette {TEST}.yaml {reason}" == str(caught.value)


def test_a_missing_cassette_is_told(tmp_path: Path) -> None:
    """
    A test without recording is an error that says how to make one.
    """
    with pytest.raises(CassetteError, match="is missing; `nox -s record` makes it"), Player(tmp_path).tape(TEST):
        pass


def test_what_is_not_yaml_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A cassette cut in the middle breaks its claim, with the file and the reason, and without a traceback.
    """
    path = copy / f"{TEST}.yaml"
    path.write_text("provenance: {standing: [", encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 1
    assert f"cassette {TEST}.yaml is not YAML" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("old", "new"), [('"1.00"', '"1.01"'), ("POST", "PUT"), ("/checkouts", "/checkout"), ("5122aecb", "6122aecb")]
)
def test_a_request_that_differs_is_told(copy: Path, capsys: pytest.CaptureFixture[str], old: str, new: str) -> None:
    """
    A recorded request with another body, method, path or key is not taken for the one that is sent.
    """
    path = copy / f"{TEST}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 1
    assert "create.minimal" in out
    assert "conformance: 0 of 1 claims hold" in out.splitlines()[-1]


def test_an_interaction_that_is_left_over_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What was recorded and is no longer asked for is an error that names the cassette and the interaction.
    """
    content = yaml.safe_load((copy / f"{TEST}.yaml").read_text(encoding="utf-8"))
    edit(copy, {"interactions": content["interactions"] * 2})
    code, out = replayed(copy, capsys)
    assert code == 1
    assert f"cassette {TEST}.yaml: interaction 1, POST /api/v1/checkouts, was not used" in out


def test_an_answer_that_was_changed_breaks_its_claim(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A hand-edited answer that breaks the description is found.
    """
    path = copy / f"{TEST}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('"status":"ACTIVE"', '"status":"PAID"'), encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 1
    assert "'PAID' is not one of" in out
    assert "#/components/schemas/CheckoutStatus/enum" in out


def test_a_replay_has_no_network() -> None:
    """
    While a replay lasts, no socket connects and no name is looked up; afterwards they do again.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with offline():
            for ask in (lambda: socket.create_connection(address), lambda: socket.getaddrinfo("localhost", 80)):
                with pytest.raises(OfflineError):
                    ask()
        socket.create_connection(address).close()
