"""A sandbox in process or as a real server, and a second opinion on everything it answers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from coinbase_checkouts_sandbox.app import create_app
from coinbase_checkouts_sandbox.endpoints import DROP
from coinbase_checkouts_sandbox.readings import Readings

DOCUMENT = json.loads((files("coinbase_checkouts_api") / "openapi.json").read_text())
CONTROL = json.loads((files("coinbase_checkouts_sandbox") / "control.openapi.json").read_text())
PAID = {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}
# 2026-11-20T12:00:00Z
START_MS = 1_795_176_000_000


def _schema_of(document: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    """Of the answer; a status that is not documented is a KeyError."""
    for template, item in document["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(f"(/sandbox)?{pattern}", path) and method.lower() in item:
            response = item[method.lower()]["responses"][str(status)]
            if "$ref" in response:
                response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
            schema: dict[str, Any] = response["content"]["application/json"]["schema"]
            return schema
    errors = {"$ref": "#/components/schemas/ErrorBody"} if document is DOCUMENT else {"type": "object"}
    return errors if status >= 400 else {}


def _judge_checkout(checkout: dict[str, Any]) -> None:
    """The rules about which fields there are, which the schema cannot say."""
    paid = checkout["status"] in PAID
    assert paid == ("transactionHash" in checkout) == ("settlement" in checkout)
    assert ("fiatAmount" in checkout) == ("fiatCurrency" in checkout)
    assert ("refunds" in checkout) == ("refundedAmount" in checkout)
    assert checkout["createdAt"] <= checkout["updatedAt"]
    for refund in checkout.get("refunds", []):
        done = refund["status"] == "COMPLETED"
        assert done == ("completedAt" in refund) == ("transactionHash" in refund)
        assert ("fiatAmount" in refund) == ("fiatCurrency" in refund) == ("exchangeRate" in refund)


def _judge(method: str, path: str, response: httpx.Response) -> None:
    """Hold an answer against the description, with another validator than the server's."""
    assert response.status_code < 500, response.text
    content = response.json()
    control = path.startswith("/__sandbox__/")
    # What is kept has nulls, and so has a fault that strikes for ever.
    assert control or None not in _leaves(content)
    document = CONTROL if control else DOCUMENT
    schema = {**_schema_of(document, method, path, response.status_code), "components": document["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(content)
    if response.status_code >= 400:
        assert set(content) == {"errorType", "errorMessage", "correlationId", "errorLink"}
    for checkout in [content, content.get("checkout"), *content.get("checkouts", [])]:
        if checkout and "address" in checkout:
            _judge_checkout(checkout)


def _leaves(content: Any) -> list[Any]:
    if isinstance(content, dict):
        return [leaf for value in content.values() for leaf in _leaves(value)]
    if isinstance(content, list):
        return [leaf for value in content for leaf in _leaves(value)]
    return [content]


class Clock:
    """Real time, as far as the sandbox knows."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


class Droppable:
    """An application whose connections can be dropped, as the real server's can."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        dropped = asyncio.Event()

        async def receive_or_end() -> Any:
            return {"type": "http.disconnect"} if dropped.is_set() else await receive()

        await self._app({**scope, "extensions": {DROP: dropped.set}}, receive_or_end, send)
        if dropped.is_set():
            raise httpx.RemoteProtocolError("dropped")


class Sandbox:
    """A sandbox in process. Each answer is judged before it is handed out."""

    def __init__(self, app: Any, clock: Clock, *, client: tuple[str, int] = ("127.0.0.1", 40000)) -> None:
        self.app = app
        self.clock = clock
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(Droppable(app), client=client)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8402")

    def call(self, method: str, path: str, *, judged: bool = True, **options: Any) -> httpx.Response:
        """Any request, with httpx's options."""
        response = self._runner.run(self._client.request(method, path, **options))
        if judged:
            _judge(method, path.partition("?")[0], response)
        return response

    def create(self, **fields: Any) -> dict[str, Any]:
        """A new checkout of 100.00 USDC, unless told otherwise."""
        body = {"amount": "100.00", "currency": "USDC", **fields}
        return self._good(self.call("POST", "/api/v1/checkouts", json=body), 201)

    def get(self, checkout_id: str) -> dict[str, Any]:
        return self._good(self.call("GET", f"/api/v1/checkouts/{checkout_id}"))

    def pay(self, checkout_id: str, outcome: str = "COMPLETED") -> dict[str, Any]:
        body = {"outcome": outcome}
        return self._good(self.call("POST", f"/__sandbox__/checkouts/{checkout_id}/pay", json=body))

    def refund(self, checkout_id: str, amount: str, **fields: Any) -> dict[str, Any]:
        body = {"amount": amount, **fields}
        return self._good(self.call("POST", f"/api/v1/checkouts/{checkout_id}/refund", json=body))

    def settle(self, checkout_id: str, refund_id: str, outcome: str = "COMPLETED") -> dict[str, Any]:
        path = f"/__sandbox__/checkouts/{checkout_id}/refunds/{refund_id}/settle"
        return self._good(self.call("POST", path, json={"outcome": outcome}))

    def advance(self, seconds: int) -> str:
        now: str = self._good(self.call("POST", "/__sandbox__/clock/advance", json={"seconds": seconds}))["now"]
        return now

    def arm(self, kind: str, **rule: Any) -> dict[str, Any]:
        """Let something go wrong from now on."""
        return self._good(self.call("POST", "/__sandbox__/faults", json={"kind": kind, **rule}), 201)

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._good(self.call("GET", "/__sandbox__/faults"))["faults"]
        return found

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.app.state.world.store.close()

    @staticmethod
    def _good(response: httpx.Response, status: int = 200) -> dict[str, Any]:
        assert status == response.status_code, response.text
        content: dict[str, Any] = response.json()
        return content


@pytest.fixture
def sandbox_with() -> Iterator[Callable[..., Sandbox]]:
    """Makes sandboxes with other arguments than the usual ones."""
    with ExitStack() as stack:

        def make(*, client: tuple[str, int] = ("127.0.0.1", 40000), **options: Any) -> Sandbox:
            clock = Clock()
            sandbox = Sandbox(create_app(clock=clock, **options), clock, client=client)
            stack.callback(sandbox.close)
            return sandbox

        yield make


@pytest.fixture
def sandbox(sandbox_with: Callable[..., Sandbox]) -> Sandbox:
    """In memory, without tokens, at a fixed time."""
    return sandbox_with()


@pytest.fixture
def reading(sandbox_with: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """A sandbox with other readings than the default."""

    def make(**readings: Any) -> Sandbox:
        return sandbox_with(readings=Readings(**readings))

    return make


@pytest.fixture
def idempotency_key() -> str:
    return str(uuid.uuid4())


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'sandbox.sqlite3'}"
    url: str = request.getfixturevalue("postgres").database()
    return url


class Server:
    """The command, in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / f"stderr-{uuid.uuid4().hex}"
        command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0", *arguments]
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert self.process.stdout is not None
        self.stdout: IO[str] = self.process.stdout
        self.first_line = self.stdout.readline()
        self.url = self.first_line.removeprefix("listening on ").strip()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        code = self.process.wait(timeout=10)
        self.stdout.close()
        return code


@pytest.fixture
def serve(tmp_path: Path) -> Generator[Callable[..., Server]]:
    """Starts servers in a folder of the test, and stops them."""
    started: list[Server] = []

    def start(*arguments: str) -> Server:
        server = Server(tmp_path, *arguments)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop(signal.SIGKILL)
