"""The life of a checkout: every legal step, and every illegal one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

STATUSES = ("ACTIVE", "PROCESSING", "DEACTIVATED", "EXPIRED", "COMPLETED", "FAILED", "PARTIALLY_REFUNDED", "REFUNDED")
FINAL = ("DEACTIVATED", "EXPIRED", "FAILED", "REFUNDED")


def in_status(sandbox: Sandbox, status: str) -> str:
    """The id of a checkout of 100.00 that has come to *status*."""
    checkout_id: str = sandbox.create()["id"]
    if status == "DEACTIVATED":
        sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/deactivate")
    elif status == "EXPIRED":
        sandbox.advance(3600)
    elif status in {"PROCESSING", "COMPLETED", "FAILED"}:
        sandbox.pay(checkout_id, status)
    elif status != "ACTIVE":
        sandbox.pay(checkout_id)
        sandbox.refund(checkout_id, "100" if status == "REFUNDED" else "40")
    return checkout_id


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_can_be_reached(sandbox: Sandbox, status: str) -> None:
    """
    Each documented status is one that a reader can meet.
    """
    assert status == sandbox.get(in_status(sandbox, status))["status"]


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "ACTIVE"])
def test_only_an_active_checkout_is_deactivated(sandbox: Sandbox, status: str) -> None:
    """
    Deactivating in any other status is refused with 400 and changes nothing.
    """
    checkout_id = in_status(sandbox, status)
    before = sandbox.get(checkout_id)
    answer = sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/deactivate")
    assert (400, "invalid_request") == (answer.status_code, answer.json()["errorType"])
    assert status in answer.json()["errorMessage"]
    assert before == sandbox.get(checkout_id)


@pytest.mark.parametrize("status", [s for s in STATUSES if s not in {"COMPLETED", "PARTIALLY_REFUNDED"}])
def test_only_a_paid_checkout_is_refunded(sandbox: Sandbox, status: str) -> None:
    """
    Refunding what is not paid, or is already refunded, is refused with 400 and changes nothing.
    """
    checkout_id = in_status(sandbox, status)
    before = sandbox.get(checkout_id)
    answer = sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/refund", json={"amount": "1"})
    assert 400 == answer.status_code
    assert before == sandbox.get(checkout_id)


@pytest.mark.parametrize("status", [s for s in STATUSES if s not in {"ACTIVE", "PROCESSING"}])
@pytest.mark.parametrize("outcome", ["PROCESSING", "COMPLETED", "FAILED"])
def test_a_settled_checkout_is_not_paid(sandbox: Sandbox, status: str, outcome: str) -> None:
    """
    Paying what is neither ACTIVE nor PROCESSING is a 409 of the control contract, and changes nothing.
    """
    checkout_id = in_status(sandbox, status)
    before = sandbox.get(checkout_id)
    answer = sandbox.call("POST", f"/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": outcome})
    assert 409 == answer.status_code
    assert before == sandbox.get(checkout_id)


@pytest.mark.parametrize("first", ["ACTIVE", "PROCESSING"])
@pytest.mark.parametrize("outcome", ["PROCESSING", "COMPLETED", "FAILED"])
def test_an_open_checkout_is_paid(sandbox: Sandbox, first: str, outcome: str) -> None:
    """
    From ACTIVE and from PROCESSING each outcome of a payment is possible.
    """
    assert outcome == sandbox.pay(in_status(sandbox, first), outcome)["status"]


@pytest.mark.parametrize("status", FINAL)
def test_time_changes_no_settled_checkout(sandbox: Sandbox, status: str) -> None:
    """
    A checkout in a final status reads the same ten years later.
    """
    checkout_id = in_status(sandbox, status)
    before = sandbox.get(checkout_id)
    sandbox.advance(10 * 365 * 86400)
    assert before == sandbox.get(checkout_id)


def test_a_new_checkout_is_told_as_it_was_asked_for(sandbox: Sandbox) -> None:
    """
    A create answers with everything that was sent, amounts with two decimals, and reading repeats it.
    """
    asked: dict[str, Any] = {
        "amount": "0100.5",
        "currency": "USDC",
        "network": "base",
        "description": "Payment for order #12345",
        "expiresAt": "2026-12-01T10:30:00+02:00",
        "metadata": {"invoiceId": "12345", "": "𝟙\u0000"},
        "successRedirectUrl": "https://example.com/success",
        "failRedirectUrl": "https://example.com/failed",
    }
    checkout = sandbox.create(**asked)
    echoed = {**asked, "amount": "100.50", "expiresAt": "2026-12-01T08:30:00.000Z"}
    assert echoed == {name: checkout[name] for name in asked}
    assert "ACTIVE" == checkout["status"]
    assert f"http://127.0.0.1:8402/pay/{checkout['id']}" == checkout["url"]
    assert "2026-11-20T12:00:00.000Z" == checkout["createdAt"] == checkout["updatedAt"]
    assert checkout == sandbox.get(checkout["id"])


def test_unknown_properties_are_ignored(sandbox: Sandbox) -> None:
    """
    A property the description does not know is accepted and not echoed.
    """
    assert "surprise" not in sandbox.create(surprise={"amount": 1.5, "deep": [None, True]})


@pytest.mark.parametrize(("amount", "expected"), [("0.01", "0.01"), ("100000000", "100000000.00"), ("007", "7.00")])
def test_the_edges_of_the_range_are_inside(sandbox: Sandbox, amount: str, expected: str) -> None:
    """
    The smallest and the largest amount are accepted.
    """
    assert expected == sandbox.create(amount=amount)["amount"]


def test_a_checkout_lives_an_hour_by_default(sandbox: Sandbox) -> None:
    """
    Without expiresAt it expires an hour after its creation, to the millisecond.
    """
    checkout = sandbox.create()
    assert "2026-11-20T13:00:00.000Z" == checkout["expiresAt"]
    sandbox.clock.ms += 3600 * 1000 - 1
    assert "ACTIVE" == sandbox.get(checkout["id"])["status"]
    sandbox.clock.ms += 1
    expired = sandbox.get(checkout["id"])
    assert ("EXPIRED", checkout["expiresAt"]) == (expired["status"], expired["updatedAt"])


def test_a_payment_under_way_outlives_the_expiry(sandbox: Sandbox) -> None:
    """
    PROCESSING does not expire, and can still complete.
    """
    checkout_id = in_status(sandbox, "PROCESSING")
    sandbox.advance(7200)
    assert "PROCESSING" == sandbox.get(checkout_id)["status"]
    assert "COMPLETED" == sandbox.pay(checkout_id)["status"]


def test_a_payment_is_settled_less_the_fee(sandbox: Sandbox) -> None:
    """
    Settlement is the amount, 1.25 % of it rounded half up, and the difference.
    """
    paid = sandbox.pay(sandbox.create(amount="100.40")["id"])
    assert {"totalAmount": "100.40", "feeAmount": "1.26", "netAmount": "99.14", "currency": "USDC"} == paid[
        "settlement"
    ]
    assert 66 == len(paid["transactionHash"])


def test_a_smaller_fee_can_be_chosen(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    The rate of the fee is an argument.
    """
    from decimal import Decimal

    sandbox = sandbox_with(fee_rate=Decimal("0.01"))
    assert "0.50" == sandbox.pay(sandbox.create(amount="50")["id"])["settlement"]["feeAmount"]


