"""One client shared by threads, tasks, event loops and forked processes: every answer to its own caller."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts, Outcome, transport
from coinbase_checkouts.errors import NoResponseError

from .conftest import HANG, Received, Reply, Server


@pytest.fixture
def echo(server: Server, checkout_json: dict[str, Any]) -> Server:
    """Answers each GET with a checkout that has the id it asked for."""

    def answer(received: Received) -> Reply:
        return Reply(body=json.dumps({**checkout_json, "id": received.target.rsplit("/", 1)[1]}).encode())

    server.answer(answer)
    return server


@pytest.fixture
def client(echo: Server, api_key: ApiKey) -> Iterator[Checkouts]:
    with Checkouts(api_key, base_url=echo.url) as made:
        yield made


def wrong(client: Checkouts, first: int, count: int) -> int:
    """How many of *count* answers are not to the question asked."""
    asked = [f"{number:024x}" for number in range(first, first + count)]
    return sum(client.get(one).id != one for one in asked)


def test_64_threads_share_a_client(client: Checkouts) -> None:
    """
    Sixty-four threads that call at once each get their own answers.
    """
    together = threading.Barrier(64)
    found: list[int] = []

    def work(number: int) -> None:
        together.wait()
        found.append(wrong(client, number * 100, 5))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [0] * 64 == found


@pytest.mark.parametrize("aiohttp", [False, True])
def test_1000_tasks_share_an_async_client(aiohttp: bool, api_key: ApiKey, checkout_json: dict[str, Any]) -> None:
    """
    A thousand tasks at once each get their own answer, at the first attempt.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                target = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
                body = json.dumps({**checkout_json, "id": target.rsplit("/", 1)[1]}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> list[bool]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=100)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AsyncCheckouts(api_key, base_url=url, max_retries=0, aiohttp=aiohttp) as client:

            async def one(number: int) -> bool:
                asked = f"{number:024x}"
                return (await client.get(asked)).id == asked

            found = await asyncio.gather(*(one(number) for number in range(1000)))
        server.close()
        # The handlers hear of the end of their connections before the loop ends.
        while tasks := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            await asyncio.wait(tasks)
        return found

    assert [True] * 1000 == asyncio.run(main())


