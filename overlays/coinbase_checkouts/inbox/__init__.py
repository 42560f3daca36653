"""
Each verified webhook event acted on exactly once, in your own database, on any number of machines.

    event = webhooks.verify(body, headers, secret)
    with engine.connect() as connection, inbox.once(event, connection) as fresh:
        if fresh:
            connection.execute(update(orders)…)

Or store it, answer, and let workers do it: `inbox.store(event, connection)` and `inbox.work(engine, handler)`. What
never came, `inbox.reconcile(checkouts, engine, since=…)` reads from the API. The names below are those of an `Inbox()` with every default; make one of your own to choose. docs/inbox.md says what this
guarantees, and what it does not.

What an event is, its signed content says: a repetition, under whichever id it comes, is not fresh. Its id counts as
well, but only where it is signed; else whoever is on the way could have an event taken for another.
"""

from __future__ import annotations

from typing import Final

try:
    import sqlalchemy as _sqlalchemy
except ImportError as _error:
    raise ImportError("coinbase_checkouts.inbox needs the extra: pip install 'coinbase-checkouts[inbox]'") from _error

from .box import PRUNE_AFTER_S, Inbox
from .ledger import Counts, Keep, Letter, Policy
from .reconciling import Failure, Reconciled
from .workers import Metric

__all__ = [
    "PRUNE_AFTER_S",
    "Counts",
    "Failure",
    "Inbox",
    "Keep",
    "Letter",
    "Metric",
    "Policy",
    "Reconciled",
    "counts",
    "create_all",
    "dead",
    "is_news",
    "metadata",
    "once",
    "prune",
    "reconcile",
    "reconcile_async",
    "requeue",
    "store",
    "work",
    "work_async",
]

_default = Inbox()

metadata: _sqlalchemy.MetaData = _default.metadata
create_all: Final = _default.create_all
once: Final = _default.once
store: Final = _default.store
is_news: Final = _default.is_news
work: Final = _default.work
work_async: Final = _default.work_async
counts: Final = _default.counts
dead: Final = _default.dead
requeue: Final = _default.requeue
prune: Final = _default.prune
reconcile: Final = _default.reconcile
reconcile_async: Final = _default.reconcile_async
