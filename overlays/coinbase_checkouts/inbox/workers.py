"""Two short loops, one for threads and one for asyncio, around the same steps."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from coinbase_checkouts.errors import ConfigurationError
from coinbase_checkouts.handlers import finished, settled
from coinbase_checkouts.sensor import LOGGER
from coinbase_checkouts.webhooks import Event, short

from .clocks import Clock
from .ledger import Ledger, Letter, Policy, Taken
from .tables import DEAD, Tables
from .transactions import begun

Handler = Callable[[Event, Connection], object]
AsyncHandler = Callable[[Event, AsyncConnection], Awaitable[object]]

# What a database that restarts or is busy answers, or that only reads as yet; and a pool that is used up.
PASSING: Final = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)


@dataclass(frozen=True, slots=True)
class Metric:
    """
    What has become of one event, to be counted.

    Told when that is committed; but in a transaction of yours, which `Inbox.once` and `Inbox.store` are a part of, when
    their part has ended. If you undo that transaction, nothing is `done` or `stored`, and nothing more is told.

    Attributes:
        kind: `stored`, `done`, `repeated` (it was there already, and nothing was done), `failed` (to be tried again),
            `dead`, or `lost` (the worker was so slow to begin that another has taken it, or its handler called
            commit(), see `Inbox.work`).
        event_type: At most 200 characters; an open set.
        attempt: 1 for the first.
        age_s: Since it was stored, if this host's clock is right; 0 inline.
    """

    kind: str
    event_type: str
    attempt: int = 1
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Steps:
    """The transactions of a worker; each is given a connection that has begun one."""

    ledger: Ledger
    tables: Tables
    policy: Policy
    clock: Clock
    draw: Callable[[], float]
    tell: Callable[[Metric], None]

    def ready(self, connection: Connection) -> None:
        """
        Look whether the tables are there.

        Raises:
            ConfigurationError: They are not, or the database is none to work with.
        """
        begun(connection)
        for table in (self.tables.events, self.tables.checkouts):
            if not inspect(connection).has_table(table.name, schema=table.schema):
                raise ConfigurationError(f"inbox: there is no table {table}; call create_all, or migrate the database")

    def claim(self, connection: Connection) -> Taken | Letter | None:
        """Take the lease of an event."""
        begun(connection)
        return self.ledger.claim(connection, self.policy, self.clock.shared_ms(connection), secrets.token_hex(16))

    def begin(self, connection: Connection, taken: Taken) -> bool:
        """Make it done, if it is still ours; then the work may be done."""
        begun(connection)
        return self.ledger.begin(connection, taken, self.clock.shared_ms(connection))

    def confirm(self, connection: Connection, taken: Taken) -> None:
        """
        Look whether what is about to be committed is the work.

        Raises:
            TransactionError: It is not; see `Ledger.confirm`.
        """
        self.ledger.confirm(connection, taken.key)

    def fail(self, connection: Connection, taken: Taken, error: BaseException) -> str | None:
        """Give the lease back after *error*; the state that the event is in then."""
        begun(connection)
        if not isinstance(error, Exception):
            return self.ledger.release(connection, taken, self.clock.shared_ms(connection))
        name = type(error).__name__
        return self.ledger.fail(
            connection, taken, self.policy, self.clock.shared_ms(connection), error=name, draw=self.draw()
        )

    def ended(self, taken: Taken, *, kind: str) -> None:
        """Tell what has become of it."""
        age_s = max(0.0, self.clock.host_s() - taken.received_ms / 1000)
        self.tell(Metric(kind, short(taken.event.event_type), taken.attempt, age_s))

    def failed(self, taken: Taken, error: Exception, state: str | None) -> None:
        """Tell of a failure. The traceback is the handler's, to be mended with."""
        LOGGER.error("inbox: attempt %d of %s failed", taken.attempt, taken.key, exc_info=error)
        self.ended(taken, kind={None: "lost", DEAD: "dead"}.get(state, "failed"))

    def died(self, letter: Letter) -> bool:
        """Tell of an event whose attempts all ended with their process; it is not done."""
        LOGGER.error("inbox: %s is dead: its last attempt never ended", letter.key)
        self.tell(Metric("dead", letter.event_type, letter.attempts, max(0.0, self.clock.host_s() - letter.received)))
        return False


def work(steps: Steps, engine: Engine, handler: Handler, stop: threading.Event, *, until_idle: bool) -> int:
    """See `Inbox.work`."""
    count, ready = 0, False
    while not stop.is_set():
        try:
            if not ready:
                with engine.begin() as connection:
                    steps.ready(connection)
                ready = True
            worked = _one(steps, engine, handler)
        except PASSING as exc:
            if until_idle:
                raise
            LOGGER.warning("inbox: the database does not answer: %s", _name(exc))
            worked = None
        if worked is not None:
            count += worked
        elif until_idle:
            break
        else:
            stop.wait(steps.policy.poll_s)
    return count


def _one(steps: Steps, engine: Engine, handler: Handler) -> bool | None:
    """Work at one event: whether it is done now, or None if there was none."""
    with engine.begin() as connection:
        taken = steps.claim(connection)
    if not isinstance(taken, Taken):
        return None if taken is None else steps.died(taken)
    try:
        with engine.begin() as connection:
            mine = steps.begin(connection, taken)
            if mine:
                settled("handler", handler(taken.event, connection))
                steps.confirm(connection, taken)
    except BaseException as exc:
        with engine.begin() as connection:
            state = steps.fail(connection, taken, exc)
        if not isinstance(exc, Exception):
            raise
        steps.failed(taken, exc, state)
        return False
    steps.ended(taken, kind="done" if mine else "lost")
    return mine


async def work_async(
    steps: Steps, engine: AsyncEngine, handler: AsyncHandler, stop: asyncio.Event, *, until_idle: bool
) -> int:
    """See `Inbox.work_async`."""
    count, ready = 0, False
    while not stop.is_set():
        try:
            if not ready:
                async with engine.begin() as connection:
                    await connection.run_sync(steps.ready)
                ready = True
            worked = await _one_async(steps, engine, handler)
        except PASSING as exc:
            if until_idle:
                raise
            LOGGER.warning("inbox: the database does not answer: %s", _name(exc))
            worked = None
        if worked is not None:
            count += worked
        elif until_idle:
            break
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(steps.policy.poll_s):
                    await stop.wait()
    return count


async def _one_async(steps: Steps, engine: AsyncEngine, handler: AsyncHandler) -> bool | None:
    """As `_one`."""
    async with engine.begin() as connection:
        taken = await connection.run_sync(steps.claim)
    if not isinstance(taken, Taken):
        return None if taken is None else steps.died(taken)
    try:
        async with engine.begin() as connection:
            mine = await connection.run_sync(steps.begin, taken)
            if mine:
                await finished("handler", handler(taken.event, connection))
                await connection.run_sync(steps.confirm, taken)
    except BaseException as exc:
        async with engine.begin() as connection:
            state = await connection.run_sync(steps.fail, taken, exc)
        if not isinstance(exc, Exception):
            raise
        steps.failed(taken, exc, state)
        return False
    steps.ended(taken, kind="done" if mine else "lost")
    return mine


def _name(error: SQLAlchemyError) -> str:
    """Of the driver's exception, where there is one."""
    return type(getattr(error, "orig", error)).__name__
