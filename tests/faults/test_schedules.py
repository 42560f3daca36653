"""Money moves once, whatever the network does: random schedules of faults between the client and the sandbox."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinbase_checkouts import CheckoutsError, Outcome

from .clients import KINDS, call
from .conftest import THOROUGH, Sandbox
from .proxy import (
    HTML,
    Answered,
    Fault,
    Proxy,
    cut_in_body,
    cut_in_headers,
    dripped_body,
    dropped_after,
    dropped_before,
    in_pieces,
    passed,
    stalled_after,
    stalled_before,
)

# Calls after the end of a schedule, which meet no faults but those of a busy machine.
PATIENCE: Final = 10
# Long enough for an answer, short enough for a thousand stalls. A busy machine is one more fault.
TIMEOUT_S: Final = 0.05
JSON: Final = "Content-Type: application/json"
MARKUP: Final = ("Content-Type: text/html",)

# After each of them the client tries again by itself.
PASSING: Final[list[Fault]] = [
    passed,
    in_pieces,
    dropped_before,
    dropped_after,
    cut_in_headers,
    cut_in_body,
    stalled_before,
    stalled_after,
    dripped_body,
    Answered(408),
    Answered(503),
    Answered(503, acted=True),
    Answered(520, HTML, MARKUP),
    Answered(520, HTML, MARKUP, acted=True),
    Answered(429, headers=(JSON, "Retry-After: 0")),
    Answered(429, headers=(JSON, "Retry-After: Fri, 20 Nov 2026 10:00:00 GMT")),
]
# After these the caller has to.
ENDING: Final[list[Fault]] = [
    Answered(401),
    Answered(429, headers=(JSON, "Retry-After: 3600")),
    Answered(200, HTML, MARKUP),
    Answered(200, HTML, MARKUP, acted=True),
    Answered(201, b'{"id": "68f7a9', acted=True),
]

# For each call of the caller: None for a service that cannot be reached, else what its attempts meet.
Plan = Sequence[Fault] | None
schedules = st.lists(st.none() | st.lists(st.sampled_from([*PASSING, *ENDING]), max_size=5), max_size=4)
kinds = st.sampled_from(KINDS)

random_schedules = settings(
    max_examples=1000 if THOROUGH else 150,
    deadline=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Caller:
    """A program that calls until it is through, with a new client each time, as after a crash."""

    def __init__(self, sandbox: Sandbox, proxy: Proxy, nowhere: str) -> None:
        self.sandbox = sandbox
        self._proxy = proxy
        self._nowhere = nowhere

    def once(
        self, plan: Plan, operation: str, /, *arguments: Any, kind: str, max_retries: int = 2, **options: Any
    ) -> Any:
        """What one call comes to: its result, or its error."""
        self._proxy.plan(*(plan or ()))
        base_url = self._nowhere if plan is None else self._proxy.url
        settings = {"base_url": base_url, "timeout": TIMEOUT_S, "deadline": 10.0, "max_retries": max_retries}
        try:
            return call(kind, self.sandbox.api_key, settings, operation, *arguments, **options)
        except CheckoutsError as error:
            return error

    def until_done(
        self,
        schedule: Sequence[Plan],
        untouched: Callable[[], bool],
        operation: str,
        /,
        *arguments: Any,
        **options: Any,
    ) -> Any:
        """
        What the call comes to in the end.

        Args:
            untouched: Whether the service has done nothing. Asked as long as every error said so.
        """
        certain = True
        for plan in [*schedule, *([()] * PATIENCE)]:
            result = self.once(plan, operation, *arguments, **options)
            if not isinstance(result, CheckoutsError):
                return result
            certain = certain and result.outcome is not Outcome.UNKNOWN
            assert not certain or untouched(), f"{result.outcome}, and yet it was done: {result}"
        raise AssertionError("never done")


@pytest.fixture
def caller(sandbox: Sandbox, proxy: Proxy) -> Iterator[Caller]:
    # Bound but not listening: nobody can be reached there, and nobody else can begin to listen.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Caller(sandbox, proxy, f"http://127.0.0.1:{taken.getsockname()[1]}")


@random_schedules
@given(schedule=schedules, kind=kinds)
def test_create_with_an_order_id_makes_exactly_one_checkout(caller: Caller, schedule: list[Plan], kind: str) -> None:
    """
    Whatever befalls them, calls repeated with one order id make one checkout and return it; and whoever was told
    NOT_SENT or REFUSED finds none.
    """
    order = uuid.uuid4().hex

    def untouched() -> bool:
        return caller.sandbox.described(order) == []

    made = caller.until_done(schedule, untouched, "create", "10.00", description=order, order_id=order, kind=kind)
    assert [made.id] == [found["id"] for found in caller.sandbox.described(order)]


@random_schedules
@given(schedule=schedules, kind=kinds)
def test_refund_with_an_id_moves_the_money_once(caller: Caller, schedule: list[Plan], kind: str) -> None:
    """
    Whatever befalls them, calls repeated with one refund id send the amount back once; and whoever was told
    NOT_SENT or REFUSED finds all of it still there.
    """
    checkout_id = caller.sandbox.create(uuid.uuid4().hex, paid=True)

    def untouched() -> bool:
        return "refunds" not in caller.sandbox.get(checkout_id)

    made = caller.until_done(schedule, untouched, "refund", checkout_id, "2.50", refund_id="1", kind=kind)
    found = caller.sandbox.get(checkout_id)
    assert ("2.50", [made.refund.id]) == (found["refundedAmount"], [refund["id"] for refund in found["refunds"]])


@random_schedules
@given(faults=st.lists(st.sampled_from(PASSING), max_size=3), kind=kinds)
def test_deactivate_is_never_refused_for_its_own_success(caller: Caller, faults: list[Fault], kind: str) -> None:
    """
    One call that meets passing faults ends with a DEACTIVATED checkout, although the service refuses to
    deactivate twice.
    """
    checkout_id = caller.sandbox.create("to be deactivated")
    made = caller.once(faults, "deactivate", checkout_id, kind=kind, max_retries=3 + PATIENCE)
    assert ("DEACTIVATED", "DEACTIVATED") == (made.status, caller.sandbox.get(checkout_id)["status"])


@random_schedules
@given(schedule=schedules, kind=kinds)
def test_deactivate_and_its_advice_end_deactivated(caller: Caller, schedule: list[Plan], kind: str) -> None:
    """
    A caller that reads before it repeats, as the advice says, ends with a DEACTIVATED checkout; and whoever was
    told NOT_SENT or REFUSED finds it ACTIVE.
    """
    checkout_id = caller.sandbox.create("to be deactivated")
    certain = True
    result: Any = None
    for plan in [*schedule, *([()] * PATIENCE)]:
        result = caller.once(plan, "deactivate", checkout_id, kind=kind)
        if isinstance(result, CheckoutsError):
            certain = certain and result.outcome is not Outcome.UNKNOWN
            assert not certain or caller.sandbox.get(checkout_id)["status"] == "ACTIVE", result
            result = caller.once((), "get", checkout_id, kind=kind, max_retries=PATIENCE)
        if result.status == "DEACTIVATED":
            break
    assert ("DEACTIVATED", "DEACTIVATED") == (result.status, caller.sandbox.get(checkout_id)["status"])
