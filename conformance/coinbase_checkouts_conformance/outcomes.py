"""What became of each claim: one of six outcomes, and the lines a terminal shows of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from .claims import Claim

PASS: Final = "pass"  # noqa: S105 -- no password
WARN: Final = "warn"  # holds, but an answer had something that no document names
FAIL: Final = "fail"
ERROR: Final = "error"  # the check itself went wrong: a damaged recording, an exception of the suite
SKIPPED: Final = "skipped"  # cannot be reached on this server, as payments without control endpoints
UNKNOWN: Final = "unknown"  # could have been tried and was not: nothing is known

OUTCOMES: Final = (PASS, WARN, FAIL, ERROR, SKIPPED, UNKNOWN)
HOLDING: Final = (PASS, WARN)
BREAKING: Final = (FAIL, ERROR)
_WORST_LAST: Final = (PASS, WARN, UNKNOWN, SKIPPED, ERROR, FAIL)


@dataclass(frozen=True)
class Outcome:
    """
    Of one claim.

    Args:
        detail: The failure's text, what was undocumented, or why the claim was not tried.
        tests: Those that tried it, `module/name`; their conversations are the evidence.
        rule: Of a failure, the pointer to what in the description was broken, and the *operation* that broke it.
    """

    claim: Claim
    verdict: str
    detail: str = ""
    tests: tuple[str, ...] = ()
    duration_s: float = 0.0
    rule: str = ""
    operation: str = ""


@dataclass
class Outcomes:
    """By claim, in the order they were tried; of several tests of one claim the worst outcome counts."""

    by_claim: dict[str, Outcome] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Keep *outcome* together with what other tests of its claim came to."""
        known = self.by_claim.get(outcome.claim.id)
        if known is not None:
            worst = max(known, outcome, key=lambda one: _WORST_LAST.index(one.verdict))
            tests = tuple(dict.fromkeys((*known.tests, *outcome.tests)))
            outcome = replace(worst, tests=tests, duration_s=known.duration_s + outcome.duration_s)
        self.by_claim[outcome.claim.id] = outcome

    def of(self, *verdicts: str) -> list[Outcome]:
        """Those with one of *verdicts*."""
        return [outcome for outcome in self.by_claim.values() if outcome.verdict in verdicts]

    @property
    def figures(self) -> dict[str, int]:
        """How many claims came to each outcome."""
        return {verdict: len(self.of(verdict)) for verdict in OUTCOMES}

    @property
    def summary(self) -> str:
        """`117 claims hold, 0 broken, 3 skipped (no control endpoints), 2 with a warning`; zeros only of the first three."""
        counts = [
            f"{len(self.of(*HOLDING))} claims hold",
            f"{len(self.of(FAIL))} broken",
            f"{len(self.of(SKIPPED))} skipped{self._reasons(SKIPPED)}",
        ]
        rest = {ERROR: "in error", UNKNOWN: f"unknown{self._reasons(UNKNOWN)}", WARN: "with a warning"}
        counts += [f"{len(self.of(verdict))} {words}" for verdict, words in rest.items() if self.of(verdict)]
        return ", ".join(counts)

    @property
    def text(self) -> str:
        """Broken claims first, then what is to be known of the others, the summary last."""
        broken = [f"{outcome.detail}\n" for outcome in self.of(*BREAKING)]
        others = [
            f"{outcome.verdict.upper()} {outcome.claim.id}: {outcome.detail}"
            for verdict in (WARN, SKIPPED, UNKNOWN)
            for outcome in self.of(verdict)
        ]
        return "\n".join([*broken, *others, self.summary])

    def _reasons(self, verdict: str) -> str:
        reasons = ", ".join(dict.fromkeys(outcome.detail for outcome in self.of(verdict)))
        return f" ({reasons})" if reasons else ""
