"""Small edits of requests and answers that several mutants share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from coinbase_checkouts_conformance.layer import KEY_HEADER, Ask, Reply, content_of

Checkout = dict[str, Any]

# Statuses of a checkout that was paid.
PAID: Final = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


# Of requests.


def query_of(ask: Ask) -> dict[str, list[str]]:
    """The query, each parameter with its values."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(ask.query.decode("latin-1"), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def without(ask: Ask, *names: str) -> dict[str, list[str]]:
    """The query without some parameters."""
    return {name: values for name, values in query_of(ask).items() if name not in names}


def asking(ask: Ask, query: Mapping[str, Sequence[str]]) -> Ask:
    """*ask* with another query."""
    return replace(ask, query=urlencode(query, doseq=True).encode())


def body_of(ask: Ask) -> dict[str, Any]:
    """The JSON object that was sent, or an empty one."""
    content = content_of(ask.body)
    return content if isinstance(content, dict) else {}


# Of answers.


def told(reply: Reply, edit: Callable[[Any], Any]) -> Reply:
    """A good answer with its JSON edited."""
    return reply.saying(edit(content_of(reply.body))) if reply.is_good else reply


def good(content: Any, status: int = 200) -> Reply:
    """A success that says *content*."""
    return Reply(status, json.dumps(content).encode())


def made_up_refund(checkout: Mapping[str, Any], body: Mapping[str, Any]) -> Reply:
    """The answer to a refund that never was."""
    amount = str(body.get("amount", "1.00"))
    refund = {
        "id": uuid.uuid4().hex[:24],
        "checkoutId": checkout["id"],
        "amount": amount,
        "currency": "USDC",
        "status": "PENDING",
        "createdAt": checkout["updatedAt"],
    }
    refunds = [*checkout.get("refunds", []), refund]
    return good({"checkout": {**checkout, "refunds": refunds, "refundedAmount": amount}, "refund": refund})


def less(content: dict[str, Any], *names: str) -> dict[str, Any]:
    """An object without some of its fields."""
    return {name: value for name, value in content.items() if name not in names}


def moved(time: str, **delta: float) -> str:
    """A time of an answer, some way off."""
    other = datetime.fromisoformat(time) + timedelta(**delta)
    return other.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_key(ask: Ask) -> Ask:
    """*ask* without its idempotency key."""
    return ask.with_header(KEY_HEADER, None)


def creating(ask: Ask) -> Ask:
    """A create, by the connection that *ask* came by."""
    headers = (*(pair for pair in ask.headers if pair[0] == b"host"), (b"content-type", b"application/json"))
    body = json.dumps({"amount": "2.00", "currency": "USDC"}).encode()
    return Ask("create", "POST", f"{ask.path.partition('/checkouts')[0]}/checkouts", b"", headers, body)


def refund_told(reply: Reply, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
    """The refund in an answer edited, beside the checkout and inside it."""

    def both(content: dict[str, Any]) -> dict[str, Any]:
        refund = content["refund"]
        inside = [edit(one) if one["id"] == refund["id"] else one for one in content["checkout"]["refunds"]]
        return {"refund": edit(refund), "checkout": {**content["checkout"], "refunds": inside}}

    return told(reply, both)
