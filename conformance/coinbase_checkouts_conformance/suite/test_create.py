"""Create a checkout."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coinbase_checkouts_conformance.attempts import try_constraint
from coinbase_checkouts_conformance.claims import claim, each_constraint
from coinbase_checkouts_conformance.compare import differences, moment
from coinbase_checkouts_conformance.constraints import Constraint
from coinbase_checkouts_conformance.exchange import Exchange, accepted, refused, sent, stamp
from coinbase_checkouts_conformance.probes import at, placed

CREATE = "#/paths/~1api~1v1~1checkouts/post"
PAID_ONLY = ("transactionHash", "settlement", "refundedAmount", "refunds")


@claim("create.full", "create.echo", "create.active", f"{CREATE}/responses/201")
def test_full(api: Exchange) -> None:
    """A checkout created with every field is ACTIVE and repeats every field as it was sent."""
    body = api.full()
    made = api.created(body)
    assert made["status"] == "ACTIVE"
    assert differences(body, {name: made.get(name) for name in body}) == []


@claim("create.minimal", "create.default-network", "create.active")
def test_minimal(api: Exchange) -> None:
    """Amount and currency are enough; the checkout is then on base, and has no description, metadata or redirects."""
    made = api.created({"amount": "1.00", "currency": "USDC"})
    assert made["status"] == "ACTIVE"
    assert made["network"] == "base"
    sent_by_nobody = ("description", "metadata", "successRedirectUrl", "failRedirectUrl")
    # An empty map says as much as none.
    assert [name for name in sent_by_nobody if made.get(name)] == []


@claim("create.default-expiry", "create.default-expiry")
def test_default_expiry(api: Exchange) -> None:
    """Without expiresAt a checkout expires 1 hour or 24 hours after its creation."""
    made = api.created({"amount": "1.00", "currency": "USDC", "description": api.title})
    if "expiresAt" in made:
        lifetime = moment(made["expiresAt"]) - moment(made["createdAt"])
        allowed = (timedelta(hours=1), timedelta(hours=24))
        assert any(abs(lifetime - one) <= timedelta(seconds=2) for one in allowed), f"it lives {lifetime}"


@claim("create.unpaid", "checkout.transaction-hash", "checkout.settlement", "checkout.refunded-amount", "checkout.fiat")
def test_unpaid(api: Exchange) -> None:
    """A new USDC checkout has no transactionHash, settlement, refundedAmount, refunds or fiat fields."""
    made = api.created()
    assert [name for name in (*PAID_ONLY, "fiatAmount", "fiatCurrency") if name in made] == []


@claim("create.times", "checkout.updated-at")
def test_times(api: Exchange) -> None:
    """A new checkout's updatedAt is not before its createdAt, and both lie within a minute of the server's time."""
    made = api.created()
    created_at, updated_at = moment(made["createdAt"]), moment(made["updatedAt"])
    assert created_at <= updated_at
    after = api.control.now() if api.control else None
    if after is not None:
        # Without control endpoints there is no second opinion about the server's time.
        assert api.now - timedelta(minutes=1) <= created_at <= after + timedelta(minutes=1)


@claim("create.every-time-another", f"{CREATE}/responses/201")
def test_every_time_another(api: Exchange) -> None:
    """Without an idempotency key the same request makes another checkout each time, with its own id and url."""
    first, second = (accepted(api.create(api.minimal())).json for _ in range(2))
    assert first["id"] != second["id"]
    assert first["url"] != second["url"]


@claim("create.smallest-amount", "create.amount-range")
def test_smallest_amount(api: Exchange) -> None:
    """The amount is at least 0.01: that is accepted, 0.00 and 0 are refused."""
    accepted(api.create(api.minimal(amount="0.01")))
    for amount in ("0.00", "0", "0.0", "00"):
        refused(api.create(api.minimal(amount=amount)))


@claim("create.largest-amount", "create.amount-range")
def test_largest_amount(api: Exchange) -> None:
    """The amount is at most 100000000: that is accepted, a cent more is refused."""
    for amount in ("100000000", "100000000.00"):
        accepted(api.create(api.minimal(amount=amount)))
    for amount in ("100000000.01", "100000001", "9" * 40):
        refused(api.create(api.minimal(amount=amount)))


@claim("create.amount-kept", "create.echo")
def test_amount_kept(api: Exchange) -> None:
    """No digit of an amount is lost, in the answer and when it is read again."""
    for amount in ("0.07", "1.1", "12345678.91", "99999999.99", "7"):
        made = api.created(api.minimal(amount=amount))
        assert differences({"amount": amount}, {"amount": made["amount"]}) == []
        assert differences({"amount": amount}, {"amount": api.read(made["id"])["amount"]}) == []


@claim("create.text-kept", "create.echo")
def test_text_kept(api: Exchange) -> None:
    """Text in any script, with quotes and line breaks, comes back as it was sent."""
    text = f'{api.title}: “Grüße” 支払い ₿ 🧾 \\ "quoted" <b>&amp;</b>\nsecond line'
    body = api.minimal(description=text, metadata={"note": 'ünï 🧾 "quoted"'})
    made = api.created(body)
    read = api.read(made["id"])
    for found in (made, read):
        assert (text, body["metadata"]) == (found.get("description"), found.get("metadata"))


@claim("create.expires-in-future", "create.expires-in-future")
def test_expires_in_future(api: Exchange) -> None:
    """An expiresAt in the past is refused, one in the future accepted."""
    for ago in (timedelta(minutes=5), timedelta(hours=1), timedelta(days=400)):
        refused(api.create(api.minimal(expiresAt=api.later(-ago))))
    accepted(api.create(api.minimal(expiresAt=api.later(timedelta(hours=48)))))


@claim("create.expiry-offset", "create.echo")
def test_expiry_offset(api: Exchange) -> None:
    """An expiresAt with another offset means the same moment."""
    expires = api.now + timedelta(days=2)
    made = api.created(api.minimal(expiresAt=f"{(expires + timedelta(hours=5)).isoformat()[:19]}+05:00"))
    assert moment(made.get("expiresAt", "")) == expires


@claim("create.unknown-currency", "create.currency")
def test_unknown_currency(api: Exchange) -> None:
    """A currency that is neither USDC nor one of USD, EUR, SGD and GBP is refused."""
    for currency in ("BTC", "XXX", "U"):
        refused(api.create(api.minimal(currency=currency)))


@claim("create.fiat-currency", "create.currency", "checkout.fiat")
def test_fiat_currency(api: Exchange) -> None:
    """USD, EUR, SGD and GBP are refused with 400, or accepted, and then fiatAmount and fiatCurrency come together."""
    for currency in ("USD", "EUR", "SGD", "GBP"):
        answer = api.create(api.minimal(amount="10.00", currency=currency))
        if answer.is_success:
            assert ("fiatAmount" in answer.json) == ("fiatCurrency" in answer.json)
            assert answer.json.get("fiatCurrency", currency) == currency
            assert differences({"amount": "10.00"}, {"amount": answer.json.get("fiatAmount", "10.00")}) == []
        else:
            refused(answer)


@claim("create.unknown-field", f"{CREATE}/requestBody")
def test_unknown_field(api: Exchange) -> None:
    """A field that the description does not have is ignored or refused."""
    answer = api.create(api.minimal(colour="green"))
    if not answer.is_success:
        refused(answer)


@claim("create.media-type", f"{CREATE}/requestBody/content")
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_media_type(api: Exchange, media_type: str) -> None:
    """JSON under another media type is read, or refused."""
    content = b'{"amount": "1.00", "currency": "USDC"}'
    answer = api.send("createCheckout", content=content, media_type=media_type, also=(415,))
    if not answer.is_success:
        refused(answer, 400, 415, 422)


@claim("create.metadata-kept", "create.echo", "create.metadata-limits")
def test_metadata_kept(api: Exchange) -> None:
    """Twenty keys of metadata with a hundred characters each come back as they were sent."""
    metadata = {f"key{number}": f"{number:0100d}" for number in range(20)}
    made = api.created(api.minimal(metadata=metadata))
    assert metadata == made.get("metadata")
    assert metadata == api.read(made["id"]).get("metadata")


@each_constraint("createCheckout", "body")
def test_body(api: Exchange, constraint: Constraint) -> None:
    body = api.full()

    def send(value: Any) -> Any:
        return api.send("createCheckout", **sent(placed(body, constraint, value)))

    try_constraint(constraint, at(body, constraint), send)


@each_constraint("createCheckout", "header")
def test_header(api: Exchange, constraint: Constraint) -> None:
    try_constraint(constraint, api.seed.idempotency_key(), lambda key: api.create(api.minimal(), key=key))


@claim("create.expiry-fraction", "create.echo")
def test_expiry_fraction(api: Exchange) -> None:
    """An expiresAt with a fraction of a second means that moment; of the fraction a server may keep less."""
    expires = api.now + timedelta(days=2, milliseconds=750)
    made = api.created(api.minimal(expiresAt=stamp(expires)))
    assert abs(moment(made.get("expiresAt", "")) - expires) < timedelta(seconds=1)
