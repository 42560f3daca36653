"""The judge of a storm finds what is planted, and nothing where nothing is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .journal import Entry, Journal, follows, torn, violations

Checkout = dict[str, Any]


def checkout(number: int = 1, **fields: Any) -> Checkout:
    """As it is when it was just created."""
    times = {"createdAt": "2026-11-20T12:00:00.000Z", "updatedAt": "2026-11-20T12:00:00.000Z"}
    return {
        "id": f"c{number}",
        "amount": "10.00",
        "status": "ACTIVE",
        "metadata": {"token": f"t{number}"},
        **times,
        **fields,
    }


def paid(number: int = 1) -> Checkout:
    settlement = {"totalAmount": "10.00", "feeAmount": "0.10", "netAmount": "9.90"}
    return checkout(number, status="COMPLETED", transactionHash="0x1", settlement=settlement)


def refunded(*parts: tuple[str, str], status: str = "PARTIALLY_REFUNDED", total: str = "4.00") -> Checkout:
    """Refunds r0, r1 … of these amounts and statuses."""
    refunds = [
        {"id": f"r{n}", "amount": amount, "status": said, "reason": f"k{n}"} for n, (amount, said) in enumerate(parts)
    ]
    for refund in refunds:
        if refund["status"] == "COMPLETED":
            refund |= {"completedAt": "2026-11-20T12:00:01.000Z", "transactionHash": "0x2"}
    return {**paid(), "status": status, "refunds": refunds, "refundedAmount": total}


def created(number: int = 1, **facts: Any) -> Entry:
    content = json.dumps(checkout(number)).encode()
    return Entry(kind="create", token=f"t{number}", keyed=True, status=201, content=content, **facts)


def asked_for_refund(number: int = 0, **facts: Any) -> Entry:
    content = json.dumps({"checkout": {}, "refund": {"id": f"r{number}"}}).encode()
    known: dict[str, Any] = {"about": "c1", "keyed": True, "status": 200, "content": content}
    return Entry(kind="refund", token=f"k{number}", **(known | facts))


PAY = Entry(kind="pay", token="p", about="c1", wanted="COMPLETED", status=200)
REFUNDED_ONCE = refunded(("4.00", "PENDING"))


def found(final: list[Checkout], *entries: Entry, journal: Journal | None = None) -> list[str]:
    journal = journal or Journal()
    journal.entries += entries
    return violations(journal, final)


@pytest.mark.parametrize(
    ("final", "entries"),
    [
        ([], []),
        ([checkout()], [created()]),
        ([checkout()], [created(doubts=3)]),
        ([checkout()], [Entry(kind="create", token="t1", doubts=1)]),
        ([], [Entry(kind="create", token="t1", doubts=1)]),
        ([paid()], [created(), PAY]),
        ([paid()], [created(), Entry(kind="pay", token="p", about="c1", wanted="COMPLETED", doubts=1, status=409)]),
        ([REFUNDED_ONCE], [created(), PAY, asked_for_refund()]),
        ([paid()], [created(), PAY, asked_for_refund(status=400, content=b"")]),
        ([paid()], [created(), PAY, asked_for_refund(status=None, doubts=2, content=b"")]),
    ],
)
def test_what_may_be_is_no_violation(final: list[Checkout], entries: list[Entry]) -> None:
    """
    Successes with their effect, doubts with and without one, refusals with none.
    """
    assert [] == found(final, *entries)


@pytest.mark.parametrize(
    ("final", "entries", "said"),
    [
        ([], [created()], "create t1: acknowledged, and not there"),
        ([checkout(2)], [created(), created(2)], "create t1: acknowledged, and not there"),
        ([checkout(), checkout(id="c9")], [created()], "create t1: 2 effects of one request"),
        (
            [checkout(), checkout(id="c9")],
            [Entry(kind="create", token="t1", doubts=2)],
            "create t1: 2 effects of one request",
        ),
        ([checkout()], [], "create t1: it is there, and was never asked for"),
        ([checkout()], [Entry(kind="create", token="t1", status=400)], "create t1: it is there, and was refused"),
        ([paid()], [created()], "c1: is COMPLETED, and nobody asked for that"),
        ([checkout(status="DEACTIVATED")], [created()], "c1: is DEACTIVATED, and nobody asked for that"),
        ([paid()], [created(), PAY, asked_for_refund()], "refund k0: acknowledged, and not there"),
        ([REFUNDED_ONCE], [created(), PAY], "refund k0: it is there, and was never asked for"),
        (
            # It acted, the connection broke, and its key was forgotten: so the repetition found too little left.
            [REFUNDED_ONCE],
            [created(), PAY, asked_for_refund(doubts=1, status=400, content=b"")],
            "refund k0: it is there, and was refused",
        ),
        (
            [refunded(("4.00", "COMPLETED"))],
            [created(), PAY, asked_for_refund()],
            "refund r0: is COMPLETED, and nobody asked for that",
        ),
    ],
)
def test_wrong_effects_are_found(final: list[Checkout], entries: list[Entry], said: str) -> None:
    """
    A lost checkout, a second one, one that nobody asked for; the same of refunds and of statuses.
    """
    assert said in found(final, *entries)


def test_two_refunds_of_one_request_are_found() -> None:
    """
    Two refunds with the token of one request are one too many, though their sum is in order.
    """
    final = refunded(("2.00", "PENDING"), ("2.00", "PENDING"))
    final["refunds"][1]["reason"] = "k0"
    assert ["refund k0: 2 effects of one request"] == found([final], created(), PAY, asked_for_refund())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"refunds": None}, "refundedAmount is not the sum of the refunds that did not fail"),
        ({"refundedAmount": None}, "refunds without refundedAmount, or the reverse"),
        ({"refundedAmount": "4.01"}, "refundedAmount is not the sum of the refunds that did not fail"),
        ({"status": "COMPLETED"}, "is COMPLETED with 4.00 of 10.00 refunded"),
        ({"status": "REFUNDED"}, "is REFUNDED with 4.00 of 10.00 refunded"),
        ({"status": "ACTIVE"}, "is ACTIVE, with settlement or transactionHash contradicting it"),
        ({"settlement": None}, "is PARTIALLY_REFUNDED, with settlement or transactionHash contradicting it"),
        (
            {"settlement": {"totalAmount": "10.00", "feeAmount": "0.10", "netAmount": "9.99"}},
            "its settlement does not add up",
        ),
        ({"updatedAt": "2026-11-20T11:00:00.000Z"}, "updated before it was created"),
        ({"refunds": [{"id": "r0", "amount": "4.00", "status": "COMPLETED"}]}, "refund r0 is half settled"),
    ],
)
def test_half_done_is_found(changes: Checkout, said: str) -> None:
    """
    A refund without its sum, a sum without its status, a payment without its settlement.
    """
    assert [] == torn(REFUNDED_ONCE)
    changed = {**REFUNDED_ONCE, **changes}
    assert said in torn({name: value for name, value in changed.items() if value is not None})


def test_more_than_was_paid_is_found() -> None:
    """
    Refunds that add up to more than the amount.
    """
    both = refunded(("10.00", "PENDING"), ("0.01", "PENDING"), status="REFUNDED", total="10.01")
    assert "10.01 refunded of 10.00" in torn(both)


def test_a_failed_refund_counts_nothing() -> None:
    """
    A refund that failed is listed and not summed; the checkout is COMPLETED again.
    """
    assert [] == torn(refunded(("10.00", "FAILED"), status="COMPLETED", total="0.00"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (paid(), checkout(), "COMPLETED became ACTIVE"),
        (paid(), checkout(), "settlement changed"),
        (checkout(status="DEACTIVATED"), paid(), "DEACTIVATED became COMPLETED"),
        (checkout(), checkout(amount="10.01"), "amount changed"),
        (checkout(), checkout(metadata=None), "metadata changed"),
        (checkout(updatedAt="2026-11-20T13:00:00.000Z"), checkout(), "updatedAt went back"),
        (REFUNDED_ONCE, paid(), "refund r0 is gone"),
        (REFUNDED_ONCE, refunded(("5.00", "PENDING")), "refund r0 is another one now"),
        (refunded(("4.00", "COMPLETED")), REFUNDED_ONCE, "refund r0 changed after its end"),
    ],
)
def test_going_back_is_found(before: Checkout, after: Checkout, said: str) -> None:
    """
    No status, amount, time or refund returns to what it was; forwards each of these is in order.
    """
    assert said in follows(before, after)
    assert [] == follows(before, before)


def test_what_was_known_stays_known() -> None:
    """
    A read that starts after a payment was acknowledged and shows none is a violation; one that started before is not.
    """
    journal = Journal()
    journal.saw(paid(), asked=1.0, answered=2.0)
    journal.saw(checkout(), asked=1.9, answered=2.1)
    assert [] == found([paid()], created(), PAY, journal=journal)
    journal.saw(checkout(), asked=2.1, answered=2.2)
    assert "c1: what was known was taken back: COMPLETED became ACTIVE" in violations(journal, [paid()])


def test_a_torn_read_is_found_whatever_comes_after() -> None:
    """
    One read of a half-done refund is a violation, though the end is in order.
    """
    journal = Journal()
    journal.saw({**paid(), "refundedAmount": "4.00"}, asked=1.0, answered=2.0)
    assert "c1: refundedAmount is not the sum of the refunds that did not fail" in found(
        [REFUNDED_ONCE], created(), PAY, asked_for_refund(), journal=journal
    )


def test_what_was_seen_and_is_gone_is_found() -> None:
    """
    A checkout that only a reader saw, its create being in doubt, must still be there.
    """
    journal = Journal()
    journal.saw(checkout(), asked=1.0, answered=2.0)
    assert ["c1: it was seen, and is gone"] == found([], Entry(kind="create", token="t1", doubts=1), journal=journal)


@pytest.mark.parametrize("other", [(201, b"{}"), (409, b"")])
def test_another_answer_under_a_key_is_found(other: tuple[int, bytes]) -> None:
    """
    Under a key the first answer comes again byte for byte, and nothing else.
    """
    entry, journal = created(), Journal()
    journal.repeats.append(("t1", 201, entry.content))
    assert [] == found([checkout()], entry, journal=journal)
    journal.repeats.append(("t1", *other))
    assert 1 == len(violations(journal, [checkout()]))


@pytest.mark.parametrize(("now_ms", "wrong"), [(2000, 1), (3000, 0), (4000, 0), (4012, 1)])
def test_a_move_of_the_clock_that_is_lost_is_found(now_ms: int, wrong: int) -> None:
    """
    Acknowledged moves count, those in doubt may, and no others do.
    """
    moves = [
        Entry(kind="advance", token="a", wanted="3", status=200),
        Entry(kind="advance", token="b", wanted="1", doubts=1),
    ]
    assert wrong == len(found([], *moves, journal=Journal(moments=[(0, 10, now_ms)])))


def test_mishaps_are_violations() -> None:
    """
    What a client noted as wrong is told.
    """
    assert ["POST /: 500"] == found([], journal=Journal(mishaps=["POST /: 500"]))
