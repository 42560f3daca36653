"""
What is kept, and the transactions it is kept in. SQLAlchemy Core, so that any of its databases will do.

One writer at a time, whatever the database and however many processes: a write transaction begins by locking the one
row of `sandbox` (SQLite locks the file). What it reads cannot change before it commits, so rules are checked where
they are needed and nowhere else.
"""

import sqlite3
import threading
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Insert,
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
from sqlalchemy.exc import DBAPIError

from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.patience import LockedError
from coinbase_checkouts_sandbox.refunds import Refund
from coinbase_checkouts_sandbox.tables import ANSWERS, CHECKOUTS, REFUNDS, SANDBOX

# Every request needs these: built once, they cost a third of what building them anew does.
_SANDBOX: Final = select(SANDBOX.c.clock_offset_ms, SANDBOX.c.armed_faults)
_LOCKED_SANDBOX: Final = _SANDBOX.with_for_update()
_ADD_CHECKOUT: Final = insert(CHECKOUTS)
_KEEP_ANSWER: Final = insert(ANSWERS)
_CHECKOUT: Final = select(CHECKOUTS).where(CHECKOUTS.c.id == bindparam("checkout_id"))
_GLANCE: Final = select(CHECKOUTS, SANDBOX.c.clock_offset_ms, SANDBOX.c.armed_faults).select_from(
    SANDBOX.outerjoin(CHECKOUTS, CHECKOUTS.c.id == bindparam("checkout_id"))
)
_CHECKOUT_COLUMNS: Final = tuple(column.name for column in CHECKOUTS.columns)
_KEPT_ANSWER: Final = select(ANSWERS.c.fingerprint, ANSWERS.c.created_ms, ANSWERS.c.status, ANSWERS.c.body).where(
    and_(ANSWERS.c.operation == bindparam("operation"), ANSWERS.c.key == bindparam("key"))
)


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


@dataclass(frozen=True, slots=True)
class Glance:
    """One checkout, without its refunds, and what else stood in the database at that moment."""

    checkout: Checkout | None
    clock_offset_ms: int
    armed_faults: int


