"""Tokens: what is accepted, and each claim that can be wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from coinbase_checkouts_sandbox.keys import VerificationKey

if TYPE_CHECKING:
    import httpx

    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"
EC_ID, ED_ID = "organizations/a/apiKeys/b", "8d5a7b9e-2222-4333-8444-555566667777"
EC: EllipticCurvePrivateKey = generate_private_key(SECP256R1())
ED: Ed25519PrivateKey = Ed25519PrivateKey.generate()
NOW = 1_795_176_000
KEYS = {
    EC_ID: VerificationKey(EC_ID, "ES256", EC.public_key()),
    ED_ID: VerificationKey(ED_ID, "EdDSA", ED.public_key()),
}
HEADER = {"alg": "ES256", "kid": EC_ID, "typ": "JWT"}
ABSENT = object()


@pytest.fixture
def guarded(sandbox_with: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox that knows an EC and an Ed25519 key."""
    return sandbox_with(keys=KEYS)


def signed(header: dict[str, Any], payload: bytes, key: Any = EC) -> str:
    """A compact JWS by RFC 7515, made by hand: the server's library would refuse to make some of these."""
    message = f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"
    if isinstance(key, Ed25519PrivateKey):
        signature = key.sign(message.encode())
    elif key is None:
        signature = b""
    else:
        r, s = decode_dss_signature(key.sign(message.encode(), ECDSA(SHA256())))
        signature = r.to_bytes(32) + s.to_bytes(32)
    return f"{message}.{_b64(signature)}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    key: Any = EC,
    key_id: str = EC_ID,
    algorithm: str = "ES256",
) -> str:
    """A good token for a listing, with changes; ABSENT takes a member away."""
    good = {"sub": key_id, "iss": "cdp", "nbf": NOW, "exp": NOW + 120, "uri": f"GET 127.0.0.1{PATH}"}
    head = {"alg": algorithm, "kid": key_id, "typ": "JWT", "nonce": "0" * 32}
    payload = {name: value for name, value in {**good, **(claims or {})}.items() if value is not ABSENT}
    head = {name: value for name, value in {**head, **(header or {})}.items() if value is not ABSENT}
    return signed(head, json.dumps(payload).encode(), key)


def listed(sandbox: Sandbox, sent: str, **headers: str) -> httpx.Response:
    return sandbox.call("GET", PATH, headers={"Authorization": f"Bearer {sent}", **headers})


def refused(answer: httpx.Response, told: str) -> None:
    assert (401, "unauthorized") == (answer.status_code, answer.json()["errorType"])
    assert told in answer.json()["errorMessage"]
    assert "eyJ" not in answer.text
    assert "Bearer" == answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "sent",
    [
        token(),
        token(key=ED, key_id=ED_ID, algorithm="EdDSA"),
        token({"uri": ABSENT, "uris": [f"GET 127.0.0.1{PATH}"]}),
        token({"uris": ["POST elsewhere/", f"GET 127.0.0.1{PATH}"]}),
        token({"aud": None, "iat": NOW, "extra": {}}),
        token({"aud": ["cdp_service"]}),
        token({"nbf": NOW + 30, "exp": NOW + 150}),
        token({"nbf": NOW - 149, "exp": NOW - 29}),
        token({"exp": NOW + 1}),
        token(header={"nonce": ABSENT}),
    ],
)
def test_a_good_token_is_accepted(guarded: Sandbox, sent: str) -> None:
    """
    Both algorithms, uri and uris, and times off by as much as the stated skew pass.
    """
    assert 200 == listed(guarded, sent).status_code


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (token({"sub": "other"}), "claim sub"),
        (token({"sub": ABSENT}), "claim sub"),
        (token({"iss": "coinbase-cloud"}), "claim iss"),
        (token({"iss": ABSENT}), "claim iss"),
        (token({"nbf": ABSENT}), "claim nbf"),
        (token({"nbf": float(NOW)}), "claim nbf"),
        (token({"nbf": True}), "claim nbf"),
        (token({"nbf": NOW + 31, "exp": NOW + 100}), "claim nbf"),
        (token({"exp": ABSENT}), "claim exp"),
        (token({"exp": str(NOW + 120)}), "claim exp"),
        (token({"exp": NOW + 121}), "claim exp"),
        (token({"exp": NOW}), "claim exp"),
        (token({"nbf": NOW - 150, "exp": NOW - 30}), "claim exp: the token has expired"),
        (token({"uri": ABSENT}), "claim uri"),
        (token({"uri": ["GET"]}), "claim uri"),
        (token({"uri": f"POST 127.0.0.1{PATH}"}), "claim uri"),
        (token({"uri": f"get 127.0.0.1{PATH}"}), "claim uri"),
        (token({"uri": f"GET localhost{PATH}"}), "claim uri"),
        (token({"uri": f"GET 127.0.0.1:8402{PATH}"}), "claim uri"),
        (token({"uri": f"GET http://127.0.0.1{PATH}"}), "claim uri"),
        (token({"uri": f"GET 127.0.0.1{PATH}/"}), "claim uri"),
        (token({"uri": f"GET 127.0.0.1{PATH}?pageSize=1"}), "claim uri"),
        (token({"uri": f"GET 127.0.0.1/sandbox{PATH}"}), "claim uri"),
        (token({"uri": f"GET  127.0.0.1{PATH}"}), "claim uri"),
        (token({"uris": f"GET 127.0.0.1{PATH}"}), "claim uris"),
        (token({"uris": []}), "claim uris"),
        (token({"uris": [1]}), "claim uris"),
        (token({"uri": "GET elsewhere/", "uris": [f"GET 127.0.0.1{PATH}"]}), "claim uri"),
        (token(header={"kid": "unknown"}), "header kid"),
        (token(header={"kid": ABSENT}), "header kid"),
        (token(header={"typ": "at+jwt"}), "header typ"),
        (token(header={"typ": ABSENT}), "header typ"),
        (token(header={"crit": ["b64"], "b64": False}), "not understood"),
        (token(header={"crit": ["x"], "x": 1}), "not understood"),
        (token(header={"b64": False}), "not understood"),
        (token(key=generate_private_key(SECP256R1())), "signature"),
        (token(key=Ed25519PrivateKey.generate(), key_id=ED_ID, algorithm="EdDSA"), "signature"),
        (token(key=ED, algorithm="EdDSA"), "header alg"),
        (token(key=EC, key_id=ED_ID), "header alg"),
        (token(key=None, algorithm="none"), "header alg"),
        (token(key=None, header={"alg": ABSENT}), "header alg"),
        (token(header={"kid": 5}), "not understood"),
        (signed(HEADER, b"[]"), "not a JSON object"),
        (signed(HEADER, b"{"), "not a JSON object"),
        (signed(HEADER, b"[" * 10_000), "not a JSON object"),
        (token()[:-4] + "AAAA", "signature"),
        (token().rpartition(".")[0], "compact JWT"),
        ("x", "compact JWT"),
        (base64.b64encode(token().encode()).decode(), "compact JWT"),
    ],
)
def test_a_wrong_token_is_refused(guarded: Sandbox, sent: str, told: str) -> None:
    """
    Each claim, header or signature that is wrong is a 401 that names it and not the token.
    """
    refused(listed(guarded, sent), told)


