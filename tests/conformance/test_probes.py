"""The values that are tried are where they are said to be: just inside, just outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coinbase_checkouts_conformance.constraints import Constraint, constraints
from coinbase_checkouts_conformance.description import Description, description
from coinbase_checkouts_conformance.judge import judge
from coinbase_checkouts_conformance.probes import MISSING, at, example, inside, outside, placed

BODIES: dict[str, dict[str, Any]] = {
    "createCheckout": {
        "amount": "2.50",
        "currency": "USDC",
        "network": "base",
        "description": "conformance suite",
        "expiresAt": "2099-12-01T00:00:00Z",
        "metadata": {"note": "text"},
        "successRedirectUrl": "https://example.com/success",
        "failRedirectUrl": "https://example.com/failed",
    },
    "refundCheckout": {"amount": "0.50", "currency": "USDC", "reason": "conformance suite"},
}
PARAMETERS: dict[str, Any] = {
    "pageSize": 20,
    "status": "ACTIVE",
    "startTime": "2026-12-01T00:00:00Z",
    "endTime": "2026-12-01T00:00:00Z",
    "descriptionQuery": "suite",
    "id": "68f7a946db0529ea9b6d3a12",
    "X-Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}
ALL = [one for operation in description().operations.values() for one in constraints(description(), operation)]
OF_BODIES = [one for one in ALL if one.location == "body"]
NAMED: dict[str, Constraint] = {one.claim: one for one in ALL}


def base_of(constraint: Constraint) -> Any:
    if constraint.location == "body":
        return at(BODIES[constraint.operation.id], constraint)
    return PARAMETERS[constraint.path[0]]


@pytest.mark.parametrize("constraint", ALL, ids=lambda one: one.claim)
def test_every_constraint_can_be_broken(constraint: Constraint) -> None:
    """
    There is at least one value outside every constraint of the description.
    """
    assert outside(constraint, base_of(constraint)) != []


@pytest.mark.parametrize("constraint", OF_BODIES, ids=lambda one: one.claim)
def test_what_is_outside_breaks_that_very_rule(constraint: Constraint) -> None:
    """
    A body with an outside value breaks the keyword it was made for; with an inside value it breaks nothing.
    """
    body, base = BODIES[constraint.operation.id], base_of(constraint)
    where = description().resolve(description().body_pointer(constraint.operation) or "")
    for value in inside(constraint, base):
        assert judge().faults(where, placed(body, constraint, value)) == []
    for value in outside(constraint, base):
        sent = placed(body, constraint, value)
        if sent is not MISSING:
            # A required member is pointed to in the list that names it, the fault to the list.
            rule = constraint.pointer.rpartition("/")[0] if constraint.keyword == "required" else constraint.pointer
            assert rule in [fault.rule for fault in judge().faults(where, sent)]


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("create.amount-pattern", "2.50\n"),
        ("create.amount-pattern", "٢.٥٠"),
        ("create.amount-pattern", "２.５０"),
        ("create.amount-pattern", "2.500"),
        ("create.amount-pattern", "2."),
        ("create.amount-type", 12.5),
        ("create.amount-required", MISSING),
        ("create.description-maxLength", "conformance suite" + "e" * 484),
        ("create.currency-minLength", ""),
        ("create.network-enum", "BASE"),
        ("create.successRedirectUrl-pattern", "http://example.com/success"),
        ("create.expiresAt-format", "2099-12-01"),
        ("create.body-type", None),
        ("get.id-pattern", "68f7a946db0529ea9b6d3a12\n"),
        ("get.id-pattern", "68F7A946DB0529EA9B6D3A12"),
        ("list.pageSize-minimum", 0),
        ("list.pageSize-maximum", 101),
        ("list.status-enum", "active"),
        ("create.X-Idempotency-Key-minLength", "8e03978e-40d5-43e8-bc93-6894a57f932"),
        ("create.X-Idempotency-Key-pattern", "8E03978E-40D5-43E8-BC93-6894A57F9324"),
        ("refund.X-Idempotency-Key-pattern", "8e03978e-40d5-13e8-bc93-6894a57f9324"),
    ],
)
def test_the_nearest_mistakes_are_tried(claim: str, value: object) -> None:
    """
    The mistake that a careless check would let pass is among the values outside.
    """
    assert value in outside(NAMED[claim], base_of(NAMED[claim]))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("create.description-maxLength", "é" * 500),
        ("create.metadata-maxProperties", {f"key{i}": "value" for i in range(20)}),
        ("list.pageSize-minimum", 1),
        ("list.pageSize-maximum", 100),
        ("list.status-enum", "PARTIALLY_REFUNDED"),
        ("create.amount-pattern", "2.5"),
        ("create.expiresAt-format", "2099-12-01T00:00:00.123Z"),
    ],
)
def test_the_last_good_values_are_tried(claim: str, value: object) -> None:
    """
    The value at the edge that is still right is among those inside.
    """
    assert value in inside(NAMED[claim], base_of(NAMED[claim]))


def test_a_new_constraint_becomes_a_claim_by_itself() -> None:
    """
    A property added to the description is found, has a sentence, and values on both sides.
    """
    document = description().document
    schema = document["components"]["schemas"]["RefundCheckoutRequest"]
    property_ = {
        "type": "string",
        "maxLength": 7,
        "x-source": {"document": ["refund-checkout"], "standing": "documented"},
    }
    changed = {**schema, "properties": {**schema["properties"], "note": property_}}
    schemas = {**document["components"]["schemas"], "RefundCheckoutRequest": changed}

    by = Description(json.dumps({**document, "components": {**document["components"], "schemas": schemas}}).encode())
    found = {one.claim: one for one in constraints(by, by.operations["refundCheckout"])}
    sentence = "The field note of refundCheckout has at most 7 characters; what is not is refused."
    assert sentence == found["refund.note-maxLength"].sentence


def test_an_example_is_taken_from_the_description() -> None:
    """
    A field that the suite does not send yet gets a value that its schema allows.
    """
    properties = "#/components/schemas/CreateCheckoutRequest/properties"
    assert example(f"{properties}/amount") == "100.50"
    assert example(f"{properties}/network") == "base"
