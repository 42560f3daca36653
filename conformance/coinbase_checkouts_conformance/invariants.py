"""
What stays true of every conversation with the API, whoever has it: small rules over the answers alone.

Each sees only what was said, so it holds in tests, in cassettes and in a user's own traffic; and each keeps silent
about what the documents leave open. `check(conversation)` holds them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from typing import Any, Final, NamedTuple

from .compare import differences, time_of
from .description import Source, description
from .history import KEY_HEADER, History, Page, Sight, histories
from .judge import FORMATS, BrokenError, judge, nulls
from .scrub import excerpt
from .traffic import DOCUMENTED, Conversation, Place, Recorded

PAID: Final = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
# Where each status may lead; a slow reader misses the steps between.
_AFTER_PAYMENT: Final = frozenset(PAID)
NEXT: Final[Mapping[str, frozenset[str]]] = {
    "ACTIVE": frozenset({"ACTIVE", "PROCESSING", "DEACTIVATED", "EXPIRED", "FAILED"}) | _AFTER_PAYMENT,
    "PROCESSING": frozenset({"PROCESSING", "FAILED"}) | _AFTER_PAYMENT,
    "COMPLETED": _AFTER_PAYMENT,
    "PARTIALLY_REFUNDED": frozenset({"PARTIALLY_REFUNDED", "REFUNDED"}),
    "REFUNDED": frozenset({"REFUNDED"}),
    **{status: frozenset({status}) for status in ("DEACTIVATED", "EXPIRED", "FAILED")},
}

# What a create may say and every later answer repeats.
_ECHOED: Final = ("description", "metadata", "successRedirectUrl", "failRedirectUrl")
_CONSTANT: Final = ("url", "currency", "network", "address", "createdAt", "expiresAt", "transactionHash", *_ECHOED)
_FIAT: Final = ("fiatAmount", "fiatCurrency")
_OF_REFUND: Final = ("checkoutId", "amount", "currency", "reason", "createdAt", "transactionHash", "completedAt")
_SETTLED: Final = ("totalAmount", "feeAmount", "netAmount", "currency")

_KEY_LIFETIME: Final = timedelta(hours=24)
# A server's clocks may differ by this, and it may show less of a time than it keeps.
_SKEW: Final = timedelta(seconds=60)
_FRACTION: Final = timedelta(seconds=1)
_AMOUNT: Final = re.compile(r"-?\d{1,40}(\.\d{1,20})?", re.ASCII)
# Sums of amounts of any size are exact.
_EXACT: Final = Context(prec=100)


class Odd(NamedTuple):
    """One way in which *exchange* says what cannot be; *since* is the one that said otherwise before."""

    exchange: Recorded
    pointer: str
    expected: str
    actual: str
    since: Recorded | None = None


Rule = Callable[[History], Iterable[Odd]]


@dataclass(frozen=True)
class Invariant:
    """
    One rule.

    Args:
        sentence: The rule in words.
        rules: Ids of `x-rule`s and pointers into the description that it follows from.
    """

    id: str
    sentence: str
    rules: tuple[str, ...]
    holds: Rule

    @property
    def name(self) -> str:
        return self.id

    @property
    def claim(self) -> str:
        """The claim that tries it: `invariant.settlement-sum`."""
        return f"invariant.{self.id}"

    @property
    def proves(self) -> tuple[str, ...]:
        """Its rules as pointers."""
        return tuple(map(description().pointer, self.rules))

    @property
    def source(self) -> Source:
        return Source.joined([description().source(pointer) for pointer in self.proves])


@dataclass(frozen=True)
class Finding:
    """One break of one invariant."""

    invariant: Invariant
    odd: Odd

    @property
    def exchange(self) -> Recorded:
        return self.odd.exchange

    @property
    def place(self) -> Place:
        return self.odd.exchange.place

    @property
    def pointer(self) -> str:
        """Into the answer's body."""
        return self.odd.pointer

    @property
    def what(self) -> str:
        """Expected and actual, in words; scrubbed."""
        since = f", by {self.odd.since.place}" if self.odd.since else ""
        text = f"expected {self.odd.expected}{since}; got {self.odd.actual} in {self.place} ({_asked(self.exchange)})"
        return excerpt(text, limit=400)

    def __str__(self) -> str:
        return f"{self.invariant.id}: {self.what} at {self.pointer or '/'}"


