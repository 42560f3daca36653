"""
What must never be shown or kept: tokens, private keys, e-mail addresses.

One list for failure messages, cassettes and the cleanliness check, so that they cannot disagree.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SECRETS: Final[dict[str, re.Pattern[str]]] = {
    "token": re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"),
    "bearer token": re.compile(r"(?i)\bbearer\s+(?!<)[A-Za-z0-9._~+/=-]{8,}"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    "key field": re.compile(r'(?i)"(?:privateKey|secret)"\s*:\s*"(?!<)[^"]+"'),
    "e-mail": re.compile(
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
    ),
}

_LONGEST: Final = 12_000

# Of a chain: transaction hashes and addresses. They are told apart from what stands in for them by the zeros.
_STAND_IN: Final = "0x" + 12 * "0"
_ON_CHAIN: Final = re.compile(rf"(?i)(?<![0-9a-z])(?!{_STAND_IN})0x(?:[0-9a-f]{{64}}|[0-9a-f]{{40}})(?![0-9a-z])")


def scrubbed(text: str) -> str:
    """*text* with each secret replaced by its kind in angle brackets."""
    for kind, pattern in SECRETS.items():
        text = pattern.sub(f"<{kind}>", text)
    return text


def findings(text: str) -> list[str]:
    """The kinds of secret in *text*."""
    return [kind for kind, pattern in SECRETS.items() if pattern.search(text)]


@dataclass(frozen=True)
class Scrubber:
    """
    For recordings of somebody's account: also addresses, transactions and *known* texts are taken out.

    What is replaced is replaced by the same wherever it comes, so that what was equal stays equal.

    Args:
        salt: Random, and kept nowhere: without it nobody can try whose address it was.
        known: Texts by their kind, such as the id of the key.
    """

    salt: bytes = field(repr=False)
    known: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, text: str) -> str:
        for kind, value in self.known.items():
            text = text.replace(value, f"<{kind}>")
        text = SECRETS["e-mail"].sub(lambda found: f"<e-mail {self._digest(found[0])[:8]}>", text)
        text = _ON_CHAIN.sub(lambda found: f"{_STAND_IN}{self._digest(found[0])}"[: len(found[0])], text)
        return scrubbed(text)

    def findings(self, text: str) -> list[str]:
        """The kinds of what should not be in *text*."""
        known = [kind for kind, value in self.known.items() if value in text]
        return [*findings(text), *known, *(["address or transaction"] if _ON_CHAIN.search(text) else [])]

    def _digest(self, value: str) -> str:
        return hmac.digest(self.salt, value.lower().encode(), hashlib.sha256).hex()


def excerpt(content: bytes | str, *, limit: int = 300) -> str:
    """At most *limit* characters of a body on one line, scrubbed."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    # Scrubbed before it is cut: a token cut in half would no longer be recognised. No token is as long as that.
    line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in scrubbed(text[: limit + _LONGEST]))
    return (
        line
        if len(line) <= limit
        else f"{line[:limit]}… ({len(content)} {'bytes' if isinstance(content, bytes) else 'characters'})"
    )
