"""Wrong about fields that belong together, and about the times of a checkout."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from .catalogue import CROSS, PROSE, Mutant, Shelf
from .edits import PAID, Checkout, less, moved

_CROSS: Final = Shelf(CROSS)


def mutants() -> list[Mutant]:
    """All of this module."""
    return _CROSS.mutants


@_CROSS.tells("payment.settlement-sum", on=("get",))
def net_is_total(checkout: Checkout) -> Checkout:
    """The netAmount is the totalAmount, although there is a fee."""
    settlement = checkout.get("settlement")
    if settlement is None:
        return checkout
    return {**checkout, "settlement": {**settlement, "netAmount": settlement["totalAmount"]}}


@_CROSS.tells("payment.settlement-sum", on=("get",))
def net_is_a_cent_less(checkout: Checkout) -> Checkout:
    """The netAmount is a cent less than the sum says."""
    settlement = checkout.get("settlement")
    if settlement is None or Decimal(settlement["netAmount"]) < 1:
        return checkout
    net = Decimal(settlement["netAmount"]) - Decimal("0.01")
    return {**checkout, "settlement": {**settlement, "netAmount": str(net)}}


@_CROSS.tells("payment.settlement-sum", on=("get",))
def fee_is_negative(checkout: Checkout) -> Checkout:
    """The fee is given and not taken."""
    settlement = checkout.get("settlement")
    if settlement is None:
        return checkout
    total = Decimal(settlement["totalAmount"])
    return {**checkout, "settlement": {**settlement, "feeAmount": "-0.01", "netAmount": str(total + Decimal("0.01"))}}


@_CROSS.tells("create.unpaid", on=("create",))
def unpaid_has_a_hash(checkout: Checkout) -> Checkout:
    """A new checkout has a transactionHash."""
    return {**checkout, "transactionHash": f"0x{'0' * 64}"}


@_CROSS.tells("payment.failed", on=("get",))
def failed_has_a_hash(checkout: Checkout) -> Checkout:
    """A checkout whose payment failed has a transactionHash."""
    return {**checkout, "transactionHash": f"0x{'0' * 64}"} if checkout["status"] == "FAILED" else checkout


@_CROSS.tells("payment.processing", on=("get",))
def processing_has_a_settlement(checkout: Checkout) -> Checkout:
    """A checkout whose payment is under way has a settlement."""
    amount = checkout["amount"]
    settlement = {"totalAmount": amount, "feeAmount": "0.00", "netAmount": amount, "currency": "USDC"}
    return {**checkout, "settlement": settlement} if checkout["status"] == "PROCESSING" else checkout


@_CROSS.tells("create.unpaid", on=("create",))
def unpaid_has_a_settlement(checkout: Checkout) -> Checkout:
    """A new checkout has a settlement of nothing."""
    nothing = {"totalAmount": "0.00", "feeAmount": "0.00", "netAmount": "0.00", "currency": "USDC"}
    return {**checkout, "settlement": nothing}


@_CROSS.tells("create.unpaid", on=("create",))
def unpaid_has_refunds(checkout: Checkout) -> Checkout:
    """A new checkout has an empty list of refunds."""
    return {**checkout, "refunds": []}


@_CROSS.tells("create.unpaid", on=("create",))
def unpaid_has_a_refunded_amount(checkout: Checkout) -> Checkout:
    """A new checkout has a refundedAmount of 0.00."""
    return {**checkout, "refundedAmount": "0.00"}


@_CROSS.tells("payment.completed", on=("get",))
def paid_has_a_refunded_amount(checkout: Checkout) -> Checkout:
    """A paid checkout has a refundedAmount of 0.00 before anything is refunded."""
    return {"refundedAmount": "0.00", **checkout} if checkout["status"] == "COMPLETED" else checkout


@_CROSS.tells("payment.settlement-sum", on=("get",))
def settled_in_words(checkout: Checkout) -> Checkout:
    """The fee of a settlement has a dollar sign."""
    settlement = checkout.get("settlement")
    return (
        {**checkout, "settlement": {**settlement, "feeAmount": f"${settlement['feeAmount']}"}}
        if settlement
        else checkout
    )


@_CROSS.tells("payment.completed", on=("get",))
def paid_has_no_hash(checkout: Checkout) -> Checkout:
    """A paid checkout has no transactionHash."""
    return less(checkout, "transactionHash")


@_CROSS.tells("payment.completed", on=("get",))
def paid_has_no_settlement(checkout: Checkout) -> Checkout:
    """A paid checkout has no settlement."""
    return less(checkout, "settlement")


@_CROSS.tells("create.unpaid", on=("create",))
def usdc_has_a_fiat_amount(checkout: Checkout) -> Checkout:
    """A checkout in USDC has a fiatAmount and a fiatCurrency."""
    return {"fiatAmount": checkout["amount"], "fiatCurrency": "USD", **checkout}


@_CROSS.tells("create.fiat-currency", on=("create",))
def fiat_amount_without_currency(checkout: Checkout) -> Checkout:
    """A checkout in fiat has a fiatAmount, and does not say of what."""
    return less(checkout, "fiatCurrency")


@_CROSS.tells("create.fiat-currency", on=("create",))
def fiat_currency_is_another(checkout: Checkout) -> Checkout:
    """A checkout in any fiat currency says it is in USD."""
    return {**checkout, "fiatCurrency": "USD"} if "fiatCurrency" in checkout else checkout


@_CROSS.tells("create.times", on=("create",), kind=PROSE)
def updated_before_created(checkout: Checkout) -> Checkout:
    """A new checkout was updated before it was created."""
    return {**checkout, "updatedAt": moved(checkout["createdAt"], seconds=-1)}


@_CROSS.tells("create.times", on=("create",), kind=PROSE)
def updated_tomorrow(checkout: Checkout) -> Checkout:
    """A new checkout was updated a day from now."""
    return {**checkout, "updatedAt": moved(checkout["updatedAt"], seconds=86_400)}


@_CROSS.tells("create.times", on=("create", "get", "list"), kind=PROSE)
def created_at_another_time(checkout: Checkout) -> Checkout:
    """Times are local, and called UTC."""
    return {
        name: moved(value, hours=2) if name in {"createdAt", "updatedAt"} else value for name, value in checkout.items()
    }


@_CROSS.tells("payment.updated-at", on=("get",), kind=PROSE)
def payment_turns_updated_back(checkout: Checkout) -> Checkout:
    """A payment turns updatedAt back."""
    is_paid = checkout["status"] in PAID
    return {**checkout, "updatedAt": moved(checkout["createdAt"], seconds=-5)} if is_paid else checkout


@_CROSS.tells("payment.updated-at", on=("get",), kind=PROSE)
def payment_is_the_creation(checkout: Checkout) -> Checkout:
    """A payment moves createdAt."""
    is_paid = checkout["status"] in PAID
    return {**checkout, "createdAt": moved(checkout["createdAt"], seconds=5)} if is_paid else checkout


@_CROSS.tells("deactivate.updated-at", on=("deactivate",), kind=PROSE)
def deactivation_turns_updated_back(checkout: Checkout) -> Checkout:
    """A deactivation turns updatedAt back."""
    return {**checkout, "updatedAt": moved(checkout["createdAt"], seconds=-5)}


@_CROSS.tells("deactivate.result", on=("deactivate",), kind=PROSE)
def deactivation_loses_fields(checkout: Checkout) -> Checkout:
    """The answer to a deactivation leaves out what may be left out."""
    return less(checkout, "metadata", "description", "expiresAt")
