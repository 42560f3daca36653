"""JSON to data at the speed of the standard library; the lines are found later, only if something is to be told."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from typing import Any, Final

from .problems import CouldNotCompareError

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def read_json(text: str) -> tuple[Any, list[str]]:
    """
    The document, and the keys that a mapping has twice.

    Raises:
        CouldNotCompareError: Not JSON; nested too deep.
    """
    twice: list[str] = []

    def built(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice.extend(key for key in counts if counts[key] > 1)
        return made

    def refused(name: str) -> None:
        raise CouldNotCompareError(f"JSON has no {name}")

    try:
        return json.loads(text, object_pairs_hook=built, parse_constant=refused), twice
    except RecursionError:
        raise CouldNotCompareError("is nested too deep") from None
    except ValueError as exc:
        line = f"line {exc.lineno}: " if isinstance(exc, json.JSONDecodeError) else ""
        what = exc.msg if isinstance(exc, json.JSONDecodeError) else "a number is too long"
        raise CouldNotCompareError(f"is not JSON: {line}{what}") from None


def lines_of(text: str, root: Any) -> dict[int, list[int]]:
    """Of each container of *root*, by identity, the line of every key or element, in order; as the YAML reader has them."""
    ends = [found.start() for found in re.finditer("\n", text)]
    found: dict[int, list[int]] = {}
    # What is being read: the container, its lines, and the keys or the number of elements that were met.
    stack: list[tuple[Any, list[int], list[str]]] = []
    value: Any = root
    is_key = False
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "}]":
            done, lines, _ = stack.pop()
            found[id(done)] = lines
        elif mark in ",:":
            is_key = mark == "," and bool(stack) and isinstance(stack[-1][0], dict)
        elif is_key:
            key = json.loads(mark)
            container, lines, keys = stack[-1]
            if key not in keys:
                lines.append(bisect_right(ends, token.start()) + 1)
            keys.append(key)
            value = container.get(key)
        else:
            if stack and isinstance(stack[-1][0], list):
                container, lines, keys = stack[-1]
                value = container[len(keys)] if len(keys) < len(container) else None
                keys.append("")
                lines.append(bisect_right(ends, token.start()) + 1)
            if mark in "{[":
                stack.append((value, [], []))
                is_key = mark == "{"
    return found
