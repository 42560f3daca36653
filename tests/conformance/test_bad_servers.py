"""A badly behaved server breaks claims; it does not hold up the run, and never looks like a missing one."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coinbase_checkouts_conformance.target import Target
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_conformance.wire import BODY_LIMIT_BYTES, Wire

Handle = Callable[[socket.socket], None]
Run = Callable[..., tuple[int, str, str]]
JSON_401 = b'{"errorType": "unauthorized", "errorMessage": "The request is not properly authenticated."}'


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


@contextmanager
def listening(handler: type[socketserver.BaseRequestHandler]) -> Generator[int]:
    """The port of a server that is gone when the context ends."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


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

    with listening(Handler) as port:
        yield f"http://127.0.0.1:{port}"


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


def early(connection: socket.socket) -> None:
    """Hints of an answer, without end."""
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)


def long_header(connection: socket.socket) -> None:
    """A header of a hundred megabytes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(100):
        connection.sendall(b"x" * 1_000_000)


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
        (saying(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n"), "no whole answer: "),
        (early, "no whole answer within 0.1 s"),
        (long_header, "no whole answer: "),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"), "no whole answer: "),
        (endless, f"a body of more than {BODY_LIMIT_BYTES} bytes"),
        (dripping, "no whole answer within 0.1 s"),
        (hanging, "no whole answer within 0.1 s"),
    ],
    ids=[
        "html",
        "html-as-json",
        "redirect",
        "500",
        "always-401",
        "bad-gzip",
        "101",
        "early-hints",
        "long-header",
        "bad-length",
        "endless",
        "dripping",
        "hanging",
    ],
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
    code, out, _ = run(url, "--limit", "6", key=key)
    assert code == 0
    assert ", 0 broken, " in out.splitlines()[-1]
    assert out.splitlines()[-1].endswith(" unknown (the run's limit of 3 s is used up)")


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


def test_what_a_conversation_tells_can_be_asked_again(run: Run, our_sandbox: tuple[str, Path]) -> None:
    """
    Of an invariant, too, the line of curl is the very request: server, prefix, token, media type and idempotency key.
    """
    url, key = our_sandbox

    def paid(head: str, said: bytes) -> bytes:
        told = json.loads(said.partition(b"\r\n\r\n")[2])
        return answer(json.dumps({**told, "transactionHash": "0x1"}).encode()) if "id" in told else said

    with between(url, paid) as front:
        code, out, _ = run(f"{front}/sandbox", "-k", "get.as-created", key=key)
        [line] = re.findall(r"curl     (.*)", out)
        words = shlex.split(line)
        headers = httpx.Headers(dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"))
        content = words[words.index("--data-binary") + 1].encode()
        method, asked = words[3], next(word for word in words if word.startswith("http"))
        again = httpx.Request(method, asked, headers=headers, content=content)
        with Wire(Target.parse(front)) as wire:
            made = json.loads(wire.send(again, Tokens(key).valid).content)
    assert (1, f"{front}/sandbox/api/v1/checkouts") == (code, asked)
    assert ("Bearer $TOKEN", "application/json") == (headers["authorization"], headers["content-type"])
    # The key brings back what was made then.
    assert made["id"] in re.findall(r"answer .*", out)[0]


def test_a_redirect_is_not_followed(run: Run) -> None:
    """
    Where a server points elsewhere nobody comes, with or without a token; the redirect is a broken claim.
    """
    visits: list[bytes] = []

    def elsewhere(connection: socket.socket) -> None:
        visits.append(b"came")
        connection.sendall(answer(JSON_401, status="401 Unauthorized"))

    with serving(elsewhere) as other:
        for status in ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
            with serving(saying(answer(b"", status=status, more=f"Location: {other}/api/v1/checkouts\r\n"))) as url:
                code, out, _ = run(url, "-k", "get.as-created")
            assert (1, True) == (code, f"status {status[:3]} is not documented" in out)
    assert visits == []


@contextmanager
def own_sandbox(
    folder: Path, *options: str, host: str = "127.0.0.1"
) -> Generator[tuple[str, Path, subprocess.Popen[str]]]:
    """A sandbox in a process that may be killed: URL, key file, process."""
    key = folder / "own_key.json"
    more = ["--port", "0", "--host", host, "--database", "sqlite://", "--key-file", str(key), *options]
    command = [sys.executable, "-m", "coinbase_checkouts_sandbox", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = next(line.split()[2] for line in process.stdout or () if line.startswith("listening on "))
            yield url, key, process
        finally:
            process.kill()


def test_a_server_that_is_killed_breaks_claims(run: Run, tmp_path: Path) -> None:
    """
    A server that is there and then gone for good breaks what it did not answer; what may be left there is told.
    """
    with own_sandbox(tmp_path) as (url, key, process):
        threading.Timer(1.0, process.kill).start()
        code, out, err = run(url, key=key)
    assert code == 1
    assert "the connection was refused" in out or "no whole answer" in out
    assert "not tried: the server has stopped answering" in out
    assert "may still be ACTIVE: " in err


def test_ipv6_is_an_address_like_any_other(run: Run, tmp_path: Path) -> None:
    """
    A server on ::1 is tried like one on 127.0.0.1.
    """
    with own_sandbox(tmp_path, host="::1") as (url, key, _):
        assert "[::1]" in url
        code, out, _ = run(url, "-k", "list.nothing", key=key)
    assert (0, "1 claims hold, 0 broken, 0 skipped") == (code, out.splitlines()[-1])


def test_tls_on_a_plain_port_cannot_be_run(run: Run, our_sandbox: tuple[str, Path]) -> None:
    """
    https:// of a server that speaks no TLS is told in one line: exit code 2.
    """
    url, key = our_sandbox
    code, out, err = run(url.replace("http:", "https:"), key=key)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert "no connection to https://127.0.0.1" in err


def test_plain_http_on_a_tls_port_cannot_be_run(run: Run, tmp_path: Path) -> None:
    """
    http:// of a server that speaks TLS, and https:// with a certificate nobody signed, are told: exit code 2.
    """
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def handle(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection.dup(), server_side=True):
            pass

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)

    with listening(Handler) as port:
        plain, tls = (run(f"{scheme}://127.0.0.1:{port}") for scheme in ("http", "https"))
    assert (2, 2) == (plain[0], tls[0])
    assert "speaks HTTP" in plain[2]
    assert "certificate" in tls[2].lower()


def self_signed(folder: Path) -> Path:
    """A certificate that nobody vouches for, with its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    path = folder / "self-signed.pem"
    path.write_bytes(pem)
    return path


