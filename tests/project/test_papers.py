"""What the papers of the project promise."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from coinbase_checkouts_conformance.mutants.runs import wrong_servers

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "conformance" / "coinbase_checkouts_conformance"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The README's commands that run nox."""
    return [line for block in blocks("sh") for line in block.splitlines() if "nox -s" in line]


def test_readme_has_two_commands_on_one_line_each() -> None:
    """
    The first runs the main job, the second the tests, and no other line with nox stands before them.
    """
    main_job, tests = commands()
    assert main_job == "python3 -m pip install nox && python3 -m nox -s quickstart"
    assert tests == "python3 -m pip install nox && python3 -m nox -s tests"
    assert [main_job, tests] == [line for line in README.splitlines() if "nox" in line][:2]


def test_readme_counts_claims_and_wrong_servers() -> None:
    """
    The README's figures are those of the suite.
    """
    claims = tomllib.loads((PACKAGE / "claims.toml").read_text(encoding="utf-8"))["claim"]
    assert f"against {len(claims)} claims about the API" in README
    assert f"{len(wrong_servers())} servers that are wrong on purpose" in README


def test_ci_runs_the_command_of_the_readme() -> None:
    """
    .ci/run has the README's test command to the letter, and looks for drift.
    """
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert commands()[1] in [line.strip() for line in ci.splitlines()]
    assert re.search(r'^step "[^"]+" python3 -m nox -s drift$', ci, re.MULTILINE)


def test_drift_compares_compiled_code_and_description() -> None:
    """
    The session `drift` compiles aside to compare, and holds the description against the latest published generation.
    """
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    session = noxfile.partition("def drift(")[2].partition("@nox.session")[0]
    assert '"spec/compile_client.py", "--check"' in session
    assert '"coinbase-checkouts", "drift"' in session
    waivers = re.findall(r'"--waivers", "([^"]+)"', session)
    assert waivers
    assert [] == [name for name in waivers if not (ROOT / name).is_file()]


def test_workflow_looks_for_drift_on_every_python() -> None:
    """
    The workflow runs drift, tests and conformance on each Python we declare.
    """
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [classifier.rsplit(" ", 1)[1] for classifier in project["classifiers"] if "Python :: 3." in classifier]
    job = workflow["jobs"]["tests"]
    assert declared == job["strategy"]["matrix"]["python"]
    runs = [step["run"] for step in job["steps"] if "run" in step]
    for session in ("drift", "tests", "conformance", "quickstart"):
        assert f"python3 -m nox -s {session}" in runs


def test_actions_are_pinned_to_commits() -> None:
    """
    No workflow runs somebody's action by a tag, which can be moved.
    """
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))
        assert used
        assert [] == [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}|\./[\w./-]+", action)]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The sandbox as the README starts it, but on a free port; its URL and the folder with the key file."""
    folder = tmp_path_factory.mktemp("readme")
    command = [sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0", "--database", "sqlite://"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip(), folder
        process.terminate()


@pytest.mark.parametrize(
    "code", [block for block in blocks("python") if "http://" in block], ids=["overlay", "compiled"]
)
def test_examples_work_as_pasted(code: str, sandbox: tuple[str, Path]) -> None:
    """
    Each Python block of the README runs beside the sandbox it tells to start, with warnings as errors.
    """
    url, folder = sandbox
    program = code.replace("http://127.0.0.1:8402", url)
    assert program != code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert "100.50" in done.stdout or "CheckoutList" in done.stdout


def test_webhook_example_fulfils_an_order_once() -> None:
    """
    The README's receiver acts on a signed payment once, and on an unsigned one not at all.
    """
    from coinbase_checkouts import webhooks

    (code,) = [block for block in blocks("python") if "webhooks.verify" in block]
    names: dict[str, Any] = {}
    exec(code, names)
    body = b'{"id": "68f7a946db0529ea9b6d3a12", "eventType": "checkout.payment.success", "status": "COMPLETED"}'
    signature = webhooks.sign(body, {}, "secret", int(time.time()))
    orders = Orders()
    assert [200, 200, 400] == [
        names["receive"](body, {"x-hook0-signature": given}, "secret", orders)
        for given in (signature, signature, signature[:-1])
    ]
    assert ["68f7a946db0529ea9b6d3a12"] == orders.fulfilled


class Orders:
    """A shop's, for the README's example."""

    def __init__(self) -> None:
        self.fulfilled: list[str] = []
        self._seen: set[str] = set()

    def is_new(self, key: str) -> bool:
        new = key not in self._seen
        self._seen.add(key)
        return new

    def fulfil(self, id: str) -> None:
        self.fulfilled.append(id)


def test_default_port_is_the_one_the_readme_names() -> None:
    """
    The address in the README is where the sandbox listens unless told otherwise.
    """
    done = subprocess.run(
        [sys.executable, "-m", "coinbase_checkouts_sandbox", "--help"], capture_output=True, text=True, check=True
    )
    assert "8402" in done.stdout
    assert {"http://127.0.0.1:8402"} == set(re.findall(r"http://127[^\"]*", README))


def test_every_error_is_in_the_readme_s_table() -> None:
    """
    A class of the tree that a caller can meet is named in the README.
    """
    from coinbase_checkouts import errors

    named = set(re.findall(r"`(\w+Error)`", README))
    real = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.CheckoutsError)
    }
    # PaginationError is told in words; ApiError and WaitError only hold others together.
    assert real - {"PaginationError", "ApiError", "WaitError"} == named - {"TypeError"}


def test_defaults_are_those_of_the_table() -> None:
    """
    The table in coinbase_checkouts.retries says what the code does.
    """
    from coinbase_checkouts import retries
    from coinbase_checkouts.retries import RetryPolicy

    table = retries.__doc__ or ""
    policy = RetryPolicy()
    for cells in (
        rf"`max_retries`\s*\| {policy.max_retries} ",
        rf"`timeout`\s*\| {policy.timeout_s:g} s .* {retries.CONNECT_TIMEOUT_S:g} s of it",
        rf"`deadline`\s*\| {policy.deadline_s:g} s ",
        rf"first, last wait\s*\| {policy.base_s:g}, {policy.cap_s:g} s",
        rf"`Retry-After`\s*\| {retries.RETRY_AFTER_LIMIT_S:g} s ",
    ):
        assert re.search(cells, table), cells


def test_repository_names_no_machine() -> None:
    """
    No tracked file names a registry's host or a path of one machine.
    """
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    pattern = re.compile(
        "|".join(["pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "/work" + "/", "/root" + "/"])
    )
    found = [
        name
        for name in listed
        if (ROOT / name).is_file() and pattern.search((ROOT / name).read_text(encoding="utf-8", errors="ignore"))
    ]
    assert [] == found
