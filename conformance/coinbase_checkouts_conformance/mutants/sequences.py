"""Wrong about what happened before: state, refunds, idempotency keys, pages, time; and fields that contradict each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, edited, error

from .catalogue import (
    CROSS,
    KEYS,
    PAGES,
    PROSE,
    REFUND,
    STATE,
    TIME,
    Mutant,
    Server,
    Shelf,
    asking,
    body_of,
    good,
    made_up_refund,
    query_of,
    told,
    without,
)

Checkout = dict[str, Any]

_STATE: Final = Shelf(STATE)
_REFUND: Final = Shelf(REFUND)
_KEYS: Final = Shelf(KEYS)
_PAGES: Final = Shelf(PAGES)
_CROSS: Final = Shelf(CROSS)
_TIME: Final = Shelf(TIME)

_HOUR_S: Final = 3600
_PAID: Final = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


def mutants() -> list[Mutant]:
    """All of this module."""
    return [one for shelf in (_STATE, _REFUND, _KEYS, _PAGES, _CROSS, _TIME) for one in shelf.mutants]


# State.


@_STATE.tells("deactivate.result", on=("deactivate",))
def deactivation_tells_active(checkout: Checkout) -> Checkout:
    """A deactivation answers a checkout that is still ACTIVE."""
    return {**checkout, "status": "ACTIVE"}


@_STATE.tells("deactivate.stays", on=("get",))
def deactivated_reads_active(checkout: Checkout) -> Checkout:
    """A deactivated checkout is ACTIVE when it is read."""
    return {**checkout, "status": "ACTIVE"} if checkout["status"] == "DEACTIVATED" else checkout


@_STATE.server("deactivate.stays", "deactivate.twice")
async def deactivation_does_nothing(server: Server, ask: Ask) -> Reply:
    """A deactivation is answered as it should be, and nothing was done."""
    if ask.act != "deactivate":
        return await server.forward(ask)
    checkout = await server.read(ask, ask.checkout_id)
    if checkout.get("status") != "ACTIVE":
        return await server.forward(ask)
    return good({**checkout, "status": "DEACTIVATED"})


@_STATE.server("deactivate.only-this")
async def deactivation_takes_the_newest_too(server: Server, ask: Ask) -> Reply:
    """With one checkout the newest is deactivated, too."""
    reply = await server.forward(ask)
    if ask.act == "create" and reply.is_good:
        server.seen["newest"] = content_of(reply.body)["id"]
    elif ask.act == "deactivate" and reply.is_good:
        newest = server.seen.get("newest", ask.checkout_id)
        await server.forward(server.signed(replace(ask, path=ask.path.replace(ask.checkout_id, newest))))
    return reply


@_STATE.server("deactivate.twice")
async def second_deactivation_is_another_change(server: Server, ask: Ask) -> Reply:
    """A second deactivation is answered 200, with a later updatedAt."""
    reply = await server.forward(ask)
    if ask.act != "deactivate" or reply.is_good:
        return reply
    checkout = await server.read(ask, ask.checkout_id)
    if checkout.get("status") != "DEACTIVATED":
        return reply
    return good({**checkout, "updatedAt": _moved(checkout["updatedAt"], seconds=1)})


async def _deactivates(server: Server, ask: Ask, *statuses: str) -> Reply:
    """A deactivation that the sandbox refuses, and this server does not."""
    reply = await server.forward(ask)
    if ask.act != "deactivate" or reply.is_good:
        return reply
    checkout = await server.read(ask, ask.checkout_id)
    return good({**checkout, "status": "DEACTIVATED"}) if checkout.get("status") in statuses else reply


@_STATE.server("deactivate.not-paid")
async def paid_can_be_deactivated(server: Server, ask: Ask) -> Reply:
    """A paid checkout can be deactivated."""
    return await _deactivates(server, ask, "COMPLETED")


@_STATE.server("deactivate.not-under-way")
async def processing_can_be_deactivated(server: Server, ask: Ask) -> Reply:
    """A checkout whose payment is under way can be deactivated."""
    return await _deactivates(server, ask, "PROCESSING")


@_STATE.server("deactivate.not-under-way")
async def failed_can_be_deactivated(server: Server, ask: Ask) -> Reply:
    """A checkout whose payment has failed can be deactivated."""
    return await _deactivates(server, ask, "FAILED")


@_STATE.server("deactivate.not-paid")
async def refused_and_deactivated(server: Server, ask: Ask) -> Reply:
    """A deactivation that is refused is done all the same."""
    reply = await server.forward(ask)
    if ask.act == "deactivate" and reply.status in (400, 409, 422):
        server.seen[ask.checkout_id] = True
    return edited(reply, lambda one: {**one, "status": "DEACTIVATED"} if one["id"] in server.seen else one)


@_STATE.tells("payment.completed", on=("get",))
def paid_reads_active(checkout: Checkout) -> Checkout:
    """A paid checkout is ACTIVE when it is read."""
    return {**checkout, "status": "ACTIVE"} if checkout["status"] == "COMPLETED" else checkout


@_STATE.tells("payment.failed", on=("get", "list"))
def failed_reads_completed(checkout: Checkout) -> Checkout:
    """A payment that failed reads COMPLETED."""
    return {**checkout, "status": "COMPLETED"} if checkout["status"] == "FAILED" else checkout


@_STATE.tells("payment.processing", on=("get", "list"))
def processing_reads_completed(checkout: Checkout) -> Checkout:
    """A payment that is under way reads COMPLETED."""
    return {**checkout, "status": "COMPLETED"} if checkout["status"] == "PROCESSING" else checkout


@_STATE.tells("payment.completed", on=("get", "list"))
def paid_loses_metadata(checkout: Checkout) -> Checkout:
    """Once it is paid a checkout has no metadata."""
    return _less(checkout, "metadata") if checkout["status"] in _PAID else checkout


@_STATE.tells("payment.completed", on=("get", "list"))
def paid_amount_is_less_the_fee(checkout: Checkout) -> Checkout:
    """Once it is paid a checkout's amount is what is left after the fee."""
    return {**checkout, "amount": checkout["settlement"]["netAmount"]} if "settlement" in checkout else checkout


