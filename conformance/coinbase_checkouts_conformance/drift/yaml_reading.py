"""
YAML to JSON data, from the parser's events: no tag is ever obeyed, no alias copied, and every line remembered.

Scalars are read as YAML 1.2 does (`no`, `on` and `2024-03-20` are texts), and keys are always texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from .problems import CouldNotCompareError

DEEPEST: Final = 200
# Counted as if every alias were written out: a real description of 10 MB has about a million.
MOST_VALUES: Final = 3_000_000

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_TAGS: Final = {
    "tag:yaml.org,2002:" + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge")
}
_MERGE: Final = "<<"

Lines = dict[int, list[int]]


class _Open:
    """A mapping or sequence that is being read."""

    __slots__ = ("anchor", "key", "lines", "merges", "size", "value")

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.lines: list[int] = []
        self.key: str | None = None
        self.merges: list[dict[str, Any]] = []
        self.size = 1


class YamlReader:
    """
    Reads one document.

    Attributes:
        lines: Of each container, by identity, the line of every key or element, in order.
        duplicates: `key` and line of every key that its mapping had already.
    """

    def __init__(self, text: str) -> None:
        self.lines: Final[Lines] = {}
        self.duplicates: Final[list[tuple[str, int]]] = []
        self._text = text
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._stack: list[_Open] = []
        self._values = 0

    def read(self) -> Any:
        """
        The document.

        Raises:
            CouldNotCompareError: Not YAML, more than JSON can say, too deep, or a bomb.
        """
        root: Any = None
        documents = 0
        try:
            for event in _events(self._text):
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        break
                elif isinstance(event, yaml.NodeEvent):
                    done, value = self._node(event)
                    root = value if done and not self._stack else root
                elif isinstance(event, yaml.CollectionEndEvent):
                    value = self._close()
                    root = value if not self._stack else root
        except yaml.YAMLError as exc:
            raise CouldNotCompareError(f"is not YAML: {_told(exc)}") from None
        except UnicodeEncodeError:
            raise CouldNotCompareError("is not text") from None
        return root

    def _node(self, event: yaml.NodeEvent) -> tuple[bool, Any]:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise CouldNotCompareError(f"line {line}: *{event.anchor} is not defined before, or contains itself")
            value, size = self._anchors[event.anchor]
            self._put(value, line, size)
            return True, value
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!" and tag not in _TAGS:
            raise CouldNotCompareError(f"line {line}: the tag {tag} is not JSON")
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and tag is None
            value = _scalar(event.value) if plain else event.value
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, 1)
            self._put(value, line, 1, text=event.value)
            return True, value
        opened: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._put(opened, line, 0)
        self._stack.append(_Open(opened, event.anchor))
        if len(self._stack) > DEEPEST:
            raise CouldNotCompareError(f"line {line}: nested deeper than {DEEPEST} levels")
        return False, opened

    def _put(self, value: Any, line: int, size: int, *, text: str | None = None) -> None:
        self._values += size
        if self._values > MOST_VALUES:
            raise CouldNotCompareError(f"line {line}: more than {MOST_VALUES:,} values, aliases written out")
        if not self._stack:
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
            top.lines.append(line)
        elif top.key is None:
            if isinstance(value, dict | list):
                raise CouldNotCompareError(f"line {line}: a key is no text")
            top.key = str(value) if text is None else text
            if top.key == _MERGE:
                return
            if top.key in top.value:
                self.duplicates.append((top.key, line))
            else:
                top.lines.append(line)
            top.value[top.key] = None
        elif top.key == _MERGE:
            top.merges.extend(one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))
            top.key = None
        else:
            top.value[top.key] = value
            top.key = None

    def _close(self) -> Any:
        done = self._stack.pop()
        for merged in done.merges:
            for key, value in merged.items():
                if isinstance(done.value, dict) and key not in done.value:
                    done.value[key] = value
                    done.lines.append(self.lines.get(id(merged), [0])[0])
        self.lines[id(done.value)] = done.lines
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.value, done.size)
        if self._stack:
            self._stack[-1].size += done.size
            self._values += 1
        return done.value


def _events(text: str) -> Iterator[yaml.Event]:
    # A PyYAML that was built without libyaml is ten times slower, and otherwise the same.
    parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    while True:
        event = parser.get_event()
        yield event
        if isinstance(event, yaml.StreamEndEvent):
            return


def _scalar(text: str) -> Any:
    if text in _NULL:
        return None
    first = text[0]
    if first.isascii() and (first.isdigit() or first in "+-."):
        if _INTEGER.fullmatch(text) and len(text) < 4000:
            return int(text, 0) if text[1:2] in ("o", "x") else int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return text
    if text in _TRUE:
        return True
    return False if text in _FALSE else text


def _told(exc: yaml.YAMLError) -> str:
    mark = getattr(exc, "problem_mark", None)
    problem = getattr(exc, "problem", None) or str(exc)
    where = "" if mark is None else f"line {mark.line + 1}: "
    return f"{where}{' '.join(str(problem).split())}"
