"""A bounded sample of `python -m tests.torture.inbox`."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from ..postgres import running
from .inbox_storm import Plan, run

# To see again what a failure saw.
SEED = int(os.environ.get("COINBASE_CHECKOUTS_TORTURE_SEED") or random.randrange(1 << 32))


def storm(plan: Plan) -> None:
    """A run that must leave nothing to complain of, and have been one."""
    print(f"COINBASE_CHECKOUTS_TORTURE_SEED={SEED}")
    result = run(plan)
    print(result)
    assert [] == result.violations, f"COINBASE_CHECKOUTS_TORTURE_SEED={SEED}"
    assert min(result.kills, result.forged, result.refused) > 0
    assert result.delivered > result.events == result.effects


def test_each_effect_once_on_sqlite(tmp_path: Path) -> None:
    """
    Receivers and workers killed at any moment, deliveries doubled, reordered and tampered with on their way: each event
    has its effect once, none is lost, and each order ends in its newest status.
    """
    database = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    storm(Plan(database=database, folder=tmp_path, seed=SEED, events=200))


@pytest.mark.usefixtures("postgres")
def test_each_effect_once_on_postgresql(tmp_path: Path) -> None:
    """
    The same on PostgreSQL, which crashes itself now and then.
    """
    with running() as postgres:
        storm(Plan(database=postgres.database(), folder=tmp_path, seed=SEED, events=200, crash=postgres.crash))
