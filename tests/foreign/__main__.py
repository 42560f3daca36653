"""Every reading and every fault through the command; exit 0 when each got the verdict it should."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .faults import FAULTS, Fault
from .server import RIGHT
from .trial import tried

MIXES = 10


def rows(words: list[str], mixes: int) -> Iterator[tuple[str, Fault, int]]:
    """Each server to try: its reading, its fault, the exit code it deserves."""
    if not words:
        yield from ((name, RIGHT, 0) for name in ("a", "b", *map(str, range(mixes))))
    for number, (name, fault) in enumerate(FAULTS.items()):
        if not words or any(word in name for word in words):
            yield fault.reading or "ab"[number % 2], fault, 0 if fault.harmless else 1


def main() -> int:
    """Print the table, and what was not as it should be in full where asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.foreign", description=__doc__)
    parser.add_argument("words", nargs="*", help="only the faults whose names have one of these words")
    parser.add_argument("--mixes", type=int, default=MIXES)
    parser.add_argument("--outputs", type=Path, help="a folder for what the command said where it was wrong")
    options = parser.parse_args()
    todo = list(rows(options.words, options.mixes))
    wrong = 0
    with ThreadPoolExecutor(2) as pool:
        verdicts = [pool.submit(tried, name, fault) for name, fault, _ in todo]
        for (name, fault, code), awaited in zip(todo, verdicts, strict=True):
            verdict = awaited.result()
            good = verdict.code == code
            wrong += not good
            claims = " ".join(verdict.broken[:4]) + (f" +{len(verdict.broken) - 4}" if len(verdict.broken) > 4 else "")
            print(f"{'ok ' if good else 'BAD'} {name:3} {fault.name:42} {verdict.code} {claims}", flush=True)
            if not good and options.outputs:
                Path(options.outputs, f"{name}-{fault.name}.txt").write_text(verdict.output, encoding="utf-8")
    print(f"{len(todo) - wrong} of {len(todo)} as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
