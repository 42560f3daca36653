"""
Schemas in one form, whatever OpenAPI 3.0, 3.1, `$ref`s, `allOf` and single choices made of them.

A Node is what is to be kept all at once: the schemas of an `allOf`, a `$ref` and what stands beside it. No part of it
is the empty Node, which allows anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from .document import At

Node = tuple[At, ...]
Values = dict[str, Any]

ANYTHING: Final[Node] = ()
# What bounds a value from below, and from above.
LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Of a choice that choices are written into.
_MOST_BRANCHES: Final = 100
_COUNTS: Final = ("minLength", "minItems", "minProperties")
# Compared as they stand: nobody decides which of two is wider.
_OTHERS: Final = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
)
# What each type alone can keep.
_OF_NUMBERS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_APPLYING: Final[dict[str, tuple[str, ...]]] = {
    "number": _OF_NUMBERS,
    "integer": _OF_NUMBERS,
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems"),
    "object": ("minProperties", "maxProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
}
# 3.0 has a format for what 3.1 says of the content.
_CONTENTS: Final = {"base64": "byte", "application/octet-stream": "binary"}
# What may stand beside a `$ref` without making a schema of its own.
BESIDE: Final = frozenset(
    {"description", "title", "example", "examples", "default", "deprecated", "x-source", "x-rule"}
)
# OpenAPI 3.0 ignores what else stands there; these say no more than a person would, who wrote them for a reason.
_BESIDE_IN_3_0: Final = BESIDE | {"$ref", "nullable", "readOnly", "writeOnly"}
_BESIDE_CHOICES: Final = BESIDE | {"discriminator"}
# Of what stands beside a choice, its words are its own, and what it gathers is gathered already.
_NOT_DISTRIBUTED: Final = _BESIDE_CHOICES | {"$ref", "allOf", "anyOf", "oneOf"}
_PYTHON_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound or other number, and where it stands."""

    value: Any
    at: At


