"""
What the commands write: data to stdout, everything else to stderr.

For a terminal a table, with `rich` if it is there (extra `[cli]`); else aligned text, a page at a time; or
one JSON object a line, so that a listing of any length can be read while it comes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from coinbase_checkouts_api.models import Checkout, Refund
from coinbase_checkouts_api.types import UNSET, Unset

from .reading import is_paid, remaining_refundable
from .streams import is_terminal, plain, tell, write
from .webhooks import Event

if TYPE_CHECKING:
    from coinbase_webhook_subscriptions_api.models import WebhookEvent

    from .subscribing import Subscription

HEADER: Final = ("ID", "STATUS", "AMOUNT", "CUR", "CREATED (UTC)", "DESCRIPTION")
# Of an id, the longest status, the largest amount, USDC, a time: so that pages stand below each other.
_WIDTHS: Final = (24, 18, 12, 4, 20, 0)
_AMOUNT: Final = HEADER.index("AMOUNT")
_HIDDEN: Final = "<hidden>"
_COLOURS: Final = {"COMPLETED": "green", "FAILED": "red", "PROCESSING": "yellow"}
# Narrower terminals break the lines: a cut id would be of no use.
_LEAST_WIDTH: Final = 100


def utc(moment: datetime | Unset) -> str:
    """A time as text, in UTC and whole seconds; empty if there is none."""
    if isinstance(moment, Unset):
        return ""
    try:
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    # Which of them, depends on whether it has a time zone.
    except (OverflowError, ValueError):
        return str(moment)


def as_json(model: Any) -> None:
    """One line of JSON; ASCII, so that it passes through any locale and terminal."""
    write(json.dumps(model.to_dict()) + "\n")


def show_checkout(checkout: Checkout) -> None:
    """All that a person asks about one checkout."""
    write(_aligned(_facts(checkout)))


def show_refund(refund: Refund, checkout: Checkout) -> None:
    """The refund just started, then its checkout."""
    write(f"refund {plain(refund.id)} of {plain(refund.amount)} {_or_empty(refund.currency)}: {plain(refund.status)}\n")
    show_checkout(checkout)


def event_as_json(event: Event) -> None:
    """One line of JSON: what is proven about a delivery, and its payload as it came."""
    told = {
        "eventType": event.event_type,
        "eventId": event.event_id,
        "timestamp": event.timestamp,
        "scheme": event.scheme,
        "signedHeaders": event.signed_headers,
        "dedupeKey": event.dedupe_key,
        "payload": event.raw,
    }
    write(json.dumps(told) + "\n")


def show_event(event: Event) -> None:
    """All that a person asks about one delivery."""
    facts = [
        ("event", plain(event.event_type)),
        ("event id", _or_empty(event.event_id)),
        ("signed", f"{utc(datetime.fromtimestamp(event.timestamp, UTC))} {event.scheme}"),
        ("act once per", event.dedupe_key),
        ("missing", ", ".join(event.missing)),
    ]
    write(_aligned([fact for fact in facts if fact[1]] + _facts(event.checkout)))


def show_event_line(event: Event) -> None:
    """When it was signed, what happened, and to which checkout, on one line."""
    checkout = event.checkout
    told = (
        f"{plain(event.event_type):<24}",
        plain(checkout.id),
        f"{plain(checkout.status):<18}",
        plain(checkout.amount),
        plain(checkout.currency),
    )
    write(f"{utc(datetime.fromtimestamp(event.timestamp, UTC))}  {'  '.join(told)}".rstrip() + "\n")


def show_subscription(subscription: Subscription, *, json_lines: bool, secrets: bool) -> None:
    """
    All that is known of a subscription, for a person or on one line of JSON.

    Args:
        secrets: Its secret, and the values of the headers that deliveries carry, as well.
    """
    secret = _HIDDEN if subscription.secret is not None else ""
    if secrets and subscription.secret is not None:
        secret = subscription.secret.reveal()
    headers = {name: value if secrets else _HIDDEN for name, value in subscription.headers.items()}
    if json_lines:
        told = {
            "subscriptionId": subscription.id,
            "target": {"url": subscription.url, "headers": headers},
            "eventTypes": subscription.event_types,
            "isEnabled": subscription.enabled,
            "description": subscription.description,
            "metadata": subscription.metadata,
            "labels": subscription.labels,
            "createdAt": subscription.created_at.isoformat(),
            "updatedAt": subscription.updated_at and subscription.updated_at.isoformat(),
            "secret": secret or None,
        }
        write(json.dumps({name: value for name, value in told.items() if value is not None}) + "\n")
        return
    facts = [
        ("id", plain(subscription.id)),
        ("url", plain(subscription.url)),
        ("enabled", "yes" if subscription.enabled else "no"),
        *(("event", plain(kind)) for kind in subscription.event_types),
        ("description", _or_empty(subscription.description)),
        *((f"header {plain(name)}", plain(value)) for name, value in headers.items()),
        *((f"metadata {plain(name)}", plain(value)) for name, value in subscription.metadata.items()),
        *((f"label {plain(name)}", plain(value)) for name, value in subscription.labels.items()),
        ("created", utc(subscription.created_at)),
        ("updated", utc(subscription.updated_at or UNSET)),
        ("secret", plain(secret)),
    ]
    write(_aligned([fact for fact in facts if fact[1]]))


def show_subscription_line(subscription: Subscription, *, header: bool) -> None:
    """One line of a listing."""
    told = (
        subscription.id,
        "yes" if subscription.enabled else "no",
        "yes" if subscription.is_sandbox else "no",
        len(subscription.event_types),
        utc(subscription.created_at),
        subscription.url,
    )
    _row_of(("ID", "ENABLED", "SANDBOX", "EVENTS", "CREATED (UTC)", "URL"), told, (36, 7, 7, 6, 20, 0), header=header)


def show_delivery_line(delivery: WebhookEvent, *, header: bool) -> None:
    """One line of a listing."""
    answer = delivery.response
    told = (
        utc(delivery.created_at),
        delivery.status,
        delivery.retry_count,
        "" if not answer else answer.http_code or answer.error_name or "",
        delivery.event_type_name,
        delivery.event_id,
    )
    _row_of(
        ("CREATED (UTC)", "STATUS", "RETRIES", "ANSWER", "EVENT", "ID"), told, (20, 10, 7, 18, 24, 0), header=header
    )


def _row_of(names: Sequence[str], told: Sequence[object], widths: Sequence[int], *, header: bool) -> None:
    for cells in (names, told) if header else (told,):
        write("  ".join(f"{plain(cell):<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n")


def money(checkout: Checkout) -> list[tuple[str, str]]:
    """The checkout's amounts, each with its name; numbers end in the same column."""
    settlement = None if isinstance(checkout.settlement, Unset) else checkout.settlement
    found: list[tuple[str, object, object]] = [
        ("amount", checkout.amount, checkout.currency),
        ("fiat amount", checkout.fiat_amount, checkout.fiat_currency),
        ("refunded", checkout.refunded_amount, checkout.currency),
        ("left to refund", _left(checkout), checkout.currency),
    ]
    if settlement is not None:
        found += [
            ("fee", settlement.fee_amount, settlement.currency),
            ("net", settlement.net_amount, settlement.currency),
        ]
    rows = [(name, plain(amount), _or_empty(currency)) for name, amount, currency in found if _or_empty(amount)]
    width = max((len(amount) for _, amount, _ in rows), default=0)
    return [(name, f"{amount:>{width}} {currency}") for name, amount, currency in rows]


