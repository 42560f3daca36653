"""
What client, sandbox, suite, webhooks and drift cost, as ratios to named baselines measured in the same run:
`nox -s bench`, or one of them, as `nox -s bench -- client`. No test depends on any of it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkout, Checkouts, JwtAuth, operations
from coinbase_checkouts.sensor import sense
from coinbase_checkouts_api import Client
from coinbase_checkouts_api.api.checkouts import get_checkout
from tests.bench import drift, load, suite, webhooks
from tests.bench.measuring import ROUNDS, Work, measured, report

EXAMPLE = Path(__file__).parents[2] / "spec" / "examples" / "getCheckout.response-gen-2.json"
BODY = json.dumps(json.loads(EXAMPLE.read_text(encoding="utf-8")))
ID = "68f7a946db0529ea9b6d3a12"


@contextmanager
def serving() -> Generator[str]:
    """The answering server, in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("server.py")), BODY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def whole_calls(url: str, key: ApiKey) -> None:
    """One call after the other on one connection."""
    token = JwtAuth(key).token("GET", f"{url}/api/v1/checkouts/{ID}")
    with ExitStack() as stack:
        bare = stack.enter_context(httpx.Client(headers={"Authorization": f"Bearer {token}"}))
        compiled = stack.enter_context(Client(base_url=url, httpx_args={"auth": JwtAuth(key)}))
        ours = stack.enter_context(Checkouts(key, base_url=url))
        candidates: dict[str, Work] = {
            "bare httpx, token made before": lambda: bare.get(f"{url}/api/v1/checkouts/{ID}").json(),
            "compiled client + JwtAuth": lambda: get_checkout.sync(ID, client=compiled),
            "coinbase-checkouts": lambda: ours.get(ID),
        }
        try:
            import stripe

            rival = stripe.StripeClient("sk_test_x", base_addresses={"api": url})
            candidates["stripe (no signing, no retry layer)"] = lambda: rival.v1.payment_intents.retrieve("pi_1")
        except ImportError:
            print("stripe is not installed: left out", file=sys.stderr)
        try:
            import openai

            other = openai.OpenAI(base_url=url, api_key="x")
            candidates["openai (no signing)"] = lambda: other.models.retrieve("x")
        except ImportError:
            print("openai is not installed: left out", file=sys.stderr)
        report("One sync call", measured(candidates, batch=60), {"coinbase-checkouts": "target ≤ 1.45"})


async def async_calls(url: str, key: ApiKey, together: int) -> None:
    """*together* calls in flight at any time, on one client."""
    token = JwtAuth(key).token("GET", f"{url}/api/v1/checkouts/{ID}")
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}))
        ours = await stack.enter_async_context(AsyncCheckouts(key, base_url=url, aiohttp=False))
        over_aiohttp = await stack.enter_async_context(AsyncCheckouts(key, base_url=url))
        candidates: dict[str, Callable[[], Awaitable[object]]] = {
            "bare httpx, token made before": lambda: bare.get(f"{url}/api/v1/checkouts/{ID}"),
            "coinbase-checkouts": lambda: ours.get(ID),
            "coinbase-checkouts [aiohttp]": lambda: over_aiohttp.get(ID),
        }
        best = dict.fromkeys(candidates, float("inf"))
        batch = 6 if together > 1 else 60
        for _ in range(ROUNDS):
            for name, work in candidates.items():
                began = time.perf_counter()
                for _ in range(batch):
                    await asyncio.gather(*(work() for _ in range(together)))
                best[name] = min(best[name], (time.perf_counter() - began) / batch / together)
        targets = {"coinbase-checkouts": "target ≤ 1.25", "coinbase-checkouts [aiohttp]": "target ≤ 0.35"}
        report(f"One async call, {together} in flight", best, targets if together > 1 else {})


