"""Listing: filters, order, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.paging import filters, read_token, write_token

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"


def pages(sandbox: Sandbox, **query: Any) -> list[list[str]]:
    """The ids on each page until no token comes."""
    found: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        content = sandbox.call("GET", PATH, params={**query, **token}).json()
        found.append([checkout["id"] for checkout in content["checkouts"]])
        if "nextPageToken" not in content:
            return found
        token = {"pageToken": content["nextPageToken"]}


@pytest.mark.parametrize(("count", "lengths"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
@pytest.mark.parametrize("step_ms", [0, 1])
def test_pages_hold_everything_once(sandbox: Sandbox, count: int, lengths: list[int], step_ms: int) -> None:
    """
    Every checkout is on exactly one page, no page is too long, and a full last page has no token.
    """
    ids = []
    for _ in range(count):
        ids.append(sandbox.create()["id"])
        sandbox.clock.ms += step_ms
    found = pages(sandbox, pageSize=3)
    assert lengths == [len(page) for page in found]
    flat = [checkout_id for page in found for checkout_id in page]
    assert (sorted(ids), len(ids)) == (sorted(flat), len(set(flat)))
    if step_ms:
        assert ids[::-1] == flat


def test_a_page_holds_twenty_by_default(sandbox: Sandbox) -> None:
    """
    Without pageSize a page has twenty; with 100 it has a hundred.
    """
    for _ in range(21):
        sandbox.create()
    assert [20, 1] == [len(page) for page in pages(sandbox)]
    assert [21] == [len(page) for page in pages(sandbox, pageSize=100)]


def test_new_checkouts_do_not_shift_pages(sandbox: Sandbox) -> None:
    """
    What is created between two pages is on neither, and nothing is told twice.
    """
    ids = [sandbox.create()["id"] for _ in range(4)]
    first = sandbox.call("GET", PATH, params={"pageSize": 2}).json()
    sandbox.clock.ms += 1
    sandbox.create()
    second = sandbox.call("GET", PATH, params={"pageSize": 2, "pageToken": first["nextPageToken"]}).json()
    assert sorted(ids) == sorted(c["id"] for c in first["checkouts"] + second["checkouts"])


def test_one_or_more_statuses_are_a_filter(sandbox: Sandbox) -> None:
    """
    Status may be repeated, and time counts: what has expired is EXPIRED and not ACTIVE.
    """
    expired = sandbox.create(description="old")["id"]
    sandbox.advance(3600)
    active, paid, failed = (sandbox.create()["id"] for _ in range(3))
    sandbox.pay(paid)
    sandbox.pay(failed, "FAILED")
    for statuses, expected in [
        (["ACTIVE"], {active}),
        (["EXPIRED"], {expired}),
        (["COMPLETED", "FAILED"], {paid, failed}),
        (["ACTIVE", "EXPIRED", "COMPLETED"], {active, expired, paid}),
        (["REFUNDED"], set()),
    ]:
        assert expected == set(pages(sandbox, status=statuses)[0])


def test_times_are_inclusive_to_the_millisecond(sandbox: Sandbox) -> None:
    """
    startTime and endTime include a checkout created at that very millisecond, and nothing a millisecond off.
    """
    sandbox.clock.ms += 500
    checkout = sandbox.create()
    for query, expected in [
        ({"startTime": "2026-11-20T12:00:00.5Z"}, 1),
        ({"startTime": "2026-11-20T12:00:00.501Z"}, 0),
        ({"startTime": "2026-11-20T12:00:00.5001Z"}, 0),
        ({"startTime": "2026-11-20T12:00:00.5000Z"}, 1),
        ({"endTime": "2026-11-20T12:00:00.500Z"}, 1),
        ({"endTime": "2026-11-20T12:00:00.5009Z"}, 1),
        ({"endTime": "2026-11-20T12:00:00.499999Z"}, 0),
        ({"startTime": checkout["createdAt"], "endTime": checkout["createdAt"]}, 1),
        ({"startTime": "2026-11-20T14:00:00.5+02:00", "endTime": "9999-12-31T23:59:59-23:59"}, 1),
        ({"startTime": "0000-01-01T00:00:00Z"}, 1),
        ({"startTime": "2026-11-21T00:00:00Z", "endTime": "2026-11-20T00:00:00Z"}, 0),
    ]:
        assert expected == len(pages(sandbox, **query)[0]), query


def test_a_description_is_searched_literally(sandbox: Sandbox) -> None:
    """
    descriptionQuery is a substring in any case, also beyond ASCII; % and _ are themselves.
    """
    texts = ["100% off", "100 off", "a_b", "aXb", "ÄRGER Straße", "nul\u0000nul", '"quoted" \\']
    ids = {text: sandbox.create(description=text)["id"] for text in texts}
    sandbox.create()
    for query, expected in [
        ("0%", {"100% off"}),
        ("A_B", {"a_b"}),
        ("OFF", {"100% off", "100 off"}),
        ("ärger", {"ÄRGER Straße"}),
        ("STRASSE", {"ÄRGER Straße"}),
        ("l\u0000n", {"nul\u0000nul"}),
        ('d" \\', {'"quoted" \\'}),
        ("", set(texts)),
        ("nothing", set[str]()),
    ]:
        assert {ids[text] for text in expected} == set(pages(sandbox, descriptionQuery=query)[0]), query


def test_a_searched_listing_has_pages_too(sandbox: Sandbox) -> None:
    """
    Pages of a search are full, although most checkouts do not match.
    """
    wanted = []
    for number in range(30):
        checkout_id = sandbox.create(description=f"order {number % 3}")["id"]
        if number % 3 == 0:
            wanted.append(checkout_id)
        sandbox.clock.ms += 1
    found = pages(sandbox, descriptionQuery="ORDER 0", pageSize=4)
    assert [4, 4, 2] == [len(page) for page in found]
    assert wanted[::-1] == [checkout_id for page in found for checkout_id in page]


def test_a_listing_tells_refunds(sandbox: Sandbox) -> None:
    """
    A checkout is the same in a listing as by itself.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    sandbox.refund(checkout_id, "1")
    sandbox.create()
    listed = sandbox.call("GET", PATH, params={"status": "PARTIALLY_REFUNDED"}).json()["checkouts"]
    assert [sandbox.get(checkout_id)] == listed


