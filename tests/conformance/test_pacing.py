"""A server that has had enough is given time, within the run's; no claim is blamed on it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from coinbase_checkouts_conformance.judge import BrokenError
from coinbase_checkouts_conformance.pacing import Pace, retry_after_s
from coinbase_checkouts_conformance.target import Target
from coinbase_checkouts_conformance.wire import Limits, NotSafeError, RateLimitedError, Wire

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIST = httpx.Request("GET", "http://server.invalid/api/v1/checkouts")
CREATE = httpx.Request("POST", "http://server.invalid/api/v1/checkouts", content=b"{}")


@contextmanager
def wired(
    answer: Callable[[httpx.Request], httpx.Response], *, is_safe: bool = False
) -> Generator[tuple[Wire, list[float]]]:
    """A wire to *answer*, and the waits that were made on it."""
    waits: list[float] = []
    transport = httpx.MockTransport(answer)
    with Wire(Target.parse("http://server.invalid"), Limits(), transport, is_safe, waits.append) as wire:
        yield wire, waits


def answering(*statuses: int, retry_after: str | None = None) -> Callable[[httpx.Request], httpx.Response]:
    left = iter(statuses)
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda _: httpx.Response(next(left), headers=headers)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Fri, 20 Nov 2026 12:01:30 GMT", 90),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("١", None),
        ("9" * 400, 999999999),
        ("Fri, 99 Nov 2026 12:01:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, expected: float | None) -> None:
    """
    Retry-After is read in both of its forms; anything else is as if it were not there.
    """
    assert expected == retry_after_s(value, NOW)


def test_a_pace_is_kept() -> None:
    """
    Of four requests that could be sent at once, at two a second, the last waits for a second and a half.
    """
    pace = Pace(2)
    assert [pace.wait_s(10.0) for _ in range(4)] == [0, 0.5, 1.0, 1.5]
    assert pace.wait_s(20.0) == 0
    assert Pace(None).wait_s(0) == 0


@pytest.mark.parametrize(
    ("statuses", "retry_after", "waits"),
    [((429, 429, 200), None, [0.5, 1.0]), ((429, 200), "7", [7.0]), ((429, 429, 200), "0", [0.5, 1.0])],
)
def test_429_is_waited_for(statuses: Iterable[int], retry_after: str | None, waits: list[float]) -> None:
    """
    The same request is sent again after the time the server asks for, or a little and then more.
    """
    with wired(answering(*statuses, retry_after=retry_after)) as (wire, waited):
        assert wire.send(CREATE).status == 200
    assert waits == waited


def test_a_wait_beyond_the_limit_is_none() -> None:
    """
    A server that asks for more time than is left is not waited for, and the next request does not wait either.
    """
    with wired(answering(*[429] * 2, retry_after="3600")) as (wire, waited):
        for _ in range(2):
            with pytest.raises(RateLimitedError, match="answers 429 and asks to wait 3600 s"):
                wire.send(LIST)
    assert waited == []


def test_429_without_end_is_given_up() -> None:
    """
    A server that answers 429 to everything is given half a minute once, not once for each claim.
    """
    with wired(lambda _: httpx.Response(429)) as (wire, waited):
        for _ in range(3):
            with pytest.raises(RateLimitedError, match="rate limited: the server "):
                wire.send(LIST)
    assert waited == [0.5, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("request_", [LIST, CREATE], ids=["list", "create"])
def test_429_for_one_request_alone_is_wrong(request_: httpx.Request) -> None:
    """
    One request that gets 429 again and again, while others like it are answered, has nothing to do with limits.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429 if request.url == request_.url else 404)

    with wired(answer) as (wire, _), pytest.raises(BrokenError, match="429 every time, although others are answered"):
        wire.send(request_)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
def test_nothing_but_reading_is_safe(method: str) -> None:
    """
    Under --safe the wire sends GET alone, whoever asks and whatever for.
    """
    with wired(lambda _: httpx.Response(200), is_safe=True) as (wire, _):
        assert wire.send(LIST).status == 200
        with pytest.raises(NotSafeError, match="--safe"):
            wire.send(httpx.Request(method, "http://server.invalid/api/v1/checkouts"))
        assert wire.heard == 1
