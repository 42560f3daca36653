"""
Uvicorn as this sandbox needs it: it says when it is ready, being told to stop is success, and a fault may drop a
connection.
"""

import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from coinbase_checkouts_sandbox.database import DatabaseError
from coinbase_checkouts_sandbox.endpoints import DROP, LOG
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.keys import KeyFileError

# Time for requests under way when the server is stopped; each takes milliseconds.
_STOP_TIMEOUT_S: Final = 1

# For the first workers to import everything, on a busy machine; one that ends meanwhile is told at once.
_START_TIMEOUT_S: Final = 60

# The request line and all headers. The longest token is under 2 KiB.
_LARGEST_HEAD_BYTES: Final = 64 << 10

# Received while a head has no end; what came with its beginning may belong to requests before it.
_MOST_UNENDED_BYTES: Final = 1 << 20

# From the first byte of a request to its last, and from a connection to its first request.
_ARRIVAL_TIMEOUT_S: Final = 60


class UnheardError(Exception):
    """Standard output cannot be written, so nobody would know where the server listens."""


class WorkerError(Exception):
    """The workers cannot be started. Why was told by the one that failed."""


# The head of a request that begins with this chunk.
_HEAD: Final = re.compile(rb"[A-Z]+ [^\r\n]* HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*\r\n")
_UPGRADE: Final = re.compile(rb"\r\nUpgrade:[^\r\n]*", re.IGNORECASE)


class Protocol(HttpToolsProtocol):
    """
    HTTP/1.1 and nothing else, of a server that may be told to drop a connection.

    And one that holds no more of a request than it has use for, and for no longer: the parser itself has no limits.
    """

    _in_head = False
    _unended_bytes = 0
    _arrived = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        # An offer to go on in another protocol may be ignored (RFC 9110, 7.8), but httptools takes it for an agreement,
        # and loses the body: the offers of curl --http2 and of Java's own client were a 400.
        if b"pgrade" in data and (head := _HEAD.match(data)):
            data = _UPGRADE.sub(b"", head[0]) + data[head.end() :]
        super().data_received(data)
        self._unended_bytes = self._unended_bytes + len(data) if self._in_head else 0
        if self._unended_bytes > _MOST_UNENDED_BYTES and not self.transport.is_closing():
            self.send_400_response(f"header: all of them must have at most {_LARGEST_HEAD_BYTES} bytes")
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._arrived = True, False

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > _LARGEST_HEAD_BYTES:
            # The parser makes it an error of its own, which is answered 400.
            raise ValueError
        super().on_headers_complete()
        cycle = self.cycle

        def drop() -> None:
            # What was sent before still arrives.
            self.transport.close()
            # Uvicorn would tell this only to the last of the requests that were sent together.
            cycle.disconnected = True

        self.scope["extensions"] = {DROP: drop}  # type: ignore[dict-item]

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arrived = True

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP is told so as anything else is."""
        correlation_id = f"{secrets.token_hex(8)}-SANDBOX"
        LOG.info("not HTTP, or too much of it: 400; correlation %s", correlation_id)
        body = json.dumps(ApiError(400, msg).body(correlation_id)).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _watch(self) -> None:
        """Time the request that is arriving, if there is one."""
        # There is no cycle before the first request.
        if not self._arrived or getattr(self.cycle, "response_complete", False):
            if self._deadline is None:
                self._deadline = self.loop.call_later(_ARRIVAL_TIMEOUT_S, self.transport.close)
        elif self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serve(build: Callable[[], ASGIApp], listener: socket.socket, *, workers: int = 1, quiet: bool = False) -> None:
    """
    Serve until SIGINT or SIGTERM.

    Args:
        build: Makes the application; for several workers it must be picklable.
        listener: Bound and listening.
        workers: Processes that share the listener. One that dies is replaced.
        quiet: Workers log only what is wrong.

    Raises:
        UnheardError: See there.
        WorkerError: See there.
    """
    if workers == 1:
        server = _Server(config_of(build(), workers))
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))
        if server.unheard is not None:
            raise server.unheard
    else:
        _Workers(config_of(_Build(build, quiet=quiet), workers), [listener]).run()


def config_of(app: "ASGIApp | _Build", workers: int = 1) -> uvicorn.Config:
    """Uvicorn's settings, wherever it is run."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, _Build),
        workers=workers,
        http=Protocol,
        ws="none",
        # Its own log of requests would repeat ours, without the correlation id.
        log_config=None,
        access_log=False,
        server_header=False,
        # There is no proxy in front; a header must not decide who asks, or what the page's URL is.
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_TIMEOUT_S,
    )


def log_to_stderr(*, requests: bool) -> None:
    """
    The log of the sandbox, one line a message, and the warnings of everything else.

    Args:
        requests: A line for each request, too.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO if requests else logging.WARNING)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    try:
        print(f"listening on http://{shown}:{port}", flush=True)
    except OSError as exc:
        # What is left in the buffer would fail once more, noisily, at the interpreter's end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        why = exc.strerror or "cannot be written"
        raise UnheardError(f"stdout: {why}; nobody would know where it listens") from None


class _Server(uvicorn.Server):
    """
    One process.

    Attributes:
        unheard: Why it could not say that it is ready; it then stops at once.
    """

    unheard: UnheardError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        try:
            _announce((sockets or [])[0])
        except UnheardError as exc:
            self.unheard = exc
            self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # The original raises the signal again after stopping, which makes the exit code one of failure.
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Workers(Multiprocess):
    """The parent of several processes."""

    def init_processes(self) -> None:
        super().init_processes()
        for process in self.processes:
            if not process.wait_until_ready(_START_TIMEOUT_S):
                self._end()
                raise WorkerError("a worker did not start")
        try:
            _announce(self.sockets[0])
        except UnheardError:
            self._end()
            raise

    def _end(self) -> None:
        self.terminate_all()
        self.join_all()


class _Build:
    """Makes the application in a worker."""

    def __init__(self, build: Callable[[], ASGIApp], *, quiet: bool) -> None:
        self._build = build
        self._quiet = quiet

    def __call__(self) -> ASGIApp:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        try:
            app = self._build()
        except (DatabaseError, KeyFileError) as exc:
            # It was good when the parent looked. The parent tries again, until it is good once more.
            print(f"coinbase-checkouts sandbox: a worker cannot start: {exc}", file=sys.stderr)
            sys.exit(1)
        # Only now: what was made and read has been told by the parent.
        log_to_stderr(requests=not self._quiet)
        return app


def _end_with_parent() -> None:
    """A parent that is killed cannot tell its workers; they would hold the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
