"""Reconciliation, step by step: where it begins and goes on, what it passes over, what goes wrong."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from coinbase_checkouts import (
    ApiKey,
    AsyncCheckouts,
    AsyncSubscriptions,
    Checkout,
    Checkouts,
    Event,
    Subscriptions,
)
from coinbase_checkouts.errors import ConfigurationError, NoResponseError
from coinbase_checkouts.inbox import Inbox, Reconciled
from coinbase_checkouts.inbox.history import history, milliseconds
from coinbase_checkouts.inbox.reconciling import Run, Window, windows
from coinbase_checkouts_sandbox import Sandbox

from ..postgres import Postgres
from .conftest import Reply, Server
from .reconciler import DONE, SHOP, as_sent, done, opened, what, work

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
DAY_MS = 86_400_000
Page = list[Checkout]


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(port=0) as running:
        yield running


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.reset()
    return shared


@pytest.fixture
def key(sandbox: Sandbox) -> ApiKey:
    return ApiKey(sandbox.key["id"], sandbox.key["privateKey"])


@pytest.fixture
def shop(sandbox: Sandbox, key: ApiKey) -> Iterator[Checkouts]:
    with Checkouts(key, base_url=sandbox.base_url) as made:
        yield made


@pytest.fixture
def box(sandbox: Sandbox) -> Inbox:
    return Inbox(clock=lambda: sandbox.now.timestamp())  # noqa: PLW0108 -- asked each time


@pytest.fixture
def engine(box: Inbox, tmp_path: Path) -> Iterator[Engine]:
    engine = opened(f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    SHOP.create_all(engine)
    box.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
async def async_engine(engine: Engine) -> Any:
    made = create_async_engine(str(engine.url).replace("sqlite:", "sqlite+aiosqlite:"))
    yield made
    await made.dispose()


@pytest.fixture
def run(box: Inbox, engine: Engine, shop: Checkouts) -> Callable[..., Reconciled]:
    """A run, of the checkouts of the shop or of other ones."""

    def reconciled(checkouts: Any = None, **more: Any) -> Reconciled:
        given: dict[str, Any] = {"handler": work, "reads_per_s": 1000.0, **more}
        return box.reconcile(checkouts or shop, engine, **given)

    return reconciled


def paid(sandbox: Sandbox, shop: Checkouts, *, days: int = 100) -> Checkout:
    checkout = shop.create("10.00", expires_at=sandbox.now + timedelta(days=days))
    sandbox.pay(checkout.id)
    return shop.get(checkout.id)


def payment(checkout: Checkout) -> str:
    return f"{checkout.id}:checkout.payment.success:0"


async def do(event: Event, connection: AsyncConnection) -> None:
    """The merchant's work, in asyncio."""
    await connection.run_sync(partial(work, event))


# Where it begins, and goes on.


def test_it_goes_on_where_it_was(
    sandbox: Sandbox, shop: Checkouts, run: Callable[..., Reconciled], engine: Engine
) -> None:
    """
    The first run begins at *since*, the next one where the first began, and nothing that came between is lost.
    """
    before = paid(sandbox, shop)
    since = sandbox.advance(10)
    first = paid(sandbox, shop)
    told = run(since=since)
    assert (since, 1, 1) == (told.since, told.fed, told.passed_over)
    assert [payment(first)] == done(engine)
    sandbox.advance(7200)
    second = paid(sandbox, shop)
    again = run()
    # What it looks at again is never what was before the first run.
    assert (since, 1) == (again.since, again.fed)
    assert [payment(first), payment(second)] == done(engine)
    assert payment(before) not in done(engine)
    # Later runs do not look at it: nobody skips a time by mistake.
    assert again.until - timedelta(hours=1) == run(since=sandbox.now).since


def test_created_before_and_paid_after(
    sandbox: Sandbox, shop: Checkouts, run: Callable[..., Reconciled], engine: Engine
) -> None:
    """
    A checkout that was created before is read as far back as *look_back_s*, and one that was refunded however old.
    """
    checkout = shop.create("10.00", expires_at=sandbox.now + timedelta(days=100))
    old = paid(sandbox, shop)
    since = sandbox.advance(timedelta(days=40))
    sandbox.pay(checkout.id)
    refund = shop.refund(old.id, "4.00").refund
    sandbox.settle(old.id, refund.id)
    assert 2 == run(since=since).fed
    assert sorted([payment(old), f"{old.id}:checkout.refund.success:1"]) == sorted(done(engine))
    assert 1 == run(look_back_s=41 * 86400.0).fed
    assert payment(checkout) == done(engine)[-1]


