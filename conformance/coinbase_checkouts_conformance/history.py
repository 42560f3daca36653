"""
What a conversation tells about each checkout, and which of it was true when it was told.

An answer may be old news: a repeated key brings back the first one, whatever has happened since. And requests may
overlap, so that the order they stand in is not the order they took effect. Nothing is concluded from either.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from .compare import time_of
from .control import ROOT
from .description import escaped
from .judge import judge
from .traffic import Conversation, Recorded

KEY_HEADER: Final = "x-idempotency-key"

_CREATE, _LIST, _GET = "createCheckout", "listCheckouts", "getCheckout"
_DEACTIVATE, _REFUND = "deactivateCheckout", "refundCheckout"
# Our own sandbox's calls after which nothing is as it was.
_NEW_WORLD: Final = ("reset", "restore")
_LONG_S: Final = 10**10
_SERVER_TIMES: Final = ("createdAt", "updatedAt")


@dataclass(frozen=True)
class Sight:
    """A checkout as it was told once; *pointer* leads to it in the answer."""

    exchange: Recorded
    pointer: str
    checkout: Mapping[str, Any]

    @property
    def shows_refunds(self) -> bool:
        """Whether no refunds told means that there are none; an older generation leaves them out of listings."""
        return asked(self.exchange) != _LIST or "refunds" in self.checkout

    @property
    def refunds(self) -> list[Mapping[str, Any]]:
        return list(self.checkout.get("refunds", ()))

    @property
    def is_fresh(self) -> bool:
        """Whether it is surely how the checkout was just then, and no first answer told again."""
        return asked(self.exchange) in (_GET, _LIST) or (
            asked(self.exchange) == _DEACTIVATE and KEY_HEADER not in self.exchange.request_headers
        )

    def follows(self, earlier: Sight) -> bool:
        """Whether its news are newer than *earlier*, given that its answer is; one who had not seen a refund, hears of it."""
        if self.is_fresh:
            return True
        if asked(self.exchange) != _REFUND or not earlier.shows_refunds:
            return False
        return self.exchange.json["refund"]["id"] not in [refund["id"] for refund in earlier.refunds]


@dataclass(frozen=True)
class Page:
    """One page of a listing; *before* are the pages that led to it, first one first."""

    exchange: Recorded
    before: tuple[Page, ...]

    @property
    def checkouts(self) -> list[Mapping[str, Any]]:
        return list(self.exchange.json["checkouts"])

    @property
    def token(self) -> str | None:
        """What leads to the next page; None or empty on the last."""
        token: str | None = self.exchange.json.get("nextPageToken")
        return token

    @property
    def filters(self) -> list[tuple[str, str]]:
        return sorted(pair for pair in self.exchange.query if pair[0] != "pageToken")


class History:
    """
    The exchanges with one server, those that keep the schema: whatever breaks it is the judge's business.

    Args:
        exchanges: Control calls among them.
        is_concurrent: As in `Conversation`.
    """

    def __init__(self, exchanges: Iterable[Recorded], *, is_concurrent: bool = False) -> None:
        self._all = list(exchanges)
        if all(exchange.span for exchange in self._all):
            self._all.sort(key=_began)
        self._position: Final = {id(exchange): number for number, exchange in enumerate(self._all)}
        self._is_concurrent = is_concurrent
        self.exchanges: Final = [exchange for exchange in self._all if keeps_schema(exchange)]

    def of(self, operation_id: str) -> list[Recorded]:
        """What *operation_id* was answered when it succeeded."""
        return [one for one in self.exchanges if asked(one) == operation_id and one.is_success]

    @cached_property
    def sights(self) -> list[Sight]:
        """Every checkout in every answer."""
        return [sight for exchange in self.exchanges if exchange.is_success for sight in _sights(exchange)]

    @cached_property
    def by_id(self) -> dict[str, list[Sight]]:
        """The sights of each checkout, in order."""
        found: dict[str, list[Sight]] = {}
        for sight in self.sights:
            found.setdefault(sight.checkout["id"], []).append(sight)
        return found

    @cached_property
    def changes(self) -> list[tuple[Sight, Sight]]:
        """Each sight that is news, with the one before it. What lay between may have been missed."""
        return [pair for sights in self.by_id.values() for pair in self._changes(sights)]

    def _changes(self, sights: Iterable[Sight]) -> Iterator[tuple[Sight, Sight]]:
        told: list[Sight] = []
        for later in sights:
            known = (one for one in reversed(told) if self.before(one.exchange, later.exchange) and later.follows(one))
            earlier = next(known, None)
            if earlier is not None:
                yield earlier, later
            # The first may be old news; but so was what came before it.
            if earlier is not None or later.is_fresh or not told:
                told.append(later)

    @cached_property
    def pages(self) -> list[Page]:
        """Every page of every listing."""
        found: list[Page] = []
        for exchange in self.of(_LIST):
            page = Page(exchange, ())
            token = dict(exchange.query).get("pageToken")
            led = (
                one
                for one in reversed(found)
                if one.token == token and one.filters == page.filters and self.before(one.exchange, exchange)
            )
            previous = next(led, None) if token else None
            found.append(page if previous is None else Page(exchange, (*previous.before, previous)))
        return found

    def before(self, one: Recorded, other: Recorded) -> bool:
        """Whether *one* was surely over when *other* began."""
        if one.span and other.span:
            return one.span[1] <= other.span[0]
        return not self._is_concurrent and self._position[id(one)] < self._position[id(other)]

    def during(self, one: Recorded, other: Recorded) -> list[Recorded]:
        """What was asked, and may have taken effect, from the beginning of *one* to the end of *other*; control calls too."""
        return [call for call in self._all if not (self.before(call, one) or self.before(other, call))]

    def between(self, one: Recorded, other: Recorded) -> list[Recorded]:
        """What was asked from *one* to *other*, both left out, control calls among it."""
        return self._all[self._position[id(one)] + 1 : self._position[id(other)]]

    def passed(self, one: Recorded, other: Recorded) -> timedelta:
        """How much time surely passed from *one* to *other*, by the traffic's times and by moving the sandbox's clock."""
        real = other.span[0] - one.span[1] if one.span and other.span else timedelta(0)
        return sum((_moved(call) for call in self.between(one, other)), real)

    def time_at(self, exchange: Recorded) -> datetime | None:
        """The latest time of its own that the server has shown up to *exchange*; None if it has shown none."""
        shown = bisect_right(self._times, self._position[id(exchange)], key=lambda known: known[0])
        return self._times[shown - 1][1] if shown else None

    @cached_property
    def _times(self) -> list[tuple[int, datetime]]:
        """Where in the conversation the server's time moved on, and to what."""
        found: list[tuple[int, datetime]] = []
        for sight in self.sights:
            for shown in filter(None, (time_of(sight.checkout[name]) for name in _SERVER_TIMES)):
                if not found or shown > found[-1][1]:
                    found.append((self._position[id(sight.exchange)], shown))
        return found


