"""
The public API as a user's checker sees it. Checked by the session `types`, never run.

Right uses say which type they give. Wrong uses are marked with the error that mypy must find there; one that it no
longer finds is an error itself, in both checkers.
"""
# ruff: noqa: T201 -- never run
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type

import httpx
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from coinbase_checkouts import (
    ApiError,
    ApiKey,
    AsyncCheckouts,
    AsyncSubscriptions,
    Checkout,
    Checkouts,
    CheckoutsError,
    CheckoutStatus,
    Event,
    EventType,
    JwtAuth,
    Network,
    Outcome,
    Refund,
    RefundResult,
    RefundStatus,
    Settlement,
    SignatureError,
    Subscription,
    Subscriptions,
    Unset,
    inbox,
    webhooks,
)
from coinbase_checkouts.auth import Secret
from coinbase_checkouts.errors import (
    InvalidRequestError,
    InvalidResponseError,
    NeverReachedError,
    Refusal,
    Violation,
    WaitTimeoutError,
)
from coinbase_checkouts.idempotency import key_for, new_key
from coinbase_checkouts.inbox import Reconciled
from coinbase_checkouts.pagination import AsyncListing, SyncListing, SyncPages
from coinbase_checkouts.raw import RawResponse
from coinbase_checkouts.reading import amount, is_final, is_paid, refunded_amount, remaining_refundable
from coinbase_checkouts.sensor import Drift


def keys(environment: Mapping[str, str]) -> None:
    """Keys come from a text, a file or the environment."""
    assert_type(ApiKey("id", "text"), ApiKey)
    assert_type(ApiKey.from_file("cdp_api_key.json"), ApiKey)
    assert_type(ApiKey.from_env(environment), ApiKey)
    assert_type(JwtAuth(ApiKey.from_env()).token("GET", "https://example.com/"), str)
    ApiKey("id")  # type: ignore[call-arg]
    ApiKey("id", b"bytes")  # type: ignore[arg-type]
    ApiKey.from_file(None)  # type: ignore[arg-type]
    JwtAuth("a key")  # type: ignore[arg-type]


def clients(api_key: ApiKey, own: httpx.Client, aown: httpx.AsyncClient) -> None:
    """Both clients take an ApiKey and named settings."""
    with Checkouts(api_key, sandbox=True, timeout=3, deadline=9.5, max_retries=0, http_client=own) as client:
        assert_type(client, Checkouts)
        assert_type(client.with_options(timeout=5), Checkouts)
        assert_type(client.base_url, str)
    assert_type(Checkouts.from_env(sandbox=True), Checkouts)
    assert_type(AsyncCheckouts(api_key, http_client=aown, aiohttp=False), AsyncCheckouts)
    assert_type(AsyncCheckouts.from_env(), AsyncCheckouts)
    Checkouts("the text of a key")  # type: ignore[arg-type]
    Checkouts()  # type: ignore[call-arg]
    Checkouts(api_key, "https://example.com")  # type: ignore[call-arg]
    Checkouts(api_key, time_out=3)  # type: ignore[call-arg]
    Checkouts(api_key, timeout="3")  # type: ignore[arg-type]
    Checkouts(api_key, timeout=None)  # type: ignore[arg-type]
    Checkouts(api_key, http_client=aown)  # type: ignore[arg-type]
    Checkouts(api_key, aiohttp=True)  # type: ignore[call-arg]
    AsyncCheckouts(api_key, http_client=own)  # type: ignore[arg-type]
    client.with_options(base_url="https://example.com")  # type: ignore[call-arg]
    client.base_url = "https://example.com"  # type: ignore[misc]


def on_drift(drift: Drift) -> None:
    """What the callback is given."""
    assert_type(drift.operation, str)
    assert_type(drift.kind, str)
    assert_type(drift.pointer, str)
    assert_type(drift.value, str | None)
    drift.value = "other"  # type: ignore[misc]


def on_text(text: str) -> None:
    """No callback for drifts."""


def callbacks(api_key: ApiKey) -> None:
    """The callback takes a Drift."""
    Checkouts(api_key, on_drift=on_drift)
    Checkouts(api_key, on_drift=on_text)  # type: ignore[arg-type]


