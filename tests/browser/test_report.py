"""The report in a real browser: from a file, by mouse and keyboard, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from coinbase_checkouts_conformance.reports import write_reports

from ..conformance.runs import hostile_run
from .conftest import see
from .looking import AXE, choose, clear, shown, violations

# One of each kind, for axe looks at every element.
OPEN_SOME = "document.querySelectorAll('.group:nth-of-type(3n), .list > :first-child, .list > :first-child .x').forEach(one => { one.open = true; })"
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"


def test_axe_is_as_it_was_released() -> None:
    """
    The script has the sum that UPSTREAM.toml names.
    """
    upstream = tomllib.loads(Path(__file__).with_name("UPSTREAM.toml").read_text(encoding="utf-8"))
    assert upstream["axe"]["sha256"] == sha256(AXE.encode()).hexdigest()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report on a hostile server."""
    folder = tmp_path_factory.mktemp("report")
    write_reports(folder, hostile_run())
    return (folder / "report.html").as_uri()


@pytest.fixture
def report(browser: Any, page: str) -> Any:
    """The browser, with the report open in it."""
    browser.get(page)
    return browser


def test_it_opens_from_a_file_and_asks_nobody(report: Any) -> None:
    """
    Opened from a disk it loads nothing else, complains of nothing, and runs nothing a server said.
    """
    report.execute_script(OPEN_ALL)
    assert [] == report.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [] == report.get_log("browser")
    assert "claims hold" in report.title
    assert [] == report.find_elements(By.CSS_SELECTOR, "img, main script, dialog script")


def test_a_cell_opens_its_evidence(report: Any) -> None:
    """
    Enter on a cell shows request, answer and source; Escape closes, and the cell has the focus again.
    """
    report.find_elements(By.CSS_SELECTOR, ".group > summary")[0].click()
    cell = report.find_element(By.CSS_SELECTOR, ".group[open] a.cell.pass, .group[open] a.cell.part")
    report.execute_script("arguments[0].focus()", cell)
    report.switch_to.active_element.send_keys(Keys.ENTER)
    dialog = report.find_element(By.ID, "evidence")
    assert dialog.is_displayed()
    for words in ("GET /api/v1/checkouts/", "Source: ", '"id": "68f7a946db0529ea9b6d3a12"', "1 live", "sandbox"):
        assert words in dialog.text
    report.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert cell == report.switch_to.active_element


def test_every_cell_can_be_opened(report: Any) -> None:
    """
    No cell of the matrix leads nowhere, and none makes the script stumble.
    """
    opened = report.execute_script(
        "let n = 0; const dialog = document.getElementById('evidence');"
        "for (const cell of document.querySelectorAll('a.cell')) { cell.click(); n += dialog.open; dialog.close(); } return n"
    )
    assert opened == len(report.find_elements(By.CSS_SELECTOR, "a.cell")) > 500
    assert [] == report.get_log("browser")


def test_arrows_walk_through_the_matrix(report: Any) -> None:
    """
    From a cell the arrows lead to its neighbours.
    """
    report.execute_script(OPEN_ALL)
    first, below = report.execute_script(
        "const rows = [...document.querySelectorAll('.group table')].find(one => one.querySelectorAll('tr:nth-child(2) a').length > 2)"
        ".querySelectorAll('tbody tr'); rows[0].querySelector('a').focus();"
        "return [rows[0].querySelectorAll('a')[1], rows[1].querySelectorAll('a')[1]]"
    )
    report.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert first == report.switch_to.active_element
    report.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert below == report.switch_to.active_element


def test_the_filter_finds(report: Any) -> None:
    """
    Text, outcome, operation and standing narrow what is shown; it says how much is left, and clearing brings all back.
    """
    every = shown(report, ".claim")
    choose(report, "text", "pattern amount")
    assert 0 < shown(report, ".claim") < every
    assert 0 < shown(report, "tr.row") < 30
    assert "constraints, claims and gaps" in report.find_element(By.ID, "found").text
    choose(report, "text", "no such thing")
    assert (0, 0) == (shown(report, ".claim"), shown(report, "tr.row"))
    clear(report)
    choose(report, "state", "warn")
    assert shown(report, ".claim") == 1
    clear(report)
    choose(report, "operation", "getCheckout")
    choose(report, "standing", "live")
    cells = report.execute_script(
        "return [...document.querySelectorAll('tr.row:not([hidden]) a.cell[data-o=getCheckout]')].map(one => one.dataset.p)"
    )
    assert cells
    assert all("live" in standings for standings in cells)
    clear(report)
    assert every == shown(report, ".claim")


def test_it_can_be_read_without_javascript(browser: Any, page: str) -> None:
    """
    Without a script everything can be read and a cell leads to its evidence; there is no filter that does nothing.
    """
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page)
    assert not browser.find_element(By.ID, "filter").is_displayed()
    browser.find_elements(By.CSS_SELECTOR, ".group > summary")[0].click()
    cell = browser.find_element(By.CSS_SELECTOR, ".group[open] a.cell.pass, .group[open] a.cell.part")
    target = cell.get_attribute("href").partition("#")[2]
    cell.click()
    assert browser.find_element(By.CSS_SELECTOR, f"#{target} > summary").is_displayed()


@pytest.mark.parametrize("width", [320, 360, 1100])
def test_nothing_is_wider_than_the_window(report: Any, width: int) -> None:
    """
    With everything unfolded, and with a cell's evidence open, there is no scrolling sideways.
    """
    see(report, width=width, dark=False)
    report.execute_script(OPEN_ALL)
    report.execute_script("document.querySelector('a.cell').click()")
    wide = "return [document.documentElement, document.getElementById('evidence')].map(one => one.scrollWidth - one.clientWidth)"
    assert [0, 0] == report.execute_script(wide)


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1100, False)], ids=["narrow-dark", "wide-light"])
def test_it_is_accessible(report: Any, width: int, dark: bool) -> None:
    """
    axe finds no violation: folded, unfolded, and with a cell's evidence open.
    """
    see(report, width=width, dark=dark)
    for step in ("", OPEN_SOME, "document.querySelector('a.cell').click()"):
        report.execute_script(step)
        assert [] == violations(report)
