"""
Who may call where no token tells: programs and pages of this machine, and never the page of another site.
"""

import re
from typing import Final

from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.loopback import is_loopback
from coinbase_checkouts_sandbox.requests import Call
from coinbase_checkouts_sandbox.signatures import EVENT_ID_HEADER

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")


def admit(call: Call, *, remote: bool) -> None:
    """
    Keep control calls to programs of this machine, unless the user wants it otherwise.

    Raises:
        ApiError: 403.
    """
    if not remote:
        if call.client is None or not is_loopback(call.client):
            raise ApiError(403, "control calls are answered to this machine only (--allow-remote-control)")
        if not call.header("host"):
            raise ApiError(403, "header host: control calls must name this machine by a loopback address")
    refuse_other_sites(call, remote=remote)


def refuse_other_sites(call: Call, *, remote: bool) -> None:
    """
    Refuse what a page of another site sends through the user's browser, where no token keeps it out.

    Neither from its own origin (Origin, Sec-Fetch-Site) nor through a name of its own that it points at this
    machine (Host). Nor what a sandbox delivers: it comes from this machine, but where it goes is up to whoever has a
    token, who may be on another one.

    Args:
        remote: Whether this machine may be called by other names than loopback addresses.

    Raises:
        ApiError: 403.
    """
    host = call.header("host") or "localhost"
    name = _HOST.fullmatch(host)
    if name is None or not (remote or is_loopback(name[1].strip("[]"))):
        raise ApiError(403, "header host: calls without a token must name this machine by a loopback address")
    origin = call.header("origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        raise ApiError(403, "header origin: calls without a token from other sites are refused")
    if call.header("sec-fetch-site") not in {None, "same-origin", "none"}:
        raise ApiError(403, "header sec-fetch-site: calls without a token from other sites are refused")
    if any(name == EVENT_ID_HEADER.lower() for name, _ in call.headers):
        raise ApiError(403, f"header {EVENT_ID_HEADER.lower()}: a webhook is not a call")
