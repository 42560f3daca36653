"""Django: a sandbox with a port, the settings and the environment pointed at it; nothing of the shop is replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shop
from django.test import Client
from django.test.utils import override_settings

from coinbase_checkouts_conformance.receiver import Webhooks
from coinbase_checkouts_sandbox import Sandbox

pytestmark = pytest.mark.checkouts_sandbox(port=True)


@pytest.fixture
def client(
    checkouts_sandbox: Sandbox, checkouts_webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    environ = checkouts_sandbox.environ | {"CHECKOUTS_WEBHOOK_SECRET": checkouts_webhooks.secret}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    shop.sent.clear()
    with override_settings(CHECKOUTS_URL=checkouts_sandbox.base_url):
        yield Client()


def test_goods_are_sent_when_they_are_paid_for(
    client: Client, checkouts_sandbox: Sandbox, checkouts_webhooks: Webhooks
) -> None:
    ordered = client.post("/orders/1").json()
    assert shop.sent == set()
    checkouts_sandbox.pay(ordered["checkout"])
    answers = checkouts_webhooks.hand_to(
        lambda body, headers: (
            client.post("/webhooks", body, content_type="application/json", headers=headers).status_code
        )
    )
    assert set(answers) == {204}
    assert shop.sent == {"1"}


def test_nobody_else_can_say_so(client: Client) -> None:
    forged = b'{"eventType": "checkout.payment.success", "status": "COMPLETED", "id": "000000000000000000000000"}'
    assert client.post("/webhooks", forged, content_type="application/json").status_code == 400
    assert shop.sent == set()
