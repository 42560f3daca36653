"""
Everything that can go wrong, as one tree.

    CheckoutsError                      root; `except CheckoutsError` catches all of ours
    ├── ConfigurationError              the client was set up wrongly (also a ValueError)
    │   └── KeyFormatError              an API key cannot be read; names the file, never quotes the key
    ├── InvalidRequestError             refused here, before anything was sent (also a ValueError)
    ├── MigrationError                  a charge of Commerce that cannot be converted, or not without loss
    ├── NoResponseError                 no answer came: unreachable, dropped, timed out
    ├── InvalidResponseError            an answer came that is not the documented JSON
    ├── SignatureError                  a webhook delivery is not to be acted on; `reason` says why
    ├── TransactionError                work in an inbox would not have been committed with the note that it is done
    ├── PaginationError                 a listing came back to a page it had already given
    ├── WaitError                       `wait` ended without what was waited for; has the checkout
    │   ├── WaitTimeoutError            not in time (also a TimeoutError)
    │   └── NeverReachedError           it is in a status after which the wanted one cannot come
    └── ApiError                        the service answered with an error
        ├── BadRequestError             400, or another refusal of the request itself
        ├── AuthenticationError         401: token or clock wrong, key revoked
        ├── PermissionDeniedError       403: the key may not, or the account has no Coinbase Business
        ├── NotFoundError               404, or the 400 some deployments answer for a missing checkout; or subscription
        ├── ConflictError               409 or 422: the checkout's state forbids it
        │   └── IdempotencyError        the key was used with another request
        ├── RateLimitError              429: slow down
        └── ServerError                 5xx, codes of a proxy included

What an error says to a program is in its attributes; what it says to a person is in `str()`. Neither
holds a key, a token or a body, and all of them survive a pickle. `TypeError` is for wrong types, such
as a float where money is meant.

Source: `errors`, `status-codes` and `cdp-openapi` in spec/openapi.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Outcome(StrEnum):
    """What is known about the effect of a call that ended in an error."""

    NOT_SENT = "not sent"
    """Nothing left this machine."""
    REFUSED = "refused"
    """Nothing happened: the service said no, or the call only reads."""
    UNKNOWN = "unknown"
    """It may have happened. Repeat with the same idempotency key, or read the checkout."""


# What to do after an operation without a key whose outcome is unknown.
_THEN: Final = {
    "createWebhookSubscription": "look for its URL and event types in Subscriptions.list() before you repeat the call: "
    "two subscriptions are every delivery twice.",
    "updateWebhookSubscription": "repeat the call; the same replacement twice is the same as once.",
    "deleteWebhookSubscription": "repeat the call; if there is no such subscription any more, it is done.",
}

UNKNOWN: Final = Outcome.UNKNOWN
"""For `error.outcome is UNKNOWN`, the one question that matters after a failed payment."""


class CheckoutsError(Exception):
    """
    Root of the tree.

    Attributes:
        operation: The operationId of the description, such as `createCheckout`; None outside a call.
        idempotency_key: The key the call was sent with; repeat with it. Never part of `str()`.
        outcome: Whether the call may have had its effect.
        retryable: Whether the same call, with the same key, may succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        idempotency_key: str | None = None,
        outcome: Outcome = Outcome.NOT_SENT,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.idempotency_key = idempotency_key
        self.outcome = outcome
        self.retryable = retryable

    @property
    def advice(self) -> str:
        """What to do now, in one sentence."""
        if self.outcome is Outcome.UNKNOWN:
            if self.idempotency_key is not None:
                return "It may have happened: repeat the call with error.idempotency_key, within 24 hours of the first try."
            then = _THEN.get(self.operation or "", "read the checkout before you repeat the call.")
            return f"It may have happened: {then}"
        return "Nothing happened; the call may be repeated later." if self.retryable else "Nothing happened."

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle by calling their class with args, which keyword-only attributes break.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[CheckoutsError], args: tuple[Any, ...], state: dict[str, Any]) -> CheckoutsError:
    error = cls.__new__(cls, *args)
    # An OSError, which a TimeoutError is, sets them in __init__ only.
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(CheckoutsError, ValueError):
    """The client was set up wrongly; the message names the setting."""


