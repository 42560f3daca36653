"""
What the migration guide leaves out, numbered; what each conversion tells of it, and what only your code can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Hazard:
    """
    One way to get the migration wrong.

    Attributes:
        commerce: How it was.
        checkouts: How it is.
        codes: Losses that tell of it where a charge has it; none if it is about code alone.
        source: As in `Loss`.
    """

    number: int
    topic: str
    commerce: str
    checkouts: str
    codes: tuple[str, ...]
    source: str


_UNRESOLVED: Final = tuple(
    f"unresolved{context}" for context in ("", "-underpaid", "-overpaid", "-delayed", "-multiple", "-manual", "-other")
)
# fmt: off
HAZARDS: Final = tuple(
    Hazard(number, *row)
    for number, row in enumerate((
        ("open amount", "pricing_type no_price: the payer chose", "an amount is required", ("open-amount", "amount-paid"), "commerce-reference"),
        ("fiat prices", "local_price in fiat, priced into crypto by Commerce", "the guide writes 100 USD as 100 USDC; newer documents take fiat itself", ("fiat-one-to-one", "fiat-kept", "fiat-view", "currency-unknown"), "mapping"),
        ("UNRESOLVED and RESOLVED", "too little, too much, twice or late, settled with /resolve", "no such status, and nothing to resolve", (*_UNRESOLVED, "resolved"), "commerce-statuses"),
        ("cancelling", "POST /charges/{code}/cancel, which the guide denies, and CANCELED", "deactivate, and DEACTIVATED", ("canceled",), "commerce-reference"),
        ("other values of the timeline", "CANCELATION_COMPLETE and more", "none", ("canceled", "status-unknown"), "commerce-reference"),
        ("refunds", "none by API; PENDING REFUND and REFUNDED from the dashboard", "refund, REFUNDED, PARTIALLY_REFUNDED and two events, all missing from the guide", ("refunded", "refund-pending"), "overview"),
        ("when to fulfil", "at PENDING", "at COMPLETED only", ("fulfil-at-pending", "signed"), "overview"),
        ("paging", "limit (25, at most 100), starting_after, ending_before, order, pagination.next_uri", "pageSize and pageToken, in no stated order; `list` reads all pages", (), "list-checkouts"),
        ("envelope of answers", "everything in data", "the checkout itself; response.data.id finds nothing", (), "mapping"),
        ("version", "header X-CC-Version: 2018-03-22", "v1 in the path", (), "commerce-reference"),
        ("signature of webhooks", "X-CC-Webhook-Signature, HMAC-SHA256 of the body", "X-Hook0-Signature with a time; `webhooks.verify`", (), "webhooks"),
        ("envelope of webhooks", "event with id, type and data", "the checkout itself with eventType; the id is a header", ("event-envelope", "from-event"), "webhooks"),
        ("charge:delayed and charge:resolved", "two events", "no events", ("event-delayed", "event-resolved"), "commerce-reference"),
        ("charge:created and charge:pending", "two events", "no events; read the checkout", ("event-created", "event-pending"), "webhooks"),
        ("pairs of events", "charge:confirmed, charge:failed", "checkout.payment.success; checkout.payment.failed or checkout.payment.expired", ("event-failed",), "webhooks"),
        ("fields", "addresses, payments, timeline, branding, e-mail, web3_data and more", "no such fields", ("addresses", "payments", "timeline", "confirmed-at", "organization-name", "brand-color", "brand-logo-url", "support-email", "collected-email", "charge-kind", "pricing-settlement", "third-party-provider", "redirects-will-redirect-after-success", "web3-data", "unknown-field"), "commerce-reference"),
        ("nested redirects", "redirects.success_url and redirects.cancel_url in newer charges", "two fields, https only", ("redirects-differ", "redirect-https", "redirect-unusable"), "commerce-reference"),
        ("metadata", "any JSON", "20 keys, texts of 100 characters", ("metadata-too-many", "metadata-too-long", "metadata-null", "metadata-not-text"), "api-evangelist"),
        ("tokenAddress", "contract addresses in web3_data", "tokenAddress is still there, though the guide leaves it out", ("web3-data",), "get-checkout"),
        ("filter by status", "none", "eight values, several at once; the guide has six", (), "list-checkouts"),
        ("expiry", "1 hour, later 2 days", "1 hour or 24 hours by default, depending on the document", ("expiry-default", "expiry-past"), "create-checkout"),
        ("cancel_url", "where payers go to cancel", "failRedirectUrl: where they go when the payment fails", ("cancel-url",), "inferred"),
        ("webhooks you have", "go on for charges only", "a subscription of its own, made with the CDP API", (), "webhooks"),
        ("time and place", "closed on 2026-03-31", "accounts of the United States and Singapore only", (), "mapping"),
    ), start=1)
)
# fmt: on
