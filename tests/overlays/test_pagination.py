"""Listings, over pages that lie in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts.errors import PaginationError
from coinbase_checkouts.pagination import BARREN_LIMIT, AsyncListing, SyncListing, Token
from coinbase_checkouts_api.models import CheckoutList

Pages = dict[Token, tuple[list[int], Any]]
"""Token → (numbers of the checkouts, next token)."""


def checkout(number: int) -> dict[str, Any]:
    return {
        "id": f"{number:024x}",
        "url": "https://example.com",
        "amount": "1.00",
        "currency": "USDC",
        "network": "base",
        "address": "0x",
        "createdAt": "2026-11-20T10:30:00Z",
        "updatedAt": "2026-11-20T10:30:00Z",
        "status": "ACTIVE",
    }


def fetcher(pages: Pages, asked: list[Token]) -> Callable[[Token], CheckoutList]:
    def fetch(token: Token) -> CheckoutList:
        asked.append(token)
        numbers, following = pages[token]
        body: dict[str, Any] = {"checkouts": [checkout(number) for number in numbers]}
        return CheckoutList.from_dict(body if following == "absent" else {**body, "nextPageToken": following})

    return fetch


def both(pages: Pages) -> tuple[SyncListing, AsyncListing, list[Token]]:
    asked: list[Token] = []
    fetch = fetcher(pages, asked)

    async def afetch(token: Token) -> CheckoutList:
        return fetch(token)

    return SyncListing(fetch), AsyncListing(afetch), asked


@pytest.mark.anyio
@pytest.mark.parametrize("end", ["absent", None, ""])
async def test_all_pages_are_read_lazily(end: Any) -> None:
    """
    Items of all pages come in order, an empty page in between included; absent, null and "" end it.
    """
    listing, alisting, asked = both({None: ([1, 2], "a"), "a": ([], "b"), "b": ([3], end)})
    assert [] == asked
    items = iter(listing)
    assert f"{1:024x}" == next(items).id
    assert [None] == asked
    assert [2, 3] == [int(item.id, 16) for item in items]
    assert [None, "a", "b"] == asked
    assert [1, 2, 3] == [int(item.id, 16) async for item in alisting]
    assert [2, 0, 1] == [len(page) for page in listing.pages()]
    assert [2, 0, 1] == [len(page) async for page in alisting.pages()]


@pytest.mark.anyio
@pytest.mark.parametrize("loop", [["a", "a"], ["a", "b", "a"], ["a", "b", "c", "b"]])
async def test_going_round_in_circles_is_an_error(loop: list[str]) -> None:
    """
    A token that comes again ends the listing, also in A, B, A, B, after every item was given once.
    """
    chain = dict(zip([None, *loop], [*loop, "absent"], strict=True))
    pages: Pages = {token: ([number], following) for number, (token, following) in enumerate(chain.items())}
    pages[loop[-1]] = ([99], chain[loop[loop.index(loop[-1])]] if loop[-1] in loop[:-1] else loop[-1])
    for position, token in enumerate(loop[:-1]):
        pages[token] = ([position + 1], loop[position + 1])
    listing, alisting, asked = both(pages)
    with pytest.raises(PaginationError, match="same nextPageToken twice"):
        list(listing)
    assert len(asked) == len(set(asked))
    with pytest.raises(PaginationError):
        [item async for item in alisting]


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=6))
def test_no_item_comes_twice(numbers: list[list[int]]) -> None:
    """
    However items move between pages while they are read, each comes once, at its first place.
    """
    tokens: list[Token] = [None, *map(str, range(1, len(numbers)))]
    following = [*tokens[1:], "absent"]
    pages: Pages = {token: (page, after) for token, page, after in zip(tokens, numbers, following, strict=True)}
    listing, _, _ = both(pages)
    expected = list(dict.fromkeys(number for page in numbers for number in page))
    assert expected == [int(item.id, 16) for item in listing]
    assert expected == [int(item.id, 16) for item in listing], "a second reading starts anew"


@pytest.mark.anyio
@pytest.mark.parametrize("numbers", [[], [1]])
async def test_pages_with_nothing_new_end(numbers: list[int]) -> None:
    """
    Tokens that are new each time do not help: so many pages without a new checkout are an error.
    """
    pages: Pages = {None: ([1], "0"), **{str(step): (numbers, str(step + 1)) for step in range(2 * BARREN_LIMIT)}}
    listing, alisting, asked = both(pages)
    with pytest.raises(PaginationError, match="pages in a row had nothing new"):
        list(listing)
    assert BARREN_LIMIT + 1 == len(asked)
    with pytest.raises(PaginationError):
        [item async for item in alisting]
