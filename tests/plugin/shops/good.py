"""A shop that takes payments as it should."""

from __future__ import annotations

from decimal import Decimal

from coinbase_checkouts import Checkouts
from coinbase_checkouts_sandbox import Sandbox


class Shop:
    """Orders by number, with what was paid and what went back."""

    def __init__(self, sandbox: Sandbox, checkouts: Checkouts) -> None:
        self._checkouts = checkouts
        self._ids: dict[str, str] = {}
        self._prices: dict[str, Decimal] = {}
        self.sent: list[str] = []
        self.returned = Decimal(0)

    def order(self, number: str, price: str) -> str:
        """The checkout of an order, once however often it is ordered."""
        made = self._checkouts.create(price, order_id=number, metadata={"order": number})
        self._ids[number], self._prices[number] = made.id, Decimal(price)
        return made.id

    def payer_is_back(self, number: str) -> None:
        """Send the goods if they are paid for."""
        checkout = self._checkouts.get(self._ids[number])
        if checkout.status == "COMPLETED" and Decimal(checkout.amount) == self._prices[number]:
            self.sent.append(number)

    def cancel(self, number: str) -> bool:
        """Whether nobody can pay for it any more."""
        return self._checkouts.deactivate(self._ids[number]).status == "DEACTIVATED"

    def give_back(self, number: str, amount: str) -> str:
        """Start a refund; its id."""
        started = self._checkouts.refund(self._ids[number], amount, refund_id=f"{number}-1")
        if Decimal(started.checkout.refunded_amount or 0) != Decimal(amount):
            raise RuntimeError(f"order {number}: more went back than should")
        return started.refund.id

    def refund_is_done(self, number: str, refund_id: str) -> None:
        """Book a refund once the money has gone."""
        for refund in self._checkouts.get(self._ids[number]).refunds or []:
            if refund.id == refund_id and refund.status == "COMPLETED":
                self.returned += Decimal(refund.amount)

    def all(self) -> list[str]:
        """The ids of all checkouts."""
        return [checkout.id for checkout in self._checkouts.list()]
