"""
`coinbase-checkouts conformance`: try every claim on a server.

Exit 0: every claim that could be tried holds. 1: at least one is broken. 2: it could not run. 128 + n: signal n
ended it (130: Ctrl-C). What it created is deactivated in every case.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx
import pytest

from coinbase_checkouts.errors import CheckoutsError

from . import passive
from .control import ROOT, Control
from .description import DescriptionError, description
from .in_step import check_in_step
from .journal import Journal, JournalError
from .judge import BrokenError
from .meaning import meaning_now
from .outcomes import BREAKING, HOLDING, UNKNOWN
from .pacing import RATE_ELSEWHERE
from .plugin import Live, Suite
from .progress import progress
from .running import run_pytest
from .target import NOBODYS_ID, BadUrlError, Target, filled
from .tidying import tidy
from .tokens import Tokens
from .wire import CLAIM_LIMIT_S, DEADLINE_S, RUN_LIMIT_S, Limits, NotTriedError, UnreachableError, Wire

HOLDS: Final = 0
IS_BROKEN: Final = 1
COULD_NOT_RUN: Final = 2
BY_SIGNAL: Final = 128  # and the signal's number

# Of the run's limit, kept back to deactivate what was created: so much, and the time for so many requests.
_TIDY_S: Final = 15.0
_TIDY_REQUESTS: Final = 300
_EXPRESSION: Final = "-k takes parts of claim ids and test names, with and, or, not and parentheses"
# A pause that is longer is told.
_PAUSE_S: Final = 5.0


def main(argv: list[str]) -> int:
    """The command; *argv* is what comes after its name."""
    try:
        return _command(argv)
    except DescriptionError as exc:
        return _could_not_run(str(exc))


def _command(argv: list[str]) -> int:
    if argv[:1] == ["explain"]:
        from . import explain  # noqa: PLC0415 -- it reads cassettes, and vcrpy takes half a second to import

        return explain.main(argv[1:])
    if argv[:1] == ["check"]:
        return passive.main(argv[1:])
    options = _parser().parse_args(argv)
    with stopping() as signals:
        try:
            return _run(options, signals)
        except KeyboardInterrupt:
            return stopped(signals)


def _run(options: argparse.Namespace, signals: list[int]) -> int:
    reports: Path | None = options.report_dir or options.resume
    check_in_step()
    try:
        target = Target.parse(options.base_url)
        tokens = Tokens(options.key_file)
        about = {"target": str(target), "description": meaning_now(), "suite": version("coinbase-checkouts")}
        journal = Journal(reports, about)
        if options.resume is not None:
            journal = Journal.resumed(options.resume, about)
    except (BadUrlError, CheckoutsError, JournalError) as exc:
        return _could_not_run(str(exc))
    limits, tidy_s = limits_for(target, options.rate, options.limit, options.deadline, options.claim_deadline)
    started_at = datetime.now(UTC)
    with Wire(target, limits, is_safe=options.safe, sleep=pause) as wire:
        try:
            reached(wire)
            has_control = Control(wire).now() is not None
        except UnreachableError as exc:
            return _could_not_run(str(exc))
        except NotTriedError as exc:
            return _could_not_run(f"not one claim could be tried: {exc}")
        if options.resume is None:
            journal.start()
        deck, known = Live(has_control=has_control), dict(journal.entries)
        suite = Suite(wire, tokens, deck, progress=progress(), known=known, said=journal.said, made=journal.made)
        suite.begin, suite.keep = journal.begin, journal.add
        arguments = [] if options.expression is None else ["-k", options.expression]
        code = tried(suite, arguments, tidy_s)
        journal.end()
    unknown = suite.outcomes.of(UNKNOWN)
    if code != pytest.ExitCode.INTERRUPTED and unknown and not suite.outcomes.of(*HOLDING, *BREAKING):
        result = _could_not_run(f"not one claim could be tried: {unknown[-1].detail}")
    else:
        result = told(code, suite, options.expression)
    if reports is not None and suite.outcomes.by_claim:
        provenance = "tried over HTTP, with the control endpoints of a sandbox" if has_control else "tried over HTTP"
        report(reports, suite, target=str(target), started_at=started_at, provenance=provenance)
    for trouble in filter(None, (journal.trouble, journal.untold, suite.made and f"may still be ACTIVE: {suite.made}")):
        print(f"coinbase-checkouts conformance: {trouble}", file=sys.stderr)
    return stopped(signals) if code == pytest.ExitCode.INTERRUPTED and not suite.troubles else result


def report(folder: Path, suite: Suite, *, target: str, started_at: datetime, provenance: str) -> None:
    """Write the reports; where that fails say so, and leave verdict and exit code as they are."""
    from .reports import ReportError, run_of, write_reports  # noqa: PLC0415 -- most runs write none

    seconds = (datetime.now(UTC) - started_at).total_seconds()
    try:
        run = run_of(suite, target=target, started_at=started_at, duration_s=seconds, provenance=provenance)
        write_reports(folder, run)
    except ReportError as exc:
        print(f"coinbase-checkouts conformance: {exc}", file=sys.stderr)


def limits_for(
    target: Target,
    rate: float | None = None,
    run_s: float = RUN_LIMIT_S,
    deadline_s: float = DEADLINE_S,
    claim_s: float = CLAIM_LIMIT_S,
) -> tuple[Limits, float]:
    """The limits of a run on *target*, and what is kept back of them to tidy up, in seconds."""
    if rate is None and not target.is_loopback:
        rate = RATE_ELSEWHERE
    tidy_s = min(_TIDY_S + (_TIDY_REQUESTS / rate if rate else 0), run_s / 2)
    return Limits(deadline_s=deadline_s, run_s=run_s - tidy_s, claim_s=claim_s, rate=rate), tidy_s


def tried(suite: Suite, arguments: list[str], tidy_s: float) -> int:
    """Run the suite, and in what time is left deactivate what it created, also after Ctrl-C; pytest's exit code."""
    code = run_pytest(arguments, plugins=[suite])
    if suite.progress is not None:
        suite.progress.done()
    # Who pressed Ctrl-C waits.
    unused_s = 0.0 if code == pytest.ExitCode.INTERRUPTED else max(suite.wire.left_s, 0.0)
    suite.wire.give(tidy_s + unused_s)
    try:
        tidy(suite.wire, suite.tokens.valid, suite.made)
    except KeyboardInterrupt:
        code = pytest.ExitCode.INTERRUPTED
    return code


