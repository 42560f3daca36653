"""
What was asked, answered and seen during a storm, and what must hold of it. Nothing here speaks to a server.

Every request carries a token of its own into the data (the metadata of a checkout, the reason of a refund), so that
each effect can be traced to the request that caused it. Whether an effect must, may or must not be there follows from
how the request ended: answered, refused, or in doubt because the connection broke.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import permutations
from threading import Lock
from typing import Any, Final, Literal

Kind = Literal["create", "pay", "refund", "settle", "deactivate", "advance"]
Content = Mapping[str, Any]

PAID: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})

# From each status to those it may turn into; time alone changes nothing here, since nothing in a storm expires.
_NEXT: Final[Mapping[str, frozenset[str]]] = {
    "ACTIVE": frozenset({"ACTIVE", "PROCESSING", "FAILED", "DEACTIVATED"}) | PAID,
    "PROCESSING": frozenset({"PROCESSING", "FAILED"}) | PAID,
    **dict.fromkeys(PAID, PAID),
    "FAILED": frozenset({"FAILED"}),
    "DEACTIVATED": frozenset({"DEACTIVATED"}),
}
_MOVING: Final = frozenset({"status", "updatedAt", "settlement", "transactionHash", "refundedAmount", "refunds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request, however often it was sent, and how it ended."""

    kind: Kind
    token: str
    """Its idempotency key, if it has one; and what its effect is found by."""
    about: str = ""
    """The checkout or, to settle, the refund; nothing for create and advance."""
    wanted: str = ""
    """What it asks for: an amount, an outcome, seconds."""
    keyed: bool = False
    doubts: int = 0
    """Attempts that had no answer, each of which may have acted."""
    status: int | None = None
    """Of the last answer; None: it never had one."""
    content: bytes = b""

    @property
    def done(self) -> bool:
        """Whether its success was acknowledged."""
        return self.status is not None and self.status < 300

    @property
    def possible(self) -> bool:
        """Whether it may have acted. A keyed one that was refused at last has not: its key would have told."""
        return self.done or (self.doubts > 0 and (self.status is None or not self.keyed))


@dataclass(slots=True)
class _Sighting:
    known_since: float
    """End of the first request that was shown it."""
    last_asked: float
    """Start of the last request that was shown it."""


