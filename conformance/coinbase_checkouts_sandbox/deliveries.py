"""
Deliveries as they are kept: which are due, who sends them, what came of each attempt, and when the next one is.

Times are the sandbox's, so moving its clock by a day makes a day's retries due. A delivery that is being sent is leased
in real time: if the sender dies it is free again and will be sent once more, so it may arrive twice but never not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from coinbase_checkouts_sandbox import mischief
from coinbase_checkouts_sandbox.mischief import Trick
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import ATTEMPTS, DELIVERIES, EVENTS, SUBSCRIPTIONS

# Seconds before each retry; the last one repeats. Source: hook0, the engine's own defaults, without their jitter since a
# sandbox does the same every time. That Coinbase runs it so is assumed: its settings are not published.
DELAYS_S: Final = (3, 10, 180, 1800, 3600, 10800, 18000, 36000)
MOST_RETRIES: Final = 24

# Longer than any attempt takes, the writing of its outcome included.
LEASE_MS: Final = 20_000

# Attempts shown of one delivery, the last ones.
_MOST_ATTEMPTS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A delivery that was taken to be sent, once, by whoever holds this."""

    delivery_id: str
    number: int
    """1 for the first attempt."""
    at_ms: int
    scheduled: bool
    """False for a sending beyond the schedule."""
    subscription_id: str
    event_id: str
    event_type: str
    body: bytes = field(repr=False)
    target: Mapping[str, Any] = field(repr=False)
    secret: str = field(repr=False)
    trick: Trick | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt."""

    http_code: int | None
    elapsed_ms: int
    body: str | None
    """The beginning of the answer."""
    error_name: str | None
    """None if there was an answer."""

    @property
    def good(self) -> bool:
        """Source: hook0. Any 2xx, and nothing else."""
        return self.error_name is None and self.http_code is not None and 200 <= self.http_code < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, as the log tells it."""

    number: int
    at_ms: int
    http_code: int | None
    elapsed_ms: int
    response_body: str | None
    error_name: str | None
    mischief: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery, as the log tells it."""

    id: str
    event_id: str
    event_type: str
    checkout_id: str
    refund_id: str | None
    subscription_id: str
    url: str | None
    """None if the subscription is gone."""
    state: str
    held: bool
    created_ms: int
    due_ms: int | None
    succeeded_ms: int | None
    attempts: tuple[Attempt, ...]
    """The last ones, oldest first."""
    attempt_count: int


def delay_ms(failures: int) -> int | None:
    """
    From an attempt's due time to that of the next; None if there is none.

    Args:
        failures: How many attempts have failed; 1 or more.
    """
    if failures > MOST_RETRIES:
        return None
    return DELAYS_S[min(failures, len(DELAYS_S)) - 1] * 1000


def claim(transaction: Transaction, *, now_ms: int, real_ms: int, most: int) -> list[Parcel]:
    """
    Take up to *most* deliveries to send now; nobody else gets them while the lease lasts.

    Of one checkout to one subscription only one is under way at a time, so that they arrive in the order of events
    unless one fails, or mischief is asked for.
    """
    parcels: list[Parcel] = []
    at_work = mischief.at_work(transaction)
    while len(parcels) < most:
        query = _sendable(now_ms, real_ms).order_by(DELIVERIES.c.due_ms, DELIVERIES.c.number, DELIVERIES.c.id)
        query = query.limit(most - len(parcels))
        lines: set[tuple[str, str]] = set()
        again = False
        for row in transaction.read(query).all():
            if (row.subscription_id, row.checkout_id) in lines:
                continue
            parcel = _taken(transaction, row, now_ms=now_ms, real_ms=real_ms, at_work=at_work)
            if parcel is None:
                # Held back or dropped, which makes room for another.
                again = True
                continue
            lines.add((row.subscription_id, row.checkout_id))
            parcels.append(parcel)
        if not again:
            break
    return parcels


def _taken(transaction: Transaction, row: Row[Any], *, now_ms: int, real_ms: int, at_work: bool) -> Parcel | None:
    scheduled = row.is_enabled and row.due_ms is not None and row.due_ms <= now_ms and row.hold in {None, "released"}
    trick = None
    if at_work and scheduled and row.hold is None:
        trick = mischief.take(transaction, subscription_id=row.subscription_id, event_type=row.type)
    kind = trick.kind if trick else None
    if kind == "reorder":
        _set(transaction, row.id, hold="held")
        return None
    parcel = Parcel(
        delivery_id=row.id,
        number=row.attempts + 1,
        at_ms=now_ms,
        scheduled=scheduled,
        subscription_id=row.subscription_id,
        event_id=row.event_id,
        event_type=row.type,
        body=bytes(row.body),
        target=row.target,
        secret=row.secret,
        trick=trick,
    )
    if kind == "drop":
        _log(transaction, parcel, Outcome(http_code=None, elapsed_ms=0, body=None, error_name="dropped"))
        _set(transaction, row.id, attempts=parcel.number, state="failed", due_ms=None)
        return None
    changes: dict[str, Any] = {"attempts": parcel.number, "leased_ms": real_ms + LEASE_MS}
    if scheduled:
        changes |= {"state": "processing", "hold": None}
    if kind == "duplicate":
        changes["extra"] = row.extra + 1
    _set(transaction, row.id, **changes)
    if at_work and scheduled and row.hold is None:
        # It is the next one, which what is held back has to wait for.
        held = and_(DELIVERIES.c.subscription_id == row.subscription_id, DELIVERIES.c.hold == "held")
        transaction.write(update(DELIVERIES).where(held).values(hold=row.id))
    return parcel


def record(transaction: Transaction, parcel: Parcel, outcome: Outcome, *, now_ms: int) -> None:
    """Write down what came of an attempt, and what follows from it."""
    row = transaction.read(select(DELIVERIES).where(DELIVERIES.c.id == parcel.delivery_id)).one_or_none()
    if row is None:
        # Everything was reset meanwhile.
        return
    _log(transaction, parcel, outcome)
    transaction.write(update(DELIVERIES).where(DELIVERIES.c.hold == parcel.delivery_id).values(hold="released"))
    if row.attempts != parcel.number:
        # It took longer than its lease, and somebody else has taken over.
        return
    changes: dict[str, Any] = {"leased_ms": None}
    if not parcel.scheduled:
        changes["extra"] = row.extra - 1
    if outcome.good:
        changes |= {"state": "succeeded", "due_ms": None, "succeeded_ms": row.succeeded_ms or now_ms}
    elif parcel.scheduled and row.due_ms is not None:
        failures = row.failures + 1
        wait_ms = delay_ms(failures)
        changes |= {
            "failures": failures,
            "state": "failed" if wait_ms is None else "retrying",
            # From when it was due and not from now: however late this runs, a moved clock finds the same times.
            "due_ms": None if wait_ms is None else row.due_ms + wait_ms,
        }
    _set(transaction, row.id, **changes)
    transaction.rings = True


def give_back(transaction: Transaction, parcel: Parcel) -> None:
    """End the lease of a delivery whose attempt was broken off, so that it need not run out first."""
    transaction.write(
        update(DELIVERIES)
        .where(DELIVERIES.c.id == parcel.delivery_id, DELIVERIES.c.attempts == parcel.number)
        .values(leased_ms=None)
    )


def redeliver(transaction: Transaction, delivery_id: str) -> bool:
    """
    Have a delivery sent once more, beside its schedule. If that succeeds, what is left of the schedule is not needed.

    Returns:
        Whether there is such a delivery, to a subscription that still exists.
    """
    there = exists().where(SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id)
    statement = update(DELIVERIES).where(DELIVERIES.c.id == delivery_id, there).values(extra=DELIVERIES.c.extra + 1)
    found = transaction.write(statement).rowcount > 0
    transaction.rings = transaction.rings or found
    return found


def abandon(transaction: Transaction, subscription_id: str) -> None:
    """Give up what was still to be sent to a subscription that is being deleted."""
    mine = DELIVERIES.c.subscription_id == subscription_id
    transaction.write(
        update(DELIVERIES).where(mine, DELIVERIES.c.due_ms.is_not(None)).values(state="failed", due_ms=None, hold=None)
    )
    transaction.write(update(DELIVERIES).where(mine, DELIVERIES.c.extra > 0).values(extra=0))


def next_due_ms(transaction: Transaction) -> int | None:
    """
    When there will be something to send by the clock alone; None if there is nothing.

    Past for what is due, and for what another process has under way.
    """
    query = select(func.min(DELIVERIES.c.due_ms)).join(
        SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id
    )
    moment: int | None = transaction.read(query.where(SUBSCRIPTIONS.c.is_enabled, _not_held())).scalar_one()
    return moment


def sendable(transaction: Transaction, *, now_ms: int, real_ms: int) -> bool:
    """Whether there is anything to claim."""
    return transaction.read(_sendable(now_ms, real_ms).limit(1)).first() is not None


def unfinished(transaction: Transaction, *, now_ms: int, real_ms: int) -> bool:
    """Whether anything can be claimed, or is being sent by anybody."""
    leased = select(DELIVERIES.c.id).where(_leased(DELIVERIES, real_ms)).limit(1)
    return sendable(transaction, now_ms=now_ms, real_ms=real_ms) or transaction.read(leased).first() is not None


def counts(transaction: Transaction) -> dict[str, int]:
    """How many deliveries are in each state, and how many are held back."""
    query = select(DELIVERIES.c.state, func.count().label("number")).group_by(DELIVERIES.c.state)
    found = dict.fromkeys(("pending", "processing", "retrying", "succeeded", "failed"), 0)
    found |= {row.state: row.number for row in transaction.read(query)}
    held = select(func.count()).select_from(DELIVERIES).where(~_not_held())
    return {**found, "held": transaction.read(held).scalar_one()}


def recent(transaction: Transaction, limit: int, *conditions: ColumnElement[bool]) -> list[Delivery]:
    """
    The log, newest first.

    Args:
        conditions: On DELIVERIES and EVENTS.
    """
    query = (
        select(DELIVERIES, EVENTS.c.type, EVENTS.c.refund_id, SUBSCRIPTIONS.c.target)
        .join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id)
        .outerjoin(SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id)
        .where(*conditions)
        .order_by(DELIVERIES.c.created_ms.desc(), DELIVERIES.c.number.desc(), DELIVERIES.c.id)
        .limit(limit)
    )
    rows = transaction.read(query).all()
    tried = _attempts(transaction, [row.id for row in rows])
    return [
        Delivery(
            id=row.id,
            event_id=row.event_id,
            event_type=row.type,
            checkout_id=row.checkout_id,
            refund_id=row.refund_id,
            subscription_id=row.subscription_id,
            url=row.target["url"] if row.target else None,
            state=row.state,
            held=row.hold not in {None, "released"},
            created_ms=row.created_ms,
            due_ms=row.due_ms,
            succeeded_ms=row.succeeded_ms,
            attempts=tuple(tried.get(row.id, ())),
            attempt_count=row.attempts,
        )
        for row in rows
    ]


def _attempts(transaction: Transaction, delivery_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    if not delivery_ids:
        return {}
    query = select(ATTEMPTS).where(ATTEMPTS.c.delivery_id.in_(delivery_ids)).order_by(ATTEMPTS.c.number)
    found: dict[str, list[Attempt]] = {}
    for row in transaction.read(query).mappings():
        values = dict(row)
        found.setdefault(values.pop("delivery_id"), []).append(Attempt(**values))
    return {delivery_id: attempts[-_MOST_ATTEMPTS_SHOWN:] for delivery_id, attempts in found.items()}


def _sendable(now_ms: int, real_ms: int) -> Select[Any]:
    """With all that is needed to send."""
    # Once for the whole query, by its small index: told of each row, it would be looked for among all of a subscription.
    other = DELIVERIES.alias("other")
    under_way = select(other.c.subscription_id, other.c.checkout_id).where(_leased(other, real_ms))
    line = tuple_(DELIVERIES.c.subscription_id, DELIVERIES.c.checkout_id)
    due = and_(DELIVERIES.c.due_ms <= now_ms, _not_held(), SUBSCRIPTIONS.c.is_enabled)
    return (
        select(
            DELIVERIES,
            EVENTS.c.type,
            EVENTS.c.body,
            SUBSCRIPTIONS.c.target,
            SUBSCRIPTIONS.c.secret,
            SUBSCRIPTIONS.c.is_enabled,
        )
        .join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id)
        .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id)
        .where(or_(due, DELIVERIES.c.extra > literal_column("0")), line.not_in(under_way))
    )


def _leased(table: FromClause, real_ms: int) -> ColumnElement[bool]:
    # No further ahead than a lease lasts: such a one is from before the machine's clock was set back, or restored.
    return and_(table.c.leased_ms > real_ms, table.c.leased_ms <= real_ms + LEASE_MS)


def _not_held() -> ColumnElement[bool]:
    return or_(DELIVERIES.c.hold.is_(None), DELIVERIES.c.hold == "released")


def _log(transaction: Transaction, parcel: Parcel, outcome: Outcome) -> None:
    row = {
        "delivery_id": parcel.delivery_id,
        "number": parcel.number,
        "at_ms": parcel.at_ms,
        "http_code": outcome.http_code,
        "elapsed_ms": outcome.elapsed_ms,
        "response_body": outcome.body,
        "error_name": outcome.error_name,
        "mischief": str(parcel.trick) if parcel.trick else None,
    }
    transaction.write(insert(ATTEMPTS), [row])


def _set(transaction: Transaction, delivery_id: str, **values: Any) -> None:
    transaction.write(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(**values))
