# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_body import ErrorBody
from ...models.webhook_subscription import WebhookSubscription
from ...models.webhook_subscription_request import WebhookSubscriptionRequest
from ...types import Response


def _get_kwargs(
    *,
    body: WebhookSubscriptionRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/platform/v2/data/webhooks/subscriptions",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorBody | WebhookSubscription | None:
    if response.status_code == 201:
        response_201 = WebhookSubscription.from_dict(response.json())

        return response_201

    if response.status_code == 400:
        response_400 = ErrorBody.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ErrorBody.from_dict(response.json())

        return response_401

    if response.status_code == 429:
        response_429 = ErrorBody.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = ErrorBody.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorBody | WebhookSubscription]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> Response[ErrorBody | WebhookSubscription]:
    """Create a webhook subscription

     Starts deliveries to `target`. Keep the secret of the answer: every delivery is signed with it. No
    idempotency key is described, so a retry may make a second subscription, and with it every delivery
    twice.

    Args:
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | WebhookSubscription]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> ErrorBody | WebhookSubscription | None:
    """Create a webhook subscription

     Starts deliveries to `target`. Keep the secret of the answer: every delivery is signed with it. No
    idempotency key is described, so a retry may make a second subscription, and with it every delivery
    twice.

    Args:
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | WebhookSubscription
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> Response[ErrorBody | WebhookSubscription]:
    """Create a webhook subscription

     Starts deliveries to `target`. Keep the secret of the answer: every delivery is signed with it. No
    idempotency key is described, so a retry may make a second subscription, and with it every delivery
    twice.

    Args:
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | WebhookSubscription]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> ErrorBody | WebhookSubscription | None:
    """Create a webhook subscription

     Starts deliveries to `target`. Keep the secret of the answer: every delivery is signed with it. No
    idempotency key is described, so a retry may make a second subscription, and with it every delivery
    twice.

    Args:
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | WebhookSubscription
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
