"""
`coinbase-checkouts conformance check`: hold traffic that was recorded anywhere against the description.

Nothing is sent. Every answer is judged, every conversation held against the invariants; a request that breaks the
description is a finding only if the server accepted it, for clients may try what they like.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .constraints import OPEN, constraints
from .description import Description, Operation, Parameter, description
from .invariants import check
from .judge import BrokenError, Fault, judge
from .scrub import excerpt
from .traffic import Conversation, Recorded, TrafficError, from_har, from_vcr

HOLDS: Final = 0
IS_BROKEN: Final = 1
COULD_NOT_RUN: Final = 2

_PROGRAM: Final = "coinbase-checkouts conformance check"
_CASSETTES: Final = ("*.yaml", "*.yml", "*.json")
_NUMBERS: Final = {"integer": int, "number": float}


@dataclass(frozen=True)
class Finding:
    """
    One thing that is wrong.

    Args:
        where: `answer` or `request`, and the JSON pointer into its body, or the parameter's name.
        rule: A pointer into the description.
        invariant: The id and the sentence of the one that is broken, if it is one.
    """

    exchange: Recorded
    what: str
    where: tuple[str, str]
    rule: str
    invariant: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """Some lines for a person."""
        part, pointer = self.where
        path = excerpt(self.exchange.path, limit=120)
        lines = [
            f"BROKEN {self.exchange.place}  {self.exchange.method} {path} → {self.exchange.status}",
            f"  wrong    {self.what}",
            f"  at       {part} {excerpt(pointer)}".rstrip(),
            *([] if self.invariant is None else [f"  holds    {self.invariant[1]} ({self.invariant[0]})"]),
            f"  rule     {self.rule}",
            f"  source   {description().source(self.rule)}",
        ]
        return "\n".join(lines)

    @property
    def json(self) -> dict[str, Any]:
        """The same for programs."""
        source = description().source(self.rule)
        part, pointer = self.where
        return {
            "file": self.exchange.place.file,
            "entry": self.exchange.place.index,
            "method": self.exchange.method,
            "path": excerpt(self.exchange.path),
            "status": self.exchange.status,
            "wrong": self.what,
            "part": part,
            "pointer": pointer,
            "invariant": self.invariant[0] if self.invariant else None,
            "rule": self.rule,
            "source": list(source.documents),
            "standing": source.standing,
        }


def main(argv: list[str]) -> int:
    """The command; *argv* is what comes after its name."""
    options = _parser().parse_args(argv)
    if not (options.har or options.cassettes):
        return _could_not_run("nothing to check; name recorded traffic with --har or --cassettes")
    try:
        conversations = list(_conversations(options))
    except TrafficError as exc:
        return _could_not_run(str(exc))
    exchanges = [one for conversation in conversations for one in conversation if one.operation is not None]
    if not exchanges:
        return _could_not_run("there is no exchange with the Checkouts API in that traffic")
    found = findings(conversations)
    figures = {"files": len(conversations), "exchanges": len(exchanges), "findings": len(found)}
    if options.json:
        content = {"traffic": options.standing, **figures, "findings": [one.json for one in found]}
        print(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        for one in found:
            print(one.text, end="\n\n")
        told = ", ".join(f"{number} {name if number != 1 else name[:-1]}" for name, number in figures.items())
        print(f"{told} ({options.standing} traffic)")
    return IS_BROKEN if found else HOLDS


def findings(conversations: Sequence[Conversation]) -> list[Finding]:
    """Everything wrong in *conversations*, each thing once, in the order it was said."""
    found: dict[tuple[int, str, tuple[str, str], str], Finding] = {}
    for conversation in conversations:
        for one in sorted(_all(conversation), key=lambda one: one.exchange.place.index):
            # The judge and an invariant may see the same.
            found.setdefault((id(conversation), str(one.exchange.place), one.where, one.rule), one)
    return list(found.values())


def _all(conversation: Conversation) -> Iterator[Finding]:
    for exchange in conversation:
        if exchange.operation is None:
            continue
        if exchange.is_success:
            for name, fault in _of_request(exchange, exchange.operation):
                what = f"accepted, although it breaks the description: {fault.what}"
                yield Finding(exchange, what, ("request", name or fault.pointer), fault.rule)
        try:
            judge().check(exchange.operation, exchange.status, exchange.content_type, exchange.answer)
        except BrokenError as exc:
            yield Finding(exchange, excerpt(exc.what), ("answer", exc.pointer), exc.rule)
    for broken in check(conversation):
        one = broken.invariant
        where = ("answer", broken.pointer)
        yield Finding(broken.exchange, broken.what, where, one.proves[0], (one.id, one.sentence))


def _of_request(exchange: Recorded, operation: Operation) -> Iterator[tuple[str, Fault]]:
    """What in a request breaks the description, of what no reading leaves to the server; with the parameter's name."""
    by = description()
    open_rules = {one.pointer for one in constraints(by, operation) if one.name in OPEN}
    pointer = by.body_pointer(operation)
    if pointer is not None:
        for fault in judge().faults(pointer, exchange.body):
            if fault.rule not in open_rules:
                yield "", fault
    for parameter in by.parameters(operation):
        for value in _sent(exchange, by, parameter):
            for fault in judge().faults(f"{parameter.pointer}/schema", value):
                yield parameter.name, fault


