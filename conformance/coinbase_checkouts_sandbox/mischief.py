"""
Mischief on demand: the ways in which deliveries go wrong in the world, each for the next so many attempts.

Kept in the database, so it holds for every process and is decided in the transaction that takes a delivery to send it.
Retries count as attempts; what is sent by hand, and the second of a duplicate, are left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import delete, func, insert, or_, select, update

from coinbase_checkouts_sandbox import signatures
from coinbase_checkouts_sandbox.signatures import EVENT_ID_HEADER, EVENT_TYPE_HEADER, SIGNATURE_HEADER
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import DELIVERIES, MISCHIEF

# Each kind with the parts it can be about; none for a kind that is about the whole delivery.
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # Sent twice, with the same event id.
        "duplicate": (),
        # Held back until another delivery to the same subscription has gone.
        "reorder": (),
        # Not sent at all, and never again.
        "drop": (),
        # One thing altered on the way. secret: signed with another one. unsigned: without the header. timestamp: truly
        # signed, but ten minutes ago.
        "tamper": ("body", "v0", "v1", "timestamp", "event_id", "secret", "unsigned"),
        # Rightly signed, with one of the two codes only. Source: whmcs saw deliveries with v0 alone.
        "only": ("v0", "v1"),
    }
)

# How old a stale timestamp is: twice what a receiver may accept (webhook.window).
_STALE_S: Final = 600

# Not a secret of any subscription: those are random.
_OTHER_SECRET: Final = "00000000-0000-4000-8000-000000000000"  # noqa: S105
_OTHER_EVENT_ID: Final = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Trick:
    """What is done to one attempt."""

    kind: str
    part: str | None

    def __str__(self) -> str:
        return f"{self.kind} {self.part}" if self.part else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What goes over the wire."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def order(transaction: Transaction, row: Mapping[str, Any]) -> None:
    """Have mischief done: id, kind, part, times, event_type and subscription_id (both None for any)."""
    number = transaction.read(select(func.coalesce(func.max(MISCHIEF.c.number), 0))).scalar_one() + 1
    transaction.write(insert(MISCHIEF), [{**row, "number": number}])


def ordered(transaction: Transaction) -> list[dict[str, Any]]:
    """What is still to be done, in its order."""
    query = select(MISCHIEF).order_by(MISCHIEF.c.number, MISCHIEF.c.id)
    return [dict(row) for row in transaction.read(query).mappings()]


def forget(transaction: Transaction) -> None:
    """No more mischief; what was held back may go."""
    transaction.write(delete(MISCHIEF))
    transaction.write(update(DELIVERIES).where(DELIVERIES.c.hold.is_not(None)).values(hold="released"))
    transaction.rings = True


def at_work(transaction: Transaction) -> bool:
    """Whether there is any mischief to be done, or anything held back by it."""
    held = select(DELIVERIES.c.id).where(DELIVERIES.c.hold.is_not(None))
    return any(transaction.read(query.limit(1)).first() is not None for query in (select(MISCHIEF.c.id), held))


def take(transaction: Transaction, *, subscription_id: str, event_type: str) -> Trick | None:
    """What to do to the attempt that is about to be made; it is then done once less."""
    query = select(MISCHIEF).where(
        or_(MISCHIEF.c.subscription_id.is_(None), MISCHIEF.c.subscription_id == subscription_id),
        or_(MISCHIEF.c.event_type.is_(None), MISCHIEF.c.event_type == event_type),
    )
    held = select(DELIVERIES.c.id).where(DELIVERIES.c.subscription_id == subscription_id, DELIVERIES.c.hold == "held")
    # The one that another waits for must go.
    query = query.where(or_(MISCHIEF.c.kind != "reorder", ~held.exists()))
    query = query.order_by(MISCHIEF.c.number, MISCHIEF.c.id).limit(1)
    row = transaction.read(query).one_or_none()
    if row is None:
        return None
    if row.times > 1:
        transaction.write(update(MISCHIEF).where(MISCHIEF.c.id == row.id).values(times=MISCHIEF.c.times - 1))
    else:
        transaction.write(delete(MISCHIEF).where(MISCHIEF.c.id == row.id))
    return Trick(row.kind, row.part)


def signed(
    *,
    secret: str,
    event_id: str,
    event_type: str,
    extra: Mapping[str, str],
    body: bytes,
    now_s: int,
    trick: Trick | None,
) -> Signed:
    """
    The headers and the body of one attempt.

    Args:
        extra: The headers of the subscription's target.
        now_s: Real time, since receivers hold it against their own clock.
        trick: What is wrong with it, if anything is meant to be.
    """
    part = trick.part if trick else None
    tampered = part if trick and trick.kind == "tamper" else None
    only = part if trick and trick.kind == "only" else None
    t = now_s - _STALE_S if tampered == "timestamp" else now_s
    key = _OTHER_SECRET if tampered == "secret" else secret
    # Source: hook0, and verify-signatures for these two; target's headers follow them.
    covered = [
        (EVENT_ID_HEADER.lower(), event_id),
        (EVENT_TYPE_HEADER.lower(), event_type),
        *((name.lower(), value) for name, value in extra.items()),
    ]
    codes = {"v0": signatures.v0(key, t, body), "v1": signatures.v1(key, t, covered, body)}
    if tampered in codes:
        codes[tampered] = _other_digit(codes[tampered])
    headers = {
        **extra,
        "Content-Type": "application/json",
        EVENT_ID_HEADER: _OTHER_EVENT_ID if tampered == "event_id" else event_id,
        EVENT_TYPE_HEADER: event_type,
    }
    if tampered != "unsigned":
        headers[SIGNATURE_HEADER] = signatures.signature(
            t,
            covered,
            v0=None if only == "v1" else codes["v0"],
            v1=None if only == "v0" else codes["v1"],
        )
    return Signed(headers=headers, body=_other_amount(body) if tampered == "body" else body)


def _other_digit(code: str) -> str:
    return ("1" if code[0] == "0" else "0") + code[1:]


_AMOUNT: Final = b'"amount":"'


def _other_amount(body: bytes) -> bytes:
    """The body with one byte changed: the first digit of the amount, so that it stays JSON somebody could act on."""
    # A restored event may be without one: then it is the first byte.
    at = body.index(_AMOUNT) + len(_AMOUNT) if _AMOUNT in body else 0
    other = b"8" if body[at : at + 1] == b"9" else b"9"
    return body[:at] + other + body[at + 1 :]
