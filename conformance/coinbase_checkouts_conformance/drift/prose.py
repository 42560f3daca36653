"""
Two texts side by side: which words went and came, and the numbers among them.

A changed limit or default is often told in words only, so its numbers are given whatever else changed.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

# A number with its unit: "24 hours", "$5.00", "2.5 %", "20".
_NUMBER: Final = re.compile(
    r"[$€£]?\d[\d,._]*\d(?:\s?(?:%|[a-z]{1,12}\b))?|[$€£]?\d(?:\s?(?:%|[a-z]{1,12}\b))?", re.IGNORECASE
)
# Codes such as USDC or PARTIALLY_REFUNDED.
_CODE: Final = re.compile(r"\b[A-Z][A-Z0-9_]{2,}\b")
_WORD: Final = re.compile(r"\S+")
_MOST_WORDS: Final = 2_000
_MOST_SHOWN: Final = 3


def change(before: str, after: str) -> str:
    """What changed, in words."""
    if not before:
        return f"“{_short(after)}” is new"
    if not after:
        return f"“{_short(before)}” is gone"
    told = _words(before, after)
    numbers = [
        _only(_NUMBER.findall(before), _NUMBER.findall(after)),
        _only(_CODE.findall(before), _CODE.findall(after)),
    ]
    for (gone, come), kind in zip(numbers, ("numbers", "codes"), strict=True):
        if gone or come:
            told += f"; {kind}: {', '.join(gone) or 'none'} → {', '.join(come) or 'none'}"
    return told


def _only(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    one, other = dict.fromkeys(map(_trimmed, before)), dict.fromkeys(map(_trimmed, after))
    return [text for text in one if text not in other], [text for text in other if text not in one]


def _trimmed(number: str) -> str:
    return number.rstrip(",._")


def _words(before: str, after: str) -> str:
    one, other = _WORD.findall(before)[:_MOST_WORDS], _WORD.findall(after)[:_MOST_WORDS]
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    parts = [
        (" ".join(one[a1:a2]), " ".join(other[b1:b2]))
        for tag, a1, a2, b1, b2 in matcher.get_opcodes()
        if tag != "equal"
    ]
    if matcher.ratio() < 0.4 or len(parts) > _MOST_SHOWN:
        return f"“{_short(before)}” → “{_short(after)}”"
    return ", ".join(
        f"“{_short(gone)}” → “{_short(come)}”"
        if gone and come
        else f"“{_short(come or gone)}” {'came' if come else 'went'}"
        for gone, come in parts
    )


def _short(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
