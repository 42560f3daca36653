"""
What came beside a model: status, headers, time and attempts of the call that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .calls import LAST

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RawResponse(Generic[T]):
    """
    A successful call.

    Attributes:
        parsed: What the call returns otherwise.
        status: HTTP status of the last answer.
        headers: Its headers; names in any case.
        elapsed_s: Seconds from the first attempt to the last answer, pauses included.
        attempts: How many attempts it took.
    """

    parsed: T
    status: int
    headers: Mapping[str, str]
    elapsed_s: float
    attempts: int


def raw(parsed: T) -> RawResponse[T]:
    """*parsed* with the newest exchange of this thread or task, which made it."""
    last = LAST.get()
    return RawResponse(parsed, last.status, last.headers, last.elapsed_s, last.attempts)
