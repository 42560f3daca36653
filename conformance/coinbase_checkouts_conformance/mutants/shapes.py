"""Wrong in what an answer looks like, whatever it says: one server for each constraint on answers, and some of HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from coinbase_checkouts_conformance.constraints import ANY, Constraint, of_answer
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.layer import OPERATIONS, Ask, CutError, Reply, content_of, each_object, error
from coinbase_checkouts_conformance.probes import MISSING, outside
from coinbase_checkouts_conformance.wire import BODY_LIMIT_BYTES

from .catalogue import HTTP, SCHEMA, Mutant, Server, Shelf
from .edits import told

# Of a checkout, what is shown once it was paid.
_PAID_ONLY: Final = frozenset({"transactionHash", "settlement", "refundedAmount", "refunds"})
# An answer of each operation, what it does not show, and a claim that sees the rest.
_ANSWERS: Final = (
    ("createCheckout", 201, _PAID_ONLY, "create.full"),
    ("getCheckout", 200, frozenset({"reason"}), "refund.partial-completed"),
    ("refundCheckout", 200, frozenset[str](), "refund.partial"),
    ("listCheckouts", 200, frozenset[str](), "list.pages"),
    ("deactivateCheckout", 404, frozenset[str](), "deactivate.unknown-id"),
)
# Shown for another currency than USDC only.
_FIAT: Final = ("fiatAmount", "fiatCurrency", "exchangeRate")

_HTTP: Final = Shelf(HTTP)


def mutants() -> list[Mutant]:
    """All of this module."""
    return [*_constraints(), *_HTTP.mutants]


def _constraints() -> Iterator[Mutant]:
    """A server for each constraint on an answer; it is broken where it is first shown in the operations above."""
    known: set[str] = set()
    by = description()
    for operation_id, status, hidden, claim in _ANSWERS:
        operation = by.operations[operation_id]
        for one in of_answer(by, operation, status):
            if {one.pointer, one.claim} & known or not one.path or hidden & {*one.path} or _NEVER_SHOWN & {*one.path}:
                continue
            known |= {one.pointer, one.claim}
            is_fiat = one.path[-1] in _FIAT
            is_refund = "refunds" in one.path
            yield _breaking(
                one, "refund.fiat" if is_fiat and is_refund else "create.fiat-currency" if is_fiat else claim
            )


# No claim can make a server show it.
_NEVER_SHOWN: Final = frozenset({"x402_url"})


def _breaking(constraint: Constraint, claim: str) -> Mutant:
    act = constraint.operation.verb

    async def answer(server: Server, ask: Ask) -> Reply:
        reply = await server.forward(ask)
        if ask.act != act:
            return reply
        return reply.saying(_broken(content_of(reply.body), constraint, constraint.path))

    name = f"{act}-answer-{constraint.name}".lower().replace(".", "-").replace("_", "-")
    sentence = f"An answer to {act} breaks {constraint.pointer.removeprefix('#')}."
    return Mutant(name, sentence, SCHEMA, (claim,), answer)


def _broken(node: Any, constraint: Constraint, path: tuple[str, ...]) -> Any:
    """*node* with what is at *path*, if it is there, replaced by a value that breaks the constraint."""
    if not path:
        worse = outside(constraint, node)
        return worse[0] if worse else node
    step, rest = path[0], path[1:]
    if step == ANY and isinstance(node, list):
        return [_broken(one, constraint, rest) for one in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _broken(value, constraint, rest) if step in (key, ANY) else value for key, value in node.items()}
    return {key: value for key, value in changed.items() if value is not MISSING}


@_HTTP.server("create.full")
async def media_type_is_html(server: Server, ask: Ask) -> Reply:
    """Answers say text/html, and are JSON."""
    return replace(await server.forward(ask), headers=((b"content-type", b"text/html"),))


@_HTTP.server("get.as-created")
async def media_type_is_missing(server: Server, ask: Ask) -> Reply:
    """Answers to get do not say what they are."""
    reply = await server.forward(ask)
    return replace(reply, headers=()) if ask.act == "get" else reply


@_HTTP.server("errors.nothing-is-made")
async def errors_are_html(server: Server, ask: Ask) -> Reply:
    """Refusals come as a page for people."""
    reply = await server.forward(ask)
    if reply.is_good:
        return reply
    return Reply(reply.status, b"<html><h1>Bad Request</h1></html>", ((b"content-type", b"text/html"),))


@_HTTP.server("create.full")
async def create_is_202(server: Server, ask: Ask) -> Reply:
    """Create answers 202."""
    return _with_status(await server.forward(ask), 202) if ask.act == "create" else await server.forward(ask)


@_HTTP.server("get.as-created")
async def get_is_203(server: Server, ask: Ask) -> Reply:
    """Get answers 203."""
    return _with_status(await server.forward(ask), 203) if ask.act == "get" else await server.forward(ask)


@_HTTP.server("list.pages")
async def list_is_206(server: Server, ask: Ask) -> Reply:
    """A listing answers 206, as its pages are partial content."""
    return _with_status(await server.forward(ask), 206) if ask.act == "list" else await server.forward(ask)


@_HTTP.server("refund.partial")
async def refund_is_201(server: Server, ask: Ask) -> Reply:
    """Refund answers 201."""
    return _with_status(await server.forward(ask), 201) if ask.act == "refund" else await server.forward(ask)


@_HTTP.server("deactivate.result")
async def deactivate_is_204(server: Server, ask: Ask) -> Reply:
    """Deactivate answers 204, and nothing more."""
    reply = await server.forward(ask)
    return Reply(204, b"", ()) if ask.act == "deactivate" and reply.is_good else reply


@_HTTP.server("get.unknown-id")
async def missing_is_200(server: Server, ask: Ask) -> Reply:
    """A checkout that is not there is answered 200, with an error inside."""
    reply = await server.forward(ask)
    return _with_status(reply, 200) if reply.status == 404 else reply


@_HTTP.server("refund.unknown-id")
async def missing_is_410(server: Server, ask: Ask) -> Reply:
    """A checkout that is not there is answered 410."""
    reply = await server.forward(ask)
    return _with_status(reply, 410) if reply.status == 404 else reply


@_HTTP.server("list.pages")
async def list_is_elsewhere(server: Server, ask: Ask) -> Reply:
    """Listings redirect to a path with a slash at the end."""
    if ask.act != "list":
        return await server.forward(ask)
    return Reply(307, b"", ((b"location", f"{ask.path}/".encode()),))


@_HTTP.server("create.amount-pattern")
async def bad_request_is_500(server: Server, ask: Ask) -> Reply:
    """A request that breaks the description is answered 500."""
    reply = await server.forward(ask)
    return error(500, "internal_server_error") if reply.status == 400 else reply


@_HTTP.server("errors.create-not-json", "errors.refund-not-json")
async def bad_json_is_500(server: Server, ask: Ask) -> Reply:
    """A body that is not JSON is answered 500."""
    if ask.body and ask.act in OPERATIONS:
        try:
            json.loads(ask.body)
        except ValueError:
            return error(500, "internal_server_error")
    return await server.forward(ask)


@_HTTP.server("errors.odd-text")
async def nul_is_500(server: Server, ask: Ask) -> Reply:
    """A NUL in a text, which some databases cannot keep, is answered 500."""
    return error(500, "internal_server_error") if rb"\u0000" in ask.body else await server.forward(ask)


@_HTTP.server("errors.odd-text")
async def half_a_surrogate_is_500(server: Server, ask: Ask) -> Reply:
    """Half of a surrogate pair, which UTF-8 cannot write, is answered 500."""
    return error(500, "internal_server_error") if rb"\ud800" in ask.body else await server.forward(ask)


@_HTTP.server("errors.deep-nesting")
async def deep_nesting_is_500(server: Server, ask: Ask) -> Reply:
    """Arrays nested by the thousand are answered 500."""
    return error(500, "internal_server_error") if ask.body.startswith(b"[[[[") else await server.forward(ask)


@_HTTP.server("list.foreign-token")
async def foreign_token_is_500(server: Server, ask: Ask) -> Reply:
    """A pageToken that cannot be read is answered 500."""
    reply = await server.forward(ask)
    is_foreign = ask.act == "list" and reply.status == 400 and b"pageToken" in ask.query
    return error(500, "internal_server_error") if is_foreign else reply


@_HTTP.server("get.as-created")
async def json_is_cut_short(server: Server, ask: Ask) -> Reply:
    """The JSON of an answer to get lacks its end."""
    reply = await server.forward(ask)
    return replace(reply, body=reply.body[:-2]) if ask.act == "get" else reply


@_HTTP.server("list.pages")
async def json_has_more_after_it(server: Server, ask: Ask) -> Reply:
    """After the JSON of a listing comes something else."""
    reply = await server.forward(ask)
    return replace(reply, body=reply.body + b"\n<!-- 3 ms -->") if ask.act == "list" else reply


@_HTTP.server("get.as-created")
async def json_says_it_twice(server: Server, ask: Ask) -> Reply:
    """The status of a checkout stands twice in the JSON of an answer to get, and is another the first time."""
    reply = await server.forward(ask)
    twice = reply.body.replace(b'"status":', b'"status":"COMPLETED","status":', 1)
    return replace(reply, body=twice) if ask.act == "get" else reply


@_HTTP.server("create.text-kept")
async def json_is_latin_1(server: Server, ask: Ask) -> Reply:
    """Answers are in Latin-1."""
    reply = await server.forward(ask)
    text = json.dumps(content_of(reply.body), ensure_ascii=False)
    return replace(reply, body=text.encode("latin-1", "replace")) if reply.is_good else reply


@_HTTP.server("create.full")
async def json_has_a_byte_order_mark(server: Server, ask: Ask) -> Reply:
    """The JSON begins with a byte order mark."""
    reply = await server.forward(ask)
    return replace(reply, body=b"\xef\xbb\xbf" + reply.body) if ask.act == "create" else reply


@_HTTP.server("refund.partial")
async def amounts_are_not_a_number(server: Server, ask: Ask) -> Reply:
    """A refund's answer has a NaN, which is not JSON."""
    reply = await server.forward(ask)
    return told(reply, lambda content: {**content, "rate": float("nan")}) if ask.act == "refund" else reply


