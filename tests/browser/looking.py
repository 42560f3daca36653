"""What tests of pages look for: what can be seen, and what axe complains of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

AXE = Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document.querySelector("dialog[open]") || document, {resultTypes: ["violations"]}).then(
  found => done(found.violations.map(one => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 120)])), done);
"""
SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility()).length"


def shown(browser: Any, selector: str) -> int:
    """How many elements can be seen."""
    found: int = browser.execute_script(SHOWN, selector)
    return found


def choose(browser: Any, name: str, value: str) -> None:
    """Set a field of the filter, as a person does."""
    field = browser.find_element(By.NAME, name)
    field.clear() if field.tag_name == "input" else None
    field.send_keys(value)


def clear(browser: Any) -> None:
    """Empty the filter; everything is there again."""
    browser.find_element(By.CSS_SELECTOR, "#filter button").click()
    WebDriverWait(browser, 10, poll_frequency=0.05).until(lambda _: not shown(browser, "#found:not(:empty)"))


def violations(browser: Any) -> list[Any]:
    """What axe finds wrong with the page as it is now, or with the dialog that is open."""
    browser.set_script_timeout(120)
    browser.execute_script(AXE)
    found: list[Any] = browser.execute_async_script(RUN_AXE)
    return found
