"""
A webhook endpoint for each of three frameworks: `adapters.starlette` (and FastAPI), `adapters.flask`, `adapters.django`.

All of them answer with a status and no body: 204 when your function has returned, 400 to what is not signed as it must
be, 405 to another method, 411 to a body in chunks that a WSGI server does not put together, 413 to one that is too large. What your function raises is your framework's to answer,
with 500, and the event comes again. So have it do little: `inbox.store`, or work within `inbox.once`.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from coinbase_checkouts.errors import SignatureError
from coinbase_checkouts.handlers import expect_handler
from coinbase_checkouts.webhooks import Event, Headers, keys_of, verify

__all__ = ["BODY_LIMIT_BYTES", "Secret"]

BODY_LIMIT_BYTES: Final = 1024 * 1024
"""A real body has one or two kilobytes."""

DONE: Final = 204
REFUSED: Final = 400
WRONG_METHOD: Final = 405
NO_LENGTH: Final = 411
TOO_LARGE: Final = 413

# Set by a WSGI server whose stream ends where the body does, whether or not it tells the length.
TERMINATED: Final = "wsgi.input_terminated"

LOGGER: Final = logging.getLogger("coinbase_checkouts")

Secret = str | Iterable[str] | Callable[[], str | Iterable[str]]
"""The subscription's; several while you change it; or a function that is asked for it, for each delivery."""


@dataclass(frozen=True, slots=True)
class Gate:
    """
    What comes before your function, whatever the framework.

    Raises:
        ConfigurationError, TypeError: As of `verify`, of a secret that is not asked for each time.
    """

    secret: Secret = field(repr=False)
    limit_bytes: int
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if isinstance(self.secret, Iterator):
            # What can be gone through once would do for the first delivery only.
            object.__setattr__(self, "secret", list(self.secret))
        wrong = None if callable(self.secret) else keys_of(self.secret)
        if isinstance(wrong, Exception):
            raise wrong

    def too_large(self, length: object) -> bool:
        """Whether a Content-Length, or none, says so by itself."""
        text = str(length or 0)
        return text.isdecimal() and int(text[:20]) > self.limit_bytes

    def event(self, body: bytes, headers: Headers) -> Event | int:
        """The event to act on, or the status to answer."""
        if len(body) > self.limit_bytes:
            return TOO_LARGE
        secret = self.secret() if callable(self.secret) else self.secret
        try:
            return verify(body, headers, secret, self.clock())
        except SignatureError as exc:
            # The reason is for you alone: whoever tries to forge is told nothing.
            LOGGER.warning("webhook refused: %s", exc.reason)
            return REFUSED


def endless(environ: Mapping[str, Any]) -> bool:
    """Whether a WSGI server hands on a body that came in chunks as it came; then nobody knows where it ends."""
    if "HTTP_TRANSFER_ENCODING" not in environ or environ.get("CONTENT_LENGTH") or environ.get(TERMINATED):
        return False
    LOGGER.warning(
        "webhook refused: it came in chunks (Transfer-Encoding), and this WSGI server does not put them together"
    )
    return True


def called(receive: Callable[[Event], Any]) -> Callable[[Event], Any]:
    """
    What is called if your function is; of an object whose `__call__` is asynchronous that, which looks it.

    Raises:
        TypeError: It is no function, or has a `yield` in it.
    """
    expect_handler("receive", receive, awaited=True)
    method = getattr(receive, "__call__", None)  # noqa: B004 -- not whether it can be called
    return method if inspect.iscoroutinefunction(method) else receive
