"""Deliveries, signed and forged."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import pickle
import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from email.message import Message
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from starlette.datastructures import Headers as StarletteHeaders

from coinbase_checkouts import Checkout, EventType, webhooks
from coinbase_checkouts.errors import CheckoutsError, ConfigurationError, Refusal, SignatureError
from coinbase_checkouts.webhooks import SIGNATURE_HEADER, Event, sign, verify

SECRET = "123e4567-e89b-12d3-a456-426614174000"
NOW = 1775000000
ID = "68f7a946db0529ea9b6d3a12"
BODY = b'{"id":"68f7a946db0529ea9b6d3a12","eventType":"checkout.payment.success","status":"COMPLETED"}'
COVERED = {
    "content-type": "application/json",
    "x-event-id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "x-event-type": "checkout.payment.success",
}
V0 = "8e0649f4703b7e9f8071fbe324453c8ac7c04e32c320f67610e525813bf2e56b"
V1 = "38493bb726bbcebd4f70102c42cd4edb167946057bf31e509d259c2bdf6787cc"
BOTH = f"t={NOW},v0={V0},h=content-type x-event-id x-event-type,v1={V1}"

HELLO = (b"hello !", "secret", 1636936200)
USER = (b'{"event":"user.created"}', "a-subscription-secret")
SERVICE = {"x-event-id": "1a01cb48-5142-4d9b-8f90-d20cca61f0ee", "x-event-type": "service.resource.verb"}
DELIVERY = {"x-event-id": "evt-1", "x-delivery-id": "dlv-1"}

# The worked examples of Hook0's sources and conformance file, and two of our own: body, secret, time of the
# signature, covered headers in the order of h, code; then what verify makes of it at `now`.
VECTORS = [
    (*HELLO, {}, "1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98", HELLO[2], "payload_malformed"),
    (
        *HELLO,
        SERVICE,
        "bc521546ba5de381b12f135782d2008b028c3065c191760b12b76850a8fc8f51",
        HELLO[2],
        "payload_malformed",
    ),
    (*USER, 1800000000, {}, "d17d66b66fca89390c5b967c45e8928fc732db07a0aabe8167b1e98213081ffe", 1800000000, ""),
    (*USER, 1800000000, DELIVERY, "19a6fb8f6581715b241a93af02a58611c3b0ac7b747a8d2a5b120ee418d0c347", 1800000000, ""),
    (
        *USER,
        1800000000,
        dict(reversed(DELIVERY.items())),
        "bf5f4e5fe0c9143510ae192f983316a09ed392d0104d2ce0faa3d7bce3687acb",
        1800000000,
        "",
    ),
    (*USER, 1799999700, {}, "f9689580483e051113d28de23c1658c509da2b00e7bc15a5aaa83b8bdf83ff81", 1800000000, ""),
    (
        *USER,
        1799999699,
        {},
        "4168cc6c683357e103055b48584715f12e2baa4e679b8e076254247f11edf34d",
        1800000000,
        "outside_tolerance",
    ),
    (
        *USER,
        1800000301,
        {},
        "ba4b79e449ae52edb505b6baa07380be2baa6e0c4c6fec3b9a01c85d47a4935f",
        1800000000,
        "outside_tolerance",
    ),
    (BODY, SECRET, NOW, {}, V0, NOW, ""),
    (BODY, SECRET, NOW, COVERED, V1, NOW, ""),
]


def delivered(signature: str = BOTH, **headers: str) -> dict[str, str]:
    return {SIGNATURE_HEADER: signature, **COVERED, **headers}


def reason_of(
    body: bytes = BODY, headers: Any = None, secret: Any = SECRET, now: float | None = NOW, *, signature: str = BOTH
) -> str:
    """Why it is refused; empty if it is not."""
    try:
        verify(body, delivered(signature) if headers is None else headers, secret, now)
    except SignatureError as refused:
        return refused.reason
    return ""


def v0(body: bytes, *, t: str | int = NOW, secret: str = SECRET) -> str:
    """By another road than the code under test: no one-shot HMAC, no shared message."""
    inner, outer = hashlib.sha256(), hashlib.sha256()
    key = secret.encode().ljust(64, b"\0")
    inner.update(bytes(octet ^ 0x36 for octet in key))
    for part in (str(t).encode(), b".", body):
        inner.update(part)
    outer.update(bytes(octet ^ 0x5C for octet in key))
    outer.update(inner.digest())
    return f"t={t},v0={base64.b16encode(outer.digest()).decode().lower()}"


def v1(body: bytes, headers: Mapping[str, bytes], *, names: str | None = None) -> str:
    """By the documented construction."""
    listed = " ".join(headers) if names is None else names
    message = b".".join([str(NOW).encode(), listed.encode(), *headers.values(), body])
    return f"t={NOW},h={listed},v1={hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()}"


def event_of(payload: Mapping[str, Any] | bytes, **headers: str) -> Event:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return verify(body, {SIGNATURE_HEADER: v0(body), **headers}, SECRET, NOW)


# Worked examples.


@pytest.mark.parametrize(("body", "secret", "t", "covered", "code", "now", "expected"), VECTORS)
def test_worked_examples(
    *, body: bytes, secret: str, t: int, covered: dict[str, str], code: str, now: int, expected: str
) -> None:
    """
    Each of the ten is judged as its source says; one that is signed but no JSON is signed, and no event.
    """
    names = " ".join(covered)
    signature = f"t={t},h={names},v1={code}" if covered else f"t={t},v0={code}"
    headers = {SIGNATURE_HEADER: signature, **covered}
    assert expected == reason_of(body, headers, secret, now)
    # With any other code they are refused for that, so the code itself is right.
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert "code_mismatch" == reason_of(
        body, {**headers, SIGNATURE_HEADER: signature.replace(code, wrong)}, secret, now
    )
    assert code in sign(body, covered, secret, t)


def test_other_hmacs_sign_the_same() -> None:
    """
    HMAC written out, and that of another library, make the same code; blanks at the end of the body count.
    """
    body = b'{"note": "\xc3\xa9 "}  \n'
    other = HMAC(SECRET.encode(), SHA256())
    other.update(f"{NOW}.".encode() + body)
    assert v0(body) == f"t={NOW},v0={other.finalize().hex()}" == sign(body, {}, SECRET, NOW)
    assert "" == reason_of(body, {SIGNATURE_HEADER: v0(body)})
    assert "code_mismatch" == reason_of(body.strip(), {SIGNATURE_HEADER: v0(body)})


# Which signature decides.


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (BOTH, ""),
        (f"t={NOW},v0={V0}", ""),
        (f"t={NOW},h=content-type x-event-id x-event-type,v1={V1}", ""),
        (f"v1={V1},v0={V0},h=content-type x-event-id x-event-type,t={NOW}", ""),
        (BOTH.replace(V1, "0" * 64), "code_mismatch"),
        (BOTH.replace(V1, ""), "code_not_hexadecimal"),
        (BOTH.replace(V1, "x"), "code_not_hexadecimal"),
        (BOTH.replace("h=", "i="), "header_malformed"),
        # Nor is it passed over under another spelling; what else there may be is.
        (BOTH.replace("v1=", "v1 ="), "header_malformed"),
        (BOTH.replace("v1=", "V1="), "header_malformed"),
        (BOTH.replace("h=", "H="), "header_malformed"),
        (f"{BOTH},v0 ={V0}", "header_malformed"),
        (f"{BOTH},T={NOW}", "header_malformed"),
        (f"{BOTH},v2 =", "header_malformed"),
        (f"{BOTH},V2=", ""),
        # v1 decides: which number v0 is does not matter.
        (BOTH.replace(V0, "0" * 64), ""),
        (BOTH.replace(V0, "x"), "code_not_hexadecimal"),
        # v0 does not need h, but what it lists has to be there.
        (f"t={NOW},v0={V0},h=", ""),
        (f"t={NOW},v0={V0},h=x-event-id", ""),
        (f"t={NOW},v0={V0},h=x-other", "header_not_delivered"),
        (f"t={NOW},v0={V0},h=x-other,", "header_malformed"),
        (f"t={NOW},v0={V0},h=(x)", "header_malformed"),
        # The codes are not exchangeable.
        (f"t={NOW},v0={V1}", "code_mismatch"),
        (BOTH.replace(V1, V0), "code_mismatch"),
    ],
)
def test_v1_decides_where_there_is_one(signature: str, expected: str) -> None:
    """
    v0, v1 or both will do, in any order; a correct v0 rescues no wrong v1.
    """
    assert expected == reason_of(signature=signature)


def test_event_tells_what_is_proven() -> None:
    """
    The scheme and the names of the covered headers are told; v0 covers none.
    """
    strong = verify(BODY, delivered(), SECRET, NOW)
    weak = verify(BODY, delivered(f"t={NOW},v0={V0}"), SECRET, NOW)
    assert ("v1", ("content-type", "x-event-id", "x-event-type")) == (strong.scheme, strong.signed_headers)
    assert ("v0", ()) == (weak.scheme, weak.signed_headers)
    assert NOW == strong.timestamp == weak.timestamp
    assert COVERED["x-event-id"] == strong.event_id == weak.event_id


def test_message_of_v1_does_not_pass_as_one_of_v0() -> None:
    """
    Who takes a v1 for a v0, and h and headers for the start of the body, has a correct code and no event.
    """
    stretched = b".".join([" ".join(COVERED).encode(), *(value.encode() for value in COVERED.values()), BODY])
    assert "payload_malformed" == reason_of(stretched, {SIGNATURE_HEADER: f"t={NOW},v0={V1}"})


def test_message_of_v0_does_not_pass_as_one_of_v1() -> None:
    """
    Who takes a part of the body for h and a header has no name of a header.
    """
    body = b'{"a.b":".c"}'
    code = v0(body).rpartition("=")[2]
    signature = f't={NOW},h={{"a,v1={code}'
    assert "header_malformed" == reason_of(b'c"}', {SIGNATURE_HEADER: signature, '{"a': 'b":"'})


# Time.


@pytest.mark.parametrize(
    ("offset_s", "expected"),
    [
        (0, ""),
        (300, ""),
        (-300, ""),
        (300.0, ""),
        (301, "outside_tolerance"),
        (-301, "outside_tolerance"),
        (300.999, ""),
        (-300.001, "outside_tolerance"),
        (float("nan"), "outside_tolerance"),
        (float("inf"), "outside_tolerance"),
        (float("-inf"), "outside_tolerance"),
        pytest.param(10**400, "outside_tolerance", id="late"),
        pytest.param(-(10**400), "outside_tolerance", id="early"),
    ],
)
def test_window(offset_s: float, expected: str) -> None:
    """
    300 s are accepted and 301 are not, in both directions, whichever scheme; of a clock its whole seconds count.
    """
    for signature in (BOTH, f"t={NOW},v0={V0}"):
        assert expected == reason_of(now=NOW + offset_s, signature=signature)


def test_stale_says_how_stale() -> None:
    """
    What is correctly signed but not now says how far it is off, for whoever looks after the clocks.
    """
    for now, told in ((NOW + 400, "signed 400 s ago"), (NOW - 400, "signed 400 s in the future")):
        with pytest.raises(SignatureError, match=told):
            verify(BODY, delivered(), SECRET, now)


def test_present_is_the_default() -> None:
    """
    Without `now` it is the machine's clock.
    """
    t = int(time.time())
    assert "" == reason_of(headers={SIGNATURE_HEADER: v0(BODY, t=t)}, now=None)
    assert "outside_tolerance" == reason_of(headers={SIGNATURE_HEADER: v0(BODY, t=t - 1000)}, now=None)


# The header.


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (f"t={NOW}, v0={V0}", ""),
        (f" t={NOW} , v0={V0} ", ""),
        (f"t={NOW},v0={V0.upper()}", ""),
        (f"t={NOW},v0={V0},v2=new,x=", ""),
        ("", "header_malformed"),
        (",", "header_malformed"),
        ("t", "header_malformed"),
        ("=", "header_malformed"),
        (f"t={NOW}", "header_malformed"),
        (f"v0={V0}", "header_malformed"),
        (f"t=,v0={V0}", "header_malformed"),
        (f"t={NOW},v0={V0},", "header_malformed"),
        (f"t={NOW},v0={V0},v0={V0}", "header_malformed"),
        (f"t={NOW},t={NOW},v0={V0}", "header_malformed"),
        (f"t={NOW},v0={V0},x=1,x=1", "header_malformed"),
        (f"t={NOW},v0={V0},v2", "header_malformed"),
        (f"T={NOW},V0={V0}", "header_malformed"),
        (f"t={NOW};v0={V0}", "header_malformed"),
        (f"t =1,v0={V0}", "header_malformed"),
        (f"t=+{NOW},v0={V0}", "header_malformed"),
        (f"t=-{NOW},v0={V0}", "header_malformed"),
        (f"t={NOW}.0,v0={V0}", "header_malformed"),
        (f"t=1_775,v0={V0}", "header_malformed"),
        (f"t=١٧٧٥,v0={V0}", "header_malformed"),
        (f"t={'1' * 16},v0={V0}", "header_malformed"),
        (f"t={'1' * 5000},v0={V0}", "header_malformed"),
        (f"t={NOW},v0={V0},x={'y' * 8192}", "header_malformed"),
        (f"t={NOW},v0={V0},é=1", "header_malformed"),
        (f"t={NOW},v0={V0}\n", "header_malformed"),
        (f"t={NOW},v0={V0}\0", "header_malformed"),
        (f"t={NOW},v0=", "code_not_hexadecimal"),
        (f"t={NOW},v0={V0[:-1]}", "code_not_hexadecimal"),
        (f"t={NOW},v0={V0[:-1]}g", "code_not_hexadecimal"),
        (f"t={NOW},v0=0x{V0}", "code_not_hexadecimal"),
        (f"t={NOW},v0={V0[:32]} {V0[32:]}", "code_not_hexadecimal"),
        (f"t={NOW},v0= {V0}", "code_not_hexadecimal"),
        (f"t={NOW},v0={V0}=", "code_not_hexadecimal"),
        (f"t={NOW},v0={V0[:-2]}", "code_mismatch"),
        (f"t={NOW},v0={V0}00", "code_mismatch"),
        (f"t={NOW + 1},v0={V0}", "code_mismatch"),
        (f"t=0{NOW},v0={V0}", "code_mismatch"),
        (f"t={NOW},h=,v1={V1}", "header_malformed"),
        (f"t={NOW},h= ,v1={V1}", "header_malformed"),
        (f"t={NOW},h=content-type  x-event-id,v1={V1}", "header_malformed"),
        (f"t={NOW},h=content-type;x-event-id,v1={V1}", "header_malformed"),
        (f"t={NOW},h=content-type x-other,v1={V1}", "header_not_delivered"),
    ],
)
def test_grammar(signature: str, expected: str) -> None:
    """
    Blanks around the commas, upper-case digits and unknown keys are taken; anything else has its reason.
    """
    assert expected == reason_of(signature=signature)


@pytest.mark.parametrize("several", [list, tuple])
def test_headers_with_lists_of_values(several: Callable[[Any], Any]) -> None:
    """
    A list is as many headers of that name: one is one, two are two, and none is none.
    """
    listed = {name: several([value]) for name, value in delivered().items()}
    assert "" == reason_of(headers=listed)
    assert "" == reason_of(headers=list(listed.items()))
    assert "header_repeated" == reason_of(headers={**listed, SIGNATURE_HEADER: several([BOTH, BOTH])})
    assert "header_repeated" == reason_of(headers={**listed, "X-Event-Id": several(["1", "2"])})
    assert "header_missing" == reason_of(headers={**listed, SIGNATURE_HEADER: several([])})
    assert "header_malformed" == reason_of(headers={**listed, SIGNATURE_HEADER: several([several([BOTH])])})


def test_header_has_to_come_once() -> None:
    """
    None, or two in whatever case, is refused; what is no text is none.
    """
    assert "header_missing" == reason_of(headers={})
    assert "header_missing" == reason_of(headers=[("Content-Type", "application/json")])
    assert "header_repeated" == reason_of(headers=[*delivered().items(), ("x-hook0-SIGNATURE", BOTH)])
    assert "header_malformed" == reason_of(headers={SIGNATURE_HEADER: None})
    assert "header_malformed" == reason_of(headers={SIGNATURE_HEADER: {BOTH}})
    # As httpx gives two of a name.
    assert "header_malformed" == reason_of(headers={SIGNATURE_HEADER: f"{BOTH}, {BOTH}"})


@pytest.mark.parametrize("name", COVERED)
def test_listed_header_has_to_come_once(name: str) -> None:
    """
    A header that the signature covers is refused if it is not there, changed, or there twice.
    """
    headers = delivered()
    left = {key: value for key, value in headers.items() if key != name}
    assert "header_not_delivered" == reason_of(headers=left)
    assert "code_mismatch" == reason_of(headers={**headers, name: ""})
    assert "code_mismatch" == reason_of(headers={**headers, name: headers[name] + " "})
    assert "header_repeated" == reason_of(headers=[*headers.items(), (name.title(), headers[name])])
    # v0 has no use for them; but two ids are no id.
    del headers[SIGNATURE_HEADER]
    pairs = [(SIGNATURE_HEADER, f"t={NOW},v0={V0}"), *headers.items(), (name.title(), headers[name])]
    assert ("header_repeated" if name == "x-event-id" else "") == reason_of(headers=pairs)


def django_style(headers: dict[str, str]) -> Any:
    """Title case, any case found."""
    return httpx.Headers({name.title(): value for name, value in headers.items()})


def message_of(headers: dict[str, str]) -> Message:
    """What http.server has."""
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return message


KINDS: list[Callable[[dict[str, str]], Any]] = [
    dict,
    httpx.Headers,
    StarletteHeaders,
    CIMultiDict,
    message_of,
    django_style,
    lambda headers: list(headers.items()),
    lambda headers: iter(headers.items()),
    lambda headers: {name.upper(): value for name, value in headers.items()},
    lambda headers: [(name.lower().encode(), value.encode()) for name, value in headers.items()],
]


@pytest.mark.parametrize("kind", KINDS)
def test_headers_of_any_framework(kind: Callable[[dict[str, str]], Any]) -> None:
    """
    A mapping or pairs, of texts or of bytes, with names in any case.
    """
    assert COVERED["x-event-id"] == verify(BODY, kind(delivered()), SECRET, NOW).event_id


def test_listed_names_in_any_case_and_order() -> None:
    """
    v1 covers the names as they are listed or in lower case, whatever the case in which the headers came.
    """
    covered = {"x-event-type": b"t", "X-EVENT-ID": b"e"}
    as_listed = v1(BODY, covered)
    assert "h=x-event-type X-EVENT-ID," in as_listed
    lower = v1(BODY, {name.lower(): value for name, value in covered.items()})
    for signature in (as_listed, lower.replace("x-event-id", "X-EVENT-ID")):
        event = verify(BODY, {"X-HOOK0-signature": signature, "X-event-ID": "e", "X-EVENT-TYPE": "t"}, SECRET, NOW)
        assert ("x-event-type", "x-event-id") == event.signed_headers


@pytest.mark.parametrize("value", ["plain", "Ö", "Ω", "\udcff", "a\u00a0b"])
def test_header_values_beyond_ascii(value: str) -> None:
    """
    The bytes are found again whether a framework read them as Latin-1 or UTF-8; without such bytes nothing matches.
    """
    raw = value.encode("utf-8", "surrogateescape")
    signature = v1(BODY, {"x-shop": raw})
    for shown in (value, raw.decode("latin-1")):
        assert "" == reason_of(headers={SIGNATURE_HEADER: signature, "x-shop": shown})
    assert "" == reason_of(headers=[(SIGNATURE_HEADER, signature), ("x-shop", raw)])
    assert "" == reason_of(headers=[(SIGNATURE_HEADER.encode(), signature.encode()), (b"X-Shop", raw)])
    assert "code_mismatch" == reason_of(headers={SIGNATURE_HEADER: signature, "x-shop": "\ud800"})
    assert "code_mismatch" == reason_of(headers={SIGNATURE_HEADER: signature, "x-shop": None})


# Secrets and other arguments.


def test_several_secrets() -> None:
    """
    One of several will do, in any place and any kind of collection; none of them is a mismatch.
    """
    for secrets in ([SECRET], ["old", SECRET], (SECRET, "new"), {"a", SECRET}, iter(["old", SECRET])):
        assert "" == reason_of(secret=secrets)
    assert "code_mismatch" == reason_of(secret=["old", "new"])
    assert "code_mismatch" == reason_of(secret=SECRET.upper())


def test_every_secret_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Comparing goes through hmac.compare_digest, for every secret, whichever matches.
    """
    compared: list[bool] = []
    real = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(real(one, other))
        return compared[-1]

    monkeypatch.setattr(hmac, "compare_digest", counting)
    assert "" == reason_of(secret=[SECRET, "b", "c"])
    assert [True, False, False] == compared


