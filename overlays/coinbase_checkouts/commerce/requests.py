"""
A charge, or the request for one → the request for a checkout that means the same. Nothing is sent.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from coinbase_checkouts.errors import Loss, MigrationError
from coinbase_checkouts.idempotency import key_for
from coinbase_checkouts.validation import CURRENCIES, Request, violations
from coinbase_checkouts_api.models import CreateCheckoutRequest, CreateCheckoutRequestMetadata
from coinbase_checkouts_api.types import UNSET, Unset

from . import charges
from .fields import Fields, as_amount, as_time
from .notes import noted
from .results import ConvertedRequest, held_to, refusal
from .standing import UNKNOWN, Standing, standing

NAMESPACE: Final = "coinbase-commerce"
"""Of the idempotency keys, so that a charge's code is never taken for an order's id."""

_CENT: Final = Decimal("0.01")
_MOST: Final = 100_000_000
# The limits of createCheckout in spec/openapi.yaml; a test holds them together.
_METADATA_KEYS: Final = 20
_METADATA_LENGTH: Final = 100
_DESCRIPTION_LENGTH: Final = 500
_EXAMPLE: Final = "2026-03-20T10:30:00Z"


def checkout_request(
    charge_request: Mapping[str, Any],
    *,
    strict: bool = False,
    accept: Collection[str] = (),
    keep_fiat: bool = False,
    expires_at: datetime | str | None = None,
    now_s: float | None = None,
) -> ConvertedRequest:
    """
    The request for a checkout that means the same as a charge, or as the request for one.

    It passes the client's own checks: `checkouts.create(**converted.arguments)`.

    Args:
        charge_request: As sent to Commerce, or as its API or export has it, with or without its envelope.
        strict: Refuse what loses anything.
        accept: Codes of losses that strict lets pass.
        keep_fiat: Ask in USD for what was priced in USD. Else USD becomes as many USDC, as the mapping page
            has it. EUR, SGD and GBP stay what they are in either case.
        expires_at: When the checkout ends, in place of what the charge says.
        now_s: Unix seconds; the present by default.

    Raises:
        MigrationError: No checkout can mean the same: no amount, no such currency, no charge at all. Or strict.
        ValueError: *expires_at* is no time with its zone in the future; *accept* has what is no code.
        TypeError: *expires_at* is neither datetime nor text, *now_s* no number, or *accept* no collection.

    Source: mapping in spec/openapi.yaml; what it leaves out is in `HAZARDS`.
    """
    now = time.time() if now_s is None else now_s
    if not isinstance(now, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
        raise TypeError(f"now_s: must be Unix seconds, not {type(now).__name__}")
    losses: list[Loss] = []
    charge, event = charges.opened(charge_request, losses)
    code, own_id = charges.identity(charge)
    stands = standing(charge, event, is_request=code is None and own_id is None)
    amount, currency = _priced(charge, keep_fiat=keep_fiat)
    success, fail = charges.redirects(charge)
    request = CreateCheckoutRequest(
        amount=amount or "",
        currency=currency or "",
        description=_described(charge),
        expires_at=_expiry(charge, expires_at, now),
        metadata=_metadata(charge),
        success_redirect_url=_address("successRedirectUrl", success, losses),
        fail_redirect_url=_address("failRedirectUrl", fail, losses),
    )
    if not isinstance(request.fail_redirect_url, Unset) and fail is not None:
        losses.append(noted("cancel-url", fail[1]))
    charge.left()
    if amount is None or currency is None:
        raise refusal("no checkout can be created from it", losses)
    reference = code or own_id
    return ConvertedRequest(
        request,
        held_to(losses, strict=strict, accept=accept),
        code,
        None if reference is None else key_for(reference, operation="create", namespace=NAMESPACE),
        stands.status,
        stands.is_open,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What may be a charge, as far as it can be told from others."""

    code: str | None
    id: str | None
    standing: Standing


def known(given: object) -> Known:
    """Who *given* is and where it stands, whether or not a request can be made of it."""
    try:
        charge, event = charges.opened(given, [])
    except MigrationError:
        return Known(None, None, Standing(UNKNOWN, is_new=False, is_open=False, changed_at=None))
    code, own_id = charges.identity(charge)
    return Known(code, own_id, standing(charge, event, is_request=code is None and own_id is None))


