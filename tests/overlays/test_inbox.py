"""The inbox, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import importlib
import itertools
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, registry, scoped_session, sessionmaker

from coinbase_checkouts import Event, inbox, webhooks
from coinbase_checkouts.errors import ConfigurationError, TransactionError
from coinbase_checkouts.inbox import Inbox, Metric, Policy
from coinbase_checkouts.inbox.order import LENGTH, position
from coinbase_checkouts.inbox.workers import Steps

from ..postgres import Postgres

SECRET = "a-subscription-secret"
NOW = 1775000000
PAID = "checkout.payment.success"
REFUNDED = "checkout.refund.success"

# The merchant's own: a row for each time that something was done, and nothing that keeps it from being done twice.
SHOP = MetaData()
SENT = Table("sent", SHOP, Column("number", Integer, primary_key=True), Column("checkout", String(300)))


def payload(checkout: str = "c1", kind: str = PAID, **fields: Any) -> dict[str, Any]:
    given = {"id": checkout, "eventType": kind, "status": "COMPLETED", "updatedAt": "2026-11-20T10:00:00Z", **fields}
    return {name: value for name, value in given.items() if value is not None}


def delivered(body: dict[str, Any], event_id: str | None = "e1", *, proven: bool = True) -> Event:
    """An event as verify makes it; without *proven*, of a delivery whose v1 somebody took off."""
    content = json.dumps(body).encode()
    named = {"X-Event-Id": event_id} if event_id else {}
    signature = webhooks.sign(content, named if proven else {}, SECRET, NOW)
    return webhooks.verify(content, {**named, webhooks.SIGNATURE_HEADER: signature}, SECRET, NOW)


def event(checkout: str = "c1", kind: str = PAID, **fields: Any) -> Event:
    return delivered(payload(checkout, kind, **fields), f"{checkout} {kind}")


def refund_event(*refunds: str, checkout: str = "c1", **fields: Any) -> Event:
    listed = [{"id": one, "status": "COMPLETED"} for one in refunds]
    return delivered(payload(checkout, REFUNDED, refunds=listed, **fields), f"{checkout} {len(refunds)}")


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics() -> list[Metric]:
    return []


@pytest.fixture
def box(clock: Clock, metrics: list[Metric]) -> Inbox:
    return Inbox(clock=clock, draw=lambda: 0.5, on_metric=metrics.append)


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """One for all tests: making one takes longer than most of them."""
    return postgres.database()


@pytest.fixture
def empty(database: str) -> str:
    """The URL of an empty database of PostgreSQL."""
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS payments CASCADE"))
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    found: str = request.getfixturevalue("empty")
    return found


@pytest.fixture
def engine(url: str, box: Inbox) -> Iterator[Engine]:
    engine = create_engine(url)
    SHOP.create_all(engine)
    box.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
async def async_engine(url: str, engine: Engine) -> Any:
    made = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    yield made
    await made.dispose()


def send(told: Event, connection: Connection | Session) -> None:
    """The merchant's work."""
    connection.execute(insert(SENT).values(checkout=told.checkout.id))


def send_nothing(_: Event, __: Connection) -> None:
    """The work of who only looks."""


def sent(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(SENT.c.checkout).order_by(SENT.c.number)))


def act(box: Inbox, engine: Engine, told: Event) -> bool:
    with engine.connect() as connection, box.once(told, connection) as fresh:
        if fresh:
            send(told, connection)
    return fresh


class MishapError(Exception):
    """What goes wrong in a block."""


# A context manager, of which checkers know that it may end an exception.
mishap = partial(pytest.raises, MishapError)
lost = partial(pytest.raises, TransactionError)
refused = partial(pytest.raises, IntegrityError)
out_of_order = partial(pytest.raises, OperationalError)


# Once.


def test_once(box: Inbox, engine: Engine, metrics: list[Metric]) -> None:
    """
    The first time is fresh, and committed with its work; every other is not, and other events are.
    """
    assert [True, False, True, False] == [act(box, engine, event(one)) for one in ("c1", "c1", "c2", "c1")]
    assert ["c1", "c2"] == sent(engine)
    assert [("done", PAID), ("repeated", PAID)] == [(one.kind, one.event_type) for one in metrics[:2]]


def test_work_that_raises_is_undone(box: Inbox, engine: Engine, metrics: list[Metric]) -> None:
    """
    What the block raises is raised, work and record are gone, and the next delivery is fresh.
    """
    with mishap(), engine.connect() as connection, box.once(event(), connection):
        send(event(), connection)
        raise MishapError
    assert (True, ["c1"]) == (act(box, engine, event()), sent(engine))
    assert ["failed", "done"] == [one.kind for one in metrics]


def test_a_transaction_is_joined(box: Inbox, engine: Engine) -> None:
    """
    In a transaction of the merchant's the block is a savepoint: undone with it, or alone; committed with it only.
    """
    for ends_well in (False, True):
        with engine.connect() as connection, connection.begin() as transaction:
            with box.once(event("c1"), connection) as fresh:
                assert fresh
                send(event("c1"), connection)
            with mishap(), box.once(event("c2"), connection):
                send(event("c2"), connection)
                raise MishapError
            with box.once(event("c1"), connection) as fresh:
                assert not fresh
            if not ends_well:
                transaction.rollback()
        assert (["c1"] if ends_well else []) == sent(engine)
    assert [False, True] == [act(box, engine, event(one)) for one in ("c1", "c2")]


def test_metrics_in_a_transaction_of_ones_own(box: Inbox, engine: Engine, metrics: list[Metric]) -> None:
    """
    There they are told when their part has ended; that it is undone afterwards is not, and the next time is told again.
    """
    for _ in range(2):
        with mishap(), engine.begin() as connection:
            with box.once(event("c1"), connection):
                assert [] == metrics
            assert box.store(event("c2"), connection)
            assert ["done", "stored"] == [one.kind for one in metrics]
            raise MishapError
        metrics.clear()


def test_sessions(box: Inbox, engine: Engine) -> None:
    """
    A Session does as well as a Connection: alone, and in a transaction of its own.
    """
    with Session(engine) as session, box.once(event("c1"), session) as fresh:
        assert fresh
        send(event("c1"), session)
    with Session(engine) as session, session.begin():
        with box.once(event("c1"), session) as fresh:
            assert not fresh
        assert box.store(event("c2"), session)
    with Session(engine) as session, mishap(), session.begin():
        with box.once(event("c3"), session) as fresh:
            assert fresh
            send(event("c3"), session)
        raise MishapError
    assert ["c1"] == sent(engine)
    assert act(box, engine, event("c3"))


@pytest.mark.parametrize("ends_well", [True, False])
def test_two_hosts_at_once(box: Inbox, engine: Engine, *, ends_well: bool) -> None:
    """
    While one delivery is worked at, the other waits: it is no more if the first is committed, and fresh if not.
    """
    inside, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with engine.connect() as connection, box.once(event(), connection) as fresh:
            assert fresh
            send(event(), connection)
            inside.set()
            assert go_on.wait(10)
            if not ends_well:
                raise MishapError

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert inside.wait(10)
        other = pool.submit(act, box, engine, event())
        # It cannot end before the first does, however long that takes.
        with pytest.raises(TimeoutError):
            other.result(0.2)
        go_on.set()
        assert other.result(10) is not ends_well
        assert isinstance(one.exception(), MishapError) is not ends_well
    assert ["c1"] == sent(engine)


def test_many_at_once(box: Inbox, engine: Engine) -> None:
    """
    Twenty events, each delivered four times by eight threads: each is fresh once.
    """
    told = [event(f"c{number}") for number in range(20)] * 4
    with ThreadPoolExecutor(8) as pool:
        fresh = list(pool.map(partial(act, box, engine), told))
    assert 20 == sum(fresh)
    assert sorted(f"c{number}" for number in range(20)) == sorted(sent(engine))


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_isolation_levels(box: Inbox, empty: str, isolation: str) -> None:
    """
    At any level of isolation each event has its effect once; above READ COMMITTED some attempts are errors, as they
    are for any transaction, and repeated.
    """
    engine = create_engine(empty, isolation_level=isolation)
    SHOP.create_all(engine)
    box.create_all(engine)

    def stubborn(told: Event) -> bool:
        while True:
            try:
                return act(box, engine, told)
            except OperationalError:
                assert isolation != "READ COMMITTED"

    told = [refund_event("r", *(["r2"] * number), checkout=f"c{number % 3}") for number in range(6)] * 3
    with ThreadPoolExecutor(6) as pool:
        fresh = list(pool.map(stubborn, told))
    assert (6, 6) == (sum(fresh), len(sent(engine)))
    engine.dispose()


