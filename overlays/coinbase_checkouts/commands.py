"""
The client's commands: create, get, list, deactivate, refund, wait.

A command that changes something knows its idempotency key before it begins, so that whatever ends it, Ctrl-C
included, the key to go on with can be told.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from coinbase_checkouts_api.models import Checkout, CheckoutStatus

from . import operations, output
from .arguments import COULD_NOT_RUN, DEFAULT_KEY_FILE, INTERRUPTED, OK, SAID_NO, UNKNOWN
from .auth import ID_VARIABLES, SECRET_VARIABLE, ApiKey
from .client import Checkouts
from .errors import (
    ApiError,
    CheckoutsError,
    ConfigurationError,
    InvalidRequestError,
    InvalidResponseError,
    NoResponseError,
    Outcome,
    PaginationError,
    WaitError,
)
from .idempotency import new_key
from .operations import Checks
from .retries import RetryPolicy
from .streams import OutputError, ask, can_ask, tell

T = TypeVar("T")

MAY_HAVE_HAPPENED: Final = "It may have happened."
# An answer came, whatever it was, or time passed.
_SAID_NO: Final = (ApiError, InvalidResponseError, PaginationError, WaitError)


@dataclass(slots=True)
class Deed:
    """
    A change under way, and what to tell if its end stays unknown.

    Attributes:
        begun: Whether any of it may have been sent.
        done: Whether the service said that it is done.
        again: How to go on, line by line.
    """

    begun: bool = False
    done: bool = False
    again: tuple[str, ...] = ()

    def keyed(self, key: str, *, own_id: str | None = None, expires_at: str | None = None) -> None:
        """
        It is safe to repeat with *key*.

        Args:
            own_id: The option that the key was derived from.
            expires_at: What was counted from --expires-in; counted anew it would be another request.
        """
        given = f"--idempotency-key {key}" + (f" --expires-at {expires_at}" if expires_at else "")
        replaced = own_id or ("--expires-in" if expires_at else None)
        self.again = (
            "Repeat the same command within 24 hours of the first try; it is not done twice with"
            + (f" these, in place of {replaced}:" if replaced else " this:"),
            f"  {given}",
        )
        self.begun = True

    def settled_by_reading(self, id: str) -> None:
        """It has no key, and the checkout tells whether it is done."""
        self.settled_by(f"See how it is: coinbase-checkouts get {shlex.quote(id)}")

    def settled_by(self, *again: str) -> None:
        """It has no key; *again* is how to find out, or go on."""
        self.again = again
        self.begun = True


def run(options: argparse.Namespace) -> int:
    """Run the command that *options* name; its exit code, see `arguments.EXIT_CODES`."""

    def act(deed: Deed) -> None:
        with Checkouts(find_key(options.key_file), **settings(options)) as client:
            _COMMANDS[options.command](client, options, deed)

    return carried_out(f"coinbase-checkouts {options.command}", act)


def carried_out(name: str, act: Callable[[Deed], None]) -> int:
    """The exit code of what *act* comes to, which has told on stderr why; *name* is the command's."""
    deed = Deed()
    try:
        act(deed)
    except CheckoutsError as exc:
        return _failed(exc, name, deed)
    except OutputError as exc:
        if deed.done:
            return _unknown(deed, f"{name}: it is done, but what the API said could not be written: {exc}")
        if not exc.reader_left:
            tell(f"{name}: stdout: {exc}")
        # A reader that has enough, such as head, is no failure.
        return OK if exc.reader_left else COULD_NOT_RUN
    except _DeclinedError as exc:
        tell(f"{name}: {exc}; nothing was refunded")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        if deed.begun:
            return _unknown(deed, f"{name}: interrupted", MAY_HAVE_HAPPENED)
        tell(f"{name}: interrupted")
        return INTERRUPTED
    except Exception as exc:  # noqa: BLE001 -- whatever it is, the key must be told
        return _unexpected(exc, name, deed)
    return OK


def _failed(exc: CheckoutsError, name: str, deed: Deed) -> int:
    if isinstance(exc, InvalidRequestError):
        for violation in exc.violations:
            tell(f"{name}: {violation.pointer.removeprefix('/')}: {violation.message}")
        return COULD_NOT_RUN
    if exc.outcome is Outcome.UNKNOWN:
        return _unknown(deed, f"{name}: {exc}", MAY_HAVE_HAPPENED)
    tell(f"{name}: {exc}")
    if isinstance(exc, NoResponseError):
        tell(exc.advice)
    return SAID_NO if isinstance(exc, _SAID_NO) else COULD_NOT_RUN


def _unexpected(exc: Exception, name: str, deed: Deed) -> int:
    # Its class and place, not its text: that of a bad proxy setting quotes the proxy's password.
    place = traceback.extract_tb(exc.__traceback__)[-1]
    told = (
        f"{name}: {type(exc).__name__} at {Path(place.filename).name}:{place.lineno}",
        "The usual cause is a setting such as HTTPS_PROXY or SSL_CERT_FILE; otherwise please report it.",
    )
    if deed.begun:
        return _unknown(deed, *told, MAY_HAVE_HAPPENED)
    for line in told:
        tell(line)
    return COULD_NOT_RUN


def _unknown(deed: Deed, *why: str) -> int:
    # Whoever presses Ctrl-C presses it twice; the second must not cut off the key.
    before = None
    with suppress(ValueError):  # of a thread, which Ctrl-C does not reach
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in (*why, *deed.again):
        tell(line)
    if before is not None:
        signal.signal(signal.SIGINT, before)
    return UNKNOWN


