"""
Statuses and events: two vocabularies that look alike and are not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from coinbase_checkouts.errors import Loss
from coinbase_checkouts_api.models import CheckoutStatus, EventType

from .fields import Fields, type_of
from .notes import noted
from .results import Converted, held_to, refusal

CONTEXTS: Final = ("UNDERPAID", "OVERPAID", "DELAYED", "MULTIPLE", "MANUAL", "OTHER")
# The status of a checkout, and the code of what that loses. Source: mapping; below the line commerce-statuses.
STATUSES: Final[Mapping[str, tuple[CheckoutStatus, str | None]]] = {
    "NEW": (CheckoutStatus.ACTIVE, None),
    "SIGNED": (CheckoutStatus.ACTIVE, "signed"),
    "PENDING": (CheckoutStatus.PROCESSING, "fulfil-at-pending"),
    "COMPLETED": (CheckoutStatus.COMPLETED, None),
    "EXPIRED": (CheckoutStatus.EXPIRED, None),
    "FAILED": (CheckoutStatus.FAILED, None),
    # ----
    "CANCELED": (CheckoutStatus.DEACTIVATED, "canceled"),
    "CANCELATION_COMPLETE": (CheckoutStatus.DEACTIVATED, "canceled"),
    "REFUNDED": (CheckoutStatus.REFUNDED, "refunded"),
    # A checkout has none of these. Kept, they are neither paid nor final to `is_paid` and `is_final`.
    "REFUND_PENDING": (CheckoutStatus("REFUND_PENDING"), "refund-pending"),
    "RESOLVED": (CheckoutStatus("RESOLVED"), "resolved"),
    "UNRESOLVED": (CheckoutStatus("UNRESOLVED"), "unresolved"),
}
_NEW: Final = "NEW"
_SPELLINGS: Final = {
    "CANCELLED": "CANCELED",
    "CANCELLATION_COMPLETE": "CANCELATION_COMPLETE",
    "CANCELATION_COMPLETED": "CANCELATION_COMPLETE",
    "CANCELLATION_COMPLETED": "CANCELATION_COMPLETE",
    "PENDING_REFUND": "REFUND_PENDING",
}
_EVENTS: Final[Mapping[str, tuple[EventType | None, str | None]]] = {
    "charge:confirmed": (EventType.CHECKOUT_PAYMENT_SUCCESS, None),
    "charge:created": (None, "event-created"),
    "charge:pending": (None, "event-pending"),
    "charge:delayed": (None, "event-delayed"),
    "charge:resolved": (None, "event-resolved"),
}


@dataclass(frozen=True, slots=True)
class State:
    """
    Where a charge stands.

    Attributes:
        legacy: Its status in Commerce's words.
        changed_at: When it came there, if the charge says so.
    """

    legacy: str
    status: CheckoutStatus
    changed_at: datetime | None = None


def status(
    given: str, context: str | None = None, *, strict: bool = False, accept: Collection[str] = ()
) -> Converted[CheckoutStatus]:
    """
    The status of a checkout for one of a charge.

    What has no equivalent keeps its name, as a member of its own: `is_known` is false, and it counts as
    neither paid nor final.

    Args:
        given: Such as `PENDING`; case and the spaces of the dashboard do not matter.
        context: Of an `UNRESOLVED` one, such as `UNDERPAID`.
        strict: Refuse what loses anything.
        accept: Codes of losses that strict lets pass.

    Raises:
        MigrationError: No text; or strict.
    """
    if not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
        raise refusal("no status", [noted("status-no-text", "", type=type_of(given))])
    losses: list[Loss] = []
    found = _state(given, context if isinstance(context, str) else None, "", losses)
    return Converted(found.status, held_to(losses, strict=strict, accept=accept))


def event(
    given: str | Mapping[str, Any], *, strict: bool = False, accept: Collection[str] = ()
) -> Converted[EventType | None]:
    """
    The event of a checkout for one of a charge; None where there is none.

    Args:
        given: A delivery of Commerce, or the event in it, or only its type, such as `charge:confirmed`. The
            status of the charge in it tells `charge:failed` from expired.
        strict: Refuse what loses anything.
        accept: Codes of losses that strict lets pass.

    Raises:
        MigrationError: There is no type of event; or strict.
    """
    losses: list[Loss] = []
    kind, charge = (given, None) if isinstance(given, str) else _opened(given, losses)
    found, code = _failed(charge) if kind == "charge:failed" else _EVENTS.get(kind, (None, "event-unknown"))
    if code is not None:
        losses.append(noted(code, ""))
    return Converted(found, held_to(losses, strict=strict, accept=accept))


def _opened(given: object, losses: list[Loss]) -> tuple[str, Fields | None]:
    """The type of an event and its charge, out of their envelopes."""
    if not isinstance(given, Mapping):
        raise refusal("no event", [noted("not-an-object", "", type=type_of(given))])
    fields = Fields(given, losses)
    inner = fields.object("event") if isinstance(given.get("event"), Mapping) else fields
    kind = inner.text("type")
    if kind is None:
        raise refusal("no event", [*losses, noted("event-type-missing", inner.at("type"))])
    fields.lose("event-envelope")
    return kind, inner.object("data")


def _failed(charge: Fields | None) -> tuple[EventType, str | None]:
    known = None if charge is None else state(charge)
    if known is not None and known.status == CheckoutStatus.EXPIRED:
        return EventType.CHECKOUT_PAYMENT_EXPIRED, None
    is_said = known is not None and known.status == CheckoutStatus.FAILED
    return EventType.CHECKOUT_PAYMENT_FAILED, None if is_said else "event-failed"


def state(charge: Fields) -> State | None:
    """Where *charge* stands by its timeline, or else by its status; None if it says nothing."""
    told = [entry for entry in map(_entry, charge.objects("timeline")) if entry is not None]
    beside = charge.text("status")
    found = _latest(charge, told) if told else None
    differs = found is not None and beside is not None and _word(beside) != found.word
    if differs:
        charge.lose("statuses-differ", "status")
    # Nothing goes back to NEW.
    if beside is not None and (found is None or (differs and found.word == _NEW)):
        return _state(beside, None, charge.at("status"), charge.losses)
    if found is None:
        return None
    context, pointer = found.fields.text("context"), found.fields.at("status")
    return replace(_state(found.given, context, pointer, charge.losses), changed_at=found.moment)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One of a timeline, which has a status."""

    given: str
    moment: datetime | None
    fields: Fields

    @property
    def word(self) -> str:
        return _word(self.given)


