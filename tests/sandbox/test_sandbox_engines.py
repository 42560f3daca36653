"""Several servers on one database, on a file of SQLite and on PostgreSQL alike."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import count, cycle
from pathlib import Path
from threading import Barrier, Event, current_thread
from types import SimpleNamespace
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import Engine, event

from coinbase_checkouts_sandbox import database
from coinbase_checkouts_sandbox.database import DatabaseError, open_store

from ..postgres import Postgres
from ..torture.journal import Journal, torn
from .conftest import Server

PATH = "/api/v1/checkouts"
BODY = {"amount": "10.00", "currency": "USDC"}
T = TypeVar("T")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """URLs of two servers on one database, which the tests here share: each looks only at what it has made itself."""
    folder = tmp_path_factory.mktemp("two")
    database = f"sqlite:///{folder / 'sandbox.sqlite3'}"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").database()
    with ThreadPoolExecutor(2) as pool:
        starting = [pool.submit(Server, folder, "--no-auth", "--database", database) for _ in range(2)]
    servers = [server.result() for server in starting]
    yield [server.url for server in servers]
    for server in servers:
        server.stop(signal.SIGKILL)


@pytest.fixture
def own() -> str:
    """A description that no other test's contains."""
    return uuid.uuid4().hex


def together(number: int, send: Callable[[httpx.Client], T]) -> list[T]:
    """What *number* threads get that all send at the same moment, each on a connection of its own."""
    barrier = Barrier(number)

    def one(_: int) -> T:
        # Without certificates: reading them two hundred times would take longer than all the rest.
        with httpx.Client(verify=False, timeout=60, trust_env=False) as client:
            barrier.wait()
            return send(client)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def spread(urls: Sequence[str], number: int, path: str, body: Any, key: str | None = None) -> list[httpx.Response]:
    """The answers to *number* POSTs at once, in turn to each of *urls*."""
    headers = {} if key is None else {"X-Idempotency-Key": key}
    turns = cycle(urls)
    return together(number, lambda client: client.post(next(turns) + path, json=body, headers=headers))


