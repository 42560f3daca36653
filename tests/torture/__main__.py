"""
The torture run: `python -m tests.torture --kills 300 --database postgresql`, or `nox -s torture` for both databases.

Exit code 0: all that must hold held. 1: something did not; each violation has a line.
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
from .storm import Plan, run


def main(argv: list[str]) -> int:
    """Run with these arguments, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Kill sandboxes while they work.")
    parser.add_argument("--kills", type=int, default=100, help="moments at which something is killed")
    parser.add_argument("--seed", type=int, help="of the schedule (default: a fresh one, which is printed)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--clients", type=int, default=4, help="threads that write (default: %(default)s)")
    parser.add_argument("--servers", type=int, default=2, help="started separately (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes of each server (default: %(default)s)")
    arguments = parser.parse_args(argv)
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"torture: {arguments.database}, seed {seed}", flush=True)
    # So that being told to stop takes all servers along, too.
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        database, crash = f"sqlite:///{folder / 'torture.sqlite3'}", None
        if arguments.database == "postgresql":
            postgres = stack.enter_context(running())
            database, crash = postgres.database(), postgres.crash
        plan = Plan(
            database=database,
            folder=folder,
            seed=seed,
            kills=arguments.kills,
            clients=arguments.clients,
            servers=arguments.servers,
            workers=arguments.workers,
            crash=crash,
        )
        result = run(plan, told=lambda line: print(f"torture: {line}", flush=True))
    for violation in result.violations:
        print(f"violation: {violation}")
    print(f"torture: {arguments.database}, seed {seed}: {result}")
    return 1 if result.violations else 0


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
