"""What a run made is put in order as long as there is time, however little the server lets it do at once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from coinbase_checkouts_conformance import wire as wire_module
from coinbase_checkouts_conformance.cli import limits_for, tried
from coinbase_checkouts_conformance.plugin import Live, Suite
from coinbase_checkouts_conformance.target import NOBODYS_ID, Target
from coinbase_checkouts_conformance.tidying import Made
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_conformance.wire import Wire

TARGET: Final = Target.parse("http://127.0.0.1:1")
LIMIT_S: Final = 240.0
IDS: Final = [f"{number:024x}" for number in range(1, 61)]


class Clock:
    """In place of `time`: nobody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(wire_module, "time", made)
    return made


Answer = Callable[[httpx.Request], httpx.Response]


@contextmanager
def tidied(answer: Answer, clock: Clock, key_file: Path) -> Generator[Made]:
    """What is left of IDS when a run that tried nothing is over."""
    limits, tidy_s = limits_for(TARGET, run_s=LIMIT_S)
    with Wire(TARGET, limits, httpx.MockTransport(answer), sleep=clock.sleep) as wire:
        suite = Suite(wire, Tokens(key_file), Live(has_control=False), made=Made([*IDS]))
        tried(suite, ["-k", "no_such_claim"], tidy_s)
        yield suite.made


def test_a_server_that_lets_little_through_is_waited_for(clock: Clock, key_file: Path) -> None:
    """
    Ten writes in twenty seconds, and no word on when to come again: all is deactivated, within the limit of the run.
    """
    allowed: dict[int, int] = {}

    def answer(_: httpx.Request) -> httpx.Response:
        window = int(clock.now_s / 20)
        allowed[window] = allowed.get(window, 0) + 1
        return httpx.Response(200 if allowed[window] <= 10 else 429)

    with tidied(answer, clock, key_file) as made:
        assert [] == made.ids
    assert 60 < clock.now_s < LIMIT_S


def test_a_wait_that_is_too_long_is_none(clock: Clock, key_file: Path) -> None:
    """
    A server that wants to be left alone until long after the run is: what may still be ACTIVE is told.
    """
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(429, headers={"Retry-After": "3600"})

    with tidied(answer, clock, key_file) as made:
        assert made.ids == IDS
    assert (0, 2 * len(IDS)) == (clock.now_s, len(asked))


def test_the_limit_of_the_run_ends_the_wait(clock: Clock, key_file: Path) -> None:
    """
    A server that answers 429 without end is asked until the run's time is over.
    """
    with tidied(lambda _: httpx.Response(429), clock, key_file) as made:
        assert made.ids == IDS
    assert LIMIT_S - 10 < clock.now_s <= LIMIT_S


def test_what_will_not_do_is_not_tried_for_ever(clock: Clock, key_file: Path) -> None:
    """
    A server that refuses each of them with 429, though it has time for others, is not asked for minutes.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404 if NOBODYS_ID in request.url.path else 429)

    with tidied(answer, clock, key_file) as made:
        assert made.ids == IDS
    assert clock.now_s < 60
