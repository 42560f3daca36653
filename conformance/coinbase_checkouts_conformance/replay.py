"""
`python -m coinbase_checkouts_conformance.replay`: every claim on its recording, without network.

`--report-dir DIR` writes the reports there. Other arguments go to pytest (`-k`, `-x`, `-v`, …). The last line is the
figure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from .cassettes import CASSETTES, Player, Provenance
from .cli import COULD_NOT_RUN, folder, report, told
from .offline import offline
from .outcomes import BREAKING, HOLDING, Outcomes
from .plugin import Suite
from .progress import Progress
from .running import run_pytest
from .target import Target
from .throwaway import key_file
from .tokens import Tokens
from .wire import Wire


def main(argv: list[str], *, cassettes: Path = CASSETTES) -> int:
    """Replay; 0 all claims hold, 1 at least one is broken, 2 nothing could be replayed."""
    parser = argparse.ArgumentParser(
        prog="python -m coinbase_checkouts_conformance.replay", allow_abbrev=False, add_help=False
    )
    parser.add_argument("--report-dir", type=folder, metavar="DIR")
    options, argv = parser.parse_known_args(argv)
    started_at = datetime.now(UTC)
    player = Player(cassettes)
    progress = Progress()
    # With arguments of pytest's own, its own output is what is wanted.
    terminal = any(argument != "-k" and argument.startswith("-") for argument in argv)
    with key_file() as path, offline(), Wire(Target.parse("http://sandbox.invalid")) as wire:
        suite = Suite(wire, Tokens(path), player, progress=(lambda _: None) if terminal else progress)
        code = run_pytest(argv, plugins=[suite], terminal=terminal)
    progress.done()
    result = told(code, suite.outcomes)
    if options.report_dir is not None and suite.outcomes.by_claim:
        target = ", ".join(dict.fromkeys(provenance.target for provenance in player.played))
        words = recorded(player.played)
        report(options.report_dir, suite, target=target or "no recording", started_at=started_at, provenance=words)
    if result != COULD_NOT_RUN:
        print(figure(suite.outcomes, player.played))
    return result


def replayed(cassettes: Path) -> Suite:
    """The suite as it went on the recordings in *cassettes*; nothing is printed."""
    with key_file() as path, offline(), Wire(Target.parse("http://sandbox.invalid")) as wire:
        suite = Suite(wire, Tokens(path), Player(cassettes))
        run_pytest([], plugins=[suite])
    return suite


def figure(outcomes: Outcomes, played: Iterable[Provenance]) -> str:
    """`conformance: 117 of 117 claims hold (recorded from our own sandbox on 2026-11-20)`; others parse this line."""
    tried = len(outcomes.of(*HOLDING, *BREAKING))
    return f"conformance: {len(outcomes.of(*HOLDING))} of {tried} claims hold ({recorded(played)})"


def recorded(played: Iterable[Provenance]) -> str:
    """`recorded from our own sandbox on 2026-11-20`."""
    days = sorted({provenance.recorded_at.date().isoformat() for provenance in played})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "no day"
    return f"recorded from our own sandbox on {when}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
