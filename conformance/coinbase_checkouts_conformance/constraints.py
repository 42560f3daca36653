"""
Every constraint on what is sent and what comes back, found by walking the description: nothing here is typed by hand.

A keyword that is added to a request body or a parameter becomes a claim, and is tried, by itself. One that is added to
an answer is held against every answer, and asks for evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .description import Description, Operation, escaped

# A step of a path: any member of a map, any element of an array.
ANY: Final = "*"

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
    "uniqueItems",
    "multipleOf",
    "default",
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
    "uniqueItems": "has no element twice",
    "multipleOf": "is a multiple of {value}",
    "default": "is {value} when it is left out",
}


@dataclass(frozen=True)
class Constraint:
    """
    One keyword on one thing that is sent, or, with a *status*, on what is answered.

    Args:
        location: `body`, `path`, `query` or `header`.
        path: Property names from the root of the body, `*` standing for any; or the parameter's name.
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
    status: int | None = None

    @property
    def name(self) -> str:
        """`amount-pattern`, `metadata.value-maxLength`, `body-type`."""
        steps = ("value" if step == ANY else step for step in self.path)
        return f"{'.'.join(steps) or 'body'}-{self.keyword}"

    @property
    def claim(self) -> str:
        """`create.amount-pattern`."""
        return f"{self.operation.verb}.{self.name}"

    @property
    def id(self) -> str:
        """`createCheckout/request/body/amount/pattern`, `getCheckout/response/200/body/refunds/*/id/type`."""
        side = "request" if self.status is None else f"response/{self.status}"
        return "/".join((self.operation.id, side, self.location, *self.path, self.keyword))

    @property
    def is_open(self) -> bool:
        """Whether the sources leave it to the server to enforce it."""
        return self.name in OPEN

    @property
    def thing(self) -> str:
        """What it is about, in words."""
        kinds = {"body": "field", "path": "path parameter", "query": "query parameter", "header": "header"}
        steps = ("value" if step == ANY else step for step in self.path)
        return f"The {kinds[self.location]} {'.'.join(steps)}" if self.path else "The body"

    @property
    def demand(self) -> str:
        """What it asks, in words."""
        value = ", ".join(map(str, self.value)) if isinstance(self.value, list) else self.value
        return _SENTENCES[self.keyword].format(value=value)

    @property
    def sentence(self) -> str:
        """The rule in words."""
        if self.status is not None:
            return f"{self.thing} of a {self.status} of {self.operation.id} {self.demand}."
        if self.keyword == "default":
            return f"{self.thing} of {self.operation.id} {self.demand}."
        rest = "a server may refuse what is not" if self.is_open else "what is not is refused"
        return f"{self.thing} of {self.operation.id} {self.demand}; {rest}."


def constraints(by: Description, operation: Operation) -> list[Constraint]:
    """All constraints on a request of *operation*, in the order of the description."""
    found = (*_of_parameters(by, operation), *_of_body(by, operation))
    return [one for one in found if one.keyword != "default"]


def defaults(by: Description, operation: Operation) -> list[Constraint]:
    """What the description says is meant where a request says nothing."""
    return [one for one in (*_of_parameters(by, operation), *_of_body(by, operation)) if one.keyword == "default"]


def of_answer(by: Description, operation: Operation, status: int) -> list[Constraint]:
    """All constraints on the JSON of an answer of *operation* with *status*, in the order of the description."""
    owner = f"{by.responses(operation)[status]}/content"
    return [
        constraint
        for media_type in by.at(owner)
        for constraint in of_schema(by, operation, "body", (), f"{owner}/{escaped(media_type)}/schema", status=status)
        if constraint.keyword != "default"  # of what comes back it says nothing
    ]


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
    by: Description,
    operation: Operation,
    location: str,
    path: tuple[str, ...],
    pointer: str,
    *,
    status: int | None = None,
    above: tuple[str, ...] = (),
) -> Iterator[Constraint]:
    if pointer in above:
        return  # a schema that holds itself
    node: Mapping[str, Any] = by.at(pointer)
    steps = list(_inner(node, pointer, is_text=location != "body"))

    def walk(found: Iterable[tuple[tuple[str, ...], str]]) -> Iterator[Constraint]:
        for more, where in found:
            yield from of_schema(by, operation, location, (*path, *more), where, status=status, above=(*above, pointer))

    # What is said elsewhere of the same thing comes first, what is said of its parts last.
    yield from walk(step for step in steps if not step[0] and not step[1].endswith("/items"))
    for keyword in KEYWORDS:
        # Outside a body everything is text, so only a number can be of another type.
        is_text = location != "body" and keyword == "type" and node.get("type") in ("string", "array")
        if keyword in node and not is_text:
            where = f"{pointer}/{keyword}"
            yield Constraint(operation, location, path, keyword, node[keyword], where, pointer, status)
    for index, name in enumerate(node.get("required", [])):
        where = f"{pointer}/required/{index}"
        yield Constraint(operation, location, (*path, name), "required", True, where, pointer, status)
    yield from walk(step for step in steps if step[0] or step[1].endswith("/items"))


def _inner(node: Mapping[str, Any], pointer: str, *, is_text: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """The schemas that *node* uses: steps to what they are about, and where they stand."""
    if "$ref" in node:
        yield (), node["$ref"]
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from (((), f"{pointer}/{keyword}/{index}") for index in range(len(node.get(keyword, ()))))
    for name in node.get("properties", {}):
        yield (name,), f"{pointer}/properties/{escaped(name)}"
    if isinstance(node.get("additionalProperties"), dict):
        yield (ANY,), f"{pointer}/additionalProperties"
    if "items" in node:
        # A repeated parameter: each element is sent under the same name, so the array itself has nothing to break.
        yield () if is_text else (ANY,), f"{pointer}/items"