def good(answer: httpx.Response) -> Any:
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def paid(url: str, **fields: Any) -> str:
    """The id of a new paid checkout."""
    checkout_id: str = good(httpx.post(url + PATH, json={**BODY, **fields}))["id"]
    good(httpx.post(f"{url}/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "COMPLETED"}))
    return checkout_id


def pages(url: str, size: int, description: str) -> list[dict[str, Any]]:
    """All that a listing of those with *description* holds, page by page."""
    found, parameters = [], {"pageSize": str(size), "descriptionQuery": description}
    while True:
        page = good(httpx.get(url + PATH, params=parameters))
        found += page["checkouts"]
        if "nextPageToken" not in page:
            return found
        parameters["pageToken"] = page["nextPageToken"]


def test_two_hundred_under_one_key_make_one(two: list[str], own: str) -> None:
    """
    Two hundred creates at once under one key, spread over two processes, have one answer and make one checkout.
    """
    answers = spread(two, 200, PATH, {**BODY, "description": own}, key=str(uuid.uuid4()))
    assert {201} == {answer.status_code for answer in answers}
    assert 1 == len({answer.content for answer in answers})
    assert [good(answers[0])] == pages(two[0], 100, own) == pages(two[1], 100, own)


def test_one_key_for_two_requests_acts_for_one(two: list[str], own: str) -> None:
    """
    Of two different requests that come at once under one key, whichever is first acts, and the other is a conflict.
    """
    key, amounts, turns = str(uuid.uuid4()), count(1), cycle(two)

    def send(client: httpx.Client) -> httpx.Response:
        body = {**BODY, "description": own, "amount": f"{1 + next(amounts) % 2}.00"}
        return client.post(next(turns) + PATH, json=body, headers={"X-Idempotency-Key": key})

    answers = together(40, send)
    assert {201: 20, 422: 20} == {code: [a.status_code for a in answers].count(code) for code in (201, 422)}
    assert 1 == len({answer.content for answer in answers if answer.status_code == 201})
    assert 1 == len(pages(two[0], 100, own))


def test_no_more_is_refunded_than_was_paid(two: list[str]) -> None:
    """
    Forty refunds of 1.00 at once of a checkout of 10.00, over two processes: ten are started, thirty are refused.
    """
    checkout_id = paid(two[0])
    answers = spread(two, 40, f"{PATH}/{checkout_id}/refund", {"amount": "1.00"})
    assert 10 == sum(answer.status_code == 200 for answer in answers)
    assert {200, 400} == {answer.status_code for answer in answers}
    checkout = good(httpx.get(f"{two[1]}{PATH}/{checkout_id}"))
    assert ("REFUNDED", "10.00", 10) == (checkout["status"], checkout["refundedAmount"], len(checkout["refunds"]))
    assert [] == torn(checkout)


def test_one_refund_under_one_key(two: list[str]) -> None:
    """
    Forty full refunds at once under one key, over two processes, are one refund with one answer.
    """
    checkout_id = paid(two[1])
    answers = spread(two, 40, f"{PATH}/{checkout_id}/refund", {"amount": "10.00"}, key=str(uuid.uuid4()))
    assert [200, 1] == [answers[0].status_code, len({answer.content for answer in answers})]
    assert 1 == len(good(httpx.get(f"{two[0]}{PATH}/{checkout_id}"))["refunds"])


def test_a_payment_and_a_deactivation_exclude_each_other(two: list[str]) -> None:
    """
    Of a payment and a deactivation at once one succeeds, and its status stays.
    """
    for _ in range(10):
        checkout_id = good(httpx.post(two[0] + PATH, json=BODY))["id"]
        calls = iter(
            [
                (f"{two[0]}/__sandbox__/checkouts/{checkout_id}/pay", {"outcome": "COMPLETED"}),
                (f"{two[1]}{PATH}/{checkout_id}/deactivate", None),
            ]
        )

        def send(client: httpx.Client, calls: Any = calls) -> httpx.Response:
            url, body = next(calls)
            return client.post(url, json=body)

        won = [answer.json()["status"] for answer in together(2, send) if answer.status_code == 200]
        assert [good(httpx.get(f"{two[0]}{PATH}/{checkout_id}"))["status"]] == won


def test_processes_agree_on_the_time(two: list[str]) -> None:
    """
    The clock that is moved through either of two processes has moved for both, by the sum.
    """
    before = good(httpx.get(f"{two[0]}/__sandbox__/"))["now"]
    moves = cycle([f"{url}/__sandbox__/clock/advance" for url in two])
    for answer in together(20, lambda client: client.post(next(moves), json={"seconds": 86400})):
        good(answer)
    one, other = (good(httpx.get(f"{url}/__sandbox__/"))["now"] for url in two)
    assert one <= other
    assert 20 == _day(other) - _day(before)


def _day(now: str) -> int:
    from datetime import date

    return date.fromisoformat(now[:10]).toordinal()


def test_pages_hold_everything_once_while_others_create(two: list[str], own: str) -> None:
    """
    A listing that is read page by page while both processes create holds what there was before, each once.
    """
    body = {**BODY, "description": own}
    before = {good(httpx.post(two[n % 2] + PATH, json=body))["id"] for n in range(20)}

    def create(url: str) -> None:
        with httpx.Client(trust_env=False) as client:
            for _ in range(40):
                good(client.post(url + PATH, json=body))

    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(create, url) for url in two]
        listings = [[checkout["id"] for checkout in pages(url, 4, own)] for url in two]
    for done in busy:
        done.result()
    for ids in listings:
        assert len(set(ids)) == len(ids)
        assert before <= set(ids)


def test_a_read_sees_one_state(two: list[str]) -> None:
    """
    A checkout that is read while another process refunds it is one state of it, never a refund without its status.
    """
    checkout_id, seen, over = paid(two[0]), Journal(), Event()

    def refund() -> None:
        with httpx.Client(trust_env=False) as client:
            for _ in range(100):
                answer = good(client.post(f"{two[0]}{PATH}/{checkout_id}/refund", json={"amount": "10.00"}))
                path = f"/__sandbox__/checkouts/{checkout_id}/refunds/{answer['refund']['id']}/settle"
                good(client.post(two[0] + path, json={"outcome": "FAILED"}))

    def read(path: str) -> None:
        with httpx.Client(trust_env=False) as client:
            while not over.is_set():
                content = good(client.get(two[1] + path))
                for checkout in content.get("checkouts", [content]):
                    # Only whether it is whole is asked here, so when it was seen is no matter.
                    seen.saw(checkout, asked=0, answered=1)

    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read, f"{PATH}/{checkout_id}"), pool.submit(read, PATH)]
        try:
            refund()
        finally:
            over.set()
    for done in reading:
        done.result()
    assert [] == [fault for contents in seen.sightings() for content, _, _ in contents for fault in torn(content)]


