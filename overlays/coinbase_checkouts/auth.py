"""
API key → a signed token for one request.

A token is bound to one method, host and path and lives 120 seconds, so it is made anew for every
attempt and never kept. `JwtAuth` is an `httpx.Auth`: any httpx client can use it.

Source: `authentication` in spec/openapi.yaml; rules auth.lifetime, auth.uri, auth.algorithms.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .errors import KeyFormatError
from .seam import httpx

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TOKEN_LIFETIME_S: Final = 120
KEY_FILE_LIMIT_BYTES: Final = 64 * 1024

# cdp-sdk's names; the second is its older one for the id.
ID_VARIABLES: Final = ("CDP_API_KEY_ID", "CDP_API_KEY_NAME")
SECRET_VARIABLE: Final = "CDP_API_KEY_SECRET"  # noqa: S105 -- the name of a variable


class Secret:
    """A text that no repr, log line, pickle or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: object) -> None:
        # Whatever is no text is an empty one, so that what it is need not be shown to say so.
        self._text = text if isinstance(text, str) else ""

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret does not go into a pickle; load the key again where it is needed")


class ApiKey:
    r"""
    A CDP API key: its id, and the private key it signs with.

    Args:
        id: The key's id or name; a UUID or `organizations/{uuid}/apiKeys/{uuid}`.
        private_key: EC P-256 or Ed25519 as PEM (SEC1 or PKCS#8; `\n` may be written as backslash n), or
            Ed25519 as base64 of 64 bytes (seed and public key) or 32 (seed).
        source: What to call the key in errors, such as its file.

    Raises:
        KeyFormatError: Not such a key. The message never quotes it.

    Source: dossier of the CDP SDKs and plugins, `authentication` in spec/openapi.yaml.
    """

    __slots__ = ("_key", "algorithm", "id")

    def __init__(self, id: str, private_key: str, *, source: str = "API key") -> None:
        # Rebound at once: a traceback shows the locals of this frame, and no caller reads it again.
        hidden, given_id = Secret(private_key), Secret(id)
        private_key = id = ""  # noqa: A001 -- the argument itself
        # Debuggers call repr() on what is half made, too.
        self.id: str = ""
        self.algorithm: str = "key"
        if not _is_plain(given_id.reveal()):
            raise KeyFormatError(f"{source}: the key's id is empty, no plain text, or the private key itself")
        loaded = _load(hidden)
        if isinstance(loaded, str):
            raise KeyFormatError(f"{source}: {loaded}")
        self.id = given_id.reveal().strip()
        self._key, self.algorithm = loaded

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> ApiKey:
        """
        Read a key file as the Coinbase portal writes it: JSON with `id` (older: `name`) and `privateKey`.

        Raises:
            KeyFormatError: Missing, empty, not such a file, or not such a key; names the file.
        """
        hidden = Secret(os.fspath(path))
        path = shown = _shown(hidden)
        found = _read_file(hidden)
        if isinstance(found, str):
            raise KeyFormatError(f"{shown}: {found}")
        return cls(found[0].reveal(), found[1].reveal(), source=shown)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> ApiKey:
        """
        Read `CDP_API_KEY_ID` (or `CDP_API_KEY_NAME`) and `CDP_API_KEY_SECRET`, now and not at import.

        Raises:
            KeyFormatError: One is missing, or the secret is no key; names the variable.
        """
        found = _read_env(os.environ if environ is None else environ)
        environ = None  # for the reason given in __init__
        if isinstance(found, str):
            raise KeyFormatError(f"environment: {found}")
        return cls(found[0].reveal(), found[1].reveal(), source=f"environment variable {SECRET_VARIABLE}")

    def sign(self, claims: dict[str, Any], headers: dict[str, Any]) -> str:
        """A compact JWS over *claims*; `alg`, `typ` and `kid` are added to *headers*."""
        import jwt  # noqa: PLC0415 -- importing it takes as long as importing httpx

        return jwt.encode(claims, self._key, algorithm=self.algorithm, headers={**headers, "kid": self.id})

    def __repr__(self) -> str:
        return f"ApiKey(id={self.id!r}, private_key=<hidden {self.algorithm}>)"

    def __copy__(self) -> ApiKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ApiKey:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("an ApiKey does not go into a pickle; load it again where it is needed")


