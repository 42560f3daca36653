"""
spec/compile_client.py, run on a copy of spec/ and generated/.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import openapi_python_client
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "spec" / "compile_client.py"
OVERRIDES = sorted(
    path.relative_to(ROOT / "spec" / "templates").as_posix() for path in (ROOT / "spec" / "templates").rglob("*.jinja")
)


def load_script() -> ModuleType:
    found = importlib.util.spec_from_file_location("compile_client", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    # A dataclass looks its module up there.
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


SUBJECT = load_script()
TARGETS = SUBJECT.TARGETS
PACKAGES = ["coinbase_checkouts_api", "coinbase_webhook_subscriptions_api"]


class Project:
    """A copy of what the compiler reads and writes, with an eye on one of the targets."""

    def __init__(self, root: Path, target: Any = TARGETS[0]) -> None:
        self.root = root
        self.name = target.package
        self.description = root / "spec" / target.description
        self.templates = root / "spec" / "templates"
        self.package = root / "generated" / target.package
        ignored = shutil.ignore_patterns("__pycache__", ".mypy_cache")
        shutil.copytree(ROOT / "spec", root / "spec", ignore=ignored)
        shutil.copytree(ROOT / "generated", root / "generated", ignore=ignored)

    def check(self) -> int:
        return int(SUBJECT.main(["--check"], root=self.root))

    def compile(self) -> int:
        return int(SUBJECT.main([], root=self.root))

    def change(self, path: Path, old: str, new: str) -> None:
        """Replace the first *old*, which has to be there."""
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new, 1), encoding="utf-8", newline="\n")

    def contents(self) -> dict[str, bytes]:
        """Every file below generated/, scratch folders included."""
        folder = self.root / "generated"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def run(self, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """The script itself, as a command."""
        command = [sys.executable, str(self.root / "spec" / "compile_client.py"), *arguments]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """With an eye on the first target, or on each in turn where a test says so."""
    return Project(tmp_path / "project", getattr(request, "param", TARGETS[0]))


def name_of(target: Any) -> str:
    return str(target.package)


each = pytest.mark.parametrize("project", TARGETS, indirect=True, ids=name_of)
of_each = pytest.mark.parametrize("target", TARGETS, ids=name_of)


def test_the_targets() -> None:
    """
    Every description in spec/ has a package, and generated/ has no other.
    """
    assert PACKAGES == [target.package for target in TARGETS]
    assert PACKAGES == sorted(path.name for path in (ROOT / "generated").iterdir() if not path.name.startswith("."))
    described = {path.name for path in (ROOT / "spec").glob("*.yaml")} - {"generator.yaml"}
    assert described == {target.description for target in TARGETS}


# ---------------------------------------------------------------- In step or not


def test_the_committed_package_is_in_step(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What is committed is what compiles, of both: exit code 0, and nothing is said or written.
    """
    before = project.contents()
    assert 0 == project.check()
    assert ("", "") == capsys.readouterr()
    assert before == project.contents()


def test_bytecode_is_no_drift(project: Project) -> None:
    """
    What Python leaves behind when the package was imported does not count.
    """
    (project.package / "__pycache__").mkdir()
    (project.package / "__pycache__" / "types.cpython-311.pyc").write_bytes(b"\x00")
    assert 0 == project.check()


