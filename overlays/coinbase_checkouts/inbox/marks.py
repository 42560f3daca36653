"""How far something has got, for the next time and for other hosts: the statements on one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, Table, or_, select, update

from coinbase_checkouts.errors import ConfigurationError
from coinbase_checkouts.webhooks import short

from .clocks import Moment
from .transactions import INSERT, Bind, connection_of

_PRUNED: Final = "prune"


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Where a reconciliation is.

    Attributes:
        first_ms: Where its first run began.
        done_ms: Everything before is in.
        pass_ms: When the pass that is under way began; None without one.
        edge_ms: From when on that reads all checkouts.
        reached_ms: Those created before are read.
    """

    first_ms: int
    done_ms: int
    pass_ms: int | None
    edge_ms: int | None
    reached_ms: int | None


class Marks:
    """
    One row for each reconciliation, and one for what was pruned.

    A lease keeps hosts from doing the same work at once; nothing else depends on it.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(
        self, bind: Bind, name: str, since_ms: int | None, now_ms: Moment, *, lease: str, until_ms: Moment
    ) -> Mark | None:
        """
        Take the lease; None if another has it.

        Raises:
            ConfigurationError: There is no such row yet, and no *since_ms* to begin with.
        """
        c, key = self._table.c, _key(name)
        if since_ms is not None:
            new = {"name": key, "first_ms": since_ms, "done_ms": since_ms}
            bind.execute(self._insert(bind).values(new).on_conflict_do_nothing())
        free = update(self._table).where(c.name == key, or_(c.lease.is_(None), c.lease_ms <= now_ms))
        row = bind.execute(free.values(lease=lease, lease_ms=until_ms).returning(self._table)).mappings().first()
        if row is None and bind.execute(select(c.name).where(c.name == key)).first() is None:
            raise ConfigurationError(f"reconcile: {name!r} has never run here; say since when nothing is to be missing")
        return None if row is None else _mark(row)

    def hold(self, bind: Bind, name: str, lease: str, **values: Any) -> bool:
        """Note *values*; false if the lease has gone to another."""
        c = self._table.c
        held = update(self._table).where(c.name == _key(name), c.lease == lease)
        return bind.execute(held.values(values).returning(c.name)).first() is not None

    def release(self, bind: Bind, name: str, lease: str) -> None:
        """Give the lease back."""
        c = self._table.c
        bind.execute(update(self._table).where(c.name == _key(name), c.lease == lease).values(lease=None))

    def pruned_ms(self, bind: Bind) -> int:
        """What was done before may be forgotten."""
        c = self._table.c
        return bind.execute(select(c.done_ms).where(c.name == _PRUNED)).scalar() or 0

    def note_pruned(self, bind: Bind, before_ms: Moment) -> None:
        """Remember that what was done before is being forgotten."""
        c = self._table.c
        insert = self._insert(bind).values(name=_PRUNED, first_ms=before_ms, done_ms=before_ms)
        later = insert.excluded.done_ms > c.done_ms
        bind.execute(insert.on_conflict_do_update(index_elements=[c.name], set_={"done_ms": before_ms}, where=later))

    def _insert(self, bind: Bind) -> Any:
        # As in `ledger`.
        return INSERT[connection_of(bind).dialect.name](self._table)


def _key(name: str) -> str:
    return short("reconcile", name)


def _mark(row: RowMapping) -> Mark:
    return Mark(**{name: row[name] for name in Mark.__slots__})
