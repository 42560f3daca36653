"""
A local server that speaks the Coinbase Business Checkouts API, with state, for tests.

    with Sandbox() as sandbox, sandbox.http_client() as client:
        client.get("/api/v1/checkouts")

Unofficial. What it answers rests on published documents and, where they are silent or disagree, on the
choices in `coinbase_checkouts_sandbox.readings`; it is no evidence of how Coinbase's own service behaves.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinbase_checkouts_sandbox.inprocess import Sandbox, SandboxError
    from coinbase_checkouts_sandbox.readings import Readings

__all__ = ["Readings", "Sandbox", "SandboxError"]

# Loaded when first used: the command needs no httpx, and importing the package costs nothing.
_HOMES = {"Readings": "readings", "Sandbox": "inprocess", "SandboxError": "inprocess"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
