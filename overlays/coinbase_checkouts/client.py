"""
`Checkouts` and `AsyncCheckouts`: the five operations, sync and async.

A client may be shared by threads or tasks, opens no connection before it is used, and is closed by `with`
or `close()`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from coinbase_checkouts_api.models import Checkout, CheckoutList, CheckoutStatus, RefundResult

from . import operations
from .auth import ApiKey
from .calls import Pause
from .errors import CheckoutsError
from .operations import Amount, Moment
from .pagination import AsyncListing, SyncListing, Token
from .seam import httpx
from .sensor import Drift
from .shells import DEFAULTS, NO_KEY, AsyncShell, SyncShell, only_key
from .transport import PRODUCTION, AsyncTransport, SyncTransport
from .waiting import Until, poll


class Checkouts(SyncShell):
    """
    The Checkouts API, blocking.

    Args:
        api_key: `ApiKey.from_file("cdp_api_key.json")`, for instance.
        base_url: The service's origin, with or without `/sandbox`.
        sandbox: Use Coinbase's own sandbox: adds `/sandbox` to *base_url*.
        timeout: Seconds for one attempt.
        deadline: Seconds for a whole call, its retries and waits included.
        max_retries: Attempts after the first; 0 for none. See `coinbase_checkouts.retries`.
        validate: Hold every request against the description before it is sent, and tell all that is wrong
            with it at once (`InvalidRequestError.violations`). An id is always checked: it is part of the address.
        strict: Raise `InvalidResponseError` for any answer that is not as described, instead of reporting it.
        on_drift: Called once for each kind of thing that the service answers and the description does not
            have: an unknown status, an undocumented field. It is logged as well, and the payment goes on.
            `sensor.JsonLines` writes it to a file.
        http_client: Your own httpx client, with its proxies and hooks; not closed by ours.

    Every method raises the errors of `coinbase_checkouts.errors`.
    """

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str = PRODUCTION,
        sandbox: bool = False,
        timeout: float = DEFAULTS.timeout_s,
        deadline: float = DEFAULTS.deadline_s,
        max_retries: int = DEFAULTS.max_retries,
        validate: bool = True,
        strict: bool = False,
        on_drift: Callable[[Drift], None] | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        # Rebound at once: somebody gives the key itself, and a traceback shows the locals of this frame.
        key, api_key = only_key(api_key), NO_KEY
        super().__init__(
            key,
            base_url=base_url,
            sandbox=sandbox,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            validate=validate,
            strict=strict,
            on_drift=on_drift,
        )
        self._transport = SyncTransport(self._base_url, self._auth, http_client)

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
        order_id: str | None = None,
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
            order_id: Your own id of the order: the idempotency key is derived from it, so that any process
                on any machine repeats this call safely, with the same arguments and within 24 hours. An
                *expires_at* counted from now would be another argument each time; count it from the order.
            idempotency_key: A lower-case UUID v4; if there is no *order_id* either, a fresh one. The service
                forgets it after 24 hours: it protects a retry, not next week's cron job.
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
                idempotency_key=operations.derived_key(idempotency_key, order_id, "create"),
                checks=self._checks(),
            )
        )

    def get(self, id: str) -> Checkout:
        """Read one checkout; *id* is 24 lower-case hexadecimal digits."""
        return self._run(operations.get(id, self._checks()))

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
            checks=self._checks(),
        )
        operations.checked(query(page_token=None))  # a wrong argument is told here, not at the first iteration

        def fetch(token: Token) -> CheckoutList:
            return self._run(query(page_token=token))

        return SyncListing(fetch)

    def deactivate(self, id: str) -> Checkout:
        """End an ACTIVE checkout, for good."""
        return self._run(operations.deactivate(id, self._checks()))

    def refund(
        self,
        id: str,
        amount: Amount,
        *,
        currency: str | None = None,
        reason: str | None = None,
        refund_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> RefundResult:
        """
        Start a refund of a COMPLETED or PARTIALLY_REFUNDED checkout; it begins PENDING.

        Args:
            amount: More than 0, at most what is left; Decimal, int or str, never float.
            currency: The checkout's original fiat currency, or USDC, if None.
            reason: For your records; at most 500 characters.
            refund_id: Your own id of this refund: the idempotency key is derived from it and *id*, as from
                `create`'s *order_id*. Give each refund of one checkout its own.
            idempotency_key: As for `create`.

        Returns:
            `.refund`, the one just started, and `.checkout`.
        """
        return self._run(
            operations.refund(
                id,
                amount,
                currency=currency,
                reason=reason,
                idempotency_key=operations.derived_key(idempotency_key, id, "refund", refund_id),
                checks=self._checks(),
            )
        )

    def wait(
        self,
        id: str,
        *,
        until: Until | None = None,
        timeout: float = 600.0,
        on_reading: Callable[[Checkout | CheckoutsError], None] | None = None,
    ) -> Checkout:
        """
        Read the checkout again and again, ever more slowly, until it is as wanted.

        Args:
            until: A status, several of which any will do, or a question such as `is_paid`; None for
                whatever decides the payment.
            timeout: Seconds in all.
            on_reading: Told the checkout each time it was read, or why it could not be.

        Raises:
            WaitTimeoutError: Not in time; `.checkout` is as it was last.
            NeverReachedError: The wanted status cannot come any more.
        """
        polling = poll(
            operations.checked(operations.get(id, self._checks())), until, timeout_s=timeout, world=self._world
        )
        step = next(polling)
        try:
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(polling)
                    continue
                try:
                    found: Checkout | CheckoutsError = self._run(step.call, deadline_s=step.deadline_s)
                except CheckoutsError as exc:
                    found = exc
                if on_reading is not None:
                    on_reading(found)
                step = polling.send(found)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


class AsyncCheckouts(AsyncShell):
    """
    The Checkouts API for asyncio; all as in `Checkouts`, which documents it.

    Args:
        aiohttp: Use aiohttp's connections if the extra [aiohttp] is installed; many calls at once are then
            several times cheaper. Instruments made for httpx, such as OpenTelemetry's, see httpx's own
            connections only. A *http_client* of your own is used as it is.
    """

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str = PRODUCTION,
        sandbox: bool = False,
        timeout: float = DEFAULTS.timeout_s,
        deadline: float = DEFAULTS.deadline_s,
        max_retries: int = DEFAULTS.max_retries,
        validate: bool = True,
        strict: bool = False,
        on_drift: Callable[[Drift], None] | None = None,
        http_client: httpx.AsyncClient | None = None,
        aiohttp: bool = True,
    ) -> None:
        # Rebound at once: somebody gives the key itself, and a traceback shows the locals of this frame.
        key, api_key = only_key(api_key), NO_KEY
        super().__init__(
            key,
            base_url=base_url,
            sandbox=sandbox,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            validate=validate,
            strict=strict,
            on_drift=on_drift,
        )
        self._transport = AsyncTransport(self._base_url, self._auth, http_client, aiohttp=aiohttp)

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
        order_id: str | None = None,
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
                idempotency_key=operations.derived_key(idempotency_key, order_id, "create"),
                checks=self._checks(),
            )
        )

    async def get(self, id: str) -> Checkout:
        """As `Checkouts.get`."""
        return await self._run(operations.get(id, self._checks()))

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
            checks=self._checks(),
        )
        operations.checked(query(page_token=None))  # a wrong argument is told here, not at the first iteration

        async def fetch(token: Token) -> CheckoutList:
            return await self._run(query(page_token=token))

        return AsyncListing(fetch)

    async def deactivate(self, id: str) -> Checkout:
        """As `Checkouts.deactivate`."""
        return await self._run(operations.deactivate(id, self._checks()))

    async def refund(
        self,
        id: str,
        amount: Amount,
        *,
        currency: str | None = None,
        reason: str | None = None,
        refund_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> RefundResult:
        """As `Checkouts.refund`."""
        return await self._run(
            operations.refund(
                id,
                amount,
                currency=currency,
                reason=reason,
                idempotency_key=operations.derived_key(idempotency_key, id, "refund", refund_id),
                checks=self._checks(),
            )
        )

    async def wait(
        self,
        id: str,
        *,
        until: Until | None = None,
        timeout: float = 600.0,  # noqa: ASYNC109 -- as in Checkouts.wait; its error has the checkout
        on_reading: Callable[[Checkout | CheckoutsError], None] | None = None,
    ) -> Checkout:
        """As `Checkouts.wait`."""
        polling = poll(
            operations.checked(operations.get(id, self._checks())), until, timeout_s=timeout, world=self._world
        )
        step = next(polling)
        try:
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = next(polling)
                    continue
                try:
                    found: Checkout | CheckoutsError = await self._run(step.call, deadline_s=step.deadline_s)
                except CheckoutsError as exc:
                    found = exc
                if on_reading is not None:
                    on_reading(found)
                step = polling.send(found)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
