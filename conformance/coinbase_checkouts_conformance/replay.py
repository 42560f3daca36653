"""
`python -m coinbase_checkouts_conformance.replay`: every claim on its recording, without network.

`--report-dir DIR` writes the reports there. Other arguments go to pytest (`-k`, `-x`, `-v`, …). The last line is the
figure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .cassettes import CASSETTES, LIVE, SANDBOX, STANDINGS, Provenance, aged, days
from .cli import COULD_NOT_RUN, HOLDS, IS_BROKEN, folder, report, told
from .description import DescriptionError
from .in_step import check_in_step
from .offline import offline
from .outcomes import BREAKING, FAIL, HOLDING, SKIPPED
from .plugin import Suite
from .progress import Shown, progress
from .running import run_pytest
from .tapes import Player
from .target import Target
from .throwaway import key_file
from .tokens import Tokens
from .wire import Wire

_FROM: Final = {SANDBOX: "recorded from our own sandbox", LIVE: "recorded live"}


@dataclass(frozen=True)
class Replayed:
    """What one kind of evidence came to; evidence of different standing is never added up."""

    standing: str
    suite: Suite
    played: Sequence[Provenance]
    code: int

    @property
    def target(self) -> str:
        """Whose answers they were."""
        return ", ".join(sorted({one.target for one in self.played})) or "no recording"

    @property
    def provenance(self) -> str:
        """`recorded from our own sandbox on 2026-11-20`, `recorded live from https://… on 2026-11-20`."""
        where = f" from {self.target}" if self.standing == LIVE else ""
        return f"{_FROM[self.standing]}{where} on {days(self.played)}"

    def __str__(self) -> str:
        outcomes = self.suite.outcomes
        tried = len(outcomes.of(*HOLDING, *BREAKING))
        return f"{len(outcomes.of(*HOLDING))} of {tried} claims hold ({self.provenance})"

    def warnings(self, now: datetime) -> list[str]:
        """What is to be known of the recordings, though they hold."""
        outdated = sum(one.is_outdated for one in self.played)
        was = f"{outdated} recordings were made for another meaning of the description" if outdated else ""
        return [f"warning: {self.standing}: {what}" for what in (was, aged(self.played, now)) if what]


def main(argv: list[str], *, cassettes: Path = CASSETTES, now: datetime | None = None) -> int:
    """Replay; 0 all claims hold, 1 at least one is broken or a recording is damaged, 2 nothing could be replayed."""
    parser = argparse.ArgumentParser(
        prog="python -m coinbase_checkouts_conformance.replay", allow_abbrev=False, add_help=False
    )
    parser.add_argument("--report-dir", type=folder, metavar="DIR")
    options, argv = parser.parse_known_args(argv)
    try:
        check_in_step()
    except DescriptionError as exc:
        print(f"conformance: {exc}", file=sys.stderr)
        return COULD_NOT_RUN
    present = [standing for standing in STANDINGS if any((cassettes / standing).rglob("*.yaml"))] or [SANDBOX]
    codes = [COULD_NOT_RUN]
    figures: list[Replayed] = []
    for standing in present:
        started_at = datetime.now(UTC)
        one = _told(argv, cassettes, standing)
        if not one.suite.outcomes.of(*HOLDING, *BREAKING):
            continue
        figures.append(one)
        if options.report_dir is not None:
            # Live evidence has a report of its own.
            place = options.report_dir if standing == SANDBOX else options.report_dir / standing
            report(place, one.suite, target=one.target, started_at=started_at, provenance=one.provenance)
        codes.append(one.code)
    for warning in (line for one in figures for line in one.warnings(now or datetime.now(UTC))):
        print(warning)
    if figures:
        print(figure(figures))
    return max((code for code in codes if code != COULD_NOT_RUN), default=COULD_NOT_RUN)


def _told(argv: list[str], cassettes: Path, standing: str) -> Replayed:
    # With arguments of pytest's own, its own output is what is wanted.
    terminal = any(argument != "-k" and argument.startswith("-") for argument in argv)
    player = Player(cassettes / standing, standing)
    suite, code = _run(argv, player, None if terminal else progress(), terminal=terminal)
    if standing == LIVE:
        print(f"{LIVE} recordings:")
    result = told(code, suite)
    if not argv and result in {HOLDS, IS_BROKEN}:
        for stray in player.stray:
            print(f"error: cassette {standing}/{stray} is of no test; delete it")
            result = IS_BROKEN
    is_replayed = bool(suite.outcomes.of(*HOLDING, FAIL, SKIPPED))
    return Replayed(standing, suite, player.played, result if is_replayed else COULD_NOT_RUN)


def replayed(cassettes: Path, standing: str = SANDBOX) -> Suite:
    """The suite as it went on the recordings of one *standing* in *cassettes*; nothing is printed."""
    return _run([], Player(cassettes / standing, standing))[0]


def _run(
    arguments: list[str], player: Player, shown: Shown | None = None, *, terminal: bool = False
) -> tuple[Suite, int]:
    with key_file() as path, offline(), Wire(Target.parse("http://sandbox.invalid")) as wire:
        suite = Suite(wire, Tokens(path), player, progress=shown)
        code = run_pytest(arguments, plugins=[suite], terminal=terminal)
    if shown is not None:
        shown.done()
    return suite, code


def figure(runs: Iterable[Replayed]) -> str:
    """
    The line that others parse, each standing apart.

    `conformance: 117 of 117 claims hold (recorded from our own sandbox on 2026-11-20)`; with live recordings
    `; 40 of 40 claims hold (recorded live from https://… on 2026-11-20)` comes after.
    """
    return f"conformance: {'; '.join(map(str, runs))}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