class InvariantError(BrokenError):
    """What was said in a test cannot be; *findings* tell it all, the first is told."""

    def __init__(self, findings: list[Finding]) -> None:
        first = findings[0]
        sentence = f"{first.invariant.sentence} (invariant {first.invariant.id}; {len(findings)} in all)"
        super().__init__(f"{first.what}. {sentence}", pointer=first.pointer, rule=first.invariant.proves[0])
        self.findings = findings


INVARIANTS: Final[dict[str, Invariant]] = {}


def check(conversation: Conversation) -> list[Finding]:
    """Every way in which *conversation* breaks an invariant; published examples were drawn up, not said, and tell nothing."""
    if conversation.standing == DOCUMENTED:
        return []
    return [
        Finding(invariant, odd)
        for history in histories(conversation)
        for invariant in INVARIANTS.values()
        for odd in invariant.holds(history)
    ]


def hold(conversation: Conversation) -> None:
    """
    Hold all invariants.

    Raises:
        InvariantError: One is broken.
    """
    if findings := check(conversation):
        raise InvariantError(findings)


def explain(name: str) -> str:
    """
    An invariant in words: its sentence, its rules, where they come from.

    Args:
        name: With or without the `invariant.` of its claim.

    Raises:
        KeyError: There is none of that name.
    """
    one = INVARIANTS[name.removeprefix("invariant.")]
    rules = [
        f"  {rule}: {description().at(description().pointer(rule)).get('rule', '')}".rstrip(": ") for rule in one.rules
    ]
    return "\n".join([f"{one.claim}", f"  {one.sentence}", "follows from", *rules, f"source {one.source}"])


def invariant(identifier: str, *rules: str) -> Callable[[Rule], Rule]:
    """Says which invariant a function is; its docstring is the sentence."""

    def keep(holds: Rule) -> Rule:
        INVARIANTS[identifier] = Invariant(identifier, " ".join((holds.__doc__ or "").split()), rules, holds)
        return holds

    return keep


# What a checkout says of itself.


@invariant("transaction-hash-exactly-when-paid", "checkout.transaction-hash")
def _transaction_hash(history: History) -> Iterator[Odd]:
    """A checkout has a transactionHash exactly when it is COMPLETED, PARTIALLY_REFUNDED or REFUNDED."""
    return _exactly_when_paid(history, "transactionHash")


@invariant("settlement-exactly-when-paid", "checkout.settlement")
def _settlement(history: History) -> Iterator[Odd]:
    """A checkout has a settlement exactly when its payment is complete."""
    return _exactly_when_paid(history, "settlement")


def _exactly_when_paid(history: History, name: str) -> Iterator[Odd]:
    for sight in history.sights:
        status = sight.checkout["status"]
        if (status in PAID) != bool(sight.checkout.get(name)):
            expected = f"{name} with status {status}" if status in PAID else f"no {name} with status {status}"
            yield _odd(sight, name, expected)


@invariant("settlement-sum", "settlement.sum")
def _settlement_sum(history: History) -> Iterator[Odd]:
    """The settlement's totalAmount less feeAmount is netAmount, all three are amounts, and the fee is not negative."""
    for sight in history.sights:
        settlement = sight.checkout.get("settlement", {})
        for name in _SETTLED[:3]:
            if name in settlement and _amount(settlement[name]) is None:
                yield _odd(sight, f"settlement/{name}", "an amount")
        total, fee, net = (_amount(settlement.get(name)) for name in _SETTLED[:3])
        if fee is not None and fee < 0:
            yield _odd(sight, "settlement/feeAmount", "a fee of 0 or more")
        if not (total is None or fee is None or net is None) and _sum([net, fee]) != total:
            figures = f"{settlement['totalAmount']} less {settlement['feeAmount']}"
            yield _odd(sight, "settlement/netAmount", figures)


@invariant("fiat-both-or-neither", "checkout.fiat")
def _fiat(history: History) -> Iterator[Odd]:
    """A checkout has both fiatAmount and fiatCurrency, or neither."""
    for sight in history.sights:
        there = [name for name in _FIAT if name in sight.checkout]
        if len(there) == 1:
            [missing] = set(_FIAT) - set(there)
            yield _odd(sight, missing, f"{missing} beside {there[0]}")


