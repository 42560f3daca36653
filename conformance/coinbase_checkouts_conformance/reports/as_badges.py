"""Badges, as https://shields.io/badges/endpoint-badge reads them: one small JSON file each."""

from __future__ import annotations

import json
from typing import Final

from .run import Run, Share

# Days, and the colour of evidence that is not older.
_AGES: Final = ((30, "brightgreen"), (90, "yellow"))


def badges(run: Run) -> dict[str, str]:
    """By file name without its ending; the standing of the evidence is part of each message."""
    where = "+".join(run.standings) or "no evidence"
    made = {"conformance": _badge("conformance", f"{run.claims} claims, {where}", _colour(run.claims, holds=run.holds))}
    if "all" in (shares := run.covered()):
        share = shares["all"]
        made["coverage"] = _badge("coverage", f"{share.percent:g} %, {where}", _colour(share, holds=True))
    made["evidence-age"] = _age(run, where)
    return made


def _age(run: Run, where: str) -> str:
    days = (run.started_at - run.oldest).days if run.oldest else 0
    colour = next((colour for most, colour in _AGES if days <= most), "orange")
    text = "today" if days < 1 else "1 day" if days == 1 else f"{days} days"
    return _badge("evidence age", f"{text}, {where}", colour)


def _colour(share: Share, *, holds: bool) -> str:
    if not holds:
        return "red"
    if not share.of:
        return "lightgrey"
    return "brightgreen" if share.is_whole else "green" if share.percent >= 90 else "yellow"


def _badge(label: str, message: str, colour: str) -> str:
    return json.dumps({"schemaVersion": 1, "label": label, "message": message, "color": colour}) + "\n"
