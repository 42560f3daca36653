"""
`report.html`: one page that needs nothing else, neither network nor server, and can be read without JavaScript.

Everything in it comes from a server that may be hostile: it is escaped, and `page` lets nothing run but its own script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import Any, Final

from markupsafe import Markup

from coinbase_checkouts_conformance.claims import named
from coinbase_checkouts_conformance.coverage import Row
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.outcomes import BREAKING, FAIL, OUTCOMES, PASS, SKIPPED, UNKNOWN, Outcome
from coinbase_checkouts_conformance.page import page
from coinbase_checkouts_conformance.scrub import excerpt
from coinbase_checkouts_conformance.traffic import Place, Recorded

from .as_markdown import SIGNS
from .matrix import PART, Cell, Group, groups, strength
from .run import STANDINGS, UNOFFICIAL, Run, versions

# All exchanges together, each with so much around its bodies; a longer body is cut, and says so. With everything else
# the page stays below 2 MB.
_EXCHANGES: Final = 1_050_000
_AROUND: Final = 250
_CUTS: Final = (8000, 4000, 2000, 1000, 500, 250, 100)
# Of hundreds of witnesses a few are enough to look at; how many there are is told.
_MOST_PLACES: Final = 3
_MOST_EXCHANGES: Final = 3000

_CELL_SIGNS: Final = SIGNS | {PART: "◐", UNKNOWN: "○"}
# Of a cell that has everything, by the strongest evidence it has.
_SEEN_SIGNS: Final = {"live": "✔", "sandbox": "✓", "documented": "¶"}
_CELL_WORDS: Final = {
    PASS: "all seen",
    PART: "seen in part",
    UNKNOWN: "no evidence",
    SKIPPED: "not reachable",
    FAIL: "broken",
}
_OUTCOME_WORDS: Final = {
    "pass": "",
    "warn": "holds, with something undocumented",
    "fail": "",
    "error": "the check itself went wrong",
    "skipped": "not reachable on this server",
    "unknown": "not tried: nothing is known",
}


@dataclass(frozen=True)
class _Place:
    """Where an exchange is on the page."""

    number: int
    exchange: Recorded
    limit: int

    def __html__(self) -> str:
        """Its markup. By hand, because there are a thousand of them, and quotes need no escaping in text."""
        one = self.exchange
        query = "&".join(f"{name}={value}" for name, value in one.query)
        target = excerpt(f"{one.path}?{query}" if query else one.path, limit=200)
        summary = f"<b>{_text(one.method)}</b> {_text(target)} <i>{one.status}</i>"
        headers = [f"{name}: {value}" for name, value in one.request_headers.items() if name == "x-idempotency-key"]
        sent = [excerpt(header) for header in headers]
        sent += [excerpt(one.content, limit=self.limit)] if one.content else []
        got = excerpt(one.answer, limit=self.limit) or "(empty)"
        request = f"<p>request</p><pre tabindex=0>{_text(chr(10).join(sent))}</pre>" if sent else ""
        answer = f"<p>answer {_text(excerpt(one.content_type, limit=80))}</p><pre tabindex=0>{_text(got)}</pre>"
        return f"<details class=x id=x{self.number}><summary>{summary}</summary>{request}{answer}</details>"


def html(run: Run) -> str:
    """The page."""
    by = description()
    places = _places(run)
    matrix = groups(run.coverage.rows, run.outcomes) if run.coverage else []
    cells = _Cells(places)
    by_test: dict[str, list[_Place]] = {}
    for (name, _), place in places.items():
        by_test.setdefault(name, []).append(place)
    shown = [_group(group, cells, by.operations) for group in matrix]
    return page(
        "report.html",
        styles=("report.css",),
        script="report.js",
        run=run,
        by=by,
        outcomes=OUTCOMES,
        words=_OUTCOME_WORDS,
        signs=SIGNS,
        cell_signs=_CELL_SIGNS,
        seen_signs=_SEEN_SIGNS,
        cell_words=_CELL_WORDS,
        standings=STANDINGS,
        unofficial=UNOFFICIAL,
        versions=versions(),
        broken=run.outcomes.of(*BREAKING),
        claims=_by_topic(run, by_test),
        others=by_test,
        operations_of=_operations,
        matrix=shown,
        cells=Markup(cells.as_json),  # noqa: S704 -- without `<`
        missing=run.coverage.missing if run.coverage else [],
        unreachable=_by_reason(run.coverage.rows if run.coverage else ()),
        documents=by.document["x-documents"],
        named=named,
    )


def _text(text: str) -> str:
    return escape(text, quote=False)


def _places(run: Run) -> dict[tuple[str, int], _Place]:
    every = [exchange for conversation in run.conversations for exchange in conversation][:_MOST_EXCHANGES]
    sizes = [size for one in every for size in (len(one.content), len(one.answer))]
    left = _EXCHANGES - _AROUND * len(every)
    limit = next((cut for cut in _CUTS if sum(min(size, cut) for size in sizes) <= left), _CUTS[-1])
    return {(one.place.file, one.place.index): _Place(number, one, limit) for number, one in enumerate(every)}


def _by_topic(run: Run, by_test: dict[str, list[_Place]]) -> dict[str, list[dict[str, Any]]]:
    """Claims by module, each with its exchanges, which are taken out of *by_test*: every one is on the page once."""
    topics: dict[str, list[dict[str, Any]]] = {}
    for outcome in run.outcomes.by_claim.values():
        places = [place for test in outcome.tests for place in by_test.pop(test, ())]
        standings = sorted({place.exchange.place.standing for place in places})
        one = {"outcome": outcome, "operations": _operations(places), "standings": standings, "places": places}
        topics.setdefault(_topic(outcome), []).append(one)
    return topics


def _operations(places: Iterable[_Place]) -> str:
    return " ".join(sorted({place.exchange.operation.id for place in places if place.exchange.operation}))


def _topic(outcome: Outcome) -> str:
    return outcome.claim.test.partition("::")[0].removeprefix("test_")


class _Cells:
    """What the page's dialog shows of each cell, by number; written once, as JSON."""

    def __init__(self, places: dict[tuple[str, int], _Place]) -> None:
        self._places = places
        self._cells: list[dict[str, Any]] = []

    def add(self, title: str, cell: Cell) -> tuple[int, str]:
        """Its number, and where the page shows its evidence to those without JavaScript."""
        rows = [self._row(row) for row in cell.rows]
        self._cells.append({"t": title, "s": cell.state, "b": list(cell.broken), "r": rows})
        first = next((place for row in cell.rows for place in (*row.kept, *row.refused)), None)
        found = first and self._places.get((first.file, first.index))
        return len(self._cells) - 1, f"x{found.number}" if found else "gaps"

    def _row(self, row: Row) -> dict[str, Any]:
        atom = row.constraint
        source = description().source(atom.pointer)
        sides = {side: self._seen(getattr(row, side)) for side in atom.wanted}
        shown = {
            "i": atom.id,
            "s": atom.sentence,
            "p": atom.pointer,
            "c": list(row.claims),
            "e": sides,
            "u": row.unreachable,
            "d": [source.standing, *source.documents],
        }
        return {name: value for name, value in shown.items() if value}

    def _seen(self, seen: Iterable[Place]) -> list[Any]:
        """How many of each standing, and the numbers of a few: of each standing one before any has two."""
        by_standing: dict[str, list[Place]] = {}
        for place in sorted(seen, key=strength):
            by_standing.setdefault(place.standing, []).append(place)
        turns = [
            place for turn in zip_longest(*(some[:_MOST_PLACES] for some in by_standing.values())) for place in turn
        ]
        first = [self._places.get((place.file, place.index)) for place in filter(None, turns)]
        counts = {standing: len(some) for standing, some in by_standing.items()}
        return [counts, *(found.number for found in first[:_MOST_PLACES] if found)]

    @property
    def as_json(self) -> str:
        """Safe between script tags: there is no `<` in it."""
        documents = {
            name: [one["title"], one.get("url", "")] for name, one in description().document["x-documents"].items()
        }
        # Each conversation with the number of its first exchange: where one with a higher number is found.
        tests: dict[str, list[Any]] = {}
        for (name, _), place in self._places.items():
            tests.setdefault(name, [place.number, name, place.exchange.place.standing])
        content = {"cells": self._cells, "documents": documents, "tests": list(tests.values())}
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.replace("<", "\\u003c")


