"""
What became of many charges, in Markdown: figures, losses with advice, and the first charges one by one.

It is made of counts, so that it needs no more memory for a million charges than for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from coinbase_checkouts.errors import Loss, LossKind
from coinbase_checkouts.plain import plain

from .exports import PassedOver, Place, Unreadable
from .hazards import HAZARDS
from .notes import BLOCKING, in_general
from .statuses import STATUSES

ROWS: Final = 1000
"""How many charges, and how many unreadable places, are told one by one."""
NAMES: Final = 5
"""How many of the files that were passed over are named."""

_HEADINGS: Final = {
    LossKind.NO_EQUIVALENT: "Without equivalent",
    LossKind.LOST: "Lost",
    LossKind.GUESSED: "Guessed",
}


class Verdict(StrEnum):
    """What to do with a charge."""

    CREATE = "create"
    """It waits to be paid: create its checkout."""
    LEAVE = "leave"
    """It is paid, being paid, over, or not surely unpaid: create nothing, unless you decide to."""
    REFUSED = "refused"
    """Nothing can be created from it, or in strict mode not without loss."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of one charge.

    Attributes:
        price: Amount and currency of the request, if there is one.
        losses: Those not accepted beforehand.
    """

    place: Place
    code: str | None
    status: str
    verdict: Verdict
    price: tuple[str, str] | None
    losses: tuple[Loss, ...]


@dataclass(slots=True)
class Report:
    """
    Figures that grow charge by charge.

    Args:
        accept: Codes of losses that are not told.
    """

    strict: bool = False
    accept: Collection[str] = ()
    verdicts: Counter[Verdict] = field(default_factory=Counter[Verdict])
    exact: int = 0
    unreadable: int = 0
    passed_over: int = 0
    copies: int = 0
    _statuses: Counter[str] = field(default_factory=Counter[str])
    _totals: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    _charges: Counter[str] = field(default_factory=Counter[str])
    _examples: dict[str, tuple[Loss, Place]] = field(default_factory=dict[str, tuple[Loss, Place]])
    _hazards: Counter[int] = field(default_factory=Counter[int])
    _rows: list[Outcome] = field(default_factory=list[Outcome])
    _unread: list[Unreadable] = field(default_factory=list[Unreadable])
    _passed: list[str] = field(default_factory=list[str])

    @property
    def charges(self) -> int:
        """How many were read."""
        return self.verdicts.total()

    @property
    def summary(self) -> str:
        """The figures, as a sentence."""
        return (
            f"{self.charges} charges: {self.verdicts[Verdict.CREATE]} to create, {self.verdicts[Verdict.LEAVE]} to leave, "
            f"{self.verdicts[Verdict.REFUSED]} refused; {self.unreadable} places could not be read."
            + (f" {self.copies} are of charges that other lines tell of, too." if self.copies else "")
            + (f" Passed over: {self._passed_line()}." if self.passed_over else "")
        )

    @property
    def is_exact(self) -> bool:
        """Whether all were converted, none with a loss."""
        return self.exact == self.charges

    def add(self, outcome: Outcome, *, is_copy: bool = False) -> None:
        """Count one more charge; *is_copy* says that another line of it counts, or none does."""
        self.copies += is_copy
        self.verdicts[outcome.verdict] += 1
        # Statuses that nobody documented may be as many as charges.
        self._statuses[outcome.status if outcome.status in STATUSES else "other"] += 1
        self.exact += not outcome.losses
        if outcome.verdict is Verdict.CREATE and outcome.price is not None:
            amount, currency = outcome.price
            self._totals[currency] = self._totals.get(currency, Decimal(0)) + Decimal(amount)
        codes = {loss.code: loss for loss in outcome.losses}
        for code, loss in codes.items():
            self._charges[code] += 1
            self._examples.setdefault(code, (loss, outcome.place))
        for hazard in HAZARDS:
            self._hazards[hazard.number] += any(code in codes for code in hazard.codes)
        if len(self._rows) < ROWS:
            self._rows.append(outcome)

    def skip(self, found: Unreadable) -> None:
        """Count one more place that could not be read."""
        self.unreadable += 1
        if len(self._unread) < ROWS:
            self._unread.append(found)

    def pass_over(self, found: PassedOver) -> None:
        """Count one more of what is in a folder and was not read."""
        self.passed_over += 1
        if len(self._passed) < NAMES:
            self._passed.append(str(found.path))

    def lines(self) -> Iterator[str]:
        """The report."""
        yield "# From Commerce charges to Checkouts"
        yield ""
        yield "Nothing was created: these are requests for you to look at and to send."
        yield ""
        yield from _table(("", "Charges"), self._figures())
        if self._totals:
            yield ""
            yield f"To create: {', '.join(f'{total:f} {_cell(name)}' for name, total in sorted(self._totals.items()))}."
        yield ""
        yield "The idempotency keys come from the codes of the charges. The service forgets a key after 24 hours: send the"
        yield "same requests again within that time and none is made twice; after it, they are."
        yield from self._unread_lines()
        if self.passed_over:
            yield ""
            yield f"Passed over, as they are no exports by their names, or links to folders: {_cell(self._passed_line())}."
        for kind in _HEADINGS:
            yield from self._loss_lines(kind)
        if self.accept:
            yield ""
            yield f"Accepted, and not told: {', '.join(f'`{code}`' for code in sorted(self.accept))}."
        yield from self._hazard_lines()
        yield from self._charge_lines()

    def _figures(self) -> list[tuple[object, ...]]:
        refused = "refused, as strict" if self.strict else "refused: nothing can be created from it"
        return [
            ("read", self.charges),
            ("to create", self.verdicts[Verdict.CREATE]),
            ("to leave: paid, being paid, over, or not surely unpaid", self.verdicts[Verdict.LEAVE]),
            (refused, self.verdicts[Verdict.REFUSED]),
            ("converted without loss", self.exact),
            ("places that could not be read", self.unreadable),
            ("of charges that other lines tell of, too", self.copies),
            ("files and links that were passed over", self.passed_over),
            *((f"status {status}", count) for status, count in sorted(self._statuses.items())),
        ]

    def _passed_line(self) -> str:
        more = self.passed_over - len(self._passed)
        return f"{self.passed_over} ({', '.join(self._passed)}{f' and {more} more' if more else ''})"

    def _unread_lines(self) -> Iterator[str]:
        if self._unread:
            yield from _heading("Could not be read")
            rows = ((found.place, found.reason, found.advice) for found in self._unread)
            yield from _table(("Where", "What", "What to do"), rows)
            yield from _more(self.unreadable)

    def _loss_lines(self, kind: LossKind) -> Iterator[str]:
        told = [(code, *found) for code, found in self._examples.items() if found[0].kind is kind]
        if told:
            yield from _heading(_HEADINGS[kind])
            rows = (
                (
                    f"`{code}`" + (" (nothing to create)" if code in BLOCKING else ""),
                    self._charges[code],
                    in_general(code),
                    loss.advice,
                    f"{place} {loss.pointer}",
                )
                for code, loss, place in sorted(told, key=lambda row: (-self._charges[row[0]], row[0]))
            )
            yield from _table(("Code", "Charges", "What", "What to do", "First at"), rows)

    def _hazard_lines(self) -> Iterator[str]:
        yield from _heading("What the migration guide leaves out")
        rows = (
            (
                hazard.number,
                hazard.topic,
                hazard.commerce,
                hazard.checkouts,
                self._hazards[hazard.number] if hazard.codes else "your code",
            )
            for hazard in HAZARDS
        )
        yield from _table(("#", "Topic", "Commerce", "Checkouts", "Charges"), rows)

    def _charge_lines(self) -> Iterator[str]:
        yield ""
        yield f"<details><summary>Charge by charge ({len(self._rows)} of {self.charges})</summary>"
        yield ""
        rows = (
            (
                row.place,
                row.code or "",
                row.status,
                row.verdict,
                " ".join(row.price or ()),
                " ".join(dict.fromkeys(loss.code for loss in row.losses)),
            )
            for row in self._rows
        )
        yield from _table(("Where", "Code", "Status", "Verdict", "Request", "Losses"), rows)
        yield from _more(self.charges)
        yield ""
        yield "</details>"


def _heading(text: str) -> tuple[str, ...]:
    return "", f"## {text}", ""


def _more(count: int) -> Iterator[str]:
    if count > ROWS:
        yield ""
        yield f"And {count - ROWS} more."


def _table(names: Iterable[str], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    names = tuple(names)
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(value: object) -> str:
    """*value* as one cell: neither it nor what is in it ends the cell, the table or the page."""
    text = str(plain(str(value)))
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
