# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
import datetime
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.checkout_list import CheckoutList
from ...models.checkout_status import CheckoutStatus
from ...models.error_body import ErrorBody
from ...models.error_list_body import ErrorListBody
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page_size: int | Unset = 20,
    page_token: str | Unset = UNSET,
    status: list[CheckoutStatus] | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    description_query: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["pageSize"] = page_size

    params["pageToken"] = page_token

    json_status: list[str] | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = []
        for status_item_data in status:
            status_item = status_item_data.value
            json_status.append(status_item)

    params["status"] = json_status

    json_start_time: str | Unset = UNSET
    if not isinstance(start_time, Unset):
        json_start_time = (
            start_time.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )
    params["startTime"] = json_start_time

    json_end_time: str | Unset = UNSET
    if not isinstance(end_time, Unset):
        json_end_time = (
            end_time.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )
    params["endTime"] = json_end_time

    params["descriptionQuery"] = description_query

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/checkouts",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CheckoutList | ErrorBody | ErrorBody | ErrorListBody | None:
    if response.status_code == 200:
        response_200 = CheckoutList.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ErrorBody.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ErrorBody.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = ErrorBody.from_dict(response.json())

        return response_403

    if response.status_code == 429:

        def _parse_response_429(data: object) -> ErrorBody | ErrorListBody:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_429_type_0 = ErrorBody.from_dict(data)

                return response_429_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_429_type_1 = ErrorListBody.from_dict(data)

            return response_429_type_1

        response_429 = _parse_response_429(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = ErrorBody.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = ErrorBody.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[CheckoutList | ErrorBody | ErrorBody | ErrorListBody]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    page_size: int | Unset = 20,
    page_token: str | Unset = UNSET,
    status: list[CheckoutStatus] | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    description_query: str | Unset = UNSET,
) -> Response[CheckoutList | ErrorBody | ErrorBody | ErrorListBody]:
    """List checkouts

     One page of checkouts. Send `nextPageToken` back as `pageToken`, with the same filters, until no
    token comes. The order is not documented.

    Args:
        page_size (int | Unset):  Default: 20.
        page_token (str | Unset):
        status (list[CheckoutStatus] | Unset):
        start_time (datetime.datetime | Unset):
        end_time (datetime.datetime | Unset):
        description_query (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CheckoutList | ErrorBody | ErrorBody | ErrorListBody]
    """

    kwargs = _get_kwargs(
        page_size=page_size,
        page_token=page_token,
        status=status,
        start_time=start_time,
        end_time=end_time,
        description_query=description_query,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    page_size: int | Unset = 20,
    page_token: str | Unset = UNSET,
    status: list[CheckoutStatus] | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    description_query: str | Unset = UNSET,
) -> CheckoutList | ErrorBody | ErrorBody | ErrorListBody | None:
    """List checkouts

     One page of checkouts. Send `nextPageToken` back as `pageToken`, with the same filters, until no
    token comes. The order is not documented.

    Args:
        page_size (int | Unset):  Default: 20.
        page_token (str | Unset):
        status (list[CheckoutStatus] | Unset):
        start_time (datetime.datetime | Unset):
        end_time (datetime.datetime | Unset):
        description_query (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CheckoutList | ErrorBody | ErrorBody | ErrorListBody
    """

    return sync_detailed(
        client=client,
        page_size=page_size,
        page_token=page_token,
        status=status,
        start_time=start_time,
        end_time=end_time,
        description_query=description_query,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    page_size: int | Unset = 20,
    page_token: str | Unset = UNSET,
    status: list[CheckoutStatus] | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    description_query: str | Unset = UNSET,
) -> Response[CheckoutList | ErrorBody | ErrorBody | ErrorListBody]:
    """List checkouts

     One page of checkouts. Send `nextPageToken` back as `pageToken`, with the same filters, until no
    token comes. The order is not documented.

    Args:
        page_size (int | Unset):  Default: 20.
        page_token (str | Unset):
        status (list[CheckoutStatus] | Unset):
        start_time (datetime.datetime | Unset):
        end_time (datetime.datetime | Unset):
        description_query (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CheckoutList | ErrorBody | ErrorBody | ErrorListBody]
    """

    kwargs = _get_kwargs(
        page_size=page_size,
        page_token=page_token,
        status=status,
        start_time=start_time,
        end_time=end_time,
        description_query=description_query,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    page_size: int | Unset = 20,
    page_token: str | Unset = UNSET,
    status: list[CheckoutStatus] | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    description_query: str | Unset = UNSET,
) -> CheckoutList | ErrorBody | ErrorBody | ErrorListBody | None:
    """List checkouts

     One page of checkouts. Send `nextPageToken` back as `pageToken`, with the same filters, until no
    token comes. The order is not documented.

    Args:
        page_size (int | Unset):  Default: 20.
        page_token (str | Unset):
        status (list[CheckoutStatus] | Unset):
        start_time (datetime.datetime | Unset):
        end_time (datetime.datetime | Unset):
        description_query (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CheckoutList | ErrorBody | ErrorBody | ErrorListBody
    """

    return (
        await asyncio_detailed(
            client=client,
            page_size=page_size,
            page_token=page_token,
            status=status,
            start_time=start_time,
            end_time=end_time,
            description_query=description_query,
        )
    ).parsed
