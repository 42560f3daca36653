"""
Bringing the tables of an older version up to date, a step for each version.

Steps are never changed once released, and say all there is to do in their own words instead of referring to `tables`,
which goes on changing. A test holds that an old database comes out like a new one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Integer, Text, update

from coinbase_checkouts_sandbox.tables import SANDBOX, SCHEMA_VERSION


def migrate(connection: Connection, version: int) -> None:
    """
    Take all steps from *version* to this one's.

    Args:
        connection: In a transaction, which is not ended here.
    """
    operations = Operations(MigrationContext.configure(connection))
    for step in range(version + 1, SCHEMA_VERSION + 1):
        _STEPS[step](operations)
    connection.execute(update(SANDBOX).values(schema_version=SCHEMA_VERSION))


def _to_2(operations: Operations) -> None:
    """Faults."""
    operations.add_column("sandbox", Column("armed_faults", Integer, nullable=False, server_default="0"))
    operations.create_table(
        "faults",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("rule", Text, nullable=False),
        Column("seen", Integer, nullable=False),
        Column("struck", Integer, nullable=False),
    )


_STEPS: Final[Mapping[int, Callable[[Operations], None]]] = MappingProxyType({2: _to_2})
