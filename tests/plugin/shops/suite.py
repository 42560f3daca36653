"""What a shop's own tests look like; they are the same for both shops, and pass for both."""

from __future__ import annotations

from typing import Any

import pytest

from coinbase_checkouts import Checkouts
from coinbase_checkouts_sandbox import Sandbox
from tests.plugin.shops.good import Shop


@pytest.fixture
def shop(checkouts_sandbox: Sandbox, checkouts: Checkouts) -> Shop:
    return Shop(checkouts_sandbox, checkouts)


def test_paid(shop: Shop, checkouts_sandbox: Sandbox) -> None:
    checkouts_sandbox.pay(shop.order("1", "100.50"))
    shop.payer_is_back("1")
    assert shop.sent == ["1"]


def test_not_paid(shop: Shop, checkouts_sandbox: Sandbox) -> None:
    checkouts_sandbox.pay(shop.order("1", "100.50"), "FAILED")
    shop.payer_is_back("1")
    assert shop.sent == []


def test_cancelled(shop: Shop) -> None:
    shop.order("1", "100.50")
    assert shop.cancel("1")


def test_refunded(shop: Shop, checkouts_sandbox: Sandbox) -> None:
    made = shop.order("1", "100.50")
    checkouts_sandbox.pay(made)
    refund = shop.give_back("1", "25.50")
    checkouts_sandbox.settle(made, refund)
    shop.refund_is_done("1", refund)
    assert float(shop.returned) == 25.5


def test_all(shop: Shop) -> None:
    made = [shop.order(str(number), "1.00") for number in range(5)]
    assert sorted(made) == sorted(shop.all())


def test_without_a_sandbox(pytestconfig: Any) -> None:
    assert pytestconfig
