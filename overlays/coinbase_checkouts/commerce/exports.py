"""
Files of exported charges, read one charge at a time: a line of NDJSON, an item of an array, a page's data.

What is larger than one charge can be is not kept, so that a file of any size needs little memory. What cannot be
read is told with its place, and reading goes on where the next charge can be found: at the next line of NDJSON, else
in the next file.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, BinaryIO, Final, NoReturn

from coinbase_checkouts.validation import escaped

from .charges import OF_CHARGES
from .fields import clean

SUFFIXES: Final = (".json", ".jsonl", ".ndjson")
# A page of 100 charges has about a megabyte.
VALUE_LIMIT: Final = 16 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_LINES: Final = (".jsonl", ".ndjson")
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_TOO_LONG: Final = f"is longer than {VALUE_LIMIT} characters"
_BREAK_UP: Final = "Write one charge a line: jq -c '.[]' FILE.json > FILE.ndjson"


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a charge stands.

    Attributes:
        line: From 1; where it begins.
        pointer: JSON pointer to it, in its line or in its file.
    """

    file: str
    line: int
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}{self.pointer and f' at {self.pointer}'}"


@dataclass(frozen=True, slots=True)
class Exported:
    """
    One value that may be a charge.

    Attributes:
        repeated: Pointers to keys that it has more than once; the value has the last of each.
    """

    place: Place
    value: Any
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read: why, and what to do."""

    place: Place
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What is in a folder and was not read: no export by its name, no file, or a link to a folder."""

    path: Path


def files(given: Path) -> Iterator[Path | PassedOver | Unreadable]:
    """The file itself, or what is in the folder and those below, in the order of the names."""
    waiting = [given]
    while waiting:
        path = waiting.pop()
        try:
            mode = path.stat().st_mode
            # A link to a folder may lead back to this one.
            if S_ISDIR(mode) and (path is given or not path.is_symlink()):
                waiting.extend(sorted(path.iterdir(), reverse=True))
                continue
        except OSError as exc:
            yield _closed(path, exc)
            continue
        is_export = S_ISREG(mode) and path.suffix.lower() in SUFFIXES
        yield path if is_export or path is given else PassedOver(path)


def read(path: Path) -> Iterator[Exported | Unreadable]:
    """Everything in one file, in its order."""
    place = Place(str(path), 1)
    try:
        with path.open("rb") as file:
            yield from (_lines if path.suffix.lower() in _LINES else _document)(file, place)
    except OSError as exc:
        yield _closed(path, exc)


def _lines(file: BinaryIO, place: Place) -> Iterator[Exported | Unreadable]:
    number = 0
    while line := file.readline(VALUE_LIMIT):
        number += 1
        here = replace(place, line=number)
        if len(line) == VALUE_LIMIT and not line.endswith(b"\n"):
            yield Unreadable(here, _TOO_LONG, _BREAK_UP)
            while (rest := file.readline(VALUE_LIMIT)) and not rest.endswith(b"\n"):
                pass
        elif text := line.strip():
            try:
                value = _DECODER.decode(text.decode("utf-8-sig"))
            except _BROKEN as exc:
                yield _broken(here, exc)
            else:
                yield from _split(value, here)


def _document(file: BinaryIO, place: Place) -> Iterator[Exported | Unreadable]:
    """One value, or an array, or values one after the other, as `jq` writes them."""
    window = _Window(file)
    here = place
    try:
        is_array = window.peek() == "["
        if is_array:
            window.skip()
        index = 0
        while (char := window.peek()) and not (is_array and char == "]"):
            if is_array and index:
                window.expect(",")
                window.peek()
            here = replace(place, line=window.line, pointer=f"/{index}" if is_array else "")
            yield from _split(window.value(), here)
            index += 1
        if is_array:
            window.expect("]")
            here = replace(place, line=window.line)
            if window.peek():
                raise _CutError("there is more after the end of the array")
        elif not index:
            raise _CutError("is empty")
    except _BROKEN as exc:
        found = _broken(here, exc)
        yield replace(found, advice=f"The rest of the file was not read. {found.advice}")


