# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="WebhookEventResponseDetail")


@_attrs_define
class WebhookEventResponseDetail:
    """What the target answered, or why it did not.

    Attributes:
        http_code (int | Unset): Status of the target's answer.
        elapsed_time_ms (int | Unset): How long the target took, in milliseconds.
        body (str | Unset): Body of the target's answer.
        error_name (str | Unset): Why there was no answer, such as timeout or connection_refused. An open set.
    """

    http_code: int | Unset = UNSET
    elapsed_time_ms: int | Unset = UNSET
    body: str | Unset = UNSET
    error_name: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        http_code = self.http_code

        elapsed_time_ms = self.elapsed_time_ms

        body = self.body

        error_name = self.error_name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if http_code is not UNSET:
            field_dict["httpCode"] = http_code
        if elapsed_time_ms is not UNSET:
            field_dict["elapsedTimeMs"] = elapsed_time_ms
        if body is not UNSET:
            field_dict["body"] = body
        if error_name is not UNSET:
            field_dict["errorName"] = error_name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        http_code = d.pop("httpCode", UNSET)
        if http_code is None:
            http_code = UNSET

        elapsed_time_ms = d.pop("elapsedTimeMs", UNSET)
        if elapsed_time_ms is None:
            elapsed_time_ms = UNSET

        body = d.pop("body", UNSET)
        if body is None:
            body = UNSET

        error_name = d.pop("errorName", UNSET)
        if error_name is None:
            error_name = UNSET

        webhook_event_response_detail = cls(
            http_code=http_code,
            elapsed_time_ms=elapsed_time_ms,
            body=body,
            error_name=error_name,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        webhook_event_response_detail.additional_properties = additional_properties
        return webhook_event_response_detail

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
