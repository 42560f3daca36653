"""
A sandbox delivers through an unreliable and hostile wire to a merchant whose processes are killed; then it is counted.

What was to be done is known from what the payers did; what was done, from the merchant's own table.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any, Final, cast

import httpx
from sqlalchemy import Engine, select

from coinbase_checkouts import inbox
from coinbase_checkouts_sandbox import Sandbox

from .inbox_shop import EFFECTS, ORDERS, SECRET, SHOP, opened

SUBSCRIPTIONS: Final = "/platform/v2/data/webhooks/subscriptions"
PATH: Final = "/api/v1/checkouts"
KINDS: Final = [f"checkout.{kind}" for kind in ("payment.success", "payment.failed", "refund.success", "refund.failed")]
MISCHIEF: Final[list[dict[str, Any]]] = [
    {"kind": "duplicate"},
    {"kind": "duplicate"},
    {"kind": "reorder"},
    {"kind": "reorder"},
    {"kind": "only", "part": "v0"},
    {"kind": "only", "part": "v1"},
    *({"kind": "tamper", "part": part} for part in ("body", "v0", "v1", "timestamp", "event_id", "secret", "unsigned")),
]

# Checkout, type of the event, and how many of its refunds have ended so.
Effect = tuple[str, str, int]

_START_TIMEOUT_S: Final = 60
_ANSWER_TIMEOUT_S: Final = 40
_END_TIMEOUT_S: Final = 300
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    One run.

    Attributes:
        database: The SQLAlchemy URL of an empty database.
        folder: For logs.
        events: How many there are to be, at least.
        pause_s: Between kills, at most.
        crash: Ends the database without warning and brings it back; None where there is no such thing.
    """

    database: str
    folder: Path
    seed: int
    events: int
    inline: int = 1
    storing: int = 1
    workers: int = 2
    pause_s: float = 0.5
    crash: Callable[[], None] | None = None


@dataclass(kw_only=True)
class Result:
    """What became of it."""

    violations: list[str] = field(default_factory=list)
    events: int = 0
    kills: int = 0
    crashes: int = 0
    delivered: int = 0
    forged: int = 0
    refused: int = 0
    effects: int = 0
    duration_s: float = 0.0

    def __str__(self) -> str:
        counts = f"{self.events} events in {self.delivered} deliveries, {self.forged} more from a forger, "
        counts += f"{self.refused} refused; {self.kills} kills, {self.crashes} crashes of the database: "
        return f"{counts}{self.effects} effects, {len(self.violations)} violations; {self.duration_s:.0f} s"


class Crew:
    """The merchant's processes, each of which is started again when it is killed."""

    def __init__(self, plan: Plan, secret: str) -> None:
        self._plan, self._secret = plan, secret
        roles = {"inline": plan.inline, "store": plan.storing, "work": plan.workers}
        self._roles = [role for role, count in roles.items() for _ in range(count)]
        self._running: dict[int, tuple[subprocess.Popen[str], int]] = {}
        self._lock = threading.Lock()

    def start(self, *slots: int) -> None:
        """Start these, or all, and wait until they can work."""
        chosen = slots or range(len(self._roles))
        for slot, process in [(slot, self._launched(slot)) for slot in chosen]:
            assert process.stdout is not None
            port = int(process.stdout.readline() or -1)
            assert port >= 0, f"{self._roles[slot]} did not start; see its log"
            with self._lock:
                self._running[slot] = process, port

    def kill(self, slot: int) -> None:
        """kill -9."""
        with self._lock:
            process, _ = self._running.pop(slot)
        process.kill()
        process.wait(_START_TIMEOUT_S)
        assert process.stdout is not None
        process.stdout.close()

    def ports(self) -> list[int]:
        """Where deliveries are taken now."""
        with self._lock:
            return [port for _, port in self._running.values() if port]

    def storm(self, draw: Random, over: threading.Event, result: Result) -> None:
        """Kill and start until it is over."""
        while not over.wait(draw.uniform(0, self._plan.pause_s)):
            if self._plan.crash is not None and draw.random() < 0.02:
                self._plan.crash()
                result.crashes += 1
            slots = draw.sample(range(len(self._roles)), draw.choice([1, 1, 2]))
            for slot in slots:
                self.kill(slot)
                result.kills += 1
            self.start(*slots)

    def stop(self) -> None:
        """End them all."""
        for slot in list(self._running):
            self.kill(slot)

    def _launched(self, slot: int) -> subprocess.Popen[str]:
        role = self._roles[slot]
        command = [sys.executable, "-m", "tests.torture.inbox_shop", role, self._plan.database]
        with (self._plan.folder / f"{role}-{slot}.log").open("a") as log:
            environ = {**os.environ, SECRET: self._secret}
            root = Path(__file__).parents[2]
            return subprocess.Popen(
                command, cwd=root, env=environ, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )


