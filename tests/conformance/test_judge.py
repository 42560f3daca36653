"""The judge lets nothing pass that breaks the description, and nothing else fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.judge import FORMATS, BrokenError, judge

CHECKOUT: dict[str, Any] = {
    "id": "68f7a946db0529ea9b6d3a12",
    "url": "https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef",
    "amount": "100.50",
    "currency": "USDC",
    "network": "base",
    "address": "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
    "createdAt": "2024-03-20T10:30:00Z",
    "updatedAt": "2024-03-20T10:30:00.123456789Z",
    "status": "ACTIVE",
}
ERROR = {"errorType": "invalid_request", "errorMessage": "no"}
SCHEMA = "#/components/schemas/Checkout"


def check(
    body: object, *, status: int = 200, media_type: str = "application/json", operation: str = "getCheckout"
) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge().check(description().operations[operation], status, media_type, content)


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_good_answer_passes(media_type: str) -> None:
    """
    What keeps the description is handed back as it is, fields nobody documented included.
    """
    body = {**CHECKOUT, "colour": "green"}
    assert body == check(body, media_type=media_type)


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"id": "68f7a946db0529ea9b6d3a12\n"}, "/id", f"{SCHEMA}/properties/id/pattern"),
        ({"amount": "١٢.٣٤"}, "/amount", f"{SCHEMA}/properties/amount/pattern"),
        ({"amount": 100.5}, "/amount", f"{SCHEMA}/properties/amount/type"),
        ({"createdAt": "2024-03-20"}, "/createdAt", f"{SCHEMA}/properties/createdAt/format"),
        ({"createdAt": "2024-03-20T10:30:00Z\n"}, "/createdAt", f"{SCHEMA}/properties/createdAt/format"),
        ({"url": "/pay"}, "/url", f"{SCHEMA}/properties/url/format"),
        ({"status": "PAID"}, "/status", "#/components/schemas/CheckoutStatus/enum"),
        ({"network": "solana"}, "/network", "#/components/schemas/Network/enum"),
        ({"description": None}, "/description", f"{SCHEMA}/properties/description/type"),
        ({"refunds": [{"id": "1"}]}, "/refunds/0", "#/components/schemas/Refund/required"),
        ({"metadata": {"a/b": None}}, "/metadata/a~1b", "#/x-rule/3"),
    ],
)
def test_a_fault_is_found_where_it_is(change: dict[str, object], pointer: str, rule: str) -> None:
    """
    A wrong field is told with its place in the body and the rule in the description that it breaks.
    """
    with pytest.raises(BrokenError) as caught:
        check(CHECKOUT | change)
    assert (pointer, rule) == (caught.value.pointer, caught.value.rule)


@pytest.mark.parametrize("name", CHECKOUT)
def test_every_required_field_is_missed(name: str) -> None:
    """
    An answer without one of the required fields is broken.
    """
    with pytest.raises(BrokenError) as caught:
        check({key: value for key, value in CHECKOUT.items() if key != name})
    assert (f"'{name}' is a required property", f"{SCHEMA}/required") == (caught.value.what, caught.value.rule)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>", "the body is not JSON (JSONDecodeError)"),
        (b"", "the body is not JSON (JSONDecodeError)"),
        (b'{"id": "\xff"}', "the body is not JSON (UnicodeDecodeError)"),
        (b'{"id": NaN}', "the body is not JSON (NaN is not JSON)"),
        (b'{"id": "1", "id": "1"}', "the body is not JSON (a name stands twice in one object)"),
        (b'{"id": "1", "more": [{"a": 1, "a": 2}]}', "the body is not JSON (a name stands twice in one object)"),
        (b"[" * 100_000, "the body is not JSON (RecursionError)"),
    ],
)
def test_what_is_not_json_is_broken(body: bytes, what: str) -> None:
    """
    HTML, nothing, other encodings, NaN and absurd nesting are no answer.
    """
    with pytest.raises(BrokenError) as caught:
        check(body)
    assert what == caught.value.what


@pytest.mark.parametrize(
    ("status", "operation"),
    [(202, "createCheckout"), (204, "deactivateCheckout"), (302, "getCheckout"), (422, "listCheckouts")],
)
def test_an_undocumented_status_is_broken(status: int, operation: str) -> None:
    """
    A status that the operation does not list breaks the description, whatever the body.
    """
    with pytest.raises(BrokenError, match=f"status {status} is not documented here"):
        check(CHECKOUT, status=status, operation=operation)


@pytest.mark.parametrize("media_type", ["text/html", "", "application/problem+json"])
def test_another_media_type_is_broken(media_type: str) -> None:
    """
    JSON that is not called JSON breaks the description.
    """
    with pytest.raises(BrokenError, match="media type"):
        check(CHECKOUT, media_type=media_type)


@pytest.mark.parametrize(
    "body", [{}, {"errorType": "x"}, {"error": {"message": "x"}}, {"errorType": 1, "errorMessage": "x"}]
)
def test_an_error_has_the_shape_of_an_error(body: object) -> None:
    """
    An error without errorType or errorMessage is broken.
    """
    with pytest.raises(BrokenError):
        check(body, status=400)


def test_a_good_error_passes() -> None:
    """
    errorType and errorMessage are enough.
    """
    assert check(ERROR, status=404) == ERROR


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("date-time", "2026-01-01T00:00:00Z", True),
        ("date-time", "2026-01-01T00:00:00.123456789+05:30", True),
        ("date-time", "2026-02-30T00:00:00Z", False),
        ("date-time", "2026-01-01T00:00:00", False),
        ("date-time", "2026-01-01T00:00:00Z\n", False),
        ("uri", "https://example.com/a?b#c", True),
        ("uri", "https://exa mple.com", False),
        ("uri", "https://example.com/\n", False),
        ("uri", "relative", False),
    ],
)
def test_formats_bite(name: str, value: str, expected: bool) -> None:
    """
    Times and URLs are really checked, to the last sign.
    """
    assert expected == FORMATS.conforms(value, name)


def test_validators_are_compiled_once() -> None:
    """
    The same schema is not compiled twice.
    """
    assert judge().validator(SCHEMA) is judge().validator(SCHEMA)
