"""Lives of checkouts in a sandbox of our own, step by step, with everything that was said."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from coinbase_checkouts_conformance.traffic import Conversation
from coinbase_checkouts_sandbox import Sandbox
from coinbase_checkouts_sandbox.inprocess import SandboxError

ROOT: Final = "/api/v1/checkouts"


@dataclass
class Life:
    """A conversation with *sandbox*, about the checkouts that it made itself."""

    sandbox: Sandbox
    client: httpx.Client
    currency: str = "USDC"
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    conversation: Conversation = field(default_factory=lambda: Conversation("life", "sandbox"))
    ids: list[str] = field(default_factory=list)
    sent: list[tuple[str, Any, str]] = field(default_factory=list)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON."""
        response = self.client.request(method, path, **options)
        self.conversation.add(
            response.request, response.status_code, response.headers["content-type"], response.content
        )
        return response.json()

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        """Under a new key, or under *key* again."""
        used = key or str(uuid.uuid4())
        self.sent.append((path, body, used))
        return self.call("POST", path, json=body, headers={"X-Idempotency-Key": used})

    def create(self) -> None:
        body = {"amount": "2.00", "currency": self.currency, "description": self.mark, "metadata": {"a": "b"}}
        self.ids.append(self.post(ROOT, body)["id"])

    def read(self) -> None:
        for checkout_id in self.ids[-2:]:
            self.call("GET", f"{ROOT}/{checkout_id}")

    def walk(self) -> None:
        query = {"descriptionQuery": self.mark, "pageSize": "2"}
        while token := self.call("GET", ROOT, params=query).get("nextPageToken"):
            query["pageToken"] = token

    def pay(self, outcome: str = "COMPLETED") -> None:
        with suppress(SandboxError):
            self.sandbox.pay(self.ids[-1], outcome)

    def deactivate(self) -> None:
        self.call("POST", f"{ROOT}/{self.ids[-1]}/deactivate")

    def refund(self, value: str = "0.75") -> None:
        self.post(f"{ROOT}/{self.ids[-1]}/refund", {"amount": value, "reason": "broken"})

    def settle(self, outcome: str = "COMPLETED") -> None:
        for refund in self.call("GET", f"{ROOT}/{self.ids[-1]}").get("refunds", []):
            with suppress(SandboxError):
                self.sandbox.settle(self.ids[-1], refund["id"], outcome)

    def again(self) -> None:
        for path, body, key in self.sent[-3:]:
            self.post(path, body, key)

    def advance(self, seconds: int) -> None:
        # Through the client, as the suite does: what was done to the server explains what it answers.
        self.call("POST", "/__sandbox__/clock/advance", json={"seconds": seconds})


STEPS: Final[dict[str, Callable[[Life], None]]] = {
    "create": Life.create,
    "read": Life.read,
    "walk": Life.walk,
    "pay": Life.pay,
    "pay in part": lambda life: life.pay("PROCESSING"),
    "pay in vain": lambda life: life.pay("FAILED"),
    "deactivate": Life.deactivate,
    "refund": Life.refund,
    "refund all": lambda life: life.refund("2.00"),
    "refund a cent": lambda life: life.refund("0.01"),
    "settle": Life.settle,
    "settle in vain": lambda life: life.settle("FAILED"),
    "again": Life.again,
    "wait a minute": lambda life: life.advance(90),
    "wait a day": lambda life: life.advance(86_500),
}


def lived(sandbox: Sandbox, steps: list[str], *, is_fiat: bool = False) -> Conversation:
    """What was said while *steps* were taken, from a first checkout to a last look."""
    with sandbox.http_client() as client:
        life = Life(sandbox, client, "USD" if is_fiat else "USDC")
        for step in ("create", *steps):
            STEPS[step](life)
        life.read()
        return life.conversation