@_STATE.tells("get.as-created", on=("get",))
def get_loses_metadata(checkout: Checkout) -> Checkout:
    """Metadata is in the answer to create only."""
    return _less(checkout, "metadata")


@_STATE.tells("get.as-created", on=("get",))
def get_tells_another_amount(checkout: Checkout) -> Checkout:
    """A checkout reads with a cent more."""
    return {**checkout, "amount": str(Decimal(checkout["amount"]) + Decimal("0.01"))}


@_STATE.tells("create.text-kept", on=("get",))
def get_tells_escaped_text(checkout: Checkout) -> Checkout:
    """A description is escaped when it is read."""
    text = checkout.get("description")
    return checkout if text is None else {**checkout, "description": text.replace("&", "&amp;").replace("<", "&lt;")}


@_STATE.server("get.the-right-one")
async def get_finds_the_newest(server: Server, ask: Ask) -> Reply:
    """Whatever id is asked for, the newest checkout is found."""
    if ask.act == "get" and "newest" in server.seen:
        ask = server.signed(replace(ask, path=ask.path.replace(ask.checkout_id, server.seen["newest"])))
    reply = await server.forward(ask)
    if ask.act == "create" and reply.is_good:
        server.seen["newest"] = content_of(reply.body)["id"]
    return reply


@_STATE.server("get.unknown-id")
async def get_finds_what_is_not_there(server: Server, ask: Ask) -> Reply:
    """An id that no checkout has finds one all the same."""
    reply = await server.forward(ask)
    if ask.act != "get" or reply.status != 404:
        return reply
    made = await server.forward(server.signed(_creating(ask)))
    return told(replace(made, status=200), lambda content: {**content, "id": ask.checkout_id})


@_STATE.server("deactivate.unknown-id")
async def deactivation_finds_what_is_not_there(server: Server, ask: Ask) -> Reply:
    """A deactivation of what is not there succeeds."""
    reply = await server.forward(ask)
    if ask.act != "deactivate" or reply.status != 404:
        return reply
    made = await server.forward(server.signed(_creating(ask)))
    return told(replace(made, status=200), lambda c: {**c, "id": ask.checkout_id, "status": "DEACTIVATED"})


@_STATE.server("get.changes-nothing")
async def reading_is_a_change(server: Server, ask: Ask) -> Reply:
    """Each reading moves updatedAt."""
    reply = await server.forward(ask)
    if ask.act != "get":
        return reply
    server.seen["times"] = server.seen.get("times", 0) + 1
    return edited(reply, lambda one: {**one, "updatedAt": _moved(one["updatedAt"], seconds=server.seen["times"])})


@_STATE.server("get.as-created", "get.the-right-one")
async def reads_are_behind(server: Server, ask: Ask) -> Reply:
    """A new checkout is found the second time that it is asked for."""
    if ask.act == "get" and server.seen.setdefault(ask.checkout_id, ask) is ask:
        return error(404, "not_found")
    return await server.forward(ask)


# Refunds.


async def _refunds_anyway(server: Server, ask: Ask, when: Callable[[Checkout], bool]) -> Reply:
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


