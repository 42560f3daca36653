"""
The server as an ASGI application: routes, errors and the request log.

Every answer is computed by plain functions on a request that was read to its end, called inline from the event loop.
That is on purpose: a request takes less than a millisecond, and the writes wait for one writer, so threads would only
queue for the same lock; and one request at a time per process leaves nothing half done for another to see. Several
processes may share a database.
"""

import asyncio
import logging
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Route

from coinbase_checkouts_sandbox import (
    admission,
    control,
    description,
    faults,
    money,
    page,
    subscriptions,
    tokens,
    webhook_controls,
)
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339, wall_clock_ms
from coinbase_checkouts_sandbox.commits import Committer
from coinbase_checkouts_sandbox.courier import Courier
from coinbase_checkouts_sandbox.database import open_store
from coinbase_checkouts_sandbox.description import Operation
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.keys import VerificationKey
from coinbase_checkouts_sandbox.operations import perform
from coinbase_checkouts_sandbox.readings import DEFAULT, Readings
from coinbase_checkouts_sandbox.requests import LARGEST_BODY_BYTES, Call, Request, judge
from coinbase_checkouts_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx
    from starlette.types import Receive, Scope, Send

LOG: Final = logging.getLogger("coinbase_checkouts_sandbox")

# A body beyond the limit is read to its end and thrown away, because a sender that is cut off cannot read the refusal;
# but not without end.
_MOST_DRAINED_BYTES: Final = 64 << 20

# By this name the server (see serving) and the in-process transport hand in how a connection is dropped.
DROP: Final = "coinbase_checkouts.drop"

Respond = Callable[[Call], Awaitable[Answer]]
Perform = Callable[[World, Request], Awaitable[Answer]]


