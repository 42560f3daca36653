"""
`python -m coinbase_checkouts_conformance.mutants`: how many wrong servers does the suite catch?

Exit 0: all of them, each by the claims named, and no right server breaks one. 1: not so. 2: it could not run.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeVar

from coinbase_checkouts_conformance import throwaway
from coinbase_checkouts_conformance.cli import COULD_NOT_RUN, HOLDS, IS_BROKEN, stopped

from .catalogue import KINDS, Mutant
from .runs import DEADLINE_S, Result, Right, differences, from_seed, held, tried, warmed_up, wrong_servers
from .source import KILLED, KNOWN, NOT_RUN, NOT_VIABLE, SURVIVED, CannotTryError, Fate, drawn, fates
from .workers import WORKERS, NoForkError

T = TypeVar("T")

_SEEDS: Final = 3
# Of the changes of the source, to be killed.
LEAST: Final = 0.85


def main(argv: Sequence[str], *, servers: Sequence[Mutant] | None = None) -> int:
    """The command; *servers* in place of our own."""
    options = _parser().parse_args(argv)
    known = wrong_servers() if servers is None else list(servers)
    try:
        return _run(options, known)
    except KeyboardInterrupt:
        return stopped([])
    except (NoForkError, CannotTryError) as exc:
        return _could_not_run(str(exc))


def _run(options: argparse.Namespace, known: Sequence[Mutant]) -> int:
    chosen = [one for one in known if not options.only or one.name in options.only]
    if missing := set(options.only) - {one.name for one in known}:
        return _could_not_run(f"no wrong server is called {', '.join(sorted(missing))}; --list shows them")
    if options.source:
        return _source(options)
    if options.list:
        for one in chosen:
            print(f"{one.name}  [{one.kind}]  {one.does}  → {', '.join(one.claims)}")
        return HOLDS
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    everything, chosen = chosen, _sampled(chosen, options.sample, seed)
    which = "all" if len(chosen) == len(everything) else f"{len(chosen)} of {len(everything)}"
    claims = warmed_up()
    for one in chosen:
        if unknown := set(one.claims) - claims:
            return _could_not_run(f"{one.name} names claims that there are not: {', '.join(sorted(unknown))}")
    right: list[Right] = []
    if not options.only:
        # Each takes the whole suite, as long as half a dozen wrong ones do.
        differing = None if options.sample is None else max(1, options.sample // 5)
        right = [*_sampled(differences(), differing, seed), *map(from_seed, range(seed, seed + options.seeds))]
    started = time.monotonic()
    with throwaway.key_file() as key_file:
        shared: dict[str, Any] = {"workers": options.workers, "deadline_s": options.deadline}
        caught = _told(tried(chosen, key_file, seed=seed, whole=options.whole, **shared), "NOT CAUGHT")
        passed = _told(held(right, key_file, **shared), "FALSE ALARM")
    took_s = time.monotonic() - started
    print(_table(caught))
    if right:
        fine = sum(one.is_good for one in passed)
        print(f"right servers: {fine} of {len(passed)} pass, {options.seeds} of them drawn from seed {seed} on")
    if options.json is not None:
        content = {"seed": seed, "duration_s": round(took_s, 1), "wrong": _flat(caught), "right": _flat(passed)}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    good = sum(one.is_good for one in caught)
    print(f"mutants: {good} of {len(caught)} wrong servers caught by the claim named (seed {seed}, {which})")
    return HOLDS if all(one.is_good for one in (*caught, *passed)) else IS_BROKEN


def _source(options: argparse.Namespace) -> int:
    """Changes of the sandbox's own code: how many are killed, and which survive."""
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    chosen, known = drawn(options.sample, seed)
    warmed_up()
    found: list[Fate] = []
    with throwaway.key_file() as key_file:
        for fate in fates(chosen, key_file, seed=seed, workers=options.workers, deadline_s=options.deadline):
            found.append(fate)
            if fate.said == SURVIVED:
                print(f"{fate.said} {fate.change.told}\n  in {fate.change.where.splitlines()[0]}", flush=True)
    number = Counter(fate.said for fate in found)
    # A change that is no difference to anybody is not one that could have been noticed.
    viable = number[KILLED] + number[SURVIVED]
    share = number[KILLED] / viable if viable else 1.0
    if options.json is not None:
        rows = [{"change": f.change.told, "in": f.change.where, "said": f.said, "by": f.by} for f in found]
        options.json.write_text(json.dumps({"seed": seed, "changes": rows}, indent=2) + "\n", encoding="utf-8")
    print(
        f"not counted: {number[NOT_VIABLE]} that do not start, {number[NOT_RUN]} that no claim runs, {number[KNOWN]} known to be no difference"
    )
    print(
        f"mutants: {number[KILLED]} of {viable} changes of the sandbox's source killed, {share:.0%} (seed {seed}, {len(chosen)} of {known})"
    )
    return HOLDS if share >= options.least else IS_BROKEN


def _sampled(everything: Sequence[T], number: int | None, seed: int) -> list[T]:
    """So many of *everything*, drawn from *seed*, in their order; all if there is no *number*."""
    if number is None or number >= len(everything):
        return list(everything)
    indices = sorted(random.Random(seed).sample(range(len(everything)), number))  # noqa: S311 -- a choice of tests
    return [everything[index] for index in indices]


def _told(found: Iterable[Result], bad: str) -> list[Result]:
    """All results; what is not as it should be is printed as it comes."""
    results: list[Result] = []
    for one in found:
        results.append(one)
        if not one.is_good:
            broken = one.lost or (f"broke {', '.join(one.broken)}" if one.broken else "broke nothing")
            named = f"; wanted {', '.join(one.claims)}" if one.claims else ""
            print(f"{bad} {one.name}: {one.does}\n  {broken}{named}", flush=True)
    return results


def _table(results: Collection[Result]) -> str:
    lines = []
    for kind in KINDS:
        of_kind = [one for one in results if one.kind == kind]
        if of_kind:
            lines.append(f"{kind:20} {sum(one.is_good for one in of_kind):4} of {len(of_kind):4} caught")
    return "\n".join(lines)


def _flat(results: Collection[Result]) -> list[dict[str, Any]]:
    return [{**asdict(one), "is_good": one.is_good} for one in results]


def _could_not_run(why: str) -> int:
    print(f"mutants: {why}", file=sys.stderr)
    return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m coinbase_checkouts_conformance.mutants",
        description="Run the suite against servers that are wrong on purpose, and tell how many of them it catches.",
        epilog="exit codes: 0 all caught and no false alarm, 1 not so, 2 it could not run",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="this wrong server only; may be repeated")
    add("--sample", type=_count, metavar="N", help="so many of them, drawn from the seed")
    add("--seed", type=int, metavar="S", help="what is drawn is drawn from it; a new one each time unless told")
    add("--seeds", type=int, default=_SEEDS, metavar="N", help="so many right servers are drawn; default %(default)s")
    add(
        "--source",
        action="store_true",
        help="try random changes of the sandbox's own code instead; exit 1 below --least",
    )
    add("--least", type=float, default=LEAST, metavar="SHARE", help="of them, to be killed; default %(default)g")
    add("--whole", action="store_true", help="try every claim on each, and not only those that must catch it")
    add("--list", action="store_true", help="list the wrong servers, and run nothing")
    add("--json", type=Path, metavar="FILE", help="write every result there")
    add("--workers", type=_count, default=WORKERS, metavar="N", help="processes at a time; default %(default)s")
    add("--deadline", type=float, default=DEADLINE_S, metavar="SECONDS", help="for one server; default %(default)g")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value
