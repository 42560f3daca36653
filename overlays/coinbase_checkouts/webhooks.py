"""
A delivery's bytes and headers → an event that Coinbase signed, or a reason why not. No I/O.

    event = verify(request.body, request.headers, secret)
    if event.event_type == "checkout.payment.success":
        fulfil(event.checkout.id, once=event.dedupe_key)

Deliveries are repeated and come in any order: act once per `dedupe_key`, and read the checkout again when in
doubt. What is signed is believed: a payload that is not as described still makes an event, with `missing`
saying what it lacks.

Source: Hook0Signature, EventId and CheckoutEvent in spec/openapi.yaml; rules webhook.*.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final, Literal, NoReturn

from coinbase_checkouts_api.models import Checkout, EventType

from .errors import ConfigurationError, Refusal, SignatureError
from .sensor import NO_TIME, readable
from .validation import resolve

Value = str | bytes
Headers = Mapping[str, str | Sequence[str]] | Iterable[tuple[Value, Value]]
Body = bytes | bytearray | memoryview
Scheme = Literal["v0", "v1"]
# The values of each header, by its name in lower case, in the order in which they came.
_Found = dict[str, list[Any]]

SIGNATURE_HEADER: Final = "X-Hook0-Signature"
TOLERANCE_S: Final = 300
"""How far the time of the signature may be from now, in either direction; rule webhook.window."""

# The second is what older documents call the first.
_ID_HEADERS: Final = ("x-event-id", "x-hook0-id")
_SIGNATURE: Final = SIGNATURE_HEADER.lower()
# A real one has about 250 characters.
_SIGNATURE_LIMIT: Final = 8192
_KEYS: Final = frozenset({"t", "v0", "h", "v1"})
_SECONDS: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
# Farther from now than any of them, whatever a clock says; a NaN is there, too.
_FAR_S: Final = 10**16
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)
# RFC 9110. Being strict about names keeps the message of v0 from being read as one of v1.
_NAMES: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: [!#$%&'*+.^_`|~0-9A-Za-z-]+)*", re.ASCII)
# A checkout has 3; what has more than Python can follow would fail whoever reads it.
_DEPTH_LIMIT: Final = 64
# A database indexes a text of this length, whichever it is.
_KEY_LIMIT: Final = 200
_SETTLED: Final[Mapping[str, str]] = {
    EventType.CHECKOUT_REFUND_SUCCESS: "COMPLETED",
    EventType.CHECKOUT_REFUND_FAILED: "FAILED",
}


@dataclass(frozen=True)
class Event:
    """
    What a verified delivery says.

    Attributes:
        event_type: One of five, or one that nobody documented yet (`is_known` is false), such as those of the
            older prefix `payment_link.`; empty if the payload names none.
        event_id: X-Event-Id (in older deliveries X-Hook0-Id), the same on every repetition; None without. It
            is only proven if its name is in *signed_headers*: v0 signs no header, and whoever can change a
            delivery on its way can take v1 off.
        timestamp: When this delivery was signed, in Unix seconds.
        scheme: Which signature was verified: `v1` where there was one, else `v0`; `api` if it was not delivered at
            all but read from the API, by `inbox.reconcile`.
        signed_headers: Names of the headers that the signature covers, in lower case; none with v0.
        raw: The payload, unknown fields included.
        body: Its bytes as they came, to be kept and read again.
    """

    event_type: EventType
    event_id: str | None
    timestamp: int
    scheme: Scheme | Literal["api"]
    signed_headers: tuple[str, ...] = ()
    # Not shown: it is somebody's data, and logs have events.
    raw: dict[str, Any] = field(default_factory=dict, repr=False, hash=False)
    body: bytes = field(default=b"", repr=False)

    @cached_property
    def checkout(self) -> Checkout:
        """
        The checkout as the payload tells it; made when first asked for, and always there.

        A required field that the payload lacks (see `missing`) is empty, or the year 1; a field of another type
        than described is what `sensor.readable` makes of it.
        """
        given = {name: value for name, value in self.raw.items() if name != "eventType"}
        if isinstance(refunds := given.get("refunds"), list):
            given["refunds"] = [
                {**_stand_ins("Refund"), **_present(refund)} if isinstance(refund, dict) else refund
                for refund in refunds
            ]
        return Checkout.from_dict(readable("getCheckout", {**_stand_ins("Checkout"), **_present(given)}))

    @property
    def missing(self) -> tuple[str, ...]:
        """Required fields that the payload lacks; empty for one as documented. If any, read the checkout again."""
        given = _present(self.raw)
        return tuple(name for name in ("eventType", *_stand_ins("Checkout")) if name not in given)

    @property
    def dedupe_key(self) -> str:
        """What to act on once: the event's id, or where none came `content_key`; at most 200 visible characters."""
        return short(self.event_id) if self.event_id else self.content_key

    @property
    def content_key(self) -> str:
        """
        A key made of nothing but the signed payload: the checkout's id, the type and, for a refund, its id.

        A checkout may have several refunds, and the payload does not say which of them is new. All that are
        settled as the type says go into the key: their times may be equal and their order is not documented, but
        with each refund that settles the set is another one. Of an unknown type, a refund that lists none so settled,
        or a payload without id, the whole content counts, because such a thing may happen to a checkout more than
        once.

        Two deliveries that list the same refunds as settled are so one, even if each was sent for another of them:
        the second tells nothing that the first did not. Act on each refund by its own id.
        """
        told = _about(self.raw, _SETTLED.get(self.event_type)) if self.event_type.is_known else None
        about, *refunds = told or (hashlib.sha256(self.body).hexdigest(),)
        return short(about, self.event_type, *refunds)