@dataclass(slots=True)
class Schema:
    """
    What a Node allows.

    Args:
        at: Where it stands first of all; None of ANYTHING.
        types: Of JSON, without null; None when all are allowed.
        nullable: Whether null is allowed; of no meaning while types is None.
        enum: The values by their canonical text, without null; None when there is none.
        additional: What a property with another name has to keep; None when there may be none.
        choices: Each anyOf or oneOf of more than one branch.
        exclusive: Of each choice, whether it is a oneOf.
        others: Canonical text of what is compared as it stands.
    """

    at: At | None = None
    never: bool = False
    types: frozenset[str] | None = None
    nullable: bool = True
    enum: Values | None = None
    limits: dict[str, Limit] = field(default_factory=dict)
    patterns: dict[str, At] = field(default_factory=dict)
    formats: dict[str, At] = field(default_factory=dict)
    properties: dict[str, Node] = field(default_factory=dict)
    required: dict[str, At] = field(default_factory=dict)
    additional: Node | None = ANYTHING
    named: dict[str, Node] = field(default_factory=dict)
    items: Node = ANYTHING
    prefix: list[Node] = field(default_factory=list)
    choices: list[list[Node]] = field(default_factory=list)
    exclusive: list[bool] = field(default_factory=list)
    discriminators: dict[str, At] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    defaults: Values = field(default_factory=dict)
    description: str | None = None
    title: str | None = None
    examples: Values = field(default_factory=dict)
    deprecated: bool = False
    read_only: bool = False
    write_only: bool = False
    places: dict[str, At] = field(default_factory=dict)

    def where(self, keyword: str) -> At | None:
        """Where *keyword* stands; the schema itself when it does not."""
        return self.places.get(keyword, self.at)

    @property
    def is_anything(self) -> bool:
        """Whether any value is allowed."""
        return self.types is None and not (
            self.never or self.enum or self.limits or self.patterns or self.choices or self.others
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """One schema of a Node. Args: null_ok: what stands around it allows null."""

    at: At
    null_ok: bool


class Schemas:
    """
    Makes and keeps normal forms.

    Attributes:
        looks: What those that are kept look like, by identity and depth, as far as one was asked for.
    """

    def __init__(self) -> None:
        self.looks: Final[dict[tuple[int, int], str]] = {}
        self._made: dict[tuple[int, tuple[str, ...]], Schema] = {}

    def of(self, node: Node) -> Schema:
        """What *node* allows."""
        key = (id(node[0].document) if node else 0, tuple(at.pointer for at in node))
        if key not in self._made:
            # A choice that holds itself adds nothing to what may be chosen.
            self._made[key] = Schema(at=_place(node))
            self._made[key] = self._schema(node)
        return self._made[key]

    def distributed(self, node: Node) -> Schema:
        """What *node* allows, with all that is said beside its choice said in each branch of it instead."""
        said = ((part.at, part.at.value) for part in _flattened(node)[0] if isinstance(part.at.value, dict))
        stripped = [
            At(at.document, at.pointer, {key: value for key, value in raw.items() if key not in _NOT_DISTRIBUTED})
            for at, raw in said
        ]
        beside = [at for at in stripped if at.value]
        whole = self.of(node)
        choices = [[(*branch, *beside) for branch in group] for group in whole.choices]
        return replace(whole, properties={}, required={}, choices=choices)

    def _schema(self, node: Node) -> Schema:
        made = Schema(at=_place(node))
        parts, groups = _flattened(node)
        declared: list[frozenset[str]] = []
        nulls: list[bool] = []
        for part in parts:
            self._add(made, part, declared, nulls)
        for keyword, group in groups:
            if folded := self._folded(group):
                made.enum = _common(made.enum, folded)
                made.places.setdefault("enum", group[0][0])
            else:
                made.choices.append(group)
                made.exclusive.append(keyword == "oneOf")
        made.types = _intersection(declared)
        if made.types is None:
            made.types = self._inferred(made)
        made.nullable = (
            made.types is None
            or (bool(nulls) and all(nulls))
            or (not nulls and any(self.of(branch).nullable for group in made.choices for branch in group))
        )
        _applying(made)
        _integers(made)
        return made

    def _folded(self, group: Sequence[Node]) -> Values | None:
        """The values of a choice between constants: another way to write an enum."""
        values: Values = {}
        for branch in group:
            schema = self.of(branch)
            if not schema.enum or schema.limits or schema.patterns or schema.properties or schema.choices:
                return None
            values |= schema.enum
        return values

    def _inferred(self, made: Schema) -> frozenset[str] | None:
        """The types of a schema that declares none but says what it holds."""
        if made.enum:
            return frozenset(type_of(value) for value in made.enum.values())
        for group in made.choices:
            of_branches = [self.of(branch).types for branch in group]
            if all(types is not None for types in of_branches):
                found = frozenset[str]().union(*(types for types in of_branches if types is not None))
                return found - {"integer"} if "number" in found else found
        if made.properties or made.required or made.named or made.additional != ANYTHING:
            return frozenset({"object"})
        return frozenset({"array"}) if made.items or made.prefix else None

    def _add(self, made: Schema, part: _Part, declared: list[frozenset[str]], nulls: list[bool]) -> None:
        at = part.at
        raw = at.value
        if raw is False:
            made.never = True
        if not isinstance(raw, dict):
            return
        self._add_kind(made, part, declared, nulls)
        _add_numbers(made, at)
        _add_structure(made, at)
        _add_annotations(made, at)
        if (pattern := at.text("pattern")) is not None:
            made.patterns.setdefault(pattern, _child(at, "pattern"))
        for keyword in ("format", "contentEncoding", "contentMediaType"):
            if (form := at.text(keyword)) is not None:
                made.formats.setdefault(_CONTENTS.get(form, form), _child(at, keyword))
        for keyword in _OTHERS:
            if keyword in raw:
                made.others[keyword] = made.others.get(keyword, "") + canonical(at, raw[keyword])
                made.places.setdefault(keyword, _child(at, keyword))
        discriminator = at.get("discriminator")
        if discriminator is not None and (name := discriminator.text("propertyName")) is not None:
            made.discriminators.setdefault(name, discriminator)

    @staticmethod
    def _add_kind(made: Schema, part: _Part, declared: list[frozenset[str]], nulls: list[bool]) -> None:
        at, raw = part.at, part.at.value
        types = raw.get("type")
        names = {types} if isinstance(types, str) else {one for one in _listed(types) if isinstance(one, str)}
        if names:
            declared.append(frozenset(names - {"null"}))
            made.places.setdefault("type", _child(at, "type"))
        values = [raw["const"]] if "const" in raw else _listed(raw.get("enum")) if "enum" in raw else None
        if values is not None:
            keyword = "const" if "const" in raw else "enum"
            made.places.setdefault("enum", _child(at, keyword))
            made.enum = _common(made.enum, {canon(value): value for value in values if value is not None})
        if part.null_ok or raw.get("nullable") is True:
            nulls.append(True)
            if raw.get("nullable") is True:
                made.places.setdefault("type", _child(at, "nullable"))
        elif names:
            nulls.append("null" in names)
        elif values is not None:
            nulls.append(None in values)


def type_of(value: Any) -> str:
    """Its type in JSON."""
    return next((name for python, name in _PYTHON_TYPES if isinstance(value, python)), "null")


def canon(value: Any) -> str:
    """A text that is the same for equal JSON values: 1 is 1.0 but not true, and the order of keys does not count."""
    return json.dumps(_canonical_number(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _canonical_number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _canonical_number(child) for key, child in value.items()}
    return [_canonical_number(child) for child in value] if isinstance(value, list) else value


def canonical(at: At, value: Any, above: tuple[str, ...] = ()) -> str:
    """Like canon(), of a schema: `$ref`s written out, words and extensions left out, the order of sets not counted."""
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            if ref in above:
                return "…"
            known = at.document.texts
            if ref not in known:
                target = at.document.at(ref, by=at).resolved()
                # As a digest: written out, schemas that use each other twice grow without end.
                known[ref] = sha256(canonical(target, target.value, (*above, ref)).encode(errors="replace")).hexdigest()
            return known[ref]
        words = ("description", "title", "example", "examples", "summary")
        inner = sorted((key, child) for key, child in value.items() if key not in words and not key.startswith("x-"))
        return "{" + ",".join(f"{key}:{canonical(at, child, above)}" for key, child in inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(canonical(at, child, above) for child in value)) + "]"
    return canon(value)


def _place(node: Node) -> At | None:
    """Where a person looks first: the schema that `$ref`s lead to, unless more than words is said beside."""
    if not node:
        return None
    # What is said of a parameter or body comes before its schema.
    at = node[-1]
    if isinstance(at.value, dict) and "$ref" in at.value and not set(at.value) - BESIDE - {"$ref"}:
        return at.resolved()
    return at


def _flattened(node: Node) -> tuple[list[_Part], list[tuple[str, list[Node]]]]:
    """
    All schemas that have to be kept, each once, and the choices among others, by their keyword; the outermost words come
    first.
    """
    parts: list[_Part] = []
    groups: list[tuple[str, list[Node]]] = []
    seen: set[tuple[int, str]] = set()
    waiting: list[_Part] = [_Part(at, null_ok=False) for at in reversed(node)]
    while waiting:
        part = waiting.pop()
        at = _counted(part.at)
        if (id(at.document), at.pointer) in seen:
            continue
        seen.add((id(at.document), at.pointer))
        raw = at.value
        if not isinstance(raw, dict):
            parts.append(part)
            continue
        null_ok = part.null_ok or raw.get("nullable") is True
        parts.append(_Part(at, null_ok))
        inner: list[_Part] = []
        if isinstance(ref := raw.get("$ref"), str):
            inner.append(_Part(at.document.at(ref, by=at), null_ok))
        inner.extend(_Part(one, null_ok) for one in _branches(at, "allOf"))
        for keyword in ("anyOf", "oneOf"):
            branches, beside = _branches_within(at, keyword)
            parts.extend(_Part(one, null_ok=False) for one in beside)
            real = [one for one in branches if not _is_null(one)]
            null_too = null_ok or len(real) < len(branches)
            if len(real) == 1:
                inner.append(_Part(real[0], null_too))
            elif real:
                groups.append((keyword, [(one,) for one in real]))
                if null_too:
                    parts.append(_Part(_child(at, keyword, {}), null_ok=True))
        waiting.extend(reversed(inner))
    return parts, groups


def _counted(at: At) -> At:
    """Without what does not count beside a `$ref`."""
    if at.document.version != (3, 0) or not isinstance(at.value, dict) or not isinstance(at.value.get("$ref"), str):
        return at
    said = {key: value for key, value in at.value.items() if key in _BESIDE_IN_3_0 or key.startswith("x-")}
    return At(at.document, at.pointer, said)


def _branches(at: At, keyword: str) -> list[At]:
    found = at.get(keyword)
    return [] if found is None else list(found.elements())


def _branches_within(at: At, keyword: str) -> tuple[list[At], list[At]]:
    """
    The branches of a choice, and in place of one that is nothing but a choice, the branches of that; and what is said
    beside those that are.
    """
    found: list[At] = []
    beside: list[At] = []
    waiting = list(reversed(_branches(at, keyword)))
    seen: set[str] = set()
    while waiting:
        one = waiting.pop()
        target = one.resolved()
        raw = target.value if isinstance(target.value, dict) else {}
        said = {key: value for key, value in raw.items() if key in _BESIDE_CHOICES}
        inner = [key for key in raw if key not in said]
        if inner not in (["anyOf"], ["oneOf"]) or len(found) + len(waiting) > _MOST_BRANCHES:
            found.append(one)
        elif target.pointer not in seen:
            seen.add(target.pointer)
            waiting.extend(reversed(_branches(target, inner[0])))
            if said:
                beside.append(At(target.document, target.pointer, said))
    return found, beside


def _is_null(at: At) -> bool:
    raw = at.resolved().value
    return isinstance(raw, dict) and (
        raw.get("type") in ("null", ["null"]) or raw.get("enum") == [None] or ("const" in raw and raw["const"] is None)
    )


def _child(at: At, key: str, value: Any = None) -> At:
    found = at.get(key)
    return At(at.document, f"{at.pointer}/{key}", value) if found is None or value is not None else found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _intersection(declared: Iterable[frozenset[str]]) -> frozenset[str] | None:
    types: frozenset[str] | None = None
    for one in declared:
        # A number may be an integer.
        wide = one | {"integer"} if "number" in one else one
        if types is None:
            types = one
        else:
            also = {"integer"} if "integer" in one and "number" in types else set[str]()
            types = (types & wide) | also
            types = types - {"number"} if "number" not in one else types
    return None if types is None else types - {"integer"} if "number" in types else types


def _common(one: Values | None, other: Values) -> Values:
    return other if one is None else {key: value for key, value in one.items() if key in other}


def _number(value: Any) -> bool:
    # Neither infinite nor no number, which YAML can write.
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0


def _add_numbers(made: Schema, at: At) -> None:
    raw: dict[str, Any] = at.value
    for edge in ("minimum", "maximum"):
        exclusive = "exclusiveM" + edge[1:]
        if raw.get(exclusive) is True and _number(raw.get(edge)):
            # OpenAPI 3.0: a boolean beside the bound.
            _tighten(made, exclusive, raw[edge], _child(at, exclusive))
        elif _number(raw.get(edge)):
            _tighten(made, edge, raw[edge], _child(at, edge))
        if _number(raw.get(exclusive)):
            _tighten(made, exclusive, raw[exclusive], _child(at, exclusive))
    for keyword in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf"):
        if _number(raw.get(keyword)) and not (keyword in _COUNTS and raw[keyword] == 0):
            _tighten(made, keyword, raw[keyword], _child(at, keyword))
    if raw.get("uniqueItems") is True:
        made.limits["uniqueItems"] = Limit(value=True, at=_child(at, "uniqueItems"))


def _tighten(made: Schema, keyword: str, value: Any, at: At) -> None:
    had = made.limits.get(keyword)
    if had is None or (value > had.value if keyword in LOWER else value < had.value):
        made.limits[keyword] = Limit(value, at)


def _applying(made: Schema) -> None:
    """Without what says nothing of a value of these types."""
    if made.types is None:
        return
    applying = {keyword for name in made.types for keyword in _APPLYING.get(name, ())}
    others = {keyword for keywords in _APPLYING.values() for keyword in keywords} - applying
    made.limits = {keyword: limit for keyword, limit in made.limits.items() if keyword not in others}
    made.others = {keyword: text for keyword, text in made.others.items() if keyword not in others}
    if "pattern" in others:
        made.patterns = {}


def _integers(made: Schema) -> None:
    """Of integers, more than 0 is at least 1, and each is a multiple of 1; and of two bounds only the tighter counts."""
    if made.types == frozenset({"integer"}) and (whole := made.limits.get("multipleOf")) and whole.value == 1:
        del made.limits["multipleOf"]
    for inclusive, exclusive, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        limit = made.limits.get(exclusive)
        if limit is None:
            continue
        if made.types == frozenset({"integer"}) and limit.value == int(limit.value):
            del made.limits[exclusive]
            _tighten(made, inclusive, int(limit.value) + step, limit.at)
        elif (other := made.limits.get(inclusive)) is not None:
            looser = other.value > limit.value if step > 0 else other.value < limit.value
            del made.limits[exclusive if looser else inclusive]


def _add_structure(made: Schema, at: At) -> None:
    for name, child in _named(at, "properties"):
        made.properties[name] = (*made.properties.get(name, ()), child)
    for name, child in _named(at, "patternProperties"):
        made.named[name] = (*made.named.get(name, ()), child)
    if (required := at.get("required")) is not None:
        for one in required.elements():
            if isinstance(one.value, str):
                made.required.setdefault(one.value, one)
    _add_additional(made, at)
    items = at.get("items")
    if items is not None and (items.value is False or (isinstance(items.value, dict) and items.value)):
        made.items = (*made.items, items)
    made.prefix.extend((one,) for one in _branches(at, "prefixItems"))


def _add_additional(made: Schema, at: At) -> None:
    raw: dict[str, Any] = at.value
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if keyword in raw:
            made.places.setdefault("additionalProperties", _child(at, keyword))
            if raw[keyword] is False:
                made.additional = None
            elif isinstance(raw[keyword], dict) and raw[keyword] and made.additional is not None:
                made.additional = (*made.additional, _child(at, keyword))


def _named(at: At, keyword: str) -> Iterator[tuple[str, At]]:
    found = at.get(keyword)
    if found is not None:
        yield from found.names()


def _add_annotations(made: Schema, at: At) -> None:
    raw: Mapping[str, Any] = at.value
    for keyword in ("description", "title"):
        text = at.text(keyword)
        if text is not None and getattr(made, keyword) is None:
            setattr(made, keyword, text)
            made.places.setdefault(keyword, _child(at, keyword))
    if "default" in raw and not made.defaults:
        made.defaults = {canon(raw["default"]): raw["default"]}
        made.places.setdefault("default", _child(at, "default"))
    found = examples(at)
    if found:
        made.examples |= found
        made.places.setdefault("examples", _child(at, "example" if "example" in raw else "examples"))
    if raw.get("deprecated") is True:
        made.deprecated = True
        made.places.setdefault("deprecated", _child(at, "deprecated"))
    made.read_only |= raw.get("readOnly") is True
    made.write_only |= raw.get("writeOnly") is True


def examples(at: At) -> Values:
    """What `example` and `examples` show, by canonical text: lists of 3.1, and the named ones of media types."""
    raw = at.value
    values: list[Any] = []
    if isinstance(raw, dict):
        if "example" in raw:
            values.append(raw["example"])
        values.extend(_listed(raw.get("examples")))
        for _, named in _named(at, "examples"):
            one = named.resolved().value
            if isinstance(one, dict) and ("value" in one or "externalValue" in one):
                values.append(one.get("value", one.get("externalValue")))
    return {canon(value): value for value in values}
