"""
What a conversion comes to: a value of the client, and the losses that it cost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from coinbase_checkouts.errors import Loss, MigrationError
from coinbase_checkouts_api.models import CreateCheckoutRequest
from coinbase_checkouts_api.types import Unset

from .notes import BLOCKING, CODES

T = TypeVar("T")
_ARGUMENTS: Final = (
    "amount",
    "currency",
    "description",
    "metadata",
    "expires_at",
    "success_redirect_url",
    "fail_redirect_url",
)


@dataclass(frozen=True, slots=True)
class Converted(Generic[T]):
    """
    A value, and everything in which it is not what Commerce had.

    Attributes:
        losses: None at all if it says just the same.
    """

    # Not shown: it is somebody's data, and logs have results.
    value: T = field(repr=False)
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class ConvertedRequest(Converted[CreateCheckoutRequest]):
    """
    A request that can be sent: `checkouts.create(**converted.arguments)`.

    Attributes:
        code: The charge's code; None if it has none.
        idempotency_key: Derived from code or id, the same on every machine: for 24 hours, the same request
            sent again makes no second checkout. None without either; `create` takes a fresh one then.
        status: The charge's, as Commerce said it; NEW for a request that was never one, `unknown` if it
            has lost it.
        is_open: Whether the charge still waits to be paid: all it says is NEW, and nothing in it may tell of a
            payment. Of others create nothing unless you decide to.
    """

    code: str | None
    idempotency_key: str | None = field(repr=False)
    status: str
    is_open: bool

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `Checkouts.create`."""
        told = {name: getattr(self.value, name) for name in _ARGUMENTS}
        if not isinstance(self.value.metadata, Unset):
            told["metadata"] = self.value.metadata.to_dict()
        given = {name: value for name, value in told.items() if not isinstance(value, Unset)}
        return given if self.idempotency_key is None else {**given, "idempotency_key": self.idempotency_key}


def refusal(message: str, losses: Sequence[Loss]) -> MigrationError:
    """The error whose reasons are those of *losses* that leave nothing to convert."""
    told = list(dict.fromkeys(losses))
    return MigrationError(message, reasons=[loss for loss in told if loss.code in BLOCKING], losses=told)


def held_to(losses: Sequence[Loss], *, strict: bool, accept: Collection[str]) -> tuple[Loss, ...]:
    """
    The losses, each once.

    Args:
        strict: Refuse any that is not in *accept*.
        accept: Codes of losses that somebody has looked at.

    Raises:
        MigrationError: Strict, and there are others; it has them all.
        ValueError: *accept* has what is no code.
        TypeError: *accept* is one text, or no collection.
    """
    if isinstance(accept, str | bytes) or not isinstance(accept, Collection):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers without types
        raise TypeError(f"accept: must be a collection of codes, not {type(accept).__name__}")
    # Not as a set: who gives lists in it is told so, too.
    if strange := [code for code in accept if not (isinstance(code, str) and code in CODES)]:  # pyright: ignore[reportUnnecessaryIsInstance] -- as above
        raise ValueError(f"accept: no such codes: {', '.join(sorted(map(str, strange)))}; give those of losses")
    told = tuple(dict.fromkeys(losses))
    if strict and (reasons := [loss for loss in told if loss.code not in accept]):
        raise MigrationError("not without loss, and strict", reasons=reasons, losses=told)
    return told