def _priced(charge: Fields, *, keep_fiat: bool) -> tuple[str | None, str | None]:
    """Amount and currency; None for what no checkout can be asked for."""
    kind = charges.pricing_type(charge)
    local = charges.price(charge)
    if kind == "no_price":
        charge.lose("open-amount", "pricing_type")
        return None, None
    if kind not in (None, "fixed_price"):
        charge.lose("pricing-type", "pricing_type")
    currency = _currency(local, keep_fiat=keep_fiat)
    # What no checkout can be asked for in has no cents either: 0.0012 bitcoin is not too little.
    amount = None if currency is None and local.any("amount") is not None else _amount(local)
    local.left()
    return amount, currency


def _amount(local: Fields) -> str | None:
    given = local.any("amount")
    amount = as_amount(given)
    if amount is None:
        local.lose("amount-missing" if given is None else "amount-unusable", "amount")
        return None
    if not isinstance(given, str):
        local.lose("amount-not-text", "amount")
    # First: a number of many digits cannot be rounded.
    cents = amount if amount > _MOST else amount.quantize(_CENT, ROUND_HALF_UP)
    if not _CENT <= cents <= _MOST:
        local.lose("amount-range", "amount")
        return None
    if cents != amount:
        local.lose("amount-rounded", "amount")
    return format(amount if cents == amount and -2 <= int(amount.as_tuple().exponent) <= 0 else cents, "f")


def _currency(local: Fields, *, keep_fiat: bool) -> str | None:
    given = local.text("currency")
    currency = None if given is None else given.upper()
    if currency == "USDC":
        return currency
    if currency == "USD" and not keep_fiat:
        local.lose("fiat-one-to-one", "currency")
        return "USDC"
    if currency in CURRENCIES:
        local.lose("fiat-kept", "currency")
        return currency
    local.lose("currency-missing" if currency is None else "currency-unknown", "currency")
    return None


def _described(charge: Fields) -> str | Unset:
    text = charges.described(charge)
    if text is None:
        return UNSET
    if len(text) > _DESCRIPTION_LENGTH:
        charge.lose("description-cut", "description")
    return text[:_DESCRIPTION_LENGTH]


def _metadata(charge: Fields) -> CreateCheckoutRequestMetadata | Unset:
    kept = charges.metadata(charge, most=_METADATA_KEYS, longest=_METADATA_LENGTH)
    return CreateCheckoutRequestMetadata.from_dict(kept) if kept else UNSET


def _expiry(charge: Fields, given: datetime | str | None, now_s: float) -> datetime | Unset:
    own = charge.time("expires_at")
    if given is not None:
        if not isinstance(given, datetime | str):  # pyright: ignore[reportUnnecessaryIsInstance] -- as above
            raise TypeError(f"expires_at: must be a datetime, or a text such as {_EXAMPLE}, not {type(given).__name__}")
        moment = as_time(given)
        if moment is None or moment.timestamp() <= now_s:
            raise ValueError(f"expires_at: must be a time in the future, with its zone, such as {_EXAMPLE}")
        return moment
    if own is None:
        charge.lose("expiry-default", "expires_at")
        return UNSET
    if own.timestamp() <= now_s:
        charge.lose("expiry-past", "expires_at")
        return UNSET
    return own


def _address(name: str, given: tuple[str, str] | None, losses: list[Loss]) -> str | Unset:
    """*given* as an address that the API takes for the field *name*."""
    if given is None:
        return UNSET
    url, pointer = given
    scheme, separator, rest = url.partition("://")
    if scheme.lower() == "http":
        losses.append(noted("redirect-https", pointer))
    if scheme.lower() in ("http", "https"):
        url = f"https{separator}{rest}"
    body = {"amount": "1", "currency": "USDC", name: url}
    if not rest or violations(Request("createCheckout", {}, {}, {}, body), now_s=0):
        losses.append(noted("redirect-unusable", pointer))
        return UNSET
    return url