class Wire(ThreadingHTTPServer):
    """
    Between sandbox and merchant: a balancer that loses answers and doubles requests, and somebody who changes them.

    Who is on the wire has no secret, but can take v1 off and write another event id, such as one of an event that is
    yet to come; and can do so before the true delivery goes.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, draw: Random) -> None:
        self.crew: Crew | None = None
        self.result = Result()
        self._draw = draw
        self._ids = [str(uuid.UUID(int=draw.getrandbits(128)))]
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def carry(self, body: bytes, headers: dict[str, str]) -> int:
        """Deliver, and the status to answer."""
        with self._lock:
            luck, stolen = self._draw.random(), self._draw.choice(self._ids)
            self._ids.append(headers["X-Event-Id"])
            self.result.delivered += 1
        if luck < 0.2:
            signature = headers.get("X-Hook0-Signature", "").partition(",h=")[0]
            with self._lock:
                self.result.forged += 1
            self._sent(body, {**headers, "X-Hook0-Signature": signature, "X-Event-Id": stolen})
        elif luck < 0.3:
            other = threading.Thread(target=self._sent, args=(body, headers))
            other.start()
            status = self._sent(body, headers)
            other.join()
            return status
        elif luck < 0.35:
            self._sent(body, headers)
            # As if the answer had never come.
            return 504
        status = self._sent(body, headers)
        with self._lock:
            self.result.refused += status == 400
        return status

    def _sent(self, body: bytes, headers: dict[str, str]) -> int:
        assert self.crew is not None
        ports = self.crew.ports()
        if not ports:
            return 503
        with self._lock:
            port = self._draw.choice(ports)
        connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_TIMEOUT_S)
        with contextlib.closing(connection):
            try:
                connection.request("POST", "/webhooks", body, headers)
                return connection.getresponse().status
            except (OSError, HTTPException):
                return 502


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        names = ("X-Event-Id", "X-Event-Type", "X-Hook0-Signature", "Content-Type")
        headers = {name: self.headers[name] for name in names if self.headers[name] is not None}
        status = cast("Wire", self.server).carry(body, headers)
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Standard error belongs to the tests."""


