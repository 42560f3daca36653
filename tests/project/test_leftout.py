"""What a run leaves out is said, and can be forbidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .. import leftout

CONFTEST = f"""
import sys
sys.path.insert(0, {str(Path(leftout.__file__).parent)!r})
from leftout import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown
"""
TESTS = """
import pytest
import leftout

def test_lacking():
    if leftout.missing("flights", "no-such-program"):
        pytest.skip("cannot fly")

def test_there():
    assert not leftout.missing("reading", "sh")

def test_forbidden():
    leftout.leave_out("walks", "no legs")
"""


def run(folder: Path, *chosen: str, demand: str = "", workers: int = 0) -> tuple[int, list[str]]:
    """Exit code of a run of pytest on those tests, and the lines about what was left out."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", " or ".join(chosen)]
    command += ["-n", str(workers)] if workers else []
    env = {**os.environ, leftout.VARIABLE: demand}
    done = subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True)
    return done.returncode, [line for line in done.stdout.splitlines() if "left out" in line]


def test_it_is_said_in_one_line(tmp_path: Path) -> None:
    """
    All that was left out, and why, in one line; the run succeeds.
    """
    said = "tests left out: flights (no no-such-program); walks (no legs)"
    assert (0, [said]) == run(tmp_path, "lacking", "there", "forbidden")


def test_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    """
    Where everything is there, no line.
    """
    assert (0, []) == run(tmp_path, "there", demand="everything")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("test", "code"), [("lacking", 1), ("forbidden", 0)])
def test_leaving_out_can_be_forbidden(tmp_path: Path, test: str, code: int, workers: int) -> None:
    """
    With COINBASE_CHECKOUTS_TESTS=everything a run that lacks a program fails; what no installing mends is only said.
    """
    exit_code, said = run(tmp_path, test, demand="everything", workers=workers)
    assert (code, 1) == (exit_code, len(said))
