"""Answers become models or errors; any status, any bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts import UNSET, Checkout, CheckoutStatus, Network, operations, responses
from coinbase_checkouts.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    CheckoutsError,
    ConflictError,
    IdempotencyError,
    InvalidResponseError,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
CHECKS = operations.Checks(0)
GET = operations.checked(operations.get(ID, CHECKS))
REFUND = operations.checked(
    operations.refund(ID, "25.00", currency=None, reason=None, idempotency_key=KEY, checks=CHECKS)
)
LIST = operations.checked(
    operations.list_page(
        status=None,
        start_time=None,
        end_time=None,
        description_query=None,
        page_size=None,
        page_token=None,
        checks=CHECKS,
    )
)


def error(error_type: str = "invalid_request", message: str = "No.", **more: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message, **more}).encode()


def read(status: int, content: bytes, call: Any = GET, *, unclear: bool = False) -> Any:
    return responses.read(call, status, responses.json_object(content), unclear=unclear)


@pytest.mark.parametrize("status", [200, 201, 202, 206, 299])
def test_any_2xx_is_success(status: int, checkout_json: dict[str, Any]) -> None:
    """
    The sources name 200 and 201 for create; any 2xx with a checkout is one.
    """
    assert Checkout.from_dict(checkout_json) == read(status, json.dumps(checkout_json).encode())


@pytest.mark.parametrize(
    ("status", "error_type", "expected"),
    [
        (400, "invalid_request", BadRequestError),
        (401, "unauthorized", AuthenticationError),
        (403, "forbidden", PermissionDeniedError),
        (404, "not_found", NotFoundError),
        (404, "something_new", NotFoundError),
        (400, "not_found", NotFoundError),
        (409, "already_exists", ConflictError),
        (409, "something_new", ConflictError),
        (422, "invalid_request", ConflictError),
        (422, "idempotency_error", IdempotencyError),
        (400, "idempotency_error", IdempotencyError),
        (429, "rate_limit_exceeded", RateLimitError),
        (402, "payment_method_required", BadRequestError),
        (405, "", BadRequestError),
        (499, "client_closed_request", BadRequestError),
        (500, "internal_server_error", ServerError),
        (502, "bad_gateway", ServerError),
        (503, "not_found", ServerError),
        (520, "", ServerError),
        (599, "", ServerError),
    ],
)
def test_errors_are_told_apart_by_type_and_status(status: int, error_type: str, expected: type[ApiError]) -> None:
    """
    A telling errorType decides, else the status; a 5xx is never anything but the server's fault.
    """
    assert expected is type(read(status, error(error_type)))


def test_missing_checkout_may_be_a_400() -> None:
    """
    A 400 that says so is NotFoundError, but only where a checkout was asked for by its id.
    """
    assert NotFoundError is type(read(400, error(message="Checkout not found")))
    assert NotFoundError is type(read(400, error(message="checkout does not exist"), REFUND))
    assert BadRequestError is type(read(400, error(message="Page token not found"), LIST))
    assert BadRequestError is type(read(400, error(message="The amount is wrong")))


def test_conflict_that_names_idempotency_is_one() -> None:
    """
    Without its own errorType, an idempotency conflict is known by its message.
    """
    assert IdempotencyError is type(read(409, error(message="Idempotency key used before"), REFUND))


def test_error_carries_what_the_body_says() -> None:
    """
    Status, type, message, correlation id, link, operation and key are attributes.
    """
    link = "https://docs.cdp.coinbase.com/api-reference/v2/errors#invalid-request"
    content = error(message="amount: too small", correlationId="41deb8d59a9dc9a7-IAD", errorLink=link)
    told = read(400, content, REFUND)
    assert (
        400,
        "invalid_request",
        "amount: too small",
        "41deb8d59a9dc9a7-IAD",
        link,
        "refundCheckout",
        KEY,
        False,
    ) == (
        told.status,
        told.error_type,
        told.message,
        told.correlation_id,
        told.error_link,
        told.operation,
        told.idempotency_key,
        told.retryable,
    )
    expected = "refundCheckout: 400 invalid_request: amount: too small (correlation id 41deb8d59a9dc9a7-IAD)"
    assert expected == str(told)


@pytest.mark.parametrize(
    ("content", "error_type", "message"),
    [
        (b'{"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}', "rate_limit_exceeded", "Too many requests"),
        (b'{"error": {"message": "No such charge"}}', None, "No such charge"),
        (b'{"errorType": 5, "errorMessage": ["x"]}', None, ""),
        (b'{"errors": []}', None, ""),
        (b'{"errors": ["x"]}', None, ""),
        (b'{"error": "x"}', None, ""),
        (b"[]", None, ""),
        (b"<html>502 Bad Gateway</html>", None, ""),
        (b"", None, ""),
        (b"\xff", None, ""),
        (b"[" * 100_000, None, ""),
    ],
)  # fmt: skip
def test_every_shape_of_error_is_read(content: bytes, error_type: str | None, message: str) -> None:
    """
    The three documented shapes tell their type and message; anything else tells nothing, and is no crash.
    """
    told = read(429, content)
    assert (RateLimitError, error_type, message) == (type(told), told.error_type, told.message)


def test_message_is_one_short_line_without_secrets() -> None:
    """
    What a server echoes does not bring a token, a key, a line break or a whole body into a log.
    """
    echoed = "bad token eyJhbGciOi.eyJzdWIi.c2ln\nand -----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n"
    assert read(401, error(message=echoed)).message == "bad token <hidden> and <hidden>"
    assert len(read(400, error(message="x" * 5000)).message) == 301


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>hello</html>", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"", "is not a JSON object"),
        (b'{"id": "x"}', "lacks the required field 'url'"),
    ],
)
def test_success_that_is_none_is_an_invalid_response(content: bytes, reason: str) -> None:
    """
    A 2xx without the documented body is an error that says what is wrong, and not with which body.
    """
    told = read(200, content)
    assert isinstance(told, InvalidResponseError)
    assert f"getCheckout: the answer with status 200 {reason}" == str(told)
    assert told.status == 200


@pytest.mark.parametrize(
    ("fields", "attribute", "expected"),
    [
        ({"createdAt": "yesterday"}, "created_at", datetime(1, 1, 1, tzinfo=UTC)),
        ({"updatedAt": 1_800_000_000}, "updated_at", datetime(1, 1, 1, tzinfo=UTC)),
        ({"expiresAt": "2026-02-30T00:00:00Z"}, "expires_at", UNSET),
        ({"status": 5}, "status", CheckoutStatus("5")),
        ({"network": {"chain": 1}}, "network", Network('{"chain": 1}')),
        ({"settlement": "none", "createdAt": ""}, "settlement", UNSET),
        ({"refunds": "none", "createdAt": ""}, "refunds", UNSET),
        ({"metadata": ["a"], "createdAt": ""}, "metadata", UNSET),
        ({"description": [5]}, "description", UNSET),
        ({"amount": 5}, "amount", "5"),
        ({"refunds": [5]}, "refunds", UNSET),
    ],
)
def test_field_of_another_type_does_not_stop_a_payment(
    fields: dict[str, Any], attribute: str, expected: Any, checkout_json: dict[str, Any]
) -> None:
    """
    What cannot be read is left out; what a model cannot be without has a stand-in; all else is as it was.
    """
    made = read(200, json.dumps({**checkout_json, **fields}).encode())
    assert isinstance(made, Checkout)
    assert expected == getattr(made, attribute)
    assert ID == made.id
    assert made.transaction_hash == checkout_json["transactionHash"]


@pytest.mark.parametrize("body", [["x"], [None], 5, "x", {}])
def test_list_is_never_shortened(body: Any, checkout_json: dict[str, Any]) -> None:
    """
    A page with an item that is no checkout is an error: who reads it would miss an order and not know.
    """
    items = [checkout_json, *body] if isinstance(body, list) else body
    assert isinstance(read(200, json.dumps({"checkouts": items}).encode(), LIST), InvalidResponseError)


@pytest.mark.parametrize("token", [["a"], {"a": 1}, True])
def test_token_that_is_none_is_an_error(token: Any) -> None:
    """
    A page whose token could not be sent back would end the listing too early.
    """
    content = json.dumps({"checkouts": [], "nextPageToken": token}).encode()
    assert isinstance(read(200, content, LIST), InvalidResponseError)


def test_number_where_text_is_due_is_its_text(checkout_json: dict[str, Any]) -> None:
    """
    An amount that comes as a number is read digit by digit, and a token that does is sent back.
    """
    made = read(200, json.dumps({**checkout_json, "amount": 100.10, "description": 5}).encode())
    assert ("100.1", "5") == (made.amount, made.description)
    assert read(200, b'{"checkouts": [], "nextPageToken": 5}', LIST).next_page_token == "5"


def test_answer_about_another_checkout_is_an_error(checkout_json: dict[str, Any]) -> None:
    """
    Whoever asks for one checkout is not given another.
    """
    told = read(200, json.dumps({**checkout_json, "id": "0" * 24}).encode())
    assert isinstance(told, InvalidResponseError)
    assert "is about another checkout" in str(told)


def test_scrubbing_takes_no_time(checkout_json: dict[str, Any]) -> None:
    """
    A message of a megabyte that looks like the beginning of many tokens is cut before it is looked at.
    """
    assert len(read(400, error(message="eyJ" * 400_000)).message) == 301


def test_key_in_a_message_is_hidden() -> None:
    """
    A service that repeats the idempotency key does not bring it into a log line.
    """
    told = read(422, error("idempotency_error", f"key '{KEY}' was already used"), REFUND)
    assert (KEY, "key '<key>' was already used") == (told.idempotency_key, told.message)
    assert "before you take a new key" in told.advice


@pytest.mark.parametrize("name", ["id", "url", "amount", "currency", "address", "createdAt", "status"])
def test_required_field_that_is_null_is_missing(name: str, checkout_json: dict[str, Any]) -> None:
    """
    Null in a required field is an InvalidResponseError, never a None where a text should be.
    """
    told = read(200, json.dumps({**checkout_json, name: None}).encode())
    assert isinstance(told, InvalidResponseError)


@pytest.mark.parametrize("status", [301, 302, 307, 304])
def test_redirect_is_an_invalid_response(status: int) -> None:
    """
    A redirect is not followed: it would carry the request elsewhere.
    """
    told = read(status, b"")
    assert isinstance(told, InvalidResponseError)
    assert "redirects" in str(told)


@pytest.mark.parametrize(
    ("status", "content", "unclear", "expected"),
    [
        (400, error(), False, Outcome.REFUSED),
        (429, error(), False, Outcome.REFUSED),
        (408, error(), False, Outcome.UNKNOWN),
        (500, error(), False, Outcome.UNKNOWN),
        (520, b"", False, Outcome.UNKNOWN),
        (400, error(), True, Outcome.UNKNOWN),
        (499, b"", False, Outcome.UNKNOWN),
        (460, b"", False, Outcome.UNKNOWN),
        (600, b"", False, Outcome.UNKNOWN),
        (999, b"", False, Outcome.UNKNOWN),
        (409, error(), False, Outcome.REFUSED),
        (422, error("idempotency_error"), False, Outcome.UNKNOWN),
        (201, b"<html>", False, Outcome.UNKNOWN),
    ],
)
def test_outcome_of_a_write(status: int, content: bytes, unclear: bool, expected: Outcome) -> None:
    """
    After a refusal nothing happened; after a server's fault, a broken success or an unclear first attempt it may have.
    """
    told = read(status, content, REFUND, unclear=unclear)
    assert (expected, KEY) == (told.outcome, told.idempotency_key)
    assert ("key" in told.advice) == (expected is Outcome.UNKNOWN)


@pytest.mark.parametrize("status", [400, 500, 200])
def test_outcome_of_a_read_is_never_unknown(status: int) -> None:
    """
    Reading changes nothing, so nothing can be unknown.
    """
    assert Outcome.REFUSED is read(status, b"", GET).outcome


@pytest.mark.parametrize(
    ("refunds", "expected"),
    [
        ([("a", "25.00", "2026-11-20T11:00:00Z")], "a"),
        ([("b", "25.0", "2026-11-20T11:00:00Z"), ("a", "25.00", "2026-11-20T10:00:00Z")], "b"),
        ([("a", "25.00", "2026-11-20T11:00:00Z"), ("b", "25.00", "2026-11-20T11:00:00Z")], "b"),
        ([("a", "25.00", "2026-11-20T11:00:00Z"), ("b", "25.00", "2026-11-20T11:00:00.500Z")], "b"),
        ([("a", "25.00", "2026-11-20T12:00:00+02:00"), ("b", "25.00", "2026-11-20T11:00:00Z")], "b"),
        ([("a", "25.00", "2026-11-20T11:00:00Z"), ("b", "9.00", "2026-11-20T12:00:00Z")], "a"),
        ([("b", "9.00", "2026-11-20T12:00:00Z")], None),
        ([("a", "25.00", "2026-11-20T11:00:00Z"), ("b", "all", "2026-11-20T12:00:00Z")], "a"),
        ([("b", "sNaN", "2026-11-20T12:00:00Z")], None),
        ([], None),
    ],
)
def test_refund_may_be_answered_with_a_bare_checkout(
    refunds: list[tuple[str, str, str]], expected: str | None, checkout_json: dict[str, Any]
) -> None:
    """
    One deployment answers the checkout itself; the refund begun is the newest of its amount, and none is no guess.
    """
    items = [
        {"id": name, "checkoutId": ID, "amount": amount, "status": "PENDING", "createdAt": at}
        for name, amount, at in refunds
    ]
    result = read(200, json.dumps({**checkout_json, "refunds": items}).encode(), REFUND)
    assert expected == (None if isinstance(result, InvalidResponseError) else result.refund.id)


def test_documented_answer_to_a_refund(checkout_json: dict[str, Any]) -> None:
    """
    The documented answer has the checkout and the refund.
    """
    refund = {"id": "r", "checkoutId": ID, "amount": "1", "status": "PENDING", "createdAt": "2026-11-20T11:00:00Z"}
    result = read(200, json.dumps({"checkout": checkout_json, "refund": refund}).encode(), REFUND)
    assert ("r", ID) == (result.refund.id, result.checkout.id)
    assert isinstance(read(200, json.dumps(checkout_json).encode(), REFUND), InvalidResponseError)


@given(st.integers(100, 999), st.binary(max_size=300) | st.from_regex(rb'\A\{"err[a-zA-Z]{0,10}":.{0,30}\}\Z'))
def test_reading_is_total(status: int, content: bytes) -> None:
    """
    Whatever the status and the bytes, the result is a model or one of our errors.
    """
    assert isinstance(read(status, content), Checkout | CheckoutsError)
