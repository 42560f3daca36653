"""
The life of a checkout, as pure functions: a checkout in, a checkout out; time and randomness come as arguments.

    ACTIVE ──▶ PROCESSING ──▶ COMPLETED ⇄ PARTIALLY_REFUNDED ⇄ REFUNDED     (⇄: back when a refund fails, see refunds)
       │            └──────▶ FAILED
       ├──▶ DEACTIVATED
       └──▶ EXPIRED

A payer who is quick is not seen PROCESSING: ACTIVE may become COMPLETED or FAILED in one step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts_sandbox import money
from coinbase_checkouts_sandbox.clock import LATEST_MS, milliseconds, rfc3339
from coinbase_checkouts_sandbox.errors import IllegalChangeError

# Where Coinbase's own sandbox takes payments, and its test USDC there (Base Sepolia). Source: sandbox; the second is
# from its older pages on payment links. Test addresses on purpose: nobody may be led to send real money.
ADDRESS: Final = "0xC00Bb0ac72F15C3dBFc6eb58B257887b529fEF57"
TOKEN_ADDRESS: Final = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"  # noqa: S105, a contract and no password

PAID: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A checkout without its refunds. Amounts are in USDC unless the name says fiat; times are milliseconds."""

    id: str
    url: str
    amount: Decimal
    network: str
    address: str
    token_address: str
    created_ms: int
    updated_ms: int
    expires_ms: int
    status: str
    description: str | None
    metadata: dict[str, str] | None
    success_redirect_url: str | None
    fail_redirect_url: str | None
    fiat_amount: Decimal | None
    fiat_currency: str | None
    fee_amount: Decimal | None
    """None until paid."""
    transaction_hash: str | None
    """None until paid."""


def broken_rules(body: Mapping[str, Any], now_ms: int) -> list[str]:
    """
    The description's rules for creating that *body* breaks, those a schema cannot say.

    Args:
        body: Has kept the schema of a CreateCheckoutRequest.
    """
    broken: list[str] = []
    if not money.LEAST <= money.parse(body["amount"]) <= money.MOST:
        broken.append(f"body /amount: must be from {money.LEAST} to {money.MOST} (create.amount-range)")
    if body["currency"] not in {money.USDC, *money.RATES}:
        known = ", ".join((money.USDC, *money.RATES))
        broken.append(f"body /currency: must be one of {known} (create.currency)")
    if "expiresAt" in body:
        expires_ms = milliseconds(body["expiresAt"])
        if expires_ms <= now_ms:
            broken.append("body /expiresAt: must be in the future (create.expires-in-future)")
        elif expires_ms > LATEST_MS:
            broken.append("body /expiresAt: beyond the year 9999 in UTC")
    return broken


def opened(body: Mapping[str, Any], *, checkout_id: str, origin: str, now_ms: int, default_expiry_ms: int) -> Checkout:
    """
    A new checkout.

    Args:
        body: Has kept the schema and the rules of a CreateCheckoutRequest. What it has beyond them is ignored.
        origin: Scheme, host and port of the payment page.
    """
    amount, currency = money.parse(body["amount"]), body["currency"]
    fiat = currency != money.USDC
    return Checkout(
        id=checkout_id,
        url=f"{origin}/pay/{checkout_id}",
        amount=money.in_usdc(amount, currency),
        network=body.get("network", "base"),  # Source: create.default-network
        address=ADDRESS,
        token_address=TOKEN_ADDRESS,
        created_ms=now_ms,
        updated_ms=now_ms,
        expires_ms=milliseconds(body["expiresAt"]) if "expiresAt" in body else now_ms + default_expiry_ms,
        status="ACTIVE",
        description=body.get("description"),
        metadata=body.get("metadata"),
        success_redirect_url=body.get("successRedirectUrl"),
        fail_redirect_url=body.get("failRedirectUrl"),
        fiat_amount=amount if fiat else None,
        fiat_currency=currency if fiat else None,
        fee_amount=None,
        transaction_hash=None,
    )


