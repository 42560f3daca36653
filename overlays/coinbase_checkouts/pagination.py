"""
Listings: lazy items, or pages, over any "give me the page after this token".

The order of a listing is not documented, and checkouts are made while it is read: an item that moves to
a later page is given once. A token that comes for the second time, however many pages lie between, ends
the listing with an error instead of going round for ever; so do many pages in a row with nothing new.

Source: rule list.partition in spec/openapi.yaml.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final, Generic, TypeVar

from coinbase_checkouts_api.models import Checkout, CheckoutList

from .errors import PaginationError

Token = str | None
# A filter may leave pages empty, but not this many: the tokens go on though the listing does not.
BARREN_LIMIT: Final = 250


class _Progress:
    """Which tokens and items one reading of a listing has seen."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._ids: set[str] = set()
        self._barren = 0

    def fresh(self, page: CheckoutList) -> list[Checkout]:
        """The checkouts of *page* that no page before it had."""
        fresh: list[Checkout] = []
        for checkout in page.checkouts:
            if checkout.id not in self._ids:
                self._ids.add(checkout.id)
                fresh.append(checkout)
        self._barren = 0 if fresh else self._barren + 1
        return fresh

    def after(self, page: CheckoutList) -> Token:
        """The token of the page after *page*; None after the last, which may also say "" or null."""
        token = page.next_page_token or None
        if token is not None:
            if token in self._tokens:
                raise PaginationError(
                    "listCheckouts: the service gave the same nextPageToken twice", operation="listCheckouts"
                )
            if self._barren >= BARREN_LIMIT:
                raise PaginationError(
                    f"listCheckouts: {BARREN_LIMIT} pages in a row had nothing new", operation="listCheckouts"
                )
            self._tokens.add(token)
        return token


Page = TypeVar("Page")


class Listing(Generic[Page]):
    """Common part of `Checkouts.list` and `AsyncCheckouts.list`: nothing is sent before it is read."""

    def __init__(self, fetch: Callable[[Token], Page]) -> None:
        self._fetch = fetch


class SyncListing(Listing[CheckoutList]):
    """Iterate over it for checkouts, over `.pages()` for lists of them; each iteration starts anew."""

    def pages(self) -> Iterator[list[Checkout]]:
        """One list of checkouts a page; a list may be empty while more pages follow."""
        progress, token = _Progress(), None
        while True:
            page = self._fetch(token)
            yield progress.fresh(page)
            token = progress.after(page)
            if token is None:
                return

    def __iter__(self) -> Iterator[Checkout]:
        for page in self.pages():
            yield from page


class AsyncListing(Listing[Awaitable[CheckoutList]]):
    """Iterate over it for checkouts, over `.pages()` for lists of them; each iteration starts anew."""

    async def pages(self) -> AsyncIterator[list[Checkout]]:
        """One list of checkouts a page; a list may be empty while more pages follow."""
        progress, token = _Progress(), None
        while True:
            page = await self._fetch(token)
            yield progress.fresh(page)
            token = progress.after(page)
            if token is None:
                return

    async def __aiter__(self) -> AsyncIterator[Checkout]:
        async for page in self.pages():
            for checkout in page:
                yield checkout
