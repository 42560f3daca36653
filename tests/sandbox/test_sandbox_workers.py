"""Several processes on one port: they are one sandbox, and each of them may die."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from coinbase_checkouts_sandbox import cli

if TYPE_CHECKING:
    from tests.sandbox.conftest import Server

PATH = "/api/v1/checkouts"
BODY = {"amount": "1.00", "currency": "USDC"}
PATIENCE_S = 20


def workers(server: Server) -> list[int]:
    """The processes that answer, by the parent's word in /proc; not the one that watches over shared memory."""
    parent = server.process.pid
    children = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def alive(pid: int) -> bool:
    """Whether it runs; one that has ended may still wait to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def create(url: str, key: str) -> bytes:
    """Create, however often the connection is lost."""
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.post(url + PATH, json=BODY, headers={"X-Idempotency-Key": key}, timeout=PATIENCE_S)
            assert 201 == answer.status_code, answer.text
            return answer.content
    raise AssertionError("it never answered")


def listed(url: str) -> set[str]:
    return {checkout["id"] for checkout in httpx.get(url + PATH, params={"pageSize": 100}).json()["checkouts"]}


@pytest.fixture
def two(serve: Callable[..., Server]) -> Server:
    """A server of two workers, without tokens, on a file."""
    return serve("--no-auth", "--workers", "2")


def test_each_worker_answers(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    There are two, behind one line on stdout and with one key file, and whichever is held up, the other answers.
    """
    server = serve("--workers", "2")
    key = json.loads((tmp_path / "cdp_api_key.json").read_text())
    now = int(time.time())
    claims = {"sub": key["id"], "iss": "cdp", "nbf": now, "exp": now + 120, "uri": f"GET 127.0.0.1{PATH}"}
    token = jwt.encode(claims, key["privateKey"], algorithm="ES256", headers={"kid": key["id"]})
    assert 2 == len(workers(server))
    for held_up in workers(server):
        os.kill(held_up, signal.SIGSTOP)
        assert 401 == httpx.get(server.url + PATH).status_code
        assert 200 == httpx.get(server.url + PATH, headers={"Authorization": f"Bearer {token}"}).status_code
        os.kill(held_up, signal.SIGCONT)
    server.process.send_signal(signal.SIGTERM)
    assert "" == server.stdout.read()


def test_one_key_makes_one_over_both(two: Server) -> None:
    """
    Of forty requests at once under four keys there are four checkouts, and one answer for each key.
    """
    keys = [str(uuid.uuid4()) for _ in range(4)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, [two.url] * 40, keys * 10))
    assert (4, 4) == (len(set(answers)), len(listed(two.url)))
    assert all(answer == answers[number % 4] for number, answer in enumerate(answers))


def test_a_worker_that_dies_is_replaced(two: Server) -> None:
    """
    While workers are killed nothing that was answered is lost, nothing is done twice, and soon there are two again.
    """
    keys = [str(uuid.uuid4()) for _ in range(40)]
    first, second = workers(two)
    with ThreadPoolExecutor(4) as pool:
        creating = [pool.submit(create, two.url, key) for key in keys]
        os.kill(first, signal.SIGKILL)
        answers = [future.result() for future in creating]
    eventually(lambda: len(workers(two)) == 2 and first not in workers(two))
    assert second in workers(two)
    assert answers == [create(two.url, key) for key in keys]
    assert 40 == len(listed(two.url))


def test_workers_end_with_their_parent(two: Server) -> None:
    """
    After kill -9 of the parent no worker goes on, and the port is free for the next server.
    """
    pids = workers(two)
    host, _, port = two.url.removeprefix("http://").rpartition(":")
    assert -signal.SIGKILL == two.stop(signal.SIGKILL)
    eventually(lambda: not any(map(alive, pids)))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, int(port)))
        probe.listen()


