"""The rules of the API as somebody else would write them: in memory, one method for each thing that can go wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from .readings import Reading
from .tokens import Gate

JsonObject = dict[str, Any]
Query = Mapping[str, Sequence[str]]

STATUSES: Final = (
    "ACTIVE PROCESSING DEACTIVATED EXPIRED COMPLETED FAILED REFUNDED PARTIALLY_REFUNDED".split()  # noqa: SIM905
)
RATES: Final = {"USD": Decimal("1.00"), "EUR": Decimal("1.10"), "GBP": Decimal("1.25"), "SGD": Decimal("0.75")}
CENT: Final = Decimal("0.01")
KEY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
KEY_LIFE_S: Final = 86400
# What published clients differ in.
LAX: Final = {"sub", "iss", "lifetime", "exp.absent", "nbf.absent"}


class RefusedError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        """The status, errorType and errorMessage."""
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


@dataclass
class Request:
    """One request, read as far as HTTP goes."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    operation: str = ""
    id: str = ""

    @property
    def json(self) -> Any:
        """The body, or None if it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass
class Answer:
    """One answer, before it is written as bytes."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Refund:
    """Money on its way back."""

    id: str
    amount: Decimal
    created: datetime
    status: str = "PENDING"
    reason: str | None = None
    fiat: Decimal | None = None
    fiat_currency: str = ""
    rate: Decimal = Decimal(1)
    completed: datetime | None = None


@dataclass
class Checkout:
    """One thing to pay."""

    number: int
    id: str
    asked: JsonObject
    amount: Decimal
    created: datetime
    updated: datetime
    expires: datetime
    fiat: Decimal | None = None
    fiat_currency: str = ""
    status: str = "ACTIVE"
    refunds: list[Refund] = field(default_factory=list[Refund])
    looks: int = 0


@dataclass
class Kept:
    """What a key stands for."""

    request: object
    answer: Answer
    since: datetime


def moment(text: object) -> datetime | None:
    """An RFC 3339 date-time; None for anything else."""
    if not isinstance(text, str) or not (parts := DATE_TIME.fullmatch(text)):
        return None
    day, clock, fraction, zone = parts.groups()
    try:
        return datetime.fromisoformat(
            f"{day}T{clock}{(fraction or '')[:7].ljust(2, '0') if fraction else ''}{zone.upper()}"
        )
    except ValueError:
        return None


def hexed(text: str) -> str:
    """64 hex digits that depend on *text* only."""
    return hashlib.sha256(text.encode()).hexdigest()


