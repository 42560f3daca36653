"""A badly behaved server breaks claims; it does not hold up the run, and never looks like a missing one."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coinbase_checkouts_conformance.wire import BODY_LIMIT_BYTES

Handle = Callable[[socket.socket], None]
Run = Callable[..., tuple[int, str, str]]
JSON_401 = b'{"errorType": "unauthorized", "errorMessage": "The request is not properly authenticated."}'


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


@contextmanager
def serving(handle: Handle) -> Generator[str]:
    """The URL of a server that reads one request of a connection and leaves the rest to *handle*."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            try:
                while connection.recv(65536):
                    handle(connection)
            except OSError:
                return  # the client has hung up, which is what is wanted of it

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def answer(body: bytes, *, status: str = "200 OK", media_type: str = "application/json", more: str = "") -> bytes:
    """An HTTP/1.1 answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def saying(content: bytes) -> Handle:
    """The same answer to everything."""
    return lambda connection: connection.sendall(content)


def endless(connection: socket.socket) -> None:
    """Headers, and then a body that never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def dripping(connection: socket.socket) -> None:
    """A byte of a header now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.settimeout(0.02)
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            connection.settimeout(None)
        connection.sendall(b"x")


def cut(connection: socket.socket) -> None:
    """Half an answer."""
    connection.sendall(answer(JSON_401)[:-10])
    connection.shutdown(socket.SHUT_RDWR)


def hanging(connection: socket.socket) -> None:
    """Nothing, until the client goes away."""
    connection.recv(1)


@pytest.mark.parametrize(
    ("handle", "wrong"),
    [
        (saying(answer(b"<html>hello</html>", media_type="text/html")), "media type 'text/html'"),
        (saying(answer(b"<html>hello</html>")), "the body is not JSON"),
        (
            saying(answer(b"", status="302 Found", more="Location: http://192.0.2.1/\r\n")),
            "status 302 is not documented",
        ),
        (
            saying(answer(b"Internal error", status="500 Oops", media_type="text/plain")),
            "media type 'text/plain'",
        ),
        (saying(answer(JSON_401, status="401 Unauthorized")), "refused with 401"),
        (saying(answer(b"\x1f\x8b broken", more="Content-Encoding: gzip\r\n")), "no whole answer"),
        (endless, f"a body of more than {BODY_LIMIT_BYTES} bytes"),
        (dripping, "no whole answer within 0.1 s"),
        (hanging, "no whole answer within 0.1 s"),
    ],
    ids=["html", "html-as-json", "redirect", "500", "always-401", "bad-gzip", "endless", "dripping", "hanging"],
)
def test_a_server_that_misbehaves_breaks_claims(run: Run, handle: Callable[[socket.socket], None], wrong: str) -> None:
    """
    Whatever a server does once it is there, claims are broken, exit code 1, and the run ends.
    """
    with serving(handle) as url:
        # A busy machine must not turn an answer into none.
        deadline = "0.1" if "0.1 s" in wrong else "10"
        code, out, _ = run(url, "--deadline", deadline, "-k", "get.as-created or list.nothing")
    assert code == 1
    assert wrong in out
    assert out.splitlines()[-1] == "0 claims hold, 2 broken, 0 skipped"


def test_a_server_that_dies_in_the_middle_breaks_claims(run: Run) -> None:
    """
    A server that answered once and then cuts every answer short is broken, not absent.
    """
    first = iter([answer(JSON_401, status="401 Unauthorized")])

    def handle(connection: socket.socket) -> None:
        whole = next(first, None)
        if whole is None:
            cut(connection)
        else:
            connection.sendall(whole)

    with serving(handle) as url:
        code, out, _ = run(url, "-k", "get.as-created")
    assert code == 1
    assert "no whole answer" in out


def test_a_silent_server_does_not_hold_up_the_run(run: Run) -> None:
    """
    After a few requests without an answer the rest is broken at once, and says why.
    """
    with serving(hanging) as url:
        code, out, _ = run(url, "--deadline", "0.05")
    assert code == 1
    assert "not tried: the server has stopped answering" in out
    assert out.splitlines()[-1].startswith("0 claims hold, ")


def test_the_limit_of_a_run_ends_it(run: Run) -> None:
    """
    When the time for the whole run is used up before anything could be tried, it could not run, and says why.
    """
    with serving(hanging) as url:
        code, _, err = run(url, "--limit", "0.2")
    assert code == 2
    assert "not one claim could be tried: the run's limit of 0.1 s is used up" in err


def test_slow_server_is_not_a_wrong_one(run: Run, our_sandbox: tuple[str, Path]) -> None:
    """
    Of claims that the limit leaves no time for nothing is known, and they are counted; those that were tried hold.
    """
    url, key = our_sandbox
    code, out, _ = run(url, "--limit", "1.2", key=key)
    assert code == 0
    assert ", 0 broken, " in out.splitlines()[-1]
    assert out.splitlines()[-1].endswith(" unknown (the run's limit of 0.6 s is used up)")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"], ids=["nothing", "ssh"])
def test_what_does_not_speak_http_cannot_be_run(run: Run, said: bytes) -> None:
    """
    A port that hangs up, or speaks something else, gives no HTTP answer: exit code 2.
    """

    def handle(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_RDWR)

    with serving(handle) as url:
        code, _, err = run(url)
    assert code == 2
    assert "speaks HTTP" in err


def test_without_control_endpoints_claims_are_skipped_and_listed(run: Run) -> None:
    """
    What needs payments is skipped on a server without control endpoints, counted and named.
    """
    with serving(saying(answer(JSON_401, status="401 Unauthorized"))) as url:
        code, out, _ = run(url, "-k", "payment.completed or payment.expired")
    assert code == 0
    assert "SKIPPED payment.completed: no control endpoints" in out
    assert out.splitlines()[-1] == "0 claims hold, 0 broken, 2 skipped (no control endpoints)"


def test_a_broken_claim_is_told_in_full(run: Run) -> None:
    """
    Sentence, request, answer, what is wrong, rule and source: enough to act on, and no token.
    """
    body = b'{"checkouts": [], "nextPageToken": null, "seen": "Bearer abcdefghijklmnop"}'
    with serving(saying(answer(body))) as url:
        code, out, _ = run(url, "-k", "list.foreign-token")
    assert code == 1
    told = out[out.index("BROKEN") :].splitlines()
    assert told[:8] == [
        "BROKEN list.foreign-token",
        "  claim    A pageToken that no listing gave is no reason for a 5xx.",
        "  request  GET /api/v1/checkouts?pageToken=nobody-gave-this",
        '  answer   200 application/json  {"checkouts": [], "nextPageToken": null, "seen": "<bearer token>"}',
        "  wrong    None is not of type 'string'",
        "  at       /nextPageToken",
        "  rule     #/components/schemas/CheckoutList/properties/nextPageToken/type",
        "  source   list-checkouts, mapping, cdp-openapi (documented)",
    ]
