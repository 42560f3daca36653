"""
Opening a database: any that SQLAlchemy knows, SQLite by default.

On SQLite: write-ahead log and synchronous=FULL, so an answer that was sent survives kill -9 and a power cut, and a write
transaction takes the lock when it begins, so that nothing it has read can change before it commits.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from coinbase_checkouts_sandbox.patience import LOCK_GLANCE_S, LOCK_TIMEOUT_S
from coinbase_checkouts_sandbox.store import Store
from coinbase_checkouts_sandbox.tables import METADATA, SANDBOX, SCHEMA_VERSION

# How long a server waits for a database on another machine that does not answer.
_CONNECT_TIMEOUT_S: Final = 5

# Between looks at what other servers do that prepare the same database.
_MEETING_S: Final = 0.05

# What no waiting mends, by SQLite's own codes: no such place, no rights, no database, no room.
_HOPELESS_CODES: Final = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}

# And in PostgreSQL's words: while connecting its driver has no codes. In another language it is waited for as before.
_HOPELESS_WORDS: Final = ("password authentication failed", "does not exist", "no pg_hba.conf entry")


class DatabaseError(Exception):
    """The database cannot be opened or used. The message has no password and no row."""


class _NotOursError(DatabaseError):
    """Somebody else's table has the name of one of ours."""

    def __init__(self, table: str) -> None:
        super().__init__(f"has a table {table!r} that is not this server's; give it a database of its own")


def open_store(url: str) -> Store:
    """
    Open *url*, any SQLAlchemy URL, and make what is missing.

    Raises:
        DatabaseError: Not a URL, no driver, unreachable, not writable, no database, or of another version.
    """
    try:
        engine = _engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise DatabaseError(
            "database: no SQLAlchemy URL, or its driver is not installed; "
            "for PostgreSQL it is postgresql+psycopg://…, and the extra [postgres]"
        ) from None
    store = Store(engine)
    try:
        _meeting_others(lambda: _prepare(engine))
        _meeting_others(lambda: _prove(store))
    except (DBAPIError, DatabaseError) as exc:
        store.close()
        reason = _reason(exc) if isinstance(exc, DBAPIError) else exc
        raise DatabaseError(f"database {store.url}: {reason}") from None
    return store


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    # hide_parameters: an error's text would quote the row.
    options: dict[str, Any] = {"hide_parameters": True}
    if parsed.get_backend_name() != "sqlite":
        if parsed.get_driver_name() in {"psycopg", "psycopg2"} and "connect_timeout" not in parsed.query:
            options["connect_args"] = {"connect_timeout": _CONNECT_TIMEOUT_S}
        # A connection that the database has closed meanwhile is replaced before it is used.
        engine = create_engine(parsed, pool_pre_ping=True, **options)
        if parsed.get_backend_name() == "postgresql":
            event.listen(engine, "connect", _configure_postgresql)
        return engine
    options["connect_args"] = {"timeout": LOCK_TIMEOUT_S}
    if is_memory(url):
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    elif parsed.database is not None and not parsed.database.startswith("file:"):
        _make_private(parsed.database)
    engine = create_engine(parsed, **options)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: str) -> None:
    """Make the file for its owner only, if there is none: the secrets of webhooks will be in it. Its log follows it."""
    # Where it cannot be made SQLite says so, in words of its own.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def is_memory(url: str) -> bool:
    """Whether *url* is SQLite in memory, which no other process can see."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return False
    if parsed.get_backend_name() != "sqlite":
        return False
    # The others are for URIs of SQLite's own.
    names = {None, "", ":memory:", "file::memory:", "file:"}
    return parsed.database in names or parsed.query.get("mode") == "memory"


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by its own rules, too late for a lock; _begin_sqlite does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _configure_postgresql(connection: Any, _record: Any) -> None:
    # Its own default is to wait for ever, say for a server that was frozen in the middle of a transaction.
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {round(LOCK_GLANCE_S * 1000)}")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock now. A transaction that read first and wrote later could find that it read
    # something stale, and SQLite would refuse it instead of waiting.
    options = connection.get_execution_options()
    if options.get("glances"):
        connection.exec_driver_sql(f"PRAGMA busy_timeout={round(LOCK_GLANCE_S * 1000)}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_TIMEOUT_S * 1000}")
    elif not options.get("alone"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _meeting_others(act: Callable[[], None]) -> None:
    """
    Do *act*, again and again for a while, unless waiting cannot help.

    Servers that start together may all find no tables, or meet while switching to the log: one is first, and the
    others find it done when they look again. A PostgreSQL that was started with us may not listen yet.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            return act()
        except DBAPIError as exc:
            if _is_hopeless(exc) or time.monotonic() > deadline:
                raise
            time.sleep(_MEETING_S)


def _is_hopeless(error: DBAPIError) -> bool:
    # The lower byte is the kind, the rest tells its kinds apart.
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _HOPELESS_CODES
    return any(word in str(error.orig) for word in _HOPELESS_WORDS)


def _prove(store: Store) -> None:
    """It can be written to: said now instead of at the first payment."""
    with store.writing() as transaction:
        transaction.set_state()


def _prepare(engine: Engine) -> None:
    _make_tables(engine)
    if engine.dialect.name == "sqlite":
        # Kept by the file, and nothing to a database in memory. Not before: somebody else's file stays as it is.
        with engine.execution_options(alone=True).connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _make_tables(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        existing = inspect(connection)
        if existing.has_table(SANDBOX.name):
            columns = {column["name"] for column in existing.get_columns(SANDBOX.name)}
            if not columns >= {"id", "schema_version", "clock_offset_ms"}:
                raise _NotOursError(SANDBOX.name)
            _check_version(connection)
            return
        taken = [table.name for table in METADATA.sorted_tables if existing.has_table(table.name)]
        # A look of its own: a server that started with this one may have made them all since the first.
        if taken and inspect(connection).has_table(SANDBOX.name):
            _check_version(connection)
            return
        if taken:
            raise _NotOursError(taken[0])
        METADATA.create_all(connection)
        state = {"id": 1, "schema_version": SCHEMA_VERSION, "clock_offset_ms": 0, "armed_faults": 0}
        connection.execute(insert(SANDBOX), state)


def _check_version(connection: Connection) -> None:
    """Migrate what is older."""
    # The row is locked for the servers that start meanwhile.
    versions = connection.execute(select(SANDBOX.c.schema_version).with_for_update()).scalars().all()
    version = versions[0] if len(versions) == 1 else None
    if version == SCHEMA_VERSION:
        return
    if not isinstance(version, int) or version < 1:
        raise _NotOursError(SANDBOX.name)
    if version > SCHEMA_VERSION:
        raise DatabaseError(f"tables of version {version}, this server knows up to {SCHEMA_VERSION}; use a newer one")
    # Rarely needed, and slow to import.
    from coinbase_checkouts_sandbox.migrations import migrate  # noqa: PLC0415

    migrate(connection, version)


def _reason(error: DBAPIError) -> str:
    """The driver's words, on one line, without the statement."""
    return " ".join(str(error.orig).split()) or type(error).__name__
