"""Checkouts that begin, change and end by other rules, and payments that do not add up."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ..shop import Answer, Checkout, Request, Shop, moment
from .fault import Body, puts, rule, shown, turns


def expiry(change: Callable[[Any, Any, Any], Any]) -> Any:
    """Another expiresAt: of the one asked for (None without), the default, and now."""
    return lambda shop, asked, now: change(moment(asked.get("expiresAt")), Shop.expiry(shop, {}, now), now)


def naive(shop: Shop, asked: Body, now: Any) -> Any:
    """The offset of expiresAt overlooked."""
    text = asked.get("expiresAt", "")
    return moment(re.sub(r"([+-]\d\d:\d\d)$", "Z", text)) if text else Shop.expiry(shop, asked, now)


rule(
    "born-processing",
    "A new checkout is PROCESSING.",
    made=lambda shop, asked: replace(Shop.made(shop, asked), status="PROCESSING"),
)
rule(
    "default-expiry-2h",
    "The default expiry is two hours.",
    expiry=expiry(lambda asked, _, now: asked or now + timedelta(hours=2)),
)
rule(
    "default-expiry-60-days",
    "The default expiry is sixty days.",
    expiry=expiry(lambda asked, _, now: asked or now + timedelta(days=60)),
)
rule(
    "default-expiry-61-min",
    "The default expiry is a minute late.",
    expiry=expiry(lambda asked, default, _: asked or default + timedelta(minutes=1)),
)
rule("expiry-ignored", "expiresAt is not heeded.", expiry=expiry(lambda _, default, __: default))
rule(
    "expiry-capped",
    "expiresAt is at most a day from now.",
    expiry=expiry(lambda asked, default, now: min(asked or default, now + timedelta(days=1))),
)
rule("expiry-offset", "The offset of expiresAt is overlooked.", expiry=naive)
rule(
    "expiry-minutes",
    "expiresAt is cut to minutes.",
    expiry=lambda shop, asked, now: Shop.expiry(shop, asked, now).replace(second=0, microsecond=0),
)
rule("never-expires", "A checkout never expires.", expire=lambda *_: None)


def expires_early(shop: Shop, checkout: Checkout) -> None:
    """Ten minutes before the time."""
    if checkout.status == "ACTIVE" and shop.now() >= checkout.expires - timedelta(minutes=10):
        shop.turn(checkout, "EXPIRED")


def expires_late(shop: Shop, checkout: Checkout) -> None:
    """Ten minutes after the time."""
    if checkout.status == "ACTIVE" and shop.now() >= checkout.expires + timedelta(minutes=10):
        shop.turn(checkout, "EXPIRED")


def expires_deactivated(shop: Shop, checkout: Checkout) -> None:
    """Deactivated ones, too."""
    if checkout.status in {"ACTIVE", "DEACTIVATED"} and shop.now() >= checkout.expires:
        shop.turn(checkout, "EXPIRED")


def expires_paid(shop: Shop, checkout: Checkout) -> None:
    """Paid ones, too."""
    if checkout.status in {"ACTIVE", "COMPLETED"} and shop.now() >= checkout.expires:
        shop.turn(checkout, "EXPIRED")


rule("expires-early", "A checkout expires ten minutes early.", expire=expires_early)
rule("expires-late", "A checkout expires ten minutes late.", expire=expires_late)
rule("expires-deactivated", "A deactivated checkout expires, too.", expire=expires_deactivated)
rule("expires-paid", "A paid checkout expires, too.", expire=expires_paid)
rule(
    "expires-when-read",
    "Lists show and filter a checkout as ACTIVE until it is read once.",
    ordered=lambda shop: sorted(shop.checkouts.values(), key=shop.rank),
)


def deactivating(change: Callable[[Shop, Checkout], None], *statuses: str) -> Any:
    """Another deactivation, of checkouts in *statuses*."""

    def deactivate(shop: Shop, request: Request) -> Answer:
        checkout = shop.found(request.id)
        if statuses and checkout.status not in statuses:
            return Shop.deactivate(shop, request)
        change(shop, checkout)
        return Answer(200, shop.view(checkout))

    return deactivate


def deletes(shop: Shop, checkout: Checkout) -> None:
    """It is gone."""
    shop.turn(checkout, "DEACTIVATED")
    del shop.checkouts[checkout.id]


def deactivates(shop: Shop, checkout: Checkout) -> None:
    """Whatever it is."""
    shop.turn(checkout, "DEACTIVATED")


for status in ("EXPIRED", "COMPLETED", "FAILED", "PROCESSING", "REFUNDED", "PARTIALLY_REFUNDED"):
    rule(
        f"deactivates-{status.lower()}",
        f"A checkout that is {status} can be deactivated.",
        deactivate=deactivating(deactivates, status),
    )
rule(
    "deactivates-quietly",
    "A checkout that is COMPLETED answers 200 to a deactivation and stays.",
    deactivate=deactivating(lambda *_: None, "COMPLETED"),
)
rule(
    "deactivation-toggles",
    "A second deactivation makes it ACTIVE again.",
    deactivate=deactivating(lambda shop, one: shop.turn(one, "ACTIVE"), "DEACTIVATED"),
)
rule(
    "deactivation-touches",
    "A second deactivation moves updatedAt.",
    reading="a",
    deactivate=deactivating(lambda shop, one: setattr(one, "updated", shop.stored(shop.now())), "DEACTIVATED"),
)
rule("deactivation-idle", "A deactivation changes nothing.", deactivate=deactivating(lambda *_: None, "ACTIVE"))
rule(
    "deactivation-deletes",
    "A deactivated checkout is gone.",
    deactivate=deactivating(deletes, "ACTIVE"),
)
rule(
    "deactivation-expires",
    "A deactivation makes it EXPIRED.",
    deactivate=deactivating(lambda shop, one: shop.turn(one, "EXPIRED"), "ACTIVE"),
)
shown("deactivation-old-status", "A deactivation answers the status of before.", puts("status", "ACTIVE"), "deactivate")


def deactivates_all(shop: Shop, checkout: Checkout) -> None:
    """The neighbour goes, too."""
    before = [one for one in shop.checkouts.values() if one.number == checkout.number - 1 and one.status == "ACTIVE"]
    for one in (checkout, *before):
        shop.turn(one, "DEACTIVATED")


rule(
    "deactivation-neighbour",
    "A deactivation ends the checkout made before, too.",
    deactivate=deactivating(deactivates_all, "ACTIVE"),
)
shown("updated-frozen", "updatedAt stays at createdAt.", lambda one: one.update(updatedAt=one["createdAt"]))
shown(
    "updated-before-created",
    "updatedAt is before createdAt.",
    turns("updatedAt", lambda text: "2020-01-01T00:00:00Z"),
    "create",
)
rule(
    "updated-on-read",
    "updatedAt is the time of reading.",
    view=lambda shop, one: Shop.view(shop, replace(one, updated=shop.stored(shop.now()))),
)
rule(
    "created-moves",
    "createdAt is the time of the last change.",
    view=lambda shop, one: Shop.view(shop, replace(one, created=one.updated)),
)


def goes_back(shop: Shop, checkout: Checkout, status: str) -> None:
    """An hour back at each change but deactivation."""
    Shop.turn(shop, checkout, status)
    if status != "DEACTIVATED":
        checkout.updated = checkout.created - timedelta(hours=1)


def frozen_for(*statuses: str) -> Any:
    """updatedAt stays at some changes."""

    def turn(shop: Shop, checkout: Checkout, status: str) -> None:
        before = checkout.updated
        Shop.turn(shop, checkout, status)
        if status in statuses:
            checkout.updated = before

    return turn


rule("updated-back", "updatedAt goes back when paid.", turn=goes_back)
rule("updated-not-deactivated", "updatedAt stays at a deactivation.", turn=frozen_for("DEACTIVATED"))
rule("updated-not-paid", "updatedAt stays at a payment.", turn=frozen_for("COMPLETED"))
rule(
    "updated-not-refunded",
    "updatedAt stays at a refund.",
    turn=frozen_for("REFUNDED", "PARTIALLY_REFUNDED"),
    reading="a",
)
rule(
    "url-of-each-reading",
    "The url is another at each reading.",
    view=lambda shop, one: Shop.view(shop, one) | {"url": f"https://pay.example.net/{time.monotonic_ns()}"},
)
rule(
    "url-shared",
    "All checkouts have one url.",
    view=lambda shop, one: Shop.view(shop, one) | {"url": "https://pay.example.net/me"},
)
rule(
    "processing-forgotten",
    "PROCESSING shows as ACTIVE.",
    view=lambda shop, one: Shop.view(shop, one) | ({"status": "ACTIVE"} if one.status == "PROCESSING" else {}),
)
rule(
    "failed-is-completed",
    "A failed payment shows as COMPLETED.",
    pay=lambda shop, one, outcome: Shop.pay(shop, one, "COMPLETED" if outcome == "FAILED" else outcome),
)


def reopens(shop: Shop, id: str) -> Checkout:
    """Open again after the third look."""
    checkout = Shop.found(shop, id)
    if checkout.status == "FAILED":
        checkout.looks += 1
        if checkout.looks > 2:
            checkout.status = "ACTIVE"
    return checkout


rule("failed-reopens", "A failed checkout is ACTIVE again after it was read.", found=reopens)


def settling(change: Callable[[Checkout, Body], Body]) -> Any:
    """Another settlement."""
    return lambda shop, checkout: change(checkout, Shop.settlement(shop, checkout))


def less(text: str, by: str = "0.01") -> str:
    """An amount less a cent."""
    return f"{Decimal(text) - Decimal(by):.2f}"


rule(
    "settlement-cent",
    "The net amount is a cent short.",
    settlement=settling(lambda _, one: one | {"netAmount": less(one["netAmount"])}),
)
rule(
    "settlement-cent-large",
    "The net amount is a cent short from 1000 on.",
    settlement=settling(
        lambda _, one: one | ({"netAmount": less(one["netAmount"])} if Decimal(one["totalAmount"]) >= 1000 else {})
    ),
)
rule(
    "settlement-added",
    "The fee is added to the net amount.",
    settlement=settling(
        lambda _, one: one | {"netAmount": str(Decimal(one["totalAmount"]) + Decimal(one["feeAmount"]))}
    ),
)
rule(
    "settlement-less-refunds",
    "The settlement's net amount is less what was refunded.",
    settlement=settling(
        lambda checkout, one: (
            one
            | {
                "netAmount": less(
                    one["netAmount"], str(sum((refund.amount for refund in checkout.refunds), Decimal(0)))
                )
            }
        )
    ),
)
rule(
    "settlement-negative",
    "The fee is negative.",
    settlement=settling(
        lambda _, one: (
            one
            | {
                "feeAmount": "-" + one["feeAmount"],
                "netAmount": str(Decimal(one["totalAmount"]) + Decimal(one["feeAmount"])),
            }
        )
    ),
)
