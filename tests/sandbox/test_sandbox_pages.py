"""The payment page and the overview, without a browser: what they show, what they change, whom they refuse."""

from __future__ import annotations

import asyncio
import hashlib
import html
import logging
import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinbase_checkouts_sandbox import pages
from coinbase_checkouts_sandbox.pages import Authorisations, duration
from coinbase_checkouts_sandbox.requests_log import Answered, RequestsLog
from coinbase_checkouts_sandbox.unemulated import UNEMULATED

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

HOSTILE = "</p><script>alert('x')</script><img src=x onerror=alert(1)> \"'&{{ 7*7 }}"
SUCCESS = "https://shop.example/thanks?order=1&next=%22%3E"
FAIL = "https://shop.example/sorry"
OVERVIEW = "/__sandbox__/overview"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OTHER_SITES = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "evil.example"},
]


class Tags(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each element of this name."""
        return [attributes for name, attributes in self.found if name == tag]


def look(sandbox: Sandbox, path: str, **options: Any) -> httpx.Response:
    return sandbox.call("GET", path, judged=False, **options)


def post(sandbox: Sandbox, path: str, fields: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
    return sandbox.call("POST", path, judged=False, data=fields or {}, **options)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the sandbox logged, and not httpx."""
    return [record.getMessage() for record in caplog.records if record.name == "coinbase_checkouts_sandbox"]


def paid_with_refund(sandbox: Sandbox, **fields: Any) -> tuple[str, str]:
    checkout_id = sandbox.pay(sandbox.create(**fields)["id"])["id"]
    refund: str = sandbox.refund(checkout_id, "1.00", reason=HOSTILE)["refund"]["id"]
    return checkout_id, refund


def test_a_payer_sees_what_is_to_be_paid(sandbox: Sandbox) -> None:
    """
    The page of a checkout shows its amounts, description, status, time left, network and address, and that it is a test.
    """
    checkout = sandbox.create(amount="1234.50", currency="EUR", description="Two tickets")
    page = look(sandbox, checkout["url"])
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    shown = ["1,333.26 USDC", "1,234.50 EUR", "Two tickets", "Status ACTIVE.", "1 h 00 min 00 s", "base"]
    for text in [*shown, checkout["address"], "No real money", "Never send real money here", "<svg"]:
        assert text in page.text


def test_an_unknown_checkout_is_a_page_too(sandbox: Sandbox) -> None:
    """
    An id that does not exist is a 404 as HTML, with a correlation id.
    """
    for path in ("/pay/nothing", "/pay/nothing/live", "/pay/nothing/left", "/pay/68f7a946db0529ea9b6d3a12"):
        page = look(sandbox, path)
        assert (404, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
        assert re.search(r"[0-9a-f]{16}-SANDBOX", page.text)


def test_text_of_strangers_stays_text(sandbox: Sandbox) -> None:
    """
    Description, metadata, reason of a refund, path of a request: none of it becomes markup anywhere.
    """
    checkout_id, _ = paid_with_refund(sandbox, description=HOSTILE, metadata={"<b>": HOSTILE})
    active = sandbox.create(description=HOSTILE)["id"]
    sandbox.call("GET", "/<script>alert(1)</script>")
    for path in (f"/pay/{active}", f"/pay/{checkout_id}", OVERVIEW, f"{OVERVIEW}/live", f"/pay/{active}/live"):
        page = look(sandbox, path)
        assert [] == [tag for tag in ("img", "b") if Tags(page.text).of(tag)]
        assert all("src" in script for script in Tags(page.text).of("script"))
        if path != f"/pay/{active}/live":
            assert HOSTILE in html.unescape(page.text)


@pytest.mark.parametrize("path", ["/pay/{id}", "/pay/{id}/left", "/pay/{id}/return/success", OVERVIEW, "/pay/none"])
def test_browsers_are_held_to_a_strict_policy(sandbox: Sandbox, path: str) -> None:
    """
    No inline script or style, no frame, nothing from elsewhere; and no page has what the policy would stop.
    """
    checkout = sandbox.create(successRedirectUrl=SUCCESS, failRedirectUrl=FAIL)
    page = look(sandbox, path.format(id=checkout["id"]))
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    } == policy
    assert "nosniff" == page.headers["x-content-type-options"]
    assert "same-origin" == page.headers["referrer-policy"]
    assert "no-store" == page.headers["cache-control"]
    for tag, attributes in Tags(page.text).found:
        assert "style" not in attributes
        assert "style" != tag
        assert not [name for name in attributes if name.startswith(("on", "hx-on"))]
        for name in ("src", "href", "action", "hx-get"):
            assert attributes.get(name, "/").startswith("/") or attributes[name] in {SUCCESS, FAIL}


def test_paying_leads_to_the_merchant(sandbox: Sandbox) -> None:
    """
    Pay makes it COMPLETED, and leads over a page of ours to successRedirectUrl.
    """
    checkout_id = sandbox.create(successRedirectUrl=SUCCESS)["id"]
    answer = post(sandbox, f"/pay/{checkout_id}/pay")
    assert (303, f"/pay/{checkout_id}/return/success") == (answer.status_code, answer.headers["location"])
    assert "COMPLETED" == sandbox.get(checkout_id)["status"]
    page = look(sandbox, answer.headers["location"])
    assert f"0; url={SUCCESS}" in [meta.get("content") for meta in Tags(page.text).of("meta")]
    assert SUCCESS in [link["href"] for link in Tags(page.text).of("a")]


def test_failing_leads_to_the_merchant(sandbox: Sandbox) -> None:
    """
    Fail makes it FAILED, and leads over a page of ours to failRedirectUrl.
    """
    checkout_id = sandbox.create(failRedirectUrl=FAIL)["id"]
    answer = post(sandbox, f"/pay/{checkout_id}/fail")
    assert (303, f"/pay/{checkout_id}/return/fail") == (answer.status_code, answer.headers["location"])
    assert "FAILED" == sandbox.get(checkout_id)["status"]
    assert f"0; url={FAIL}" in [
        meta.get("content") for meta in Tags(look(sandbox, answer.headers["location"]).text).of("meta")
    ]


def test_without_redirect_urls_the_payer_stays(sandbox: Sandbox) -> None:
    """
    A checkout without redirect URLs says so, and each button leads back to its page.
    """
    for button, status in (("pay", "COMPLETED"), ("fail", "FAILED"), ("authorise", "ACTIVE")):
        checkout_id = sandbox.create()["id"]
        assert "gave no redirect URLs" in look(sandbox, f"/pay/{checkout_id}").text
        fields = {"delay_s": 3600} if button == "authorise" else {}
        answer = post(sandbox, f"/pay/{checkout_id}/{button}", fields)
        assert (303, f"/pay/{checkout_id}") == (answer.status_code, answer.headers["location"])
        assert f"Status {status}." in look(sandbox, f"/pay/{checkout_id}").text
        assert 303 == look(sandbox, f"/pay/{checkout_id}/return/success").status_code


def test_a_redirect_is_not_a_payment(sandbox: Sandbox) -> None:
    """
    Authorise leads to successRedirectUrl while the checkout is ACTIVE; the second button settles it.
    """
    checkout_id = sandbox.create(successRedirectUrl=SUCCESS)["id"]
    answer = post(sandbox, f"/pay/{checkout_id}/authorise", {"delay_s": 3600})
    assert f"/pay/{checkout_id}/return/success" == answer.headers["location"]
    back = look(sandbox, answer.headers["location"]).text
    assert "Authorised, not paid yet" in back
    assert "ACTIVE" == sandbox.get(checkout_id)["status"]
    assert "Settle it now" in look(sandbox, f"/pay/{checkout_id}").text
    post(sandbox, f"/pay/{checkout_id}/pay")
    assert "COMPLETED" == sandbox.get(checkout_id)["status"]


def test_an_authorised_payment_settles_by_itself(sandbox: Sandbox) -> None:
    """
    After its delay an authorised payment is COMPLETED; one that was withdrawn meanwhile is left alone.
    """
    settles, withdrawn = sandbox.create()["id"], sandbox.create()["id"]
    authorisations = Authorisations(sandbox.app.state.world)

    async def wait() -> None:
        authorisations.add(settles, 3600)
        authorisations.add(settles, 0)
        authorisations.add(withdrawn, 0)
        assert settles in authorisations
        for _ in range(3):
            await asyncio.sleep(0)
        assert settles not in authorisations

    sandbox.call("POST", f"/api/v1/checkouts/{withdrawn}/deactivate")
    asyncio.run(wait())
    assert ("COMPLETED", "DEACTIVATED") == (sandbox.get(settles)["status"], sandbox.get(withdrawn)["status"])


def test_leaving_changes_nothing(sandbox: Sandbox) -> None:
    """
    The page of those who wander off says that nothing was changed, which is so.
    """
    checkout = sandbox.create(successRedirectUrl=SUCCESS, failRedirectUrl=FAIL)
    page = look(sandbox, f"/pay/{checkout['id']}/left")
    assert "Nothing was changed" in page.text
    assert SUCCESS not in page.text
    assert checkout == sandbox.get(checkout["id"])


def test_looking_changes_nothing(sandbox: Sandbox) -> None:
    """
    No GET changes anything: paths that do answer 405, as a page.
    """
    checkout_id, refund_id = paid_with_refund(sandbox)
    active = sandbox.create(successRedirectUrl=SUCCESS)
    before = sandbox.get(checkout_id), active
    for path in ("", "/live", "/left", "/return/success", "/return/fail", "/pay", "/authorise", "/fail"):
        page = look(sandbox, f"/pay/{active['id']}{path}")
        assert (405 if path in {"/pay", "/authorise", "/fail"} else 200) == page.status_code or page.is_redirect
    settle = f"{OVERVIEW}/checkouts/{checkout_id}/refunds/{refund_id}/settle"
    for path in (settle, f"{OVERVIEW}/clock/advance"):
        page = look(sandbox, f"{path}?outcome=COMPLETED&seconds=60")
        assert (405, "POST") == (page.status_code, page.headers["allow"])
    assert before == (sandbox.get(checkout_id), sandbox.get(active["id"]))


@pytest.mark.parametrize("headers", OTHER_SITES)
@pytest.mark.parametrize("button", ["pay", "authorise", "fail"])
def test_other_sites_cannot_pay(sandbox: Sandbox, button: str, headers: dict[str, str]) -> None:
    """
    What a page of another site sends through the payer's browser is a 403, as a page, and changes nothing.
    """
    checkout_id = sandbox.create()["id"]
    answer = post(
        sandbox, f"/pay/{checkout_id}/{button}", {"delay_s": 1} if button == "authorise" else {}, headers=headers
    )
    assert (403, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert "Waiting for payment" in look(sandbox, f"/pay/{checkout_id}").text


def test_a_link_from_the_merchant_is_followed(sandbox: Sandbox) -> None:
    """
    A payer who comes from the merchant's site sees the page, and its own forms are admitted.
    """
    checkout_id = sandbox.create()["id"]
    assert 200 == look(sandbox, f"/pay/{checkout_id}", headers={"Sec-Fetch-Site": "cross-site"}).status_code
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8402"}
    assert 303 == post(sandbox, f"/pay/{checkout_id}/pay", headers=headers).status_code


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"delay_s", "application/x-www-form-urlencoded"),
        (b"delay_s=", "application/x-www-form-urlencoded"),
        (b"delay_s=-1", "application/x-www-form-urlencoded"),
        (b"delay_s=1.5", "application/x-www-form-urlencoded"),
        (b"delay_s=3601", "application/x-www-form-urlencoded"),
        (b"delay_s=%D9%A3", "application/x-www-form-urlencoded"),
        (b"delay_s=%", "application/x-www-form-urlencoded"),
        (b"delay_s=%FF", "application/x-www-form-urlencoded"),
        (b"delay_s=\xff", "application/x-www-form-urlencoded"),
        (b"delay_s=1&delay_s=1", "application/x-www-form-urlencoded"),
        (b"delay_s=1&", "application/x-www-form-urlencoded"),
        (b"delay_s=1&other=1", "application/x-www-form-urlencoded"),
        (b"delay_s=" + b"1" * 5000, "application/x-www-form-urlencoded"),
        (b"delay_s=" + b"1" * 2_000_000, "application/x-www-form-urlencoded"),
        (b'{"delay_s": 1}', "application/json"),
        (b"delay_s=1", "text/plain"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_is_not_ours_is_refused(sandbox: Sandbox, body: bytes, content_type: str) -> None:
    """
    Fields missing, unknown, repeated, badly written or too long, and other media types, are a 400 and change nothing.
    """
    checkout_id = sandbox.create()["id"]
    path = f"/pay/{checkout_id}/authorise"
    answer = sandbox.call("POST", path, judged=False, content=body, headers={"Content-Type": content_type})
    assert (400, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert "Waiting for payment" in look(sandbox, f"/pay/{checkout_id}").text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=60) | st.text("delay_s=%&+1;", max_size=30).map(str.encode), name=st.sampled_from("pasco")
)
def test_whatever_a_form_holds_it_is_no_server_error(sandbox: Sandbox, body: bytes, name: str) -> None:
    """
    Any bytes in any form are accepted or refused with a 4xx.
    """
    checkout_id, refund_id = "68f7a946db0529ea9b6d3a12", "68f7a946db0529ea9b6d3a13"
    path = {
        "p": f"/pay/{checkout_id}/pay",
        "a": f"/pay/{checkout_id}/authorise",
        "s": f"{OVERVIEW}/checkouts/{checkout_id}/refunds/{refund_id}/settle",
        "c": f"{OVERVIEW}/clock/advance",
        "o": f"/pay/{checkout_id}/fail",
    }[name]
    answer = sandbox.call("POST", path, judged=False, content=body, headers=FORM)
    assert answer.status_code in {303, 400, 404}


@pytest.mark.parametrize(
    ("act", "status"), [("COMPLETED", "COMPLETED"), ("FAILED", "FAILED"), ("expire", "EXPIRED"), ("off", "DEACTIVATED")]
)
def test_after_a_final_status_there_is_nothing_to_do(sandbox: Sandbox, act: str, status: str) -> None:
    """
    A final status is shown without buttons, QR code or polling, and a late form is a 409 that leads back.
    """
    checkout_id = sandbox.create(successRedirectUrl=SUCCESS, failRedirectUrl=FAIL)["id"]
    if act == "expire":
        sandbox.advance(3600)
    elif act == "off":
        sandbox.call("POST", f"/api/v1/checkouts/{checkout_id}/deactivate")
    else:
        sandbox.pay(checkout_id, act)
    for path in ("", "/live"):
        page = look(sandbox, f"/pay/{checkout_id}{path}")
        assert f"Status {status}." in page.text
        assert [] == [tag for tag in ("button", "form", "svg") if Tags(page.text).of(tag)]
        assert "hx-get" not in page.text
    late = post(sandbox, f"/pay/{checkout_id}/authorise", {"delay_s": 1})
    assert 409 == late.status_code
    assert f"/pay/{checkout_id}" in [link["href"] for link in Tags(late.text).of("a")]
    assert 409 == post(sandbox, f"/pay/{checkout_id}/{'fail' if status == 'COMPLETED' else 'pay'}").status_code


def test_a_payment_under_way_can_still_be_ended(sandbox: Sandbox) -> None:
    """
    PROCESSING shows no countdown, and offers to complete or to fail.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"], "PROCESSING")["id"]
    page = look(sandbox, f"/pay/{checkout_id}").text
    assert "Complete the payment" in page
    assert "Expires in" not in page
    post(sandbox, f"/pay/{checkout_id}/pay")
    assert "COMPLETED" == sandbox.get(checkout_id)["status"]


def test_only_news_is_sent(sandbox: Sandbox) -> None:
    """
    A page that has seen the status is sent the countdown alone, so that no button is replaced under a finger.
    """
    checkout_id = sandbox.create()["id"]
    polled = Tags(look(sandbox, f"/pay/{checkout_id}").text).of("p")
    path = next(attributes["hx-get"] for attributes in polled if "hx-get" in attributes)
    assert "hx-swap-oob" not in look(sandbox, path).text
    sandbox.pay(checkout_id)
    assert {"state", "actions", "address"} == {
        attributes["id"] for attributes in Tags(look(sandbox, path).text).of("div") if "hx-swap-oob" in attributes
    }


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://shop.example/", True),
        ("https://", False),
        ("https:///path", False),
        ("https://[::1/", False),
        ("https://shop.example/a b", False),
        ("https://shop.example/\n", False),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:https://", False),
        ("http://shop.example/", False),
        (" https://shop.example/", False),
    ],
)
def test_only_https_becomes_a_link(url: str, linked: bool) -> None:
    """
    Whatever a database holds, only an https URL with a host is linked to.
    """
    assert (url if linked else None) == pages._linkable(url)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (1, "1 s"),
        (59_999, "1 min 00 s"),
        (60_000, "1 min 00 s"),
        (3_599_000, "59 min 59 s"),
        (3_600_000, "1 h 00 min 00 s"),
        (86_399_000, "23 h 59 min 59 s"),
        (86_400_000, "1 d 0 h"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_time_left_is_told_in_whole_seconds(milliseconds: int, text: str) -> None:
    """
    The countdown rounds up, so that it says 0 only when time is up.
    """
    assert text == duration(milliseconds)


def test_the_overview_shows_what_there_is(sandbox: Sandbox) -> None:
    """
    Checkouts newest first, refunds, requests without their query, the clock.
    """
    first = sandbox.create(description="First")["id"]
    sandbox.clock.ms += 1000
    checkout_id, refund_id = paid_with_refund(sandbox, description="Second", amount="12.00", currency="EUR")
    sandbox.call("GET", "/api/v1/checkouts?descriptionQuery=secret")
    page = look(sandbox, OVERVIEW)
    assert 200 == page.status_code
    assert page.text.index(checkout_id) < page.text.index(first)
    for text in ("First", "Second", refund_id, "PARTIALLY_REFUNDED", "12.96 USDC", "12.00 EUR", "2026-11-20 12:00:01"):
        assert text in page.text
    assert "secret" not in page.text
    assert page.text.count("/api/v1/checkouts</th>") == 3


def test_refunds_are_settled_from_the_overview(sandbox: Sandbox) -> None:
    """
    Each PENDING refund has buttons for both outcomes, which settle it and lead back.
    """
    for outcome in ("COMPLETED", "FAILED"):
        checkout_id, refund_id = paid_with_refund(sandbox)
        actions = [form["action"] for form in Tags(look(sandbox, OVERVIEW).text).of("form")]
        path = f"{OVERVIEW}/checkouts/{checkout_id}/refunds/{refund_id}/settle"
        assert path in actions
        answer = post(sandbox, path, {"outcome": outcome})
        assert (303, OVERVIEW) == (answer.status_code, answer.headers["location"])
        assert outcome == sandbox.get(checkout_id)["refunds"][0]["status"]
        assert path not in [form["action"] for form in Tags(look(sandbox, OVERVIEW).text).of("form")]
        assert 409 == post(sandbox, path, {"outcome": outcome}).status_code
        assert 400 == post(sandbox, path, {"outcome": "PENDING"}).status_code


def test_the_clock_is_moved_from_the_overview(sandbox: Sandbox) -> None:
    """
    Each button moves the clock by what it says.
    """
    for seconds, now in ((60, "12:01:00"), (3600, "13:01:00")):
        assert 303 == post(sandbox, f"{OVERVIEW}/clock/advance", {"seconds": seconds}).status_code
        assert f"2026-11-20 {now}" in look(sandbox, OVERVIEW).text
    assert 400 == post(sandbox, f"{OVERVIEW}/clock/advance", {"seconds": 1 << 38}).status_code


def test_the_overview_is_sent_sections_that_changed(sandbox: Sandbox) -> None:
    """
    A poll answers the clock, and those sections alone that are drawn otherwise than the page has seen.
    """

    def changed(path: str) -> tuple[set[str], str]:
        answer = look(sandbox, path).text
        polled = next(attributes["hx-get"] for attributes in Tags(answer).of("p") if "hx-get" in attributes)
        return {div["id"] for div in Tags(answer).of("div") if "hx-swap-oob" in div}, polled

    _, path = changed(OVERVIEW)
    assert set() == changed(path)[0]
    checkout_id = sandbox.create()["id"]
    sections, path = changed(path)
    assert {"checkouts", "requests"} == sections
    assert set() == changed(path)[0]
    sandbox.clock.ms += 3_600_000
    assert {"checkouts"} == changed(path)[0]
    assert "EXPIRED" == sandbox.get(checkout_id)["status"]


@pytest.mark.parametrize("headers", OTHER_SITES)
@pytest.mark.parametrize("path", [OVERVIEW, f"{OVERVIEW}/live", "/__sandbox__/fidelity", "/__sandbox__/fidelity.html"])
def test_other_sites_cannot_look(sandbox: Sandbox, path: str, headers: dict[str, str]) -> None:
    """
    The overview and the fidelity are for programs and pages of this machine.
    """
    assert 403 == look(sandbox, path, headers=headers).status_code
    assert 403 == post(sandbox, f"{OVERVIEW}/clock/advance", {"seconds": 1}, headers=headers).status_code


def test_other_machines_cannot_look(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    The overview answers loopback addresses only, like the control calls.
    """
    sandbox = sandbox_with(client=("192.168.0.7", 1))
    assert 403 == look(sandbox, OVERVIEW).status_code
    assert 403 == post(sandbox, f"{OVERVIEW}/clock/advance", {"seconds": 1}).status_code


def test_the_front_door_is_for_people(sandbox: Sandbox) -> None:
    """
    / leads browsers to the overview; a program that forgot the path is told that there is nothing.
    """
    answer = look(sandbox, "/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (303, OVERVIEW) == (answer.status_code, answer.headers["location"])
    assert 404 == sandbox.call("GET", "/").status_code


def test_deliveries_and_faults_are_shown(sandbox: Sandbox) -> None:
    """
    What was sent, where to and what came of it, and what is to go wrong, are shown, escaped.
    """
    target = {"url": "http://127.0.0.1:9/hook?a=1&b=2"}
    events = ["checkout.payment.success"]
    subscription = {"eventTypes": events, "isEnabled": True, "target": target}
    assert 201 == sandbox.call("POST", "/platform/v2/data/webhooks/subscriptions", json=subscription).status_code
    sandbox.pay(sandbox.create()["id"])
    sandbox.call("POST", "/__sandbox__/webhooks/flush", judged=False)
    rule = {"kind": "rate_limit", "operation": "createCheckout", "times": 2}
    assert 201 == sandbox.call("POST", "/__sandbox__/faults", json=rule).status_code
    page = look(sandbox, OVERVIEW).text
    shown = ("checkout.payment.success", "retrying", "a=1&amp;b=2", "rate_limit on createCheckout (skip 0, times 2)")
    for text in shown:
        assert text in page


def test_the_static_files_are_a_short_list(sandbox: Sandbox) -> None:
    """
    What pages ask for is there under its digest, for ever, with its media type; nothing else is.
    """
    page = Tags(look(sandbox, OVERVIEW).text)
    paths = [page.of("script")[0]["src"], *(link["href"] for link in page.of("link"))]
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    for path in paths:
        answer = look(sandbox, path)
        kind = types[path.rpartition(".")[2]]
        assert (200, kind) == (answer.status_code, answer.headers["content-type"])
        assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
        other = re.sub("/[0-9a-f]{16}/", "/0123456789abcdef/", path)
        for wrong in (other, path + ".gz", path.replace("static", "templates"), path.rpartition("/")[0] + "/../app.py"):
            assert 404 == look(sandbox, wrong).status_code


def test_htmx_is_as_it_was_released() -> None:
    """
    The vendored file is the one whose version and sum are written beside it, with its licence.
    """
    folder = files("coinbase_checkouts_sandbox") / "static"
    upstream = tomllib.loads((folder / "UPSTREAM.toml").read_text())["htmx"]
    script = (folder / "htmx.min.js").read_bytes()
    assert upstream["sha256"] == hashlib.sha256(script).hexdigest()
    assert f'version:"{upstream["version"]}"'.encode() in script
    assert "Zero-Clause BSD" in (folder / upstream["licence"]).read_text()


def test_polls_are_not_among_the_requests_shown(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """
    What pages ask for by themselves does not drown what a program asked for; a refusal is in the log all the same.
    """
    caplog.set_level(logging.INFO, "coinbase_checkouts_sandbox")
    checkout_id = sandbox.create()["id"]
    for path in (f"/pay/{checkout_id}/live", OVERVIEW, f"{OVERVIEW}/live"):
        look(sandbox, path)
    shown = look(sandbox, OVERVIEW).text
    assert f"{OVERVIEW}</th>" not in shown
    assert "live</th>" not in shown
    assert ["POST /api/v1/checkouts 201"] == [" ".join(line.split()[1:4]) for line in logged(caplog)]
    refusal = look(sandbox, "/pay/nothing/live").text
    assert re.findall(r"[0-9a-f]{16}-SANDBOX", refusal) == re.findall(
        r"live 404 .*correlation (\S+)", logged(caplog)[-1]
    )


def test_old_requests_are_forgotten() -> None:
    """
    The log keeps the newest 200.
    """
    log = RequestsLog()
    for number in range(250):
        log.add(Answered(number, "GET", "/", 200, 1.0, ""))
    kept = [one.moment_ms for one in log.newest_first()]
    assert list(range(249, 49, -1)) == kept


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("prefix", ["", "/sandbox"])
@pytest.mark.parametrize("path", [one.path + below for one in UNEMULATED for below in ("", "/", "/a", "/a/b")])
def test_what_is_not_emulated_says_so(sandbox: Sandbox, method: str, prefix: str, path: str) -> None:
    """
    Neighbouring parts of the API answer 501 not_implemented to any method, at any depth.
    """
    answer = sandbox.call(method, prefix + path, judged=False)
    assert (501, "not_implemented") == (answer.status_code, answer.json()["errorType"])


def test_an_encoded_form_may_hold_anything_encoded(sandbox: Sandbox) -> None:
    """
    Spaces around a number do no harm, however they are encoded.
    """
    checkout_id = sandbox.create()["id"]
    assert 303 == post(sandbox, f"/pay/{checkout_id}/authorise", {"delay_s": " 3600 "}).status_code
    assert "delay_s=+3600+" == urlencode({"delay_s": " 3600 "})