class Torn:
    """Pages that end with an error."""

    def __init__(self, shop: Checkouts, reads: int) -> None:
        self._shop = shop
        self.left = reads

    def list(self, **query: Any) -> Any:
        self._listing = self._shop.list(**query)
        return self

    def pages(self) -> Iterator[Page]:
        for page in self._listing.pages():
            if self.left == 0:
                raise NoResponseError("listCheckouts: no answer")
            self.left -= 1
            yield page


def test_an_outage_in_the_middle(sandbox: Sandbox, shop: Checkouts, box: Inbox, engine: Engine) -> None:
    """
    What was read before the API failed is in; the next run reads only the rest, and then all counts as done.
    """
    since = sandbox.now
    for _ in range(4):
        paid(sandbox, shop)
        sandbox.advance(timedelta(days=1))
    torn = Torn(shop, 34)
    with pytest.raises(NoResponseError):
        box.reconcile(torn, engine, since=since, handler=work, reads_per_s=1000.0)
    assert 0 < len(done(engine)) < 4
    late = paid(sandbox, shop)
    sandbox.advance(timedelta(days=1))
    rest = Torn(shop, 1000)
    result = box.reconcile(rest, engine, handler=work, reads_per_s=1000.0)
    assert result.complete
    assert 1000 - rest.left < 10
    assert (5, True) == (len(done(engine)), payment(late) in done(engine))
    # As of the time when it began for the first time.
    assert result.until < late.created_at


@pytest.mark.parametrize("handler", [work, None])
def test_an_outage_between_pages(
    sandbox: Sandbox,
    shop: Checkouts,
    run: Callable[..., Reconciled],
    monkeypatch: pytest.MonkeyPatch,
    handler: Callable[..., Any] | None,
) -> None:
    """
    Of a day that fills several pages, those that were read before the API failed are in; they are read again, as known.
    """
    monkeypatch.setattr("coinbase_checkouts.inbox.reconciling._PAGE_SIZE", 2)
    since = sandbox.now
    for _ in range(5):
        paid(sandbox, shop)
    settings: dict[str, Any] = {"since": since, "look_back_s": 0.0, "handler": handler}
    # The first page is that of older checkouts that were refunded, and empty.
    with pytest.raises(NoResponseError):
        run(Torn(shop, 2), **settings)
    again = run(**settings)
    assert (3, 2, True) == (again.fed, again.known, again.complete)


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (None, "'default' has never run here"),
        (datetime(2026, 1, 1), "must have a time zone"),  # noqa: DTZ001 -- just that
        (True, "must be a datetime"),
        (-1, "must be a datetime"),
        (float("nan"), "must be a datetime"),
        ("2026-01-01", "must be a datetime"),
    ],
)
def test_when_it_cannot_begin(since: Any, told: str, run: Callable[..., Reconciled]) -> None:
    """
    Without a time to begin with nothing is read; nor with one that might be another than was meant.
    """
    with pytest.raises(ConfigurationError, match=told):
        run(since=since)


def test_what_it_needs(box: Inbox, shop: Checkouts, run: Callable[..., Reconciled], tmp_path: Path) -> None:
    """
    The tables have to be there, and a subscription has two parts.
    """
    with pytest.raises(ConfigurationError, match="no table coinbase_inbox_marks"):
        box.reconcile(shop, create_engine(f"sqlite:///{tmp_path / 'empty'}"), since=0)
    with pytest.raises(ConfigurationError, match="belong together"):
        run(since=0, subscription_id="4f8e2a31-7c55-4b0e-9a0f-2d9b6a1c7e10")


