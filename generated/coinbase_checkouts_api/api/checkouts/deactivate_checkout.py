# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.checkout import Checkout
from ...models.error_body import ErrorBody
from ...models.error_list_body import ErrorListBody
from ...types import Response


def _get_kwargs(
    id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/checkouts/{id}/deactivate".format(
            id=quote(str(id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Checkout | ErrorBody | ErrorBody | ErrorListBody | None:
    if response.status_code == 200:
        response_200 = Checkout.from_dict(response.json())

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

    if response.status_code == 404:
        response_404 = ErrorBody.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = ErrorBody.from_dict(response.json())

        return response_409

    if response.status_code == 422:
        response_422 = ErrorBody.from_dict(response.json())

        return response_422

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
) -> Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]:
    """Deactivate a checkout

     Ends an ACTIVE checkout, for good. The reference page has no body and no idempotency key; the
    mapping page's sample sends an empty object. After an unclear answer, read the checkout: DEACTIVATED
    means it is done.

    Args:
        id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]
    """

    kwargs = _get_kwargs(
        id=id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Checkout | ErrorBody | ErrorBody | ErrorListBody | None:
    """Deactivate a checkout

     Ends an ACTIVE checkout, for good. The reference page has no body and no idempotency key; the
    mapping page's sample sends an empty object. After an unclear answer, read the checkout: DEACTIVATED
    means it is done.

    Args:
        id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Checkout | ErrorBody | ErrorBody | ErrorListBody
    """

    return sync_detailed(
        id=id,
        client=client,
    ).parsed


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]:
    """Deactivate a checkout

     Ends an ACTIVE checkout, for good. The reference page has no body and no idempotency key; the
    mapping page's sample sends an empty object. After an unclear answer, read the checkout: DEACTIVATED
    means it is done.

    Args:
        id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]
    """

    kwargs = _get_kwargs(
        id=id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Checkout | ErrorBody | ErrorBody | ErrorListBody | None:
    """Deactivate a checkout

     Ends an ACTIVE checkout, for good. The reference page has no body and no idempotency key; the
    mapping page's sample sends an empty object. After an unclear answer, read the checkout: DEACTIVATED
    means it is done.

    Args:
        id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Checkout | ErrorBody | ErrorBody | ErrorListBody
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
        )
    ).parsed
