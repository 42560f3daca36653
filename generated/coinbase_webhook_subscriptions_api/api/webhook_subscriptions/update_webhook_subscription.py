# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_body import ErrorBody
from ...models.webhook_subscription import WebhookSubscription
from ...models.webhook_subscription_request import WebhookSubscriptionRequest
from ...types import Response


def _get_kwargs(
    subscription_id: str,
    *,
    body: WebhookSubscriptionRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/platform/v2/data/webhooks/subscriptions/{subscription_id}".format(
            subscription_id=quote(str(subscription_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorBody | WebhookSubscription | None:
    if response.status_code == 200:
        response_200 = WebhookSubscription.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ErrorBody.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ErrorBody.from_dict(response.json())

        return response_401

    if response.status_code == 404:
        response_404 = ErrorBody.from_dict(response.json())

        return response_404

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
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> Response[ErrorBody | WebhookSubscription]:
    """Replace a webhook subscription

     Replaces everything that was asked for at creation; the id and the secret stay. Read the
    subscription first and send back what should stay, but never `metadata.secret`. The same request
    twice is the same as once.

    Args:
        subscription_id (str):
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | WebhookSubscription]
    """

    kwargs = _get_kwargs(
        subscription_id=subscription_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> ErrorBody | WebhookSubscription | None:
    """Replace a webhook subscription

     Replaces everything that was asked for at creation; the id and the secret stay. Read the
    subscription first and send back what should stay, but never `metadata.secret`. The same request
    twice is the same as once.

    Args:
        subscription_id (str):
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | WebhookSubscription
    """

    return sync_detailed(
        subscription_id=subscription_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> Response[ErrorBody | WebhookSubscription]:
    """Replace a webhook subscription

     Replaces everything that was asked for at creation; the id and the secret stay. Read the
    subscription first and send back what should stay, but never `metadata.secret`. The same request
    twice is the same as once.

    Args:
        subscription_id (str):
        body (WebhookSubscriptionRequest): What to deliver, and where to. Both to create a
            subscription and to replace one.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | WebhookSubscription]
    """

    kwargs = _get_kwargs(
        subscription_id=subscription_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: WebhookSubscriptionRequest,
) -> ErrorBody | WebhookSubscription | None:
    """Replace a webhook subscription

     Replaces everything that was asked for at creation; the id and the secret stay. Read the
    subscription first and send back what should stay, but never `metadata.secret`. The same request
    twice is the same as once.

    Args:
        subscription_id (str):
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
            subscription_id=subscription_id,
            client=client,
            body=body,
        )
    ).parsed
