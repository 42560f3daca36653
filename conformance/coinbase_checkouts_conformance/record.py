"""
`python -m coinbase_checkouts_conformance.record`: record every test against our own sandbox.

The recordings replace the old ones only when every claim holds and no secret is in them. `-k` records a part anew.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .cassettes import CASSETTES, Recorder
from .cli import COULD_NOT_RUN, HOLDS, told
from .description import description
from .plugin import Suite
from .progress import Progress
from .running import run_pytest
from .scrub import findings
from .target import Target
from .tokens import Tokens
from .wire import Wire

TARGET: Final = "coinbase_checkouts_sandbox, the sandbox of this project"
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 10.0


class SandboxError(Exception):
    """The sandbox did not start."""


def main(argv: list[str], *, cassettes: Path = CASSETTES) -> int:
    """Record; the exit codes of `conformance`, and 1 also when a secret was found."""
    parser = argparse.ArgumentParser(prog="python -m coinbase_checkouts_conformance.record", allow_abbrev=False)
    parser.add_argument("-k", dest="expression", metavar="EXPR", help="only these; the others stay as they are")
    options = parser.parse_args(argv)
    # Beside the old ones, so that swapping is a rename.
    with tempfile.TemporaryDirectory(prefix=".recording-", dir=cassettes.parent) as scratch:
        folder = Path(scratch) / "cassettes"
        if options.expression is not None and cassettes.is_dir():
            shutil.copytree(cassettes, folder)
        try:
            with sandbox(Path(scratch)) as (base_url, key_file):
                code = _record(base_url, key_file, folder, options.expression)
        except SandboxError as exc:
            print(f"record: {exc}", file=sys.stderr)
            return COULD_NOT_RUN
        if code != HOLDS:
            return code
        if dirty := unclean(folder):
            print("record: not kept, secrets were found:", *dirty, sep="\n  ", file=sys.stderr)
            return 1
        _swap(folder, cassettes, Path(scratch) / "old")
    print(f"recorded into {cassettes.name}/ from our own sandbox")
    return HOLDS


def _record(base_url: str, key_file: Path, folder: Path, expression: str | None) -> int:
    progress = Progress()
    recorder = Recorder(folder, TARGET, description().sha256)
    with Wire(Target.parse(base_url)) as wire:
        suite = Suite(wire, Tokens(key_file), recorder, progress=progress)
        code = run_pytest([] if expression is None else ["-k", expression], plugins=[suite])
    progress.done()
    return told(code, suite.outcomes)


def unclean(folder: Path) -> list[str]:
    """`file: kind` for each kind of secret in each cassette."""
    return [
        f"{path.relative_to(folder)}: {kind}"
        for path in sorted(folder.rglob("*.yaml"))
        for kind in findings(path.read_text(encoding="utf-8"))
    ]


def _swap(new: Path, current: Path, old: Path) -> None:
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
