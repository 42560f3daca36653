"""
The control calls about webhooks: what was sent and what came of it, sending now or again, and mischief.

Below the control contract, and not part of Coinbase's API. JSON over HTTP, no token, loopback only.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from coinbase_checkouts_sandbox import deliveries, mischief
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339
from coinbase_checkouts_sandbox.control import Handle
from coinbase_checkouts_sandbox.courier import Courier
from coinbase_checkouts_sandbox.deliveries import Attempt, Delivery
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.world import World

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def controls(courier: Courier) -> dict[str, Handle]:
    """The calls of one server, by operationId of the control description."""

    async def flush(world: World, _request: Request) -> Answer:
        """POST …/flush: send all that is due, and wait for what comes of it."""
        done = await courier.flush()
        with world.store.reading() as transaction:
            counts = deliveries.counts(transaction)
        return Answer.json(200, {**done, "deliveries": counts})

    return {
        "listDeliveries": log,
        "redeliver": redeliver,
        "flush": flush,
        "listMischief": list_mischief,
        "orderMischief": order_mischief,
        "forgetMischief": forget_mischief,
    }


def log(world: World, request: Request) -> Answer:
    """GET …/deliveries: the log, newest first."""
    with world.store.reading() as transaction:
        found = deliveries.recent(transaction, request.query["limit"])
    return Answer.json(200, {"deliveries": [shown(delivery) for delivery in found]})


def redeliver(world: World, request: Request) -> Answer:
    """POST …/deliveries/{id}/redeliver: send it once more, with the same event id and body, signed anew."""
    delivery_id = request.path["id"]
    with world.store.writing() as transaction:
        if not _UUID.fullmatch(delivery_id) or not deliveries.redeliver(transaction, delivery_id):
            raise ApiError(404, "path id: no delivery has this id, or its subscription is gone")
    return Answer.json(202, {"id": delivery_id})


def list_mischief(world: World, _request: Request) -> Answer:
    """GET …/mischief: what is still to be done."""
    with world.store.reading() as transaction:
        return Answer.json(200, {"mischief": [_order_shown(row) for row in mischief.ordered(transaction)]})


def order_mischief(world: World, request: Request) -> Answer:
    """POST …/mischief: have it done to the next so many attempts."""
    body = request.body
    row = {
        "id": world.uuid(),
        "kind": body["kind"],
        "part": body.get("part"),
        # JSON Schema calls 1.0 an integer too.
        "times": int(body.get("times", 1)),
        "event_type": body.get("eventType"),
        "subscription_id": body.get("subscriptionId"),
    }
    with world.store.writing() as transaction:
        mischief.order(transaction, row)
    return Answer.json(201, _order_shown(row))


def forget_mischief(world: World, _request: Request) -> Answer:
    """DELETE …/mischief: none any more, and what was held back may go."""
    with world.store.writing() as transaction:
        mischief.forget(transaction)
    return Answer.json(200, {"mischief": []})


def shown(delivery: Delivery) -> dict[str, Any]:
    """A delivery of the log. What has no value is absent."""
    due, succeeded = delivery.due_ms, delivery.succeeded_ms
    return _present(
        {
            "id": delivery.id,
            "eventId": delivery.event_id,
            "eventType": delivery.event_type,
            "checkoutId": delivery.checkout_id,
            "refundId": delivery.refund_id,
            "subscriptionId": delivery.subscription_id,
            "url": delivery.url,
            "status": delivery.state,
            "held": delivery.held,
            "createdAt": rfc3339(delivery.created_ms),
            "nextAttemptAt": None if due is None else rfc3339(due),
            "succeededAt": None if succeeded is None else rfc3339(succeeded),
            "attempts": [_attempt(attempt) for attempt in delivery.attempts],
        }
    )


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return _present(
        {
            "number": attempt.number,
            "at": rfc3339(attempt.at_ms),
            "httpCode": attempt.http_code,
            "elapsedMs": attempt.elapsed_ms,
            "body": attempt.response_body,
            "errorName": attempt.error_name,
            "mischief": attempt.mischief,
        }
    )


def _order_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        {
            "id": row["id"],
            "kind": row["kind"],
            "part": row["part"],
            "times": row["times"],
            "eventType": row["event_type"],
            "subscriptionId": row["subscription_id"],
        }
    )


def _present(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}
