"""
httpx clients as this package needs them: sync ones that keep a deadline, async ones of either library.

Building an `SSLContext` costs more than the rest of a client together, so all clients of a process share
one, made when the first is used. With the extra [aiohttp], async connections are aiohttp's, under the same
httpx client: much cheaper with many calls at once.
"""

from __future__ import annotations

import ssl
import sys
import time
import zlib
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import httpcore

from .seam import httpx

# When the attempt of this thread ends, in monotonic seconds.
ENDS_S: Final[ContextVar[float]] = ContextVar("ENDS_S")
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


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def sync_client() -> httpx.Client:
    """A client whose reading and writing ends when the attempt does (`ENDS_S`), behind proxies too."""
    client = httpx.Client(verify=_ssl_context())
    inside: Any = client
    for transport in (inside._transport, *inside._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            pool: Any = transport
            pool._pool._network_backend = _BoundedBackend()
    return client


def async_client(*, aiohttp: bool) -> httpx.AsyncClient:
    """A client over aiohttp's connections if that is wanted and installed, else over httpx's own."""
    if aiohttp and find_spec("httpx_aiohttp") is not None:
        from httpx_aiohttp import HttpxAiohttpClient  # noqa: PLC0415 -- the extra [aiohttp]

        return HttpxAiohttpClient(verify=_ssl_context())
    return httpx.AsyncClient(verify=_ssl_context())


class _BoundedBackend(httpcore.SyncBackend):
    """
    Connections whose every read and write is cut to what is left of the attempt.

    httpx bounds the wait for each piece of an answer but not their number: headers that drip in, or hints
    without end, keep a thread for ever. It offers no way to name a backend, so it is put in its place.
    """

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, within what is left."""
        left_s = _left_s(timeout, httpcore.ConnectTimeout)
        return _BoundedStream(super().connect_tcp(host, port, left_s, local_address, socket_options))


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, httpcore.ConnectTimeout)
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left_s(timeout: float | None, too_late: type[httpcore.TimeoutException]) -> float:
    left_s = ENDS_S.get() - time.monotonic()
    if left_s <= 0:
        raise too_late
    return left_s if timeout is None else min(timeout, left_s)


def is_aiohttp(exc: BaseException | None) -> bool:
    """Whether *exc* is one of aiohttp's own; some of them come through the bridge as they are."""
    aiohttp = sys.modules.get("aiohttp")
    return aiohttp is not None and isinstance(exc, aiohttp.ClientError)


def was_sent(exc: Exception) -> bool:
    """Whether any of the request may have left this machine before *exc*."""
    if is_aiohttp(exc.__cause__):
        # httpx-aiohttp calls a connection that was dropped in the middle a ConnectTimeout.
        aiohttp = sys.modules["aiohttp"]
        return not isinstance(exc.__cause__, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
    return not isinstance(exc, _NOT_SENT)


def decoded(content: bytes, encoding: str) -> bytes:
    """
    *content* without the one coding that an intermediary may have put on it unasked, within the limit; empty if
    it cannot be undone.

    Compressed answers are not asked for: a few kilobytes of one can come to gigabytes.
    """
    if encoding in ("", "identity"):
        return content
    try:
        # 32 + 15: gzip or zlib, whichever it is.
        return zlib.decompressobj(47).decompress(content, ANSWER_LIMIT_BYTES)
    except zlib.error:
        return b""
