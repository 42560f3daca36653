"""
A transaction of the merchant's: joined where there is one, else made.

`Bind` is whatever of SQLAlchemy's the merchant has at hand. The asynchronous ones wrap the others, so that everything
is written once, for those.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session, scoped_session

from coinbase_checkouts.errors import ConfigurationError

Bind = Connection | Session
AsyncBind = AsyncConnection | AsyncSession
T = TypeVar("T")

PLAIN: Final = (Connection, Session)
ASYNC: Final = (AsyncConnection, AsyncSession)
_ADVICE: Final = {
    Engine: ": use engine.connect()",
    AsyncEngine: ": use engine.connect()",
    scoped_session: ": call it for its session",
}
# Any number that nobody else takes. SQLite is locked by what `begun` does.
_LOCKS: Final = {"sqlite": select(1), "postgresql": select(func.pg_advisory_xact_lock(0x636F696E62617365))}
INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def on(bind: Bind | AsyncBind, act: Callable[[Bind], T]) -> T | Awaitable[T]:
    """
    What *act* returns of the connection or session, or of the one that an asynchronous one wraps.

    Raises:
        TypeError: See `expect`.
    """
    if isinstance(bind, AsyncConnection | AsyncSession):
        return bind.run_sync(act)
    expect(bind, *PLAIN)
    return act(bind)


def expect(given: object, *kinds: type) -> None:
    """
    Look whether *given* is one of *kinds*.

    Raises:
        TypeError: It is none of them; what was expected, and what to do with an engine or a scoped session.
    """
    if isinstance(given, kinds):
        return
    names = " or ".join(kind.__name__ for kind in kinds)
    article = "an" if names[0] in "AE" else "a"
    wants_bind = kinds in (PLAIN, ASYNC)
    advice = next((text for kind, text in _ADVICE.items() if wants_bind and isinstance(given, kind)), "")
    raise TypeError(f"inbox: expected {article} {names}, not {type(given).__name__}{advice}")


def connection_of(bind: Bind) -> Connection:
    """The connection of a session, or the one that was given."""
    return bind.connection() if isinstance(bind, Session) else bind


@contextmanager
def transaction(bind: Bind) -> Generator[None]:
    """
    A part of the transaction that *bind* is in, undone alone if the block raises; or if it is in none, a transaction.

    Raises:
        ConfigurationError: See `begun`.
    """
    if bind.in_transaction():
        begun(bind)
        with bind.begin_nested():
            yield
    else:
        with bind.begin():
            begun(bind)
            yield


@contextmanager
def reading(bind: Bind) -> Generator[None]:
    """The transaction that *bind* is in; if it is in none, one that ends with the block, and is in nobody's way."""
    if bind.in_transaction():
        yield
    else:
        with bind.begin():
            yield


def begun(bind: Bind) -> None:
    """
    Have the database begin what SQLAlchemy says was begun.

    Python's sqlite3 leaves it to the first INSERT, and a SAVEPOINT before that is no part of any transaction. It is
    IMMEDIATE, so that two writers wait for each other, and none is refused for what it has read before.

    Raises:
        ConfigurationError: It commits every statement by itself, or is a database that an inbox was not tried on.
    """
    connection = connection_of(bind)
    if connection.dialect.name not in INSERT:
        raise ConfigurationError(f"inbox: works with SQLite and PostgreSQL, not with {connection.dialect.name}")
    # True and nothing else: a number of sqlite3 stands for its usual mode.
    if getattr(connection.connection.dbapi_connection, "autocommit", False) is True:
        raise ConfigurationError("inbox: the connection commits every statement by itself; take one without AUTOCOMMIT")
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def locked(connection: Connection) -> None:
    """
    Wait until this transaction is the only one here.

    Raises:
        ConfigurationError: See `begun`.
    """
    begun(connection)
    connection.execute(_LOCKS[connection.dialect.name])