@_HTTP.server("get.as-created")
async def nothing_is_null(server: Server, ask: Ask) -> Reply:
    """A checkout without a transactionHash has one that is null."""
    reply = await server.forward(ask)
    return told(reply, lambda c: {"transactionHash": None, **c}) if ask.act == "get" else reply


@_HTTP.server("refund.partial")
async def unknown_fields_are_null(server: Server, ask: Ask) -> Reply:
    """Every object has an undocumented field that is null."""
    reply = await server.forward(ask)
    return told(reply, lambda c: each_object(c, lambda one: {**one, "memo": None})) if ask.act == "refund" else reply


@_HTTP.server("list.pages")
async def not_gzip(server: Server, ask: Ask) -> Reply:
    """Listings say that they are compressed, and are not."""
    reply = await server.forward(ask)
    if ask.act != "list":
        return reply
    return replace(reply, headers=(*reply.headers, (b"content-encoding", b"gzip")))


@_HTTP.server("list.pages")
async def a_bomb(server: Server, ask: Ask) -> Reply:
    """A listing is small on the wire, and larger than anybody wants when it is unpacked."""
    reply = await server.forward(ask)
    if ask.act != "list":
        return reply
    body = gzip.compress(reply.body + b" " * BODY_LIMIT_BYTES)
    return Reply(reply.status, body, (*reply.headers, (b"content-encoding", b"gzip")))


