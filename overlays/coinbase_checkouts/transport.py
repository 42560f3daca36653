"""
Attempts over the wire: what is sent, and what came of it. Whatever happens, the answer to an attempt is an
`Answer` or a `NoAnswer`; once something was sent no exception escapes without the key of its call.

Connections belong to the process, and async ones to the event loop, that opened them. After a `fork()` two
processes that went on with the same connection would read each other's answers, so the child begins with
none; and each event loop has its own. A client of the user's own is left alone: whoever made it keeps it to
one process and one loop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import platform
import re
import sys
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

from .calls import Answer, Attempt, NoAnswer
from .connections import ANSWER_LIMIT_BYTES, ENDS_S, async_client, decoded, is_aiohttp, sync_client, was_sent
from .errors import ConfigurationError
from .retries import CONNECT_TIMEOUT_S
from .seam import httpx

PRODUCTION: Final = "https://business.coinbase.com"
SANDBOX_PREFIX: Final = "/sandbox"
# httpx looks through all waiting requests whenever one ends: a thousand at once take a minute, or, in turns,
# a second.
ASYNC_LIMIT: Final = 64
# RFC 1123, and underscores, which names of containers have.
_LABEL: Final = re.compile(rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


@cache
def _headers() -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"coinbase-checkouts/{version('coinbase-checkouts')} python/{platform.python_version()}",
    }


def checked_base_url(given: str, *, sandbox: bool, production: str = PRODUCTION) -> str:
    """
    The address that the paths of the description are added to.

    Args:
        given: An origin, with or without `/sandbox` and a closing slash.
        sandbox: Add the sandbox prefix if it is not there.
        production: The example in messages.

    Raises:
        ConfigurationError: Not such an address, or plain http to a public name, which would show the
            token to everyone on the way.
    """
    try:
        url = httpx.URL(given)
    except (httpx.InvalidURL, TypeError, UnicodeError):
        raise ConfigurationError(f"base_url: not a URL such as {production}") from None
    if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.query or url.fragment:
        raise ConfigurationError(f"base_url: not an origin such as {production}")
    labels = url.raw_host.split(b".")
    if ":" not in url.host and not (len(url.raw_host) < 254 and all(_LABEL.fullmatch(label) for label in labels)):
        raise ConfigurationError("base_url: its host is no name and no address")
    if url.path.rstrip("/") not in ("", SANDBOX_PREFIX):
        raise ConfigurationError(
            f"base_url: an origin, with or without {SANDBOX_PREFIX}; leave out the rest of the path"
        )
    if url.scheme == "http" and not is_local(url.host):
        raise ConfigurationError(
            f"base_url: plain http to {url.host} would show the token to everyone on the way; use https"
        )
    prefix = SANDBOX_PREFIX if sandbox or url.path.startswith(SANDBOX_PREFIX) else ""
    return f"{url.scheme}://{url.netloc.decode('ascii')}{prefix}"


def is_local(host: str) -> bool:
    """Whether what is sent there stays on this machine, or in its own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        # A name without a dot is one of this machine's own network, such as a service in a container; but
        # 134744072 and 0x08080808 are addresses, too.
        return ("." not in host and host[:1].isalpha()) or host.endswith(".localhost")


_TOO_LARGE: Final = NoAnswer(sent=True, reason=f"it had more than {ANSWER_LIMIT_BYTES} bytes")


