"""Damaged descriptions and damaged traffic: told or looked at as far as they go, never a traceback."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coinbase_checkouts.sensor import Drift, JsonLines
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.drift.document import Document
from coinbase_checkouts_conformance.drift.observed import Observed
from coinbase_checkouts_conformance.drift.observed_reports import FORMATS, Observing
from coinbase_checkouts_conformance.drift.observed_sources import Collector
from coinbase_checkouts_conformance.drift.patching import as_patch
from coinbase_checkouts_conformance.drift.problems import CouldNotCompareError
from coinbase_checkouts_conformance.drift.reading import read
from tests.conformance.conversations import ID, ROOT, checkout, refund
from tests.conftest import ROOT as REPOSITORY

from .observed import Json, entry

GET = f"{ROOT}/{ID}"
ODD: list[Any] = [
    *(None, True, -1.5, 10**400, "x", "", "no", "\ud800", "a\u2028b", "2026-11-20T10:00:00Z", "ON_HOLD", "("),
    *([], {}, [None], {"a b": 1}, {"x": {"y": [1, "2", None]}}, {"$ref": "#/components/schemas/Checkout"}),
    {f"n{number}": 1 for number in range(150)},
]


def _spots(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _spots(child, (*path, key))


def _damaged(node: Any, seed: int) -> Any:
    draw = random.Random(seed)
    made, spots = copy.deepcopy(node), list(_spots(node))
    for path in draw.sample(spots, k=draw.randint(1, 4)):
        owner = made
        try:
            for step in path[:-1]:
                owner = owner[step]
            owner[path[-1]] = copy.deepcopy(draw.choice(ODD))
        except (KeyError, TypeError, IndexError):
            continue  # it was damaged further up already
    return made


def _entry(method: str, path: str, body: Any, **more: Any) -> Json:
    """With its body as JSON, so that there can be damage in it."""
    return {**entry(method, path, None, **more), "body": body}


ENTRIES = [
    _entry("GET", GET, {**checkout("COMPLETED"), "refunds": [refund("1.00")]}, headers={"x-request-id": "1"}),
    _entry("GET", ROOT, {"checkouts": [checkout(), checkout()], "nextPageToken": "x"}),
    _entry("GET", GET, {"errorType": "gone", "errorMessage": "no", "retryable": False}, status=410),
    _entry("GET", GET, {"errors": [{"id": "a", "message": "b"}]}, status=429),
]


def _har(path: Path, entries: list[Any]) -> Path:
    written = copy.deepcopy(entries)
    for made in written:
        response = made.get("response") if isinstance(made, dict) else None
        content = response.get("content") if isinstance(response, dict) else None
        if isinstance(content, dict) and content.get("text") == "null":
            content["text"] = json.dumps(made.pop("body"))
    path.write_text(json.dumps({"log": {"entries": written}}), encoding="utf-8")
    return path


def _told(document: Document, har: Path, log: Path | None = None) -> tuple[Observing, Collector]:
    collector = Collector(Observed(document), document)
    collector.har(har)
    if log is not None:
        collector.log(log)
    collector.done()
    observed = collector.observed
    found = tuple(observed.observations), tuple(observed.never_seen), dict(observed.exchanges)
    result = Observing("a description", *found, {}, tuple(collector.notes))
    for report in FORMATS.values():
        report(result)
    return result, collector


@pytest.mark.parametrize("seed", range(60))
def test_descriptions(seed: int, tmp_path: Path) -> None:
    """
    Whatever stands where in a description, traffic is held against what is left of it, or one sentence says why not.
    """
    document = description().document
    parts: Json = {key: document[key] for key in ("paths", "components", "webhooks", "servers")}
    damaged = json.dumps({**document, **_damaged(parts, seed)}).encode()
    write = JsonLines(tmp_path / "drift.jsonl")
    for kind in ("undocumented", "required", "enum", "null", "type", "format", "pattern", "maxLength"):
        write(Drift("listCheckouts", kind, "/checkouts/*/refunds/*/reason", "x"))
    try:
        _told(read("a description", damaged), _har(tmp_path / "a.har", ENTRIES), tmp_path / "drift.jsonl")
    except CouldNotCompareError as exc:
        assert str(exc)  # noqa: PT017 -- either is right


@pytest.mark.parametrize("seed", range(120))
def test_traffic(seed: int, tmp_path: Path) -> None:
    """
    Whatever stands where in a HAR file, it is looked at or refused; and what a patch adds is not told again.
    """
    spec = REPOSITORY / "spec" / "openapi.yaml"
    document = read("spec", spec.read_bytes())
    path = _har(tmp_path / "a.har", _damaged(ENTRIES, seed))
    try:
        result, collector = _told(document, path)
    except CouldNotCompareError:
        return
    patch = as_patch(spec, result, collector.files, today=date(2026, 11, 21))
    after = _patched(spec.read_text(encoding="utf-8"), patch)
    left, _ = _told(read("patched", after.encode()), path)
    assert patch.count("# to decide:") == sum(one.fails for one in left.observations)


def _patched(text: str, patch: str) -> str:
    """What a unified diff makes of *text*, by another road than git's."""
    before, after, at = text.splitlines(keepends=True), list[str](), 0
    for line in patch.splitlines(keepends=True):
        if line.startswith("@@"):
            start = int(line.split()[1].partition(",")[0].removeprefix("-")) - 1
            after += before[at:start]
            at = start
        elif line.startswith(("+++", "---", "#")):
            continue
        elif line.startswith("+"):
            after.append(line[1:])
        else:
            assert before[at] == line[1:]
            after += [before[at]] if line.startswith(" ") else []
            at += 1
    return "".join([*after, *before[at:]])
