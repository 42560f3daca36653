"""
`python -m coinbase_checkouts_conformance.measure`: how much of the description the recordings are evidence of.

Replays the suite, for a claim that does not hold proves nothing, and prints the shares, what has no evidence, and what
no run can reach. Exit 0: nothing is missing. 1: something is, or was answered against the description, or
`unreachable.toml` is out of date. 2: it could not run.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .cassettes import CASSETTES, SANDBOX, CassetteError
from .coverage import (
    KEPT,
    LEDGER_FILE,
    REFUSED,
    REQUEST,
    RESPONSE,
    RULE,
    UNREACHABLE_FILE,
    Coverage,
    atoms,
    covered,
    listed,
    proofs_of,
)
from .description import DescriptionError, description, needed_by
from .in_step import check_in_step
from .outcomes import HOLDING
from .plugin import Suite
from .replay import replayed
from .traffic import STANDINGS, TrafficError, from_cassettes, from_documents

_SIDES: Final = ((REQUEST, KEPT), (REQUEST, REFUSED), (RESPONSE, KEPT), (RULE, KEPT))


def main(argv: list[str], *, cassettes: Path = CASSETTES) -> int:
    """Measure; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m coinbase_checkouts_conformance.measure", allow_abbrev=False)
    parser.add_argument("--accept", action="store_true", help=f"write {LEDGER_FILE.name} as the description is now")
    accepts = parser.parse_args(argv).accept
    try:
        check_in_step()
        suite, found = _measured(cassettes, accepts=accepts)
    except (CassetteError, TrafficError, DescriptionError) as exc:
        print(f"coverage: {exc}", file=sys.stderr)
        return 2
    print(*told(found), sep="\n")
    if unproved := len(suite.outcomes.by_claim) - len(suite.outcomes.of(*HOLDING)):
        print(f"coverage: {unproved} claims do not hold, and prove nothing; `nox -s conformance` tells which")
    return 0 if found.is_whole and not unproved else 1


def _measured(cassettes: Path, *, accepts: bool) -> tuple[Suite, Coverage]:
    suite = replayed(cassettes)
    if suite.troubles:
        raise DescriptionError(suite.troubles[0])
    with needed_by("the count of its constraints"):
        conversations = [*from_cassettes(cassettes / SANDBOX), *from_documents()]
        if accepts:
            LEDGER_FILE.write_text(listed(atoms(description())), encoding="utf-8", newline="\n")
        ledger = LEDGER_FILE.read_text(encoding="utf-8")
        return suite, covered(description(), conversations, proofs_of(suite.outcomes), ledger=ledger)


def told(found: Coverage) -> Iterator[str]:
    """What a person reads; the last line is the figure."""
    yield f"{'':20}{'requests':>12}{'refused':>12}{'answers':>12}{'rules':>12}{'unreachable':>14}"
    for operation in (*description().operations, ""):
        shares = [found.share(*side, operation=operation) for side in _SIDES]
        cells = "".join(f"{f'{seen} of {wanted}' if wanted else '':>12}" for seen, wanted in shares)
        beyond = sum(bool(row.unreachable) and row.constraint.operation == operation for row in found.rows)
        yield f"{operation or 'rules':20}{cells}{beyond or '':>14}"
    yield ""
    standings = Counter(name for row in found.rows for name in {place.standing for place in (*row.kept, *row.refused)})
    told = (f"{standings[name]} {name}" for name in STANDINGS if standings[name])
    yield f"constraints with evidence, by where it comes from: {', '.join(told)}"
    yield from _beyond(found)
    for row in found.missing:
        yield f"no evidence that it is {' and '.join(row.missing)}: {row.constraint.id}"
        yield f"    {row.constraint.sentence}  ({row.constraint.pointer})"
    for surprise in found.surprises:
        yield f"{surprise.place}: {surprise.what}  ({surprise.pointer})"
    yield from (f"{UNREACHABLE_FILE.name}: {complaint}" for complaint in found.stale)
    if found.changed:
        yield f"the description is not what {LEDGER_FILE.name} says; if that is meant, run `nox -s coverage -- --accept`:"
    yield from (f"    {line}" for line in found.changed)
    yield ""
    yield figure(found)


def _beyond(found: Coverage) -> Iterator[str]:
    reasons = Counter(row.unreachable for row in found.rows if row.unreachable)
    yield "" if reasons else "everything can be reached"
    yield from (f"not reachable, {number}: {why}" for why, number in reasons.items())
    if reasons:
        yield ""


def figure(found: Coverage) -> str:
    """`coverage: requests 100.0 % kept, 100.0 % refused; answers 100.0 %; rules 100.0 % (580 out of reach)`."""
    requests, refused, answers, rules = (_percent(*found.share(*side)) for side in _SIDES)
    beyond = sum(bool(row.unreachable) for row in found.rows)
    return (
        f"coverage: requests {requests} kept, {refused} refused; answers {answers}; rules {rules} "
        f"({len(found.rows)} constraints, {beyond} of them out of reach)"
    )


def _percent(seen: int, wanted: int) -> str:
    # Rounded down: 100.0 % is said of the whole only.
    return f"{1000 * seen // wanted / 10 if wanted else 100.0:.1f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
