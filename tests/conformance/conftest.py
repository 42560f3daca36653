"""A key, a sandbox of our own, and the command in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coinbase_checkouts_conformance import cli, throwaway
from coinbase_checkouts_conformance.record import sandbox

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def key_file() -> Iterator[Path]:
    """A key file that is fine and worth nothing."""
    with throwaway.key_file() as path:
        yield path


@pytest.fixture(scope="session")
def our_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL and the key file of a sandbox of our own."""
    with sandbox(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def run(key_file: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; code, output, errors."""

    def run_(url: str, *more: str, key: Path = key_file) -> tuple[int, str, str]:
        code = cli.main(["--base-url", url, "--key-file", str(key), *more])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return run_
