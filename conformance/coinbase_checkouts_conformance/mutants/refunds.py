"""Wrong about the money that goes back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, edited, error

from .catalogue import REFUND, Mutant, Server, Shelf
from .edits import PAID, Checkout, body_of, creating, less, made_up_refund, moved, refund_told

_REFUND: Final = Shelf(REFUND)


def mutants() -> list[Mutant]:
    """All of this module."""
    return _REFUND.mutants


async def refunds_anyway(server: Server, ask: Ask, when: Callable[[Checkout], bool]) -> Reply:
    """A refund that the sandbox refuses, and this server does not."""
    reply = await server.forward(ask)
    if ask.act != "refund" or reply.status != 400 or "amount" not in body_of(ask):
        return reply
    checkout = await server.read(ask, ask.checkout_id)
    return made_up_refund(checkout, body_of(ask)) if checkout and when(checkout) else reply


def _beyond(checkout: Checkout, ask: Ask) -> Decimal:
    try:
        asked = Decimal(str(body_of(ask)["amount"]))
    except ArithmeticError:
        return Decimal(0)
    return asked + Decimal(checkout.get("refundedAmount", "0")) - Decimal(checkout["amount"])


async def refunds_all(server: Server, ask: Ask, when: Callable[[Ask], bool]) -> Reply:
    """Where *when* says so the whole amount is asked for."""
    if ask.act != "refund" or not when(ask):
        return await server.forward(ask)
    checkout = await server.read(ask, ask.checkout_id)
    return await server.forward(ask.saying({**body_of(ask), "amount": checkout.get("amount")}))


@_REFUND.server("refund.body-required")
async def no_body_refunds_all(server: Server, ask: Ask) -> Reply:
    """A refund without a body gives everything back."""
    return await refunds_all(server, ask, lambda ask: not ask.body)


@_REFUND.server("refund.amount-required")
async def no_amount_refunds_all(server: Server, ask: Ask) -> Reply:
    """A refund without an amount gives everything back."""
    return await refunds_all(server, ask, lambda ask: bool(body_of(ask)) and "amount" not in body_of(ask))


@_REFUND.server("refund.amount-type")
async def null_refunds_all(server: Server, ask: Ask) -> Reply:
    """A refund of null gives everything back."""
    return await refunds_all(server, ask, lambda ask: body_of(ask).get("amount", "") is None)


@_REFUND.server("refund.reason-type", "refund.reason-maxLength")
async def refused_refunds_are_done(server: Server, ask: Ask) -> Reply:
    """A refund with a bad reason is answered 400, and done."""
    reply = await server.forward(ask)
    if ask.act == "refund" and reply.status == 400 and "reason" in body_of(ask):
        await server.forward(ask.saying({**body_of(ask), "reason": "none"}))
    return reply


@_REFUND.tells("refund.not-yet-completed", on=("get", "list"))
def failed_refund_has_a_hash(checkout: Checkout) -> Checkout:
    """A refund that failed has the transactionHash of one that is done."""
    digest = f"0x{'ab' * 32}"
    return _refunds_edited(
        checkout, lambda one: {**one, "transactionHash": digest} if one["status"] == "FAILED" else one
    )


@_REFUND.server("refund.beyond-amount", "refund.beyond-rest")
async def refunds_more_than_there_is(server: Server, ask: Ask) -> Reply:
    """More than was paid can be refunded."""
    return await refunds_anyway(server, ask, lambda c: c["status"] in PAID and _beyond(c, ask) > 0)


@_REFUND.server("refund.beyond-amount")
async def refunds_a_cent_more(server: Server, ask: Ask) -> Reply:
    """A cent more than was paid can be refunded."""
    return await refunds_anyway(server, ask, lambda c: "refunds" not in c and _beyond(c, ask) == Decimal("0.01"))


@_REFUND.server("refund.beyond-rest")
async def refunds_under_way_do_not_count(server: Server, ask: Ask) -> Reply:
    """What is left to refund is the amount less the refunds that are done."""
    return await refunds_anyway(
        server, ask, lambda c: any(refund["status"] == "PENDING" for refund in c.get("refunds", ()))
    )


@_REFUND.server("refund.nothing-left")
async def refunded_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """A checkout that is REFUNDED can be refunded again."""
    return await refunds_anyway(server, ask, lambda c: c["status"] == "REFUNDED")


@_REFUND.server("refund.not-paid")
async def active_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What was not paid can be refunded."""
    return await refunds_anyway(server, ask, lambda c: c["status"] == "ACTIVE")


@_REFUND.server("refund.not-paid")
async def deactivated_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What was deactivated can be refunded."""
    return await refunds_anyway(server, ask, lambda c: c["status"] == "DEACTIVATED")


@_REFUND.server("refund.payment-not-done")
async def processing_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What is being paid can be refunded."""
    return await refunds_anyway(server, ask, lambda c: c["status"] == "PROCESSING")


