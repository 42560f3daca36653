"""Recording a live service: asked for twice, apart, and nobody's secrets in it. The service is played on loopback."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from coinbase_checkouts.auth import ApiKey
from coinbase_checkouts_conformance import record, replay
from coinbase_checkouts_conformance.cassettes import LIVE, SANDBOX, Serializer, read_cassette
from coinbase_checkouts_conformance.record import KEY_FILE_VARIABLE, strangers
from coinbase_checkouts_conformance.scrub import Scrubber

ADDRESS = "0xC00Bb0ac72F15C3dBFc6eb58B257887b529fEF57"
SELECTED = "get.as-created or get.the-right-one or list.as-read or payment.completed"


def forwarded(address: tuple[str, int], line: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """The answer to a request, over a bare socket: vcrpy would take http.client's connections for ours."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Connection": "close"}.items())
    with socket.create_connection(address) as connection:
        connection.sendall(f"{line}\r\n{fields}\r\n".encode() + body)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        return reply.status, reply.read()


@pytest.fixture
def service(our_sandbox: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service with no control endpoints, whose answers name a person and a key; the key is in the environment."""
    url, key_file = our_sandbox
    address, key_id = (urlsplit(url).hostname or "", urlsplit(url).port or 0), ApiKey.from_file(key_file).id

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            if self.path.startswith("/__sandbox__"):
                status, content = 404, b"{}"
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, content = forwarded(address, f"{self.command} {self.path} HTTP/1.1", dict(self.headers), body)
            personal = json.dumps({"owner": "shop@example.com", "key": key_id})[1:-1].encode()
            content = content.replace(b'"address":', personal + b',"address":')
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 -- as http.server wants them

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv(KEY_FILE_VARIABLE, str(key_file))
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_live_recording_is_apart_and_clean(
    service: str, our_sandbox: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    What can be tried is recorded under live/, names no person, key or address, and replays; the sandbox's stays.
    """
    kept = tmp_path / "cassettes" / SANDBOX / "test_get" / "test_as_created.yaml"
    kept.parent.mkdir(parents=True)
    kept.write_text("not touched", encoding="utf-8")
    options = ["--live", "--base-url", service, "--cassettes", str(tmp_path / "cassettes")]
    assert record.main([*options, "-k", SELECTED]) == 0
    assert kept.read_text(encoding="utf-8") == "not touched"
    assert "payment.completed: no control endpoints" in capsys.readouterr().out
    found = sorted(path.relative_to(tmp_path / "cassettes" / LIVE) for path in tmp_path.rglob("live/*/*.yaml"))
    assert ["test_as_created.yaml", "test_the_right_one.yaml", "test_as_read.yaml"] == [path.name for path in found]
    key = ApiKey.from_file(our_sandbox[1])
    for path in found:
        text = (tmp_path / "cassettes" / LIVE / path).read_text(encoding="utf-8")
        assert not any(secret in text for secret in (ADDRESS, ADDRESS.lower(), key.id, "shop@example.com", "Bearer"))
        assert re.search(r'"<e-mail [0-9a-f]{8}>", "key": "<key id>"', text)
        provenance = read_cassette(tmp_path / "cassettes" / LIVE / path, standing=LIVE)[0]
        assert (LIVE, service, False) == (provenance.standing, provenance.target, provenance.has_control)
    kept.unlink()
    kept.parent.rmdir()
    kept.parent.parent.rmdir()
    main = ["-k", "get.as-created"]
    assert replay.main(main, cassettes=tmp_path / "cassettes") == 0
    assert f"1 of 1 claims hold (recorded live from {service} on " in capsys.readouterr().out


def test_the_same_address_has_the_same_stand_in(service: str, tmp_path: Path) -> None:
    """
    What was equal before it was scrubbed is equal after, in every cassette of a recording, and of the same form.
    """
    options = ["--live", "--base-url", service, "--cassettes", str(tmp_path / "cassettes")]
    assert record.main([*options, "-k", SELECTED]) == 0
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.yaml")]
    stand_ins = {found for text in texts for found in re.findall(r'"address":"([^"]*)"', text)}
    assert len(stand_ins) == 1
    assert re.fullmatch("0x000000000000[0-9a-f]{28}", stand_ins.pop())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--base-url", "https://business.coinbase.com"], "is no sandbox; with --production it is read from"),
        (["--base-url", "https://example.com/api"], "is no sandbox; with --production it is read from"),
        (["--base-url", "ftp://example.com"], "is not an http or https URL"),
        (["--base-url", "http://127.0.0.1:1"], "a server on this machine is no live service"),
    ],
)
def test_what_may_not_be_recorded_is_told(
    options: list[str], reason: str, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Production without its own flag, or this machine into the package's own folder, is refused before anything is sent.
    """
    assert record.main(["--live", *options]) == 2
    assert reason in capsys.readouterr().err


def test_a_sandbox_is_never_called_live(
    our_sandbox: tuple[str, Path], tmp_path: Path, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A server with control endpoints is a sandbox, whatever it is called.
    """
    assert record.main(["--live", "--base-url", our_sandbox[0], "--cassettes", str(tmp_path / "c")]) == 2
    assert "has the control endpoints of a sandbox" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.yaml")) == []


def test_without_a_key_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The key comes from the environment; when there is none, its variables are named.
    """
    for name in (KEY_FILE_VARIABLE, "CDP_API_KEY_ID", "CDP_API_KEY_NAME", "CDP_API_KEY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    options = ["--live", "--base-url", "http://127.0.0.1:1", "--cassettes", str(tmp_path / "c")]
    assert record.main(options) == 2
    assert "CDP_API_KEY_ID" in capsys.readouterr().err


def test_what_is_already_there_stays_when_it_cannot_be_had_again(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A test that does not pass this time keeps the recording it had; one that passes is recorded with a fresh seed.
    """
    options = ["--live", "--base-url", service, "--cassettes", str(tmp_path)]
    assert record.main([*options, "-k", "get.as-created"]) == 0
    path, older = (
        tmp_path / LIVE / name for name in ("test_get/test_as_created.yaml", "test_payment/test_completed.yaml")
    )
    provenance, interactions = read_cassette(path)
    before = replace(provenance, test="test_payment/test_completed")
    older.parent.mkdir()
    older.write_text(Serializer(older, before).serialize({"interactions": interactions}), encoding="utf-8")
    content = older.read_bytes()
    assert record.main([*options, "-k", "payment.completed or get.as-created"]) == 0
    assert content == older.read_bytes()
    assert provenance.seed != read_cassette(path)[0].seed


def test_a_recording_that_is_stopped_changes_nothing(tmp_path: Path) -> None:
    """
    After Ctrl-C there is neither half a recording nor anything beside it.
    """
    command = [
        sys.executable,
        "-m",
        "coinbase_checkouts_conformance.record",
        "--cassettes",
        str(tmp_path / "cassettes"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.read(1) != ""
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (130, True) == (process.returncode, "interrupted (SIGINT)" in err)
    assert [path.name for path in tmp_path.rglob("*")] == ["cassettes"]


def test_other_peoples_checkouts_are_found() -> None:
    """
    A checkout that is listed, and was neither created here nor by the suite, does not belong into a recording.
    """

    def interaction(method: str, *checkouts: dict[str, str]) -> dict[str, object]:
        body = json.dumps({"checkouts": [{"url": "u", "amount": "1"} | one for one in checkouts]})
        return {"request": {"method": method}, "response": {"body": {"string": body}}}

    made = interaction("POST", {"id": "1"})
    ours = interaction("GET", {"id": "1"}, {"id": "2", "description": "conformance suite abc"})
    theirs = interaction("GET", {"id": "3", "description": "Invoice 7"})
    assert strangers([made, ours]) == []
    assert strangers([made, ours, theirs]) == ["somebody else's checkout"]
    assert strangers([ours]) == ["somebody else's checkout"]


def test_a_scrubber_finds_what_it_would_replace() -> None:
    """
    Addresses, transactions, e-mail addresses and the key's id are found, and are gone after scrubbing.
    """
    scrub = Scrubber(b"salt", {"key id": "organizations/1/apiKeys/2"})
    text = f"{ADDRESS} 0x{'ab' * 32} a@example.org a%40example.org organizations/1/apiKeys/2"
    assert sorted(scrub.findings(text)) == ["address or transaction", "e-mail", "key id"]
    clean = scrub(text)
    assert scrub.findings(clean) == []
    assert clean == scrub(clean)
    assert scrub(ADDRESS) == scrub(ADDRESS.lower()) != Scrubber(b"other")(ADDRESS)
    assert len(scrub(f"0x{'ab' * 32}")) == 66
    assert scrub("0x" + "ab" * 16) == "0x" + "ab" * 16
