"""
A description as data: values with the place they stand at, `$ref`s that are followed when they are met, and lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote

from coinbase_checkouts_conformance.description import escaped, parts

from .problems import CouldNotCompareError

Lines = Mapping[int, list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """A value, and where it stands: *pointer* in *document*."""

    document: Document
    pointer: str
    value: Any

    def get(self, key: str) -> At | None:
        """What stands under *key*; None when there is nothing, or this is no mapping."""
        if isinstance(self.value, dict) and key in self.value:
            return At(self.document, f"{self.pointer}/{escaped(key)}", self.value[key])
        return None

    def follow(self, key: str) -> At | None:
        """What stands under *key*, `$ref`s followed."""
        found = self.get(key)
        return None if found is None else found.resolved()

    def items(self) -> Iterator[tuple[str, At]]:
        """Of a mapping, what stands under each key; of anything else, nothing. Extensions are left out."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                if not key.startswith("x-"):
                    yield key, At(self.document, f"{self.pointer}/{escaped(key)}", value)

    def names(self) -> Iterator[tuple[str, At]]:
        """Like items(), with names that begin with `x-`: those of fields, headers and events."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield key, At(self.document, f"{self.pointer}/{escaped(key)}", value)

    def elements(self) -> Iterator[At]:
        """Of a list, its elements; of anything else, nothing."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield At(self.document, f"{self.pointer}/{index}", value)

    def text(self, key: str) -> str | None:
        """The text under *key*; None for none."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) else None

    def flag(self, key: str) -> bool:
        """Whether true stands under *key*."""
        return isinstance(self.value, dict) and self.value.get(key) is True

    def resolved(self) -> At:
        """This, or where the `$ref`s that begin here end."""
        at = self
        seen: set[str] = set()
        while isinstance(at.value, dict) and isinstance(ref := at.value.get("$ref"), str):
            if at.pointer in seen:
                raise CouldNotCompareError(f"{at.document.named(self)}: its references lead in a circle")
            seen.add(at.pointer)
            at = at.document.at(ref, by=at)
        return at

    @property
    def line(self) -> int | None:
        """Its line; None where no text has it."""
        return self.document.line(self.pointer)


class Document:
    """
    One description.

    Args:
        name: What a person calls it.
        root: Its data.
        read_lines: Makes the lines of each container, when they are asked for.
        read_text: Makes the lines of its text, likewise.
        other: Reads the file of a `$ref` that leads outside, relative to this one; None where that is not allowed.
    """

    def __init__(
        self,
        name: str,
        root: dict[str, Any],
        read_lines: Callable[[], Lines],
        read_text: Callable[[], list[str]] = list,
        *,
        other: Callable[[str], Document] | None = None,
        prefix: str = "#",
    ) -> None:
        self.name: Final = name
        self.data: Final = root
        self.root: Final = At(self, prefix, root)
        self._read_lines = read_lines
        self._read_text = read_text
        self._other = other
        self._prefix = prefix
        self._found: dict[str, At] = {}

    @cached_property
    def version(self) -> tuple[int, int]:
        """Of OpenAPI: (3, 0) or (3, 1)."""
        return (3, 0) if str(self.data.get("openapi", "")).startswith("3.0") else (3, 1)

    @cached_property
    def _lines(self) -> Lines:
        return self._read_lines()

    @cached_property
    def text(self) -> list[str]:
        """The lines it is written in."""
        return self._read_text()

    @cached_property
    def _anchors(self) -> dict[str, At]:
        found: dict[str, At] = {}
        waiting = [self.root]
        while waiting:
            at = waiting.pop()
            if (name := at.text("$anchor")) is not None:
                found.setdefault(name, at)
            waiting.extend(child for _, child in at.names())
            waiting.extend(at.elements())
        return found

    def at(self, ref: str, *, by: At) -> At:
        """
        Where *ref* leads.

        Raises:
            CouldNotCompareError: To nowhere, or to another file where that is not allowed.
        """
        if ref not in self._found:
            file, _, fragment = ref.partition("#")
            if file:
                if self._other is None:
                    raise CouldNotCompareError(
                        f"{self.named(by)}: {ref} is in another file; of a file, --allow-external-refs follows it"
                    )
                other = self._other(file)
                self._found[ref] = other.root if not fragment else other.at(f"#{fragment}", by=by)
            else:
                self._found[ref] = self._local(unquote(fragment), by)
        return self._found[ref]

    def _local(self, fragment: str, by: At) -> At:
        at: At | None = self.root
        if fragment and not fragment.startswith("/"):
            at = self._anchors.get(fragment)
        for part in parts(fragment):
            if at is None:
                break
            if isinstance(at.value, list):
                at = next((one for one in at.elements() if one.pointer.endswith(f"/{part}")), None)
            else:
                at = at.get(part)
                if at is None:
                    break
        if at is None:
            raise CouldNotCompareError(f"{self.named(by)}: there is no #{fragment}")
        return at

    def named(self, at: At) -> str:
        """*at* for a message."""
        line = at.line
        return at.pointer if line is None else f"line {line}, {at.pointer}"

    def line(self, pointer: str) -> int | None:
        """Where *pointer*, or the nearest thing above it that has a line, is written."""
        found: int | None = None
        value: Any = self.data
        for part in parts(pointer.removeprefix(self._prefix)):
            lines = self._lines.get(id(value))
            if isinstance(value, dict) and part in value:
                place = next(index for index, key in enumerate(value) if key == part)
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                place = int(part)
                value = value[place]
            else:
                break
            if lines is not None and place < len(lines):
                found = lines[place]
        return found
