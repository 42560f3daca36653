"""`explain` knows every code there is, and what stands behind it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from coinbase_checkouts_conformance import cli
from coinbase_checkouts_conformance.claims import read_claims
from coinbase_checkouts_conformance.coverage import atoms
from coinbase_checkouts_conformance.description import description, escaped
from coinbase_checkouts_conformance.explain import explained
from coinbase_checkouts_conformance.invariants import INVARIANTS


def told(capsys: pytest.CaptureFixture[str], *codes: str) -> tuple[int, str, str]:
    code = cli.main(["explain", *codes])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("one", read_claims(), ids=lambda one: one.id)
def test_every_claim_can_be_explained(one: Any) -> None:
    """
    Sentence, what it proves, source with its standing, test and evidence of each claim are there.
    """
    lines = explained(one.id)
    titles = {line[2:16].strip() for line in lines[1:]}
    assert {"claim", "proves", "source", "standing", "operations", "test", "evidence", "run it"} <= titles
    assert "not recorded" not in "\n".join(lines)


def test_every_rule_and_constraint_can_be_explained() -> None:
    """
    Each x-rule and each constraint that coverage knows has an explanation, with the line it stands on.
    """
    for code in [*description().rules, *(atom.id for atom in atoms(description()))]:
        assert "of openapi.json" in " ".join(" ".join(explained(code)).split()), code


def test_every_invariant_can_be_explained() -> None:
    """
    Each has its sentence, and the rules it follows from.
    """
    for code, one in INVARIANTS.items():
        text = " ".join(" ".join(explained(code)).split())
        assert one.sentence in text, code
        assert "follows from" in text, code


def test_a_claim_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """
    What a person reads of one: the document with its address, the cassette, and how to run it alone.
    """
    code, out, err = told(capsys, "create.amount-pattern")
    assert (0, "") == (code, err)
    assert "The field amount of createCheckout matches" in out
    assert "https://docs.cdp.coinbase.com/api-reference/business-api/rest-api/checkouts/create-checkout" in out
    assert "test_create/test_body-amount-pattern.yaml: " in out
    assert "-k 'create.amount-pattern'" in out


def test_what_the_documents_leave_open_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The comments in a test, which say what passes and why, are part of the explanation.
    """
    assert any("left open" in told(capsys, one.id)[1] for one in read_claims())


@pytest.mark.parametrize("one", sorted({pointer for claim in read_claims() for pointer in claim.proves}))
def test_what_a_failure_calls_its_rule_can_be_explained(one: str) -> None:
    """
    A place in the description is a code, too: what stands there, its source, and the constraints and claims on it.
    """
    lines = "\n".join(explained(one))
    assert all(word in lines for word in (one, "standing", "claims"))


@pytest.mark.parametrize("one", ["#/", "#/nothing", "#/paths/0/x", "#/info/title/0", "rule"])
def test_no_place_cannot_be_explained(one: str) -> None:
    """
    A pointer to nothing is no code.
    """
    assert [] == explained(one)


def test_near_misses_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A code that is not there is an error of the caller, and what it may have meant is named.
    """
    code, out, err = told(capsys, "create.amount-patern")
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert "near it are create.amount-pattern" in err
    code, out, err = told(capsys, "deactivate.stays", "nothing.like-it")
    assert code == 2
    assert out.startswith("deactivate.stays\n")


def test_a_pointer_leads_to_its_line() -> None:
    """
    For every member of the description, the line that is told has its name.
    """
    text = (files("coinbase_checkouts_api") / "openapi.json").read_text(encoding="utf-8").splitlines()

    def walk(node: Any, pointer: str) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ()):
            inner = f"{pointer}/{escaped(str(key))}"
            line = text[description().line(inner) - 1].strip()
            assert not isinstance(node, dict) or line.startswith(f"{json.dumps(key, ensure_ascii=False)}:"), inner
            walk(value, inner)

    walk(description().document["components"]["schemas"]["Checkout"], "#/components/schemas/Checkout")
    walk(description().document["x-documents"], "#/x-documents")
