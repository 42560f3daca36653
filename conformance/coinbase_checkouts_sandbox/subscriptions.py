"""
Webhook subscriptions: the operations of CDP's Data API, served below this server's own origin.

Tokens are checked as everywhere else: their uri names the host that was asked and the path below /platform.
Source: cdp-openapi for operations, fields and codes; webhooks for how checkouts use them.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, insert, select, tuple_, update

from coinbase_checkouts_sandbox import deliveries, description, events, targets
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import milliseconds, rfc3339
from coinbase_checkouts_sandbox.deliveries import Delivery
from coinbase_checkouts_sandbox.description import Description
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import DELIVERIES, EVENTS, SUBSCRIPTIONS
from coinbase_checkouts_sandbox.world import World

# Deliveries in one answer. Source: cdp-openapi; there is no second page.
_MOST_DELIVERIES: Final = 50

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# The year 10000.
_MOST_MS: Final = 253_402_300_800_000


@cache
def load() -> Description:
    """The operations, from their description and with this sandbox's leniency. Done once in a process."""
    document = description.read_document("coinbase_webhook_subscriptions_api")
    components = document["components"]
    # Any URL here: on loopback http will do, and what a URL must be elsewhere is for targets to say.
    del components["schemas"]["WebhookTargetRequest"]["properties"]["url"]["pattern"]
    # get and delete document no 400, so an id that can be nobody's is not found.
    del components["parameters"]["SubscriptionId"]["schema"]["pattern"]
    return description.compiled(document)


def create(world: World, request: Request) -> Answer:
    """POST …/subscriptions."""
    _refuse(_broken_rules(world, request.body))
    with world.store.writing() as transaction:
        row = {
            "id": world.uuid(),
            "created_ms": world.now_ms(transaction),
            "updated_ms": None,
            "secret": world.uuid(),
            **_asked(request.body),
        }
        transaction.write(insert(SUBSCRIPTIONS), [row])
        # So that the courier runs from the first subscription on, also where no lifespan is run.
        transaction.rings = True
    return Answer.json(201, shown(row))


def list_(world: World, request: Request) -> Answer:
    """GET …/subscriptions, newest first."""
    size, token = request.query["pageSize"], request.query.get("pageToken")
    position = (SUBSCRIPTIONS.c.created_ms, SUBSCRIPTIONS.c.id)
    query = select(SUBSCRIPTIONS).order_by(*(column.desc() for column in position)).limit(size + 1)
    if token is not None:
        query = query.where(tuple_(*position) < _read_token(token))
    with world.store.reading() as transaction:
        rows = [dict(row) for row in transaction.read(query).mappings()]
    content: dict[str, Any] = {"subscriptions": [shown(row) for row in rows[:size]]}
    if len(rows) > size:
        content["nextPageToken"] = _write_token(rows[size - 1])
    return Answer.json(200, content)


def get(world: World, request: Request) -> Answer:
    """GET …/subscriptions/{subscriptionId}."""
    with world.store.reading() as transaction:
        return Answer.json(200, shown(_found(transaction, request)))


def replace(world: World, request: Request) -> Answer:
    """PUT …/subscriptions/{subscriptionId}. What is not sent is gone; id, secret and createdAt stay."""
    _refuse(_broken_rules(world, request.body))
    with world.store.writing() as transaction:
        before = _found(transaction, request)
        now_ms = world.now_ms(transaction)
        row = {
            **before,
            **_asked(request.body),
            "updated_ms": max(now_ms, before["updated_ms"] or before["created_ms"]),
        }
        transaction.write(update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == row["id"]).values(row))
        # Deliveries that waited for it to be enabled again may go.
        transaction.rings = True
    return Answer.json(200, shown(row))


def remove(world: World, request: Request) -> Answer:
    """DELETE …/subscriptions/{subscriptionId}. Nothing more is sent to it; what was sent stays in the sandbox's log."""
    with world.store.writing() as transaction:
        row = _found(transaction, request)
        transaction.write(delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == row["id"]))
        deliveries.abandon(transaction, row["id"])
    return Answer(204, b"", media_type="")


def list_events(world: World, request: Request) -> Answer:
    """GET …/subscriptions/{subscriptionId}/events, newest first, at most 50."""
    asked = request.query
    with world.store.reading() as transaction:
        conditions: list[ColumnElement[bool]] = [DELIVERIES.c.subscription_id == _found(transaction, request)["id"]]
        if "eventId" in asked:
            conditions.append(EVENTS.c.id == asked["eventId"].lower())
        if "minCreatedAt" in asked:
            conditions.append(DELIVERIES.c.created_ms >= milliseconds(asked["minCreatedAt"], up=True))
        if "maxCreatedAt" in asked:
            conditions.append(DELIVERIES.c.created_ms <= milliseconds(asked["maxCreatedAt"]))
        if "eventTypeNames" in asked:
            names = asked["eventTypeNames"].split(",")
            _refuse(_unknown("query eventTypeNames", names))
            conditions.append(EVENTS.c.type.in_(names))
        log = deliveries.recent(transaction, _MOST_DELIVERIES, *conditions)
    return Answer.json(200, {"events": [_event(delivery) for delivery in log]})


