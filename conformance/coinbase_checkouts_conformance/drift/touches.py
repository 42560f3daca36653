"""
What of this project a difference touches: the compiled models, the overlays that act on the part that changed, the
claims that prove it.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from coinbase_checkouts_conformance.description import compiled, description

# Not from the module that writes it, which imports pytest.
_CLAIMS_FILE: Final = Path(__file__).parents[1] / "claims.toml"
# Which overlay acts on what: a pattern of `operation path`, and the modules.
_OVERLAYS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"header x-idempotency-key", ("idempotency", "validation")),
    (r"security", ("auth",)),
    (r"servers", ("client",)),
    (r"response [45]|response default", ("errors", "retries")),
    (r"listCheckouts .*(nextPageToken|pageToken|pageSize|checkouts)", ("pagination",)),
    (r"^(create|get|deactivate|refund|list)\w* .*\bstatus\b", ("waiting", "reading")),
    (r"amount|refunds|settlement|fiat", ("reading",)),
    (r"^(create|refund)\w+ body", ("validation",)),
    (r"^(checkout|on|payment_link)\S* ", ("webhooks", "inbox")),
)
_COMPONENT: Final = re.compile(r"#/components/schemas/([A-Za-z0-9_]+)")


@dataclass(frozen=True)
class Touches:
    """Names: operationIds, models, modules of the overlays, claims."""

    operations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[str]]:
        """For programs."""
        return {
            "operations": list(self.operations),
            "models": list(self.models),
            "overlays": list(self.overlays),
            "claims": list(self.claims),
        }

    @property
    def text(self) -> str:
        """For people; empty for nothing."""
        return "; ".join(
            f"{kind} {', '.join(names)}"
            for kind, names in (("models", self.models), ("overlays", self.overlays), ("claims", _few(self.claims)))
            if names
        )


def touched(operations: Sequence[str], path: Sequence[str], pointers: Sequence[str], what: str) -> Touches:
    """
    What of this project depends on a place of the description.

    Args:
        operations: Ids of the operations it is reached from; those that this project does not know do not count.
        path: The steps from the first of them.
        pointers: Where it stands.
        what: The change in words, for the ids of rules in it.
    """
    known = {one: verb for one, verb in _verbs().items() if one in operations}
    events = [one for one in operations if one not in known and one.startswith(("on", "checkout."))]
    place = " ".join(path)
    texts = [f"{one} {place}" for one in (*known, *events)] or ([f" {place}"] if place else [])
    overlays = dict.fromkeys(
        module
        for text in texts
        for pattern, modules in _OVERLAYS
        if re.search(pattern, text, re.IGNORECASE)
        for module in modules
    )
    named = dict.fromkeys(name for pointer in pointers for name in _COMPONENT.findall(pointer))
    models = tuple(name for name in named if name in _models())
    verbs = [known[one] for one in operations[:1] if one in known]
    claims = _claims().proving(verbs, path, pointers, what)
    return Touches(tuple(known) or tuple(events), models, tuple(overlays), claims)


class _Claims:
    """The claims, to be found by what they prove: a difference concerns few of them."""

    def __init__(self, tables: Sequence[dict[str, Any]]) -> None:
        self._names = [str(one["id"]) for one in tables]
        self._by_name = sorted((name, number) for number, name in enumerate(self._names))
        self._by_proof = sorted((str(proof), number) for number, one in enumerate(tables) for proof in one["proves"])

    def proving(self, verbs: Sequence[str], path: Sequence[str], pointers: Sequence[str], what: str) -> tuple[str, ...]:
        """Their ids, in the order in which they are listed."""
        proofs = [*pointers, *re.findall(r"\brule (\S+):", what)]
        found = {number for proof in proofs for text, number in _beginning(self._by_proof, proof) if text == proof}
        inside = [f"{pointer}/" for pointer in pointers if _is_exact(pointer)]
        found.update(number for pointer in inside for _, number in _beginning(self._by_proof, pointer))
        # A constraint's claim is called by its operation and field.
        fields = [step.rpartition(" ")[2] for step in path if step != "body" and not step.startswith("response")]
        if fields and not path[0].startswith("response"):
            names = [f"{verb}.{'.'.join(fields)}-" for verb in verbs]
            found.update(number for name in names for _, number in _beginning(self._by_name, name))
        return tuple(dict.fromkeys(self._names[number] for number in sorted(found)))


def _beginning(table: Sequence[tuple[str, int]], start: str) -> Iterator[tuple[str, int]]:
    """The rows of a sorted table whose text begins so."""
    for index in range(bisect_left(table, (start,)), len(table)):
        if not table[index][0].startswith(start):
            return
        yield table[index]


def _is_exact(pointer: str) -> bool:
    """Whether *pointer* leads to a field or parameter, and not to what something was added to."""
    return any(owner in pointer for owner in ("/properties/", "/parameters/"))


def _few(names: Sequence[str]) -> Sequence[str]:
    return names if len(names) <= 6 else [*names[:6], f"and {len(names) - 6} more"]


@lru_cache(maxsize=1)
def _verbs() -> dict[str, str]:
    return {name: one.verb for name, one in description().operations.items()}


@lru_cache(maxsize=1)
def _models() -> frozenset[str]:
    # Read as text: importing the models costs more than all the rest.
    source = compiled("models", "__init__.py").decode()
    return frozenset(re.findall(r'^\s+"(\w+)",', source, re.MULTILINE))


@lru_cache(maxsize=1)
def _claims() -> _Claims:
    return _Claims(tomllib.loads(_CLAIMS_FILE.read_text(encoding="utf-8"))["claim"])
