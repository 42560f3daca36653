"""What was sent comes back as something else."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..shop import Checkout, Refund, Shop
from .fault import Body, drops, each_refund, fault, shown


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
stored(
    "description-blanks-joined",
    "Blanks in descriptions are joined.",
    "description",
    lambda text: re.sub(" +", " ", text),
)
stored(
    "description-nfc",
    "Descriptions are normalised (NFC).",
    "description",
    lambda text: unicodedata.normalize("NFC", text),
)
stored(
    "description-nfkc",
    "Descriptions are normalised (NFKC).",
    "description",
    lambda text: unicodedata.normalize("NFKC", text),
)
stored("description-escaped", "Descriptions are escaped for HTML.", "description", escaped)
stored(
    "description-ascii",
    "Descriptions lose what is not ASCII.",
    "description",
    lambda text: text.encode("ascii", "replace").decode(),
)
stored(
    "description-bmp",
    "Descriptions lose what is beyond the first plane.",
    "description",
    lambda text: re.sub("[^\0-\uffff]", "\ufffd", text),
)
stored("description-255", "Descriptions are cut to 255 characters.", "description", lambda text: text[:255])
stored(
    "description-line", "Line breaks in descriptions are blanks.", "description", lambda text: text.replace("\n", " ")
)
stored(
    "description-latin-1",
    "Descriptions are read as Latin-1.",
    "description",
    lambda text: text.encode().decode("latin-1"),
)
stored(
    "description-500-bytes",
    "Descriptions are cut to 500 bytes.",
    "description",
    lambda text: text.encode()[:500].decode(errors="ignore"),
)
stored("metadata-trimmed", "Values of metadata lose their outer blanks.", "metadata", each_value(str.strip))
stored(
    "metadata-nfc",
    "Values of metadata are normalised.",
    "metadata",
    each_value(lambda text: unicodedata.normalize("NFC", text)),
)
stored(
    "redirect-query-lost", "Redirect URLs lose their query.", "successRedirectUrl", lambda url: url.partition("?")[0]
)
stored(
    "redirect-fragment-lost", "Redirect URLs lose their fragment.", "failRedirectUrl", lambda url: url.partition("#")[0]
)
stored("redirect-lower", "Redirect URLs are in lower case.", "failRedirectUrl", str.lower)
stored(
    "redirect-decoded",
    "Redirect URLs are percent-decoded once.",
    "successRedirectUrl",
    lambda url: url.replace("%2F", "/").replace("%20", "+"),
)
stored("reason-lost", "Reasons of refunds are lost.", "reason", lambda _: None, "refund")
stored("reason-trimmed", "Reasons of refunds lose their outer blanks.", "reason", str.strip, "refund")
stored("reason-100", "Reasons of refunds are cut to 100 characters.", "reason", lambda text: text[:100], "refund")
shown(
    "reason-lost-get", "The reason of a refund is lost when the checkout is read.", each_refund(drops("reason")), "get"
)
