"""
A charge of Commerce as the checkout that it would have been, for code that shows both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from coinbase_checkouts.errors import Loss
from coinbase_checkouts.validation import CURRENCIES
from coinbase_checkouts_api.models import Checkout, CheckoutMetadata, CheckoutStatus, Network
from coinbase_checkouts_api.types import UNSET

from . import charges
from .fields import Fields, as_amount, written_out
from .notes import field_lost, noted
from .results import Converted, held_to, refusal
from .statuses import State, changed_at, state

_CHAINS: Final = {"8453": "base", "137": "polygon", "1": "ethereum"}
_CENTS: Final = 2
_NOTHING: Final = Decimal("0.00")


def checkout_view(
    charge: Mapping[str, Any], *, strict: bool = False, accept: Collection[str] = ()
) -> Converted[Checkout]:
    """
    A charge of Commerce as a checkout, to be read; no operation of the API knows it.

    Required fields that a charge does not have are empty (`address`, and `url` if there was no page). A status
    without equivalent keeps its name, see `status`.

    Args:
        charge: As Commerce's API or export has it, with or without its envelope.
        strict: Refuse what loses anything.
        accept: Codes of losses that strict lets pass.

    Raises:
        MigrationError: No charge; no id, no price or no time of creation. Or strict.

    Source: mapping in spec/openapi.yaml; what it leaves out is in `HAZARDS`.
    """
    losses: list[Loss] = []
    fields, _ = charges.opened(charge, losses)
    code, own_id = charges.identity(fields)
    identity = own_id or code
    if identity is None:
        fields.lose("id-missing", "id")
    url = fields.text("hosted_url")
    if url is None:
        fields.lose("url-missing", "hosted_url")
    fields.lose("address", "addresses")
    payments = fields.objects("payments")
    if payments:
        losses.append(field_lost("payments", fields.at("payments")))
    found = _state(fields)
    created = _created(fields)
    amount, currency = _priced(fields, payments)
    fiat = currency if currency != "USDC" and currency in CURRENCIES else None
    if fiat is not None:
        fields.lose("fiat-view", "pricing")
    success, fail = charges.redirects(fields)
    if fail is not None:
        losses.append(noted("cancel-url", fail[1]))
    described = charges.described(fields)
    kept = charges.metadata(fields, most=None, longest=None)
    transfers = _transfers(fields, payments)
    network, transaction = _network(fields, transfers), _transaction(fields, transfers)
    expires = fields.time("expires_at")
    updated = _updated(fields, found) or created
    fields.left()
    if identity is None or amount is None or currency is None or created is None or updated is None:
        raise refusal("it cannot be shown as a checkout", losses)
    view = Checkout(
        id=identity,
        url=url or "",
        amount=amount,
        currency=currency,
        network=network,
        address="",
        created_at=created,
        updated_at=updated,
        status=found.status,
        description=described or UNSET,
        expires_at=expires or UNSET,
        metadata=CheckoutMetadata.from_dict(kept) if kept else UNSET,
        success_redirect_url=UNSET if success is None else success[0],
        fail_redirect_url=UNSET if fail is None else fail[0],
        fiat_amount=UNSET if fiat is None else amount,
        fiat_currency=fiat or UNSET,
        transaction_hash=transaction or UNSET,
    )
    return Converted(view, held_to(losses, strict=strict, accept=accept))


def _state(charge: Fields) -> State:
    found = state(charge)
    if found is not None:
        return found
    charge.lose("status-missing", "timeline")
    return State("NEW", CheckoutStatus.ACTIVE)


def _created(charge: Fields) -> datetime | None:
    created = charge.time("created_at")
    if created is not None:
        return created
    created = next((moment for entry in charge.objects("timeline") if (moment := entry.time("time"))), None)
    charge.lose("time-missing" if created is None else "time-guessed", "created_at")
    return created


def _updated(charge: Fields, found: State) -> datetime | None:
    if charge.any("updated_at") is None:
        charge.lose("update-guessed", "updated_at")
    return changed_at(charge, found)


def _priced(charge: Fields, payments: list[Fields]) -> tuple[str | None, str | None]:
    """Amount and currency; None for what it does not say."""
    local = charges.price(charge)
    if charges.pricing_type(charge) == "no_price":
        charge.lose("amount-paid", "pricing_type")
        if local.is_empty:
            return _paid(payments)
    given, currency = local.any("amount"), local.text("currency")
    amount = as_amount(given)
    if amount is None:
        local.lose("amount-missing" if given is None else "amount-unusable", "amount")
    elif int(amount.as_tuple().exponent) < -_CENTS:
        local.lose("amount-many-decimals", "amount")
    if currency is None:
        local.lose("currency-missing", "currency")
    local.left()
    return None if amount is None else format(amount, "f"), None if currency is None else currency.upper()


def _paid(payments: list[Fields]) -> tuple[str, str]:
    """The sum of what was paid, in the currency of the first payment; none is 0 USDC."""
    values = [payment.object("value").object("local") for payment in payments]
    paid = [(amount, value.text("currency")) for value in values if (amount := as_amount(value.any("amount")))]
    currency = next((name for _, name in paid if name is not None), "USDC")
    # From 0.00, so that nothing looks like money.
    return format(sum((amount for amount, name in paid if name == currency), _NOTHING), "f"), currency.upper()


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One transaction, as far as the charge tells it."""

    network: str | None
    hash: str


def _transfers(charge: Fields, payments: list[Fields]) -> list[_Transfer]:
    """Every transaction once, the older first; in a timeline, as payments, or as events of the newer kind."""
    web3 = charge.object("web3_data")
    # Some clients write the second.
    told = [
        (event.text("tx_hsh") or event.text("tx_hash"), _chain(event.any("chain_id")))
        for event in web3.objects("success_events")
    ]
    told += [(payment.text("transaction_id"), payment.text("network")) for payment in payments]
    told += [
        (payment.text("transaction_id"), payment.text("network"))
        for payment in (entry.object("payment") for entry in charge.objects("timeline"))
    ]
    found: dict[str, _Transfer] = {}
    for hash_, network in told:
        if hash_ is not None:
            found.setdefault(hash_.lower(), _Transfer(network, hash_))
    if not web3.is_empty:
        charge.losses.append(field_lost("web3-data", charge.at("web3_data")))
    return list(found.values())


def _chain(chain_id: object) -> str | None:
    """The name of a chain; of one that Commerce did not name, its number as CAIP-2 writes it."""
    written = None if chain_id is None else written_out(chain_id)
    return None if written is None else _CHAINS.get(written, f"eip155:{written}")


def _network(charge: Fields, transfers: list[_Transfer]) -> Network:
    told = [transfer.network.lower() for transfer in transfers if transfer.network is not None]
    if not told:
        charge.lose("network", "payments")
        return Network.BASE
    network = Network(told[-1])
    if not network.is_known:
        charge.lose("network-other", "payments")
    return network


def _transaction(charge: Fields, transfers: list[_Transfer]) -> str | None:
    if len(transfers) > 1:
        charge.lose("transactions", "payments")
    return transfers[-1].hash if transfers else None
