"""What docs/inbox.md and docs/subscriptions.md show is run as it stands."""

from __future__ import annotations

import re
import signal
import threading
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.urls import path
from flask import Flask
from sqlalchemy import Boolean, Column, MetaData, String, Table, create_engine, insert, select, update
from starlette.applications import Starlette

from coinbase_checkouts import ApiKey, Checkouts, Subscriptions, inbox, webhooks
from coinbase_checkouts_sandbox import Sandbox

DOCS = Path(__file__).parents[2] / "docs"


def shown_in(name: str) -> list[str]:
    """The page's blocks of Python."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


STARLETTE, FLASK, DJANGO, AT_ONCE, LATER, NEWS, LOST = shown_in("inbox.md")
(SUBSCRIBE,) = shown_in("subscriptions.md")
BODY = b'{"id":"c1","eventType":"checkout.payment.success","status":"COMPLETED","updatedAt":"2026-11-20T10:00:00Z"}'


@pytest.fixture
def names(tmp_path: Path) -> dict[str, Any]:
    """What the page takes for granted."""
    metadata = MetaData()
    columns = (Column("checkout", String(24)), Column("paid", Boolean), Column("status", String(20)))
    orders = Table("orders", metadata, *columns)
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(orders).values(checkout="c1"))
    now = int(time.time())
    headers = {webhooks.SIGNATURE_HEADER: webhooks.sign(BODY, {}, "secret", now)}
    event = webhooks.verify(BODY, headers, "secret", now)
    return {"engine": engine, "orders": orders, "update": update, "inbox": inbox, "event": event}


@pytest.mark.parametrize(("shown", "app"), [(STARLETTE, Starlette()), (FLASK, Flask(__name__)), (DJANGO, None)])
def test_endpoints(shown: str, app: Any) -> None:
    """
    Each of the three frameworks takes its lines.
    """
    exec(shown, {"app": app, "SECRET": "secret", "receive": print, "path": path})


def test_at_once(names: dict[str, Any]) -> None:
    """
    The order is paid, by however many deliveries.
    """
    exec(AT_ONCE, names)
    for _ in range(2):
        names["receive"](names["event"])
    with names["engine"].connect() as connection:
        assert [True] == list(connection.scalars(select(names["orders"].c.paid)))


def test_later(names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is stored is worked at until the signal comes; a status is copied on news.
    """
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    inbox.create_all(names["engine"])
    receive, worker = LATER.split("# in as many")
    exec(receive, names)
    names["receive"](names["event"])

    def handler(event: Any, connection: Any) -> None:
        mine = update(names["orders"]).where(names["orders"].c.checkout == event.checkout.id)
        exec(NEWS, {**names, "event": event, "connection": connection, "mine": mine})
        handlers[signal.SIGTERM]()

    names |= {"signal": signal, "threading": threading, "handler": handler}
    exec(worker.partition("\n")[2].replace("lambda event, connection: ...", "handler"), names)
    with names["engine"].connect() as connection:
        assert ["COMPLETED"] == list(connection.scalars(select(names["orders"].c.status)))


def test_what_never_came(names: dict[str, Any]) -> None:
    """
    What was paid while nobody listened is there for a worker.
    """
    inbox.create_all(names["engine"])
    with Sandbox(port=0) as sandbox:
        key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
        at_home = partial(Checkouts, base_url=sandbox.base_url)
        with at_home(key) as checkouts:
            sandbox.pay(checkouts.create("1.00").id)
        exec(LOST, names | {"Checkouts": at_home, "key": key, "datetime": datetime, "UTC": UTC})
    with names["engine"].connect() as connection:
        assert 1 == inbox.counts(connection).waiting


def test_subscribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A subscription is made, and its secret is there to be kept.
    """
    kept: list[tuple[str, str]] = []

    def keep_safe(id: str, secret: str) -> None:
        kept.append((id, secret))

    monkeypatch.chdir(tmp_path)
    with Sandbox(port=0) as sandbox:
        sandbox.key_file("cdp_api_key.json")
        at_home = partial(Subscriptions, base_url=sandbox.base_url)
        local = SUBSCRIBE.replace("https://shop.example", "http://127.0.0.1:1").replace(", Subscriptions", "")
        exec(local, {"Subscriptions": at_home, "keep_safe": keep_safe})
        with at_home(ApiKey.from_file("cdp_api_key.json")) as subscriptions:
            (found,) = subscriptions.list()
    assert found.secret is not None
    assert [(found.id, found.secret.reveal())] == kept
