"""What a run of the tests left out because a program is not installed: said once at its end, or a failure."""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest

# Set to `everything`, nothing may be left out; CI does.
VARIABLE: Final = "COINBASE_CHECKOUTS_TESTS"

_LEFT_OUT: Final[dict[str, str]] = {}


def missing(what: str, *programs: str, path: str | None = None) -> bool:
    """
    Whether *what* has to be left out, because one of *programs* is not installed. If so, the run says it at its end.

    Args:
        path: Where to look, as in PATH; None is PATH.

    Raises:
        pytest.fail.Exception: Nothing may be left out.
    """
    absent = [program for program in programs if shutil.which(program, path=path) is None]
    if not absent:
        return False
    reason = f"{', '.join(absent)} not found"
    if os.environ.get(VARIABLE) == "everything":
        pytest.fail(f"{what}: {reason}, and {VARIABLE}=everything lets nothing be left out", pytrace=False)
    _LEFT_OUT[what] = reason
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, if anything was left out."""
    if _LEFT_OUT:
        terminalreporter.write_line("left out: " + "; ".join(f"{what} ({why})" for what, why in _LEFT_OUT.items()))
