"""
What a run cannot try on this machine, said in one line at its end instead of being skipped in silence.

With COINBASE_CHECKOUTS_TESTS=everything, as CI sets it, a run that lacked a program fails.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Final

import pytest

VARIABLE: Final = "COINBASE_CHECKOUTS_TESTS"

# Why, and whether installing something would mend it. Plain tuples, which a worker of pytest-xdist can send.
_Reasons = dict[str, tuple[str, bool]]
_LEFT_OUT: Final[_Reasons] = {}

# Told by the workers of pytest-xdist, which collect in place of this process.
_TOLD: Final[pytest.StashKey[_Reasons]] = pytest.StashKey()


def missing(what: str, *programs: str, path: str | None = None) -> bool:
    """
    Whether one of *programs* is not installed. Then *what*, such as "browser tests", is noted as left out.

    For a conftest.py: `collect_ignore_glob = ["test_*.py"] if missing("browser tests", "chromium") else []`.

    Args:
        path: Where to look, as in PATH; None is PATH.
    """
    absent = [program for program in programs if shutil.which(program, path=path) is None]
    if absent:
        _LEFT_OUT[what] = (f"no {', '.join(absent)}", True)
    return bool(absent)


def leave_out(what: str, why: str) -> None:
    """Note something as left out that no installing would mend, such as what only root may do. It fails no run."""
    _LEFT_OUT[what] = (why, False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells what it left out; any other run fails, where nothing may be."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = _LEFT_OUT
        return
    lacking = any(mendable for _, mendable in _noted(session.config).values())
    if lacking and os.environ.get(VARIABLE) == "everything":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended. One that crashed tells nothing."""
    node.config.stash.setdefault(_TOLD, {}).update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The one line."""
    reasons = [f"{what} ({why})" for what, (why, _) in _noted(config).items()]
    if reasons:
        terminalreporter.write_line(f"tests left out: {'; '.join(reasons)}", yellow=True)


def _noted(config: pytest.Config) -> _Reasons:
    return _LEFT_OUT | config.stash.get(_TOLD, {})
