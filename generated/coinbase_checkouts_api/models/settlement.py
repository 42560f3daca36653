# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Settlement")


@_attrs_define
class Settlement:
    """What the payment came to. It describes the payment only and does not change with refunds.

    Attributes:
        total_amount (str | Unset): Gross amount.
        fee_amount (str | Unset): Fee; its rate depends on the account.
        net_amount (str | Unset): What the merchant receives.
        currency (str | Unset): Currency of the three amounts.
    """

    total_amount: str | Unset = UNSET
    fee_amount: str | Unset = UNSET
    net_amount: str | Unset = UNSET
    currency: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        total_amount = self.total_amount

        fee_amount = self.fee_amount

        net_amount = self.net_amount

        currency = self.currency

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if total_amount is not UNSET:
            field_dict["totalAmount"] = total_amount
        if fee_amount is not UNSET:
            field_dict["feeAmount"] = fee_amount
        if net_amount is not UNSET:
            field_dict["netAmount"] = net_amount
        if currency is not UNSET:
            field_dict["currency"] = currency

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        total_amount = d.pop("totalAmount", UNSET)
        if total_amount is None:
            total_amount = UNSET

        fee_amount = d.pop("feeAmount", UNSET)
        if fee_amount is None:
            fee_amount = UNSET

        net_amount = d.pop("netAmount", UNSET)
        if net_amount is None:
            net_amount = UNSET

        currency = d.pop("currency", UNSET)
        if currency is None:
            currency = UNSET

        settlement = cls(
            total_amount=total_amount,
            fee_amount=fee_amount,
            net_amount=net_amount,
            currency=currency,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        settlement.additional_properties = additional_properties
        return settlement

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
