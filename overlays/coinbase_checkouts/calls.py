"""
One call from its first attempt to its end, as a conversation that does no I/O.

The generator says what to do next (`Attempt`: send this; `Pause`: wait) and is told what came of it. The
sync and the async client drive the same generator, so there is one place where a payment is decided.

After an attempt whose effect is unclear every error says `Outcome.UNKNOWN`, even a later refusal: the
first attempt may have acted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from . import responses
from .errors import ApiError, CheckoutsError, NoResponseError, Outcome
from .operations import Call
from .retries import RetryPolicy, delay_s

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send the call, once, within *timeout_s* seconds."""

    call: Call[Any]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait *seconds*."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    content: bytes
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """
    Nothing came back.

    Attributes:
        sent: Whether any of the request may have reached the service.
        reason: Why, for a person; without anything secret.
    """

    sent: bool
    reason: str


Conversation = Generator[Attempt | Pause, Answer | NoAnswer | None, T]


def converse(
    call: Call[T],
    policy: RetryPolicy,
    *,
    now_s: Callable[[], float],
    monotonic_s: Callable[[], float],
    draw: Callable[[], float],
) -> Conversation[T]:
    """
    Attempt *call* until it is settled.

    Args:
        now_s: Unix seconds.
        monotonic_s: Seconds that never jump; the deadline is counted in them.
        draw: Uniform in [0, 1).

    Raises:
        CheckoutsError: What the last attempt came to.
    """
    began = monotonic_s()
    unclear = False
    attempts = 0
    while True:
        attempts += 1
        left = policy.deadline_s - (monotonic_s() - began)
        reply = yield Attempt(call, timeout_s=max(0.001, min(policy.timeout_s, left)))
        assert reply is not None, "an Attempt is told what came of it"
        result: T | CheckoutsError
        if isinstance(reply, NoAnswer):
            unclear = unclear or (reply.sent and call.writes)
            result = _no_response(call, reply, unclear=unclear)
            status, retry_after = None, None
        else:
            result = responses.read(call, reply.status, reply.content, unclear=unclear)
            unclear = unclear or (isinstance(result, ApiError) and result.outcome is Outcome.UNKNOWN)
            status, retry_after = reply.status, reply.retry_after
        if not isinstance(result, CheckoutsError):
            return result
        wait = delay_s(
            attempts,
            policy,
            status=status,
            retry_after=retry_after,
            now_s=now_s(),
            spent_s=monotonic_s() - began,
            draw=draw(),
        )
        if wait is None:
            raise result
        yield Pause(wait)


def _no_response(call: Call[Any], reply: NoAnswer, *, unclear: bool) -> NoResponseError:
    return NoResponseError(
        f"{call.operation}: no answer: {reply.reason}",
        operation=call.operation,
        idempotency_key=call.idempotency_key,
        outcome=Outcome.UNKNOWN if unclear else Outcome.NOT_SENT,
        retryable=True,
    )
