"""Steps that several tests share: try a constraint from both sides, pay, walk through pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from .compare import differences
from .constraints import Constraint
from .control import Control
from .exchange import Answer, Exchange, accepted, refused
from .judge import BrokenError
from .probes import inside, outside
from .wire import NotTriedError

# A server may answer with empty pages on the way, as one does that filters what it has cut into pages, but not for ever.
MOST_PAGES: Final = 25
MOST_EMPTY: Final = 1000
PATIENCE: Final = 5
LEFT_OUT: Final = ("refunds", "refundedAmount", "fiatAmount", "fiatCurrency")

T = TypeVar("T")


def try_constraint(constraint: Constraint, base: Any, send: Callable[[Any], Answer]) -> None:
    """
    Send what is just inside *constraint*, which is accepted, and what is just outside, which is refused.

    Args:
        base: The valid value from which the others are made.
        send: Sends a request that is valid but for the value it is given.
    """
    for value in inside(constraint, base):
        accepted(send(value))
    values = outside(constraint, base)
    if not values:
        raise BrokenError("the suite knows no value that breaks this constraint", rule=constraint.pointer)
    for value in values:
        answer = send(value)
        if constraint.location == "path":
            # Whether a token names a path percent-encoded or decoded is nowhere said, so it may not fit either.
            refused(answer, 400, 404, *((401,) if quote(value, safe="") != value else ()))
        elif not (constraint.is_open and answer.is_success):
            refused(answer)


def existing(api: Exchange, count: int = 1) -> list[dict[str, Any]]:
    """
    So many checkouts to read: new ones, or where nothing may be created some that are listed.

    Raises:
        NotTriedError: Nothing may be created, and there are not as many.
    """
    if not api.is_safe:
        return [api.created() for _ in range(count)]
    found = accepted(api.list({"pageSize": 20})).json["checkouts"][:count]
    if len(found) < count:
        raise NotTriedError("fewer checkouts are listed than are needed, and --safe creates none")
    return list(found)


def own(api: Exchange) -> dict[str, Any]:
    """A query for the checkouts of this test; where nothing may be created, for whatever is there."""
    return {} if api.is_safe else {"descriptionQuery": api.seed.marker}


def paid(api: Exchange, control: Control, amount: str = "2.00", **fields: Any) -> dict[str, Any]:
    """A checkout that was paid; 2.00 because Coinbase's own sandbox refunds no more."""
    made = api.created(api.minimal(amount=amount, **fields))
    control.pay(made["id"])
    return api.read(made["id"])


def started(api: Exchange, checkout_id: str, value: str, **fields: Any) -> dict[str, Any]:
    """The answer to a refund of *value*."""
    body = {"amount": value} | fields
    return dict(accepted(api.refund(checkout_id, body, key=api.seed.idempotency_key())).json)


def settled(api: Exchange, control: Control, checkout_id: str, value: str) -> dict[str, Any]:
    """The checkout after *value* was refunded and the money is back."""
    refund = started(api, checkout_id, value)["refund"]
    control.settle(checkout_id, refund["id"])
    return api.read(checkout_id)


def undisturbed(
    clock: Control, steps: Callable[[], T], *, own: timedelta = timedelta(0), patience: int = PATIENCE
) -> T:
    """
    What *steps* give; tried again when they fail and somebody else moved the clock meanwhile, as another run may.

    Args:
        own: How far *steps* move it themselves.
    """
    before = clock.now()
    try:
        return steps()
    except AssertionError:
        after = clock.now()
        if not patience or before is None or after is None or after - before < own + timedelta(minutes=10):
            raise
    return undisturbed(clock, steps, own=own, patience=patience - 1)


def pages(api: Exchange, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """
    The pages of one listing, to the end.

    Raises:
        BrokenError: A token comes again, or the end never comes.
    """
    token: str | None = None
    seen: set[str] = set()
    filled = 0
    while filled < MOST_PAGES and len(seen) - filled < api.patience(MOST_EMPTY):
        answer = accepted(api.list(query if token is None else query | {"pageToken": token}))
        yield answer.json["checkouts"]
        filled += bool(answer.json["checkouts"])
        token = answer.json.get("nextPageToken")
        if token is None:
            return
        if token in seen:
            raise BrokenError("the same nextPageToken came twice: the listing has no end", pointer="/nextPageToken")
        seen.add(token)
    api.lose_patience()
    raise BrokenError(f"no end after {len(seen)} pages, {filled} of them with checkouts", pointer="/nextPageToken")


def listed(api: Exchange, **query: Any) -> list[dict[str, Any]]:
    """Every checkout of this test that a listing with *query* holds."""
    query = {"descriptionQuery": api.seed.marker, "pageSize": 100} | query
    return [checkout for page in pages(api, **query) for checkout in page]


def ids(checkouts: list[dict[str, Any]]) -> list[str]:
    """Their ids, sorted: the order of a listing is not documented."""
    return sorted(checkout["id"] for checkout in checkouts)


def as_listed(api: Exchange, checkout_id: str) -> None:
    """A listing says of this test's checkout what reading it by itself says."""
    [found] = [checkout for checkout in listed(api) if checkout["id"] == checkout_id]
    read = api.read(checkout_id)
    # One published generation of the list page leaves these out.
    missing = [name for name in LEFT_OUT if name not in found]
    assert differences(read, found, ignoring=missing) == []
