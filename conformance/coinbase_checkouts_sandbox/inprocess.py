"""
The sandbox as a Python object: `with Sandbox() as sandbox: …`.

The server runs on an event loop of its own, in a thread of this process, so that sync and async code and any number
of threads can talk to it at once. Nothing goes over a socket unless a port is asked for. What the verbs do they do
through the control calls, as anybody else would.
"""

import asyncio
import base64
import contextlib
import json
import os
import socket
import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coinbase_checkouts_sandbox import keys as api_keys
from coinbase_checkouts_sandbox import money
from coinbase_checkouts_sandbox import readings as documents
from coinbase_checkouts_sandbox.app import create_app
from coinbase_checkouts_sandbox.clock import wall_clock_ms
from coinbase_checkouts_sandbox.endpoints import DROP
from coinbase_checkouts_sandbox.keys import VerificationKey
from coinbase_checkouts_sandbox.readings import DEFAULT, Readings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nobody listens on port 1, browsers refuse it, and only root could take it: a client that was not given the transport
# gets a refused connection, and not whatever else runs on this machine.
IN_PROCESS_URL: Final = "http://127.0.0.1:1"

_CONTROL: Final = "/__sandbox__"
# For control calls, of which the slowest delivers webhooks.
_CONTROL_TIMEOUT_S: Final = 60.0
# For requests that are still under way when the sandbox ends.
_STOP_TIMEOUT_S: Final = 1.0

Wrapper = Callable[["ASGIApp"], "ASGIApp"]

_wrappers: list[Wrapper] = []


class SandboxError(Exception):
    """What was asked of the sandbox cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came in, control calls not counted."""

    method: str
    path: str
    status: int | None
    """None: it got no answer."""
    idempotency_key: str | None = None


@contextlib.contextmanager
def wrapping(wrapper: Wrapper) -> Generator[None]:
    """Put *wrapper* around the application of every Sandbox that is started meanwhile; how hostile servers are made."""
    _wrappers.append(wrapper)
    try:
        yield
    finally:
        _wrappers.remove(wrapper)


