"""Input that should have been refused, or should not."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from ..shop import Answer, Checkout, RefusedError, Request, Shop, moment
from .fault import Before, Body, answered, fault, rule


def sent(name: str, says: str, member: str, change: Callable[[Any], Any], operation: str = "create") -> None:
    """A value that is forgiven by making a good one of it; `...` takes the member away."""

    def before(_: Shop, request: Request) -> Request:
        body = request.json
        if request.operation == operation and isinstance(body, dict):
            changed: Body = {**body, member: change(body.get(member, ...))}  # pyright: ignore[reportUnknownMemberType]
            request.body = json.dumps({key: value for key, value in changed.items() if value is not ...}).encode()
        return request

    fault(name, says, before=before)


def if_text(change: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Texts only."""
    return lambda value: change(value) if isinstance(value, str) else value


def if_not_text(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Anything but texts."""
    return lambda value: (
        change(value) if not isinstance(value, str) and value is not ... and value is not None else value
    )


def null_is_absent(value: Any) -> Any:
    """A null for nothing."""
    return ... if value is None else value


def half(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A forgiven amount that leaves something to refund."""

    def changed(value: Any) -> Any:
        made = change(value)
        return "0.50" if made == "1.00" and made != value else made

    return changed


def rounded(text: str) -> str:
    """To cents, if it is a number with more."""
    return f"{Decimal(text):.2f}" if re.fullmatch(r"[0-9]+\.[0-9]{3,}", text) else text


AMOUNTS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "number": (
        "may be a number",
        lambda value: f"{value:.2f}" if isinstance(value, int | float) and not isinstance(value, bool) else value,
    ),
    "newline": ("may end in a newline", if_text(lambda text: text.removesuffix("\n"))),
    "blank": ("may have blanks around it", if_text(lambda text: text.strip(" "))),
    "plus": ("may have a plus", if_text(lambda text: text.removeprefix("+"))),
    "minus": ("may be negative", if_text(lambda text: text.removeprefix("-"))),
    "comma": ("may have a comma", if_text(lambda text: text.replace(",", "."))),
    "exponent": (
        "may have an exponent",
        if_text(lambda text: f"{Decimal(text):.2f}" if re.fullmatch("[0-9.]+[eE][+-]?[0-9]", text) else text),
    ),
    "decimals": ("may have three decimals", if_text(rounded)),
    "open": ("may end in a point", if_text(lambda text: text.removesuffix("."))),
    "bare": ("may begin with a point", if_text(lambda text: "0" + text if text.startswith(".") else text)),
    "digits": (
        "may have digits of other scripts",
        if_text(lambda text: "".join(str(unicodedata.digit(one)) if one.isdecimal() else one for one in text)),
    ),
    "missing": ("is 1.00 if it is missing", lambda value: "1.00" if value is ... else value),
    "null": ("is 1.00 if it is null", lambda value: "1.00" if value is None else value),
    "empty": ("is 1.00 if it is empty", lambda value: "1.00" if value == "" else value),
    "words": (
        "is 1.00 if it is no number at all",
        if_text(lambda text: "1.00" if re.fullmatch("[A-Za-z]+", text) else text),
    ),
}
for name, (says, change) in AMOUNTS.items():
    sent(f"sent-amount-{name}", f"The amount {says}.", "amount", change)
    sent(
        f"sent-refund-amount-{name}",
        f"The amount of a refund {says}.",
        "amount",
        half(change),
        "refund",
    )
