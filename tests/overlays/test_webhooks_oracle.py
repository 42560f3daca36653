"""Deliveries, judged by us and by the library of those who make the signatures."""

from __future__ import annotations

import datetime as dt

from hook0 import Hook0ClientError, verify_webhook_signature_with_current_time
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from coinbase_checkouts.errors import Refusal, SignatureError
from coinbase_checkouts.webhooks import SIGNATURE_HEADER, TOLERANCE_S, sign, verify

SECRET = "123e4567-e89b-12d3-a456-426614174000"
NOW = 1775000000
BODY = '{"id": "68f7a946db0529ea9b6d3a12", "eventType": "checkout.payment.success", "description": "Žluťoučký"} \n'.encode()
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
HEADERS = st.dictionaries(st.sampled_from(["x-event-id", "x-event-type", "content-type", "x-shop"]), VALUES, max_size=4)
# What a part of a signature may become on its way.
CHANGES = st.sampled_from(
    ["", " ", ",", "=", "v1=", "v0=", "h=", "t=", "x-shop", "0", "f", "F", "t=1,", ",v0=00", "é", "-"]
)


def ours(body: bytes, headers: dict[str, str], now: float) -> str:
    """Why we refuse it; empty if we do not."""
    try:
        verify(body, headers, SECRET, now)
    except SignatureError as refused:
        return refused.reason
    return ""


def theirs(body: bytes, headers: dict[str, str], now: float) -> bool:
    """Whether Hook0's library accepts it."""
    when = dt.datetime.fromtimestamp(now, dt.UTC)
    try:
        verify_webhook_signature_with_current_time(headers[SIGNATURE_HEADER], body, headers, SECRET, TOLERANCE_S, when)
    except Hook0ClientError:
        return False
    return True


@given(st.binary(max_size=200) | st.just(BODY), HEADERS)
def test_what_sign_signs_is_good_to_hook0(body: bytes, headers: dict[str, str]) -> None:
    """
    Hook0's own library verifies what sign makes, of any body and any values.
    """
    assert theirs(body, {**headers, SIGNATURE_HEADER: sign(body, headers, SECRET, NOW)}, NOW)


@settings(max_examples=5 * settings().max_examples)
@given(HEADERS, st.data(), st.integers(-302, 302), st.booleans())
@example({}, None, 300, True)
def test_what_verify_accepts_hook0_accepts(
    headers: dict[str, str], data: st.DataObject | None, age_s: int, is_body: bool
) -> None:
    """
    Of deliveries changed at any place, verify accepts none that Hook0's library refuses; and if the header is as it was
    signed, it refuses what that accepts for being no JSON object only.
    """
    body, signed = BODY, sign(BODY, headers, SECRET, NOW)
    signature = signed
    if data is not None:
        if is_body:
            at = data.draw(st.integers(0, len(body)))
            body = body[:at] + data.draw(st.binary(max_size=2)) + body[at + data.draw(st.integers(0, 2)) :]
        else:
            at = data.draw(st.integers(0, len(signature)))
            signature = signature[:at] + data.draw(CHANGES) + signature[at + data.draw(st.integers(0, 5)) :]
    delivered = {**headers, SIGNATURE_HEADER: signature}
    reason, accepted = ours(body, delivered, NOW + age_s), theirs(body, delivered, NOW + age_s)
    assert reason or accepted
    if signature == signed:
        assert not (accepted and reason) or reason == Refusal.PAYLOAD_MALFORMED


@given(HEADERS, st.data())
def test_both_read_names_and_values_alike(headers: dict[str, str], data: st.DataObject) -> None:
    """
    Names in any case, on the header and in the list, change nothing; another value, or none, is refused by both.
    """
    assume(headers)
    signature = sign(BODY, headers, SECRET, NOW)
    name = data.draw(st.sampled_from(sorted(headers)))
    upper = {name.upper() if name == each else each: value for each, value in headers.items()}
    listed = signature.replace(f"{name}", name.title())
    for delivered in ({**upper, SIGNATURE_HEADER: signature}, {**headers, SIGNATURE_HEADER: listed}):
        assert ("", True) == (ours(BODY, delivered, NOW), theirs(BODY, delivered, NOW))
    lacking = {each: value for each, value in headers.items() if each != name}
    for changed in (lacking, {**headers, name: headers[name] + "x"}):
        delivered = {**changed, SIGNATURE_HEADER: signature}
        assert (True, False) == (bool(ours(BODY, delivered, NOW)), theirs(BODY, delivered, NOW))
