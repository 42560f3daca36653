"""One more test, of a shop whose orders may be repeated."""

from __future__ import annotations

from tests.plugin.shops.good import Shop


def test_ordered_twice(shop: Shop) -> None:
    assert shop.order("1", "100.50") == shop.order("1", "100.50")
