"""Single changes, each with the verdict that leaves no doubt."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from .descriptions import Json, at, description, drift

ORDER = "components schemas Order"
NEW = "components schemas NewOrder"
POST = "paths /orders post"
LIST = "paths /orders get"
GET = "paths /orders/{orderId} get"
EVENT = "webhooks order.paid post requestBody content application/json schema"

Edit = Callable[[Json], None]


def put(path: str, **values: Any) -> Edit:
    def edit(data: Json) -> None:
        at(data, path).update(copy.deepcopy(values))

    return edit


def cut(path: str, *keys: Any) -> Edit:
    def edit(data: Json) -> None:
        for key in keys:
            at(data, path).pop(key)

    return edit


def add(path: str, value: Any) -> Edit:
    def edit(data: Json) -> None:
        at(data, path).append(value)

    return edit


def drop(path: str, value: Any) -> Edit:
    def edit(data: Json) -> None:
        at(data, path).remove(value)

    return edit


def call(path: str, key: str, new: str) -> Edit:
    def edit(data: Json) -> None:
        owner = at(data, path)
        owner[new] = owner.pop(key)

    return edit


def all_of(*edits: Edit) -> Edit:
    def edit(data: Json) -> None:
        for one in edits:
            one(data)

    return edit


SIZE = f"{LIST} parameters 2"
HIDDEN = all_of(
    put(
        "components schemas",
        Base={"type": "object", "required": ["total"], "properties": {"total": {"type": "string"}}},
    ),
    put(ORDER, allOf=[{"$ref": "#/components/schemas/Base"}], required=["id", "status"]),
)

# What changed, how, the worst class, its direction.
CASES: list[tuple[str, Edit, str, str]] = [
    ("response: field added", put(f"{ORDER} properties", extra={"type": "string"}), "additive", "response"),
    ("response: field removed, required", all_of(cut(f"{ORDER} properties", "total"), drop(f"{ORDER} required", "total")), "breaking", "response"),
    ("response: field removed, optional", cut(f"{ORDER} properties", "at"), "potential", "response"),
    ("response: required to optional", drop(f"{ORDER} required", "total"), "breaking", "response"),
    ("response: optional to required", add(f"{ORDER} required", "note"), "additive", "response"),
    ("response: nullable", put(f"{ORDER} properties total", type=["string", "null"]), "breaking", "response"),
    ("response: nullable by a choice", put(f"{ORDER} properties", total={"anyOf": [{"type": "string"}, {"type": "null"}]}), "breaking", "response"),
    ("response: retyped", put(f"{ORDER} properties total", type="number"), "breaking", "response"),
    ("response: integer to number", put(f"{ORDER} properties count", type="number"), "breaking", "response"),
    ("response: number to integer", put("components schemas Line properties amount", type="integer"), "additive", "response"),
    ("response: any of its types", put(f"{ORDER} properties total", type=["string", "integer"]), "breaking", "response"),
    ("response: string to a choice", put(f"{ORDER} properties", total={"oneOf": [{"type": "string"}, {"type": "integer"}]}), "breaking", "response"),
    ("response: enum value added", put("components schemas", Status={"type": "string", "enum": ["OPEN", "PAID", "GONE", "LATE"]}), "potential", "response"),
    ("response: enum dropped", cut("components schemas Status", "enum"), "potential", "response"),
    ("response: pattern loosened", put(f"{ORDER} properties id", pattern="^[0-9a-f]{24,36}$"), "breaking", "response"),
    ("response: pattern tightened", put(f"{ORDER} properties id", pattern="^[0-9a-e]{24}$"), "additive", "response"),
    ("response: pattern rewritten", put(f"{ORDER} properties id", pattern="^(?:[a-f0-9]){24}$"), "cosmetic", "response"),
    ("response: pattern removed", cut(f"{ORDER} properties id", "pattern"), "breaking", "response"),
    ("response: limit raised", put(f"{ORDER} properties note", maxLength=200), "potential", "response"),
    ("response: limit lowered", put(f"{ORDER} properties note", maxLength=50), "additive", "response"),
    ("response: format gone", cut(f"{ORDER} properties at", "format"), "breaking", "response"),
    ("response: format changed", put(f"{ORDER} properties at", format="date"), "breaking", "response"),
    ("response: success code changed", call(f"{POST} responses", "201", "200"), "breaking", "response"),
    ("response: another success code", put(f"{POST} responses", **{"202": {"description": "Later."}}), "potential", "response"),
    ("response: error added", put(f"{GET} responses", **{"409": {"description": "No."}}), "additive", "response"),
    ("response: error removed", cut(f"{GET} responses", "404"), "additive", "response"),
    ("response: media type changed", call(f"{GET} responses 200 content", "application/json", "application/xml"), "breaking", "response"),
    ("response: body gone", cut(f"{GET} responses 200", "content"), "breaking", "response"),
    ("response: required header gone", cut(f"{LIST} responses 200 headers", "X-Total"), "breaking", "response"),
    ("response: header added", put(f"{LIST} responses 200 headers", **{"X-More": {"schema": {"type": "string"}}}), "additive", "response"),
    ("response: field renamed", call(f"{ORDER} properties", "at", "At_"), "potential", "response"),
    ("response: array of one to object", put(f"{ORDER} properties", lines={"$ref": "#/components/schemas/Line"}), "breaking", "response"),
    ("response: deep in a recursive schema", put("components schemas Line properties sku", type="integer"), "breaking", "response"),
    ("response: writeOnly", put(f"{ORDER} properties total", writeOnly=True), "breaking", "response"),
    ("request: optional field added", put(f"{NEW} properties", extra={"type": "string"}), "additive", "request"),
    ("request: required field added", all_of(put(f"{NEW} properties", extra={"type": "string"}), add(f"{NEW} required", "extra")), "breaking", "request"),
    ("request: field removed", cut(f"{NEW} properties", "kind"), "potential", "request"),
    ("request: field removed, others refused", all_of(cut(f"{NEW} properties", "kind"), put(NEW, additionalProperties=False)), "breaking", "request"),
    ("request: optional to required", add(f"{NEW} required", "note"), "breaking", "request"),
    ("request: required to optional", put(NEW, required=[]), "additive", "request"),
    ("request: enum value added", put(f"{NEW} properties kind", enum=["A", "B", "C"]), "additive", "request"),
    ("request: enum value removed", put(f"{NEW} properties kind", enum=["A"]), "breaking", "request"),
    ("request: pattern loosened", put(f"{NEW} properties total", pattern=r"^\d+(\.\d+)?$"), "additive", "request"),
    ("request: pattern tightened", put(f"{NEW} properties total", pattern="^[1-9][0-9]*$"), "breaking", "request"),
    ("request: pattern changed", put(f"{NEW} properties total", pattern="^[a-z]+$"), "breaking", "request"),
    ("request: maximum lowered", put(f"{NEW} properties count", maximum=5), "breaking", "request"),
    ("request: maximum raised", put(f"{NEW} properties count", maximum=50), "additive", "request"),
    ("request: nullable", put(f"{NEW} properties note", type=["string", "null"]), "additive", "request"),
    ("request: default changed", put(f"{NEW} properties kind", default="B"), "potential", "request"),
    ("request: default of a parameter", put(f"{SIZE} schema", default=10), "potential", "request"),
    ("request: body optional", put(f"{POST} requestBody", required=False), "additive", "request"),
    ("request: media type gone", call(f"{POST} requestBody content", "application/json", "text/plain"), "breaking", "request"),
    ("request: media type added", put(f"{POST} requestBody content", **{"text/plain": {}}), "additive", "request"),
    ("request: optional parameter added", add(f"{LIST} parameters", {"name": "q", "in": "query", "schema": {"type": "string"}}), "additive", "request"),
    ("request: required parameter added", add(f"{LIST} parameters", {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}), "breaking", "request"),
    ("request: parameter required", put(f"{POST} parameters 0", required=True), "breaking", "request"),
    ("request: parameter gone", put(POST, parameters=[]), "potential", "request"),
    ("request: parameter renamed", put(SIZE, name="sizes"), "potential", "request"),
    ("request: scalar to array", put(f"{LIST} parameters 0", schema={"type": "array", "items": {"$ref": "#/components/schemas/Status"}}), "additive", "request"),
    ("request: array to scalar", put(f"{LIST} parameters 1", schema={"type": "string"}), "breaking", "request"),
    ("request: array written otherwise", put(f"{LIST} parameters 1", explode=False), "breaking", "request"),
    ("request: path parameter renamed", all_of(call("paths", "/orders/{orderId}", "/orders/{id}"), put("paths /orders/{id} parameters 0", name="id")), "cosmetic", "request"),
    ("request: path-level parameter constrained", put("paths /orders/{orderId} parameters 0 schema", pattern="^[0-9]$"), "breaking", "request"),
    ("request: others refused", put(NEW, additionalProperties=False), "breaking", "request"),
    ("request: security changed", lambda d: d.update(security=[{"key": []}]), "breaking", "request"),
    ("request: security loosened", lambda d: d.update(security=[{"token": []}, {}]), "additive", "request"),
    ("request: server replaced", lambda d: d.update(servers=[{"url": "https://other.example.com"}]), "breaking", "request"),
    ("request: server added", add("servers", {"url": "https://b.example.com"}), "additive", "request"),
    ("operation removed", cut("paths", "/orders/{orderId}"), "breaking", "request"),
    ("operation added", put("paths", **{"/new": {"get": {"responses": {}}}}), "additive", "request"),
    ("path renamed", call("paths", "/orders/{orderId}", "/purchases/{orderId}"), "breaking", "request"),
    ("operationId changed", put(GET, operationId="readOrder"), "cosmetic", "request"),
    ("deprecated", put(GET, deprecated=True), "prose", "request"),
    ("event: field required to optional", put(EVENT, required=[]), "breaking", "event"),
    ("event: field added", put(f"{EVENT} properties", more={"type": "string"}), "additive", "event"),
    ("event: field retyped", put(f"{EVENT} properties ref", type="integer"), "breaking", "event"),
    ("event: removed", cut("webhooks", "order.paid"), "breaking", "event"),
    ("event: added", put("webhooks", other={"post": {"responses": {}}}), "additive", "event"),
    ("hidden by allOf: required to optional", all_of(HIDDEN, put("components schemas Base", required=[])), "breaking", "response"),
    ("hidden by allOf: retyped", all_of(HIDDEN, put("components schemas Base properties total", type="integer"), cut(f"{ORDER} properties", "total")), "breaking", "response"),
    ("prose: a default", put(f"{NEW} properties note", description="By default 24 hours."), "prose", "request"),
    ("prose: a limit", put(f"{ORDER} properties note", description="Kept for 48 hours."), "prose", "response"),
    ("prose: a rule", put(f"{POST} x-rule 0", rule="At most 50 a day."), "prose", "request"),
    ("prose: an operation", put(GET, summary="Get it"), "prose", "request"),
    ("example", put(f"{NEW} properties total", example="200"), "example", "request"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "severity", "direction"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_verdict(edit: Edit, severity: str, direction: str) -> None:
    """A single change is told, in its class and direction, and nothing worse is told with it."""
    changed = description()
    edit(changed)
    found = drift(description(), changed)
    assert (severity, direction) == (str(found[0].severity), str(found[0].direction)), [one.message for one in found]


def _moved(data: Json) -> None:
    schemas = data["components"]["schemas"]
    schemas["OrderStatus"] = schemas.pop("Status")
    schemas["Order"]["properties"]["status"]["$ref"] = "#/components/schemas/OrderStatus"
    at(data, f"{LIST} parameters 0")["schema"]["$ref"] = "#/components/schemas/OrderStatus"


def _lifted(data: Json) -> None:
    item = at(data, "paths /orders/{orderId}")
    item["get"]["parameters"] = item.pop("parameters")


def _shown(data: Json) -> None:
    total = at(data, f"{NEW} properties total")
    total["examples"] = [total.pop("example")]


def _rescheme(data: Json) -> None:
    schemes = data["components"]["securitySchemes"]
    schemes["bearer"] = schemes.pop("token")
    data["security"] = [{"bearer": []}]


NOTHING: list[tuple[str, Edit]] = [
    ("enum order", put("components schemas Status", enum=["PAID", "GONE", "OPEN"])),
    ("required order", put(ORDER, required=["total", "id", "status"])),
    ("white space", put(f"{NEW} properties note", description="By  default\n1 hour.\n")),
    ("version", put("info", version="2.0.0")),
    ("moved component", _moved),
    ("inlined component", put(f"{ORDER} properties", status={"type": "string", "enum": ["OPEN", "PAID", "GONE"]})),
    ("by allOf", all_of(HIDDEN, cut(f"{ORDER} properties", "total"))),
    ("one choice", put(f"{ORDER} properties", total={"oneOf": [{"type": "string"}]})),
    ("enum by constants", put("components schemas", Status={"oneOf": [{"const": "OPEN"}, {"const": "PAID"}, {"const": "GONE"}]})),
    ("integers above 0", put(f"{NEW} properties count", minimum=0, exclusiveMinimum=0)),
    ("nothing below 0", put(f"{NEW} properties note", minLength=0)),
    ("others allowed", put(ORDER, additionalProperties=True)),
    ("others allowed by {}", put(ORDER, additionalProperties={})),
    ("style by default", put(f"{LIST} parameters 1", style="form", explode=True)),
    ("media type's parameters", call(f"{GET} responses 200 content", "application/json", "application/json; charset=utf-8")),
    ("parameter at the path", _lifted),
    ("examples", _shown),
    ("header's case", put(f"{POST} parameters 0", name="x-key")),
    ("server's slash", lambda d: d.update(servers=[{"url": "https://API.example.com/"}])),
    ("scheme's name", _rescheme),
    ("unused component", put("components schemas", Unused={"type": "string"})),
    ("event's spelling", call("webhooks", "order.paid", "orderPaid")),
    ("extensions", put(GET, **{"x-owner": "us"})),
]  # fmt: skip


@pytest.mark.parametrize("edit", [case[1] for case in NOTHING], ids=[case[0] for case in NOTHING])
def test_nothing(edit: Edit) -> None:
    """What means the same is no difference, either way round."""
    changed = description()
    edit(changed)
    assert [] == [one.message for one in drift(description(), changed)]
    assert [] == [one.message for one in drift(changed, description())]


def test_required_moved() -> None:
    """`required` that moves from one object to another is two changes, each where it is."""
    changed = description()
    drop(f"{ORDER} required", "total")(changed)
    add("components schemas Line required", "amount")(changed)
    found = {(one.where.split()[-1], str(one.severity)) for one in drift(description(), changed)}
    assert {("total", "breaking"), ("lines[].amount", "additive")} == found


def test_renames() -> None:
    """A field that is gone and one that is new, alike in name and schema, are one rename."""
    changed = description()
    call(f"{ORDER} properties", "at", "At_")(changed)
    assert ["field-renamed-optional"] == [one.kind for one in drift(description(), changed)]


WORDS = "The place in the shop where it was handed over."


@pytest.mark.parametrize(
    ("one", "other", "kinds"),
    [
        ({"description": WORDS}, {"description": f"{WORDS}\n"}, ["field-renamed-optional"]),
        ({"pattern": "^[0-9]{3}$"}, {"pattern": "^[0-9]{3}$"}, ["field-renamed-optional"]),
        ({"enum": ["A", "B"]}, {"enum": ["B", "A"]}, ["field-renamed-optional"]),
        ({}, {}, ["field-added", "field-removed"]),
        ({"description": "A code."}, {"description": "A code."}, ["field-added", "field-removed"]),
        ({"description": WORDS}, {"description": WORDS, "maxLength": 9}, ["field-added", "field-removed"]),
    ],
)
def test_renames_to_another_word(one: Json, other: Json, kinds: list[str]) -> None:
    """
    Where the names have nothing in common it takes the same schema, and that one says something, in so many words or
    values, and that no other field could be meant.
    """
    before, after = description(), description()
    put(f"{ORDER} properties", counter={"type": "string", **one})(before)
    put(f"{ORDER} properties", desk={"type": "string", **other})(after)
    found = [found for found in drift(before, after) if found.direction == "response"]
    assert kinds == sorted(one.kind for one in found)


def test_a_rename_that_could_be_two() -> None:
    """Of two new fields with the same pattern neither is the old one, unless it has its words."""
    before, after = description(), description()
    put(f"{ORDER} properties", counter={"type": "string", "pattern": "^[0-9]{3}$"})(before)
    new = {"type": "string", "pattern": "^[0-9]{3}$"}
    put(f"{ORDER} properties", desk=new, floor=new)(after)
    kinds = ["field-added", "field-added", "field-removed"]
    assert kinds == sorted(one.kind for one in drift(before, after) if one.direction == "response")
    at(before, f"{ORDER} properties counter")["description"] = WORDS
    put(f"{ORDER} properties", floor={**new, "description": WORDS})(after)
    renamed = [one.message for one in drift(before, after) if one.kind == "field-renamed-optional"]
    assert any("counter: is now called floor" in message for message in renamed)


def test_a_parameter_with_another_word() -> None:
    """A parameter, too, is known by its words."""
    before, after = description(), description()
    put(SIZE, description=WORDS)(before)
    put(SIZE, description=WORDS, name="limit")(after)
    assert ["parameter-renamed"] == [one.kind for one in drift(before, after)]


def test_old_and_new_numbers() -> None:
    """A limit that changed in words only is told with both numbers."""
    changed = description()
    put(f"{NEW} properties note", description="By default 24 hours.")(changed)
    assert "1 hour → 24 hours" in drift(description(), changed)[0].message


def test_witnesses() -> None:
    """A changed pattern is proved by texts that one of both accepts."""
    changed = description()
    put(f"{NEW} properties total", pattern="^[a-z]+$")(changed)
    (only,) = drift(description(), changed)
    assert ("'0' was accepted and is not now", "'a' is accepted and was not before") == only.witness


def test_path_and_server() -> None:
    """A part of the path that moves to the address of the server is no difference."""
    changed = description()
    changed["servers"] = [{"url": "https://api.example.com/v1"}]
    base = description()
    base["paths"] = {f"/v1{path}": item for path, item in base["paths"].items()}
    assert [] == [one.message for one in drift(base, changed)]
    assert [] == [one.message for one in drift(changed, base)]
