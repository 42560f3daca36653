"""
All that is kept as one document, and back: for a test that wants to begin where another left off.

Table by table, as the columns are; a document of another version of the tables is refused.
"""

import base64
import binascii
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, delete, insert, select
from sqlalchemy.exc import StatementError

from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import METADATA, SANDBOX, SCHEMA_VERSION

# Parents before their children.
_TABLES: Final = tuple(table for table in METADATA.sorted_tables if table is not SANDBOX)


def take(transaction: Transaction) -> dict[str, Any]:
    """The document."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "clockOffsetMs": transaction.clock_offset_ms,
        "armedFaults": transaction.armed_faults,
        "tables": {table.name: _rows(transaction, table) for table in _TABLES},
    }


def clear(transaction: Transaction) -> None:
    """Leave nothing, at the real time."""
    for table in reversed(_TABLES):
        transaction.write(delete(table))
    transaction.set_state(clock_offset_ms=0, armed_faults=0)


def put_back(transaction: Transaction, document: dict[str, Any]) -> None:
    """
    Replace all that is kept.

    Raises:
        ApiError: 400, not a document that `take` has made with these tables. What was kept stays.
    """
    if document["schemaVersion"] != SCHEMA_VERSION:
        raise ApiError(400, f"body /schemaVersion: must be {SCHEMA_VERSION}, the version of this sandbox's tables")
    tables = document["tables"]
    unknown = set(tables) - {table.name for table in _TABLES}
    if unknown:
        raise ApiError(400, f"body /tables: no table is called {min(unknown)!r}")
    clear(transaction)
    for table in _TABLES:
        for number, row in enumerate(tables.get(table.name, ())):
            where = f"body /tables/{table.name}/{number}"
            try:
                transaction.write(insert(table), _read_row(table, row, where))
            except (StatementError, OverflowError):
                # Of the database's own words some would quote the row.
                raise ApiError(400, f"{where}: not a row of this table") from None
    transaction.set_state(clock_offset_ms=document["clockOffsetMs"], armed_faults=document.get("armedFaults", 0))


def _rows(transaction: Transaction, table: Table) -> list[dict[str, Any]]:
    query = select(table).order_by(*table.primary_key)
    return [
        {column.name: _write(value) for column, value in zip(table.columns, row, strict=True)}
        for row in transaction.read(query)
    ]


def _write(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _read_row(table: Table, row: dict[str, Any], where: str) -> dict[str, Any]:
    if set(row) != {column.name for column in table.columns}:
        raise ApiError(400, f"{where}: has other columns than the table")
    return {column.name: _read(column, row[column.name], where) for column in table.columns}


def _read(column: Column[Any], value: Any, where: str) -> Any:
    if value is None:
        return None
    wanted = column.type.python_type
    try:
        if isinstance(column.type, LargeBinary):
            return base64.b64decode(value, validate=True)
        if wanted is Decimal:
            return Decimal(value)
    except (TypeError, ValueError, binascii.Error, InvalidOperation):
        pass
    else:
        # JSON columns hold anything; SQLite would take a text for a number.
        if wanted is object or type(value) is wanted:
            return value
    raise ApiError(400, f"{where}/{column.name}: not what this column holds")
