"""
`coinbase-checkouts sandbox`: the server as a command.

Stdout has one line, once requests are answered: `listening on http://HOST:PORT`. All else is on stderr.
Exit code 0 after SIGINT or SIGTERM, 2 for anything wrong with what was asked.
"""

import argparse
import contextlib
import socket
import sys
import uuid
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from coinbase_checkouts_sandbox import money, readings
from coinbase_checkouts_sandbox.app import create_app
from coinbase_checkouts_sandbox.database import DatabaseError, is_memory
from coinbase_checkouts_sandbox.endpoints import LOG
from coinbase_checkouts_sandbox.keys import KeyFileError, VerificationKey, read_or_create
from coinbase_checkouts_sandbox.loopback import is_loopback
from coinbase_checkouts_sandbox.readings import Readings
from coinbase_checkouts_sandbox.serving import UnheardError, WorkerError, log_to_stderr, serve

DEFAULT_PORT: Final = 8402
DEFAULT_DATABASE: Final = "sqlite:///checkouts-sandbox.sqlite3"
DEFAULT_KEY_FILE: Final = "cdp_api_key.json"

_MOST_WORKERS: Final = 64

# Connections that wait to be accepted.
_BACKLOG: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What was asked for, as far as the application is concerned. Each worker builds its own from it."""

    database: str = field(repr=False)
    key_files: tuple[Path, ...]
    view_only_key_files: tuple[Path, ...]
    revoked_key_files: tuple[Path, ...]
    auth: bool
    readings: Readings
    fee_rate: Decimal
    remote: bool
    remote_control: bool
    remote_webhooks: bool

    def __call__(self) -> Starlette:
        """
        The application.

        Raises:
            KeyFileError: A key file cannot be used.
            DatabaseError: The database cannot be used.
        """
        app = create_app(
            database=self.database,
            keys=self._keys() if self.auth else None,
            readings=self.readings,
            fee_rate=self.fee_rate,
            remote=self.remote,
            remote_control=self.remote_control,
            remote_webhooks=self.remote_webhooks,
        )
        LOG.info("database %s", app.state.world.store.url)
        return app

    def _keys(self) -> dict[str, VerificationKey]:
        keys: dict[str, VerificationKey] = {}
        for path in (*self.key_files, *self.view_only_key_files, *self.revoked_key_files):
            fresh_id = f"organizations/{uuid.uuid4()}/apiKeys/{uuid.uuid4()}"
            key, created = read_or_create(path, fresh_id=fresh_id)
            # A file may say so itself, too.
            view_only, revoked = path in self.view_only_key_files, path in self.revoked_key_files
            key = replace(key, may_transfer=key.may_transfer and not view_only, revoked=key.revoked or revoked)
            if key.id in keys:
                raise KeyFileError(f"key file {path}: its key was given before")
            keys[key.id] = key
            rights = "revoked" if key.revoked else "all rights" if key.may_transfer else "view only"
            LOG.info("key file %s (%s; %s)", path.resolve(), "written just now" if created else "read", rights)
        return keys


def main(argv: list[str]) -> int:
    """Run the command with the arguments after its name, until it is stopped."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    settings = _settings(parser, arguments)
    log_to_stderr(requests=not arguments.quiet)
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(_listen(arguments.host, arguments.port))
            if not settings.auth:
                LOG.warning("--no-auth: every request is answered, with a token or without")
            app = settings()
            if arguments.workers == 1:
                serve(lambda: app, listener)
            else:
                # What is wrong was told, and what was missing was made, once and before any worker starts.
                app.state.world.store.close()
                serve(settings, listener, workers=arguments.workers, quiet=arguments.quiet)
        except (KeyFileError, DatabaseError, UnheardError, WorkerError, OSError) as exc:
            print(f"coinbase-checkouts sandbox: {exc}", file=sys.stderr)
            return 2
    return 0


