"""
What must have happened to a checkout, from how it is now: the events of which deliveries would have told. No I/O.

Each is made as it would have been then, as far as the present tells, so that a handler need not know where it comes
from: the payment of a checkout that was refunded since is COMPLETED, and the first of two refunds knows nothing of the
second. The last one is the present itself.

Source: rules checkout.status-changes and refund.status-changes in spec/openapi.yaml. A payment ends once, and so does
each refund; nothing is told of creation, PROCESSING and deactivation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import Any, Final, NamedTuple

from coinbase_checkouts.webhooks import Event, short
from coinbase_checkouts_api.models import Checkout, CheckoutStatus, EventType, Refund, RefundStatus

REFUNDED: Final = (CheckoutStatus.PARTIALLY_REFUNDED, CheckoutStatus.REFUNDED)
_PAYMENTS: Final = {
    CheckoutStatus.COMPLETED: EventType.CHECKOUT_PAYMENT_SUCCESS,
    CheckoutStatus.FAILED: EventType.CHECKOUT_PAYMENT_FAILED,
    CheckoutStatus.EXPIRED: EventType.CHECKOUT_PAYMENT_EXPIRED,
    **dict.fromkeys(REFUNDED, EventType.CHECKOUT_PAYMENT_SUCCESS),
}
TOLD_OF: Final = tuple(_PAYMENTS)
"""The statuses that events tell of."""
_REFUNDS: Final = {
    RefundStatus.COMPLETED: EventType.CHECKOUT_REFUND_SUCCESS,
    RefundStatus.FAILED: EventType.CHECKOUT_REFUND_FAILED,
}
# Of a checkout with so many refunds of one outcome, 2 to the power of this is how many keys are made.
_MANY: Final = 8


class Ended(NamedTuple):
    """A refund, and when it ended: not before, not after."""

    id: str
    earliest_ms: int
    latest_ms: int


@dataclass(frozen=True, slots=True)
class Past:
    """
    One thing that happened.

    Attributes:
        event: As a delivery would have told it.
        earliest_ms: It was not before.
        latest_ms: It was not after; None for now.
        alike: The checkout's refunds that ended so, if it is one of them.
        number: Which of them it is, from 1.
    """

    event: Event
    earliest_ms: int
    latest_ms: int | None
    alike: tuple[Ended, ...] = ()
    number: int = 0

    @property
    def key(self) -> str:
        """What it is known by."""
        return self.event.content_key

    @property
    def others(self) -> tuple[str, ...]:
        """
        What else it may be known by, if it was delivered.

        Which refund ended before which other is known from times that may be equal or, as that of a failure always is,
        missing. So the second of three that failed may be any two of them.
        """
        if not 1 < len(self.alike) <= _MANY:
            return ()
        about = (self.event.checkout.id, self.event.event_type)
        sets = (first for first in combinations(self.alike, self.number) if _may_be_first(first, self.alike))
        keys = (short(*about, *sorted(ended.id for ended in first)) for first in sets)
        return tuple(key for key in keys if key != self.key)


def history(checkout: Checkout, *, now_s: float) -> list[Past]:
    """What deliveries would have told of *checkout*, oldest first; nothing of one that is still to be decided."""
    kind = _PAYMENTS.get(checkout.status)
    if kind is None:
        return []
    refunds = list(checkout.refunds or ())
    settled = sorted((refund for refund in refunds if refund.status in _REFUNDS), key=_ended_ms)
    ended = [_refund(checkout, settled, number, now_s) for number in range(1, len(settled) + 1)]
    return [_payment(checkout, kind, refunds, now_s), *ended]


def _payment(checkout: Checkout, kind: EventType, refunds: Sequence[Refund], now_s: float) -> Past:
    created_ms, updated_ms = milliseconds(checkout.created_at), milliseconds(checkout.updated_at)
    raw = checkout.to_dict()
    earliest_ms, latest_ms = created_ms, None
    if refunds and kind is EventType.CHECKOUT_PAYMENT_SUCCESS:
        first = min(refunds, key=lambda refund: milliseconds(refund.created_at))
        latest_ms = milliseconds(first.created_at)
        # It was paid by then; when, nothing tells any more.
        raw |= {"status": CheckoutStatus.COMPLETED.value, "updatedAt": first.to_dict()["createdAt"]}
        raw.pop("refunds")
        raw.pop("refundedAmount", None)
    elif updated_ms > created_ms:
        # A published sample is FAILED and says that it was never updated.
        earliest_ms = latest_ms = updated_ms
    event = _event(kind, raw, now_s)
    return Past(event, earliest_ms, latest_ms)


def _refund(checkout: Checkout, settled: Sequence[Refund], number: int, now_s: float) -> Past:
    """That the one of this number ended, from 1."""
    before, refund = settled[:number], settled[number - 1]
    kind = _REFUNDS[refund.status]
    event = _event(kind, checkout.to_dict() if number == len(settled) else _as_of(checkout, before), now_s)
    alike = tuple(_ended(checkout, other) for other in settled if other.status == refund.status)
    which = sum(other.status == refund.status for other in before)
    return Past(event, milliseconds(refund.created_at), _ended(checkout, refund).latest_ms, alike, which)


def _ended(checkout: Checkout, refund: Refund) -> Ended:
    if refund.completed_at:
        return Ended(refund.id, milliseconds(refund.completed_at), milliseconds(refund.completed_at))
    created_ms = milliseconds(refund.created_at)
    return Ended(refund.id, created_ms, max(created_ms, milliseconds(checkout.updated_at)))


def _may_be_first(first: Sequence[Ended], of: Sequence[Ended]) -> bool:
    """Whether these may have ended before the rest."""
    begun_ms = max(one.earliest_ms for one in first)
    return all(one in first or one.latest_ms >= begun_ms for one in of)


def _as_of(checkout: Checkout, settled: Sequence[Refund]) -> dict[str, Any]:
    """The checkout when the last of *settled* had just ended: later refunds were not there, or had not ended."""
    ended = {refund.id for refund in settled}
    moment_ms = _ended_ms(settled[-1])
    there = [
        refund
        for refund in checkout.refunds or ()
        if refund.id in ended or milliseconds(refund.created_at) <= moment_ms
    ]
    told: list[dict[str, Any]] = []
    for refund in there:
        one = refund.to_dict()
        if refund.id not in ended:
            one["status"] = RefundStatus.PENDING.value
            one.pop("completedAt", None)
            one.pop("transactionHash", None)
        told.append(one)
    raw = checkout.to_dict()
    last = settled[-1].to_dict()
    raw |= {"refunds": told, "updatedAt": last.get("completedAt", last["createdAt"])}
    raw.pop("refundedAmount", None)
    back = _sum([one["amount"] for one in told if one["status"] != RefundStatus.FAILED])
    paid = _sum([checkout.amount])
    raw["status"] = CheckoutStatus.PARTIALLY_REFUNDED.value
    if back is not None and back == paid:
        raw["status"] = CheckoutStatus.REFUNDED.value
    if back == 0:
        raw["status"] = CheckoutStatus.COMPLETED.value
    elif back is not None:
        raw["refundedAmount"] = format(back, "f")
    return raw


def milliseconds(moment: datetime) -> int:
    """Since the epoch; what has no zone is UTC."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _ended_ms(refund: Refund) -> int:
    """When it ended, or if that is not told when it began."""
    return milliseconds(refund.completed_at or refund.created_at)


def _sum(amounts: Sequence[str]) -> Decimal | None:
    """None if one of them is no number."""
    try:
        return sum(map(Decimal, amounts), Decimal(0))
    except InvalidOperation:
        return None


def _event(kind: EventType, raw: dict[str, Any], now_s: float) -> Event:
    payload = {**raw, "eventType": kind.value}
    return Event(
        event_type=kind,
        event_id=None,
        timestamp=int(now_s),
        scheme="api",
        raw=payload,
        body=json.dumps(payload).encode(),
    )
