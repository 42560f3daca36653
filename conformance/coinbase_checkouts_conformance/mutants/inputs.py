"""
Wrong about what may be sent.

For every constraint of the description a server that forgives what breaks it and nothing else, one that forgives only
the first value beyond it, and one that refuses the last value it allows; the rules that a schema cannot say by hand.
"""

from __future__ import annotations

import html
import json
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from coinbase_checkouts_conformance.constraints import Constraint, constraints
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.judge import judge
from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, error
from coinbase_checkouts_conformance.probes import example

from .catalogue import REQUEST_PROSE, STRICT, VALIDATION, Mutant, Server, Shelf
from .edits import asking, body_of, query_of, without

_PROSE: Final = Shelf(REQUEST_PROSE)

_VALID: Final = {
    "createCheckout": {"amount": "1.00", "currency": "USDC"},
    "refundCheckout": {"amount": "0.01"},
}
# Another constraint on the same value refuses all that these do, so a server that forgives them is right.
_IMPLIED: Final = frozenset({"X-Idempotency-Key-minLength", "X-Idempotency-Key-maxLength", "network-type"})
# By the rule create.currency no currency of these lengths is taken.
_NEVER_TAKEN: Final = frozenset({"currency-minLength", "currency-maxLength"})
_BOUNDS: Final = ("minLength", "maxLength", "minimum", "maximum")


def mutants() -> list[Mutant]:
    """All of this module."""
    return [*_by_constraint(), *_PROSE.mutants]


def _by_constraint() -> Iterator[Mutant]:
    by = description()
    for operation in by.operations.values():
        for one in {c.claim: c for c in constraints(by, operation)}.values():
            if one.is_open or one.name in _IMPLIED:
                continue
            yield _forgiving(one)
            if one.keyword in _BOUNDS:
                yield _forgiving(one, by_one=True)
                if one.location != "header" and one.name not in _NEVER_TAKEN:
                    yield _refusing(one, one.value)
            if one.keyword == "enum":
                yield from (_refusing(one, member) for member in one.value)


def _forgiving(constraint: Constraint, *, by_one: bool = False) -> Mutant:
    async def answer(server: Server, ask: Ask) -> Reply:
        if ask.act == constraint.operation.verb and _breaks_only(constraint, ask, by_one=by_one):
            ask = _mended(server, constraint, ask)
        reply = await server.forward(ask)
        if ask.act == "create" and reply.is_good:
            server.seen["id"] = content_of(reply.body)["id"]
        return reply

    sentence = f"Whatever breaks {constraint.pointer.removeprefix('#')} is taken."
    if by_one:
        sentence = f"One more, or less, than {constraint.pointer.removeprefix('#')} allows is taken."
    return Mutant(_name("forgives", constraint, "by-one" * by_one), sentence, VALIDATION, (constraint.claim,), answer)


def _refusing(constraint: Constraint, value: Any) -> Mutant:
    async def answer(server: Server, ask: Ask) -> Reply:
        if ask.act == constraint.operation.verb and value in map(_measure(constraint), _values(constraint, ask)):
            return error(400, "invalid_request")
        return await server.forward(ask)

    sentence = f"{value} is refused, which {constraint.pointer.removeprefix('#')} allows."
    return Mutant(_name("refuses", constraint, str(value).lower()), sentence, STRICT, (constraint.claim,), answer)


def _name(what: str, constraint: Constraint, more: str) -> str:
    parts = (what, constraint.claim.replace(".", "-"), more)
    return "-".join(part for part in parts if part).lower().replace("_", "-")


def _measure(constraint: Constraint) -> Callable[[Any], Any]:
    """What a bound or an enumeration looks at."""
    return len if constraint.keyword.endswith("Length") else _itself


def _itself(value: Any) -> Any:
    return value


_ABSENT: Final = object()


def _values(constraint: Constraint, ask: Ask) -> list[Any]:
    """What was sent where the constraint looks; `_ABSENT` where nothing was."""
    [name, *rest] = constraint.path or [""]
    match constraint.location:
        case "path":
            return [ask.checkout_id]
        case "header":
            return [value.decode("latin-1") for key, value in ask.headers if key == name.lower().encode()]
        case "query":
            return [_number(text) if constraint.keyword in _NUMERIC else text for text in query_of(ask).get(name, [])]
        case _:
            pass
    if not ask.body:
        return [_ABSENT]
    try:
        body = json.loads(ask.body)
    except ValueError:
        return []
    if not name:
        return [body]
    if not isinstance(body, dict):
        return []
    if rest:
        inner = body.get(name)
        return list(inner.values()) if isinstance(inner, dict) else []
    return [body.get(name, _ABSENT)]


