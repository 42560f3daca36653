"""Wrong about what happened before: statuses that do not change, or change by themselves, or with time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, edited, error

from .catalogue import STATE, TIME, Mutant, Server, Shelf
from .edits import PAID, Checkout, body_of, creating, good, less, moved, query_of, told
from .refunds import refunds_anyway

_STATE: Final = Shelf(STATE)
_TIME: Final = Shelf(TIME)
_HOUR_S: Final = 3600


def mutants() -> list[Mutant]:
    """All of this module."""
    return [*_STATE.mutants, *_TIME.mutants]


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
    return good({**checkout, "updatedAt": moved(checkout["updatedAt"], seconds=1)})


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
    return less(checkout, "metadata") if checkout["status"] in PAID else checkout


@_STATE.tells("payment.completed", on=("get", "list"))
def paid_amount_is_less_the_fee(checkout: Checkout) -> Checkout:
    """Once it is paid a checkout's amount is what is left after the fee."""
    return {**checkout, "amount": checkout["settlement"]["netAmount"]} if "settlement" in checkout else checkout


@_STATE.tells("get.as-created", on=("get",))
def get_loses_metadata(checkout: Checkout) -> Checkout:
    """Metadata is in the answer to create only."""
    return less(checkout, "metadata")


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
    made = await server.forward(server.signed(creating(ask)))
    return told(replace(made, status=200), lambda content: {**content, "id": ask.checkout_id})


@_STATE.server("deactivate.unknown-id")
async def deactivation_finds_what_is_not_there(server: Server, ask: Ask) -> Reply:
    """A deactivation of what is not there succeeds."""
    reply = await server.forward(ask)
    if ask.act != "deactivate" or reply.status != 404:
        return reply
    made = await server.forward(server.signed(creating(ask)))
    return told(replace(made, status=200), lambda c: {**c, "id": ask.checkout_id, "status": "DEACTIVATED"})


@_STATE.server("get.changes-nothing")
async def reading_is_a_change(server: Server, ask: Ask) -> Reply:
    """Each reading moves updatedAt."""
    reply = await server.forward(ask)
    if ask.act != "get":
        return reply
    server.seen["times"] = server.seen.get("times", 0) + 1
    return edited(reply, lambda one: {**one, "updatedAt": moved(one["updatedAt"], seconds=server.seen["times"])})


@_STATE.server("get.as-created", "get.the-right-one")
async def reads_are_behind(server: Server, ask: Ask) -> Reply:
    """A new checkout is found the second time that it is asked for."""
    if ask.act == "get" and server.seen.setdefault(ask.checkout_id, ask) is ask:
        return error(404, "not_found")
    return await server.forward(ask)


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
    return await refunds_anyway(server, ask, lambda c: c["status"] == "EXPIRED")


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
    return edited(reply, lambda one: less(one, "description") if one["status"] == "EXPIRED" else one)


@_TIME.server("payment.passed-by-then")
async def creates_by_another_clock(server: Server, ask: Ask) -> Reply:
    """Whether an expiresAt has passed is told by a clock that was not moved."""
    expires = body_of(ask).get("expiresAt", "")
    reply = await server.forward(ask)
    if ask.act != "create" or reply.status != 400 or not server.passed_s or not expires:
        return reply
    later = moved(expires, seconds=server.passed_s)
    return edited(
        await server.forward(ask.saying({**body_of(ask), "expiresAt": later})),
        lambda one: {**one, "expiresAt": expires},
    )