def test_what_was_read_before_is_not_believed(box: Inbox, empty: str) -> None:
    """
    A snapshot older than the first delivery's commit is an error, and never a second effect.
    """
    engine = create_engine(empty, isolation_level="SERIALIZABLE")
    SHOP.create_all(engine)
    box.create_all(engine)
    with engine.connect() as connection:
        connection.execute(select(SENT)).all()
        assert act(box, engine, event())
        with pytest.raises(OperationalError), box.once(event(), connection):
            pass
    engine.dispose()


@pytest.mark.parametrize("mode", ["recipe", "wal"])
def test_sqlite_in_its_other_modes(box: Inbox, tmp_path: Path, mode: str) -> None:
    """
    With WAL, and with transactions begun as SQLAlchemy's manual proposes, it is the same.
    """
    from sqlalchemy import event as happenings

    engine = create_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}")

    @happenings.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        if mode == "recipe":
            connection.isolation_level = None
        else:
            connection.execute("PRAGMA journal_mode=WAL")

    @happenings.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if mode == "recipe":
            connection.exec_driver_sql("BEGIN")

    SHOP.create_all(engine)
    box.create_all(engine)
    with mishap(), engine.begin() as connection:
        assert box.store(event("c2"), connection)
        raise MishapError
    assert [True, False] == [act(box, engine, event()) for _ in range(2)]
    assert (["c1"], 0) == (sent(engine), box.work(engine, send, until_idle=True))
    engine.dispose()


# Work that would be lost.


class Parcel:
    """What a Session writes."""


registry().map_imperatively(Parcel, SENT)


def ends(bind: Any) -> None:
    bind.rollback()


def ends_below(bind: Connection | Session) -> None:
    connection = bind.connection() if isinstance(bind, Session) else bind
    connection.exec_driver_sql("ROLLBACK")


def catches(bind: Connection | Session) -> None:
    """A statement that fails, after which PostgreSQL takes no other, and SQLite has undone those before it."""
    again = insert(SENT).values(number=-1).prefix_with("OR ROLLBACK", dialect="sqlite")
    with refused():
        bind.execute(again)


def catches_a_flush(session: Session) -> None:
    again = Parcel()
    again.number = -1  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] -- of the mapper
    session.add(again)
    with refused():
        session.flush()


MISTAKES: list[Any] = [
    pytest.param(made, happens, id=f"{made.__name__} {happens.__name__}")
    for made, happens in [
        *itertools.product((Connection, Session), (ends, ends_below, catches)),
        (Session, catches_a_flush),
    ]
]


@pytest.fixture
def taken(engine: Engine) -> Engine:
    """With what was sent before, under the number that comes again."""
    with engine.begin() as connection:
        connection.execute(insert(SENT).values(number=-1, checkout="before"))
    return engine


@pytest.mark.parametrize(("made", "happens"), MISTAKES)
def test_a_block_whose_work_is_lost(
    box: Inbox, taken: Engine, metrics: list[Metric], made: Any, *, happens: Callable[[Any], None]
) -> None:
    """
    A block that ends as if all were well, but whose work would not be committed, is an error; the next delivery is fresh.
    """
    with lost(match="begin_nested"), made(taken) as bind, box.once(event(), bind) as fresh:
        assert fresh
        send(event(), bind)
        happens(bind)
    assert (["before"], ["failed"]) == (sent(taken), [one.kind for one in metrics])
    assert (True, ["before", "c1"]) == (act(box, taken, event()), sent(taken))


@pytest.mark.parametrize("made", [Connection, Session])
def test_a_savepoint_whose_work_is_lost(box: Inbox, taken: Engine, made: Any) -> None:
    """
    The same in a transaction of the merchant's, which goes on where the database lets it.
    """
    with made(taken) as bind:
        send(event("c0"), bind)
        with lost(), box.once(event(), bind):
            ends(bind)
    if taken.dialect.name == "postgresql":
        with made(taken) as bind:
            send(event("c0"), bind)
            with lost(), box.once(event(), bind):
                catches(bind)
            bind.commit()
        assert ["before", "c0"] == sent(taken)
    assert act(box, taken, event())


@pytest.mark.parametrize("made", [Connection, Session])
def test_what_may_fail_has_a_savepoint(box: Inbox, taken: Engine, made: Any) -> None:
    """
    What fails in a savepoint of its own, as the error advises, leaves the rest of the work to be done.
    """
    with made(taken) as bind, box.once(event(), bind):
        send(event(), bind)
        with refused(), bind.begin_nested():
            bind.execute(insert(SENT).values(number=-1))
    assert (["before", "c1"], False) == (sent(taken), act(box, taken, event()))


@pytest.mark.parametrize("made", [Connection, Session])
def test_a_block_that_commits(box: Inbox, engine: Engine, made: Any) -> None:
    """
    A commit within the block is an error, too, since nothing guards what comes after; what it committed stays, once.
    """
    with lost(), made(engine) as bind, box.once(event(), bind):
        send(event(), bind)
        bind.commit()
    assert (False, ["c1"]) == (act(box, engine, event()), sent(engine))


def test_what_a_flush_refuses_is_told_as_it_is(box: Inbox, taken: Engine) -> None:
    """
    What a Session writes at its commit only, fails with the error of the database.
    """
    with refused(), Session(taken) as session, box.once(event(), session):
        session.add(Parcel())
        again = Parcel()
        again.number = -1  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] -- of the mapper
        session.add(again)
    assert (["before"], True) == (sent(taken), act(box, taken, event()))


def test_a_connection_that_was_cut_is_told_as_it_is(box: Inbox, shop: Engine, cut: Callable[[], None]) -> None:
    """
    A database that goes away between the work and the commit is no mistake of the merchant's.
    """
    with out_of_order(), shop.connect() as connection, box.once(event(), connection):
        send(event(), connection)
        cut()
    assert (True, ["c1"]) == (act(box, shop, event()), sent(shop))


@pytest.mark.parametrize("happens", [ends, ends_below, catches])
def test_a_handler_whose_work_is_lost(
    box: Inbox, taken: Engine, metrics: list[Metric], happens: Callable[[Any], None]
) -> None:
    """
    A handler after which nothing would be committed has failed, and is tried again.
    """
    store(box, taken, event())

    def handler(one: Event, connection: Connection) -> None:
        send(one, connection)
        happens(connection)

    assert 0 == box.work(taken, handler, until_idle=True, policy=Policy(attempts=1))
    with taken.connect() as connection:
        assert ["TransactionError"] == [letter.last_error for letter in box.dead(connection)]
        assert 1 == box.requeue(connection)
    assert 1 == box.work(taken, send, until_idle=True)
    assert ["before", "c1"] == sent(taken)
    assert ["stored", "dead", "done"] == [one.kind for one in metrics]


def test_a_handler_that_commits(
    box: Inbox, engine: Engine, metrics: list[Metric], caplog: pytest.LogCaptureFixture
) -> None:
    """
    What a handler has committed by itself is done, once; but it is told.
    """
    store(box, engine, event())

    def handler(one: Event, connection: Connection) -> None:
        send(one, connection)
        connection.commit()

    assert [0, 0] == [box.work(engine, handler, until_idle=True) for _ in range(2)]
    assert (["c1"], False) == (sent(engine), act(box, engine, event()))
    assert ["stored", "lost", "repeated"] == [one.kind for one in metrics]
    assert [f"inbox: attempt 1 of {event().content_key} failed"] == caplog.messages


# Work that would never be done.


async def promised(_: Event, __: Any) -> None:
    raise AssertionError


def yields(one: Event, connection: Any) -> Iterator[None]:
    yield
    send(one, connection)


async def yields_async(one: Event, connection: Any) -> AsyncIterator[None]:
    yield
    send(one, connection)


class Promising:
    """Asynchronous, and no function."""

    async def __call__(self, one: Event, connection: Any) -> None:
        raise AssertionError

    async def method(self, one: Event, connection: Any) -> None:
        raise AssertionError


class Yielding:
    """A generator, and no function."""

    def __call__(self, one: Event, connection: Any) -> Iterator[None]:
        yield
        send(one, connection)


