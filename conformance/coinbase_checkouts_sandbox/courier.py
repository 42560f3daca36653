"""
The background task that ends checkouts at their expiresAt and sends what is due, one in each process.

It needs no lifespan: whatever commits something to deliver rings the store's bell, and that starts it in the event loop
that is running. Between bells it looks once a second, for what other processes leave undone.
"""

import asyncio
import contextlib
import logging
import ssl
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.exc import DBAPIError

from coinbase_checkouts_sandbox import deliveries, events, mischief, targets
from coinbase_checkouts_sandbox.deliveries import Outcome, Parcel
from coinbase_checkouts_sandbox.patience import patiently
from coinbase_checkouts_sandbox.store import Transaction
from coinbase_checkouts_sandbox.world import World

if TYPE_CHECKING:
    import httpx

LOG: Final = logging.getLogger("coinbase_checkouts_sandbox")

# Source: hook0. Assumed for Coinbase, whose settings are not published.
CONNECT_TIMEOUT_S: Final = 5
TOTAL_TIMEOUT_S: Final = 15

# Choices of this sandbox.
_MOST_AT_ONCE: Final = 16
_LONGEST_PAUSE_S: Final = 1.0
_KEPT_BODY_BYTES: Final = 1024
_MOST_READ_BYTES: Final = 64 << 10
_MOST_EXPIRED_AT_ONCE: Final = 200
# Between looks at what another process is sending.
_GLANCE_S: Final = 0.05
_USER_AGENT: Final = "coinbase-checkouts-sandbox"

_Result = TypeVar("_Result")


class Courier:
    """
    Sends what is due, in the event loop in which there was something to do first.

    Args:
        transport: Where requests go instead of the network, say httpx.ASGITransport of the application under test.
    """

    def __init__(self, world: World, *, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        self._world = world
        self._transport = transport
        self._round: _Round | None = None
        world.store.bell = self.wake

    def start(self) -> None:
        """Run in the running event loop, unless it runs already, here or in another thread's loop."""
        loop, last = asyncio.get_running_loop(), self._round
        if last is not None and last.loop is not loop:
            if last.loop.is_running():
                return
            # Tests may each have a loop of their own. One that only rests may go on with what it sends, no more.
            last.retired = True
        if last is None or last.retired:
            lost = last.sending.values() if last is not None and last.loop.is_closed() else ()
            self._round = last = _Round(self._world, self._transport, loop, lost)
        last.start()

    def wake(self) -> None:
        """There is something to do. Without an event loop it waits until there is one."""
        with contextlib.suppress(RuntimeError):
            self.start()
        if self._round is not None and self._round.loop.is_running():
            # Closed just now, in its thread: then there is nobody to wake.
            with contextlib.suppress(RuntimeError):
                self._round.loop.call_soon_threadsafe(self._round.awake.set)

    async def stop(self) -> None:
        """Break off what is under way; whoever runs next sends it again."""
        last = self._round
        if last is not None and last.loop is asyncio.get_running_loop():
            self._round = None
            await last.stop()

    async def flush(self) -> dict[str, int]:
        """
        Send everything that is due by now, whatever is under way in any process included, and wait for it.

        Returns:
            How many attempts this process has made meanwhile: attempts, succeeded and failed.
        """
        self.start()
        current = self._round
        if current is None:
            # Cannot be: it was started.
            raise RuntimeError("the courier is not running")
        if current.loop is asyncio.get_running_loop():
            return await current.flush()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(current.flush(), current.loop))


