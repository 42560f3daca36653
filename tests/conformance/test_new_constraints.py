"""A constraint that is added to the description is tried by itself, on servers that enforce it and that do not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from coinbase_checkouts_conformance.constraints import constraints
from coinbase_checkouts_conformance.description import Description
from coinbase_checkouts_conformance.outcomes import FAIL, PASS
from coinbase_checkouts_conformance.record import sandbox

# One of each kind; the suite sends none of them yet.
FIELDS: Final[dict[str, dict[str, Any]]] = {
    "newCode": {"type": "string", "pattern": r"^[A-Z]{2}-\d{3}$"},
    "newName": {"type": "string", "minLength": 2, "maxLength": 9},
    "newColour": {"enum": ["RED", "GREEN"]},
    "newCount": {"type": "integer", "minimum": 3, "maximum": 7, "multipleOf": 2},
    "newRate": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "newVersion": {"const": 2},
    "newDay": {"type": "string", "format": "date-time"},
    "newTags": {
        "type": "array",
        "minItems": 1,
        "maxItems": 3,
        "uniqueItems": True,
        "items": {"type": "string", "maxLength": 5},
    },
    "newPlace": {
        "type": "object",
        "required": ["town"],
        "properties": {
            "town": {"type": "string", "minLength": 1},
            "floors": {"type": "array", "items": {"minimum": 0}},
        },
    },
    "newMap": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": {"type": "integer"}},
}


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A folder with a copy of the compiled client whose description has FIELDS in the body of a create."""
    spec = find_spec("coinbase_checkouts_api")
    assert spec is not None
    assert spec.origin is not None
    copy = tmp_path / "changed" / "coinbase_checkouts_api"
    shutil.copytree(Path(spec.origin).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    document = json.loads((copy / "openapi.json").read_bytes())
    document["components"]["schemas"]["CreateCheckoutRequest"]["properties"] |= FIELDS
    (copy / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    return copy.parent


def expected(changed: Path) -> set[str]:
    """The claims that the new fields make."""
    by = Description((changed / "coinbase_checkouts_api" / "openapi.json").read_bytes())
    return {
        one.claim for one in constraints(by, by.operations["createCheckout"]) if one.path[:1] and one.path[0] in FIELDS
    }


def tried(folder: Path, url: str, key: Path, path: str) -> tuple[int, dict[str, str]]:
    """Run the suite with the changed description: exit code, and what became of each claim."""
    code = "import sys; from coinbase_checkouts_conformance import cli; sys.exit(cli.main(sys.argv[1:]))"
    arguments = ["--base-url", url, "--key-file", str(key), "-k", "create.new", "--report-dir", str(folder)]
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return ran.returncode, {one["id"]: one["outcome"] for one in report["claims"]}


@pytest.mark.parametrize("enforces", [True, False])
def test_a_new_field_of_each_kind_is_tried(
    tmp_path: Path, changed: Path, monkeypatch: pytest.MonkeyPatch, enforces: bool
) -> None:
    """
    On a server that knows the fields every claim about them holds; on one that takes whatever comes each is broken.
    """
    assert expected(changed) >= {
        "create.newPlace.town-required",
        "create.newTags.value-maxLength",
        "create.newVersion-const",
    }
    path = os.pathsep.join([str(changed), *filter(None, sys.path)])
    with monkeypatch.context() as patch:
        if enforces:
            patch.setenv("PYTHONPATH", path)
        with sandbox(tmp_path) as (url, key):
            code, outcomes = tried(tmp_path, url, key, path)
    assert expected(changed) == set(outcomes)
    told = (set(outcomes.values()), code)
    assert (({PASS}, 0) if enforces else ({FAIL}, 1)) == told, outcomes
