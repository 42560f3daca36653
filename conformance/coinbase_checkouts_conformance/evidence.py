"""
What an exchange shows: which constraints its request and its answer kept, and for which violation it was refused.

By looking at the exchange alone, so that a recording of anybody's is as good as a run of the suite.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from .constraints import ANY, Constraint
from .judge import FORMATS, Validator
from .traffic import Recorded

# What refuses a request for what it says; 401, 403 and 429 are about who asks, and how often.
REFUSALS: Final = (400, 404, 409, 413, 415, 422)
# On the inner side of these, only the very edge shows that the bound is where the description has it.
_LENGTHS: Final = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"})
_BOUNDS: Final = frozenset({"minimum", "maximum"})
_INTEGER: Final = re.compile(r"-?[0-9]+")


def instances(exchange: Recorded, constraint: Constraint) -> list[Any]:
    """The values in *exchange* that *constraint* is about."""
    if constraint.status is not None:
        return list(_found(exchange.json, constraint.path))
    match constraint.location:
        case "body":
            return list(_found(exchange.body, constraint.path)) if exchange.content else []
        case "path":
            return [value for name, value in exchange.parameters.items() if name == constraint.path[0]]
        case "query":
            return [_number(value) for name, value in exchange.query if name == constraint.path[0]]
        case _:
            header = exchange.request_headers.get(constraint.path[0].lower())
            return [] if header is None else [header]


def _found(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield node
        return
    step, *rest = path
    if step == ANY:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        for child in children:
            yield from _found(child, tuple(rest))
    elif isinstance(node, dict) and step in node:
        yield from _found(node[step], tuple(rest))


def _number(text: str) -> str | int:
    """Outside a body everything is text; what looks like a whole number may be meant as one."""
    return int(text) if _INTEGER.fullmatch(text) else text


def keeps(constraint: Constraint, exchange: Recorded) -> bool:
    """Whether *exchange* shows a value that *constraint* allows; of a bound, the last one it allows."""
    if constraint.keyword == "required" and not constraint.path:
        return exchange.content != b""
    return any(_shows(constraint, value) for value in instances(exchange, constraint))


def _shows(constraint: Constraint, value: Any) -> bool:
    keyword, limit = constraint.keyword, constraint.value
    if not holds(keyword, limit, value):
        return False
    if keyword in _LENGTHS:
        return hasattr(value, "__len__") and len(value) == limit
    return keyword not in _BOUNDS or bool(value == limit)


def holds(keyword: str, limit: Any, value: Any) -> bool:
    """Whether *value* keeps one *keyword* of JSON Schema."""
    return keyword == "required" or bool(_validator(keyword, json.dumps(limit)).is_valid(value))


@lru_cache(maxsize=1024)
def _validator(keyword: str, limit: str) -> Any:
    return Validator({keyword: json.loads(limit)}, format_checker=FORMATS)


def violated(exchange: Recorded, constraints: Collection[Constraint]) -> list[Constraint]:
    """Those of *constraints*, all of them of the exchange's operation, that its request breaks."""
    return [constraint for constraint in constraints if _breaks(constraint, exchange)]


def _breaks(constraint: Constraint, exchange: Recorded) -> bool:
    if constraint.location == "body" and constraint.path and exchange.body is None:
        return False  # there is no body, or none that could be read: that is another constraint's matter
    if constraint.keyword == "required":
        return _is_missing(constraint, exchange)
    if constraint.location == "body" and not constraint.path and exchange.content and not _is_json(exchange.content):
        return False
    return any(not holds(constraint.keyword, constraint.value, value) for value in instances(exchange, constraint))


def _is_missing(constraint: Constraint, exchange: Recorded) -> bool:
    if not constraint.path:
        return exchange.content == b""
    *above, name = constraint.path
    owners = _found(exchange.body, tuple(above)) if constraint.location == "body" else iter(())
    return any(isinstance(owner, Mapping) and name not in owner for owner in owners)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def refused_for(exchange: Recorded, constraints: Collection[Constraint]) -> list[Constraint]:
    """
    The constraints whose violation *exchange* was refused for.

    None if it was accepted, or if more than one thing in the request is wrong: then nobody knows which one it was.
    """
    if exchange.status not in REFUSALS:
        return []
    broken = violated(exchange, constraints)
    places = {(constraint.location, constraint.path) for constraint in broken}
    return [one for one in broken if _is_next(one, exchange)] if len(places) == 1 else []


def _is_next(constraint: Constraint, exchange: Recorded) -> bool:
    """Of a bound, whether the value is the first one beyond it."""
    keyword, limit = constraint.keyword, constraint.value
    step = -1 if keyword.startswith("min") else 1
    if keyword in _LENGTHS:
        return any(
            hasattr(value, "__len__") and len(value) == limit + step for value in instances(exchange, constraint)
        )
    if keyword in _BOUNDS:
        return any(value == limit + step for value in instances(exchange, constraint))
    return True
