"""
One answer, or one event, held against the description: everything in it that the description does not have.

Nothing here keeps or shows a value, but for what is like a member of an enum, a status or a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jsonschema.exceptions import UnknownType

from coinbase_checkouts_conformance.constraints import KEYWORDS
from coinbase_checkouts_conformance.evidence import holds
from coinbase_checkouts_conformance.judge import BrokenError, parsed
from coinbase_checkouts_conformance.traffic import Recorded

from .document import At, Document
from .patterns import accepts
from .problems import CouldNotCompareError
from .shapes import fraction, is_name, is_word, shape

METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})
EVENTS: Final = "checkout."
_NO_LIMITS: Final = ("type", "enum", "const", "pattern", "format", "default")
_LIMITS: Final = tuple(keyword for keyword in KEYWORDS if keyword not in _NO_LIMITS)
_NOT_MODIFIED: Final = 304
_MEDIA: Final = re.compile(r"[a-z]+/[a-z][a-z0-9.+-]{0,60}")
_CHECKED: Final = {"pattern": "pattern", "format": "format", **dict.fromkeys(_LIMITS, "limit")}
# What the client's drift sensor tells of a body.
_LOGGED: Final = ("undocumented", "required", "enum", "null", "type", "format", "pattern", *_LIMITS)
# How a message travels, what a cache or a CDN adds, and what browsers are told: nothing of the API's own.
_TRANSPORT: Final = """
    accept-ch accept-ranges age allow alt-svc cache-control connection content-disposition content-encoding
    content-language content-length content-location content-range content-type date etag expect-ct expires keep-alive
    last-modified link location nel origin-agent-cluster p3p permissions-policy pragma priority referrer-policy
    report-to reporting-endpoints server server-timing set-cookie speculation-rules strict-transport-security
    timing-allow-origin trailer transfer-encoding upgrade vary via warning www-authenticate
    x-cache x-cache-hits x-content-type-options x-dns-prefetch-control x-download-options x-frame-options
    x-permitted-cross-domain-policies x-powered-by x-robots-tag x-served-by x-timer x-ua-compatible x-xss-protection
"""
_TRANSPORT_PREFIXES: Final = (
    ":",
    "access-control-",
    "cdn-",
    "cf-",
    "content-security-policy",
    "cross-origin-",
    "sec-",
    "x-amz-",
    "x-amzn-",
    "x-envoy-",
    "x-forwarded-",
)
# What a webhook's delivery gets besides: from its client, and from proxies, balancers and tracers on its way to us.
_ON_ITS_WAY: Final = """
    accept accept-charset accept-encoding accept-language authorization baggage client-ip cookie dnt expect forwarded from
    host idempotency-key max-forwards newrelic origin proxy-authorization proxy-connection range referer sentry-trace te
    traceparent tracestate true-client-ip uber-trace-id upgrade-insecure-requests user-agent x-client-ip
    x-cluster-client-ip x-correlation-id x-host x-http-method-override x-https x-original-host x-original-uri
    x-original-url x-proxyuser-ip x-real-ip x-real-port x-request-id x-request-start x-requested-with x-scheme x-span-id
    x-ssl x-trace-id x-url-scheme x-waws-unencoded-url
