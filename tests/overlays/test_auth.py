"""Keys and tokens; tokens are verified by another JWT library than the one that signs them."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from coinbase_checkouts.auth import ApiKey, JwtAuth, Secret, request_uri
from coinbase_checkouts.errors import KeyFormatError

ID = "organizations/7d0a1f2e/apiKeys/1f0b6c44"
URL = "https://business.coinbase.com/api/v1/checkouts"


def pem(
    key: Any, form: PrivateFormat = PrivateFormat.PKCS8, encryption: KeySerializationEncryption | None = None
) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return text.decode()


def decoded(token: str, key: EllipticCurvePrivateKey | Ed25519PrivateKey) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of *token*, once joserfc has verified it."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    algorithm = "ES256" if isinstance(key, EllipticCurvePrivateKey) else "EdDSA"
    verifier = (ECKey if algorithm == "ES256" else OKPKey).import_key(public)
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    opened = jws.deserialize_compact(token, verifier, registry=registry)
    return dict(opened.headers()), json.loads(opened.payload)


@pytest.mark.filterwarnings("ignore:.*EdDSA.*")  # joserfc has its own opinion of the name Coinbase expects
@pytest.mark.parametrize("kind", ["ec", "ed25519"])
def test_token_is_the_documented_one(
    kind: str, ec_key: EllipticCurvePrivateKey, ec_pem: str, ed25519_key: Ed25519PrivateKey, ed25519_base64: str
) -> None:
    """
    Another library verifies the token, and finds the documented header and claims and no others.
    """
    key = ec_key if kind == "ec" else ed25519_key
    auth = JwtAuth(
        ApiKey(ID, ec_pem if kind == "ec" else ed25519_base64), now_s=lambda: 1_800_000_000.9, nonce=lambda: "ab" * 16
    )
    header, claims = decoded(auth.token("post", f"{URL}?pageSize=2"), key)
    assert {
        "alg": "ES256" if kind == "ec" else "EdDSA",
        "kid": ID,
        "typ": "JWT",
        "nonce": "ab" * 16,
    } == header
    assert {
        "sub": ID,
        "iss": "cdp",
        "nbf": 1_800_000_000,
        "exp": 1_800_000_120,
        "uri": "POST business.coinbase.com/api/v1/checkouts",
    } == claims


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("get", "https://business.coinbase.com/api/v1/checkouts", "GET business.coinbase.com/api/v1/checkouts"),
        ("POST", "https://business.coinbase.com:8443/sandbox/a?b=c#d", "POST business.coinbase.com/sandbox/a"),
        ("GET", "http://127.0.0.1:8402/a%20b/%2e", "GET 127.0.0.1/a%20b/%2e"),
        ("GET", "http://[::1]:8402/a", "GET [::1]/a"),
        ("GET", "https://bücher.example/a", "GET xn--bcher-kva.example/a"),
        ("GET", "https://BUSINESS.coinbase.com", "GET business.coinbase.com/"),
    ],
)
def test_uri_has_no_scheme_port_or_query(method: str, url: str, expected: str) -> None:
    """
    The claim uri is METHOD host/path as they go over the wire.
    """
    assert expected == request_uri(method, httpx.URL(url))


def test_each_request_gets_its_own_token(api_key: ApiKey) -> None:
    """
    Two requests of one client carry two different tokens.
    """
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer), auth=JwtAuth(api_key)) as client:
        client.get(URL)
        client.get(URL)
    assert 2 == len(set(seen))
    assert all(value.startswith("Bearer ey") for value in seen)


def test_every_documented_form_of_a_key_is_read(
    ec_key: EllipticCurvePrivateKey, ed25519_key: Ed25519PrivateKey, ed25519_base64: str, tmp_path: Path
) -> None:
    """
    SEC1 and PKCS#8, real and written line breaks, CRLF, quotes, 64 and 32 bytes, old and new field names.
    """
    sec1, pkcs8 = pem(ec_key, PrivateFormat.TraditionalOpenSSL), pem(ec_key)
    seed = base64.b64encode(ed25519_key.private_bytes_raw()).decode()
    # What `openssl ecparam -genkey` writes: the curve by its name, then the key.
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    forms = {
        "ES256": [
            sec1,
            pkcs8,
            parameters + sec1,
            sec1.replace("\n", "\\n"),
            sec1.replace("\n", "\r\n"),
            f'"{pkcs8}"',
            f"\n {sec1} \n",
        ],
        "EdDSA": [pem(ed25519_key), ed25519_base64, seed, seed.rstrip("="), f" {ed25519_base64}\n", f"'{seed}'"],
    }
    for algorithm, texts in forms.items():
        for text in texts:
            for fields in ({"id": ID}, {"name": ID}, {"id": ID, "name": "other"}):
                file = tmp_path / "cdp_api_key.json"
                file.write_text(json.dumps({**fields, "privateKey": text, "nickname": "x"}))
                key = ApiKey.from_file(file)
                assert (ID, algorithm) == (key.id, key.algorithm)


def test_byte_order_mark_is_no_obstacle(ed25519_base64: str, tmp_path: Path) -> None:
    """
    A key file that an editor saved with a byte order mark is read.
    """
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"id": ID, "privateKey": ed25519_base64}), encoding="utf-8-sig")
    assert ID == ApiKey.from_file(str(file)).id


@pytest.mark.parametrize("name", ["CDP_API_KEY_ID", "CDP_API_KEY_NAME"])
def test_environment_is_read_when_asked(name: str, ed25519_base64: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Both names of the id work, and what is set after the import counts.
    """
    for variable in ("CDP_API_KEY_ID", "CDP_API_KEY_NAME", "CDP_API_KEY_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, f" {ID} ")
    monkeypatch.setenv("CDP_API_KEY_SECRET", f"{ed25519_base64}\r\n")
    assert ID == ApiKey.from_env().id


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "environment: CDP_API_KEY_ID or CDP_API_KEY_NAME is not set"),
        ({"CDP_API_KEY_ID": " "}, "environment: CDP_API_KEY_ID or CDP_API_KEY_NAME is not set"),
        ({"CDP_API_KEY_ID": "x"}, "environment: CDP_API_KEY_SECRET is not set"),
        (
            {"CDP_API_KEY_ID": "a\0b", "CDP_API_KEY_SECRET": "x"},
            "environment: CDP_API_KEY_ID or CDP_API_KEY_NAME is no plain text, or the private key itself",
        ),
        (
            {"CDP_API_KEY_ID": "x", "CDP_API_KEY_SECRET": "!"},
            "environment variable CDP_API_KEY_SECRET: is neither a PEM nor base64",
        ),
    ],
)
def test_missing_variable_is_named(environ: dict[str, str], expected: str) -> None:
    """
    What is missing or wrong in the environment is named by its variable.
    """
    with pytest.raises(KeyFormatError) as caught:
        ApiKey.from_env(environ)
    assert expected == str(caught.value)


