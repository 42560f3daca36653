"""
A description from a URL, and a copy kept beside its ETag: what did not change is not sent again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from .problems import CouldNotCompareError

LARGEST_BYTES: Final = 64 * 1024 * 1024
_ATTEMPT_S: Final = 15.0
_WHOLE_S: Final = 60.0


def cache_folder() -> Path:
    """Where copies are kept: the user's cache folder, by the customs of the system."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "coinbase-checkouts" / "drift"


@dataclass(frozen=True)
class Fetcher:
    """
    Fetches over HTTP.

    Args:
        folder: Where copies are kept.
        transport: Another way to the network; None for httpx's own.
    """

    folder: Path
    transport: httpx.BaseTransport | None = None

    def fetch(self, url: str) -> bytes:
        """
        What *url* answers, from the copy when the server says that it is still good.

        Raises:
            CouldNotCompareError: No answer, none in time, an error, too much, or less than was announced.
        """
        kept, body = self._kept(url)
        headers = {"Accept": "application/yaml, application/json, text/yaml, */*;q=0.5"}
        if "etag" in kept:
            headers["If-None-Match"] = kept["etag"]
        if "last-modified" in kept:
            headers["If-Modified-Since"] = kept["last-modified"]
        try:
            with (
                httpx.Client(timeout=_ATTEMPT_S, follow_redirects=True, transport=self.transport) as client,
                client.stream("GET", url, headers=headers) as answer,
            ):
                if answer.status_code == 304:
                    return body
                if answer.status_code != 200:
                    raise CouldNotCompareError(f"{url}: answers {answer.status_code}")
                content = _read(url, answer)
        except httpx.TimeoutException:
            raise CouldNotCompareError(f"{url}: no answer within {_ATTEMPT_S:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as exc:
            raise CouldNotCompareError(f"{url}: {str(exc) or type(exc).__name__}") from None
        self._keep(url, answer, content)
        return content

    def _paths(self, url: str) -> tuple[Path, Path]:
        stem = hashlib.sha256(url.encode()).hexdigest()[:32]
        return self.folder / f"{stem}.json", self.folder / f"{stem}.body"

    def _kept(self, url: str) -> tuple[dict[str, str], bytes]:
        about, body = self._paths(url)
        try:
            kept: Any = json.loads(about.read_bytes())
            content = body.read_bytes()
            # A copy that another run is just writing, or that was cut off, is none.
            if kept["url"] == url and kept["sha256"] == hashlib.sha256(content).hexdigest():
                return {str(key): str(value) for key, value in kept["headers"].items()}, content
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return {}, b""

    def _keep(self, url: str, answer: httpx.Response, content: bytes) -> None:
        headers = {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}
        if not headers:
            return
        about, body = self._paths(url)
        kept = {"url": url, "sha256": hashlib.sha256(content).hexdigest(), "headers": headers}
        # Without a cache it works, too.
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            body.write_bytes(content)
            about.write_text(json.dumps(kept), encoding="utf-8")


def _read(url: str, answer: httpx.Response) -> bytes:
    ends = time.monotonic() + _WHOLE_S
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > LARGEST_BYTES:
            raise CouldNotCompareError(f"{url}: sends more than {LARGEST_BYTES // 1024 // 1024} MiB")
        if time.monotonic() > ends:
            raise CouldNotCompareError(f"{url}: was not received whole within {_WHOLE_S:g} s")
    return bytes(content)
