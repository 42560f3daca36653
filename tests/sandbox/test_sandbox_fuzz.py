"""Anything at all may be sent; the answer keeps the description."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
amounts = st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,2})?\Z")
nearly = st.fixed_dictionaries(
    {"amount": amounts | anything, "currency": st.sampled_from(["USDC", "USD", "EUR", "SGD", "GBP"]) | anything},
    optional={
        "network": st.just("base") | anything,
        "description": st.text(max_size=510) | anything,
        "expiresAt": st.datetimes().map(lambda moment: moment.isoformat() + "Z") | anything,
        "metadata": st.dictionaries(st.text(), st.text(max_size=101), max_size=21) | anything,
        "successRedirectUrl": st.text().map("https://example.com/".__add__) | anything,
        "failRedirectUrl": anything,
        "reason": anything,
    },
)
# One sandbox serves all examples on purpose: their checkouts are each other's neighbours.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)


@pytest.fixture
def known(sandbox: Sandbox) -> tuple[Sandbox, str]:
    """A sandbox and the id of a paid checkout."""
    return sandbox, sandbox.pay(sandbox.create(amount="100000000")["id"])["id"]


@shared
@given(body=nearly | anything, key=st.uuids(version=4).map(str) | st.text("abcdef-0123", max_size=40))
def test_any_json_is_answered_as_described(known: tuple[Sandbox, str], body: Any, key: str) -> None:
    """
    Any JSON to create and refund: a documented answer that keeps its schema, and what was created can be read.
    """
    import json

    sandbox, paid = known
    headers = {"X-Idempotency-Key": key, "content-type": "application/json"}
    for path in (PATH, f"{PATH}/{paid}/refund"):
        answer = sandbox.call("POST", path, content=json.dumps(body).encode(), headers=headers)
        assert answer.status_code in {200, 201, 400, 422}
    if "id" in (created := sandbox.call("POST", PATH, content=json.dumps(body).encode(), headers=headers).json()):
        assert created == sandbox.get(created["id"])


@shared
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered_as_described(sandbox: Sandbox, body: bytes) -> None:
    """
    Any bytes as a body are a 400.
    """
    assert 400 == sandbox.call("POST", PATH, content=body, headers={"content-type": "application/json"}).status_code


@shared
@given(
    query=st.dictionaries(
        st.sampled_from(["pageSize", "pageToken", "status", "startTime", "endTime", "descriptionQuery", "x"]),
        st.integers().map(str) | st.text() | st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    ),
    checkout_id=st.text("0123456789abcdef", min_size=23, max_size=25) | st.text(min_size=1),
)
def test_any_query_and_path_are_answered_as_described(
    known: tuple[Sandbox, str], query: dict[str, str], checkout_id: str
) -> None:
    """
    Any query and any id: a documented answer.
    """
    from urllib.parse import quote

    sandbox, _ = known
    assert sandbox.call("GET", PATH, params=query).status_code in {200, 400}
    # A path cannot have these steps: clients take them out before they send.
    if checkout_id not in {".", ".."}:
        answer = sandbox.call("GET", f"{PATH}/{quote(checkout_id, safe='')}")
        assert answer.status_code in {400, 404}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["deactivate", "pay", "refund", "settle", "advance"]),
            st.sampled_from(["COMPLETED", "FAILED", "PROCESSING"]),
            st.integers(1, 12_000),
        ),
        max_size=12,
    )
)
def test_any_history_keeps_the_rules(sandbox_with: Callable[..., Sandbox], steps: list[tuple[str, str, int]]) -> None:
    """
    Whatever is done in whatever order: sums add up, updatedAt never goes back, nothing is refunded beyond the amount.
    """
    from decimal import Decimal

    sandbox = sandbox_with()
    checkout = sandbox.create()
    checkout_id, seen = checkout["id"], checkout["updatedAt"]
    for step, outcome, cents in steps:
        refunds = sandbox.get(checkout_id).get("refunds", [])
        if step == "advance":
            sandbox.advance(cents)
        elif step == "pay":
            sandbox.call("POST", f"/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": outcome})
        elif step == "settle" and refunds:
            path = f"/__sandbox__/checkouts/{checkout_id}/refunds/{refunds[cents % len(refunds)]['id']}/settle"
            sandbox.call("POST", path, json={"outcome": outcome})
        else:
            body = {"amount": f"{cents // 100}.{cents % 100:02d}"}
            sandbox.call("POST", f"{PATH}/{checkout_id}/{'refund' if step == 'refund' else 'deactivate'}", json=body)
        now = sandbox.get(checkout_id)
        back = sum((Decimal(r["amount"]) for r in now.get("refunds", []) if r["status"] != "FAILED"), Decimal(0))
        assert back == Decimal(now.get("refundedAmount", "0")) <= Decimal(now["amount"])
        assert (now["status"] == "REFUNDED") == (back == Decimal(now["amount"]))
        assert seen <= now["updatedAt"]
        seen = now["updatedAt"]
