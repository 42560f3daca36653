"""
The torture run of the inbox: `python -m tests.torture.inbox --events 10000 --database postgresql`.

Exit code 0: each effect was there once, and none was missing. 1: not so; each violation has a line.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from ..postgres import running
from .inbox_storm import Plan, run


def main(argv: list[str]) -> int:
    """Run with these arguments, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.inbox", description="Kill a shop at its webhooks.")
    parser.add_argument("--events", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the schedule (default: a fresh one, which is printed)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--inline", type=int, default=1, help="receivers that act at once (default: %(default)s)")
    parser.add_argument("--storing", type=int, default=1, help="receivers that store (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="(default: %(default)s)")
    arguments = parser.parse_args(argv)
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"torture: inbox on {arguments.database}, seed {seed}", flush=True)
    # So that being told to stop takes all processes along, too.
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        database, crash = f"sqlite:///{folder / 'shop.sqlite3'}", None
        if arguments.database == "postgresql":
            postgres = stack.enter_context(running())
            database, crash = postgres.database(), postgres.crash
        plan = Plan(
            database=database,
            folder=folder,
            seed=seed,
            events=arguments.events,
            inline=arguments.inline,
            storing=arguments.storing,
            workers=arguments.workers,
            crash=crash,
        )
        result = run(plan, told=lambda line: print(f"torture: {line}", flush=True))
    for violation in result.violations:
        print(f"violation: {violation}")
    print(f"torture: inbox on {arguments.database}, seed {seed}: {result}")
    return 1 if result.violations else 0


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
