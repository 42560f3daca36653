"""A line per module, a sign per claim: how far a run has come."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final, TextIO

from .outcomes import ERROR, FAIL, PASS, SKIPPED, UNKNOWN, WARN, Outcome

_SIGNS: Final = {PASS: ".", WARN: "w", FAIL: "F", ERROR: "E", SKIPPED: "s", UNKNOWN: "?"}


@dataclass
class Progress:
    """Writes to *out* as outcomes come in."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    _module: str = ""

    def __call__(self, outcome: Outcome) -> None:
        module = outcome.claim.test.partition("::")[0].removeprefix("test_")
        if module != self._module:
            self.out.write(f"{'' if not self._module else chr(10)}{module:15} ")
            self._module = module
        self.out.write(_SIGNS[outcome.verdict])
        self.out.flush()

    def done(self) -> None:
        """End the last line."""
        if self._module:
            self.out.write("\n\n")
