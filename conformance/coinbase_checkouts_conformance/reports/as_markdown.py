"""`report.md`: fit for a comment on a pull request, figures first, everything long folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.outcomes import BREAKING, OUTCOMES, SKIPPED, UNKNOWN, WARN, Outcome

from .run import UNOFFICIAL, Run, Share, versions

# GitHub takes 65,536 characters for a comment.
LIMIT: Final = 60_000
SIGNS: Final = {"pass": "✓", "warn": "!", "fail": "✗", "error": "⚠", "skipped": "\N{EN DASH}", "unknown": "?"}

_BAR: Final = 20
_FOOT: Final = 2_000


def markdown(run: Run) -> str:
    """The text, of less than LIMIT characters."""
    left = LIMIT - _FOOT
    parts: list[str] = []
    left_out = 0
    for part in (_head(run), *_failures(run), _coverage(run), *_notes(run), _gaps(run)):
        if len(part) < left:
            parts.append(part)
            left -= len(part)
        else:
            left_out += 1
    if left_out:
        parts.append(f"{left_out} more parts do not fit into a comment; they are in `report.html`.\n")
    return "\n".join([*filter(None, parts), _foot(run)])


def _head(run: Run) -> str:
    sign = "✅" if run.holds else "❌"
    figures = run.outcomes.figures
    lines = [
        f"## {sign} Conformance: {run.claims} claims hold",
        "",
        f"| {' | '.join(f'{SIGNS[name]} {name}' for name in OUTCOMES)} |",
        f"|{'--:|' * len(OUTCOMES)}",
        f"| {' | '.join(str(figures[name]) for name in OUTCOMES)} |",
        "",
    ]
    return "\n".join(lines)


def _failures(run: Run) -> Iterator[str]:
    for outcome in run.outcomes.of(*BREAKING):
        sentence = escape(outcome.claim.sentence, quote=False)
        heading = f"{SIGNS[outcome.verdict]} <code>{escape(outcome.claim.id)}</code> {sentence}"
        yield _folded(heading, _fenced(outcome.detail))


def _coverage(run: Run) -> str:
    if run.coverage is None:
        return ""
    aspects = [name for name in run.covered() if name not in ("all", "rules")]
    lines = [
        "### Constraints of the description with evidence",
        "",
        f"| | {' | '.join(aspects)} | |",
        f"|---|{'--:|' * len(aspects)}---|",
    ]
    for operation in description().operations:
        shares = run.covered(operation=operation)
        lines.append(f"| {operation} | {' | '.join(_cell(shares[name]) for name in aspects)} | {_bar(shares['all'])} |")
    whole = run.covered()
    lines += [f"| rules | {' | '.join(' ' for _ in aspects[1:])} | {_cell(whole['rules'])} | {_bar(whole['rules'])} |"]
    lines += [f"| **all** | {' | '.join(_cell(whole[name]) for name in aspects)} | {_bar(whole['all'])} |", ""]
    return "\n".join(lines)


def _cell(share: Share) -> str:
    return f"{share.have}/{share.of}" if share.of else ""


def _bar(share: Share) -> str:
    filled = int(share.percent * _BAR / 100)
    return f"`{'█' * filled}{'░' * (_BAR - filled)}` {share.percent:g} %"


def _notes(run: Run) -> Iterator[str]:
    titles = {WARN: "hold, with something undocumented seen", SKIPPED: "skipped", UNKNOWN: "unknown: not tried"}
    for verdict, title in titles.items():
        outcomes = run.outcomes.of(verdict)
        if outcomes:
            yield _folded(f"{SIGNS[verdict]} {len(outcomes)} {title}", _listed(map(_note, outcomes)))


def _note(outcome: Outcome) -> str:
    return f"{outcome.claim.id}: {outcome.detail}"


def _gaps(run: Run) -> str:
    missing = run.coverage.missing if run.coverage else []
    if not missing:
        return ""
    lines = (f"{row.constraint.id}: not seen {' or '.join(row.missing)}" for row in missing)
    return _folded(f"{len(missing)} constraints without evidence", _listed(lines))


def _foot(run: Run) -> str:
    by = description()
    evidence = ", ".join(f"{count} exchanges with standing {name}" for name, count in run.standings.items())
    facts = [
        f"target {_code(run.target)}",
        escape(run.provenance, quote=False),
        evidence or "no evidence",
        f"description {by.document['info']['version']}, sha256 {by.sha256[:12]}",
        f"coinbase-checkouts {versions()['coinbase-checkouts']}",
        f"{run.started_at:%Y-%m-%d %H:%M} UTC, {run.duration_s:.1f} s",
    ]
    return f"<sub>{' · '.join(facts)}. {UNOFFICIAL}</sub>\n"


def _folded(heading: str, content: str) -> str:
    return f"<details><summary>{heading}</summary>\n\n{content}\n</details>\n"


def _listed(lines: Iterable[str]) -> str:
    return _fenced("\n".join(lines))


def _fenced(text: str) -> str:
    """A code block, in which nothing has a meaning; longer runs of backticks than its own would end it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
