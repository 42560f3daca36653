"""
Observed drift: what was seen in traffic, each thing once, with its verdict, its witnesses and where it would be added.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from coinbase_checkouts_conformance.traffic import Recorded

from .document import At, Document
from .observing import (
    EVENTS,
    Answer,
    Looker,
    Seen,
    deliveries,
    events,
    inner_items,
    inner_names,
    inner_rest,
    members,
    of_log,
    operations,
    response,
    views,
)
from .problems import CouldNotCompareError
from .schemas import canon
from .shapes import Shape, is_name
from .verdicts import RULES, Direction, Severity

# Whose traffic it is. `sandbox` is known to be one, and no word about the real service; a HAR file, a cassette of
# somebody's and a log do not say whose they are.
SANDBOX: Final = "sandbox"
PROVENANCES: Final = (SANDBOX, "live", "har", "cassette", "log")
MOST_WITNESSES: Final = 5
# Of answers with another status or media type, what is tried on the schemas that there are.
_MOST_TRIED: Final = 50
# Of what is made up anew with every answer, such as a status with a number in it.
MOST_KINDS: Final = 1000

# One thing, wherever it is seen.
_SHARED: Final = ("header", "parameter", "time")
# Each form that comes is a thing of its own.
_SHAPED: Final = ("type", "format", "pattern", "time")

_RULES: Final = {
    "field": "field-added",
    "closed": "field-added-to-closed",
    "value": "value-added",
    "success": "success-added",
    "status": "error-added",
    "header": "parameter-added",
    "parameter": "parameter-added",
    "media": "media-removed",
    "required": "no-longer-required",
    "null": "null-allowed",
    "type": "type-changed",
    "format": "format-changed",
    "pattern": "pattern-changed",
    "limit": "limit-loosened",
    "const": "value-added",
    "body": "body-removed",
    "event": "type-changed",
    "time": "example",
}


@dataclass(frozen=True)
class Witness:
    """
    Where something was seen.

    Args:
        source: The file, and the exchange or line in it.
        provenance: One of PROVENANCES.
        pointer: Into the body.
    """

    source: str
    provenance: str
    operation: str
    status: int | None = None
    pointer: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "source": self.source,
            "provenance": self.provenance,
            "operation": self.operation,
            "status": self.status,
            "pointer": self.pointer,
        }


@dataclass
class Reply:
    """What the answers with a status or media type that is not described had in common."""

    headers: dict[str, str] = field(default_factory=dict)
    media: dict[str, Shape] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    is_kept: bool = True

    def add(self, answer: Answer) -> None:
        """One more."""
        self.headers |= {name: "" for name in answer.headers if is_name(name)}
        if answer.media_type:
            shape = self.media.setdefault(answer.media_type, Shape())
            if answer.has_json:
                shape.add(answer.content)
                self.is_kept = len(self.answers) < _MOST_TRIED
                self.answers += [answer] if self.is_kept else []


@dataclass
class Observation:
    """
    One thing that is not as described, however often it was seen.

    Attributes:
        ats: What of the description would have to change; several only of a header, which many answers may have.
        place: The first operation that has it and the steps to it, whatever the traffic was.
        shown: Likewise, of an operation and a status that it was seen at; empty where those are the first.
        statuses: The operations and statuses that it was seen at.
    """

    kind: str
    rule: str
    name: str
    described: str
    came: str
    operation: str
    place: str
    direction: Direction = Direction.RESPONSE
    ats: dict[str, At] = field(default_factory=dict)
    count: int = 0
    witnesses: list[Witness] = field(default_factory=list)
    operations: dict[str, None] = field(default_factory=dict)
    statuses: dict[tuple[str, int], None] = field(default_factory=dict)
    provenances: Counter[str] = field(default_factory=Counter)
    shape: Shape = field(default_factory=Shape)
    reply: Reply = field(default_factory=Reply)
    shown: tuple[str, str] | None = None

    @property
    def at(self) -> At:
        """The first place that would have to change."""
        return next(iter(self.ats.values()))

    @property
    def severity(self) -> Severity:
        """Its class."""
        return RULES[self.rule].of(Direction.RESPONSE)[0]

    @property
    def fails(self) -> bool:
        """Whether it is drift; what only examples show otherwise is none."""
        return self.severity.rank <= Severity.ADDITIVE.rank

    @property
    def why(self) -> str:
        """The reason of its class."""
        return RULES[self.rule].of(Direction.RESPONSE)[1]

    @property
    def pointer(self) -> str:
        """Where it would be added, or what would have to change."""
        return _added(self, self.at.pointer)

    @property
    def is_of_sandbox(self) -> bool:
        """Whether nothing but a sandbox was seen to do so."""
        return set(self.provenances) == {SANDBOX}

    @property
    def what(self) -> str:
        """It in words, without its place."""
        name = self.name or "whose name is not shown"
        match self.kind:
            case "field":
                kind = " or ".join(self.types)
                return f"undocumented field {name}" + (f" ({kind})" if kind else "")
            case "value":
                return f"new value {self.name}" if self.name else f"a value that is not in the enum ({self.came})"
            case "status":
                return f"undocumented status {self.name}".strip()
            case "header" | "parameter":
                return f"undocumented header {name}"
            case "media":
                return f"undocumented media type {self.name or 'or none'}, not {self.described or 'none'}"
            case "required":
                return f"{self.name} is required, and does not come"
            case "null":
                return f"null, where {self.described or 'a value'} is described"
            case "time":
                return f"a time in {self.came}; the published examples have {self.described}, and both are RFC 3339"
            case _:
                return f"{self.came}, where {self.described} is described"

    @property
    def where(self) -> str:
        """Its place in words."""
        if len(self.ats) > 1:
            things = {"header": "answers", "parameter": "events"}.get(self.kind, "fields")
            return f"{len(self.ats)} {things}"
        return " ".join(self.seen_at).strip()

    @property
    def seen_at(self) -> tuple[str, str]:
        """An operation that has it, and the steps to it: one that it was seen at, where that is known."""
        return self.shown or (self.operation, self.place)

    @property
    def types(self) -> list[str]:
        """What types the values of an undocumented field have."""
        found = self.shape.schema({}).get("type", [])
        return [found] if isinstance(found, str) else found

    @property
    def message(self) -> str:
        """It in one sentence, with the reason of its class."""
        return f"{self.where}: {self.what}; {self.why}"

    @property
    def fingerprint(self) -> str:
        """The same as long as it means the same, whatever traffic shows it and however the description is written."""
        came = self.came if self.kind in _SHAPED else ""
        place = [] if self.kind in _SHARED else [self.operation, self.place]
        meaning = ["observed", self.kind, self.name, came, *place]
        return hashlib.sha256(canon(meaning).encode(errors="surrogatepass")).hexdigest()[:16]

    @property
    def line(self) -> int | None:
        """Of the description."""
        return self.at.document.line(self.at.pointer)

    def add(self, seen: Seen, witness: Witness) -> None:
        """One more time."""
        self.count += 1
        self.ats.setdefault(seen.at.pointer, seen.at)
        self.operations[witness.operation] = None
        if isinstance(witness.status, int):
            self.statuses[witness.operation, witness.status] = None
        self.provenances[witness.provenance] += 1
        if len(self.witnesses) < MOST_WITNESSES:
            self.witnesses.append(witness)
        if self.kind in ("field", "header") and seen.content is not None:
            self.shape.add(seen.content)
        elif self.kind == "field" and witness.provenance != "log":
            self.shape.add(None)
        if seen.answer is not None:
            self.reply.add(seen.answer)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "class": str(self.severity),
            "direction": str(self.direction),
            "kind": self.kind,
            "drift": self.fails,
            "operation": self.seen_at[0],
            "operations": list(self.operations),
            "place": self.seen_at[1],
            "name": self.name or None,
            "pointer": self.pointer,
            "line": self.line,
            "alsoAt": [_added(self, pointer) for pointer in list(self.ats)[1:]],
            "message": self.message,
            "reason": self.why,
            "fingerprint": self.fingerprint,
            "count": self.count,
            "provenance": dict(sorted(self.provenances.items())),
            "witnesses": [one.as_json() for one in self.witnesses],
        }


def _added(one: Observation, pointer: str) -> str:
    """Where it would be added at *pointer*."""
    name = one.name.replace("~", "~0").replace("/", "~1")
    match one.kind:
        case "field":
            return f"{pointer}/properties" + (f"/{name}" if name else "")
        case "value":
            return f"{pointer}/enum"
        case "status":
            return f"{pointer}/{name}"
        case "header":
            return f"{pointer}/headers/{name}"
        case "parameter":
            return f"{pointer}/parameters"
        case "media":
            return f"{pointer}/content/{name}"
        case "required":
            return f"{pointer}/required"
        case "pattern" | "format" | "const":
            return f"{pointer}/{one.kind}"
        case "limit":
            return f"{pointer}/{name}"
        case _:
            return pointer


@dataclass(frozen=True)
class Described:
    """
    Something of the description that traffic may show.

    Args:
        mark: What Looker.noted has when it was seen.
    """

    kind: str
    operation: str
    what: str
    pointer: str
    mark: str


class Map:
    """
    The description by places: which operation leads where first, and all that an answer or event may have.

    Args:
        only: Of this operation or event alone.
        status: Of the answers with this status alone.
    """

    def __init__(self, document: Document, only: str | None = None, status: int | None = None) -> None:
        self._status: Final = status
        self.places: Final[dict[str, tuple[str, str]]] = {}
        self.things: Final[list[Described]] = []
        for name, (_, _, at) in operations(document).items():
            if only in (None, name):
                self._operation(name, at)
        for name, schema in events(document).items():
            if only not in (None, name):
                continue
            self.things.append(Described("event", name, f"event {name}", schema.pointer, schema.pointer))
            self._schema([schema], name, "")
        for name, (at, headers) in deliveries(document).items():
            if only in (None, name):
                self.places.setdefault(at.pointer, (name, ""))
                for header, one in headers.items():
                    self.places.setdefault(one.pointer, (name, f"header {one.text('name') or header}"))

    def place(self, at: At) -> tuple[str, str]:
        """The operation, and the steps in words."""
        return self.places.get(at.pointer, ("", at.pointer))

    def _operation(self, name: str, at: At) -> None:
        responses = at.follow("responses")
        if responses is None:
            self.places.setdefault(at.pointer, (name, ""))
            return
        self.places.setdefault(responses.pointer, (name, ""))
        seen = None if self._status is None else response(at, self._status)
        answers = responses.items() if seen is None else [(str(self._status), seen[1])]
        for status, written in answers:
            of = written.resolved()
            mark = f"{at.pointer}/responses/{status}"
            self.things.append(Described("status", name, f"response {status}", mark, mark))
            self.places.setdefault(of.pointer, (name, f"response {status}"))
            headers, content = of.follow("headers"), of.follow("content")
            for header, one in () if headers is None else headers.names():
                found = Described("header", name, f"response {status} header {header}", one.pointer, one.pointer)
                self.things.append(found)
            for media_type, one in () if content is None else content.items():
                self.places.setdefault(one.pointer, (name, f"response {status} {media_type}"))
                if (schema := one.follow("schema")) is not None:
                    self._schema([schema], name, f"response {status}")

    def _schema(self, roots: list[At], name: str, outer: str, inner: str = "") -> None:
        of = [view for view in views(roots, lambda several: several) if view.pointer not in self.places]
        place = f"{outer} {inner}".strip()
        for view in of:
            self.places[view.pointer] = (name, place)
            for member in members(view):
                mark = f"{view.pointer}/enum={member}"
                self.things.append(Described("value", name, f"{place} {member}", f"{view.pointer}/enum", mark))
        for key, ats in inner_names(of).items():
            step = f"{inner}.{key}".removeprefix(".")
            # The type of one event is its name, which is told already.
            if ats[0].pointer not in self.places and ats[0].get("const") is None:
                what = f"{outer} {step}".strip()
                self.things.append(Described("field", name, what, ats[0].pointer, ats[0].pointer))
            self._schema(ats, name, outer, step)
        for ats, step in ((inner_items(of), "[]"), (inner_rest(of), ".*")):
            if ats:
                self._schema(ats, name, outer, inner + step)


class Observed:
    """
    All that traffic shows, against one description.

    Attributes:
        exchanges: How many answers and events were looked at, by provenance.
    """

    def __init__(self, document: Document) -> None:
        self.document: Final = document
        self.exchanges: Final[Counter[str]] = Counter()
        self.is_cut = False
        self._looker = Looker(document)
        self._map = Map(document)
        self._operations = operations(document)
        self._maps: dict[tuple[str, int | None], Map] = {}
        self._found: dict[tuple[str, ...], Observation] = {}

    def answer(self, operation: str, exchange: Recorded, witness: Witness) -> None:
        """Look at the answer to *operation*."""
        self.exchanges[witness.provenance] += 1
        for seen in self._looker.answer(self._operations[operation][2], exchange):
            self._add(seen, witness, Direction.RESPONSE)

    def event(self, body: Mapping[str, Any], headers: Mapping[str, str], witness: Witness) -> None:
        """Look at a webhook."""
        self.exchanges[witness.provenance] += 1
        for seen in chain(self._looker.delivery(body["eventType"], headers), self._looker.event(body)):
            # Events have other examples than answers, and there times are as exact as they come.
            if seen.kind != "time":
                self._add(seen, witness, Direction.EVENT)

    def logged(self, line: Mapping[str, Any], witness: Witness) -> None:
        """
        Take what the client's drift sensor says.

        Raises:
            CouldNotCompareError: It cannot be understood by this description.
        """
        if line["operation"] not in self._operations:
            raise CouldNotCompareError("its operation is not described")
        seen = of_log(self._operations[line["operation"]][2], line)
        self.exchanges[witness.provenance] += 1
        if seen is not None:
            self._add(seen, witness, Direction.RESPONSE)

    def _add(self, seen: Seen, witness: Witness, direction: Direction) -> None:
        where = "" if seen.kind in _SHARED else seen.at.pointer
        came = seen.came if seen.kind in _SHAPED else ""
        key = (seen.kind, where, seen.name, came)
        if key not in self._found:
            if len(self._found) >= MOST_KINDS:
                self.is_cut = True
                return
            operation, place = self._map.place(seen.at)
            self._found[key] = Observation(
                seen.kind,
                self._rule(seen),
                seen.name,
                seen.described,
                seen.came,
                operation,
                place,
                direction,
            )
        found = self._found[key]
        if direction is Direction.RESPONSE:
            found.direction = direction
        found.add(seen, replace(witness, pointer=seen.pointer))

    def _rule(self, seen: Seen) -> str:
        kind = seen.kind
        if kind == "status" and seen.name.startswith("2"):
            kind = "success"
        if kind == "field" and isinstance(seen.at.value, dict) and seen.at.value.get("additionalProperties") is False:
            kind = "closed"
        return _RULES[kind]

    @property
    def observations(self) -> list[Observation]:
        """Worst first, in an order that the traffic does not change."""
        # Which of two right forms a sandbox of ours has chosen is no news.
        found = [one for one in self._found.values() if one.kind != "time" or not one.is_of_sandbox]
        for one in found:
            one.shown = self._shown(one)
        return sorted(
            found,
            key=lambda one: (one.severity.rank, one.operation, one.place, one.kind, one.name, one.fingerprint),
        )

    def _shown(self, one: Observation) -> tuple[str, str] | None:
        statuses = {status for name, status in one.statuses if name == one.operation}
        named = {f"response {status}" for status in statuses}
        is_seen_there = not named or not one.place.startswith("response ") or one.place.startswith(tuple(named))
        if one.operation in one.operations and is_seen_there:
            return None
        for name in (*self._operations, *events(self.document)):
            seen = [status for other, status in one.statuses if other == name]
            if name in one.operations and (found := self._mapped(name, min(seen, default=None)).place(one.at))[0]:
                return found
        return None

    def _mapped(self, name: str, status: int | None) -> Map:
        if (name, status) not in self._maps:
            self._maps[name, status] = Map(self.document, name, status)
        return self._maps[name, status]

    @property
    def noted(self) -> set[str]:
        """What of the description was seen, as Looker has it."""
        return self._looker.noted

    @property
    def never_seen(self) -> list[Described]:
        """What is described and did not come; a log tells of nothing that is as described."""
        return [thing for thing in self._map.things if thing.mark not in self._looker.noted]


def event_of(exchange: Recorded) -> Mapping[str, Any] | None:
    """The body of a webhook about checkouts that *exchange* delivered; None if it is no such delivery."""
    body = exchange.body if exchange.method.upper() == "POST" and exchange.operation is None else None
    kind = body.get("eventType") if isinstance(body, dict) else None
    return body if isinstance(kind, str) and kind.startswith(EVENTS) else None
