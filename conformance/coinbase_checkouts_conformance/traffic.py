"""
Traffic: requests and their answers, wherever they come from, as what later steps read.

A run keeps its own; cassettes and HAR files hold that of others. Coverage counts it, invariants are held against it,
drift is looked for in it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import httpx
import yaml

from .description import Description, Operation, description

# What a recording may be called; the three are never added up.
DOCUMENTED: Final = "documented"
STANDINGS: Final = (DOCUMENTED, "sandbox", "live")
DOCUMENTED_FILE: Final = Path(__file__).with_name("documented.yaml")

# Of a HAR file, uncompressed.
LARGEST_BYTES: Final = 512 * 1024 * 1024

_LONGEST_MS: Final = 24 * 3600 * 1000
# Answers that have no body ever.
_BODILESS: Final = (204, 304)
_GZIP: Final = b"\x1f\x8b"
# What a request says in headers, but for the token.
_REPEATED: Final = ("content-type", "x-idempotency-key")


class TrafficError(Exception):
    """A file of traffic cannot be read; the message names it and says why."""


@dataclass(frozen=True)
class Place:
    """
    Where one exchange is found again.

    Args:
        file: `test_get/test_as_created`, which is a test and its cassette, or a HAR file's name.
        index: The exchange in it, from 0.
        standing: `documented`, `sandbox` (our own), `live`, or what a HAR file is told to be.
    """

    file: str
    index: int
    standing: str
    target: str = ""
    recorded_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.file}#{self.index}"


@dataclass(frozen=True)
class Recorded:
    """
    One request and its answer.

    Args:
        path: Without query; as it was sent, prefix and percent-encoding included.
        request_headers, response_headers: Names in lower case; never `authorization`.
        content, answer: Bodies as they went over the wire, decoded of any compression.
        span: From when to when it took, where that is known.
        scheme: Of the `Authorization` that was sent, as in `scheme_of`; None where that is not known, too.
    """

    place: Place
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    request_headers: Mapping[str, str]
    content: bytes
    status: int
    response_headers: Mapping[str, str]
    answer: bytes
    span: tuple[datetime, datetime] | None = None
    scheme: str | None = None

    @cached_property
    def _matched(self) -> tuple[Operation, dict[str, str]] | None:
        return matched(description(), self.method, self.path)

    @property
    def operation(self) -> Operation | None:
        """The operation that was asked for; None for control calls and what the description does not know."""
        return self._matched[0] if self._matched else None

    @property
    def parameters(self) -> dict[str, str]:
        """The path parameters, decoded."""
        return dict(self._matched[1]) if self._matched else {}

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        return self.response_headers.get("content-type", "")

    @cached_property
    def body(self) -> Any:
        """The request's body as JSON; None when there is none or it is not JSON."""
        return _json(self.content)

    @cached_property
    def json(self) -> Any:
        """The answer as JSON; None when it is not."""
        return _json(self.answer)

    def request(self, origin: str) -> httpx.Request:
        """What was asked, to be asked of *origin*; where a token was stands `$TOKEN`."""
        query = urlencode(self.query, quote_via=quote)
        headers = {name: self.request_headers[name] for name in _REPEATED if name in self.request_headers}
        if self.scheme is not None:
            headers["authorization"] = f"{self.scheme} $TOKEN".lstrip()
        url = f"{origin}{self.path}{'?' if query else ''}{query}"
        return httpx.Request(self.method, url, headers=headers, content=self.content)


@dataclass
class Conversation:
    """
    Exchanges that belong together, in the order they took place: one test's, one cassette's, one HAR file's.

    Args:
        recorded_at: None while it goes on.
        is_concurrent: Requests may have overlapped, so that where no times are known the order tells nothing.
    """

    name: str
    standing: str
    target: str = ""
    recorded_at: datetime | None = None
    exchanges: list[Recorded] = field(default_factory=list)
    is_concurrent: bool = False

    def add(self, request: httpx.Request, status: int, content_type: str, answer: bytes) -> None:
        """One more exchange."""
        headers = {"content-type": content_type}
        self.exchanges.append(recorded(self.place(), request, status, headers, answer))

    def place(self) -> Place:
        """Where the next exchange will be found."""
        return Place(self.name, len(self.exchanges), self.standing, self.target, self.recorded_at)

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self.exchanges)


