"""
Recordings: one vcrpy cassette per test, with where it comes from written on top.

    provenance: {standing: sandbox, target: …, recorded_at: …, description: …, test: …, seed: …, digests: […], seal: …}
    interactions: [{request: …, response: …}]

A cassette that is damaged, was changed by hand or belongs to something else is no evidence and is refused, with the
file, the interaction and the reason. The digests guard against mistakes, not against malice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

from .meaning import meaning_now

CASSETTES: Final = Path(__file__).with_name("cassettes")
FORMAT: Final = 2  # raised when older cassettes can no longer be read
SANDBOX: Final = "sandbox"
LIVE: Final = "live"
# A folder each, so that neither is ever taken for the other.
STANDINGS: Final = (SANDBOX, LIVE)
# A recording that is older says little about a service of today.
OLD: Final = timedelta(days=180)

_INTERACTION: Final = re.compile(r"^- ", re.MULTILINE)
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class CassetteError(Exception):
    """A cassette cannot be evidence; the message names the file and the reason."""


@dataclass(frozen=True)
class Provenance:
    """
    Where a recording comes from.

    Args:
        standing: `sandbox`: our own, and no word about Coinbase's service; `live`: *target* as it was then.
        description: The meaning of the description it was recorded for.
        suite: The version of this package.
        has_control: Whether the control endpoints answered.
        digests: Of each interaction, as it was recorded.
        seal: Of everything else here.
    """

    standing: str
    target: str
    recorded_at: datetime
    description: str
    suite: str
    test: str
    seed: str
    has_control: bool = True
    format: int = FORMAT
    digests: list[str] = field(default_factory=list)
    seal: str = ""

    @property
    def whole(self) -> str:
        """The seal it should have."""
        return digest(asdict(self) | {"seal": "", "recorded_at": self.recorded_at.astimezone(UTC).isoformat()})

    @property
    def is_outdated(self) -> bool:
        """Whether the description has another meaning by now."""
        return self.description != meaning_now()


def digest(node: Any) -> str:
    """Of anything that is made of mappings, lists and scalars, whatever the order of keys; empty if it is not."""
    try:
        text = json.dumps(node, sort_keys=True, default=_as_text)
    except (TypeError, ValueError, RecursionError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _as_text(value: object) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else repr(value)


class _Loader(_LOADER):  # type: ignore[misc]  # chosen above
    """YAML without its oddest corner: of a key that is there twice the last would win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


class Serializer:
    """
    Text ↔ interactions, as vcrpy wants it; puts the provenance first, and refuses a cassette without.

    Args:
        standing: What must be written there.
    """

    def __init__(self, path: Path, provenance: Provenance | None = None, *, standing: str = "") -> None:
        self._path = path
        self._standing = standing
        self.provenance = provenance

    def serialize(self, cassette: dict[str, Any]) -> str:
        """The cassette as YAML."""
        if self.provenance is None:
            self._refuse("is about to be written without provenance")
        interactions = [dict(one) for one in cassette["interactions"]]
        provenance = replace(self.provenance, digests=[digest(one) for one in interactions])
        content = {"provenance": asdict(replace(provenance, seal=provenance.whole)), "interactions": interactions}
        return str(yaml.dump(content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=2**20))

    def deserialize(self, text: str) -> dict[str, Any]:
        """
        What vcrpy expects; keeps the provenance.

        Raises:
            CassetteError: Not such a cassette.
        """
        try:
            content = yaml.load(text, Loader=_Loader)  # noqa: S506 -- a safe one
        except yaml.YAMLError as exc:
            mark = getattr(exc, "problem_mark", None)
            where = "" if mark is None else f"{_place(text, mark.line)}: "
            self._refuse(f"is not YAML: {where}{getattr(exc, 'problem', None) or 'it has signs that no text has'}")
        except (RecursionError, ValueError) as exc:
            self._refuse(f"is not YAML: {type(exc).__name__}")
        if not isinstance(content, dict) or not isinstance(content.get("provenance"), dict):
            self._refuse("has no provenance; record it again")
        self.provenance = self._read(content["provenance"])
        if set(content) != {"provenance", "interactions"}:
            self._refuse("has more than a provenance and interactions")
        interactions = content["interactions"]
        if not isinstance(interactions, list) or not interactions:
            self._refuse("has no interactions")
        self._compare(interactions, self.provenance.digests)
        return {"version": 1, "interactions": interactions}

    def _compare(self, interactions: list[Any], recorded: list[str]) -> None:
        for number, interaction in enumerate(interactions):
            if not _is_interaction(interaction):
                self._refuse(f"interaction {number} has no whole request and response")
            found = digest(interaction)
            if number < len(recorded) and found == recorded[number]:
                continue
            if found in recorded:
                self._refuse(f"interaction {number} is not in its place; it was recorded as {recorded.index(found)}")
            what = "was added" if number >= len(recorded) else "is not as it was recorded"
            self._refuse(f"interaction {number} {what}: it was changed by hand; record it again")
        if len(interactions) < len(recorded):
            self._refuse(f"interaction {len(interactions)} is missing: {len(recorded)} were recorded")

    def _read(self, content: dict[str, Any]) -> Provenance:
        if content.get("format") != FORMAT:
            self._refuse(f"is of format {content.get('format')}, this suite reads {FORMAT}; record it again")
        try:
            read = Provenance(**content)
        except TypeError:
            known = {one.name for one in fields(Provenance)}
            odd = sorted(map(str, known ^ set(content)))
            self._refuse(f"has another provenance than expected: {', '.join(odd)}")
        if wrong := _wrong_types(content):
            self._refuse(f"has a provenance whose {wrong} cannot be")
        if read.standing not in STANDINGS or read.standing != (self._standing or read.standing):
            self._refuse(f"says that it is {read.standing!r}, which is not what belongs here")
        expected = f"{self._path.parent.name}/{self._path.stem}"
        if read.test != expected:
            self._refuse(f"was recorded for {read.test}")
        if read.seal != read.whole:
            self._refuse("has a provenance that was changed by hand; record it again")
        return read

    def _refuse(self, why: str) -> NoReturn:
        raise CassetteError(f"cassette {self._path.parent.name}/{self._path.name} {why}")