def test_a_signal_stops_all_with_success(two: Server) -> None:
    """
    SIGTERM ends parent and workers with 0, and the log has no traceback.
    """
    pids = workers(two)
    with httpx.Client(base_url=two.url) as client:
        assert 200 == client.get(PATH).status_code
        assert 0 == two.stop(signal.SIGTERM)
    eventually(lambda: not any(map(alive, pids)))
    assert "Traceback" not in two.log.read_text()


def test_a_worker_that_cannot_start_is_told(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    Where a replacement cannot read its key the reason is one line, the others go on, and it comes when it can.
    """
    server = serve("--workers", "2")
    key_file = tmp_path / "cdp_api_key.json"
    good = key_file.read_bytes()
    key_file.write_text("this is no key")
    first, second = workers(server)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: "a worker cannot start: key file" in server.log.read_text())
    assert 401 == httpx.get(server.url + PATH).status_code
    key_file.write_bytes(good)
    os.kill(second, signal.SIGSTOP)
    # Of two only the replacement can answer now.
    assert 401 == httpx.get(server.url + PATH, timeout=PATIENCE_S).status_code
    os.kill(second, signal.SIGCONT)
    assert 0 == server.stop()
    assert "Traceback" not in server.log.read_text()


def test_no_worker_at_all_is_an_end(tmp_path: Path) -> None:
    """
    Where no worker can start the server ends with an error, instead of as if all had been well.
    """
    program = """if __name__ == "__main__":
        import functools, socket, sys
        from coinbase_checkouts_sandbox.database import open_store
        from coinbase_checkouts_sandbox.serving import WorkerError, serve
        listener = socket.create_server(("127.0.0.1", 0))
        try:
            serve(functools.partial(open_store, "nonsense"), listener, workers=2)
        except WorkerError as exc:
            sys.exit(f"told: {exc}")
    """
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, str(tmp_path / "program.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (1, "", "told: a worker did not start") == (done.returncode, done.stdout, done.stderr.splitlines()[-1])
    assert "a worker cannot start: database: no SQLAlchemy URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_slow_workers_are_waited_for(tmp_path: Path) -> None:
    """
    On a busy machine workers may take longer to begin than one that serves may take to answer its parent.
    """
    program = """if __name__ in ("__main__", "__mp_main__"):
        import socket, time
        from coinbase_checkouts_sandbox import serving
        from starlette.applications import Starlette
        usual = serving.config_of
        def impatient(app, workers):
            config = usual(app, workers)
            config.timeout_worker_healthcheck = 0.1
            return config
        def slow():
            time.sleep(1)
            return Starlette()
    if __name__ == "__main__":
        serving.config_of = impatient
        serving.serve(slow, socket.create_server(("127.0.0.1", 0)), workers=2)
    """
    (tmp_path / "program.py").write_text(program.replace("\n    if", "\nif"))
    command = [sys.executable, str(tmp_path / "program.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        first = server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=30)
    assert "listening on http://127.0.0.1:" == first.rstrip("0123456789\n"), errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--workers", "2", "--database", "sqlite://"], "share"),
        (["--workers", "2", "--database", "sqlite:///:memory:"], "share"),
        (["--workers", "2", "--database", "sqlite:///file::memory:?uri=true"], "share"),
        (["--workers", "2", "--database", "sqlite:///file:x?mode=memory&cache=shared&uri=true"], "share"),
        (["--workers", "0"], "from 1 to 64"),
        (["--workers", "65"], "from 1 to 64"),
        (["--workers", "two"], "from 1 to 64"),
        (["--workers", "2", "--database", "sqlite:///missing/folder/x.sqlite3"], "unable to open database file"),
    ],
)
def test_what_they_cannot_share_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    """
    Memory is not shared, and what is wrong is told once, by the parent, before any worker starts.
    """
    monkeypatch.chdir(tmp_path)
    try:
        code: object = cli.main(["--port", "0", "--no-auth", *arguments])
    except SystemExit as exc:
        code = exc.code
    out, err = capfd.readouterr()
    assert (2, "", 1) == (code, out, err.count(told))
    assert [] == list(tmp_path.iterdir())