TEXTS = (
    "\x00",
    "before\x00after",
    "\\u0000",
    "\ufffe\uffff\ufeff",
    "\U0001f4b8\U0010ffff",
    "e\u0301 \u00e9",
    "\u202eabc\u2066",
    "'; DROP TABLE checkouts; --",
    "%s %(x)s :name ? $1",
    "\r\n\t\x7f\x1b[31m",
)


def test_any_text_is_kept_as_it_was_sent(two: list[str], own: str) -> None:
    """
    Unicode text of any kind, U+0000 among it, is stored and given back to the letter, and found.
    """
    with httpx.Client(trust_env=False) as client:
        for text in TEXTS:
            sent = {**BODY, "description": text + own, "metadata": {text: text}}
            made = good(client.post(two[0] + PATH, json=sent))
            assert made == good(client.get(f"{two[1]}{PATH}/{made['id']}"))
            assert sent == {name: made[name] for name in sent}
            assert [made] == good(client.get(two[1] + PATH, params={"descriptionQuery": text + own}))["checkouts"]


def test_a_key_with_odd_text_is_kept_too(two: list[str]) -> None:
    """
    A request with U+0000 in it is repeated byte for byte under its key, by the other process too.
    """
    headers = {"X-Idempotency-Key": str(uuid.uuid4())}
    body = {**BODY, "description": "\x00\U0001f4b8"}
    assert 1 == len({httpx.post(url + PATH, json=body, headers=headers).content for url in two})


ODD: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", f"{PATH}/%00", {}),
    ("GET", f"{PATH}/{'0' * 23}%00", {}),
    ("POST", f"{PATH}/%00/refund", {"json": {"amount": "1.00"}}),
    ("POST", "/__sandbox__/checkouts/%00/pay", {"json": {"outcome": "COMPLETED"}}),
    ("POST", "/__sandbox__/checkouts/%F0%9F%92%B8/refunds/%00/settle", {"json": {"outcome": "FAILED"}}),
    ("GET", "/pay/%00", {}),
    ("GET", f"{PATH}?status=%00", {}),
    ("GET", f"{PATH}?pageToken=%00", {}),
    ("POST", PATH, {"json": {**BODY, "currency": "US\x00"}}),
    ("POST", PATH, {"json": {**BODY, "network": "base\x00"}}),
    ("POST", PATH, {"json": {**BODY, "amount": "1\x00"}}),
    ("POST", PATH, {"json": {**BODY, "successRedirectUrl": "https://example.com/\x00"}}),
    ("POST", PATH, {"content": b'{"amount":"1.00","currency":"USDC","description":"\\ud800"}'}),
    ("POST", "/__sandbox__/clock/advance", {"json": {"seconds": 1 << 38}}),
)


