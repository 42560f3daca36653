"""
All that is kept as one document, and back: for a test that wants to begin where another left off.

Table by table, as the columns are; a document of another version of the tables is refused.
"""

import base64
import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, delete, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from coinbase_checkouts_sandbox import faults
from coinbase_checkouts_sandbox.clock import LATEST_NOW_MS, milliseconds, rfc3339
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import METADATA, SANDBOX, SCHEMA_VERSION

# Parents before their children.
_TABLES: Final = tuple(table for table in METADATA.sorted_tables if table is not SANDBOX)


def take(transaction: Transaction, *, now_ms: int) -> dict[str, Any]:
    """The document."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "now": rfc3339(now_ms),
        "tables": {table.name: _rows(transaction, table) for table in _TABLES},
    }


def clear(transaction: Transaction) -> None:
    """Leave nothing, at the real time."""
    for table in reversed(_TABLES):
        transaction.write(delete(table))
    transaction.set_state(clock_offset_ms=0, armed_faults=0)


def put_back(transaction: Transaction, document: dict[str, Any], *, real_ms: int) -> None:
    """
    Replace all that is kept.

    Args:
        document: Has kept the schema of a Snapshot, which says what a row may hold without making a read fail.

    Raises:
        ApiError: 400, not a document that `take` has made with these tables. What was kept stays.
    """
    if document["schemaVersion"] != SCHEMA_VERSION:
        raise ApiError(400, f"body /schemaVersion: must be {SCHEMA_VERSION}, the version of this sandbox's tables")
    now_ms = milliseconds(document["now"])
    if not 0 <= now_ms <= LATEST_NOW_MS:
        raise ApiError(400, f"body /now: must be from {rfc3339(0)} to {rfc3339(LATEST_NOW_MS)}")
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
            except (IntegrityError, DataError):
                # Of the database's own words some would quote the row.
                raise ApiError(400, f"{where}: twice, without its parent, or not what the columns hold") from None
    transaction.set_state(clock_offset_ms=now_ms - real_ms)
    faults.count(transaction)


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
            return _read_body(value)
        if wanted is Decimal and isinstance(value, str):
            return Decimal(value)
    # binascii.Error and UnicodeDecodeError are ValueErrors, too.
    except (TypeError, ValueError, RecursionError, InvalidOperation):
        pass
    else:
        # JSON columns hold anything; SQLite would take a text for a number.
        if wanted is object or type(value) is wanted:
            return value
    raise ApiError(400, f"{where}/{column.name}: not what this column holds")


def _read_body(text: str) -> bytes:
    """All that is kept as bytes is the body of an answer, a JSON object."""
    body = base64.b64decode(text, validate=True)
    if not isinstance(json.loads(body), dict):
        raise TypeError
    return body
