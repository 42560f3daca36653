"""
Two descriptions, compared.

Schemas are compared pair by pair, each pair once however often it is used; afterwards it is worked out which
operations a pair is reached from, by the shortest way. So a recursive schema ends, and a large description is not
compared once for each path through it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from coinbase_checkouts_conformance.description import escaped

from . import prose
from .comparing_operations import compare_operations, compare_servers, has_servers
from .comparing_schemas import SchemaComparison
from .differences import Difference, Occurrence, differences
from .document import At, Document
from .findings import Finding, Found, Pair, Path, listed, shown, words
from .looks import look_of
from .matching import Matched, matched
from .operations import Operation, events, operations, servers
from .reaching import Reach
from .sameness import Sameness
from .schemas import Node, Schemas
from .spreading import reached
from .verdicts import Direction

Key = tuple[object, ...]
_RULES: Final = ("x-rule", "x-rules")
_Steps = tuple[Any, ...]


@dataclass(frozen=True)
class Root:
    """A pair that an operation begins with, and the steps that lead to it."""

    operation: str
    path: Path
    pair: Pair


@dataclass
class _Walked:
    """A pair, the way to it, what comparing it gave, and the keys of what is inside."""

    pair: Pair
    way: Path
    found: Found
    inner: list[Key] = field(default_factory=list)


def compare(base: Document, revision: Document) -> list[Difference]:
    """All differences, worst first."""
    return _Comparison(base, revision).differences()


class _Comparison:
    def __init__(self, base: Document, revision: Document) -> None:
        self.base = base
        self.revision = revision
        self.schemas = Schemas()
        self.sameness = Sameness(base, revision)
        self.reach = Reach(base), Reach(revision)
        self.occurrences: list[Occurrence] = []
        self.roots: list[Root] = []

    def differences(self) -> list[Difference]:
        schemas = self.schemas
        calls = matched(operations(self.base), operations(self.revision), schemas)
        self._operations(calls)
        self._operations(matched(events(self.base), events(self.revision), schemas))
        if not any((calls.pairs, calls.gone, calls.new)):
            self._components()
        self._about(calls)
        self._rules()
        self._schemas()
        self._unmet_values()
        return differences(self.occurrences, self.base, self.revision)

    def _tell(self, finding: Finding, *path: str, operation: str | None = None) -> None:
        about = frozenset[str]() if operation is None else frozenset({operation})
        self.occurrences.append(Occurrence(finding, about, operation or "", path))

    # Operations ---------------------------------------------------------------------------------------------------

    def _operations(self, found: Matched) -> None:
        root, other = self.base.root, self.revision.root
        for one, two in found.renamed:
            sent = Direction.EVENT if one.is_event else Direction.REQUEST
            kind = "event-renamed" if one.is_event else "path-renamed"
            what = f"{_shown(one, shifted=found.shifted)} is {_shown(two, shifted=found.shifted)} now"
            self._tell(Finding(kind, sent, what, one.at, two.at, values=(one.template, two.template)), operation=one.id)
        for one in found.gone:
            kind, sent = _came_or_went(one, "removed")
            self._tell(
                Finding(kind, sent, f"{_shown(one)} is gone", one.at, other, values=(one.template, None)),
                operation=one.id,
            )
        for two in found.new:
            kind, sent = _came_or_went(two, "added")
            self._tell(
                Finding(kind, sent, f"{_shown(two)} is new", root, two.at, values=(None, two.template)),
                operation=two.id,
            )
        for one, two in found.pairs:
            if not found.shifted and one.path == two.path and self.sameness.of_operations(one, two):
                continue
            parts = compare_operations(one, two, self.schemas)
            for path, finding in parts.findings:
                self._tell(finding, *path, operation=one.id)
            self.roots.extend(Root(one.id, path, pair) for path, pair in parts.pairs)

    def _components(self) -> None:
        """A description without operations is a library of schemas: compared by name, as what is read."""
        one, two = ((side.root.get("components") or side.root).get("schemas") for side in (self.base, self.revision))
        before, after = (dict(side.names()) if side is not None else {} for side in (one, two))
        for name, at in before.items():
            if name in after:
                self.roots.append(Root(name, (), Pair((at,), (after[name],), Direction.RESPONSE)))
            else:
                finding = Finding("field-removed", Direction.RESPONSE, "the schema is gone", at, self.revision.root)
                self._tell(finding, operation=name)
        for name, at in after.items():
            if name not in before:
                finding = Finding("field-added", Direction.RESPONSE, "the schema is new", self.base.root, at)
                self._tell(finding, operation=name)

    # Schemas ------------------------------------------------------------------------------------------------------

    def _schemas(self) -> None:
        walked = self._walked()
        roots = ((pair.key, root.operation) for root in self.roots if (pair := self._named(root.pair)) is not None)
        about = reached(roots, {key: one.inner for key, one in walked.items()})
        for key, one in walked.items():
            for finding in one.found.findings:
                look = repr([self._look(node) for node in (one.pair.base, one.pair.revision)])
                self.occurrences.append(Occurrence(finding, about(key), one.way[0], one.way[1:], look))

    def _unmet_values(self) -> None:
        """
        Values of an enum that everybody who reads it narrows further, as each event does the type of events: nothing
        that is compared has changed, and what may be told apart has.
        """
        told = [one.finding for one in self.occurrences if one.finding.kind.startswith("value-")]
        for name, one, other in self._both("components", "schemas"):
            before, after = self.schemas.of((one,)).enum, self.schemas.of((other,)).enum
            if before is None or after is None or set(before) == set(after):
                continue
            met = [reach.meeting(at.pointer) for reach, at in zip(self.reach, (one, other), strict=True)]
            direction = next((each for each in (Direction.RESPONSE, Direction.EVENT) if each in met[0]), None)
            reading = set[str]() if direction is None else met[0][direction] & met[1].get(direction, set())
            if direction is None or not reading:
                continue
            comparison = SchemaComparison(self.schemas)
            for finding in comparison.compare(Pair((one,), (other,), direction, name)).findings:
                if finding.kind.startswith("value-") and not any(_is_told(finding, by=by) for by in told):
                    about = frozenset(reading)
                    self.occurrences.append(Occurrence(finding, about, min(reading), (name.partition(".")[2],)))

    def _look(self, node: Node) -> object:
        """What tells one thing from another that changed in the same way: an object's fields, or what a value may be."""
        schema = self.schemas.of(node)
        return sorted(schema.properties) if schema.properties else look_of(self.schemas, schema, 0)

    def _walked(self) -> dict[Key, _Walked]:
        """Every pair with the shortest way to it from an operation; of equals the first by name."""
        comparison = SchemaComparison(self.schemas)
        walked: dict[Key, _Walked] = {}
        waiting: dict[int, list[tuple[Path, Pair, Key]]] = defaultdict(list)
        for root in self.roots:
            pair = self._named(root.pair)
            if pair is not None:
                waiting[len(root.path)].append(((root.operation, *root.path), pair, pair.key))
        depth = 0
        while waiting:
            level: dict[Key, tuple[Path, Pair]] = {}
            for path, pair, key in waiting.pop(depth, []):
                if key not in walked and (key not in level or path < level[key][0]):
                    level[key] = (path, pair)
            for key, (path, pair) in level.items():
                walked[key] = one = _Walked(pair, path, comparison.compare(pair))
                for step, child in one.found.inner:
                    named = self._named(child)
                    if named is not None:
                        one.inner.append(named.key)
                        waiting[depth + 1].append(((*path, step), named, one.inner[-1]))
            depth += 1
        return walked

    def _named(self, pair: Pair) -> Pair | None:
        """*pair* by the name that counts, or None when both sides are the same."""
        if self.sameness.of(pair.base, pair.revision):
            return None
        if pair.name and self.schemas.of(pair.base).properties and self.schemas.of(pair.revision).properties:
            return replace(pair, name="")
        return pair

    # The description itself ---------------------------------------------------------------------------------------

    def _about(self, calls: Matched) -> None:
        one, two = self.base.root.get("info") or self.base.root, self.revision.root.get("info") or self.revision.root
        for key in ("title", "summary", "description"):
            self._said(one, two, key, f"info.{key}")
        for name, base, revision in (*self._both("tags"), *self._both("components", "securitySchemes")):
            for key in ("description", "bearerFormat"):
                self._said(base, revision, key, f"{name}.{key}")
            for flow, before in _scopes(base).items():
                after = _scopes(revision).get(flow, before)
                for scope in sorted(set(dict(before.names())) & set(dict(after.names()))):
                    self._said(before, after, scope, f"{name}.{scope}")
        prefixes = {each.prefix for pair in calls.pairs for each in pair}
        before_at, after_at = (
            {_origin(server.url, prefixes if calls.shifted else set()): server for server in servers(side.root)}
            for side in (self.base, self.revision)
        )

        def tell(kind: str, what: str, base: At, revision: At) -> None:
            self._tell(Finding(kind, Direction.REQUEST, what, base, revision, values=(what, None)), "servers")

        for url in set(before_at) & set(after_at):
            self._said(before_at[url].at, after_at[url].at, "description", f"server {url}")
        # Where each operation has its own, nothing is sent to these.
        if not calls.pairs or any(not has_servers(one) and not has_servers(two) for one, two in calls.pairs):
            compare_servers(before_at, after_at, self.base.root, self.revision.root, tell)

    def _said(self, base: At, revision: At, key: str, where: str) -> None:
        """Compare the words that both say under *key*."""
        before, after = words(base.text(key)), words(revision.text(key))
        if before != after:
            what = f"{where}: {prose.change(before, after)}"
            places = (base.get(key) or base, revision.get(key) or revision)
            self._tell(Finding("words", Direction.REQUEST, what, *places, values=(before, after)), where)

    def _both(self, *keys: str) -> Iterator[tuple[str, At, At]]:
        """What stands on both sides under *keys*, by name."""
        sides: list[dict[str, At]] = []
        for at in (self.base.root, self.revision.root):
            owner: At | None = at
            for key in keys:
                owner = None if owner is None else owner.get(key)
            named = () if owner is None else owner.names()
            elements = () if owner is None else owner.elements()
            sides.append({**dict(named), **{name: one for one in elements if (name := one.text("name"))}})
        before, after = sides
        yield from ((f"{keys[-1]}.{name}", before[name], after[name]) for name in sorted(set(before) & set(after)))

    def _rules(self) -> None:
        """Rules that no schema can say: by their ids, or by their sentence where that has another id now."""
        before, after = _rules(self.base.root), _rules(self.revision.root)
        if not before or not after:
            self._first_rules(before, after)
            return
        ids = {_rule(at): name for name, at in after.items() if name not in before}
        for name, at in list(before.items()):
            new = ids.get(_rule(at))
            if name not in after and new is not None:
                what = f"rule {name} is rule {new} now"
                self._tell_rule("cosmetic", name, what, (at, after.pop(new)), (name, new))
                del before[name]
        for name in dict.fromkeys([*before, *after]):
            one, two = before.get(name), after.get(name)
            told = tuple(None if at is None else _rule(at) for at in (one, two))
            if told[0] == told[1]:
                continue
            kind = "rule-added" if one is None else "rule-removed" if two is None else "rule-changed"
            what = f"rule {name}: {prose.change(told[0] or '', told[1] or '')}"
            self._tell_rule(kind, name, what, (one, two), (told[0], told[1]))

    def _tell_rule(
        self, kind: str, name: str, what: str, ats: tuple[At | None, At | None], values: tuple[object, object]
    ) -> None:
        """Tell of a rule where it stands, with who meets it there."""
        stand = [(reach, at.pointer) for reach, at in zip(self.reach, ats, strict=True) if at is not None]
        operation = next((found for reach, pointer in stand if (found := reach.operation(pointer))), "")
        met = {direction for reach, pointer in stand for direction in reach.meeting(pointer)}
        # As what is sent, where it is that, too.
        direction = next((one for one in Direction if one in met), Direction.REQUEST)
        finding = Finding(kind, direction, what, ats[0] or self.base.root, ats[1] or self.revision.root, values=values)
        about = frozenset({operation}) if operation else frozenset[str]()
        self.occurrences.append(Occurrence(finding, about, operation, (f"rule {name}",), is_named=True))

    def _first_rules(self, before: dict[str, At], after: dict[str, At]) -> None:
        """Rules on one side only: most descriptions have none, so that is told once."""
        names = [*before, *after]
        if names:
            kind, how = ("rule-removed", "no longer stated") if before else ("rule-added", "stated")
            what = f"rules are {how}: {listed(names)}"
            places = next(iter(before.values()), self.base.root), next(iter(after.values()), self.revision.root)
            values = (tuple(before) or None, tuple(after) or None)
            self._tell(Finding(kind, Direction.REQUEST, what, *places, values=values), "rules")


