"""The page of a comparison, as text: what it shows of both descriptions, that all is escaped, and how long it gets."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest
import yaml

from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.excerpts import beside
from coinbase_checkouts_conformance.drift.reading import read
from coinbase_checkouts_conformance.drift.reports import FORMATS, Result
from coinbase_checkouts_conformance.drift.verdicts import Severity

from .descriptions import Json, at, description
from .test_battery import CASES, Edit


def result(base: str, revision: str) -> Result:
    sides = read("base", base.encode()), read("revision", revision.encode())
    return Result("base", "revision", tuple(compare(*sides)), Severity.POTENTIAL, sides=sides)


def as_yaml(data: Json) -> str:
    return yaml.safe_dump(data, sort_keys=False, width=10_000)


def signed(base: str, revision: str) -> tuple[list[str], list[str]]:
    """The lines of both excerpts of the worst difference that have a sign."""
    found = result(base, revision)
    one = found.differences[0]
    left, right = beside(one, found.sides[0].text, found.sides[1].text)
    before, after = (
        [f"{line.sign} {line.text.strip()}" for line in side if line.sign in "+-"] for side in (left, right)
    )
    return before, after


@pytest.mark.parametrize("written", [as_yaml, partial(json.dumps, indent=2)], ids=["yaml", "json"])
def test_only_what_changed_has_a_sign(written: Any) -> None:
    """Of a list, the new element; of what is gone, all its lines; of a number, both lines."""
    changed = description()
    at(changed, "components schemas Status")["enum"].append("LATE")
    before, after = signed(written(description()), written(changed))
    assert ([], ["LATE"]) == (before, [re.sub("[^A-Z]", "", line) for line in after])

    changed = description()
    del at(changed, "paths /orders get parameters")[2]
    before, after = signed(written(description()), written(changed))
    assert any("size" in line for line in before)
    assert [] == after

    changed = description()
    at(changed, "components schemas NewOrder properties count")["maximum"] = 5
    before, after = signed(written(description()), written(changed))
    assert (["9"], ["5"]) == tuple([re.sub("[^0-9]", "", line) for line in side] for side in (before, after))


@pytest.mark.parametrize("edit", [case[1] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("width", [None, 2], ids=["one line", "indented"])
def test_every_line_is_that_of_its_number(edit: Edit, width: int | None) -> None:
    """Whatever changed, an excerpt says of each line what stands there, and has few."""
    changed = description()
    edit(changed)
    found = result(json.dumps(description(), indent=width), json.dumps(changed, indent=width))
    for one in found.differences:
        for lines, side in zip(beside(one, found.sides[0].text, found.sides[1].text), found.sides, strict=True):
            assert len(lines) < 40
            for line in lines:
                assert not line.number or side.text[line.number - 1][:150].startswith(line.text[:150])
            numbers = [line.number for line in lines if line.number]
            assert numbers == sorted(set(numbers))
    assert "<main" in FORMATS["html"](found)


def test_what_one_side_lacks_has_the_line_above_it() -> None:
    """Of a keyword that is gone, the revision shows the schema that it is gone from, and marks nothing there."""
    changed = description()
    del changed["components"]["schemas"]["Order"]["properties"]["id"]["pattern"]
    found = result(as_yaml(description()), as_yaml(changed))
    (one,) = found.differences
    assert "id:" in found.sides[1].text[(one.revision.line or 0) - 1]
    before, after = signed(as_yaml(description()), as_yaml(changed))
    assert (["- pattern: ^[0-9a-f]{24}$"], []) == (before, after)


def test_lines_end_as_their_format_says() -> None:
    """A line of YAML ends where YAML says so, also in the middle of prose."""
    prose = "one\u2028two"
    text = f"openapi: 3.1.0\ninfo:\n  title: '{prose}'\n  version: '1'\npaths: {{}}\n"
    side = read("a", text.encode())
    assert "version: '1'" in side.text[(side.line("#/info/version") or 0) - 1]


def test_nothing_of_a_description_is_markup() -> None:
    """Names, values, prose and names of files are text, wherever they stand on the page."""
    bad = "\"'><script>x</script><img src=x onerror=x></pre></details>"
    changed = description()
    changed["components"]["schemas"]["Status"]["enum"] = [bad]
    changed["components"]["schemas"]["Order"]["properties"][bad] = {"description": bad, "enum": [bad]}
    changed["paths"][f"/{bad}"] = {
        "get": {"operationId": bad, "summary": bad, "responses": {bad: {"description": bad}}}
    }
    at(changed, "paths /orders get")["operationId"] = bad
    found = result(as_yaml(description()), as_yaml(changed))
    found = Result(bad, bad, found.differences, Severity.POTENTIAL, notes=(bad,), sides=found.sides)
    page = FORMATS["html"](found)
    # The one script of the page, and signs and titles of ours.
    assert 1 == page.lower().count("<script")
    assert "<img" not in page
    assert page.count("<details") == page.count("</details>") == len(found.differences)
    assert page.count("<pre") == page.count("</pre>")
    assert "onerror=x&gt;" in page


def test_a_page_about_thousands_of_changes_is_bounded() -> None:
    """The worst come first, and what is left out is said; the page stays below 4 MB."""
    base, revision = description(), description()
    for number in range(4000):
        for data, words in ((base, "Old."), (revision, "New.")):
            data["components"]["schemas"]["Order"]["properties"][f"f{number}"] = {
                "type": "string",
                "description": f"{words} {number} {'x' * 2000}",
            }
    at(revision, "components schemas Status")["enum"].append("LATE")
    page = FORMATS["html"](result(json.dumps(base, indent=1), json.dumps(revision, indent=1)))
    assert len(page) < 4_000_000
    assert "new value LATE" in page
    assert "more are left out here" in page
