"""A real server on loopback that does what it is told, faults included."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

DROP = "drop"
"""Close the connection without an answer, once the request was read."""
CUT = "cut"
"""Promise a body and close the connection in the middle of it."""
DRIP = "drip"
"""Answer 200 and send a byte of a body without end now and then, until the client has enough."""
FLOOD = "flood"
"""Answer 200 and send a body without end as fast as it is read."""
GARBAGE = "garbage"
"""Answer with what is no HTTP."""
HINTS = "hints"
"""Send 103 Early Hints now and then, without end."""
HEADERS = "headers"
"""Answer 200 and send one header after the other now and then, without end."""
HANG = "hang"
"""Never answer, until the server is stopped."""


@dataclass
class Reply:
    """One scripted answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Received:
    """One request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Server:
    """Answers request number n with step number n of the script; past the end, with its last step."""

    def __init__(self) -> None:
        self.script: list[Reply | str | Callable[[Received], Reply]] = []
        self.received: list[Received] = []
        self.heard = threading.Event()
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def answer(self, *script: Reply | str | dict[str, Any] | Callable[[Received], Reply]) -> None:
        """Set the script; a dict is a 200 with that JSON, a function makes the answer from the request."""
        self.script = [Reply(body=json.dumps(step).encode()) if isinstance(step, dict) else step for step in script]

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # A wake-up now and then, so that a client that keeps its connection open does not hold up the end.
        connection.settimeout(0.05)
        with connection:
            pending = b""
            while (request := self._read(connection, pending)) is not None:
                received, pending = request
                with self._lock:
                    self.received.append(received)
                    self.heard.set()
                    step = self.script[min(len(self.received), len(self.script)) - 1]
                if step == DROP:
                    return
                if step == HANG:
                    self._stopped.wait()
                    return
                if step in (DRIP, FLOOD):
                    self._stream(connection, b" " if step == DRIP else b" " * 65536, 0.01 if step == DRIP else 0)
                    return
                if step in (HINTS, HEADERS):
                    self._trickle(connection, hints=step == HINTS)
                    return
                if step == GARBAGE:
                    connection.sendall(b"\x00\xff no http\r\n\r\n")
                    return
                if step == CUT:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
                    return
                if callable(step):
                    step = step(received)
                assert isinstance(step, Reply)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(step.body)), **step.headers}
                lines = [f"HTTP/1.1 {step.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
                connection.sendall("\r\n".join([*lines, "", ""]).encode() + step.body)

    def _trickle(self, connection: socket.socket, *, hints: bool) -> None:
        with suppress(OSError):
            connection.sendall(b"" if hints else b"HTTP/1.1 200 OK\r\n")
            while not self._stopped.wait(0.02):
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" if hints else b"X-More: 1\r\n")

    def _stream(self, connection: socket.socket, piece: bytes, pause_s: float) -> None:
        connection.settimeout(None)
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not self._stopped.wait(pause_s):
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _read(self, connection: socket.socket, pending: bytes) -> tuple[Received, bytes] | None:
        data = pending
        while True:
            head, separator, rest = data.partition(b"\r\n\r\n")
            if separator:
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                length = int(headers.get("content-length", "0"))
                if len(rest) >= length:
                    method, target, _ = first.split(" ")
                    return Received(method, target, headers, rest[:length]), rest[length:]
            try:
                more = connection.recv(65536)
            except TimeoutError:
                if self._stopped.is_set():
                    return None
                continue
            except OSError:
                return None
            if not more:
                return None
            data += more

    def stop(self) -> None:
        self._stopped.set()
        # close() alone does not wake a blocked accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
