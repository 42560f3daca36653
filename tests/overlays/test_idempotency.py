"""Idempotency keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts.idempotency import key_for, new_key

PUBLISHED = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


def test_new_keys_are_lower_case_uuid_v4_and_differ() -> None:
    """
    A new key has the published pattern, and no two are the same.
    """
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.search(PUBLISHED, key) for key in keys)


def test_derived_keys_are_the_same_everywhere() -> None:
    """
    The key of an order is fixed for ever: a process that starts anew must find the one it died with.
    """
    assert key_for("order-12345", operation="create") == "cae276b0-513a-4805-baf8-4a52b7ab9f2f"
    assert (
        key_for("68f7a946db0529ea9b6d3a12", operation="refund", refund_id="1") == "82301cc0-e997-4b1f-9f87-a06f212fa823"
    )
    assert key_for("order-12345", operation="create", namespace="eu") == "b44cb951-4b5c-4ff7-be9a-8fab9ebaaf89"


@given(st.text(min_size=1), st.text(min_size=1), st.text())
def test_derived_keys_have_the_published_pattern(reference: str, refund_id: str, namespace: str) -> None:
    """
    Any order id, in any script, gives a key that the service takes.
    """
    for key in (
        key_for(reference, operation="create", namespace=namespace),
        key_for(reference, operation="refund", refund_id=refund_id, namespace=namespace),
    ):
        assert re.search(PUBLISHED, key)


def test_derived_keys_differ_where_the_operation_does() -> None:
    """
    Create and each refund of one order, other orders and other namespaces, and parts that run together.
    """
    keys = [
        key_for("a", operation="create"),
        key_for("a", operation="create", namespace="b"),
        key_for("ab", operation="create"),
        key_for("a", operation="refund", refund_id="1"),
        key_for("a", operation="refund", refund_id="2"),
        key_for("a1", operation="refund", refund_id="1"),
        key_for("a", operation="refund", refund_id="11"),
        key_for("b", operation="create", namespace="a"),
    ]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("reference", "operation", "refund_id"), [("", "create", None), ("a", "refund", None), ("a", "create", "1")]
)
def test_key_without_its_order_is_refused(reference: str, operation: Any, refund_id: str | None) -> None:
    """
    An empty order id, a refund without its own id, and a create with one, would give a key for the wrong thing.
    """
    with pytest.raises(ValueError, match=r"reference|refund_id"):
        key_for(reference, operation=operation, refund_id=refund_id)


@pytest.mark.parametrize("parts", [(12345, None, ""), ("a", 1, ""), ("a", None, b"eu")])
def test_numbers_are_no_order_ids(parts: Any) -> None:
    """
    12345 and "12345" would have different keys, so only texts are taken.
    """
    reference, refund_id, namespace = parts
    with pytest.raises(TypeError, match="made of texts"):
        key_for(reference, operation="create", refund_id=refund_id, namespace=namespace)
