"""Servers that are wrong on purpose: each names what must catch it, and the runner tells the truth about it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from coinbase_checkouts_conformance.claims import collected
from coinbase_checkouts_conformance.layer import Ask, Reply
from coinbase_checkouts_conformance.mutants import cli, harmless, source, workers
from coinbase_checkouts_conformance.mutants.catalogue import HTTP, KINDS, Mutant, Server
from coinbase_checkouts_conformance.mutants.runs import wrong_servers

COMMAND = [sys.executable, "-m", "coinbase_checkouts_conformance.mutants"]


async def _right(server: Server, ask: Ask) -> Reply:
    return await server.forward(ask)


async def _stuck(server: Server, ask: Ask) -> Reply:
    while True:
        time.sleep(1)  # noqa: ASYNC251 -- it never comes back to the event loop, which is the point


async def _waiting(server: Server, ask: Ask) -> Reply:
    await asyncio.sleep(3600)
    return await server.forward(ask)


async def _killing(server: Server, ask: Ask) -> Reply:
    os.kill(os.getpid(), 9)
    return await server.forward(ask)


async def _mistaken(server: Server, ask: Ask) -> Reply:
    raise KeyError("a mistake of the mutant's own")


def planted(answer: object, *claims: str) -> Mutant:
    """A wrong server of the test's own."""
    return Mutant("planted", "It was planted.", HTTP, claims or ("get.as-created",), answer)  # type: ignore[arg-type]


def run(capfd: pytest.CaptureFixture[str], mutant: Mutant, *options: str) -> tuple[int, str]:
    """Exit code and output of the command, in this process, on one wrong server."""
    code = cli.main(["--only", "planted", "--seed", "1", *options], servers=[mutant])
    return code, capfd.readouterr().out


def test_every_mutant_names_claims_there_are() -> None:
    """
    No mutant names a claim that the suite does not have, and none names nothing.
    """
    claims = {one.id for one in collected()}
    named = {one.name: one.claims for one in wrong_servers()}
    assert {} == {name: claims_ for name, claims_ in named.items() if not claims_ or not set(claims_) <= claims}


def test_names_and_sentences() -> None:
    """
    Names are stable and differ, in one spelling; each has a sentence.
    """
    both = [*wrong_servers(), *harmless.mutants()]
    assert [] == [name for name, number in Counter(one.name for one in both).items() if number > 1]
    assert [] == [one.name for one in both if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name)]
    assert [] == [one.name for one in both if not one.does.endswith(".")]


def test_each_kind_has_some() -> None:
    """
    Every kind of mistake is there, and there are more than a hundred in all, none of them of a kind nobody counts.
    """
    number = Counter(one.kind for one in wrong_servers())
    assert set(KINDS) == set(number)
    assert [] == [kind for kind, count in number.items() if count < 5]
    assert number.total() > 100


def test_every_operation_has_some() -> None:
    """
    Each of the five operations has wrong servers that only its own claims catch.
    """
    first = Counter(one.claims[0].partition(".")[0] for one in wrong_servers())
    assert [] == [verb for verb in ("create", "get", "list", "deactivate", "refund") if first[verb] < 5]


def test_a_sample_is_caught() -> None:
    """
    The command on a few: all are caught, the right servers pass, exit 0, and the last line says so.
    """
    done = subprocess.run(
        [*COMMAND, "--sample", "8", "--seed", "4", "--seeds", "1"], check=False, capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"mutants: 8 of 8 wrong servers caught by the claim named \(seed 4, 8 of \d+\)", last)


def test_what_is_not_caught_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """
    A mutant that does nothing is caught by no claim: it is named, and the exit code is 1.
    """
    code, out = run(capfd, planted(_right))
    assert 1 == code
    assert "NOT CAUGHT planted: It was planted.\n  broke nothing; wanted get.as-created\n" in out
    assert "mutants: 0 of 1 wrong servers caught by the claim named (seed 1, all)" == out.splitlines()[-1]


@pytest.mark.parametrize(
    ("answer", "why"),
    [(_stuck, "no end within 1 s"), (_killing, "killed by signal 9"), (_mistaken, "planted itself failed: KeyError")],
)
def test_what_gives_no_result_is_not_caught(capfd: pytest.CaptureFixture[str], answer: object, why: str) -> None:
    """
    A mutant that hangs is ended, one that ends its process is survived, and one that fails by itself is no success.
    """
    code, out = run(capfd, planted(answer), "--deadline", "1" if answer is _stuck else "60")
    assert 1 == code
    assert why in out


def test_a_server_that_never_answers_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    """
    A server that waits for ever breaks the claim by the suite's own deadline.
    """
    code, _ = run(capfd, planted(_waiting))
    assert 0 == code


def test_unknown_claims_and_names_cannot_run(capfd: pytest.CaptureFixture[str]) -> None:
    """
    A claim or a server that there is not is a mistake of the caller: exit 2.
    """
    assert 2 == run(capfd, planted(_right, "get.no-such-claim"))[0]
    assert 2 == cli.main(["--only", "no-such-server"])
    assert "no wrong server is called no-such-server" in capfd.readouterr().err


def test_no_process_is_left_behind() -> None:
    """
    A run that is ended in the middle leaves no process.
    """
    with subprocess.Popen([*COMMAND, "--seed", "1"], stdout=subprocess.DEVNULL, process_group=0) as running:
        try:
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
            while not children.read_text():
                assert running.poll() is None
                time.sleep(0.01)
            running.terminate()
            assert 128 + signal.SIGTERM == running.wait(60)
            with pytest.raises(ProcessLookupError):
                os.killpg(running.pid, 0)
        finally:
            running.kill()


def test_jobs_share_the_workers() -> None:
    """
    Every job has its result, whatever became of the others.
    """

    def do(job: int) -> int:
        if job == 2:
            os._exit(3)
        return job * job

    found = dict(workers.results([1, 2, 3], do, deadline_s=30, workers=2))
    assert {1: 1, 2: workers.Lost("ended with exit code 3"), 3: 9} == found


def test_changes_of_the_source_are_different_and_whole() -> None:
    """
    Every change compiles, differs from what was there, and leaves the tree as it was for the next one.
    """
    for change in source.changes("money"):
        assert change.before != change.after
        source._compiled(change)
    assert source.changes("money") == source.changes("money")


def test_known_survivors_are_about_something() -> None:
    """
    Each entry of survivors.toml names a change that there is, and says why.
    """
    everything = [change for module in source.MODULES for change in source.changes(module)]
    known = source.known_survivors()
    assert [] == [one for one in known if not one.why or not any(map(one.is_about, everything))]


def test_a_change_of_the_source_is_killed(key_file: Path) -> None:
    """
    A currency by another name is noticed: the change is killed, and the claim that did it is named.
    """
    changes = {change.told.partition("  ")[2]: change for change in source.changes("money")}
    deadly = changes["'USDC' → 'USDCX'"]
    [fate] = source.fates([deadly], key_file, seed=1)
    assert (source.KILLED, True) == (fate.said, "." in fate.by)
