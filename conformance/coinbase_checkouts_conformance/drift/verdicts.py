"""
What each kind of change does to whom: the one table that decides.

What we send may be widened and not narrowed; what we read may be narrowed and not widened. `widened` and `narrowed`
are about the set of what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How a change acts, worst first."""

    BREAKING = "breaking"
    POTENTIAL = "potential"
    ADDITIVE = "additive"
    PROSE = "prose"
    EXAMPLE = "example"
    COSMETIC = "cosmetic"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Direction(StrEnum):
    """Which way what changed travels: we send it, we read it, or we are sent it."""

    REQUEST = "request"
    RESPONSE = "response"
    EVENT = "event"

    @property
    def reads(self) -> bool:
        """Whether we are the reader."""
        return self is not Direction.REQUEST


BREAKING, POTENTIAL, ADDITIVE = Severity.BREAKING, Severity.POTENTIAL, Severity.ADDITIVE
PROSE, EXAMPLE, COSMETIC = Severity.PROSE, Severity.EXAMPLE, Severity.COSMETIC

Verdict = tuple[Severity, str]


@dataclass(frozen=True)
class Rule:
    """The verdict where we send what changed, and where we read it; each with its reason."""

    sent: Verdict
    read: Verdict

    def of(self, direction: Direction) -> Verdict:
        """The verdict for *direction*."""
        return self.read if direction.reads else self.sent


def _always(severity: Severity, why: str) -> Rule:
    return Rule((severity, why), (severity, why))


_REFUSED: Final = "what was accepted may now be refused"
_ALL_STILL_FITS: Final = "all that was sent before is still accepted"
_HINT: Final = "a format that no standard defines may mean that the values changed, too"
_LESS_COMES: Final = "nothing comes that could not come before"

