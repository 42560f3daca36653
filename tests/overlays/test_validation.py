"""Requests held against the description; a full validator is the judge."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts import validation
from coinbase_checkouts.errors import Violation
from coinbase_checkouts.validation import RULES, Request, compiled, violations

DOCUMENT = json.loads((files("coinbase_checkouts_api") / "openapi.json").read_text(encoding="utf-8"))
BODIES = {"createCheckout": "CreateCheckoutRequest", "refundCheckout": "RefundCheckoutRequest"}
NOW = 1_800_000_000.0
MINIMAL = {"createCheckout": {"amount": "1", "currency": "USDC"}, "refundCheckout": {"amount": "1"}}


def oracle(operation: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{BODIES[operation]}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


ORACLES = {operation: oracle(operation) for operation in BODIES}


def told(operation: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    found = violations(Request(operation, {}, {}, {}, body), now_s=NOW)
    return [(violation.pointer, violation.rule) for violation in found]


def only_schema(operation: str, body: dict[str, Any]) -> set[tuple[str, str]]:
    ids = {rule.id for rule in RULES}
    return {(pointer, rule) for pointer, rule in told(operation, body) if rule not in ids}


def judged(operation: str, body: dict[str, Any]) -> set[tuple[str, str]]:
    """The oracle's violations, in our words."""
    found: set[tuple[str, str]] = set()
    for error in ORACLES[operation].iter_errors(body):
        pointer = "".join(f"/{validation.escaped(str(part))}" for part in error.instance_path)
        keyword = str(error.schema_path[-1])
        if keyword == "required":
            missing = next(name for name in ("amount", "currency") if f'"{name}"' in error.message)
            pointer += f"/{missing}"
        found.add((pointer, keyword))
    # Of a value of the wrong type we ask nothing else.
    wrong = {pointer for pointer, keyword in found if keyword == "type"}
    return {(pointer, keyword) for pointer, keyword in found if keyword == "type" or pointer not in wrong}


AMOUNTS = ["0.01", "1.2", "007", "1.", ".5", "1.234", "-1", "1e3", "", "١٢.٣٤", "1\n", " 1", "+1", "１", 5, None, True]
TEXTS: st.SearchStrategy[Any] = st.sampled_from(
    ["", "x", "x" * 500, "x" * 501, "😀" * 500, "😀" * 501, 7, None, [], "line\nbreak"]
)
URLS: st.SearchStrategy[Any] = st.sampled_from(
    [
        "https://example.com/success",
        "https://",
        "https://a b",
        "https://example.com/%zz",
        "https://example.com/%20?q=ü",
        "http://example.com",
        "HTTPS://example.com",
        "javascript:alert(1)",
        "https://[::1]/",
        "https://example.com/" + "a" * 2028,
        "https://example.com/" + "a" * 2029,
        "https://example.com\n",
        "",
        5,
        None,
    ]
)
TIMES: st.SearchStrategy[Any] = st.sampled_from(
    [
        "2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00z",
        "2030-01-01T00:00:00.123456789+05:30",
        "2030-02-30T00:00:00Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-01-01T25:00:00Z",
        "tomorrow",
        "",
        5,
        None,
    ]
)
METADATA: st.SearchStrategy[Any] = st.one_of(
    # The oracle loses an empty key from its paths.
    st.dictionaries(st.text(min_size=1, max_size=3), st.sampled_from(["", "x" * 100, "x" * 101, 5, None]), max_size=3),
    st.integers(19, 22).map(lambda size: {str(number): "x" for number in range(size)}),
    st.sampled_from([[], None, "x"]),
)
CREATE = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from(AMOUNTS),
        "currency": st.sampled_from(["USDC", "USD", "", "x" * 10, "x" * 11, 5]),
        "network": st.sampled_from(["base", "Base", "ethereum", "", 5]),
        "description": TEXTS,
        "expiresAt": TIMES,
        "metadata": METADATA,
        "successRedirectUrl": URLS,
        "failRedirectUrl": URLS,
        "other": st.integers(),
    },
)
REFUND = st.fixed_dictionaries(
    {}, optional={"amount": st.sampled_from(AMOUNTS), "currency": TEXTS, "reason": TEXTS, "other": st.none()}
)


@given(CREATE)
def test_create_is_judged_as_by_a_full_validator(body: dict[str, Any]) -> None:
    """
    Place and keyword of every violation are those that a complete JSON Schema validator finds.
    """
    assert judged("createCheckout", body) == only_schema("createCheckout", body)


@given(REFUND)
def test_refund_is_judged_as_by_a_full_validator(body: dict[str, Any]) -> None:
    """
    Likewise for refunds.
    """
    assert judged("refundCheckout", body) == only_schema("refundCheckout", body)


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9TtZz:.+-]{10,30}\Z") | st.from_regex(r"\Ahttps?:/?/?.{0,20}\Z"))
def test_formats_are_those_of_a_full_validator(text: str) -> None:
    """
    What is accepted as a time or a URL is accepted by the full validator too; the other way, but for leap seconds
    and letters that RFC 3987 adds, there is no difference.
    """
    for name in ("date-time", "uri"):
        schema = {"type": "string", "format": name}
        strict = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        if not compiled(schema)(text):
            assert strict.is_valid(text)