@pytest.mark.parametrize("secret", ["", [], (), [""], [SECRET, ""], "\ud800"])
def test_empty_secret_is_a_mistake_of_the_program(secret: Any) -> None:
    """
    It is told as such, never as a bad signature, and nothing passes with it, not even what it signs.
    """
    forged = f"t={NOW},v0={hmac.new(b'', f'{NOW}.'.encode() + BODY, 'sha256').hexdigest()}"
    for refuse in (lambda: verify(BODY, delivered(forged), secret, NOW), lambda: sign(BODY, {}, secret, NOW)):
        with pytest.raises(ConfigurationError, match="secret") as caught:
            refuse()
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((BODY.decode(), {}, SECRET), "body must be the bytes as they were received, not str"),
        (({"id": ID}, {}, SECRET), "body must be the bytes as they were received, not dict"),
        ((None, {}, SECRET), "not NoneType"),
        ((BODY, None, SECRET), "headers must be"),
        ((BODY, "X-Hook0-Signature: t", SECRET), "headers must be"),
        ((BODY, [("one",)], SECRET), "headers must be"),
        ((BODY, {None: "x"}, SECRET), "headers must be"),
        ((BODY, {}, None), "secret must be a text or a list of texts, not NoneType"),
        ((BODY, {}, SECRET.encode()), "secret must be a text or a list of texts, not bytes"),
        ((BODY, {}, {"secret": SECRET}), "not dict"),
        ((BODY, {}, [SECRET, None]), "not of NoneType"),
    ],
)
def test_wrong_types_are_told(arguments: tuple[Any, Any, Any], told: str) -> None:
    """
    A TypeError says which argument is of the wrong type, and why a body has to be bytes; it quotes none.
    """
    for refuse in (lambda: verify(*arguments, NOW), lambda: sign(*arguments, NOW)):
        with pytest.raises(TypeError, match=told) as caught:
            refuse()
        assert SECRET not in str(caught.value)
        assert ID not in str(caught.value)


