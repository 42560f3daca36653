"""The drift that happened: three published generations, and the classes of change among them (dossier, section 10)."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path

import pytest

from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.differences import Difference
from coinbase_checkouts_conformance.drift.fetching import Fetcher, cache_folder
from coinbase_checkouts_conformance.drift.sources import Sources
from coinbase_checkouts_conformance.drift.verdicts import Severity
from coinbase_checkouts_conformance.drift.waivers import read_waivers, waived

from .descriptions import at, description, drift

SERIOUS = (Severity.BREAKING, Severity.POTENTIAL)


@cache
def between(base: str, revision: str) -> tuple[Difference, ...]:
    sources = Sources(Fetcher(cache_folder()))
    return tuple(compare(sources.open(base), sources.open(revision)))


def told(base: int, revision: int, *words: str) -> list[tuple[str, str]]:
    """Class and direction of what is said with *words* between two generations."""
    found = between(f"generation:{base}", f"generation:{revision}")
    return [(str(one.severity), str(one.direction)) for one in found if all(word in one.message for word in words)]


@pytest.mark.parametrize(
    ("base", "revision", "words", "expected"),
    [
        # 1: an enum that is wider in answers and events.
        (1, 2, ["response 201 status", "REFUNDED"], [("potential", "response")]),
        (1, 2, ["checkout.payment", "status", "new value REFUNDED"], [("potential", "event")]),
        # 2: an enum that is wider in a query, which takes several values now.
        (1, 2, ["query status", "new value"], [("additive", "request")]),
        (1, 2, ["query status", "several values"], [("additive", "request")]),
        # 3: optional fields of answers.
        (1, 2, ["response 201 refunds: is new"], [("additive", "response")]),
        (1, 2, ["response 201 fiatAmount: is new"], [("additive", "response")]),
        # 4: a default that is told in words only.
        (2, 3, ["expiresAt", "1 hour → 24 hours"], [("prose", "request")]),
        # 5: a limit that is told in words only.
        (1, 2, ["currency", "USD, EUR, SGD, GBP"], [("prose", "request")]),
        # 6: an optional field of a request that is gone.
        (2, 3, ["network: is gone"], [("potential", "request")]),
        # 7: when a field is present, told in words only.
        (1, 2, ["transactionHash: description", "PARTIALLY_REFUNDED"], [("prose", "response")]),
        # 8: an operation that is new, with its header.
        (1, 2, ["POST /api/v1/checkouts/{id}/refund is new"], [("additive", "request")]),
        # 9: limits where there were none.
        (1, 2, ["metadata: maxProperties none → 20"], [("breaking", "request")]),
        (1, 2, ["metadata.*: maxLength none → 100"], [("breaking", "request")]),
        # 10: examples.
        (1, 2, ["tokenAddress: example"], [("example", "response")]),
        (1, 2, ["transactionHash: example"], [("example", "response")]),
        # 11: the wording of url and address.
        (1, 2, ["response 201 url"], [("prose", "response")]),
        (1, 2, ["response 201 address"], [("prose", "response")]),
        # 15: a name in another style.
        (2, 3, ["response 201 x402_url: is new"], [("additive", "response")]),
    ],
)
def test_history(base: int, revision: int, words: list[str], expected: list[tuple[str, str]]) -> None:
    """Each change of the history gets its verdict."""
    assert expected == told(base, revision, *words)


def test_required_no_longer() -> None:
    """12: a field of a request that need not be sent any more is additive."""
    changed = description()
    at(changed, "components schemas NewOrder").pop("required")
    assert [("additive", "request")] == [
        (str(one.severity), str(one.direction)) for one in drift(description(), changed)
    ]


@pytest.mark.parametrize("size", [8, 28, 75])
def test_errors_grow(size: int) -> None:
    """13: however many kinds of error come, it is one difference."""
    base = description()
    error = at(base, "paths /orders get responses 400 content application/json schema properties error")
    error["enum"] = [f"kind_{number}" for number in range(30)]
    changed = copy.deepcopy(base)
    for path in (
        "paths /orders get responses 400",
        "paths /orders post responses 400",
        "paths /orders/{orderId} get responses 404",
    ):
        values = at(changed, f"{path} content application/json schema properties error").setdefault("enum", [])
        at(base, f"{path} content application/json schema properties error")["enum"] = error["enum"]
        values[:] = [f"kind_{number}" for number in range(30 + size)]
    assert ["value-added"] == [one.kind for one in drift(base, changed)]


def test_resource_renamed() -> None:
    """14: a resource that is called otherwise, with its list, parameter and event, is told as renamed."""
    changed = description()
    changed["paths"] = {
        path.replace("orders", "purchases").replace("orderId", "id"): item for path, item in changed["paths"].items()
    }
    at(changed, "paths /purchases/{id} parameters 0")["name"] = "id"
    listed = at(changed, "paths /purchases get responses 200 content application/json schema")
    listed["properties"] = {"purchases": listed["properties"]["orders"]}
    listed["required"] = ["purchases"]
    changed["webhooks"] = {"purchase.paid": changed["webhooks"]["order.paid"]}
    for item in changed["paths"].values():
        for method in ("get", "post"):
            if method in item:
                item[method]["operationId"] = item[method]["operationId"].replace("Order", "Purchase")
    changed["webhooks"]["purchase.paid"]["post"]["operationId"] = "onPurchasePaid"
    kinds = [one.kind for one in drift(description(), changed)]
    assert 2 == kinds.count("path-renamed")  # two operations share a path
    assert 1 == kinds.count("event-renamed")
    assert 1 == kinds.count("path-parameter-renamed")
    assert not {"operation-added", "operation-removed", "event-added", "event-removed"} & set(kinds)


def test_one_change_of_many_operations() -> None:
    """16: what several operations share is told once, with all of them, not once for each page."""
    found = [
        one
        for one in between("generation:1", "generation:2")
        if one.kind == "value-added" and one.direction == "response"
    ]
    assert [("createCheckout", "deactivateCheckout", "getCheckout", "listCheckouts")] == [
        one.operations for one in found
    ]


def test_order_of_fields() -> None:
    """17: another order of fields, which shows that a schema was rewritten, is no difference."""
    changed = description()
    order = at(changed, "components schemas Order")
    order["properties"] = dict(sorted(order["properties"].items(), reverse=True))
    changed["components"]["schemas"]["Order"] = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object"}]}
    changed["components"]["schemas"]["Base"] = order
    assert [] == drift(description(), changed)


def test_ours_knows_all() -> None:
    """What this project describes takes in the newest generation: it breaks nobody who was written for it."""
    assert not [one.message for one in between("generation:3", "spec") if one.severity == "breaking"]


def test_itself() -> None:
    """A description does not differ from itself."""
    assert () == between("spec", "spec")


def test_our_description_differs_as_accepted() -> None:
    """Ours differs from the latest generation in no way that may break someone, but for what is accepted; all of that is needed."""
    spec = Path(__file__).parents[3] / "spec"
    latest = max(int(path.stem) for path in (spec / "generations").glob("*.yaml"))
    accepted = read_waivers(spec / "drift-waivers.toml")
    # Whether one has expired is for `nox -s drift` to say, and no test's business.
    found = waived(between(f"generation:{latest}", "spec"), accepted, today=min(one.until for one in accepted))
    assert [] == found.unused
    assert [] == [one.message for one in found.differences if one.severity in SERIOUS and one.waived is None]