_NUMERIC: Final = ("minimum", "maximum", "type")


def _number(text: str) -> Any:
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else text


def _breaks_only(constraint: Constraint, ask: Ask, *, by_one: bool) -> bool:
    """Whether something that was sent breaks this constraint, and nothing else about it is wrong."""
    if constraint.keyword == "required":
        return _ABSENT in _values(constraint, ask)
    sent = [value for value in _values(constraint, ask) if value is not _ABSENT]
    rules = {fault.rule for value in sent for fault in judge().faults(constraint.schema, value) if not fault.pointer}
    if rules != {constraint.pointer}:
        return False
    return not by_one or any(
        abs(_measure(constraint)(value) - constraint.value) == 1
        for value in sent
        if not judge().validator(constraint.schema).is_valid(value)
    )


def _mended(server: Server, constraint: Constraint, ask: Ask) -> Ask:
    """*ask* so that the sandbox has nothing against it: without what breaks the constraint, or with another value."""
    [name, *rest] = constraint.path or [""]
    match constraint.location:
        case "path":
            # Some checkout that there is.
            return server.signed(replace(ask, path=ask.path.replace(ask.checkout_id, server.seen.get("id", "0"))))
        case "header":
            return ask.under(str(uuid.uuid4()).encode())
        case "query":
            return asking(ask, without(ask, name))
        case _:
            pass
    valid = _VALID[constraint.operation.id]
    if not name:
        return ask.saying(valid)
    body = body_of(ask)
    if rest or (name not in valid and constraint.keyword != "required"):
        return ask.saying({key: value for key, value in body.items() if key != name})
    return ask.saying({**body, name: valid.get(name, example(constraint.schema))})


# What is accepted against a rule.


@_PROSE.hears("create.smallest-amount", on="create")
def zero_is_an_amount(ask: Ask) -> Ask:
    """An amount of 0 is taken."""
    return _instead(ask, "amount", "0.01", "0", "0.0", "0.00", "00")


@_PROSE.hears("create.smallest-amount", on="create")
def zero_without_decimals_is_an_amount(ask: Ask) -> Ask:
    """An amount of 0 is taken if it is written without decimals."""
    return _instead(ask, "amount", "0.01", "0")


@_PROSE.hears("create.largest-amount", on="create")
def no_amount_is_too_large(ask: Ask) -> Ask:
    """An amount beyond the largest is taken."""
    amount = body_of(ask).get("amount")
    is_large = isinstance(amount, str) and amount.replace(".", "").isdecimal() and Decimal(amount) > 100_000_000
    return ask.saying({**body_of(ask), "amount": "100000000"}) if is_large else ask


@_PROSE.hears("create.largest-amount", on="create")
def a_cent_more_is_not_too_large(ask: Ask) -> Ask:
    """The largest amount and a cent is taken."""
    return _instead(ask, "amount", "100000000", "100000000.01")


@_PROSE.hears("create.unknown-currency", on="create")
def any_currency_is_fine(ask: Ask) -> Ask:
    """A currency that nobody knows is taken."""
    currency = body_of(ask).get("currency")
    known = currency in {"USDC", "USD", "EUR", "SGD", "GBP"} or not isinstance(currency, str) or not currency
    return ask if known else ask.saying({**body_of(ask), "currency": "USDC"})


@_PROSE.hears("create.unknown-currency", on="create")
def stablecoins_are_fine(ask: Ask) -> Ask:
    """Another stablecoin is taken."""
    return _instead(ask, "currency", "USDC", "USDT", "DAI", "EURC", "PYUSD")


@_PROSE.hears("create.unknown-currency", on="create")
def any_large_economy_is_fine(ask: Ask) -> Ask:
    """A checkout in yen is taken."""
    return _instead(ask, "currency", "USDC", "JPY")


