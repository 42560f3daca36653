"""
Values just inside and just outside one constraint, made from a valid value of the same field.

Deterministic, and each is checked before it is used: what counts as outside breaks that very keyword (by the
judge's own validators), what counts as inside breaks nothing in the field's schema. The field may lie in objects and
arrays that the suite does not send yet: they are made from the description, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import ceil, floor
from random import Random
from typing import Any, Final

from rstr import Rstr

from .constraints import ANY, Constraint
from .description import Description, escaped
from .ecma import compile_pattern
from .judge import Judge, judge

MOST: Final = 14  # values outside; enough for every kind of mistake below
FEW: Final = 4  # values inside, where each may make a checkout
MISSING: Final = object()

_ARABIC_INDIC: Final = {ord("0") + value: chr(0x0660 + value) for value in range(10)}
_FULL_WIDTH: Final = {ord("0") + value: chr(0xFF10 + value) for value in range(10)}
# Outside a body everything is text; what is none of a type.
_NOT_OF_TYPE: Final = {
    "integer": ("ten", "1.5", "0x10", "true"),
    "number": ("ten", "0x10", "true"),
    "boolean": ("ten", "2"),
}
# Keywords with an edge on whose inner side every value is as good as another. A pattern has none, except for amounts.
_EDGED: Final = (
    *("enum", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minProperties", "maxProperties", "minItems", "maxItems"),
)
_NEAR: Final = (1, 0.5, 0.01)
_TRIES: Final = 20
# A text of each format that others than the two in use may want.
_OF_FORMAT: Final = {
    "date-time": "2099-12-01T00:00:00Z",
    "uri": "https://example.com/path",
    "date": "2099-12-01",
    "time": "10:00:00Z",
    "email": "somebody@example.com",
    "uuid": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def outside(constraint: Constraint, base: Any, *, by: Judge | None = None) -> list[Any]:
    """Values that break *constraint*, made from the valid *base*; MISSING stands for leaving it out."""
    if constraint.keyword == "required":
        return [MISSING]
    verdicts = by or judge()
    broken = (value for value in _candidates(constraint, base, verdicts) if _breaks(constraint, value, verdicts))
    return _some(value for value in broken if _can_be_sent(constraint.location, value))


def inside(constraint: Constraint, base: Any, *, by: Judge | None = None) -> list[Any]:
    """Values that keep everything known about the field, *base* first, the rest at the edge of *constraint*."""
    if constraint.location == "path":
        return []  # an id that no checkout has is refused too, so there is nothing to be accepted
    curated = constraint.path[-1:] == ("amount",) or constraint.value == "date-time"
    if constraint.location == "header" or not (curated or constraint.keyword in _EDGED):
        return [base]
    verdicts = by or judge()
    validator = verdicts.validator(_field(constraint, verdicts.described))
    kept = (value for value in _candidates(constraint, base, verdicts) if validator.is_valid(value))
    fit = (
        value for value in kept if _can_be_sent(constraint.location, value) and _keeps_rules(constraint, value, base)
    )
    return _some([base, *fit], MOST if constraint.keyword == "enum" else FEW)


def _candidates(constraint: Constraint, base: Any, by: Judge) -> Iterator[Any]:
    value = constraint.value
    match constraint.keyword:
        case "type" if constraint.location != "body":
            yield from _NOT_OF_TYPE.get(str(value), ())
        case "type":
            yield from (None, True, 7, 12.5, [base], {"value": base}, "text", [])
        case "enum" | "const":
            yield from _members(value if isinstance(value, list) else [value])
        case "pattern" | "format":
            yield from _mutations(str(base))
        case "minLength":
            yield from (_of_length(base, value + more) for more in (0, -1))
        case "maxLength":
            yield from (_of_length(text, value + more) for text in (base, "é") for more in (0, 1))
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            yield from (value - 1, value, value + 1, -value)
            yield from _numbers({**_merged(by.described, constraint.schema), "type": "number"})
        case "multipleOf":
            yield from (base, *(base + sign * step for step in (value, value / 2, *_NEAR) for sign in (1, -1)))
        case _:
            # A keyword without values of its own has none; try_constraint says so.
            yield from _collections(constraint, base, by)


def _collections(constraint: Constraint, base: Any, by: Judge) -> Iterator[Any]:
    value = constraint.value
    match constraint.keyword:
        case "minProperties" | "maxProperties":
            yield from ({f"key{i}": "value" for i in range(value + more)} for more in (0, 1, -1))
            yield from (_of_size(base, value + more, constraint, by) for more in (0, 1, -1))
        case "minItems" | "maxItems":
            elements = [*base, *_elements(by, constraint.schema, value + 1)]
            yield from (elements[: max(value + more, 0)] for more in (0, 1, -1))
        case "uniqueItems":
            one = base[:1] or _elements(by, constraint.schema, 1)
            yield from ([*base, *one], [*one, *one])
        case _:
            pass


def _members(members: Sequence[Any]) -> Iterator[Any]:
    """The members of an enum, and what is nearly one."""
    yield from members
    first = members[0]
    if isinstance(first, str):
        yield from (first.swapcase(), f"NOT_{first}", first[:-1], "")
    else:
        yield from (str(first), [first], 7, -1, "NOT_ONE", None, not first)


def _of_size(base: Mapping[str, Any], size: int, constraint: Constraint, by: Judge) -> dict[str, Any]:
    """*base* with members left out, the last first, or more of them."""
    part = _part(by.described, constraint.schema, ANY)
    more = {f"key{i}": "value" if part is None else example(part, by=by) for i in range(size - len(base))}
    return {**dict(list(base.items())[: max(size, 0)]), **more}


def _elements(by: Judge, pointer: str, number: int) -> list[Any]:
    """At most *number* elements for the array whose schema is at *pointer*, no two the same if need be."""
    part = _part(by.described, pointer, ANY)
    if part is None:
        return [f"element {i}" for i in range(number)]
    if not _merged(by.described, pointer).get("uniqueItems"):
        return [example(part, by=by)] * number
    return _some(_examples(part, by), number)


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
    filler = base[-1:] if base[-1:].isalnum() else "x"
    return (base + filler * length)[: max(length, 0)]


def _breaks(constraint: Constraint, value: Any, by: Judge) -> bool:
    """Whether *value* breaks the very keyword of *constraint*."""
    if constraint.location != "body" and constraint.keyword == "type":
        return True
    if constraint.keyword == "format" and isinstance(value, str) and value != value.strip():
        return False  # libraries differ about white space around a time or a URL
    faults = by.faults(constraint.schema, value)
    return any(fault.rule == constraint.pointer and fault.pointer == "" for fault in faults)


def _can_be_sent(location: str, value: Any) -> bool:
    """Whether *value* arrives as it is: a header is stripped and cannot hold line breaks, a path loses its empty steps."""
    if location != "body" and not isinstance(value, str):
        return location == "query"
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
    found: dict[str, Any] = {}
    for value in values:
        if len(found) == most:
            break
        found.setdefault(repr(value), value)
    return list(found.values())


def placed(body: dict[str, Any], constraint: Constraint, value: Any, *, by: Judge | None = None) -> Any:
    """*body* with *value* where *constraint* looks; the whole body when it is about that."""
    return _put(_completed(body, constraint, by or judge()), constraint.path, value)


def at(body: dict[str, Any], constraint: Constraint, *, by: Judge | None = None) -> Any:
    """The valid value in *body* that *constraint* is about, or one made from the description if there is none yet."""
    value: Any = _completed(body, constraint, by or judge())
    for step in constraint.path:
        value = value[_key(value, step)]
    return value


def _completed(body: dict[str, Any], constraint: Constraint, by: Judge) -> Any:
    """*body* with everything that *constraint* is about in it."""
    pointer = by.described.body_pointer(constraint.operation)
    return body if pointer is None else _filled(body, constraint.path, pointer, by)


def _filled(node: Any, path: tuple[str, ...], pointer: str, by: Judge) -> Any:
    known = example(pointer, by=by) if node is MISSING else node
    part = _part(by.described, pointer, path[0]) if path else None
    if part is None:
        return known
    key = _key(known, path[0])
    there = known[key] if (key in known if isinstance(known, dict) else known) else MISSING
    return _with(known, key, _filled(there, path[1:], part, by))


def _put(node: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    key = _key(node, path[0])
    return _with(node, key, _put(node[key], path[1:], value))


def _with(node: Any, key: Any, value: Any) -> Any:
    """*node* with *value* at *key*, or without it if that is MISSING."""
    if isinstance(node, list):
        return [value, *node[1:]]
    return {name: kept for name, kept in {**node, key: value}.items() if kept is not MISSING}


def _key(node: Any, step: str) -> Any:
    """Where in *node* a step of a path leads; any element of an array is its first."""
    if isinstance(node, list):
        return 0
    if step != ANY:
        return step
    return "note" if not node or "note" in node else next(iter(node))


def example(pointer: str, *, by: Judge | None = None) -> Any:
    """A value that the schema at *pointer* allows: its example, default or first member, or one made from its keywords."""
    verdicts = by or judge()
    return next(iter(_examples(pointer, verdicts)), None)


def _examples(pointer: str, by: Judge) -> Iterator[Any]:
    """Values that the schema at *pointer* allows."""
    node = _merged(by.described, pointer)
    given = (
        *node.get("examples", ()),
        *node.get("enum", ()),
        *(node[key] for key in ("default", "const") if key in node),
    )
    validator = by.validator(pointer)
    for value in (*given, *_made(node, pointer, by)):
        if validator.is_valid(value):
            yield value


def _made(node: Mapping[str, Any], pointer: str, by: Judge) -> Iterator[Any]:
    """Values that may keep the keywords of *node*, which is all that the schema at *pointer* says."""
    types = node.get("type", "object" if "properties" in node else "string")
    for kind in types if isinstance(types, list) else [types]:
        match kind:
            case "string":
                yield from _texts(node)
            case "integer" | "number":
                yield from _numbers({**node, "type": kind})
            case "boolean":
                yield from (True, False)
            case "array":
                yield _elements(by, pointer, node.get("minItems", 0))
                yield _elements(by, pointer, 1)
            case "object":
                parts = {name: _part(by.described, pointer, name) for name in node.get("required", ())}
                made = {name: example(part, by=by) if part else "text" for name, part in parts.items()}
                extra = _part(by.described, pointer, ANY)
                more = range(node.get("minProperties", 0) - len(made))
                yield {**made, **{f"key{i}": example(extra, by=by) if extra else "value" for i in more}}
            case _:
                yield None


def _texts(node: Mapping[str, Any]) -> Iterator[str]:
    if node.get("format") in _OF_FORMAT:
        yield _OF_FORMAT[node["format"]]
    if "pattern" in node:
        # Deterministic, and by ECMA-262: what the pattern means there.
        draw = Rstr(Random(0))  # noqa: S311 -- no secret
        for _ in range(_TRIES):
            yield draw.xeger(compile_pattern(node["pattern"]).pattern)
    least, most = node.get("minLength", 0), node.get("maxLength", MOST)
    yield from (_of_length("text", max(least, min(4, most))), *(f"text{i}"[-max(most, 1) :] for i in range(_TRIES)))
    yield from (_of_length(chr(ord("a") + i), max(least, 1)) for i in range(_TRIES))


def _numbers(node: Mapping[str, Any]) -> Iterator[int | float]:
    """Numbers at and near the bounds of *node*, multiples first if it wants such."""
    keywords = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    bounds = [node[name] for name in keywords if name in node] or [1]
    if step := node.get("multipleOf"):
        yield from (
            step * (round_(bound / step) + more) for bound in bounds for round_ in (ceil, floor) for more in (0, 1, -1)
        )
    near = _NEAR[:1] if node["type"] == "integer" else _NEAR
    yield from (bound + sign * by for bound in bounds for by in near for sign in (1, -1))
    yield from (*bounds, sum(bounds) / len(bounds))
    yield from range(_TRIES)


def _merged(described: Description, pointer: str) -> dict[str, Any]:
    """All keywords that hold for the schema at *pointer*, its own and those of what it refers to."""
    node: Mapping[str, Any] = described.at(pointer)
    others = [node["$ref"]] if "$ref" in node else []
    others += [f"{pointer}/allOf/{index}" for index in range(len(node.get("allOf", ())))]
    found: dict[str, Any] = {}
    for one in (*(_merged(described, other) for other in others), node):
        required = [*found.get("required", ()), *one.get("required", ())]
        found = {**found, **one, **({"required": required} if required else {})}
    return found


def _part(described: Description, pointer: str, step: str) -> str | None:
    """Where the schema of a member of the schema at *pointer* is, or of any member or element; None if it has none."""
    node: Mapping[str, Any] = described.at(pointer)
    if step in node.get("properties", {}):
        return f"{pointer}/properties/{escaped(step)}"
    if step == ANY:
        for keyword in ("items", "additionalProperties"):
            if isinstance(node.get(keyword), dict):
                return f"{pointer}/{keyword}"
    others = [node["$ref"]] if "$ref" in node else []
    others += [f"{pointer}/{word}/{i}" for word in ("allOf", "anyOf", "oneOf") for i in range(len(node.get(word, ())))]
    return next((part for part in (_part(described, other, step) for other in others) if part), None)


def _field(constraint: Constraint, described: Description) -> str:
    """Where everything is said about the field of *constraint*, of which it is one keyword."""
    pointer = described.body_pointer(constraint.operation) if constraint.location == "body" else None
    for step in constraint.path:
        pointer = _part(described, pointer, step) if pointer else None
    return pointer or constraint.schema
