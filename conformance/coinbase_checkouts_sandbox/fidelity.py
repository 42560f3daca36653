"""
How far to trust this sandbox: for each operation, which behaviours rest on documented, observed or assumed facts.

Worked out from the description, where everything carries its x-source, and from the readings in force. Nothing here is
typed by hand but the two lists in `unemulated`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from itertools import pairwise
from typing import Any, Final, cast

from coinbase_checkouts_sandbox import description
from coinbase_checkouts_sandbox.readings import Readings
from coinbase_checkouts_sandbox.unemulated import UNEMULATED, UNENFORCED

STANDINGS: Final = ("documented", "observed", "assumed")

_METHODS: Final = ("get", "post", "put", "patch", "delete")

Json = dict[str, Any]
Pointer = tuple[str | int, ...]


def fidelity(document: Json, readings: Readings) -> Json:
    """
    What each operation and each webhook event of *document* rests on.

    Returns:
        `operations`, `events` and `everywhere` (rules for all of them), each with `rests`, a list of facts, and how
        many of those have which standing; `total` over all facts, each counted once; `readings`, the open questions
        and how they are answered; `notEmulated`, `notEnforced`, and the `documents` that facts and readings name.
        A fact whose standing nobody wrote down has the standing "unknown".
    """
    operations: list[Json] = [
        {
            "id": operation["operationId"],
            "method": method.upper(),
            "path": path,
            "summary": operation.get("summary", ""),
            **_resting(document, [("paths", path, "parameters"), ("paths", path, method)]),
        }
        for path, method, operation in _operations(document, "paths")
    ]
    events: list[Json] = [
        {"id": name, "summary": event.get("summary", ""), **_resting(document, [("webhooks", name, method)])}
        for name, method, event in _operations(document, "webhooks")
    ]
    # What holds for every one of them.
    everywhere = _resting(document, [("info",), ("servers",), ("x-rule",), ("components", "securitySchemes")])
    distinct: dict[str, Json] = {}
    for group in (*operations, *events, everywhere):
        distinct |= {fact["pointer"]: fact for fact in group["rests"]}
    return {
        "standings": {
            "documented": "Coinbase publishes it.",
            "observed": "Recorded from Coinbase's own service.",
            "assumed": "From third parties, the source of plugins, or inference.",
        },
        "operations": operations,
        "events": events,
        "everywhere": everywhere,
        "total": _counted(distinct.values()),
        "readings": [
            {
                "name": reading.name,
                "inForce": getattr(readings, reading.name),
                "others": list(reading.metadata["others"]),
                "source": reading.metadata["source"],
            }
            for reading in fields(readings)
        ],
        "notEmulated": [{"path": one.path, "status": 501, "reason": one.reason} for one in UNEMULATED],
        "notEnforced": [{"rule": rule, "reason": reason} for rule, reason in UNENFORCED.items()],
        "documents": document.get("x-documents", {}),
    }


@cache
def of_the_description(readings: Readings) -> Json:
    """Of the real description. Worked out once, and shared: nothing in it changes while a server runs."""
    return fidelity(description.read_document(), readings)


def _operations(document: Json, place: str) -> Iterator[tuple[str, str, Json]]:
    for name, item in document.get(place, {}).items():
        for method in _METHODS:
            if method in item:
                yield name, method, item[method]


def _resting(document: Json, starts: list[Pointer]) -> Json:
    seen: set[Pointer] = set()
    rests = [fact for start in starts for fact in _facts(document, start, str(start[-1]), seen)]
    return {**_counted(rests), "rests": rests}


def _counted(facts: Iterable[Json]) -> Json:
    standings = [fact["standing"] for fact in facts]
    counts = {standing: standings.count(standing) for standing in (*STANDINGS, "unknown")}
    if not counts["unknown"]:
        del counts["unknown"]
    whole = len(standings) or 1
    return {"counts": counts, "percent": {name: round(100 * count / whole, 1) for name, count in counts.items()}}


def _facts(document: Json, pointer: Pointer, key: str, seen: set[Pointer]) -> Iterator[Json]:
    """
    Everything at and below *pointer*, if anything, that has a source or ought to, through references, each once.

    Args:
        key: Under which it was come to: the status of an answer that is described elsewhere.
    """
    if pointer in seen:
        return
    seen.add(pointer)
    node = _at(document, pointer)
    if isinstance(node, list):
        for index, below in enumerate(node):
            if isinstance(below, dict | list):
                yield from _facts(document, (*pointer, index), key, seen)
    elif isinstance(node, dict):
        if "x-source" in node or _needs_source(node, pointer):
            yield _fact(node, pointer, key)
        if isinstance(node.get("$ref"), str):
            target = tuple(_unescaped(step) for step in node["$ref"].removeprefix("#/").split("/"))
            yield from _facts(document, target, key, seen)
        names = pointer[-1] in {"properties", "responses", "schemas", "securitySchemes"}
        for name, below in node.items():
            # Samples and sources are not behaviour; but a property may have one of their names.
            if isinstance(below, dict | list) and (names or name not in {"x-source", "example", "examples"}):
                yield from _facts(document, (*pointer, name), str(name), seen)


def _needs_source(node: Json, pointer: Pointer) -> bool:
    """Whether the description owes a source here, as its own tests demand it."""
    if "$ref" in node:
        # A property that only refers says nothing of its own; what it refers to does.
        return pointer[-2:-1] == ("properties",)
    operation = len(pointer) == 3 and pointer[0] in {"paths", "webhooks"} and pointer[2] in _METHODS
    component = len(pointer) == 3 and pointer[0] == "components"
    return operation or component or pointer[-2:-1] in {("properties",), ("responses",), ("parameters",), ("x-rule",)}


def _fact(node: Json, pointer: Pointer, key: str) -> Json:
    source = node.get("x-source", {})
    kind, what = _named(node, pointer, key)
    fact = {
        "kind": kind,
        "what": what,
        "says": node.get("rule") or node.get("summary") or node.get("description") or node.get("title") or "",
        "standing": source.get("standing", "unknown"),
        "documents": source.get("document", []),
        "pointer": "#/" + "/".join(_escaped(str(step)) for step in pointer),
    }
    return {**fact, "note": source["note"]} if "note" in source else fact


def _named(node: Json, pointer: Pointer, key: str) -> tuple[str, str]:
    """What a fact is about, in the words of whoever uses the API."""
    if "rule" in node and "id" in node:
        return "rule", node["id"]
    if "operationId" in node:
        return "operation", node["operationId"]
    if "in" in node and "name" in node:
        return "parameter", f"{node['in']} {node['name']}"
    if "responses" in pointer[:-1]:
        return "answer", key
    if pointer[:2] == ("components", "schemas"):
        # Of the pointer, the names alone: what lies between them is JSON Schema's.
        below = [str(step) for before, step in pairwise(pointer) if before == "properties"]
        return "property" if below else "schema", ".".join([str(pointer[2]), *below])
    return "other", " ".join(str(step) for step in pointer[-2:])


def _at(document: Json, pointer: Pointer) -> Any:
    """What is there, None if nothing is."""
    found: Any = document
    for step in pointer:
        found = found[int(step)] if isinstance(found, list) else cast("Json", found or {}).get(str(step))
    return found


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
