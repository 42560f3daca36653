"""A bounded sample of `nox -s torture`."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from ..postgres import running
from .storm import Plan, Result, run

# To see again what a failure saw.
SEED = int(os.environ.get("COINBASE_CHECKOUTS_TORTURE_SEED") or random.randrange(1 << 32))


def storm(folder: Path, database: str, **options: Any) -> Result:
    """A run of eight kills, which must leave nothing to complain of."""
    print(f"COINBASE_CHECKOUTS_TORTURE_SEED={SEED}")
    result = run(Plan(database=database, folder=folder, seed=SEED, kills=8, **options))
    print(result)
    assert [] == result.violations, f"COINBASE_CHECKOUTS_TORTURE_SEED={SEED}"
    assert min(result.acknowledged, result.in_doubt, result.repeats) > 0
    return result


def test_nothing_acknowledged_is_lost_on_sqlite(tmp_path: Path) -> None:
    """
    Two servers on a file, killed at any moment: what was acknowledged is there, once, as it was told; no key is
    forgotten, nothing half done is ever seen, and nobody is turned away.
    """
    assert 0 == storm(tmp_path, f"sqlite:///{tmp_path / 'torture.sqlite3'}", servers=2).unavailable


@pytest.mark.usefixtures("postgres")
def test_nothing_acknowledged_is_lost_on_postgresql(tmp_path: Path) -> None:
    """
    The same of one server with two workers, while PostgreSQL itself crashes now and then.
    """
    with running() as postgres:
        storm(tmp_path, postgres.database(), workers=2, servers=1, crash=postgres.crash)
