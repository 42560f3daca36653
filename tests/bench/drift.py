"""
The comparison of descriptions next to Redocly CLI's `diff`: ours with a published generation, descriptions of 1 to
10 MB, and a battery of single changes.

Time and memory are those of a whole command, start included; ratios are of processor time. The baseline reads both sides with PyYAML's parser in C,
and does nothing with them. The battery is that of our tests: what it calls breaking was decided before Redocly CLI was
asked, but by us.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.drift.descriptions import at, description, drift
from tests.conformance.drift.test_battery import CASES, NOTHING, Edit

ROUNDS = 3
LIMIT_S = 300
ENOUGH_S = 10
MEGABYTES = (1.0, 2.5, 5.0, 10.0)
# Stands in the names of each copy of the small description that a large one is made of.
MARK = "ZZZ"
SPEC = Path(__file__).parents[2] / "spec"
READING = "import sys, yaml\nfor name in sys.argv[1:]:\n    yaml.load(open(name, 'rb'), yaml.CSafeLoader)"

# A process begins as large as the one that starts it, so a small one does; Linux counts in KiB.
START = """
import os, signal, sys, time
began = time.perf_counter()
pid = os.fork()
if pid == 0:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.execvp(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(int(sys.argv[1]))
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Ran:
    """
    One command.

    Args:
        seconds: Until it ended.
        busy: Seconds of processors, of which other work on the machine takes nothing.
        mib: At the most.
        code: How it ended; below 0 when it was killed for taking too long.
    """

    seconds: float
    busy: float
    mib: float
    code: int


def ran(command: Sequence[str]) -> Ran:
    """The least busy of some rounds, fewer of what takes long."""
    found = [_once(command)]
    while len(found) < ROUNDS and sum(one.seconds for one in found) < ENOUGH_S:
        found.append(_once(command))
    return min(found, key=lambda one: one.busy)


def _once(command: Sequence[str]) -> Ran:
    env = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    starting = [sys.executable, "-S", "-c", START, str(LIMIT_S), *command]
    seconds, busy, kib, code = subprocess.run(
        starting, capture_output=True, text=True, env=env, check=True
    ).stdout.split()
    return Ran(float(seconds), float(busy), int(kib) / 1024, int(code))


def ours() -> list[str]:
    """Our command."""
    return [sys.executable, "-c", "import sys; from coinbase_checkouts_conformance.drift.cli import main; sys.exit(main(sys.argv[1:]))"]  # fmt: skip


def theirs() -> list[str] | None:
    """Redocly CLI's, without npm around it; None where there is no npm."""
    if shutil.which("npm") is None:
        return None
    find = [
        "npm",
        "exec",
        "--yes",
        "--package",
        "@redocly/cli@2",
        "--",
        "sh",
        "-c",
        'readlink -f "$(command -v redocly)"',
    ]
    done = subprocess.run(find, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return ["node", done.stdout.split()[-1]]


def report(title: str, found: dict[str, Ran]) -> None:
    """One table: processor time, its ratio to the first, time until the end, memory."""
    base = next(iter(found.values()))
    print(f"\n{title}")
    for name, one in found.items():
        figures = f"{one.busy:>8.2f} s{one.busy / base.busy:>8.2f} ×{one.seconds:>8.2f} s{one.mib:>8.0f} MiB"
        print(f"  {name:<40}{figures}{'' if one.code in (0, 1) else f'   exit {one.code}'}", flush=True)


def candidates(base: Path, revision: Path, other: list[str] | None) -> dict[str, Ran]:
    """Everyone on the same two files."""
    sides = [str(base), str(revision)]
    found = {"PyYAML reads both": ran([sys.executable, "-c", READING, *sides])}
    found["coinbase-checkouts drift"] = ran([*ours(), *sides])
    if other is not None:
        found["redocly diff"] = ran([*other, "diff", *sides])
    return found


def pair(folder: Path, megabytes: float) -> tuple[Path, Path]:
    """Two descriptions of that size; every twentieth resource is changed in two ways."""
    changed = description()
    at(changed, "components schemas Status")["enum"].append("LATE")
    at(changed, "components schemas Order")["required"].remove("total")
    parts = [_sections(data) for data in (description(), changed)]
    copies = int(megabytes * 1e6 / sum(map(len, parts[0].values())))
    paths = folder / "base.yaml", folder / "revision.yaml"
    for path, every in zip(paths, (0, 20), strict=True):
        texts = ["openapi: 3.1.0\ninfo: {title: Many, version: '1'}\n"]
        for head in parts[0]:
            texts.append(head)
            texts += [
                parts[every > 0 and number % every == 0][head].replace(MARK, str(number)) for number in range(copies)
            ]
        path.write_text("".join(texts), encoding="utf-8")
    return paths


def _sections(data: dict[str, Any]) -> dict[str, str]:
    """The text of the parts of a description, indented as under their heads, each name with the mark in it."""
    text = json.dumps(data).replace("/orders", f"/orders{MARK}").replace('"operationId": "', f'"operationId": "{MARK}')
    marked = json.loads(text.replace("#/components/schemas/", f"#/components/schemas/{MARK}"))
    schemas = {f"{MARK}{name}": schema for name, schema in marked["components"]["schemas"].items()}
    webhooks = {f"{name}{MARK}": item for name, item in marked["webhooks"].items()}
    named = {"paths:\n": marked["paths"], "webhooks:\n": webhooks, "components:\n  schemas:\n": schemas}
    return {head: _indented(content, 2 * head.count("\n")) for head, content in named.items()}


def _indented(content: Any, depth: int) -> str:
    lines = yaml.safe_dump(content, sort_keys=False, width=1000).splitlines()
    return "".join(f"{' ' * depth}{line}\n" for line in lines)


def battery(folder: Path, other: list[str] | None) -> None:
    """Who misses what breaks, and who raises what does not. What only may break has no right verdict."""
    base, revision = folder / "base.json", folder / "revision.json"
    base.write_text(json.dumps(description()), encoding="utf-8")
    right = {name: severity == "breaking" for name, _, severity, _ in CASES if severity != "potential"}
    edits: dict[str, Edit] = {name: edit for name, edit, *_ in CASES if name in right}
    for name, edit in NOTHING:
        edits[name], right[name] = edit, False
    said: dict[str, dict[str, bool]] = {"coinbase-checkouts drift": {}}
    if other is not None:
        said["redocly diff"] = {}
    for name, edit in edits.items():
        data = description()
        edit(data)
        said["coinbase-checkouts drift"][name] = any(one.severity == "breaking" for one in drift(description(), data))
        if other is not None:
            revision.write_text(json.dumps(data), encoding="utf-8")
            command: list[str | Path] = [*other, "diff", base, revision, "--format", "json"]
            done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=False)
            said["redocly diff"][name] = json.loads(done.stdout)["summary"]["major"] > 0
    breaking = sum(right.values())
    print(f"\nSingle changes: {breaking} that break someone, {len(right) - breaking} that do not")
    for who, verdicts in said.items():
        missed = [name for name in right if right[name] and not verdicts[name]]
        false = [name for name in right if verdicts[name] and not right[name]]
        print(f"  {who:<40}{len(missed):>4} missed{len(false):>6} raised falsely")
        for words, names in (("missed", missed), ("raised falsely", false)):
            print("".join(f"      {words}: {name}\n" for name in names), end="")


def main() -> None:
    """All of it."""
    other = theirs()
    if other is None:
        print("npm is not installed: left out Redocly CLI", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = {
            "python": ran([sys.executable, "-c", "pass"]),
            "coinbase-checkouts drift --help": ran([*ours(), "--help"]),
        }
        report("The start", start | ({} if other is None else {"redocly --version": ran([*other, "--version"])}))
        generation = max(SPEC.glob("generations/*.yaml"))
        report("Our description and a generation", candidates(generation, SPEC / "openapi.yaml", other))
        grown: dict[str, list[Ran]] = {}
        for megabytes in MEGABYTES:
            found = candidates(*pair(folder, megabytes), other)
            report(f"Two descriptions of {megabytes:g} MB", found)
            for who, one in found.items():
                grown.setdefault(who, []).append(one)
        print(f"\nGrowth from {MEGABYTES[0]:g} to {MEGABYTES[-1]:g} MB, for each MB more of either side")
        more = MEGABYTES[-1] - MEGABYTES[0]
        for who, (least, *_, most) in grown.items():
            print(f"  {who:<40}{(most.busy - least.busy) / more:>8.2f} s{(most.mib - least.mib) / more:>27.0f} MiB")
        battery(folder, other)