class JwtAuth(httpx.Auth):
    """
    Puts a fresh token on every request, also on every retry and redirect.

    Args:
        api_key: Signs the tokens.
        now_s: The time in Unix seconds. The service refuses tokens whose time is off.
        nonce: A new random text for each token.

    Attributes:
        offset_s: Seconds added to *now_s*, for a machine whose clock is off. `Checkouts` learns it from
            the service's own clock after a 401.
    """

    def __init__(
        self,
        api_key: ApiKey,
        *,
        now_s: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._api_key = api_key
        self._now_s = now_s
        self._nonce = nonce
        self.offset_s: float = 0.0

    def token(self, method: str, url: httpx.URL | str) -> str:
        """The token for one request; valid for 120 seconds from now, and for this method, host and path only."""
        issued = int(self._now_s() + self.offset_s)
        claims = {
            "sub": self._api_key.id,
            "iss": "cdp",
            "nbf": issued,
            "exp": issued + TOKEN_LIFETIME_S,
            "uri": request_uri(method, httpx.URL(url)),
        }
        return self._api_key.sign(claims, {"nonce": self._nonce()})

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign *request*; what httpx calls, sync and async."""
        request.headers["Authorization"] = f"Bearer {self.token(request.method, request.url)}"
        yield request

    def __repr__(self) -> str:
        return f"JwtAuth({self._api_key!r})"


def request_uri(method: str, url: httpx.URL) -> str:
    """The claim `uri`: METHOD, one space, host and path as they go over the wire; no scheme, port or query."""
    # As in the Host header: bücher.example goes over the wire as xn--bcher-kva.example.
    raw = url.raw_host.decode("ascii")
    host = f"[{raw}]" if ":" in raw else raw
    return f"{method.upper()} {host}{url.raw_path.split(b'?', 1)[0].decode('ascii')}"


# The functions below answer with the reason instead of raising it: a frame that raises is shown in
# tracebacks with its locals, and theirs hold the secret in the clear.


def _shown(path: Secret) -> str:
    """The path as an error names it; hidden if somebody gave the key itself in place of its file."""
    text = path.reveal()
    is_key = "-----BEGIN" in text or not isinstance(_load(path), str)
    if is_key:
        return "the given path, which looks like a private key"
    return text if text.isprintable() else repr(text)


def _read_file(path: Secret) -> tuple[Secret, Secret] | str:
    """The id and the secret in a key file, or why there are none."""
    try:
        with Path(path.reveal()).open("rb") as file:
            content = file.read(KEY_FILE_LIMIT_BYTES + 1)
    except (OSError, ValueError) as exc:
        return f"cannot be read: {getattr(exc, 'strerror', None) or type(exc).__name__}"
    if len(content) > KEY_FILE_LIMIT_BYTES:
        return f"is larger than {KEY_FILE_LIMIT_BYTES} bytes; no key file is"
    if not content.strip():
        return "is empty"
    if content.lstrip().startswith(b"-----BEGIN"):
        return "is a bare PEM; expected Coinbase's JSON with id and privateKey"
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return "is not JSON, or was cut short; expected Coinbase's JSON with id and privateKey"
    if not isinstance(data, dict):
        return "is JSON, but not an object with id and privateKey"
    key_id = data.get("id", data.get("name"))
    if not isinstance(key_id, str):
        return "has no field id (or, in older files, name) that is a text"
    if not isinstance(data.get("privateKey"), str):
        return "has no field privateKey that is a text"
    return Secret(key_id), Secret(data["privateKey"])


def _read_env(variables: Mapping[str, str]) -> tuple[Secret, Secret] | str:
    """The id and the secret in the environment, or why there are none."""
    key_id = next((variables[name] for name in ID_VARIABLES if variables.get(name, "").strip()), None)
    if key_id is None:
        return f"{' or '.join(ID_VARIABLES)} is not set"
    if not _is_plain(key_id):
        return f"{' or '.join(ID_VARIABLES)} is no plain text, or the private key itself"
    if not variables.get(SECRET_VARIABLE, "").strip():
        return f"{SECRET_VARIABLE} is not set"
    return Secret(key_id), Secret(variables[SECRET_VARIABLE])


def _is_plain(value: object) -> bool:
    """Whether *value* can be a key's id."""
    text = value.strip() if isinstance(value, str) else ""
    return text != "" and text.isprintable() and isinstance(_load(Secret(text)), str)


def _load(secret: Secret) -> tuple[EllipticCurvePrivateKey | Ed25519PrivateKey, str] | str:
    """The private key in *secret* and its JWT algorithm, or why there is none."""
    text = secret.reveal()
    if not text.strip():
        return "the private key is empty"
    # Shells and .env files write the line breaks of a PEM as backslash n.
    text = text.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").strip()
    return _load_pem(text) if "-----BEGIN" in text else _load_base64(text)


def _load_pem(text: str) -> tuple[EllipticCurvePrivateKey | Ed25519PrivateKey, str] | str:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- slow to import, see sign()
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    # openssl writes the curve's parameters before the key.
    labels = re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----", text)
    if not any("PRIVATE KEY" in label for label in labels):
        return "is a public key or a certificate; the private key is needed" if labels else "is a damaged PEM"
    if "ENCRYPTED" in text:
        return "is an encrypted private key; decrypt it first"
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "is a damaged PEM, or was cut short"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key, "EdDSA"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if isinstance(key.curve, ec.SECP256R1):
            return key, "ES256"
        return f"is an EC key on the curve {key.curve.name}; the service takes P-256 (secp256r1)"
    kind = "an RSA key" if isinstance(key, rsa.RSAPrivateKey) else "a key of another kind"
    return f"is {kind}; the service takes EC P-256 or Ed25519"


def _load_base64(text: str) -> tuple[Ed25519PrivateKey, str] | str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- see sign()

    compact = "".join(text.split())
    try:
        raw = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return "is neither a PEM nor base64"
    if len(raw) not in (32, 64):
        return f"is base64 of {len(raw)} bytes; an Ed25519 key has 64 (or, without its public half, 32)"
    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    if len(raw) == 64 and key.public_key().public_bytes_raw() != raw[32:]:
        return "is an Ed25519 key whose public half does not belong to its private half"
    return key, "EdDSA"
