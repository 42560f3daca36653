"""Evidence is counted where it is, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from coinbase_checkouts_conformance import description_mutants, measure
from coinbase_checkouts_conformance.cassettes import CASSETTES, SANDBOX
from coinbase_checkouts_conformance.claims import Claim
from coinbase_checkouts_conformance.constraints import constraints
from coinbase_checkouts_conformance.coverage import (
    KEPT,
    LEDGER_FILE,
    REFUSED,
    Coverage,
    Proof,
    Row,
    Waiver,
    atoms,
    covered,
    listed,
    read_waivers,
)
from coinbase_checkouts_conformance.description import Description, Source, description
from coinbase_checkouts_conformance.traffic import Conversation, Recorded, from_cassettes, from_documents

CHECKOUT: dict[str, Any] = {
    "id": "68f7a946db0529ea9b6d3a12",
    "url": "https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef",
    "amount": "100.50",
    "currency": "USDC",
    "network": "base",
    "address": "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
    "createdAt": "2024-03-20T10:30:00Z",
    "updatedAt": "2024-03-20T10:30:00Z",
    "status": "ACTIVE",
}
ERROR = {"errorType": "invalid_request", "errorMessage": "no"}
CREATE = ("POST", "/api/v1/checkouts")
GET = ("GET", "/api/v1/checkouts/68f7a946db0529ea9b6d3a12")
LIST = ("GET", "/api/v1/checkouts")


def said(
    call: tuple[str, str],
    status: int,
    answer: object,
    *,
    body: object = None,
    query: tuple[tuple[str, str], ...] = (),
    standing: str = "sandbox",
    name: str = "talk",
) -> Conversation:
    """A conversation of one exchange."""
    conversation = Conversation(name, standing)
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    conversation.exchanges.append(
        Recorded(conversation.place(), *call, query, headers, content, status, headers, json.dumps(answer).encode())
    )
    return conversation


def measured(*conversations: Conversation, proofs: tuple[Proof, ...] = ()) -> Coverage:
    return covered(description(), conversations, proofs, waivers=())


def row(found: Coverage, name: str) -> Row:
    [one] = [row for row in found.rows if row.constraint.id == name]
    return one


def test_an_accepted_request_shows_what_it_keeps() -> None:
    """
    A value that was accepted is evidence of its constraints, of its enum member, and of no other member.
    """
    found = measured(said(CREATE, 201, CHECKOUT, body={"amount": "100.50", "currency": "USDC", "network": "base"}))
    for name in ("amount/pattern", "amount/required", "amount/type", "network/enum/base", "type"):
        assert [str(place) for place in row(found, f"createCheckout/request/body/{name}").kept] == ["talk#0"]
    assert row(found, "createCheckout/request/body/description/type").kept == ()
    assert [str(place) for place in row(found, "createCheckout/response/201/body/status/enum/ACTIVE").kept] == [
        "talk#0"
    ]
    assert row(found, "createCheckout/response/201/body/status/enum/COMPLETED").kept == ()
    assert row(found, "createCheckout/response/200/status").kept == ()


@pytest.mark.parametrize(("length", "expected"), [(499, 0), (500, 1)])
def test_a_bound_is_shown_at_its_very_edge(length: int, expected: int) -> None:
    """
    A description of 500 characters shows that 500 are taken; one of 499 does not.
    """
    body = {"amount": "1.00", "currency": "USDC", "description": "x" * length}
    found = measured(said(CREATE, 201, CHECKOUT, body=body))
    assert len(row(found, "createCheckout/request/body/description/maxLength").kept) == expected


@pytest.mark.parametrize(("length", "expected"), [(501, 1), (502, 0), (500, 0)])
def test_a_refusal_is_shown_just_beyond_the_edge(length: int, expected: int) -> None:
    """
    A refused description of 501 characters shows where the bound is; a longer one might be refused for another.
    """
    body = {"amount": "1.00", "currency": "USDC", "description": "x" * length}
    found = measured(said(CREATE, 400, ERROR, body=body))
    assert len(row(found, "createCheckout/request/body/description/maxLength").refused) == expected


def test_a_refusal_with_two_reasons_shows_neither() -> None:
    """
    When two fields are wrong nobody knows which one it was refused for.
    """
    found = measured(said(CREATE, 400, ERROR, body={"amount": "1.005", "currency": "USDC", "network": "ethereum"}))
    assert [one for one in found.rows if one.refused] == []


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_refusal_for_who_asks_or_how_often_shows_nothing_of_the_request(status: int) -> None:
    """
    Only what refuses a request for what it says is evidence about its constraints.
    """
    found = measured(said(CREATE, status, ERROR, body={"amount": "1.005", "currency": "USDC"}))
    shown = {one.constraint.id for one in found.rows if one.refused}
    assert shown == ({"createCheckout/request/security"} if status == 401 else set())


def test_what_is_missing_is_told_apart_from_what_is_wrong() -> None:
    """
    A body without amount breaks `required`; no body breaks the demand for one.
    """
    found = measured(said(CREATE, 400, ERROR, body={"currency": "USDC"}))
    assert {one.constraint.id for one in found.rows if one.refused} == {"createCheckout/request/body/amount/required"}
    found = measured(said(CREATE, 400, ERROR))
    assert {one.constraint.id for one in found.rows if one.refused} == {"createCheckout/request/body/required"}


@pytest.mark.parametrize(
    ("value", "expected"), [("0", "minimum"), ("101", "maximum"), ("ten", "type"), ("-1", ""), ("102", "")]
)
def test_a_number_in_a_query_is_read_as_one(value: str, expected: str) -> None:
    """
    pageSize is text on the wire; 0, 101 and ten each break another constraint, -1 and 102 show no edge.
    """
    found = measured(said(LIST, 400, ERROR, query=(("pageSize", value),)))
    shown = {one.constraint.keyword for one in found.rows if one.refused}
    assert shown == ({expected} if expected else set())


def test_an_answer_that_breaks_the_description_is_no_evidence_but_a_surprise() -> None:
    """
    Of an answer with one wrong field nothing is counted, and it is told.
    """
    found = measured(said(GET, 200, {**CHECKOUT, "amount": 1.5}))
    assert [one for one in found.rows if one.constraint.direction == "response" and one.kept] == []
    assert [surprise.pointer for surprise in found.surprises] == [
        "#/components/schemas/Checkout/properties/amount/type"
    ]


def test_a_broken_request_that_is_accepted_is_a_surprise() -> None:
    """
    An amount with three decimals and a 201 is told with the constraint; what the sources leave open is not.
    """
    found = measured(said(CREATE, 201, CHECKOUT, body={"amount": "1.005", "currency": "USDC"}))
    pointer = "#/components/schemas/CreateCheckoutRequest/properties/amount/pattern"
    assert [surprise.pointer for surprise in found.surprises] == [pointer]
    body = {"amount": "1.00", "currency": "USDC", "metadata": {"note": "x" * 101}}
    assert measured(said(CREATE, 201, CHECKOUT, body=body)).surprises == ()


def test_a_refusal_without_a_reason_is_a_surprise_where_a_constraint_was_tried() -> None:
    """
    What was recorded as breaking a constraint, and breaks none now, is told; elsewhere a rule may be the reason.
    """
    talk = said(CREATE, 400, ERROR, body={"amount": "1.00", "currency": "USDC"})
    pointer = "#/components/schemas/CreateCheckoutRequest/properties/amount/pattern"
    claim = Claim("create.amount-pattern", "One.", Source(("spec",), "documented"), (pointer,))
    found = measured(talk, proofs=(Proof(claim, ("talk",)),))
    assert [surprise.what for surprise in found.surprises] == [
        "refused with 400, although nothing in the description forbids it"
    ]
    assert measured(talk).surprises == ()


def test_a_rule_is_shown_by_a_claim_that_holds() -> None:
    """
    The evidence of an x-rule is where its claims were tried.
    """
    pointer = description().rules["create.active"]
    claim = Claim("create.full", "One.", Source(("spec",), "documented"), (pointer,))
    found = measured(said(GET, 200, CHECKOUT), proofs=(Proof(claim, ("talk",)),))
    one = row(found, "rule/create.active")
    assert [str(place) for place in one.kept] == ["talk#0"]
    assert one.claims == ("create.full",)
    assert row(measured(said(GET, 200, CHECKOUT)), "rule/create.active").missing == (KEPT,)


def test_a_published_example_is_counted_but_never_enough() -> None:
    """
    What a document shows is evidence of that standing; that a server does it is still missing.
    """
    found = measured(*from_documents())
    one = row(found, "getCheckout/response/200/body/refunds/*/status/enum/PENDING")
    assert {place.standing for place in one.kept} == {"documented"}
    assert one.missing == (KEPT,)
    assert row(found, "getCheckout/response/200/status").kept == ()
    assert row(found, "createCheckout/request/security").kept == ()
    assert found.surprises == ()


def test_what_cannot_be_reached_is_not_missed() -> None:
    """
    A waiver takes its constraints out of the count, says why, and may be about one side only.
    """
    one = Waiver(("*/response/429/*",), "too many")
    other = Waiver(("createCheckout/request/body/currency/maxLength",), "no such currency", (KEPT,))
    found = covered(description(), [], waivers=(one, other))
    assert row(found, "getCheckout/response/429/status").unreachable == "too many"
    assert row(found, "createCheckout/request/body/currency/maxLength").missing == (REFUSED,)
    assert found.stale == ()


def test_a_waiver_that_is_out_of_date_is_told() -> None:
    """
    One that fits nothing, and one for which there is evidence, are both complaints.
    """
    waivers = (Waiver(("nothing/*",), "x"), Waiver(("getCheckout/response/200/status",), "x"))
    found = covered(description(), [said(GET, 200, CHECKOUT)], waivers=waivers)
    assert found.stale == (
        "nothing/*: fits no constraint",
        "getCheckout/response/200/status: there is evidence that getCheckout/response/200/status is kept",
    )


def test_each_id_is_there_once_and_in_the_list() -> None:
    """
    constraints.txt says what the description demands; `nox -s coverage -- --accept` writes it.
    """
    names = [atom.id for atom in atoms(description())]
    assert len(names) == len(set(names))
    assert listed(atoms(description())) == LEDGER_FILE.read_text(encoding="utf-8")


def test_every_constraint_of_a_request_is_counted() -> None:
    """
    What the suite tries is what the coverage asks evidence of.
    """
    counted = {atom.id for atom in atoms(description())}
    tried = {one.id for operation in description().operations.values() for one in constraints(description(), operation)}
    assert tried <= counted


def test_every_enum_member_is_counted_by_itself() -> None:
    """
    Eight statuses are eight things to see.
    """
    prefix = "getCheckout/response/200/body/status/enum/"
    members = [atom.id.removeprefix(prefix) for atom in atoms(description()) if atom.id.startswith(prefix)]
    assert members == description().at("#/components/schemas/CheckoutStatus/enum")


def test_waivers_say_why() -> None:
    """
    Every entry of unreachable.toml has a reason in words.
    """
    assert all(waiver.why.endswith(".") and waiver.patterns for waiver in read_waivers())


def test_nothing_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Of what can be reached the recordings show everything: exit 0, and the figure comes last.
    """
    assert measure.main([]) == 0, capsys.readouterr().out
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("coverage: requests 100.0 % kept, 100.0 % refused; answers 100.0 %; rules 100.0 %")


