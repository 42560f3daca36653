"""
One request, one answer, one deadline: the only module that touches the network.

A server may hang, drip or never stop sending; none of that holds up a run. asyncio is used for one reason: its
timeout covers a whole exchange, however slowly the bytes come. What may be sent at all, and how fast, is decided
here too, so that no test has to be trusted with it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

import httpx

from .description import description
from .judge import BrokenError
from .pacing import BACKOFF_S, Pace, retry_after_s
from .target import NOBODYS_ID, Target, filled

DEADLINE_S: Final = 10.0
CLAIM_LIMIT_S: Final = 60.0
RUN_LIMIT_S: Final = 240.0
BODY_LIMIT_BYTES: Final = 4 * 1024 * 1024
# After so many requests in a row without a whole answer the server is taken for gone, and the rest fails at once.
GIVE_UP_AFTER: Final = 5
# No server is known to give up an idle connection as soon as that.
_KEPT_ALIVE_S: Final = 1.0
_RATE_LIMITED: Final = 429
# What h11 and httpcore say when nothing came that begins like an answer.
_NO_HTTP: Final = ("illegal status line", "without sending a response")
# What httpcore traces of a request on a connection of its own, or one that is being answered.
_NOT_STALE: Final = {"connection.connect_tcp.started", "http11.receive_response_headers.complete"}


class UnreachableError(Exception):
    """Nothing there speaks HTTP; the message says what happened instead."""


class NotTriedError(Exception):
    """What was to be tried was not, and nothing is known of it; the message says why."""


class OutOfTimeError(NotTriedError):
    """The limit of the run, or of one claim, is used up."""


class RateLimitedError(NotTriedError):
    """The server answers 429, and no wait within the limits changes that."""


class NotSafeError(NotTriedError):
    """The request could change something, and only reading is allowed."""


@dataclass(frozen=True)
class Limits:
    """
    In seconds; *run_s* is for the whole run, tidying up included.

    Args:
        rate: Requests per second at most; None for as many as come.
        backoff_s: The waits after one 429, the next, … that name none.
    """

    deadline_s: float = DEADLINE_S
    run_s: float = RUN_LIMIT_S
    give_up_after: int = GIVE_UP_AFTER
    claim_s: float = CLAIM_LIMIT_S
    rate: float | None = None
    backoff_s: tuple[float, ...] = BACKOFF_S


@dataclass(frozen=True)
class Reply:
    """What came back, read to its end."""

    status: int
    content_type: str
    content: bytes
    retry_after: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificates takes some 40 ms, so it is done once.
    return ssl.create_default_context()


@dataclass
class Wire:
    """
    A connection to *target* for the length of a run; not for threads. *heard* counts answers, whole or not; *is_endless*
    remembers that a listing had no end.

    Args:
        transport: In place of the network, for a server in this process.
        is_safe: Only requests are sent that change nothing, even if the server is wrong.
        sleep: Waits so many seconds.
    """

    target: Target
    limits: Limits = Limits()
    transport: httpx.AsyncBaseTransport | None = None
    is_safe: bool = False
    sleep: Callable[[float], None] = time.sleep
    heard: int = field(default=0, init=False)
    is_endless: bool = field(default=False, init=False)
    _misses: int = field(default=0, init=False)
    _last_miss: str = field(default="", init=False)
    _is_limited: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        self.give(self.limits.run_s)
        self._pace = Pace(self.limits.rate)
        self._runner = asyncio.Runner()
        self._client, self._client_once = (self._new_client(kept_alive=kept) for kept in (True, False))
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        for client in (self._client, self._client_once):
            self._runner.run(client.aclose())
        self._runner.close()

    def _new_client(self, *, kept_alive: bool) -> httpx.AsyncClient:
        limits = httpx.Limits(
            max_keepalive_connections=None if kept_alive else 0,
            keepalive_expiry=_KEPT_ALIVE_S,
        )
        return httpx.AsyncClient(
            verify=_tls() if self.target.origin.startswith("https") else False,  # no TLS, nothing to verify
            timeout=None,  # noqa: S113 -- the deadline below covers more
            trust_env=not self.target.is_loopback,
            follow_redirects=False,
            limits=limits,
            transport=self.transport,
        )

    @property
    def left_s(self) -> float:
        """Seconds left of the run."""
        return self._ends_at - time.monotonic()

    def give(self, seconds: float) -> None:
        """Let the run go on for so long from now; what the server did so far is not held against it."""
        self._ends_at = time.monotonic() + seconds
        self._misses = 0
        self._is_limited = False
        self.begin_claim()

    def begin_claim(self) -> None:
        """From now on the next claim is tried, within a limit of its own."""
        self._claim_ends_at = time.monotonic() + self.limits.claim_s

    @property
    def out_of_time(self) -> str:
        """Why what is left is not tried."""
        if self.left_s > 0 and self._claim_ends_at < self._ends_at:
            return f"the limit of {self.limits.claim_s:g} s for one claim is used up"
        return f"the run's limit of {self.limits.run_s:g} s is used up"

    def send(self, request: httpx.Request, auth: httpx.Auth | None = None, *, deadline_s: float | None = None) -> Reply:
        """
        Send *request*, once; but again after a 429, which says that nothing was done.

        Raises:
            BrokenError: No whole answer came in time.
            UnreachableError: Neither did one ever come, nor could a connection be made.
            NotTriedError: The time or the server's patience ended first, or it is not safe.
        """
        reply = self._send(request, auth, deadline_s)
        for pause_s in self.limits.backoff_s:
            if reply.status != _RATE_LIMITED:
                break
            asked_s = retry_after_s(reply.retry_after, datetime.now(UTC))
            wait_s = max(pause_s, asked_s or 0.0)
            if self._is_limited or wait_s >= self.left_s:
                self._is_limited = True
                asks = "" if asked_s is None else f" and asks to wait {asked_s:g} s"
                raise RateLimitedError(f"rate limited: the server answers 429{asks}")
            self._wait(wait_s)
            reply = self._send(request, auth, deadline_s)
        if reply.status == _RATE_LIMITED:
            self._blame(request, auth, deadline_s)
        self._is_limited = False
        return reply

    def _blame(self, request: httpx.Request, auth: httpx.Auth | None, deadline_s: float | None) -> None:
        """
        Tell a server that has had enough from one that has 429 for this very request, however rarely it comes.

        Raises:
            RateLimitedError: The former.
            BrokenError: The latter: another that reads or writes is answered, this one is not, twice over.
        """
        operations = description().operations
        reading = f"{operations['listCheckouts'].path}?pageSize=1"
        writing = filled(operations["deactivateCheckout"].path, id=NOBODYS_ID)
        path = reading if request.method == "GET" else writing
        other = httpx.Request(request.method, self.target.url(path))
        for one in (other, request) * 2:
            is_limited = self._send(one, auth, deadline_s).status == _RATE_LIMITED
            if is_limited is (one is other):
                self._is_limited = is_limited
                raise RateLimitedError("rate limited: the server goes on answering 429")
        raise BrokenError("answered with 429 every time, although others are answered in between")

    def _wait(self, seconds: float) -> None:
        self.sleep(seconds)
        # The claim is none the slower for it.
        self._claim_ends_at += seconds

    def _send(self, request: httpx.Request, auth: httpx.Auth | None, deadline_s: float | None) -> Reply:
        if self.is_safe and request.method != "GET":
            raise NotSafeError("needs a request that could change something, which --safe does not send")
        if self._misses >= self.limits.give_up_after:
            raise BrokenError(f"not tried: the server has stopped answering ({self._last_miss})")
        if wait_s := self._pace.wait_s(time.monotonic()):
            self._wait(wait_s)
        left_s = min(self._ends_at, self._claim_ends_at) - time.monotonic()
        if left_s <= 0:
            raise OutOfTimeError(self.out_of_time)
        whole_s = deadline_s or self.limits.deadline_s
        limit = min(whole_s, max(left_s, 0.1))
        try:
            reply = self._runner.run(self._exchange(request, auth, limit))
        except httpx.ConnectError as exc:
            if not self.heard:
                raise UnreachableError(f"no connection to {self.target.origin}: {exc}") from None
            raise self._missed("the connection was refused") from None
        except TimeoutError:
            if limit < whole_s:
                # It was not given the time that any server is.
                raise OutOfTimeError(self.out_of_time) from None
            raise self._missed(f"no whole answer within {limit:.3g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as exc:
            # A head that cannot be read to its end is an answer all the same.
            self.heard += isinstance(exc, httpx.RemoteProtocolError) and not any(one in str(exc) for one in _NO_HTTP)
            raise self._missed(f"no whole answer: {str(exc) or type(exc).__name__}") from None
        self._misses = 0
        return reply

    def _missed(self, what: str) -> BrokenError:
        self._misses += 1
        self._last_miss = what
        return BrokenError(what)

    async def _exchange(self, request: httpx.Request, auth: httpx.Auth | None, limit_s: float) -> Reply:
        async with asyncio.timeout(limit_s):
            if request.method != "GET":
                # What is lost on a connection that the server was about to close could have acted, so it may not be
                # sent twice; it gets a connection that nobody has used.
                return await self._read(self._client_once, request, auth)
            happened: set[str] = set()

            async def trace(event: str, _: Any) -> None:
                happened.add(event)

            request.extensions["trace"] = trace
            try:
                return await self._read(self._client, request, auth)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                is_stale = "http11.send_request_headers.started" in happened and not happened & _NOT_STALE
                if not is_stale:
                    raise
            return await self._read(self._client_once, request, auth)

    async def _read(self, client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None) -> Reply:
        response = await client.send(request, auth=auth, stream=True)
        self.heard += 1
        # Nothing is remembered from one request to the next.
        client.cookies.clear()
        content = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > BODY_LIMIT_BYTES:
                    raise httpx.ReadError(f"a body of more than {BODY_LIMIT_BYTES} bytes")
        finally:
            await response.aclose()
        headers = response.headers
        return Reply(
            response.status_code,
            headers.get("content-type", ""),
            bytes(content),
            headers.get("retry-after", ""),
            dict(headers),
        )
