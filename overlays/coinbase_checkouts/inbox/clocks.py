"""What time it is: to this host, and to the database, which tells it to all hosts alike. Their own clocks differ."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, cast, extract, func

from .transactions import Bind, connection_of

Moment = int | ColumnElement[int]
"""Milliseconds since the epoch; or what the database takes for them in a statement."""

# Of the statement, not of the transaction, which may have waited; and other than with clock_timestamp(), which goes on
# within a statement, an index can be searched by it. SQLite runs where we do, and has our clock.
_SHARED: Final[dict[str, ColumnElement[int]]] = {
    "postgresql": cast(extract("epoch", func.statement_timestamp()) * 1000, BigInteger)
}


@dataclass(frozen=True, slots=True)
class Clock:
    """
    Both clocks.

    Attributes:
        given: Unix seconds, in place of either.
    """

    given: Callable[[], float] | None

    def host_s(self) -> float:
        """Unix seconds, as this host has them."""
        return (self.given or time.time)()

    def host_ms(self) -> int:
        """The same in milliseconds."""
        return round(self.host_s() * 1000)

    def shared_ms(self, bind: Bind) -> Moment:
        """What all who use this database agree on."""
        shared = _SHARED.get(connection_of(bind).dialect.name) if self.given is None else None
        return self.host_ms() if shared is None else shared