class KeyFormatError(ConfigurationError):
    """An API key cannot be read; the message names the file or variable and what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Violation:
    """
    One way in which a request breaks the description.

    Attributes:
        pointer: JSON pointer into the body, such as `/metadata/orderId`; for a parameter its name after a slash.
        rule: The schema's keyword, such as `maxLength`, or the id of an x-rule, such as `create.amount-range`.
        message: What must be, for a person; never the value itself.
    """

    pointer: str
    rule: str
    message: str


class InvalidRequestError(CheckoutsError, ValueError):
    """
    The request breaks the description and was not sent.

    Attributes:
        violations: Everything that is wrong with it.
    """

    def __init__(self, violations: Sequence[Violation], **context: Any) -> None:
        told = "; ".join(f"{violation.pointer.removeprefix('/')}: {violation.message}" for violation in violations)
        super().__init__(told, **context)
        self.violations: tuple[Violation, ...] = tuple(violations)


class LossKind(StrEnum):
    """What became of a part of a charge."""

    LOST = "lost"
    """It is not in the result."""
    GUESSED = "guessed"
    """The result has something for it that the charge does not say."""
    NO_EQUIVALENT = "no-equivalent"
    """The Checkouts API cannot say it."""


@dataclass(frozen=True, slots=True)
class Loss:
    """
    One way in which a conversion of `commerce` is not exact.

    Attributes:
        code: For programs, such as `open-amount`.
        pointer: JSON pointer to it, such as `/local_price/currency`; empty for the whole.
        kind: Lost, guessed or without equivalent.
        sentence: What happened, for a person; never the value itself.
        advice: What to do about it.
        source: Which document says so, by its name in spec/openapi.yaml or docs/commerce.md.
    """

    code: str
    pointer: str
    kind: LossKind
    sentence: str
    advice: str
    source: str


class MigrationError(CheckoutsError, ValueError):
    """
    A charge, request, status or event of Commerce that cannot be converted; in strict mode, not without loss.

    Attributes:
        reasons: What is in the way.
        losses: Everything that was found: the reasons, and what would have been lost besides.
    """

    def __init__(
        self, message: str, *, reasons: Sequence[Loss], losses: Sequence[Loss] | None = None, **context: Any
    ) -> None:
        told = (f"{loss.pointer or 'it'}: {loss.sentence}" for loss in reasons)
        super().__init__(f"{message}: {'; '.join(told)}", **context)
        self.reasons: tuple[Loss, ...] = tuple(reasons)
        self.losses: tuple[Loss, ...] = self.reasons if losses is None else tuple(losses)

    @property
    def advice(self) -> str:
        """What to do now, about each of the reasons."""
        return " ".join(dict.fromkeys(loss.advice for loss in self.reasons))


class NoResponseError(CheckoutsError):
    """No answer came. If `outcome` is UNKNOWN the service may have acted all the same."""


class InvalidResponseError(CheckoutsError):
    """
    The answer is not the documented JSON: HTML from a proxy, a body cut short, a required field missing.

    Attributes:
        status: HTTP status of the answer.
    """

    def __init__(self, message: str, *, status: int, **context: Any) -> None:
        super().__init__(message, **context)
        self.status = status


class Refusal(StrEnum):
    """Why a webhook delivery was refused; those that Hook0 names too have its names."""

    HEADER_MISSING = "header_missing"
    """There is no X-Hook0-Signature."""
    HEADER_REPEATED = "header_repeated"
    """The signature, a header it covers, or the event's id came twice."""
    HEADER_MALFORMED = "header_malformed"
    """X-Hook0-Signature is not what was documented."""
    HEADER_NOT_DELIVERED = "header_not_delivered"
    """A header that the signature covers did not come; a proxy may have taken it off."""
    CODE_NOT_HEXADECIMAL = "code_not_hexadecimal"
    """The code is no hexadecimal number, or was cut short."""
    CODE_MISMATCH = "code_mismatch"
    """Another secret, or the body or a covered header was changed."""
    OUTSIDE_TOLERANCE = "outside_tolerance"
    """Correctly signed, but more than 300 seconds from now: a replay, or a clock that is off."""
    PAYLOAD_MALFORMED = "payload_malformed"
    """Correctly signed, but not one JSON object with unique names."""


