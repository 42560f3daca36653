"""
One key, one act: the first answer under an X-Idempotency-Key is kept for 24 hours and given again.

The answer is kept in the transaction that also does the act, and there is one writer at a time. So of two requests at
once, in one process or in two on one database, one acts; the other waits, and then finds the answer.

Answers of 400 and above are not kept, and their transaction leaves nothing behind: nothing was done, and the key may be
used again. (Whether the real service keeps them is not documented.)
"""

import hashlib
import json
from typing import Final

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.commits import Act
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Request
from coinbase_checkouts_sandbox.store import KeptAnswer, Transaction
from coinbase_checkouts_sandbox.world import World

# Source: idempotency.lifetime.
LIFETIME_MS: Final = 24 * 60 * 60 * 1000


def once(world: World, request: Request, act: Act) -> Act:
    """
    *act*, or the answer that the request's key has had.

    Raises:
        ApiError: From the act returned: the key was used with another request.
    """
    key = request.header.get("X-Idempotency-Key")
    if key is None:
        return act
    operation, fingerprint = request.operation.id, _fingerprint(request)

    def act_once(transaction: Transaction) -> Answer:
        now_ms = world.now_ms(transaction)
        kept = transaction.kept_answer(operation, key)
        if kept is not None and kept.created_ms > now_ms - LIFETIME_MS:
            if kept.fingerprint != fingerprint:
                raise ApiError(
                    world.readings.idempotency_conflict_status,
                    "header X-Idempotency-Key: already used with a different request (idempotency.conflict)",
                    error_type="idempotency_error",
                )
            return Answer(kept.status, kept.body)
        answer = act(transaction)
        if kept is not None:
            forget_old_answers(world, transaction)
        transaction.keep_answer(operation, key, KeptAnswer(fingerprint, now_ms, answer.status, answer.body))
        return answer

    return act_once


def forget_old_answers(world: World, transaction: Transaction) -> None:
    """Make room: answers whose time is up are given no more, and would be kept for ever."""
    transaction.forget_answers(created_until_ms=world.now_ms(transaction) - LIFETIME_MS)


def _fingerprint(request: Request) -> str:
    """Equal for equal requests: method, path, and the body as JSON, whatever the order of names and the white space."""
    said = [request.call.method, request.call.raw_path, request.body]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
