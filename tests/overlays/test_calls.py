"""The conversation of one call, driven by hand: no network, no clock."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest

from coinbase_checkouts import operations
from coinbase_checkouts.calls import Answer, Attempt, NoAnswer, Pause, Surroundings, converse
from coinbase_checkouts.errors import (
    AuthenticationError,
    BadRequestError,
    CheckoutsError,
    ConflictError,
    InvalidResponseError,
    NoResponseError,
    Outcome,
    ServerError,
)
from coinbase_checkouts.operations import Call
from coinbase_checkouts.retries import RetryPolicy
from coinbase_checkouts.sensor import Drift

ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
CHECKS = operations.Checks(0)
GET = operations.checked(operations.get(ID, CHECKS))
REFUND = operations.checked(operations.refund(ID, 1, currency=None, reason=None, idempotency_key=KEY, checks=CHECKS))
DEFAULTS = RetryPolicy()
DEACTIVATE = operations.checked(operations.deactivate(ID, CHECKS))
NOW = 1_800_000_000
OFFSETS: list[float] = []
"""What the conversation learnt of the service's clock, newest run only."""
DRIFTS: list[Drift] = []
"""What it reported, newest run only."""
LOST = NoAnswer(sent=True, reason="ReadTimeout")
UNSENT = NoAnswer(sent=False, reason="ConnectError")


def drive(
    call: Call[Any],
    replies: list[Answer | NoAnswer],
    policy: RetryPolicy = DEFAULTS,
    took_s: float = 0,
    *,
    strict: bool = False,
) -> tuple[Any, list[Attempt | Pause]]:
    """What the call came to, and every step it asked for; each attempt takes *took_s* seconds."""
    clock = [0.0]
    OFFSETS.clear()
    DRIFTS.clear()
    world = Surroundings(lambda: NOW, lambda: clock[0], lambda: 0.5, OFFSETS.append, DRIFTS.append, strict)
    conversation = converse(call, policy, world)
    steps: list[Attempt | Pause] = []
    reply: Answer | NoAnswer | None = None
    waiting = iter(replies)
    try:
        while True:
            step = conversation.send(reply)
            steps.append(step)
            if isinstance(step, Attempt):
                clock[0] += took_s
                reply = next(waiting)
            else:
                clock[0] += step.seconds
                reply = None
    except StopIteration as stop:
        return stop.value, steps
    except CheckoutsError as exc:
        return exc, steps


def ok(checkout_json: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(checkout_json).encode())


def test_first_success_ends_it(checkout_json: dict[str, Any]) -> None:
    """
    A good answer is returned after one attempt.
    """
    result, steps = drive(GET, [ok(checkout_json)])
    assert result.id == ID
    assert [Attempt(GET, timeout_s=30.0)] == steps


def test_passing_fault_is_waited_out(checkout_json: dict[str, Any]) -> None:
    """
    After a 503 and a lost answer the third attempt counts; the waits grow.
    """
    result, steps = drive(GET, [Answer(503, b""), LOST, ok(checkout_json)])
    assert result.id == ID
    assert [0.25, 0.5] == [step.seconds for step in steps if isinstance(step, Pause)]


def test_every_attempt_sends_the_same_call() -> None:
    """
    All attempts carry the same bytes and the same idempotency key.
    """
    _, steps = drive(REFUND, [LOST, Answer(503, b""), LOST])
    sent = [step.call for step in steps if isinstance(step, Attempt)]
    assert [REFUND] * 3 == sent
    assert KEY == sent[2].idempotency_key


def test_refusal_is_raised_at_once() -> None:
    """
    A 400 is not tried again.
    """
    error, steps = drive(REFUND, [Answer(400, b"{}")])
    assert (BadRequestError, Outcome.REFUSED, 1) == (type(error), error.outcome, len(steps))


def test_last_error_is_raised_when_retries_end() -> None:
    """
    After the last attempt its own error is raised, with the key to go on with.
    """
    error, steps = drive(REFUND, [LOST, LOST, Answer(500, b"{}")])
    assert (ServerError, Outcome.UNKNOWN, KEY, 5) == (type(error), error.outcome, error.idempotency_key, len(steps))


