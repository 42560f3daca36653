"""
Every check, by the name CI uses; `nox -l` lists them.

Sessions install what requirements.lock pins, and what they need of it only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.error_on_missing_interpreters = True
nox.options.stop_on_first_error = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
LOCK = "requirements.lock"
FOR_USERS = ("coinbase_checkouts", "coinbase_checkouts_api", "coinbase_webhook_subscriptions_api")
PACKAGES = (*FOR_USERS, "coinbase_checkouts_conformance", "coinbase_checkouts_sandbox")
DESCRIPTIONS = ("spec/openapi.yaml", "spec/webhook-subscriptions.yaml")
# Four files of tests at a time, on two cores, too: half of the time they wait for servers and processes. Those of one
# file share what they start.
PARALLEL = ("--numprocesses=4", "--dist=loadfile")
# Tests of each thing that comes with files of its own, or is started as a command.
ON_THE_WHEEL = (
    "tests/conformance/drift/test_generations.py",
    "tests/conformance/drift/test_page.py",
    "tests/conformance/test_claims.py",
    "tests/conformance/test_explain.py",
    "tests/conformance/test_reports.py",
    "tests/generated",
    "tests/overlays/test_cli.py",
    "tests/overlays/test_exports.py",
    "tests/overlays/test_validation.py",
    "tests/plugin/test_fixtures.py",
    "tests/recipes",
    "tests/sandbox/test_sandbox_cli.py",
    "tests/sandbox/test_sandbox_migrations.py",
    "tests/sandbox/test_sandbox_pages.py",
)
# Flask and Django are their users' to install.
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    assert "site-packages" in package.__file__, package.__file__
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not module.name.endswith((".__main__", ".flask", ".django")):
            importlib.import_module(module.name)
"""
HAND_WRITTEN = ("overlays", "conformance", "tests", "spec", "noxfile.py")


def install(session: nox.Session, *groups: str, extra: str = "") -> None:
    """Install dependency groups, and with *extra* (such as `[all]`) this project, editable."""
    wanted = [requirement for group in groups for requirement in nox.project.dependency_groups(PROJECT, group)]
    project = ["--editable", f".{extra}"] if extra else []
    session.install("--quiet", "--constraint", LOCK, *wanted, *project)


def keep_code(session: nox.Session, *command: str, quiet: bool = False) -> None:
    """
    Run a command of the session's environment, and end as it does; nox would make 1 of every failure.

    Args:
        quiet: Of a command that succeeds, show nothing.
    """
    program, *arguments = command
    found = shutil.which(program, path=session.bin)
    if found is None:
        session.error(f"{program} is not installed")
    done = subprocess.run([found, *arguments], cwd=ROOT, check=False, capture_output=quiet, text=True)
    if done.returncode:
        sys.stderr.write(f"{done.stdout or ''}{done.stderr or ''}")
        # The difference between 1 and 2 is part of the contract.
        sys.exit(done.returncode)


def packaged_files() -> set[str]:
    """What git has of the packages, as a wheel names it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "generated", "overlays", "conformance"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    inner = (path.partition("/")[2] for path in listed.stdout.split("\0"))
    return {path for path in inner if "/" in path}


@nox.session(default=False)
def quickstart(session: nox.Session) -> None:
    """The whole product in one go: sandbox, a checkout paid and refunded, the conformance suite."""
    install(session, extra="[all]")
    session.run("python", "-m", "coinbase_checkouts_conformance.quickstart", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; branch coverage of the overlays must be complete. Arguments go to pytest."""
    install(session, "tests", extra="[all]")
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    # A file of its own, so that sessions may run side by side.
    env = {"COVERAGE_FILE": str(Path(session.virtualenv.location) / "coverage")}
    session.run("pytest", *PARALLEL, "--cov", "--cov-report=term", env=env)


