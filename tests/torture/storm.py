"""
Clients that pay and refund while their servers are killed, and a reader who watches; then everything is counted.

What each client does and when the kills come follows from the seed; how the two meet does not, being the machine's.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy.engine import make_url

from .fleet import Fleet, StartError, fleet
from .journal import Entry, Journal, Kind, violations

PATH: Final = "/api/v1/checkouts"
CLOCK: Final = "/__sandbox__/clock/advance"

# Above any wait for a lock that the server itself would end.
_ANSWER_TIMEOUT_S: Final = 45.0

# Of a request with a key, each of which is made of a server that was up a moment ago.
_MOST_TRIES: Final = 300

# Far enough that nothing expires, whatever the clock is moved by.
_EXPIRES_AT: Final = "2090-01-01T00:00:00Z"

_AMOUNTS: Final = ("1.00", "2.50", "10.00", "99.99")
_PARTS: Final = ("0.01", "0.50", "1.00", "2.50", "10.00", "99.99")
# Of _Client.run's acts.
_WEIGHTS: Final = (24, 22, 30, 14, 4, 5, 1)

_REPEATED_AFTER_KILL: Final = 10
_REPEATED_AT_END: Final = 500

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    One run.

    Attributes:
        database: The SQLAlchemy URL of an empty database.
        folder: For logs.
        servers: Processes started separately on that database, each with *workers* of its own.
        crash: Ends the database without warning and brings it back; None where there is no such thing.
    """

    database: str
    folder: Path
    seed: int
    kills: int
    clients: int = 4
    servers: int = 2
    workers: int = 1
    crash: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of it."""

    violations: list[str]
    kills: int
    killed: int
    requests: int
    acknowledged: int
    refused: int
    in_doubt: int
    unavailable: int
    repeats: int
    checkouts: int
    duration_s: float

    def __str__(self) -> str:
        rate = self.kills / self.duration_s * 60
        counts = f"{self.kills} kills ({self.killed} processes), {self.requests} requests: "
        counts += f"{self.acknowledged} acknowledged, {self.refused} refused, {self.in_doubt} in doubt, "
        counts += f"{self.unavailable} answered 503, {self.repeats} repeated; {self.checkouts} checkouts"
        return f"{counts}; {len(self.violations)} violations; {self.duration_s:.0f} s, {rate:.0f} kills a minute"


@dataclass(frozen=True, slots=True)
class _Sent:
    """One request that clients may send again."""

    path: str
    body: Mapping[str, Any]
    token: str


class _Shared:
    """What all clients know."""

    def __init__(self, ships: Fleet) -> None:
        self.fleet = ships
        self.journal = Journal()
        self.over = Event()
        # Few, so that clients get in each other's way.
        self.checkouts: deque[str] = deque(maxlen=16)
        self.refunds: deque[tuple[str, str]] = deque(maxlen=16)
        self.keyed: deque[_Sent] = deque(maxlen=64)
        # Every request whose success was acknowledged under a key.
        self.answered: list[_Sent] = []
        self.unavailable = 0


class _Client:
    """One thread of requests."""

    def __init__(self, shared: _Shared, draw: Random) -> None:
        self.shared, self.draw, self.journal = shared, draw, shared.journal
        self._http = httpx.Client(timeout=_ANSWER_TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def run(self) -> None:
        """Act until the storm is over."""
        acts = (self._create, self._pay, self._refund, self._settle, self._deactivate, self._repeat, self._advance)
        with closing(self):
            while not self.shared.over.is_set():
                self.draw.choices(acts, _WEIGHTS)[0]()

    def watch(self) -> None:
        """Read until the storm is over; what is seen is judged at its end."""
        with closing(self):
            while not self.shared.over.is_set():
                known = list(self.shared.checkouts)
                if known and self.draw.random() < 0.8:
                    self.look(self.draw.choice(known))
                else:
                    self.page(None, 20)

    def look(self, checkout_id: str) -> None:
        """GET one."""
        asked = time.monotonic()
        answer = self.send("GET", f"{PATH}/{checkout_id}")
        if answer is not None and answer.status_code == 200:
            self.journal.saw(answer.json(), asked=asked, answered=time.monotonic())
        elif answer is not None and answer.status_code != 503:
            self.journal.mishaps.append(f"{checkout_id}: reading it answers {answer.status_code}")

    def page(self, token: str | None, size: int) -> tuple[list[dict[str, Any]], str | None] | None:
        """GET a page; what is on it, and the token of the next. None if there was no good answer."""
        asked = time.monotonic()
        parameters = {"pageSize": str(size), **({"pageToken": token} if token else {})}
        answer = self.send("GET", PATH, params=parameters)
        if answer is None or answer.status_code != 200:
            return None
        content = answer.json()
        for checkout in content["checkouts"]:
            self.journal.saw(checkout, asked=asked, answered=time.monotonic())
        return content["checkouts"], content.get("nextPageToken")

    def everything(self) -> list[dict[str, Any]]:
        """
        All checkouts, when the storm is over.

        Raises:
            StartError: No listing is answered any more.
        """
        checkouts: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            attempts = (self.page(token, 100) for _ in range(_MOST_TRIES))
            page = next((page for page in attempts if page is not None), None)
            if page is None:
                raise StartError("answers no listing when all is over")
            more, token = page
            checkouts += more
            if token is None:
                return checkouts

    def look_at_the_clock(self) -> None:
        """Ask for the sandbox's time."""
        before_ms = time.time_ns() // 1_000_000
        answer = self.send("GET", "/__sandbox__/")
        assert answer is not None
        now = datetime.fromisoformat(answer.json()["now"])
        self.journal.moments.append((before_ms, time.time_ns() // 1_000_000, round(now.timestamp() * 1000)))

    def repeat_some(self, most: int) -> None:
        """Repeat some of all that was acknowledged under a key, however long ago."""
        answered = list(self.shared.answered)
        for sent in self.draw.sample(answered, min(most, len(answered))):
            self.again(sent)

    def again(self, sent: _Sent) -> None:
        """Repeat a request under its key."""
        answer = self.send("POST", sent.path, json=sent.body, headers={"X-Idempotency-Key": sent.token})
        if answer is not None and answer.status_code != 503:
            self.journal.repeats.append((sent.token, answer.status_code, answer.content))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """One attempt; None if the connection broke."""
        url = self.shared.fleet.url(self.draw)
        try:
            answer = self._http.request(method, url + path, **options)
        except httpx.TimeoutException:
            self.journal.mishaps.append(f"{method} {path}: no answer within {_ANSWER_TIMEOUT_S:.0f} s")
            return None
        except httpx.TransportError:
            # The server that was asked may be dead, and not yet known to be.
            time.sleep(0.01)
            return None
        if answer.status_code == 503:
            self.shared.unavailable += 1
            time.sleep(0.05)
        elif answer.status_code >= 500:
            self.journal.mishaps.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def ask(self, kind: Kind, path: str, body: Any, *, token: str, tries: int, **facts: Any) -> Entry:
        """
        Send a request until it is answered, *tries* times at most, and write down how that went.

        A 503 is an answer, and still a doubt: a server that lost its database while committing cannot know.
        """
        headers = {"X-Idempotency-Key": token} if facts.get("keyed") else {}
        asked, doubts, answer = time.monotonic(), 0, None
        for _ in range(tries):
            answer = self.send("POST", path, json=body, headers=headers)
            if answer is not None and answer.status_code < 500:
                break
            doubts += 1
            answer = None
        if tries == doubts == _MOST_TRIES:
            self.journal.mishaps.append(f"{kind} {token}: no answer in {tries} attempts")
        status, content = (None, b"") if answer is None else (answer.status_code, answer.content)
        entry = Entry(kind=kind, token=token, doubts=doubts, status=status, content=content, **facts)
        self.journal.entries.append(entry)
        if answer is not None and entry.done and kind != "advance":
            shown = answer.json()
            self.journal.saw(shown.get("checkout", shown), asked=asked, answered=time.monotonic())
        return entry

    def token(self) -> str:
        return str(uuid.UUID(int=self.draw.getrandbits(128), version=4))

    def _create(self) -> None:
        token, keyed = self.token(), self.draw.random() < 0.8
        body: dict[str, Any] = {"amount": self.draw.choice(_AMOUNTS), "currency": "USDC", "expiresAt": _EXPIRES_AT}
        body |= {"description": "Tempête ☂ \U0001f329", "metadata": {"token": token}}
        sent = _Sent(PATH, body, token)
        if keyed:
            # Before it is answered, so that somebody may ask at the same time.
            self.shared.keyed.append(sent)
        entry = self.ask("create", PATH, body, token=token, tries=_MOST_TRIES if keyed else 1, keyed=keyed)
        if entry.done:
            self.shared.checkouts.append(json.loads(entry.content)["id"])
            if keyed:
                self.shared.answered.append(sent)
        elif entry.status is not None:
            self.journal.mishaps.append(f"create {token}: refused with {entry.status}")

    def _pay(self) -> None:
        for checkout_id in self._one_of(self.shared.checkouts):
            outcome = self.draw.choices(["COMPLETED", "PROCESSING", "FAILED"], [16, 3, 1])[0]
            path = f"/__sandbox__/checkouts/{checkout_id}/pay"
            tries = self.draw.choice([1, 3])
            self.ask(
                "pay", path, {"outcome": outcome}, token=self.token(), tries=tries, about=checkout_id, wanted=outcome
            )

    def _refund(self) -> None:
        for checkout_id in self._one_of(self.shared.checkouts):
            token, amount, keyed = self.token(), self.draw.choice(_PARTS), self.draw.random() < 0.8
            path, body = f"{PATH}/{checkout_id}/refund", {"amount": amount, "reason": token}
            tries = _MOST_TRIES if keyed else 1
            entry = self.ask(
                "refund", path, body, token=token, tries=tries, keyed=keyed, about=checkout_id, wanted=amount
            )
            if entry.done:
                self.shared.refunds.append((checkout_id, json.loads(entry.content)["refund"]["id"]))
                if keyed:
                    sent = _Sent(path, body, token)
                    self.shared.keyed.append(sent)
                    self.shared.answered.append(sent)

    def _settle(self) -> None:
        for checkout_id, refund_id in self._one_of(self.shared.refunds):
            outcome = self.draw.choice(["COMPLETED", "COMPLETED", "FAILED"])
            path = f"/__sandbox__/checkouts/{checkout_id}/refunds/{refund_id}/settle"
            tries = self.draw.choice([1, 3])
            self.ask(
                "settle", path, {"outcome": outcome}, token=self.token(), tries=tries, about=refund_id, wanted=outcome
            )

    def _deactivate(self) -> None:
        for checkout_id in self._one_of(self.shared.checkouts):
            path, tries = f"{PATH}/{checkout_id}/deactivate", self.draw.choice([1, 3])
            self.ask("deactivate", path, None, token=self.token(), tries=tries, about=checkout_id)

    def _repeat(self) -> None:
        for sent in self._one_of(self.shared.keyed):
            self.again(sent)

    def _advance(self) -> None:
        self.ask("advance", CLOCK, {"seconds": 1}, token=self.token(), tries=1, wanted="1")

    def _one_of(self, those: deque[_T]) -> list[_T]:
        """One of them, or none if there is none."""
        known = list(those)
        return [self.draw.choice(known)] if known else []


def run(plan: Plan, *, told: Callable[[str], None] = lambda _: None) -> Result:
    """
    Raise the storm, and say what became of it.

    Args:
        told: Is given a line now and then.
    """
    began = time.monotonic()
    with fleet(plan.database, servers=plan.servers, workers=plan.workers, folder=plan.folder) as ships:
        shared = _Shared(ships)
        final: list[dict[str, Any]] = []
        try:
            _rage(plan, shared, told)
            with closing(_Client(shared, _draw(plan, "end"))) as witness:
                final = witness.everything()
                witness.repeat_some(_REPEATED_AT_END)
                witness.look_at_the_clock()
        except StartError as exc:
            shared.journal.mishaps.append(f"a server {exc}")
    journal, entries = shared.journal, shared.journal.entries
    return Result(
        violations=violations(journal, final) + _damage(plan.database),
        kills=plan.kills,
        killed=ships.killed,
        requests=sum(entry.doubts + (entry.status is not None) for entry in entries),
        acknowledged=sum(entry.done for entry in entries),
        refused=sum(entry.status is not None and not entry.done for entry in entries),
        in_doubt=sum(entry.doubts for entry in entries),
        unavailable=shared.unavailable,
        repeats=len(journal.repeats),
        checkouts=len(final),
        duration_s=time.monotonic() - began,
    )


def _rage(plan: Plan, shared: _Shared, told: Callable[[str], None]) -> None:
    """
    The storm itself.

    Raises:
        StartError: A server did not come up again.
    """
    clients = [_Client(shared, _draw(plan, f"client {number}")) for number in range(plan.clients)]
    reader, witness = (_Client(shared, _draw(plan, name)) for name in ("reader", "witness"))
    draw = _draw(plan, "kills")
    with ThreadPoolExecutor(plan.clients + 1) as pool:
        busy = [pool.submit(client.run) for client in clients]
        busy.append(pool.submit(reader.watch))
        try:
            with closing(witness):
                for number in range(1, plan.kills + 1):
                    time.sleep(draw.uniform(0.02, 0.5))
                    _kill(shared.fleet, draw, plan)
                    witness.repeat_some(_REPEATED_AFTER_KILL)
                    if number % 25 == 0:
                        told(f"{number} kills, {len(shared.journal.entries)} requests")
        except BaseException:
            shared.fleet.abandon()
            raise
        finally:
            shared.over.set()
    for done in busy:
        done.result()


def _kill(ships: Fleet, draw: Random, plan: Plan) -> None:
    """One of many ways to lose servers without warning, and their return."""
    slot = draw.choice(ships.slots)
    ways = ["one", "one", "all", "at start"] + ["child", "child", "parent"] * (plan.workers > 1)
    ways += ["database"] * (plan.crash is not None)
    match draw.choice(ways):
        case "child":
            ships.kill_a_child(slot, draw)
        case "parent":
            ships.kill_the_parent(slot)
        case "database":
            assert plan.crash is not None
            plan.crash()
        case "all":
            ships.kill(*ships.slots)
        case "at start":
            ships.kill(slot)
            ships.stumble(slot, after_s=draw.uniform(0, 1.5))
        case _:
            ships.kill(slot)
    ships.revive()


def _damage(database: str) -> list[str]:
    """What SQLite itself finds wrong with the file."""
    url = make_url(database)
    if url.get_backend_name() != "sqlite":
        return []
    with closing(sqlite3.connect(str(url.database))) as connection:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        said += [f"row without its parent: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    return [f"integrity_check: {line}" for line in said if line != "ok"]


def _draw(plan: Plan, name: str) -> Random:
    return Random(f"{plan.seed} {name}")
