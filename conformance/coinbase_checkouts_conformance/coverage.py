"""
How much of the description has evidence: every constraint of it, and where it is seen to be kept and to be enforced.

A constraint on a request wants two witnesses: an accepted request that keeps it (of a bound, the very edge), and one
that was refused for breaking it and nothing else. One on an answer wants to be seen kept. A rule that JSON Schema
cannot say wants a claim that holds. What no run can reach is in `unreachable.toml`, with why.
"""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from .claims import Claim
from .constraints import KEYWORDS, Constraint, constraints, defaults, of_answer
from .description import Description, Operation, escaped
from .evidence import keeps, refused_for, violated
from .judge import BrokenError, Judge
from .outcomes import HOLDING, Outcomes
from .traffic import DOCUMENTED, Conversation, Place, Recorded

KEPT: Final = "kept"
REFUSED: Final = "refused"
REQUEST: Final = "request"
RESPONSE: Final = "response"
RULE: Final = "rule"

LEDGER_FILE: Final = Path(__file__).with_name("constraints.txt")
UNREACHABLE_FILE: Final = Path(__file__).with_name("unreachable.toml")
UNAUTHORIZED: Final = 401


@dataclass(frozen=True)
class Atom:
    """
    The smallest thing in the description that can have evidence.

    Args:
        id: `createCheckout/request/body/amount/pattern`, `getCheckout/response/200/body/status/enum/ACTIVE`,
            `rule/refund.several`.
        operation: Its operationId; empty for a rule.
        direction: `request`, `response` or `rule`.
        wanted: Of KEPT and REFUSED, what there should be a witness for.
    """

    id: str
    operation: str
    direction: str
    keyword: str
    value: Any
    pointer: str
    sentence: str
    wanted: tuple[str, ...] = (KEPT,)
    constraint: Constraint | None = None


@dataclass(frozen=True)
class Row:
    """An atom and its evidence; *unreachable* says why there can be none, and is empty otherwise."""

    constraint: Atom
    kept: tuple[Place, ...] = ()
    refused: tuple[Place, ...] = ()
    claims: tuple[str, ...] = ()
    unreachable: str = ""

    @property
    def wanted(self) -> tuple[str, ...]:
        """What evidence of it there can be."""
        return () if self.unreachable else self.constraint.wanted

    @property
    def missing(self) -> tuple[str, ...]:
        """What is wanted and was never seen; that a document shows it is not enough."""
        return tuple(side for side in self.wanted if not self.was_seen(side))

    def was_seen(self, side: str) -> bool:
        """Whether a server was seen to do so."""
        places: tuple[Place, ...] = getattr(self, side)
        return any(place.standing != DOCUMENTED for place in places)


@dataclass(frozen=True)
class Proof:
    """A claim that holds, and the conversations in which it was tried."""

    claim: Claim
    conversations: tuple[str, ...]


@dataclass(frozen=True)
class Surprise:
    """What was answered differently than the description says."""

    place: Place
    what: str
    pointer: str


