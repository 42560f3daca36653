"""
`coinbase-checkouts conformance`: try every claim on a server.

Exit 0: every claim that could be tried holds. 1: at least one is broken. 2: it could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest

from coinbase_checkouts.errors import CheckoutsError

from .control import Control
from .description import description
from .judge import BrokenError
from .outcomes import BREAKING, HOLDING, Outcomes
from .plugin import Live, Suite
from .progress import Progress
from .running import run_pytest
from .target import BadUrlError, Target, filled
from .tokens import Tokens
from .wire import DEADLINE_S, RUN_LIMIT_S, Limits, OutOfTimeError, UnreachableError, Wire

HOLDS: Final = 0
IS_BROKEN: Final = 1
COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130

# Of the run's limit, kept back to deactivate what was created.
_TIDY_S: Final = 15.0


def main(argv: list[str]) -> int:
    """The command; *argv* is what comes after its name."""
    if argv[:1] == ["explain"]:
        from . import explain  # noqa: PLC0415 -- it reads cassettes, and vcrpy takes half a second to import

        return explain.main(argv[1:])
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("coinbase-checkouts conformance: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    try:
        target = Target.parse(options.base_url)
        tokens = Tokens(options.key_file)
    except (BadUrlError, CheckoutsError) as exc:
        return _could_not_run(str(exc))
    limits = Limits(deadline_s=options.deadline, run_s=max(options.limit - _TIDY_S, options.limit / 2))
    started_at = datetime.now(UTC)
    with Wire(target, limits) as wire:
        try:
            reached(wire)
            has_control = Control(wire).now() is not None
        except UnreachableError as exc:
            return _could_not_run(str(exc))
        except OutOfTimeError as exc:
            return _could_not_run(f"not one claim could be tried: {exc}")
        progress = Progress()
        suite = Suite(wire, tokens, Live(has_control=has_control), progress=progress)
        arguments = [] if options.expression is None else ["-k", options.expression]
        code = run_pytest(arguments, plugins=[suite])
        progress.done()
        in_time = wire.left_s > 0
        _tidy(wire, tokens, suite.made)
    if not (in_time or suite.outcomes.of(*HOLDING, *BREAKING)):
        return _could_not_run(f"not one claim could be tried: {wire.out_of_time}")
    result = told(code, suite.outcomes)
    if options.report_dir is not None and suite.outcomes.by_claim:
        provenance = "tried over HTTP, with the control endpoints of a sandbox" if has_control else "tried over HTTP"
        report(options.report_dir, suite, target=str(target), started_at=started_at, provenance=provenance)
    return result


def report(folder: Path, suite: Suite, *, target: str, started_at: datetime, provenance: str) -> None:
    """Write the reports; where that fails say so, and leave verdict and exit code as they are."""
    from .reports import ReportError, run_of, write_reports  # noqa: PLC0415 -- most runs write none

    seconds = (datetime.now(UTC) - started_at).total_seconds()
    try:
        run = run_of(suite, target=target, started_at=started_at, duration_s=seconds, provenance=provenance)
        write_reports(folder, run)
    except ReportError as exc:
        print(f"coinbase-checkouts conformance: {exc}", file=sys.stderr)


def told(code: int, outcomes: Outcomes) -> int:
    """Print how it went; the exit code that goes with pytest's *code*."""
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        return _could_not_run("no claim is selected; -k takes parts of claim ids and test names, with and, or, not")
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        return _could_not_run("pytest could not run the suite; the reason is above")
    print(outcomes.text)
    if code == pytest.ExitCode.INTERRUPTED:
        return INTERRUPTED
    return IS_BROKEN if outcomes.of(*BREAKING) or code != pytest.ExitCode.OK else HOLDS


def reached(wire: Wire) -> None:
    """
    See whether anything speaks HTTP there, and keep quiet about what it says: that is for the claims.

    Raises:
        UnreachableError: No connection, or one that is closed without an answer. A server that hangs is no such
            case: it is there, and the claims it breaks are told one by one.
    """
    request = httpx.Request("GET", wire.target.url(filled(description().operations["listCheckouts"].path)))
    missed = ""
    for _ in range(2):
        try:
            wire.send(request)
        except BrokenError as exc:
            missed = exc.what
        if wire.heard or "within" in missed:
            return
    raise UnreachableError(f"nothing at {wire.target.origin} speaks HTTP: {missed}")


def _tidy(wire: Wire, tokens: Tokens, made: Sequence[str]) -> None:
    """Deactivate what the run created; what was paid or is gone stays as it is."""
    path = description().operations["deactivateCheckout"].path
    wire.give(_TIDY_S)
    for checkout_id in made:
        if wire.left_s <= 0:
            return
        with suppress(BrokenError, OutOfTimeError, UnreachableError):
            wire.send(httpx.Request("POST", wire.target.url(filled(path, id=checkout_id))), tokens.valid)


def _could_not_run(why: str) -> int:
    print(f"coinbase-checkouts conformance: {why}", file=sys.stderr)
    return COULD_NOT_RUN


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 24 * 3600:
        raise ValueError
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coinbase-checkouts conformance",
        description="Try every claim about the Checkouts API on a server, and tell which hold. Unofficial.",
        epilog="exit codes: 0 every claim that could be tried holds, 1 at least one is broken, 2 it could not run",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--base-url", required=True, metavar="URL", help="the server's origin, with or without the /sandbox prefix")
    add("--key-file", required=True, type=Path, metavar="FILE", help="cdp_api_key.json, as the portal writes it")
    add(
        "--report-dir",
        type=folder,
        metavar="DIR",
        help="write the reports there (HTML, Markdown, JSON, JUnit); nothing otherwise",
    )
    add(
        "-k",
        dest="expression",
        metavar="EXPR",
        help="only claims whose id or test matches, such as 'refund and not body'",
    )
    add("--deadline", type=_seconds, default=DEADLINE_S, metavar="SECONDS", help="for one request; default %(default)g")
    add("--limit", type=_seconds, default=RUN_LIMIT_S, metavar="SECONDS", help="for the whole run; default %(default)g")
    return parser


def folder(text: str) -> Path:
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise argparse.ArgumentTypeError(f"{text}: {exc.strerror}") from None
    if not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text}: cannot be written to")
    return path.resolve()
