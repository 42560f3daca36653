"""
What schemathesis needs to get past the door, and to keep the rules that a schema cannot say.

Generous on purpose: each request carries its own token, every second checkout is paid, and amounts, currencies and
times that the schema allows but a rule forbids are replaced.
"""

from __future__ import annotations

import os
import re
import warnings
import zlib
from typing import Any

import httpx
import requests
import schemathesis
from requests.auth import AuthBase

from coinbase_checkouts import ApiKey, JwtAuth

warnings.simplefilter("ignore")

SIGNER = JwtAuth(ApiKey.from_file(os.environ["BENCH_KEY_FILE"]))
ORIGIN = os.environ["BENCH_ORIGIN"]
AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,2})?")
PLACEHOLDER = "Bearer signed-when-sent"


class Signed(AuthBase):
    """A token for the request as it is at last; where schemathesis leaves it out or spoils it, it stays so."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if request.headers.get("Authorization") == PLACEHOLDER:
            same = httpx.Request(request.method or "GET", request.url or "")
            request.headers["Authorization"] = next(SIGNER.auth_flow(same)).headers["Authorization"]
        return request


@schemathesis.auth()
class Auth:
    """Puts the placeholder where a token belongs."""

    def get(self, case: Any, ctx: Any) -> str:
        """The same for all."""
        return PLACEHOLDER

    def set(self, case: Any, data: str, ctx: Any) -> None:
        """On every request."""
        case.headers = case.headers or {}
        case.headers["Authorization"] = data


@schemathesis.hook
def before_call(ctx: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Sign last, when the URL is settled."""
    kwargs["auth"] = Signed()


@schemathesis.hook
def after_call(ctx: Any, case: Any, response: Any) -> None:
    """Have every second checkout paid, so that there is something to refund."""
    if case.operation.label == "POST /api/v1/checkouts" and response.status_code == 201:
        checkout_id = response.json().get("id", "")
        if zlib.crc32(checkout_id.encode()) % 2:
            requests.post(
                f"{ORIGIN}/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "COMPLETED"}, timeout=10
            )


@schemathesis.hook
def map_body(ctx: Any, body: Any) -> Any:
    """Keep the rules a schema cannot say; what breaks the schema is left as it is."""
    if not isinstance(body, dict):
        return body
    drawn = zlib.crc32(repr(body).encode())
    changed = dict(body)
    if isinstance(body.get("currency"), str) and 1 <= len(body["currency"]) <= 10:
        changed["currency"] = "USDC"
    if isinstance(body.get("amount"), str) and AMOUNT.fullmatch(body["amount"]):
        changed["amount"] = ("0.01", "1", "1.50")[drawn % 3]
    if isinstance(body.get("expiresAt"), str) and re.fullmatch(r"\d{4}-\d\d-\d\d[Tt].*", body["expiresAt"]):
        changed["expiresAt"] = f"2099{body['expiresAt'][4:]}"
    return changed
