"""
The operations and events of a description, with what OpenAPI lets one write in several places put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from .document import At, Document
from .schemas import Node, examples

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
# What OpenAPI means where a parameter does not say how it is written.
_STYLES: Final = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# Told by other parts of the description, so that OpenAPI ignores them as parameters.
_NOT_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})

Scheme = tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """A parameter or header. *place* is its number among the path's, or its name."""

    at: At
    name: str
    location: str
    required: bool

    @property
    def style(self) -> tuple[str, ...]:
        """How its values are written; scalars of a query or header are written one way only."""
        content = self.at.get("content")
        if content is not None:
            return ("content", *(media_type(name) for name, _ in content.items()))
        style = self.at.text("style") or _STYLES.get(self.location, "simple")
        raw: dict[str, Any] = self.at.value if isinstance(self.at.value, dict) else {}
        explode = raw.get("explode", style == "form")
        kind = self._kind
        if kind == "scalar":
            return (style,) if style in ("matrix", "label") else ()
        return (style, str(bool(explode)))

    @cached_property
    def _kind(self) -> str:
        schema = self.at.follow("schema")
        types = None if schema is None else schema.value.get("type") if isinstance(schema.value, dict) else None
        names = types if isinstance(types, list) else [types]
        return "compound" if "array" in names or "object" in names else "scalar"

    @property
    def node(self) -> Node:
        """What its value has to keep; what is said of the parameter is said of the value."""
        schema = self.at.get("schema")
        media = None
        if schema is None and (content := self.at.get("content")) is not None:
            media = next((one for _, one in content.items()), None)
            schema = None if media is None else media.get("schema")
        said = [note(one) for one in (self.at, media) if one is not None]
        return (*said, *(() if schema is None else (schema,)))


@dataclass(frozen=True)
class Server:
    """An address: *url* without a slash at its end."""

    url: str
    at: At

    @property
    def path(self) -> str:
        """Of the address, what follows the host."""
        return urlsplit(self.url).path if "://" in self.url else self.url


@dataclass(frozen=True)
class Operation:
    """
    One operation, or one event.

    Args:
        at: Where it stands.
        item: The path item around it.
        path: As it is written; the name of an event.
        prefix: The path of the first server, which is a part of what is called.
    """

    at: At
    item: At
    method: str
    path: str
    prefix: str = ""
    is_event: bool = False

    @property
    def id(self) -> str:
        """Its operationId, or method and path."""
        return self.at.text("operationId") or (self.path if self.is_event else f"{self.method.upper()} {self.path}")

    @cached_property
    def template(self) -> str:
        """The path, whatever its parameters are called."""
        return _PLACEHOLDER.sub("{}", self.path).rstrip("/") or "/"

    @cached_property
    def parameters(self) -> dict[tuple[str, str], Parameter]:
        """By location and name, those of the path among them; path parameters by their place, headers in small letters."""
        order = [name[1:-1] for name in _PLACEHOLDER.findall(self.path)]
        found: dict[tuple[str, str], Parameter] = {}
        for owner in (self.item, self.at):
            listed = owner.get("parameters")
            for one in () if listed is None else listed.elements():
                at = one.resolved()
                name, location = at.text("name"), at.text("in")
                if name is None or location not in _STYLES:
                    continue
                if location == "header" and name.lower() in _NOT_PARAMETERS:
                    continue
                place = str(order.index(name)) if location == "path" and name in order else name
                required = location == "path" or at.flag("required")
                key = (location, place.lower() if location == "header" else place)
                found[key] = Parameter(at, name, location, required)
        return found

    @cached_property
    def servers(self) -> list[Server]:
        """Those of the operation, its path or the description, whichever is nearest."""
        for owner in (self.at, self.item, self.at.document.root):
            if found := servers(owner):
                return found
        return []

    def security(self) -> tuple[frozenset[frozenset[tuple[Scheme, str]]], At]:
        """The alternatives of what a request must carry, each a set of schemes and scopes; and where that stands."""
        root = self.at.document.root
        owner = next((one for one in (self.at, root) if _has(one, "security")), None)
        if owner is None:
            return frozenset({frozenset()}), self.at
        listed = owner.get("security") or owner
        found = {frozenset(self._needed(one)) for one in listed.elements()}
        return frozenset(found or {frozenset()}), listed

    def _needed(self, alternative: At) -> Iterator[tuple[Scheme, str]]:
        schemes = (self.at.document.root.get("components") or self.at).get("securitySchemes")
        for name, scopes in alternative.names():
            scheme = None if schemes is None else schemes.follow(name)
            look = (name,) if scheme is None else _scheme(scheme)
            yield look, ""
            for scope in scopes.elements():
                yield look, str(scope.value)