def verify(body: Body, headers: Headers, secret: str | Iterable[str], now: float | None = None) -> Event:
    """
    Check that *body* was signed with *secret*, just now, and read it.

    Where v0 and v1 came, v1 decides: a correct v0 does not rescue a wrong v1, and of v0 it only counts that it is a
    hexadecimal number. Upper-case digits are as good as lower-case ones. Keys of the signature that nobody documented are
    ignored, but none may come twice, have a blank before its `=`, or be a documented one in upper case.

    Args:
        body: The bytes as received. JSON that was read and written again has another signature.
        headers: As received; a mapping, or pairs where a name may come twice. Names in any case. A list in place of a
            value, as in AWS's `multiValueHeaders`, is as many headers of that name.
        secret: The subscription's, as Coinbase gave it; several while you change from one to the next.
        now: Unix seconds, of which whole ones count; the present by default. 300 seconds from the signature's time
            are accepted, 301 are not, in both directions.

    Raises:
        SignatureError: Not a delivery to act on; `reason` says why. Answer 400.
        ConfigurationError: No secret, or an empty one. Also a ValueError.
        TypeError: A body that is not bytes, or another argument of the wrong type: a mistake in your program.

    Source: rules webhook.v0, webhook.v1, webhook.v1-wins and webhook.window in spec/openapi.yaml.
    """
    made = _verified(body, headers, secret, time.time() if now is None else now)
    # A traceback shows the locals of this frame.
    body, headers, secret = b"", (), ""
    if isinstance(made, Exception):
        raise made
    return made


def sign(body: Body, headers: Headers, secret: str, timestamp: int) -> str:
    """
    The X-Hook0-Signature that `verify` accepts, for your own tests.

    Args:
        body: The bytes to be delivered.
        headers: What v1 is to cover, in this order. Without any, the signature has v0 only.
        secret: The subscription's.
        timestamp: Unix seconds.

    Raises:
        ConfigurationError: An empty secret.
        TypeError: As for `verify`.
    """
    made = _signed(body, headers, secret, timestamp)
    body, headers, secret = b"", (), ""
    if isinstance(made, Exception):
        raise made
    return made


