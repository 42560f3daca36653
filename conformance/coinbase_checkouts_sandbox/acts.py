"""
What happens outside Coinbase's API: a payer pays, a refund settles, time passes.

The control calls and the buttons of the pages do the same things by these functions.
"""

from typing import Any, Final

from coinbase_checkouts_sandbox import checkouts, events, refunds
from coinbase_checkouts_sandbox.clock import LATEST_NOW_MS, rfc3339
from coinbase_checkouts_sandbox.errors import ApiError, IllegalChangeError
from coinbase_checkouts_sandbox.idempotency import forget_old_answers
from coinbase_checkouts_sandbox.world import World, checkout_answer, found

# Eight thousand years and a bit; keeps sums inside 64 bits, the calendar does the rest. As in control.openapi.json.
MOST_SECONDS: Final = 1 << 38


def pay(world: World, checkout_id: str, outcome: str) -> dict[str, Any]:
    """
    The payer's part: PROCESSING, COMPLETED or FAILED. Returns the Checkout.

    Raises:
        ApiError: 404, no such checkout; 409, its status does not allow it.
    """
    with world.store.writing() as transaction:
        now_ms = world.now_ms(transaction)
        before, its_refunds = found(transaction, checkout_id, now_ms)
        try:
            checkout = checkouts.paid(
                before,
                outcome,
                transaction_hash=world.transaction_hash(),
                fee_rate=world.fee_rate,
                now_ms=now_ms,
            )
        except IllegalChangeError as exc:
            raise _conflict(exc) from None
        transaction.save_checkout(checkout)
        content = checkout_answer(checkout, its_refunds)
        if checkout.status != before.status:
            events.paid(transaction, world, content, now_ms)
    return content


def settle(world: World, checkout_id: str, refund_id: str, outcome: str) -> dict[str, Any]:
    """
    End a refund, COMPLETED or FAILED. Returns the Checkout.

    Raises:
        ApiError: 404, no such checkout or refund; 409, the refund is not PENDING.
    """
    with world.store.writing() as transaction:
        now_ms = world.now_ms(transaction)
        before, its_refunds = found(transaction, checkout_id, now_ms)
        asked_for = [refund for refund in its_refunds if refund.id == refund_id]
        if not asked_for:
            raise ApiError(404, "path refundId: this checkout has no refund with this id")
        try:
            checkout, settled = refunds.settled(
                before, its_refunds, asked_for[0], outcome, transaction_hash=world.transaction_hash(), now_ms=now_ms
            )
        except IllegalChangeError as exc:
            raise _conflict(exc) from None
        transaction.save_refund(settled)
        transaction.save_checkout(checkout)
        after = [settled if refund.id == settled.id else refund for refund in its_refunds]
        content = checkout_answer(checkout, after)
        events.emit(transaction, world, events.REFUND[outcome], content, refund_id=settled.id, now_ms=now_ms)
    return content


def advance(world: World, seconds: int) -> int:
    """
    Move the clock forward. Returns what it says now, in milliseconds since the epoch.

    Raises:
        ApiError: 400, beyond the calendar.
    """
    moved_ms = seconds * 1000
    with world.store.writing() as transaction:
        now_ms = world.now_ms(transaction) + moved_ms
        if now_ms > LATEST_NOW_MS:
            raise ApiError(400, f"body /seconds: the clock cannot go beyond {rfc3339(LATEST_NOW_MS)}")
        transaction.set_state(clock_offset_ms=transaction.clock_offset_ms + moved_ms)
        events.expire(transaction, world, now_ms)
        forget_old_answers(world, transaction)
        # Retries may have become due.
        transaction.rings = True
    return now_ms


def _conflict(error: IllegalChangeError) -> ApiError:
    # The request is well formed, and the state forbids it: RFC 9110's 409.
    return ApiError(409, str(error), error_type="invalid_request")
