"""
A merchant's processes, to be killed: `python -m tests.torture.inbox_shop inline|store|work DATABASE`.

What they do leaves a row each time that it is done, and nothing in the database would keep it from being done twice.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from typing import Any, Final

import uvicorn
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, create_engine, insert
from sqlalchemy import event as happenings
from sqlalchemy.dialects import postgresql, sqlite
from starlette.applications import Starlette

from coinbase_checkouts import Event, inbox
from coinbase_checkouts.adapters.starlette import webhook

SECRET: Final = "INBOX_SECRET"
# Short, since nobody wants to wait for the lease of a killed worker; and patient, since no event is to be dead.
POLICY: Final = inbox.Policy(attempts=10_000, base_s=0.05, cap_s=0.5, lease_s=2.0, poll_s=0.05)

SHOP: Final = MetaData()
EFFECTS: Final = Table(
    "effects",
    SHOP,
    Column("number", Integer, primary_key=True),
    Column("checkout", String(24), nullable=False),
    Column("event_type", String(40), nullable=False),
    # How many refunds have ended in the way that the event tells of.
    Column("refunds", Integer, nullable=False),
)
ORDERS: Final = Table(
    "orders", SHOP, Column("checkout", String(24), primary_key=True), Column("status", String(40), nullable=False)
)

_ENDED: Final = {"checkout.refund.success": "COMPLETED", "checkout.refund.failed": "FAILED"}


class MishapError(Exception):
    """Work fails now and then."""


def opened(database: str) -> Engine:
    """The shop's database, with patience for its neighbours."""
    if not database.startswith("sqlite"):
        return create_engine(database, pool_pre_ping=True)
    engine = create_engine(database, connect_args={"timeout": 30})

    @happenings.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing of it.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def work(event: Event, connection: Connection) -> None:
    """What is to be done once: a row of its own, and the order's status, unless a newer one is known."""
    refunds = event.raw.get("refunds", [])
    ended = sum(refund["status"] == _ENDED.get(event.event_type) for refund in refunds)
    row = {"checkout": event.raw["id"], "event_type": str(event.event_type), "refunds": ended}
    connection.execute(insert(EFFECTS).values(row))
    if random.random() < 0.05:
        # A good moment to be killed.
        time.sleep(random.random() / 20)
    if inbox.is_news(event, connection):
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        order = dialect.insert(ORDERS).values(checkout=event.raw["id"], status=event.raw["status"])
        connection.execute(
            order.on_conflict_do_update(index_elements=["checkout"], set_={"status": order.excluded.status})
        )
    if random.random() < 0.03:
        raise MishapError


def serve(engine: Engine, *, inline: bool) -> None:
    """Take deliveries, and act on them at once or leave them to workers."""

    def receive(event: Event) -> None:
        with engine.connect() as connection:
            if not inline:
                inbox.store(event, connection)
                return
            with inbox.once(event, connection) as fresh:
                if fresh:
                    work(event, connection)

    app = Starlette()
    app.add_route("/webhooks", webhook(os.environ[SECRET], receive), methods=["POST"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_config=None, lifespan="off")
        uvicorn.Server(config).run([listener])


def main(role: str, database: str) -> None:
    """Be one of the merchant's processes until killed."""
    engine = opened(database)
    if role == "work":
        print(0, flush=True)
        inbox.work(engine, work, policy=POLICY)
    else:
        serve(engine, inline=role == "inline")


if __name__ == "__main__":
    main(*sys.argv[1:])
