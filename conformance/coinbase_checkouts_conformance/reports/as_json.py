"""`report.json`: everything but the bodies, for programs; `report.schema.json` says what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from coinbase_checkouts_conformance.claims import named
from coinbase_checkouts_conformance.coverage import Row
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.outcomes import Outcome
from coinbase_checkouts_conformance.traffic import Place

from .run import Run, Share, versions

SCHEMA_FILE: Final = Path(__file__).with_name("report.schema.json")
FORMAT: Final = 1  # raised when a reader of the older one would be wrong

# Of hundreds of witnesses a few are enough to look at; how many there are is told.
_MOST_PLACES: Final = 5


def as_json(run: Run) -> str:
    """The text; in the same order every time."""
    by = description()
    content = {
        "$schema": SCHEMA_FILE.name,
        "format": FORMAT,
        "holds": run.holds,
        "target": run.target,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "duration_s": round(run.duration_s, 1),
        "provenance": run.provenance,
        "standings": run.standings,
        "oldest_evidence": run.oldest and run.oldest.isoformat(timespec="seconds"),
        "description": {"version": by.document["info"]["version"], "sha256": by.sha256},
        "versions": versions(),
        "figures": {
            "claims": {"held": run.claims.have, "tried": run.claims.of, **run.outcomes.figures},
            "coverage": _shares(run.covered()),
            "by_operation": {name: _shares(run.covered(operation=name)) for name in by.operations}
            if run.coverage
            else {},
        },
        "claims": [_claim(run, outcome) for outcome in run.outcomes.by_claim.values()],
        "coverage": [_row(row) for row in run.coverage.rows] if run.coverage else [],
        "surprises": [
            {"place": str(one.place), "what": one.what, "pointer": one.pointer} for one in run.coverage.surprises
        ]
        if run.coverage
        else [],
        "documents": by.document["x-documents"],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _shares(shares: dict[str, Share]) -> dict[str, Any]:
    return {name: {"have": one.have, "of": one.of, "percent": one.percent} for name, one in shares.items()}


def _claim(run: Run, outcome: Outcome) -> dict[str, Any]:
    claim, by_name = outcome.claim, run.by_name
    evidence = [
        {
            "file": name,
            "exchanges": len(by_name[name].exchanges),
            "standing": by_name[name].standing,
            "recorded_at": (at := by_name[name].recorded_at) and at.isoformat(timespec="seconds"),
        }
        for name in outcome.tests
        if name in by_name
    ]
    return {
        "id": claim.id,
        "sentence": claim.sentence,
        "outcome": outcome.verdict,
        "detail": outcome.detail,
        "source": list(claim.source.documents),
        "standing": claim.source.standing,
        "proves": list(map(named, claim.proves)),
        "test": claim.test,
        "duration_s": round(outcome.duration_s, 4),
        "evidence": evidence,
    }


def _row(row: Row) -> dict[str, Any]:
    atom = row.constraint
    return {
        "id": atom.id,
        "operation": atom.operation,
        "direction": atom.direction,
        "keyword": atom.keyword,
        "value": atom.value,
        "pointer": atom.pointer,
        "sentence": atom.sentence,
        "wanted": list(row.wanted),
        "missing": list(row.missing),
        "unreachable": row.unreachable,
        "kept": _places(row.kept),
        "refused": _places(row.refused),
        "claims": list(row.claims),
    }


def _places(places: Iterable[Place]) -> dict[str, Any]:
    every = list(places)
    return {"count": len(every), "first": list(map(str, every[:_MOST_PLACES]))}