NEVER_RUN: list[Any] = [yields, yields_async, Yielding(), partial(yields), partial(Yielding()), None, "x", 5]
NEVER_AWAITED: list[Any] = [
    *(promised, Promising(), Promising().method, partial(promised), partial(Promising()), AsyncMock()),
]
not_run = partial(pytest.raises, TypeError, match=r"^handler: ")


@pytest.mark.parametrize("handler", [*NEVER_RUN, *NEVER_AWAITED])
def test_handlers_that_would_not_run(box: Inbox, handler: Any) -> None:
    """
    What is no function, or would run not a line when it is called, is refused at the call, though nothing is due.
    """
    engine = create_engine("sqlite://")
    with not_run():
        box.work(engine, handler, until_idle=True)
    checkouts: Any = None
    handler = handler or "none is what reconcile may have"
    with not_run():
        box.reconcile(checkouts, engine, since=0, handler=handler)


@pytest.mark.anyio
@pytest.mark.parametrize("handler", NEVER_RUN)
async def test_handlers_that_would_not_run_async(box: Inbox, handler: Any) -> None:
    """
    The same in async code.
    """
    engine = create_async_engine("sqlite+aiosqlite://")
    with not_run():
        await box.work_async(engine, handler, until_idle=True)
    checkouts: Any = None
    handler = handler or "none is what reconcile may have"
    with not_run():
        await box.reconcile_async(checkouts, engine, since=0, handler=handler)


UNDONE: list[Callable[[], Any]] = [
    lambda: promised(event(), None),
    lambda: yields(event(), None),
    lambda: yields_async(event(), None),
    lambda: asyncio.get_running_loop().create_future(),
    lambda: asyncio.get_running_loop().create_task(promised(event(), None)),
    Future,
    # What has no way to be ended.
    type("Promise", (), {"__await__": yields}),
]


@pytest.mark.anyio
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("made", UNDONE)
async def test_handlers_that_return_their_work(
    box: Inbox, engine: Engine, async_engine: AsyncEngine, made: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """
    A handler that returns what is still to be done has failed: it is undone, and tried again until it is dead.
    """
    store(box, engine, event())
    given: list[Any] = []

    def handler(one: Event, connection: Connection) -> Any:
        send(one, connection)
        given.append(made())
        return given[-1]

    async def awaited(one: Event, connection: AsyncConnection) -> Any:
        return await connection.run_sync(partial(handler, one))

    once: dict[str, Any] = {"until_idle": True, "policy": Policy(attempts=1)}
    for work in (partial(box.work, engine, handler), partial(box.work_async, async_engine, awaited)):
        done = work(**once)
        assert 0 == (done if isinstance(done, int) else await done)
        with engine.connect() as connection:
            assert ["TypeError"] == [letter.last_error for letter in box.dead(connection)]
            assert 1 == box.requeue(connection)
    assert [] == sent(engine)
    assert "handler: returned an object of type" in caplog.text
    await asyncio.sleep(0)
    assert [] == [one for one in given if isinstance(one, asyncio.Future | Future) and not one.cancelled()]
    del given[:]
    gc.collect()


@pytest.mark.anyio
async def test_a_handler_that_is_not_asynchronous(
    box: Inbox, engine: Engine, async_engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """
    In async code a handler must return what can be awaited; who does not, has failed.
    """
    store(box, engine, event())

    async def work(one: Event, connection: AsyncConnection) -> None:
        await connection.run_sync(partial(send, one))

    def work_later(one: Event, connection: AsyncConnection) -> Any:
        return work(one, connection)

    wrong: list[Any] = [send_nothing, MagicMock(return_value=yields(event(), None))]
    for handler in wrong:
        assert 0 == await box.work_async(async_engine, handler, until_idle=True, policy=Policy(attempts=1))
        with engine.connect() as connection:
            assert 1 == box.requeue(connection)
    assert "handler: returned None, which cannot be awaited; declare it with `async def`" in caplog.text
    assert 1 == await box.work_async(async_engine, work_later, until_idle=True)
    assert ["c1"] == sent(engine)


@pytest.mark.parametrize("result", [False, 0, "", [], NotImplemented, iter(()), MagicMock()])
def test_what_a_handler_returns_means_nothing(box: Inbox, engine: Engine, result: Any) -> None:
    """
    A handler that has returned has done its work, whatever it returns: false as well.
    """
    store(box, engine, event())
    handler = MagicMock(return_value=result)
    assert 1 == box.work(engine, handler, until_idle=True)


def closes(_: Event, connection: Connection) -> None:
    connection.close()


def takes_too_little(_: Event) -> None:
    raise AssertionError


def ends_itself(_: Event, __: Connection) -> None:
    raise StopIteration


@pytest.mark.parametrize("handler", [closes, takes_too_little, ends_itself])
def test_other_mistakes_of_a_handler(box: Inbox, engine: Engine, handler: Any) -> None:
    """
    Nor is an event done whose handler closes the connection, takes other arguments, or raises what ends a loop.
    """
    store(box, engine, event())
    assert 0 == box.work(engine, handler, until_idle=True)
    with engine.connect() as connection:
        assert 1 == box.counts(connection).waiting


def test_a_block_that_is_asked_instead_of_entered(box: Inbox, engine: Engine) -> None:
    """
    `if inbox.once(…)` is an error: it would always be true, and keep no work from being done again.
    """
    with engine.connect() as connection, pytest.raises(TypeError, match=r"with inbox\.once"):
        bool(box.once(event(), connection))


# What one event is.


def test_content_decides(box: Inbox, engine: Engine) -> None:
    """
    The same content is no news under another id, proven or not, nor when it comes in other words.
    """
    assert act(box, engine, delivered(payload(), "e1", proven=False))
    for repeated in (
        delivered(payload(), "e2", proven=False),
        delivered(payload(), "e2"),
        delivered(payload(), None),
        delivered(payload(updatedAt="2026-11-21T00:00:00Z", amount="1.00"), "e3"),
    ):
        assert not act(box, engine, repeated)


def test_an_id_keeps_nothing_out_unless_it_is_signed(box: Inbox, engine: Engine) -> None:
    """
    Who takes v1 off and gives a delivery the id of another, past or to come, has no event lost.
    """
    assert act(box, engine, delivered(payload("c1"), "e1"))
    assert act(box, engine, delivered(payload("c2"), "e1", proven=False))
    assert act(box, engine, delivered(payload("c3"), "e9", proven=False))
    assert act(box, engine, delivered(payload("c4"), "e9"))
    assert ["c1", "c2", "c3", "c4"] == sent(engine)


def test_a_signed_id_is_the_event(box: Inbox, engine: Engine) -> None:
    """
    Under an id that is signed, other content of an event that nobody documented is the same event told again.
    """
    told = [delivered(payload(kind="checkout.new", status=status), "e1") for status in ("ACTIVE", "COMPLETED")]
    assert [True, False] == [act(box, engine, one) for one in told]


def test_each_refund_is_an_event(box: Inbox, engine: Engine) -> None:
    """
    Refunds of one checkout are told apart by which of them have ended.
    """
    told = [refund_event("r1"), refund_event("r1", "r2"), refund_event("r2", "r1"), refund_event("r1")]
    assert [True, True, False, False] == [act(box, engine, one) for one in told]


@pytest.mark.parametrize("refunds", [None, [], {}, "r1", [{"id": "r1", "status": "PENDING"}]])
def test_refunds_that_are_not_told(box: Inbox, engine: Engine, refunds: Any) -> None:
    """
    Of events that do not say which refund has ended, each is one by all that it says; told again, it is no news.
    """
    told = [
        delivered(payload(kind=REFUNDED, refunds=refunds, refundedAmount=amount), event_id)
        for amount, event_id in (("1.00", "R1"), ("2.00", "R2"), ("1.00", "R1"), ("2.00", None))
    ]
    assert [True, True, False, False] == [act(box, engine, one) for one in told]


def test_refunds_that_are_told_at_once(box: Inbox, engine: Engine) -> None:
    """
    Two deliveries of which each already tells of both refunds are one event, under whichever ids: a second effect would
    be that of refunds that the first has told of.
    """
    both = payload(kind=REFUNDED, refunds=[{"id": one, "status": "COMPLETED"} for one in ("r1", "r2")])
    assert [True, False] == [act(box, engine, delivered(both, event_id)) for event_id in ("E1", "E2")]


@pytest.mark.parametrize(
    "body",
    [
        {"id": None, "eventType": PAID},
        {"id": 7, "eventType": PAID, "updatedAt": 5, "status": [], "refunds": "none"},
        {"id": "c1", "eventType": PAID, "updatedAt": "9999-12-31T23:59:59.999999999-23:59"},
        {"id": "é\x00" * 300, "eventType": "\x00\ud800" * 300, "updatedAt": "2026-13-40T00:00:00Z"},
        {},
    ],
)
def test_whatever_is_signed_has_a_place(box: Inbox, engine: Engine, body: dict[str, Any]) -> None:
    """
    Payloads that no documents describe are kept and worked at once, like any other.
    """
    told = delivered(body, "caf\xe9")
    for expected in (True, False):
        with engine.connect() as connection, box.once(told, connection) as fresh:
            assert expected is fresh
    other = delivered({**body, "more": 1, "eventType": "new"}, "other")
    seen: list[Event] = []
    with engine.connect() as connection:
        assert box.store(other, connection)
    assert 1 == box.work(engine, lambda one, _: seen.append(one), until_idle=True)
    assert [other] == seen


# Which is newer.


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({}, {"updatedAt": "0001-01-01T00:00:00.000000001Z"}),
        ({"updatedAt": "2026-11-20T10:00:00Z"}, {"updatedAt": "2026-11-20T10:00:00.000000001Z"}),
        ({"updatedAt": "2026-11-20T10:00:00.55097011545Z"}, {"updatedAt": "2026-11-20T10:00:00.551Z"}),
        ({"updatedAt": "2026-11-20T10:00:00+01:00"}, {"updatedAt": "2026-11-20t10:00:00z"}),
        ({"updatedAt": "2026-11-20T10:00:00Z", "status": "REFUNDED"}, {"updatedAt": "2026-11-20T10:00:01Z"}),
        ({"updatedAt": "2026-11-20T10:00:00Z"}, {"updatedAt": "3169-11-20T10:00:00Z"}),
        ({"updatedAt": "9999-12-31T23:59:59.999999999Z"}, {"updatedAt": "3200-01-01T00:00:00Z", "status": "REFUNDED"}),
        ({"status": "ACTIVE"}, {"status": "PROCESSING"}),
        ({"status": "PROCESSING"}, {"status": "FAILED"}),
        ({"status": "COMPLETED"}, {"status": "PARTIALLY_REFUNDED"}),
        ({"status": "REFUNDED"}, {"status": "SOMETHING_NEW"}),
        ({"status": "REFUNDED"}, {"status": "COMPLETED", "refunds": [{"id": "r", "status": "PENDING"}]}),
        (
            {"status": "REFUNDED", "refunds": [{"id": "r", "status": "PENDING"}]},
            {"status": "COMPLETED", "refunds": [{"id": "r", "status": "FAILED"}]},
        ),
    ],
)
def test_order(older: dict[str, Any], newer: dict[str, Any]) -> None:
    """
    Time decides, to the nanosecond; between equal times what can only grow does.
    """
    before, after = (position(delivered(one)) for one in (older, newer))
    assert before < after
    assert {LENGTH} == {len(before), len(after)}


