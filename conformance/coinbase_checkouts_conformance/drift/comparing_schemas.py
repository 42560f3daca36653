"""
One pair of schemas, compared in one direction: what changed in it, and which pairs are inside.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Final

from .comparing_rules import Rules, compare_types, compare_words
from .document import At
from .findings import Finding, Found, Pair, listed
from .looks import apart, first, look_of, overlap, types_in_words
from .schemas import BESIDE, Node, Schema, Schemas


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
                compare_words(pair, base, revision, found)
                return found
        elif pair.written and _becomes_array(base, revision):
            found.findings.append(
                Finding("array-of-it", pair.direction, "takes several values now", base.at, revision.at)
            )
            found.inner.append(("[]", Pair(pair.base, revision.items, pair.direction, pair.name)))
            compare_words(pair, base, revision, found)
            return found
        Rules(self.schemas, pair, base, revision, found).compare()
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
        if self._fields_moved(base, revision) or self._fields_moved(revision, base):
            base, revision = self.schemas.distributed(pair.base), self.schemas.distributed(pair.revision)
        compare_types(pair, base, revision, found)
        self._exclusive(pair, base, revision, found)
        self._match(pair, base, revision, found)
        self._told_apart(pair, base, revision, found)
        return not (base.choices and revision.choices and (base.properties or revision.properties))

    def _fields_moved(self, one: Schema, other: Schema) -> bool:
        """Whether a field that *one* has beside its choice is one of the branches' in *other*."""
        branches = other.choices[0] if one.choices and other.choices else []
        inside = {name for branch in branches for name in self.schemas.of(branch).properties}
        return not inside.isdisjoint(one.properties.keys() - other.properties.keys())

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
        return not all(apart(self.schemas, one, other) for one, other in branches)

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
                    place = first(node)
                    where = (place, revision.at) if sides == 0 else (base.at, place)
                    verb = "is gone" if sides == 0 else "is new"
                    look = looks[id(node)]
                    values = (look, None) if sides == 0 else (None, look)
                    what = f"of what it may be, {self._kind_of(node)} {verb}"
                    found.findings.append(Finding(kind, pair.direction, what, *where, values=values))

    def _told_apart(self, pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
        """Compare the fields that tell the branches apart, and their values."""
        for name in {*base.discriminators} ^ {*revision.discriminators}:
            if base.discriminators and revision.discriminators and name in base.discriminators:
                new = ", ".join(revision.discriminators)
                what = f"the kinds are told apart by {new}, no longer by {name}"
                at = (base.discriminators[name], revision.at)
                found.findings.append(Finding("discriminator-changed", pair.direction, what, *at, values=(name, new)))
        for name in base.discriminators.keys() & revision.discriminators.keys():
            self._called(name, pair, base, revision, found)

    def _called(self, name: str, pair: Pair, base: Schema, revision: Schema, found: Found) -> None:
        """Compare the values of the field *name*, by which each branch is told from the others."""
        places = base.discriminators[name], revision.discriminators[name]
        branches = [(child.base, child.revision) for step, child in found.inner if step == "|"]
        named = [(_named_by(places[0], one), _named_by(places[1], other)) for one, other in branches]
        # Of two that look the same, either may be the other one.
        all_before, all_after = (set[str]().union(*side) for side in zip(*named, strict=True)) if named else ((), ())
        are_mapped = all(at.get("mapping") is not None for at in places)
        for pair_of_branches, (before, after) in zip(branches, named, strict=True):
            gone, new = sorted(before.difference(all_after)), sorted(after.difference(all_before))
            # What an enum says of the field is compared where that stands.
            is_fixed = any(self._is_fixed(name, branch) for branch in pair_of_branches)
            if before and after and (gone or new) and (are_mapped or not is_fixed):
                kind = "kind-renamed" if gone and new else "value-removed" if gone else "value-added"
                what = f"{name} {listed(gone) or 'none'} → {listed(new) or 'none'}"
                values = (tuple(gone), tuple(new))
                found.findings.append(Finding(kind, pair.direction, what, *places, values=values))

    def _is_fixed(self, name: str, branch: Node) -> bool:
        field = self.schemas.of(branch).properties.get(name)
        return field is not None and self.schemas.of(field).enum is not None

    def _kind_of(self, node: Node) -> str:
        schema = self.schemas.of(node)
        name = schema.title or ("" if schema.at is None else schema.at.pointer.rpartition("/")[2])
        if name and not name.isdecimal():
            return name
        fields = f" with {listed(schema.properties)}" if schema.properties else ""
        return f"{types_in_words(schema)}{fields}"

    def _alike(self, one: Node, other: Node) -> float:
        """How much two branches look like the same one; 0 when they cannot be."""
        a, b = self.schemas.of(one), self.schemas.of(other)
        if a.types is not None and b.types is not None and not overlap(a.types, b.types):
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


def _named_by(at: At, branch: Node) -> set[str]:
    """The values by which the mapping of a discriminator calls a branch, or else the name of its component."""
    raw = branch[0].value
    ref = raw.get("$ref") if isinstance(raw, dict) else None
    if not isinstance(ref, str):
        return set()
    name = ref.rpartition("/")[2]
    mapping = at.get("mapping")
    named = {
        key for key, one in (() if mapping is None else mapping.names()) if str(one.value).rpartition("/")[2] == name
    }
    return named or {name}


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
