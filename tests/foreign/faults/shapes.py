"""Answers of another shape, everywhere or only in one place."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import json
import re
import struct
from datetime import datetime, timedelta
from decimal import Decimal

from ..shop import moment
from .fault import drops, each_refund, puts, shown, turns


def read(text: str) -> datetime:
    """A date-time that the shop wrote."""
    found = moment(text)
    assert found
    return found


shown("list-item-without-url", "Items of a list have no url.", drops("url"), "list")
shown("list-item-amount-number", "Items of a list have numbers for amounts.", turns("amount", float), "list")
shown("list-item-status-lower", "Items of a list have lower-case statuses.", turns("status", str.lower), "list")
shown("list-item-description-lost", "Items of a list have no description.", drops("description"), "list")
shown("list-item-redirect-lost", "Items of a list have no failRedirectUrl.", drops("failRedirectUrl"), "list")
shown("list-item-refunds-lost", "Items of a list have no refunds.", drops("refunds"), "list")
shown(
    "list-item-null-hash",
    "Items of a list have a null hash until paid.",
    lambda one: one.setdefault("transactionHash", None),
    "list",
)
shown("list-item-metadata-lost", "Items of a list have no metadata.", drops("metadata"), "list")
shown(
    "list-item-expiry-date",
    "Items of a list have days for expiresAt.",
    turns("expiresAt", lambda text: text[:10]),
    "list",
)
shown("refund-answer-without-network", "The checkout in a refund's answer has no network.", drops("network"), "refund")
shown(
    "refund-answer-id-upper",
    "The checkout in a refund's answer has its id in capitals.",
    turns("id", str.upper),
    "refund",
)
shown(
    "refund-answer-description-lost",
    "The checkout in a refund's answer has no description.",
    drops("description"),
    "refund",
)
shown("refund-answer-list-empty", "The checkout in a refund's answer lists no refund.", puts("refunds", []), "refund")
shown(
    "refund-answer-null-fiat",
    "The checkout in a refund's answer has a null fiatAmount.",
    puts("fiatAmount", None),
    "refund",
    reading="a",
)
shown(
    "refunds-amount-number",
    "Refunds in a checkout that is read have numbers for amounts.",
    each_refund(turns("amount", float)),
    "get",
)
shown(
    "refunds-status-lower",
    "Refunds in a checkout that is read have lower-case statuses.",
    each_refund(turns("status", str.lower)),
    "get",
)
shown("refunds-without-id", "Refunds in a checkout that is read have no id.", each_refund(drops("id")), "get")
shown(
    "refunds-null-completed",
    "Refunds have a null completedAt until completed.",
    each_refund(lambda one: one.setdefault("completedAt", None)),
)
shown(
    "refunds-object",
    "refunds is an object by id.",
    turns("refunds", lambda them: {one["id"]: one for one in them}),
    "get",
)
shown("refunds-empty", "refunds is an empty list before there are any.", lambda one: one.setdefault("refunds", []))
shown(
    "refunded-zero", "refundedAmount is 0.00 before any refund.", lambda one: one.setdefault("refundedAmount", "0.00")
)
shown("refunded-number", "refundedAmount is a number.", turns("refundedAmount", float))
shown(
    "get-null-description",
    "A checkout without description has a null one when read.",
    lambda one: one.setdefault("description", None),
    "get",
)
shown(
    "create-null-metadata",
    "A new checkout without metadata has null.",
    lambda one: one.setdefault("metadata", None),
    "create",
)
shown(
    "get-null-settlement",
    "An unpaid checkout has a null settlement.",
    lambda one: one.setdefault("settlement", None),
    "get",
)
shown("created-without-zone", "createdAt has no offset when read.", turns("createdAt", lambda text: text[:19]), "get")
shown(
    "created-epoch",
    "createdAt is a number of milliseconds.",
    turns("createdAt", lambda text: int(read(text).timestamp() * 1000)),
)
shown(
    "updated-epoch-text",
    "updatedAt is the text of a number.",
    turns("updatedAt", lambda text: str(int(read(text).timestamp()))),
    "deactivate",
)
shown(
    "updated-spaced",
    "updatedAt has a space for the T, in deactivations.",
    turns("updatedAt", lambda text: text.replace("T", " ")),
    "deactivate",
)
shown(
    "expires-http-date",
    "expiresAt is an HTTP date.",
    turns("expiresAt", lambda text: read(text).strftime("%a, %d %b %Y %H:%M:%S GMT")),
    "create",
)
shown(
    "url-relative", "The url of a new checkout is a path.", turns("url", lambda url: url[url.index("/", 8) :]), "create"
)
shown("url-spaced", "The url has a space.", turns("url", lambda url: url + "/pay now"), "get")
shown("id-number", "The id is a number in lists.", turns("id", lambda text: int(text, 16)), "list")
shown(
    "id-long", "The id of a deactivated checkout has 25 characters.", turns("id", lambda text: text + "0"), "deactivate"
)
shown("id-other", "A checkout that is read has another id.", turns("id", lambda text: text[::-1]), "get")
shown("network-capital", "The network is Base.", puts("network", "Base"), "get")
shown("network-chain", "The network is eip155:8453.", puts("network", "eip155:8453"), "list")
shown("currency-lower", "The currency is usdc.", puts("currency", "usdc"), "get")
shown(
    "currency-token",
    "The currency is the token's address.",
    puts("currency", "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"),
    "list",
)
shown(
    "status-canceled",
    "DEACTIVATED is called CANCELED in lists.",
    turns("status", lambda text: "CANCELED" if text == "DEACTIVATED" else text),
    "list",
)
shown("status-paid", "COMPLETED is called PAID.", turns("status", lambda text: "PAID" if text == "COMPLETED" else text))
shown(
    "amount-three-decimals",
    "Amounts have three decimals when read.",
    turns("amount", lambda text: f"{Decimal(text):.3f}"),
    "get",
)
shown(
    "amount-thousands",
    "Amounts from 1,000 have commas.",
    turns("amount", lambda text: f"{Decimal(text):,.2f}" if Decimal(text) >= 1000 else text),
)
shown(
    "amount-exponent",
    "The largest amount is 1E+8.",
    turns("amount", lambda text: "1E+8" if Decimal(text) == 10**8 else text),
)
shown(
    "amount-single",
    "Amounts pass through a 32-bit float.",
    turns("amount", lambda text: f"{struct.unpack('f', struct.pack('f', float(text)))[0]:.2f}"),
)
shown(
    "amount-tenths",
    "Amounts in lists are rounded to a tenth.",
    turns("amount", lambda text: f"{Decimal(text):.1f}"),
    "list",
)
shown("amount-unit", "Amounts carry their unit.", turns("amount", lambda text: text + " USDC"), "create")
shown("amount-minor", "Amounts are in cents.", turns("amount", lambda text: str(int(Decimal(text) * 100))))
shown(
    "settlement-number",
    "The fee is a number.",
    turns("settlement", lambda one: one | {"feeAmount": float(one["feeAmount"])}),
)
shown("settlement-list", "The settlement is a list.", turns("settlement", lambda one: [one]), "get")
shown(
    "settlement-sum-list",
    "In lists the net amount is the total.",
    turns("settlement", lambda one: one | {"netAmount": one["totalAmount"]}),
    "list",
)
shown(
    "settlement-currency-null",
    "The settlement's currency is null.",
    turns("settlement", lambda one: one | {"currency": None}),
    "get",
)
shown(
    "metadata-pairs",
    "metadata is a list of pairs.",
    turns("metadata", lambda one: [{"key": key, "value": value} for key, value in one.items()]),
    "get",
)
shown("metadata-text", "metadata is JSON in a text.", turns("metadata", json.dumps), "list")
shown(
    "metadata-numbers",
    "Values of metadata that look like numbers are numbers.",
    turns("metadata", lambda one: {key: int(value) if str(value).isdecimal() else value for key, value in one.items()}),
)
shown(
    "metadata-lower",
    "The names in metadata are in lower case.",
    turns("metadata", lambda one: {key.lower(): value for key, value in one.items()}),
)
shown(
    "metadata-snake",
    "The names in metadata are in snake case.",
    turns("metadata", lambda one: {re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in one.items()}),
)
shown(
    "metadata-last-lost",
    "The twentieth entry of metadata is lost.",
    turns("metadata", lambda one: dict(list(one.items())[:19])),
)
shown(
    "metadata-cut",
    "Values of metadata are cut to 64 characters.",
    turns("metadata", lambda one: {key: value[:64] if isinstance(value, str) else value for key, value in one.items()}),
)
shown(
    "redirects-swapped",
    "The redirect URLs are swapped when read.",
    lambda one: (
        one.update({"successRedirectUrl": one["failRedirectUrl"], "failRedirectUrl": one["successRedirectUrl"]})
        if {"successRedirectUrl", "failRedirectUrl"} <= one.keys()
        else None
    ),
    "get",
)
shown(
    "redirect-lost-deactivated",
    "A deactivation's answer has no successRedirectUrl.",
    drops("successRedirectUrl"),
    "deactivate",
)
shown(
    "redirect-http",
    "Redirect URLs come back as http.",
    turns("successRedirectUrl", lambda url: url.replace("https:", "http:", 1)),
    "get",
)
shown("hash-null", "transactionHash is null until there is one.", lambda one: one.setdefault("transactionHash", None))
shown(
    "hash-active",
    "A new checkout has a transactionHash.",
    lambda one: one.setdefault("transactionHash", "0x" + "0" * 64),
    "create",
)
shown(
    "hash-failed",
    "A failed checkout has a transactionHash.",
    lambda one: one.__setitem__("transactionHash", "0x" + "1" * 64) if one["status"] == "FAILED" else None,
)
shown(
    "hash-lost-completed",
    "A completed checkout has no transactionHash when read.",
    lambda one: one.pop("transactionHash", 0) if one["status"] == "COMPLETED" else None,
    "get",
)
shown(
    "hash-lost-refunded",
    "A refunded checkout has no transactionHash.",
    lambda one: one.pop("transactionHash", 0) if one["status"] == "REFUNDED" else None,
)
shown(
    "hash-of-refund",
    "The hash of a refunded checkout is that of its refund.",
    lambda one: (
        one.__setitem__(
            "transactionHash",
            next(
                (refund["transactionHash"] for refund in one.get("refunds", []) if "transactionHash" in refund),
                one.get("transactionHash"),
            ),
        )
        if "refunds" in one
        else None
    ),
)
shown("fiat-alone", "fiatAmount comes without fiatCurrency.", drops("fiatCurrency"), reading="b")
shown(
    "fiat-lost",
    "A checkout made in fiat forgets so.",
    lambda one: (one.pop("fiatCurrency", 0), one.pop("fiatAmount", 0)),
    reading="b",
)
shown(
    "fiat-lost-get",
    "A checkout made in fiat forgets so once it is read.",
    lambda one: (one.pop("fiatCurrency", 0), one.pop("fiatAmount", 0)),
    "get",
    "list",
    reading="b",
)
shown(
    "fiat-amount-kept",
    "amount and currency stay in fiat.",
    lambda one: one.update(amount=one["fiatAmount"], currency=one["fiatCurrency"]) if "fiatAmount" in one else None,
    reading="b",
)
shown(
    "fiat-amount-is-usdc",
    "fiatAmount is the figure in USDC.",
    lambda one: one.update(fiatAmount=one["amount"]) if "fiatAmount" in one else None,
    reading="b",
)
shown(
    "fiat-in-usdc",
    "A checkout made in USDC has a fiatAmount.",
    lambda one: one.update(fiatAmount=one["amount"], fiatCurrency="USD"),
    reading="a",
)
shown("rate-number", "exchangeRate is a number.", each_refund(turns("exchangeRate", float)), reading="b")
for operation in ("list", "deactivate", "refund"):
    shown(
        f"{operation}-null-description",
        f"A checkout without description has a null one in answers of {operation}.",
        lambda one: one.setdefault("description", None),
        operation,
    )
shown(
    "created-local",
    "createdAt is a local time that is called UTC.",
    turns("createdAt", lambda text: (read(text) + timedelta(hours=2)).isoformat()),
)
