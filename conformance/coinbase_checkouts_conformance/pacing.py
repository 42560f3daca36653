"""How fast to ask, and how long to wait when the server has had enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

# The documents allow a key 500 writes and 600 reads in 10 s; other work may share it.
RATE_ELSEWHERE: Final = 20.0
# Waits after answers that name none; together longer than the documented window.
BACKOFF_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass
class Pace:
    """At most *rate* requests a second; None for as many as come."""

    rate: float | None = None
    _next_at: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """How long to wait before a request that could be sent *now_s*; it is counted as sent then."""
        if self.rate is None:
            return 0.0
        at = max(self._next_at, now_s)
        self._next_at = at + 1 / self.rate
        return at - now_s


def retry_after_s(value: str, now: datetime) -> float | None:
    """What a Retry-After header asks for, in seconds: a number, or a date of HTTP; None when it is neither."""
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