class Transaction:
    """
    One transaction: everything in it happens, or nothing.

    Attributes:
        clock_offset_ms: How far the sandbox's clock is ahead of real time.
        armed_faults: How many fault rules may still strike.
        wrote: Whether anything was written so far.
        rings: Set to have the store's bell rung once this has been committed: there is something to deliver.
    """

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self._connection = connection
        row = connection.execute(_LOCKED_SANDBOX if writes else _SANDBOX).one()
        self.clock_offset_ms: int = row[0]
        self.armed_faults: int = row[1]
        self.wrote = False
        self.rings = False
        self._put_off: dict[Insert, list[Mapping[str, Any]]] = {}
        self._kept: dict[tuple[str, str], KeptAnswer] = {}

    def read(self, query: Executable, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Ask the database."""
        self.flush()
        return self._connection.execute(query, values)

    def write(self, statement: Executable, values: Mapping[str, Any] | list[Any] | None = None) -> CursorResult[Any]:
        """
        Change something.

        An act refuses before its first write: then the acts that are committed together with it need not be undone.
        """
        self.flush()
        self.wrote = True
        return self._connection.execute(statement, values)

    def flush(self) -> None:
        """Write what was put off, before anything else happens or the transaction ends."""
        put_off, self._put_off = self._put_off, {}
        for statement, rows in put_off.items():
            self._connection.execute(statement, rows)

    def _put_off_insert(self, statement: Insert, row: Mapping[str, Any]) -> None:
        """Insert later, with the rows of other acts: eight rows by one statement cost what two cost by two."""
        self.wrote = True
        self._put_off.setdefault(statement, []).append(row)

    def set_state(self, *, clock_offset_ms: int | None = None, armed_faults: int | None = None) -> None:
        """Change what is not None."""
        if clock_offset_ms is not None:
            self.clock_offset_ms = clock_offset_ms
        if armed_faults is not None:
            self.armed_faults = armed_faults
        self.write(update(SANDBOX).values(clock_offset_ms=self.clock_offset_ms, armed_faults=self.armed_faults))

    def checkout(self, checkout_id: str) -> Checkout | None:
        """The checkout as it was last written."""
        row = self.read(_CHECKOUT, {"checkout_id": checkout_id}).mappings().one_or_none()
        return None if row is None else Checkout(**row)

    def refunds(self, checkout_ids: Collection[str]) -> list[Refund]:
        """The refunds of these checkouts; those of one checkout oldest first."""
        query = select(REFUNDS).where(REFUNDS.c.checkout_id.in_(checkout_ids)).order_by(REFUNDS.c.position)
        return [Refund(**row) for row in self.read(query).mappings()]

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
            return [Checkout(**row) for row in self.read(query.limit(limit)).mappings()]
        # Compared here: databases differ in what they call the same letter, and few fold more than ASCII.
        folded = needle.casefold()
        found: list[Checkout] = []
        with self.read(query.execution_options(yield_per=200)) as rows:
            for row in rows.mappings():
                description = row["description"]
                if description is not None and folded in description.casefold():
                    found.append(Checkout(**row))
                    if len(found) == limit:
                        break
        return found

    def add_checkout(self, checkout: Checkout) -> None:
        """Keep a new checkout."""
        self._put_off_insert(_ADD_CHECKOUT, _row(checkout))

    def save_checkout(self, checkout: Checkout) -> None:
        """Keep a changed checkout."""
        self.write(update(CHECKOUTS).where(CHECKOUTS.c.id == checkout.id).values(_row(checkout)))

    def add_refund(self, refund: Refund) -> None:
        """Keep a new refund."""
        self.write(insert(REFUNDS), _row(refund))

    def save_refund(self, refund: Refund) -> None:
        """Keep a changed refund."""
        self.write(update(REFUNDS).where(REFUNDS.c.id == refund.id).values(_row(refund)))

    def kept_answer(self, operation: str, key: str) -> KeptAnswer | None:
        """What was answered under this key, however long ago."""
        put_off = self._kept.get((operation, key))
        if put_off is not None:
            return put_off
        # Not `read`: of what was put off, the answers were just looked through.
        row = self._connection.execute(_KEPT_ANSWER, {"operation": operation, "key": key}).mappings().one_or_none()
        return None if row is None else KeptAnswer(**row)

    def keep_answer(self, operation: str, key: str, answer: KeptAnswer) -> None:
        """Keep what is answered under a key."""
        self._put_off_insert(_KEEP_ANSWER, {"operation": operation, "key": key, **_row(answer)})
        self._kept[operation, key] = answer

    def forget_answers(self, *, created_until_ms: int) -> None:
        """Let the keys act again whose answers are as old as that."""
        self.write(delete(ANSWERS).where(ANSWERS.c.created_ms <= created_until_ms))
        self._kept.clear()


class _Quick:
    """
    A statement with one value and one row, for the driver alone.

    SQLAlchemy writes it and converts what comes back, as ever. What is left out is what it does around each execution,
    which costs ten times what SQLite takes to answer.
    """

    def __init__(self, engine: Engine, query: Select[Any]) -> None:
        self._engine = engine
        self._query = query
        compiled = query.compile(dialect=engine.dialect)
        self._text = str(compiled)
        self._name = None if compiled.positional else next(iter(compiled.params))
        types = [column.type.dialect_impl(engine.dialect) for column in query.selected_columns]
        self._convert = [type_.result_processor(engine.dialect, None) for type_ in types]

    def __call__(self, value: str) -> list[Any]:
        """
        The row.

        Raises:
            DBAPIError: The database failed.
        """
        try:
            with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(self._text, (value,) if self._name is None else {self._name: value})
                row = cursor.fetchone()
        except self._engine.dialect.loaded_dbapi.Error:
            # Once more, for an error that is known everywhere, on a new connection if that is what is wrong.
            with self._engine.connect() as slow:
                return list(slow.execute(self._query, {"checkout_id": value}).one())
        assert row is not None
        pairs = zip(self._convert, row, strict=True)
        return [value if value is None or convert is None else convert(value) for convert, value in pairs]


class Store:
    """The database, opened and with its tables."""

    def __init__(self, engine: Engine) -> None:
        # SQLite knows one level only, the strictest.
        shared = engine.dialect.name != "sqlite"
        self._readers = engine.execution_options(isolation_level="REPEATABLE READ") if shared else engine
        # The lock comes first; what is read after it must be what is there by then, not a snapshot from before.
        self._writers = engine.execution_options(isolation_level="READ COMMITTED") if shared else engine
        self._writers = self._writers.execution_options(writes=True, glances=True)
        self._glance = _Quick(engine, _GLANCE)
        # A database in memory is one connection, which threads of one process must take in turn.
        self._turn = threading.RLock()
        self.bell: Callable[[], None] = _nobody
        """Called after the commit of a transaction that rings."""

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        """A transaction that only reads, and sees one state of the database throughout."""
        with self._turn, self._readers.begin() as connection:
            yield Transaction(connection, writes=False)

    def glance(self, checkout_id: str) -> Glance:
        """One checkout by one statement, which needs no transaction."""
        with self._turn:
            row = self._glance(checkout_id)
        *columns, clock_offset_ms, armed_faults = row
        checkout = None if columns[0] is None else Checkout(**dict(zip(_CHECKOUT_COLUMNS, columns, strict=True)))
        return Glance(checkout, clock_offset_ms, armed_faults)

    @contextmanager
    def writing(self) -> Generator[Transaction]:
        """
        A transaction that may write, the only one at that time; an exception leaves everything as it was.

        Raises:
            LockedError: Another process has begun one, and is not done yet.
        """
        transaction = None
        try:
            with self._turn, self._writers.begin() as connection:
                transaction = Transaction(connection, writes=True)
                yield transaction
                transaction.flush()
        except DBAPIError as exc:
            if transaction is None and _is_locked(exc):
                raise LockedError(exc.statement, None, exc.orig or exc, hide_parameters=True) from None
            raise
        if transaction.rings:
            self.bell()

    @property
    def url(self) -> str:
        """Where the data is, without password, also where a driver takes one as a parameter."""
        url = self._readers.url
        hidden = {name: "***" for name in url.query if "pass" in name.lower()}
        return url.update_query_dict(hidden).render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self._readers.dispose()


def _is_locked(error: DBAPIError) -> bool:
    """As SQLite and PostgreSQL say it (SQLITE_BUSY in its low byte; lock_not_available)."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY or getattr(error.orig, "sqlstate", None) == "55P03"


def _nobody() -> None:
    """Nobody listens."""


def _row(record: Checkout | Refund | KeptAnswer) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


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
