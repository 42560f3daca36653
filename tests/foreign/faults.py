"""What can be wrong with a server: each fault is one difference, told in a sentence, made in the fewest lines."""

from __future__ import annotations

import json
import re
import struct
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from .shop import Answer, Checkout, Refund, Refusal, Request, Shop, moment

Before = Callable[[Shop, Request], Request]
After = Callable[[Shop, Request, Answer], Answer]
Wire = Callable[[Any, Request, Answer, dict[str, str], bytes], bool]
Body = Any


@dataclass(frozen=True)
class Fault:
    """
    One way to be wrong.

    Args:
        forgives: Reasons to refuse that are overlooked.
        changes: Methods of the shop that are others.
        before: Makes another request of the one that came.
        after: Makes another answer of the one the shop gave.
        wire: Sends the answer itself, and says so.
        reading: The only reading in which it is one; any if empty.
        harmless: No fault after all: a difference that has to pass.
    """

    name: str
    says: str
    forgives: frozenset[str] = frozenset()
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    before: Before = lambda _, request: request
    after: After = lambda _shop, _request, answer: answer
    wire: Wire = lambda *_: False
    reading: str = ""
    harmless: bool = False


FAULTS: Final[dict[str, Fault]] = {}


def fault(name: str, says: str, **how: Any) -> None:
    """Enter one."""
    assert name not in FAULTS
    FAULTS[name] = Fault(name, says, **how)


# Shapes: `shown` changes checkouts in the answers of some operations, `answered` whole answers.

EVERYWHERE: Final = ("create", "list", "get", "deactivate", "refund")


def checkouts_of(request: Request, answer: Answer) -> list[Body]:
    """The checkouts in an answer."""
    if answer.status >= 300:
        return []
    if request.operation == "list":
        return answer.body["checkouts"]  # type: ignore[no-any-return]
    return [answer.body["checkout"] if request.operation == "refund" else answer.body]


def shown(
    name: str, says: str, change: Callable[[Body], object], *operations: str, reading: str = "", harmless: bool = False
) -> None:
    """A fault in how checkouts look, in the answers of *operations* or of all."""

    def after(_: Shop, request: Request, answer: Answer) -> Answer:
        if request.operation in (operations or EVERYWHERE):
            for one in checkouts_of(request, answer):
                change(one)
        return answer

    fault(name, says, after=after, reading=reading, harmless=harmless)


def answered(
    name: str,
    says: str,
    change: Callable[[Answer], Answer],
    *operations: str,
    status: Callable[[int], bool] = lambda status: status < 300,
    reading: str = "",
    harmless: bool = False,
) -> None:
    """A fault in whole answers of some operations and some status."""

    def after(_: Shop, request: Request, answer: Answer) -> Answer:
        wanted = request.operation in (operations or EVERYWHERE) and status(answer.status)
        return change(answer) if wanted else answer

    fault(name, says, after=after, reading=reading, harmless=harmless)


def puts(name: str, value: object) -> Callable[[Body], object]:
    """Set a member."""
    return lambda one: one.__setitem__(name, value)


def drops(name: str) -> Callable[[Body], object]:
    """Take a member away."""
    return lambda one: one.pop(name, None)


def turns(name: str, change: Callable[[Any], Any]) -> Callable[[Body], object]:
    """Change a member, where it is."""
    return lambda one: one.__setitem__(name, change(one[name])) if name in one else None


def each_refund(change: Callable[[Body], object]) -> Callable[[Body], object]:
    """Change every refund of a checkout."""
    return lambda one: [change(refund) for refund in one.get("refunds", [])]


shown("list-item-without-url", "Items of a list have no url.", drops("url"), "list")
shown("list-item-amount-number", "Items of a list have numbers for amounts.", turns("amount", float), "list")
shown("list-item-status-lower", "Items of a list have lower-case statuses.", turns("status", str.lower), "list")
shown("list-item-description-lost", "Items of a list have no description.", drops("description"), "list")
shown("list-item-redirect-lost", "Items of a list have no failRedirectUrl.", drops("failRedirectUrl"), "list")
shown("list-item-refunds-lost", "Items of a list have no refunds.", drops("refunds"), "list")
shown("list-item-null-hash", "Items of a list have a null hash until paid.", lambda one: one.setdefault("transactionHash", None), "list")
shown("list-item-metadata-lost", "Items of a list have no metadata.", drops("metadata"), "list")
shown("list-item-expiry-date", "Items of a list have days for expiresAt.", turns("expiresAt", lambda text: text[:10]), "list")
shown("refund-answer-without-network", "The checkout in a refund's answer has no network.", drops("network"), "refund")
shown("refund-answer-id-upper", "The checkout in a refund's answer has its id in capitals.", turns("id", str.upper), "refund")
shown("refund-answer-description-lost", "The checkout in a refund's answer has no description.", drops("description"), "refund")
shown("refund-answer-list-empty", "The checkout in a refund's answer lists no refund.", puts("refunds", []), "refund")
shown("refund-answer-null-fiat", "The checkout in a refund's answer has a null fiatAmount.", puts("fiatAmount", None), "refund", reading="a")
shown("refunds-amount-number", "Refunds in a checkout that is read have numbers for amounts.", each_refund(turns("amount", float)), "get")
shown("refunds-status-lower", "Refunds in a checkout that is read have lower-case statuses.", each_refund(turns("status", str.lower)), "get")
shown("refunds-without-id", "Refunds in a checkout that is read have no id.", each_refund(drops("id")), "get")
shown("refunds-null-completed", "Refunds have a null completedAt until completed.", each_refund(lambda one: one.setdefault("completedAt", None)))
shown("refunds-object", "refunds is an object by id.", turns("refunds", lambda them: {one["id"]: one for one in them}), "get")
shown("refunds-empty", "refunds is an empty list before there are any.", lambda one: one.setdefault("refunds", []))
shown("refunded-zero", "refundedAmount is 0.00 before any refund.", lambda one: one.setdefault("refundedAmount", "0.00"))
shown("refunded-number", "refundedAmount is a number.", turns("refundedAmount", float))
shown("get-null-description", "A checkout without description has a null one when read.", lambda one: one.setdefault("description", None), "get")
shown("create-null-metadata", "A new checkout without metadata has null.", lambda one: one.setdefault("metadata", None), "create")
shown("get-null-settlement", "An unpaid checkout has a null settlement.", lambda one: one.setdefault("settlement", None), "get")
shown("created-without-zone", "createdAt has no offset when read.", turns("createdAt", lambda text: text[:19]), "get")
shown("created-epoch", "createdAt is a number of milliseconds.", turns("createdAt", lambda text: int((moment(text) or 0).timestamp() * 1000)))  # type: ignore[union-attr]
shown("updated-epoch-text", "updatedAt is the text of a number.", turns("updatedAt", lambda text: str(int((moment(text) or 0).timestamp()))), "deactivate")  # type: ignore[union-attr]
shown("updated-spaced", "updatedAt has a space for the T, in deactivations.", turns("updatedAt", lambda text: text.replace("T", " ")), "deactivate")
shown("expires-http-date", "expiresAt is an HTTP date.", turns("expiresAt", lambda text: moment(text).strftime("%a, %d %b %Y %H:%M:%S GMT")), "create")  # type: ignore[union-attr]
shown("url-relative", "The url of a new checkout is a path.", turns("url", lambda url: url[url.index("/", 8) :]), "create")
shown("url-spaced", "The url has a space.", turns("url", lambda url: url + "/pay now"), "get")
shown("id-number", "The id is a number in lists.", turns("id", lambda text: int(text, 16)), "list")
shown("id-long", "The id of a deactivated checkout has 25 characters.", turns("id", lambda text: text + "0"), "deactivate")
shown("id-other", "A checkout that is read has another id.", turns("id", lambda text: text[::-1]), "get")
shown("network-capital", "The network is Base.", puts("network", "Base"), "get")
shown("network-chain", "The network is eip155:8453.", puts("network", "eip155:8453"), "list")
shown("currency-lower", "The currency is usdc.", puts("currency", "usdc"), "get")
shown("currency-token", "The currency is the token's address.", puts("currency", "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"), "list")
shown("status-canceled", "DEACTIVATED is called CANCELED in lists.", turns("status", lambda text: "CANCELED" if text == "DEACTIVATED" else text), "list")
shown("status-paid", "COMPLETED is called PAID.", turns("status", lambda text: "PAID" if text == "COMPLETED" else text))
shown("amount-three-decimals", "Amounts have three decimals when read.", turns("amount", lambda text: f"{Decimal(text):.3f}"), "get")
shown("amount-thousands", "Amounts from 1,000 have commas.", turns("amount", lambda text: f"{Decimal(text):,.2f}" if Decimal(text) >= 1000 else text))
shown("amount-exponent", "The largest amount is 1E+8.", turns("amount", lambda text: "1E+8" if Decimal(text) == 10**8 else text))
shown("amount-single", "Amounts pass through a 32-bit float.", turns("amount", lambda text: f"{struct.unpack('f', struct.pack('f', float(text)))[0]:.2f}"))
shown("amount-tenths", "Amounts in lists are rounded to a tenth.", turns("amount", lambda text: f"{Decimal(text):.1f}"), "list")
shown("amount-unit", "Amounts carry their unit.", turns("amount", lambda text: text + " USDC"), "create")
shown("amount-minor", "Amounts are in cents.", turns("amount", lambda text: str(int(Decimal(text) * 100))))
shown("settlement-number", "The fee is a number.", turns("settlement", lambda one: one | {"feeAmount": float(one["feeAmount"])}))
shown("settlement-list", "The settlement is a list.", turns("settlement", lambda one: [one]), "get")
shown("settlement-sum-list", "In lists the net amount is the total.", turns("settlement", lambda one: one | {"netAmount": one["totalAmount"]}), "list")
shown("settlement-currency-null", "The settlement's currency is null.", turns("settlement", lambda one: one | {"currency": None}), "get")
shown("metadata-pairs", "metadata is a list of pairs.", turns("metadata", lambda one: [{"key": key, "value": value} for key, value in one.items()]), "get")
shown("metadata-text", "metadata is JSON in a text.", turns("metadata", json.dumps), "list")
shown("metadata-numbers", "Values of metadata that look like numbers are numbers.", turns("metadata", lambda one: {key: int(value) if str(value).isdecimal() else value for key, value in one.items()}))
shown("metadata-lower", "The names in metadata are in lower case.", turns("metadata", lambda one: {key.lower(): value for key, value in one.items()}))
shown("metadata-snake", "The names in metadata are in snake case.", turns("metadata", lambda one: {re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in one.items()}))
shown("metadata-last-lost", "The twentieth entry of metadata is lost.", turns("metadata", lambda one: dict(list(one.items())[:19])))
shown("metadata-cut", "Values of metadata are cut to 64 characters.", turns("metadata", lambda one: {key: value[:64] if isinstance(value, str) else value for key, value in one.items()}))
shown("redirects-swapped", "The redirect URLs are swapped when read.", lambda one: one.update({"successRedirectUrl": one["failRedirectUrl"], "failRedirectUrl": one["successRedirectUrl"]}) if {"successRedirectUrl", "failRedirectUrl"} <= one.keys() else None, "get")
shown("redirect-lost-deactivated", "A deactivation's answer has no successRedirectUrl.", drops("successRedirectUrl"), "deactivate")
shown("redirect-http", "Redirect URLs come back as http.", turns("successRedirectUrl", lambda url: url.replace("https:", "http:", 1)), "get")
shown("hash-null", "transactionHash is null until there is one.", lambda one: one.setdefault("transactionHash", None))
shown("hash-active", "A new checkout has a transactionHash.", lambda one: one.setdefault("transactionHash", "0x" + "0" * 64), "create")
shown("hash-failed", "A failed checkout has a transactionHash.", lambda one: one.__setitem__("transactionHash", "0x" + "1" * 64) if one["status"] == "FAILED" else None)
shown("hash-lost-completed", "A completed checkout has no transactionHash when read.", lambda one: one.pop("transactionHash", 0) if one["status"] == "COMPLETED" else None, "get")
shown("hash-lost-refunded", "A refunded checkout has no transactionHash.", lambda one: one.pop("transactionHash", 0) if one["status"] == "REFUNDED" else None)
shown("hash-of-refund", "The hash of a refunded checkout is that of its refund.", lambda one: one.__setitem__("transactionHash", next((refund["transactionHash"] for refund in one.get("refunds", []) if "transactionHash" in refund), one.get("transactionHash"))) if "refunds" in one else None)
shown("fiat-alone", "fiatAmount comes without fiatCurrency.", drops("fiatCurrency"), reading="b")
shown("fiat-lost", "A checkout made in fiat forgets so.", lambda one: (one.pop("fiatCurrency", 0), one.pop("fiatAmount", 0)), reading="b")
shown("fiat-lost-get", "A checkout made in fiat forgets so once it is read.", lambda one: (one.pop("fiatCurrency", 0), one.pop("fiatAmount", 0)), "get", "list", reading="b")
shown("fiat-amount-kept", "amount and currency stay in fiat.", lambda one: one.update(amount=one["fiatAmount"], currency=one["fiatCurrency"]) if "fiatAmount" in one else None, reading="b")
shown("fiat-amount-is-usdc", "fiatAmount is the figure in USDC.", lambda one: one.update(fiatAmount=one["amount"]) if "fiatAmount" in one else None, reading="b")
shown("fiat-in-usdc", "A checkout made in USDC has a fiatAmount.", lambda one: one.update(fiatAmount=one["amount"], fiatCurrency="USD"), reading="a")
shown("rate-number", "exchangeRate is a number.", each_refund(turns("exchangeRate", float)), reading="b")


