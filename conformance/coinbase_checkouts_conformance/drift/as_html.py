"""
`--format html`: one page that needs nothing else, with what is written in both descriptions side by side.

Everything in it comes from descriptions that may be hostile: it is escaped, and `page` lets nothing run but its own
script. However much changed, it stays below a few MB: the worst first, and it says what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from typing import Any, Final

from coinbase_checkouts_conformance.page import page

from .differences import Difference
from .excerpts import CUT, GONE, NEW, Excerpt, beside
from .reports import DIRECTIONS, HEADINGS, Result
from .verdicts import Direction, Severity

_MOST: Final = 1500
_EXCERPTS: Final = 1_000_000
_LONGEST: Final = 600
_MOST_OPERATIONS: Final = 300
# So many of what counts are unfolded from the start.
_MOST_OPEN: Final = 5

_SIGNS: Final = {
    Severity.BREAKING: "✗",
    Severity.POTENTIAL: "!",
    Severity.ADDITIVE: "+",
    Severity.PROSE: "¶",
    Severity.EXAMPLE: "≈",
    Severity.COSMETIC: "~",
}
_ARROWS: Final = {Direction.REQUEST: "→", Direction.RESPONSE: "←", Direction.EVENT: "⇐"}
_MARKS: Final = {NEW: ("new", "+"), GONE: ("gone", "−"), CUT: ("cut", "⋯")}  # noqa: RUF001 -- as wide as the plus


@dataclass(frozen=True)
class _Shown:
    """A difference on the page, and the two excerpts; None where there is no room for any more."""

    difference: Difference
    sides: tuple[Excerpt, Excerpt] | None
    is_open: bool

    @property
    def excerpts(self) -> list[tuple[str, str, _Lines]]:
        """Title, the words of the place, and the lines of each side."""
        if self.sides is None:
            return []
        places = (("Base", self.difference.base), ("Revision", self.difference.revision))
        return [
            (title, f"{place.pointer}, line {place.line}" if place.line else place.pointer, _Lines(lines))
            for (title, place), lines in zip(places, self.sides, strict=True)
        ]


@dataclass(frozen=True)
class _Lines:
    lines: Excerpt

    def __html__(self) -> str:
        """Its markup. By hand, because there are ten thousand of them."""
        return "".join(_markup(line.number, *_MARKS.get(line.sign, ("", " ")), line.text) for line in self.lines)

    def __bool__(self) -> bool:
        return bool(self.lines)


def html(result: Result) -> str:
    """The page."""
    shown = {severity: list[_Shown]() for severity in Severity}
    for one in _worth_showing(result):
        shown[one.difference.severity].append(one)
    names = Counter(name for one in result.differences for name in one.operations)
    counts = Counter(one.severity for one in result.differences)
    return page(
        "drift.html",
        styles=("report.css", "drift.css"),
        script="drift.js",
        result=result,
        shown=shown,
        counts=counts,
        left_out={severity: counts[severity] - len(some) for severity, some in shown.items()},
        severities=list(Severity),
        headings=HEADINGS,
        signs=_SIGNS,
        directions=DIRECTIONS,
        arrows=_ARROWS,
        # Those that most of it is about, if there are too many.
        operations=sorted(name for name, _ in names.most_common(_MOST_OPERATIONS)),
        cut=_cut,
        version=version("coinbase-checkouts"),
    )


def _worth_showing(result: Result) -> Iterator[_Shown]:
    """The worst first, with excerpts as long as there is room."""
    failing = {id(one) for one in result.failing}
    left = _EXCERPTS
    for one in result.differences[:_MOST]:
        sides = None
        if left > 0 and len(result.sides) == 2:
            sides = beside(one, result.sides[0].text, result.sides[1].text)
            left -= sum(_size(lines) for lines in sides)
        yield _Shown(one, sides, is_open=id(one) in failing and len(failing) <= _MOST_OPEN)


def _size(lines: Excerpt) -> int:
    return sum(len(line.text) + 60 for line in lines)


def _markup(number: int, kind: str, mark: str, text: str) -> str:
    return f'<span class="l {kind}"><i>{number or ""}</i><b>{mark}</b><span>{escape(text, quote=False)}</span></span>'


def _cut(text: Any) -> str:
    told = str(text)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"
