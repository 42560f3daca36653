"""
The description as this server uses it: its operations, and one compiled validator for each schema.

Only openapi.json of a compiled package is read, as data. No code of the client runs here, so that a bug shared
by both sides cannot hide itself.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from jsonschema_rs import Draft202012Validator

_METHODS: Final = ("get", "post", "put", "patch", "delete")

# Errors quote this in place of what was sent, which could be a secret in the wrong field.
_MASK: Final = "the value"

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    place: str
    """query, header or path."""
    required: bool
    kind: str
    """The schema's type: string, integer or array."""
    default: Any
    validator: Draft202012Validator


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    id: str
    method: str
    path: str
    """With {name} for path parameters, and without a server's prefix."""
    parameters: tuple[Parameter, ...]
    body: Draft202012Validator | None
    """None if the operation documents no body."""


@dataclass(frozen=True, slots=True)
class Description:
    """Everything that is read from openapi.json."""

    prefixes: tuple[str, ...]
    """Path prefixes of the servers: the empty one of production, and /sandbox."""
    operations: tuple[Operation, ...]


def validator(schema: JsonObject, document: JsonObject | None = None) -> Draft202012Validator:
    r"""
    Compile *schema*.

    Args:
        document: Whose components the schema's references mean.

    Patterns have ECMA-262 semantics (`\d` is 0-9, `$` is the very end) and formats are checked.
    """
    referenced = _referenced(schema, document) if document else {}
    return Draft202012Validator({**schema, **referenced}, validate_formats=True, mask=_MASK)


def _referenced(schema: JsonObject, document: JsonObject) -> JsonObject:
    """The part of *document* that *schema* leads to: each validator holds its own copy of what it is given."""
    found: JsonObject = {}
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting += node.values()
            steps = node["$ref"].removeprefix("#/").split("/") if isinstance(node.get("$ref"), str) else []
            within, into = document, found
            for step in steps[:-1]:
                within, into = within[step], into.setdefault(step, {})
            if steps and steps[-1] not in into:
                into[steps[-1]] = within[steps[-1]]
                waiting.append(within[steps[-1]])
        elif isinstance(node, list):
            waiting += node
    return found


def read_document(package: str = "coinbase_checkouts_api") -> JsonObject:
    """
    Read openapi.json of the compiled *package*, without importing that package.

    importlib.resources would import it, and with it httpx, which costs a quarter of this server's start.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{package}, which holds the API's description, is not installed")
    # The loader and not the file system, because a package may be imported from a zip file.
    data = cast("SourceFileLoader", spec.loader).get_data(str(Path(spec.origin).parent / "openapi.json"))
    return cast("JsonObject", json.loads(data))


@cache
def load() -> Description:
    """Read and compile the description. Done once in a process, and shared: nothing in it changes."""
    return compiled(read_document())


def compiled(document: JsonObject) -> Description:
    """The operations of an OpenAPI document, and a validator for everything they may be sent."""
    return Description(
        prefixes=tuple(urlsplit(server["url"]).path for server in document["servers"]),
        operations=tuple(_operations(document)),
    )


def _operations(document: JsonObject) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method not in item:
                continue
            operation = item[method]
            parameters = (*item.get("parameters", ()), *operation.get("parameters", ()))
            body = operation.get("requestBody")
            yield Operation(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                parameters=tuple(_parameter(_resolved(parameter, document), document) for parameter in parameters),
                body=validator(body["content"]["application/json"]["schema"], document) if body else None,
            )


def _parameter(parameter: JsonObject, document: JsonObject) -> Parameter:
    schema = parameter["schema"]
    return Parameter(
        name=parameter["name"],
        place=parameter["in"],
        required=parameter["required"],
        kind=_resolved(schema, document)["type"],
        default=schema.get("default"),
        validator=validator(schema, document),
    )


def _resolved(node: JsonObject, document: JsonObject) -> JsonObject:
    """What a local $ref stands for, or *node* itself."""
    found: Any = document
    if "$ref" not in node:
        return node
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return cast("JsonObject", found)
