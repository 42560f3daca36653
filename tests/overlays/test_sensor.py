"""What answers have that the description does not."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts.sensor import KINDS_LIMIT, Drift, JsonLines, Sensor, readable, sense
from coinbase_checkouts_api.models import Checkout

REFUND = {"id": "r", "checkoutId": "c", "amount": "1.00", "status": "PENDING", "createdAt": "2026-11-20T11:00:00Z"}


def found(body: Any, operation: str = "getCheckout", status: int = 200) -> set[Drift]:
    return set(sense(operation, status, body))


def test_documented_answers_have_no_drift(checkout_json: dict[str, Any]) -> None:
    """
    What is as described is silent: checkouts, pages, refunds and errors, metadata of any kind included.
    """
    checkout = {**checkout_json, "metadata": {"any": {"thing": [1]}}, "refunds": [REFUND], "x402_url": "https://a.b"}
    assert set() == found(checkout)
    assert set() == found({"checkouts": [checkout], "nextPageToken": "x"}, "listCheckouts")
    assert set() == found({"checkout": checkout, "refund": REFUND}, "refundCheckout")
    assert set() == found(checkout, "createCheckout", 201)
    error = {"errorType": "not_found", "errorMessage": "x", "correlationId": "y"}
    assert set() == found(error, status=404) | found(error, status=429)
    assert set() == found(None, status=503)


def test_published_examples_have_no_drift() -> None:
    """
    Every published checkout is as described, whatever rules between its fields it breaks.
    """
    examples = Path(__file__).parents[2] / "spec" / "examples"
    paths = sorted(examples.glob("*.response-gen-*.json"))
    assert paths
    for path in paths:
        assert set() == found(json.loads(path.read_text(encoding="utf-8"))), path.name


@pytest.mark.parametrize(
    ("fields", "kind", "pointer", "value"),
    [
        ({"status": "ON_HOLD"}, "enum", "/status", "ON_HOLD"),
        ({"network": "ethereum"}, "enum", "/network", "ethereum"),
        ({"riskScore": 7}, "undocumented", "/riskScore", None),
        ({"a/b": 7}, "undocumented", "/a~1b", None),
        ({"description": None}, "null", "/description", None),
        ({"amount": "1.234"}, "pattern", "/amount", None),
        ({"amount": 5}, "type", "/amount", None),
        ({"createdAt": 1_800_000_000_000}, "type", "/createdAt", None),
        ({"url": "not a url"}, "format", "/url", None),
        ({"refunds": [REFUND, {**REFUND, "fee": "1"}]}, "undocumented", "/refunds/*/fee", None),
        ({"refunds": [{**REFUND, "status": "LOST"}]}, "enum", "/refunds/*/status", "LOST"),
    ],
)
def test_each_kind_of_drift_is_named(
    fields: dict[str, Any], kind: str, pointer: str, value: str | None, checkout_json: dict[str, Any]
) -> None:
    """
    Kind and place are told, for items of lists without their number; a value only where it is an enum's.
    """
    assert {Drift("getCheckout", kind, pointer, value)} == found({**checkout_json, **fields})


def test_missing_field_and_unknown_status_are_drift(checkout_json: dict[str, Any]) -> None:
    """
    A required field that is not there, and a status that is not described.
    """
    del checkout_json["url"]
    assert {Drift("getCheckout", "required", "/url")} == found(checkout_json)
    assert {Drift("getCheckout", "status", "", "520")} == found(None, status=520)


def test_each_drift_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    The log and the callback hear of a kind of drift once, however often it comes.
    """
    heard: list[Drift] = []
    sensor = Sensor(heard.append)
    first, second = Drift("getCheckout", "enum", "/status", "A"), Drift("getCheckout", "enum", "/status", "B")
    with caplog.at_level(logging.WARNING, "coinbase_checkouts"):
        for drift in (first, second, first):
            sensor.report(drift)
    assert [first, second] == heard
    assert [
        "drift: getCheckout: enum 'A' at /status is not as described",
        "drift: getCheckout: enum 'B' at /status is not as described",
    ] == caplog.messages
    assert str(Drift("getCheckout", "status", "", "520")) == "getCheckout: status '520' is not as described"


