"""
The five operations as plain data: arguments in, a `Call` out, nothing sent.

What the compiled functions accept is shaped here, and what they make is held against the description; all
that is wrong is told at once. Of the compiled operations only `_get_kwargs` is used, which builds a request and sends nothing; their sending
and parsing halves lose errors (a 503 becomes None, a 520 a ValueError).
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar

from coinbase_checkouts_api.api.checkouts.create_checkout import _get_kwargs as create_kwargs
from coinbase_checkouts_api.api.checkouts.deactivate_checkout import _get_kwargs as deactivate_kwargs
from coinbase_checkouts_api.api.checkouts.get_checkout import _get_kwargs as get_kwargs
from coinbase_checkouts_api.api.checkouts.list_checkouts import _get_kwargs as list_kwargs
from coinbase_checkouts_api.api.checkouts.refund_checkout import _get_kwargs as refund_kwargs
from coinbase_checkouts_api.models import (
    Checkout,
    CheckoutList,
    CheckoutStatus,
    CreateCheckoutRequest,
    CreateCheckoutRequestMetadata,
    Network,
    RefundCheckoutRequest,
    RefundResult,
)
from coinbase_checkouts_api.types import UNSET, Unset

from . import idempotency
from .errors import InvalidRequestError, Violation
from .validation import Request, path_violations, violations

T = TypeVar("T")
U = TypeVar("U")
Amount = Decimal | int | str
Moment = datetime | str


@dataclass(frozen=True, slots=True)
class Checks:
    """
    How a request is held against the description.

    Attributes:
        now_s: Unix seconds.
        enabled: False leaves only what keeps a request from reaching another address than it names.
    """

    now_s: float
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """
    One operation, ready to be sent any number of times with the same bytes.

    Attributes:
        operation: operationId of the description.
        path: Below the base URL.
        writes: Whether it may change something, so that a lost answer leaves the outcome unknown.
        read: Makes the model of a successful answer's JSON.
        settlement: How to find out whether it is done, for an operation without a key.
    """

    operation: str
    method: str
    path: str
    read: Callable[[Mapping[str, Any]], T]
    writes: bool
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    content: bytes | None = None
    idempotency_key: str | None = None
    settlement: Settlement[T] | None = None


@dataclass(frozen=True, slots=True)
class Settlement(Generic[T]):
    """The call that reads how things are, and whether its answer says that the operation is done."""

    read: Call[T]
    done: Callable[[T], bool]


def create(
    amount: Amount,
    currency: str,
    *,
    network: str | None,
    description: str | None,
    metadata: Mapping[str, str] | None,
    expires_at: Moment | None,
    success_redirect_url: str | None,
    fail_redirect_url: str | None,
    idempotency_key: str | None,
    checks: Checks,
) -> Call[Checkout]:
    """createCheckout; see `Checkouts.create`."""
    key = idempotency.new_key() if idempotency_key is None else idempotency_key
    problems: list[Violation] = []
    body = CreateCheckoutRequest(
        amount=money(amount, problems),
        currency=currency,
        network=_maybe(network, Network),
        description=_given(description),
        expires_at=_moment("expiresAt", expires_at, problems),
        metadata=_metadata(metadata, problems),
        success_redirect_url=_given(success_redirect_url),
        fail_redirect_url=_given(fail_redirect_url),
    )
    compiled = create_kwargs(body=body, x_idempotency_key=key)
    return _call("createCheckout", compiled, Checkout.from_dict, checks, problems, writes=True, key=key)


def get(id: str, checks: Checks) -> Call[Checkout]:
    """getCheckout; see `Checkouts.get`."""
    return _call("getCheckout", get_kwargs(id), Checkout.from_dict, checks, path={"id": id})


def list_page(
    *,
    status: Sequence[CheckoutStatus] | None,
    start_time: Moment | None,
    end_time: Moment | None,
    description_query: str | None,
    page_size: int | None,
    page_token: str | None,
    checks: Checks,
) -> Call[CheckoutList]:
    """listCheckouts, one page; see `Checkouts.list`."""
    problems: list[Violation] = []
    compiled = list_kwargs(
        page_size=_given(page_size),
        page_token=_given(page_token),
        status=_maybe(status, list),
        start_time=_moment("startTime", start_time, problems),
        end_time=_moment("endTime", end_time, problems),
        description_query=_given(description_query),
    )
    return _call("listCheckouts", compiled, CheckoutList.from_dict, checks, problems)


def deactivate(id: str, checks: Checks) -> Call[Checkout]:
    """
    deactivateCheckout; see `Checkouts.deactivate`.

    It takes no key and needs none: it cannot be done twice. But after a lost answer the second attempt is
    refused just because the first succeeded; then the checkout itself tells.
    """
    compiled = deactivate_kwargs(id)
    call = _call("deactivateCheckout", compiled, Checkout.from_dict, checks, path={"id": id}, writes=True)
    return replace(
        call, settlement=Settlement(get(id, checks), lambda found: found.status == CheckoutStatus.DEACTIVATED)
    )


def refund(
    id: str,
    amount: Amount,
    *,
    currency: str | None,
    reason: str | None,
    idempotency_key: str | None,
    checks: Checks,
) -> Call[RefundResult]:
    """refundCheckout; see `Checkouts.refund`."""
    key = idempotency.new_key() if idempotency_key is None else idempotency_key
    problems: list[Violation] = []
    body = RefundCheckoutRequest(amount=money(amount, problems), currency=_given(currency), reason=_given(reason))
    compiled = refund_kwargs(id, body=body, x_idempotency_key=key)
    return _call("refundCheckout", compiled, _refund_result, checks, problems, path={"id": id}, writes=True, key=key)


def derived_key(
    given: str | None, reference: str | None, operation: Literal["create", "refund"], refund_id: str | None = None
) -> str | None:
    """
    The key to send: the one given, or one derived from your own ids, or None for a fresh one.

    Raises:
        ValueError: Both a key and an id to derive one from.
    """
    name, own = ("refund_id", refund_id) if operation == "refund" else ("order_id", reference)
    if own is None:
        return given
    if given is not None:
        raise ValueError(f"idempotency_key: give either it or {name}, which it would be derived from")
    return idempotency.key_for(reference or "", operation=operation, refund_id=refund_id)


def money(amount: Amount, problems: list[Violation]) -> str:
    """
    An amount as the wire's text, no digit added or lost; a Decimal that is no number is a problem.

    Raises:
        TypeError: A float, which has already lost digits, or any other type.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
        raise TypeError(
            f"amount must be Decimal, int or str, not {type(amount).__name__}; write Decimal('0.10') or '0.10'"
        )
    if isinstance(amount, Decimal):
        if not amount.is_finite():
            problems.append(Violation("/amount", "pattern", "must be a finite number"))
        return format(amount, "f")
    return str(amount)


