"""The command: one line when it is ready, one line when it cannot be, and a prompt end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from coinbase_checkouts_sandbox import cli

if TYPE_CHECKING:
    from tests.sandbox.conftest import Server

PATH = "/api/v1/checkouts"


def test_one_line_says_that_it_is_ready(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    The first line on stdout is the URL, requests are answered from then on, and nothing else comes on stdout.
    """
    server = serve()
    assert f"listening on {server.url}\n" == server.first_line
    assert server.url.startswith("http://127.0.0.1:")
    assert 200 == httpx.get(f"{server.url}/__sandbox__/").status_code
    server.process.send_signal(signal.SIGTERM)
    assert ("", 0) == (server.stdout.read(), server.stop())
    assert {"cdp_api_key.json", "checkouts-sandbox.sqlite3"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_success(serve: Callable[..., Server], number: int) -> None:
    """
    SIGINT and SIGTERM end it within seconds and with 0, also while a connection is open and a request half sent.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    with httpx.Client(base_url=server.url) as client, socket.create_connection(_address(server)) as half:
        half.sendall(f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{{".encode())
        assert 200 == client.get(PATH).status_code
        started = time.monotonic()
        assert 0 == server.stop(number)
    assert time.monotonic() - started < 20
    assert "Traceback" not in server.log.read_text()


def test_a_token_of_the_fresh_key_is_accepted(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    The file that is written signs tokens that are accepted; without one the answer is 401; nothing of it is logged.
    """
    server = serve()
    key = json.loads((tmp_path / "cdp_api_key.json").read_text())
    now = int(time.time())
    claims = {"sub": key["id"], "iss": "cdp", "nbf": now, "exp": now + 120, "uri": f"GET 127.0.0.1{PATH}"}
    sent = jwt.encode(claims, key["privateKey"], algorithm="ES256", headers={"kid": key["id"]})
    answer = httpx.get(server.url + PATH, headers={"Authorization": f"Bearer {sent}"})
    assert (200, {"checkouts": []}) == (answer.status_code, answer.json())
    refused = httpx.get(server.url + PATH)
    assert 401 == refused.status_code
    server.stop()
    log = server.log.read_text()
    assert refused.json()["correlationId"] in log
    assert str(tmp_path / "cdp_api_key.json") in log
    assert not any(secret in log for secret in ("PRIVATE", "eyJ", sent))


def test_no_auth_is_said(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    --no-auth answers without a token, warns on stderr, and writes no key file.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    assert 200 == httpx.get(server.url + PATH).status_code
    server.stop()
    assert "--no-auth" in server.log.read_text().splitlines()[0]
    assert [server.log] == list(tmp_path.iterdir())


def _can_bind(host: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


# Some containers have no IPv6 at all.
@pytest.mark.parametrize("host", ["localhost", *filter(_can_bind, ["::1"])])
def test_other_loopback_addresses_are_served_too(serve: Callable[..., Server], host: str) -> None:
    """
    Any loopback address will do, and IPv6 is written in brackets.
    """
    url = serve("--no-auth", "--database", "sqlite://", "--host", host).url
    assert url.startswith(("http://[::1]:", "http://127.0.0.1:"))
    assert 200 == httpx.get(url + PATH).status_code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "loopback"),
        (["--host", "example.com"], "loopback"),
        (["--port", "65536"], "65535"),
        (["--port", "x"], "65535"),
        (["--port", "-1"], "65535"),
        (["--database", "nonsense"], "SQLAlchemy URL"),
        (["--database", "nonsense://x"], "SQLAlchemy URL"),
        (["--database", "oracle://u:secret@localhost/x"], "SQLAlchemy URL"),
        (["--database", "sqlite:///missing/folder/x.sqlite3"], "unable to open database file"),
        (["--database", "sqlite:///."], "unable to open database file"),
        (["--database", "sqlite:///text.txt"], "not a database"),
        (["--database", "sqlite:////proc/self/x.sqlite3"], "unable to open database file"),
        (["--database", "sqlite:///file:old.sqlite3?mode=ro&uri=true"], "readonly"),
        (["--key-file", "text.txt"], "not JSON"),
        (["--key-file", "missing/key.json"], "No such file"),
        (["--key-file", "."], "directory"),
        (["--fee-rate", "nan"], "less than 1"),
        (["--fee-rate", "-0"], "less than 1"),
        (["--surprise"], "unrecognized"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    """
    Bad input ends with 2, nothing on stdout, and a readable last line on stderr without traceback or password.
    """
    (tmp_path / "text.txt").write_text("this is no key and no database " * 50)
    (tmp_path / "old.sqlite3").touch()
    command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert (2, "") == (done.returncode, done.stdout)
    assert told in done.stderr.splitlines()[-1]
    assert not any(word in done.stderr for word in ("Traceback", "secret"))
    errors = [line for line in done.stderr.splitlines() if line.startswith("coinbase-checkouts sandbox: ")]
    assert 1 == len(errors)


def test_a_taken_port_is_one_line(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A port that another server has is told, and no key file is written for a server that never was.
    """
    port = _address(serve("--no-auth", "--database", "sqlite://"))[1]
    monkeypatch.chdir(tmp_path)
    assert 2 == cli.main(["--port", str(port)])
    out, err = capsys.readouterr()
    assert ("", f"coinbase-checkouts sandbox: cannot listen on 127.0.0.1 port {port}: Address already in use\n") == (
        out,
        err,
    )
    assert not (tmp_path / "cdp_api_key.json").exists()


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """
    Tables that this server does not know are not touched.
    """
    import sqlite3

    from coinbase_checkouts_sandbox.database import DatabaseError, open_store

    url = f"sqlite:///{tmp_path}/x.sqlite3"
    open_store(url).close()
    with sqlite3.connect(tmp_path / "x.sqlite3") as connection:
        connection.execute("UPDATE sandbox SET schema_version = 99")
    connection.close()
    with pytest.raises(DatabaseError, match="version 99"):
        open_store(url)


def test_a_password_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The message about a database that cannot be reached has its URL without the password.
    """
    from sqlalchemy import Engine, create_engine

    from coinbase_checkouts_sandbox import database

    def engine_of(_url: str) -> Engine:
        engine = create_engine("sqlite:////missing/folder/x")
        engine.url = engine.url.set(username="u", password="hunter2", host="h")
        return engine

    monkeypatch.setattr(database, "_engine", engine_of)
    with pytest.raises(database.DatabaseError, match=r"u:\*\*\*@h"):
        database.open_store("any")


def test_other_databases_get_no_options_of_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A URL of another database reaches its own driver, parameters stay out of errors, and dead connections are replaced.
    """
    from coinbase_checkouts_sandbox import database

    seen: dict[str, object] = {}

    def create_engine(_url: object, **options: object) -> None:
        seen.update(options)

    monkeypatch.setattr(database, "create_engine", create_engine)
    database._engine("mysql://u@h/d")
    assert {"hide_parameters": True, "pool_pre_ping": True} == seen


def test_headers_of_proxies_are_not_believed(serve: Callable[..., Server]) -> None:
    """
    X-Forwarded-For and -Proto change neither who is admitted nor a checkout's url.
    """
    url = serve("--no-auth", "--database", "sqlite://").url
    headers = {"X-Forwarded-For": "192.168.0.7", "X-Forwarded-Proto": "https"}
    assert 200 == httpx.get(f"{url}/__sandbox__/", headers=headers).status_code
    checkout = httpx.post(url + PATH, json={"amount": "1", "currency": "USDC"}, headers=headers).json()
    assert checkout["url"].startswith(f"{url}/pay/")
    assert 200 == httpx.get(checkout["url"]).status_code


def test_it_starts_quickly(serve: Callable[..., Server]) -> None:
    """
    From nothing to the first answer takes no longer than a few seconds, on the slowest machine that runs tests.
    """
    started = time.monotonic()
    serve()
    assert time.monotonic() - started < 20


def _address(server: Server) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return host, int(port)


def test_a_full_disk_under_stdout_is_said(tmp_path: Path) -> None:
    """
    Where the address cannot be written the server ends with 2 and one line, not as one that nobody can find.
    """
    command = [
        sys.executable,
        "-m",
        "coinbase_checkouts_sandbox",
        "--port",
        "0",
        "--database",
        "sqlite://",
        "--no-auth",
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert 2 == done.returncode
    assert "coinbase-checkouts sandbox: stdout: No space left on device; nobody would know where it listens" == last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_offer_to_upgrade_is_not_taken_up(serve: Callable[..., Server], protocol: str) -> None:
    """
    A sender that offers another protocol, as curl --http2 and Java's own client do, is answered over HTTP/1.1.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": protocol, "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    with httpx.Client(base_url=server.url) as client:
        body = {"amount": "1.00", "currency": "USDC", "description": "\r\nUpgrade: kept"}
        for _ in range(2):
            made = client.post(PATH, json=body, headers=offer)
            assert 201 == made.status_code, made.text
        assert 200 == client.get(PATH, headers=offer).status_code
    server.stop()
    assert "upgrade" not in server.log.read_text().lower()
