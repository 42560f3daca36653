"""
The servers of hostile mode: the sandbox, with one thing about it wrong.

There are three kinds, by what is wanted of somebody's tests under such a server:

- NOTICE: it lies, or is not paid, or pays twice. An integration that goes on as if nothing were the matter loses money,
  so at least one test must fail.
- SURVIVE: a hardship of every network and of a documented API that grows. Nothing is lost, so every test must pass, and
  as many checkouts and refunds must come to be as without it.
- END: no right result is possible. Pass or fail, every test must come to an end.

Each is a class of a few lines, made anew for each sandbox: it is handed every request, and may answer itself.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode

from .layer import OPERATIONS, Ask, CutError, Forward, Layer, Reply, content_of, each_object, edited, error

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_PAID: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
# More pages than any test has checkouts, and than it takes our own client to see that there is no end.
_MOST_PAGES: Final = 500


class Wanted(enum.Enum):
    """What is wanted of the tests under a wrong server."""

    NOTICE = "a test must fail"
    SURVIVE = "every test must pass"
    END = "every test must end"


@dataclass
class Meeting:
    """
    What a test and its server had to do with each other.

    Attributes:
        acts: What was asked for, whatever was answered.
        created, refunded: Ids of what came to be.
        refusals: How often the sandbox itself, below what is wrong with it, answered 4xx.
        differed: Whether the server did anything wrong.
        damage: What must not happen, in words.
    """

    acts: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)
    refunded: set[str] = field(default_factory=set)
    refusals: int = 0
    differed: bool = False
    damage: list[str] = field(default_factory=list)


Meet = Callable[[], Meeting]


class WrongServer:
    """
    Answers, or lets the sandbox answer.

    Attributes:
        concerns: A test that asks for none of these cannot tell it from a right one.
    """

    name: ClassVar[str]
    does: ClassVar[str]
    wanted: ClassVar[Wanted]
    concerns: ClassVar[frozenset[str]] = OPERATIONS

    def __init__(self, meet: Meet) -> None:
        self._meet = meet

    def differs(self) -> None:
        """Say that what is done now is wrong."""
        self._meet().differed = True

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        """The answer to *ask*."""
        raise NotImplementedError


# Not paid, or not what was asked for.


class _NotPaid(WrongServer):
    """The payer's payment is not one. The sandbox is told so, so that its webhooks say nothing else."""

    wanted = Wanted.NOTICE
    concerns = frozenset({"pay"})
    outcome: ClassVar[str] = "PROCESSING"
    shown: ClassVar[str] = "PROCESSING"

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._ids: set[str] = set()

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        if ask.act == "pay" and content_of(ask.body).get("outcome") == "COMPLETED":
            self.differs()
            self._ids.add(ask.checkout_id)
            return await forward(ask.saying({"outcome": self.outcome}))
        return edited(await forward(ask), self._shown)

    def _shown(self, checkout: dict[str, Any]) -> dict[str, Any]:
        if checkout["id"] in self._ids and checkout["status"] == self.outcome:
            return {**checkout, "status": self.shown}
        return checkout


class NeverPaid(_NotPaid):
    name = "never-paid"
    does = "The payer authorises and comes back, and the payment stays PROCESSING."


class RedirectBeforePaid(_NotPaid):
    name = "redirect-before-paid"
    does = "The payer authorises and comes back, and the checkout is still ACTIVE."
    shown = "ACTIVE"


class PaymentFails(_NotPaid):
    name = "payment-fails"
    does = "The payer authorises and comes back, and the payment has FAILED."
    outcome = shown = "FAILED"


class Expired(_NotPaid):
    name = "expired"
    does = "The checkout is EXPIRED before the payer has paid."
    shown = "EXPIRED"


class UnknownStatus(_NotPaid):
    name = "unknown-status"
    does = "The payer pays, and the checkout is in a status that no document knows."
    shown = "UNDER_REVIEW"


