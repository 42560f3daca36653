"""
Times as whole milliseconds since 1970-01-01T00:00:00Z, and RFC 3339 text.

Milliseconds because that is the finest fraction seen in the API's published samples (webhook bodies), and
whole numbers because they compare exactly in any database.
"""

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_DAY_MS: Final = 86_400_000

# The last moment that RFC 3339 can write, which has four digits for the year.
LATEST_MS: Final = (date.max.toordinal() + 1 - _EPOCH_DAY) * _DAY_MS - 1

# Of the sandbox's time: room above it for every expiry.
LATEST_NOW_MS: Final = LATEST_MS - 366 * _DAY_MS

_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


def wall_clock_ms() -> int:
    """Real time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def milliseconds(text: str, *, up: bool = False) -> int:
    """
    The moment that an RFC 3339 text names.

    Args:
        text: A date-time the description's format check has accepted. A leap second counts as the second after it.
        up: Round a fraction finer than a millisecond up instead of down, which keeps a lower bound exact.

    Raises:
        ValueError: Not RFC 3339.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 date-time")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign, offset_hour, offset_minute = found.groups()[6:]
    # RFC 3339 knows a year 0 and Python does not; the calendar repeats every 400 years of 146,097 days.
    ordinal = date(year, month, day).toordinal() if year else date(400, month, day).toordinal() - 146_097
    seconds = (ordinal - _EPOCH_DAY) * 86_400 + hour * 3600 + minute * 60 + second
    if sign:
        seconds -= int(f"{sign}1") * (int(offset_hour) * 3600 + int(offset_minute) * 60)
    digits = fraction or ""
    remainder = 1 if up and digits[3:].strip("0") else 0
    return seconds * 1000 + int(digits[:3].ljust(3, "0")) + remainder


def rfc3339(moment_ms: int) -> str:
    """
    RFC 3339 in UTC with Z, always with milliseconds, so that later moments are also greater as text.

    The published samples of webhooks are written so; those of the reference pages have whole seconds.
    """
    moment = _EPOCH + timedelta(milliseconds=moment_ms)
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"
