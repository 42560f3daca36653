"""What a run cannot try on this machine, said in one line at its end instead of being skipped in silence."""

from __future__ import annotations

import shutil

_LEFT_OUT: dict[str, tuple[str, ...]] = {}


def missing(what: str, *programs: str) -> bool:
    """
    Whether one of *programs* is not on PATH. Then *what*, such as "browser tests", is noted as left out.

    For a conftest.py: `collect_ignore_glob = ["test_*.py"] if missing("browser tests", "chromium") else []`.
    """
    absent = tuple(program for program in programs if shutil.which(program) is None)
    if absent:
        _LEFT_OUT[what] = absent
    return bool(absent)


def noted() -> dict[str, tuple[str, ...]]:
    """What was left out, and the programs it lacked."""
    return dict(_LEFT_OUT)


def line(left_out: dict[str, tuple[str, ...]]) -> str:
    """All of it in one line, empty if there is nothing."""
    parts = [f"{what} (no {', '.join(absent)} on PATH)" for what, absent in left_out.items()]
    return f"tests left out: {'; '.join(parts)}" if parts else ""
