"""What can be wrong with a server: each fault is one difference, told in a sentence, made in the fewest lines."""

from __future__ import annotations

from . import asking, echoes, harmless, lifecycle, listing, refunding, refusing, repeating, sending, shapes, transport
from .fault import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "asking",
    "echoes",
    "harmless",
    "lifecycle",
    "listing",
    "refunding",
    "refusing",
    "repeating",
    "sending",
    "shapes",
    "transport",
]
