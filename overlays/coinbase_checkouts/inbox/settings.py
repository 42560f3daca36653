"""Settings that cannot be meant, refused where they are given and not hours later in a worker."""

from __future__ import annotations

from typing import Final

from coinbase_checkouts.errors import ConfigurationError

# A century in seconds: timers and databases take it.
_MOST: Final = 3_155_760_000


def number(setting: str, given: object, *, zero: bool) -> None:
    """
    Look whether *given* is a number above 0, or 0 itself if *zero*.

    Raises:
        ConfigurationError: It is not, or so large that no timer and no database takes it.
    """
    # So put, a NaN does not pass.
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not (0 < given <= _MOST or (zero and given == 0))
    ):
        least = "0 or more" if zero else "above 0"
        raise ConfigurationError(f"{setting} must be a number {least}, and at most {_MOST}")


def whole(setting: str, given: object) -> None:
    """
    Look whether *given* is 1, 2, 3…

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(f"{setting} must be a whole number, 1 or more")
