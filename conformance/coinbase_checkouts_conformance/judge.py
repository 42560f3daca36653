"""
The one place where an answer is held against the description: status, media type, JSON, schema, no null.

`jsonschema` (Draft 2020-12) gives the verdicts, with formats that bite and ECMA-262 patterns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, NoReturn

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from .description import Description, Operation, description, escaped
from .ecma import matches
from .scrub import excerpt

_URI: Final = "urn:coinbase-checkouts"
_MUST_BITE: Final = {
    "date-time": ("2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00Z\n"),
    "uri": ("https://exa mple.com/", "/relative", "https://example.com/\n"),
}


class BrokenError(AssertionError):
    """A claim does not hold: what was expected, where in the body, and by which rule of the description."""

    def __init__(self, what: str, *, pointer: str = "", rule: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.pointer = pointer
        self.rule = rule


@dataclass(frozen=True)
class Fault:
    """One way in which an answer breaks the description; *pointer* into the body, *rule* into the description."""

    what: str
    pointer: str
    rule: str


def _ecma_pattern(_: Any, pattern: str, instance: object, __: Mapping[str, Any]) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _strict_formats() -> FormatChecker:
    """
    The formats of Draft 2020-12, whole text only.

    The libraries behind `date-time` and `uri` use `$`, which lets a trailing newline pass, and without the extra
    they are absent and everything passes: both are tried here, before any verdict depends on them.
    """
    loose = Draft202012Validator.FORMAT_CHECKER
    strict = FormatChecker(formats=())
    for name in _MUST_BITE:
        strict.checks(name)(partial(_conforms, loose, name))
    for name, wrong in _MUST_BITE.items():
        for value in wrong:
            if strict.conforms(value, name):
                raise RuntimeError(f"format {name} is not checked; install coinbase-checkouts[conformance]")
    return strict


def _conforms(loose: FormatChecker, name: str, value: object) -> bool:
    return not isinstance(value, str) or (not value.endswith("\n") and bool(loose.conforms(value, name)))


FORMATS: Final = _strict_formats()
Validator: Final[Any] = extend(Draft202012Validator, {"pattern": _ecma_pattern})  # type: ignore[no-untyped-call]  # as in its stubs


class Judge:
    """Verdicts by one description; each schema is compiled once."""

    def __init__(self, by: Description) -> None:
        self.described: Final = by
        self._registry: Registry[Any] = Registry[Any]().with_resource(_URI, DRAFT202012.create_resource(by.document))
        self._validators: dict[str, Any] = {}

    def validator(self, pointer: str) -> Any:
        """The validator of the schema at *pointer* of the description."""
        if pointer not in self._validators:
            schema = {"$ref": f"{_URI}{pointer}"}
            self._validators[pointer] = Validator(schema, registry=self._registry, format_checker=FORMATS)
        return self._validators[pointer]

    def faults(self, pointer: str, instance: object) -> list[Fault]:
        """Every way in which *instance* breaks the schema at *pointer*."""
        return [
            Fault(
                excerpt(error.message, limit=200),
                _json_pointer(error.absolute_path),
                self.described.follow(pointer, list(error.absolute_schema_path)),
            )
            for error in self.validator(pointer).iter_errors(instance)
        ]

    def schema_of(self, operation: Operation, status: int) -> str | None:
        """Where the schema of the JSON is that *status* of *operation* comes with; None if there is no such answer."""
        pointer = self.described.responses(operation).get(status)
        return None if pointer is None else f"{pointer}/content/application~1json/schema"

    def check(self, operation: Operation, status: int, content_type: str, content: bytes) -> Any:
        """
        The JSON of an answer that keeps the description.

        Raises:
            BrokenError: It does not; the first fault found is told.
        """
        responses = self.described.responses(operation)
        if status not in responses:
            known = ", ".join(map(str, responses))
            raise BrokenError(
                f"status {status} is not documented here ({known} are)", rule=f"{operation.pointer}/responses"
            )
        where = f"{responses[status]}/content"
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in self.described.at(where):
            raise BrokenError(f"media type {excerpt(media_type, limit=60)!r}, not application/json", rule=where)
        instance = parsed(content, rule=where)
        for fault in self.faults(f"{where}/{escaped(media_type)}/schema", instance):
            raise BrokenError(fault.what, pointer=fault.pointer, rule=fault.rule)
        for pointer in nulls(instance):
            rule = self.described.rules.get("response.no-null", "")
            raise BrokenError("null; a field without a value is absent", pointer=pointer, rule=rule)
        return instance


def parsed(content: bytes, *, rule: str) -> Any:
    """
    *content* as JSON (RFC 8259, so UTF-8, no NaN, and no name twice in an object).

    Raises:
        BrokenError: It is not.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        why = exc.args[0] if type(exc) is ValueError else type(exc).__name__
        raise BrokenError(f"the body is not JSON ({why})", rule=rule) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; with a name twice each reader may see another."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def nulls(node: object, pointer: str = "") -> Iterator[str]:
    """Pointers to every null in *node*."""
    if node is None:
        yield pointer
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from nulls(value, f"{pointer}/{escaped(key)}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nulls(value, f"{pointer}/{index}")


def _json_pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{escaped(str(step))}" for step in path)


@cache
def judge() -> Judge:
    """The judge by this installation's description."""
    return Judge(description())
