"""Read a checkout."""

from __future__ import annotations

from coinbase_checkouts_conformance.attempts import existing, try_constraint
from coinbase_checkouts_conformance.claims import claim, each_constraint
from coinbase_checkouts_conformance.compare import differences
from coinbase_checkouts_conformance.constraints import Constraint
from coinbase_checkouts_conformance.exchange import Exchange, refused
from coinbase_checkouts_conformance.target import NOBODYS_ID

GET = "#/paths/~1api~1v1~1checkouts~1{id}/get"


@claim("get.as-created", "create.echo", f"{GET}/responses/200")
def test_as_created(api: Exchange) -> None:
    """A checkout reads as its creation answered it, field for field."""
    made = api.created(api.full())
    assert differences(made, api.read(made["id"])) == []


@claim("get.changes-nothing", f"{GET}/responses/200")
def test_changes_nothing(api: Exchange) -> None:
    """Reading a checkout twice gives the same answer twice."""
    checkout_id = api.created()["id"]
    assert differences(api.read(checkout_id), api.read(checkout_id)) == []


@claim("get.the-right-one", f"{GET}/responses/200")
def test_the_right_one(api: Exchange) -> None:
    """Of two checkouts each is found under its own id."""
    first, second = api.created(), api.created()
    assert differences(first, api.read(first["id"])) == []
    assert differences(second, api.read(second["id"])) == []


@claim("get.unknown-id", f"{GET}/responses/404")
def test_unknown_id(api: Exchange) -> None:
    """An id that no checkout has is answered 404 not_found, by some deployments 400."""
    answer = refused(api.get(NOBODYS_ID), 404, 400)
    if answer.status == 404:
        assert answer.json["errorType"] == "not_found"


@each_constraint("getCheckout", "path")
def test_path(api: Exchange, constraint: Constraint) -> None:
    try_constraint(constraint, existing(api)[0]["id"], api.get)