@pytest.mark.parametrize(
    ("currency", "usdc"), [("USD", "33.33"), ("EUR", "36.00"), ("SGD", "24.66"), ("GBP", "42.33"), ("USDC", "33.33")]
)
def test_fiat_is_told_in_both_currencies(sandbox: Sandbox, currency: str, usdc: str) -> None:
    """
    The answer's amount is in USDC; what was asked for in fiat is told beside it.
    """
    checkout = sandbox.create(amount="33.33", currency=currency)
    assert (usdc, "USDC") == (checkout["amount"], checkout["currency"])
    fiat = (None, None) if currency == "USDC" else ("33.33", currency)
    assert fiat == (checkout.get("fiatAmount"), checkout.get("fiatCurrency"))


def test_updated_at_never_goes_back(sandbox: Sandbox) -> None:
    """
    When the machine's clock is set back, updatedAt stays where it was.
    """
    checkout = sandbox.create()
    sandbox.clock.ms -= 60_000
    assert checkout["updatedAt"] == sandbox.pay(checkout["id"])["updatedAt"]


def test_a_clock_set_back_between_keeps_ids_valid(sandbox: Sandbox) -> None:
    """
    Ids begin with the seconds of their creation, and stay 24 digits beyond the year 2106.
    """
    assert sandbox.create()["id"].startswith(f"{sandbox.clock.ms // 1000:08x}")
    sandbox.advance(200 * 365 * 86400)
    assert 24 == len(sandbox.create()["id"])


def test_create_may_answer_200(reading: Callable[..., Sandbox]) -> None:
    """
    The other reading of the status of a create can be chosen.
    """
    body = {"amount": "1", "currency": "USDC"}
    assert 200 == reading(create_status=200).call("POST", "/api/v1/checkouts", json=body).status_code


def test_the_default_expiry_may_be_a_day(reading: Callable[..., Sandbox]) -> None:
    """
    The other reading of the default expiry can be chosen.
    """
    assert "2026-11-21T12:00:00.000Z" == reading(default_expiry_s=86400).create()["expiresAt"]


def test_a_second_deactivation_may_change_nothing(reading: Callable[..., Sandbox]) -> None:
    """
    In the other reading a DEACTIVATED checkout is answered as it is; other statuses are still refused.
    """
    sandbox = reading(second_deactivation="unchanged", illegal_change_status=409)
    path = f"/api/v1/checkouts/{in_status(sandbox, 'DEACTIVATED')}/deactivate"
    assert 200 == sandbox.call("POST", path).status_code
    other = f"/api/v1/checkouts/{in_status(sandbox, 'FAILED')}/deactivate"
    assert (409, "invalid_request") == (
        (answer := sandbox.call("POST", other)).status_code,
        answer.json()["errorType"],
    )


def test_missing_and_malformed_ids_may_be_answered_otherwise(reading: Callable[..., Sandbox]) -> None:
    """
    A missing checkout as 400 and a malformed id as 404 are readings too.
    """
    sandbox = reading(missing_status=400, malformed_id_status=404)
    assert 400 == sandbox.call("GET", "/api/v1/checkouts/68f7a946db0529ea9b6d3a12").status_code
    assert 404 == sandbox.call("GET", "/api/v1/checkouts/nonsense").status_code


def test_every_choice_names_its_source() -> None:
    """
    Each reading has a source, and what it could have been.
    """
    from dataclasses import fields

    from coinbase_checkouts_sandbox.readings import Readings

    assert all(field.metadata["source"] and field.metadata["others"] for field in fields(Readings))
