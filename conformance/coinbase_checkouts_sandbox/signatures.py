"""
Signing a delivery. Pure: what is signed, with what and when comes in as arguments.

Written from the published rules and not from the client's verifier, so that a bug shared by both cannot hide itself.
Source: verify-signatures, hook0; the description's webhook.v0 and webhook.v1.
"""

import hmac
from collections.abc import Sequence
from typing import Final

SIGNATURE_HEADER: Final = "X-Hook0-Signature"
EVENT_ID_HEADER: Final = "X-Event-Id"
EVENT_TYPE_HEADER: Final = "X-Event-Type"


def v0(secret: str, t: int, body: bytes) -> str:
    """
    The code that covers the body only.

    Args:
        secret: The subscription's. Its characters are the key, though it looks like a UUID.
        t: Seconds since the epoch.
    """
    return _code(secret, b"%d.%s" % (t, body))


def v1(secret: str, t: int, headers: Sequence[tuple[str, str]], body: bytes) -> str:
    """
    The code that covers the body and some headers.

    Args:
        secret: As for v0.
        t: As for v0.
        headers: Names in lower case and values as delivered, in the order in which the signature lists them.
    """
    names = " ".join(name for name, _ in headers)
    values = ".".join(value for _, value in headers)
    return _code(secret, b"%d.%s.%s.%s" % (t, names.encode(), values.encode(), body))


def signature(t: int, headers: Sequence[tuple[str, str]], *, v0: str | None, v1: str | None) -> str:
    """
    The value of X-Hook0-Signature, its parts in the order seen in every published example.

    Args:
        headers: As for v1.
        v0: None leaves it out.
        v1: None leaves it and the list of headers out.
    """
    parts = [f"t={t}"]
    if v0 is not None:
        parts.append(f"v0={v0}")
    if v1 is not None:
        parts += [f"h={' '.join(name for name, _ in headers)}", f"v1={v1}"]
    return ",".join(parts)


def _code(secret: str, message: bytes) -> str:
    return hmac.digest(secret.encode(), message, "sha256").hex()
