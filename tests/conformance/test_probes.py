"""The values that are tried are where they are said to be: just inside, just outside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_conformance.constraints import Constraint, constraints
from coinbase_checkouts_conformance.description import Description, description
from coinbase_checkouts_conformance.judge import Judge, judge
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


def with_field(schema: dict[str, Any]) -> Description:
    """The description, with one more field `new` in the body of a refund."""
    document = json.loads(json.dumps(description().document))
    document["components"]["schemas"]["RefundCheckoutRequest"]["properties"]["new"] = schema
    document["components"]["schemas"]["Shared"] = {"type": "string", "maxLength": 7}
    return Description(json.dumps(document).encode())


def test_a_new_constraint_becomes_a_claim_by_itself() -> None:
    """
    A property added to the description is found, has a sentence, and values on both sides.
    """
    by = with_field({"type": "string", "maxLength": 7})
    found = {one.claim: one for one in constraints(by, by.operations["refundCheckout"])}
    sentence = "The field new of refundCheckout has at most 7 characters; what is not is refused."
    assert sentence == found["refund.new-maxLength"].sentence


PATTERNS = (
    r"^[A-Z]{3}$",
    r"^[a-f0-9-]{1,8}$",
    r"^\d{4}-\d{2}$",
    r"^(red|green)$",
    r"^\+?[1-9]\d{3,5}$",
    r"[0-9]{2}",
    r"^0x[0-9a-fA-F]+$",
    r"^\w+@\w+\.\w{2,3}$",
)


def bounds(low: str, high: str, least: int, most: int) -> st.SearchStrategy[dict[str, int]]:
    """One bound, the other, both in order, or neither."""
    pair = st.tuples(st.integers(least, most), st.integers(0, 5)).map(lambda two: {low: two[0], high: sum(two)})
    return pair.flatmap(lambda both: st.sampled_from([both, {low: both[low]}, {high: both[high]}, {}]))


TEXTS = st.one_of(
    bounds("minLength", "maxLength", 0, 9).map(lambda kept: {"type": "string", **kept}),
    st.sampled_from(PATTERNS).map(lambda pattern: {"type": "string", "pattern": pattern}),
    st.sampled_from(["date-time", "uri"]).map(lambda kind: {"type": "string", "format": kind}),
    st.lists(st.sampled_from(["RED", "green", "Blue-1", "x"]), min_size=1, unique=True).map(lambda one: {"enum": one}),
    st.just({"const": "FIXED"}),
    st.just({"$ref": "#/components/schemas/Shared", "minLength": 2}),
    st.just({"allOf": [{"$ref": "#/components/schemas/Shared"}, {"minLength": 3}]}),
)
NUMBERS = st.one_of(
    bounds("minimum", "maximum", -9, 99).map(lambda kept: {"type": "integer", **kept}),
    # No number between is no schema.
    st.integers(-9, 99).map(lambda low: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + 2}),
    st.integers(-9, 99).map(lambda low: {"type": "integer", "exclusiveMinimum": low, "maximum": low + 3}),
    st.tuples(st.sampled_from([2, 5, 10]), st.integers(-9, 99)).map(
        lambda two: {"type": "integer", "multipleOf": two[0], "minimum": two[1]}
    ),
    st.just({"type": "number", "multipleOf": 0.5, "maximum": 3}),
    st.just({"enum": [1, 2, 3]}),
    st.just({"type": "boolean"}),
    st.just({"const": 5}),
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Arrays, objects and maps of *inner*."""
    return st.one_of(
        st.tuples(inner, bounds("minItems", "maxItems", 1, 3)).map(
            lambda two: {"type": "array", "items": two[0], **two[1]}
        ),
        st.just({"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 2}),
        st.tuples(inner, inner).map(
            lambda two: {"type": "object", "required": ["one"], "properties": {"one": two[0], "other": two[1]}}
        ),
        st.tuples(inner, bounds("minProperties", "maxProperties", 1, 3)).map(
            lambda two: {"type": "object", "additionalProperties": two[0], **two[1]}
        ),
    )


SCHEMAS = st.recursive(st.one_of(TEXTS, NUMBERS), nested, max_leaves=4)


@settings(max_examples=60, deadline=None)
@given(SCHEMAS)
def test_whatever_the_schema_values_are_where_they_are_said_to_be(schema: dict[str, Any]) -> None:
    """
    For a new field of any kind: inside values keep the whole description, outside values break that very keyword, and
    every keyword that can be broken has one.
    """
    by = with_field(schema)
    verdicts = Judge(by)
    operation, body = by.operations["refundCheckout"], BODIES["refundCheckout"]
    where = by.resolve(by.body_pointer(operation) or "")
    for constraint in constraints(by, operation):
        if constraint.location != "body" or constraint.path[:1] != ("new",):
            continue
        base = at(body, constraint, by=verdicts)
        for value in inside(constraint, base, by=verdicts):
            assert verdicts.faults(where, placed(body, constraint, value, by=verdicts)) == []
        values = outside(constraint, base, by=verdicts)
        # No text is shorter than none.
        assert values != [] or (constraint.keyword, str(constraint.value)) == ("minLength", "0")
        for value in values:
            faults = verdicts.faults(where, placed(body, constraint, value, by=verdicts))
            rule = constraint.pointer.rpartition("/")[0] if constraint.keyword == "required" else constraint.pointer
            assert rule in [fault.rule for fault in faults]


def test_an_example_is_taken_from_the_description() -> None:
    """
    A field that the suite does not send yet gets a value that its schema allows.
    """
    properties = "#/components/schemas/CreateCheckoutRequest/properties"
    assert example(f"{properties}/amount") == "100.50"
    assert example(f"{properties}/network") == "base"
