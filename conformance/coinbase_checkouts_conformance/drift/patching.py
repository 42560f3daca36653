"""
What was observed as a unified diff of the description, for a person to accept or refuse.

Each addition has an x-source, and each kind of evidence an entry in x-documents. `observed` is for the real service and
for traffic that may be with it; what only a sandbox was seen to do is `assumed`, and says so.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from .document import At
from .observed import SANDBOX, Observation
from .observed_reports import Observing
from .observing import Looker, is_media, is_status, media
from .problems import CouldNotCompareError
from .reading import read
from .yaml_editing import Flow, YamlText

_NOWHERE: Final = "Observed. No published document has it."
_NOT_REAL: Final = "Seen in a sandbox only, which is no word about the real service."
_TITLES: Final = {
    SANDBOX: "Recorded from a sandbox, not from the real service",
    "live": "Recorded from a service",
    "har": "Traffic recorded in HAR files",
    "cassette": "Traffic recorded in cassettes",
    "log": "What the drift sensor of a client reported",
}
_MOST_FILES: Final = 3


def as_patch(path: Path, result: Observing, files: Mapping[str, Iterable[str]], *, today: date) -> str:
    """
    The diff of the description at *path*, after lines that begin with `#`; those lines alone if nothing is to be added.

    Args:
        files: What was read, by provenance.

    Raises:
        CouldNotCompareError: The description cannot be edited.
    """
    try:
        before = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise CouldNotCompareError(f"{path}: a patch needs a description in YAML; name it with --description") from None
    if before.lstrip("\ufeff \t\r\n").startswith("{"):
        raise CouldNotCompareError(f"{path}: is JSON; a patch is made of YAML")
    edit = _Edit(YamlText(before), today, files, result.targets)
    told = [one for one in result.observations if one.fails]
    notes = [] if told else ["Nothing was observed that is not described."]
    for one in told:
        try:
            if why := edit.take(one):
                notes.append(f"to decide: {one.message} ({one.pointer}); {why}")
        except CouldNotCompareError as exc:
            notes.append(f"to decide: {one.message}; {exc}")
    after = edit.done()
    if after != before:
        read(str(path), after.encode())  # what is proposed can be read
    head = [
        f"Proposed by `coinbase-checkouts drift observed` on {today.isoformat()}, for a person to accept or refuse.",
        result.evidence,
        *([_NOT_REAL] if any(one.is_of_sandbox for one in told) else []),
        *notes,
    ]
    name = _name(path)
    comments = "".join(f"# {' '.join(line.split())}\n" for line in head)
    return comments + "".join(_diff(before, after, name))


def _diff(before: str, after: str, name: str) -> Iterator[str]:
    for line in difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """As git sees them, which knows one end of line only."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _name(path: Path) -> str:
    """As git calls it."""
    whole = path.resolve()
    for folder in whole.parents:
        if (folder / ".git").exists():
            return whole.relative_to(folder).as_posix()
    here = Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else path.name


