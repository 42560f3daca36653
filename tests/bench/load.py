"""
How many requests a second the sandbox answers, next to Prism, which answers from the description without state.

Both on this machine in the same run, in rounds, each round one server after the other; the best round counts. The load
comes from wrk: eight connections, one thread. Ours checks a token for each request and writes durably; tokens are
signed before the round, a few hundred of them in turn.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from coinbase_checkouts import ApiKey, JwtAuth

ROUNDS = 3
SECONDS = 4
CONNECTIONS = 8
TOKENS = 400
PATH = "/api/v1/checkouts"
BODY = '{"amount":"100.50","currency":"USDC","description":"Payment for order #12345"}'
ROOT = Path(__file__).parents[2]
PRISM = ("npm", "exec", "--yes", "--package", "@stoplight/prism-cli@5", "--")

# A key for each request: a repeated one would only be looked up.
SCRIPT = """
local tokens, number = {%(tokens)s}, 0
math.randomseed(os.time())
request = function()
  number = number + 1
  local headers = {["Authorization"] = tokens[number %% #tokens + 1]}
  if "%(method)s" == "GET" then return wrk.format("GET", "%(path)s", headers) end
  headers["Content-Type"] = "application/json"
  headers["X-Idempotency-Key"] =
    string.format("%%08x-%%04x-4000-8000-%%012x", math.random(0, 2147483647), math.random(0, 65535), number)
  return wrk.format("POST", "%(path)s", headers, [[%(body)s]])
end
"""


@dataclass
class Figures:
    """Of one server: the best of all rounds."""

    per_second: float = 0.0
    p99_ms: float = float("inf")
    refused: int = 0


@dataclass
class Server:
    """A server that answers."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    auth: JwtAuth | None
    cold_s: float

    def path(self, method: str) -> str:
        """What is asked for: a checkout that is there, or all of them."""
        if method == "POST":
            return PATH
        answer = httpx.post(self.url + PATH, content=BODY, headers=self._headers(), auth=self.auth)
        return f"{PATH}/{answer.raise_for_status().json()['id']}"

    def tokens(self, method: str, path: str) -> list[str]:
        """Authorization headers for it."""
        if self.auth is None:
            return ["Bearer any"]
        url = f"{self.url}{path}"
        return [f"Bearer {self.auth.token(method, url)}" for _ in range(TOKENS)]

    def memory_mib(self) -> float:
        """Resident memory of all its processes."""
        return sum(_resident_kib(pid) for pid in _family(self.process.pid)) / 1024

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", **({} if self.auth else {"Authorization": "Bearer any"})}


def _resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) if found else 0


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(member for child in children for member in _family(int(child)))]


@contextmanager
def _sandbox(folder: Path) -> Generator[Server]:
    key_file = folder / "cdp_api_key.json"
    command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0", "--quiet"]
    command += ["--database", f"sqlite:///{folder / 'bench.sqlite3'}", "--key-file", str(key_file)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().split()[-1]
            httpx.get(f"{url}/__sandbox__/").raise_for_status()
            cold_s = time.perf_counter() - began
            yield Server("coinbase-checkouts sandbox", process, url, JwtAuth(ApiKey.from_file(key_file)), cold_s)
        finally:
            process.terminate()


@contextmanager
def _prism(port: int) -> Generator[Server]:
    command = [*PRISM, "prism", "mock", "-v", "silent", "-p", str(port), str(ROOT / "spec" / "openapi.yaml")]
    # The first start may install it.
    subprocess.run([*PRISM, "prism", "--version"], check=True, capture_output=True)
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    httpx.get(url + PATH, headers={"Authorization": "Bearer any"})
                    break
                except httpx.TransportError:
                    if process.poll() is not None or time.perf_counter() - began > 60:
                        raise
                    time.sleep(0.02)
            yield Server("Prism, static, silent", process, url, None, time.perf_counter() - began)
        finally:
            for pid in reversed(_family(process.pid)):
                subprocess.run(["kill", str(pid)], check=False)


def _loaded(server: Server, method: str, folder: Path) -> Figures:
    path = server.path(method)
    script = folder / "load.lua"
    tokens = ", ".join(json.dumps(token) for token in server.tokens(method, path))
    script.write_text(SCRIPT % {"tokens": tokens, "method": method, "path": path, "body": BODY}, encoding="ascii")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script), server.url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    assert rate is not None, told
    assert p99 is not None, told
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    return Figures(float(rate[1]), float(p99[1]) * unit, int(refused[1]) if refused else 0)


def main() -> None:
    """Measure and print."""
    missing = [program for program in ("wrk", "npm") if shutil.which(program) is None]
    if missing:
        print(f"left out the sandbox under load: {' and '.join(missing)} not installed", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = [stack.enter_context(_prism(_free_port())), stack.enter_context(_sandbox(folder))]
        idle = {server.name: server.memory_mib() for server in servers}
        for method, target in (("GET", "target ≥ 1.5"), ("POST", "target ≥ 2")):
            best = {server.name: Figures() for server in servers}
            for _ in range(ROUNDS):
                for server in servers:
                    seen, so_far = _loaded(server, method, folder), best[server.name]
                    so_far.per_second = max(so_far.per_second, seen.per_second)
                    so_far.p99_ms = min(so_far.p99_ms, seen.p99_ms)
                    so_far.refused += seen.refused
            _report(method, best, target)
        print("\nA server's cost")
        for server in servers:
            print(
                f"  {server.name:<32}{server.cold_s:>8.2f} s to the first answer"
                f"{idle[server.name]:>8.0f} MiB idle{server.memory_mib():>8.0f} MiB after"
            )


def _report(method: str, best: dict[str, Figures], target: str) -> None:
    print(f"\n{method}, {CONNECTIONS} connections")
    base = next(iter(best.values())).per_second
    for name, figures in best.items():
        note = f"{figures.refused} refused!" if figures.refused else target if figures.per_second != base else ""
        print(
            f"  {name:<32}{figures.per_second:>8.0f} /s{figures.per_second / base:>8.2f} ×"
            f"{figures.p99_ms:>8.1f} ms p99  {note}"
        )


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