def recorded(place: Place, request: httpx.Request, status: int, headers: Mapping[str, str], answer: bytes) -> Recorded:
    """What *request* was answered."""
    return Recorded(
        place,
        request.method,
        request.url.raw_path.partition(b"?")[0].decode("ascii"),
        tuple(parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True)),
        {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"},
        request.content,
        status,
        headers,
        answer,
        scheme=scheme_of(request),
    )


def scheme_of(request: httpx.Request) -> str | None:
    """`Bearer`, empty for an `Authorization` without a scheme, None for a request without one."""
    sent = request.headers.get("authorization")
    if sent is None:
        return None
    scheme, space, _ = sent.partition(" ")
    return scheme if space and scheme.isalpha() else ""


def matched(by: Description, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation for *method* and *path*, whatever prefix the path has, and its parameters, decoded."""
    for operation in by.operations.values():
        found = _template(operation.path).search(path)
        if found and operation.method == method.upper():
            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


@cache
def _template(path: str) -> re.Pattern[str]:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(rf"{pattern}\Z")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def from_cassettes(folder: Path) -> list[Conversation]:
    """
    Every cassette under *folder*, sorted by name.

    Raises:
        TrafficError: The folder has none.
        CassetteError: One of them is damaged.
    """
    paths = sorted(folder.rglob("*.yaml"))
    if not paths:
        raise TrafficError(f"{folder}: no cassette in there")
    return [from_cassette(path) for path in paths]


def from_cassette(path: Path) -> Conversation:
    """
    One of our own cassettes.

    Raises:
        CassetteError: It is damaged.
    """
    from .cassettes import read_cassette  # noqa: PLC0415 -- needs what this module does not

    provenance, interactions = read_cassette(path)
    name = f"{path.parent.name}/{path.stem}"
    conversation = Conversation(name, provenance.standing, provenance.target, provenance.recorded_at)
    for interaction in interactions:
        conversation.exchanges.append(_from_interaction(interaction, conversation.place()))
    return conversation


def from_vcr(path: Path, *, standing: str, is_concurrent: bool = False) -> Conversation:
    """
    The exchanges of anybody's vcrpy cassette, YAML or JSON, in the order they are in.

    Args:
        standing, is_concurrent: What the traffic is, and whether requests overlapped; a cassette does not say.

    Raises:
        TrafficError: Not a cassette.
    """
    try:
        content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe
        interactions = content["interactions"]
        conversation = Conversation(f"{path.parent.name}/{path.name}", standing, is_concurrent=is_concurrent)
        for interaction in interactions:
            url = urlsplit(interaction["request"]["uri"])
            place = replace(conversation.place(), target=f"{url.scheme}://{url.netloc}")
            conversation.exchanges.append(_from_interaction(interaction, place))
    except OSError as exc:
        raise TrafficError(f"{path}: {exc.strerror}") from None
    except yaml.YAMLError as exc:
        raise TrafficError(f"{path}: not a cassette: {' '.join(str(exc).split())[:200]}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise TrafficError(f"{path}: not a cassette ({_why(exc)})") from None
    return conversation


def _from_interaction(interaction: Mapping[str, Any], place: Place) -> Recorded:
    request, response = interaction["request"], interaction["response"]
    url = urlsplit(request["uri"])
    headers = _flat(response["headers"])
    return Recorded(
        place,
        request["method"],
        url.path,
        tuple(parse_qsl(url.query, keep_blank_values=True)),
        {name: value for name, value in _flat(request["headers"]).items() if name != "authorization"},
        _bytes(request.get("body")),
        int(response["status"]["code"]),
        headers,
        _decompressed(_bytes(response["body"]["string"]), headers),
    )


def _flat(headers: Mapping[str, object]) -> dict[str, str]:
    return {name.lower(): _text(value) for name, value in headers.items()}


def _decompressed(content: bytes, headers: Mapping[str, str]) -> bytes:
    encoding = {"content-encoding": headers.get("content-encoding", "")}
    try:
        return httpx.Response(200, headers=encoding, content=content).content
    except httpx.DecodingError:
        return content  # it was decompressed before it was recorded; the header stayed


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value or "").encode()


def from_documents(path: Path = DOCUMENTED_FILE) -> list[Conversation]:
    """The examples that Coinbase publishes, a conversation for each document."""
    examples = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [_from_example(example) for example in examples]


def _from_example(example: Mapping[str, Any]) -> Conversation:
    document = example["document"]
    read = description().document["x-documents"][document]["read"]
    conversation = Conversation(
        document, DOCUMENTED, "published documents", datetime.fromisoformat(read).replace(tzinfo=UTC)
    )
    operation = description().operations[example["operation"]]
    conversation.exchanges.append(
        Recorded(
            conversation.place(),
            operation.method,
            operation.path.replace("{id}", "68f7a946db0529ea9b6d3a12"),
            (),
            {"content-type": "application/json"} if "request" in example else {},
            _example(example.get("request")),
            example["status"],
            {"content-type": "application/json"} if "answer" in example else {},
            _example(example.get("answer")),
        )
    )
    return conversation


def _example(body: object) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def from_har(path: Path, *, standing: str = "live") -> Conversation:
    """
    The exchanges of a HAR 1.2 file, in the order they are in.

    Args:
        standing: What the traffic is; a HAR file itself does not say.

    Raises:
        TrafficError: Not a HAR file.
    """
    conversation = Conversation(path.name, standing)
    try:
        for index, entry in enumerate(_entries(_har(path))):
            # What was aborted has no answer; what a cache gave was no answer of the server's.
            if not _is_of_others(entry) and _answered(entry, index) and not entry.get("_fromCache"):
                conversation.exchanges.append(_from_entry(entry, Place(path.name, index, standing)))
    except OSError as exc:
        raise TrafficError(f"{path}: {exc.strerror}") from None
    except ValueError as exc:
        raise TrafficError(f"{path}: not a HAR file ({exc})") from None
    conversation.is_concurrent = not all(exchange.span for exchange in conversation)
    return conversation


def _har(path: Path) -> bytes:
    """What is in a HAR file, which many programs compress."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if content.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            content = unpacker.decompress(content, LARGEST_BYTES + 1)
        except zlib.error as exc:
            raise ValueError(f"damaged gzip: {exc}") from None
        if not unpacker.eof and len(content) <= LARGEST_BYTES:
            raise ValueError("damaged gzip: it ends too early")
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES // 1024 // 1024} MiB")
    return content


def _entries(content: bytes) -> list[Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON, or nested too deep") from None
    log = read.get("log") if isinstance(read, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it has no log with a list of entries")  # noqa: TRY004 -- of a file, not of an argument
    return entries


def _is_of_others(entry: Any) -> bool:
    """Whether an entry that lacks something was no request for an operation, so that nobody misses it."""
    request, response = (entry.get(name) if isinstance(entry, dict) else None for name in ("request", "response"))
    told = [request.get(key) if isinstance(request, dict) else None for key in ("method", "url")]
    if not isinstance(told[0], str) or not isinstance(told[1], str):
        return False
    parts = (request, response)
    is_whole = all(isinstance(part, dict) and isinstance(part.get("headers"), list) for part in parts)
    return not is_whole and matched(description(), told[0], urlsplit(told[1]).path) is None


def _answered(entry: Any, index: int) -> bool:
    """
    Whether an entry has an answer.

    Raises:
        ValueError: It lacks what HAR 1.2 demands of it.
    """
    request, response = (_message(entry, name, index) for name in ("request", "response"))
    status = str(response.get("status"))
    if not status.isdecimal():
        raise ValueError(f"entry {index} has a response without a status")
    if int(status) == 0:
        return False
    for key in ("url", "method"):
        if not isinstance(request.get(key), str):
            raise ValueError(f"entry {index} has a request without its {key}")  # noqa: TRY004 -- likewise
    for name, message, body in (("request", request, "postData"), ("response", response, "content")):
        headers = message.get("headers")
        if not isinstance(headers, list) or not all(map(_is_header, headers)):
            raise ValueError(f"entry {index} has a {name} without headers that have a name and a value each")
        if not _is_body(message.get(body)):
            raise ValueError(f"entry {index} has a {name} whose {body} is no body")
    return True


def _message(entry: Any, name: str, index: int) -> dict[str, Any]:
    message = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(message, dict):
        raise ValueError(f"entry {index} has no {name}")  # noqa: TRY004 -- likewise
    return message


def _is_header(header: Any) -> bool:
    return isinstance(header, dict) and isinstance(header.get("name"), str) and "value" in header


def _is_body(body: Any) -> bool:
    size = body.get("size", 0) if isinstance(body, dict) else 0
    text = body.get("text", "") if isinstance(body, dict) else ""
    return isinstance(body, dict | None) and isinstance(size, int | float) and isinstance(text, str | None)


def _from_entry(entry: Mapping[str, Any], place: Place) -> Recorded:
    request, response = entry["request"], entry["response"]
    url = urlsplit(request["url"])
    content = response.get("content") or {}
    is_cut = content.get("size", 0) > 0 or (response.get("content") is None and not _is_bodiless(request, response))
    if "text" not in content and is_cut and matched(description(), request["method"], url.path):
        raise ValueError(f"entry {place.index} was saved without its body; save the file with content")
    headers = _headers(response)
    span = _span(entry)
    return Recorded(
        replace(place, target=f"{url.scheme}://{url.netloc}", recorded_at=span[0] if span else None),
        str(request["method"]),
        url.path,
        tuple(parse_qsl(url.query, keep_blank_values=True)),
        {name: value for name, value in _headers(request).items() if name != "authorization"},
        ((request.get("postData") or {}).get("text") or "").encode(),
        int(response["status"]),
        {"content-type": str(content.get("mimeType") or ""), **headers},
        _content(content),
        span,
    )


def _is_bodiless(request: Mapping[str, Any], response: Mapping[str, Any]) -> bool:
    return request["method"].upper() == "HEAD" or int(response["status"]) in _BODILESS or response.get("bodySize") == 0


def _span(entry: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """From when to when an entry took; None if it does not say."""
    started, time_ms = entry.get("startedDateTime"), entry.get("time")
    if not isinstance(started, str) or not isinstance(time_ms, int | float) or not 0 <= time_ms < _LONGEST_MS:
        return None
    try:
        began = datetime.fromisoformat(started)
    except ValueError:
        raise ValueError(f"startedDateTime {started!r} is no time") from None
    began = began if began.tzinfo else began.replace(tzinfo=UTC)
    # Times are cut to the millisecond: it may have ended up to one later.
    return began, began + timedelta(milliseconds=time_ms + 1)


def _headers(message: Mapping[str, Any]) -> dict[str, str]:
    return {header["name"].lower(): str(header["value"]) for header in message["headers"]}


def _content(content: Mapping[str, Any]) -> bytes:
    text = content.get("text", "")
    if content.get("encoding") == "base64":
        try:
            body = base64.b64decode(text, validate=True)
        except binascii.Error as exc:
            raise ValueError(f"a body that is no base64: {exc}") from None
        # It should be saved as it was before compression; some proxies save what went over the wire.
        return _decompressed(body, {"content-encoding": "gzip"}) if body.startswith(_GZIP) else body
    return str(text).encode()
