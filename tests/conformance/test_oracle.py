"""Two validators that share no code agree about every recorded body, and about what is just beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_conformance.constraints import constraints
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.ecma import matches
from coinbase_checkouts_conformance.judge import judge
from coinbase_checkouts_conformance.probes import MISSING, example, outside
from coinbase_checkouts_conformance.traffic import from_cassettes

SCHEMAS = {name: f"#/components/schemas/{name}" for name in description().at("#/components/schemas")}


def other(pointer: str) -> Any:
    """The schema at *pointer*, read by a validator written in Rust."""
    # A pointer has braces, which a reference may not.
    schema = {**description().document, "$ref": quote(pointer, safe="#/~")}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def recorded() -> Iterator[tuple[str, Any]]:
    """Every JSON body of every recording, and the pointer of the schema it is meant to keep."""
    for conversation in from_cassettes(CASSETTES):
        for exchange in conversation:
            operation = exchange.operation
            if operation is None:
                continue
            answered = description().responses(operation).get(exchange.status)
            if answered is not None:
                yield f"{answered}/content/application~1json/schema", exchange.json
            if (pointer := description().body_pointer(operation)) and exchange.body is not None:
                yield pointer, exchange.body


def test_they_agree_about_every_recorded_body() -> None:
    """
    Requests and answers, good and bad: both validators say the same of each.
    """
    bodies = {(pointer, json.dumps(body, sort_keys=True)) for pointer, body in recorded()}
    others = {pointer: other(pointer) for pointer, _ in bodies}
    assert len(bodies) > 500
    disagreements = [
        (pointer, body)
        for pointer, body in sorted(bodies)
        if judge().validator(pointer).is_valid(json.loads(body)) != others[pointer].is_valid(json.loads(body))
    ]
    assert disagreements == []


def test_they_agree_about_what_is_just_outside() -> None:
    """
    Every value the suite makes to break a constraint is refused by both.
    """
    for operation in description().operations.values():
        for constraint in constraints(description(), operation):
            for value in outside(constraint, example(constraint.schema)):
                if value is not MISSING and constraint.location == "body":
                    assert not other(constraint.schema).is_valid(value), (constraint.id, value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^\d+(\.\d{1,2})?$", "١٢.٣٤"),
        (r"^\d+(\.\d{1,2})?$", "１２.３４"),
        (r"^[0-9a-f]{24}$", "68f7a946db0529ea9b6d3a12\n"),
        (r"^https://.*", "\nhttps://example.com"),
    ],
)
def test_patterns_bite_in_both(pattern: str, text: str) -> None:
    """
    What Python's `re` would let pass, neither takes.
    """
    assert not jsonschema_rs.is_valid({"pattern": pattern}, text)
    assert not matches(pattern, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("date-time", "2026-02-30T00:00:00Z"), ("date-time", "2026-01-01"), ("uri", "/relative"), ("uri", "https://a b/")],
)
def test_formats_bite_in_both(name: str, text: str) -> None:
    """
    A format is a demand, not an annotation.
    """
    [pointer] = {"date-time": ["Checkout/properties/createdAt"], "uri": ["Checkout/properties/url"]}[name]
    where = f"#/components/schemas/{pointer}"
    assert not judge().validator(where).is_valid(text)
    assert not other(where).is_valid(text)


@given(st.text(alphabet="0123456789.-+eE٣３\n ", max_size=8))
def test_they_agree_about_any_amount(text: str) -> None:
    """
    Digits of other scripts, signs, exponents and white space included.
    """
    pointer = SCHEMAS["CreateCheckoutRequest"] + "/properties/amount"
    assert judge().validator(pointer).is_valid(text) == AMOUNT.is_valid(text)


AMOUNT = other(SCHEMAS["CreateCheckoutRequest"] + "/properties/amount")
