r"""
ECMA-262 patterns as automata, so that a text can be found that one accepts and another does not.

What JSON Schema recommends is understood: literals, classes, groups, alternatives, repetitions, `^` and `$`. With
look-around and `\b` it can be said of a text whether a pattern accepts it, and with back-references and `\p` nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

# Of one pattern, counted repetitions written out.
MOST_STATES: Final = 6_000
_LAST: Final = 0x10FFFF
LINE_ENDS: Final = "\n\r\u2028\u2029"
_SPACES: Final = " \t\v\f\u00a0\ufeff\u1680\u202f\u205f\u3000" + LINE_ENDS + "".join(map(chr, range(0x2000, 0x200B)))
_LOOKS: Final = ("(?=", "(?!", "(?<=", "(?<!")
_CONTROLS: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A condition on what is around: whether the way from *start* leads to *end* from here on, or up to here."""

    start: int
    end: int
    behind: bool
    wanted: bool


# Where a state may be left without a character: anywhere, at an edge of the text or of a word, or as what is around.
Where = str | Look


class NotUnderstoodError(Exception):
    """A pattern that is too much for an automaton, or no pattern at all."""


def _ranges(text: str) -> Ranges:
    return _joined([(ord(char), ord(char)) for char in text])


def _joined(parts: list[tuple[int, int]]) -> Ranges:
    made: list[tuple[int, int]] = []
    for low, high in sorted(parts):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(high, made[-1][1]))
        else:
            made.append((low, high))
    return tuple(made)


def _others(ranges: Ranges) -> Ranges:
    made: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            made.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        made.append((start, _LAST))
    return tuple(made)


ANY: Final[Ranges] = ((0, _LAST),)
_DIGITS: Final = _ranges("0123456789")
_WORD: Final = _joined([(48, 57), (65, 90), (95, 95), (97, 122)])
_LETTERS: Final = frozenset(chr(char) for low, high in _WORD for char in range(low, high + 1))
_CLASSES: Final = {
    "d": _DIGITS,
    "D": _others(_DIGITS),
    "w": _WORD,
    "W": _others(_WORD),
    "s": _ranges(_SPACES),
    "S": _others(_ranges(_SPACES)),
}


@dataclass(slots=True)
class Automaton:
    """
    Nondeterministic: from each state by a range of characters, freely, or freely in some places.

    Args:
        free: Of each state, where it leads without a character: target, and "", "^", "$", "b", "B" or a Look.
        looks: How many of those look at what is around.
    """

    steps: list[list[tuple[Ranges, int]]] = field(default_factory=list)
    free: list[list[tuple[int, Where]]] = field(default_factory=list)
    final: int = 0
    looks: int = 0

    def state(self) -> int:
        """A new one."""
        if len(self.steps) >= MOST_STATES:
            raise NotUnderstoodError("its repetitions are too many")
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def reached(self, states: frozenset[int], *, at_start: bool, at_end: bool = False) -> frozenset[int]:
        """*states*, and what is reached from them without a character."""
        seen = set(states)
        waiting = list(states)
        while waiting:
            for target, where in self.free[waiting.pop()]:
                allowed = not where or (where == "^" and at_start) or (where == "$" and at_end)
                if allowed and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return frozenset(seen)

    def accepts(self, text: str) -> bool:
        """Whether the pattern is found in *text*; how long that takes does not depend on how many ways there are."""
        return _Run(self, text).leads(0, self.final, 0)

    def after(self, states: frozenset[int], char: int) -> frozenset[int]:
        """Where *char* leads from *states*."""
        return frozenset(
            target
            for state in states
            for ranges, target in self.steps[state]
            if any(low <= char <= high for low, high in ranges)
        )


