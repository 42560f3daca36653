"""
HTML out: templates in which everything is escaped, what browsers are told to hold our pages to, and the static files.

Descriptions, metadata and paths of requests are text of strangers. Escaping keeps it text; the policy is for the day
that escaping fails.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Call

if TYPE_CHECKING:
    from jinja2 import Environment

STATIC_PATH: Final = "/__sandbox__/static/{digest}/{name}"

# No inline script, no inline style, no frame, nothing from elsewhere. Browsers hold form-action against redirects too,
# so no form is answered by one that leads away: see pages.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    # Nothing is told to other sites. no-referrer would also turn the Origin of our own forms into null, by which they
    # are told from those of other sites.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

_STATIC: Final = {
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "sandbox.css": "text/css; charset=utf-8",
}

_YEAR_S: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Page:
    """One method on one path of what people look at."""

    method: str
    path: str
    respond: Callable[[Call], Answer]
    quiet: bool = False
    """Asked for every second by pages themselves, or a part of them: not among the requests that people are shown."""
    html: bool = True
    """Whether refusals are pages too, or JSON."""


def rendered(template: str, status: int = 200, **context: Any) -> Answer:
    """A template as an answer."""
    return Answer(status, text(template, **context).encode(), _HEADERS, media_type="text/html; charset=utf-8")


def text(template: str, **context: Any) -> str:
    """A template as text, everything in it escaped."""
    return _environment().get_template(template).render(context)


def moved(path: str) -> Answer:
    """After a form: see there. A path of ours, for the reason given at the policy."""
    return Answer(303, b"", {**_HEADERS, "Location": path}, media_type="text/html; charset=utf-8")


def told(refusal: ApiError, correlation_id: str, call: Call) -> Answer:
    """A refusal as a page."""
    checkout_id = call.path_parameters.get("id")
    answer = rendered(
        "refusal.html",
        refusal.status,
        code=refusal.status,
        message=refusal.message,
        correlation_id=correlation_id,
        # Back to the payment, where there is one.
        back=f"/pay/{checkout_id}" if call.raw_path.startswith("/pay/") and refusal.status in {400, 409} else None,
    )
    return Answer(answer.status, answer.body, {**answer.headers, **refusal.headers}, answer.media_type)


def static(call: Call) -> Answer:
    """
    GET /__sandbox__/static/{digest}/{name}. The digest is the content's, so it may be kept for ever.

    Raises:
        ApiError: 404.
    """
    name = call.path_parameters["name"]
    if name not in _STATIC or call.path_parameters["digest"] != _digest(name):
        raise ApiError(404, "there is nothing at this path")
    return Answer(200, _read(name), {"Cache-Control": f"public, max-age={_YEAR_S}, immutable"}, _STATIC[name])


@cache
def _read(name: str) -> bytes:
    return (files("coinbase_checkouts_sandbox") / "static" / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_read(name)).hexdigest()[:16]


def _asset(name: str) -> str:
    return STATIC_PATH.format(digest=_digest(name), name=name)


def _clock_time(moment_ms: int) -> str:
    return rfc3339(moment_ms)[11:19]


def _day_and_time(moment_ms: int) -> str:
    return rfc3339(moment_ms)[:19].replace("T", " ")


@cache
def _environment() -> "Environment":
    # Here, because it would double the time in which a server that nobody looks at starts.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("coinbase_checkouts_sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "asset": _asset,
        "rfc3339": rfc3339,
        "clock_time": _clock_time,
        "day_and_time": _day_and_time,
    }
    return environment
