"""
`coinbase-checkouts conformance explain CODE…`: what stands behind a claim, a rule, an invariant or a constraint.

CODE is a claim's id (`create.amount-pattern`), an `x-rule`'s (`checkout.refund-sum`), an invariant's, a constraint's
(`createCheckout/request/body/amount/pattern`, as `nox -s coverage` prints it), or a place in the description
(`#/components/schemas/Checkout/properties/amount/pattern`, as a failure prints its rule). What is both, as a rule and the
invariant that watches over it, is told as both. Codes are never numbered: what is added does not rename what was there.
Exit 0: told. 2: no such code.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from .cassettes import CASSETTES, CassetteError, read_cassette
from .claims import Claim, named, read_claims
from .constraints import constraints
from .coverage import REFUSED, REQUEST, RULE, Atom, atoms, read_waivers
from .description import Source, description
from .invariants import INVARIANTS, Invariant
from .running import SUITE
from .traffic import matched

TOLD: Final = 0
NO_SUCH_CODE: Final = 2

_WIDTH: Final = 110


def main(argv: list[str]) -> int:
    """Explain each code; the exit code."""
    parser = argparse.ArgumentParser(
        prog="coinbase-checkouts conformance explain",
        description="Tell what stands behind a claim, a rule, an invariant or a constraint: source, test, evidence.",
        epilog="exit codes: 0 told, 2 no such code",
        allow_abbrev=False,
    )
    parser.add_argument("codes", nargs="+", metavar="CODE", help="such as create.amount-pattern")
    found = {code: explained(code) for code in parser.parse_args(argv).codes}
    for code, lines in found.items():
        if lines:
            print("\n".join(lines), end="\n\n")
        else:
            print(
                f"coinbase-checkouts conformance: no claim, rule, invariant or constraint {code!r}{_near(code)}",
                file=sys.stderr,
            )
    return TOLD if all(found.values()) else NO_SUCH_CODE


def explained(code: str) -> list[str]:
    """The lines; none when nothing has this code."""
    # The prefix is how a rule is called among constraints.
    rule = code.removeprefix(f"{RULE}/")
    lines: list[str] = []
    if one := _claims().get(code):
        lines += _of_claim(one)
    if rule in description().rules:
        lines += _of_rule(rule)
    elif atom := _atoms().get(code):
        lines += _of_atom(atom)
    if code.startswith("#/"):
        lines += _of_place(code)
    if invariant := INVARIANTS.get(code.removeprefix("invariant.")):
        lines += _of_invariant(invariant)
    return [code, *lines] if lines else []


def _near(code: str) -> str:
    known = [*dict.fromkeys([*_claims(), *description().rules, *INVARIANTS, *_atoms()])]
    # What contains it says more than what is spelled alike.
    near = [one for one in known if code and code in one][:5] or get_close_matches(code, known, 5)
    return f"; near it are {', '.join(near)}" if near else ""


@cache
def _claims() -> dict[str, Claim]:
    return {one.id: one for one in read_claims()}


@cache
def _atoms() -> dict[str, Atom]:
    return {atom.id: atom for atom in atoms(description())}


def _of_claim(claim: Claim) -> Iterator[str]:
    yield from _part("claim", [claim.sentence])
    for pointer in claim.proves:
        yield from _part("proves", _fact(pointer))
    yield from _sources(claim.source)
    function = _function(claim.test)
    if function.left_open:
        yield from _part("left open", [function.left_open])
    cassettes = _cassettes(claim)
    exchanges = {path: read_cassette(path) for path in cassettes if _reads(path)}
    yield from _part(
        "operations", [", ".join(_operations(interactions for _, interactions in exchanges.values())) or "none"]
    )
    yield from _part("test", [f"{claim.test}, {function.place}", *function.docstring(claim.sentence)])
    lines = [
        f"{path.parent.name}/{path.name}: {len(interactions)} exchanges, {provenance.standing}, "
        f"{provenance.recorded_at:%Y-%m-%d}"
        for path, (provenance, interactions) in exchanges.items()
    ]
    damaged = [f"{path.parent.name}/{path.name}: cannot be read" for path in cassettes if path not in exchanges]
    yield from _part("evidence", [*lines, *damaged] or ["not recorded"])
    yield from _part(
        "run it",
        [
            f"coinbase-checkouts conformance --base-url URL --key-file FILE -k '{claim.id}'",
            f"python -m coinbase_checkouts_conformance.replay -k '{claim.id}'",
        ],
    )


def _of_rule(name: str) -> Iterator[str]:
    by = description()
    pointer = by.rules[name]
    yield from _part("rule", [" ".join(by.at(pointer)["rule"].split())])
    yield from _part("at", [_where(pointer)])
    yield from _sources(by.source(pointer))
    yield from _proved(pointer)


def _of_invariant(one: Invariant) -> Iterator[str]:
    by = description()
    yield from _part("invariant", [one.sentence])
    pointers = [by.pointer(rule) for rule in one.rules]
    for pointer in pointers:
        yield from _part("follows from", _fact(pointer))
    yield from _sources(Source.joined([by.source(pointer) for pointer in pointers]))
    yield from _part("watches", ["every conversation: runs, recordings, and your own traffic (conformance check)"])


def _of_atom(atom: Atom) -> Iterator[str]:
    yield from _part("constraint", [atom.sentence])
    yield from _part("at", [_where(atom.pointer)])
    wanted = "one request that keeps it and is accepted" if atom.direction == REQUEST else "one answer that keeps it"
    also = ", and one that breaks it and is refused" if REFUSED in atom.wanted else ""
    yield from _part("wants", [f"{wanted}{also}"])
    for waiver in read_waivers():
        if any(fnmatchcase(atom.id, pattern) for pattern in waiver.patterns):
            yield from _part("not seen", [f"{' and '.join(waiver.sides)}: {waiver.why}"])
    yield from _sources(description().source(atom.pointer))
    yield from _proved(atom.pointer)


def _of_place(pointer: str) -> Iterator[str]:
    try:
        yield from _part("place", _fact(pointer))
    except (LookupError, TypeError, ValueError):
        return
    yield from _sources(description().source(pointer))
    yield from _part("constraints", [atom.id for atom in _atoms().values() if atom.pointer == pointer])
    yield from _proved(pointer)


def _proved(pointer: str) -> Iterator[str]:
    proving = [f"{one.id}: {one.sentence}" for one in _claims().values() if pointer in one.proves]
    yield from _part("claims", proving or ["none: what is judged in every answer needs no claim of its own"])


def _fact(pointer: str) -> list[str]:
    """A rule in its own words, anything else by its value."""
    node = description().at(pointer)
    text = node["rule"] if isinstance(node, dict) and "rule" in node else _value(node)
    name = [named(pointer)] if "/x-rule/" in pointer else []
    return [*name, *([" ".join(str(text).split())] if text else []), _where(pointer)]


def _value(node: Any) -> str:
    return "" if isinstance(node, dict) else ", ".join(map(str, node)) if isinstance(node, list) else str(node)


def _where(pointer: str) -> str:
    return f"{pointer}, line {description().line(pointer)} of openapi.json"


def _sources(source: Source) -> Iterator[str]:
    documents = description().document["x-documents"]
    for name in source.documents:
        one = documents[name]
        told = f"{one['title']}; {one['publisher']}, read {one['read']}"
        yield from _part("source", [told, *([one["url"]] if "url" in one else [])])
    yield from _part("standing", [source.standing])


@dataclass(frozen=True)
class _Function:
    """A test as its source has it; *left_open* are its comments, which say what the documents leave open, and why."""

    place: str
    text: str
    left_open: str

    def docstring(self, sentence: str) -> list[str]:
        """The docstring, unless it is *sentence*."""
        return [] if self.text == sentence else [self.text]


def _function(test: str) -> _Function:
    module, _, name = test.partition("::")
    path = SUITE / f"{module}.py"
    source = path.read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            text = " ".join((ast.get_docstring(node) or "").split())
            lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
            return _Function(f"suite/{path.name} line {node.lineno}", text, _comments(lines))
    return _Function(f"suite/{path.name}", "", "")


def _comments(lines: list[str]) -> str:
    source = textwrap.dedent("\n".join(lines))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT]
    return " ".join(one for one in comments if not one.startswith(("noqa", "type:", "fmt:")))


def _cassettes(claim: Claim) -> list[Path]:
    """A parametrised test has one for each of its cases; that of a constraint is the one of its claim."""
    module, _, name = claim.test.partition("::")
    case = claim.id.partition(".")[2]
    exact = [CASSETTES.rglob(f"{module}/{name}-{case}.yaml"), CASSETTES.rglob(f"{module}/{name}.yaml")]
    found = [path for paths in exact for path in paths]
    cases = {
        one.name for operation in description().operations.values() for one in constraints(description(), operation)
    }
    return found or ([] if case in cases else sorted(CASSETTES.rglob(f"{module}/{name}-*.yaml")))


def _reads(path: Path) -> bool:
    try:
        read_cassette(path)
    except CassetteError:
        return False
    return True


def _operations(cassettes: Iterable[list[dict[str, Any]]]) -> list[str]:
    requests = [interaction["request"] for interactions in cassettes for interaction in interactions]
    paths = ((one["method"], one["uri"].partition("://")[2].partition("/")[2].partition("?")[0]) for one in requests)
    found = (matched(description(), method, f"/{path}") for method, path in paths)
    return list(dict.fromkeys(one[0].id for one in found if one))


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    """*title* beside *lines*, each folded and indented."""
    folded = [
        part for line in lines for part in textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
    ]
    for index, line in enumerate(folded):
        yield f"  {title if not index else '':14}{line}"
