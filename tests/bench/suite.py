"""
The conformance suite next to schemathesis: the same sandbox, the same description, and the same wrong servers.

Time is that of a whole command, interpreter start included. A wrong server counts as caught by schemathesis when a
failure shows that it does not show on the right one in any of its seeds; by the suite when it exits 1. Hooks give
schemathesis tokens, paid checkouts and bodies that keep the rules; see `schemathesis_hooks`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from coinbase_checkouts_conformance.mutants.catalogue import Mutant
from coinbase_checkouts_conformance.mutants.runs import wrong_servers
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_sandbox import Sandbox
from coinbase_checkouts_sandbox.inprocess import wrapping

SEED = 7
WRONG = 8
RIGHT_SEEDS = (1, 2, 3)
LIMIT_S = 300
DESCRIPTION = files("coinbase_checkouts_api") / "openapi.json"
HOOKS = "tests.bench.schemathesis_hooks"


@dataclass(frozen=True)
class Ran:
    """One command on one server; *failures* are what it complained about."""

    seconds: float
    requests: int
    code: int
    failures: frozenset[str]


@contextmanager
def serving(folder: Path, mutant: Mutant | None = None) -> Generator[Sandbox]:
    """The sandbox on a port, right or wrong; its key is in *folder*."""
    key_file = folder / "key.json"
    with ExitStack() as stack:
        if mutant is not None:
            failures: list[str] = []
            stack.enter_context(wrapping(lambda app: mutant.around(app, Tokens(key_file), failures)))
        sandbox = Sandbox(port=0)
        key_file.write_text(json.dumps(sandbox.key), encoding="utf-8")
        yield stack.enter_context(sandbox)


def ours(sandbox: Sandbox, folder: Path) -> Ran:
    """The conformance suite."""
    command = [str(Path(sys.executable).with_name("coinbase-checkouts")), "conformance"]
    options = ["--base-url", sandbox.base_url, "--key-file", str(folder / "key.json")]
    return _ran([*command, *options], sandbox, {}, folder)


def theirs(sandbox: Sandbox, folder: Path, seed: int) -> Ran:
    """schemathesis with all checks and phases."""
    report = folder / "junit.xml"
    report.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("st")), "run", str(DESCRIPTION), "--url", sandbox.base_url]
    command += ["--checks", "all", "--max-examples", "20", "--seed", str(seed), "--no-color"]
    command += ["--report-junit-path", str(report)]
    env = {
        "SCHEMATHESIS_HOOKS": HOOKS,
        "BENCH_KEY_FILE": str(folder / "key.json"),
        "BENCH_ORIGIN": sandbox.base_url,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])),
    }
    return _ran(command, sandbox, env, folder)


def _ran(command: Sequence[str], sandbox: Sandbox, env: dict[str, str], folder: Path) -> Ran:
    before, began = len(sandbox.requests), time.perf_counter()
    try:
        done = subprocess.run(
            command, env={**os.environ, **env}, cwd=folder, capture_output=True, timeout=LIMIT_S, check=False
        )
        code = done.returncode
    except subprocess.TimeoutExpired:
        code = -1
    seconds = time.perf_counter() - began
    return Ran(seconds, len(sandbox.requests) - before, code, _failures(folder / "junit.xml"))


def _failures(report: Path) -> frozenset[str]:
    """`operation: first line` of each failure; the same problem has the same line whatever value showed it."""
    if not report.is_file():
        return frozenset()
    return frozenset(
        f"{case.get('name')}: {line.removeprefix('- ').strip()}"
        for case in ET.parse(report).iter("testcase")
        for failure in case.iter("failure")
        for line in (failure.text or "").splitlines()
        if line.startswith("- ")
    )


def main() -> None:
    """Both on the right server, then on a sample of wrong ones."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder) as sandbox:
            suite = ours(sandbox, folder)
        replay = _ran([sys.executable, "-m", "coinbase_checkouts_conformance.replay"], sandbox, {}, folder)
        others: list[Ran] = []
        for seed in RIGHT_SEEDS:
            with serving(folder) as sandbox:
                others.append(theirs(sandbox, folder, seed))
        other = others[-1]
        known = frozenset[str]().union(*(ran.failures for ran in others))
        print("\nThe right server")
        for title, ran in (("schemathesis", other), ("the suite", suite), ("the suite, replayed", replay)):
            figures = f"{ran.seconds:>8.1f} s{ran.seconds / other.seconds:>8.2f} ×{ran.requests:>8} requests"
            print(f"  {title:<22}{figures}   exit {ran.code}, {len(ran.failures)} kinds of failure")
        print(f"  false failures of schemathesis over {len(RIGHT_SEEDS)} seeds: {len(known)} kinds")
        drawn = random.Random(SEED).sample(wrong_servers(), WRONG)
        print(f"\nWrong servers ({WRONG} drawn with seed {SEED})")
        caught = [0, 0]
        for mutant in drawn:
            with serving(folder, mutant) as sandbox:
                by_us = ours(sandbox, folder).code == 1
            with serving(folder, mutant) as sandbox:
                by_them = bool(theirs(sandbox, folder, SEED).failures - known)
            caught = [caught[0] + by_us, caught[1] + by_them]
            words = {True: "caught", False: "missed"}
            print(f"  {mutant.name:<46}suite {words[by_us]}, schemathesis {words[by_them]}", flush=True)
        print(f"  the suite {caught[0]} of {WRONG}, schemathesis {caught[1]} of {WRONG}")