class Underpaid(WrongServer):
    name = "underpaid"
    does = "A checkout that is paid is for a tenth of the amount that was asked for."
    wanted = Wanted.NOTICE
    concerns = frozenset({"get", "list"})

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        reply = await forward(ask)
        return edited(reply, self._less) if ask.act in self.concerns else reply

    def _less(self, checkout: dict[str, Any]) -> dict[str, Any]:
        if checkout["status"] not in _PAID:
            return checkout
        self.differs()
        amounts = {"amount", "fiatAmount"}
        return {name: _tenth(value) if name in amounts else value for name, value in checkout.items()}


class NotDeactivated(WrongServer):
    name = "not-deactivated"
    does = "Deactivating answers 200, and the checkout stays ACTIVE."
    wanted = Wanted.NOTICE
    concerns = frozenset({"deactivate"})

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._ids: set[str] = set()

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        reply = await forward(ask)
        if ask.act == "deactivate" and reply.is_good:
            self.differs()
            self._ids.add(ask.checkout_id)
        return edited(reply, lambda one: {**one, "status": "ACTIVE"} if one["id"] in self._ids else one)


class RefundFails(WrongServer):
    name = "refund-fails"
    does = "A refund that was started ends FAILED; the money stays where it is."
    wanted = Wanted.NOTICE
    concerns = frozenset({"settle"})

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        if ask.act == "settle" and content_of(ask.body).get("outcome") == "COMPLETED":
            self.differs()
            ask = ask.saying({"outcome": "FAILED"})
        return await forward(ask)


class SecondRefund(WrongServer):
    name = "second-refund"
    does = "A refund is made and answered 503; sent again under its key, it is made a second time."
    wanted = Wanted.NOTICE
    concerns = frozenset({"refund"})

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._seen: set[tuple[str, str, bytes, bytes]] = set()

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        if ask.act != "refund":
            return await forward(ask)
        if ask.same in self._seen:
            self.differs()
            return await forward(ask.under())
        reply = await forward(ask)
        if not reply.is_good:
            return reply
        self._seen.add(ask.same)
        return _UNAVAILABLE


class SecondCreate(WrongServer):
    name = "second-create"
    does = "A create that is sent again under its key makes a second checkout."
    wanted = Wanted.NOTICE
    concerns = frozenset({"create"})

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._seen: set[bytes] = set()

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        if ask.act != "create" or ask.key is None:
            return await forward(ask)
        if ask.key in self._seen:
            self.differs()
            return await forward(ask.under())
        reply = await forward(ask)
        if reply.is_good:
            self._seen.add(ask.key)
        return reply


# Hardships.


class _Once(WrongServer):
    """Something goes wrong with a first attempt: before acting at each operation, after acting at each request."""

    wanted = Wanted.SURVIVE
    acts_first: ClassVar[bool] = False

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._tried: set[object] = set()

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        attempt = ask.same if self.acts_first else ask.act
        if ask.act not in self.concerns or attempt in self._tried:
            return await forward(ask)
        if self.acts_first:
            reply = await forward(ask)
            if not reply.is_good:
                return reply
        self._tried.add(attempt)
        self.differs()
        return self.instead()

    def instead(self) -> Reply:
        """What comes in place of the first answer."""
        return _UNAVAILABLE


class UnavailableAfterCreate(_Once):
    name = "503-after-create"
    does = "A checkout is made, and the answer is 503."
    concerns = frozenset({"create"})
    acts_first = True


class UnavailableAfterRefund(_Once):
    name = "503-after-refund"
    does = "A refund is made, and the answer is 503."
    concerns = frozenset({"refund"})
    acts_first = True


class DropAfterActing(_Once):
    name = "drop-after-acting"
    does = "A checkout or refund is made, and the connection drops before the answer."
    concerns = frozenset({"create", "refund"})
    acts_first = True

    def instead(self) -> Reply:
        raise CutError


class UnavailableAtFirst(_Once):
    name = "503-at-first"
    does = "The first create, the first get and so on are answered 503, and nothing was done."


class HtmlError(_Once):
    name = "html-error"
    does = "The first create, the first get and so on are answered 502 by an edge, in HTML."

    def instead(self) -> Reply:
        return Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", ((b"content-type", b"text/html"),))


class TooManyRequests(_Once):
    name = "429-without-retry-after"
    does = "The first create, the first get and so on are answered 429, without a Retry-After."

    def instead(self) -> Reply:
        return error(429, "rate_limit_exceeded")


