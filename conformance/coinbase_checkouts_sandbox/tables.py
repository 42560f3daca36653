"""The tables. Money and free text are kept in forms that no database rounds, folds or trips over."""

import json
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

# Of the tables below. Older ones are migrated when they are opened, newer ones refused.
SCHEMA_VERSION: Final = 2


class _Money(TypeDecorator[Decimal]):
    """Decimal as text, which no database rounds."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


class _Json(TypeDecorator[Any]):
    """JSON as text. For plain text too: escaped, U+0000 is nothing special to any database."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return object

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


METADATA: Final = MetaData()

SANDBOX: Final = Table(
    "sandbox",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("schema_version", Integer, nullable=False),
    # Here and not in a process, so that several processes agree on the time.
    Column("clock_offset_ms", BigInteger, nullable=False),
    # How many rows of faults may still strike: requests look here, and at the rules only if there are any.
    Column("armed_faults", Integer, nullable=False, server_default="0"),
)

CHECKOUTS: Final = Table(
    "checkouts",
    METADATA,
    Column("id", String(24), primary_key=True),
    Column("url", Text, nullable=False),
    Column("amount", _Money, nullable=False),
    Column("network", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("token_address", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("status", String(24), nullable=False),
    Column("description", _Json),
    Column("metadata", _Json),
    Column("success_redirect_url", _Json),
    Column("fail_redirect_url", _Json),
    Column("fiat_amount", _Money),
    Column("fiat_currency", String(10)),
    Column("fee_amount", _Money),
    Column("transaction_hash", Text),
    Index("checkouts_newest_first", "created_ms", "id"),
)

REFUNDS: Final = Table(
    "refunds",
    METADATA,
    Column("id", String(24), primary_key=True),
    Column("checkout_id", String(24), ForeignKey("checkouts.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("amount", _Money, nullable=False),
    Column("status", String(24), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("completed_ms", BigInteger),
    Column("reason", _Json),
    Column("transaction_hash", Text),
    Column("fiat_amount", _Money),
    Column("fiat_currency", String(10)),
    Column("exchange_rate", _Money),
    UniqueConstraint("checkout_id", "position"),
)

ANSWERS: Final = Table(
    "idempotent_answers",
    METADATA,
    # The constraint that decides which of two requests under one key acts.
    Column("operation", String(64), primary_key=True),
    Column("key", String(36), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

FAULTS: Final = Table(
    "faults",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("rule", _Json, nullable=False),
    # Requests the rule was asked about, and those it struck.
    Column("seen", Integer, nullable=False),
    Column("struck", Integer, nullable=False),
)
