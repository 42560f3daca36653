"""What can be wrong with a server."""
from __future__ import annotations
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from .shop import Answer, Request, Shop

Before = Callable[[Shop, Request], Request]
After = Callable[[Shop, Request, Answer], Answer]

@dataclass(frozen=True)
class Fault:
    name: str
    says: str
    forgives: frozenset[str] = frozenset()
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    before: Before = lambda shop, request: request
    after: After = lambda shop, request, answer: answer
    wire: Callable[..., bool] = lambda *_: False

FAULTS: dict[str, Fault] = {}
