"""
One path as an ASGI application: a request is read to its end, answered by a function, and logged.

Answers are computed inline from the event loop. That is on purpose: a request takes less than a millisecond, and the
writes wait for one writer, so threads would only queue for the same lock; and one request at a time per process leaves
nothing half done for another to see. Several processes may share a database; what one has locked for longer is waited
for between requests (see patience).
"""

import asyncio
import logging
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339, wall_clock_ms
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.patience import patiently
from coinbase_checkouts_sandbox.requests import LARGEST_BODY_BYTES, Call
from coinbase_checkouts_sandbox.requests_log import Answered, RequestsLog

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

LOG: Final = logging.getLogger("coinbase_checkouts_sandbox")

# By this name the server (see serving) and the in-process transport hand in how a connection is dropped.
DROP: Final = "coinbase_checkouts.drop"

# A body beyond the limit is read to its end and thrown away, because a sender that is cut off cannot read the refusal;
# but not without end.
_MOST_DRAINED_BYTES: Final = 64 << 20

Respond = Callable[[Call], Answer | Awaitable[Answer]]
Told = Callable[[ApiError, str, Call], Answer]


class Endpoint:
    """
    All methods of one path. With none, it is what unknown paths come to.

    Args:
        log: What people are shown is added to it.
        otherwise: Answers the methods that are not listed.
        told: How a refusal is told, given with its correlation id.
        quiet: Not shown to people, and not logged unless it is refused.
        body_limit: Most bytes of a body.
    """

    def __init__(
        self,
        methods: Mapping[str, Respond],
        log: RequestsLog,
        *,
        otherwise: Respond | None = None,
        told: Told | None = None,
        quiet: bool = False,
        body_limit: int = LARGEST_BODY_BYTES,
    ) -> None:
        self._methods = methods
        self._log = log
        self._otherwise = otherwise
        self._told = told or _told
        self._quiet = quiet
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
            await _response(Answer.json(refusal.status, refusal.body(correlation_id)))(scope, receive, send)
            return
        now_ms, elapsed_ms = wall_clock_ms(), (time.perf_counter() - started) * 1000
        # Refusals always: people are told to look for the correlation id.
        level = logging.DEBUG if self._quiet and answer.status < 400 else logging.INFO
        if LOG.isEnabledFor(level):
            LOG.log(
                level,
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
        if answer.kept_bytes is None:
            await _response(answer)(scope, receive, send)
        else:
            await _broken_off(answer, answer.kept_bytes, scope, receive, send)

    async def _answer(self, call: Call, correlation_id: str) -> Answer:
        async def attempt() -> Answer:
            answer = self._method(call.method)(call)
            return answer if isinstance(answer, Answer) else await answer

        try:
            return await patiently(attempt)
        except ApiError as exc:
            refusal = exc
        except DBAPIError as exc:
            # Locked for too long, disk full, read-only, connection lost. Its transaction was undone.
            LOG.error("database: %s; correlation %s", " ".join(str(exc.orig).split()), correlation_id)  # noqa: TRY400
            done = "read" if call.method == "GET" else "written"
            refusal = ApiError(503, f"the sandbox's database cannot be {done} at the moment; its log says why")
        except Exception as exc:  # noqa: BLE001, a server answers whatever happens
            # Where it happened but not its message, which may quote the request.
            place = "".join(traceback.format_tb(exc.__traceback__))
            LOG.error("%s; correlation %s\n%s", type(exc).__name__, correlation_id, place)  # noqa: TRY400
            refusal = ApiError(500, "An internal server error occurred. Please try again later.")
        return self._told(refusal, correlation_id, call)

    def _method(self, method: str) -> Respond:
        if method in self._methods:
            return self._methods[method]
        if self._otherwise is not None:
            return self._otherwise
        if not self._methods:
            raise ApiError(404, "there is nothing at this path")
        allowed = ", ".join(self._methods)
        raise ApiError(405, f"this path answers {allowed} only", headers={"Allow": allowed})


def _told(refusal: ApiError, correlation_id: str, _call: Call) -> Answer:
    return Answer.json(refusal.status, refusal.body(correlation_id), refusal.headers)


def _response(answer: Answer) -> Response:
    headers = {"Cache-Control": "no-store", **answer.headers, "X-Content-Type-Options": "nosniff"}
    return Response(answer.body, answer.status, headers, answer.media_type or None)


async def _broken_off(answer: Answer, kept_bytes: int, scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Send so much of the body, and drop the connection."""
    if answer.status:
        response = _response(answer)
        await send({"type": "http.response.start", "status": answer.status, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": answer.body[:kept_bytes], "more_body": True})
    drop = (scope.get("extensions") or {}).get(DROP)
    if drop is None:
        # Under another server or transport; this is how both learn that there will be no answer.
        raise ConnectionResetError("a fault of the sandbox dropped the connection")
    drop()
    # Until the server knows it, too; it would complain of an answer without an end.
    while (await receive())["type"] != "http.disconnect":
        pass


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
