"""A checkout API that shares nothing with ours: http.server in front of a shop, correct unless it is given a fault."""

from __future__ import annotations

import argparse
import gzip
import json
import threading
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from .faults import FAULTS, Fault
from .readings import Reading, reading
from .shop import Answer, Request, Shop, other
from .tokens import Gate

PREFIXES: Final = ("/api/v1/checkouts", "/sandbox/api/v1/checkouts")
IDLE_S: Final = 0.25
RIGHT: Final = Fault("right", "Nothing is wrong.")


class Server:
    """One server on a free port of loopback, from `with` to its end."""

    def __init__(self, kind: Reading, fault: Fault = RIGHT, *, port: int = 0) -> None:
        """Ready to be started."""
        self.gate = Gate(kind.key, kind.skew_s, kind.token_again == "refuse")
        self.shop = other(Shop, fault.changes)(kind, self.gate, fault.forgives)
        self.lock = threading.Lock()
        self.reading, self.fault = kind, fault
        handler: Any = type("BoundHandler", (Handler,), {"server_of": self, "timeout": 30.0})
        self.http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.http.shutdown()
        self.http.server_close()

    def answer(self, request: Request) -> Answer:
        """What the shop says, and the fault makes of it."""
        with self.lock:
            if request.operation == "control":
                return self.shop.control(request)
            request = self.fault.before(self.shop, request)
            answer = deepcopy(self.shop.handle(request))
            return self.fault.after(self.shop, request, answer)


class Handler(BaseHTTPRequestHandler):
    """HTTP in the manner of the reading."""

    protocol_version = "HTTP/1.1"
    server_of: Server
    # Head and body leave in one piece each; waiting for an acknowledgement between them costs 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Any method."""
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Request(
            self.command,
            unquote(parts.path),
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        place(request)
        self.send(request, self.server_of.answer(request))
        if self.server_of.reading.connection == "short" and not self.close_connection:
            # Of the next request only: a busy client may need longer to send its first.
            self.connection.settimeout(IDLE_S)

    do_POST = do_GET  # noqa: N815  # http.server's name

    def send(self, request: Request, answer: Answer) -> None:
        """Write an answer, framed as the reading has it."""
        kind, fault = self.server_of.reading, self.server_of.fault
        body, media = encoded(answer.body, kind)
        headers = {"Content-Type": media, "X-Served-By": "somebody else"} | answer.headers
        framing = kind.framing if request.operation != "control" else "length"
        if framing == "gzip" and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        last = kind.connection == "close" or framing == "close"
        if last:
            headers["Connection"] = "close"
            self.close_connection = True
        if framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        elif framing != "close":
            headers["Content-Length"] = str(len(body))
        if request.operation != "control" and fault.wire(self, request, answer, headers, body):
            self.close_connection = True
            return
        self.write(answer.status, headers, body)

    def write(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send bytes."""
        lines = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'No'}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def place(request: Request) -> None:
    """Find out which operation of which checkout is meant."""
    if request.path.startswith("/__sandbox__"):
        request.operation = "control"
        return
    for prefix in PREFIXES:
        if not request.path.startswith(prefix):
            continue
        parts = request.path.removeprefix(prefix).split("/")[1:]
        request.id = parts[0] if parts else ""
        request.operation = {
            ("POST", 0): "create",
            ("GET", 0): "list",
            ("GET", 1): "get",
            ("POST", 2): parts[1] if len(parts) == 2 and parts[1] in {"deactivate", "refund"} else "",
        }.get((request.method, len(parts)), "")


def encoded(body: Any, kind: Reading) -> tuple[bytes, str]:
    """The bytes of a body in the layout of the reading, and their media type."""
    if isinstance(body, bytes):
        return body, "application/json"
    if kind.layout == "spread":
        text = json.dumps(body, indent=3, sort_keys=True) + "\n"
    else:
        if isinstance(body, dict):
            body = dict(reversed(list(body.items())))  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return text.encode(), "application/json" + kind.charset


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.foreign.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key-file", required=True, help="where to write the key")
    parser.add_argument("--reading", default="a", help="a, b, or the seed of a mix")
    parser.add_argument("--fault", choices=sorted(FAULTS), metavar="NAME")
    options = parser.parse_args()
    fault = FAULTS[options.fault] if options.fault else RIGHT
    with Server(reading(options.reading), fault, port=options.port) as server:
        server.gate.write(options.key_file)
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
