"""Key files: what is read, what is refused, and how a fresh one is written."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from coinbase_checkouts_sandbox.keys import KeyFileError, parse, read_or_create

ID = "organizations/a/apiKeys/b"
EC = generate_private_key(SECP256R1())
# The same each time: it is part of the names of tests, which workers of pytest-xdist compare.
ED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SEED, PUBLIC = ED.private_bytes_raw(), ED.public_key().public_bytes_raw()


def pem(key: Any = EC, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    text: str = key.private_bytes(Encoding.PEM, form, encryption).decode()
    return text


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("name", ["id", "name"])
@pytest.mark.parametrize(
    ("secret", "algorithm"),
    [
        (pem(), "ES256"),
        (pem(form=PrivateFormat.PKCS8), "ES256"),
        (pem().replace("\n", "\\n"), "ES256"),
        (b64(SEED + PUBLIC), "EdDSA"),
        (b64(SEED), "EdDSA"),
        (b64(SEED) + "\n", "EdDSA"),
    ],
)
def test_every_documented_form_is_read(name: str, secret: str, algorithm: str) -> None:
    """
    SEC1, PKCS#8, literal backslash-n, and Ed25519 of 64 and 32 bytes; the id under either name.
    """
    key = parse(json.dumps({name: ID, "privateKey": secret, "scopes": ["rat#view"]}).encode())
    expected = EC.public_key() if algorithm == "ES256" else ED.public_key()
    assert (ID, algorithm, expected) == (key.id, key.algorithm, key.public)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (json.dumps({"privateKey": pem()}).encode(), "id or name"),
        (json.dumps({"id": 5, "privateKey": pem()}).encode(), "id or name"),
        (json.dumps({"id": ID}).encode(), "no text under privateKey"),
        (json.dumps({"id": ID, "privateKey": ""}).encode(), "no text under privateKey"),
        (json.dumps({"id": ID, "privateKey": 5}).encode(), "no text under privateKey"),
        (json.dumps({"id": ID, "privateKey": pem()[:-60]}).encode(), "readable PEM"),
        (json.dumps({"id": ID, "privateKey": pem(form=PrivateFormat.PKCS8, password=b"x")}).encode(), "readable PEM"),
        (json.dumps({"id": ID, "privateKey": pem(generate_private_key(SECP384R1()))}).encode(), "P-256"),
        (json.dumps({"id": ID, "privateKey": pem(generate_rsa(65537, 2048))}).encode(), "P-256"),
        (json.dumps({"id": ID, "privateKey": pem(ED, PrivateFormat.PKCS8)}).encode(), "P-256"),
        (json.dumps({"id": ID, "privateKey": "not base64!"}).encode(), "neither PEM nor base64"),
        (json.dumps({"id": ID, "privateKey": "é"}).encode(), "neither PEM nor base64"),
        (json.dumps({"id": ID, "privateKey": b64(SEED[:31])}).encode(), "64 or 32 bytes"),
        (json.dumps({"id": ID, "privateKey": b64(PUBLIC + PUBLIC)}).encode(), "halves"),
        (b" " * (1 << 21), "too large"),
    ],
)
def test_any_other_content_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """
    What cannot be a key is told with the file's name and the reason, on one line, without any of the content.
    """
    path = tmp_path / "key.json"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=told) as caught:
        read_or_create(path, fresh_id=ID)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert content == path.read_bytes()


def test_a_public_key_is_refused() -> None:
    """
    A public key where the private one belongs is told apart.
    """
    public = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match="not a readable PEM private key"):
        parse(json.dumps({"id": ID, "privateKey": public}).encode())


def test_a_fresh_file_is_in_coinbases_format(tmp_path: Path) -> None:
    """
    Where there is no file one is written: id and SEC1 PEM, for its owner only, and nothing is left beside it.
    """
    path = tmp_path / "cdp_api_key.json"
    key, created = read_or_create(path, fresh_id=ID)
    content = json.loads(path.read_text())
    assert (True, {"id", "privateKey"}, ID) == (created, set(content), content["id"])
    assert content["privateKey"].startswith("-----BEGIN EC PRIVATE KEY-----\n")
    assert key.public == load_pem_private_key(content["privateKey"].encode(), None).public_key()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(tmp_path.iterdir())
    assert (key, False) == read_or_create(path, fresh_id="other")


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When another process writes the file first, that one is read and not overwritten.
    """
    path = tmp_path / "cdp_api_key.json"
    first, _ = read_or_create(path, fresh_id=ID)
    before = path.read_bytes()

    def unseen(_self: Path) -> bool:
        return False

    monkeypatch.setattr(Path, "exists", unseen)
    assert (first, False) == read_or_create(path, fresh_id="other")
    assert (before, [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


@pytest.mark.parametrize("name", ["", "missing/folder/key.json"])
def test_an_impossible_place_is_told(tmp_path: Path, name: str) -> None:
    """
    A folder, or a file in a folder that is not there, is one clear error.
    """
    with pytest.raises(KeyFileError, match="key file"):
        read_or_create(tmp_path / name, fresh_id=ID)