def test_now_is_a_number() -> None:
    """
    A text or a datetime is refused as a mistake of the program.
    """
    with pytest.raises(TypeError, match="now must be Unix seconds, not str"):
        verify(BODY, delivered(), SECRET, "now")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- what is tested


def test_bytes_of_any_kind() -> None:
    """
    A bytearray and a memoryview are bytes, too.
    """
    for body in (BODY, bytearray(BODY), memoryview(BODY)):
        assert verify(body, delivered(), SECRET, NOW).body == BODY


def test_refusal_tells_nothing_secret() -> None:
    """
    Neither message, pickle nor any local of our frames has the secret, the payload or the right code.
    """
    mark = "marked-secret"
    for attempt in (
        lambda: verify(BODY, delivered(), mark, NOW),
        lambda: verify(BODY, {}, [mark], NOW),
        lambda: verify(BODY.decode(), delivered(), mark, NOW),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- what is tested
        lambda: sign(BODY, {}, [mark, ""], NOW),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- what is tested
    ):
        with pytest.raises((CheckoutsError, TypeError)) as caught:
            attempt()
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        ours = [str(frame.locals) for frame in frames if frame.filename == webhooks.__file__]
        assert ours
        told = "".join([str(caught.value), repr(caught.value), *ours])
        assert [] == [secret for secret in (mark, ID, V1, V0) if secret in told]