class _Edits(WrongServer):
    """Every answer is the right one in other words."""

    wanted = Wanted.SURVIVE

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        reply = await forward(ask)
        if ask.act not in self.concerns or not reply.is_good:
            return reply
        before = content_of(reply.body)
        after = each_object(before, self.edited)
        if before != after:
            self.differs()
        return Reply(reply.status, json.dumps(after).encode())

    def edited(self, content: dict[str, Any]) -> dict[str, Any]:
        """One object of the answer as this server writes it; what is inside was edited before."""
        raise NotImplementedError


class UndocumentedField(_Edits):
    name = "undocumented-field"
    does = "Every object has a property that no document knows."

    def edited(self, content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "complianceReview": {"state": "NONE"}}


class MissingOptionalFields(_Edits):
    name = "missing-optional-fields"
    does = "Checkouts lack what an answer may lack: tokenAddress, and the redirect URLs."

    def edited(self, content: dict[str, Any]) -> dict[str, Any]:
        absent = {"tokenAddress", "successRedirectUrl", "failRedirectUrl"}
        return {name: value for name, value in content.items() if name not in absent}


class ShortDecimals(_Edits):
    name = "short-decimals"
    does = 'Amounts are written as short as can be: "100.5", not "100.50".'

    def edited(self, content: dict[str, Any]) -> dict[str, Any]:
        return {name: _short(value) if name.lower().endswith("amount") else value for name, value in content.items()}


class Nanoseconds(_Edits):
    name = "nanoseconds"
    does = "Times are written to the nanosecond."

    def edited(self, content: dict[str, Any]) -> dict[str, Any]:
        return {name: _fine(value) if name.endswith("At") else value for name, value in content.items()}


class RepeatedItem(WrongServer):
    name = "repeated-item"
    does = "Pages of a listing hold two checkouts, and the last of one is also the first of the next."
    wanted = Wanted.SURVIVE
    concerns = frozenset({"list"})

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._last: dict[str, Any] = {}

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        if ask.act != "list":
            return await forward(ask)
        query = dict(parse_qsl(ask.query.decode("latin-1")))
        given = [pair for pair in parse_qsl(ask.query.decode("latin-1")) if pair[0] != "pageSize"]
        reply = await forward(replace(ask, query=urlencode([*given, ("pageSize", "2")]).encode()))
        if not reply.is_good:
            return reply
        content = content_of(reply.body)
        before = self._last.get(query.get("pageToken", ""))
        token = content.get("nextPageToken")
        if token:
            self.differs()
            self._last[token] = content["checkouts"][-1]
        if before is not None:
            content["checkouts"].insert(0, before)
        return reply.saying(content)


# Webhooks.


class _Mischief(WrongServer):
    """Something is done to every webhook, by the sandbox itself."""

    concerns = frozenset({"subscribe"})
    order: ClassVar[Mapping[str, Any]]
    least: ClassVar[int] = 1

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._is_subscribed = False
        # Since the last time that all were waited for.
        self._due = 0

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        reply = await forward(ask)
        if ask.act == "subscribe" and reply.is_good:
            self._is_subscribed = True
            await forward(_control(ask, "POST", "/webhooks/mischief", self.order))
        if ask.act in {"pay", "settle"} and reply.is_good and self._is_subscribed:
            self._due += 1
            if self._due >= self.least:
                self.differs()
        return reply


class WebhookTwice(_Mischief):
    name = "webhook-twice"
    does = "Every webhook is delivered twice, with the same X-Event-Id."
    wanted = Wanted.SURVIVE
    order = MappingProxyType({"kind": "duplicate", "times": 1_000_000})


class WebhookTampered(_Mischief):
    name = "webhook-tampered"
    does = "The body of every webhook was changed on its way; its signature does not fit."
    wanted = Wanted.NOTICE
    order = MappingProxyType({"kind": "tamper", "part": "body", "times": 1_000_000})


class WebhookOutOfOrder(_Mischief):
    name = "webhook-out-of-order"
    does = "Of several webhooks that are due, the first is delivered last."
    wanted = Wanted.SURVIVE
    order = MappingProxyType({"kind": "reorder", "times": 1})
    least = 2

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        reply = await super().answer(ask, forward)
        if ask.act != "flush" or not self._is_subscribed:
            return reply
        # What was held back and had no other to wait for goes now, and the next time another one is held back.
        await forward(_control(ask, "DELETE", "/webhooks/mischief"))
        reply = await forward(ask)
        await forward(_control(ask, "POST", "/webhooks/mischief", self.order))
        self._due = 0
        return reply


