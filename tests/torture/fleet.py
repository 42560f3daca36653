"""Servers on one database that are killed and started again while clients go on asking."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Condition
from typing import IO, Final

import httpx

# Recovery after a crash included, on a slow machine.
START_TIMEOUT_S: Final = 60


class StartError(Exception):
    """A server did not come up; with the end of its log."""


class Server:
    """The command, with all its processes in one group."""

    def __init__(self, database: str, *, workers: int, log: Path) -> None:
        command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0", "--no-auth"]
        command += ["--database", database, *(["--workers", str(workers)] if workers > 1 else [])]
        self.log = log
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                command, cwd=log.parent, stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True
            )
        assert self.process.stdout is not None
        self._stdout: IO[str] = self.process.stdout

    def url(self) -> str:
        """
        Where it listens, once it does.

        Raises:
            StartError: It ended instead.
        """
        line = self._stdout.readline()
        if not line.startswith("listening on "):
            code = self.process.wait(timeout=START_TIMEOUT_S)
            raise StartError(f"did not start, exit code {code}: {self.log.read_text(errors='replace')[-1000:]}")
        return line.removeprefix("listening on ").strip()

    def children(self) -> list[int]:
        """Process ids: its workers, and what else it has started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def kill(self) -> None:
        """kill -9 of all its processes at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=START_TIMEOUT_S)
        self._stdout.close()


class Fleet:
    """Some servers, of which any may be down at any moment."""

    def __init__(self, database: str, *, servers: int, workers: int, folder: Path) -> None:
        self._database, self._workers, self._folder = database, workers, folder
        self._servers: list[Server | None] = [None] * servers
        self._urls: dict[int, str] = {}
        self._changed = Condition()
        self._abandoned = False
        self.killed = 0
        """Processes or groups of them."""

    def url(self, draw: Random) -> str:
        """
        One of the running servers, waiting for one if need be.

        Raises:
            StartError: None has come up in time, or none will.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._urls or self._abandoned, timeout=2 * START_TIMEOUT_S)
            if not self._urls:
                raise StartError("no server is running")
            return draw.choice(sorted(self._urls.values()))

    def start(self, *slots: int) -> None:
        """
        Start those that are down, at the same moment.

        Raises:
            StartError: One did not come up.
        """
        self._launch(slots)
        for slot in slots:
            server = self._servers[slot]
            assert server is not None
            url = server.url()
            with self._changed:
                self._urls[slot] = url
                self._changed.notify_all()

    def stumble(self, *slots: int, after_s: float) -> None:
        """Start them, and kill them that much later, whether they are ready or not."""
        self._launch(slots)
        time.sleep(after_s)
        self.kill(*slots)

    def kill(self, *slots: int) -> None:
        """kill -9. Clients learn of it when their connections break."""
        for slot in slots:
            server = self._servers[slot]
            if server is not None:
                server.kill()
                self.killed += 1
            self._servers[slot] = None
        with self._changed:
            for slot in slots:
                self._urls.pop(slot, None)

    def kill_a_child(self, slot: int, draw: Random) -> None:
        """kill -9 of one of a server's own processes, whose loss it has to make good by itself."""
        server = self._servers[slot]
        assert server is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(draw.choice(server.children()), signal.SIGKILL)
            self.killed += 1

    def kill_the_parent(self, slot: int) -> None:
        """
        kill -9 of the process that started the workers.

        Raises:
            StartError: They go on without it, and nobody could ever stop them.
        """
        server, url = self._servers[slot], httpx.URL(self._urls[slot])
        assert server is not None
        server.process.kill()
        server.process.wait(timeout=START_TIMEOUT_S)
        self.killed += 1
        deadline = time.monotonic() + START_TIMEOUT_S
        with contextlib.suppress(OSError):
            while True:
                socket.create_connection((url.host, url.port or 80), timeout=START_TIMEOUT_S).close()
                if time.monotonic() > deadline:
                    raise StartError("left workers behind that take connections")
                time.sleep(0.05)

    def abandon(self) -> None:
        """Nothing will be started any more: nobody need wait."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def revive(self) -> None:
        """
        Start again what has ended by itself, as it may after the loss of a worker.

        Raises:
            StartError: One did not come up.
        """
        ended = [slot for slot, one in enumerate(self._servers) if one is None or one.process.poll() is not None]
        self.kill(*ended)
        self.start(*ended)

    @property
    def slots(self) -> Sequence[int]:
        return range(len(self._servers))

    def _launch(self, slots: Sequence[int]) -> None:
        for slot in slots:
            log = self._folder / f"server-{slot}.log"
            self._servers[slot] = Server(self._database, workers=self._workers, log=log)


@contextmanager
def fleet(database: str, *, servers: int, workers: int, folder: Path) -> Generator[Fleet]:
    """A fleet, all of it running; gone at the end of the block."""
    ships = Fleet(database, servers=servers, workers=workers, folder=folder)
    try:
        ships.start(*ships.slots)
        yield ships
    finally:
        ships.kill(*ships.slots)