def test_refusal_reads_well_for_people_and_programs() -> None:
    """
    The message begins with the reason, there is advice, and a pickle keeps both.
    """
    with pytest.raises(SignatureError) as caught:
        verify(BODY, {}, SECRET, NOW)
    assert "header_missing: X-Hook0-Signature was not delivered" == str(caught.value)
    assert "header_missing" == caught.value.reason == Refusal.HEADER_MISSING
    assert str(HTTPStatus.BAD_REQUEST.value) in caught.value.advice
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(caught.value), caught.value.reason) == (str(again), again.reason)


# The payload.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"hello !",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"{}{}",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b"\xff\xfe{\0}\0",
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"id":"1","id":"2"}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_signed_payload_that_is_no_event(body: bytes) -> None:
    """
    What is not one JSON object with unique names and finite numbers is refused, and said to be signed.
    """
    assert "payload_malformed" == reason_of(body, {SIGNATURE_HEADER: v0(body)})


def test_payload_is_taken_as_its_bytes() -> None:
    """
    Blanks at the end, line breaks, escapes and characters beyond ASCII are signed and kept as they came.
    """
    body = '\n {"id":"é","note":"\\u00e9 Ω \U0001f600","number":1.10,"list":['.encode() + b"{}," * 99 + b"{}]} \r\n\n"
    event = event_of(body)
    assert ("é", "é Ω \U0001f600") == (event.raw["id"], event.raw["note"])
    assert body == event.body
    assert "code_mismatch" == reason_of(body.strip(), {SIGNATURE_HEADER: v0(body)})