def _is_told(finding: Finding, *, by: Finding) -> bool:
    """Whether the values that came or went are among those of another finding."""
    return by.kind == finding.kind and all(
        set(some or ()) <= set(all_ or ()) for some, all_ in zip(finding.values, by.values, strict=True)
    )


def _scopes(scheme: At) -> dict[str, At]:
    """Of each flow of OAuth, the scopes with what they mean."""
    flows = scheme.get("flows")
    named = () if flows is None else flows.names()
    return {name: scopes for name, flow in named if (scopes := flow.get("scopes")) is not None}


def _came_or_went(one: Operation, how: str) -> tuple[str, Direction]:
    return f"{'event' if one.is_event else 'operation'}-{how}", Direction.EVENT if one.is_event else Direction.REQUEST


def _shown(one: Operation, *, shifted: bool = False) -> str:
    return one.path if one.is_event else f"{one.method.upper()} {one.prefix if shifted else ''}{shown(one.path)}"


def _origin(url: str, prefixes: set[str]) -> str:
    """*url* without the part of the path that stands in the paths of the other description."""
    return next(
        (
            url.removesuffix(prefix)
            for prefix in sorted(prefixes, key=len, reverse=True)
            if prefix and url.endswith(prefix)
        ),
        url,
    )


def _rules(root: At) -> dict[str, At]:
    """By id, or by the sentence itself."""
    found: dict[str, At] = {}
    # A value with the steps that lead to it, the last first: of millions few pointers are wanted.
    waiting: list[tuple[Any, _Steps]] = [(root.value, ())]
    seen: set[int] = set()
    while waiting:
        value, steps = waiting.pop()
        # A value that an alias repeats has the same rules.
        if id(value) in seen:
            continue
        seen.add(id(value))
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            if key in _RULES:
                at = At(root.document, root.pointer + _written((key, steps)), child)
                rules = list(at.elements()) or [at]
                found.update({one.text("id") or _rule(one): one for one in rules if _rule(one)})
            elif isinstance(child, dict | list):
                waiting.append((child, (key, steps)))
    return dict(sorted(found.items()))


def _rule(at: At) -> str:
    """Its sentence."""
    return words(at.value if isinstance(at.value, str) else at.text("rule") or at.text("description"))


def _written(steps: _Steps) -> str:
    parts: list[str] = []
    while steps:
        key, steps = steps
        parts.append(escaped(str(key)))
    return "".join(f"/{part}" for part in reversed(parts))
