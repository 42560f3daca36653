"""An answer before it is sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and what headers there are beside the media type."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    kept_bytes: int | None = None
    """After so many bytes of the body the connection is dropped; 0 with status 0: before anything is sent."""

    @classmethod
    def json(cls, status: int, content: Any, headers: Mapping[str, str] | None = None) -> Self:
        """*content* as JSON in UTF-8."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode(), headers or {})
