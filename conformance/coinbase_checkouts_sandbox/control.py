"""
The control contract: pay a checkout, settle a refund, move the clock. JSON over HTTP, no token, loopback only.

Not part of Coinbase's API. The conformance suite relies on exactly these four calls.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jsonschema_rs import Draft202012Validator

from coinbase_checkouts_sandbox import acts
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.clock import rfc3339
from coinbase_checkouts_sandbox.description import validator
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.loopback import is_loopback
from coinbase_checkouts_sandbox.requests import Call, check, parse_json
from coinbase_checkouts_sandbox.world import World

NAME: Final = "coinbase-checkouts sandbox"

# Eight thousand years and a bit; keeps the sum inside 64 bits, acts.advance does the rest.
MOST_SECONDS: Final = 1 << 38


_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")


def _object_with(name: str, schema: dict[str, Any]) -> Draft202012Validator:
    return validator({"type": "object", "required": [name], "properties": {name: schema}})


_PAY: Final = _object_with("outcome", {"enum": ["COMPLETED", "FAILED", "PROCESSING"]})
_SETTLE: Final = _object_with("outcome", {"enum": ["COMPLETED", "FAILED"]})
# Time that goes back would bring expired checkouts to life again.
_ADVANCE: Final = _object_with("seconds", {"type": "integer", "minimum": 0, "maximum": MOST_SECONDS})


@dataclass(frozen=True, slots=True)
class Control:
    """One control call."""

    method: str
    path: str
    handle: Callable[[World, Call], Answer]


def admit(call: Call) -> None:
    """
    Keep the control calls to programs of this machine.

    Raises:
        ApiError: 403.
    """
    if call.client is None or not is_loopback(call.client):
        raise ApiError(403, "control calls are answered to this machine only")
    if not call.header("host"):
        raise ApiError(403, "header host: control calls must name this machine by a loopback address")
    refuse_other_sites(call)


def refuse_other_sites(call: Call) -> None:
    """
    Refuse what a page of another site sends through the user's browser, where no token keeps it out.

    Neither from its own origin (Origin, Sec-Fetch-Site) nor through a name of its own that it points at this
    machine (Host).

    Raises:
        ApiError: 403.
    """
    host = call.header("host") or "localhost"
    name = _HOST.fullmatch(host)
    if name is None or not is_loopback(name[1].strip("[]")):
        raise ApiError(403, "header host: calls without a token must name this machine by a loopback address")
    origin = call.header("origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        raise ApiError(403, "header origin: calls without a token from other sites are refused")
    if call.header("sec-fetch-site") not in {None, "same-origin", "none"}:
        raise ApiError(403, "header sec-fetch-site: calls without a token from other sites are refused")


def about(world: World, _call: Call) -> Answer:
    """GET /__sandbox__/."""
    with world.store.reading() as transaction:
        now_ms = world.now_ms(transaction)
    return Answer.json(200, {"name": NAME, "now": rfc3339(now_ms)})


def pay(world: World, call: Call) -> Answer:
    """POST /__sandbox__/checkouts/{id}/pay."""
    outcome = _body(call, _PAY)["outcome"]
    return Answer.json(200, acts.pay(world, call.path_parameters["id"], outcome))


def settle(world: World, call: Call) -> Answer:
    """POST /__sandbox__/checkouts/{id}/refunds/{refundId}/settle."""
    outcome = _body(call, _SETTLE)["outcome"]
    parameters = call.path_parameters
    return Answer.json(200, acts.settle(world, parameters["id"], parameters["refundId"], outcome))


def advance(world: World, call: Call) -> Answer:
    """POST /__sandbox__/clock/advance."""
    # JSON Schema calls 1.0 an integer too.
    seconds = int(_body(call, _ADVANCE)["seconds"])
    return Answer.json(200, {"now": rfc3339(acts.advance(world, seconds))})


CONTROLS: Final = (
    Control("GET", "/__sandbox__/", about),
    Control("POST", "/__sandbox__/checkouts/{id}/pay", pay),
    Control("POST", "/__sandbox__/checkouts/{id}/refunds/{refundId}/settle", settle),
    Control("POST", "/__sandbox__/clock/advance", advance),
)


def _body(call: Call, schema: Draft202012Validator) -> Mapping[str, Any]:
    body: Mapping[str, Any] = parse_json(call)
    check(schema, body, "body")
    return body
