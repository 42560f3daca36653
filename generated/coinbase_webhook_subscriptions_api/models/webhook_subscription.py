# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.webhook_subscription_labels import WebhookSubscriptionLabels
    from ..models.webhook_subscription_metadata import WebhookSubscriptionMetadata
    from ..models.webhook_target import WebhookTarget


T = TypeVar("T", bound="WebhookSubscription")


@_attrs_define
class WebhookSubscription:
    """A subscription. Its secret is worth as much as a password.

    Attributes:
        created_at (datetime.datetime): When the subscription was created (RFC 3339). Published with microseconds,
            milliseconds and seconds.
        event_types (list[str]): Which events are delivered. Of any product, so an open set.
        is_enabled (bool): Whether events are delivered.
        subscription_id (str): The subscription's id.
        target (WebhookTarget): Where events are delivered.
        updated_at (datetime.datetime | Unset): When it was last replaced (RFC 3339).
        description (str | Unset): What the subscription is for.
        metadata (WebhookSubscriptionMetadata | Unset): Your own keys and values, and on older answers the secret.
        secret (str | Unset): Signs every delivery, as X-Hook0-Signature tells. Its very characters are the key.
        labels (WebhookSubscriptionLabels | Unset): Which of the events; perhaps with a label of the service's own.
        label_key (str | Unset): The label that the service added.
        label_value (str | Unset): The value of that label.
    """

    created_at: datetime.datetime
    event_types: list[str]
    is_enabled: bool
    subscription_id: str
    target: WebhookTarget
    updated_at: datetime.datetime | Unset = UNSET
    description: str | Unset = UNSET
    metadata: WebhookSubscriptionMetadata | Unset = UNSET
    secret: str | Unset = UNSET
    labels: WebhookSubscriptionLabels | Unset = UNSET
    label_key: str | Unset = UNSET
    label_value: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = (
            self.created_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )

        event_types = self.event_types

        is_enabled = self.is_enabled

        subscription_id = self.subscription_id

        target = self.target.to_dict()

        updated_at: str | Unset = UNSET
        if not isinstance(self.updated_at, Unset):
            updated_at = (
                self.updated_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
            )

        description = self.description

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        secret = self.secret

        labels: dict[str, Any] | Unset = UNSET
        if not isinstance(self.labels, Unset):
            labels = self.labels.to_dict()

        label_key = self.label_key

        label_value = self.label_value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "createdAt": created_at,
                "eventTypes": event_types,
                "isEnabled": is_enabled,
                "subscriptionId": subscription_id,
                "target": target,
            }
        )
        if updated_at is not UNSET:
            field_dict["updatedAt"] = updated_at
        if description is not UNSET:
            field_dict["description"] = description
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if secret is not UNSET:
            field_dict["secret"] = secret
        if labels is not UNSET:
            field_dict["labels"] = labels
        if label_key is not UNSET:
            field_dict["labelKey"] = label_key
        if label_value is not UNSET:
            field_dict["labelValue"] = label_value

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.webhook_subscription_labels import WebhookSubscriptionLabels  # noqa: PLC0415
        from ..models.webhook_subscription_metadata import WebhookSubscriptionMetadata  # noqa: PLC0415
        from ..models.webhook_target import WebhookTarget  # noqa: PLC0415

        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("createdAt").upper())

        event_types = []
        _event_types = d.pop("eventTypes")
        for event_types_item_data in _event_types:
            event_types_item = event_types_item_data

            event_types.append(event_types_item)

        is_enabled = d.pop("isEnabled")
        if is_enabled is None:
            raise KeyError("isEnabled")

        subscription_id = d.pop("subscriptionId")
        if subscription_id is None:
            raise KeyError("subscriptionId")

        target = WebhookTarget.from_dict(d.pop("target"))

        _updated_at = d.pop("updatedAt", UNSET)
        updated_at: datetime.datetime | Unset
        if _updated_at is None or isinstance(_updated_at, Unset):
            updated_at = UNSET
        else:
            updated_at = datetime.datetime.fromisoformat(_updated_at.upper())

        description = d.pop("description", UNSET)
        if description is None:
            description = UNSET

        _metadata = d.pop("metadata", UNSET)
        metadata: WebhookSubscriptionMetadata | Unset
        if _metadata is None or isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = WebhookSubscriptionMetadata.from_dict(_metadata)

        secret = d.pop("secret", UNSET)
        if secret is None:
            secret = UNSET

        _labels = d.pop("labels", UNSET)
        labels: WebhookSubscriptionLabels | Unset
        if _labels is None or isinstance(_labels, Unset):
            labels = UNSET
        else:
            labels = WebhookSubscriptionLabels.from_dict(_labels)

        label_key = d.pop("labelKey", UNSET)
        if label_key is None:
            label_key = UNSET

        label_value = d.pop("labelValue", UNSET)
        if label_value is None:
            label_value = UNSET

        webhook_subscription = cls(
            created_at=created_at,
            event_types=event_types,
            is_enabled=is_enabled,
            subscription_id=subscription_id,
            target=target,
            updated_at=updated_at,
            description=description,
            metadata=metadata,
            secret=secret,
            labels=labels,
            label_key=label_key,
            label_value=label_value,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        webhook_subscription.additional_properties = additional_properties
        return webhook_subscription

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