# Echo


def stored(name: str, says: str, member: str, change: Callable[[Any], Any], operation: str = "create") -> None:
    """A fault in how something is remembered: changed after it was found good."""

    def view(shop: Shop, checkout: Checkout) -> Body:
        return Shop.view(shop, replace_asked(checkout, member, change))

    def refund_made(shop: Shop, checkout: Checkout, asked: Body) -> Refund:
        return Shop.refund_made(shop, checkout, asked | ({member: change(asked[member])} if member in asked else {}))

    fault(name, says, changes={"view": view} if operation == "create" else {"refund_made": refund_made})


def replace_asked(checkout: Checkout, member: str, change: Callable[[Any], Any]) -> Checkout:
    """The checkout as if another text had been sent."""
    if member not in checkout.asked:
        return checkout
    return replace(checkout, asked=checkout.asked | {member: change(checkout.asked[member])})


def escaped(text: str) -> str:
    """As HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def each_value(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """Change every text of metadata."""
    return lambda one: {key: change(value) if isinstance(value, str) else value for key, value in one.items()}


stored("description-trimmed", "Descriptions lose their outer blanks.", "description", str.strip)
stored("description-blanks-joined", "Blanks in descriptions are joined.", "description", lambda text: re.sub(" +", " ", text))
stored("description-nfc", "Descriptions are normalised (NFC).", "description", lambda text: unicodedata.normalize("NFC", text))
stored("description-nfkc", "Descriptions are normalised (NFKC).", "description", lambda text: unicodedata.normalize("NFKC", text))
stored("description-escaped", "Descriptions are escaped for HTML.", "description", escaped)
stored("description-ascii", "Descriptions lose what is not ASCII.", "description", lambda text: text.encode("ascii", "replace").decode())
stored("description-bmp", "Descriptions lose what is beyond the first plane.", "description", lambda text: re.sub("[^\0-\uffff]", "\ufffd", text))
stored("description-255", "Descriptions are cut to 255 characters.", "description", lambda text: text[:255])
stored("description-line", "Line breaks in descriptions are blanks.", "description", lambda text: text.replace("\n", " "))
stored("description-latin-1", "Descriptions are read as Latin-1.", "description", lambda text: text.encode().decode("latin-1"))
stored("description-500-bytes", "Descriptions are cut to 500 bytes.", "description", lambda text: text.encode()[:500].decode(errors="ignore"))
stored("metadata-trimmed", "Values of metadata lose their outer blanks.", "metadata", each_value(str.strip))
stored("metadata-nfc", "Values of metadata are normalised.", "metadata", each_value(lambda text: unicodedata.normalize("NFC", text)))
stored("redirect-slash", "Redirect URLs get a slash for an empty path.", "successRedirectUrl", lambda url: re.sub("^(https://[^/?#]+)$", r"\1/", url))
stored("redirect-query-lost", "Redirect URLs lose their query.", "successRedirectUrl", lambda url: url.partition("?")[0])
stored("redirect-fragment-lost", "Redirect URLs lose their fragment.", "failRedirectUrl", lambda url: url.partition("#")[0])
stored("redirect-lower", "Redirect URLs are in lower case.", "failRedirectUrl", str.lower)
stored("redirect-decoded", "Redirect URLs are percent-decoded once.", "successRedirectUrl", lambda url: url.replace("%2F", "/").replace("%20", "+"))
stored("reason-lost", "Reasons of refunds are lost.", "reason", lambda _: None, "refund")
stored("reason-trimmed", "Reasons of refunds lose their outer blanks.", "reason", str.strip, "refund")
stored("reason-100", "Reasons of refunds are cut to 100 characters.", "reason", lambda text: text[:100], "refund")
shown("reason-lost-get", "The reason of a refund is lost when the checkout is read.", each_refund(drops("reason")), "get")


# Rules of a checkout


def rule(name: str, says: str, reading: str = "", **changes: Any) -> None:
    """A fault in the shop's own doing."""
    fault(name, says, reading=reading, changes=changes)


def expiry(change: Callable[[Any, Any, Any], Any]) -> Any:
    """Another expiresAt: of the one asked for (None without), the default, and now."""
    return lambda shop, asked, now: change(moment(asked.get("expiresAt")), Shop.expiry(shop, {}, now), now)


def naive(shop: Shop, asked: Body, now: Any) -> Any:
    """The offset of expiresAt overlooked."""
    text = asked.get("expiresAt", "")
    return moment(re.sub(r"([+-]\d\d:\d\d)$", "Z", text)) if text else Shop.expiry(shop, asked, now)


rule("born-processing", "A new checkout is PROCESSING.", made=lambda shop, asked: replace(Shop.made(shop, asked), status="PROCESSING"))
rule("default-expiry-2h", "The default expiry is two hours.", expiry=expiry(lambda asked, _, now: asked or now + timedelta(hours=2)))
rule("default-expiry-60-days", "The default expiry is sixty days.", expiry=expiry(lambda asked, _, now: asked or now + timedelta(days=60)))
rule("default-expiry-61-min", "The default expiry is a minute late.", expiry=expiry(lambda asked, default, _: asked or default + timedelta(minutes=1)))
rule("expiry-ignored", "expiresAt is not heeded.", expiry=expiry(lambda _, default, __: default))
rule("expiry-capped", "expiresAt is at most a day from now.", expiry=expiry(lambda asked, default, now: min(asked or default, now + timedelta(days=1))))
rule("expiry-offset", "The offset of expiresAt is overlooked.", expiry=naive)
rule("expiry-minutes", "expiresAt is cut to minutes.", expiry=lambda shop, asked, now: Shop.expiry(shop, asked, now).replace(second=0, microsecond=0))
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
rule("expires-when-read", "Lists show and filter a checkout as ACTIVE until it is read once.", ordered=lambda shop: sorted(shop.checkouts.values(), key=shop.rank))


def deactivating(change: Callable[[Shop, Checkout], None], *statuses: str) -> Any:
    """Another deactivation, of checkouts in *statuses*."""

    def deactivate(shop: Shop, request: Request) -> Answer:
        checkout = shop.found(request.id)
        if statuses and checkout.status not in statuses:
            return Shop.deactivate(shop, request)
        change(shop, checkout)
        return Answer(200, shop.view(checkout))

    return deactivate


def deactivates(shop: Shop, checkout: Checkout) -> None:
    """Whatever it is."""
    shop.turn(checkout, "DEACTIVATED")


for status in ("EXPIRED", "COMPLETED", "FAILED", "PROCESSING", "REFUNDED", "PARTIALLY_REFUNDED"):
    rule(f"deactivates-{status.lower()}", f"A checkout that is {status} can be deactivated.", deactivate=deactivating(deactivates, status))
