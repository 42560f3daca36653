"""
One request, one answer, one deadline: the only module that touches the network.

A server may hang, drip or never stop sending; none of that holds up a run. asyncio is used for one reason: its
timeout covers a whole exchange, however slowly the bytes come.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Final, Self

import httpx

from .judge import BrokenError
from .target import Target

DEADLINE_S: Final = 10.0
RUN_LIMIT_S: Final = 240.0
BODY_LIMIT_BYTES: Final = 4 * 1024 * 1024
# After so many requests in a row without a whole answer the server is taken for gone, and the rest fails at once.
GIVE_UP_AFTER: Final = 5


class UnreachableError(Exception):
    """Nothing there speaks HTTP; the message says what happened instead."""


class OutOfTimeError(Exception):
    """The run's limit is used up: nothing is known about the server."""


@dataclass(frozen=True)
class Limits:
    """In seconds; *run_s* is for the whole run, tidying up included."""

    deadline_s: float = DEADLINE_S
    run_s: float = RUN_LIMIT_S
    give_up_after: int = GIVE_UP_AFTER


@dataclass(frozen=True)
class Reply:
    """What came back, read to its end."""

    status: int
    content_type: str
    content: bytes


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificates takes some 40 ms, so it is done once.
    return ssl.create_default_context()


@dataclass
class Wire:
    """
    A connection to *target* for the length of a run; not for threads. *heard* counts answers, whole or not.

    Args:
        transport: In place of the network, for a server in this process.
    """

    target: Target
    limits: Limits = Limits()
    transport: httpx.AsyncBaseTransport | None = None
    heard: int = field(default=0, init=False)
    _misses: int = field(default=0, init=False)
    _last_miss: str = field(default="", init=False)

    def __enter__(self) -> Self:
        self._ends_at = time.monotonic() + self.limits.run_s
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            verify=_tls() if self.target.origin.startswith("https") else False,  # no TLS, nothing to verify
            timeout=None,  # noqa: S113 -- the deadline below covers more
            trust_env=not self.target.is_loopback,
            follow_redirects=False,
            transport=self.transport,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    @property
    def left_s(self) -> float:
        """Seconds left of the run."""
        return self._ends_at - time.monotonic()

    def give(self, seconds: float) -> None:
        """Let the run go on for so long from now, to put things in order."""
        self._ends_at = time.monotonic() + seconds

    @property
    def out_of_time(self) -> str:
        """Why what is left is not tried."""
        return f"the run's limit of {self.limits.run_s:g} s is used up"

    def send(self, request: httpx.Request, auth: httpx.Auth | None = None, *, deadline_s: float | None = None) -> Reply:
        """
        Send *request*, once.

        Raises:
            BrokenError: No whole answer came in time.
            UnreachableError: Neither did one ever come, nor could a connection be made.
            OutOfTimeError: The run ended first.
        """
        if self._misses >= self.limits.give_up_after:
            raise BrokenError(f"not tried: the server has stopped answering ({self._last_miss})")
        if self.left_s <= 0:
            raise OutOfTimeError(self.out_of_time)
        whole_s = deadline_s or self.limits.deadline_s
        limit = min(whole_s, max(self.left_s, 0.1))
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
            raise self._missed(f"no whole answer: {str(exc) or type(exc).__name__}") from None
        self._misses = 0
        return reply

    def _missed(self, what: str) -> BrokenError:
        self._misses += 1
        self._last_miss = what
        return BrokenError(what)

    async def _exchange(self, request: httpx.Request, auth: httpx.Auth | None, limit_s: float) -> Reply:
        async with asyncio.timeout(limit_s):
            response = await self._client.send(request, auth=auth, stream=True)
            self.heard += 1
            # Nothing is remembered from one request to the next.
            self._client.cookies.clear()
            content = bytearray()
            try:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > BODY_LIMIT_BYTES:
                        raise httpx.ReadError(f"a body of more than {BODY_LIMIT_BYTES} bytes")
            finally:
                await response.aclose()
            return Reply(response.status_code, response.headers.get("content-type", ""), bytes(content))