# The functions below answer with the error instead of raising it: a frame that raises is shown in tracebacks
# with its locals, and theirs hold the secret and the payload.


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a signature header says; *names* as listed, empty if none are."""

    t: str
    scheme: Scheme
    code: bytes
    names: str


def _verified(body: object, headers: object, secret: object, now: object) -> Event | Exception:
    if not isinstance(now, int | float):
        return TypeError(f"now must be Unix seconds, not {type(now).__name__}")
    made = _arguments(body, headers, secret)
    return made if isinstance(made, Exception) else _delivery(*made, now)


def _delivery(body: bytes, found: _Found, keys: tuple[bytes, ...], now: float) -> Event | SignatureError:
    claim = _claim(found)
    if isinstance(claim, SignatureError):
        return claim
    names = tuple(claim.names.lower().split(" ")) if claim.names else ()
    for name in (*names, *_ID_HEADERS):
        if len(found.get(name, ())) > 1:
            return _refused(Refusal.HEADER_REPEATED, "a header that has to be unique came more than once")
    if any(name not in found for name in names):
        return _refused(Refusal.HEADER_NOT_DELIVERED, "a header that the signature covers was not delivered")
    starts = [b""]
    if claim.scheme == "v1":
        values = [found[name][0] for name in names]
        # As listed, says Coinbase; in lower case, do Hook0's own libraries. The same headers, either way.
        spellings = dict.fromkeys((claim.names, claim.names.lower()))
        starts = [start for spelling in spellings for start in _covered(spelling, values)]
    matches = False
    for start in starts:
        message = claim.t.encode() + start + b"." + body
        for key in keys:
            # All of them, whichever matches: the time it takes tells nothing.
            matches |= hmac.compare_digest(hmac.digest(key, message, "sha256"), claim.code)
    if not matches:
        return _refused(Refusal.CODE_MISMATCH, "the signature is not of this secret, these headers and this body")
    # After the code: so the reason is told of what was truly signed, and speaks of clocks and replays only.
    age_s = math.floor(max(-_FAR_S, min(now, _FAR_S))) - int(claim.t)
    if abs(age_s) > TOLERANCE_S:
        when = f"{age_s} s ago" if age_s > 0 else f"{-age_s} s in the future"
        return _refused(Refusal.OUTSIDE_TOLERANCE, f"signed {when}; {TOLERANCE_S} s are accepted")
    return _event(body, found, claim, names)


def _event(body: bytes, found: _Found, claim: _Claim, names: tuple[str, ...]) -> Event | SignatureError:
    try:
        payload = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict) or _is_deep(body, payload):
        # Never an event: v1's message, with h and the headers taken for a part of the body, has a correct v0.
        return _refused(Refusal.PAYLOAD_MALFORMED, "correctly signed, but not one JSON object with unique names")
    kind = payload.get("eventType")
    ids = [_text(found[name][0]).strip() for name in _ID_HEADERS if name in found]
    return Event(
        event_type=EventType(kind if isinstance(kind, str) else ""),
        event_id=next(filter(None, ids), None),
        timestamp=int(claim.t),
        scheme=claim.scheme,
        signed_headers=names if claim.scheme == "v1" else (),
        raw=payload,
        body=body,
    )


def _claim(found: _Found) -> _Claim | SignatureError:
    given = found.get(_SIGNATURE, ())
    if len(given) != 1:
        if given:
            return _refused(Refusal.HEADER_REPEATED, f"{SIGNATURE_HEADER} came more than once")
        return _refused(Refusal.HEADER_MISSING, f"{SIGNATURE_HEADER} was not delivered")
    parts = _parts(_text(given[0]))
    if parts is None or not _SECONDS.fullmatch(parts.get("t", "")):
        return _malformed()
    scheme: Scheme = "v1" if "v1" in parts else "v0"
    names = parts.get("h", "")
    if scheme not in parts or not (_NAMES.fullmatch(names) or (not names and scheme == "v0")):
        return _malformed()
    for each in ("v0", "v1"):
        if not _HEX.fullmatch(parts.get(each, "00")):
            return _refused(Refusal.CODE_NOT_HEXADECIMAL, f"{each} is no hexadecimal number, or was cut short")
    return _Claim(parts["t"], scheme, bytes.fromhex(parts[scheme]), names)


def _parts(text: str) -> dict[str, str] | None:
    """The k=v parts of a signature header; None if that is not what it is."""
    if len(text) > _SIGNATURE_LIMIT or not (text.isascii() and text.isprintable()):
        return None
    parts: dict[str, str] = {}
    for part in text.split(","):
        name, separator, value = part.strip(" ").partition("=")
        if not separator or not name or name in parts or _is_disguised(name):
            return None
        parts[name] = value
    return parts


def _is_disguised(name: str) -> bool:
    """Whether it is one of the documented keys written otherwise: passed over, it would leave the others to decide."""
    return name != name.strip() or (name not in _KEYS and name.lower() in _KEYS)


def _malformed() -> SignatureError:
    return _refused(Refusal.HEADER_MALFORMED, f"{SIGNATURE_HEADER} is not t=…,v0=… or t=…,h=…,v1=…")


def _refused(reason: Refusal, message: str) -> SignatureError:
    return SignatureError(f"{reason}: {message}", reason=reason)


def _covered(names: str, values: list[Any]) -> list[bytes]:
    """
    What v1 signs between the time and the body.

    Frameworks make text of a header's bytes as Latin-1 or as UTF-8, and only the sender's signature can tell
    which; so for text beyond ASCII there are two.
    """
    listed = b"." + names.encode() + b"."
    if all(isinstance(value, bytes) for value in values):
        return [listed + b".".join(values)]
    joined = ".".join(map(_text, values))
    found: list[bytes] = []
    for encoding in ("ascii",) if joined.isascii() else ("latin-1", "utf-8"):
        try:
            # aiohttp keeps what is no UTF-8 as surrogates.
            found.append(listed + joined.encode(encoding, "surrogateescape"))
        except UnicodeEncodeError:
            continue
    return found


def _signed(body: object, headers: object, secret: object, timestamp: int) -> str | Exception:
    made = _arguments(body, headers, secret)
    if isinstance(made, Exception):
        return made
    content, covered, (key, *_) = made
    t = str(timestamp)
    code = hmac.digest(key, f"{t}.".encode() + content, "sha256").hex()
    if not covered:
        return f"t={t},v0={code}"
    names = " ".join(covered)
    start = _covered(names, [values[0] for values in covered.values()])[-1]
    bound = hmac.digest(key, t.encode() + start + b"." + content, "sha256").hex()
    return f"t={t},v0={code},h={names},v1={bound}"


def _arguments(body: object, headers: object, secret: object) -> tuple[bytes, _Found, tuple[bytes, ...]] | Exception:
    content, found, keys = _bytes(body), _collected(headers), keys_of(secret)
    if isinstance(content, Exception):
        return content
    if isinstance(found, Exception):
        return found
    return keys if isinstance(keys, Exception) else (content, found, keys)


def _bytes(body: object) -> bytes | TypeError:
    if isinstance(body, bytes):
        return body
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    return TypeError(
        f"body must be the bytes as they were received, not {type(body).__name__}: "
        "what was decoded or parsed and then written again has another signature"
    )


def keys_of(secret: object) -> tuple[bytes, ...] | Exception:
    """What to verify with, one or more; or the error to raise where the secret is no longer a local."""
    given: list[Any]
    if isinstance(secret, str):
        given = [secret]
    elif isinstance(secret, Iterable) and not isinstance(secret, bytes | bytearray | Mapping):
        given = list(secret)
    else:
        return TypeError(f"secret must be a text or a list of texts, not {type(secret).__name__}")
    for each in given:
        if not isinstance(each, str):
            return TypeError(f"secret must be a text or a list of texts, not of {type(each).__name__}")
    try:
        keys = tuple([each.encode() for each in given])
    except UnicodeEncodeError:
        return ConfigurationError("secret: not a text that has bytes")
    if not keys or b"" in keys:
        # HMAC would work with an empty key, which everybody has.
        return ConfigurationError("secret: none, or an empty one; nothing could be verified with it")
    return keys


def _collected(headers: object) -> _Found | TypeError:
    found: _Found = {}
    try:
        for name, value in _pairs(headers):
            key = (name if isinstance(name, str) else _name(name)).lower()
            for each in value if isinstance(value, list | tuple) else (value,):
                found.setdefault(key, []).append(each)
    except (TypeError, ValueError):
        return TypeError("headers must be a mapping of names to values, or pairs of them")
    return found


def _pairs(headers: Any) -> Iterable[Any]:
    # Werkzeug's and the standard library's are no Mappings, but have items().
    pairs: Iterable[Any] = headers.items() if hasattr(headers, "items") else headers
    return pairs


def _name(name: Any) -> str:
    if not isinstance(name, bytes):
        raise TypeError
    return name.decode("latin-1")


def _text(value: object) -> str:
    """A header's value; what is none is empty, and so not what anything asks for."""
    if isinstance(value, str):
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _is_deep(body: bytes, payload: Any) -> bool:
    """Whether it is nested deeper than anybody would nest it."""
    if body.count(b"[") + body.count(b"{") <= _DEPTH_LIMIT:
        return False
    level = [payload]
    for _ in range(_DEPTH_LIMIT):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _no_constant(_: str) -> NoReturn:
    raise ValueError


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)


