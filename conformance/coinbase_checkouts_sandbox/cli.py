"""
`coinbase-checkouts sandbox`: the server as a command.

Stdout has one line, once requests are answered: `listening on http://HOST:PORT`. All else is on stderr.
Exit code 0 after SIGINT or SIGTERM, 2 for anything wrong with what was asked.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Final

import uvicorn

from coinbase_checkouts_sandbox.app import LOG, create_app
from coinbase_checkouts_sandbox.database import DatabaseError
from coinbase_checkouts_sandbox.keys import KeyFileError, VerificationKey, read_or_create
from coinbase_checkouts_sandbox.loopback import is_loopback

DEFAULT_PORT: Final = 8402
DEFAULT_DATABASE: Final = "sqlite:///checkouts-sandbox.sqlite3"
DEFAULT_KEY_FILE: Final = "cdp_api_key.json"

# Time for requests under way when the server is stopped; each takes milliseconds.
_STOP_TIMEOUT_S: Final = 1


def main(argv: list[str]) -> int:
    """Run the command with the arguments after its name, until it is stopped."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    LOG.setLevel(logging.INFO)
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(_listen(arguments.host, arguments.port))
            keys = None if arguments.no_auth else _keys(Path(arguments.key_file))
            app = create_app(database=arguments.database, keys=keys)
        except (KeyFileError, DatabaseError, OSError) as exc:
            print(f"coinbase-checkouts sandbox: {exc}", file=sys.stderr)
            return 2
        if keys is None:
            LOG.warning("--no-auth: every request is answered, with a token or without")
        LOG.info("database %s", app.state.world.store.url)
        config = uvicorn.Config(
            app,
            # Its own log of requests would repeat ours, without the correlation id.
            log_config=None,
            access_log=False,
            server_header=False,
            # There is no proxy in front; a header must not decide who asks, or what the page's URL is.
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_STOP_TIMEOUT_S,
        )
        server = _Server(config)
        asyncio.run(server.serve(sockets=[listener]))
        if server.unheard is not None:
            why = f"stdout: {server.unheard}; nobody would know where it listens"
            print(f"coinbase-checkouts sandbox: {why}", file=sys.stderr)
            return 2
    return 0


class _Server(uvicorn.Server):
    """
    Uvicorn that says when it is ready, and for which being told to stop is success.

    Attributes:
        unheard: Why it could not say so; it then stops at once.
    """

    unheard: str | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        try:
            print(f"listening on http://{shown}:{port}", flush=True)
        except OSError as exc:
            # What is left in the buffer would fail once more, noisily, at the interpreter's end.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
            self.unheard = exc.strerror or "cannot be written"
            self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # The original raises the signal again after stopping, which makes the exit code one of failure.
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coinbase-checkouts sandbox",
        description="A local server that speaks the Coinbase Business Checkouts API, with state. Unofficial.",
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument(
        "--database",
        default=DEFAULT_DATABASE,
        metavar="URL",
        help="any SQLAlchemy URL; sqlite:// is memory (default: %(default)s)",
    )
    parser.add_argument(
        "--key-file",
        default=DEFAULT_KEY_FILE,
        metavar="PATH",
        help="API key whose tokens are accepted; written if there is none (default: %(default)s)",
    )
    parser.add_argument("--no-auth", action="store_true", help="answer every request, without asking for a token")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return int(text)


def _listen(host: str, port: int) -> socket.socket:
    """
    A socket that takes connections from now on; they wait until the server is ready.

    Raises:
        OSError: In words for the user.
    """
    if not is_loopback(host):
        raise OSError("--host: only loopback addresses are served, such as 127.0.0.1 or ::1")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # So that a restart need not wait for connections of the last run to be forgotten.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        raise OSError(f"cannot listen on {host} port {port}: {exc.strerror}") from None
    return listener


def _keys(path: Path) -> dict[str, VerificationKey]:
    fresh_id = f"organizations/{uuid.uuid4()}/apiKeys/{uuid.uuid4()}"
    key, created = read_or_create(path, fresh_id=fresh_id)
    LOG.info("key file %s (%s)", path.resolve(), "written just now" if created else "read")
    return {key.id: key}
