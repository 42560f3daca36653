"""
The rules by which one pair of schemas is compared that is no choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from . import prose
from .document import At
from .findings import Finding, Found, Pair, listed, plain, shown, words
from .looks import first, listed_types, look_of, overlap, types_in_words, within
from .patterns import ANY_TEXT, compared
from .renaming import best_pairs, renamed
from .schemas import LOWER, UPPER, Limit, Node, Schema, Schemas

# Of two formats the second holds all of the first.
_WIDER: Final = {
    ("int32", "int64"),
    ("float", "double"),
    ("email", "idn-email"),
    ("hostname", "idn-hostname"),
    ("uri", "uri-reference"),
    ("uri", "iri"),
    ("uri", "iri-reference"),
    ("uri-reference", "iri-reference"),
    ("iri", "iri-reference"),
}
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
# So many pairs of names are looked at.
_MOST_ALIKE: Final = 2_000
# The other way to say the same edge.
_EDGES: Final = {
    "minimum": "exclusiveMinimum",
    "exclusiveMinimum": "minimum",
    "maximum": "exclusiveMaximum",
    "exclusiveMaximum": "maximum",
}


class Rules:
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
        fits = compare_types(self.pair, base, revision, self.found)
        compare_words(self.pair, base, revision, self.found)
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
        elif not result.decided and ANY_TEXT in (before, after):
            # No pattern accepts all that any does.
            kind = "pattern-loosened" if after == ANY_TEXT else "pattern-tightened"
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
                    needed.get(name) or first(before.get(name, ())) or self.base.at,
                    wanted.get(name) or first(after.get(name, ())) or self.revision.at,
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
        finding = Finding(kind, self.pair.direction, what, first(node), self.revision.at, name=name)
        self.found.findings.append(finding)

    def _new(self, name: str, node: Node, *, wanted: bool) -> None:
        if wanted:
            kind = "field-added-required"
        else:
            kind = "field-added-to-closed" if self.base.additional is None else "field-added"
        if wanted and self.base.additional is None and self.pair.direction.reads:
            kind = "field-added-to-closed"
        what = f"is new{', and required' if wanted else ''}"
        # What has to be sent is another thing when it has another type.
        values = (None, look_of(self.schemas, self.schemas.of(node))) if wanted else (None, None)
        finding = Finding(kind, self.pair.direction, what, self.base.at, first(node), name=name, values=values)
        self.found.findings.append(finding)
        if self.base.additional:
            self._inner(name, self.base.additional, node, name)

    def _rename(
        self, old: str, name: str, before: dict[str, Node], after: dict[str, Node], *, needed: bool, wanted: bool
    ) -> None:
        required = needed if self.pair.direction.reads else needed or wanted
        closed = self.revision.additional is None and not self.pair.direction.reads
        kind = "field-renamed-required" if required or closed else "field-renamed-optional"
        places = (first(before[old]), first(after[name]))
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


def compare_types(pair: Pair, base: Schema, revision: Schema, found: Found) -> bool:
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
    told = (types_in_words(base), types_in_words(revision))
    values = (listed_types(base), listed_types(revision))
    fits = True
    if before != after:
        if after is None or (before is not None and within(before, after)):
            tell("type-widened", f"{told[0]} → {told[1]}", values)
            fits = after is not None
        elif before is None or within(after, before):
            tell("type-narrowed", f"{told[0]} → {told[1]}", values)
            fits = before is not None
        else:
            tell("type-changed", f"{told[0]} → {told[1]}", values)
            fits = overlap(before, after)
    if before is not None and after is not None and base.nullable != revision.nullable and not pair.branch:
        # Also told apart from types that changed: null is what readers trip over.
        kind, what = ("null-allowed", "may be null now") if revision.nullable else ("null-refused", "is never null now")
        tell(kind, what, (None, None))
    return fits or before is None or after is None


def compare_words(pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
    """Compare what is said of both: description, title, examples, and whether it is deprecated."""
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


def _may_be(schema: Schema, kind: str) -> bool:
    return schema.types is None or kind in schema.types
