"""Webhooks, delivered to real servers on this machine and verified by another road than they were signed."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import signal
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from coinbase_checkouts_sandbox import courier, deliveries, events
from coinbase_checkouts_sandbox.keys import VerificationKey

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox, Server

SUBSCRIPTIONS = "/platform/v2/data/webhooks/subscriptions"
CONTROL = "/__sandbox__/webhooks"
SUCCESS, FAILED, EXPIRED = (f"checkout.payment.{outcome}" for outcome in ("success", "failed", "expired"))
REFUND_SUCCESS, REFUND_FAILED = "checkout.refund.success", "checkout.refund.failed"
ALL = [SUCCESS, FAILED, EXPIRED, REFUND_SUCCESS, REFUND_FAILED]
# 2026-11-20T12:00:00Z, where the fixture's clock stands.
START_S = 1_795_176_000
# Source: hook0.
DELAYS_S = [3, 10, 180, 1800, 3600, 10800, 18000, 36000]


@dataclass
class Got:
    """One delivery as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["x-event-id"]

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    def wrong(self, secret: str, now_s: int = START_S) -> set[str]:
        """What a careful receiver finds wrong with it."""
        if "x-hook0-signature" not in self.headers:
            return {"unsigned"}
        parts = dict(part.split("=", 1) for part in self.headers["x-hook0-signature"].split(","))
        found = set() if abs(now_s - int(parts["t"])) <= 300 else {"stale"}
        values = ".".join(self.headers[name] for name in parts.get("h", "").split(" ") if name)
        messages = {
            "v0": f"{parts['t']}.".encode() + self.body,
            "v1": f"{parts['t']}.{parts.get('h')}.{values}.".encode() + self.body,
        }
        for name, message in messages.items():
            if name in parts and parts[name] != hmac.new(secret.encode(), message, hashlib.sha256).hexdigest():
                found.add(name)
        return found | ({"no code"} if not parts.keys() & {"v0", "v1"} else set())


class QuietServer(ThreadingHTTPServer):
    """Whoever goes away in the middle is what some tests are about."""

    def handle_error(self, request: Any, client_address: Any) -> None: ...


class Receiver:
    """A server that takes deliveries and answers as it is told, 204 by default."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.arrived: Queue[Got] = Queue()
        self.answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = []
        """For the next deliveries; the last one stays."""
        self.released = threading.Event()
        self.begun = threading.Event()
        """Set when the first delivery has come in."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.got.append(got)
                receiver.begun.set()
                answer = receiver.answers[0] if receiver.answers else 204
                if len(receiver.answers) > 1:
                    receiver.answers.pop(0)
                if callable(answer):
                    answer(self)
                else:
                    self.send_response(answer)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                    if answer != 204:
                        self.wfile.write(b"no thanks")
                receiver.arrived.put(got)

            do_GET = do_POST  # noqa: N815, the name is http.server's

            def log_message(self, format: str, *_: Any) -> None: ...

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def secure(self, certificate: Path) -> None:
        """Speak TLS from now on, with the key and the certificate of that file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # Only when first read from, so that whoever does not trust it harms but its own thread.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = self.url.replace("http:", "https:")

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        """Answer nothing until the test is over."""
        self.released.wait(30)

    def types(self) -> list[str]:
        return [got.headers["x-event-type"] for got in self.got]


@pytest.fixture
def receiver() -> Generator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def subscribe(sandbox: Sandbox, url: str, types: list[str] = ALL, **fields: Any) -> dict[str, Any]:
    headers = fields.pop("headers", None)
    target = {"url": url, **({"headers": headers} if headers else {})}
    body = {"eventTypes": types, "isEnabled": True, "target": target, **fields}
    answer = sandbox.call("POST", SUBSCRIPTIONS, json=body)
    assert 201 == answer.status_code, answer.text
    content: dict[str, Any] = answer.json()
    return content


def flush(sandbox: Sandbox) -> dict[str, Any]:
    answer = sandbox.call("POST", f"{CONTROL}/flush")
    assert 200 == answer.status_code, answer.text
    content: dict[str, Any] = answer.json()
    return content


def log(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.call("GET", f"{CONTROL}/deliveries").json()["deliveries"]
    return found


def order(sandbox: Sandbox, kind: str, **fields: Any) -> None:
    answer = sandbox.call("POST", f"{CONTROL}/mischief", json={"kind": kind, **fields})
    assert 201 == answer.status_code, answer.text


def paid(sandbox: Sandbox, outcome: str = "COMPLETED") -> dict[str, Any]:
    return sandbox.pay(sandbox.create()["id"], outcome)


def completed(sandbox: Sandbox) -> dict[str, Any]:
    return paid(sandbox)


def failed(sandbox: Sandbox) -> dict[str, Any]:
    return paid(sandbox, "FAILED")


def expired(sandbox: Sandbox) -> dict[str, Any]:
    checkout_id = sandbox.create()["id"]
    sandbox.advance(3600)
    return sandbox.get(checkout_id)


def settled(sandbox: Sandbox, outcome: str) -> dict[str, Any]:
    started = sandbox.refund(paid(sandbox)["id"], "25.00", reason="Ünïcode ☂")
    return sandbox.settle(started["checkout"]["id"], started["refund"]["id"], outcome)


def refunded(sandbox: Sandbox) -> dict[str, Any]:
    return settled(sandbox, "COMPLETED")


def not_refunded(sandbox: Sandbox) -> dict[str, Any]:
    return settled(sandbox, "FAILED")


@pytest.mark.parametrize(
    ("event_type", "act"),
    [
        (SUCCESS, completed),
        (FAILED, failed),
        (EXPIRED, expired),
        (REFUND_SUCCESS, refunded),
        (REFUND_FAILED, not_refunded),
    ],
)
def test_each_event_arrives_as_described(
    sandbox: Sandbox, receiver: Receiver, event_type: str, act: Callable[[Sandbox], dict[str, Any]]
) -> None:
    """
    Each of the five events brings the checkout as the API then answers it, and keeps the description and its signature.
    """
    from tests.sandbox.conftest import DOCUMENT

    secret = subscribe(sandbox, receiver.url, [event_type])["secret"]
    checkout = act(sandbox)
    flush(sandbox)
    (got,) = receiver.got
    assert {**checkout, "eventType": event_type} == got.content
    assert (event_type, "application/json", set()) == (
        got.headers["x-event-type"],
        got.headers["content-type"],
        got.wrong(secret),
    )
    assert json.dumps(got.content, ensure_ascii=False, separators=(",", ":")).encode() == got.body
    schema = DOCUMENT["webhooks"][event_type]["post"]["requestBody"]["content"]["application/json"]["schema"]
    document = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(document, format_checker=FormatChecker()).validate(got.content)


def test_other_changes_send_nothing(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    No event is published for creation, PROCESSING, deactivation or the start of a refund, and none is sent.
    """
    subscribe(sandbox, receiver.url)
    sandbox.call("POST", f"/api/v1/checkouts/{sandbox.create()['id']}/deactivate")
    processing = paid(sandbox, "PROCESSING")
    sandbox.pay(processing["id"], "PROCESSING")
    assert 0 == flush(sandbox)["attempts"]
    sandbox.refund(sandbox.pay(processing["id"])["id"], "1.00")
    flush(sandbox)
    assert [SUCCESS] == receiver.types()


