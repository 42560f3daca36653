"""A run that has ended, and the figures every report shows: each has one definition, and it is here."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from coinbase_checkouts_conformance.coverage import KEPT, REFUSED, REQUEST, RESPONSE, RULE, Coverage, covered, proofs_of
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.outcomes import BREAKING, HOLDING, Outcomes
from coinbase_checkouts_conformance.plugin import Suite
from coinbase_checkouts_conformance.traffic import Conversation, from_documents

# What the description asks for, and the side it is seen from.
ASPECTS: Final = {
    "requests kept": (REQUEST, KEPT),
    "requests refused": (REQUEST, REFUSED),
    "answers": (RESPONSE, KEPT),
    "rules": (RULE, KEPT),
}
# Said of evidence wherever it is counted.
STANDINGS: Final = {
    "live": "seen at the server that was run against",
    "sandbox": "seen at a sandbox",
    "documented": "an example that Coinbase publishes",
}
UNOFFICIAL: Final = "Unofficial. What was seen at a sandbox says nothing about Coinbase's own service."


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    have: int
    of: int

    @property
    def percent(self) -> float:
        """One decimal, rounded down: what is not complete is never called 100."""
        return 100.0 if not self.of else self.have * 1000 // self.of / 10

    @property
    def is_whole(self) -> bool:
        return self.have == self.of

    def __str__(self) -> str:
        return f"{self.have} of {self.of}"


@dataclass(frozen=True)
class Run:
    """
    Everything the reports tell.

    Args:
        conversations: The evidence; the places in *coverage* are places in these.
        coverage: None when it was not counted.
        provenance: How the evidence came about, in words: `recorded from our own sandbox on 2026-11-20`.
    """

    target: str
    started_at: datetime
    duration_s: float
    outcomes: Outcomes
    conversations: Sequence[Conversation]
    coverage: Coverage | None
    provenance: str

    @property
    def claims(self) -> Share:
        """How many hold, of those that were tried."""
        return Share(len(self.outcomes.of(*HOLDING)), len(self.outcomes.of(*HOLDING, *BREAKING)))

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not self.outcomes.of(*BREAKING)

    def covered(self, *, operation: str | None = None) -> dict[str, Share]:
        """How much has evidence, by aspect, and `all` of it; empty when it was not counted."""
        if self.coverage is None:
            return {}
        shares = {
            name: Share(*self.coverage.share(direction, side, operation=operation))
            for name, (direction, side) in ASPECTS.items()
            if operation is None or direction != RULE
        }
        return shares | {"all": Share(sum(one.have for one in shares.values()), sum(one.of for one in shares.values()))}

    @cached_property
    def standings(self) -> dict[str, int]:
        """How many exchanges there are of each standing."""
        found = Counter(exchange.place.standing for one in self.conversations for exchange in one)
        return dict(sorted(found.items()))

    @cached_property
    def oldest(self) -> datetime | None:
        """When the oldest evidence was recorded; None when all of it is of this run."""
        times = [one.recorded_at for one in self.conversations if one.recorded_at is not None]
        return min(times, default=None)

    @property
    def by_name(self) -> dict[str, Conversation]:
        """The conversations, by the names that outcomes give to tests."""
        return {one.name: one for one in self.conversations}


def run_of(suite: Suite, *, target: str, started_at: datetime, duration_s: float, provenance: str) -> Run:
    """How *suite* went, with what it is evidence of; what Coinbase publishes is evidence of its own standing."""
    conversations = [*suite.conversations.values(), *from_documents()]
    coverage = covered(description(), conversations, proofs_of(suite.outcomes))
    return Run(target, started_at, duration_s, suite.outcomes, conversations, coverage, provenance)


def versions() -> dict[str, str]:
    """Of this package and of Python."""
    try:
        own = version("coinbase-checkouts")
    except PackageNotFoundError:
        own = "not installed"
    return {"coinbase-checkouts": own, "python": platform.python_version()}
