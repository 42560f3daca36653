"""
Different from our sandbox, and right: what the published documents leave open, and what no reader may depend on.

A suite that breaks on one of these raises a false alarm.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, each_object, edited, error
from coinbase_checkouts_sandbox.readings import Readings

from .catalogue import HARMLESS, Mutant, Server, Shelf
from .edits import asking, body_of, good, less, query_of, told, without
from .pages import paged

_SHELF: Final = Shelf(HARMLESS)


def mutants() -> list[Mutant]:
    """All of them: the sandbox in each other documented reading, and those below."""
    return [*_readings(), *_SHELF.mutants]


def drawn(seed: int) -> tuple[tuple[str, ...], list[Mutant]]:
    """Readings, and harmless differences that go together, as *seed* has it."""
    draw = random.Random(seed)  # noqa: S311 -- a choice of tests
    readings = tuple(f"{one.metadata['name']}={draw.choice(list(one.metadata['choices']))}" for one in fields(Readings))
    return readings, draw.sample(_SHELF.mutants, k=draw.randint(0, 4))


def _readings() -> list[Mutant]:
    return [
        Mutant(
            f"reading-{name}-{choice}",
            f"The sandbox in the reading {name}={choice}.",
            HARMLESS,
            (),
            as_it_is,
            (f"{name}={choice}",),
        )
        for one in fields(Readings)
        for name in [one.metadata["name"]]
        for choice in list(one.metadata["choices"])[1:]
    ]


async def as_it_is(server: Server, ask: Ask) -> Reply:
    """The sandbox as it is."""
    return await server.forward(ask)


async def _objects_told(server: Server, ask: Ask, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
    reply = await server.forward(ask)
    if ask.act not in {"create", "get", "list", "deactivate", "refund"}:
        return reply
    return reply.saying(each_object(content_of(reply.body), edit))


@_SHELF.server()
async def undocumented_field(server: Server, ask: Ask) -> Reply:
    """Every object has a field that no document knows: the API grows."""
    return await _objects_told(server, ask, lambda one: {**one, "complianceReview": {"state": "NONE"}})


@_SHELF.server()
async def other_order_of_fields(server: Server, ask: Ask) -> Reply:
    """The fields of every object come in another order."""
    return await _objects_told(server, ask, lambda one: dict(reversed(one.items())))


@_SHELF.server()
async def oldest_first(server: Server, ask: Ask) -> Reply:
    """A page lists its checkouts in the other order."""
    reply = await server.forward(ask)
    return told(reply, lambda c: {**c, "checkouts": c["checkouts"][::-1]}) if ask.act == "list" else reply


@_SHELF.server()
async def amounts_are_short(server: Server, ask: Ask) -> Reply:
    """Amounts are written as short as can be: "1" for "1.00"."""
    return await _objects_told(server, ask, lambda one: _each(one, "mount", lambda a: f"{Decimal(a).normalize():f}"))


@_SHELF.server()
async def times_have_nine_digits(server: Server, ask: Ask) -> Reply:
    """Times are written to the nanosecond."""
    return await _objects_told(server, ask, lambda one: _each(one, "At", lambda time: f"{time[:-1]}000000Z"))


@_SHELF.server()
async def times_have_an_offset(server: Server, ask: Ask) -> Reply:
    """Times are written with +00:00 for Z."""
    return await _objects_told(server, ask, lambda one: _each(one, "At", lambda time: f"{time[:-1]}+00:00"))


@_SHELF.server()
async def times_are_whole_seconds(server: Server, ask: Ask) -> Reply:
    """Times are written to the second."""
    return await _objects_told(server, ask, lambda one: _each(one, "At", lambda time: f"{time[:19]}Z"))


@_SHELF.server()
async def more_headers(server: Server, ask: Ask) -> Reply:
    """Answers have headers that no document knows, and a cookie."""
    reply = await server.forward(ask)
    more = ((b"x-request-id", b"1"), (b"set-cookie", b"session=1"), (b"server", b"edge"))
    return replace(reply, headers=(*reply.headers, *more))


@_SHELF.server()
async def charset_is_named(server: Server, ask: Ask) -> Reply:
    """The media type is Application/JSON; charset=utf-8."""
    return replace(await server.forward(ask), headers=((b"Content-Type", b"Application/JSON; charset=utf-8"),))


@_SHELF.server()
async def json_is_indented(server: Server, ask: Ask) -> Reply:
    """The JSON of answers has white space around it."""
    reply = await server.forward(ask)
    return replace(reply, body=b"\n " + reply.body + b"\n")


@_SHELF.server()
async def errors_say_more(server: Server, ask: Ask) -> Reply:
    """Errors have fields beside the documented ones."""
    reply = await server.forward(ask)
    return reply if reply.is_good else reply.saying({**content_of(reply.body), "details": []})


@_SHELF.server()
async def errors_say_less(server: Server, ask: Ask) -> Reply:
    """Errors have no correlationId and no link."""
    reply = await server.forward(ask)
    kept = ("errorType", "errorMessage")
    return reply if reply.is_good else reply.saying({n: v for n, v in content_of(reply.body).items() if n in kept})


@_SHELF.server()
async def metadata_is_always_there(server: Server, ask: Ask) -> Reply:
    """A checkout without metadata has an empty map of it."""
    return edited(
        await server.forward(ask), lambda one: one if "metadata" in one else {**one, "metadata": dict[str, str]()}
    )


@_SHELF.server()
async def refunded_when_it_is_done(server: Server, ask: Ask) -> Reply:
    """A refund changes the status of its checkout when it is COMPLETED, and not when it is started."""

    def edit(checkout: dict[str, Any]) -> dict[str, Any]:
        back = sum(Decimal(one["amount"]) for one in checkout.get("refunds", ()) if one["status"] == "COMPLETED")
        if "refunds" not in checkout or back == Decimal(checkout["amount"]):
            return checkout
        return {**checkout, "status": "PARTIALLY_REFUNDED" if back else "COMPLETED"}

    statuses = query_of(ask).get("status")
    if ask.act != "list" or statuses is None:
        return edited(await server.forward(ask), edit)
    reply = await server.forward(asking(ask, without(ask, "pageToken")))
    if not reply.is_good:
        return reply
    # The filter looks at the status as it is told, so the pages are this server's own.
    whole = asking(ask, without(ask, "status"))
    listed = [checkout for checkout in map(edit, await server.everything(whole)) if checkout["status"] in statuses]
    return paged(listed, ask)


@_SHELF.server()
async def failed_refunds_stay_counted(server: Server, ask: Ask) -> Reply:
    """A refund that failed stays in refundedAmount."""

    def edit(checkout: dict[str, Any]) -> dict[str, Any]:
        total = sum((Decimal(one["amount"]) for one in checkout.get("refunds", ())), Decimal(0))
        return {**checkout, "refundedAmount": f"{total:.2f}"} if "refunds" in checkout else checkout

    return edited(await server.forward(ask), edit)


@_SHELF.server()
async def unknown_fields_are_refused(server: Server, ask: Ask) -> Reply:
    """A create with a field that no document knows is refused."""
    return (
        error(400, "invalid_request") if ask.act == "create" and "colour" in body_of(ask) else await server.forward(ask)
    )


@_SHELF.server()
async def any_media_type_is_read(server: Server, ask: Ask) -> Reply:
    """JSON is read under every media type."""
    return await server.forward(ask.with_header(b"content-type", b"application/json") if ask.body else ask)


@_SHELF.server()
async def media_type_is_refused_with_415(server: Server, ask: Ask) -> Reply:
    """JSON under another media type is refused with 415."""
    media_type = dict(ask.headers).get(b"content-type", b"application/json")
    if ask.act == "create" and not media_type.startswith(b"application/json"):
        return error(415, "unsupported_media_type")
    return await server.forward(ask)


@_SHELF.server()
async def fiat_is_refused(server: Server, ask: Ask) -> Reply:
    """USDC is the only currency."""
    fiat = body_of(ask).get("currency") in ("USD", "EUR", "SGD", "GBP")
    return error(400, "invalid_request") if ask.act == "create" and fiat else await server.forward(ask)


@_SHELF.server()
async def metadata_is_not_limited(server: Server, ask: Ask) -> Reply:
    """Metadata of any size is taken."""
    metadata: Any = body_of(ask).get("metadata")
    if ask.act != "create" or not isinstance(metadata, dict):
        return await server.forward(ask)
    sent: dict[str, Any] = metadata
    kept = {key: value[:100] if isinstance(value, str) else "" for key, value in list(sent.items())[:20]}
    reply = await server.forward(ask.saying({**body_of(ask), "metadata": kept}))
    return told(reply, lambda content: {**content, "metadata": sent}) if kept == sent else reply


@_SHELF.server()
async def keys_are_shared_by_operations(server: Server, ask: Ask) -> Reply:
    """A key that made a checkout cannot refund another."""
    reply = await server.forward(ask)
    if ask.key is not None and reply.is_good and server.seen.setdefault(ask.key, ask.act) != ask.act:
        return error(409, "idempotency_error")
    return reply


@_SHELF.server()
async def refusals_are_kept(server: Server, ask: Ask) -> Reply:
    """A refusal is kept under its key, like any other first answer."""
    if ask.key is None or ask.act not in {"create", "refund"}:
        return await server.forward(ask)
    same = (ask.path, ask.key, ask.body)
    if same in server.seen:
        kept: Reply = server.seen[same]
        return kept
    reply = await server.forward(ask)
    if reply.status == 400:
        server.seen[same] = reply
    return reply


@_SHELF.server()
async def no_expiry_is_shown(server: Server, ask: Ask) -> Reply:
    """A checkout that was created without expiresAt shows none."""
    reply = await server.forward(ask)
    if ask.act == "create" and reply.is_good and "expiresAt" not in body_of(ask):
        server.seen[content_of(reply.body)["id"]] = True
    return edited(reply, lambda one: less(one, "expiresAt") if one["id"] in server.seen else one)


@_SHELF.server()
async def optional_fields_are_left_out(server: Server, ask: Ask) -> Reply:
    """A checkout lacks tokenAddress, which an answer may lack."""
    return edited(await server.forward(ask), lambda one: less(one, "tokenAddress"))


@_SHELF.server()
async def there_is_always_a_token(server: Server, ask: Ask) -> Reply:
    """The last page has a token, and then comes an empty one without."""
    if ask.act != "list":
        return await server.forward(ask)
    if query_of(ask).get("pageToken") == ["empty"]:
        return good({"checkouts": []})
    return told(await server.forward(ask), lambda content: {"nextPageToken": "empty", **content})


@_SHELF.server()
async def pages_are_cut_before_they_are_filtered(server: Server, ask: Ask) -> Reply:
    """A page holds those of the next few that match, perhaps none, and a token as long as there are more."""
    query = query_of(ask)
    # In pages of one it would take hundreds of requests.
    if ask.act != "list" or not {"status", "descriptionQuery"} & query.keys() or query.get("pageSize") == ["1"]:
        return await server.forward(ask)
    if "pageToken" not in query and not (checked := await server.forward(ask)).is_good:
        return checked
    words = query.get("descriptionQuery", [""])[0].casefold()

    def matching(content: dict[str, Any]) -> dict[str, Any]:
        found = [
            one
            for one in content["checkouts"]
            if one["status"] in query.get("status", [one["status"]]) and words in one.get("description", "").casefold()
        ]
        return {**content, "checkouts": found}

    return told(await server.forward(asking(ask, without(ask, "status", "descriptionQuery"))), matching)


@_SHELF.server()
async def foreign_tokens_are_the_first_page(server: Server, ask: Ask) -> Reply:
    """A pageToken that cannot be read begins anew."""
    reply = await server.forward(ask)
    if ask.act == "list" and reply.status == 400 and "pageToken" in query_of(ask):
        return await server.forward(asking(ask, without(ask, "pageToken")))
    return reply


def _each(content: dict[str, Any], ending: str, change: Callable[[str], str]) -> dict[str, Any]:
    return {
        name: change(value) if name.endswith(ending) and isinstance(value, str) else value
        for name, value in content.items()
    }
