"""
The description of the API as the suite reads it: operations, pointers, rules and where they come from.

It is the JSON copy that lies beside the compiled client, so what is checked is what was compiled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "patch", "delete")
# Weakest last: a claim that rests on several facts is as good as the weakest of them.
STANDINGS: Final = ("observed", "documented", "assumed")


class DescriptionError(LookupError):
    """The description lacks what is looked for in it; the message says what, and who needs it."""


@dataclass(frozen=True)
class Source:
    """Where a fact comes from: ids of `x-documents`, and `documented`, `observed` or `assumed`."""

    documents: tuple[str, ...]
    standing: str

    def __str__(self) -> str:
        return f"{', '.join(self.documents)} ({self.standing})"

    @classmethod
    def joined(cls, sources: Sequence[Source]) -> Source:
        """All documents of *sources*, and the weakest standing."""
        documents = dict.fromkeys(name for source in sources for name in source.documents)
        return cls(tuple(documents), max((source.standing for source in sources), key=STANDINGS.index))


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation; *pointer* leads to its declaration."""

    name: str
    location: str
    required: bool
    schema: Mapping[str, Any]
    pointer: str


@dataclass(frozen=True)
class Operation:
    """One operation; *pointer* leads to it in the description."""

    id: str
    method: str
    path: str
    pointer: str

    @property
    def verb(self) -> str:
        """Its name in claim ids: `create` for createCheckout."""
        return self.id.removesuffix("Checkouts").removesuffix("Checkout")


class _Operations(dict[str, Operation]):
    def __missing__(self, name: str) -> Operation:
        raise DescriptionError(f"the description has no operation {name}")


class Description:
    """An OpenAPI 3.1 document whose `$ref`s are all local."""

    def __init__(self, content: bytes) -> None:
        self.sha256: Final = hashlib.sha256(content).hexdigest()
        self.document: Final[dict[str, Any]] = json.loads(content)

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """By operationId."""
        found = _Operations()
        for path, item in self.document["paths"].items():
            for method in _METHODS:
                if method in item:
                    pointer = f"#/paths/{escaped(path)}/{method}"
                    name = item[method]["operationId"]
                    found[name] = Operation(name, method.upper(), path, pointer)
        return found

    def at(self, pointer: str) -> Any:
        """
        What *pointer* (`#/a/b`) leads to, `$ref`s on the way not followed.

        Raises:
            DescriptionError: Nothing is there.
        """
        node: Any = self.document
        for step, part in enumerate(parts(pointer), 2):
            try:
                node = node[int(part)] if isinstance(node, list) else node[part]
            except (LookupError, TypeError, ValueError):
                raise DescriptionError(f"the description has no {'/'.join(pointer.split('/')[:step])}") from None
        return node

    def resolve(self, pointer: str) -> str:
        """*pointer*, or where the `$ref`s it leads to end."""
        while isinstance(node := self.at(pointer), dict) and "$ref" in node:
            pointer = node["$ref"]
        return pointer

    def follow(self, pointer: str, path: Sequence[str | int]) -> str:
        """Where a validator's schema *path*, which leaves `$ref` steps out, ends when it starts at *pointer*."""
        for step in path:
            node = self.at(pointer)
            while isinstance(node, dict) and "$ref" in node and step not in node:
                pointer = node["$ref"]
                node = self.at(pointer)
            pointer = f"{pointer}/{escaped(str(step))}"
        return pointer

    def source(self, pointer: str) -> Source:
        """The `x-source` nearest to *pointer*, at it or above."""
        node: Any = self.document
        nearest: Any = self.document["info"]["x-source"]
        for part in (*parts(pointer), None):
            if isinstance(node, dict) and "x-source" in node:
                nearest = node["x-source"]
            if part is not None:
                node = node[int(part)] if isinstance(node, list) else node[part]
        return Source(tuple(nearest["document"]), nearest["standing"])

    def parameters(self, operation: Operation) -> list[Parameter]:
        """Those of the operation and those of its path."""
        found: list[Parameter] = []
        for owner in (operation.pointer.rpartition("/")[0], operation.pointer):
            for index in range(len(self.at(owner).get("parameters", []))):
                pointer = self.resolve(f"{owner}/parameters/{index}")
                node = self.at(pointer)
                found.append(Parameter(node["name"], node["in"], node.get("required", False), node["schema"], pointer))
        return found

    def body_pointer(self, operation: Operation) -> str | None:
        """Where the schema of its JSON request body is; None when it takes none."""
        node = self.at(operation.pointer).get("requestBody")
        return None if node is None else f"{operation.pointer}/requestBody/content/application~1json/schema"

    def responses(self, operation: Operation) -> dict[int, str]:
        """Each documented status, and the pointer to its response."""
        owner = f"{operation.pointer}/responses"
        return {int(status): self.resolve(f"{owner}/{status}") for status in self.at(owner)}

    def line(self, pointer: str) -> int:
        """The line of `openapi.json` on which *pointer* leads to; the compiler writes one line for each value."""
        node: Any = self.document
        line = 1
        for part in parts(pointer):
            if isinstance(node, list):
                before, node = node[: int(part)], node[int(part)]
            else:
                before = list(node.values())[: list(node).index(part)]
                node = node[part]
            line += 1 + sum(map(_lines, before))
        return line

    def pointer(self, rule: str) -> str:
        """Where the `x-rule` with this id is; what is a pointer already stays one."""
        if not rule.startswith("#") and rule not in self.rules:
            raise DescriptionError(f"the description has no x-rule {rule}")
        return rule if rule.startswith("#") else self.rules[rule]

    @cached_property
    def rules(self) -> dict[str, str]:
        """Each `x-rule` id, and the pointer to it."""
        return {self.at(pointer)["id"]: pointer for pointer in self._rule_pointers("#", self.document)}

    def _rule_pointers(self, pointer: str, node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for index, child in enumerate(node):
                yield from self._rule_pointers(f"{pointer}/{index}", child)
        elif isinstance(node, dict):
            for key, child in node.items():
                if key == "x-rule":
                    yield from (f"{pointer}/x-rule/{index}" for index in range(len(child)))
                else:
                    yield from self._rule_pointers(f"{pointer}/{escaped(key)}", child)


def _lines(node: Any) -> int:
    """How many lines *node* takes when it is written with an indent."""
    if not isinstance(node, dict | list) or not node:
        return 1
    return 2 + sum(map(_lines, node.values() if isinstance(node, dict) else node))


def escaped(part: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def parts(pointer: str) -> list[str]:
    """The steps of `#/a/b`."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


@contextmanager
def needed_by(who: str) -> Generator[None]:
    """
    Say *who* needs what the description lacks.

    Raises:
        DescriptionError: Something was looked for that is not there.
    """
    try:
        yield
    except DescriptionError as exc:
        told = f"{exc}, and {who} needs it: put it back and run `nox -s generate`, or change what needs it"
        raise DescriptionError(told) from None


def client_folder() -> Path:
    """Where the compiled client is, which is not imported for it: that costs more than to compare two descriptions."""
    client = find_spec("coinbase_checkouts_api")
    if client is None or client.origin is None:
        raise ModuleNotFoundError("coinbase_checkouts_api")
    return Path(client.origin).parent


def compiled(*names: str) -> bytes:
    """A file of the compiled client."""
    return client_folder().joinpath(*names).read_bytes()


@lru_cache(maxsize=1)
def description() -> Description:
    """The description this installation was compiled from."""
    return Description(compiled("openapi.json"))
