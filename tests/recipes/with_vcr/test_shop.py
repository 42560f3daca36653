"""
vcrpy: the first run records against the sandbox, all others replay the recording and need no server.

A request is the same one when method, path, query and body are. Host and port are not looked at, because the sandbox's
port is another one each time; nor is the token, which is made anew for each request and never recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import vcr

from coinbase_checkouts import ApiKey, Checkouts
from coinbase_checkouts_sandbox import Sandbox

CASSETTES = Path(__file__).with_name("cassettes")

RECORDER = vcr.VCR(
    cassette_library_dir=str(CASSETTES),
    match_on=["method", "path", "query", "body"],
    filter_headers=["authorization"],
    record_mode=vcr.mode.ONCE,
    decode_compressed_response=True,
)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[tuple[str, Checkouts]]:
    """The API's address, which is a sandbox's while there is no recording, and a client of it."""
    cassette = f"{request.node.name}.yaml"
    if (CASSETTES / cassette).exists():
        # Nobody verifies the tokens of a replay, so any key will do.
        url, key = "http://127.0.0.1:1", Sandbox().key
    else:
        sandbox: Sandbox = request.getfixturevalue("checkouts_sandbox")
        url, key = sandbox.base_url, sandbox.key
    with RECORDER.use_cassette(cassette), Checkouts(ApiKey(key["id"], key["privateKey"]), base_url=url) as checkouts:
        yield url, checkouts


@pytest.mark.checkouts_sandbox(port=True)
def test_paid(api: tuple[str, Checkouts]) -> None:
    url, checkouts = api
    # An order id, and not a fresh idempotency key or a time, so that the request is the same in each run.
    checkout = checkouts.create("100.50", order_id="order-1")
    # As a request of its own, and not by the fixture, so that the recording has the payer, too.
    httpx.post(f"{url}/__sandbox__/checkouts/{checkout.id}/pay", json={"outcome": "COMPLETED"}).raise_for_status()
    paid = checkouts.wait(checkout.id, until="COMPLETED")
    assert paid.amount == "100.50"
