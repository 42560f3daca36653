"""
SIGTERM taken as Ctrl-C, so that a command that a supervisor ends leaves nothing behind.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ["sigterm_as_interrupt"]


@contextmanager
def sigterm_as_interrupt() -> Generator[None]:
    """While this lasts SIGTERM raises KeyboardInterrupt, where signals reach: not outside of the main thread."""

    def interrupt(_: int, __: object) -> None:
        # Not by way of SIGINT, which shells have what they start in the background ignore.
        raise KeyboardInterrupt

    before = None
    with suppress(ValueError):
        before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