@_PROSE.server("create.amount-kept")
async def no_zeros_before(server: Server, ask: Ask) -> Reply:
    """An amount that begins with zeros is refused."""
    amount = str(body_of(ask).get("amount"))
    if ask.act == "create" and len(amount) > 2 and amount.startswith("00"):
        return error(400, "invalid_request")
    return await server.forward(ask)


@_PROSE.server("create.empty-metadata")
async def no_empty_metadata(server: Server, ask: Ask) -> Reply:
    """Metadata that is empty is refused."""
    if ask.act == "create" and body_of(ask).get("metadata") == {}:
        return error(400, "invalid_request")
    return await server.forward(ask)


@_PROSE.hears("create.expires-in-future", on="create")
def the_past_is_a_time_to_expire(ask: Ask) -> Ask:
    """An expiresAt that has passed is taken."""
    body = body_of(ask)
    moment = _moment(body.get("expiresAt"))
    if moment is None or moment > datetime.now(moment.tzinfo):
        return ask
    return ask.saying({**body, "expiresAt": "2099-01-01T00:00:00Z"})


@_PROSE.hears("create.expires-in-future", on="create")
def a_few_minutes_ago_is_a_time_to_expire(ask: Ask) -> Ask:
    """An expiresAt that passed in the last half hour is taken."""
    body = body_of(ask)
    moment = _moment(body.get("expiresAt"))
    if moment is None or not timedelta(0) < datetime.now(moment.tzinfo) - moment < timedelta(minutes=30):
        return ask
    return ask.saying({**body, "expiresAt": "2099-01-01T00:00:00Z"})


@_PROSE.hears("refund.amount-positive", on="refund")
def nothing_can_be_refunded(ask: Ask) -> Ask:
    """A refund of 0 is taken."""
    return _instead(ask, "amount", "0.01", "0", "0.0", "0.00")


@_PROSE.hears("refund.unknown-currency", on="refund")
def refunds_in_any_currency(ask: Ask) -> Ask:
    """A refund in a currency that nobody knows is taken."""
    return _instead(ask, "currency", "USDC", "BTC")


@_PROSE.hears("refund.unknown-currency", on="refund")
def refunds_in_an_empty_currency(ask: Ask) -> Ask:
    """A refund in a currency without a name is taken."""
    return _instead(ask, "currency", "USDC", "")


@_PROSE.hears("errors.create-not-json", on="create")
def json_may_end_early(ask: Ask) -> Ask:
    """A body that was cut short is taken as far as it came."""
    return ask if _is_json(ask.body) or not _is_json(ask.body + b"}") else replace(ask, body=ask.body + b"}")


@_PROSE.hears("errors.create-not-json", on="create")
def json_may_have_a_comma_too_many(ask: Ask) -> Ask:
    """A comma before the closing brace is forgiven."""
    return replace(ask, body=ask.body.replace(b",}", b"}"))


@_PROSE.hears("errors.create-not-json", on="create")
def json_may_be_followed_by_more(ask: Ask) -> Ask:
    """What comes after the first JSON value is not looked at."""
    return replace(ask, body=ask.body.removesuffix(b" {}"))


@_PROSE.hears("errors.create-not-json", on="create")
def forms_are_fine(ask: Ask) -> Ask:
    """A form is taken for JSON."""
    return ask.saying(_VALID["createCheckout"]) if ask.body.startswith(b"amount=") else ask


@_PROSE.hears("errors.refund-not-json", on="refund")
def refund_without_an_end(ask: Ask) -> Ask:
    """The body of a refund that was cut short is taken as far as it came."""
    return ask if _is_json(ask.body) or not _is_json(ask.body + b"}") else replace(ask, body=ask.body + b"}")


@_PROSE.hears("errors.not-utf8", on="create")
def any_encoding_is_fine(ask: Ask) -> Ask:
    """What is not UTF-8 is read somehow."""
    return replace(ask, body=ask.body.decode("utf-8", "replace").encode())


@_PROSE.server("errors.nothing-is-made")
async def refused_and_made(server: Server, ask: Ask) -> Reply:
    """A create that is refused has made a checkout all the same."""
    reply = await server.forward(ask)
    if ask.act == "create" and reply.status == 400 and body_of(ask).get("description"):
        await server.forward(
            ask.under().saying({**_VALID["createCheckout"], "description": body_of(ask)["description"]})
        )
    return reply


