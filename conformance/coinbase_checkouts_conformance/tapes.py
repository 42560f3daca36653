"""
Where tests are played: on a recorder, or on what was recorded.

Strict: method, path, query, body and idempotency key of a request must all be as recorded, and what is missing or
left over is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import vcr  # type: ignore[import-untyped]  # ships no types
from vcr.cassette import Cassette  # type: ignore[import-untyped]  # ships no types
from vcr.errors import CannotOverwriteExistingCassetteException  # type: ignore[import-untyped]  # ships no types
from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped]  # ships no types
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]  # ships no types
from vcr.request import Request  # type: ignore[import-untyped]  # ships no types
from vcr.serialize import deserialize, serialize  # type: ignore[import-untyped]  # ships no types

from .cassettes import SANDBOX, CassetteError, Provenance, Serializer, cassette_path, read_text
from .meaning import meaning_now
from .plugin import Tape
from .scrub import excerpt, scrubbed
from .seeds import Seed
from .wire import NotTriedError

# Ports, hosts and what stands before the path of an operation do not matter to what is claimed.
_HOST: Final = "http://sandbox.invalid"
# Where `coinbase-checkouts sandbox` listens, if nobody tells it otherwise.
_SANDBOX: Final = "http://127.0.0.1:8402"
_OWN_HOST: Final = re.compile(rb"http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+")
_PREFIX: Final = re.compile(r"\A[^?]*?(?=/api/v1/checkouts)")
_KEPT: Final = {"request": ("content-type", "x-idempotency-key"), "response": ("content-type",)}
_MATCHED: Final = ("method", "path", "query", "body", "x-idempotency-key")
Scrub = Callable[[str], str]


class Persister:
    """vcrpy's own takes the encoding and the line ends of the machine; ours are UTF-8 and LF everywhere."""

    @staticmethod
    def load_cassette(cassette_path: str, serializer: Serializer) -> Any:
        path = Path(cassette_path)
        if not path.exists():
            raise CassetteNotFoundError
        return deserialize(read_text(path), serializer)

    @staticmethod
    def save_cassette(cassette_path: str, cassette_dict: dict[str, Any], serializer: Serializer) -> None:
        path = Path(cassette_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(serialize(cassette_dict, serializer), encoding="utf-8", newline="\n")


def cleaned_request(request: Request, scrub: Scrub = scrubbed) -> Request:
    """What is kept of a request, and matched: no host, no token."""
    path = _PREFIX.sub("", f"/{request.uri.partition('://')[2].partition('/')[2]}")
    headers = {name: request.headers[name] for name in _KEPT["request"] if name in request.headers}
    body = _cleaned_body(request.body if isinstance(request.body, bytes) else None, scrub)
    return Request(request.method, scrub(f"{_HOST}{path}"), body, headers)


def cleaned_response(response: dict[str, Any], scrub: Scrub = scrubbed) -> dict[str, Any] | None:
    """What is kept of a response: status, media type, body; no date, no server. Of 429 nothing: it is asked again."""
    if response["status"]["code"] == 429:
        return None
    headers = {name: values for name, values in response["headers"].items() if name.lower() in _KEPT["response"]}
    body = {"string": _cleaned_body(_OWN_HOST.sub(_HOST.encode(), response["body"]["string"]), scrub)}
    return {"status": response["status"], "headers": headers, "body": body}


def _cleaned_body(body: bytes | None, scrub: Scrub) -> bytes | None:
    try:
        return None if body is None else scrub(body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _part(request: Request, name: str) -> object:
    path, _, query = request.uri.removeprefix(_HOST).partition("?")
    parts = {"method": request.method, "path": path, "query": query, "body": request.body or b""}
    return parts[name] if name in parts else request.headers.get(name)


def _matcher(name: str) -> Callable[[Request, Request], None]:
    def compare(one: Request, other: Request) -> None:
        if _part(one, name) != _part(other, name):
            raise AssertionError(f"{_part(one, name)!r} is not {_part(other, name)!r}")

    return compare


@contextmanager
def _inserted(path: Path, serializer: Serializer, mode: RecordMode, scrub: Scrub = scrubbed) -> Generator[Cassette]:
    machine = vcr.VCR(
        before_record_request=partial(cleaned_request, scrub=scrub),
        before_record_response=partial(cleaned_response, scrub=scrub),
    )
    machine.register_serializer("provenance", serializer)
    machine.register_persister(Persister)
    for name in _MATCHED:
        machine.register_matcher(f"same {name}", _matcher(name))
    options = {"serializer": "provenance", "record_mode": mode, "match_on": [f"same {name}" for name in _MATCHED]}
    with machine.use_cassette(str(path), **options) as cassette:
        yield cassette


@dataclass(frozen=True)
class Recorder:
    """
    Records into *folder*, one cassette per test; of a test that does not pass nothing is kept but what was there.

    Args:
        scrub: Takes out of both directions what may not be kept.
        fresh: A new text for each test's seed. Without it the seed is derived from the test's name, so that
            recording again changes times and ids only; a service that remembers keys has to be given new ones.
    """

    folder: Path
    target: str
    standing: str = SANDBOX
    has_control: bool = True
    scrub: Scrub = scrubbed
    fresh: Callable[[], str] | None = None

    @contextmanager
    def tape(self, test: str) -> Generator[Tape]:
        now = datetime.now(UTC).replace(microsecond=0)
        path = cassette_path(self.folder, test)
        seed = Seed(f"{'recorded' if self.fresh is None else self.fresh()}/{test}")
        provenance = Provenance(
            self.standing,
            self.target,
            now,
            meaning_now(),
            version("coinbase-checkouts"),
            test,
            seed.text,
            self.has_control,
        )
        passed: list[bool] = []
        older = path.read_bytes() if path.is_file() else None
        path.unlink(missing_ok=True)
        try:
            with _inserted(path, Serializer(path, provenance), RecordMode.ALL, self.scrub):
                yield Tape(
                    seed,
                    has_control=self.has_control,
                    now=now,
                    standing=self.standing,
                    target=self.target,
                    check=lambda: passed.append(True),
                )
        finally:
            if not passed:
                path.unlink(missing_ok=True)
            if not passed and older is not None:
                path.write_bytes(older)


class Player:
    """
    Plays what lies in *folder*; *played* is what was.

    Args:
        standing: What the folder holds. What is outdated is refused, unless it is `live`: that cannot be had anew
            at will, and is judged by the description of today.
    """

    def __init__(self, folder: Path, standing: str = SANDBOX) -> None:
        self._folder = folder
        self._standing = standing
        self.played: Final[list[Provenance]] = []
        self._asked: Final[set[Path]] = set()

    @property
    def stray(self) -> list[str]:
        """The cassettes that no test asked for, by their names in the folder."""
        there = set(self._folder.rglob("*.yaml"))
        return sorted(path.relative_to(self._folder).as_posix() for path in there - self._asked)

    @contextmanager
    def tape(self, test: str) -> Generator[Tape]:
        """
        Raises:
            CassetteError: There is none, it is damaged or outdated, or something in it was not used.
        """
        path = cassette_path(self._folder, test)
        self._asked.add(path)
        if not path.exists() and self._standing != SANDBOX:
            raise NotTriedError("no such recording")
        if not path.exists():
            raise CassetteError(f"cassette {test}.yaml is missing; `nox -s record` makes it")
        serializer = Serializer(path, standing=self._standing)
        with _inserted(path, serializer, RecordMode.NONE) as cassette:
            provenance = serializer.provenance
            if provenance is None:
                raise CassetteError(f"cassette {test}.yaml is empty")
            if provenance.is_outdated and self._standing == SANDBOX:
                raise CassetteError(
                    f"cassette {test}.yaml is outdated: it was recorded for another meaning of the description "
                    f"({provenance.description[:12]}…); record it again"
                )
            self.played.append(provenance)
            yield Tape(
                Seed(provenance.seed),
                has_control=provenance.has_control,
                now=provenance.recorded_at,
                standing=provenance.standing,
                target=provenance.target,
                base_url=_SANDBOX if provenance.standing == SANDBOX else provenance.target,
                check=lambda: _all_used(test, cassette),
                explained=partial(_explained, test),
            )


def _line(request: Request) -> str:
    return f"{request.method} {request.uri.removeprefix(_HOST)}"


def _all_used(test: str, cassette: Cassette) -> None:
    for number, request in enumerate(cassette.requests):
        if not cassette.play_counts[number]:
            raise CassetteError(f"cassette {test}.yaml: interaction {number}, {_line(request)}, was not used")


def _explained(test: str, error: BaseException) -> BaseException:
    """What vcrpy says of a request that was not recorded, in a line."""
    if not isinstance(error, CannotOverwriteExistingCassetteException):
        return error
    cassette, asked = error.cassette, error.failed_request
    unused = [number for number in range(len(cassette)) if not cassette.play_counts[number]]
    if not unused:
        return CassetteError(f"cassette {test}.yaml has no interaction {len(cassette)}, {_line(asked)}")
    recorded = cassette.requests[unused[0]]
    differs = next((name for name in _MATCHED if _part(asked, name) != _part(recorded, name)), "answer")
    now, then = (excerpt(str(_part(one, differs)), limit=200) for one in (asked, recorded))
    return CassetteError(
        f"cassette {test}.yaml: interaction {unused[0]}, {_line(recorded)}, has another {differs} than is asked for: "
        f"{then} was recorded, {now} is asked"
    )