class _Shared:
    """What the sync and the async transport have in common."""

    def __init__(self, base_url: str, auth: httpx.Auth) -> None:
        self._base_url = base_url
        self._host = httpx.URL(base_url).host
        self._auth = auth
        self._closed = False
        self._building = threading.Lock()
        _TRANSPORTS.add(self)

    def _closed_before(self, attempt: Attempt) -> NoAnswer | None:
        """
        What an attempt on a closed client comes to.

        Raises:
            RuntimeError: It is the first of its call; nothing is lost.
        """
        if not self._closed:
            return None
        if attempt.number == 1:
            raise RuntimeError("this client is closed")
        return NoAnswer(sent=False, reason="the client was closed", final=True)

    def _no_answer(self, exc: Exception, *, sent: bool = True) -> NoAnswer:
        # The class tells what happened; the text of some exceptions quotes headers.
        reason = f"{type(exc).__name__} at {self._host}"
        if isinstance(exc, TimeoutError):
            return NoAnswer(sent=sent, reason=f"not all of it came in time from {self._host}")
        if isinstance(exc, httpx.RequestError):
            return NoAnswer(sent=was_sent(exc), reason=reason)
        if is_aiohttp(exc):
            # No cause: its repr has the headers that were sent.
            return NoAnswer(sent=sent, reason=reason)
        # Nobody's: a bug, a hook of the user's, a client closed in the middle. To try again would not help.
        return NoAnswer(sent=sent, reason=reason, final=True, cause=exc)

    def begin_anew(self) -> None:
        """Forget every connection, and a lock that a thread of the parent may have held; in a forked child."""
        self._building = threading.Lock()

    def _arguments(self, attempt: Attempt) -> dict[str, Any]:
        """The arguments of `httpx.Client.request` for one attempt."""
        call = attempt.call
        headers = {**_headers(), **(call.headers or {})}
        return {
            "method": call.method,
            "url": self._base_url + call.path,
            "params": call.params,
            "headers": headers,
            "content": call.content,
            "auth": self._auth,
            "timeout": httpx.Timeout(attempt.timeout_s, connect=min(attempt.timeout_s, CONNECT_TIMEOUT_S)),
            "follow_redirects": False,
        }


class SyncTransport(_Shared):
    """Sends attempts, blocking. Shared by any number of threads."""

    def __init__(self, base_url: str, auth: httpx.Auth, given: httpx.Client | None) -> None:
        super().__init__(base_url, auth)
        self._given = given
        self._client: httpx.Client | None = None

    def send(self, attempt: Attempt) -> Answer | NoAnswer:
        """Send it once, and say what came of it."""
        if (closed := self._closed_before(attempt)) is not None:
            return closed
        token = ENDS_S.set(time.monotonic() + attempt.timeout_s)
        sent = False
        try:
            client = self._open()
            sent = True
            with client.stream(**self._arguments(attempt)) as response:
                if response.is_stream_consumed:
                    return _read_before(response)
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > ANSWER_LIMIT_BYTES:
                        return _TOO_LARGE
                    # A client of the user's own has no bounded connections.
                    if time.monotonic() > ENDS_S.get():
                        return self._no_answer(TimeoutError())
            return _answer(response, bytes(body))
        except Exception as exc:  # noqa: BLE001 -- the key must not be lost with any of them
            return self._no_answer(exc, sent=sent)
        finally:
            ENDS_S.reset(token)

    def _open(self) -> httpx.Client:
        if self._given is not None:
            return self._given
        with self._building:
            if self._client is None:
                self._client = sync_client()
            return self._client

    def begin_anew(self) -> None:
        super().begin_anew()
        _ABANDONED.append(self._client)
        self._client = None

    def close(self) -> None:
        """Close the connections, unless the client was given from outside."""
        with self._building:
            self._closed = True
            if self._client is not None:
                self._client.close()


@dataclass(eq=False, slots=True)
class _OfLoop:
    """The connections of one event loop, and how many attempts use them."""

    client: httpx.AsyncClient
    turns: asyncio.Semaphore
    in_use: int = 0
    retired: bool = False
    keeper: AsyncGenerator[None, None] | None = None


