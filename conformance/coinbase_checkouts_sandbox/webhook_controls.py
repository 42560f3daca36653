"""
The control calls about webhooks: what was sent and what came of it, sending now or again, and mischief.

Below the control contract, and not part of Coinbase's API. JSON over HTTP, no token, loopback only.
"""

from collections.abc import Mapping
from typing import Any, Final

from coinbase_checkouts_sandbox import deliveries, events, mischief
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339
from coinbase_checkouts_sandbox.control import Control
from coinbase_checkouts_sandbox.courier import Courier
from coinbase_checkouts_sandbox.deliveries import Attempt, Delivery
from coinbase_checkouts_sandbox.description import Parameter, validator
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Call, check, parse_json, query_of
from coinbase_checkouts_sandbox.world import World

_BASE: Final = "/__sandbox__/webhooks"
_MOST_TIMES: Final = 1_000_000

_LIMIT: Final = Parameter(
    name="limit",
    place="query",
    required=False,
    kind="integer",
    default=50,
    validator=validator({"type": "integer", "minimum": 1, "maximum": 500}),
)
_UUID_TEXT: Final = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_UUID: Final = validator(_UUID_TEXT)
_ORDER: Final = validator(
    {
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"enum": list(mischief.KINDS)},
            "part": {"type": "string"},
            "times": {"type": "integer", "minimum": 1, "maximum": _MOST_TIMES},
            "eventType": {"enum": sorted(events.TYPES)},
            "subscriptionId": _UUID_TEXT,
        },
        # Here a misspelt name would be mischief of another kind than was asked for.
        "additionalProperties": False,
    }
)


def controls(courier: Courier) -> tuple[Control, ...]:
    """The calls, for one server."""

    async def flush(world: World, _call: Call) -> Answer:
        """POST …/flush: send all that is due, and wait for what comes of it."""
        done = await courier.flush()
        with world.store.reading() as transaction:
            counts = deliveries.counts(transaction)
        return Answer.json(200, {**done, "deliveries": counts})

    return (
        Control("GET", f"{_BASE}/deliveries", log),
        Control("POST", f"{_BASE}/deliveries/{{id}}/redeliver", redeliver),
        Control("POST", f"{_BASE}/flush", flush),
        Control("GET", f"{_BASE}/mischief", list_mischief),
        Control("POST", f"{_BASE}/mischief", order_mischief),
        Control("DELETE", f"{_BASE}/mischief", forget_mischief),
    )


def log(world: World, call: Call) -> Answer:
    """GET …/deliveries: the log, newest first."""
    limit = query_of(call, _LIMIT)
    with world.store.reading() as transaction:
        found = deliveries.recent(transaction, limit)
    return Answer.json(200, {"deliveries": [shown(delivery) for delivery in found]})


def redeliver(world: World, call: Call) -> Answer:
    """POST …/deliveries/{id}/redeliver: send it once more, with the same event id and body, signed anew."""
    delivery_id = call.path_parameters["id"]
    with world.store.writing() as transaction:
        if not _UUID.is_valid(delivery_id) or not deliveries.redeliver(transaction, delivery_id):
            raise ApiError(404, "path id: no delivery has this id, or its subscription is gone")
    return Answer.json(202, {"id": delivery_id})


def list_mischief(world: World, _call: Call) -> Answer:
    """GET …/mischief: what is still to be done."""
    with world.store.reading() as transaction:
        return Answer.json(200, {"mischief": [_order_shown(row) for row in mischief.ordered(transaction)]})


def order_mischief(world: World, call: Call) -> Answer:
    """POST …/mischief: have it done to the next so many attempts."""
    body = parse_json(call)
    check(_ORDER, body, "body")
    parts = mischief.KINDS[body["kind"]]
    if body.get("part") not in (parts or (None,)):
        wanted = f"must be one of {', '.join(parts)}" if parts else "must not be there"
        raise ApiError(400, f"body /part: {wanted} for kind {body['kind']}")
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


def forget_mischief(world: World, _call: Call) -> Answer:
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
