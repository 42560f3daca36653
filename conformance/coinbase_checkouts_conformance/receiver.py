"""A webhook endpoint for tests: subscribed to a sandbox, it keeps what arrives over a real connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar, cast

from coinbase_checkouts import webhooks
from coinbase_checkouts.auth import ApiKey, JwtAuth
from coinbase_checkouts_api.models import EventType

if TYPE_CHECKING:
    from coinbase_checkouts_sandbox.inprocess import Sandbox

SUBSCRIPTIONS: Final = "/platform/v2/data/webhooks/subscriptions"

T = TypeVar("T")


@dataclass(frozen=True)
class Delivery:
    """A webhook as it arrived: hand both to your endpoint as they are, or the signature will not fit."""

    body: bytes
    headers: Mapping[str, str]


class Webhooks:
    """
    The endpoint, for as long as the `with` lasts.

    Attributes:
        secret: Of the subscription; what your endpoint verifies with.
        url: Where it listens.
        status: What it answers; set it to 500 to see the sandbox try again when its clock is moved.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._arrived: list[Delivery] = []
        self._handed = 0
        self.status = 204
        self.secret = ""
        self.url = ""

    def __enter__(self) -> Self:
        self._server = _Server(self)
        # poll_interval: how long the end of a test waits for it.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        try:
            self.secret = self._subscribed()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What has arrived, oldest first, once everything that is due has been sent."""
        self._sandbox.flush()
        return tuple(self._arrived)

    @property
    def events(self) -> list[webhooks.Event]:
        """
        Likewise, each verified and read by `coinbase_checkouts.webhooks.verify`.

        Raises:
            coinbase_checkouts.errors.SignatureError: One was changed on its way.
        """
        return [webhooks.verify(one.body, one.headers, self.secret) for one in self.deliveries]

    def wait(self, count: int = 1) -> list[webhooks.Event]:
        """
        The events, of which there must be at least *count* by now.

        Raises:
            AssertionError: There are fewer; move the sandbox's clock if one is due later.
        """
        events = self.events
        if len(events) < count:
            raise AssertionError(f"{count} webhooks were waited for, {len(events)} came")
        return events

    def hand_to(self, endpoint: Callable[[bytes, dict[str, str]], T]) -> list[T]:
        """
        Give *endpoint* every delivery that it was not given yet, and return what it returned.

        For the test client of a web framework, which has no port to deliver to.
        """
        fresh = self.deliveries[self._handed :]
        self._handed += len(fresh)
        return [endpoint(one.body, dict(one.headers)) for one in fresh]

    def arrived(self, delivery: Delivery) -> int:
        """Keep *delivery*; the status to answer. Called from the endpoint's threads."""
        self._arrived.append(delivery)
        return self.status

    def _subscribed(self) -> str:
        body = {
            "eventTypes": [str(one) for one in EventType],
            "isEnabled": True,
            "target": {"url": self.url, "method": "POST"},
            "description": "checkouts_webhooks",
            "labels": {"sandbox": "true"},
        }
        auth = JwtAuth(ApiKey(self._sandbox.key["id"], self._sandbox.key["privateKey"]))
        with self._sandbox.http_client() as client:
            answer = client.post(SUBSCRIPTIONS, json=body, auth=auth)
        answer.raise_for_status()
        content = answer.json()
        # Source: the guide has shown it in both places.
        secret: str = content.get("secret") or content["metadata"]["secret"]
        return secret


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, webhooks: Webhooks) -> None:
        self.webhooks = webhooks
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        status = cast("_Server", self.server).webhooks.arrived(Delivery(body, dict(self.headers.items())))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Standard error belongs to the tests."""
