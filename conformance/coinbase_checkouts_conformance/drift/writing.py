"""
Reports to stdout or a file, and the one line on stderr when there is none.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .problems import CouldNotCompareError

COULD_NOT: Final = 2
# What a terminal, or a reader of the page, would obey instead of showing it.
_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
INTERRUPTED: Final = 130


def harmless(text: str) -> str:
    """*text* with what is no sign written as JSON writes it, which both people and programs can read."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def write(report: str, path: Path | None, *, for_people: bool = True, as_is: bool = False) -> None:
    """
    Write *report* into a file, or to stdout.

    Args:
        for_people: It may lose signs that the terminal does not know; what is for programs is UTF-8 always.
        as_is: It is no report, but a part of a file that has to stay what it is.

    Raises:
        CouldNotCompareError: The file cannot be written.
    """
    report = report if as_is else harmless(report)
    if path is None and not for_people:
        sys.stdout.flush()
        sys.stdout.buffer.write(report.encode(errors="replace"))
        sys.stdout.buffer.flush()
        return
    if path is None:
        # A terminal may know fewer characters than a description.
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(report.encode(encoding, errors="replace").decode(encoding))
        return
    try:
        path.write_text(report, encoding="utf-8", errors="replace", newline="\n")
    except OSError as exc:
        raise CouldNotCompareError(f"{path}: {exc.strerror or 'cannot be written'}") from None


def tell(program: str, what: str) -> None:
    """One line on stderr."""
    line = harmless(" ".join(what.split()))
    encoding = sys.stderr.encoding or "utf-8"
    line = line.encode(encoding, errors="replace").decode(encoding)
    sys.stderr.write(f"{program}: {line}\n")


def could_not(program: str, why: str) -> int:
    """Say why in one line; the exit code."""
    tell(program, why)
    return COULD_NOT


def guarded(program: str, run: Callable[[], int], *, too_deep: str = "what was read is nested too deep") -> int:
    """Run a command; what keeps it from its work is one line and an exit code."""
    try:
        return run()
    except CouldNotCompareError as exc:
        return could_not(program, str(exc))
    except RecursionError:
        return could_not(program, too_deep)
    except KeyboardInterrupt:
        tell(program, "interrupted")
        return INTERRUPTED
