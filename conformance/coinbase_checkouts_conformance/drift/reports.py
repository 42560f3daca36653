"""
What was found, for a person at a terminal, for a pull request, and for programs.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from .differences import Difference, Place
from .document import Document
from .spreading import MOST_NAMES
from .verdicts import RULES, Direction, Severity
from .waivers import Waiver

HEADINGS: Final = {
    Severity.BREAKING: "Breaking",
    Severity.POTENTIAL: "Potentially breaking",
    Severity.ADDITIVE: "Additive",
    Severity.PROSE: "Prose",
    Severity.EXAMPLE: "Examples",
    Severity.COSMETIC: "Cosmetic",
}
DIRECTIONS: Final = {
    Direction.REQUEST: "what we send",
    Direction.RESPONSE: "what we read",
    Direction.EVENT: "what we are sent",
}
# SARIF and GitHub have three levels.
_LEVELS: Final = {
    Severity.BREAKING: "error",
    Severity.POTENTIAL: "warning",
    Severity.ADDITIVE: "note",
    Severity.PROSE: "note",
    Severity.EXAMPLE: "note",
    Severity.COSMETIC: "note",
}
# GitHub takes 65,536 characters for a comment or an issue.
LIMIT: Final = 60_000
_LONGEST: Final = 600
_MOST_REMARKS: Final = 20


@dataclass(frozen=True)
class Result:
    """
    One comparison.

    Args:
        base: What a person calls it, as *revision*.
        threshold: The least of the classes that fail.
        sides: Both descriptions, for a report that shows what is written in them.
    """

    base: str
    revision: str
    differences: tuple[Difference, ...]
    threshold: Severity
    expired: tuple[Waiver, ...] = ()
    unused: tuple[Waiver, ...] = ()
    notes: tuple[str, ...] = ()
    sides: tuple[Document, ...] = ()

    @property
    def failing(self) -> list[Difference]:
        """What is at or above the threshold and not waived."""
        return [one for one in self.differences if one.severity.rank <= self.threshold.rank and one.waived is None]

    @property
    def has_drift(self) -> bool:
        """Whether the exit code is 1."""
        return bool(self.failing or self.expired)

    @property
    def counts(self) -> str:
        """How many of each class."""
        numbers = Counter(one.severity for one in self.differences)
        told = ", ".join(f"{numbers[severity]} {severity}" for severity in Severity if numbers[severity])
        waived = sum(one.waived is not None for one in self.differences)
        return (told or "no differences") + (f" ({waived} waived)" if waived else "")

    def grouped(self) -> Iterator[tuple[Severity, list[Difference]]]:
        """Worst first."""
        for severity in Severity:
            found = [one for one in self.differences if one.severity is severity]
            if found:
                yield severity, found

    def remarks(self) -> Iterator[str]:
        """What else has to be known."""
        for one in self.expired:
            yield f"waiver {one.fingerprint} expired on {one.until.isoformat()} ({one.who}: {one.reason})"
        for one in self.unused:
            yield f"waiver {one.fingerprint} matches nothing; delete it ({one.who}: {one.reason})"
        yield from self.notes


def as_text(result: Result) -> str:
    """For a terminal."""
    lines = [f"{result.base} → {result.revision}: {result.counts}"]
    for severity, found in result.grouped():
        lines += ["", f"{HEADINGS[severity]} ({len(found)})"]
        for one in found:
            lines += [f"  {one.message}", f"    {_seen(one)}"]
            if touches := one.touches.text:
                lines.append(f"    touches {touches}")
            if one.waived is not None:
                lines.append(f"    waived: {one.waived}")
    remarks = list(result.remarks())
    lines += ["", *remarks] if remarks else []
    return "\n".join(lines) + "\n"


def _seen(one: Difference) -> str:
    others = f", also in {_few(one.operations[1:])}" if len(one.operations) > 1 else ""
    lines = (
        f" (lines {one.base.line or '?'} → {one.revision.line or '?'})" if one.base.line or one.revision.line else ""
    )
    return f"{DIRECTIONS[one.direction]}{others}; {_pointers(one)}{lines}; {one.fingerprint}"


def _few(names: Sequence[str]) -> str:
    more = f"{'over ' if len(names) + 1 >= MOST_NAMES else ''}{len(names) - 8} more"
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:8])} and {more}"


def _pointers(one: Difference) -> str:
    same = one.base.pointer == one.revision.pointer
    return one.base.pointer if same else f"{one.base.pointer} → {one.revision.pointer}"


def as_json(result: Result) -> str:
    """One object, for programs."""
    document = {
        "base": result.base,
        "revision": result.revision,
        "failOn": str(result.threshold),
        "drift": result.has_drift,
        "counts": {str(severity): sum(one.severity is severity for one in result.differences) for severity in Severity},
        "differences": [one.as_json() for one in result.differences],
        "remarks": list(result.remarks()),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def as_markdown(result: Result) -> str:
    """For a pull request or an issue: the worst first, and no more than LIMIT characters."""
    head = [f"### Drift: {_code(result.base)} → {_code(result.revision)}", "", f"{result.counts.capitalize()}."]
    remarks = [f"- {_cell(one)}" for one in result.remarks()]
    head += ["", *remarks[:_MOST_REMARKS]] if remarks else []
    left = LIMIT - sum(len(line) + 1 for line in head) - 1000 * len(Severity)
    lines: list[str] = []
    for severity, found in result.grouped():
        rows: list[str] = []
        for one in found:
            row = _row(one)
            left -= len(row) + 1
            if left < 0:
                break
            rows.append(row)
        more = [f"\n{len(found) - len(rows)} more do not fit in here."] if len(rows) < len(found) else []
        table = ["| in | where | what | why | direction | fingerprint |", "|---|---|---|---|---|---|", *rows, *more]
        heading = f"{HEADINGS[severity]} ({len(found)})"
        if severity.rank <= Severity.POTENTIAL.rank:
            lines += ["", f"#### {heading}", "", *table]
        else:
            lines += ["", f"<details><summary>{heading}</summary>", "", *table, "", "</details>"]
    return "\n".join([*head, *lines]) + "\n"


def _row(one: Difference) -> str:
    place = one.operations[0] if one.operations else "the description"
    what = one.what if one.waived is None else f"{one.what} (waived: {one.waived})"
    cells = [*map(_cell, (place, one.where, what, one.why)), DIRECTIONS[one.direction], f"`{one.fingerprint}`"]
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{' '.join(text.replace('`', '').split())[:_LONGEST]}`"


def _cell(text: str) -> str:
    return escaped(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def escaped(text: str) -> str:
    """*text* in Markdown without meaning: no markup, no link, no image, and nobody is mentioned."""
    plain = re.sub(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", " ".join(text.split()))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("@", "@\N{ZERO WIDTH SPACE}")


def as_github(result: Result) -> str:
    """Workflow commands, which GitHub shows beside the lines."""
    lines = [_command(one, result) for one in result.differences if one.severity.rank <= Severity.PROSE.rank]
    lines += [f"::warning::{_command_text(one)}" for one in result.remarks()]
    return "".join(f"{line}\n" for line in (*lines, f"::notice::{_command_text(result.counts)}"))


def _command(one: Difference, result: Result) -> str:
    level = {"note": "notice"}.get(_LEVELS[one.severity], _LEVELS[one.severity])
    file, place = _file(one, result)
    where = f" file={_command_text(file, is_property=True)},line={place.line or 1}," if file else " "
    title = _command_text(f"drift: {one.severity}", is_property=True)
    return f"::{'notice' if one.waived else level}{where}title={title}::{_command_text(one.message)}"


def _command_text(text: str, *, is_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def _file(one: Difference, result: Result) -> tuple[str, Place]:
    """The file that a reader can open: the revision's, or else the base's; none for what is no file."""
    for name, place in ((result.revision, one.revision), (result.base, one.base)):
        if "://" not in name and not name.startswith(("git:", "generation:")) and name not in ("stdin", "spec"):
            # What stands in another file has its name before the `#`, as seen from the folder of this one.
            other = place.pointer.partition("#")[0]
            path = PurePath(name).parent / other if other else PurePath(name)
            return path.as_posix().replace("\\", "/"), place
    return "", one.revision


def as_sarif(result: Result) -> str:
    """SARIF 2.1.0, each result at the line of the description."""
    from importlib.metadata import version  # noqa: PLC0415 -- for this report only

    kinds = sorted({one.kind for one in result.differences})
    rules = [
        {
            "id": kind,
            "shortDescription": {"text": kind.replace("-", " ")},
            "fullDescription": {"text": f"Sent: {RULES[kind].sent[1]}. Read: {RULES[kind].read[1]}."},
        }
        for kind in kinds
    ]
    document: dict[str, Any] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "coinbase-checkouts drift",
                        "semanticVersion": version("coinbase-checkouts"),
                        "rules": rules,
                    }
                },
                "results": [_sarif(one, result, kinds) for one in result.differences],
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def _sarif(one: Difference, result: Result, kinds: list[str]) -> dict[str, Any]:
    file, place = _file(one, result)
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": place.pointer, "kind": "value"}],
    }
    if file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(file, safe="/:")},
            "region": {"startLine": place.line or 1},
        }
    found: dict[str, Any] = {
        "ruleId": one.kind,
        "ruleIndex": kinds.index(one.kind),
        "level": _LEVELS[one.severity],
        "message": {"text": one.message},
        "locations": [location],
        "partialFingerprints": {"drift/v1": one.fingerprint},
        "properties": {"class": str(one.severity), "direction": str(one.direction), "operations": list(one.operations)},
    }
    if one.waived is not None:
        found["suppressions"] = [{"kind": "external", "justification": one.waived}]
    return found


def as_html(result: Result) -> str:
    """One page for people, with both descriptions side by side."""
    from .as_html import html  # noqa: PLC0415 -- templates cost more than all the rest

    return html(result)


FORMATS: Final[dict[str, Callable[[Result], str]]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
    "sarif": as_sarif,
    "github": as_github,
    "html": as_html,
}
# What `--report-dir` leaves.
FILES: Final = {"drift.md": "markdown", "drift.json": "json", "drift.sarif": "sarif", "drift.html": "html"}
# UTF-8 whatever the terminal knows: programs read them, or they say themselves how they are written.
ENCODED: Final = frozenset({"json", "sarif", "html"})
