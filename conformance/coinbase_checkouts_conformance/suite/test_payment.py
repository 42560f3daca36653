"""What a payment, or the passing of time, does to a checkout."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from coinbase_checkouts_conformance.attempts import ids, listed, paid, undisturbed
from coinbase_checkouts_conformance.claims import claim
from coinbase_checkouts_conformance.compare import amount, differences, moment
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.exchange import Exchange, accepted, refused, stamp
from coinbase_checkouts_conformance.judge import BrokenError

FIGURES = ("totalAmount", "feeAmount", "netAmount")
PAYMENT_FIELDS = ("status", "updatedAt", "transactionHash", "settlement")


@claim("payment.completed", "checkout.status-changes", "checkout.transaction-hash", "checkout.settlement")
def test_completed(api: Exchange, control: Control) -> None:
    """A paid checkout is COMPLETED, with a transactionHash and a settlement, and otherwise as it was created."""
    made = api.created(api.full())
    control.pay(made["id"])
    after = api.read(made["id"])
    assert after["status"] == "COMPLETED"
    assert after.get("transactionHash")
    assert after.get("settlement")
    assert differences(made, after, ignoring=PAYMENT_FIELDS) == []
    assert [name for name in ("refunds", "refundedAmount") if name in after] == []


@claim("payment.settlement-sum", "settlement.sum")
def test_settlement_sum(api: Exchange, control: Control) -> None:
    """The settlement's totalAmount less feeAmount is netAmount, to the cent, whatever the amount."""
    for value in ("0.01", "1.99", "33.33", "1234.56"):
        settlement = paid(api, control, value).get("settlement", {})
        figures = {name: amount(settlement[name]) for name in FIGURES if name in settlement}
        assert [settlement[name] for name, figure in figures.items() if figure is None] == [], "no amounts"
        total, fee, net = map(figures.get, FIGURES)
        if not (total is None or fee is None or net is None):
            assert total - fee == net
            assert fee >= 0


@claim("payment.processing", "checkout.status-changes", "checkout.transaction-hash", "checkout.settlement")
def test_processing(api: Exchange, control: Control) -> None:
    """A checkout whose payment is under way is PROCESSING, without transactionHash or settlement; then it completes."""
    checkout_id = api.created()["id"]
    control.pay(checkout_id, "PROCESSING")
    under_way = api.read(checkout_id)
    assert under_way["status"] == "PROCESSING"
    assert [name for name in ("transactionHash", "settlement") if name in under_way] == []
    try:
        control.pay(checkout_id)
    except BrokenError:
        return  # a sandbox need not pay what is already under way
    assert api.read(checkout_id)["status"] == "COMPLETED"


@claim("payment.failed", "checkout.status-changes", "checkout.transaction-hash", "checkout.settlement")
def test_failed(api: Exchange, control: Control) -> None:
    """A checkout whose payment failed is FAILED, without transactionHash or settlement."""
    made = api.created()
    control.pay(made["id"], "FAILED")
    after = api.read(made["id"])
    assert after["status"] == "FAILED"
    assert differences(made, after, ignoring=("status", "updatedAt")) == []


@claim("payment.updated-at", "checkout.updated-at")
def test_updated_at(api: Exchange, control: Control) -> None:
    """A payment does not turn updatedAt back, nor touch createdAt."""
    made = api.created()
    control.pay(made["id"])
    after = api.read(made["id"])
    assert moment(made["updatedAt"]) <= moment(after["updatedAt"])
    assert made["createdAt"] == after["createdAt"]


@claim("payment.listed", "list.filters", "checkout.status-changes")
def test_listed(api: Exchange, control: Control) -> None:
    """A paid checkout is listed under COMPLETED and no longer under ACTIVE."""
    checkout_id = paid(api, control)["id"]
    assert [found["id"] for found in listed(api, status="COMPLETED")] == [checkout_id]
    assert listed(api, status="ACTIVE") == []


@claim("payment.expired", "checkout.expires", "checkout.final")
def test_expired(api: Exchange, clock: Control) -> None:
    """An ACTIVE checkout is EXPIRED once expiresAt has passed, not before, and cannot be deactivated or refunded then."""

    def begin() -> dict[str, Any]:
        made = api.created(api.minimal(amount="2.00", expiresAt=api.later(timedelta(hours=1), anew=True)))
        assert api.read(made["id"])["status"] == "ACTIVE"
        return made

    made = undisturbed(clock, begin)
    clock.advance(3601)
    after = api.read(made["id"])
    assert after["status"] == "EXPIRED"
    assert differences(made, after, ignoring=("status", "updatedAt")) == []
    assert made["id"] in [found["id"] for found in listed(api, status="EXPIRED")]
    refused(api.deactivate(made["id"]), 400, 409, 422)
    refused(api.refund(made["id"], {"amount": "0.50"}), 400, 409, 422)
    assert api.read(made["id"])["status"] == "EXPIRED"


