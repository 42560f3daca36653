"""
Judging a request: is it HTTP and JSON as they should be, and does it keep the description's schemas.

Every refusal names the place and the rule, and none quotes what was sent.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from jsonschema_rs import Draft202012Validator

from coinbase_checkouts_sandbox.description import Operation, Parameter
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.readings import Readings

# A choice of this sandbox. The longest valid create request is under 10 KiB.
LARGEST_BODY_BYTES: Final = 1 << 20

# Far deeper than any request of this API, far shallower than what exhausts a parser or a database.
_DEEPEST: Final = 64

# How many violations one message tells.
_MOST_VIOLATIONS: Final = 5

# How a query writes an integer. Eighteen digits fit 64 bits; a longer one is out of any range here.
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")

# Below this a double knows every integer.
_EXACT: Final = 2.0**53


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived, read to its end."""

    method: str
    raw_path: str
    """As on the request line, escapes and all, without query."""
    query: bytes
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    body_limit: int
    """Most bytes of a body; what is beyond was not kept."""
    origin: str
    """Scheme, host and port this server was reached at."""
    client: str | None
    """The sender's address, None if unknown."""
    path_parameters: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """
        The only value of a header, None if it was not sent.

        Raises:
            ApiError: 400, it was sent several times.
        """
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise ApiError(400, f"header {name}: sent more than once")
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Request:
    """What a call says, once it has kept every schema."""

    call: Call
    operation: Operation
    path: dict[str, Any]
    query: dict[str, Any]
    """By name; integers are int, repeated parameters lists. Defaults are filled in, all else is absent."""
    header: dict[str, Any] = field(repr=False)
    body: Any = field(repr=False)
    """The parsed JSON, None for an operation without a body."""
    spared: bool = False
    """Whether no fault is to strike it any more."""


def judge(call: Call, operation: Operation, readings: Readings) -> Request:
    """
    Read *call* as *operation*.

    Raises:
        ApiError: The first kind of thing that is wrong: path, then header, then query, then body.
    """
    sent: dict[str, dict[str, Any]] = {
        "path": dict(call.path_parameters),
        "header": {p.name: call.header(p.name.lower()) for p in operation.parameters if p.place == "header"},
        "query": _query(call.query, {p.name: p for p in operation.parameters if p.place == "query"}),
    }
    kept: dict[str, dict[str, Any]] = {}
    for place, values in sent.items():
        kept[place] = {}
        for parameter in (p for p in operation.parameters if p.place == place):
            value = values.get(parameter.name)
            if value is None:
                value = parameter.default
            if value is None:
                continue
            status = readings.malformed_id_status if place == "path" else 400
            check(parameter.validator, value, f"{place} {parameter.name}", status=status)
            kept[place][parameter.name] = value
    body = None
    if operation.body is not None:
        body = parse_json(call)
        check(operation.body, body, "body")
    return Request(call, operation, kept["path"], kept["query"], kept["header"], body)


def check(validator: Draft202012Validator, value: Any, where: str, *, status: int = 400) -> None:
    """
    Refuse *value* unless the schema accepts it.

    Raises:
        ApiError: With *status*; names up to five violations by their JSON pointers.
    """
    if validator.is_valid(value):
        return
    violations: list[str] = []
    for error in validator.iter_errors(value):
        if len(violations) == _MOST_VIOLATIONS:
            violations.append("and more")
            break
        pointer = "".join(f"/{_escaped(step)}" for step in error.instance_path)
        violations.append(f"{where}{' ' if pointer else ''}{pointer}: {error.message}")
    raise ApiError(status, "; ".join(violations))


def parse_json(call: Call) -> Any:
    """
    The body as JSON, read strictly (RFC 8259, RFC 7493).

    Raises:
        ApiError: 400; wrong media type, missing, too large, not UTF-8, not JSON, a name twice in one object, a number
            JSON or a double does not have, nested too deeply, or text that is not Unicode.
    """
    media_type = (call.header("content-type") or "").split(";")[0].strip().lower()
    if len(call.body) > call.body_limit:
        raise ApiError(400, f"body: larger than {call.body_limit} bytes")
    if not call.body:
        raise ApiError(400, "body: missing; a JSON object is required")
    if media_type != "application/json":
        raise ApiError(400, "header content-type: must be application/json")
    try:
        text = call.body.decode()
    except UnicodeDecodeError:
        raise ApiError(400, "body: not valid UTF-8") from None
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
        )
    except json.JSONDecodeError as exc:
        raise ApiError(400, f"body: not valid JSON, {exc.msg} at line {exc.lineno} column {exc.colno}") from None
    except RecursionError:
        raise ApiError(400, f"body: nested more than {_DEEPEST} deep") from None
    _refuse_unstorable(value)
    return value


def _query(query: bytes, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """
    The parameters of *query* that the operation documents, each as the type its schema says where it can be read so.

    Others are ignored, as the real service's handling of them is not documented.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise ApiError(400, "query: not percent-encoded UTF-8") from None
    found: dict[str, Any] = {}
    for name, text in pairs:
        parameter = parameters.get(name)
        if parameter is None:
            continue
        if parameter.kind == "array":
            found.setdefault(name, []).append(text)
        elif name in found:
            raise ApiError(400, f"query {name}: given more than once")
        else:
            is_integer = parameter.kind == "integer" and _INTEGER.fullmatch(text)
            found[name] = int(text) if is_integer else text
    return found


def _escaped(step: str | int) -> str:
    """A step of a JSON pointer (RFC 6901)."""
    return str(step).replace("~", "~0").replace("/", "~1")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # Two parsers may keep different ones of two amounts.
    if len(found) != len(pairs):
        raise ApiError(400, "body: the same name twice in one object")
    return found


def _no_constant(_name: str) -> Any:
    raise ApiError(400, "body: NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ApiError(400, "body: a number is too large")
    # JSON Schema calls 1.0 an integer, and whoever has checked for one goes on with an int.
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _integer(text: str) -> int:
    # Python refuses to read integers of thousands of digits; nothing here has a use for one of a hundred.
    if len(text) > 100:
        raise ApiError(400, "body: a number is too large")
    return int(text)


def _refuse_unstorable(value: Any) -> None:
    """Refuse what cannot be kept as UTF-8, or be walked by others without fear of their recursion limits."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for node in level:
            if isinstance(node, str):
                _refuse_surrogates(node)
            elif isinstance(node, list):
                below.extend(node)
            elif isinstance(node, dict):
                for name in node:
                    _refuse_surrogates(name)
                below.extend(node.values())
        if not below:
            return
        level = below
    raise ApiError(400, f"body: nested more than {_DEEPEST} deep")


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ApiError(400, "body: half of a surrogate pair is not Unicode text") from None
