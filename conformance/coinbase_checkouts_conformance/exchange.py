"""
What the tests speak through: the five operations as plain requests, each answer judged before a test sees it.

Raw httpx on purpose: a client would refuse to send half of what is tried here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx

from .control import Control
from .description import Operation, description
from .judge import BrokenError, judge
from .probes import MISSING
from .scrub import excerpt
from .seeds import Seed
from .target import filled
from .tidying import SUITE, Made
from .tokens import Tokens
from .traffic import Conversation
from .wire import NotSafeError, RateLimitedError, Reply, Wire

# Far enough that another run moving the same sandbox's clock by a day does not matter.
LIFETIME: Final = timedelta(days=7)
# As far goes who was sent round in circles before.
_FEW: Final = 25


@dataclass(frozen=True)
class Answer:
    """A judged answer; *json* keeps the description."""

    operation: Operation
    request: httpx.Request
    reply: Reply
    json: Any

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def is_success(self) -> bool:
        return 200 <= self.reply.status < 300


class Exchange:
    """
    One test's conversation with the server.

    Args:
        now: The sandbox's time, the recording's, or None to take the real one.
        made: What to deactivate when the run ends; added to.
        conversation: Added to with every exchange.
    """

    def __init__(
        self,
        wire: Wire,
        tokens: Tokens,
        seed: Seed,
        *,
        control: Control | None,
        now: datetime | None,
        made: Made,
        conversation: Conversation,
    ) -> None:
        self._wire = wire
        self._made = made
        self._given_now = now
        self._read_now: datetime | None = None
        self.tokens: Final = tokens
        self.seed: Final = seed
        self.control: Final = control
        self.last: tuple[httpx.Request, Reply | None] | None = None
        self.remarks: Final[list[str]] = []
        self.conversation: Final = conversation

    @property
    def now(self) -> datetime:
        """The server's idea of the time, read once; whole seconds."""
        if self._read_now is None:
            read = self.control.now() if self.control else self._given_now
            self._read_now = (read or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        return self._read_now

    def later(self, delta: timedelta = LIFETIME, *, anew: bool = False) -> str:
        """A time from now, as RFC 3339; *anew* reads the time again."""
        if anew:
            self._read_now = None
        return stamp(self.now + delta)

    @property
    def is_safe(self) -> bool:
        """Whether nothing may be created here."""
        return self._wire.is_safe

    def patience(self, most: int) -> int:
        """How many steps to go without a result: *most*, unless an earlier test went as far in vain."""
        return _FEW if self._wire.is_endless else most

    def lose_patience(self) -> None:
        """The server has sent somebody round in circles."""
        self._wire.is_endless = True

    @property
    def title(self) -> str:
        """A description by which a person recognises the checkout and this test finds it again."""
        return f"{SUITE} {self.seed.marker}"

    def minimal(self, **fields: Any) -> dict[str, Any]:
        """A body for create: what must be there, a name to recognise it by, and *fields*."""
        return {"amount": "1.00", "currency": "USDC", "description": self.title, "expiresAt": self.later()} | fields

    def full(self) -> dict[str, Any]:
        """A body for create with every field."""
        return {
            "amount": "1.50",
            "currency": "USDC",
            "network": "base",
            "description": self.title,
            "expiresAt": self.later(),
            "metadata": {"orderId": f"order-{self.seed.marker}", "note": SUITE},
            "successRedirectUrl": "https://example.com/success",
            "failRedirectUrl": "https://example.com/failed",
        }

    def remark(self, what: str) -> None:
        """Tell *what* as a warning: laxer than the documents, though nothing they say is broken by it."""
        self.remarks.append(what)

    def create(self, body: Any, *, key: str | None = None, auth: httpx.Auth | None = None) -> Answer:
        """POST /api/v1/checkouts."""
        return self.send("createCheckout", body=body, key=key, auth=auth)

    def created(self, body: Any | None = None) -> dict[str, Any]:
        """The checkout that a valid create makes."""
        answer = self.create(self.minimal() if body is None else body, key=self.seed.idempotency_key())
        return dict(accepted(answer).json)

    def get(self, checkout_id: str, *, auth: httpx.Auth | None = None) -> Answer:
        """GET /api/v1/checkouts/{id}."""
        return self.send("getCheckout", id=checkout_id, auth=auth)

    def read(self, checkout_id: str) -> dict[str, Any]:
        """The checkout as it is now."""
        return dict(accepted(self.get(checkout_id)).json)

    def list(self, query: Mapping[str, Any], *, auth: httpx.Auth | None = None) -> Answer:
        """GET /api/v1/checkouts; a list as value repeats the parameter."""
        return self.send("listCheckouts", query=query, auth=auth)

    def deactivate(self, checkout_id: str, *, auth: httpx.Auth | None = None) -> Answer:
        """POST /api/v1/checkouts/{id}/deactivate."""
        return self.send("deactivateCheckout", id=checkout_id, auth=auth)

    def refund(self, checkout_id: str, body: Any, *, key: str | None = None, auth: httpx.Auth | None = None) -> Answer:
        """POST /api/v1/checkouts/{id}/refund."""
        return self.send("refundCheckout", id=checkout_id, body=body, key=key, auth=auth)

    def send(
        self,
        operation_id: str,
        *,
        id: str = "",
        query: Mapping[str, Any] | None = None,
        body: Any = MISSING,
        content: bytes | None = None,
        media_type: str = "application/json",
        key: str | None = None,
        auth: httpx.Auth | None = None,
        also: Sequence[int] = (),
    ) -> Answer:
        """
        Send one request and judge the answer.

        Args:
            body: Sent as JSON; MISSING sends none.
            content: Sent as it is, in place of *body*.
            also: Statuses that pass here although the description does not list them; the body is an error then.

        Raises:
            BrokenError: No whole answer, or one that breaks the description.
        """
        operation = description().operations[operation_id]
        headers: dict[str, str] = {}
        if body is not MISSING:
            content = json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            headers["Content-Type"] = media_type
        if key is not None:
            headers["X-Idempotency-Key"] = key
        url = self._wire.target.url(filled(operation.path, id=id))
        if query:
            spelt = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
            url = f"{url}?{urlencode(spelt, doseq=True, quote_via=quote)}"
        request = httpx.Request(operation.method, url, headers=headers, content=content)
        self.last = (request, None)
        try:
            reply = self._wire.send(request, auth or self.tokens.valid)
        except (NotSafeError, RateLimitedError):
            raise
        except BaseException:
            # Ctrl-C, too: what was asked for may have been made, and we shall never hear its id.
            self._made_unheard(operation_id)
            raise
        self.last = (request, reply)
        self.conversation.add(request, reply.status, reply.content_type, reply.content)
        if operation_id == "createCheckout" and 200 <= reply.status < 300:
            self._remember(reply)
        if operation_id == "deactivateCheckout" and reply.status == 200 and id in self._made.ids:
            self._made.ids.remove(id)
        if reply.status in also:
            return Answer(operation, request, reply, None)
        return Answer(
            operation, request, reply, judge().check(operation, reply.status, reply.content_type, reply.content)
        )

    def _remember(self, reply: Reply) -> None:
        """Keep the id for tidying up, even when the rest of the answer is wrong."""
        try:
            made = json.loads(reply.content)["id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            made = None
        if isinstance(made, str):
            self._made.ids.append(made)
        else:
            self._made_unheard("createCheckout")

    def _made_unheard(self, operation_id: str) -> None:
        if operation_id == "createCheckout":
            self._made.titles.append(self.title)


def sent(body: Any) -> dict[str, Any]:
    """Arguments for `send`: *body* as JSON, or for MISSING an empty body that is still called JSON."""
    return {"content": b""} if body is MISSING else {"body": body}


def stamp(time: datetime) -> str:
    """RFC 3339 with Z; fractions only if there are some."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def accepted(answer: Answer) -> Answer:
    """*answer*, which is a success; anything else breaks the claim."""
    if not answer.is_success:
        raise BrokenError(
            f"refused with {answer.status}, although the request keeps the description: {excerpt(answer.reply.content)}"
        )
    return answer


def refused(answer: Answer, *statuses: int) -> Answer:
    """*answer*, which is a refusal with one of *statuses*; 400 and 422 unless told otherwise."""
    if answer.status not in (statuses or (400, 422)):
        expected = " or ".join(map(str, statuses or (400, 422)))
        raise BrokenError(
            f"expected a refusal with {expected}, got {answer.status}", rule=f"{answer.operation.pointer}/responses"
        )
    return answer