@dataclass
class _Edit:
    """Turns observations into additions; those to one place are made together."""

    text: YamlText
    today: date
    files: Mapping[str, Iterable[str]]
    targets: Mapping[str, Iterable[str]]
    _documents: dict[str, Flow] = field(default_factory=dict)
    _fields: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    _values: dict[str, list[Observation]] = field(default_factory=lambda: defaultdict(list))
    _headers: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    _media: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    _shared: dict[str, Any] = field(default_factory=dict)
    _owners: dict[str, At] = field(default_factory=dict)

    def take(self, one: Observation) -> str:
        """Plan the addition for *one*; why there is none, if so."""
        at = one.at
        self._owners[at.pointer] = at
        match one.kind:
            case "field" if one.name:
                schema = one.shape.schema({"description": _NOWHERE, **self._source(one)})
                self._fields[at.pointer][one.name] = schema
            case "value" if one.name:
                self._values[at.pointer].append(one)
            case "status" if is_status(one.name):
                self._status(one)
            case "header" if one.name:
                self._header(one)
            case "media" if one.name:
                self._media[at.pointer][one.name] = {"schema": self._content(one, at, one.name), **self._source(one)}
            case "field" | "value" | "media" | "status" | "header":
                return "its name is not one that can be written down"
            case _:
                return "no addition says it"
        return ""

    def _status(self, one: Observation) -> None:
        at = one.at
        lower = [name for name in at.value if name.isdecimal() and int(name) < int(one.name)]
        schemas = {name: {"schema": self._content(one, at, name)} for name in one.reply.media if is_media(name)}
        headers = {name: _header(self._source(one)) for name in one.reply.headers}
        entry = {
            "description": _NOWHERE,
            **self._source(one),
            **({"headers": headers} if headers else {}),
            **({"content": schemas} if schemas else {}),
        }
        self.text.add(at.pointer, {one.name: entry}, after=max(lower, key=int, default=None))

    def _header(self, one: Observation) -> None:
        described = _header(self._source(one))
        if len(one.ats) > 1:
            self._shared[one.name] = described
            described = {"$ref": f"#/components/headers/{one.name}"}
        for pointer, at in one.ats.items():
            self._owners[pointer] = at
            self._headers[pointer][one.name] = described

    def _content(self, one: Observation, at: At, media_type: str) -> dict[str, Any]:
        """The schema of what came: one that there is, if it fits, or one that was inferred."""
        shape = one.reply.media.get(media_type)
        if shape is None or not shape.is_known:
            return {"type": "string"}
        looker = Looker(at.document)
        # What is inside another media type was looked at as if it had the right one, so its details are told already.
        whole = one.kind != "media"
        for content in _near(one, at) if one.reply.is_kept else ():
            if all(looker.is_like(content, answer, whole=whole) for answer in one.reply.answers):
                schema = content.get("schema")
                if schema is not None:
                    ref = schema.text("$ref")
                    return Flow({"$ref": ref or schema.pointer})
        return shape.schema({"description": _NOWHERE, **self._source(one)}, is_field=False)

    def _source(self, one: Observation) -> dict[str, Any]:
        note = {"note": _NOT_REAL} if one.is_of_sandbox else {}
        standing = "assumed" if one.is_of_sandbox else "observed"
        return {
            "x-source": Flow(document=[self._document(name) for name in one.provenances], standing=standing, **note)
        }

    def _document(self, provenance: str) -> str:
        name = f"observed-{provenance}-{self.today.isoformat()}"
        files = list(self.files.get(provenance, ()))
        more = f" and {len(files) - _MOST_FILES} more" if len(files) > _MOST_FILES else ""
        targets = ", ".join(self.targets.get(provenance, ()))
        title = f"{_TITLES[provenance]}: {', '.join(files[:_MOST_FILES])}{more}" + (f" ({targets})" if targets else "")
        publisher = "coinbase-checkouts" if provenance == SANDBOX else "whoever recorded it"
        self._documents[name] = Flow(title=title, publisher=publisher, read=self.today.isoformat())
        return name

    def done(self) -> str:
        """The text with all additions."""
        for pointer, entries in self._fields.items():
            self._put(pointer, "properties", entries)
        for pointer, found in self._values.items():
            self._enum(pointer, found)
        for pointer, entries in self._headers.items():
            self._put(pointer, "headers", entries)
        for pointer, entries in self._media.items():
            self._put(pointer, "content", entries)
        if self._shared:
            self._put("#/components", "headers", self._shared)
        known = next(iter(self._owners.values())).document.data.get("x-documents") or {} if self._owners else {}
        new = {name: entry for name, entry in self._documents.items() if name not in known}
        if new:
            self._put("#", "x-documents", new)
        return self.text.done()

    def _put(self, pointer: str, key: str, entries: Mapping[str, Any]) -> None:
        if self.text.has(f"{pointer}/{key}"):
            self.text.add(f"{pointer}/{key}", entries)
        else:
            self.text.add(pointer, {key: entries})

    def _enum(self, pointer: str, found: list[Observation]) -> None:
        names = [one.name for one in found]
        self.text.append(f"{pointer}/enum", names)
        told = f"{', '.join(names)} observed; no published document has it."
        told += f" {_NOT_REAL}" if all(one.is_of_sandbox for one in found) else ""
        documents = [name for one in found for name in self._source(one)["x-source"]["document"]]
        written = self._owners[pointer].value.get("x-source")
        if isinstance(written, dict):
            note = " ".join(filter(None, (str(written.get("note") or ""), told)))
            cited = [*written.get("document", ()), *documents]
            self.text.replace(f"{pointer}/x-source", {**written, "document": list(dict.fromkeys(cited)), "note": note})
        else:
            source = {**self._source(found[0])["x-source"], "note": told}
            self.text.add(pointer, {"x-source": Flow(source, document=list(dict.fromkeys(documents)))})


def _header(source: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": _NOWHERE, "schema": {"type": "string"}, **source}


def _near(one: Observation, at: At) -> Iterator[At]:
    """What an answer of another status may be like: of the same operation, those of the same hundred first."""
    if one.kind == "media":
        candidates = [at]
    else:
        candidates = [
            answer.resolved() for _, answer in sorted(at.items(), key=lambda pair: pair[0][:1] != one.name[:1])
        ]
    found = (media(answer, "application/json") for answer in candidates)
    return (content for content in found if content is not None)