@_REFUND.server("refund.beyond-amount", "refund.beyond-rest")
async def refunds_more_than_there_is(server: Server, ask: Ask) -> Reply:
    """More than was paid can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] in _PAID and _beyond(c, ask) > 0)


@_REFUND.server("refund.beyond-amount")
async def refunds_a_cent_more(server: Server, ask: Ask) -> Reply:
    """A cent more than was paid can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: "refunds" not in c and _beyond(c, ask) == Decimal("0.01"))


@_REFUND.server("refund.beyond-rest")
async def refunds_under_way_do_not_count(server: Server, ask: Ask) -> Reply:
    """What is left to refund is the amount less the refunds that are done."""
    return await _refunds_anyway(
        server, ask, lambda c: any(refund["status"] == "PENDING" for refund in c.get("refunds", ()))
    )


@_REFUND.server("refund.nothing-left")
async def refunded_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """A checkout that is REFUNDED can be refunded again."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] == "REFUNDED")


@_REFUND.server("refund.not-paid")
async def active_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What was not paid can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] == "ACTIVE")


@_REFUND.server("refund.not-paid")
async def deactivated_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What was deactivated can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] == "DEACTIVATED")


@_REFUND.server("refund.payment-not-done")
async def processing_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What is being paid can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] == "PROCESSING")


@_REFUND.server("refund.payment-not-done")
async def failed_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """What could not be paid can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] == "FAILED")


@_REFUND.server("refund.unknown-id")
async def refund_without_a_checkout(server: Server, ask: Ask) -> Reply:
    """A refund of what is not there is accepted."""
    reply = await server.forward(ask)
    if ask.act != "refund" or reply.status != 404:
        return reply
    made = content_of((await server.forward(server.signed(_creating(ask)))).body)
    return made_up_refund({**made, "id": ask.checkout_id, "status": "PARTIALLY_REFUNDED"}, body_of(ask))


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
    return _refund_told(reply, lambda refund: {**refund, "status": "COMPLETED"}) if ask.act == "refund" else reply


@_REFUND.server("refund.partial")
async def refund_is_of_another_checkout(server: Server, ask: Ask) -> Reply:
    """A refund names another checkout."""
    reply = await server.forward(ask)
    return _refund_told(reply, lambda refund: {**refund, "checkoutId": refund["id"]}) if ask.act == "refund" else reply


@_REFUND.server("refund.partial")
async def refund_is_less(server: Server, ask: Ask) -> Reply:
    """A refund is a cent less than was asked for."""
    reply = await server.forward(ask)
    return _refund_told(reply, lambda refund: {**refund, "amount": "0.74"}) if ask.act == "refund" else reply


@_REFUND.tells("refund.partial", on=("refund",))
def refund_is_not_listed(checkout: Checkout) -> Checkout:
    """The checkout in the answer to a refund does not list it."""
    return _less(checkout, "refunds")


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
    return {**checkout, "status": "COMPLETED"} if checkout["status"] in _PAID else checkout


@_REFUND.tells("refund.keeps-payment", on=("get", "list"))
def refund_takes_the_settlement(checkout: Checkout) -> Checkout:
    """A refund takes the settlement away."""
    return _less(checkout, "settlement") if "refunds" in checkout else checkout


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
    return _refunds_edited(checkout, lambda one: _less(one, "transactionHash"))


