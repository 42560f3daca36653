"""
`pytest --checkouts-hostile`: somebody's own tests, once as they are, and once against each wrong server.

The second and all further passes are quiet: what fails there is what is wanted, or is told in the table at the end.
A test is run again only against servers that it could tell from a right one, by what it asked of the sandbox before.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol

from coinbase_checkouts.errors import SignatureError
from coinbase_checkouts_sandbox.inprocess import wrapping

from . import receiver
from .wrong_servers import WRONG_SERVERS, Meeting, Right, Wanted, WrongServer, between

# A test that waits for what will never come is ended after so long.
LIMIT_S: Final = 10.0
_AGAIN_S: Final = 2.0
_MOST_SHOWN: Final = 3
# Where the fixture `checkouts_webhooks` verifies, for `.events` and `.wait()`.
_VERIFIES: Final = (Path(receiver.__file__), "events")
_WIDTH: Final = max(len(server.name) for server in WRONG_SERVERS) + 2

NOTICED: Final = "noticed"
NOT_NOTICED: Final = "NOT NOTICED"
SURVIVED: Final = "survived"
BROKE: Final = "BROKE"
ENDED: Final = "ended"
RAN_ON: Final = "RAN ON"
NOT_TRIED: Final = "not tried"
BAD: Final = frozenset({NOT_NOTICED, BROKE, RAN_ON})


class TooLongError(BaseException):
    """A test under a wrong server came to no end; no `except Exception` of the user's stops it."""


@dataclass(frozen=True)
class Trial:
    """
    One test under one wrong server.

    Attributes:
        failure: How it failed, in one line; None if it passed.
        told: The whole report of it.
        plain: What came to be when the server was right.
        is_ours: The fixture refused a webhook, so the user's own code was never asked to.
    """

    test: str
    met: Meeting
    plain: Meeting
    failure: str | None = None
    told: str = ""
    too_long: bool = False
    is_ours: bool = False

    @property
    def is_conclusive(self) -> bool:
        """
        Whether the test was left to go on as if nothing were wrong.

        One whose next step the sandbox refused, such as a refund of what was not paid, failed by that and not by what
        it looked at.
        """
        return self.met.refusals <= self.plain.refusals

    @property
    def damage(self) -> list[str]:
        """What must not happen, and did."""
        pairs = (
            ("checkouts", self.plain.created, self.met.created),
            ("refunds", self.plain.refunded, self.met.refunded),
        )
        changed = [
            f"{len(now)} {what} came to be instead of {len(before)}"
            for what, before, now in pairs
            if len(before) != len(now)
        ]
        return [*self.met.damage, *(["came to no end"] if self.too_long else []), *changed]


@dataclass(frozen=True)
class Verdict:
    """What is said of one wrong server; *tests* explain it."""

    server: type[WrongServer]
    said: str
    tests: Sequence[str] = field(default_factory=tuple)


def verdict(server: type[WrongServer], trials: Sequence[Trial]) -> Verdict:
    """Judge how the tests met *server*; those to which it did nothing wrong, or that we failed, say nothing."""
    met = [trial for trial in trials if trial.met.differed and not trial.is_ours]
    if not met:
        return Verdict(server, NOT_TRIED)
    if server.wanted is Wanted.NOTICE:
        met = [trial for trial in met if trial.is_conclusive] or met
    failed = [trial for trial in met if trial.failure is not None]
    if server.wanted is Wanted.NOTICE:
        if failed:
            return Verdict(server, NOTICED, [trial.test for trial in failed])
        return Verdict(server, NOT_NOTICED, [f"{trial.test} passed" for trial in met])
    if server.wanted is Wanted.END:
        endless = [trial for trial in met if trial.too_long or trial.met.damage]
        if endless:
            return Verdict(server, RAN_ON, [f"{trial.test} {', '.join(trial.damage[:1])}" for trial in endless])
        return Verdict(server, ENDED)
    broke = [f"{trial.test}: {trial.failure}" for trial in failed]
    broke += [
        f"{trial.test} passed, but {', '.join(trial.damage)}" for trial in met if not trial.failure and trial.damage
    ]
    return Verdict(server, BROKE, broke) if broke else Verdict(server, SURVIVED)


