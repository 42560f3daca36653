"""Charges, statuses and events of Commerce in the words of the Checkouts API."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts import (
    Checkouts,
    CheckoutsError,
    CheckoutStatus,
    EventType,
    commerce,
    is_final,
    is_paid,
    operations,
)
from coinbase_checkouts.commerce import HAZARDS, Loss, LossKind, MigrationError
from coinbase_checkouts.commerce.notes import CODES, FIELDS, NOTES
from coinbase_checkouts.commerce.requests import known
from coinbase_checkouts.operations import Call, Checks
from coinbase_checkouts.validation import operation, resolve
from coinbase_checkouts_api.models import Checkout

from .commerce_samples import OLD, REQUEST, WEB3, delivery, open_amount, unpaid, with_status

NOW = datetime(2025, 1, 3, tzinfo=UTC).timestamp()
LATER = "2025-02-01T00:00:00Z"
OPEN = unpaid()

asked = partial(commerce.checkout_request, now_s=NOW)


def codes(losses: tuple[Loss, ...]) -> set[str]:
    return {loss.code for loss in losses}


def found(losses: tuple[Loss, ...], code: str) -> Loss:
    """The one loss of this code."""
    (loss,) = [loss for loss in losses if loss.code == code]
    return loss


def refused(function: Callable[..., object], *arguments: Any, **options: Any) -> MigrationError:
    with pytest.raises(MigrationError) as caught:
        function(*arguments, **options)
    return caught.value


def priced(amount: Any, currency: Any = "USDC", **more: Any) -> dict[str, Any]:
    return {"pricing_type": "fixed_price", "local_price": {"amount": amount, "currency": currency}, **more}


# The mapping page's tables, row by row.


def test_request_of_the_mapping_page_becomes_its_checkout() -> None:
    """
    The page's own sample converts as the page shows it: the price as many USDC, the redirects renamed, the name gone
    as the description has it. What that guesses is told.
    """
    converted = asked(REQUEST)
    assert {
        "amount": "100.00",
        "currency": "USDC",
        "description": "Payment for order #12345",
        "metadata": {"order_id": "12345", "customer_id": "cust_abc123"},
        "successRedirectUrl": "https://example.com/success",
        "failRedirectUrl": "https://example.com/cancel",
    } == converted.value.to_dict()
    assert {"fiat-one-to-one", "cancel-url", "expiry-default"} == codes(converted.losses)


def test_request_without_loss_has_none() -> None:
    """
    What the API can say just so converts without a word, in strict mode too.
    """
    request = priced("12.5", description="A lamp", redirect_url="https://shop.example/", metadata={"order": "1"})
    converted = asked(request, strict=True, expires_at=LATER)
    assert () == converted.losses
    assert "2025-02-01T00:00:00Z" == converted.value.to_dict()["expiresAt"]
    assert (None, None, "NEW", True) == (
        converted.code,
        converted.idempotency_key,
        converted.status,
        converted.is_open,
    )


@pytest.mark.parametrize(
    ("name", "wire", "expected"),
    [
        ("id", "id", WEB3["id"]),
        ("hosted_url", "url", WEB3["hosted_url"]),
        ("name", "description", "A lamp"),
        ("pricing.local.amount", "amount", "40"),
        ("pricing.local.currency", "currency", "EUR"),
        ("expires_at", "expiresAt", "2025-01-04T20:01:55Z"),
        ("redirect_url", "successRedirectUrl", "https://shop.example/thanks"),
        ("cancel_url", "failRedirectUrl", "https://shop.example/cart"),
        ("created_at", "createdAt", "2025-01-02T20:01:55Z"),
        ("timeline", "status", "COMPLETED"),
        ("web3_data", "transactionHash", "0xe1"),
        ("N/A", "network", "base"),
        ("N/A", "address", ""),
        ("N/A", "updatedAt", "2025-01-02T20:35:36Z"),
        ("N/A", "fiatAmount", "40"),
        ("N/A", "fiatCurrency", "EUR"),
        ("metadata", "metadata", {"order": "12", "tags": '["a","b"]', "gift": "true"}),
    ],
)
def test_view_has_every_row_of_the_table(name: str, wire: str, expected: Any) -> None:
    """
    Each field of the mapping page's table of payment details is where the table says.
    """
    assert expected == commerce.checkout_view(WEB3).value.to_dict()[wire]


def test_view_leaves_out_what_no_charge_has() -> None:
    """
    Settlement, token and refunds are in no charge, and not made up.
    """
    shown = commerce.checkout_view(OLD).value.to_dict()
    assert not {"settlement", "tokenAddress", "refunds", "refundedAmount", "x402_url"} & shown.keys()


@pytest.mark.parametrize(
    ("legacy", "status", "code"),
    [
        ("NEW", "ACTIVE", None),
        ("SIGNED", "ACTIVE", "signed"),
        ("PENDING", "PROCESSING", "fulfil-at-pending"),
        ("COMPLETED", "COMPLETED", None),
        ("EXPIRED", "EXPIRED", None),
        ("FAILED", "FAILED", None),
        ("CANCELED", "DEACTIVATED", "canceled"),
        ("Cancelled", "DEACTIVATED", "canceled"),
        ("CANCELATION_COMPLETE", "DEACTIVATED", "canceled"),
        ("REFUNDED", "REFUNDED", "refunded"),
        ("PENDING REFUND", "REFUND_PENDING", "refund-pending"),
        ("REFUND PENDING", "REFUND_PENDING", "refund-pending"),
        ("RESOLVED", "RESOLVED", "resolved"),
        ("UNRESOLVED", "UNRESOLVED", "unresolved"),
        ("Underpaid", "UNRESOLVED", "unresolved-underpaid"),
        ("HOLD ON", "HOLD ON", "status-unknown"),
        ("", "", "status-unknown"),
    ],
)
def test_every_status_has_its_row(legacy: str, status: str, code: str | None) -> None:
    """
    The table's statuses, those it leaves out, and unknown ones; only exact ones are without loss.
    """
    converted = commerce.status(legacy)
    assert status == converted.value
    assert ({code} if code else set()) == codes(converted.losses)


@pytest.mark.parametrize("context", ["UNDERPAID", "OVERPAID", "DELAYED", "MULTIPLE", "MANUAL", "OTHER"])
def test_every_context_has_its_advice(context: str) -> None:
    """
    UNRESOLVED says why, and is neither paid nor final.
    """
    converted = commerce.status("UNRESOLVED", context)
    assert {f"unresolved-{context.lower()}"} == codes(converted.losses)
    assert not converted.value.is_known
    shown = commerce.checkout_view(with_status("NEW", "PENDING", "UNRESOLVED", context=context))
    assert f"unresolved-{context.lower()}" in codes(shown.losses)
    assert (False, False) == (is_paid(shown.value), is_final(shown.value))


def test_unknown_context_is_plain_unresolved() -> None:
    """
    A context nobody documented is told as one without, and so is what is no text.
    """
    for context in ("SIDEWAYS", None, 5, ["UNDERPAID"]):
        assert {"unresolved"} == codes(commerce.status("UNRESOLVED", cast("Any", context)).losses)


@pytest.mark.parametrize("given", [None, 3, {"status": "NEW"}])
def test_status_is_a_text(given: Any) -> None:
    """
    Anything else is refused, and says what it is.
    """
    assert "status-no-text" == refused(commerce.status, given).reasons[0].code


@pytest.mark.parametrize(
    ("kind", "event", "code"),
    [
        ("charge:confirmed", EventType.CHECKOUT_PAYMENT_SUCCESS, None),
        ("charge:failed", EventType.CHECKOUT_PAYMENT_FAILED, "event-failed"),
        ("charge:created", None, "event-created"),
        ("charge:pending", None, "event-pending"),
        ("charge:delayed", None, "event-delayed"),
        ("charge:resolved", None, "event-resolved"),
        ("invoice:paid", None, "event-unknown"),
    ],
)
def test_every_event_has_its_row(kind: str, event: EventType | None, code: str | None) -> None:
    """
    Six events of two years of documents, and any other: a pair, or none, with the reason.
    """
    converted = commerce.event(kind)
    assert event is converted.value
    assert ({code} if code else set()) == codes(converted.losses)


@pytest.mark.parametrize(
    ("history", "event", "told"),
    [
        (["NEW", "EXPIRED"], EventType.CHECKOUT_PAYMENT_EXPIRED, set[str]()),
        (["NEW", "FAILED"], EventType.CHECKOUT_PAYMENT_FAILED, set[str]()),
        (["NEW", "UNRESOLVED"], EventType.CHECKOUT_PAYMENT_FAILED, {"event-failed", "unresolved"}),
        ([], EventType.CHECKOUT_PAYMENT_FAILED, {"event-failed"}),
    ],
)
def test_failed_is_told_from_expired_by_the_charge(history: list[str], event: EventType, told: set[str]) -> None:
    """
    charge:failed is one of two events; the charge in it says which, or the guess is told.
    """
    converted = commerce.event(delivery("charge:failed", with_status(*history)))
    assert event is converted.value
    assert {"event-envelope", *told} == codes(converted.losses)


def test_event_without_its_envelope_is_read_too() -> None:
    """
    The inner object alone is what many handlers keep.
    """
    assert EventType.CHECKOUT_PAYMENT_SUCCESS is commerce.event(delivery("charge:confirmed")["event"]).value


@pytest.mark.parametrize(("given", "code"), [([], "not-an-object"), ({"event": {}}, "event-type-missing")])
def test_what_is_no_event_is_refused(given: Any, code: str) -> None:
    """
    No type, no event.
    """
    assert code in {loss.code for loss in refused(commerce.event, given).reasons}


# The hazards of the dossier, by number.


def _request(charge: dict[str, Any], **options: Any) -> set[str]:
    return codes(told(partial(asked, **options), charge))


def _view(charge: dict[str, Any]) -> set[str]:
    return codes(commerce.checkout_view(charge).losses)


def _event(kind: str) -> set[str]:
    return codes(commerce.event(delivery(kind)).losses)


SEEN: dict[int, Callable[[], set[str]]] = {
    1: lambda: _request(open_amount(paid=False)) | _view(open_amount(paid=True)),
    2: lambda: _request(OPEN) | _request(OLD) | _request(priced("1", "INR")) | _view(OLD),
    3: lambda: (
        {
            code
            for context in (None, "UNDERPAID", "OVERPAID", "DELAYED", "MULTIPLE", "MANUAL", "OTHER")
            for code in _request(with_status("NEW", "UNRESOLVED", context=context))
        }
        | _view(with_status("UNRESOLVED", "RESOLVED"))
    ),
    4: lambda: _request(with_status("NEW", "CANCELED")),
    5: lambda: _view(with_status("CANCELATION_COMPLETE")) | _view(with_status("SOMETHING")),
    6: lambda: _view(with_status("REFUNDED")) | _view(with_status("COMPLETED", "PENDING REFUND")),
    7: lambda: _request(with_status("NEW", "PENDING")) | _request(with_status("NEW", "SIGNED")),
    8: set,
    9: set,
    10: set,
    11: set,
    12: lambda: _event("charge:confirmed") | _request(delivery("charge:created", OPEN)),
    13: lambda: _event("charge:delayed") | _event("charge:resolved"),
    14: lambda: _event("charge:created") | _event("charge:pending"),
    15: lambda: _event("charge:failed"),
    16: lambda: _request(OLD) | _request({**WEB3, "payments": OLD["payments"], "surprise": 1}),
    17: lambda: _request(
        {
            **OPEN,
            "redirect_url": "http://shop.example/other",
            "cancel_url": "ftp://shop.example/",
        }
    ),
    18: lambda: _request(
        priced("1", metadata={"null": None, "long": "x" * 101, "number": 1, **{f"k{n}": "" for n in range(20)}})
    ),
    19: lambda: _view(WEB3),
    20: set,
    21: lambda: _request(REQUEST) | _request(OLD),
    22: lambda: _request(REQUEST),
    23: set,
    24: set,
}


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: f"{hazard.number} {hazard.topic}")
def test_every_hazard_is_told(hazard: commerce.Hazard) -> None:
    """
    Each hazard that a charge can have is told by all its codes; the others are about code, and in every report.
    """
    assert set(hazard.codes) <= SEEN[hazard.number]()
    assert all((hazard.topic, hazard.commerce, hazard.checkouts, hazard.source))


def test_hazards_are_numbered_and_known() -> None:
    """
    There are 24, in order, and none names a code that is none.
    """
    assert list(range(1, 25)) == [hazard.number for hazard in HAZARDS] == sorted(SEEN)
    assert {code for hazard in HAZARDS for code in hazard.codes} <= CODES


def test_every_loss_is_complete() -> None:
    """
    Every way to lose something says what, and what to do, and who says so; no code is of two of them.
    """
    for note in (*NOTES.values(), *FIELDS.values()):
        assert all((note.kind in LossKind, note.sentence, note.advice.endswith("."), note.source))
    assert not NOTES.keys() & FIELDS.keys()
    assert ["code", "pointer", "kind", "sentence", "advice", "source"] == [part.name for part in fields(Loss)]


# Price.


@pytest.mark.parametrize(
    ("given", "amount", "told"),
    [
        ("100.00", "100.00", None),
        ("100", "100", None),
        (" 0100.5 ", "100.5", None),
        ("9.990000", "9.99", None),
        ("1e2", "100.00", None),
        ("100000000.00", "100000000.00", None),
        ("9.995", "10.00", "amount-rounded"),
        ("0.005", "0.01", "amount-rounded"),
        (100, "100", "amount-not-text"),
        (99.5, "99.5", "amount-not-text"),
        (Decimal("1.10"), "1.10", "amount-not-text"),
    ],
)
def test_amount_keeps_its_value(given: Any, amount: str, told: str | None) -> None:
    """
    No digit is added or lost in silence; more than two decimals are rounded, and that is told.
    """
    converted = asked(priced(given), expires_at=LATER)
    assert amount == converted.value.amount
    assert ({told} if told else set()) == codes(converted.losses)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, "amount-missing"),
        ("", "amount-missing"),
        ("ten", "amount-unusable"),
        ("1,000.00", "amount-unusable"),
        ("-5", "amount-unusable"),
        ("NaN", "amount-unusable"),
        (float("inf"), "amount-unusable"),
        (True, "amount-unusable"),
        (["1"], "amount-unusable"),
        ("0E-6176", "amount-unusable"),
        ("1e999999999", "amount-unusable"),
        pytest.param(10**5000, "amount-unusable", id="huge"),
        ("٣", "amount-unusable"),
        ("0.004", "amount-range"),
        ("0", "amount-range"),
        ("100000000.01", "amount-range"),
        ("9" * 30, "amount-range"),
        ("100000000.004", "amount-range"),
    ],
)
def test_what_is_no_price_is_refused(given: Any, code: str) -> None:
    """
    No number, and none that a checkout can have, is an error with its place; huge ones cost nothing.
    """
    error = refused(asked, priced(given))
    assert (code, "/local_price/amount") == (error.reasons[0].code, error.reasons[0].pointer)
    assert error.reasons[0].advice in error.advice


@pytest.mark.parametrize(
    ("given", "keep", "currency", "told"),
    [
        ("USDC", False, "USDC", None),
        ("usdc", True, "USDC", None),
        ("USD", False, "USDC", "fiat-one-to-one"),
        ("USD", True, "USD", "fiat-kept"),
        ("EUR", False, "EUR", "fiat-kept"),
        ("sgd", False, "SGD", "fiat-kept"),
        ("GBP", True, "GBP", "fiat-kept"),
    ],
)
def test_currency_is_usdc_or_said_to_be_fiat(given: str, keep: bool, currency: str, told: str | None) -> None:
    """
    USD is as many USDC unless it is to be kept; other fiat is never taken for as many USDC.
    """
    converted = asked(priced("5", given), keep_fiat=keep, expires_at=LATER)
    assert currency == converted.value.currency
    assert ({told} if told else set()) == codes(converted.losses)


@pytest.mark.parametrize(
    ("given", "code"), [("BTC", "currency-unknown"), ("INR", "currency-unknown"), (None, "currency-missing")]
)
def test_other_currencies_are_refused(given: Any, code: str) -> None:
    """
    What no checkout can be created in is not priced anew by guessing.
    """
    assert [code] == [loss.code for loss in refused(asked, priced("0.00044578", given)).reasons]
    assert {code, "amount-missing"} == codes(refused(asked, priced(None, given)).reasons)


def test_no_price_is_refused_though_it_was_paid() -> None:
    """
    An open amount stays open: what one payer gave is not what the next one owes.
    """
    for kind in ("no_price", "NO_PRICE"):
        charge = {**WEB3, "pricing_type": kind}
        assert {"open-amount"} == {loss.code for loss in refused(asked, charge).reasons}
        assert "amount-paid" in codes(commerce.checkout_view(charge).losses)
    assert "pricing-type" not in codes(asked({**REQUEST, "pricing_type": "FIXED_PRICE"}).losses)


def test_unknown_pricing_type_is_a_guess() -> None:
    """
    A price is a price whatever its type is called.
    """
    assert "pricing-type" in codes(asked({**REQUEST, "pricing_type": "auction"}).losses)


def test_two_prices_that_differ_are_told() -> None:
    """
    That of the request wins over that of the answer; equal ones are one.
    """
    pricing = {"local": {"amount": "3", "currency": "USD"}}
    assert "prices-differ" in codes(asked({**REQUEST, "pricing": pricing}).losses)
    assert "prices-differ" not in codes(asked({**REQUEST, "pricing": {"local": REQUEST["local_price"]}}).losses)


# Texts, metadata, redirects.


@pytest.mark.parametrize(
    ("name", "description", "text", "told"),
    [
        ("A lamp", "Green", "A lamp: Green", {"name-joined"}),
        ("a LAMP", "A lamp, green", "A lamp, green", set[str]()),
        ("Tea", "Team registration", "Tea: Team registration", {"name-joined"}),
        ("Tea", "One (tea), two cups", "One (tea), two cups", set[str]()),
        ("A lamp", None, "A lamp", set[str]()),
        (None, "Green", "Green", set[str]()),
        ("  ", "", None, set[str]()),
        (7, "Green", "7: Green", {"not-text", "name-joined"}),
        (["A"], "Green", "Green", {"wrong-type"}),
        ("N" * 300, "D" * 300, "N" * 300 + ": " + "D" * 198, {"name-joined", "description-cut"}),
        ("\ud800", "Green", "?: Green", {"half-characters", "name-joined"}),
    ],
)
def test_name_and_description_become_one(name: Any, description: Any, text: str | None, told: set[str]) -> None:
    """
    Nothing of the two is lost unless they are too long, in characters; and what was done is told.
    """
    converted = asked(priced("1", name=name, description=description), expires_at=LATER)
    assert text == converted.arguments.get("description")
    assert told == codes(converted.losses)


def test_metadata_is_texts_within_limits() -> None:
    """
    Each kind of value has its own loss, at its place; nothing is cut, as a part might be taken for the whole.
    """
    loop: list[Any] = []
    loop.append(loop)
    metadata: dict[Any, Any] = {
        "text": "as it is",
        "empty": "",
        "null": None,
        "number": 1.5,
        "truth": False,
        "array": [1, None],
        "object": {"a": "ä"},
        "long": "x" * 101,
        "a/b~c": ["y" * 101],
        "half": "\udc00",
        "endless": loop,
        5: "five",
    }
    converted = asked(priced("1", metadata=metadata), expires_at=LATER)
    assert {
        "text": "as it is",
        "empty": "",
        "number": "1.5",
        "truth": "false",
        "array": "[1,null]",
        "object": '{"a":"ä"}',
        "half": "?",
        "5": "five",
    } == converted.arguments["metadata"]
    assert [
        ("metadata-null", "/metadata/null"),
        ("metadata-not-text", "/metadata/number"),
        ("metadata-not-text", "/metadata/truth"),
        ("metadata-not-text", "/metadata/array"),
        ("metadata-not-text", "/metadata/object"),
        ("metadata-too-long", "/metadata/long"),
        ("metadata-not-text", "/metadata/a~1b~0c"),
        ("metadata-too-long", "/metadata/a~1b~0c"),
        ("half-characters", "/metadata/half"),
        ("wrong-type", "/metadata/endless"),
    ] == [(loss.code, loss.pointer) for loss in converted.losses]


def test_metadata_keys_that_become_the_same_are_told() -> None:
    """
    The first is kept; that its key is another than it was is told, too.
    """
    metadata: dict[Any, Any] = {"5": "a", 5: "b", "\ud800": "c"} | {"\udc00": "d"}
    converted = asked(priced("1", metadata=metadata), expires_at=LATER)
    assert {"5": "a", "?": "c"} == converted.arguments["metadata"]
    assert [
        ("metadata-same-key", "/metadata/5"),
        ("half-characters", "/metadata/?"),
        ("metadata-same-key", "/metadata/?"),
    ] == [(loss.code, loss.pointer) for loss in converted.losses]


def test_metadata_past_twenty_keys_is_told() -> None:
    """
    The first twenty are kept, in their order.
    """
    converted = asked(priced("1", metadata={f"k{n}": "v" for n in range(22)}), expires_at=LATER)
    assert [f"k{n}" for n in range(20)] == list(converted.arguments["metadata"])
    assert ["/metadata/k20", "/metadata/k21"] == [loss.pointer for loss in converted.losses]


@pytest.mark.parametrize("given", [[], {}, None, ""])
def test_empty_metadata_is_none(given: Any) -> None:
    """
    What PHP makes of an empty map is no loss.
    """
    assert "metadata" not in asked(priced("1", metadata=given), expires_at=LATER, strict=True).arguments


def test_metadata_of_another_type_is_lost() -> None:
    """
    A text or an array in its place is told, with its type.
    """
    loss = found(asked(priced("1", metadata=["a"]), expires_at=LATER).losses, "wrong-type")
    assert ("/metadata", "is an array, which Commerce does not have there; it was left out") == (
        loss.pointer,
        loss.sentence,
    )


@pytest.mark.parametrize(
    ("given", "url", "told"),
    [
        ("https://shop.example/?a=b#c", "https://shop.example/?a=b#c", None),
        ("HTTPS://shop.example/", "https://shop.example/", None),
        ("http://shop.example/", "https://shop.example/", "redirect-https"),
        ("ftp://shop.example/", None, "redirect-unusable"),
        ("shop.example", None, "redirect-unusable"),
        ("https://", None, "redirect-unusable"),
        ("https://shop.example/a b", None, "redirect-unusable"),
        ("https://shöp.example/", None, "redirect-unusable"),
        ("https://shop.example/" + "x" * 2048, None, "redirect-unusable"),
        ("", None, None),
    ],
)
def test_redirects_are_https_or_left_out(given: str, url: str | None, told: str | None) -> None:
    """
    http becomes https, and what cannot be is left out; both are told.
    """
    converted = asked(priced("1", redirect_url=given), expires_at=LATER)
    assert url == converted.arguments.get("success_redirect_url")
    assert ({told} if told else set()) == codes(converted.losses)


def test_redirects_may_be_nested() -> None:
    """
    Newer charges have them in an object; the outer one wins where they differ, equal ones are one.
    """
    nested = {"success_url": "https://a.example/", "cancel_url": "https://b.example/"}
    inside = asked(priced("1", redirects=nested), expires_at=LATER)
    assert ("https://a.example/", "https://b.example/") == (
        inside.arguments["success_redirect_url"],
        inside.arguments["fail_redirect_url"],
    )
    assert "/redirects/cancel_url" == found(inside.losses, "cancel-url").pointer
    both = asked(priced("1", redirects=nested, redirect_url="https://c.example/", cancel_url="https://b.example/"))
    assert "https://c.example/" == both.arguments["success_redirect_url"]
    assert "/redirect_url" == found(both.losses, "redirects-differ").pointer


# When, which, and whether at all.


@pytest.mark.parametrize(
    ("given", "expected", "told"),
    [
        ("2025-01-03T00:00:01Z", "2025-01-03T00:00:01Z", None),
        ("2025-01-03T02:00:00+01:00", "2025-01-03T01:00:00Z", None),
        ("2025-01-03T00:00:00Z", None, "expiry-past"),
        ("2025-01-04", None, "time-unusable"),
        ("9999-12-31T23:59:59-01:00", None, "time-unusable"),
        (1735900000, None, "time-unusable"),
        (None, None, "expiry-default"),
    ],
)
def test_expiry_is_kept_if_it_is_to_come(given: Any, expected: str | None, told: str | None) -> None:
    """
    Otherwise the default decides, which documents do not agree on.
    """
    converted = asked(priced("1", expires_at=given))
    assert expected == converted.value.to_dict().get("expiresAt")
    assert told is None or told in codes(converted.losses)


@pytest.mark.parametrize("given", ["2025-01-03", "soon", LATER.replace("2025", "2024"), datetime(2030, 1, 1)])  # noqa: DTZ001
def test_own_expiry_must_be_usable(given: Any) -> None:
    """
    The caller's own mistake is a ValueError, whatever the charge.
    """
    with pytest.raises(ValueError, match="expires_at: must be a time in the future"):
        asked(REQUEST, expires_at=given)


def test_own_expiry_takes_the_place_of_the_charges() -> None:
    """
    It may be a datetime, and a charge that has passed is no loss then.
    """
    converted = asked(OLD, expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "2026-01-01T00:00:00Z" == converted.value.to_dict()["expiresAt"]
    assert not {"expiry-past", "expiry-default"} & codes(converted.losses)


def test_key_comes_from_the_code_or_the_id() -> None:
    """
    The same charge has the same key on every machine, in every envelope; another one has another.
    """
    key = asked(OPEN).idempotency_key
    assert key == asked({"data": OPEN}).idempotency_key == asked(delivery("charge:created", OPEN)).idempotency_key
    only_id = {name: value for name, value in OPEN.items() if name != "code"}
    keys = {key, asked(only_id).idempotency_key, asked({**OPEN, "code": "OTHER"}).idempotency_key}
    assert 3 == len(keys - {None})
    assert key == asked(OPEN).arguments["idempotency_key"]


@pytest.mark.parametrize("status", ["SIGNED", "PENDING", "COMPLETED", "EXPIRED", "CANCELED", "UNRESOLVED", "ODD\n"])
def test_only_new_charges_are_open(status: str) -> None:
    """
    Whatever else a charge is, creating a checkout for it is the merchant's decision; it says so.
    """
    converted = asked(with_status("NEW", status))
    assert not converted.is_open
    assert found(converted.losses, "not-open").sentence.startswith(f"the charge is {status.strip()}: ")


@pytest.mark.parametrize(
    "touched",
    [
        {"payments": OLD["payments"]},
        {"confirmed_at": "2025-01-02T20:35:36Z"},
        {"confirmed_at": None, "web3_data": WEB3["web3_data"]},
    ],
)
def test_charge_that_money_came_for_is_not_open(touched: dict[str, Any]) -> None:
    """
    A payment counts more than a status of NEW, wherever it is told; it is told as lost, too.
    """
    converted = asked({**OPEN, **touched})
    assert not converted.is_open
    assert "the charge is paid at least in part" in found(converted.losses, "not-open").sentence
    assert {name.replace("_", "-") for name, value in touched.items() if value} <= codes(converted.losses)


def test_charge_of_unknown_status_is_not_open() -> None:
    """
    An export that lost its timeline may have been paid; a request that never was a charge was not.
    """
    converted = asked({**OPEN, "timeline": []})
    assert ("unknown", False) == (converted.status, converted.is_open)
    assert asked(REQUEST).is_open


def test_charge_in_an_event_is_not_open() -> None:
    """
    What it was when the event was sent is not what it is.
    """
    untyped = {"event": {"data": OPEN}}
    for event in (delivery("charge:created", OPEN), delivery("charge:created", OPEN)["event"], untyped):
        converted = asked(event)
        assert ("NEW", False) == (converted.status, converted.is_open)
        assert "known from an event only" in found(converted.losses, "not-open").sentence
    assert asked({"data": OPEN, "warnings": []}).is_open


def test_latest_entry_of_the_timeline_counts() -> None:
    """
    A timeline in another order does not make a paid charge look new; where times are missing the last entry counts.
    """
    turned = {**WEB3, "timeline": WEB3["timeline"][::-1]}
    converted = asked(turned)
    assert ("COMPLETED", False) == (converted.status, converted.is_open)
    assert "timeline-order" in codes(converted.losses)
    untimed = {**WEB3, "timeline": [{"status": "COMPLETED"}, {"status": "EXPIRED", "time": "2025-01-02T00:00:00Z"}]}
    assert "EXPIRED" == asked(untimed).status
    assert "timeline-unclear" in codes(asked(untimed).losses)


@pytest.mark.parametrize(
    "time",
    ["2026-03-20 10:{:02}:00 UTC", "2026-03-20T10:{:02}:00", "Fri, 20 Mar 2026 10:{:02}:00 GMT", "17740{:02}000", None],
)
def test_timeline_with_other_times_does_not_look_new(time: str | None) -> None:
    """
    Whatever its times are, one that has more than NEW is not open, newest first or last.
    """
    told = [{"status": status, "time": time and time.format(5 + n)} for n, status in enumerate(["NEW", "COMPLETED"])]
    for timeline in (told, told[::-1]):
        charge = {**OPEN, "timeline": timeline}
        assert ("COMPLETED", False) == (asked(charge).status, asked(charge).is_open)
        assert "COMPLETED" == commerce.checkout_view(charge).value.status
        is_read = time is not None and time.endswith("UTC")
        assert ("timeline-unclear" in codes(asked(charge).losses)) != is_read


def test_entries_of_one_time_are_not_taken_for_new() -> None:
    """
    Of several entries with the latest time the last counts, unless it is NEW.
    """
    now = {"time": LATER}
    for history in (["NEW", "COMPLETED"], ["COMPLETED", "NEW"], ["NEW", "PENDING", "COMPLETED"]):
        charge = {**OPEN, "timeline": [{**now, "status": status} for status in history]}
        assert "COMPLETED" == asked(charge).status


@pytest.mark.parametrize(
    ("contradiction", "pointer"),
    [
        ({"timeline": [{"status": "NEW"}, {"status": None}]}, "/timeline/1/status"),
        ({"timeline": [{"status": "NEW"}, {"status": ""}]}, "/timeline/1/status"),
        ({"timeline": [{"status": "NEW"}, {"status": ["COMPLETED"]}]}, "/timeline/1/status"),
        ({"timeline": [{"status": "NEW"}, "COMPLETED"]}, "/timeline"),
        ({"timeline": {"status": "COMPLETED"}, "status": "NEW"}, "/timeline"),
        ({"timeline": [{"status": "COMPLETED", "time": LATER}, {"status": "NEW", "time": "9999"}]}, None),
        ({"timeline": [{"status": "NEW", "payment": {"network": "base"}}]}, "/timeline/0/payment"),
        ({"timeline": [{"status": "NEW", "context": "UNDERPAID"}]}, "/timeline/0/context"),
        ({"status": {"value": "COMPLETED"}}, "/status"),
        ({"status": 4}, None),
        ({"transactions": [{"hash": "0xe1"}]}, "/transactions"),
        ({"paidAt": "2025-01-02"}, "/paidAt"),
        ({"is_paid": True}, "/is_paid"),
        ({"web3_data": [1]}, "/web3_data"),
        ({"web3_data": {"tx_hash": "0xe1"}}, "/web3_data/tx_hash"),
    ],
)
def test_whatever_may_tell_of_a_payment_leaves_the_charge_to_a_person(
    contradiction: dict[str, Any], pointer: str | None
) -> None:
    """
    A request is made only where every entry is readably NEW and nothing else may say otherwise; the loss says where.
    """
    converted = asked({**OPEN, **contradiction})
    assert not converted.is_open
    told = [loss.pointer for loss in converted.losses if loss.code == "perhaps-paid"]
    assert ([] if pointer is None else [pointer]) == told
    assert pointer is not None or "not-open" in codes(converted.losses)


@pytest.mark.parametrize(
    "harmless",
    [
        {"status": "New"},
        {"timeline": [{"status": " new ", "context": None}, {"status": "NEW", "payment": {}}]},
        {"transactions": [], "is_paid": False, "confirmations": 0, "payment_status": "new"},
        {"success_url": "https://shop.example/", "payment_threshold": {"a": 1}, "note": "paid"},
        {"web3_data": {"failure_events": [{"tx_hsh": "0xf0"}], "subsidized_payments_chain_to_tokens": {"1": {}}}},
    ],
)
def test_what_tells_of_no_payment_leaves_the_charge_open(harmless: dict[str, Any]) -> None:
    """
    NEW in any spelling, empty fields, noes and noughts, failed transactions, and what Commerce documents otherwise.
    """
    assert asked({**OPEN, **harmless}).is_open


def test_status_and_timeline_that_differ_are_told() -> None:
    """
    The timeline counts, unless it is NEW, which nothing goes back to.
    """
    for flat, charge in (("COMPLETED", OPEN), ("NEW", with_status("NEW", "COMPLETED"))):
        converted = asked({**charge, "status": flat})
        assert ("COMPLETED", False) == (converted.status, converted.is_open)
        assert "/status" == found(converted.losses, "statuses-differ").pointer
    assert "statuses-differ" not in codes(asked({**OLD, "status": "completed"}).losses)


def test_entry_without_a_status_is_told() -> None:
    """
    In views, too, which show the one before it.
    """
    charge = {**OPEN, "timeline": [*OPEN["timeline"], {"status": None, "time": LATER}]}
    for losses in (asked(charge).losses, commerce.checkout_view(charge).losses):
        assert "/timeline/1/status" == found(losses, "status-blank").pointer


def test_status_beside_the_timeline_is_read() -> None:
    """
    An export that has a status and no timeline is not taken for new.
    """
    flat = {**OPEN, "timeline": None, "status": "COMPLETED"}
    assert "COMPLETED" == asked(flat).status
    assert "COMPLETED" == commerce.checkout_view(flat).value.status


@pytest.mark.parametrize("given", [1, None, "x", [], {"data": 1}, {"data": []}, {"data": {"resource": "invoice"}}])
def test_what_is_no_charge_is_refused(given: Any) -> None:
    """
    By all that take one, with a reason.
    """
    for function in (asked, commerce.checkout_view):
        assert refused(function, given).reasons
    nobody = known(given)
    assert (None, None, "unknown") == (nobody.code, nobody.id, nobody.standing.status)


def test_envelope_of_an_answer_makes_no_difference() -> None:
    """
    What Commerce wrapped in data is the same charge; places are told from the outside.
    """
    bare, wrapped = asked(OPEN), asked({"data": OPEN, "warnings": []})
    assert bare.value == wrapped.value
    assert [f"/data{loss.pointer}" for loss in bare.losses] == [loss.pointer for loss in wrapped.losses]
    (reason,) = refused(asked, {"data": [OPEN], "pagination": {}}).reasons
    assert ("list-of-charges", "/data") == (reason.code, reason.pointer)


def test_reusable_checkout_of_commerce_is_told() -> None:
    """
    Its fields convert; that it could be paid by many has no equivalent. Other resources are refused.
    """
    template = {**REQUEST, "id": "9d3ffc0a", "resource": "checkout", "requested_info": ["email"]}
    assert {"reusable", "requested-info"} <= codes(asked(template).losses)
    assert "unknown-resource" == refused(asked, {**REQUEST, "resource": "event"}).reasons[0].code


def test_known_tells_who_was_refused() -> None:
    """
    A charge that was refused still has its code, id and status; a request is new.
    """
    assert ("A1B2C3D4", OLD["id"], "COMPLETED") == (known(OLD).code, known(OLD).id, known(OLD).standing.status)
    assert (None, None, "NEW") == (known(REQUEST).code, known(REQUEST).id, known(REQUEST).standing.status)


# Strict.


def test_strict_refuses_and_lists_everything() -> None:
    """
    A strict conversion that loses anything is an error below CheckoutsError, with every loss.
    """
    error = refused(asked, WEB3, strict=True)
    assert isinstance(error, CheckoutsError)
    assert isinstance(error, ValueError)
    assert error.losses == error.reasons == asked(WEB3).losses
    assert str(error).startswith("not without loss, and strict: /code: checkouts have no code")
    assert error.reasons == pickle.loads(pickle.dumps(error)).reasons


MISTYPED: dict[str, list[Any]] = {
    "expires_at": [5, 5.0, True, b"2030", [], {}, date(2030, 1, 1), timedelta(1)],
    "now_s": ["5", b"5", [], {}, datetime(2030, 1, 1, tzinfo=UTC)],
    "accept": ["code", b"code", 5, True, None, iter(["code"])],
}


@pytest.mark.parametrize(("name", "given"), [(name, one) for name, several in MISTYPED.items() for one in several])
def test_arguments_of_the_wrong_type(name: str, given: Any) -> None:
    """
    They are a mistake in the program, told by name and with what is wanted.
    """
    with pytest.raises(TypeError, match=rf"^{name}: must be .*, not {type(given).__name__}$"):
        commerce.checkout_request(OLD, **{name: given})


@pytest.mark.parametrize("convert", [commerce.checkout_view, commerce.status, commerce.event])
def test_one_code_is_no_collection(convert: Callable[..., Any]) -> None:
    """
    The other functions say so, too; and what is no text is no code.
    """
    given: Any = OLD if convert is commerce.checkout_view else "charge:created"
    with pytest.raises(TypeError, match=r"^accept: must be a collection of codes, not str$"):
        convert(given, accept="code")
    with pytest.raises(ValueError, match=r"^accept: no such codes: \[\]; give"):
        convert(given, accept=[[]])


def test_accepted_losses_are_no_reason() -> None:
    """
    What somebody has looked at passes; the losses stay in the result.
    """
    losses = asked(WEB3).losses
    assert losses == asked(WEB3, strict=True, accept=codes(losses)).losses
    error = refused(asked, WEB3, strict=True, accept=codes(losses) - {"code"})
    assert ["code"] == [loss.code for loss in error.reasons]
    assert losses == error.losses


def test_strict_holds_for_all_four() -> None:
    """
    Views, statuses and events refuse as requests do.
    """
    refused(commerce.checkout_view, WEB3, strict=True)
    refused(commerce.status, "PENDING", strict=True)
    refused(commerce.event, "charge:pending", strict=True)
    assert CheckoutStatus.COMPLETED is commerce.status("COMPLETED", strict=True).value


def test_codes_that_are_none_are_told() -> None:
    """
    A misspelt code would accept nothing in silence.
    """
    with pytest.raises(ValueError, match=r"accept: no such codes: adresses; give those of losses"):
        asked(WEB3, accept=["adresses"])


# Views.


@pytest.mark.parametrize(
    ("charge", "amount", "currency"),
    [
        (open_amount(paid=True), "25.00", "USD"),
        (open_amount(paid=False), "0.00", "USDC"),
        ({**WEB3, "pricing_type": "no_price"}, "40", "EUR"),
        ({**OPEN, "pricing": {"local": {"amount": "0.00044578", "currency": "btc"}}}, "0.00044578", "BTC"),
    ],
)
def test_view_shows_what_was_asked_or_paid(charge: dict[str, Any], amount: str, currency: str) -> None:
    """
    Of an open amount it is what came; digits stay as they are.
    """
    view = commerce.checkout_view(charge).value
    assert (amount, currency) == (view.amount, view.currency)


def test_view_keeps_many_decimals_and_says_so() -> None:
    """
    A checkout has two; what was priced in crypto has more.
    """
    charge = {**OPEN, "pricing": {"local": {"amount": "0.00044578", "currency": "BTC"}}}
    assert "/pricing/local/amount" == found(commerce.checkout_view(charge).losses, "amount-many-decimals").pointer


def test_view_tells_the_last_of_several_transactions() -> None:
    """
    The same transaction in three places is one; of several the last is told, with its network.
    """
    once = commerce.checkout_view(OLD)
    assert ("ethereum", "0xaa") == (once.value.network, once.value.transaction_hash)
    assert "transactions" not in codes(once.losses)
    payments = [*OLD["payments"], {"network": "Polygon", "transaction_id": "0xbb"}, {"network": "base"}]
    twice = commerce.checkout_view({**OLD, "payments": payments, "timeline": OLD["timeline"][-1:]})
    assert ("polygon", "0xbb") == (twice.value.network, twice.value.transaction_hash)
    assert {"transactions", "network-other"} <= codes(twice.losses)


def test_view_names_chains_that_commerce_did_not() -> None:
    """
    A transaction on another chain is never shown as one on base.
    """
    events = [{"tx_hsh": "0xe1", "chain_id": 10}, {"tx_hsh": "0xe1", "chain_id": None}]
    shown = commerce.checkout_view({**WEB3, "web3_data": {"success_events": events}})
    assert "eip155:10" == shown.value.network
    assert "network-other" in codes(shown.losses)


def test_view_finds_times_elsewhere_and_says_so() -> None:
    """
    Without created_at the timeline's first entry tells it; without a timeline confirmed_at is the update.
    """
    undated = commerce.checkout_view({**WEB3, "created_at": None})
    assert datetime(2025, 1, 2, 20, 1, 55, tzinfo=UTC) == undated.value.created_at
    assert "time-guessed" in codes(undated.losses)
    flat = commerce.checkout_view({**WEB3, "timeline": [], "confirmed_at": "2025-01-02T21:00:00Z"})
    assert datetime(2025, 1, 2, 21, tzinfo=UTC) == flat.value.updated_at
    assert {"status-missing"} <= codes(flat.losses)
    bare = commerce.checkout_view({**WEB3, "timeline": [], "confirmed_at": None})
    assert bare.value.created_at == bare.value.updated_at
    told_itself = commerce.checkout_view({**WEB3, "updated_at": "2025-01-05T00:00:00Z"})
    assert datetime(2025, 1, 5, tzinfo=UTC) == told_itself.value.updated_at
    assert "update-guessed" not in codes(told_itself.losses)


def test_view_needs_id_price_and_time() -> None:
    """
    What cannot be shown says everything that is missing at once.
    """
    error = refused(commerce.checkout_view, {"name": "A lamp"})
    assert {"id-missing", "amount-missing", "currency-missing", "time-missing"} == codes(error.reasons)
    assert "url-missing" in codes(error.losses)
    assert "amount-unusable" in codes(
        refused(commerce.checkout_view, {**WEB3, "pricing": {"local": {"amount": "x"}}}).reasons
    )


@pytest.mark.parametrize("name", ["timeline", "payments", "pricing", "metadata", "redirects", "web3_data"])
def test_wrong_types_are_told_where_they_are(name: str) -> None:
    """
    A number in place of an object or an array is a loss at its place.
    """
    for function in (asked, commerce.checkout_view):
        losses = told(function, {**WEB3, "local_price": {"amount": "1", "currency": "USD"}, name: 7})
        if not (name in ("web3_data", "payments") and function is asked):
            assert f"/{name}" in [loss.pointer for loss in losses if loss.code == "wrong-type"]


def test_wrong_items_are_told_where_they_are() -> None:
    """
    An item of a list that is no object is left out.
    """
    shown = commerce.checkout_view({**WEB3, "timeline": [*WEB3["timeline"], "COMPLETED"]})
    assert "/timeline/4" == found(shown.losses, "wrong-type").pointer


# Anything at all.


def told(function: Callable[..., Any], given: Any) -> tuple[Loss, ...]:
    """All losses, of a result or of a refusal."""
    try:
        losses: tuple[Loss, ...] = function(given).losses
    except MigrationError as exc:
        return exc.losses
    return losses


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A charge with something else in one or two places."""
    charge: dict[str, Any] = deepcopy(draw(st.sampled_from([REQUEST, OLD, WEB3, open_amount(paid=True), OPEN])))
    for _ in range(draw(st.integers(1, 2))):
        place: Any = charge
        while True:
            keys: list[Any] = list(range(len(place))) if isinstance(place, list) else list(place)
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            place[key] = draw(JSON)
            break
    return charge


