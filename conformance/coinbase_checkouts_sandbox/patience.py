"""
Waiting for a database that somebody else has locked, while everybody else is answered.

A server that waited inside the database would answer nothing meanwhile, reads included. So it gives up at once, having
done nothing, does what else there is, and tries again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy.exc import OperationalError

# How long a writer waits for another process before it gives up with 503.
LOCK_TIMEOUT_S: Final = 10

# In one go, in which nothing else is answered: longer than another server's transaction takes.
LOCK_GLANCE_S: Final = 0.05

PAUSE_S: Final = 0.02

_Result = TypeVar("_Result")


class LockedError(OperationalError):
    """Somebody else is writing. Nothing was done."""


async def patiently(act: Callable[[], Awaitable[_Result]]) -> _Result:
    """
    Await *act*, again and again while the database is locked.

    Raises:
        LockedError: It was for too long.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            return await act()
        except LockedError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(PAUSE_S)