@invariant("expires-after-created", "create.expires-in-future", "checkout.expires")
def _expires(history: History) -> Iterator[Odd]:
    """A checkout expires after it was created."""
    for sight in history.sights:
        created, expires = (time_of(sight.checkout.get(name)) for name in ("createdAt", "expiresAt"))
        if created and expires and expires < created - _SKEW:
            yield _odd(sight, "expiresAt", f"a time after createdAt, {sight.checkout['createdAt']}")


@invariant("updated-not-before-created", "checkout.updated-at")
def _updated_after_created(history: History) -> Iterator[Odd]:
    """A checkout's updatedAt is not before its createdAt."""
    for sight in history.sights:
        created, updated = (time_of(sight.checkout[name]) for name in ("createdAt", "updatedAt"))
        if created and updated and updated < created - _FRACTION:
            yield _odd(sight, "updatedAt", f"no time before createdAt, {sight.checkout['createdAt']}")


# Its refunds.


@invariant("only-paid-has-refunds", "checkout.refunded-amount", "refund.precondition")
def _only_paid(history: History) -> Iterator[Odd]:
    """A checkout has refunds only when it was paid, refundedAmount only with refunds, and never an empty list of them."""
    for sight in history.sights:
        status = sight.checkout["status"]
        there = [name for name in ("refundedAmount", "refunds") if name in sight.checkout]
        if there and status not in PAID:
            yield _odd(sight, there[0], f"no {there[0]} with status {status}")
        elif "refunds" in there and not sight.refunds:
            yield _odd(sight, "refunds", "no refunds rather than an empty list")
        elif there == ["refundedAmount"] and sight.shows_refunds:
            yield _odd(sight, "refundedAmount", "no refundedAmount without refunds")


@invariant("refunds-sum", "checkout.refund-sum")
def _refunds_sum(history: History) -> Iterator[Odd]:
    """A checkout's refundedAmount is the sum of its refunds, those that failed counted or not."""
    for sight, sums in _refunded(history):
        least = _sum([sums["PENDING"], sums["COMPLETED"]])
        most = _sum([least, sums["FAILED"]])
        told = _amount(sight.checkout.get("refundedAmount", "0"))
        if told is not None and not least <= told <= most:
            between = f"{least}" if least == most else f"{least} to {most}"
            yield _odd(sight, "refundedAmount", f"{between}, the sum of the refunds")


@invariant("refunds-within-amount", "checkout.refund-sum", "refund.within-remaining")
def _refunds_within_amount(history: History) -> Iterator[Odd]:
    """The refunds of a checkout that did not fail are together at most its amount, and so is its refundedAmount."""
    for sight, sums in _refunded(history):
        amount = _amount(sight.checkout["amount"])
        if amount is None:
            continue
        if _sum([sums["PENDING"], sums["COMPLETED"]]) > amount:
            yield _odd(sight, "refunds", f"refunds of at most {amount}, the amount")
        # Whether a failed refund is taken off again is not documented.
        told = _amount(sight.checkout.get("refundedAmount"))
        if told is not None and told > amount and not sums["FAILED"]:
            yield _odd(sight, "refundedAmount", f"at most {amount}, the amount")


@invariant("refunded-exactly", "checkout.refunded-exactly")
def _refunded_exactly(history: History) -> Iterator[Odd]:
    """A checkout is REFUNDED when all of its amount is refunded, PARTIALLY_REFUNDED when part of it is, and else neither."""
    for sight, sums in _refunded(history):
        amount, status = _amount(sight.checkout["amount"]), sight.checkout["status"]
        # What a failed refund leaves behind is not documented; nor whether the start of a refund counts, or its end.
        if amount is None or status not in PAID or _failed(sight):
            continue
        ended, begun = sums["COMPLETED"], _sum([sums["COMPLETED"], sums["PENDING"]])
        possible = {_status(ended, amount), _status(begun, amount)}
        if status not in possible:
            expected = f"{' or '.join(sorted(possible))} with {begun} of {amount} refunded, {ended} of it completed"
            yield _odd(sight, "status", expected)


def _status(refunded: Decimal, amount: Decimal) -> str:
    if refunded >= amount:
        return "REFUNDED"
    return "PARTIALLY_REFUNDED" if refunded else "COMPLETED"


