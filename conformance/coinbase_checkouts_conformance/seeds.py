"""
Everything random in a request, from one seed per test: a recording replays byte for byte.

A live run draws its seed; a recording derives it from the test's name and keeps it in the cassette.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from itertools import count


@dataclass
class Seed:
    """*text* decides all that follows."""

    text: str
    _numbers: count[int] = field(default_factory=count, repr=False)

    @property
    def marker(self) -> str:
        """Twelve hexadecimal digits by which this test's checkouts are found again."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def idempotency_key(self) -> str:
        """A fresh lower-case UUID v4."""
        digest = hashlib.sha256(f"{self.text}/{next(self._numbers)}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))
