"""The tables. Money and free text are kept in forms that no database rounds, folds or trips over."""

import json
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    text,
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
    # For the clock that ends them; everything else has left it.
    Index(
        "checkouts_active",
        "expires_ms",
        sqlite_where=text("status = 'ACTIVE'"),
        postgresql_where=text("status = 'ACTIVE'"),
    ),
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

# Webhooks. The outbox: a change of a checkout, its event and a delivery for each subscription are one transaction.

SUBSCRIPTIONS: Final = Table(
    "webhook_subscriptions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger),
    Column("event_types", _Json, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("target", _Json, nullable=False),
    Column("description", _Json),
    Column("metadata", _Json),
    Column("labels", _Json),
    Column("secret", String(36), nullable=False),
    Index("webhook_subscriptions_newest_first", "created_ms", "id"),
)

EVENTS: Final = Table(
    "webhook_events",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("checkout_id", String(24), nullable=False),
    Column("refund_id", String(24)),
    Column("created_ms", BigInteger, nullable=False),
    # Exactly what is signed and sent, each time.
    Column("body", LargeBinary, nullable=False),
)

DELIVERIES: Final = Table(
    "webhook_deliveries",
    METADATA,
    Column("id", String(36), primary_key=True),
    # The order of emission, for moments that are equal. Not unique: a restored snapshot may have any.
    Column("number", BigInteger, nullable=False),
    Column("event_id", String(36), ForeignKey("webhook_events.id"), nullable=False),
    # No foreign key: what was delivered stays in the log when the subscription is gone.
    Column("subscription_id", String(36), nullable=False),
    Column("checkout_id", String(24), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    # When the next attempt of the schedule is due, by the sandbox's clock; null when there will be none.
    Column("due_ms", BigInteger),
    # Sendings begun, and those of the schedule that failed.
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    # Sendings owed beyond the schedule: by hand, and duplicates on demand.
    Column("extra", Integer, nullable=False),
    # Being sent by some process; if that has died, free again from this moment of real time on.
    Column("leased_ms", BigInteger),
    # held: until another to the same subscription is taken, then that one's id, and once it has gone, released: no more
    # mischief is done to this attempt.
    Column("hold", String(36)),
    Column("succeeded_ms", BigInteger),
    Index("webhook_deliveries_number", "number"),
    Index("webhook_deliveries_newest_first", "created_ms", "number"),
    Index("webhook_deliveries_of_subscription", "subscription_id", "created_ms", "number"),
    Index("webhook_deliveries_due", "due_ms"),
    Index("webhook_deliveries_extra", "extra", sqlite_where=text("extra > 0"), postgresql_where=text("extra > 0")),
    Index(
        "webhook_deliveries_hold",
        "hold",
        sqlite_where=text("hold IS NOT NULL"),
        postgresql_where=text("hold IS NOT NULL"),
    ),
    Index(
        "webhook_deliveries_leased",
        "leased_ms",
        sqlite_where=text("leased_ms IS NOT NULL"),
        postgresql_where=text("leased_ms IS NOT NULL"),
    ),
)

ATTEMPTS: Final = Table(
    "webhook_attempts",
    METADATA,
    Column("delivery_id", String(36), ForeignKey("webhook_deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("http_code", Integer),
    Column("elapsed_ms", Integer, nullable=False),
    Column("response_body", _Json),
    Column("error_name", String(32)),
    Column("mischief", String(32)),
)

MISCHIEF: Final = Table(
    "webhook_mischief",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("part", String(16)),
    Column("times", Integer, nullable=False),
    Column("event_type", String(64)),
    Column("subscription_id", String(36)),
)
