"""
Whether one pattern accepts more than another, proved by a text: a witness that one accepts and the other does not.

Texts of one line are meant: `^a.*` and `^a.*$` are written for the same, though `.` takes no line end.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, product
from typing import Final

from .regexes import LINE_ENDS, Automaton, NotUnderstoodError, automaton, representatives

# States that are looked at before it is said that nobody knows; a second or so.
_BUDGET: Final = 150_000
# Of short texts that are tried on patterns that look around, fewer where these are large.
_TEXTS: Final = 5_000
_TRIED_STATES: Final = 1_000_000
# States times characters of one text that is held against a pattern; some seconds at the worst.
_MOST_TO_HOLD: Final = 5_000_000
_CHARS: Final = 8
_LONGEST: Final = 8
_NOT_IN_A_LINE: Final = frozenset((*range(0xD800, 0xE000), *map(ord, LINE_ENDS)))
ANY_TEXT: Final = ""


@dataclass(frozen=True)
class Comparison:
    """
    Two patterns side by side.

    Args:
        gained: A text that only the second accepts; None when there is none or none was found.
        lost: A text that only the first accepts.
        decided: Whether None means that there is no such text.
    """

    gained: str | None
    lost: str | None
    decided: bool


@lru_cache(maxsize=512)
def compared(before: str, after: str) -> Comparison:
    """What *after* accepts more or less than *before*; ANY_TEXT stands for no pattern."""
    if before == after:
        return Comparison(None, None, decided=True)
    try:
        first, second = _automaton(before), _automaton(after)
    except NotUnderstoodError:
        return Comparison(None, None, decided=False)
    if first.looks or second.looks:
        return _tried(first, second, before + after)
    witnesses, decided = _witnesses(first, second)
    return Comparison(witnesses[False, True], witnesses[True, False], decided)


def accepts(pattern: str, text: str) -> bool | None:
    """Whether *text* keeps *pattern*, soon; None where that takes too much."""
    try:
        made = _automaton(pattern)
    except NotUnderstoodError:
        return None
    work = len(made.steps) * len(text) * (1 + made.looks * len(text))
    return made.accepts(text) if work <= _MOST_TO_HOLD else None


_automaton = lru_cache(maxsize=512)(automaton)


def _tried(first: Automaton, second: Automaton, written: str) -> Comparison:
    """What short texts of the characters in both patterns tell of the two; that there is none proves nothing."""
    chars = list(dict.fromkeys(char for char in written + "a0" if char.isalnum() or char in " -_./:@"))[:_CHARS]
    texts = chain.from_iterable(map("".join, product(chars, repeat=length)) for length in range(_LONGEST + 1))
    most = _TRIED_STATES // sum(len(one.steps) * (1 + one.looks) for one in (first, second))
    gained = lost = None
    for text in islice(texts, min(_TEXTS, most)):
        one, other = first.accepts(text), second.accepts(text)
        gained = text if gained is None and other and not one else gained
        lost = text if lost is None and one and not other else lost
    return Comparison(gained, lost, decided=False)


def _witnesses(first: Automaton, second: Automaton) -> tuple[dict[tuple[bool, bool], str | None], bool]:
    """The shortest texts on which the two disagree, either way; and whether everything was looked at."""
    found: dict[tuple[bool, bool], str | None] = {(False, True): None, (True, False): None}
    chars = [char for char in representatives(first, second) if char not in _NOT_IN_A_LINE]
    start = (
        first.reached(frozenset({0}), at_start=True),
        second.reached(frozenset({0}), at_start=True),
    )
    come_from: dict[tuple[frozenset[int], frozenset[int]], tuple[tuple[frozenset[int], frozenset[int]], int] | None]
    come_from = {start: None}
    waiting = deque([start])
    looked_at = 0
    while waiting:
        pair = waiting.popleft()
        at_start = come_from[pair] is None
        verdict = tuple(
            one.final in one.reached(states, at_start=at_start, at_end=True)
            for one, states in zip((first, second), pair, strict=True)
        )
        key = (verdict[0], verdict[1])
        if key in found and found[key] is None:
            text: list[str] = []
            step = come_from[pair]
            while step is not None:
                text.append(chr(step[1]))
                step = come_from[step[0]]
            found[key] = "".join(reversed(text))
            if all(one is not None for one in found.values()):
                return found, True
        looked_at += (len(pair[0]) + len(pair[1])) * len(chars)
        if looked_at > _BUDGET:
            return found, False
        for char in chars:
            following = (
                first.reached(first.after(pair[0], char), at_start=False),
                second.reached(second.after(pair[1], char), at_start=False),
            )
            if following not in come_from:
                come_from[following] = (pair, char)
                waiting.append(following)
    return found, True