"""
_ON_ITS_WAY_PREFIXES: Final = (
    "akamai-",
    "fastly-",
    "fly-",
    "if-",
    "incap-",
    "ngrok-",
    "proxy-",
    "x-akamai-",
    "x-appengine-",
    "x-arr-",
    "x-aws-",
    "x-azure-",
    "x-b3-",
    "x-cloud-trace-",
    "x-consumer-",
    "x-datadog-",
    "x-dynatrace",
    "x-fastly-",
    "x-github-",
    "x-goog-",
    "x-heroku-",
    "x-instana-",
    "x-kong-",
    "x-ms-",
    "x-newrelic-",
    "x-nf-",
    "x-nginx-",
    "x-ngrok-",
    "x-ot-",
    "x-railway-",
    "x-render-",
    "x-sigsci-",
    "x-vercel-",
)


@dataclass(frozen=True)
class Answer:
    """What a status, or a media type, that is not described came with."""

    headers: tuple[str, ...]
    media_type: str
    content: Any
    has_json: bool


@dataclass(frozen=True)
class Seen:
    """
    One thing that is not as described, in one place of one body.

    Args:
        kind: `field`, `value`, `status`, `header`, `media`, `required`, `null`, `type`, `format`, `pattern`, `limit`,
            `const`, `time`, `body`, `event` or `parameter`, which is a header of an event.
        at: What of the description would have to change.
        name: The field, header, media type, status or value, where it can be shown.
        described, came: Both forms in words.
        pointer: Into the body; `*` for a key that may be anything.
        content: For inference; never shown.
    """

    kind: str
    at: At
    name: str = ""
    described: str = ""
    came: str = ""
    pointer: str = ""
    content: Any = None
    answer: Answer | None = None


def operations(document: Document) -> dict[str, tuple[str, str, At]]:
    """Method, path and place of each operation, by its id."""
    found: dict[str, tuple[str, str, At]] = {}
    paths = document.root.follow("paths")
    for path, item in () if paths is None else paths.items():
        for method, written in item.resolved().items():
            if method in METHODS:
                at = written.resolved()
                found[at.text("operationId") or f"{method.upper()} {path}"] = (method.upper(), path, at)
    return found


def events(document: Document) -> dict[str, At]:
    """The schema of each event, by its type."""
    found: dict[str, At] = {}
    # Before OpenAPI 3.1 there was no place for them.
    webhooks = document.root.follow("webhooks") or document.root.follow("x-webhooks")
    for name, item in () if webhooks is None else webhooks.items():
        content = below(item.resolved(), "post", "requestBody", "content", "application/json", "schema")
        if content is not None:
            found[name] = content
    return found


def deliveries(document: Document) -> dict[str, tuple[At, dict[str, At]]]:
    """How each event is sent, by its type: the operation, and its headers by their names in lower case."""
    found: dict[str, tuple[At, dict[str, At]]] = {}
    webhooks = document.root.follow("webhooks") or document.root.follow("x-webhooks")
    for name, item in () if webhooks is None else webhooks.items():
        sent = below(item.resolved(), "post")
        owners = [] if sent is None else [at.follow("parameters") for at in (item.resolved(), sent)]
        listed = [one.resolved() for owner in owners if owner is not None for one in owner.elements()]
        if sent is not None:
            headers = {(one.text("name") or "").lower(): one for one in listed if one.text("in") == "header"}
            found[name] = (sent, headers)
    return found


def below(at: At | None, *keys: str) -> At | None:
    """What *keys* lead to, one after the other, `$ref`s followed; None if they lead nowhere."""
    for key in keys:
        if at is None:
            return None
        at = at.follow(key)
    return at


def views(roots: Sequence[At], branch: Callable[[Sequence[At]], Sequence[At]]) -> list[At]:
    """Every schema that says something of the same value; of each anyOf and oneOf, what *branch* chooses."""
    found: dict[str, At] = {}
    waiting = list(roots)
    while waiting:
        at = waiting.pop(0)
        if at.pointer in found or not isinstance(at.value, dict):
            continue
        found[at.pointer] = at
        if isinstance(ref := at.value.get("$ref"), str):
            waiting.append(at.document.at(ref, by=at))
        for keyword in ("allOf", "anyOf", "oneOf"):
            if (inner := at.get(keyword)) is not None:
                several = list(inner.elements())
                waiting.extend(several if keyword == "allOf" else branch(several))
    return list(found.values())


def inner_names(of: Sequence[At]) -> dict[str, list[At]]:
    """The properties that *of*, the views of one object, name."""
    found: dict[str, list[At]] = {}
    for view in of:
        properties = view.get("properties")
        for name, at in () if properties is None else properties.names():
            found.setdefault(name, []).append(at)
    return found


def required(view: At) -> list[str]:
    """The names of properties that always come."""
    names = view.value.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def members(view: At) -> list[Any]:
    """The values of an enum; none if there is none."""
    found = view.value.get("enum")
    return found if isinstance(found, list) else []


def inner_rest(of: Sequence[At]) -> list[At]:
    """The schemas of members that have no name of their own."""
    found = [view.get("additionalProperties") for view in of]
    return [at for at in found if at is not None and isinstance(at.value, dict)]


def inner_items(of: Sequence[At]) -> list[At]:
    """The schemas of the elements of an array."""
    return [at for view in of if (at := view.get("items")) is not None]


def response(operation: At, status: int) -> tuple[str, At] | None:
    """How the description calls the answer with *status*, and what it says of it; None if it does not know it."""
    responses = operation.follow("responses")
    if responses is None:
        return None
    known = dict(responses.items())
    for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
        if name in known:
            return name, known[name].resolved()
    return None


def media(of: At, media_type: str) -> At | None:
    """What the description says of an answer of this media type; None if it does not know it."""
    content = of.follow("content")
    known = {} if content is None else {name.partition(";")[0].strip().lower(): at for name, at in content.items()}
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if name in known:
            return known[name]
    return None


def media_type(exchange: Recorded) -> str:
    """Without parameters, in lower case."""
    return exchange.content_type.partition(";")[0].strip().lower()


def is_media(text: str) -> bool:
    """Whether *text* is a media type, and nobody's data."""
    return _MEDIA.fullmatch(text) is not None


