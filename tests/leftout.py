"""
What a run of the tests cannot try on this machine: said in one line at its end instead of skipped in silence.

With COINBASE_CHECKOUTS_TESTS=everything, as CI sets it, a run that lacked a program fails.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest

VARIABLE: Final = "COINBASE_CHECKOUTS_TESTS"

_LEFT_OUT: Final[dict[str, str]] = {}
_LACKING: Final[list[str]] = []


def missing(what: str, *programs: str, path: str | None = None) -> bool:
    """
    Whether one of *programs* is not installed. Then *what*, such as "tests on PostgreSQL", is noted as left out.

    Args:
        path: Where to look, as in PATH; None is PATH.
    """
    absent = [program for program in programs if shutil.which(program, path=path) is None]
    if absent:
        leave_out(what, f"no {', '.join(absent)}")
        _LACKING.append(what)
    return bool(absent)


def leave_out(what: str, why: str) -> None:
    """Note something as left out that no installing would mend, such as what only root may do. It fails no run."""
    _LEFT_OUT[what] = why


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The one line."""
    if _LEFT_OUT:
        terminalreporter.write_line("left out: " + "; ".join(f"{what} ({why})" for what, why in _LEFT_OUT.items()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The failure, where nothing may be left out."""
    if _LACKING and os.environ.get(VARIABLE) == "everything":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
