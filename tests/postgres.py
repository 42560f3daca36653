"""
A PostgreSQL of our own: a fresh cluster in a temporary folder, on a free port of this machine, gone when we are.

fsync stays on, since what is tested with it is that nothing acknowledged is lost.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

PROGRAMS: Final = ("initdb", "pg_ctl", "pg_isready", "postgres")

# Debian and its kin keep all but the client's programs out of PATH; the newest version first.
SEARCHED: Final = os.pathsep.join(
    [
        os.environ.get("PATH", os.defpath),
        *map(str, sorted(Path("/usr/lib/postgresql").glob("[1-9][0-9]/bin"), reverse=True)),
    ]
)

_SETTINGS: Final = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "max_connections=80",
    "max_wal_size=256MB",
    "logging_collector=off",
)

# Runs the server until its own stdin ends, which it does however we come to our end, kill -9 included.
_KEEPER: Final = """
postgres=$1 folder=$2; shift 2
"$postgres" -D "$folder/cluster" "$@" </dev/null & server=$!
cat >/dev/null
kill -QUIT $server 2>/dev/null
wait $server
"""

_START_TIMEOUT_S: Final = 60


class Postgres:
    """
    A running PostgreSQL; `with running() as postgres` makes one.

    Attributes:
        password: Of its only user; part of every URL.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = secrets.token_hex(8)
        self._names = (f"test_{number}" for number in count())
        # PostgreSQL refuses to run as root.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        secret = folder / "password"
        secret.write_text(self.password)
        # Readable for its user only through the folder, which is 0700.
        secret.chmod(0o644)
        # What the power cut after making an empty cluster would lose is no matter.
        options = ("--no-sync", "--encoding=UTF8", "--locale=C", "--username=tests", "--auth=scram-sha-256")
        self._run("initdb", "-D", str(folder / "cluster"), f"--pwfile={secret}", *options)
        self.port = _free_port()
        self._keeper: subprocess.Popen[Any] | None = None
        self.start()

    def start(self) -> None:
        """
        Start it, and wait until it takes connections.

        Raises:
            RuntimeError: It does not.
        """
        log = self.folder / "log"
        settings = [f"--{setting}" for setting in (*_SETTINGS, f"port={self.port}")]
        with log.open("ab") as stderr:
            command = ["sh", "-c", _KEEPER, "sh", _program("postgres"), str(self.folder), *settings]
            # Of a session of its own, so that Ctrl-C comes to us, and the end of stdin to it.
            self._keeper = subprocess.Popen(
                command, stdin=subprocess.PIPE, stderr=stderr, stdout=stderr, start_new_session=True, **self._here()
            )
        ask = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + _START_TIMEOUT_S
        while subprocess.run(ask, check=False).returncode:
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def stop(self, mode: str = "immediate") -> None:
        """
        Stop it, and wait until it has.

        Args:
            mode: As of pg_ctl; immediate is without a checkpoint, as in a crash.
        """
        if self._keeper is None:
            return
        if mode != "immediate":
            self._run("pg_ctl", "-D", str(self.folder / "cluster"), "-m", mode, "-w", "stop")
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(timeout=_START_TIMEOUT_S)
        self._keeper = None

    def crash(self) -> None:
        """Stop it as a power cut would, and start it again."""
        self.stop()
        self.start()

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://tests:{self.password}@127.0.0.1:{self.port}/{name}"

    def database(self) -> str:
        """The URL of a new and empty database."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement: str) -> None:
        """Run a statement as the superuser, outside a transaction."""
        address = self.url("postgres").replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([_program(program), *arguments], check=False, capture_output=True, **self._here())
        if done.returncode:
            raise RuntimeError(f"{program}: {(done.stderr or done.stdout).decode(errors='replace')[-2000:]}")

    def _here(self) -> dict[str, Any]:
        return {"cwd": self.folder, **self._as}


@contextmanager
def running() -> Generator[Postgres]:
    """A PostgreSQL for the length of a block. Its programs must be there: leftout.missing says whether they are."""
    # Not a folder of pytest, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        postgres = Postgres(Path(folder))
        try:
            yield postgres
        finally:
            postgres.stop()


def _program(name: str) -> str:
    found = shutil.which(name, path=SEARCHED)
    assert found is not None, f"{name} is not installed"
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
