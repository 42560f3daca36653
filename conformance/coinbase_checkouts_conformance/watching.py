"""
What a user's test says to a server, kept while it runs, and held against the invariants when it is over.

It listens on the server's side of a sandbox, and at httpx clients; nothing that is sent or answered is changed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl

import httpx

from .invariants import Finding, check
from .traffic import Conversation, Recorded, recorded

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)

_BEGAN: Final = "coinbase_checkouts_began"


@dataclass
class Watch:
    """The conversation of one test, called *name*."""

    name: str
    conversation: Conversation = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.conversation = Conversation(self.name, "sandbox")

    def watch(self, client: Client) -> Client:
        """Listen to *client* from now on, whatever server it speaks to; the client itself comes back."""
        hooks = client.event_hooks
        if isinstance(client, httpx.AsyncClient):
            hooks["request"].append(self._async_began)
            hooks["response"].append(self._async_answered)
        else:
            hooks["request"].append(self._began)
            hooks["response"].append(self._answered)
        client.event_hooks = hooks
        return client

    @property
    def findings(self) -> list[Finding]:
        """What cannot be, of all that was said so far."""
        with self._lock:
            return check(self.conversation)

    @property
    def text(self) -> str:
        """The findings for a person; empty if there are none."""
        found = self.findings
        told = [f"  {one}\n    {one.invariant.sentence}\n    source {one.invariant.source}" for one in found]
        return "\n".join([f"checkouts_invariants: {len(found)} broken by the server's answers", *told]) if found else ""

    def around(self, app: ASGIApp) -> ASGIApp:
        """*app*, listened to."""

        async def listening(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            asked, answered = bytearray(), bytearray()
            start: dict[str, Any] = {}

            async def receiving() -> Message:
                message = await receive()
                asked.extend(message.get("body", b""))
                return message

            async def sending(message: Message) -> None:
                start.update(message)
                answered.extend(message.get("body", b""))
                await send(message)

            began = datetime.now(UTC)
            await app(scope, receiving, sending)
            if "status" in start:
                headers = _named(start["headers"])
                self._keep(self._asked(scope, bytes(asked), start["status"], headers, bytes(answered)), began)

        return listening

    def _asked(self, scope: Scope, asked: bytes, status: int, headers: Mapping[str, str], answered: bytes) -> Recorded:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        return Recorded(
            replace(self.conversation.place(), target="checkouts_sandbox"),
            scope["method"],
            raw.partition(b"?")[0].decode("ascii", "replace"),
            tuple(parse_qsl(scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)),
            {name: value for name, value in _named(scope["headers"]).items() if name != "authorization"},
            asked,
            status,
            headers,
            answered,
        )

    def _keep(self, one: Recorded, began: datetime) -> None:
        with self._lock:
            place = replace(one.place, index=len(self.conversation.exchanges))
            self.conversation.exchanges.append(replace(one, place=place, span=(began, datetime.now(UTC))))

    def _began(self, request: httpx.Request) -> None:
        request.extensions[_BEGAN] = datetime.now(UTC)

    def _answered(self, response: httpx.Response) -> None:
        response.read()
        self._told(response)

    async def _async_began(self, request: httpx.Request) -> None:
        self._began(request)

    async def _async_answered(self, response: httpx.Response) -> None:
        await response.aread()
        self._told(response)

    def _told(self, response: httpx.Response) -> None:
        request, url = response.request, response.request.url
        place = replace(self.conversation.place(), target=f"{url.scheme}://{url.netloc.decode('ascii')}")
        headers = {name.lower(): value for name, value in response.headers.items()}
        one = recorded(place, request, response.status_code, headers, response.content)
        self._keep(one, request.extensions[_BEGAN])


def _named(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
