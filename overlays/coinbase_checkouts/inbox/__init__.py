"""
Each verified webhook event acted on exactly once, in your own database, on any number of machines.

    event = webhooks.verify(body, headers, secret)
    with engine.connect() as connection, inbox.once(event, connection) as fresh:
        if fresh:
            connection.execute(update(orders)…)

Or store it, answer, and let workers do it: `inbox.store(event, connection)` and `inbox.work(engine, handler)`. The
names below are those of an `Inbox()` with every default; make one of your own to choose. docs/inbox.md says what this
guarantees, and what it does not.

What an event is, its signed content says: a repetition, under whichever id it comes, is not fresh. Its id counts as
well, but only where it is signed; else whoever is on the way could have an event taken for another.
"""

from __future__ import annotations

try:
    import sqlalchemy as _sqlalchemy
except ImportError as exc:
    raise ImportError("coinbase_checkouts.inbox needs the extra: pip install 'coinbase-checkouts[inbox]'") from exc

from .box import PRUNE_AFTER_S, Inbox
from .ledger import Counts, Keep, Letter, Policy
from .workers import Metric

__all__ = [
    "PRUNE_AFTER_S",
    "Counts",
    "Inbox",
    "Keep",
    "Letter",
    "Metric",
    "Policy",
    "counts",
    "create_all",
    "dead",
    "is_news",
    "metadata",
    "once",
    "prune",
    "requeue",
    "store",
    "work",
    "work_async",
]

_default = Inbox()

metadata: _sqlalchemy.MetaData = _default.metadata
create_all = _default.create_all
once = _default.once
store = _default.store
is_news = _default.is_news
work = _default.work
work_async = _default.work_async
counts = _default.counts
dead = _default.dead
requeue = _default.requeue
prune = _default.prune