@pytest.mark.parametrize(
    "setting",
    [
        {"reads_per_s": 0},
        {"reads_per_s": -1.0},
        {"reads_per_s": float("inf")},
        {"look_back_s": -1},
        {"look_back_s": float("nan")},
        {"overlap_s": -1},
        {"overlap_s": None},
        {"lease_s": -1},
        {"lease_s": float("inf")},
    ],
)
def test_settings_that_cannot_be_meant(setting: dict[str, Any], run: Callable[..., Reconciled]) -> None:
    """
    What would never read, or look into the future, is refused with the name of the setting.
    """
    with pytest.raises(ConfigurationError, match=f"reconcile: {next(iter(setting))} must be a number"):
        run(since=0, **setting)


def test_since_is_not_to_come(sandbox: Sandbox, run: Callable[..., Reconciled]) -> None:
    """
    A first run that began in the future would pass over all until then; clocks that differ by the overlap are none.
    """
    with pytest.raises(ConfigurationError, match="since is in the future"):
        run(since=sandbox.now + timedelta(seconds=3602))
    assert run(since=sandbox.now + timedelta(seconds=3598)).complete


def test_windows() -> None:
    """
    All before the edge, then a day at a time, the last one without end; many days are fewer, wider windows.
    """
    day = DAY_MS
    assert [Window(None, day), Window(day, 2 * day), Window(2 * day, 3 * day), Window(3 * day, None)] == list(
        windows(day, None, 3 * day + 1)
    )
    assert [Window(2 * day, None)] == list(windows(day, 2 * day, 2 * day + 1))
    assert [Window(None, 5), Window(5, None)] == list(windows(5, None, 5))
    assert 66 > len(list(windows(0, None, 10_000 * day)))


def test_reads_are_spread(box: Inbox) -> None:
    """
    Reads come no faster than they are allowed to, however fast the answers are.
    """
    now = [100.0]
    run = Run(box.tables, "", None, 0.0, 0.0, 10.0, 1.0, box._clock, monotonic=lambda: now[0])
    pauses = [run.pause_s() for _ in range(3)]
    now[0] = 200.0
    assert [0.0, pytest.approx(0.1), pytest.approx(0.2), 0.0] == [*pauses, run.pause_s()]


# What it passes over.


def test_what_was_pruned_is_not_put_in_again(
    sandbox: Sandbox, shop: Checkouts, box: Inbox, run: Callable[..., Reconciled], engine: Engine
) -> None:
    """
    What the inbox has forgotten it had done is not done again, whoever looks that far back.
    """
    since = sandbox.now
    paid(sandbox, shop)
    assert 1 == run(since=since).fed
    sandbox.advance(60)
    with engine.connect() as connection:
        assert 1 == box.prune(connection, older_than_s=1)
        assert 0 == box.prune(connection, older_than_s=50)
    later = paid(sandbox, shop)
    result = run(since=since, name="another")
    assert (1, 1) == (result.fed, result.passed_over)
    assert payment(later) == done(engine)[-1]


# What goes wrong.


def refusing(event: Event, connection: Connection) -> None:
    work(event, connection)
    raise ValueError("somebody's data")


def test_a_handler_that_raises(
    sandbox: Sandbox, shop: Checkouts, run: Callable[..., Reconciled], engine: Engine
) -> None:
    """
    Its event is undone and named, other checkouts go on, and the run is not complete; the next one tries again, and
    what is newer of this checkout has waited for it.
    """
    since = sandbox.now
    checkout = paid(sandbox, shop)
    sandbox.settle(checkout.id, shop.refund(checkout.id, "1.00").refund.id)
    result = run(since=since, handler=refusing)
    (failure,) = result.failures
    named = (f"{checkout.id}:checkout.payment.success", "checkout.payment.success", "ValueError")
    assert named == dataclasses.astuple(failure)
    assert (False, 0, []) == (result.complete, result.fed, done(engine))
    assert run().complete
    assert [payment(checkout), f"{checkout.id}:checkout.refund.success:1"] == done(engine)


@pytest.mark.anyio
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_handler_that_returns_its_work(
    sandbox: Sandbox,
    shop: Checkouts,
    run: Callable[..., Reconciled],
    go: Callable[..., Any],
    engine: Engine,
    *,
    asynchronous: bool,
) -> None:
    """
    A handler that returns what is still to be done has failed, and its event is not in.
    """
    since = sandbox.now
    paid(sandbox, shop)

    def lazy(event: Event, connection: Any) -> Any:
        return do(event, connection)

    async def lazier(event: Event, connection: Any) -> Any:
        return do(event, connection)

    result = await go(handler=lazier) if asynchronous else run(since=since, handler=lazy)
    assert (False, ["TypeError"]) == (result.complete, [one.error for one in result.failures])
    assert run().complete
    assert 1 == len(done(engine))


