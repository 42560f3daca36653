"""Each invariant tells what breaks it, and keeps silent about everything near it that is right or open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_conformance.invariants import INVARIANTS, InvariantError, check, explain, hold
from coinbase_checkouts_conformance.traffic import from_cassettes
from coinbase_checkouts_sandbox import Sandbox
from tests.conformance.conversations import ID, KEY, OTHER_ID, ROOT, SETTLEMENT, Talk, at, checkout, refund, refunded
from tests.conformance.lives import STEPS, lived

A, B, C = (f"{number:024x}" for number in (10, 11, 12))
PAID = checkout("COMPLETED")
HALF = refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00"))
HALF_DONE = refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", "COMPLETED"))
FULL_DONE = refunded("REFUNDED", "2.00", refund("2.00", "COMPLETED"))
FAILED = refund("1.00", "FAILED")
CREATED = {"amount": "2.00", "currency": "USDC", "description": "Pear"}
FIAT = {"fiatAmount": "2.00", "fiatCurrency": "USD"}
ERROR = {"errorType": "invalid_request", "errorMessage": "no", "correlationId": "1"}


def listed(status: str = "ACTIVE", /, **fields: Any) -> dict[str, Any]:
    """As an older generation's listing has it: no refunds, no fiat."""
    return checkout(status, refunds=None, refundedAmount=None, **fields)


