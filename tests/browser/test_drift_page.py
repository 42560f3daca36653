"""The page of a comparison in a real browser: from a file, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

import json
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from coinbase_checkouts_conformance.drift.cli import main

from ..conformance.drift.descriptions import at, description
from .conftest import see
from .looking import choose, clear, shown, violations

HOSTILE = "</pre><script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page about changes of every class, with markup in names, prose and values."""
    folder = tmp_path_factory.mktemp("drift")
    changed = description()
    schemas = changed["components"]["schemas"]
    schemas["Status"]["enum"].append(HOSTILE)
    schemas["Order"]["required"].remove("total")
    schemas["Order"]["properties"][HOSTILE] = {"type": "string", "description": HOSTILE}
    schemas["NewOrder"]["properties"]["note"]["description"] = f"By default 24 hours. {HOSTILE} {'long' * 200}"
    schemas["NewOrder"]["properties"]["total"]["example"] = HOSTILE
    at(changed, "paths /orders get")["operationId"] = HOSTILE
    changed["paths"]["/" + "very" * 60] = {"get": {"operationId": f"{HOSTILE} 2", "responses": {}}}
    at(changed, "webhooks order.paid post requestBody content application/json schema properties")["ref"] = {}
    sides = [folder / "base.json", folder / f"{'<b>revision' * 9}.json"]
    for side, data in zip(sides, (description(), changed), strict=True):
        side.write_text(json.dumps(data, indent=2))
    output = folder / "drift.html"
    assert 1 == main([*map(str, sides), "--format", "html", "--output", str(output)])
    return output.as_uri()


@pytest.fixture
def drift(browser: Any, page: str) -> Any:
    """The browser, with the page open in it."""
    browser.get(page)
    return browser


def test_it_opens_from_a_file_and_asks_nobody(drift: Any) -> None:
    """
    Opened from a disk it loads nothing else, complains of nothing, and runs nothing that a description says.
    """
    drift.execute_script(OPEN_ALL)
    assert [] == drift.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [] == drift.get_log("browser")
    assert drift.title.startswith("Drift: ")
    assert [] == drift.find_elements(By.CSS_SELECTOR, "img, main script")
    assert HOSTILE in drift.find_element(By.ID, "differences").text


def test_both_sides_are_beside_each_other(drift: Any) -> None:
    """
    A difference shows the lines of both sides with their numbers; what is gone or new has a sign, not just a colour.
    """
    row = drift.find_element(By.CSS_SELECTOR, ".row[data-c=potential]")
    row.find_element(By.TAG_NAME, "summary").click() if row.get_attribute("open") is None else None
    base, revision = row.find_elements(By.TAG_NAME, "pre")
    assert '"GONE"' in base.text
    (new,) = [line for line in revision.find_elements(By.CSS_SELECTOR, ".l.new") if "script" in line.text]
    number, mark, text = new.text.split("\n") if "\n" in new.text else new.text.split(maxsplit=2)
    assert number.isdecimal()
    assert "+" == mark
    assert json.dumps(HOSTILE)[:20] in text
    assert base.location["y"] == revision.location["y"]
    see(drift, width=360, dark=False)
    assert base.location["y"] < revision.location["y"]


def test_the_filter_finds(drift: Any) -> None:
    """
    Text, class, direction and operation narrow what is shown; it says how much is left, and clearing brings all back.
    """
    every = shown(drift, ".row")
    choose(drift, "severity", "breaking")
    assert {"breaking"} == {row.get_attribute("data-c") for row in drift.find_elements(By.CSS_SELECTOR, ".row") if row.is_displayed()}  # fmt: skip
    assert shown(drift, "section.class") == 1
    assert f"of {every} differences" in drift.find_element(By.ID, "found").text
    clear(drift)
    choose(drift, "direction", "what we are sent")
    assert 0 < shown(drift, ".row") < every
    clear(drift)
    choose(drift, "operation", "getOrder")
    assert 0 < shown(drift, ".row") < every
    clear(drift)
    choose(drift, "text", "no such thing")
    assert 0 == shown(drift, ".row")
    clear(drift)
    assert every == shown(drift, ".row")


def test_it_can_be_read_without_javascript(browser: Any, page: str) -> None:
    """
    Without a script everything can be read; there is no filter that does nothing.
    """
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page)
    assert not browser.find_element(By.ID, "filter").is_displayed()
    folded = browser.find_element(By.CSS_SELECTOR, ".row:not([open])")
    folded.find_element(By.TAG_NAME, "summary").click()
    assert folded.find_element(By.CSS_SELECTOR, ".inside").is_displayed()


@pytest.mark.parametrize("width", [320, 360, 1100])
def test_nothing_is_wider_than_the_window(drift: Any, width: int) -> None:
    """
    With everything unfolded there is no scrolling sideways.
    """
    see(drift, width=width, dark=False)
    drift.execute_script(OPEN_ALL)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert 0 == drift.execute_script(wide)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
def test_it_is_accessible(drift: Any, width: int, dark: bool) -> None:
    """
    axe finds no violation, folded and unfolded.
    """
    see(drift, width=width, dark=dark)
    for step in ("", OPEN_ALL):
        drift.execute_script(step)
        assert [] == violations(drift)
