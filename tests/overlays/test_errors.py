"""The tree of errors."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest

from coinbase_checkouts import errors
from coinbase_checkouts.errors import (
    ApiError,
    CheckoutsError,
    InvalidRequestError,
    InvalidResponseError,
    Loss,
    LossKind,
    MigrationError,
    Outcome,
    Refusal,
    SignatureError,
    Violation,
    WaitError,
)

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, CheckoutsError)]


def made(cls: type[CheckoutsError]) -> CheckoutsError:
    context: dict[str, Any] = {
        "operation": "createCheckout",
        "idempotency_key": KEY,
        "outcome": Outcome.UNKNOWN,
        "retryable": True,
    }
    if issubclass(cls, ApiError):
        return cls(status=500, error_type="internal_server_error", message="Oh.", correlation_id="c-1", **context)
    if issubclass(cls, InvalidResponseError):
        return cls("no JSON", status=200, **context)
    if issubclass(cls, SignatureError):
        return cls("no signature", reason=Refusal.HEADER_MISSING, **context)
    if issubclass(cls, InvalidRequestError):
        return cls([Violation("/amount", "pattern", "must match x")], **context)
    if issubclass(cls, MigrationError):
        return cls(
            "no charge", reasons=[Loss("code", "/code", LossKind.LOST, "is gone", "Keep it.", "mapping")], **context
        )
    if issubclass(cls, WaitError):
        del context["operation"]
        return cls("too late", checkout=None, **context)
    return cls("went wrong", **context)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_survives_a_pickle_and_a_copy(cls: type[CheckoutsError]) -> None:
    """
    Class, text and every attribute come back, across processes too.
    """
    error = made(cls)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(error) is type(again)
        assert (str(error), error.args, vars(error)) == (str(again), again.args, vars(again))
        assert error.advice == again.advice


@pytest.mark.parametrize("cls", CLASSES)
def test_key_is_an_attribute_and_never_text(cls: type[CheckoutsError]) -> None:
    """
    The idempotency key travels with the error and not into a log line.
    """
    error = made(cls)
    assert KEY == error.idempotency_key
    assert KEY not in f"{error!s}{error!r}{error.advice}"


def test_drawn_tree_is_the_real_one() -> None:
    """
    The tree in the module's docstring has every class, below its own base.
    """
    assert errors.__doc__ is not None
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", errors.__doc__, re.MULTILINE):
        while path and path[-1][0] >= len(indent):
            path.pop()
        drawn[name] = path[-1][1] if path else "Exception"
        path.append((len(indent), name))
    real = {
        cls.__name__: next(base.__name__ for base in cls.__mro__[1:] if issubclass(base, Exception)) for cls in CLASSES
    }
    assert drawn == real


def test_text_has_only_what_is_known() -> None:
    """
    Operation, type, message and correlation id are left out where there is none.
    """
    assert str(ApiError(status=500)) == "500"
    assert str(ApiError(status=400, operation="getCheckout", message="No.")) == "getCheckout: 400: No."


def test_unknown_can_be_asked_for_by_name() -> None:
    """
    `error.outcome is UNKNOWN` works with the name of the module, also after a pickle.
    """
    error = CheckoutsError("x", outcome=Outcome.UNKNOWN)
    assert error.outcome is errors.UNKNOWN
    assert pickle.loads(pickle.dumps(error)).outcome is errors.UNKNOWN


def test_advice_says_what_to_do() -> None:
    """
    Unknown with a key, unknown without one, retryable and final are told apart.
    """
    unknown = CheckoutsError("x", outcome=Outcome.UNKNOWN, idempotency_key=KEY)
    assert "within 24 hours" in unknown.advice
    assert "read the checkout" in CheckoutsError("x", outcome=Outcome.UNKNOWN).advice
    assert CheckoutsError("x", retryable=True).advice == "Nothing happened; the call may be repeated later."
    assert CheckoutsError("x").advice == "Nothing happened."
