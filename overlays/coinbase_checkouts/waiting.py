"""
Poll a checkout until it is where one wants it; a generator that does no I/O, like `calls`.

Webhooks are quicker and cheaper. Polling is for scripts, tests, and for whatever a webhook missed; there is
no webhook for PROCESSING or DEACTIVATED.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Final

from coinbase_checkouts_api.models import Checkout, CheckoutStatus

from .calls import Pause, Surroundings
from .errors import CheckoutsError, NeverReachedError, WaitTimeoutError
from .operations import Call
from .reading import FINAL

Until = CheckoutStatus | str | Iterable[CheckoutStatus | str] | Callable[[Checkout], bool]

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 15.0
GROWTH: Final = 1.5

# Rule checkout.status-changes in spec/openapi.yaml: what may still follow, however many steps later.
_REFUNDED: Final = {CheckoutStatus.PARTIALLY_REFUNDED, CheckoutStatus.REFUNDED}
_STILL_POSSIBLE: Final = {
    CheckoutStatus.COMPLETED: _REFUNDED,
    CheckoutStatus.PARTIALLY_REFUNDED: _REFUNDED,
    **dict.fromkeys(
        (CheckoutStatus.DEACTIVATED, CheckoutStatus.EXPIRED, CheckoutStatus.FAILED, CheckoutStatus.REFUNDED),
        frozenset[CheckoutStatus](),
    ),
}


@dataclass(frozen=True, slots=True)
class Read:
    """Read the checkout, within *deadline_s* seconds, retries included."""

    call: Call[Checkout]
    deadline_s: float


Polling = Generator[Read | Pause, Checkout | CheckoutsError | None, Checkout]


def poll(read: Call[Checkout], until: Until | None, *, timeout_s: float, world: Surroundings) -> Polling:
    """
    Yield readings and pauses until the checkout is as wanted; told each time what reading gave.

    Args:
        until: A status, several of which any will do, or a question about the checkout; None for
            whatever decides the payment.
        timeout_s: Seconds from now.

    Raises:
        WaitTimeoutError: It was not so in time; has the last checkout.
        NeverReachedError: None of the wanted statuses can follow the one it has.
        CheckoutsError: Reading failed in a way that will not pass.
    """
    # Not `<= 0`: a NaN must not pass, and would never end.
    if not 0 < timeout_s < float("inf"):
        raise ValueError("timeout: seconds, more than 0 and finite")
    wanted = None if callable(until) else _statuses(until)
    began = world.monotonic_s()
    longest_s, last, trouble = FIRST_WAIT_S, None, None
    while True:
        left_s = timeout_s - (world.monotonic_s() - began)
        found = yield Read(read, deadline_s=max(0.001, left_s))
        if isinstance(found, CheckoutsError):
            if not found.retryable:
                raise found
            trouble = found
        else:
            assert found is not None, "a reading is told"
            last, trouble = found, None
            if until(found) if callable(until) else found.status in (wanted or ()):
                return found
            if wanted is not None and not wanted & _STILL_POSSIBLE.get(found.status, wanted):
                raise NeverReachedError(
                    f"the checkout is {found.status}, after which {_named(wanted)} cannot come", checkout=found
                )
        left_s = timeout_s - (world.monotonic_s() - began)
        # At least half of the longest wait, so that the draw spreads a crowd without hurrying it.
        wait_s = longest_s * (1 + world.draw()) / 2
        if wait_s >= left_s:
            state = f"last seen {last.status}" if last is not None else "never read"
            raise WaitTimeoutError(
                f"not {_named(wanted) if wanted else 'so'} within {timeout_s:g} s; {state}", checkout=last
            ) from trouble
        longest_s = min(LONGEST_WAIT_S, longest_s * GROWTH)
        yield Pause(wait_s)


def _statuses(until: CheckoutStatus | str | Iterable[CheckoutStatus | str] | None) -> set[CheckoutStatus]:
    if until is None:
        return set(FINAL)
    return {CheckoutStatus(value) for value in ([until] if isinstance(until, str) else until)}


def _named(wanted: set[CheckoutStatus] | None) -> str:
    return " or ".join(sorted(wanted or ()))