def _group(group: Group, cells: _Cells, operations: Iterable[str]) -> dict[str, Any]:
    lines = []
    for line in group.lines:
        title = " ".join(filter(None, (group.title, line.label, line.demand)))
        shown = {
            name: _cell(f"{name or 'rule'}: {title}", cell, *cells.add(f"{name} · {title}".removeprefix(" · "), cell))
            for name, cell in line.cells.items()
        }
        lines.append({"line": line, "cells": shown, "operations": list(filter(None, shown))})
    whole = {name: group.cell(name) for name in ("", *operations)}
    rows = [row for cell in whole.values() for row in cell.rows]
    return {
        "title": group.title,
        "lines": lines,
        "whole": {name: one for name, one in whole.items() if one.rows},
        "all": Cell(rows),
    }


def _cell(title: str, cell: Cell, number: int, target: str) -> dict[str, Any]:
    standings = cell.standings
    seen = standings[0] if cell.state == PASS and standings else ""
    return {
        "state": cell.state,
        "sign": _SEEN_SIGNS.get(seen, _CELL_SIGNS[cell.state]),
        "seen": seen,
        "standings": standings,
        "label": f"{title}: {_CELL_WORDS[cell.state]}",
        "number": number,
        "target": target,
    }


def _by_reason(rows: Iterable[Row]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.unreachable:
            reasons.setdefault(row.unreachable, []).append(row.constraint.id)
    return reasons
