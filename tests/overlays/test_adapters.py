"""The endpoints for web frameworks, each behind a real server to which a real sandbox delivers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import pytest
import uvicorn
import werkzeug.serving
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings
from django.urls import path
from django.urls.base import clear_url_caches
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

from coinbase_checkouts import Event, webhooks
from coinbase_checkouts.adapters import Gate
from coinbase_checkouts.adapters import django as for_django
from coinbase_checkouts.adapters import flask as for_flask
from coinbase_checkouts.adapters import starlette as for_starlette
from coinbase_checkouts.errors import ConfigurationError
from coinbase_checkouts_conformance.receiver import SUBSCRIPTIONS
from coinbase_checkouts_sandbox import Sandbox

SECRET = "a-subscription-secret"
BODY = b'{"id":"68f7a946db0529ea9b6d3a12","eventType":"checkout.payment.success","status":"COMPLETED"}'
LIMIT = 4096

if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="nothing to sign", LOGGING_CONFIG=None)
    django.setup()


@dataclass
class Shop:
    """What the endpoint is of."""

    secret: Any = SECRET
    got: list[Event] = field(default_factory=list)
    trouble: Exception | None = None
    url: str = ""

    def receive(self, event: Event) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.got.append(event)

    async def receive_async(self, event: Event) -> None:
        await asyncio.sleep(0)
        self.receive(event)

    def the_secret(self) -> Any:
        return self.secret


def starlette_app(shop: Shop, receive: Any) -> Any:
    app = Starlette()
    app.add_route("/webhooks", for_starlette.webhook(shop.the_secret, receive, limit_bytes=LIMIT), methods=["POST"])
    app.add_route("/any", for_starlette.webhook(shop.the_secret, receive))
    return app


def fastapi_app(shop: Shop, receive: Any) -> Any:
    app = FastAPI()
    app.post("/webhooks")(for_starlette.webhook(shop.the_secret, receive, limit_bytes=LIMIT))
    app.api_route("/any", methods=["GET", "POST"])(for_starlette.webhook(shop.the_secret, receive))
    return app


def flask_app(shop: Shop, receive: Any) -> Any:
    app = Flask(__name__)
    view = for_flask.webhook(shop.the_secret, receive, limit_bytes=LIMIT)
    app.add_url_rule("/webhooks", "webhooks", view, methods=["POST"])
    app.add_url_rule("/any", "any", view, methods=["GET", "POST"])
    return app


def django_app(shop: Shop, receive: Any, *, asynchronous: bool = False) -> Any:
    view = for_django.webhook(shop.the_secret, receive, limit_bytes=LIMIT)
    globals()["urlpatterns"] = [path("webhooks", view), path("any", view)]
    clear_url_caches()
    return (ASGIHandler if asynchronous else WSGIHandler)()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Standard error belongs to the tests."""


class Silent(werkzeug.serving.WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Standard error belongs to the tests."""


@contextlib.contextmanager
def served(make: Callable[..., Any], app: Any) -> Generator[str]:
    server = make("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


wsgi = partial(served, partial(make_server, handler_class=Quiet))
# One that puts chunks together.
dechunking = partial(served, partial(werkzeug.serving.make_server, request_handler=Silent))


@contextlib.contextmanager
def asgi(app: Any) -> Generator[str]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


APPS: dict[str, tuple[Callable[..., Any], Any, bool]] = {
    "starlette": (starlette_app, asgi, False),
    "starlette async": (starlette_app, asgi, True),
    "fastapi": (fastapi_app, asgi, True),
    "flask": (flask_app, wsgi, False),
    "flask async": (flask_app, wsgi, True),
    "django": (partial(django_app, asynchronous=False), wsgi, False),
    "django async": (partial(django_app, asynchronous=True), asgi, True),
    "django sync under asgi": (partial(django_app, asynchronous=True), asgi, False),
}


@pytest.fixture(params=list(APPS))
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop on each framework, listening."""
    make, serve, asynchronous = APPS[request.param]
    shop = Shop()
    with serve(make(shop, shop.receive_async if asynchronous else shop.receive)) as url:
        shop.url = url
        yield shop


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]