def _about(payload: Mapping[str, Any], settled: str | None) -> list[str] | None:
    """
    The checkout's id and, if something *settled*, the ids of all refunds in that state; None if there are none, or
    one of all ids is no text.
    """
    given = payload.get("refunds") if settled else None
    refunds = [refund if isinstance(refund, dict) else {} for refund in given] if isinstance(given, list) else []
    told = [payload.get("id"), *(refund.get("id") for refund in refunds)]
    if not all(isinstance(given_id, str) and given_id for given_id in told):
        return None
    ids = sorted(refund["id"] for refund in refunds if refund.get("status") == settled)
    return None if settled and not ids else [payload["id"], *ids]


def short(*parts: str) -> str:
    """*parts* as one text that fits into any column and any log line: at most 200 visible ASCII characters."""
    text = ":".join(parts)
    if len(text) <= _KEY_LIMIT and text.isascii() and text.isprintable():
        return text
    return "sha256:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


@cache
def _stand_ins(schema: str) -> dict[str, str]:
    """For each field that a model cannot be without, what says that it is not there."""
    described = resolve({"$ref": f"#/components/schemas/{schema}"})
    times = {name for name, inner in described["properties"].items() if inner.get("format") == "date-time"}
    return {name: NO_TIME if name in times else "" for name in described["required"]}