def creating(client: Checkouts) -> None:
    """Money is Decimal, int or str; all but amount and currency goes by name."""
    made = client.create(
        Decimal("100.50"),
        "EUR",
        description="Payment for order #12345",
        metadata={"order": "12345"},
        expires_at=datetime.now(UTC),
        order_id="12345",
    )
    assert_type(made, Checkout)
    assert_type(client.create(100), Checkout)
    assert_type(client.create("100.50", expires_at="2027-01-01T00:00:00Z", idempotency_key=new_key()), Checkout)
    client.create(100.5)  # type: ignore[arg-type]
    client.create()  # type: ignore[call-arg]
    client.create(None)  # type: ignore[arg-type]
    client.create("1", "USD", "base")  # type: ignore[call-arg]
    client.create("1", metadata={"order": 12345})  # type: ignore[dict-item]
    client.create("1", expires_at=1_800_000_000)  # type: ignore[arg-type]
    client.create("1", order=12345)  # type: ignore[call-arg]
    client.create("1", order_id=12345)  # type: ignore[arg-type]
    client.create("1", amount="2")  # type: ignore[misc]


def checkouts(found: Checkout) -> None:
    """A checkout has times, enums and texts; what may be absent says so."""
    assert_type(found.id, str)
    assert_type(found.url, str)
    assert_type(found.amount, str)
    assert_type(found.status, CheckoutStatus)
    assert_type(found.network, Network)
    assert_type(found.created_at, datetime)
    assert_type(found.expires_at, datetime | Unset)
    assert_type(found.settlement, Settlement | Unset)
    assert_type(found.refunds, list[Refund] | Unset)
    assert_type(found.status.is_known, bool)
    if found.settlement:
        assert_type(found.settlement.net_amount, str | Unset)
    for refund in found.refunds or []:
        assert_type(refund.status, RefundStatus)
    assert_type(amount(found), Decimal)
    assert_type(refunded_amount(found), Decimal)
    assert_type(remaining_refundable(found), Decimal)
    assert_type(is_paid(found), bool)
    assert_type(is_final(found), bool)
    print(found.state)  # type: ignore[attr-defined]
    print(found.amount * Decimal(2))  # type: ignore[operator]
    print(found.expires_at.isoformat())  # type: ignore[union-attr]
    print(found.settlement.net_amount)  # type: ignore[union-attr]
    print(found.refunds[0])  # type: ignore[index]
    print(CheckoutStatus.PAID)  # type: ignore[attr-defined]
    amount("100.50")  # type: ignore[arg-type]


def changing(client: Checkouts) -> None:
    """The operations on one checkout."""
    assert_type(client.get("68f7a946db0529ea9b6d3a12"), Checkout)
    assert_type(client.deactivate("68f7a946db0529ea9b6d3a12"), Checkout)
    result = client.refund("68f7a946db0529ea9b6d3a12", "25.00", currency="EUR", reason="returned", refund_id="1")
    assert_type(result, RefundResult)
    assert_type(result.refund, Refund)
    assert_type(result.checkout, Checkout)
    client.get()  # type: ignore[call-arg]
    client.get(12345)  # type: ignore[arg-type]
    client.get(result.checkout)  # type: ignore[arg-type]
    client.deactivate("68f7a946db0529ea9b6d3a12", "key")  # type: ignore[call-arg]
    client.deactivate("68f7a946db0529ea9b6d3a12", idempotency_key="key")  # type: ignore[call-arg]
    client.refund("68f7a946db0529ea9b6d3a12")  # type: ignore[call-arg]
    client.refund("68f7a946db0529ea9b6d3a12", 25.0)  # type: ignore[arg-type]
    client.refund("68f7a946db0529ea9b6d3a12", "25.00", "EUR")  # type: ignore[call-arg]
    print(result.status)  # type: ignore[attr-defined]
    client.delete("68f7a946db0529ea9b6d3a12")  # type: ignore[attr-defined]