def sent(
    shop: Shop,
    body: Any = BODY,
    *,
    path: str = "/webhooks",
    method: str = "POST",
    chunked: bool = False,
    signature: str | None = None,
) -> Answer:
    content = body if isinstance(body, bytes) else b"".join(body)
    if signature is None:
        signature = webhooks.sign(content, {}, SECRET, int(time.time()))
    headers = {"X-HOOK0-SIGNATURE": signature, "content-type": "application/json"}
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, iter([content]) if chunked else content, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})


def test_a_sandbox_delivers(shop: Shop) -> None:
    """
    Every delivery of a sandbox is answered 204 and handed over as an event; those that were changed on their way are
    answered 400, and come again.
    """
    target = {"url": f"{shop.url}/webhooks", "method": "POST"}
    kinds = ["checkout.payment.success", "checkout.payment.failed"]
    subscription = {"eventTypes": kinds, "isEnabled": True, "target": target}
    with Sandbox(auth=False) as sandbox, sandbox.http_client() as client:
        answer = client.post(SUBSCRIPTIONS, json=subscription).raise_for_status().json()
        shop.secret = answer.get("secret") or answer["metadata"]["secret"]
        for part in ("body", "v1", "timestamp", "secret", "unsigned", "event_id"):
            client.post("/__sandbox__/webhooks/mischief", json={"kind": "tamper", "part": part}).raise_for_status()
        ids: list[str] = []
        for _ in range(6):
            created = client.post("/api/v1/checkouts", json={"amount": "1.00", "currency": "USDC"}).raise_for_status()
            ids.append(created.json()["id"])
            sandbox.pay(ids[-1])
        sandbox.flush()
        assert [] == shop.got
        codes = {attempt["httpCode"] for one in sandbox.deliveries for attempt in one["attempts"]}
        assert {400} == codes
        sandbox.advance(60)
        sandbox.flush()
    assert sorted(ids) == sorted(event.checkout.id for event in shop.got)
    assert {"v1"} == {event.scheme for event in shop.got}


def test_bytes_are_taken_as_they_come(shop: Shop) -> None:
    """
    Trailing white space, text beyond ASCII, a body in chunks, headers in any case: the signature fits.
    """
    body = '{"id":"1","eventType":"é", "a": [1, 2]}\r\n \n'.encode()
    assert (204, b"") == (sent(shop, body).status, sent(shop, body).body)
    assert {body} == {event.body for event in shop.got}


def test_forgeries_are_told_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """
    What is not signed is answered 400 without a word, and the reason is in the log, without a body.
    """
    with caplog.at_level(logging.WARNING, "coinbase_checkouts"):
        answers = [
            sent(shop, b'{"id": "stolen"}', signature="t=1,v0=00"),
            sent(shop, b"", signature=""),
            sent(shop, b"no json"),
        ]
    assert [(400, b"")] * 3 == [(one.status, one.body) for one in answers]
    assert ([], "webhook refused: code_mismatch") == (shop.got, caplog.messages[0])
    assert "stolen" not in caplog.text


def test_too_large(shop: Shop) -> None:
    """
    A body above the limit is answered 413, however it is sent; one at the limit is read.
    """
    at_limit = json.dumps({"id": "x" * (LIMIT - 10)}).encode().ljust(LIMIT)
    assert LIMIT == len(at_limit)
    assert (204, 413) == (sent(shop, at_limit).status, sent(shop, at_limit + b" ").status)
    assert 1 == len(shop.got)


def test_other_methods(shop: Shop) -> None:
    """
    A GET is answered 405, by the route or by the endpoint itself.
    """
    for place in ("/webhooks", "/any"):
        answer = sent(shop, b"", path=place, method="GET")
        assert 405 == answer.status
        assert "POST" in answer.headers["allow"]


def test_failures_are_the_frameworks(shop: Shop) -> None:
    """
    What the shop's function raises is a 500, so that the event comes again.
    """
    logging.disable()
    shop.trouble = OSError("no database")
    try:
        answer = sent(shop)
    finally:
        logging.disable(logging.NOTSET)
    assert 500 == answer.status
    assert b"no database" not in answer.body
    shop.trouble = None
    assert 204 == sent(shop).status


