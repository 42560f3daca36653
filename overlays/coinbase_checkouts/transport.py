"""
The one place that knows the HTTP library: httpx, its clients, its exceptions.

Building an `SSLContext` costs more than the rest of a client together, so all clients of a process share
one, made when the first is used.
"""

from __future__ import annotations

import ipaddress
import platform
import ssl
import threading
import time
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import httpx

from .calls import Answer, Attempt, NoAnswer
from .errors import ConfigurationError
from .retries import CONNECT_TIMEOUT_S

PRODUCTION: Final = "https://business.coinbase.com"
SANDBOX_PREFIX: Final = "/sandbox"
# A page of 100 checkouts with all they may have is about half a megabyte.
ANSWER_LIMIT_BYTES: Final = 16 * 1024 * 1024

# Failures before a byte of the request left this machine.
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_building = threading.Lock()


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


class _Shared:
    """What the sync and the async transport have in common: one client each, built once."""

    def __init__(self, base_url: str, auth: httpx.Auth) -> None:
        self._base_url = base_url
        self._auth = auth
        self._closed = False

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this client is closed")

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

    def __init__(self, base_url: str, auth: httpx.Auth, client: httpx.Client | None) -> None:
        super().__init__(base_url, auth)
        self._client = client
        self._own = client is None

    def send(self, attempt: Attempt) -> Answer | NoAnswer:
        """Send it once, and say what came of it."""
        ends_s = time.monotonic() + attempt.timeout_s
        try:
            with self._open().stream(**self._arguments(attempt)) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if (stop := _excess(body, ends_s)) is not None:
                        return stop
            return _answer(response, bytes(body))
        except httpx.RequestError as exc:
            return _no_answer(exc)

    def _open(self) -> httpx.Client:
        self._check_open()
        with _building:
            if self._client is None:
                self._client = httpx.Client(verify=_ssl_context())
            return self._client

    def close(self) -> None:
        """Close the connections, unless the client was given from outside."""
        self._closed = True
        if self._own and self._client is not None:
            self._client.close()


class AsyncTransport(_Shared):
    """Sends attempts on the running event loop. Shared by any number of tasks."""

    def __init__(self, base_url: str, auth: httpx.Auth, client: httpx.AsyncClient | None) -> None:
        super().__init__(base_url, auth)
        self._client = client
        self._own = client is None

    async def send(self, attempt: Attempt) -> Answer | NoAnswer:
        """Send it once, and say what came of it."""
        ends_s = time.monotonic() + attempt.timeout_s
        try:
            async with self._open().stream(**self._arguments(attempt)) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if (stop := _excess(body, ends_s)) is not None:
                        return stop
            return _answer(response, bytes(body))
        except httpx.RequestError as exc:
            return _no_answer(exc)

    def _open(self) -> httpx.AsyncClient:
        self._check_open()
        with _building:
            if self._client is None:
                self._client = httpx.AsyncClient(verify=_ssl_context())
            return self._client

    async def close(self) -> None:
        """Close the connections, unless the client was given from outside."""
        self._closed = True
        if self._own and self._client is not None:
            await self._client.aclose()


def _excess(body: bytearray, ends_s: float) -> NoAnswer | None:
    """
    Why to stop reading: httpx bounds the wait for each piece of an answer, but not their number.
    """
    if len(body) > ANSWER_LIMIT_BYTES:
        return NoAnswer(sent=True, reason=f"more than {ANSWER_LIMIT_BYTES} bytes")
    if time.monotonic() > ends_s:
        return NoAnswer(sent=True, reason="not all of it came in time")
    return None


def _answer(response: httpx.Response, content: bytes) -> Answer:
    return Answer(response.status_code, content, response.headers.get("retry-after"), response.headers.get("date"))


def _no_answer(exc: httpx.RequestError) -> NoAnswer:
    # The class tells what happened; the text of some exceptions quotes headers.
    return NoAnswer(sent=not isinstance(exc, _NOT_SENT), reason=f"{type(exc).__name__} at {exc.request.url.host}")
