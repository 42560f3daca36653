"""
What requests and views read alike: a charge out of its envelopes, its texts and where its payers go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from coinbase_checkouts.errors import Loss

from .fields import Fields, clean, type_of, written_out
from .notes import field_lost, noted
from .results import refusal

# An object with any of these is no envelope, whatever else it has.
OF_CHARGES: Final = frozenset({"code", "name", "description", "pricing", "pricing_type", "local_price", "timeline"})
_REFUSED: Final = "no charge"


def opened(given: object, losses: list[Loss]) -> tuple[Fields, str | None]:
    """
    The charge in *given*: itself, or in the `data` of an answer, or in an event, whose type comes with it.

    Raises:
        MigrationError: There is none.
    """
    pointer, event = "", None
    if isinstance(given, Mapping) and isinstance(given.get("event"), Mapping):
        given, pointer, event = given["event"], "/event", ""
    if isinstance(given, Mapping) and "data" in given and not OF_CHARGES & given.keys():
        # An answer of the API has no type.
        if "type" in given or event is not None:
            event = str(given.get("type"))
            losses.append(noted("from-event", pointer))
        given, pointer = given["data"], f"{pointer}/data"
        if isinstance(given, list):
            raise refusal(_REFUSED, [noted("list-of-charges", pointer)])
    if not isinstance(given, Mapping):
        raise refusal(_REFUSED, [noted("not-an-object", pointer, type=type_of(given))])
    charge = Fields(given, losses, pointer)
    resource = charge.text("resource")
    if resource == "checkout":
        charge.lose("reusable", "resource")
    elif resource == "invoice":
        raise refusal(_REFUSED, [noted("is-invoice", charge.at("resource"))])
    elif resource not in (None, "charge"):
        raise refusal(_REFUSED, [noted("unknown-resource", charge.at("resource"))])
    return charge, event


def price(charge: Fields) -> Fields:
    """The object with amount and currency: local_price of a request, else pricing.local of a charge."""
    asked, pricing = charge.object("local_price"), charge.object("pricing")
    local = pricing.object("local")
    pricing.left("pricing-", other="pricing-crypto")
    if asked.is_empty:
        return local
    if not local.is_empty and [asked.any(name) for name in _PRICE] != [local.any(name) for name in _PRICE]:
        charge.lose("prices-differ", "local_price")
    return asked


_PRICE: Final = ("amount", "currency")


def pricing_type(charge: Fields) -> str | None:
    """`fixed_price`, `no_price`, or what else it says, in any case."""
    text = charge.text("pricing_type")
    return None if text is None else text.lower()


def described(charge: Fields) -> str | None:
    """Name and description as one text; the name only if the description does not have it already."""
    name, description = charge.text("name"), charge.text("description")
    if name is None or description is None:
        return name or description
    # As words of their own: "Tea" is not in "Team registration".
    if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", description.casefold()):
        return description
    charge.lose("name-joined", "name")
    return f"{name}: {description}"


def redirects(charge: Fields) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Where payers go after success, and after they cancelled: each as address and name of its field."""
    inner = charge.object("redirects")
    found = (_either(charge, "redirect_url", inner, "success_url"), _either(charge, "cancel_url", inner, "cancel_url"))
    inner.left("redirects-")
    return found


def _either(charge: Fields, name: str, inner: Fields, inner_name: str) -> tuple[str, str] | None:
    outside, inside = charge.text(name), inner.text(inner_name)
    if outside is not None and inside is not None and outside != inside:
        charge.lose("redirects-differ", name)
    if outside is not None:
        return outside, charge.at(name)
    return None if inside is None else (inside, inner.at(inner_name))


def identity(charge: Fields) -> tuple[str | None, str | None]:
    """Code and id, neither of which a checkout has, nor the page and the history that they name."""
    found = charge.text("code"), charge.text("id")
    for name, value in zip(("code", "id"), found, strict=True):
        if value is not None:
            charge.lose(name, name)
    if charge.text("hosted_url") is not None:
        charge.lose("hosted-url", "hosted_url")
    # Of one entry the status says all.
    if len(charge.objects("timeline")) > 1:
        charge.losses.append(field_lost("timeline", charge.at("timeline")))
    return found


def metadata(charge: Fields, *, most: int | None, longest: int | None) -> dict[str, str]:
    """
    The metadata as texts.

    Args:
        most: How many keys there may be; None for any number.
        longest: Characters of a value; None for any number.
    """
    kept: dict[str, str] = {}
    given = charge.object("metadata")
    for name, value in given.items():
        if (text := _as_text(given, name, value)) is None:
            continue
        key = clean(str(name))
        if longest is not None and len(text) > longest:
            given.lose("metadata-too-long", name)
        elif key in kept:
            given.lose("metadata-same-key", name)
        elif len(kept) == most:
            given.lose("metadata-too-many", name)
        else:
            if key != str(name):
                given.lose("half-characters", name)
            kept[key] = text
    return kept


def _as_text(given: Fields, name: Any, value: Any) -> str | None:
    if value is None:
        given.lose("metadata-null", name)
        return None
    if isinstance(value, str):
        if (text := clean(value)) != value:
            given.lose("half-characters", name)
        return text
    written = written_out(value)
    given.lose("wrong-type" if written is None else "metadata-not-text", name, type=type_of(value))
    return written
