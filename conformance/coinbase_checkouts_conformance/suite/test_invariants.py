"""
What stays true of every conversation, tried by one that gives each invariant something to break.

All of them are held against every other test's conversation, too; here each has steps that are sure to touch it. What
the steps are answered is looked at as a whole when they are over, so a step may be refused.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from coinbase_checkouts_conformance.attempts import pages, paid, undisturbed
from coinbase_checkouts_conformance.claims import each_invariant
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.exchange import Exchange, accepted, stamp
from coinbase_checkouts_conformance.invariants import Invariant
from coinbase_checkouts_conformance.judge import BrokenError

NOBODYS_ID = "000000000000000000000000"


def seen(api: Exchange, checkout_id: str) -> None:
    """Read it, and list it: both tell how it is."""
    api.read(checkout_id)
    accepted(api.list({"descriptionQuery": api.seed.marker}))


@each_invariant("created-active", "create-echo", "identity-never-changes", "asked-is-answered", "expires-after-created")
def test_created(api: Exchange, invariant: Invariant) -> None:
    for body in (api.full(), api.minimal(), {"amount": "3", "currency": "USDC", "description": api.title}):
        seen(api, api.created(body)["id"])
    ended = api.created(api.full())["id"]
    accepted(api.deactivate(ended))
    seen(api, ended)


@each_invariant("deactivation-sticks")
def test_deactivated(api: Exchange, invariant: Invariant) -> None:
    key, body = api.seed.idempotency_key(), api.minimal()
    checkout_id = accepted(api.create(body, key=key)).json["id"]
    accepted(api.deactivate(checkout_id))
    seen(api, checkout_id)
    # Old news, which brings nobody back.
    accepted(api.create(body, key=key))
    api.deactivate(checkout_id)
    api.read(checkout_id)
    api.refund(checkout_id, {"amount": "0.50"})
    seen(api, checkout_id)


@each_invariant(
    "transaction-hash-exactly-when-paid",
    "settlement-exactly-when-paid",
    "settlement-sum",
    "legal-status-changes",
    "updated-not-before-created",
)
def test_paid(api: Exchange, control: Control, invariant: Invariant) -> None:
    under_way = api.created(api.minimal(amount="7.77"))["id"]
    seen(api, under_way)
    control.pay(under_way, "PROCESSING")
    seen(api, under_way)
    with suppress(BrokenError):  # a sandbox need not pay what is already under way
        control.pay(under_way)
    for value in ("0.01", "33.33"):
        seen(api, paid(api, control, value)["id"])


@each_invariant(
    "only-paid-has-refunds",
    "refunds-sum",
    "refunds-within-amount",
    "refunded-exactly",
    "refund-completion",
    "refund-belongs",
    "refund-echo",
    "refunds-are-kept",
    "settlement-unchanged-by-refund",
    "updated-at-never-goes-back",
)
def test_refunded(api: Exchange, control: Control, invariant: Invariant) -> None:
    checkout_id = paid(api, control)["id"]
    # The fifth is more than is left; of the second nothing goes back.
    for value, outcome in (
        ("0.50", "COMPLETED"),
        ("0.30", "FAILED"),
        ("0.70", ""),
        ("0.20", "COMPLETED"),
        ("1.00", ""),
    ):
        answer = api.refund(checkout_id, {"amount": value, "reason": api.title}, key=api.seed.idempotency_key())
        if outcome:
            control.settle(checkout_id, accepted(answer).json["refund"]["id"], outcome)
        api.read(checkout_id)
    # Twice as much is left where a refund that failed is taken off again.
    accepted(api.refund(checkout_id, {"amount": "0.30"}))
    seen(api, checkout_id)
    whole = paid(api, control)["id"]
    control.settle(whole, accepted(api.refund(whole, {"amount": "2.00"})).json["refund"]["id"])
    seen(api, whole)


@each_invariant("final-states-stay")
def test_final(api: Exchange, clock: Control, invariant: Invariant) -> None:
    failed = api.created()["id"]
    clock.pay(failed, "FAILED")

    def begin() -> str:
        made = api.created(api.minimal(expiresAt=api.later(timedelta(hours=1), anew=True)))
        return str(made["id"])

    expired = undisturbed(clock, begin)
    clock.advance(3601)
    for checkout_id in (failed, expired):
        seen(api, checkout_id)
        api.deactivate(checkout_id)
        api.read(checkout_id)
        api.refund(checkout_id, {"amount": "0.50"})
        seen(api, checkout_id)


@each_invariant("updated-at-moves-with-status")
def test_updated(api: Exchange, clock: Control, invariant: Invariant) -> None:
    def pay() -> None:
        clock.pay(bought)

    def refund() -> None:
        answer = accepted(api.refund(bought, {"amount": "2.00"}))
        clock.settle(bought, answer.json["refund"]["id"])

    def deactivate() -> None:
        api.deactivate(ended)

    bought, ended = api.created(api.minimal(amount="2.00"))["id"], api.created()["id"]
    for step in (pay, refund, deactivate):
        clock.advance(300)
        # A new checkout shows what time it is.
        api.created()
        for known in (bought, ended):
            api.read(known)
        step()
        for known in (bought, ended):
            api.read(known)


@each_invariant("fiat-both-or-neither")
def test_fiat(api: Exchange, invariant: Invariant) -> None:
    for currency in ("USD", "EUR"):
        # 400 is the other reading.
        answer = api.create(api.minimal(amount="10.00", currency=currency))
        if answer.is_success:
            seen(api, answer.json["id"])


@each_invariant("same-key-same-answer", "same-key-other-request", "one-id-one-checkout")
def test_keys(api: Exchange, invariant: Invariant) -> None:
    key, body = api.seed.idempotency_key(), api.full()
    made = accepted(api.create(body, key=key)).json["id"]
    for again in (body, body | {"amount": "2.51"}, body):
        api.create(again, key=key)
    accepted(api.deactivate(made))
    api.create(body, key=key)
    api.create(body, key=api.seed.idempotency_key())
    api.created(api.minimal())
    accepted(api.create(body))
    accepted(api.create(body))


@each_invariant("page-size-respected", "pages-partition", "listings-end", "filters-respected")
def test_pages(api: Exchange, invariant: Invariant) -> None:
    start = stamp(api.now - timedelta(days=1))
    made = [api.created(api.minimal(description=f"{api.title} Pear {number % 2}"))["id"] for number in range(5)]
    accepted(api.deactivate(made[0]))
    for query in (
        {"pageSize": 2},
        {"pageSize": 1, "status": "ACTIVE"},
        {"pageSize": 3, "startTime": start, "endTime": api.later()},
        {"pageSize": 1, "descriptionQuery": f"{api.seed.marker} pEAR 1"},
        {"startTime": api.later()},
        {"endTime": start},
    ):
        for _ in pages(api, **{"descriptionQuery": api.seed.marker, **query}):
            pass


@each_invariant("accepted-amounts")
def test_amounts(api: Exchange, control: Control, invariant: Invariant) -> None:
    for value in ("0", "0.00", "0.01", "100000000", "100000000.01"):
        api.create(api.minimal(amount=value))
    checkout_id = paid(api, control)["id"]
    for value in ("0", "0.00", "0.01"):
        api.refund(checkout_id, {"amount": value})


@each_invariant("errors-are-told", "no-null")
def test_errors(api: Exchange, invariant: Invariant) -> None:
    key = api.seed.idempotency_key()
    made = api.created()["id"]
    api.create({"amount": "0", "currency": "USDC"})
    api.create(api.minimal(), key=key)
    api.create(api.minimal(amount="2.00"), key=key)
    api.get(NOBODYS_ID)
    api.list({"pageSize": 0})
    api.list({"descriptionQuery": api.seed.marker})
    api.refund(made, {"amount": "0.50"})
    accepted(api.deactivate(made))
    api.deactivate(made)
