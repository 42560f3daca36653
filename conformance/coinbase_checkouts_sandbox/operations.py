"""
The five operations: a judged request in, an answer out.

Those that only read answer at once. Those that write say what is to be done in a transaction, which others may share.
An act refuses before it writes anything.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from coinbase_checkouts_sandbox import checkouts, paging, refunds
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.commits import Act
from coinbase_checkouts_sandbox.errors import ApiError, IllegalChangeError
from coinbase_checkouts_sandbox.faults import FaultsArmedError
from coinbase_checkouts_sandbox.idempotency import once
from coinbase_checkouts_sandbox.readings import Readings
from coinbase_checkouts_sandbox.refunds import Refund
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.world import World, checkout_answer, found, refunds_of


def create(world: World, request: Request) -> Act:
    """POST /api/v1/checkouts."""

    def act(transaction: Transaction) -> Answer:
        now_ms = world.now_ms(transaction)
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
    with _reading(world, request) as transaction:
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
    glance = world.store.glance(request.path["id"])
    _heed(request, glance.armed_faults)
    if glance.checkout is not None and glance.checkout.status not in checkouts.PAID:
        # It has no refunds, so this is all there is to know.
        now_ms = world.real_ms() + glance.clock_offset_ms
        return Answer.json(200, checkout_answer(checkouts.as_of(glance.checkout, now_ms), []))
    with _reading(world, request) as transaction:
        checkout, its_refunds = _asked_for(world, request, transaction, world.now_ms(transaction))
    return Answer.json(200, checkout_answer(checkout, its_refunds))


def deactivate(world: World, request: Request) -> Act:
    """POST /api/v1/checkouts/{id}/deactivate."""

    def act(transaction: Transaction) -> Answer:
        now_ms = world.now_ms(transaction)
        checkout, its_refunds = _asked_for(world, request, transaction, now_ms)
        if checkout.status != "DEACTIVATED" or world.readings.second_deactivation == "refused":
            with _illegal_change_refused(world.readings):
                checkout = checkouts.deactivated(checkout, now_ms)
            transaction.save_checkout(checkout)
        return Answer.json(200, checkout_answer(checkout, its_refunds))

    return act


def refund(world: World, request: Request) -> Act:
    """POST /api/v1/checkouts/{id}/refund."""

    def act(transaction: Transaction) -> Answer:
        now_ms = world.now_ms(transaction)
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
READS: Final[Mapping[str, Callable[[World, Request], Answer]]] = MappingProxyType(
    {"listCheckouts": list_, "getCheckout": get}
)
WRITES: Final[Mapping[str, Callable[[World, Request], Act]]] = MappingProxyType(
    {"createCheckout": create, "deactivateCheckout": deactivate, "refundCheckout": refund}
)


async def perform(world: World, request: Request) -> Answer:
    """
    Do what is asked for.

    Raises:
        ApiError: It is refused, and nothing was done.
        FaultsArmedError: A fault may strike it, and nothing was done.
        DBAPIError: The database failed.
    """
    operation = request.operation.id
    if operation in READS:
        return READS[operation](world, request)
    act = WRITES[operation](world, request)

    def heedful(transaction: Transaction) -> Answer:
        _heed(request, transaction.armed_faults)
        return act(transaction)

    return await world.committer.commit(heedful)


@contextmanager
def _reading(world: World, request: Request) -> Generator[Transaction]:
    with world.store.reading() as transaction:
        _heed(request, transaction.armed_faults)
        yield transaction


def _heed(request: Request, armed_faults: int) -> None:
    if armed_faults and not request.spared:
        raise FaultsArmedError


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
