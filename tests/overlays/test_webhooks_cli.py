"""`webhook verify` and `webhook listen`, over real connections on loopback."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from coinbase_checkouts import cli, listening, webhook_commands
from coinbase_checkouts.webhooks import sign

from .conftest import CUT, DROP, HANG, Received, Reply, Server

SECRET = "123e4567-e89b-12d3-a456-426614174000"
ID = "69163c762331ed43dc64a6ef"
NOW = 1775000000
SUBSCRIPTION = "4f8e2a31-7c55-4b0e-9a0f-2d9b6a1c7e10"
SUBSCRIPTIONS = "/platform/v2/data/webhooks/subscriptions"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The secret in a variable and in a file of an otherwise empty folder."""
    for name in ("CDP_API_KEY_ID", "CDP_API_KEY_NAME", "CDP_API_KEY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK", SECRET)
    (tmp_path / "secret").write_text(f"an-older-one\n\n  {SECRET}\r\n")


@pytest.fixture
def body(checkout_json: dict[str, Any]) -> bytes:
    return json.dumps({**checkout_json, "id": ID, "eventType": "checkout.payment.success"}).encode()


def signed(body: bytes, *, t: int | None = None, secret: str = SECRET) -> dict[str, str]:
    covered = {"X-Event-Id": "evt-1"}
    return {**covered, "X-Hook0-Signature": sign(body, covered, secret, int(time.time()) if t is None else t)}


# verify.


def options(headers: dict[str, str]) -> list[str]:
    return [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]