@pytest.mark.parametrize(
    ("replies", "call", "expected"),
    [
        ([UNSENT], REFUND, Outcome.NOT_SENT),
        ([LOST], REFUND, Outcome.UNKNOWN),
        ([LOST], GET, Outcome.REFUSED),
        ([UNSENT], GET, Outcome.NOT_SENT),
        ([LOST, UNSENT], REFUND, Outcome.UNKNOWN),
        ([Answer(503, b""), UNSENT], REFUND, Outcome.UNKNOWN),
        ([Answer(429, b""), UNSENT], REFUND, Outcome.NOT_SENT),
    ],
)
def test_outcome_remembers_every_attempt(replies: list[Answer | NoAnswer], call: Call[Any], expected: Outcome) -> None:
    """
    One attempt that may have acted makes the outcome unknown, whatever came after it.
    """
    error, _ = drive(call, replies, RetryPolicy(max_retries=len(replies) - 1))
    assert (NoResponseError, expected, True) == (type(error), error.outcome, error.retryable)


def test_refusal_after_an_unclear_attempt_stays_unclear() -> None:
    """
    A 400 after a lost answer does not say that the first attempt did nothing.
    """
    error, _ = drive(REFUND, [LOST, Answer(400, b"{}")])
    assert (BadRequestError, Outcome.UNKNOWN) == (type(error), error.outcome)


def test_deadline_cuts_attempts_and_ends_retries() -> None:
    """
    An attempt gets what is left of the deadline, and none is begun that the deadline would forbid.
    """
    policy = RetryPolicy(max_retries=9, timeout_s=30, deadline_s=50)
    error, steps = drive(GET, [LOST] * 9, policy, took_s=20)
    timeouts = [step.timeout_s for step in steps if isinstance(step, Attempt)]
    assert [30.0, 29.75, 9.25] == timeouts
    assert isinstance(error, NoResponseError)


def test_retry_after_is_obeyed(checkout_json: dict[str, Any]) -> None:
    """
    A 429 that names its time is tried again after it.
    """
    _, steps = drive(GET, [Answer(429, b"", headers={"retry-after": "3"}), ok(checkout_json)])
    assert Pause(3.25) == steps[1]


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (http_date(NOW + 90), [90.0]),
        (http_date(NOW - 90), [-90.0]),
        (http_date(NOW + 1), [0.0]),
        (http_date(NOW + 3600), [3600.0]),
        (http_date(NOW + 3601), []),
        (http_date(NOW + 10**9), []),
        (None, []),
        ("yesterday", []),
    ],
)
def test_401_is_tried_once_more_by_the_service_s_clock(
    date: str | None, expected: list[float], checkout_json: dict[str, Any]
) -> None:
    """
    After a 401 the next attempt follows at once, stamped with the time the answer was.
    """
    result, steps = drive(GET, [Answer(401, b"{}", headers={"date": date} if date else {}), ok(checkout_json)])
    assert result.id == ID
    assert [Attempt, Attempt] == [type(step) for step in steps]
    assert expected == OFFSETS


def test_second_401_is_final() -> None:
    """
    A key that is refused twice is refused, and what its answers said of the time is forgotten; without retries,
    once is enough.
    """
    error, _ = drive(GET, [Answer(401, b"{}", headers={"date": http_date(NOW + 90)})] * 2)
    assert (AuthenticationError, [90.0, 0.0]) == (type(error), OFFSETS)
    error, steps = drive(GET, [Answer(401, b"{}")] * 3)
    assert (AuthenticationError, 2) == (type(error), len(steps))
    error, steps = drive(GET, [Answer(401, b"{}")], RetryPolicy(max_retries=0))
    assert (AuthenticationError, 1) == (type(error), len(steps))


