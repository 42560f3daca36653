"""No network: a replay must not ask anybody."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import NoReturn
from unittest.mock import patch


class OfflineError(OSError):
    """Something tried to reach the network during a replay."""


def _refuse(*_: object, **__: object) -> NoReturn:
    raise OfflineError("the network is blocked during a replay")


@contextmanager
def offline() -> Generator[None]:
    """While this lasts, no socket of this process connects and no name is looked up."""
    with ExitStack() as blocks:
        for owner, name in ((socket.socket, "connect"), (socket.socket, "connect_ex"), (socket, "getaddrinfo")):
            blocks.enter_context(patch.object(owner, name, _refuse))
        yield
