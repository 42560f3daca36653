"""The table of facts: description, published documents and traffic side by side, with a verdict each."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.drift.cli import main
from coinbase_checkouts_conformance.drift.document import Document
from coinbase_checkouts_conformance.drift.facts import (
    GENERATIONS,
    PROSE_FILE,
    Fact,
    Loaded,
    Verdict,
    as_markdown,
    facts,
    looked_at,
    read,
)
from coinbase_checkouts_conformance.drift.facts_probes import PROBES
from coinbase_checkouts_conformance.drift.fetching import Fetcher, cache_folder
from coinbase_checkouts_conformance.drift.reading import read as read_description
from coinbase_checkouts_conformance.drift.sources import Sources
from coinbase_checkouts_conformance.traffic import Recorded, from_har
from tests.conformance.conversations import ID, ROOT, checkout, refund
from tests.conftest import ROOT as REPOSITORY

from .observed import Json, entry, har

GET = f"{ROOT}/{ID}"
PROSE = tomllib.loads(PROSE_FILE.read_text(encoding="utf-8"))["fact"]
AGREE, DESCRIPTION_STALE, DOCUMENTS_STALE, SERVICE_DEVIATES, UNKNOWN = Verdict


def values(*names: str) -> frozenset[str]:
    return frozenset(names)


def told(
    folder: Path, entries: Sequence[Json], *, provenance: str = "live", described: Document | None = None
) -> Mapping[str, Fact]:
    """The facts when *entries* were recorded from a service, by name."""
    sources = Sources(Fetcher(cache_folder()))
    described = described or sources.open("spec")
    generations = {number: sources.open(f"generation:{number}") for number in GENERATIONS}
    conversation = from_har(har(folder / "a.har", *entries), standing=provenance)
    exchanges: list[Recorded] = list(conversation)
    observed = looked_at(described, [conversation])
    traffic = {provenance: (observed, exchanges)} if exchanges else {}
    return {one.name: one for one in facts(Loaded(described, generations, PROSE, traffic, looked_at(described, [])))}


def test_agree(tmp_path: Path) -> None:
    """
    What is described, published and observed alike agrees.
    """
    found = told(tmp_path, [entry("GET", GET, checkout()), entry("GET", ROOT, {"checkouts": []})])
    for name in ("CheckoutStatus values", "Checkout fields", "Checkout required", "getCheckout success"):
        assert AGREE is found[name].verdict, name


def test_description_stale(tmp_path: Path) -> None:
    """
    What a document has, and the service too, and the description has not, makes the description stale.
    """
    document = json.loads(json.dumps(description().document))
    document["components"]["schemas"]["CheckoutStatus"]["enum"].remove("REFUNDED")
    described = read_description("spec", json.dumps(document).encode())
    assert DESCRIPTION_STALE is told(tmp_path, [], described=described)["CheckoutStatus values"].verdict
    found = told(tmp_path, [entry("GET", GET, checkout("REFUNDED"))], described=described)
    assert DESCRIPTION_STALE is found["CheckoutStatus values"].verdict


def test_documents_stale(tmp_path: Path) -> None:
    """
    What the description has and the service did, and no document has, makes the documents stale.
    """
    assert UNKNOWN is told(tmp_path, [])["createCheckout success"].verdict
    found = told(tmp_path, [entry("POST", ROOT, checkout(), status=200, sent={"amount": "2.00", "currency": "USDC"})])
    assert DOCUMENTS_STALE is found["createCheckout success"].verdict
    # Their pages disagree, and the description follows the newest.
    assert DOCUMENTS_STALE is found["statuses of a checkout with a transactionHash"].verdict


def test_service_deviates(tmp_path: Path) -> None:
    """
    What a service did that neither description nor documents have is its own: values, fields, statuses, what is missing.
    """
    strange = {**checkout("ON_HOLD"), "riskScore": 7}
    del strange["url"]
    error = {"errorType": "gone", "errorMessage": "no"}
    entries = [entry("GET", GET, strange), entry("GET", GET, error, status=410), entry("GET", ROOT, {}, status=202)]
    found = told(tmp_path, entries)
    deviating = {
        "CheckoutStatus values",
        "Checkout fields",
        "Checkout required",
        "getCheckout errors",
        "listCheckouts success",
    }
    assert deviating == {name for name, one in found.items() if one.verdict is SERVICE_DEVIATES}
    assert "live: `ON_HOLD`" in found["CheckoutStatus values"].traffic.replace("none, and ", "")
    assert "live: without `url`" == found["Checkout required"].traffic


def test_unknown(tmp_path: Path) -> None:
    """
    What the documents leave open is unknown until a service was observed.
    """
    name = "lifetime of a checkout without expiresAt"
    assert UNKNOWN is told(tmp_path, [])[name].verdict

    def lived(minutes: float) -> Verdict:
        sent = {"amount": "2.00", "currency": "USDC"}
        answer = checkout(
            createdAt="2026-11-20T10:00:00.250Z",
            expiresAt=f"2026-11-20T{10 + int(minutes // 60):02}:{int(minutes % 60):02}:00Z",
        )
        return told(tmp_path, [entry("POST", ROOT, answer, status=201, sent=sent)])[name].verdict

    assert [UNKNOWN, SERVICE_DEVIATES] == [lived(60), lived(150)]


@pytest.mark.parametrize("status", ["ON_HOLD", "REFUNDED"])
def test_a_sandbox_is_no_service(status: str, tmp_path: Path) -> None:
    """
    Whatever a sandbox does, the verdicts stay what they are without it, and the table says whose it is.
    """
    strange = {**checkout(status), "riskScore": 7}
    del strange["url"]
    entries = [
        entry("GET", GET, strange),
        entry("POST", ROOT, checkout(), status=200, sent={}),
        entry("GET", GET, {}, status=410),
    ]
    without = {name: one.verdict for name, one in told(tmp_path, []).items()}
    with_it = told(tmp_path, entries, provenance="sandbox")
    assert without == {name: one.verdict for name, one in with_it.items()}
    assert "sandbox only:" in with_it["CheckoutStatus values"].traffic


SETS = st.frozensets(st.sampled_from("abcd"))
SAID = st.dictionaries(st.sampled_from(["1", "2", "3"]), SETS, max_size=3)


@given(SETS, SAID, SETS, st.fixed_dictionaries({"weak": SETS, "is_history": st.booleans(), "is_demand": st.booleans()}))
def test_a_sandbox_never_decides(
    described: frozenset[str], published: dict[str, frozenset[str]], came: frozenset[str], more: dict[str, Any]
) -> None:
    """
    No evidence of a sandbox changes a verdict; without other evidence no service deviates.
    """
    alone = Fact("a", described, published, **more)
    assert alone.verdict is Fact("a", described, published, observed={"sandbox": came}, **more).verdict
    assert SERVICE_DEVIATES is not alone.verdict
    live = Fact("a", described, published, observed={"live": came, "sandbox": frozenset("x")}, **more)
    deviates = not (described <= came if more["is_demand"] else came <= described)
    assert not deviates or live.verdict in (SERVICE_DEVIATES, DESCRIPTION_STALE)


@pytest.mark.parametrize(
    ("described", "published", "observed", "weak", "expected"),
    [
        ("ab", ["ab"], None, "", AGREE),
        ("ab", ["a", "ab"], None, "", AGREE),
        ("ab", [], None, "", UNKNOWN),
        ("ab", [], "a", "", AGREE),
        ("ab", ["abc"], None, "", DESCRIPTION_STALE),
        ("ab", ["a"], None, "", DOCUMENTS_STALE),
        ("ab", ["a"], None, "b", UNKNOWN),
        ("ab", ["ab", "a"], None, "", UNKNOWN),
        ("ab", ["a"], "b", "b", DOCUMENTS_STALE),
        ("ab", ["ab"], "c", "", SERVICE_DEVIATES),
        ("ab", ["abc"], "c", "", DESCRIPTION_STALE),
        ("ab", [], "c", "", SERVICE_DEVIATES),
    ],
)
def test_verdicts(described: str, published: list[str], observed: str | None, weak: str, expected: Verdict) -> None:
    """
    The verdict of each combination.
    """
    said = {str(number): frozenset(one) for number, one in enumerate(published)}
    came = {} if observed is None else {"live": frozenset(observed)}
    assert expected is Fact("a", frozenset(described), said, observed=came, weak=frozenset(weak)).verdict


def test_pages_that_disagree() -> None:
    """
    Among pages that are all still published, an older one that says otherwise is stale.
    """
    pages = {"old": values("a"), "new": values("a", "b")}
    assert DOCUMENTS_STALE is Fact("a", values("a", "b"), pages, is_history=False).verdict


def test_prose_is_anchored() -> None:
    """
    Each fact that only words say is about a rule or a place of the description, and names documents and probes there are.
    """
    by = description()
    for one in PROSE:
        assert by.at(by.pointer(one["about"])), one["what"]
        assert set() == set(one["says"]) - set(by.document["x-documents"]), one["what"]
        assert one.get("probe", "times") in PROBES, one["what"]
    assert set(PROBES) == {one["probe"] for one in PROSE if "probe" in one}


def test_probes(tmp_path: Path) -> None:
    """
    What traffic shows of facts that only words say.
    """
    sent = {"amount": "2.00", "currency": "EUR"}
    known = {"errorType": "not_found", "errorMessage": "no"}
    used = {"errorType": "idempotency_error", "errorMessage": "no"}
    paid = checkout("PARTIALLY_REFUNDED", refunds=[refund("0.50"), refund("0.25")], refundedAmount="0.75")
    found = told(
        tmp_path,
        [
            entry("POST", ROOT, checkout(), status=201, sent=sent),
            entry("POST", ROOT, used, status=409, sent=sent),
            entry("GET", GET, known, status=404),
            entry("GET", GET, {"errors": []}, status=429, headers={"Retry-After": "1"}),
            entry("POST", f"{GET}/refund", {"checkout": paid, "refund": refund("0.25")}),
            entry("POST", f"{GET}/deactivate", checkout("DEACTIVATED")),
            entry("POST", ROOT, [], status=201, sent=[]),
        ],
    )
    expected = {
        "lifetime of a checkout without expiresAt": "1 hour",
        "currencies of a new checkout": "EUR",
        "network of a new checkout that names none": "base",
        "status of the answer for a key that was used with another request": "409",
        "status of the answer for a checkout that does not exist": "404",
        "header that says when to try again after a 429": "retry-after",
        "what the answer to a refund has": "checkout, refund",
        "how a checkout may be refunded": "in several parts",
        "statuses of a checkout with a transactionHash": "PARTIALLY_REFUNDED",
        "status of a deactivated checkout in the answer": "DEACTIVATED",
        "how exact the times of answers are": "whole seconds",
    }
    assert {name: values(value) for name, value in expected.items()} == {
        name: found[name].observed["live"] for name in expected
    }


def test_the_shipped_table_is_in_step() -> None:
    """
    conformance/FACTS.md is what the command writes; if not, write it anew.
    """
    found = read([CASSETTES], [])
    assert (REPOSITORY / "conformance" / "FACTS.md").read_text(encoding="utf-8") == as_markdown(found)
    assert not [one.name for one in found if one.verdict in (DESCRIPTION_STALE, SERVICE_DEVIATES)]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The command writes Markdown or JSON; traffic that cannot be read is told in one line, and exit 2.
    """
    path = har(tmp_path / "a.har", entry("GET", GET, checkout("ON_HOLD")))
    assert 0 == main(
        ["facts", "--cassettes", str(CASSETTES / "sandbox" / "test_get"), "--har", str(path), "--format", "json"]
    )
    document = json.loads(capsys.readouterr().out)
    [status] = [one for one in document["facts"] if one["fact"] == "CheckoutStatus values"]
    assert ("service deviates", ["ON_HOLD"]) == (status["verdict"], status["observed"]["har"])
    assert 2 == main(["facts", "--har", str(tmp_path / "none.har")])
    assert 1 == capsys.readouterr().err.count("\n")
