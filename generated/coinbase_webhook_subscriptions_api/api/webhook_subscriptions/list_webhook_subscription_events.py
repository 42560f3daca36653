# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_body import ErrorBody
from ...models.webhook_event_list import WebhookEventList
from ...types import UNSET, Response, Unset


def _get_kwargs(
    subscription_id: str,
    *,
    event_id: str | Unset = UNSET,
    min_created_at: datetime.datetime | Unset = UNSET,
    max_created_at: datetime.datetime | Unset = UNSET,
    event_type_names: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["eventId"] = event_id

    json_min_created_at: str | Unset = UNSET
    if not isinstance(min_created_at, Unset):
        json_min_created_at = (
            min_created_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )
    params["minCreatedAt"] = json_min_created_at

    json_max_created_at: str | Unset = UNSET
    if not isinstance(max_created_at, Unset):
        json_max_created_at = (
            max_created_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )
    params["maxCreatedAt"] = json_max_created_at

    params["eventTypeNames"] = event_type_names

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/platform/v2/data/webhooks/subscriptions/{subscription_id}/events".format(
            subscription_id=quote(str(subscription_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorBody | WebhookEventList | None:
    if response.status_code == 200:
        response_200 = WebhookEventList.from_dict(response.json())

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
) -> Response[ErrorBody | WebhookEventList]:
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
    event_id: str | Unset = UNSET,
    min_created_at: datetime.datetime | Unset = UNSET,
    max_created_at: datetime.datetime | Unset = UNSET,
    event_type_names: str | Unset = UNSET,
) -> Response[ErrorBody | WebhookEventList]:
    """List the events of a webhook subscription

     What was delivered to a subscription and how it went: the place to look for events that never
    arrived. One answer and no pages; to see further back, ask again with `maxCreatedAt`. The events'
    bodies are not in it, and how long it goes back is not documented.

    Args:
        subscription_id (str):
        event_id (str | Unset):
        min_created_at (datetime.datetime | Unset):
        max_created_at (datetime.datetime | Unset):
        event_type_names (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | WebhookEventList]
    """

    kwargs = _get_kwargs(
        subscription_id=subscription_id,
        event_id=event_id,
        min_created_at=min_created_at,
        max_created_at=max_created_at,
        event_type_names=event_type_names,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    event_id: str | Unset = UNSET,
    min_created_at: datetime.datetime | Unset = UNSET,
    max_created_at: datetime.datetime | Unset = UNSET,
    event_type_names: str | Unset = UNSET,
) -> ErrorBody | WebhookEventList | None:
    """List the events of a webhook subscription

     What was delivered to a subscription and how it went: the place to look for events that never
    arrived. One answer and no pages; to see further back, ask again with `maxCreatedAt`. The events'
    bodies are not in it, and how long it goes back is not documented.

    Args:
        subscription_id (str):
        event_id (str | Unset):
        min_created_at (datetime.datetime | Unset):
        max_created_at (datetime.datetime | Unset):
        event_type_names (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | WebhookEventList
    """

    return sync_detailed(
        subscription_id=subscription_id,
        client=client,
        event_id=event_id,
        min_created_at=min_created_at,
        max_created_at=max_created_at,
        event_type_names=event_type_names,
    ).parsed


async def asyncio_detailed(
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    event_id: str | Unset = UNSET,
    min_created_at: datetime.datetime | Unset = UNSET,
    max_created_at: datetime.datetime | Unset = UNSET,
    event_type_names: str | Unset = UNSET,
) -> Response[ErrorBody | WebhookEventList]:
    """List the events of a webhook subscription

     What was delivered to a subscription and how it went: the place to look for events that never
    arrived. One answer and no pages; to see further back, ask again with `maxCreatedAt`. The events'
    bodies are not in it, and how long it goes back is not documented.

    Args:
        subscription_id (str):
        event_id (str | Unset):
        min_created_at (datetime.datetime | Unset):
        max_created_at (datetime.datetime | Unset):
        event_type_names (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | WebhookEventList]
    """

    kwargs = _get_kwargs(
        subscription_id=subscription_id,
        event_id=event_id,
        min_created_at=min_created_at,
        max_created_at=max_created_at,
        event_type_names=event_type_names,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    subscription_id: str,
    *,
    client: AuthenticatedClient | Client,
    event_id: str | Unset = UNSET,
    min_created_at: datetime.datetime | Unset = UNSET,
    max_created_at: datetime.datetime | Unset = UNSET,
    event_type_names: str | Unset = UNSET,
) -> ErrorBody | WebhookEventList | None:
    """List the events of a webhook subscription

     What was delivered to a subscription and how it went: the place to look for events that never
    arrived. One answer and no pages; to see further back, ask again with `maxCreatedAt`. The events'
    bodies are not in it, and how long it goes back is not documented.

    Args:
        subscription_id (str):
        event_id (str | Unset):
        min_created_at (datetime.datetime | Unset):
        max_created_at (datetime.datetime | Unset):
        event_type_names (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | WebhookEventList
    """

    return (
        await asyncio_detailed(
            subscription_id=subscription_id,
            client=client,
            event_id=event_id,
            min_created_at=min_created_at,
            max_created_at=max_created_at,
            event_type_names=event_type_names,
        )
    ).parsed
