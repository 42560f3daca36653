"""What the documents of Checkouts say: transcribed from them, and not from spec/openapi.yaml."""

from __future__ import annotations

from typing import Final

from .documents import Documents, Json, Row, text

ID = r"^[0-9a-f]{24}$"
AMOUNT = r"^\d+(\.\d{1,2})?$"
HTTPS = r"^https://.*"
UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
SIX = ["ACTIVE", "PROCESSING", "DEACTIVATED", "EXPIRED", "COMPLETED", "FAILED"]
EIGHT = [*SIX, "REFUNDED", "PARTIALLY_REFUNDED"]
METADATA = {"invoiceId": "12345", "reference": "Payment for invoice #12345", "customerId": "cust_abc123"}
ADDRESS = "0x742d35Cc6634C0532925a3b844Bc454e4438f44e"
PAGE = "https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef"
TOKEN = "eyJsYXN0X2lkIjogImFiYzEyMyIsICJ0aW1lc3RhbXAiOiAxNzA3ODIzNzAxfQ=="  # an opaque page token
T2024 = "2024-03-20T10:30:00Z"
T2026 = "2026-03-20T10:30:00Z"

NETWORK = text("base", enum=["base"], default="base")

# Field by field; `!` marks the required ones, in the order of the rendered page.
FIELDS: Final[dict[str, Json]] = {
    # Reference page Get Checkout, second generation.
    "Checkout": {
        "id!": text("68f7a946db0529ea9b6d3a12", pattern=ID),
        "url!": text(PAGE, format="uri"),
        "amount!": text("100.50"),
        "currency!": text("USDC"),
        "network!": NETWORK,
        "address!": text(ADDRESS),
        "createdAt!": text(T2024, format="date-time"),
        "updatedAt!": text(T2024, format="date-time"),
        "status!": text("ACTIVE", enum=EIGHT),
        "tokenAddress": text("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        "description": text("Payment for order #12345"),
        "expiresAt": text(T2024, format="date-time"),
        "metadata": {"type": "object", "example": METADATA},
        "successRedirectUrl": text("https://example.com/success", format="uri"),
        "failRedirectUrl": text("https://example.com/failed", format="uri"),
        "settlement": {"type": "object"},
        "fiatAmount": text("100.00"),
        "fiatCurrency": text("USD"),
        "transactionHash": text("0x" + 4 * "1234567890abcdef"),
        "refundedAmount": text("25.00"),
        "refunds": {"type": "array", "items": "Refund"},
    },
    # The same page and the mapping page; no inner required list is shown.
    "Settlement": {
        "totalAmount": text("100.00"),
        "feeAmount": text("1.25"),
        "netAmount": text("98.75"),
        "currency": text("USDC"),
    },
    # The example of Get Checkout, and the refund statuses of the overview.
    "Refund": {
        "id!": text(),
        "checkoutId!": text(),
        "amount!": text(),
        "status!": text("PENDING", enum=["PENDING", "COMPLETED", "FAILED"]),
        "createdAt!": text(T2024, format="date-time"),
        "currency": text("USDC"),
        "reason": text(),
        "transactionHash": text(),
        "completedAt": text(T2024, format="date-time"),
        "fiatAmount": text(),
        "fiatCurrency": text(),
        "exchangeRate": text(),
    },
    # Reference page Create Checkout, first generation.
    "CreateCheckoutRequest": {
        "amount!": text("100.50", pattern=AMOUNT),
        "currency!": text("USDC", minLength=1, maxLength=10),
        "network": NETWORK,
        "description": text("Payment for order #12345", maxLength=500),
        "expiresAt": text(T2026, format="date-time"),
        "metadata": {"type": "object", "example": METADATA},
        "successRedirectUrl": text("https://example.com/success", format="uri", maxLength=2048, pattern=HTTPS),
        "failRedirectUrl": text("https://example.com/failed", format="uri", maxLength=2048, pattern=HTTPS),
    },
    # The dossier's reading of Refund Checkout, List Checkouts and CDP's errors.
    "RefundCheckoutRequest": {
        "amount!": text("25.00", pattern=AMOUNT),
        "currency": text("USDC"),
        "reason": text("Customer requested refund", maxLength=500),
    },
    "RefundResult": {"checkout!": "Checkout", "refund!": "Refund"},
    "CheckoutList": {"checkouts!": {"type": "array", "items": "Checkout"}, "nextPageToken": text(TOKEN)},
    "ErrorBody": {
        "errorType!": text(),
        "errorMessage!": text(),
        "correlationId": text("41deb8d59a9dc9a7-IAD"),
        "errorLink": text(format="uri"),
    },
    "ErrorListBody": {"errors!": {"type": "array", "items": "ErrorListItem"}},
    "ErrorListItem": {"id!": text("rate_limit_exceeded"), "message!": text("Too many requests")},
    "LegacyErrorBody": {"error!": {"type": "object"}},
}

BEYOND: Final[dict[tuple[str, str, str], object]] = {
    ("Checkout", "amount", "pattern"): AMOUNT,
    ("Checkout", "metadata", "additionalProperties"): True,
    ("Checkout", "x402_url", "type"): "string",
    ("Checkout", "x402_url", "format"): "uri",
    ("Refund", "reason", "maxLength"): 500,
    ("CreateCheckoutRequest", "metadata", "maxProperties"): 20,
    ("CreateCheckoutRequest", "metadata", "additionalProperties"): {"type": "string", "maxLength": 100},
}
# The pages Create and Deactivate Checkout, first generation.
OLDER: Final = """
    id! url! status! amount! currency! network! address! createdAt! updatedAt! tokenAddress description metadata
    settlement transactionHash expiresAt successRedirectUrl failRedirectUrl
"""

# The right-hand column of the mapping page.
MAPPED: Final = """
    id url description amount currency network address updatedAt settlement transactionHash expiresAt metadata
    successRedirectUrl failRedirectUrl createdAt status
"""

# Parameters as (where, required, keywords).
CHECKOUT_ID = ("path", True, text("68f7a946db0529ea9b6d3a12", pattern=ID))
KEY = ("header", False, text("8e03978e-40d5-43e8-bc93-6894a57f9324", minLength=36, maxLength=36, pattern=UUID4))
TIME = ("query", False, text(format="date-time"))
STATUSES = ("query", False, {"type": "array", "items": "CheckoutStatus"})
PAGE_SIZE = ("query", False, {"type": "integer", "minimum": 1, "maximum": 100, "default": 20})
LIST = {
    "pageSize": PAGE_SIZE,
    "pageToken": ("query", False, text(TOKEN)),
    "status": STATUSES,
    "startTime": TIME,
    "endTime": TIME,
    "descriptionQuery": ("query", False, text(maxLength=500)),
}

BASE = "/api/v1/checkouts"
OPERATIONS: Final[dict[str, Row]] = {
    "createCheckout": (
        "post",
        BASE,
        {"X-Idempotency-Key": KEY},
        "CreateCheckoutRequest",
        {"201": "Checkout", "200": "Checkout"},
        {"409", "422"},
    ),
    "listCheckouts": ("get", BASE, LIST, None, {"200": "CheckoutList"}, set()),
    "getCheckout": ("get", BASE + "/{id}", {"id": CHECKOUT_ID}, None, {"200": "Checkout"}, {"404"}),
    "deactivateCheckout": (
        "post",
        BASE + "/{id}/deactivate",
        {"id": CHECKOUT_ID},
        None,
        {"200": "Checkout"},
        {"404", "409", "422"},
    ),
    "refundCheckout": (
        "post",
        BASE + "/{id}/refund",
        {"id": CHECKOUT_ID, "X-Idempotency-Key": KEY},
        "RefundCheckoutRequest",
        {"200": "RefundResult"},
        {"404", "409", "422"},
    ),
}

EVENTS: Final = [
    "checkout.payment.success",
    "checkout.payment.failed",
    "checkout.payment.expired",
    "checkout.refund.success",
    "checkout.refund.failed",
]

DOCUMENTS: Final = Documents(
    file="openapi.yaml",
    fields=FIELDS,
    others={"CheckoutStatus", "RefundStatus", "Network", "EventType", "CheckoutEvent"},
    beyond=BEYOND,
    # Those that were read in full.
    pages={"get-checkout", "create-checkout", "deactivate-checkout"},
    operations=OPERATIONS,
    failures={"400", "401", "403", "429", "500", "503"},
    errors={"429": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("ErrorBody", "ErrorListBody")]}},
    servers=["https://business.coinbase.com", "https://business.coinbase.com/sandbox"],
    # x402_url; the old error's message; eventType, and its value in each webhook.
    inner_properties=1 + 1 + 1 + len(EVENTS),
    # Nine shared answers, six successes, and two for each webhook.
    responses=9 + 6 + 2 * len(EVENTS),
)
