"""
pytest on the packaged suite, in this process, with no outside influence.

The user's configuration, conftest files, plugins and PYTEST_* variables belong to other tests; they are shut out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

SUITE: Final = Path(__file__).with_name("suite")

# No cache and no bytecode is written; the suite may lie in a folder nobody may write to.
_ALWAYS: Final = (
    "--rootdir",
    str(SUITE),
    "-c",
    str(SUITE / "pytest.ini"),
    "--noconftest",
    "--strict-markers",
    "--import-mode=importlib",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:doctest",
    # Its watchdog is of whoever runs us: in a fork it would wait for a thread that is not there.
    "-p",
    "no:faulthandler",
    "-p",
    "no:unraisableexception",
    "-p",
    "no:threadexception",
)
_VARIABLES: Final = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_CURRENT_TEST")


def run_pytest(arguments: Sequence[str], *, plugins: Sequence[object], terminal: bool = False) -> int:
    """Pytest's exit code for the suite; without *terminal* it prints nothing of its own but usage errors."""
    quiet = () if terminal else ("-p", "no:terminal")
    with _own_environment():
        return int(pytest.main([*_ALWAYS, *quiet, *arguments, str(SUITE)], plugins=list(plugins)))


@contextmanager
def _own_environment() -> Generator[None]:
    kept = {name: os.environ.pop(name) for name in _VARIABLES if name in os.environ}
    bytecode = sys.dont_write_bytecode
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)