def _entry(fields: Fields) -> _Entry | None:
    given, moment = fields.text("status"), fields.time("time")
    if given is None:
        fields.lose("status-blank", "status")
        return None
    return _Entry(given, moment, fields)


def _latest(charge: Fields, told: list[_Entry]) -> _Entry:
    """The entry with the latest time, else the last one; of several of them none that is NEW, as all begin with it."""
    times = [entry.moment for entry in told if entry.moment is not None]
    newest = told
    if len(times) == len(told):
        newest = [entry for entry in told if entry.moment == max(times)]
    elif len({entry.word for entry in told}) > 1:
        charge.lose("timeline-unclear", "timeline")
    found = newest[-1] if newest[-1] is told[-1] else newest[0]
    if found.word == _NEW:
        found = next((entry for entry in newest if entry.word != _NEW), found)
    if found is not told[-1]:
        charge.lose("timeline-order", "timeline")
    return found


def changed_at(charge: Fields, found: State | None) -> datetime | None:
    """When *charge* came to where it was *found*, by what tells it best."""
    told = charge.time("updated_at") or (found and found.changed_at)
    return told or charge.time("confirmed_at")


def is_new(status: object) -> bool:
    """Whether *status* is a text that says NEW."""
    return isinstance(status, str) and _word(status) == _NEW


def _state(given: str, context: str | None, pointer: str, losses: list[Loss]) -> State:
    word = _word(given)
    if word in CONTEXTS:
        # The dashboard has the contexts in the place of the status.
        word, context = "UNRESOLVED", word
    if word not in STATUSES:
        losses.append(noted("status-unknown", pointer))
        return State(given, CheckoutStatus(given))
    found, code = STATUSES[word]
    if word == "UNRESOLVED" and context is not None and _word(context) in CONTEXTS:
        code = f"unresolved-{_word(context).lower()}"
    if code is not None:
        losses.append(noted(code, pointer))
    return State(word, found)


def _word(given: str) -> str:
    word = "_".join(given.upper().split())
    return _SPELLINGS.get(word, word)
