"""
Whether a charge still waits to be paid: only if all of it says so, for a second request may be a second payment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts.plain import plain

from .fields import Fields, is_empty
from .notes import FIELDS, noted
from .statuses import changed_at, is_new, state

UNKNOWN: Final = "unknown"
# Fields that nobody documented, and that may tell of a payment all the same.
_TELLING: Final = re.compile(
    r"(?!.*url$).*(status|state|context|paid|payment|transact|tx|hash|confirm|success|complet|settle|receiv|refund|"
    r"resolv|event)",
    re.IGNORECASE | re.DOTALL,
)
_DOCUMENTED: Final = frozenset(name.replace("-", "_") for name in FIELDS) | {"timeline"}
_OF_WEB3: Final = frozenset({"failure_events", "settlement_currency_addresses", "subsidized_payments_chain_to_tokens"})


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How far a charge has come.

    Attributes:
        status: Commerce's word; NEW for a request that was never a charge, `unknown` if it has lost it.
        is_new: Nothing says that it ever was anything but NEW.
        is_open: Besides, it is no event, which tells of another time.
        changed_at: When it came to its status, if it says so.
    """

    status: str
    is_new: bool
    is_open: bool
    changed_at: datetime | None


def standing(charge: Fields, event: str | None, *, is_request: bool) -> Standing:
    """
    How far *charge* has come; why it is not open is among its losses.

    Args:
        event: The type of the event that it came in.
        is_request: It never was a charge.
    """
    found = state(charge)
    if found is None:
        status, why = ("NEW", None) if is_request else (UNKNOWN, "of unknown status")
    else:
        status, why = found.legacy, None if found.legacy == "NEW" else str(plain(found.legacy))
    # Money that came counts more than what the status says.
    if why is None and _is_touched(charge):
        why = "paid at least in part"
    doubts = [] if why is not None else list(_doubts(charge))
    is_certain = why is None and not doubts
    if why is None and event is not None:
        why = "known from an event only"
    if why is not None:
        charge.lose("not-open", status=why)
    charge.losses.extend(noted("perhaps-paid", pointer) for pointer in doubts)
    return Standing(
        status,
        is_certain and event in (None, "charge:created"),
        is_certain and event is None,
        changed_at(charge, found),
    )


def _is_touched(charge: Fields) -> bool:
    """Whether anything says that money came."""
    web3 = charge.peek("web3_data")
    events = web3.get("success_events") if isinstance(web3, Mapping) else None
    return not all(map(is_empty, (charge.peek("payments"), charge.peek("confirmed_at"), events)))


def _doubts(charge: Fields) -> Iterator[str]:
    """Where something may say that the charge is not NEW any more."""
    timeline, entries = charge.peek("timeline"), charge.objects("timeline")
    if not is_empty(timeline) and not (isinstance(timeline, list | tuple) and len(timeline) == len(entries)):
        yield charge.at("timeline")
    for entry in entries:
        if not is_new(entry.peek("status")):
            yield entry.at("status")
        yield from _telling(entry, besides={"status"})
    yield from _telling(charge, besides=_DOCUMENTED)
    web3 = charge.peek("web3_data")
    if isinstance(web3, Mapping):
        yield from _telling(Fields(web3, [], charge.at("web3_data")), besides=_OF_WEB3)
    elif not is_empty(web3):
        yield charge.at("web3_data")


def _telling(fields: Fields, *, besides: Collection[str]) -> Iterator[str]:
    for name, value in fields.peeked():
        if name not in besides and _TELLING.match(str(name)) and not (_is_nothing(value) or is_new(value)):
            yield fields.at(name)


def _is_nothing(value: Any) -> bool:
    """Whether it says no, or nothing."""
    return is_empty(value) or (isinstance(value, bool | int | float | Decimal) and not value)