@pytest.mark.parametrize("updated", [None, 7, "", "yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+01:00"])
def test_no_time_is_the_oldest(updated: Any) -> None:
    """
    What is no time, or before all time, stands at the beginning.
    """
    assert position(delivered({})) == position(delivered({"updatedAt": updated}))


def test_a_backlog_makes_no_event_slower(box: Inbox, tmp_path: Path) -> None:
    """
    To find and do one event takes SQLite as many steps with a thousand waiting as with ten.
    """
    steps: dict[int, int] = {}
    for number in (10, 1000):
        engine = create_engine(f"sqlite:///{tmp_path / f'{number}.sqlite3'}")
        SHOP.create_all(engine)
        box.create_all(engine)
        with engine.begin() as connection:
            for one in range(number):
                box.store(event(f"c{one}"), connection)
        counted = itertools.count()
        stop = threading.Event()

        def last(_: Event, __: Connection, stop: threading.Event = stop) -> None:
            stop.set()

        with engine.connect() as connection:
            # Of one connection in the pool, which is the one that the worker gets.
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(lambda counted=counted: next(counted) < 0, 1)
        assert 1 == box.work(engine, last, stop=stop)
        steps[number] = next(counted)
        engine.dispose()
    assert steps[10] > 100
    assert steps[1000] < 1.5 * steps[10]


def test_a_late_event_is_no_news(box: Inbox, engine: Engine) -> None:
    """
    What tells of an older state than one that was acted on is fresh, but no news; the same state is.
    """
    refunded = refund_event("r1", updatedAt="2026-11-20T11:00:00Z")
    news: dict[str, bool] = {}
    for told in (refunded, event(), refund_event("r1", "r2", updatedAt="2026-11-20T11:00:00Z"), event("c2")):
        with engine.connect() as connection, box.once(told, connection) as fresh:
            assert fresh
            news[told.content_key] = box.is_news(told, connection)
    assert [True, False, True, True] == list(news.values())


def test_a_repetition_makes_nothing_old(box: Inbox, engine: Engine) -> None:
    """
    A repetition that is written later, and not acted on, keeps no event between from being news.
    """
    assert act(box, engine, event())
    assert not act(box, engine, event(updatedAt="2026-11-20T12:00:00Z"))
    with engine.connect() as connection:
        assert box.is_news(refund_event("r1", updatedAt="2026-11-20T11:00:00Z"), connection)


# Store, then work.


def store(box: Inbox, engine: Engine, *told: Event) -> list[bool]:
    with engine.begin() as connection:
        return [box.store(one, connection) for one in told]


def test_store_then_work(box: Inbox, engine: Engine, clock: Clock, metrics: list[Metric]) -> None:
    """
    What is stored is worked at once, as it was verified; what was acted on inline is not stored, nor the reverse.
    """
    told = [event("c1", metadata={"name": "Zoë"}), event("c2")]
    assert act(box, engine, event("c3"))
    assert [True, True, False, False] == store(box, engine, *told, told[0], event("c3"))
    seen: list[Event] = []
    clock.now += 2

    def handler(one: Event, connection: Connection) -> None:
        seen.append(one)
        send(one, connection)

    assert 2 == box.work(engine, handler, until_idle=True)
    assert 0 == box.work(engine, handler, until_idle=True)
    assert told == seen
    assert [one.body for one in told] == [one.body for one in seen]
    assert ["c3", "c1", "c2"] == sent(engine)
    assert [False, False] == [act(box, engine, one) for one in told]
    assert Metric("done", PAID, 1, 2.0) in metrics
    assert {"done", "stored", "repeated"} == {one.kind for one in metrics}


def test_failures_are_tried_again(box: Inbox, engine: Engine, clock: Clock, metrics: list[Metric]) -> None:
    """
    A failed attempt is undone and repeated after a wait that doubles; after the last one the event is dead, until it is
    requeued.
    """
    store(box, engine, event())
    policy = Policy(attempts=3, base_s=10)
    moments: list[float] = []

    def handler(one: Event, connection: Connection) -> None:
        moments.append(clock.now - NOW)
        send(one, connection)
        if len(moments) < 4:
            raise MishapError("somebody@example.com")

    for _ in range(60):
        box.work(engine, handler, until_idle=True, policy=policy)
        clock.now += 1
    # Half of 10, then half of 20.
    assert [0, 5, 15] == moments
    with engine.connect() as connection:
        (letter,) = box.dead(connection)
        assert (1, 0) == (box.counts(connection).dead, box.counts(connection).waiting)
    assert ("c1", PAID, 3, "MishapError", NOW) == (
        letter.checkout_id,
        letter.event_type,
        letter.attempts,
        letter.last_error,
        letter.received,
    )
    with engine.connect() as connection:
        assert 0 == box.requeue(connection, "another")
        assert 1 == box.requeue(connection, letter.key)
    assert 1 == box.work(engine, handler, until_idle=True, policy=policy)
    assert ["c1"] == sent(engine)
    assert ["stored", "failed", "failed", "dead", "done"] == [one.kind for one in metrics]
    with engine.connect() as connection:
        assert 0 == box.requeue(connection)


