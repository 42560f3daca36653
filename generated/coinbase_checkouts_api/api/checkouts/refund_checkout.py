# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error_body import ErrorBody
from ...models.error_list_body import ErrorListBody
from ...models.refund_checkout_request import RefundCheckoutRequest
from ...models.refund_result import RefundResult
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: str,
    *,
    body: RefundCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/v1/checkouts/{id}/refund".format(
            id=quote(str(id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorBody | ErrorBody | ErrorListBody | RefundResult | None:
    if response.status_code == 200:
        response_200 = RefundResult.from_dict(response.json())

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
) -> Response[ErrorBody | ErrorBody | ErrorListBody | RefundResult]:
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
    body: RefundCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[ErrorBody | ErrorBody | ErrorListBody | RefundResult]:
    """Refund a checkout

     Starts a full or partial refund of a paid checkout. It begins PENDING; a webhook or a later reading
    of `refunds` tells how it ended. Send an idempotency key, or a retry may refund twice.

    Args:
        id (str):
        x_idempotency_key (str | Unset):
        body (RefundCheckoutRequest): How much goes back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | ErrorBody | ErrorListBody | RefundResult]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient | Client,
    body: RefundCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> ErrorBody | ErrorBody | ErrorListBody | RefundResult | None:
    """Refund a checkout

     Starts a full or partial refund of a paid checkout. It begins PENDING; a webhook or a later reading
    of `refunds` tells how it ended. Send an idempotency key, or a retry may refund twice.

    Args:
        id (str):
        x_idempotency_key (str | Unset):
        body (RefundCheckoutRequest): How much goes back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | ErrorBody | ErrorListBody | RefundResult
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient | Client,
    body: RefundCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[ErrorBody | ErrorBody | ErrorListBody | RefundResult]:
    """Refund a checkout

     Starts a full or partial refund of a paid checkout. It begins PENDING; a webhook or a later reading
    of `refunds` tells how it ended. Send an idempotency key, or a retry may refund twice.

    Args:
        id (str):
        x_idempotency_key (str | Unset):
        body (RefundCheckoutRequest): How much goes back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorBody | ErrorBody | ErrorListBody | RefundResult]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient | Client,
    body: RefundCheckoutRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> ErrorBody | ErrorBody | ErrorListBody | RefundResult | None:
    """Refund a checkout

     Starts a full or partial refund of a paid checkout. It begins PENDING; a webhook or a later reading
    of `refunds` tells how it ended. Send an idempotency key, or a retry may refund twice.

    Args:
        id (str):
        x_idempotency_key (str | Unset):
        body (RefundCheckoutRequest): How much goes back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorBody | ErrorBody | ErrorListBody | RefundResult
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            body=body,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
