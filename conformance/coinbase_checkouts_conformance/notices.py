"""
What an answer has that no document names, and that does no harm: fields, and values of an open set.

A reader that keeps to the description is not hurt by them, so they break no claim. They are how an API grows, and
the first sign of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from .description import Description, description, escaped
from .scrub import excerpt
from .traffic import Recorded

# How the description says that a text may have other values than those it goes on to name.
_OPEN_SET: Final = "open set"
_PARTS: Final = ("allOf", "anyOf", "oneOf")


def notices(exchange: Recorded) -> list[str]:
    """One line for each; the same line for every element of a list."""
    by, operation = description(), exchange.operation
    if operation is None or exchange.json is None:
        return []
    response = by.responses(operation).get(exchange.status)
    if response is None:
        return []
    schema = f"{response}/content/application~1json/schema"
    where = f"in the answer of {operation.id} {exchange.status}"
    return [f"{what} {where}" for what in dict.fromkeys(_of(by, schemas(by, schema), exchange.json, ""))]


def _of(by: Description, pointers: list[str], instance: Any, at: str) -> Iterator[str]:
    nodes = [by.at(pointer) for pointer in pointers]
    if isinstance(instance, dict):
        extra = [f"{p}/additionalProperties" for p, node in zip(pointers, nodes, strict=True) if _has_extra(node)]
        for name, value in instance.items():
            step = escaped(name)
            named = [
                f"{pointer}/properties/{step}"
                for pointer, node in zip(pointers, nodes, strict=True)
                if name in node.get("properties", {})
            ]
            if named or extra:
                yield from _of(
                    by, [one for pointer in named or extra for one in schemas(by, pointer)], value, f"{at}/{step}"
                )
            elif any("properties" in node for node in nodes):
                yield f"undocumented field {excerpt(f'{at}/{step}', limit=120)}"
    elif isinstance(instance, list):
        items = [
            one for p, node in zip(pointers, nodes, strict=True) if "items" in node for one in schemas(by, f"{p}/items")
        ]
        for element in instance:
            yield from _of(by, items, element, f"{at}/*")
    elif isinstance(instance, str):
        text = " ".join(str(node.get("description", "")) for node in nodes)
        if _OPEN_SET in text and instance not in re.findall(r"\w+", text):
            yield f"{at} has the undocumented value {excerpt(instance, limit=60)!r}"


def _has_extra(node: Any) -> bool:
    return isinstance(node.get("additionalProperties"), dict)


def schemas(by: Description, pointer: str) -> list[str]:
    """The schema at *pointer* and those it is made of, each by its pointer, without those that are only a `$ref`."""
    pointer = by.resolve(pointer)
    node = by.at(pointer)
    parts = [f"{pointer}/{part}/{index}" for part in _PARTS for index in range(len(node.get(part, [])))]
    return [pointer, *(one for part in parts for one in schemas(by, part))]
