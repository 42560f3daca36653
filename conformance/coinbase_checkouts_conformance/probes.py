"""
Values just inside and just outside one constraint, made from a valid value of the same field.

Deterministic, and each is checked before it is used: what counts as outside breaks that very keyword (by the
judge's own validators), what counts as inside breaks nothing in the field's schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from .constraints import Constraint
from .description import description, escaped
from .judge import judge

MOST: Final = 14  # values outside; enough for every kind of mistake below
FEW: Final = 4  # values inside, where each may make a checkout
MISSING: Final = object()

_ARABIC_INDIC: Final = {ord("0") + value: chr(0x0660 + value) for value in range(10)}
_FULL_WIDTH: Final = {ord("0") + value: chr(0xFF10 + value) for value in range(10)}
_NO_INTEGERS: Final = ("ten", "1.5", "0x10", "true")
# Keywords with an edge on whose inner side every value is as good as another. A pattern has none, except for amounts.
_EDGED: Final = ("enum", "minLength", "maxLength", "minimum", "maximum", "minProperties", "maxProperties")


def outside(constraint: Constraint, base: Any) -> list[Any]:
    """Values that break *constraint*, made from the valid *base*; MISSING stands for leaving it out."""
    if constraint.keyword == "required":
        return [MISSING]
    broken = (value for value in _candidates(constraint, base) if _breaks(constraint, value))
    return _some(value for value in broken if _can_be_sent(constraint.location, value))


def inside(constraint: Constraint, base: Any) -> list[Any]:
    """Values that keep everything known about the field, *base* first, the rest at the edge of *constraint*."""
    if constraint.location == "path":
        return []  # an id that no checkout has is refused too, so there is nothing to be accepted
    curated = constraint.path[-1:] == ("amount",) or constraint.value == "date-time"
    if constraint.location == "header" or not (curated or constraint.keyword in _EDGED):
        return [base]
    validator = judge().validator(constraint.schema)
    kept = (value for value in _candidates(constraint, base) if validator.is_valid(value))
    fit = (
        value for value in kept if _can_be_sent(constraint.location, value) and _keeps_rules(constraint, value, base)
    )
    return _some([base, *fit], MOST if constraint.keyword == "enum" else FEW)


def _candidates(constraint: Constraint, base: Any) -> Iterator[Any]:
    value = constraint.value
    match constraint.keyword:
        case "type" if constraint.location != "body":
            yield from _NO_INTEGERS
        case "type":
            yield from (None, True, 7, 12.5, [base], {"value": base}, "text", [])
        case "enum" | "const":
            members = value if isinstance(value, list) else [value]
            yield from members
            first = str(members[0])
            yield from (first.swapcase(), f"NOT_{first}", first[:-1], "")
        case "pattern" | "format":
            yield from _mutations(str(base))
        case "minLength":
            yield from (_of_length(base, value + more) for more in (0, -1))
        case "maxLength":
            yield from (_of_length(text, value + more) for text in (base, "é") for more in (0, 1))
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            yield from (value - 1, value, value + 1, -value)
        case "minProperties" | "maxProperties":
            yield from ({f"key{i}": "value" for i in range(value + more)} for more in (0, 1, -1))
        case _:
            pass  # a keyword without values of its own; try_constraint says so


def _mutations(text: str) -> Iterator[str]:
    """What a careless check of *text* lets pass, and some near variants that are right."""
    if text.endswith("Z"):
        # RFC 3339 wants an offset; a space for the T, or no hyphens, some readers take, so they are not tried.
        yield from (f"{text[:-1]}.123Z", f"{text[:-1]}+00:00", text[:-1], text[:10], "tomorrow")
        yield from (
            f"2099-13{text[7:]}",
            f"2099-02-30{text[10:]}",
            f"{text}Z",
            f"-{text}",
            text.translate(_ARABIC_INDIC),
        )
        return
    if "://" in text:
        yield from (text.replace("://", "://not a host "), f"{text} x", "not a URL", text.partition("//")[2])
    whole, dot, _ = text.partition(".")
    yield from (f"{text}\n", text.translate(_ARABIC_INDIC), text.translate(_FULL_WIDTH), text + text[-1], text[:-1])
    yield from (f" {text}", f"-{text}", f"+{text}", text.swapcase(), whole + dot, dot + text, "", f"{text}x")
    yield from (text.replace(".", ","), text.replace("https", "http"), text.replace("-", ""), f"{text}e1", text[1:])
    middle = len(text) // 2
    yield f"{text[:middle]}g{text[middle + 1 :]}"
    yield from (f"{text[:i]}1{text[i + 1 :]}" for i, sign in enumerate(text) if sign.isalnum() and sign != "1")


def _of_length(base: str, length: int) -> str:
    filler = "é" if base == "é" else base[-1] if base[-1].isalnum() else "x"
    return (base + filler * length)[: max(length, 0)]


def _breaks(constraint: Constraint, value: Any) -> bool:
    """Whether *value* breaks the very keyword of *constraint*."""
    if constraint.location == "query" and constraint.keyword == "type":
        return True
    if constraint.keyword == "format" and isinstance(value, str) and value != value.strip():
        return False  # libraries differ about white space around a time or a URL
    faults = judge().faults(constraint.schema, value)
    return any(fault.rule == constraint.pointer and fault.pointer == "" for fault in faults)


def _can_be_sent(location: str, value: Any) -> bool:
    """Whether *value* arrives as it is: a header is stripped and cannot hold line breaks, a path loses its empty steps."""
    if location == "header":
        return bool(value.isascii() and value.isprintable() and value == value.strip() != "")
    if location == "path":
        return value not in ("", ".", "..") and "/" not in value
    # An empty query parameter is often read as an absent one.
    return location != "query" or value != ""


def _keeps_rules(constraint: Constraint, value: Any, base: Any) -> bool:
    """Whether *value* also keeps the rules that JSON Schema cannot say, given that *base* does."""
    if constraint.value == "date-time":
        # Another time may lie in the past, or too far ahead.
        return bool(value[:19] == base[:19])
    match constraint.path[-1:]:
        case ("amount",):
            return Decimal(0) < Decimal(value) <= Decimal(base)
        case ("currency",):
            return bool(value == base)
        case _:
            return True


def _some(values: Iterable[Any], most: int = MOST) -> list[Any]:
    """The first few, each once; 1 and True are two."""
    return list({repr(value): value for value in values}.values())[:most]


def placed(body: dict[str, Any], constraint: Constraint, value: Any) -> Any:
    """*body* with *value* where *constraint* looks; the whole body when it is about that."""
    if not constraint.path:
        return value
    first, *rest = constraint.path
    if rest:
        # `value` stands for any member.
        return {**body, first: {**body.get(first, {}), "note": value}}
    return {key: kept for key, kept in {**body, first: value}.items() if kept is not MISSING}


def at(body: dict[str, Any], constraint: Constraint) -> Any:
    """The valid value in *body* that *constraint* is about, or one made from the description if there is none yet."""
    if not constraint.path:
        return body
    first, *rest = constraint.path
    if first not in body:
        inner = constraint.keyword == "required"
        return example(f"{constraint.schema}/properties/{escaped(first)}" if inner else constraint.schema)
    return next(iter(body[first].values())) if rest else body[first]


def example(pointer: str) -> Any:
    """A value that the schema at *pointer* allows: its example, default or first member, or a plain one of its type."""
    node = description().at(description().resolve(pointer))
    for found in (
        *node.get("examples", ()),
        *node.get("enum", ()),
        *(node[key] for key in ("default", "const") if key in node),
    ):
        return found
    plain: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return plain.get(node.get("type", "string"))
