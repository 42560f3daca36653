"""
The six operations on webhook subscriptions as plain data: arguments in, a `Call` out, nothing sent.

A subscription is read into `Subscription`, and not into the compiled model, whose repr has the secret.

Source: spec/webhook-subscriptions.yaml.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeVar

from coinbase_checkouts_api.models import EventType
from coinbase_checkouts_api.types import Unset
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions.create_webhook_subscription import (
    _get_kwargs as create_kwargs,
)
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions.delete_webhook_subscription import (
    _get_kwargs as delete_kwargs,
)
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions.get_webhook_subscription import (
    _get_kwargs as get_kwargs,
)
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions.list_webhook_subscription_events import (
    _get_kwargs as events_kwargs,
)
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions.list_webhook_subscriptions import (
    _get_kwargs as list_kwargs,
)
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions.update_webhook_subscription import (
    _get_kwargs as update_kwargs,
)
from coinbase_webhook_subscriptions_api.models import (
    WebhookEvent,
    WebhookEventList,
    WebhookSubscription,
    WebhookSubscriptionRequest,
    WebhookSubscriptionRequestLabels,
    WebhookSubscriptionRequestMetadata,
    WebhookTargetRequest,
    WebhookTargetRequestHeaders,
)

from .auth import Secret
from .errors import Violation
from .operations import Checks, Made, Moment, call_of, quotable, texts, utc_moment
from .pagination import Page
from .seam import httpx
from .transport import is_local

Shape = TypeVar(
    "Shape", WebhookSubscriptionRequestLabels, WebhookSubscriptionRequestMetadata, WebhookTargetRequestHeaders
)

EVENT_TYPES: Final = tuple(kind.value for kind in EventType)
"""The five of checkouts."""
SANDBOX_LABELS: Final[Mapping[str, str]] = MappingProxyType({"sandbox": "true"})
_ABOUT: Final = "subscription"
# As the description's pattern is told.
_NOT_HTTPS: Final = Violation("/target/url", "pattern", "must match ^https://.*")
_SAYS_HTTPS: Final = Violation("/target/url", "pattern", "must be an https:// URL; deliveries hold payers' data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    What is delivered where.

    Attributes:
        event_types: An open set: those of Coinbase's other products as well.
        headers: What every delivery carries. Not shown by repr: they may hold a credential.
        metadata: Your own keys and values, without the copy of the secret.
        labels: `{"sandbox": "true"}` for the events of Coinbase's sandbox; perhaps with one of the service's own.
        secret: What deliveries are signed with, for `webhooks.verify`: `subscription.secret.reveal()`. None if the
            answer had none. Neither repr, log, error nor pickle shows it.
        own_label: The name of the label that the service added, if it told.
        extra: Fields that nobody documented.
    """

    id: str
    url: str
    event_types: tuple[str, ...]
    enabled: bool
    created_at: datetime
    updated_at: datetime | None = None
    description: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secret: Secret | None = field(default=None, compare=False)
    own_label: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_sandbox(self) -> bool:
        """Whether it gets the events of Coinbase's sandbox, and no others."""
        return self.labels.get("sandbox") == SANDBOX_LABELS["sandbox"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that a subscription can be asked to be; None is for none. What a replacement leaves out is gone."""

    url: str
    event_types: Iterable[str]
    enabled: bool
    description: str | None
    headers: Mapping[str, str] | None = field(repr=False)
    metadata: Mapping[str, str] | None
    labels: Mapping[str, str] | None


def create(wanted: Wanted, checks: Checks, *, local: bool) -> Made[Subscription]:
    """
    createWebhookSubscription; see `Subscriptions.create`.

    Args:
        local: The API is one of this machine, which may deliver over http.
    """
    problems: list[Violation] = []
    accepted = _scheme(wanted.url, problems, local=local)
    return call_of(
        "createWebhookSubscription",
        create_kwargs(body=_body(wanted, problems)),
        _subscription,
        checks,
        problems,
        writes=True,
        accepted=accepted,
        about=_ABOUT,
        repeatable=False,
    )


def replace(id: str, wanted: Wanted, checks: Checks, *, local: bool) -> Made[Subscription]:
    """updateWebhookSubscription; see `Subscriptions.replace`."""
    problems: list[Violation] = []
    accepted = _scheme(wanted.url, problems, local=local)
    return call_of(
        "updateWebhookSubscription",
        update_kwargs(quotable(id), body=_body(wanted, problems)),
        _subscription,
        checks,
        problems,
        path={"subscriptionId": id},
        writes=True,
        answers=_is(id),
        accepted=accepted,
        about=_ABOUT,
    )


def get(id: str, checks: Checks) -> Made[Subscription]:
    """getWebhookSubscription; see `Subscriptions.get`."""
    return call_of(
        "getWebhookSubscription",
        get_kwargs(quotable(id)),
        _subscription,
        checks,
        path={"subscriptionId": id},
        answers=_is(id),
        about=_ABOUT,
    )


def delete(id: str, checks: Checks) -> Made[None]:
    """deleteWebhookSubscription; see `Subscriptions.delete`."""
    return call_of(
        "deleteWebhookSubscription",
        delete_kwargs(quotable(id)),
        _nothing,
        checks,
        path={"subscriptionId": id},
        writes=True,
        about=_ABOUT,
        removes=True,
    )


def list_page(*, page_size: int | None, page_token: str | None, checks: Checks) -> Made[Page[Subscription]]:
    """listWebhookSubscriptions, one page; see `Subscriptions.list`."""
    compiled = list_kwargs(**_present(page_size=page_size, page_token=page_token))
    return call_of("listWebhookSubscriptions", compiled, _page, checks)


def deliveries(
    id: str,
    *,
    event_id: str | None,
    min_created_at: Moment | None,
    max_created_at: Moment | None,
    event_types: Iterable[str] | None,
    checks: Checks,
) -> Made[list[WebhookEvent]]:
    """listWebhookSubscriptionEvents; see `Subscriptions.deliveries`."""
    problems: list[Violation] = []
    query = _present(
        event_id=event_id,
        min_created_at=utc_moment("minCreatedAt", min_created_at, problems),
        max_created_at=utc_moment("maxCreatedAt", max_created_at, problems),
        event_type_names=None if event_types is None else ",".join(_listed("/eventTypeNames", event_types, problems)),
    )
    return call_of(
        "listWebhookSubscriptionEvents",
        events_kwargs(quotable(id), **query),
        lambda answer: WebhookEventList.from_dict(answer).events,
        checks,
        problems,
        path={"subscriptionId": id},
    )


def changed(found: Subscription, **changes: Any) -> Wanted:
    """All that *found* was asked to be, but for *changes*; what the service added itself is not asked for."""
    labels = {name: value for name, value in found.labels.items() if name != found.own_label}
    asked: dict[str, Any] = {
        "url": found.url,
        "event_types": found.event_types,
        "enabled": found.enabled,
        "description": found.description,
        "headers": found.headers or None,
        "metadata": found.metadata or None,
        "labels": labels or None,
    }
    return Wanted(**asked | changes)


def _scheme(url: object, problems: list[Violation], *, local: bool) -> tuple[Violation, ...]:
    """What the description forbids and is all right here: http between two that share a machine or its network."""
    try:
        target = httpx.URL(url if isinstance(url, str) else "")
    except (httpx.InvalidURL, UnicodeError):
        return ()
    if target.scheme != "http":
        return ()
    if local and is_local(target.host):
        return (_NOT_HTTPS,)
    problems.append(_SAYS_HTTPS)
    return ()


def _body(wanted: Wanted, problems: list[Violation]) -> WebhookSubscriptionRequest:
    headers = _shaped(WebhookTargetRequestHeaders, texts("/target/headers", wanted.headers, problems))
    more = _present(
        description=wanted.description,
        metadata=_shaped(WebhookSubscriptionRequestMetadata, texts("/metadata", wanted.metadata, problems)),
        labels=_shaped(WebhookSubscriptionRequestLabels, texts("/labels", wanted.labels, problems)),
    )
    return WebhookSubscriptionRequest(
        event_types=_listed("/eventTypes", wanted.event_types, problems),
        is_enabled=wanted.enabled,
        target=WebhookTargetRequest(url=wanted.url, **_present(headers=headers)),
        **more,
    )


def _shaped(model: type[Shape], given: Mapping[str, Any] | None) -> Shape | None:
    return None if given is None else model.from_dict(given)


def _listed(place: str, event_types: object, problems: list[Violation]) -> list[str]:
    """One, or several; a member of an enum as its text."""
    if not isinstance(event_types, Iterable):
        problems.append(Violation(place, "type", "must be a text, or a list of texts"))
        return []
    return [str(kind) for kind in ([event_types] if isinstance(event_types, str) else event_types)]


def _present(**given: Any) -> dict[str, Any]:
    # Each compiled package has an Unset of its own.
    return {name: value for name, value in given.items() if not isinstance(value, Unset | None)}


def _is(id: str) -> Callable[[Subscription], bool]:
    return lambda subscription: subscription.id == id


def _nothing(_: Mapping[str, Any]) -> None:
    """There is no body."""


def _page(body: Mapping[str, Any]) -> Page[Subscription]:
    """
    A page.

    Raises:
        TypeError: Its token is none that could be sent back; the rest of the listing would be lost silently.
    """
    token = body.get("nextPageToken")
    if not isinstance(token, str | None):
        raise TypeError
    found = [_subscription(item) for item in body["subscriptions"]]
    return Page([(one.id, one) for one in found], token, "listWebhookSubscriptions")


def _subscription(body: Mapping[str, Any]) -> Subscription:
    """
    A subscription; the secret is at its root or, where published answers have it only there, in its metadata.

    Source: rule subscription.secret in spec/webhook-subscriptions.yaml.
    """
    model = WebhookSubscription.from_dict(body)
    metadata = model.metadata.to_dict() if model.metadata else {}
    copied = metadata.pop("secret", None)
    secret = model.secret or copied
    beyond = model.target.additional_properties
    return Subscription(
        id=model.subscription_id,
        url=model.target.url,
        event_types=tuple(model.event_types),
        enabled=model.is_enabled,
        created_at=model.created_at,
        updated_at=model.updated_at or None,
        description=model.description or None,
        headers=model.target.headers.to_dict() if model.target.headers else {},
        metadata=metadata,
        labels=model.labels.to_dict() if model.labels else {},
        secret=Secret(secret) if secret else None,
        own_label=model.label_key or None,
        extra={**model.additional_properties, **({"target": beyond} if beyond else {})},
    )
