r"""
A request held against the description before money can move: every violation at once, each with its place
and its rule.

The schemas are read from the compiled packages' openapi.json, never typed again. Only the keywords that the
description of requests uses are known here; a keyword that it gains is refused when the schema is first
read, not overlooked. A full validator would double what users have to install; the tests hold this one
against it. Patterns mean what ECMA-262 says: `$` is the end and `\d` is 0 to 9.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from .errors import Violation

Schema = Mapping[str, Any]
# Where a value stands: the place of what it is in, and its name there. Written out only for a violation, because
# every answer is checked and nearly all are sound.
Place = tuple["Place", "str | int"] | None
Check = Callable[[Any, Place, list[Violation]], None]
Maker = Callable[[Any, Schema, bool], Check]
Validator = Callable[[Any], list[Violation]]

CURRENCIES: Final = ("USDC", "USD", "EUR", "SGD", "GBP")
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})\Z", re.ASCII | re.IGNORECASE
)
# RFC 3986, its generic syntax. Possessive, so that a long text that fails does so at once.
_URI: Final = re.compile(
    r"""
    [a-z][a-z0-9+.-]*+:                                                       # scheme
    (?: //(?:(?:[\w.~!$&'()*+,;=:-]++|%[0-9a-f]{2})*@)?                       # user
        (?:\[(?P<v6>[0-9a-f:.]++)\]|(?:[\w.~!$&'()*+,;=-]++|%[0-9a-f]{2})*+)  # host
        (?::\d*+)?(?=[/?#]|\Z)                                                # port
      | (?!//) )
    (?:[\w.~!$&'()*+,;=:@/-]++|%[0-9a-f]{2})*+                                # path
    (?:\?(?:[\w.~!$&'()*+,;=:@/?-]++|%[0-9a-f]{2})*+)?                        # query
    (?:\#(?:[\w.~!$&'()*+,;=:@/?-]++|%[0-9a-f]{2})*+)?\Z                      # fragment
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
# Keywords that describe and do not forbid.
_SILENT: Final = frozenset({"description", "examples", "default", "deprecated", "x-source", "x-rule"})
# The operations of the second are looked up only where the first has none of the name.
_PACKAGES: Final = ("coinbase_checkouts_api", "coinbase_webhook_subscriptions_api")


@dataclass(frozen=True, slots=True)
class Request:
    """
    The parts of a request, as the compiled functions make them; parameters by their API names.

    Attributes:
        operation: operationId of the description.
    """

    operation: str
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    header: Mapping[str, Any]
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """An x-rule of the description that one field of a request decides; all others need the service."""

    id: str
    operation: str
    field: str
    holds: Callable[[str, float], bool]
    message: str


def _money_between(low: str, high: str) -> Callable[[str, float], bool]:
    return lambda amount, _: Decimal(low) <= Decimal(amount) <= Decimal(high)


def _known_currency(currency: str, _: float) -> bool:
    return currency in CURRENCIES


def _in_future(moment: str, now_s: float) -> bool:
    return datetime.fromisoformat(moment.upper()).timestamp() > now_s


_ONE_OF: Final = f"must be one of {', '.join(CURRENCIES)}"
# fmt: off
RULES: Final = (
    Rule("create.amount-range", "createCheckout", "amount", _money_between("0.01", "100000000"),
         "must be from 0.01 to 100000000"),
    Rule("create.currency", "createCheckout", "currency", _known_currency, _ONE_OF),
    Rule("create.expires-in-future", "createCheckout", "expiresAt", _in_future, "must be in the future"),
    Rule("refund.amount-positive", "refundCheckout", "amount", _money_between("0.01", "Infinity"),
         "must be more than 0"),
    Rule("refund.currency", "refundCheckout", "currency", _known_currency, _ONE_OF),
)
# fmt: on


def path_violations(request: Request) -> list[Violation]:
    """What is wrong with the path: never to be sent, as it would reach another address than it names."""
    return _parameter_violations(request.operation, "path", request.path)


def violations(request: Request, *, now_s: float) -> list[Violation]:
    """
    Everything else that is wrong: query, headers and body by the schemas, then by the x-rules.

    Args:
        request: What would be sent.
        now_s: Unix seconds, for the rule about the future.
    """
    found = _parameter_violations(request.operation, "query", request.query)
    found += _parameter_violations(request.operation, "header", request.header)
    if request.body is None:
        return found
    broken = _body_check(request.operation)(request.body)
    places = {violation.pointer for violation in broken}
    told = [
        Violation(f"/{rule.field}", rule.id, rule.message)
        for rule in RULES
        # A value that has not even its form is not asked for its sense.
        if rule.operation == request.operation
        and rule.field in request.body
        and f"/{rule.field}" not in places
        and not rule.holds(request.body[rule.field], now_s)
    ]
    return [*found, *broken, *told]


def _parameter_violations(operation: str, where: str, given: Mapping[str, Any]) -> list[Violation]:
    checks = _parameter_checks(operation, where)
    return [told for name, value in given.items() if name in checks for told in checks[name](value)]


# From here on: the descriptions, each read once.


@cache
def _document(package: str) -> dict[str, Any]:
    """The description that *package* was compiled from; each reference in it says so."""

    def at_home(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            node["$ref"] = package + node["$ref"]
        return node

    document: dict[str, Any] = json.loads((files(package) / "openapi.json").read_bytes(), object_hook=at_home)
    return document


def resolve(node: Schema) -> Schema:
    """*node*, or what its `$ref` points at; all references stay within their description, by default the first."""
    while "$ref" in node:
        package, _, path = node["$ref"].partition("#/")
        target: Any = _document(package or _PACKAGES[0])
        for part in path.split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


@cache
def operation(operation_id: str) -> Schema:
    """The operation of this id, with the parameters of its path."""
    for package in _PACKAGES:
        for path in _document(package)["paths"].values():
            for candidate in path.values():
                if isinstance(candidate, dict) and candidate["operationId"] == operation_id:
                    return {**candidate, "parameters": [*path.get("parameters", ()), *candidate.get("parameters", ())]}
    raise LookupError(operation_id)


@cache
def _parameter_checks(operation_id: str, where: str) -> dict[str, Validator]:
    parameters = [resolve(parameter) for parameter in operation(operation_id)["parameters"]]
    return {
        parameter["name"]: compiled(parameter["schema"], place=(None, parameter["name"]))
        for parameter in parameters
        if parameter["in"] == where
    }


@cache
def _body_check(operation_id: str) -> Validator:
    return compiled(operation(operation_id)["requestBody"]["content"]["application/json"]["schema"])


def compiled(schema: Schema, *, closed: bool = False, place: Place = None) -> Validator:
    """
    A schema as a function from a value to everything that is wrong with it.

    Args:
        schema: May be a reference.
        closed: A field that the schema does not name is `undocumented`, here and in all schemas below.
        place: Where the value stands.

    Raises:
        LookupError: The schema has a keyword that this module does not know.
    """
    check = _compiled(schema, closed)

    def validator(value: Any) -> list[Violation]:
        found: list[Violation] = []
        check(value, place, found)
        return found

    return validator


def _compiled(schema: Schema, closed: bool) -> Check:
    schema = resolve(schema)
    if strange := schema.keys() - _MAKERS.keys() - _SILENT - {"type"}:
        raise LookupError(f"{__name__} does not know the keywords {sorted(strange)}")
    kind = schema["type"]
    types = _TYPES[kind]
    checks = [_MAKERS[keyword](schema[keyword], schema, closed) for keyword in schema if keyword in _MAKERS]
    if closed and kind == "object" and "additionalProperties" not in schema:
        checks.append(_nothing_else(schema.get("properties", {})))

    def check(value: Any, place: Place, found: list[Violation]) -> None:
        # To Python True is an int; to JSON it is not.
        if not isinstance(value, types) or isinstance(value, bool) is not (kind == "boolean"):
            found.append(Violation(_pointer(place), "type", f"must be {kind}"))
            return
        for each in checks:
            each(value, place, found)

    return check


def _simple(keyword: str, holds: Callable[[Any, Any], bool], message: str) -> tuple[str, Maker]:
    """A keyword that only looks at the value; *holds* is asked with what the keyword says and the value."""

    def make(expected: Any, _: Schema, __: bool) -> Check:
        told = message.format(", ".join(map(str, expected)) if isinstance(expected, list) else expected)

        def check(value: Any, place: Place, found: list[Violation]) -> None:
            if not holds(expected, value):
                found.append(Violation(_pointer(place), keyword, told))

        return check

    return keyword, make


def _required(names: list[str], _: Schema, __: bool) -> Check:
    def check(value: Any, place: Place, found: list[Violation]) -> None:
        if missing := [name for name in names if name not in value]:
            found += [Violation(_pointer((place, name)), "required", "must be given") for name in missing]

    return check


def _properties(schemas: Mapping[str, Schema], _: Schema, closed: bool) -> Check:
    checks = {name: _compiled(inner, closed) for name, inner in schemas.items()}

    def check(value: Any, place: Place, found: list[Violation]) -> None:
        for name, check_one in checks.items():
            if name in value:
                check_one(value[name], (place, name), found)

    return check


def _anything(_: Any, __: Place, ___: list[Violation]) -> None:
    """Nothing is wrong."""


def _additional(inner: Schema | bool, schema: Schema, closed: bool) -> Check:
    known = schema.get("properties", {}).keys()
    check_one = _anything if isinstance(inner, bool) else _compiled(inner, closed)

    def check(value: Any, place: Place, found: list[Violation]) -> None:
        for name, item in value.items():
            if name not in known:
                check_one(item, (place, name), found)

    return check


def _items(inner: Schema, _: Schema, closed: bool) -> Check:
    check_one = _compiled(inner, closed)

    def check(value: Any, place: Place, found: list[Violation]) -> None:
        for index, item in enumerate(value):
            check_one(item, (place, index), found)

    return check


def _property_names(inner: Schema, _: Schema, closed: bool) -> Check:
    check_one = _compiled({"type": "string", **inner}, closed)

    def check(value: Any, place: Place, found: list[Violation]) -> None:
        for name in value:
            check_one(name, (place, name), found)

    return check


def _nothing_else(properties: Mapping[str, Schema]) -> Check:
    def check(value: Any, place: Place, found: list[Violation]) -> None:
        if strange := value.keys() - properties.keys():
            found += [Violation(_pointer((place, name)), "undocumented", "is not described") for name in strange]

    return check


def _pointer(place: Place) -> str:
    """The JSON pointer of a place."""
    return "" if place is None else f"{_pointer(place[0])}/{escaped(str(place[1]))}"


def escaped(name: str) -> str:
    """*name* as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern, re.ASCII)


def _has_format(name: str, value: str) -> bool:
    try:
        if name == "uri":
            uri = _URI.match(value)
            return uri is not None and (uri["v6"] is None or bool(ipaddress.IPv6Address(uri["v6"])))
        # The expression has the form of RFC 3339, the conversion its calendar.
        return _DATE_TIME.match(value) is not None and bool(datetime.fromisoformat(value.upper()))
    except ValueError:
        return False


_MAKERS: Final[Mapping[str, Maker]] = dict(
    [
        _simple("pattern", lambda pattern, text: _pattern(pattern).search(text) is not None, "must match {}"),
        _simple("minLength", lambda least, text: len(text) >= least, "must have at least {} characters"),
        _simple("maxLength", lambda most, text: len(text) <= most, "must have at most {} characters"),
        _simple("minimum", lambda least, number: number >= least, "must be at least {}"),
        _simple("maximum", lambda most, number: number <= most, "must be at most {}"),
        _simple("enum", lambda values, value: value in values, "must be one of {}"),
        _simple("format", _has_format, "must be a {} as its RFC says"),
        _simple("maxProperties", lambda most, value: len(value) <= most, "must have at most {} entries"),
        _simple("minItems", lambda least, value: len(value) >= least, "must have at least {} entries"),
        ("propertyNames", _property_names),
        ("required", _required),
        ("properties", _properties),
        ("additionalProperties", _additional),
        ("items", _items),
    ]
)