rule("deactivates-quietly", "A checkout that is COMPLETED answers 200 to a deactivation and stays.", deactivate=deactivating(lambda *_: None, "COMPLETED"))
rule("deactivation-toggles", "A second deactivation makes it ACTIVE again.", deactivate=deactivating(lambda shop, one: shop.turn(one, "ACTIVE"), "DEACTIVATED"))
rule("deactivation-touches", "A second deactivation moves updatedAt.", reading="a", deactivate=deactivating(lambda shop, one: setattr(one, "updated", shop.stored(shop.now())), "DEACTIVATED"))
rule("deactivation-idle", "A deactivation changes nothing.", deactivate=deactivating(lambda *_: None, "ACTIVE"))
rule("deactivation-deletes", "A deactivated checkout is gone.", deactivate=deactivating(lambda shop, one: shop.checkouts.pop(one.id) and shop.turn(one, "DEACTIVATED"), "ACTIVE"))
rule("deactivation-expires", "A deactivation makes it EXPIRED.", deactivate=deactivating(lambda shop, one: shop.turn(one, "EXPIRED"), "ACTIVE"))
shown("deactivation-old-status", "A deactivation answers the status of before.", puts("status", "ACTIVE"), "deactivate")


def deactivates_all(shop: Shop, checkout: Checkout) -> None:
    """The neighbour goes, too."""
    before = [one for one in shop.checkouts.values() if one.number == checkout.number - 1 and one.status == "ACTIVE"]
    for one in (checkout, *before):
        shop.turn(one, "DEACTIVATED")


rule("deactivation-neighbour", "A deactivation ends the checkout made before, too.", deactivate=deactivating(deactivates_all, "ACTIVE"))
shown("updated-frozen", "updatedAt stays at createdAt.", lambda one: one.update(updatedAt=one["createdAt"]))
shown("updated-before-created", "updatedAt is before createdAt.", turns("updatedAt", lambda text: "2020-01-01T00:00:00Z"), "create")
rule("updated-on-read", "updatedAt is the time of reading.", moment_shown=Shop.moment_shown, view=lambda shop, one: Shop.view(shop, replace(one, updated=shop.stored(shop.now()))))
rule("created-moves", "createdAt is the time of the last change.", view=lambda shop, one: Shop.view(shop, replace(one, created=one.updated)))


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
rule("updated-not-refunded", "updatedAt stays at a refund.", turn=frozen_for("REFUNDED", "PARTIALLY_REFUNDED"), reading="a")
rule("url-of-each-reading", "The url is another at each reading.", view=lambda shop, one: Shop.view(shop, one) | {"url": f"https://pay.example.net/{time.monotonic_ns()}"})
rule("url-shared", "All checkouts have one url.", view=lambda shop, one: Shop.view(shop, one) | {"url": "https://pay.example.net/me"})
rule("processing-forgotten", "PROCESSING shows as ACTIVE.", view=lambda shop, one: Shop.view(shop, one) | ({"status": "ACTIVE"} if one.status == "PROCESSING" else {}))
rule("failed-is-completed", "A failed payment shows as COMPLETED.", pay=lambda shop, one, outcome: Shop.pay(shop, one, "COMPLETED" if outcome == "FAILED" else outcome))
rule("completed-reopens", "A paid checkout is ACTIVE once it is read a second time.", found=None)


def reopens(shop: Shop, id: str) -> Checkout:
    """Open again after the third look."""
    checkout = Shop.found(shop, id)
    if checkout.status == "FAILED":
        checkout.kept_back += 1
        if checkout.kept_back > 2:
            checkout.status = "ACTIVE"
    return checkout


FAULTS.pop("completed-reopens")
rule("failed-reopens", "A failed checkout is ACTIVE again after it was read.", found=reopens)


# Settlement


def settling(change: Callable[[Checkout, Body], Body]) -> Any:
    """Another settlement."""
    return lambda shop, checkout: change(checkout, Shop.settlement(shop, checkout))


def less(text: str, by: str = "0.01") -> str:
    """An amount less a cent."""
    return f"{Decimal(text) - Decimal(by):.2f}"


rule("settlement-cent", "The net amount is a cent short.", settlement=settling(lambda _, one: one | {"netAmount": less(one["netAmount"])}))
rule("settlement-cent-large", "The net amount is a cent short from 1000 on.", settlement=settling(lambda _, one: one | ({"netAmount": less(one["netAmount"])} if Decimal(one["totalAmount"]) >= 1000 else {})))
rule("settlement-added", "The fee is added to the net amount.", settlement=settling(lambda _, one: one | {"netAmount": str(Decimal(one["totalAmount"]) + Decimal(one["feeAmount"]))}))
rule("settlement-less-refunds", "The settlement's net amount is less what was refunded.", settlement=settling(lambda checkout, one: one | {"netAmount": less(one["netAmount"], str(sum((refund.amount for refund in checkout.refunds), Decimal(0))))}))
rule("settlement-negative", "The fee is negative.", settlement=settling(lambda _, one: one | {"feeAmount": "-" + one["feeAmount"], "netAmount": str(Decimal(one["totalAmount"]) + Decimal(one["feeAmount"]))}))


# Refunds


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

    def found(shop: Shop, id: str) -> Checkout:
        checkout = Shop.found(shop, id)
        return checkout

    def refund(shop: Shop, request: Request) -> Answer:
        checkout = shop.checkouts.get(request.id)
        shop.forgives = frozenset({"refund.status"} if checkout and checkout.status in statuses else ())
        try:
            return Shop.refund(shop, request)
        finally:
            shop.forgives = frozenset()

    return {"found": found, "refund": refund}


for status in ("ACTIVE", "PROCESSING", "DEACTIVATED", "EXPIRED", "FAILED"):
    rule(f"refunds-{status.lower()}", f"A checkout that is {status} can be refunded.", **refundable(status))
rule("refund-over-cent", "A cent more than paid can be refunded.", remaining=over_by_a_cent)
rule("refund-over", "More than paid can be refunded.", remaining=lambda *_: Decimal(10**9))
rule("refund-over-pending", "What is on its way can be refunded again.", remaining=lambda _, one: one.amount - total(one.refunds, "COMPLETED"))
rule("refund-over-second", "The second refund may be as large as the payment.", remaining=lambda _, one: one.amount)
rule("refund-all-only", "Only all of it can be refunded.", remaining=None)


def all_only(shop: Shop, checkout: Checkout, asked: Body) -> Refund:
    """No parts."""
    refund = Shop.refund_made(shop, checkout, asked)
    if refund.amount != checkout.amount:
        raise Refusal(400, "invalid_request", "all or nothing")
    return refund


def once_only(shop: Shop, checkout: Checkout, asked: Body) -> Refund:
    """No second one."""
    if checkout.refunds:
        raise Refusal(400, "invalid_request", "it was refunded once")
    return Shop.refund_made(shop, checkout, asked)


FAULTS.pop("refund-all-only")
rule("refund-all-only", "Only all of it can be refunded.", refund_made=all_only)
rule("refund-once-only", "There is one refund only.", refund_made=once_only)
rule("refund-not-all", "The last cent cannot be refunded.", remaining=lambda shop, one: Shop.remaining(shop, one) - Decimal("0.01"))
rule("refund-settles-all", "One refund settled settles all.", settle=settles(lambda one, _: list(one.refunds)))
rule("refund-settles-first", "The first refund is settled whichever is meant.", settle=settles(lambda one, _: one.refunds[:1]))
rule("refund-settles-none", "A refund is never settled.", settle=lambda *_: None)
rule("refund-settles-wrong", "A refund that failed shows COMPLETED.", settle=lambda shop, one, id, _: Shop.settle(shop, one, id, "COMPLETED"))
rule("refunded-last", "refundedAmount is that of the last refund.", view=refunded(lambda refunds: refunds[-1].amount))
rule("refunded-first", "refundedAmount stays at the first refund.", view=refunded(lambda refunds: refunds[0].amount))
rule("refunded-completed", "refundedAmount counts only completed refunds.", view=refunded(lambda refunds: total(refunds, "COMPLETED")))
rule("refunded-rest", "refundedAmount is what is left.", view=lambda shop, one: Shop.view(shop, one) | ({"refundedAmount": f"{shop.remaining(one):.2f}"} if one.refunds else {}))
rule("refunded-cent", "refundedAmount is a cent short after two refunds.", view=refunded(lambda refunds: total(refunds) - (Decimal("0.01") if len(refunds) > 1 else 0)), reading="b")
shown("refunded-lost", "refundedAmount is not there.", drops("refundedAmount"), "get")
shown("refunded-lost-answer", "refundedAmount is not in a refund's answer.", drops("refundedAmount"), "refund")
rule("refunded-lowers-amount", "A refund lowers amount.", view=lambda shop, one: Shop.view(shop, one) | ({"amount": f"{shop.remaining(one):.2f}"} if one.refunds else {}))
rule("refunded-early", "A part refunded is REFUNDED.", settled=settled_as(lambda _, one: "REFUNDED" if one.status == "PARTIALLY_REFUNDED" else None))
rule("refunded-never", "All refunded is still PARTIALLY_REFUNDED.", settled=settled_as(lambda _, one: "PARTIALLY_REFUNDED" if one.status == "REFUNDED" else None))
rule("refunded-as-completed", "A refunded checkout stays COMPLETED.", settled=lambda *_: None)
rule("refunded-deactivated", "A refunded checkout is DEACTIVATED.", settled=settled_as(lambda _, one: "DEACTIVATED" if one.status == "REFUNDED" else None))
rule("refund-failed-fails", "A failed refund makes the checkout FAILED.", settled=settled_as(lambda _, one: "FAILED" if any(refund.status == "FAILED" for refund in one.refunds) else None))
rule("refund-done-at-once", "A new refund is COMPLETED.", refund_made=refund_done)
rule("refund-completed-missing", "A completed refund has no completedAt.", refund_view=refund_viewed(lambda _, __, body: body.pop("completedAt", 0)))
rule("refund-hash-missing", "A completed refund has no transactionHash.", refund_view=refund_viewed(lambda _, __, body: body.pop("transactionHash", 0)))
rule("refund-completed-pending", "A pending refund has a completedAt.", refund_view=refund_viewed(lambda _, __, body: body.setdefault("completedAt", body["createdAt"])))
rule("refund-hash-pending", "A pending refund has a transactionHash.", refund_view=refund_viewed(lambda _, __, body: body.setdefault("transactionHash", "0x" + "2" * 64)))
rule("refund-completed-past", "completedAt is before createdAt.", refund_view=refund_viewed(lambda _, __, body: body.update(completedAt="2020-01-01T00:00:00Z") if "completedAt" in body else None))
rule("refund-checkout-self", "A refund's checkoutId is its own id.", refund_view=refund_viewed(lambda _, __, body: body.update(checkoutId=body["id"])))
rule("refund-created-null", "A refund has no createdAt.", refund_view=refund_viewed(lambda _, __, body: body.pop("createdAt")))
rule("refund-ids-same", "All refunds of a checkout have one id.", refund_view=refund_viewed(lambda checkout, _, body: body.update(id=f"refund-of-{checkout.id}")), settle=lambda shop, one, _, outcome: Shop.settle(shop, one, one.refunds[-1].id, outcome))
rule("refund-whole", "Refunds are rounded to whole amounts where they are shown.", refund_view=refund_viewed(lambda _, one, body: body.update(amount=f"{one.amount:.0f}.00")))
rule("refund-one-kept", "Only the last refund is listed.", view=lambda shop, one: Shop.view(shop, one) | ({"refunds": [shop.refund_view(one, one.refunds[-1])]} if one.refunds else {}))
rule("refund-cent-refused", "A refund of a cent is refused.", refund_faults=lambda shop, asked: iter((*Shop.refund_faults(shop, asked), *([("small", "too small")] if asked.get("amount") == "0.01" else []))))
answered("refund-answer-flat", "A refund answers the checkout alone.", lambda answer: replace(answer, body=answer.body["checkout"]), "refund")
answered("refund-answer-alone", "A refund answers the refund alone.", lambda answer: replace(answer, body=answer.body["refund"]), "refund")
answered("refund-answer-other-id", "The refund in an answer has another id than in the checkout.", lambda answer: (answer.body["refund"].update(id="rf_0"), answer)[1], "refund")
answered("refund-answer-status", "The refund in an answer is COMPLETED, in the checkout it is not.", lambda answer: (answer.body["refund"].update(status="COMPLETED"), answer)[1], "refund")
answered("refund-answer-null-reason", "The refund in an answer has a null reason.", lambda answer: (answer.body["refund"].setdefault("reason", None), answer)[1], "refund")
answered("refund-answer-no-checkout-id", "The refund in an answer has no checkoutId.", lambda answer: (answer.body["refund"].pop("checkoutId"), answer)[1], "refund")
rule("refund-fiat-lost", "A fiat refund carries no fiat figures.", reading="b", refund_view=refund_viewed(lambda _, __, body: [body.pop(name, 0) for name in ("fiatAmount", "fiatCurrency", "exchangeRate")]))
rule("refund-fiat-default-usdc", "A refund of a fiat checkout is in USDC by default.", reading="b", refund_made=lambda shop, one, asked: Shop.refund_made(shop, one, {"currency": "USDC"} | asked))
rule("refund-fiat-unconverted", "A fiat refund's amount is the fiat figure.", reading="b", refund_view=refund_viewed(lambda _, one, body: body.update(amount=f"{one.fiat:.2f}") if one.fiat else None))