class _Window:
    """A text of any length, of which only what is looked at is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self.line = 1

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            # It matches the empty text, too.
            assert blank is not None
            self._go(blank.end())
            if self._at < len(self._text) or not self._more(_CHUNK):
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        self._go(self._at + 1)

    def expect(self, char: str) -> None:
        """
        Skip *char*.

        Raises:
            _CutError: It is not there.
        """
        if self.peek() != char:
            raise _CutError(f"a {char!r} is missing" if self.peek() else "ends in the middle")
        self.skip()

    def value(self) -> Any:
        """
        The JSON value that begins here.

        Raises:
            ValueError: There is none, or none that fits.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                kept = len(self._text) - self._at
                # It may only be cut off; twice as much each time, so that a large one is not read too often.
                if kept > VALUE_LIMIT:
                    raise _CutError(f"is broken, or longer than {VALUE_LIMIT} characters") from None
                if not self._more(max(_CHUNK, kept)):
                    raise
                continue
            # A number may go on.
            if end < len(self._text) or not self._more(_CHUNK):
                self._go(end)
                return value

    def _go(self, at: int) -> None:
        self.line += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self, size: int) -> bool:
        """Whether there was more to read."""
        more = self._file.read(size)
        self._text = self._text[self._at :] + self._decoder.decode(more, final=not more)
        self._at = 0
        return bool(more)


class _CutError(ValueError):
    """What is between the values is not as it must be."""


def _no_number(name: str) -> NoReturn:
    raise _CutError(f"{name} is no JSON")


class _Repeating(dict[str, Any]):
    """An object that had keys more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def _made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Repeating(pairs)


def _repeated(value: Any) -> Iterator[str]:
    """Pointers to the keys in *value* that were there more than once."""
    waiting = [("", value)]
    while waiting:
        pointer, inner = waiting.pop()
        if isinstance(inner, _Repeating):
            yield from (f"{pointer}/{escaped(clean(name))}" for name in inner.repeated)
        items: Iterable[tuple[Any, Any]] = inner.items() if isinstance(inner, dict) else enumerate(inner)
        waiting.extend(
            (f"{pointer}/{escaped(clean(str(name)))}", item) for name, item in items if isinstance(item, dict | list)
        )


# Digits are kept as they are: 1.10 is not to become 1.1.
_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_made)
# Besides what is no JSON: numbers that Python refuses, and what is nested too deep.
_BROKEN: Final = (ValueError, ArithmeticError, RecursionError)


def _closed(path: Path, exc: OSError) -> Unreadable:
    advice = "Give files and folders that exist and are yours to read."
    return Unreadable(Place(str(path), 1), f"cannot be read: {exc.strerror}", advice)


def _broken(place: Place, exc: Exception) -> Unreadable:
    if isinstance(exc, UnicodeDecodeError):
        return Unreadable(place, "is not UTF-8, here or soon after", "Export it anew, as UTF-8.")
    if isinstance(exc, json.JSONDecodeError):
        return Unreadable(place, f"is no JSON: {exc.msg}", "Export it anew, or repair the line.")
    if isinstance(exc, _CutError):
        return Unreadable(place, str(exc), "Export it anew, or repair the file.")
    return Unreadable(place, "has a number or a depth that cannot be read", "Look at it; no charge has that.")


def _split(value: Any, place: Place) -> Iterator[Exported | Unreadable]:
    """The charges in *value*: itself, or its items, or those of a page's data."""
    page: Iterable[Any] | None = value if isinstance(value, list) else None
    pointer = place.pointer
    if isinstance(value, Mapping) and isinstance(value.get("data"), list) and not OF_CHARGES & value.keys():
        page, pointer = value["data"], f"{pointer}/data"
        if isinstance(value, _Repeating) and "data" in value.repeated:
            yield Unreadable(place, "has data more than once; the last was read", "Export it anew, page by page.")
    if page is None:
        yield _exported(place, value)
    else:
        for index, item in enumerate(page):
            yield _exported(replace(place, pointer=f"{pointer}/{index}"), item)


def _exported(place: Place, value: Any) -> Exported:
    return Exported(place, value, tuple(_repeated(value)) if isinstance(value, dict | list) else ())