def as_of(checkout: Checkout, now_ms: int) -> Checkout:
    """
    The checkout as time alone has left it: EXPIRED, if it was ACTIVE and *now_ms* has reached expiresAt.

    Nothing needs to be written for that, so reading stays reading.
    """
    if checkout.status == "ACTIVE" and checkout.expires_ms <= now_ms:
        return replace(checkout, status="EXPIRED", updated_ms=checkout.expires_ms)
    return checkout


def changed(checkout: Checkout, status: str, now_ms: int) -> Checkout:
    """The checkout in another status. Its updatedAt never goes back, whatever the machine's clock does."""
    return replace(checkout, status=status, updated_ms=max(now_ms, checkout.updated_ms))


def deactivated(checkout: Checkout, now_ms: int) -> Checkout:
    """
    Ended by the merchant.

    Args:
        checkout: As of *now_ms*.

    Raises:
        IllegalChangeError: It is not ACTIVE.
    """
    if checkout.status != "ACTIVE":
        raise IllegalChangeError(
            f"only an ACTIVE checkout can be deactivated, this one is {checkout.status} (deactivate.only-active)"
        )
    return changed(checkout, "DEACTIVATED", now_ms)


def paid(checkout: Checkout, outcome: str, *, transaction_hash: str, fee_rate: Decimal, now_ms: int) -> Checkout:
    """
    What the payer did: PROCESSING, COMPLETED or FAILED.

    Args:
        checkout: As of *now_ms*.
        transaction_hash: Used if the payment is COMPLETED.

    Raises:
        IllegalChangeError: It is neither ACTIVE nor PROCESSING.
    """
    if checkout.status not in {"ACTIVE", "PROCESSING"}:
        raise IllegalChangeError(f"a checkout that is {checkout.status} cannot become {outcome}")
    if outcome == checkout.status:
        return checkout
    moved = changed(checkout, outcome, now_ms)
    if outcome != "COMPLETED":
        return moved
    return replace(moved, fee_amount=money.fee(checkout.amount, fee_rate), transaction_hash=transaction_hash)


def answer(checkout: Checkout, refunded: Decimal, refunds: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """
    A Checkout as the description has it. What has no value is absent, never null.

    Args:
        refunded: Sum of the refunds that did not fail.
        refunds: Their answers, oldest first.
    """
    listed = list(refunds)
    fiat, fee = checkout.fiat_amount, checkout.fee_amount
    full = {
        "id": checkout.id,
        "url": checkout.url,
        "amount": money.text(checkout.amount),
        "currency": money.USDC,
        "network": checkout.network,
        "address": checkout.address,
        "createdAt": rfc3339(checkout.created_ms),
        "updatedAt": rfc3339(checkout.updated_ms),
        "status": checkout.status,
        "tokenAddress": checkout.token_address,
        "description": checkout.description,
        "expiresAt": rfc3339(checkout.expires_ms),
        "metadata": checkout.metadata,
        "successRedirectUrl": checkout.success_redirect_url,
        "failRedirectUrl": checkout.fail_redirect_url,
        "settlement": None if fee is None else _settlement(checkout.amount, fee),
        "fiatAmount": None if fiat is None else money.text(fiat),
        "fiatCurrency": checkout.fiat_currency,
        "transactionHash": checkout.transaction_hash,
        "refundedAmount": money.text(refunded) if listed else None,
        "refunds": listed or None,
    }
    return {name: value for name, value in full.items() if value is not None}


def _settlement(amount: Decimal, fee: Decimal) -> dict[str, str]:
    """It describes the payment, and stays as it is when money goes back."""
    return {
        "totalAmount": money.text(amount),
        "feeAmount": money.text(fee),
        "netAmount": money.text(amount - fee),
        "currency": money.USDC,
    }
