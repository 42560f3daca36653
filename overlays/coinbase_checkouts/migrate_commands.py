"""
`migrate`: exported charges of Commerce → requests for checkouts, and a report. It sends nothing.

Everything passes through, charge by charge; results get their names only when all of them are there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Self, TextIO

from . import commerce
from .arguments import COULD_NOT_RUN, INTERRUPTED, OK, SAID_NO
from .commerce.exports import SUFFIXES, Exported, PassedOver, Unreadable, files, read
from .commerce.report import Outcome, Report, Verdict
from .commerce.requests import known
from .errors import ConfigurationError, Loss, MigrationError
from .streams import is_terminal, tell, write

NAME: Final = "coinbase-checkouts migrate"
RESULTS: Final = {Verdict.CREATE: "requests.ndjson", Verdict.LEAVE: "leave.ndjson", Verdict.REFUSED: "refused.ndjson"}
REPORT: Final = "report.md"
# Often enough to be seen moving.
_PROGRESS_S: Final = 0.2
_TOLD: Final = 20
_PARTS: Final = tuple(field.name for field in fields(Loss))


def run(options: argparse.Namespace) -> int:
    """Run the command; its exit code, see `arguments.MIGRATE_EXIT_CODES`."""
    try:
        return _migrate(options)
    except ConfigurationError as exc:
        tell(f"{NAME}: {exc}")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        tell(f"{NAME}: interrupted; nothing was kept but what is on stdout")
        return INTERRUPTED


def _migrate(options: argparse.Namespace) -> int:
    settings = _settings(options)
    inputs = _inputs(options)
    report = Report(strict=options.strict, accept=options.accept)
    results, told = _targets(options, (item for item in inputs if isinstance(item, Path)))
    with _Progress(report) as progress, _written([*results, *([told] if told else [])]) as written:
        by_verdict = dict(zip(RESULTS, written, strict=False)) if results else {}
        for found in _found(inputs):
            if isinstance(found, PassedOver):
                report.pass_over(found)
                continue
            if isinstance(found, Unreadable):
                report.skip(found)
                progress.complain(f"{found.place}: {found.reason}. {found.advice}")
                continue
            outcome, line = _converted(found, settings)
            report.add(outcome)
            _put(by_verdict.get(outcome.verdict), json.dumps(line) + "\n")
            progress.show()
        if told:
            written[-1].writelines(f"{line}\n" for line in report.lines())
    tell(f"{report.summary} Nothing was created. " + (f"Report: {told}" if told else "For advice add --report FILE."))
    if report.unreadable:
        return COULD_NOT_RUN
    return OK if report.is_exact else SAID_NO


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """
    The arguments of `checkout_request`.

    Raises:
        ConfigurationError: They are none.
    """
    settings: dict[str, Any] = {
        "strict": options.strict,
        "accept": options.accept,
        "keep_fiat": options.keep_fiat,
        "expires_at": options.expires_at,
        "now_s": time.time(),
    }
    others = {name: value for name, value in settings.items() if name != "strict"}
    try:
        # Of a request that nothing is wrong with, and not strict, so that what is wrong is an argument.
        commerce.checkout_request({"local_price": {"amount": "1", "currency": "USDC"}}, **others)
    except ValueError as exc:
        raise ConfigurationError(f"--{str(exc).replace('_', '-', 1)}") from None
    return settings


def _inputs(options: argparse.Namespace) -> list[Path | PassedOver | Unreadable]:
    """
    The files to read, and what of the folders is none.

    Raises:
        ConfigurationError: There is nothing to read, and nothing that ought to have been.
    """
    for given in options.files:
        if not os.path.exists(given):  # noqa: PTH110 -- that of pathlib raises where a folder is closed
            raise ConfigurationError(f"{given}: there is no such file or folder, or you may not look there")
    found = [item for given in options.files for item in files(Path(given))]
    if all(isinstance(item, PassedOver) for item in found):
        raise ConfigurationError(f"no file there ends in {', '.join(SUFFIXES)}")
    return found


def _found(inputs: Iterable[Path | PassedOver | Unreadable]) -> Iterator[Exported | PassedOver | Unreadable]:
    """What is in the files, and what is none."""
    for item in inputs:
        if isinstance(item, Path):
            yield from read(item)
        else:
            yield item


def _targets(options: argparse.Namespace, inputs: Iterable[Path]) -> tuple[list[Path], Path | None]:
    """
    The files to write: results, and the report.

    Raises:
        ConfigurationError: One would take the place of an input or of another, or be an input the next time.
    """
    results = [] if options.out is None else [Path(options.out) / name for name in RESULTS.values()]
    report = options.report or (options.out and Path(options.out) / REPORT)
    targets = [target.resolve() for target in (*results, *([Path(report)] if report else []))]
    read_from = {path.resolve() for path in (*inputs, *map(Path, options.files))}
    for target in targets:
        if targets.count(target) > 1 or not read_from.isdisjoint((target, *target.parents)):
            raise ConfigurationError(
                f"--out, --report: {target.name} must not be where charges are read, nor another result"
            )
    return results, Path(report) if report else None


def _converted(found: Exported, settings: Mapping[str, Any]) -> tuple[Outcome, dict[str, Any]]:
    """What became of one charge, and the line that tells it."""
    try:
        made = commerce.checkout_request(found.value, **settings)
    except MigrationError as exc:
        who = known(found.value)
        code, status = who.code, who.standing.status
        verdict, key, request, losses = Verdict.REFUSED, None, None, exc.losses
    else:
        code, status, key, losses = made.code, made.status, made.idempotency_key, made.losses
        verdict = Verdict.CREATE if made.is_open else Verdict.LEAVE
        request = made.value
    line = {
        "file": found.place.file,
        "line": found.place.line,
        "pointer": found.place.pointer,
        "code": code,
        "status": status,
        "verdict": verdict,
        "idempotencyKey": key,
        "request": None if request is None else request.to_dict(),
        "losses": [_told(loss) for loss in losses],
    }
    told = tuple(loss for loss in losses if loss.code not in settings["accept"])
    price = None if request is None else (request.amount, request.currency)
    return Outcome(found.place, code, status, verdict, price, told), line


def _told(loss: Loss) -> dict[str, str]:
    return {name: getattr(loss, name) for name in _PARTS}


def _put(file: TextIO | None, text: str) -> None:
    if file is None:
        write(text)
    else:
        file.write(text)


@contextmanager
def _written(paths: Sequence[Path]) -> Generator[list[TextIO]]:
    """
    Files that get their names when all is written, and are gone if it is not.

    Raises:
        ConfigurationError: They cannot be written.
    """
    parts = [path.with_name(f"{path.name}.part") for path in paths]
    try:
        with ExitStack() as stack:
            for part in parts:
                part.parent.mkdir(parents=True, exist_ok=True)
            yield [stack.enter_context(part.open("w", encoding="utf-8", newline="\n")) for part in parts]
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except OSError as exc:
        raise ConfigurationError(f"--out, --report: cannot be written: {exc.strerror}") from None
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)


class _Progress:
    """Tells on a terminal how far it is, and anywhere what could not be read."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._is_seen = is_terminal(sys.stderr)
        self._next_s = 0.0
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()
        if (more := self._report.unreadable - _TOLD) > 0:
            tell(f"… and {more} more")

    def show(self) -> None:
        """Another charge is done."""
        if self._is_seen and (now := time.monotonic()) >= self._next_s:
            self._next_s = now + _PROGRESS_S
            line = f"{self._report.charges} charges …"
            tell(line, end="", over=self._width)
            self._width = len(line)

    def complain(self, line: str) -> None:
        """Tell what could not be read, the first few times."""
        if self._report.unreadable <= _TOLD:
            self._clear()
            tell(line)

    def _clear(self) -> None:
        if self._width:
            tell("", end="", over=self._width)
            self._width = 0
