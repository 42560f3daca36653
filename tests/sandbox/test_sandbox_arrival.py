"""Requests that do not end: no more of them is kept than the sandbox has use for, and for no longer."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from coinbase_checkouts_sandbox import serving
from coinbase_checkouts_sandbox.inprocess import Sandbox as InProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Server

HEAD = b"GET /api/v1/checkouts HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNK = b"a" * (64 << 10)


def sent(url: str, *parts: bytes) -> bytes:
    """What is answered to these bytes until the server closes the connection."""
    parsed = httpx.URL(url)
    answer = b""
    with socket.create_connection((parsed.host, parsed.port or 80), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except ConnectionError:
            # It has heard enough; the rest of the answer may be lost with what it did not read.
            return answer
        try:
            while received := connection.recv(1 << 16):
                answer += received
        except ConnectionResetError:
            pass
    return answer


def test_a_large_head_is_refused(serve: Callable[..., Server]) -> None:
    """
    A head of more than 64 KiB is a 400 in the shape of all others, with a correlation id that is in the log.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    for head in (
        HEAD + b"X: %s\r\n\r\n" % CHUNK,
        b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % CHUNK,
        b"\x16\x03\r\n\r\n",
    ):
        top, _, body = sent(server.url, head).partition(b"\r\n\r\n")
        assert top.startswith(b"HTTP/1.1 400 ")
        error = json.loads(body)
        assert "invalid_request" == error["errorType"]
        assert error["correlationId"] in server.log.read_text()
    close = b"Connection: close\r\n\r\n"
    assert sent(server.url, HEAD + b"X: %s\r\n" % CHUNK[: 60 << 10] + close).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("start", [b"GET /", HEAD + b"X", HEAD + b"X: ", HEAD], ids=["url", "name", "value", "headers"])
def test_an_endless_head_is_cut_off(serve: Callable[..., Server], start: bytes) -> None:
    """
    Whatever has no end, the connection ends long before 64 MiB of it are taken in; others are answered.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    more = b"X: a\r\n" * 10_000 if start == HEAD else CHUNK
    assert b"200 OK" not in sent(server.url, start, *[more] * 1024)
    assert 200 == httpx.get(f"{server.url}/api/v1/checkouts").status_code


@pytest.mark.parametrize(
    "half", [b"", b"GET", HEAD, HEAD + b"Content-Length: 10\r\n\r\n{"], ids=["nothing", "line", "head", "body"]
)
@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"], ids=["first", "second"])
def test_a_request_that_does_not_arrive_is_cut_off(monkeypatch: pytest.MonkeyPatch, half: bytes, before: bytes) -> None:
    """
    A sender that stops in the middle of a request loses its connection after a while.
    """
    monkeypatch.setattr(serving, "_ARRIVAL_TIMEOUT_S", 0.1)
    with InProcess(port=0) as sandbox:
        answer = sent(sandbox.base_url, before, half)
    assert answer.count(b"HTTP/1.1 ") == (1 if before else 0)


def test_an_answer_may_take_longer_than_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What has arrived is answered, however long that takes.
    """
    monkeypatch.setattr(serving, "_ARRIVAL_TIMEOUT_S", 0.1)
    with InProcess(port=0, auth=False) as sandbox:
        sandbox.fault(kind="latency", milliseconds=400)
        assert 200 == httpx.get(f"{sandbox.base_url}/api/v1/checkouts").status_code
