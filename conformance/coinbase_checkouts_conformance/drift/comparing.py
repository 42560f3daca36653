"""
Two descriptions, compared.

Schemas are compared pair by pair, each pair once however often it is used; afterwards it is worked out which
operations a pair is reached from, by the shortest way. So a recursive schema ends, and a large description is not
compared once for each path through it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from coinbase_checkouts_conformance.description import escaped

from . import prose
from .comparing_operations import compare_operations, compare_servers
from .comparing_schemas import SchemaComparison, look_of
from .differences import Difference, Occurrence, differences
from .document import At, Document
from .findings import Finding, Found, Pair, Path, shown, words
from .matching import Matched, matched
from .operations import Operation, events, operations, servers
from .sameness import Sameness
from .schemas import Node, Schemas
from .verdicts import Direction

Key = tuple[object, ...]
_RULES: Final = "x-rule"
_Steps = tuple[Any, ...]


@dataclass(frozen=True)
class Root:
    """A pair that an operation begins with, and the steps that lead to it."""

    operation: str
    path: Path
    pair: Pair


def compare(base: Document, revision: Document) -> list[Difference]:
    """All differences, worst first."""
    return _Comparison(base, revision).differences()


class _Comparison:
    def __init__(self, base: Document, revision: Document) -> None:
        self.base = base
        self.revision = revision
        self.schemas = Schemas()
        self.sameness = Sameness(base, revision)
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
        pairs, found, ways = self._walked()
        reached = self._reached(pairs, found)
        for key, one in found.items():
            for finding in one.findings:
                look = repr([self._look(node) for node in (pairs[key].base, pairs[key].revision)])
                self.occurrences.append(Occurrence(finding, frozenset(reached[key]), ways[key][0], ways[key][1:], look))

    def _look(self, node: Node) -> object:
        """What tells one thing from another that changed in the same way: an object's fields, or what a value may be."""
        schema = self.schemas.of(node)
        return sorted(schema.properties) if schema.properties else look_of(self.schemas, schema, 0)

    def _walked(self) -> tuple[dict[Key, Pair], dict[Key, Found], dict[Key, Path]]:
        """Every pair, what comparing it gave, and the shortest way to it from an operation; of equals the first by name."""
        comparison = SchemaComparison(self.schemas)
        pairs: dict[Key, Pair] = {}
        found: dict[Key, Found] = {}
        ways: dict[Key, Path] = {}
        level: dict[Key, tuple[Path, Pair]] = {}
        waiting: dict[int, list[tuple[Path, Pair]]] = defaultdict(list)
        for root in self.roots:
            pair = self._named(root.pair)
            if pair is not None:
                waiting[len(root.path)].append(((root.operation, *root.path), pair))
        depth = 0
        while waiting:
            level.clear()
            for path, pair in waiting.pop(depth, []):
                key = pair.key
                if key not in found and (key not in level or path < level[key][0]):
                    level[key] = (path, pair)
            for key, (path, pair) in level.items():
                pairs[key], ways[key] = pair, path
                found[key] = comparison.compare(pair)
                inner: list[tuple[str, Pair]] = []
                for step, child in found[key].inner:
                    named = self._named(child)
                    if named is not None:
                        inner.append((step, named))
                        waiting[depth + 1].append(((*path, step), named))
                found[key].inner = inner
            depth += 1
        return pairs, found, ways

    def _named(self, pair: Pair) -> Pair | None:
        """*pair* by the name that counts, or None when both sides are the same."""
        if self.sameness.of(pair.base, pair.revision):
            return None
        if pair.name and self.schemas.of(pair.base).properties and self.schemas.of(pair.revision).properties:
            return Pair(pair.base, pair.revision, pair.direction, written=pair.written)
        return pair

    def _reached(self, pairs: dict[Key, Pair], found: dict[Key, Found]) -> dict[Key, set[str]]:
        """The operations from which each pair is reached."""
        reached: dict[Key, set[str]] = {key: set() for key in pairs}
        waiting: list[tuple[Key, set[str]]] = []
        for root in self.roots:
            pair = self._named(root.pair)
            if pair is not None:
                waiting.append((pair.key, {root.operation}))
        while waiting:
            key, names = waiting.pop()
            new = names - reached[key]
            if new:
                reached[key] |= new
                waiting.extend((child.key, new) for _, child in found[key].inner)
        return reached

    # The description itself ---------------------------------------------------------------------------------------

    def _about(self, calls: Matched) -> None:
        one, two = self.base.root.get("info") or self.base.root, self.revision.root.get("info") or self.revision.root
        for key in ("title", "summary", "description"):
            before, after = words(one.text(key)), words(two.text(key))
            if before != after:
                what = f"info.{key}: {prose.change(before, after)}"
                places = (one.get(key) or one, two.get(key) or two)
                self._tell(Finding("words", Direction.REQUEST, what, *places, values=(before, after)), f"info.{key}")
        prefixes = {each.prefix for pair in calls.pairs for each in pair}
        before_at, after_at = (
            {_origin(server.url, prefixes if calls.shifted else set()): server for server in servers(side.root)}
            for side in (self.base, self.revision)
        )

        def tell(kind: str, what: str, base: At, revision: At) -> None:
            self._tell(Finding(kind, Direction.REQUEST, what, base, revision, values=(what, None)), "servers")

        compare_servers(before_at, after_at, self.base.root, self.revision.root, tell)

    def _rules(self) -> None:
        """Rules that no schema can say, by their ids. A description without any says nothing about them."""
        before, after = _rules(self.base.root), _rules(self.revision.root)
        if not before or not after:
            return
        for name in dict.fromkeys([*before, *after]):
            one, two = before.get(name), after.get(name)
            told = [None if at is None else words(at.text("rule")) for at in (one, two)]
            if told[0] == told[1]:
                continue
            kind = "rule-added" if one is None else "rule-removed" if two is None else "rule-changed"
            what = f"rule {name}: {prose.change(told[0] or '', told[1] or '')}"
            finding = Finding(
                kind,
                Direction.REQUEST,
                what,
                one or self.base.root,
                two or self.revision.root,
                values=(told[0], told[1]),
            )
            self._tell(finding, f"rule {name}")


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
            if key == _RULES:
                at = At(root.document, root.pointer + _written((key, steps)), child)
                rules = list(at.elements()) or [at]
                found.update({name: one for one in rules if (name := one.text("id")) is not None})
            elif isinstance(child, dict | list):
                waiting.append((child, (key, steps)))
    return dict(sorted(found.items()))


def _written(steps: _Steps) -> str:
    parts: list[str] = []
    while steps:
        key, steps = steps
        parts.append(escaped(str(key)))
    return "".join(f"/{part}" for part in reversed(parts))
