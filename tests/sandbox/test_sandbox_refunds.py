"""Refunds: sums, statuses, currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_sandbox import checkouts, money, refunds

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


def test_a_refund_counts_from_its_start(sandbox: Sandbox) -> None:
    """
    A started refund is PENDING, is listed, and already moves refundedAmount and the status.
    """
    checkout = sandbox.pay(sandbox.create()["id"])
    sandbox.clock.ms += 5
    result = sandbox.refund(checkout["id"], "25", reason="Customer requested refund")
    refund = result["refund"]
    assert {
        "id": refund["id"],
        "checkoutId": checkout["id"],
        "amount": "25.00",
        "status": "PENDING",
        "createdAt": "2026-11-20T12:00:00.005Z",
        "currency": "USDC",
        "reason": "Customer requested refund",
    } == refund
    assert ("PARTIALLY_REFUNDED", "25.00", [refund]) == (
        result["checkout"]["status"],
        result["checkout"]["refundedAmount"],
        result["checkout"]["refunds"],
    )
    assert result["checkout"] == sandbox.get(checkout["id"])


def test_parts_add_up_to_the_whole(sandbox: Sandbox) -> None:
    """
    Several refunds are possible until nothing is left; then the checkout is REFUNDED.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    parts = [sandbox.refund(checkout_id, amount)["checkout"] for amount in ("33.33", "33.33", "33.34")]
    assert ["PARTIALLY_REFUNDED", "PARTIALLY_REFUNDED", "REFUNDED"] == [part["status"] for part in parts]
    assert ["33.33", "66.66", "100.00"] == [part["refundedAmount"] for part in parts]


@pytest.mark.parametrize("amount", ["75.01", "9" * 100, "1" + "0" * 5000 + ".00"])
def test_more_than_is_left_is_refused(sandbox: Sandbox, amount: str) -> None:
    """
    Pending refunds count as gone; asking for a cent more than the rest is a 400 and starts nothing.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    before = sandbox.refund(checkout_id, "25")["checkout"]
    answer = sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/refund", json={"amount": amount})
    assert 400 == answer.status_code
    assert "75.00 USDC" in answer.json()["errorMessage"]
    assert before == sandbox.get(checkout_id)


@pytest.mark.parametrize("body", [{"amount": "0"}, {"amount": "0.00"}, {"amount": "1", "currency": "JPY"}])
def test_a_refund_that_breaks_a_rule_is_refused(sandbox: Sandbox, body: dict[str, str]) -> None:
    """
    Nothing, and money nobody knows, cannot be refunded.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    answer = sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/refund", json=body)
    assert 400 == answer.status_code


def test_a_completed_refund_has_its_own_hash_and_time(sandbox: Sandbox) -> None:
    """
    Settling as COMPLETED adds completedAt and a transactionHash, and leaves sum, status and settlement alone.
    """
    paid = sandbox.pay(sandbox.create()["id"])
    started = sandbox.refund(paid["id"], "100")
    sandbox.advance(60)
    settled = sandbox.settle(paid["id"], started["refund"]["id"])
    refund = settled["refunds"][0]
    assert ("COMPLETED", "2026-11-20T12:01:00.000Z") == (refund["status"], refund["completedAt"])
    assert refund["transactionHash"] != settled["transactionHash"] == paid["transactionHash"]
    assert ("REFUNDED", "100.00") == (settled["status"], settled["refundedAmount"])
    assert paid["settlement"] == settled["settlement"]
    assert settled == sandbox.get(paid["id"])


def test_a_failed_refund_is_taken_back(sandbox: Sandbox) -> None:
    """
    When a refund FAILED, refundedAmount and status are as if it had not been started, and its amount is free again.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    first = sandbox.refund(checkout_id, "40")["refund"]
    second = sandbox.refund(checkout_id, "60")["refund"]
    failed = sandbox.settle(checkout_id, second["id"], "FAILED")
    assert ("PARTIALLY_REFUNDED", "40.00") == (failed["status"], failed["refundedAmount"])
    again = sandbox.settle(checkout_id, first["id"], "FAILED")
    assert ("COMPLETED", "0.00", 2) == (again["status"], again["refundedAmount"], len(again["refunds"]))
    assert "REFUNDED" == sandbox.refund(checkout_id, "100")["checkout"]["status"]


@pytest.mark.parametrize("first", ["COMPLETED", "FAILED"])
@pytest.mark.parametrize("second", ["COMPLETED", "FAILED"])
def test_a_refund_is_settled_once(sandbox: Sandbox, first: str, second: str) -> None:
    """
    A refund that has come to its end does not move any more: 409.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    refund_id = sandbox.refund(checkout_id, "40")["refund"]["id"]
    before = sandbox.settle(checkout_id, refund_id, first)
    path = f"/__sandbox__/checkouts/{checkout_id}/refunds/{refund_id}/settle"
    assert 409 == sandbox.call("POST", path, json={"outcome": second}).status_code
    assert before == sandbox.get(checkout_id)


