"""Where the server is: an origin, and what stands before `/api/v1/checkouts`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import httpx

# Of the form of an id, and no checkout's.
NOBODYS_ID: Final = "000000000000000000000000"


class BadUrlError(ValueError):
    """The base URL is none; the message says why."""


@dataclass(frozen=True)
class Target:
    """*prefix* is `/sandbox` for Coinbase's own sandbox, mostly empty otherwise."""

    origin: str
    prefix: str

    @classmethod
    def parse(cls, base_url: str) -> Target:
        """
        Read a base URL, with or without a trailing slash.

        Raises:
            BadUrlError: Not http(s), no host, or with a query, a fragment or credentials.
        """
        try:
            url = httpx.URL(base_url.strip())
        except httpx.InvalidURL as exc:
            raise BadUrlError(f"{base_url!r} is not a URL: {exc}") from None
        if url.port is not None and url.port > 65535:
            raise BadUrlError(f"{base_url!r} has no port of TCP: {url.port}")
        if url.scheme not in ("http", "https") or not url.host:
            raise BadUrlError(f"{base_url!r} is not an http or https URL with a host")
        if url.query or url.fragment or url.userinfo:
            raise BadUrlError("a base URL has no query, fragment or credentials")
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        return cls(origin, url.path.rstrip("/").removesuffix("/api/v1/checkouts"))

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine; a proxy for the outside world is then not asked."""
        host = httpx.URL(self.origin).host
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def url(self, path: str) -> str:
        """The URL of an operation's filled-in *path*."""
        return f"{self.origin}{self.prefix}{path}"

    def __str__(self) -> str:
        return f"{self.origin}{self.prefix}"


def filled(template: str, **values: str) -> str:
    """A path template with its parameters percent-encoded, so that a value cannot add a step."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template
