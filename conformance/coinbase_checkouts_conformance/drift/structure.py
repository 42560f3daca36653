"""
Whether the parts of a description are the mappings and lists that OpenAPI makes them.

What is of another kind would be read as if nothing stood there, and everything in it as gone. Nothing at all is allowed:
a key without a value is how people leave out a part.
"""

from __future__ import annotations

from typing import Any, Final

from coinbase_checkouts_conformance.description import escaped

from .document import At, Document
from .operations import METHODS
from .problems import CouldNotCompareError

# What each part has inside: `{` for a mapping of any names, `[` for a list. `any` is looked into by nobody.
_INSIDE: Final[dict[str, dict[str, str]]] = {
    "document": {
        "paths": "{item",
        "webhooks": "{item",
        "components": "components",
        "servers": "[any",
        "security": "[any",
        "tags": "[any",
    },
    "components": {
        "schemas": "{schema",
        "responses": "{response",
        "parameters": "{parameter",
        "requestBodies": "{body",
        "headers": "{parameter",
        "callbacks": "{{item",
        "pathItems": "{item",
        "securitySchemes": "{any",
    },
    "item": {**dict.fromkeys(METHODS, "operation"), "parameters": "[parameter", "servers": "[any"},
    "operation": {
        "parameters": "[parameter",
        "requestBody": "body",
        "responses": "{response",
        "callbacks": "{{item",
        "security": "[any",
        "servers": "[any",
    },
    "body": {"content": "{media"},
    "response": {"content": "{media", "headers": "{parameter"},
    "parameter": {"schema": "schema", "content": "{media"},
    "media": {"schema": "schema"},
    "schema": {
        "properties": "{schema",
        "patternProperties": "{schema",
        "items": "schema",
        "allOf": "[schema",
        "anyOf": "[schema",
        "oneOf": "[schema",
    },
    "any": {},
}
# Other versions of JSON Schema have true and false in place of a schema, and a list of them for a tuple.
_ELSE: Final[dict[str, tuple[type, ...]]] = {"schema": (bool, list), "any": (object,)}
# Among names: extensions, and what stands elsewhere.
_LEFT_OUT: Final = ("x-", "$ref")

_Steps = tuple[Any, ...]


def check(document: Document) -> None:
    """
    Look at all of it.

    Raises:
        CouldNotCompareError: A part is of another kind, or its `$ref` leads to one that is.
    """
    # A value with the steps that lead to it, the last first: of all the pointers one is wanted, if any.
    waiting: list[tuple[Any, str, _Steps]] = [(document.data, "document", ())]
    while waiting:
        value, kind, steps = waiting.pop()
        if value is None or isinstance(value, _ELSE.get(kind, ())):
            continue
        if kind[0] == "[":
            if not isinstance(value, list):
                raise CouldNotCompareError(f"{document.named(_at(document, value, steps))}: is no list")
            waiting += [(one, kind[1:], (index, steps)) for index, one in enumerate(value)]
            continue
        if not isinstance(value, dict):
            raise CouldNotCompareError(f"{document.named(_at(document, value, steps))}: is no mapping")
        if kind[0] == "{":
            waiting += [(one, kind[1:], (key, steps)) for key, one in value.items() if not key.startswith(_LEFT_OUT)]
            continue
        if "$ref" in value:
            _check_ref(document, value, kind, steps)
        inside = _INSIDE[kind]
        waiting += [(one, inside[key], (key, steps)) for key, one in value.items() if key in inside]


def _check_ref(document: Document, value: dict[str, Any], kind: str, steps: _Steps) -> None:
    ref = value["$ref"]
    at = _at(document, value, steps)
    if not isinstance(ref, str):
        raise CouldNotCompareError(f"{document.named(at)}: its `$ref` is no text")
    if not ref.startswith("#"):
        return
    try:
        target = document.at(ref, by=at)
    except CouldNotCompareError:
        return  # to nowhere: told when it is met, if it is
    if not isinstance(target.value, (dict, *_ELSE.get(kind, ()))):
        raise CouldNotCompareError(f"{document.named(at)}: {ref} is no mapping")


def _at(document: Document, value: Any, steps: _Steps) -> At:
    parts: list[str] = []
    while steps:
        key, steps = steps
        parts.append(escaped(str(key)))
    return At(document, "".join((document.root.pointer, *(f"/{part}" for part in reversed(parts)))), value)
