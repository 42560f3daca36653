"""
Idempotency keys: what makes it safe to send a create or a refund twice.

The service keeps a key for 24 hours. Within them the same key with the same request returns the first
answer; after them it acts again. A key protects a retry, not next week's cron job.

Source: rules idempotency.* in spec/openapi.yaml.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from .errors import InvalidRequestError

KEY_LIFETIME_S: Final = 24 * 60 * 60
# The description's pattern: a UUID v4 in lower case. \Z, because $ would let a line break through.
_KEY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")


def new_key() -> str:
    """A fresh key, for one logical operation and all its retries."""
    return str(uuid.uuid4())


def checked(key: str | None) -> str:
    """
    The given key, or a fresh one for None.

    Raises:
        InvalidRequestError: Not a UUID v4 in lower case.
    """
    if key is None:
        return new_key()
    if not isinstance(key, str) or not _KEY.match(key):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
        raise InvalidRequestError("idempotency_key: not a UUID v4 in lower case, such as idempotency.new_key() makes")
    return key
