"""
What a webhook costs: checking it, beside the checks of the neighbours, and acting on it once, beside doing so plainly.

Inbox: `EVENTS` different events of as many checkouts, each with one row of the merchant's as its effect. The baseline
is that row alone, in a transaction of its own, inline. Workers are processes; they are ready before the clock starts.
SQLite has one file and one writer, with write-ahead log; PostgreSQL is the tests' own, fsync on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, create_engine, func, insert, select
from sqlalchemy import event as happenings

from coinbase_checkouts import Event, inbox, webhooks
from tests.bench.measuring import Work, measured, report
from tests.postgres import PROGRAMS, SEARCHED, running

SECRET: Final = "4f0c2b1e-7f4e-4f5a-9a55-0d8f5a4c8e11"
EVENTS: Final = 1_500
WORKERS: Final = (1, 2, 4)
EXAMPLE: Final = Path(__file__).parents[2] / "spec" / "examples" / "getCheckout.response-gen-2.json"
CHECKOUT: Final = json.loads(EXAMPLE.read_text(encoding="utf-8"))

SHOP: Final = MetaData()
ORDERS: Final = Table(
    "orders", SHOP, Column("number", Integer, primary_key=True), Column("checkout", String(24), nullable=False)
)


def body(number: int = 0) -> bytes:
    """The payload of one event."""
    payload = {**CHECKOUT, "eventType": "checkout.payment.success", "id": f"{number:024x}"}
    return json.dumps(payload).encode()


def verifying() -> None:
    """One delivery, made an event; of the neighbours, each by the scheme of its own."""
    content, now = body(), int(time.time())
    ids = {"X-Event-Id": "evt_1", "X-Event-Type": "checkout.payment.success"}
    v0 = {**ids, webhooks.SIGNATURE_HEADER: webhooks.sign(content, {}, SECRET, now)}
    v1 = {**ids, webhooks.SIGNATURE_HEADER: webhooks.sign(content, ids, SECRET, now)}

    def plainly() -> object:
        code = hmac.new(SECRET.encode(), str(now).encode() + b"." + content, hashlib.sha256).hexdigest()
        hmac.compare_digest(code, v0[webhooks.SIGNATURE_HEADER].rpartition("=")[2])
        return json.loads(content)

    candidates: dict[str, Work] = {
        "hmac + json.loads": plainly,
        "coinbase-checkouts, v0": lambda: webhooks.verify(content, v0, SECRET, now),
        "coinbase-checkouts, v1": lambda: webhooks.verify(content, v1, SECRET, now),
        "coinbase-checkouts, v1 + typed checkout": lambda: webhooks.verify(content, v1, SECRET, now).checkout,
        **_neighbours(content, now),
    }
    report(f"One delivery of {len(content)} bytes, checked and read", measured(candidates, batch=200), {})


def _neighbours(content: bytes, now: int) -> dict[str, Work]:
    found: dict[str, Work] = {}
    key = b"0123456789abcdef0123456789abcdef"
    shared = f"whsec_{base64.b64encode(key).decode()}"
    try:
        import standardwebhooks
        import svix

        signed = standardwebhooks.Webhook(shared).sign("msg_1", datetime.fromtimestamp(now, UTC), content.decode())
        of_svix = {"svix-id": "msg_1", "svix-timestamp": str(now), "svix-signature": signed}
        standard = {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signed}
        one, other = svix.Webhook(shared), standardwebhooks.Webhook(shared)
        found["svix"] = lambda: one.verify(content, of_svix)
        found["standardwebhooks"] = lambda: other.verify(content, standard)
    except ImportError:
        print("svix and standardwebhooks are not installed: left out", file=sys.stderr)
    try:
        import stripe

        code = hmac.new(key, f"{now}.".encode() + content, hashlib.sha256).hexdigest()
        header = f"t={now},v1={code}"
        found["stripe (check and construct_event)"] = lambda: stripe.Webhook.construct_event(
            content, header, key.decode()
        )
    except ImportError:
        print("stripe is not installed: left out", file=sys.stderr)
    return found


def opened(database: str) -> Engine:
    """The shop's database."""
    if not database.startswith("sqlite"):
        return create_engine(database)
    engine = create_engine(database, connect_args={"timeout": 30})

    @happenings.listens_for(engine, "connect")
    def connected(connection: object, _: object) -> None:
        run = connection.execute  # type: ignore[attr-defined]
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=NORMAL")

    return engine


