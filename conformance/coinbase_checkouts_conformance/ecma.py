r"""
Patterns as JSON Schema means them: ECMA-262, not Python.

Python's `re` differs in ways that let wrong amounts and ids pass: `$` also matches before a trailing newline, `\d`
and `\w` take the digits and letters of every script, and `.` takes a carriage return.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# What each escape or sign stands for outside a character class; inside one, the brackets go.
_OUTSIDE: Final = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\/": "/",
    "$": r"\Z",
    ".": r"[^\n\r\u2028\u2029]",
}
_INSIDE: Final = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\/": "/", "[": r"\["}
_TOKEN: Final = re.compile(r"\\.|.", re.DOTALL)


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """*pattern* for Python's `re`, with the meaning ECMA-262 (no flags) gives it."""
    out: list[str] = []
    in_class = False
    for found in _TOKEN.finditer(pattern):
        token = found[0]
        if in_class:
            in_class = token != "]"  # noqa: S105 -- a token of the pattern
            out.append(_INSIDE.get(token, token))
        else:
            in_class = token == "["  # noqa: S105 -- a token of the pattern
            out.append(_OUTSIDE.get(token, token))
    return re.compile("".join(out))


def matches(pattern: str, text: str) -> bool:
    """Whether *pattern* is found in *text*; not anchored, as in JSON Schema."""
    return compile_pattern(pattern).search(text) is not None
