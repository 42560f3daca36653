"""
Facts that no schema says, as traffic shows them: each function names the readings that one exchange is evidence of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from coinbase_checkouts_conformance.traffic import Recorded

from .shapes import fraction

Probe = Callable[[Recorded], Iterator[str]]

_ROUNDED_S: Final = 120


def default_expiry(exchange: Recorded) -> Iterator[str]:
    """How long a new checkout lives that was asked for without expiresAt."""
    answer = _created(exchange)
    if answer is None or "expiresAt" in _object(exchange.body):
        return
    try:
        lifetime = datetime.fromisoformat(answer["expiresAt"]) - datetime.fromisoformat(answer["createdAt"])
    except (KeyError, TypeError, ValueError):
        return
    hours, rest = divmod(lifetime.total_seconds() + _ROUNDED_S / 2, 3600)
    yield (
        f"{hours:.0f} hour{'' if hours == 1 else 's'}"
        if 0 <= rest <= _ROUNDED_S
        else f"{lifetime.total_seconds():.0f} s"
    )


def currencies(exchange: Recorded) -> Iterator[str]:
    """In which currency a checkout was asked for, and made."""
    if _created(exchange) is not None:
        yield str(_object(exchange.body).get("currency"))


def default_network(exchange: Recorded) -> Iterator[str]:
    """On which network a new checkout is that was asked for without one."""
    answer = _created(exchange)
    if answer is not None and "network" not in _object(exchange.body):
        yield str(answer.get("network"))


def missing_checkout(exchange: Recorded) -> Iterator[str]:
    """How a checkout is refused that is not there."""
    if exchange.operation is not None and _object(exchange.json).get("errorType") == "not_found":
        yield str(exchange.status)


def idempotency_conflict(exchange: Recorded) -> Iterator[str]:
    """How a key is refused that was used with another request."""
    if exchange.operation is not None and _object(exchange.json).get("errorType") == "idempotency_error":
        yield str(exchange.status)


def error_forms(exchange: Recorded) -> Iterator[str]:
    """By which member an error is known."""
    if exchange.operation is not None and exchange.status >= 400:
        yield from (name for name in ("errorType", "errors", "error") if name in _object(exchange.json))


def with_transaction_hash(exchange: Recorded) -> Iterator[str]:
    """In which statuses a checkout has one."""
    yield from (str(one.get("status")) for one in _checkouts(exchange) if "transactionHash" in one)


def deactivated(exchange: Recorded) -> Iterator[str]:
    """What status a checkout has in the answer to its deactivation."""
    if exchange.operation is not None and exchange.operation.id == "deactivateCheckout":
        yield from (str(one.get("status")) for one in _checkouts(exchange))


def refunds(exchange: Recorded) -> Iterator[str]:
    """Whether a checkout has several."""
    for one in _checkouts(exchange):
        if isinstance(found := one.get("refunds"), list) and len(found) > 1:
            yield "in several parts"


def refund_answers(exchange: Recorded) -> Iterator[str]:
    """What the answer to a refund has."""
    if exchange.operation is not None and exchange.operation.id == "refundCheckout" and exchange.is_success:
        answer = _object(exchange.json)
        yield "checkout, refund" if {"checkout", "refund"} <= set(answer) else "a checkout"


def times(exchange: Recorded) -> Iterator[str]:
    """How exact the time of a creation is."""
    yield from (told for one in _checkouts(exchange) if (told := fraction(str(one.get("createdAt")))))


def retry_headers(exchange: Recorded) -> Iterator[str]:
    """What a 429 says of when to try again."""
    if exchange.operation is not None and exchange.status == 429:
        named = [name for name in exchange.response_headers if name == "retry-after" or "ratelimit" in name]
        yield from named or ["none"]


def _object(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, dict) else {}


def _created(exchange: Recorded) -> Mapping[str, Any] | None:
    is_created = exchange.operation is not None and exchange.operation.id == "createCheckout" and exchange.is_success
    return _object(exchange.json) if is_created and isinstance(exchange.body, dict) else None


def _checkouts(exchange: Recorded) -> Iterator[Mapping[str, Any]]:
    if exchange.operation is None or not exchange.is_success:
        return
    answer = _object(exchange.json)
    listed = answer.get("checkouts")
    for one in listed if isinstance(listed, list) else [answer.get("checkout", answer)]:
        if isinstance(one, dict) and "status" in one:
            yield one


PROBES: Final[dict[str, Probe]] = {
    probe.__name__: probe
    for probe in (
        default_expiry,
        currencies,
        default_network,
        missing_checkout,
        idempotency_conflict,
        error_forms,
        with_transaction_hash,
        deactivated,
        refunds,
        refund_answers,
        times,
        retry_headers,
    )
}
