"""`junit.xml`: one test case per claim, for whatever shows test results."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

from coinbase_checkouts_conformance.claims import named
from coinbase_checkouts_conformance.outcomes import ERROR, FAIL, SKIPPED, UNKNOWN, WARN, Outcome

from .run import Run

# XML 1.0 has no way to say these, not even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(run: Run) -> str:
    """The text, as the schema of Jenkins' plugin has it."""
    outcomes = list(run.outcomes.by_claim.values())
    root = ET.Element("testsuites", _counts("coinbase-checkouts conformance", outcomes, run.duration_s))
    started = run.started_at.replace(tzinfo=None).isoformat(timespec="seconds")
    for name in dict.fromkeys(map(_module, outcomes)):
        cases = [outcome for outcome in outcomes if _module(outcome) == name]
        seconds = sum(case.duration_s for case in cases)
        suite = ET.SubElement(
            root, "testsuite", _counts(name.removeprefix("test_"), cases, seconds) | {"timestamp": started}
        )
        _properties(suite, {"target": run.target, "provenance": run.provenance})
        for case in cases:
            _case(suite, case)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _module(outcome: Outcome) -> str:
    return outcome.claim.test.partition("::")[0]


def _counts(name: str, outcomes: list[Outcome], seconds: float) -> dict[str, str]:
    def count(*verdicts: str) -> str:
        return str(sum(outcome.verdict in verdicts for outcome in outcomes))

    return {
        "name": name,
        "tests": str(len(outcomes)),
        "failures": count(FAIL),
        "errors": count(ERROR),
        "skipped": count(SKIPPED, UNKNOWN),
        "time": f"{seconds:.3f}",
    }


def _case(suite: ET.Element, outcome: Outcome) -> None:
    claim = outcome.claim
    case = ET.SubElement(suite, "testcase", classname=f"conformance.{_module(outcome)}", name=claim.id)
    case.set("time", f"{outcome.duration_s:.3f}")
    _properties(
        case,
        {
            "claim": claim.sentence,
            "source": str(claim.source),
            "proves": " ".join(map(named, claim.proves)),
            "outcome": outcome.verdict,
        },
    )
    first = outcome.detail.partition("\n")[0]
    if outcome.verdict in (FAIL, ERROR):
        element = ET.SubElement(
            case, {FAIL: "failure", ERROR: "error"}[outcome.verdict], message=_clean(claim.sentence)
        )
        element.set("type", outcome.verdict)
        element.text = _clean(outcome.detail)
    elif outcome.verdict in (SKIPPED, UNKNOWN):
        ET.SubElement(case, "skipped", message=_clean(f"{outcome.verdict}: {first}"))
    elif outcome.verdict == WARN:
        ET.SubElement(case, "system-out").text = _clean(outcome.detail)


def _properties(owner: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(owner, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
