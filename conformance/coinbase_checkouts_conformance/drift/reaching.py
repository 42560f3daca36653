"""
Who meets what stands at a place of a description: the operation or event around it, and what leads there by `$ref`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from .document import At, Document
from .operations import events, operations
from .problems import CouldNotCompareError
from .verdicts import Direction

# Parts of an operation that are not sent by who calls it.
_NOT_SENT: Final = ("responses", "callbacks")


class Reach:
    """Of *document*; nothing is followed before somebody asks."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def operation(self, pointer: str) -> str:
        """The id of the operation or event that *pointer* stands in; empty for none."""
        return next((name for name, at in self._operations if _is_in(pointer, at.pointer)), "")

    def meeting(self, pointer: str) -> dict[Direction, set[str]]:
        """The ids of the operations and events that *pointer* is met from, by the direction in which it travels."""
        found: dict[Direction, set[str]] = {}
        for name, direction, pointers in self._parts:
            if any(_is_in(pointer, one) for one in pointers):
                found.setdefault(direction, set()).add(name)
        return found

    @cached_property
    def _operations(self) -> list[tuple[str, At]]:
        # A callback stands in the operation that asks for it; what is said of an event may stand around its method.
        called = [(one.id, one.item) for one in events(self._document)]
        return [*called, *((one.id, one.at) for one in operations(self._document))]

    @cached_property
    def _parts(self) -> list[tuple[str, Direction, frozenset[str]]]:
        found = [(one.id, Direction.EVENT, self._reached([one.item])) for one in events(self._document)]
        for one in operations(self._document):
            sent = [at for key, at in one.at.names() if key not in _NOT_SENT]
            shared = one.item.get("parameters")
            answers = one.at.get("responses")
            found.append((one.id, Direction.REQUEST, self._reached([*sent, *([shared] if shared else [])])))
            found.append((one.id, Direction.RESPONSE, self._reached([answers] if answers else [])))
        return found

    def _reached(self, starts: Iterable[At]) -> frozenset[str]:
        seen: set[str] = set()
        waiting = list(starts)
        while waiting:
            at = waiting.pop()
            if at.pointer not in seen:
                seen.add(at.pointer)
                waiting.extend(self._targets(at))
        return frozenset(seen)

    def _targets(self, at: At) -> Iterator[At]:
        for ref in refs(at.value):
            try:
                yield at.document.at(ref, by=at)
            except CouldNotCompareError:
                # To nowhere: told when it is compared, if it is.
                continue


def refs(value: Any) -> Iterator[str]:
    """All `$ref`s in *value*."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(ref := one.get("$ref"), str):
                yield ref
            waiting.extend(child for child in one.values() if isinstance(child, dict | list))
        elif isinstance(one, list):
            waiting.extend(child for child in one if isinstance(child, dict | list))


def _is_in(pointer: str, outer: str) -> bool:
    return pointer == outer or pointer.startswith(f"{outer}/")
