"""
The server as an ASGI application: routes, errors and the request log.

Every answer is computed by a plain function on a request that was read to its end, called inline from the event loop.
That is on purpose: a request takes about a millisecond, most of it the database's single writer, so threads would only
queue for the same lock; and one request at a time per process leaves nothing half done for another to see. Several
processes may share a database.
"""

import asyncio
import logging
import secrets
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Route

from coinbase_checkouts_sandbox import control, description, money, overview, pages, rendering, tokens, unemulated
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339, wall_clock_ms
from coinbase_checkouts_sandbox.database import open_store
from coinbase_checkouts_sandbox.description import Operation
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.keys import VerificationKey
from coinbase_checkouts_sandbox.operations import HANDLERS
from coinbase_checkouts_sandbox.readings import DEFAULT, Readings
from coinbase_checkouts_sandbox.requests import LARGEST_BODY_BYTES, Call, judge
from coinbase_checkouts_sandbox.requests_log import Answered, RequestsLog
from coinbase_checkouts_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

LOG: Final = logging.getLogger("coinbase_checkouts_sandbox")

# A body beyond the limit is read to its end and thrown away, because a sender that is cut off cannot read the refusal;
# but not without end.
_MOST_DRAINED_BYTES: Final = 64 << 20

Respond = Callable[[Call], Answer]
Told = Callable[[ApiError, str, Call], Answer]


def create_app(
    *,
    database: str = "sqlite://",
    keys: Mapping[str, VerificationKey] | None = None,
    clock: Callable[[], int] = wall_clock_ms,
    readings: Readings = DEFAULT,
    fee_rate: Decimal = money.FEE_RATE,
) -> Starlette:
    """
    The sandbox as an ASGI application; needs no server to be tried (httpx.ASGITransport).

    Args:
        database: Any SQLAlchemy URL; the default is memory.
        keys: Keys that may sign tokens, by id. None: no token is asked for.
        clock: Real time in milliseconds since the epoch; what the clock was moved by is added to it, except for tokens.
        fee_rate: Part of a payment that is kept as fee.

    `app.state.world.store.close()` closes the database where no lifespan is run.

    Raises:
        DatabaseError: The database cannot be used.
    """
    api = description.load()
    world = World(
        store=open_store(database),
        real_ms=clock,
        token_hex=secrets.token_hex,
        keys=keys,
        readings=readings,
        fee_rate=fee_rate,
    )
    table: dict[str, dict[str, Respond]] = {}
    for operation in api.operations:
        for prefix in api.prefixes:
            table.setdefault(prefix + operation.path, {})[operation.method] = _operation(world, operation)
    for call in control.CONTROLS:
        table.setdefault(call.path, {})[call.method] = _control(world, call)
    log = RequestsLog()
    routes = [Route(path, Endpoint(methods, log)) for path, methods in table.items()]
    for page in (*pages.pages(world), *overview.pages(world, log)):
        told = rendering.told if page.html else _told
        routes.append(Route(page.path, Endpoint({page.method: page.respond}, log, told=told, quiet=page.quiet)))
    missing = Endpoint({}, log, otherwise=unemulated.answer)
    routes += [Route(path, missing) for prefix in api.prefixes for path in unemulated.paths(prefix)]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> "AsyncGenerator[None]":
        yield
        world.store.close()

    app = Starlette(routes=routes, lifespan=lifespan)
    # /checkouts/ is not /checkouts, and a redirect would lead a signed request to a path it was not signed for.
    app.router.redirect_slashes = False
    app.router.default = Endpoint({}, log)
    app.state.world = world
    return app