def several(
    given: CheckoutStatus | str | Iterable[CheckoutStatus | str] | None,
) -> Sequence[CheckoutStatus] | None:
    """One status or many as a sequence, which can be read once for every page."""
    if given is None:
        return None
    return [CheckoutStatus(value) for value in ([given] if isinstance(given, str) else given)]


def _given(value: T | None) -> T | Unset:
    return UNSET if value is None else value


def _maybe(value: T | None, shape: Callable[[T], U]) -> U | Unset:
    return UNSET if value is None else shape(value)


def _moment(name: str, value: Moment | None, problems: list[Violation]) -> datetime | Unset:
    if value is None:
        return UNSET
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        problems.append(Violation(f"/{name}", "format", "must be a time in RFC 3339, such as 2026-03-20T10:30:00Z"))
        return UNSET
    if moment.utcoffset() is None:
        problems.append(Violation(f"/{name}", "format", "must have a time zone, as datetime.now(UTC) has"))
        return UNSET
    return moment


def _metadata(given: object, problems: list[Violation]) -> CreateCheckoutRequestMetadata | Unset:
    if given is None:
        return UNSET
    if not isinstance(given, Mapping):
        problems.append(Violation("/metadata", "type", "must be a mapping of texts to texts"))
        return UNSET
    return CreateCheckoutRequestMetadata.from_dict(given)


def _refund_result(body: Mapping[str, Any]) -> RefundResult:
    """
    The documented {checkout, refund}; or a bare checkout with refunds, which one deployment answers.

    Source: note on RefundResult in spec/openapi.yaml.
    """
    refunds = body.get("refunds")
    if "checkout" not in body and isinstance(refunds, list) and refunds:
        newest: Mapping[str, Any] = max(refunds, key=_created_at)
        return RefundResult.from_dict({"checkout": body, "refund": newest})
    return RefundResult.from_dict(body)


def _created_at(refund: Mapping[str, Any]) -> str:
    return str(refund["createdAt"])


def _call(
    operation: str,
    compiled: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], T],
    checks: Checks,
    problems: Sequence[Violation] = (),
    *,
    path: Mapping[str, Any] = MappingProxyType({}),
    writes: bool = False,
    key: str | None = None,
) -> Call[T]:
    """
    A Call of what a compiled `_get_kwargs` gives: the arguments of `httpx.Client.request`.

    Raises:
        InvalidRequestError: With everything that is wrong: *problems*, and all that the description forbids.
    """
    body = compiled.get("json")
    request = Request(operation, path, compiled.get("params", {}), compiled.get("headers", {}), body)
    found = [*problems, *path_violations(request)]
    if checks.enabled:
        # What could not even be shaped is told once.
        known = {problem.pointer for problem in problems}
        found += [told for told in violations(request, now_s=checks.now_s) if told.pointer not in known]
    if found:
        raise InvalidRequestError(found, operation=operation, idempotency_key=key)
    return Call(
        operation=operation,
        method=compiled["method"].upper(),
        path=compiled["url"],
        read=read,
        writes=writes,
        params=compiled.get("params"),
        headers=compiled.get("headers"),
        # Bytes, once: every attempt sends the same, whatever becomes of the caller's objects meanwhile.
        content=None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode(),
        idempotency_key=key,
    )
