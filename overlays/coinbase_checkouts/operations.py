"""
The five operations as plain data: arguments in, a `Call` out, nothing sent.

What the compiled functions accept is shaped here, and what they make is held against the description; all
that is wrong is told at once. Of the compiled operations only `_get_kwargs` is used, which builds a request and sends nothing; their sending
and parsing halves lose errors (a 503 becomes None, a 520 a ValueError).
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
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
from .reading import FINAL
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
        answers: Whether a model is about the checkout that was asked for.
        about: What that is called.
        repeatable: False if it would be done twice when it is sent again after an attempt whose effect is unclear.
        removes: It has no answer but that it is done; after an attempt whose effect is unclear, "not found" is that, too.
    """

    operation: str
    method: str
    path: str
    read: Callable[[Mapping[str, Any]], T]
    writes: bool
    # Not shown: tracebacks have the locals of our frames, and these hold what users send.
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    settlement: Settlement[T] | None = None
    answers: Callable[[T], bool] = field(default=lambda _: True, repr=False)
    about: str = "checkout"
    repeatable: bool = True
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Settlement(Generic[T]):
    """The call that reads how things are; whether its answer says that the operation is done, or cannot be any more."""

    read: Call[T]
    done: Callable[[T], bool]
    impossible: Callable[[T], bool]


# An error is given back, not raised: a frame that raises is shown in tracebacks with its locals, and here they
# hold the whole request.
Made = Call[T] | InvalidRequestError


def checked(made: Made[T]) -> Call[T]:
    """
    The call that was made.

    Raises:
        InvalidRequestError: It could not be.
    """
    if isinstance(made, InvalidRequestError):
        raise made
    return made


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
) -> Made[Checkout]:
    """createCheckout; see `Checkouts.create`."""
    key = idempotency.new_key() if idempotency_key is None else idempotency_key
    problems: list[Violation] = []
    body = CreateCheckoutRequest(
        amount=money(amount, problems),
        currency=currency,
        network=maybe(network, Network),
        description=or_unset(description),
        expires_at=utc_moment("expiresAt", expires_at, problems),
        metadata=maybe(texts("/metadata", metadata, problems), CreateCheckoutRequestMetadata.from_dict),
        success_redirect_url=or_unset(success_redirect_url),
        fail_redirect_url=or_unset(fail_redirect_url),
    )
    compiled = create_kwargs(body=body, x_idempotency_key=key)
    return call_of("createCheckout", compiled, Checkout.from_dict, checks, problems, writes=True, key=key)


def get(id: str, checks: Checks) -> Made[Checkout]:
    """getCheckout; see `Checkouts.get`."""
    compiled = get_kwargs(quotable(id))
    return call_of("getCheckout", compiled, Checkout.from_dict, checks, path={"id": id}, answers=_is(id))


def list_page(
    *,
    status: Sequence[CheckoutStatus] | None,
    start_time: Moment | None,
    end_time: Moment | None,
    description_query: str | None,
    page_size: int | None,
    page_token: str | None,
    checks: Checks,
) -> Made[CheckoutList]:
    """listCheckouts, one page; see `Checkouts.list`."""
    problems: list[Violation] = []
    compiled = list_kwargs(
        page_size=or_unset(page_size),
        page_token=or_unset(page_token),
        status=maybe(status, list),
        start_time=utc_moment("startTime", start_time, problems),
        end_time=utc_moment("endTime", end_time, problems),
        description_query=or_unset(description_query),
    )
    return call_of("listCheckouts", compiled, _page, checks, problems)


def deactivate(id: str, checks: Checks) -> Made[Checkout]:
    """
    deactivateCheckout; see `Checkouts.deactivate`.

    It takes no key and needs none: it cannot be done twice. But after a lost answer the second attempt is
    refused just because the first succeeded; then the checkout itself tells.
    """
    compiled = deactivate_kwargs(quotable(id))
    call = call_of(
        "deactivateCheckout", compiled, Checkout.from_dict, checks, path={"id": id}, writes=True, answers=_is(id)
    )
    reading = get(id, checks)
    if isinstance(call, InvalidRequestError) or isinstance(reading, InvalidRequestError):
        return call
    settlement = Settlement(
        reading,
        done=lambda found: found.status == CheckoutStatus.DEACTIVATED,
        impossible=lambda found: found.status in FINAL,
    )
    return replace(call, settlement=settlement)


def refund(
    id: str,
    amount: Amount,
    *,
    currency: str | None,
    reason: str | None,
    idempotency_key: str | None,
    checks: Checks,
) -> Made[RefundResult]:
    """refundCheckout; see `Checkouts.refund`."""
    key = idempotency.new_key() if idempotency_key is None else idempotency_key
    problems: list[Violation] = []
    body = RefundCheckoutRequest(amount=money(amount, problems), currency=or_unset(currency), reason=or_unset(reason))
    compiled = refund_kwargs(quotable(id), body=body, x_idempotency_key=key)
    return call_of(
        "refundCheckout",
        compiled,
        lambda answer: _refund_result(body.amount, answer),
        checks,
        problems,
        path={"id": id},
        writes=True,
        key=key,
        answers=lambda result: result.checkout.id == id,
    )


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
    # Python refuses to write out an int of thousands of digits.
    return str(amount) if isinstance(amount, str) or abs(amount) < 10**12 else str(10**12)