@pytest.mark.parametrize(
    "kind", [*EventType, "payment_link.payment.success", "checkout.payment.reversed", "", "\ud800"]
)
def test_event_types_known_or_not(kind: str) -> None:
    """
    The five are known; any other text is kept as it is.
    """
    event = event_of({"id": ID, "eventType": kind})
    assert isinstance(event.event_type, EventType)
    assert (kind, kind in set(EventType)) == (event.event_type, event.event_type.is_known)


@pytest.mark.parametrize("kind", [{}, {"eventType": None}, {"eventType": 5}, {"eventType": ["x"]}])
def test_event_without_a_type(kind: dict[str, Any]) -> None:
    """
    It is an event of an empty, unknown type, whatever the unsigned X-Event-Type says.
    """
    event = event_of({"id": ID, **kind}, **{"X-Event-Type": "checkout.payment.success"})
    assert ("", False) == (event.event_type, event.event_type.is_known)
    assert ID == event.checkout.id


def test_checkout_is_the_compiled_model(checkout_json: dict[str, Any]) -> None:
    """
    All of it is there, unknown fields and statuses too, and eventType is no field of it.
    """
    payload = {**checkout_json, "eventType": "checkout.payment.success", "status": "PONDERING", "news": {"a": [1]}}
    event = event_of(payload)
    assert isinstance(event.checkout, Checkout)
    assert ("100.50", "PONDERING", False) == (
        event.checkout.amount,
        event.checkout.status,
        event.checkout.status.is_known,
    )
    assert {"news": {"a": [1]}} == event.checkout.additional_properties
    assert payload == event.raw
    assert () == event.missing
    assert event.checkout is event.checkout


