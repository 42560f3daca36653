"""What became of each claim, and how that is told: failure text, summary, report.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import httpx

from .claims import Claim
from .description import description
from .judge import BrokenError
from .scrub import excerpt, scrubbed
from .wire import Reply

HELD: Final = "held"
BROKEN: Final = "broken"
SKIPPED: Final = "skipped"
ERROR: Final = "error"  # the check itself went wrong: a damaged recording, an exception of the suite
_WORST_LAST: Final = (HELD, SKIPPED, ERROR, BROKEN)


@dataclass(frozen=True)
class Outcome:
    """*detail* is the failure's text, or why the claim was not tried."""

    claim: Claim
    verdict: str
    detail: str = ""


@dataclass
class Outcomes:
    """By claim, in the order they were tried; of several tests of one claim the worst outcome counts."""

    by_claim: dict[str, Outcome] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        known = self.by_claim.get(outcome.claim.id)
        if known is None or _WORST_LAST.index(outcome.verdict) > _WORST_LAST.index(known.verdict):
            self.by_claim[outcome.claim.id] = outcome

    def of(self, verdict: str) -> list[Outcome]:
        return [outcome for outcome in self.by_claim.values() if outcome.verdict == verdict]

    @property
    def summary(self) -> str:
        """`117 claims hold, 0 broken, 3 skipped (no control endpoints)`."""
        skipped = self.of(SKIPPED)
        reasons = ", ".join(dict.fromkeys(outcome.detail for outcome in skipped))
        why = f" ({reasons})" if reasons else ""
        errors = f", {len(self.of(ERROR))} in error" if self.of(ERROR) else ""
        return f"{len(self.of(HELD))} claims hold, {len(self.of(BROKEN))} broken, {len(skipped)} skipped{why}{errors}"

    @property
    def text(self) -> str:
        """Broken claims first, then what was skipped, the summary last."""
        broken = [outcome.detail for verdict in (BROKEN, ERROR) for outcome in self.of(verdict)]
        skipped = [f"SKIPPED {outcome.claim.id}: {outcome.detail}" for outcome in self.of(SKIPPED)]
        return "\n".join([*(f"{text}\n" for text in broken), *skipped, self.summary])

    def report(self, **about: Any) -> str:
        """`report.json`: *about* the run, the figures, and each claim with its outcome."""
        figures = {verdict: len(self.of(verdict)) for verdict in _WORST_LAST}
        claims = [
            {**_flat(outcome.claim), "outcome": outcome.verdict}
            | ({"detail": outcome.detail} if outcome.detail else {})
            for outcome in self.by_claim.values()
        ]
        content = {**about, "description_sha256": description().sha256, "figures": figures, "claims": claims}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _flat(claim: Claim) -> dict[str, Any]:
    fields = asdict(claim)
    source = fields.pop("source")
    return {**fields, "source": source["documents"], "standing": source["standing"]}


def failure(claim: Claim, error: BaseException, last: tuple[httpx.Request, Reply | None] | None) -> str:
    """What a person needs to see of a broken claim: sentence, exchange, place, rule, source. No secret."""
    lines = [f"{'BROKEN' if isinstance(error, AssertionError) else 'ERROR'} {claim.id}", f"  claim    {claim.sentence}"]
    if last is not None:
        request, reply = last
        body = f"  {excerpt(request.content)}" if request.content else ""
        lines.append(f"  request  {request.method} {excerpt(request.url.raw_path.decode('ascii'))}{body}")
        if reply is not None:
            lines.append(f"  answer   {reply.status} {reply.content_type}  {excerpt(reply.content)}")
    rule, source = claim.proves[0], claim.source
    if isinstance(error, BrokenError):
        lines.append(f"  wrong    {excerpt(error.what, limit=400)}")
        if error.pointer:
            lines.append(f"  at       {excerpt(error.pointer)}")
        rule = error.rule or rule
        source = description().source(rule) if rule.startswith("#") else source
    else:
        lines.append(f"  wrong    {_first_lines(error)}")
    lines += [f"  rule     {rule}", f"  source   {source}"]
    return "\n".join(lines)


def _first_lines(error: BaseException) -> str:
    """An assertion's own words; of any other exception its type as well."""
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    return kind + "\n           ".join(_some_of(scrubbed(str(error)).splitlines()))


def _some_of(lines: Iterable[str]) -> list[str]:
    return [excerpt(line) for line in lines if line.strip()][:6]
