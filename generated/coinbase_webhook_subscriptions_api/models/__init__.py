# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
"""Contains all the data models used in inputs/outputs"""

from .error_body import ErrorBody
from .webhook_event import WebhookEvent
from .webhook_event_list import WebhookEventList
from .webhook_event_response_detail import WebhookEventResponseDetail
from .webhook_event_status import WebhookEventStatus
from .webhook_subscription import WebhookSubscription
from .webhook_subscription_labels import WebhookSubscriptionLabels
from .webhook_subscription_list import WebhookSubscriptionList
from .webhook_subscription_metadata import WebhookSubscriptionMetadata
from .webhook_subscription_request import WebhookSubscriptionRequest
from .webhook_subscription_request_labels import WebhookSubscriptionRequestLabels
from .webhook_subscription_request_metadata import WebhookSubscriptionRequestMetadata
from .webhook_target import WebhookTarget
from .webhook_target_headers import WebhookTargetHeaders
from .webhook_target_request import WebhookTargetRequest
from .webhook_target_request_headers import WebhookTargetRequestHeaders
from .webhook_target_request_method import WebhookTargetRequestMethod

__all__ = (
    "ErrorBody",
    "WebhookEvent",
    "WebhookEventList",
    "WebhookEventResponseDetail",
    "WebhookEventStatus",
    "WebhookSubscription",
    "WebhookSubscriptionLabels",
    "WebhookSubscriptionList",
    "WebhookSubscriptionMetadata",
    "WebhookSubscriptionRequest",
    "WebhookSubscriptionRequestLabels",
    "WebhookSubscriptionRequestMetadata",
    "WebhookTarget",
    "WebhookTargetHeaders",
    "WebhookTargetRequest",
    "WebhookTargetRequestHeaders",
    "WebhookTargetRequestMethod",
)