def bad_keys() -> dict[str, tuple[str, str]]:
    """What is no key for this service: name → (privateKey, part of the reason)."""
    p256 = ec.generate_private_key(ec.SECP256R1())
    public = p256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    ed = ed25519.Ed25519PrivateKey.generate()
    other = ed25519.Ed25519PrivateKey.generate()
    halves = ed.private_bytes_raw() + other.public_key().public_bytes_raw()
    return {
        "public key": (public, "public key"),
        "RSA": (pem(rsa.generate_private_key(65537, 2048)), "RSA"),
        "P-384": (pem(ec.generate_private_key(ec.SECP384R1()), PrivateFormat.TraditionalOpenSSL), "secp384r1"),
        "X25519": (pem(x25519.X25519PrivateKey.generate()), "another kind"),
        "encrypted": (pem(p256, encryption=BestAvailableEncryption(b"pw")), "encrypted"),
        "cut PEM": (pem(p256)[:90], "cut short"),
        "PEM without end": (pem(p256).split("-----END")[0], "cut short"),
        "no label": ("-----BEGIN", "damaged"),
        "halves disagree": (base64.b64encode(halves).decode(), "public half"),
        "cut base64": (base64.b64encode(halves[:50]).decode(), "50 bytes"),
        "not base64": ("s3cr3t-marker!", "neither"),
        "umlaut": ("geheimnüs", "neither"),
        "empty": ("", "empty"),
        "blank": (" \n", "empty"),
    }


