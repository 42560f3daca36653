# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.webhook_event_status import WebhookEventStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.webhook_event_response_detail import WebhookEventResponseDetail


T = TypeVar("T", bound="WebhookEvent")


@_attrs_define
class WebhookEvent:
    """How the delivery of one event goes. The event's body is not part of it.

    Attributes:
        event_id (str): The event's id.
        event_type_name (str): The event's type.
        status (WebhookEventStatus): pending not yet tried; processing being delivered; succeeded answered with a 2xx;
            retrying failed and to be tried again; failed given up.
        created_at (datetime.datetime): When the event happened, or its delivery began (RFC 3339).
        retry_count (int): How often it was tried again; 0 when the first attempt did it.
        succeeded_at (datetime.datetime | Unset): When it was delivered (RFC 3339).
        response (WebhookEventResponseDetail | Unset): What the target answered, or why it did not.
    """

    event_id: str
    event_type_name: str
    status: WebhookEventStatus
    created_at: datetime.datetime
    retry_count: int
    succeeded_at: datetime.datetime | Unset = UNSET
    response: WebhookEventResponseDetail | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        event_id = self.event_id

        event_type_name = self.event_type_name

        status = self.status.value

        created_at = (
            self.created_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )

        retry_count = self.retry_count

        succeeded_at: str | Unset = UNSET
        if not isinstance(self.succeeded_at, Unset):
            succeeded_at = (
                self.succeeded_at.astimezone(datetime.timezone.utc)
                .isoformat()
                .replace("+00:00", "Z")
            )

        response: dict[str, Any] | Unset = UNSET
        if not isinstance(self.response, Unset):
            response = self.response.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "eventId": event_id,
                "eventTypeName": event_type_name,
                "status": status,
                "createdAt": created_at,
                "retryCount": retry_count,
            }
        )
        if succeeded_at is not UNSET:
            field_dict["succeededAt"] = succeeded_at
        if response is not UNSET:
            field_dict["response"] = response

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.webhook_event_response_detail import WebhookEventResponseDetail  # noqa: PLC0415

        d = dict(src_dict)
        event_id = d.pop("eventId")
        if event_id is None:
            raise KeyError("eventId")

        event_type_name = d.pop("eventTypeName")
        if event_type_name is None:
            raise KeyError("eventTypeName")

        status = WebhookEventStatus(d.pop("status"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt").upper())

        retry_count = d.pop("retryCount")
        if retry_count is None:
            raise KeyError("retryCount")

        _succeeded_at = d.pop("succeededAt", UNSET)
        succeeded_at: datetime.datetime | Unset
        if _succeeded_at is None or isinstance(_succeeded_at, Unset):
            succeeded_at = UNSET
        else:
            succeeded_at = datetime.datetime.fromisoformat(_succeeded_at.upper())

        _response = d.pop("response", UNSET)
        response: WebhookEventResponseDetail | Unset
        if _response is None or isinstance(_response, Unset):
            response = UNSET
        else:
            response = WebhookEventResponseDetail.from_dict(_response)

        webhook_event = cls(
            event_id=event_id,
            event_type_name=event_type_name,
            status=status,
            created_at=created_at,
            retry_count=retry_count,
            succeeded_at=succeeded_at,
            response=response,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        webhook_event.additional_properties = additional_properties
        return webhook_event

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
