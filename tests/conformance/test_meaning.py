"""A recording is outdated when the description demands something else, not when it says the same in other words."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.meaning import meaning, meaning_now


@pytest.fixture
def document() -> dict[str, Any]:
    """The description, to be changed."""
    return copy.deepcopy(description().document)


def schemas(document: dict[str, Any]) -> Any:
    return document["components"]["schemas"]


def listing(document: dict[str, Any]) -> Any:
    return document["paths"]["/api/v1/checkouts"]["get"]


def reversed_keys(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: reversed_keys(node[key]) for key in reversed(node)}
    return [reversed_keys(child) for child in node] if isinstance(node, list) else node


PROSE: dict[str, Callable[[dict[str, Any]], object]] = {
    "description": lambda d: schemas(d)["Checkout"].update(description="other"),
    "summary": lambda d: listing(d).update(summary="other"),
    "example": lambda d: schemas(d)["CheckoutStatus"].update(examples=["FAILED"]),
    "source": lambda d: schemas(d)["CheckoutStatus"]["x-source"].update(standing="assumed"),
    "documents": lambda d: d["x-documents"].clear(),
    "title and version": lambda d: d["info"].update(title="other", version="9"),
    "order of an enum": lambda d: schemas(d)["CheckoutStatus"]["enum"].reverse(),
    "links": lambda d: listing(d)["responses"]["200"].update(links={}),
}
DEMANDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "enum value less": lambda d: schemas(d)["CheckoutStatus"]["enum"].pop(),
    "required": lambda d: schemas(d)["Checkout"]["required"].pop(),
    "property called description": lambda d: schemas(d)["CreateCheckoutRequest"]["properties"].pop("description"),
    "its length": lambda d: schemas(d)["CreateCheckoutRequest"]["properties"]["description"].update(maxLength=7),
    "default": lambda d: d["components"]["parameters"]["PageSize"]["schema"].update(default=21),
    "status": lambda d: listing(d)["responses"].pop("400"),
    "media type": lambda d: d["components"]["responses"]["BadRequest"]["content"].clear(),
    "parameter": lambda d: listing(d)["parameters"].pop(),
    "rule": lambda d: schemas(d)["CheckoutStatus"]["x-rule"][0].update(rule="other"),
    "path": lambda d: d["paths"].pop("/api/v1/checkouts/{id}"),
}


@pytest.mark.parametrize("name", PROSE)
def test_prose_changes_nothing(document: dict[str, Any], name: str) -> None:
    """
    Words, examples, sources and the order of keys may change.
    """
    PROSE[name](document)
    assert meaning_now() == meaning(reversed_keys(document))
    assert json.dumps(document) != json.dumps(description().document)


@pytest.mark.parametrize("name", DEMANDS)
def test_every_demand_counts(document: dict[str, Any], name: str) -> None:
    """
    Another keyword, property, status, media type, path or rule is another meaning.
    """
    DEMANDS[name](document)
    assert meaning_now() != meaning(document)
