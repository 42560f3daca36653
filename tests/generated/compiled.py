"""The compiled packages, each beside the description that it carries, and data made from that description."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st

from coinbase_checkouts_api import models as checkouts
from coinbase_checkouts_api.types import UNSET as UNSET_OF_CHECKOUTS
from coinbase_webhook_subscriptions_api import models as subscriptions
from coinbase_webhook_subscriptions_api.types import UNSET as UNSET_OF_SUBSCRIPTIONS

Json = dict[str, Any]

# The same examples in the same order in every run, however slow the machine.
steady = settings(derandomize=True, deadline=None, max_examples=150)


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda it: pickle.loads(pickle.dumps(it, protocol))


COPIES: Final[dict[str, Callable[[Any], Any]]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
times = st.builds(
    "2026-{:02}-{:02}T{:02}:30:00.{}{}".format,
    st.integers(min_value=1, max_value=12),
    st.integers(min_value=1, max_value=28),
    st.integers(min_value=0, max_value=23),
    st.text("0123456789", min_size=1, max_size=9),
    st.sampled_from(["Z", "z", "+05:30", "-11:00"]),
)
OF_TYPE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "string": st.text(),
    "boolean": st.booleans(),
    "integer": st.integers(),
    "object": st.dictionaries(st.text(), anything, max_size=3),
}


@dataclass(frozen=True)
class Compiled:
    """One compiled package."""

    models: ModuleType
    unset: object

    @property
    def name(self) -> str:
        return self.models.__name__.partition(".")[0]

    @cached_property
    def description(self) -> Json:
        folder = Path(str(self.models.__file__)).parents[1]
        read: Json = json.loads((folder / "openapi.json").read_text(encoding="utf-8"))
        return read

    @property
    def schemas(self) -> Json:
        found: Json = self.description["components"]["schemas"]
        return found

    def model(self, name: str, data: Json) -> Any:
        return getattr(self.models, name).from_dict(data)

    def flat(self, schema: Json) -> Json:
        """*schema* with what it refers to and what it is all of."""
        whole: Json = {"properties": {}, "required": []}
        referred = [self.flat(self.schemas[schema["$ref"].rpartition("/")[2]])] if "$ref" in schema else []
        for part in [*referred, *(self.flat(one) for one in schema.get("allOf", [])), schema]:
            properties = {**whole["properties"], **part.get("properties", {})}
            required = [*whole["required"], *part.get("required", [])]
            whole = {**whole, **part, "properties": properties, "required": required}
        return whole

    def smallest(self, schema: Json) -> Any:
        """A value with nothing but what is required."""
        whole = self.flat(schema)
        if whole["properties"]:
            return {name: self.smallest(whole["properties"][name]) for name in whole["required"]}
        if "enum" in whole:
            return whole["enum"][0]
        if whole.get("format") == "date-time":
            return "2026-11-20T10:30:00Z"
        return {"string": "text", "boolean": True, "integer": 7, "array": [], "object": {}}[whole["type"]]

    def largest(self, schema: Json) -> Any:
        """A value with everything that is described."""
        whole = self.flat(schema)
        if whole["properties"]:
            return {name: self.largest(value) for name, value in whole["properties"].items()}
        if whole.get("type") == "array":
            return [self.largest(whole["items"])]
        return {"a": "b"} if whole.get("type") == "object" else self.smallest(schema)

    def values(self, schema: Json) -> st.SearchStrategy[Any]:
        """Values of a schema as the service may come to send them: other enum values, unknown fields."""
        whole = self.flat(schema)
        if whole["properties"]:
            parts = {name: self.values(part) for name, part in whole["properties"].items()}
            needed = {name: part for name, part in parts.items() if name in whole["required"]}
            others = {name: part for name, part in parts.items() if name not in whole["required"]}
            unknown = st.dictionaries(st.text().filter(lambda key: key not in parts), anything, max_size=2)
            known = st.fixed_dictionaries(needed, optional=others)
            return st.tuples(unknown, known).map(lambda both: {**both[0], **both[1]})
        if whole.get("format") == "date-time":
            return times
        if "enum" in whole:
            return st.sampled_from(whole["enum"]) | st.text()
        if whole["type"] == "array":
            return st.lists(self.values(whole["items"]), max_size=3)
        return OF_TYPE[whole["type"]]


CHECKOUTS: Final = Compiled(checkouts, UNSET_OF_CHECKOUTS)
SUBSCRIPTIONS: Final = Compiled(subscriptions, UNSET_OF_SUBSCRIPTIONS)


def as_instants(node: Any) -> Any:
    """*node* with every RFC 3339 text replaced by the instant it names."""
    if isinstance(node, dict):
        return {key: as_instants(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_instants(value) for value in node]
    if isinstance(node, str) and (found := re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt](\S+?)([Zz]|[+-]\d\d:\d\d)", node)):
        return instant(*found.groups())
    return node


def instant(day: str, time: str, offset: str) -> datetime:
    """By arithmetic, not by the parser under test; digits after the microsecond are dropped."""
    clock, _, fraction = time.partition(".")
    moment = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    moment += timedelta(microseconds=int((fraction + "000000")[:6]))
    if offset in {"Z", "z"}:
        return moment
    sign = -1 if offset[0] == "+" else 1
    return moment + sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))


def by_name(data: Any, name: str) -> Any:
    """The times of a model as instants; other texts as they are, even if they look like times."""
    if isinstance(data, dict):
        return {key: by_name(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [by_name(value, name) for value in data]
    times_of_models = {"createdAt", "updatedAt", "expiresAt", "completedAt", "succeededAt"}
    return as_instants(data) if name in times_of_models else data
