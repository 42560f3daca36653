"""A machine whose clock is off, and the real sandbox, which allows for 30 seconds."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from coinbase_checkouts import AsyncCheckouts, Checkouts, JwtAuth

from .conftest import Sandbox
from .proxy import Proxy


@pytest.fixture(params=[90, 3500, -200])
def ahead_s(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """How many seconds the client's clock is ahead; so far off that its first token is refused."""
    ahead: float = request.param

    def now_s() -> float:
        return time.time() + ahead

    world = SimpleNamespace(time=now_s, monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr("coinbase_checkouts.shells.time", world)
    defaults = {**(JwtAuth.__init__.__kwdefaults__ or {}), "now_s": now_s}
    monkeypatch.setattr(JwtAuth.__init__, "__kwdefaults__", defaults)
    return ahead


def test_clock_is_learnt_from_the_refusal(ahead_s: float, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    The first call works at its second attempt, with a token of the service's time; later calls need one attempt.
    """
    checkout_id = sandbox.create("clock")
    with Checkouts(sandbox.api_key, base_url=proxy.url) as client:
        attempts = [client.with_raw_response(client.get, checkout_id).attempts for _ in range(3)]
    assert ([2, 1, 1], 4) == (attempts, len(proxy.requests))


@pytest.mark.anyio
@pytest.mark.parametrize("aiohttp", [False, True])
async def test_clock_is_learnt_async(aiohttp: bool, ahead_s: float, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    The same of the async client, over either library's connections.
    """
    checkout_id = sandbox.create("clock")
    async with AsyncCheckouts(sandbox.api_key, base_url=proxy.url, aiohttp=aiohttp) as client:
        attempts = [(await client.with_raw_response(client.get, checkout_id)).attempts for _ in range(3)]
    assert ([2, 1, 1], 4) == (attempts, len(proxy.requests))


@pytest.mark.parametrize("operation", ["create", "refund", "deactivate"])
def test_write_with_a_wrong_clock_is_done_once(operation: str, ahead_s: float, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    A write refused for its clock has done nothing: the second attempt does it.
    """
    checkout_id = sandbox.create(f"clock for {operation}", paid=operation == "refund")
    with Checkouts(sandbox.api_key, base_url=proxy.url) as client:
        if operation == "create":
            made = client.create("1.00").status
        elif operation == "refund":
            made = client.refund(checkout_id, "2.50").checkout.status
        else:
            made = client.deactivate(checkout_id).status
    assert {"create": "ACTIVE", "refund": "PARTIALLY_REFUNDED", "deactivate": "DEACTIVATED"}[operation] == made
    assert len(proxy.requests) == 2