def vanish(event: Event, connection: Connection) -> None:
    """Work during which the connection is cut, and after which nobody can make another one."""
    file = Path(str(connection.engine.url.database))
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    connection.invalidate()
    work(event, connection)


def come_back(engine: Engine) -> None:
    file = Path(str(engine.url.database))
    file.rmdir()
    file.with_suffix(".away").rename(file)


def test_a_database_that_fails(
    sandbox: Sandbox, shop: Checkouts, run: Callable[..., Reconciled], engine: Engine
) -> None:
    """
    That is of no event in particular, and ends the run.
    """
    since = sandbox.now
    paid(sandbox, shop)
    with pytest.raises(OperationalError, match="unable to open"):
        run(since=since, handler=vanish, lease_s=0.0)
    come_back(engine)
    assert 1 == run().fed


def times_out(connection: Connection) -> None:
    """An error of one statement alone, of the class of a database that does not answer."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 10")
        connection.exec_driver_sql("SELECT pg_sleep(10)")
    connection.exec_driver_sql("SELECT * FROM nowhere")


def ends(connection: Connection) -> None:
    connection.rollback()


def commits(connection: Connection) -> None:
    connection.commit()


def catches(connection: Connection) -> None:
    """A statement that fails, after which PostgreSQL takes no other, and SQLite has undone those before it."""
    again = insert(DONE).values(number=-1).prefix_with("OR ROLLBACK", dialect="sqlite")
    connection.execute(again)
    with pytest.raises(IntegrityError):
        connection.execute(again)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, box: Inbox) -> Iterator[Engine]:
    """The shop's database, on both."""
    if request.param == "sqlite":
        yield request.getfixturevalue("engine")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    engine = create_engine(postgres.database())
    SHOP.create_all(engine)
    box.create_all(engine)
    yield engine
    engine.dispose()


@pytest.mark.anyio
@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize(
    ("happens", "error", "left"),
    [
        (times_out, "OperationalError", 1),
        (ends, "TransactionError", 1),
        (catches, "TransactionError", 1),
        (commits, "TransactionError", 0),
    ],
)
async def test_one_event_is_in_nobodys_way(
    sandbox: Sandbox,
    shop: Checkouts,
    key: ApiKey,
    box: Inbox,
    *,
    either: Engine,
    happens: Callable[[Connection], None],
    error: str,
    left: int,
    sync: bool,
) -> None:
    """
    An event whose statement the database refuses, or whose work would not be committed, is a failure, and not passed
    over; all others go on.
    """
    since = sandbox.now
    first, *_ = checkouts = [paid(sandbox, shop) for _ in range(3)]

    def handler(event: Event, connection: Connection) -> None:
        work(event, connection)
        if event.checkout.id == first.id:
            happens(connection)

    async def reconcile(handler: Callable[[Event, Connection], None]) -> Reconciled:
        if sync:
            return box.reconcile(shop, either, since=since, handler=handler, look_back_s=0.0)
        asynchronous = create_async_engine(either.url.set(drivername=DRIVERS[either.dialect.name]))

        async def awaited(event: Event, connection: AsyncConnection) -> None:
            await connection.run_sync(partial(handler, event))

        async with AsyncCheckouts(key, base_url=sandbox.base_url) as source:
            result = await box.reconcile_async(source, asynchronous, since=since, handler=awaited, look_back_s=0.0)
        await asynchronous.dispose()
        return result

    before, after = [await reconcile(one) for one in (handler, work)]
    assert (False, 2, [(f"{first.id}:checkout.payment.success", error)]) == (
        before.complete,
        before.fed,
        [(failure.key, failure.error) for failure in before.failures],
    )
    assert (True, left) == (after.complete, after.fed)
    assert sorted(map(payment, checkouts)) == sorted(done(either))


