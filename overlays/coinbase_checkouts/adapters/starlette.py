"""
Starlette and FastAPI.

    app.add_route("/webhooks", webhook(SECRET, receive), methods=["POST"])
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from coinbase_checkouts.handlers import settled
from coinbase_checkouts.webhooks import Event

from . import BODY_LIMIT_BYTES, DONE, TOO_LARGE, WRONG_METHOD, Gate, Secret, called

Endpoint = Callable[[Request], Awaitable[Response]]


def webhook(secret: Secret, receive: Callable[[Event], object], *, limit_bytes: int = BODY_LIMIT_BYTES) -> Endpoint:
    """
    The endpoint for your route.

    Args:
        receive: Called with each verified event; async, or else run in a thread.
        limit_bytes: More is not read.
    """
    gate, receive = Gate(secret, limit_bytes), called(receive)

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return Response(status_code=WRONG_METHOD, headers={"Allow": "POST"})
        try:
            body = await _body(request, limit_bytes)
        except ClientDisconnect:
            # There is nobody to read it; it will be sent again.
            return Response(status_code=408)
        event = TOO_LARGE if body is None else gate.event(body, request.headers.items())
        if isinstance(event, int):
            # What was not read yet would be taken for the next request.
            return Response(status_code=event, headers={"Connection": "close"} if event == TOO_LARGE else None)
        result = receive(event) if inspect.iscoroutinefunction(receive) else await run_in_threadpool(receive, event)
        settled("receive", await result if inspect.isawaitable(result) else result)
        return Response(status_code=DONE)

    return endpoint


async def _body(request: Request, limit_bytes: int) -> bytes | None:
    """None if it is larger than that."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit_bytes:
            return None
    return bytes(body)
