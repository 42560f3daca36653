"""
The token that leads from one page of a listing to the next.

It names the last checkout of the page, so checkouts that come or change meanwhile shift nothing, and it is good for
the filters it was made with only. To clients it is opaque.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from coinbase_checkouts_sandbox.clock import milliseconds
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.store import Filters

# The year 10000.
_MOST_MS: Final = 253_402_300_800_000
_ID: Final = re.compile("[0-9a-f]{24}")


def filters(query: Mapping[str, Any]) -> Filters:
    """
    The filters of a listing.

    Args:
        query: Has kept the schemas of the parameters of listCheckouts.
    """
    start, end = query.get("startTime"), query.get("endTime")
    return Filters(
        statuses=frozenset(query.get("status", ())),
        # Creation times are whole milliseconds: a finer bound is rounded towards the inside.
        start_ms=None if start is None else milliseconds(start, up=True),
        end_ms=None if end is None else milliseconds(end),
        description_query=query.get("descriptionQuery"),
    )


def write_token(last: tuple[int, str], chosen: Filters) -> str:
    """
    A token for the page after *last*.

    Args:
        last: created_ms and id.
    """
    text = json.dumps([*last, _digest(last, chosen)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_token(token: str, chosen: Filters) -> tuple[int, str]:
    """
    Created_ms and id of the last checkout of the page before.

    Raises:
        ApiError: 400; not a token of this server, or one of a listing with other filters.
    """
    try:
        created_ms, checkout_id, digest = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        last = (created_ms, checkout_id)
        # The digest is no secret, so a token may be somebody's own making: its parts must fit the database.
        possible = type(created_ms) is int and abs(created_ms) < _MOST_MS and re.fullmatch(_ID, checkout_id)
        genuine = bool(possible) and digest == _digest(last, chosen)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        genuine = False
        last = (0, "")
    if not genuine:
        raise ApiError(400, "query pageToken: not the nextPageToken of a page with these filters")
    return last


def _digest(last: tuple[int, str], chosen: Filters) -> str:
    """Keeps honest mistakes from passing, no more: what it protects is no secret."""
    said = [
        *last,
        sorted(chosen.statuses),
        chosen.start_ms,
        chosen.end_ms,
        chosen.description_query,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
