"""What can be claimed by reading alone, of checkouts that others may be paying or ending meanwhile."""

from __future__ import annotations

from itertools import islice

from coinbase_checkouts_conformance.attempts import existing, own, pages
from coinbase_checkouts_conformance.claims import claim
from coinbase_checkouts_conformance.compare import differences, moment
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.exchange import Exchange, accepted, refused
from coinbase_checkouts_conformance.tokens import Forged, Unsigned, Verbatim

LIST = "#/paths/~1api~1v1~1checkouts/get"
GET = "#/paths/~1api~1v1~1checkouts~1{id}/get"
# What a payer, the owner or the time may change between two requests.
CHANGING = ("status", "updatedAt", "transactionHash", "settlement", "refundedAmount", "refunds")
# An account may hold more than a run has time for.
MOST_PAGES = 5


@claim("reading.listed", "create.echo", f"{LIST}/responses/200", f"{GET}/responses/200")
def test_listed(api: Exchange) -> None:
    """What is listed reads the same by itself, but for what may change meanwhile."""
    existing(api, 2)
    for checkout in accepted(api.list({"pageSize": 3} | own(api))).json["checkouts"]:
        assert differences(checkout, api.read(checkout["id"]), ignoring=CHANGING) == []


@claim("reading.every-one", f"{LIST}/responses/200", "list.partition")
def test_every_one(api: Exchange) -> None:
    """Every listed checkout keeps the description, was created before it was updated, and no page is too large."""
    existing(api, 3)
    most = 100 if api.is_safe else 2
    for page in islice(pages(api, pageSize=most, **own(api)), MOST_PAGES):
        assert len(page) <= most
        for checkout in page:
            assert moment(checkout["createdAt"]) <= moment(checkout["updatedAt"])


@claim("reading.status", "list.filters", "#/components/parameters/StatusFilter")
def test_status(api: Exchange) -> None:
    """Whichever status is asked for, no other is listed."""
    existing(api)
    for status in description().at("#/components/schemas/CheckoutStatus")["enum"]:
        answer = accepted(api.list({"status": status, "pageSize": 5} | own(api)))
        assert {checkout["status"] for checkout in answer.json["checkouts"]} <= {status}


@claim("reading.tokens", "auth.refused")
def test_tokens(api: Exchange) -> None:
    """Without a token, or with an expired, forged or unsigned one, nothing is listed or read."""
    checkout_id = existing(api)[0]["id"]
    valid = api.tokens.valid
    for auth in (Verbatim(None), api.tokens.expired, Forged(valid), Unsigned(valid)):
        for answer in (api.list({"pageSize": 1}, auth=auth), api.get(checkout_id, auth=auth)):
            assert refused(answer, 401).json["errorType"] == "unauthorized"
