"""One call of a new client, of any of the three kinds: sync, and async over either library's connections."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts

KINDS: Final = ("sync", "httpx", "aiohttp")


def call(
    kind: str, api_key: ApiKey, settings: dict[str, Any], operation: str, /, *arguments: Any, **options: Any
) -> Any:
    """
    What one call gives or raises.

    Args:
        kind: One of KINDS.
        settings: Of the client.
    """
    if kind == "sync":
        with Checkouts(api_key, **settings) as client:
            return getattr(client, operation)(*arguments, **options)
    return asyncio.run(_acall(kind, api_key, settings, operation, *arguments, **options))


async def _acall(
    kind: str, api_key: ApiKey, settings: dict[str, Any], operation: str, /, *arguments: Any, **options: Any
) -> Any:
    async with AsyncCheckouts(api_key, aiohttp=kind == "aiohttp", **settings) as client:
        return await getattr(client, operation)(*arguments, **options)
