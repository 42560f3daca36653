"""Two checkouts side by side, by value: "1" is "1.00", and times agree to the millisecond."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from .description import description, escaped


def differences(expected: object, actual: object, *, ignoring: Collection[str] = ()) -> list[str]:
    """
    Where *actual* says something else than *expected*, as `pointer: expected → actual`.

    What the description does not have may differ: nothing is promised about it.

    Args:
        ignoring: Top-level fields that may differ.
    """
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        kept = {key: value for key, value in expected.items() if key not in ignoring}
        return _differences(kept, {key: value for key, value in actual.items() if key not in ignoring}, "")
    return _differences(expected, actual, "")


def _differences(expected: object, actual: object, pointer: str) -> list[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        is_ours = "metadata" in pointer.split("/")
        names = [name for name in dict.fromkeys([*expected, *actual]) if is_ours or name in _documented()]
        return [
            found
            for name in names
            for found in _differences(expected.get(name), actual.get(name), f"{pointer}/{escaped(name)}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            found
            for index, (one, other) in enumerate(zip(expected, actual, strict=True))
            for found in _differences(one, other, f"{pointer}/{index}")
        ]
    return [] if _same(expected, actual, pointer) else [f"{pointer or '/'}: {_shown(expected)} → {_shown(actual)}"]


@cache
def _documented() -> frozenset[str]:
    """The names of all members that the description has in any object."""
    schemas = description().document["components"]["schemas"]
    return frozenset(name for schema in schemas.values() for name in schema.get("properties", ()))


def _same(expected: object, actual: object, pointer: str) -> bool:
    if expected == actual:
        return type(expected) is type(actual)
    if not (isinstance(expected, str) and isinstance(actual, str)) or pointer.startswith("/metadata"):
        return False
    if pointer.endswith("mount"):
        return None is not amount(expected) == amount(actual)
    if pointer.endswith("At"):
        return None is not time_of(expected) == time_of(actual)
    if pointer.endswith(("/address", "/tokenAddress")):
        # A checksum in the case of letters is a way to write it.
        return expected.casefold() == actual.casefold()
    return False


def amount(text: Any) -> Decimal | None:
    """An amount by value; None for what is none."""
    try:
        value = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return value if value.is_finite() else None


def time_of(text: object) -> datetime | None:
    """A time to the millisecond; None for what is none, or one that Python cannot hold, such as a leap second."""
    try:
        return moment(str(text))
    except (ValueError, OverflowError):
        return None


def moment(text: str) -> datetime:
    """A time to the millisecond, in UTC."""
    # fromisoformat of Python 3.11 takes any fraction, and Z.
    read = datetime.fromisoformat(text.upper()).astimezone(UTC)
    return read.replace(microsecond=read.microsecond // 1000 * 1000)


def _shown(value: object) -> str:
    return "absent" if value is None else repr(value)
