"""
Faults on demand: what goes wrong on the way to a real service, struck by rule instead of by bad luck.

A rule strikes some of the requests that are right in themselves; those that are refused before (a bad token, a body
that breaks a schema) it does not see. Which ones is decided by count or by probability; the draws of a
probability come from its seed and the number of the request, so the same requests meet the same faults every time,
also when several processes answer them.

Rules are kept in the database. Several may strike one request: the first that replaces the answer does, and all others
that shape it are applied to what is answered.
"""

import asyncio
import hashlib
import http.client
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.tables import FAULTS

Rule = Mapping[str, Any]
"""As the control description's Fault has it, with its defaults filled in."""

# An enum value and a property that no document knows, and never will.
UNKNOWN_VALUE: Final = "SANDBOX_UNKNOWN"
UNKNOWN_FIELD: Final = "sandboxUndocumented"


class FaultsArmedError(Exception):
    """A fault may strike this request. Nothing was done; take_strikes tells what is to happen to it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule and what became of it so far."""

    id: int
    rule: Rule
    seen: int
    """Requests it was asked about."""
    struck: int

    @property
    def armed(self) -> bool:
        """Whether it may still strike."""
        times = self.rule.get("times")
        return times is None or self.struck < times

    def answer(self) -> dict[str, Any]:
        """As the control description has it."""
        return {"id": self.id, **self.rule, "seen": self.seen, "struck": self.struck, "armed": self.armed}


def complete(asked: Rule) -> Rule:
    """The rule with what it leaves out: once, unless a probability is given."""
    times = {} if "times" in asked or "probability" in asked else {"times": 1}
    return {"operation": "*", "skip": 0, **times, **asked}


def strikes(fault: Fault, operation: str) -> tuple[Fault, bool]:
    """The fault after it has seen a request of *operation*, and whether it strikes it."""
    rule = fault.rule
    if not fault.armed or rule["operation"] not in {"*", operation}:
        return fault, False
    number = fault.seen
    seen = replace(fault, seen=number + 1)
    if number < rule["skip"] or _draw(rule.get("seed", 0), number) >= rule.get("probability", 1):
        return seen, False
    return replace(seen, struck=fault.struck + 1), True