def test_a_fiat_checkout_is_refunded_in_its_currency(sandbox: Sandbox) -> None:
    """
    Without currency a refund is in the checkout's own fiat, and tells rate and both amounts.
    """
    checkout_id = sandbox.pay(sandbox.create(amount="50", currency="EUR")["id"])["id"]
    refund = sandbox.refund(checkout_id, "25")["refund"]
    assert ("27.00", "USDC", "25.00", "EUR", "1.08") == tuple(
        refund[name] for name in ("amount", "currency", "fiatAmount", "fiatCurrency", "exchangeRate")
    )
    in_usdc = sandbox.refund(checkout_id, "27", currency="USDC")
    assert "REFUNDED" == in_usdc["checkout"]["status"]
    assert "fiatAmount" not in in_usdc["refund"]


def test_another_fiat_is_converted_too(sandbox: Sandbox) -> None:
    """
    Any currency that is supported at creation will do for a refund.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    assert "12.70" == sandbox.refund(checkout_id, "10", currency="GBP")["refund"]["amount"]


@pytest.mark.parametrize(
    ("paid_in", "amount", "currency"),
    [("GBP", "127000000", "USDC"), ("EUR", "108000000", "USD"), ("USDC", "135135135.13", "SGD")],
)
def test_the_largest_payment_is_refunded_in_any_currency(
    sandbox: Sandbox, paid_in: str, amount: str, currency: str
) -> None:
    """
    What may be asked for at most is no bound of a refund: in another currency the same money has a larger figure.
    """
    checkout_id = sandbox.pay(sandbox.create(amount="100000000", currency=paid_in)["id"])["id"]
    assert "REFUNDED" == sandbox.refund(checkout_id, amount, currency=currency)["checkout"]["status"]


def test_a_cent_that_rounding_hides_is_still_too_much(sandbox: Sandbox) -> None:
    """
    More than the checkout's own fiat amount is refused even where it rounds to the same USDC.
    """
    checkout_id = sandbox.pay(sandbox.create(amount="33.32", currency="SGD")["id"])["id"]
    answer = sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/refund", json={"amount": "33.33"})
    assert (400, "24.66") == (answer.status_code, sandbox.get(checkout_id)["amount"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 500), st.booleans()), min_size=1, max_size=8),
    st.sampled_from(sorted(money.RATES)),
)
def test_parts_in_fiat_never_lose_a_cent(parts: list[tuple[int, bool]], currency: str) -> None:
    """
    However a fiat payment is cut into refunds, and whichever fail and are asked for again, they come to its USDC.
    """
    cents = sum(part for part, _ in parts)
    body = {"amount": money.text(Decimal(cents) / 100), "currency": currency}
    checkout = checkouts.opened(body, checkout_id="0" * 24, origin="http://x", now_ms=0, default_expiry_ms=1)
    checkout = checkouts.paid(checkout, "COMPLETED", transaction_hash="0x", fee_rate=money.FEE_RATE, now_ms=0)
    done: list[refunds.Refund] = []

    def refund(part: int) -> None:
        nonlocal checkout
        asked = {"amount": money.text(Decimal(part) / 100)}
        checkout, new = refunds.started(checkout, done, asked, refund_id=f"{len(done)}", now_ms=0)
        done.append(new)

    for part, _ in parts:
        if checkout.status != "REFUNDED":
            refund(part)
    for number, (_, fails) in enumerate(parts):
        if fails and number < len(done):
            checkout, done[number] = refunds.settled(
                checkout, done, done[number], "FAILED", transaction_hash="", now_ms=0
            )
    assert refunds.refunded(done) <= checkout.amount
    left = cents - sum(int((r.fiat_amount or 0) * 100) for r in done if r.status != "FAILED")
    # The rest of the fiat brings the rest of the USDC, unless that is back already and a rest is worth nothing.
    if checkout.status != "REFUNDED":
        refund(left)
    assert ("REFUNDED", checkout.amount) == (checkout.status, refunds.refunded(done))


def test_a_part_is_never_worth_less_than_nothing(sandbox: Sandbox) -> None:
    """
    Where the parts that did not fail were all rounded up, the next may come to 0.00, and not to less.
    """
    checkout_id = sandbox.pay(sandbox.create(amount="0.20", currency="SGD")["id"])["id"]
    parts = [sandbox.refund(checkout_id, "0.01")["refund"] for _ in range(16)]
    assert {"0.00", "0.01"} == {part["amount"] for part in parts}
    for part in parts:
        if part["amount"] == "0.00":
            sandbox.settle(checkout_id, part["id"], "FAILED")
    assert "0.00" == sandbox.refund(checkout_id, "0.01")["refund"]["amount"]
    assert Decimal(sandbox.get(checkout_id)["refundedAmount"]) <= Decimal("0.15")
