"""
A small HTTP server that takes POSTs at one path, and answers before anything is done with them.

Of one process, for development: each connection carries one request, within limits of size and time, and a slow
one holds up no other.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import h11

BODY_LIMIT_BYTES: Final = 1024 * 1024
HEAD_LIMIT_BYTES: Final = 64 * 1024
REQUEST_S: Final = 10.0
"""For a whole request, however it drips in."""
LINGER_S: Final = 1.0

Headers = list[tuple[bytes, bytes]]
Then = Callable[[], bool]
Receive = Callable[[Headers, bytes], tuple[int, Then]]


class _RefusedError(Exception):
    """No request to look at."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def serve(
    listener: socket.socket,
    path: str,
    receive: Receive,
    complain: Callable[[str], None],
    *,
    ready: Callable[[], None],
    timeout_s: float | None = None,
) -> bool:
    """
    Take requests until there were enough of them, or *timeout_s* is over; whether there were enough.

    Args:
        listener: Bound; closed at the end.
        path: The one that is served.
        receive: Makes of a request's headers and body the status to answer, and what to do after the answer;
            that says whether it was enough. Must not wait.
        complain: Told why a request was not one to receive.
        ready: Called when it can be stopped, and requests are taken.
        timeout_s: None for no end.

    Raises:
        Exception: Whatever *ready*, or doing that after the answer, raised.
    """
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            enough = await _connection(reader, writer, path, receive, complain)
            if enough and not done.done():
                done.set_result(True)
        except Exception as exc:  # noqa: BLE001 -- raised where it ends the program
            if not done.done():
                done.set_exception(exc)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, sock=listener)
    try:
        ready()
        async with asyncio.timeout(timeout_s):
            return await done
    except TimeoutError:
        return False
    finally:
        server.close()


async def _connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    receive: Receive,
    complain: Callable[[str], None],
) -> bool:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT_BYTES)
    refused = None
    then: Then = bool
    try:
        async with asyncio.timeout(REQUEST_S):
            request = await _request(connection, reader, writer, path)
        if request is None:
            return False
        status, then = receive(*request)
    except h11.RemoteProtocolError as exc:
        status, refused = exc.error_status_hint, "is not HTTP/1.1"
    except _RefusedError as exc:
        status, refused = exc.status, str(exc)
    # Before OSError, which it is one of.
    except TimeoutError:
        status, refused = 408, "did not come in time"
    except OSError:
        complain("the sender left in the middle of it")
        return False
    # Whoever does not wait for the answer will send it again; it is none the less true for that.
    with suppress(OSError):
        await _answer(connection, writer, status)
    if refused is not None:
        complain(f"{status}: the request {refused}")
        await _linger(reader, writer)
        return False
    return then()


async def _request(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
) -> tuple[Headers, bytes] | None:
    """
    The headers and the body; None if nothing came.

    Raises:
        _RefusedError: Too large, of another method, or for another path.
        h11.RemoteProtocolError: No HTTP.
    """
    request = await _next(connection, reader, writer)
    if not isinstance(request, h11.Request):
        return None
    if request.target.decode("ascii").partition("?")[0] != path:
        raise _RefusedError(404, "is for another path; see --path")
    if request.method != b"POST":
        raise _RefusedError(405, "is no POST")
    length = next((int(value) for name, value in request.headers if name == b"content-length"), 0)
    body = bytearray()
    while length <= BODY_LIMIT_BYTES:
        part = await _next(connection, reader, writer)
        if not isinstance(part, h11.Data):
            return list(request.headers), bytes(body)
        body += part.data
        length = max(length, len(body))
    raise _RefusedError(413, f"has a body of more than {BODY_LIMIT_BYTES} bytes")


async def _next(connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> object:
    """What h11 makes of what comes next."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            await _send(writer, connection.send(h11.InformationalResponse(status_code=100, headers=[])))
        connection.receive_data(await reader.read(65536))
    return event


async def _answer(connection: h11.Connection, writer: asyncio.StreamWriter, status: int) -> None:
    """*status* and nothing else, so that nothing is told to whoever may ask."""
    headers = [("Content-Length", "0"), ("Connection", "close")]
    if status == 405:
        headers.append(("Allow", "POST"))
    await _send(
        writer, connection.send(h11.Response(status_code=status, headers=headers)), connection.send(h11.EndOfMessage())
    )


async def _send(writer: asyncio.StreamWriter, *parts: bytes | None) -> None:
    writer.writelines([part for part in parts if part])
    await writer.drain()


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what is still coming, for a moment: closing on it would take the answer from its reader."""
    with suppress(OSError, TimeoutError):
        writer.write_eof()
        async with asyncio.timeout(LINGER_S):
            while await reader.read(65536):
                pass