def _sent(exchange: Recorded, by: Description, parameter: Parameter) -> Iterator[Any]:
    """What was sent as *parameter*, as its schema has it; nothing if it was not."""
    match parameter.location:
        case "path":
            values = [exchange.parameters[parameter.name]]
        case "header":
            name = parameter.name.lower()
            values = [exchange.request_headers[name]] if name in exchange.request_headers else []
        case _:
            # An empty one is often read as absent.
            values = [value for name, value in exchange.query if name == parameter.name and value]
    kind = by.at(by.resolve(f"{parameter.pointer}/schema")).get("type")
    if kind == "array":
        yield from [values] if values else []
        return
    for value in values:
        try:
            yield _NUMBERS[kind](value) if kind in _NUMBERS else value
        except ValueError:
            yield value


def _conversations(options: argparse.Namespace) -> Iterator[Conversation]:
    for path in options.har:
        yield _only(from_har(path, standing=options.standing), options.base_url)
    for folder in options.cassettes:
        paths = sorted({path for pattern in _CASSETTES for path in folder.rglob(pattern)})
        if not paths:
            raise TrafficError(f"{folder}: no cassette in there")
        for path in paths:
            read = from_vcr(path, standing=options.standing, is_concurrent=options.concurrent)
            yield _only(read, options.base_url)


def _only(conversation: Conversation, base_url: str | None) -> Conversation:
    """What of *conversation* is with *base_url*."""
    if base_url is not None:
        kept = [one for one in conversation if f"{one.place.target}{one.path}".startswith(base_url.rstrip("/") + "/")]
        conversation.exchanges[:] = kept
    return conversation


def _could_not_run(why: str) -> int:
    print(f"{_PROGRAM}: {why}", file=sys.stderr)
    return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Hold recorded traffic against the description of the Checkouts API. Sends nothing. Unofficial.",
        epilog="exit codes: 0 nothing is wrong, 1 something is, 2 there was nothing to check, or it could not be read",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--har", action="extend", nargs="+", type=Path, default=[], metavar="FILE", help="HAR files, saved with content"
    )
    add("--cassettes", action="append", type=Path, default=[], metavar="DIR", help="a folder of vcrpy cassettes")
    add("--base-url", metavar="URL", help="only traffic with this server; otherwise all whose paths are the API's")
    add("--standing", choices=("live", "sandbox"), default="live", help="whose answers they are; default %(default)s")
    add("--concurrent", action="store_true", help="requests overlapped while the cassettes were recorded")
    add("--json", action="store_true", help="for programs")
    return parser
