"""How far a run has come: a bar on a terminal; elsewhere a line per module, a sign per claim."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final, Protocol, TextIO

from .outcomes import BREAKING, ERROR, FAIL, PASS, SKIPPED, UNKNOWN, WARN, Outcome

_SIGNS: Final = {PASS: ".", WARN: "w", FAIL: "F", ERROR: "E", SKIPPED: "s", UNKNOWN: "?"}


class Shown(Protocol):
    """Is told of each outcome, and shows it."""

    def expect(self, count: int) -> None:
        """So many tests are to be run."""

    def __call__(self, outcome: Outcome) -> None: ...

    def done(self) -> None:
        """Nothing more comes."""


@dataclass
class Progress:
    """Writes to *out* as outcomes come in."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    _module: str = ""

    def expect(self, count: int) -> None:
        """Signs do not say how many are to come."""

    def __call__(self, outcome: Outcome) -> None:
        module = module_of(outcome)
        if module != self._module:
            self.out.write(f"{'' if not self._module else chr(10)}{module:15} ")
            self._module = module
        self.out.write(_SIGNS[outcome.verdict])
        self.out.flush()

    def done(self) -> None:
        """End the last line."""
        if self._module:
            self.out.write("\n\n")


@dataclass
class Bar:
    """A bar of `rich`, gone when the run has ended."""

    _bar: Any = None
    _task: Any = None
    _broken: int = 0

    def expect(self, count: int) -> None:
        """Show the empty bar."""
        from rich.console import Console  # noqa: PLC0415 -- of the extra [cli]
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415

        columns = (TextColumn("{task.description:15}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # Without a thread of its own, which a signal in the middle of a run would leave behind.
        self._bar = RichProgress(*columns, TextColumn("{task.fields[broken]}"), transient=True, auto_refresh=False)
        self._bar.live.console = Console()
        self._task = self._bar.add_task("", total=count, broken="")
        self._bar.start()

    def __call__(self, outcome: Outcome) -> None:
        self._broken += outcome.verdict in BREAKING
        broken = f"[red]{self._broken} broken[/]" if self._broken else ""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=module_of(outcome), broken=broken, refresh=True)

    def done(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def progress() -> Shown:
    """What fits this standard output."""
    return Bar() if sys.stdout.isatty() and find_spec("rich") else Progress()


def module_of(outcome: Outcome) -> str:
    """Which part of the suite it belongs to."""
    return outcome.claim.test.partition("::")[0].removeprefix("test_")
