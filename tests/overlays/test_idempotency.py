"""Idempotency keys."""

from __future__ import annotations

import re
from typing import Any

import pytest

from coinbase_checkouts.errors import InvalidRequestError
from coinbase_checkouts.idempotency import checked, new_key

PUBLISHED = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


def test_new_keys_are_lower_case_uuid_v4_and_differ() -> None:
    """
    A new key has the published pattern, and no two are the same.
    """
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.search(PUBLISHED, key) for key in keys)


def test_given_key_is_kept_and_none_becomes_a_fresh_one() -> None:
    """
    The caller's key goes out as it is.
    """
    given = "8e03978e-40d5-43e8-bc93-6894a57f9324"
    assert given == checked(given)
    assert re.search(PUBLISHED, checked(None))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "order-12345",
        "8E03978E-40D5-43E8-BC93-6894A57F9324",
        "8e03978e-40d5-13e8-bc93-6894a57f9324",
        "8e03978e-40d5-43e8-cc93-6894a57f9324",
        "8e03978e-40d5-43e8-bc93-6894a57f9324\n",
        "8e03978e40d543e8bc936894a57f9324",
        5,
    ],
)
def test_other_keys_are_refused_before_sending(key: Any) -> None:
    """
    Upper case, other versions and variants, line breaks and other texts are refused here.
    """
    with pytest.raises(InvalidRequestError, match=r"^idempotency_key: "):
        checked(key)
