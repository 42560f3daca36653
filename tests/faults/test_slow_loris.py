"""A server that answers byte by byte for longer than anybody should wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from coinbase_checkouts import ApiKey
from coinbase_checkouts.errors import CheckoutsError, NoResponseError

from .clients import KINDS, call
from .proxy import Exchange, Proxy

ID: Final = "68f7a946db0529ea9b6d3a12"
TIMEOUT_S: Final = 0.1
# What drips in takes ten timeouts and then ends well: whoever is there at the end has waited too long.
PIECES: Final = 100
PAUSE_S: Final = 0.01


@dataclass
class Dripping:
    """Answers *begin* at once, then a byte at a time for ten timeouts, then *end*."""

    begin: bytes
    end: bytes
    heard_out: bool = False
    """Whether the client was still there at the end."""

    def __call__(self, exchange: Exchange) -> bool:
        exchange.send(self.begin)
        for _ in range(PIECES):
            exchange.send(b" ")
            if not exchange.pause(PAUSE_S):
                return False
        self.heard_out = True
        exchange.send(self.end)
        return False


DRIPS: Final = {
    "status line": (b"HTTP/1.1 404 Not", b"Found\r\nContent-Length: 2\r\n\r\n{}"),
    "headers": (b"HTTP/1.1 404 Not Found\r\nX-Drip: a", b"b\r\nContent-Length: 2\r\n\r\n{}"),
    "body": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 102\r\n\r\n", b"{}"),
}


@pytest.fixture
def loris() -> Iterator[Proxy]:
    running = Proxy()
    yield running
    running.stop()


def error_of(kind: str, api_key: ApiKey, **settings: Any) -> CheckoutsError:
    """How reading a checkout ends."""
    with pytest.raises(CheckoutsError) as caught:
        call(kind, api_key, settings, "get", ID)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", DRIPS)
def test_dripping_answer_is_given_up_in_time(kind: str, place: str, loris: Proxy, api_key: ApiKey) -> None:
    """
    An answer that takes ten timeouts to come is not waited for, although a piece of it comes all the time.
    """
    drip = Dripping(*DRIPS[place])
    loris.plan(drip)
    error = error_of(kind, api_key, base_url=loris.url, timeout=TIMEOUT_S, max_retries=0)
    assert (NoResponseError, False) == (type(error), drip.heard_out)


@pytest.mark.parametrize("kind", KINDS)
def test_dripping_answers_do_not_outlast_the_deadline(kind: str, loris: Proxy, api_key: ApiKey) -> None:
    """
    However many retries are allowed, there are no more attempts than the deadline has timeouts.
    """
    loris.plan(otherwise=Dripping(*DRIPS["body"]))
    error = error_of(kind, api_key, base_url=loris.url, timeout=TIMEOUT_S, deadline=4 * TIMEOUT_S, max_retries=1000)
    assert NoResponseError is type(error)
    # The first attempt may begin late, and the last may be cut short: one more than fit.
    assert len(loris.requests) in range(1, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_deadline_shorter_than_the_timeout_wins(kind: str, loris: Proxy, api_key: ApiKey) -> None:
    """
    An attempt is not given more time than the call has left.
    """
    loris.plan(otherwise=Dripping(*DRIPS["body"]))
    error = error_of(kind, api_key, base_url=loris.url, timeout=30, deadline=TIMEOUT_S, max_retries=1000)
    assert NoResponseError is type(error)
    # The rest of a deadline may be a millisecond, so there may be two attempts; but no heap of tiny ones.
    assert len(loris.requests) in range(1, 4)