@each
def test_a_hand_edit_is_shown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    An edited file gives exit code 1 and a unified diff that names it and both lines.
    """
    project.change(project.package / "models" / "error_body.py", "class ErrorBody:", "class TerrorBody:")
    before = project.contents()
    assert 1 == project.check()
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == f"--- generated/{project.name}/models/error_body.py"
    assert lines[1] == f"+++ compiled/{project.name}/models/error_body.py"
    assert {"-class TerrorBody:", "+class ErrorBody:"} <= set(lines)
    assert f"generated/{project.name} is out of step: run `nox -s generate` and commit.\n" == err
    assert before == project.contents()


def test_edits_of_both_are_shown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    When both packages are out of step, both are shown and named.
    """
    for package in PACKAGES:
        project.change(project.root / "generated" / package / "errors.py", "class", "klass")
    assert 1 == project.check()
    out, err = capsys.readouterr()
    headers = [line for line in out.splitlines() if line.startswith("--- ")]
    assert [f"--- generated/{package}/errors.py" for package in PACKAGES] == headers
    assert [f"generated/{package} is out of step" for package in PACKAGES] == re.findall("generated/.* step", err)


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "line ends": lambda text: text.replace(b"\n", b"\r\n"),
    "last line end": lambda text: text.rstrip(b"\n"),
    "empty line": lambda text: text + b"\n",
    "not UTF-8": lambda text: text + b"# \xff\n",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_that_hardly_shows_is_shown(project: Project, capsys: pytest.CaptureFixture[str], edit: str) -> None:
    """
    Bytes are compared, not lines of text.
    """
    module = project.package / "types.py"
    module.write_bytes(EDITS[edit](module.read_bytes()))
    assert 1 == project.check()
    assert f"--- generated/{project.name}/types.py\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["stray.py", "models/checkout_old.py", "notes/empty.txt"])
