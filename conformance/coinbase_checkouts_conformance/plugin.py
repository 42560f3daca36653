"""The suite's pytest plugin: what a test is given, and what is kept of how it went."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import httpx
import pytest

from .claims import Claim, claim_of
from .control import Control
from .description import DescriptionError
from .exchange import Exchange
from .failures import failure, verdict_of
from .invariants import InvariantError, hold
from .journal import Entry
from .notices import notices
from .outcomes import FAIL, PASS, SKIPPED, UNKNOWN, WARN, Outcome, Outcomes
from .progress import Shown
from .scrub import excerpt
from .seeds import Seed
from .tidying import Made
from .tokens import Tokens
from .traffic import Conversation
from .wire import NotSafeError, NotTriedError, OutOfTimeError, Reply, Wire

NO_CONTROL: Final = "no control endpoints"

_EXCHANGE: Final = pytest.StashKey[Exchange]()
_PASSED: Final = pytest.StashKey[bool]()
_DURATION_S: Final = pytest.StashKey[float]()
_TAPE: Final = pytest.StashKey["Tape"]()
# Nothing is left to be found out; a run that goes on does not try it again.
_FINAL: Final = (PASS, WARN, FAIL)


@dataclass
class Tape:
    """
    What a test is played on. *check* is called when it passed, and raises when something recorded was not used.

    Args:
        now: When it was recorded; None in a live run.
        has_control: Whether control endpoints answer.
        standing: What the traffic is, as in `traffic`; *target*: whose, if not the wire's.
        base_url: Where a person would ask what was asked here, if not there.
        explained: Turns an exception of the player into one that a person understands.
    """

    seed: Seed
    has_control: bool
    now: datetime | None = None
    standing: str = "live"
    target: str = ""
    base_url: str = ""
    check: Callable[[], None] = lambda: None
    explained: Callable[[BaseException], BaseException] = lambda error: error


class Deck(Protocol):
    """Where tapes come from: a live server, a recorder, recordings."""

    def tape(self, test: str) -> AbstractContextManager[Tape]:
        """The tape of one *test*, `module/name`; open while it runs."""
        ...


@dataclass(frozen=True)
class Live:
    """No recording at all; every test draws its own seed."""

    has_control: bool

    @contextmanager
    def tape(self, test: str) -> Generator[Tape]:
        standing = "sandbox" if self.has_control else "live"
        yield Tape(Seed(f"{secrets.token_hex(16)}/{test}"), has_control=self.has_control, standing=standing)


@dataclass
class Suite:
    """
    Fixtures and hooks.

    Args:
        progress: Called with each claim's outcome and module when its test has ended.
        conversations: What was said in each test, by its name.
        known: What an earlier run found out, by test; what is final there is not tried again.
        said: What was said in it, by test.
        begin: Called when a test begins, with how it calls what it makes.
        keep: Called with what each test came to, and what was said in it.
        troubles: Why the tests could not even be collected.
    """

    wire: Wire
    tokens: Tokens
    deck: Deck
    progress: Shown | None = None
    outcomes: Outcomes = field(default_factory=Outcomes)
    made: Made = field(default_factory=Made)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    known: Mapping[str, Entry] = field(default_factory=dict)
    said: Mapping[str, Conversation] = field(default_factory=dict)
    begin: Callable[[str], None] = lambda _: None
    keep: Callable[[str, Entry, Conversation | None], None] = lambda _, __, ___: None
    troubles: list[str] = field(default_factory=list)
    _selected: dict[str, Claim] = field(default_factory=dict)
    _noticed: set[str] = field(default_factory=set)

    @pytest.fixture
    def api(self, request: pytest.FixtureRequest) -> Iterator[Exchange]:
        """The conversation with the server."""
        item: pytest.Item = request.node
        self.wire.begin_claim()
        if self.wire.left_s <= 0:
            raise OutOfTimeError(self.wire.out_of_time)
        name = tape_name(item)
        with self.deck.tape(name) as tape:
            item.stash[_TAPE] = tape
            conversation = Conversation(name, tape.standing, tape.target or str(self.wire.target), tape.now)
            control = Control(self.wire, conversation) if tape.has_control else None
            self.conversations[name] = conversation
            exchange = Exchange(
                self.wire,
                self.tokens,
                tape.seed,
                control=control,
                now=tape.now,
                made=self.made,
                conversation=conversation,
            )
            item.stash[_EXCHANGE] = exchange
            self.begin(exchange.title)
            yield exchange
            if item.stash.get(_PASSED, False):
                hold(conversation)
                tape.check()

    @pytest.fixture
    def control(self, api: Exchange) -> Control:
        """Payments and settlements; without them the test is skipped."""
        if api.control is None:
            pytest.skip(NO_CONTROL)
        return api.control

    @pytest.fixture
    def clock(self, control: Control) -> Control:
        """For tests that move the time. They run last: another run on the same sandbox may see it move."""
        return control

    def pytest_configure(self, config: pytest.Config) -> None:
        """Of tracebacks, which are replaced below, take the kind that costs nothing to make."""
        if not config.pluginmanager.has_plugin("terminal"):
            config.option.tbstyle = "native"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let -k find a claim by its id, and put the tests that move the time last."""
        for item in items:
            item.extra_keyword_matches.add(claim_of(item).id)
        items.sort(key=lambda item: "clock" in getattr(item, "fixturenames", ()))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn a failure into the text a person needs; nobody wants our traceback."""
        report = yield
        claim = claim_of(item)
        item.stash[_DURATION_S] = item.stash.get(_DURATION_S, 0.0) + report.duration
        error = None if call.excinfo is None else call.excinfo.value
        if report.failed and isinstance(error, NotTriedError):
            # A slow or busy server is not a wrong one: the claim is not tried, and counted as such.
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, str(error))
            self._add(item, claim, SKIPPED if isinstance(error, NotSafeError) else UNKNOWN, str(error))
        elif report.failed and error is not None:
            tape, exchange = item.stash.get(_TAPE, None), item.stash.get(_EXCHANGE, None)
            error = tape.explained(error) if tape else error
            said = exchange.conversation.exchanges if exchange else []
            report.longrepr = failure(claim, error, self._last(item, error), said)
            asked = said[-1].operation if said else None
            where = {"rule": getattr(error, "rule", ""), "operation": asked.id if asked else ""}
            self._add(item, claim, verdict_of(error), report.longrepr, **where)
        elif report.skipped and error is not None:
            self._add(item, claim, SKIPPED, str(error))
        elif call.when == "call":
            item.stash[_PASSED] = True
        elif call.when == "teardown" and item.stash.get(_PASSED, False):
            new = self._news(tape_name(item), item.stash[_EXCHANGE].remarks)
            self._add(item, claim, WARN if new else PASS, "; ".join(new))
        return report

    def pytest_exception_interact(self, call: pytest.CallInfo[Any], report: object) -> None:
        """Keep why a file of tests could not be read."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            error = call.excinfo.value
            kind = "" if isinstance(error, DescriptionError) else f"{report.nodeid}: {type(error).__name__}: "
            self.troubles.append(kind + excerpt(str(error)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Remember what is to be tried, and leave out what an earlier run found out."""
        if session.config.option.collectonly or self.troubles:
            return
        self._selected = {claim.id: claim for claim in map(claim_of, session.items)}
        done = {name: entry for name, entry in self.known.items() if entry.outcome in _FINAL}
        for item in session.items:
            if entry := done.get(name := tape_name(item)):
                self.outcomes.add(Outcome(claim_of(item), entry.outcome, entry.detail, (name,)))
                if name in self.said:
                    self.conversations[name] = self.said[name]
        session.items[:] = [item for item in session.items if tape_name(item) not in done]
        if self.progress is not None:
            self.progress.expect(len(session.items))

    def pytest_sessionfinish(self) -> None:
        """Of what was not tried after all, as after Ctrl-C, nothing is known."""
        for claim in self._selected.values():
            if claim.id not in self.outcomes.by_claim:
                self.outcomes.add(Outcome(claim, UNKNOWN, "the run ended before"))

    def _add(self, item: pytest.Item, claim: Claim, verdict: str, detail: str, **where: str) -> None:
        outcome = Outcome(claim, verdict, detail, (tape_name(item),), item.stash[_DURATION_S], **where)
        self.outcomes.add(outcome)
        name = tape_name(item)
        self.keep(name, Entry(claim.id, verdict, detail), self.conversations.get(name))
        if self.progress is not None:
            self.progress(outcome)

    def _last(self, item: pytest.Item, error: BaseException) -> tuple[httpx.Request, Reply | None] | None:
        """The exchange that *error* is about, as to be had again: the last one, unless the conversation as a whole told."""
        exchange = item.stash.get(_EXCHANGE, None)
        if exchange is None or exchange.last is None:
            return None
        origin = item.stash[_TAPE].base_url or self.wire.target.origin
        if isinstance(error, InvariantError):
            one = error.findings[0].exchange
            return one.request(origin), Reply(one.status, one.content_type, one.answer)
        request, reply = exchange.last
        url = f"{origin}{request.url.raw_path.decode('ascii')}"
        return httpx.Request(request.method, url, headers=request.headers, content=request.content), reply

    def _news(self, test: str, remarks: Iterable[str]) -> list[str]:
        """What was undocumented in this test's answers, and its own *remarks*; told by the first test that meets it."""
        found = [line for exchange in self.conversations.get(test, ()) for line in notices(exchange)]
        found += remarks
        new = [line for line in dict.fromkeys(found) if line not in self._noticed]
        self._noticed.update(new)
        return new


def tape_name(item: pytest.Item) -> str:
    """`test_create/test_body-amount-pattern`, fit for a file name."""
    name = item.name.replace("[", "-").replace("]", "").replace("/", "-").replace(" ", "-")
    return f"{item.path.stem}/{name}"
