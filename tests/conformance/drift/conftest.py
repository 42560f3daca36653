"""The command that looks at traffic, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coinbase_checkouts_conformance.drift.cli import main

from .observed import Json, Observe


@pytest.fixture
def observe(capsys: pytest.CaptureFixture[str]) -> Observe:
    """Run it; code, its JSON, errors."""

    def run(*arguments: str | Path) -> tuple[int, Json, str]:
        code = main(["observed", *map(str, arguments), "--format", "json"])
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return code, json.loads(told.out) if told.out else {}, told.err

    return run
