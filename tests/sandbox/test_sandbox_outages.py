"""A database that is gone, full or read-only: for real, under a server that stays up and says so."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from ..leftout import leave_out
from ..postgres import Postgres, running
from ..torture.journal import torn

if TYPE_CHECKING:
    from tests.sandbox.conftest import Server

PATH = "/api/v1/checkouts"
BODY = {"amount": "10.00", "currency": "USDC"}
ERROR_BODY = {"errorType", "errorMessage", "correlationId", "errorLink"}

# Until a server has noticed that its database is back.
PATIENCE_S = 20.0


class Trouble(Protocol):
    """A database that can be made to refuse writes."""

    url: str

    def begin(self, server: Server) -> None:
        """Refuse them from now on."""

    def end(self, server: Server) -> None:
        """Take them again."""


class FileLimit:
    """No file of the server may grow: the kernel refuses each write beyond its end."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'limited.sqlite3'}"
        self._folder = folder

    def begin(self, server: Server) -> None:
        longest = max(path.stat().st_size for path in self._folder.glob("limited.sqlite3*"))
        self._limit(server, longest)

    def end(self, server: Server) -> None:
        self._limit(server, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(server: Server, size: int) -> None:
        for pid in (server.process.pid, *_children(server.process.pid)):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class FullDisk:
    """A file system of 4 MiB, all of it taken."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'full.sqlite3'}"
        self._ballast = folder / "ballast"

    def begin(self, server: Server) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def end(self, server: Server) -> None:
        self._ballast.unlink()


class ReadOnlyPostgres:
    """A PostgreSQL that was told to write nothing, as a standby is."""

    def __init__(self, postgres: Postgres) -> None:
        self.url, self._postgres = postgres.database(), postgres

    def begin(self, server: Server) -> None:
        self._set("on")

    def end(self, server: Server) -> None:
        self._set("off")

    def _set(self, value: str) -> None:
        name = self.url.rpartition("/")[2]
        # Into force for connections to come; those there are, are closed.
        self._postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        self._postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


@contextmanager
def small_disk(folder: Path) -> Generator[Path | None]:
    """A file system of its own in memory; None where mounting is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        leave_out("a disk that is really full", "mounting one is not allowed")
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(params=["file limit", "full disk", "read-only PostgreSQL"])
def trouble(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Trouble]:
    if request.param == "read-only PostgreSQL":
        yield ReadOnlyPostgres(request.getfixturevalue("postgres"))
    elif request.param == "file limit":
        yield FileLimit(tmp_path)
    else:
        with small_disk(tmp_path / "disk") as disk:
            if disk is None:
                pytest.skip("mounting a small disk is not allowed")
            yield FullDisk(disk)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def create(url: str, key: str | None = None, **fields: Any) -> httpx.Response:
    headers = {} if key is None else {"X-Idempotency-Key": key}
    return httpx.post(url + PATH, json={**BODY, **fields}, headers=headers, timeout=60)


def paid(url: str) -> str:
    """The id of a new paid checkout."""
    checkout_id: str = create(url).json()["id"]
    answer = httpx.post(f"{url}/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "COMPLETED"})
    assert 200 == answer.status_code, answer.text
    return checkout_id


def refused(answer: httpx.Response, server: Server) -> str:
    """Check a 503 and its line in the log; its message."""
    assert 503 == answer.status_code, answer.text
    content = answer.json()
    assert set(content) == ERROR_BODY
    assert "service_unavailable" == content["errorType"]
    lines = [line for line in server.log.read_text().splitlines() if content["correlationId"] in line]
    assert [True] == [line.startswith("database: ") for line in lines if " 503 " not in line]
    assert "Traceback" not in server.log.read_text()
    message: str = content["errorMessage"]
    return message


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is no 503; the last one when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask()).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def test_writes_are_refused_and_reads_answered(serve: Callable[..., Server], trouble: Trouble) -> None:
    """
    While nothing can be written each write is 503 and says why, each read is answered, and nothing is half done; when
    it can be written again, the server goes on by itself, and the key of a refused write is free.
    """
    server = serve("--no-auth", "--database", trouble.url)
    checkout_id, key = paid(server.url), str(uuid.uuid4())
    kept = create(server.url, key)
    before = patiently(lambda: httpx.get(server.url + PATH)).json()
    trouble.begin(server)
    try:
        # What was allotted before may take a little more, and the connection may have to be made anew.
        told = [create(server.url, description="x" * 400) for _ in range(40)]
        told = [answer for answer in told if answer.status_code != 201]
        assert told
        late, refund_key = str(uuid.uuid4()), str(uuid.uuid4())
        path = f"{server.url}{PATH}/{checkout_id}/refund"
        refund: dict[str, Any] = {"json": {"amount": "10.00"}, "headers": {"X-Idempotency-Key": refund_key}}
        told += [
            create(server.url, late),
            httpx.post(path, **refund),
            httpx.post(f"{server.url}{PATH}/{kept.json()['id']}/deactivate"),
            httpx.post(f"{server.url}/__sandbox__/clock/advance", json={"seconds": 3600}),
        ]
        for answer in told:
            assert "database cannot be written" in refused(answer, server)
        during = httpx.get(server.url + PATH, params={"pageSize": "100"})
        assert 200 == during.status_code
        by_id = {checkout["id"]: checkout for checkout in during.json()["checkouts"]}
        assert before["checkouts"] == [by_id[checkout["id"]] for checkout in before["checkouts"]]
        one = httpx.get(f"{server.url}{PATH}/{checkout_id}")
        assert (200, []) == (one.status_code, torn(one.json()))
        assert 200 == httpx.get(f"{server.url}/__sandbox__/").status_code
    finally:
        trouble.end(server)
    made = patiently(lambda: create(server.url, late))
    assert 201 == made.status_code, made.text
    assert made.content == create(server.url, late).content
    assert kept.content == create(server.url, key).content
    started = httpx.post(path, **refund)
    assert (200, "REFUNDED") == (started.status_code, started.json()["checkout"]["status"])
    after = httpx.get(server.url + PATH, params={"pageSize": "100"}).json()["checkouts"]
    assert {made.json()["id"]} == {checkout["id"] for checkout in after} - set(by_id)
    assert None is server.process.poll()


def test_what_is_read_only_is_not_served(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    A file that cannot be written is refused at start, with exit code 2 and one line that names it.
    """
    with small_disk(tmp_path / "disk") as disk:
        folder = disk or tmp_path / "disk"
        file = folder / "sandbox.sqlite3"
        first = serve("--no-auth", "--database", f"sqlite:///{file}")
        create(first.url)
        assert 0 == first.stop()
        # Root may write whatever the mode says.
        if disk is None:
            file.chmod(0o444)
            folder.chmod(0o555)
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        second = serve("--no-auth", "--database", f"sqlite:///{file}")
        folder.chmod(0o755) if disk is None else None
        log = second.log.read_text()
        assert ("", 2) == (second.first_line, second.stop())
        assert [True] == [str(file) in line for line in log.splitlines() if "read" in line and "only" in line]
        assert "Traceback" not in log


@contextmanager
def locked(url: str) -> Generator[None]:
    """Somebody else is in the middle of a write."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT * FROM sandbox FOR UPDATE")
        yield


def test_while_somebody_else_writes_reads_are_answered(serve: Callable[..., Server], database: str) -> None:
    """
    A lock that another program holds keeps writes waiting, of every kind and together, and no read; once it is gone
    all are done.
    """
    server = serve("--no-auth", "--database", database)
    ids = [create(server.url).json()["id"] for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        with locked(database):
            outcome = {"outcome": "COMPLETED"}
            pays = [
                pool.submit(httpx.post, f"{server.url}/__sandbox__/checkouts/{one}/pay", json=outcome, timeout=60)
                for one in ids
            ]
            created = pool.submit(create, server.url)
            for _ in range(10):
                assert 200 == httpx.get(f"{server.url}{PATH}/{ids[0]}", timeout=30).status_code
            assert not any(write.done() for write in (*pays, created))
        assert [200, 200, 200, 201] == [write.result().status_code for write in (*pays, created)]


@pytest.fixture
def own_postgres(postgres: Postgres) -> Generator[Postgres]:
    """A PostgreSQL that a test may stop and start; asking for the shared one first skips where there is none."""
    with running() as server:
        yield server


def test_postgres_may_crash_and_come_back(serve: Callable[..., Server], own_postgres: Postgres) -> None:
    """
    While PostgreSQL is down everything is 503 at once; when it is back the server goes on by itself, with all that
    was acknowledged, and a key of before or during the outage acts once.
    """
    server = serve("--no-auth", "--database", own_postgres.database())
    first, last = str(uuid.uuid4()), str(uuid.uuid4())
    checkout_id = paid(server.url)
    acknowledged = create(server.url, first)
    own_postgres.stop()
    asked = time.monotonic()
    down = [
        httpx.get(server.url + PATH),
        httpx.get(f"{server.url}{PATH}/{checkout_id}"),
        create(server.url),
        create(server.url, last),
        create(server.url, first),
        httpx.post(f"{server.url}{PATH}/{checkout_id}/refund", json={"amount": "1.00"}),
    ]
    assert 10 > time.monotonic() - asked
    for answer in down:
        refused(answer, server)
    own_postgres.start()
    back = patiently(lambda: create(server.url, last))
    assert 201 == back.status_code, back.text
    assert back.content == create(server.url, last).content
    assert acknowledged.content == create(server.url, first).content
    there = httpx.get(server.url + PATH).json()["checkouts"]
    assert {checkout_id, acknowledged.json()["id"], back.json()["id"]} == {checkout["id"] for checkout in there}
    assert own_postgres.password not in server.log.read_text()


def test_lost_connections_are_made_anew(serve: Callable[..., Server], postgres: Postgres) -> None:
    """
    When PostgreSQL closes every connection, the next requests are answered as if nothing had been.
    """
    url = postgres.database()
    server = serve("--no-auth", "--database", url)
    checkout_id = create(server.url).json()["id"]
    name = url.rpartition("/")[2]
    for _ in range(3):
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert 200 == httpx.get(f"{server.url}{PATH}/{checkout_id}").status_code
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert 201 == create(server.url).status_code


@pytest.mark.parametrize("wrong", ["password", "parameter", "database", "port"])
def test_what_cannot_be_reached_is_said_without_the_password(
    serve: Callable[..., Server], postgres: Postgres, wrong: str
) -> None:
    """
    A PostgreSQL that refuses or is not there: exit code 2 and one line, with everything of the URL but the password.
    """
    url = postgres.database()
    broken = {
        "password": url.replace(postgres.password, "wrong-secret"),
        "parameter": f"{url.replace(postgres.password, 'wrong')}?password=wrong-secret",
        "database": f"{url}_not_there",
        "port": url.replace(f":{postgres.port}/", ":9/"),
    }
    server = serve("--no-auth", "--database", broken[wrong])
    log = server.log.read_text()
    assert ("", 2) == (server.first_line, server.stop())
    said = [line for line in log.splitlines() if line.startswith("coinbase-checkouts sandbox: ")]
    assert [True] == ["postgresql+psycopg://tests:***@127.0.0.1:" in line for line in said]
    assert not any(secret in log for secret in (postgres.password, "wrong-secret", "Traceback"))


def test_a_database_that_does_not_answer_is_given_up(serve: Callable[..., Server]) -> None:
    """
    Where connections are taken and nothing is ever said, the command ends with 2 before long.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = time.monotonic()
        server = serve("--database", f"postgresql+psycopg://tests:secret@127.0.0.1:{silent.getsockname()[1]}/none")
        assert ("", 2) == (server.first_line, server.stop())
    assert 30 > time.monotonic() - asked
    assert "timeout" in server.log.read_text()