def test_checkout_of_a_partial_payload() -> None:
    """
    What is missing, null or of another type does not lose the event: it is named, and empty or the year 1.
    """
    refunds = [{"id": "r", "status": "COMPLETED", "amount": None}]
    event = event_of({"id": ID, "amount": 5, "createdAt": "soon", "url": None, "refunds": refunds, "metadata": 7})
    checkout = event.checkout
    assert ("eventType", "url", "currency", "network", "address", "updatedAt", "status") == event.missing
    assert ("5", "", 1, 1) == (checkout.amount, checkout.currency, checkout.created_at.year, checkout.updated_at.year)
    assert ("", False, "") == (checkout.status, checkout.status.is_known, checkout.network)
    assert isinstance(checkout.refunds, list)
    assert [("r", "COMPLETED", "", 1)] == [
        (refund.id, refund.status, refund.amount, refund.created_at.year) for refund in checkout.refunds
    ]
    assert not checkout.metadata
    assert not event_of({"refunds": ["r"]}).checkout.refunds


def test_event_is_a_value() -> None:
    """
    It can be compared, hashed, copied and pickled, and its repr shows nobody's data.
    """
    event, same = (verify(BODY, delivered(), SECRET, NOW) for _ in range(2))
    assert event.checkout.id == ID
    for again in (same, copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert event == again
        assert hash(event) == hash(again)
        assert event.checkout == again.checkout
    assert ID not in repr(event)
    with pytest.raises(AttributeError):
        event.scheme = "v0"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] -- what is tested


