"""
What a checkout says, in the types one counts with.

Source: rules checkout.* in spec/openapi.yaml.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from coinbase_checkouts_api.models import Checkout, CheckoutStatus

PAID: Final = frozenset({CheckoutStatus.COMPLETED, CheckoutStatus.PARTIALLY_REFUNDED})
FINAL: Final = PAID | {
    CheckoutStatus.DEACTIVATED,
    CheckoutStatus.EXPIRED,
    CheckoutStatus.FAILED,
    CheckoutStatus.REFUNDED,
}


def _money(text: str) -> Decimal:
    """
    The number in *text*.

    Raises:
        ValueError: It is none, or none that could be money; the message does not quote it.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("the service's amount is not a number") from None
    if not value.is_finite() or value < 0:
        raise ValueError("the service's amount is not an amount of money")
    return value


def amount(checkout: Checkout) -> Decimal:
    """The amount, in the checkout's currency (USDC, also where the request was in fiat)."""
    return _money(checkout.amount)


def refunded_amount(checkout: Checkout) -> Decimal:
    """The sum of the refunds begun so far; 0 without any."""
    return _money(checkout.refunded_amount or "0")


def remaining_refundable(checkout: Checkout) -> Decimal:
    """What can still be refunded, refunds under way counted as done; 0 for what is not paid."""
    return amount(checkout) - refunded_amount(checkout) if checkout.status in PAID else Decimal(0)


def is_paid(checkout: Checkout) -> bool:
    """Whether the payment is complete and at least part of it still with the merchant: fulfil then."""
    return checkout.status in PAID


def is_final(checkout: Checkout) -> bool:
    """
    Whether the payment is decided, one way or the other; only refunds can follow.

    A status nobody documented yet is not: it may be one on the way.
    """
    return checkout.status in FINAL
