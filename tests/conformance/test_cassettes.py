"""Recordings are evidence only as long as they are whole, clean and say where they come from."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from vcr.request import Request  # type: ignore[import-untyped]  # ships no types

from coinbase_checkouts_conformance import record, replay
from coinbase_checkouts_conformance.cassettes import CASSETTES, LIVE, SANDBOX, CassetteError, Serializer, read_cassette
from coinbase_checkouts_conformance.offline import OfflineError, offline
from coinbase_checkouts_conformance.record import unclean
from coinbase_checkouts_conformance.tapes import Player, cleaned_request, cleaned_response

TEST = "test_get/test_as_created"
CLAIM = "get.as-created"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with one recording that may be damaged."""
    path = tmp_path / SANDBOX / f"{TEST}.yaml"
    path.parent.mkdir(parents=True)
    shutil.copy(CASSETTES / SANDBOX / f"{TEST}.yaml", path)
    return tmp_path


def written(folder: Path) -> Path:
    return folder / SANDBOX / f"{TEST}.yaml"


def edit(folder: Path, change: dict[str, Any]) -> None:
    path = written(folder)
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | change
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def sealed(folder: Path, **change: Any) -> None:
    """Write the cassette anew with another provenance that is all right in itself."""
    provenance, interactions = read_cassette(written(folder))
    serializer = Serializer(written(folder), replace(provenance, **change))
    written(folder).write_text(serializer.serialize({"interactions": interactions}), encoding="utf-8")


