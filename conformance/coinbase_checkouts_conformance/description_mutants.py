"""
The description, changed in one place: would anybody notice?

Each constraint in turn is dropped, loosened and tightened, and the recordings are held against what comes out of it.
A change is noticed *in traffic* when an answer no longer fits, a refusal is no longer called for, a request should have
been refused, or evidence is missing; and *by the list* when only `constraints.txt` tells.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any, Final

from .cassettes import CASSETTES, SANDBOX
from .coverage import RULE, Coverage, Proof, atoms, covered, listed, proofs_of
from .description import Description, description, parts
from .replay import replayed
from .traffic import Conversation, from_cassettes

DROPPED: Final = None
TRAFFIC: Final = "traffic"
LIST: Final = "list"
UNNOTICED: Final = ""

_BOUNDS: Final = (
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)
_QUANTIFIER: Final = re.compile(r"\{(\d+)(?:,(\d+))?\}")


@dataclass(frozen=True)
class Change:
    """*to* in the place of what *pointer* leads to; DROPPED takes it out."""

    pointer: str
    what: str
    to: Any

    def made(self, by: Description) -> Description:
        """The description with this change."""
        document = deepcopy(by.document)
        *above, last = parts(self.pointer)
        owner: Any = document
        for step in above:
            owner = owner[int(step)] if isinstance(owner, list) else owner[step]
        key: Any = int(last) if isinstance(owner, list) else last
        if self.to is DROPPED:
            del owner[key]
        else:
            owner[key] = self.to
        return Description(json.dumps(document).encode())

    def __str__(self) -> str:
        return f"{self.pointer} {self.what}"


def changes(by: Description) -> list[Change]:
    """Every single change worth making: each constraint, status, media type and rule, once."""
    found: dict[tuple[str, str], Change] = {}
    for atom in atoms(by):
        if atom.keyword == "security":
            continue  # one for all operations, and a token is in no recording
        if atom.direction == RULE:
            # In its place, so that no other rule takes its number.
            made: Iterable[Change] = [Change(f"{atom.pointer}/rule", "saying something else", "Anything goes.")]
        elif atom.constraint is None:
            made = [Change(atom.pointer, "dropped", DROPPED)]
        else:
            made = _variants(atom.pointer, atom.keyword, by.at(atom.pointer))
        found |= {(change.pointer, change.what): change for change in made}
    for pointer in {one.constraint.schema for one in atoms(by) if one.constraint is not None}:
        found |= {(change.pointer, change.what): change for change in _demanding_more(by, pointer)}
    return list(found.values())


def _variants(pointer: str, keyword: str, value: Any) -> Iterator[Change]:
    yield Change(pointer, "dropped", DROPPED)
    match keyword:
        case "enum":
            yield Change(pointer, "with one more", [*value, f"{value[0]}_AND_MORE"])
            yield from (
                Change(pointer, f"without {member}", [one for one in value if one != member] or ["nothing"])
                for member in value
            )
        case "pattern":
            yield from (Change(pointer, f"as {other}", other) for other in _patterns(value) if other != value)
        case "type":
            yield Change(pointer, "as another", "string" if value != "string" else "integer")
        case "format":
            yield Change(pointer, "as another", "uri" if value != "uri" else "date-time")
        case "default":
            yield Change(pointer, "as another", value + 1 if isinstance(value, int) else f"{value}-other")
        case _ if keyword in _BOUNDS:
            yield from (Change(pointer, f"as {other}", other) for other in (value - 1, value + 1) if other >= 0)
        case _:
            pass


def _patterns(pattern: str) -> Iterator[str]:
    """*pattern*, a little wider or narrower."""
    yield pattern.removeprefix("^")
    yield pattern.removesuffix("$")
    yield pattern.replace("a-f", "a-fA-F").replace("https", "https?")
    for found in _QUANTIFIER.finditer(pattern):
        least, most = found[1], found[2] or found[1]
        for one, other in ((int(least), int(most) + 1), (int(least) + 1, max(int(most), int(least) + 1))):
            yield f"{pattern[: found.start()]}{{{one},{other}}}{pattern[found.end() :]}"


def _demanding_more(by: Description, pointer: str) -> Iterator[Change]:
    """What may be left out, demanded."""
    node = by.at(pointer)
    required = node.get("required", [])
    for name in node.get("properties", {}):
        if name not in required:
            yield Change(f"{pointer}/required", f"with {name}", [*required, name])


@dataclass(frozen=True)
class Recordings:
    """What the changes are tried on; *missing* is what has no evidence without any change."""

    conversations: Sequence[Conversation]
    proofs: Sequence[Proof]
    ledger: str
    missing: frozenset[str]


@cache
def recordings() -> Recordings:
    """The project's own."""
    suite = replayed(CASSETTES)
    conversations, proofs = from_cassettes(CASSETTES / SANDBOX), proofs_of(suite.outcomes)
    missing = _missing(covered(description(), conversations, proofs))
    return Recordings(conversations, proofs, listed(atoms(description())), missing)


def _missing(found: Coverage) -> frozenset[str]:
    return frozenset(row.constraint.id for row in found.missing)


def noticed(change: Change) -> str:
    """TRAFFIC, LIST or UNNOTICED."""
    on = recordings()
    try:
        by = change.made(description())
        found = covered(by, on.conversations, on.proofs, ledger=on.ledger)
    except (LookupError, AttributeError):
        return LIST  # a claim or the compiler points at what is gone
    if found.surprises or _missing(found) - on.missing:
        return TRAFFIC
    return LIST if found.changed or found.stale else UNNOTICED


def main(argv: list[str]) -> int:
    """Try them; exit 0 when every change is noticed."""
    parser = argparse.ArgumentParser(
        prog="python -m coinbase_checkouts_conformance.description_mutants", allow_abbrev=False
    )
    parser.add_argument("--sample", type=int, metavar="N", help="only so many of them")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31), metavar="S")
    parser.add_argument("-v", "--verbose", action="store_true", help="every change, and who noticed it")
    options = parser.parse_args(argv)
    tried = changes(description())
    whole = len(tried)
    if options.sample is not None:
        # Which ones does not have to be a secret.
        tried = random.Random(options.seed).sample(tried, min(options.sample, whole))  # noqa: S311
    recordings()
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        verdicts = list(pool.map(noticed, tried, chunksize=8))
    for change, verdict in zip(tried, verdicts, strict=True):
        if options.verbose or verdict == UNNOTICED:
            print(f"{verdict or 'NOT NOTICED':12} {change}")
    by = Counter(verdicts)
    sample = "all" if len(tried) == whole else f"a sample of {whole}, seed {options.seed}"
    print(
        f"description: {len(tried) - by[UNNOTICED]} of {len(tried)} changes noticed "
        f"({by[TRAFFIC]} in traffic, {by[LIST]} by the list of constraints; {sample})"
    )
    return 1 if by[UNNOTICED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
