"""
A claim: one sentence the API must keep, what in the description it proves, and the test that tries it.

A test states its own claim: `@claim(id, *proves)` above it, the sentence as its docstring. `claims.toml` is that,
written down for reading by `python -m coinbase_checkouts_conformance.claims`; a test holds the two together.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from .constraints import OPEN, Constraint, constraints
from .description import Source, description, needed_by
from .invariants import INVARIANTS, Invariant

CLAIMS_FILE: Final = Path(__file__).with_name("claims.toml")
CONSTRAINT_PARAMETER: Final = "constraint"
INVARIANT_PARAMETER: Final = "invariant"

_HEADER: Final = """\
# Every claim of the suite, in the order it is tried. Read top to bottom these are the rules of the API as this
# project knows them. Written by `python -m coinbase_checkouts_conformance.claims`: change the tests instead.
"""


@dataclass(frozen=True)
class Claim:
    """*proves* are JSON pointers into the description; *test* is `module::function`."""

    id: str
    sentence: str
    source: Source
    proves: tuple[str, ...]
    test: str = ""


def claim(identifier: str, *proves: str) -> pytest.MarkDecorator:
    """
    Says which claim a test tries.

    Args:
        identifier: Such as `create.full`: the operation or topic, a dot, the rule.
        proves: Ids of `x-rule`s, and pointers into the description (`#/…`).
    """
    return pytest.mark.claim(identifier, _pointers(identifier, proves))


def _pointers(identifier: str, proves: Iterable[str]) -> tuple[str, ...]:
    with needed_by(f"the claim {identifier}"):
        pointers = tuple(map(description().pointer, proves))
        for pointer in pointers:
            description().at(pointer)
    return pointers


def each_constraint(operation_id: str, *locations: str) -> pytest.MarkDecorator:
    """One claim for each constraint on *locations* (`body`, `path`, `query`, `header`) of a request, by the description."""
    with needed_by(f"every claim about a request of {operation_id}"):
        operation = description().operations[operation_id]
        found = {c.claim: c for c in constraints(description(), operation) if c.location in locations}
    cases = [
        # Of what is open the rule that leaves it open tells the source.
        pytest.param(one, id=one.name, marks=claim(one.claim, *filter(None, (one.pointer, OPEN.get(one.name)))))
        for one in found.values()
    ]
    return pytest.mark.parametrize(CONSTRAINT_PARAMETER, cases)


def each_invariant(*names: str) -> pytest.MarkDecorator:
    """One claim for each of these invariants, all tried by the same steps."""
    found = [INVARIANTS[name] for name in names]
    cases = [pytest.param(one, id=one.id, marks=claim(one.claim, *one.rules)) for one in found]
    return pytest.mark.parametrize(INVARIANT_PARAMETER, cases)


def claim_of(item: pytest.Item) -> Claim:
    """The claim that *item* tries."""
    mark = next(item.iter_markers("claim"))
    identifier, proves = mark.args
    function: Callable[..., object] = getattr(item, "function")  # noqa: B009 -- not declared on Item
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    stated = parameters.get(CONSTRAINT_PARAMETER) or parameters.get(INVARIANT_PARAMETER)
    if isinstance(stated, Constraint | Invariant):
        sentence = stated.sentence
    else:
        sentence = " ".join((function.__doc__ or "").split())
    source = Source.joined([description().source(pointer) for pointer in proves])
    return Claim(identifier, sentence, source, proves, f"{item.path.stem}::{function.__name__}")


def read_claims(path: Path = CLAIMS_FILE) -> list[Claim]:
    """Every claim as `claims.toml` has it, which is quicker than to ask the tests."""
    return [
        Claim(
            one["id"],
            one["sentence"],
            Source(tuple(one["source"]), one["standing"]),
            _pointers(one["id"], one["proves"]),
            one["test"],
        )
        for one in tomllib.loads(path.read_text(encoding="utf-8"))["claim"]
    ]


def written(claims: Iterable[Claim]) -> str:
    """`claims.toml`."""
    return "\n".join([_HEADER, *(_table(one) for one in claims)])


def _table(one: Claim) -> str:
    # A JSON string is a TOML basic string.
    lines = [
        "[[claim]]",
        f"id = {_quoted(one.id)}",
        f"sentence = {_quoted(one.sentence)}",
        f"source = [{', '.join(map(_quoted, one.source.documents))}]",
        f"standing = {_quoted(one.source.standing)}",
        f"proves = [{', '.join(_quoted(named(pointer)) for pointer in one.proves)}]",
        f"test = {_quoted(one.test)}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def named(pointer: str) -> str:
    """A rule by its id, which stays when others are put before it; anything else by its pointer."""
    return str(description().at(pointer)["id"]) if "/x-rule/" in pointer else pointer


class _Collector:
    """A pytest plugin that keeps the claims of what was collected."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.errors: list[BaseException] = []

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        if call.excinfo is not None:
            self.errors.append(call.excinfo.value)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            one = claim_of(item)
            self.claims.setdefault(one.id, one)


def collected() -> list[Claim]:
    """
    Every claim of the suite, in the order it is tried.

    Raises:
        DescriptionError: One of them needs what the description lacks.
    """
    from .running import run_pytest  # noqa: PLC0415 -- the runner's plugin needs this module

    collector = _Collector()
    run_pytest(["--collect-only"], plugins=[collector])
    if collector.errors:
        raise collector.errors[0]
    return list(collector.claims.values())


if __name__ == "__main__":
    CLAIMS_FILE.write_text(written(collected()), encoding="utf-8", newline="\n")