def test_a_missing_recording_is_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without the recordings of refunds their constraints have no evidence: exit 1, and each is named.
    """
    for path in CASSETTES.rglob("*.yaml"):
        if path.parent.name != "test_refund":
            target = tmp_path / path.relative_to(CASSETTES)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    assert measure.main([], cassettes=tmp_path) == 1
    out = capsys.readouterr().out
    assert "no evidence that it is refused: refundCheckout/request/body/amount/pattern" in out


def test_no_recordings_at_all_is_no_measurement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    An empty folder is told in one line: exit 2.
    """
    assert measure.main([], cassettes=tmp_path) == 2
    assert capsys.readouterr().err == f"coverage: {tmp_path / SANDBOX}: no cassette in there\n"


def changed(changes: Mapping[str, Any]) -> Description:
    """The description with other values at some pointers."""
    by = description()
    for pointer, value in changes.items():
        by = description_mutants.Change(pointer, "changed", value).made(by)
    return by


def test_a_new_constraint_asks_for_evidence() -> None:
    """
    A field that is added to a request and an answer is missing evidence from then on.
    """
    schema = {"type": "string", "enum": ["a", "b"], "maxLength": 3}
    by = changed(
        {
            "#/components/schemas/CreateCheckoutRequest/properties/colour": schema,
            "#/components/schemas/Checkout/properties/colour": schema,
        }
    )
    found = covered(by, from_cassettes(CASSETTES))
    missing = {one.constraint.id for one in found.missing if "colour" in one.constraint.id}
    assert {
        "createCheckout/request/body/colour/enum",
        "createCheckout/request/body/colour/enum/a",
        "createCheckout/request/body/colour/enum/b",
        "createCheckout/request/body/colour/maxLength",
        "createCheckout/request/body/colour/type",
        "getCheckout/response/200/body/colour/enum/b",
    } <= missing


