# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.network import Network
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.create_checkout_request_metadata import CreateCheckoutRequestMetadata


T = TypeVar("T", bound="CreateCheckoutRequest")


@_attrs_define
class CreateCheckoutRequest:
    """What is asked of the payer.

    Attributes:
        amount (str): The amount, as text so that no digit is lost. From 0.01 to 100000000, at most two decimals.
        currency (str): USDC, or a fiat currency that is converted to USDC.
        network (Network | Unset): The blockchain of the payment. Coinbase announces more.
        description (str | Unset): What the payment is for, shown to the payer.
        expires_at (datetime.datetime | Unset): When the checkout stops taking payments (RFC 3339). Send it always; the
            default is disputed.
        metadata (CreateCheckoutRequestMetadata | Unset): Your own keys and values, passed through. At most 20 keys,
            each value at most 100 characters.
        success_redirect_url (str | Unset): Where the payer goes after authorising. HTTPS only.
        fail_redirect_url (str | Unset): Where the payer goes after a failed authorisation. HTTPS only.
    """

    amount: str
    currency: str
    network: Network | Unset = UNSET
    description: str | Unset = UNSET
    expires_at: datetime.datetime | Unset = UNSET
    metadata: CreateCheckoutRequestMetadata | Unset = UNSET
    success_redirect_url: str | Unset = UNSET
    fail_redirect_url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        amount = self.amount

        currency = self.currency

        network: str | Unset = UNSET
        if not isinstance(self.network, Unset):
            network = self.network.value

        description = self.description

        expires_at: str | Unset = UNSET
        if not isinstance(self.expires_at, Unset):
            expires_at = (
                self.expires_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
            )

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        success_redirect_url = self.success_redirect_url

        fail_redirect_url = self.fail_redirect_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "amount": amount,
                "currency": currency,
            }
        )
        if network is not UNSET:
            field_dict["network"] = network
        if description is not UNSET:
            field_dict["description"] = description
        if expires_at is not UNSET:
            field_dict["expiresAt"] = expires_at
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if success_redirect_url is not UNSET:
            field_dict["successRedirectUrl"] = success_redirect_url
        if fail_redirect_url is not UNSET:
            field_dict["failRedirectUrl"] = fail_redirect_url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.create_checkout_request_metadata import (
            CreateCheckoutRequestMetadata,  # noqa: PLC0415
        )

        d = dict(src_dict)
        amount = d.pop("amount")
        if amount is None:
            raise KeyError("amount")

        currency = d.pop("currency")
        if currency is None:
            raise KeyError("currency")

        _network = d.pop("network", UNSET)
        network: Network | Unset
        if _network is None or isinstance(_network, Unset):
            network = UNSET
        else:
            network = Network(_network)

        description = d.pop("description", UNSET)
        if description is None:
            description = UNSET

        _expires_at = d.pop("expiresAt", UNSET)
        expires_at: datetime.datetime | Unset
        if _expires_at is None or isinstance(_expires_at, Unset):
            expires_at = UNSET
        else:
            expires_at = datetime.datetime.fromisoformat(_expires_at.upper())

        _metadata = d.pop("metadata", UNSET)
        metadata: CreateCheckoutRequestMetadata | Unset
        if _metadata is None or isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = CreateCheckoutRequestMetadata.from_dict(_metadata)

        success_redirect_url = d.pop("successRedirectUrl", UNSET)
        if success_redirect_url is None:
            success_redirect_url = UNSET

        fail_redirect_url = d.pop("failRedirectUrl", UNSET)
        if fail_redirect_url is None:
            fail_redirect_url = UNSET

        create_checkout_request = cls(
            amount=amount,
            currency=currency,
            network=network,
            description=description,
            expires_at=expires_at,
            metadata=metadata,
            success_redirect_url=success_redirect_url,
            fail_redirect_url=fail_redirect_url,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        create_checkout_request.additional_properties = additional_properties
        return create_checkout_request

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