@dataclass(frozen=True)
class Coverage:
    """
    Args:
        stale: Patterns of `unreachable.toml` that fit nothing, or something that there is evidence for.
        changed: Where the description is not what `constraints.txt` says, as lines of a diff.
    """

    rows: tuple[Row, ...]
    surprises: tuple[Surprise, ...] = ()
    stale: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, nothing is surprising and every list is up to date."""
        return not (self.missing or self.surprises or self.stale or self.changed)

    @property
    def missing(self) -> list[Row]:
        """What wants evidence and has none."""
        return [row for row in self.rows if row.missing]

    def share(self, direction: str, side: str = KEPT, *, operation: str | None = None) -> tuple[int, int]:
        """How many have a witness, of how many that want one."""
        wanted = [
            row
            for row in self.rows
            if row.constraint.direction == direction
            and side in row.wanted
            and operation in (None, row.constraint.operation)
        ]
        return sum(side not in row.missing for row in wanted), len(wanted)


@dataclass(frozen=True)
class Waiver:
    """Atoms, by patterns of their ids, of which no run can see *side*; and why."""

    patterns: tuple[str, ...]
    why: str
    sides: tuple[str, ...] = (KEPT, REFUSED)


def atoms(by: Description) -> list[Atom]:
    """Everything in the description that can have evidence, in its order."""
    found = [atom for operation in by.operations.values() for atom in _of_operation(by, operation)]
    found += [_of_rule(by, name, pointer) for name, pointer in by.rules.items()]
    # Two shapes of one answer may say the same of the same thing.
    return list({atom.id: atom for atom in reversed(found)}.values())[::-1]


def _of_rule(by: Description, name: str, pointer: str) -> Atom:
    sentence = " ".join(by.at(pointer)["rule"].split())
    return Atom(f"rule/{name}", "", RULE, "x-rule", sentence, pointer, sentence)


def _of_operation(by: Description, operation: Operation) -> Iterator[Atom]:
    yield _atom(
        operation,
        "request/security",
        f"{operation.id} is for those with a valid token; what has none is answered 401.",
        "#/security",
        wanted=(KEPT, REFUSED),
    )
    for one in constraints(by, operation):
        yield from _of_constraint(one)
    for one in defaults(by, operation):
        yield replace(_of(one), wanted=(KEPT,))
    for media_type in by.at(operation.pointer).get("requestBody", {}).get("content", {}):
        pointer = f"{operation.pointer}/requestBody/content/{escaped(media_type)}"
        yield _atom(operation, f"request/media/{escaped(media_type)}", f"{operation.id} takes {media_type}.", pointer)
    for status, pointer in by.responses(operation).items():
        sentence = f"{operation.id} may answer {status}."
        yield _atom(operation, f"response/{status}/status", sentence, f"{operation.pointer}/responses/{status}")
        for media_type in by.at(pointer).get("content", {}):
            name = f"response/{status}/media/{escaped(media_type)}"
            sentence = f"A {status} of {operation.id} is {media_type}."
            yield _atom(operation, name, sentence, f"{pointer}/content/{escaped(media_type)}")
        for one in of_answer(by, operation, status):
            yield from _of_constraint(one)


def _atom(operation: Operation, name: str, sentence: str, pointer: str, *, wanted: tuple[str, ...] = (KEPT,)) -> Atom:
    direction, _, rest = name.partition("/")
    keyword = rest.split("/")[0 if direction == REQUEST else 1]
    return Atom(f"{operation.id}/{name}", operation.id, direction, keyword, None, pointer, sentence, wanted)


def _of(one: Constraint) -> Atom:
    direction = REQUEST if one.status is None else RESPONSE
    wanted = (KEPT,) if direction == RESPONSE or one.is_open else (KEPT, REFUSED)
    return Atom(one.id, one.operation.id, direction, one.keyword, one.value, one.pointer, one.sentence, wanted, one)


def _of_constraint(one: Constraint) -> Iterator[Atom]:
    """The constraint itself; of an enum each member apart, and that no other is taken."""
    if one.keyword != "enum":
        yield _of(one)
        return
    if one.status is None:
        yield replace(_of(one), wanted=(REFUSED,))
    for member in one.value:
        exact = replace(one, keyword="const", value=member)
        sentence = f"{one.thing} of {one.operation.id} may be {member}."
        yield replace(
            _of(exact), id=f"{one.id}/{escaped(str(member))}", keyword="enum", sentence=sentence, wanted=(KEPT,)
        )


def covered(
    by: Description,
    conversations: Iterable[Conversation],
    proofs: Iterable[Proof] = (),
    *,
    waivers: Iterable[Waiver] | None = None,
    ledger: str | None = None,
) -> Coverage:
    """
    What *conversations* and *proofs* are evidence of.

    Args:
        waivers: What cannot be reached; by default what `unreachable.toml` says.
        ledger: What the description is expected to demand, as `listed` writes it; by default nothing in particular.
    """
    conversations, proofs = list(conversations), list(proofs)
    finder = _Finder(by)
    for conversation in conversations:
        for exchange in conversation:
            finder.look(exchange)
    by_pointer = _by_pointer(proofs)
    places = {conversation.name: _first(conversation) for conversation in conversations}
    rows = []
    for atom in finder.atoms:
        claims = by_pointer.get(atom.pointer, [])
        kept = finder.places[atom.id, KEPT]
        if atom.keyword in ("x-rule", "default"):
            kept = [place for proof in claims for name in proof.conversations if (place := places.get(name))]
        names = tuple(dict.fromkeys(proof.claim.id for proof in claims))
        rows.append(Row(atom, tuple(kept), tuple(finder.places[atom.id, REFUSED]), names))
    rows, stale = _waived(rows, read_waivers() if waivers is None else waivers)
    surprises = (*finder.surprises, *_surprises(finder, conversations, proofs))
    changed = () if ledger is None else tuple(_changes(ledger, listed(finder.atoms)))
    return Coverage(tuple(rows), surprises, tuple(stale), changed)


def listed(found: Iterable[Atom]) -> str:
    """`constraints.txt`: each constraint and its value, so that a review sees what a change to the description does."""
    return "".join(f"{atom.id}{'' if atom.value is None else f' {json.dumps(atom.value)}'}\n" for atom in found)


def _changes(before: str, after: str) -> Iterator[str]:
    """Lines that came or went; where they stand does not matter."""
    old, new = dict.fromkeys(before.splitlines()), dict.fromkeys(after.splitlines())
    yield from (f"- {line}" for line in old if line not in new)
    yield from (f"+ {line}" for line in new if line not in old)


def _first(conversation: Conversation) -> Place | None:
    return conversation.exchanges[0].place if conversation.exchanges else None


def _by_pointer(proofs: Iterable[Proof]) -> Mapping[str, list[Proof]]:
    found: dict[str, list[Proof]] = defaultdict(list)
    for proof in proofs:
        for pointer in proof.claim.proves:
            found[pointer].append(proof)
    return found


class _Finder:
    """Looks at one exchange after the other, and notes what each is a witness of."""

    def __init__(self, by: Description) -> None:
        self._judge: Final = Judge(by)
        self._by: Final = by
        self.atoms: Final = atoms(by)
        self.places: Final[dict[tuple[str, str], list[Place]]] = defaultdict(list)
        self.constraints: Final = {name: constraints(by, one) for name, one in by.operations.items()}
        self._sent: Final = self._sorted(REQUEST)
        self._answered: Final = self._sorted(RESPONSE)
        self.surprises: Final[list[Surprise]] = []

    def _sorted(self, direction: str) -> dict[tuple[str, int | None], list[tuple[Atom, Constraint]]]:
        found: dict[tuple[str, int | None], list[tuple[Atom, Constraint]]] = defaultdict(list)
        for atom in self.atoms:
            if atom.constraint is not None and atom.direction == direction:
                found[atom.operation, atom.constraint.status].append((atom, atom.constraint))
        return found

    def look(self, exchange: Recorded) -> None:
        """Note what *exchange* shows."""
        operation = exchange.operation
        if operation is None:
            return
        name = operation.id
        if exchange.is_success:
            if not _is_example(exchange):
                self._note(f"{name}/request/security", KEPT, exchange)
            self._note(f"{name}/request/media/{escaped(_media_type(exchange.request_headers))}", KEPT, exchange)
            for atom, constraint in self._sent[name, None]:
                if keeps(constraint, exchange):
                    self._note(atom.id, KEPT, exchange)
        elif exchange.status == UNAUTHORIZED:
            self._note(f"{name}/request/security", REFUSED, exchange)
        for constraint in refused_for(exchange, self.constraints[name]):
            self._note(constraint.id, REFUSED, exchange)
        self._look_at_answer(name, operation, exchange)

    def _look_at_answer(self, name: str, operation: Operation, exchange: Recorded) -> None:
        if _is_example(exchange) and not exchange.answer:
            return
        try:
            self._judge.check(operation, exchange.status, exchange.content_type, exchange.answer)
        except BrokenError as exc:
            # A wrong answer is evidence of nothing.
            self.surprises.append(Surprise(exchange.place, exc.what, exc.rule))
            return
        side = f"{name}/response/{exchange.status}"
        if not _is_example(exchange):
            self._note(f"{side}/status", KEPT, exchange)
        self._note(f"{side}/media/{escaped(_media_type(exchange.response_headers))}", KEPT, exchange)
        for atom, constraint in self._answered[name, exchange.status]:
            if keeps(constraint, exchange):
                self._note(atom.id, KEPT, exchange)

    def _note(self, atom: str, side: str, exchange: Recorded) -> None:
        self.places[atom, side].append(exchange.place)


def _is_example(exchange: Recorded) -> bool:
    """Whether it is a published example, which is a body without token and status."""
    return exchange.place.standing == DOCUMENTED


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _surprises(finder: _Finder, conversations: Iterable[Conversation], proofs: Iterable[Proof]) -> Iterator[Surprise]:
    """Requests that were accepted although they break the description, or refused although they keep it."""
    # Elsewhere a rule that is no constraint of a schema may be the reason.
    of_constraints = [proof for proof in proofs if _is_of_constraint(proof.claim)]
    about_schemas = {name for proof in of_constraints for name in proof.conversations}
    for conversation in conversations:
        for exchange in conversation:
            if exchange.operation is None:
                continue
            broken = violated(exchange, finder.constraints[exchange.operation.id])
            enforced = [one for one in broken if not one.is_open]
            if exchange.is_success and enforced:
                what = f"accepted with {exchange.status}, although it breaks a constraint: {enforced[0].sentence}"
                yield Surprise(exchange.place, what, enforced[0].pointer)
            elif exchange.status in (400, 422) and not broken and conversation.name in about_schemas:
                what = f"refused with {exchange.status}, although nothing in the description forbids it"
                yield Surprise(exchange.place, what, exchange.operation.pointer)


def _is_of_constraint(claim: Claim) -> bool:
    """Whether *claim* is about a keyword of a schema; told by its name, for the constraint itself may be gone."""
    keyword = claim.id.rpartition("-")[2]
    return keyword in (*KEYWORDS, "required") and f"/{keyword}" in claim.proves[0]


def _waived(rows: list[Row], waivers: Iterable[Waiver]) -> tuple[list[Row], list[str]]:
    stale: list[str] = []
    for waiver in waivers:
        for pattern in waiver.patterns:
            found = [index for index, row in enumerate(rows) if fnmatchcase(row.constraint.id, pattern)]
            if not found:
                stale.append(f"{pattern}: fits no constraint")
            for index in found:
                rows[index], complaint = _without(rows[index], waiver)
                stale += [f"{pattern}: {complaint}"] if complaint else []
    return rows, stale


def _without(row: Row, waiver: Waiver) -> tuple[Row, str]:
    """*row*, no longer asking for what *waiver* says cannot be had."""
    seen = [side for side in waiver.sides if side in row.constraint.wanted and row.was_seen(side)]
    if seen:
        return row, f"there is evidence that {row.constraint.id} is {' and '.join(seen)}"
    left = tuple(side for side in row.constraint.wanted if side not in waiver.sides)
    if left:
        return replace(row, constraint=replace(row.constraint, wanted=left)), ""
    return replace(row, unreachable=waiver.why), ""


def read_waivers(path: Path = UNREACHABLE_FILE) -> list[Waiver]:
    """What `unreachable.toml` says."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Waiver(tuple(one["constraints"]), one["why"], tuple(one.get("sides", (KEPT, REFUSED))))
        for one in content["unreachable"]
    ]


def proofs_of(outcomes: Outcomes) -> list[Proof]:
    """Proofs of the claims that hold."""
    return [Proof(outcome.claim, outcome.tests) for outcome in outcomes.of(*HOLDING)]
