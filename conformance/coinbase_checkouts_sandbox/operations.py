"""The five operations: a judged request in, an answer out."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from coinbase_checkouts_sandbox import checkouts, paging, refunds
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.errors import ApiError, IllegalChangeError
from coinbase_checkouts_sandbox.idempotency import once
from coinbase_checkouts_sandbox.readings import Readings
from coinbase_checkouts_sandbox.refunds import Refund
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.world import World, checkout_answer, found, refunds_of

Handler = Callable[[World, Request], Answer]


def create(world: World, request: Request) -> Answer:
    """POST /api/v1/checkouts."""

    def act(transaction: Transaction, now_ms: int) -> Answer:
        _refuse(checkouts.broken_rules(request.body, now_ms))
        checkout = checkouts.opened(
            request.body,
            checkout_id=world.object_id(now_ms),
            origin=request.call.origin,
            now_ms=now_ms,
            default_expiry_ms=world.readings.default_expiry_s * 1000,
        )
        transaction.add_checkout(checkout)
        return Answer.json(world.readings.create_status, checkout_answer(checkout, []))

    return once(world, request, act)


def list_(world: World, request: Request) -> Answer:
    """GET /api/v1/checkouts, newest first."""
    filters, size = paging.filters(request.query), request.query["pageSize"]
    token = request.query.get("pageToken")
    after = None if token is None else paging.read_token(token, filters)
    with world.store.reading() as transaction:
        now_ms = world.now_ms(transaction)
        # One more than asked for tells whether another page follows.
        rows = transaction.page(filters, after=after, limit=size + 1, now_ms=now_ms)
        page = [checkouts.as_of(row, now_ms) for row in rows[:size]]
        their_refunds = refunds_of(transaction, page)
    content: dict[str, Any] = {"checkouts": [checkout_answer(c, their_refunds[c.id]) for c in page]}
    if len(rows) > size:
        content["nextPageToken"] = paging.write_token((page[-1].created_ms, page[-1].id), filters)
    return Answer.json(200, content)


def get(world: World, request: Request) -> Answer:
    """GET /api/v1/checkouts/{id}."""
    with world.store.reading() as transaction:
        checkout, its_refunds = _asked_for(world, request, transaction, world.now_ms(transaction))
    return Answer.json(200, checkout_answer(checkout, its_refunds))


def deactivate(world: World, request: Request) -> Answer:
    """POST /api/v1/checkouts/{id}/deactivate."""
    with world.store.writing() as transaction:
        now_ms = world.now_ms(transaction)
        checkout, its_refunds = _asked_for(world, request, transaction, now_ms)
        if checkout.status != "DEACTIVATED" or world.readings.second_deactivation == "refused":
            with _illegal_change_refused(world.readings):
                checkout = checkouts.deactivated(checkout, now_ms)
            transaction.save_checkout(checkout)
    return Answer.json(200, checkout_answer(checkout, its_refunds))


def refund(world: World, request: Request) -> Answer:
    """POST /api/v1/checkouts/{id}/refund."""

    def act(transaction: Transaction, now_ms: int) -> Answer:
        checkout, before = _asked_for(world, request, transaction, now_ms)
        _refuse(refunds.broken_rules(request.body))
        with _illegal_change_refused(world.readings):
            checkout, new = refunds.started(
                checkout, before, request.body, refund_id=world.object_id(now_ms), now_ms=now_ms
            )
        transaction.save_checkout(checkout)
        transaction.add_refund(new)
        content = {"checkout": checkout_answer(checkout, [*before, new]), "refund": refunds.answer(new)}
        return Answer.json(200, content)

    return once(world, request, act)


# By operationId of the description.
HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "createCheckout": create,
        "listCheckouts": list_,
        "getCheckout": get,
        "deactivateCheckout": deactivate,
        "refundCheckout": refund,
    }
)


def _asked_for(world: World, request: Request, transaction: Transaction, now_ms: int) -> tuple[Checkout, list[Refund]]:
    return found(transaction, request.path["id"], now_ms, missing_status=world.readings.missing_status)


def _refuse(broken_rules: list[str]) -> None:
    if broken_rules:
        raise ApiError(400, "; ".join(broken_rules))


@contextmanager
def _illegal_change_refused(readings: Readings) -> Generator[None]:
    """Tell an illegal change in the chosen reading. With 409 and 422 too it is the request that is invalid."""
    try:
        yield
    except IllegalChangeError as exc:
        raise ApiError(readings.illegal_change_status, str(exc), error_type="invalid_request") from None