@pytest.mark.parametrize("name", ["starlette", "django async"])
def test_chunks_are_bounded(name: str) -> None:
    """
    Where a server hands on chunks, they are put together, up to the limit.
    """
    make, serve, asynchronous = APPS[name]
    shop = Shop()
    with serve(make(shop, shop.receive_async if asynchronous else shop.receive)) as shop.url:
        assert 204 == sent(shop, chunked=True).status
        assert 413 == sent(shop, b" " * (LIMIT + 1), chunked=True).status
    assert [BODY] == [event.body for event in shop.got]


def answered(shop: Shop, chunks: bytes) -> bytes:
    """The first line of the answer to these, which are not followed by others."""
    address = shop.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        # At once, for who answers without reading may close it.
        connection.sendall(b"POST /webhooks HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize("make", [django_app, flask_app])
def test_chunks_that_a_wsgi_server_puts_together(make: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """
    They are read to their end or to the limit, Django's own included; what breaks off is no event and no error.
    """
    shop = Shop()
    with dechunking(make(shop, shop.receive)) as shop.url:
        assert [204, 204] == [sent(shop, chunked=True).status, sent(shop, [BODY[:9], BODY[9:]], chunked=True).status]
        assert 413 == sent(shop, BODY.ljust(LIMIT + 1), chunked=True).status
        assert 400 == sent(shop, b"{}", signature="t=1,v0=00", chunked=True).status
        assert b" 408 " in answered(shop, b"5\r\n{")
        if make is django_app:
            for most, status in ((50, 413), (None, 204)):
                with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=most):
                    assert status == sent(shop, chunked=True).status
    assert {BODY} == {event.body for event in shop.got}
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("make", [django_app, flask_app])
def test_chunks_that_a_wsgi_server_hands_on(make: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """
    Where nobody knows where a body ends, the answer is that its length is wanted, and the log says why.
    """
    shop = Shop()
    with wsgi(make(shop, shop.receive)) as shop.url, caplog.at_level(logging.WARNING, "coinbase_checkouts"):
        assert b" 411 " in answered(shop, b"2\r\n{}\r\n0\r\n\r\n")
        assert 204 == sent(shop).status
    assert [BODY] == [event.body for event in shop.got]
    assert "came in chunks" in caplog.messages[0]


def test_flask_takes_two() -> None:
    """
    Two endpoints of one app need no names: one for the sandbox's deliveries, say, and one for all others.
    """
    app = Flask(__name__)
    shops = [Shop(), Shop()]
    for number, shop in enumerate(shops):
        app.add_url_rule(f"/{number}", view_func=for_flask.webhook(SECRET, shop.receive), methods=["POST"])
    headers = {"X-Hook0-Signature": webhooks.sign(BODY, {}, SECRET, int(time.time()))}
    assert 204 == app.test_client().post("/1", data=BODY, headers=headers).status_code
    assert [0, 1] == [len(shop.got) for shop in shops]


@pytest.mark.parametrize("webhook", [for_starlette.webhook, for_flask.webhook, for_django.webhook])
@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ("", ConfigurationError),
        ([], ConfigurationError),
        ([SECRET, ""], ConfigurationError),
        (iter(()), ConfigurationError),
        (None, TypeError),
        (SECRET.encode(), TypeError),
        ([None], TypeError),
    ],
)
def test_no_secret_is_told_at_once(webhook: Callable[..., Any], secret: Any, error: type[Exception]) -> None:
    """
    Without a secret no endpoint is made, and no delivery lost to find that out; a function is asked at each of them.
    """
    with pytest.raises(error, match="secret"):
        webhook(secret, Shop().receive)
    assert webhook(lambda: secret, Shop().receive)


def test_secrets_that_can_be_read_once() -> None:
    """
    Those of a generator are good for every delivery; and they are not shown.
    """
    gate = Gate((one for one in ("another", SECRET)), LIMIT)
    for _ in range(2):
        headers = {"X-Hook0-Signature": webhooks.sign(BODY, {}, SECRET, int(time.time()))}
        assert isinstance(gate.event(BODY, headers), Event)
    assert SECRET not in repr(gate)


