"""The sandbox as a process of its own, a merchant to be led back to, and one real browser for each module."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ..leftout import missing  # noqa: TID252, the tests are no package with a name of its own

collect_ignore_glob = ["test_*.py"] if missing("browser tests", "chromium", "chromedriver") else []

# Nothing that asks another machine, and no sandbox of its own, which root cannot have.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    # The merchant's certificate is made for the run.
    "--ignore-certificate-errors",
)


class Sandbox:
    """The command, asked as a merchant's program would."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Any POST of JSON."""
        answer: dict[str, Any] = self._http.post(path, json=body).raise_for_status().json()
        return answer

    def create(self, **fields: Any) -> dict[str, Any]:
        """A new checkout of 100.50 USDC, unless told otherwise."""
        return self.post("/api/v1/checkouts", **{"amount": "100.50", "currency": "USDC", **fields})

    def status(self, checkout: dict[str, Any]) -> str:
        """What the API says."""
        found: str = self._http.get(f"/api/v1/checkouts/{checkout['id']}").raise_for_status().json()["status"]
        return found

    def pay(self, checkout: dict[str, Any], outcome: str = "COMPLETED") -> None:
        """Pay from outside the browser."""
        self.post(f"/__sandbox__/checkouts/{checkout['id']}/pay", outcome=outcome)

    def refund(self, checkout: dict[str, Any], amount: str) -> str:
        """The id of a new refund."""
        found: str = self.post(f"/api/v1/checkouts/{checkout['id']}/refund", amount=amount)["refund"]["id"]
        return found

    def advance(self, seconds: int) -> None:
        """Move the clock."""
        self.post("/__sandbox__/clock/advance", seconds=seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@contextmanager
def running(folder: Path, port: int = 0) -> Generator[Sandbox]:
    """A sandbox in memory, without tokens."""
    command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--no-auth", "--database", "sqlite://"]
    command += ["--port", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        sandbox = Sandbox(process.stdout.readline().removeprefix("listening on ").strip())
        try:
            yield sandbox
        finally:
            sandbox.close()
            process.terminate()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for all tests of a module."""
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        port = cast("tuple[str, int]", self.server.server_address)[1]
        if self.path.startswith("/moved"):
            # As merchants do: another host of theirs, and another redirect.
            self.send_response(302)
            self.send_header("Location", f"https://localhost:{port}/thanks?moved=1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = f"<!doctype html><title>shop</title><link rel=icon href=data:,><p id=shop>{self.path.split('?')[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _certificate(folder: Path) -> Path:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    path = folder / "shop.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a merchant, over https as the API demands of redirect URLs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path_factory.mktemp("shop")))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """With a profile of its own, which goes with the run."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Named, so that selenium does not look for another one on the network.
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Any) -> Any:
    """The browser as it is for most people: a desktop, in the light, with JavaScript, and an empty log."""
    chromium.get("data:text/html,")
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    see(chromium, width=1100, dark=False)
    chromium.get_log("browser")
    return chromium


def see(browser: Any, *, width: int, dark: bool) -> None:
    """Look through a window of that many CSS pixels, in the dark or in the light."""
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
