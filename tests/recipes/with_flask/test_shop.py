"""Flask: give the factory the client of the sandbox, and hand the webhooks to the test client."""

from __future__ import annotations

import pytest
from flask import Flask
from shop import create_app

from coinbase_checkouts import Checkouts
from coinbase_checkouts_conformance.receiver import Webhooks
from coinbase_checkouts_sandbox import Sandbox


@pytest.fixture
def app(checkouts: Checkouts, checkouts_webhooks: Webhooks) -> Flask:
    return create_app(checkouts, checkouts_webhooks.secret)


def test_goods_are_sent_when_they_are_paid_for(
    app: Flask, checkouts_sandbox: Sandbox, checkouts_webhooks: Webhooks
) -> None:
    client = app.test_client()
    ordered = client.post("/orders/1").get_json()
    assert app.config["SENT"] == set()
    checkouts_sandbox.pay(ordered["checkout"])
    answers = checkouts_webhooks.hand_to(
        lambda body, headers: client.post("/webhooks", data=body, headers=headers).status_code
    )
    assert set(answers) == {204}
    assert app.config["SENT"] == {"1"}


def test_nobody_else_can_say_so(app: Flask, checkouts_webhooks: Webhooks) -> None:
    forged = b'{"eventType": "checkout.payment.success", "status": "COMPLETED", "id": "000000000000000000000000"}'
    assert app.test_client().post("/webhooks", data=forged).status_code == 400
    assert app.config["SENT"] == set()