@_HTTP.server("create.full")
async def cut_after_create(server: Server, ask: Ask) -> Reply:
    """A checkout is made, and the connection cut."""
    reply = await server.forward(ask)
    if ask.act == "create":
        raise CutError
    return reply


@_HTTP.server("deactivate.result")
async def hanging(server: Server, ask: Ask) -> Reply:
    """A deactivation is never answered."""
    if ask.act == "deactivate":
        await asyncio.sleep(3600)
    return await server.forward(ask)


def _with_status(reply: Reply, status: int) -> Reply:
    return replace(reply, status=status) if reply.is_good or status < 500 else reply


@_HTTP.server("get.unknown-id", kind=SCHEMA)
async def error_without_type(server: Server, ask: Ask) -> Reply:
    """An error has no errorType."""
    return _refusal_told(await server.forward(ask), lambda c: {k: v for k, v in c.items() if k != "errorType"})


@_HTTP.server("get.unknown-id", kind=SCHEMA)
async def error_is_nested(server: Server, ask: Ask) -> Reply:
    """An error is inside another object, as other APIs have it."""
    return _refusal_told(await server.forward(ask), lambda c: {"error": c})


@_HTTP.server("get.unknown-id", kind=SCHEMA)
async def error_is_a_text(server: Server, ask: Ask) -> Reply:
    """An error is a text and no object."""
    return _refusal_told(await server.forward(ask), lambda c: c["errorMessage"])


@_HTTP.server("get.unknown-id", "deactivate.unknown-id", "refund.unknown-id")
async def missing_is_called_something_else(server: Server, ask: Ask) -> Reply:
    """A 404 has the errorType of another error."""
    reply = await server.forward(ask)
    return _refusal_told(reply, lambda c: {**c, "errorType": "invalid_request"}) if reply.status == 404 else reply


def _refusal_told(reply: Reply, edit: Callable[[Any], Any]) -> Reply:
    return reply if reply.is_good else reply.saying(edit(content_of(reply.body)))


@_HTTP.server("list.pages", kind=SCHEMA)
async def list_is_an_array(server: Server, ask: Ask) -> Reply:
    """A listing is an array, without an object around it."""
    reply = await server.forward(ask)
    return told(reply, lambda content: content["checkouts"]) if ask.act == "list" else reply


@_HTTP.server("refund.partial", kind=SCHEMA)
async def refund_tells_the_checkout_only(server: Server, ask: Ask) -> Reply:
    """A refund answers the checkout, without the refund beside it."""
    reply = await server.forward(ask)
    return told(reply, lambda content: content["checkout"]) if ask.act == "refund" else reply


@_HTTP.server("create.full", kind=SCHEMA)
async def create_is_wrapped(server: Server, ask: Ask) -> Reply:
    """Create answers the checkout inside another object."""
    reply = await server.forward(ask)
    return told(reply, lambda content: {"checkout": content}) if ask.act == "create" else reply
