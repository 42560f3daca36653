"""
One pair of schemas, compared in one direction: what changed in it, and which pairs are inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import combinations
from typing import Any, Final, TypeVar

from . import prose
from .document import At
from .findings import Finding, Found, Pair, listed, plain, shown, words
from .patterns import ANY_TEXT, compared
from .schemas import BESIDE, LOWER, UPPER, Limit, Node, Schema, Schemas

# Of two formats the second holds all of the first.
_WIDER: Final = {("int32", "int64"), ("float", "double")}
# The formats that OpenAPI and JSON Schema define; what any other demands, nobody checks.
_FORMATS: Final = frozenset(
    [
        "int32",
        "int64",
        "float",
        "double",
        "byte",
        "binary",
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "idn-email",
        "hostname",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "iri-reference",
        "uri-template",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    ]
)
# Mean something beside another keyword only, and may loosen it.
_RELATIVE: Final = ("minContains", "maxContains")
_MOST_ALIKE: Final = 2_000

# So long a sentence is hardly said of two fields, in characters.
_MANY_WORDS: Final = 20

# How sure a new name is that has nothing in common with the old one but the schema.
_GUESS: Final = 0.01

_Key = TypeVar("_Key", str, tuple[str, str])
_EDGES: Final = {
    "minimum": "exclusiveMinimum",
    "exclusiveMinimum": "minimum",
    "maximum": "exclusiveMaximum",
    "exclusiveMaximum": "maximum",
}


class SchemaComparison:
    """Compares pairs; *schemas* makes the normal forms of both sides."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas: Final = schemas

    def compare(self, pair: Pair) -> Found:
        """What changed in *pair* itself, and what to compare next."""
        found = self._compared(pair)
        if not pair.base or not pair.revision:
            near = pair.near
            found.findings = [
                replace(one, base=one.base or near[0], revision=one.revision or near[1]) for one in found.findings
            ]
        return found

    def _compared(self, pair: Pair) -> Found:
        base, revision = self.schemas.of(pair.base), self.schemas.of(pair.revision)
        found = Found()
        if base.choices or revision.choices:
            if self._choices(pair, base, revision, found):
                _words(pair, base, revision, found)
                return found
        elif pair.written and _becomes_array(base, revision):
            found.findings.append(
                Finding("array-of-it", pair.direction, "takes several values now", base.at, revision.at)
            )
            found.inner.append(("[]", Pair(pair.base, revision.items, pair.direction, pair.name)))
            _words(pair, base, revision, found)
            return found
        _Local(self.schemas, pair, base, revision, found).compare()
        return found

    # Choices ------------------------------------------------------------------------------------------------------

    def _choices(self, pair: Pair, base: Schema, revision: Schema, found: Found) -> bool:
        """Compare what is a choice on one side at least; whether that is all there is to compare."""
        if len(base.choices) > 1 or len(revision.choices) > 1:
            one, other = (
                sorted(
                    (self._refuses_two(s, number), self.look(branch))
                    for number, group in enumerate(s.choices)
                    for branch in group
                )
                for s in (base, revision)
            )
            if one != other:
                what = "the choice between schemas changed"
                found.findings.append(Finding("other-keyword", pair.direction, what, base.at, revision.at))
            return False
        if not base.choices or not revision.choices:
            plain_side, choice = (revision, base) if base.choices else (base, revision)
            if plain_side.never or plain_side.types is None:
                return False
            if choice.properties:
                self._demand(pair, base, revision, found)
                return False
            if all(_is_bare(branch) for branch in choice.choices[0]):
                # Another way to write a list of types.
                return False
        _kinds(pair, base, revision, found)
        for name in {*base.discriminators} ^ {*revision.discriminators}:
            if base.discriminators and revision.discriminators and name in base.discriminators:
                new = ", ".join(revision.discriminators)
                what = f"the kinds are told apart by {new}, no longer by {name}"
                at = (base.discriminators[name], revision.at)
                found.findings.append(Finding("discriminator-changed", pair.direction, what, *at, values=(name, new)))
        if [len(group) for group in base.choices] == [len(group) for group in revision.choices]:
            # Otherwise a value came or went with its branch.
            _mapping(pair, base, revision, found)
        self._exclusive(pair, base, revision, found)
        self._match(pair, base, revision, found)
        return not (base.choices and revision.choices and (base.properties or revision.properties))

    def _exclusive(self, pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
        """Tell of an anyOf that is a oneOf now, or the other way, where a value may fit two branches."""
        if not base.choices or not revision.choices or base.exclusive == revision.exclusive:
            return
        if self._refuses_two(revision, 0):
            kind, what = "choice-exclusive", "only one of the schemas may fit now"
        elif self._refuses_two(base, 0):
            kind, what = "choice-inclusive", "several of the schemas may fit now"
        else:
            return
        found.findings.append(Finding(kind, pair.direction, what, base.at, revision.at))

    def _refuses_two(self, schema: Schema, number: int) -> bool:
        """Whether a choice refuses what fits two of its branches, and something may."""
        if not schema.exclusive[number] or schema.discriminators:
            return False
        branches = combinations(schema.choices[number], 2)
        return not all(_apart(self.schemas, one, other) for one, other in branches)

    def _demand(self, pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
        """Tell of a choice beside fields that only one side has: there, it demands more of the same object."""
        branches = [self.schemas.of(branch) for branch in (base.choices or revision.choices)[0]]
        what = f"one of {len(branches)} more schemas has to fit"
        if base.choices:
            kind, what = "keyword-removed", f"no longer: {what}"
        elif pair.direction.reads or all(branch.required for branch in branches):
            kind = "keyword-added"
        else:
            kind = "other-keyword"
        looks = tuple(sorted(look_of(self.schemas, branch) for branch in branches))
        found.findings.append(Finding(kind, pair.direction, what, base.at, revision.at, values=("choice", looks)))

    def _match(self, pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
        before = base.choices[0] if base.choices else [pair.base]
        after = revision.choices[0] if revision.choices else [pair.revision]
        left, right = list(before), list(after)
        # A text that becomes a choice of texts becomes each of them, unless it is among them.
        each = not (base.choices and revision.choices) and not {"object", "array"}.intersection(
            base.types or (), revision.types or ()
        )
        looks = {id(node): self.look(node) for node in (*before, *after)}
        for one in before:
            if (same := next((other for other in right if looks[id(other)] == looks[id(one)]), None)) is not None:
                left.remove(one)
                right.remove(same)
                found.inner.append(("|", Pair(one, same, pair.direction, pair.name, branch=True)))
        scores = sorted(
            ((self._alike(one, other), i, j) for i, one in enumerate(left) for j, other in enumerate(right)),
            key=lambda scored: (-scored[0], scored[1], scored[2]),
        )
        taken_left: set[int] = set()
        taken_right: set[int] = set()
        for score, i, j in scores:
            if score > 0 and (each or (i not in taken_left and j not in taken_right)):
                taken_left.add(i)
                taken_right.add(j)
                found.inner.append(("|", Pair(left[i], right[j], pair.direction, pair.name, branch=True)))
        # A choice that says the same type again, only with other rules, was told as a change of types already.
        for kind, nodes, taken, sides in (
            ("branch-removed", left, taken_left, 0),
            ("branch-added", right, taken_right, 1),
        ):
            for index, node in enumerate(nodes):
                if index not in taken:
                    place = _first(node)
                    where = (place, revision.at) if sides == 0 else (base.at, place)
                    verb = "is gone" if sides == 0 else "is new"
                    look = looks[id(node)]
                    values = (look, None) if sides == 0 else (None, look)
                    what = f"of what it may be, {self._kind_of(node)} {verb}"
                    found.findings.append(Finding(kind, pair.direction, what, *where, values=values))

    def _kind_of(self, node: Node) -> str:
        schema = self.schemas.of(node)
        name = schema.title or ("" if schema.at is None else schema.at.pointer.rpartition("/")[2])
        if name and not name.isdecimal():
            return name
        fields = f" with {listed(schema.properties)}" if schema.properties else ""
        return f"{_types(schema)}{fields}"

    def _alike(self, one: Node, other: Node) -> float:
        """How much two branches look like the same one; 0 when they cannot be."""
        a, b = self.schemas.of(one), self.schemas.of(other)
        if a.types is not None and b.types is not None and not _overlap(a.types, b.types):
            return 0
        score = 0.1
        names = [s.at.pointer.rpartition("/")[2] if s.at else "" for s in (a, b)]
        if names[0] == names[1] and not names[0].isdecimal():
            score += 1.0
        if a.properties or b.properties:
            fields, more = set(a.properties), set(b.properties)
            score += len(fields & more) / len(fields | more)
            for name in fields & more:
                x, y = self.schemas.of(a.properties[name]).enum, self.schemas.of(b.properties[name]).enum
                if x and y and len(x) == len(y) == 1 and set(x) != set(y):
                    return 0
        return score

    def look(self, node: Node) -> str:
        """A text that is the same for schemas that allow the same but null, as far as a few levels tell."""
        return look_of(self.schemas, replace(self.schemas.of(node), nullable=False))


def _apart(schemas: Schemas, one: Node, other: Node, depth: int = 2) -> bool:
    """Whether it is plain that no value but null fits both, as far as a few levels tell."""
    a, b = schemas.of(one), schemas.of(other)
    if a.never or b.never:
        return True
    if a.types is None or b.types is None:
        return False
    if not _overlap(a.types, b.types) or (a.enum is not None and b.enum is not None and not {*a.enum} & {*b.enum}):
        return True
    if a.types | b.types != frozenset({"object"}):
        return False
    return any(
        (name in a.properties and name in b.properties and depth > 0)
        and _apart(schemas, a.properties[name], b.properties[name], depth - 1)
        for name in {*a.required, *b.required}
    )


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


class _Local:
    """The rules of one pair that is no choice."""

    def __init__(self, schemas: Schemas, pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
        self.schemas = schemas
        self.pair = pair
        self.base = base
        self.revision = revision
        self.found = found

    def compare(self) -> None:
        """Everything, worst things first."""
        base, revision = self.base, self.revision
        fits = _kinds(self.pair, base, revision, self.found)
        _words(self.pair, base, revision, self.found)
        if not fits:
            return
        self._values()
        self._limits()
        self._patterns()
        self._formats()
        self._others()
        self._default()
        if _may_be(base, "object") and _may_be(revision, "object"):
            self._fields()
            self._additional()
        if _may_be(base, "array") and _may_be(revision, "array"):
            # An array of itself has one name, however deep: a pair with another name would be another pair.
            self._inner("[]", base.items, revision.items, f"{self.pair.name.removesuffix('[]')}[]")
            for index in range(max(len(base.prefix), len(revision.prefix))):
                one = base.prefix[index] if index < len(base.prefix) else base.items
                other = revision.prefix[index] if index < len(revision.prefix) else revision.items
                self._inner(f"[{index}]", one, other, f"[{index}]")

    def _tell(self, kind: str, what: str, keyword: str, **more: Any) -> None:
        places = (self.base.where(keyword), self.revision.where(keyword))
        self.found.findings.append(Finding(kind, self.pair.direction, what, *places, **more))

    def _inner(self, step: str, base: Node, revision: Node, name: str) -> None:
        if base or revision:
            near = self.base.at or self.pair.near[0], self.revision.at or self.pair.near[1]
            self.found.inner.append((step, Pair(base, revision, self.pair.direction, name, near=near)))

    def _values(self) -> None:
        before, after = self.base.enum, self.revision.enum
        if before is None and after is not None:
            if self.base.types == frozenset({"boolean"}) and len(after) == 2:
                return
            what = f"only {listed(after.values())} from now on"
            self._tell("enum-set", what, "enum", values=(None, plain(after)))
        elif before is not None and after is None:
            what = f"no longer only {listed(before.values())}"
            self._tell("enum-gone", what, "enum", values=(plain(before), None))
        elif before is not None and after is not None:
            new = {key: value for key, value in after.items() if key not in before}
            gone = {key: value for key, value in before.items() if key not in after}
            if new:
                self._tell("value-added", f"new value {listed(new.values())}", "enum", values=(None, plain(new)))
            if gone:
                self._tell(
                    "value-removed", f"value {listed(gone.values())} is gone", "enum", values=(plain(gone), None)
                )

    def _limits(self) -> None:
        before, after = self.base.limits, self.revision.limits
        for keyword in dict.fromkeys([*before, *after]):
            one, other = before.get(keyword), after.get(keyword)
            if _same_limit(one, other):
                continue
            twin = _EDGES.get(keyword, "")
            if one is None and other is not None and twin in before:
                continue  # told where the other edge is missing
            if other is None and twin in after and one is not None:
                self._edge(keyword, one, twin, after[twin])
                continue
            kind = _limit_kind(keyword, one, other)
            values = (None if one is None else one.value, None if other is None else other.value)
            what = f"{keyword} {_shown_limit(one)} → {_shown_limit(other)}"
            places = (one.at if one else self.base.at, other.at if other else self.revision.at)
            for each in kind:
                finding = Finding(each, self.pair.direction, what, *places, values=(keyword, values))
                self.found.findings.append(finding)

    def _edge(self, keyword: str, one: Limit, twin: str, other: Limit) -> None:
        if one.value == other.value:
            loosened = keyword.startswith("exclusive")
        else:
            loosened = other.value < one.value if "inimum" in keyword else other.value > one.value
        kind = "limit-loosened" if loosened else "limit-tightened"
        what = f"{keyword} {one.value} → {twin} {other.value}"
        values = (keyword, (one.value, other.value))
        self.found.findings.append(Finding(kind, self.pair.direction, what, one.at, other.at, values=values))

    def _patterns(self) -> None:
        gone = sorted(set(self.base.patterns) - set(self.revision.patterns))
        new = sorted(set(self.revision.patterns) - set(self.base.patterns))
        for index in range(max(len(gone), len(new))):
            before = gone[index] if index < len(gone) else ANY_TEXT
            after = new[index] if index < len(new) else ANY_TEXT
            self._pattern(before, after)

    def _pattern(self, before: str, after: str) -> None:
        result = compared(before, after)
        witness: list[str] = []
        if result.lost is not None:
            witness.append(f"{shown(repr(result.lost))} was accepted and is not now")
        if result.gained is not None:
            witness.append(f"{shown(repr(result.gained))} is accepted and was not before")
        if result.gained is not None and result.lost is not None:
            kind = "pattern-changed"
        elif not result.decided:
            kind = (
                "pattern-changed"
                if (result.lost is not None and not self.pair.direction.reads)
                or (result.gained is not None and self.pair.direction.reads)
                else "pattern-undecided"
            )
        elif result.lost is not None:
            kind = "pattern-tightened"
        elif result.gained is not None:
            kind = "pattern-loosened"
        else:
            kind = "pattern-rewritten"
        what = f"pattern {shown(before) or 'none'} → {shown(after) or 'none'}"
        if witness:
            what += f": {', '.join(witness)}"
        places = (self.base.patterns.get(before, self.base.at), self.revision.patterns.get(after, self.revision.at))
        self.found.findings.append(
            Finding(kind, self.pair.direction, what, *places, values=(before, after), witness=tuple(witness))
        )

    def _formats(self) -> None:
        before, after = sorted(self.base.formats), sorted(self.revision.formats)
        if before == after:
            return
        wider = len(before) == len(after) == 1 and (before[0], after[0]) in _WIDER
        narrower = len(before) == len(after) == 1 and (after[0], before[0]) in _WIDER
        if not after or wider:
            kind = "format-widened"
        elif not before or narrower:
            kind = "format-narrowed"
        else:
            kind = "format-changed"
        if not _FORMATS.intersection((*before, *after)):
            kind = {"format-widened": "hint-removed", "format-narrowed": "hint-added"}.get(kind, "hint-changed")
        what = f"format {', '.join(before) or 'none'} → {', '.join(after) or 'none'}"
        places = (
            self.base.formats[before[0]] if before else self.base.at,
            self.revision.formats[after[0]] if after else self.revision.at,
        )
        self.found.findings.append(
            Finding(kind, self.pair.direction, what, *places, values=(tuple(before), tuple(after)))
        )

    def _others(self) -> None:
        for keyword in dict.fromkeys([*self.base.others, *self.revision.others]):
            one, other = self.base.others.get(keyword), self.revision.others.get(keyword)
            if one == other:
                continue
            if one is None and keyword not in _RELATIVE:
                self._tell("keyword-added", f"`{keyword}` is new", keyword, values=(keyword, other))
            elif other is None and keyword not in _RELATIVE:
                self._tell("keyword-removed", f"`{keyword}` is gone", keyword, values=(keyword, one))
            else:
                self._tell("other-keyword", f"`{keyword}` changed", keyword, values=(one, other))
        before, after = sorted(self.base.named), sorted(self.revision.named)
        if before != after:
            what = f"patternProperties {listed(before) or 'none'} → {listed(after) or 'none'}"
            self._tell("other-keyword", what, "patternProperties", values=(tuple(before), tuple(after)))
        for name in before:
            if name in self.revision.named:
                self._inner(f"~{name}", self.base.named[name], self.revision.named[name], f"~{name}")

    def _default(self) -> None:
        one, other = next(iter(self.base.defaults), None), next(iter(self.revision.defaults), None)
        if one == other:
            return
        kind = "default-added" if one is None else "default-removed" if other is None else "default-changed"
        what = f"default {one or 'none'} → {other or 'none'}"
        self._tell(kind, shown(what, 160), "default", values=(one, other))

    # Objects ------------------------------------------------------------------------------------------------------

    def _visible(self, schema: Schema) -> dict[str, Node]:
        """The fields that travel in this direction."""
        hidden = "write_only" if self.pair.direction.reads else "read_only"
        return {name: node for name, node in schema.properties.items() if not getattr(self.schemas.of(node), hidden)}

    def _fields(self) -> None:
        before, after = self._visible(self.base), self._visible(self.revision)
        needed, wanted = self._required(self.base, before), self._required(self.revision, after)
        gone = [name for name in before if name not in after]
        new = [name for name in after if name not in before]
        for old, name in self._renamed(gone, new, before, after):
            gone.remove(old)
            new.remove(name)
            self._rename(old, name, before, after, needed=old in needed, wanted=name in wanted)
        for name in gone:
            self._gone(name, before[name], needed=name in needed)
        for name in new:
            self._new(name, after[name], wanted=name in wanted)
        for name in before:
            if name in after:
                self._inner(name, before[name], after[name], name)
        for name in dict.fromkeys([*needed, *wanted]):
            # What is required and not described is compared as required all the same.
            described = (name in before) == (name in after)
            if described and (name in needed) != (name in wanted):
                kind, what = ("now-required", "is required now")
                if name in needed:
                    kind, what = ("no-longer-required", "is no longer required")
                places = (
                    needed.get(name) or _first(before.get(name, ())) or self.base.at,
                    wanted.get(name) or _first(after.get(name, ())) or self.revision.at,
                )
                finding = Finding(kind, self.pair.direction, what, *places, name=name)
                self.found.findings.append(finding)

    def _required(self, schema: Schema, visible: Mapping[str, Node]) -> dict[str, At]:
        return {name: at for name, at in schema.required.items() if name in visible or name not in schema.properties}

    def _gone(self, name: str, node: Node, *, needed: bool) -> None:
        if self.revision.additional is None:
            kind = "field-refused" if not (needed and self.pair.direction.reads) else "field-removed-required"
        elif self.revision.additional and not self.base.additional:
            # A map takes its place.
            self._inner(name, node, self.revision.additional, name)
            if not needed:
                return
            kind = "no-longer-required"
        else:
            kind = "field-removed-required" if needed else "field-removed"
        what = "is no longer required" if kind == "no-longer-required" else f"is gone{'; it was required' * needed}"
        finding = Finding(kind, self.pair.direction, what, _first(node), self.revision.at, name=name)
        self.found.findings.append(finding)

    def _new(self, name: str, node: Node, *, wanted: bool) -> None:
        if wanted:
            kind = "field-added-required"
        else:
            kind = "field-added-to-closed" if self.base.additional is None else "field-added"
        if wanted and self.base.additional is None and self.pair.direction.reads:
            kind = "field-added-to-closed"
        what = f"is new{', and required' if wanted else ''}"
        finding = Finding(kind, self.pair.direction, what, self.base.at, _first(node), name=name)
        self.found.findings.append(finding)
        if self.base.additional:
            self._inner(name, self.base.additional, node, name)

    def _rename(
        self, old: str, name: str, before: dict[str, Node], after: dict[str, Node], *, needed: bool, wanted: bool
    ) -> None:
        required = needed if self.pair.direction.reads else needed or wanted
        closed = self.revision.additional is None and not self.pair.direction.reads
        kind = "field-renamed-required" if required or closed else "field-renamed-optional"
        places = (_first(before[old]), _first(after[name]))
        what = f"is now called {name}"
        self.found.findings.append(Finding(kind, self.pair.direction, what, *places, name=old, values=(old, name)))
        self._inner(old, before[old], after[name], old)

    def _renamed(
        self, gone: list[str], new: list[str], before: dict[str, Node], after: dict[str, Node]
    ) -> list[tuple[str, str]]:
        if len(gone) * len(new) > _MOST_ALIKE:
            return []
        likely = {
            (old, name): sure
            for old in gone
            for name in new
            if (sure := self._sure(old, name, self.schemas.of(before[old]), self.schemas.of(after[name])))
        }
        return best_pairs(likely)

    def _sure(self, old: str, name: str, one: Schema, other: Schema) -> float:
        if look_of(self.schemas, one) != look_of(self.schemas, other):
            return 0
        return renamed(old, name, one, words(one.description), words(other.description))

    def _additional(self) -> None:
        before, after = self.base.additional, self.revision.additional
        if before is None and after is None:
            return
        if before is None or after is None:
            if before is None and not (self.base.properties or self.base.named):
                kind, what = "others-allowed", "may have fields now"
            elif before is None:
                kind, what = "others-allowed", "other fields than those described are allowed now"
            else:
                kind, what = "others-refused", "other fields than those described are no longer allowed"
            self._tell(kind, what, "additionalProperties")
        else:
            self._inner("*", before, after, "*")


# Rules that hold for choices, too -------------------------------------------------------------------------------------


def _kinds(pair: Pair, base: Schema, revision: Schema, found: Found) -> bool:
    """Compare types and null; whether the rest can be compared at all."""
    places = (base.where("type"), revision.where("type"))

    def tell(kind: str, what: str, values: tuple[object, object]) -> None:
        found.findings.append(Finding(kind, pair.direction, what, *places, values=values))

    if base.never or revision.never:
        if base.never != revision.never:
            kind = "type-narrowed" if revision.never else "type-widened"
            tell(kind, "nothing is allowed now" if revision.never else "something is allowed now", (base.never, None))
        return False
    before, after = base.types, revision.types
    told = (_types(base), _types(revision))
    values = (_listed_types(base), _listed_types(revision))
    fits = True
    if before != after:
        if after is None or (before is not None and _within(before, after)):
            tell("type-widened", f"{told[0]} → {told[1]}", values)
            fits = after is not None
        elif before is None or _within(after, before):
            tell("type-narrowed", f"{told[0]} → {told[1]}", values)
            fits = before is not None
        else:
            tell("type-changed", f"{told[0]} → {told[1]}", values)
            fits = _overlap(before, after)
    if before is not None and after is not None and base.nullable != revision.nullable and not pair.branch:
        # Also told apart from types that changed: null is what readers trip over.
        kind, what = ("null-allowed", "may be null now") if revision.nullable else ("null-refused", "is never null now")
        tell(kind, what, (None, None))
    return fits or before is None or after is None


def _words(pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
    before, after = words(base.description), words(revision.description)

    def tell(kind: str, what: str, keyword: str, values: tuple[object, object] = (None, None)) -> None:
        places = (base.where(keyword), revision.where(keyword))
        found.findings.append(Finding(kind, pair.direction, what, *places, values=values))

    if before != after:
        tell("words", f"description: {prose.change(before, after)}", "description", (before, after))
    if words(base.title) != words(revision.title):
        what = f"title {shown(base.title) if base.title else 'none'} → {shown(revision.title) if revision.title else 'none'}"
        tell("title", what, "title", (words(base.title), words(revision.title)))
    if set(base.examples) != set(revision.examples):
        one = next(iter(set(base.examples) - set(revision.examples)), "none")
        other = next(iter(set(revision.examples) - set(base.examples)), "none")
        what = f"example {shown(one, 60)} → {shown(other, 60)}"
        tell("example", what, "examples", (plain(base.examples), plain(revision.examples)))
    if base.deprecated != revision.deprecated:
        kind, what = (
            ("deprecated", "is deprecated now") if revision.deprecated else ("undeprecated", "is no longer deprecated")
        )
        tell(kind, what, "deprecated")


def _mapping(pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
    """Compare the values by which a discriminator tells the kinds apart, where both sides list them."""
    for name, at in base.discriminators.items():
        before = at.get("mapping")
        after = None if name not in revision.discriminators else revision.discriminators[name].get("mapping")
        if before is None or after is None:
            continue
        gone, new = (
            [key for key in one.value if key not in other.value] for one, other in ((before, after), (after, before))
        )
        if gone or new:
            what = f"{name} {listed(gone) or 'of no kind'} → {listed(new) or 'of no kind'}"
            values = (tuple(sorted(gone)), tuple(sorted(new)))
            found.findings.append(Finding("kind-renamed", pair.direction, what, before, after, values=values))


def renamed(old: str, name: str, schema: Schema, before: str, after: str) -> float:
    """
    How sure it is that *old* is now called *name*, where both look like *schema*: 0 when it is not, up to 2.

    *before* and *after* is what is said of them.
    """
    likeness = alike(old, name)
    same_words = bool(before) and before == after
    if same_words and len(before) >= _MANY_WORDS:
        return 1 + likeness
    # A rich schema says more than a name: few fields are enums with the same values.
    is_rich = bool(schema.enum or schema.properties or schema.patterns)
    if likeness >= (0.5 if is_rich or same_words else 0.75):
        return likeness
    return _GUESS if is_rich or schema.formats or schema.limits else 0


def best_pairs(likely: Mapping[tuple[_Key, _Key], float]) -> list[tuple[_Key, _Key]]:
    """Each old name with at most one new, the surest first; a guess only where nothing else could be meant."""
    pairs: list[tuple[_Key, _Key]] = []

    def free(pair: tuple[_Key, _Key]) -> bool:
        return all(pair[0] != old and pair[1] != new for old, new in pairs)

    for pair, sure in sorted(likely.items(), key=lambda one: (-one[1], one[0])):
        rivals = (one for one in likely if (one[0] == pair[0]) != (one[1] == pair[1]) and free(one))
        if free(pair) and not (sure == _GUESS and any(rivals)):
            pairs.append(pair)
    return pairs


def alike(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; case, `_`, `-` and dots do not count."""
    a, b = ("".join(char for char in name.lower() if char.isalnum()) for name in (one, other))
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    if min(len(a), len(b)) >= 4 and (a in b or b in a):
        return 0.8
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _same_limit(one: Limit | None, other: Limit | None) -> bool:
    return (None if one is None else one.value) == (None if other is None else other.value)


def _limit_kind(keyword: str, one: Limit | None, other: Limit | None) -> tuple[str, ...]:
    if other is None:
        return ("limit-loosened",)
    if one is None:
        return ("limit-tightened",)
    if keyword in LOWER:
        return ("limit-loosened",) if other.value < one.value else ("limit-tightened",)
    if keyword in UPPER:
        return ("limit-loosened",) if other.value > one.value else ("limit-tightened",)
    # multipleOf: every multiple of 4 is one of 2; and 0.05 of 0.01, for which floats will not do.
    before, after = Fraction(str(one.value)), Fraction(str(other.value))
    if after and before % after == 0:
        return ("limit-loosened",)
    if before and after % before == 0:
        return ("limit-tightened",)
    return ("limit-loosened", "limit-tightened")


def _shown_limit(limit: Limit | None) -> str:
    return "none" if limit is None else str(limit.value)


def _first(node: Node) -> At | None:
    return node[0] if node else None


def _may_be(schema: Schema, kind: str) -> bool:
    return schema.types is None or kind in schema.types


def _within(one: frozenset[str], other: frozenset[str]) -> bool:
    return one <= (other | {"integer"} if "number" in other else other)


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    wide = one | {"integer"} if "number" in one else one
    return bool(wide & (other | {"integer"} if "number" in other else other))


def _types(schema: Schema) -> str:
    if schema.types is None:
        return "anything"
    return " or ".join(_listed_types(schema)) or "nothing"


def _listed_types(schema: Schema) -> tuple[str, ...]:
    return ("any",) if schema.types is None else (*sorted(schema.types), *(("null",) if schema.nullable else ()))


def _is_bare(node: Node) -> bool:
    """Whether it names a type, and says nothing else but words."""
    raws = [at.resolved().value for at in node]
    return all(isinstance(raw, dict) and "type" in raw and set(raw) <= BESIDE | {"type"} for raw in raws)


def _becomes_array(base: Schema, revision: Schema) -> bool:
    arrays = frozenset({"array"})
    if revision.types != arrays or base.types is None or base.types & {"array", "object"}:
        return False
    least, most = revision.limits.get("minItems"), revision.limits.get("maxItems")
    return (least is None or least.value <= 1) and (most is None or most.value >= 1)