def test_another_host_goes_on(
    sandbox: Sandbox, shop: Checkouts, run: Callable[..., Reconciled], engine: Engine
) -> None:
    """
    One that was thought dead notices that another has taken over, and leaves the rest to it.
    """
    since = sandbox.now
    paid(sandbox, shop)
    others: list[Reconciled] = []

    class Slow:
        def list(self, **query: Any) -> Any:
            self._listing = shop.list(**query)
            return self

        def pages(self) -> Iterator[Page]:
            if not others:
                others.append(run(lease_s=0.0))
            yield from self._listing.pages()

    result = run(Slow(), since=since, lease_s=0.0)
    assert (True, False) == (result.busy, result.complete)
    assert (True, 1, 1) == (others[0].complete, others[0].fed, len(done(engine)))


@pytest.mark.anyio
@pytest.mark.parametrize("sync", [True, False])
async def test_what_comes_in_between(
    sandbox: Sandbox, shop: Checkouts, key: ApiKey, engine: Engine, async_engine: AsyncEngine, *, sync: bool
) -> None:
    """
    An event that is delivered just before it would be put in is known.
    """
    since = sandbox.now
    both = [past.event for _ in range(2) for past in history(paid(sandbox, shop), now_s=0.0)]

    def come(_: object) -> None:
        for event in both:
            with engine.connect() as connection, Inbox().once(event, connection):
                pass

    box = Inbox(on_metric=come)
    if sync:
        result = box.reconcile(shop, engine, since=since, handler=work)
    else:
        async with AsyncCheckouts(key, base_url=sandbox.base_url) as checkouts:
            result = await box.reconcile_async(checkouts, async_engine, since=since, handler=do)
    assert (True, 1, 1) == (result.complete, result.fed, result.known)


def test_what_stands_for_another_comes_in_between(
    sandbox: Sandbox, shop: Checkouts, engine: Engine, told: Callable[[], list[Event]]
) -> None:
    """
    Of two refunds the later one failed first, which nobody can know; and just before the other would be put in in its
    place, its delivery comes. It is one event, and done once.
    """
    since = sandbox.now
    checkout = paid(sandbox, shop)
    refunds = [shop.refund(checkout.id, "1.00").refund.id for _ in range(2)]
    for refund_id in reversed(refunds):
        sandbox.settle(checkout.id, refund_id, "FAILED")
    _, first, _ = told()

    def comes(_: object) -> None:
        with engine.connect() as connection, Inbox().once(first, connection) as fresh:
            if fresh:
                work(first, connection)

    result = Inbox(on_metric=comes).reconcile(shop, engine, since=since, handler=work)
    assert (True, 2, 1) == (result.complete, result.fed, result.known)
    assert sorted(map(what, told())) == sorted(done(engine))


def test_while_another_is_at_work(sandbox: Sandbox, run: Callable[..., Reconciled]) -> None:
    """
    The second does nothing at all.
    """
    told: list[Reconciled] = []

    class Slow:
        def list(self, **_: Any) -> Any:
            return self

        def pages(self) -> Iterator[Page]:
            told.append(run())
            yield from ()

    assert run(Slow(), since=sandbox.now).complete
    assert (True, False, 0) == (told[0].busy, told[0].complete, told[0].seen)


# The delivery log.


def test_the_log_for_comparison(
    sandbox: Sandbox,
    key: ApiKey,
    shop: Checkouts,
    run: Callable[..., Reconciled],
    engine: Engine,
    *,
    server: Server,
) -> None:
    """
    Of the log, all of it however long, what did not arrive is counted by type.
    """
    server.answer(*[{}] * 10, Reply(500))
    since = sandbox.now
    with Subscriptions(key, base_url=sandbox.base_url) as subscriptions:
        subscription = subscriptions.create(server.url)
        for number in range(65):
            paid(sandbox, shop) if number % 5 else sandbox.pay(shop.create("1.00").id, "FAILED")
        sandbox.flush()
        assert subscription.secret is not None
        # The endpoint acted on this one, and then did not live to say so.
        request = server.received[-1]
        event = as_sent(request.body, request.headers, subscription.secret.reveal())
        with engine.connect() as connection, Inbox().once(event, connection):
            pass
        result = run(since=since, subscriptions=subscriptions, subscription_id=subscription.id)
    assert result.undelivered is not None
    assert (64, 1, 54) == (result.fed, result.known, sum(result.undelivered.values()))
    assert {"checkout.payment.success", "checkout.payment.failed"} == set(result.undelivered)


