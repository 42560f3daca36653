"""What a checkout says, in the types one counts with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from coinbase_checkouts import Checkout, CheckoutStatus, reading


def checkout(checkout_json: dict[str, Any], **fields: Any) -> Checkout:
    return Checkout.from_dict({**checkout_json, **fields})


@pytest.mark.parametrize(
    ("status", "paid", "final"),
    [
        ("ACTIVE", False, False),
        ("PROCESSING", False, False),
        ("COMPLETED", True, True),
        ("PARTIALLY_REFUNDED", True, True),
        ("REFUNDED", False, True),
        ("FAILED", False, True),
        ("EXPIRED", False, True),
        ("DEACTIVATED", False, True),
        ("ON_HOLD", False, False),
    ],
)
def test_paid_and_final(status: str, paid: bool, final: bool, checkout_json: dict[str, Any]) -> None:
    """
    Each documented status, and one that is not, is told to be paid and final or not.
    """
    found = checkout(checkout_json, status=status)
    assert (paid, final) == (reading.is_paid(found), reading.is_final(found))


def test_every_documented_status_is_considered() -> None:
    """
    A status that the description gains has to be placed here.
    """
    open_ones = {CheckoutStatus.ACTIVE, CheckoutStatus.PROCESSING}
    assert set(CheckoutStatus) == reading.FINAL | open_ones


def test_money_is_decimal(checkout_json: dict[str, Any]) -> None:
    """
    Amounts are exact; what is left to refund is the amount less all refunds begun.
    """
    whole = checkout(checkout_json)
    assert (Decimal("100.50"), Decimal(0), Decimal("100.50")) == (
        reading.amount(whole),
        reading.refunded_amount(whole),
        reading.remaining_refundable(whole),
    )
    part = checkout(checkout_json, status="PARTIALLY_REFUNDED", refundedAmount="25.30")
    assert Decimal("75.20") == reading.remaining_refundable(part)
    for status in ("ACTIVE", "REFUNDED", "EXPIRED"):
        assert Decimal(0) == reading.remaining_refundable(checkout(checkout_json, status=status))


@pytest.mark.parametrize("text", ["abc", "NaN", "Infinity", "-5", ""])
def test_amount_that_is_none_is_told_without_quoting_it(text: str, checkout_json: dict[str, Any]) -> None:
    """
    What is no amount of money is a ValueError, not a number that looks like one.
    """
    with pytest.raises(ValueError, match="the service's amount is not") as caught:
        reading.amount(checkout(checkout_json, amount=text))
    assert (text or "?") not in str(caught.value).replace("amount", "")
