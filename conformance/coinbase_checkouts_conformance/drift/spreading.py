"""
What is reached from where in a graph, circles and all, in time that grows with the graph and not with its square.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

# Of the names that lead to one node. A description where that cuts anything off has more than people read.
MOST_NAMES: Final = 500

_Key = TypeVar("_Key", bound=Hashable)


def reached(
    starts: Iterable[tuple[_Key, str]], edges: Mapping[_Key, Sequence[_Key]]
) -> Callable[[_Key], frozenset[str]]:
    """For a node, the names in *starts* that lead to it by *edges*: the first MOST_NAMES of them."""
    begun = list(starts)
    # A name is a bit, and those that come first are the lowest.
    names = sorted({name for _, name in begun})
    bits = {name: 1 << index for index, name in enumerate(names)}
    circles = _circles(edges)
    circle_of = {node: index for index, circle in enumerate(circles) for node in circle}
    masks = [0] * len(circles)
    for node, name in begun:
        masks[circle_of[node]] |= bits[name]
    # A circle comes after all that it leads to.
    for index in range(len(circles) - 1, -1, -1):
        for node in circles[index]:
            for other in edges[node]:
                masks[circle_of[other]] |= masks[index]
    known: dict[int, frozenset[str]] = {}

    def of(node: _Key) -> frozenset[str]:
        mask = masks[circle_of[node]] if node in circle_of else 0
        if mask not in known:
            known[mask] = frozenset(_named(mask, names))
        return known[mask]

    return of


def _named(mask: int, names: Sequence[str]) -> Iterable[str]:
    for _ in range(MOST_NAMES):
        if not mask:
            return
        lowest = mask & -mask
        yield names[lowest.bit_length() - 1]
        mask ^= lowest


def _circles(edges: Mapping[_Key, Sequence[_Key]]) -> list[list[_Key]]:
    """The nodes by what leads to each other, in the order of Tarjan: each after those that it leads to."""
    found: list[list[_Key]] = []
    numbers: dict[_Key, int] = {}
    lowest: dict[_Key, int] = {}
    stack: list[_Key] = []
    done: set[_Key] = set()
    for start in edges:
        if start in numbers:
            continue
        numbers[start] = lowest[start] = len(numbers)
        stack.append(start)
        way = [(start, iter(edges[start]))]
        while way:
            node, rest = way[-1]
            following = next(rest, None)
            if following is None:
                way.pop()
                if way:
                    lowest[way[-1][0]] = min(lowest[way[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    place = len(stack) - 1
                    while stack[place] != node:
                        place -= 1
                    found.append(stack[place:])
                    done.update(stack[place:])
                    del stack[place:]
            elif following not in numbers:
                numbers[following] = lowest[following] = len(numbers)
                stack.append(following)
                way.append((following, iter(edges[following])))
            elif following not in done:
                lowest[node] = min(lowest[node], numbers[following])
    return found
