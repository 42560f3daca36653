"""
`python -m coinbase_checkouts_conformance.record`: record every test against our own sandbox.

The recordings replace the old ones only when every claim holds and no secret is in them. `-k` records a part anew.
`--live` records from Coinbase's sandbox, or another service, into a folder apart; the key is taken from the
environment. No live recording exists yet.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from coinbase_checkouts.auth import ApiKey
from coinbase_checkouts.errors import CheckoutsError

from .cassettes import CASSETTES, LIVE, SANDBOX, read_cassette
from .cli import BY_SIGNAL, COULD_NOT_RUN, HOLDS, IS_BROKEN, limits_for, reached, stopped, stopping, told, tried
from .control import Control
from .description import DescriptionError
from .in_step import check_in_step
from .plugin import Suite
from .progress import progress
from .running import run_pytest
from .scrub import Scrubber, findings
from .tapes import Recorder
from .target import BadUrlError, Target
from .tidying import SUITE
from .tokens import Tokens
from .wire import NotTriedError, UnreachableError, Wire

TARGET: Final = "coinbase_checkouts_sandbox, the sandbox of this project"
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 10.0

PRODUCTION: Final = "https://business.coinbase.com"
COINBASE_SANDBOX: Final = f"{PRODUCTION}/sandbox"
KEY_FILE_VARIABLE: Final = "COINBASE_CHECKOUTS_KEY_FILE"
LIVE_LIMIT_S: Final = 3600.0


class SandboxError(Exception):
    """The sandbox did not start."""


class RefusedError(Exception):
    """What was asked for is not recorded; the message says why, and what would be."""


def main(argv: list[str], *, cassettes: Path = CASSETTES) -> int:
    """Record; the exit codes of `conformance`, and 1 also when a secret was found."""
    options = _parser().parse_args(argv)
    cassettes = options.cassettes or cassettes
    standing = LIVE if options.live else SANDBOX
    cassettes.mkdir(parents=True, exist_ok=True)
    # Beside the old ones, so that swapping is a rename.
    with tempfile.TemporaryDirectory(prefix=".recording-", dir=cassettes.parent) as scratch, stopping() as signals:
        folder = Path(scratch) / "cassettes"
        # What cannot be had again live, now, stays.
        if (options.live or options.expression is not None) and (cassettes / standing).is_dir():
            shutil.copytree(cassettes / standing, folder)
        folder.mkdir(exist_ok=True)
        try:
            check_in_step()
            code = _live(options, cassettes, folder) if options.live else _own(options, folder, Path(scratch))
        except (
            SandboxError,
            RefusedError,
            BadUrlError,
            CheckoutsError,
            UnreachableError,
            NotTriedError,
            DescriptionError,
        ) as exc:
            print(f"record: {exc}", file=sys.stderr)
            return COULD_NOT_RUN
        except KeyboardInterrupt:
            return stopped(signals)
        if code >= BY_SIGNAL:
            return stopped(signals)
        if code == COULD_NOT_RUN or (code != HOLDS and not options.live):
            return code
        if not any(folder.rglob("*.yaml")):
            print("record: nothing could be recorded", file=sys.stderr)
            return COULD_NOT_RUN
        _swap(folder, cassettes / standing, Path(scratch) / "old")
    print(f"recorded into {cassettes.name}/{standing}/")
    return code


def _own(options: argparse.Namespace, folder: Path, scratch: Path) -> int:
    with sandbox(scratch) as (base_url, key_file), Wire(Target.parse(base_url)) as wire:
        suite = Suite(wire, Tokens(key_file), Recorder(folder, TARGET), progress=progress())
        code = _told(suite, run_pytest(_selection(options), plugins=[suite]), options)
    if code == HOLDS and (dirty := unclean(folder)):
        print("record: not kept, secrets were found:", *dirty, sep="\n  ", file=sys.stderr)
        return IS_BROKEN
    return code


def _live(options: argparse.Namespace, cassettes: Path, folder: Path) -> int:
    """Of a live service what holds is kept; what does not hold is told."""
    target = _live_target(options)
    if target.is_loopback and cassettes == CASSETTES:
        raise RefusedError("a server on this machine is no live service; name another folder with --cassettes")
    key = _key(os.environ)
    is_safe = not (_is_sandbox(target) or options.i_know_this_creates_real_checkouts)
    scrub = Scrubber(secrets.token_bytes(32), {"key id": key.id})
    recorder = Recorder(folder, str(target), LIVE, has_control=False, scrub=scrub, fresh=lambda: secrets.token_hex(16))
    limits, tidy_s = limits_for(target, run_s=LIVE_LIMIT_S)
    with Wire(target, limits, is_safe=is_safe) as wire:
        reached(wire)
        if target.is_loopback and Control(wire).now() is not None:
            raise RefusedError(f"{target} has the control endpoints of a sandbox; its recordings would not be live")
        suite = Suite(wire, Tokens(partial(_key, os.environ)), recorder, progress=progress())
        code = _told(suite, tried(suite, _selection(options), tidy_s), options)
        if suite.made:
            print(f"record: may still be ACTIVE: {suite.made}", file=sys.stderr)
    for line in (dirty := unclean(folder, scrub.findings, strangers)):
        print(f"record: not kept, {line}", file=sys.stderr)
        (folder / line.partition(": ")[0]).unlink(missing_ok=True)
    return IS_BROKEN if dirty and code == HOLDS else code


def _told(suite: Suite, code: int, options: argparse.Namespace) -> int:
    if suite.progress is not None:
        suite.progress.done()
    return told(code, suite, options.expression)


def _selection(options: argparse.Namespace) -> list[str]:
    return [] if options.expression is None else ["-k", options.expression]


def _live_target(options: argparse.Namespace) -> Target:
    target = Target.parse(options.base_url or (PRODUCTION if options.production else COINBASE_SANDBOX))
    if not (_is_sandbox(target) or options.production):
        raise RefusedError(f"{target} is no sandbox; with --production it is read from, and nothing created")
    return target


def _is_sandbox(target: Target) -> bool:
    return target.is_loopback or target.prefix == "/sandbox"


def _key(environ: Mapping[str, str]) -> ApiKey:
    if path := environ.get(KEY_FILE_VARIABLE, "").strip():
        return ApiKey.from_file(path)
    return ApiKey.from_env(environ)


def unclean(
    folder: Path,
    find: Callable[[str], list[str]] = findings,
    find_more: Callable[[Iterable[Mapping[str, Any]]], list[str]] = lambda _: [],
) -> list[str]:
    """`file: kind` for each kind of secret in each cassette."""
    return [
        f"{path.relative_to(folder)}: {kind}"
        for path in sorted(folder.rglob("*.yaml"))
        for kind in (*find(path.read_text(encoding="utf-8")), *find_more(read_cassette(path)[1]))
    ]


def strangers(interactions: Iterable[Mapping[str, Any]]) -> list[str]:
    """The checkouts of other people: neither created in these *interactions* nor by another test of the suite."""
    own: set[object] = set()
    for interaction in interactions:
        try:
            answer = json.loads(interaction["response"]["body"]["string"])
        except (ValueError, TypeError):
            continue
        for checkout in _checkouts(answer):
            if interaction["request"]["method"] == "POST":
                own.add(checkout["id"])
            elif checkout["id"] not in own and not str(checkout.get("description", "")).startswith(SUITE):
                return ["somebody else's checkout"]
    return []


def _checkouts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for child in node:
            yield from _checkouts(child)
    elif isinstance(node, dict):
        if {"id", "url", "amount"} <= set(node):
            yield node
        for child in node.values():
            yield from _checkouts(child)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m coinbase_checkouts_conformance.record", allow_abbrev=False)
    add = parser.add_argument
    add("-k", dest="expression", metavar="EXPR", help="only these; the others stay as they are")
    add("--cassettes", type=Path, metavar="DIR", help="where recordings lie; default: in the package")
    add(
        "--live",
        action="store_true",
        help=f"from a service, not from our own sandbox; the key is that of {KEY_FILE_VARIABLE} or CDP_API_KEY_ID and "
        "CDP_API_KEY_SECRET",
    )
    add("--base-url", metavar="URL", help=f"with --live: which service; default {COINBASE_SANDBOX}")
    add("--production", action="store_true", help="with --live: allow a service that is no sandbox, to read from")
    add(
        "--i-know-this-creates-real-checkouts",
        action="store_true",
        help="with --production: create there, too; deactivated at the end",
    )
    return parser


def _swap(new: Path, current: Path, old: Path) -> None:
    current.parent.mkdir(parents=True, exist_ok=True)
    if current.is_dir():
        current.rename(old)
    new.rename(current)


@contextmanager
def sandbox(folder: Path) -> Generator[tuple[str, Path]]:
    """
    A sandbox of our own in a process of its own: its URL and its key file. Stopped in every case.

    Raises:
        SandboxError: It said nothing within START_LIMIT_S, or ended.
    """
    key_file = folder / "cdp_api_key.json"
    options = ["--port", "0", "--database", "sqlite://", "--key-file", str(key_file)]
    command = [sys.executable, "-m", "coinbase_checkouts_sandbox", *options]
    with (
        (folder / "sandbox.log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8") as process,  # noqa: S603 -- ours
    ):
        watchdog = threading.Timer(START_LIMIT_S, process.kill)
        watchdog.start()
        try:
            url = _url_from(process)
            watchdog.cancel()
            if url is None:
                process.wait()
                raise SandboxError(f"the sandbox did not start: {_last_line(folder / 'sandbox.log')}")
            yield url, key_file
        finally:
            watchdog.cancel()
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _url_from(process: subprocess.Popen[str]) -> str | None:
    for line in process.stdout or ():
        if line.startswith("listening on "):
            return line.split()[2]
    return None


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
