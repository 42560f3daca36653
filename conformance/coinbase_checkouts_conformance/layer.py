"""
A layer in front of a server: it is handed every request whole, and answers it itself or lets the server answer.

Both kinds of wrong server stand on it: those for users' tests (`wrong_servers`) and those for the suite (`mutants`).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from coinbase_checkouts_sandbox.endpoints import DROP

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a request asks for, by method and path.
_ACTS: Final = (
    ("create", "POST", re.compile(r"(/sandbox)?/api/v1/checkouts")),
    ("list", "GET", re.compile(r"(/sandbox)?/api/v1/checkouts")),
    ("get", "GET", re.compile(r"(/sandbox)?/api/v1/checkouts/[^/]+")),
    ("deactivate", "POST", re.compile(r"(/sandbox)?/api/v1/checkouts/[^/]+/deactivate")),
    ("refund", "POST", re.compile(r"(/sandbox)?/api/v1/checkouts/[^/]+/refund")),
    ("pay", "POST", re.compile(r"/__sandbox__/checkouts/[^/]+/pay")),
    ("settle", "POST", re.compile(r"/__sandbox__/checkouts/[^/]+/refunds/[^/]+/settle")),
    ("advance", "POST", re.compile(r"/__sandbox__/clock/advance")),
    ("subscribe", "POST", re.compile(r"/platform/v2/data/webhooks/subscriptions")),
    ("flush", "POST", re.compile(r"/__sandbox__/webhooks/flush")),
)
OPERATIONS: Final = frozenset({"create", "get", "list", "deactivate", "refund"})
KEY_HEADER: Final = b"x-idempotency-key"

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Ask:
    """A request, read to its end; *act* is empty if it is none that matters here."""

    act: str
    method: str
    path: str
    query: bytes
    headers: Headers
    body: bytes

    @property
    def checkout_id(self) -> str:
        """The id in the path."""
        return self.path.partition("/checkouts/")[2].partition("/")[0]

    @property
    def key(self) -> bytes | None:
        """The idempotency key."""
        return dict(self.headers).get(KEY_HEADER)

    @property
    def same(self) -> tuple[str, str, bytes, bytes]:
        """Equal for two attempts at one thing."""
        return (self.act, self.path, self.query, self.key or self.body)

    def under(self, key: bytes | None = None) -> Ask:
        """The same under another idempotency key, a new one unless it is given."""
        return self.with_header(KEY_HEADER, str(uuid.uuid4()).encode() if key is None else key)

    def with_header(self, name: bytes, value: bytes | None) -> Ask:
        """The same with one header set; None takes it off."""
        others = tuple(pair for pair in self.headers if pair[0] != name)
        return replace(self, headers=others if value is None else (*others, (name, value)))

    def saying(self, content: Any) -> Ask:
        """The same with *content* as its JSON body."""
        return replace(self, body=json.dumps(content).encode())


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    body: bytes
    headers: Headers = ((b"content-type", b"application/json"),)

    @property
    def is_good(self) -> bool:
        return self.status < 300

    def saying(self, content: Any) -> Reply:
        """The same with *content* as its JSON body."""
        return replace(self, body=json.dumps(content).encode())


class CutError(Exception):
    """Cut the connection instead of answering."""


Forward = Callable[[Ask], Awaitable[Reply]]
Answering = Callable[[Ask, Forward], Awaitable[Reply]]


class Layer:
    """An ASGI application around another; *answer* is asked for each request that is one of the acts above."""

    def __init__(self, app: ASGIApp, answer: Answering) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        act = _act(scope)
        if not act:
            await self._app(scope, receive, send)
            return
        ask = Ask(
            act, scope["method"], scope["path"], scope["query_string"], tuple(scope["headers"]), await _body(receive)
        )

        async def forward(changed: Ask) -> Reply:
            return await self._forwarded(scope, changed)

        try:
            reply = await self._answer(ask, forward)
        except CutError:
            scope["extensions"][DROP]()
            # Until the connection is gone; the server would complain of a request without an answer.
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        headers = [(name, value) for name, value in reply.headers if name.lower() != b"content-length"]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _forwarded(self, scope: Scope, ask: Ask) -> Reply:
        inner = {
            **scope,
            "method": ask.method,
            "path": ask.path,
            # Escapes stay as they came: a token may have been signed with them.
            "raw_path": scope["raw_path"] if ask.path == scope["path"] else quote(ask.path).encode(),
            "query_string": ask.query,
            "headers": _with_length(ask.headers, len(ask.body)),
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": ask.body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        def drop() -> None:
            raise CutError

        # A fault of the sandbox that cuts the connection cuts this one.
        await self._app({**inner, "extensions": {**scope.get("extensions", {}), DROP: drop}}, receive, send)
        start = messages[0]
        return Reply(
            start["status"], b"".join(message.get("body", b"") for message in messages[1:]), tuple(start["headers"])
        )


def _act(scope: Scope) -> str:
    if scope["type"] != "http":
        return ""
    method, path = scope["method"], scope["path"]
    return next((act for act, wanted, pattern in _ACTS if method == wanted and pattern.fullmatch(path)), "")


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _with_length(headers: Sequence[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    others = [pair for pair in headers if pair[0] != b"content-length"]
    return [*others, (b"content-length", str(length).encode())] if length or len(others) < len(headers) else others


def content_of(body: bytes) -> Any:
    """The JSON in *body*; what the sandbox will refuse anyhow is an empty object."""
    # RecursionError: arrays nested by the thousand.
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    return {}


def edited(reply: Reply, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
    """*reply* with every checkout in it edited."""
    if not reply.is_good:
        return reply
    content = content_of(reply.body)
    if not isinstance(content, dict) or not content:
        return reply
    for holder, name in _holders(content):
        holder[name] = edit(holder[name])
    if "status" in content and "address" in content:
        content = edit(content)
    return reply.saying(content)


def _holders(content: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if "checkout" in content:
        yield content, "checkout"
    listed = content.get("checkouts", [])
    yield from ((listed, index) for index in range(len(listed)))


def each_object(content: Any, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """*content* with every object in it edited, the innermost first."""
    if isinstance(content, list):
        return [each_object(one, edit) for one in content]
    if isinstance(content, dict):
        # metadata is the merchant's own, and nobody else writes into it.
        items = content.items()
        return edit({name: value if name == "metadata" else each_object(value, edit) for name, value in items})
    return content


def error(status: int, error_type: str, message: str = "A server that is wrong on purpose.") -> Reply:
    """A refusal as the API tells them."""
    content: Mapping[str, str] = {
        "errorType": error_type,
        "errorMessage": message,
        "correlationId": "wrong-on-purpose",
    }
    return Reply(status, json.dumps(content).encode())
