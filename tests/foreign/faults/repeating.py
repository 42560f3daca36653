"""Keys that do not do what a key is for."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ..shop import Answer, RefusedError, Request, Shop
from .fault import Before, fault, rule


def no_key(*operations: str) -> Before:
    """Take the key away."""

    def before(_: Shop, request: Request) -> Request:
        if request.operation in operations:
            request.headers.pop("x-idempotency-key", None)
        return request

    return before


def keyless(operation: str) -> Any:
    """Check the key's form, then act as if there were none."""

    def once(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
        if request.operation == operation:
            shop.kept.clear()
        return Shop.once(shop, request, act)

    return once


def compared_without(*members: str) -> Any:
    """Not all of the request counts."""

    def compared(shop: Shop, request: Request) -> object:
        body = request.json
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in members}  # pyright: ignore[reportUnknownVariableType]
        return request.operation, request.id, json.dumps(body, sort_keys=True)

    return compared


def replay_now(shop: Shop, kept: Any) -> Answer:
    """The checkout as it is by now."""
    body = kept.answer.body
    if kept.answer.status < 300 and "id" in body:
        return Answer(kept.answer.status, shop.view(shop.found(body["id"])))
    return Shop.replay(shop, kept)


def replay_refund_now(shop: Shop, kept: Any) -> Answer:
    """The refund as it is by now."""
    body = kept.answer.body
    if kept.answer.status < 300 and "refund" in body:
        checkout = shop.found(body["checkout"]["id"])
        refund = next(one for one in checkout.refunds if one.id == body["refund"]["id"])
        return Answer(200, {"checkout": shop.view(checkout), "refund": shop.refund_view(checkout, refund)})
    return Shop.replay(shop, kept)


def acts_again(operation: str) -> Any:
    """Say the first answer, and act once more."""

    def once(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
        known = shop.place(request, request.headers.get("x-idempotency-key", "")) in shop.kept
        answer = Shop.once(shop, request, act)
        if known and answer.status < 300 and request.operation == operation:
            try:
                act()
            except RefusedError:
                return answer
        return answer

    return once


def conflict_forgets(shop: Shop, place: object) -> RefusedError:
    """Forget the key."""
    del shop.kept[place]
    return Shop.conflict(shop, place)


def conflict_acts(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
    """Act, and refuse."""
    try:
        return Shop.once(shop, request, act)
    except RefusedError as no:
        if no.status == shop.reading.conflict:
            act()
        raise


def lives(hours: float) -> Any:
    """Keys of another life."""

    def once(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
        for place, kept in list(shop.kept.items()):
            if shop.now() - kept.since > timedelta(hours=hours):
                del shop.kept[place]
        return Shop.once(shop, request, act)

    return once


def lives_for_ever(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
    """Keys that do not end."""
    for kept in shop.kept.values():
        kept.since = shop.now()
    return Shop.once(shop, request, act)


rule("key-ignored-create", "A key does nothing when creating.", once=keyless("create"))
rule("key-ignored-refund", "A key does nothing when refunding.", once=keyless("refund"))
rule(
    "key-status-replay",
    "A repeated creation answers the other 2xx.",
    replay=lambda _, kept: replace(
        kept.answer, status={200: 201, 201: 200}.get(kept.answer.status, kept.answer.status)
    ),
)
rule(
    "key-204-replay",
    "A repetition answers 204.",
    replay=lambda _, kept: Answer(204, b"") if kept.answer.status < 300 else kept.answer,
)
rule(
    "key-409-replay",
    "A repetition is refused as a conflict.",
    replay=lambda shop, kept: (
        Answer(409, shop.error(RefusedError(409, "already_exists", "that was done")))
        if kept.answer.status < 300
        else kept.answer
    ),
)
rule("key-current-create", "A repeated creation answers the checkout as it is by now.", replay=replay_now)
rule("key-current-refund", "A repeated refund answers the refund as it is by now.", replay=replay_refund_now)
rule("key-acts-again-create", "A repeated creation answers the first, and creates another.", once=acts_again("create"))
rule("key-acts-again-refund", "A repeated refund answers the first, and refunds again.", once=acts_again("refund"))
rule("key-forgotten-conflict", "A conflict makes the key free.", conflict=conflict_forgets)
rule("key-conflict-acts", "A conflict is refused, and done.", once=conflict_acts)
rule("key-conflict-unseen", "A conflict is not noticed.", compared=lambda *_: 0)
rule(
    "key-conflict-400",
    "A conflict is a 400.",
    conflict=lambda *_: RefusedError(400, "invalid_request", "that key is used"),
)
rule(
    "key-conflict-500",
    "A conflict is a 500.",
    conflict=lambda *_: RefusedError(500, "internal_server_error", "that key is used"),
)
rule("key-conflict-amount", "A conflict in amount is not noticed.", compared=compared_without("amount"))
rule("key-conflict-metadata", "A conflict in metadata is not noticed.", compared=compared_without("metadata"))
rule("key-conflict-description", "A conflict in description is not noticed.", compared=compared_without("description"))
rule(
    "key-conflict-redirect",
    "A conflict in a redirect URL is not noticed.",
    compared=compared_without("failRedirectUrl", "successRedirectUrl"),
)
rule("key-conflict-expires", "A conflict in expiresAt is not noticed.", compared=compared_without("expiresAt"))
rule("key-conflict-reason", "A conflict in reason is not noticed.", compared=compared_without("reason"))
rule(
    "key-conflict-added",
    "A field that is added is no conflict.",
    compared=lambda _, request: (
        (request.operation, request.id, (request.json or {}).get("amount")) if isinstance(request.json, dict) else 0
    ),
)
rule(
    "key-of-any-checkout",
    "A key answers for a refund of another checkout.",
    place=lambda _, __, key: key,
    compared=lambda _, request: (request.operation, request.body),
)
rule("key-one-hour", "A key lives an hour.", once=lives(1))
rule("key-23-hours", "A key lives 23 hours.", once=lives(23))
rule("key-for-ever", "A key lives for ever.", once=lives_for_ever)
rule(
    "key-replay-loses-url",
    "A repetition has no url.",
    replay=lambda _, kept: replace(
        kept.answer, body={name: value for name, value in kept.answer.body.items() if name != "url"}
    ),
)
fault("key-any-form", "A key may be anything.", forgives=frozenset({"key.form"}))


def reformed(change: Callable[[str], str]) -> Before:
    """Another key than was sent."""

    def before(_: Shop, request: Request) -> Request:
        if key := request.headers.get("x-idempotency-key"):
            request.headers["x-idempotency-key"] = change(key)
        return request

    return before


fault("key-upper", "A key may have capitals.", before=reformed(str.lower))
fault(
    "key-version",
    "A key may be a UUID of any version.",
    before=reformed(lambda key: key[:14] + "4" + key[15:] if len(key) == 36 else key),
)
fault(
    "key-variant",
    "A key may be a UUID of any variant.",
    before=reformed(lambda key: key[:19] + "a" + key[20:] if len(key) == 36 else key),
)
fault("key-long", "A key may be longer.", before=reformed(lambda key: key[:36]))
fault(
    "key-undashed",
    "A key may come without dashes.",
    before=reformed(lambda key: re.sub("^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5", key)),
)
fault(
    "key-checked-on-create-only",
    "On refunds a key may be anything.",
    before=lambda shop, request: (
        reformed(lambda key: key if re.fullmatch("[0-9a-f-]{36}", key) else "8e03978e-40d5-43e8-bc93-6894a57f9324")(
            shop, request
        )
        if request.operation == "refund"
        else request
    ),
)
