"""
Differences that were accepted: by whom, why and until when. An expired waiver fails, one that matches nothing is told.

    [[waiver]]
    fingerprint = "0123456789abcdef"
    reason = "the new status is handled since 0.2"
    who = "ana"
    until = 2026-12-31
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from .differences import Difference
from .problems import CouldNotCompareError

_KEYS: Final = frozenset({"fingerprint", "reason", "who", "until"})
_SHORTEST: Final = 12


@dataclass(frozen=True)
class Waiver:
    """One accepted difference; *until* is the last day on which it counts."""

    fingerprint: str
    reason: str
    who: str
    until: date

    def covers(self, one: Difference) -> bool:
        """Whether it is for *one*."""
        return one.fingerprint.startswith(self.fingerprint)


@dataclass(frozen=True)
class Waived:
    """
    How the waivers fared.

    Args:
        differences: All, each with the reason it was accepted for, if it was.
        expired: Waivers whose time is over; what they accepted counts again.
        unused: Waivers that match nothing.
    """

    differences: list[Difference]
    expired: list[Waiver]
    unused: list[Waiver]


def read_waivers(path: Path) -> list[Waiver]:
    """
    The waivers in a TOML file.

    Raises:
        CouldNotCompareError: It cannot be read, or a waiver lacks something.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise CouldNotCompareError(f"{path}: {exc.strerror or 'cannot be read'}") from None
    except ValueError as exc:
        raise CouldNotCompareError(f"{path}: is not TOML: {exc}") from None
    tables = document.get("waiver", [])
    if not isinstance(tables, list) or set(document) - {"waiver"}:
        raise CouldNotCompareError(f"{path}: holds [[waiver]] tables and nothing else")
    return [_waiver(table, f"{path}: waiver {number}") for number, table in enumerate(tables, 1)]


def _waiver(table: Any, where: str) -> Waiver:
    if not isinstance(table, dict) or sorted(table) != sorted(_KEYS):
        raise CouldNotCompareError(f"{where}: needs {', '.join(sorted(_KEYS))}, and nothing else")
    for key in ("fingerprint", "reason", "who"):
        if not isinstance(table[key], str) or not table[key].strip():
            raise CouldNotCompareError(f"{where}: {key} is no text")
    fingerprint = table["fingerprint"].lower()
    if len(fingerprint) < _SHORTEST or set(fingerprint) - set("0123456789abcdef"):
        raise CouldNotCompareError(f"{where}: a fingerprint is at least {_SHORTEST} hexadecimal digits")
    until = table["until"]
    if isinstance(until, datetime):
        until = until.date()
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            raise CouldNotCompareError(f"{where}: until is a day, such as 2026-12-31") from None
    if not isinstance(until, date):
        raise CouldNotCompareError(f"{where}: until is a day, such as 2026-12-31")
    return Waiver(fingerprint, table["reason"].strip(), table["who"].strip(), until)


def waived(found: Sequence[Difference], waivers: Sequence[Waiver], *, today: date) -> Waived:
    """Mark what is accepted."""
    good = [one for one in waivers if one.until >= today]
    marked = [
        one if (waiver := next((each for each in good if each.covers(one)), None)) is None else _marked(one, waiver)
        for one in found
    ]
    expired = [one for one in waivers if one.until < today]
    unused = [one for one in good if not any(one.covers(difference) for difference in found)]
    return Waived(marked, expired, unused)


def _marked(one: Difference, waiver: Waiver) -> Difference:
    return replace(one, waived=f"{waiver.reason} ({waiver.who}, until {waiver.until.isoformat()})")