@pytest.mark.parametrize("name", list(bad_keys()))
def test_no_key_for_this_service_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    """
    The error names the file and the reason, and neither it nor the traceback's locals quote the key.
    """
    text, reason = bad_keys()[name]
    file = tmp_path / "cdp_api_key.json"
    file.write_text(json.dumps({"id": ID, "privateKey": text}))
    with pytest.raises(KeyFormatError) as caught:
        ApiKey.from_file(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert reason in message
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    for line in [line for line in text.splitlines() if len(line) > 12 and "-----" not in line]:
        # The locals of this test hold the key; only frames of the package count.
        ours = [part for part in shown.split("  File ") if "coinbase_checkouts/auth" in part.split("\n")[0]]
        assert ours
        assert not [part for part in ours if line.strip() in part]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b'{"id": "x", "privateK', "cut short"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"-----BEGIN EC PRIVATE KEY-----\n", "bare PEM"),
        (b'["id"]', "not an object"),
        (b'"text"', "not an object"),
        (b'{"privateKey": "x"}', "no field id"),
        (b'{"id": 5, "privateKey": "x"}', "no field id"),
        (b'{"id": "x"}', "no field privateKey"),
        (b'{"id": "x", "privateKey": null}', "no field privateKey"),
        (b'{"id": " ", "privateKey": "x"}', "id is empty"),
        (b'{"id": "a\\u0000b", "privateKey": "x"}', "no plain text"),
        (b'{"type": "service_account", "project_id": "x", "private_key": "x"}', "no field id"),
        (b" " * 70_000, "larger than"),
    ],
)
def test_foreign_file_is_refused_with_the_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    """
    What is no key file is refused by name, whatever it holds.
    """
    file = tmp_path / "other.json"
    file.write_bytes(content)
    with pytest.raises(KeyFormatError) as caught:
        ApiKey.from_file(file)
    assert str(file) in str(caught.value)
    assert reason in str(caught.value)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """
    A missing file and a folder are refused by name.
    """
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(KeyFormatError) as caught:
            ApiKey.from_file(path)
        assert f"{path}: cannot be read: " in str(caught.value)


@pytest.mark.parametrize("given_key", [None, 5, b"bytes"])
def test_wrong_type_is_refused_without_quoting_it(given_key: Any) -> None:
    """
    A key that is no text is refused as an empty one.
    """
    with pytest.raises(KeyFormatError, match="private key is empty"):
        ApiKey(ID, given_key)


@given(st.text(max_size=200))
def test_any_text_is_a_key_or_a_key_format_error(text: str) -> None:
    """
    Whatever the text, nothing but KeyFormatError is raised.
    """
    for candidate in (text, f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----"):
        with suppress(KeyFormatError):
            ApiKey("id", candidate)


def test_key_shows_itself_nowhere(ec_pem: str) -> None:
    """
    repr and str of key, auth and secret hide it; pickles are refused; copies are the same object.
    """
    key = ApiKey(ID, ec_pem)
    auth = JwtAuth(key)
    body = ec_pem.splitlines()[1]
    for shown in (repr(key), str(key), repr(auth), repr(Secret(ec_pem)), str(Secret(ec_pem)), str(vars(auth))):
        assert body not in shown
    assert f"ApiKey(id={ID!r}, private_key=<hidden ES256>)" == repr(key)
    for hidden in (key, Secret(ec_pem)):
        with pytest.raises(TypeError, match="does not go into a pickle"):
            pickle.dumps(hidden)
    assert key is copy.copy(key)
    assert key is copy.deepcopy(key)


def test_key_in_the_wrong_place_is_not_shown(ec_pem: str, ed25519_base64: str, tmp_path: Path) -> None:
    """
    Whoever gives the key for its file, or for its id, reads neither in the error nor in its traceback.
    """
    swapped = tmp_path / "key.json"
    swapped.write_text(json.dumps({"id": ed25519_base64, "privateKey": ID}))
    makers = [
        lambda: ApiKey.from_file(ec_pem),
        lambda: ApiKey.from_file(ed25519_base64),
        lambda: ApiKey(ed25519_base64, ID),
        lambda: ApiKey.from_file(swapped),
        lambda: ApiKey.from_file("a\0b"),
    ]
    for maker in makers:
        for part in frames_of(maker):
            assert ed25519_base64 not in part
            assert ec_pem.splitlines()[1] not in part


def frames_of(maker: Callable[[], object]) -> list[str]:
    """The error's text and each of our frames with its locals; made apart, so that none holds an earlier one."""
    with pytest.raises(KeyFormatError) as caught:
        maker()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    ours = [part for part in shown.split("  File ") if "coinbase_checkouts/auth" in part.split("\n")[0]]
    assert ours
    return [str(caught.value), *ours]
