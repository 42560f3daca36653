"""What a wrong server is: a name, a sentence, a kind, the claims that must catch it, and what it does to a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from coinbase_checkouts_conformance.layer import OPERATIONS, Ask, CutError, Forward, Layer, Reply, content_of, edited
from coinbase_checkouts_conformance.tokens import Tokens

from .edits import asking, without

if TYPE_CHECKING:
    from starlette.types import ASGIApp

SCHEMA: Final = "response-schema"
PROSE: Final = "response-prose"
HTTP: Final = "http"
AUTH: Final = "auth"
VALIDATION: Final = "request-validation"
STRICT: Final = "over-strict"
REQUEST_PROSE: Final = "request-prose"
STATE: Final = "state"
PAGES: Final = "pagination"
KEYS: Final = "idempotency"
REFUND: Final = "refund"
CROSS: Final = "cross-field"
TIME: Final = "events of time"
KINDS: Final = (
    SCHEMA,
    PROSE,
    HTTP,
    AUTH,
    VALIDATION,
    STRICT,
    REQUEST_PROSE,
    STATE,
    PAGES,
    KEYS,
    REFUND,
    CROSS,
    TIME,
)
# Of what is right although it differs.
HARMLESS: Final = "harmless"


@dataclass
class Server:
    """
    What a wrong server has at hand.

    Attributes:
        forward: What asks the sandbox.
        seen: Its memory.
        passed_s: How far the clock was moved.
    """

    tokens: Tokens
    forward: Forward = field(init=False)
    seen: dict[Any, Any] = field(default_factory=dict)
    passed_s: int = 0

    def signed(self, ask: Ask) -> Ask:
        """*ask* with a good token for what it asks."""
        host = dict(ask.headers)[b"host"].decode()
        request = httpx.Request(ask.method, f"http://{host}{ask.path}")
        token = next(self.tokens.valid.auth_flow(request)).headers["Authorization"]
        return ask.with_header(b"authorization", str(token).encode())

    async def read(self, ask: Ask, checkout_id: str) -> dict[str, Any]:
        """The checkout with this id, or nothing, by the connection that *ask* came by."""
        path = f"{ask.path.partition('/checkouts')[0]}/checkouts/{checkout_id}"
        plain = Ask("get", "GET", path, b"", tuple(p for p in ask.headers if p[0] == b"host"), b"")
        reply = await self.forward(self.signed(plain))
        found: dict[str, Any] = content_of(reply.body) if reply.is_good else {}
        return found

    async def everything(self, ask: Ask) -> list[dict[str, Any]]:
        """All checkouts that the listing *ask* is about, whatever page it asks for."""
        found: list[dict[str, Any]] = []
        query = {**without(ask, "pageToken", "pageSize"), "pageSize": ["100"]}
        while True:
            content = content_of((await self.forward(asking(ask, query))).body)
            found += content.get("checkouts", [])
            if "nextPageToken" not in content:
                return found
            query["pageToken"] = [content["nextPageToken"]]


Wrong = Callable[[Server, Ask], Awaitable[Reply]]


@dataclass(frozen=True)
class Mutant:
    """
    One server.

    Args:
        claims: At least one of them must break; none for a harmless one.
        readings: Which documented readings the sandbox behind it takes, `NAME=VALUE`.
    """

    name: str
    does: str
    kind: str
    claims: tuple[str, ...]
    answer: Wrong
    readings: tuple[str, ...] = ()

    def around(self, app: ASGIApp, tokens: Tokens, failures: list[str]) -> Layer:
        """
        The wrong server in front of the right one.

        Args:
            failures: Exceptions of its own are added: whatever the suite says then, it says of a mistake of ours.
        """
        server = Server(tokens)

        async def answer(ask: Ask, forward: Forward) -> Reply:
            server.forward = forward
            if ask.act == "advance":
                server.passed_s += content_of(ask.body).get("seconds", 0)
            try:
                return await self.answer(server, ask)
            except CutError:
                raise
            except Exception as exc:
                failures.append(f"{self.name} itself failed: {exc!r}")
                raise

        return Layer(app, answer)


@dataclass
class Shelf:
    """Where a module puts its mutants, by decorators on what they do; name and sentence are the function's."""

    kind: str
    mutants: list[Mutant] = field(default_factory=list)

    def server(self, *claims: str, kind: str = "") -> Callable[[Wrong], Wrong]:
        """It is handed every request."""

        def put(answer: Wrong) -> Wrong:
            self.add(answer, claims, answer, kind)
            return answer

        return put

    def tells(
        self, *claims: str, on: Sequence[str] = (), kind: str = ""
    ) -> Callable[[Callable[[dict[str, Any]], dict[str, Any]]], Callable[[dict[str, Any]], dict[str, Any]]]:
        """It edits each checkout of an answer; *on* which operations, all unless told."""

        def put(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
            async def answer(server: Server, ask: Ask) -> Reply:
                reply = await server.forward(ask)
                return edited(reply, edit) if ask.act in (on or OPERATIONS) else reply

            self.add(edit, claims, answer, kind)
            return edit

        return put

    def hears(self, *claims: str, on: str, kind: str = "") -> Callable[[Callable[[Ask], Ask]], Callable[[Ask], Ask]]:
        """It edits each request *on* one operation."""

        def put(edit: Callable[[Ask], Ask]) -> Callable[[Ask], Ask]:
            async def answer(server: Server, ask: Ask) -> Reply:
                return await server.forward(edit(ask) if ask.act == on else ask)

            self.add(edit, claims, answer, kind)
            return edit

        return put

    def add(self, named: Callable[..., object], claims: Sequence[str], answer: Wrong, kind: str = "") -> None:
        """One more, with the name and the sentence of *named*."""
        name = named.__name__.strip("_").replace("_", "-")
        sentence = " ".join((named.__doc__ or "").split())
        self.mutants.append(Mutant(name, sentence, kind or self.kind, tuple(claims), answer))
