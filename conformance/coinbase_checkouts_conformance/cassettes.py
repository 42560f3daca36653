"""
Recordings: one vcrpy cassette per test, with where it comes from written on top.

    provenance: {standing: sandbox, target: …, recorded_at: …, description_sha256: …, test: …, seed: …}
    interactions: [{request: …, response: …}]

Strict: method, path, query, body and idempotency key of a request must all be as recorded, what is missing or left
over is an error, and a cassette without provenance is no evidence and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import vcr  # type: ignore[import-untyped]  # ships no types
import yaml
from vcr.cassette import Cassette  # type: ignore[import-untyped]  # ships no types
from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped]  # ships no types
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]  # ships no types
from vcr.request import Request  # type: ignore[import-untyped]  # ships no types
from vcr.serialize import deserialize, serialize  # type: ignore[import-untyped]  # ships no types

from .plugin import Tape
from .scrub import scrubbed
from .seeds import Seed

CASSETTES: Final = Path(__file__).with_name("cassettes")
FORMAT: Final = 1  # raised when older cassettes can no longer be read

# Ports and hosts do not matter to what is claimed.
_HOST: Final = "http://sandbox.invalid"
_OWN_HOST: Final = re.compile(rb"http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+")
_KEPT: Final = {"request": ("content-type", "x-idempotency-key"), "response": ("content-type",)}
_MATCHED: Final = ("method", "path", "query", "body", "x-idempotency-key")


class CassetteError(Exception):
    """A cassette cannot be evidence; the message names the file and the reason."""


@dataclass(frozen=True)
class Provenance:
    """
    Where a recording comes from.

    Args:
        standing: `sandbox`: recorded from our own sandbox, and no word about Coinbase's service.
        has_control: Whether the control endpoints answered.
    """

    standing: str
    target: str
    recorded_at: datetime
    description_sha256: str
    test: str
    seed: str
    has_control: bool = True
    format: int = FORMAT


class Serializer:
    """A vcrpy serializer that puts the provenance first, and refuses a cassette without."""

    def __init__(self, path: Path, provenance: Provenance | None = None) -> None:
        self._path = path
        self.provenance = provenance

    def serialize(self, cassette: dict[str, Any]) -> str:
        """The cassette as YAML."""
        if self.provenance is None:
            self._refuse("is about to be written without provenance")
        content = {"provenance": asdict(self.provenance), "interactions": cassette["interactions"]}
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        return yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True, width=2**20)

    def deserialize(self, text: str) -> dict[str, Any]:
        """
        What vcrpy expects; keeps the provenance.

        Raises:
            CassetteError: Not such a cassette.
        """
        try:
            content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe
        except yaml.YAMLError as exc:
            self._refuse(f"is not YAML: {' '.join(str(exc).split())[:200]}")
        if not isinstance(content, dict) or not isinstance(content.get("provenance"), dict):
            self._refuse("has no provenance; record it again")
        self.provenance = self._read(content["provenance"])
        interactions = content.get("interactions")
        if not isinstance(interactions, list) or not interactions:
            self._refuse("has no interactions")
        for number, interaction in enumerate(interactions):
            if not _is_interaction(interaction):
                self._refuse(f"interaction {number} has no whole request and response")
        return {"version": 1, "interactions": interactions}

    def _read(self, fields: dict[str, Any]) -> Provenance:
        if fields.get("format") != FORMAT:
            self._refuse(f"is of format {fields.get('format')}, this suite reads {FORMAT}; record it again")
        try:
            read = Provenance(**fields)
        except TypeError as exc:
            self._refuse(f"has another provenance than expected: {str(exc).partition(') ')[2]}")
        if not isinstance(fields["recorded_at"], datetime) or read.standing != "sandbox":
            self._refuse("has a provenance without time, or of unknown standing")
        expected = f"{self._path.parent.name}/{self._path.stem}"
        if read.test != expected:
            self._refuse(f"was recorded for {read.test}")
        return read

    def _refuse(self, why: str) -> NoReturn:
        raise CassetteError(f"cassette {self._path.parent.name}/{self._path.name} {why}")


def _is_interaction(node: Any) -> bool:
    try:
        request, response = node["request"], node["response"]
        texts = (request["method"], request["uri"])
        return (
            all(isinstance(text, str) for text in texts)
            and isinstance(response["status"]["code"], int)
            and "string" in response["body"]
            and isinstance(request["headers"], dict)
        )
    except (KeyError, TypeError):
        return False


def read_cassette(path: Path) -> tuple[Provenance, list[dict[str, Any]]]:
    """
    The provenance and the interactions of one cassette.

    Raises:
        CassetteError: It is damaged.
    """
    serializer = Serializer(path)
    interactions = serializer.deserialize(path.read_text(encoding="utf-8"))["interactions"]
    if serializer.provenance is None:
        raise CassetteError(f"cassette {path.name} has no provenance")
    return serializer.provenance, interactions


class Persister:
    """vcrpy's own takes the encoding and the line ends of the machine; ours are UTF-8 and LF everywhere."""

    @staticmethod
    def load_cassette(cassette_path: str, serializer: Serializer) -> Any:
        path = Path(cassette_path)
        if not path.is_file():
            raise CassetteNotFoundError
        return deserialize(path.read_text(encoding="utf-8"), serializer)

    @staticmethod
    def save_cassette(cassette_path: str, cassette_dict: dict[str, Any], serializer: Serializer) -> None:
        path = Path(cassette_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(serialize(cassette_dict, serializer), encoding="utf-8", newline="\n")


def cleaned_request(request: Request) -> Request:
    """What is kept of a request, and matched: no host, no token."""
    path = request.uri.partition("://")[2].partition("/")[2]
    headers = {name: request.headers[name] for name in _KEPT["request"] if name in request.headers}
    return Request(
        request.method,
        scrubbed(f"{_HOST}/{path}"),
        _cleaned_body(request.body if isinstance(request.body, bytes) else None),
        headers,
    )


def cleaned_response(response: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a response: status, media type, body; no date, no server."""
    headers = {name: values for name, values in response["headers"].items() if name.lower() in _KEPT["response"]}
    body = {"string": _cleaned_body(_OWN_HOST.sub(_HOST.encode(), response["body"]["string"]))}
    return {"status": response["status"], "headers": headers, "body": body}


def _cleaned_body(body: bytes | None) -> bytes | None:
    try:
        return None if body is None else scrubbed(body.decode()).encode()
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
def _inserted(path: Path, serializer: Serializer, mode: RecordMode) -> Generator[Cassette]:
    machine = vcr.VCR(before_record_request=cleaned_request, before_record_response=cleaned_response)
    machine.register_serializer("provenance", serializer)
    machine.register_persister(Persister)
    for name in _MATCHED:
        machine.register_matcher(f"same {name}", _matcher(name))
    options = {"serializer": "provenance", "record_mode": mode, "match_on": [f"same {name}" for name in _MATCHED]}
    with machine.use_cassette(str(path), **options) as cassette:
        yield cassette


def cassette_path(folder: Path, test: str) -> Path:
    """Where the cassette of *test*, `module/name`, lies."""
    return folder / f"{test}.yaml"


@dataclass(frozen=True)
class Recorder:
    """Records into *folder*, one cassette per test."""

    folder: Path
    target: str
    description_sha256: str

    @contextmanager
    def tape(self, test: str) -> Generator[Tape]:
        now = datetime.now(UTC).replace(microsecond=0)
        path = cassette_path(self.folder, test)
        # Derived from the name, so that recording again changes times and ids only.
        seed = Seed(f"recorded/{test}")
        provenance = Provenance("sandbox", self.target, now, self.description_sha256, test, seed.text)
        # vcrpy would add to what is there.
        path.unlink(missing_ok=True)
        with _inserted(path, Serializer(path, provenance), RecordMode.ALL):
            yield Tape(seed, has_control=True, now=now, standing=provenance.standing, target=self.target)


class Player:
    """Plays what lies in *folder*; *played* is what was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.played: Final[list[Provenance]] = []

    @contextmanager
    def tape(self, test: str) -> Generator[Tape]:
        """
        Raises:
            CassetteError: There is none, it is damaged, or something in it was not used.
        """
        path = cassette_path(self._folder, test)
        if not path.is_file():
            raise CassetteError(f"cassette {test}.yaml is missing; `nox -s record` makes it")
        serializer = Serializer(path)
        with _inserted(path, serializer, RecordMode.NONE) as cassette:
            provenance = serializer.provenance
            if provenance is None:
                raise CassetteError(f"cassette {test}.yaml is empty")
            self.played.append(provenance)
            yield Tape(
                Seed(provenance.seed),
                has_control=provenance.has_control,
                now=provenance.recorded_at,
                standing=provenance.standing,
                target=provenance.target,
                check=lambda: _all_used(test, cassette),
            )


def _all_used(test: str, cassette: Cassette) -> None:
    for number, request in enumerate(cassette.requests):
        if not cassette.play_counts[number]:
            line = f"{request.method} {request.uri.removeprefix(_HOST)}"
            raise CassetteError(f"cassette {test}.yaml: interaction {number}, {line}, was not used")
