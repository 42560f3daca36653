"""
What is kept, and the transactions it is kept in. SQLAlchemy Core, so that any of its databases will do.
"""

import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Select,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.refunds import Refund
from coinbase_checkouts_sandbox.tables import ANSWERS, CHECKOUTS, REFUNDS, SANDBOX

# Every request needs these: built once, they cost a third of what building them anew does.
_CLOCK_OFFSET: Final = select(SANDBOX.c.clock_offset_ms)
_CHECKOUT: Final = select(CHECKOUTS).where(CHECKOUTS.c.id == bindparam("checkout_id"))
_LOCKED_CHECKOUT: Final = _CHECKOUT.with_for_update()


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The first answer under an idempotency key, and a digest of the request it answered."""

    fingerprint: str
    created_ms: int
    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which checkouts a listing holds. None and empty mean any."""

    statuses: frozenset[str]
    start_ms: int | None
    end_ms: int | None
    description_query: str | None


class Transaction:
    """One transaction: everything in it happens, or nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rings = False
        """Set to have the store's bell rung once this has been committed: there is something to deliver."""

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """For modules that keep tables of their own."""
        return self._connection.execute(statement, parameters)

    def clock_offset_ms(self) -> int:
        """How far the sandbox's clock is ahead of real time."""
        return int(self._connection.execute(_CLOCK_OFFSET).scalar_one())

    def advance_clock(self, milliseconds: int) -> None:
        """Move the sandbox's clock."""
        self._connection.execute(update(SANDBOX).values(clock_offset_ms=SANDBOX.c.clock_offset_ms + milliseconds))

    def checkout(self, checkout_id: str) -> Checkout | None:
        """
        The checkout as it was last written.

        Where the database has row locks, a write transaction holds one on it until its end.
        """
        query = _LOCKED_CHECKOUT if self._connection.get_execution_options().get("writes") else _CHECKOUT
        row = self._connection.execute(query, {"checkout_id": checkout_id}).mappings().one_or_none()
        return None if row is None else Checkout(**row)

    def refunds(self, checkout_ids: Collection[str]) -> list[Refund]:
        """The refunds of these checkouts; those of one checkout oldest first."""
        query = select(REFUNDS).where(REFUNDS.c.checkout_id.in_(checkout_ids)).order_by(REFUNDS.c.position)
        return [Refund(**row) for row in self._connection.execute(query).mappings()]

    def page(self, filters: Filters, *, after: tuple[int, str] | None, limit: int, now_ms: int) -> list[Checkout]:
        """
        Checkouts as last written, newest first.

        Args:
            after: created_ms and id of the one before the first.
            now_ms: An ACTIVE one whose time is up by then counts as EXPIRED.
        """
        query = _matching(filters, now_ms)
        created, identity = CHECKOUTS.c.created_ms, CHECKOUTS.c.id
        if after is not None:
            query = query.where(tuple_(created, identity) < after)
        query = query.order_by(created.desc(), identity.desc())
        needle = filters.description_query
        if needle is None:
            return [Checkout(**row) for row in self._connection.execute(query.limit(limit)).mappings()]
        # Compared here: databases differ in what they call the same letter, and few fold more than ASCII.
        folded = needle.casefold()
        found: list[Checkout] = []
        with self._connection.execute(query.execution_options(yield_per=200)) as rows:
            for row in rows.mappings():
                description = row["description"]
                if description is not None and folded in description.casefold():
                    found.append(Checkout(**row))
                    if len(found) == limit:
                        break
        return found

    def add_checkout(self, checkout: Checkout) -> None:
        """Keep a new checkout."""
        self._connection.execute(insert(CHECKOUTS), _row(checkout))

    def save_checkout(self, checkout: Checkout) -> None:
        """Keep a changed checkout."""
        self._connection.execute(update(CHECKOUTS).where(CHECKOUTS.c.id == checkout.id).values(_row(checkout)))

    def add_refund(self, refund: Refund) -> None:
        """Keep a new refund."""
        self._connection.execute(insert(REFUNDS), _row(refund))

    def save_refund(self, refund: Refund) -> None:
        """Keep a changed refund."""
        self._connection.execute(update(REFUNDS).where(REFUNDS.c.id == refund.id).values(_row(refund)))

    def kept_answer(self, operation: str, key: str) -> KeptAnswer | None:
        """What was answered under this key, however long ago."""
        columns = (ANSWERS.c.fingerprint, ANSWERS.c.created_ms, ANSWERS.c.status, ANSWERS.c.body)
        query = select(*columns).where(_is_key(operation, key))
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else KeptAnswer(**row)

    def forget_answer(self, operation: str, key: str) -> None:
        """Let the key act again."""
        self._connection.execute(delete(ANSWERS).where(_is_key(operation, key)))

    def claim_key(self, operation: str, key: str, *, fingerprint: str, now_ms: int) -> None:
        """
        Take the key for this transaction, before anything else is done in it.

        Raises:
            IntegrityError: Another transaction has taken it, and has committed by now.
        """
        # The answer is not known yet; keep_answer follows in the same transaction, and nobody sees this before it.
        row = {"operation": operation, "key": key, "fingerprint": fingerprint, "created_ms": now_ms}
        self._connection.execute(insert(ANSWERS), {**row, "status": 0, "body": b""})

    def keep_answer(self, operation: str, key: str, *, status: int, body: bytes) -> None:
        """Keep what is answered under a claimed key."""
        self._connection.execute(update(ANSWERS).where(_is_key(operation, key)).values(status=status, body=body))


class Store:
    """The database, opened and with its tables."""

    def __init__(self, engine: Engine) -> None:
        self._readers = engine
        self._writers = engine.execution_options(writes=True)
        # A database in memory is one connection, which threads of one process must take in turn.
        self._turn = threading.RLock()
        self.bell: Callable[[], None] = _nobody
        """Called after the commit of a transaction that rings."""

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        """A transaction that only reads. On SQLite it sees one state of the database throughout."""
        with self._turn, self._readers.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def writing(self) -> Generator[Transaction]:
        """A transaction that may write; an exception leaves everything as it was."""
        with self._turn, self._writers.begin() as connection:
            transaction = Transaction(connection)
            yield transaction
        if transaction.rings:
            self.bell()

    @property
    def url(self) -> str:
        """Where the data is, without password."""
        return self._readers.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self._readers.dispose()


def _nobody() -> None:
    """Nobody listens."""


def _row(record: Checkout | Refund) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _is_key(operation: str, key: str) -> ColumnElement[bool]:
    return and_(ANSWERS.c.operation == operation, ANSWERS.c.key == key)


def _matching(filters: Filters, now_ms: int) -> Select[Any]:
    """Everything but the text query, which is compared outside the database."""
    query = select(CHECKOUTS)
    status, expires = CHECKOUTS.c.status, CHECKOUTS.c.expires_ms
    if filters.statuses:
        # What as_of says of one checkout, said of all: time has made some ACTIVE rows EXPIRED.
        choices: list[ColumnElement[bool]] = [status.in_(filters.statuses - {"ACTIVE"})]
        if "ACTIVE" in filters.statuses:
            choices.append(and_(status == "ACTIVE", expires > now_ms))
        if "EXPIRED" in filters.statuses:
            choices.append(and_(status == "ACTIVE", expires <= now_ms))
        query = query.where(or_(*choices))
    if filters.start_ms is not None:
        query = query.where(CHECKOUTS.c.created_ms >= filters.start_ms)
    if filters.end_ms is not None:
        query = query.where(CHECKOUTS.c.created_ms <= filters.end_ms)
    return query
