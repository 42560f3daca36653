"""The three tables. All names are chosen here, so that migrations are the same everywhere; all times are in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from .order import LENGTH

WAITING: Final = "waiting"
DONE: Final = "done"
DEAD: Final = "dead"

# What `webhooks.short` makes has at most 200 characters.
_KEY: Final = String(200)


@dataclass(frozen=True, slots=True)
class Tables:
    """
    What an inbox keeps.

    Attributes:
        events: One row for each event that was ever acted on, or waits for it.
        checkouts: One row for each checkout with such an event; who acts on one of its events holds its lock.
        marks: How far each reconciliation has got, and what was pruned; a handful of rows.
    """

    events: Table
    checkouts: Table
    marks: Table


def define(metadata: MetaData, prefix: str, schema: str | None) -> Tables:
    """Define them in *metadata*, their names beginning with *prefix*."""
    events = Table(
        f"{prefix}events",
        metadata,
        # Made of the signed content: nobody on the way can make another one of it.
        Column("key", _KEY, nullable=False),
        # Where the signature covers it, and only there: an id that anybody could write would keep out another event.
        Column("event_id", _KEY),
        Column("checkout_id", _KEY),
        Column("event_type", _KEY, nullable=False),
        Column("position", String(LENGTH), nullable=False),
        Column("state", String(10), nullable=False),
        Column("received_ms", BigInteger, nullable=False),
        # While somebody works at it, when that is given up.
        Column("due_ms", BigInteger, nullable=False),
        Column("done_ms", BigInteger),
        Column("attempts", Integer, nullable=False),
        # Of whoever works at it.
        Column("lease", String(32)),
        # The name of an exception's class; its text might quote somebody's data.
        Column("last_error", _KEY),
        # What an Event is made of again; neither is kept longer than the inbox was told to.
        Column("delivery", Text),
        Column("body", LargeBinary),
        PrimaryKey("key", name=f"{prefix}events_pk"),
        UniqueConstraint("event_id", name=f"{prefix}events_event_id"),
        # In the order in which they are claimed, so that the next one is found without looking at all that wait.
        Index(f"{prefix}events_due", "state", "due_ms", "position", "key"),
        Index(f"{prefix}events_checkout", "checkout_id", "state"),
        schema=schema,
    )
    checkouts = Table(
        f"{prefix}checkouts",
        metadata,
        Column("checkout_id", _KEY, nullable=False),
        # The highest position of an event that was acted on.
        Column("newest", String(LENGTH), nullable=False),
        Column("acted_ms", BigInteger, nullable=False),
        PrimaryKey("checkout_id", name=f"{prefix}checkouts_pk"),
        schema=schema,
    )
    marks = Table(
        f"{prefix}marks",
        metadata,
        Column("name", _KEY, nullable=False),
        Column("first_ms", BigInteger, nullable=False),
        # Everything before is in.
        Column("done_ms", BigInteger, nullable=False),
        # Of the pass that is under way: when it began, from when on it reads all, and what it has read.
        Column("pass_ms", BigInteger),
        Column("edge_ms", BigInteger),
        Column("reached_ms", BigInteger),
        Column("lease", String(32)),
        Column("lease_ms", BigInteger),
        PrimaryKey("name", name=f"{prefix}marks_pk"),
        schema=schema,
    )
    return Tables(events, checkouts, marks)
