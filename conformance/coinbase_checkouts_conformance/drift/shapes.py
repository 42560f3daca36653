"""
What values look like, without the values: in words for a message, and as a schema that all of them keep.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from coinbase_checkouts_conformance.evidence import holds

# More names than that in one object are no fields, but somebody's keys.
MOST_FIELDS: Final = 100
DEEPEST: Final = 20

_TYPES: Final[dict[type[Any], str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
}
_FORMATS: Final = ("date-time", "uri")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,63}")
# What has many digits is an id, a number or a hash, whatever else it has.
_DATA: Final = re.compile(r"(?:\d\D*){7}|[0-9a-fA-F]{16}|://")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,](\d+))?")
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
_FRACTIONS: Final = {0: "whole seconds", 3: "milliseconds", 6: "microseconds", 9: "nanoseconds"}
_SHAPES: Final = (
    ("a UUID", re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")),
    ("an e-mail address", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("a URL", re.compile(r"[a-z][a-z0-9+.-]*://\S+")),
    ("a date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("a whole number as text", re.compile(r"-?\d+")),
)
_DECIMAL: Final = re.compile(r"-?\d+\.(\d+)")
# Unix time between 2001 and 2286, in seconds and then in ever smaller parts.
_UNIX: Final = ((1e9, "seconds"), (1e12, "milliseconds"), (1e15, "microseconds"), (1e18, "nanoseconds"))


def is_name(text: str) -> bool:
    """Whether *text* can be the name of a field that somebody chose, and is nobody's data."""
    return _NAME.fullmatch(text) is not None and _DATA.search(text) is None


def is_word(value: object) -> bool:
    """Whether *value* is like a member of an enum, which may be shown, and not somebody's data."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None and _DATA.search(value) is None


def type_of(value: object) -> str:
    """Its type in JSON Schema."""
    return "null" if value is None else _TYPES[type(value)]


def fraction(text: str) -> str:
    """How exact a time of RFC 3339 is written; empty if it is none."""
    found = _TIME.match(text)
    digits = len(found[1] or "") if found else None
    return "" if digits is None else _FRACTIONS.get(digits, f"{digits} digits after the second")


def shape(value: object) -> str:
    """*value* in words that do not give it away."""
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for least, unit in _UNIX:
            if least <= value < 10 * least:
                return f"a number that looks like Unix {unit}"
        return "a whole number" if isinstance(value, int) else "a number"
    kind = type_of(value)
    return {"null": "null", "boolean": "true or false"}.get(kind, f"an {kind}")


def _of_text(text: str) -> str:
    if not text:
        return "an empty text"
    if exact := fraction(text):
        return f"a time in {exact}" + ("" if _ZONE.search(text) else " without a zone")
    for words, pattern in _SHAPES:
        if pattern.fullmatch(text):
            return words
    if found := _DECIMAL.fullmatch(text):
        return f"a decimal with {len(found[1])} places"
    if re.fullmatch(r"(0x)?[0-9a-fA-F]+", text):
        return f"{len(text)} characters, hexadecimal"
    return f"{len(text)} characters"


class Shape:
    """What a number of values have in common. The values are not kept."""

    def __init__(self) -> None:
        self._types: Counter[str] = Counter()
        self._fits: dict[str, bool] = {}
        self._fields: dict[str, Shape] = {}
        self._items: Shape | None = None
        self._is_map = False

    @property
    def is_known(self) -> bool:
        """Whether there was any value."""
        return bool(self._types)

    def add(self, value: object, depth: int = 0) -> None:
        """One more value."""
        self._types[type_of(value)] += 1
        if isinstance(value, str):
            for name in _FORMATS:
                self._fits[name] = self._fits.get(name, True) and holds("format", name, value)
        elif depth < DEEPEST and isinstance(value, list):
            self._items = self._items or Shape()
            for one in value:
                self._items.add(one, depth + 1)
        elif isinstance(value, dict):
            self._add_fields(value, depth)

    def _add_fields(self, value: Mapping[str, object], depth: int) -> None:
        if depth >= DEEPEST or not all(map(is_name, value)) or len({*self._fields, *value}) > MOST_FIELDS:
            self._is_map = True
            self._fields.clear()
        if not self._is_map:
            for name, one in value.items():
                self._fields.setdefault(name, Shape()).add(one, depth + 1)

    def schema(self, source: Mapping[str, Any], *, is_field: bool = True) -> dict[str, Any]:
        """
        A schema that every value keeps; a null alone tells nothing of what else may come.

        Args:
            source: What each field says of where it comes from.
            is_field: This is one.
        """
        types = sorted(self._types)
        if "number" in types and "integer" in types:
            types.remove("integer")
        found: dict[str, Any] = {}
        if types and types != ["null"]:
            found["type"] = types[0] if len(types) == 1 else types
        if "string" in types and (name := next((one for one in _FORMATS if self._fits[one]), None)):
            found["format"] = name
        if is_field:
            found |= source
        if self._items is not None and self._items.is_known:
            found["items"] = self._items.schema(source, is_field=False)
        if self._is_map:
            found["additionalProperties"] = True
        elif self._fields:
            found["properties"] = {name: one.schema(source) for name, one in self._fields.items()}
        return found
