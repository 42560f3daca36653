"""
The four control calls of a sandbox: who is there, pay, settle, move the clock. JSON, same origin, no token.

They are how a run pays without money and waits without waiting. A server without them is not worse for it: the
claims that need them are skipped, counted and listed.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

import httpx

from .judge import BrokenError, parsed
from .scrub import excerpt
from .target import filled
from .traffic import Conversation
from .wire import Wire

ROOT: Final = "/__sandbox__/"


class Control:
    """
    The control contract, spoken over *wire*.

    Args:
        conversation: Added to with every call, if given: what was done to the server explains what it answers.
    """

    def __init__(self, wire: Wire, conversation: Conversation | None = None) -> None:
        self._wire = wire
        self._conversation = conversation

    def now(self) -> datetime | None:
        """The sandbox's time; None when this origin is no sandbox."""
        try:
            answer = self._call("GET", ROOT)
            return datetime.fromisoformat(answer["now"])
        except (BrokenError, KeyError, TypeError, ValueError):
            return None

    def pay(self, checkout_id: str, outcome: str = "COMPLETED") -> None:
        """Have a checkout paid; *outcome* is COMPLETED, FAILED or PROCESSING."""
        self._call("POST", filled(f"{ROOT}checkouts/{{id}}/pay", id=checkout_id), {"outcome": outcome})

    def settle(self, checkout_id: str, refund_id: str, outcome: str = "COMPLETED") -> None:
        """Have a refund end; *outcome* is COMPLETED or FAILED."""
        path = filled(f"{ROOT}checkouts/{{id}}/refunds/{{refund}}/settle", id=checkout_id, refund=refund_id)
        self._call("POST", path, {"outcome": outcome})

    def advance(self, seconds: int) -> None:
        """Move the sandbox's clock; a token's times do not move with it."""
        self._call("POST", f"{ROOT}clock/advance", {"seconds": seconds})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = httpx.Request(method, f"{self._wire.target.origin}{path}", headers=headers, content=content)
        reply = self._wire.send(request)
        if self._conversation is not None:
            self._conversation.add(request, reply.status, reply.content_type, reply.content)
        if reply.status != 200:
            raise BrokenError(
                f"control call {method} {path} answered {reply.status}: {excerpt(reply.content, limit=120)}"
            )
        return parsed(reply.content, rule="control contract")
