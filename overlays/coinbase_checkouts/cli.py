"""
`coinbase-checkouts`: one command, whose parts are found through entry points.

    coinbase-checkouts COMMAND [ARGUMENT …]

Exit codes are each command's own; 2 is always "could not run": an unknown command, a missing extra.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final

GROUP: Final = "coinbase_checkouts.commands"
# Which extra a command needs; the entry points are there without it.
EXTRAS: Final = {"sandbox": "sandbox", "conformance": "conformance", "drift": "conformance"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not given or given[0] in ("-h", "--help"):
        print(f"usage: coinbase-checkouts COMMAND [ARGUMENT …]\n\ncommands: {', '.join(sorted(commands))}")
        return 0 if given else 2
    if given[0] == "--version":
        print(version("coinbase-checkouts"))
        return 0
    name = given[0]
    if name not in commands:
        print(f"coinbase-checkouts: no command {name!r}; there are: {', '.join(sorted(commands))}", file=sys.stderr)
        return 2
    command = _load(commands[name])
    return 2 if command is None else command(given[1:])


def _load(entry: EntryPoint) -> Callable[[Sequence[str]], int] | None:
    try:
        loaded: Callable[[Sequence[str]], int] = entry.load()
    except ModuleNotFoundError as exc:
        extra = EXTRAS.get(entry.name, "all")
        print(
            f"coinbase-checkouts {entry.name}: {exc.name} is not installed; "
            f"install the extra: pip install 'coinbase-checkouts[{extra}]'",
            file=sys.stderr,
        )
        return None
    return loaded