class Sandbox:
    """
    A sandbox of your own, for as long as the `with` lasts.

    Args:
        database: Any SQLAlchemy URL; the default is memory, gone at the end.
        keys: More keys that may sign, by id; `key`, made anew for each sandbox, always may.
        auth: False answers without a token.
        readings: What to do where the published documents disagree; or as the command takes it, ["create=200"].
        fee_rate: Part of a payment that is kept as fee.
        clock: Real time in milliseconds since the epoch.
        port: Serve it on 127.0.0.1, too, so that any client of any language reaches it; 0 picks a free port. None, the
            default: in process only, for httpx clients with `transport` or `async_transport`.

    Threads may share it. A forked child may not: the server's thread stays with the parent. In async code the verbs
    block for the millisecond that they take; `flush`, which may take longer, belongs into `asyncio.to_thread`.
    """

    def __init__(
        self,
        *,
        database: str = "sqlite://",
        keys: Mapping[str, VerificationKey] | None = None,
        auth: bool = True,
        readings: Readings | Iterable[str] = DEFAULT,
        fee_rate: Decimal = money.FEE_RATE,
        clock: Callable[[], int] = wall_clock_ms,
        port: int | None = None,
    ) -> None:
        self._database = database
        self._auth = auth
        self._readings = readings if isinstance(readings, Readings) else documents.parse(readings)
        self._fee_rate = fee_rate
        self._clock = clock
        self._port = port
        self._key = _fresh_key()
        own = api_keys.parse(json.dumps(self._key).encode())
        self._keys = {**(keys or {}), own.id: own}
        self._seen: list[Seen] = []
        self._under_way: set[asyncio.Task[httpx.Response]] = set()
        self._owner = os.getpid()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """
        Start.

        Raises:
            DatabaseError: The database cannot be used.
            OSError: The port is taken.
        """
        if self._thread is not None:
            raise SandboxError("a Sandbox is started once; make another one")
        started: Future[None] = Future()
        # A daemon, so that a test run that is killed in the middle ends.
        name = "coinbase-checkouts sandbox"
        self._thread = threading.Thread(target=self._run, args=(started,), name=name, daemon=True)
        self._thread.start()
        try:
            started.result()
        except Exception:
            # Not for what interrupts the waiting: then it may well be running.
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_running:
            assert self._thread is not None, "it runs"
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __repr__(self) -> str:
        return f"Sandbox(base_url={self.base_url!r})" if self._is_running else "Sandbox(not running)"

    # Where it is, and who may call.

    @property
    def base_url(self) -> str:
        """Scheme, host and port. Without a port of its own it is one that no plain client reaches."""
        self._running()
        return self._base_url

    @property
    def transport(self) -> httpx.BaseTransport:
        """For `httpx.Client`: reaches this sandbox, in process."""
        self._running()
        return _Transport(self)

    @property
    def async_transport(self) -> httpx.AsyncBaseTransport:
        """For `httpx.AsyncClient` on asyncio: reaches this sandbox, in process."""
        self._running()
        return _AsyncTransport(self)

    def http_client(self) -> httpx.Client:
        """A new client for this sandbox, in process; yours to close."""
        return httpx.Client(base_url=self.base_url, transport=self.transport, trust_env=False)

    def async_http_client(self) -> httpx.AsyncClient:
        """A new client for this sandbox, in process; yours to close."""
        return httpx.AsyncClient(base_url=self.base_url, transport=self.async_transport, trust_env=False)

    @property
    def key(self) -> dict[str, str]:
        """The API key, as in a `cdp_api_key.json`: `id` and `privateKey`."""
        return dict(self._key)

    @property
    def environ(self) -> dict[str, str]:
        """The API key, by the names of its environment variables."""
        return {"CDP_API_KEY_ID": self._key["id"], "CDP_API_KEY_SECRET": self._key["privateKey"]}

    def key_file(self, path: str | os.PathLike[str]) -> Path:
        """Write the API key to *path*, for its owner only."""
        written = Path(path)
        # Opened with its mode, so that nobody can read it in between.
        with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(self._key, file, indent=2)
        return written

    # What a payer, a network and time would do.

    def pay(self, checkout_id: str, outcome: str = "COMPLETED") -> dict[str, Any]:
        """Have the payer pay; *outcome* is COMPLETED, FAILED or PROCESSING. The Checkout after it."""
        return self._object("POST", f"/checkouts/{checkout_id}/pay", {"outcome": outcome})

    def settle(self, checkout_id: str, refund_id: str, outcome: str = "COMPLETED") -> dict[str, Any]:
        """Have a refund end; *outcome* is COMPLETED or FAILED. The Checkout after it."""
        return self._object("POST", f"/checkouts/{checkout_id}/refunds/{refund_id}/settle", {"outcome": outcome})

    def advance(self, time: float | timedelta) -> datetime:
        """
        Let whole seconds pass at once; the time after it. Tokens stay valid.

        Raises:
            ValueError: Part of a second.
        """
        seconds = time.total_seconds() if isinstance(time, timedelta) else time
        if seconds != int(seconds):
            raise ValueError("the sandbox's clock moves by whole seconds")
        answer = self._object("POST", "/clock/advance", {"seconds": int(seconds)})
        return datetime.fromisoformat(answer["now"])

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromisoformat(self._object("GET", "/")["now"])

    # The world as a whole.

    def reset(self) -> None:
        """Forget everything that happened, `requests` included; keys and settings stay."""
        self._control("POST", "/reset")
        self._seen.clear()

    def snapshot(self) -> bytes:
        """The world as it is, for `restore`."""
        return self._control("GET", "/snapshot").content

    def restore(self, snapshot: bytes) -> None:
        """Make the world what it was at *snapshot*."""
        self._control("POST", "/restore", snapshot)

    def fault(self, **fault: Any) -> dict[str, Any]:
        """Have requests go wrong; the fields are those of `POST /__sandbox__/faults`."""
        return self._object("POST", "/faults", fault)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The faults that were armed, and what they have done so far."""
        found: list[dict[str, Any]] = self._object("GET", "/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Have nothing go wrong any more."""
        self._control("DELETE", "/faults")

    @property
    def requests(self) -> tuple[Seen, ...]:
        """What came in so far, oldest first."""
        return tuple(self._seen)

    def flush(self) -> None:
        """Return when every webhook that is due has been delivered, or has failed to be."""
        self._control("POST", "/webhooks/flush")

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        """The last webhooks, newest first, with the attempts to deliver them."""
        found: list[dict[str, Any]] = self._object("GET", "/webhooks/deliveries")["deliveries"]
        return found

    def _object(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        content: dict[str, Any] = self._control(method, path, body).json()
        return content

    def _control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = httpx.Request(
            method,
            f"{self.base_url}{_CONTROL}{path}",
            headers={"Content-Type": "application/json"} if content else {},
            content=content,
            extensions={"timeout": {"read": _CONTROL_TIMEOUT_S}},
        )
        try:
            response = self.submit(request).result()
            response.read()
        except httpx.HTTPError as exc:
            raise SandboxError(f"{method} {_CONTROL}{path}: {exc}") from None
        if response.is_error:
            raise SandboxError(f"{method} {_CONTROL}{path}: {response.status_code} {_reason(response)}")
        return response

    # The server's side, on its own thread from here on.

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _running(self) -> None:
        if os.getpid() != self._owner:
            raise SandboxError("a Sandbox belongs to the process that started it; a forked child makes its own")
        if not self._is_running:
            raise SandboxError("this Sandbox is not running; use it inside its `with`")

    def submit(self, request: httpx.Request) -> "Future[httpx.Response]":
        """Have *request*, whose body was read, answered in process; what the transports do."""
        self._running()
        if (request.url.host, request.url.port) != self._address:
            raise httpx.ConnectError(f"this transport reaches {self._base_url} and nothing else")
        return asyncio.run_coroutine_threadsafe(self._answered(request), self._loop)

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        """As over a socket: a client that has waited long enough leaves, and the server goes on all the same."""
        task = asyncio.create_task(self._inside.handle_async_request(request))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=request.extensions.get("timeout", {}).get("read"))
        if not done:
            raise httpx.ReadTimeout("timed out")
        answer = task.result()
        content = await answer.aread()
        # A stream that is not read yet and reads both ways; a decoded one would be neither.
        return httpx.Response(answer.status_code, headers=answer.headers.raw, stream=httpx.ByteStream(content))

    def _ended(self, task: "asyncio.Task[httpx.Response]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Where nobody waits any more this keeps asyncio from logging it.
            task.exception()

    def _run(self, started: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as exc:
            if started.done():
                raise
            started.set_exception(exc)

    async def _serve(self, started: "Future[None]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            bare = create_app(
                database=self._database,
                keys=self._keys if self._auth else None,
                clock=self._clock,
                readings=self._readings,
                fee_rate=self._fee_rate,
            )
            await stack.enter_async_context(bare.router.lifespan_context(bare))
            app: ASGIApp = bare
            for wrapper in _wrappers:
                app = wrapper(app)
            app = _Log(app, self._seen)
            self._inside = httpx.ASGITransport(Socketlike(app))
            self._base_url = IN_PROCESS_URL
            if self._port is not None:
                self._base_url = await stack.enter_async_context(_on_port(app, self._port))
            url = httpx.URL(self._base_url)
            self._address = url.host, url.port
            stack.push_async_callback(self._settled)
            started.set_result(None)
            await self._stop.wait()

    async def _settled(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_STOP_TIMEOUT_S)


class _Transport(httpx.BaseTransport):
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._sandbox.submit(_readable(request)).result()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await asyncio.wrap_future(self._sandbox.submit(_readable(request)))


def _readable(request: httpx.Request) -> httpx.Request:
    """*request* with a body that the other thread can read."""
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers.raw,
        stream=httpx.ByteStream(request.content),
        extensions=request.extensions,
    )


class _Log:
    """Notes every request but the control calls."""

    def __init__(self, app: "ASGIApp", seen: list[Seen]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        status: int | None = None

        async def noted(message: "Message") -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if scope["type"] == "http" and not scope["path"].startswith(f"{_CONTROL}/"):
                key = dict(scope["headers"]).get(b"x-idempotency-key")
                decoded = None if key is None else key.decode("latin-1")
                self._seen.append(Seen(scope["method"], scope["path"], status, decoded))


class Socketlike:
    """What a socket would add to the application: it can be cut, and an answer that ends too early is noticed."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        cut = False
        received, expected = 0, -1

        def drop() -> None:
            nonlocal cut
            cut = True

        async def arriving() -> "Message":
            return {"type": "http.disconnect"} if cut else await receive()

        async def over(message: "Message") -> None:
            nonlocal received, expected
            if cut:
                return
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message.get("headers", ())}
                expected = int(headers.get(b"content-length", 0))
            received += len(message.get("body", b""))
            await send(message)

        await self._app({**scope, "extensions": {**scope.get("extensions", {}), DROP: drop}}, arriving, over)
        # The words of httpx over a socket.
        if expected < 0:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        if cut or (received < expected and scope["method"] != "HEAD"):
            told = f"(received {received} bytes, expected {expected})"
            raise httpx.RemoteProtocolError(f"peer closed connection without sending complete message body {told}")


@contextlib.asynccontextmanager
async def _on_port(app: "ASGIApp", port: int) -> AsyncGenerator[str]:
    """Serve *app* on 127.0.0.1; the URL."""
    # Not needed in process.
    import uvicorn  # noqa: PLC0415

    from coinbase_checkouts_sandbox.serving import config_of  # noqa: PLC0415

    listener = socket.create_server(("127.0.0.1", port))
    config = config_of(app)
    # It is run around this already.
    config.lifespan = "off"
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    # Its own main loop and shutdown sleep for a tenth of a second each, which is more than a test has.
    ticking = asyncio.create_task(_ticking(server))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ticking.cancel()
        for one in server.servers:
            one.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        if server.server_state.tasks:
            await asyncio.wait(server.server_state.tasks, timeout=_STOP_TIMEOUT_S)
        # Those that were closed just now are gone after one more turn of the loop.
        await asyncio.sleep(0)
        listener.close()


async def _ticking(server: Any) -> None:
    """Keep the Date header right."""
    while True:
        await server.on_tick(0)
        await asyncio.sleep(1)


def _fresh_key() -> dict[str, str]:
    """An Ed25519 key, in the format of `cdp_api_key.json`; made in microseconds."""
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    identity = f"organizations/{uuid.uuid4()}/apiKeys/{uuid.uuid4()}"
    return {"id": identity, "privateKey": base64.b64encode(raw).decode("ascii")}


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase
