"""
Text from outside, fit for a message or a log line.
"""

from __future__ import annotations

import re
from typing import Final

MESSAGE_LIMIT: Final = 300
_SECRETS: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|-----BEGIN[\s\S]*")


def plain(value: object) -> str | None:
    """A text fit for a message: one line, short, without anything that looks like a token or a key."""
    if not isinstance(value, str):
        return None
    # Cut first: looking for secrets in a megabyte of "eyJ" would take minutes.
    shown = _SECRETS.sub("<hidden>", value[: 8 * MESSAGE_LIMIT])
    line = "".join(char if char.isprintable() else " " for char in shown).strip()
    return line if len(line) <= MESSAGE_LIMIT else f"{line[:MESSAGE_LIMIT]}…"
