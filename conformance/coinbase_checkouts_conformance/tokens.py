"""Tokens as they should be, and as they should not: each an `httpx.Auth`, so that the request decides what is signed."""

from __future__ import annotations

import base64
import os
import time
import uuid
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coinbase_checkouts.auth import ApiKey, JwtAuth

# Far beyond the 120 s a token lives and the 60 s that clocks may differ.
LONG_S: Final = 3600
NOBODYS_KEY_ID: Final = "ffffffff-ffff-4fff-bfff-ffffffffffff"


class Verbatim(httpx.Auth):
    """Sends *authorization* as it is; None sends no such header."""

    def __init__(self, authorization: str | None) -> None:
        self._authorization = authorization

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._authorization is None:
            request.headers.pop("Authorization", None)
        else:
            request.headers["Authorization"] = self._authorization
        yield request


class Elsewhere(httpx.Auth):
    """A good token, but for another method or URL than the request's."""

    def __init__(self, signer: httpx.Auth, *, method: str | None = None, url: str | None = None) -> None:
        self._signer = signer
        self._method = method
        self._url = url

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        other = httpx.Request(self._method or request.method, self._url or request.url)
        request.headers["Authorization"] = _signed(self._signer, other)
        yield request


class Renamed(httpx.Auth):
    """A good token behind *scheme* instead of `Bearer `."""

    def __init__(self, signer: httpx.Auth, scheme: str) -> None:
        self._signer = signer
        self._scheme = scheme

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = _signed(self._signer, request).partition(" ")[2]
        request.headers["Authorization"] = f"{self._scheme}{token}"
        yield request


class Forged(httpx.Auth):
    """A token with every claim and header right, kid included, but signed by a key made up on the spot."""

    def __init__(self, signer: httpx.Auth) -> None:
        self._signer = signer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = _signed(self._signer, request).partition(" ")[2]
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
        key = generate_private_key(SECP256R1()) if header["alg"] == "ES256" else Ed25519PrivateKey.generate()
        forged = jwt.encode(claims, key, algorithm=header["alg"], headers=header)
        request.headers["Authorization"] = f"Bearer {forged}"
        yield request


class Rekeyed(httpx.Auth):
    """A token that is well signed, by a key that nobody registered and that it names itself."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        secret = Ed25519PrivateKey.generate()
        raw = secret.private_bytes_raw() + secret.public_key().public_bytes_raw()
        key = ApiKey(str(uuid.uuid4()), base64.b64encode(raw).decode("ascii"))
        request.headers["Authorization"] = _signed(JwtAuth(key), request)
        yield request


class Unsigned(httpx.Auth):
    """A token with every claim right, `alg` none, and no signature."""

    def __init__(self, signer: httpx.Auth) -> None:
        self._signer = signer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = _signed(self._signer, request).partition(" ")[2]
        claims = jwt.decode(token, options={"verify_signature": False})
        header = {"kid": jwt.get_unverified_header(token)["kid"]}
        request.headers["Authorization"] = f"Bearer {jwt.encode(claims, '', algorithm='none', headers=header)}"
        yield request


class Resigned(httpx.Auth):
    """A good token of whose signature only *kept* is sent, perhaps in another order."""

    def __init__(self, signer: httpx.Auth, kept: slice) -> None:
        self._signer = signer
        self._kept = kept

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        said, _, signature = _signed(self._signer, request).rpartition(".")
        request.headers["Authorization"] = f"{said}.{signature[self._kept]}"
        yield request


class Saying(httpx.Auth):
    """A token well signed by *key*, but with other *claims*; None leaves one out."""

    def __init__(self, signer: httpx.Auth, key: ApiKey, claims: dict[str, Any]) -> None:
        self._signer = signer
        self._key = key
        self._claims = claims

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = _signed(self._signer, request).partition(" ")[2]
        claims = jwt.decode(token, options={"verify_signature": False}) | self._claims
        said = {name: value for name, value in claims.items() if value is not None}
        signed = self._key.sign(said, {"nonce": jwt.get_unverified_header(token)["nonce"]})
        request.headers["Authorization"] = f"Bearer {signed}"
        yield request


class Tokens:
    """What one key can sign: that of a file, or one that a function loads."""

    def __init__(self, key: Callable[[], ApiKey] | str | os.PathLike[str]) -> None:
        load = key if callable(key) else partial(ApiKey.from_file, Path(key))
        self._key = load()
        self.valid: Final[httpx.Auth] = JwtAuth(self._key)
        self.expired: Final[httpx.Auth] = JwtAuth(self._key, now_s=lambda: time.time() - LONG_S)
        self.not_yet_valid: Final[httpx.Auth] = JwtAuth(self._key, now_s=lambda: time.time() + LONG_S)
        stranger = load()
        stranger.id = NOBODYS_KEY_ID
        # Only the header is another's, so that nothing else gives it away.
        self.of_nobody: Final[httpx.Auth] = Saying(self.valid, stranger, {})

    def saying(self, **claims: Any) -> httpx.Auth:
        """Good tokens, but for *claims*; None leaves one out."""
        return Saying(self.valid, self._key, claims)


def _signed(signer: httpx.Auth, request: httpx.Request) -> str:
    """What *signer* would put on *request*."""
    return str(next(signer.auth_flow(request)).headers["Authorization"])