def listing(client: Checkouts) -> None:
    """A listing is iterated over, by checkout or by page."""
    found = client.list(status="ACTIVE", page_size=50)
    assert_type(found, SyncListing)
    assert_type(iter(found), Iterator[Checkout])
    assert_type(found.pages(), Iterator[list[Checkout]])
    assert_type([checkout.id for checkout in client.list()], list[str])
    client.list(status=CheckoutStatus.COMPLETED)
    client.list(status=[CheckoutStatus.COMPLETED, "REFUNDED"], start_time=datetime.now(UTC), end_time="2027-01-01")
    client.list("ACTIVE")  # type: ignore[call-arg]
    client.list(status=5)  # type: ignore[arg-type]
    client.list(page_size="50")  # type: ignore[arg-type]
    client.list(start_time=0)  # type: ignore[arg-type]
    print(len(found))  # type: ignore[arg-type]
    print(found[0])  # type: ignore[index]


def is_big(found: Checkout) -> bool:
    """A question to wait for."""
    return amount(found) > 1000


def waiting(client: Checkouts) -> None:
    """What is waited for is a status, several, or a question about a checkout."""
    assert_type(client.wait("68f7a946db0529ea9b6d3a12"), Checkout)
    client.wait("68f7a946db0529ea9b6d3a12", until=is_paid, timeout=60)
    client.wait("68f7a946db0529ea9b6d3a12", until=is_big)
    client.wait("68f7a946db0529ea9b6d3a12", until={CheckoutStatus.COMPLETED, "FAILED"})
    client.wait("68f7a946db0529ea9b6d3a12", until=on_text)  # type: ignore[arg-type]
    client.wait("68f7a946db0529ea9b6d3a12", until=5)  # type: ignore[arg-type]
    client.wait("68f7a946db0529ea9b6d3a12", timeout=None)  # type: ignore[arg-type]
    client.wait("68f7a946db0529ea9b6d3a12", 60)  # type: ignore[arg-type,call-arg]


def raw_access(client: Checkouts) -> None:
    """Raw access keeps the types of the method, arguments and result."""
    raw = client.with_raw_response(client.create, "100.50", description="raw")
    assert_type(raw, RawResponse[Checkout])
    assert_type(raw.parsed, Checkout)
    assert_type(raw.status, int)
    assert_type(raw.headers, Mapping[str, str])
    assert_type(raw.elapsed_s, float)
    assert_type(raw.attempts, int)
    client.with_raw_response(client.create)  # type: ignore[call-arg]
    client.with_raw_response(client.create, 100.5)  # type: ignore[arg-type]
    client.with_raw_response(client.get, "68f7a946db0529ea9b6d3a12", timeout=5)  # type: ignore[call-arg]
    client.with_raw_response("create", "1")  # type: ignore[arg-type]


def errors(client: Checkouts) -> None:
    """An error says what a program needs to know."""
    try:
        client.create("1")
    except InvalidRequestError as error:
        assert_type(error.violations, tuple[Violation, ...])
        assert_type(error.violations[0].pointer, str)
    except (WaitTimeoutError, NeverReachedError) as error:
        assert_type(error.operation, str | None)
    except InvalidResponseError as error:
        assert_type(error.status, int)
    except ApiError as error:
        assert_type(error.status, int)
        assert_type(error.error_type, str | None)
        assert_type(error.message, str)
        assert_type(error.correlation_id, str | None)
        assert_type(error.error_link, str | None)
    except CheckoutsError as error:
        assert_type(error.outcome, Outcome)
        assert_type(error.idempotency_key, str | None)
        assert_type(error.retryable, bool)
        assert_type(error.advice, str)
        print(error.status)  # type: ignore[attr-defined]
        print(Outcome.MAYBE)  # type: ignore[attr-defined]
        error.advice = "none"  # type: ignore[misc]


def idempotency_keys() -> None:
    """Keys are texts; an operation is one of two."""
    assert_type(new_key(), str)
    assert_type(key_for("12345", operation="create"), str)
    assert_type(key_for("12345", operation="refund", refund_id="1", namespace="shop"), str)
    key_for("12345")  # type: ignore[call-arg]
    key_for("12345", operation="deactivate")  # type: ignore[arg-type]
    key_for(12345, operation="create")  # type: ignore[arg-type]
    key_for("12345", "create")  # type: ignore[call-arg]


