"""
The life of a refund, as pure functions: PENDING, then COMPLETED or FAILED.

refundedAmount and the checkout's status move when a refund is started (documented for refundedAmount, assumed for the
status); a refund that FAILED takes both back (assumed).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from coinbase_checkouts_sandbox import money
from coinbase_checkouts_sandbox.checkouts import Checkout, changed
from coinbase_checkouts_sandbox.clock import rfc3339
from coinbase_checkouts_sandbox.errors import IllegalChangeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund. The amount is in USDC; times are milliseconds."""

    id: str
    checkout_id: str
    position: int
    """0 for the oldest of its checkout."""
    amount: Decimal
    status: str
    created_ms: int
    completed_ms: int | None
    reason: str | None
    transaction_hash: str | None
    fiat_amount: Decimal | None
    fiat_currency: str | None
    exchange_rate: Decimal | None


def broken_rules(body: Mapping[str, Any]) -> list[str]:
    """
    The description's rules for refunding that *body* breaks whatever the checkout, those a schema cannot say.

    Args:
        body: Has kept the schema of a RefundCheckoutRequest.
    """
    broken: list[str] = []
    if money.parse(body["amount"]) <= 0:
        broken.append("body /amount: must be more than 0 (refund.amount-positive)")
    if body.get("currency", money.USDC) not in {money.USDC, *money.RATES}:
        known = ", ".join((money.USDC, *money.RATES))
        broken.append(f"body /currency: must be one of {known} (refund.currency)")
    return broken


def refunded(refunds: Sequence[Refund]) -> Decimal:
    """USDC that went back or is on its way: the sum of the refunds that did not fail."""
    return sum((refund.amount for refund in refunds if refund.status != "FAILED"), Decimal(0))


def started(
    checkout: Checkout, refunds: Sequence[Refund], body: Mapping[str, Any], *, refund_id: str, now_ms: int
) -> tuple[Checkout, Refund]:
    """
    Start a refund: the checkout after it, and the new refund.

    Args:
        checkout: As of *now_ms*.
        refunds: Of that checkout, oldest first.
        body: Has kept the schema and the rules of a RefundCheckoutRequest.

    Raises:
        IllegalChangeError: The checkout is not paid, or has less than that left.
    """
    if checkout.status not in {"COMPLETED", "PARTIALLY_REFUNDED"}:
        raise IllegalChangeError(
            f"only a COMPLETED or PARTIALLY_REFUNDED checkout can be refunded, this one is {checkout.status} "
            "(refund.precondition)"
        )
    asked = money.parse(body["amount"])
    currency = body.get("currency") or checkout.fiat_currency or money.USDC
    remaining = checkout.amount - refunded(refunds)
    amount = _usdc(checkout, refunds, asked, currency)
    if amount is None or amount > remaining:
        raise IllegalChangeError(
            f"body /amount: more than what is left to refund, {money.text(remaining)} {money.USDC} "
            "(refund.within-remaining)"
        )
    fiat = currency != money.USDC
    refund = Refund(
        id=refund_id,
        checkout_id=checkout.id,
        # Not their number: what was restored may have gaps.
        position=refunds[-1].position + 1 if refunds else 0,
        amount=amount,
        status="PENDING",
        created_ms=now_ms,
        completed_ms=None,
        reason=body.get("reason"),
        transaction_hash=None,
        fiat_amount=asked if fiat else None,
        fiat_currency=currency if fiat else None,
        exchange_rate=money.RATES[currency] if fiat else None,
    )
    return _restated(checkout, [*refunds, refund], now_ms), refund


def settled(
    checkout: Checkout, refunds: Sequence[Refund], refund: Refund, outcome: str, *, transaction_hash: str, now_ms: int
) -> tuple[Checkout, Refund]:
    """
    Finish a refund: the checkout after it, and the refund.

    Args:
        refunds: All of the checkout, with *refund* among them.
        outcome: COMPLETED or FAILED.
        transaction_hash: Used if it is COMPLETED.

    Raises:
        IllegalChangeError: The refund is not PENDING.
    """
    if refund.status != "PENDING":
        raise IllegalChangeError(f"a refund that is {refund.status} cannot become {outcome} (refund.status-changes)")
    finished = replace(refund, status=outcome)
    if outcome == "COMPLETED":
        finished = replace(finished, completed_ms=max(now_ms, refund.created_ms), transaction_hash=transaction_hash)
    others = [finished if other.id == refund.id else other for other in refunds]
    return _restated(checkout, others, now_ms), finished


def answer(refund: Refund) -> dict[str, Any]:
    """A Refund as the description has it. What has no value is absent, never null."""
    completed, fiat, rate = refund.completed_ms, refund.fiat_amount, refund.exchange_rate
    full = {
        "id": refund.id,
        "checkoutId": refund.checkout_id,
        "amount": money.text(refund.amount),
        "status": refund.status,
        "createdAt": rfc3339(refund.created_ms),
        "currency": money.USDC,
        "reason": refund.reason,
        "transactionHash": refund.transaction_hash,
        "completedAt": None if completed is None else rfc3339(completed),
        "fiatAmount": None if fiat is None else money.text(fiat),
        "fiatCurrency": refund.fiat_currency,
        "exchangeRate": None if rate is None else f"{rate:f}",
    }
    return {name: value for name, value in full.items() if value is not None}


def _restated(checkout: Checkout, refunds: Sequence[Refund], now_ms: int) -> Checkout:
    """The checkout in the status its refunds give it. Changed with each, as in the published webhook samples."""
    back = refunded(refunds)
    status = "PARTIALLY_REFUNDED" if back else "COMPLETED"
    if back == checkout.amount:
        status = "REFUNDED"
    return changed(checkout, status, now_ms)


def _usdc(checkout: Checkout, refunds: Sequence[Refund], asked: Decimal, currency: str) -> Decimal | None:
    """
    What a refund of *asked* comes to in USDC; None if it is more than can be left.

    In the checkout's own fiat it is the worth of all such refunds together, less what those before came to. So parts
    that add up to the payment come to exactly its USDC, whichever failed on the way; each converted by itself would
    miss it by a cent.
    """
    # No checkout can be worth more in any currency, and the text may have a million digits, which arithmetic does not keep.
    if asked > money.WORTH_MOST:
        return None
    if checkout.fiat_amount is None or currency != checkout.fiat_currency:
        return money.in_usdc(asked, currency)
    before = [refund for refund in refunds if refund.status != "FAILED" and refund.fiat_currency == currency]
    total = sum((refund.fiat_amount or Decimal(0) for refund in before), asked)
    if total > checkout.fiat_amount:
        return None
    # After failures, what is left may have been rounded up more than down: then this part adds nothing.
    return max(money.in_usdc(total, currency) - refunded(before), Decimal(0))
