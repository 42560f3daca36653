"""The suite on somebody else's server: every documented reading holds, every fault breaks a claim."""

from __future__ import annotations

import os
import random
from dataclasses import fields
from typing import Final

import pytest

from .faults import FAULTS
from .readings import A, B, Reading
from .trial import tried

# A few of the faults, so that this ends soon; `python -m tests.foreign` tries them all.
SEED: Final = int(os.environ.get("FOREIGN_SEED", "5"))
NUMBER: Final = int(os.environ.get("FOREIGN_FAULTS", "2"))

WRONG: Final = sorted(name for name, fault in FAULTS.items() if not fault.harmless)
HARMLESS: Final = sorted(FAULTS.keys() - set(WRONG))


def some(names: list[str], number: int) -> list[str]:
    """*number* of them, or all there are, by the seed."""
    return sorted(random.Random(SEED).sample(names, min(number, len(names))))


def test_the_two_readings_are_opposites() -> None:
    """
    The readings a and b differ in every choice there is.
    """
    assert [] == [field.name for field in fields(Reading) if getattr(A, field.name) == getattr(B, field.name)]


def test_there_are_more_faults_than_anybody_asks_for() -> None:
    """
    There are at least ninety faults.
    """
    assert len(WRONG) >= 90


@pytest.mark.parametrize("reading", ["a", "b"])
def test_a_correct_server_holds(reading: str) -> None:
    """
    A server that nobody here wrote the suite for holds every claim, in opposite readings.
    """
    verdict = tried(reading)
    assert (0, ()) == (verdict.code, verdict.broken), verdict.output
    assert " 0 broken, 0 skipped" in verdict.output


@pytest.mark.parametrize("name", some(HARMLESS, 1))
def test_what_is_merely_different_holds(name: str) -> None:
    """
    What the description does not say, such as another field or header, breaks no claim.
    """
    verdict = tried("a", FAULTS[name])
    assert (0, ()) == (verdict.code, verdict.broken), verdict.output


@pytest.mark.parametrize("name", some(WRONG, NUMBER))
def test_a_fault_is_found(name: str) -> None:
    """
    One fault in a server that is otherwise right breaks at least one claim: exit code 1.
    """
    fault = FAULTS[name]
    verdict = tried(fault.reading or "a", fault)
    assert verdict.code == 1, f"{fault.says}\n{verdict.output}"
    assert verdict.broken