def test_a_later_event_waits(box: Inbox, engine: Engine, clock: Clock) -> None:
    """
    Of one checkout the older state is worked at first, though it came later; while it fails the newer one waits, and
    other checkouts do not. Once it is dead the newer one goes on.
    """
    store(box, engine, refund_event("r1", updatedAt="2026-11-20T11:00:00Z"))
    clock.now += 1
    store(box, engine, event("c1"), event("c2"))
    order: list[str] = []

    def handler(one: Event, _: Connection) -> None:
        order.append(f"{one.checkout.id} {one.event_type}")
        if one.checkout.id == "c1" and one.event_type == PAID:
            raise MishapError

    for _ in range(20):
        box.work(engine, handler, until_idle=True, policy=Policy(attempts=2))
        clock.now += 1
    assert sorted(order[:2]) == [f"c1 {PAID}", f"c2 {PAID}"]
    assert [f"c1 {PAID}", f"c1 {REFUNDED}"] == order[2:]


def test_one_checkout_has_one_worker(box: Inbox, engine: Engine, clock: Clock) -> None:
    """
    While an event is leased, none of its checkout is handed out, not even an older one; when the lease is over, it is.
    """
    claim = claiming(box, engine)
    store(box, engine, refund_event("r1", updatedAt="2026-11-20T11:00:00Z"))
    refund = claim()
    store(box, engine, event())
    assert claim() is None
    clock.now += 61
    payment = claim()
    assert {PAID, REFUNDED} == {refund.event.event_type, payment.event.event_type}


def claiming(box: Inbox, engine: Engine, **policy: Any) -> Callable[[], Any]:
    """What a worker does first, and no more: as if it were killed then."""
    steps = box._steps(Policy(**policy))

    def claim() -> Any:
        with engine.begin() as connection:
            return steps.claim(connection)

    return claim


def test_a_killed_worker_is_replaced(box: Inbox, engine: Engine, clock: Clock) -> None:
    """
    What a worker took and did not do is another's after the lease, and not before.
    """
    store(box, engine, event())
    assert claiming(box, engine)() is not None
    clock.now += 59
    assert 0 == box.work(engine, send, until_idle=True)
    clock.now += 1
    assert 1 == box.work(engine, send, until_idle=True)
    assert ["c1"] == sent(engine)


def test_what_kills_every_worker_is_dead(box: Inbox, engine: Engine, clock: Clock, metrics: list[Metric]) -> None:
    """
    An event whose workers do not live to say so is not tried for ever.
    """
    store(box, engine, event())
    claim = claiming(box, engine, attempts=3)
    for _ in range(3):
        assert claim() is not None
        clock.now += 60
    assert 0 == box.work(engine, send, until_idle=True, policy=Policy(attempts=3))
    with engine.connect() as connection:
        (letter,) = box.dead(connection)
    assert (3, None) == (letter.attempts, letter.last_error)
    assert Metric("dead", PAID, 3, 180.0) == metrics[-1]


def test_a_slow_worker_does_nothing(box: Inbox, engine: Engine, clock: Clock, metrics: list[Metric]) -> None:
    """
    Who begins after the lease has gone to another does no work, and its failure changes nothing.
    """
    store(box, engine, event())
    steps = box._steps(Policy())
    taken = claiming(box, engine)()
    clock.now += 60
    again = claiming(box, engine)()
    with engine.begin() as connection:
        assert not steps.begin(connection, taken)
        assert steps.fail(connection, taken, MishapError()) is None
        steps.failed(taken, MishapError(), None)
        assert steps.begin(connection, again)
    assert "lost" == metrics[-1].kind


