"""
Opening a database: any that SQLAlchemy knows, SQLite by default.

On SQLite: write-ahead log and synchronous=FULL, so an answer that was sent survives kill -9 and a power cut, and a write
transaction takes the lock when it begins, so that nothing it has read can change before it commits.
"""

from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from coinbase_checkouts_sandbox.store import Store
from coinbase_checkouts_sandbox.tables import METADATA, SANDBOX, SCHEMA_VERSION

# How long a writer waits for another process before it gives up with 503.
_LOCK_TIMEOUT_S: Final = 30


class DatabaseError(Exception):
    """The database cannot be opened or used. The message has no password and no row."""


def open_store(url: str) -> Store:
    """
    Open *url*, any SQLAlchemy URL, and make what is missing.

    Raises:
        DatabaseError: Not a URL, no driver, unreachable, not writable, no database, or of another version.
    """
    try:
        engine = _engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise DatabaseError("database: no SQLAlchemy URL, or its driver is not installed") from None
    store = Store(engine)
    try:
        try:
            _prepare(engine)
        except DBAPIError:
            # Two servers that start together may both find no tables, or meet while switching to the log.
            _prepare(engine)
        with store.writing() as transaction:
            # Proves that it can be written to, now instead of at the first payment.
            transaction.advance_clock(0)
        with engine.connect() as connection:
            version = connection.execute(select(SANDBOX.c.schema_version)).scalar_one()
    except DBAPIError as exc:
        store.close()
        raise DatabaseError(f"database {store.url}: {_reason(exc)}") from None
    if version != SCHEMA_VERSION:
        store.close()
        raise DatabaseError(f"database {store.url}: tables of version {version}, this server knows {SCHEMA_VERSION}")
    return store


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    # hide_parameters: an error's text would quote the row.
    options: dict[str, Any] = {"hide_parameters": True}
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, **options)
    options["connect_args"] = {"timeout": _LOCK_TIMEOUT_S}
    if parsed.database in {None, "", ":memory:"}:
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    engine = create_engine(parsed, **options)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by its own rules, too late for a lock; _begin_sqlite does it instead.
    connection.isolation_level = None
    # Kept by the file, and nothing to a database in memory.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock now. A transaction that read first and wrote later could find that it read
    # something stale, and SQLite would refuse it instead of waiting.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        METADATA.create_all(connection)
        if connection.execute(select(SANDBOX.c.id)).one_or_none() is None:
            connection.execute(insert(SANDBOX).values(id=1, schema_version=SCHEMA_VERSION, clock_offset_ms=0))


def _reason(error: DBAPIError) -> str:
    """The driver's words, on one line, without the statement."""
    return " ".join(str(error.orig).split()) or type(error).__name__