class AsyncTransport(_Shared):
    """Sends attempts on the running event loop. Shared by any number of tasks."""

    def __init__(self, base_url: str, auth: httpx.Auth, given: httpx.AsyncClient | None, *, aiohttp: bool) -> None:
        super().__init__(base_url, auth)
        self._given = given
        self._aiohttp = aiohttp
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _OfLoop] = WeakKeyDictionary()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, attempt: Attempt) -> Answer | NoAnswer:
        """Send it once, and say what came of it."""
        if (closed := self._closed_before(attempt)) is not None:
            return closed
        try:
            of_loop = await self._of_loop()
        except Exception as exc:  # noqa: BLE001 -- such as a setting of the environment that names no file
            return self._no_answer(exc, sent=False)
        of_loop.in_use += 1
        sent = False
        try:
            # Bounds all of it: the wait for a turn, and headers that drip in.
            async with asyncio.timeout(attempt.timeout_s), of_loop.turns:
                sent = True
                async with of_loop.client.stream(**self._arguments(attempt)) as response:
                    if response.is_stream_consumed:
                        return _read_before(response)
                    body = bytearray()
                    async for chunk in response.aiter_raw():
                        body += chunk
                        if len(body) > ANSWER_LIMIT_BYTES:
                            return _TOO_LARGE
                return _answer(response, bytes(body))
        except asyncio.CancelledError:
            self._retire(of_loop, sent=sent)
            raise
        except Exception as exc:  # noqa: BLE001 -- the key must not be lost with any of them
            if isinstance(exc, TimeoutError):
                self._retire(of_loop, sent=sent)
            return self._no_answer(exc, sent=sent)
        finally:
            of_loop.in_use -= 1
            if of_loop.retired and of_loop.in_use == 0:
                task = asyncio.ensure_future(_end(of_loop))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def _of_loop(self) -> _OfLoop:
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            # No other task of this loop comes between these lines, and other loops have other keys.
            client = self._given or async_client(aiohttp=self._aiohttp)
            of_loop = self._loops[loop] = _OfLoop(client, asyncio.Semaphore(ASYNC_LIMIT))
            if self._given is None:
                of_loop.keeper = self._closed_with_its_loop(loop, of_loop)
                await anext(of_loop.keeper)
        return self._loops[loop]

    async def _closed_with_its_loop(
        self, loop: asyncio.AbstractEventLoop, of_loop: _OfLoop
    ) -> AsyncGenerator[None, None]:
        """
        Close the client when this generator is closed, which an event loop does with those begun in it before it ends.

        A client that outlives `asyncio.run` so leaves no open connection behind in the loop that is gone.
        """
        try:
            yield
        finally:
            if self._loops.get(loop) is of_loop:
                del self._loops[loop]
            await of_loop.client.aclose()

    def _retire(self, of_loop: _OfLoop, *, sent: bool) -> None:
        """
        Let no new attempt use these connections, and close them after the last that does.

        httpx loses track of the connection of a cancelled request now and then; enough of them fill its pool for
        good, and every later call waits in vain.
        """
        if sent and self._given is None:
            of_loop.retired = True
            loop = asyncio.get_running_loop()
            if self._loops.get(loop) is of_loop:
                del self._loops[loop]

    def begin_anew(self) -> None:
        super().begin_anew()
        _ABANDONED.append((dict(self._loops), self._closing))
        self._loops.clear()
        self._closing = set()

    async def close(self) -> None:
        """Close the connections of this event loop, unless the client was given from outside."""
        self._closed = True
        of_loop = self._loops.pop(asyncio.get_running_loop(), None)
        if of_loop is not None:
            await _end(of_loop)


async def _end(of_loop: _OfLoop) -> None:
    if of_loop.keeper is not None:
        await of_loop.keeper.aclose()


_TRANSPORTS: Final[WeakSet[_Shared]] = WeakSet()
# In a child: kept for ever, because closing a connection would tell its other end, which the parent talks to.
_ABANDONED: Final[list[object]] = []


def _begin_anew() -> None:
    for transport in _TRANSPORTS:
        transport.begin_anew()


# Windows has no fork.
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_begin_anew)


def _read_before(response: httpx.Response) -> Answer:
    """An answer that a hook or a transport of the user's own has read, and decoded, already."""
    return Answer(response.status_code, response.content, response.headers)


def _answer(response: httpx.Response, content: bytes) -> Answer:
    headers = response.headers
    return Answer(response.status_code, decoded(content, headers.get("content-encoding", "")), headers)
