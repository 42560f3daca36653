"""What a fault is, and the two kinds that most are: how answers look, and what the shop does."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..shop import Answer, Request, Shop

Before = Callable[[Shop, Request], Request]
After = Callable[[Shop, Request, Answer], Answer]
Wire = Callable[[Any, Request, Answer, dict[str, str], bytes], bool]
Body = Any


@dataclass(frozen=True)
class Fault:
    """
    One way to be wrong.

    Args:
        forgives: Reasons to refuse that are overlooked.
        changes: Methods of the shop that are others.
        before: Makes another request of the one that came.
        after: Makes another answer of the one the shop gave.
        wire: Sends the answer itself, and says so.
        reading: The only reading in which it is one; any if empty.
        harmless: No fault after all: a difference that has to pass.
    """

    name: str
    says: str
    forgives: frozenset[str] = frozenset()
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    before: Before = lambda _, request: request
    after: After = lambda _shop, _request, answer: answer
    wire: Wire = lambda *_: False
    reading: str = ""
    harmless: bool = False


FAULTS: Final[dict[str, Fault]] = {}


def fault(name: str, says: str, **how: Any) -> None:
    """Enter one."""
    assert name not in FAULTS
    FAULTS[name] = Fault(name, says, **how)


EVERYWHERE: Final = ("create", "list", "get", "deactivate", "refund")


def checkouts_of(request: Request, answer: Answer) -> list[Body]:
    """The checkouts in an answer."""
    if answer.status >= 300:
        return []
    if request.operation == "list":
        return answer.body["checkouts"]  # type: ignore[no-any-return]
    return [answer.body["checkout"] if request.operation == "refund" else answer.body]


def shown(
    name: str, says: str, change: Callable[[Body], object], *operations: str, reading: str = "", harmless: bool = False
) -> None:
    """A fault in how checkouts look, in the answers of *operations* or of all."""

    def after(_: Shop, request: Request, answer: Answer) -> Answer:
        if request.operation in (operations or EVERYWHERE):
            for one in checkouts_of(request, answer):
                change(one)
        return answer

    fault(name, says, after=after, reading=reading, harmless=harmless)


def answered(
    name: str,
    says: str,
    change: Callable[[Answer], Answer],
    *operations: str,
    status: Callable[[int], bool] = lambda status: status < 300,
    reading: str = "",
    harmless: bool = False,
) -> None:
    """A fault in whole answers of some operations and some status."""

    def after(_: Shop, request: Request, answer: Answer) -> Answer:
        wanted = request.operation in (operations or EVERYWHERE) and status(answer.status)
        return change(answer) if wanted else answer

    fault(name, says, after=after, reading=reading, harmless=harmless)


def puts(name: str, value: object) -> Callable[[Body], object]:
    """Set a member."""
    return lambda one: one.__setitem__(name, value)


def drops(name: str) -> Callable[[Body], object]:
    """Take a member away."""
    return lambda one: one.pop(name, None)


def turns(name: str, change: Callable[[Any], Any]) -> Callable[[Body], object]:
    """Change a member, where it is."""
    return lambda one: one.__setitem__(name, change(one[name])) if name in one else None


def each_refund(change: Callable[[Body], object]) -> Callable[[Body], object]:
    """Change every refund of a checkout."""
    return lambda one: [change(refund) for refund in one.get("refunds", [])]


def rule(name: str, says: str, reading: str = "", **changes: Any) -> None:
    """A fault in the shop's own doing."""
    fault(name, says, reading=reading, changes=changes)