def test_a_lease_lost_before_the_work(
    box: Inbox, engine: Engine, metrics: list[Metric], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A loop that finds its lease gone goes on, without a word to the handler.
    """
    store(box, engine, event())
    true, seen = Steps.begin, list[bool]()

    def late(self: Steps, connection: Connection, taken: Any) -> bool:
        seen.append(true(self, connection, dataclasses.replace(taken, lease="another's")))
        return seen[-1]

    monkeypatch.setattr(Steps, "begin", late)
    assert 0 == box.work(engine, send, until_idle=True)
    assert ([False], [], ["stored", "lost"]) == (seen, sent(engine), [one.kind for one in metrics])


def test_long_work_is_not_done_twice(box: Inbox, engine: Engine, clock: Clock) -> None:
    """
    Work that takes longer than its lease is locked: no other worker begins it.
    """
    store(box, engine, event())

    def slow(one: Event, connection: Connection) -> None:
        clock.now += 3600
        send(one, connection)
        if engine.dialect.name == "postgresql":
            assert 0 == box.work(engine, send, until_idle=True)

    assert 1 == box.work(engine, slow, until_idle=True)
    assert ["c1"] == sent(engine)


def test_an_interrupted_worker_gives_back(box: Inbox, engine: Engine) -> None:
    """
    Ctrl-C in the middle undoes the work, counts no attempt, and leaves the event to the next worker at once.
    """
    store(box, engine, event())

    def handler(one: Event, connection: Connection) -> None:
        send(one, connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        box.work(engine, handler, until_idle=True)
    attempts = select(box.tables.events.c.attempts)
    with engine.connect() as connection:
        assert 0 == connection.scalar(attempts)
    assert 1 == box.work(engine, send, until_idle=True)


def test_workers_stop_gracefully(box: Inbox, engine: Engine) -> None:
    """
    A worker that waits stops when it is told to; one that works finishes what it does.
    """
    stop, begun = threading.Event(), threading.Event()

    def handler(one: Event, connection: Connection) -> None:
        begun.set()
        assert stop.wait(10)
        send(one, connection)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(box.work, engine, handler, stop=stop, policy=Policy(poll_s=0.01))
        store(box, engine, event("c1"))
        assert begun.wait(10)
        stop.set()
        assert 1 == working.result(10)
    assert ["c1"] == sent(engine)


def test_many_workers(box: Inbox, engine: Engine) -> None:
    """
    Four workers share forty events of ten checkouts: each once, and each checkout's in its order.
    """
    told = [
        refund_event(
            *(f"r{n}" for n in range(number + 1)), checkout=f"c{one}", updatedAt=f"2026-11-20T10:00:0{number}Z"
        )
        for number in range(4)
        for one in range(10)
    ]
    store(box, engine, *reversed(told))
    order: list[tuple[str, int]] = []

    def handler(one: Event, connection: Connection) -> None:
        assert box.is_news(one, connection)
        order.append((one.checkout.id, len(one.raw["refunds"])))
        send(one, connection)

    with ThreadPoolExecutor(4) as pool:
        counts = [pool.submit(box.work, engine, handler, until_idle=True) for _ in range(4)]
        total = sum(one.result(30) for one in counts)
    # One that is idle while the others are at work has nothing to do, as each checkout has one worker.
    total += box.work(engine, handler, until_idle=True)
    assert (40, 40) == (total, len(sent(engine)))
    for number in range(10):
        assert [1, 2, 3, 4] == [place for checkout, place in order if checkout == f"c{number}"]


@pytest.fixture
def cut(postgres: Postgres) -> Callable[[], None]:
    """Ends all connections to all databases, as a restart of the server does."""

    def cut() -> None:
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    return cut


@pytest.fixture
def shop(box: Inbox, empty: str) -> Iterator[Engine]:
    """A shop on PostgreSQL."""
    engine = create_engine(empty)
    SHOP.create_all(engine)
    box.create_all(engine)
    yield engine
    engine.dispose()


def test_a_database_that_restarts(
    box: Inbox, shop: Engine, cut: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    A worker whose connections are cut, before it takes an event or in the middle of one, goes on with others.
    """
    store(box, shop, event("c1"), event("c2"))
    stop, seen = threading.Event(), list[str]()

    def handler(one: Event, connection: Connection) -> None:
        seen.append(one.checkout.id)
        if len(seen) == 2:
            cut()
        send(one, connection)
        if len(seen) == 3:
            stop.set()

    assert 2 == box.work(shop, handler, stop=stop, policy=Policy(base_s=0, poll_s=0.01))
    assert ["c1", "c2", "c2"] == seen
    assert ["c1", "c2"] == sent(shop)


def test_a_database_that_was_restarted(
    clock: Clock, shop: Engine, cut: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    Connections that were cut while nobody used them are replaced: the loop says so and goes on, for cron it is an error.
    """
    stop, done = threading.Event(), list[Metric]()

    def told(metric: Metric) -> None:
        if metric.kind == "done":
            done.append(metric)
            (stop.set if len(done) == 2 else cut)()

    box = Inbox(clock=clock, on_metric=told)
    store(box, shop, event("c1"), event("c2"), event("c3"))
    assert 2 == box.work(shop, send, stop=stop, policy=Policy(poll_s=0.01))
    assert ["inbox: the database does not answer: AdminShutdown"] == caplog.messages
    done.clear()
    with pytest.raises(OperationalError):
        box.work(shop, send, until_idle=True)


@pytest.fixture
def busy(tmp_path: Path, box: Inbox) -> Iterator[Engine]:
    """A shop on SQLite that has no patience, with an event in it."""
    engine = create_engine(f"sqlite:///{tmp_path / 'busy.sqlite3'}", connect_args={"timeout": 0.01})
    SHOP.create_all(engine)
    box.create_all(engine)
    store(box, engine, event())
    yield engine
    engine.dispose()


def test_a_busy_database_is_waited_for(box: Inbox, busy: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """
    While another program writes, a worker waits and says so; for cron it is an error.
    """
    stop = threading.Event()

    def handler(one: Event, connection: Connection) -> None:
        send(one, connection)
        stop.set()

    with ThreadPoolExecutor(1) as pool, busy.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError):
            box.work(busy, handler, until_idle=True)
        working = pool.submit(box.work, busy, handler, stop=stop, policy=Policy(poll_s=0.01))
        deadline = time.monotonic() + 10
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.01)
        other.rollback()
        assert 1 == working.result(10)
    assert "inbox: the database does not answer: OperationalError" == caplog.messages[0]


@pytest.mark.anyio
async def test_a_busy_database_is_waited_for_async(box: Inbox, busy: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """
    The same in async code.
    """
    stop = asyncio.Event()
    engine = create_async_engine(f"sqlite+aiosqlite:///{busy.url.database}", connect_args={"timeout": 0.01})

    async def handler(one: Event, connection: AsyncConnection) -> None:
        await connection.execute(insert(SENT).values(checkout=one.checkout.id))
        stop.set()

    with busy.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError):
            await box.work_async(engine, handler, until_idle=True)
        asyncio.get_running_loop().call_later(0.1, other.rollback)
        assert 1 == await box.work_async(engine, handler, stop=stop, policy=Policy(poll_s=0.01))
    assert "inbox: the database does not answer: OperationalError" == caplog.messages[0]
    await engine.dispose()


@pytest.fixture
def only_reads(shop: Engine, box: Inbox) -> Iterator[Engine]:
    """The shop as a standby shows it, with an event in it."""
    store(box, shop, event())
    engine = create_engine(shop.url, connect_args={"options": "-c default_transaction_read_only=on"})
    yield engine
    engine.dispose()


def test_a_standby_is_waited_for(
    box: Inbox, shop: Engine, only_reads: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """
    After a failover to a database that only reads as yet, a worker waits and says so; for cron it is an error.
    """
    with pytest.raises(InternalError):
        box.work(only_reads, send, until_idle=True)
    stop = threading.Event()
    waiting(caplog, stop, lambda: box.work(only_reads, send, stop=stop, policy=Policy(poll_s=0.01)))
    assert "inbox: the database does not answer: ReadOnlySqlTransaction" == caplog.messages[0]
    assert 1 == box.work(shop, send, until_idle=True)


def waiting(caplog: pytest.LogCaptureFixture, stop: threading.Event, work: Callable[[], int]) -> None:
    """Have a worker wait, until it has said so."""
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        deadline = time.monotonic() + 10
        while not caplog.messages and not working.done() and time.monotonic() < deadline:
            time.sleep(0.01)
        stop.set()
        assert 0 == working.result(10)


def test_a_pool_that_is_used_up_is_waited_for(box: Inbox, engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """
    While all connections of a pool are in use, a worker waits and says so; for cron it is an error.
    """
    store(box, engine, event())
    small = create_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    stop = threading.Event()
    with small.connect():
        with pytest.raises(PoolTimeoutError):
            box.work(small, send, until_idle=True)
        waiting(caplog, stop, lambda: box.work(small, send, stop=stop, policy=Policy(poll_s=0.01)))
    assert "inbox: the database does not answer: TimeoutError" == caplog.messages[0]
    assert 1 == box.work(small, send, until_idle=True)
    small.dispose()


@pytest.mark.anyio
async def test_a_standby_is_waited_for_async(box: Inbox, only_reads: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """
    The same in async code, for both.
    """
    engine = create_async_engine(
        only_reads.url,
        connect_args={"options": "-c default_transaction_read_only=on"},
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.01,
    )

    async def handler(_: Event, __: AsyncConnection) -> None:
        raise AssertionError

    async def waits() -> str:
        caplog.clear()
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, stop.set)
        assert 0 == await box.work_async(engine, handler, stop=stop, policy=Policy(poll_s=0.01))
        return caplog.messages[0]

    assert "inbox: the database does not answer: ReadOnlySqlTransaction" == await waits()
    async with engine.connect():
        assert "inbox: the database does not answer: TimeoutError" == await waits()
    await engine.dispose()


# Clocks that differ.


@pytest.fixture(params=[3600.0, -3600.0])
def elsewhere(request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[None]]:
    """Another host, whose clock is an hour ahead or behind."""
    right = time.time

    @contextmanager
    def elsewhere() -> Generator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda: right() + request.param)
            yield

    return elsewhere


def test_clocks_that_differ(shop: Engine, elsewhere: Callable[[], AbstractContextManager[None]]) -> None:
    """
    What one host stores, fails at or is killed at is due for another when it would be for the first, and not before.
    """
    box, at_once = Inbox(), Policy(base_s=0, lease_s=0.001)
    with elsewhere():
        store(box, shop, event("stored"))
    assert 1 == box.work(shop, send, until_idle=True)
    store(box, shop, event("failed"))
    with elsewhere(), pytest.raises(KeyboardInterrupt):
        box.work(shop, Mock(side_effect=[MishapError, KeyboardInterrupt]), until_idle=True, policy=at_once)
    assert 1 == box.work(shop, send, until_idle=True)
    store(box, shop, event("killed"))
    with elsewhere():
        assert claiming(box, shop, lease_s=0.001)() is not None
    deadline = time.monotonic() + 10
    while not box.work(shop, send, until_idle=True) and time.monotonic() < deadline:
        pass
    assert ["stored", "failed", "killed"] == sent(shop)
    store(box, shop, event("leased"))
    assert claiming(box, shop)() is not None
    with elsewhere():
        assert claiming(box, shop)() is None
        with shop.connect() as connection:
            assert 60 > box.counts(connection).oldest_s
            assert 0 == box.prune(connection, older_than_s=60)


def test_reconciliations_with_clocks_that_differ(
    shop: Engine, elsewhere: Callable[[], AbstractContextManager[None]]
) -> None:
    """
    The lease of a reconciliation is no shorter on a host whose clock is ahead, and no longer where it is behind.
    """
    box = Inbox()
    begun: list[bool] = []
    for lease_s in (60.0, 0.0):
        with elsewhere(), shop.begin() as connection:
            begun.append(box._run(NOW, str(lease_s), 0.0, 0.0, reads_per_s=1.0, lease_s=lease_s).begin(connection))
        with shop.begin() as connection:
            begun.append(box._run(NOW, str(lease_s), 0.0, 0.0, reads_per_s=1.0, lease_s=lease_s).begin(connection))
    assert [True, False, True, True] == begun


# Reading and writing in turn.


@pytest.mark.parametrize("made", [Connection, Session])
def test_a_read_leaves_no_transaction(box: Inbox, engine: Engine, made: Any) -> None:
    """
    What is written after a read of the inbox's, through the same connection, is committed; in a transaction of the
    merchant's nothing is.
    """
    store(box, engine, event())
    assert 0 == box.work(engine, fails, until_idle=True, policy=Policy(attempts=1))
    with made(engine) as bind, mishap(), bind.begin():
        assert (1, 1) == (box.counts(bind).dead, box.requeue(bind))
        raise MishapError
    with made(engine) as bind:
        assert (1, 1, True) == (len(box.dead(bind)), box.requeue(bind), box.is_news(event(), bind))
    with made(engine) as bind:
        assert (0, True) == (box.counts(bind).dead, box.store(event("c2"), bind))
    assert 2 == box.work(engine, send, until_idle=True)


def fails(_: Event, __: Connection) -> None:
    raise MishapError


@pytest.mark.anyio
@pytest.mark.parametrize("made", [AsyncConnection, AsyncSession])
async def test_a_read_leaves_no_transaction_async(
    box: Inbox, engine: Engine, async_engine: AsyncEngine, made: Any
) -> None:
    """
    The same in async code.
    """
    async with opened(async_engine, made) as bind:
        await box.counts(bind)
        assert await box.store(event(), bind)
    assert 1 == box.work(engine, send, until_idle=True)


def opened(engine: AsyncEngine, made: Any) -> Any:
    return AsyncSession(engine) if made is AsyncSession else engine.connect()


# Keeping and forgetting.


@pytest.mark.parametrize(
    ("keep", "waiting", "after"), [("never", "reduced", None), ("until done", "all", None), ("always", "all", "all")]
)
def test_bodies_are_kept_as_told(engine: Engine, keep: Any, waiting: str, after: str | None) -> None:
    """
    A body is kept as long and as far as the merchant chose; in no case is it needed to know a repetition.
    """
    box = Inbox(keep=keep)
    refund = {"id": "r1", "status": "COMPLETED", "reason": "Zoë"}
    told = event("c1", REFUNDED, metadata={"name": "Zoë"}, refunds=[refund])
    store(box, engine, told)
    act(box, engine, event("c2"))
    bodies = select(box.tables.events.c.checkout_id, box.tables.events.c.body)
    with engine.connect() as connection:
        found = {row.checkout_id: row.body for row in connection.execute(bodies)}
    assert (waiting == "all") is (found["c1"] == told.body)
    assert (b"Zo" in found["c1"]) is (waiting == "all")
    assert (after == "all") is (found["c2"] is not None)
    seen: list[Event] = []
    assert 1 == box.work(engine, lambda one, _: seen.append(one), until_idle=True)
    assert (told.content_key, position(told), told.event_id, "c1") == (
        seen[0].content_key,
        position(seen[0]),
        seen[0].event_id,
        seen[0].checkout.id,
    )
    with engine.connect() as connection:
        found = {row.checkout_id: row.body for row in connection.execute(bodies)}
    assert (after == "all") is (found["c1"] is not None)
    assert not act(box, engine, told)


def test_reduced_payloads_of_any_form(engine: Engine) -> None:
    """
    Where no body is kept, a payload unlike any documented one has its place too.
    """
    box = Inbox(keep="never")
    store(box, engine, delivered({"refunds": [7, {"id": "r"}]}, "e1"), delivered({"refunds": 7}, None))
    assert 2 == box.work(engine, send_nothing, until_idle=True)


def test_pruning(box: Inbox, engine: Engine, clock: Clock) -> None:
    """
    What was done long ago is forgotten, with its checkout; what waits or is dead never is.
    """
    act(box, engine, event("c1"))
    store(box, engine, event("c2"))
    clock.now += 100
    act(box, engine, event("c3"))
    with engine.connect() as connection:
        assert 1 == box.prune(connection, older_than_s=50)
    with engine.connect() as connection:
        assert 0 == box.prune(connection)
        counts = box.counts(connection)
        checkouts = list(connection.scalars(select(box.tables.checkouts.c.checkout_id)))
    assert (1, 0, 100.0) == (counts.waiting, counts.dead, counts.oldest_s)
    assert ["c3"] == checkouts
    assert act(box, engine, event("c1"))


@pytest.mark.parametrize("older_than_s", [-1, True, float("inf"), float("nan"), 10**30, "90", None])
def test_ages_that_cannot_be_meant(older_than_s: Any) -> None:
    """
    What is older than that is no number of seconds, or lies in the future, forgets nothing.
    """
    with pytest.raises(ConfigurationError, match=r"prune: older_than_s must be a number"), Session() as session:
        inbox.prune(session, older_than_s=older_than_s)


def test_nothing_yet(box: Inbox, engine: Engine) -> None:
    """
    An empty inbox counts nothing.
    """
    with engine.connect() as connection:
        assert inbox.Counts() == box.counts(connection)
        assert [] == box.dead(connection)


# Tables.


def test_tables_are_for_migrations(engine: Engine, url: str) -> None:
    """
    Alembic finds no difference between what create_all made and the metadata, and every key and index has a name.
    """
    own = MetaData()
    box = Inbox(prefix="shop_", metadata=own)
    box.create_all(engine)
    assert {"shop_events", "shop_checkouts", "shop_marks"} == set(own.tables)
    SHOP.drop_all(engine)
    Inbox().metadata.drop_all(engine)
    with engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), own)
        found = inspect(connection)
        assert "shop_events_pk" == found.get_pk_constraint("shop_events")["name"]
        assert ["shop_events_event_id"] == [one["name"] for one in found.get_unique_constraints("shop_events")]


def test_many_create_the_tables_at_once(url: str) -> None:
    """
    Processes that start together, each creating what is missing, are in nobody's way.
    """
    engines = [create_engine(url) for _ in range(6)]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(Inbox().create_all, engines))
    with engines[0].begin() as connection:
        Inbox().create_all(connection)
    assert inspect(engines[0]).has_table("coinbase_inbox_events")
    for engine in engines:
        engine.dispose()


def test_workers_at_any_isolation(empty: str) -> None:
    """
    Three workers on SERIALIZABLE transactions do each event once, with some repetition.
    """
    # Of a clock that runs: where even the failure could not be written down, the lease has to end.
    box = Inbox()
    engine = create_engine(empty, isolation_level="SERIALIZABLE")
    SHOP.create_all(engine)
    box.create_all(engine)
    store(box, engine, *(event(f"c{number}") for number in range(12)))
    stop = threading.Event()
    policy = Policy(attempts=1000, base_s=0, lease_s=0.3, poll_s=0.001)
    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(box.work, engine, send, stop=stop, policy=policy) for _ in range(3)]
        # A look in between may be refused at that isolation, too.
        onlooker = engine.execution_options(isolation_level="READ COMMITTED")
        deadline = time.monotonic() + 30
        try:
            while len(sent(onlooker)) < 12 and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            stop.set()
        assert 12 == sum(worker.result(10) for worker in workers)
    assert sorted(f"c{number}" for number in range(12)) == sorted(sent(engine))
    engine.dispose()


def test_a_schema_of_ones_own(empty: str) -> None:
    """
    The tables may be in any schema.
    """
    box = Inbox(schema="payments")
    engine = create_engine(empty)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA payments"))
        SHOP.create_all(connection)
        box.create_all(connection)
    store(box, engine, event())
    assert 1 == box.work(engine, send, until_idle=True)
    assert not act(box, engine, event())
    engine.dispose()


def test_missing_tables_are_told(tmp_path: Path) -> None:
    """
    A worker without tables says what to do, instead of waiting for ever.
    """
    engine = create_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with pytest.raises(ConfigurationError, match=r"no table coinbase_inbox_events; call create_all"):
        inbox.work(engine, send, until_idle=True)
    engine.dispose()


def test_other_databases_are_refused(empty: str) -> None:
    """
    Neither one that was never tried, nor a connection that commits by itself, is worked with.
    """
    engine = create_engine(empty, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, pytest.raises(ConfigurationError, match="AUTOCOMMIT"):
        inbox.store(event(), connection)
    with engine.connect() as connection:
        connection.dialect = type("Other", (type(connection.dialect),), {"name": "mysql"})()
        with pytest.raises(ConfigurationError, match="not with mysql"):
            inbox.store(event(), connection)
    engine.dispose()


@pytest.mark.parametrize(
    "policy",
    [
        {"attempts": 0},
        {"attempts": 1.5},
        {"attempts": True},
        {"base_s": -1},
        {"base_s": float("nan")},
        {"cap_s": float("inf")},
        {"cap_s": None},
        {"lease_s": 0},
        {"lease_s": 1e300},
        {"poll_s": 0},
        {"poll_s": "1"},
        {"poll_s": True},
    ],
)
def test_a_policy_that_cannot_be_meant(policy: dict[str, Any]) -> None:
    """
    A policy that would never try, wait for ever or never wait is refused when it is made, with the name of the setting.
    """
    with pytest.raises(ConfigurationError, match=f"inbox.Policy: {next(iter(policy))} must be a"):
        Policy(**policy)


BIND = "expected a Connection or Session, not"


@pytest.mark.anyio
async def test_what_is_mistaken_for_another(box: Inbox, engine: Engine, async_engine: AsyncEngine) -> None:
    """
    An engine in place of a connection, a dict in place of an event: one error that says what was expected.
    """
    wrong: Any = box
    mistakes: list[tuple[Callable[[], Any], str]] = [
        (wrong.once(event(), engine).__enter__, f"{BIND} Engine: use engine.connect()"),
        (wrong.once(event(), async_engine).__enter__, f"{BIND} AsyncEngine: use engine.connect()"),
        (wrong.once(event(), None).__enter__, f"{BIND} NoneType"),
        (partial(wrong.store, event(), 5), f"{BIND} int"),
        (partial(wrong.counts, scoped_session(sessionmaker(engine))), f"{BIND} scoped_session: call it"),
        (partial(wrong.once, {}, engine), "expected an Event, not dict"),
        (partial(wrong.store, {}, engine), "expected an Event, not dict"),
        (partial(wrong.is_news, {}, engine), "expected an Event, not dict"),
        (partial(wrong.create_all, async_engine), "expected an Engine or Connection, not AsyncEngine"),
        (partial(wrong.work, async_engine, send, until_idle=True), "expected an Engine, not AsyncEngine"),
        (partial(wrong.reconcile, None, None, since=0), "expected an Engine, not NoneType"),
    ]
    for mistake, told in mistakes:
        with pytest.raises(TypeError) as caught:
            mistake()
        assert told in str(caught.value)


@pytest.mark.anyio
async def test_what_is_mistaken_in_async_code(box: Inbox, engine: Engine) -> None:
    """
    The same where it is awaited, of what is not asynchronous.
    """
    with engine.connect() as connection, pytest.raises(TypeError, match="AsyncConnection or AsyncSession, not Conn"):
        await box.once(event(), connection).__aenter__()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="expected an AsyncEngine, not Engine"):
        await box.work_async(engine, send, until_idle=True)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected an AsyncEngine, not Engine"):
        await box.reconcile_async(None, engine, since=0)  # type: ignore[arg-type]


def test_a_metric_that_fails(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """
    What the callback raises is logged, and the work is done all the same.
    """
    box = Inbox(on_metric=lambda _: 1 / 0)
    assert act(box, engine, event())
    assert "on_metric failed" in caplog.messages


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without SQLAlchemy the import says what to install.
    """
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "coinbase_checkouts.inbox")
    with pytest.raises(ImportError, match=r"pip install 'coinbase-checkouts\[inbox\]'"):
        importlib.import_module("coinbase_checkouts.inbox")


# Async.


@pytest.mark.anyio
@pytest.mark.parametrize("made", [AsyncConnection, AsyncSession])
async def test_async(box: Inbox, engine: Engine, async_engine: AsyncEngine, made: Any) -> None:
    """
    Everything is the same in async code, by connection or session.
    """
    connect = partial(opened, async_engine, made)
    async with connect() as bind, box.once(event(), bind) as fresh:
        assert fresh
        await bind.execute(insert(SENT).values(checkout="c1"))
        assert await box.is_news(event(), bind)
    async with connect() as bind, bind.begin():
        async with box.once(event(), bind) as fresh:
            assert not fresh
        with mishap():
            async with box.once(event("c2"), bind) as fresh:
                assert fresh
                raise MishapError
    async with connect() as bind:
        assert await box.store(event("c2"), bind)
    async with connect() as bind:
        assert 1 == (await box.counts(bind)).waiting
        assert [] == await box.dead(bind)
    async with connect() as bind:
        assert 0 == await box.requeue(bind)
        assert 0 == await box.prune(bind)

    async def handler(one: Event, connection: AsyncConnection) -> None:
        await connection.execute(insert(SENT).values(checkout=one.checkout.id))

    assert 1 == await box.work_async(async_engine, handler, until_idle=True)
    assert ["c1", "c2"] == sent(engine)


@pytest.mark.anyio
async def test_async_failures(
    box: Inbox, engine: Engine, async_engine: AsyncEngine, clock: Clock, metrics: list[Metric]
) -> None:
    """
    An async worker fails, tries again and gives up as the other does.
    """
    store(box, engine, event())

    async def handler(one: Event, connection: AsyncConnection) -> None:
        await connection.execute(insert(SENT).values(checkout=one.checkout.id))
        raise MishapError

    for _ in range(10):
        await box.work_async(async_engine, handler, until_idle=True, policy=Policy(attempts=2))
        clock.now += 1
    assert [] == sent(engine)
    assert ["stored", "failed", "dead"] == [one.kind for one in metrics]


@pytest.mark.anyio
async def test_an_async_worker_is_cancelled(box: Inbox, engine: Engine, async_engine: AsyncEngine) -> None:
    """
    A cancelled worker undoes its work and gives the event back; one that is told to stop does so though it waits.
    """
    store(box, engine, event())
    inside = asyncio.Event()

    async def handler(one: Event, connection: AsyncConnection) -> None:
        await connection.execute(insert(SENT).values(checkout=one.checkout.id))
        inside.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(box.work_async(async_engine, handler))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [] == sent(engine)

    stop = asyncio.Event()

    async def quick(one: Event, connection: AsyncConnection) -> None:
        await connection.execute(insert(SENT).values(checkout=one.checkout.id))
        asyncio.get_running_loop().call_later(0.05, stop.set)

    task = asyncio.create_task(box.work_async(async_engine, quick, stop=stop, policy=Policy(poll_s=0.01)))
    assert 1 == await task


@pytest.mark.anyio
async def test_an_async_worker_that_is_late(
    box: Inbox, engine: Engine, async_engine: AsyncEngine, clock: Clock, metrics: list[Metric]
) -> None:
    """
    What was taken too often without an end is dead, and what was taken by another is left to it.
    """
    store(box, engine, event())
    assert claiming(box, engine)() is not None
    clock.now += 60
    begun = Steps.begin

    def late(self: Steps, connection: Connection, taken: Any) -> bool:
        return begun(self, connection, dataclasses.replace(taken, lease="another's"))

    async def handler(_: Event, __: AsyncConnection) -> None:
        raise AssertionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "begin", late)
        assert 0 == await box.work_async(async_engine, handler, until_idle=True)
    clock.now += 60
    assert 0 == await box.work_async(async_engine, handler, until_idle=True, policy=Policy(attempts=2))
    assert ["stored", "lost", "dead"] == [one.kind for one in metrics]


