"""
Idempotency keys: what makes it safe to send a create or a refund twice.

The service keeps a key for 24 hours. Within them the same key with the same request returns the first
answer; after them it acts again. A key protects a retry, not next week's cron job.

Source: rules idempotency.* in spec/openapi.yaml.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Final, Literal

KEY_LIFETIME_S: Final = 24 * 60 * 60


def new_key() -> str:
    """A fresh key, for one logical operation and all its retries."""
    return str(uuid.uuid4())


def key_for(
    reference: str,
    *,
    operation: Literal["create", "refund"],
    refund_id: str | None = None,
    namespace: str = "",
) -> str:
    """
    The key of one operation on one of your orders, the same on every machine and after every restart.

    A process that died between sending and hearing the answer repeats the call with the same key, without
    having stored anything. It must send the same request too: an `expires_at` counted from now would be
    another one. The service forgets a key after 24 hours, and then acts again.

    Args:
        reference: Your order's id, or for a refund the checkout's.
        operation: What the key is for; the same reference has different keys for each.
        refund_id: Your own id of the refund; every refund of one order has its own.
        namespace: Keeps apart shops whose order ids may be the same.

    Raises:
        TypeError: A part that is not text.
        ValueError: An empty reference, a refund without *refund_id*, or a create with one.
    """
    for given in (reference, refund_id or "", namespace):
        # 12345 and "12345" would have different keys, on two machines for one order.
        if not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
            raise TypeError(f"a key is made of texts, not of {type(given).__name__}")
    if not reference:
        raise ValueError("reference: the id of an order, not an empty text")
    if (operation == "refund") != bool(refund_id):
        raise ValueError("refund_id: needed for a refund, which an order may have several of, and for nothing else")
    # JSON keeps the parts apart: ("a", "bc") and ("ab", "c") must not meet.
    parts = ["coinbase-checkouts", 1, operation, namespace, reference, refund_id]
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    # Sets the version and variant bits of a UUID v4, which the service's pattern asks for.
    return str(uuid.UUID(bytes=digest[:16], version=4))
