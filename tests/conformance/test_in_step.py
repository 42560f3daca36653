"""A description that was changed by hand: what does not fit it says so in a line, and tries nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from coinbase_checkouts_conformance.description import client_folder

ROOT: Final = Path(__file__).parents[2]
BODY: Final = "#/paths/~1api~1v1~1checkouts/post/requestBody/content/application~1json"
REFUND: Final = "#/paths/~1api~1v1~1checkouts~1{id}~1refund"
CLI: Final = "import sys; from coinbase_checkouts_conformance.cli import main; sys.exit(main(sys.argv[1:]))"
COMMANDS: Final = {
    "replay": ("-m", "coinbase_checkouts_conformance.replay"),
    "measure": ("-m", "coinbase_checkouts_conformance.measure"),
    "record": ("-m", "coinbase_checkouts_conformance.record", "-k", "get.as-created", "--cassettes", "recorded"),
    "claims": ("-c", "from coinbase_checkouts_conformance.claims import collected; collected()"),
    "explain": ("-c", CLI, "explain", "create.full"),
    "run": ("-c", CLI, "--base-url", "http://127.0.0.1:1", "--key-file", "none.json"),
}

Document = dict[str, Any]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a copy of the compiled client and its description, as in a checkout of the project."""
    generated = tmp_path / "generated" / "coinbase_checkouts_api"
    shutil.copytree(client_folder(), generated, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "spec").mkdir()
    shutil.copy(ROOT / "spec" / "openapi.yaml", tmp_path / "spec")
    return tmp_path


def ran(checkout: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command there."""
    path = os.pathsep.join([str(checkout / "generated"), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["replay", "measure", "record", "run"])
def test_a_description_that_was_not_compiled_is_told(checkout: Path, name: str) -> None:
    """
    Nothing is said to hold of a description that nobody compiled: exit code 2, and what to do.
    """
    path = checkout / "spec" / "openapi.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("maximum: 100", "maximum: 99"), encoding="utf-8")
    code, out, err = ran(checkout, *COMMANDS[name])
    assert (2, "") == (code, out)
    expected = "spec/openapi.yaml is not what generated/coinbase_checkouts_api was compiled from: run `nox -s generate`"
    assert err.endswith(f": {expected}\n")
    assert err.count("\n") == 1


def test_prose_beside_it_changes_nothing(checkout: Path) -> None:
    """
    A comment in the description is none of the client's business.
    """
    with (checkout / "spec" / "openapi.yaml").open("a", encoding="utf-8") as file:
        file.write("# A comment.\n")
    code, out, _ = ran(checkout, *COMMANDS["replay"], "-k", "get.as-created")
    assert code == 0, out


def test_a_damaged_description_is_told(checkout: Path) -> None:
    """
    What cannot be read is told with its place.
    """
    (checkout / "spec" / "openapi.yaml").write_text("a: b\nc: [", encoding="utf-8")
    code, _, err = ran(checkout, *COMMANDS["measure"])
    assert (2, 1) == (code, err.count("\n"))
    assert err.startswith("coverage: spec/openapi.yaml: is not YAML: line ")


def of_another_media_type(document: Document) -> None:
    content = document["paths"]["/api/v1/checkouts"]["post"]["requestBody"]["content"]
    content["application/vnd.api+json"] = content.pop("application/json")


def without_a_rule(document: Document) -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            rules = [rule for rule in node.pop("x-rule", []) if rule["id"] != "refund.several"]
            node |= {"x-rule": rules} if rules else {}
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    walk(document)


def without_an_operation(document: Document) -> None:
    del document["paths"]["/api/v1/checkouts/{id}/refund"]


CHANGES: Final[dict[str, tuple[Callable[[Document], None], str, str]]] = {
    "media type": (of_another_media_type, BODY, "every claim about a request of createCheckout"),
    "rule": (without_a_rule, "x-rule refund.several", "the claim refund.several"),
    "operation": (without_an_operation, REFUND, "the claim errors.refund-not-json"),
}


def compile_by_hand(checkout: Path, change: Callable[[Document], None]) -> None:
    """What is there is the changed description, and nothing to compare it with."""
    (checkout / "spec" / "openapi.yaml").unlink()
    path = checkout / "generated" / "coinbase_checkouts_api" / "openapi.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize("name", ["replay", "measure"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_the_description_lacks_is_told(checkout: Path, name: str, change: str) -> None:
    """
    What a claim needs and the description has no more is told with its place, the claim, and what to do.
    """
    make, what, who = CHANGES[change]
    compile_by_hand(checkout, make)
    code, out, err = ran(checkout, *COMMANDS[name])
    assert (2, "") == (code, out)
    what_to_do = "put it back and run `nox -s generate`, or change what needs it"
    assert f": the description has no {what}, and {who} needs it: {what_to_do}\n" in err
    assert "Traceback" not in err
    assert err.count("\n") <= 3


@pytest.mark.parametrize("name", ["claims", "explain"])
def test_a_list_of_claims_is_whole_or_none(checkout: Path, name: str) -> None:
    """
    Where one claim cannot be read, no list of the others is made, and which one is told.
    """
    compile_by_hand(checkout, without_a_rule)
    code, _, err = ran(checkout, *COMMANDS[name])
    assert code != 0
    assert ": the description has no x-rule refund.several, and the claim refund.several needs it: " in err