class _Run:
    """One automaton on one text; what is around a place is looked at once."""

    def __init__(self, automaton: Automaton, text: str) -> None:
        self._automaton: Final = automaton
        self._text: Final = text
        self._seen: Final[dict[tuple[Look, int], bool]] = {}

    def leads(self, start: int, end: int, place: int) -> bool:
        """Whether the way from *start* leads to *end*, from *place* to anywhere."""
        states = self._reached({start}, place)
        while states and end not in states and place < len(self._text):
            states = self._reached(self._automaton.after(frozenset(states), ord(self._text[place])), place + 1)
            place += 1
        return end in states

    def _led(self, start: int, end: int, place: int) -> bool:
        """Whether it does from anywhere to *place*."""
        states = self._reached({start}, 0)
        for index in range(place):
            after = self._automaton.after(frozenset(states), ord(self._text[index]))
            states = self._reached({*after, start}, index + 1)
        return end in states

    def _reached(self, states: Iterable[int], place: int) -> set[int]:
        seen = set(states)
        waiting = list(seen)
        while waiting:
            for target, where in self._automaton.free[waiting.pop()]:
                if target not in seen and self._holds(where, place):
                    seen.add(target)
                    waiting.append(target)
        return seen

    def _holds(self, where: Where, place: int) -> bool:
        if isinstance(where, Look):
            key = (where, place)
            if key not in self._seen:
                led = (self._led if where.behind else self.leads)(where.start, where.end, place)
                self._seen[key] = led is where.wanted
            return self._seen[key]
        if where in ("b", "B"):
            # Nothing before the first character and after the last is a part of a word.
            sides = [
                char != "" and char in _LETTERS
                for char in (self._text[place - 1 : place], self._text[place : place + 1])
            ]
            return (sides[0] != sides[1]) is (where == "b")
        return not where or (place == 0 if where == "^" else place == len(self._text))


def automaton(pattern: str) -> Automaton:
    """
    Accepts the texts in which *pattern* is found.

    Raises:
        NotUnderstoodError: See there.
    """
    parser = _Parser(pattern)
    made = parser.automaton
    start = made.state()
    made.steps[start].append((ANY, start))
    end = parser.alternatives(start)
    if parser.position < len(pattern):
        raise NotUnderstoodError("a parenthesis is not opened")
    made.final = made.state()
    made.steps[made.final].append((ANY, made.final))
    made.free[end].append((made.final, ""))
    return made