def histories(conversation: Conversation) -> list[History]:
    """One for each server and account that *conversation* is with, as far as URLs tell, and for each of its lives."""
    found: dict[tuple[str, str, int], list[Recorded]] = {}
    lives: dict[str, int] = {}
    for exchange in conversation:
        target = exchange.place.target
        if exchange.path.startswith(ROOT):
            if exchange.path.removeprefix(ROOT) in _NEW_WORLD:
                lives[target] = lives.get(target, 0) + 1
            for (other, _, life), exchanges in found.items():
                if (other, life) == (target, lives.get(target, 0)):
                    exchanges.append(exchange)
        elif exchange.operation is not None:
            prefix = exchange.path.partition(exchange.operation.path.partition("/{")[0])[0]
            found.setdefault((target, prefix, lives.get(target, 0)), []).append(exchange)
    return [History(exchanges, is_concurrent=conversation.is_concurrent) for exchanges in found.values()]


def asked(exchange: Recorded) -> str:
    """The operation's id; empty for what the description does not know."""
    return exchange.operation.id if exchange.operation else ""


def keeps_schema(exchange: Recorded) -> bool:
    """Whether the answer is one of those that the description knows, in shape."""
    if exchange.operation is None:
        return False
    by = judge()
    schema = by.schema_of(exchange.operation, exchange.status)
    return schema is not None and bool(by.validator(schema).is_valid(exchange.json))


def _sights(exchange: Recorded) -> Iterator[Sight]:
    match asked(exchange):
        case "listCheckouts":
            for index, checkout in enumerate(exchange.json["checkouts"]):
                yield Sight(exchange, f"/checkouts/{escaped(str(index))}", checkout)
        case "refundCheckout":
            yield Sight(exchange, "/checkout", exchange.json["checkout"])
        case _:
            yield Sight(exchange, "", exchange.json)


def _moved(exchange: Recorded) -> timedelta:
    """How far this call moved a sandbox's clock."""
    is_move = exchange.path == f"{ROOT}clock/advance" and exchange.is_success and isinstance(exchange.body, dict)
    seconds = exchange.body.get("seconds") if is_move else None
    return timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < _LONG_S else timedelta(0)


def _began(exchange: Recorded) -> datetime:
    assert exchange.span is not None, "seen to by the caller"
    return exchange.span[0]
