"""
Listings: lazy items, or pages, over any "give me the page after this token".

The order of a listing is not documented, and checkouts are made while it is read: an item that moves to
a later page is given once. A token that comes for the second time, however many pages lie between, ends
the listing with an error instead of going round for ever; so do many pages in a row with nothing new.

Source: rule list.partition in spec/openapi.yaml.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from coinbase_checkouts_api.models import Checkout, CheckoutList

from .errors import PaginationError

Item = TypeVar("Item")
Token = str | None
# A filter may leave pages empty, but not this many: the tokens go on though the listing does not.
BARREN_LIMIT: Final = 250


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """
    A page of anything.

    Attributes:
        items: Each with its id.
        token: Of the page after it; the last one has none, or "".
        operation: Whose it is.
    """

    items: Sequence[tuple[str, Item]]
    token: Token
    operation: str


class _Progress(Generic[Item]):
    """Which tokens and items one reading of a listing has seen."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._ids: set[str] = set()
        self._barren = 0

    def fresh(self, page: Page[Item]) -> list[Item]:
        """The items of *page* that no page before it had."""
        fresh: list[Item] = []
        for id, item in page.items:  # noqa: A001 -- the API's word
            if id not in self._ids:
                self._ids.add(id)
                fresh.append(item)
        self._barren = 0 if fresh else self._barren + 1
        return fresh

    def after(self, page: Page[Item]) -> Token:
        """The token of the page after *page*; None after the last."""
        token, operation = page.token or None, page.operation
        if token is not None:
            if token in self._tokens:
                raise PaginationError(
                    f"{operation}: the service gave the same nextPageToken twice", operation=operation
                )
            if self._barren >= BARREN_LIMIT:
                raise PaginationError(
                    f"{operation}: {BARREN_LIMIT} pages in a row had nothing new", operation=operation
                )
            self._tokens.add(token)
        return token


class SyncPages(Generic[Item]):
    """Iterate over it for items, over `.pages()` for lists of them; each iteration starts anew, and is lazy."""

    def __init__(self, fetch: Callable[[Token], Page[Item]]) -> None:
        self._fetch_page = fetch

    def pages(self) -> Iterator[list[Item]]:
        """One list of items a page; a list may be empty while more pages follow."""
        progress: _Progress[Item] = _Progress()
        token: Token = None
        while True:
            page = self._fetch_page(token)
            yield progress.fresh(page)
            token = progress.after(page)
            if token is None:
                return

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page


class AsyncPages(Generic[Item]):
    """Iterate over it for items, over `.pages()` for lists of them; each iteration starts anew, and is lazy."""

    def __init__(self, fetch: Callable[[Token], Awaitable[Page[Item]]]) -> None:
        self._fetch_page = fetch

    async def pages(self) -> AsyncIterator[list[Item]]:
        """One list of items a page; a list may be empty while more pages follow."""
        progress: _Progress[Item] = _Progress()
        token: Token = None
        while True:
            page = await self._fetch_page(token)
            yield progress.fresh(page)
            token = progress.after(page)
            if token is None:
                return

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page:
                yield item


class SyncListing(SyncPages[Checkout]):
    """What `Checkouts.list` gives."""

    def __init__(self, fetch: Callable[[Token], CheckoutList]) -> None:
        super().__init__(lambda token: _page(fetch(token)))


class AsyncListing(AsyncPages[Checkout]):
    """What `AsyncCheckouts.list` gives."""

    def __init__(self, fetch: Callable[[Token], Awaitable[CheckoutList]]) -> None:
        async def fetch_page(token: Token) -> Page[Checkout]:
            return _page(await fetch(token))

        super().__init__(fetch_page)


def _page(found: CheckoutList) -> Page[Checkout]:
    return Page(
        [(checkout.id, checkout) for checkout in found.checkouts], found.next_page_token or None, "listCheckouts"
    )