@invariant("refund-completion", "refund.completed-at")
def _refund_completion(history: History) -> Iterator[Odd]:
    """
    A refund that is COMPLETED has a transactionHash and a completedAt, not before its createdAt; a PENDING or FAILED one
    has neither.
    """
    for exchange, pointer, refund in _refunds(history):
        created, completed = time_of(refund["createdAt"]), time_of(refund.get("completedAt"))
        if refund["status"] == "COMPLETED":
            for name in ("completedAt", "transactionHash"):
                if not refund.get(name):
                    yield Odd(exchange, f"{pointer}/{name}", f"{name} with status COMPLETED", "none")
        elif refund["status"] in {"PENDING", "FAILED"}:
            for name in ("completedAt", "transactionHash"):
                if name in refund:
                    expected = f"no {name} with status {refund['status']}"
                    yield Odd(exchange, f"{pointer}/{name}", expected, refund[name])
        if created and completed and completed < created - _FRACTION:
            expected = f"no time before createdAt, {refund['createdAt']}"
            yield Odd(exchange, f"{pointer}/completedAt", expected, refund["completedAt"])


@invariant("refund-belongs", "refund.pending-first", "#/components/schemas/Refund/properties/checkoutId")
def _refund_belongs(history: History) -> Iterator[Odd]:
    """A refund names its checkout, each has an id of its own, and the answer to a refund lists the very refund it tells of."""
    for sight in history.sights:
        ids = [refund["id"] for refund in sight.refunds]
        for index, refund in enumerate(sight.refunds):
            if refund["checkoutId"] != sight.checkout["id"]:
                yield _odd(sight, f"refunds/{index}/checkoutId", sight.checkout["id"])
            if refund["id"] in ids[:index]:
                yield _odd(sight, f"refunds/{index}/id", "an id that no other refund has")
    for exchange in history.of("refundCheckout"):
        refund, checkout = exchange.json["refund"], exchange.json["checkout"]
        if refund["checkoutId"] != checkout["id"]:
            yield Odd(exchange, "/refund/checkoutId", checkout["id"], refund["checkoutId"])
        listed = [one for one in checkout.get("refunds", ()) if one["id"] == refund["id"]]
        if not listed:
            yield Odd(exchange, "/checkout/refunds", f"the refund {refund['id']}", "no such refund")
        elif unlike := differences(refund, listed[0]):
            yield Odd(exchange, "/checkout/refunds", "the refund as it is told beside", unlike[0])


@invariant("refund-echo", "refund.pending-first", "refund.default-currency")
def _refund_echo(history: History) -> Iterator[Odd]:
    """A refund begins PENDING, with the reason and, if it is in the checkout's currency, the amount that were asked for."""
    for exchange in history.of("refundCheckout"):
        refund, body = exchange.json["refund"], exchange.body
        if refund["status"] != "PENDING":
            yield Odd(exchange, "/refund/status", "PENDING", refund["status"])
        if not _kept(exchange):
            continue
        is_fiat = "fiatCurrency" in exchange.json["checkout"] or "fiatCurrency" in refund
        own = body.get("currency", "USDC") == "USDC" and not (is_fiat and "currency" not in body)
        for name in ("amount", "reason") if own else ("reason",):
            if body.get(name) and differences({name: body[name]}, {name: refund.get(name)}):
                yield Odd(exchange, f"/refund/{name}", repr(body[name]), repr(refund.get(name)))


# What may change, and what may not.


@invariant("legal-status-changes", "checkout.status-changes")
def _legal_changes(history: History) -> Iterator[Odd]:
    """A checkout's status changes only in the documented ways; from PARTIALLY_REFUNDED back only if a refund failed."""
    return _from(history, "ACTIVE", "PROCESSING", "COMPLETED", "PARTIALLY_REFUNDED")


@invariant("final-states-stay", "checkout.final")
def _final_states(history: History) -> Iterator[Odd]:
    """EXPIRED and FAILED are never left, REFUNDED only if a refund failed."""
    return _from(history, "EXPIRED", "FAILED", "REFUNDED")


@invariant("deactivation-sticks", "deactivate.result", "checkout.final")
def _deactivation(history: History) -> Iterator[Odd]:
    """A checkout that was deactivated is DEACTIVATED in the answer, and ever after."""
    for exchange in history.of("deactivateCheckout"):
        if exchange.json["status"] != "DEACTIVATED":
            yield Odd(exchange, "/status", "DEACTIVATED after a deactivation", exchange.json["status"])
    yield from _from(history, "DEACTIVATED")