class Endpoint:
    """
    All methods of one path. With none, it is what unknown paths come to.

    Args:
        log: What people are shown is added to it.
        otherwise: Answers the methods that are not listed.
        told: How a refusal is told.
        quiet: Not shown to people, and not logged unless it is refused.
    """

    def __init__(
        self,
        methods: Mapping[str, Respond],
        log: RequestsLog,
        *,
        otherwise: Respond | None = None,
        told: Told | None = None,
        quiet: bool = False,
    ) -> None:
        self._methods = methods
        self._log = log
        self._otherwise = otherwise
        self._told = told or _told
        self._quiet = quiet

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Read the request, answer it, and log both on one line."""
        started = time.perf_counter()
        correlation_id = f"{secrets.token_hex(8)}-SANDBOX"
        try:
            call = await _read(StarletteRequest(scope, receive))
        except ClientDisconnect:
            # Half a request: nothing was done, and nobody is there to be told.
            LOG.info("%s disconnected before the end of its request; correlation %s", scope["method"], correlation_id)
            return
        except asyncio.CancelledError:
            # The server is being stopped and has waited long enough for the rest. Nothing was done either.
            refusal = ApiError(503, "the sandbox was stopped before the end of the request")
            LOG.info("stopped before the end of a %s; correlation %s", scope["method"], correlation_id)
            await _response(Answer.json(refusal.status, refusal.body(correlation_id)))(scope, receive, send)
            return
        answer = self._answer(call, correlation_id)
        now_ms, elapsed_ms = wall_clock_ms(), (time.perf_counter() - started) * 1000
        LOG.log(
            # Refusals always: people are told to look for the correlation id.
            logging.DEBUG if self._quiet and answer.status < 400 else logging.INFO,
            "%s %s %s %d in %.1f ms; correlation %s",
            rfc3339(now_ms),
            call.method,
            call.raw_path,
            answer.status,
            elapsed_ms,
            correlation_id,
        )
        if not self._quiet:
            self._log.add(Answered(now_ms, call.method, call.raw_path, answer.status, elapsed_ms, correlation_id))
        await _response(answer)(scope, receive, send)

    def _answer(self, call: Call, correlation_id: str) -> Answer:
        try:
            return self._method(call.method)(call)
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
        return self._told(refusal, correlation_id, call)

    def _method(self, method: str) -> Respond:
        if self._otherwise is not None:
            return self._methods.get(method, self._otherwise)
        if not self._methods:
            raise ApiError(404, "there is nothing at this path")
        if method not in self._methods:
            allowed = ", ".join(self._methods)
            raise ApiError(405, f"this path answers {allowed} only", headers={"Allow": allowed})
        return self._methods[method]


def _told(refusal: ApiError, correlation_id: str, _call: Call) -> Answer:
    return Answer.json(refusal.status, refusal.body(correlation_id), refusal.headers)


def _response(answer: Answer) -> Response:
    headers = {"Cache-Control": "no-store", **answer.headers, "X-Content-Type-Options": "nosniff"}
    return Response(answer.body, answer.status, headers, answer.media_type)


def _operation(world: World, operation: Operation) -> Respond:
    handle = HANDLERS[operation.id]

    def respond(call: Call) -> Answer:
        if world.keys is None:
            control.refuse_other_sites(call)
        else:
            tokens.authenticate(
                [value for name, value in call.headers if name == "authorization"],
                world.keys,
                method=call.method,
                host=call.header("host") or "",
                path=call.raw_path,
                now_s=world.real_ms() / 1000,
            )
        return handle(world, judge(call, operation, world.readings))

    return respond


def _control(world: World, called: control.Control) -> Respond:
    def respond(call: Call) -> Answer:
        control.admit(call)
        return called.handle(world, call)

    return respond


async def _read(request: StarletteRequest) -> Call:
    """
    The whole request. No more of a body than the limit is kept.

    Raises:
        ClientDisconnect: The sender went away in the middle.
    """
    body = bytearray()
    drained = 0
    async for chunk in request.stream():
        if len(body) <= LARGEST_BODY_BYTES:
            body += chunk
        drained += len(chunk)
        if drained > _MOST_DRAINED_BYTES:
            break
    scope = request.scope
    return Call(
        method=request.method,
        # Present in uvicorn and httpx; the specification of ASGI calls it optional.
        raw_path=scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        query=scope["query_string"],
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=bytes(body[: LARGEST_BODY_BYTES + 1]),
        body_too_large=len(body) > LARGEST_BODY_BYTES,
        origin=_origin(scope),
        client=scope["client"][0] if scope.get("client") else None,
        path_parameters=dict(request.path_params),
    )


def _origin(scope: "Scope") -> str:
    """From the socket and not from the Host header, which may hold anything."""
    host, port = scope.get("server") or ("localhost", None)
    host = f"[{host}]" if ":" in host else host
    return f"{scope['scheme']}://{host}:{port}" if port else f"{scope['scheme']}://{host}"