def test_some_changes_of_the_description_are_all_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A drawn sample of single changes: none of them goes unnoticed.
    """
    assert description_mutants.main(["--sample", "4", "--seed", "5"]) == 0, capsys.readouterr().out
    assert "4 of 4 changes noticed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("#/components/schemas/CreateCheckoutRequest/properties/amount/pattern", r"^\d+(\.\d{1,3})?$"),
        ("#/components/schemas/CreateCheckoutRequest/properties/description/maxLength", 501),
        ("#/components/parameters/PageSize/schema/maximum", 50),
        ("#/components/schemas/Checkout/properties/id/pattern", "^[0-9a-f]{23}$"),
        ("#/components/schemas/CheckoutStatus/enum", ["ACTIVE", "COMPLETED"]),
        ("#/components/schemas/RefundStatus/enum", ["PENDING", "COMPLETED", "FAILED", "CANCELED"]),
        ("#/components/schemas/Checkout/properties/createdAt/format", "uri"),
    ],
)
def test_traffic_alone_tells_a_change_that_matters(pointer: str, value: object) -> None:
    """
    A bound, pattern, enum or format that the recordings contradict is noticed without the list of constraints.
    """
    assert description_mutants.noticed(description_mutants.Change(pointer, "changed", value)) == "traffic"


def test_a_change_that_changes_nothing_is_not_noticed() -> None:
    """
    The same value again is no difference: the detector itself raises no alarm.
    """
    pointer = "#/components/schemas/Checkout/properties/id/pattern"
    same = description_mutants.Change(pointer, "as it is", description().at(pointer))
    assert description_mutants.noticed(same) == ""
