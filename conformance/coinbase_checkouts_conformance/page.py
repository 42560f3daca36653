"""
One page that needs nothing else, neither network nor server: style and script stand in it, and its own policy runs only
those two, by their hashes, whatever a server or a description smuggles in.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES: Final = Path(__file__).with_name("reports") / "templates"


def page(name: str, *, styles: tuple[str, ...], script: str, **content: Any) -> str:
    """
    The page of a template.

    Args:
        name: Of the template, which extends `page.html`.
        styles: Names of files, joined in this order.
        script: Name of a file.
        content: What the template shows; escaped.
    """
    style, code = "".join(map(_read, styles)), _read(script)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(code)}; base-uri 'none'; form-action 'none'"
    )
    # Markup: both are ours.
    return _environment().get_template(name).render(style=Markup(style), script=Markup(code), policy=policy, **content)  # noqa: S704


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