@contextmanager
def stopping() -> Generator[list[int]]:
    """While this lasts SIGTERM and SIGHUP stop what is done as Ctrl-C does; those that came are in the list."""
    came: list[int] = []

    def stop(number: int, _: object) -> None:
        came.append(number)
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    wanted = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    is_main = threading.current_thread() is threading.main_thread()
    ours = [number for number in wanted if is_main and signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, stop)
    try:
        yield came
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def stopped(signals: list[int]) -> int:
    """Say so; the exit code."""
    number = signals[0] if signals else signal.SIGINT
    print(f"coinbase-checkouts conformance: interrupted ({signal.Signals(number).name})", file=sys.stderr)
    return BY_SIGNAL + number


def pause(seconds: float) -> None:
    """Wait, and say so when it is long."""
    if seconds > _PAUSE_S:
        print(f"coinbase-checkouts conformance: rate limited, waiting {seconds:.3g} s", file=sys.stderr)
    time.sleep(seconds)


def told(code: int, suite: Suite, expression: str | None = None) -> int:
    """
    Print how it went; the exit code that goes with pytest's *code*.

    Args:
        expression: What was given with -k, where nothing else was given to pytest.
    """
    outcomes = suite.outcomes
    if suite.troubles:
        for trouble in dict.fromkeys(suite.troubles):
            _could_not_run(trouble)
        return COULD_NOT_RUN
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and not outcomes.by_claim:
        return _could_not_run(f"no claim is selected; {_EXPRESSION}")
    if code == pytest.ExitCode.USAGE_ERROR and expression is not None:
        return _could_not_run(f"-k {expression!r} cannot be read; {_EXPRESSION}")
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        return _could_not_run("pytest could not run the suite; the reason is above")
    print(outcomes.text)
    if code == pytest.ExitCode.INTERRUPTED:
        return BY_SIGNAL + signal.SIGINT
    return IS_BROKEN if outcomes.of(*BREAKING) or code == pytest.ExitCode.TESTS_FAILED else HOLDS


def reached(wire: Wire) -> None:
    """
    See whether anything speaks HTTP there, and keep quiet about what it says: that is for the claims.

    Raises:
        UnreachableError: No connection, or one that is closed without an answer. A server that hangs is no such
            case: it is there, and the claims it breaks are told one by one.
    """
    operations, missed = description().operations, ""
    listing = wire.target.url(operations["listCheckouts"].path)
    # More than one place: an operation that alone is never answered is a broken claim, and no empty house.
    reading = wire.target.url(filled(operations["getCheckout"].path, id=NOBODYS_ID))
    for url in (listing, listing, reading, f"{wire.target.origin}{ROOT}"):
        try:
            wire.send(httpx.Request("GET", url))
        except BrokenError as exc:
            missed = missed or exc.what
        if wire.heard or "within" in missed:
            return
    raise UnreachableError(f"nothing at {wire.target.origin} speaks HTTP: {missed}")


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
        description="Try every claim about the Checkouts API on a server, and tell which hold. Unofficial. "
        "`conformance check --help` tells how to hold recorded traffic against them.",
        epilog="exit codes: 0 every claim that could be tried holds, 1 at least one is broken, 2 it could not run, "
        "128 + n signal n ended it (130: Ctrl-C)",
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
    add("--safe", action="store_true", help="send only what changes nothing; claims that need more are skipped")
    add("--resume", type=_there, metavar="DIR", help="go on with the run whose report lies there, and write it anew")
    add("--rate", type=_rate, metavar="N", help=f"at most N requests per second; default {RATE_ELSEWHERE:g}, here none")
    add("--deadline", type=_seconds, default=DEADLINE_S, metavar="SECONDS", help="for one request; default %(default)g")
    add(
        "--claim-deadline",
        type=_seconds,
        default=CLAIM_LIMIT_S,
        metavar="SECONDS",
        help="for one claim; default %(default)g",
    )
    add("--limit", type=_seconds, default=RUN_LIMIT_S, metavar="SECONDS", help="for the whole run; default %(default)g")
    return parser


def _rate(text: str) -> float:
    value = float(text)
    if not 0.01 <= value <= 1e6:
        raise ValueError
    return value


def _there(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: no such folder")
    return folder(text)


def folder(text: str) -> Path:
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise argparse.ArgumentTypeError(f"{text}: {exc.strerror}") from None
    if not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text}: cannot be written to")
    return path.resolve()