fault("amount-zero", "The amount may be zero.", forgives=frozenset({"amount.low"}))
fault("amount-high", "The amount may be higher.", forgives=frozenset({"amount.high"}))
rule(
    "amount-highest-refused",
    "The highest amount is refused.",
    create_faults=lambda shop, asked: iter(
        (
            *Shop.create_faults(shop, asked),
            *([("", "too much")] if str(asked.get("amount")).startswith("100000000") else []),
        )
    ),
)
rule(
    "amount-lowest-refused",
    "The lowest amount is refused.",
    create_faults=lambda shop, asked: iter(
        (*Shop.create_faults(shop, asked), *([("", "too little")] if asked.get("amount") == "0.01" else []))
    ),
)
rule(
    "amount-one-decimal-refused",
    "An amount with one decimal is refused.",
    create_faults=lambda shop, asked: iter(
        (
            *Shop.create_faults(shop, asked),
            *([("", "form")] if re.fullmatch(r"[0-9]+\.[0-9]", str(asked.get("amount"))) else []),
        )
    ),
)
fault("refund-zero", "A refund may be of nothing.", forgives=frozenset({"refund.zero"}))
sent("currency-lower-forgiven", "The currency may be in lower case.", "currency", if_text(str.upper))
sent("currency-trimmed-forgiven", "The currency may have blanks around it.", "currency", if_text(str.strip))
sent(
    "currency-missing",
    "The currency is USDC if it is missing.",
    "currency",
    lambda value: "USDC" if value is ... else value,
)
sent(
    "currency-null", "The currency is USDC if it is null.", "currency", lambda value: "USDC" if value is None else value
)
sent("currency-empty", "The currency is USDC if it is empty.", "currency", lambda value: value or "USDC")
sent(
    "currency-long",
    "A currency of eleven letters is USDC.",
    "currency",
    if_text(lambda text: "USDC" if len(text) > 10 else text),
)
sent(
    "currency-any",
    "Any currency is USDC.",
    "currency",
    if_text(lambda text: text if text in {"USD", "EUR", "SGD", "GBP"} or not 1 <= len(text) <= 10 else "USDC"),
)
sent("currency-number", "A currency that is no text is USDC.", "currency", if_not_text(lambda _: "USDC"))
sent("network-any", "Any network is base.", "network", if_text(lambda _: "base"))
sent("network-upper", "The network may be in capitals.", "network", if_text(str.lower))
sent("network-null", "The network may be null.", "network", null_is_absent)
sent("network-number", "The network may be a number.", "network", if_not_text(lambda _: "base"))
fault("description-501", "The description may be longer.", forgives=frozenset({"description.length"}))
sent("description-cut", "A longer description is cut.", "description", if_text(lambda text: text[:500]))
sent("description-number", "The description may be a number.", "description", if_not_text(str))
sent("description-null", "The description may be null.", "description", null_is_absent)
fault("expires-past", "expiresAt may be over.", forgives=frozenset({"expiresAt.past"}))
sent(
    "expires-day",
    "expiresAt may be a day.",
    "expiresAt",
    if_text(lambda text: text + "T00:00:00Z" if re.fullmatch("[0-9-]{10}", text) else text),
)
sent(
    "expires-zone",
    "expiresAt may have no offset.",
    "expiresAt",
    if_text(lambda text: text + "Z" if re.fullmatch("[0-9-]{10}T[0-9:.]{8,}", text) else text),
)
sent("expires-epoch", "expiresAt may be a number.", "expiresAt", if_not_text(lambda _: "2099-01-01T00:00:00Z"))
sent("expires-null", "expiresAt may be null.", "expiresAt", null_is_absent)
sent("expires-empty", "expiresAt may be empty.", "expiresAt", lambda value: ... if value == "" else value)
sent(
    "expires-any",
    "An expiresAt that is none is not heeded.",
    "expiresAt",
    if_text(lambda text: text if moment(text) else ...),
)
sent("metadata-array", "metadata may be an array.", "metadata", lambda value: {} if isinstance(value, list) else value)
sent("metadata-string", "metadata may be a text.", "metadata", if_text(lambda _: {}))
sent("metadata-null", "metadata may be null.", "metadata", null_is_absent)
sent(
    "metadata-number",
    "metadata may be a number.",
    "metadata",
    lambda value: {} if isinstance(value, int | float) else value,
)
for member in ("successRedirectUrl", "failRedirectUrl"):
    fault(f"{member}-http", f"{member} may be http.", forgives=frozenset({f"{member}.scheme"}))
    fault(f"{member}-2049", f"{member} may be longer.", forgives=frozenset({f"{member}.length"}))
    sent(f"{member}-cut", f"A longer {member} is cut.", member, if_text(lambda text: text[:2048]))
    sent(
        f"{member}-scheme-case",
        f"The scheme of {member} may be in capitals.",
        member,
        if_text(lambda text: re.sub("^HTTPS:", "https:", text, flags=re.IGNORECASE)),
    )
    sent(f"{member}-null", f"{member} may be null.", member, null_is_absent)
    sent(f"{member}-number", f"{member} may be a number.", member, if_not_text(lambda _: "https://example.com/"))
    sent(f"{member}-empty", f"{member} may be empty.", member, lambda value: ... if value == "" else value)
    sent(f"{member}-trimmed", f"{member} may have blanks before it.", member, if_text(str.lstrip))
