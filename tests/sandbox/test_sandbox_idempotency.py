"""One key, one act."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"
BODY = {"amount": "1.00", "currency": "USDC", "metadata": {"a": "1", "b": "2"}}


def post(sandbox: Sandbox, key: str, body: dict[str, Any] | None = None, path: str = PATH) -> httpx.Response:
    return sandbox.call("POST", path, json=BODY if body is None else body, headers={"X-Idempotency-Key": key})


def count(sandbox: Sandbox) -> int:
    return len(sandbox.call("GET", PATH).json()["checkouts"])


def test_the_same_request_has_the_same_answer(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    A repetition is answered byte for byte as the first time, even when the checkout has moved on since.
    """
    first = post(sandbox, idempotency_key)
    sandbox.pay(first.json()["id"])
    again = post(sandbox, idempotency_key)
    assert (201, first.content, 1) == (again.status_code, again.content, count(sandbox))


def test_the_order_of_names_is_the_same_request(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    Order of names and white space do not make another request.
    """
    first = post(sandbox, idempotency_key)
    body = b'{ "metadata": {"b":"2", "a":"1"}, "currency":"USDC", "amount":"1.\\u00300" }'
    headers = {"X-Idempotency-Key": idempotency_key, "content-type": "application/json"}
    assert first.content == sandbox.call("POST", PATH, content=body, headers=headers).content


@pytest.mark.parametrize(
    "body", [{**BODY, "amount": "1"}, {**BODY, "description": "x"}, {**BODY, "unknown": 1}, {**BODY, "metadata": {}}]
)
def test_another_request_is_a_conflict(sandbox: Sandbox, idempotency_key: str, body: dict[str, Any]) -> None:
    """
    The same key with another body is 422 idempotency_error and creates nothing; the first answer stays.
    """
    first = post(sandbox, idempotency_key)
    conflict = post(sandbox, idempotency_key, body)
    assert (422, "idempotency_error") == (conflict.status_code, conflict.json()["errorType"])
    assert (first.content, 1) == (post(sandbox, idempotency_key).content, count(sandbox))


def test_another_path_is_a_conflict(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    One key refunds one checkout, not another with the same body.
    """
    one, other = (sandbox.pay(sandbox.create()["id"])["id"] for _ in range(2))
    assert 200 == post(sandbox, idempotency_key, {"amount": "1"}, f"{PATH}/{one}/refund").status_code
    assert 422 == post(sandbox, idempotency_key, {"amount": "1"}, f"{PATH}/{other}/refund").status_code
    assert "refunds" not in sandbox.get(other)


def test_a_refund_is_repeated_not_done_twice(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    A full refund can be asked for again under its key, though nothing is left to refund.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    path = f"{PATH}/{checkout_id}/refund"
    first = post(sandbox, idempotency_key, {"amount": "100"}, path)
    assert first.content == post(sandbox, idempotency_key, {"amount": "100"}, path).content
    assert 1 == len(sandbox.get(checkout_id)["refunds"])


def test_a_key_belongs_to_one_operation(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    The key of a create may be the key of a refund too.
    """
    checkout_id = sandbox.pay(post(sandbox, idempotency_key).json()["id"])["id"]
    assert 200 == post(sandbox, idempotency_key, {"amount": "1"}, f"{PATH}/{checkout_id}/refund").status_code


def test_a_key_is_remembered_for_a_day(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    A millisecond before 24 hours the first answer comes, expiresAt long past or not; at 24 hours the key acts again.
    """
    body = {**BODY, "expiresAt": "2026-11-20T12:00:01Z"}
    first = post(sandbox, idempotency_key, body)
    sandbox.advance(86399)
    sandbox.clock.ms += 999
    assert first.content == post(sandbox, idempotency_key, body).content
    sandbox.clock.ms += 1
    fresh = post(sandbox, idempotency_key)
    assert (201, 2) == (fresh.status_code, count(sandbox))
    assert fresh.content == post(sandbox, idempotency_key).content


def test_a_refused_request_does_not_use_up_its_key(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    After a 400, of the schema or of a rule, the same key may be used with a better request.
    """
    for amount in ("1.005", "0"):
        assert 400 == post(sandbox, idempotency_key, {**BODY, "amount": amount}).status_code
    assert 201 == post(sandbox, idempotency_key).status_code


def test_a_conflict_may_be_409(reading: Callable[..., Sandbox], idempotency_key: str) -> None:
    """
    The other reading of the status of a conflict can be chosen; its type stays.
    """
    sandbox = reading(idempotency_conflict_status=409)
    post(sandbox, idempotency_key)
    conflict = post(sandbox, idempotency_key, {**BODY, "amount": "2"})
    assert (409, "idempotency_error") == (conflict.status_code, conflict.json()["errorType"])


def test_old_answers_are_not_kept_for_ever(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    When time passes, answers that are given no more are deleted, and those that may still be asked for are not.
    """
    post(sandbox, idempotency_key)
    sandbox.advance(23 * 3600)
    post(sandbox, "8e03978e-40d5-43e8-bc93-6894a57f9324")
    sandbox.advance(3600)
    rows = sandbox.call("GET", "/__sandbox__/snapshot", judged=False).json()["tables"]["idempotent_answers"]
    assert ["8e03978e-40d5-43e8-bc93-6894a57f9324"] == [row["key"] for row in rows]
