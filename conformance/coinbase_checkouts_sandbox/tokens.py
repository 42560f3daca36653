"""
Checking the token of a request. Each refusal names the claim that is wrong, and never quotes the token.

Source of the rules: the description, securitySchemes.apiKeyAuth.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from jwt import PyJWS
from jwt.exceptions import InvalidAlgorithmError, InvalidSignatureError, InvalidTokenError

from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.keys import VerificationKey
from coinbase_checkouts_sandbox.readings import Readings

# Longest time from nbf to exp. Source: auth.lifetime.
LIFETIME_S: Final = 120

# How far the sender's clock may be off, either way. Assumed: no tolerance is published.
SKEW_S: Final = 30

_ISSUER: Final = "cdp"

# For a critical extension, too, or a kid that is no text.
_UNREADABLE: Final = "the token is not a compact JWT, or its header is not understood"

# Each key says which algorithm it is for; the token's own word is never enough.
_JWS: Final = PyJWS(algorithms=["ES256", "EdDSA"])


def authenticate(
    authorization: list[str], keys: Mapping[str, VerificationKey], *, method: str, host: str, path: str, now_s: float
) -> VerificationKey:
    """
    Check the Authorization header of a request.

    Args:
        authorization: All values of that header.
        keys: By id.
        host: The Host header.
        path: As on the request line, without query.
        now_s: Real time, seconds since the epoch; never the sandbox's own clock.

    Returns:
        The key that signed.

    Raises:
        ApiError: 401.
    """
    if len(authorization) != 1:
        raise _refusal("exactly one Authorization header is required")
    scheme, _, token = authorization[0].strip().partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _refusal("the Authorization header must be Bearer, a space, and a JWT")
    key, claims = _verified(token.strip(), keys)
    if claims.get("sub") != key.id:
        raise _refusal("claim sub: must be the key's id, the same as kid")
    if claims.get("iss") != _ISSUER:
        raise _refusal(f"claim iss: must be {_ISSUER}")
    _check_times(claims, now_s)
    _check_uri(claims, method, host, path)
    return key


def authorize(key: VerificationKey, operation: str, readings: Readings) -> None:
    """
    Check that the key has the right to do *operation*.

    View is enough for checkouts (documented for creating one); whether it is for a refund, which moves funds out, is
    a reading.

    Raises:
        ApiError: 403.
    """
    if operation == "refundCheckout" and readings.refund_scope == "transfer" and not key.may_transfer:
        raise ApiError(403, "this key may view, and a refund takes the right to transfer")


def _verified(token: str, keys: Mapping[str, VerificationKey]) -> tuple[VerificationKey, dict[str, Any]]:
    """The key that signed *token*, and its claims."""
    kid = _header(token).get("kid")
    if kid is not None and not isinstance(kid, str):
        raise _refusal(_UNREADABLE)
    key = keys.get(kid or "")
    if key is None:
        raise _refusal("header kid: no such key")
    if key.revoked:
        raise _refusal("header kid: this key was revoked")
    try:
        verified = _JWS.decode_complete(token, key.public, algorithms=[key.algorithm])
    except InvalidAlgorithmError:
        raise _refusal(f"header alg: this key signs with {key.algorithm}") from None
    except InvalidSignatureError:
        raise _refusal("the signature does not verify with this key") from None
    except InvalidTokenError:
        raise _refusal(_UNREADABLE) from None
    if verified["header"].get("typ") != "JWT":
        raise _refusal("header typ: must be JWT")
    try:
        claims: Any = json.loads(verified["payload"])
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise _refusal("the token's claims are not a JSON object")
    return key, claims


def _header(token: str) -> dict[str, Any]:
    """
    The header, to find the key by.

    PyJWT reads it again with all its scruples. It could read it here too, but looks at each character of a token for
    that, which costs half as much as the signature.
    """
    try:
        header: Any = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    # RecursionError: arrays nested by the thousand.
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _refusal(_UNREADABLE)
    return header


def _check_times(claims: Mapping[str, Any], now_s: float) -> None:
    not_before, expires = _seconds(claims, "nbf"), _seconds(claims, "exp")
    if not 0 < expires - not_before <= LIFETIME_S:
        raise _refusal(f"claim exp: must be after nbf, by at most {LIFETIME_S} seconds")
    if not_before > now_s + SKEW_S:
        raise _refusal("claim nbf: the token is not valid yet")
    if expires <= now_s - SKEW_S:
        raise _refusal("claim exp: the token has expired")


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    # true is an int to Python.
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refusal(f"claim {name}: must be an integer, seconds since the epoch")
    return value


def _check_uri(claims: Mapping[str, Any], method: str, host: str, path: str) -> None:
    """The plugins send uri, a text; cdp-sdk sends uris, a list. What is there must be right, and one must be."""
    name = _host_name(host)
    expected = {(method, spelling, path) for spelling in (name, name.strip("[]"))}
    if "uri" not in claims and "uris" not in claims:
        raise _refusal("claim uri: missing")
    if "uri" in claims and _uri_parts(claims["uri"]) not in expected:
        raise _refusal("claim uri: must be this request's METHOD host/path, without scheme, port and query")
    if "uris" in claims and not (
        isinstance(claims["uris"], list) and any(_uri_parts(uri) in expected for uri in claims["uris"])
    ):
        raise _refusal("claim uris: must list this request's METHOD host/path, without scheme, port and query")


def _uri_parts(uri: Any) -> tuple[str, str, str] | None:
    if not isinstance(uri, str):
        return None
    method, _, rest = uri.partition(" ")
    host, slash, path = rest.partition("/")
    return method, host.lower(), slash + path


def _host_name(host: str) -> str:
    """The Host header without its port, in lower case."""
    # An IPv6 address has colons of its own, inside brackets.
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return name.lower()


def _refusal(message: str) -> ApiError:
    # RFC 9110 wants a challenge with every 401.
    return ApiError(401, message, headers={"WWW-Authenticate": "Bearer"})
