"""
`Subscriptions` and `AsyncSubscriptions`: where webhooks are delivered, which, and what became of them.

Another API than that of checkouts, on another host, with the same key. Of the secret nothing is shown:

    subscription = subscriptions.create("https://shop.example/webhooks")
    webhooks.verify(body, headers, subscription.secret.reveal())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from coinbase_checkouts_api.types import UNSET, Unset
from coinbase_webhook_subscriptions_api.models import WebhookEvent

from . import subscribing
from .auth import ApiKey, Secret
from .operations import Moment, checked
from .pagination import AsyncPages, Page, SyncPages, Token
from .seam import httpx
from .sensor import Drift
from .shells import DEFAULTS, NO_KEY, AsyncShell, Shell, SyncShell, only_key
from .subscribing import EVENT_TYPES, SANDBOX_LABELS, Subscription, Wanted
from .transport import SANDBOX_PREFIX, AsyncTransport, SyncTransport, is_local

__all__ = [
    "EVENT_TYPES",
    "PLATFORM",
    "AsyncSubscriptions",
    "Secret",
    "Subscription",
    "Subscriptions",
    "WebhookEvent",
]

PLATFORM: Final = "https://api.cdp.coinbase.com"
Deliveries = list[WebhookEvent]


class _Subscribing(Shell):
    """What both have in common."""

    _labels: Mapping[str, str]

    def _settle(self, *, sandbox: bool) -> None:
        # One address may serve both APIs; this one has no such prefix.
        self._base_url = self._base_url.removesuffix(SANDBOX_PREFIX)
        self._labels = SANDBOX_LABELS if sandbox else {}

    @property
    def _local(self) -> bool:
        return is_local(httpx.URL(self._base_url).host)

    def _labelled(self, labels: Mapping[str, str] | None) -> Mapping[str, str] | None:
        # What is no mapping is told by the check.
        return {**labels, **self._labels} if isinstance(labels, Mapping) else labels or self._labels or None


class Subscriptions(SyncShell, _Subscribing):
    """
    The Webhook Subscriptions API, blocking.

    Args:
        api_key: As for `Checkouts`; each token names this host.
        base_url: The service's origin, or a sandbox's.
        sandbox: For the events of Coinbase's own sandbox: every subscription that is created or replaced has the
            label `sandbox`, `"true"`, without which it gets none of them, and with which no others.
        timeout, deadline, max_retries, validate, strict, on_drift, http_client: As for `Checkouts`.

    Every method raises the errors of `coinbase_checkouts.errors`. No operation takes an idempotency key.
    """

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str = PLATFORM,
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
            sandbox=False,
            production=PLATFORM,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            validate=validate,
            strict=strict,
            on_drift=on_drift,
        )
        self._settle(sandbox=sandbox)
        self._transport = SyncTransport(self._base_url, self._auth, http_client)

    def create(
        self,
        url: str,
        event_types: Iterable[str] = EVENT_TYPES,
        *,
        description: str | None = None,
        enabled: bool = True,
        headers: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Subscription:
        """
        Start deliveries to *url*; keep the secret of what is returned.

        There is no idempotency key, so this is never repeated once it may have had its effect: then the error's
        `outcome` is UNKNOWN. Look for it before you try again, for two subscriptions are every delivery twice, with
        two secrets: `[one for one in subscriptions.list() if one.url == url]`.

        Args:
            url: https; http only from a sandbox of this machine to this machine.
            event_types: By default all of checkouts. One that is left out goes unnoticed.
            description: For you; at most 100 characters.
            headers: What every delivery is to carry, such as a credential for your gateway.
            metadata: Your own: at most 10 keys of at most 40 characters, values of at most 500.
            labels: Which of the events; see *sandbox* of the class.
        """
        wanted = Wanted(
            url=url,
            event_types=event_types,
            enabled=enabled,
            description=description,
            headers=headers,
            metadata=metadata,
            labels=self._labelled(labels),
        )
        return self._run(subscribing.create(wanted, self._checks(), local=self._local))

    def get(self, id: str) -> Subscription:
        """Read one subscription, its secret included."""
        return self._run(subscribing.get(id, self._checks()))

    def list(self, *, page_size: int | None = None) -> SyncPages[Subscription]:
        """
        All subscriptions of the account, newest first, read page by page as you iterate; other products' are among them.

        Args:
            page_size: 1 to 100; the service's default is 20.
        """
        checked(subscribing.list_page(page_size=page_size, page_token=None, checks=self._checks()))

        def fetch(token: Token) -> Page[Subscription]:
            return self._run(subscribing.list_page(page_size=page_size, page_token=token, checks=self._checks()))

        return SyncPages(fetch)

    def replace(
        self,
        id: str,
        *,
        url: str,
        event_types: Iterable[str],
        enabled: bool,
        description: str | None,
        headers: Mapping[str, str] | None,
        metadata: Mapping[str, str] | None,
        labels: Mapping[str, str] | None,
    ) -> Subscription:
        """
        Make the subscription all of this and nothing else; id and secret stay.

        What is not sent is gone, so everything has to be said: None is for none. To change one thing and keep the
        others, see `change`.
        """
        wanted = Wanted(
            url=url,
            event_types=event_types,
            enabled=enabled,
            description=description,
            headers=headers,
            metadata=metadata,
            labels=self._labelled(labels),
        )
        return self._run(subscribing.replace(id, wanted, self._checks(), local=self._local))

    def change(
        self,
        id: str,
        *,
        url: str | Unset = UNSET,
        event_types: Iterable[str] | Unset = UNSET,
        enabled: bool | Unset = UNSET,
        description: str | Unset | None = UNSET,
        headers: Mapping[str, str] | Unset | None = UNSET,
        metadata: Mapping[str, str] | Unset | None = UNSET,
        labels: Mapping[str, str] | Unset | None = UNSET,
    ) -> Subscription:
        """
        Read the subscription, then replace it with what was read and these changes; None takes one away.

        These are two calls, and the API has no way to say "only if nobody changed it since": of two such changes at
        once, one may be lost. The copy of the secret, and the label that the service added, are not sent back.
        """
        changes = _given(url=url, event_types=event_types, enabled=enabled, description=description, headers=headers,
                         metadata=metadata, labels=labels)  # fmt: skip
        wanted = subscribing.changed(self.get(id), **changes)
        return self._run(subscribing.replace(id, wanted, self._checks(), local=self._local))

    def delete(self, id: str) -> None:
        """
        End a subscription, its secret and its deliveries, for good. For a pause, `change(id, enabled=False)`.

        That there is no such subscription is an error at first, and done if an attempt before it got no answer.
        """
        self._run(subscribing.delete(id, self._checks()))

    def deliveries(
        self,
        id: str,
        *,
        event_id: str | None = None,
        min_created_at: Moment | None = None,
        max_created_at: Moment | None = None,
        event_types: Iterable[str] | None = None,
    ) -> Deliveries:
        """
        The newest 50 of the subscription's events that match, newest first, and how their delivery went.

        There is no next page: to look further back give the `created_at` of the last one as *max_created_at*. What
        was delivered is not part of it, and how far it goes back is not documented.

        Args:
            id: The subscription's.
            event_id: X-Event-Id of a delivery.
            min_created_at: Created then or later; a time with its zone.
            max_created_at: Created then or earlier.
            event_types: Only these.
        """
        return self._run(
            subscribing.deliveries(
                id,
                event_id=event_id,
                min_created_at=min_created_at,
                max_created_at=max_created_at,
                event_types=event_types,
                checks=self._checks(),
            )
        )


class AsyncSubscriptions(AsyncShell, _Subscribing):
    """The Webhook Subscriptions API for asyncio; all as in `Subscriptions`, which documents it."""

    def __init__(
        self,
        api_key: ApiKey,
        *,
        base_url: str = PLATFORM,
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
            sandbox=False,
            production=PLATFORM,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
            validate=validate,
            strict=strict,
            on_drift=on_drift,
        )
        self._settle(sandbox=sandbox)
        self._transport = AsyncTransport(self._base_url, self._auth, http_client, aiohttp=aiohttp)

    async def create(
        self,
        url: str,
        event_types: Iterable[str] = EVENT_TYPES,
        *,
        description: str | None = None,
        enabled: bool = True,
        headers: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Subscription:
        """As `Subscriptions.create`."""
        wanted = Wanted(
            url=url,
            event_types=event_types,
            enabled=enabled,
            description=description,
            headers=headers,
            metadata=metadata,
            labels=self._labelled(labels),
        )
        return await self._run(subscribing.create(wanted, self._checks(), local=self._local))

    async def get(self, id: str) -> Subscription:
        """As `Subscriptions.get`."""
        return await self._run(subscribing.get(id, self._checks()))

    def list(self, *, page_size: int | None = None) -> AsyncPages[Subscription]:
        """As `Subscriptions.list`; iterate with `async for`."""
        checked(subscribing.list_page(page_size=page_size, page_token=None, checks=self._checks()))

        async def fetch(token: Token) -> Page[Subscription]:
            return await self._run(subscribing.list_page(page_size=page_size, page_token=token, checks=self._checks()))

        return AsyncPages(fetch)

    async def replace(
        self,
        id: str,
        *,
        url: str,
        event_types: Iterable[str],
        enabled: bool,
        description: str | None,
        headers: Mapping[str, str] | None,
        metadata: Mapping[str, str] | None,
        labels: Mapping[str, str] | None,
    ) -> Subscription:
        """As `Subscriptions.replace`."""
        wanted = Wanted(
            url=url,
            event_types=event_types,
            enabled=enabled,
            description=description,
            headers=headers,
            metadata=metadata,
            labels=self._labelled(labels),
        )
        return await self._run(subscribing.replace(id, wanted, self._checks(), local=self._local))

    async def change(
        self,
        id: str,
        *,
        url: str | Unset = UNSET,
        event_types: Iterable[str] | Unset = UNSET,
        enabled: bool | Unset = UNSET,
        description: str | Unset | None = UNSET,
        headers: Mapping[str, str] | Unset | None = UNSET,
        metadata: Mapping[str, str] | Unset | None = UNSET,
        labels: Mapping[str, str] | Unset | None = UNSET,
    ) -> Subscription:
        """As `Subscriptions.change`."""
        changes = _given(url=url, event_types=event_types, enabled=enabled, description=description, headers=headers,
                         metadata=metadata, labels=labels)  # fmt: skip
        wanted = subscribing.changed(await self.get(id), **changes)
        return await self._run(subscribing.replace(id, wanted, self._checks(), local=self._local))

    async def delete(self, id: str) -> None:
        """As `Subscriptions.delete`."""
        await self._run(subscribing.delete(id, self._checks()))

    async def deliveries(
        self,
        id: str,
        *,
        event_id: str | None = None,
        min_created_at: Moment | None = None,
        max_created_at: Moment | None = None,
        event_types: Iterable[str] | None = None,
    ) -> Deliveries:
        """As `Subscriptions.deliveries`."""
        return await self._run(
            subscribing.deliveries(
                id,
                event_id=event_id,
                min_created_at=min_created_at,
                max_created_at=max_created_at,
                event_types=event_types,
                checks=self._checks(),
            )
        )


def _given(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if not isinstance(value, Unset)}