def test_flask_reads_chunks_to_the_limit() -> None:
    """
    The same of Flask, behind a server that ends the stream where the body ends.
    """
    shop = Shop()
    client = flask_app(shop, shop.receive).test_client()
    for body, status in ((BODY, 204), (BODY.ljust(LIMIT + 1), 413), (BODY.ljust(LIMIT + 9), 413)):
        signature = webhooks.sign(body, {}, SECRET, int(time.time()))
        answer = client.post(
            "/webhooks",
            input_stream=BytesIO(body),
            environ_overrides={"wsgi.input_terminated": True},
            headers={"X-Hook0-Signature": signature},
        )
        assert (status, b"") == (answer.status_code, answer.data)
    assert [BODY] == [event.body for event in shop.got]


def test_who_leaves_in_the_middle(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """
    A body that breaks off is no event and no error; the next delivery is taken.
    """
    address = shop.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(b"POST /webhooks HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n{")
        # Time to be read that far, and then a reset.
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert 204 == sent(shop).status
    assert [BODY] == [event.body for event in shop.got]
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_djangos_own_limit() -> None:
    """
    A body above DATA_UPLOAD_MAX_MEMORY_SIZE is answered 413, too.
    """
    shop = Shop()
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=50), wsgi(django_app(shop, shop.receive)) as shop.url:
        assert 413 == sent(shop).status
    assert [] == shop.got


class Waiting:
    """Asynchronous, and no function."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    async def __call__(self, event: Event) -> None:
        await self.shop.receive_async(event)


@pytest.mark.parametrize("app", ["starlette async", "flask async", "django async", "django"])
def test_an_asynchronous_object(app: str) -> None:
    """
    An object whose `__call__` is asynchronous does as well as a function.
    """
    make, serve, _ = APPS[app]
    shop = Shop()
    with serve(make(shop, Waiting(shop))) as shop.url:
        assert 204 == sent(shop).status
    assert 1 == len(shop.got)


def test_no_coroutine_is_left_behind() -> None:
    """
    What is to be awaited is awaited, or an error: in neither case is an event lost.
    """
    shop = Shop()

    def waiting(event: Event) -> Any:
        return shop.receive_async(event)

    with asgi(starlette_app(shop, waiting)) as shop.url:
        assert 204 == sent(shop).status
    assert 1 == len(shop.got)
    logging.disable()
    try:
        for make in (flask_app, django_app):
            with wsgi(make(shop, waiting)) as shop.url:
                assert 500 == sent(shop).status
    finally:
        logging.disable(logging.NOTSET)
    assert 1 == len(shop.got)


@pytest.mark.parametrize("app", list(APPS))
@pytest.mark.filterwarnings("error")
def test_no_work_is_left_behind(app: str) -> None:
    """
    A function that returns a generator, or a coroutine where what it returned was awaited, has done nothing: a 500.
    """
    make, serve, asynchronous = APPS[app]
    shop = Shop()

    def lazy(event: Event) -> Any:
        return (shop.got.index(one) for one in [event])

    async def lazier(event: Event) -> Any:
        return shop.receive_async(event)

    logging.disable()
    try:
        with serve(make(shop, lazier if asynchronous else lazy)) as shop.url:
            assert 500 == sent(shop).status
    finally:
        logging.disable(logging.NOTSET)
    assert [] == shop.got


def yields(event: Event) -> Iterator[Event]:
    yield event


@pytest.mark.parametrize("webhook", [for_starlette.webhook, for_flask.webhook, for_django.webhook])
@pytest.mark.parametrize("receive", [yields, partial(yields), None, "receive"])
def test_what_would_not_run_is_told_at_once(webhook: Callable[..., Any], receive: Any) -> None:
    """
    Of what is no function, or has a `yield` in it, no endpoint is made.
    """
    with pytest.raises(TypeError, match=r"^receive: "):
        webhook(SECRET, receive)
