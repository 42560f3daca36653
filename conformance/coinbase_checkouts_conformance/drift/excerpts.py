"""
What a difference looks like where it is written: a few lines of both descriptions, and which of them are not in the
other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from .differences import Difference, Place

GONE: Final = "-"
NEW: Final = "+"
SAME: Final = " "
CUT: Final = "…"

# Of these kinds one side has no lines but those where it would stand.
_WHOLE: Final = re.compile(
    "(operation|event|field|parameter|body|media|branch|server|success|error|rule)-(?P<how>added|removed)"
)
_MOST_READ: Final = 200
_MOST_SHOWN: Final = 16
_MOST_UNCHANGED: Final = 6
_LONGEST: Final = 200
_BEFORE: Final = 2


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line.

    Args:
        number: 0 for lines that are left out.
        sign: GONE, NEW, SAME, or CUT for lines that are left out.
    """

    number: int
    sign: str
    text: str


Excerpt = list[Line]


def beside(one: Difference, base: Sequence[str], revision: Sequence[str]) -> tuple[Excerpt, Excerpt]:
    """
    What of both descriptions shows *one*, base first; nothing of a side where its line is not known.

    Args:
        base: All lines of the description, as *revision*.
    """
    left, right = _extent(base, one.base), _extent(revision, one.revision)
    if _only(one, "added", one.base, one.revision):
        signs = [SAME] * len(left), [NEW] * len(right)
    elif _only(one, "removed", one.revision, one.base):
        signs = [GONE] * len(left), [SAME] * len(right)
    else:
        signs = _compared([_meant(base[index]) for index in left], [_meant(revision[index]) for index in right])
    return _shown(base, left, signs[0]), _shown(revision, right, signs[1])


def _only(one: Difference, how: str, without: Place, place: Place) -> bool:
    """Whether there is nothing of it at *without*: it came or went as a whole, or stands further in at *place*."""
    whole = _WHOLE.match(one.kind)
    came_or_went = whole is not None and whole["how"] == how
    return came_or_went or not without.is_there or place.pointer.startswith(f"{without.pointer}/")


def _extent(text: Sequence[str], place: Place) -> range:
    """The lines of what begins at *place*: those indented deeper, as in YAML and in JSON for people."""
    # A pointer into another file has a line there.
    if place.line is None or not place.pointer.startswith("#") or not 0 < place.line <= len(text):
        return range(0)
    first = place.line - 1
    depth, is_element = _depth(text[first]), text[first].lstrip().startswith("-")
    last = first
    for index in range(first + 1, min(len(text), first + _MOST_READ)):
        line = text[index].strip()
        inside = _depth(text[index]) > depth or (
            _depth(text[index]) == depth and ((line.startswith("- ") and not is_element) or line[:1] in ("}", "]"))
        )
        if line and not inside:
            break
        last = index if line else last
    return range(first, last + 1)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _meant(line: str) -> str:
    return line.strip().removesuffix(",")


def _compared(left: list[str], right: list[str]) -> tuple[list[str], list[str]]:
    signs = [GONE] * len(left), [NEW] * len(right)
    for start, other, size in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        signs[0][start : start + size] = [SAME] * size
        signs[1][other : other + size] = [SAME] * size
    return signs


def _shown(text: Sequence[str], extent: range, signs: list[str]) -> Excerpt:
    """Two lines before for where it is, its first line, and what changed with a line around it."""
    if not extent:
        return []
    changed = [index for index, sign in enumerate(signs) if sign != SAME]
    wanted = (
        {near for index in changed for near in (index - 1, index, index + 1)} if changed else range(_MOST_UNCHANGED)
    )
    kept = [index for index in range(len(extent)) if index == 0 or index in wanted]
    lines = [Line(index + 1, SAME, _cut(text[index])) for index in range(max(0, extent[0] - _BEFORE), extent[0])]
    for before, index in zip([-1, *kept], kept[:_MOST_SHOWN], strict=False):
        if index > before + 1:
            lines.append(Line(0, CUT, ""))
        lines.append(Line(extent[index] + 1, signs[index], _cut(text[extent[index]])))
    if len(kept) > _MOST_SHOWN or kept[-1] < len(extent) - 1:
        lines.append(Line(0, CUT, ""))
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
