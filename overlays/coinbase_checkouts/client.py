"""
`Checkouts` and `AsyncCheckouts`: the five operations, sync and async.

Both are shells around the same conversations (`calls`); they differ only in how they send and wait. A
client may be shared by threads or tasks, opens no connection before it is used, and is closed by `with`
or `close()`.
"""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from coinbase_checkouts_api.models import Checkout, CheckoutList, CheckoutStatus, RefundResult

from . import operations
from .auth import ApiKey, JwtAuth
from .calls import Attempt, Conversation, Pause, Surroundings, converse
from .errors import CheckoutsError
from .operations import Amount, Call, Checks, Made, Moment
from .pagination import AsyncListing, SyncListing, Token
from .raw import RawResponse, raw
from .retries import RetryPolicy
from .seam import httpx
from .sensor import Drift, Sensor
from .transport import PRODUCTION, AsyncTransport, SyncTransport, checked_base_url
from .waiting import Until, poll

P = ParamSpec("P")
T = TypeVar("T")
_DEFAULTS: Final = RetryPolicy()
_NO_KEY: Final[Any] = None


def _only_key(given: object) -> ApiKey | TypeError:
    """*given*, or the error to raise where it is no longer a local."""
    if isinstance(given, ApiKey):
        return given
    return TypeError(f"api_key must be an ApiKey, not {type(given).__name__}; see ApiKey.from_file")


def _policy(timeout: float, deadline: float, max_retries: int) -> RetryPolicy:
    """
    The settings as the conversations use them.

    Raises:
        ValueError: A setting that would mean no attempt, or one without end.
    """
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError("max_retries: a whole number, 0 or more")
    for name, seconds in (("timeout", timeout), ("deadline", deadline)):
        if not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] -- None is a usual guess
            raise TypeError(f"{name}: seconds, a finite number, not {type(seconds).__name__}")
        # Not `seconds <= 0`: a NaN must not pass.
        if not 0 < seconds < float("inf"):
            raise ValueError(f"{name}: seconds, more than 0 and finite")
    return RetryPolicy(max_retries=max_retries, timeout_s=timeout, deadline_s=deadline)


class _Base:
    """What both clients know; nothing in here sends anything."""

    # Debuggers call repr() on what is half made, too.
    _base_url: str = ""

    def __init__(
        self,
        api_key: ApiKey | TypeError,
        *,
        base_url: str,
        sandbox: bool,
        timeout: float,
        deadline: float,
        max_retries: int,
        validate: bool,
        strict: bool,
        on_drift: Callable[[Drift], None] | None,
    ) -> None:
        if isinstance(api_key, TypeError):
            raise api_key
        self._base_url = checked_base_url(base_url, sandbox=sandbox)
        self._auth = JwtAuth(api_key)
        self._policy = _policy(timeout, deadline, max_retries)
        self._validate = validate
        self._world = Surroundings(
            time.time, time.monotonic, random.random, self._learn_offset, Sensor(on_drift).report, strict
        )

    @property
    def base_url(self) -> str:
        """The address that the paths of the description are added to."""
        return self._base_url

    def with_options(
        self, *, timeout: float | None = None, deadline: float | None = None, max_retries: int | None = None
    ) -> Self:
        """This client with other settings, for one call or many; it shares the connections. None keeps what is."""
        policy = _policy(
            self._policy.timeout_s if timeout is None else timeout,
            self._policy.deadline_s if deadline is None else deadline,
            self._policy.max_retries if max_retries is None else max_retries,
        )
        other = copy.copy(self)
        vars(other).update(_policy=policy)
        return other

    def _checks(self) -> Checks:
        return Checks(self._world.now_s(), enabled=self._validate)

    def _converse(self, call: Call[T], deadline_s: float | None) -> Conversation[T]:
        # A wait has less time left than a call of its own would have.
        limit_s = min(self._policy.deadline_s, deadline_s or self._policy.deadline_s)
        return converse(call, replace(self._policy, deadline_s=limit_s), self._world)

    def _learn_offset(self, seconds: float) -> None:
        self._auth.offset_s = seconds

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
        timeout: float = _DEFAULTS.timeout_s,
        deadline: float = _DEFAULTS.deadline_s,
        max_retries: int = _DEFAULTS.max_retries,
        validate: bool = True,
        strict: bool = False,
        on_drift: Callable[[Drift], None] | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        # Rebound at once: somebody gives the key itself, and a traceback shows the locals of this frame.
        key, api_key = _only_key(api_key), _NO_KEY
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

    def _run(self, call: Made[T], *, deadline_s: float | None = None) -> T:
        conversation = self._converse(operations.checked(call), deadline_s)
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

    def with_raw_response(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        """
        Call one of the methods above and return its result with status, headers, time and attempts.

            raw = checkouts.with_raw_response(checkouts.create, "100.50")
            raw.status, raw.headers["date"], raw.attempts, raw.parsed.url
        """
        return raw(method(*args, **kwargs))

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
        timeout: float = _DEFAULTS.timeout_s,
        deadline: float = _DEFAULTS.deadline_s,
        max_retries: int = _DEFAULTS.max_retries,
        validate: bool = True,
        strict: bool = False,
        on_drift: Callable[[Drift], None] | None = None,
        http_client: httpx.AsyncClient | None = None,
        aiohttp: bool = True,
    ) -> None:
        # Rebound at once: somebody gives the key itself, and a traceback shows the locals of this frame.
        key, api_key = _only_key(api_key), _NO_KEY
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

    async def _run(self, call: Made[T], *, deadline_s: float | None = None) -> T:
        conversation = self._converse(operations.checked(call), deadline_s)
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

    async def with_raw_response(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> RawResponse[T]:
        """As `Checkouts.with_raw_response`."""
        return raw(await method(*args, **kwargs))

    async def close(self) -> None:
        """Close the connections. A closed client raises RuntimeError."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
