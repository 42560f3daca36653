"""
What the documents of webhook subscriptions say: transcribed from them, and not from spec/webhook-subscriptions.yaml.

The tables are of cdp-openapi; what the pages of Checkouts add is beyond them.
"""

from __future__ import annotations

from typing import Final

from .documents import Documents, Json, Row, text

UUID = r"^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$"
ANY_UUID = UUID.replace("a-f0-9", "a-fA-F0-9")
EVENT = r"[a-z0-9_]+(\.[a-z0-9_]+){2}"
TOKEN = "eyJsYXN0X2lkIjogImFiYzEyMyIsICJ0aW1lc3RhbXAiOiAxNzA3ODIzNzAxfQ=="  # an opaque page token
ID = "123e4567-e89b-12d3-a456-426614174000"
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
LABELLED = {"type": "object", "maxProperties": 10, "additionalProperties": {"type": "string", "maxLength": 500}}
FLAG = {"type": "boolean"}
# Its items are an enum of 49 event types, none of which is of Checkouts.
EVENT_TYPES = {"type": "array", "items": {"type": "string"}}

FIELDS: Final[dict[str, Json]] = {
    # WebhookSubscriptionRequest, and WebhookSubscriptionUpdateRequest with the same fields.
    "WebhookSubscriptionRequest": {
        "description": text(maxLength=100),
        "eventTypes!": EVENT_TYPES,
        "isEnabled!": {**FLAG, "example": True},
        "target!": "WebhookTargetRequest",
        "metadata": {**LABELLED, "example": {"customer_id": "cust_12345", "order_reference": "order-67890"}},
        "labels": TEXTS,
    },
    "WebhookTargetRequest": {
        "url!": text(format="uri", minLength=11, maxLength=2048, pattern=r"^https?://.*$"),
        "headers": TEXTS,
    },
    # WebhookSubscriptionResponse; there secret is required.
    "WebhookSubscription": {
        "createdAt!": text(format="date-time"),
        "updatedAt": text("2025-01-16T14:00:00Z", format="date-time"),
        "description": text(maxLength=100),
        "eventTypes!": EVENT_TYPES,
        "isEnabled!": {**FLAG, "example": True},
        "metadata": LABELLED,
        "secret": text(ID, format="uuid"),
        "subscriptionId!": text(ID, format="uuid"),
        "target!": "WebhookTarget",
        "labels": TEXTS,
    },
    "WebhookTarget": {
        "url!": text(
            "https://api.example.com/webhooks", format="uri", minLength=11, maxLength=2048, pattern=r"^https?://.*$"
        ),
        "headers": TEXTS,
    },
    "WebhookSubscriptionList": {
        "subscriptions!": {"type": "array", "items": "WebhookSubscription"},
        "nextPageToken": text(TOKEN),
    },
    # WebhookEventListResponse and WebhookEventResponse.
    "WebhookEventList": {"events!": {"type": "array", "items": "WebhookEvent"}},
    "WebhookEvent": {
        "eventId!": text("a1b2c3d4-e5f6-7890-abcd-ef1234567890"),
        "eventTypeName!": text(),
        "status!": text("succeeded", enum=["pending", "processing", "succeeded", "failed", "retrying"]),
        "createdAt!": text("2025-01-15T10:30:00Z", format="date-time"),
        "succeededAt": text("2025-01-15T10:30:02Z", format="date-time"),
        "retryCount!": {"type": "integer", "example": 0},
        "response": "WebhookEventResponseDetail",
    },
    "WebhookEventResponseDetail": {
        "httpCode": {"type": "integer", "example": 200},
        "elapsedTimeMs": {"type": "integer", "example": 142},
        "body": text("ok"),
        "errorName": text("timeout"),
    },
    "ErrorBody": {
        "errorType!": text("invalid_request"),
        "errorMessage!": text(),
        "correlationId": text("41deb8d59a9dc9a7-IAD"),
        "errorLink": text("https://docs.cdp.coinbase.com/api-reference/v2/errors#invalid-request", format="uri"),
    },
}