class HostileMode:
    """
    Runs the passes, and tells of them.

    Raises:
        pytest.UsageError: No such wrong server, or tests are run by several processes.
    """

    def __init__(self, config: pytest.Config) -> None:
        by_name = {server.name: server for server in WRONG_SERVERS}
        only: list[str] = config.getoption("--checkouts-hostile-only") or []
        self._allowed: list[str] = config.getoption("--checkouts-hostile-allow") or []
        unknown = [name for name in (*only, *self._allowed) if name not in by_name]
        if unknown:
            raise pytest.UsageError(
                f"--checkouts-hostile: no wrong server {unknown[0]}; there are {', '.join(by_name)}"
            )
        if config.getoption("tx", None) or config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
            raise pytest.UsageError("--checkouts-hostile runs in one process; leave out -n, or add -n0")
        self._servers = [by_name[name] for name in only] if only else list(WRONG_SERVERS)
        self._met = Meeting()
        self._plain: dict[str, Meeting] = {}
        self._passed: set[str] = set()
        self._reports: list[pytest.TestReport] | None = None
        self._reports_of_subtests: list[pytest.TestReport] = []
        self._is_ours = False
        self._verdicts: list[Verdict] = []
        self._broken: list[Trial] = []
        self._why_not = "the run did not come to its end"

    @property
    def is_on(self) -> bool:
        """Whether tests are being run against a wrong server just now."""
        return self._reports is not None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """After the tests as they are, the tests against each wrong server."""
        with self._against(Right):
            result = yield
        if session.config.option.collectonly:
            self._why_not = ""
        elif session.testsfailed:
            self._why_not = "tests fail without it, so nothing could be told by their failing"
        elif not any(self._plain[test].acts for test in self._passed):
            self._why_not = "no test that passed asked anything of a sandbox of this process"
        else:
            self._why_not = ""
            terminal: Any = session.config.pluginmanager.getplugin("terminalreporter")
            if terminal is not None:
                terminal.ensure_newline()
                terminal.write("wrong servers ")
            for server in self._servers:
                if terminal is not None:
                    terminal.write(".", flush=True)
                with self._against(server):
                    trials = self._tried(session, server)
                self._verdicts.append(verdict(server, trials))
                if server.wanted is not Wanted.NOTICE:
                    self._broken += [trial for trial in trials if trial.failure and trial.met.differed]
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Against a wrong server, run the test and keep the reports from everybody else."""
        self._met = Meeting()
        if self._reports is None:
            self._plain[item.nodeid] = self._met
            return None
        with _time_limit():
            self._reports = runtestprotocol(item, log=False, nextitem=nextitem)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """See whether a test failed because `checkouts_webhooks` verifies what the user's code should have refused."""
        if call.excinfo is not None and call.excinfo.errisinstance(SignatureError):
            self._is_ours |= any((Path(entry.path), entry.name) == _VERIFIES for entry in call.excinfo.traceback)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """Keep which tests pass as they are, and from everybody else what subtests say of a wrong server."""
        if self._reports is not None:
            self._reports_of_subtests.append(copy(report))
            # Nobody may count it as a failure of the run.
            report.outcome = "passed"
        elif report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            self._passed.add(report.nodeid)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self) -> tuple[str, str, str] | None:
        """Against a wrong server nothing is shown before the end."""
        return None if self._reports is None else ("", "", "")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        if self._why_not:
            terminalreporter.section("wrong servers")
            terminalreporter.line(f"--checkouts-hostile: {self._why_not}.", red=True)
            return
        if not self._verdicts:
            return
        terminalreporter.section("wrong servers")
        for one in self._verdicts:
            self._tell(terminalreporter, one)
        bad = sum(one.said in BAD for one in self._verdicts)
        untried = sum(one.said == NOT_TRIED for one in self._verdicts)
        good = len(self._verdicts) - bad - untried
        allowed = sum(one.said in BAD and one.server.name in self._allowed for one in self._verdicts)
        counts = f"{good} as they should be, {bad} not ({allowed} of them allowed), {untried} not tried by any test"
        terminalreporter.line(f"{len(self._verdicts)} wrong servers: {counts}")
        if terminalreporter.verbosity > 0:
            for trial in self._broken:
                terminalreporter.section(f"under a wrong server: {trial.test}", sep="_")
                terminalreporter.line(trial.told)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A green run that did not notice something is not green."""
        bad = any(one.said in BAD and one.server.name not in self._allowed for one in self._verdicts)
        if exitstatus == pytest.ExitCode.OK and (bad or self._why_not):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @contextmanager
    def _against(self, server: type[WrongServer]) -> Generator[None]:
        """While this lasts, every sandbox that is started is *server*."""

        def meet() -> Meeting:
            return self._met

        with wrapping(lambda app: between(app, server(meet), meet)):
            yield

    def _tried(self, session: pytest.Session, server: type[WrongServer]) -> list[Trial]:
        trials: list[Trial] = []
        items = [item for item in session.items if self._could_tell(item, server)]
        for item, following in zip(items, [*items[1:], None], strict=False):
            self._reports, self._reports_of_subtests, self._is_ours = [], [], False
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            reports = [*self._reports_of_subtests, *self._reports]
            trial = _trial(item, reports, self._met, self._plain[item.nodeid])
            trials.append(replace(trial, is_ours=self._is_ours))
        self._reports = None
        return trials

    def _could_tell(self, item: pytest.Item, server: type[WrongServer]) -> bool:
        return item.nodeid in self._passed and bool(self._plain[item.nodeid].acts & server.concerns)

    def _tell(self, terminal: pytest.TerminalReporter, one: Verdict) -> None:
        bad = one.said in BAD
        colour: Mapping[str, bool] = {"red": True} if bad else {"green": one.said != NOT_TRIED}
        accepted = " (allowed)" if bad and one.server.name in self._allowed else ""
        terminal.write(f"{one.said:<11}", bold=bad, **colour)
        terminal.write(f"  {one.server.name:<{_WIDTH}}{one.server.does}{accepted}\n")
        for test in one.tests[:_MOST_SHOWN]:
            terminal.write(f"{'':<13}{'by ' if one.said == NOTICED else ''}{test}\n")
        if len(one.tests) > _MOST_SHOWN:
            terminal.write(f"{'':<13}and {len(one.tests) - _MOST_SHOWN} more\n")


def _trial(item: pytest.Item, reports: Sequence[pytest.TestReport], met: Meeting, plain: Meeting) -> Trial:
    failed = [report for report in reports if report.failed]
    if not failed:
        return Trial(item.nodeid, met, plain)
    told = failed[0].longreprtext
    crash: Any = getattr(failed[0].longrepr, "reprcrash", None)
    line = str(crash.message if crash else told).strip().partition("\n")[0]
    return Trial(item.nodeid, met, plain, line, told, too_long=TooLongError.__name__ in line)


@contextmanager
def _time_limit() -> Generator[None]:
    """End what takes too long, where there are signals and this is the main thread; pytest-timeout does the same."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"it had {LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, end)
    # Once more and again, for code that begins anew whatever it is told.
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