def signing() -> None:
    """One token over the bare signature, for both kinds of key."""
    message = b"x" * 300
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), Ed25519PrivateKey.generate()
    pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    auths = {
        "EC P-256": JwtAuth(ApiKey("k", pem)),
        "Ed25519": JwtAuth(ApiKey("k", base64.b64encode(edwards.private_bytes_raw()).decode())),
    }
    bare: dict[str, Work] = {
        "EC P-256": lambda: curve.sign(message, ec.ECDSA(SHA256())),
        "Ed25519": lambda: edwards.sign(message),
    }
    url = httpx.URL("https://business.coinbase.com/api/v1/checkouts")
    for name, auth in auths.items():
        candidates: dict[str, Work] = {
            f"cryptography, {name}": bare[name],
            f"a token, {name}": partial(auth.token, "POST", url),
        }
        report("Signing", measured(candidates, batch=200), {f"a token, {name}": "target ≤ 2.3"})


def reading_and_checking() -> None:
    """What happens to a body besides the network."""
    data: dict[str, Any] = json.loads(BODY)
    checks = operations.Checks(0)
    candidates: dict[str, Work] = {
        "json.loads": lambda: json.loads(BODY),
        "json.loads + Checkout": lambda: Checkout.from_dict(json.loads(BODY)),
        "drift sensor": lambda: list(sense("getCheckout", 200, data)),
        "create request, built": lambda: _create(operations.Checks(0, enabled=False)),
        "create request, built and validated": lambda: _create(checks),
    }
    report("One checkout", measured(candidates, batch=300), {})


def _create(checks: operations.Checks) -> object:
    return operations.create(
        "100.50",
        "USDC",
        network=None,
        description="Payment for order #12345",
        metadata={"invoiceId": "12345", "customerId": "cust_abc123"},
        expires_at="2100-01-01T00:00:00Z",
        success_redirect_url="https://example.com/success",
        fail_redirect_url="https://example.com/failed",
        idempotency_key="8e03978e-40d5-43e8-bc93-6894a57f9324",
        checks=checks,
    )


def fresh_processes(url: str, key: ApiKey, secret: str) -> None:
    """What a new process pays, over one that only imports httpx."""
    first = f"url = {url!r}\n"
    programs = {
        "import httpx": "import httpx",
        "import coinbase_checkouts": "import coinbase_checkouts",
        "…and its client": "from coinbase_checkouts import Checkouts",
        "bare httpx, ready and one call": f"{first}import httpx\nwith httpx.Client() as c: c.get(url + '/x').json()",
        "coinbase-checkouts, ready and one call": f"{first}from coinbase_checkouts import ApiKey, Checkouts\n"
        f"with Checkouts(ApiKey({key.id!r}, {secret!r}), base_url=url) as c: c.get({ID!r})",
    }
    nothing = measured({"nothing": partial(_process, "")}, batch=1)["nothing"]
    seconds = measured({name: partial(_process, code) for name, code in programs.items()}, batch=1)
    net = {name: value - nothing for name, value in seconds.items()}
    names = list(programs)
    report(
        "A new process, less Python's own start", {name: net[name] for name in names[:3]}, {names[1]: "target ≤ 1.25"}
    )
    report("A new process up to its first answer", {name: net[name] for name in names[3:]}, {names[4]: "target ≤ 1.3"})


def _process(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def client() -> None:
    """What a call costs, and what it is made of."""
    secret = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    key = ApiKey("organizations/x/apiKeys/y", secret)
    with serving() as url:
        whole_calls(url, key)
        for together in (1, 32):
            asyncio.run(async_calls(url, key, together))
        signing()
        reading_and_checking()
        fresh_processes(url, key, secret)


PARTS: dict[str, Callable[[], None]] = {
    "client": client,
    "sandbox": load.main,
    "suite": suite.main,
    "webhooks": webhooks.main,
    "drift": drift.main,
}


def main() -> None:
    """Measure the parts that are asked for, or all, and print it."""
    asked = sys.argv[1:] or list(PARTS)
    unknown = set(asked) - set(PARTS)
    if unknown:
        sys.exit(f"no part is called {min(unknown)!r}; there are {', '.join(PARTS)}")
    for name in asked:
        PARTS[name]()


if __name__ == "__main__":
    main()
