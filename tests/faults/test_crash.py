"""The client is killed in the middle of a payment, and started again."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from .conftest import Gate, Sandbox
from .proxy import Exchange, Proxy

PAYS = """
import sys
from coinbase_checkouts import ApiKey, Checkouts

key_file, base_url, order = sys.argv[1:]
with Checkouts(ApiKey.from_file(key_file), base_url=base_url) as checkouts:
    print(checkouts.create("10.00", description=order, order_id=order).id)
"""

PAYS_ASYNC = """
import asyncio, sys
from coinbase_checkouts import ApiKey, AsyncCheckouts

async def main():
    key_file, base_url, order = sys.argv[1:]
    async with AsyncCheckouts(ApiKey.from_file(key_file), base_url=base_url) as checkouts:
        print((await checkouts.create("10.00", description=order, order_id=order)).id)

asyncio.run(main())
"""


@pytest.mark.parametrize("program", [PAYS, PAYS_ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("acts", ["before", "after"])
def test_killed_client_pays_once(acts: str, program: str, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    A program killed with -9 between its request and the answer, whether the service acts before its death or after,
    makes one checkout with the run that follows, and that run gets it.
    """
    gate, order = Gate(), uuid.uuid4().hex
    command = [sys.executable, "-c", program, str(sandbox.key_file), proxy.url, order]

    def held(exchange: Exchange) -> bool:
        answer = exchange.forward() if acts == "before" else None
        gate.pass_through()
        exchange.send(answer or exchange.forward())
        return True

    proxy.plan(held)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        gate.wait_until_reached()
        killed.kill()
        said = killed.communicate()[0]
    assert ("", -9) == (said, killed.returncode)
    gate.open()
    second = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert [second.stdout.strip()] == [found["id"] for found in sandbox.described(order)]