# Without end.


class EndlessToken(WrongServer):
    name = "endless-token"
    does = "A listing has a next page for ever; it is the first one again."
    wanted = Wanted.END
    concerns = frozenset({"list"})

    def __init__(self, meet: Meet) -> None:
        super().__init__(meet)
        self._pages = 0

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        if ask.act != "list":
            return await forward(ask)
        pairs = parse_qsl(ask.query.decode("latin-1"))
        followed = any(name == "pageToken" for name, _ in pairs)
        self._pages = self._pages + 1 if followed else 0
        if self._pages == _MOST_PAGES:
            self._meet().damage.append(f"asked for {_MOST_PAGES} pages")
        if self._pages >= _MOST_PAGES:
            # Whoever is still there would be for ever.
            raise CutError
        first = [(name, value) for name, value in pairs if name != "pageToken"]
        reply = await forward(replace(ask, query=urlencode(first).encode()))
        if not reply.is_good:
            return reply
        self.differs()
        content = content_of(reply.body)
        content["nextPageToken"] = f"page-{self._pages + 1}"
        return reply.saying(content)


WRONG_SERVERS: Final[Sequence[type[WrongServer]]] = (
    NeverPaid,
    RedirectBeforePaid,
    PaymentFails,
    Expired,
    UnknownStatus,
    Underpaid,
    NotDeactivated,
    RefundFails,
    SecondRefund,
    SecondCreate,
    UnavailableAfterCreate,
    UnavailableAfterRefund,
    DropAfterActing,
    UnavailableAtFirst,
    HtmlError,
    TooManyRequests,
    UndocumentedField,
    MissingOptionalFields,
    ShortDecimals,
    Nanoseconds,
    RepeatedItem,
    WebhookTwice,
    WebhookOutOfOrder,
    WebhookTampered,
    EndlessToken,
)


class Right(WrongServer):
    """The sandbox as it is; what is compared with."""

    name = "right"
    does = "Everything is as it should be."
    wanted = Wanted.SURVIVE

    async def answer(self, ask: Ask, forward: Forward) -> Reply:
        return await forward(ask)


def between(app: ASGIApp, server: WrongServer, meet: Meet) -> Layer:
    """A wrong server around the right one; what was asked and done is noted in the meeting."""

    async def answer(ask: Ask, forward: Forward) -> Reply:
        meet().acts.add(ask.act)

        async def noting(changed: Ask) -> Reply:
            reply = await forward(changed)
            _note(meet(), changed, reply)
            return reply

        return await server.answer(ask, noting)

    return Layer(app, answer)


def _note(meeting: Meeting, ask: Ask, reply: Reply) -> None:
    if not reply.is_good:
        meeting.refusals += reply.status < 500
    elif ask.act == "create":
        meeting.created.add(content_of(reply.body)["id"])
    elif ask.act == "refund":
        meeting.refunded.add(content_of(reply.body)["refund"]["id"])


def _control(ask: Ask, method: str, path: str, body: Mapping[str, Any] | None = None) -> Ask:
    """A control call on the connection that *ask* came by."""
    host = tuple(pair for pair in ask.headers if pair[0] == b"host")
    content = b"" if body is None else json.dumps(dict(body)).encode()
    headers = (*host, (b"content-type", b"application/json"), (b"content-length", b""))
    return Ask("", method, f"/__sandbox__{path}", b"", headers, content)


_UNAVAILABLE: Final = error(503, "service_unavailable")


def _tenth(amount: str) -> str:
    return str((Decimal(amount) / 10).quantize(Decimal("0.01")))


def _short(amount: Any) -> Any:
    return f"{Decimal(amount).normalize():f}" if isinstance(amount, str) else amount


def _fine(time: Any) -> Any:
    """*time* with nine digits of fraction; the sandbox always writes three."""
    return time.replace("Z", "000000Z") if isinstance(time, str) else time
