"""Group commit: what is written together, and what one act's failure is to the others."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.commits import Act, Committer
from coinbase_checkouts_sandbox.database import open_store
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.refunds import Refund
from coinbase_checkouts_sandbox.store import KeptAnswer, Store, Transaction

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"
BODY = {"amount": "1.00", "currency": "USDC"}


class Counted:
    """A store on a file that counts what its connections do, and acts that tell when they ran."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.commits = 0
        self.rollbacks = 0
        self.ran: list[str] = []
        event.listen(store._readers, "commit", self._committed)
        event.listen(store._readers, "rollback", self._rolled_back)

    def _committed(self, _connection: Any) -> None:
        self.commits += 1

    def _rolled_back(self, _connection: Any) -> None:
        self.rollbacks += 1

    def writes(self, name: str, then: Callable[[Transaction], object] | None = None) -> Act:
        """An act that keeps an answer under *name*, and then does something else."""

        def act(transaction: Transaction) -> Answer:
            self.ran.append(name)
            transaction.keep_answer("test", name, KeptAnswer("", 0, 200, name.encode()))
            if then is not None:
                then(transaction)
            return Answer(200, name.encode())

        return act

    def fails(self, name: str, error: Exception) -> Act:
        """An act that refuses before it has written anything."""

        def act(_transaction: Transaction) -> Answer:
            self.ran.append(name)
            raise error

        return act

    def kept(self) -> list[str]:
        """The names under which answers are kept, in order."""
        with self.store.reading() as transaction:
            rows = transaction.read(text("SELECT key FROM idempotent_answers ORDER BY rowid")).scalars()
            return [str(row) for row in rows]

    def at_once(self, *acts: Act) -> list[Any]:
        """The outcome of each, an answer's body or an exception."""
        committer = Committer(self.store)

        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*map(committer.commit, acts), return_exceptions=True)

        outcomes = asyncio.run(all_of_them())
        return [outcome.body.decode() if isinstance(outcome, Answer) else outcome for outcome in outcomes]


@pytest.fixture
def counted(tmp_path: Path) -> Generator[Counted]:
    store = open_store(f"sqlite:///{tmp_path}/x.sqlite3")
    yield Counted(store)
    store.close()


def raise_(error: Exception) -> Callable[[Transaction], None]:
    def act(_transaction: Transaction) -> None:
        raise error

    return act


def orphan(transaction: Transaction) -> None:
    """Write something that only the COMMIT refuses: a refund without its checkout."""
    transaction.write(text("PRAGMA defer_foreign_keys=ON"))
    values: dict[str, Any] = {field.name: None for field in dataclasses.fields(Refund)}
    values |= {"id": "r", "checkout_id": "nobody's", "position": 0, "amount": 1, "status": "PENDING", "created_ms": 0}
    transaction.add_refund(Refund(**values))


def test_many_at_once_are_one_commit(counted: Counted) -> None:
    """
    A hundred acts that come together are run in their order, and committed once.
    """
    names = [str(number) for number in range(100)]
    assert names == counted.at_once(*map(counted.writes, names))
    assert (1, 0, names, names) == (counted.commits, counted.rollbacks, counted.ran, counted.kept())


def test_what_comes_later_is_the_next_commit(counted: Counted) -> None:
    """
    Acts that come after each other are committed one by one, and see what was done before.
    """

    async def one_by_one() -> None:
        committer = Committer(counted.store)
        for name in ("a", "b", "c"):
            await committer.commit(counted.writes(name))
            assert name == counted.kept()[-1]

    asyncio.run(one_by_one())
    assert (["a", "b", "c"], True) == (counted.kept(), counted.commits >= 3)


def test_a_refusal_leaves_the_others(counted: Counted) -> None:
    """
    An act that refuses before it writes is told so; the others happen, each run once, in one commit.
    """
    refusal = ApiError(400, "no")
    outcomes = counted.at_once(counted.writes("a"), counted.fails("b", refusal), counted.writes("c"))
    assert ["a", refusal, "c"] == outcomes
    assert (1, ["a", "b", "c"], ["a", "c"]) == (counted.commits, counted.ran, counted.kept())


def test_a_failure_undoes_only_itself(counted: Counted) -> None:
    """
    An act that fails half done leaves nothing of itself, and everything of the others.
    """
    failure = ValueError("half done")
    outcomes = counted.at_once(counted.writes("a"), counted.writes("b", raise_(failure)), counted.writes("c"))
    assert (["a", failure, "c"], ["a", "c"]) == (outcomes, counted.kept())
    # By itself, too, and the next one finds everything in order.
    assert [failure] == counted.at_once(counted.writes("d", raise_(failure)))
    assert (["e"], ["a", "c", "e"]) == (counted.at_once(counted.writes("e")), counted.kept())


