"""
The table of facts: what the description, the published documents and observed traffic say, side by side.

What a sandbox of ours was recorded to do is shown and decides nothing: with that alone, no service was observed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_conformance.traffic import Conversation, Recorded, from_documents

from .document import Document
from .facts_probes import PROBES
from .facts_reading import REQUIRED, Question, Values, answer, questions, seen, weak
from .fetching import Fetcher, cache_folder
from .observed import SANDBOX, Observed, Witness
from .observed_sources import Collector
from .sources import Sources
from .writing import guarded, write

GENERATIONS: Final = ("1", "2", "3")
PROSE_FILE: Final = Path(__file__).with_name("facts.toml")

_PROGRAM: Final = "coinbase-checkouts drift facts"
_NONE: Final = frozenset[str]()
_MOST_SHOWN: Final = 12


class Verdict(StrEnum):
    """Who is right."""

    AGREE = "agree"
    DESCRIPTION_STALE = "description stale"
    DOCUMENTS_STALE = "documents stale"
    SERVICE_DEVIATES = "service deviates"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Fact:
    """
    One fact, three times.

    Args:
        published: What each generation, or each document of Coinbase's own, says; the newest last.
        is_history: Of *published*, what is older was replaced, and only the newest counts.
        others: What documents of others say.
        observed: By provenance.
        weak: Of *described*, what no document of Coinbase's says.
        is_demand: It is what always comes, not what may come.
        about: Where the description says it.
    """

    name: str
    described: Values
    published: Mapping[str, Values] = field(default_factory=dict)
    others: Mapping[str, Values] = field(default_factory=dict)
    observed: Mapping[str, Values] = field(default_factory=dict)
    weak: Values = _NONE
    examples: Values = _NONE
    is_history: bool = True
    is_demand: bool = False
    about: str = ""

    @property
    def verdict(self) -> Verdict:
        """What follows from the three."""
        newest = next(reversed(list(self.published.values())), None)
        real = [values for provenance, values in self.observed.items() if provenance != SANDBOX]
        for values in real:
            if not self._allows(self.described, values):
                is_told = newest is not None and self._allows(newest, values)
                return Verdict.DESCRIPTION_STALE if is_told else Verdict.SERVICE_DEVIATES
        if newest is not None and any(not self._allows(newest, values) for values in real):
            return Verdict.DOCUMENTS_STALE
        if newest is None:
            return Verdict.AGREE if any(real) else Verdict.UNKNOWN
        if newest == self.described and self.examples <= self.described:
            is_one = self.is_history or all(values == newest for values in self.published.values())
            return Verdict.AGREE if is_one else Verdict.DOCUMENTS_STALE
        if (newest | self.examples) - self.described:
            return Verdict.DESCRIPTION_STALE
        older = _NONE.union(*self.published.values()) - newest
        return Verdict.UNKNOWN if (self.described - newest) & (self.weak | older) else Verdict.DOCUMENTS_STALE

    def _allows(self, said: Values, came: Values) -> bool:
        return said <= came if self.is_demand else came <= said

    @property
    def documents(self) -> str:
        """The second column."""
        told = {**self.others, **self.published}
        same: dict[Values, list[str]] = {}
        for name, values in told.items():
            same.setdefault(values, []).append(name)
        found = [f"{', '.join(names)}: {_against(values, self.described)}" for values, names in same.items()]
        if strange := self.examples - self.described:
            found.append(f"examples: {_against(strange | self.described, self.described)}")
        return "; ".join(found) or "nothing"

    @property
    def traffic(self) -> str:
        """The third column."""
        if not self.observed:
            return "nothing"
        found = []
        for provenance, values in self.observed.items():
            if self.is_demand:
                less = self.described - values
                told = f"without {_listed(less)}" if less else "always came"
            else:
                known, strange = values & self.described, values - self.described
                share = (
                    "all of it"
                    if known == self.described
                    else _listed(known)
                    if len(known) <= 3
                    else f"{len(known)} of {len(self.described)}"
                )
                told = share + (f", and {_listed(strange)}" if strange else "")
            found.append(f"{provenance}{' only' if list(self.observed) == [SANDBOX] else ''}: {told}")
        return "; ".join(found)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "fact": self.name,
            "about": self.about or None,
            "description": sorted(self.described),
            "documents": {name: sorted(values) for name, values in {**self.others, **self.published}.items()},
            "observed": {name: sorted(values) for name, values in self.observed.items()},
            "verdict": str(self.verdict),
        }


def _against(values: Values, described: Values) -> str:
    """*values*, told by what the description has more or less."""
    if values == described:
        return "the same"
    if not values & described or len(values) <= 3:
        return _listed(values)
    more, less = values - described, described - values
    told = [f"{word} {_listed(some)}" for word, some in (("also", more), ("without", less)) if some]
    return ", ".join(told)


def _listed(values: Iterable[str]) -> str:
    found = sorted(values)
    more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
    return ", ".join(f"`{one}`" for one in found[:_MOST_SHOWN]) + more if found else "none"


@dataclass(frozen=True)
class Loaded:
    """
    What facts are made of.

    Args:
        generations: The published ones, the newest last.
        prose: What `facts.toml` has.
        traffic: By provenance, what was looked at, and all of it.
        examples: The published ones, looked at.
    """

    described: Document
    generations: Mapping[str, Document]
    prose: Sequence[Mapping[str, Any]]
    traffic: Mapping[str, tuple[Observed, Sequence[Recorded]]]
    examples: Observed


def facts(loaded: Loaded) -> list[Fact]:
    """All facts: what schemas say, and then what only words say."""
    asked = ((question, answer(loaded.described, question)) for question in questions(loaded.described))
    found = [_asked(loaded, question, values) for question, values in asked if values]
    return [*found, *(_told(loaded, one) for one in loaded.prose)]


def _asked(loaded: Loaded, question: Question, values: Values) -> Fact:
    published: dict[str, Values] = {}
    for name, document in loaded.generations.items():
        said = answer(document, question)
        # What an older one has and a newer one has not is gone; before, it was not there yet.
        if said is not None or published:
            published[name] = said or _NONE
    described = loaded.described
    observed = {name: seen(one, described, question) for name, (one, _) in loaded.traffic.items()}
    is_demand = question.kind == REQUIRED
    # An example is a body: it shows neither a status nor what always comes.
    shown = seen(loaded.examples, described, question) if question.side and not is_demand else None
    return Fact(
        question.id,
        values,
        published,
        observed={name: came for name, came in observed.items() if came is not None},
        weak=weak(described, question),
        examples=shown or _NONE,
        is_demand=is_demand,
    )


def _told(loaded: Loaded, one: Mapping[str, Any]) -> Fact:
    documents = loaded.described.data["x-documents"]
    says = {name: frozenset(values) for name, values in one["says"].items()}
    published = {name: values for name, values in says.items() if documents[name]["publisher"].startswith("Coinbase")}
    probe = PROBES[one["probe"]] if "probe" in one else None
    came = {
        name: frozenset(value for exchange in exchanges for value in probe(exchange)) if probe else _NONE
        for name, (_, exchanges) in loaded.traffic.items()
    }
    return Fact(
        one["what"],
        frozenset(one["description"]),
        published,
        others={name: values for name, values in says.items() if name not in published},
        observed={name: values for name, values in came.items() if values},
        weak=frozenset(one["description"]) - _NONE.union(*published.values()),
        is_history=False,
        about=one["about"],
    )


def as_markdown(found: Sequence[Fact]) -> str:
    """For people."""
    counts = ", ".join(f"{sum(one.verdict is verdict for one in found)} {verdict}" for verdict in Verdict)
    lines = [
        "# Facts",
        "",
        "What `spec/openapi.yaml`, the published documents and observed traffic say, side by side. Written by",
        "`python -m coinbase_checkouts_conformance.drift.facts --output conformance/FACTS.md`.",
        "",
        "The documents are the three published generations (1, 2, 3), or are named as in `x-documents`. Observed traffic",
        "is labelled with whose it is. `sandbox` is our own: it shows what the sandbox does, and decides nothing; while",
        "nothing else was recorded, the real service was never observed, and the verdict rests on the other two.",
        "",
        "| verdict | |",
        "|---|---|",
        "| agree | description and newest documents say the same, and nothing observed says otherwise |",
        "| description stale | the newest document, or a service as that document has it, does what the description has not |",
        "| documents stale | a published document says otherwise than a newer one, or than a service, as the description has it |",
        "| service deviates | a service was observed to do what neither says |",
        "| unknown | the documents are silent or leave it open, and no service was observed |",
        "",
        f"{counts}.",
        "",
        "| fact | description | documents | observed | verdict |",
        "|---|---|---|---|---|",
    ]
    for one in found:
        described = _listed(one.described) if len(one.described) <= 8 else f"{len(one.described)} of them"
        name = one.name + (f" (`{one.about}`)" if one.about else "")
        cells = (name, described, one.documents, one.traffic, f"**{one.verdict}**")
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def as_json(found: Sequence[Fact]) -> str:
    """For programs."""
    return json.dumps({"facts": [one.as_json() for one in found]}, indent=2, ensure_ascii=False) + "\n"


def main(argv: list[str]) -> int:
    """The command; *argv* is what comes after its name."""
    options = _parser().parse_args(argv)
    return guarded(_PROGRAM, lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    found = read(options.cassettes or [CASSETTES], options.har, frozenset(options.host))
    report = as_json(found) if options.format == "json" else as_markdown(found)
    write(report, options.output, for_people=options.format != "json")
    return 0


def read(cassettes: Sequence[Path], har: Sequence[Path], hosts: frozenset[str] = frozenset()) -> list[Fact]:
    """
    All facts, of this installation and what traffic there is.

    Raises:
        CouldNotCompareError: Traffic cannot be read.
    """
    sources = Sources(Fetcher(cache_folder()))
    described = sources.open("spec")
    by_provenance: dict[str, tuple[Observed, list[Recorded]]] = {}

    def take(provenance: str, operation: str, exchange: Recorded, witness: Witness) -> None:
        observed, exchanges = by_provenance.setdefault(provenance, (Observed(described), []))
        observed.answer(operation, exchange, witness)
        exchanges.append(exchange)

    collector = Collector(Observed(described), described, hosts, also=take)
    for folder in cassettes:
        collector.cassettes(folder)
    for path in har:
        collector.har(path)
    collector.done()
    generations = {number: sources.open(f"generation:{number}") for number in GENERATIONS}
    prose = tomllib.loads(PROSE_FILE.read_text(encoding="utf-8"))["fact"]
    return facts(Loaded(described, generations, prose, by_provenance, looked_at(described, from_documents())))


def looked_at(described: Document, conversations: Iterable[Conversation]) -> Observed:
    """What *conversations* show."""
    observed = Observed(described)
    for exchange in (one for conversation in conversations for one in conversation):
        if exchange.operation is not None and exchange.answer:
            name = exchange.operation.id
            observed.answer(
                name, exchange, Witness(str(exchange.place), exchange.place.standing, name, exchange.status)
            )
    return observed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Set side by side what the description, the published documents and traffic say. Unofficial.",
        epilog="exit codes: 0 done, 2 traffic could not be read",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--cassettes", action="append", type=Path, metavar="DIR", help="a folder of cassettes; by default ours")
    add("--har", action="append", type=Path, default=[], metavar="FILE", help="a HAR file, saved with content")
    add("--host", action="append", default=[], metavar="HOST", help="take traffic with this host, too")
    add("--format", choices=("markdown", "json"), default="markdown", help="default: %(default)s")
    add("--output", type=Path, metavar="FILE", help="write there instead of to stdout")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