@pytest.mark.parametrize("first", [LOST, Answer(503, b"")])
@pytest.mark.parametrize("refusal", [400, 409, 422])
def test_deactivation_refused_because_it_is_done(
    first: Answer | NoAnswer, refusal: int, checkout_json: dict[str, Any]
) -> None:
    """
    After an unclear attempt a refusal is settled by reading: DEACTIVATED means done.
    """
    done = {**checkout_json, "status": "DEACTIVATED"}
    result, steps = drive(DEACTIVATE, [first, Answer(refusal, b"{}"), ok(done)])
    assert result.status == "DEACTIVATED"
    last = steps[-1]
    assert isinstance(last, Attempt)
    assert last.call.operation == "getCheckout"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("COMPLETED", Outcome.REFUSED),
        ("EXPIRED", Outcome.REFUSED),
        ("ACTIVE", Outcome.UNKNOWN),
        ("PROCESSING", Outcome.UNKNOWN),
        ("ON_HOLD", Outcome.UNKNOWN),
    ],
)
def test_deactivation_refused_because_of_another_status(
    status: str, expected: Outcome, checkout_json: dict[str, Any]
) -> None:
    """
    A status that cannot become DEACTIVATED any more says that nothing happened; any other leaves it open, since
    the first attempt may still be under way.
    """
    error, _ = drive(DEACTIVATE, [LOST, Answer(409, b"{}"), ok({**checkout_json, "status": status})])
    assert (ConflictError, expected) == (type(error), error.outcome)


def test_deactivation_that_cannot_be_settled() -> None:
    """
    If reading fails too, the refusal is raised, and the outcome stays unknown.
    """
    error, _ = drive(DEACTIVATE, [LOST, Answer(409, b"{}"), Answer(404, b"{}")])
    assert (ConflictError, Outcome.UNKNOWN, None) == (type(error), error.outcome, error.__cause__)


def test_deactivation_refused_at_first_is_refused() -> None:
    """
    Without an unclear attempt before it there is nothing to settle.
    """
    error, steps = drive(DEACTIVATE, [Answer(409, b"{}")])
    assert (ConflictError, Outcome.REFUSED, 1) == (type(error), error.outcome, len(steps))


def test_drift_is_reported_and_the_payment_goes_on(checkout_json: dict[str, Any]) -> None:
    """
    An unknown status and an undocumented field are told, in failed answers too, and the result is the checkout.
    """
    news = {**checkout_json, "status": "ON_HOLD", "riskScore": 1}
    result, _ = drive(GET, [Answer(520, b"<html>"), ok(news)])
    assert result.status == "ON_HOLD"
    assert {
        Drift("getCheckout", "status", "", "520"),
        Drift("getCheckout", "enum", "/status", "ON_HOLD"),
        Drift("getCheckout", "undocumented", "/riskScore"),
    } == set(DRIFTS)


def test_strict_makes_an_error_of_drift(checkout_json: dict[str, Any]) -> None:
    """
    With strict a success that is not as described is an InvalidResponseError; for a write the outcome is unknown.
    """
    news = ok({**checkout_json, "riskScore": 1})
    error, _ = drive(GET, [news], strict=True)
    assert isinstance(error, InvalidResponseError)
    assert "undocumented at /riskScore" in str(error)
    error, _ = drive(DEACTIVATE, [news], strict=True)
    assert (InvalidResponseError, Outcome.UNKNOWN) == (type(error), error.outcome)
    result, _ = drive(GET, [ok(checkout_json)], strict=True)
    assert result.id == ID


def test_what_no_retry_can_mend_is_raised_at_once() -> None:
    """
    A failure that is nobody's network has its cause, keeps the key, and is not tried again.
    """
    cause = LookupError("mine")
    error, steps = drive(REFUND, [NoAnswer(sent=True, reason="LookupError", final=True, cause=cause)])
    assert (NoResponseError, Outcome.UNKNOWN, KEY, False, 1) == (
        type(error),
        error.outcome,
        error.idempotency_key,
        error.retryable,
        len(steps),
    )
    assert error.__cause__ is cause


def test_attempts_are_numbered(checkout_json: dict[str, Any]) -> None:
    """
    Each attempt says which it is.
    """
    _, steps = drive(GET, [LOST, LOST, ok(checkout_json)])
    assert [1, 2, 3] == [step.number for step in steps if isinstance(step, Attempt)]


def test_calls_and_answers_do_not_show_what_they_carry(checkout_json: dict[str, Any]) -> None:
    """
    Bodies, headers and keys are not in the repr of what a traceback shows of our frames.
    """
    shown = f"{REFUND!r}{ok(checkout_json)!r}{Attempt(REFUND, timeout_s=1)!r}"
    for hidden in (KEY, "amount", "USDC", "100.50"):
        assert hidden not in shown
