"""
Events: what happened to a checkout, kept in the transaction in which it happened, to be delivered afterwards.

So a change that was committed has its deliveries, whatever ends this process in between, and one that was undone has
none.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import func, insert, literal_column, select

from coinbase_checkouts_sandbox import checkouts
from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import CHECKOUTS, DELIVERIES, EVENTS, SUBSCRIPTIONS
from coinbase_checkouts_sandbox.world import World, checkout_answer

# By the status that a payment or a refund came to. Source: webhooks. Nothing is sent for other changes: no event of
# creation, of PROCESSING or of deactivation is published.
PAYMENT: Final = {
    "COMPLETED": "checkout.payment.success",
    "FAILED": "checkout.payment.failed",
    "EXPIRED": "checkout.payment.expired",
}
REFUND: Final = {"COMPLETED": "checkout.refund.success", "FAILED": "checkout.refund.failed"}
TYPES: Final = frozenset({*PAYMENT.values(), *REFUND.values()})

# An index covers these rows only, and a parameter in its place would hide that from the planner.
_ACTIVE: Final = CHECKOUTS.c.status == literal_column("'ACTIVE'")

# Expirations in one statement.
_BATCH: Final = 500


def emit(
    transaction: Transaction,
    world: World,
    event_type: str,
    checkout: Mapping[str, Any],
    *,
    refund_id: str | None = None,
    now_ms: int,
) -> None:
    """
    Keep an event, and a delivery of it for each enabled subscription that lists its type at this moment.

    Args:
        checkout: As the API answers it after the change.
        refund_id: Of the refund it is about, if it is about one.
    """
    _emit_all(transaction, world, [(event_type, checkout, refund_id, now_ms)])


def paid(transaction: Transaction, world: World, checkout: Mapping[str, Any], now_ms: int) -> None:
    """The event of a payment that came to an end, from the checkout's status; none if it has not yet."""
    if checkout["status"] in PAYMENT:
        emit(transaction, world, PAYMENT[checkout["status"]], checkout, now_ms=now_ms)


def expire(transaction: Transaction, world: World, now_ms: int, *, most: int | None = None) -> int:
    """
    Write down what time alone has done: ACTIVE checkouts that are past their expiresAt become EXPIRED, each with its event.

    Reading does not need it (see as_of); webhooks do. The event is of the moment of expiry, however late it is noticed.

    Args:
        most: How many at most; None: all.

    Returns:
        How many there were.
    """
    done = 0
    while most is None or done < most:
        limit = _BATCH if most is None else min(_BATCH, most - done)
        query = select(CHECKOUTS).where(_ACTIVE, CHECKOUTS.c.expires_ms <= now_ms)
        query = query.order_by(CHECKOUTS.c.expires_ms, CHECKOUTS.c.id).limit(limit)
        rows = [Checkout(**row) for row in transaction.read(query).mappings()]
        if not rows:
            break
        expired = [checkouts.as_of(row, now_ms) for row in rows]
        for checkout in expired:
            transaction.save_checkout(checkout)
        _emit_all(
            transaction,
            world,
            [(PAYMENT["EXPIRED"], checkout_answer(one, []), None, one.expires_ms) for one in expired],
        )
        done += len(rows)
    return done


def next_expiry_ms(transaction: Transaction) -> int | None:
    """When the next checkout expires; None if none will. May be past."""
    moment: int | None = transaction.read(select(func.min(CHECKOUTS.c.expires_ms)).where(_ACTIVE)).scalar_one()
    return moment


def _emit_all(
    transaction: Transaction, world: World, happened: Iterable[tuple[str, Mapping[str, Any], str | None, int]]
) -> None:
    """Events of a type, a checkout, perhaps a refund, and a time, in the order in which they happened."""
    listeners = _listeners(transaction)
    number = transaction.read(select(func.coalesce(func.max(DELIVERIES.c.number), 0))).scalar_one()
    events: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for event_type, checkout, refund_id, now_ms in happened:
        event = {
            "id": world.uuid(),
            "type": event_type,
            "checkout_id": checkout["id"],
            "refund_id": refund_id,
            "created_ms": now_ms,
            "body": body(event_type, checkout),
        }
        events.append(event)
        for subscription_id in listeners.get(event_type, ()):
            number += 1
            deliveries.append(
                {
                    "id": world.uuid(),
                    "number": number,
                    "event_id": event["id"],
                    "subscription_id": subscription_id,
                    "checkout_id": checkout["id"],
                    "created_ms": now_ms,
                    "state": "pending",
                    "due_ms": now_ms,
                    "attempts": 0,
                    "failures": 0,
                    "extra": 0,
                }
            )
    transaction.write(insert(EVENTS), events)
    if deliveries:
        transaction.write(insert(DELIVERIES), deliveries)
        transaction.rings = True


def body(event_type: str, checkout: Mapping[str, Any]) -> bytes:
    """What is signed and sent. Source: webhooks; the checkout itself with one more field, and no envelope."""
    content = {**checkout, "eventType": event_type}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _listeners(transaction: Transaction) -> dict[str, list[str]]:
    """Ids of the enabled subscriptions by the types they list; a type listed twice is still one delivery."""
    found: dict[str, list[str]] = {}
    query = select(SUBSCRIPTIONS.c.id, SUBSCRIPTIONS.c.event_types).where(SUBSCRIPTIONS.c.is_enabled)
    for row in transaction.read(query.order_by(SUBSCRIPTIONS.c.created_ms, SUBSCRIPTIONS.c.id)):
        for event_type in dict.fromkeys(row.event_types):
            found.setdefault(event_type, []).append(row.id)
    return found
