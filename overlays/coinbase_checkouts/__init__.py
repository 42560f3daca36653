"""
A client for the Coinbase Business Checkouts API that is safe to move money with (unofficial).

    with Checkouts(ApiKey.from_file("cdp_api_key.json"), sandbox=True) as checkouts:
        checkout = checkouts.create("100.50", description="Payment for order #12345")

The names below load what they need when they are first used, so that importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinbase_checkouts_api.models import (
        Checkout,
        CheckoutStatus,
        EventType,
        Network,
        Refund,
        RefundResult,
        RefundStatus,
        Settlement,
    )
    from coinbase_checkouts_api.types import UNSET, Unset

    from . import commerce, webhooks
    from .auth import ApiKey, JwtAuth
    from .client import AsyncCheckouts, Checkouts
    from .errors import ApiError, CheckoutsError, Outcome, SignatureError
    from .idempotency import key_for, new_key
    from .raw import RawResponse
    from .reading import is_final, is_paid, remaining_refundable
    from .sensor import Drift
    from .subscriptions import AsyncSubscriptions, Subscription, Subscriptions
    from .webhooks import Event

__all__ = [
    "UNSET",
    "ApiError",
    "ApiKey",
    "AsyncCheckouts",
    "AsyncSubscriptions",
    "Checkout",
    "CheckoutStatus",
    "Checkouts",
    "CheckoutsError",
    "Drift",
    "Event",
    "EventType",
    "JwtAuth",
    "Network",
    "Outcome",
    "RawResponse",
    "Refund",
    "RefundResult",
    "RefundStatus",
    "Settlement",
    "SignatureError",
    "Subscription",
    "Subscriptions",
    "Unset",
    "commerce",
    "is_final",
    "is_paid",
    "key_for",
    "new_key",
    "remaining_refundable",
    "webhooks",
]

_MODELS = "coinbase_checkouts_api.models"
_HOMES = {
    "UNSET": "coinbase_checkouts_api.types",
    "ApiError": ".errors",
    "ApiKey": ".auth",
    "AsyncCheckouts": ".client",
    "AsyncSubscriptions": ".subscriptions",
    "Checkout": _MODELS,
    "CheckoutStatus": _MODELS,
    "Checkouts": ".client",
    "CheckoutsError": ".errors",
    "Drift": ".sensor",
    "Event": ".webhooks",
    "EventType": _MODELS,
    "JwtAuth": ".auth",
    "Network": _MODELS,
    "Outcome": ".errors",
    "RawResponse": ".raw",
    "Refund": _MODELS,
    "RefundResult": _MODELS,
    "RefundStatus": _MODELS,
    "Settlement": _MODELS,
    "SignatureError": ".errors",
    "Subscription": ".subscriptions",
    "Subscriptions": ".subscriptions",
    "Unset": "coinbase_checkouts_api.types",
    "commerce": ".commerce",
    "is_final": ".reading",
    "is_paid": ".reading",
    "key_for": ".idempotency",
    "new_key": ".idempotency",
    "remaining_refundable": ".reading",
    "webhooks": ".webhooks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name], __name__)
    value = home if _HOMES[name] == f".{name}" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
