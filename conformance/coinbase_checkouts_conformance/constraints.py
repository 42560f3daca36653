"""
Every constraint on what is sent, found by walking the description: nothing here is typed by hand.

A keyword that is added to a request body or a parameter becomes a claim, and is tried, by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .description import Description, Operation, escaped

KEYWORDS: Final = (
    "type",
    "enum",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "const",
    "minProperties",
    "maxProperties",
    "minItems",
    "maxItems",
)

# Limits that only third parties report, and the rule that says so: a server may enforce them or not, so both pass.
_METADATA_LIMITS: Final = ("metadata-maxProperties", "metadata.value-type", "metadata.value-maxLength")
OPEN: Final[Mapping[str, str]] = dict.fromkeys(_METADATA_LIMITS, "create.metadata-limits")

_SENTENCES: Final = {
    "required": "is required",
    "type": "is of type {value}",
    "enum": "is one of {value}",
    "pattern": "matches {value}",
    "format": "is a {value}",
    "minLength": "has at least {value} characters",
    "maxLength": "has at most {value} characters",
    "minimum": "is at least {value}",
    "maximum": "is at most {value}",
    "exclusiveMinimum": "is more than {value}",
    "exclusiveMaximum": "is less than {value}",
    "const": "is {value}",
    "minProperties": "has at least {value} members",
    "maxProperties": "has at most {value} members",
    "minItems": "has at least {value} elements",
    "maxItems": "has at most {value} elements",
}


@dataclass(frozen=True)
class Constraint:
    """
    One keyword on one thing that is sent.

    Args:
        location: `body`, `path`, `query` or `header`.
        path: Property names from the root of the body, `value` standing for any; or the parameter's name.
        pointer: To the keyword in the description.
        schema: The pointer to the schema the keyword stands in.
    """

    operation: Operation
    location: str
    path: tuple[str, ...]
    keyword: str
    value: Any
    pointer: str
    schema: str

    @property
    def name(self) -> str:
        """`amount-pattern`, `metadata.value-maxLength`, `body-type`."""
        return f"{'.'.join(self.path) or 'body'}-{self.keyword}"

    @property
    def claim(self) -> str:
        """`create.amount-pattern`."""
        return f"{self.operation.verb}.{self.name}"

    @property
    def is_open(self) -> bool:
        """Whether the sources leave it to the server to enforce it."""
        return self.name in OPEN

    @property
    def sentence(self) -> str:
        """The rule in words."""
        kinds = {"body": "field", "path": "path parameter", "query": "query parameter", "header": "header"}
        thing = f"The {kinds[self.location]} {'.'.join(self.path)}" if self.path else "The body"
        value = ", ".join(self.value) if isinstance(self.value, list) else self.value
        rule = _SENTENCES[self.keyword].format(value=value)
        rest = "a server may refuse what is not" if self.is_open else "what is not is refused"
        return f"{thing} of {self.operation.id} {rule}; {rest}."


def constraints(by: Description, operation: Operation) -> list[Constraint]:
    """All constraints on a request of *operation*, in the order of the description."""
    return [*_of_parameters(by, operation), *_of_body(by, operation)]


def _of_parameters(by: Description, operation: Operation) -> Iterator[Constraint]:
    for parameter in by.parameters(operation):
        yield from of_schema(by, operation, parameter.location, (parameter.name,), f"{parameter.pointer}/schema")


def _of_body(by: Description, operation: Operation) -> Iterator[Constraint]:
    pointer = by.body_pointer(operation)
    if pointer is None:
        return
    if by.at(operation.pointer)["requestBody"].get("required"):
        where = f"{operation.pointer}/requestBody/required"
        yield Constraint(operation, "body", (), "required", value=True, pointer=where, schema=pointer)
    yield from of_schema(by, operation, "body", (), pointer)


def of_schema(
    by: Description, operation: Operation, location: str, path: tuple[str, ...], pointer: str
) -> Iterator[Constraint]:
    node: Mapping[str, Any] = by.at(pointer)
    if "$ref" in node:
        yield from of_schema(by, operation, location, path, node["$ref"])
    for keyword in KEYWORDS:
        # Outside a body everything is text, so only a number can be of another type.
        is_text = location != "body" and keyword == "type" and node.get("type") in ("string", "array")
        if keyword in node and not is_text:
            yield Constraint(operation, location, path, keyword, node[keyword], f"{pointer}/{keyword}", pointer)
    for index, name in enumerate(node.get("required", [])):
        where = f"{pointer}/required/{index}"
        yield Constraint(operation, location, (*path, name), "required", value=True, pointer=where, schema=pointer)
    for name in node.get("properties", {}):
        yield from of_schema(by, operation, location, (*path, name), f"{pointer}/properties/{escaped(name)}")
    if isinstance(node.get("additionalProperties"), dict):
        yield from of_schema(by, operation, location, (*path, "value"), f"{pointer}/additionalProperties")
    if "items" in node:
        # A repeated parameter: each element is sent under the same name, so the array itself has nothing to break.
        yield from of_schema(by, operation, location, path, f"{pointer}/items")
