# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.webhook_target_headers import WebhookTargetHeaders


T = TypeVar("T", bound="WebhookTarget")


@_attrs_define
class WebhookTarget:
    """Where events are delivered.

    Attributes:
        url (str): The endpoint.
        headers (WebhookTargetHeaders | Unset): Headers that every delivery carries. They may hold a credential of
            yours.
    """

    url: str
    headers: WebhookTargetHeaders | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "url": url,
            }
        )
        if headers is not UNSET:
            field_dict["headers"] = headers

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.webhook_target_headers import WebhookTargetHeaders  # noqa: PLC0415

        d = dict(src_dict)
        url = d.pop("url")
        if url is None:
            raise KeyError("url")

        _headers = d.pop("headers", UNSET)
        headers: WebhookTargetHeaders | Unset
        if _headers is None or isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = WebhookTargetHeaders.from_dict(_headers)

        webhook_target = cls(
            url=url,
            headers=headers,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        webhook_target.additional_properties = additional_properties
        return webhook_target

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
