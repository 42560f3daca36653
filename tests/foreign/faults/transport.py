"""Answers that do not arrive as HTTP has it."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ..shop import Answer, Request
from .fault import Wire, fault


def wired(name: str, says: str, send: Wire, *operations: str, harmless: bool = False) -> None:
    """A fault in how an answer is sent."""

    def wire(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
        return request.operation in operations and send(handler, request, answer, headers, body)

    fault(name, says, wire=wire, harmless=harmless)


def plain(handler: Any, answer: Answer, body: bytes, **more: str) -> None:
    """An answer in one piece, framed as told."""
    del body
    text = json.dumps(answer.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(text)), "Connection": "close"}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    handler.write(answer.status, {name: value for name, value in headers.items() if value}, text)


def hangs(handler: Any, *_: Any) -> bool:
    """Say nothing for longer than anybody waits."""
    del handler
    time.sleep(60)
    return True


def drips(handler: Any, _: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
    """A byte every half second."""
    del body
    text = json.dumps(answer.body).encode()
    handler.write(answer.status, {"Content-Type": headers["Content-Type"], "Content-Length": str(len(text))}, b"")
    for byte in text:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.5)
    return True


def endless(handler: Any, _: Request, answer: Answer, *__: Any) -> bool:
    """Blanks without end."""
    handler.write(answer.status, {"Content-Type": "application/json", "Connection": "close"}, b"{")
    for _blank in range(100_000):
        handler.wfile.write(b" " * 1000)
    return True


def redirects(status: int, place: Callable[[Request], str]) -> Wire:
    """Send elsewhere."""

    def send(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
        del answer, headers, body
        if request.query.get("moved"):
            return False
        handler.write(status, {"Location": place(request), "Content-Length": "0"}, b"")
        return True

    return send


def sends(change: Callable[[Any, Request, Answer, bytes], object]) -> Wire:
    """Something else than HTTP would have."""

    def send(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
        del headers
        change(handler, request, answer, body)
        return True

    return send


def text_of(answer: Answer) -> bytes:
    """The body in JSON."""
    return json.dumps(answer.body).encode()


wired("hang-refund", "Refunds are never answered.", hangs, "refund")
wired("hang-list", "Lists are never answered.", hangs, "list")
wired("drip-list", "Lists come a byte at a time.", drips, "list")
wired("drip-deactivate", "Deactivations come a byte at a time.", drips, "deactivate")
wired("endless-get", "A checkout that is read never ends.", endless, "get")
wired("redirect-307", "Readings are redirected once.", redirects(307, lambda request: request.path + "?moved=1"), "get")
wired(
    "redirect-302-create", "Creations are redirected to the checkout's page.", redirects(302, lambda _: "/"), "create"
)
wired("redirect-308-loop", "Lists are redirected to themselves.", redirects(308, lambda request: request.path), "list")
wired(
    "redirect-301-slash", "Lists are redirected to a slash.", redirects(301, lambda request: request.path + "/"), "list"
)
wired(
    "cut-body",
    "Bodies are cut in half.",
    sends(
        lambda handler, _, answer, body: handler.write(
            answer.status,
            {"Content-Type": "application/json", "Content-Length": str(len(text_of(answer)))},
            text_of(answer)[: len(text_of(answer)) // 2],
        )
    ),
    "list",
)
wired(
    "length-long",
    "Content-Length is too long.",
    sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Length=str(len(text_of(answer)) + 10))),
    "get",
)
wired(
    "length-short",
    "Content-Length is too short.",
    sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Length=str(len(text_of(answer)) - 10))),
    "get",
)
wired(
    "length-none-words",
    "Content-Length is no number.",
    sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Length="long")),
    "deactivate",
)
wired(
    "gzip-garbage",
    "What is called gzip is none.",
    sends(lambda handler, _, answer, body: plain(handler, answer, body, Content_Encoding="gzip")),
    "get",
)
wired(
    "chunk-garbage",
    "Chunks have no size.",
    sends(
        lambda handler, _, answer, body: handler.write(
            answer.status,
            {"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
            b"zz\r\n" + text_of(answer),
        )
    ),
    "get",
)
wired(
    "chunk-cut",
    "The last chunk does not come.",
    sends(
        lambda handler, _, answer, body: handler.write(
            answer.status,
            {"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
            b"%x\r\n%s\r\n" % (len(text_of(answer)), text_of(answer)),
        )
    ),
    "refund",
)
wired("drop", "Deactivations are done, and the connection ends.", sends(lambda *_: None), "deactivate")
wired("drop-create", "Creations are done, and the connection ends.", sends(lambda *_: None), "create")
wired(
    "not-http",
    "Lists are answered in another protocol.",
    sends(lambda handler, *_: handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "list",
)
wired(
    "status-line-alone",
    "Readings are answered with a status line alone.",
    sends(lambda handler, *_: handler.wfile.write(b"HTTP/1.1 200 OK\r\n")),
    "get",
)
wired("drop-list", "Lists are not answered, and the connection ends.", sends(lambda *_: None), "list")
wired("drop-get", "Readings are not answered, and the connection ends.", sends(lambda *_: None), "get")
