"""
What need not be compared: parts that are written alike on both sides, and lead to parts that are written alike.

Most of two versions of a description is the same, and finding that out costs next to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .document import At, Document
from .operations import Operation
from .problems import CouldNotCompareError
from .reaching import refs
from .schemas import Node


class Sameness:
    """Of *base* and *revision*."""

    def __init__(self, base: Document, revision: Document) -> None:
        self._comparable = base.version == revision.version
        self._changed = _changed(base, revision) if self._comparable else frozenset[str]()
        # What stands at the root and acts everywhere.
        self._settings = (
            self._comparable
            and all(_same(base.data.get(key), revision.data.get(key)) for key in ("security", "servers"))
            and _same(_schemes(base), _schemes(revision))
        )

    def of(self, base: Node, revision: Node) -> bool:
        """Whether both are written alike, with all that they lead to."""
        if not self._comparable or len(base) != len(revision):
            return False
        return all(
            one.document.root.pointer == other.document.root.pointer == "#"
            and _same(one.value, other.value)
            and not any(ref in self._changed for ref in refs(one.value))
            for one, other in zip(base, revision, strict=True)
        )

    def of_operations(self, base: Operation, revision: Operation) -> bool:
        """Whether two operations are written alike, and so is all around them that acts on them."""
        around = ("parameters", "servers", "summary", "description")
        return (
            self._settings
            and self.of((base.at,), (revision.at,))
            and all(self.of(_under(base.item, key), _under(revision.item, key)) for key in around)
        )


def _under(at: At, key: str) -> Node:
    found = at.get(key)
    return () if found is None else (found,)


def _schemes(document: Document) -> Any:
    components = document.data.get("components")
    return components.get("securitySchemes") if isinstance(components, dict) else None


def _same(one: Any, other: Any) -> bool:
    # To Python true is 1, but not to an enum.
    return one == other and repr(type(one)) == repr(type(other)) and _same_kinds(one, other)


def _same_kinds(one: Any, other: Any) -> bool:
    waiting = [(one, other)]
    while waiting:
        a, b = waiting.pop()
        if isinstance(a, dict):
            waiting.extend((a[key], b[key]) for key in a)
        elif isinstance(a, list):
            waiting.extend(zip(a, b, strict=True))
        elif isinstance(a, bool) != isinstance(b, bool):
            return False
    return True


def _changed(base: Document, revision: Document) -> frozenset[str]:
    """The `$ref`s that lead to something that is not the same, or from there further to something that is not."""
    used_by: dict[str, set[str]] = defaultdict(set)
    changed: set[str] = set()
    seen: set[str] = set()
    waiting = list({ref for side in (base, revision) for ref in refs(side.data)})
    while waiting:
        ref = waiting.pop()
        if ref in seen:
            continue
        seen.add(ref)
        try:
            one, other = (side.at(ref, by=side.root).value for side in (base, revision))
        except CouldNotCompareError:
            # To nowhere on one side: told when it is met, if it is.
            changed.add(ref)
            continue
        if not ref.startswith("#") or not _same(one, other):
            changed.add(ref)
        for inner in refs(one):
            used_by[inner].add(ref)
            waiting.append(inner)
    spreading = list(changed)
    while spreading:
        for user in used_by[spreading.pop()] - changed:
            changed.add(user)
            spreading.append(user)
    return frozenset(changed)