@pytest.mark.anyio
@pytest.mark.parametrize("sync", [True, False])
async def test_a_log_that_cannot_be_read(
    sandbox: Sandbox,
    shop: Checkouts,
    key: ApiKey,
    run: Callable[..., Reconciled],
    go: Callable[..., Any],
    *,
    caplog: pytest.LogCaptureFixture,
    sync: bool,
) -> None:
    """
    Where the subscription was deleted there is nothing to compare with; what never came is put in, and all is complete.
    """
    since = sandbox.now
    paid(sandbox, shop)
    with Subscriptions(key, base_url=sandbox.base_url) as subscriptions:
        gone = subscriptions.create("http://127.0.0.1:9/hook").id
        subscriptions.delete(gone)
        result = run(since=since, subscriptions=subscriptions, subscription_id=gone) if sync else None
    if result is None:
        async with AsyncSubscriptions(key, base_url=sandbox.base_url) as asynchronous:
            result = await go(since=since, subscriptions=asynchronous, subscription_id=gone)
    assert (True, 1, None, "NotFoundError") == (result.complete, result.fed, result.undelivered, result.log_error)
    assert caplog.messages[-1].startswith("inbox: the delivery log could not be read: ")


# In async code.


class TornAsync:
    """Pages of asyncio, during which something happens."""

    def __init__(self, shop: AsyncCheckouts, happens: Callable[[], Any]) -> None:
        self._shop = shop
        self._happens = happens

    def list(self, **query: Any) -> Any:
        self._listing = self._shop.list(**query)
        return self

    async def pages(self) -> AsyncIterator[Page]:
        await self._happens()
        async for page in self._listing.pages():
            yield page


@pytest.fixture
async def go(box: Inbox, key: ApiKey, sandbox: Sandbox, async_engine: AsyncEngine) -> AsyncIterator[Callable[..., Any]]:
    """A run in asyncio, since yesterday; during the reading of each window something may happen."""
    async with AsyncCheckouts(key, base_url=sandbox.base_url) as checkouts:

        async def run(during: Callable[[], Any] | None = None, **more: Any) -> Reconciled:
            given: dict[str, Any] = {
                "since": sandbox.now - timedelta(days=1),
                "look_back_s": 0.0,
                "handler": do,
                **more,
            }
            source = checkouts if during is None else TornAsync(checkouts, during)
            return await box.reconcile_async(source, async_engine, **given)

        yield run


@pytest.mark.anyio
async def test_handlers_that_raise_in_async_code(
    go: Callable[..., Any], sandbox: Sandbox, shop: Checkouts, engine: Engine
) -> None:
    """
    As in the other: an event's own error is named, the database's ends the run.
    """
    paid(sandbox, shop)

    async def refuses(_: Event, __: AsyncConnection) -> None:
        raise ValueError

    async def fails(event: Event, connection: AsyncConnection) -> None:
        await connection.run_sync(partial(vanish, event))

    refused = await go(handler=refuses)
    assert (False, ["ValueError"]) == (refused.complete, [one.error for one in refused.failures])
    with pytest.raises(OperationalError, match="unable to open"):
        await go(handler=fails, lease_s=0.0)
    come_back(engine)
    assert (True, 1) == ((await go()).complete, len(done(engine)))


@pytest.mark.anyio
@pytest.mark.parametrize(("lease_s", "first_ends"), [(0.0, False), (300.0, True)])
async def test_other_hosts_in_async_code(
    go: Callable[..., Any], sandbox: Sandbox, shop: Checkouts, engine: Engine, *, lease_s: float, first_ends: bool
) -> None:
    """
    As in the other: one of them does it, the one whose lease has gone or the one that comes second leaves it.
    """
    paid(sandbox, shop)
    others: list[Reconciled] = []

    async def comes_too() -> None:
        if not others:
            others.append(await go())

    first = await go(comes_too, lease_s=lease_s)
    assert (first_ends, not first_ends) == (first.complete, first.busy)
    assert (not first_ends, first_ends) == (others[0].complete, others[0].busy)
    assert 1 == len(done(engine))


