"""Deactivate a checkout."""

from __future__ import annotations

import pytest

from coinbase_checkouts_conformance.attempts import paid, try_constraint
from coinbase_checkouts_conformance.claims import claim, each_constraint
from coinbase_checkouts_conformance.compare import differences, moment
from coinbase_checkouts_conformance.constraints import Constraint
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.exchange import Exchange, accepted, refused
from coinbase_checkouts_conformance.target import NOBODYS_ID

DEACTIVATE = "#/paths/~1api~1v1~1checkouts~1{id}~1deactivate/post"


@claim("deactivate.result", "deactivate.result", f"{DEACTIVATE}/responses/200")
def test_result(api: Exchange) -> None:
    """The answer is the checkout, now DEACTIVATED and otherwise as it was."""
    before = api.created(api.full())
    after = accepted(api.deactivate(before["id"])).json
    assert after["status"] == "DEACTIVATED"
    assert differences(before, after, ignoring=("status", "updatedAt")) == []


@claim("deactivate.stays", "deactivate.result", "checkout.final")
def test_stays(api: Exchange) -> None:
    """A deactivated checkout reads as the deactivation answered it."""
    checkout_id = api.created()["id"]
    after = accepted(api.deactivate(checkout_id)).json
    assert differences(after, api.read(checkout_id)) == []


@claim("deactivate.updated-at", "checkout.updated-at")
def test_updated_at(api: Exchange) -> None:
    """A deactivation does not turn updatedAt back."""
    before = api.created()
    after = accepted(api.deactivate(before["id"])).json
    assert moment(before["updatedAt"]) <= moment(after["updatedAt"])


@claim("deactivate.only-this", "deactivate.result")
def test_only_this(api: Exchange) -> None:
    """Other checkouts are left alone."""
    first, second = api.created(), api.created()
    accepted(api.deactivate(first["id"]))
    assert differences(second, api.read(second["id"])) == []


@claim("deactivate.twice", "deactivate.only-active")
def test_twice(api: Exchange) -> None:
    """A second deactivation is refused, or changes nothing."""
    checkout_id = api.created()["id"]
    first = accepted(api.deactivate(checkout_id)).json
    second = api.deactivate(checkout_id)
    if second.is_success:
        assert differences(first, second.json) == []
    else:
        refused(second, 400, 404, 409, 422)
    assert differences(first, api.read(checkout_id)) == []


@claim("deactivate.not-paid", "deactivate.only-active")
def test_not_paid(api: Exchange, control: Control) -> None:
    """A paid checkout cannot be deactivated, and stays as it is."""
    before = paid(api, control)
    refused(api.deactivate(before["id"]), 400, 409, 422)
    assert differences(before, api.read(before["id"])) == []


@claim("deactivate.not-under-way", "deactivate.only-active")
@pytest.mark.parametrize("outcome", ["PROCESSING", "FAILED"])
def test_not_under_way(api: Exchange, control: Control, outcome: str) -> None:
    """A checkout whose payment is under way or has failed cannot be deactivated."""
    checkout_id = api.created()["id"]
    control.pay(checkout_id, outcome)
    refused(api.deactivate(checkout_id), 400, 409, 422)
    assert api.read(checkout_id)["status"] == outcome


@claim("deactivate.unknown-id", f"{DEACTIVATE}/responses/404")
def test_unknown_id(api: Exchange) -> None:
    """An id that no checkout has is answered 404 not_found, by some deployments 400."""
    answer = refused(api.deactivate(NOBODYS_ID), 404, 400)
    if answer.status == 404:
        assert answer.json["errorType"] == "not_found"


@each_constraint("deactivateCheckout", "path")
def test_path(api: Exchange, constraint: Constraint) -> None:
    checkout_id = api.created()["id"]
    try_constraint(constraint, checkout_id, api.deactivate)
    assert api.read(checkout_id)["status"] == "ACTIVE"


@claim("deactivate.not-refunded", "deactivate.only-active")
@pytest.mark.parametrize("value", ["0.50", "2.00"])
def test_not_refunded(api: Exchange, control: Control, value: str) -> None:
    """A checkout that was refunded, in part or whole, cannot be deactivated, and stays as it is."""
    checkout_id = paid(api, control)["id"]
    refund = accepted(api.refund(checkout_id, {"amount": value})).json["refund"]
    control.settle(checkout_id, refund["id"])
    before = api.read(checkout_id)
    refused(api.deactivate(checkout_id), 400, 409, 422)
    assert differences(before, api.read(checkout_id)) == []


@claim("deactivate.body", "deactivate.result")
@pytest.mark.parametrize("content", [b"{}", b""], ids=["object", "empty"])
def test_body(api: Exchange, content: bytes) -> None:
    """An empty object, or an empty body that is called JSON, is no reason to refuse: published clients send them."""
    checkout_id = api.created()["id"]
    assert accepted(api.send("deactivateCheckout", id=checkout_id, content=content)).json["status"] == "DEACTIVATED"


@claim("deactivate.least", "deactivate.result", "response.no-null")
def test_least(api: Exchange) -> None:
    """A checkout of amount and currency alone is answered without what nobody sent."""
    before = api.created({"amount": "1.00", "currency": "USDC"})
    after = accepted(api.deactivate(before["id"])).json
    assert differences(before, after, ignoring=("status", "updatedAt")) == []