def test_callback_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """
    What on_drift raises is logged; without a callback the log is enough.
    """

    def broken(_: Drift) -> None:
        raise RuntimeError("no")

    Sensor(broken).report(Drift("getCheckout", "null", "/url"))
    Sensor(None).report(Drift("getCheckout", "null", "/url"))
    assert "on_drift failed" in caplog.messages


def test_drift_is_written_as_json_lines(tmp_path: Path) -> None:
    """
    Each drift is a line of JSON with its time, for as many writers as there are; the file is its owner's.
    """
    path = tmp_path / "drift.jsonl"
    drifts = [Drift("getCheckout", "enum", "/status", f"A\u2028{number}") for number in range(200)]
    writers = [JsonLines(path, now_s=lambda: 1_800_000_000.5) for _ in range(4)]

    def write_all(write: JsonLines) -> None:
        for drift in drifts:
            write(drift)

    threads = [threading.Thread(target=write_all, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = path.read_text(encoding="utf-8").split("\n")
    assert ("", 800) == (lines.pop(), len(lines))
    first = {"at": "2027-01-15T08:00:00+00:00", "operation": "getCheckout", "kind": "enum", "pointer": "/status"}
    assert first | {"value": "A\u20280"} == json.loads(lines[0])
    assert {4} == set(Counter(lines).values())
    assert 0o600 == path.stat().st_mode & 0o777


def test_drift_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    A file that cannot be written is told to the logger, and nothing is raised.
    """
    JsonLines(tmp_path / "nowhere" / "drift.jsonl")(Drift("getCheckout", "null", "/url"))
    assert "drift could not be written to" in caplog.text


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("2026-11-20T10:30:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["id", "createdAt", "status", "refunds", "settlement", "metadata", "network", "expiresAt"])


@given(st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_answer_can_be_sensed_and_mended(fields: dict[str, Any]) -> None:
    """
    Whatever the fields hold, nothing raises, and what is mended is read unless a required field is null.
    """
    body = {
        "id": "68f7a946db0529ea9b6d3a12",
        "url": "https://example.com",
        "amount": "1.00",
        "currency": "USDC",
        "network": "base",
        "address": "0x",
        "createdAt": "2026-11-20T10:30:00Z",
        "updatedAt": "2026-11-20T10:30:00Z",
        "status": "ACTIVE",
        **fields,
    }
    drifts = list(sense("getCheckout", 200, body))
    whole = readable("getCheckout", body)
    # What the client rests on when it does not ask again of an answer without drifts.
    assert drifts or whole is body
    if None not in [body[name] for name in ("id", "createdAt", "status", "network")] and "refunds" not in fields:
        json.dumps(Checkout.from_dict(whole).to_dict())
    list(sense("listCheckouts", 200, {"checkouts": [body]}))


def test_sound_answer_is_read_as_it_is(checkout_json: dict[str, Any]) -> None:
    """
    An unknown enum or field makes no copy.
    """
    body = {**checkout_json, "status": "ON_HOLD", "riskScore": 1}
    assert readable("getCheckout", body) is body


def test_made_up_names_fill_neither_memory_nor_log(
    caplog: pytest.LogCaptureFixture, checkout_json: dict[str, Any]
) -> None:
    """
    After a thousand kinds no more are told; and no name of the service's forges a line or shows a token.
    """
    sensor = Sensor(None)
    for number in range(KINDS_LIMIT + 50):
        sensor.report(Drift("getCheckout", "undocumented", f"/x{number}"))
    assert KINDS_LIMIT == len(caplog.messages)
    caplog.clear()
    evil = "x\n2026-11-20 INFO all is well \x1b[31m eyJhbGciOi.eyJzdWIi.c2ln" + "y" * 5000
    for drift in found({**checkout_json, "status": evil, evil: 1}):
        Sensor(None).report(drift)
        assert "eyJ" not in repr(drift)
    assert len(caplog.messages) == 2
    for line in caplog.messages:
        assert line.isprintable()
        assert "eyJ" not in line
        assert len(line) < 1000