@given(JSON | damaged())
def test_whatever_json_is_given_there_is_a_result_or_a_clean_error(given: Any) -> None:
    """
    Nothing but MigrationError comes out of the four; a request passes the client's checks; a view is a checkout
    that can be written and read again; losses can be written as JSON.
    """
    for function in (asked, commerce.checkout_view, commerce.status, commerce.event):
        losses = told(function, given)
        assert len(losses) == len(set(losses))
        json.dumps([[loss.code, loss.pointer, loss.sentence] for loss in losses], ensure_ascii=False).encode()
    try:
        request = asked(given)
    except MigrationError:
        pass
    else:
        assert isinstance(sent(request), Call)
        assert request == asked(given)
    try:
        view = commerce.checkout_view(given).value
    except MigrationError:
        pass
    else:
        assert view == Checkout.from_dict(view.to_dict())


def test_converted_charges_are_created_once(checkouts: Checkouts) -> None:
    """
    The sandbox takes what comes of every kind of charge that has a price, and makes no second checkout of it.
    """
    charges = [REQUEST, OLD, WEB3, OPEN, priced("0.01"), priced("9.999", "GBP", redirect_url="http://a.example/?b=c")]
    for charge in charges:
        converted = commerce.checkout_request(charge, expires_at="2999-01-01T00:00:00Z")
        first = checkouts.create(**converted.arguments)
        assert converted.value.description == first.description
        again = checkouts.create(**converted.arguments)
        assert (converted.idempotency_key is not None) == (first.id == again.id)


