"""
Constraints by operations: what the description says once, and how far each operation is seen to keep it.

A schema that five operations use is one group of lines; a cell gathers every place in one operation's requests or
answers where the line's constraint applies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from coinbase_checkouts_conformance.coverage import REQUEST, RULE, Row
from coinbase_checkouts_conformance.description import description, parts
from coinbase_checkouts_conformance.outcomes import BREAKING, FAIL, PASS, SKIPPED, UNKNOWN, Outcomes
from coinbase_checkouts_conformance.traffic import Place

from .run import Share

# Strongest first: a cell shows the best evidence it has.
_STRENGTH: Final = ("live", "sandbox", "documented")
# In part: some of what is wanted has evidence.
PART: Final = "part"


@dataclass
class Cell:
    """One line's rows in one operation."""

    rows: list[Row] = field(default_factory=list)
    broken: tuple[str, ...] = ()

    @property
    def share(self) -> Share:
        """Of what is wanted."""
        wanted = sum(len(row.wanted) for row in self.rows)
        return Share(wanted - sum(len(row.missing) for row in self.rows), wanted)

    @property
    def state(self) -> str:
        """An outcome, or PART."""
        if self.broken:
            return FAIL
        share = self.share
        if not share.of:
            return SKIPPED
        return PASS if share.is_whole else PART if share.have else UNKNOWN

    @property
    def standings(self) -> list[str]:
        """Of its evidence, the strongest first."""
        found = {place.standing: place for row in self.rows for place in (*row.kept, *row.refused)}
        return [place.standing for place in sorted(found.values(), key=strength)]


def strength(place: Place) -> int:
    """The less the stronger."""
    return _STRENGTH.index(place.standing) if place.standing in _STRENGTH else len(_STRENGTH)


@dataclass
class Line:
    """One constraint of the description; *cells* by operation."""

    direction: str
    label: str
    demand: str
    sentence: str
    cells: dict[str, Cell] = field(default_factory=dict)


@dataclass
class Group:
    """Lines that belong to one schema, parameter, or kind."""

    title: str
    lines: list[Line] = field(default_factory=list)

    def cell(self, operation: str) -> Cell:
        """All of one operation's cells in one."""
        cells = [line.cells[operation] for line in self.lines if operation in line.cells]
        broken = tuple(name for cell in cells for name in cell.broken)
        return Cell([row for cell in cells for row in cell.rows], broken)


def groups(rows: Iterable[Row], outcomes: Outcomes) -> list[Group]:
    """The matrix, what is sent before what is answered, rules last."""
    broken = _broken(outcomes)
    found: dict[str, Group] = {}
    lines: dict[tuple[str, ...], Line] = {}
    for row in rows:
        atom = row.constraint
        title, label, demand = _place(row)
        key = (atom.direction, title, label, demand)
        if key not in lines:
            lines[key] = Line(atom.direction, label, demand, atom.sentence)
            found.setdefault(title, Group(title)).lines.append(lines[key])
        cell = lines[key].cells.setdefault(atom.operation, Cell())
        cell.rows.append(row)
        names = (*broken.get((atom.pointer, ""), ()), *broken.get((atom.pointer, atom.operation), ()))
        cell.broken = tuple(dict.fromkeys((*cell.broken, *names)))
    for group in found.values():
        # What is asked of one thing stands together.
        labels = list(dict.fromkeys(line.label for line in group.lines))
        group.lines.sort(key=lambda line: labels.index(line.label))
    return sorted(found.values(), key=_order)


def _broken(outcomes: Outcomes) -> dict[tuple[str, str], list[str]]:
    """The claims that broke a constraint, by its pointer and the operation; by "" where it is any."""
    verbs = {operation.verb: name for name, operation in description().operations.items()}
    found: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes.of(*BREAKING):
        own = verbs.get(outcome.claim.id.partition(".")[0], "")
        places = [(pointer, own) for pointer in outcome.claim.proves]
        for place in dict.fromkeys([*places, (outcome.rule, outcome.operation)]):
            found.setdefault(place, []).append(outcome.claim.id)
    return found


def _order(group: Group) -> int:
    directions = {line.direction for line in group.lines}
    return 2 if RULE in directions else 0 if REQUEST in directions else 1


def _place(row: Row) -> tuple[str, str, str]:
    """Group, what it is about, and what is asked of it."""
    atom = row.constraint
    _, _, *steps = atom.id.split("/")
    if atom.direction == RULE:
        return "Rules that no schema can say", atom.id.partition("/")[2], ""
    if atom.keyword in ("status", "media"):
        asked = atom.keyword if atom.keyword == "status" else steps[-1].replace("~1", "/")
        return ("Every request", "body", asked) if atom.direction == REQUEST else ("Every answer", steps[0], asked)
    if atom.direction == REQUEST:
        return _of_request(row, *steps)
    schema = parts(atom.pointer)[2]
    return schema, _path(parts(atom.pointer)[3:], atom.pointer) or "itself", _demand(row)


def _of_request(row: Row, location: str, *steps: str) -> tuple[str, str, str]:
    by, atom = description(), row.constraint
    if location == "security":
        return "Every request", "Authorization", "a valid token"
    path = ".".join(steps[: -2 if _is_member(row) else -1])
    if location != "body":
        return ("Query of a listing" if location == "query" else "Every request"), path, _demand(row)
    pointer = by.body_pointer(by.operations[atom.operation])
    if not path and atom.keyword == "required":
        return "Every request", "body", _demand(row)
    return parts(by.resolve(pointer or "#"))[-1], path or "itself", _demand(row)


def _is_member(row: Row) -> bool:
    return row.constraint.keyword == "enum" and not isinstance(row.constraint.value, list)


def _path(steps: list[str], pointer: str) -> str:
    """`metadata.*` of `properties/metadata/additionalProperties/maxLength`."""
    path: list[str] = []
    rest = iter(steps[:-2] if "required" in steps[-2:] and steps[-1].isdigit() else steps[:-1])
    for step in rest:
        if step == "properties":
            path.append(next(rest, ""))
        elif step in ("items", "additionalProperties"):
            path.append("*")
        elif step in ("allOf", "anyOf", "oneOf"):
            next(rest, "")
    if steps[-1].isdigit() and steps[-2:-1] == ["required"]:
        path.append(str(description().at(pointer)))
    return ".".join(path)


def _demand(row: Row) -> str:
    atom = row.constraint
    if atom.keyword == "required":
        return atom.keyword
    if atom.keyword == "enum":
        return f"may be {atom.value}" if _is_member(row) else "nothing else"
    value = ", ".join(map(str, atom.value)) if isinstance(atom.value, list) else str(atom.value)
    return f"{atom.keyword} {value}"
