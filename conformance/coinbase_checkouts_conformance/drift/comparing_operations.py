"""
Two versions of one operation, or of one event: all but their schemas, which are handed on as pairs to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from . import prose
from .document import At
from .findings import Finding, Pair, Path, listed, words
from .looks import look_of
from .operations import Operation, Parameter, media_type, note
from .renaming import alike, best_pairs, renamed
from .schemas import Schemas, canonical
from .verdicts import Direction

_JSON: Final = "application/json"
_SCOPES: Final = "x-required-api-auth-scopes"


@dataclass
class Parts:
    """What an operation is made of: findings and pairs, each with the path of steps that leads there."""

    findings: list[tuple[Path, Finding]] = field(default_factory=list)
    pairs: list[tuple[Path, Pair]] = field(default_factory=list)


def compare_operations(base: Operation, revision: Operation, schemas: Schemas) -> Parts:
    """What changed in an operation, and the schemas to compare."""
    comparison = _Comparison(base, revision, schemas)
    comparison.compare()
    return comparison.parts


class _Comparison:
    def __init__(self, base: Operation, revision: Operation, schemas: Schemas) -> None:
        self.base = base
        self.revision = revision
        self.schemas = schemas
        self.parts = Parts()
        self.sent = Direction.EVENT if base.is_event else Direction.REQUEST
        self.answered = Direction.EVENT if base.is_event else Direction.RESPONSE

    def compare(self) -> None:
        self._about()
        self._parameters()
        self._body()
        self._answers()
        if not self.base.is_event:
            self._security()
            self._servers()

    def _tell(
        self,
        kind: str,
        what: str,
        base: At | None,
        revision: At | None,
        *path: str,
        direction: Direction | None = None,
        **more: Any,
    ) -> None:
        finding = Finding(kind, direction or self.sent, what, base, revision, **more)
        self.parts.findings.append((path, finding))

    def _about(self) -> None:
        base, revision = self.base.at, self.revision.at
        for key in ("summary", "description"):
            self._own_words(key)
        one, other = base.text("operationId"), revision.text("operationId")
        if one != other:
            what = f"operationId {one or 'none'} → {other or 'none'}"
            self._tell("operation-id", what, base, revision, values=(one, other))
        if base.flag("deprecated") != revision.flag("deprecated"):
            kind, what = ("deprecated", "is deprecated now")
            if base.flag("deprecated"):
                kind, what = ("undeprecated", "is no longer deprecated")
            self._tell(kind, what, base, revision)
        before, after = (
            {str(value) for value in owner.value.get(_SCOPES, ()) if isinstance(value, str)}
            if isinstance(owner.value.get(_SCOPES), list)
            else set[str]()
            for owner in (base, revision)
        )
        # Most descriptions do not have it at all, which says nothing.
        if before and after:
            for scope in sorted(after - before):
                self._tell("scope-added", f"needs the scope {scope}", base, revision, values=(None, scope))
            for scope in sorted(before - after):
                self._tell("scope-removed", f"no longer needs the scope {scope}", base, revision, values=(scope, None))

    def _own_words(self, key: str) -> None:
        """What is said of the path is said of each of its operations."""
        told = [words(f"{one.item.text(key) or ''} {one.at.text(key) or ''}") for one in (self.base, self.revision)]
        if told[0] != told[1]:
            base, revision = (one.at.get(key) or one.item.get(key) or one.at for one in (self.base, self.revision))
            self._tell("words", f"{key}: {prose.change(*told)}", base, revision, values=tuple(told))

    def _prose(self, base: At, revision: At, key: str, *path: str, direction: Direction | None = None) -> None:
        before, after = words(base.text(key)), words(revision.text(key))
        if before != after:
            places = base.get(key) or base, revision.get(key) or revision
            what = f"{key}: {prose.change(before, after)}"
            self._tell("words", what, *places, *path, direction=direction, values=(before, after))

    # Parameters ---------------------------------------------------------------------------------------------------

    def _parameters(self) -> None:
        before, after = dict(self.base.parameters), dict(self.revision.parameters)
        for old, new in self._renamed(before, after):
            one, other = before.pop(old), after.pop(new)
            moved = one.location != other.location
            kind = "parameter-moved" if moved else "parameter-renamed"
            if not moved and (one.required or other.required):
                kind = "parameter-renamed-required"
            what = f"is now the {other.location} {other.name}" if moved else f"is now called {other.name}"
            path = f"{one.location} {one.name}"
            values = (f"{one.location} {one.name}", f"{other.location} {other.name}")
            self._tell(kind, what, one.at, other.at, path, values=values)
            self._parameter(one, other)
        for key, one in before.items():
            if key in after:
                self._parameter(one, after[key])
            else:
                kind = "parameter-removed-required" if one.required else "parameter-removed"
                self._tell(kind, "is gone", one.at, self.revision.at, f"{one.location} {one.name}")
        for key, other in after.items():
            if key not in before:
                kind = "parameter-added-required" if other.required else "parameter-added"
                what = f"is new{', and required' if other.required else ''}"
                # What has to be sent is another thing when it has another type.
                look = look_of(self.schemas, self.schemas.of(other.node)) if other.required else None
                self._tell(kind, what, self.base.at, other.at, f"{other.location} {other.name}", values=(None, look))

    def _renamed(
        self, before: dict[tuple[str, str], Parameter], after: dict[tuple[str, str], Parameter]
    ) -> list[tuple[tuple[str, str], tuple[str, str]]]:
        gone = [key for key in before if key not in after and key[0] != "path"]
        new = [key for key in after if key not in before and key[0] != "path"]
        return best_pairs(
            {(old, key): sure for old in gone for key in new if (sure := self._sure(before[old], after[key]))}
        )

    def _sure(self, one: Parameter, other: Parameter) -> float:
        schema, later = (self.schemas.of(each.node) for each in (one, other))
        if look_of(self.schemas, schema) != look_of(self.schemas, later):
            return 0
        if one.location != other.location:
            return float(alike(one.name, other.name) == 1)
        said = (words(each.at.text("description") or of.description) for each, of in ((one, schema), (other, later)))
        return renamed(one.name, other.name, schema, *said)

    def _parameter(self, one: Parameter, other: Parameter, *more: str, direction: Direction | None = None) -> None:
        path = (*more, f"{one.location} {one.name}")
        direction = direction or self.sent
        if one.location == "path" and one.name != other.name:
            what = f"is now called {other.name}"
            values = (one.name, other.name)
            self._tell("path-parameter-renamed", what, one.at, other.at, *path, direction=direction, values=values)
        if one.required != other.required:
            kind, what = (
                ("now-required", "is required now")
                if other.required
                else ("no-longer-required", "is no longer required")
            )
            self._tell(
                kind,
                what,
                one.at.get("required") or one.at,
                other.at.get("required") or other.at,
                *path,
                direction=direction,
            )
        # Scalars that became arrays, or the other way round, are told by their types.
        as_document = {style[:1] for style in (one.style, other.style)} & {("content",)}
        if one.style != other.style and (as_document or (one.style and other.style)):
            what = f"is written {_style(one)} → {_style(other)}"
            styles = (one.style, other.style)
            self._tell("style-changed", what, one.at, other.at, *path, direction=direction, values=styles)
        pair = Pair(
            one.node, other.node, direction, one.name, written="content" not in (one.style[:1] + other.style[:1])
        )
        self.parts.pairs.append((path, pair))

    # Bodies -------------------------------------------------------------------------------------------------------

    def _body(self) -> None:
        base, revision = self.base.at.follow("requestBody"), self.revision.at.follow("requestBody")
        if base is None and revision is None:
            return
        if base is None and revision is not None:
            required = revision.flag("required")
            kind = "body-added-required" if required else "body-added"
            what = f"a body is new{', and required' if required else ''}"
            self._tell(kind, what, self.base.at, revision, "body")
        elif revision is None and base is not None:
            self._tell("body-removed", "the body is gone", base, self.revision.at, "body")
        elif base is not None and revision is not None:
            self._prose(base, revision, "description", "body")
            if base.flag("required") != revision.flag("required"):
                kind, what = ("now-required", "the body is required now")
                if base.flag("required"):
                    kind, what = ("no-longer-required", "the body is no longer required")
                self._tell(kind, what, base.get("required") or base, revision.get("required") or revision, "body")
            self._content(base, revision, "body", direction=self.sent)

    def _content(self, base: At, revision: At, *path: str, direction: Direction) -> None:
        before, after = _content(base), _content(revision)
        for name, media in before.items():
            other = after.get(name) or _wildcard(name, after)
            if other is None:
                what = f"the media type {name} is gone"
                self._tell("media-removed", what, media, revision, *path, direction=direction, values=(name, None))
                continue
            if _is_wild(name) and not any(wide == name or _covers(wide, name) for wide in after):
                fewer = [one for one in after if _covers(name, one)]
                what = f"no longer any media type of {name}: {listed(fewer)}"
                values = (name, tuple(sorted(fewer)))
                self._tell("media-narrowed", what, media, other, *path, direction=direction, values=values)
            step = path if name == _JSON else (*path, name)
            one, two = ((note(at), *_schema(at)) for at in (media, other))
            self.parts.pairs.append((step, Pair(one, two, direction)))
            found = [at.get("encoding") or _none(at) for at in (media, other)]
            parts = tuple(canonical(at, at.value) for at in found)
            if parts[0] != parts[1]:
                self._tell(
                    "other-keyword", "`encoding` changed", media, other, *step, direction=direction, values=parts
                )
        for name, media in after.items():
            if name not in before and not any(_covers(wide, name) for wide in before):
                what = f"the media type {name} is new"
                kind = "media-widened" if _is_wild(name) else "media-added"
                self._tell(kind, what, base, media, *path, direction=direction, values=(None, name))

    # Answers ------------------------------------------------------------------------------------------------------

    def _answers(self) -> None:
        before, after = _answers(self.base.at), _answers(self.revision.at)
        pairs = [(status, status) for status in before if status in after]
        gone = [status for status in before if status not in after]
        new = [status for status in after if status not in before]
        for status, other in (*self._ranges(gone, new, before, after), *self._defaults(gone, new, before, after)):
            pairs.append((status, other))
        if not self.base.is_event:
            pairs.extend(self._successes(gone, new, before, after))
        for status in gone:
            self._came_or_went(status, before, before[status], self.revision.at, went=True)
        for status in new:
            self._came_or_went(status, after, self.base.at, after[status], went=False)
        for status, other in pairs:
            self._answer(status, before[status], after[other])

    def _came_or_went(self, status: str, among: dict[str, At], base: At, revision: At, *, went: bool) -> None:
        what = f"{status} is {'gone' if went else 'new'}"
        if self.base.is_event:
            if status[0] == "2":
                self._tell_answer("reply-narrowed" if went else "reply-widened", what, base, revision, status)
        elif _is_success(status, among):
            self._tell_answer("success-removed" if went else "success-added", what, base, revision, status)
        else:
            what = f"{status} is {'no longer documented' if went else 'documented now'}"
            self._tell_answer("error-removed" if went else "error-added", what, base, revision, status)

    def _tell_answer(self, kind: str, what: str, base: At, revision: At, status: str) -> None:
        self._tell(kind, what, base, revision, f"response {status}", direction=self.answered, values=(status, None))

    def _ranges(
        self, gone: list[str], new: list[str], before: dict[str, At], after: dict[str, At]
    ) -> Iterator[tuple[str, str]]:
        """Statuses whose range is described instead, or the other way round."""
        for status in list(gone):
            wide = f"{status[0]}XX"
            if status != wide and wide in after:
                gone.remove(status)
                if status[0] == "2" and wide in new:
                    kind = "reply-widened" if self.base.is_event else "success-widened"
                    self._tell_answer(kind, f"{status} → {wide}", before[status], after[wide], status)
                if wide in new:
                    new.remove(wide)
                yield status, wide
        for status in list(new):
            wide = f"{status[0]}XX"
            if status != wide and wide in before:
                new.remove(status)
                if status[0] == "2" and wide in gone:
                    kind = "reply-narrowed" if self.base.is_event else "success-narrowed"
                    self._tell_answer(kind, f"{wide} → {status}", before[wide], after[status], wide)
                if wide in gone:
                    gone.remove(wide)
                yield wide, status

    @staticmethod
    def _defaults(
        gone: list[str], new: list[str], before: dict[str, At], after: dict[str, At]
    ) -> Iterator[tuple[str, str]]:
        """Errors that `default` describes instead, or the other way round."""
        for some, others, whole in ((gone, new, after), (new, gone, before)):
            errors = [status for status in some if status[0] in "45"]
            if not errors or "default" not in whole or _is_success("default", whole):
                continue
            if "default" in others:
                others.remove("default")
            for status in errors:
                some.remove(status)
                yield (status, "default") if some is gone else ("default", status)

    def _successes(
        self, gone: list[str], new: list[str], before: dict[str, At], after: dict[str, At]
    ) -> Iterator[tuple[str, str]]:
        """Successes that took the place of others."""
        for status in [one for one in gone if _is_success(one, before)]:
            other = next((one for one in new if _is_success(one, after)), None)
            # Where another success was described already, the first is gone and none has taken its place.
            if other is None:
                continue
            gone.remove(status)
            new.remove(other)
            what = f"success is {other} now, no longer {status}"
            path = f"response {status}"
            values = (status, other)
            at = (before[status], after[other])
            self._tell("success-changed", what, *at, path, direction=self.answered, values=values)
            yield status, other

    def _answer(self, status: str, base: At, revision: At) -> None:
        path = f"response {status}"
        # What we answer to an event is sent by us, and its body is read by nobody.
        self._prose(base, revision, "description", path, direction=self.answered)
        if self.base.is_event:
            return
        before, after = _headers(base), _headers(revision)
        for name, one in before.items():
            if name in after:
                self._parameter(one, after[name], path, direction=self.answered)
            else:
                kind = "parameter-removed-required" if one.required else "parameter-removed"
                self._tell(kind, "is gone", one.at, revision, path, f"header {one.name}", direction=self.answered)
        for name, other in after.items():
            if name not in before:
                self._tell(
                    "parameter-added", "is new", base, other.at, path, f"header {other.name}", direction=self.answered
                )
        if _content(base) and not _content(revision):
            self._tell("body-removed", "the body is gone", base, revision, path, direction=self.answered)
        elif _content(revision) and not _content(base):
            self._tell("body-added", "a body is new", base, revision, path, direction=self.answered)
        else:
            self._content(base, revision, path, direction=self.answered)
        links = [sorted(name for name, _ in (at.get("links") or _none(at)).names()) for at in (base, revision)]
        if links[0] != links[1]:
            what = f"links {listed(links[0]) or 'none'} → {listed(links[1]) or 'none'}"
            values = (tuple(links[0]), tuple(links[1]))
            self._tell("cosmetic", what, base, revision, path, direction=self.answered, values=values)

    # Around -------------------------------------------------------------------------------------------------------

    def _security(self) -> None:
        (before, at), (after, place) = self.base.security(), self.revision.security()
        lost = [one for one in before if not any(other <= one for other in after)]
        gained = [other for other in after if not any(one <= other for one in before)]
        told = (_alternatives(before), _alternatives(after))
        if lost:
            what = f"credentials {told[0]} → {told[1]}"
            self._tell("security-tightened", what, at, place, "security", values=told)
        elif gained or before != after:
            what = f"credentials {told[0]} → {told[1]}"
            self._tell("security-loosened", what, at, place, "security", values=told)

    def _servers(self) -> None:
        # Those of the description itself are compared once, not for each operation.
        if not has_servers(self.base) and not has_servers(self.revision):
            return

        def tell(kind: str, what: str, base: At, revision: At) -> None:
            self._tell(kind, what, base, revision, "servers", values=(what, None))

        before, after = ({server.url: server for server in one.servers} for one in (self.base, self.revision))
        compare_servers(before, after, self.base.at, self.revision.at, tell)


def compare_servers(
    before: dict[str, Any], after: dict[str, Any], base: At, revision: At, tell: Callable[[str, str, At, At], None]
) -> None:
    """Addresses that are gone and new."""
    gone = [url for url in before if url not in after]
    new = [url for url in after if url not in before]
    if not {*before, *after} - {""}:
        return  # none at all is the same as `/`
    if before and len(gone) == len(before):
        place = after[new[0]].at if new else revision
        tell("servers-replaced", f"{listed(before)} → {listed(after) or 'none'}", before[gone[0]].at, place)
        return
    for url in gone:
        tell("server-removed", f"{url or '/'} is gone", before[url].at, revision)
    for url in new:
        tell("server-added", f"{url or '/'} is new", base, after[url].at)


def has_servers(operation: Operation) -> bool:
    """Whether it, or its path, has addresses of its own."""
    return any(
        isinstance(at.value.get("servers"), list) for at in (operation.at, operation.item) if isinstance(at.value, dict)
    )


def _none(at: At) -> At:
    return At(at.document, at.pointer, {})


def _content(at: At) -> dict[str, At]:
    content = at.get("content")
    return {} if content is None else {media_type(name): media for name, media in content.items()}


def _schema(media: At) -> tuple[At, ...]:
    found = media.get("schema")
    return () if found is None else (found,)


def _is_wild(name: str) -> bool:
    return name.endswith("/*")


def _covers(wide: str, name: str) -> bool:
    return wide == "*/*" or (wide.endswith("/*") and name.startswith(wide[:-1]))


def _wildcard(name: str, among: dict[str, At]) -> At | None:
    return next((at for other, at in among.items() if _covers(other, name) or _covers(name, other)), None)


def _answers(at: At) -> dict[str, At]:
    responses = at.get("responses")
    if responses is None:
        return {}
    return {
        status.upper() if status != "default" else status: one.resolved() for status, one in responses.items() if status
    }


def _is_success(status: str, among: dict[str, At]) -> bool:
    """Whether *status* tells of success; redirections do, or `default`, where nothing else can."""
    better = {"2": "", "3": "2", "d": "23"}.get(status[0])
    return better is not None and not any(one[0] in better for one in among)


def _headers(at: At) -> dict[str, Parameter]:
    headers = at.get("headers")
    found: dict[str, Parameter] = {}
    for name, one in () if headers is None else headers.names():
        if name.lower() != "content-type":
            header = one.resolved()
            found[name.lower()] = Parameter(header, name, "header", header.flag("required"))
    return found


def _style(parameter: Parameter) -> str:
    return " ".join(parameter.style or ("plain",)).replace("True", "exploded").replace("False", "joined")


def _alternatives(found: frozenset[frozenset[tuple[tuple[str, ...], str]]]) -> str:
    """Security in words."""
    texts = sorted(
        " and ".join(
            sorted(
                f"{' '.join(part for part in scheme if part)}{f' ({scope})' if scope else ''}" for scheme, scope in one
            )
        )
        or "none"
        for one in found
    )
    return " or ".join(texts)
