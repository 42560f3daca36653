"""How far to trust the sandbox: worked out from the description, and nothing left out."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from coinbase_checkouts_sandbox.description import read_document
from coinbase_checkouts_sandbox.fidelity import fidelity
from coinbase_checkouts_sandbox.readings import DEFAULT, Readings
from coinbase_checkouts_sandbox.unemulated import UNEMULATED, UNENFORCED

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

DOCUMENTED = {"document": ["page"], "standing": "documented"}
OBSERVED = {"document": ["recording"], "standing": "observed"}
ASSUMED = {"document": ["blog"], "standing": "assumed", "note": "The page says otherwise."}

SMALL: dict[str, Any] = {
    "x-rule": [{"id": "all.kept", "rule": "It holds.", "x-source": ASSUMED}],
    "paths": {
        "/things/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "getThing",
                "summary": "Get a thing",
                "x-source": DOCUMENTED,
                "responses": {
                    "200": {
                        "description": "The thing.",
                        "x-source": OBSERVED,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
            },
        }
    },
    "webhooks": {
        "thing.made": {
            "post": {
                "operationId": "onThing",
                "x-source": DOCUMENTED,
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
            }
        }
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "x-source": DOCUMENTED, "schema": {"type": "string"}}},
        "responses": {"Missing": {"description": "Gone.", "x-source": ASSUMED}},
        "schemas": {
            "Thing": {
                "x-source": DOCUMENTED,
                "x-rule": [{"id": "thing.rule", "rule": "It is a thing.", "x-source": ASSUMED}],
                "properties": {
                    # A schema may refer to itself, and a property may have the name of a keyword.
                    "examples": {"type": "string", "x-source": DOCUMENTED},
                    "parts": {"items": {"$ref": "#/components/schemas/Thing"}, "x-source": OBSERVED},
                    "size": {"type": "string"},
                },
            },
            "Unused": {"x-source": ASSUMED},
        },
    },
    "x-documents": {"page": {"title": "A page"}},
}


def facts(group: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(fact["kind"], fact["what"], fact["standing"]) for fact in group["rests"]]


def test_an_operation_lists_what_it_uses() -> None:
    """
    Through references, each fact once: its parameters, answers, their schemas, properties and rules.
    """
    operation = fidelity(SMALL, DEFAULT)["operations"][0]
    assert ("getThing", "GET", "/things/{id}") == (operation["id"], operation["method"], operation["path"])
    assert [
        ("parameter", "path id", "documented"),
        ("operation", "getThing", "documented"),
        ("answer", "200", "observed"),
        ("schema", "Thing", "documented"),
        ("rule", "thing.rule", "assumed"),
        ("property", "Thing.examples", "documented"),
        ("property", "Thing.parts", "observed"),
        ("property", "Thing.size", "unknown"),
        ("answer", "404", "assumed"),
    ] == facts(operation)


def test_facts_are_counted_by_standing() -> None:
    """
    Counts and percentages of each operation, and of all facts that something uses, each counted once.
    """
    found = fidelity(SMALL, DEFAULT)
    assert {"documented": 4, "observed": 2, "assumed": 2, "unknown": 1} == found["operations"][0]["counts"]
    assert {"documented": 44.4, "observed": 22.2, "assumed": 22.2, "unknown": 11.1} == found["operations"][0]["percent"]
    # The operation's nine, the event itself, and the rule for everything.
    assert {"documented": 5, "observed": 2, "assumed": 3, "unknown": 1} == found["total"]["counts"]
    assert [("rule", "all.kept", "assumed")] == facts(found["everywhere"])
    assert ["thing.made"] == [event["id"] for event in found["events"]]


def test_a_fact_tells_where_it_is_from() -> None:
    """
    A pointer into the description, what it says, the documents, and the note where there is one.
    """
    rule = next(fact for fact in fidelity(SMALL, DEFAULT)["operations"][0]["rests"] if fact["kind"] == "rule")
    assert {
        "kind": "rule",
        "what": "thing.rule",
        "says": "It is a thing.",
        "standing": "assumed",
        "documents": ["blog"],
        "pointer": "#/components/schemas/Thing/x-rule/0",
        "note": "The page says otherwise.",
    } == rule


def test_nothing_at_all_is_no_division_by_zero() -> None:
    """
    An empty description has no facts, and says so.
    """
    found = fidelity({}, DEFAULT)
    assert ([], [], []) == (found["operations"], found["events"], found["everywhere"]["rests"])
    assert {"documented": 0.0, "observed": 0.0, "assumed": 0.0} == found["total"]["percent"]


def test_every_fact_of_the_description_has_a_standing() -> None:
    """
    Of the real description: each operation and event is there, and nothing in it is unknown.
    """
    document = read_document()
    found = fidelity(document, DEFAULT)
    operations = {
        item[method]["operationId"] for item in document["paths"].values() for method in item if method != "parameters"
    }
    assert operations == {operation["id"] for operation in found["operations"]}
    assert set(document["webhooks"]) == {event["id"] for event in found["events"]}
    for group in (*found["operations"], *found["events"], found["everywhere"], found["total"]):
        assert {"documented", "observed", "assumed"} == set(group["counts"])
        assert pytest.approx(100, abs=0.2) == sum(group["percent"].values())
    # Nothing was ever recorded from the real service, and this must not claim otherwise.
    assert 0 == found["total"]["counts"]["observed"]


def test_every_source_of_the_description_is_told() -> None:
    """
    Whatever carries an x-source and can be reached from an operation or event is listed, found here by another road.
    """
    document = read_document()
    found = fidelity(document, DEFAULT)
    told = {
        fact["pointer"]
        for group in (*found["operations"], *found["events"], found["everywhere"])
        for fact in group["rests"]
    }

    def sourced(node: Any, pointer: str) -> Iterator[str]:
        if isinstance(node, dict):
            if "x-source" in node:
                yield pointer
            for name, below in node.items():
                escaped = name.replace("~", "~0").replace("/", "~1")
                yield from sourced(below, f"{pointer}/{escaped}")
        elif isinstance(node, list):
            for index, below in enumerate(node):
                yield from sourced(below, f"{pointer}/{index}")

    text = str(document)
    reached = {
        pointer
        for pointer in sourced(document, "#")
        # Schemas that nothing refers to are of no operation.
        if not (used := re.match(r"#/components/schemas/(\w+)", pointer)) or f"schemas/{used[1]}'" in text
    }
    assert reached == told


def test_a_source_that_is_lost_is_noticed() -> None:
    """
    Taking the x-source off a property of the real description makes it unknown.
    """
    document = copy.deepcopy(read_document())
    del document["components"]["schemas"]["Checkout"]["properties"]["amount"]["x-source"]
    found = fidelity(document, DEFAULT)
    assert all(operation["counts"]["unknown"] == 1 for operation in found["operations"])


def test_the_readings_in_force_are_told(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    Each open question, how this server answers it, what else a source says, and which source.
    """
    sandbox = sandbox_with(readings=Readings(create_status=200))
    answer = sandbox.call("GET", "/__sandbox__/fidelity").json()
    assert [field.name for field in fields(Readings)] == [reading["name"] for reading in answer["readings"]]
    assert 200 == answer["readings"][0]["inForce"]
    assert all(reading["others"] and reading["source"] for reading in answer["readings"])


def test_what_is_not_emulated_is_told(sandbox: Sandbox) -> None:
    """
    The paths that answer 501 and the rules that are not enforced, with the reason; the rules are the description's.
    """
    answer = sandbox.call("GET", "/__sandbox__/fidelity").json()
    assert [one.path for one in UNEMULATED] == [one["path"] for one in answer["notEmulated"]]
    rules = {fact["what"] for fact in answer["everywhere"]["rests"] if fact["kind"] == "rule"}
    assert set(UNENFORCED) <= rules
    named = {name for fact in answer["everywhere"]["rests"] for name in fact["documents"]}
    assert named <= set(answer["documents"])


def test_a_person_reads_the_same(sandbox: Sandbox) -> None:
    """
    The page has every rule, reading and path of the JSON.
    """
    answer = sandbox.call("GET", "/__sandbox__/fidelity").json()
    page = sandbox.call("GET", "/__sandbox__/fidelity.html", judged=False)
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    for operation in answer["operations"]:
        assert f"{operation['method']} {operation['path']}" in page.text
        assert all(fact["what"] in page.text for fact in operation["rests"])
    for reading in answer["readings"]:
        assert reading["name"] in page.text
    for one in answer["notEmulated"]:
        assert one["path"] in page.text