class Payers:
    """What people do at the sandbox, and so what is to be done for it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.statuses: dict[str, str] = {}
        self.due: Counter[Effect] = Counter()

    def one(self, client: httpx.Client, draw: Random) -> None:
        """A checkout, its payment, and perhaps refunds."""
        created = client.post(PATH, json={"amount": "10.00", "currency": "USDC"}).raise_for_status().json()
        paid = draw.random() < 0.9
        checkout = self._sandbox.pay(created["id"], "COMPLETED" if paid else "FAILED")
        happened = [(created["id"], "checkout.payment.success" if paid else "checkout.payment.failed", 0)]
        ended = {"COMPLETED": 0, "FAILED": 0}
        for _ in range(draw.choice([0, 0, 1, 2, 3]) if paid else 0):
            refund = {"amount": "1.00", "currency": "USDC", "reason": "some"}
            asked = client.post(f"{PATH}/{created['id']}/refund", json=refund).raise_for_status().json()
            pending = next(one for one in asked["checkout"]["refunds"] if one["status"] == "PENDING")
            outcome = draw.choice(["COMPLETED", "COMPLETED", "FAILED"])
            checkout = self._sandbox.settle(created["id"], pending["id"], outcome)
            ended[outcome] += 1
            kind = "checkout.refund.success" if outcome == "COMPLETED" else "checkout.refund.failed"
            happened.append((created["id"], kind, ended[outcome]))
        # One assignment each, which threads need no lock for.
        self.statuses[created["id"]] = checkout["status"]
        self.due.update(dict.fromkeys(happened, 1))


def run(plan: Plan, told: Callable[[str], None] = print) -> Result:
    """Let it storm until there were enough events, then wait for calm, and count."""
    began = time.monotonic()
    engine = opened(plan.database)
    SHOP.create_all(engine)
    inbox.create_all(engine)
    with Sandbox(auth=False) as sandbox, _wire(Random(f"{plan.seed} wire")) as wire:
        crew = wire.crew = Crew(plan, _subscribed(sandbox, wire))
        payers, over = Payers(sandbox), threading.Event()
        try:
            crew.start()
            with ThreadPoolExecutor(2) as pool:
                killer = pool.submit(crew.storm, Random(f"{plan.seed} kills"), over, wire.result)
                try:
                    _rage(plan, sandbox, payers, killer.done, told)
                finally:
                    over.set()
                killer.result()
            told(f"calm: {wire.result.kills} kills so far")
            _calm(sandbox, engine, payers)
        finally:
            crew.stop()
    result = wire.result
    done = _effects(engine)
    result.events, result.effects = payers.due.total(), done.total()
    result.violations = [*_violations(engine, payers, done)]
    result.duration_s = time.monotonic() - began
    engine.dispose()
    return result


@contextmanager
def _wire(draw: Random) -> Generator[Wire]:
    wire = Wire(draw)
    thread = threading.Thread(target=wire.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield wire
    finally:
        wire.shutdown()
        thread.join()
        wire.server_close()


def _subscribed(sandbox: Sandbox, wire: Wire) -> str:
    target = {"url": f"http://127.0.0.1:{wire.server_port}/", "method": "POST"}
    with sandbox.http_client() as client:
        answer = client.post(SUBSCRIPTIONS, json={"eventTypes": KINDS, "isEnabled": True, "target": target})
    content = answer.raise_for_status().json()
    secret: str = content.get("secret") or content["metadata"]["secret"]
    return secret


def _rage(plan: Plan, sandbox: Sandbox, payers: Payers, ended: Callable[[], bool], told: Callable[[str], None]) -> None:
    draw = Random(f"{plan.seed} payers")
    with sandbox.http_client() as client:
        while payers.due.total() < plan.events and not ended():
            for order in draw.sample(MISCHIEF, 3):
                times = draw.choice([1, 2, 5])
                client.post("/__sandbox__/webhooks/mischief", json={**order, "times": times}).raise_for_status()
            for _ in range(20):
                payers.one(client, draw)
            # So that kills meet deliveries: none gets far ahead of the other.
            sandbox.flush()
            if payers.due.total() % 1000 < 40:
                told(f"{payers.due.total()} events")


def _calm(sandbox: Sandbox, engine: Engine, payers: Payers) -> None:
    """Let everything arrive that will, and be done."""
    with sandbox.http_client() as client:
        client.delete("/__sandbox__/webhooks/mischief").raise_for_status()
    deadline = time.monotonic() + _END_TIMEOUT_S
    while time.monotonic() < deadline:
        sandbox.flush()
        with engine.connect() as connection:
            waiting = inbox.counts(connection).waiting
        if not waiting and not payers.due - _effects(engine):
            break
        time.sleep(0.5)
        sandbox.advance(3600)
    # What comes again now must do nothing: three hours of repetitions, and the last workers.
    sandbox.advance(3 * 3600)
    sandbox.flush()


def _effects(engine: Engine) -> Counter[Effect]:
    columns = select(EFFECTS.c.checkout, EFFECTS.c.event_type, EFFECTS.c.refunds)
    with engine.connect() as connection:
        return Counter((checkout, kind, refunds) for checkout, kind, refunds in connection.execute(columns))


def _violations(engine: Engine, payers: Payers, done: Counter[Effect]) -> Iterable[str]:
    for effect in payers.due | done:
        if done[effect] != payers.due[effect]:
            yield f"{effect}: done {done[effect]} times instead of {payers.due[effect]}"
    with engine.connect() as connection:
        statuses = {row.checkout: row.status for row in connection.execute(select(ORDERS))}
        counts = inbox.counts(connection)
    for checkout, status in payers.statuses.items():
        if statuses.get(checkout) != status:
            yield f"{checkout}: is {statuses.get(checkout)} for the merchant, and {status}"
    if counts.waiting or counts.dead:
        yield f"{counts.waiting} events are waiting, {counts.dead} are dead"
