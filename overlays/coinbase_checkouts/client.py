"""
`Checkouts` and `AsyncCheckouts`: the five operations, sync and async.

Both are shells around the same conversations (`calls`); they differ only in how they send and wait. A
client may be shared by threads or tasks, opens no connection before it is used, and is closed by `with`
or `close()`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from coinbase_checkouts_api.models import Checkout, CheckoutList, CheckoutStatus, RefundResult

from . import operations
from .auth import ApiKey, JwtAuth
from .calls import Attempt, Conversation, converse
from .operations import Amount, Call, Moment
from .pagination import AsyncListing, SyncListing, Token
from .retries import RetryPolicy
from .transport import PRODUCTION, AsyncTransport, SyncTransport, checked_base_url

T = TypeVar("T")
_DEFAULTS: Final = RetryPolicy()


class _Base:
    """What both clients know; nothing in here sends anything."""

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str,
        sandbox: bool,
        timeout: float,
        deadline: float,
        max_retries: int,
    ) -> None:
        if not isinstance(api_key, ApiKey):  # pyright: ignore[reportUnnecessaryIsInstance] -- a str is the usual mistake
            raise TypeError(f"api_key must be an ApiKey, not {type(api_key).__name__}; see ApiKey.from_file")
        if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError("max_retries: a whole number, 0 or more")
        for name, seconds in (("timeout", timeout), ("deadline", deadline)):
            # Not `seconds <= 0`: a NaN must not pass.
            if not 0 < seconds < float("inf"):
                raise ValueError(f"{name}: seconds, more than 0 and finite")
        self._base_url = checked_base_url(base_url, sandbox=sandbox)
        self._auth = JwtAuth(api_key)
        self._policy = RetryPolicy(max_retries=max_retries, timeout_s=timeout, deadline_s=deadline)

    @property
    def base_url(self) -> str:
        """The address that the paths of the description are added to."""
        return self._base_url

    def _converse(self, call: Call[T]) -> Conversation[T]:
        return converse(call, self._policy, now_s=time.time, monotonic_s=time.monotonic, draw=random.random)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"


class Checkouts(_Base):
    """
    The Checkouts API, blocking.

    Args:
        api_key: `ApiKey.from_file("cdp_api_key.json")`, for instance.
        base_url: The service's origin, with or without `/sandbox`.
        sandbox: Use Coinbase's own sandbox: adds `/sandbox` to *base_url*.
        timeout: Seconds for one attempt.
        deadline: Seconds for a whole call, its retries and waits included.
        max_retries: Attempts after the first; 0 for none. See `coinbase_checkouts.retries`.
        http_client: Your own httpx client, with its proxies and hooks; not closed by ours.

    Every method raises the errors of `coinbase_checkouts.errors`.
    """

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str = PRODUCTION,
        sandbox: bool = False,
        timeout: float = _DEFAULTS.timeout_s,
        deadline: float = _DEFAULTS.deadline_s,
        max_retries: int = _DEFAULTS.max_retries,
        http_client: httpx.Client | None = None,
    ) -> None:
        super().__init__(
            api_key, base_url=base_url, sandbox=sandbox, timeout=timeout, deadline=deadline, max_retries=max_retries
        )
        self._transport = SyncTransport(self._base_url, self._auth, http_client)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client with the key of the environment (`ApiKey.from_env`); *options* as for the class."""
        return cls(ApiKey.from_env(), **options)

    def create(
        self,
        amount: Amount,
        currency: str = "USDC",
        *,
        network: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expires_at: Moment | None = None,
        success_redirect_url: str | None = None,
        fail_redirect_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Checkout:
        """
        Create a checkout; send the payer to its `url`.

        A payer who comes back to *success_redirect_url* has authorised, not paid: only the status
        COMPLETED is paid.

        Args:
            amount: 0.01 to 100000000 with at most two decimals; Decimal, int or str, never float.
            currency: USDC, or USD, EUR, SGD or GBP where the account has them.
            network: Leave it out for base, the only one.
            description: Shown to the payer; at most 500 characters.
            metadata: Your own keys and values, passed through: at most 20, values of at most 100 characters.
            expires_at: A time with its zone, in the future. Give it: the default is 1 hour or 24 hours,
                depending on the document one asks.
            success_redirect_url: https, where the payer goes after authorising.
            fail_redirect_url: https, where the payer goes after a failed authorisation.
            idempotency_key: A lower-case UUID v4; fresh if None. The service forgets it after 24 hours:
                it protects a retry, not next week's cron job.
        """
        return self._run(
            operations.create(
                amount,
                currency,
                network=network,
                description=description,
                metadata=metadata,
                expires_at=expires_at,
                success_redirect_url=success_redirect_url,
                fail_redirect_url=fail_redirect_url,
                idempotency_key=idempotency_key,
            )
        )

    def get(self, id: str) -> Checkout:
        """Read one checkout; *id* is 24 lower-case hexadecimal digits."""
        return self._run(operations.get(id))

    def list(
        self,
        *,
        status: CheckoutStatus | str | Iterable[CheckoutStatus | str] | None = None,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        description_query: str | None = None,
        page_size: int | None = None,
    ) -> SyncListing:
        """
        All checkouts that match, read page by page as you iterate.

        Args:
            status: One status, or several of which any will do.
            start_time: Created then or later; a time with its zone.
            end_time: Created then or earlier.
            description_query: Part of the description, in any case; at most 500 characters.
            page_size: Checkouts a page, 1 to 100; the service's default is 20.
        """
        query = partial(
            operations.list_page,
            status=operations.several(status),
            start_time=start_time,
            end_time=end_time,
            description_query=description_query,
            page_size=page_size,
        )
        query(page_token=None)  # a wrong argument is told here, not at the first iteration

        def fetch(token: Token) -> CheckoutList:
            return self._run(query(page_token=token))

        return SyncListing(fetch)

    def deactivate(self, id: str) -> Checkout:
        """End an ACTIVE checkout, for good."""
        return self._run(operations.deactivate(id))

    def refund(
        self,
        id: str,
        amount: Amount,
        *,
        currency: str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> RefundResult:
        """
        Start a refund of a COMPLETED or PARTIALLY_REFUNDED checkout; it begins PENDING.

        Args:
            amount: More than 0, at most what is left; Decimal, int or str, never float.
            currency: The checkout's original fiat currency, or USDC, if None.
            reason: For your records; at most 500 characters.
            idempotency_key: As for `create`. Give each refund of one checkout its own.

        Returns:
            `.refund`, the one just started, and `.checkout`.
        """
        return self._run(
            operations.refund(id, amount, currency=currency, reason=reason, idempotency_key=idempotency_key)
        )

    def _run(self, call: Call[T]) -> T:
        conversation = self._converse(call)
        step = next(conversation)
        try:
            while True:
                if isinstance(step, Attempt):
                    step = conversation.send(self._transport.send(step))
                else:
                    time.sleep(step.seconds)
                    step = next(conversation)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the connections. A closed client raises RuntimeError."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncCheckouts(_Base):
    """The Checkouts API for asyncio; all as in `Checkouts`, which documents it."""

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str = PRODUCTION,
        sandbox: bool = False,
        timeout: float = _DEFAULTS.timeout_s,
        deadline: float = _DEFAULTS.deadline_s,
        max_retries: int = _DEFAULTS.max_retries,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            api_key, base_url=base_url, sandbox=sandbox, timeout=timeout, deadline=deadline, max_retries=max_retries
        )
        self._transport = AsyncTransport(self._base_url, self._auth, http_client)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client with the key of the environment (`ApiKey.from_env`); *options* as for the class."""
        return cls(ApiKey.from_env(), **options)

    async def create(
        self,
        amount: Amount,
        currency: str = "USDC",
        *,
        network: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expires_at: Moment | None = None,
        success_redirect_url: str | None = None,
        fail_redirect_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Checkout:
        """As `Checkouts.create`."""
        return await self._run(
            operations.create(
                amount,
                currency,
                network=network,
                description=description,
                metadata=metadata,
                expires_at=expires_at,
                success_redirect_url=success_redirect_url,
                fail_redirect_url=fail_redirect_url,
                idempotency_key=idempotency_key,
            )
        )

    async def get(self, id: str) -> Checkout:
        """As `Checkouts.get`."""
        return await self._run(operations.get(id))

    def list(
        self,
        *,
        status: CheckoutStatus | str | Iterable[CheckoutStatus | str] | None = None,
        start_time: Moment | None = None,
        end_time: Moment | None = None,
        description_query: str | None = None,
        page_size: int | None = None,
    ) -> AsyncListing:
        """As `Checkouts.list`; iterate with `async for`."""
        query = partial(
            operations.list_page,
            status=operations.several(status),
            start_time=start_time,
            end_time=end_time,
            description_query=description_query,
            page_size=page_size,
        )
        query(page_token=None)  # a wrong argument is told here, not at the first iteration

        async def fetch(token: Token) -> CheckoutList:
            return await self._run(query(page_token=token))

        return AsyncListing(fetch)

    async def deactivate(self, id: str) -> Checkout:
        """As `Checkouts.deactivate`."""
        return await self._run(operations.deactivate(id))

    async def refund(
        self,
        id: str,
        amount: Amount,
        *,
        currency: str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> RefundResult:
        """As `Checkouts.refund`."""
        return await self._run(
            operations.refund(id, amount, currency=currency, reason=reason, idempotency_key=idempotency_key)
        )

    async def _run(self, call: Call[T]) -> T:
        conversation = self._converse(call)
        step = next(conversation)
        try:
            while True:
                if isinstance(step, Attempt):
                    step = conversation.send(await self._transport.send(step))
                else:
                    await asyncio.sleep(step.seconds)
                    step = next(conversation)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Close the connections. A closed client raises RuntimeError."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