def _from(history: History, *statuses: str) -> Iterator[Odd]:
    """Illegal changes from one of *statuses*."""
    for earlier, later in history.changes:
        before, after = earlier.checkout["status"], later.checkout["status"]
        if before not in statuses or after in NEXT[before]:
            continue
        # What becomes of the status when a refund fails is not documented.
        if before in ("PARTIALLY_REFUNDED", "REFUNDED") and after in PAID and _may_have_failed(later):
            continue
        yield _odd(later, "status", f"no {after} after {before}", earlier)


@invariant("refunds-are-kept", "refund.status-changes", "#/components/schemas/Checkout/properties/refunds")
def _refunds_kept(history: History) -> Iterator[Odd]:
    """A refund stays with its checkout, as it was; PENDING becomes COMPLETED or FAILED, and neither is left."""
    for earlier, later in history.changes:
        now = {refund["id"]: (index, refund) for index, refund in enumerate(later.refunds)}
        for before in earlier.refunds:
            index, after = now.get(before["id"], (0, None))
            if after is None:
                if later.shows_refunds:
                    yield _odd(later, "refunds", f"still the refund {before['id']}", earlier)
                continue
            for name in _OF_REFUND:
                # What a fiat refund comes to until it ends is not documented.
                if name == "amount" and "fiatAmount" in before:
                    continue
                if name in before and differences({name: before[name]}, {name: after.get(name)}):
                    yield _odd(later, f"refunds/{index}/{name}", f"still {before[name]!r}", earlier)
            if before["status"] not in ("PENDING", after["status"]):
                yield _odd(later, f"refunds/{index}/status", f"still {before['status']}", earlier)


@invariant("settlement-unchanged-by-refund", "#/components/schemas/Settlement")
def _settlement_unchanged(history: History) -> Iterator[Odd]:
    """The settlement of a payment never changes, whatever is refunded."""
    for sights in history.by_id.values():
        settled = [sight for sight in sights if "settlement" in sight.checkout]
        for sight in settled[1:]:
            before, after = settled[0].checkout["settlement"], sight.checkout["settlement"]
            for name in _SETTLED:
                if name in before and differences({name: before[name]}, {name: after.get(name)}):
                    yield _odd(sight, f"settlement/{name}", f"still {before[name]!r}", settled[0])


@invariant("identity-never-changes", "create.echo", "#/components/schemas/Checkout")
def _identity(history: History) -> Iterator[Odd]:
    """
    A checkout's url, amount, currency, network, address, createdAt, expiresAt, description, metadata, redirect URLs
    and fiat fields, and the transactionHash of its payment, are the same in every answer.
    """
    for sights in history.by_id.values():
        first: dict[str, Sight] = {}
        for sight in sights:
            # What USDC a price in fiat comes to until it is paid is not documented.
            amount = () if any(name in sight.checkout for name in _FIAT) else ("amount",)
            for name in (*_CONSTANT, *_FIAT, *amount):
                known = first.setdefault(name, sight) if name in sight.checkout else first.get(name)
                # A listing may leave out what is not required.
                if known is None or (name not in sight.checkout and (name not in _ECHOED or not sight.shows_refunds)):
                    continue
                if differences({name: known.checkout[name]}, {name: sight.checkout.get(name)}):
                    yield _odd(sight, name, f"still {known.checkout[name]!r}", known)


@invariant("updated-at-never-goes-back", "checkout.updated-at")
def _updated_at(history: History) -> Iterator[Odd]:
    """A checkout's updatedAt never goes back."""
    for earlier, later in history.changes:
        before, after = (time_of(sight.checkout["updatedAt"]) for sight in (earlier, later))
        if before and after and after < before:
            yield _odd(later, "updatedAt", f"no time before {earlier.checkout['updatedAt']}", earlier)


@invariant("updated-at-moves-with-status", "checkout.updated-at")
def _updated_at_moves(history: History) -> Iterator[Odd]:
    """When a checkout's status changed, other than to EXPIRED or FAILED, updatedAt is the time of that, and not one long before."""
    for earlier, later in history.changes:
        status, updated = later.checkout["status"], time_of(later.checkout["updatedAt"])
        known = history.time_at(earlier.exchange)
        # A server may work out what expired when it is asked; a published sample of FAILED still shows createdAt.
        changed = status not in (earlier.checkout["status"], "EXPIRED", "FAILED")
        # Old news may have changed before the answer that told them.
        if changed and earlier.is_fresh and updated and known and updated < known - _SKEW:
            yield _odd(later, "updatedAt", f"a time after {known.isoformat()}, when it was not yet {status}", earlier)


