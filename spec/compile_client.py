"""
Compile each description of spec/ into its package of generated/.

    python spec/compile_client.py            compile, and swap the results in
    python spec/compile_client.py --check    compile aside, print what differs

Exit codes: 0 in step (or compiled) · 1 out of step, with a unified diff · 2 a description or the
compiler is broken, with the reason.

The compiler writes into a scratch folder and each whole package is swapped in once all are compiled, so a
failed or interrupted run leaves the old ones in place. Nothing here is read from the current directory.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import openapi_python_client
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

ROOT = Path(__file__).resolve().parent.parent
# What the bytes of the output depend on; all but Python itself, which must not matter.
COMPILERS = ("openapi-python-client", "ruff")


@dataclass(frozen=True, slots=True)
class Target:
    """A description in spec/, and the package in generated/ that it is compiled into."""

    description: str
    package: str

    @property
    def banner(self) -> str:
        """First line of every module of the package."""
        return f"# Compiled from spec/{self.description}. Do not edit: change it and run `nox -s generate`.\n"


TARGETS = (
    Target("openapi.yaml", "coinbase_checkouts_api"),
    Target("webhook-subscriptions.yaml", "coinbase_webhook_subscriptions_api"),
)


class CompileError(Exception):
    """A description cannot be compiled; the message says which, where and why."""


def load(path: Path) -> dict[str, object]:
    """
    The description as JSON data.

    Raises:
        CompileError: No such file, no YAML, a duplicate key, a value that is not JSON (a date, an
            endless number, an anchor within itself), or a reference to nowhere.
    """
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        everything = list(walk(document))
    except (OSError, UnicodeDecodeError) as exc:
        raise CompileError(f"{path}: cannot be read: {exc}") from exc
    except YAMLError as exc:
        raise CompileError(f"{path}: is not YAML: {exc}") from exc
    except RecursionError as exc:
        raise CompileError(f"{path}: an anchor contains itself, or the nesting is too deep") from exc
    if not isinstance(document, dict):
        raise CompileError(f"{path}: is not an OpenAPI description: its root is no mapping")
    for pointer, value in everything:
        check_value(document, value, f"{path}: {pointer}")
    return document


def check_value(document: object, value: object, where: str) -> None:
    """Refuse what YAML can say and JSON cannot, and references to nowhere."""
    if not isinstance(value, str | int | float | bool | list | dict | None):
        # YAML reads an unquoted 2024-03-20 as a date.
        raise CompileError(f"{where}: {value} is read as {type(value).__name__}; put it in quotes")
    if isinstance(value, float) and not math.isfinite(value):
        raise CompileError(f"{where}: JSON has no {value}")
    if isinstance(value, dict):
        if strange := [key for key in value if not isinstance(key, str)]:
            raise CompileError(f"{where}: the key {strange[0]!r} is not text; put it in quotes")
        if "$ref" in value:
            resolve(document, value["$ref"], where)


def walk(node: object, pointer: str = "#") -> Iterator[tuple[str, object]]:
    """Every value below *node*, itself included, with its JSON pointer."""
    yield pointer, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{pointer}/{index}")


def resolve(document: object, reference: object, where: str) -> object:
    """What *reference* points at. The compiler never looks at webhooks, so it would miss some."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise CompileError(f"{where}: $ref {reference!r}: only references within the file are allowed")
    node = document
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            raise CompileError(f"{where}: $ref {reference!r} points at nothing")
        node = node[key]
    return node


def check_valid(document: dict[str, object], path: Path) -> None:
    """Refuse what is not OpenAPI 3.1."""
    version = document.get("openapi")
    if not (isinstance(version, str) and version.startswith("3.1.")):
        raise CompileError(f"{path}: is not OpenAPI 3.1: openapi is {version!r}")
    try:
        validate(document)
    except OpenAPIValidationError as exc:
        # Some of its messages quote the whole description.
        message = str(exc.message).partition("\n")[0][:300]
        raise CompileError(f"{path}: {place(document, exc)}: {message}") from exc
    except Exception as exc:
        # The validator has no common base for its errors (unknown version, unresolvable, …).
        raise CompileError(f"{path}: {type(exc).__name__}: {exc}") from exc


