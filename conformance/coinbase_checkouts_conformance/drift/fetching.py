"""
A description from a URL, and a copy kept beside its ETag: what did not change is not sent again.

The copy is no answer: where a server does not give one, that is said, and only `--offline` takes the copy instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from .problems import CouldNotCompareError

if TYPE_CHECKING:
    import httpx

LARGEST_BYTES: Final = 64 * 1024 * 1024
_SILENCE_S: Final = 15.0
# Codings are asked for and undone here: a library undoes as many as an answer names, each a thousand times as long.
_CODINGS: Final = {"": False, "identity": False, "gzip": True, "x-gzip": True, "deflate": True}
_VALIDATORS: Final = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}

T = TypeVar("T")


def cache_folder() -> Path:
    """Where copies are kept: the user's cache folder, by the customs of the system."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "coinbase-checkouts" / "drift"


def called(url: str) -> str:
    """*url* as it may be shown: without a password, and without what a query says."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return url
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


@dataclass(frozen=True)
class _Copy:
    validators: dict[str, str]
    content: bytes


@dataclass(frozen=True)
class Fetcher:
    """
    Fetches over HTTP.

    Args:
        folder: Where copies are kept.
        offline: Take copies, and ask nobody.
        within_s: How long an answer may take as a whole, redirects included.
    """

    folder: Path
    offline: bool = False
    within_s: float = 60.0

    def fetch(self, url: str, read: Callable[[bytes], T]) -> T:
        """
        What *read* makes of the answer of *url*, or of the copy when the server says that it is still good.

        Raises:
            CouldNotCompareError: No answer, none in time, an error, too much, less than was announced, or *read*'s own.
        """
        copy = self._copy(url)
        if self.offline:
            if copy is None:
                raise CouldNotCompareError(f"{called(url)}: there is no copy of it; run once without --offline")
            return read(copy.content)
        try:
            validators, content = self._asked(url, copy)
        except CouldNotCompareError as exc:
            hint = "" if copy is None else "; --offline takes the copy that was kept"
            raise CouldNotCompareError(f"{called(url)}: {exc}{hint}") from None
        made = read(content)
        # Only what could be read takes the place of a copy that could.
        if copy is None or content is not copy.content:
            self._keep(url, _Copy(validators, content))
        return made

    def _asked(self, url: str, copy: _Copy | None) -> tuple[dict[str, str], bytes]:
        # Here, for most sides are files.
        import httpx  # noqa: PLC0415

        from coinbase_checkouts.connections import ENDS_S, sync_client  # noqa: PLC0415

        headers = {
            "Accept": "application/yaml, application/json, text/yaml, */*;q=0.5",
            "Accept-Encoding": "gzip",
            **{_VALIDATORS[name]: value for name, value in (copy.validators if copy else {}).items()},
        }
        ends = time.monotonic() + self.within_s
        token = ENDS_S.set(ends)
        try:
            with (
                sync_client() as client,
                client.stream("GET", url, headers=headers, timeout=_SILENCE_S, follow_redirects=True) as answer,
            ):
                if answer.url.scheme == "http" and any(one.url.scheme == "https" for one in answer.history):
                    raise CouldNotCompareError("is redirected from https to http")
                if answer.status_code == 304 and copy is not None and copy.validators:
                    return copy.validators, copy.content
                if answer.status_code != 200:
                    raise CouldNotCompareError(f"answers {answer.status_code}")
                return {name: answer.headers[name] for name in _VALIDATORS if name in answer.headers}, _content(answer)
        except httpx.TimeoutException:
            if time.monotonic() < ends:
                raise CouldNotCompareError(f"no answer for {_SILENCE_S:g} s") from None
            raise CouldNotCompareError(f"was not received whole within {self.within_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as exc:
            raise CouldNotCompareError(str(exc) or type(exc).__name__) from None
        finally:
            ENDS_S.reset(token)

    def _path(self, url: str) -> Path:
        return self.folder / f"{hashlib.sha256(url.encode(errors='surrogatepass')).hexdigest()[:32]}.copy"

    def _copy(self, url: str) -> _Copy | None:
        """The copy; one that was cut off or changed is none."""
        try:
            digest, _, kept = self._path(url).read_bytes().partition(b"\n")
            if digest.decode() != hashlib.sha256(kept).hexdigest():
                return None
            validators, _, content = kept.partition(b"\n")
            return _Copy(json.loads(validators), content)
        except (OSError, ValueError):
            return None

    def _keep(self, url: str, copy: _Copy) -> None:
        import tempfile  # noqa: PLC0415 -- for URLs only

        kept = json.dumps(copy.validators).encode() + b"\n" + copy.content
        # Without a cache it works, too; and whoever reads meanwhile has the old copy or the new one.
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            file, name = tempfile.mkstemp(dir=self.folder)
            scratch = Path(name)
            try:
                with os.fdopen(file, "wb") as writing:
                    writing.write(hashlib.sha256(kept).hexdigest().encode() + b"\n" + kept)
                scratch.replace(self._path(url))
            except OSError:
                scratch.unlink(missing_ok=True)


def _content(answer: httpx.Response) -> bytes:
    coding = answer.headers.get("content-encoding", "").strip().lower()
    if coding not in _CODINGS:
        raise CouldNotCompareError(f"answers in the coding {coding[:40]}, which was not asked for")
    received = bytearray()
    for chunk in answer.iter_raw():
        received += chunk
        _bounded(len(received))
    if not _CODINGS[coding]:
        return bytes(received)
    # 32 + 15: gzip or zlib, whichever it is.
    undoing = zlib.decompressobj(47)
    try:
        content = undoing.decompress(bytes(received), LARGEST_BYTES + 1)
    except zlib.error:
        raise CouldNotCompareError(f"is no {coding}, as it says") from None
    _bounded(len(content))
    if not undoing.eof or undoing.unused_data:
        raise CouldNotCompareError("is cut off, or has more behind its end")
    return content


def _bounded(size: int) -> None:
    if size > LARGEST_BYTES:
        raise CouldNotCompareError(f"sends more than {LARGEST_BYTES // 1024 // 1024} MiB")
