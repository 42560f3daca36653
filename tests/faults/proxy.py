"""
A proxy on loopback that breaks what passes through it, one request at a time, as it was told.

A fault is a function that is given one request of one connection, and says whether the connection stays open.
It may forward the request to the service, answer in its place, keep silent, or do several of these.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http.client import HTTPResponse
from typing import Final


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        """Method and target of the request line."""
        return self.head.split(b"\r\n", 1)[0].decode().rpartition(" ")[0]

    def header(self, name: str) -> str:
        """The value of a header; empty if it was not sent."""
        found = re.search(rb"(?im)^%b: *(.*?)\r?$" % name.encode(), self.head)
        return found[1].decode() if found else ""

    @property
    def token(self) -> str:
        """What it was signed with."""
        return self.header("authorization").removeprefix("Bearer ")


class Exchange:
    """One request on its way."""

    def __init__(self, request: Request, connection: socket.socket, upstream: tuple[str, int] | None) -> None:
        self.request = request
        self._connection = connection
        self._upstream = upstream

    def forward(self) -> bytes:
        """Have the service act; its whole answer."""
        assert self._upstream is not None, "there is no service behind this proxy"
        # To a forward proxy clients name the whole URL.
        head = re.sub(rb"^(\S+) http://[^/]+", rb"\1 ", self.request.head)
        with socket.create_connection(self._upstream, timeout=10) as onward:
            onward.sendall(head + b"\r\n\r\n" + self.request.body)
            answer = HTTPResponse(onward)
            answer.begin()
            body = answer.read()
        lines = [
            f"HTTP/1.1 {answer.status} {answer.reason}",
            *(f"{name}: {value}" for name, value in answer.getheaders()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def send(self, data: bytes) -> None:
        """To the client."""
        self._connection.sendall(data)

    def until_hung_up(self) -> None:
        """Say nothing until the client hangs up, or the proxy is stopped."""
        while self._connection.recv(65536):
            pass

    def pause(self, seconds: float) -> bool:
        """Wait; whether the client is still there."""
        self._connection.settimeout(seconds)
        try:
            return self._connection.recv(1, socket.MSG_PEEK) != b""
        except TimeoutError:
            return True
        finally:
            self._connection.settimeout(None)


Fault = Callable[[Exchange], bool]


def passed(exchange: Exchange) -> bool:
    """No fault."""
    exchange.send(exchange.forward())
    return True


def dropped_before(exchange: Exchange) -> bool:
    """The connection ends, and the service never heard of it."""
    return False


def dropped_after(exchange: Exchange) -> bool:
    """The service acts and dies before it answers."""
    exchange.forward()
    return False


def cut_in_headers(exchange: Exchange) -> bool:
    """The service acts, and half a header arrives."""
    exchange.send(exchange.forward()[:40])
    return False


def cut_in_body(exchange: Exchange) -> bool:
    """The service acts, and half a body arrives."""
    exchange.send(exchange.forward()[:-20])
    return False


def stalled_before(exchange: Exchange) -> bool:
    """Nothing is done and nothing is said."""
    exchange.until_hung_up()
    return False


def stalled_after(exchange: Exchange) -> bool:
    """The service acts and never answers."""
    exchange.forward()
    exchange.until_hung_up()
    return False


def in_pieces(exchange: Exchange) -> bool:
    """The answer comes whole, but in bits."""
    answer = exchange.forward()
    for start in range(0, len(answer), 97):
        exchange.send(answer[start : start + 97])
    return True


def dripped_body(exchange: Exchange) -> bool:
    """The service acts, and its answer drips in for longer than anybody waits."""
    head, _, body = exchange.forward().partition(b"\r\n\r\n")
    exchange.send(head + b"\r\n\r\n")
    for number in range(len(body)):
        exchange.send(body[number : number + 1])
        if not exchange.pause(0.01):
            break
    return False


@dataclass(frozen=True)
class Answered:
    """
    Something else than the service answers.

    Args:
        acted: Whether the service did what it was asked to, before.
    """

    status: int
    body: bytes = b'{"errorType": "internal_server_error", "errorMessage": "injected"}'
    headers: tuple[str, ...] = ("Content-Type: application/json",)
    acted: bool = False

    def __call__(self, exchange: Exchange) -> bool:
        """The fault itself."""
        if self.acted:
            exchange.forward()
        lines = [f"HTTP/1.1 {self.status} Injected", *self.headers, f"Content-Length: {len(self.body)}", "", ""]
        exchange.send("\r\n".join(lines).encode() + self.body)
        return True


def soon() -> str:
    """`Retry-After` as a date that is now, to the second."""
    return f"Retry-After: {formatdate(usegmt=True)}"


HTML: Final = b"<!doctype html><title>Gateway</title><p>Please log in."


class Proxy:
    """
    Listens on loopback. Request number n meets fault number n of the plan; past its end there are none.

    Args:
        upstream: Host and port of the service; None where no fault forwards anything.
    """

    def __init__(self, upstream: tuple[str, int] | None = None) -> None:
        self.requests: list[Request] = []
        self._upstream = upstream
        self._plan: deque[Fault] = deque()
        self._otherwise: Fault = passed
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def plan(self, *faults: Fault, otherwise: Fault = passed) -> None:
        """What the next requests meet."""
        with self._lock:
            self.requests.clear()
            self._plan = deque(faults)
            self._otherwise = otherwise

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                # Inside the lock, so that stop() joins only what was started.
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        # The client hangs up whenever it likes; that is no fault of ours.
        with connection, suppress(OSError):
            while (request := _read(connection)) is not None:
                with self._lock:
                    self.requests.append(request)
                    fault = self._plan.popleft() if self._plan else self._otherwise
                if not fault(Exchange(request, connection, self._upstream)):
                    break
        with self._lock:
            self._open.discard(connection)

    def stop(self) -> None:
        """Hang up on everybody."""
        # close() alone does not wake a blocked accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


def _read(connection: socket.socket) -> Request | None:
    """The next request; None when the client hung up. Our clients do not pipeline."""
    data = b""
    while True:
        head, separator, body = data.partition(b"\r\n\r\n")
        request = Request(head, body)
        if separator and len(body) >= int(request.header("content-length") or "0"):
            return request
        more = connection.recv(65536)
        if not more:
            return None
        data += more
