"""FastAPI: hand in the client of the sandbox by `dependency_overrides`, and the webhooks through an ASGI client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import shop

from coinbase_checkouts import AsyncCheckouts
from coinbase_checkouts_conformance.receiver import Webhooks
from coinbase_checkouts_sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client(async_checkouts: AsyncCheckouts, checkouts_webhooks: Webhooks) -> AsyncIterator[httpx.AsyncClient]:
    shop.app.dependency_overrides = {
        shop.the_checkouts: lambda: async_checkouts,
        shop.the_secret: lambda: checkouts_webhooks.secret,
    }
    shop.sent.clear()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shop.app), base_url="http://shop") as client:
        yield client


async def test_goods_are_sent_when_they_are_paid_for(
    client: httpx.AsyncClient, checkouts_sandbox: Sandbox, checkouts_webhooks: Webhooks
) -> None:
    ordered = (await client.post("/orders/1")).json()
    assert shop.sent == set()
    checkouts_sandbox.pay(ordered["checkout"])
    posts = checkouts_webhooks.hand_to(lambda body, headers: client.post("/webhooks", content=body, headers=headers))
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {204}
    assert shop.sent == {"1"}


async def test_nobody_else_can_say_so(client: httpx.AsyncClient) -> None:
    forged = b'{"eventType": "checkout.payment.success", "status": "COMPLETED", "id": "000000000000000000000000"}'
    assert (await client.post("/webhooks", content=forged)).status_code == 400
    assert shop.sent == set()
