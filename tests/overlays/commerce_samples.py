"""Charges as Commerce exported them, in the forms of its years; all values are made up."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

REQUEST: dict[str, Any] = {
    "name": "Order #12345",
    "description": "Payment for order #12345",
    "pricing_type": "fixed_price",
    "local_price": {"amount": "100.00", "currency": "USD"},
    "redirect_url": "https://example.com/success",
    "cancel_url": "https://example.com/cancel",
    "metadata": {"order_id": "12345", "customer_id": "cust_abc123"},
}
"""The mapping page's sample."""

OLD: dict[str, Any] = {
    "id": "0b1f5f64-7c0e-4d7c-8f65-3f6a3d0f1a01",
    "resource": "charge",
    "code": "A1B2C3D4",
    "name": "Two books",
    "description": "Sent by post",
    "logo_url": "https://shop.example/logo.png",
    "hosted_url": "https://commerce.coinbase.com/charges/A1B2C3D4",
    "created_at": "2021-05-01T10:00:00Z",
    "expires_at": "2021-05-01T11:00:00Z",
    "confirmed_at": "2021-05-01T10:20:00Z",
    "checkout": {"id": "9d3ffc0a-54ff-4d5a-a2a0-09d8d9a90b11"},
    "organization_name": "A shop",
    "brand_color": "#122332",
    "brand_logo_url": "https://shop.example/brand.png",
    "support_email": "help@shop.example",
    "timeline": [
        {"time": "2021-05-01T10:00:00Z", "status": "NEW"},
        {
            "time": "2021-05-01T10:10:00Z",
            "status": "PENDING",
            "payment": {
                "network": "ethereum",
                "transaction_id": "0xAA",
                "value": {"amount": "0.01", "currency": "ETH"},
            },
        },
        {"time": "2021-05-01T10:20:00Z", "status": "COMPLETED"},
    ],
    "metadata": {"order": "77"},
    "pricing_type": "fixed_price",
    "pricing": {
        "local": {"amount": "25.00", "currency": "USD"},
        "bitcoin": {"amount": "0.00044578", "currency": "BTC"},
        "ethereum": {"amount": "0.012000000", "currency": "ETH"},
    },
    "payments": [
        {
            "network": "ethereum",
            "transaction_id": "0xaa",
            "status": "CONFIRMED",
            "value": {
                "local": {"amount": "25.0", "currency": "USD"},
                "crypto": {"amount": "0.012", "currency": "ETH"},
            },
            "block": {"height": 100, "confirmations_required": 8},
        }
    ],
    "addresses": {"bitcoin": "3" + "J" * 33, "ethereum": "0x" + "1" * 40},
    "exchange_rates": {"ETH-USD": "2083.33"},
    "local_exchange_rates": {"ETH-USD": "2083.33"},
    "payment_threshold": {"underpayment_relative_threshold": "0.05"},
    "fee_rate": 0.01,
    "fees_settled": True,
    "offchain_eligible": False,
    "pwcb_only": False,
    "utxo": False,
}
"""Of 2018 to 2023: addresses, rates, payments in crypto."""

WEB3: dict[str, Any] = {
    "id": "5f0d8c53-91d4-4b39-9a1c-1f2e3d4c5b6a",
    "code": "ZYXWV987",
    "name": "A lamp",
    "description": "",
    "charge_kind": "WEB3",
    "pricing_type": "fixed_price",
    "pricing": {
        "local": {"amount": "40", "currency": "EUR"},
        "settlement": {"amount": "43.21", "currency": "USDC"},
    },
    "hosted_url": "https://commerce.coinbase.com/pay/5f0d8c53",
    "redirects": {
        "success_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/cart",
        "will_redirect_after_success": True,
    },
    "collected_email": True,
    "third_party_provider": "shopify",
    "brand_color": "#122332",
    "support_email": "help@shop.example",
    "metadata": {"name": None, "order": 12, "tags": ["a", "b"], "gift": True},
    "payments": [],
    "timeline": [
        {"time": "2025-01-02T20:01:55Z", "status": "NEW"},
        {"time": "2025-01-02T20:03:20Z", "status": "SIGNED"},
        {"time": "2025-01-02T20:31:01Z", "status": "PENDING"},
        {"time": "2025-01-02T20:35:36Z", "status": "COMPLETED"},
    ],
    "web3_data": {
        "failure_events": [{"tx_hsh": "0xf0", "reason": "out of gas"}],
        "success_events": [
            {"tx_hsh": "0xe1", "chain_id": 8453, "finalized": False, "recipient": "0x" + "2" * 40},
            {"tx_hsh": "0xe1", "chain_id": 8453, "finalized": True, "recipient": "0x" + "2" * 40},
        ],
        "transfer_intent": {"call_data": {"recipient": "0x" + "2" * 40}},
        "contract_addresses": {"8453": "0x" + "3" * 40},
    },
    "created_at": "2025-01-02T20:01:55Z",
    "expires_at": "2025-01-04T20:01:55Z",
    "confirmed_at": "2025-01-02T20:35:36Z",
}
"""Of 2023 to 2026: settled in USDC, redirects nested."""


def open_amount(*, paid: bool) -> dict[str, Any]:
    """A charge whose payer chose what to pay."""
    charge = deepcopy(OLD)
    charge["pricing_type"] = "no_price"
    del charge["pricing"]
    return charge if paid else {**charge, "payments": [], "timeline": charge["timeline"][:1], "confirmed_at": None}


def with_status(*history: str, context: str | None = None) -> dict[str, Any]:
    """A charge with this history; *context* is the last entry's."""
    timeline: list[dict[str, Any]] = [
        {"time": f"2025-01-02T20:{minute:02}:00Z", "status": status} for minute, status in enumerate(history)
    ]
    if context is not None:
        timeline[-1]["context"] = context
    return {**deepcopy(WEB3), "timeline": timeline}


def unpaid() -> dict[str, Any]:
    """A charge that waits to be paid."""
    return {**with_status("NEW"), "confirmed_at": None, "web3_data": {"success_events": [], "contract_addresses": {}}}


def delivery(kind: str, charge: dict[str, Any] | None = None) -> dict[str, Any]:
    """A webhook of Commerce."""
    return {
        "attempt_number": 1,
        "id": "e2a8b4d0-27d4-4a0c-8e8d-0a5b5bd0a0f1",
        "scheduled_for": "2025-01-02T20:35:36Z",
        "event": {
            "id": "1bb7ce7b-0000-4000-8000-d8aa3820e9c3",
            "resource": "event",
            "type": kind,
            "api_version": "2018-03-22",
            "created_at": "2025-01-02T20:35:36Z",
            "data": deepcopy(WEB3) if charge is None else charge,
        },
    }
