"""
The compiled packages without the overlays: with their own plain client, and our tokens as the only addition.
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
COMPILED = {"coinbase_checkouts_api", "coinbase_webhook_subscriptions_api"}
ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"

# Every module of a compiled package, and nothing else.
ALONE = """
import importlib, json, pkgutil, sys
name = sys.argv[1]
for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
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


# Every operation of the other package, once.
SUBSCRIPTIONS = """
import json, sys
from coinbase_webhook_subscriptions_api import Client
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions import (
    create_webhook_subscription, delete_webhook_subscription, get_webhook_subscription,
    list_webhook_subscription_events, list_webhook_subscriptions, update_webhook_subscription,
)
from coinbase_webhook_subscriptions_api.models import WebhookSubscriptionRequest

base_url, request, id = sys.argv[1:]
body = WebhookSubscriptionRequest.from_dict(json.loads(request))
with Client(base_url=base_url, timeout=30, httpx_args={"trust_env": False}) as client:
    answers = [
        create_webhook_subscription.sync(client=client, body=body).to_dict(),
        get_webhook_subscription.sync(id, client=client).to_dict(),
        update_webhook_subscription.sync(id, client=client, body=body).to_dict(),
        list_webhook_subscriptions.sync(client=client, page_size=2).to_dict(),
        list_webhook_subscription_events.sync(id, client=client, event_type_names="a.b.c").to_dict(),
        delete_webhook_subscription.sync_detailed(id, client=client).status_code,
    ]
print(json.dumps(answers))
"""


@dataclass
class Service:
    """Answers everything with the published bodies, and keeps what it was asked."""

    url: str
    bodies: list[bytes] = field(default_factory=lambda: [BODY])
    """In their order; the last one again and again."""
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
            body = found.bodies.pop(0) if len(found.bodies) > 1 else found.bodies[0]
            self.send_response({"POST": 201, "DELETE": 204}.get(self.command, 200))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 -- http.server asks for these names

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
    """The modules of this project that are written by hand."""
    packages = {"coinbase_checkouts", "coinbase_checkouts_conformance", "coinbase_checkouts_sandbox"}
    return {module for module in modules if module.partition(".")[0] in packages}


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_the_compiled_package_needs_nothing_of_ours(tmp_path: Path, name: str) -> None:
    """
    All its modules import without any overlay, sandbox or suite, the other package, and the libraries of those.
    """
    modules = run(ALONE, name, cwd=tmp_path)
    assert set() == ours(modules)
    assert {name} == COMPILED & {module.partition(".")[0] for module in modules}
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


def test_the_plain_client_manages_subscriptions(tmp_path: Path, service: Service) -> None:
    """
    Each of the six operations asks at its address, and reads the published answer, or that there is no body.
    """
    names = ["createWebhookSubscription", "getWebhookSubscription", "getWebhookSubscription"]
    names += ["listWebhookSubscriptions", "listWebhookSubscriptionEvents"]
    built = {"listWebhookSubscriptions": "response-built.json"}
    files = [EXAMPLES / f"{name}.{built.get(name, 'response.json')}" for name in names]
    service.bodies = [*(file.read_bytes() for file in files), b""]
    request = (EXAMPLES / "createWebhookSubscription.request.json").read_text(encoding="utf-8")
    subscription = "123e4567-e89b-12d3-a456-426614174000"

    *answers, deleted = run(SUBSCRIPTIONS, service.url, request, subscription, cwd=tmp_path)

    for file, answer in zip(files, answers, strict=True):
        assert json.loads(file.read_text(encoding="utf-8")).keys() == answer.keys(), file.name
    assert 204 == deleted
    base = "/platform/v2/data/webhooks/subscriptions"
    one = f"{base}/{subscription}"
    lines = [f"POST {base}", f"GET {one}", f"PUT {one}", f"GET {base}?pageSize=2"]
    lines += [f"GET {one}/events?eventTypeNames=a.b.c", f"DELETE {one}"]
    assert lines == [asked["line"] for asked in service.asked]
    assert [json.loads(request)] * 2 == [json.loads(asked["body"]) for asked in service.asked if asked["body"]]