def find_key(file: str | None) -> ApiKey:
    """
    The key of *file*, or of the environment, or of the file in this folder.

    Raises:
        ConfigurationError: There is none, or it cannot be used.
    """
    if file is None:
        if any(os.environ.get(name, "").strip() for name in (*ID_VARIABLES, SECRET_VARIABLE)):
            return ApiKey.from_env()
        if not Path(DEFAULT_KEY_FILE).exists():
            raise ConfigurationError(
                f"no API key: give --key-file, set {ID_VARIABLES[0]} and {SECRET_VARIABLE}, "
                f"or put {DEFAULT_KEY_FILE} into this folder"
            )
    return ApiKey.from_file(file or DEFAULT_KEY_FILE)


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What the options say about the client."""
    names = ("base_url", "timeout", "max_retries")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    # The deadline of a whole call must not cut short the one attempt that was asked for.
    deadline = max(RetryPolicy().deadline_s, given.get("timeout", 0.0))
    return {**given, "sandbox": options.sandbox, "deadline": deadline}


class _Watching:
    """Tells on stderr what `wait` sees: each new status, and each trouble."""

    def __init__(self) -> None:
        self._last: CheckoutStatus | None = None

    def __call__(self, found: Checkout | CheckoutsError) -> None:
        if isinstance(found, CheckoutsError):
            if found.retryable:
                tell(f"{output.utc(datetime.now(UTC))} {found}")
        elif found.status != self._last:
            self._last = found.status
            tell(f"{output.utc(datetime.now(UTC))} {found.status}")


def _show(checkout: Checkout, options: argparse.Namespace) -> None:
    if options.json:
        output.as_json(checkout)
    else:
        output.show_checkout(checkout)


def _create(client: Checkouts, options: argparse.Namespace, deed: Deed) -> None:
    counted = None
    if options.expires_in is not None:
        # In the form in which it can be given again: a repetition must be the same request.
        counted = output.utc(datetime.now(UTC) + options.expires_in)
    key = operations.derived_key(options.idempotency_key, options.order_id, "create") or new_key()
    deed.keyed(key, own_id="--order-id" if options.order_id else None, expires_at=counted)
    checkout = client.create(
        options.amount,
        options.currency,
        network=options.network,
        description=options.description,
        metadata=None if options.metadata is None else dict(options.metadata),
        expires_at=counted or options.expires_at,
        success_redirect_url=options.success_redirect_url,
        fail_redirect_url=options.fail_redirect_url,
        idempotency_key=key,
    )
    deed.done = True
    _show(checkout, options)


def _get(client: Checkouts, options: argparse.Namespace, _: Deed) -> None:
    _show(client.get(options.id), options)


def _list(client: Checkouts, options: argparse.Namespace, _: Deed) -> None:
    found = client.list(
        status=options.status,
        start_time=options.start_time,
        end_time=options.end_time,
        description_query=options.description_query,
        page_size=options.page_size,
    )
    count = 0
    with output.Listing(json_lines=options.json) as listing:
        for page in found.pages():
            count = listing.add(page[: None if options.limit is None else options.limit - count])
            if count == options.limit:
                return


def _deactivate(client: Checkouts, options: argparse.Namespace, deed: Deed) -> None:
    deed.settled_by_reading(options.id)
    checkout = client.deactivate(options.id)
    deed.done = True
    _show(checkout, options)


class _DeclinedError(Exception):
    """The refund was not confirmed."""


def _refund(client: Checkouts, options: argparse.Namespace, deed: Deed) -> None:
    key = operations.derived_key(options.idempotency_key, options.id, "refund", options.refund_id) or new_key()
    if not options.yes:
        _confirm(client, options)
    deed.keyed(key, own_id="--refund-id" if options.refund_id else None)
    result = client.refund(
        options.id, options.amount, currency=options.currency, reason=options.reason, idempotency_key=key
    )
    deed.done = True
    if options.json:
        output.as_json(result)
    else:
        output.show_refund(result.refund, result.checkout)


def _confirm(client: Checkouts, options: argparse.Namespace) -> None:
    """
    Ask the person at the terminal.

    Raises:
        _DeclinedError: No terminal, or not yes.
        InvalidRequestError: It could not be sent anyway; told before anyone is asked.
    """
    if not can_ask():
        raise _DeclinedError("there is no terminal to ask at; to refund without being asked add --yes")
    operations.checked(
        operations.refund(
            options.id,
            options.amount,
            currency=options.currency,
            reason=options.reason,
            idempotency_key=options.idempotency_key,
            checks=Checks(time.time()),
        )
    )
    checkout = client.get(options.id)
    currency = options.currency or checkout.fiat_currency or "USDC"
    for name, value in [*output.money(checkout), ("description", checkout.description or "none")]:
        tell(f"{name:<14}  {value}")
    question = f"Refund {options.amount} {currency} of checkout {checkout.id}, which is {checkout.status}? [y/N]"
    if ask(question) not in ("y", "yes"):
        raise _DeclinedError("not confirmed")


def _wait(client: Checkouts, options: argparse.Namespace, _: Deed) -> None:
    _show(client.wait(options.id, on_reading=_Watching(), until=options.until, timeout=options.timeout_s), options)


_COMMANDS: Final[Mapping[str, Callable[[Checkouts, argparse.Namespace, Deed], None]]] = {
    "create": _create,
    "get": _get,
    "list": _list,
    "deactivate": _deactivate,
    "refund": _refund,
    "wait": _wait,
}