# Idempotency


def no_key(*operations: str) -> Before:
    """Take the key away."""

    def before(_: Shop, request: Request) -> Request:
        if request.operation in operations:
            request.headers.pop("x-idempotency-key", None)
        return request

    return before


def keyless(operation: str) -> Any:
    """Check the key's form, then act as if there were none."""

    def once(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
        if request.operation == operation:
            shop.kept.clear()
        return Shop.once(shop, request, act)

    return once


def compared_without(*members: str) -> Any:
    """Not all of the request counts."""

    def compared(shop: Shop, request: Request) -> object:
        body = request.json
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in members}  # pyright: ignore[reportUnknownVariableType]
        return request.operation, request.id, json.dumps(body, sort_keys=True)

    return compared


def replay_now(shop: Shop, kept: Any) -> Answer:
    """The checkout as it is by now."""
    body = kept.answer.body
    if kept.answer.status < 300 and "id" in body:
        return Answer(kept.answer.status, shop.view(shop.found(body["id"])))
    return Shop.replay(shop, kept)


def replay_refund_now(shop: Shop, kept: Any) -> Answer:
    """The refund as it is by now."""
    body = kept.answer.body
    if kept.answer.status < 300 and "refund" in body:
        checkout = shop.found(body["checkout"]["id"])
        refund = next(one for one in checkout.refunds if one.id == body["refund"]["id"])
        return Answer(200, {"checkout": shop.view(checkout), "refund": shop.refund_view(checkout, refund)})
    return Shop.replay(shop, kept)