# Requests and their answers.


@invariant("created-active", "create.active")
def _created_active(history: History) -> Iterator[Odd]:
    """A new checkout is ACTIVE."""
    for exchange in history.of("createCheckout"):
        if exchange.json["status"] != "ACTIVE":
            yield Odd(exchange, "/status", "ACTIVE", exchange.json["status"])


@invariant("create-echo", "create.echo")
def _create_echo(history: History) -> Iterator[Odd]:
    """A new checkout repeats what was asked for."""
    for exchange in history.of("createCheckout"):
        checkout, body = exchange.json, exchange.body
        if not _kept(exchange):
            continue
        names = [*_ECHOED, "network", *(("amount", "currency") if body["currency"] == "USDC" else ())]
        for name in names:
            # Empty is as good as absent.
            if body.get(name) and differences({name: body[name]}, {name: checkout.get(name)}):
                yield Odd(exchange, f"/{name}", repr(body[name]), repr(checkout.get(name)))
        sent, told = time_of(body.get("expiresAt")), time_of(checkout.get("expiresAt"))
        if sent and (told is None or abs(sent - told) > _FRACTION):
            yield Odd(exchange, "/expiresAt", body["expiresAt"], repr(checkout.get("expiresAt")))


@invariant("accepted-amounts", "create.amount-range", "refund.amount-positive")
def _accepted_amounts(history: History) -> Iterator[Odd]:
    """No checkout is made of less than 0.01 or more than 100000000, and no refund of nothing."""
    for operation_id, least, most in (("createCheckout", "0.01", "100000000"), ("refundCheckout", "0.01", None)):
        for exchange in history.of(operation_id):
            asked = _amount(exchange.body.get("amount")) if isinstance(exchange.body, dict) else None
            if asked is not None and (asked < Decimal(least) or (most is not None and asked > Decimal(most))):
                expected = f"a refusal of an amount under {least}" + (f" or over {most}" if most else "")
                yield Odd(exchange, "", expected, f"{exchange.status} for {exchange.body['amount']}")


@invariant("asked-is-answered", "#/components/parameters/CheckoutId", "#/components/schemas/Checkout/properties/id")
def _asked_is_answered(history: History) -> Iterator[Odd]:
    """The answer about one checkout is about the one that was asked for."""
    for sight in history.sights:
        asked = sight.exchange.parameters.get("id")
        if asked is not None and asked != sight.checkout["id"]:
            yield _odd(sight, "id", asked)


@invariant("one-id-one-checkout", "#/components/schemas/Checkout/properties/id")
def _one_id(history: History) -> Iterator[Odd]:
    """No two checkouts have one id, and no page lists one twice."""
    made: dict[str, Recorded] = {}
    for exchange in history.of("createCheckout"):
        first = made.setdefault(exchange.json["id"], exchange)
        keys = [one.request_headers.get(KEY_HEADER) for one in (first, exchange)]
        if first is not exchange and (None in keys or keys[0] != keys[1]):
            yield Odd(exchange, "/id", "an id that no other checkout has", exchange.json["id"], first)
    for page in history.pages:
        seen: set[str] = set()
        for index, checkout in enumerate(page.checkouts):
            if checkout["id"] in seen:
                yield Odd(page.exchange, f"/checkouts/{index}/id", "every checkout once", checkout["id"])
            seen.add(checkout["id"])


@invariant("same-key-same-answer", "idempotency.replay")
def _same_key(history: History) -> Iterator[Odd]:
    """The same key with the same request is answered as before, status included, for 24 hours."""
    for first, again in _keyed(history):
        if first.body == again.body and not _same_answer(first, again) and not _expired(history, first, again):
            actual = f"{again.status} with another body" if again.status == first.status else str(again.status)
            yield Odd(again, "", f"the answer to its first use, {first.status}", actual, first)


@invariant("same-key-other-request", "idempotency.conflict")
def _other_request(history: History) -> Iterator[Odd]:
    """The same key with another request is refused for 24 hours."""
    for first, again in _keyed(history):
        if _conflict(first.body, again.body) and (_same_answer(first, again) or not _expired(history, first, again)):
            yield Odd(again, "", "a refusal, for the key was used with another request", str(again.status), first)


