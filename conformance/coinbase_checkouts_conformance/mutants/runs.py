"""Wrong servers, harmless ones and the right one, each met by the suite in a process of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from coinbase_checkouts_conformance.claims import collected
from coinbase_checkouts_conformance.outcomes import BREAKING, HOLDING
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_sandbox import keys, readings
from coinbase_checkouts_sandbox.app import create_app

from . import entry, fields, harmless, inputs, pages, refunds, repeats, shapes, states
from .catalogue import HARMLESS, Mutant
from .trial import verdicts
from .workers import WORKERS, Lost, results

if TYPE_CHECKING:
    from starlette.types import ASGIApp

DEADLINE_S: Final = 60.0
_SHELVES: Final = (shapes, entry, inputs, states, refunds, repeats, pages, fields)


def wrong_servers() -> list[Mutant]:
    """Every server that the suite must break on."""
    return [one for module in _SHELVES for one in module.mutants()]


@dataclass(frozen=True)
class Right:
    """A server that keeps every claim, and the seed of its trial."""

    name: str
    does: str
    readings: tuple[str, ...]
    layers: tuple[Mutant, ...]
    seed: int | None = None


def differences() -> list[Right]:
    """The sandbox with each harmless difference."""
    return [Right(one.name, one.does, one.readings, (one,)) for one in harmless.mutants()]


def from_seed(seed: int) -> Right:
    """The sandbox in readings, and with harmless differences, that *seed* draws; the tests in an order that it draws."""
    chosen, layers = harmless.drawn(seed)
    names = ", ".join([*chosen, *(layer.name for layer in layers)])
    return Right(f"right-{seed}", f"The sandbox with {names}.", chosen, tuple(layers), seed)


@dataclass(frozen=True)
class Result:
    """
    What became of one server.

    Attributes:
        broken: Claims that broke, in the order of the suite.
        lost: Why there is no result; empty if there is one.
    """

    name: str
    kind: str
    does: str
    claims: tuple[str, ...]
    broken: tuple[str, ...]
    lost: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the claims named broke, all of them; for a right server, whether none did."""
        if self.lost:
            return False
        return set(self.claims) <= set(self.broken) if self.kind != HARMLESS else not self.broken


def tried(
    servers: Collection[Mutant],
    key_file: Path,
    *,
    seed: int,
    whole: bool,
    workers: int = WORKERS,
    deadline_s: float = DEADLINE_S,
) -> Iterator[Result]:
    """
    Each wrong server with the claims that broke.

    Args:
        whole: Try all claims, and not only those named.
    """

    def do(one: Mutant) -> tuple[tuple[str, ...], str]:
        failures: list[str] = []
        app = one.around(application(key_file, one.readings), Tokens(key_file), failures)
        found = verdicts(app, key_file, seed=seed, claims=() if whole else one.claims)
        return tuple(claim for claim, verdict in found.items() if verdict in BREAKING), "; ".join(failures[:1])

    for one, ended in results(servers, do, deadline_s=deadline_s, workers=workers):
        yield Result(one.name, one.kind, one.does, one.claims, *_ended(ended))


def held(
    servers: Collection[Right], key_file: Path, *, workers: int = WORKERS, deadline_s: float = DEADLINE_S
) -> Iterator[Result]:
    """Each right server with the claims that broke, or were not tried, against expectation."""

    def do(one: Right) -> tuple[tuple[str, ...], str]:
        failures: list[str] = []
        app = application(key_file, one.readings)
        for layer in one.layers:
            app = layer.around(app, Tokens(key_file), failures)
        found = verdicts(app, key_file, seed=one.seed or 0, shuffled=one.seed is not None)
        return tuple(claim for claim, verdict in found.items() if verdict not in HOLDING), "; ".join(failures[:1])

    for one, ended in results(servers, do, deadline_s=deadline_s, workers=workers):
        yield Result(one.name, HARMLESS, one.does, (), *_ended(ended))


def _ended(result: tuple[tuple[str, ...], str] | Lost) -> tuple[tuple[str, ...], str]:
    """The claims that broke, and why there is no result."""
    return ((), result.why) if isinstance(result, Lost) else result


def application(key_file: Path, chosen: Collection[str]) -> ASGIApp:
    """The sandbox, with a memory of its own."""
    key = keys.parse(key_file.read_bytes())
    return create_app(keys={key.id: key}, readings=readings.parse(chosen))


def warmed_up() -> set[str]:
    """Have everything imported that a fork then need not import; the ids of all claims."""
    return {one.id for one in collected()}