def acts_again(operation: str) -> Any:
    """Say the first answer, and act once more."""

    def once(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
        known = shop.place(request, request.headers.get("x-idempotency-key", "")) in shop.kept
        answer = Shop.once(shop, request, act)
        if known and answer.status < 300 and request.operation == operation:
            try:
                act()
            except Refusal:
                return answer
        return answer

    return once


def conflict_forgets(shop: Shop, place: object) -> Refusal:
    """Forget the key."""
    del shop.kept[place]
    return Shop.conflict(shop, place)


def conflict_acts(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
    """Act, and refuse."""
    try:
        return Shop.once(shop, request, act)
    except Refusal as no:
        if no.status == shop.reading.conflict:
            act()
        raise


def lives(hours: float) -> Any:
    """Keys of another life."""

    def once(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
        for place, kept in list(shop.kept.items()):
            if shop.now() - kept.since > timedelta(hours=hours):
                del shop.kept[place]
        return Shop.once(shop, request, act)

    return once


def lives_for_ever(shop: Shop, request: Request, act: Callable[[], Answer]) -> Answer:
    """Keys that do not end."""
    for kept in shop.kept.values():
        kept.since = shop.now()
    return Shop.once(shop, request, act)


rule("key-ignored-create", "A key does nothing when creating.", once=keyless("create"))
rule("key-ignored-refund", "A key does nothing when refunding.", once=keyless("refund"))
rule("key-status-replay", "A repeated creation answers the other 2xx.", replay=lambda _, kept: replace(kept.answer, status={200: 201, 201: 200}.get(kept.answer.status, kept.answer.status)))
rule("key-204-replay", "A repetition answers 204.", replay=lambda _, kept: Answer(204, b"") if kept.answer.status < 300 else kept.answer)
rule("key-409-replay", "A repetition is refused as a conflict.", replay=lambda shop, kept: Answer(409, shop.error(Refusal(409, "already_exists", "that was done"))) if kept.answer.status < 300 else kept.answer)
rule("key-current-create", "A repeated creation answers the checkout as it is by now.", replay=replay_now)
rule("key-current-refund", "A repeated refund answers the refund as it is by now.", replay=replay_refund_now)
rule("key-acts-again-create", "A repeated creation answers the first, and creates another.", once=acts_again("create"))
rule("key-acts-again-refund", "A repeated refund answers the first, and refunds again.", once=acts_again("refund"))
rule("key-forgotten-conflict", "A conflict makes the key free.", conflict=conflict_forgets)
rule("key-conflict-acts", "A conflict is refused, and done.", once=conflict_acts)
rule("key-conflict-unseen", "A conflict is not noticed.", compared=lambda *_: 0)
rule("key-conflict-400", "A conflict is a 400.", conflict=lambda *_: Refusal(400, "invalid_request", "that key is used"))
rule("key-conflict-500", "A conflict is a 500.", conflict=lambda *_: Refusal(500, "internal_server_error", "that key is used"))
rule("key-conflict-amount", "A conflict in amount is not noticed.", compared=compared_without("amount"))
rule("key-conflict-metadata", "A conflict in metadata is not noticed.", compared=compared_without("metadata"))
rule("key-conflict-description", "A conflict in description is not noticed.", compared=compared_without("description"))
rule("key-conflict-redirect", "A conflict in a redirect URL is not noticed.", compared=compared_without("failRedirectUrl", "successRedirectUrl"))
rule("key-conflict-expires", "A conflict in expiresAt is not noticed.", compared=compared_without("expiresAt"))
rule("key-conflict-reason", "A conflict in reason is not noticed.", compared=compared_without("reason"))
rule("key-conflict-added", "A field that is added is no conflict.", compared=lambda _, request: (request.operation, request.id, (request.json or {}).get("amount")) if isinstance(request.json, dict) else 0)
rule("key-of-any-checkout", "A key answers for a refund of another checkout.", place=lambda _, __, key: key, compared=lambda _, request: (request.operation, request.body))
rule("key-one-hour", "A key lives an hour.", once=lives(1))
rule("key-23-hours", "A key lives 23 hours.", once=lives(23))
rule("key-for-ever", "A key lives for ever.", once=lives_for_ever)
rule("key-replay-loses-url", "A repetition has no url.", replay=lambda _, kept: replace(kept.answer, body={name: value for name, value in kept.answer.body.items() if name != "url"}))
fault("key-any-form", "A key may be anything.", forgives=frozenset({"key.form"}))


def reformed(change: Callable[[str], str]) -> Before:
    """Another key than was sent."""

    def before(_: Shop, request: Request) -> Request:
        if key := request.headers.get("x-idempotency-key"):
            request.headers["x-idempotency-key"] = change(key)
        return request

    return before


fault("key-upper", "A key may have capitals.", before=reformed(str.lower))
fault("key-version", "A key may be a UUID of any version.", before=reformed(lambda key: key[:14] + "4" + key[15:] if len(key) == 36 else key))
fault("key-variant", "A key may be a UUID of any variant.", before=reformed(lambda key: key[:19] + "a" + key[20:] if len(key) == 36 else key))
fault("key-long", "A key may be longer.", before=reformed(lambda key: key[:36]))
fault("key-undashed", "A key may come without dashes.", before=reformed(lambda key: re.sub("^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5", key)))
fault("key-checked-on-create-only", "On refunds a key may be anything.", before=lambda shop, request: reformed(lambda key: key if re.fullmatch("[0-9a-f-]{36}", key) else "8e03978e-40d5-43e8-bc93-6894a57f9324")(shop, request) if request.operation == "refund" else request)


# Lists


def listed(change: Callable[[Shop, Request, Body], object]) -> After:
    """Change a good page."""

    def after(shop: Shop, request: Request, answer: Answer) -> Answer:
        if request.operation == "list" and answer.status == 200:
            change(shop, request, answer.body)
        return answer

    return after


def asked_for(change: Callable[[dict[str, list[str]]], object]) -> Before:
    """Change what a list is asked for."""

    def before(_: Shop, request: Request) -> Request:
        if request.operation == "list":
            change(request.query)
        return request

    return before


def seen_before(shop: Shop, _: Request, body: Body) -> None:
    """The last item of a page opens the next."""
    if "nextPageToken" in body and (last := body["checkouts"][-1:]):
        shop.tokens["again:" + body["nextPageToken"]] = (last[0], 0, 0)


def repeats(shop: Shop, request: Request, body: Body) -> None:
    """Repeat the last item of the page before."""
    token = "again:" + request.query.get("pageToken", [""])[0]
    if token in shop.tokens:
        body["checkouts"].insert(0, shop.tokens[token][0])
    seen_before(shop, request, body)


def off(name: str, by: int) -> Callable[[dict[str, list[str]]], object]:
    """A number in a query, changed."""

    def change(query: dict[str, list[str]]) -> None:
        if query.get(name, [""])[-1].isdecimal() and 1 <= int(query[name][-1]) <= 100:
            query[name] = [str(int(query[name][-1]) + by)]

    return change


def firsts_only(name: str) -> Callable[[dict[str, list[str]]], object]:
    """A filter that counts on the first page only."""
    return lambda query: query.pop(name, None) if "pageToken" in query else None


def without(name: str) -> Callable[[dict[str, list[str]]], object]:
    """A parameter that does not count."""
    return lambda query: query.pop(name, None)


def as_set(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[dict[str, list[str]]], object]:
    """A parameter read in another way."""
    return lambda query: query.__setitem__(name, change(query[name])) if name in query else None


def plus(seconds: float) -> Callable[[list[str]], list[str]]:
    """Date-times moved."""

    def moved(texts: list[str]) -> list[str]:
        when = moment(texts[-1])
        return [(when + timedelta(seconds=seconds)).isoformat()] if when else texts

    return moved


def unzoned(texts: list[str]) -> list[str]:
    """Offsets overlooked."""
    return [re.sub(r"[+-]\d\d:\d\d$", "Z", texts[-1])]


def cut(name: str) -> Callable[[dict[str, list[str]]], object]:
    """Drop a parameter that cannot be read."""
    return lambda query: query.pop(name) if name in query and moment(query[name][-1]) is None else None


def clamped(query: dict[str, list[str]]) -> None:
    """Sizes out of bounds are brought in."""
    size = query.get("pageSize", ["20"])[-1]
    if re.fullmatch("-?[0-9]{1,9}", size):
        query["pageSize"] = [str(min(100, max(1, int(size))))]


def like(shop: Shop, checkout: Checkout, words: str) -> bool:
    """As SQL has it: % and _ stand for others."""
    pattern = re.escape(words).replace("%", ".*").replace("_", ".")
    return re.search(pattern, checkout.asked.get("description", ""), re.IGNORECASE | re.DOTALL) is not None


def any_word(_: Shop, checkout: Checkout, words: str) -> bool:
    """Each word for itself."""
    text = checkout.asked.get("description", "").casefold()
    return not words or any(word in text for word in words.casefold().split())


def any_filter(shop: Shop, checkout: Checkout, query: Mapping[str, list[str]]) -> bool:
    """One filter that fits is enough."""
    named = [name for name in ("status", "startTime", "endTime", "descriptionQuery") if query.get(name)]
    return not named or any(Shop.matches(shop, checkout, {name: query[name]}) for name in named)


fault("page-loses-boundary", "The first item of each further page is lost.", after=listed(lambda _, request, body: body["checkouts"].pop(0) if "pageToken" in request.query and len(body["checkouts"]) > 1 else None))
fault("page-loses-boundary-one", "The only item of a further page is lost.", after=listed(lambda _, request, body: body["checkouts"].clear() if "pageToken" in request.query and "nextPageToken" not in body else None))
fault("page-repeats-boundary", "The last item of a page opens the next.", after=listed(repeats))
fault("page-size-ignored", "Pages have twenty items whatever is asked for.", before=asked_for(lambda query: query.update(pageSize=["20"]) if query.get("pageSize", ["0"])[-1].isdecimal() and 1 <= int(query["pageSize"][-1]) <= 100 else None))
fault("page-size-more", "Pages have one item more.", before=asked_for(off("pageSize", 1)), forgives=frozenset({"pageSize.bounds"}))
fault("page-size-first-only", "Further pages have twenty items.", before=asked_for(lambda query: query.update(pageSize=["20"]) if "pageToken" in query else None))
fault("page-size-100-is-50", "Pages have at most fifty items, and there is no token then.", after=listed(lambda _, __, body: (body.pop("nextPageToken", 0), body.update(checkouts=body["checkouts"][:1])) if len(body["checkouts"]) > 1 and "nextPageToken" in body else None))
fault("page-default-10", "Without pageSize there are ten items.", before=asked_for(lambda query: query.setdefault("pageSize", ["10"])))
fault("page-default-100", "Without pageSize there are a hundred items.", before=asked_for(lambda query: query.setdefault("pageSize", ["100"])))
fault("page-default-21", "Without pageSize there are twenty-one items.", before=asked_for(lambda query: query.setdefault("pageSize", ["21"])))
fault("page-size-0", "A pageSize of 0 is the default.", before=asked_for(lambda query: query.update(pageSize=["20"]) if query.get("pageSize") == ["0"] else None))
fault("page-size-101", "A pageSize of 101 is accepted.", forgives=frozenset({"pageSize.bounds"}))
fault("page-size-clamped", "A pageSize out of bounds is brought in.", before=asked_for(clamped))
fault("page-size-text", "A pageSize that is no number is the default.", before=asked_for(lambda query: query.update(pageSize=["20"]) if not re.fullmatch("-?[0-9]+", query.get("pageSize", ["20"])[-1]) else None))
fault("page-size-decimal", "A pageSize of 2.5 is 2.", before=asked_for(as_set("pageSize", lambda texts: [re.sub(r"\.[0-9]+$", "", texts[-1])])))
fault("page-token-always", "The last page has a token, of an empty page.", after=listed(lambda shop, request, body: body.setdefault("nextPageToken", shop.token(request.query, 10**90)) if body["checkouts"] else None))
fault("page-token-for-ever", "Every page has a token.", after=listed(lambda shop, request, body: body.setdefault("nextPageToken", shop.token(request.query, 10**90))))
fault("page-token-loops", "The last page leads to the first.", after=listed(lambda shop, request, body: body.setdefault("nextPageToken", shop.token(request.query, -1))))
fault("page-token-null", "The last page has a null token.", after=listed(lambda _, __, body: body.setdefault("nextPageToken", None)))
fault("page-token-number", "Tokens are numbers.", after=listed(lambda _, __, body: body.update(nextPageToken=7) if "nextPageToken" in body else None))
fault("page-token-lost", "There is never a token.", after=listed(lambda _, __, body: body.pop("nextPageToken", 0)))
fault("page-token-any", "A token that nobody gave is the first page.", before=lambda shop, request: (request.query.pop("pageToken") and request) if request.operation == "list" and "pageToken" in request.query and not shop.known(request.query["pageToken"][-1]) else request)
fault("page-shuffled", "Pages are drawn from an order that changes.", changes={"rank": lambda shop, one: hash((one.id, len(shop.tokens)))}, reading="a")
fault("list-data", "The items are in data.", after=listed(lambda _, __, body: body.update(data=body.pop("checkouts"))))
fault("list-bare", "A list is an array.", after=lambda _, request, answer: replace(answer, body=answer.body["checkouts"]) if request.operation == "list" and answer.status == 200 else answer)
fault("list-without-empty", "An empty page has no checkouts.", after=listed(lambda _, __, body: body.pop("checkouts") if not body["checkouts"] else None))
fault("list-null-empty", "An empty page has null for checkouts.", after=listed(lambda _, __, body: body.update(checkouts=None) if not body["checkouts"] else None))
fault("list-404-empty", "An empty page is a 404.", after=lambda shop, request, answer: Answer(404, shop.error(Refusal(404, "not_found", "none"))) if request.operation == "list" and answer.status == 200 and not answer.body["checkouts"] else answer)
for status in ("DEACTIVATED", "EXPIRED", "FAILED", "PROCESSING"):
    fault(f"list-hides-{status.lower()}", f"A list has nothing that is {status}.", after=listed(lambda _, __, body, status=status: body.update(checkouts=[one for one in body["checkouts"] if one["status"] != status])))
fault("filter-status-ignored", "status does not count.", before=asked_for(without("status")))
fault("filter-status-last", "Of several statuses the last counts.", before=asked_for(as_set("status", lambda texts: texts[-1:])))
fault("filter-status-first", "Of several statuses the first counts.", before=asked_for(as_set("status", lambda texts: texts[:1])))
fault("filter-status-first-page", "status counts on the first page only.", before=asked_for(firsts_only("status")), reading="b")
fault("filter-status-lower", "Lower-case statuses are read.", before=asked_for(as_set("status", lambda texts: [text.upper() for text in texts])))
fault("filter-status-any", "A status that is none finds nothing.", forgives=frozenset({"status"}))
fault("filter-status-active-only", "Statuses but ACTIVE find nothing.", after=listed(lambda _, request, body: body.update(checkouts=[]) if request.query.get("status") and "ACTIVE" not in request.query["status"] else None))
fault("filter-refunded-lost", "PARTIALLY_REFUNDED finds REFUNDED.", before=asked_for(as_set("status", lambda texts: ["REFUNDED" if text == "PARTIALLY_REFUNDED" else text for text in texts])))
fault("filter-start-ignored", "startTime does not count.", before=asked_for(lambda query: query.pop("startTime", 0) if moment(query.get("startTime", [""])[-1]) else None))
fault("filter-start-exclusive", "startTime excludes itself.", changes={"since": lambda _, one, query: not query.get("startTime") or one.created > moment(query["startTime"][-1])})
fault("filter-start-early", "startTime is a minute early.", before=asked_for(as_set("startTime", plus(-60))))
fault("filter-start-day", "startTime is the day's beginning.", before=asked_for(as_set("startTime", lambda texts: [texts[-1][:10] + "T00:00:00Z"] if moment(texts[-1]) else texts)))
fault("filter-end-ignored", "endTime does not count.", before=asked_for(lambda query: query.pop("endTime", 0) if moment(query.get("endTime", [""])[-1]) else None))
fault("filter-end-exclusive-micro", "endTime excludes itself.", changes={"until": lambda _, one, query: not query.get("endTime") or one.created < moment(query["endTime"][-1])}, reading="b")
fault("filter-end-exclusive-whole", "endTime excludes itself, in whole seconds.", changes={"until": lambda _, one, query: not query.get("endTime") or one.created < moment(query["endTime"][-1])}, reading="a")
fault("filter-end-late", "endTime is a minute late.", before=asked_for(as_set("endTime", plus(60))))
fault("filter-end-early", "endTime is two seconds early.", before=asked_for(as_set("endTime", plus(-2))))
fault("filter-end-updated", "endTime is held against updatedAt.", changes={"until": lambda shop, one, query: Shop.until(shop, replace(one, created=one.updated), query)})
fault("filter-start-updated", "startTime is held against updatedAt.", changes={"since": lambda shop, one, query: Shop.since(shop, replace(one, created=one.updated), query)})
fault("filter-start-expires", "startTime is held against expiresAt.", changes={"since": lambda shop, one, query: Shop.since(shop, replace(one, created=one.expires), query)})
fault("filter-times-first-page", "Times count on the first page only.", before=asked_for(lambda query: (query.pop("startTime", 0), query.pop("endTime", 0)) if "pageToken" in query else None), reading="b")
fault("filter-offset", "Offsets in times are overlooked.", before=asked_for(lambda query: (as_set("startTime", unzoned)(query), as_set("endTime", unzoned)(query))))
fault("filter-start-any", "A startTime that is none does not count.", before=asked_for(cut("startTime")))
fault("filter-end-any", "An endTime that is none does not count.", before=asked_for(cut("endTime")))
fault("filter-words-ignored", "descriptionQuery does not count.", before=asked_for(without("descriptionQuery")))
fault("filter-words-case", "descriptionQuery minds the case.", changes={"described": lambda _, one, words: words in one.asked.get("description", "")})
fault("filter-words-prefix", "descriptionQuery finds beginnings.", changes={"described": lambda _, one, words: one.asked.get("description", "").casefold().startswith(words.casefold())})
fault("filter-words-whole", "descriptionQuery finds whole words.", changes={"described": lambda _, one, words: not words or re.search(rf"\b{re.escape(words)}\b", one.asked.get("description", ""), re.IGNORECASE) is not None})
fault("filter-words-like", "descriptionQuery knows % and _.", changes={"described": like})
fault("filter-words-pattern", "descriptionQuery is a regular expression.", changes={"described": lambda _, one, words: re.search(words.replace("(", r"\("), one.asked.get("description", ""), re.IGNORECASE) is not None})
fault("filter-words-any", "One word of descriptionQuery is enough.", changes={"described": any_word})
fault("filter-words-ascii", "descriptionQuery folds the case of ASCII only.", changes={"described": lambda _, one, words: lower_ascii(words) in lower_ascii(one.asked.get("description", ""))})
fault("filter-words-first-page", "descriptionQuery counts on the first page only.", before=asked_for(firsts_only("descriptionQuery")), reading="b")
fault("filter-words-metadata", "descriptionQuery finds metadata, too.", changes={"described": lambda shop, one, words: Shop.described(shop, one, words) or words in json.dumps(one.asked.get("metadata", {}))})
fault("filter-words-501", "descriptionQuery may be longer.", forgives=frozenset({"descriptionQuery"}))
fault("filters-or", "One filter that fits is enough.", changes={"matches": any_filter})


def lower_ascii(text: str) -> str:
    """Lower case for A to Z."""
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


# Tokens

TOKEN_FAULTS: Final = {
    "kid": "The header's kid may be another key's.",
    "sub": "The claim sub may be another key's.",
    "iss": "The claim iss may be anybody.",
    "none": "A token may say alg none.",
    "signature": "The signature may be any.",
    "unsigned": "The signature may be absent.",
    "nbf": "A token may be used before its time.",
    "exp": "A token may be used after its time.",
    "lifetime": "A token may live for longer than two minutes.",
    "uri.method": "The token may be of another method.",
    "uri.host": "The token may be of another host.",
    "uri.path": "The token may be of another path.",
    "uri.absent": "The token may be of no request.",
    "exp.absent": "The token may live for ever.",
    "nbf.absent": "The token may say no beginning.",
    "absent": "No token is needed.",
    "unreadable": "A token may be no token.",
    "scheme": "The scheme may be another than Bearer.",
}
for name, says in TOKEN_FAULTS.items():
    fault(f"token-{name}", says, forgives=frozenset({f"token.{name}"}))


def admits(*operations: str) -> Any:
    """Some operations ask for nothing."""
    return lambda shop, request: None if request.operation in operations else Shop.admit(shop, request)


for operation in EVERYWHERE:
    rule(f"token-not-asked-{operation}", f"The operation {operation} asks for no token.", admit=admits(operation))
answered("token-403", "A bad token is a 403.", lambda answer: replace(answer, status=403), status=lambda status: status == 401)
answered("token-400", "A bad token is a 400.", lambda answer: replace(answer, status=400), status=lambda status: status == 401)
answered("token-404", "A bad token is a 404.", lambda answer: replace(answer, status=404), status=lambda status: status == 401)
answered("token-500", "A bad token is a 500.", lambda answer: replace(answer, status=500), status=lambda status: status == 401)


def uri_prefix(shop: Shop, request: Request) -> None:
    """Any path below the token's will do."""
    gate = shop.gate
    names = list(gate.faults(request.headers.get("authorization"), request.method, "127.0.0.1", request.path))
    if names == ["uri.path"]:
        return
    Shop.admit(shop, request) if not names or names == ["again"] else refuse(names)


def refuse(names: list[str]) -> None:
    """Refuse."""
    raise Refusal(401, "unauthorized", names[0])


# Input


def sent(name: str, says: str, member: str, change: Callable[[Any], Any], operation: str = "create", reading: str = "") -> None:
    """A value that is forgiven by making a good one of it; `...` takes the member away."""

    def before(_: Shop, request: Request) -> Request:
        body = request.json
        if request.operation == operation and isinstance(body, dict):
            changed: Body = {**body, member: change(body.get(member, ...))}  # pyright: ignore[reportUnknownMemberType]
            request.body = json.dumps({key: value for key, value in changed.items() if value is not ...}).encode()
        return request

    fault(name, says, before=before, reading=reading)


def if_text(change: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Texts only."""
    return lambda value: change(value) if isinstance(value, str) else value


def if_not_text(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Anything but texts."""
    return lambda value: change(value) if not isinstance(value, str) and value is not ... and value is not None else value


def null_is_absent(value: Any) -> Any:
    """A null for nothing."""
    return ... if value is None else value


def rounded(text: str) -> str:
    """To cents, if it is a number with more."""
    return f"{Decimal(text):.2f}" if re.fullmatch(r"[0-9]+\.[0-9]{3,}", text) else text


AMOUNTS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "number": ("may be a number", lambda value: f"{value:.2f}" if isinstance(value, int | float) and not isinstance(value, bool) else value),
    "newline": ("may end in a newline", if_text(lambda text: text.removesuffix("\n"))),
    "blank": ("may have blanks around it", if_text(lambda text: text.strip(" "))),
    "plus": ("may have a plus", if_text(lambda text: text.removeprefix("+"))),
    "minus": ("may be negative", if_text(lambda text: text.removeprefix("-"))),
    "comma": ("may have a comma", if_text(lambda text: text.replace(",", "."))),
    "exponent": ("may have an exponent", if_text(lambda text: f"{Decimal(text):.2f}" if re.fullmatch("[0-9.]+[eE][+-]?[0-9]", text) else text)),
    "decimals": ("may have three decimals", if_text(rounded)),
    "open": ("may end in a point", if_text(lambda text: text.removesuffix("."))),
    "bare": ("may begin with a point", if_text(lambda text: "0" + text if text.startswith(".") else text)),
    "digits": ("may have digits of other scripts", if_text(lambda text: "".join(str(unicodedata.digit(one)) if one.isdecimal() else one for one in text))),
    "missing": ("is 1.00 if it is missing", lambda value: "1.00" if value is ... else value),
    "null": ("is 1.00 if it is null", lambda value: "1.00" if value is None else value),
    "empty": ("is 1.00 if it is empty", lambda value: "1.00" if value == "" else value),
    "words": ("is 1.00 if it is no number at all", if_text(lambda text: "1.00" if re.fullmatch("[A-Za-z]+", text) else text)),
}
for name, (says, change) in AMOUNTS.items():
    sent(f"sent-amount-{name}", f"The amount {says}.", "amount", change)
    sent(f"sent-refund-amount-{name}", f"The amount of a refund {says}.", "amount", change if name not in {"missing", "null", "empty", "words"} else lambda value, change=change: change(value).replace("1.00", "0.50") if isinstance(change(value), str) and change(value) != value else value, "refund")
fault("amount-zero", "The amount may be zero.", forgives=frozenset({"amount.low"}))
fault("amount-high", "The amount may be higher.", forgives=frozenset({"amount.high"}))
rule("amount-highest-refused", "The highest amount is refused.", create_faults=lambda shop, asked: iter((*Shop.create_faults(shop, asked), *([("", "too much")] if str(asked.get("amount")).startswith("100000000") else []))))
rule("amount-lowest-refused", "The lowest amount is refused.", create_faults=lambda shop, asked: iter((*Shop.create_faults(shop, asked), *([("", "too little")] if asked.get("amount") == "0.01" else []))))
rule("amount-one-decimal-refused", "An amount with one decimal is refused.", create_faults=lambda shop, asked: iter((*Shop.create_faults(shop, asked), *([("", "form")] if re.fullmatch(r"[0-9]+\.[0-9]", str(asked.get("amount"))) else []))))
fault("refund-zero", "A refund may be of nothing.", forgives=frozenset({"refund.zero"}))
sent("currency-lower-forgiven", "The currency may be in lower case.", "currency", if_text(str.upper))
sent("currency-trimmed-forgiven", "The currency may have blanks around it.", "currency", if_text(str.strip))
sent("currency-missing", "The currency is USDC if it is missing.", "currency", lambda value: "USDC" if value is ... else value)
sent("currency-null", "The currency is USDC if it is null.", "currency", lambda value: "USDC" if value is None else value)
sent("currency-empty", "The currency is USDC if it is empty.", "currency", lambda value: value or "USDC")
sent("currency-long", "A currency of eleven letters is USDC.", "currency", if_text(lambda text: "USDC" if len(text) > 10 else text))
sent("currency-any", "Any currency is USDC.", "currency", if_text(lambda text: text if text in {"USD", "EUR", "SGD", "GBP"} or not 1 <= len(text) <= 10 else "USDC"))
sent("currency-number", "A currency that is no text is USDC.", "currency", if_not_text(lambda _: "USDC"))
sent("network-any", "Any network is base.", "network", if_text(lambda _: "base"))
sent("network-upper", "The network may be in capitals.", "network", if_text(str.lower))
sent("network-null", "The network may be null.", "network", null_is_absent)
sent("network-number", "The network may be a number.", "network", if_not_text(lambda _: "base"))
fault("description-501", "The description may be longer.", forgives=frozenset({"description.length"}))
sent("description-cut", "A longer description is cut.", "description", if_text(lambda text: text[:500]))
sent("description-number", "The description may be a number.", "description", if_not_text(str))
sent("description-null", "The description may be null.", "description", null_is_absent)
fault("expires-past", "expiresAt may be over.", forgives=frozenset({"expiresAt.past"}))
sent("expires-day", "expiresAt may be a day.", "expiresAt", if_text(lambda text: text + "T00:00:00Z" if re.fullmatch("[0-9-]{10}", text) else text))
sent("expires-zone", "expiresAt may have no offset.", "expiresAt", if_text(lambda text: text + "Z" if re.fullmatch("[0-9-]{10}T[0-9:.]{8,}", text) else text))
sent("expires-space", "expiresAt may have a space for the T.", "expiresAt", if_text(lambda text: text.replace(" ", "T")))
sent("expires-epoch", "expiresAt may be a number.", "expiresAt", if_not_text(lambda _: "2099-01-01T00:00:00Z"))
sent("expires-null", "expiresAt may be null.", "expiresAt", null_is_absent)
sent("expires-empty", "expiresAt may be empty.", "expiresAt", lambda value: ... if value == "" else value)
sent("expires-any", "An expiresAt that is none is not heeded.", "expiresAt", if_text(lambda text: text if moment(text) else ...))
sent("metadata-array", "metadata may be an array.", "metadata", lambda value: {} if isinstance(value, list) else value)
sent("metadata-string", "metadata may be a text.", "metadata", if_text(lambda _: {}))
sent("metadata-null", "metadata may be null.", "metadata", null_is_absent)
sent("metadata-number", "metadata may be a number.", "metadata", lambda value: {} if isinstance(value, int | float) else value)
for member in ("successRedirectUrl", "failRedirectUrl"):
    fault(f"{member}-http", f"{member} may be http.", forgives=frozenset({f"{member}.scheme"}))
    fault(f"{member}-2049", f"{member} may be longer.", forgives=frozenset({f"{member}.length"}))
    sent(f"{member}-cut", f"A longer {member} is cut.", member, if_text(lambda text: text[:2048]))
    sent(f"{member}-scheme-case", f"The scheme of {member} may be in capitals.", member, if_text(lambda text: re.sub("^HTTPS:", "https:", text, flags=re.IGNORECASE)))
    sent(f"{member}-null", f"{member} may be null.", member, null_is_absent)
    sent(f"{member}-number", f"{member} may be a number.", member, if_not_text(lambda _: "https://example.com/"))
    sent(f"{member}-empty", f"{member} may be empty.", member, lambda value: ... if value == "" else value)
    sent(f"{member}-trimmed", f"{member} may have blanks before it.", member, if_text(str.lstrip))
fault("reason-501", "The reason may be longer.", forgives=frozenset({"reason.length"}))
sent("reason-cut", "A longer reason is cut.", "reason", if_text(lambda text: text[:500]), "refund")
sent("reason-number", "The reason may be a number.", "reason", if_not_text(str), "refund")
sent("reason-null", "The reason may be null.", "reason", null_is_absent, "refund")
sent("refund-currency-any", "The currency of a refund may be any.", "currency", lambda value: value if value in {"USD", "EUR", "SGD", "GBP"} else ..., "refund")
sent("refund-currency-null", "The currency of a refund may be null.", "currency", null_is_absent, "refund")
sent("refund-currency-lower", "The currency of a refund may be in lower case.", "currency", if_text(str.upper), "refund")


def rebodied(change: Callable[[bytes], bytes], *operations: str) -> Before:
    """Another body than was sent."""

    def before(_: Shop, request: Request) -> Request:
        if request.operation in operations:
            request.body = change(request.body)
        return request

    return before


def lenient(body: bytes) -> bytes:
    """The object in an array of one."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return json.dumps(read[0]).encode() if isinstance(read, list) and read and isinstance(read[0], dict) else body


GOOD_CREATE: Final = b'{"amount": "1.00", "currency": "USDC"}'
fault("body-broken", "A body that is no JSON is a checkout of 1.00.", before=rebodied(lambda body: body if readable(body) else GOOD_CREATE, "create"))
fault("body-broken-refund", "A body that is no JSON refunds a cent.", before=rebodied(lambda body: body if readable(body) else b'{"amount": "0.01"}', "refund"))
fault("body-trailing", "What follows the first object is not read.", before=rebodied(lambda body: body[: body.rindex(b"}") + 1] if b"}" in body else body, "create"))
fault("body-wrapped", "An array of one object is that object.", before=rebodied(lenient, "create"))
fault("body-empty", "An empty body is a checkout of 1.00.", before=rebodied(lambda body: body or GOOD_CREATE, "create"))
fault("body-empty-refund", "An empty body refunds a cent.", before=rebodied(lambda body: body or b'{"amount": "0.01"}', "refund"))


def readable(body: bytes) -> bool:
    """Whether it is JSON."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def id_as(change: Callable[[str], str]) -> Before:
    """Another id than was asked for."""

    def before(_: Shop, request: Request) -> Request:
        request.id = change(request.id)
        return request

    return before


fault("id-upper-forgiven", "An id may be in capitals.", before=id_as(str.lower))
fault("id-long-forgiven", "An id may be longer.", before=id_as(lambda id: id[:24]))
rule("id-missing-newest", "An id that is not known is the newest checkout.", found=lambda shop, id: Shop.found(shop, id if id in shop.checkouts or not re.fullmatch("[0-9a-f]{24}", id) or not shop.checkouts else next(reversed(shop.checkouts))))
answered("missing-200", "A checkout that is not there is 200 and an error.", lambda answer: replace(answer, status=200), "get", status=lambda status: status in {400, 404})
answered("missing-500", "A checkout that is not there is a 500.", lambda answer: replace(answer, status=500), "get", status=lambda status: status in {400, 404})
answered("missing-410", "A checkout that is not there is a 410.", lambda answer: replace(answer, status=410), "get", "deactivate", "refund", status=lambda status: status in {400, 404})
answered("deactivate-missing-200", "A checkout that is not there can be deactivated.", lambda answer: replace(answer, status=200), "deactivate", status=lambda status: status in {400, 404})


# Errors


def is_no(status: int) -> bool:
    """Any refusal."""
    return status >= 400


def only(wanted: int) -> Callable[[int], bool]:
    """One status."""
    return lambda status: status == wanted


def says_no(change: Callable[[Body], Any]) -> Callable[[Answer], Answer]:
    """Another error body."""
    return lambda answer: replace(answer, body=change(answer.body))


def media(text: str | None, body: Callable[[Body], Any] = lambda body: body) -> Callable[[Answer], Answer]:
    """Another media type."""
    return lambda answer: replace(answer, headers={"Content-Type": text or ""}, body=body(answer.body))


answered("error-500-json", "A bad request to create is a 500.", lambda answer: replace(answer, status=500), "create", status=only(400))
answered("error-500-list", "A bad request to list is a 500.", lambda answer: replace(answer, status=500), "list", status=only(400))
answered("error-503-refund", "A bad request to refund is a 503.", lambda answer: replace(answer, status=503), "refund", status=only(400))
answered("error-200", "A bad request to create is 200 and an error.", lambda answer: replace(answer, status=200), "create", status=only(400))
answered("error-html", "Errors of a 401 are pages.", media("text/html", lambda _: b"<h1>Unauthorized</h1>"), status=only(401))
answered("error-text", "Errors are plain text.", media("text/plain", lambda body: body["errorMessage"].encode()), "refund", status=is_no)
answered("error-text-json", "Errors are JSON that is called text.", media("text/plain"), "get", status=is_no)
answered("error-problem", "Errors are application/problem+json.", media("application/problem+json"), "list", status=is_no)
answered("error-empty", "Errors of get have no body.", says_no(lambda _: b""), "get", status=is_no)
answered("error-empty-object", "Errors of deactivate are empty objects.", says_no(lambda _: {}), "deactivate", status=is_no)
answered("error-array", "Errors are arrays.", says_no(lambda body: [body]), "create", status=is_no)
answered("error-many", "Errors are lists under errors.", says_no(lambda body: {"errors": [{"id": body["errorType"], "message": body["errorMessage"]}]}), "list", status=is_no)
answered("error-legacy", "Errors of a 401 are of the old shape.", says_no(lambda body: {"error": {"message": body["errorMessage"]}}), status=only(401))
answered("error-message-empty", "errorMessage is empty.", says_no(lambda body: body | {"errorMessage": ""}), status=is_no)
answered("error-message-blank", "errorMessage is a blank.", says_no(lambda body: body | {"errorMessage": " "}), status=is_no)
answered("error-message-missing", "A 401 has no errorMessage.", says_no(lambda body: {"errorType": body["errorType"]}), status=only(401))
answered("error-message-list", "errorMessage is a list.", says_no(lambda body: body | {"errorMessage": [body["errorMessage"]]}), "create", status=is_no)
answered("error-type-missing", "A missing checkout has no errorType.", says_no(lambda body: {"errorMessage": body["errorMessage"]}), "get", status=is_no)
answered("error-type-number", "errorType is the status.", says_no(lambda body: body | {"errorType": 400}), "refund", status=is_no)
answered("error-type-empty", "errorType is empty.", says_no(lambda body: body | {"errorType": ""}), status=is_no)
answered("error-type-401", "A 401 is called not_found.", says_no(lambda body: body | {"errorType": "not_found"}), status=only(401))
answered("error-type-404", "A 404 is called unauthorized.", says_no(lambda body: body | {"errorType": "unauthorized"}), status=only(404))
answered("error-type-400", "A 400 is called internal_server_error.", says_no(lambda body: body | {"errorType": "internal_server_error"}), status=only(400))
answered("error-correlation-null", "correlationId is null.", says_no(lambda body: body | {"correlationId": None}), status=is_no)
answered("error-correlation-number", "correlationId is a number.", says_no(lambda body: body | {"correlationId": 17}), status=is_no)
answered("error-link-relative", "errorLink is no URI.", says_no(lambda body: body | {"errorLink": "see the docs"}), status=is_no)
answered("error-snake", "Errors are in snake case.", says_no(lambda body: {"error_type": body["errorType"], "error_message": body["errorMessage"]}), "create", status=is_no)
answered("error-quotes-token", "A 401 repeats the token.", says_no(lambda body: body), status=only(401))
FAULTS.pop("error-quotes-token")
answered("status-202-refund", "A refund is a 202.", lambda answer: replace(answer, status=202), "refund")
answered("status-201-refund", "A refund is a 201.", lambda answer: replace(answer, status=201), "refund")
answered("status-204-deactivate", "A deactivation is a 204.", lambda _: Answer(204, b""), "deactivate")
answered("status-202-create", "A creation is a 202.", lambda answer: replace(answer, status=202), "create")
answered("status-203-get", "A reading is a 203.", lambda answer: replace(answer, status=203), "get")
answered("status-206-list", "A list is a 206.", lambda answer: replace(answer, status=206), "list")
answered("status-418", "A bad request is a 418.", lambda answer: replace(answer, status=418), "create", status=only(400))
answered("media-html", "Lists are called HTML.", media("text/html"), "list")
answered("media-none", "Checkouts have no media type.", media(None), "get")
answered("media-octets", "New checkouts are octets.", media("application/octet-stream"), "create")
answered("media-javascript", "Lists are called JavaScript.", media("text/javascript"), "list")
answered("body-bom", "Answers begin with a byte order mark.", lambda answer: replace(answer, body=b"\xef\xbb\xbf" + json.dumps(answer.body).encode()), "get")
answered("body-latin-1", "Answers are in Latin-1.", lambda answer: replace(answer, body=json.dumps(answer.body, ensure_ascii=False).encode("latin-1", "replace")), "get", "list", "create")
answered("body-utf-16", "Answers are in UTF-16.", lambda answer: replace(answer, body=json.dumps(answer.body).encode("utf-16")), "list")
answered("body-twice", "Answers are there twice.", lambda answer: replace(answer, body=json.dumps(answer.body).encode() * 2), "get")
answered("body-comment", "Answers have a comment.", lambda answer: replace(answer, body=json.dumps(answer.body).encode() + b" // ok"), "deactivate")
answered("body-guard", "Answers are guarded against inclusion.", lambda answer: replace(answer, body=b")]}'\n" + json.dumps(answer.body).encode()), "get")
answered("body-single-quotes", "Answers are Python.", lambda answer: replace(answer, body=repr(answer.body).encode()), "refund")
answered("body-nan", "An amount is NaN.", lambda answer: replace(answer, body=answer.body | {"amount": float("nan")}), "get")
answered("body-nan-extra", "A member that nobody knows is NaN.", lambda answer: replace(answer, body=answer.body | {"score": float("nan")}), "get")
answered("body-wrapped-data", "Answers are wrapped in data.", lambda answer: replace(answer, body={"data": answer.body}), "get")
answered("body-array", "Answers are arrays of one.", lambda answer: replace(answer, body=[answer.body]), "create")
answered("body-text", "Answers are JSON in a JSON text.", lambda answer: replace(answer, body=json.dumps(json.dumps(answer.body)).encode()), "get")
answered("body-null", "Deactivations answer null.", lambda answer: replace(answer, body=b"null"), "deactivate")
answered("body-empty-answer", "Deactivations answer nothing.", lambda answer: replace(answer, body=b""), "deactivate")


# Transport


def wired(name: str, says: str, send: Wire, *operations: str, harmless: bool = False) -> None:
    """A fault in how an answer is sent."""

    def wire(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
        return request.operation in operations and send(handler, request, answer, headers, body)

    fault(name, says, wire=wire, harmless=harmless)


def plain(handler: Any, answer: Answer, body: bytes, **more: str) -> None:
    """An answer in one piece, framed as told."""
    del body
    text = json.dumps(answer.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(text)), "Connection": "close"}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    handler.write(answer.status, {name: value for name, value in headers.items() if value}, text)


def hangs(handler: Any, *_: Any) -> bool:
    """Say nothing for longer than anybody waits."""
    del handler
    time.sleep(60)
    return True


def drips(handler: Any, _: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
    """A byte every half second."""
    del body
    text = json.dumps(answer.body).encode()
    handler.write(answer.status, {"Content-Type": headers["Content-Type"], "Content-Length": str(len(text))}, b"")
    for byte in text:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.5)
    return True


def endless(handler: Any, _: Request, answer: Answer, *__: Any) -> bool:
    """Blanks without end."""
    handler.write(answer.status, {"Content-Type": "application/json", "Connection": "close"}, b"{")
    for _ in range(100_000):
        handler.wfile.write(b" " * 1000)
    return True


def redirects(status: int, place: Callable[[Request], str]) -> Wire:
    """Send elsewhere."""

    def send(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
        del answer, headers, body
        if request.query.get("moved"):
            return False
        handler.write(status, {"Location": place(request), "Content-Length": "0"}, b"")
        return True

    return send


def sends(change: Callable[[Any, Request, Answer, bytes], object]) -> Wire:
    """Something else than HTTP would have."""

    def send(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
        del headers
        change(handler, request, answer, body)
        return True

    return send


def text_of(answer: Answer) -> bytes:
    """The body in JSON."""
    return json.dumps(answer.body).encode()


wired("hang-refund", "Refunds are never answered.", hangs, "refund")
wired("hang-list", "Lists are never answered.", hangs, "list")
wired("drip-list", "Lists come a byte at a time.", drips, "list")
wired("drip-deactivate", "Deactivations come a byte at a time.", drips, "deactivate")
wired("endless-get", "A checkout that is read never ends.", endless, "get")
wired("redirect-307", "Readings are redirected once.", redirects(307, lambda request: request.path + "?moved=1"), "get")
wired("redirect-302-create", "Creations are redirected to the checkout's page.", redirects(302, lambda _: "/"), "create")
wired("redirect-308-loop", "Lists are redirected to themselves.", redirects(308, lambda request: request.path), "list")
wired("redirect-301-slash", "Lists are redirected to a slash.", redirects(301, lambda request: request.path + "/"), "list")
wired("cut-body", "Bodies are cut in half.", sends(lambda handler, _, answer, body: handler.write(answer.status, {"Content-Type": "application/json", "Content-Length": str(len(text_of(answer)))}, text_of(answer)[: len(text_of(answer)) // 2])), "list")
wired("length-long", "Content-Length is too long.", sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Length=str(len(text_of(answer)) + 10))), "get")
wired("length-short", "Content-Length is too short.", sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Length=str(len(text_of(answer)) - 10))), "get")
wired("length-none-words", "Content-Length is no number.", sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Length="long")), "deactivate")
wired("gzip-garbage", "What is called gzip is none.", sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Encoding="gzip")), "get")
wired("chunk-garbage", "Chunks have no size.", sends(lambda handler, _, answer, body: handler.write(answer.status, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, b"zz\r\n" + text_of(answer))), "get")
wired("chunk-cut", "The last chunk does not come.", sends(lambda handler, _, answer, body: handler.write(answer.status, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, b"%x\r\n%s\r\n" % (len(text_of(answer)), text_of(answer)))), "refund")
wired("drop", "Deactivations are done, and the connection ends.", sends(lambda *_: None), "deactivate")
wired("drop-create", "Creations are done, and the connection ends.", sends(lambda *_: None), "create")
wired("not-http", "Lists are answered in another protocol.", sends(lambda handler, *_: handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")), "list")
wired("status-line-alone", "Readings are answered with a status line alone.", sends(lambda handler, *_: handler.wfile.write(b"HTTP/1.1 200 OK\r\n")), "get")


# No faults


def bare(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
    """No reason after the status, and headers in capitals."""
    del request
    lines = [f"HTTP/1.1 {answer.status} ", *(f"{name.upper()}:{value}" for name, value in headers.items())]
    handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)
    return True


def pieces(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
    """In pieces, a little late."""
    del request
    handler.write(answer.status, headers, b"")
    for start in range(0, len(body), 400):
        handler.wfile.write(body[start : start + 400])
        time.sleep(0.001)
    return True


shown("fine-extra-field", "Checkouts have a member nobody knows.", puts("loyalty", {"points": [1, 2]}), harmless=True)
shown("fine-no-token-address", "Checkouts have no tokenAddress.", drops("tokenAddress"), harmless=True)
shown("fine-refund-extra", "Refunds have a member nobody knows.", each_refund(puts("initiator", "api")), harmless=True)
answered("fine-list-extra", "Lists have a member nobody knows.", lambda answer: replace(answer, body=answer.body | {"count": 3}), "list", harmless=True)
answered("fine-error-type", "Errors are of a type nobody knows.", says_no(lambda body: body | {"errorType": "sorry_about_that"}), status=only(400), harmless=True)
answered("fine-error-extra", "Errors have a member nobody knows.", says_no(lambda body: body | {"hints": ["try again"]}), status=is_no, harmless=True)
answered("fine-headers", "Answers have headers of all kinds.", lambda answer: replace(answer, headers={"Cache-Control": "no-store", "ETag": '"1"', "Set-Cookie": "a=b; Path=/", "X-RateLimit-Remaining": "0", "Vary": "*"}), status=lambda _: True, harmless=True)
answered("fine-challenge", "A 401 has a challenge.", lambda answer: replace(answer, headers={"WWW-Authenticate": 'Bearer realm="checkouts"'}), status=only(401), harmless=True)
answered("fine-media-capitals", "The media type is in capitals.", media('Application/JSON;charset="UTF-8"'), status=lambda _: True, harmless=True)
wired("fine-bare", "There is no reason after the status.", bare, *EVERYWHERE, harmless=True)
wired("fine-pieces", "Answers come in small pieces.", pieces, *EVERYWHERE, harmless=True)
fault("fine-key-known", "Repetitions say that they are some.", changes={"replay": lambda _, kept: replace(kept.answer, headers={"Idempotent-Replayed": "true"})}, harmless=True)
fault("fine-slow", "Everything takes a while.", before=lambda _, request: (time.sleep(0.02), request)[1], harmless=True)


def every() -> Iterator[Fault]:
    """Those that are faults."""
    return (one for one in FAULTS.values() if not one.harmless)
