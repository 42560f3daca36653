"""
Group commit: the writes that arrive together are committed together.

A durable commit waits for the disk, which takes longer than all else a request needs. While it waits, further requests
arrive; they share the next one. Each act still happens whole or not at all, and none is answered before it is durable.
"""

import asyncio
import time
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.patience import LOCK_TIMEOUT_S, PAUSE_S, LockedError
from coinbase_checkouts_sandbox.store import Store, Transaction

Act = Callable[[Transaction], Answer]
"""What one request does. Whatever it raises undoes all it did."""

_Waiting = tuple[Act, "asyncio.Future[Answer]", float]
"""The last: until when it waits for a database that is locked."""


class Committer:
    """Runs acts in the order they come, as many in one transaction as have come meanwhile."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []

    async def commit(self, act: Act) -> Answer:
        """
        Do *act*, and return its answer once that is durable.

        Raises:
            DBAPIError: It could not be made durable, and was not done.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if self._waiting and self._waiting[0][1].get_loop().is_closed():
            # Given up while they waited for a lock, with the event loop they were in.
            self._waiting = []
        if not self._waiting:
            # Behind whatever else is ready now: those requests may have something to write, too.
            loop.call_soon(self._run)
        self._waiting.append((act, future, time.monotonic() + LOCK_TIMEOUT_S))
        return await future

    def _run(self) -> None:
        batch, self._waiting = self._waiting, []
        for waiting, outcome in zip(batch, self._outcomes([act for act, *_ in batch]), strict=True):
            _, future, deadline = waiting
            if isinstance(outcome, LockedError) and time.monotonic() < deadline:
                self._waiting.append(waiting)
                continue
            # A request may have been given up meanwhile; what it asked for is done all the same.
            if future.cancelled():
                continue
            if isinstance(outcome, Answer):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        if self._waiting:
            asyncio.get_running_loop().call_later(PAUSE_S, self._run)

    def _outcomes(self, acts: list[Act]) -> list[Answer | Exception]:
        spoiled = False
        try:
            with self._store.writing() as transaction:
                spoiled = len(acts) > 1
                outcomes = [_outcome(act, transaction) for act in acts]
                transaction.flush()
                spoiled = False
        except Exception as exc:  # noqa: BLE001, whoever asked is told
            if spoiled:
                # One of them failed half done, and all were undone. By itself each answers for itself only.
                return [outcome for act in acts for outcome in self._outcomes([act])]
            # Where the commit itself failed nobody knows whether it happened: doing it again might do it twice.
            return [exc] * len(acts)
        return outcomes


def _outcome(act: Act, transaction: Transaction) -> Answer | Exception:
    """
    What the act answers or raises.

    Raises:
        Exception: The act failed after it had written, or the database failed it: PostgreSQL then undoes everything,
            and does so without an error when it is told to commit. So the transaction cannot be committed.
    """
    before, transaction.wrote = transaction.wrote, False
    try:
        return act(transaction)
    except Exception as exc:
        if transaction.wrote or isinstance(exc, DBAPIError):
            raise
        return exc
    finally:
        transaction.wrote = transaction.wrote or before
