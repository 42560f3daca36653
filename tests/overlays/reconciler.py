"""A merchant's cron job, for tests that run several of them at once, or kill one: `reconciler.py` with JSON on stdin."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, create_engine, insert, select
from sqlalchemy import event as happenings

from coinbase_checkouts import ApiKey, Checkouts, Event, webhooks
from coinbase_checkouts.inbox import Inbox

# The merchant's own: a row for each time that something was done, and nothing that keeps it from being done twice.
SHOP = MetaData()
DONE = Table("done", SHOP, Column("number", Integer, primary_key=True), Column("what", String(400)))


def as_sent(body: bytes, headers: Mapping[str, str], secret: str) -> Event:
    """A delivery as its receiver would have verified it at the time."""
    moment = int(headers["x-hook0-signature"].split(",")[0].removeprefix("t="))
    return webhooks.verify(body, headers, secret, moment)


def opened(url: str) -> Engine:
    """The merchant's database; what a power cut would lose is not what is tried."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @happenings.listens_for(engine, "connect")
        def connected(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA synchronous = OFF")

    return engine


def what(event: Event) -> str:
    """What happened: to which checkout, and of several refunds that ended so the how many-th. Not how the inbox sees it."""
    ended = event.event_type.value.replace("success", "COMPLETED").replace("failed", "FAILED").rpartition(".")[2]
    number = sum(refund.status == ended for refund in event.checkout.refunds or ())
    return f"{event.checkout.id}:{event.event_type}:{number}"


def work(event: Event, connection: Connection) -> None:
    """The merchant's work."""
    connection.execute(insert(DONE).values(what=what(event)))


def done(engine: Engine) -> list[str]:
    """What was done, in order."""
    with engine.connect() as connection:
        return list(connection.scalars(select(DONE.c.what).order_by(DONE.c.number)))


def main() -> None:
    """Reconcile as it is told, and tell what came of it."""
    told: dict[str, Any] = json.load(sys.stdin)
    engine = opened(told["database"])

    def slowly(event: Event, connection: Connection) -> None:
        work(event, connection)
        time.sleep(told.get("pause_s", 0.0))

    box = Inbox(clock=lambda: float(told["now"]))
    key = ApiKey(told["key"]["id"], told["key"]["privateKey"])
    with Checkouts(key, base_url=told["base_url"]) as checkouts:
        result = box.reconcile(
            checkouts,
            engine,
            since=told["since"],
            handler=slowly if told["inline"] else None,
            name=told["name"],
            lease_s=told.get("lease_s", 300.0),
            reads_per_s=1000.0,
        )
    sys.stdout.write(json.dumps({"complete": result.complete, "busy": result.busy, "fed": result.fed}))


if __name__ == "__main__":
    main()
