"""Requests that cannot be read at all: told apart from the server's own trouble."""

from __future__ import annotations

from coinbase_checkouts_conformance.attempts import listed, paid
from coinbase_checkouts_conformance.claims import claim
from coinbase_checkouts_conformance.compare import differences
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.exchange import Exchange, refused
from coinbase_checkouts_conformance.tokens import Verbatim

CREATE_BODY = "#/paths/~1api~1v1~1checkouts/post/requestBody"
REFUND_BODY = "#/paths/~1api~1v1~1checkouts~1{id}~1refund/post/requestBody"
NEVER_5XX = "error.bad-request-never-5xx"
NOT_JSON = (
    b"{",
    b"not json",
    b"{'amount': '1.00', 'currency': 'USDC'}",
    b'{"amount": "1.00", "currency": "USDC",}',
    b'{"amount": "1.00", "currency": "USDC"',
    b'{"amount": "1.00", "currency": "USDC"} {}',
    b"amount=1.00&currency=USDC",
)


@claim("errors.create-not-json", NEVER_5XX, CREATE_BODY)
def test_create_not_json(api: Exchange) -> None:
    """A create whose body is not JSON, or JSON cut short, is refused."""
    for content in NOT_JSON:
        refused(api.send("createCheckout", content=content))


@claim("errors.refund-not-json", NEVER_5XX, REFUND_BODY)
def test_refund_not_json(api: Exchange, control: Control) -> None:
    """A refund whose body is not JSON, or JSON cut short, is refused, and nothing goes back."""
    before = paid(api, control)
    for content in (b"{", b"not json", b'{"amount": "0.50"', b'{"amount": "0.50"} {}'):
        refused(api.send("refundCheckout", id=before["id"], content=content))
    assert differences(before, api.read(before["id"])) == []


@claim("errors.not-utf8", NEVER_5XX, CREATE_BODY)
def test_not_utf8(api: Exchange) -> None:
    """A body that is not UTF-8 is refused."""
    refused(api.send("createCheckout", content=b'{"amount": "1.00", "currency": "USDC", "description": "\xff\xfe"}'))


@claim("errors.odd-text", NEVER_5XX)
def test_odd_text(api: Exchange) -> None:
    """A NUL, or half of a surrogate pair, in a description is taken or refused, but no reason for a 5xx."""
    for escape in (rb"\u0000", rb"\ud800"):
        content = b'{"amount": "1.00", "currency": "USDC", "description": "conformance suite ' + escape + b'"}'
        answer = api.send("createCheckout", content=content)
        if not answer.is_success:
            refused(answer)


@claim("errors.deep-nesting", NEVER_5XX)
def test_deep_nesting(api: Exchange) -> None:
    """A body of nested arrays is refused like any other that is no object."""
    # No deeper: beyond some hundreds the parsers of whole languages give up, which says nothing about this API.
    refused(api.send("createCheckout", content=b"[" * 200 + b"]" * 200, also=(413,)), 400, 413, 422)


@claim("errors.nothing-is-made", NEVER_5XX, f"{CREATE_BODY}/required")
def test_nothing_is_made(api: Exchange) -> None:
    """A create that is refused makes nothing."""
    for wrong in ({"amount": "1.005"}, {"currency": "BTC"}, {"network": "ethereum"}, {"expiresAt": "tomorrow"}):
        refused(api.create(api.minimal(**wrong), key=api.seed.idempotency_key()))
    assert listed(api) == []


@claim("errors.words", "#/components/schemas/ErrorBody/required")
def test_words(api: Exchange) -> None:
    """An error says in words what it is: neither errorType nor errorMessage is empty."""
    nobody = "0" * 24
    for answer in (
        api.create({}),
        api.list({"pageSize": 0}),
        api.get(nobody),
        api.deactivate(nobody),
        api.refund(nobody, {"amount": "0.50"}),
        api.list({}, auth=Verbatim(None)),
    ):
        assert [name for name in ("errorType", "errorMessage") if not answer.json[name].strip()] == []


@claim("errors.bad-request-type", "#/components/responses/BadRequest")
def test_bad_request_type(api: Exchange) -> None:
    """A create without an amount that is answered 400 is called invalid_request; another name is told as a warning."""
    answer = refused(api.create({"currency": "USDC"}))
    if answer.status == 400 and answer.json["errorType"] != "invalid_request":
        api.remark("a 400 for a bad request is not called invalid_request")
