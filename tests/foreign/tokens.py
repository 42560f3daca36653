"""Who is asking: a key of our own, and the reasons to refuse a token, each under a name that a fault can forgive."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

LIFETIME_S = 120


@dataclass
class Gate:
    """One key, and the tokens seen."""

    kind: str
    skew_s: int
    used_once: bool
    key_id: str = "organizations/7a1d/apiKeys/f0e1"
    seen: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        """Make the key."""
        self.private = (
            ed25519.Ed25519PrivateKey.generate() if self.kind == "Ed25519" else ec.generate_private_key(ec.SECP256R1())
        )

    def key_file(self) -> dict[str, str]:
        """The file of the portal: the new form for Ed25519, the old one for EC."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            seed = self.private.private_bytes_raw() + self.private.public_key().public_bytes_raw()
            return {"id": self.key_id, "privateKey": base64.b64encode(seed).decode()}
        pem = self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        return {"name": self.key_id, "privateKey": pem.decode()}

    def faults(self, authorization: str | None, method: str, host: str, path: str) -> Iterator[str]:
        """Everything that is wrong with a header, by name; nothing for a good one."""
        scheme, _, token = (authorization or "").partition(" ")
        if authorization is None:
            yield "absent"
            return
        if scheme.lower() != "bearer":
            yield "scheme"
        try:
            header = jwt.get_unverified_header(token)
            claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            yield "unreadable"
            return
        algorithm = "EdDSA" if self.kind == "Ed25519" else "ES256"
        if header.get("alg") != algorithm:
            yield "none" if header.get("alg") == "none" else "alg"
        else:
            try:
                jwt.decode(token, self.private.public_key(), [algorithm], options=ONLY_SIGNATURE)
            except jwt.InvalidTokenError:
                yield "signature" if token.rpartition(".")[2] else "unsigned"
        yield from self.wrong_claims(header, claims, f"{method} {host}{path}")
        if self.used_once and token in self.seen:
            yield "again"
        self.seen.add(token)

    def wrong_claims(self, header: dict[str, Any], claims: dict[str, Any], wanted: str) -> Iterator[str]:
        """What the parts of a token say that they should not."""
        if header.get("kid") != self.key_id:
            yield "kid"
        if claims.get("sub") != self.key_id:
            yield "sub"
        if claims.get("iss") != "cdp":
            yield "iss"
        yield from self.wrong_times(claims)
        uri = claims.get("uri") or next(iter(claims.get("uris") or ()), None)
        if isinstance(uri, str):
            yield from wrong_place(uri, wanted)
        else:
            yield "uri.absent"

    def wrong_times(self, claims: dict[str, Any]) -> Iterator[str]:
        """Too early, too late, or for too long."""
        now = time.time()
        begin, end = claims.get("nbf"), claims.get("exp")
        if not isinstance(begin, int):
            yield "nbf.absent"
        elif begin > now + self.skew_s + 1:
            yield "nbf"
        if not isinstance(end, int):
            yield "exp.absent"
        elif end <= now - self.skew_s:
            yield "exp"
        elif isinstance(begin, int) and end - begin > LIFETIME_S + self.skew_s:
            yield "lifetime"

    def write(self, path: str) -> None:
        """Leave the key where the suite is told to look."""
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  # a path as the command line gave it
            json.dump(self.key_file(), file)


def wrong_place(uri: str, wanted: str) -> Iterator[str]:
    """Where a token is for another request than *wanted*."""
    method, _, place = uri.partition(" ")
    wanted_method, _, wanted_place = wanted.partition(" ")
    if method != wanted_method:
        yield "uri.method"
    if place.partition("/")[0] != wanted_place.partition("/")[0]:
        yield "uri.host"
    if place.partition("/")[2] != wanted_place.partition("/")[2]:
        yield "uri.path"


ONLY_SIGNATURE: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