def operations(document: Document) -> list[Operation]:
    """All operations of *document*."""
    prefix = next((server.path for server in servers(document.root)), "")
    return list(_operations(document.root.get("paths"), prefix, is_event=False))


def events(document: Document) -> list[Operation]:
    """All events: the top-level webhooks, in 3.0 as `x-webhooks`, and callbacks of operations."""
    found = [
        one for key in ("webhooks", "x-webhooks") for one in _operations(document.root.get(key), "", is_event=True)
    ]
    for operation in operations(document):
        for name, callback in (operation.at.get("callbacks") or _nothing(operation.at)).items():
            for expression, item in callback.resolved().items():
                found.extend(_of_item(f"{operation.id} {name} {expression}", item, "", is_event=True))
    return found


def _operations(paths: At | None, prefix: str, *, is_event: bool) -> Iterator[Operation]:
    if paths is not None:
        for path, item in paths.names():
            if is_event or path.startswith("/"):
                yield from _of_item(path, item, prefix, is_event=is_event)


def _of_item(path: str, item: At, prefix: str, *, is_event: bool) -> Iterator[Operation]:
    resolved = item.resolved()
    for method in METHODS:
        at = resolved.get(method)
        if at is not None and isinstance(at.value, dict):
            yield Operation(at, resolved, method, path, prefix, is_event=is_event)


def servers(owner: At) -> list[Server]:
    """The addresses in *owner*, variables at their defaults."""
    listed = owner.get("servers")
    found: list[Server] = []
    for one in () if listed is None else listed.elements():
        url = one.text("url")
        if url is None:
            continue
        for name, variable in (one.get("variables") or _nothing(one)).names():
            url = url.replace("{" + name + "}", variable.text("default") or "")
        scheme, _, rest = url.partition("://")
        if rest:
            host, slash, path = rest.partition("/")
            url = f"{scheme.lower()}://{host.lower()}{slash}{path}"
        found.append(Server(url.rstrip("/"), one))
    return found


def note(at: At) -> At:
    """What is said of a parameter or body beside its schema, as a schema that says nothing else."""
    raw: dict[str, Any] = at.value if isinstance(at.value, dict) else {}
    said: dict[str, Any] = {key: raw[key] for key in ("description", "deprecated") if key in raw}
    if shown := examples(at):
        said["examples"] = list(shown.values())
    return At(at.document, at.pointer, said)


def media_type(name: str) -> str:
    """A media type without parameters, in small letters."""
    return name.partition(";")[0].strip().lower()


def _scheme(at: At) -> Scheme:
    """What a security scheme demands, whatever it is called."""
    kind = (at.text("type") or "").lower()
    if kind == "http":
        return (kind, (at.text("scheme") or "").lower())
    if kind == "apikey":
        name = at.text("name") or ""
        location = at.text("in") or ""
        return (kind, location, name.lower() if location == "header" else name)
    if kind == "openidconnect":
        return (kind, at.text("openIdConnectUrl") or "")
    flows = at.get("flows")
    urls = [
        f"{name} {flow.text('authorizationUrl') or ''} {flow.text('tokenUrl') or ''}"
        for name, flow in (() if flows is None else flows.items())
    ]
    return (kind, *sorted(urls))


def _has(at: At, key: str) -> bool:
    return isinstance(at.value, dict) and isinstance(at.value.get(key), list)


def _nothing(at: At) -> At:
    return At(at.document, at.pointer, {})