@pytest.mark.anyio
async def test_the_log_in_async_code(
    go: Callable[..., Any], sandbox: Sandbox, key: ApiKey, shop: Checkouts, server: Server
) -> None:
    """
    As in the other.
    """
    server.answer(Reply(500))
    async with AsyncSubscriptions(key, base_url=sandbox.base_url) as subscriptions:
        subscription = await subscriptions.create(server.url)
        paid(sandbox, shop)
        sandbox.flush()
        result = await go(subscriptions=subscriptions, subscription_id=subscription.id)
    assert (1, {"checkout.payment.success": 1}) == (result.fed, result.undelivered)


# What is made of a checkout.


def told_of(checkout: dict[str, Any], **more: Any) -> list[Any]:
    return history(Checkout.from_dict({**checkout, **more}), now_s=0.0)


def refund(number: int, status: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "checkoutId": "c",
        "amount": "1.00",
        "status": status,
        "createdAt": "2026-11-20T11:00:00Z",
        **more,
    }


def test_nothing_is_told_of_what_is_not_decided(checkout_json: dict[str, Any]) -> None:
    """
    No event is documented of creation, PROCESSING or deactivation, nor of a status that nobody knows.
    """
    assert [] == [
        past
        for status in ("ACTIVE", "PROCESSING", "DEACTIVATED", "NEWS")
        for past in told_of(checkout_json, status=status)
    ]


def test_when_it_was(checkout_json: dict[str, Any]) -> None:
    """
    A payment was when the checkout was updated; where that says nothing, since it was created.
    """
    (changed,) = told_of(checkout_json)
    assert changed.earliest_ms == changed.latest_ms == milliseconds(datetime(2026, 11, 20, 10, 31, 0, 250000, UTC))
    (unchanged,) = told_of(checkout_json, status="FAILED", updatedAt=checkout_json["createdAt"])
    assert (milliseconds(datetime(2026, 11, 20, 10, 30, tzinfo=UTC)), None) == (
        unchanged.earliest_ms,
        unchanged.latest_ms,
    )
    # A time whose zone is missing is in UTC.
    (bare,) = told_of(checkout_json, updatedAt="2026-11-20T10:31:00.250000")
    assert changed.latest_ms == bare.latest_ms


def test_which_of_two_refunds_was_first_may_not_be_known(checkout_json: dict[str, Any]) -> None:
    """
    At the same time either may have been: so the first is known by the name of either, and the second by both.
    """
    at = "2026-11-20T12:00:00Z"
    refunds = [refund(1, completedAt=at), refund(2, completedAt=at)]
    _, first, second = told_of(checkout_json, status="PARTIALLY_REFUNDED", refunds=refunds, amount="2.00")
    name = f"{checkout_json['id']}:checkout.refund.success"
    assert {f"{name}:r1", f"{name}:r2"} == {first.key, *first.others}
    assert [f"{name}:r1:r2"] == [second.key, *second.others]


def test_times_tell_which_was_first(checkout_json: dict[str, Any]) -> None:
    """
    Of refunds that ended at different times the order is known; of failures, of which no time is told, it is not; and
    of very many nobody asks.
    """
    ended = [refund(number, completedAt=f"2026-11-20T12:0{number}:00Z") for number in range(9)]
    assert not any(past.others for past in told_of(checkout_json, status="PARTIALLY_REFUNDED", refunds=ended[:8]))
    failed = [refund(number, "FAILED") for number in range(3)]
    checkout_json["updatedAt"] = "2026-11-20T12:00:00Z"
    assert [0, 2, 2, 0] == [len(past.others) for past in told_of(checkout_json, refunds=failed)]
    many = [refund(number, "FAILED") for number in range(9)]
    assert not any(past.others for past in told_of(checkout_json, refunds=many))


