"""Arguments become requests."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts import CheckoutStatus, operations
from coinbase_checkouts.errors import InvalidRequestError, Violation
from coinbase_checkouts.operations import Amount, Call, Checks

ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
NOW = 1_800_000_000
CHECKS = Checks(NOW)
NOTHING: dict[str, Any] = {
    "checks": CHECKS,
    "network": None,
    "description": None,
    "metadata": None,
    "expires_at": None,
    "success_redirect_url": None,
    "fail_redirect_url": None,
    "idempotency_key": KEY,
}


def create(amount: Amount = "1", **given: Any) -> Call[Any]:
    return operations.checked(operations.create(amount, "USDC", **{**NOTHING, **given}))


def list_page(**given: Any) -> Call[Any]:
    nothing: dict[str, Any] = dict.fromkeys(
        ("status", "start_time", "end_time", "description_query", "page_size", "page_token")
    )
    return operations.checked(operations.list_page(checks=CHECKS, **{**nothing, **given}))


def sent(call: Call[Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(call.content or b"null")
    return body


def test_create_sends_what_was_given_and_nothing_else() -> None:
    """
    Unset arguments are absent from the body, set ones go by their API names, the key is a header.
    """
    call = create()
    assert {"amount": "1", "currency": "USDC"} == sent(call)
    assert ("POST", "/api/v1/checkouts", KEY, True) == (call.method, call.path, call.idempotency_key, call.writes)
    assert call.headers is not None
    assert KEY == call.headers["X-Idempotency-Key"]
    full = create(
        Decimal("100.50"),
        network="base",
        description="Zahlung für Ærøskøbing",
        metadata={"invoiceId": "12345"},
        expires_at=datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        success_redirect_url="https://example.com/success",
        fail_redirect_url="https://example.com/failed",
    )
    assert {
        "amount": "100.50",
        "currency": "USDC",
        "network": "base",
        "description": "Zahlung für Ærøskøbing",
        "metadata": {"invoiceId": "12345"},
        "expiresAt": "2030-01-01T00:00:00Z",
        "successRedirectUrl": "https://example.com/success",
        "failRedirectUrl": "https://example.com/failed",
    } == sent(full)


def test_refund_sends_what_was_given_and_nothing_else() -> None:
    """
    A refund names the checkout in its path and its key in a header.
    """
    call = operations.checked(operations.refund(ID, 25, currency=None, reason=None, idempotency_key=KEY, checks=CHECKS))
    assert {"amount": "25"} == sent(call)
    assert f"/api/v1/checkouts/{ID}/refund" == call.path
    call = operations.checked(
        operations.refund(
            ID, "25.00", currency="USDC", reason="Customer requested refund", idempotency_key=None, checks=CHECKS
        )
    )
    assert {"amount": "25.00", "currency": "USDC", "reason": "Customer requested refund"} == sent(call)
    assert call.idempotency_key


def test_reads_and_deactivate_have_no_body_and_no_key() -> None:
    """
    get and list change nothing; deactivate does, without body and key.
    """
    assert ("GET", False) == (
        operations.checked(operations.get(ID, CHECKS)).method,
        operations.checked(operations.get(ID, CHECKS)).writes,
    )
    call = operations.checked(operations.deactivate(ID, CHECKS))
    assert ("POST", f"/api/v1/checkouts/{ID}/deactivate", None, None, True) == (
        call.method,
        call.path,
        call.content,
        call.idempotency_key,
        call.writes,
    )
    assert {} == list_page().params


def test_list_sends_every_filter() -> None:
    """
    Several statuses are a list, times are in UTC, and nothing unset is sent.
    """
    call = list_page(
        status=operations.several(["ACTIVE", CheckoutStatus.EXPIRED]),
        start_time="2026-11-20T10:00:00+01:00",
        end_time=datetime(2026, 11, 21, tzinfo=UTC),
        description_query="order",
        page_size=2,
        page_token="next",
    )
    assert {
        "status": ["ACTIVE", "EXPIRED"],
        "startTime": "2026-11-20T09:00:00Z",
        "endTime": "2026-11-21T00:00:00Z",
        "descriptionQuery": "order",
        "pageSize": 2,
        "pageToken": "next",
    } == call.params


def test_status_may_be_one_many_or_none() -> None:
    """
    One status, an iterator of them, and none are understood; an iterator survives many pages.
    """
    assert operations.several(None) is None
    assert [CheckoutStatus.ACTIVE] == operations.several("ACTIVE")
    assert ["ACTIVE", "FAILED"] == operations.several(iter(("ACTIVE", "FAILED")))


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("100.50", "100.50"),
        (100, "100"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.01"), "0.01"),
        (Decimal("1E-2"), "0.01"),
    ],
)
def test_amounts_go_out_digit_by_digit(amount: Amount, expected: str) -> None:
    """
    No digit of an amount is added or lost, and none becomes an exponent.
    """
    assert expected == operations.money(amount, [])


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**8))
def test_decimals_survive(amount: Decimal) -> None:
    """
    Any amount of money reads back as the same number.
    """
    assert amount == Decimal(operations.money(amount, []))


@pytest.mark.parametrize("amount", [0.1, 1.0, True, None, b"1", [1], 1j])
def test_float_and_other_types_are_a_type_error(amount: Any) -> None:
    """
    A float has already lost digits; it and other types are refused with what to write instead.
    """
    with pytest.raises(TypeError, match=r"Decimal\('0.10'\)"):
        operations.money(amount, [])


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN")])
def test_decimal_that_is_no_number_is_refused(amount: Decimal) -> None:
    """
    NaN and infinity are no amounts.
    """
    with pytest.raises(InvalidRequestError) as caught:
        create(amount)
    assert [Violation("/amount", "pattern", "must be a finite number")] == list(caught.value.violations)


@pytest.mark.parametrize(
    "id",
    ["", ".", "..", "../x", "68F7A946DB0529EA9B6D3A12", f"{ID}\n", f"{ID}/refund", ID[:-1], f"{ID}0", None, 5, b"68"],
)
def test_ids_that_are_none_never_reach_a_path(id: Any) -> None:
    """
    What is not 24 lower-case hexadecimal digits is refused, for every operation on one checkout.
    """
    for make in (
        lambda: operations.get(id, CHECKS),
        lambda: operations.deactivate(id, CHECKS),
        lambda: operations.refund(id, 1, currency=None, reason=None, idempotency_key=None, checks=CHECKS),
    ):
        made = make()
        assert isinstance(made, InvalidRequestError)
        assert re.match(r"id: must (be string|match)", str(made))


@pytest.mark.parametrize("moment", ["tomorrow", "2026-11-20", "2026-11-20T10:00:00", datetime(2026, 11, 20), 5])  # noqa: DTZ001 -- it is what is refused
def test_times_without_zone_are_refused(moment: Any) -> None:
    """
    A time that could mean several moments, or none, is refused by its argument's name.
    """
    with pytest.raises(InvalidRequestError, match=r"^expiresAt: "):
        create(expires_at=moment)
    with pytest.raises(InvalidRequestError, match=r"^endTime: "):
        list_page(end_time=moment)


def test_later_changes_of_an_argument_change_nothing() -> None:
    """
    The bytes are made once: what the caller does to the metadata afterwards is not sent.
    """
    metadata = {"a": "1"}
    call = create(metadata=metadata)
    metadata["a"] = "2"
    assert {"a": "1"} == sent(call)["metadata"]


def test_everything_wrong_is_told_at_once() -> None:
    """
    What cannot be shaped, what the schemas forbid and what the x-rules forbid come in one error, each once.
    """
    with pytest.raises(InvalidRequestError) as caught:
        operations.checked(
            operations.create(
                "0.001",
                "YEN",
                network="ethereum",
                description="x" * 501,
                metadata={"a/b": "x" * 101},
                expires_at="2026-11-20",
                success_redirect_url="http://example.com",
                fail_redirect_url=None,
                idempotency_key="order-1",
                checks=CHECKS,
            )
        )
    assert {
        ("/expiresAt", "format"),
        ("/X-Idempotency-Key", "minLength"),
        ("/X-Idempotency-Key", "pattern"),
        ("/amount", "pattern"),
        ("/currency", "create.currency"),
        ("/network", "enum"),
        ("/description", "maxLength"),
        ("/metadata/a~1b", "maxLength"),
        ("/successRedirectUrl", "pattern"),
    } == {(violation.pointer, violation.rule) for violation in caught.value.violations}
    assert caught.value.operation == "createCheckout"


def test_checks_can_be_switched_off_but_for_the_address() -> None:
    """
    Without checks anything is sent, except to an address that an id would bend.
    """
    off = Checks(NOW, enabled=False)
    assert {"amount": "-1", "currency": "USDC"} == sent(create("-1", checks=off))
    assert isinstance(operations.get("..", off), InvalidRequestError)


@pytest.mark.parametrize("metadata", [5, "text", ["a"]])
def test_metadata_is_a_mapping(metadata: Any) -> None:
    """
    Metadata of another type is told, not a crash.
    """
    with pytest.raises(InvalidRequestError, match="metadata: must be a mapping"):
        create(metadata=metadata)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: 1", "ü", 5])
def test_key_that_no_header_can_carry_is_refused_always(key: Any) -> None:
    """
    Without checks, too: an empty key is none, and a retry would act twice.
    """
    with pytest.raises(InvalidRequestError, match="X-Idempotency-Key: must be a text of visible ASCII"):
        create(idempotency_key=key, checks=Checks(NOW, enabled=False))


@pytest.mark.parametrize("enabled", [True, False])
def test_half_a_character_is_told_and_no_crash(enabled: bool) -> None:
    """
    A lone surrogate cannot be sent, wherever it stands.
    """
    checks = Checks(NOW, enabled=enabled)
    fields: list[dict[str, Any]] = [
        {"description": "\ud800"},
        {"metadata": {"a": "\udfff"}},
        {"metadata": {"\ud800": "a"}},
    ]
    for field in fields:
        with pytest.raises(InvalidRequestError, match="lone surrogates"):
            create(**field, checks=checks)
    with pytest.raises(InvalidRequestError, match="descriptionQuery: must be text, without lone surrogates"):
        list_page(description_query="\ud800")
    assert isinstance(operations.get("\ud800" * 24, checks), InvalidRequestError)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"metadata": {1: "a"}}, "metadata"),
        ({"metadata": {"a": object()}, "checks": Checks(NOW, enabled=False)}, "metadata"),
        ({"expires_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))}, "expiresAt"),
    ],
)
def test_arguments_that_break_json_or_calendars_are_told(given: dict[str, Any], where: str) -> None:
    """
    Names that are no texts, values that JSON does not have and times beyond the calendar are no crash.
    """
    with pytest.raises(InvalidRequestError, match=f"{where}: must"):
        create(**given)


def test_enormous_amounts_are_refused_and_no_crash() -> None:
    """
    Python refuses to write out an int of thousands of digits; the rule about amounts refuses it first.
    """
    for amount in (10**5000, -(10**5000)):
        with pytest.raises(InvalidRequestError, match="amount: must be from"):
            create(amount)


def test_status_of_another_type_is_told() -> None:
    """
    A filter that is no status is refused by the description's enum.
    """
    with pytest.raises(InvalidRequestError, match="status/0: must be one of"):
        list_page(status=operations.several([5]))  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