@pytest.mark.parametrize("given", [["--secret-env", "HOOK"], ["--secret-file", "secret"]])
def test_verify_shows_what_is_proven(given: list[str], body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A good delivery is shown: the event, when it was signed and how, what to act on once, and the checkout.
    """
    Path("body").write_bytes(body)
    assert 0 == cli.main(["webhook", "verify", "body", *options(signed(body, t=NOW)), *given, "--now", str(NOW)])
    told = capsys.readouterr()
    assert "" == told.err
    assert [
        "event           checkout.payment.success",
        "event id        evt-1",
        "signed          2026-03-31T23:33:20Z v1",
        "act once per    evt-1",
        f"id              {ID}",
        "status          COMPLETED",
    ] == told.out.splitlines()[:6]


def test_verify_reads_stdin_and_writes_json(
    body: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Without a file it is stdin; --json is one line with the payload as it came.
    """
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
    assert 0 == cli.main(["webhook", "verify", *options(signed(body)), "--secret-env", "HOOK", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert ("checkout.payment.success", "evt-1", "v1", ["x-event-id"], "evt-1") == tuple(
        told[name] for name in ("eventType", "eventId", "scheme", "signedHeaders", "dedupeKey")
    )
    assert json.loads(body) == told["payload"]


def test_verify_names_what_a_payload_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A signed payload that is not as documented is good, and what is missing is said.
    """
    Path("body").write_bytes(b'{"eventType": "checkout.payment.success", "createdAt": "0001-01-01"}')
    headers = options(signed(Path("body").read_bytes()))
    assert 0 == cli.main(["webhook", "verify", "body", *headers, "--secret-env", "HOOK"])
    assert "missing       id, url, amount, currency, network, address, updatedAt, status\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "now", "told"),
    [
        (b"\r\n", NOW, ["code_mismatch: ", "Without the line break at its end"]),
        (b"x", NOW, ["code_mismatch: "]),
        (b"x\n", NOW, ["code_mismatch: "]),
        (b"", NOW + 301, ["outside_tolerance: signed 301 s ago", "give that time: --now SECONDS"]),
    ],
)
def test_verify_says_why_not(
    more: bytes, now: int, told: list[str], body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    What is refused exits 1 with the reason on stderr, and with what a person may have missed; stdout is empty.
    """
    Path("body").write_bytes(body + more)
    given = ["webhook", "verify", "body", *options(signed(body, t=NOW)), "--secret-env", "HOOK", "--now", str(now)]
    assert 1 == cli.main([*given, "--json"])
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert ("", len(told)) == (out, len(lines))
    assert lines[0].startswith(f"coinbase-checkouts webhook verify: {told[0]}")
    assert all(part in line for part, line in zip(told, lines, strict=True))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["verify"], "one of the arguments --secret-file --secret-env is required"),
        (["verify", "--secret-env", "HOOK", "--secret-file", "secret"], "not allowed with argument"),
        (["verify", "--secret", SECRET], "required"),
        (["verify", "--secret-env", "HOOK", "--secret", SECRET], "no such option: --secret"),
        (["verify", "--secret-env", "HOOK", "--header", SECRET], "must be 'NAME: VALUE'"),
        (["verify", "--secret-env", "HOOK", "--header", f": {SECRET}"], "must be 'NAME: VALUE'"),
        (["verify", "--secret-env", "HOOK", "--now", SECRET], "must be Unix seconds"),
        (["verify", "--secret-env", "HOOK", "--now", "9" * 12], "must be Unix seconds"),
        (["verify", "--secret-env", SECRET], "no variable of this name"),
        (["verify", "--secret-env", "EMPTY"], "--secret-env: is empty"),
        (["verify", "--secret-file", SECRET], "--secret-file: cannot be read: No such file"),
        (["verify", "--secret-file", "\0"], "--secret-file: cannot be read: ValueError"),
        (["verify", "--secret-file", "empty"], "--secret-file: is empty"),
        (["verify", "--secret-file", "large"], "--secret-file: is larger than"),
        (["verify", "--secret-file", "odd", "empty"], "secret: not a text"),
        (["verify", SECRET, "--secret-env", "HOOK"], "FILE: cannot be read"),
        (["verify", "large", "--secret-env", "HOOK"], "FILE: is larger than"),
        (["listen"], "one of the arguments --secret-file --secret-env --subscribe is required"),
        (["listen", "--secret-env", "EMPTY"], "--secret-env: is empty"),
        (["listen", "--secret-env", "HOOK", "--key-file", "k"], "--key-file: belongs to --subscribe"),
        (["listen", "--secret-env", "HOOK", "--port", "65536"], "must be from 0 to 65535"),
        (["listen", "--secret-env", "HOOK", "--port", "x"], "must be from 0 to 65535"),
        (["listen", "--secret-env", "HOOK", "--path", "hooks"], "must begin with /"),
        (["listen", "--secret-env", "HOOK", "--path", "/a?b"], "must begin with /"),
        (["listen", "--secret-env", "HOOK", "--host", "0.0.0.0"], "only a loopback address"),
        (["listen", "--secret-env", "HOOK", "--host", "a" * 300], "cannot listen there: Unicode"),
        (["listen", "--subscribe", "http://127.0.0.1:1"], "no API key"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_use_is_2_and_repeats_no_secret(
    given: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Without a secret, or with anything else amiss, nothing starts; a secret in the wrong place is not repeated.
    """
    monkeypatch.setenv("EMPTY", " \n")
    Path("empty").touch()
    Path("odd").write_bytes(b"\xff")
    Path("large").write_bytes(b" " * (listening.BODY_LIMIT_BYTES + 1))
    assert 2 == cli.main(["webhook", *given])
    out, err = capsys.readouterr()
    assert "" == out
    assert told in err
    assert SECRET not in err


def test_interrupted_verify_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Ctrl-C while it waits for stdin ends it quietly.
    """

    class Waiting(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Waiting()))
    assert 130 == cli.main(["webhook", "verify", "--secret-env", "HOOK"])
    assert "interrupted\n" in capsys.readouterr().err


# listen.


class Lines(io.TextIOBase):
    """A stream whose lines can be waited for."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue()

    def write(self, text: str) -> int:
        for line in text.splitlines():
            self._lines.put(line)
        return len(text)

    def next(self) -> str:
        return self._lines.get(timeout=20)

    def rest(self) -> list[str]:
        return [self._lines.get() for _ in range(self._lines.qsize())]


class Listening:
    """`webhook listen` in a thread of its own."""

    def __init__(self, out: Lines, err: Lines, code: Future[int]) -> None:
        self.out = out
        self.err = err
        self._code = code
        self.url = ""

    def deliver(self, body: bytes, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        return httpx.post(self.url, content=body, headers=headers, trust_env=False, **more)

    def code(self) -> int:
        return self._code.result(timeout=20)


Listen = Callable[..., Listening]


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listen]:
    with ThreadPoolExecutor(1) as threads:

        def start(*given: str) -> Listening:
            # Here, because pytest sets its own when the test begins.
            out, err = Lines(), Lines()
            monkeypatch.setattr(sys, "stdout", out)
            monkeypatch.setattr(sys, "stderr", err)
            secret = [] if "--subscribe" in given else ["--secret-env", "HOOK"]
            ending = [] if "--timeout" in given else ["--timeout", "20"]
            running = Listening(out, err, threads.submit(cli.main, ["webhook", "listen", *secret, *ending, *given]))
            running.url = (err if "--json" in given else out).next().removeprefix("listening on ")
            return running

        yield start


def test_listen_shows_good_deliveries(listen: Listen, body: bytes) -> None:
    """
    First the address; then a line for each good delivery, and on stderr one for each other, which is told nothing.
    """
    running = listen("--count", "2")
    assert running.url.startswith("http://127.0.0.1:")
    forged = running.deliver(body, signed(body, secret="another"))
    unsigned = running.deliver(body)
    good = [running.deliver(body, signed(body, t=int(time.time()) - pause)) for pause in (0, 5)]
    assert [400, 400, 200, 200] == [answer.status_code for answer in (forged, unsigned, *good)]
    assert {b""} == {answer.content for answer in (forged, unsigned, *good)}
    assert {"content-length", "connection"} == set(forged.headers)
    assert 0 == running.code()
    for line in running.out.rest():
        assert line[20:] == f"  checkout.payment.success  {ID}  COMPLETED           100.50  USDC"
    reasons = [line.split(": ")[1:3] for line in running.err.rest()]
    assert [["refused", "code_mismatch"], ["refused", "header_missing"]] == reasons


def test_listen_writes_events_only_as_json(listen: Listen, body: bytes) -> None:
    """
    With --json stdout has one object a line and nothing else; the address is the first line of stderr.
    """
    running = listen("--json", "--count", "1", "--path", "/hooks/coinbase")
    assert running.url.endswith("/hooks/coinbase")
    assert 200 == running.deliver(body, signed(body), params={"shop": "1"}).status_code
    assert 0 == running.code()
    (line,) = running.out.rest()
    assert json.loads(body) == json.loads(line)["payload"]
    assert [] == running.err.rest()


def test_listen_survives_any_signed_payload(listen: Listen) -> None:
    """
    A signed payload that is not as documented is shown as far as it goes, without anything a terminal would obey.
    """
    running = listen("--count", "3")
    for body in (b"{}", b'{"eventType": "\\u001b[2J", "id": [1], "createdAt": 5}', b'{"id": "\\ud800"}'):
        assert 200 == running.deliver(body, signed(body)).status_code
    assert 0 == running.code()
    assert 3 == len(shown := running.out.rest())
    assert "\x1b" not in "".join(shown)


def test_listen_ends_in_time(listen: Listen, body: bytes) -> None:
    """
    --timeout ends it with 0, but with 1 if there were fewer events than --count.
    """
    assert 0 == listen("--timeout", "0.05").code()
    running = listen("--timeout", "0.5", "--count", "2")
    assert 200 == running.deliver(body, signed(body)).status_code
    assert 1 == running.code()
    assert "1 of 2 events came in time" in running.err.next()


def test_what_comes_after_the_last_is_left_to_the_next(body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Once --count events are answered, more are refused for now, so that the sender repeats them.
    """
    receiver = webhook_commands._Receiver([SECRET], 1, "listen", json=True)
    headers = [(name.encode(), value.encode()) for name, value in signed(body).items()]
    (first, then), (second, never) = receiver.receive(headers, body), receiver.receive(headers, body)
    assert (200, True, 503, False) == (first, then(), second, never())
    assert 1 == len(capsys.readouterr().out.splitlines())


def exchange(url: str, *parts: bytes, wait_for: bytes = b"") -> bytes:
    """What is answered to bytes as they are; *wait_for* has to come before the last of them is sent."""
    host, port = url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for part in parts[:-1]:
            connection.sendall(part)
        while wait_for not in answer:
            answer += connection.recv(1000)
        connection.sendall(parts[-1])
        while more := connection.recv(1000):
            answer += more
    return answer


@pytest.mark.parametrize(
    ("request_bytes", "status", "told"),
    [
        (b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 404, "404: the request is for another path"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "405: the request is no POST"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", 413, "413: the request has a body of more"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n",
            400,
            "header_missing",
        ),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "400: the request is not HTTP/1.1"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "is not HTTP/1.1"),
        (b"POST / HTTP/1.1\r\n\r\n", 400, "is not HTTP/1.1"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", 431, "is not HTTP/1.1"),
    ],
)
def test_requests_that_are_no_deliveries(
    request_bytes: bytes, status: int, told: str, listen: Listen, body: bytes
) -> None:
    """
    Each is answered with its status and an empty body, and told on stderr.
    """
    running = listen("--count", "1")
    end = b"0\r\n\r\n" if b"chunked" in request_bytes else b""
    head, _, content = exchange(running.url, request_bytes, end).partition(b"\r\n\r\n")
    assert (str(status).encode(), b"") == (head.split()[1], content)
    assert (status == 405) == (b"Allow: POST" in head)
    assert told in running.err.next()
    assert 200 == running.deliver(body, signed(body)).status_code
    assert 0 == running.code()


def test_large_body_is_refused_before_it_is_read(listen: Listen, body: bytes) -> None:
    """
    One byte over 1 MiB, announced or in chunks, is 413, and the sender gets to read that; 1 MiB is not.
    """
    running = listen("--count", "1")
    over = b"x" * (listening.BODY_LIMIT_BYTES + 1)

    def chunks() -> Generator[bytes]:
        yield over[:-1]
        yield over[-1:]

    assert 413 == running.deliver(over).status_code
    assert 413 == httpx.post(running.url, content=chunks(), trust_env=False).status_code
    full = body.rstrip(b"}") + b', "note": "'
    full += b"x" * (listening.BODY_LIMIT_BYTES - len(full) - 2) + b'"}'
    assert 200 == running.deliver(full, signed(full)).status_code
    assert 0 == running.code()


def test_body_may_come_in_chunks_and_after_a_question(listen: Listen, body: bytes) -> None:
    """
    A chunked body is read, and who asks first, with Expect, is told to go on.
    """
    running = listen("--count", "2")
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items()).encode()
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + lines
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert exchange(running.url, head + chunked, b"").startswith(b"HTTP/1.1 200")
    asking = head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert b"HTTP/1.1 200" in exchange(running.url, asking, body, wait_for=b"100 ")
    assert 0 == running.code()


def test_slow_sender_holds_up_nobody(listen: Listen, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While ten senders drip, others are answered; those are told off after a while with 408.
    """
    monkeypatch.setattr(listening, "REQUEST_S", 3.0)
    running = listen("--count", "1")
    slow = [socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=20) for _ in range(10)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    assert 400 == running.deliver(b"x").status_code
    assert [] == select.select(slow, [], [], 0)[0]
    assert "header_missing" in running.err.next()
    for connection in slow:
        with connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert "408: the request did not come in time" in running.err.next()
    assert 200 == running.deliver(body, signed(body)).status_code
    assert 0 == running.code()


def test_senders_that_leave(listen: Listen, body: bytes) -> None:
    """
    One that says nothing leaves no trace, one that leaves in the middle is told; who does not wait for the
    answer to a good delivery has delivered it.
    """
    running = listen("--count", "2")
    address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
    socket.create_connection(address).close()
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items()).encode()
    whole = b"POST / HTTP/1.1\r\nHost: x\r\n" + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection(address) as connection:
        # Closed with a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(whole[:-1])
    assert "the sender left in the middle of it" in running.err.next()
    with socket.create_connection(address) as connection:
        connection.sendall(whole)
    assert ID in running.out.next()
    assert 200 == running.deliver(body, signed(body)).status_code
    assert 0 == running.code()


@pytest.mark.anyio
async def test_what_goes_wrong_after_the_end_is_no_news() -> None:
    """
    The first failure ends it and is raised; that of another connection, which ends later, goes no further.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()

    def fail() -> bool:
        raise LookupError

    def receive(_: object, __: bytes) -> tuple[int, Callable[[], bool]]:
        return 200, fail

    serving = asyncio.create_task(listening.serve(listener, "/", receive, print, ready=print))
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
    connections = [await asyncio.open_connection(host, port) for _ in range(2)]
    for _, writer in connections:
        writer.write(request)
    await asyncio.sleep(0.05)
    for number, (reader, writer) in enumerate(connections):
        writer.write(b"x")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
        if number == 0:
            with pytest.raises(LookupError):
                await serving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_0(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Ctrl-C and a supervisor's SIGTERM are how it ends; the handlers are as before.
    """
    out = Lines()
    monkeypatch.setattr(sys, "stdout", out)
    before = signal.getsignal(signal.SIGTERM)
    # Whoever started the tests in the background made them ignore it.
    of_tests = signal.signal(signal.SIGINT, signal.SIG_IGN if number == signal.SIGTERM else signal.default_int_handler)

    def interrupt() -> None:
        out.next()
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    started = time.monotonic()
    assert 0 == cli.main(["webhook", "listen", "--secret-env", "HOOK", "--timeout", "20"])
    assert time.monotonic() - started < 15
    thread.join()
    signal.signal(signal.SIGINT, of_tests)
    assert before == signal.getsignal(signal.SIGTERM)
    assert "" == capsys.readouterr().err


def test_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Two cannot listen at one port: the second exits 2.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert 2 == cli.main(["webhook", "listen", "--secret-env", "HOOK", "--port", port])
    assert "cannot listen there: Address already in use" in capsys.readouterr().err


def test_ipv6_loopback(listen: Listen, body: bytes) -> None:
    """
    ::1 is loopback, too, and its address is written as URLs write it.
    """
    running = listen("--host", "::1", "--count", "1")
    assert running.url.startswith("http://[::1]:")
    assert 200 == running.deliver(body, signed(body)).status_code
    assert 0 == running.code()


@contextmanager
def broken(kind: str) -> Generator[io.TextIOWrapper]:
    """A stdout that takes nothing more."""
    if kind == "full":
        with Path("/dev/full").open("w", encoding="utf-8") as stream:
            yield stream
    else:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w", encoding="utf-8") as stream:
            yield stream


@pytest.mark.parametrize(("kind", "code"), [("full", 2), ("left", 0)])
def test_stdout_that_is_gone_at_once(
    kind: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    If the address cannot be told nothing is listened to; that its reader has enough is no failure.
    """
    with broken(kind) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert code == cli.main(["webhook", "listen", "--secret-env", "HOOK"])
        monkeypatch.undo()
    assert (code == 2) == ("stdout: No space left on device" in capsys.readouterr().err)


def test_stdout_that_is_gone_later(listen: Listen, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    If an event cannot be shown the command ends, and does not go on taking what nobody sees.
    """
    running = listen("--json")
    with broken("full") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert 200 == running.deliver(body, signed(body)).status_code
        assert 2 == running.code()
    assert "stdout: No space left on device" in running.err.next()


# listen --subscribe.


@pytest.fixture
def key_file(tmp_path: Path, ed25519_base64: str) -> str:
    path = tmp_path / "cdp_api_key.json"
    path.write_text(json.dumps({"id": "key-id", "privateKey": ed25519_base64}))
    return str(path)


def claims(request: Received) -> dict[str, Any]:
    part = request.headers["authorization"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def made(**fields: Any) -> Reply:
    answer = {
        "subscriptionId": SUBSCRIPTION,
        "createdAt": "2025-09-10T13:58:38.681893Z",
        "eventTypes": ["checkout.payment.success"],
        "isEnabled": True,
        "target": {"url": "http://127.0.0.1"},
        **fields,
    }
    return Reply(201, json.dumps(answer).encode())


@pytest.mark.parametrize(
    "answer",
    [
        {"secret": SECRET, "metadata": {"secret": "an older one"}},
        {"metadata": {"secret": SECRET}},
        {"secret": "", "metadata": {"secret": SECRET}},
    ],
)
def test_subscribes_until_the_end(
    answer: dict[str, Any], listen: Listen, server: Server, key_file: str, body: bytes
) -> None:
    """
    It asks for all five events at its own address, verifies with the secret of the answer, and deletes the
    subscription; each request has a token for itself. The secret is not shown.
    """
    server.answer(made(**answer), Reply(204, b""))
    running = listen("--subscribe", server.url, "--key-file", key_file, "--path", "/hook", "--count", "1")
    assert 200 == running.deliver(body, signed(body)).status_code
    assert 0 == running.code()
    create, delete = server.received
    asked = json.loads(create.body)
    assert {
        "checkout.payment.success",
        "checkout.payment.failed",
        "checkout.payment.expired",
        "checkout.refund.success",
        "checkout.refund.failed",
    } == set(asked["eventTypes"])
    assert (True, {"url": running.url}) == (asked["isEnabled"], asked["target"])
    assert ("POST", SUBSCRIPTIONS) == (create.method, create.target)
    assert ("DELETE", f"{SUBSCRIPTIONS}/{SUBSCRIPTION}") == (delete.method, delete.target)
    assert [f"{request.method} 127.0.0.1{request.target}" for request in server.received] == [
        claims(request)["uri"] for request in server.received
    ]
    assert SECRET not in "".join(running.out.rest() + running.err.rest())


@pytest.mark.parametrize(
    ("answer", "told", "requests"),
    [
        (
            Reply(401, b'{"errorType": "unauthorized", "errorMessage": "no"}'),
            "createWebhookSubscription: 401 unauthorized: no",
            1,
        ),
        (Reply(400, b"<html>"), "createWebhookSubscription: 400", 1),
        (Reply(201, b"{}"), "the answer with status 201 lacks", 1),
        (made(), "the subscription has no secret", 2),
        (made(secret="", metadata={}), "the subscription has no secret", 2),
        (DROP, "no answer: RemoteProtocolError", 1),
        (CUT, "no answer: RemoteProtocolError", 1),
    ],
)
def test_without_a_subscription_it_does_not_start(
    *,
    answer: Reply | str,
    told: str,
    requests: int,
    server: Server,
    key_file: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    It exits 2 and says why; a subscription whose secret nobody knows is deleted again.
    """
    server.answer(answer, Reply(204, b""))
    assert 2 == cli.main(["webhook", "listen", "--subscribe", server.url])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert told in err
    assert requests == len(server.received)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Reply(404, b""), None),
        (Reply(500, b'{"errorMessage": "oh"}'), "was not deleted: deleteWebhookSubscription: 500: oh"),
        (DROP, "was not deleted: deleteWebhookSubscription: no answer"),
    ],
)
def test_subscription_that_stays_is_told(
    answer: Reply | str, told: str | None, listen: Listen, server: Server, key_file: str
) -> None:
    """
    If it cannot be deleted its id is told; that it is gone already is no trouble.
    """
    server.answer(made(secret=SECRET), answer)
    running = listen("--subscribe", server.url, "--timeout", "0.05")
    assert 0 == running.code()
    lines = running.err.rest()
    assert (told is not None) == any(SUBSCRIPTION in line and str(told) in line for line in lines)


@pytest.mark.parametrize("url", ["http://8.8.8.8", "no url", "http://user:pw@127.0.0.1"])
def test_subscribing_needs_a_safe_address(url: str, key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A token is not sent in the clear to the outside, and no password is repeated.
    """
    assert 2 == cli.main(["webhook", "listen", "--subscribe", url])
    err = capsys.readouterr().err
    assert "base_url: " in err
    assert "pw" not in err


def test_sigterm_while_it_subscribes(server: Server, key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Then, too, it ends with 0, and quietly.
    """
    server.answer(HANG)

    def interrupt() -> None:
        server.heard.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert 0 == cli.main(["webhook", "listen", "--subscribe", server.url])
    thread.join()
    assert ("", "") == capsys.readouterr()