@pytest.mark.parametrize(
    ("amounts", "statuses"),
    [
        (["1.00", "1.00"], ["COMPLETED", "REFUNDED", "REFUNDED"]),
        (["0.00", "1.00"], ["COMPLETED", "COMPLETED", "REFUNDED"]),
        (["?", "1.00"], ["COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"]),
    ],
)
def test_the_status_of_then(amounts: Sequence[str], statuses: list[str], checkout_json: dict[str, Any]) -> None:
    """
    Each event has the status of its time, as far as the amounts tell; the last one has the present's.
    """
    refunds = [
        refund(
            number, amount=amount, createdAt=f"2026-11-20T1{number}:00:00Z", completedAt=f"2026-11-20T1{number}:30:00Z"
        )
        for number, amount in enumerate(amounts)
    ]
    found = told_of(checkout_json, amount="1.00", status="REFUNDED", refundedAmount="1.00", refunds=refunds)
    assert statuses == [str(past.event.checkout.status) for past in found]


def test_refunds_of_what_was_never_paid(checkout_json: dict[str, Any]) -> None:
    """
    What cannot be is told as it is.
    """
    first, second = told_of(checkout_json, status="FAILED", refunds=[refund(1, "FAILED")])
    assert ("FAILED", "checkout.refund.failed") == (str(first.event.checkout.status), second.event.event_type)


# Whatever happens.


class World:
    """A shop where things happen by chance."""

    def __init__(self, sandbox: Sandbox, shop: Checkouts, chance: random.Random) -> None:
        self.sandbox, self.shop, self.chance = sandbox, shop, chance
        self.unpaid: list[str] = []
        self.paid: list[str] = []
        self.refunds: list[tuple[str, str]] = []

    def happen(self) -> None:
        """One thing that can."""
        possible = [self.create] + [self.pay] * 2 * bool(self.unpaid)
        possible += [self.refund] * 3 * bool(self.paid) + [self.settle] * 3 * bool(self.refunds)
        self.chance.choice(possible)()

    def create(self) -> None:
        self.unpaid.append(self.shop.create("10.00", expires_at=self.sandbox.now + timedelta(days=100)).id)

    def pay(self) -> None:
        checkout = self.unpaid.pop(self.chance.randrange(len(self.unpaid)))
        outcome = self.chance.choice(["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"])
        self.sandbox.pay(checkout, outcome)
        if outcome == "COMPLETED":
            # Each of its five refunds at any time.
            self.paid += [checkout] * 5

    def refund(self) -> None:
        checkout = self.paid.pop(self.chance.randrange(len(self.paid)))
        self.refunds.append((checkout, self.shop.refund(checkout, "1.00").refund.id))

    def settle(self) -> None:
        checkout, refund_id = self.refunds.pop(self.chance.randrange(len(self.refunds)))
        self.sandbox.settle(checkout, refund_id, self.chance.choice(["COMPLETED", "FAILED"]))


@pytest.fixture
def told(sandbox: Sandbox, key: ApiKey, server: Server) -> Callable[[], list[Event]]:
    """All that was delivered so far, as it would have been verified then."""
    server.answer({})
    with Subscriptions(key, base_url=sandbox.base_url) as subscriptions:
        secret = subscriptions.create(server.url).secret
    assert secret is not None

    def read() -> list[Event]:
        sandbox.flush()
        return [as_sent(one.body, one.headers, secret.reveal()) for one in server.received]

    return read


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_each_event_has_its_effect_once(
    seed: int,
    sandbox: Sandbox,
    shop: Checkouts,
    run: Callable[..., Reconciled],
    *,
    engine: Engine,
    told: Callable[[], list[Event]],
) -> None:
    """
    Payments, refunds that end in any order, deliveries that come, come late, come twice or never, and reconciliations in
    between: in the end each thing that happened was done once, whatever was taken for what.
    """
    chance = random.Random(seed)
    world = World(sandbox, shop, chance)
    since = sandbox.now
    for _ in range(60):
        world.happen()
        if chance.random() < 0.2:
            for event in chance.sample(came := told(), min(len(came), 4)):
                with engine.connect() as connection, Inbox().once(event, connection) as fresh:
                    if fresh:
                        work(event, connection)
        if chance.random() < 0.1:
            assert run(since=since, look_back_s=0.0).complete
    assert run(since=since, look_back_s=0.0).complete
    happened = [what(event) for event in told()]
    assert len(happened) == len(set(happened))
    assert sorted(happened) == sorted(done(engine))
