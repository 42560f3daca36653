"""
`migrate`: exported charges of Commerce → requests for checkouts, and a report. It sends nothing.

Everything passes through, charge by charge; results are written when all is read, as a charge may come again, and get
their names only when all of them are there.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, Literal, Self, TextIO

from . import commerce
from .arguments import COULD_NOT_RUN, INTERRUPTED, OK, SAID_NO
from .commerce.copies import Copies, Settled
from .commerce.exports import SUFFIXES, Exported, PassedOver, Place, Unreadable, files, read
from .commerce.notes import noted
from .commerce.report import Outcome, Report, Verdict
from .commerce.requests import Known, known
from .errors import ConfigurationError, Loss, LossKind, MigrationError
from .interrupting import sigterm_as_interrupt
from .plain import plain
from .streams import is_terminal, tell, write

NAME: Final = "coinbase-checkouts migrate"
RESULTS: Final = {Verdict.CREATE: "requests.ndjson", Verdict.LEAVE: "leave.ndjson", Verdict.REFUSED: "refused.ndjson"}
REPORT: Final = "report.md"
_STDOUT: Final = 1
# Often enough to be seen moving.
_PROGRESS_S: Final = 0.2
_TOLD: Final = 20
_PARTS: Final = tuple(field.name for field in fields(Loss))


def run(options: argparse.Namespace) -> int:
    """Run the command; its exit code, see `arguments.MIGRATE_EXIT_CODES`."""
    try:
        with sigterm_as_interrupt():
            return _migrate(options)
    except ConfigurationError as exc:
        tell(f"{NAME}: {exc}")
        return COULD_NOT_RUN
    except sqlite3.Error as exc:
        tell(
            f"{NAME}: what was read could not be kept until all is there: {exc}; set TMPDIR to a folder with more room"
        )
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        tell(f"{NAME}: interrupted; nothing was kept but what is on stdout")
        return INTERRUPTED


def _migrate(options: argparse.Namespace) -> int:
    settings = _settings(options)
    inputs = _inputs(options)
    report = Report(strict=options.strict, accept=options.accept)
    results, told = _targets(options, (item for item in inputs if isinstance(item, Path)))
    with _written([*results, *([told] if told else [])]) as written, Copies() as copies:
        by_verdict = dict(zip(RESULTS, written, strict=False)) if results else {}
        _collect(inputs, settings, copies, report)
        for settled in copies.settled():
            line = _final(settled, settings)
            report.add(_outcome(line, settings), is_copy=settled.is_other)
            _put(by_verdict.get(line["verdict"]), json.dumps(line) + "\n")
        if told:
            written[-1].writelines(f"{line}\n" for line in report.lines())
    tell(f"{report.summary} Nothing was created. " + (f"Report: {told}" if told else "For advice add --report FILE."))
    if report.unreadable:
        return COULD_NOT_RUN
    return OK if report.is_exact else SAID_NO


def _collect(
    inputs: Iterable[Path | PassedOver | Unreadable], settings: Mapping[str, Any], copies: Copies, report: Report
) -> None:
    """Make the line of each charge that is there, and tell what is none."""
    with _Progress(report, copies) as progress:
        for found in _found(inputs):
            if isinstance(found, PassedOver):
                report.pass_over(found)
            elif isinstance(found, Unreadable):
                report.skip(found)
                progress.complain(f"{found.place}: {found.reason}. {found.advice}")
            else:
                who = known(found.value)
                line = _line(found, who, settings)
                moment = who.standing.changed_at
                copies.add(
                    line,
                    [name for name in (who.code, who.id) if name is not None],
                    is_new=who.standing.is_new and not found.repeated,
                    is_request=line["verdict"] == Verdict.CREATE,
                    moment=None if moment is None else moment.timestamp(),
                )
                progress.show()


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


def _line(found: Exported, who: Known, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What became of one charge."""
    verdict, key, request = Verdict.REFUSED, None, None
    try:
        made = commerce.checkout_request(found.value, **settings)
    except MigrationError as exc:
        losses = exc.losses
    else:
        verdict = Verdict.CREATE if made.is_open else Verdict.LEAVE
        key, request, losses = made.idempotency_key, made.value.to_dict(), made.losses
    line = {
        "file": found.place.file,
        "line": found.place.line,
        "pointer": found.place.pointer,
        "code": who.code,
        "status": who.standing.status,
        "verdict": verdict,
        "idempotencyKey": key,
        "request": request,
        "losses": [_told(loss) for loss in losses],
    }
    for pointer in found.repeated:
        _withhold(line, noted("key-repeated", pointer), settings)
    return line


def _final(settled: Settled, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A line when all are known."""
    line, other = settled.line, settled.counting
    if other is not None:
        _withhold(line, noted("charge-repeated", "", place=str(plain(str(_place(other))))), settings)
    elif settled.is_other:
        _withhold(line, noted("charge-disputed", ""), settings)
    return line


def _withhold(line: dict[str, Any], loss: Loss, settings: Mapping[str, Any]) -> None:
    """Tell *loss* in *line*, from which nothing is to be created then."""
    line["losses"].append(_told(loss))
    if settings["strict"] and loss.code not in settings["accept"]:
        line |= {"verdict": Verdict.REFUSED, "request": None, "idempotencyKey": None}
    elif line["verdict"] == Verdict.CREATE:
        line["verdict"] = Verdict.LEAVE


def _outcome(line: Mapping[str, Any], settings: Mapping[str, Any]) -> Outcome:
    """A line, for the report."""
    request, losses = line["request"], line["losses"]
    return Outcome(
        _place(line),
        line["code"],
        line["status"],
        Verdict(line["verdict"]),
        None if request is None else (request["amount"], request["currency"]),
        tuple(
            Loss(**{**loss, "kind": LossKind(loss["kind"])})
            for loss in losses
            if loss["code"] not in settings["accept"]
        ),
    )


def _place(line: Mapping[str, Any]) -> Place:
    return Place(line["file"], line["line"], line["pointer"])


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
    parts: list[tuple[Path, Path]] = []
    try:
        with ExitStack() as stack:
            files: list[TextIO] = []
            mode: Literal["a", "x"]
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                part, mode = path, "a"
                if not _stays(path):
                    # What a link leads to is replaced, not the link.
                    place = path.resolve()
                    part, mode = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part"), "x"
                    parts.append((part, place))
                files.append(stack.enter_context(part.open(mode, encoding="utf-8", newline="\n")))
            yield files
        for part, place in parts:
            part.replace(place)
    except OSError as exc:
        raise ConfigurationError(f"--out, --report: cannot be written: {exc.strerror}") from None
    finally:
        for part, _ in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _stays(path: Path) -> bool:
    """Whether *path* is to be written into and not replaced: a device, a pipe, or where stdout goes."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    if not S_ISREG(there.st_mode):
        return True
    with suppress(OSError):  # of a stdout that is closed
        return os.path.samestat(there, os.fstat(_STDOUT))
    return False


class _Progress:
    """Tells on a terminal how far it is, and anywhere what could not be read."""

    def __init__(self, report: Report, copies: Copies) -> None:
        self._report = report
        self._copies = copies
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
            line = f"{self._copies.count} charges …"
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
