"""Wrong about what is sent a second time under its idempotency key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, edited, error

from .catalogue import KEYS, Mutant, Server, Shelf
from .edits import body_of, less, moved, refund_told, without_key

_KEYS: Final = Shelf(KEYS)
_HOUR_S: Final = 3600


def mutants() -> list[Mutant]:
    """All of this module."""
    return _KEYS.mutants


@_KEYS.server("idempotency.create-replay")
async def keys_are_not_read_by_create(server: Server, ask: Ask) -> Reply:
    """A create that is sent again under its key makes a second checkout."""
    return await server.forward(without_key(ask) if ask.act == "create" else ask)


@_KEYS.server("idempotency.refund-replay")
async def keys_are_not_read_by_refund(server: Server, ask: Ask) -> Reply:
    """A refund that is sent again under its key refunds a second time."""
    return await server.forward(without_key(ask) if ask.act == "refund" else ask)


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
    return await _replayed(server, ask, lambda reply: edited(reply, lambda c: less(c, "description")), "create")


@_KEYS.server("idempotency.refund-replay")
async def refund_replay_tells_another_time(server: Server, ask: Ask) -> Reply:
    """A refund that is sent again says it was made just now."""

    def later(reply: Reply) -> Reply:
        return refund_told(reply, lambda refund: {**refund, "createdAt": moved(refund["createdAt"], seconds=1)})

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
async def letter_case_is_no_conflict(server: Server, ask: Ask) -> Reply:
    """A key with a body that differs in small and capital letters only gives the first answer."""

    def folded(kept: Reply, reply: Reply) -> Reply:
        description = str(body_of(ask).get("description"))
        return kept if content_of(kept.body).get("description", "").casefold() == description.casefold() else reply

    return await _on_conflict(server, ask, "create", folded)


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
        return await server.forward(without_key(ask))
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


@_KEYS.server("idempotency.create-replay")
async def first_answer_is_lost(server: Server, ask: Ask) -> Reply:
    """A key is known from its second use on, as if the first had not been written yet."""
    if ask.act == "create" and ask.key is not None and server.seen.setdefault(ask.key, ask) is ask:
        await asyncio.sleep(0)
        return await server.forward(without_key(ask))
    return await server.forward(ask)


def _amount(ask: Ask) -> str:
    return f"{Decimal(body_of(ask)['amount']):.2f}"


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