class _Round:
    """The courier in one event loop."""

    def __init__(
        self,
        world: World,
        transport: "httpx.AsyncBaseTransport | None",
        loop: asyncio.AbstractEventLoop,
        lost: Iterable[Parcel],
    ) -> None:
        self._world = world
        self._transport = transport
        self.loop = loop
        self.awake = asyncio.Event()
        self.sending: dict[asyncio.Task[None], Parcel] = {}
        self.retired = False
        self._lost = list(lost)
        self._task: asyncio.Task[None] | None = None
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._flushing = 0
        self._tried = {"attempts": 0, "succeeded": 0, "failed": 0}

    def start(self) -> None:
        if self._task is None or self._task.done():
            self._task = self.loop.create_task(self._run())

    async def stop(self) -> None:
        tasks = [task for task in (self._task, *self.sending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    async def flush(self) -> dict[str, int]:
        before = dict(self._tried)
        self._flushing += 1
        try:
            while True:
                await self._look()
                if self.sending:
                    await asyncio.wait(self.sending, return_when=asyncio.FIRST_COMPLETED)
                elif self._unfinished():
                    await asyncio.sleep(_GLANCE_S)
                else:
                    return {name: count - before[name] for name, count in self._tried.items()}
        finally:
            self._flushing -= 1
            self.awake.set()

    async def _run(self) -> None:
        while not self.retired:
            self.awake.clear()
            try:
                while self._lost:
                    await self._give_back(self._lost.pop())
                # What flushes looks by itself.
                pause_s = _LONGEST_PAUSE_S if self._flushing else await self._look()
            except DBAPIError as exc:
                # Locked, full or gone: the deliveries are as they were.
                LOG.error("webhooks: database: %s", " ".join(str(exc.orig).split()))  # noqa: TRY400
                pause_s = _LONGEST_PAUSE_S
            except Exception as exc:  # noqa: BLE001, deliveries go on whatever happens to one
                place = "".join(traceback.format_tb(exc.__traceback__))
                LOG.error("webhooks: %s\n%s", type(exc).__name__, place)  # noqa: TRY400
                pause_s = _LONGEST_PAUSE_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self.awake.wait()

    async def _look(self) -> float:
        """Do what is due; seconds until something else may be."""
        world = self._world
        with world.store.reading() as transaction:
            now_ms = world.now_ms(transaction)
            expiry_ms = events.next_expiry_ms(transaction)
            sendable = deliveries.sendable(transaction, now_ms=now_ms, real_ms=world.real_ms())
        if expiry_ms is not None and expiry_ms <= now_ms:
            await self._write(
                lambda transaction, now: events.expire(transaction, world, now, most=_MOST_EXPIRED_AT_ONCE)
            )
            # There may be more, and there is something to send.
            return 0
        room = _MOST_AT_ONCE - len(self.sending)
        if sendable and room > 0:
            parcels = await self._write(
                lambda transaction, now: deliveries.claim(transaction, now_ms=now, real_ms=world.real_ms(), most=room)
            )
            for parcel in parcels:
                task = asyncio.get_running_loop().create_task(self._deliver(parcel))
                self.sending[task] = parcel
                task.add_done_callback(self._sent)
        with world.store.reading() as transaction:
            due_ms = deliveries.next_due_ms(transaction)
        coming = [moment - now_ms for moment in (due_ms, expiry_ms) if moment is not None and moment > now_ms]
        return min([_LONGEST_PAUSE_S, *(wait_ms / 1000 for wait_ms in coming)])

    def _sent(self, task: asyncio.Task[None]) -> None:
        self.sending.pop(task, None)
        # Now and not at the end of the task, when there was no room yet.
        self.awake.set()

    def _unfinished(self) -> bool:
        world = self._world
        with world.store.reading() as transaction:
            now_ms = world.now_ms(transaction)
            expiry_ms = events.next_expiry_ms(transaction)
            sending = deliveries.unfinished(transaction, now_ms=now_ms, real_ms=world.real_ms())
        return sending or (expiry_ms is not None and expiry_ms <= now_ms)

    async def _write(self, act: Callable[[Transaction, int], _Result]) -> _Result:
        async def attempt() -> _Result:
            with self._world.store.writing() as transaction:
                return act(transaction, self._world.now_ms(transaction))

        return await patiently(attempt)

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            outcome = await self._outcome(parcel)
        except asyncio.CancelledError:
            with contextlib.suppress(DBAPIError):
                await self._give_back(parcel)
            raise
        try:
            await self._write(lambda transaction, now: deliveries.record(transaction, parcel, outcome, now_ms=now))
        except DBAPIError as exc:
            # Its lease runs out, and it is sent once more.
            LOG.error("webhooks: database: %s", " ".join(str(exc.orig).split()))  # noqa: TRY400
        self._tried["attempts"] += 1
        self._tried["succeeded" if outcome.good else "failed"] += 1
        LOG.info(
            "webhook %s attempt %d: %s in %d ms; event %s",
            parcel.event_type,
            parcel.number,
            outcome.error_name or outcome.http_code,
            outcome.elapsed_ms,
            parcel.event_id,
        )

    async def _give_back(self, parcel: Parcel) -> None:
        await self._write(lambda transaction, _now: deliveries.give_back(transaction, parcel))

    async def _outcome(self, parcel: Parcel) -> Outcome:
        client = self._client(secure=parcel.target["url"].lower().startswith("https:"))
        started = time.perf_counter()

        def outcome(*, http_code: int | None = None, body: str | None = None, error_name: str | None = None) -> Outcome:
            elapsed_ms = round((time.perf_counter() - started) * 1000)
            return Outcome(http_code=http_code, elapsed_ms=elapsed_ms, body=body, error_name=error_name)

        # Once more, since the database may be of a server that was allowed more.
        if targets.broken_rules(parcel.target, remote=self._world.remote_webhooks):
            return outcome(error_name="target_refused")
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S):
                http_code, body = await self._post(client, parcel)
        except Exception as exc:  # noqa: BLE001, whatever a receiver can cause is an outcome
            return outcome(error_name=_named(exc))
        return outcome(http_code=http_code, body=body)

    async def _post(self, client: "httpx.AsyncClient", parcel: Parcel) -> tuple[int, str]:
        message = mischief.signed(
            secret=parcel.secret,
            event_id=parcel.event_id,
            event_type=parcel.event_type,
            extra=parcel.target.get("headers") or {},
            body=parcel.body,
            now_s=self._world.real_ms() // 1000,
            trick=parcel.trick,
        )
        url = parcel.target["url"]
        async with client.stream("POST", url, content=message.body, headers=message.headers) as response:
            head, seen = b"", 0
            async for chunk in response.aiter_raw():
                head += chunk[: _KEPT_BODY_BYTES - len(head)]
                seen += len(chunk)
                if seen > _MOST_READ_BYTES:
                    break
            return response.status_code, head.decode(errors="replace")

    def _client(self, *, secure: bool) -> "httpx.AsyncClient":
        if secure not in self._clients:
            # Here and not above: importing it costs a quarter of this server's start.
            import httpx  # noqa: PLC0415

            self._clients[secure] = httpx.AsyncClient(
                transport=self._transport,
                # identity: an answer is read as it comes, so that a kilobyte cannot become a gigabyte.
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"},
                # The machine's own certificates are read once somebody needs them; http has no use for any.
                verify=ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                timeout=httpx.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                # A connection kept open would outlive the event loop of a test.
                limits=httpx.Limits(max_keepalive_connections=0),
                follow_redirects=False,
                # A proxy from the environment would be another host than the one that was allowed.
                trust_env=False,
            )
        return self._clients[secure]


def _named(error: BaseException) -> str:
    """What went wrong, as the delivery log calls it; never the message, which may quote the URL."""
    import httpx  # noqa: PLC0415

    causes = list(_causes(error))
    if any(isinstance(cause, TimeoutError | httpx.TimeoutException) for cause in causes):
        return "timeout"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "connection_refused"
    if isinstance(error, httpx.ConnectError):
        return "connection_failed"
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        # Closed without an answer, or an answer that is not HTTP.
        return "connection_lost"
    return "failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """*error* and everything that led to it."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        nested: Any = getattr(current, "exceptions", ())
        waiting += nested