@pytest.mark.anyio
async def test_an_async_worker_whose_database_was_restarted(
    clock: Clock, shop: Engine, cut: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    Cut connections are replaced, as for the other worker.
    """
    stop, done = asyncio.Event(), list[Metric]()

    def told(metric: Metric) -> None:
        if metric.kind == "done":
            done.append(metric)
            (stop.set if len(done) == 2 else cut)()

    async def handler(one: Event, connection: AsyncConnection) -> None:
        await connection.execute(insert(SENT).values(checkout=one.checkout.id))

    box = Inbox(clock=clock, on_metric=told)
    store(box, shop, event("c1"), event("c2"), event("c3"))
    engine = create_async_engine(shop.url)
    assert 2 == await box.work_async(engine, handler, stop=stop, policy=Policy(poll_s=0.01))
    assert ["inbox: the database does not answer: AdminShutdown"] == caplog.messages
    done.clear()
    with pytest.raises(OperationalError):
        await box.work_async(engine, handler, until_idle=True)
    await engine.dispose()


@pytest.mark.anyio
@pytest.mark.parametrize("made", [AsyncConnection, AsyncSession])
async def test_an_async_block_whose_work_is_lost(
    box: Inbox, taken: Engine, async_engine: AsyncEngine, made: Any
) -> None:
    """
    As in the other, a block or handler that ends well, and whose work would not be committed, is an error.
    """
    for happens in (ends, catches):
        with lost():
            async with opened(async_engine, made) as bind, box.once(event(), bind) as fresh:
                assert fresh
                await bind.run_sync(partial(send, event()))
                await (bind.rollback() if happens is ends else bind.run_sync(catches))
    store(box, taken, event())

    async def handler(one: Event, connection: AsyncConnection) -> None:
        await connection.run_sync(partial(send, one))
        await connection.run_sync(catches)

    assert 0 == await box.work_async(async_engine, handler, until_idle=True, policy=Policy(attempts=1))
    with taken.connect() as connection:
        assert ["TransactionError"] == [letter.last_error for letter in box.dead(connection)]
    assert ["before"] == sent(taken)
