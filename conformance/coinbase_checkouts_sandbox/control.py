"""
The control calls: pay a checkout, settle a refund, move the clock, break things, begin anew. JSON over HTTP, no token.

Not part of Coinbase's API; control.openapi.json describes them, and judges what they are sent. The conformance suite
relies on four of them only: about, pay, settle and advance.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from coinbase_checkouts_sandbox import acts, faults, snapshots
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339
from coinbase_checkouts_sandbox.description import Description, compiled
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.world import World

Handle = Callable[[World, Request], Answer | Awaitable[Answer]]

NAME: Final = "coinbase-checkouts sandbox"

# A snapshot is as large as what was done in the sandbox.
LARGEST_BODY_BYTES: Final = 64 << 20

_DOCUMENT: Final = files("coinbase_checkouts_sandbox") / "control.openapi.json"


@cache
def describe() -> Description:
    """The control calls, from their description."""
    return compiled(json.loads(_DOCUMENT.read_bytes()))


def about(world: World, _request: Request) -> Answer:
    """GET /__sandbox__/."""
    with world.store.reading() as transaction:
        now_ms = world.now_ms(transaction)
    return Answer.json(200, {"name": NAME, "now": rfc3339(now_ms)})


def describe_control(_world: World, _request: Request) -> Answer:
    """GET /__sandbox__/openapi.json."""
    return Answer(200, _DOCUMENT.read_bytes())


def pay(world: World, request: Request) -> Answer:
    """POST /__sandbox__/checkouts/{id}/pay."""
    return Answer.json(200, acts.pay(world, request.path["id"], request.body["outcome"]))


def settle(world: World, request: Request) -> Answer:
    """POST /__sandbox__/checkouts/{id}/refunds/{refundId}/settle."""
    path = request.path
    return Answer.json(200, acts.settle(world, path["id"], path["refundId"], request.body["outcome"]))


def advance(world: World, request: Request) -> Answer:
    """POST /__sandbox__/clock/advance."""
    return Answer.json(200, {"now": rfc3339(acts.advance(world, request.body["seconds"]))})


def list_faults(world: World, _request: Request) -> Answer:
    """GET /__sandbox__/faults."""
    with world.store.reading() as transaction:
        return Answer.json(200, {"faults": [fault.answer() for fault in faults.all_faults(transaction)]})


def arm_fault(world: World, request: Request) -> Answer:
    """POST /__sandbox__/faults."""
    with world.store.writing() as transaction:
        fault = faults.add(transaction, faults.complete(request.body))
    return Answer.json(201, fault.answer())


def clear_faults(world: World, _request: Request) -> Answer:
    """DELETE /__sandbox__/faults."""
    with world.store.writing() as transaction:
        faults.clear(transaction)
    return Answer.json(200, {"faults": []})


def reset(world: World, _request: Request) -> Answer:
    """POST /__sandbox__/reset."""
    with world.store.writing() as transaction:
        snapshots.clear(transaction)
        return _now(world, transaction)


def snapshot(world: World, _request: Request) -> Answer:
    """GET /__sandbox__/snapshot."""
    with world.store.reading() as transaction:
        return Answer.json(200, snapshots.take(transaction, now_ms=world.now_ms(transaction)))


def restore(world: World, request: Request) -> Answer:
    """POST /__sandbox__/restore."""
    with world.store.writing() as transaction:
        snapshots.put_back(transaction, request.body, real_ms=world.real_ms())
        # There may be something to deliver in it.
        transaction.rings = True
        return _now(world, transaction)


# By operationId of the description; those about webhooks are in webhook_controls.
CONTROLS: Final[Mapping[str, Handle]] = MappingProxyType(
    {
        "about": about,
        "describeControl": describe_control,
        "pay": pay,
        "settle": settle,
        "advance": advance,
        "listFaults": list_faults,
        "armFault": arm_fault,
        "clearFaults": clear_faults,
        "reset": reset,
        "snapshot": snapshot,
        "restore": restore,
    }
)


def _now(world: World, transaction: Transaction) -> Answer:
    return Answer.json(200, {"now": rfc3339(world.now_ms(transaction))})