def test_a_public_key_is_no_shared_secret(guarded: Sandbox) -> None:
    """
    A token signed with HMAC under the public key, the classic confusion of algorithms, is refused.
    """
    import hashlib
    import hmac

    message = token(header={"alg": "HS256"}).rpartition(".")[0]
    pem = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    digest = hmac.new(pem, message.encode(), hashlib.sha256).digest()
    refused(listed(guarded, f"{message}.{_b64(digest)}"), "header alg")


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Basic abc", "Token abc"])
def test_another_kind_of_authorization_is_refused(guarded: Sandbox, value: str | None) -> None:
    """
    Without a bearer token the answer is 401.
    """
    headers = {} if value is None else {"Authorization": value}
    refused(guarded.call("GET", PATH, headers=headers), "Authorization")


def test_two_tokens_are_refused(guarded: Sandbox) -> None:
    """
    Two Authorization headers are a 401, even if both are good.
    """
    refused(guarded.call("GET", PATH, headers=[("Authorization", f"Bearer {token()}")] * 2), "exactly one")


def test_the_scheme_has_no_case(guarded: Sandbox) -> None:
    """
    `bearer` is Bearer.
    """
    assert 200 == guarded.call("GET", PATH, headers={"Authorization": f"bearer {token()}"}).status_code


@pytest.mark.parametrize(
    ("host", "claimed"),
    [
        ("127.0.0.1:9", "127.0.0.1"),
        ("Business.Coinbase.com", "business.coinbase.COM"),
        ("[::1]:8402", "::1"),
        ("[::1]", "[::1]"),
    ],
)
def test_the_host_is_the_header_without_port(guarded: Sandbox, host: str, claimed: str) -> None:
    """
    The uri's host is the Host header's, without port and whatever the case; IPv6 with brackets or without.
    """
    assert 200 == listed(guarded, token({"uri": f"GET {claimed}{PATH}"}), Host=host).status_code


def test_the_path_is_the_raw_one_without_query(guarded: Sandbox) -> None:
    """
    The query is no part of the uri, and an escaped path is signed as it was sent.
    """
    sent = token()
    headers = {"Authorization": f"Bearer {sent}"}
    assert 200 == guarded.call("GET", PATH + "?pageSize=1", headers=headers).status_code
    refused(guarded.call("GET", "/api/v1/%63heckouts", headers=headers), "claim uri")


def test_the_sandbox_prefix_is_part_of_the_path(guarded: Sandbox) -> None:
    """
    A token for /sandbox/api/… is good there.
    """
    sent = token({"uri": f"GET 127.0.0.1/sandbox{PATH}"})
    assert 200 == guarded.call("GET", "/sandbox" + PATH, headers={"Authorization": f"Bearer {sent}"}).status_code


def test_authentication_comes_first(guarded: Sandbox) -> None:
    """
    A request that is wrong in every way is told about its token only.
    """
    refused(guarded.call("POST", PATH + "/nonsense/refund", content=b"{"), "Authorization")


def test_the_control_clock_moves_no_token(guarded: Sandbox) -> None:
    """
    After a day of the sandbox's clock a token of real time is still good, and the control calls need none.
    """
    guarded.advance(86400)
    assert 200 == listed(guarded, token()).status_code


def test_tokens_are_not_logged(guarded: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """
    Neither a good nor a bad token is on any log line.
    """
    with caplog.at_level("DEBUG"):
        listed(guarded, token())
        listed(guarded, token({"iss": "x"}))
    assert "eyJ" not in caplog.text
