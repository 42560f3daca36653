"""Create a checkout."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from coinbase_checkouts_conformance.attempts import as_listed, pages, try_constraint
from coinbase_checkouts_conformance.claims import claim, each_constraint
from coinbase_checkouts_conformance.compare import amount, differences, moment
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


@claim(
    "create.minimal",
    "create.default-network",
    "create.active",
    "#/components/schemas/CreateCheckoutRequest/properties/network/default",
)
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
        assert api.now - timedelta(minutes=1) <= created_at
        assert updated_at <= after + timedelta(minutes=1)


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
    for value in ("0.00", "0", "0.0", "00"):
        refused(api.create(api.minimal(amount=value)))


@claim("create.largest-amount", "create.amount-range")
def test_largest_amount(api: Exchange) -> None:
    """The amount is at most 100000000: that is accepted, a cent more is refused."""
    for value in ("100000000", "100000000.00"):
        accepted(api.create(api.minimal(amount=value)))
    for value in ("100000000.01", "100000001", "9" * 40):
        refused(api.create(api.minimal(amount=value)))


@claim("create.amount-kept", "create.echo")
def test_amount_kept(api: Exchange) -> None:
    """No digit of an amount is lost, in the answer and when it is read again."""
    for value in ("0.07", "1.1", "12345678.91", "99999999.99", "7", "007.50"):
        made = api.created(api.minimal(amount=value))
        assert differences({"amount": value}, {"amount": made["amount"]}) == []
        assert differences({"amount": value}, {"amount": api.read(made["id"])["amount"]}) == []


@claim("create.text-kept", "create.echo")
def test_text_kept(api: Exchange) -> None:
    """Text in any script, with quotes and line breaks, comes back as it was sent."""
    text = f'{api.title}: “Grüße” 支払い ₿ 🧾 \\ "quoted" <b>&amp;</b>\nsecond line'
    body = api.minimal(description=text, metadata={"note": 'ünï 🧾 "quoted"'})
    made = api.created(body)
    read = api.read(made["id"])
    for found in (made, read):
        assert (text, body["metadata"]) == (found.get("description"), found.get("metadata"))
    as_listed(api, made["id"])


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
    assert "expiresAt" in made
    assert moment(made["expiresAt"]) == expires


@claim("create.unknown-currency", "create.currency")
def test_unknown_currency(api: Exchange) -> None:
    """A currency that is neither USDC nor one of USD, EUR, SGD and GBP is refused."""
    others = ("BTC", "ETH", "USDT", "EURC", "DAI", "PYUSD", "JPY", "CAD", "AUD", "CHF", "INR", "BRL", "XXX", "U")
    for currency in others:
        refused(api.create(api.minimal(currency=currency)))


@claim("create.fiat-currency", "create.currency", "checkout.fiat")
def test_fiat_currency(api: Exchange) -> None:
    """USD, EUR, SGD and GBP are refused with 400, or accepted, and then fiatAmount and fiatCurrency come together."""
    for currency in ("USD", "EUR", "SGD", "GBP"):
        answer = api.create(api.minimal(amount="2.00", currency=currency))
        if answer.is_success:
            assert ("fiatAmount" in answer.json) == ("fiatCurrency" in answer.json)
            assert answer.json.get("fiatCurrency", currency) == currency
            assert differences({"amount": "2.00"}, {"amount": answer.json.get("fiatAmount", "2.00")}) == []
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
    content = json.dumps({"amount": "1.00", "currency": "USDC", "description": api.title}).encode()
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


@claim("create.untouched", "create.echo")
def test_untouched(api: Exchange) -> None:
    """Blanks, composed and decomposed letters, and the spelling of a URL come back as they were sent."""
    slashes = {"successRedirectUrl": "https://example.com/paid/", "failRedirectUrl": "https://example.com/a//b/?c=/"}
    made = api.created(api.minimal(**slashes))
    assert differences(slashes, {name: made.get(name) for name in slashes}) == []
    text = f"  {api.title}  two blanks, cafe\u0301 and café, ﬁ ½ ①\ttab  "
    body = api.minimal(
        description=text,
        metadata={"Note": text, "digits": "007"},
        # Neither the host's case nor an empty path: to some libraries their spellings are the same URL.
        successRedirectUrl="https://example.com/Thank%20You/a%2Fb?b=2&a=%C3%A9&a=1#Paid",
        failRedirectUrl="https://example.com/Sorry/?next=https://example.com/Again#/Top",
    )
    made = api.created(body)
    for found in (made, api.read(made["id"])):
        assert differences(body, {name: found.get(name) for name in body}) == []


@claim("create.longest-kept", "create.echo")
def test_longest_kept(api: Exchange) -> None:
    """The longest description and the longest redirect URLs come back whole, in a listing, too."""
    body = api.minimal(
        description=f"{api.title} ".ljust(500, "é"),
        successRedirectUrl="https://example.com/".ljust(2048, "s"),
        failRedirectUrl="https://example.com/".ljust(2048, "f"),
    )
    made = api.created(body)
    for found in (made, api.read(made["id"])):
        assert differences(body, {name: found.get(name) for name in body}) == []
    as_listed(api, made["id"])


@claim("create.least-kept", "create.echo", "response.no-null")
def test_least_kept(api: Exchange) -> None:
    """A checkout of amount and currency alone reads as its creation answered it, and is listed so."""
    made = api.created({"amount": "1.00", "currency": "USDC"})
    assert differences(made, api.read(made["id"])) == []
    start, end = (stamp(moment(made["createdAt"]) + timedelta(seconds=seconds)) for seconds in (-2, 2))
    around = [found for page in pages(api, startTime=start, endTime=end, pageSize=100) for found in page]
    # Where others make checkouts meanwhile, pages may move and have it twice.
    assert [differences(made, found) for found in around if found["id"] == made["id"]][:1] == [[]]


@claim("create.empty-metadata", "create.echo")
def test_empty_metadata(api: Exchange) -> None:
    """Metadata may be empty, which says as much as none."""
    made = api.created(api.minimal(metadata={}))
    assert made.get("metadata", {}) == {}


@claim("create.fiat-figures", "checkout.fiat")
def test_fiat_figures(api: Exchange) -> None:
    """A checkout created in fiat, where that is taken, is in USDC, and keeps the figure and currency of the request."""
    for currency in ("USD", "EUR", "SGD", "GBP"):
        answer = api.create(api.minimal(amount="1.30", currency=currency))
        if not answer.is_success:
            continue  # fiat currencies are accepted or not
        for found in (answer.json, api.read(answer.json["id"])):
            if found["currency"] == currency and "fiatAmount" not in found:
                api.remark(f"a checkout in {currency} is not converted: it has no fiatAmount")
                continue
            assert found["currency"] == "USDC"
            assert found.get("fiatCurrency") == currency
            assert amount(found.get("fiatAmount")) == Decimal("1.30")


@claim("create.no-amount", "create.amount-range", "#/components/schemas/CreateCheckoutRequest/properties/amount")
def test_no_amount(api: Exchange) -> None:
    """What is an amount to a careless reader only is refused."""
    for value in ("ten", "NaN", "Infinity", "1e2", "0x10", "1_000", "1,000.00", "1 000", " 1.00 ", "1.", ".5", 1, 2.5):
        refused(api.create(api.minimal(amount=value)))


@claim("create.no-currency", "create.currency")
def test_no_currency(api: Exchange) -> None:
    """A currency is USDC or one of the others to the letter: no other case, no blanks."""
    for currency in ("usdc", "Usdc", " USDC", "USDC ", "usd"):
        refused(api.create(api.minimal(currency=currency)))


@claim("create.no-time", "create.expires-in-future")
def test_no_time(api: Exchange) -> None:
    """An expiresAt that is no date-time is refused, not read as none or as another."""
    for text in ("", " ", "4070908800", "Thu, 01 Jan 2099 00:00:00 GMT", "01/01/2099", "in 2 hours"):
        refused(api.create(api.minimal(expiresAt=text)))


@claim("create.charset", f"{CREATE}/requestBody/content")
def test_charset(api: Exchange) -> None:
    """JSON that names its charset is JSON."""
    content = json.dumps(api.minimal()).encode()
    accepted(api.send("createCheckout", content=content, media_type="application/json; charset=utf-8"))


@claim("create.expiry-fraction", "create.echo")
def test_expiry_fraction(api: Exchange) -> None:
    """An expiresAt with a fraction of a second means that moment; of the fraction a server may keep less."""
    expires = api.now + timedelta(days=2, milliseconds=750)
    made = api.created(api.minimal(expiresAt=stamp(expires)))
    assert "expiresAt" in made
    assert abs(moment(made["expiresAt"]) - expires) < timedelta(seconds=1)
