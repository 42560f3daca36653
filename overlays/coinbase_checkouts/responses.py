"""
The one place where an answer becomes a model or an error.

Total: any status, any bytes. A function that fails gives back the reason instead of raising it, because
a frame that raises is shown in tracebacks with its locals, and here they hold bodies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from .errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    IdempotencyError,
    InvalidResponseError,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from .operations import Call
from .plain import plain
from .retries import RETRYABLE_STATUSES, is_unclear
from .sensor import readable

T = TypeVar("T")

_NAMES_A_CHECKOUT: Final = frozenset({"getCheckout", "deactivateCheckout", "refundCheckout"})
_MISSING: Final = re.compile(r"not found|does not exist|no such", re.IGNORECASE)

_BY_TYPE: Final[Mapping[str, type[ApiError]]] = {
    "unauthorized": AuthenticationError,
    "forbidden": PermissionDeniedError,
    "not_found": NotFoundError,
    "already_exists": ConflictError,
    "idempotency_error": IdempotencyError,
    "rate_limit_exceeded": RateLimitError,
}
_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ConflictError,
    429: RateLimitError,
}


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What an error body says, whichever of the documented shapes it has."""

    error_type: str | None = None
    message: str = ""
    correlation_id: str | None = None
    error_link: str | None = None


def read(
    call: Call[T], status: int, body: dict[str, Any] | None, *, unclear: bool, as_described: bool = False
) -> T | ApiError | InvalidResponseError:
    """
    The model of a successful answer, or the error of any other.

    Args:
        status: An int: proxies answer with codes (520, 529) that `http.HTTPStatus` lacks.
        body: What `json_object` makes of the answer.
        unclear: Whether an earlier attempt of the same call may have had its effect.
        as_described: Whether the sensor has found no drift in it, so that nothing is to be mended.
    """
    if call.removes and (200 <= status < 300 or (status == 404 and unclear and body is not None)):
        return call.read({})
    if 200 <= status < 300:
        made = _model(call, body, as_described=as_described)
        if not isinstance(made, str):
            return made
        reason = made
    elif status < 400:
        reason = "redirects elsewhere, which this API does not do; it was not followed"
    else:
        return _api_error(call, status, body or {}, unclear=unclear)
    return invalid(call, status, reason)


def invalid(call: Call[Any], status: int, reason: str) -> InvalidResponseError:
    """The error of an answer that cannot be used."""
    return InvalidResponseError(
        f"{call.operation}: the answer with status {status} {reason}",
        status=status,
        operation=call.operation,
        idempotency_key=call.idempotency_key,
        # A 2xx says that it happened, but not to what.
        outcome=Outcome.UNKNOWN if call.writes else Outcome.REFUSED,
    )


def json_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object in *content*; None where there is none."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _model(call: Call[T], body: dict[str, Any] | None, *, as_described: bool) -> T | str:
    """The model, or what is wrong with the body."""
    if body is None:
        return "is not a JSON object"
    try:
        # Without what is not of the described types, which the sensor reports.
        model = call.read(body if as_described else readable(call.operation, body))
    except KeyError as exc:
        return f"lacks the required field {exc.args[0]!r}"
    except (TypeError, ValueError, AttributeError, OverflowError):
        return "has a field of another type than the description gives it"
    return model if call.answers(model) else f"is about another {call.about} than the one asked for"


def error_text(body: Mapping[str, Any], *, hide: str | None = None) -> ErrorText:
    """
    What an error body says: ErrorBody, ErrorListBody, LegacyErrorBody, or nothing; without *hide*, wherever.

    Source: the three schemas of these names in spec/openapi.yaml.
    """

    def text(value: object) -> str | None:
        shown = plain(value)
        return shown.replace(hide, "<key>") if shown and hide else shown

    listed = body.get("errors")
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):
        return ErrorText(error_type=text(listed[0].get("id")), message=text(listed[0].get("message")) or "")
    nested = body.get("error")
    legacy = text(nested.get("message")) if isinstance(nested, dict) else None
    return ErrorText(
        error_type=text(body.get("errorType")),
        message=text(body.get("errorMessage")) or legacy or "",
        correlation_id=text(body.get("correlationId")),
        error_link=text(body.get("errorLink")),
    )


def _api_error(call: Call[Any], status: int, body: Mapping[str, Any], *, unclear: bool) -> ApiError:
    told = error_text(body, hide=call.idempotency_key)
    kind = _error_class(call, status, told)
    # A key that was used before says that something was done under it, though not by this request.
    may_have_acted = call.writes and (unclear or is_unclear(status) or kind is IdempotencyError)
    return kind(
        status=status,
        error_type=told.error_type,
        message=told.message,
        correlation_id=told.correlation_id,
        error_link=told.error_link,
        operation=call.operation,
        idempotency_key=call.idempotency_key,
        outcome=Outcome.UNKNOWN if may_have_acted else Outcome.REFUSED,
        retryable=status in RETRYABLE_STATUSES,
    )


def _error_class(call: Call[Any], status: int, told: ErrorText) -> type[ApiError]:
    if status >= 500:
        return ServerError
    if (by_type := _BY_TYPE.get(told.error_type or "")) is not None:
        return by_type
    # Some deployments answer 400 for a missing checkout; only where one was asked for by id.
    if status == 400 and call.operation in _NAMES_A_CHECKOUT and _MISSING.search(told.message):
        return NotFoundError
    if status in (409, 422) and "idempotency" in told.message.lower():
        return IdempotencyError
    return _BY_STATUS.get(status, BadRequestError)
