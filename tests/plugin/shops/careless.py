"""A shop as it is written in a hurry: every one of its mistakes has been made in a real integration."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from coinbase_checkouts import ApiKey, Checkouts, JwtAuth
from coinbase_checkouts_sandbox import Sandbox

KNOWN = {
    *("id", "url", "amount", "currency", "network", "address", "createdAt", "updatedAt", "status", "tokenAddress"),
    *("description", "expiresAt", "metadata", "successRedirectUrl", "failRedirectUrl", "settlement", "fiatAmount"),
    *("fiatCurrency", "transactionHash", "refundedAmount", "refunds"),
}


class Shop:
    """Orders by number, with what was paid and what went back."""

    def __init__(self, sandbox: Sandbox, checkouts: Checkouts) -> None:
        auth = JwtAuth(ApiKey(sandbox.key["id"], sandbox.key["privateKey"]))
        self._client = httpx.Client(base_url=sandbox.base_url, transport=sandbox.transport, auth=auth)
        self._ids: dict[str, str] = {}
        self.sent: list[str] = []
        self.returned = 0.0

    def order(self, number: str, price: str) -> str:
        """The checkout of an order; tried again, but as another one."""
        made = self._again("POST", "", json={"amount": price, "currency": "USDC", "metadata": {"order": number}})
        assert set(made) <= KNOWN
        assert price == made["amount"]
        self._ids[number] = made["id"]
        return str(made["id"])

    def payer_is_back(self, number: str) -> None:
        """Send the goods unless it is known that they are not paid for."""
        checkout = self._again("GET", f"/{self._ids[number]}")
        if checkout["status"] not in {"ACTIVE", "FAILED", "EXPIRED", "DEACTIVATED"}:
            self.sent.append(number)

    def cancel(self, number: str) -> bool:
        """Whether nobody has said otherwise."""
        self._again("POST", f"/{self._ids[number]}/deactivate")
        return True

    def give_back(self, number: str, amount: str) -> str:
        """Start a refund; its id."""
        key = str(uuid.uuid4())
        path, headers = f"/{self._ids[number]}/refund", {"X-Idempotency-Key": key}
        answer = self._again("POST", path, json={"amount": amount}, headers=headers)
        return str(answer["refund"]["id"])

    def refund_is_done(self, number: str, refund_id: str) -> None:
        """Book a refund that somebody says is done."""
        for refund in self._again("GET", f"/{self._ids[number]}").get("refunds", []):
            if refund["id"] == refund_id:
                self.returned += float(refund["amount"])

    def all(self) -> list[str]:
        """The ids of all checkouts, page after page."""
        found: list[str] = []
        query: dict[str, str] = {}
        while True:
            page = self._again("GET", "", params=query)
            found += [checkout["id"] for checkout in page["checkouts"]]
            if "nextPageToken" not in page:
                return found
            query = {"pageToken": page["nextPageToken"]}

    def _again(self, method: str, path: str, **options: Any) -> Any:
        url = f"/api/v1/checkouts{path}"
        answer = self._client.request(method, url, **options)
        if answer.status_code == 503:
            answer = self._client.request(method, url, **options)
        return answer.json()