def replayed(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = replay.main(["-k", CLAIM], cassettes=folder)
    return code, capsys.readouterr().out


def test_a_part_that_is_recorded_anew_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """
    After `record -k` the recording holds the new interactions, and nothing of the old ones.
    """
    folder = tmp_path / "cassettes"
    shutil.copytree(CASSETTES / SANDBOX / "test_get", folder / SANDBOX / "test_get")
    path = folder / SANDBOX / "test_get/test_as_created.yaml"
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
    assert cleaned is not None
    assert {"content-type": ["a/b"]} == cleaned["headers"]
    assert cleaned["body"]["string"] == b'"http://sandbox.invalid/pay/1"'
    odd = cleaned_response({**response, "body": {"string": b"\xff"}})
    assert odd is not None
    assert odd["body"]["string"] == b"\xff"


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def parts(text: str) -> tuple[str, list[str]]:
    """The provenance with what comes before the interactions, and each interaction."""
    head, *interactions = text.split("\n- request:")
    return head, [f"\n- request:{one}" for one in interactions]


def recombined(text: str, *numbers: int) -> str:
    head, interactions = parts(text)
    return head + "".join(interactions[number].rstrip("\n") for number in numbers) + "\n"


CUT = "truncated in the middle of an interaction"
EDITS: dict[str, tuple[Callable[[str], str], str]] = {
    "answer's status": (
        lambda text: changed(text, "code: 201", "code: 200"),
        "interaction 1 is not as it was recorded",
    ),
    "answer's body": (lambda text: changed(text, '"ACTIVE"', '"PAID"'), "interaction 1 is not as it was recorded"),
    "answer's time": (lambda text: changed(text, '"now":"2', '"now":"3'), "interaction 0 is not as it was recorded"),
    "request's body": (lambda text: changed(text, '"1.50"', '"1.51"'), "interaction 1 is not as it was recorded"),
    "request's method": (lambda text: changed(text, "method: POST", "method: PUT"), "interaction 1 is not as it was"),
    "request's path": (lambda text: changed(text, "v1/checkouts\n", "v1/checkout\n"), "interaction 1 is not as it was"),
    "request's query": (lambda text: changed(text, "v1/checkouts\n", "v1/checkouts?a=b\n"), "interaction 1 is not"),
    "request's key": (
        lambda text: changed(text, "x-idempotency-key:\n      - ", "x-idempotency-key:\n      - a"),
        "interaction 1 is",
    ),
    "a header more": (lambda text: changed(text, "headers: {}", "headers: {a: [b]}"), "interaction 0 is not as it was"),
    "media type": (
        lambda text: changed(text, "- application/json\n", "- text/html\n"),
        "interaction 0 is not as it was",
    ),
    "a field more": (
        lambda text: changed(text, "- request:", "- note: mine\n  request:"),
        "interaction 0 has no whole",
    ),
    "one left out": (lambda text: recombined(text, 0, 2), "interaction 1 is not in its place; it was recorded as 2"),
    "last left out": (lambda text: recombined(text, 0, 1), "interaction 2 is missing: 3 were recorded"),
    "all left out": (lambda text: recombined(text) + "[]", "is not YAML"),
    "none": (lambda text: parts(text)[0].replace("interactions:", "interactions: []"), "has no interactions"),
    "one twice": (lambda text: recombined(text, 0, 1, 1, 2), "interaction 2 is not in its place; it was recorded as 1"),
    "one more": (
        lambda text: changed(text + recombined(text, 2)[len(parts(text)[0]) + 1 :], '"', '"'),
        "interaction 3 ",
    ),
    "swapped": (lambda text: recombined(text, 1, 0, 2), "interaction 0 is not in its place; it was recorded as 1"),
    CUT: (lambda text: text[: text.index("description", 1600)], "is not YAML: line "),
    "truncated between lines": (lambda text: text[: text.rindex("    status:")], "interaction 2 has no whole request"),
    "truncated in the provenance": (lambda text: text[:100], "is of format None, this suite reads 2"),
    "empty": (lambda _: "", "has no provenance; record it again"),
    "not YAML": (lambda _: "provenance: {standing: [", "is not YAML: line 2, provenance: "),
    "another file": (lambda _: "<html>", "has no provenance; record it again"),
    "a tag": (
        lambda text: changed(text, "seed: ", "seed: !!python/object:os.system "),
        "is not YAML: line 8, provenance",
    ),
    "a key twice": (
        lambda text: changed(text, "  seed:", "  target: elsewhere\n  seed:"),
        "the key 'target' is there twice",
    ),
    "an answer twice": (
        lambda text: changed(text, "      code: 201", "      code: 201\n      code: 201"),
        "interaction 1: the key 'code' is there twice",
    ),
    "odd signs": (lambda text: f"{text}# \x07\n", "is not YAML: "),
    "status as text": (lambda text: changed(text, "code: 201", "code: '201'"), "interaction 1 has no whole request"),
    "body as list": (lambda text: changed(text, "body: ''", "body: [1]"), "interaction 0 has no whole request"),
    "interactions as map": (lambda text: parts(text)[0] + " {a: b}\n", "has no interactions"),
    "more beside": (lambda text: f"{text}comment: mine\n", "has more than a provenance and interactions"),
    "no provenance": (lambda text: text[text.index("interactions:") :], "has no provenance; record it again"),
    "other format": (lambda text: changed(text, "format: 2", "format: 1"), "is of format 1, this suite reads 2"),
    "standing": (lambda text: changed(text, "standing: sandbox", "standing: live"), "says that it is 'live'"),
    "unknown standing": (lambda text: changed(text, "standing: sandbox", "standing: best"), "says that it is 'best'"),
    "target": (lambda text: changed(text, "target: c", "target: C"), "has a provenance that was changed by hand"),
    "time": (
        lambda text: changed(text, "recorded_at: 20", "recorded_at: 19"),
        "has a provenance that was changed by hand",
    ),
    "no time": (
        lambda text: changed(text, "recorded_at: ", "recorded_at: about "),
        "has a provenance whose recorded_at",
    ),
    "meaning": (lambda text: changed(text, "description: ", "description: f"), "has a provenance that was changed by"),
    "other test": (
        lambda text: changed(text, "test_as_created\n", "test_full\n"),
        "was recorded for test_get/test_full",
    ),
    "seed": (lambda text: changed(text, "seed: recorded", "seed: other"), "has a provenance that was changed by hand"),
    "control": (
        lambda text: changed(text, "has_control: true", "has_control: 1"),
        "has a provenance whose has_control",
    ),
    "field missing": (
        lambda text: changed(text, "  suite:", "  sweet:"),
        "has another provenance than expected: suite, sweet",
    ),
    "digest": (lambda text: changed(text, "  - ", "  - f"), "has a provenance that was changed by hand"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_hand_edited_cassette_is_told(copy: Path, name: str) -> None:
    """
    Whatever is changed in a recording, it is refused, with the file, the interaction and the reason.
    """
    change, reason = EDITS[name]
    path = written(copy)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(CassetteError) as caught, Player(copy / SANDBOX).tape(TEST):
        pass
    assert f"cassette {TEST}.yaml " in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_text_is_told(copy: Path) -> None:
    """
    Bytes that are no UTF-8, or a folder in place of the file, are refused with the reason.
    """
    written(copy).write_bytes(b"provenance:\xff")
    with pytest.raises(CassetteError, match="is not UTF-8, from byte 11 on"), Player(copy / SANDBOX).tape(TEST):
        pass
    written(copy).unlink()
    written(copy).mkdir()
    with pytest.raises(CassetteError, match="cannot be read: Is a directory"), Player(copy / SANDBOX).tape(TEST):
        pass


def test_an_outdated_cassette_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A recording made for another meaning of the description is refused and says so; nothing could be replayed.
    """
    sealed(copy, description="0" * 64)
    code, out = replayed(copy, capsys)
    assert code == 2
    assert f"cassette {TEST}.yaml is outdated: it was recorded for another meaning of the description" in out


def test_old_recordings_are_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    After half a year a replay holds as before, and warns of the age; the day is in the figure.
    """
    recorded_at = read_cassette(written(copy))[0].recorded_at
    for age, expected in ((180, []), (181, ["warning: sandbox: the oldest recording is 181 days old; record again"])):
        code = replay.main(["-k", CLAIM], cassettes=copy, now=recorded_at + timedelta(days=age))
        out = capsys.readouterr().out
        assert code == 0
        assert expected == [line for line in out.splitlines() if line.startswith("warning")]
        assert out.splitlines()[-1].endswith(f"(recorded from our own sandbox on {recorded_at.date()})")


def test_live_recordings_are_counted_apart(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What was recorded live is replayed too, and never added to what our own sandbox said.
    """
    live = copy / LIVE / f"{TEST}.yaml"
    live.parent.mkdir(parents=True)
    shutil.copy(written(copy), live)
    provenance, interactions = read_cassette(live)
    other = replace(provenance, standing=LIVE, target="https://example.com/sandbox", description="0" * 64)
    live.write_text(Serializer(live, other).serialize({"interactions": interactions}), encoding="utf-8")
    code, out = replayed(copy, capsys)
    day = provenance.recorded_at.date()
    assert code == 0
    assert "warning: live: 1 recordings were made for another meaning of the description" in out.splitlines()
    assert out.splitlines()[-1] == (
        f"conformance: 1 of 1 claims hold (recorded from our own sandbox on {day}); "
        f"1 of 1 claims hold (recorded live from https://example.com/sandbox on {day})"
    )


def test_a_missing_cassette_is_told(tmp_path: Path) -> None:
    """
    A test without recording is an error that says how to make one.
    """
    with pytest.raises(CassetteError, match="is missing; `nox -s record` makes it"), Player(tmp_path).tape(TEST):
        pass


def test_a_damaged_cassette_is_an_error_of_its_claim(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A cassette cut in the middle says nothing of the server: an error, told with file and reason, without a traceback.
    """
    written(copy).write_text("provenance: {standing: [", encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 2
    assert f"ERROR {CLAIM}" in out
    assert f"cassette {TEST}.yaml is not YAML" in out
    assert "Traceback" not in out
    assert out.splitlines()[-1].startswith("conformance: 0 of 1 claims hold")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("body", '"1.50"', '"1.51"'),
        ("method", "POST", "PUT"),
        ("path", "/checkouts", "/checkout"),
        ("query", "/checkouts", "/checkouts?a=b"),
        ("x-idempotency-key", "6fe3075b", "7fe3075b"),
    ],
)
def test_a_request_that_differs_is_told(
    copy: Path, capsys: pytest.CaptureFixture[str], part: str, old: str, new: str
) -> None:
    """
    A request is not taken for one with another body, method, path, query or key, even if its recording is sealed.
    """
    provenance, interactions = read_cassette(written(copy))
    request = json.dumps(interactions[1]["request"])
    interactions[1]["request"] = json.loads(request.replace(inner(old), inner(new), 1))
    content = Serializer(written(copy), provenance).serialize({"interactions": interactions})
    written(copy).write_text(content, encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 2
    assert f"cassette {TEST}.yaml: interaction 1, {new if part == 'method' else 'POST'} " in out
    assert f"has another {part} than is asked for" in out


def inner(text: str) -> str:
    """*text* as it stands inside a JSON string."""
    return json.dumps(text)[1:-1]


def test_an_interaction_that_is_left_over_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What was recorded and is no longer asked for is an error that names the cassette and the interaction.
    """
    provenance, interactions = read_cassette(written(copy))
    content = Serializer(written(copy), provenance).serialize({"interactions": [*interactions, interactions[0]]})
    written(copy).write_text(content, encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 2
    assert f"cassette {TEST}.yaml: interaction 3, GET /__sandbox__/, was not used" in out


def test_a_recording_that_no_test_asks_for_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A cassette that was left behind, say by a test that was renamed, is evidence of nothing: exit 1, and it is named.
    """
    shutil.copytree(CASSETTES / SANDBOX, tmp_path / SANDBOX)
    stray = tmp_path / SANDBOX / "test_get" / "test_of_old.yaml"
    shutil.copy(CASSETTES / SANDBOX / f"{TEST}.yaml", stray)
    assert 1 == replay.main([], cassettes=tmp_path)
    out = capsys.readouterr().out
    assert "error: cassette sandbox/test_get/test_of_old.yaml is of no test; delete it" in out
    assert " 0 broken, 0 skipped" in out


def test_an_interaction_that_is_missing_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What is asked for and was not recorded is an error that names the cassette and the request.
    """
    provenance, interactions = read_cassette(written(copy))
    content = Serializer(written(copy), provenance).serialize({"interactions": interactions[:-1]})
    written(copy).write_text(content, encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 2
    assert f"cassette {TEST}.yaml has no interaction 2, GET /api/v1/checkouts/" in out


def test_an_answer_that_breaks_the_description_is_found(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A recorded answer is judged like any other: sealed or not, a wrong one breaks its claim.
    """
    provenance, interactions = read_cassette(written(copy))
    body = interactions[1]["response"]["body"]
    body["string"] = body["string"].replace('"ACTIVE"', '"PAID"')
    content = Serializer(written(copy), provenance).serialize({"interactions": interactions})
    written(copy).write_text(content, encoding="utf-8")
    code, out = replayed(copy, capsys)
    assert code == 1
    assert "'PAID' is not one of" in out
    assert "#/components/schemas/CheckoutStatus/enum" in out


@pytest.mark.parametrize("change", [('"ACTIVE"', '"PAID"'), ('"status"', '"transactionHash": "0x1", "status"')])
@pytest.mark.parametrize("standing", [SANDBOX, LIVE])
def test_what_was_recorded_can_be_asked_again(
    tmp_path: Path, copy: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], standing: str
) -> None:
    """
    Of a recording the line of curl asks whoever was recorded, whether one answer is wrong or all of them together.
    """
    provenance, interactions = read_cassette(written(copy))
    for interaction in interactions[1:]:
        body = interaction["response"]["body"]
        body["string"] = body["string"].replace(*change)
    path = tmp_path / "other" / standing / f"{TEST}.yaml"
    path.parent.mkdir(parents=True)
    base_url = "https://payments.example/sandbox" if standing == LIVE else "http://127.0.0.1:8402"
    serializer = Serializer(path, replace(provenance, standing=standing, target=base_url))
    path.write_text(serializer.serialize({"interactions": interactions}), encoding="utf-8")
    code, out = replayed(tmp_path / "other", capsys)
    assert code == 1
    assert re.search(rf"curl -sS -X \w+ {base_url}/api/v1/checkouts", out)
    assert '-H "Authorization: Bearer $TOKEN"' in out


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