# What is accepted, and then not kept.


@_PROSE.hears("create.text-kept", on="create")
def text_is_escaped(ask: Ask) -> Ask:
    """A description is kept as HTML would have it."""
    return _changed(ask, "description", html.escape)


@_PROSE.hears("create.text-kept", on="create")
def text_is_stripped_of_line_breaks(ask: Ask) -> Ask:
    """Line breaks in a description become spaces."""
    return _changed(ask, "description", lambda text: " ".join(text.splitlines()))


@_PROSE.hears("create.text-kept", on="create")
def text_is_ascii(ask: Ask) -> Ask:
    """What is not ASCII in a description becomes question marks."""
    return _changed(ask, "description", lambda text: text.encode("ascii", "replace").decode())


@_PROSE.hears("create.text-kept", on="create")
def text_has_its_accents_apart(ask: Ask) -> Ask:
    """A description is kept in another form of Unicode."""
    return _changed(ask, "description", lambda text: unicodedata.normalize("NFD", text))


@_PROSE.hears("create.text-kept", on="create")
def text_has_three_bytes_at_most(ask: Ask) -> Ask:
    """Characters beyond the basic plane are lost, as in some databases' utf8."""
    return _changed(ask, "description", lambda text: "".join(c for c in text if ord(c) < 0x10000))


@_PROSE.hears("create.full", on="create")
def description_is_cut(ask: Ask) -> Ask:
    """Of a description 20 characters are kept."""
    return _changed(ask, "description", lambda text: text[:20])


@_PROSE.hears("create.full", on="create")
def metadata_is_lost(ask: Ask) -> Ask:
    """Metadata is taken, and forgotten."""
    return ask.saying({key: value for key, value in body_of(ask).items() if key != "metadata"}) if body_of(ask) else ask


@_PROSE.hears("create.metadata-kept", on="create")
def metadata_is_ten_keys(ask: Ask) -> Ask:
    """Of metadata ten keys are kept."""
    return _changed(ask, "metadata", lambda metadata: dict(list(metadata.items())[:10]), dict)


@_PROSE.hears("create.metadata-kept", on="create")
def metadata_is_cut(ask: Ask) -> Ask:
    """Of a value of metadata 64 characters are kept."""
    return _changed(ask, "metadata", lambda m: {k: v[:64] if isinstance(v, str) else v for k, v in m.items()}, dict)


@_PROSE.hears("create.full", on="create")
def metadata_has_small_names(ask: Ask) -> Ask:
    """The names of metadata are kept in lower case."""
    return _changed(ask, "metadata", lambda metadata: {key.lower(): value for key, value in metadata.items()}, dict)


@_PROSE.hears("create.full", on="create")
def redirects_are_swapped(ask: Ask) -> Ask:
    """Who has paid is sent where those go who have not."""
    body = body_of(ask)
    if not {"successRedirectUrl", "failRedirectUrl"} <= body.keys():
        return ask
    other = {"successRedirectUrl": body["failRedirectUrl"], "failRedirectUrl": body["successRedirectUrl"]}
    return ask.saying({**body, **other})


@_PROSE.hears("create.full", on="create")
def redirect_has_a_slash(ask: Ask) -> Ask:
    """A slash is put behind successRedirectUrl."""
    return _changed(ask, "successRedirectUrl", lambda url: f"{url}/")


@_PROSE.hears("create.untouched", on="create")
def redirect_has_no_slash(ask: Ask) -> Ask:
    """The slash at the end of successRedirectUrl is lost."""
    return _changed(ask, "successRedirectUrl", lambda url: url.rstrip("/") if url.count("/") > 3 else url)


@_PROSE.hears("create.untouched", on="create")
def slashes_are_one(ask: Ask) -> Ask:
    """Of two slashes in the path of failRedirectUrl one is lost."""
    return _changed(ask, "failRedirectUrl", lambda url: f"{url[:8]}{url[8:].replace('//', '/')}")


@_PROSE.hears("create.amount-kept", on="create")
def cents_are_cut(ask: Ask) -> Ask:
    """Of an amount the last digit of its cents is lost."""
    return _changed(
        ask,
        "amount",
        lambda amount: str(Decimal(amount).quantize(Decimal("0.1"), ROUND_DOWN)) if "." in amount else amount,
    )