RULES: Final = {
    # Values.
    "type-widened": Rule((ADDITIVE, _ALL_STILL_FITS), (BREAKING, "a reader meets a type it does not expect")),
    "type-narrowed": Rule((BREAKING, _REFUSED), (ADDITIVE, _LESS_COMES)),
    "type-changed": Rule((BREAKING, _REFUSED), (BREAKING, "a reader meets another type than it expects")),
    "array-of-it": Rule(
        (ADDITIVE, "one value is written as before, so what was sent is still accepted"),
        (BREAKING, "a reader meets another type than it expects"),
    ),
    "null-allowed": Rule((ADDITIVE, _ALL_STILL_FITS), (BREAKING, "a reader meets null where there always was a value")),
    "null-refused": Rule((BREAKING, "null was accepted and may now be refused"), (ADDITIVE, _LESS_COMES)),
    "value-added": Rule(
        (ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "a new enum value in a response breaks exhaustive clients")
    ),
    "value-removed": Rule((BREAKING, "a value that was accepted may now be refused"), (ADDITIVE, _LESS_COMES)),
    "enum-gone": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "any value may come, which breaks exhaustive clients")),
    "enum-set": Rule((BREAKING, "other values were accepted and may now be refused"), (ADDITIVE, _LESS_COMES)),
    "limit-loosened": Rule(
        (ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "what was made for the old limit, such as a column, may be too small")
    ),
    "limit-tightened": Rule((BREAKING, _REFUSED), (ADDITIVE, _LESS_COMES)),
    "pattern-loosened": Rule(
        (ADDITIVE, _ALL_STILL_FITS), (BREAKING, "a text comes that readers who rely on the shape refuse")
    ),
    "pattern-tightened": Rule((BREAKING, "a text that was accepted is now refused"), (ADDITIVE, _LESS_COMES)),
    "pattern-changed": Rule(
        (BREAKING, "a text that was accepted is now refused"),
        (BREAKING, "a text comes that readers who rely on the shape refuse"),
    ),
    "pattern-undecided": _always(
        POTENTIAL, "no text was found that does harm, but not all were tried; they may be equal"
    ),
    "pattern-rewritten": _always(COSMETIC, "both accept the same texts"),
    "format-widened": Rule((ADDITIVE, _ALL_STILL_FITS), (BREAKING, "a reader that parses the old format fails")),
    "format-narrowed": Rule((BREAKING, _REFUSED), (ADDITIVE, _LESS_COMES)),
    "format-changed": Rule((BREAKING, _REFUSED), (BREAKING, "a reader that parses the old format fails")),
    "hint-removed": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, _HINT)),
    "hint-added": Rule((POTENTIAL, _HINT), (ADDITIVE, _LESS_COMES)),
    "hint-changed": _always(POTENTIAL, _HINT),
    "other-keyword": _always(POTENTIAL, "nobody decides which of the two is wider"),
    "keyword-added": Rule((BREAKING, _REFUSED), (ADDITIVE, _LESS_COMES)),
    "keyword-removed": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "what could not come before may come now")),
    "default-added": _always(ADDITIVE, "what leaving it out means is now told"),
    "default-changed": Rule(
        (POTENTIAL, "who leaves it out now gets something else"),
        (POTENTIAL, "who fills it in now fills in a wrong value"),
    ),
    "default-removed": Rule(
        (POTENTIAL, "what leaving it out means is no longer told"),
        (POTENTIAL, "what its absence means is no longer told"),
    ),
    # Objects.
    "field-added": Rule((ADDITIVE, "it may be left out"), (ADDITIVE, "readers ignore fields they do not know")),
    "field-added-to-closed": Rule(
        (ADDITIVE, "it may be left out"), (POTENTIAL, "no other fields were to come, and strict readers refuse them")
    ),
    "field-added-required": Rule(
        (BREAKING, "a request without it was accepted and is now refused"),
        (ADDITIVE, "readers ignore fields they do not know"),
    ),
    "field-removed": Rule(
        (POTENTIAL, "who still sends it may be refused, or ignored"), (POTENTIAL, "who reads it finds nothing any more")
    ),
    "field-removed-required": Rule(
        (POTENTIAL, "who still sends it may be refused, or ignored"),
        (BREAKING, "readers rely on a field that always came"),
    ),
    "field-refused": Rule(
        (BREAKING, "no other fields are accepted, so who still sends it is refused"),
        (POTENTIAL, "who reads it finds nothing any more"),
    ),
    "field-renamed-optional": _always(POTENTIAL, "the old name is no longer known"),
    "field-renamed-required": _always(BREAKING, "the old name is no longer known"),
    "now-required": Rule(
        (BREAKING, "a request without it was accepted and is now refused"),
        (ADDITIVE, "it came sometimes and now always"),
    ),
    "no-longer-required": Rule((ADDITIVE, _ALL_STILL_FITS), (BREAKING, "readers rely on a field that always came")),
    "others-allowed": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "strict readers refuse fields they do not know")),
    "others-refused": Rule((BREAKING, "fields that were ignored are now refused"), (ADDITIVE, _LESS_COMES)),
    "branch-added": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "a new kind of answer breaks exhaustive clients")),
    "branch-removed": Rule((BREAKING, "a kind that was accepted may now be refused"), (ADDITIVE, _LESS_COMES)),
    "choice-exclusive": Rule((POTENTIAL, "a value that fits two of them is refused now"), (ADDITIVE, _LESS_COMES)),
    "choice-inclusive": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "a value that fits two of them may come now")),
    "discriminator-changed": _always(BREAKING, "another field now tells the kinds apart"),
    "kind-renamed": Rule(
        (BREAKING, "who sends it by its old value may now be refused"),
        (BREAKING, "readers that know it by its old value no longer do"),
    ),
    # Operations.
    "operation-added": _always(ADDITIVE, "nobody relies on it yet"),
    "operation-removed": _always(BREAKING, "who calls it is answered an error"),
    "event-added": _always(ADDITIVE, "nobody is subscribed to it yet"),
    "event-removed": _always(BREAKING, "who waits for it waits in vain"),
    "event-renamed": _always(BREAKING, "who waits for the old name waits in vain"),
    "path-renamed": _always(BREAKING, "the old path is answered an error"),
    "path-parameter-renamed": _always(COSMETIC, "its place in the path is the same, and only that is sent"),
    "operation-id": _always(COSMETIC, "it is not sent; only the names of compiled code change"),
    "deprecated": _always(PROSE, "it is announced that it will go"),
    "undeprecated": _always(PROSE, "it is no longer announced that it will go"),
    "server-added": _always(ADDITIVE, "the old ones stay"),
    "server-removed": _always(POTENTIAL, "who uses it may not be answered any more; other servers stay"),
    "servers-replaced": _always(BREAKING, "no old address is left"),
    "security-tightened": Rule(
        (BREAKING, "credentials that were enough are no longer"), (POTENTIAL, "what comes is authorised in another way")
    ),
    "security-loosened": Rule(
        (ADDITIVE, "credentials that were enough still are"), (ADDITIVE, "more may come than before")
    ),
    "scope-added": _always(POTENTIAL, "keys without this scope may be refused"),
    "scope-removed": _always(ADDITIVE, "keys with this scope are still good"),
    # Parameters, headers, bodies.
    "parameter-added": Rule((ADDITIVE, "it may be left out"), (ADDITIVE, "readers ignore headers they do not know")),
    "parameter-added-required": Rule(
        (BREAKING, "a request without it was accepted and is now refused"),
        (ADDITIVE, "readers ignore headers they do not know"),
    ),
    "parameter-removed": Rule(
        (POTENTIAL, "who still sends it may be refused, or ignored"), (POTENTIAL, "who reads it finds nothing any more")
    ),
    "parameter-removed-required": Rule(
        (POTENTIAL, "who still sends it may be refused, or ignored"), (BREAKING, "readers rely on what always came")
    ),
    "parameter-renamed": _always(POTENTIAL, "the old name may be refused or ignored"),
    "parameter-renamed-required": _always(BREAKING, "the old name may be refused or ignored"),
    "parameter-moved": _always(BREAKING, "where it was sent it may be refused or ignored"),
    "style-changed": _always(BREAKING, "the same values are written in another way"),
    "body-added": Rule((ADDITIVE, "it may be left out"), (ADDITIVE, "who ignores it reads as before")),
    "body-added-required": Rule(
        (BREAKING, "a request without it was accepted and is now refused"), (ADDITIVE, "who ignores it reads as before")
    ),
    "body-removed": Rule(
        (POTENTIAL, "who still sends it may be refused, or ignored"), (BREAKING, "who reads it finds nothing any more")
    ),
    "media-added": Rule((ADDITIVE, "one more is accepted"), (ADDITIVE, "one more may be asked for")),
    "media-widened": Rule((ADDITIVE, _ALL_STILL_FITS), (POTENTIAL, "readers may meet a media type they do not expect")),
    "media-narrowed": Rule((BREAKING, "what was accepted is now refused"), (ADDITIVE, _LESS_COMES)),
    "media-removed": Rule(
        (BREAKING, "what was accepted is now refused"), (BREAKING, "readers meet another media type than they expect")
    ),
    # Answers.
    "success-changed": _always(BREAKING, "clients that wait for the old status take success for failure"),
    "success-removed": _always(BREAKING, "clients that wait for it wait in vain"),
    "success-added": _always(POTENTIAL, "clients that wait for one status take another for failure"),
    "success-widened": _always(POTENTIAL, "clients that wait for one status take another for failure"),
    "success-narrowed": _always(ADDITIVE, _LESS_COMES),
    "reply-narrowed": _always(BREAKING, "the answer we give no longer counts as delivered"),
    "reply-widened": _always(ADDITIVE, "one more answer counts as delivered"),
    "error-added": _always(ADDITIVE, "an error that is not documented was possible before"),
    "error-removed": _always(ADDITIVE, "one error less to handle"),
    # Words.
    "words": _always(PROSE, "only the words changed; read what they mean"),
    "title": _always(COSMETIC, "a title is not sent"),
    "rule-changed": _always(PROSE, "the rule is stated otherwise; read what it means"),
    "rule-added": _always(PROSE, "a rule that no schema can say"),
    "rule-removed": _always(PROSE, "a rule that no schema could say"),
    "example": _always(EXAMPLE, "examples bind nobody"),
    "cosmetic": _always(COSMETIC, "it is not sent"),
}
