"""
Additions to a YAML file as text: what is not added to stays as it was written, comments, order and quotes included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from coinbase_checkouts_conformance.description import parts

from .problems import CouldNotCompareError

_PLAIN: Final = re.compile(r"[A-Za-z$][A-Za-z0-9_$./+ -]*[A-Za-z0-9_./$-]|[A-Za-z]")
# What some reader of YAML takes for something other than a text.
_RESERVED: Final = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")
_INDENT: Final = 2


class Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class YamlText:
    """
    One document, and what is to be added to it.

    Raises:
        CouldNotCompareError: Not YAML.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        # Where, how far out, which one, up to where, and what.
        self._edits: list[tuple[int, int, int, int, str]] = []
        try:
            root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (yaml.YAMLError, RecursionError):
            raise CouldNotCompareError("is not YAML that can be edited") from None
        if not isinstance(root, yaml.MappingNode):
            raise CouldNotCompareError("is not YAML that can be edited")
        self._root: yaml.MappingNode = root

    def has(self, pointer: str) -> bool:
        """Whether a mapping or a list is written at *pointer*."""
        return isinstance(self._node(pointer), yaml.CollectionNode)

    def add(self, pointer: str, entries: Mapping[str, Any], *, after: str | None = None) -> None:
        """
        Add *entries* to the mapping at *pointer*.

        Args:
            after: The key behind which they are to stand; by default the last one.
        """
        node = self._node(pointer)
        if not isinstance(node, yaml.MappingNode):
            raise CouldNotCompareError(f"{pointer}: no mapping is written there")
        if node.flow_style or not node.value:
            comma = ", " if node.value else ""
            inside = ", ".join(f"{_scalar(key)}: {_flow(value)}" for key, value in entries.items())
            self._edit(pointer, self._end(node) - 1, comma + inside)
            return
        keys = [key.value for key, _ in node.value]
        last = node.value[keys.index(after)] if after in keys else node.value[-1]
        column = node.value[0][0].start_mark.column
        self._insert_lines(pointer, self._entry_end(*last), [" " * column + line for line in _block(entries)])

    def append(self, pointer: str, values: Sequence[Any]) -> None:
        """Add *values* to the list at *pointer*."""
        node = self._node(pointer)
        if not isinstance(node, yaml.SequenceNode):
            raise CouldNotCompareError(f"{pointer}: no list is written there")
        if node.flow_style or not node.value:
            comma = ", " if node.value else ""
            self._edit(pointer, self._end(node) - 1, comma + ", ".join(map(_flow, values)))
            return
        column = node.start_mark.column
        lines = [f"{' ' * column}- {_flow(value)}" for value in values]
        self._insert_lines(pointer, self._content_end(node), lines)

    def replace(self, pointer: str, value: Mapping[str, Any]) -> None:
        """Write *value* on one line in place of what is at *pointer*."""
        node = self._node(pointer)
        if node is None:
            raise CouldNotCompareError(f"{pointer}: nothing is written there")
        self._edit(pointer, self._start(node), _flow(value), end=self._content_end(node))

    def done(self) -> str:
        """The text with all that was asked for."""
        text = self._text
        for start, _, _, end, new in sorted(self._edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _edit(self, pointer: str, start: int, text: str, *, end: int | None = None) -> None:
        # Where several things end on one line, what is added to the innermost comes first.
        self._edits.append((start, -pointer.count("/"), len(self._edits), start if end is None else end, text))

    def _insert_lines(self, pointer: str, end: int, lines: list[str]) -> None:
        """Behind the line on which something ends."""
        at = self._text.find("\n", end) + 1
        text = self._newline.join(lines)
        if at:
            self._edit(pointer, at, text + self._newline)
        else:
            self._edit(pointer, len(self._text), self._newline + text)

    def _node(self, pointer: str) -> yaml.Node | None:
        node: yaml.Node | None = self._root
        for part in parts(pointer):
            if isinstance(node, yaml.MappingNode):
                node = next((value for key, value in node.value if key.value == part), None)
            elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
                node = node.value[int(part)]
            else:
                return None
        return node

    def _start(self, node: yaml.Node) -> int:
        return self._starts[node.start_mark.line] + node.start_mark.column

    def _end(self, node: yaml.Node) -> int:
        return self._starts[node.end_mark.line] + node.end_mark.column

    def _entry_end(self, key: yaml.Node, value: yaml.Node) -> int:
        # An alias is where its anchor is, which is above.
        return self._end(key) if self._start(value) < self._end(key) else self._content_end(value)

    def _content_end(self, node: yaml.Node) -> int:
        """Where the last sign of *node* is; what the parser gives may be behind blank lines and comments."""
        if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
            return self._entry_end(*node.value[-1])
        if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
            return self._content_end(node.value[-1])
        end = self._end(node)
        is_block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
        return len(self._text[:end].rstrip()) if is_block else end


def _block(entries: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a mapping."""
    for key, value in entries.items():
        if isinstance(value, dict) and value and not isinstance(value, Flow):
            yield f"{_scalar(key)}:"
            yield from (" " * _INDENT + line for line in _block(value))
        else:
            yield f"{_scalar(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    if text.isdecimal() or (re.search(r'["\\#]', text) and "'" not in text and text.isprintable()):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=not text.isprintable())
