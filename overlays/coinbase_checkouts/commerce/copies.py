"""
The lines of all charges until the last one is read: only then is it known which of them tell of the same charge.

They wait in a database of SQLite that has no name and is gone with the process, so that a million of them need disk
and not memory, and standard input is read once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Self

_SCHEMA: Final = """
    PRAGMA journal_mode = OFF;
    CREATE TABLE lines (number INTEGER PRIMARY KEY, charge INTEGER, is_new, is_request, moment, content, text);
    CREATE INDEX lines_by_charge ON lines (charge);
    CREATE TABLE names (name PRIMARY KEY, charge INTEGER) WITHOUT ROWID;
    CREATE INDEX names_by_charge ON names (charge);
    CREATE TABLE others (number INTEGER PRIMARY KEY, counts);
    BEGIN;
"""
_REPEATED: Final = """
    SELECT charge, number, is_new, is_request, moment, content FROM lines
    WHERE charge IN (SELECT charge FROM lines GROUP BY charge HAVING count(*) > 1) ORDER BY charge, number
"""
_SETTLED: Final = """
    SELECT lines.text, others.number IS NOT NULL, counting.text FROM lines
    LEFT JOIN others USING (number) LEFT JOIN lines AS counting ON counting.number = others.counts
    ORDER BY lines.number
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """
    One line, as far as it is to be held against others of the same charge.

    Attributes:
        is_new: Nothing in it says that the charge ever was anything but NEW.
        is_request: By itself it would be created.
        moment: Unix seconds of its state, if it says so.
        content: The same for the same request.
    """

    number: int
    is_new: bool
    is_request: bool
    moment: float | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """
    A line, now that all are known.

    Attributes:
        is_other: Another line of the same charge counts, or none does.
        counting: That other line; None if nothing says which it is.
    """

    line: dict[str, Any]
    is_other: bool
    counting: dict[str, Any] | None


def counting(copies: Sequence[Copy]) -> Copy | None:
    """
    The one that counts of the *copies* of a charge: the newest.

    One that is paid or over counts before any that is NEW, for nothing goes back to that. None if they are all NEW,
    differ, and nothing says which is the newest.
    """
    if over := [copy for copy in copies if not copy.is_new]:
        return max(over, key=lambda copy: (copy.moment is not None, copy.moment or 0))
    latest = max((copy.moment for copy in copies if copy.moment is not None), default=None)
    newest = [copy for copy in copies if copy.moment in (None, latest)]
    if len({copy.content for copy in newest}) > 1:
        return None
    return next((copy for copy in newest if copy.is_request), newest[0])


class Copies:
    """
    All lines, in their order.

    Raises:
        sqlite3.Error: In any of its methods: there is no room.
    """

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(_SCHEMA)
        self.count: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def add(
        self, line: Mapping[str, Any], names: Iterable[str], *, is_new: bool, is_request: bool, moment: float | None
    ) -> None:
        """
        Keep one more line.

        Args:
            names: Of its charge; two lines that have one in common are of the same charge.
        """
        self.count += 1
        content = hashlib.sha256(json.dumps(line["request"], sort_keys=True).encode()).digest()
        copy = Copy(self.count, is_new, is_request, moment, content)
        charge = self._charge([name.casefold() for name in names])
        row = (charge, *astuple(copy), json.dumps(line))
        self._base.execute(
            "INSERT INTO lines (charge, number, is_new, is_request, moment, content, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )

    def _charge(self, names: Sequence[str]) -> int:
        """The number of the charge with these names, which may turn out to be one where two were known."""
        marks = ", ".join("?" * len(names))
        known = self._base.execute(f"SELECT DISTINCT charge FROM names WHERE name IN ({marks})", names)  # noqa: S608
        charges: list[int] = sorted(charge for (charge,) in known)
        first, *rest = charges or [self.count]
        for charge in rest:
            self._base.execute("UPDATE names SET charge = ? WHERE charge = ?", (first, charge))
            self._base.execute("UPDATE lines SET charge = ? WHERE charge = ?", (first, charge))
        self._base.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", [(name, first) for name in names])
        return first

    def settled(self) -> Iterator[Settled]:
        """Every line, when all are there. One charge's copies are held against each other in memory."""
        for _, rows in groupby(self._base.execute(_REPEATED), itemgetter(0)):
            copies = [Copy(*row[1:]) for row in rows]
            one = counting(copies)
            others = [(copy.number, one and one.number) for copy in copies if copy is not one]
            self._base.executemany("INSERT INTO others VALUES (?, ?)", others)
        for text, is_other, other in self._base.execute(_SETTLED):
            yield Settled(json.loads(text), bool(is_other), None if other is None else json.loads(other))
