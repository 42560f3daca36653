"""A listing that is read while checkouts are made."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinbase_checkouts import AsyncCheckouts, Checkouts

from .clients import KINDS
from .conftest import THOROUGH, Sandbox

MOST_INSERTED: Final = 300


def listed(kind: str, sandbox: Sandbox, **filters: Any) -> list[str]:
    """The ids of a listing to its end."""
    if kind == "sync":
        with Checkouts(sandbox.api_key, base_url=sandbox.url) as client:
            return [checkout.id for checkout in client.list(**filters)]

    async def alisted() -> list[str]:
        async with AsyncCheckouts(sandbox.api_key, base_url=sandbox.url, aiohttp=kind == "aiohttp") as client:
            return [checkout.id async for checkout in client.list(**filters)]

    return asyncio.run(alisted())


@contextmanager
def others_create(sandbox: Sandbox, description: str) -> Generator[None]:
    """A thread that makes checkouts as fast as it can, for as long as this lasts."""
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        for _ in range(MOST_INSERTED):
            sandbox.create(description)
            begun.set()
            if done.is_set():
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert begun.wait(20)
        yield
    finally:
        done.set()
        thread.join()


@settings(
    max_examples=60 if THOROUGH else 12,
    deadline=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(kind=st.sampled_from(KINDS), existing=st.integers(0, 12), page_size=st.integers(1, 5))
def test_listing_under_inserts_gives_each_checkout_once(
    sandbox: Sandbox, kind: str, existing: int, page_size: int
) -> None:
    """
    While others create checkouts, a listing gives none twice and leaves none out that was there before it began.
    """
    mark = uuid.uuid4().hex
    before = {sandbox.create(mark) for _ in range(existing)}
    with others_create(sandbox, mark):
        found = listed(kind, sandbox, description_query=mark, page_size=page_size)
    assert (len(set(found)), set()) == (len(found), before - set(found))
