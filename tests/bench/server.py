"""A server that costs as little as Python can: whatever is asked, the same checkout. Prints its port."""

from __future__ import annotations

import asyncio
import sys


class Answer(asyncio.Protocol):
    """Answers each request once its head, and the body it announces, has come."""

    answer = b""

    def __init__(self) -> None:
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while True:
            head, separator, rest = self._pending.partition(b"\r\n\r\n")
            if not separator:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self._pending = rest[length:]
            self._transport.write(self.answer)


async def main(body: bytes) -> None:
    """Serve until killed."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    Answer.answer = head.encode() + body
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].encode()))