# What to act on once.


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Event-Id": "evt-1"}, "evt-1"),
        ({"x-event-id": " evt-1 "}, "evt-1"),
        ({"X-Hook0-Id": "evt-0"}, "evt-0"),
        ({"X-Hook0-Id": "evt-0", "X-Event-Id": "evt-1"}, "evt-1"),
        ({"X-Hook0-Id": "evt-0", "X-Event-Id": ""}, "evt-0"),
        ({"X-Event-Id": " "}, None),
        ({}, None),
    ],
)
def test_event_id(headers: dict[str, str], expected: str | None) -> None:
    """
    X-Event-Id, or what older documents call it; it is the key, and without it the content is.
    """
    event = event_of({"id": ID, "eventType": "checkout.payment.success"}, **headers)
    assert expected == event.event_id
    assert (expected or f"{ID}:checkout.payment.success") == event.dedupe_key
    assert f"{ID}:checkout.payment.success" == event.content_key


def refund_event(*refunds: tuple[Any, str], kind: str = "checkout.refund.success", **more: Any) -> str:
    told = [{"id": refund_id, "status": status} for refund_id, status in refunds]
    return event_of({"id": ID, "eventType": kind, "refunds": told, **more}).dedupe_key


def test_refunds_of_one_checkout_have_keys_of_their_own() -> None:
    """
    With each refund that settles the key is another one; with the order of the list, times, and refunds under way
    it is not.
    """
    one = refund_event(("r1", "COMPLETED"))
    assert f"{ID}:checkout.refund.success:r1" == one
    assert one == refund_event(("r1", "COMPLETED"), ("r2", "PENDING"), updatedAt="2026-11-20T10:31:00Z")
    assert one == refund_event(("r2", "FAILED"), ("r1", "COMPLETED"))
    two = refund_event(("r1", "COMPLETED"), ("r2", "COMPLETED"))
    assert two == refund_event(("r2", "COMPLETED"), ("r1", "COMPLETED"))
    failed = refund_event(("r1", "COMPLETED"), ("r2", "FAILED"), kind="checkout.refund.failed")
    assert f"{ID}:checkout.refund.failed:r2" == failed
    # No sample of a failed refund is published; if its state were another one, all that is told tells them apart.
    unclear = [refund_event(("r1", "PENDING"), ("r2", state), kind="checkout.refund.failed") for state in ("X", "Y")]
    assert 5 == len({one, two, failed, *unclear})


def test_payment_has_one_key_whatever_its_refunds() -> None:
    """
    Refunds do not tell payments apart.
    """
    assert f"{ID}:checkout.payment.success" == refund_event(("r1", "COMPLETED"), kind="checkout.payment.success")


@pytest.mark.parametrize(
    "change",
    [
        {"eventType": "checkout.refund.success", "refunds": [{"id": 5}]},
        {"eventType": "checkout.refund.success", "refunds": ["r1"]},
        {"eventType": "checkout.refund.success", "refunds": "r1"},
        {"eventType": "checkout.refund.success", "refunds": None},
        {"eventType": "checkout.refund.success", "refunds": []},
        {"eventType": "checkout.refund.success", "refunds": [{"id": "r1", "status": "PENDING"}]},
        {"eventType": "checkout.refund.failed"},
        {"eventType": "checkout.payment.reversed"},
        {"eventType": "checkout.payment.success", "id": None},
        {"eventType": "checkout.payment.success", "id": ["x"]},
        {"eventType": "checkout.payment.success", "id": ""},
        {},
    ],
)
def test_content_counts_where_ids_do_not_tell(change: dict[str, Any]) -> None:
    """
    Of an unknown type, a refund that none is told of, or without usable ids, other content is another event and the same is the same.
    """
    first, again, other = (event_of({"id": ID, "note": note, **change}).dedupe_key for note in ("a", "a", "b"))
    assert first == again != other
    assert len(first) <= 200


def test_key_fits_any_column() -> None:
    """
    However long or strange the parts, the key is at most 200 visible ASCII characters, and still one to one.
    """
    many = [(f"refund-{number:020}", "COMPLETED") for number in range(50)]
    keys = {
        refund_event(*many),
        refund_event(*many[1:]),
        refund_event(("\ud800", "COMPLETED")),
        refund_event(("\0", "COMPLETED")),
        event_of({"id": ID, "eventType": "checkout.payment.success"}, **{"x-event-id": "e" * 201}).dedupe_key,
        event_of({"id": ID, "eventType": "checkout.payment.success"}, **{"x-event-id": "é"}).dedupe_key,
    }
    assert 6 == len(keys)
    assert all(key.isascii() and key.isprintable() and len(key) <= 200 for key in keys)
    assert f"{ID}:checkout.refund.success:" + ":".join(name for name, _ in many[:3]) == refund_event(*many[2::-1])
    assert ID == event_of({"id": ID, "eventType": "x", "refunds": 5}, **{"x-event-id": ID}).dedupe_key


# sign.


@given(st.binary(max_size=200), st.dictionaries(st.sampled_from(["X-A", "x-b", "X-Event-Id"]), st.text(max_size=5)))
def test_what_sign_signs_is_accepted(body: bytes, headers: dict[str, str]) -> None:
    """
    verify has no quarrel with the code that sign makes, for any body and any values that can be encoded.
    """
    values = {name: value.encode(errors="ignore").decode() for name, value in headers.items()}
    signature = sign(body, values, SECRET, NOW)
    assert ("v1" in signature) == bool(headers)
    assert reason_of(body, {**values, SIGNATURE_HEADER: signature}) in ("", "payload_malformed")