def test_a_failed_question_is_not_committed_over(counted: Counted) -> None:
    """
    Where the database refuses a question the transaction may be broken for all: each is run again by itself.

    PostgreSQL does nothing more in such a transaction, and answers its COMMIT without an error.
    """

    def asks(transaction: Transaction) -> Answer:
        counted.ran.append("b")
        transaction.read(text("SELECT nonsense"))
        return Answer(200, b"")

    first, failed, last = counted.at_once(counted.writes("a"), asks, counted.writes("c"))
    assert ("a", "c", True) == (first, last, isinstance(failed, OperationalError))
    assert ["a", "b", "a", "b", "c"] == counted.ran
    assert ["a", "c"] == counted.kept()


def test_a_failed_commit_is_told_to_all(counted: Counted) -> None:
    """
    Where the COMMIT fails nobody is told of success, nothing is there, and nothing is run a second time.
    """
    outcomes = counted.at_once(counted.writes("a"), counted.writes("b", orphan), counted.writes("c"))
    assert [True] * 3 == [isinstance(outcome, IntegrityError) for outcome in outcomes]
    assert (["a", "b", "c"], []) == (counted.ran, counted.kept())
    assert (["d"], ["d"]) == (counted.at_once(counted.writes("d")), counted.kept())


def test_without_a_lock_nothing_is_run(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where another process keeps the database to itself for too long, all are told, and no act was run.
    """
    import sqlite3

    from coinbase_checkouts_sandbox import commits

    monkeypatch.setattr(commits, "LOCK_TIMEOUT_S", 0.1)
    path = str(counted.store._readers.url.database)
    impatient = Counted(open_store(f"sqlite:///{path}"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = impatient.at_once(impatient.writes("a"), impatient.writes("b"))
    other.execute("ROLLBACK")
    other.close()
    assert [True, True] == [isinstance(outcome, DBAPIError) for outcome in outcomes]
    assert ["c"] == impatient.at_once(impatient.writes("c"))
    assert (["c"], ["c"]) == (impatient.ran, impatient.kept())
    impatient.store.close()


def test_who_gives_up_is_not_waited_for(counted: Counted) -> None:
    """
    An act whose request is gone is done all the same, and the others get their answers.
    """

    async def some_give_up() -> list[Any]:
        committer = Committer(counted.store)
        tasks = [asyncio.create_task(committer.commit(counted.writes(name))) for name in ("a", "b", "c")]
        # Lets them come as far as waiting.
        tasks[0].get_loop().call_soon(tasks[1].cancel)
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, gone, last = asyncio.run(some_give_up())
    assert (b"a", b"c", True) == (first.body, last.body, isinstance(gone, asyncio.CancelledError))
    assert ["a", "b", "c"] == counted.kept()


@pytest.fixture
def on_file(sandbox_with: Callable[..., Sandbox], tmp_path: Path) -> tuple[Sandbox, Counted]:
    """A sandbox on a file, and the counts of its store."""
    sandbox = sandbox_with(database=f"sqlite:///{tmp_path}/x.sqlite3")
    return sandbox, Counted(sandbox.app.state.world.store)


def posted(sandbox: Sandbox, keys: list[str | None]) -> list[tuple[int, bytes]]:
    """Creates at the same moment."""

    async def all_of_them() -> list[tuple[int, bytes]]:
        headers: list[dict[str, str]] = [{} if key is None else {"X-Idempotency-Key": key} for key in keys]
        answers = await asyncio.gather(*(sandbox._client.post(PATH, json=BODY, headers=sent) for sent in headers))
        return [(answer.status_code, answer.content) for answer in answers]

    return sandbox._runner.run(all_of_them())


def test_requests_at_once_are_one_commit(on_file: tuple[Sandbox, Counted]) -> None:
    """
    Thirty creates at once are thirty checkouts and one commit.
    """
    sandbox, counted = on_file
    answers = posted(sandbox, [None] * 30)
    assert ({201}, 30, 1) == ({status for status, _ in answers}, len(set(answers)), counted.commits)
    assert 30 == len(sandbox.call("GET", PATH, params={"pageSize": 100}).json()["checkouts"])


def test_one_key_in_one_commit_makes_one(on_file: tuple[Sandbox, Counted], idempotency_key: str) -> None:
    """
    Of creates under one key that share a commit the first acts, and the others get its answer.
    """
    sandbox, counted = on_file
    answers = posted(sandbox, [idempotency_key, None, idempotency_key, idempotency_key])
    assert (2, 1) == (len(set(answers)), counted.commits)
    assert answers[0] == answers[2] == answers[3] != answers[1]
    assert 2 == len(sandbox.call("GET", PATH).json()["checkouts"])
