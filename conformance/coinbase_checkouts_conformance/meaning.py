"""
What a description demands, apart from how it says so: one hash, by which a recording is told to be outdated.

Prose, sources, examples and the order of keys may change; a recording is none the worse for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from .description import description

_PROSE: Final = {
    "$comment",
    "contact",
    "description",
    "example",
    "examples",
    "externalDocs",
    "info",
    "license",
    "links",
    "note",
    "summary",
    "tags",
    "title",
    "x-documents",
    "x-source",
}
# Below these the keys are names that somebody chose, such as a property called `description`.
_NAMED: Final = {
    "$defs",
    "content",
    "dependentSchemas",
    "headers",
    "parameters",
    "paths",
    "patternProperties",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
    "webhooks",
}
# Values, of which nothing is prose.
_LITERAL: Final = {"const", "default"}
_SETS: Final = {"enum", "required", "type"}


def meaning(document: Mapping[str, Any]) -> str:
    """The SHA-256 of what an OpenAPI document demands."""
    text = json.dumps(_demands(document), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=1)
def meaning_now() -> str:
    """That of the description this installation was compiled from."""
    return meaning(description().document)


def _demands(node: Any) -> Any:
    if isinstance(node, list):
        return [_demands(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {key: _keyword(key, value) for key, value in node.items() if key not in _PROSE}


def _keyword(key: str, value: Any) -> Any:
    if key in _LITERAL:
        return value
    if key in _SETS and isinstance(value, list):
        return sorted(value, key=repr)
    if key in _NAMED and isinstance(value, dict):
        return {name: _demands(child) for name, child in value.items()}
    return _demands(value)
