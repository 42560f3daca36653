"""
What must never be shown or kept: tokens, private keys, e-mail addresses.

One list for failure messages, cassettes and the cleanliness check, so that they cannot disagree.
"""

from __future__ import annotations

import re
from typing import Final

SECRETS: Final[dict[str, re.Pattern[str]]] = {
    "token": re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"),
    "bearer token": re.compile(r"(?i)\bbearer\s+(?!<)[A-Za-z0-9._~+/=-]{8,}"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    "key field": re.compile(r'(?i)"(?:privateKey|secret)"\s*:\s*"(?!<)[^"]+"'),
    "e-mail": re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"),
}


def scrubbed(text: str) -> str:
    """*text* with each secret replaced by its kind in angle brackets."""
    for kind, pattern in SECRETS.items():
        text = pattern.sub(f"<{kind}>", text)
    return text


def findings(text: str) -> list[str]:
    """The kinds of secret in *text*."""
    return [kind for kind, pattern in SECRETS.items() if pattern.search(text)]


def excerpt(content: bytes | str, *, limit: int = 300) -> str:
    """At most *limit* characters of a body on one line, scrubbed."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    # Scrubbed before it is cut: a token cut in half would no longer be recognised.
    line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in scrubbed(text[: 40 * limit]))
    return (
        line
        if len(line) <= limit
        else f"{line[:limit]}… ({len(content)} {'bytes' if isinstance(content, bytes) else 'characters'})"
    )
