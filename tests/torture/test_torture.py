"""A bounded sample of `nox -s torture`."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from ..postgres import Postgres
from .storm import Plan, run

# To see again what a failure saw.
SEED = int(os.environ.get("COINBASE_CHECKOUTS_TORTURE_SEED") or random.randrange(1 << 32))


@pytest.mark.parametrize(("engine", "servers", "workers"), [("sqlite", 2, 1), ("postgresql", 1, 2)])
def test_nothing_acknowledged_is_lost(
    engine: str, servers: int, workers: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """
    After kills at any moment what was acknowledged is there, once, as it was told; no key is forgotten, nothing torn.
    """
    database = f"sqlite:///{tmp_path / 'torture.sqlite3'}"
    if engine == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        database = postgres.database()
    print(f"COINBASE_CHECKOUTS_TORTURE_SEED={SEED}")
    result = run(Plan(database=database, folder=tmp_path, seed=SEED, kills=8, servers=servers, workers=workers))
    print(result)
    assert [] == result.violations, f"seed {SEED}"
    assert 0 == result.unavailable
    assert min(result.acknowledged, result.in_doubt, result.repeats) > 0
