"""Whether to try again, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts.retries import RetryPolicy, backoff_s, delay_s, retry_after_s

NOW = 1_800_000_000.0


@given(st.integers(1, 5000), st.floats(0, 1, exclude_max=True))
def test_backoff_is_jittered_under_the_cap(attempt: int, draw: float) -> None:
    """
    However late the attempt, the wait is between 0 and the cap, and grows with the draw from nothing.
    """
    policy = RetryPolicy()
    assert 0 <= backoff_s(attempt, policy, draw=draw) <= policy.cap_s
    assert backoff_s(attempt, policy, draw=0) == 0


@pytest.mark.parametrize(("attempt", "expected"), [(1, 0.25), (2, 0.5), (3, 1.0), (5, 4.0), (6, 4.0)])
def test_backoff_doubles(attempt: int, expected: float) -> None:
    """
    Half of the range is 0.25 s first and doubles up to half of the cap.
    """
    assert expected == backoff_s(attempt, RetryPolicy(), draw=0.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("0\x1f", 0.0),
        ("9" * 400, float("inf")),
        (format_datetime(datetime.fromtimestamp(NOW + 9, UTC), usegmt=True), 9.0),
        (format_datetime(datetime.fromtimestamp(NOW - 9, UTC), usegmt=True), 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("١", None),
        ("", None),
        ("Wed, 99 Nov 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, expected: float | None) -> None:
    """
    Seconds and dates are understood, dates gone by are now, nonsense is nothing.
    """
    assert expected == retry_after_s(value, now_s=NOW)


@given(st.text())
def test_no_retry_after_raises(value: str) -> None:
    """
    Whatever the header holds, reading it raises nothing and is never negative.
    """
    seconds = retry_after_s(value, now_s=NOW)
    assert seconds is None or seconds >= 0


def delay(
    attempt: int = 1, *, status: int | None = None, retry_after: str | None = None, spent_s: float = 0
) -> float | None:
    return delay_s(attempt, RetryPolicy(), status=status, retry_after=retry_after, now_s=NOW, spent_s=spent_s, draw=0.5)


@pytest.mark.parametrize("status", [None, 408, 429, 500, 502, 503, 504, 520, 525, 529])
def test_passing_faults_are_retried(status: int | None) -> None:
    """
    No answer, and the statuses that may be different next time, are tried again.
    """
    assert delay(status=status) == 0.25


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 422, 501, 505, 519, 530])
def test_other_answers_are_final(status: int) -> None:
    """
    Success, refusals and statuses that will not change are not tried again.
    """
    assert delay(status=status) is None


def test_retries_end() -> None:
    """
    The first attempt and two more are made by default, and none that the deadline would cut off.
    """
    assert delay(2) == 0.5
    assert delay(3) is None
    assert delay(1, spent_s=89.0) == 0.25
    assert delay(1, spent_s=89.9) is None


def test_retry_after_is_obeyed_up_to_a_limit() -> None:
    """
    Not before the time asked for; a time beyond the limit or the deadline ends the call.
    """
    assert delay(status=429, retry_after="7") == 7.25
    assert delay(status=429, retry_after="60") == 60.25
    assert delay(status=429, retry_after="61") is None
    assert delay(status=429, retry_after="60", spent_s=30) is None
