"""
Whether to try again, and when. Facts in, decision out; no clock, no randomness, no network.

Retries sit above signing, so that each attempt carries its own token.

| setting           | default | meaning                                                     |
|-------------------|---------|-------------------------------------------------------------|
| `max_retries`     | 2       | attempts after the first                                    |
| `timeout`         | 30 s    | for one attempt, at most 5 s of it to connect               |
| `deadline`        | 90 s    | for the whole call, waiting included                        |
| first, last wait  | 0.5, 8 s| a random part of 0.5 s doubled per attempt, never over 8 s  |
| `Retry-After`     | 60 s    | obeyed up to here; beyond it the call ends with the error   |
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

CONNECT_TIMEOUT_S: Final = 5.0
RETRY_AFTER_LIMIT_S: Final = 60.0
OFFSET_LIMIT_S: Final = 3600.0

# Answers that may be different next time. 520 to 529 are the codes of a proxy whose origin failed.
RETRYABLE_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504, *range(520, 530)})
# Answers to a state that forbids the operation, in whichever reading of the documents.
REFUSALS: Final = frozenset({400, 409, 422})
# Sent by proxies whose client or origin went away in the middle.
_GONE_STATUSES: Final = frozenset({408, 460, 499})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often to try; seconds. See the table above."""

    max_retries: int = 2
    timeout_s: float = 30.0
    deadline_s: float = 90.0
    base_s: float = 0.5
    cap_s: float = 8.0


def is_unclear(status: int) -> bool:
    """Whether the service may have acted although it answered with this status; codes that nobody defined count."""
    return status >= 500 or status in _GONE_STATUSES


def retry_after_s(value: str | None, *, now_s: float) -> float | None:
    """
    Seconds that a `Retry-After` header asks for, in either of its forms; None for none or nonsense.

    Args:
        value: Seconds or an HTTP date.
        now_s: Unix seconds.
    """
    if value is None:
        return None
    digits = value.strip()
    if digits.isdecimal() and digits.isascii():
        return float(digits)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def offset_s(date: str | None, *, now_s: float) -> float | None:
    """
    Seconds that the clock behind a `Date` header is ahead of *now_s*; None for none or nonsense.

    A second or less is no difference: the header has none finer. More than an hour is no clock: a token
    stamped so far ahead would be good for whoever keeps it until then.
    """
    try:
        ahead = parsedate_to_datetime(date or "").timestamp() - now_s
    except (ValueError, OverflowError):
        return None
    if abs(ahead) > OFFSET_LIMIT_S:
        return None
    return ahead if abs(ahead) > 1 else 0.0


def backoff_s(attempt: int, policy: RetryPolicy, *, draw: float) -> float:
    """
    Seconds to wait after failed attempt number *attempt*: full jitter under a cap.

    Args:
        attempt: 1 for the first.
        draw: Uniform in [0, 1).
    """
    # 2.0 ** 1024 overflows a float; the cap has long won by 2 ** 60.
    return draw * min(policy.cap_s, policy.base_s * 2.0 ** min(attempt - 1, 60))


def delay_s(
    attempt: int,
    policy: RetryPolicy,
    *,
    status: int | None,
    retry_after: str | None,
    now_s: float,
    spent_s: float,
    draw: float,
) -> float | None:
    """
    Seconds to wait before trying again, or None to give up.

    Args:
        attempt: How many attempts have been made.
        status: HTTP status of the last one; None when no answer came.
        now_s: Unix seconds, to read a date in *retry_after*.
        spent_s: Seconds since the call began.
    """
    if attempt > policy.max_retries or not (status is None or status in RETRYABLE_STATUSES):
        return None
    wait = backoff_s(attempt, policy, draw=draw)
    asked = retry_after_s(retry_after, now_s=now_s)
    if asked is not None:
        if asked > RETRY_AFTER_LIMIT_S:
            return None
        # Not before the time asked for; the jitter on top keeps a crowd apart.
        wait += asked
    return wait if spent_s + wait < policy.deadline_s else None
