"""The inbox against a model of it: any sequence of deliveries, workers, failures, kills and time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from coinbase_checkouts import Event, EventType
from coinbase_checkouts.inbox import Inbox, Policy
from coinbase_checkouts.inbox.ledger import Taken

POLICY: Final = Policy(attempts=3, base_s=8, lease_s=20)

# Two checkouts; the place among those of its checkout is the second the state is of. A payment and three refunds.
PLACES: Final = [(checkout, place) for checkout in ("a", "b") for place in range(4)]


def event(checkout: str, place: int) -> Event:
    refunds = [{"id": f"r{number}", "status": "COMPLETED"} for number in range(place)]
    kind = EventType.CHECKOUT_REFUND_SUCCESS if place else EventType.CHECKOUT_PAYMENT_SUCCESS
    raw: dict[str, Any] = {"id": checkout, "eventType": str(kind), "updatedAt": f"2026-11-20T10:00:0{place}Z"}
    raw["refunds"] = refunds
    return Event(kind, None, 0, "v0", raw=raw, body=json.dumps(raw).encode())


@dataclass
class Known:
    """What the model knows of one event: waiting, done or dead."""

    state: str
    due: int
    attempts: int = 0
    lease: str | None = None


class MishapError(Exception):
    """What a handler raises."""


class Model(RuleBasedStateMachine):
    """Deliveries of eight events, handled by workers of which some are killed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.box = Inbox(clock=lambda: self.now, draw=lambda: 0.5)
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        self.box.create_all(self.engine)
        self.known: dict[tuple[str, int], Known] = {}
        self.effects: list[tuple[str, int]] = []
        # What killed or slow workers still believe to be theirs.
        self.believed: list[Taken] = []

    def teardown(self) -> None:
        # Time and patience end everything: whatever was ever taken in is done, or dead and then done.
        for _ in range(60):
            self.box.work(self.engine, self.good, policy=POLICY, until_idle=True)
            with self.engine.connect() as connection:
                self.box.requeue(connection)
            self.now += 20
        assert sorted(self.known) == sorted(self.effects)
        self.engine.dispose()

    def place(self, told: Event) -> tuple[str, int]:
        return told.checkout.id, len(told.raw["refunds"])

    def eligible(self) -> list[tuple[str, int]]:
        """What a worker may be handed now, first what is due for longest."""
        waiting = {place: one for place, one in self.known.items() if one.state == "waiting"}
        free = [
            place
            for place, one in waiting.items()
            if one.due <= self.now
            and not any(
                other[0] == place[0]
                and (other[1] < place[1] or (other != place and rival.lease is not None and rival.due > self.now))
                for other, rival in waiting.items()
            )
        ]
        return sorted(free, key=lambda place: (self.known[place].due, place[1]))

    def newest(self, checkout: str) -> int:
        return max((place for one, place in self.effects if one == checkout), default=-1)

    def acted(self, told: Event, connection: Connection) -> None:
        """The effect, and what it is told of its place."""
        place = self.place(told)
        assert self.box.is_news(told, connection) is (place[1] >= self.newest(place[0]))
        self.effects.append(place)

    def good(self, told: Event, connection: Connection) -> None:
        self.acted(told, connection)

    def take(self) -> Taken | None:
        """As a worker does; the model must have it so, too."""
        expected = self.eligible()
        with self.engine.begin() as connection:
            taken = self.box._steps(POLICY).claim(connection)
        if taken is None:
            assert [] == expected
            return None
        if not isinstance(taken, Taken):
            (died,) = [place for place in expected if event(*place).content_key == taken.key]
            assert POLICY.attempts == self.known[died].attempts
            self.known[died].state, self.known[died].lease = "dead", None
            return self.take()
        place = self.place(taken.event)
        first = self.known[expected[0]]
        assert (first.due, expected[0][1]) == (self.known[place].due, place[1])
        one = self.known[place]
        one.attempts += 1
        assert one.attempts == taken.attempt
        one.lease, one.due = taken.lease, self.now + 20
        return taken

    def is_ours(self, taken: Taken) -> bool:
        one = self.known[self.place(taken.event)]
        return one.state == "waiting" and one.lease == taken.lease

    @rule(place=st.sampled_from(PLACES))
    def store(self, place: tuple[str, int]) -> None:
        with self.engine.connect() as connection:
            assert self.box.store(event(*place), connection) is (place not in self.known)
        self.known.setdefault(place, Known("waiting", self.now))

    @rule(place=st.sampled_from(PLACES), ends_well=st.booleans())
    def inline(self, place: tuple[str, int], *, ends_well: bool) -> None:
        try:
            with self.engine.connect() as connection, self.box.once(event(*place), connection) as fresh:
                assert fresh is (place not in self.known)
                if not ends_well:
                    raise MishapError
                if fresh:
                    # Written down already, as the first to be asked.
                    self.acted(event(*place), connection)
                    self.known[place] = Known("done", self.now)
        except MishapError:
            assert not ends_well

    @rule()
    def worker_takes(self) -> None:
        """And is slow from then on, or killed."""
        taken = self.take()
        if taken is not None:
            self.believed.append(taken)

    @precondition(lambda self: self.believed)
    @rule(data=st.data(), ends_well=st.booleans())
    def worker_goes_on(self, data: st.DataObject, *, ends_well: bool) -> None:
        """Whether in time or not."""
        taken = self.believed.pop(data.draw(st.integers(0, len(self.believed) - 1)))
        ours, one = self.is_ours(taken), self.known[self.place(taken.event)]
        steps = self.box._steps(POLICY)
        if ends_well:
            with self.engine.begin() as connection:
                assert steps.begin(connection, taken) is ours
                if ours:
                    self.acted(taken.event, connection)
                    one.state = "done"
            return
        with self.engine.begin() as connection:
            state = steps.fail(connection, taken, MishapError())
        assert state == (("dead" if one.attempts == POLICY.attempts else "waiting") if ours else None)
        if state is not None:
            # Half of 8, of 16.
            one.state, one.lease, one.due = state, None, self.now + 4 * 2 ** (one.attempts - 1)

    @rule(seconds=st.sampled_from([1, 4, 20]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def requeue(self) -> None:
        dead = [one for one in self.known.values() if one.state == "dead"]
        with self.engine.connect() as connection:
            assert len(dead) == self.box.requeue(connection)
        for one in dead:
            one.state, one.attempts, one.due = "waiting", 0, self.now

    @invariant()
    def everything_once(self) -> None:
        assert len(self.effects) == len(set(self.effects))
        done = [place for place, one in self.known.items() if one.state == "done"]
        assert sorted(done) == sorted(self.effects)
        with self.engine.connect() as connection:
            counts = self.box.counts(connection)
        states = [one.state for one in self.known.values()]
        expected = tuple(states.count(state) for state in ("waiting", "dead"))
        assert expected == (counts.waiting, counts.dead)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
