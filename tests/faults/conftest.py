"""The sandbox as a process of its own, a proxy that breaks things in front of it, and a second way to look inside."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest

from coinbase_checkouts import ApiKey, JwtAuth

from .proxy import Proxy

# More examples where it is asked for; the usual number keeps a run short.
THOROUGH: Final = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


class Sandbox:
    """The real sandbox, asked directly and without the client under test."""

    def __init__(self, folder: Path) -> None:
        self.key_file = folder / "cdp_api_key.json"
        command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0"]
        command += ["--database", f"sqlite:///{folder / 'sandbox.sqlite3'}", "--key-file", str(self.key_file)]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().removeprefix("listening on ").strip()
        self.api_key = ApiKey.from_file(self.key_file)
        self._http = httpx.Client(base_url=self.url, auth=JwtAuth(self.api_key), timeout=30, trust_env=False)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return "127.0.0.1", int(self.url.rpartition(":")[2])

    def described(self, description: str) -> list[dict[str, Any]]:
        """All checkouts with this description, which no other's contains."""
        answer = self._http.get("/api/v1/checkouts", params={"descriptionQuery": description, "pageSize": 100})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["checkouts"]
        return found

    def get(self, checkout_id: str) -> dict[str, Any]:
        """One checkout."""
        answer: dict[str, Any] = self._http.get(f"/api/v1/checkouts/{checkout_id}").raise_for_status().json()
        return answer

    def create(self, description: str, *, paid: bool = False) -> str:
        """The id of a new checkout of 10.00."""
        body = {"amount": "10.00", "currency": "USDC", "description": description}
        checkout_id: str = self._http.post("/api/v1/checkouts", json=body).raise_for_status().json()["id"]
        if paid:
            path = f"/__sandbox__/checkouts/{checkout_id}/pay"
            self._http.post(path, json={"outcome": "COMPLETED"}).raise_for_status()
        return checkout_id

    def stop(self) -> None:
        """End the process."""
        self._http.close()
        self._process.terminate()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def running_proxy(sandbox: Sandbox) -> Iterator[Proxy]:
    proxy = Proxy(sandbox.address)
    yield proxy
    proxy.stop()


@pytest.fixture
def proxy(running_proxy: Proxy) -> Proxy:
    """In front of the sandbox, without a fault so far."""
    running_proxy.plan()
    return running_proxy


@pytest.fixture(scope="session", autouse=True)
def no_jitter() -> Iterator[None]:
    """The draw is 0, so that retries follow at once; only the client's own name for it is changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coinbase_checkouts.shells.random", SimpleNamespace(random=lambda: 0.0))
        yield


class Gate:
    """Lets a fault say that it got there, and wait until it may go on; bounded, or a bug would hang the tests."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def pass_through(self) -> None:
        self._reached.set()
        assert self._opened.wait(20), "nobody opened the gate"

    def wait_until_reached(self) -> None:
        assert self._reached.wait(20), "nobody came to the gate"

    def open(self) -> None:
        self._opened.set()
