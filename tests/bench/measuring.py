"""
Candidates measured side by side.

In rounds, each round one batch of every candidate in turn, so that what else the machine does falls on all of them; the
smallest time of a candidate counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable

ROUNDS = 15
Work = Callable[[], object]


def report(title: str, seconds: dict[str, float], targets: dict[str, str]) -> None:
    """One table: each candidate's time, its ratio to the first, and the target if it has one."""
    base = next(iter(seconds.values()))
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:<46}{value * 1e6:>10.1f} µs{value / base:>8.2f} ×  {targets.get(name, '')}")


def measured(candidates: dict[str, Work], *, batch: int) -> dict[str, float]:
    """Seconds for one call of each candidate: the smallest mean of a batch over all rounds."""
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(ROUNDS):
        for name, work in candidates.items():
            began = time.perf_counter()
            for _ in range(batch):
                work()
            best[name] = min(best[name], (time.perf_counter() - began) / batch)
    return best