def several(
    given: CheckoutStatus | str | Iterable[CheckoutStatus | str] | None,
) -> Sequence[CheckoutStatus] | None:
    """One status or many as a sequence, which can be read once for every page."""
    if given is None:
        return None
    return [CheckoutStatus(str(value)) for value in ([given] if isinstance(given, str) else given)]


def or_unset(value: T | None) -> T | Unset:
    """*value* as the compiled functions take it."""
    return UNSET if value is None else value


def maybe(value: T | None, shape: Callable[[T], U]) -> U | Unset:
    """What *shape* makes of *value*, as the compiled functions take it."""
    return UNSET if value is None else shape(value)


def utc_moment(name: str, value: Moment | None, problems: list[Violation]) -> datetime | Unset:
    """A time as the compiled functions take it; one without its zone is a problem."""
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
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        problems.append(Violation(f"/{name}", "format", "must be a time between the years 1 and 9999, in UTC"))
        return UNSET


def texts(place: str, given: object, problems: list[Violation]) -> dict[str, Any] | None:
    """*given* as a JSON object, as far as its names go; what is wrong with its values the description tells."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        problems.append(Violation(place, "type", "must be a mapping of texts to texts"))
        return None
    if not all(isinstance(name, str) for name in given):
        problems.append(Violation(place, "type", "must have texts as names"))
        return None
    return dict(given)


def quotable(id: object) -> str:
    """*id* if it can be part of a path at all; what is wrong with it is told by the description's pattern."""
    return id if isinstance(id, str) and id.isascii() else "-"


def _is(id: str) -> Callable[[Checkout], bool]:
    return lambda checkout: checkout.id == id


def _page(body: Mapping[str, Any]) -> CheckoutList:
    """
    A page.

    Raises:
        TypeError: Its token is none that could be sent back; the rest of the listing would be lost silently.
    """
    if not isinstance(body.get("nextPageToken"), str | None):
        raise TypeError
    return CheckoutList.from_dict(body)


def _refund_result(amount: str, body: Mapping[str, Any]) -> RefundResult:
    """
    The documented {checkout, refund}; or a bare checkout with refunds, which one deployment answers.

    Of these the one just begun is the newest of *amount*, and of several at the same time the last.

    Raises:
        ValueError: None of the refunds is of this amount.

    Source: note on RefundResult in spec/openapi.yaml.
    """
    if "checkout" in body or not isinstance(body.get("refunds"), list):
        return RefundResult.from_dict(body)
    checkout = Checkout.from_dict(body)
    begun = [refund for refund in checkout.refunds or () if _same_amount(refund.amount, amount)]
    # max() takes the first of equals.
    return RefundResult(checkout, max(reversed(begun), key=lambda refund: refund.created_at))


def _same_amount(one: str, other: str) -> bool:
    """Whether both are the same number; text that is none is no amount."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def call_of(
    operation: str,
    compiled: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], T],
    checks: Checks,
    problems: Sequence[Violation] = (),
    *,
    path: Mapping[str, Any] = MappingProxyType({}),
    writes: bool = False,
    key: str | None = None,
    answers: Callable[[T], bool] = lambda _: True,
    accepted: Collection[Violation] = (),
    about: str = "checkout",
    repeatable: bool = True,
    removes: bool = False,
) -> Made[T]:
    """
    A Call of what a compiled `_get_kwargs` gives: the arguments of `httpx.Client.request`; or the error with
    everything that is wrong: *problems*, and all that the description forbids but for what is *accepted*.
    """
    body = compiled.get("json")
    request = Request(operation, path, compiled.get("params", {}), compiled.get("headers", {}), body)
    found = [*problems, *path_violations(request), *_unsendable(request)]
    if checks.enabled:
        # What could not even be shaped is told once.
        known = {problem.pointer for problem in found}
        told = violations(request, now_s=checks.now_s)
        found += [one for one in told if one.pointer not in known and one not in accepted]
    if found:
        return InvalidRequestError(found, operation=operation, idempotency_key=key)
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
        answers=answers,
        about=about,
        repeatable=repeatable,
        removes=removes,
    )


def _unsendable(request: Request) -> list[Violation]:
    """Texts that no request can carry: half a character anywhere, and anything but plain ASCII in a header."""
    found = [
        Violation(f"/{name}", "pattern", "must be a text of visible ASCII characters")
        for name, value in request.header.items()
        if name != "Content-Type" and not (isinstance(value, str) and re.fullmatch(r"[!-~]+", value))
    ]
    for part in (request.query, request.body or {}):
        for name, value in part.items():
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                found.append(Violation(f"/{name}", "type", "must be text, without lone surrogates"))
            except (TypeError, ValueError):
                # Of another type than JSON has; the schemas tell that, if they are asked.
                found.append(Violation(f"/{name}", "type", "must be of a type that JSON has"))
    return found