@invariant("errors-are-told", "#/components/schemas/ErrorBody")
def _errors(history: History) -> Iterator[Odd]:
    """An error has an errorType and an errorMessage that say something, and so does a correlationId, if there is one."""
    for exchange in history.exchanges:
        if exchange.status < 400:
            continue
        for pointer, error in _told(exchange.json):
            for name, value in error.items():
                if isinstance(value, str) and not value.strip():
                    yield Odd(exchange, f"{pointer}/{name}", "a text", repr(value))


def _told(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What of an error's body is for telling it, in either shape."""
    yield "", {name: body.get(name) for name in ("errorType", "errorMessage", "correlationId")}
    if "errorType" not in body:
        for index, error in enumerate(body["errors"]):
            yield f"/errors/{index}", {name: error[name] for name in ("id", "message")}


@invariant("no-null", "response.no-null")
def _no_null(history: History) -> Iterator[Odd]:
    """No answer has a null: a field without a value is absent."""
    for exchange in history.exchanges:
        for pointer in nulls(exchange.json):
            yield Odd(exchange, pointer, "a value, or no field", "null")


# Listings.


@invariant("page-size-respected", "list.partition", "#/components/parameters/PageSize")
def _page_size(history: History) -> Iterator[Odd]:
    """A page holds at most pageSize checkouts, 20 if nothing is said."""
    for page in history.pages:
        sizes = _values(page, "pageSize") or ["20"]
        most = int(sizes[0]) if len(sizes) == 1 and re.fullmatch(r"[1-9]\d{0,2}", sizes[0], re.ASCII) else None
        if most is not None and len(page.checkouts) > most:
            yield Odd(page.exchange, "/checkouts", f"at most {most} checkouts", str(len(page.checkouts)))


@invariant("pages-partition", "list.partition")
def _pages(history: History) -> Iterator[Odd]:
    """No two pages of one listing hold the same checkout, as long as nothing was changed meanwhile."""
    for page in history.pages:
        seen = {checkout["id"]: one.exchange for one in page.before for checkout in one.checkouts}
        again = [(index, one["id"]) for index, one in enumerate(page.checkouts) if one["id"] in seen]
        if again and not any(_is_write(one) for one in history.during(page.before[0].exchange, page.exchange)):
            for index, known in again:
                yield Odd(page.exchange, f"/checkouts/{index}/id", "every checkout once", known, seen[known])


def _is_write(exchange: Recorded) -> bool:
    # One that was answered with an error may have acted all the same.
    return exchange.method not in ("GET", "HEAD") and not 400 <= exchange.status < 500


@invariant("listings-end", "list.partition", "list.last-page")
def _listings_end(history: History) -> Iterator[Odd]:
    """No nextPageToken of a listing comes again on a later page of it: it ends."""
    for page in history.pages:
        known = next((one for one in page.before if page.token and one.token == page.token), None)
        if known:
            yield Odd(page.exchange, "/nextPageToken", "a token that has not come yet", "one again", known.exchange)


@invariant("filters-respected", "list.filters")
def _filters(history: History) -> Iterator[Odd]:
    """Every checkout of a page matches each filter that was given: status, startTime, endTime, descriptionQuery."""
    for page in history.pages:
        statuses, known = set(_values(page, "status")), set(NEXT)
        for index, checkout in enumerate(page.checkouts):
            at, created = f"/checkouts/{index}", time_of(checkout["createdAt"])
            if statuses and statuses <= known and checkout["status"] not in statuses:
                yield Odd(page.exchange, f"{at}/status", " or ".join(sorted(statuses)), checkout["status"])
            for start in _times(page, "startTime"):
                if created and created < start - _FRACTION:
                    yield Odd(page.exchange, f"{at}/createdAt", f"{start} or later", checkout["createdAt"])
            for end in _times(page, "endTime"):
                if created and created > end + _FRACTION:
                    yield Odd(page.exchange, f"{at}/createdAt", f"{end} or earlier", checkout["createdAt"])
            for query in _values(page, "descriptionQuery")[:1]:
                text = checkout.get("description", "")
                # What counts as the same letter in another case is plain in ASCII only.
                if f"{query}{text}".isascii() and query.strip().lower() not in text.lower():
                    yield Odd(page.exchange, f"{at}/description", f"something with {query!r}", repr(text))


# Steps that several of them share.


def _odd(sight: Sight, field: str, expected: str, since: Sight | None = None) -> Odd:
    value: Any = sight.checkout
    for part in field.split("/"):
        value = value[int(part)] if isinstance(value, list) else value.get(part)
    actual = "none" if value is None else value if isinstance(value, str) else repr(value)
    return Odd(sight.exchange, f"{sight.pointer}/{field}", expected, actual, since.exchange if since else None)


def _refunds(history: History) -> Iterator[tuple[Recorded, str, Mapping[str, Any]]]:
    """Every refund in every answer."""
    for sight in history.sights:
        for index, refund in enumerate(sight.refunds):
            yield sight.exchange, f"{sight.pointer}/refunds/{index}", refund
    for exchange in history.of("refundCheckout"):
        yield exchange, "/refund", exchange.json["refund"]


def _refunded(history: History) -> Iterator[tuple[Sight, dict[str, Decimal]]]:
    """The sights that tell all refunds, in the checkout's currency, with their sums by status."""
    for sight in history.sights:
        figures = [(refund["status"], _amount(refund["amount"])) for refund in sight.refunds]
        # Which of a fiat refund's amounts is which is inferred.
        own = all(
            refund.get("currency", sight.checkout["currency"]) == sight.checkout["currency"]
            and not any(name in refund for name in _FIAT)
            for refund in sight.refunds
        )
        if own and sight.shows_refunds and all(amount is not None for _, amount in figures):
            yield (
                sight,
                {
                    status: _sum([amount or Decimal(0) for known, amount in figures if known == status])
                    for status in ("PENDING", "COMPLETED", "FAILED")
                },
            )


def _failed(sight: Sight) -> bool:
    return any(refund["status"] == "FAILED" for refund in sight.refunds)


def _may_have_failed(sight: Sight) -> bool:
    return _failed(sight) or not sight.shows_refunds


def _keyed(history: History) -> Iterator[tuple[Recorded, Recorded]]:
    """The first successful use of each key on each path, as long as it is remembered, with each later one."""
    first: dict[tuple[str, str, str], Recorded] = {}
    for exchange in (*history.of("createCheckout"), *history.of("refundCheckout")):
        key = exchange.request_headers.get(KEY_HEADER)
        if key is None or exchange.body is None:
            continue
        use = (key, exchange.method, exchange.path)
        known = first.setdefault(use, exchange)
        if known is exchange or not history.before(known, exchange):
            continue
        yield known, exchange
        if not _same_answer(known, exchange) and _expired(history, known, exchange):
            first[use] = exchange


def _same_answer(one: Recorded, other: Recorded) -> bool:
    return (one.status, one.json) == (other.status, other.json)


def _expired(history: History, first: Recorded, again: Recorded) -> bool:
    """Whether the key may be forgotten: by what was made, by the traffic's times, or because the clock was moved."""
    made, anew = (time_of(one.json.get("refund", one.json)["createdAt"]) for one in (first, again))
    shown = anew - made if made and anew else timedelta(0)
    return max(shown, history.passed(first, again)) >= _KEY_LIFETIME - _SKEW


def _conflict(one: object, other: object) -> bool:
    """Whether two bodies ask for different things: what only one of them says may be a default."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    return any(
        differences({name: one[name]}, {name: other[name]})
        for name in ("amount", "currency", "network", "reason", *_ECHOED, "expiresAt")
        if name in one and name in other
    )


def _kept(exchange: Recorded) -> bool:
    """Whether the request keeps the description: of what was forgiven nobody knows what should become of it."""
    assert exchange.operation is not None, "only such are in a history"
    pointer = description().body_pointer(exchange.operation)
    return pointer is not None and judge().validator(pointer).is_valid(exchange.body)


def _values(page: Page, name: str) -> list[str]:
    return [value for key, value in page.exchange.query if key == name]


def _times(page: Page, name: str) -> list[datetime]:
    """The time that *name* filters by; none if it is said twice, or breaks the description."""
    values = _values(page, name)
    fit = values if len(values) == 1 and FORMATS.conforms(values[0], "date-time") else []
    return [time for time in map(time_of, fit) if time is not None]


def _amount(text: object) -> Decimal | None:
    """An amount; None for what is none."""
    return Decimal(text) if isinstance(text, str) and _AMOUNT.fullmatch(text) else None


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts, Decimal(0))


def _asked(exchange: Recorded) -> str:
    return f"{exchange.method} {exchange.path} → {exchange.status}"