def test_a_token_is_bound_to_its_filters(sandbox: Sandbox) -> None:
    """
    With other filters than it was made for a token is a 400; another pageSize is fine.
    """
    for _ in range(3):
        sandbox.create()
    token = sandbox.call("GET", PATH, params={"pageSize": 1, "status": "ACTIVE"}).json()["nextPageToken"]
    assert 400 == sandbox.call("GET", PATH, params={"pageToken": token}).status_code
    good = sandbox.call("GET", PATH, params={"pageToken": token, "status": "ACTIVE", "pageSize": 2})
    assert 2 == len(good.json()["checkouts"])


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_token_of_another_kind_passes(token: str) -> None:
    """
    Whatever is sent as a token, it is the one that was handed out or a 400.
    """
    with pytest.raises(ApiError):
        read_token(token, filters({}))


@pytest.mark.parametrize(
    "last", [(10**30, "a" * 24), (1, "\ud800" * 24), (1, "a" * 25), (True, "a" * 24), (-(10**30), "a" * 24)]
)
def test_self_made_tokens_are_refused(last: tuple[int, str]) -> None:
    """
    The digest of a token is no secret; what it vouches for must still be possible.
    """
    chosen = filters({})
    with pytest.raises(ApiError):
        read_token(write_token(last, chosen), chosen)


@settings(deadline=None)
@given(st.integers(0, 253_402_300_799_999), st.text("0123456789abcdef", min_size=24, max_size=24))
def test_a_token_tells_where_the_page_ended(created_ms: int, checkout_id: str) -> None:
    """
    A token reads as what it was written from.
    """
    chosen = filters({"status": ["ACTIVE", "FAILED"], "descriptionQuery": "é"})
    assert (created_ms, checkout_id) == read_token(write_token((created_ms, checkout_id), chosen), chosen)
