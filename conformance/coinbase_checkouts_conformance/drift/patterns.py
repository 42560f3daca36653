"""
Whether one pattern accepts more than another, proved by a text: a witness that one accepts and the other does not.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from coinbase_checkouts_conformance.ecma import matches

from .regexes import Automaton, NotUnderstoodError, automaton, representatives

# States that are looked at before it is said that nobody knows; a second or so.
_BUDGET: Final = 150_000
_SURROGATES: Final = range(0xD800, 0xE000)
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
        first, second = automaton(before), automaton(after)
        witnesses, decided = _witnesses(first, second)
    except NotUnderstoodError:
        return Comparison(None, None, decided=False)
    gained = _confirmed(witnesses[False, True], after, before)
    lost = _confirmed(witnesses[True, False], before, after)
    # A witness that the other reader of patterns does not confirm is none, and then nothing is known.
    doubt = (gained is None) != (witnesses[False, True] is None) or (lost is None) != (witnesses[True, False] is None)
    return Comparison(gained, lost, decided=decided and not doubt)


def _witnesses(first: Automaton, second: Automaton) -> tuple[dict[tuple[bool, bool], str | None], bool]:
    """The shortest texts on which the two disagree, either way; and whether everything was looked at."""
    found: dict[tuple[bool, bool], str | None] = {(False, True): None, (True, False): None}
    chars = [char for char in representatives(first, second) if char not in _SURROGATES]
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


def _confirmed(witness: str | None, accepts: str, refuses: str) -> str | None:
    try:
        good = witness is not None and matches(accepts, witness) and not matches(refuses, witness)
    except (re.error, RecursionError, OverflowError):
        return None
    return witness if good else None