def is_status(value: object) -> bool:
    """Whether *value* is a status of HTTP, as a text."""
    return isinstance(value, str) and re.fullmatch(r"[1-5][0-9][0-9]", value) is not None


def is_own(header: str) -> bool:
    """Whether a header, in lower case, is the API's own and not of the way it travelled."""
    return header not in _TRANSPORT.split() and not header.startswith(_TRANSPORT_PREFIXES)


def is_senders(header: str) -> bool:
    """Whether a header of a delivery, in lower case, is its sender's, and nobody's who was on its way."""
    return is_own(header) and header not in _ON_ITS_WAY.split() and not header.startswith(_ON_ITS_WAY_PREFIXES)


@dataclass
class Looker:
    """
    Looks at one exchange after the other.

    Attributes:
        noted: What of the description was seen: pointers, and for members of an enum pointer and value.
    """

    document: Document
    noted: set[str] = field(default_factory=set)
    _known: dict[tuple[str, ...], list[At]] = field(default_factory=dict)

    def answer(self, operation: At, exchange: Recorded) -> Iterator[Seen]:
        """What in the answer to *operation* is not described."""
        found = response(operation, exchange.status)
        if found is None and exchange.status == _NOT_MODIFIED:
            return  # to a cache on the way, which has the answer
        own = tuple(name for name in exchange.response_headers if is_own(name))
        content, has_json = _json(exchange.answer)
        came = Answer(own, media_type(exchange) if exchange.answer else "", content, has_json)
        if found is None:
            at = operation.follow("responses") or operation
            yield Seen("status", at, str(exchange.status), answer=came)
            # What cannot be added with the status is told apart.
            if "json" in came.media_type and not has_json:
                yield Seen("body", at, described="JSON", came="what is no JSON")
            if exchange.answer and not is_media(came.media_type):
                yield Seen("media", at)
            yield from (Seen("header", at) for name in own if not is_name(name))
            return
        name, at = found
        self.noted.add(f"{operation.pointer}/responses/{name}")
        headers = at.follow("headers")
        known = {} if headers is None else {key.lower(): one for key, one in headers.names()}
        for header in own:
            if header in known:
                self.noted.add(known[header].pointer)
            else:
                shown = header if is_name(header) else ""
                yield Seen("header", at, shown, content=exchange.response_headers[header])
        yield from self._body(at, exchange, came)

    def _body(self, at: At, exchange: Recorded, came: Answer) -> Iterator[Seen]:
        described = at.follow("content")
        names = [] if described is None else [name for name, _ in described.items()]
        if not exchange.answer:
            if names:
                yield Seen("body", at, described=" or ".join(names), came="no body")
            return
        found = media(at, came.media_type)
        if found is None:
            shown = came.media_type if is_media(came.media_type) else ""
            yield Seen("media", at, shown, described=" or ".join(names), answer=came)
            # A label is one thing, what is inside another.
            found = media(at, "application/json")
            if found is None or not self.is_like(found, came):
                return
        elif "json" in came.media_type and not came.has_json:
            yield Seen("body", found, described="JSON", came="what is no JSON")
        self.noted.add(found.pointer)
        schema = found.follow("schema")
        if schema is not None and came.has_json:
            yield from self._value([schema], came.content, "", self.noted.add)

    def is_like(self, content: At, came: Answer, *, whole: bool = False) -> bool:
        """
        Whether JSON that *came* is what *content* describes.

        Args:
            whole: In every detail; otherwise it may have more than is described.
        """
        schema = content.follow("schema")
        if schema is None or not came.has_json:
            return False
        seen = (one for one in self._value([schema], came.content, "", _no_note) if one.kind != "time")
        return not any(whole or (one.kind in ("required", "type") and one.pointer.count("/") <= 1) for one in seen)

    def delivery(self, kind: str, headers: Mapping[str, str]) -> Iterator[Seen]:
        """What among the headers of a webhook, by their names in lower case, is not described."""
        known = deliveries(self.document)
        sent = known.get(kind) or next(iter(known.values()), None)
        if sent is None:
            return
        operation, described = sent
        for header in filter(is_senders, headers):
            if header not in described:
                yield Seen("parameter", operation, header if is_name(header) else "")
        # A recording without the header that every delivery has was made without headers.
        for name, at in described.items() if "content-type" in headers else ():
            if name not in headers and at.flag("required"):
                yield Seen("required", at, at.text("name") or "")

    def event(self, body: Mapping[str, Any]) -> Iterator[Seen]:
        """What in the body of a webhook is not described."""
        known = events(self.document)
        kind = body["eventType"]
        if not known:
            return
        if kind in known:
            self.noted.add(known[kind].pointer)
        schema = known[kind] if kind in known else next(iter(known.values()))
        for one in self._value([schema], body, "", self.noted.add):
            # What all events have in common is an enum; that of one event is a const of its own.
            if one.kind != "const":
                yield one
            elif kind in known:
                yield Seen("event", one.at, described=one.described, came=one.came, pointer=one.pointer)

    def _value(self, roots: Sequence[At], value: Any, pointer: str, note: Callable[[str], object]) -> Iterator[Seen]:
        of = self._views(roots, value)
        if not of:
            return
        for view in of:
            note(view.pointer)
        wrong = _of_type(roots[0], of, value, pointer)
        if wrong is not None:
            yield wrong
            return
        if value is None:
            return
        for view in of:
            yield from _of_keywords(view, value, pointer, note)
        if isinstance(value, dict):
            yield from self._object(of, value, pointer, note)
        elif isinstance(value, list):
            items = inner_items(of)
            for index, one in enumerate(value if items else ()):
                yield from self._value(items, one, f"{pointer}/{index}", note)

    def _views(self, roots: Sequence[At], value: Any) -> list[At]:
        key = tuple(root.pointer for root in roots)
        if key not in self._known:
            found = views(roots, lambda several: self._branch(several, value))
            if any("anyOf" in view.value or "oneOf" in view.value for view in found):
                return found  # which, depends on the value
            self._known[key] = found
        return self._known[key]

    def _object(self, of: Sequence[At], value: Any, pointer: str, note: Callable[[str], object]) -> Iterator[Seen]:
        known, rest = inner_names(of), inner_rest(of)
        for view in of:
            for name in required(view):
                if name not in value:
                    yield Seen("required", view, name, pointer=f"{pointer}/{_step(name)}")
        is_open = rest or any(view.value.get("additionalProperties") is True for view in of)
        has_patterns = any("patternProperties" in view.value for view in of)
        for name, one in value.items():
            if name in known:
                yield from self._value(known[name], one, f"{pointer}/{_step(name)}", note)
            elif rest:
                yield from self._value(rest, one, f"{pointer}/*", note)
            elif not (is_open or has_patterns) and known:
                shown = name if is_name(name) else ""
                yield Seen("field", _owner(of), shown, pointer=f"{pointer}/{_step(shown or '*')}", content=one)

    def _branch(self, several: Sequence[At], value: Any) -> Sequence[At]:
        """The one of *several* that fits best; all of them count where there is no telling."""
        faults = [sum(1 for _ in self._value([one], value, "", _no_note)) for one in several]
        return [several[faults.index(min(faults))]] if several else []


