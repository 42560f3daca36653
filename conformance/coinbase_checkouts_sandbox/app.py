"""
The server as an ASGI application: what answers at which path, and to whom.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from coinbase_checkouts_sandbox import (
    admission,
    control,
    description,
    faults,
    money,
    overview,
    pages,
    rendering,
    subscriptions,
    tokens,
    unemulated,
    webhook_controls,
)
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import wall_clock_ms
from coinbase_checkouts_sandbox.commits import Committer
from coinbase_checkouts_sandbox.courier import Courier
from coinbase_checkouts_sandbox.database import open_store
from coinbase_checkouts_sandbox.description import Operation
from coinbase_checkouts_sandbox.endpoints import Endpoint, Respond
from coinbase_checkouts_sandbox.idempotency import forget_old_answers
from coinbase_checkouts_sandbox.keys import VerificationKey
from coinbase_checkouts_sandbox.operations import perform
from coinbase_checkouts_sandbox.readings import DEFAULT, Readings
from coinbase_checkouts_sandbox.requests import LARGEST_BODY_BYTES, Call, Request, judge
from coinbase_checkouts_sandbox.requests_log import RequestsLog
from coinbase_checkouts_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx

Perform = Callable[[World, Request], Awaitable[Answer]]


def create_app(
    *,
    database: str = "sqlite://",
    keys: Mapping[str, VerificationKey] | None = None,
    clock: Callable[[], int] = wall_clock_ms,
    readings: Readings = DEFAULT,
    fee_rate: Decimal = money.FEE_RATE,
    remote: bool = False,
    remote_control: bool = False,
    remote_webhooks: bool = False,
    webhook_transport: "httpx.AsyncBaseTransport | None" = None,
) -> Starlette:
    """
    The sandbox as an ASGI application; needs no server to be tried (httpx.ASGITransport).

    Args:
        database: Any SQLAlchemy URL; the default is memory.
        keys: Keys that may sign tokens, by id. None: no token is asked for.
        clock: Real time in milliseconds since the epoch; what the clock was moved by is added to it, except for tokens.
        fee_rate: Part of a payment that is kept as fee.
        remote: Let payers use the payment page from other machines.
        remote_control: Answer control calls to other machines too.
        remote_webhooks: Send events to other machines too, over HTTPS.
        webhook_transport: Takes webhooks in place of the network, say httpx.ASGITransport of the program under test.

    `app.state.world.store.close()` closes the database where no lifespan is run.

    Raises:
        DatabaseError: The database cannot be used.
    """
    store = open_store(database)
    world = World(
        store=store,
        committer=Committer(store),
        real_ms=clock,
        token_hex=secrets.token_hex,
        keys=keys,
        readings=readings,
        fee_rate=fee_rate,
        remote=remote,
        remote_control=remote_control,
        remote_webhooks=remote_webhooks,
    )
    with store.writing() as transaction:
        forget_old_answers(world, transaction)
    courier = Courier(world, transport=webhook_transport)
    log = RequestsLog()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> "AsyncGenerator[None]":
        courier.start()
        yield
        await courier.stop()
        world.store.close()

    app = Starlette(routes=[*_calls(world, courier, log), *_pages(world, log)], lifespan=lifespan)
    # /checkouts/ is not /checkouts, and a redirect would lead a signed request to a path it was not signed for.
    app.router.redirect_slashes = False
    app.router.default = Endpoint({}, log)
    app.state.world = world
    app.state.courier = courier
    return app


def _calls(world: World, courier: Courier, log: RequestsLog) -> list[Route]:
    """What programs call: the API, the subscriptions, and the control of this sandbox."""
    table: dict[str, dict[str, Respond]] = {}
    for api, does in ((description.load(), perform), (subscriptions.load(), subscriptions.perform)):
        for operation in api.operations:
            for prefix in api.prefixes:
                table.setdefault(prefix + operation.path, {})[operation.method] = _operation(world, operation, does)
    handles = {**control.CONTROLS, **webhook_controls.controls(courier)}
    for operation in control.describe().operations:
        table.setdefault(operation.path, {})[operation.method] = _control(world, operation, handles[operation.id])
    limits = {"/__sandbox__/restore": control.LARGEST_BODY_BYTES}
    return [
        Route(path, Endpoint(methods, log, body_limit=limits.get(path, LARGEST_BODY_BYTES)))
        for path, methods in table.items()
    ]


def _pages(world: World, log: RequestsLog) -> list[Route]:
    """What people look at, and what is not there."""
    routes: list[Route] = []
    for page in (*pages.pages(world), *overview.pages(world, log)):
        told = rendering.told if page.html else None
        routes.append(Route(page.path, Endpoint({page.method: page.respond}, log, told=told, quiet=page.quiet)))
    missing = Endpoint({}, log, otherwise=unemulated.answer)
    return [
        *routes,
        *(Route(path, missing) for prefix in description.load().prefixes for path in unemulated.paths(prefix)),
    ]


def _operation(world: World, operation: Operation, does: Perform) -> Respond:
    async def respond(call: Call) -> Answer:
        if world.keys is None:
            admission.refuse_other_sites(call, remote=False)
        else:
            key = tokens.authenticate(
                [value for name, value in call.headers if name == "authorization"],
                world.keys,
                method=call.method,
                host=call.header("host") or "",
                path=call.raw_path,
                now_s=world.real_ms() / 1000,
            )
            tokens.authorize(key, operation.id, world.readings)
        request = judge(call, operation, world.readings)
        try:
            return await does(world, request)
        except faults.FaultsArmedError:
            with world.store.writing() as transaction:
                rules = faults.take_strikes(transaction, operation.id)
            return await faults.suffer(rules, lambda: does(world, replace(request, spared=True)))

    return respond


def _control(world: World, operation: Operation, handle: control.Handle) -> Respond:
    def respond(call: Call) -> Answer | Awaitable[Answer]:
        admission.admit(call, remote=world.remote_control)
        return handle(world, judge(call, operation, world.readings))

    return respond
