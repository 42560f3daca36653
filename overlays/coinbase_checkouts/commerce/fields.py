"""
A JSON object of Commerce, read field by field: what was never asked for is told as lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts.errors import Loss
from coinbase_checkouts.validation import escaped

from .notes import FIELDS, field_lost, noted

# More digits than any money, and few enough to be written out.
_AMOUNT: Final = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_TYPES: Final = {str: "a text", bool: "a truth value", type(None): "null", list: "an array", dict: "an object"}


class Fields:
    """
    One object, and what becomes of its fields.

    Args:
        pointer: Where it stands in what was given.
        losses: Grows with everything that is read otherwise than it was given.
    """

    def __init__(self, given: Mapping[Any, Any], losses: list[Loss], pointer: str = "") -> None:
        self._given = given
        self._taken: set[Any] = set()
        self.losses = losses
        self.pointer = pointer

    def at(self, name: Any) -> str:
        """The JSON pointer of a field."""
        return f"{self.pointer}/{escaped(clean(str(name)))}"

    def lose(self, code: str, name: str | None = None, **gaps: str) -> None:
        """Tell a loss, of a field or of the whole."""
        self.losses.append(noted(code, self.pointer if name is None else self.at(name), **gaps))

    def peek(self, name: str) -> Any:
        """The value as it is, which stays to be told as lost."""
        return self._given.get(name)

    def peeked(self) -> Iterator[tuple[Any, Any]]:
        """All fields as they are, which stay to be told as lost."""
        yield from self._given.items()

    def any(self, name: str) -> Any:
        """The value as it is; None for what is not there or empty."""
        self._taken.add(name)
        value = self._given.get(name)
        return None if is_empty(value) else value

    def text(self, name: str) -> str | None:
        """A text without blanks around it; None for an empty one, and for what is none."""
        value = self.any(name)
        if value is None:
            return None
        if isinstance(value, str):
            if (text := clean(value).strip()) != value.strip():
                self.lose("half-characters", name)
            return text or None
        written = None if isinstance(value, bool | list | Mapping) else written_out(value)
        self.lose("wrong-type" if written is None else "not-text", name, type=type_of(value))
        return written

    def object(self, name: str) -> Fields:
        """The object there; one without fields if there is none."""
        value = self.any(name)
        if isinstance(value, Mapping):
            return Fields(value, self.losses, self.at(name))
        if value is not None:
            self.lose("wrong-type", name, type=type_of(value))
        return Fields({}, self.losses, self.at(name))

    def objects(self, name: str) -> list[Fields]:
        """The objects of the list there."""
        found: list[Fields] = []
        for index, item in enumerate(self._listed(name)):
            place = f"{self.at(name)}/{index}"
            if isinstance(item, Mapping):
                found.append(Fields(item, self.losses, place))
            else:
                self.losses.append(noted("wrong-type", place, type=type_of(item)))
        return found

    def _listed(self, name: str) -> Sequence[Any]:
        value = self.any(name)
        if isinstance(value, list | tuple):
            return value
        if value is not None:
            self.lose("wrong-type", name, type=type_of(value))
        return ()

    def time(self, name: str) -> datetime | None:
        """A time in UTC."""
        text = self.text(name)
        if text is None:
            return None
        moment = as_time(text)
        if moment is None:
            self.lose("time-unusable", name)
        return moment

    def items(self) -> Iterator[tuple[Any, Any]]:
        """All fields; none of them is lost."""
        self._taken.update(self._given)
        yield from self._given.items()

    def left(self, prefix: str = "", *, other: str | None = None) -> None:
        """Tell as lost what is there and was not asked for: *prefix* is of its code, *other* that of the unknown."""
        for name, value in self._given.items():
            if name not in self._taken and not is_empty(value):
                code = prefix + str(name).replace("_", "-")
                self.losses.append(field_lost(code if other is None or code in FIELDS else other, self.at(name)))

    @property
    def is_empty(self) -> bool:
        """Whether it has no fields."""
        return not self._given


def is_empty(value: Any) -> bool:
    """Whether nothing is lost with it: null, and texts, arrays and objects without anything in them."""
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def as_time(given: str | datetime) -> datetime | None:
    """A time with its zone, in UTC; None if it is none."""
    try:
        # " UTC" is Ruby's way.
        moment = datetime.fromisoformat(re.sub(" UTC$", "+00:00", given)) if isinstance(given, str) else given
        return None if moment.utcoffset() is None else moment.astimezone(UTC)
    # The last, of the ends of the calendar.
    except (ValueError, OverflowError):
        return None


def as_amount(value: Any) -> Decimal | None:
    """A number of money, not below 0; None if it is none. Huge ones would fill memory when written out."""
    text = None if isinstance(value, bool) else value.strip() if isinstance(value, str) else written_out(value)
    return None if text is None or _AMOUNT.fullmatch(text) is None else Decimal(text)


def written_out(value: Any) -> str | None:
    """The text of a value that is none: its JSON, and of a number its digits; None for what has neither."""
    try:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return str(value)
        return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))
    # Of a number with thousands of digits; of what is no JSON; of what is nested without end.
    except (TypeError, ValueError, RecursionError):
        return None


def type_of(value: Any) -> str:
    """The type of a JSON value, for a sentence."""
    return "a number" if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else _named(value)


def _named(value: Any) -> str:
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "no JSON")


def clean(text: str) -> str:
    """*text* without half characters, which no request can carry."""
    return text.encode(errors="replace").decode()
