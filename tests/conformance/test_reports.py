"""The reports say what happened, whatever the server said, and nothing in them comes to life."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from coinbase_checkouts_conformance import replay
from coinbase_checkouts_conformance.judge import FORMATS
from coinbase_checkouts_conformance.outcomes import OUTCOMES
from coinbase_checkouts_conformance.reports import ReportError, Run, write_reports
from coinbase_checkouts_conformance.reports.as_badges import badges
from coinbase_checkouts_conformance.reports.as_html import html
from coinbase_checkouts_conformance.reports.as_json import SCHEMA_FILE, as_json
from coinbase_checkouts_conformance.reports.as_junit import junit
from coinbase_checkouts_conformance.reports.as_markdown import LIMIT, markdown
from coinbase_checkouts_conformance.reports.matrix import groups

from .runs import SECRET, hostile_run

FORMATTERS = (as_json, junit, markdown, html)


@pytest.fixture(scope="module")
def hostile() -> Run:
    """A run in which the server tried everything."""
    return hostile_run()


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of a whole replay."""
    folder = tmp_path_factory.mktemp("reports")
    assert replay.main(["--report-dir", str(folder)]) == 0
    return folder


def validator() -> Any:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FORMATS)


def test_the_json_keeps_its_schema(hostile: Run, replayed: Path) -> None:
    """
    report.json keeps the schema that is written beside it, whatever the server said.
    """
    assert (replayed / "report.schema.json").read_bytes() == SCHEMA_FILE.read_bytes()
    for text in (as_json(hostile), (replayed / "report.json").read_text(encoding="utf-8")):
        report = json.loads(text)
        assert report["$schema"] == "report.schema.json"
        assert [] == [error.message for error in validator().iter_errors(report)]


def test_the_schema_bites() -> None:
    """
    Another outcome, a figure that is no number or a field nobody described breaks the schema.
    """
    report = json.loads(as_json(hostile_run()))
    for path, value in (("outcome", "fine"), ("duration_s", "1"), ("colour", "green")):
        wrong = json.loads(json.dumps(report))
        wrong["claims"][0][path] = value
        assert not validator().is_valid(wrong)


@pytest.mark.parametrize("form", FORMATTERS)
def test_a_report_depends_on_nothing_but_the_run(form: Any) -> None:
    """
    The same run gives the same bytes, in the same order.
    """
    assert form(hostile_run()) == form(hostile_run())


@pytest.mark.parametrize("form", FORMATTERS)
def test_no_secret_is_in_a_report(hostile: Run, form: Any) -> None:
    """
    A token that a server sent back is in none of them.
    """
    assert SECRET not in form(hostile)


def test_every_report_can_be_written(hostile: Run, tmp_path: Path) -> None:
    """
    Half of a surrogate pair, which UTF-8 cannot say, is written as its escape; no scratch file is left.
    """
    write_reports(tmp_path / "new", hostile)
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert ["badges", "junit.xml", "report.html", "report.json", "report.md", "report.schema.json"] == written
    assert json.loads((tmp_path / "new" / "report.json").read_text(encoding="utf-8"))["holds"] is False
    ET.parse(tmp_path / "new" / "junit.xml")


def test_the_junit_file_is_xml(hostile: Run) -> None:
    """
    One test case per claim with its source, counted by outcome, even where the answers had control characters.
    """
    root = ET.fromstring(junit(hostile))
    cases = root.findall("./testsuite/testcase")
    figures = hostile.outcomes.figures
    assert len(hostile.outcomes.by_claim) == len(cases) == int(root.attrib["tests"])
    assert figures["fail"] == int(root.attrib["failures"]) == len(root.findall(".//failure"))
    assert figures["error"] == int(root.attrib["errors"]) == len(root.findall(".//error"))
    assert figures["skipped"] + figures["unknown"] == int(root.attrib["skipped"]) == len(root.findall(".//skipped"))
    assert all(case.find("./properties/property[@name='source']") is not None for case in cases)
    assert len({suite.attrib["name"] for suite in root}) == len(root)


def test_the_markdown_fits_into_a_comment(hostile: Run) -> None:
    """
    With hundreds of failures it stays below what a comment may have, and says what is left out.
    """
    assert len(markdown(hostile)) < LIMIT
    text = markdown(hostile_run(failures=900))
    assert len(text) < LIMIT
    assert "more parts do not fit into a comment" in text
    assert text.startswith("## ❌ Conformance: ")
    assert text.rstrip().endswith("</sub>")


def test_nothing_escapes_from_a_fold_of_the_markdown(hostile: Run) -> None:
    """
    Outside of code blocks there is no markup but the report's own, and every fold that opens closes.
    """
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", markdown(hostile), flags=re.MULTILINE | re.DOTALL)
    assert outside.count("<details>") == outside.count("</details>") > 0
    assert set(re.findall(r"</?([a-z]+)", outside)) == {"details", "summary", "code", "sub"}


