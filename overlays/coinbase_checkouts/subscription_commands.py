"""
`webhook subscribe`, `subscriptions`, `unsubscribe` and `deliveries`.

No secret is shown unless it is asked for, nor is a header that deliveries carry.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from . import output
from .commands import Deed, carried_out, find_key, settings
from .errors import ConfigurationError
from .streams import write
from .subscriptions import EVENT_TYPES, Subscriptions

_HEADERS_LIMIT_BYTES: Final = 64 * 1024


def run(options: argparse.Namespace) -> int:
    """Run the command that *options* name; its exit code, see `arguments.SUBSCRIPTION_EXIT_CODES`."""

    def act(deed: Deed) -> None:
        with Subscriptions(find_key(options.key_file), **settings(options)) as client:
            _ACTIONS[options.action](client, options, deed)

    return carried_out(f"coinbase-checkouts webhook {options.action}", act)


def _subscribe(client: Subscriptions, options: argparse.Namespace, deed: Deed) -> None:
    headers = None if options.header_file is None else _headers(options.header_file)
    deed.settled_by("See whether it was made, before you try again: coinbase-checkouts webhook subscriptions")
    made = client.create(
        options.url,
        options.event or EVENT_TYPES,
        description=options.description,
        enabled=not options.disabled,
        headers=headers,
        metadata=None if options.metadata is None else dict(options.metadata),
    )
    deed.done = True
    output.show_subscription(made, json_lines=options.json, secrets=options.show_secret)


def _subscriptions(client: Subscriptions, options: argparse.Namespace, _: Deed) -> None:
    if options.id is not None:
        found = client.get(options.id)
        output.show_subscription(found, json_lines=options.json, secrets=options.show_secret)
        return
    for number, one in enumerate(client.list()):
        if options.json or options.show_secret:
            if number and not options.json:
                write("\n")
            output.show_subscription(one, json_lines=options.json, secrets=options.show_secret)
        else:
            output.show_subscription_line(one, header=number == 0)


def _unsubscribe(client: Subscriptions, options: argparse.Namespace, deed: Deed) -> None:
    deed.settled_by("Repeat the command; if there is no such subscription any more, it is done.")
    client.delete(options.id)
    deed.done = True


def _deliveries(client: Subscriptions, options: argparse.Namespace, _: Deed) -> None:
    found = client.deliveries(
        options.id,
        event_id=options.event_id,
        min_created_at=options.since,
        max_created_at=options.until,
        event_types=options.event,
    )
    for number, one in enumerate(found):
        if options.json:
            output.as_json(one)
        else:
            output.show_delivery_line(one, header=number == 0)


def _headers(name: str) -> dict[str, str]:
    """
    What a file says, a header a line.

    Raises:
        ConfigurationError: It cannot be read, or is another kind of file; repeats nothing of it.
    """
    try:
        with Path(name).open("rb") as file:
            text = file.read(_HEADERS_LIMIT_BYTES).decode()
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or type(exc).__name__
        raise ConfigurationError(f"--header-file: cannot be read: {why}") from None
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        header, separator, value = line.partition(":")
        if not separator or not header.strip():
            raise ConfigurationError("--header-file: each line must be 'NAME: VALUE'")
        found[header.strip()] = value.strip()
    return found


_ACTIONS: Final[Mapping[str, Callable[[Subscriptions, argparse.Namespace, Deed], None]]] = {
    "subscribe": _subscribe,
    "subscriptions": _subscriptions,
    "unsubscribe": _unsubscribe,
    "deliveries": _deliveries,
}
