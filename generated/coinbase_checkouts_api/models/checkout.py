# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.checkout_status import CheckoutStatus
from ..models.network import Network
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.checkout_metadata import CheckoutMetadata
    from ..models.refund import Refund
    from ..models.settlement import Settlement


T = TypeVar("T", bound="Checkout")


@_attrs_define
class Checkout:
    """A single-use request for payment.

    Attributes:
        id (str): The checkout's id.
        url (str): The hosted payment page. Opaque; several forms are in use.
        amount (str): The amount to pay.
        currency (str): Currency of amount.
        network (Network): The blockchain of the payment. Coinbase announces more.
        address (str): Blockchain address of this checkout. Send payers to url, never here.
        created_at (datetime.datetime): When the checkout was created (RFC 3339).
        updated_at (datetime.datetime): When its status last changed (RFC 3339).
        status (CheckoutStatus): ACTIVE can be paid; PROCESSING a payment is under way; COMPLETED paid; FAILED the
            payment failed; EXPIRED its time passed; DEACTIVATED the merchant ended it; PARTIALLY_REFUNDED and REFUNDED part
            or all of the payment went back.
        token_address (str | Unset): Contract of the token. Compare without regard to case.
        description (str | Unset): What the payment is for.
        expires_at (datetime.datetime | Unset): When the checkout stops taking payments (RFC 3339).
        metadata (CheckoutMetadata | Unset): The merchant's own keys and values.
        success_redirect_url (str | Unset): Where the payer goes after authorising. Authorised is not paid.
        fail_redirect_url (str | Unset): Where the payer goes after a failed authorisation.
        settlement (Settlement | Unset): What the payment came to. It describes the payment only and does not change
            with refunds.
        fiat_amount (str | Unset): The amount in the fiat currency of the request.
        fiat_currency (str | Unset): The fiat currency of the request.
        transaction_hash (str | Unset): Hash of the payment's transaction.
        refunded_amount (str | Unset): Sum of the refunds.
        refunds (list[Refund] | Unset): The refunds of this checkout.
        x402_url (str | Unset): Where an agent can pay by HTTP 402. The only name here that is not camelCase.
    """

    id: str
    url: str
    amount: str
    currency: str
    network: Network
    address: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    status: CheckoutStatus
    token_address: str | Unset = UNSET
    description: str | Unset = UNSET
    expires_at: datetime.datetime | Unset = UNSET
    metadata: CheckoutMetadata | Unset = UNSET
    success_redirect_url: str | Unset = UNSET
    fail_redirect_url: str | Unset = UNSET
    settlement: Settlement | Unset = UNSET
    fiat_amount: str | Unset = UNSET
    fiat_currency: str | Unset = UNSET
    transaction_hash: str | Unset = UNSET
    refunded_amount: str | Unset = UNSET
    refunds: list[Refund] | Unset = UNSET
    x402_url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        url = self.url

        amount = self.amount

        currency = self.currency

        network = self.network.value

        address = self.address

        created_at = (
            self.created_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )

        updated_at = (
            self.updated_at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        )

        status = self.status.value

        token_address = self.token_address

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

        settlement: dict[str, Any] | Unset = UNSET
        if not isinstance(self.settlement, Unset):
            settlement = self.settlement.to_dict()

        fiat_amount = self.fiat_amount

        fiat_currency = self.fiat_currency

        transaction_hash = self.transaction_hash

        refunded_amount = self.refunded_amount

        refunds: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.refunds, Unset):
            refunds = []
            for refunds_item_data in self.refunds:
                refunds_item = refunds_item_data.to_dict()
                refunds.append(refunds_item)

        x402_url = self.x402_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "url": url,
                "amount": amount,
                "currency": currency,
                "network": network,
                "address": address,
                "createdAt": created_at,
                "updatedAt": updated_at,
                "status": status,
            }
        )
        if token_address is not UNSET:
            field_dict["tokenAddress"] = token_address
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
        if settlement is not UNSET:
            field_dict["settlement"] = settlement
        if fiat_amount is not UNSET:
            field_dict["fiatAmount"] = fiat_amount
        if fiat_currency is not UNSET:
            field_dict["fiatCurrency"] = fiat_currency
        if transaction_hash is not UNSET:
            field_dict["transactionHash"] = transaction_hash
        if refunded_amount is not UNSET:
            field_dict["refundedAmount"] = refunded_amount
        if refunds is not UNSET:
            field_dict["refunds"] = refunds
        if x402_url is not UNSET:
            field_dict["x402_url"] = x402_url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.checkout_metadata import CheckoutMetadata  # noqa: PLC0415
        from ..models.refund import Refund  # noqa: PLC0415
        from ..models.settlement import Settlement  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")
        if id is None:
            raise KeyError("id")

        url = d.pop("url")
        if url is None:
            raise KeyError("url")

        amount = d.pop("amount")
        if amount is None:
            raise KeyError("amount")

        currency = d.pop("currency")
        if currency is None:
            raise KeyError("currency")

        network = Network(d.pop("network"))

        address = d.pop("address")
        if address is None:
            raise KeyError("address")

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt").upper())

        updated_at = datetime.datetime.fromisoformat(d.pop("updatedAt").upper())

        status = CheckoutStatus(d.pop("status"))

        token_address = d.pop("tokenAddress", UNSET)
        if token_address is None:
            token_address = UNSET

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
        metadata: CheckoutMetadata | Unset
        if _metadata is None or isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = CheckoutMetadata.from_dict(_metadata)

        success_redirect_url = d.pop("successRedirectUrl", UNSET)
        if success_redirect_url is None:
            success_redirect_url = UNSET

        fail_redirect_url = d.pop("failRedirectUrl", UNSET)
        if fail_redirect_url is None:
            fail_redirect_url = UNSET

        _settlement = d.pop("settlement", UNSET)
        settlement: Settlement | Unset
        if _settlement is None or isinstance(_settlement, Unset):
            settlement = UNSET
        else:
            settlement = Settlement.from_dict(_settlement)

        fiat_amount = d.pop("fiatAmount", UNSET)
        if fiat_amount is None:
            fiat_amount = UNSET

        fiat_currency = d.pop("fiatCurrency", UNSET)
        if fiat_currency is None:
            fiat_currency = UNSET

        transaction_hash = d.pop("transactionHash", UNSET)
        if transaction_hash is None:
            transaction_hash = UNSET

        refunded_amount = d.pop("refundedAmount", UNSET)
        if refunded_amount is None:
            refunded_amount = UNSET

        _refunds = d.pop("refunds", UNSET)
        refunds: list[Refund] | Unset = UNSET
        if _refunds is not None and _refunds is not UNSET:
            refunds = []
            for refunds_item_data in _refunds:
                refunds_item = Refund.from_dict(refunds_item_data)

                refunds.append(refunds_item)

        x402_url = d.pop("x402_url", UNSET)
        if x402_url is None:
            x402_url = UNSET

        checkout = cls(
            id=id,
            url=url,
            amount=amount,
            currency=currency,
            network=network,
            address=address,
            created_at=created_at,
            updated_at=updated_at,
            status=status,
            token_address=token_address,
            description=description,
            expires_at=expires_at,
            metadata=metadata,
            success_redirect_url=success_redirect_url,
            fail_redirect_url=fail_redirect_url,
            settlement=settlement,
            fiat_amount=fiat_amount,
            fiat_currency=fiat_currency,
            transaction_hash=transaction_hash,
            refunded_amount=refunded_amount,
            refunds=refunds,
            x402_url=x402_url,
        )

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional = prop_dict

            additional_properties[prop_name] = additional

        checkout.additional_properties = additional_properties
        return checkout

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
