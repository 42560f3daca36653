"""
`coinbase-checkouts`: one command, with those of the client and those that are found through entry points.

    coinbase-checkouts COMMAND [ARGUMENT …]

Exit codes are each command's own; 2 is always "could not run": an unknown command, a missing extra. Those
of the client's commands are in `arguments.EXIT_CODES`, and in --help.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final

from .arguments import COULD_NOT_RUN, INTERRUPTED, NAMES, Parsers, parse, parsers
from .streams import OutputError, write

GROUP: Final = "coinbase_checkouts.commands"
# Which extra a command needs; the entry points are there without it.
EXTRAS: Final = {"sandbox": "sandbox", "conformance": "conformance", "drift": "conformance"}
# Where the commands are that are not in `.commands`.
MODULES: Final = {"migrate": ".migrate_commands", "webhook": ".webhook_commands"}
# What a command does, told without loading it.
SUMMARIES: Final = {
    "conformance": "try every claim about the API on a server",
    "drift": "tell what changed in the API",
    "sandbox": "play the service on this machine",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _main(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OutputError as exc:
        return 0 if exc.reader_left else _could_not(f"stdout: {exc}")
    except SystemExit as stop:
        # What argparse ends with, after it has said why.
        return int(stop.code or 0)


def _main(given: list[str]) -> int:
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if given and given[0] in entries:
        command = _load(entries[given[0]])
        return COULD_NOT_RUN if command is None else command(given[1:])
    others = {name: SUMMARIES.get(name, "") for name in sorted(entries)}
    if given and given[0] in NAMES:
        options = parse(_parsers(others).commands[given[0]], given[1:])
        # Only now: it imports httpx, and a mistake should be told at once.
        runner = import_module(MODULES.get(options.command, ".commands"), __package__)
        code: int = runner.run(options)
        return code
    if given and not given[0].startswith("-"):
        return _could_not(f"no command {given[0]!r}; there are: {', '.join(sorted([*NAMES, *others]))}")
    root = _parsers(others).root
    if not given:
        root.print_help(sys.stderr)
        return COULD_NOT_RUN
    shell = parse(root, given).print_completion
    return _could_not("no command; see --help") if shell is None else _print_completion(shell, others)


def _parsers(others: Mapping[str, str], complete_file: object = None) -> Parsers:
    return parsers(version("coinbase-checkouts"), others, complete_file=complete_file)


def _print_completion(shell: str, others: Mapping[str, str]) -> int:
    try:
        import shtab  # noqa: PLC0415 -- of the extra [cli]
    except ModuleNotFoundError:
        return _could_not("shtab is not installed; install the extra: pip install 'coinbase-checkouts[cli]'")
    write(shtab.complete(_parsers(others, shtab.FILE).root, shell=shell) + "\n")
    return 0


def _could_not(why: str) -> int:
    print(f"coinbase-checkouts: {why}", file=sys.stderr)
    return COULD_NOT_RUN


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