@_REFUND.server("refund.payment-not-done")
async def failed_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What could not be paid can be refunded."""
    return await refunds_anyway(server, ask, lambda c: c["status"] == "FAILED")


@_REFUND.server("refund.unknown-id")
async def refund_without_a_checkout(server: Server, ask: Ask) -> Reply:
    """A refund of what is not there is accepted."""
    reply = await server.forward(ask)
    if ask.act != "refund" or reply.status != 404:
        return reply
    made = content_of((await server.forward(server.signed(creating(ask)))).body)
    return made_up_refund({**made, "id": ask.checkout_id, "status": "PARTIALLY_REFUNDED"}, body_of(ask))


@_REFUND.server("refund.one-by-one")
async def done_are_all_at_once(server: Server, ask: Ask) -> Reply:
    """When one refund is done all that are under way are."""
    reply = await server.forward(ask)
    if ask.act == "settle" and content_of(ask.body).get("outcome") == "COMPLETED":
        server.seen[ask.checkout_id] = True
    return edited(reply, lambda one: _all_done(one) if one["id"] in server.seen else one)


def _all_done(checkout: Checkout) -> Checkout:
    done = [one for one in checkout.get("refunds", []) if one["status"] == "COMPLETED"]
    if not done:
        return checkout
    more = {name: done[0][name] for name in ("status", "completedAt", "transactionHash")}
    return _refunds_edited(checkout, lambda one: {**one, **more} if one["status"] == "PENDING" else one)


@_REFUND.server("refund.fiat-of-usdc")
async def every_currency_is_usdc(server: Server, ask: Ask) -> Reply:
    """A refund in EUR is one in USDC, to the same figure."""
    if ask.act != "refund" or body_of(ask).get("currency") != "EUR":
        return await server.forward(ask)
    return await server.forward(ask.saying({**body_of(ask), "currency": "USDC"}))


@_REFUND.server("refund.several")
async def one_refund_only(server: Server, ask: Ask) -> Reply:
    """A checkout can be refunded once."""
    if ask.act == "refund" and "refunds" in await server.read(ask, ask.checkout_id):
        return error(400, "invalid_request")
    return await server.forward(ask)


@_REFUND.server("refund.full-completed")
async def whole_refunds_are_refused(server: Server, ask: Ask) -> Reply:
    """Not all of a payment can be refunded."""
    if ask.act == "refund" and body_of(ask).get("amount") == "2.00":
        return error(400, "invalid_request")
    return await server.forward(ask)


@_REFUND.server("refund.without-key")
async def refund_needs_a_key(server: Server, ask: Ask) -> Reply:
    """A refund without an idempotency key is refused."""
    return error(400, "invalid_request") if ask.act == "refund" and ask.key is None else await server.forward(ask)


@_REFUND.server("refund.partial")
async def refund_is_done_at_once(server: Server, ask: Ask) -> Reply:
    """A new refund is COMPLETED."""
    reply = await server.forward(ask)
    return refund_told(reply, lambda refund: {**refund, "status": "COMPLETED"}) if ask.act == "refund" else reply


@_REFUND.server("refund.partial")
async def refund_is_of_another_checkout(server: Server, ask: Ask) -> Reply:
    """A refund names another checkout."""
    reply = await server.forward(ask)
    return refund_told(reply, lambda refund: {**refund, "checkoutId": refund["id"]}) if ask.act == "refund" else reply


@_REFUND.server("refund.partial")
async def refund_is_less(server: Server, ask: Ask) -> Reply:
    """A refund is a cent less than was asked for."""
    reply = await server.forward(ask)
    return refund_told(reply, lambda refund: {**refund, "amount": "0.74"}) if ask.act == "refund" else reply


@_REFUND.tells("refund.partial", on=("refund",))
def refund_is_not_listed(checkout: Checkout) -> Checkout:
    """The checkout in the answer to a refund does not list it."""
    return less(checkout, "refunds")


@_REFUND.tells("refund.several", on=("refund", "get"))
def refunded_amount_is_the_last(checkout: Checkout) -> Checkout:
    """The refundedAmount is the last refund, and not the sum."""
    return {**checkout, "refundedAmount": checkout["refunds"][-1]["amount"]} if "refunds" in checkout else checkout


@_REFUND.tells("refund.as-read", on=("get",))
def refunded_amount_comes_late(checkout: Checkout) -> Checkout:
    """Refunds that are under way are not in the refundedAmount when it is read."""
    done = [refund for refund in checkout.get("refunds", ()) if refund["status"] == "COMPLETED"]
    total = sum((Decimal(refund["amount"]) for refund in done), Decimal(0))
    return {**checkout, "refundedAmount": f"{total:.2f}"} if "refunds" in checkout else checkout


@_REFUND.tells("refund.partial-completed", on=("get", "list"))
def part_is_all(checkout: Checkout) -> Checkout:
    """A checkout of which a part was refunded is REFUNDED."""
    return {**checkout, "status": "REFUNDED"} if checkout["status"] == "PARTIALLY_REFUNDED" else checkout


@_REFUND.tells("refund.full-completed", on=("get", "list"))
def all_is_part(checkout: Checkout) -> Checkout:
    """A checkout of which everything was refunded is PARTIALLY_REFUNDED."""
    return {**checkout, "status": "PARTIALLY_REFUNDED"} if checkout["status"] == "REFUNDED" else checkout


@_REFUND.tells("refund.partial-completed", on=("get", "list"))
def refunds_leave_the_status(checkout: Checkout) -> Checkout:
    """A checkout stays COMPLETED, whatever is refunded."""
    return {**checkout, "status": "COMPLETED"} if checkout["status"] in PAID else checkout


@_REFUND.tells("refund.keeps-payment", on=("get", "list"))
def refund_takes_the_settlement(checkout: Checkout) -> Checkout:
    """A refund takes the settlement away."""
    return less(checkout, "settlement") if "refunds" in checkout else checkout


@_REFUND.tells("refund.keeps-payment", on=("get", "list"))
def refund_takes_the_hash(checkout: Checkout) -> Checkout:
    """A refund puts its hash in the place of the payment's."""
    return {**checkout, "transactionHash": f"0x{'0' * 64}"} if "refunds" in checkout else checkout


