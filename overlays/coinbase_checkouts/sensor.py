"""
The client as a drift sensor: what an answer has that the description does not.

A drift is reported once per kind, through the logger `coinbase_checkouts` and a callback, and never stops a
payment: `readable` makes an answer readable whose fields are not of the described types.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from .plain import plain
from .validation import Schema, Validator, compiled, operation, resolve

LOGGER: Final = logging.getLogger("coinbase_checkouts")
KINDS_LIMIT: Final = 1000
# Stands for a required time that is none: nobody takes it for one.
NO_TIME: Final = "0001-01-01T00:00:00Z"
_ABSENT: Final = object()
# A page without its token would look like the last one.
_NEVER_LEFT_OUT: Final = ("nextPageToken",)


@dataclass(frozen=True, slots=True)
class Drift:
    """
    One way in which an answer is not as described.

    Attributes:
        operation: operationId of the description.
        kind: `status` for one that is not described, `undocumented` for such a field, `null`, or the keyword
            that is broken: `enum`, `type`, `format`, `pattern`, `required` and so on.
        pointer: JSON pointer into the body, with `*` for the items of a list; empty for a status.
        value: The status, or the unknown value of an enum; None where it might be somebody's data.
    """

    operation: str
    kind: str
    pointer: str
    value: str | None = None

    def __str__(self) -> str:
        what = "" if self.value is None else f" {self.value!r}"
        where = f" at {self.pointer}" if self.pointer else ""
        return f"{self.operation}: {self.kind}{what}{where} is not as described"


class Sensor:
    """
    Reports each drift once.

    Args:
        on_drift: Called with each new drift. What it raises is logged and goes no further.
    """

    def __init__(self, on_drift: Callable[[Drift], None] | None) -> None:
        self._on_drift = on_drift
        self._known: set[Drift] = set()
        self._lock = threading.Lock()

    def report(self, drift: Drift) -> None:
        """Log *drift* and hand it on, if it is new."""
        with self._lock:
            # A service that makes up new names with every answer is not to fill memory and log.
            if drift in self._known or len(self._known) >= KINDS_LIMIT:
                return
            self._known.add(drift)
        LOGGER.warning("drift: %s", drift)
        if self._on_drift is not None:
            try:
                self._on_drift(drift)
            except Exception:
                LOGGER.exception("on_drift failed")


class JsonLines:
    """
    Writes each drift on a line of its own, as JSON: `Checkouts(on_drift=JsonLines("drift.jsonl"))`.

    `coinbase-checkouts drift observed --log` reads them. Threads and processes may share a file: a line is appended
    with one write, and the file is opened for it, so that it may be moved away at any time. A file that cannot be
    written is told to the logger, and the payment goes on.

    Args:
        path: The file; made when there is something to write, readable by its owner only.
        now_s: Seconds since the epoch.
    """

    def __init__(self, path: str | os.PathLike[str], *, now_s: Callable[[], float] = time.time) -> None:
        self._path = os.fspath(path)
        self._now_s = now_s

    def __call__(self, drift: Drift) -> None:
        """Append *drift*."""
        at = datetime.fromtimestamp(self._now_s(), UTC).isoformat(timespec="seconds")
        line = json.dumps({"at": at, **asdict(drift)}).encode() + b"\n"
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError as exc:
            LOGGER.warning("drift could not be written to %s: %s", self._path, exc.strerror)


def sense(operation_id: str, status: int, body: Mapping[str, Any] | None) -> Iterator[Drift]:
    """
    The ways in which one answer is not as described; those of one kind may come more than once.

    Args:
        operation_id: Which operation answered.
        status: HTTP status.
        body: The answer's JSON object; None where it is none.
    """
    check = answer_check(operation_id, status)
    if check is None:
        yield Drift(operation_id, "status", "", str(status))
        return
    for violation in check(body) if body is not None else ():
        value = _at(body, violation.pointer)
        kind = "null" if value is None and violation.rule == "type" else violation.rule
        shown = plain(str(value)) if kind == "enum" else None
        # A field's name is the service's text, too.
        where = plain(re.sub(r"/\d+(?=/|$)", "/*", violation.pointer)) or ""
        yield Drift(operation_id, kind, where, shown)


def readable(operation_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """
    *body* itself if a model can be made of it, else without what is not as described.

    An optional field of another type is left out; a number where text is due is its text. What a model cannot
    be without has a stand-in: other text is written as JSON, a time is the year 1. The payment is worth more
    than they are. A list is never shortened: with an item that is none, it is as a whole of another type.
    """
    schema = _success(operation_id)
    if not any(violation.rule in ("type", "format") for violation in _readers(operation_id)(body)):
        return body
    mended: dict[str, Any] = _mended(schema, body)
    return mended


def _mended(schema: Schema, value: Any) -> Any:
    schema = resolve(schema)
    kind = schema["type"]
    if kind == "object" and isinstance(value, dict):
        fields = {
            name: _mended(inner, value[name]) for name, inner in schema.get("properties", {}).items() if name in value
        }
        for name in {*schema.get("required", ()), *_NEVER_LEFT_OUT}:
            if fields.get(name) is _ABSENT:
                stand_in = name not in _NEVER_LEFT_OUT
                fields[name] = _stand_in(schema["properties"][name], value[name]) if stand_in else value[name]
        return {name: field for name, field in {**value, **fields}.items() if field is not _ABSENT}
    if kind == "array" and isinstance(value, list):
        items = [_mended(schema["items"], item) for item in value]
        return _ABSENT if any(item is _ABSENT for item in items) else items
    if kind == "string" and isinstance(value, str):
        return value if schema.get("format") != "date-time" or _is_time(value) else _ABSENT
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool) and "format" not in schema:
        return json.dumps(value)
    # To Python True is an int; to JSON it is not.
    return value if type(value) is {"integer": int, "boolean": bool}.get(kind) else _ABSENT


def _stand_in(schema: Schema, value: Any) -> Any:
    schema = resolve(schema)
    if value is None:
        return value
    if schema["type"] != "string":
        raise TypeError("nothing can stand for it")
    return NO_TIME if schema.get("format") == "date-time" else json.dumps(value)


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


def _at(body: Any, pointer: str) -> Any:
    """The value at *pointer*; itself absent where a required field is missing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            body = body[int(key)] if isinstance(body, list) else body[key]
        except KeyError:
            return _ABSENT
    return body


@cache
def answer_check(operation_id: str, status: int) -> Validator | None:
    """What the description says of the answer with this status; None if it does not know it."""
    responses = operation(operation_id)["responses"]
    if str(status) not in responses:
        return None
    content = resolve(responses[str(status)]).get("content")
    if content is None:
        # Of a body that should not be there nothing is said.
        return compiled({"type": "object"})
    schema = content["application/json"]["schema"]
    # An error may have one of several shapes; the first is the one that all operations share.
    return compiled(schema["anyOf"][0] if "anyOf" in schema else schema, closed=True)


@cache
def _readers(operation_id: str) -> Validator:
    """The check of what a model is made of."""
    return compiled(_success(operation_id))


@cache
def _success(operation_id: str) -> Schema:
    """The schema of the operation's successful answer, whichever 2xx it has."""
    responses = operation(operation_id)["responses"]
    status = next(status for status in responses if status.startswith("2"))
    schema: Schema = responses[status]["content"]["application/json"]["schema"]
    return schema