def sent(request: commerce.ConvertedRequest) -> object:
    """What the client makes of a converted request: a call that can be sent, or the error."""
    names = ("description", "metadata", "expires_at", "success_redirect_url", "fail_redirect_url", "idempotency_key")
    arguments: dict[str, Any] = {**dict.fromkeys(names), **request.arguments}
    return operations.create(**arguments, network=None, checks=Checks(NOW))


@given(
    st.decimals("0.01", "100000000", places=2),
    st.text(st.characters(codec="utf-8"), max_size=400),
    st.dictionaries(
        st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), max_size=100), max_size=20
    ),
)
def test_what_the_api_can_say_comes_through_unchanged(
    amount: Decimal, description: str, metadata: dict[str, str]
) -> None:
    """
    Amount, description and metadata within the limits are the same afterwards, without loss.
    """
    charge = priced(str(amount), description=description, metadata=metadata)
    converted = asked(charge, strict=True, expires_at=LATER)
    assert (str(amount), description.strip(), metadata) == (
        converted.value.amount,
        converted.arguments.get("description", ""),
        converted.arguments.get("metadata", {}),
    )


def test_limits_are_those_of_the_description() -> None:
    """
    The numbers that decide what is cut are the description's.
    """
    body = resolve(operation("createCheckout")["requestBody"]["content"]["application/json"]["schema"])["properties"]
    assert (20, 100, 500) == (
        body["metadata"]["maxProperties"],
        body["metadata"]["additionalProperties"]["maxLength"],
        body["description"]["maxLength"],
    )
