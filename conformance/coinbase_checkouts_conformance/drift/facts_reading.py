"""
What a description says, fact by fact, so that two can be set side by side whatever their schemas are called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from coinbase_checkouts_conformance.constraints import KEYWORDS

from .document import At, Document
from .observed import Observed
from .observing import below, events, inner_items, inner_names, inside, members, operations, required, views

Values = frozenset[str]

FIELDS: Final = "fields"
REQUIRED: Final = "required"
ENUM: Final = "values"
KEYWORDS_OF: Final = "limits"
SUCCESSES: Final = "success"
ERRORS: Final = "errors"
PARAMETERS: Final = "parameters"
EVENTS: Final = "events"
# Told as types and values elsewhere.
_NO_LIMITS: Final = ("type", "enum", "const")


@dataclass(frozen=True)
class Question:
    """
    One thing to ask a description.

    Args:
        kind: One of the constants above.
        side: `request`, `success` or `error`, whose body *pointer* leads into.
    """

    kind: str
    name: str
    operation: str = ""
    side: str = ""
    pointer: str = ""

    @property
    def id(self) -> str:
        """`Checkout fields`."""
        return f"{self.name} {self.kind}"


def questions(document: Document) -> list[Question]:
    """All that can be asked of any description of the same API, in the order of this one."""
    found: dict[str, Question] = {}
    for name, (_, _, operation) in operations(document).items():
        for kind in (SUCCESSES, ERRORS, PARAMETERS):
            found.setdefault(f"{name} {kind}", Question(kind, name, name))
        for side in ("request", "success", "error"):
            for question in _of_body(name, side, _body(operation, side), ""):
                found.setdefault(question.id, question)
    found["webhooks events"] = Question(EVENTS, "webhooks")
    order = (ENUM, FIELDS, REQUIRED, SUCCESSES, ERRORS, EVENTS, PARAMETERS, KEYWORDS_OF)
    return sorted(found.values(), key=lambda one: order.index(one.kind))


def _of_body(operation: str, side: str, at: list[At], pointer: str, above: tuple[str, ...] = ()) -> Iterator[Question]:
    of = _views(at)
    names = [view.pointer.removeprefix("#/components/schemas/") for view in of]
    known = next((name for name in names if "/" not in name), f"{operation} {pointer}")
    if known in above:
        return
    if any(members(view) for view in of):
        yield Question(ENUM, known, operation, side, pointer)
    fields = inner_names(of)
    if fields:
        yield Question(FIELDS, known, operation, side, pointer)
        yield Question(REQUIRED, known, operation, side, pointer)
    for name, inner in fields.items():
        if side == "request":
            yield Question(KEYWORDS_OF, f"{known}.{name}", operation, side, f"{pointer}/{name}")
        yield from _of_body(operation, side, inner, f"{pointer}/{name}", (*above, known))
    if items := inner_items(of):
        yield from _of_body(operation, side, items, f"{pointer}/*", (*above, known))


def _views(at: Sequence[At]) -> list[At]:
    return views(at, lambda several: several)


def _body(operation: At, side: str) -> list[At]:
    """The schema of a request, of the first success or of the first error."""
    if side == "request":
        owners = [operation.follow("requestBody")]
    else:
        responses = operation.follow("responses")
        known = {} if responses is None else dict(responses.items())
        owners = [at.resolved() for status, at in known.items() if status.startswith("2") is (side == "success")]
    found = (below(at, "content", "application/json", "schema") for at in owners)
    return [at for at in found if at is not None][:1]


def answer(document: Document, question: Question) -> Values | None:
    """What *document* says; None where it has no such thing."""
    if question.kind == EVENTS:
        return frozenset(events(document)) or None
    known = operations(document).get(question.operation)
    if known is None:
        return None
    operation = known[2]
    if question.kind in (SUCCESSES, ERRORS):
        return frozenset(status for status, _ in statuses(operation, question.kind))
    if question.kind == PARAMETERS:
        return frozenset(_parameters(document, known[1], operation))
    at = inside(_body(operation, question.side), question.pointer)
    of = _views(at)
    if not of:
        return None
    match question.kind:
        case "fields":
            return frozenset(inner_names(of))
        case "required":
            return frozenset(name for view in of for name in required(view))
        case "values":
            return frozenset(str(one) for view in of for one in members(view)) or None
        case _:
            return frozenset(_limits(of))


def statuses(operation: At, kind: str) -> list[tuple[str, At]]:
    """The described statuses of success, or of errors."""
    responses = operation.follow("responses")
    found = [] if responses is None else list(responses.items())
    return [(status, at.resolved()) for status, at in found if status.startswith("2") is (kind == SUCCESSES)]


def _limits(of: Sequence[At]) -> Iterator[str]:
    for view in of:
        for keyword in KEYWORDS:
            if keyword in view.value and keyword not in _NO_LIMITS:
                value = view.value[keyword]
                yield f"{keyword} {value if isinstance(value, str) else json.dumps(value)}"
        if isinstance(rest := view.value.get("additionalProperties"), dict):
            yield from (f"each {key} {value}" for key, value in rest.items() if key in KEYWORDS)


def _parameters(document: Document, path: str, operation: At) -> Iterator[str]:
    """Each parameter, and each limit on it."""
    paths = document.root.follow("paths")
    item = None if paths is None else paths.follow(path)
    for owner in (item, operation):
        found = None if owner is None else owner.follow("parameters")
        for written in () if found is None else found.elements():
            at = written.resolved()
            name, schema = str(at.text("name")), at.follow("schema")
            yield name
            of = [] if schema is None else _views([schema])
            if any(view.value.get("type") == "array" for view in of):
                yield f"{name} several"
            yield from (f"{name} {limit}" for limit in _limits(of))


def weak(document: Document, question: Question) -> Values:
    """Of what *document* says, what nobody documented: it is `assumed`."""
    known = operations(document).get(question.operation)
    found: list[tuple[str, At]] = []
    if known is not None and question.kind in (SUCCESSES, ERRORS):
        found = statuses(known[2], question.kind)
    elif known is not None and question.kind == FIELDS:
        of = _views(inside(_body(known[2], question.side), question.pointer))
        found = [(name, ats[0]) for name, ats in inner_names(of).items()]
    return frozenset(name for name, at in found if _standing(at) == "assumed")


def _standing(at: At) -> str | None:
    source = at.get("x-source")
    return None if source is None else source.text("standing")


def seen(observed: Observed, document: Document, question: Question) -> Values | None:
    """What was observed of it; None if nothing was. Of `required`, what was never missing."""
    noted, known = observed.noted, operations(document).get(question.operation)
    if question.kind == EVENTS:
        return frozenset(name for name, at in events(document).items() if at.pointer in noted) or None
    if known is None or question.kind in (PARAMETERS, KEYWORDS_OF) or question.side == "request":
        return None
    told = [(one.kind, one.name, pointer) for one in observed.observations for pointer in one.ats]
    if question.kind in (SUCCESSES, ERRORS):
        owner = f"{known[2].pointer}/responses"
        described = {status for status, _ in statuses(known[2], question.kind) if f"{owner}/{status}" in noted}
        strange = {name for kind, name, pointer in told if kind == "status" and pointer == owner}
        return (
            frozenset(described | {one for one in strange if one.startswith("2") is (question.kind == SUCCESSES)})
            or None
        )
    of = _views(inside(_body(known[2], question.side), question.pointer))
    places = {view.pointer for view in of}
    if not places & noted:
        return None
    if question.kind == FIELDS:
        described = {name for name, ats in inner_names(of).items() if ats[0].pointer in noted}
        return frozenset(described | {name for kind, name, at in told if kind == "field" and at in places and name})
    if question.kind == REQUIRED:
        demanded = {name for view in of for name in required(view)}
        return frozenset(demanded - {name for kind, name, at in told if kind == "required" and at in places})
    marks = {str(one): f"{view.pointer}/enum={one}" for view in of for one in members(view)}
    described = {one for one, mark in marks.items() if mark in noted}
    return frozenset(described | {name for kind, name, at in told if kind == "value" and at in places and name}) or None
