"""
The overview: what is in this sandbox and what has happened in it, live, for the person who runs it.

A control page: it answers this machine only. Each section is drawn by itself and told apart by a digest of how it was
drawn, so that a page that asks for news is sent the sections that changed and no button vanishes under a finger.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from coinbase_checkouts_sandbox import acts, admission, deliveries, faults, fidelity, forms, money, rendering
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.checkouts import Checkout, as_of
from coinbase_checkouts_sandbox.deliveries import Delivery
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.faults import Fault
from coinbase_checkouts_sandbox.refunds import Refund, refunded
from coinbase_checkouts_sandbox.rendering import Page
from coinbase_checkouts_sandbox.requests import Call
from coinbase_checkouts_sandbox.requests_log import RequestsLog
from coinbase_checkouts_sandbox.store import Filters
from coinbase_checkouts_sandbox.world import World, refunds_of

PATH: Final = "/__sandbox__/overview"

# Of each list. More is what the API's listing is for.
_MOST_ROWS: Final = 30

_ALL: Final = Filters(statuses=frozenset(), start_ms=None, end_ms=None, description_query=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One webhook delivery, as the overview shows it."""

    event_type: str
    checkout_id: str
    target_url: str
    state: str
    """Such as pending, succeeded, retrying or failed."""
    attempts: int
    http_code: int | None
    """Of the last attempt, None if there was none or no answer to it."""
    moment_ms: int
    """When the last attempt was made, or else when the event happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRow:
    """One checkout, as the overview shows it."""

    id: str
    status: str
    amount: str
    fiat: str | None
    description: str | None
    refunded: str | None
    refunds: int
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRow:
    """One refund, as the overview shows it."""

    id: str
    checkout_id: str
    status: str
    amount: str
    fiat: str | None
    reason: str | None
    created_ms: int


def delivery_row(delivery: Delivery) -> DeliveryRow:
    """*delivery* for a person."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return DeliveryRow(
        event_type=delivery.event_type,
        checkout_id=delivery.checkout_id,
        target_url=delivery.url or "subscription deleted",
        state="held back" if delivery.held else delivery.state,
        attempts=delivery.attempt_count,
        http_code=last.http_code if last else None,
        moment_ms=last.at_ms if last else delivery.created_ms,
    )


def fault_row(fault: Fault) -> str:
    """*fault* for a person."""
    details = ", ".join(f"{name} {value}" for name, value in fault.rule.items() if name not in {"kind", "operation"})
    where = "any operation" if fault.rule["operation"] == "*" else fault.rule["operation"]
    return f"{fault.rule['kind']} on {where} ({details}): struck {fault.struck} of {fault.seen}"


def pages(world: World, log: RequestsLog) -> list[Page]:
    """The overview and its forms, the fidelity, and what they are drawn with."""
    desk = _Desk(world, log)

    def admitted(respond: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            admission.admit(call, remote=world.remote_control)
            return respond(call)

        return answer

    return [
        Page("GET", "/", _front_door, quiet=True, html=False),
        Page("GET", PATH, admitted(desk.show), quiet=True),
        Page("GET", f"{PATH}/live", admitted(desk.live), quiet=True),
        Page("POST", f"{PATH}/clock/advance", admitted(desk.advance)),
        Page("POST", f"{PATH}/checkouts/{{id}}/refunds/{{refundId}}/settle", admitted(desk.settle)),
        Page("GET", "/__sandbox__/fidelity", admitted(desk.fidelity_json), html=False),
        Page("GET", "/__sandbox__/fidelity.html", admitted(desk.fidelity_page), quiet=True),
        Page("GET", rendering.STATIC_PATH, rendering.static, quiet=True, html=False),
    ]


def checkout_row(checkout: Checkout, its_refunds: list[Refund]) -> CheckoutRow:
    """*checkout* for a person."""
    return CheckoutRow(
        id=checkout.id,
        status=checkout.status,
        amount=f"{money.to_cents(checkout.amount):,f} {money.USDC}",
        fiat=_fiat(checkout),
        description=checkout.description,
        refunded=f"{money.to_cents(refunded(its_refunds)):,f}" if its_refunds else None,
        refunds=len(its_refunds),
        created_ms=checkout.created_ms,
    )


def refund_row(refund: Refund) -> RefundRow:
    """*refund* for a person."""
    return RefundRow(
        id=refund.id,
        checkout_id=refund.checkout_id,
        status=refund.status,
        amount=f"{money.to_cents(refund.amount):,f} {money.USDC}",
        fiat=_fiat(refund),
        reason=refund.reason,
        created_ms=refund.created_ms,
    )


def _fiat(record: Checkout | Refund) -> str | None:
    amount = record.fiat_amount
    return None if amount is None else f"{money.to_cents(amount):,f} {record.fiat_currency}"


def _front_door(call: Call) -> Answer:
    """A person who types the address gets the overview; a program that forgot the path is told so."""
    if "text/html" not in (call.header("accept") or ""):
        raise ApiError(404, "there is nothing at this path")
    return rendering.moved(PATH)


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    html: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.html.encode()).hexdigest()[:8]