async def asynchronous(api_key: ApiKey) -> None:
    """The async client gives the same, to be awaited."""
    async with AsyncCheckouts(api_key) as client:
        assert_type(await client.create("100.50"), Checkout)
        assert_type(await client.get("68f7a946db0529ea9b6d3a12"), Checkout)
        assert_type(await client.deactivate("68f7a946db0529ea9b6d3a12"), Checkout)
        assert_type(await client.refund("68f7a946db0529ea9b6d3a12", 25), RefundResult)
        assert_type(await client.wait("68f7a946db0529ea9b6d3a12", until=is_paid), Checkout)
        assert_type(client.list(), AsyncListing)
        assert_type([checkout.id async for checkout in client.list()], list[str])
        assert_type(client.list().pages(), AsyncIterator[list[Checkout]])
        assert_type(await client.with_raw_response(client.create, "1"), RawResponse[Checkout])
        await client.create(100.5)  # type: ignore[arg-type]
        await client.with_raw_response(client.create)  # type: ignore[call-arg]
        await client.list()  # type: ignore[misc]
        print(client.get("68f7a946db0529ea9b6d3a12").url)  # type: ignore[attr-defined]
        for checkout in client.list():  # type: ignore[attr-defined]
            anything: Any = checkout
            print(anything)
    with AsyncCheckouts(api_key):  # type: ignore[attr-defined]
        pass


def deliveries(headers: httpx.Headers, pairs: list[tuple[bytes, bytes]], secrets: list[str]) -> None:
    """A delivery is bytes, headers of any framework, and one or several secrets."""
    event = webhooks.verify(b"{}", headers, secrets)
    assert_type(event, Event)
    assert_type(event.event_type, EventType)
    assert_type(event.event_id, str | None)
    assert_type(event.checkout, Checkout)
    assert_type(event.dedupe_key, str)
    assert_type(event.raw, dict[str, Any])
    assert_type(webhooks.verify(b"{}", pairs, "secret", now=1775000000).timestamp, int)
    assert_type(webhooks.sign(b"{}", {}, "secret", 1775000000), str)
    webhooks.verify("{}", headers, "secret")  # type: ignore[arg-type]
    webhooks.verify({}, headers, "secret")  # type: ignore[arg-type]
    webhooks.verify(b"{}", headers, None)  # type: ignore[arg-type]
    webhooks.verify(b"{}", headers)  # type: ignore[call-arg]


def refusals(error: SignatureError) -> None:
    """Why a delivery was refused."""
    assert_type(error.reason, Refusal)


def subscriptions(api_key: ApiKey, engine: Engine) -> None:
    """Subscriptions are clients, too; what is lost is read with one of each."""
    with Subscriptions(api_key, sandbox=True) as client, Checkouts(api_key) as checkouts:
        made = client.create("https://shop.example/webhooks", description="orders")
        assert_type(made, Subscription)
        assert_type(made.secret, Secret | None)
        assert_type(client.list(page_size=5), SyncPages[Subscription])
        assert_type([one.id for one in client.list()], list[str])
        assert_type(client.change(made.id, enabled=False), Subscription)
        assert_type(client.deliveries(made.id)[0].event_id, str)
        client.delete(made.id)
        client.replace(made.id, url="https://shop.example")  # type: ignore[call-arg]
        client.create("https://shop.example", metadata={"a": 1})  # type: ignore[dict-item]
        webhooks.verify(b"{}", {}, made.secret)  # type: ignore[arg-type]
        result = inbox.reconcile(checkouts, engine, since=0, subscriptions=client, subscription_id=made.id)
        assert_type(result, Reconciled)
        inbox.reconcile(client, engine)  # type: ignore[arg-type]


async def lost_in_asyncio(client: AsyncSubscriptions, checkouts: AsyncCheckouts, engine: AsyncEngine) -> None:
    """The same, to be awaited."""
    assert_type(await client.get("4f8e2a31-7c55-4b0e-9a0f-2d9b6a1c7e10"), Subscription)
    assert_type([one.id async for one in client.list()], list[str])
    assert_type(
        await inbox.reconcile_async(checkouts, engine, since=datetime.now(UTC), subscriptions=client), Reconciled
    )