class Page(HTMLParser):
    """The tags of a page, and what is in its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in self.inside:
            self.inside[self._within][-1] += data


def test_nothing_a_server_says_comes_to_life_on_the_page(hostile: Run) -> None:
    """
    The page has its own two scripts and no other, loads nothing, and no attribute runs anything.
    """
    page = Page(html(hostile))
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert not any(name.startswith("on") or name == "style" for _, attrs in page.tags for name in attrs)
    assert not any("src" in attrs for _, attrs in page.tags)
    assert {"img", "iframe", "object", "embed", "link", "base"} & {tag for tag, _ in page.tags} == set()
    assert "49" not in [part.strip() for part in re.findall(r"\{\{(.*?)\}\}", html(hostile))]


def test_the_page_runs_its_own_script_only(hostile: Run) -> None:
    """
    Its policy forbids everything but the one style and the one script whose hashes it names.
    """
    page = Page(html(hostile))
    [policy] = [attrs["content"] or "" for _, attrs in page.tags if "Content-Security-Policy" in attrs.values()]
    style, script = page.inside["style"][0], page.inside["script"][-1]
    for kind, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_what_the_page_knows_of_cells_is_json(hostile: Run) -> None:
    """
    The data between its script tags is JSON, and every cell of the matrix has its own.
    """
    text = html(hostile)
    page = Page(text)
    data = json.loads(page.inside["script"][0])
    assert len(data["cells"]) == len(re.findall(r'data-c="\d+"', text)) > 500


def test_a_server_that_sends_megabytes_does_not_blow_up_the_page() -> None:
    """
    Long bodies are cut, with their length, and the page stays below 2 MB.
    """
    text = html(hostile_run(body=b'{"x": "' + b"y" * 1_000_000 + b'"}'))
    assert len(text.encode("utf-8", "replace")) < 2_000_000
    assert "(1000009 bytes)" in text


def test_the_whole_evidence_fits_onto_the_page(replayed: Path) -> None:
    """
    The page of a whole replay has every exchange once, and is below 2 MB.
    """
    text = (replayed / "report.html").read_text(encoding="utf-8")
    report = json.loads((replayed / "report.json").read_text(encoding="utf-8"))
    assert len(text.encode()) < 2_000_000
    numbers = re.findall(r"<details class=x id=x(\d+)>", text)
    assert sorted(map(int, numbers)) == list(range(sum(report["standings"].values())))


def test_every_constraint_is_in_the_matrix_once(hostile: Run) -> None:
    """
    The matrix gathers the rows of coverage and loses none.
    """
    assert hostile.coverage is not None
    rows = [
        row
        for group in groups(hostile.coverage.rows, hostile.outcomes)
        for line in group.lines
        for cell in line.cells.values()
        for row in cell.rows
    ]
    assert sorted(row.constraint.id for row in rows) == sorted(row.constraint.id for row in hostile.coverage.rows)


def test_a_badge_is_what_shields_reads(hostile: Run) -> None:
    """
    Each has the four members of an endpoint badge, and names the standing of its evidence.
    """
    made = {name: json.loads(text) for name, text in badges(hostile).items()}
    assert set(made) == {"conformance", "coverage", "evidence-age"}
    for badge in made.values():
        assert set(badge) == {"schemaVersion", "label", "message", "color"}
        assert "live+sandbox" in badge["message"]
    assert "red" == made["conformance"]["color"]


def test_the_figures_of_all_reports_agree(replayed: Path) -> None:
    """
    One definition: JSON, JUnit, Markdown, page and badge say the same.
    """
    report = json.loads((replayed / "report.json").read_text(encoding="utf-8"))
    claims, share = report["figures"]["claims"], report["figures"]["coverage"]["all"]
    told = f"{claims['held']} of {claims['tried']} claims"
    assert claims["tried"] == sum(claims[name] for name in OUTCOMES) == len(report["claims"])
    assert f"Conformance: {told} hold" in (replayed / "report.md").read_text(encoding="utf-8")
    assert f"{told} hold" in (replayed / "report.html").read_text(encoding="utf-8")
    assert f'"{told}, ' in (replayed / "badges" / "conformance.json").read_text(encoding="utf-8")
    assert f"{share['have']} of {share['of']}" in (replayed / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_written_is_named(hostile: Run, tmp_path: Path) -> None:
    """
    A file that cannot be written is named with the reason on one line; the others are there, and nothing half.
    """
    (tmp_path / "report.html").mkdir()
    (tmp_path / "badges").touch()
    with pytest.raises(ReportError, match=r"report\.html: Is a directory; ") as caught:
        write_reports(tmp_path, hostile)
    assert str(caught.value).count("badges") >= 3
    assert "\n" not in str(caught.value)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["badges", "junit.xml", "report.html", "report.json", "report.md", "report.schema.json"]


def test_a_report_that_cannot_be_written_changes_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The figures are printed, the exit code is the run's, and one line on standard error names the file.
    """
    (tmp_path / "report.md").mkdir()
    assert replay.main(["-k", "list.nothing", "--report-dir", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1].startswith("conformance: 1 of 1 claims hold")
    assert told.err.count("\n") == 1
    assert f"not written: {tmp_path / 'report.md'}: Is a directory" in told.err
