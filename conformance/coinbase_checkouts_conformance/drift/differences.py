"""
A difference: one change, with all the operations it reaches, however often its schema is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .document import At, Document
from .findings import Finding, Path
from .schemas import canon
from .touches import Touches, touched
from .verdicts import Direction, Severity

_ABOUT_WORDS = (Severity.PROSE, Severity.EXAMPLE, Severity.COSMETIC)


@dataclass(frozen=True)
class Place:
    """
    A pointer, and the line it is written on where that is known.

    Args:
        is_there: False where only the other side has it; the line is that of the nearest thing above it.
    """

    pointer: str
    line: int | None
    is_there: bool = True

    @classmethod
    def of(cls, at: At) -> Place:
        """Where *at* stands."""
        return cls(at.pointer, at.line)


@dataclass(frozen=True)
class Difference:
    """
    Args:
        operations: Ids of all operations and events it reaches.
        path: From the first of them, the steps that lead to it.
        more: Where else it stands: the same change, written down again.
        fingerprint: The same as long as the change means the same, wherever it stands and however it is written.
    """

    kind: str
    severity: Severity
    direction: Direction
    what: str
    why: str
    operations: tuple[str, ...]
    path: Path
    base: Place
    revision: Place
    fingerprint: str
    values: tuple[Any, Any] = (None, None)
    witness: tuple[str, ...] = ()
    more: tuple[Place, ...] = ()
    waived: str | None = None

    @cached_property
    def touches(self) -> Touches:
        """What of this project it touches."""
        pointers = [self.base.pointer, self.revision.pointer, *(one.pointer for one in self.more)]
        return touched(self.operations, self.path, pointers, self.what)

    @property
    def where(self) -> str:
        """The path in words."""
        return _joined(self.path)

    @property
    def message(self) -> str:
        """The change in one sentence, with its reason."""
        place = self.operations[0] if self.operations else "the description"
        where = f"{place} {self.where}".strip()
        return f"{where}: {self.what}; {self.why}"

    @property
    def place(self) -> Place:
        """Where a person looks first: in the revision, or in the base for what is gone there."""
        is_gone = not self.revision.is_there or self.base.pointer.startswith(f"{self.revision.pointer}/")
        return self.base if is_gone else self.revision

    @property
    def pointer(self) -> str:
        """Of that place."""
        return self.place.pointer

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "class": str(self.severity),
            "direction": str(self.direction),
            "kind": self.kind,
            "operation": self.operations[0] if self.operations else None,
            "operations": list(self.operations),
            "place": self.where,
            "pointer": self.pointer,
            "line": self.place.line,
            "message": self.message,
            "reason": self.why,
            "fingerprint": self.fingerprint,
            "base": {"pointer": self.base.pointer, "line": self.base.line},
            "revision": {"pointer": self.revision.pointer, "line": self.revision.line},
            "alsoAt": [{"pointer": one.pointer, "line": one.line} for one in self.more],
            "from": self.values[0],
            "to": self.values[1],
            "witness": list(self.witness),
            "touches": self.touches.as_json(),
            "waived": self.waived,
        }


def _joined(path: Path) -> str:
    """`response 200 checkouts[].status`: what is inside a body, with dots."""
    outer = [step for step in path if step.startswith(_OUTER)]
    text = "".join(step if step.startswith("[") else f".{step}" for step in path if not step.startswith((*_OUTER, "|")))
    return " ".join([*outer, *([text.removeprefix(".")] if text else [])])


_OUTER = ("body", "response ", "query ", "path ", "header ", "cookie ", "application/", "security", "servers")


@dataclass(frozen=True)
class Occurrence:
    """
    A finding at one place.

    Args:
        start: The operation that *path* leads from; empty for the description itself.
        look: What both sides allow there: the same change of the same thing is one difference, one of another is not.
        is_named: It has a name of its own, and is the same wherever it stands.
    """

    finding: Finding
    operations: frozenset[str]
    start: str
    path: Path
    look: str = ""
    is_named: bool = False


def differences(occurrences: Iterable[Occurrence], base: Document, revision: Document) -> list[Difference]:
    """One difference for each change, worst first, in an order that depends on what changed only."""
    groups: dict[tuple[object, ...], list[Occurrence]] = {}
    for one in occurrences:
        groups.setdefault(_meaning(one), []).append(one)
    found = [_difference(group, base, revision) for group in groups.values()]
    return sorted(
        found, key=lambda one: (one.severity.rank, one.operations, one.path, one.direction, one.kind, one.fingerprint)
    )


def _meaning(one: Occurrence) -> tuple[object, ...]:
    finding = one.finding
    about_words = finding.severity in _ABOUT_WORDS
    direction = "" if about_words else finding.direction
    name = finding.name or (one.path[-1] if one.path else "")
    # Words that are said of a thing are said once, wherever it is used and whatever it is called there.
    return (finding.kind, direction, "" if about_words and one.look else name, canon(_plain(finding.values)), one.look)


def _difference(group: list[Occurrence], before: Document, after: Document) -> Difference:
    order = sorted(group, key=_order)
    first = order[0]
    finding = first.finding
    base, revision = finding.base or finding.revision, finding.revision or finding.base
    if base is None or revision is None:
        raise AssertionError(finding.kind)  # every finding has a place on one side
    operations = tuple(sorted(frozenset[str]().union(*(one.operations for one in group))))
    path = (*first.path, *([finding.name] if finding.name else []))
    places = dict.fromkeys((one.finding.revision or one.finding.base) for one in order[1:])
    more = tuple(Place.of(at) for at in places if at is not None and at.pointer != revision.pointer)
    about_words = finding.severity in _ABOUT_WORDS
    meaning = [
        finding.kind,
        "" if about_words else str(finding.direction),
        _plain(finding.values),
        [] if first.is_named else list(operations),
        list(path),
        "" if finding.values != (None, None) else finding.what,
    ]
    return Difference(
        finding.kind,
        finding.severity,
        finding.direction,
        finding.what,
        finding.why,
        (first.start, *(one for one in operations if one != first.start)) if first.start else operations,
        path,
        _place(finding.base, base, before),
        _place(finding.revision, revision, after),
        hashlib.sha256(canon(meaning).encode(errors="surrogatepass")).hexdigest()[:16],
        finding.values,
        finding.witness,
        tuple(dict.fromkeys(more)),
    )


def _place(at: At | None, other: At, document: Document) -> Place:
    if at is not None:
        return Place.of(at)
    line = document.line(other.pointer) if other.pointer.startswith("#") else None
    return Place(other.pointer, line, is_there=False)


def _order(one: Occurrence) -> tuple[object, ...]:
    return (list(Direction).index(one.finding.direction), len(one.path), one.start, one.path)


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
