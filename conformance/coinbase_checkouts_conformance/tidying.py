"""What a run made is put in order again, however it ended, and what could not be is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from .description import description
from .judge import BrokenError
from .target import filled
from .wire import NotTriedError, RateLimitedError, TooLongToWaitError, UnreachableError, Wire

# Begins the description of everything the suite creates.
SUITE: Final = "conformance suite"

# For so long nothing but mishaps: it will not do.
_MISHAPS_S: Final = 30.0


@dataclass
class Made:
    """
    What may still be ACTIVE.

    Args:
        ids: Of checkouts that were created.
        titles: The beginnings of descriptions of creates whose answer got lost; each may have made a checkout.
    """

    ids: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.ids or self.titles)

    def __str__(self) -> str:
        """How a person finds them."""
        return ", ".join([*dict.fromkeys(self.ids), *(f"“{title} …”" for title in dict.fromkeys(self.titles))])


def tidy(wire: Wire, auth: httpx.Auth, made: Made) -> None:
    """
    Deactivate what is in *made* and still ACTIVE; what is in order is taken out of it.

    A mishap has a second try, and a server that has had enough is asked again while there is time.
    """
    for _ in range(2):
        answered_at_s = wire.left_s
        for step in _steps(wire, auth, made):
            if answered_at_s - wire.left_s > _MISHAPS_S:
                return
            with suppress(BrokenError, NotTriedError, UnreachableError):
                _patiently(wire, step)
                answered_at_s = wire.left_s


def _patiently(wire: Wire, step: Callable[[], None]) -> None:
    while True:
        wire.begin_claim()
        try:
            return step()
        except TooLongToWaitError:
            raise
        except RateLimitedError:
            wire.give(wire.left_s)


def _steps(wire: Wire, auth: httpx.Auth, made: Made) -> Iterator[Callable[[], None]]:
    """What is to be done for each, one after the other."""

    def find(title: str) -> None:
        made.ids += list(_found(wire, auth, title))
        made.titles = [one for one in made.titles if one != title]

    def deactivate(checkout_id: str) -> None:
        if _is_in_order(wire, auth, checkout_id):
            made.ids = [one for one in made.ids if one != checkout_id]

    yield from (partial(find, title) for title in dict.fromkeys(made.titles))
    yield from (partial(deactivate, checkout_id) for checkout_id in dict.fromkeys(made.ids))


def _is_in_order(wire: Wire, auth: httpx.Auth, checkout_id: str) -> bool:
    operations = description().operations
    path = filled(operations["deactivateCheckout"].path, id=checkout_id)
    if 200 <= wire.send(httpx.Request("POST", wire.target.url(path)), auth).status < 300:
        return True
    # Refused: it was paid, or ended otherwise, and stays as it is; or the server does not let us.
    path = filled(operations["getCheckout"].path, id=checkout_id)
    reply = wire.send(httpx.Request("GET", wire.target.url(path)), auth)
    return reply.status == 404 or _json(reply.content).get("status", "ACTIVE") != "ACTIVE"


def _found(wire: Wire, auth: httpx.Auth, title: str) -> Iterator[str]:
    """The ids of ACTIVE checkouts whose description begins with *title*; not trusting the filter."""
    query = urlencode({"status": "ACTIVE", "descriptionQuery": title, "pageSize": 100})
    url = wire.target.url(description().operations["listCheckouts"].path)
    reply = wire.send(httpx.Request("GET", f"{url}?{query}"), auth)
    if reply.status != 200:
        raise BrokenError(f"the listing was refused with {reply.status}")
    listed = _json(reply.content).get("checkouts")
    for checkout in listed if isinstance(listed, list) else []:
        match checkout:
            case {"id": str(checkout_id), "description": str(text)} if text.startswith(title):
                yield checkout_id
            case _:
                pass


def _json(content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
