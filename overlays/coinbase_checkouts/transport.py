"""
The one place that knows the HTTP library: httpx, its clients, its exceptions.

Building an `SSLContext` costs more than the rest of a client together, so all clients of a process share
one, made when the first is used.

With the extra [aiohttp], async connections are aiohttp's, under the same httpx client: much cheaper with many
calls at once.

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
import ssl
import sys
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from .calls import Answer, Attempt, NoAnswer
from .errors import ConfigurationError
from .retries import CONNECT_TIMEOUT_S
from .seam import httpx

PRODUCTION: Final = "https://business.coinbase.com"
SANDBOX_PREFIX: Final = "/sandbox"
# A page of 100 checkouts with all they may have is about half a megabyte.
# httpx looks through all waiting requests whenever one ends: a thousand at once take a minute, or, in turns,
# a second.
ASYNC_LIMIT: Final = 64
ANSWER_LIMIT_BYTES: Final = 16 * 1024 * 1024

# Failures before a byte of the request left this machine.
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_TOO_LARGE: Final = NoAnswer(sent=True, reason=f"it had more than {ANSWER_LIMIT_BYTES} bytes")
_TOO_SLOW: Final = NoAnswer(sent=True, reason="not all of it came in time")


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@cache
def _headers() -> dict[str, str]:
    return {
        "Accept": "application/json",
        "User-Agent": f"coinbase-checkouts/{version('coinbase-checkouts')} python/{platform.python_version()}",
    }


def checked_base_url(given: str, *, sandbox: bool) -> str:
    """
    The address that the paths of the description are added to.

    Args:
        given: An origin, with or without `/sandbox` and a closing slash.
        sandbox: Add the sandbox prefix if it is not there.

    Raises:
        ConfigurationError: Not such an address, or plain http to a public name, which would show the
            token to everyone on the way.
    """
    try:
        url = httpx.URL(given)
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError("base_url: not a URL such as https://business.coinbase.com") from None
    if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.query or url.fragment:
        raise ConfigurationError("base_url: not an origin such as https://business.coinbase.com")
    if url.path.rstrip("/") not in ("", SANDBOX_PREFIX):
        raise ConfigurationError(
            f"base_url: an origin, with or without {SANDBOX_PREFIX}; leave out the rest of the path"
        )
    if url.scheme == "http" and not _is_local(url.host):
        raise ConfigurationError(
            f"base_url: plain http to {url.host} would show the token to everyone on the way; use https"
        )
    prefix = SANDBOX_PREFIX if sandbox or url.path.startswith(SANDBOX_PREFIX) else ""
    return f"{url.scheme}://{url.netloc.decode('ascii')}{prefix}"


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        # A name without a dot is one of this machine's own network, such as a service in a container.
        return "." not in host or host.endswith(".localhost")


_Value = TypeVar("_Value")
_ByLoop = WeakKeyDictionary[asyncio.AbstractEventLoop, _Value]


class _Shared:
    """What the sync and the async transport have in common."""

    def __init__(self, base_url: str, auth: httpx.Auth) -> None:
        self._base_url = base_url
        self._auth = auth
        self._closed = False
        self._building = threading.Lock()
        _TRANSPORTS.add(self)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this client is closed")

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
        ends_s = time.monotonic() + attempt.timeout_s
        try:
            with self._open().stream(**self._arguments(attempt)) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > ANSWER_LIMIT_BYTES:
                        return _TOO_LARGE
                    # httpx bounds the wait for each piece of an answer, but not their number.
                    if time.monotonic() > ends_s:
                        return _TOO_SLOW
            return _answer(response, bytes(body))
        except httpx.RequestError as exc:
            return _no_answer(exc)

    def _open(self) -> httpx.Client:
        self._check_open()
        if self._given is not None:
            return self._given
        with self._building:
            if self._client is None:
                self._client = httpx.Client(verify=_ssl_context())
            return self._client

    def begin_anew(self) -> None:
        super().begin_anew()
        _ABANDONED.append(self._client)
        self._client = None

    def close(self) -> None:
        """Close the connections, unless the client was given from outside."""
        self._closed = True
        if self._client is not None:
            self._client.close()


async def _closed_with_its_loop(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """
    Close *client* when this generator is closed, which an event loop does with those begun in it before it ends.

    A client that outlives `asyncio.run` so leaves no open connection behind in the loop that is gone.
    """
    try:
        yield
    finally:
        await client.aclose()


class AsyncTransport(_Shared):
    """Sends attempts on the running event loop. Shared by any number of tasks."""

    def __init__(self, base_url: str, auth: httpx.Auth, given: httpx.AsyncClient | None, *, aiohttp: bool) -> None:
        super().__init__(base_url, auth)
        self._given = given
        self._aiohttp = aiohttp
        self._clients: _ByLoop[httpx.AsyncClient] = WeakKeyDictionary()
        self._turns: _ByLoop[asyncio.Semaphore] = WeakKeyDictionary()
        self._keepers: _ByLoop[AsyncGenerator[None, None]] = WeakKeyDictionary()

    async def send(self, attempt: Attempt) -> Answer | NoAnswer:
        """Send it once, and say what came of it."""
        client = await self._open()
        sent = False
        try:
            # Bounds all of it: the wait for a turn, and headers that drip in.
            async with asyncio.timeout(attempt.timeout_s), self._turn():
                sent = True
                async with client.stream(**self._arguments(attempt)) as response:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > ANSWER_LIMIT_BYTES:
                            return _TOO_LARGE
                return _answer(response, bytes(body))
        except TimeoutError:
            return replace(_TOO_SLOW, sent=sent)
        except httpx.RequestError as exc:
            return _no_answer(exc)
        except Exception as exc:
            # The other library lets some of its own errors through, such as for a status line that is none.
            if _is_aiohttp(exc):
                return NoAnswer(sent=True, reason=type(exc).__name__)
            raise

    def _turn(self) -> asyncio.Semaphore:
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(ASYNC_LIMIT))

    async def _open(self) -> httpx.AsyncClient:
        self._check_open()
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            # No other task of this loop comes between these two lines, and other loops have other keys.
            client = self._clients[loop] = _async_client(aiohttp=self._aiohttp)
            self._keepers[loop] = _closed_with_its_loop(client)
            await anext(self._keepers[loop])
        return self._clients[loop]

    def begin_anew(self) -> None:
        super().begin_anew()
        _ABANDONED.append((dict(self._clients), dict(self._keepers)))
        self._clients.clear()
        self._keepers.clear()

    async def close(self) -> None:
        """Close the connections of this event loop, unless the client was given from outside."""
        self._closed = True
        loop = asyncio.get_running_loop()
        if self._clients.pop(loop, None) is not None:
            await self._keepers.pop(loop).aclose()


_TRANSPORTS: Final[WeakSet[_Shared]] = WeakSet()
# In a child: kept for ever, because closing a connection would tell its other end, which the parent talks to.
_ABANDONED: Final[list[object]] = []


def _begin_anew() -> None:
    for transport in _TRANSPORTS:
        transport.begin_anew()


# Windows has no fork.
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_begin_anew)


def _answer(response: httpx.Response, content: bytes) -> Answer:
    return Answer(response.status_code, content, response.headers)


def _no_answer(exc: httpx.RequestError) -> NoAnswer:
    # The class tells what happened; the text of some exceptions quotes headers.
    return NoAnswer(sent=_was_sent(exc), reason=f"{type(exc).__name__} at {exc.request.url.host}")


def _was_sent(exc: httpx.RequestError) -> bool:
    """Whether any of the request may have left this machine."""
    if exc.__cause__ is not None and _is_aiohttp(exc.__cause__):
        # httpx-aiohttp calls a connection that was dropped in the middle a ConnectTimeout.
        aiohttp = sys.modules["aiohttp"]
        return not isinstance(exc.__cause__, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
    return not isinstance(exc, _NOT_SENT)


def _is_aiohttp(exc: BaseException) -> bool:
    aiohttp = sys.modules.get("aiohttp")
    return aiohttp is not None and isinstance(exc, aiohttp.ClientError)


def _async_client(*, aiohttp: bool) -> httpx.AsyncClient:
    if aiohttp and find_spec("httpx_aiohttp") is not None:
        from httpx_aiohttp import HttpxAiohttpClient  # noqa: PLC0415 -- the extra [aiohttp]

        return HttpxAiohttpClient(verify=_ssl_context())
    return httpx.AsyncClient(verify=_ssl_context())
