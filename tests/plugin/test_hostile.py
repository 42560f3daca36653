"""Hostile mode: which wrong servers somebody's tests notice and survive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from coinbase_checkouts_conformance import hostile
from coinbase_checkouts_conformance.hostile import Trial, verdict
from coinbase_checkouts_conformance.wrong_servers import (
    WRONG_SERVERS,
    EndlessToken,
    Meeting,
    NeverPaid,
    UnavailableAfterCreate,
    Wanted,
    WrongServer,
)

if TYPE_CHECKING:
    from tests.plugin.conftest import Run

GOOD = {
    "never-paid": "noticed",
    "redirect-before-paid": "noticed",
    "payment-fails": "noticed",
    "expired": "noticed",
    "unknown-status": "noticed",
    "underpaid": "noticed",
    "not-deactivated": "noticed",
    "refund-fails": "noticed",
    "second-refund": "noticed",
    "second-create": "noticed",
    "503-after-create": "survived",
    "503-after-refund": "survived",
    "drop-after-acting": "survived",
    "503-at-first": "survived",
    "html-error": "survived",
    "429-without-retry-after": "survived",
    "undocumented-field": "survived",
    "missing-optional-fields": "survived",
    "short-decimals": "survived",
    "nanoseconds": "survived",
    "repeated-item": "survived",
    "webhook-twice": "not tried",
    "webhook-out-of-order": "not tried",
    "webhook-tampered": "not tried",
    "endless-token": "ended",
}
CARELESS = GOOD | {
    "never-paid": "NOT NOTICED",
    "unknown-status": "NOT NOTICED",
    "underpaid": "NOT NOTICED",
    "not-deactivated": "NOT NOTICED",
    "refund-fails": "NOT NOTICED",
    "second-refund": "NOT NOTICED",
    "second-create": "not tried",
    "503-after-create": "BROKE",
    "drop-after-acting": "BROKE",
    "html-error": "BROKE",
    "429-without-retry-after": "BROKE",
    "undocumented-field": "BROKE",
    "short-decimals": "BROKE",
    "repeated-item": "BROKE",
    "endless-token": "RAN ON",
}


def verdicts(result: pytest.RunResult) -> dict[str, str]:
    """What the table says of each wrong server."""
    said = "noticed|NOT NOTICED|survived|BROKE|ended|RAN ON|not tried"
    rows = (re.match(rf"({said}) +(\S+)  ", f"{line}  ") for line in result.outlines)
    return {row[2]: row[1] for row in rows if row}


def test_a_good_integration(shop: Callable[..., None], run: Run) -> None:
    """
    Every lie is noticed, every hardship survived, and the run is as green as without.
    """
    shop("good", "twice")
    result = run("--checkouts-hostile")
    assert verdicts(result) == GOOD
    result.assert_outcomes(passed=7)
    assert pytest.ExitCode.OK == result.ret


def test_a_careless_integration(shop: Callable[..., None], run: Run) -> None:
    """
    Its own tests pass; what it does not notice or survive is told, with the tests, and the run fails.
    """
    shop("careless")
    result = run("--checkouts-hostile")
    assert verdicts(result) == CARELESS
    result.assert_outcomes(passed=6)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(
        [
            "NOT NOTICED  never-paid *",
            " *test_shop.py::test_paid passed",
            "BROKE        503-after-create *",
            " *test_shop.py::test_paid passed, but 2 checkouts came to be instead of 1",
            "RAN ON       endless-token *",
            " *test_shop.py::test_all asked for 500 pages",
            "25 wrong servers: *14 not (0 of them allowed)*",
        ]
    )


def test_without_the_option_nothing_changes(shop: Callable[..., None], run: Run) -> None:
    """
    An ordinary run says nothing of wrong servers.
    """
    shop("careless")
    result = run()
    assert ({}, pytest.ExitCode.OK) == (verdicts(result), result.ret)
    result = run("--checkouts-hostile", "--collect-only")
    assert ({}, pytest.ExitCode.OK) == (verdicts(result), result.ret)


def test_what_is_accepted_does_not_fail_the_run(shop: Callable[..., None], run: Run) -> None:
    """
    --checkouts-hostile-only tries one, and --checkouts-hostile-allow accepts what comes of it.
    """
    shop("careless")
    only = ("--checkouts-hostile", "--checkouts-hostile-only", "underpaid")
    assert pytest.ExitCode.TESTS_FAILED == run(*only).ret
    result = run(*only, "--checkouts-hostile-allow", "underpaid")
    assert ({"underpaid": "NOT NOTICED"}, pytest.ExitCode.OK) == (verdicts(result), result.ret)
    result.stdout.fnmatch_lines(["NOT NOTICED  underpaid *(allowed)"])


def test_what_broke_is_shown_on_request(shop: Callable[..., None], run: Run) -> None:
    """
    With -v the whole report of a test that broke under a hardship is there to be mended.
    """
    shop("careless")
    result = run("--checkouts-hostile", "--checkouts-hostile-only", "html-error", "-v")
    result.stdout.fnmatch_lines(["*under a wrong server: test_shop.py::test_paid*", "*return answer.json()"])


def test_nothing_is_said_when_tests_fail_anyhow(shop: Callable[..., None], run: Run, pytester: pytest.Pytester) -> None:
    """
    A test that fails under the right server is reported as always, and no verdict is given.
    """
    shop("good")
    pytester.makepyfile(test_other="def test_other():\n    assert False\n")
    result = run("--checkouts-hostile")
    result.assert_outcomes(passed=6, failed=1)
    assert ({}, pytest.ExitCode.TESTS_FAILED) == (verdicts(result), result.ret)
    result.stdout.fnmatch_lines(["--checkouts-hostile: tests fail without it*"])


def test_tests_without_a_sandbox_prove_nothing(run: Run, pytester: pytest.Pytester) -> None:
    """
    A run in which no test met a sandbox is not green.
    """
    pytester.makepyfile("def test_other():\n    pass\n")
    result = run("--checkouts-hostile")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["--checkouts-hostile: no test that passed asked anything*"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--checkouts-hostile-only", "nonsense"], "*no wrong server nonsense; there are never-paid, *"),
        (["--checkouts-hostile-allow", "nonsense"], "*no wrong server nonsense; *"),
        (["-p", "xdist", "-n", "2"], "*runs in one process; leave out -n, or add -n0"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(run: Run, arguments: list[str], told: str) -> None:
    """
    Unknown names and several processes are refused before anything runs.
    """
    result = run("--checkouts-hostile", *arguments)
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([told])


def test_without_the_extra_the_extra_is_named(run: Run, pytester: pytest.Pytester) -> None:
    """
    Where the sandbox is not installed, the option says what to install.
    """
    pytester.makeconftest("import sys\nsys.modules['starlette'] = None\n")
    result = run("--checkouts-hostile")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*--checkouts-hostile needs an extra: pip install *"])


def test_ones_own_sandbox_is_wrong_too(run: Run, pytester: pytest.Pytester) -> None:
    """
    A Sandbox of the user's own fixtures, of any scope, is each wrong server in turn.
    """
    pytester.makepyfile("""
        import pytest
        from coinbase_checkouts import ApiKey, Checkouts
        from coinbase_checkouts_sandbox import Sandbox

        @pytest.fixture(scope="session")
        def world():
            with Sandbox(port=0) as sandbox:
                key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
                with Checkouts(key, base_url=sandbox.base_url) as checkouts:
                    yield sandbox, checkouts

        class TestShop:
            @pytest.mark.parametrize("number", range(2))
            def test_paid(self, world, number):
                sandbox, checkouts = world
                checkout = checkouts.create("1.00")
                sandbox.pay(checkout.id)
                assert checkouts.get(checkout.id).status == "COMPLETED"
    """)
    only = [
        part for name in ("never-paid", "underpaid", "drop-after-acting") for part in ("--checkouts-hostile-only", name)
    ]
    result = run("--checkouts-hostile", *only)
    assert {"never-paid": "noticed", "underpaid": "NOT NOTICED", "drop-after-acting": "survived"} == verdicts(result)


def test_subtests_and_unittest_classes(run: Run, pytester: pytest.Pytester) -> None:
    """
    A subtest that fails under a wrong server is a test that notices, and no failure of the run.
    """
    pytester.makepyfile("""
        import unittest
        import pytest

        class TestShop(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _sandbox(self, checkouts, checkouts_sandbox):
                self.checkouts, self.sandbox = checkouts, checkouts_sandbox

            def test_paid(self):
                checkout = self.checkouts.create("1.00")
                self.sandbox.pay(checkout.id)
                with self.subTest("paid"):
                    self.assertEqual(self.checkouts.get(checkout.id).status, "COMPLETED")
    """)
    result = run("--checkouts-hostile", "--checkouts-hostile-only", "never-paid")
    assert ({"never-paid": "noticed"}, pytest.ExitCode.OK) == (verdicts(result), result.ret)
    assert "failed" not in result.parseoutcomes()


@pytest.mark.parametrize(
    ("hook", "waits", "said"),
    [
        ("json.loads(body)", True, "not tried"),
        ("json.loads(body)", False, "NOT NOTICED"),
        ("webhooks.verify(body, headers, secret)", True, "not tried"),
        ("webhooks.verify(body, headers, secret)", False, "noticed"),
    ],
)
def test_only_ones_own_code_notices_a_tampered_webhook(
    run: Run, pytester: pytest.Pytester, hook: str, waits: bool, said: str
) -> None:
    """
    That the fixture verifies, when asked for events, says nothing of the endpoint under test.
    """
    pytester.makepyfile(f"""
        import json
        from coinbase_checkouts import webhooks

        def test_paid(checkouts, checkouts_sandbox, checkouts_webhooks):
            secret = checkouts_webhooks.secret
            checkouts_sandbox.pay(checkouts.create("1.00").id)
            if {waits}:
                checkouts_webhooks.wait(1)
            assert len(checkouts_webhooks.hand_to(lambda body, headers: {hook})) == 1
    """)
    result = run("--checkouts-hostile", "--checkouts-hostile-only", "webhook-tampered")
    assert {"webhook-tampered": said} == verdicts(result)


def test_who_waits_for_ever_is_ended(run: Run, pytester: pytest.Pytester) -> None:
    """
    A test that waits for a payment which never comes fails after the limit, whatever it catches.
    """
    pytester.makeconftest("from coinbase_checkouts_conformance import hostile\nhostile.LIMIT_S = 0.3\n")
    pytester.makepyfile("""
        def test_paid(checkouts, checkouts_sandbox):
            checkout = checkouts.create("1.00")
            checkouts_sandbox.pay(checkout.id)
            while True:
                try:
                    if checkouts.get(checkout.id).status == "COMPLETED":
                        break
                except Exception:
                    continue
    """)
    result = run("--checkouts-hostile", "--checkouts-hostile-only", "never-paid")
    assert ({"never-paid": "noticed"}, pytest.ExitCode.OK) == (verdicts(result), result.ret)


def _trial(*, failed: bool = False, differed: bool = True, refusals: int = 0, created: int = 1) -> Trial:
    met = Meeting(created={str(number) for number in range(created)}, refusals=refusals, differed=differed)
    return Trial("test_it", met, Meeting(created={"0"}), "it failed" if failed else None)


@pytest.mark.parametrize(
    ("server", "trials", "said"),
    [
        (NeverPaid, [], hostile.NOT_TRIED),
        (NeverPaid, [_trial(failed=True, differed=False)], hostile.NOT_TRIED),
        (NeverPaid, [_trial(), _trial(failed=True)], hostile.NOTICED),
        (NeverPaid, [_trial(), _trial(failed=True, refusals=1)], hostile.NOT_NOTICED),
        (NeverPaid, [_trial(failed=True, refusals=1)], hostile.NOTICED),
        (UnavailableAfterCreate, [_trial()], hostile.SURVIVED),
        (UnavailableAfterCreate, [_trial(), _trial(failed=True)], hostile.BROKE),
        (UnavailableAfterCreate, [_trial(created=2)], hostile.BROKE),
        (EndlessToken, [_trial(failed=True)], hostile.ENDED),
    ],
)
def test_verdicts(server: type[WrongServer], trials: list[Trial], said: str) -> None:
    """
    A failure notices a lie unless the sandbox's refusal caused it; a hardship is survived with as much come to be.
    """
    assert said == verdict(server, trials).said


def test_wrong_servers_have_names_and_sentences() -> None:
    """
    Each has a name of its own and one sentence, and there are some of every kind.
    """
    assert len(WRONG_SERVERS) == len({server.name for server in WRONG_SERVERS})
    assert set(Wanted) == {server.wanted for server in WRONG_SERVERS}
    assert [] == [server.name for server in WRONG_SERVERS if not server.does.endswith(".")]
    assert set(GOOD) == {server.name for server in WRONG_SERVERS}
