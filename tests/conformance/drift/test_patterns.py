"""Two patterns are told apart by texts, and by nothing else."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_conformance.drift.patterns import ANY_TEXT, accepts, compared
from coinbase_checkouts_conformance.ecma import matches

PIECES = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\d", r"\w", "(a|bc)", "(?:b)"])
COUNTS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?"])
PATTERNS = st.tuples(
    st.sampled_from(["", "^"]),
    st.lists(st.tuples(PIECES, COUNTS).map("".join), max_size=4).map("".join),
    st.sampled_from(["", "$"]),
).map("".join)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, PATTERNS, st.lists(st.text("abc1. ", max_size=6), max_size=8))
def test_agrees_with_matching(before: str, after: str, texts: list[str]) -> None:
    """A witness is one, and where there is none no text tells the two apart."""
    result = compared(before, after)
    assert result.decided
    assert result.gained is None or (matches(after, result.gained) and not matches(before, result.gained))
    assert result.lost is None or (matches(before, result.lost) and not matches(after, result.lost))
    for text in texts:
        assert result.gained is not None or matches(before, text) or not matches(after, text)
        assert result.lost is not None or matches(after, text) or not matches(before, text)


@pytest.mark.parametrize(
    ("before", "after", "gained", "lost"),
    [
        ("^[0-9]+$", r"^\d+$", None, None),
        ("^(a|b)$", "^[ab]$", None, None),
        ("^a{2,}$", "^aa+$", None, None),
        (ANY_TEXT, ".*", None, None),
        (ANY_TEXT, "^.*$", None, None),
        ("^https://.*", "^https://.*$", None, None),
        ("^https://", "^https?://", "http://", None),
        ("^[0-9a-f]{4}$", "^[0-9a-fA-F]{4}$", "000A", None),
        (r"^\d+(\.\d{1,2})?$", r"^\d+(\.\d{2})?$", None, "0.0"),
        (r"^[\w.]+$", r"^[\w.-]+$", "-", None),
        (r"^\u0041\x42\/$", "^AB/$", None, None),
    ],
)
def test_known(before: str, after: str, gained: str | None, lost: str | None) -> None:
    """The shortest text that tells two patterns apart is found."""
    result = compared(before, after)
    assert (gained, lost, True) == (result.gained, result.lost, result.decided)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("^(?!a)", "^b"),
        (r"\bword\b", "word"),
        (r"(a)\1", "aa"),
        ("[", "a"),
        ("(", "a"),
        ("*", "a"),
        ("^a{1,20}b.{30}$", "a.{12}b"),
        ("((a{50}){50}){50}", "a"),
        ("(" * 2_000 + "a" + ")" * 2_000, "a"),
        (r"\u{110000}", "a"),
        ("[z-a]", "a"),
    ],
)
def test_undecided(before: str, after: str) -> None:
    """What is too much to decide is said to be, soon."""
    started = time.monotonic()
    assert not compared(before, after).decided
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("^a$", "^(a?){30}a{30}$"),
        ("^a$", "^(a?){30}a{30}b$"),
        ("^(?!b)(a?){30}a{30}$", "^a$"),
        ("^(?=a)(a?){300}a{3}$", "^(?=a)(a?){300}a{4}$"),
        ("^(?!x)(([a-z]+)+)+$", "^(?!y)(([a-z]+)+)+$"),
        (r"^(a?){30}a{30}\1$", "^a$"),
        ("^(?=.*(?=.*(?=.*(?=.*(?=.*a)))))", "^b"),
    ],
)
def test_takes_its_time_from_nobody(before: str, after: str) -> None:
    """However many ways a pattern leaves to match, two are compared soon."""
    started = time.monotonic()
    compared(before, after)
    compared(after, before)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "pattern",
    [
        "(?<=a)b",
        "(?<!a)b",
        r"\bab\b",
        r"\Ba",
        "^(?!.*aa).*$",
        "a(?!b)",
        "^(?=.*b)(?!.*aa)",
        "(?<=^a)b|^$",
        "(?:a(?=b))+",
    ],
)
def test_looks_around(pattern: str) -> None:
    """With look-around, what a pattern accepts is what anybody's reader says it does."""
    texts = ["".join(chars) for length in range(6) for chars in product("ab ", repeat=length)]
    assert [text for text in texts if matches(pattern, text)] == [text for text in texts if accepts(pattern, text)]


def test_holds_soon() -> None:
    """Whether a text keeps a pattern is said at once, or not at all."""
    started = time.monotonic()
    found = [accepts("^(a?){30}a{30}$", "a" * 29), accepts(r"(a+)+\1$", "a" * 50), accepts("(?=.*a)b", "b" * 100_000)]
    assert (found, time.monotonic() - started < 1) == ([False, None, None], True)
