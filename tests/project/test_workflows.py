"""The workflows that look for drift: their scripts are run here as a runner would, with git and a server of our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from ..conformance.drift.descriptions import at, description

ROOT = Path(__file__).parents[2]
WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
# The command, whatever environment the tests run in.
COMMAND = f"""#!{sys.executable}
import sys
from coinbase_checkouts_conformance.drift.cli import main
assert "drift" == sys.argv[1]
sys.exit(main(sys.argv[2:]))
"""
# GitHub's, as far as it is used: it keeps what it is asked for, and knows of an open issue if there is a file.
GH = """#!/bin/sh
printf '%s\\n' "$*" >> asked
if [ "$1 $2" = "issue list" ] && [ -f open-issue ]; then cat open-issue; fi
"""

Run = Callable[..., tuple[int, dict[str, str], str]]


def steps(workflow: str) -> dict[str, Any]:
    """The steps of its one job, by name."""
    (job,) = WORKFLOWS[workflow]["jobs"].values()
    return {step.get("name", step.get("uses")): step for step in job["steps"]}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_unless_it_says_so(name: str) -> None:
    """
    No permission is there by default, none is given that no step needs, and every job has a limit of time.
    """
    workflow = WORKFLOWS[name]
    assert {} == workflow["permissions"]
    allowed = {"contents": "read", "security-events": "write", "issues": "write"}
    for job in workflow["jobs"].values():
        assert job.get("permissions", {}).items() <= allowed.items()
        if "security-events" in job.get("permissions", {}) and "steps" in job:
            assert any("codeql-action" in step.get("uses", "") for step in job["steps"])
        if "issues" in job.get("permissions", {}):
            assert any("gh issue" in step.get("run", "") for step in job["steps"])
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_script_has_an_expression_in_it(name: str) -> None:
    """
    What others can write, such as inputs and branches, reaches scripts through the environment only.
    """
    scripts = [
        step["run"] for job in WORKFLOWS[name]["jobs"].values() for step in job.get("steps", ()) if "run" in step
    ]
    found = [expression for script in scripts for expression in re.findall(r"\$\{\{(.*?)\}\}", script)]
    # GitHub's own words, and those of the workflow.
    assert [] == [one for one in found if not re.fullmatch(r" (join\(needs\.\*\.result, ' '\)|matrix\.\w+) ", one)]


def test_published_description_is_where_the_sources_say() -> None:
    """
    The address that is looked at each week is that of the document `spec` of our description.
    """
    ours = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
    url = steps("published.yml")["Compare"]["env"]["URL"]
    assert f"'{ours['x-documents']['spec']['url']}'" in url


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with two commits, in which a description changed; and programs on its own PATH."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name, text in (("coinbase-checkouts", COMMAND), ("gh", GH)):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet")
    changed = description()
    at(changed, "components schemas Status")["enum"].append("LATE")
    for data in (description(), changed):
        (folder / "openapi.json").write_text(json.dumps(data, indent=2))
        (folder / "same.json").write_text(json.dumps(description()))
        git(folder, "add", "-A")
        git(folder, "commit", "--quiet", "--message", "change")
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def run(work: Path, tmp_path: Path) -> Run:
    """Run the script of a step, as a runner does; its code, its outputs, and the summary of the job."""

    def run(workflow: str, step: str, **env: str) -> tuple[int, dict[str, str], str]:
        script = steps(workflow)[step]
        assert set(env) <= set(script.get("env", {}))
        files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script["run"]],
            cwd=work,
            env={
                **dict.fromkeys(script.get("env", {}), ""),
                **{name: str(path) for name, path in files.items()},
                "PATH": os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]),
                "PYTHONPATH": os.pathsep.join(sys.path),
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "HOME": str(tmp_path),
                **env,
            },
            capture_output=True,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        return done.returncode, outputs, files["GITHUB_STEP_SUMMARY"].read_text()

    return run


def test_a_pull_request_is_told_what_it_breaks(run: Run, work: Path) -> None:
    """
    The file before the change is the base; the summary and all reports are there, and the verdict comes last.
    """
    code, outputs, summary = run("drift.yml", "Compare", REVISION="openapi.json", FAIL_ON="potential")
    assert (0, {"reports": "yes", "code": "1"}) == (code, outputs)
    assert "new value LATE" in summary
    assert {"drift.md", "drift.json", "drift.sarif", "drift.html"} == {
        path.name for path in (work / "drift-report").iterdir()
    }
    sarif = json.loads((work / "drift-report" / "drift.sarif").read_text())
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert "openapi.json" == place["artifactLocation"]["uri"]
    assert 1 == run("drift.yml", "Verdict", CODE="1")[0]
    assert 0 == run("drift.yml", "Verdict", CODE="0")[0]


@pytest.mark.parametrize(
    ("env", "code", "words"),
    [
        ({"REVISION": "same.json"}, "0", "No differences"),
        ({"REVISION": "openapi.json", "FAIL_ON": "breaking"}, "0", "new value LATE"),
        ({"REVISION": "openapi.json", "BASE": "same.json"}, "1", "new value LATE"),
        ({"REVISION": "new.json"}, "0", "is new"),
        ({"REVISION": "nowhere.json"}, "2", "nowhere.json"),
        ({"REVISION": "openapi.json", "BASE": "generation:9"}, "2", "there are 1, 2, 3"),
        ({"REVISION": "openapi.json", "WAIVERS": "nowhere.toml"}, "2", "nowhere.toml"),
        ({"REVISION": "$(touch owned)`touch owned`; touch owned"}, "2", "touch owned"),
        ({"REVISION": "--output=owned", "BASE": "same.json"}, "2", "--output=owned"),
        ({"REVISION": "openapi.json", "FAIL_ON": 'prose"; touch owned; "'}, "2", "touch owned"),
    ],
)  # fmt: skip
def test_inputs(env: dict[str, str], code: str, words: str, run: Run, work: Path) -> None:
    """
    Each input does what it says; whatever is in it, it is no code.
    """
    (work / "new.json").write_text(json.dumps(description()))
    done, outputs, summary = run("drift.yml", "Compare", **{"FAIL_ON": "potential", **env})
    assert (0, code) == (done, outputs["code"])
    assert words in summary
    assert not (work / "owned").exists()


class _Publisher(BaseHTTPRequestHandler):
    content = b""

    def do_GET(self) -> None:
        self.send_response(200 if self.content else 404)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    """Where a description is published."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Publisher) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/openapi.yaml"
        server.shutdown()