def test_a_server_that_is_busy_is_not_wrong(run: Run) -> None:
    """
    429 to everything, with a wait beyond the limit: nothing could be tried, and why is told.
    """
    more = "Retry-After: 3600\r\n"
    body = b'{"errorType": "rate_limit_exceeded", "errorMessage": "Rate limit exceeded."}'
    with serving(saying(answer(body, status="429 Too Many Requests", more=more))) as url:
        code, out, err = run(url)
    assert (2, "") == (code, out)
    assert "not one claim could be tried: rate limited: the server answers 429 and asks to wait 3600 s" in err


@contextmanager
def between(url: str, change: Callable[[str, bytes], bytes]) -> Generator[str]:
    """
    The URL of a server in front of the one at *url*: *change* makes of a request's head and its answer what is sent.

    After two answers it closes the connection without a word, as a server may.
    """
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for _ in range(2):
                # A client that closed the connection sends no blank line, only nothing, and that for ever.
                lines = itertools.takewhile(lambda line: line not in {b"", b"\r\n"}, iter(self.rfile.readline, None))
                head = b"".join(lines).decode()
                if not head:
                    return
                length = re.search(r"(?i)content-length: (\d+)", head)
                body = self.rfile.read(int(length[1])) if length else b""
                with socket.create_connection(address) as server:
                    server.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
                    said = b"".join(iter(lambda: server.recv(65536), b""))
                answered = change(head, re.sub(rb"(?i)connection: close\r\n", b"", said, count=1))
                self.wfile.write(answered)
                if not answered:
                    return

    with listening(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_server_that_is_busy_at_times_is_waited_for(run: Run, our_sandbox: tuple[str, Path]) -> None:
    """
    Every third listing answered with 429, and connections closed without a word: nothing is broken.
    """
    url, key = our_sandbox
    asked = itertools.count(1)
    limited = answer(b"{}", status="429 Too Many Requests", more="Retry-After: 0\r\n")

    def change(head: str, said: bytes) -> bytes:
        return limited if head.startswith("GET /api") and next(asked) % 3 == 0 else said

    with between(url, change) as front:
        code, out, _ = run(front, "-k", "get.as-created or list.as-read", key=key)
    assert (0, "2 claims hold, 0 broken, 0 skipped") == (code, out.splitlines()[-1])


def test_what_was_made_without_an_answer_is_found_and_deactivated(run: Run, tmp_path: Path) -> None:
    """
    A create whose answer is lost may have acted: what it made is found by its description, and deactivated.
    """

    def change(head: str, said: bytes) -> bytes:
        return b"" if head.startswith("POST /api/v1/checkouts HTTP") else said

    with own_sandbox(tmp_path) as (url, key, _):
        with between(url, change) as front:
            code, out, err = run(front, "-k", "get.as-created", key=key)
        listing = httpx.Request("GET", f"{url}/api/v1/checkouts")
        with Wire(Target.parse(url)) as wire:
            [made] = json.loads(wire.send(listing, Tokens(key).valid).content)["checkouts"]
    assert (1, "") == (code, err)
    assert "no whole answer" in out
    assert made["status"] == "DEACTIVATED"


def test_what_could_not_be_deactivated_is_by_the_run_that_goes_on(
    run: Run, our_sandbox: tuple[str, Path], tmp_path: Path
) -> None:
    """
    What a busy server did not let a run deactivate is told; --resume does it, though it has no claim to try.
    """
    url, key = our_sandbox
    limited = answer(b"{}", status="429 Too Many Requests", more="Retry-After: 3600\r\n")
    busy = [True]

    def change(head: str, said: bytes) -> bytes:
        return limited if busy and "/deactivate HTTP" in head else said

    with between(url, change) as front:
        code, _, err = run(front, "-k", "get.as-created", "--report-dir", str(tmp_path), key=key)
        assert code == 0
        assert err.startswith("coinbase-checkouts conformance: may still be ACTIVE: ")
        busy.clear()
        told = run(front, "-k", "get.as-created", "--resume", str(tmp_path), key=key)
    assert (0, "1 claims hold, 0 broken, 0 skipped", "") == (told[0], told[1].splitlines()[-1], told[2])
    assert {"ids": [], "titles": []} == json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["made"]


def test_a_claim_has_a_limit_of_its_own(run: Run, our_sandbox: tuple[str, Path]) -> None:
    """
    A claim that takes longer than it may is not known, and nothing is broken; the next one has its own time.
    """
    url, key = our_sandbox

    def slow(head: str, said: bytes) -> bytes:
        if head.startswith("POST /api"):
            time.sleep(0.2)
        return said

    with between(url, slow) as front:
        code, out, _ = run(front, "-k", "list.default-page-size or list.nothing", "--claim-deadline", "2", key=key)
    assert code == 0
    assert "UNKNOWN list.default-page-size: the limit of 2 s for one claim is used up" in out
    assert out.splitlines()[-1].startswith("1 claims hold, 0 broken, 0 skipped, 1 unknown")