@pytest.mark.parametrize(
    ("operation", "field", "value", "rule"),
    [
        ("createCheckout", "amount", "0.01", None),
        ("createCheckout", "amount", "0.00", "create.amount-range"),
        ("createCheckout", "amount", "100000000", None),
        ("createCheckout", "amount", "100000000.00", None),
        ("createCheckout", "amount", "100000000.01", "create.amount-range"),
        ("createCheckout", "amount", "9" * 5000, "create.amount-range"),
        ("createCheckout", "currency", "EUR", None),
        ("createCheckout", "currency", "JPY", "create.currency"),
        ("createCheckout", "currency", "usdc", "create.currency"),
        ("createCheckout", "expiresAt", "2027-01-15T08:00:00Z", "create.expires-in-future"),
        ("createCheckout", "expiresAt", "2027-01-15T08:00:00.001Z", None),
        ("createCheckout", "expiresAt", "2027-01-15T09:00:00+02:00", "create.expires-in-future"),
        ("refundCheckout", "amount", "0", "refund.amount-positive"),
        ("refundCheckout", "amount", "0.00", "refund.amount-positive"),
        ("refundCheckout", "amount", "0.01", None),
        ("refundCheckout", "amount", "999999999", None),
        ("refundCheckout", "currency", "GBP", None),
        ("refundCheckout", "currency", "gbp", "refund.currency"),
    ],
)
def test_rules_that_schemas_cannot_say(operation: str, field: str, value: str, rule: str | None) -> None:
    """
    Just inside each bound is accepted, just outside is told with the rule's id.
    """
    assert datetime.fromtimestamp(NOW, UTC) == datetime(2027, 1, 15, 8, tzinfo=UTC)
    expected = [] if rule is None else [(f"/{field}", rule)]
    assert expected == told(operation, {**MINIMAL[operation], field: value})


def request_rules(node: Any) -> set[str]:
    """The ids of all x-rules of the request bodies."""
    if isinstance(node, dict):
        ids = {rule["id"] for rule in node.get("x-rule", [])}
        return ids.union(*(request_rules(value) for value in node.values()))
    return set().union(*(request_rules(value) for value in node)) if isinstance(node, list) else set()


def test_every_rule_of_a_request_body_has_its_place() -> None:
    """
    A rule that the description gains for a body is either checked here or known to need the service.
    """
    schemas = DOCUMENT["components"]["schemas"]
    described = request_rules([schemas[name] for name in BODIES.values()])
    said_by_keywords = {"create.metadata-limits"}
    says_what_the_service_does = {"refund.default-currency"}
    assert {rule.id for rule in RULES} == described - said_by_keywords - says_what_the_service_does


def test_unknown_keyword_is_refused() -> None:
    """
    A keyword that this small validator would overlook is an error when the schema is read.
    """
    with pytest.raises(LookupError, match="multipleOf"):
        compiled({"type": "integer", "multipleOf": 5})


@pytest.mark.parametrize(
    "operation", ["createCheckout", "listCheckouts", "getCheckout", "deactivateCheckout", "refundCheckout"]
)
def test_every_operation_of_the_description_can_be_read(operation: str) -> None:
    """
    All parameters and bodies of the five operations use only keywords that are known here.
    """
    for where in ("path", "query", "header"):
        validation._parameter_checks(operation, where)
    if "requestBody" in validation.operation(operation):
        validation._body_check(operation)


def test_additional_properties_are_those_not_named() -> None:
    """
    The schema for additional properties does not touch the named ones.
    """
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
    }
    assert [Violation("/b", "type", "must be string")] == compiled(schema)({"a": 1, "b": 2})


def test_operation_that_is_none_is_an_error() -> None:
    """
    An operationId that the description does not have is not taken for one without rules.
    """
    with pytest.raises(LookupError, match="updateCheckout"):
        validation.operation("updateCheckout")


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("pageSize", 0, "minimum"),
        ("pageSize", 101, "maximum"),
        ("pageSize", "5", "type"),
        ("pageSize", True, "type"),
        ("pageSize", 1.0, "type"),
        ("status", ["ACTIVE", "UNKNOWN"], "enum"),
        ("status", "ACTIVE", "type"),
        ("startTime", "today", "format"),
        ("descriptionQuery", "x" * 501, "maxLength"),
        ("pageToken", 5, "type"),
    ],
)
def test_parameters_are_checked_too(name: str, value: Any, rule: str) -> None:
    """
    Query parameters are held against their schemas, an item of a list by its own pointer.
    """
    found = violations(Request("listCheckouts", {}, {name: value}, {}, None), now_s=NOW)
    pointer = f"/{name}/1" if rule == "enum" else f"/{name}"
    assert [(pointer, rule)] == [(violation.pointer, violation.rule) for violation in found]


def test_values_are_not_in_the_message() -> None:
    """
    A violation says what must be, never what was.
    """
    body = {"amount": "secret", "currency": "secret", "description": "secret" * 100, "network": "secret"}
    for violation in violations(Request("createCheckout", {}, {}, {}, body), now_s=NOW):
        assert isinstance(violation, Violation)
        assert "secret" not in violation.message