def test_a_stray_file_is_shown(project: Project, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """
    A file that does not compile from anything is drift, even an empty one in a folder of its own.
    """
    (project.package / name).parent.mkdir(exist_ok=True)
    (project.package / name).write_text("", encoding="utf-8")
    assert 1 == project.check()
    assert f"--- generated/{project.name}/{name}\n+++ /dev/null\n" == capsys.readouterr().out


@pytest.mark.parametrize("name", ["py.typed", "MANIFEST.toml", "models/refund.py"])
def test_a_missing_file_is_shown(project: Project, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """
    A deleted file is drift, even an empty one.
    """
    (project.package / name).unlink()
    assert 1 == project.check()
    assert capsys.readouterr().out.startswith(f"--- /dev/null\n+++ compiled/{project.name}/{name}\n")


def test_a_missing_package_is_shown_and_made(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without generated/ the check shows every file and makes none; compiling then brings all of them back.
    """
    committed = project.contents()
    shutil.rmtree(project.root / "generated")
    assert 1 == project.check()
    added = {line for line in capsys.readouterr().out.splitlines() if line.startswith("+++ ")}
    assert {f"+++ compiled/{name}" for name in committed} == added
    assert not (project.root / "generated").exists()
    assert 0 == project.compile()
    assert "".join(f"generated/{package}: compiled\n" for package in PACKAGES) == capsys.readouterr().out
    assert committed == project.contents()


@each
def test_a_comment_in_the_description_is_drift(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A comment changes no code, yet the manifest tells of which description the package is.
    """
    project.change(project.description, "openapi: 3.1.0", "# new\nopenapi: 3.1.0")
    assert 1 == project.check()
    headers = [line for line in capsys.readouterr().out.splitlines() if line.startswith("+++ ")]
    assert [f"+++ compiled/{project.name}/MANIFEST.toml"] == headers


STATUSES = dict(zip(PACKAGES, [("ACTIVE", "checkout_status"), ("pending", "webhook_event_status")], strict=True))


def add_a_status(project: Project) -> None:
    first, _ = STATUSES[project.name]
    project.change(project.description, f"enum: [{first},", f"enum: [{first}, PAUSED,")


@each
def test_a_change_of_the_description_is_compiled(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A new status in the description is drift; compiling puts it into the code, leaves the other package and no scratch.
    """
    before = project.contents()
    add_a_status(project)
    assert 1 == project.check()
    assert '+    PAUSED = "PAUSED"\n' in capsys.readouterr().out
    assert before == project.contents()
    assert 0 == project.compile()
    after = project.contents()
    changed = {f"models/{STATUSES[project.name][1]}.py", "openapi.json", "MANIFEST.toml"}
    changed = {f"{project.name}/{name}" for name in changed}
    assert changed == {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert 0 == project.check()


def test_a_changed_template_is_drift(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What an override says goes into every file that it makes, and into the manifest.
    """
    project.change(project.templates / "str_enum.py.jinja", "An open set:", "A very open set:")
    assert 1 == project.check()
    out = capsys.readouterr().out
    enums = [
        ("checkout_status", "event_type", "network", "refund_status"),
        ("webhook_event_status", "webhook_target_request_method"),
    ]
    assert [
        f"+++ compiled/{package}/{name}"
        for package, its in zip(PACKAGES, enums, strict=True)
        for name in ("MANIFEST.toml", *(f"models/{enum}.py" for enum in its))
    ] == [line for line in out.splitlines() if line.startswith("+++ ")]


IN_STEP = "".join(f"generated/{package}: was in step\n" for package in PACKAGES)


@each
def test_compiling_heals_everything(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Hand edit, stray and gap are gone after compiling; compiling once more finds it in step.
    """
    committed = project.contents()
    project.change(project.package / "errors.py", "class", "klass")
    (project.package / "stray.py").write_text("stray", encoding="utf-8")
    (project.package / "py.typed").unlink()
    assert 0 == project.compile()
    healed = IN_STEP.replace(f"{project.name}: was in step", f"{project.name}: compiled")
    assert healed == capsys.readouterr().out
    assert committed == project.contents()
    assert 0 == project.compile()
    assert IN_STEP == capsys.readouterr().out
    assert committed == project.contents()


# ---------------------------------------------------------------- From anywhere

HOSTILE = {
    "ruff.toml": 'line-length = 40\n[lint]\nselect = ["ALL"]\n[format]\nquote-style = "single"\n',
    "pyproject.toml": '[tool.ruff]\nline-length = 40\nexclude = ["*"]\nforce-exclude = true\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_settings_around_it_do_not_matter(tmp_path: Path, name: str) -> None:
    """
    Settings for ruff in the current folder, in its parent, above the package and above the scratch folder do nothing.
    """
    hostile = tmp_path / "hostile"
    project = Project(hostile / "project")
    committed = project.contents()
    folders = [hostile, project.root, project.root / "generated", hostile / "here", hostile / "temporary"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(HOSTILE[name], encoding="utf-8")
    variables = {"TMPDIR": str(hostile / "temporary"), "RUFF_CONFIG": str(hostile / name)}
    done = project.run("--check", cwd=hostile / "here", **variables)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    done = project.run(cwd=hostile / "here", **variables)
    assert (0, IN_STEP) == (done.returncode, done.stdout)
    assert {**committed, name: HOSTILE[name].encode()} == project.contents()


def test_names_of_folders_around_it_do_not_matter(tmp_path: Path) -> None:
    """
    Ruff leaves out what lies below folders of these names, or is ignored by git; what we compile may lie there.
    """
    around = tmp_path.joinpath("build", ".nox", "dist", "venv", "site-packages")
    project = Project(around / "project")
    temporary = around / "temporary"
    temporary.mkdir()
    (temporary / ".gitignore").write_text("*\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(temporary)], check=True)
    done = project.run("--check", cwd=tmp_path, TMPDIR=str(temporary))
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    committed = project.contents()
    assert project.run(cwd=tmp_path).returncode == 0
    assert committed == project.contents()


def test_modules_in_the_current_folder_do_not_matter(project: Project, tmp_path: Path) -> None:
    """
    A folder with a types.py, as the package itself is one, or with modules named like the compiler's, is no trap.
    """
    for name in ("typer", "ruff", "json", "openapi_python_client", "attrs"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hijacked')\n", encoding="utf-8")
    for cwd in (tmp_path, project.package):
        done = project.run("--check", cwd=cwd)
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_colours_and_widths_of_a_terminal_do_not_matter(project: Project, tmp_path: Path) -> None:
    """
    Variables that make tools colourful or narrow change neither bytes nor messages.
    """
    done = project.run("--check", cwd=tmp_path, FORCE_COLOR="1", COLUMNS="20", CLICOLOR_FORCE="1")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


# ---------------------------------------------------------------- Broken descriptions

DANGLING = "'#/components/schemas/Nowhere'"
BROKEN: dict[str, tuple[str, str, str]] = {
    "dangling reference in paths": (
        "'#/components/schemas/CheckoutList'",
        DANGLING,
        "#/paths/~1api~1v1~1checkouts/get/responses/200/content/application~1json/schema: $ref " + DANGLING,
    ),
    "dangling reference in webhooks": (
        "- $ref: '#/components/schemas/CheckoutEvent'",
        f"- $ref: {DANGLING}",
        "#/webhooks/checkout.payment.success/post/requestBody/content/application~1json/schema/allOf/0: $ref "
        + DANGLING,
    ),
    "dangling reference in a parameter": (
        "'#/components/parameters/EndTime'",
        "'#/components/parameters/NoTime'",
        "#/paths/~1api~1v1~1checkouts/get/parameters/4: $ref '#/components/parameters/NoTime' points at nothing",
    ),
    "reference to another file": (
        "'#/components/schemas/CheckoutList'",
        "'other.yaml#/CheckoutList'",
        "$ref 'other.yaml#/CheckoutList': only references within the file are allowed",
    ),
    "duplicate key": ("openapi: 3.1.0\n", "openapi: 3.1.0\nopenapi: 3.1.0\n", 'found duplicate key "openapi"'),
    "unquoted date": ('read: "2026-11-20"', "read: 2026-11-20", "#/x-documents/overview/read: 2026-11-20 is read as"),
    "unquoted time": ("['2024-03-20T10:30:00Z']", "[2024-03-20T10:30:00Z]", "is read as"),
    "unquoted status code": ("'201':", "201:", "#/paths/~1api~1v1~1checkouts/post/responses: the key 201 is not text"),
    "not a number": ("minimum: 1", "minimum: .nan", "#/components/parameters/PageSize/schema/minimum: JSON has no nan"),
    "unclosed quote": ("title: Checkouts API", "title: 'Checkouts API", "is not YAML"),
    "tab": ("\ninfo:", "\n\tinfo:", "is not YAML"),
    "anchor within itself": ("\ninfo:", "\nx-a: &a {b: [*a]}\ninfo:", "contains itself"),
    "OpenAPI 3.0": ("openapi: 3.1.0", "openapi: 3.0.3", "is not OpenAPI 3.1: openapi is '3.0.3'"),
    "OpenAPI 4": ("openapi: 3.1.0", "openapi: 4.0.0", "is not OpenAPI 3.1: openapi is '4.0.0'"),
    "version as a number": ("openapi: 3.1.0", "openapi: 3.1", "is not OpenAPI 3.1: openapi is 3.1"),
    "misspelt section": ("\npaths:", "\npathz:", "pathz"),
    "unknown type": ("type: integer,", "type: integr,", "#/components/parameters/PageSize/schema/type: 'integr'"),
    "required as text": (
        "required: [checkouts]",
        "required: checkouts",
        "#/components/schemas/CheckoutList/required: 'checkouts'",
    ),
    "default that breaks a bound": ("default: 20", "default: 2000", "#/components/parameters/PageSize/schema/default"),
    "parameter nowhere": ("in: path", "in: body", "#/components/parameters/CheckoutId"),
    "operationId twice": ("operationId: getCheckout", "operationId: listCheckouts", "'listCheckouts'"),
    "path parameter left out": ("/api/v1/checkouts/{id}/refund:", "/api/v1/checkouts/{other}/refund:", "other"),
}
# The same faults in the second description, as far as they would go another way than in the first.
BROKEN_TOO: dict[str, tuple[str, str, str]] = {
    "dangling reference": (
        "'#/components/schemas/WebhookSubscriptionList'",
        DANGLING,
        "#/paths/~1platform~1v2~1data~1webhooks~1subscriptions/get/responses/200/content/application~1json/schema: $ref "
        + DANGLING,
    ),
    "unquoted date": (
        'read: "2026-11-21"',
        "read: 2026-11-21",
        "#/x-documents/cdp-openapi/read: 2026-11-21 is read as",
    ),
    "OpenAPI 3.0": ("openapi: 3.1.0", "openapi: 3.0.3", "is not OpenAPI 3.1: openapi is '3.0.3'"),
    "unknown type": ("type: integer,", "type: integr,", "#/components/parameters/PageSize/schema/type: 'integr'"),
}
WHOLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "its root is no mapping"),
    "comments only": (b"# nothing\n", "its root is no mapping"),
    "a list": (b"- openapi: 3.1.0\n", "its root is no mapping"),
    "a word": (b"openapi\n", "its root is no mapping"),
    "not YAML": (b"openapi: [3.1.0", "is not YAML"),
    "not text": (b"\x00\x01", "is not YAML"),
    "not UTF-8": (b"openapi: \xff\xfe", "cannot be read"),
    "too deep": (500 * b"[", "the nesting is too deep"),
    "OpenAPI 2": (b'swagger: "2.0"\ninfo: {title: a, version: "1"}\npaths: {}\n', "openapi is None"),
    "truncated": (b'openapi: 3.1.0\ninfo: {title: a, version: "1"}\n', "is not valid under any of"),
    "two documents": (b"a: 1\n---\nb: 2\n", "is not YAML"),
    "a foreign tag": (b"a: !!python/object/apply:os.getcwd []\n", "is not YAML"),
}


def assert_refused(project: Project, capsys: pytest.CaptureFixture[str], says: str) -> None:
    """Both ways of calling end with 2 and one readable message, and write nothing."""
    before = project.contents()
    for call in (project.check, project.compile):
        assert 2 == call()
        out, err = capsys.readouterr()
        assert "" == out
        assert says in err
        assert err.startswith(str(project.root / "spec"))
        assert "Traceback" not in err
        assert len(err) < 1000
        assert before == project.contents()
        assert PACKAGES == sorted(path.name for path in (project.root / "generated").iterdir())


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_description_is_refused(project: Project, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """
    A fault in the description gives exit code 2 and says where and what; the package stays as it was.
    """
    old, new, says = BROKEN[case]
    project.change(project.description, old, new)
    assert_refused(project, capsys, says)


@pytest.mark.parametrize("case", BROKEN_TOO)
def test_a_broken_second_description_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """
    A fault in the second description says where as well; both packages stay, though the first has a change to compile.
    """
    project = Project(tmp_path / "project", TARGETS[1])
    project.change(project.root / "spec" / "openapi.yaml", "enum: [ACTIVE,", "enum: [ACTIVE, PAUSED,")
    old, new, says = BROKEN_TOO[case]
    project.change(project.description, old, new)
    assert_refused(project, capsys, f"{project.description}: {says}")


@pytest.mark.parametrize("case", WHOLE)
def test_a_file_that_is_no_description_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    """
    Something else in place of the description gives exit code 2 and says what it is.
    """
    contents, says = WHOLE[case]
    project.description.write_bytes(contents)
    assert_refused(project, capsys, says)


@each
def test_a_missing_description_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without its description the exit code is 2 and the message names it.
    """
    project.description.unlink()
    assert_refused(project, capsys, f"{project.description}: cannot be read")


def test_what_only_the_compiler_minds_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Valid OpenAPI that the compiler would skip with a warning gives exit code 2 with its own words.
    """
    project.change(project.description, "schema: {type: string, maxLength: 500}", "schema: {type: integer, default: x}")
    assert_refused(project, capsys, "")
    project.change(project.description, "schema: {type: integer, default: x}", "content: {text/plain: {}}")
    assert_refused(project, capsys, "the compiler refused:\n")


def test_the_command_refuses_without_a_traceback(project: Project, tmp_path: Path) -> None:
    """
    The script itself ends with 2, a message on stderr and an empty stdout.
    """
    project.description.write_text("openapi: [", encoding="utf-8")
    done = project.run(cwd=tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{project.description}: is not YAML")
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- Interruptions


@each
def test_a_failed_swap_puts_the_old_package_back(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When the new package cannot be moved in, the old one is there again and no scratch is left.
    """
    before = project.contents()
    add_a_status(project)
    rename = Path.rename

    def refuse_new(self: Path, target: Path) -> Path:
        if target == project.package and self.name == project.name:
            raise PermissionError(13, "no", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(PermissionError):
        project.compile()
    assert before == project.contents()


def test_an_interrupted_compile_leaves_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Ctrl-C while the compiler runs leaves the old package and no scratch.
    """
    before = project.contents()

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SUBJECT.subprocess, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        project.compile()
    assert before == project.contents()


# ---------------------------------------------------------------- Templates and versions


def test_overrides_are_few() -> None:
    """
    Each override is a file to carry over by hand when the compiler changes.
    """
    assert 8 >= len(OVERRIDES)


@pytest.mark.parametrize("name", OVERRIDES)
def test_an_override_stands_in_for_the_template_it_was_written_for(name: str) -> None:
    """
    The compiler's own file has the sum in UPSTREAM.toml, and ours is another.
    """
    own = Path(openapi_python_client.__file__).parent / "templates" / name
    sums = tomllib.loads((ROOT / "spec" / "templates" / "UPSTREAM.toml").read_text(encoding="utf-8"))
    assert sums["openapi-python-client"][name] == SUBJECT.sha256(own)
    assert own.read_bytes() != (ROOT / "spec" / "templates" / name).read_bytes()


@pytest.mark.parametrize("name", OVERRIDES)
def test_another_template_upstream_is_refused(project: Project, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """
    When the compiler's own template is not the one we overrode, compiling stops and names it.
    """
    upstream = project.templates / "UPSTREAM.toml"
    own = SUBJECT.sha256(Path(openapi_python_client.__file__).parent / "templates" / name)
    project.change(upstream, own, own[::-1])
    assert_refused(project, capsys, f"{project.templates / name}: the compiler's own template changed")


@pytest.mark.parametrize("contents", [None, "[", "[another-compiler]\n", "[openapi-python-client]\n"])
def test_unlisted_overrides_are_refused(
    project: Project, capsys: pytest.CaptureFixture[str], contents: str | None
) -> None:
    """
    An UPSTREAM.toml that is missing, broken or names other files gives exit code 2.
    """
    upstream = project.templates / "UPSTREAM.toml"
    if contents is None:
        upstream.unlink()
    else:
        upstream.write_text(contents, encoding="utf-8")
    assert_refused(project, capsys, "UPSTREAM.toml")


@of_each
def test_the_pinned_versions_are_those_compiled_with(target: Any) -> None:
    """
    What pyproject.toml pins for compiling is what MANIFEST.toml says was used.
    """
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    manifest = tomllib.loads((ROOT / "generated" / target.package / "MANIFEST.toml").read_text(encoding="utf-8"))
    pinned = dict(entry.split("==") for entry in groups["generate"] if "==" in entry)
    assert pinned == manifest["compiler"]


@of_each
def test_the_manifest_sums_up_every_source(target: Any) -> None:
    """
    MANIFEST.toml has the sum of the description, the compiler's settings and each override.
    """
    manifest = tomllib.loads((ROOT / "generated" / target.package / "MANIFEST.toml").read_text(encoding="utf-8"))
    overrides = [f"spec/templates/{name}" for name in OVERRIDES]
    names = [f"spec/{target.description}", "spec/generator.yaml", *overrides]
    assert {name: SUBJECT.sha256(ROOT / name) for name in names} == manifest["sha256"]


# ---------------------------------------------------------------- The packages


@of_each
def test_openapi_json_is_the_description(target: Any) -> None:
    """
    The package carries the description itself, as JSON and with every extension.
    """
    described = YAML(typ="safe", pure=True).load((ROOT / "spec" / target.description).read_text(encoding="utf-8"))
    text = (ROOT / "generated" / target.package / "openapi.json").read_text(encoding="utf-8")
    assert described == json.loads(text)
    assert list(described) == list(json.loads(text))


@of_each
def test_every_module_says_that_it_is_compiled(target: Any) -> None:
    """
    The first line of every module names the description and warns off editors.
    """
    modules = sorted((ROOT / "generated" / target.package).rglob("*.py"))
    assert len(modules) > 25
    for module in modules:
        assert target.banner == module.read_text(encoding="utf-8").splitlines(keepends=True)[0], module
    assert f"spec/{target.description}." in target.banner


@of_each
def test_the_package_is_typed(target: Any) -> None:
    """
    py.typed is there, so type checkers read the annotations.
    """
    assert b"" == (ROOT / "generated" / target.package / "py.typed").read_bytes()
