"""Traffic reads the same, wherever it comes from."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_conformance.traffic import TrafficError, from_cassettes, from_har

ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-11-20T10:00:00.000Z",
    "request": {
        "method": "POST",
        "url": "https://business.coinbase.com/sandbox/api/v1/checkouts/a%2Fb/refund?x=1&x=2&y=",
        "headers": [{"name": "Authorization", "value": "Bearer secret"}, {"name": "X-Idempotency-Key", "value": "k"}],
        "postData": {"mimeType": "application/json", "text": '{"amount": "1.00"}'},
    },
    "response": {
        "status": 200,
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "content": {"mimeType": "application/json", "text": '{"id": "1"}'},
    },
}


def har(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "traffic.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
    return path


def test_a_har_file_is_read_without_its_token(tmp_path: Path) -> None:
    """
    Method, path, query, headers and bodies are as they were sent; the authorization is not kept.
    """
    [exchange] = from_har(har(tmp_path, ENTRY))
    assert exchange.operation is not None
    assert exchange.operation.id == "refundCheckout"
    assert exchange.parameters == {"id": "a/b"}
    assert exchange.query == (("x", "1"), ("x", "2"), ("y", ""))
    assert exchange.request_headers == {"x-idempotency-key": "k"}
    assert (exchange.body, exchange.json) == ({"amount": "1.00"}, {"id": "1"})
    assert (str(exchange.place), exchange.place.target) == ("traffic.har#0", "https://business.coinbase.com")


def test_a_har_file_may_hold_base64(tmp_path: Path) -> None:
    """
    Browsers write bodies they take for binary as base64.
    """
    text = base64.b64encode(b'{"id": "2"}').decode()
    content = {"content": {"text": text, "encoding": "base64"}}
    [exchange] = from_har(har(tmp_path, {**ENTRY, "response": {**ENTRY["response"], **content}}))
    assert exchange.json == {"id": "2"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"log": {}}',
        '{"log": {"entries": [1]}}',
        '{"log": {"entries": [{"request": {}}]}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_har_file_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    """
    One line with the file's name, and no traceback.
    """
    path = tmp_path / "no.har"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TrafficError, match=r"no\.har: not a HAR file"):
        from_har(path)


REQUEST = '"request": {"url": "https://business.coinbase.com/api/v1/checkouts", "method": "GET", "headers": []}'


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("7", "entry 1 has no request"),
        ("{%s}" % REQUEST, "entry 1 has no response"),  # noqa: UP031 -- braces of JSON
        ('{"request": {}, "response": {}}', "entry 1 has a response without a status"),
        ('{"request": {}, "response": {"status": 200}}', "entry 1 has a request without its url"),
        ('{"request": {"url": "x"}, "response": {"status": 200}}', "entry 1 has a request without its method"),
        ('{%s, "response": {"status": 200}}' % REQUEST, "entry 1 has a response without headers"),  # noqa: UP031
        (
            '{%s, "response": {"status": 200, "headers": [], "content": 7}}' % REQUEST,  # noqa: UP031
            "entry 1 has a response whose content is no body",
        ),
    ],
)
def test_what_an_entry_lacks_is_said_in_words(tmp_path: Path, entry: str, told: str) -> None:
    """
    With its number, and without a word of Python.
    """
    path = tmp_path / "no.har"
    aborted = '{"request": {}, "response": {"status": 0}}'
    path.write_text(f'{{"log": {{"entries": [{aborted}, {entry}]}}}}', encoding="utf-8")
    with pytest.raises(TrafficError, match=rf"no\.har: not a HAR file \({told}") as caught:
        from_har(path)
    assert "Error" not in str(caught.value)


def test_a_har_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """
    The error has the path and the reason.
    """
    with pytest.raises(TrafficError, match=r"missing\.har: No such file or directory"):
        from_har(tmp_path / "missing.har")


def test_a_har_file_with_wrong_base64_is_refused(tmp_path: Path) -> None:
    """
    A body that cannot be decoded is not read as something else.
    """
    content = {"content": {"text": "%%%", "encoding": "base64"}}
    with pytest.raises(TrafficError, match="base64"):
        from_har(har(tmp_path, {**ENTRY, "response": {**ENTRY["response"], **content}}))


def test_every_recorded_request_belongs_to_an_operation_or_to_the_controls() -> None:
    """
    No path in a cassette is unknown, malformed ids included.
    """
    paths = [
        exchange.path
        for conversation in from_cassettes(CASSETTES)
        for exchange in conversation
        if exchange.operation is None and not exchange.path.startswith("/__sandbox__/")
    ]
    assert paths == []
