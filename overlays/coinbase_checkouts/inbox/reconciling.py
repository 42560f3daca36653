"""
What never came, read from the API and put in through the same door: two short loops around the same steps.

A pass reads every checkout that may have an event since the last one: those created since *look_back_s* before, window
by window, and of those that are older the refunded ones. What a window has told is committed before the window counts
as read, and what a pass has told before the next one begins later. So it may be killed at any moment, and run twice.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine

from coinbase_checkouts.errors import CheckoutsError, ConfigurationError
from coinbase_checkouts.handlers import finished, settled
from coinbase_checkouts.sensor import LOGGER
from coinbase_checkouts.webhooks import Event, short
from coinbase_checkouts_api.models import Checkout, CheckoutStatus

from .clocks import Clock
from .history import REFUNDED, TOLD_OF, Past, history, milliseconds
from .marks import Mark, Marks
from .tables import Tables
from .transactions import begun
from .workers import AsyncHandler, Handler

if TYPE_CHECKING:
    from coinbase_webhook_subscriptions_api.models import WebhookEvent

LOOK_BACK_S: Final = 30 * 86400.0
OVERLAP_S: Final = 3600.0
READS_PER_S: Final = 30.0
LEASE_S: Final = 300.0

_DAY_MS: Final = 86_400_000
_MOST_WINDOWS: Final = 64
_PAGE_SIZE: Final = 100
# Of one answer of the delivery log. Source: rule list-events.at-most-50 in spec/webhook-subscriptions.yaml.
_LOG_SIZE: Final = 50


class Pages(Protocol):
    """Of checkouts."""

    def pages(self) -> Iterator[list[Checkout]]: ...


class AsyncPages(Protocol):
    """Of checkouts."""

    def pages(self) -> AsyncIterator[list[Checkout]]: ...


class Lists(Protocol):
    """What is needed of `Checkouts`."""

    def list(
        self,
        *,
        status: Sequence[CheckoutStatus],
        start_time: datetime | None,
        end_time: datetime | None,
        page_size: int,
    ) -> Pages: ...


class AsyncLists(Protocol):
    """What is needed of `AsyncCheckouts`."""

    def list(
        self,
        *,
        status: Sequence[CheckoutStatus],
        start_time: datetime | None,
        end_time: datetime | None,
        page_size: int,
    ) -> AsyncPages: ...


class Logs(Protocol):
    """What is needed of `Subscriptions`."""

    def deliveries(
        self, id: str, *, min_created_at: datetime, max_created_at: datetime | None
    ) -> Sequence[WebhookEvent]: ...


class AsyncLogs(Protocol):
    """What is needed of `AsyncSubscriptions`."""

    async def deliveries(
        self, id: str, *, min_created_at: datetime, max_created_at: datetime | None
    ) -> Sequence[WebhookEvent]: ...


class Door(NamedTuple):
    """
    How an inbox takes an event up: as `Inbox.once` and `Inbox.store`.

    Both also take the keys of other events that this one stands for: not fresh if one of them is known, and else none
    of them will be.
    """

    once: Callable[[Event, Any, Sequence[str]], Any]
    store: Callable[[Event, Any, Sequence[str]], Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """An event whose handler raised: it is undone, and the next run tries again, before what is newer of its checkout."""

    key: str
    event_type: str
    error: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """
    What a reconciliation has come to.

    Attributes:
        complete: Nothing is missing that happened from *since* to *until*, as far as the API tells.
        busy: Another one of this name is, or was, at work; what it does is not done here.
        seen: Checkouts that were read.
        fed: Events that had never come.
        known: Events that had.
        passed_over: Events of before *since*, or of a time of which the inbox has forgotten what it did.
        failures: Events whose handler raised.
        undelivered: What the delivery log says did not arrive, and has no id in the inbox either, by event type; None
            if no subscription was given. The log does not tell whose they are, so this is for comparison with *fed*.
        log_error: Class of the error for which the log could not be read, as of a subscription that was deleted; then
            *undelivered* is None. Nothing else depends on the log.
    """

    since: datetime
    until: datetime
    complete: bool = False
    busy: bool = False
    seen: int = 0
    fed: int = 0
    known: int = 0
    passed_over: int = 0
    failures: tuple[Failure, ...] = ()
    undelivered: Mapping[str, int] | None = None
    log_error: str | None = None


class LeaseLostError(Exception):
    """Another host has gone on with it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Times of creation, in milliseconds; both ends belong to it, and None is without end."""

    start_ms: int | None
    end_ms: int | None

    def query(self) -> dict[str, Any]:
        """The arguments of `list`."""
        return {
            # Of the older ones only those whose story may have gone on.
            "status": REFUNDED if self.start_ms is None else TOLD_OF,
            "start_time": None if self.start_ms is None else moment(self.start_ms),
            "end_time": None if self.end_ms is None else moment(self.end_ms),
            "page_size": _PAGE_SIZE,
        }


def windows(edge_ms: int, reached_ms: int | None, until_ms: int) -> Iterator[Window]:
    """What is left to read of a pass: all before the edge in one, then a day at a time, or more if it is very long."""
    if reached_ms is None:
        yield Window(None, edge_ms)
    width_ms = max(_DAY_MS, (until_ms - edge_ms) // _MOST_WINDOWS)
    start_ms = max(edge_ms, reached_ms or edge_ms)
    while start_ms + width_ms < until_ms:
        yield Window(start_ms, start_ms + width_ms)
        start_ms += width_ms
    yield Window(start_ms, None)


def moment(milliseconds: int) -> datetime:
    """In UTC; what is before 1970 is 1970."""
    return datetime.fromtimestamp(max(0, milliseconds) / 1000, UTC)


def unix_ms(since: datetime | float) -> int:
    """
    Milliseconds since the epoch.

    Raises:
        ConfigurationError: A datetime without its zone, or a number that is no time.
    """
    if isinstance(since, datetime):
        if since.utcoffset() is None:
            raise ConfigurationError("reconcile: since must have a time zone, as datetime.now(UTC) has")
        return milliseconds(since)
    if isinstance(since, bool) or not isinstance(since, int | float) or not 0 <= since < 253_402_300_800:  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
        raise ConfigurationError("reconcile: since must be a datetime, or Unix seconds")
    return round(since * 1000)


@dataclass(slots=True)
class Run:
    """The transactions of one reconciliation, each given a connection that is in one, and what they have come to."""

    tables: Tables
    name: str
    since_ms: int | None
    look_back_s: float
    overlap_s: float
    reads_per_s: float
    lease_s: float
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    lease: str = field(default_factory=lambda: secrets.token_hex(16))
    busy: bool = False
    complete: bool = False
    seen: int = 0
    fed: int = 0
    known: int = 0
    passed_over: int = 0
    failures: list[Failure] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    undelivered: dict[str, int] | None = None
    log_error: str | None = None
    _from_ms: int = 0
    _until_ms: int = 0
    _edge_ms: int = 0
    _reached_ms: int | None = None
    _next_read: float = 0.0

    def begin(self, connection: Connection) -> bool:
        """
        Take up the work where it was left; false if another has it.

        Raises:
            ConfigurationError: The tables are not there, or it has never run and *since* was not given.
        """
        begun(connection)
        if not inspect(connection).has_table(self.tables.marks.name, schema=self.tables.marks.schema):
            raise ConfigurationError(
                f"inbox: there is no table {self.tables.marks}; call create_all, or migrate the database"
            )
        now_ms, shared_ms = self.clock.host_ms(), self.clock.shared_ms(connection)
        until_ms = shared_ms + self._lease_ms()
        mark = self._marks.take(connection, self.name, self.since_ms, shared_ms, lease=self.lease, until_ms=until_ms)
        self._from_ms = self._until_ms = (self.since_ms or now_ms) if mark is None else self._since(mark)
        if mark is None:
            self.busy = True
            return False
        edge_ms = self._from_ms - round(self.look_back_s * 1000)
        pass_ms, self._reached_ms = mark.pass_ms, mark.reached_ms
        if pass_ms is None or mark.edge_ms != edge_ms:
            pass_ms, self._reached_ms = now_ms, None
        self._until_ms, self._edge_ms = pass_ms, edge_ms
        self._hold(connection, pass_ms=pass_ms, edge_ms=edge_ms, reached_ms=self._reached_ms)
        return True

    def windows(self) -> Iterator[Window]:
        """What is left to read."""
        return windows(self._edge_ms, self._reached_ms, self._until_ms)

    def pause_s(self) -> float:
        """How long to wait before the next read, so that others have their part of what the service allows."""
        now = self.monotonic()
        pause_s = max(0.0, self._next_read - now)
        self._next_read = now + pause_s + 1 / self.reads_per_s
        return pause_s

    def missing(self, connection: Connection, page: Sequence[Checkout]) -> list[Past]:
        """
        What happened to the checkouts of *page* that the inbox does not know; of each checkout, the oldest first.

        Raises:
            LeaseLostError: Another goes on with it.
        """
        begun(connection)
        self._hold(connection)
        self.seen += len(page)
        pruned_ms = self._marks.pruned_ms(connection)
        c = self.tables.events.c
        ids = [short(checkout.id) for checkout in page]
        known = set(connection.scalars(select(c.key).where(c.checkout_id.in_(ids))))
        found: list[Past] = []
        # On every host in the same order: two that store the same events wait for each other, and not in a circle.
        told = (history(checkout, now_s=self.clock.host_s()) for checkout in sorted(page, key=lambda one: one.id))
        for past in (past for story in told for past in story):
            if past.latest_ms is not None and past.latest_ms < self._from_ms:
                self.passed_over += 1
            elif past.key in known or not known.isdisjoint(past.others):
                self.known += 1
            elif past.earliest_ms < pruned_ms:
                self.passed_over += 1
            else:
                found.append(past)
        return found

    def stored(self, *, fresh: bool) -> None:
        """Count an event that was put in, unless somebody has come first."""
        self.fed += fresh
        self.known += not fresh

    def failed(self, connection: Connection, past: Past, error: Exception) -> None:
        """
        Note an event whose handler raised. The traceback is the handler's, to be mended with.

        An error of the database may be of this event alone, such as a lock that it waited for, or of all of them; then
        *connection* has it, too, and ends the run.

        Raises:
            LeaseLostError: Another goes on with it.
        """
        LOGGER.error("inbox: %s, which never came, failed", past.key, exc_info=error)
        begun(connection)
        self._hold(connection)
        self.failures.append(Failure(past.key, past.event.event_type, type(error).__name__))
        self.stuck.add(past.event.checkout.id)

    def may_be_done(self, past: Past) -> bool:
        """Whether nothing older of its checkout has failed; else it waits for the next run, too."""
        return past.event.checkout.id not in self.stuck

    def reached(self, connection: Connection, window: Window) -> None:
        """All of *window* is in, unless a handler has raised; then the next run begins with it."""
        begun(connection)
        if not self.failures and window.end_ms is not None:
            self._hold(connection, reached_ms=window.end_ms)

    def finish(self, connection: Connection) -> None:
        """All of it is in, unless a handler has raised."""
        begun(connection)
        if not self.failures:
            self._hold(connection, done_ms=self._until_ms, pass_ms=None, edge_ms=None, reached_ms=None)
            self.complete = True

    def release(self, connection: Connection) -> None:
        """Let the next one begin at once."""
        begun(connection)
        self._marks.release(connection, self.name, self.lease)

    def log(self) -> Generator[datetime | None, Sequence[WebhookEvent], list[WebhookEvent]]:
        """What did not arrive, by the delivery log: asks for the part of it up to a time, again and again."""
        entries: dict[str, WebhookEvent] = {}
        before = None
        while True:
            part = yield before
            fresh = [entry for entry in part if entry.event_id not in entries]
            entries |= {entry.event_id: entry for entry in fresh}
            if len(part) < _LOG_SIZE or not fresh:
                return [entry for entry in entries.values() if entry.status != "succeeded"]
            # Up to the end of its millisecond: what it tells may be finer than what it is asked.
            before = moment(min(milliseconds(entry.created_at) for entry in part) + 1)

    def compare(self, connection: Connection, entries: Sequence[WebhookEvent]) -> None:
        """Count what did not arrive and is not in the inbox by its id either."""
        begun(connection)
        c = self.tables.events.c
        self.undelivered = {}
        for entry in entries:
            if connection.execute(select(c.key).where(c.event_id == short(entry.event_id))).first() is None:
                name = entry.event_type_name
                self.undelivered[name] = self.undelivered.get(name, 0) + 1

    def without_log(self, error: CheckoutsError) -> None:
        """Note that there is nothing to compare with; what was put in is in all the same."""
        LOGGER.warning("inbox: the delivery log could not be read: %s", error)
        self.log_error = type(error).__name__

    def log_since(self) -> datetime:
        """From when on the delivery log is asked for."""
        return moment(self._from_ms)

    def result(self) -> Reconciled:
        """What it has come to."""
        return Reconciled(
            since=moment(self._from_ms),
            until=moment(self._until_ms),
            complete=self.complete,
            busy=self.busy,
            seen=self.seen,
            fed=self.fed,
            known=self.known,
            passed_over=self.passed_over,
            failures=tuple(self.failures),
            undelivered=self.undelivered,
            log_error=self.log_error,
        )

    @property
    def _marks(self) -> Marks:
        return Marks(self.tables.marks)

    def _since(self, mark: Mark) -> int:
        # Never before the first of all: what was then was somebody else's.
        return max(mark.first_ms, mark.done_ms - round(self.overlap_s * 1000))

    def _hold(self, connection: Connection, **values: Any) -> None:
        lease_ms = self.clock.shared_ms(connection) + self._lease_ms()
        if not self._marks.hold(connection, self.name, self.lease, lease_ms=lease_ms, **values):
            self.busy = True
            raise LeaseLostError

    def _lease_ms(self) -> int:
        return round(self.lease_s * 1000)


def reconcile(
    run: Run,
    door: Door,
    checkouts: Lists,
    engine: Engine,
    *,
    handler: Handler | None,
    log: tuple[Logs, str] | None,
) -> Reconciled:
    """See `Inbox.reconcile`."""
    with engine.begin() as connection:
        if not run.begin(connection):
            return run.result()
    try:
        for window in run.windows():
            pages = checkouts.list(**window.query()).pages()
            while True:
                time.sleep(run.pause_s())
                if (page := next(pages, None)) is None:
                    break
                _feed(run, door, engine, page, handler)
            with engine.begin() as connection:
                run.reached(connection, window)
        with engine.begin() as connection:
            run.finish(connection)
        if log is not None:
            _compare(run, engine, *log)
    except LeaseLostError:
        LOGGER.warning("inbox: another host has taken over the reconciliation %s", run.name)
    finally:
        with engine.begin() as connection:
            run.release(connection)
    return run.result()


def _compare(run: Run, engine: Engine, subscriptions: Logs, subscription_id: str) -> None:
    steps = run.log()
    before = next(steps)
    try:
        while True:
            time.sleep(run.pause_s())
            found = subscriptions.deliveries(subscription_id, min_created_at=run.log_since(), max_created_at=before)
            before = steps.send(found)
    except StopIteration as stop:
        with engine.begin() as connection:
            run.compare(connection, stop.value)
    except CheckoutsError as exc:
        run.without_log(exc)


def _feed(
    run: Run,
    door: Door,
    engine: Engine,
    page: Sequence[Checkout],
    handler: Handler | None,
) -> None:
    """Put in what is missing of a page: all of it in one transaction for the workers, or each with its work in its own."""
    with engine.begin() as connection:
        missing = run.missing(connection, page)
        if handler is None:
            for past in missing:
                run.stored(fresh=door.store(past.event, connection, past.others))
            return
    for past in filter(run.may_be_done, missing):
        try:
            with engine.connect() as connection, door.once(past.event, connection, past.others) as fresh:
                if fresh:
                    settled("handler", handler(past.event, connection))
        except Exception as exc:  # noqa: BLE001 -- the handler's, and logged
            with engine.begin() as connection:
                run.failed(connection, past, exc)
        else:
            run.stored(fresh=fresh)


async def reconcile_async(
    run: Run,
    door: Door,
    checkouts: AsyncLists,
    engine: AsyncEngine,
    *,
    handler: AsyncHandler | None,
    log: tuple[AsyncLogs, str] | None,
) -> Reconciled:
    """As `reconcile`."""
    async with engine.begin() as connection:
        if not await connection.run_sync(run.begin):
            return run.result()
    try:
        for window in run.windows():
            pages = checkouts.list(**window.query()).pages()
            while True:
                await asyncio.sleep(run.pause_s())
                if (page := await anext(pages, None)) is None:
                    break
                await _feed_async(run, door, engine, page, handler)
            async with engine.begin() as connection:
                await connection.run_sync(run.reached, window)
        async with engine.begin() as connection:
            await connection.run_sync(run.finish)
        if log is not None:
            await _compare_async(run, engine, *log)
    except LeaseLostError:
        LOGGER.warning("inbox: another host has taken over the reconciliation %s", run.name)
    finally:
        async with engine.begin() as connection:
            await connection.run_sync(run.release)
    return run.result()


async def _compare_async(run: Run, engine: AsyncEngine, subscriptions: AsyncLogs, subscription_id: str) -> None:
    steps = run.log()
    before = next(steps)
    try:
        while True:
            await asyncio.sleep(run.pause_s())
            found = await subscriptions.deliveries(
                subscription_id, min_created_at=run.log_since(), max_created_at=before
            )
            before = steps.send(found)
    except StopIteration as stop:
        async with engine.begin() as connection:
            await connection.run_sync(run.compare, stop.value)
    except CheckoutsError as exc:
        run.without_log(exc)


async def _feed_async(
    run: Run,
    door: Door,
    engine: AsyncEngine,
    page: Sequence[Checkout],
    handler: AsyncHandler | None,
) -> None:
    """As `_feed`."""
    async with engine.begin() as connection:
        missing = await connection.run_sync(run.missing, page)
        if handler is None:
            for past in missing:
                run.stored(fresh=await door.store(past.event, connection, past.others))
            return
    for past in filter(run.may_be_done, missing):
        try:
            async with engine.connect() as connection, door.once(past.event, connection, past.others) as fresh:
                if fresh:
                    await finished("handler", handler(past.event, connection))
        except Exception as exc:  # noqa: BLE001 -- the handler's, and logged
            async with engine.begin() as connection:
                await connection.run_sync(run.failed, past, exc)
        else:
            run.stored(fresh=fresh)
