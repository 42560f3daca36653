"""What a request meets: the data, the time, chance, and the choices made at start."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from coinbase_checkouts_sandbox import checkouts, refunds
from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.commits import Committer
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.keys import VerificationKey
from coinbase_checkouts_sandbox.readings import Readings
from coinbase_checkouts_sandbox.refunds import Refund
from coinbase_checkouts_sandbox.store import Store, Transaction

_ID: Final = re.compile("[0-9a-f]{24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything the handlers of one server share."""

    store: Store
    committer: Committer
    real_ms: Callable[[], int]
    """Real time in milliseconds since the epoch."""
    token_hex: Callable[[int], str]
    """That many random bytes, in hexadecimal."""
    keys: Mapping[str, VerificationKey] | None
    """By id; None: tokens are not asked for."""
    readings: Readings
    fee_rate: Decimal
    """Part of a payment that is kept as fee."""
    remote: bool = False
    """Whether payers may come from other machines."""
    remote_control: bool = False
    """Whether control calls are answered to other machines too."""
    remote_webhooks: bool = False
    """Whether events may be sent to other machines."""

    def now_ms(self, transaction: Transaction) -> int:
        """The sandbox's time: real time, and how far the clock was moved."""
        return self.real_ms() + transaction.clock_offset_ms

    def object_id(self, now_ms: int) -> str:
        """A new id of 24 hexadecimal digits, the first eight of them the seconds, as in every published sample."""
        return f"{now_ms // 1000 & 0xFFFFFFFF:08x}{self.token_hex(8)}"

    def uuid(self) -> str:
        """A new random UUID."""
        return str(UUID(hex=self.token_hex(16), version=4))

    def transaction_hash(self) -> str:
        """A hash as of a transaction on Base; nothing is there."""
        return f"0x{self.token_hex(32)}"


def found(
    transaction: Transaction, checkout_id: str, now_ms: int, *, missing_status: int = 404
) -> tuple[Checkout, list[Refund]]:
    """
    A checkout as of *now_ms*, and its refunds, oldest first.

    Raises:
        ApiError: There is none with this id.
    """
    # Not every database can be asked for any text.
    checkout = transaction.checkout(checkout_id) if _ID.fullmatch(checkout_id) else None
    if checkout is None:
        raise ApiError(missing_status, "path id: no checkout has this id")
    return checkouts.as_of(checkout, now_ms), refunds_of(transaction, [checkout])[checkout_id]


def refunds_of(transaction: Transaction, these: Collection[Checkout]) -> dict[str, list[Refund]]:
    """The refunds of each of these checkouts by its id, oldest first."""
    found: dict[str, list[Refund]] = {checkout.id: [] for checkout in these}
    # Only what was paid can have any, and most of what is read was not paid yet.
    paid = [checkout.id for checkout in these if checkout.status in checkouts.PAID]
    for refund in transaction.refunds(paid) if paid else ():
        found[refund.checkout_id].append(refund)
    return found


def checkout_answer(checkout: Checkout, its_refunds: Sequence[Refund]) -> dict[str, Any]:
    """A Checkout as the description has it, with its refunds."""
    return checkouts.answer(checkout, refunds.refunded(its_refunds), map(refunds.answer, its_refunds))