def _wrong_types(content: dict[str, Any]) -> str:
    """The first field that is of another type than it is declared to be."""
    time, digests = content.get("recorded_at"), content.get("digests", [])
    if not isinstance(time, datetime) or time.tzinfo is None:
        return "recorded_at"
    if not isinstance(digests, list) or not all(isinstance(one, str) for one in digests):
        return "digests"
    if not isinstance(content.get("has_control", True), bool):
        return "has_control"
    texts = ("standing", "target", "description", "suite", "test", "seed", "seal")
    return next((name for name in texts if not isinstance(content.get(name, ""), str)), "")


def _place(text: str, line: int) -> str:
    """Line and interaction, in words."""
    before = "\n".join(text.split("\n")[: line + 1])
    count = len(_INTERACTION.findall(before))
    part = f"interaction {count - 1}" if count else "provenance"
    return f"line {line + 1}, {part}"


def _is_interaction(node: Any) -> bool:
    try:
        request, response = node["request"], node["response"]
        return (
            set(node) == {"request", "response"}
            and all(isinstance(request[name], str) for name in ("method", "uri"))
            and isinstance(request["body"], str | bytes | None)
            and isinstance(response["body"]["string"], str | bytes)
            and type(response["status"]["code"]) is int
            and all(_is_headers(part["headers"]) for part in (request, response))
        )
    except (KeyError, TypeError, AttributeError):
        return False


def _is_headers(node: Any) -> bool:
    return all(
        isinstance(name, str) and isinstance(values, list) and all(isinstance(value, str) for value in values)
        for name, values in node.items()
    )


def read_text(path: Path) -> str:
    """
    What is written in a cassette.

    Raises:
        CassetteError: It cannot be read.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise CassetteError(f"cassette {name} cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError as exc:
        raise CassetteError(f"cassette {name} is not UTF-8, from byte {exc.start} on") from None


def read_cassette(path: Path, *, standing: str = "") -> tuple[Provenance, list[dict[str, Any]]]:
    """
    The provenance and the interactions of one cassette.

    Raises:
        CassetteError: It is damaged, or not of *standing*.
    """
    serializer = Serializer(path, standing=standing)
    interactions = serializer.deserialize(read_text(path))["interactions"]
    if serializer.provenance is None:
        raise CassetteError(f"cassette {path.name} has no provenance")
    return serializer.provenance, interactions


def cassette_path(folder: Path, test: str) -> Path:
    """Where the cassette of *test*, `module/name`, lies."""
    return folder / f"{test}.yaml"


def days(played: Iterable[Provenance]) -> str:
    """`2026-11-20`, or `2026-11-20 to 2026-11-21`: the oldest and the newest day of recording."""
    found = sorted({one.recorded_at.astimezone(UTC).date().isoformat() for one in played})
    return " to ".join(dict.fromkeys((found[0], found[-1]))) if found else "no day"


def aged(played: Sequence[Provenance], now: datetime) -> str:
    """A warning when the oldest recording is OLD; else an empty text."""
    age = now - min((one.recorded_at for one in played), default=now)
    return f"the oldest recording is {age.days} days old; record again" if age > OLD else ""
