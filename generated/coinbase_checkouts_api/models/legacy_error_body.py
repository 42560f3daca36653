# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.legacy_error_body_error import LegacyErrorBodyError


T = TypeVar("T", bound="LegacyErrorBody")


@_attrs_define
class LegacyErrorBody:
    """The Commerce shape of an error. A published plugin still reads it, so a client should.

    Attributes:
        error (LegacyErrorBodyError): The error.
    """

    error: LegacyErrorBodyError
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.legacy_error_body_error import LegacyErrorBodyError  # noqa: PLC0415

        d = dict(src_dict)
        error = LegacyErrorBodyError.from_dict(d.pop("error"))

        legacy_error_body = cls(
            error=error,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        legacy_error_body.additional_properties = additional_properties
        return legacy_error_body

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
