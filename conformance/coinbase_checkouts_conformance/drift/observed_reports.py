"""
Observed drift for a person at a terminal, for a pull request, and for programs.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .observed import SANDBOX, Described, Observation, Witness
from .verdicts import Direction, Severity

_HEADINGS: Final = {
    Severity.BREAKING: "Breaking",
    Severity.POTENTIAL: "Potentially breaking",
    Severity.ADDITIVE: "Additive",
    Severity.EXAMPLE: "Otherwise than in the examples, which is no drift",
}
_DIRECTIONS: Final = {Direction.RESPONSE: "what we read", Direction.EVENT: "what we are sent"}
_WORDS: Final = {
    SANDBOX: "a sandbox, which is not the real service",
    "live": "a service",
    "har": "HAR files, which do not say whose they are",
    "cassette": "cassettes, which do not say whose they are",
    "log": "the client's drift sensor",
}
_MOST_IN_TEXT: Final = 12


@dataclass(frozen=True)
class Observing:
    """
    What came of it.

    Args:
        description: What a person calls it.
        exchanges: How many were looked at, by provenance; of a log, lines.
    """

    description: str
    observations: tuple[Observation, ...]
    never_seen: tuple[Described, ...]
    exchanges: Mapping[str, int]
    targets: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @property
    def has_drift(self) -> bool:
        """Whether the exit code is 1."""
        return any(one.fails for one in self.observations)

    @property
    def counts(self) -> str:
        """How many of each class."""
        numbers = Counter(one.severity for one in self.observations)
        told = ", ".join(f"{numbers[severity]} {severity}" for severity in Severity if numbers[severity])
        return told or "nothing that is not described"

    @property
    def evidence(self) -> str:
        """What was looked at, in words."""
        told = [f"{number} from {_WORDS[name]}" for name, number in sorted(self.exchanges.items())]
        return f"Looked at: {'; '.join(told)}." if told else "Nothing was looked at."

    def grouped(self) -> list[tuple[str, list[Observation]]]:
        """Worst first."""
        found = [(words, [one for one in self.observations if one.severity is key]) for key, words in _HEADINGS.items()]
        return [(words, ones) for words, ones in found if ones]


def as_text(result: Observing) -> str:
    """For a terminal."""
    lines = [f"{result.description} and what was observed: {result.counts}", result.evidence]
    for heading, found in result.grouped():
        lines += ["", f"{heading} ({len(found)})"]
        for one in found:
            line = "" if one.line is None else f" (line {one.line})"
            lines += [
                f"  {one.message}",
                f"    {_DIRECTIONS[one.direction]}; {one.pointer}{line}; {one.fingerprint}",
                f"    seen {_times(one)}, first {_seen(one.witnesses[0])}",
            ]
    if result.never_seen:
        lines += ["", f"Described and never seen ({len(result.never_seen)}), which is no drift"]
        lines += [f"  {line}" for line in _by_operation(result)]
    lines += ["", *result.notes] if result.notes else []
    return "\n".join(lines) + "\n"


def _times(one: Observation) -> str:
    times = "once" if one.count == 1 else f"{one.count} times"
    return f"{times} ({', '.join(sorted(one.provenances))})"


def _seen(one: Witness) -> str:
    status = "" if one.status is None else f" {one.status}"
    at = f" at {one.pointer}" if one.pointer else ""
    return f"in {one.source}, {one.operation}{status}{at}"


def _by_operation(result: Observing) -> list[str]:
    found: dict[str, list[str]] = {}
    for one in result.never_seen:
        found.setdefault(one.operation, []).append(one.what)
    return [f"{name}: {_few(what)}" for name, what in found.items()]


def _few(what: list[str]) -> str:
    more = f" and {len(what) - _MOST_IN_TEXT} more" if len(what) > _MOST_IN_TEXT else ""
    return ", ".join(what[:_MOST_IN_TEXT]) + more


def as_json(result: Observing) -> str:
    """One object, for programs."""
    document: dict[str, Any] = {
        "description": result.description,
        "drift": result.has_drift,
        "exchanges": dict(sorted(result.exchanges.items())),
        "targets": {name: list(found) for name, found in sorted(result.targets.items())},
        "counts": {
            str(severity): sum(one.severity is severity for one in result.observations) for severity in Severity
        },
        "differences": [one.as_json() for one in result.observations],
        "neverSeen": [
            {"kind": one.kind, "operation": one.operation, "what": one.what, "pointer": one.pointer}
            for one in result.never_seen
        ],
        "remarks": list(result.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_markdown(result: Observing) -> str:
    """For a pull request."""
    lines = [
        f"### Observed drift: `{result.description.replace('`', '')}`",
        "",
        f"{result.counts[:1].upper()}{result.counts[1:]}.",
        "",
        result.evidence,
    ]
    for heading, found in result.grouped():
        lines += [
            "",
            f"#### {heading} ({len(found)})",
            "",
            "| in | what | why | direction | seen | first | fingerprint |",
            "|---|---|---|---|---|---|---|",
        ]
        for one in found:
            cells = (
                one.where,
                one.what,
                one.why,
                _DIRECTIONS[one.direction],
                _times(one),
                _seen(one.witnesses[0]),
            )
            lines.append(f"| {' | '.join(map(_cell, cells))} | `{one.fingerprint}` |")
    if result.never_seen:
        heading = f"Described and never seen ({len(result.never_seen)}), which is no drift"
        rows = [f"- {_cell(line)}" for line in _by_operation(result)]
        lines += ["", f"<details><summary>{heading}</summary>", "", *rows, "", "</details>"]
    lines += ["", *(f"- {_cell(one)}" for one in result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


FORMATS: Final[dict[str, Callable[[Observing], str]]] = {"text": as_text, "json": as_json, "markdown": as_markdown}
