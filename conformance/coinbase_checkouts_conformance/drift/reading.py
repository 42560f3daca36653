"""
Bytes to a Document, or one sentence about why they are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .document import Document, Lines
from .json_reading import lines_of, read_json
from .problems import CouldNotCompareError
from .structure import check
from .yaml_reading import DEEPEST, YamlReader

_SUPPORTED: Final = re.compile(r"3\.[01](\.|$)")
# What ends a line of YAML; JSON counts line feeds only.
_BREAK: Final = re.compile("\r\n?|[\n\x85\u2028\u2029]")
_HTML: Final = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


def read(
    name: str,
    content: bytes,
    *,
    other: Callable[[str], Document] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Document:
    """
    The description in *content*.

    Args:
        name: What a person calls it; errors begin with it.
        other: Reads the files that `$ref`s lead to; None to refuse them.
        tell: Is told what is odd but no obstacle.

    Raises:
        CouldNotCompareError: No OpenAPI 3.0 or 3.1 description.
    """
    try:
        root, lines, text = _parsed(content, lambda what: tell(f"{name}: {what}"))
        _checked(root)
    except CouldNotCompareError as exc:
        raise CouldNotCompareError(f"{name}: {exc}") from None
    made = Document(name, root, lines, text, other=other)
    check(made)
    return made


def read_part(name: str, content: bytes, *, prefix: str, other: Callable[[str], Document] | None = None) -> Document:
    """A file that a `$ref` leads to: any mapping will do."""
    try:
        root, lines, text = _parsed(content, lambda _: None)
    except CouldNotCompareError as exc:
        raise CouldNotCompareError(f"{name}: {exc}") from None
    if not isinstance(root, dict):
        raise CouldNotCompareError(f"{name}: is no mapping")
    return Document(name, root, lines, text, other=other, prefix=prefix)


def _text(content: bytes) -> str:
    if not content.strip():
        raise CouldNotCompareError("is empty")
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as exc:
        raise CouldNotCompareError(f"is not text: byte {exc.start} is no UTF-8") from None
    if "\0" in text:
        raise CouldNotCompareError("is not text: it has NUL characters")
    if _HTML.match(text):
        raise CouldNotCompareError("is an HTML or XML page, not an OpenAPI description")
    return text


def _parsed(content: bytes, tell: Callable[[str], None]) -> tuple[Any, Callable[[], Lines], Callable[[], list[str]]]:
    text = _text(content)
    if text.lstrip()[0] in "{[":
        try:
            root, twice = read_json(text)
        except CouldNotCompareError:
            # A flow mapping of YAML may begin like JSON, but hardly with a key in quotes.
            if re.match(r'\s*[{\[]\s*(["{\[]|$)', text):
                raise
        else:
            for key in twice:
                tell(f"the key {key!r} stands twice in one mapping; the last one counts")
            _not_too_deep(root)
            return root, lambda: lines_of(text, root), lambda: text.split("\n")
    reader = YamlReader(text)
    root = reader.read()
    for key, line in reader.duplicates:
        tell(f"line {line}: the key {key!r} stands twice in one mapping; the last one counts")
    return root, lambda: reader.lines, lambda: _BREAK.split(text)


def _not_too_deep(root: Any) -> None:
    waiting = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise CouldNotCompareError(f"nested deeper than {DEEPEST} levels")
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting.extend((child, depth + 1) for child in children if isinstance(child, dict | list))


def _checked(root: Any) -> None:
    if not isinstance(root, dict):
        raise CouldNotCompareError("is not an OpenAPI description: its root is no mapping")
    if "swagger" in root:
        raise CouldNotCompareError("is a Swagger 2.0 description; convert it to OpenAPI 3 first")
    version = root.get("openapi")
    if version is None:
        raise CouldNotCompareError("is not an OpenAPI description: it has no `openapi`")
    if not _SUPPORTED.match(str(version)):
        raise CouldNotCompareError(f"is OpenAPI {str(version)[:20]}; 3.0 and 3.1 can be compared")
    if not any(isinstance(root.get(key), dict) for key in ("paths", "webhooks", "components")):
        raise CouldNotCompareError("has neither paths nor webhooks nor components: it may be cut off")
