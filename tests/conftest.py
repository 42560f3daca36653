"""Keys and answers that many tests need. The keys are made anew for each run and worth nothing."""

from __future__ import annotations

import base64
import faulthandler
import json
import os
import sys
import threading
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import settings

from coinbase_checkouts import ApiKey

from .leftout import missing, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown
from .postgres import PROGRAMS, SEARCHED, Postgres, running

# Hooks of this run.
__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

if os.environ.get("HYPOTHESIS_PROFILE") == "thorough":
    # Minutes instead of moments: name the files.
    settings.register_profile("thorough", max_examples=10_000, deadline=None)
    settings.load_profile("thorough")

    def pytest_runtest_setup() -> None:
        """Nor is a test that takes that long one that hangs."""
        faulthandler.cancel_dump_traceback_later()


ROOT = Path(__file__).parent.parent
OVERLAYS = ROOT / "tests" / "overlays"
# The file of the test that was measured last.
MEASURED = pytest.StashKey[Path]()
KEY_ID = "organizations/7d0a1f2e-5b7c-4c39-9a52-0f7d1c1a2b3c/apiKeys/1f0b6c44-9c7e-4a7e-8d55-2b9e8f3f9f10"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """
    Measure the coverage of the overlays by their own tests alone: the others would take twice the time.

    A line that only a test of something else happens to reach is not tested. pytest-cov has a mark for it, which in a
    worker of xdist measures all the same.
    """
    if OVERLAYS in item.path.parents:
        if item.path != item.config.stash.get(MEASURED, None):
            item.config.stash[MEASURED] = item.path
            forget()
        return (yield)
    here, in_threads = sys.gettrace(), threading.gettrace()
    try:
        sys.settrace(None)
        threading.settrace(cast("Any", None))
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(cast("Any", in_threads))


def forget() -> None:
    """What a test of something else made the overlays keep, they have to make again to be seen making it."""
    for module in [one for name, one in sys.modules.items() if name.partition(".")[0] == "coinbase_checkouts"]:
        for value in vars(module).values():
            if isinstance(value, _lru_cache_wrapper):
                value.cache_clear()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The async client is for asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def ec_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@pytest.fixture(scope="session")
def ec_pem(ec_key: EllipticCurvePrivateKey) -> str:
    """SEC1, as the portal writes it."""
    return ec_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.fixture(scope="session")
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def ed25519_base64(ed25519_key: Ed25519PrivateKey) -> str:
    """Seed and public key, as the portal writes it."""
    return base64.b64encode(ed25519_key.private_bytes_raw() + ed25519_key.public_key().public_bytes_raw()).decode()


@pytest.fixture(scope="session")
def api_key(ed25519_base64: str) -> ApiKey:
    return ApiKey(KEY_ID, ed25519_base64)


@pytest.fixture
def checkout_json() -> dict[str, Any]:
    """A paid checkout as the service may send it; each test its own copy."""
    text = """{
      "id": "68f7a946db0529ea9b6d3a12",
      "url": "https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef",
      "amount": "100.50", "currency": "USDC", "network": "base",
      "address": "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
      "createdAt": "2026-11-20T10:30:00Z", "updatedAt": "2026-11-20T10:31:00.25Z", "status": "COMPLETED",
      "settlement": {"totalAmount": "100.50", "feeAmount": "1.26", "netAmount": "99.24", "currency": "USDC"},
      "transactionHash": "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"
    }"""
    answer: dict[str, Any] = json.loads(text)
    return answer


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this run's own."""
    if missing("tests on PostgreSQL", *PROGRAMS, path=SEARCHED):
        pytest.skip("PostgreSQL is not installed")
    with running() as server:
        yield server
