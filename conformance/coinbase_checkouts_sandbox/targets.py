"""
Where deliveries may go: this machine, unless the server was told otherwise.

A server for tests that posts to any URL it is given would be a way into whatever network it stands in. So names are not
resolved but for localhost, and the URL is read by the library that will send to it: two parsers may see two hosts.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from coinbase_checkouts_sandbox.loopback import is_loopback
from coinbase_checkouts_sandbox.signatures import EVENT_ID_HEADER, EVENT_TYPE_HEADER, SIGNATURE_HEADER

# Choices of this sandbox: no limit is published.
_MOST_HEADERS: Final = 20
_LONGEST_HEADERS: Final = 8192

# What the delivery itself says, and what belongs to the connection.
_RESERVED: Final = frozenset(
    {
        *(name.lower() for name in (SIGNATURE_HEADER, EVENT_ID_HEADER, EVENT_TYPE_HEADER)),
        *("connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)

# RFC 9110: a token; and visible text that no server trims, or the signature over it would not verify.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# A URL in its written form: nothing to be trimmed, escaped or read in two ways.
_URL: Final = re.compile(r"[!-~]+")


def broken_rules(target: Mapping[str, Any], *, remote: bool) -> list[str]:
    """
    What is wrong with *target*; empty if deliveries may go there.

    Args:
        target: Has kept the schema of a subscription's target.
        remote: Whether hosts other than this machine are allowed.
    """
    wrong = _url(target["url"], remote=remote)
    found = [f"body /target/url: {wrong}"] if wrong else []
    return found + [f"body /target/headers: {wrong}" for wrong in _headers(target.get("headers") or {})]


def _url(url: str, *, remote: bool) -> str | None:
    # Here and not above: importing it costs a quarter of this server's start.
    import httpx  # noqa: PLC0415

    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError):
        # The latter for a host that begins with xn-- and is no Punycode.
        return "not a URL"
    if not _URL.fullmatch(url) or "\\" in url:
        return "must be a URL in ASCII, with anything else percent-encoded"
    if parsed.scheme not in {"http", "https"} or not host:
        return "must be an absolute URL that begins with https:// (or http:// on this machine)"
    if "@" in url.split("//", 1)[1].split("/", 1)[0].split("?", 1)[0]:
        return "must not have a user name or password; use target.headers"
    if "#" in url:
        return "must not have a fragment"
    if parsed.port is not None and not 0 < parsed.port <= 65535:
        return "has a port that does not exist"
    if is_loopback(host):
        return None
    if not remote:
        return (
            "must name this machine (127.0.0.1, [::1] or localhost); "
            "start the sandbox with --allow-remote-webhooks for others"
        )
    # Source: cdp-openapi, "must be HTTPS". On loopback there is nobody to listen in.
    return None if parsed.scheme == "https" else "must be HTTPS"


def _headers(headers: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    lowered = [name.lower() for name in headers]
    if len(headers) > _MOST_HEADERS or sum(map(len, (*headers, *headers.values()))) > _LONGEST_HEADERS:
        found.append(f"more than {_MOST_HEADERS} headers or {_LONGEST_HEADERS} characters")
    if len(set(lowered)) < len(lowered):
        found.append("a name twice, in upper and lower case")
    if any(name in _RESERVED for name in lowered):
        found.append(f"reserved: {', '.join(sorted(_RESERVED & set(lowered)))}")
    if not all(_NAME.fullmatch(name) for name in headers):
        found.append("a name that HTTP does not allow")
    if not all(_VALUE.fullmatch(value) for value in headers.values()):
        found.append("a value that is empty, has white space at an end, or is not printable ASCII")
    return found