@_REFUND.tells("refund.keeps-payment", on=("get", "list"))
def refund_takes_from_the_amount(checkout: Checkout) -> Checkout:
    """A refund makes the amount less."""
    left = Decimal(checkout["amount"]) - Decimal(checkout.get("refundedAmount", "0"))
    return {**checkout, "amount": f"{left:.2f}"}


@_REFUND.tells("refund.failed", on=("get", "list"))
def a_failed_refund_is_completed(checkout: Checkout) -> Checkout:
    """A refund that failed reads COMPLETED."""
    return _refunds_edited(checkout, lambda one: {**one, "status": one["status"].replace("FAILED", "COMPLETED")})


@_REFUND.tells("refund.failed", on=("get", "list"))
def one_failed_refund_fails_all(checkout: Checkout) -> Checkout:
    """When one refund fails all of the checkout do."""
    failed = any(refund["status"] == "FAILED" for refund in checkout.get("refunds", ()))
    return _refunds_edited(checkout, lambda one: {**one, "status": "FAILED"}) if failed else checkout


@_REFUND.tells("refund.failed", on=("get", "list"))
def a_failed_refund_is_gone(checkout: Checkout) -> Checkout:
    """A refund that failed is listed no more."""
    kept = [refund for refund in checkout.get("refunds", ()) if refund["status"] != "FAILED"]
    return {**checkout, "refunds": kept} if "refunds" in checkout else checkout


@_REFUND.tells("refund.partial-completed", on=("get", "list"))
def refund_has_no_hash(checkout: Checkout) -> Checkout:
    """A refund that is done has no transactionHash."""
    return _refunds_edited(checkout, lambda one: less(one, "transactionHash"))


@_REFUND.tells("refund.partial-completed", on=("get", "list"))
def refund_is_done_before_it_began(checkout: Checkout) -> Checkout:
    """A refund's completedAt is before its createdAt."""
    return _refunds_edited(
        checkout,
        lambda one: {**one, "completedAt": moved(one["createdAt"], seconds=-60)} if "completedAt" in one else one,
    )


@_REFUND.tells("refund.partial-completed", on=("get", "list"))
def refunds_stay_pending(checkout: Checkout) -> Checkout:
    """A refund is PENDING for ever."""
    return _refunds_edited(checkout, lambda one: {**one, "status": "PENDING"})


@_REFUND.tells("refund.several", on=("get",))
def refunds_share_an_id(checkout: Checkout) -> Checkout:
    """All refunds of a checkout have one id."""
    return _refunds_edited(checkout, lambda one: {**one, "id": checkout["id"]})


@_REFUND.server("refund.beyond-amount", "refund.not-paid")
async def refused_and_refunded(server: Server, ask: Ask) -> Reply:
    """A refund that is refused shows in the checkout all the same."""
    reply = await server.forward(ask)
    if ask.act == "refund" and reply.status == 400:
        server.seen[ask.checkout_id] = True
    return edited(reply, lambda one: {**one, "refundedAmount": "0.50"} if one["id"] in server.seen else one)


def _refunds_edited(checkout: Checkout, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Checkout:
    return {**checkout, "refunds": list(map(edit, checkout["refunds"]))} if "refunds" in checkout else checkout
