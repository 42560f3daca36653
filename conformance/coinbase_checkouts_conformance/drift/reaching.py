"""
Who meets what stands at a place of a description: the operation or event around it, and what leads there by `$ref`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from .document import At, Document
from .operations import events, operations
from .problems import CouldNotCompareError
from .spreading import reached
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
        places = list(_around(pointer))
        found = {direction: {name for one in places for name in of(one)} for direction, of in self._leading.items()}
        return {direction: names for direction, names in found.items() if names}

    @cached_property
    def _operations(self) -> list[tuple[str, At]]:
        # A callback stands in the operation that asks for it; what is said of an event may stand around its method.
        called = [(one.id, one.item) for one in events(self._document)]
        return [*called, *((one.id, one.at) for one in operations(self._document))]

    @cached_property
    def _leading(self) -> dict[Direction, Callable[[str], frozenset[str]]]:
        """Of each direction, from where the operations and events lead to a pointer."""
        starts: dict[Direction, list[tuple[At, str]]] = {direction: [] for direction in Direction}
        starts[Direction.EVENT] = [(one.item, one.id) for one in events(self._document)]
        for one in operations(self._document):
            sent = [at for key, at in one.at.names() if key not in _NOT_SENT]
            shared = [one.item.get("parameters"), one.at.get("responses")]
            starts[Direction.REQUEST] += [(at, one.id) for at in (*sent, shared[0]) if at is not None]
            starts[Direction.RESPONSE] += [(at, one.id) for at in shared[1:] if at is not None]
        edges = self._edges(at for begun in starts.values() for at, _ in begun)
        return {
            direction: reached(((at.pointer, name) for at, name in begun), edges) for direction, begun in starts.items()
        }

    def _edges(self, starts: Iterable[At]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        waiting = list(starts)
        while waiting:
            at = waiting.pop()
            if at.pointer not in found:
                targets = list(self._targets(at))
                found[at.pointer] = [target.pointer for target in targets]
                waiting += targets
        return found

    def _targets(self, at: At) -> Iterator[At]:
        for ref in refs(at.value):
            try:
                yield at.document.at(ref, by=at)
            except CouldNotCompareError:
                # To nowhere: told when it is compared, if it is.
                continue


def _around(pointer: str) -> Iterator[str]:
    """*pointer*, and those of all that it stands in."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]


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
