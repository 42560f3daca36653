"""
API keys: read the public half of a key file, or write a fresh key file in Coinbase's own format.

Source of the formats: the authentication page and the official SDKs, as gathered in the description.
"""

import base64
import binascii
import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_LARGEST_FILE_BYTES: Final = 1 << 20


class KeyFileError(Exception):
    """The key file cannot be read, written or understood. The message names the file, never what is in it."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """The public half of an API key. The private half is forgotten as soon as it is read."""

    id: str
    algorithm: Literal["ES256", "EdDSA"]
    public: EllipticCurvePublicKey | Ed25519PublicKey
    may_transfer: bool = True
    """Whether it has the right to send funds, beside the right to view."""
    revoked: bool = False


def read_or_create(path: Path, *, fresh_id: str) -> tuple[VerificationKey, bool]:
    """
    The key of *path*, and whether the file was written just now because there was none.

    Args:
        fresh_id: Id of a new key, organizations/{uuid}/apiKeys/{uuid}.

    Raises:
        KeyFileError: See there.
    """
    try:
        created = not path.exists() and _write(path, fresh_id)
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as exc:
        raise KeyFileError(f"key file {path}: {exc.strerror or type(exc).__name__}") from None
    try:
        return parse(data), created
    except ValueError as exc:
        raise KeyFileError(f"key file {path}: {exc}") from None


def parse(data: bytes) -> VerificationKey:
    """
    Read the contents of a key file.

    Raises:
        ValueError: Says what is wrong, without quoting any of it.
    """
    if len(data) > _LARGEST_FILE_BYTES:
        raise ValueError("too large for a key file")
    try:
        content: Any = json.loads(data)
    # RecursionError: arrays nested by the thousand. The causes quote the file and are left out.
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004, every fault of a file is the same kind of error here
    # The older form says name.
    key_id = content.get("id") or content.get("name")
    secret = content.get("privateKey")
    if not isinstance(key_id, str):
        raise ValueError("has no text under id or name")  # noqa: TRY004
    if not isinstance(secret, str) or not secret:
        raise ValueError("has no text under privateKey")
    rights = {"may_transfer": _may_transfer(content.get("scopes")), "revoked": content.get("enabled") is False}
    if "-----BEGIN" in secret:
        return VerificationKey(key_id, "ES256", _ec_public(secret), **rights)
    return VerificationKey(key_id, "EdDSA", _ed25519_public(secret), **rights)


def _may_transfer(scopes: Any) -> bool:
    """Older files list rights such as rat#view or rat/portfolio:…#transfer; those that list none have all."""
    if not isinstance(scopes, list) or not scopes:
        return True
    return any(isinstance(scope, str) and scope.endswith("#transfer") for scope in scopes)


def _ec_public(pem: str) -> EllipticCurvePublicKey:
    # Keys that went through an environment variable have backslash-n for newlines.
    try:
        private = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("privateKey is not a readable PEM private key") from None
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise ValueError("privateKey is PEM, but no EC P-256 key")  # noqa: TRY004
    return private.public_key()


def _ed25519_public(text: str) -> Ed25519PublicKey:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("privateKey is neither PEM nor base64") from None
    if len(secret) not in {32, 64}:
        raise ValueError("privateKey is base64, but not of the 64 or 32 bytes of an Ed25519 key")
    public = Ed25519PrivateKey.from_private_bytes(secret[:32]).public_key()
    if len(secret) == 64 and secret[32:] != public.public_bytes(Encoding.Raw, PublicFormat.Raw):
        raise ValueError("privateKey is an Ed25519 key whose halves do not belong together")
    return public


def _write(path: Path, key_id: str) -> bool:
    """
    Write a fresh EC key, unless another process has just done so.

    Readers see the whole file or none: it is written under another name, for its owner only, and then linked, which
    fails where there is a file already.
    """
    private = generate_private_key(SECP256R1())
    # TraditionalOpenSSL is SEC1, as in Coinbase's own files.
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    # mkstemp makes files with mode 0600.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"id": key_id, "privateKey": pem}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
            return True
    finally:
        Path(temporary).unlink()
    return False
