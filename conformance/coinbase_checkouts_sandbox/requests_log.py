"""The last requests of this process, for a person to look at. Never a query, a header or a body."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Answered:
    """One request and how it ended."""

    moment_ms: int
    """When it was answered, in real time."""
    method: str
    path: str
    status: int
    elapsed_ms: float
    correlation_id: str


class RequestsLog:
    """The newest 200; older ones are forgotten."""

    def __init__(self) -> None:
        self._kept: deque[Answered] = deque(maxlen=_MOST)

    def add(self, answered: Answered) -> None:
        """Remember one more."""
        self._kept.append(answered)

    def newest_first(self) -> Iterator[Answered]:
        """All that are remembered."""
        return reversed(self._kept)
