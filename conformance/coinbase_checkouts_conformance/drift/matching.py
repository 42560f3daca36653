"""
Which operation of one description is which of the other, however they are called now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .operations import Operation
from .renaming import alike
from .schemas import Schemas


@dataclass(frozen=True)
class Matched:
    """*pairs* are the same operation; *renamed* of them stand at another path or name now."""

    pairs: list[tuple[Operation, Operation]]
    renamed: list[tuple[Operation, Operation]]
    gone: list[Operation]
    new: list[Operation]
    shifted: bool


def matched(base: Sequence[Operation], revision: Sequence[Operation], schemas: Schemas) -> Matched:
    """Match by method and path, then by operationId, then by what they look like."""
    shifted = _is_shifted(base, revision)

    def address(one: Operation) -> tuple[str, str]:
        if one.is_event:
            # The name of an event is no part of what is sent: checkout.paid may be written checkoutPaid.
            return one.method, "".join(char for char in one.path if char.isalnum()).lower()
        return one.method, (one.prefix if shifted else "") + one.template

    left, right = list(base), list(revision)
    pairs = list(_taken(left, right, lambda a, b: address(a) == address(b)))
    renamed = list(
        _taken(
            left,
            right,
            lambda a, b: (
                a.method == b.method
                and (
                    (a.at.text("operationId") is not None and a.id == b.id)
                    or a.template.rstrip("/") == b.template.rstrip("/")
                )
            ),
        )
    )
    renamed += _by_look(left, right, schemas)
    return Matched([*pairs, *renamed], renamed, left, right, shifted)


def _is_shifted(base: Sequence[Operation], revision: Sequence[Operation]) -> bool:
    """Whether a part of the path moved between the address of the server and the paths."""
    prefixes = {one.prefix for one in (*base, *revision)}
    if len(prefixes) < 2:
        return False
    as_written = {(one.method, one.template) for one in base} & {(one.method, one.template) for one in revision}
    whole = {(one.method, one.prefix + one.template) for one in base} & {
        (one.method, one.prefix + one.template) for one in revision
    }
    return len(whole) > len(as_written)


def _taken(
    left: list[Operation], right: list[Operation], same: Callable[[Operation, Operation], bool]
) -> Iterator[tuple[Operation, Operation]]:
    for one in list(left):
        other = next((other for other in right if same(one, other)), None)
        if other is not None:
            left.remove(one)
            right.remove(other)
            yield one, other


def _by_look(left: list[Operation], right: list[Operation], schemas: Schemas) -> list[tuple[Operation, Operation]]:
    """Operations that are gone and new, of one method and shape of path, whose answers have the same fields."""
    if not left or not right or len(left) * len(right) > 10_000:
        return []
    scored = sorted(
        (
            (likeness, i, j)
            for i, one in enumerate(left)
            for j, other in enumerate(right)
            if (likeness := _likeness(one, other, schemas)) > 0
        ),
        key=lambda found: (-found[0], found[1], found[2]),
    )
    taken: list[tuple[int, int]] = []
    for _, i, j in scored:
        if all(i != a and j != b for a, b in taken):
            taken.append((i, j))
    pairs = [(left[i], right[j]) for i, j in taken]
    for one, other in pairs:
        left.remove(one)
        right.remove(other)
    return pairs


def _likeness(one: Operation, other: Operation, schemas: Schemas) -> float:
    if one.method != other.method or one.is_event != other.is_event:
        return 0
    separator = "." if one.is_event else "/"
    steps = [(one.prefix + one.template).split(separator), (other.prefix + other.template).split(separator)]
    if [step == "{}" for step in steps[0]] != [step == "{}" for step in steps[1]]:
        return 0
    changed = [pair for pair in zip(*steps, strict=True) if pair[0] != pair[1]]
    if len(changed) > 1:
        return 0
    fields = _fields(one, schemas), _fields(other, schemas)
    if not any(fields):
        return alike(one.path, other.path) if changed and alike(*changed[0]) >= 0.6 else 0
    common = sum((fields[0] & fields[1]).values()) / max(1, sum((fields[0] | fields[1]).values()))
    similar = alike(*changed[0]) if changed else 1.0
    return common + similar / 10 if common >= 0.6 or (common >= 0.4 and similar >= 0.75) else 0


def _fields(operation: Operation, schemas: Schemas) -> Counter[str]:
    """The names of the fields that it takes and gives, two levels deep."""
    names: Counter[str] = Counter()
    owners = [operation.at.follow("requestBody")]
    answers = operation.at.get("responses")
    owners += [one.resolved() for status, one in (() if answers is None else answers.items()) if status[:1] == "2"]
    for owner in owners:
        content = None if owner is None else owner.get("content")
        for _, media in () if content is None else content.items():
            schema = media.get("schema")
            if schema is None:
                continue
            top = schemas.of((schema,))
            inner = [schemas.of(node) for node in (top.items, *top.properties.values()) if node]
            for one in (top, *inner, *(schemas.of(child.items) for child in inner if child.items)):
                names.update(list(one.properties))
    return names
