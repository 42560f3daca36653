# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
"""Contains all the data models used in inputs/outputs"""

from .checkout import Checkout
from .checkout_event import CheckoutEvent
from .checkout_list import CheckoutList
from .checkout_metadata import CheckoutMetadata
from .checkout_status import CheckoutStatus
from .create_checkout_request import CreateCheckoutRequest
from .create_checkout_request_metadata import CreateCheckoutRequestMetadata
from .error_body import ErrorBody
from .error_list_body import ErrorListBody
from .error_list_item import ErrorListItem
from .event_type import EventType
from .legacy_error_body import LegacyErrorBody
from .legacy_error_body_error import LegacyErrorBodyError
from .network import Network
from .refund import Refund
from .refund_checkout_request import RefundCheckoutRequest
from .refund_result import RefundResult
from .refund_status import RefundStatus
from .settlement import Settlement

__all__ = (
    "Checkout",
    "CheckoutEvent",
    "CheckoutList",
    "CheckoutMetadata",
    "CheckoutStatus",
    "CreateCheckoutRequest",
    "CreateCheckoutRequestMetadata",
    "ErrorBody",
    "ErrorListBody",
    "ErrorListItem",
    "EventType",
    "LegacyErrorBody",
    "LegacyErrorBodyError",
    "Network",
    "Refund",
    "RefundCheckoutRequest",
    "RefundResult",
    "RefundStatus",
    "Settlement",
)