fault("reason-501", "The reason may be longer.", forgives=frozenset({"reason.length"}))
sent("reason-cut", "A longer reason is cut.", "reason", if_text(lambda text: text[:500]), "refund")
sent("reason-number", "The reason may be a number.", "reason", if_not_text(str), "refund")
sent("reason-null", "The reason may be null.", "reason", null_is_absent, "refund")
sent(
    "refund-currency-any",
    "The currency of a refund may be any.",
    "currency",
    lambda value: value if value in {"USD", "EUR", "SGD", "GBP"} else ...,
    "refund",
)
sent("refund-currency-null", "The currency of a refund may be null.", "currency", null_is_absent, "refund")
sent(
    "refund-currency-lower", "The currency of a refund may be in lower case.", "currency", if_text(str.upper), "refund"
)


def rebodied(change: Callable[[bytes], bytes], *operations: str) -> Before:
    """Another body than was sent."""

    def before(_: Shop, request: Request) -> Request:
        if request.operation in operations:
            request.body = change(request.body)
        return request

    return before


def lenient(body: bytes) -> bytes:
    """The object in an array of one."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return json.dumps(read[0]).encode() if isinstance(read, list) and read and isinstance(read[0], dict) else body


def first_value(body: bytes) -> bytes:
    """What stands before the rest."""
    try:
        return json.dumps(json.JSONDecoder().raw_decode(body.decode())[0]).encode()
    except (ValueError, RecursionError):
        return body


GOOD_CREATE: Final = b'{"amount": "1.00", "currency": "USDC"}'
fault(
    "body-broken",
    "A body that is no JSON is a checkout of 1.00.",
    before=rebodied(lambda body: body if readable(body) else GOOD_CREATE, "create"),
)
fault(
    "body-broken-refund",
    "A body that is no JSON refunds a cent.",
    before=rebodied(lambda body: body if readable(body) else b'{"amount": "0.01"}', "refund"),
)
fault("body-trailing", "What follows the first object is not read.", before=rebodied(first_value, "create"))
fault("body-wrapped", "An array of one object is that object.", before=rebodied(lenient, "create"))
fault("body-empty", "An empty body is a checkout of 1.00.", before=rebodied(lambda body: body or GOOD_CREATE, "create"))
fault(
    "body-empty-refund",
    "An empty body refunds a cent.",
    before=rebodied(lambda body: body or b'{"amount": "0.01"}', "refund"),
)


def readable(body: bytes) -> bool:
    """Whether it is JSON."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def id_as(change: Callable[[str], str]) -> Before:
    """Another id than was asked for."""

    def before(_: Shop, request: Request) -> Request:
        request.id = change(request.id)
        return request

    return before


fault("id-upper-forgiven", "An id may be in capitals.", before=id_as(str.lower))
fault("id-long-forgiven", "An id may be longer.", before=id_as(lambda text: text[:24]))


def bodiless(shop: Shop, request: Request) -> Answer:
    """Nothing may be sent."""
    if request.body:
        raise RefusedError(400, "invalid_request", "a body where none belongs")
    return Shop.deactivate(shop, request)


def literal(shop: Shop, request: Request, known: set[str]) -> Body:
    """The media type to the letter."""
    if request.headers.get("content-type") == "application/json; charset=utf-8":
        raise RefusedError(400, "invalid_request", "this is not application/json")
    return Shop.body(shop, request, known)


def newest(shop: Shop, asked: str) -> Checkout:
    """The newest checkout for an id that none has."""
    known = asked in shop.checkouts or not re.fullmatch("[0-9a-f]{24}", asked)
    return Shop.found(shop, asked if known else next(reversed(shop.checkouts), asked))


rule("id-missing-newest", "An id that is not known is the newest checkout.", found=newest)
answered(
    "missing-200",
    "A checkout that is not there is 200 and an error.",
    lambda answer: replace(answer, status=200),
    "get",
    status=lambda status: status in {400, 404},
)
answered(
    "missing-500",
    "A checkout that is not there is a 500.",
    lambda answer: replace(answer, status=500),
    "get",
    status=lambda status: status in {400, 404},
)
answered(
    "missing-410",
    "A checkout that is not there is a 410.",
    lambda answer: replace(answer, status=410),
    "get",
    "deactivate",
    "refund",
    status=lambda status: status in {400, 404},
)
answered(
    "deactivate-missing-200",
    "A checkout that is not there can be deactivated.",
    lambda answer: replace(answer, status=200),
    "deactivate",
    status=lambda status: status in {400, 404},
)
rule("deactivate-body-refused", "A deactivation with a body is refused.", deactivate=bodiless)
rule("charset-refused", "JSON that names its charset is refused.", body=literal)
