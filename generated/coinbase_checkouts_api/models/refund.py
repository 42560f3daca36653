# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.refund_status import RefundStatus
from ..types import UNSET, Unset

T = TypeVar("T", bound="Refund")


@_attrs_define
class Refund:
    """One refund of a checkout.

    Attributes:
        id (str): The refund's id. Opaque; published samples are not even hexadecimal.
        checkout_id (str): Id of the refunded checkout.
        amount (str): Refunded amount.
        status (RefundStatus): PENDING under way; COMPLETED the money is back; FAILED it is not.
        created_at (datetime.datetime): When the refund was started.
        currency (str | Unset): Currency of amount.
        reason (str | Unset): The reason that was given.
        transaction_hash (str | Unset): Hash of the refund's own transfer.
        completed_at (datetime.datetime | Unset): When the refund was finished.
        fiat_amount (str | Unset): The amount in fiat, for a fiat refund.
        fiat_currency (str | Unset): Currency of fiatAmount.
        exchange_rate (str | Unset): Rate used for a fiat refund.
    """

    id: str
    checkout_id: str
    amount: str
    status: RefundStatus
    created_at: datetime.datetime
    currency: str | Unset = UNSET
    reason: str | Unset = UNSET
    transaction_hash: str | Unset = UNSET
    completed_at: datetime.datetime | Unset = UNSET
    fiat_amount: str | Unset = UNSET
    fiat_currency: str | Unset = UNSET
    exchange_rate: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        checkout_id = self.checkout_id

        amount = self.amount

        status = self.status.value

        created_at = (
            self.created_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )

        currency = self.currency

        reason = self.reason

        transaction_hash = self.transaction_hash

        completed_at: str | Unset = UNSET
        if not isinstance(self.completed_at, Unset):
            completed_at = (
                self.completed_at.astimezone(datetime.timezone.utc)
                .isoformat()
                .replace("+00:00", "Z")
            )

        fiat_amount = self.fiat_amount

        fiat_currency = self.fiat_currency

        exchange_rate = self.exchange_rate

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "checkoutId": checkout_id,
                "amount": amount,
                "status": status,
                "createdAt": created_at,
            }
        )
        if currency is not UNSET:
            field_dict["currency"] = currency
        if reason is not UNSET:
            field_dict["reason"] = reason
        if transaction_hash is not UNSET:
            field_dict["transactionHash"] = transaction_hash
        if completed_at is not UNSET:
            field_dict["completedAt"] = completed_at
        if fiat_amount is not UNSET:
            field_dict["fiatAmount"] = fiat_amount
        if fiat_currency is not UNSET:
            field_dict["fiatCurrency"] = fiat_currency
        if exchange_rate is not UNSET:
            field_dict["exchangeRate"] = exchange_rate

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")
        if id is None:
            raise KeyError("id")

        checkout_id = d.pop("checkoutId")
        if checkout_id is None:
            raise KeyError("checkoutId")

        amount = d.pop("amount")
        if amount is None:
            raise KeyError("amount")

        status = RefundStatus(d.pop("status"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt").upper())

        currency = d.pop("currency", UNSET)
        if currency is None:
            currency = UNSET

        reason = d.pop("reason", UNSET)
        if reason is None:
            reason = UNSET

        transaction_hash = d.pop("transactionHash", UNSET)
        if transaction_hash is None:
            transaction_hash = UNSET

        _completed_at = d.pop("completedAt", UNSET)
        completed_at: datetime.datetime | Unset
        if _completed_at is None or isinstance(_completed_at, Unset):
            completed_at = UNSET
        else:
            completed_at = datetime.datetime.fromisoformat(_completed_at.upper())

        fiat_amount = d.pop("fiatAmount", UNSET)
        if fiat_amount is None:
            fiat_amount = UNSET

        fiat_currency = d.pop("fiatCurrency", UNSET)
        if fiat_currency is None:
            fiat_currency = UNSET

        exchange_rate = d.pop("exchangeRate", UNSET)
        if exchange_rate is None:
            exchange_rate = UNSET

        refund = cls(
            id=id,
            checkout_id=checkout_id,
            amount=amount,
            status=status,
            created_at=created_at,
            currency=currency,
            reason=reason,
            transaction_hash=transaction_hash,
            completed_at=completed_at,
            fiat_amount=fiat_amount,
            fiat_currency=fiat_currency,
            exchange_rate=exchange_rate,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        refund.additional_properties = additional_properties
        return refund

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