BEYOND: Final[dict[tuple[str, str, str], object]] = {
    ("WebhookSubscriptionRequest", "eventTypes", "minItems"): 1,
    ("WebhookSubscriptionRequest", "eventTypes", "items"): {"type": "string", "pattern": f"^{EVENT}$"},
    ("WebhookSubscriptionRequest", "metadata", "propertyNames"): {"maxLength": 40},
    ("WebhookSubscriptionRequest", "labels", "maxProperties"): 20,
    ("WebhookTargetRequest", "url", "pattern"): "^https://.*",
    ("WebhookTargetRequest", "method", "type"): "string",
    ("WebhookTargetRequest", "method", "enum"): ["POST"],
    ("WebhookSubscription", "metadata", "additionalProperties"): True,
    ("WebhookSubscription", "labelKey", "type"): "string",
    ("WebhookSubscription", "labelValue", "type"): "string",
}

# Limits of what is sent, and formats that some published answer does not keep.
LEFT_OUT: Final = {
    ("WebhookSubscription", "description", "maxLength"),
    ("WebhookSubscription", "metadata", "maxProperties"),
    ("WebhookSubscription", "secret", "format"),
    ("WebhookSubscription", "subscriptionId", "format"),
    ("WebhookTarget", "url", "minLength"),
    ("WebhookTarget", "url", "maxLength"),
    ("WebhookTarget", "url", "pattern"),
}

SUBSCRIPTION_ID = ("path", True, text(ID, pattern=UUID))
TIME = {"type": "string", "format": "date-time"}
LIST = {
    "pageSize": ("query", False, {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
    "pageToken": ("query", False, text(TOKEN)),
}
EVENTS = {
    "subscriptionId": SUBSCRIPTION_ID,
    "eventId": ("query", False, text("a1b2c3d4-e5f6-7890-abcd-ef1234567890", pattern=ANY_UUID)),
    "minCreatedAt": ("query", False, {**TIME, "example": "2025-01-15T00:00:00Z"}),
    "maxCreatedAt": ("query", False, {**TIME, "example": "2025-01-16T00:00:00Z"}),
    "eventTypeNames": (
        "query",
        False,
        text("checkout.payment.success,checkout.payment.failed", pattern=f"^{EVENT}(,{EVENT})*$"),
    ),
}

BASE = "/platform/v2/data/webhooks/subscriptions"
ONE = BASE + "/{subscriptionId}"
ONLY_ID = {"subscriptionId": SUBSCRIPTION_ID}
OPERATIONS: Final[dict[str, Row]] = {
    "listWebhookSubscriptions": ("get", BASE, LIST, None, {"200": "WebhookSubscriptionList"}, {"400"}),
    "createWebhookSubscription": (
        "post",
        BASE,
        {},
        "WebhookSubscriptionRequest",
        {"201": "WebhookSubscription"},
        {"400"},
    ),
    "getWebhookSubscription": ("get", ONE, ONLY_ID, None, {"200": "WebhookSubscription"}, {"404"}),
    "updateWebhookSubscription": (
        "put",
        ONE,
        ONLY_ID,
        "WebhookSubscriptionRequest",
        {"200": "WebhookSubscription"},
        {"400", "404"},
    ),
    "deleteWebhookSubscription": ("delete", ONE, ONLY_ID, None, {"204": None}, {"404"}),
    "listWebhookSubscriptionEvents": (
        "get",
        ONE + "/events",
        EVENTS,
        None,
        {"200": "WebhookEventList"},
        {"400", "404"},
    ),
}

DOCUMENTS: Final = Documents(
    file="webhook-subscriptions.yaml",
    fields=FIELDS,
    others={"WebhookEventStatus"},
    beyond=BEYOND,
    left_out=LEFT_OUT,
    pages={"cdp-openapi"},
    operations=OPERATIONS,
    failures={"401", "429", "500"},
    servers=["https://api.cdp.coinbase.com"],
    # labelKey, labelValue, method; the secret in metadata.
    inner_properties=3 + 1,
    # Five shared answers, and one success of each operation.
    responses=5 + 6,
)