class _Parser:
    """Recursive descent; each method adds to the automaton what it reads, from a state, and returns where that ends."""

    def __init__(self, pattern: str) -> None:
        self.pattern: Final = pattern
        self.position = 0
        self.automaton: Final = Automaton()
        self._depth = 0

    def alternatives(self, start: int) -> int:
        self._depth += 1
        if self._depth > 50:
            raise NotUnderstoodError("its groups are nested too deep")
        end = self.automaton.state()
        while True:
            begin = self.automaton.state()
            self.automaton.free[start].append((begin, ""))
            self.automaton.free[self._sequence(begin)].append((end, ""))
            if not self._take("|"):
                self._depth -= 1
                return end

    def _sequence(self, state: int) -> int:
        while self.position < len(self.pattern) and self.pattern[self.position] not in "|)":
            if self._take("^"):
                state = self._edge(state, "^")
            elif self._take("$"):
                state = self._edge(state, "$")
            elif (edge := self.pattern[self.position : self.position + 2]) in (r"\b", r"\B"):
                self.position += 2
                state = self._edge(state, edge[1])
                self.automaton.looks += 1
            elif self.pattern.startswith(_LOOKS, self.position):
                state = self._edge(state, self._look())
            else:
                state = self._repeated(state)
        return state

    def _edge(self, state: int, where: Where) -> int:
        target = self.automaton.state()
        self.automaton.free[state].append((target, where))
        return target

    def _look(self) -> Look:
        self.position += 2
        behind = self._take("<")
        wanted = self._next() == "="
        start = self.automaton.state()
        end = self.alternatives(start)
        if not self._take(")"):
            raise NotUnderstoodError("a group is not closed")
        self.automaton.looks += 1
        return Look(start, end, behind, wanted)

    def _repeated(self, state: int) -> int:
        begin = self.position
        entry = self.automaton.state()
        reached = self._atom(entry)
        least, most = self._counts()
        rest = self.position
        end = self.automaton.state()
        # The first copy is read already; each other one is read anew from the same text.
        for number in range(max(least, 1) if most is None else most):
            if number:
                self.position = begin
                entry = self.automaton.state()
                reached = self._atom(entry)
            if number >= least:
                self.automaton.free[state].append((end, ""))
            self.automaton.free[state].append((entry, ""))
            state = reached
        if most is None:
            self.automaton.free[state].append((entry, ""))
        self.automaton.free[state].append((end, ""))
        self.position = rest
        return end

    def _counts(self) -> tuple[int, int | None]:
        least, most = 1, 1
        unbounded = False
        if self._take("*"):
            least, unbounded = 0, True
        elif self._take("+"):
            unbounded = True
        elif self._take("?"):
            least = 0
        elif self._peek() == "{" and (closing := self.pattern.find("}", self.position)) > 0:
            inner = self.pattern[self.position + 1 : closing]
            low, comma, high = inner.partition(",")
            if low.isdecimal() and (not high or high.isdecimal()):
                least = int(low)
                unbounded = bool(comma) and not high
                most = int(high) if high else least
                self.position = closing + 1
            else:
                return 1, 1
        else:
            return 1, 1
        self._take("?")
        if least > MOST_STATES or (not unbounded and (most > MOST_STATES or most < least)):
            raise NotUnderstoodError("its repetitions are too many")
        return least, None if unbounded else most

    def _atom(self, state: int) -> int:
        char = self._next()
        if char == "(":
            if self._take("?") and not self._take(":"):
                if not self._take("<"):
                    raise NotUnderstoodError("a group of a kind that ECMA-262 does not have")
                self.position = self.pattern.find(">", self.position) + 1
                if not self.position:
                    raise NotUnderstoodError("the name of a group does not end")
            end = self.alternatives(state)
            if not self._take(")"):
                raise NotUnderstoodError("a group is not closed")
            return end
        if char == "[":
            ranges = self._class()
        elif char == ".":
            ranges = _others(_ranges(LINE_ENDS))
        elif char == "\\":
            ranges = self._escape()
        elif char in "*+?":
            raise NotUnderstoodError("a repetition of nothing")
        else:
            ranges = _ranges(char)
        target = self.automaton.state()
        self.automaton.steps[state].append((ranges, target))
        return target

    def _escape(self, *, in_class: bool = False) -> Ranges:
        char = self._next()
        if char in _CLASSES:
            return _CLASSES[char]
        if in_class and char == "b":
            return _ranges("\b")
        if char in _CONTROLS and not (char == "0" and self._peek().isdecimal()):
            return _ranges(_CONTROLS[char])
        if char in "ux":
            if char == "u" and self._take("{"):
                digits = self.pattern[self.position : (closing := self.pattern.find("}", self.position))]
                self.position = closing + 1
            else:
                width = 4 if char == "u" else 2
                digits = self.pattern[self.position : self.position + width]
                self.position += width
            try:
                return _ranges(chr(int(digits, 16)))
            except (ValueError, OverflowError):
                raise NotUnderstoodError("an escape is not complete") from None
        if char.isalnum():
            raise NotUnderstoodError(f"it uses \\{char}")
        return _ranges(char)

    def _class(self) -> Ranges:
        negated = self._take("^")
        parts: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._member()
            if self._peek() == "-" and self.pattern[self.position + 1 : self.position + 2] not in ("]", ""):
                self._next()
                high = self._member()
                if len(low) == len(high) == 1 and low[0][0] == low[0][1] and high[0][0] == high[0][1]:
                    if low[0][0] > high[0][0]:
                        raise NotUnderstoodError("a range of characters runs backwards")
                    parts.append((low[0][0], high[0][0]))
                else:
                    parts.extend((*low, *high, (45, 45)))
            else:
                parts.extend(low)
        return _others(_joined(parts)) if negated else _joined(parts)

    def _member(self) -> Ranges:
        char = self._next()
        return self._escape(in_class=True) if char == "\\" else _ranges(char)

    def _peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def _take(self, char: str) -> bool:
        if self._peek() == char:
            self.position += 1
            return True
        return False

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise NotUnderstoodError("it ends too early")
        self.position += 1
        return char


def representatives(*automata: Automaton) -> list[int]:
    """One character for each way in which the automata tell characters apart; those that are nice to read, first."""
    edges = {0}
    for one in automata:
        for steps in one.steps:
            for ranges, _ in steps:
                for low, high in ranges:
                    edges |= {low, high + 1}
    bounds = [*sorted(edge for edge in edges if edge <= _LAST), _LAST + 1]
    return sorted((_nice(low, high - 1) for low, high in pairwise(bounds)), key=_ugliness)


def _nice(low: int, high: int) -> int:
    for char in _candidates():
        if low <= char <= high:
            return char
    # Lone surrogates cannot be written down.
    return high


def _candidates() -> Iterator[int]:
    yield from map(ord, "a0AzZ9-_. /:~!")
    yield from range(0x21, 0x7F)
    yield from (0xE9, 0x20AC)


def _ugliness(char: int) -> tuple[int, int]:
    text = chr(char)
    return (0 if text.isascii() and text.isalnum() else 1 if text.isascii() and text.isprintable() else 2, char)