def create_app(
    *,
    database: str = "sqlite://",
    keys: Mapping[str, VerificationKey] | None = None,
    clock: Callable[[], int] = wall_clock_ms,
    readings: Readings = DEFAULT,
    fee_rate: Decimal = money.FEE_RATE,
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
        remote_control=remote_control,
        remote_webhooks=remote_webhooks,
    )
    courier = Courier(world, transport=webhook_transport)
    table: dict[str, dict[str, Respond]] = {}
    for api, does in ((description.load(), perform), (subscriptions.load(), subscriptions.perform)):
        for operation in api.operations:
            for prefix in api.prefixes:
                table.setdefault(prefix + operation.path, {})[operation.method] = _operation(world, operation, does)
    calls = {**control.CONTROLS, **webhook_controls.controls(courier)}
    for operation in control.describe().operations:
        table.setdefault(operation.path, {})[operation.method] = _control(world, operation, calls[operation.id])
    table[page.PATH] = {"GET": _page(world)}

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> "AsyncGenerator[None]":
        courier.start()
        yield
        await courier.stop()
        world.store.close()

    largest = {"/__sandbox__/restore": control.LARGEST_BODY_BYTES}
    routes = [
        Route(path, Endpoint(methods, body_limit=largest.get(path, LARGEST_BODY_BYTES)))
        for path, methods in table.items()
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    # /checkouts/ is not /checkouts, and a redirect would lead a signed request to a path it was not signed for.
    app.router.redirect_slashes = False
    app.router.default = Endpoint({})
    app.state.world = world
    app.state.courier = courier
    return app


class Endpoint:
    """All methods of one path. With none, it is what unknown paths come to."""

    def __init__(self, methods: Mapping[str, Respond], *, body_limit: int = LARGEST_BODY_BYTES) -> None:
        self._methods = methods
        self._body_limit = body_limit

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Read the request, answer it, and log both on one line."""
        started = time.perf_counter()
        correlation_id = f"{secrets.token_hex(8)}-SANDBOX"
        try:
            call = await _read(StarletteRequest(scope, receive), self._body_limit)
            answer = await self._answer(call, correlation_id)
        except ClientDisconnect:
            # Half a request: nothing was done, and nobody is there to be told.
            LOG.info("%s disconnected before the end of its request; correlation %s", scope["method"], correlation_id)
            return
        except asyncio.CancelledError:
            # The server is being stopped, and has waited long enough for the rest of the request or of a fault.
            refusal = ApiError(503, "the sandbox was stopped before the request was answered")
            LOG.info("stopped before a %s was answered; correlation %s", scope["method"], correlation_id)
            await _response(_told(refusal, correlation_id))(scope, receive, send)
            return
        LOG.info(
            "%s %s %s %d in %.1f ms; correlation %s",
            rfc3339(wall_clock_ms()),
            call.method,
            call.raw_path,
            answer.status,
            (time.perf_counter() - started) * 1000,
            correlation_id,
        )
        if answer.kept_bytes is None:
            await _response(answer)(scope, receive, send)
        else:
            await _broken_off(answer, answer.kept_bytes, scope, receive, send)

    async def _answer(self, call: Call, correlation_id: str) -> Answer:
        try:
            return await self._method(call.method)(call)
        except ApiError as exc:
            refusal = exc
        except DBAPIError as exc:
            # Locked for too long, disk full, read-only, connection lost. Its transaction was undone.
            LOG.error("database: %s; correlation %s", " ".join(str(exc.orig).split()), correlation_id)  # noqa: TRY400
            refusal = ApiError(503, "Service unavailable. Please try again later.")
        except Exception as exc:  # noqa: BLE001, a server answers whatever happens
            # Where it happened but not its message, which may quote the request.
            place = "".join(traceback.format_tb(exc.__traceback__))
            LOG.error("%s; correlation %s\n%s", type(exc).__name__, correlation_id, place)  # noqa: TRY400
            refusal = ApiError(500, "An internal server error occurred. Please try again later.")
        return _told(refusal, correlation_id)

    def _method(self, method: str) -> Respond:
        if not self._methods:
            raise ApiError(404, "there is nothing at this path")
        if method not in self._methods:
            allowed = ", ".join(self._methods)
            raise ApiError(405, f"this path answers {allowed} only", headers={"Allow": allowed})
        return self._methods[method]


def _told(refusal: ApiError, correlation_id: str) -> Answer:
    return Answer.json(refusal.status, refusal.body(correlation_id), refusal.headers)


def _response(answer: Answer) -> Response:
    headers = {**answer.headers, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(answer.body, answer.status, headers, answer.media_type or None)


async def _broken_off(answer: Answer, kept_bytes: int, scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Send so much of the body, and drop the connection."""
    if answer.status:
        response = _response(answer)
        await send({"type": "http.response.start", "status": answer.status, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": answer.body[:kept_bytes], "more_body": True})
    scope["extensions"][DROP]()
    # Until the server knows it, too; it would complain of an answer without an end.
    while (await receive())["type"] != "http.disconnect":
        pass


def _operation(world: World, operation: Operation, perform: Perform) -> Respond:
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
            return await perform(world, request)
        except faults.FaultsArmedError:
            return await _struck(world, request)

    return respond


async def _struck(world: World, request: Request) -> Answer:
    """What a request is answered that faults may strike; only the operations of checkouts heed them."""
    with world.store.writing() as transaction:
        rules = faults.take_strikes(transaction, request.operation.id)
    return await faults.suffer(rules, lambda: perform(world, replace(request, spared=True)))


def _control(world: World, operation: Operation, handle: control.Handle) -> Respond:
    async def respond(call: Call) -> Answer:
        admission.admit(call, remote=world.remote_control)
        answer = handle(world, judge(call, operation, world.readings))
        return answer if isinstance(answer, Answer) else await answer

    return respond


def _page(world: World) -> Respond:
    async def respond(call: Call) -> Answer:
        return page.answer(world, call)

    return respond


async def _read(request: StarletteRequest, limit: int) -> Call:
    """
    The whole request. No more of a body than the limit is kept.

    Raises:
        ClientDisconnect: The sender went away in the middle.
    """
    body = bytearray()
    drained = 0
    async for chunk in request.stream():
        if len(body) <= limit:
            body += chunk
        drained += len(chunk)
        if drained > max(limit, _MOST_DRAINED_BYTES):
            break
    scope = request.scope
    return Call(
        method=request.method,
        # Present in uvicorn and httpx; the specification of ASGI calls it optional.
        raw_path=scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        query=scope["query_string"],
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=bytes(body[: limit + 1]),
        body_limit=limit,
        origin=_origin(scope),
        client=scope["client"][0] if scope.get("client") else None,
        path_parameters=dict(request.path_params),
    )


def _origin(scope: "Scope") -> str:
    """From the socket and not from the Host header, which may hold anything."""
    host, port = scope.get("server") or ("localhost", None)
    host = f"[{host}]" if ":" in host else host
    return f"{scope['scheme']}://{host}:{port}" if port else f"{scope['scheme']}://{host}"
