"""A description beside what was transcribed from the documents that it was written from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

Json = dict[str, Any]
Path_ = tuple[str | int, ...]
# Method, path, parameters as (where, required, keywords), request, successes with their schemas, failures.
Row = tuple[str, str, Json, str | None, dict[str, str | None], set[str]]

SPEC: Final = Path(__file__).resolve().parents[2] / "spec"
METHODS: Final = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
KEYWORDS: Final = """
    type format pattern minLength maxLength enum default minimum maximum minItems maxProperties propertyNames
    additionalProperties
"""


def text(example: str | None = None, **keywords: object) -> Json:
    return {"type": "string", **keywords, **({} if example is None else {"example": example})}


@dataclass(frozen=True)
class Documents:
    """What the documents say, by hand; field by field, `!` marks the required ones."""

    file: str
    fields: dict[str, Json]
    others: set[str]
    """Schemas that are in no table: enums, and what is put together of others."""
    beyond: dict[tuple[str, str, str], object]
    """What the description says beyond the tables, by (schema, field, keyword); each owned up to in its x-source."""
    pages: set[str]
    """The documents that the tables are of; what goes beyond them comes from elsewhere."""
    operations: dict[str, Row]
    failures: set[str]
    """Statuses that every operation may fail with."""
    servers: list[str]
    inner_properties: int
    """How many properties are in no table."""
    responses: int
    """How many answers are described in full."""
    left_out: set[tuple[str, str, str]] = field(default_factory=set)
    """What the documents say and the description does not; each owned up to in a note."""
    errors: dict[str, Json] = field(default_factory=dict)
    """Schemas of failures that are another than ErrorBody, by status."""


@dataclass(frozen=True)
class Described:
    """One description of spec/."""

    documents: Documents

    @cached_property
    def document(self) -> Json:
        read: Json = YAML(typ="safe", pure=True).load((SPEC / self.documents.file).read_text(encoding="utf-8"))
        return read

    @property
    def schemas(self) -> Json:
        found: Json = self.document["components"]["schemas"]
        return found

    @property
    def urn(self) -> str:
        """What a schema's references to this description begin with."""
        return f"urn:{self.documents.file}"

    @cached_property
    def rules(self) -> list[Json]:
        return [rule for _, node in walk(self.document) if isinstance(node, dict) for rule in node.get("x-rule", [])]

    @cached_property
    def sourced(self) -> dict[str, Json]:
        """Everything that has to tell where it comes from, by its path."""
        found: dict[str, Json] = {}
        for path, node in walk(self.document):
            if not isinstance(node, dict) or "x-documents" in path or "examples" in path:
                continue
            group = path[-2] if len(path) >= 2 else None
            component = len(path) == 3 and path[0] == "components"
            operation = len(path) == 3 and path[0] in {"paths", "webhooks"} and path[-1] in METHODS
            response = group == "responses" and "$ref" not in node
            property_ = group == "properties"
            rule = group == "x-rule"
            server = group == "servers"
            if component or operation or response or property_ or rule or server or path == ("info",):
                found["/".join(map(str, path))] = node
        return found

    @cached_property
    def operations(self) -> dict[str, tuple[str, str, Json]]:
        """By operationId its method, path and the operation, the path's own parameters among its."""
        return {
            operation["operationId"]: (
                method,
                path,
                {**operation, "parameters": [*item.get("parameters", []), *operation.get("parameters", [])]},
            )
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def at(self, reference: str) -> Any:
        """What a reference within the description points at."""
        node: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def follow(self, node: Json) -> Json:
        """*node* merged over what it refers to, if it refers to anything."""
        return {**self.at(node["$ref"]), **node} if "$ref" in node else node

    def facts(self, schema: Json) -> Json:
        """A schema's keywords, its first example, and its items: the name of their schema, or its keywords."""
        whole = self.follow(schema)
        found = {key: whole[key] for key in KEYWORDS.split() if key in whole}
        if whole.get("examples"):
            found["example"] = whole["examples"][0]
        if "items" in whole:
            found["items"] = name_of(whole["items"]) if "$ref" in whole["items"] else whole["items"]
        return found


def walk(node: object, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value of the description with its path."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, (*path, index))


def name_of(node: Json) -> str:
    """The schema's name that *node* refers to."""
    return str(node["$ref"]).removeprefix("#/components/schemas/")
