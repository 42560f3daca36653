"""
What a comparison finds, where; and Pairs: two Nodes that are to be compared in one direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .document import At
from .schemas import Node, Values
from .verdicts import RULES, Direction, Severity

Step = str
Path = tuple[Step, ...]


@dataclass(frozen=True)
class Finding:
    """
    One change, before it is known how many operations it concerns.

    Args:
        kind: A key of verdicts.RULES.
        what: The change in words, without its place.
        name: The field it is about, when that is a part of the place.
        values: What was and what is, as far as that makes the change what it is.
        witness: Texts that prove a changed pattern.
    """

    kind: str
    direction: Direction
    what: str
    base: At | None
    revision: At | None
    name: str = ""
    values: tuple[Any, Any] = (None, None)
    witness: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """Its class."""
        return RULES[self.kind].of(self.direction)[0]

    @property
    def why(self) -> str:
        """The reason of its class."""
        return RULES[self.kind].of(self.direction)[1]


@dataclass(frozen=True, slots=True)
class Pair:
    """
    What is to be compared.

    Args:
        name: The field or parameter that both are the value of; empty for objects, which are known by their fields.
        written: It is written into a URL or header, where one value looks like an array of one.
    """

    base: Node
    revision: Node
    direction: Direction
    name: str = ""
    written: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for pairs that need comparing once."""
        base = tuple(at.pointer for at in self.base)
        return (base, tuple(at.pointer for at in self.revision), self.direction, self.name, self.written)


@dataclass
class Found:
    """What comparing one pair gave: changes, and the pairs inside it, each by the step that leads there."""

    findings: list[Finding] = field(default_factory=list)
    inner: list[tuple[Step, Pair]] = field(default_factory=list)


def shown(value: Any, most: int = 80) -> str:
    """A value for a message."""
    text = value if isinstance(value, str) else _json(value)
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(values: Iterable[Any]) -> str:
    """Values for a message."""
    texts = [shown(value, 40) for value in values]
    return ", ".join(texts) if len(texts) <= 12 else f"{', '.join(texts[:12])} and {len(texts) - 12} more"


def _json(value: Any) -> str:
    import json  # noqa: PLC0415 -- for messages only

    return json.dumps(value, ensure_ascii=False)


def words(text: str | None) -> str:
    """Prose without regard to white space and line breaks."""
    return "" if text is None else re.sub(r"\s+", " ", text).strip()


def plain(values: Values) -> tuple[str, ...]:
    """Values in an order of their own."""
    return tuple(sorted(values))
