"""The inbox as its user meets it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Final, TypeVar, cast, overload

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from coinbase_checkouts.errors import ConfigurationError
from coinbase_checkouts.handlers import expect_handler
from coinbase_checkouts.sensor import LOGGER
from coinbase_checkouts.webhooks import Event, short

from .clocks import Clock
from .ledger import Counts, Keep, Ledger, Letter, Policy
from .marks import Marks
from .reconciling import (
    LEASE_S,
    LOOK_BACK_S,
    OVERLAP_S,
    READS_PER_S,
    AsyncLists,
    AsyncLogs,
    Door,
    Lists,
    Logs,
    Reconciled,
    Run,
    reconcile,
    reconcile_async,
    unix_ms,
)
from .settings import number
from .tables import DONE, WAITING, Tables, define
from .transactions import ASYNC, PLAIN, AsyncBind, Bind, expect, locked, on, reading, transaction
from .workers import AsyncHandler, Handler, Metric, Steps, work, work_async

DAY_S: Final = 86400.0
PRUNE_AFTER_S: Final = 90 * DAY_S

_DEFAULT_POLICY: Final = Policy()
T = TypeVar("T")


class Inbox:
    """
    Three tables in your database, and what is done with them. Threads and tasks may share it; it has no state.

    Args:
        prefix: How the names of tables, keys and indexes begin.
        schema: Where the tables are; None is the database's default.
        metadata: Yours, to have the tables in it; a MetaData of its own by default.
        keep: What is kept of an event's body. "until done": all of it while it waits for a worker. "always": all of it,
            until it is pruned. "never": only ids, types, statuses and times, and that only until it is done: then
            handlers get events without metadata, amounts and addresses, and read the checkout.
        on_metric: Called with what becomes of each event. What it raises is logged and goes no further.
        clock: Unix seconds, for tests. By default waits and leases go by the clock of the database, which is one for all
            hosts, and all else by the host's.
        draw: Uniform in [0, 1), for waits between attempts.

    Source: rule webhook.at-least-once in spec/openapi.yaml: deliveries come at least once and in any order.
    """

    def __init__(
        self,
        *,
        prefix: str = "coinbase_inbox_",
        schema: str | None = None,
        metadata: MetaData | None = None,
        keep: Keep = "until done",
        on_metric: Callable[[Metric], object] | None = None,
        clock: Callable[[], float] | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.metadata: MetaData = MetaData() if metadata is None else metadata
        self.tables: Tables = define(self.metadata, prefix, schema)
        self._ledger = Ledger(self.tables, keep)
        self._marks = Marks(self.tables.marks)
        self._on_metric = on_metric
        self._clock, self._draw = Clock(clock), draw

    def create_all(self, bind: Engine | Connection) -> None:
        """
        Create what is missing of the tables; nothing is altered. Many processes may do so at once.

        With Alembic, give it `metadata` instead. The transaction of a connection is yours to commit.
        """
        expect(bind, Engine, Connection)
        if isinstance(bind, Engine):
            with bind.begin() as connection:
                self.create_all(connection)
            return
        locked(bind)
        self.metadata.create_all(bind, tables=[self.tables.events, self.tables.checkouts, self.tables.marks])

    @overload
    def once(self, event: Event, bind: Bind) -> AbstractContextManager[bool]: ...

    @overload
    def once(self, event: Event, bind: AsyncBind) -> AbstractAsyncContextManager[bool]: ...

    def once(
        self, event: Event, bind: Bind | AsyncBind
    ) -> AbstractContextManager[bool] | AbstractAsyncContextManager[bool]:
        """
        A block whose work is done once for each event: `with inbox.once(event, connection) as fresh: …`.

        The block has whether this is the first time, and does its work, if so, through *bind*. Work and record become
        true together, when the transaction is committed, or not at all. Where the same event is being worked at by
        another transaction, the block begins when that ends: not fresh if it was committed, fresh if it was undone.

        If *bind* is in a transaction already, the block is a savepoint in it and the commit is yours: answer 2xx after
        it only. In SQLAlchemy any statement begins one.

        Args:
            bind: Connection or Session, or, for `async with`, AsyncConnection or AsyncSession.

        Raises:
            ConfigurationError: See `transactions.begun`. SQLAlchemy's own errors are not changed: whatever is raised,
                nothing was done; answer 500 and the event will come again. At REPEATABLE READ or SERIALIZABLE, having
                waited for another transaction is such an error.
            TransactionError: The block came to its end, but would not be committed: commit() or rollback() was called
                in it, or a statement failed and its exception was caught. Put `begin_nested()` around what may fail.
                What was committed by hand, and the record with it, is the one thing that is not undone.
        """
        # An async bind is opened by __aenter__ only, a plain one by __enter__ only.
        return cast("AbstractContextManager[bool]", self._block(event, bind, ()))

    @overload
    def store(self, event: Event, bind: Bind) -> bool: ...

    @overload
    def store(self, event: Event, bind: AsyncBind) -> Awaitable[bool]: ...

    def store(self, event: Event, bind: Bind | AsyncBind) -> bool | Awaitable[bool]:
        """
        Write the event down for a worker; false if it was known. Answer 2xx after this, in either case.

        In the transaction that *bind* is in, which you commit; if it is in none, committed at once.
        """
        return self._put(event, bind, ())

    @overload
    def is_news(self, event: Event, bind: Bind) -> bool: ...

    @overload
    def is_news(self, event: Event, bind: AsyncBind) -> Awaitable[bool]: ...

    def is_news(self, event: Event, bind: Bind | AsyncBind) -> bool | Awaitable[bool]:
        """
        Whether no newer event of its checkout was acted on; ask it within the block or the handler.

        There, nobody else is at work for this checkout. False for a late one: do not let its status overwrite what a
        newer one has told. What is newer is told by `order.position`; the same state told twice is news twice.
        """
        expect(event, Event)
        return on(bind, _within(reading, lambda plain: self._ledger.is_news(plain, event)))

    def work(
        self,
        engine: Engine,
        handler: Handler,
        *,
        stop: threading.Event | None = None,
        policy: Policy = _DEFAULT_POLICY,
        until_idle: bool = False,
    ) -> int:
        """
        Hand stored events to *handler*, one at a time, until *stop* is set; how many were done.

        Start as many as you like, as threads, processes or hosts. Each event is handed over in a transaction that also
        makes it done, after those of its checkout that tell of older states and wait, too. If the handler raises, the
        transaction is undone and the event tried again later, `policy.attempts` times; then it is dead, and those that
        waited behind it go on.

        Args:
            handler: Called with the event and the connection whose transaction it is to work in, and not to end. If it
                does, or catches the exception of a statement that failed there, that is a failed attempt; but what it
                has committed by hand, and that the event is done, stays so, and the metric is `lost`. To return a
                coroutine, a generator or a future, whose work is still to be done, is a failed attempt, too.
            stop: What the handler is doing is finished first.
            until_idle: Return when nothing is due, for cron and for tests.

        Raises:
            TypeError: *handler* is no function, or would not run when it is called: `async def`, or with a `yield`.
            ConfigurationError: The tables are not there, or `transactions.begun`.
            OperationalError: Of SQLAlchemy, or its like, if *until_idle*. Otherwise a database that does not answer is
                waited for, and so are one that only reads, as a standby does, and a connection of a pool that is used up.
        """
        expect(engine, Engine)
        expect_handler("handler", handler, awaited=False)
        return work(self._steps(policy), engine, handler, stop or threading.Event(), until_idle=until_idle)

    async def work_async(
        self,
        engine: AsyncEngine,
        handler: AsyncHandler,
        *,
        stop: asyncio.Event | None = None,
        policy: Policy = _DEFAULT_POLICY,
        until_idle: bool = False,
    ) -> int:
        """
        As `work`, in the running event loop. If the task is cancelled, the event is free again at once.

        What *handler* returns is awaited; a failed attempt if it cannot be.
        """
        expect(engine, AsyncEngine)
        expect_handler("handler", handler, awaited=True)
        return await work_async(self._steps(policy), engine, handler, stop or asyncio.Event(), until_idle=until_idle)

    @overload
    def counts(self, bind: Bind) -> Counts: ...

    @overload
    def counts(self, bind: AsyncBind) -> Awaitable[Counts]: ...

    def counts(self, bind: Bind | AsyncBind) -> Counts | Awaitable[Counts]:
        """How many events are not done, and for how long. Leaves *bind* in no transaction that it was not in."""
        return on(bind, _within(reading, lambda plain: self._ledger.counts(plain, self._clock.shared_ms(plain))))

    @overload
    def dead(self, bind: Bind, *, limit: int = 100) -> list[Letter]: ...

    @overload
    def dead(self, bind: AsyncBind, *, limit: int = 100) -> Awaitable[list[Letter]]: ...

    def dead(self, bind: Bind | AsyncBind, *, limit: int = 100) -> list[Letter] | Awaitable[list[Letter]]:
        """The events that were given up, oldest first. As for `counts`, who leaves no transaction."""
        return on(bind, _within(reading, lambda plain: self._ledger.dead(plain, limit)))

    @overload
    def requeue(self, bind: Bind, *keys: str) -> int: ...

    @overload
    def requeue(self, bind: AsyncBind, *keys: str) -> Awaitable[int]: ...

    def requeue(self, bind: Bind | AsyncBind, *keys: str) -> int | Awaitable[int]:
        """Give dead events all their attempts again, these or, without any, all; how many. As for `store`, who commits."""
        return on(
            bind, _within(transaction, lambda plain: self._ledger.requeue(plain, keys, self._clock.shared_ms(plain)))
        )

    @overload
    def prune(self, bind: Bind, *, older_than_s: float = PRUNE_AFTER_S) -> int: ...

    @overload
    def prune(self, bind: AsyncBind, *, older_than_s: float = PRUNE_AFTER_S) -> Awaitable[int]: ...

    def prune(self, bind: Bind | AsyncBind, *, older_than_s: float = PRUNE_AFTER_S) -> int | Awaitable[int]:
        """
        Forget events that were done so long ago; how many. As for `store`, who commits.

        One that is forgotten would be acted on again, if it came again: keep them longer than deliveries are repeated,
        and than you look back when you read events from the API.

        Raises:
            ConfigurationError: *older_than_s* is no number, or below 0, or more than a century.
        """
        number("prune: older_than_s", older_than_s, zero=True)
        return on(bind, _within(transaction, lambda plain: self._prune(plain, round(older_than_s * 1000))))

    def reconcile(
        self,
        checkouts: Lists,
        engine: Engine,
        *,
        since: datetime | float | None = None,
        handler: Handler | None = None,
        subscriptions: Logs | None = None,
        subscription_id: str | None = None,
        name: str = "default",
        look_back_s: float = LOOK_BACK_S,
        overlap_s: float = OVERLAP_S,
        reads_per_s: float = READS_PER_S,
        lease_s: float = LEASE_S,
    ) -> Reconciled:
        """
        Read the API, and put in the events that never came: a day of lost webhooks loses no order.

        Run it as often as you like, from cron, on any number of hosts, next to endpoints and workers. What it puts in
        is the event that a delivery would have told; if that comes later, it is not fresh, and the other way round.
        The next run goes on where the last complete one began; one that was killed, where it was.

        Args:
            checkouts: A `Checkouts`.
            since: Where the first run of this *name* begins; later runs do not look at it. A datetime with its zone,
                or Unix seconds. What happened before is not put in.
            handler: Does the work of each event at once, as in a block of `once`. None: as `store`, for workers. Which
                functions are refused, and which results, see `work`.
            subscriptions: A `Subscriptions`, with *subscription_id*, whose delivery log is read for comparison, after
                everything else.
            name: One for each account, or each thing that is to be reconciled by itself.
            look_back_s: How long before that a checkout was created which may still be paid: the longest time that you
                give payers, and some more. Refunds are found on checkouts of any age.
            overlap_s: What is looked at again, for clocks that differ; nothing is put in twice by it.
            reads_per_s: Of the 60 that the service allows.
            lease_s: After this another host may go on with the work of one that was killed; 0 for at once.

        Raises:
            ConfigurationError: The tables are not there, no *since* for the first run or one in the future, a setting
                that cannot be meant, or `transactions.begun`.
            CheckoutsError: The API could not be read. Each page that was read until then is in; the next run goes on.
            OperationalError: Of SQLAlchemy, if the database fails; likewise. One that only an event's handler has is
                that event's failure.
        """
        expect(engine, Engine)
        if handler is not None:
            expect_handler("handler", handler, awaited=False)
        run = self._run(since, name, look_back_s, overlap_s, reads_per_s=reads_per_s, lease_s=lease_s)
        log = _both(subscriptions, subscription_id)
        return reconcile(run, Door(self._block, self._put), checkouts, engine, handler=handler, log=log)

    async def reconcile_async(
        self,
        checkouts: AsyncLists,
        engine: AsyncEngine,
        *,
        since: datetime | float | None = None,
        handler: AsyncHandler | None = None,
        subscriptions: AsyncLogs | None = None,
        subscription_id: str | None = None,
        name: str = "default",
        look_back_s: float = LOOK_BACK_S,
        overlap_s: float = OVERLAP_S,
        reads_per_s: float = READS_PER_S,
        lease_s: float = LEASE_S,
    ) -> Reconciled:
        """As `reconcile`, with an `AsyncCheckouts`."""
        expect(engine, AsyncEngine)
        if handler is not None:
            expect_handler("handler", handler, awaited=True)
        run = self._run(since, name, look_back_s, overlap_s, reads_per_s=reads_per_s, lease_s=lease_s)
        log = _both(subscriptions, subscription_id)
        return await reconcile_async(run, Door(self._block, self._put), checkouts, engine, handler=handler, log=log)

    def _block(self, event: Event, bind: Bind | AsyncBind, others: Sequence[str]) -> _Once:
        expect(event, Event)
        return _Once(bind, partial(self._once, event, others))

    def _put(self, event: Event, bind: Bind | AsyncBind, others: Sequence[str]) -> bool | Awaitable[bool]:
        expect(event, Event)
        return on(bind, partial(self._store, event, others))

    @contextmanager
    def _once(self, event: Event, others: Sequence[str], bind: Bind) -> Generator[bool]:
        kind = "failed"
        try:
            with transaction(bind):
                fresh = self._ledger.record(bind, event, self._clock.shared_ms(bind), state=DONE, others=others)
                yield fresh
                if fresh:
                    self._ledger.confirm(bind, event.content_key)
            kind = "done" if fresh else "repeated"
        finally:
            self._tell(Metric(kind, short(event.event_type)))

    def _store(self, event: Event, others: Sequence[str], bind: Bind) -> bool:
        with transaction(bind):
            fresh = self._ledger.record(bind, event, self._clock.shared_ms(bind), state=WAITING, others=others)
        self._tell(Metric("stored" if fresh else "repeated", short(event.event_type)))
        return fresh

    def _prune(self, bind: Bind, age_ms: int) -> int:
        before_ms = self._clock.shared_ms(bind) - age_ms
        self._marks.note_pruned(bind, before_ms)
        return self._ledger.prune(bind, before_ms)

    def _run(
        self,
        since: datetime | float | None,
        name: str,
        look_back_s: float,
        overlap_s: float,
        *,
        reads_per_s: float,
        lease_s: float,
    ) -> Run:
        number("reconcile: look_back_s", look_back_s, zero=True)
        number("reconcile: overlap_s", overlap_s, zero=True)
        number("reconcile: reads_per_s", reads_per_s, zero=False)
        number("reconcile: lease_s", lease_s, zero=True)
        since_ms = None if since is None else unix_ms(since)
        if since_ms is not None and since_ms > self._clock.host_ms() + overlap_s * 1000:
            raise ConfigurationError("reconcile: since is in the future; what happened until then would be passed over")
        return Run(self.tables, name, since_ms, look_back_s, overlap_s, reads_per_s, lease_s, self._clock)

    def _steps(self, policy: Policy) -> Steps:
        return Steps(self._ledger, self.tables, policy, self._clock, self._draw, self._tell)

    def _tell(self, metric: Metric) -> None:
        if self._on_metric is not None:
            try:
                self._on_metric(metric)
            except Exception:  # noqa: BLE001 -- the callback's, and logged
                LOGGER.exception("on_metric failed")


class _Once:
    """A block of one transaction, entered either way."""

    def __init__(self, bind: Bind | AsyncBind, make: Callable[[Bind], AbstractContextManager[bool]]) -> None:
        self._bind, self._make = bind, make

    def __bool__(self) -> bool:
        # It would always be true, and the work done each time.
        raise TypeError("inbox: once is a block, as in `with inbox.once(event, connection) as fresh:`")

    def __enter__(self) -> bool:
        expect(self._bind, *PLAIN)
        return self._open(cast("Bind", self._bind))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._block.__exit__(kind, error, trace)

    async def __aenter__(self) -> bool:
        expect(self._bind, *ASYNC)
        return await cast("AsyncBind", self._bind).run_sync(self._open)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await cast("AsyncBind", self._bind).run_sync(lambda _: self._block.__exit__(kind, error, trace))

    def _open(self, bind: Bind) -> bool:
        self._block = self._make(bind)
        return self._block.__enter__()


def _within(part: Callable[[Bind], AbstractContextManager[None]], act: Callable[[Bind], T]) -> Callable[[Bind], T]:
    """*act*, in such a part of a transaction."""

    def within(bind: Bind) -> T:
        with part(bind):
            return act(bind)

    return within


def _both(subscriptions: T | None, subscription_id: str | None) -> tuple[T, str] | None:
    if subscriptions is not None and subscription_id is not None:
        return subscriptions, subscription_id
    if subscriptions is None and subscription_id is None:
        return None
    raise ConfigurationError("reconcile: subscriptions and subscription_id belong together")
