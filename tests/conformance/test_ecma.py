"""Patterns mean what ECMA-262 says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts_conformance.ecma import compile_pattern, matches

AMOUNT = r"^\d+(\.\d{1,2})?$"
HEX = "^[0-9a-f]{24}$"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (AMOUNT, "12.34", True),
        (AMOUNT, "12.34\n", False),
        (AMOUNT, "١٢.٣٤", False),
        (AMOUNT, "12.345", False),
        (HEX, "68f7a946db0529ea9b6d3a12", True),
        (HEX, "68f7a946db0529ea9b6d3a12\n", False),
        ("^https://.*", "https://example.com\nx", True),
        ("^https://.*$", "https://example.com\nx", False),
        (r"^a.b$", "a\rb", False),
        (r"^a.b$", "a\u2028b", False),
        (r"^\w+$", "ab_9", True),
        (r"^\w+$", "é", False),
        (r"^[\d.]+$", "1.5", True),
        (r"^[\d.]+$", "٥", False),
        (r"^[$]$", "$", True),
        (r"^\$$", "$", True),
        (r"^[^\w]$", "é", True),
        (r"^\D$", "٥", True),
        (r"^a\/b$", "a/b", True),
        ("b", "abc", True),
    ],
)
def test_patterns_mean_what_ecma_says(pattern: str, text: str, expected: bool) -> None:
    """
    The end is the very end, digits and letters are ASCII, a dot is no line break; nothing is anchored.
    """
    assert expected == matches(pattern, text)


@given(st.from_regex(re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?"), fullmatch=True))
def test_every_plain_amount_matches(text: str) -> None:
    """
    What consists of ASCII digits and at most two decimals is an amount.
    """
    assert matches(AMOUNT, text) is True


@given(st.text(max_size=12))
def test_only_ascii_digits_and_a_dot_make_an_amount(text: str) -> None:
    """
    An amount that matches has no other sign in it than ASCII digits and one dot.
    """
    expected = (
        text.isascii()
        and text.replace(".", "", 1).isdigit()
        and re.fullmatch("[0-9]+([.][0-9]{1,2})?", text) is not None
    )
    assert expected == matches(AMOUNT, text)


def test_patterns_are_compiled_once() -> None:
    """
    The same pattern is not translated twice.
    """
    assert compile_pattern(AMOUNT) is compile_pattern(AMOUNT)