@claim("payment.passed-by-then", "create.expires-in-future")
def test_passed_by_then(api: Exchange, clock: Control) -> None:
    """Whether an expiresAt has passed is told by the clock that was moved."""
    earlier = api.later(timedelta(hours=2), anew=True)
    clock.advance(3 * 3600)
    refused(api.create(api.minimal(expiresAt=earlier)))
    accepted(api.create(api.minimal(expiresAt=api.later(timedelta(hours=2), anew=True))))


@claim("payment.paid-never-expires", "checkout.expires", "checkout.status-changes")
def test_paid_never_expires(api: Exchange, clock: Control) -> None:
    """A paid or deactivated checkout stays so when expiresAt passes."""

    def begin() -> tuple[dict[str, Any], str]:
        checkout = paid(api, clock, expiresAt=api.later(timedelta(hours=1), anew=True))
        ended = api.created(api.minimal(expiresAt=api.later(timedelta(hours=1))))["id"]
        accepted(api.deactivate(ended))
        return checkout, ended

    checkout, ended = undisturbed(clock, begin)
    clock.advance(3601)
    assert differences(checkout, api.read(checkout["id"])) == []
    assert api.read(ended)["status"] == "DEACTIVATED"


@claim("payment.times", "checkout.updated-at")
def test_times(api: Exchange, clock: Control) -> None:
    """The time in updatedAt is that of the last change: later than what was made before it, and the same when read again."""

    def later_than(checkout_id: str) -> datetime:
        """A time after the checkout's last change and before the next, by the server itself."""
        before = api.read(checkout_id)
        clock.advance(5)
        assert differences(before, api.read(checkout_id)) == []
        return moment(api.created()["createdAt"]) - timedelta(seconds=1)

    ended, sold = api.created(), api.created(api.minimal(amount="2.00"))
    since = later_than(ended["id"])
    assert since <= moment(accepted(api.deactivate(ended["id"])).json["updatedAt"])
    later_than(ended["id"])
    before, again = api.read(ended["id"]), api.deactivate(ended["id"])
    if again.is_success:
        assert differences(before, again.json) == []
    since = later_than(sold["id"])
    clock.pay(sold["id"])
    assert since <= moment(api.read(sold["id"])["updatedAt"])
    since = later_than(sold["id"])
    # By then the status has changed whether it does when a refund starts or when it is done.
    clock.settle(sold["id"], accepted(api.refund(sold["id"], {"amount": "2.00"})).json["refund"]["id"])
    after = api.read(sold["id"])
    assert since <= moment(after["updatedAt"])
    assert moment(sold["createdAt"]) == moment(after["createdAt"])


@claim("payment.expires-on-time", "checkout.expires", "list.filters")
def test_expires_on_time(api: Exchange, clock: Control) -> None:
    """A checkout is ACTIVE until shortly before expiresAt, and after it is listed as EXPIRED without being read first."""
    expires = api.later(timedelta(hours=1), anew=True)
    checkout_id = api.created(api.minimal(expiresAt=expires))["id"]
    clock.advance(3570)
    found = api.read(checkout_id)
    now = clock.now()
    # A slow server, or another run that moves the clock, may have used up what was left.
    if now is not None and now < moment(expires):
        assert found["status"] == "ACTIVE"
    clock.advance(31)
    assert [one["status"] for one in listed(api, status="EXPIRED")] == ["EXPIRED"]
    assert listed(api, status="ACTIVE") == []


@claim("payment.listed-otherwise", "list.filters", "list.partition")
def test_listed_otherwise(api: Exchange, control: Control) -> None:
    """A checkout whose payment is under way or has failed is listed, without a status and under its own."""
    made = {status: api.created()["id"] for status in ("PROCESSING", "FAILED")}
    for status, checkout_id in made.items():
        control.pay(checkout_id, status)
        assert [one["id"] for one in listed(api, status=status)] == [checkout_id]
    assert {one["id"] for one in listed(api)} == set(made.values())


@claim("payment.listed-by-creation", "list.filters", "#/components/parameters/EndTime")
def test_listed_by_creation(api: Exchange, clock: Control) -> None:
    """The times of a listing are about createdAt, on every page, whatever has become of the checkouts since."""
    earlier = [api.created() for _ in range(2)]
    between = stamp(max(moment(one["createdAt"]) for one in earlier) + timedelta(seconds=1))
    clock.advance(60)
    later = [api.created() for _ in range(2)]
    if any(moment(one["createdAt"]) <= moment(between) for one in later):
        return  # a sandbox need not date by the clock that is moved
    accepted(api.deactivate(earlier[0]["id"]))
    assert ids(listed(api, endTime=between, pageSize=1)) == ids(earlier)
    assert ids(listed(api, startTime=between, pageSize=1)) == ids(later)
