"""
One key, one act: the first answer under an X-Idempotency-Key is kept for 24 hours and given again.

The key is claimed by inserting it under a unique constraint, in the transaction that also does the act. So of two
requests at once, in one process or in two on one database, one acts; the other waits, and then finds the answer.

Answers of 400 and above are not kept, and their transaction leaves nothing behind: nothing was done, and the key may be
used again. (Whether the real service keeps them is not documented.)
"""

import hashlib
import json
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import IntegrityError

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.world import World

# Source: idempotency.lifetime.
LIFETIME_MS: Final = 24 * 60 * 60 * 1000


def once(world: World, request: Request, act: Callable[[Transaction, int], Answer]) -> Answer:
    """
    Do *act* in a transaction of its own, or repeat the answer that the request's key has had.

    Args:
        act: Takes the transaction and the sandbox's time. Whatever it raises undoes everything.

    Raises:
        ApiError: The key was used with another request.
    """
    key = request.header.get("X-Idempotency-Key")
    if key is None:
        with world.store.writing() as transaction:
            return act(transaction, world.now_ms(transaction))
    try:
        return _attempt(world, request, key, act)
    except IntegrityError:
        # Another transaction had the key first and has committed: this time its answer is there.
        return _attempt(world, request, key, act)


def _attempt(world: World, request: Request, key: str, act: Callable[[Transaction, int], Answer]) -> Answer:
    operation, fingerprint = request.operation.id, _fingerprint(request)
    with world.store.writing() as transaction:
        now_ms = world.now_ms(transaction)
        kept = transaction.kept_answer(operation, key)
        if kept is not None and kept.created_ms + LIFETIME_MS > now_ms:
            if kept.fingerprint != fingerprint:
                raise ApiError(
                    world.readings.idempotency_conflict_status,
                    "header X-Idempotency-Key: already used with a different request (idempotency.conflict)",
                    error_type="idempotency_error",
                )
            return Answer(kept.status, kept.body)
        if kept is not None:
            transaction.forget_answer(operation, key)
        transaction.claim_key(operation, key, fingerprint=fingerprint, now_ms=now_ms)
        answer = act(transaction, now_ms)
        transaction.keep_answer(operation, key, status=answer.status, body=answer.body)
        return answer


def _fingerprint(request: Request) -> str:
    """Equal for equal requests: method, path, and the body as JSON, whatever the order of names and the white space."""
    said = [request.call.method, request.call.raw_path, request.body]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
