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
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
    update,
)

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
    """Faults, and webhooks."""
    create, index = operations.create_table, operations.create_index
    operations.add_column("sandbox", Column("armed_faults", Integer, nullable=False, server_default="0"))
    create(
        "faults",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("rule", Text, nullable=False),
        Column("seen", Integer, nullable=False),
        Column("struck", Integer, nullable=False),
    )
    _partial_index(operations, "checkouts_active", "checkouts", "expires_ms", where="status = 'ACTIVE'")
    create(
        "webhook_subscriptions",
        Column("id", String(36), primary_key=True),
        Column("created_ms", BigInteger, nullable=False),
        Column("updated_ms", BigInteger),
        Column("event_types", Text, nullable=False),
        Column("is_enabled", Boolean, nullable=False),
        Column("target", Text, nullable=False),
        Column("description", Text),
        Column("metadata", Text),
        Column("labels", Text),
        Column("secret", String(36), nullable=False),
    )
    index("webhook_subscriptions_newest_first", "webhook_subscriptions", ["created_ms", "id"])
    create(
        "webhook_events",
        Column("id", String(36), primary_key=True),
        Column("type", String(64), nullable=False),
        Column("checkout_id", String(24), nullable=False),
        Column("refund_id", String(24)),
        Column("created_ms", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    create(
        "webhook_deliveries",
        Column("id", String(36), primary_key=True),
        Column("number", BigInteger, nullable=False),
        Column("event_id", String(36), ForeignKey("webhook_events.id"), nullable=False),
        Column("subscription_id", String(36), nullable=False),
        Column("checkout_id", String(24), nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Column("state", String(16), nullable=False),
        Column("due_ms", BigInteger),
        Column("attempts", Integer, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("extra", Integer, nullable=False),
        Column("leased_ms", BigInteger),
        Column("hold", String(36)),
        Column("succeeded_ms", BigInteger),
    )
    index("webhook_deliveries_number", "webhook_deliveries", ["number"])
    index("webhook_deliveries_newest_first", "webhook_deliveries", ["created_ms", "number"])
    index("webhook_deliveries_of_subscription", "webhook_deliveries", ["subscription_id", "created_ms", "number"])
    index("webhook_deliveries_due", "webhook_deliveries", ["due_ms"])
    _partial_index(operations, "webhook_deliveries_extra", "webhook_deliveries", "extra", where="extra > 0")
    _partial_index(operations, "webhook_deliveries_hold", "webhook_deliveries", "hold", where="hold IS NOT NULL")
    _partial_index(
        operations, "webhook_deliveries_leased", "webhook_deliveries", "leased_ms", where="leased_ms IS NOT NULL"
    )
    create(
        "webhook_attempts",
        Column("delivery_id", String(36), ForeignKey("webhook_deliveries.id"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("at_ms", BigInteger, nullable=False),
        Column("http_code", Integer),
        Column("elapsed_ms", Integer, nullable=False),
        Column("response_body", Text),
        Column("error_name", String(32)),
        Column("mischief", String(32)),
    )
    create(
        "webhook_mischief",
        Column("id", String(36), primary_key=True),
        Column("number", BigInteger, nullable=False),
        Column("kind", String(16), nullable=False),
        Column("part", String(16)),
        Column("times", Integer, nullable=False),
        Column("event_type", String(64)),
        Column("subscription_id", String(36)),
    )


def _partial_index(operations: Operations, name: str, table: str, column: str, *, where: str) -> None:
    operations.create_index(name, table, [column], sqlite_where=text(where), postgresql_where=text(where))


_STEPS: Final[Mapping[int, Callable[[Operations], None]]] = MappingProxyType({2: _to_2})