def _left(checkout: Checkout) -> object:
    if not (is_paid(checkout) or checkout.refunded_amount):
        return ""
    try:
        return remaining_refundable(checkout)
    except (ArithmeticError, TypeError, ValueError):
        # The service's amount is no number; it has been reported, and is shown as it is.
        return "unknown"


def _facts(checkout: Checkout) -> list[tuple[str, str]]:
    metadata = {} if isinstance(checkout.metadata, Unset) else checkout.metadata.to_dict()
    refunds = [] if isinstance(checkout.refunds, Unset) else checkout.refunds
    facts = [
        ("id", plain(checkout.id)),
        ("status", plain(checkout.status)),
        ("url", plain(checkout.url)),
        *money(checkout),
        ("description", _or_empty(checkout.description)),
        *((f"metadata {plain(name)}", plain(value)) for name, value in metadata.items()),
        ("created", utc(checkout.created_at)),
        ("updated", utc(checkout.updated_at)),
        ("expires", utc(checkout.expires_at)),
        ("transaction", _or_empty(checkout.transaction_hash)),
        *(
            ("refund", f"{plain(refund.amount)} {plain(refund.status)} {utc(refund.created_at)} {plain(refund.id)}")
            for refund in refunds
        ),
    ]
    return [(name, value) for name, value in facts if value]


def _aligned(facts: Iterable[tuple[str, str]]) -> str:
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    return "".join(f"{name:<{width}}  {value}\n" for name, value in facts)


def _or_empty(value: object) -> str:
    return "" if value is None or isinstance(value, Unset) else plain(value)


def _row(checkout: Checkout) -> tuple[str, ...]:
    told = (checkout.id, checkout.status, checkout.amount, checkout.currency, utc(checkout.created_at))
    return (*map(plain, told), _or_empty(checkout.description))


class Listing:
    """
    The output of `list`, page by page.

    With `rich` it waits for the end, because a table is as wide as its widest cell; what was read until an
    error or Ctrl-C is shown then as well.
    """

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        # Of the extra [cli].
        self._rich = not json_lines and is_terminal(sys.stdout) and find_spec("rich") is not None
        # Lines that come while one reads are progress enough.
        self._progress = is_terminal(sys.stderr) and (self._rich or not is_terminal(sys.stdout))
        self._told = 0
        self._count = 0
        self._rows: list[tuple[str, ...]] = []

    def add(self, page: Iterable[Checkout]) -> int:
        """Show one more page; how many checkouts that makes in all."""
        page = list(page)
        if self._json:
            for checkout in page:
                as_json(checkout)
        elif self._rich:
            self._rows += map(_row, page)
        else:
            write("".join(map(_line, ([HEADER] if page and not self._count else []) + [_row(found) for found in page])))
        self._count += len(page)
        # One page is no long listing.
        if self._progress and self._count > len(page):
            told = f"{self._count} checkouts …"
            tell(told, end="", over=self._told)
            self._told = len(told)
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._told:
            tell("", end="", over=self._told)
        if self._rows:
            write(_table(self._rows))


def _line(row: tuple[str, ...]) -> str:
    cells = (
        f"{cell:>{width}}" if column == _AMOUNT else f"{cell:<{width}}"
        for column, (cell, width) in enumerate(zip(row, _WIDTHS, strict=True))
    )
    return "  ".join(cells).rstrip() + "\n"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """*rows* as `rich` draws them for this terminal, as text: its own output ends the program at a broken pipe."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    console.width = max(console.width, _LEAST_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column, name in enumerate(HEADER):
        table.add_column(
            name,
            justify="right" if column == _AMOUNT else "left",
            no_wrap=name != "DESCRIPTION",
            overflow="fold",
        )
    for row in rows:
        # Text: a description in square brackets is no markup.
        table.add_row(*(Text(cell, _COLOURS.get(cell, "") if column == 1 else "") for column, cell in enumerate(row)))
    with console.capture() as captured:
        console.print(table)
    return captured.get()
