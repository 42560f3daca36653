"""Everything that somebody may come to read after a failure, and what must not be in it."""

from __future__ import annotations

import logging
import pickle
import traceback
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import coinbase_checkouts
from coinbase_checkouts.errors import CheckoutsError

PACKAGE: Final = str(Path(coinbase_checkouts.__file__).parent)
LOGGER: Final = "coinbase_checkouts"

# Texts that stand for what others wrote: in the body of a request, and in that of an answer.
ASKED: Final = "Qmarked0text"
ANSWERED: Final = "Rmarked0text"
IDEMPOTENCY_KEY: Final = "8e03978e-40d5-43e8-bc93-6894a57f9324"


@dataclass
class Haul:
    """What was said, by the place where it was said."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, text: str) -> None:
        self.texts.append((place, text))

    def forget_locals(self) -> None:
        """Keep what grows slowly only."""
        self.texts = [(place, text) for place, text in self.texts if not place.startswith("local")]

    def add_error(self, error: BaseException) -> None:
        """All that an error and those behind it tell."""
        for one in _chain(error):
            self.add("str", str(one))
            self.add("repr", repr(one))
            if isinstance(one, CheckoutsError):
                self.add("advice", one.advice)
                # Reads back to the same error, or it would prove nothing.
                pickled = pickle.dumps(one)
                assert str(one) == str(pickle.loads(pickled))
                self.add("pickle", pickled.decode("latin-1"))
            for frame in traceback.TracebackException.from_exception(one, capture_locals=True).stack:
                if frame.filename.startswith(PACKAGE):
                    for name, value in (frame.locals or {}).items():
                        self.add(f"local {name} of {Path(frame.filename).stem}.{frame.name}", value)

    def places_with(self, *marks: str, but: tuple[str, ...] = ()) -> list[str]:
        """Where one of *marks* is said, in any place that does not begin with one of *but*."""
        return sorted(
            {place for place, text in self.texts if any(m in text for m in marks) and not place.startswith(but)}
        )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those it was raised from or in the handling of, hidden ones included."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [behind for behind in (one.__cause__, one.__context__) if behind is not None]


class _Listener(logging.Handler):
    def __init__(self, haul: Haul) -> None:
        super().__init__(logging.DEBUG)
        self._haul = haul

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.split(".")[0] == LOGGER
        self._haul.add("log" if ours else f"log of {record.name}", self.format(record))


@contextmanager
def listening() -> Generator[Haul]:
    """Gathers what is logged, by our logger from DEBUG on and by all others from INFO on, and every warning."""
    haul = Haul()
    handler, root, ours = _Listener(haul), logging.getLogger(), logging.getLogger(LOGGER)
    levels = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    ours.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield haul
    finally:
        root.removeHandler(handler)
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
    for warning in warned:
        haul.add("warning", str(warning.message))
