"""The inbox: the sandbox's webhooks through a test client, each of them twice, and a worker until nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from shop import create_app, fulfil, orders, parcels
from sqlalchemy import Engine, create_engine, select

from coinbase_checkouts import Checkouts, inbox
from coinbase_checkouts_conformance.receiver import Webhooks
from coinbase_checkouts_sandbox import Sandbox


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def client(engine: Engine, checkouts: Checkouts, checkouts_webhooks: Webhooks) -> FlaskClient:
    return create_app(engine, checkouts, checkouts_webhooks.secret).test_client()


def rows(engine: Engine, column: object) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(column)))


def test_one_parcel_for_each_paid_order(
    client: FlaskClient, engine: Engine, checkouts: Checkouts, checkouts_sandbox: Sandbox, checkouts_webhooks: Webhooks
) -> None:
    ordered = client.post("/orders/1").get_json()
    checkouts_sandbox.pay(ordered["checkout"])

    def twice(body: bytes, headers: dict[str, str]) -> list[int]:
        return [client.post("/webhooks", data=body, headers=headers).status_code for _ in range(2)]

    answers = checkouts_webhooks.hand_to(twice)
    assert answers
    assert all(answer == [204, 204] for answer in answers)
    for _ in range(2):
        inbox.work(engine, lambda event, connection: fulfil(event, connection, checkouts), until_idle=True)
    assert (rows(engine, parcels.c.number), rows(engine, orders.c.status)) == (["1"], ["COMPLETED"])


def test_nobody_else_can_say_so(client: FlaskClient, engine: Engine) -> None:
    forged = b'{"eventType": "checkout.payment.success", "status": "COMPLETED", "id": "000000000000000000000000"}'
    assert client.post("/webhooks", data=forged).status_code == 400
    with engine.connect() as connection:
        assert inbox.counts(connection).waiting == 0
