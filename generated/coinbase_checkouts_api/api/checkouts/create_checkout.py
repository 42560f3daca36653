# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.checkout import Checkout
from ...models.create_checkout_request import CreateCheckoutRequest
from ...models.error_body import ErrorBody
from ...models.error_list_body import ErrorListBody
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: CreateCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/checkouts",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Checkout | ErrorBody | ErrorBody | ErrorListBody | None:
    if response.status_code == 200:
        response_200 = Checkout.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = Checkout.from_dict(response.json())

        return response_201

    if response.status_code == 400:
        response_400 = ErrorBody.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ErrorBody.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = ErrorBody.from_dict(response.json())

        return response_403

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
    *,
    client: AuthenticatedClient | Client,
    body: CreateCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]:
    """Create a checkout

     Makes a single-use checkout with a hosted payment page at `url`. Send an idempotency key, or a retry
    may make a second checkout.

    Args:
        x_idempotency_key (str | Unset):
        body (CreateCheckoutRequest): What is asked of the payer.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]
    """

    kwargs = _get_kwargs(
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: CreateCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Checkout | ErrorBody | ErrorBody | ErrorListBody | None:
    """Create a checkout

     Makes a single-use checkout with a hosted payment page at `url`. Send an idempotency key, or a retry
    may make a second checkout.

    Args:
        x_idempotency_key (str | Unset):
        body (CreateCheckoutRequest): What is asked of the payer.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Checkout | ErrorBody | ErrorBody | ErrorListBody
    """

    return sync_detailed(
        client=client,
        body=body,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CreateCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]:
    """Create a checkout

     Makes a single-use checkout with a hosted payment page at `url`. Send an idempotency key, or a retry
    may make a second checkout.

    Args:
        x_idempotency_key (str | Unset):
        body (CreateCheckoutRequest): What is asked of the payer.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Checkout | ErrorBody | ErrorBody | ErrorListBody]
    """

    kwargs = _get_kwargs(
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: CreateCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Checkout | ErrorBody | ErrorBody | ErrorListBody | None:
    """Create a checkout

     Makes a single-use checkout with a hosted payment page at `url`. Send an idempotency key, or a retry
    may make a second checkout.

    Args:
        x_idempotency_key (str | Unset):
        body (CreateCheckoutRequest): What is asked of the payer.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Checkout | ErrorBody | ErrorBody | ErrorListBody
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