def _settings(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Settings:
    """What was asked for, or the end of the program with 2."""
    if not is_loopback(arguments.host):
        if not arguments.allow_remote:
            parser.error(
                f"--host {arguments.host} is no loopback address: to let other machines in, add --allow-remote"
            )
        if arguments.no_auth:
            parser.error("--allow-remote needs tokens: leave --no-auth out")
    if arguments.allow_remote_control and not arguments.allow_remote:
        parser.error("--allow-remote-control means nothing without --allow-remote")
    if arguments.workers > 1 and is_memory(arguments.database):
        parser.error("--workers needs a database they can share: sqlite:///FILE or another server's")
    try:
        chosen = readings.parse(part for text in arguments.reading for part in text.split(","))
    except ValueError as exc:
        parser.error(f"--reading: {exc}")
    return Settings(
        database=arguments.database,
        key_files=tuple(arguments.key_file or [Path(DEFAULT_KEY_FILE)]),
        view_only_key_files=tuple(arguments.view_only_key_file),
        revoked_key_files=tuple(arguments.revoked_key_file),
        auth=not arguments.no_auth,
        readings=chosen,
        fee_rate=arguments.fee_rate,
        remote=arguments.allow_remote,
        remote_control=arguments.allow_remote_control,
        remote_webhooks=arguments.allow_remote_webhooks,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coinbase-checkouts sandbox",
        description="A local server that speaks the Coinbase Business Checkouts API, with state. Unofficial.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_readings_help(),
    )
    add = parser.add_argument
    add("--port", type=_port, default=DEFAULT_PORT, help="0 picks a free one (default: %(default)s)")
    add("--host", default="127.0.0.1", help="a loopback address, unless --allow-remote (default: %(default)s)")
    add(
        "--database",
        default=DEFAULT_DATABASE,
        metavar="URL",
        help="any SQLAlchemy URL, such as postgresql+psycopg://…; sqlite:// is memory (default: %(default)s)",
    )
    add("--quiet", action="store_true", help="no line for each request on stderr, only what is wrong")
    add("--workers", type=_workers, default=1, metavar="N", help="processes on one port and database (default: 1)")
    keys = parser.add_argument_group("keys", "Files as of the Coinbase portal; one that is missing is written.")
    add = keys.add_argument
    add(
        "--key-file",
        action="append",
        type=Path,
        metavar="PATH",
        help=f"its tokens are accepted; may be repeated (default: {DEFAULT_KEY_FILE})",
    )
    add(
        "--view-only-key-file",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="its tokens are accepted, but not for what takes more than the right to view: 403",
    )
    add(
        "--revoked-key-file",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="its tokens are refused: 401",
    )
    add("--no-auth", action="store_true", help="answer every request, without asking for a token")
    world = parser.add_argument_group("behaviour")
    add = world.add_argument
    add(
        "--reading",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what to do where the published documents disagree; may be repeated (see below)",
    )
    add(
        "--fee-rate",
        type=_rate,
        default=money.FEE_RATE,
        metavar="RATE",
        help="part of a payment that is kept as fee (default: %(default)s)",
    )
    remote = parser.add_argument_group("other machines", "Nothing but this machine is talked to, unless told.")
    add = remote.add_argument
    add("--allow-remote", action="store_true", help="let --host be an address that other machines can reach")
    add("--allow-remote-control", action="store_true", help="answer control calls to other machines, too")
    add("--allow-remote-webhooks", action="store_true", help="send events to other machines, by https only")
    return parser


def _readings_help() -> str:
    choices = [f"  {reading.metadata['name']}={'|'.join(reading.metadata['choices'])}" for reading in fields(Readings)]
    return "\n".join(["readings (the first is the default):", *choices])


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return int(text)


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_WORKERS):
        raise argparse.ArgumentTypeError(f"must be from 1 to {_MOST_WORKERS}")
    return int(text)


def _rate(text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(-1)
    # NaN cannot be compared, and a fee must not read -0.00.
    if not rate.is_finite() or rate.is_signed() or rate >= 1:
        raise argparse.ArgumentTypeError("must be a number from 0 to less than 1, such as 0.0125")
    return rate


def _listen(host: str, port: int) -> socket.socket:
    """
    A socket that takes connections from now on; they wait until the server is ready.

    Raises:
        OSError: In words for the user.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # So that a restart need not wait for connections of the last run to be forgotten.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        raise OSError(f"cannot listen on {host} port {port}: {exc.strerror}") from None
    return listener