@nox.session
def conformance(session: nox.Session) -> None:
    """Replay the conformance suite on its recordings, with the network blocked."""
    install(session, extra="[conformance]")
    session.run("python", "-m", "coinbase_checkouts_conformance.replay", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """How much of the description the recordings are evidence of, and what has none."""
    install(session, extra="[conformance]")
    session.run("python", "-m", "coinbase_checkouts_conformance.measure", *session.posargs)


@nox.session(default=False)
def record(session: nox.Session) -> None:
    """Record the conformance suite anew, from our own sandbox; `-- --live` from a service, with a key of the environment."""
    install(session, extra="[all]")
    session.run("python", "-m", "coinbase_checkouts_conformance.record", *session.posargs)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Every server that is wrong on purpose, and twenty right ones; then random changes of the sandbox's source."""
    install(session, extra="[all]")
    command = ("python", "-m", "coinbase_checkouts_conformance.mutants")
    if session.posargs:
        session.run(*command, *session.posargs)
        return
    session.run(*command, "--seeds", "20")
    session.run(*command, "--source", "--sample", "200")


@nox.session(default=False)
def foreign(session: nox.Session) -> None:
    """The suite on somebody else's server: correct in every reading, then wrong in each of some 500 ways."""
    install(session, "tests", extra="[all]")
    session.run("python", "-m", "tests.foreign", *session.posargs)


@nox.session
def generate(session: nox.Session) -> None:
    """Compile the descriptions; with `-- --check` compare only: exit 1 out of step, 2 broken description."""
    install(session, "generate")
    keep_code(session, "python", "spec/compile_client.py", *session.posargs)


@nox.session
def drift(session: nox.Session) -> None:
    """Compiled code against the descriptions, ours against the latest published one: exit 1 drift, 2 not comparable."""
    install(session, "generate", extra="[conformance]")
    keep_code(session, "python", "spec/compile_client.py", "--check")
    latest = max(int(path.stem) for path in (ROOT / "spec" / "generations").glob("*.yaml"))
    sides = [f"generation:{latest}", "spec", "--waivers", "spec/drift-waivers.toml"]
    keep_code(session, "coinbase-checkouts", "drift", *sides, quiet=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style of what is written by hand, and whether GitHub will understand the workflows."""
    install(session, "lint")
    session.run("ruff", "check", "--quiet", *HAND_WRITTEN)
    session.run("ruff", "format", "--check", "--quiet", *HAND_WRITTEN)
    workflows = map(str, (ROOT / ".github" / "workflows").glob("*.yml"))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows, silent=True)


@nox.session(name="format", default=False)
def format_(session: nox.Session) -> None:
    """Format what is written by hand, and mend what can be mended safely."""
    install(session, "lint")
    session.run("ruff", "check", "--fix", *HAND_WRITTEN)
    session.run("ruff", "format", *HAND_WRITTEN)


@nox.session
def imports(session: nox.Session) -> None:
    """Which package may import which."""
    install(session, "lint", extra="[all]")
    session.run("lint-imports", "--no-cache", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """Types, by mypy and pyright, of everything; and what users' checkers see of the packages."""
    install(session, "types", extra="[all]")
    session.run("mypy", *HAND_WRITTEN, silent=True)
    session.run("pyright", silent=True)
    # Below 100 % it exits 1.
    for package in FOR_USERS:
        session.run("pyright", "--ignoreexternal", "--verifytypes", package, silent=True)


@nox.session
def spec(session: nox.Session) -> None:
    """The descriptions, by two linters that know nothing of this project. The second needs npm."""
    install(session, "generate")
    session.run("openapi-spec-validator", *DESCRIPTIONS, silent=True)
    if shutil.which("npm") is None:
        session.warn("npm is not installed: left out redocly lint")
        return
    command = ["npm", "exec", "--yes", "--package", "@redocly/cli@2", "--", "redocly", "lint"]
    session.run(*command, "--extends", "recommended", *DESCRIPTIONS, external=True, silent=True)


@nox.session
def package(session: nox.Session) -> None:
    """sdist → wheel with every file of the packages → clean environment → tests that would miss one, on the wheel."""
    session.install("--quiet", "--constraint", LOCK, "build", "twine")
    with tempfile.TemporaryDirectory() as built:
        session.run("python", "-m", "build", "--outdir", built, silent=True)
        session.run("twine", "check", "--strict", *map(str, Path(built).iterdir()), silent=True)
        wheel = next(Path(built).glob("*.whl"))
        lacking = packaged_files() - set(zipfile.ZipFile(wheel).namelist())
        if lacking:
            session.error(f"the wheel lacks {', '.join(sorted(lacking))}")
        session.install("--quiet", "--constraint", LOCK, f"{wheel}[all]")
    # With nothing else installed: the tests bring what would hide a missing dependency.
    session.run("python", "-I", "-c", IMPORT_ALL, *PACKAGES)
    tools = nox.project.dependency_groups(PROJECT, "tests")
    session.install("--quiet", "--constraint", LOCK, *tools)
    # The others would find the same as in the session `tests`.
    session.run("pytest", *(session.posargs or [*PARALLEL, *ON_THE_WHEEL]))


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """What client, sandbox, suite and webhooks cost, as ratios to baselines of the same run; `-- client`, say, for one."""
    install(session, "bench", extra="[all]")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def torture(session: nox.Session) -> None:
    """Hundreds of kill -9 of sandboxes and of a shop at its webhooks, on SQLite and PostgreSQL; each effect once, none lost."""
    install(session, "tests", extra="[all]")
    if session.posargs:
        session.run("python", "-m", "tests.torture", *session.posargs)
        return
    for database in ("sqlite", "postgresql"):
        for servers, workers in (("2", "1"), ("1", "2")):
            options = ["--kills", "150", "--database", database, "--servers", servers, "--workers", workers]
            session.run("python", "-m", "tests.torture", *options)
        session.run("python", "-m", "tests.torture.inbox", "--events", "10000", "--database", database)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Resolve requirements.lock anew; with `-- --check` say whether it still fits pyproject.toml."""
    install(session, "lock")
    groups = [argument for group in PROJECT["dependency-groups"] for argument in ("--group", group)]
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--all-extras"]
    command += [*groups, "--no-emit-index-url", "--no-header", "--no-annotate", "pyproject.toml"]
    env = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "nox -s lock"}
    if "--check" not in session.posargs:
        session.run(*command, "--upgrade", "--output-file", LOCK, env=env)
        return
    # What is locked is kept wherever it still fits, so that a new release elsewhere is no difference.
    copy = Path(session.create_tmp()) / LOCK
    shutil.copy(ROOT / LOCK, copy)
    session.run(*command, "--output-file", str(copy), env=env)
    if copy.read_text() != (ROOT / LOCK).read_text():
        session.error(f"{LOCK} does not fit pyproject.toml: run `nox -s lock` and commit")
