"""Reconciliation: days of webhooks that never came, told by the real sandbox, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts, Event, Subscriptions
from coinbase_checkouts.inbox import Inbox, Reconciled
from coinbase_checkouts.inbox.history import history
from coinbase_checkouts.inbox.order import position
from coinbase_checkouts_sandbox import Sandbox

from ..postgres import Postgres
from .conftest import Server
from .reconciler import SHOP, as_sent, done, opened, what, work

ORDERS = 216
PAID = "checkout.payment.success"


@dataclass
class Day:
    """
    What happened on one day at a shop.

    Attributes:
        told: Every delivery that was sent, as it would have been verified.
        start, end: Unix seconds, of the sandbox.
    """

    sandbox: Sandbox
    key: ApiKey
    told: list[Event]
    start: float
    end: float

    def client(self) -> Checkouts:
        return Checkouts(self.key, base_url=self.sandbox.base_url)


# What becomes of an order once it is there: the outcome of the payment, and its refunds, each with its outcome.
STORIES: dict[int, tuple[str | None, list[tuple[str, str | None]]]] = {
    0: ("COMPLETED", []),
    1: ("FAILED", []),
    2: ("PROCESSING", []),
    6: ("COMPLETED", [("3.00", "COMPLETED")]),
    7: ("COMPLETED", [("10.00", "COMPLETED")]),
    8: ("COMPLETED", [("4.00", "FAILED")]),
    9: ("COMPLETED", [("1.00", "COMPLETED"), ("2.00", "FAILED"), ("3.00", "COMPLETED")]),
    10: ("COMPLETED", [("2.50", None)]),
    11: ("COMPLETED", [("4.00", "COMPLETED"), ("6.00", "COMPLETED")]),
}
EXPIRES, DEACTIVATED = 3, 4


def order(sandbox: Sandbox, shop: Checkouts, number: int) -> None:
    """One of the twelve stories that an order can have."""
    story = number % 12
    expires_at = sandbox.now + timedelta(hours=1 if story == EXPIRES else 1000)
    checkout = shop.create("10.00", description=f"order {number}", expires_at=expires_at)
    if story == DEACTIVATED:
        shop.deactivate(checkout.id)
    payment, refunds = STORIES.get(story, (None, []))
    if payment:
        sandbox.pay(checkout.id, payment)
    begun = [(shop.refund(checkout.id, amount).refund.id, outcome) for amount, outcome in refunds]
    for refund_id, outcome in begun:
        if outcome:
            sandbox.settle(checkout.id, refund_id, outcome)


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    receiver = Server()
    receiver.answer({})
    with Sandbox(port=0) as sandbox:
        key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
        with (
            Checkouts(key, base_url=sandbox.base_url) as shop,
            Subscriptions(key, base_url=sandbox.base_url) as subscriptions,
        ):
            subscription = subscriptions.create(f"{receiver.url}/hook")
            assert subscription.secret is not None
            start = sandbox.now.timestamp()
            for number in range(ORDERS):
                order(sandbox, shop, number)
                if number % 9 == 0:
                    sandbox.advance(3600)
            sandbox.advance(7200)
            sandbox.flush()
            secret = subscription.secret.reveal()
            told = [as_sent(one.body, one.headers, secret) for one in receiver.received]
        yield Day(sandbox, key, told, start, sandbox.now.timestamp())
    receiver.stop()


@pytest.fixture(scope="module")
def postgres_url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    found: str = request.getfixturevalue("postgres_url")
    engine = create_engine(found)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return found


@pytest.fixture
def box(day: Day) -> Inbox:
    return Inbox(clock=lambda: day.end)


@pytest.fixture
def engine(url: str, box: Inbox) -> Iterator[Engine]:
    engine = opened(url)
    SHOP.create_all(engine)
    box.create_all(engine)
    yield engine
    engine.dispose()


def keys(told: list[Event]) -> list[str]:
    """What a shop has to do, once: from what was sent, not from what we read."""
    return sorted({what(event) for event in told})


def deliver(box: Inbox, engine: Engine, told: list[Event]) -> int:
    """What an endpoint does; how many were fresh."""
    count = 0
    for event in told:
        with engine.connect() as connection, box.once(event, connection) as fresh:
            if fresh:
                work(event, connection)
                count += 1
    return count


def reconciled(box: Inbox, engine: Engine, day: Day, *, inline: bool = True, **more: Any) -> Reconciled:
    given: dict[str, Any] = {"since": day.start, "reads_per_s": 1000.0, **more}
    with day.client() as checkouts:
        result = box.reconcile(checkouts, engine, handler=work if inline else None, **given)
    box.work(engine, work, until_idle=True)
    return result


def pairs_of_success(told: list[Event]) -> Iterator[tuple[str, str]]:
    """What came one after the other, of one order."""
    last: dict[str, str] = {}
    for event in told:
        if event.event_type.value.endswith("success"):
            if event.checkout.id in last:
                yield last[event.checkout.id], what(event)
            last[event.checkout.id] = what(event)


# A day of lost webhooks.


def test_the_day_has_all_of_it(day: Day) -> None:
    """
    What is tried: every event type, of more than two hundred orders in every status.
    """
    with day.client() as checkouts:
        statuses = Counter(str(checkout.status) for checkout in checkouts.list(page_size=100))
    assert ORDERS == sum(statuses.values())
    assert 8 == len(statuses)
    kinds = Counter(event.event_type.value for event in day.told)
    assert 5 == len(kinds)
    # Every delivery was of another event.
    assert len(day.told) == len(keys(day.told))


@pytest.mark.parametrize("inline", [True, False])
def test_a_day_of_lost_webhooks_loses_nothing(box: Inbox, engine: Engine, day: Day, *, inline: bool) -> None:
    """
    Nothing came: the inbox has everything afterwards, once; and what comes late, twice and shuffled, changes nothing.
    """
    result = reconciled(box, engine, day, inline=inline)
    assert keys(day.told) == sorted(done(engine))
    assert (True, False, len(day.told), 0, 0) == (
        result.complete,
        result.busy,
        result.fed,
        result.known,
        result.passed_over,
    )
    # Of each order in the order in which it happened, but for failures, of which the API does not tell when.
    places = {one: place for place, one in enumerate(done(engine))}
    assert all(places[first] < places[second] for first, second in pairs_of_success(day.told))
    late = [*day.told, *day.told]
    random.Random(7).shuffle(late)
    assert 0 == deliver(box, engine, late)
    assert len(day.told) == len(done(engine))


@pytest.mark.parametrize("inline", [True, False])
def test_what_came_is_known(box: Inbox, engine: Engine, day: Day, *, inline: bool) -> None:
    """
    Every third came, some twice: only the others are put in; the second run finds nothing at all.
    """
    came = day.told[::3]
    assert len(came) == deliver(box, engine, [*came, *came[::2]])
    result = reconciled(box, engine, day, inline=inline)
    assert (len(day.told) - len(came), len(came)) == (result.fed, result.known)
    assert keys(day.told) == sorted(done(engine))
    again = reconciled(box, engine, day, inline=inline, overlap_s=10 * 86400)
    assert (True, 0, len(day.told)) == (again.complete, again.fed, again.known)
    assert 0 == deliver(box, engine, day.told)


def test_read_events_are_as_the_delivered_ones(day: Day) -> None:
    """
    What is made of a checkout is what was sent: the same statuses, refunds and amounts, in the same order. But when one
    of several refunds failed, the API does not tell.
    """
    sent = {what(event): event for event in day.told}
    with day.client() as checkouts:
        for checkout in checkouts.list(page_size=100):
            made = [past.event for past in history(checkout, now_s=day.end)]
            assert sorted(made, key=position) == made
            for event in made:
                told = sent[what(event)]
                assert "api" == event.scheme
                assert json.loads(event.body) == event.raw
                if len({refund.status for refund in checkout.refunds or ()}) > 1:
                    continue
                assert event.checkout.status == told.checkout.status, what(event)
                assert Decimal(event.checkout.refunded_amount or "0") == Decimal(told.checkout.refunded_amount or "0")
                assert [(one.id, one.status) for one in event.checkout.refunds or ()] == [
                    (one.id, one.status) for one in told.checkout.refunds or ()
                ]


def test_an_older_state_never_overwrites_a_newer_one(box: Inbox, engine: Engine, day: Day) -> None:
    """
    Where the refund came and the payment did not, the payment is put in, and is no news.
    """
    refunds = [event for event in day.told if event.event_type == "checkout.refund.success"]
    deliver(box, engine, refunds)
    news: Counter[tuple[str, bool]] = Counter()

    def handler(event: Event, connection: Connection) -> None:
        news[event.event_type.value, box.is_news(event, connection)] += 1

    with day.client() as checkouts:
        box.reconcile(checkouts, engine, since=day.start, handler=handler, reads_per_s=1000.0)
    paid = {event.checkout.id for event in day.told if event.event_type == PAID}
    gone_on = {event.checkout.id for event in refunds}
    assert (len(paid - gone_on), len(gone_on)) == (news[PAID, True], news[PAID, False])


# Several at once, and cut off.

SCRIPT = Path(__file__).with_name("reconciler.py")


def start(day: Day, url: str, *, name: str = "default", inline: bool = True, **more: Any) -> subprocess.Popen[str]:
    """The cron job of one host."""
    told = {
        "database": url,
        "key": day.sandbox.key,
        "base_url": day.sandbox.base_url,
        "since": day.start,
        "now": day.end,
        "name": name,
        "inline": inline,
        **more,
    }
    process = subprocess.Popen([sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(told))
    process.stdin.close()
    process.stdin = None
    return process


@pytest.mark.parametrize("inline", [True, False])
def test_killed_in_the_middle(box: Inbox, engine: Engine, day: Day, url: str, *, inline: bool) -> None:
    """
    kill -9 in the middle, three times; the run after that completes it, and everything is done once.
    """
    for wanted in (40, 90, 140):
        process = start(day, url, inline=inline, pause_s=0.001, lease_s=0.0)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            with engine.connect() as connection:
                if (connection.scalar(text("SELECT count(*) FROM coinbase_inbox_events")) or 0) >= wanted:
                    process.kill()
                    break
            time.sleep(0.005)
        process.communicate()
    assert len(keys(day.told)) > len(done(engine))
    result = reconciled(box, engine, day, inline=inline, lease_s=0.0)
    assert result.complete
    assert keys(day.told) == sorted(done(engine))


@pytest.mark.parametrize(
    ("names", "inline"), [(("default",) * 3, True), (("one", "two", "three"), True), (("one", "two", "three"), False)]
)
def test_three_hosts_at_once(
    box: Inbox, engine: Engine, day: Day, url: str, names: tuple[str, ...], *, inline: bool
) -> None:
    """
    With one name between them one does it all and the others leave it to that one; with a name each they do the same
    at the same time, and still everything is done once.
    """
    hosts = [start(day, url, name=name, inline=inline) for name in names]
    told = [json.loads(host.communicate(timeout=120)[0]) for host in hosts]
    box.work(engine, work, until_idle=True)
    assert len(day.told) == sum(one["fed"] for one in told)
    assert all(one["complete"] or one["busy"] for one in told)
    assert any(one["complete"] for one in told)
    assert keys(day.told) == sorted(done(engine))


@pytest.mark.anyio
@pytest.mark.parametrize("inline", [True, False])
async def test_in_async_code(box: Inbox, engine: Engine, day: Day, url: str, *, inline: bool) -> None:
    """
    The same in asyncio.
    """
    deliver(box, engine, day.told[::4])

    async def handler(event: Event, connection: AsyncConnection) -> None:
        await connection.run_sync(partial(work, event))

    made = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    async with AsyncCheckouts(day.key, base_url=day.sandbox.base_url) as checkouts:
        result = await box.reconcile_async(
            checkouts, made, since=day.start, handler=handler if inline else None, reads_per_s=1000.0
        )
        await box.work_async(made, handler, until_idle=True)
    await made.dispose()
    assert (True, len(day.told) - len(day.told[::4])) == (result.complete, result.fed)
    assert keys(day.told) == sorted(done(engine))
