"""
The compiled package without the overlays: with its own plain client, and our tokens as the only addition.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

EXAMPLES = Path(__file__).resolve().parents[2] / "spec" / "examples"
BODY = (EXAMPLES / "getCheckout.response-gen-2.json").read_bytes()
REQUEST = json.loads((EXAMPLES / "createCheckout.request-gen-3.json").read_text(encoding="utf-8"))
ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"

# Every module of the compiled package, and nothing else.
ALONE = """
import importlib, json, pkgutil, sys
import coinbase_checkouts_api
for module in pkgutil.walk_packages(coinbase_checkouts_api.__path__, "coinbase_checkouts_api."):
    importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""

# What somebody writes who wants the compiled client and our tokens, and none of our manners.
WITH_TOKENS = """
import asyncio, json, sys
import httpx
from coinbase_checkouts.auth import ApiKey, JwtAuth
from coinbase_checkouts_api import Client
from coinbase_checkouts_api.api.checkouts import create_checkout, get_checkout
from coinbase_checkouts_api.models import Checkout, CreateCheckoutRequest

base_url, key_file, request, id, key = sys.argv[1:]
auth = JwtAuth(ApiKey.from_file(key_file))

def client():
    return Client(base_url=base_url, timeout=httpx.Timeout(30), httpx_args={"auth": auth, "trust_env": False})

body = CreateCheckoutRequest.from_dict(json.loads(request))
with client() as sync:
    created = create_checkout.sync(client=sync, body=body, x_idempotency_key=key)
    read = get_checkout.sync(id, client=sync)

async def again():
    async with client() as other:
        return await get_checkout.asyncio(id, client=other)

assert isinstance(created, Checkout)
assert created == read == asyncio.run(again())
print(json.dumps({"checkout": created.to_dict(), "modules": sorted(sys.modules)}))
"""


@dataclass
class Service:
    """Answers everything with the published checkout, and keeps what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service("")

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.asked.append(
                {"line": f"{self.command} {self.path}", "headers": headers, "body": self.rfile.read(length)}
            )
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        do_GET = do_POST = answer  # noqa: N815 -- http.server asks for these names

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def run(script: str, *arguments: str, cwd: Path) -> Any:
    """What *script* prints as JSON, in a Python of its own where warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads(done.stdout)


def ours(modules: list[str]) -> set[str]:
    """The modules of this project but the compiled ones."""
    packages = {"coinbase_checkouts", "coinbase_checkouts_conformance", "coinbase_checkouts_sandbox"}
    return {module for module in modules if module.partition(".")[0] in packages}


def test_the_compiled_package_needs_nothing_of_ours(tmp_path: Path) -> None:
    """
    All its modules import without any overlay, sandbox or suite, and without the libraries of those.
    """
    modules = run(ALONE, cwd=tmp_path)
    assert set() == ours(modules)
    assert set() == {"jwt", "cryptography", "jsonschema", "pytest", "sqlalchemy", "starlette", "vcr"} & set(modules)


def test_the_plain_client_works_with_our_tokens(
    tmp_path: Path, service: Service, ec_key: EllipticCurvePrivateKey, ec_pem: str
) -> None:
    """
    The compiled client creates and reads a checkout with JwtAuth; of the overlays only auth and its errors are there.
    """
    key_file = tmp_path / "cdp_api_key.json"
    key_file.write_text(json.dumps({"id": "key-1", "privateKey": ec_pem}), encoding="utf-8")

    done = run(WITH_TOKENS, service.url, str(key_file), json.dumps(REQUEST), ID, KEY, cwd=tmp_path)

    assert json.loads(BODY) == done["checkout"]
    needed = {"coinbase_checkouts", *(f"coinbase_checkouts.{name}" for name in ("auth", "errors", "seam"))}
    assert needed == ours(done["modules"])
    lines = ["POST /api/v1/checkouts", *2 * [f"GET /api/v1/checkouts/{ID}"]]
    assert lines == [asked["line"] for asked in service.asked]
    assert json.loads(service.asked[0]["body"]) == REQUEST
    assert KEY == service.asked[0]["headers"]["x-idempotency-key"]

    public = ECKey.import_key(ec_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    # Its own registry refuses headers it has not heard of.
    registry = jws.JWSRegistry(strict_check_header=False)
    tokens = [
        jws.deserialize_compact(asked["headers"]["authorization"].removeprefix("Bearer "), public, registry=registry)
        for asked in service.asked
    ]
    uris = [json.loads(token.payload)["uri"] for token in tokens]
    assert [line.replace(" /", " 127.0.0.1/") for line in lines] == uris
    assert {("ES256", "key-1")} == {(token.headers()["alg"], token.headers()["kid"]) for token in tokens}
    assert 3 == len({token.headers()["nonce"] for token in tokens})
