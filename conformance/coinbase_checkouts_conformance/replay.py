"""
`python -m coinbase_checkouts_conformance.replay`: every claim on its recording, without network.

Arguments go to pytest (`-k`, `-x`, `-v`, …). The last line is the figure.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .cassettes import CASSETTES, LIVE, SANDBOX, STANDINGS, Provenance, aged, days
from .cli import COULD_NOT_RUN, told
from .offline import offline
from .outcomes import BROKEN, HELD, SKIPPED, Outcomes
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
    outcomes: Outcomes
    played: Sequence[Provenance]

    def __str__(self) -> str:
        tried = len(self.outcomes.by_claim) - len(self.outcomes.of(SKIPPED))
        targets = sorted({one.target for one in self.played}) if self.standing == LIVE else []
        where = f" from {', '.join(targets)}" if targets else ""
        how = f"{_FROM[self.standing]}{where} on {days(self.played)}"
        return f"{len(self.outcomes.of(HELD))} of {tried} claims hold ({how})"


def main(argv: list[str], *, cassettes: Path = CASSETTES, now: datetime | None = None) -> int:
    """Replay; 0 all claims hold, 1 at least one is broken or a recording is damaged, 2 nothing could be replayed."""
    present = [standing for standing in STANDINGS if any((cassettes / standing).rglob("*.yaml"))] or [SANDBOX]
    runs = [_told(argv, cassettes, standing) for standing in present]
    runs = [(one, code) for one, code in runs if one.outcomes.by_claim]
    for one, _ in runs:
        outdated = sum(provenance.is_outdated for provenance in one.played)
        if outdated:
            print(f"warning: {outdated} recordings ({one.standing}) were made for another meaning of the description")
        if warning := aged(one.played, now or datetime.now(UTC)):
            print(f"warning: {one.standing}: {warning}")
    if runs:
        print(figure([one for one, _ in runs]))
    return max((code for _, code in runs if code != COULD_NOT_RUN), default=COULD_NOT_RUN)


def _told(argv: list[str], cassettes: Path, standing: str) -> tuple[Replayed, int]:
    # With arguments of pytest's own, its own output is what is wanted.
    terminal = any(argument != "-k" and argument.startswith("-") for argument in argv)
    player = Player(cassettes / standing, standing)
    suite, code = _run(argv, player, None if terminal else progress(), terminal=terminal)
    if standing == LIVE:
        print(f"{LIVE} recordings:")
    result = told(code, suite.outcomes)
    tried = suite.outcomes.of(HELD) or suite.outcomes.of(BROKEN) or suite.outcomes.of(SKIPPED)
    return Replayed(standing, suite.outcomes, player.played), result if tried else COULD_NOT_RUN


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
