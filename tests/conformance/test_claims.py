"""Claims, tests and recordings belong together; nothing dangles."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from coinbase_checkouts_conformance.cassettes import CASSETTES, SANDBOX
from coinbase_checkouts_conformance.claims import CLAIMS_FILE, Claim, collected, written
from coinbase_checkouts_conformance.constraints import constraints
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.plugin import tape_name
from coinbase_checkouts_conformance.running import SUITE, run_pytest


class Names:
    """A pytest plugin that keeps the name of every test's recording."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.found = [tape_name(item) for item in items]


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    """Every claim of the suite."""
    return collected()


def test_the_list_of_claims_is_what_the_tests_say(claims: list[Claim]) -> None:
    """
    claims.toml holds every test's claim and no other; `python -m coinbase_checkouts_conformance.claims` writes it.
    """
    assert written(claims) == CLAIMS_FILE.read_text(encoding="utf-8")


def test_the_list_of_claims_can_be_read() -> None:
    """
    claims.toml is TOML, and every claim has an id of its own, a sentence, a source, a standing and a test.
    """
    read = tomllib.loads(CLAIMS_FILE.read_text(encoding="utf-8"))["claim"]
    assert len(read) == len({one["id"] for one in read})
    for one in read:
        assert all(one[name] for name in ("id", "sentence", "source", "standing", "proves", "test"))
        assert one["sentence"].endswith(".")


def test_every_claim_proves_something_that_is_there(claims: list[Claim]) -> None:
    """
    Each pointer of each claim leads somewhere in the description, to a documented or assumed fact.
    """
    for one in claims:
        assert one.proves != ()
        for pointer in one.proves:
            description().at(pointer)
        assert one.source.standing in ("documented", "assumed", "observed")
        assert set(one.source.documents) <= set(description().document["x-documents"])


def test_every_test_has_its_recording_and_every_recording_its_test() -> None:
    """
    There is one cassette for each test of the suite, and no other.
    """
    names = Names()
    run_pytest(["--collect-only"], plugins=[names])
    on_disk = sorted(
        str(path.relative_to(CASSETTES / SANDBOX).with_suffix("")) for path in (CASSETTES / SANDBOX).rglob("*.yaml")
    )
    assert sorted(names.found) == on_disk


def test_every_constraint_of_a_request_has_a_claim(claims: list[Claim]) -> None:
    """
    What the description demands of a request is claimed, keyword by keyword.
    """
    proved = {pointer for one in claims for pointer in one.proves}
    for operation in description().operations.values():
        for constraint in constraints(description(), operation):
            assert constraint.pointer in proved


def test_every_rule_about_a_request_or_a_checkout_has_a_claim(claims: list[Claim]) -> None:
    """
    Every x-rule that can be tried over HTTP is claimed; the others are listed here with the reason.
    """
    not_tried = {
        "rate-limit.per-hour",  # would take ten thousand requests
        "rate-limit.rolling",  # a third party's reading, and no server is asked to enforce it
        "checkout.fulfil",  # about what a client makes of it
        "refund.sandbox-limit",  # about Coinbase's own sandbox; the suite keeps within it
    }
    outside = {name for name in description().rules if name.startswith(("webhook.", "event."))}
    proved = {pointer for one in claims for pointer in one.proves}
    unproved = {name for name, pointer in description().rules.items() if pointer not in proved}
    assert not_tried == unproved - outside


def test_the_suite_never_imports_the_sandbox() -> None:
    """
    Importing the whole suite loads nothing of the server it is tried on.
    """
    modules = [path.stem for path in SUITE.glob("test_*.py")]
    names = ", ".join(f"coinbase_checkouts_conformance.suite.{name}" for name in modules)
    code = f"import sys, {names}, coinbase_checkouts_conformance.cli, coinbase_checkouts_conformance.record\n"
    code += "print([name for name in sys.modules if name.startswith('coinbase_checkouts_sandbox')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path("/"))
    assert done.stdout == "[]\n"