def test_the_header_lists_what_it_covers(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    v1 covers the event's id and type, and then the headers of the target, in their order.
    """
    headers = {"X-Shop": "tea & biscuits", "Authorization": "Basic c2hvcDp0ZWE="}
    subscription = subscribe(sandbox, receiver.url, headers=headers)
    paid(sandbox)
    flush(sandbox)
    (got,) = receiver.got
    assert ("tea & biscuits", "Basic c2hvcDp0ZWE=") == (got.headers["x-shop"], got.headers["authorization"])
    assert ",h=x-event-id x-event-type x-shop authorization,v1=" in got.headers["x-hook0-signature"]
    assert set() == got.wrong(subscription["secret"])
    assert headers == subscription["target"]["headers"]


def test_each_subscription_gets_its_own(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    An event goes once to each subscription that lists it, signed with that one's secret, and has one id.
    """
    one = subscribe(sandbox, receiver.url, [SUCCESS, SUCCESS])
    other = subscribe(sandbox, receiver.url + "/other", [SUCCESS, FAILED])
    subscribe(sandbox, receiver.url + "/none", [FAILED])
    paid(sandbox)
    flush(sandbox)
    by_path = {got.path: got for got in receiver.got}
    assert {"/hook", "/hook/other"} == set(by_path)
    assert (2, set(), set()) == (
        len(receiver.got),
        by_path["/hook"].wrong(one["secret"]),
        by_path["/hook/other"].wrong(other["secret"]),
    )
    assert 1 == len({got.event_id for got in receiver.got})


def test_only_later_events_reach_a_subscription(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    What happened before there was a subscription, or while it was disabled, is not delivered later.
    """
    paid(sandbox)
    subscription = subscribe(sandbox, receiver.url, isEnabled=False)
    paid(sandbox)
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": receiver.url}}
    sandbox.call("PUT", f"{SUBSCRIPTIONS}/{subscription['subscriptionId']}", json=body)
    flush(sandbox)
    assert [] == receiver.got
    last = paid(sandbox)
    flush(sandbox)
    assert [last["id"]] == [got.content["id"] for got in receiver.got]


def test_retries_keep_the_published_schedule(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    Each retry is due its delay after the one before was, not a second earlier, and after 24 of them there is no more.
    """
    subscribe(sandbox, receiver.url)
    receiver.answers = [500]
    paid(sandbox)
    flush(sandbox)
    delays = DELAYS_S + [36000] * 16
    for number, delay_s in enumerate(delays, start=1):
        (delivery,) = log(sandbox)
        assert (number, "retrying") == (len(receiver.got), delivery["status"])
        sandbox.advance(delay_s - 1)
        assert 0 == flush(sandbox)["attempts"]
        sandbox.advance(1)
        flush(sandbox)
    (delivery,) = log(sandbox)
    assert (25, "failed", False) == (len(receiver.got), delivery["status"], "nextAttemptAt" in delivery)
    assert list(range(1, 26)) == [attempt["number"] for attempt in delivery["attempts"]]
    sandbox.advance(86400 * 30)
    assert 0 == flush(sandbox)["attempts"]


def test_a_day_of_the_clock_is_a_day_of_retries(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    When the clock is moved by a day, the eight retries of that day follow each other at once, all with one event id.
    """
    secret = subscribe(sandbox, receiver.url)["secret"]
    receiver.answers = [503]
    paid(sandbox)
    flush(sandbox)
    sandbox.advance(86400)
    assert {"attempts": 8, "succeeded": 0, "failed": 8} == {
        name: count for name, count in flush(sandbox).items() if name != "deliveries"
    }
    (delivery,) = log(sandbox)
    # The sum of the eight delays, and one more of the last.
    assert "2026-11-21T17:33:13.000Z" == delivery["nextAttemptAt"]
    assert (9, 1, 1) == (
        len(receiver.got),
        len({got.event_id for got in receiver.got}),
        len({got.body for got in receiver.got}),
    )
    assert [set()] * 9 == [got.wrong(secret) for got in receiver.got]


def test_a_success_ends_the_retries(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    After the first 2xx nothing more is sent, and the log tells every attempt.
    """
    subscribe(sandbox, receiver.url)
    receiver.answers = [500, 302, 299]
    paid(sandbox)
    sandbox.advance(86400)
    flush(sandbox)
    (delivery,) = log(sandbox)
    assert [500, 302, 299] == [attempt["httpCode"] for attempt in delivery["attempts"]]
    assert ("succeeded", "no thanks", 3, False) == (
        delivery["status"],
        delivery["attempts"][0]["body"],
        len(receiver.got),
        "nextAttemptAt" in delivery,
    )


def no_answer(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SMTP ready\r\n\r\n")


def huge(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        # Nobody reads so much.
        pass


@pytest.mark.parametrize(("answer", "name"), [(no_answer, "connection_lost"), (no_http, "connection_lost")])
def test_an_answer_that_is_none_is_a_failure(
    sandbox: Sandbox, receiver: Receiver, answer: Callable[[BaseHTTPRequestHandler], None], name: str
) -> None:
    """
    A connection that is closed without an answer, or with something else, is a failed attempt with a name.
    """
    subscribe(sandbox, receiver.url)
    receiver.answers = [answer]
    paid(sandbox)
    flush(sandbox)
    (delivery,) = log(sandbox)
    assert ("retrying", name) == (delivery["status"], delivery["attempts"][0]["errorName"])


def test_a_receiver_that_is_down_is_a_failure(sandbox: Sandbox) -> None:
    """
    Where nobody listens the attempt fails by name, and is retried.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    subscribe(sandbox, f"http://127.0.0.1:{port}/hook")
    paid(sandbox)
    flush(sandbox)
    (delivery,) = log(sandbox)
    assert ("retrying", "connection_refused") == (delivery["status"], delivery["attempts"][0]["errorName"])
    assert "httpCode" not in delivery["attempts"][0]


def test_a_receiver_without_tls_is_a_failure(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    https to a server that does not speak it is a failure of TLS.
    """
    subscribe(sandbox, receiver.url.replace("http:", "https:"))
    paid(sandbox)
    flush(sandbox)
    assert "tls" == log(sandbox)[0]["attempts"][0]["errorName"]


def certificate(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that signs itself."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + built.public_bytes(Encoding.PEM)
    path = folder / "certificate.pem"
    path.write_bytes(pem)
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_checked(
    sandbox: Sandbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, trusted: bool
) -> None:
    """
    An https receiver needs a certificate that this machine trusts, on loopback too; SSL_CERT_FILE can name it.
    """
    path = certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    receiver.secure(path)
    subscribe(sandbox, receiver.url)
    paid(sandbox)
    flush(sandbox)
    (attempt,) = log(sandbox)[0]["attempts"]
    assert ((204, None) if trusted else (None, "tls")) == (attempt.get("httpCode"), attempt.get("errorName"))


def test_a_receiver_that_hangs_holds_up_nobody_else(
    sandbox: Sandbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An answer that does not come in time is a failure, and meanwhile others get theirs.
    """
    monkeypatch.setattr(courier, "TOTAL_TIMEOUT_S", 0.5)

    other = Receiver()
    subscribe(sandbox, receiver.url)
    subscribe(sandbox, other.url)
    receiver.answers = [receiver.hang]
    paid(sandbox)
    flush(sandbox)
    by_url = {delivery["url"]: delivery for delivery in log(sandbox)}
    assert ("timeout", 204) == (
        by_url[receiver.url]["attempts"][0]["errorName"],
        by_url[other.url]["attempts"][0]["httpCode"],
    )
    other.close()


def test_a_huge_answer_is_not_read(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    Of 64 MiB of answer a kilobyte is kept, and its status counts.
    """
    subscribe(sandbox, receiver.url)
    receiver.answers = [huge]
    paid(sandbox)
    flush(sandbox)
    (delivery,) = log(sandbox)
    assert ("succeeded", "x" * 1024) == (delivery["status"], delivery["attempts"][0]["body"])


def test_a_redirect_is_not_followed(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    A redirect is a failed attempt, and nothing is asked of where it leads.
    """
    subscribe(sandbox, receiver.url)
    receiver.answers = [307]
    paid(sandbox)
    flush(sandbox)
    assert (["/hook"], "retrying") == ([got.path for got in receiver.got], log(sandbox)[0]["status"])


def test_proxies_of_the_environment_are_not_used(
    sandbox: Sandbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A proxy that the environment names would be another host than the one allowed, so it gets nothing.
    """
    proxy = Receiver()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    subscribe(sandbox, receiver.url)
    paid(sandbox)
    flush(sandbox)
    assert (1, 0) == (len(receiver.got), len(proxy.got))
    proxy.close()


def test_redelivery_by_hand(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    What was delivered can be sent again: the same event id and body, signed for the moment of sending.
    """
    secret = subscribe(sandbox, receiver.url)["secret"]
    paid(sandbox)
    flush(sandbox)
    sandbox.clock.ms += 1000_000
    answer = sandbox.call("POST", f"{CONTROL}/deliveries/{log(sandbox)[0]['id']}/redeliver")
    assert 202 == answer.status_code
    flush(sandbox)
    first, second = receiver.got
    assert (first.event_id, first.body) == (second.event_id, second.body)
    assert (set(), set()) == (first.wrong(secret), second.wrong(secret, START_S + 1000))
    assert [204, 204] == [attempt["httpCode"] for attempt in log(sandbox)[0]["attempts"]]


def test_redelivery_of_a_failed_one_mends_it(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    A delivery that was given up succeeds by hand; one that fails by hand keeps its schedule.
    """
    subscribe(sandbox, receiver.url)
    receiver.answers = [500]
    paid(sandbox)
    flush(sandbox)
    due = log(sandbox)[0]["nextAttemptAt"]
    path = f"{CONTROL}/deliveries/{log(sandbox)[0]['id']}/redeliver"
    sandbox.call("POST", path)
    flush(sandbox)
    assert ("retrying", due, 2) == (log(sandbox)[0]["status"], log(sandbox)[0]["nextAttemptAt"], len(receiver.got))
    sandbox.advance(86400 * 9)
    flush(sandbox)
    assert "failed" == log(sandbox)[0]["status"]
    receiver.answers = [200]
    sandbox.call("POST", path)
    flush(sandbox)
    assert "succeeded" == log(sandbox)[0]["status"]


@pytest.mark.parametrize("delivery_id", ["0", "00000000-0000-4000-8000-000000000000", "%00", "..%2f"])
def test_redelivery_of_nothing_is_not_found(sandbox: Sandbox, delivery_id: str) -> None:
    """
    An id that no delivery has is a 404.
    """
    assert sandbox.call("POST", f"{CONTROL}/deliveries/{delivery_id}/redeliver").status_code == 404


def test_a_duplicate_has_the_same_id(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    duplicate: the next delivery arrives twice, good both times, and to be told by its event id alone.
    """
    secret = subscribe(sandbox, receiver.url)["secret"]
    order(sandbox, "duplicate")
    paid(sandbox)
    paid(sandbox)
    flush(sandbox)
    assert (3, 2) == (len(receiver.got), len({got.event_id for got in receiver.got}))
    assert [set()] * 3 == [got.wrong(secret) for got in receiver.got]
    assert ["duplicate"] == [
        a["mischief"] for delivery in log(sandbox) for a in delivery["attempts"] if "mischief" in a
    ]


def test_reorder_lets_the_next_one_go_first(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    reorder: deliveries change places in pairs, and the last one waits for another, or for the mischief to end.
    """
    subscribe(sandbox, receiver.url)
    order(sandbox, "reorder", times=2)
    first, second, third = (paid(sandbox)["id"] for _ in range(3))
    assert 1 == flush(sandbox)["deliveries"]["held"]
    assert {second} == {got.content["id"] for got in receiver.got[:1]}
    assert {first, second} == {got.content["id"] for got in receiver.got}
    assert [third] == [delivery["checkoutId"] for delivery in log(sandbox) if delivery["held"]]
    sandbox.call("DELETE", f"{CONTROL}/mischief")
    flush(sandbox)
    assert [second, first, third] == [got.content["id"] for got in receiver.got]


def test_reorder_of_one_checkout(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    reorder: the refund of a checkout can arrive before its payment.
    """
    subscribe(sandbox, receiver.url)
    order(sandbox, "reorder")
    refunded(sandbox)
    flush(sandbox)
    assert [REFUND_SUCCESS, SUCCESS] == receiver.types()


def test_without_mischief_one_checkout_keeps_its_order(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    The events of one checkout arrive in the order in which they happened, however many wait.
    """
    subscribe(sandbox, receiver.url)
    for _ in range(5):
        refunded(sandbox)
    flush(sandbox)
    by_checkout: dict[str, list[str]] = {}
    for got in receiver.got:
        by_checkout.setdefault(got.content["id"], []).append(got.headers["x-event-type"])
    assert [[SUCCESS, REFUND_SUCCESS]] * 5 == list(by_checkout.values())


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("body", {"v0", "v1"}),
        ("v0", {"v0"}),
        ("v1", {"v1"}),
        ("timestamp", {"stale"}),
        ("event_id", {"v1"}),
        ("secret", {"v0", "v1"}),
        ("unsigned", {"unsigned"}),
    ],
)
def test_tampering_can_be_told(sandbox: Sandbox, receiver: Receiver, part: str, wrong: set[str]) -> None:
    """
    tamper: exactly that part of the next delivery is wrong, and its retry is good again.
    """
    secret = subscribe(sandbox, receiver.url)["secret"]
    order(sandbox, "tamper", part=part)
    receiver.answers = [400, 200]
    checkout = paid(sandbox)
    flush(sandbox)
    sandbox.advance(3)
    flush(sandbox)
    bad, good = receiver.got
    assert (wrong, set()) == (bad.wrong(secret), good.wrong(secret))
    assert f"tamper {part}" == log(sandbox)[0]["attempts"][0]["mischief"]
    assert checkout["id"] == bad.content["id"]
    assert (part == "body") == (bad.content["amount"] == "900.00")


@pytest.mark.parametrize(("part", "other"), [("v0", "v1"), ("v1", "v0")])
def test_one_code_alone(sandbox: Sandbox, receiver: Receiver, part: str, other: str) -> None:
    """
    only: a delivery with v0 or v1 alone is rightly signed.
    """
    secret = subscribe(sandbox, receiver.url)["secret"]
    order(sandbox, "only", part=part)
    paid(sandbox)
    flush(sandbox)
    header = receiver.got[0].headers["x-hook0-signature"]
    assert (set(), True, False) == (receiver.got[0].wrong(secret), f"{part}=" in header, f"{other}=" in header)


def test_a_dropped_one_is_in_the_log_alone(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    drop: never sent, nor retried; the subscription's own log says that it failed.
    """
    subscription = subscribe(sandbox, receiver.url)
    order(sandbox, "drop", eventType=SUCCESS, subscriptionId=subscription["subscriptionId"])
    checkout = paid(sandbox)
    failed(sandbox)
    sandbox.advance(86400)
    flush(sandbox)
    assert [FAILED] == receiver.types()
    (entry,) = entries(sandbox, subscription, eventTypeNames=SUCCESS)
    assert ("failed", "dropped") == (entry["status"], entry["response"]["errorName"])
    assert checkout["id"] == log(sandbox)[-1]["checkoutId"]


def test_mischief_is_listed_until_it_is_done(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    What was ordered is told with the times left, first come first done, and can be called off.
    """
    subscribe(sandbox, receiver.url)
    order(sandbox, "duplicate", times=2)
    order(sandbox, "tamper", part="v1", times=1000)
    paid(sandbox)
    flush(sandbox)
    left = sandbox.call("GET", f"{CONTROL}/mischief").json()["mischief"]
    assert [("duplicate", 1), ("tamper", 1000)] == [(row["kind"], row["times"]) for row in left]
    sandbox.call("DELETE", f"{CONTROL}/mischief")
    assert [] == sandbox.call("GET", f"{CONTROL}/mischief").json()["mischief"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "murder"},
        {"kind": "tamper"},
        {"kind": "tamper", "part": "soul"},
        {"kind": "duplicate", "part": "body"},
        {"kind": "drop", "times": 0},
        {"kind": "drop", "times": 10**30},
        {"kind": "drop", "time": 2},
        {"kind": "drop", "eventType": "checkout.payment.succes"},
        {"kind": "drop", "subscriptionId": "all\x00"},
        [],
    ],
)
def test_mischief_that_is_none_is_refused(sandbox: Sandbox, body: Any) -> None:
    """
    A misspelt order is a 400 and orders nothing.
    """
    assert 400 == sandbox.call("POST", f"{CONTROL}/mischief", json=body).status_code
    assert [] == sandbox.call("GET", f"{CONTROL}/mischief").json()["mischief"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://example.com/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/hook",
        "https://0.0.0.0/hook",
        "https://[::]/hook",
        "http://127.1/hook",
        "http://2130706433/hook",
        "http://0x7f.0.0.1/hook",
        "http://127.0.0.1.nip.io/hook",
        "http://localhost.example.com/hook",
        "http://127.0.0.1%2eexample.com/hook",
        "http://127.0.0.1@example.com/hook",
        "http://user@127.0.0.1/hook",
        "http://:secret@127.0.0.1/hook",
        "http://@127.0.0.1/hook",
        "http://example.com#@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "http://127.0.0.1/hook#part",
        "http://127.0.0.1:99999/hook",
        "http://127.0.0.1:0/hook",
        "http://[::1%25lo]x/hook",
        "http://[fe80::1]/hook",
        "http://①27.0.0.1/hook",
        "http://xn--localhost/hook",
        "http://127.0.0.1/caf\u00e9",
        " http://127.0.0.1/hook",
        "http://127.0.0.1/hook\n",
        "http:///hook/hook",
        "//127.0.0.1/hook",
        "ftp://127.0.0.1/hook",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "127.0.0.1:8000/hook",
        "http://",
    ],
)
def test_other_machines_are_refused(sandbox: Sandbox, url: str) -> None:
    """
    A target that is not plainly this machine is a 400, to create and to replace.
    """
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": url}}
    refused = sandbox.call("POST", SUBSCRIPTIONS, json=body)
    assert (400, "invalid_request") == (refused.status_code, refused.json()["errorType"])
    mine = subscribe(sandbox, "http://127.0.0.1:9/hook")
    path = f"{SUBSCRIPTIONS}/{mine['subscriptionId']}"
    assert 400 == sandbox.call("PUT", path, json=body).status_code
    assert mine == sandbox.call("GET", path).json()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x", "https://127.9.9.9:1/x?y=z", "http://[::1]:8000/", "http://LOCALHOST/", "http://localhost"],
)
def test_this_machine_is_accepted(sandbox: Sandbox, url: str) -> None:
    """
    Every plain way to write this machine is a target, http too.
    """
    assert url == subscribe(sandbox, url)["target"]["url"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/x", 201),
        ("https://xn--caf-dma.example/x", 201),
        ("http://example.com/x", 400),
        ("https://xn--localhost/x", 400),
    ],
)
def test_other_machines_if_the_server_was_told(sandbox_with: Callable[..., Sandbox], url: str, status: int) -> None:
    """
    A server that was started for it takes other hosts, over HTTPS.
    """
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": url}}
    assert status == sandbox_with(remote_webhooks=True).call("POST", SUBSCRIPTIONS, json=body).status_code


def test_a_target_of_a_bolder_server_is_not_sent_to(sandbox_with: Callable[..., Sandbox], tmp_path: Any) -> None:
    """
    A subscription to another host, made by a server that was allowed to, fails on one that is not.
    """
    database = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
    subscribe(sandbox_with(remote_webhooks=True, database=database), "https://example.com/hook")
    sandbox = sandbox_with(database=database)
    paid(sandbox)
    flush(sandbox)
    assert "target_refused" == log(sandbox)[0]["attempts"][0]["errorName"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.com"},
        {"content-length": "1"},
        {"Transfer-Encoding": "chunked"},
        {"X-Hook0-Signature": "t=1,v0=00"},
        {"x-event-id": "1"},
        {"X-EVENT-TYPE": "x"},
        {"Content-Type": "text/plain"},
        {"X-A": "1\r\nX-B: 2"},
        {"X-A": "1\n"},
        {"X-A": " 1"},
        {"X-A": ""},
        {"X-A": "é"},
        {"X-A\r\nX-B": "2"},
        {"X A": "2"},
        {"": "2"},
        {"X-A": "1", "x-a": "2"},
        {f"X-{number}": "1" for number in range(21)},
        {"X-A": "a" * 8190},
        {"X-A": 1},
        [],
    ],
)
def test_headers_that_are_no_ones_to_set_are_refused(sandbox: Sandbox, headers: Any) -> None:
    """
    Headers of the connection or of the signature, and whatever could break out of its line, are a 400.
    """
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": "http://127.0.0.1/x", "headers": headers}}
    assert 400 == sandbox.call("POST", SUBSCRIPTIONS, json=body).status_code


def test_a_subscription_is_told_as_it_was_asked_for(sandbox: Sandbox) -> None:
    """
    Create and get tell every field, the secret at the root and its deprecated copy in metadata.
    """
    created = subscribe(
        sandbox,
        "http://127.0.0.1:9/hook",
        description="Checkout status webhook",
        labels={"sandbox": "true"},
        metadata={"team": "payments"},
    )
    secret = created["secret"]
    assert {
        "subscriptionId": created["subscriptionId"],
        "eventTypes": ALL,
        "isEnabled": True,
        "secret": secret,
        "target": {"url": "http://127.0.0.1:9/hook"},
        "createdAt": "2026-11-20T12:00:00.000Z",
        "description": "Checkout status webhook",
        "labels": {"sandbox": "true"},
        "metadata": {"team": "payments", "secret": secret},
    } == created
    assert created == sandbox.call("GET", f"{SUBSCRIPTIONS}/{created['subscriptionId']}").json()
    assert 36 == len(secret) == len(created["subscriptionId"])


def test_tokens_are_checked_as_everywhere(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    The token's uri names the host that was asked and the path below /platform; without one the answer is 401.
    """
    key = Ed25519PrivateKey.generate()
    sandbox = sandbox_with(keys={"k": VerificationKey("k", "EdDSA", key.public_key())})

    def status(method: str, path: str, signed_path: str) -> int:
        claims = {
            "sub": "k",
            "iss": "cdp",
            "nbf": START_S,
            "exp": START_S + 120,
            "uri": f"{method} 127.0.0.1{signed_path}",
        }
        token = jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": "k"})
        return sandbox.call(method, path, headers={"Authorization": f"Bearer {token}"}).status_code

    assert (200, 401, 401, 404) == (
        status("GET", SUBSCRIPTIONS, SUBSCRIPTIONS),
        status("GET", SUBSCRIPTIONS, SUBSCRIPTIONS.removeprefix("/platform")),
        sandbox.call("GET", SUBSCRIPTIONS).status_code,
        status("DELETE", f"{SUBSCRIPTIONS}/0", f"{SUBSCRIPTIONS}/0"),
    )


def test_a_replacement_replaces_everything(sandbox: Sandbox) -> None:
    """
    After PUT what was not sent is gone; id, secret and createdAt stay, and what was read can be sent back.
    """
    created = subscribe(sandbox, "http://127.0.0.1:9/hook", description="old", labels={"a": "b"})
    path = f"{SUBSCRIPTIONS}/{created['subscriptionId']}"
    sandbox.advance(5)
    body = {
        "eventTypes": [FAILED],
        "isEnabled": False,
        "target": {"url": "http://127.0.0.1:8/"},
        "metadata": created["metadata"],
    }
    replaced = sandbox.call("PUT", path, json=body).json()
    assert (
        {
            "subscriptionId": created["subscriptionId"],
            "secret": created["secret"],
            "createdAt": created["createdAt"],
            "updatedAt": "2026-11-20T12:00:05.000Z",
            "eventTypes": [FAILED],
            "isEnabled": False,
            "target": {"url": "http://127.0.0.1:8/"},
            "metadata": {"secret": created["secret"]},
        }
        == replaced
        == sandbox.call("GET", path).json()
    )


def test_a_deleted_subscription_is_gone(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    After DELETE it is not found, its retries stop, and the log keeps what was sent.
    """
    path = f"{SUBSCRIPTIONS}/{subscribe(sandbox, receiver.url)['subscriptionId']}"
    receiver.answers = [500]
    paid(sandbox)
    flush(sandbox)
    deleted = sandbox.call("DELETE", path, judged=False)
    assert (204, b"", False) == (deleted.status_code, deleted.content, "content-type" in deleted.headers)
    sandbox.advance(86400)
    assert 0 == flush(sandbox)["attempts"]
    assert (1, "failed", False) == (len(receiver.got), log(sandbox)[0]["status"], "url" in log(sandbox)[0])
    for method in ("GET", "DELETE"):
        assert (404, "not_found") == (
            (answer := sandbox.call(method, path)).status_code,
            answer.json()["errorType"],
        )
    assert 404 == sandbox.call("GET", f"{path}/events").status_code
    redeliver = f"{CONTROL}/deliveries/{log(sandbox)[0]['id']}/redeliver"
    assert 404 == sandbox.call("POST", redeliver).status_code


def test_a_disabled_subscription_waits(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    While it is disabled nothing is sent to it, retries neither; when it is enabled again they are.
    """
    created = subscribe(sandbox, receiver.url)
    path = f"{SUBSCRIPTIONS}/{created['subscriptionId']}"
    receiver.answers = [500, 200]
    paid(sandbox)
    flush(sandbox)
    body = {"eventTypes": ALL, "isEnabled": False, "target": {"url": receiver.url}}
    sandbox.call("PUT", path, json=body)
    paid(sandbox)
    sandbox.advance(86400)
    assert 0 == flush(sandbox)["attempts"]
    sandbox.call("PUT", path, json={**body, "isEnabled": True})
    assert {"attempts": 1, "succeeded": 1} == {
        k: v for k, v in flush(sandbox).items() if k in {"attempts", "succeeded"}
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("eventTypes", None),
        ("eventTypes", []),
        ("eventTypes", "checkout.payment.success"),
        ("eventTypes", ["checkout.payment.succes"]),
        ("eventTypes", ["checkout"]),
        ("eventTypes", [SUCCESS + "\n"]),
        ("isEnabled", None),
        ("isEnabled", "true"),
        ("target", None),
        ("target", {}),
        ("target", {"url": None}),
        ("target", {"url": "http://127.0.0.1/" + "x" * 2048}),
        ("target", {"url": "http://127.0.0.1/", "method": "GET"}),
        ("description", "x" * 101),
        ("description", None),
        ("metadata", {str(number): "" for number in range(11)}),
        ("metadata", {"x" * 41: ""}),
        ("metadata", {"x": "x" * 501}),
        ("metadata", {"x": 1}),
        ("labels", {"sandbox": True}),
        ("labels", {str(number): "" for number in range(21)}),
    ],
)
def test_a_subscription_beyond_the_limits_is_refused(sandbox: Sandbox, field: str, value: Any) -> None:
    """
    Each field keeps CDP's description, or the request is a 400 that names it.
    """
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": "http://127.0.0.1:9/hook"}, field: value}
    answer = sandbox.call("POST", SUBSCRIPTIONS, json=body)
    assert (400, True) == (answer.status_code, field in answer.json()["errorMessage"])
    del body[field]
    missing = sandbox.call("POST", SUBSCRIPTIONS, json=body).status_code
    assert (400 if field in {"eventTypes", "isEnabled", "target"} else 201) == missing


def test_the_limits_themselves_are_accepted(sandbox: Sandbox) -> None:
    """
    The longest of everything is taken; other products' events too, though none will come.
    """
    metadata = {f"{number:040d}": "☂" * 500 for number in range(10)}
    url = "http://127.0.0.1/".ljust(2048, "x")
    created = subscribe(
        sandbox,
        url,
        ["onchain.activity.detected", "payment_link.payment.success"],
        description="☂" * 100,
        metadata=metadata,
    )
    assert {**metadata, "secret": created["secret"]} == created["metadata"]


@pytest.mark.parametrize(
    "subscription_id", ["0", "a" * 37, "00000000-0000-4000-8000-000000000000", "%00", "%F0%9F%92%A9"]
)
def test_an_unknown_subscription_is_not_found(sandbox: Sandbox, subscription_id: str) -> None:
    """
    Whatever the id looks like, a subscription that does not exist is a 404: no other code is documented.
    """
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": "http://127.0.0.1:9/hook"}}
    path = f"{SUBSCRIPTIONS}/{subscription_id}"
    answers = [
        sandbox.call("GET", path),
        sandbox.call("DELETE", path),
        sandbox.call("PUT", path, json=body),
        sandbox.call("GET", f"{path}/events"),
    ]
    assert [404] * 4 == [answer.status_code for answer in answers]


def test_subscriptions_are_listed_in_pages(sandbox: Sandbox) -> None:
    """
    Newest first, twenty at a time unless told otherwise, each exactly once.
    """
    made = []
    for number in range(25):
        sandbox.clock.ms += 1
        made.append(subscribe(sandbox, f"http://127.0.0.1:9/{number}"))
    first = sandbox.call("GET", SUBSCRIPTIONS).json()
    second = sandbox.call("GET", SUBSCRIPTIONS, params={"pageToken": first["nextPageToken"]}).json()
    assert (made[::-1], 20, False) == (
        first["subscriptions"] + second["subscriptions"],
        len(first["subscriptions"]),
        "nextPageToken" in second,
    )
    assert [made[-1]] == sandbox.call("GET", SUBSCRIPTIONS, params={"pageSize": 1}).json()["subscriptions"]
    for wrong in ({"pageSize": 0}, {"pageSize": 101}, {"pageSize": "x"}, {"pageToken": ""}, {"pageToken": "WzEsMl0="}):
        assert 400 == sandbox.call("GET", SUBSCRIPTIONS, params=wrong).status_code


def entries(sandbox: Sandbox, subscription: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    answer = sandbox.call("GET", f"{SUBSCRIPTIONS}/{subscription['subscriptionId']}/events", params=query)
    assert 200 == answer.status_code, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def test_the_deliveries_of_a_subscription(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    One entry for an event, newest first, with what came of the last attempt; filters go together.
    """
    subscription = subscribe(sandbox, receiver.url)
    other = subscribe(sandbox, receiver.url)
    receiver.answers = [500, 500, 200]
    paid(sandbox)
    flush(sandbox)
    sandbox.advance(3)
    failed(sandbox)
    flush(sandbox)
    newest, oldest = entries(sandbox, subscription)
    assert (FAILED, "succeeded", 0, "2026-11-20T12:00:03.000Z") == (
        newest["eventTypeName"],
        newest["status"],
        newest["retryCount"],
        newest["createdAt"],
    )
    assert {"eventId", "eventTypeName", "status", "createdAt", "succeededAt", "retryCount", "response"} == set(oldest)
    assert (SUCCESS, "succeeded", 1, 200) == (
        oldest["eventTypeName"],
        oldest["status"],
        oldest["retryCount"],
        oldest["response"]["httpCode"],
    )
    assert [newest] == entries(sandbox, subscription, eventId=newest["eventId"])
    assert [newest] == entries(sandbox, subscription, minCreatedAt="2026-11-20T12:00:00.0001Z")
    assert [oldest] == entries(sandbox, subscription, maxCreatedAt="2026-11-20T12:00:00Z")
    assert [newest] == entries(sandbox, subscription, eventTypeNames=f"{FAILED},{EXPIRED}")
    assert [newest, oldest] == entries(sandbox, subscription, eventTypeNames=f"{FAILED},{SUCCESS}")
    assert [] == entries(sandbox, subscription, eventTypeNames=FAILED, eventId=oldest["eventId"])
    assert 2 == len(entries(sandbox, other))


def test_at_most_fifty_deliveries(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    An answer has the fifty newest events and no page after it.
    """
    subscription = subscribe(sandbox, receiver.url)
    ids = []
    for _ in range(52):
        sandbox.clock.ms += 1
        ids.append(paid(sandbox)["id"])
    flush(sandbox)
    event_of = {got.content["id"]: got.event_id for got in receiver.got}
    assert [event_of[checkout_id] for checkout_id in ids[:1:-1]] == [
        entry["eventId"] for entry in entries(sandbox, subscription)
    ]
    assert 7 == len(sandbox.call("GET", f"{CONTROL}/deliveries", params={"limit": 7}).json()["deliveries"])
    for wrong in ("0", "501", "x", ""):
        assert 400 == sandbox.call("GET", f"{CONTROL}/deliveries", params={"limit": wrong}).status_code


@pytest.mark.parametrize(
    "query",
    [
        {"eventId": "x"},
        {"minCreatedAt": "yesterday"},
        {"maxCreatedAt": "2026-11-20"},
        {"eventTypeNames": ""},
        {"eventTypeNames": "checkout.payment.succes"},
        {"eventTypeNames": "checkout.payment.success, checkout.payment.failed"},
    ],
)
def test_a_wrong_filter_is_refused(sandbox: Sandbox, query: dict[str, str]) -> None:
    """
    A filter that cannot be what was meant is a 400.
    """
    subscription = subscribe(sandbox, "http://127.0.0.1:9/hook")
    path = f"{SUBSCRIPTIONS}/{subscription['subscriptionId']}/events"
    assert 400 == sandbox.call("GET", path, params=query).status_code


def test_expiry_is_written_down_once(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    However far and often the clock is moved, a checkout that expired has one event, of the moment of its expiry.
    """
    subscription = subscribe(sandbox, receiver.url)
    expired(sandbox)
    sandbox.advance(86400)
    sandbox.advance(86400)
    flush(sandbox)
    (entry,) = entries(sandbox, subscription)
    assert ([EXPIRED], "2026-11-20T13:00:00.000Z") == (receiver.types(), entry["createdAt"])


def test_many_expire_at_once(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    More checkouts than one statement takes are all EXPIRED when the clock's answer comes, also without a subscription.
    """
    for _ in range(501):
        sandbox.create()
    subscription = subscribe(sandbox, receiver.url)
    sandbox.advance(3600)
    listed = sandbox.call("GET", "/api/v1/checkouts", params={"status": "ACTIVE"}).json()["checkouts"]
    flush(sandbox)
    # Some may have been delivered before, while the clock was answering.
    assert ([], 501) == (listed, len({got.headers["x-event-id"] for got in receiver.got}))
    assert 50 == len(entries(sandbox, subscription))


def test_an_undone_change_has_no_event(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    A payment that is refused, or that fails to be written, leaves nothing to deliver.
    """
    subscribe(sandbox, receiver.url)
    checkout_id = paid(sandbox)["id"]
    assert (
        409 == sandbox.call("POST", f"/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "FAILED"}).status_code
    )
    flush(sandbox)
    assert [SUCCESS] == receiver.types()


def test_deliveries_can_go_to_an_application_in_process(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    A program under test gets its webhooks over ASGI, without a port.
    """
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    got: list[bytes] = []

    async def hook(request: Request) -> Response:
        got.append(await request.body())
        return Response(status_code=204)

    app = Starlette(routes=[Route("/hook", hook, methods=["POST"])])
    sandbox = sandbox_with(webhook_transport=httpx.ASGITransport(app))
    subscribe(sandbox, "http://127.0.0.1/hook")
    checkout = paid(sandbox)
    flush(sandbox)
    assert [checkout["id"]] == [json.loads(body)["id"] for body in got]


def test_a_lease_keeps_others_away_until_it_runs_out(sandbox: Sandbox) -> None:
    """
    A delivery that was taken is nobody else's for 20 seconds; then it is sent again, and the late outcome changes nothing.
    """
    subscribe(sandbox, "http://127.0.0.1:9/hook")
    world, now_ms = sandbox.app.state.world, START_S * 1000

    def claim(real_ms: int) -> list[deliveries.Parcel]:
        with world.store.writing() as transaction:
            return deliveries.claim(transaction, now_ms=now_ms, real_ms=real_ms, most=16)

    def record(parcel: deliveries.Parcel, http_code: int) -> str:
        outcome = deliveries.Outcome(http_code=http_code, elapsed_ms=1, body="", error_name=None)
        with world.store.writing() as transaction:
            deliveries.record(transaction, parcel, outcome, now_ms=now_ms)
            return deliveries.recent(transaction, 1)[0].state

    checkout = sandbox.create()
    with world.store.writing() as transaction:
        events.emit(transaction, world, SUCCESS, checkout, now_ms=now_ms)
    (first,) = claim(now_ms)
    assert [] == claim(now_ms + 19_999)
    (second,) = claim(now_ms + 20_000)
    assert (1, 2, first.event_id) == (first.number, second.number, second.event_id)
    assert ["processing", "succeeded"] == [record(first, 500), record(second, 200)]
    assert [] == claim(now_ms + 60_000)


def test_a_clock_that_is_set_back_does_not_lengthen_a_lease(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    What a killed server had under way is sent after its restart, though the machine's clock was set back meanwhile.
    """
    subscribe(sandbox, receiver.url)
    world, now_ms = sandbox.app.state.world, START_S * 1000
    checkout = sandbox.create()
    with world.store.writing() as transaction:
        events.emit(transaction, world, SUCCESS, checkout, now_ms=now_ms)
        assert deliveries.claim(transaction, now_ms=now_ms, real_ms=now_ms, most=16)
    sandbox.clock.ms -= 3_600_000
    sandbox.advance(3_600)
    assert 1 == flush(sandbox)["succeeded"]


def test_each_event_loop_goes_on_where_the_last_one_stopped(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    Tests that each have a loop of their own may share a sandbox: what one loop broke off is sent by the next.
    """
    receiver.answers = [receiver.hang, 204]

    async def call(method: str, path: str, body: Any = None, *, until_sent: bool = False) -> httpx.Response:
        transport = httpx.ASGITransport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8402") as client:
            answer = await client.request(method, path, json=body)
            if until_sent:
                await asyncio.to_thread(receiver.begun.wait, 20)
            return answer

    target = {"url": receiver.url}
    asyncio.run(call("POST", SUBSCRIPTIONS, {"eventTypes": ALL, "isEnabled": True, "target": target}))
    checkout = asyncio.run(call("POST", "/api/v1/checkouts", {"amount": "1.00", "currency": "USDC"})).json()
    path = f"/__sandbox__/checkouts/{checkout['id']}/pay"
    asyncio.run(call("POST", path, {"outcome": "COMPLETED"}, until_sent=True))
    done = asyncio.run(call("POST", f"{CONTROL}/flush")).json()
    assert (2, 1, 1) == (len(receiver.got), done["succeeded"], len({got.event_id for got in receiver.got}))


def test_a_loop_that_rests_is_not_waited_for(sandbox: Sandbox, receiver: Receiver) -> None:
    """
    Two loops that take turns share a sandbox, and nothing is sent twice.
    """
    subscribe(sandbox, receiver.url)

    async def pay_and_flush(checkout_id: str) -> None:
        transport = httpx.ASGITransport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8402") as client:
            await client.post(f"/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "COMPLETED"})
            await client.post(f"{CONTROL}/flush")

    for _ in range(5):
        asyncio.run(pay_and_flush(sandbox.create()["id"]))
        paid(sandbox)
        flush(sandbox)
    assert (10, 10) == (len(receiver.got), len({got.event_id for got in receiver.got}))


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
targets = st.fixed_dictionaries(
    {
        "url": st.sampled_from(["http://127.0.0.1:9/", "https://localhost/"])
        | st.text()
        | st.text().map("http://127.0.0.1/".__add__)
    },
    optional={
        "headers": st.dictionaries(st.text(), st.text(), max_size=3) | anything,
        "method": st.just("POST") | anything,
    },
)
requests = st.fixed_dictionaries(
    {
        "eventTypes": st.lists(st.sampled_from(ALL) | st.text(), max_size=6) | anything,
        "isEnabled": st.booleans() | anything,
        "target": targets | anything,
    },
    optional={
        "description": st.text(max_size=110) | anything,
        "metadata": st.dictionaries(st.text(), st.text(), max_size=11) | anything,
        "labels": st.dictionaries(st.text(), st.text()) | anything,
    },
)


@shared
@given(body=requests | anything)
def test_any_json_is_a_subscription_or_refused(sandbox: Sandbox, body: Any) -> None:
    """
    Any JSON to create, replace and order mischief is answered with a documented status, and what was made can be read.
    """
    content, headers = json.dumps(body).encode(), {"content-type": "application/json"}
    created = sandbox.call("POST", SUBSCRIPTIONS, content=content, headers=headers)
    assert created.status_code in {201, 400}
    if created.status_code == 201:
        path = f"{SUBSCRIPTIONS}/{created.json()['subscriptionId']}"
        assert created.json() == sandbox.call("GET", path).json()
        assert 200 == sandbox.call("PUT", path, content=content, headers=headers).status_code
    assert sandbox.call("POST", f"{CONTROL}/mischief", content=content, headers=headers).status_code in {201, 400}


@shared
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["pageSize", "pageToken", "eventId", "minCreatedAt", "maxCreatedAt", "eventTypeNames", "limit", "x"]
        ),
        st.integers().map(str) | st.text() | st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    )
)
def test_any_query_is_answered_or_refused(sandbox: Sandbox, query: dict[str, str]) -> None:
    """
    Any query is answered with a documented status.
    """
    listed = sandbox.call("GET", SUBSCRIPTIONS).json()["subscriptions"]
    subscription = listed[0] if listed else subscribe(sandbox, "http://127.0.0.1:9/hook")
    for path in (SUBSCRIPTIONS, f"{SUBSCRIPTIONS}/{subscription['subscriptionId']}/events", f"{CONTROL}/deliveries"):
        assert sandbox.call("GET", path, params=query).status_code in {200, 400}


def post(url: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    answer = httpx.post(url, json=body, timeout=60)
    assert status == answer.status_code, answer.text
    content: dict[str, Any] = answer.json()
    return content


def served(url: str, receiver: Receiver) -> dict[str, Any]:
    body = {"eventTypes": ALL, "isEnabled": True, "target": {"url": receiver.url}}
    return post(url + SUBSCRIPTIONS, body, 201)


def pay(url: str, checkout_id: str) -> None:
    post(f"{url}/__sandbox__/checkouts/{checkout_id}/pay", {"outcome": "COMPLETED"})


def create(url: str, **fields: Any) -> str:
    created: str = post(f"{url}/api/v1/checkouts", {"amount": "1.00", "currency": "USDC", **fields}, 201)["id"]
    return created


def test_a_server_delivers_by_itself(serve: Callable[..., Server], receiver: Receiver) -> None:
    """
    Without being asked a server delivers what happens, signed for the present, and ends checkouts when their time is up.
    """
    url = serve("--no-auth", "--database", "sqlite://").url
    secret = served(url, receiver)["secret"]
    pay(url, checkout_id := create(url))
    got = receiver.arrived.get(timeout=20)
    assert (checkout_id, set()) == (got.content["id"], got.wrong(secret, int(time.time())))
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    checkout_id = create(url, expiresAt=soon)
    assert (EXPIRED, checkout_id) == (
        (got := receiver.arrived.get(timeout=20)).headers["x-event-type"],
        got.content["id"],
    )


def test_a_retry_comes_by_itself(serve: Callable[..., Server], receiver: Receiver) -> None:
    """
    Moving the clock of a server is enough to have its retries sent.
    """
    url = serve("--no-auth", "--database", "sqlite://").url
    served(url, receiver)
    receiver.answers = [500, 500, 200]
    pay(url, create(url))
    receiver.arrived.get(timeout=20)
    for _ in range(2):
        post(f"{url}/__sandbox__/clock/advance", {"seconds": 10})
        receiver.arrived.get(timeout=20)
    post(f"{url}{CONTROL}/flush")
    assert 3 == len(receiver.got)


def test_two_processes_deliver_each_event_once(serve: Callable[..., Server], receiver: Receiver) -> None:
    """
    Of two servers on one file one sends each event, wherever it happened.
    """
    urls = [serve("--no-auth").url, serve("--no-auth").url]
    served(urls[0], receiver)
    for number in range(20):
        pay(urls[number % 2], create(urls[0]))
    post(f"{urls[0]}/__sandbox__/clock/advance", {"seconds": 60})
    expiring = [create(url) for url in urls for _ in range(5)]
    post(f"{urls[1]}/__sandbox__/clock/advance", {"seconds": 3600})
    counts = [post(f"{url}{CONTROL}/flush")["deliveries"] for url in urls]
    assert [30, 30] == [count["succeeded"] for count in counts]
    assert (30, 30) == (len(receiver.got), len({got.event_id for got in receiver.got}))
    assert set(expiring) == {got.content["id"] for got in receiver.got if got.content["status"] == "EXPIRED"}


def free(server: Server) -> None:
    """Let the leases of a killed server run out at once."""
    with closing(sqlite3.connect(server.log.parent / "checkouts-sandbox.sqlite3")) as connection:
        connection.execute("UPDATE webhook_deliveries SET leased_ms = 0 WHERE leased_ms IS NOT NULL")
        connection.commit()


def test_what_was_committed_is_delivered_after_a_kill(serve: Callable[..., Server], receiver: Receiver) -> None:
    """
    After kill -9 while sending, and before anything was sent, the next server delivers, with the same event ids.
    """
    server = serve("--no-auth")
    served(server.url, receiver)
    receiver.answers = [receiver.hang]
    pay(server.url, first := create(server.url))
    assert receiver.begun.wait(20)
    post(f"{server.url}{CONTROL}/mischief", {"kind": "reorder"}, 201)
    pay(server.url, second := create(server.url))
    assert -signal.SIGKILL == server.stop(signal.SIGKILL)
    receiver.answers = [204]
    receiver.released.set()
    free(server)
    again = serve("--no-auth").url
    httpx.delete(f"{again}{CONTROL}/mischief")
    post(f"{again}{CONTROL}/flush")
    assert {first, second} == {got.content["id"] for got in receiver.got[1:]}
    assert receiver.got[0].event_id in {got.event_id for got in receiver.got[1:]}


def test_a_server_that_is_stopped_gives_its_deliveries_back(serve: Callable[..., Server], receiver: Receiver) -> None:
    """
    What was under way when a server was told to stop is sent by the next one, without a lease to wait for.
    """
    server = serve("--no-auth")
    served(server.url, receiver)
    receiver.answers = [receiver.hang, 204]
    pay(server.url, create(server.url))
    assert receiver.begun.wait(20)
    assert 0 == server.stop()
    receiver.released.set()
    again = serve("--no-auth").url
    post(f"{again}{CONTROL}/flush")
    assert (2, 1) == (len(receiver.got), len({got.event_id for got in receiver.got}))
