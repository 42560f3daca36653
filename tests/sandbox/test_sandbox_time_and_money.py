"""Times to the millisecond, amounts to the cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from coinbase_checkouts_sandbox import money
from coinbase_checkouts_sandbox.clock import LATEST_MS, milliseconds, rfc3339, wall_clock_ms


@settings(deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)), st.timedeltas(-timedelta(1), timedelta(1)))  # noqa: DTZ001
def test_times_read_as_the_standard_library_reads_them(moment: datetime, offset: timedelta) -> None:
    """
    Any moment with any offset is the same number of milliseconds as datetime makes it.
    """
    minutes = int(offset.total_seconds() // 60) % 1440
    sign = "-" if minutes % 2 else "+"
    text = f"{moment.isoformat()}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    expected = (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert expected == milliseconds(text)


@pytest.mark.parametrize(
    ("text", "down", "up"),
    [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01t00:00:00.0019z", 1, 2),
        ("1970-01-01T00:00:00.0010000Z", 1, 1),
        ("1970-01-01T01:00:00+01:00", 0, 0),
        ("1969-12-31T23:00:00-01:00", 0, 0),
        ("1998-12-31T23:59:60Z", 915_148_800_000, 915_148_800_000),
        ("0000-02-29T00:00:00Z", -62_162_121_600_000, -62_162_121_600_000),
        ("9999-12-31T23:59:59.999Z", LATEST_MS, LATEST_MS),
    ],
)
def test_edges_of_time(text: str, down: int, up: int) -> None:
    """
    Fractions round as asked; leap seconds and the year 0 are read.
    """
    assert (down, up) == (milliseconds(text), milliseconds(text, up=True))


@pytest.mark.parametrize(
    "text", ["", "2026-01-01", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "٢026-01-01T00:00:00Z"]
)
def test_other_texts_are_no_time(text: str) -> None:
    """
    What is not RFC 3339 is a ValueError.
    """
    with pytest.raises(ValueError, match="RFC 3339"):
        milliseconds(text)


@settings(deadline=None)
@given(
    st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]+)?([Zz]|[+-][0-2][0-9]:[0-5][0-9])\Z"
    )
)
def test_whatever_the_description_accepts_is_read(text: str) -> None:
    """
    No text passes the format check of a date-time and then fails to be read.
    """
    if Draft202012Validator({"format": "date-time"}, validate_formats=True).is_valid(text):
        assert isinstance(milliseconds(text), int)


@settings(deadline=None)
@given(st.integers(0, LATEST_MS))
def test_written_times_read_back(moment_ms: int) -> None:
    """
    A time survives being written, and always has milliseconds, so that text sorts as time does.
    """
    text = rfc3339(moment_ms)
    assert (moment_ms, 24) == (milliseconds(text), len(text))


def test_the_wall_clock_is_unix_time() -> None:
    """
    Real time is what the system says, in milliseconds.
    """
    before = datetime.now(UTC).timestamp()
    assert before - 1 <= wall_clock_ms() / 1000 <= before + 60


@pytest.mark.parametrize(
    ("amount", "expected"), [("0.005", "0.01"), ("0.004", "0.00"), ("1.005", "1.01"), ("1E+3", "1000.00")]
)
def test_half_a_cent_is_rounded_up(amount: str, expected: str) -> None:
    """
    Cents are rounded half up, and written without an exponent.
    """
    assert expected == money.text(Decimal(amount))


@settings(deadline=None)
@given(st.decimals("0.01", "100000000", places=2))
def test_fee_and_net_are_the_total(amount: Decimal) -> None:
    """
    The fee is within half a cent of the rate, by whole-number arithmetic.
    """
    cents = int(amount * 100)
    assert (cents * 125 + 5000) // 10_000 == int(money.fee(amount, money.FEE_RATE) * 100)
