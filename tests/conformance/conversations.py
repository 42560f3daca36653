"""Conversations in a line: what was asked, what was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from coinbase_checkouts_conformance.traffic import Conversation, Recorded

ID = "68f7a946db0529ea9b6d3a12"
OTHER_ID = "68f7a946db0529ea9b6d3a13"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
ROOT = "/api/v1/checkouts"
EPOCH = datetime(2026, 11, 20, 10, tzinfo=UTC)

SETTLEMENT = {"totalAmount": "2.00", "feeAmount": "0.02", "netAmount": "1.98", "currency": "USDC"}


def at(minutes: float) -> str:
    """A time, in minutes from the beginning."""
    return (EPOCH + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def checkout(status: str = "ACTIVE", /, **fields: Any) -> dict[str, Any]:
    """A checkout of 2.00 as it should be in *status*; None takes a field away."""
    made: dict[str, Any] = {
        "id": ID,
        "url": "https://payments.example/pl_1",
        "amount": "2.00",
        "currency": "USDC",
        "network": "base",
        "address": "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
        "createdAt": at(0),
        "updatedAt": at(0),
        "status": status,
        "expiresAt": at(60),
        "description": "Pear",
    }
    if status in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"):
        made |= {"transactionHash": "0xabc", "settlement": SETTLEMENT}
    return {name: value for name, value in (made | fields).items() if value is not None}


def refund(value: str, status: str = "PENDING", /, **fields: Any) -> dict[str, Any]:
    """A refund of *value* USDC as it should be in *status*; its id is made from *value*."""
    made: dict[str, Any] = {
        "id": f"refund-{value}",
        "checkoutId": ID,
        "amount": value,
        "status": status,
        "createdAt": at(5),
        "currency": "USDC",
    }
    if status == "COMPLETED":
        made |= {"completedAt": at(6), "transactionHash": f"0x{value}"}
    return {name: value for name, value in (made | fields).items() if value is not None}


def refunded(status: str, total: str | None, *refunds: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A checkout with *refunds*, that are said to come to *total*."""
    return checkout(status, refundedAmount=total, refunds=list(refunds), **fields)


class Talk:
    """A conversation to be; each verb adds an exchange and gives the talk back."""

    def __init__(self, *, is_concurrent: bool = False) -> None:
        self.conversation = Conversation("talk", "sandbox", "http://sandbox.invalid", is_concurrent=is_concurrent)

    def said(
        self,
        method: str,
        path: str,
        answer: Any,
        *,
        status: int = 200,
        body: Any = None,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        span: tuple[float, float] | None = None,
    ) -> Talk:
        """One exchange; *span* in minutes."""
        began_ended = None if span is None else (EPOCH + timedelta(minutes=span[0]), EPOCH + timedelta(minutes=span[1]))
        self.conversation.exchanges.append(
            Recorded(
                self.conversation.place(),
                method,
                path,
                tuple((query or {}).items()),
                {} if key is None else {"x-idempotency-key": key},
                b"" if body is None else json.dumps(body).encode(),
                status,
                {"content-type": "application/json"},
                json.dumps(answer).encode(),
                began_ended,
            )
        )
        return self

    def create(self, answer: Any, body: Any = None, *, key: str | None = None, status: int = 201) -> Talk:
        asked = {"amount": "2.00", "currency": "USDC", "description": "Pear"} if body is None else body
        return self.said("POST", ROOT, answer, status=status, body=asked, key=key)

    def get(self, answer: Any, *, id: str | None = None, span: tuple[float, float] | None = None) -> Talk:
        return self.said("GET", f"{ROOT}/{id or answer['id']}", answer, span=span)

    def list(self, *checkouts: Any, token: str | None = None, **query: str) -> Talk:
        answer = {"checkouts": list(checkouts)} | ({} if token is None else {"nextPageToken": token})
        return self.said("GET", ROOT, answer, query=query)

    def deactivate(self, answer: Any) -> Talk:
        return self.said("POST", f"{ROOT}/{answer['id']}/deactivate", answer)

    def refund(
        self, answer: Any, told: Any, body: Any = None, *, key: str | None = None, id: str | None = None
    ) -> Talk:
        """Answered with the checkout *answer* and the refund *told*."""
        asked = {"amount": told["amount"]} if body is None else body
        both = {"checkout": answer, "refund": told}
        return self.said("POST", f"{ROOT}/{id or answer['id']}/refund", both, body=asked, key=key)

    def error(self, body: Any, *, status: int = 400) -> Talk:
        return self.said("GET", f"{ROOT}/{ID}", body, status=status)

    def advance(self, hours: float) -> Talk:
        return self.said("POST", "/__sandbox__/clock/advance", {"now": at(0)}, body={"seconds": int(hours * 3600)})

    def reset(self) -> Talk:
        return self.said("POST", "/__sandbox__/reset", {})
