"""
What is read and written inside a transaction, each time as one statement or two. Time comes in as an argument, and is
that of the database: what one host writes, others compare.

Safety rests on two things only, and on no clock: an event's row can be inserted once, and be made `done` once, by whom
its lease names. Both happen in the transaction of the work itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import RowMapping, Table, case, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from coinbase_checkouts.errors import TransactionError
from coinbase_checkouts.retries import RetryPolicy, backoff_s
from coinbase_checkouts.webhooks import Event, short
from coinbase_checkouts_api.models import EventType

from . import order
from .clocks import Moment
from .settings import number, whole
from .tables import DEAD, DONE, WAITING, Tables
from .transactions import INSERT, Bind, connection_of

Keep = Literal["never", "until done", "always"]

# Of an id that is signed. The older X-Hook0-Id is not taken: beside it anybody could put an X-Event-Id.
_ID_HEADER: Final = "x-event-id"
_LOST: Final = (
    "inbox: commit() or rollback() was called within the work, or a statement of it failed and its exception was "
    "caught, so it would not be committed with the note that it is done: leave commit and rollback to the block, "
    "and put begin_nested() around what may fail"
)


@dataclass(frozen=True, slots=True)
class Policy:
    """
    How often and how long a worker tries.

    Attributes:
        attempts: After so many an event is dead. One that ends its process counts, too.
        base_s: The first wait between attempts is a random part of this, each next one of twice as much.
        cap_s: No wait is longer.
        lease_s: After this an event whose worker is gone is taken up by another. Work may take longer: who is at
            work holds a lock as well.
        poll_s: How often a worker looks that has nothing to do.

    Raises:
        ConfigurationError: One of them is no number, or means no attempt, or one without end.
    """

    attempts: int = 12
    base_s: float = 5.0
    cap_s: float = 3600.0
    lease_s: float = 60.0
    poll_s: float = 1.0

    def __post_init__(self) -> None:
        whole("inbox.Policy: attempts", self.attempts)
        for name, zero in (("base_s", True), ("cap_s", True), ("lease_s", False), ("poll_s", False)):
            number(f"inbox.Policy: {name}", getattr(self, name), zero=zero)


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that a worker has the lease of; *attempt* is 1 for the first."""

    key: str
    lease: str
    attempt: int
    received_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A dead event: all attempts failed, and somebody has to look.

    Attributes:
        key: For `requeue`.
        checkout_id: None where the payload named none.
        last_error: Class of the last exception; None if each attempt ended with its process.
        received: Unix seconds.
    """

    key: str
    checkout_id: str | None
    event_type: str
    attempts: int
    last_error: str | None
    received: float


@dataclass(frozen=True, slots=True)
class Counts:
    """
    How many events are not done.

    Attributes:
        waiting: For a worker, whatever the reason.
        dead: Given up.
        oldest_s: For how long the oldest waiting one has been here; 0 without any. The one to be alarmed by.
    """

    waiting: int = 0
    dead: int = 0
    oldest_s: float = 0.0


class Ledger:
    """The statements on one pair of tables."""

    def __init__(self, tables: Tables, keep: Keep) -> None:
        self._events, self._checkouts = tables.events, tables.checkouts
        self._keep = keep

    def record(
        self, bind: Bind, event: Event, now_ms: Moment, *, state: Literal["waiting", "done"], others: Sequence[str] = ()
    ) -> bool:
        """
        Write *event* down; false if it is there already.

        Args:
            others: Keys of events that this one stands for. It is there if one of them is, and they are afterwards.

        Where another transaction is just doing the same, this waits for its end.
        """
        kept = state == WAITING or self._keep == "always"
        row: dict[str, Any] = {
            "key": event.content_key,
            "event_id": short(event.event_id) if event.event_id and _ID_HEADER in event.signed_headers else None,
            "checkout_id": _checkout_id(event),
            "event_type": short(event.event_type),
            "position": order.position(event),
            "state": state,
            "received_ms": now_ms,
            "due_ms": now_ms,
            "done_ms": now_ms if state == DONE else None,
            "attempts": 1 if state == DONE else 0,
            "delivery": _delivery(event) if kept else None,
            "body": (_reduced(event) if self._keep == "never" else event.body) if kept else None,
        }
        # Whose keys they are was done with this one, and there is nothing to do for them.
        empty = {"state": DONE, "done_ms": now_ms, "event_id": None, "delivery": None, "body": None}
        rows = [row, *({**row, **empty, "key": other} for other in others)]
        written = self._insert(bind, self._events).values(sorted(rows, key=lambda one: str(one["key"])))
        keys = bind.execute(written.on_conflict_do_nothing().returning(self._events.c.key)).scalars().all()
        fresh = len(keys) == len(rows)
        if keys and not fresh:
            bind.execute(delete(self._events).where(self._events.c.key.in_(keys)))
        if fresh and state == DONE:
            self._acting(bind, row["checkout_id"], row["position"], now_ms)
        return fresh

    def is_news(self, bind: Bind, event: Event) -> bool:
        """Whether nothing newer was acted on, as this transaction sees it."""
        c = self._checkouts.c
        newest = bind.execute(select(c.newest).where(c.checkout_id == _checkout_id(event))).scalar()
        return newest is None or newest <= order.position(event)

    def claim(self, bind: Bind, policy: Policy, now_ms: Moment, lease: str) -> Taken | Letter | None:
        """
        Take the lease of the event that is due for longest; None if none is. A Letter: it has just died.

        Not one of a checkout whose other event is being worked at, or tells of an older state and is not done yet.
        """
        c, other = self._events.c, self._events.alias("other").c
        in_the_way = exists().where(
            other.checkout_id == c.checkout_id,
            other.state == WAITING,
            other.key != c.key,
            or_(
                tuple_(other.position, other.key) < tuple_(c.position, c.key),
                other.lease.is_not(None) & (other.due_ms > now_ms),
            ),
        )
        due = select(self._events).where(c.state == WAITING, c.due_ms <= now_ms, ~in_the_way)
        # SQLite knows no FOR UPDATE, and has one writer.
        due = due.order_by(c.due_ms, c.position, c.key).limit(1).with_for_update(skip_locked=True)
        row = bind.execute(due).mappings().first()
        if row is None:
            return None
        this = update(self._events).where(c.key == row["key"])
        if row["attempts"] >= policy.attempts:
            # Its last worker did not live to say so.
            bind.execute(this.values(state=DEAD, lease=None))
            return _letter(row)
        attempt = row["attempts"] + 1
        bind.execute(this.values(lease=lease, due_ms=now_ms + _ms(policy.lease_s), attempts=attempt))
        return Taken(row["key"], lease, attempt, row["received_ms"], _event(row))

    def begin(self, bind: Bind, taken: Taken, now_ms: Moment) -> bool:
        """
        Make it done, before the work that this transaction is for; false if the lease has gone to another.

        From here on this transaction has the locks of the event and its checkout.
        """
        c = self._events.c
        values: dict[str, Any] = {"state": DONE, "done_ms": now_ms, "lease": None, "last_error": None}
        if self._keep != "always":
            values |= {"body": None, "delivery": None}
        held = update(self._events).where(c.key == taken.key, c.lease == taken.lease, c.state == WAITING)
        row = bind.execute(held.values(values).returning(c.checkout_id, c.position)).first()
        if row is not None:
            self._acting(bind, row.checkout_id, row.position, now_ms)
        return row is not None

    def confirm(self, bind: Bind, key: str) -> None:
        """
        Look whether the transaction that made it done goes on, after the work and before the commit.

        Its own note is asked for: nobody else sees that yet, so who does not is in another transaction, or in none.

        Raises:
            TransactionError: It was ended, or the database takes no more statements in it.
        """
        c = self._events.c
        # What a Session has yet to write, it writes at the commit, which fails by itself.
        without_writing = bind.no_autoflush if isinstance(bind, Session) else nullcontext()
        try:
            with without_writing:
                state = bind.execute(select(c.state).where(c.key == key)).scalar()
        except (OperationalError, InterfaceError):
            raise
        except SQLAlchemyError as exc:
            raise TransactionError(_LOST) from exc
        if state != DONE:
            raise TransactionError(_LOST)

    def fail(self, bind: Bind, taken: Taken, policy: Policy, now_ms: Moment, *, error: str, draw: float) -> str | None:
        """
        Give the lease back; the state that the event is in then, or None if the lease has gone to another.

        Args:
            draw: Uniform in [0, 1): when to try again.
        """
        c = self._events.c
        backoff = RetryPolicy(base_s=policy.base_s, cap_s=policy.cap_s)
        state = DEAD if taken.attempt >= policy.attempts else WAITING
        due_ms = now_ms + _ms(backoff_s(taken.attempt, backoff, draw=draw))
        held = update(self._events).where(c.key == taken.key, c.lease == taken.lease, c.state == WAITING)
        values = held.values(state=state, due_ms=due_ms, lease=None, last_error=short(error)).returning(c.key)
        return None if bind.execute(values).first() is None else state

    def release(self, bind: Bind, taken: Taken, now_ms: Moment) -> str:
        """Give the lease back at once; the attempt counts none. The state that the event is in then."""
        c = self._events.c
        held = update(self._events).where(c.key == taken.key, c.lease == taken.lease, c.state == WAITING)
        bind.execute(held.values(due_ms=now_ms, lease=None, attempts=taken.attempt - 1))
        return WAITING

    def dead(self, bind: Bind, limit: int) -> list[Letter]:
        """The dead events, oldest first."""
        c = self._events.c
        query = select(self._events).where(c.state == DEAD).order_by(c.received_ms, c.key).limit(limit)
        return [_letter(row) for row in bind.execute(query).mappings()]

    def requeue(self, bind: Bind, keys: tuple[str, ...], now_ms: Moment) -> int:
        """Give dead events all attempts again, these or, without any, all; how many there were."""
        c = self._events.c
        dead = update(self._events).where(c.state == DEAD)
        if keys:
            dead = dead.where(c.key.in_(keys))
        rows = bind.execute(dead.values(state=WAITING, attempts=0, due_ms=now_ms).returning(c.key))
        return len(rows.all())

    def prune(self, bind: Bind, before_ms: Moment) -> int:
        """Forget what was done before then; how many events that were."""
        c, checkout = self._events.c, self._checkouts.c
        rows = bind.execute(delete(self._events).where(c.state == DONE, c.done_ms < before_ms).returning(c.key)).all()
        left = exists().where(c.checkout_id == checkout.checkout_id)
        bind.execute(delete(self._checkouts).where(checkout.acted_ms < before_ms, ~left))
        return len(rows)

    def counts(self, bind: Bind, now_ms: Moment) -> Counts:
        """How many events are not done; the others may be millions, and are not looked at."""
        c = self._events.c
        query = select(c.state, func.count(), now_ms - func.min(c.received_ms)).where(c.state.in_([WAITING, DEAD]))
        found = {state: (count, oldest_ms) for state, count, oldest_ms in bind.execute(query.group_by(c.state))}
        waiting, oldest_ms = found.get(WAITING, (0, 0))
        dead, _ = found.get(DEAD, (0, 0))
        return Counts(waiting=waiting, dead=dead, oldest_s=max(0, oldest_ms) / 1000)

    def _acting(self, bind: Bind, checkout_id: str | None, position: str, now_ms: Moment) -> None:
        """Take the lock of the checkout, and note how new what is acted on is."""
        if checkout_id is None:
            return
        c = self._checkouts.c
        values = {"checkout_id": checkout_id, "newest": position, "acted_ms": now_ms}
        insert = self._insert(bind, self._checkouts).values(values)
        later = case((c.newest < insert.excluded.newest, insert.excluded.newest), else_=c.newest)
        bind.execute(
            insert.on_conflict_do_update(index_elements=[c.checkout_id], set_={"newest": later, "acted_ms": now_ms})
        )

    def _insert(self, bind: Bind, table: Table) -> Any:
        # One of two classes that share what is used of them, and no base that has it.
        return INSERT[connection_of(bind).dialect.name](table)


def _checkout_id(event: Event) -> str | None:
    given = event.raw.get("id")
    return short(given) if isinstance(given, str) and given else None


def _delivery(event: Event) -> str:
    """What an Event has beside its body. ASCII, for a header may hold what no database takes."""
    return json.dumps([event.event_id, event.timestamp, event.scheme, *event.signed_headers])


def _reduced(event: Event) -> bytes:
    """Of the body, what says which event it is and how new, and nothing about anybody."""
    names = ("id", "eventType", "status", "createdAt", "updatedAt")
    reduced = {name: event.raw[name] for name in names if isinstance(event.raw.get(name), str)}
    if isinstance(refunds := event.raw.get("refunds"), list):
        given = [refund if isinstance(refund, dict) else {} for refund in refunds]
        reduced["refunds"] = [{name: refund.get(name) for name in ("id", "status")} for refund in given]
    return json.dumps(reduced).encode()


def _event(row: RowMapping) -> Event:
    """The event of a row that has its body."""
    # psycopg2 has a memoryview.
    body = bytes(row["body"])
    raw = json.loads(body)
    event_id, timestamp, scheme, *signed = json.loads(row["delivery"])
    kind = raw.get("eventType")
    return Event(
        event_type=EventType(kind if isinstance(kind, str) else ""),
        event_id=event_id,
        timestamp=timestamp,
        scheme=scheme,
        signed_headers=tuple(signed),
        raw=raw,
        body=body,
    )


def _letter(row: RowMapping) -> Letter:
    told = {name: row[name] for name in ("key", "checkout_id", "event_type", "attempts", "last_error")}
    return Letter(**told, received=row["received_ms"] / 1000)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
