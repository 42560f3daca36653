"""
What a schema allows: as a text that can be compared, and in words.
"""

from __future__ import annotations

from collections.abc import Callable

from .document import At
from .schemas import Node, Schema, Schemas


def look_of(schemas: Schemas, schema: Schema, depth: int = 2) -> str:
    """What *schema* allows in a text, *depth* levels deep; words, places and references do not count."""
    inner: Callable[[Node], str] = (lambda node: _look_inside(schemas, node, depth - 1)) if depth else (lambda _: "…")
    parts: list[object] = [
        sorted(schema.types) if schema.types is not None else None,
        schema.nullable,
        schema.never,
        sorted(schema.enum) if schema.enum is not None else None,
        sorted((name, repr(limit.value)) for name, limit in schema.limits.items()),
        sorted(schema.patterns),
        sorted(schema.formats),
        sorted((name, inner(node)) for name, node in schema.properties.items()),
        sorted(schema.required),
        "none" if schema.additional is None else inner(schema.additional) if schema.additional else "any",
        inner(schema.items) if schema.items else "",
        sorted(sorted(inner(branch) for branch in group) for group in schema.choices),
        sorted(schema.others.items()),
    ]
    return repr(parts)


def _look_inside(schemas: Schemas, node: Node, depth: int) -> str:
    schema = schemas.of(node)
    key = (id(schema), depth)
    if key not in schemas.looks:
        schemas.looks[key] = look_of(schemas, schema, depth)
    return schemas.looks[key]


def apart(schemas: Schemas, one: Node, other: Node, depth: int = 2) -> bool:
    """Whether it is plain that no value but null fits both, as far as a few levels tell."""
    a, b = schemas.of(one), schemas.of(other)
    if a.never or b.never:
        return True
    if a.types is None or b.types is None:
        return False
    if not overlap(a.types, b.types) or (a.enum is not None and b.enum is not None and not {*a.enum} & {*b.enum}):
        return True
    if a.types | b.types != frozenset({"object"}):
        return False
    return any(
        (name in a.properties and name in b.properties and depth > 0)
        and apart(schemas, a.properties[name], b.properties[name], depth - 1)
        for name in {*a.required, *b.required}
    )


def within(one: frozenset[str], other: frozenset[str]) -> bool:
    return one <= (other | {"integer"} if "number" in other else other)


def overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    wide = one | {"integer"} if "number" in one else one
    return bool(wide & (other | {"integer"} if "number" in other else other))


def types_in_words(schema: Schema) -> str:
    if schema.types is None:
        return "anything"
    return " or ".join(listed_types(schema)) or "nothing"


def listed_types(schema: Schema) -> tuple[str, ...]:
    return ("any",) if schema.types is None else (*sorted(schema.types), *(("null",) if schema.nullable else ()))


def first(node: Node) -> At | None:
    return node[0] if node else None