def place(document: dict[str, object], exc: OpenAPIValidationError) -> str:
    """Where in *document* the complaint belongs. In a schema the validator counts from there, so look for the rest."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in exc.absolute_path)
    tail = "".join(f"/{part}" for part in escaped)
    found = [pointer for pointer, value in walk(document) if pointer.endswith(tail) and value == exc.instance]
    return " or ".join(found[:3]) or f"#{tail}"


def check_templates(spec: Path) -> None:
    """Refuse a compiler whose own templates under our overrides are not the ones we overrode."""
    own = Path(openapi_python_client.__file__).parent / "templates"
    ours = spec / "templates"
    try:
        listed = tomllib.loads((ours / "UPSTREAM.toml").read_text(encoding="utf-8"))
        sums: dict[str, str] = listed["openapi-python-client"]
    except (OSError, ValueError, KeyError) as exc:
        raise CompileError(f"{ours / 'UPSTREAM.toml'}: cannot be read: {exc}") from exc
    overrides = {path.relative_to(ours).as_posix() for path in ours.rglob("*.jinja")}
    if overrides != set(sums):
        raise CompileError(f"{ours}: overrides and UPSTREAM.toml name different files: {sorted(overrides ^ set(sums))}")
    for name, expected in sums.items():
        if sha256(own / name) != expected:
            raise CompileError(
                f"{ours / name}: the compiler's own template changed; carry the change over and update UPSTREAM.toml"
            )


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, or `missing`."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def manifest(spec: Path, description: Path) -> str:
    """The text of MANIFEST.toml: what the package was compiled with and from."""
    templates = sorted((spec / "templates").rglob("*.jinja"))
    lines = [
        "# What this package was compiled with and from. Written by spec/compile_client.py.",
        "[compiler]",
        *(f'"{name}" = "{metadata.version(name)}"' for name in COMPILERS),
        "",
        "[sha256]",
        *(
            f'"{path.relative_to(spec.parent).as_posix()}" = "{sha256(path)}"'
            for path in [description, spec / "generator.yaml", *templates]
        ),
    ]
    return "\n".join(lines) + "\n"


def compile_into(folder: Path, target: Target, *, root: Path = ROOT) -> None:
    """
    Compile the *target* below *root* into *folder*, which must not exist yet.

    Raises:
        CompileError: With the compiler's own message.
    """
    spec = root / "spec"
    description = spec / target.description
    document = load(description)
    check_valid(document, description)
    check_templates(spec)
    # fmt: off
    command = [
        # -P: or `-m` would take modules from the current directory first.
        sys.executable, "-P", "-m", "openapi_python_client", "generate",
        "--path", str(description), "--config", str(spec / "generator.yaml"),
        "--custom-template-path", str(spec / "templates"),
        "--meta", "none", "--output-path", str(folder), "--fail-on-warning",
    ]
    # fmt: on
    # The hooks call ruff by name: the one beside this interpreter, in colours of no terminal.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise CompileError(f"{description}: the compiler refused:\n{(done.stdout + done.stderr).strip()}")
    for module in folder.rglob("*.py"):
        module.write_text(target.banner + module.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
    (folder / "py.typed").write_text("", encoding="utf-8")
    (folder / "MANIFEST.toml").write_text(manifest(spec, description), encoding="utf-8", newline="\n")
    described = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (folder / "openapi.json").write_text(described, encoding="utf-8", newline="\n")


def texts(folder: Path) -> dict[str, str]:
    """Every file below *folder* by its relative name, without what Python leaves behind when it runs."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode(errors="backslashreplace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def drift(committed: Path, compiled: Path) -> str:
    """Unified diff from *committed* to *compiled*, over files on either side; empty when they agree."""
    old, new = texts(committed), texts(compiled)
    lines: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        before = f"generated/{committed.name}/{name}" if name in old else "/dev/null"
        after = f"compiled/{committed.name}/{name}" if name in new else "/dev/null"
        diff = difflib.unified_diff(
            old.get(name, "").splitlines(), new.get(name, "").splitlines(), before, after, lineterm=""
        )
        # An empty file on one side only has no lines to show.
        lines.extend(list(diff) or [f"--- {before}", f"+++ {after}"])
    return "".join(f"{line}\n" for line in lines)


def swap(compiled: Path, committed: Path) -> None:
    """Put *compiled* where *committed* is; both on one file system, so neither is ever half there."""
    old = compiled.with_name(f"{compiled.name}.old")
    if committed.exists():
        committed.rename(old)
    try:
        compiled.rename(committed)
    except OSError:
        old.rename(committed)
        raise
    shutil.rmtree(old, ignore_errors=True)


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Compile the descriptions of spec/ into generated/.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 and print a diff when out of step")
    check: bool = parser.parse_args(arguments).check
    generated = root / "generated"
    if not check:
        generated.mkdir(exist_ok=True)
    # Beside the packages when they will be swapped in, elsewhere when they are only compared.
    with tempfile.TemporaryDirectory(prefix=".compiling-", dir=None if check else generated) as scratch:
        compiled = {target.package: Path(scratch) / target.package for target in TARGETS}
        try:
            for target in TARGETS:
                compile_into(compiled[target.package], target, root=root)
        except CompileError as exc:
            print(exc, file=sys.stderr)
            return 2
        differences = {package: drift(generated / package, folder) for package, folder in compiled.items()}
        for package, difference in differences.items():
            if not check:
                swap(compiled[package], generated / package)
                print(f"generated/{package}: {'compiled' if difference else 'was in step'}")
            elif difference:
                print(difference, end="")
                print(f"generated/{package} is out of step: run `nox -s generate` and commit.", file=sys.stderr)
    return 1 if check and any(differences.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
