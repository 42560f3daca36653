"""Checkouts are compared by value."""

from __future__ import annotations

import pytest

from coinbase_checkouts_conformance.compare import differences


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"amount": "1"}, {"amount": "1.00"}),
        ({"refundedAmount": "0.50"}, {"refundedAmount": "0.5"}),
        ({"createdAt": "2026-01-01T00:00:00Z"}, {"createdAt": "2026-01-01T00:00:00.000+00:00"}),
        ({"createdAt": "2026-01-01T05:00:00+05:00"}, {"createdAt": "2026-01-01T00:00:00.0009Z"}),
        ({"refunds": [{"amount": "1"}]}, {"refunds": [{"amount": "1.0"}]}),
        ({"status": "A"}, {"status": "B"}),
        ({"tokenAddress": "0x036CbD"}, {"tokenAddress": "0x036cbd"}),
        ({"address": "0xAb"}, {"address": "0xaB"}),
        ({"nobodyKnows": 1}, {"nobodyElseKnows": 2}),
    ],
)
def test_the_same_value_in_other_words_is_no_difference(expected: object, actual: object) -> None:
    """
    Amounts agree by value, times to the millisecond, addresses in any case, and what is ignored is ignored.
    """
    assert differences(expected, actual, ignoring=("status",)) == []


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"amount": "1"}, {"amount": "1.01"}, ["/amount: '1' → '1.01'"]),
        ({"amount": "1"}, {"amount": 1}, ["/amount: '1' → 1"]),
        (
            {"createdAt": "2026-01-01T00:00:00Z"},
            {"createdAt": "2026-01-01T00:00:00.002Z"},
            ["/createdAt: '2026-01-01T00:00:00Z' → '2026-01-01T00:00:00.002Z'"],
        ),
        ({"url": "a"}, {}, ["/url: 'a' → absent"]),
        ({}, {"url": "a"}, ["/url: absent → 'a'"]),
        ({"address": "0xAb"}, {"address": "0xAc"}, ["/address: '0xAb' → '0xAc'"]),
        ({"transactionHash": "0xAb"}, {"transactionHash": "0xab"}, ["/transactionHash: '0xAb' → '0xab'"]),
        ({"metadata": {"address": "0xAb"}}, {"metadata": {"address": "0xab"}}, ["/metadata/address: '0xAb' → '0xab'"]),
        ({"metadata": {"amount": "1"}}, {"metadata": {"amount": "1.0"}}, ["/metadata/amount: '1' → '1.0'"]),
        ({"description": "1"}, {"description": "1.0"}, ["/description: '1' → '1.0'"]),
        ([1], [1, 2], ["/: [1] → [1, 2]"]),
        ({"metadata": {"flag": True}}, {"metadata": {"flag": 1}}, ["/metadata/flag: True → 1"]),
    ],
)
def test_another_value_is_a_difference(expected: object, actual: object, found: list[str]) -> None:
    """
    What differs is told with its place and both values; metadata and text are compared letter by letter.
    """
    assert found == differences(expected, actual)