# Anything at all.


@given(st.integers(0, len(BODY) * 8 - 1), st.booleans())
def test_one_bit_of_the_body(bit: int, strong: bool) -> None:
    """
    Whichever bit of the body is turned, it is refused.
    """
    changed = bytearray(BODY)
    changed[bit // 8] ^= 1 << bit % 8
    assert "code_mismatch" == reason_of(bytes(changed), signature=BOTH if strong else f"t={NOW},v0={V0}")


@given(st.data(), st.sampled_from([f"t={NOW},v0={V0}", f"t={NOW},h={' '.join(COVERED)},v1={V1}"]))
def test_one_bit_of_the_signature(data: st.DataObject, signature: str) -> None:
    """
    Whichever bit of it is turned, it is refused, unless it still says the same: a digit or a name in upper case.
    """
    bit = data.draw(st.integers(0, len(signature) * 7 - 1))
    at = bit // 7
    changed = signature[:at] + chr(ord(signature[at]) ^ 1 << bit % 7) + signature[at + 1 :]
    values = {at for part in re.finditer("(?:v0|h|v1)=([^,]*)", signature) for at in range(*part.span(1))}
    same = changed.lower() == signature and at in values
    assert same == (reason_of(signature=changed) == "")


@given(st.sampled_from(sorted(COVERED)), st.integers(0, 6), st.data())
def test_one_bit_of_a_covered_header(name: str, bit: int, data: st.DataObject) -> None:
    """
    Whichever bit of its value is turned, v1 refuses it.
    """
    value = COVERED[name]
    at = data.draw(st.integers(0, len(value) - 1))
    changed = value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :]
    assert "code_mismatch" == reason_of(headers=delivered(**{name: changed}))


PIECES = st.lists(
    st.sampled_from(
        ["t=", "v0=", "v1=", "h=", ",", "=", " ", str(NOW), V0, V1, "content-type", "x-event-id", "é", "\0"]
    )
    | st.text(max_size=4),
    max_size=12,
).map("".join)


@settings(max_examples=3 * settings().max_examples)
@given(PIECES, st.binary(max_size=40) | st.just(BODY), st.floats() | st.just(float(NOW)))
@example(BOTH, BODY, float(NOW))
def test_any_signature_header_is_accepted_or_refused(signature: str, body: bytes, now: float) -> None:
    """
    Whatever stands in the header, nothing but a SignatureError with a reason comes out; and no event but a signed one.
    """
    reason = reason_of(body, None, SECRET, now, signature=signature)
    assert reason in {"", *Refusal}
    if not reason:
        assert body == BODY
        assert V0 in signature or V1 in signature


@given(
    st.lists(st.tuples(st.text(max_size=6) | st.binary(max_size=6), st.text() | st.binary() | st.none()), max_size=5),
    st.binary(max_size=20),
)
def test_any_headers_are_refused(pairs: list[tuple[Any, Any]], body: bytes) -> None:
    """
    Whatever else comes as headers, it is refused as missing one.
    """
    assert reason_of(body, pairs) in set(Refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["id", "eventType", "amount", "status", "createdAt", "expiresAt", "metadata", "settlement", "network", "url"]
REFUNDS = st.lists(st.dictionaries(st.sampled_from(["id", "status", "createdAt", "amount"]), JSON) | JSON, max_size=3)
TIMES = st.sampled_from(["2026-11-20T10:30:00Z", "2026-11-20t10:30:00.123456789+14:00", "0001-01-01", "soon"])


@settings(max_examples=3 * settings().max_examples)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON | TIMES), REFUNDS | JSON)
@example({"id": ID, "eventType": "checkout.refund.failed"}, [{"id": "r"}])
def test_any_signed_object_is_an_event(payload: dict[str, Any], refunds: Any) -> None:
    """
    Nothing in a signed JSON object keeps the event, its checkout or its keys from being read.
    """
    payload = {**payload, "refunds": refunds}
    event = event_of(payload)
    assert payload == event.raw
    assert isinstance(event.checkout, Checkout)
    assert isinstance(event.checkout.id, str)
    assert set(event.missing) <= {*FIELDS, "currency", "address", "updatedAt"}
    assert event.dedupe_key == event.content_key
    assert event.dedupe_key.isascii()
    assert len(event.dedupe_key) <= 200


def test_nested_as_deep_as_it_goes() -> None:
    """
    The deepest payload that is taken can be read in every way.
    """
    deep: Iterable[Any] = []
    for _ in range(61):
        deep = [deep]
    event = event_of({"id": deep, "amount": deep, "metadata": {"a": deep}, "refunds": [deep], "news": deep})
    assert (event.checkout.amount, event.checkout.id) == (json.dumps(deep), json.dumps(deep))
    assert pickle.loads(pickle.dumps(event)) == event