@_PROSE.tells("create.amount-kept")
def amounts_are_floats(checkout: dict[str, Any]) -> dict[str, Any]:
    """An amount goes through a float of 32 bits."""
    rounded = float(f"{float(checkout['amount']):.7g}")
    return {**checkout, "amount": f"{rounded:.2f}"}


@_PROSE.hears("create.expiry-offset", on="create")
def offsets_are_not_read(ask: Ask) -> Ask:
    """An expiresAt with an offset is taken for UTC."""
    return _changed(ask, "expiresAt", lambda time: f"{time[:19]}Z" if time[-6:-5] == "+" else time)


@_PROSE.hears("create.full", on="create")
def expiry_is_whole_hours(ask: Ask) -> Ask:
    """An expiresAt is kept to the hour."""
    return _changed(ask, "expiresAt", lambda time: f"{time[:13]}:00:00{time[19:]}")


@_PROSE.hears("create.full", on="create")
def expiry_is_never_sent(ask: Ask) -> Ask:
    """An expiresAt is not looked at."""
    return (
        ask.saying({key: value for key, value in body_of(ask).items() if key != "expiresAt"}) if body_of(ask) else ask
    )


@_PROSE.hears("create.default-expiry", on="create")
def default_expiry_is_a_week(ask: Ask) -> Ask:
    """Without expiresAt a checkout lives for years."""
    body = body_of(ask)
    return ask.saying({**body, "expiresAt": "2099-01-01T00:00:00Z"}) if body and "expiresAt" not in body else ask


@_PROSE.tells("create.minimal", on=("create",))
def no_network_by_default(checkout: dict[str, Any]) -> dict[str, Any]:
    """A new checkout is on no network but the one that was asked for."""
    return {**checkout, "network": "base-sepolia"}


@_PROSE.tells("create.minimal", on=("create",))
def a_description_by_default(checkout: dict[str, Any]) -> dict[str, Any]:
    """A checkout without a description gets one."""
    return {"description": "Payment", **checkout}


@_PROSE.server("create.every-time-another")
async def the_same_request_is_the_same_checkout(server: Server, ask: Ask) -> Reply:
    """The same body makes one checkout, however often it is sent without a key."""
    if ask.act != "create":
        return await server.forward(ask)
    if ask.key is None and ask.body in server.seen:
        kept: Reply = server.seen[ask.body]
        return kept
    reply = await server.forward(ask)
    if reply.is_good:
        server.seen[ask.body] = reply
    return reply


@_PROSE.tells("create.every-time-another", on=("create",))
def one_url_for_all(checkout: dict[str, Any]) -> dict[str, Any]:
    """All checkouts have one payment page."""
    return {**checkout, "url": checkout["url"].rpartition("/")[0]}


@_PROSE.server("refund.partial")
async def reason_is_lost(server: Server, ask: Ask) -> Reply:
    """The reason of a refund is forgotten."""
    body = {key: value for key, value in body_of(ask).items() if key != "reason"}
    return await server.forward(ask.saying(body) if ask.act == "refund" and body else ask)


@_PROSE.hears("list.default-page-size", on="list")
def default_page_is_larger(ask: Ask) -> Ask:
    """Without pageSize a page holds 25."""
    return ask if "pageSize" in query_of(ask) else asking(ask, {**query_of(ask), "pageSize": ["25"]})


@_PROSE.hears("list.offset", on="list")
def offsets_of_filters_are_not_read(ask: Ask) -> Ask:
    """A startTime with an offset is taken for UTC."""
    start = query_of(ask).get("startTime", [""])[0]
    return asking(ask, {**query_of(ask), "startTime": [f"{start[:19]}Z"]}) if start[-6:-5] == "+" else ask


def _instead(ask: Ask, name: str, taken: str, *refused: str) -> Ask:
    body = body_of(ask)
    return ask.saying({**body, name: taken}) if body.get(name) in refused else ask


def _changed(ask: Ask, name: str, change: Callable[[Any], Any], kind: type = str) -> Ask:
    """*ask* with a field changed if it is one that the sandbox would take."""
    body = body_of(ask)
    if not isinstance(body.get(name), kind):
        return ask
    try:
        return ask.saying({**body, name: change(body[name])})
    except ArithmeticError:
        return ask


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
