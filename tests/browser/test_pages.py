"""The pages in a real browser: what a payer can do, by hand, by keyboard, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from .conftest import running, see

if TYPE_CHECKING:
    from tests.browser.conftest import Sandbox

OVERVIEW = "/__sandbox__/overview"
FIDELITY = "/__sandbox__/fidelity.html"
THANKS = "/thanks?order=1&x=%22"
SORRY = "/sorry"
LONG = "A-very-long-word-" * 20

# Every element with text of its own whose contrast with what is behind it is less than WCAG AA asks of small text.
FAINT = """
const rgb = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = node => {
  for (; node; node = node.parentElement) {
    const found = rgb(getComputedStyle(node).backgroundColor);
    if (found[3] === 1) return found;
    if (found[3] !== 0) throw new Error("translucent: " + node.outerHTML);
  }
  return [255, 255, 255, 1];
};
const shown = [...document.querySelectorAll("body *")].filter(node => !node.closest("svg") && node.checkVisibility()
  && ([...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()) || node.matches("input")));
const ratios = shown.map(node => {
  const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), node.outerHTML.slice(0, 80)];
});
return [shown.length, ratios.filter(([ratio]) => ratio < 4.5)];
"""

# Whether the page has asked for news.
POLLED = "return performance.getEntriesByType('resource').some(one => one.name.includes('/live'))"


def by_id(browser: Any, identity: str) -> Any:
    return browser.find_element(By.ID, identity)


def until(browser: Any, happened: Callable[[], Any]) -> Any:
    """Wait for *happened* to be true."""
    ignored = [StaleElementReferenceException]
    return WebDriverWait(browser, 15, poll_frequency=0.1, ignored_exceptions=ignored).until(lambda _: happened())


def text(browser: Any) -> str:
    found: str = browser.find_element(By.TAG_NAME, "body").text
    return found


def landed(browser: Any, url: str) -> Any:
    """Wait for the merchant's page at *url*."""
    return until(browser, lambda: browser.current_url == url and bool(browser.find_elements(By.ID, "shop")))


def violations(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]]


def redirecting(sandbox: Sandbox, shop: str, **fields: Any) -> dict[str, Any]:
    """A checkout that leads back to *shop*."""
    urls = {"successRedirectUrl": shop + THANKS, "failRedirectUrl": shop + SORRY}
    return sandbox.create(**{"description": "Order 12345", **urls, **fields})


@pytest.mark.parametrize(("button", "ending"), [("pay", (THANKS, "COMPLETED")), ("fail", (SORRY, "FAILED"))])
def test_a_payer_is_led_back(browser: Any, sandbox: Sandbox, shop: str, button: str, ending: tuple[str, str]) -> None:
    """
    Pay and fail end on the merchant's page; the page of the checkout then has no buttons and links there.
    """
    place, status = ending
    checkout = redirecting(sandbox, shop)
    browser.get(checkout["url"])
    by_id(browser, button).click()
    assert landed(browser, shop + place)
    assert status == sandbox.status(checkout)
    browser.get(checkout["url"])
    assert [] == browser.find_elements(By.TAG_NAME, "button")
    assert shop + place == by_id(browser, "continue").get_attribute("href")
    assert [] == violations(browser)


