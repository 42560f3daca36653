# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.webhook_target_request_method import WebhookTargetRequestMethod
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.webhook_target_request_headers import WebhookTargetRequestHeaders


T = TypeVar("T", bound="WebhookTargetRequest")


@_attrs_define
class WebhookTargetRequest:
    """Where to deliver.

    Attributes:
        url (str): The endpoint. HTTPS only.
        headers (WebhookTargetRequestHeaders | Unset): Headers that every delivery should carry, such as one that lets
            it through your gateway. The signature's v1 covers them.
        method (WebhookTargetRequestMethod | Unset): How to deliver. The only value published, and the default in
            effect.
    """

    url: str
    headers: WebhookTargetRequestHeaders | Unset = UNSET
    method: WebhookTargetRequestMethod | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        method: str | Unset = UNSET
        if not isinstance(self.method, Unset):
            method = self.method.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "url": url,
            }
        )
        if headers is not UNSET:
            field_dict["headers"] = headers
        if method is not UNSET:
            field_dict["method"] = method

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.webhook_target_request_headers import WebhookTargetRequestHeaders  # noqa: PLC0415

        d = dict(src_dict)
        url = d.pop("url")
        if url is None:
            raise KeyError("url")

        _headers = d.pop("headers", UNSET)
        headers: WebhookTargetRequestHeaders | Unset
        if _headers is None or isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = WebhookTargetRequestHeaders.from_dict(_headers)

        _method = d.pop("method", UNSET)
        method: WebhookTargetRequestMethod | Unset
        if _method is None or isinstance(_method, Unset):
            method = UNSET
        else:
            method = WebhookTargetRequestMethod(_method)

        webhook_target_request = cls(
            url=url,
            headers=headers,
            method=method,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        webhook_target_request.additional_properties = additional_properties
        return webhook_target_request

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