def _no_note(_: str) -> None:
    """A trial is no evidence."""


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _json(content: bytes) -> tuple[Any, bool]:
    try:
        return parsed(content, rule=""), True
    except BrokenError:
        return None, False


def _owner(of: Sequence[At]) -> At:
    """Where one more property would be added: what only narrows another schema has no type of its own."""
    whole = (view for view in of if "properties" in view.value and view.value.get("type") == "object")
    return next(whole, next((view for view in of if "properties" in view.value), of[0]))


def _of_type(root: At, of: Sequence[At], value: Any, pointer: str) -> Seen | None:
    limits = [(view, view.value["type"]) for view in of if "type" in view.value]
    broken = next((one for one in limits if not _holds("type", one[1], value)), None)
    if broken is None:
        return None
    described = broken[1]
    if value is None:
        is_nullable = any(one.value.get("nullable") is True for one in of)
        return None if is_nullable else Seen("null", root, described=_described(of, described), pointer=pointer)
    return Seen("type", root, described=_described(of, described), came=shape(value), pointer=pointer)


def _described(of: Sequence[At], types: Any) -> str:
    format_ = next((view.value["format"] for view in of if isinstance(view.value.get("format"), str)), None)
    named = " or ".join(map(str, types)) if isinstance(types, list) else str(types)
    return named if format_ is None else f"{named} of format {format_}"


def _holds(keyword: str, limit: Any, value: Any) -> bool:
    """As in evidence, but of a keyword that is none or takes for ever: other people's descriptions have some."""
    if keyword == "pattern":
        return not isinstance(limit, str) or not isinstance(value, str) or accepts(limit, value) is not False
    try:
        return holds(keyword, limit, value)
    except (UnknownType, re.error, TypeError, ValueError, ArithmeticError):
        return True


