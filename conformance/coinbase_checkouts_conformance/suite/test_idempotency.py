"""The same key: the same answer, and the deed done once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from coinbase_checkouts_conformance.attempts import ids, listed, paid, undisturbed
from coinbase_checkouts_conformance.claims import claim
from coinbase_checkouts_conformance.compare import amount, differences
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.exchange import Exchange, accepted, refused

HOUR_S = 3600


@claim("idempotency.create-replay", "idempotency.replay")
def test_create_replay(api: Exchange) -> None:
    """A create repeated with its key gives the first answer again, status included, and one checkout."""
    key, body = api.seed.idempotency_key(), api.full()
    first = accepted(api.create(body, key=key))
    for _ in range(2):
        again = api.create(body, key=key)
        assert (first.status, first.json) == (again.status, again.json)
    assert ids(listed(api)) == [first.json["id"]]


@claim("idempotency.first-answer", "idempotency.replay")
def test_first_answer(api: Exchange) -> None:
    """A repeated create gives the first answer even after the checkout has changed."""
    key, body = api.seed.idempotency_key(), api.minimal()
    first = accepted(api.create(body, key=key))
    accepted(api.deactivate(first.json["id"]))
    again = api.create(body, key=key)
    assert (first.status, first.json) == (again.status, again.json)
    assert api.read(first.json["id"])["status"] == "DEACTIVATED"


@claim("idempotency.create-conflict", "idempotency.conflict")
def test_create_conflict(api: Exchange) -> None:
    """A key with another request is refused with 409 or 422, and no second checkout is made."""
    key = api.seed.idempotency_key()
    first = accepted(api.create(api.minimal(), key=key)).json
    others = (
        api.minimal(amount="1.01"),
        api.minimal(description=f"{api.title} other"),
        api.minimal(description=api.title.swapcase()),
        api.minimal(metadata={"a": "b"}),
    )
    for other in others:
        refused(api.create(other, key=key), 409, 422)
    assert ids(listed(api)) == [first["id"]]


@claim("idempotency.after-conflict", "idempotency.conflict", "idempotency.replay")
def test_after_conflict(api: Exchange) -> None:
    """A conflict does not cost the first request its answer."""
    key, body = api.seed.idempotency_key(), api.minimal()
    first = accepted(api.create(body, key=key))
    refused(api.create(api.minimal(amount="1.01"), key=key), 409, 422)
    again = api.create(body, key=key)
    assert (first.status, first.json) == (again.status, again.json)


@claim("idempotency.other-key", "idempotency.replay")
def test_other_key(api: Exchange) -> None:
    """The same request under two keys makes two checkouts."""
    body = api.minimal()
    first, second = (accepted(api.create(body, key=api.seed.idempotency_key())).json for _ in range(2))
    assert ids(listed(api)) == ids([first, second])


@claim("idempotency.refund-replay", "idempotency.replay")
def test_refund_replay(api: Exchange, control: Control) -> None:
    """A refund repeated with its key gives the first answer again, and the money goes back once."""
    checkout_id = paid(api, control)["id"]
    key, body = api.seed.idempotency_key(), {"amount": "0.50", "reason": "conformance suite"}
    first = accepted(api.refund(checkout_id, body, key=key))
    for _ in range(2):
        again = api.refund(checkout_id, body, key=key)
        assert (first.status, first.json) == (again.status, again.json)
    after = api.read(checkout_id)
    assert len(after["refunds"]) == 1
    assert amount(after.get("refundedAmount")) == Decimal("0.50")


@claim("idempotency.full-refund-replay", "idempotency.replay")
def test_full_refund_replay(api: Exchange, control: Control) -> None:
    """A refund of everything is repeated, not refused for want of money left."""
    checkout_id = paid(api, control)["id"]
    key = api.seed.idempotency_key()
    first = accepted(api.refund(checkout_id, {"amount": "2.00"}, key=key))
    control.settle(checkout_id, first.json["refund"]["id"])
    again = api.refund(checkout_id, {"amount": "2.00"}, key=key)
    assert (first.status, first.json) == (again.status, again.json)


@claim("idempotency.refund-conflict", "idempotency.conflict")
def test_refund_conflict(api: Exchange, control: Control) -> None:
    """A refund's key with another amount is refused with 409 or 422, and nothing more goes back."""
    checkout_id = paid(api, control)["id"]
    key = api.seed.idempotency_key()
    first = accepted(api.refund(checkout_id, {"amount": "0.50"}, key=key)).json
    refused(api.refund(checkout_id, {"amount": "0.60"}, key=key), 409, 422)
    assert differences(first["checkout"], api.read(checkout_id)) == []


@claim("idempotency.other-checkout", "idempotency.conflict", "idempotency.replay")
def test_other_checkout(api: Exchange, control: Control) -> None:
    """A refund's key never gives one checkout's answer for another: it is refused, or the other is refunded."""
    first, second = paid(api, control)["id"], paid(api, control)["id"]
    key, body = api.seed.idempotency_key(), {"amount": "0.50"}
    accepted(api.refund(first, body, key=key))
    answer = api.refund(second, body, key=key)
    if answer.is_success:
        assert answer.json["refund"]["checkoutId"] == second
        assert amount(api.read(second).get("refundedAmount")) == Decimal("0.50")
    else:
        refused(answer, 409, 422)


@claim("idempotency.lifetime", "idempotency.lifetime", "idempotency.replay")
def test_lifetime(api: Exchange, clock: Control) -> None:
    """A key is remembered for 24 hours: after 23 the first answer comes again, after 25 another checkout is made."""
    body = api.minimal()

    def begin() -> tuple[str, str]:
        key = api.seed.idempotency_key()
        first = accepted(api.create(body, key=key))
        clock.advance(23 * HOUR_S)
        again = api.create(body, key=key)
        assert (first.status, first.json) == (again.status, again.json)
        return key, first.json["id"]

    key, first_id = undisturbed(clock, begin, own=timedelta(hours=23))
    clock.advance(2 * HOUR_S)
    second_id = accepted(api.create(body, key=key)).json["id"]
    assert first_id != second_id
    assert {first_id, second_id} <= set(ids(listed(api)))


@claim("idempotency.conflict-anywhere", "idempotency.conflict")
def test_conflict_anywhere(api: Exchange) -> None:
    """A key's request is another one if any field differs, is missing or is new, and no second checkout is made."""
    key, body = api.seed.idempotency_key(), api.full()
    del body["failRedirectUrl"]
    first = accepted(api.create(body, key=key)).json
    others = (
        body | {"metadata": body["metadata"] | {"note": "another"}},
        body | {"successRedirectUrl": "https://example.com/other"},
        body | {"expiresAt": api.later(timedelta(days=8))},
        body | {"failRedirectUrl": "https://example.com/failed"},
        {name: value for name, value in body.items() if name != "successRedirectUrl"},
    )
    for other in others:
        refused(api.create(other, key=key), 409, 422)
    assert ids(listed(api)) == [first["id"]]


@claim("idempotency.refund-conflict-reason", "idempotency.conflict")
def test_refund_conflict_reason(api: Exchange, control: Control) -> None:
    """A refund's key with another reason, or with none, is refused with 409 or 422, and nothing more goes back."""
    checkout_id = paid(api, control)["id"]
    key, body = api.seed.idempotency_key(), {"amount": "0.50", "reason": "conformance suite"}
    first = accepted(api.refund(checkout_id, body, key=key)).json
    for other in (body | {"reason": "another"}, {"amount": "0.50"}):
        refused(api.refund(checkout_id, other, key=key), 409, 422)
    assert differences(first["checkout"], api.read(checkout_id)) == []
