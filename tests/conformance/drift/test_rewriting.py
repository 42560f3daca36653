"""A description that is written otherwise says the same, and a change of it keeps its fingerprint."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.reading import read

from .descriptions import Json, at, description, document


def shuffled(data: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """The same with the keys of every mapping in another order."""
    if isinstance(data, dict):
        return {key: shuffled(data[key], draw) for key in draw(st.permutations(list(data)))}
    return [shuffled(one, draw) for one in data] if isinstance(data, list) else data


def inlined(data: Any, root: Json, above: tuple[str, ...] = ()) -> Any:
    """The same with every `$ref` written out, as far as it does not hold itself."""
    if isinstance(data, dict):
        if "$ref" in data:
            ref = data["$ref"]
            return data if ref in above else inlined(at(root, ref[2:].replace("/", " ")), root, (*above, ref))
        return {key: inlined(value, root, above) for key, value in data.items()}
    return [inlined(one, root, above) for one in data] if isinstance(data, list) else data


def extracted(data: Json) -> Json:
    """The same with every schema of a property as a component of its own."""
    made = copy.deepcopy(data)
    schemas = made["components"]["schemas"]
    for name, schema in list(schemas.items()):
        for field, inner in schema.get("properties", {}).items():
            schemas[f"{name}_{field}"] = inner
            schema["properties"][field] = {"$ref": f"#/components/schemas/{name}_{field}"}
    return made


def as_30(data: Any) -> Any:
    """The same as OpenAPI 3.0 writes it."""
    if isinstance(data, list):
        return [as_30(one) for one in data]
    if not isinstance(data, dict):
        return data
    made = {key: as_30(value) for key, value in data.items()}
    if "openapi" in made:
        made["openapi"] = "3.0.3"
        made["x-webhooks"] = made.pop("webhooks")
    if isinstance(types := made.get("type"), list) and "null" in types:
        made["type"] = next(one for one in types if one != "null")
        made["nullable"] = True
    if isinstance(made.get("exclusiveMinimum"), int):
        made |= {"minimum": made["exclusiveMinimum"], "exclusiveMinimum": True}
    if isinstance(made.get("examples"), list):
        made["example"] = made.pop("examples")[0]
    return made


def rich() -> Json:
    """With what 3.0 and 3.1 write differently."""
    data = description()
    fields = at(data, "components schemas Order properties")
    fields["gone"] = {"type": ["string", "null"], "examples": ["x"]}
    fields["kind"] = {"type": ["string", "null"], "enum": ["A", "B", None]}
    fields["rate"] = {"type": "number", "exclusiveMinimum": 0}
    return data


def changed(data: Json) -> Json:
    """One change of each kind that a fingerprint is made for."""
    made = copy.deepcopy(data)
    at(made, "components schemas Status")["enum"].append("LATE")
    at(made, "components schemas Order")["required"].remove("total")
    at(made, "components schemas NewOrder properties note")["description"] = "By default 24 hours."
    at(made, "components schemas NewOrder properties total")["pattern"] = "^[0-9]{1,9}$"
    at(made, "components schemas Line properties")["tax"] = {"type": "string"}
    at(made, "paths /orders get parameters 2")["name"] = "sizes"
    return made


WAYS: dict[str, Callable[[Json], bytes]] = {
    "json": lambda data: json.dumps(data, indent=1).encode(),
    "yaml": lambda data: yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode(),
    "yaml with aliases": lambda data: yaml.dump(inlined(data, data), Dumper=yaml.SafeDumper, sort_keys=True).encode(),
    "inlined": lambda data: json.dumps(inlined(data, data)).encode(),
    "extracted": lambda data: json.dumps(extracted(data)).encode(),
    "3.0": lambda data: json.dumps(as_30(data)).encode(),
    "3.0, inlined, YAML": lambda data: yaml.safe_dump(as_30(inlined(data, data))).encode(),
}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_same(data: st.DataObject) -> None:
    """However it is written, on either side, nothing differs."""
    one, other = (WAYS[data.draw(st.sampled_from(sorted(WAYS)))](shuffled(rich(), data.draw)) for _ in range(2))
    assert [] == [found.message for found in compare(read("one", one), read("other", other))]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_fingerprints(data: st.DataObject) -> None:
    """However both sides are written, the same changes have the same fingerprints, and each is told once."""
    expected = [found.fingerprint for found in compare(document(rich()), document(changed(rich())))]
    assert len(expected) == len(set(expected))
    write = [WAYS[data.draw(st.sampled_from(sorted(WAYS)))] for _ in range(2)]
    base = read("base", write[0](shuffled(rich(), data.draw)))
    revision = read("revision", write[1](shuffled(changed(rich()), data.draw)))
    assert sorted(expected) == sorted(found.fingerprint for found in compare(base, revision))


def test_fingerprint_stays() -> None:
    """Another change elsewhere leaves a fingerprint as it is."""
    more = changed(rich())
    at(more, "components schemas Order properties")["extra"] = {"type": "string"}
    before = {found.fingerprint for found in compare(document(rich()), document(changed(rich())))}
    after = {found.fingerprint for found in compare(document(rich()), document(more))}
    assert before < after