def _draw(seed: int, number: int) -> float:
    """Uniform in [0, 1), the same for the same arguments on every machine."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def add(transaction: Transaction, rule: Rule) -> Fault:
    """Arm another fault."""
    last: int | None = transaction.read(select(func.max(FAULTS.c.id))).scalar_one()
    fault = Fault((last or 0) + 1, rule, 0, 0)
    transaction.write(insert(FAULTS), {"id": fault.id, "rule": dict(rule), "seen": 0, "struck": 0})
    count(transaction)
    return fault


def all_faults(transaction: Transaction) -> list[Fault]:
    """Every fault, in the order they were armed."""
    return [Fault(**row) for row in transaction.read(select(FAULTS).order_by(FAULTS.c.id)).mappings()]


def clear(transaction: Transaction) -> None:
    """Forget every fault."""
    transaction.write(delete(FAULTS))
    count(transaction)


def take_strikes(transaction: Transaction, operation: str) -> list[Rule]:
    """The rules that strike this request of *operation*; each is counted as having done so."""
    struck: list[Rule] = []
    for fault in all_faults(transaction):
        after, hit = strikes(fault, operation)
        if hit:
            struck.append(fault.rule)
        if after != fault:
            changed = update(FAULTS).where(FAULTS.c.id == fault.id)
            transaction.write(changed.values(seen=after.seen, struck=after.struck))
    count(transaction)
    return struck


def count(transaction: Transaction) -> None:
    """Let requests know how many faults may strike them."""
    transaction.set_state(armed_faults=sum(fault.armed for fault in all_faults(transaction)))


async def suffer(struck: Sequence[Rule], act: Callable[[], Awaitable[Answer]]) -> Answer:
    """
    What a request that *struck* have struck is answered.

    Args:
        act: Does what was asked for. Not called where a fault comes before it.

    Raises:
        ApiError: From *act*, or the fault.
    """
    before = [rule for rule in struck if rule.get("when", "before") == "before"]
    await _wait(before)
    for rule in before:
        if rule["kind"] in _REPLACING:
            return _REPLACING[rule["kind"]](rule)
    answer = await act()
    await _wait([rule for rule in struck if rule not in before])
    for rule in struck:
        if rule["kind"] in _REPLACING:
            return _REPLACING[rule["kind"]](rule)
        answer = _DISGUISES.get(rule["kind"], _unchanged)(rule, answer)
    # Last, whatever the order of the rules: it is of what the others have made that a part arrives.
    for rule in struck:
        if rule["kind"] == "truncate":
            answer = _truncated(rule, answer)
    return answer


async def _wait(rules: Sequence[Rule]) -> None:
    milliseconds = sum(rule["milliseconds"] for rule in rules if rule["kind"] == "latency")
    # Real time: it is the sender's patience that is tried.
    await asyncio.sleep(milliseconds / 1000)


def _error(rule: Rule) -> Answer:
    status = rule.get("status", 503)
    error_type = _ERROR_TYPES.get(status, "invalid_request" if status < 500 else "internal_server_error")
    raise ApiError(status, "a fault of the sandbox, as it was told", error_type=error_type, headers=_retry_after(rule))


def _rate_limit(rule: Rule) -> Answer:
    return _error({**rule, "status": 429})


def _html(rule: Rule) -> Answer:
    status = rule.get("status", 502)
    title = f"{status} {http.client.responses.get(status, '')}".strip()
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Answer(status, page.encode(), _retry_after(rule), "text/html")


def _drop(_rule: Rule) -> Answer:
    return Answer(0, b"", kept_bytes=0)


def _retry_after(rule: Rule) -> dict[str, str]:
    return {"Retry-After": str(rule["retryAfter"])} if "retryAfter" in rule else {}


def _truncated(rule: Rule, answer: Answer) -> Answer:
    return replace(answer, kept_bytes=min(rule.get("bytes", len(answer.body) // 2), len(answer.body) - 1))


def _unknown_value(_rule: Rule, answer: Answer) -> Answer:
    return _edited(answer, {"status": UNKNOWN_VALUE})


def _undocumented_field(_rule: Rule, answer: Answer) -> Answer:
    return _edited(answer, {UNKNOWN_FIELD: "undocumented"})


def _unchanged(_rule: Rule, answer: Answer) -> Answer:
    return answer


def _edited(answer: Answer, edit: Mapping[str, Any]) -> Answer:
    """The answer with every Checkout in it edited."""
    content = json.loads(answer.body)
    listed = content.get("checkouts")
    for checkout in (content, content.get("checkout"), *(listed if isinstance(listed, list) else ())):
        # An answer that was restored may say anything.
        if isinstance(checkout, dict) and "id" in checkout:
            checkout.update(edit)
    return Answer.json(answer.status, content, answer.headers)


_REPLACING: Final[Mapping[str, Callable[[Rule], Answer]]] = {
    "rate_limit": _rate_limit,
    "error": _error,
    "html": _html,
    "drop": _drop,
}

_DISGUISES: Final[Mapping[str, Callable[[Rule, Answer], Answer]]] = {
    "unknown_value": _unknown_value,
    "undocumented_field": _undocumented_field,
}

# Source: cdp-openapi.
_ERROR_TYPES: Final[Mapping[int, str]] = {
    401: "unauthorized",
    402: "payment_method_required",
    408: "timed_out",
    403: "forbidden",
    404: "not_found",
    409: "already_exists",
    422: "idempotency_error",
    429: "rate_limit_exceeded",
    499: "client_closed_request",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "timed_out",
}