@pytest.mark.anyio
async def test_waiting_for_a_turn_is_within_the_deadline(
    server: Server, api_key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A call that gets no turn in time ends as one that was never sent.
    """
    monkeypatch.setattr("coinbase_checkouts.transport.ASYNC_LIMIT", 1)
    server.answer(HANG)
    async with AsyncCheckouts(api_key, base_url=server.url, timeout=1, max_retries=0) as client:
        first = asyncio.create_task(client.create("1"))
        await asyncio.to_thread(server.heard.wait)
        with pytest.raises(NoResponseError) as caught:
            await client.with_options(timeout=0.05).create("1")
        assert caught.value.outcome is Outcome.NOT_SENT
        with pytest.raises(NoResponseError) as caught:
            await first
        assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("aiohttp", [False, True])
def test_async_client_outlives_its_event_loop(aiohttp: bool, echo: Server, api_key: ApiKey) -> None:
    """
    One client works in one asyncio.run() after another, and in two loops of two threads at once; nothing stays open.
    """
    client = AsyncCheckouts(api_key, base_url=echo.url, aiohttp=aiohttp)
    found: list[str] = []

    def run(number: int) -> None:
        async def main() -> None:
            found.append((await client.get(f"{number:024x}")).id)

        asyncio.run(main())

    run(1)
    run(2)
    threads = [threading.Thread(target=run, args=(number,)) for number in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(client.close())
    # An open connection left behind would be a ResourceWarning now.
    gc.collect()
    assert [f"{number:024x}" for number in (1, 2, 3, 4)] == sorted(found)


def forked(work: Any) -> int:
    """What *work* returns in a forked child, as its exit code; 99 when it raised."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        finally:
            # Neither pytest's clean-up nor anybody else's may run twice.
            os._exit(code)
    return child


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")  # 3.12 warns; it is the point
def test_fork_after_a_warm_call(client: Checkouts, echo: Server) -> None:
    """
    Parent and children go on at the same time after a call has warmed the connection: no answer is lost, none
    goes to the wrong process, and the parent's connection stays open.
    """
    assert wrong(client, 0, 3) == 0
    children = [forked(lambda number=number: wrong(client, number * 1000, 50)) for number in range(1, 4)]
    assert wrong(client, 9000, 50) == 0
    assert [0, 0, 0] == [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert wrong(client, 9500, 3) == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")  # 3.12 warns; it is the point
@pytest.mark.parametrize("aiohttp", [False, True])
def test_fork_with_a_warm_async_client(aiohttp: bool, echo: Server, api_key: ApiKey) -> None:
    """
    A child that inherits an async client runs it in a loop of its own.
    """
    client = AsyncCheckouts(api_key, base_url=echo.url, aiohttp=aiohttp)

    async def one(number: int) -> bool:
        asked = f"{number:024x}"
        return (await client.get(asked)).id == asked

    async def main() -> tuple[bool, int, bool]:
        warm = await one(1)
        # The child leaves the parent's loop behind: it must not run in it.
        child = forked(lambda: in_a_thread(one))
        code = await asyncio.to_thread(lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        again = await one(2)
        await client.close()
        return warm, code, again

    assert (True, 0, True) == asyncio.run(main())


def in_a_thread(one: Any) -> int:
    """Run *one* in an event loop of a new thread; 0 when its answer is right."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(one(7))))
    thread.start()
    thread.join()
    return 0 if found == [True] else 1


@pytest.mark.anyio
async def test_child_begins_with_new_connections(client: Checkouts, echo: Server, api_key: ApiKey) -> None:
    """
    What a forked child does first, seen from inside: the connections at hand are put away, not closed.
    """
    async with AsyncCheckouts(api_key, base_url=echo.url) as aclient:
        client.get("0" * 24)
        await aclient.get("0" * 24)
        before = client._transport._client
        abefore = list(aclient._transport._loops.values())
        transport._begin_anew()
        assert client.get("1" * 24).id == "1" * 24
        assert (await aclient.get("1" * 24)).id == "1" * 24
        assert before is not None
        assert not before.is_closed
        assert before is not client._transport._client
        assert abefore != list(aclient._transport._loops.values())
        # Here nobody else uses them.
        before.close()
        await abefore[0].client.aclose()


@pytest.mark.parametrize("aiohttp", [False, True])
def test_client_recovers_from_cancelled_calls(aiohttp: bool, api_key: ApiKey, checkout_json: dict[str, Any]) -> None:
    """
    However many calls time out or are cancelled, the next one goes through, and no loop is kept alive.
    """
    slow = True

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                if slow:
                    await asyncio.sleep(0.02)
                body = json.dumps({**checkout_json, "id": "1" * 24}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        writer.close()

    async def main() -> str:
        nonlocal slow
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=200)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AsyncCheckouts(api_key, base_url=url, max_retries=0, aiohttp=aiohttp) as client:
            hurried = client.with_options(timeout=0.01)
            for _ in range(5):
                await asyncio.gather(*(hurried.get("1" * 24) for _ in range(80)), return_exceptions=True)
                tasks = [asyncio.create_task(client.get("1" * 24)) for _ in range(80)]
                await asyncio.sleep(0.01)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            slow = False
            found = (await client.get("1" * 24)).id
            assert len(client._transport._loops) == 1
        server.close()
        while tasks := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            await asyncio.wait(tasks)
        return found

    assert asyncio.run(main()) == "1" * 24


def test_loops_are_not_kept_alive(echo: Server, api_key: ApiKey) -> None:
    """
    A client used in many event loops keeps none of them.
    """
    client = AsyncCheckouts(api_key, base_url=echo.url)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def main() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await client.get("1" * 24)

    for _ in range(5):
        asyncio.run(main())
    gc.collect()
    assert [None] * 5 == [loop() for loop in loops]
    assert [] == list(client._transport._loops)