@pytest.mark.parametrize(
    ("case", "asked"),
    [
        ("same", []),
        ("same, issue open", ["issue close 7"]),
        ("changed", ["label create drift", "issue create"]),
        ("changed, issue open", ["issue edit 7 --body-file"]),
    ],
)
def test_one_issue_tells_of_the_published_description(
    case: str, asked: list[str], run: Run, work: Path, url: str
) -> None:
    """
    While what is published is not as we describe it there is one issue, which is kept up to date; afterwards none.
    """
    ours = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
    _Publisher.content = (ours if "same" in case else ours.replace("maxProperties: 20", "maxProperties: 2")).encode()
    if "open" in case:
        (work / "open-issue").write_text("7\n")
    code, outputs, summary = run("published.yml", "Compare", URL=url)
    assert (0, {"code": "0" if "same" in case else "1"}) == (code, outputs)
    assert summary.startswith("### Drift: ")
    assert 0 == run("published.yml", "Tell in one issue", CODE=outputs["code"], RUN="https://example.com/run")[0]
    (first, *others) = (work / "asked").read_text().splitlines()
    assert first.startswith("issue list --label drift --state open")
    assert len(asked) == len(others)
    assert [] == [line for line, words in zip(others, asked, strict=True) if not line.startswith(words)]
    assert (work / "drift-report" / "drift.md").read_text().endswith("https://example.com/run\n")


def test_a_description_that_cannot_be_had_makes_the_job_red(run: Run, url: str) -> None:
    """
    A 404 is no difference.
    """
    _Publisher.content = b""
    assert 2 == run("published.yml", "Compare", URL=url)[0]


def test_hook_compares_with_head(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The hook for pre-commit fails on a file that breaks someone, passes one that is new and can be read, and takes options before files.
    """
    from coinbase_checkouts_conformance.drift.hook import main

    monkeypatch.chdir(work)
    assert 0 == main(["openapi.json", "same.json"])
    changed = description()
    changed["components"]["schemas"]["Order"]["required"] = []
    (work / "openapi.json").write_text(json.dumps(changed))
    (work / "new.json").write_text(json.dumps(changed))
    assert 1 == main(["--fail-on", "breaking", "openapi.json", "same.json", "new.json"])
    assert 0 == main(["--fail-on", "breaking", "new.json"])
    (work / "odd.json").write_text("<html>")
    assert 2 == main(["openapi.json", "odd.json"])
    (work / "same.json").write_text("<html>")
    assert 2 == main(["openapi.json", "same.json"])
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert "python -m coinbase_checkouts_conformance.drift.hook" == hook["entry"]
    assert re.search(hook["files"], "api/openapi.yaml")
    assert not re.search(hook["files"], "openapi.py")