def test_redirects_of_the_merchant_are_followed(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    The policy on forms does not stop a merchant who sends the payer on to another host.
    """
    checkout = redirecting(sandbox, shop, successRedirectUrl=f"{shop}/moved")
    browser.get(checkout["url"])
    by_id(browser, "pay").click()
    assert landed(browser, f"{shop.replace('127.0.0.1', 'localhost')}/thanks?moved=1")


def test_a_payer_may_wander_off(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    Leaving changes nothing, and there is a way back.
    """
    checkout = redirecting(sandbox, shop)
    browser.get(checkout["url"])
    by_id(browser, "leave").click()
    until(browser, lambda: "Nothing was changed" in text(browser))
    assert "ACTIVE" == sandbox.status(checkout)
    by_id(browser, "return").click()
    until(browser, lambda: browser.current_url == checkout["url"])


def test_a_redirect_is_not_a_payment(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    Authorised, the payer is back at the merchant's while the checkout is ACTIVE; settled later, it is COMPLETED.
    """
    checkout = redirecting(sandbox, shop)
    browser.get(checkout["url"])
    by_id(browser, "delay").clear()
    by_id(browser, "delay").send_keys("3600")
    by_id(browser, "authorise").click()
    assert landed(browser, shop + THANKS)
    assert "ACTIVE" == sandbox.status(checkout)
    browser.get(checkout["url"])
    assert "Authorised, not paid yet" in by_id(browser, "state").text
    assert "Settle it now" == by_id(browser, "pay").text
    by_id(browser, "pay").click()
    assert landed(browser, shop + THANKS)
    assert "COMPLETED" == sandbox.status(checkout)


def test_an_authorised_payment_settles_by_itself(browser: Any, sandbox: Sandbox) -> None:
    """
    A payer who stays sees it become paid after the delay, without doing anything.
    """
    checkout = sandbox.create()
    browser.get(checkout["url"])
    assert "you stay on this page" in text(browser)
    by_id(browser, "delay").clear()
    by_id(browser, "delay").send_keys("1")
    by_id(browser, "authorise").click()
    until(browser, lambda: by_id(browser, "state").text.startswith("Paid"))
    assert "COMPLETED" == sandbox.status(checkout)


@pytest.mark.parametrize(("button", "place"), [("pay", THANKS), ("authorise", THANKS), ("fail", SORRY)])
def test_the_keyboard_is_enough(browser: Any, sandbox: Sandbox, shop: str, button: str, place: str) -> None:
    """
    Tab reaches each button, whose focus can be seen, and Enter presses it.
    """
    browser.get(redirecting(sandbox, shop)["url"])
    for _ in range(10):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        style = "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]"
        assert ["solid", "3px"] == browser.execute_script(style)
        if browser.switch_to.active_element.get_attribute("id") == button:
            break
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert landed(browser, shop + place)


def test_a_payment_from_outside_is_seen(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    The open page shows a status that changed elsewhere, tells it to screen readers, and then asks no more.
    """
    checkout = redirecting(sandbox, shop)
    browser.get(checkout["url"])
    browser.execute_script("window.same = document.getElementById('state')")
    sandbox.pay(checkout, "PROCESSING")
    until(browser, lambda: by_id(browser, "state").text.startswith("Payment under way"))
    sandbox.pay(checkout)
    until(browser, lambda: by_id(browser, "state").text.startswith("Paid"))
    assert [] == browser.find_elements(By.TAG_NAME, "button")
    assert [] == browser.find_elements(By.CSS_SELECTOR, "[hx-get], #address")
    # The page was not loaded anew, and the element that screen readers listen to is the same.
    assert browser.execute_script("return window.same === document.querySelector('[role=status]')")
    assert [] == violations(browser)


def test_the_countdown_runs_and_ends(browser: Any, sandbox: Sandbox) -> None:
    """
    The time left falls by itself; when the clock passes expiresAt the page says so.
    """
    checkout = sandbox.create()
    browser.get(checkout["url"])
    first = by_id(browser, "live").text
    assert first.startswith("Expires in ")
    until(browser, lambda: by_id(browser, "live").text not in {first, ""})
    sandbox.advance(24 * 3600)
    until(browser, lambda: by_id(browser, "state").text.startswith("Expired"))
    assert [] == browser.find_elements(By.TAG_NAME, "button")


def test_a_button_keeps_its_focus_while_the_page_asks(browser: Any, sandbox: Sandbox) -> None:
    """
    Asking for news every second does not take the focus away.
    """
    browser.get(sandbox.create()["url"])
    first = by_id(browser, "live").text
    browser.execute_script("document.getElementById('fail').focus()")
    until(browser, lambda: by_id(browser, "live").text not in {first, ""})
    assert "fail" == browser.switch_to.active_element.get_attribute("id")


def test_without_javascript_everything_can_be_done(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    With scripts off the page says that it stands still, and pays, and leads back.
    """
    checkout = redirecting(sandbox, shop)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(checkout["url"])
    assert "does not change by itself" in text(browser)
    sandbox.pay(checkout, "PROCESSING")
    browser.find_element(By.LINK_TEXT, "Look again").click()
    until(browser, lambda: "Payment under way" in text(browser))
    by_id(browser, "pay").click()
    assert landed(browser, shop + THANKS)
    assert "COMPLETED" == sandbox.status(checkout)
    browser.get(sandbox.url + OVERVIEW)
    assert "does not change by itself" in text(browser)
    assert checkout["id"] in text(browser)


def everything(sandbox: Sandbox, shop: str) -> list[str]:
    """The path of a page of each kind, with much on it."""
    active = redirecting(sandbox, shop, description=LONG, amount="99999999.99", currency="GBP")
    paid = redirecting(sandbox, shop, description=LONG)
    sandbox.pay(paid)
    sandbox.refund(paid, "1.00")
    failed = sandbox.create()
    sandbox.pay(failed, "FAILED")
    waiting = sandbox.create()
    sandbox.pay(waiting, "PROCESSING")
    payments = [f"/pay/{checkout['id']}" for checkout in (active, paid, failed, waiting)]
    return [*payments, f"/pay/{active['id']}/left", "/pay/nothing", OVERVIEW, FIDELITY]


def test_a_phone_shows_it_without_scrolling_sideways(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    At 320 pixels no page is wider than the screen, whatever the merchant wrote.
    """
    see(browser, width=320, dark=False)
    for path in everything(sandbox, shop):
        browser.get(sandbox.url + path)
        width = browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
        assert [path, [320, 320]] == [path, width]


@pytest.mark.parametrize("dark", [False, True])
def test_everything_can_be_read_in_the_light_and_in_the_dark(
    browser: Any, sandbox: Sandbox, shop: str, dark: bool
) -> None:
    """
    Every text has a contrast of at least 4.5, in both colour schemes, and they are two.
    """
    see(browser, width=1100, dark=dark)
    for path in everything(sandbox, shop):
        browser.get(sandbox.url + path)
        browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
        count, faint = browser.execute_script(FAINT)
        assert count >= 4
        assert [path, []] == [path, faint]
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ("rgb(14, 19, 23)" if dark else "rgb(244, 246, 247)") == ground


def test_no_page_does_what_its_policy_stops(browser: Any, sandbox: Sandbox, shop: str) -> None:
    """
    The browser reports no violation while pages load and poll; and it would, as an inline style on purpose shows.
    """
    for path in everything(sandbox, shop):
        browser.get(sandbox.url + path)
        if browser.find_elements(By.CSS_SELECTOR, "[hx-get]"):
            until(browser, lambda: browser.execute_script(POLLED))
        assert [path, []] == [path, violations(browser)]
    browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')")
    assert violations(browser)


def test_hostile_text_is_shown_as_text(browser: Any, sandbox: Sandbox) -> None:
    """
    A description that is markup and script is read, not run.
    """
    hostile = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    checkout = sandbox.create(description=hostile)
    for path in (f"/pay/{checkout['id']}", OVERVIEW):
        browser.get(sandbox.url + path)
        assert hostile in text(browser)
        assert "run" != browser.title
        assert [] == browser.find_elements(By.TAG_NAME, "img")


def test_the_overview_is_live(browser: Any, sandbox: Sandbox) -> None:
    """
    What happens elsewhere appears by itself, and does not take the focus from a button that stays.
    """
    checkout = sandbox.create()
    sandbox.pay(checkout)
    refund_id = sandbox.refund(checkout, "2.00")
    browser.get(sandbox.url + OVERVIEW)
    browser.execute_script("document.getElementById(arguments[0]).focus()", f"complete-{refund_id}")
    # A second refund draws the section of the focused button anew.
    other_id = sandbox.refund(checkout, "3.00")
    until(browser, lambda: browser.find_elements(By.ID, f"complete-{other_id}"))
    assert f"complete-{refund_id}" == browser.switch_to.active_element.get_attribute("id")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(browser, lambda: not browser.find_elements(By.ID, f"complete-{refund_id}"))
    by_id(browser, f"fail-{other_id}").click()
    until(browser, lambda: not browser.find_elements(By.ID, f"fail-{other_id}"))
    assert "PARTIALLY_REFUNDED" == sandbox.status(checkout)
    assert [] == violations(browser)


def test_a_page_whose_checkout_is_gone_says_so(browser: Any, tmp_path: Path) -> None:
    """
    When the sandbox was started anew without its data, an open page becomes a 404 and asks no more.
    """
    with running(tmp_path) as before:
        browser.get(before.create()["url"])
        port = int(before.url.rpartition(":")[2])
    with running(tmp_path, port):
        until(browser, lambda: "Not found" in text(browser))
        assert [] == browser.find_elements(By.CSS_SELECTOR, "[hx-get]")


def test_the_clock_is_moved_by_hand(browser: Any, sandbox: Sandbox) -> None:
    """
    A day passes at the press of a button, and what was ACTIVE is EXPIRED.
    """
    checkout = sandbox.create()
    browser.get(sandbox.url)
    until(browser, lambda: browser.current_url == sandbox.url + OVERVIEW)
    by_id(browser, "advance-day").click()
    row = f"//tr[.//a[@id='checkout-{checkout['id']}']]"
    until(browser, lambda: "EXPIRED" in browser.find_element(By.XPATH, row).text)
    assert "EXPIRED" == sandbox.status(checkout)
