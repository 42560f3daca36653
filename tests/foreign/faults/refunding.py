"""Money that goes back wrongly."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..shop import Answer, Checkout, Refund, RefusedError, Request, Shop
from .fault import Body, answered, drops, rule, shown


def settled_as(change: Callable[[Shop, Checkout], str | None]) -> Any:
    """Another status after refunds; None for the right one."""

    def settled(shop: Shop, checkout: Checkout) -> None:
        Shop.settled(shop, checkout)
        checkout.status = change(shop, checkout) or checkout.status

    return settled


def total(refunds: list[Refund], *statuses: str) -> Decimal:
    """The sum of refunds in some statuses."""
    return sum((one.amount for one in refunds if not statuses or one.status in statuses), Decimal(0))


def over_by_a_cent(shop: Shop, checkout: Checkout) -> Decimal:
    """A cent too much is left."""
    return Shop.remaining(shop, checkout) + Decimal("0.01")


def settles(which: Callable[[Checkout, str], list[Refund]]) -> Any:
    """Settle others than the one named."""

    def settle(shop: Shop, checkout: Checkout, refund_id: str, outcome: str) -> None:
        for refund in which(checkout, refund_id):
            if refund.status == "PENDING":
                Shop.settle(shop, checkout, refund.id, outcome)

    return settle


def refund_done(shop: Shop, checkout: Checkout, asked: Body) -> Refund:
    """Complete at once."""
    refund = Shop.refund_made(shop, checkout, asked)
    refund.status, refund.completed = "COMPLETED", refund.created
    return refund


def refund_viewed(change: Callable[[Checkout, Refund, Body], object]) -> Any:
    """Another look of a refund."""

    def refund_view(shop: Shop, checkout: Checkout, refund: Refund) -> Body:
        body = Shop.refund_view(shop, checkout, refund)
        change(checkout, refund, body)
        return body

    return refund_view


def refunded(sum_of: Callable[[list[Refund]], Decimal]) -> Any:
    """Another refundedAmount, in what is shown only."""

    def view(shop: Shop, checkout: Checkout) -> Body:
        body = Shop.view(shop, checkout)
        if checkout.refunds:
            body["refundedAmount"] = f"{sum_of(checkout.refunds):.2f}"
        return body

    return view


def refundable(*statuses: str) -> Any:
    """Refunds from statuses that have nothing to refund."""

    def refund(shop: Shop, request: Request) -> Answer:
        checkout = shop.checkouts.get(request.id)
        shop.forgives = frozenset({"refund.status"} if checkout and checkout.status in statuses else ())
        try:
            return Shop.refund(shop, request)
        finally:
            shop.forgives = frozenset()

    return {"refund": refund}


for status in ("ACTIVE", "PROCESSING", "DEACTIVATED", "EXPIRED", "FAILED"):
    rule(f"refunds-{status.lower()}", f"A checkout that is {status} can be refunded.", **refundable(status))
rule("refund-over-cent", "A cent more than paid can be refunded.", remaining=over_by_a_cent)
rule("refund-over", "More than paid can be refunded.", remaining=lambda *_: Decimal(10**9))
rule(
    "refund-over-pending",
    "What is on its way can be refunded again.",
    remaining=lambda _, one: one.amount - total(one.refunds, "COMPLETED"),
)
rule("refund-over-second", "The second refund may be as large as the payment.", remaining=lambda _, one: one.amount)


def all_only(shop: Shop, checkout: Checkout, asked: Body) -> Refund:
    """No parts."""
    refund = Shop.refund_made(shop, checkout, asked)
    if refund.amount != checkout.amount:
        raise RefusedError(400, "invalid_request", "all or nothing")
    return refund


def once_only(shop: Shop, checkout: Checkout, asked: Body) -> Refund:
    """No second one."""
    if checkout.refunds:
        raise RefusedError(400, "invalid_request", "it was refunded once")
    return Shop.refund_made(shop, checkout, asked)


rule("refund-all-only", "Only all of it can be refunded.", refund_made=all_only)
rule("refund-once-only", "There is one refund only.", refund_made=once_only)
rule(
    "refund-not-all",
    "The last cent cannot be refunded.",
    remaining=lambda shop, one: Shop.remaining(shop, one) - Decimal("0.01"),
)
rule("refund-settles-all", "One refund settled settles all.", settle=settles(lambda one, _: list(one.refunds)))
rule(
    "refund-settles-first",
    "The first refund is settled whichever is meant.",
    settle=settles(lambda one, _: one.refunds[:1]),
)
rule("refund-settles-none", "A refund is never settled.", settle=lambda *_: None)
rule(
    "refund-settles-wrong",
    "A refund that failed shows COMPLETED.",
    settle=lambda shop, one, refund_id, _: Shop.settle(shop, one, refund_id, "COMPLETED"),
)
rule("refunded-last", "refundedAmount is that of the last refund.", view=refunded(lambda refunds: refunds[-1].amount))
rule("refunded-first", "refundedAmount stays at the first refund.", view=refunded(lambda refunds: refunds[0].amount))
rule(
    "refunded-completed",
    "refundedAmount counts only completed refunds.",
    view=refunded(lambda refunds: total(refunds, "COMPLETED")),
)
rule(
    "refunded-rest",
    "refundedAmount is what is left.",
    view=lambda shop, one: (
        Shop.view(shop, one) | ({"refundedAmount": f"{shop.remaining(one):.2f}"} if one.refunds else {})
    ),
)
rule(
    "refunded-cent",
    "refundedAmount is a cent short after two refunds.",
    view=refunded(lambda refunds: total(refunds) - (Decimal("0.01") if len(refunds) > 1 else 0)),
    reading="b",
)
shown("refunded-lost", "refundedAmount is not there.", drops("refundedAmount"), "get")
shown("refunded-lost-answer", "refundedAmount is not in a refund's answer.", drops("refundedAmount"), "refund")
rule(
    "refunded-lowers-amount",
    "A refund lowers amount.",
    view=lambda shop, one: Shop.view(shop, one) | ({"amount": f"{shop.remaining(one):.2f}"} if one.refunds else {}),
)
rule(
    "refunded-early",
    "A part refunded is REFUNDED.",
    settled=settled_as(lambda _, one: "REFUNDED" if one.status == "PARTIALLY_REFUNDED" else None),
)
rule(
    "refunded-never",
    "All refunded is still PARTIALLY_REFUNDED.",
    settled=settled_as(lambda _, one: "PARTIALLY_REFUNDED" if one.status == "REFUNDED" else None),
)
rule("refunded-as-completed", "A refunded checkout stays COMPLETED.", settled=lambda *_: None)
rule(
    "refunded-deactivated",
    "A refunded checkout is DEACTIVATED.",
    settled=settled_as(lambda _, one: "DEACTIVATED" if one.status == "REFUNDED" else None),
)
rule(
    "refund-failed-fails",
    "A failed refund makes the checkout FAILED.",
    settled=settled_as(lambda _, one: "FAILED" if any(refund.status == "FAILED" for refund in one.refunds) else None),
)
rule("refund-done-at-once", "A new refund is COMPLETED.", refund_made=refund_done)
rule(
    "refund-completed-missing",
    "A completed refund has no completedAt.",
    refund_view=refund_viewed(lambda _, __, body: body.pop("completedAt", 0)),
)
rule(
    "refund-hash-missing",
    "A completed refund has no transactionHash.",
    refund_view=refund_viewed(lambda _, __, body: body.pop("transactionHash", 0)),
)
rule(
    "refund-completed-pending",
    "A pending refund has a completedAt.",
    refund_view=refund_viewed(lambda _, __, body: body.setdefault("completedAt", body["createdAt"])),
)
rule(
    "refund-completed-past",
    "completedAt is before createdAt.",
    refund_view=refund_viewed(
        lambda _, __, body: body.update(completedAt="2020-01-01T00:00:00Z") if "completedAt" in body else None
    ),
)
rule(
    "refund-checkout-self",
    "A refund's checkoutId is its own id.",
    refund_view=refund_viewed(lambda _, __, body: body.update(checkoutId=body["id"])),
)
rule(
    "refund-created-null",
    "A refund has no createdAt.",
    refund_view=refund_viewed(lambda _, __, body: body.pop("createdAt")),
)
rule(
    "refund-ids-same",
    "All refunds of a checkout have one id.",
    refund_view=refund_viewed(lambda checkout, _, body: body.update(id=f"refund-of-{checkout.id}")),
    settle=lambda shop, one, _, outcome: Shop.settle(shop, one, one.refunds[-1].id, outcome),
)
rule(
    "refund-whole",
    "Refunds are rounded to whole amounts where they are shown.",
    refund_view=refund_viewed(lambda _, one, body: body.update(amount=f"{one.amount:.0f}.00")),
)
rule(
    "refund-one-kept",
    "Only the last refund is listed.",
    view=lambda shop, one: (
        Shop.view(shop, one) | ({"refunds": [shop.refund_view(one, one.refunds[-1])]} if one.refunds else {})
    ),
)
rule(
    "refund-cent-refused",
    "A refund of a cent is refused.",
    refund_faults=lambda shop, asked: iter(
        (*Shop.refund_faults(shop, asked), *([("small", "too small")] if asked.get("amount") == "0.01" else []))
    ),
)
answered(
    "refund-answer-flat",
    "A refund answers the checkout alone.",
    lambda answer: replace(answer, body=answer.body["checkout"]),
    "refund",
)
answered(
    "refund-answer-alone",
    "A refund answers the refund alone.",
    lambda answer: replace(answer, body=answer.body["refund"]),
    "refund",
)
answered(
    "refund-answer-other-id",
    "The refund in an answer has another id than in the checkout.",
    lambda answer: (answer.body["refund"].update(id="rf_0"), answer)[1],
    "refund",
)
answered(
    "refund-answer-status",
    "The refund in an answer is COMPLETED, in the checkout it is not.",
    lambda answer: (answer.body["refund"].update(status="COMPLETED"), answer)[1],
    "refund",
)
answered(
    "refund-answer-null-reason",
    "The refund in an answer has a null reason.",
    lambda answer: (answer.body["refund"].setdefault("reason", None), answer)[1],
    "refund",
)
answered(
    "refund-answer-no-checkout-id",
    "The refund in an answer has no checkoutId.",
    lambda answer: (answer.body["refund"].pop("checkoutId"), answer)[1],
    "refund",
)
rule(
    "refund-fiat-lost",
    "A fiat refund carries no fiat figures.",
    reading="b",
    refund_view=refund_viewed(
        lambda _, __, body: [body.pop(name, 0) for name in ("fiatAmount", "fiatCurrency", "exchangeRate")]
    ),
)
rule(
    "refund-fiat-default-usdc",
    "A refund of a fiat checkout is in USDC by default.",
    reading="b",
    refund_made=lambda shop, one, asked: Shop.refund_made(shop, one, {"currency": "USDC"} | asked),
)
rule(
    "refund-fiat-unconverted",
    "A fiat refund's amount is the fiat figure.",
    reading="b",
    refund_view=refund_viewed(lambda _, one, body: body.update(amount=f"{one.fiat:.2f}") if one.fiat else None),
)
