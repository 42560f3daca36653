"""Polling, driven by hand: no network, no clock."""

from __future__ import annotations

from typing import Any

import pytest

from coinbase_checkouts import Checkout, operations, reading
from coinbase_checkouts.calls import Pause, Surroundings
from coinbase_checkouts.errors import (
    CheckoutsError,
    NeverReachedError,
    NotFoundError,
    ServerError,
    WaitTimeoutError,
)
from coinbase_checkouts.waiting import Read, Until, poll

GET = operations.checked(operations.get("68f7a946db0529ea9b6d3a12", operations.Checks(0)))


def drive(
    checkout_json: dict[str, Any],
    replies: list[str | CheckoutsError],
    until: Until | None = None,
    timeout_s: float = 600,
    took_s: float = 0,
) -> tuple[Any, list[float], list[float]]:
    """What polling came to, its pauses and the deadlines of its readings; the last reply repeats."""
    clock = [0.0]
    polling = poll(
        GET,
        until,
        timeout_s=timeout_s,
        world=Surroundings(lambda: 0, lambda: clock[0], lambda: 0.5, lambda _: None, lambda _: None),
    )
    pauses: list[float] = []
    deadlines: list[float] = []
    reply: Checkout | CheckoutsError | None = None
    try:
        while True:
            step = polling.send(reply)
            reply = None
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                clock[0] += step.seconds
            else:
                assert isinstance(step, Read)
                deadlines.append(step.deadline_s)
                clock[0] += took_s
                said = replies[min(len(deadlines), len(replies)) - 1]
                reply = Checkout.from_dict({**checkout_json, "status": said}) if isinstance(said, str) else said
    except StopIteration as stop:
        return stop.value, pauses, deadlines
    except CheckoutsError as exc:
        return exc, pauses, deadlines


def test_waits_until_the_payment_is_decided(checkout_json: dict[str, Any]) -> None:
    """
    By default any final status ends it; the pauses grow, each spread around three quarters of the longest.
    """
    found, pauses, _ = drive(checkout_json, ["ACTIVE", "ACTIVE", "PROCESSING", "FAILED"])
    assert found.status == "FAILED"
    assert [0.75, 1.125, 1.6875] == pauses


def test_pauses_do_not_grow_for_ever(checkout_json: dict[str, Any]) -> None:
    """
    However long one waits, the pause stays below its cap.
    """
    _, pauses, _ = drive(checkout_json, ["ACTIVE"], timeout_s=3600)
    assert max(pauses) == 15 * 0.75


@pytest.mark.parametrize("until", ["PROCESSING", ["COMPLETED", "PROCESSING"], reading.is_paid, None])
def test_until_is_a_status_several_or_a_question(until: Until | None, checkout_json: dict[str, Any]) -> None:
    """
    A status, several of them, a function, or nothing can be waited for.
    """
    found, _, _ = drive(checkout_json, ["ACTIVE", "PROCESSING", "COMPLETED"], until)
    assert found.status in ("PROCESSING", "COMPLETED")


def test_unknown_status_can_be_waited_for_and_through(checkout_json: dict[str, Any]) -> None:
    """
    A status nobody documented is neither the end nor an obstacle.
    """
    assert drive(checkout_json, ["ON_HOLD", "COMPLETED"])[0].status == "COMPLETED"
    assert drive(checkout_json, ["ACTIVE", "ON_HOLD"], "ON_HOLD")[0].status == "ON_HOLD"


@pytest.mark.parametrize(
    ("status", "until"),
    [
        ("EXPIRED", "COMPLETED"),
        ("REFUNDED", "PARTIALLY_REFUNDED"),
        ("COMPLETED", "DEACTIVATED"),
        ("FAILED", ["COMPLETED"]),
    ],
)
def test_what_cannot_come_is_not_waited_for(status: str, until: Until, checkout_json: dict[str, Any]) -> None:
    """
    A status after which the wanted one cannot follow ends it at once, with the checkout.
    """
    error, pauses, _ = drive(checkout_json, ["ACTIVE", status], until)
    assert (NeverReachedError, status, 1) == (type(error), error.checkout.status, len(pauses))
    assert f"the checkout is {status}, after which" in str(error)


def test_refund_after_completion_is_waited_for(checkout_json: dict[str, Any]) -> None:
    """
    COMPLETED is no end where a refund is waited for.
    """
    assert drive(checkout_json, ["COMPLETED", "REFUNDED"], "REFUNDED")[0].status == "REFUNDED"


def test_timeout_has_the_last_checkout(checkout_json: dict[str, Any]) -> None:
    """
    After the time, and not before, it ends with an error that is a TimeoutError, too.
    """
    error, pauses, deadlines = drive(checkout_json, ["ACTIVE"], "COMPLETED", timeout_s=10, took_s=1)
    assert isinstance(error, WaitTimeoutError)
    assert isinstance(error, TimeoutError)
    assert error.checkout.status == "ACTIVE"
    assert str(error) == "not COMPLETED within 10 s; last seen ACTIVE"
    assert sum(pauses) + len(deadlines) <= 10
    assert [10.0, 8.25] == deadlines[:2], "no reading may outlast the wait"
    error, _, _ = drive(checkout_json, ["ACTIVE"], reading.is_paid, timeout_s=1)
    assert str(error) == "not so within 1 s; last seen ACTIVE"


def test_passing_trouble_is_waited_through(checkout_json: dict[str, Any]) -> None:
    """
    A server that fails for a while does not end the wait; one that fails to the end is named as the cause.
    """
    trouble = ServerError(status=503, retryable=True)
    assert drive(checkout_json, [trouble, trouble, "COMPLETED"])[0].status == "COMPLETED"
    error, _, _ = drive(checkout_json, [trouble], timeout_s=5)
    assert (None, trouble) == (error.checkout, error.__cause__)
    assert str(error).endswith("never read")


def test_lasting_trouble_ends_it(checkout_json: dict[str, Any]) -> None:
    """
    A checkout that does not exist is not waited for.
    """
    missing = NotFoundError(status=404)
    error, pauses, _ = drive(checkout_json, [missing])
    assert missing is error
    assert [] == pauses


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf")])
def test_wait_without_an_end_is_refused(timeout_s: float, checkout_json: dict[str, Any]) -> None:
    """
    A timeout that is no time is told before anything is read.
    """
    with pytest.raises(ValueError, match="timeout"):
        drive(checkout_json, ["ACTIVE"], timeout_s=timeout_s)
