"""
The section "Wire" of a changelog: what travels otherwise than before, and what is told otherwise, for people.

One line for each change of one thing, wherever it is sent or read: `status`, not each answer and event that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .differences import Difference
from .reports import escaped
from .verdicts import Direction, Severity

_TOLD: Final = (Severity.BREAKING, Severity.POTENTIAL, Severity.ADDITIVE, Severity.PROSE)
_WARNED: Final = (Severity.BREAKING, Severity.POTENTIAL)
_PARAMETERS: Final = ("query ", "path ", "header ", "cookie ")
_ABOUT: Final = ("security", "servers", "info.", "rule ")
# What is said in whole sentences about the thing; of anything else it is told what changed.
_VERBS: Final = ("is ", "takes ", "may ", "has ", "needs ", "no longer needs ")
_MOST: Final = 6


def changelog(found: Iterable[Difference]) -> str:
    """The section; examples and names that are never sent are no news."""
    lines: dict[tuple[Severity, str, str], dict[str, list[str]]] = {}
    for one in found:
        if one.severity in _TOLD:
            places = lines.setdefault((one.severity, _sentence(one), one.why), {})
            for name in one.operations:
                places.setdefault(_place(one), []).append(name)
    told = [_line(*key, places) for key, places in lines.items()]
    return "\n".join(["### Wire", "", *(told or ["Nothing changed on the wire."])]) + "\n"


def _line(severity: Severity, sentence: str, why: str, places: dict[str, list[str]]) -> str:
    # An event that came or went is named already.
    told = {place: [name for name in names if not sentence.startswith(_named(name))] for place, names in places.items()}
    where = "; ".join(f"{place} {_listed(names)}".strip() for place, names in told.items() if names)
    reason = f": {why}" if severity in _WARNED else ""
    return f"- {'⚠ ' if reason else ''}{sentence}{f' ({where})' if where else ''}{reason}."


def _sentence(one: Difference) -> str:
    subject = _subject(one)
    what = re.sub("^new value (?=.*, )", "new values ", one.what)
    if subject and what.startswith("description: "):
        return f"{subject}, in words: {escaped(what.removeprefix('description: '))}"
    if subject == (whole := _named(what.partition(" ")[0])):
        return f"{whole} {escaped(what.partition(' ')[2])}"
    if not subject:
        return escaped(what)
    return f"{subject}{'' if what.startswith(_VERBS) else ':'} {escaped(what)}"


def _subject(one: Difference) -> str:
    """The field or parameter, or an event as a whole, as people write it; nothing for an operation or an answer."""
    for step in one.path:
        if step.startswith(_PARAMETERS):
            kind, _, name = step.partition(" ")
            return f"{kind} {_named(name)}"
    inner = [step for step in one.path if not step.startswith(("body", "response ", "application/", "|", *_ABOUT))]
    name = "".join(step if step.startswith("[") else f".{step}" for step in inner).removeprefix(".")
    if name or one.direction is not Direction.EVENT or one.path:
        return _named(name) if name else ""
    return _named(one.operations[0])


def _named(name: str) -> str:
    return f"`{name.replace('`', '')}`"


def _place(one: Difference) -> str:
    """Where the operations have it."""
    if any(step.startswith(_PARAMETERS) for step in one.path):
        return ""
    if one.direction is Direction.EVENT:
        return "" if not one.path else "events"
    if one.path[:1] == ("body",):
        return "body of"
    answers = [step for step in one.path if step.startswith("response ")]
    if not answers:
        return ""
    # The number is that of the first of them.
    return f"{answers[0]} of" if len(one.operations) == 1 else "answers of"


def _listed(names: list[str]) -> str:
    shown = [_named(name) for name in dict.fromkeys(names)]
    if len(shown) > _MOST:
        return f"{', '.join(shown[:_MOST])} and {len(shown) - _MOST} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