def _of_keywords(view: At, value: Any, pointer: str, note: Callable[[str], object]) -> Iterator[Seen]:
    schema = view.value
    if known := members(view):
        if any(value == one and type(value) is type(one) for one in known):
            note(f"{view.pointer}/enum={value}")
        else:
            yield Seen("value", view, str(value) if is_word(value) else "", came=shape(value), pointer=pointer)
    if "const" in schema and value != schema["const"]:
        yield Seen("const", view, described=str(schema["const"]), came="another value", pointer=pointer)
    for keyword, limit in schema.items():
        kind = _CHECKED.get(keyword)
        if kind is not None and not _holds(keyword, limit, value):
            described = f"{keyword} {json.dumps(limit) if kind == 'limit' else limit}"
            yield Seen(kind, view, keyword if kind == "limit" else "", described, shape(value), pointer)
    if schema.get("format") == "date-time" and isinstance(value, str):
        yield from _of_time(view, value, pointer)


def _of_time(view: At, value: str, pointer: str) -> Iterator[Seen]:
    """Whether a time is written as exactly as in the examples; either is right, so it is told and fails nothing."""
    examples = view.value.get("examples")
    examples = examples if isinstance(examples, list) else [view.value.get("example")]
    shown = {fraction(one) for one in examples if isinstance(one, str)}
    came = fraction(value)
    if came and shown and came not in shown:
        yield Seen("time", view, described=" or ".join(sorted(shown)), came=came, pointer=pointer)


def place_of(operation: At, pointer: str) -> list[At]:
    """
    The schemas of what a pointer into an answer's body leads to, `*` for any element; none if it leads nowhere.

    Of the answers to *operation*, a successful one comes first.
    """
    responses = operation.follow("responses")
    known = [] if responses is None else sorted(responses.items(), key=lambda one: not one[0].startswith("2"))
    for _, answer in known:
        content = below(answer.resolved(), "content", "application/json", "schema")
        if content is not None and (at := inside([content], pointer)):
            return at
    return []


def inside(at: list[At], pointer: str) -> list[At]:
    """The schemas of what *pointer* leads to, from a value of the schemas *at*; none if it leads nowhere."""
    for step in pointer.split("/")[1:]:
        of = views(at, lambda several: several)
        name = step.replace("~1", "/").replace("~0", "~")
        at = inner_names(of).get(name) or (inner_items(of) if step == "*" else []) or inner_rest(of)
    return at


def of_log(operation: At, line: Mapping[str, Any]) -> Seen | None:
    """
    What one line of the client's drift sensor says, unless the description has it by now.

    Raises:
        CouldNotCompareError: It says nothing that can be understood.
    """
    kind, pointer, value = line["kind"], line["pointer"], line.get("value")
    if kind == "status":
        is_known = str(value).isdecimal() and response(operation, int(str(value))) is not None
        at = operation.follow("responses") or operation
        return None if is_known else Seen("status", at, str(value) if is_status(value) else "", answer=None)
    if kind not in _LOGGED:
        raise CouldNotCompareError("its kind is not known")
    above, _, last = pointer.rpartition("/")
    last = last.replace("~1", "/").replace("~0", "~")
    owner = place_of(operation, above) if kind in ("undocumented", "required") else place_of(operation, pointer)
    if not owner:
        raise CouldNotCompareError("its pointer leads to nothing that is described")
    of = views(owner, lambda several: several)
    if not of:
        raise CouldNotCompareError("its pointer leads to no schema")
    if kind == "undocumented":
        shown = last if is_name(last) else ""
        return (
            None
            if last in inner_names(of)
            else Seen("field", _owner(of), shown, pointer=pointer if shown else f"{above}/*")
        )
    if kind == "required":
        view = next((one for one in of if last in required(one)), None)
        return None if view is None else Seen("required", view, last, pointer=pointer)
    if kind == "enum":
        view = next((one for one in of if members(one)), None)
        if view is None or value in members(view):
            return None
        return Seen("value", view, str(value) if is_word(value) else "", came="a text", pointer=pointer)
    described = next((_described(of, one.value["type"]) for one in of if "type" in one.value), "")
    if kind == "null":
        return Seen("null", owner[0], described=described, pointer=pointer)
    view = next((one for one in of if kind in one.value), of[0])
    words = described if kind == "type" else f"{kind} {view.value.get(kind, '')}".strip()
    seen_as = "limit" if kind in _LIMITS else kind
    return Seen(seen_as, view, kind if seen_as == "limit" else "", words, "what does not keep it", pointer)
