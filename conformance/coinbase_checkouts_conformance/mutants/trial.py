"""One server, met by the suite in this process: which claims hold, and which are broken."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from coinbase_checkouts_conformance.claims import claim_of
from coinbase_checkouts_conformance.plugin import Suite, Tape
from coinbase_checkouts_conformance.running import run_pytest
from coinbase_checkouts_conformance.seeds import Seed
from coinbase_checkouts_conformance.target import Target
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_conformance.wire import Limits, Wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# Nothing listens there, and nothing is sent there: it is what tokens are signed for.
ORIGIN: Final = "http://127.0.0.1:1"
# A wrong server that hangs is given less time than a real one; a busy machine needs some.
LIMITS: Final = Limits(deadline_s=4.0, run_s=200.0, give_up_after=2)

AppFor = Callable[[Path], "ASGIApp"]


@dataclass(frozen=True)
class Drawn:
    """Tapes that are drawn from one seed, so that a trial can be had again."""

    seed: int

    @contextmanager
    def tape(self, test: str) -> Generator[Tape]:
        """The tape of one test."""
        yield Tape(Seed(f"mutants/{self.seed}/{test}"), has_control=True)


@dataclass(frozen=True)
class Selection:
    """
    A pytest plugin that says which tests run, and in which order.

    Args:
        claims: Only their tests; empty for all.
        shuffle: Draws the order; None keeps it.
    """

    claims: Collection[str] = ()
    shuffle: random.Random | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out, and shuffle."""
        if self.claims:
            items[:] = [item for item in items if claim_of(item).id in self.claims]
        if self.shuffle is not None:
            self.shuffle.shuffle(items)


def verdicts(
    app: ASGIApp,
    key_file: Path,
    *,
    seed: int,
    claims: Collection[str] = (),
    shuffled: bool = False,
    first: bool = False,
) -> Mapping[str, str]:
    """
    By claim id whether it held, was broken or skipped.

    Args:
        first: Stop at the first broken claim.
    """
    # Imported late: a mutant of the sandbox's source brings modules of its own.
    from coinbase_checkouts_sandbox.inprocess import Socketlike  # noqa: PLC0415

    order = random.Random(seed) if shuffled else None  # noqa: S311 -- an order of tests
    transport = httpx.ASGITransport(Socketlike(app))
    with Wire(Target.parse(ORIGIN), LIMITS, transport) as wire:
        suite = Suite(wire, Tokens(key_file), Drawn(seed))
        run_pytest(["-x"] if first else [], plugins=[suite, Selection(claims, order)])
    return {outcome.claim.id: outcome.verdict for outcome in suite.outcomes.by_claim.values()}