class _Desk:
    def __init__(self, world: World, log: RequestsLog) -> None:
        self._world = world
        self._log = log

    def show(self, _call: Call) -> Answer:
        now_ms, sections = self._sections()
        return rendering.rendered("overview.html", now_ms=now_ms, sections=sections, seen=_seen(sections))

    def live(self, call: Call) -> Answer:
        """The clock, and the sections that the page has not seen."""
        now_ms, sections = self._sections()
        # Compared only. What it is worth otherwise does not matter.
        known = call.query.removeprefix(b"seen=").decode("latin-1").split("-")
        news = [section for section in sections if section.digest not in known]
        return rendering.rendered("overview_live.html", now_ms=now_ms, sections=news, seen=_seen(sections))

    def advance(self, call: Call) -> Answer:
        fields = forms.read(call, "seconds")
        acts.advance(self._world, forms.whole_number(fields, "seconds", most=acts.MOST_SECONDS))
        return rendering.moved(PATH)

    def settle(self, call: Call) -> Answer:
        outcome = forms.choice(forms.read(call, "outcome"), "outcome", "COMPLETED", "FAILED")
        acts.settle(self._world, call.path_parameters["id"], call.path_parameters["refundId"], outcome)
        return rendering.moved(PATH)

    def fidelity_json(self, _call: Call) -> Answer:
        return Answer.json(200, fidelity.of_the_description(self._world.readings))

    def fidelity_page(self, _call: Call) -> Answer:
        found = fidelity.of_the_description(self._world.readings)
        return rendering.rendered("fidelity.html", fidelity=found)

    def _sections(self) -> tuple[int, list[_Section]]:
        with self._world.store.reading() as transaction:
            now_ms = self._world.now_ms(transaction)
            rows = transaction.page(_ALL, after=None, limit=_MOST_ROWS, now_ms=now_ms)
            checkouts = [as_of(row, now_ms) for row in rows]
            theirs = refunds_of(transaction, checkouts)
            log = deliveries.recent(transaction, _MOST_ROWS)
            armed = [fault for fault in faults.all_faults(transaction) if fault.armed]
        refunds = sorted((one for some in theirs.values() for one in some), key=lambda one: -one.created_ms)
        drawn: dict[str, dict[str, Any]] = {
            "checkouts": {"checkouts": [checkout_row(checkout, theirs[checkout.id]) for checkout in checkouts]},
            "refunds": {"refunds": [refund_row(refund) for refund in refunds[:_MOST_ROWS]]},
            "deliveries": {"deliveries": [delivery_row(delivery) for delivery in log]},
            "faults": {"faults": [fault_row(fault) for fault in armed]},
            "requests": {"requests": list(self._log.newest_first())[:_MOST_ROWS]},
        }
        sections = [
            _Section(name, rendering.text(f"overview_{name}.html", **rows, most_rows=_MOST_ROWS))
            for name, rows in drawn.items()
        ]
        return now_ms, sections


def _seen(sections: list[_Section]) -> str:
    return "-".join(section.digest for section in sections)
