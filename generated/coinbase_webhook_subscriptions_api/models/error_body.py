# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ErrorBody")


@_attrs_define
class ErrorBody:
    """How an error is told.

    Attributes:
        error_type (str): Machine-readable kind. An open set, grown from 30 to 105 values in a year; here:
            invalid_request, unauthorized, not_found, rate_limit_exceeded, internal_server_error.
        error_message (str): For a person.
        correlation_id (str | Unset): Quote it to support.
        error_link (str | Unset): Where the error is explained.
    """

    error_type: str
    error_message: str
    correlation_id: str | Unset = UNSET
    error_link: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error_type = self.error_type

        error_message = self.error_message

        correlation_id = self.correlation_id

        error_link = self.error_link

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "errorType": error_type,
                "errorMessage": error_message,
            }
        )
        if correlation_id is not UNSET:
            field_dict["correlationId"] = correlation_id
        if error_link is not UNSET:
            field_dict["errorLink"] = error_link

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        error_type = d.pop("errorType")
        if error_type is None:
            raise KeyError("errorType")

        error_message = d.pop("errorMessage")
        if error_message is None:
            raise KeyError("errorMessage")

        correlation_id = d.pop("correlationId", UNSET)
        if correlation_id is None:
            correlation_id = UNSET

        error_link = d.pop("errorLink", UNSET)
        if error_link is None:
            error_link = UNSET

        error_body = cls(
            error_type=error_type,
            error_message=error_message,
            correlation_id=correlation_id,
            error_link=error_link,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        error_body.additional_properties = additional_properties
        return error_body

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
