"""What Python's own watchfulness has to say about a user's program."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from .conftest import Sandbox
from .proxy import Answered, Proxy, cut_in_body, dropped_after, passed

BEGIN: Final = """
import asyncio, gc, logging, sys
from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts

# Slow steps, which -X dev tells at this level, are the machine's affair; what is left open is an error.
logging.getLogger("asyncio").setLevel(logging.ERROR)
key = ApiKey.from_file(sys.argv[1])

def use(client):
    made = client.create("1.00")
    assert client.get(made.id).id == client.deactivate(made.id).id

async def ause(client):
    made = await client.create("1.00")
    assert (await client.get(made.id)).id == (await client.deactivate(made.id)).id

async def closed_by_with(aiohttp):
    async with AsyncCheckouts(key, base_url=sys.argv[2], aiohttp=aiohttp) as client:
        await ause(client)

async def closed_by_hand(aiohttp):
    client = AsyncCheckouts(key, base_url=sys.argv[2], aiohttp=aiohttp)
    await ause(client)
    await client.close()

async def closed_with_its_loop(aiohttp):
    await ause(AsyncCheckouts(key, base_url=sys.argv[2], aiohttp=aiohttp))
"""

PROGRAMS: Final = {
    "sync, with": "with Checkouts(key, base_url=sys.argv[2]) as client: use(client)",
    "sync, close()": "client = Checkouts(key, base_url=sys.argv[2]); use(client); client.close()",
    "sync, never used": "Checkouts(key, base_url=sys.argv[2])",
    **{
        f"async, {name}, {library}": f"asyncio.run({function}({library == 'aiohttp'}))"
        for name, function in (
            ("with", "closed_by_with"),
            ("close()", "closed_by_hand"),
            ("left open", "closed_with_its_loop"),
        )
        for library in ("httpx", "aiohttp")
    },
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_runs_without_a_warning(program: str, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    Under `python -X dev -W error` a program that meets faults and retries has nothing to hear, at its exit neither.
    """
    proxy.plan(dropped_after, Answered(503), passed, dropped_after, cut_in_body)
    # Collected at once, so that what was left open is noticed while somebody can still be told.
    source = f"{BEGIN}\n{PROGRAMS[program]}\ngc.collect()\n"
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", source, str(sandbox.key_file), proxy.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