HANDLERS: Final[Mapping[str, Callable[[World, Request], Answer]]] = MappingProxyType(
    {
        "listWebhookSubscriptions": list_,
        "createWebhookSubscription": create,
        "getWebhookSubscription": get,
        "updateWebhookSubscription": replace,
        "deleteWebhookSubscription": remove,
        "listWebhookSubscriptionEvents": list_events,
    }
)


async def perform(world: World, request: Request) -> Answer:
    """
    Do what is asked for.

    Raises:
        ApiError: It is refused, and nothing was done.
        DBAPIError: The database failed.
    """
    return HANDLERS[request.operation.id](world, request)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """
    A subscription as the API tells it. What has no value is absent.

    The secret is at the root, and the copy in metadata is deprecated. Source: cdp-openapi; the guide's sample has only
    the latter.
    """
    updated_ms = row["updated_ms"]
    full = {
        "subscriptionId": row["id"],
        "eventTypes": row["event_types"],
        "isEnabled": row["is_enabled"],
        "secret": row["secret"],
        "target": row["target"],
        "createdAt": rfc3339(row["created_ms"]),
        "updatedAt": None if updated_ms is None else rfc3339(updated_ms),
        "description": row["description"],
        "labels": row["labels"],
        "metadata": {**(row["metadata"] or {}), "secret": row["secret"]},
    }
    return {name: value for name, value in full.items() if value is not None}


def _event(delivery: Delivery) -> dict[str, Any]:
    """A delivery as the API tells it."""
    content: dict[str, Any] = {
        "eventId": delivery.event_id,
        "eventTypeName": delivery.event_type,
        "status": delivery.state,
        "createdAt": rfc3339(delivery.created_ms),
        "retryCount": max(delivery.attempt_count - 1, 0),
    }
    if delivery.succeeded_ms is not None:
        content["succeededAt"] = rfc3339(delivery.succeeded_ms)
    if delivery.attempts:
        last = delivery.attempts[-1]
        response = {
            "httpCode": last.http_code,
            "elapsedTimeMs": last.elapsed_ms,
            "body": last.response_body,
            "errorName": last.error_name,
        }
        content["response"] = {name: value for name, value in response.items() if value is not None}
    return content


def _broken_rules(world: World, body: Mapping[str, Any]) -> list[str]:
    return [
        *_unknown("body /eventTypes", body["eventTypes"]),
        *targets.broken_rules(body["target"], remote=world.remote_webhooks),
    ]


def _unknown(where: str, names: Iterable[str]) -> list[str]:
    """
    Events that checkouts do not have: a slip of the pen that nothing would ever be delivered for.

    Source: cdp-openapi, by its message for a 400. Those of other products are taken, and never happen here.
    """
    if any(name.startswith("checkout.") and name not in events.TYPES for name in names):
        return [f"{where}: the events of checkouts are {', '.join(sorted(events.TYPES))}"]
    return []


def _refuse(broken_rules: list[str]) -> None:
    if broken_rules:
        raise ApiError(400, "; ".join(broken_rules))


def _asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a request gives. What it has beyond the description is ignored."""
    metadata = body.get("metadata")
    if metadata is not None:
        # Sent back by those who change what they have read.
        metadata = {name: value for name, value in metadata.items() if name != "secret"}
    return {
        "event_types": body["eventTypes"],
        "is_enabled": body["isEnabled"],
        "target": {name: body["target"][name] for name in ("url", "headers", "method") if name in body["target"]},
        "description": body.get("description"),
        "metadata": metadata,
        "labels": body.get("labels"),
    }


def _found(transaction: Transaction, request: Request) -> dict[str, Any]:
    asked: str = request.path["subscriptionId"]
    row = None
    if _UUID.fullmatch(asked):
        row = transaction.read(select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == asked)).mappings().one_or_none()
    if row is None:
        raise ApiError(404, "path subscriptionId: no subscription has this id")
    return dict(row)


def _write_token(last: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([last["created_ms"], last["id"]]).encode()).decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        created_ms, identity = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        possible = type(created_ms) is int and abs(created_ms) < _MOST_MS and _UUID.fullmatch(identity)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        created_ms, identity, possible = 0, "", None
    if not possible:
        raise ApiError(400, "query pageToken: not the nextPageToken of a page")
    return created_ms, identity
