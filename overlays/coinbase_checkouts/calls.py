"""
One call from its first attempt to its end, as a conversation that does no I/O.

The generator says what to do next (`Attempt`: send this; `Pause`: wait) and is told what came of it. The
sync and the async client drive the same generator, so there is one place where a payment is decided.

After an attempt whose effect is unclear every error says `Outcome.UNKNOWN`, even a later refusal: the
first attempt may have acted. A 401 is tried once more, by the service's own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from . import responses
from .errors import CheckoutsError, NoResponseError, Outcome
from .operations import Call, Settlement
from .retries import REFUSALS, RetryPolicy, delay_s, offset_s
from .sensor import LOGGER, Drift, sense

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send the call, once, within *timeout_s* seconds; *number* is 1 for its first attempt."""

    call: Call[Any]
    timeout_s: float
    number: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait *seconds*."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """
    Nothing came back.

    Attributes:
        sent: Whether any of the request may have reached the service.
        reason: Why, for a person; without anything secret.
        final: Whether another attempt could not do better.
        cause: Whose fault it was, if not the network's.
    """

    sent: bool
    reason: str
    final: bool = False
    cause: Exception | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What a conversation knows of the world.

    Attributes:
        now_s: Unix seconds.
        monotonic_s: Seconds that never jump; the deadline is counted in them.
        draw: Uniform in [0, 1).
        learn_offset: Told how many seconds the service's clock is ahead of *now_s*, so that the next
            token is stamped with its time.
        report: Told every way in which an answer is not as described.
        strict: Make an error of each of them.
    """

    now_s: Callable[[], float]
    monotonic_s: Callable[[], float]
    draw: Callable[[], float]
    learn_offset: Callable[[float], None]
    report: Callable[[Drift], None]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    What a call that succeeded came to, beside its model.

    Attributes:
        headers: Of the last answer; names in any case.
        elapsed_s: From the first attempt to the last answer, pauses included.
        attempts: How many there were.
    """

    status: int
    headers: Mapping[str, str]
    elapsed_s: float
    attempts: int


# The newest exchange of this thread or task, for whoever asked for more than the model.
LAST: Final[ContextVar[Exchange]] = ContextVar("LAST")

Conversation = Generator[Attempt | Pause, Answer | NoAnswer | None, T]


def converse(call: Call[T], policy: RetryPolicy, world: Surroundings) -> Conversation[T]:
    """
    Attempt *call* until it is settled.

    Raises:
        CheckoutsError: What the last attempt came to.
    """
    began = world.monotonic_s()
    unclear = False
    attempts = 0
    seen_401 = False
    while True:
        attempts += 1
        left_s = policy.deadline_s - (world.monotonic_s() - began)
        reply = yield Attempt(call, timeout_s=max(0.001, min(policy.timeout_s, left_s)), number=attempts)
        assert reply is not None, "an Attempt is told what came of it"
        result = _result(call, reply, world, unclear=unclear)
        LOGGER.debug("%s: attempt %d: %s", call.operation, attempts, getattr(reply, "status", None) or reply)
        if not isinstance(result, CheckoutsError):
            assert isinstance(reply, Answer), "only an answer makes a model"
            LAST.set(Exchange(reply.status, reply.headers, world.monotonic_s() - began, attempts))
            return result
        unclear = unclear or result.outcome is Outcome.UNKNOWN
        answer = reply if isinstance(reply, Answer) else None
        if answer is not None and answer.status == 401 and not seen_401 and attempts <= policy.max_retries:
            # Nothing was done, so this is safe; the usual cause is a clock, and the answer carries one.
            seen_401 = True
            if (ahead_s := offset_s(answer.headers.get("date"), now_s=world.now_s())) is not None:
                world.learn_offset(ahead_s)
            continue
        if answer is not None and answer.status == 401 and seen_401:
            # The other clock did not help, so it is not to spoil later calls.
            world.learn_offset(0.0)
        if answer is not None and answer.status in REFUSALS and unclear and call.settlement is not None:
            return (yield from _settle(call.settlement, result, policy, world, began))
        if unclear and not call.repeatable:
            result.retryable = False
            raise result
        if isinstance(reply, NoAnswer) and reply.final:
            raise result
        wait_s = delay_s(
            attempts,
            policy,
            status=None if answer is None else answer.status,
            retry_after=None if answer is None else answer.headers.get("retry-after"),
            now_s=world.now_s(),
            spent_s=world.monotonic_s() - began,
            draw=world.draw(),
        )
        if wait_s is None:
            raise result
        yield Pause(wait_s)


def _result(call: Call[T], reply: Answer | NoAnswer, world: Surroundings, *, unclear: bool) -> T | CheckoutsError:
    """What one attempt came to."""
    if isinstance(reply, Answer):
        body = responses.json_object(reply.content)
        drifts = list(sense(call.operation, reply.status, body))
        for drift in drifts:
            world.report(drift)
        result = responses.read(call, reply.status, body, unclear=unclear, as_described=not drifts)
        if world.strict and drifts and not isinstance(result, CheckoutsError):
            return responses.invalid(call, reply.status, f"was not as described: {drifts[0]}")
        return result
    may_have_acted = unclear or (reply.sent and call.writes)
    error = NoResponseError(
        f"{call.operation}: no answer: {reply.reason}",
        operation=call.operation,
        idempotency_key=call.idempotency_key,
        outcome=Outcome.UNKNOWN if may_have_acted else Outcome.REFUSED if reply.sent else Outcome.NOT_SENT,
        retryable=not reply.final,
    )
    error.__cause__ = reply.cause
    return error


def _settle(
    settlement: Settlement[T], refusal: CheckoutsError, policy: RetryPolicy, world: Surroundings, began: float
) -> Conversation[T]:
    """Find out by reading whether the refused operation is done; else raise the refusal."""
    left_s = max(0.001, policy.deadline_s - (world.monotonic_s() - began))
    try:
        found = yield from converse(settlement.read, replace(policy, deadline_s=left_s), world)
    except CheckoutsError:
        # Nothing is known but the refusal, and that its own first attempt was unclear.
        raise refusal from None
    if settlement.done(found):
        return found
    if settlement.impossible(found):
        refusal.outcome = Outcome.REFUSED
    # Else the first attempt may still be under way.
    raise refusal