BROKEN: list[tuple[str, Talk]] = [
    ("transaction-hash-exactly-when-paid", Talk().get(checkout(transactionHash="0xabc"))),
    ("transaction-hash-exactly-when-paid", Talk().get(checkout("COMPLETED", transactionHash=None))),
    ("transaction-hash-exactly-when-paid", Talk().list(checkout("REFUNDED", transactionHash=""))),
    ("settlement-exactly-when-paid", Talk().get(checkout("FAILED", settlement=SETTLEMENT))),
    ("settlement-exactly-when-paid", Talk().get(checkout("COMPLETED", settlement=None))),
    ("settlement-sum", Talk().get(checkout("COMPLETED", settlement=SETTLEMENT | {"netAmount": "1.99"}))),
    (
        "settlement-sum",
        Talk().get(checkout("COMPLETED", settlement=SETTLEMENT | {"feeAmount": "-0.02", "netAmount": "2.02"})),
    ),
    *(
        ("settlement-sum", Talk().get(checkout("COMPLETED", settlement=SETTLEMENT | {"feeAmount": value})))
        for value in ("sNaN", "?", "", "$0.02", "0.02 USDC", "2e-2")
    ),
    ("fiat-both-or-neither", Talk().get(checkout(fiatAmount="2.00"))),
    ("expires-after-created", Talk().get(checkout(expiresAt=at(-2)))),
    ("updated-not-before-created", Talk().get(checkout(updatedAt=at(-1)))),
    ("only-paid-has-refunds", Talk().get(checkout(refundedAmount="0.00"))),
    ("only-paid-has-refunds", Talk().get(checkout("COMPLETED", refunds=[]))),
    ("only-paid-has-refunds", Talk().get(checkout("COMPLETED", refundedAmount="0.00"))),
    ("refunds-sum", Talk().get(refunded("PARTIALLY_REFUNDED", "1.01", refund("1.00")))),
    ("refunds-sum", Talk().get(refunded("PARTIALLY_REFUNDED", None, refund("1.00")))),
    ("refunds-sum", Talk().get(refunded("COMPLETED", "1.01", FAILED))),
    ("refunds-within-amount", Talk().get(refunded("REFUNDED", "2.01", refund("2.01")))),
    ("refunded-exactly", Talk().get(refunded("REFUNDED", "1.00", refund("1.00", "COMPLETED")))),
    ("refunded-exactly", Talk().get(refunded("COMPLETED", "1.00", refund("1.00", "COMPLETED")))),
    ("refunded-exactly", Talk().get(refunded("PARTIALLY_REFUNDED", "2.00", refund("2.00", "COMPLETED")))),
    ("refunded-exactly", Talk().get(checkout("PARTIALLY_REFUNDED"))),
    (
        "refund-completion",
        Talk().get(refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", "COMPLETED", completedAt=None))),
    ),
    (
        "refund-completion",
        Talk().get(refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", "COMPLETED", completedAt=at(4)))),
    ),
    ("refund-completion", Talk().get(refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", completedAt=at(6))))),
    *(
        (
            "refund-completion",
            Talk().get(refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", status, **{name: value}))),
        )
        for status in ("PENDING", "FAILED")
        for name, value in (("completedAt", at(6)), ("transactionHash", f"0x{'ab' * 32}"))
    ),
    ("refund-belongs", Talk().get(refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", checkoutId=OTHER_ID)))),
    ("refund-belongs", Talk().get(refunded("REFUNDED", "2.00", refund("1.00"), refund("1.00")))),
    ("refund-belongs", Talk().refund(PAID, refund("1.00"))),
    ("refund-belongs", Talk().refund(HALF, refund("1.00", createdAt=at(7)))),
    ("refund-echo", Talk().refund(HALF_DONE, refund("1.00", "COMPLETED"))),
    ("refund-echo", Talk().refund(HALF, refund("1.00"), {"amount": "0.50"})),
    ("refund-echo", Talk().refund(HALF, refund("1.00"), {"amount": "1", "reason": "broken"})),
    ("legal-status-changes", Talk().get(PAID).get(checkout())),
    ("legal-status-changes", Talk().get(checkout("PROCESSING")).get(checkout("DEACTIVATED"))),
    ("legal-status-changes", Talk().get(HALF_DONE).get(PAID)),
    ("final-states-stay", Talk().get(checkout("EXPIRED")).get(PAID)),
    ("final-states-stay", Talk().list(checkout("FAILED")).get(checkout())),
    ("final-states-stay", Talk().get(FULL_DONE).get(HALF_DONE)),
    ("deactivation-sticks", Talk().deactivate(checkout())),
    ("deactivation-sticks", Talk().deactivate(checkout("DEACTIVATED")).list(checkout())),
    ("refunds-are-kept", Talk().get(HALF).get(PAID)),
    ("refunds-are-kept", Talk().get(HALF_DONE).get(HALF)),
    (
        "refunds-are-kept",
        Talk().get(HALF).get(refunded("PARTIALLY_REFUNDED", "1.00", refund("1.00", createdAt=at(7)))),
    ),
    (
        "settlement-unchanged-by-refund",
        Talk().get(PAID).get(HALF | {"settlement": {**SETTLEMENT, "feeAmount": "0.01", "netAmount": "1.99"}}),
    ),
    ("identity-never-changes", Talk().get(checkout()).get(checkout(address="0x0"))),
    ("identity-never-changes", Talk().get(checkout(metadata={"a": "1"})).get(checkout())),
    ("identity-never-changes", Talk().create(checkout()).list(checkout(amount="2.01"))),
    ("identity-never-changes", Talk().get(PAID).get(checkout("COMPLETED", transactionHash="0xdef"))),
    ("updated-at-never-goes-back", Talk().get(checkout(updatedAt=at(1))).get(checkout(updatedAt=at(0.5)))),
    (
        "updated-at-moves-with-status",
        Talk()
        .create(checkout())
        .create(checkout(id=OTHER_ID, createdAt=at(5), updatedAt=at(5)))
        .get(checkout())
        .get(PAID),
    ),
    ("create-echo", Talk().create(checkout(description="Apple"))),
    ("created-active", Talk().create(checkout("COMPLETED"))),
    ("accepted-amounts", Talk().create(checkout(amount="0"), {**CREATED, "amount": "0.00"})),
    ("accepted-amounts", Talk().create(checkout(), {**CREATED, "amount": "100000000.01"})),
    ("accepted-amounts", Talk().refund(HALF, refund("1.00"), {"amount": "0"})),
    ("create-echo", Talk().create(checkout(), {**CREATED, "metadata": {"a": "1"}})),
    ("create-echo", Talk().create(checkout(), {**CREATED, "expiresAt": at(61)})),
    ("asked-is-answered", Talk().get(checkout(), id=OTHER_ID)),
    ("asked-is-answered", Talk().refund(HALF, refund("1.00"), id=OTHER_ID)),
    ("one-id-one-checkout", Talk().create(checkout()).create(checkout())),
    ("one-id-one-checkout", Talk().list(checkout(), checkout())),
    ("same-key-same-answer", Talk().create(checkout(), key=KEY).create(checkout(), key=KEY, status=200)),
    ("same-key-same-answer", Talk().create(checkout(), key=KEY).create(checkout(id=OTHER_ID), key=KEY)),
    (
        "same-key-same-answer",
        Talk().create(checkout(), key=KEY).advance(23).create(checkout(id=OTHER_ID), key=KEY),
    ),
    (
        "same-key-same-answer",
        Talk()
        .refund(HALF, refund("1.00"), key=KEY)
        .refund(refunded("REFUNDED", "2.00", refund("1.00"), refund("1")), refund("1"), {"amount": "1.00"}, key=KEY),
    ),
    (
        "same-key-other-request",
        Talk().create(checkout(), key=KEY).create(checkout(), {**CREATED, "amount": "3"}, key=KEY),
    ),
    ("errors-are-told", Talk().error(ERROR | {"errorMessage": " "})),
    ("errors-are-told", Talk().error(ERROR | {"correlationId": ""})),
    ("errors-are-told", Talk().error({"errors": [{"id": "", "message": "slow"}]}, status=429)),
    ("no-null", Talk().get(checkout(metadata={"a": {"b": [None]}}))),
    ("page-size-respected", Talk().list(checkout(), checkout(id=A), pageSize="1")),
    ("page-size-respected", Talk().list(*(checkout(id=f"{number:024x}") for number in range(21)))),
    ("pages-partition", Talk().list(checkout(), token="2").list(checkout(), pageToken="2")),
    ("listings-end", Talk().list(token="2").list(token="2", pageToken="2")),
    ("filters-respected", Talk().list(checkout(), status="COMPLETED")),
    ("filters-respected", Talk().list(checkout(), startTime=at(1))),
    ("filters-respected", Talk().list(checkout(), endTime=at(-1))),
    ("filters-respected", Talk().list(checkout(), descriptionQuery="apple")),
]

# Of a checkout that was read last, a part of it refunded and settled.
LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "transaction-hash-exactly-when-paid": lambda one: {key: one[key] for key in one if key != "transactionHash"},
    "settlement-sum": lambda one: one | {"settlement": one["settlement"] | {"netAmount": "9.99"}},
    "settlement-unchanged-by-refund": lambda one: one | {"settlement": one["settlement"] | {"currency": "EUR"}},
    "refunds-sum": lambda one: one | {"refundedAmount": "0.01"},
    "refunded-exactly": lambda one: one | {"status": "REFUNDED"},
    "refund-belongs": lambda one: one | {"refunds": [one["refunds"][0] | {"checkoutId": OTHER_ID}]},
    "refunds-are-kept": lambda one: one | {"refunds": [one["refunds"][0] | {"status": "PENDING"}]},
    "legal-status-changes": lambda one: one | {"status": "ACTIVE"},
    "identity-never-changes": lambda one: one | {"url": f"{one['url']}0"},
    "updated-at-never-goes-back": lambda one: one | {"updatedAt": "2020-01-01T00:00:00Z"},
    "asked-is-answered": lambda one: one | {"id": OTHER_ID},
}

SPAN_A, SPAN_B = (0.0, 2.0), (1.0, 3.0)
RIGHT: dict[str, Talk] = {
    "a fee of nothing": Talk().get(checkout("COMPLETED", settlement=SETTLEMENT | {"feeAmount": "0", "netAmount": "2"})),
    "a settlement that tells little": Talk().get(checkout("COMPLETED", settlement={"currency": "USDC"})),
    "fiat": Talk().get(checkout(**FIAT)).get(checkout(amount="2.01", **FIAT)),
    "fiat that a listing leaves out": Talk().get(checkout(**FIAT)).list(listed()),
    "the published example's times": Talk().get(checkout(expiresAt=at(0))),
    "less of the fraction": Talk().get(checkout(createdAt="2026-11-20T10:00:00.900Z")),
    "a leap second": Talk()
    .get(checkout(updatedAt="2026-12-31T23:59:60Z"))
    .get(checkout(updatedAt="2027-01-01T00:00:00Z", expiresAt="2026-12-31T23:59:60Z"))
    .get(checkout(updatedAt="2027-01-01T00:00:00Z", expiresAt="2026-12-31T23:59:60.0Z")),
    "amounts and times by value": Talk()
    .get(checkout())
    .get(checkout(amount="2", createdAt="2026-11-20T10:00:00.000Z", updatedAt="2026-11-20T11:00:00+01:00")),
    "steps that were missed": Talk().create(checkout()).get(FULL_DONE),
    "a refund that starts": Talk().get(PAID).refund(HALF, refund("1.00"), {"amount": "1"}).get(HALF),
    "status when the refund starts": Talk().get(refunded("REFUNDED", "2.00", refund("2.00"))),
    "status when the refund completes": Talk().get(refunded("COMPLETED", "2.00", refund("2.00"))),
    "one part back, the rest on its way": Talk()
    .get(refunded("PARTIALLY_REFUNDED", "2.00", refund("1.50"), refund("0.50", "COMPLETED")))
    .get(refunded("REFUNDED", "2.00", refund("0.50", "COMPLETED"), refund("1.50"))),
    "a failed refund taken off again": Talk().get(HALF).get(refunded("COMPLETED", None, FAILED)),
    "a failed refund taken off to nothing": Talk().get(HALF).get(refunded("COMPLETED", "0.00", FAILED)),
    "a failed refund that stays": Talk().get(HALF).get(refunded("PARTIALLY_REFUNDED", "1.00", FAILED)),
    "a failed refund leaves REFUNDED": Talk()
    .get(refunded("REFUNDED", "2.00", refund("2.00")))
    .get(refunded("REFUNDED", "2.00", refund("2.00", "FAILED")))
    .get(refunded("COMPLETED", "0", refund("2.00", "FAILED"))),
    "a failed refund counted beside a good one": Talk().get(
        refunded("REFUNDED", "3.00", refund("2.00", "COMPLETED"), FAILED)
    ),
    "a failed refund that a listing leaves out": Talk().get(HALF).list(listed("COMPLETED")),
    "refunds that a listing leaves out": Talk().get(HALF).list(listed("PARTIALLY_REFUNDED")).get(HALF),
    "the sum of refunds that a listing leaves out": Talk().list(checkout("REFUNDED", refundedAmount="2.00")),
    "a fiat refund": Talk()
    .get(refunded("PARTIALLY_REFUNDED", "1.07", refund("1.00", currency="EUR"), **FIAT))
    .get(
        refunded(
            "PARTIALLY_REFUNDED",
            "1.07",
            refund("1.00", checkoutId=A, fiatAmount="1.00", fiatCurrency="EUR"),
            id=A,
            **FIAT,
        )
    )
    .refund(
        refunded("PARTIALLY_REFUNDED", "1.07", refund("1.07", checkoutId=B, **FIAT), id=B, **FIAT),
        refund("1.07", checkoutId=B, **FIAT),
        {"amount": "1.00", "currency": "USD"},
    ),
    "the first answer again": Talk()
    .create(checkout(), key=KEY)
    .get(PAID | {"updatedAt": at(1)})
    .create(checkout(), key=KEY)
    .get(PAID | {"updatedAt": at(1)}),
    "a first answer from before the recording": Talk().get(PAID | {"updatedAt": at(1)}).create(checkout(), key=KEY),
    "a refund's first answer again": Talk()
    .refund(HALF, refund("1.00"), key=KEY)
    .get(HALF_DONE | {"updatedAt": at(1)})
    .refund(HALF, refund("1.00"), key=KEY),
    "a refund's first answer from before the recording": Talk()
    .get(HALF_DONE | {"updatedAt": at(1)})
    .refund(HALF, refund("1.00"), key=KEY),
    "a refund's first answer, of which only a listing told": Talk()
    .list(listed("REFUNDED", updatedAt=at(9)))
    .refund(HALF, refund("1.00"), key=KEY),
    "a deactivation told again": Talk().get(checkout("DEACTIVATED")).deactivate(checkout("DEACTIVATED")),
    "a key after a day, by the clock": Talk().create(checkout(), key=KEY).advance(25).create(checkout(id=A), key=KEY),
    "a key after a day, by what was made": Talk()
    .create(checkout(), key=KEY)
    .create(checkout(id=A, createdAt=at(1441), updatedAt=at(1441), expiresAt=None), key=KEY),
    "a key on another checkout": Talk()
    .refund(HALF, refund("1.00"), key=KEY)
    .refund(
        HALF | {"id": OTHER_ID, "refunds": [refund("1.00", checkoutId=OTHER_ID)]},
        refund("1.00", checkoutId=OTHER_ID),
        key=KEY,
    ),
    "a 4xx that was not kept": Talk().create(ERROR, key=KEY, status=400).create(checkout(), key=KEY),
    "a key's other request refused": Talk()
    .create(checkout(), key=KEY)
    .create(ERROR, {**CREATED, "amount": "3"}, key=KEY, status=409),
    "a default that is spelt out": Talk()
    .create(checkout(), key=KEY)
    .create(checkout(), {**CREATED, "amount": "2", "network": "base"}, key=KEY),
    "the least and the most": Talk()
    .create(checkout(amount="0.01"), {**CREATED, "amount": "0.01"})
    .create(checkout(id=A, amount="100000000.00"), {**CREATED, "amount": "100000000.00"}),
    "another server life": Talk().create(checkout(), key=KEY).reset().create(checkout(id=A), key=KEY),
    "expiry worked out when asked": Talk()
    .get(checkout())
    .create(checkout(id=OTHER_ID, createdAt=at(90), updatedAt=at(90), expiresAt=at(99)))
    .get(checkout())
    .get(checkout("EXPIRED")),
    "updatedAt within the skew": Talk()
    .create(checkout(id=OTHER_ID, createdAt=at(0.9), updatedAt=at(0.9)))
    .get(checkout())
    .get(PAID),
    "what is empty may be left out": Talk().create(
        checkout(description=None), {"amount": "2", "currency": "USDC", "description": "", "metadata": {}}
    ),
    "seconds of expiresAt": Talk().create(checkout(), {**CREATED, "expiresAt": at(60).replace("Z", ".700Z")}),
    "a request that was forgiven": Talk().create(checkout(), {**CREATED, "metadata": {"a": 7}}),
    "an amount in fiat": Talk().create(checkout(amount="2.14", **FIAT), {**CREATED, "currency": "USD"}),
    "requests that overlapped": Talk().get(PAID, span=SPAN_A).get(checkout(), span=SPAN_B),
    "an order that tells nothing": Talk(is_concurrent=True).get(PAID).get(checkout()),
    "two listings": Talk().list(checkout(), token="2").list(checkout(), token="2").list(token="3", pageToken="2"),
    "a page asked for twice": Talk()
    .list(checkout(), token="2")
    .list(checkout(id=A), token="3", pageToken="2")
    .list(checkout(id=A), token="3", pageToken="2")
    .list(checkout(id=B), pageToken="3"),
    "a listing that changed meanwhile": Talk()
    .list(checkout(id=A), token="2")
    .create(checkout(id=B))
    .list(checkout(id=A), pageToken="2"),
    "a page with an empty token": Talk().list(checkout(id=A), token="").list(checkout(id=A)),
    "filters that are open": Talk()
    .list(checkout(), descriptionQuery=" pEAR ")
    .list(checkout(id=A, description="GROẞ"), descriptionQuery="gross")
    .list(checkout(), status="ACTIVE,COMPLETED")
    .list(checkout(), startTime="2030-01-01", pageSize="none"),
    "an error without correlation id": Talk().error({"errorType": "not_found", "errorMessage": "no"}, status=404),
    "what the judge has to say": Talk().get(checkout(amount=7)).said("GET", ROOT, {"checkouts": 7}),
    "what nobody knows": Talk().said("GET", "/health", {"checkout": None}).said("GET", ROOT, [], status=204),
}


@pytest.mark.parametrize(("name", "talk"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_what_breaks_an_invariant_is_told(name: str, talk: Talk) -> None:
    """
    A conversation that breaks it is found, with the place and the pointer; the nearest others are not broken by it.
    """
    found = check(talk.conversation)
    assert name in [finding.invariant.id for finding in found]
    for finding in found:
        assert finding.place.file == "talk"
        assert finding.what != ""
    with pytest.raises(InvariantError):
        hold(talk.conversation)


@pytest.mark.parametrize("talk", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_right_or_open_breaks_nothing(talk: Talk) -> None:
    """
    Whatever the documents leave open, and whatever is no news, is no finding.
    """
    assert [str(finding) for finding in check(talk.conversation)] == []


def test_every_invariant_has_what_breaks_it() -> None:
    """
    None is there that this file never sees broken.
    """
    assert set(INVARIANTS) == {name for name, _ in BROKEN}


@pytest.mark.parametrize("name", INVARIANTS)
def test_every_invariant_can_be_explained(name: str) -> None:
    """
    It has a sentence, rules that are in the description, and their source.
    """
    one = INVARIANTS[name]
    assert one.sentence.endswith(".")
    assert one.source.documents != ()
    assert one.sentence in explain(f"invariant.{name}")


def test_a_finding_says_where_and_what() -> None:
    """
    The exchange, the pointer, what was expected since when, and what came; in one line without secrets.
    """
    [finding] = check(Talk().get(checkout("EXPIRED")).get(PAID).conversation)
    assert finding.place.index == 1
    assert finding.pointer == "/status"
    told = f"expected no COMPLETED after EXPIRED, by talk#0; got COMPLETED in talk#1 (GET {ROOT}/{ID} → 200)"
    assert told == finding.what
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    assert all(token not in finding.what for finding in check(Talk().create(checkout(description=token)).conversation))


def test_our_recordings_break_nothing() -> None:
    """
    Every conversation recorded from our own sandbox keeps every invariant.
    """
    found = [str(finding) for conversation in from_cassettes(CASSETTES) for finding in check(conversation)]
    assert [] == found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One world for many lives; each looks at its own checkouts only."""
    with Sandbox(auth=False) as started:
        yield started


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=14), st.booleans())
def test_no_legal_life_breaks_anything(sandbox: Sandbox, steps: list[str], is_fiat: bool) -> None:
    """
    Whatever is done to checkouts of our sandbox, and however often they are looked at, there is no finding.
    """
    assert [str(finding) for finding in check(lived(sandbox, steps, is_fiat=is_fiat))] == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=8), st.sampled_from(sorted(LIES)))
def test_a_lie_in_a_life_is_found(sandbox: Sandbox, steps: list[str], lie: str) -> None:
    """
    However a life went before, one wrong word about a paid and partly refunded checkout is found, by its invariant.
    """
    conversation = lived(sandbox, [*steps, "create", "pay", "refund", "settle", "read"])
    *before, last = conversation.exchanges
    told = LIES[lie](last.json)
    conversation.exchanges[:] = [*before, replace(last, answer=json.dumps(told).encode())]
    assert lie in [finding.invariant.id for finding in check(conversation)]
