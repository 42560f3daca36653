"""Many at once, several processes, and ends without warning: real servers on real files."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Server

PATH = "/api/v1/checkouts"
BODY = {"amount": "1.00", "currency": "USDC"}


def at_once(urls: list[str], count: int, path: str, body: dict[str, Any], headers: dict[str, str]) -> list[bytes]:
    """Send the same request *count* times at the same moment, spread over *urls*; all answers must be good."""
    barrier = Barrier(count)

    def send(number: int) -> bytes:
        with httpx.Client(base_url=urls[number % len(urls)], timeout=60) as client:
            client.get("/__sandbox__/")
            barrier.wait()
            answer = client.post(path, json=body, headers=headers)
            assert answer.status_code in {200, 201}, answer.text
            return answer.content

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


def listed(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(url + PATH, params={"pageSize": 100}).json()["checkouts"]
    return found


def test_fifty_at_once_under_one_key_make_one(serve: Callable[..., Server], idempotency_key: str) -> None:
    """
    Fifty threads that create under one key get one answer, and there is one checkout.
    """
    server = serve("--no-auth")
    answers = at_once([server.url], 50, PATH, BODY, {"X-Idempotency-Key": idempotency_key})
    assert (1, 1) == (len(set(answers)), len(listed(server.url)))


def test_fifty_at_once_without_a_key_make_fifty(serve: Callable[..., Server]) -> None:
    """
    Without a key each request creates a checkout of its own.
    """
    server = serve("--no-auth")
    answers = at_once([server.url], 50, PATH, BODY, {})
    assert (50, 50) == (len(set(answers)), len(listed(server.url)))


def test_two_processes_under_one_key_make_one(serve: Callable[..., Server]) -> None:
    """
    Two servers on one file decide together: one checkout for each key, and each server knows it.
    """
    servers = [serve("--no-auth"), serve("--no-auth")]
    urls = [server.url for server in servers]
    for _ in range(5):
        answers = at_once(urls, 10, PATH, BODY, {"X-Idempotency-Key": str(uuid.uuid4())})
        assert 1 == len(set(answers))
    assert 5 == len(listed(urls[0])) == len(listed(urls[1]))


def test_two_processes_refund_once(serve: Callable[..., Server], idempotency_key: str) -> None:
    """
    Two servers that are asked for one full refund under one key start one refund.
    """
    urls = [serve("--no-auth").url, serve("--no-auth").url]
    checkout_id = httpx.post(urls[0] + PATH, json=BODY).json()["id"]
    httpx.post(f"{urls[1]}/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "COMPLETED"})
    headers = {"X-Idempotency-Key": idempotency_key}
    answers = at_once(urls, 10, f"{PATH}/{checkout_id}/refund", {"amount": "1.00"}, headers)
    assert (1, 1) == (len(set(answers)), len(listed(urls[0])[0]["refunds"]))


def test_processes_agree_on_the_time(serve: Callable[..., Server]) -> None:
    """
    The clock that is moved through one server has moved for the other.
    """
    one, other = serve("--no-auth").url, serve("--no-auth").url
    moved = httpx.post(f"{one}/__sandbox__/clock/advance", json={"seconds": 86400}).json()["now"]
    seen = httpx.get(f"{other}/__sandbox__/").json()["now"]
    assert moved <= seen
    assert moved[:10] == seen[:10]


def test_two_processes_can_start_on_a_fresh_file(serve: Callable[..., Server]) -> None:
    """
    Servers that start at the same moment both come up, with one key file and one database between them.
    """
    with ThreadPoolExecutor(4) as pool:
        starting = [pool.submit(serve) for _ in range(4)]
    servers = [server.result() for server in starting]
    assert [200] * 4 == [httpx.get(f"{server.url}/__sandbox__/").status_code for server in servers]


@pytest.mark.parametrize("round_", range(3))
def test_what_was_answered_survives_a_kill(serve: Callable[..., Server], idempotency_key: str, round_: int) -> None:
    """
    After kill -9 every acknowledged checkout is there as it was told, and its key is remembered.
    """
    server = serve("--no-auth")
    headers = {"X-Idempotency-Key": idempotency_key}
    others = [httpx.post(server.url + PATH, json=BODY).json() for _ in range(round_ * 3)]
    first = httpx.post(server.url + PATH, json=BODY, headers=headers)
    assert -signal.SIGKILL == server.stop(signal.SIGKILL)
    again = serve("--no-auth").url
    assert first.json() == httpx.get(f"{again}{PATH}/{first.json()['id']}").json()
    repeated = httpx.post(again + PATH, json=BODY, headers=headers)
    assert (201, first.content) == (repeated.status_code, repeated.content)
    by_id = {checkout["id"]: checkout for checkout in listed(again)}
    assert {checkout["id"]: checkout for checkout in [*others, first.json()]} == by_id


def test_a_large_body_is_refused_over_a_socket(serve: Callable[..., Server]) -> None:
    """
    A sender of 20 MiB can read the 400 that refuses it.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    headers = {"content-type": "application/json"}
    answer = httpx.post(server.url + PATH, content=b"x" * (20 << 20), headers=headers, timeout=60)
    assert (400, True) == (answer.status_code, "larger than" in answer.json()["errorMessage"])


def test_the_log_is_flushed_to_disk_at_every_commit(serve: Callable[..., Server]) -> None:
    """
    The default database is a file with a write-ahead log, and every connection flushes it fully.
    """
    from coinbase_checkouts_sandbox.database import open_store

    server = serve("--no-auth")
    folder = server.log.parent
    store = open_store(f"sqlite:///{folder / 'checkouts-sandbox.sqlite3'}")
    with store.reading() as transaction:
        pragma = transaction._connection.exec_driver_sql
        assert ("wal", 2) == (pragma("PRAGMA journal_mode").scalar_one(), pragma("PRAGMA synchronous").scalar_one())
    store.close()


def test_the_file_is_for_its_owner(serve: Callable[..., Server]) -> None:
    """
    The database, which has the secrets of webhooks in it, is made for its owner only, and so is its log.
    """
    server = serve("--no-auth")
    httpx.post(server.url + PATH, json=BODY)
    files = sorted(server.log.parent.glob("checkouts-sandbox.sqlite3*"))
    assert [0o600] * len(files) == [file.stat().st_mode & 0o777 for file in files]
    assert len(files) >= 2