class Shop:
    """All there is, under one reading."""

    def __init__(self, reading: Reading, gate: Gate, forgives: frozenset[str] = frozenset()) -> None:
        """An empty one; *forgives* names reasons to refuse that it overlooks."""
        self.reading, self.gate, self.forgives = reading, gate, forgives
        self.offset = timedelta()
        self.checkouts: dict[str, Checkout] = {}
        self.kept: dict[object, Kept] = {}
        self.tokens: dict[str, tuple[object, int, int]] = {}

    # Time

    def now(self) -> datetime:
        """By the clock that control moves."""
        return datetime.now(UTC) + self.offset

    def moment_shown(self, value: datetime) -> str:
        """A date-time in as many digits as the reading has."""
        text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        if digits := self.reading.digits:
            text += "." + f"{value.microsecond:06}000"[:digits]
        return text + ("Z" if self.reading.ids == "time" else "+00:00")

    def stored(self, value: datetime) -> datetime:
        """A date-time as exact as it is shown."""
        unit = 10 ** max(0, 6 - self.reading.digits)
        return value.replace(microsecond=value.microsecond // unit * unit)

    # The way through

    def handle(self, request: Request) -> Answer:
        """The answer to one request."""
        try:
            return self.routed(request)
        except RefusedError as no:
            return Answer(no.status, self.error(no))

    def routed(self, request: Request) -> Answer:
        """Find the operation; ask for the token first."""
        self.admit(request)
        if request.operation in {"create", "list"}:
            return self.create(request) if request.operation == "create" else self.list(request)
        if request.operation == "get":
            return Answer(200, self.view(self.found(request.id)))
        if request.operation == "deactivate":
            return self.deactivate(request)
        if request.operation == "refund":
            return self.refund(request)
        raise RefusedError(404, "not_found", "nothing lives here")

    def admit(self, request: Request) -> None:
        """Refuse whoever has no good token."""
        host = request.headers.get("host", "").rpartition(":")[0]
        wrong = self.gate.faults(request.headers.get("authorization"), request.method, host, request.path)
        for name in wrong:
            if f"token.{name}" not in self.forgives and (self.reading.token_claims == "strict" or name not in LAX):
                raise RefusedError(401, "unauthorized", f"bad credentials ({name})")

    def error(self, no: RefusedError) -> JsonObject:
        """The error body."""
        body: JsonObject = {"errorType": no.kind, "errorMessage": no.message}
        if self.reading.errors != "short":
            body["correlationId"] = f"req-{secrets.token_hex(6)}"
        if self.reading.errors == "full":
            body["errorLink"] = f"https://errors.example.net/{no.kind}"
        return body

    # Keys

    def once(self, request: Request, act: Callable[[], Answer]) -> Answer:
        """Act once for a key, and repeat the answer after that."""
        key = request.headers.get("x-idempotency-key")
        if key is None:
            return act()
        if not KEY.fullmatch(key) and "key.form" not in self.forgives:
            raise RefusedError(400, "invalid_request", "X-Idempotency-Key is no version 4 UUID")
        place = self.place(request, key)
        asked = self.compared(request)
        kept = self.kept.get(place)
        if kept is not None and self.now() - kept.since < timedelta(seconds=KEY_LIFE_S):
            if kept.request != asked:
                raise self.conflict(place)
            return self.replay(kept)
        try:
            answer = act()
        except RefusedError as no:
            answer = Answer(no.status, self.error(no))
            if not self.reading.keeps_refusals:
                return answer
        self.keep(place, asked, answer)
        return answer

    def keep(self, place: object, asked: object, answer: Answer) -> None:
        """Remember."""
        self.kept[place] = Kept(asked, answer, self.now())

    def replay(self, kept: Kept) -> Answer:
        """The first answer."""
        return kept.answer

    def conflict(self, place: object) -> RefusedError:
        """One key, two requests."""
        kind = "idempotency_error" if self.reading.conflict == 422 else "already_exists"
        return RefusedError(self.reading.conflict, kind, "this key was used for something else")

    def place(self, request: Request, key: str) -> object:
        """Where a key counts."""
        return key if self.reading.keys == "shared" else (key, request.path)

    def compared(self, request: Request) -> object:
        """What makes two requests the same."""
        body: object = request.body
        if self.reading.compares == "value":
            body = json.dumps(request.json, sort_keys=True)
        return request.operation, request.id, body

    # Input

    def check(self, broken: Iterator[tuple[str, str]]) -> None:
        """Refuse for the first reason that is not forgiven."""
        for name, message in broken:
            if name not in self.forgives:
                raise RefusedError(400, "invalid_request", message)

    def body(self, request: Request, known: set[str]) -> JsonObject:
        """The body as an object."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json" and (
            self.reading.media == "refuse"
        ):
            raise RefusedError(400, "invalid_request", "this is not application/json")
        body = request.json
        if not isinstance(body, dict):
            raise RefusedError(400, "invalid_request", "the body is no JSON object")
        asked: JsonObject = dict(body)  # pyright: ignore[reportUnknownArgumentType]  # JSON
        try:
            json.dumps(asked, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise RefusedError(400, "invalid_request", "half a character") from None
        strangers = asked.keys() - known
        if strangers and self.reading.unknown == "refuse":
            raise RefusedError(400, "invalid_request", f"no such property: {min(strangers)}")
        return asked

    def amount_faults(self, amount: object) -> Iterator[tuple[str, str]]:
        """What is wrong with an amount."""
        if not isinstance(amount, str):
            yield "amount.type", "amount has to be a text"
        elif not re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", amount):
            yield "amount.pattern", "amount is not of the form 0.00"

    def create_faults(self, asked: JsonObject) -> Iterator[tuple[str, str]]:
        """What is wrong with a checkout to be."""
        amount, currency = asked.get("amount"), asked.get("currency")
        yield from self.amount_faults(amount)
        if isinstance(amount, str) and re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", amount):
            if Decimal(amount) < CENT:
                yield "amount.low", "amount is below 0.01"
            if Decimal(amount) > 100_000_000:
                yield "amount.high", "amount is above 100000000"
        if not isinstance(currency, str):
            yield "currency.type", "currency has to be a text"
        elif currency != "USDC" and not (self.reading.fiat and currency in RATES):
            yield "currency.value", "no such currency"
        if "network" in asked and asked["network"] != "base":
            yield "network", "base is the only network"
        yield from text_faults(asked, "description", 500)
        yield from self.expiry_faults(asked)
        yield from self.metadata_faults(asked)
        for name in ("successRedirectUrl", "failRedirectUrl"):
            yield from url_faults(asked, name)

    def expiry_faults(self, asked: JsonObject) -> Iterator[tuple[str, str]]:
        """What is wrong with an expiry."""
        if "expiresAt" not in asked:
            return
        expires = moment(asked["expiresAt"])
        if expires is None:
            yield "expiresAt.form", "expiresAt is no RFC 3339 date-time"
        elif expires <= self.now():
            yield "expiresAt.past", "expiresAt is over"

    def metadata_faults(self, asked: JsonObject) -> Iterator[tuple[str, str]]:
        """What is wrong with metadata."""
        if "metadata" not in asked:
            return
        metadata = asked["metadata"]
        if not isinstance(metadata, dict):
            yield "metadata.type", "metadata is no object"
            return
        values: list[Any] = list(metadata.values())  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType]
        if not all(isinstance(value, str) for value in values):
            yield "metadata.values", "metadata has texts only"
        elif self.reading.metadata == "limits" and (len(values) > 20 or any(len(value) > 100 for value in values)):
            yield "metadata.limits", "too much metadata"

    # Operations

    def create(self, request: Request) -> Answer:
        """A new checkout."""

        def act() -> Answer:
            asked = self.body(request, CREATE_FIELDS)
            self.check(self.create_faults(asked))
            checkout = self.made(asked)
            self.checkouts[checkout.id] = checkout
            return Answer(self.reading.create_status, self.view(checkout))

        return self.once(request, act)

    def made(self, asked: JsonObject) -> Checkout:
        """The checkout that a good request asks for."""
        now = self.stored(self.now())
        head = f"{int(now.timestamp()):08x}" if self.reading.ids == "time" else secrets.token_hex(4)
        amount, fiat, currency = Decimal(asked["amount"]), None, asked["currency"]
        if currency in RATES:
            fiat = amount
            amount = max(CENT, (amount * RATES[currency]).quantize(CENT, ROUND_HALF_UP))
        expires = self.expiry(asked, now)
        return Checkout(
            number=len(self.checkouts),
            id=head + secrets.token_hex(8),
            asked=asked,
            amount=amount,
            created=now,
            updated=now,
            expires=self.stored(expires),
            fiat=fiat,
            fiat_currency=currency if fiat is not None else "",
        )

    def expiry(self, asked: JsonObject, now: datetime) -> datetime:
        """When a checkout ends that nobody pays."""
        return moment(asked.get("expiresAt")) or now + timedelta(seconds=self.reading.expiry_s)

    def found(self, id: str) -> Checkout:
        """The checkout of this id, as it is now."""
        if not re.fullmatch("[0-9a-f]{24}", id):
            kind = "invalid_request" if self.reading.malformed == 400 else "not_found"
            raise RefusedError(self.reading.malformed, kind, "this is no id")
        if id not in self.checkouts:
            kind = "not_found" if self.reading.missing == 404 else "invalid_request"
            raise RefusedError(self.reading.missing, kind, "no checkout has this id")
        self.expire(self.checkouts[id])
        return self.checkouts[id]

    def expire(self, checkout: Checkout) -> None:
        """End what is over."""
        if checkout.status == "ACTIVE" and self.now() >= checkout.expires:
            self.turn(checkout, "EXPIRED")

    def turn(self, checkout: Checkout, status: str) -> None:
        """Change the status."""
        if checkout.status != status or self.reading.update == "change":
            checkout.updated = self.stored(self.now())
        checkout.status = status

    def deactivate(self, request: Request) -> Answer:
        """End it by hand."""
        checkout = self.found(request.id)
        if checkout.status == "DEACTIVATED" and self.reading.again == "unchanged":
            return Answer(200, self.view(checkout))
        if checkout.status != "ACTIVE" and "deactivate.status" not in self.forgives:
            raise self.illegal(f"this checkout is {checkout.status} by now")
        self.turn(checkout, "DEACTIVATED")
        return Answer(200, self.view(checkout))

    def illegal(self, message: str) -> RefusedError:
        """What cannot be done now."""
        return RefusedError(self.reading.illegal, "invalid_request", message)

    def refund(self, request: Request) -> Answer:
        """Send money back."""

        def act() -> Answer:
            if self.reading.id_first:
                self.found(request.id)
            asked = self.body(request, REFUND_FIELDS)
            self.check(self.refund_faults(asked))
            checkout = self.found(request.id)
            if checkout.status not in {"COMPLETED", "PARTIALLY_REFUNDED"} and "refund.status" not in self.forgives:
                raise self.illegal("there is nothing to refund")
            refund = self.refund_made(checkout, asked)
            if refund.amount > self.remaining(checkout) and "refund.over" not in self.forgives:
                raise self.illegal("not that much is left")
            checkout.refunds.append(refund)
            self.settled(checkout)
            return Answer(200, {"checkout": self.view(checkout), "refund": self.refund_view(checkout, refund)})

        return self.once(request, act)

    def refund_faults(self, asked: JsonObject) -> Iterator[tuple[str, str]]:
        """What is wrong with a refund to be."""
        for name, message in self.amount_faults(asked.get("amount")):
            yield f"refund.{name}", message
        amount = asked.get("amount")
        if isinstance(amount, str) and not amount.strip("0."):
            yield "refund.zero", "a refund of nothing"
        currency = asked.get("currency", "USDC")
        if not isinstance(currency, str):
            yield "refund.currency.type", "currency has to be a text"
        elif currency != "USDC" and not (self.reading.fiat and currency in RATES):
            yield "refund.currency.value", "no such currency"
        yield from text_faults(asked, "reason", 500)

    def refund_made(self, checkout: Checkout, asked: JsonObject) -> Refund:
        """The refund that a good request asks for."""
        currency = asked.get("currency", checkout.fiat_currency or "USDC")
        amount, now = Decimal(asked["amount"]), self.stored(self.now())
        refund_id = f"rf_{secrets.token_urlsafe(9)}" if self.reading.ids == "time" else secrets.token_hex(16)
        refund = Refund(refund_id, amount, now, reason=asked.get("reason"))
        if currency in RATES:
            refund.fiat, refund.fiat_currency, refund.rate = amount, currency, RATES[currency]
            refund.amount = (amount * refund.rate).quantize(CENT, ROUND_HALF_UP)
        return refund

    def given_back(self, checkout: Checkout) -> Decimal:
        """The sum that is refunded, or on its way."""
        counted = (refund for refund in checkout.refunds if self.counts(refund))
        return sum((refund.amount for refund in counted), Decimal(0))

    def counts(self, refund: Refund) -> bool:
        """Whether a refund is part of the sum."""
        return refund.status != "FAILED" or self.reading.failed_refund == "kept"

    def remaining(self, checkout: Checkout) -> Decimal:
        """What may still be refunded."""
        return checkout.amount - self.given_back(checkout)

    def settled(self, checkout: Checkout) -> None:
        """Draw the status from the refunds."""
        done = self.given_back(checkout)
        if self.reading.refunded_at == "completion":
            done = sum((refund.amount for refund in checkout.refunds if refund.status == "COMPLETED"), Decimal(0))
        status = "REFUNDED" if done == checkout.amount else "PARTIALLY_REFUNDED" if done else "COMPLETED"
        self.turn(checkout, status)

    # Lists

    def list(self, request: Request) -> Answer:
        """A page."""
        query = request.query
        self.check(self.list_faults(query))
        size = int(query.get("pageSize", ["20"])[-1])
        filters: Query = query
        last = -1
        if token := query.get("pageToken", [""])[-1]:
            filters, last = self.continued(token, query)
        left = [one for one in self.ordered() if self.rank(one) > last]
        # Who filters what it has cut out has short pages, and empty ones, before the end.
        window = left[: max(size, self.reading.window)] if self.reading.window else left
        found = [one for one in window if self.matches(one, filters)]
        page = found[:size]
        reached = page[-1] if len(found) > size else window[-1] if len(window) < len(left) else None
        if reached is None and self.reading.trailing_page and len(page) == size:
            reached = page[-1]
        body: JsonObject = {"checkouts": [self.view(checkout) for checkout in page]}
        if reached is not None:
            body["nextPageToken"] = self.token(filters, self.rank(reached))
        return Answer(200, body)

    def ordered(self) -> Sequence[Checkout]:
        """All checkouts in the order of the reading."""
        for checkout in self.checkouts.values():
            self.expire(checkout)
        return sorted(self.checkouts.values(), key=self.rank)

    def rank(self, checkout: Checkout) -> int:
        """The place of a checkout; newer ones never come after a token that was given."""
        if self.reading.order == "id":
            return int(hexed(checkout.id), 16)
        return checkout.number if self.reading.order == "oldest" else 10**9 - checkout.number

    def token(self, filters: Query, last: int) -> str:
        """A way to go on after *last*."""
        if self.reading.page_token == "position":
            return base64.b32encode(str(last).encode()).decode()
        token = secrets.token_urlsafe(12)
        self.tokens[token] = (filters, last, 0)
        return token

    def continued(self, token: str, query: Query) -> tuple[Any, int]:
        """The filters and the place that a token stands for."""
        if self.reading.page_token == "position":
            return query, int(base64.b32decode(token))
        filters, last, _ = self.tokens[token]
        return filters, last

    def list_faults(self, query: Query) -> Iterator[tuple[str, str]]:
        """What is wrong with a query."""
        size = query.get("pageSize", ["20"])[-1]
        if not re.fullmatch("[0-9]{1,9}", size):
            yield "pageSize.form", "pageSize is no number"
        elif int(size) < 1:
            yield "pageSize.low", "pageSize is at least 1"
        elif int(size) > 100:
            yield "pageSize.high", "pageSize is at most 100"
        if not set(query.get("status", ())) <= set(STATUSES):
            yield "status", "no such status"
        for name in ("startTime", "endTime"):
            if name in query and moment(query[name][-1]) is None:
                yield name, f"{name} is no RFC 3339 date-time"
        if len(query.get("descriptionQuery", [""])[-1]) > 500:
            yield "descriptionQuery", "descriptionQuery is too long"
        if "pageToken" in query and not self.known(query["pageToken"][-1]):
            yield "pageToken", "no such page"

    def known(self, token: str) -> bool:
        """Whether a token is one of ours."""
        if self.reading.page_token == "remembers":
            return token in self.tokens
        try:
            return base64.b32decode(token).isdigit()
        except (ValueError, RecursionError):
            return False

    def matches(self, checkout: Checkout, query: Query) -> bool:
        """Whether a checkout is asked for."""
        return (
            (not query.get("status") or checkout.status in query["status"])
            and self.since(checkout, query)
            and self.until(checkout, query)
            and self.described(checkout, query.get("descriptionQuery", [""])[-1])
        )

    def since(self, checkout: Checkout, query: Query) -> bool:
        """At or after startTime."""
        start = moment(query.get("startTime", [None])[-1])
        return start is None or checkout.created >= start

    def until(self, checkout: Checkout, query: Query) -> bool:
        """At or before endTime."""
        end = moment(query.get("endTime", [None])[-1])
        return end is None or checkout.created <= end

    def described(self, checkout: Checkout, words: str) -> bool:
        """A part of the description, in any case."""
        return words.casefold() in checkout.asked.get("description", "").casefold()

    # What is shown

    def amount_shown(self, value: Decimal, asked: str | None = None) -> str:
        """An amount in the spelling of the reading."""
        return f"{value:.2f}" if self.reading.amounts == "cents" or asked is None else asked

    def view(self, checkout: Checkout) -> JsonObject:
        """A checkout as every operation shows it."""
        asked, usdc = checkout.asked, checkout.fiat is None
        digest = hexed(checkout.id)
        time = self.reading.ids == "time"
        body: JsonObject = {
            "id": checkout.id,
            "url": f"https://pay.example.net/{digest[:9]}"
            if time
            else f"https://x.example/s?session={digest[:20]}#pay",
            "amount": self.amount_shown(checkout.amount, asked["amount"] if usdc else None),
            "currency": "USDC",
            "network": "base",
            "address": "0x" + (digest[:40] if time else digest[:40].upper()),
            "createdAt": self.moment_shown(checkout.created),
            "updatedAt": self.moment_shown(checkout.updated),
            "expiresAt": self.moment_shown(checkout.expires),
            "status": checkout.status,
        }
        if time:
            body["tokenAddress"] = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
        for name in ("description", "metadata", "successRedirectUrl", "failRedirectUrl"):
            if name in asked:
                body[name] = asked[name]
        if self.reading.extras:
            body["x402_url"] = f"https://x.example/x402/{digest[:20]}"
            body["merchantNote"] = {"tier": 3}
        if checkout.fiat is not None:
            body["fiatAmount"] = self.amount_shown(checkout.fiat, asked["amount"])
            body["fiatCurrency"] = checkout.fiat_currency
        if checkout.status in {"COMPLETED", "REFUNDED", "PARTIALLY_REFUNDED"}:
            body["transactionHash"] = "0x" + (digest if time else digest.upper())
            body["settlement"] = self.settlement(checkout)
        if checkout.refunds:
            back = self.given_back(checkout)
            if back or self.reading.nothing_refunded == "zero":
                body["refundedAmount"] = self.amount_shown(back)
            body["refunds"] = [self.refund_view(checkout, refund) for refund in checkout.refunds]
        return body

    def settlement(self, checkout: Checkout) -> JsonObject:
        """What the payment brought."""
        fee = (checkout.amount / (100 if self.reading.ids == "time" else 80)).quantize(CENT, ROUND_HALF_UP)
        return {
            "totalAmount": self.amount_shown(checkout.amount),
            "feeAmount": self.amount_shown(fee),
            "netAmount": self.amount_shown(checkout.amount - fee),
            "currency": "USDC",
        }

    def refund_view(self, checkout: Checkout, refund: Refund) -> JsonObject:
        """A refund as every operation shows it."""
        body: JsonObject = {
            "id": refund.id,
            "checkoutId": checkout.id,
            "amount": self.amount_shown(refund.amount),
            "currency": "USDC",
            "status": refund.status,
            "createdAt": self.moment_shown(refund.created),
        }
        if refund.reason is not None:
            body["reason"] = refund.reason
        if refund.fiat is not None:
            body["fiatAmount"] = self.amount_shown(refund.fiat)
            body["fiatCurrency"] = refund.fiat_currency
            body["exchangeRate"] = str(refund.rate)
        if refund.completed:
            body["completedAt"] = self.moment_shown(refund.completed)
            body["transactionHash"] = "0x" + hexed(refund.id)
        return body

    # Control

    def control(self, request: Request) -> Answer:
        """The four calls of a sandbox."""
        parts = request.path.strip("/").split("/")[1:]
        try:
            return self.controlled(parts, request.json or {})
        except RefusedError as no:
            return Answer(no.status, self.error(no))

    def controlled(self, parts: Sequence[str], body: JsonObject) -> Answer:
        """Pay, settle, move the clock."""
        if not parts:
            return Answer(200, {"name": "somebody else's", "now": self.now().isoformat()})
        if parts == ["clock", "advance"]:
            self.offset += timedelta(seconds=body["seconds"])
            return Answer(200, {"now": self.now().isoformat()})
        checkout = self.found(parts[1])
        if parts[2:] == ["pay"]:
            self.pay(checkout, body["outcome"])
        else:
            self.settle(checkout, parts[3], body["outcome"])
        return Answer(200, self.view(checkout))

    def pay(self, checkout: Checkout, outcome: str) -> None:
        """As if by the payer."""
        if checkout.status not in ({"ACTIVE"} if outcome == "PROCESSING" else {"ACTIVE", "PROCESSING"}):
            raise RefusedError(409, "invalid_request", "it cannot be paid")
        self.turn(checkout, outcome)

    def settle(self, checkout: Checkout, refund_id: str, outcome: str) -> None:
        """As if by the chain."""
        refund = next((one for one in checkout.refunds if one.id == refund_id and one.status == "PENDING"), None)
        if refund is None:
            raise RefusedError(409, "invalid_request", "it is not pending")
        refund.status = outcome
        if outcome == "COMPLETED":
            refund.completed = self.stored(self.now())
        self.settled(checkout)


CREATE_FIELDS: Final = {
    "amount",
    "currency",
    "network",
    "description",
    "expiresAt",
    "metadata",
    "successRedirectUrl",
    "failRedirectUrl",
}
REFUND_FIELDS: Final = {"amount", "currency", "reason"}


def text_faults(asked: JsonObject, name: str, longest: int) -> Iterator[tuple[str, str]]:
    """What is wrong with an optional text."""
    if name not in asked:
        return
    if not isinstance(asked[name], str):
        yield f"{name}.type", f"{name} has to be a text"
    elif len(asked[name]) > longest:
        yield f"{name}.length", f"{name} is longer than {longest}"


def url_faults(asked: JsonObject, name: str) -> Iterator[tuple[str, str]]:
    """What is wrong with an optional URL."""
    if name not in asked:
        return
    yield from text_faults(asked, name, 2048)
    url = asked[name]
    if not isinstance(url, str):
        return
    if not url.startswith("https://"):
        yield f"{name}.scheme", f"{name} is not https"
    try:
        proper = bool(re.fullmatch(r"[!#-;=?-Z_a-z~\[\]@%]+", url)) and bool(urlsplit(url).netloc)
    except ValueError:
        proper = False
    if not proper or re.search("%(?![0-9A-Fa-f]{2})", url):
        yield f"{name}.form", f"{name} is no URI"


def other(shop: type[Shop], changes: Mapping[str, Any]) -> type[Shop]:
    """The shop with some of its methods replaced."""
    return type("WrongShop", (shop,), dict(changes))
