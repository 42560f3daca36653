"""
Which of the names that are gone is now called which of those that are new.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Final, TypeVar

from .schemas import Schema

# So long a sentence is hardly said of two fields, in characters.
_MANY_WORDS: Final = 20

# How sure a new name is that has nothing in common with the old one but the schema.
_GUESS: Final = 0.01

_Key = TypeVar("_Key", str, tuple[str, str])


def renamed(old: str, name: str, schema: Schema, before: str, after: str) -> float:
    """
    How sure it is that *old* is now called *name*, where both look like *schema*: 0 when it is not, up to 2.

    *before* and *after* is what is said of them.
    """
    likeness = alike(old, name)
    same_words = bool(before) and before == after
    if same_words and len(before) >= _MANY_WORDS:
        return 1 + likeness
    # A rich schema says more than a name: few fields are enums with the same values.
    is_rich = bool(schema.enum or schema.properties or schema.patterns)
    if likeness >= (0.5 if is_rich or same_words else 0.75):
        return likeness
    return _GUESS if is_rich or schema.formats or schema.limits else 0


def best_pairs(likely: Mapping[tuple[_Key, _Key], float]) -> list[tuple[_Key, _Key]]:
    """Each old name with at most one new, the surest first; a guess only where nothing else could be meant."""
    pairs: list[tuple[_Key, _Key]] = []

    def free(pair: tuple[_Key, _Key]) -> bool:
        return all(pair[0] != old and pair[1] != new for old, new in pairs)

    for pair, sure in sorted(likely.items(), key=lambda one: (-one[1], one[0])):
        rivals = (one for one in likely if (one[0] == pair[0]) != (one[1] == pair[1]) and free(one))
        if free(pair) and not (sure == _GUESS and any(rivals)):
            pairs.append(pair)
    return pairs


def alike(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; case, `_`, `-` and dots do not count."""
    a, b = ("".join(char for char in name.lower() if char.isalnum()) for name in (one, other))
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    if min(len(a), len(b)) >= 4 and (a in b or b in a):
        return 0.8
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