class SignatureError(CheckoutsError):
    """
    A webhook delivery is not to be acted on: not signed, not with your secret, not now, or no event.

    Attributes:
        reason: Which of these, as a code for programs and logs.
    """

    def __init__(self, message: str, *, reason: Refusal, **context: Any) -> None:
        super().__init__(message, **context)
        self.reason = reason

    @property
    def advice(self) -> str:
        """What to do now, in one sentence."""
        return "Answer 400 and act on nothing; an honest delivery is repeated."


class TransactionError(CheckoutsError):
    """
    The transaction of a block or handler of the inbox was ended in it, or has failed: its work would have been lost.

    The usual cause is a statement that failed and whose exception was caught. PostgreSQL then undoes all of the
    transaction and calls it committed.
    """

    @property
    def advice(self) -> str:
        """What to do now, in one sentence."""
        return (
            "Leave commit and rollback to the block, and put begin_nested() around what may fail, or let its exception "
            "out; what was not committed is tried again."
        )


class PaginationError(CheckoutsError):
    """A page token came for the second time, or pages without anything new did; following them would never end."""


class WaitError(CheckoutsError):
    """
    Waiting ended without what was waited for.

    Attributes:
        checkout: As it was last read; None if it never was.
    """

    def __init__(self, message: str, *, checkout: Any, **context: Any) -> None:
        super().__init__(message, operation="getCheckout", **context)
        self.checkout = checkout


class WaitTimeoutError(WaitError, TimeoutError):
    """The checkout was not as wanted in time; wait again, or rely on the webhook."""


class NeverReachedError(WaitError):
    """The checkout is in a status after which the wanted one cannot come, such as EXPIRED."""


class ApiError(CheckoutsError):
    """
    The service answered with an error.

    Attributes:
        status: HTTP status.
        error_type: `errorType` of the body, an open set, such as `invalid_request`; None if it gave none.
        message: `errorMessage` of the body, shortened and without anything that looks like a secret.
        correlation_id: Quote it to Coinbase's support; None if the body gave none.
        error_link: Where the error is explained; None if the body gave none.
    """

    def __init__(
        self,
        *,
        status: int,
        error_type: str | None = None,
        message: str = "",
        correlation_id: str | None = None,
        error_link: str | None = None,
        **context: Any,
    ) -> None:
        what = " ".join(part for part in (str(status), error_type) if part)
        text = f"{what}: {message}" if message else what
        if context.get("operation"):
            text = f"{context['operation']}: {text}"
        super().__init__(f"{text} (correlation id {correlation_id})" if correlation_id else text, **context)
        self.status = status
        self.error_type = error_type
        self.message = message
        self.correlation_id = correlation_id
        self.error_link = error_link


class BadRequestError(ApiError):
    """The service refused the request itself; change it before you send it again."""


class AuthenticationError(ApiError):
    """The token was refused: check the key, and that this machine's clock is right."""


class PermissionDeniedError(ApiError):
    """The key may not do this, or its account has no Coinbase Business."""


class NotFoundError(ApiError):
    """There is no such checkout, or subscription."""


class ConflictError(ApiError):
    """The checkout is in a state that forbids this."""


class IdempotencyError(ConflictError):
    """
    The idempotency key was used with another request, so something was done under it: find that first.

    The usual cause is a repeated call whose arguments differ, such as an `expires_at` counted from now. A
    new key would do it a second time.
    """

    @property
    def advice(self) -> str:
        """What to do now, in one sentence."""
        return "Something was done under this key with other arguments: find it before you take a new key."


class RateLimitError(ApiError):
    """Too many requests; wait, then go on."""


class ServerError(ApiError):
    """The service or a proxy before it failed; the outcome is unknown."""