def fulfil(event: Event, connection: Connection) -> None:
    """The effect."""
    connection.execute(insert(ORDERS).values(checkout=event.raw["id"]))


def received() -> list[Event]:
    """Different events, verified before the clock starts."""
    now = int(time.time())
    found: list[Event] = []
    for number in range(EVENTS):
        content = body(number)
        headers = {"X-Event-Id": f"evt_{number}", "X-Event-Type": "checkout.payment.success"}
        headers[webhooks.SIGNATURE_HEADER] = webhooks.sign(content, dict(headers), SECRET, now)
        found.append(webhooks.verify(content, headers, SECRET, now))
    return found


def acting(name: str, fresh: Callable[[], str]) -> None:
    """Events per second on one kind of database; *fresh* makes an empty one."""
    events = received()

    def plainly(engine: Engine, event: Event) -> None:
        with engine.begin() as connection:
            fulfil(event, connection)

    def once(engine: Engine, event: Event) -> None:
        with engine.connect() as connection, inbox.once(event, connection) as is_fresh:
            if is_fresh:
                fulfil(event, connection)

    def store(engine: Engine, event: Event) -> None:
        with engine.connect() as connection:
            inbox.store(event, connection)

    print(f"\n{EVENTS} events on {name}")
    base = 0.0
    for title, act in (("the row alone", plainly), ("inbox.once", once), ("inbox.store", store)):
        with _prepared(fresh()) as engine:
            began = time.perf_counter()
            for event in events:
                act(engine, event)
            rate = EVENTS / (time.perf_counter() - began)
        base = base or rate
        print(f"  {title:<46}{rate:>10,.0f} /s{rate / base:>8.2f} ×", flush=True)
    for number in WORKERS:
        database = fresh()
        with _prepared(database) as engine:
            with engine.begin() as connection:
                for event in events:
                    inbox.store(event, connection)
            rate = EVENTS / _drained(database, number)
            with engine.connect() as connection:
                done = connection.execute(select(func.count(), func.count(ORDERS.c.checkout.distinct()))).one()
        if tuple(done) != (EVENTS, EVENTS):
            sys.exit(f"{number} workers on {name}: {done[0]} effects on {done[1]} checkouts of {EVENTS}")
        print(f"  {f'inbox.work, {number} processes':<46}{rate:>10,.0f} /s{rate / base:>8.2f} ×", flush=True)


@contextmanager
def _prepared(database: str) -> Generator[Engine]:
    engine = opened(database)
    SHOP.create_all(engine)
    inbox.create_all(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _drained(database: str, number: int) -> float:
    """Seconds until *number* processes have acted on all that is stored."""
    command = [sys.executable, "-m", "tests.bench.webhooks", database]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(number)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        began = time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            if process.wait(timeout=300):
                sys.exit("a worker failed")
        return time.perf_counter() - began
    finally:
        for process in processes:
            process.kill()
            process.wait()


def worker(database: str) -> None:
    """Wait for the word, then act on all there is."""
    engine = opened(database)
    with engine.connect() as connection:
        connection.execute(select(1))
    print("ready", flush=True)
    sys.stdin.read()
    inbox.work(engine, fulfil, until_idle=True)


def main() -> None:
    """Checking, then acting on both databases."""
    verifying()
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1_000))
        acting("SQLite", lambda: f"sqlite:///{folder}/{next(numbers)}.sqlite3")
    if not all(shutil.which(program, path=SEARCHED) for program in PROGRAMS):
        print("PostgreSQL is not installed: left out", file=sys.stderr)
        return
    with running() as postgres:
        acting("PostgreSQL", postgres.database)


if __name__ == "__main__":
    worker(*sys.argv[1:])
