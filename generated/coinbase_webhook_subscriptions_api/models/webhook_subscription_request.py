# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.webhook_subscription_request_labels import (
        WebhookSubscriptionRequestLabels,
    )
    from ..models.webhook_subscription_request_metadata import (
        WebhookSubscriptionRequestMetadata,
    )
    from ..models.webhook_target_request import WebhookTargetRequest


T = TypeVar("T", bound="WebhookSubscriptionRequest")


@_attrs_define
class WebhookSubscriptionRequest:
    """What to deliver, and where to. Both to create a subscription and to replace one.

    Attributes:
        event_types (list[str]): Which events to deliver. For Checkouts all five, or something goes unnoticed.
        is_enabled (bool): Whether events are delivered.
        target (WebhookTargetRequest): Where to deliver.
        description (str | Unset): What the subscription is for, in your words.
        metadata (WebhookSubscriptionRequestMetadata | Unset): Your own keys and values. At most 10 keys of at most 40
            characters, each value at most 500.
        labels (WebhookSubscriptionRequestLabels | Unset): Which of the events. {"sandbox": "true"} for those of
            Coinbase's sandbox; leave it out for production.
    """

    event_types: list[str]
    is_enabled: bool
    target: WebhookTargetRequest
    description: str | Unset = UNSET
    metadata: WebhookSubscriptionRequestMetadata | Unset = UNSET
    labels: WebhookSubscriptionRequestLabels | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        event_types = self.event_types

        is_enabled = self.is_enabled

        target = self.target.to_dict()

        description = self.description

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        labels: dict[str, Any] | Unset = UNSET
        if not isinstance(self.labels, Unset):
            labels = self.labels.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "eventTypes": event_types,
                "isEnabled": is_enabled,
                "target": target,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if labels is not UNSET:
            field_dict["labels"] = labels

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.webhook_subscription_request_labels import (
            WebhookSubscriptionRequestLabels,  # noqa: PLC0415
        )
        from ..models.webhook_subscription_request_metadata import (
            WebhookSubscriptionRequestMetadata,  # noqa: PLC0415
        )
        from ..models.webhook_target_request import WebhookTargetRequest  # noqa: PLC0415

        d = dict(src_dict)
        event_types = []
        _event_types = d.pop("eventTypes")
        for event_types_item_data in _event_types:
            event_types_item = event_types_item_data

            event_types.append(event_types_item)

        is_enabled = d.pop("isEnabled")
        if is_enabled is None:
            raise KeyError("isEnabled")

        target = WebhookTargetRequest.from_dict(d.pop("target"))

        description = d.pop("description", UNSET)
        if description is None:
            description = UNSET

        _metadata = d.pop("metadata", UNSET)
        metadata: WebhookSubscriptionRequestMetadata | Unset
        if _metadata is None or isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = WebhookSubscriptionRequestMetadata.from_dict(_metadata)

        _labels = d.pop("labels", UNSET)
        labels: WebhookSubscriptionRequestLabels | Unset
        if _labels is None or isinstance(_labels, Unset):
            labels = UNSET
        else:
            labels = WebhookSubscriptionRequestLabels.from_dict(_labels)

        webhook_subscription_request = cls(
            event_types=event_types,
            is_enabled=is_enabled,
            target=target,
            description=description,
            metadata=metadata,
            labels=labels,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        webhook_subscription_request.additional_properties = additional_properties
        return webhook_subscription_request

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
