"""The one error of a comparison that cannot be made; its message is the line a person reads."""

from __future__ import annotations


class CouldNotCompareError(Exception):
    """A side cannot be had, or is no OpenAPI description; the message says which, where and why."""