@_REFUND.tells("refund.partial-completed", on=("get", "list"))
def refund_is_done_before_it_began(checkout: Checkout) -> Checkout:
    """A refund's completedAt is before its createdAt."""
    return _refunds_edited(
        checkout,
        lambda one: {**one, "completedAt": _moved(one["createdAt"], seconds=-60)} if "completedAt" in one else one,
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


# Idempotency keys.


@_KEYS.server("idempotency.create-replay")
async def keys_are_not_read_by_create(server: Server, ask: Ask) -> Reply:
    """A create that is sent again under its key makes a second checkout."""
    return await server.forward(_without_key(ask) if ask.act == "create" else ask)


@_KEYS.server("idempotency.refund-replay")
async def keys_are_not_read_by_refund(server: Server, ask: Ask) -> Reply:
    """A refund that is sent again under its key refunds a second time."""
    return await server.forward(_without_key(ask) if ask.act == "refund" else ask)


@_KEYS.server("idempotency.create-replay")
async def replay_has_another_status(server: Server, ask: Ask) -> Reply:
    """A create that is sent again is answered 200, and not 201."""
    return await _replayed(server, ask, lambda reply: replace(reply, status=200), "create")


@_KEYS.server("idempotency.create-replay", "idempotency.refund-replay")
async def replay_is_refused(server: Server, ask: Ask) -> Reply:
    """What is sent again under its key is refused with 409."""
    return await _replayed(server, ask, lambda _: error(409, "idempotency_error"), "create", "refund")


@_KEYS.server("idempotency.create-replay")
async def replay_is_empty(server: Server, ask: Ask) -> Reply:
    """A create that is sent again is answered without its description."""
    return await _replayed(server, ask, lambda reply: edited(reply, lambda c: _less(c, "description")), "create")


@_KEYS.server("idempotency.refund-replay")
async def refund_replay_tells_another_time(server: Server, ask: Ask) -> Reply:
    """A refund that is sent again says it was made just now."""

    def later(reply: Reply) -> Reply:
        return _refund_told(reply, lambda refund: {**refund, "createdAt": _moved(refund["createdAt"], seconds=1)})

    return await _replayed(server, ask, later, "refund")


@_KEYS.server("idempotency.first-answer")
async def replay_tells_the_present(server: Server, ask: Ask) -> Reply:
    """A create that is sent again tells the checkout as it is now."""
    reply = await server.forward(ask)
    if ask.act != "create" or not reply.is_good or ask.key is None:
        return reply
    return reply.saying(await server.read(ask, content_of(reply.body)["id"]))


@_KEYS.server("idempotency.full-refund-replay")
async def refund_is_judged_before_its_key(server: Server, ask: Ask) -> Reply:
    """A refund that is sent again is refused when nothing is left to refund."""
    if ask.act == "refund" and (await server.read(ask, ask.checkout_id)).get("status") == "REFUNDED":
        return error(400, "invalid_request")
    return await server.forward(ask)


@_KEYS.server("idempotency.create-conflict")
async def conflict_gives_the_first_answer(server: Server, ask: Ask) -> Reply:
    """A key with another body gives the first answer."""
    return await _on_conflict(server, ask, "create", lambda kept, _: kept)


@_KEYS.server("idempotency.refund-conflict")
async def refund_conflict_gives_the_first_answer(server: Server, ask: Ask) -> Reply:
    """A refund's key with another amount gives the first answer."""
    return await _on_conflict(server, ask, "refund", lambda kept, _: kept)


@_KEYS.server("idempotency.create-conflict")
async def conflict_makes_another(server: Server, ask: Ask) -> Reply:
    """A key with another body makes another checkout."""
    reply = await server.forward(ask)
    return await server.forward(ask.under()) if ask.act == "create" and reply.status in (409, 422) else reply


@_KEYS.server("idempotency.refund-conflict")
async def refund_conflict_makes_another(server: Server, ask: Ask) -> Reply:
    """A refund's key with another amount refunds that, too."""
    reply = await server.forward(ask)
    return await server.forward(ask.under()) if ask.act == "refund" and reply.status in (409, 422) else reply


@_KEYS.server("idempotency.create-conflict")
async def conflict_is_a_bad_request(server: Server, ask: Ask) -> Reply:
    """A key with another body is refused with 400."""
    return await _on_conflict(server, ask, "create", lambda _, reply: replace(reply, status=400))


@_KEYS.server("idempotency.create-conflict")
async def only_amounts_conflict(server: Server, ask: Ask) -> Reply:
    """A key with another description or other metadata gives the first answer."""
    return await _on_conflict(
        server, ask, "create", lambda kept, reply: reply if content_of(kept.body)["amount"] != _amount(ask) else kept
    )


@_KEYS.server("idempotency.create-conflict")
async def conflict_is_refused_and_made(server: Server, ask: Ask) -> Reply:
    """A key with another body is refused, and makes a checkout."""
    reply = await server.forward(ask)
    if ask.act == "create" and reply.status in (409, 422):
        await server.forward(ask.under())
    return reply


@_KEYS.server("idempotency.after-conflict")
async def conflict_costs_the_answer(server: Server, ask: Ask) -> Reply:
    """After a conflict the first answer is forgotten."""
    if ask.act == "create" and ask.key in server.seen:
        ask = ask.under(server.seen[ask.key])
    reply = await server.forward(ask)
    if ask.act == "create" and reply.status in (409, 422):
        server.seen[ask.key] = ask.under().key
    return reply


@_KEYS.server("idempotency.other-key")
async def same_body_is_same_key(server: Server, ask: Ask) -> Reply:
    """The same body under another key gives the first answer."""
    if ask.act != "create" or ask.key is None:
        return await server.forward(ask)
    return await server.forward(ask.under(server.seen.setdefault(ask.body, ask.key)))


@_KEYS.server("idempotency.other-checkout")
async def keys_do_not_know_the_checkout(server: Server, ask: Ask) -> Reply:
    """A refund's key gives one checkout's answer for another."""
    reply = await server.forward(ask)
    if ask.act != "refund" or ask.key is None:
        return reply
    if reply.is_good:
        server.seen.setdefault(ask.key, reply)
    return server.seen.get(ask.key, reply) if reply.status in (200, 409, 422) else reply


@_KEYS.server("idempotency.lifetime")
async def keys_are_forgotten_after_half_a_day(server: Server, ask: Ask) -> Reply:
    """A key is remembered for 12 hours."""
    if ask.act != "create" or ask.key is None:
        return await server.forward(ask)
    if server.seen.setdefault(ask.key, server.passed_s) < server.passed_s - 12 * _HOUR_S:
        return await server.forward(_without_key(ask))
    return await server.forward(ask)


@_KEYS.server("idempotency.lifetime")
async def keys_are_never_forgotten(server: Server, ask: Ask) -> Reply:
    """A key is remembered for ever."""
    if ask.act != "create" or ask.key is None:
        return await server.forward(ask)
    same = (ask.key, ask.body)
    if same not in server.seen:
        server.seen[same] = await server.forward(ask)
    kept: Reply = server.seen[same]
    return kept


# Pages and filters.


def _paged(
    listed: list[Checkout], ask: Ask, *, larger: int = 0, overlap: int = 0, lost: int = 0, shift: int = 0
) -> Reply:
    """
    The page that *ask* asks for, with a token that says where the next one starts.

    Args:
        larger: So many more on each page than were asked for.
        overlap: So many on the next page again.
        lost: So many between two pages.
        shift: From which number left on there is another page.
    """
    query = query_of(ask)
    size = int(query.get("pageSize", ["20"])[0])
    start = int(query.get("pageToken", ["0"])[0])
    end = start + size + larger
    content: dict[str, Any] = {"checkouts": listed[start:end]}
    if end + shift < len(listed):
        content["nextPageToken"] = str(max(end - overlap + lost, start + 1))
    return good(content)


def _pages_wrong(claim: str, name: str, sentence: str, **wrong: int) -> None:
    async def answer(server: Server, ask: Ask) -> Reply:
        if ask.act == "list" and query_of(ask).get("pageToken", ["0"])[0].isdecimal():
            reply = await server.forward(asking(ask, without(ask, "pageToken")))
            return _paged(await server.everything(ask), ask, **wrong) if reply.is_good else reply
        return await server.forward(ask)

    _PAGES.mutants.append(Mutant(name, sentence, PAGES, (claim,), answer))


_pages_wrong("list.pages", "pages-are-larger", "A page holds one more than was asked for.", larger=1)
_pages_wrong("list.pages", "pages-overlap", "The last of a page is also the first of the next.", overlap=1)
_pages_wrong("list.pages", "pages-lose-one", "Between two pages a checkout is lost.", lost=1)
_pages_wrong("list.even-pages", "last-full-page-is-lost", "A last page that is full is not reached.", shift=2)
_pages_wrong("list.pages", "last-page-is-lost", "A last page of one is not reached.", shift=1)


@_PAGES.server("list.pages")
async def pages_never_end(server: Server, ask: Ask) -> Reply:
    """A listing has a next page for ever, always with another token."""
    if ask.act != "list":
        return await server.forward(ask)
    reply = await server.forward(asking(ask, without(ask, "pageToken")))
    server.seen["page"] = server.seen.get("page", 0) + 1
    return told(reply, lambda content: {**content, "nextPageToken": f"page-{server.seen['page']}"})


@_PAGES.server("list.pages")
async def the_first_page_comes_again(server: Server, ask: Ask) -> Reply:
    """A pageToken is not read."""
    return await server.forward(asking(ask, without(ask, "pageToken")) if ask.act == "list" else ask)


@_PAGES.server("list.even-pages")
async def token_for_a_page_of_nothing_again(server: Server, ask: Ask) -> Reply:
    """After the last page come empty ones for ever."""
    if ask.act != "list":
        return await server.forward(ask)
    if query_of(ask).get("pageToken", [""])[0].startswith("empty"):
        server.seen["empty"] = server.seen.get("empty", 0) + 1
        return good({"checkouts": [], "nextPageToken": f"empty-{server.seen['empty']}"})
    return told(await server.forward(ask), lambda content: {"nextPageToken": "empty", **content})


@_PAGES.server("list.single-page")
async def there_is_always_a_token(server: Server, ask: Ask) -> Reply:
    """The last page has a token, and then comes an empty one without."""
    if ask.act != "list":
        return await server.forward(ask)
    if query_of(ask).get("pageToken") == ["empty"]:
        return good({"checkouts": []})
    return told(await server.forward(ask), lambda content: {"nextPageToken": "empty", **content})


@_PAGES.server("list.single-page")
async def the_last_token_is_empty(server: Server, ask: Ask) -> Reply:
    """The last page has an empty token."""
    reply = await server.forward(ask)
    return told(reply, lambda content: {"nextPageToken": "", **content}) if ask.act == "list" else reply


@_PAGES.server("list.single-page")
async def the_last_token_is_null(server: Server, ask: Ask) -> Reply:
    """The last page has a token that is null."""
    reply = await server.forward(ask)
    return told(reply, lambda content: {"nextPageToken": None, **content}) if ask.act == "list" else reply


@_PAGES.server("list.all-filters")
async def filters_are_forgotten_on_the_next_page(server: Server, ask: Ask) -> Reply:
    """The status that is asked for is kept on the first page only."""
    if ask.act != "list" or "status" not in query_of(ask):
        return await server.forward(ask)
    listed = await server.everything(asking(ask, without(ask, "status")))
    if "pageToken" in query_of(ask):
        return _paged(listed, ask)
    wanted = [one for one in listed if one["status"] in query_of(ask)["status"]]
    first = _paged(wanted, ask)
    return first if len(listed) <= 1 else first.saying({**content_of(first.body), "nextPageToken": "1"})


def _filter_not_read(claim: str, parameter: str) -> None:
    async def answer(server: Server, ask: Ask) -> Reply:
        return await server.forward(asking(ask, without(ask, parameter)) if ask.act == "list" else ask)

    name = f"{parameter.lower()}-is-not-read"
    _PAGES.mutants.append(Mutant(name, f"A listing does not look at {parameter}.", PAGES, (claim,), answer))


_filter_not_read("list.one-status", "status")
_filter_not_read("list.description-query", "descriptionQuery")
_filter_not_read("list.start-time", "startTime")
_filter_not_read("list.end-time", "endTime")
_filter_not_read("list.pages", "pageSize")


@_PAGES.hears("list.several-statuses", on="list")
def only_the_first_status_counts(ask: Ask) -> Ask:
    """Of several statuses the first is listed."""
    query = query_of(ask)
    return asking(ask, {**query, "status": query["status"][:1]}) if "status" in query else ask


@_PAGES.hears("list.several-statuses", on="list")
def only_the_last_status_counts(ask: Ask) -> Ask:
    """Of several statuses the last is listed."""
    query = query_of(ask)
    return asking(ask, {**query, "status": query["status"][-1:]}) if "status" in query else ask


def _keeps(*claims: str, when: Callable[[Checkout, dict[str, list[str]]], bool], name: str, does: str) -> None:
    async def answer(server: Server, ask: Ask) -> Reply:
        reply = await server.forward(ask)
        if ask.act != "list":
            return reply
        query = query_of(ask)
        return told(reply, lambda c: {**c, "checkouts": [one for one in c["checkouts"] if when(one, query)]})

    _PAGES.mutants.append(Mutant(name, does, PAGES, claims, answer))


_keeps(
    "list.description-query",
    when=lambda one, query: query.get("descriptionQuery", [""])[0] in one.get("description", ""),
    name="descriptions-are-found-in-their-case",
    does="A descriptionQuery finds what is written in its case only.",
)
_keeps(
    "list.start-time",
    when=lambda one, query: query.get("startTime", [""])[0] != one["createdAt"],
    name="start-time-is-not-included",
    does="What was created at startTime is not listed.",
)
_keeps(
    "list.as-read",
    when=lambda one, _: "metadata" not in one,
    name="those-with-metadata-are-not-listed",
    does="Checkouts with metadata are not listed.",
)
_keeps(
    "list.one-status",
    when=lambda one, _: one["status"] != "DEACTIVATED",
    name="deactivated-are-not-listed",
    does="Deactivated checkouts are not listed.",
)
_keeps(
    "payment.listed",
    when=lambda one, _: one["status"] not in _PAID,
    name="paid-are-not-listed",
    does="Paid checkouts are not listed.",
)


@_PAGES.hears("list.description-query", on="list")
def percent_is_a_wildcard(ask: Ask) -> Ask:
    """A % in a descriptionQuery stands for anything."""
    query = query_of(ask)
    text = query.get("descriptionQuery", [""])[0]
    return asking(ask, {**query, "descriptionQuery": [text.split("%", maxsplit=1)[0]]}) if "%" in text else ask


@_PAGES.tells("list.as-read", on=("list",))
def list_is_a_summary(checkout: Checkout) -> Checkout:
    """A listing leaves out what may be left out."""
    return _less(checkout, "metadata", "description", "expiresAt", "successRedirectUrl", "failRedirectUrl")


@_PAGES.tells("list.as-read", on=("list",))
def list_tells_other_times(checkout: Checkout) -> Checkout:
    """A listing has times in whole seconds that are rounded up."""
    return {**checkout, "createdAt": _moved(checkout["createdAt"], seconds=1)}


@_PAGES.tells("list.one-status", on=("list",))
def list_tells_old_statuses(checkout: Checkout) -> Checkout:
    """A listing tells every checkout ACTIVE."""
    return {**checkout, "status": "ACTIVE"}


@_PAGES.server("list.nothing")
async def nothing_is_everything(server: Server, ask: Ask) -> Reply:
    """A descriptionQuery that finds nothing is answered 404."""
    reply = await server.forward(ask)
    if ask.act == "list" and reply.is_good and not content_of(reply.body)["checkouts"]:
        return error(404, "not_found")
    return reply


# Fields that contradict each other.


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


@_CROSS.tells("payment.completed", on=("get",))
def paid_has_no_hash(checkout: Checkout) -> Checkout:
    """A paid checkout has no transactionHash."""
    return _less(checkout, "transactionHash")


@_CROSS.tells("payment.completed", on=("get",))
def paid_has_no_settlement(checkout: Checkout) -> Checkout:
    """A paid checkout has no settlement."""
    return _less(checkout, "settlement")


@_CROSS.tells("create.unpaid", on=("create",))
def usdc_has_a_fiat_amount(checkout: Checkout) -> Checkout:
    """A checkout in USDC has a fiatAmount and a fiatCurrency."""
    return {"fiatAmount": checkout["amount"], "fiatCurrency": "USD", **checkout}


@_CROSS.tells("create.fiat-currency", on=("create",))
def fiat_amount_without_currency(checkout: Checkout) -> Checkout:
    """A checkout in fiat has a fiatAmount, and does not say of what."""
    return _less(checkout, "fiatCurrency")


@_CROSS.tells("create.fiat-currency", on=("create",))
def fiat_currency_is_another(checkout: Checkout) -> Checkout:
    """A checkout in any fiat currency says it is in USD."""
    return {**checkout, "fiatCurrency": "USD"} if "fiatCurrency" in checkout else checkout


@_CROSS.tells("create.times", on=("create",), kind=PROSE)
def updated_before_created(checkout: Checkout) -> Checkout:
    """A new checkout was updated before it was created."""
    return {**checkout, "updatedAt": _moved(checkout["createdAt"], seconds=-1)}


@_CROSS.tells("create.times", on=("create", "get", "list"), kind=PROSE)
def created_at_another_time(checkout: Checkout) -> Checkout:
    """Times are local, and called UTC."""
    return {
        name: _moved(value, hours=2) if name in {"createdAt", "updatedAt"} else value
        for name, value in checkout.items()
    }


@_CROSS.tells("payment.updated-at", on=("get",), kind=PROSE)
def payment_turns_updated_back(checkout: Checkout) -> Checkout:
    """A payment turns updatedAt back."""
    is_paid = checkout["status"] in _PAID
    return {**checkout, "updatedAt": _moved(checkout["createdAt"], seconds=-5)} if is_paid else checkout


@_CROSS.tells("payment.updated-at", on=("get",), kind=PROSE)
def payment_is_the_creation(checkout: Checkout) -> Checkout:
    """A payment moves createdAt."""
    is_paid = checkout["status"] in _PAID
    return {**checkout, "createdAt": _moved(checkout["createdAt"], seconds=5)} if is_paid else checkout


@_CROSS.tells("deactivate.updated-at", on=("deactivate",), kind=PROSE)
def deactivation_turns_updated_back(checkout: Checkout) -> Checkout:
    """A deactivation turns updatedAt back."""
    return {**checkout, "updatedAt": _moved(checkout["createdAt"], seconds=-5)}


@_CROSS.tells("deactivate.result", on=("deactivate",), kind=PROSE)
def deactivation_loses_fields(checkout: Checkout) -> Checkout:
    """The answer to a deactivation leaves out what may be left out."""
    return _less(checkout, "metadata", "description", "expiresAt")


# Time.


@_TIME.tells("payment.expired", on=("get", "list"))
def expired_reads_active(checkout: Checkout) -> Checkout:
    """A checkout is ACTIVE after it has expired."""
    return {**checkout, "status": "ACTIVE"} if checkout["status"] == "EXPIRED" else checkout


@_TIME.server("payment.expired")
async def expires_when_it_is_listed(server: Server, ask: Ask) -> Reply:
    """A checkout that has expired is ACTIVE until it was listed."""
    reply = await server.forward(ask)
    if ask.act == "list":
        edited(reply, lambda one: server.seen.setdefault(one["id"], one))
    fresh = ask.act == "get" and ask.checkout_id not in server.seen
    return (
        edited(reply, lambda one: {**one, "status": "ACTIVE"} if one["status"] == "EXPIRED" else one)
        if fresh
        else reply
    )


@_TIME.tells("payment.expired", on=("get", "list"))
def everything_expires_at_once(checkout: Checkout) -> Checkout:
    """A checkout that is ACTIVE reads EXPIRED."""
    return {**checkout, "status": "EXPIRED"} if checkout["status"] == "ACTIVE" else checkout


@_TIME.server("payment.paid-never-expires")
async def paid_expires(server: Server, ask: Ask) -> Reply:
    """A paid checkout is EXPIRED after its time."""
    reply = await server.forward(ask)
    late = server.passed_s >= _HOUR_S
    return edited(reply, lambda one: {**one, "status": "EXPIRED"} if late and one["status"] == "COMPLETED" else one)


@_TIME.server("payment.paid-never-expires")
async def deactivated_expires(server: Server, ask: Ask) -> Reply:
    """A deactivated checkout is EXPIRED after its time."""
    reply = await server.forward(ask)
    late = server.passed_s >= _HOUR_S
    return edited(reply, lambda one: {**one, "status": "EXPIRED"} if late and one["status"] == "DEACTIVATED" else one)


@_TIME.server("payment.expired")
async def expired_can_be_deactivated(server: Server, ask: Ask) -> Reply:
    """A checkout that has expired can be deactivated."""
    return await _deactivates(server, ask, "EXPIRED")


@_TIME.server("payment.expired")
async def expired_can_be_refunded(server: Server, ask: Ask) -> Reply:
    """A checkout that has expired can be refunded."""
    return await _refunds_anyway(server, ask, lambda c: c["status"] == "EXPIRED")


@_TIME.server("payment.expired")
async def expired_is_listed_as_active(server: Server, ask: Ask) -> Reply:
    """What has expired is not listed under EXPIRED."""
    if ask.act == "list" and query_of(ask).get("status") == ["EXPIRED"]:
        return good({"checkouts": []})
    return await server.forward(ask)


@_TIME.server("payment.expired")
async def expiry_changes_the_amount(server: Server, ask: Ask) -> Reply:
    """What has expired reads without its description."""
    reply = await server.forward(ask)
    return edited(reply, lambda one: _less(one, "description") if one["status"] == "EXPIRED" else one)


@_TIME.server("idempotency.create-replay")
async def first_answer_is_lost(server: Server, ask: Ask) -> Reply:
    """A key is known from its second use on, as if the first had not been written yet."""
    if ask.act == "create" and ask.key is not None and server.seen.setdefault(ask.key, ask) is ask:
        await asyncio.sleep(0)
        return await server.forward(_without_key(ask))
    return await server.forward(ask)


def _less(content: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in names}


def _moved(time: str, **delta: float) -> str:
    moved = datetime.fromisoformat(time) + timedelta(**delta)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_key(ask: Ask) -> Ask:
    return ask.with_header(b"x-idempotency-key", None)


def _amount(ask: Ask) -> str:
    return f"{Decimal(body_of(ask)['amount']):.2f}"


def _creating(ask: Ask) -> Ask:
    """A create, by the connection that *ask* came by."""
    headers = (*(pair for pair in ask.headers if pair[0] == b"host"), (b"content-type", b"application/json"))
    body = json.dumps({"amount": "2.00", "currency": "USDC"}).encode()
    return Ask("create", "POST", f"{ask.path.partition('/checkouts')[0]}/checkouts", b"", headers, body)


def _refunds_edited(checkout: Checkout, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Checkout:
    return {**checkout, "refunds": list(map(edit, checkout["refunds"]))} if "refunds" in checkout else checkout


def _refund_told(reply: Reply, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
    """The refund in an answer edited, beside the checkout and inside it."""

    def both(content: dict[str, Any]) -> dict[str, Any]:
        refund = content["refund"]
        inside = [edit(one) if one["id"] == refund["id"] else one for one in content["checkout"]["refunds"]]
        return {"refund": edit(refund), "checkout": {**content["checkout"], "refunds": inside}}

    return told(reply, both)


async def _replayed(server: Server, ask: Ask, change: Callable[[Reply], Reply], *acts: str) -> Reply:
    """The answer; changed if it was given before."""
    again = ask.act in acts and ask.key is not None and server.seen.setdefault(ask.same, ask) is not ask
    reply = await server.forward(ask)
    return change(reply) if again and reply.is_good else reply


async def _on_conflict(server: Server, ask: Ask, act: str, choose: Callable[[Reply, Reply], Reply]) -> Reply:
    """The answer; of a conflict, what *choose* makes of the first answer and the refusal."""
    reply = await server.forward(ask)
    if ask.act != act or ask.key is None:
        return reply
    if reply.is_good:
        server.seen[ask.key] = reply
    conflicts = reply.status in (409, 422) and ask.key in server.seen
    return choose(server.seen[ask.key], reply) if conflicts else reply
