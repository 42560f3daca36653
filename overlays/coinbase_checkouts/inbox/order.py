"""Which of two events of one checkout tells the newer state, from what they say and not from when they came."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from coinbase_checkouts.webhooks import Event

LENGTH: Final = 29

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))", re.ASCII)
_START: Final = datetime(1, 1, 1, tzinfo=UTC)
_MOST: Final = 9999
# What the place of a time has room for, until the year 3169.
_LATEST_NS: Final = 10**20 - 1
# In the order in which a checkout goes through them. Source: rule checkout.status-changes in spec/openapi.yaml.
_STAGES: Final = {
    "ACTIVE": 0,
    "PROCESSING": 1,
    "DEACTIVATED": 2,
    "EXPIRED": 2,
    "FAILED": 2,
    "COMPLETED": 3,
    "PARTIALLY_REFUNDED": 4,
    "REFUNDED": 5,
}
_UNKNOWN_STAGE: Final = 6


def position(event: Event) -> str:
    """
    Where *event* stands among those of its checkout: digits, all of one length, that sort as the states do.

    What counts first is `updatedAt`, to the nanosecond. Two states may share it (a published sample is FAILED and
    says it was updated when it was created), so next is what can only grow: how many refunds there are, how many of
    them have ended, and how far the status is. A payload without a time stands before all that have one.
    """
    given = event.raw.get("refunds")
    refunds = [refund for refund in given if isinstance(refund, dict)] if isinstance(given, list) else []
    ended = sum(refund.get("status") in ("COMPLETED", "FAILED") for refund in refunds)
    status = event.raw.get("status")
    stage = _STAGES.get(status, _UNKNOWN_STAGE) if isinstance(status, str) else 0
    updated_ns = _nanoseconds(event.raw.get("updatedAt"))
    return f"{updated_ns:020d}{min(len(refunds), _MOST):04d}{min(ended, _MOST):04d}{stage:d}"


def _nanoseconds(value: object) -> int:
    """Since the year 1, and at most 20 digits; 0 for what is no time."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return 0
    day, time, fraction, offset = found.groups()
    try:
        passed = datetime.fromisoformat(f"{day}T{time}{offset or '+00:00'}") - _START
    except ValueError:
        return 0
    seconds = max(0, passed.days * 86400 + passed.seconds)
    return min(seconds * 1_000_000_000 + int(f"{fraction or '':0<9.9}"), _LATEST_NS)