@dataclass(slots=True)
class Journal:
    """Filled by many threads at once."""

    entries: list[Entry] = field(default_factory=list)
    repeats: list[tuple[str, int, bytes]] = field(default_factory=list)
    """Further answers under the key of an entry: token, status, content."""
    moments: list[tuple[int, int, int]] = field(default_factory=list)
    """Milliseconds: real time before and after asking for the sandbox's clock, and what it said."""
    mishaps: list[str] = field(default_factory=list)
    """What is wrong as soon as it happens."""
    _sightings: dict[str, dict[str, _Sighting]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def saw(self, checkout: Content, *, asked: float, answered: float) -> None:
        """A checkout was shown to a request that was sent and answered then."""
        text = json.dumps(checkout, sort_keys=True)
        with self._lock:
            contents = self._sightings.setdefault(checkout["id"], {})
            known = contents.setdefault(text, _Sighting(answered, asked))
            known.known_since = min(known.known_since, answered)
            known.last_asked = max(known.last_asked, asked)

    def sightings(self) -> Iterator[list[tuple[Content, float, float]]]:
        """Each checkout's different contents, with when it was first known and last asked for."""
        for contents in self._sightings.values():
            yield [(json.loads(text), one.known_since, one.last_asked) for text, one in contents.items()]


def violations(journal: Journal, final: Sequence[Content]) -> list[str]:
    """
    Everything that must hold and does not, in sentences.

    Args:
        final: Every checkout there is when the storm is over.
    """
    found = list(journal.mishaps)
    found += _effects(journal.entries, final)
    found += _causes(journal.entries, final)
    found += _repeated(journal)
    found += _clock(journal)
    for contents in journal.sightings():
        found += [f"{content['id']}: {fault}" for content, _, _ in contents for fault in torn(content)]
        found += _history(contents)
    there = {checkout["id"] for checkout in final}
    lost = [contents[0][0]["id"] for contents in journal.sightings() if contents[0][0]["id"] not in there]
    return found + [f"{checkout_id}: it was seen, and is gone" for checkout_id in lost]


def torn(checkout: Content) -> list[str]:
    """What of one checkout contradicts the rest of it, as a half-done write would."""
    found: list[str] = []
    status, paid = checkout["status"], checkout["status"] in PAID
    refunds: Sequence[Content] = checkout.get("refunds", [])
    amount = Decimal(checkout["amount"])
    refunded = Decimal(checkout.get("refundedAmount", 0))
    if not paid == ("settlement" in checkout) == ("transactionHash" in checkout):
        found.append(f"is {status}, with settlement or transactionHash contradicting it")
    if "settlement" in checkout:
        settlement = {name: Decimal(checkout["settlement"][name]) for name in ("totalAmount", "feeAmount", "netAmount")}
        if not amount == settlement["totalAmount"] == settlement["feeAmount"] + settlement["netAmount"]:
            found.append("its settlement does not add up")
    if refunded != sum((Decimal(refund["amount"]) for refund in refunds if refund["status"] != "FAILED"), Decimal(0)):
        found.append("refundedAmount is not the sum of the refunds that did not fail")
    if refunded > amount:
        found.append(f"{refunded} refunded of {amount}")
    if bool(refunds) != ("refundedAmount" in checkout):
        found.append("refunds without refundedAmount, or the reverse")
    expected = "COMPLETED" if refunded == 0 else "REFUNDED" if refunded == amount else "PARTIALLY_REFUNDED"
    if status != expected and (paid or refunds):
        found.append(f"is {status} with {refunded} of {amount} refunded")
    if checkout["createdAt"] > checkout["updatedAt"]:
        found.append("updated before it was created")
    halves = [
        refund["id"]
        for refund in refunds
        if not (refund["status"] == "COMPLETED") == ("completedAt" in refund) == ("transactionHash" in refund)
    ]
    return found + [f"refund {refund_id} is half settled" for refund_id in halves]


def follows(before: Content, after: Content) -> list[str]:
    """Why *after* cannot be what *before* has become; nothing if it can."""
    found: list[str] = []
    names = (set(before) | set(after)) - _MOVING
    found += [f"{name} changed" for name in sorted(names) if before.get(name) != after.get(name)]
    if after["status"] not in _NEXT.get(before["status"], frozenset({before["status"]})):
        found.append(f"{before['status']} became {after['status']}")
    if before["updatedAt"] > after["updatedAt"]:
        found.append("updatedAt went back")
    kept = ("settlement", "transactionHash")
    found += [f"{name} changed" for name in kept if name in before and before[name] != after.get(name)]
    later = {refund["id"]: refund for refund in after.get("refunds", [])}
    for refund in before.get("refunds", []):
        now = later.get(refund["id"])
        if now is None:
            found.append(f"refund {refund['id']} is gone")
        elif refund["status"] != "PENDING" and now != refund:
            found.append(f"refund {refund['id']} changed after its end")
        elif now["amount"] != refund["amount"] or now.get("reason") != refund.get("reason"):
            found.append(f"refund {refund['id']} is another one now")
    return found


def _history(contents: Sequence[tuple[Content, float, float]]) -> Iterator[str]:
    """Each content must follow those that were known before it was asked for."""
    for (before, known_since, _), (after, _, last_asked) in permutations(contents, 2):
        if known_since <= last_asked:
            yield from (f"{before['id']}: what was known was taken back: {why}" for why in follows(before, after))


def _effects(entries: Iterable[Entry], final: Sequence[Content]) -> Iterator[str]:
    """A success has exactly one effect, a doubt at most one, a refusal none; and there is none without a request."""
    found: dict[Kind, Counter[str]] = {
        "create": Counter(checkout.get("metadata", {}).get("token") for checkout in final),
        "refund": Counter(refund.get("reason") for checkout in final for refund in checkout.get("refunds", [])),
    }
    by_token = {(entry.kind, entry.token): entry for entry in entries}
    for kind, effects in found.items():
        for token, count in effects.items():
            entry = by_token.get((kind, token))
            if entry is None or not entry.possible:
                yield f"{kind} {token}: it is there, and was {'never asked for' if entry is None else 'refused'}"
            if count > 1:
                yield f"{kind} {token}: {count} effects of one request"
    ids = {checkout["id"] for checkout in final}
    ids |= {refund["id"] for checkout in final for refund in checkout.get("refunds", [])}
    for (kind, token), entry in by_token.items():
        if entry.done and kind in found and _made(entry) not in ids:
            yield f"{kind} {token}: acknowledged, and not there"


def _made(entry: Entry) -> str:
    """The id of what a create or a refund says it has made."""
    content = json.loads(entry.content)
    made: str = (content["refund"] if entry.kind == "refund" else content)["id"]
    return made


def _causes(entries: Iterable[Entry], final: Sequence[Content]) -> Iterator[str]:
    """No status without a request that may have caused it."""
    asked = {(entry.kind, entry.about, entry.wanted) for entry in entries if entry.possible}
    for checkout in final:
        status, checkout_id = checkout["status"], checkout["id"]
        outcome = "COMPLETED" if status in PAID else status
        cause: tuple[Kind, str, str] = ("pay", checkout_id, outcome)
        if status == "DEACTIVATED":
            cause = ("deactivate", checkout_id, "")
        if status != "ACTIVE" and cause not in asked:
            yield f"{checkout_id}: is {status}, and nobody asked for that"
        for refund in checkout.get("refunds", []):
            if refund["status"] != "PENDING" and ("settle", refund["id"], refund["status"]) not in asked:
                yield f"refund {refund['id']}: is {refund['status']}, and nobody asked for that"


def _repeated(journal: Journal) -> Iterator[str]:
    """Whoever asks again under a key gets the first answer, byte for byte."""
    first = {entry.token: (entry.status, entry.content) for entry in journal.entries if entry.keyed and entry.done}
    for token, status, content in journal.repeats:
        if first.setdefault(token, (status, content)) != (status, content):
            yield f"key {token}: answered {first[token]}, and later {(status, content)}"


def _clock(journal: Journal) -> Iterator[str]:
    """The clock is ahead by what it was moved, no less and no more."""
    moves = [entry for entry in journal.entries if entry.kind == "advance"]
    least = sum(int(entry.wanted) for entry in moves if entry.done)
    most = least + sum(int(entry.wanted) * entry.doubts for entry in moves)
    for before_ms, after_ms, now_ms in journal.moments[-1:]:
        # Real time is cut to milliseconds on both sides.
        if not (least * 1000 - 1 <= now_ms - before_ms and now_ms - after_ms <= most * 1000 + 1):
            yield f"the clock is {now_ms - after_ms} ms ahead, it was moved by {least} to {most} s"