def test_odd_text_where_none_belongs_is_the_callers_error(two: list[str]) -> None:
    """
    Odd characters where only ids, names of currencies or numbers belong are a 4xx, never a 5xx.
    """
    headers = {"content-type": "application/json"}
    answers = [httpx.request(method, two[0] + path, headers=headers, **options) for method, path, options in ODD]
    told = [(path, answer.status_code) for (_, path, _), answer in zip(ODD, answers, strict=True)]
    assert [] == [(path, status) for path, status in told if not 400 <= status < 500]


def test_four_can_start_at_once(serve: Callable[..., Server], database: str, own: str) -> None:
    """
    Servers that start at the same moment on an empty database all come up, on one set of tables.
    """
    with ThreadPoolExecutor(4) as pool:
        starting = [pool.submit(serve, "--no-auth", "--database", database) for _ in range(4)]
    urls = [server.result().url for server in starting]
    made = {good(httpx.post(url + PATH, json={**BODY, "description": own}))["id"] for url in urls}
    assert [made] * 4 == [{checkout["id"] for checkout in pages(url, 100, own)} for url in urls]


def meet_at(step: int, url: str) -> bool:
    """
    Open a database in another thread after statement number *step* of its opening in this one.

    Returns:
        Whether the other was done before this one went on, and did not have to wait for it.
    """
    number, ours, met = count(1), current_thread(), list[bool]()
    others: list[Future[None]] = []

    def meet(*_: Any) -> None:
        if current_thread() is ours and next(number) == step:
            others.append(pool.submit(lambda: open_store(url).close()))
            met.append(not wait(others, timeout=1).not_done)

    with ThreadPoolExecutor(1) as pool:
        event.listen(Engine, "after_cursor_execute", meet)
        try:
            open_store(url).close()
        finally:
            event.remove(Engine, "after_cursor_execute", meet)
    for other in others:
        other.result()
    return met == [True]


def test_another_may_open_it_at_any_step(postgres: Postgres) -> None:
    """
    After whichever statement of a first opening of a PostgreSQL database a second one comes, both find it usable.
    """
    step = 1
    # Until the first has begun to write: from then on all others wait for its end.
    while meet_at(step, postgres.database()):
        step += 1
    assert step > 1


class WaitedError(Exception):
    """It would have waited for a change that somebody else makes."""


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_seconds: float) -> None:
        raise WaitedError

    monkeypatch.setattr(database, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))


@pytest.mark.parametrize("place", ["missing/folder/x.sqlite3", ".", "text.txt", "file:text.txt?mode=ro&uri=true"])
def test_no_file_to_write_is_told_at_once(no_waiting: None, tmp_path: Path, place: str) -> None:
    """
    A file that is missing, no database, or not to be written does not mend itself, and is not waited for.
    """
    (tmp_path / "text.txt").write_text("this is no database " * 99)
    where = place.replace("file:", f"file:{tmp_path}/") if place.startswith("file:") else f"{tmp_path}/{place}"
    with pytest.raises(DatabaseError, match="database sqlite"):
        open_store(f"sqlite:///{where}")


@pytest.mark.parametrize("wrong", ["password", "database", "user"])
def test_a_refusal_of_postgresql_is_told_at_once(no_waiting: None, postgres: Postgres, wrong: str) -> None:
    """
    A wrong password, or a name that PostgreSQL does not know, is not tried again for a while.
    """
    url = postgres.database()
    broken = {
        "password": url.replace(postgres.password, "wrong"),
        "database": f"{url}_not_there",
        "user": url.replace("//tests:", "//nobody:"),
    }
    with pytest.raises(DatabaseError, match="FATAL"):
        open_store(broken[wrong])


def test_a_postgresql_that_does_not_listen_yet_is_waited_for(no_waiting: None, postgres: Postgres) -> None:
    """
    Both may have been started in the same moment.
    """
    with pytest.raises(WaitedError):
        open_store(postgres.database().replace(f":{postgres.port}/", ":9/"))
