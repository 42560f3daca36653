"""What people read in a pull request, an issue or a changelog: short enough, well said, and without meaning of its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coinbase_checkouts_conformance.drift.changelog import changelog
from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.reading import read
from coinbase_checkouts_conformance.drift.reports import FILES, FORMATS, LIMIT, Result
from coinbase_checkouts_conformance.drift.verdicts import Severity

from .descriptions import Json, at, description
from .test_generations import between

HOSTILE = "@everyone <img src=x> ![x](https://example.com/x) | `code` [a](b) *b* _c_"


def result(revision: Json) -> Result:
    sides = [read(name, json.dumps(data).encode()) for name, data in (("a", description()), ("b", revision))]
    return Result("a", "b", tuple(compare(*sides)), Severity.POTENTIAL)


@pytest.mark.parametrize(
    ("base", "revision", "line"),
    [
        (1, 2, "- ⚠ `metadata`: maxProperties none → 20 (body of `createCheckout`): what was accepted may now be refused."),
        (1, 2, "- ⚠ `status`: new values REFUNDED, PARTIALLY_REFUNDED (events `checkout.payment.expired`, `checkout.payment.failed` and `checkout.payment.success`; answers of `createCheckout`, `deactivateCheckout`, `getCheckout` and `listCheckouts`): a new enum value in a response breaks exhaustive clients."),
        (1, 2, "- query `status` takes several values now (`listCheckouts`)."),
        (1, 2, "- POST /api/v1/checkouts/{id}/refund is new (`refundCheckout`)."),
        (1, 2, "- `checkout.refund.failed` is new."),
        (1, 2, "- `currency`, in words: “USDC only.” → “USDC, or USD, EUR, SGD or GBP, converted to USDC.”; codes: none → USD, EUR, SGD, GBP (body of `createCheckout`)."),
        (2, 3, "- ⚠ `network` is gone (body of `createCheckout`): who still sends it may be refused, or ignored."),
        (2, 3, "- `expiresAt`, in words: “1 hour” → “24 hours”; numbers: 1 hour → 24 hours (body of `createCheckout`)."),
    ],
)  # fmt: skip
def test_changelog(base: int, revision: int, line: str) -> None:
    """Each change of a thing is one line that people can read, whether it is in answers, events or both."""
    assert line in changelog(between(f"generation:{base}", f"generation:{revision}")).splitlines()


def test_changelog_of_nothing() -> None:
    """A section without a line would look forgotten."""
    assert "### Wire\n\nNothing changed on the wire.\n" == changelog([])
    made = description()
    at(made, "components schemas NewOrder properties total")["example"] = "7"
    assert "### Wire\n\nNothing changed on the wire.\n" == changelog(result(made).differences)


def test_markdown_mentions_nobody() -> None:
    """What a description says is text: no link, no image, no row of its own, and nobody is called."""
    made = description()
    at(made, "components schemas Status")["enum"].append(HOSTILE)
    at(made, "paths /orders get")["operationId"] = HOSTILE
    found = result(made)
    text = FORMATS["markdown"](replace(found, base=HOSTILE))
    for written in (text.partition("\n")[2], changelog(found.differences)):
        assert "@e" not in written
        assert "<img" not in written
        assert "![" not in written
        assert "](" not in written.replace("\\](", "")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {7} == {line.replace("\\|", "").count("|") for line in rows}


def test_markdown_fits_into_a_comment() -> None:
    """GitHub refuses longer ones: the worst is there, and how many are not is said."""
    made = description()
    for number in range(3000):
        at(made, "components schemas Order properties")[f"f{number}"] = {"type": "string"}
    at(made, "components schemas Order")["required"].remove("total")
    text = FORMATS["markdown"](result(made))
    assert len(text) < LIMIT
    assert "#### Breaking (1)" in text
    assert "more do not fit in here" in text
    assert text.endswith("</details>\n")


def test_a_waiver_is_told_in_its_row() -> None:
    """GitHub shows no cell beyond the heading's."""
    made = description()
    at(made, "components schemas Order")["required"].remove("total")
    found = result(made)
    text = FORMATS["markdown"](replace(found, differences=(replace(found.differences[0], waived="known (ana)"),)))
    (row,) = [line for line in text.splitlines() if "waived: known" in line]
    assert 7 == row.count("|")


def test_every_file_of_the_report_is_one_of_the_formats() -> None:
    """Nothing is written that no format makes."""
    assert set(FILES.values()) <= set(FORMATS)
