"""Connections that keep a deadline, also under TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coinbase_checkouts import ApiKey, Checkouts, connections
from coinbase_checkouts.errors import NoResponseError

from .conftest import DRIP, Server

ID = "68f7a946db0529ea9b6d3a12"


@pytest.fixture
def tls(tmp_path: Path, checkout_json: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """A server with a certificate of its own that answers once and then keeps silent; its URL and certificate."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    stopped = threading.Event()

    def serve(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with context.wrap_socket(raw, server_side=True) as connection:
            connection.recv(65536)
            body = json.dumps(checkout_json).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            stopped.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", file
        stopped.set()
        thread.join()


def test_deadline_is_kept_under_tls(tls: tuple[str, Path], api_key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A call over TLS works, and one that is not answered is given up like any other.
    """
    url, certificate = tls
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(connections, "_ssl_context", lambda: context)
    with Checkouts(api_key, base_url=url, max_retries=0) as client:
        assert client.get(ID).id == ID
        with pytest.raises(NoResponseError, match="ReadTimeout"):
            client.with_options(timeout=0.1).get(ID)


def test_nothing_is_read_after_the_deadline() -> None:
    """
    Once the attempt has ended a read is not even begun, whatever time it was given itself.
    """
    token = connections.ENDS_S.set(time.monotonic() - 1)
    try:
        with pytest.raises(httpcore.ReadTimeout):
            connections._left_s(30, httpcore.ReadTimeout)
    finally:
        connections.ENDS_S.reset(token)


def test_client_of_one_s_own_keeps_the_timeout_of_bodies(server: Server, api_key: ApiKey) -> None:
    """
    With an httpx client of the user's own a body that drips is given up too.
    """
    server.answer(DRIP)
    with (
        httpx.Client() as own,
        Checkouts(api_key, base_url=server.url, http_client=own, timeout=0.1, max_retries=0) as client,
        pytest.raises(NoResponseError, match="not all of it came in time from "),
    ):
        client.get(ID)
