"""List checkouts. Every test looks only at its own, found by a word in their description."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from coinbase_checkouts_conformance.attempts import as_listed, ids, listed, pages, paid, settled, try_constraint
from coinbase_checkouts_conformance.claims import claim, each_constraint
from coinbase_checkouts_conformance.compare import differences, moment
from coinbase_checkouts_conformance.constraints import Constraint
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.exchange import Answer, Exchange, accepted, refused, stamp
from coinbase_checkouts_conformance.probes import example

LIST = "#/paths/~1api~1v1~1checkouts/get"


def made(api: Exchange, number: int) -> list[str]:
    """The ids of *number* new checkouts of this test, sorted."""
    return ids([api.created() for _ in range(number)])


@claim("list.pages", "list.partition", f"{LIST}/parameters/0", f"{LIST}/parameters/1")
def test_pages(api: Exchange) -> None:
    """Five checkouts in pages of two: no page larger, every checkout exactly once, no token on the last page."""
    expected = made(api, 5)
    found = list(pages(api, descriptionQuery=api.seed.marker, pageSize=2))
    assert max(len(page) for page in found) <= 2
    assert expected == ids([checkout for page in found for checkout in page])


@claim("list.even-pages", "list.partition")
def test_even_pages(api: Exchange) -> None:
    """Four checkouts in pages of two end as well: each exactly once, and then no token."""
    expected = made(api, 4)
    found = list(pages(api, descriptionQuery=api.seed.marker, pageSize=2))
    assert expected == ids([checkout for page in found for checkout in page])


@claim("list.single-page", "list.partition", "list.last-page")
def test_single_page(api: Exchange) -> None:
    """What fits on one page is listed once, and the listing ends, perhaps with a page of nothing."""
    expected = made(api, 2)
    assert expected == ids(listed(api, pageSize=100))


@claim("list.nothing", "list.filters")
def test_nothing(api: Exchange) -> None:
    """A filter that nothing matches gives an empty list."""
    assert listed(api, descriptionQuery=f"nobody wrote this {api.seed.marker}") == []


@claim("list.default-page-size", "#/components/parameters/PageSize/schema/default")
def test_default_page_size(api: Exchange) -> None:
    """Without pageSize a page holds 20 where there are as many, and with a filter perhaps less."""
    expected = made(api, 21)
    assert len(accepted(api.list({})).json["checkouts"]) == 20
    found = list(pages(api, descriptionQuery=api.seed.marker))
    assert max(len(page) for page in found) <= 20
    assert expected == ids([checkout for page in found for checkout in page])


@claim("list.as-read", "create.echo", f"{LIST}/responses/200")
def test_as_read(api: Exchange) -> None:
    """A listed checkout says the same as when it is read by itself."""
    checkout_id = api.created(api.full())["id"]
    [found] = listed(api)
    assert differences(api.read(checkout_id), found) == []


@claim("list.every-status", "list.filters", "create.echo", "#/components/parameters/StatusFilter")
def test_every_status(api: Exchange, control: Control) -> None:
    """Whatever became of a checkout, it is listed under its status and no other, as it reads by itself."""
    for outcome in ("PROCESSING", "FAILED"):
        control.pay(api.created()["id"], outcome)
    for part in ("0.50", "2.00"):
        settled(api, control, paid(api, control)["id"], part)
    for status in ("PROCESSING", "FAILED", "PARTIALLY_REFUNDED", "REFUNDED"):
        [found] = listed(api, status=status)
        assert found["status"] == status
        as_listed(api, found["id"])


@claim("list.fiat", "create.echo", "checkout.fiat")
def test_fiat(api: Exchange) -> None:
    """A checkout priced in fiat, where that is taken, keeps its price when it is read, listed and deactivated."""
    answer = api.create(api.minimal(amount="1.50", currency="EUR"))
    if not answer.is_success:
        refused(answer)
        return
    made = answer.json
    assert differences(made, api.read(made["id"])) == []
    as_listed(api, made["id"])
    assert differences(made, accepted(api.deactivate(made["id"])).json, ignoring=("status", "updatedAt")) == []


@claim("list.one-status", "list.filters", "#/components/parameters/StatusFilter")
def test_one_status(api: Exchange) -> None:
    """With a status only checkouts in that status are listed, and all of them."""
    active, ended = api.created()["id"], api.created()["id"]
    accepted(api.deactivate(ended))
    for status, expected in (("ACTIVE", [active]), ("DEACTIVATED", [ended])):
        found = listed(api, status=status)
        assert ids(found) == expected
        assert {item["status"] for item in found} == {status}
    assert listed(api, status="COMPLETED") == []


@claim("list.several-statuses", "list.filters", "#/components/parameters/StatusFilter")
def test_several_statuses(api: Exchange) -> None:
    """With the status repeated, checkouts in any of them are listed."""
    active, ended = api.created()["id"], api.created()["id"]
    accepted(api.deactivate(ended))
    assert ids(listed(api, status=["ACTIVE", "DEACTIVATED"])) == sorted([active, ended])
    assert ids(listed(api, status=["COMPLETED", "DEACTIVATED"])) == [ended]


@claim("list.bad-among-statuses", "list.filters", "#/components/parameters/StatusFilter")
def test_bad_among_statuses(api: Exchange) -> None:
    """A status that there is not is refused beside one that there is, too, whichever comes first."""
    for status in (["ACTIVE", "OPEN"], ["OPEN", "ACTIVE"]):
        refused(api.list({"descriptionQuery": api.seed.marker, "status": status}))


@claim("list.description-query", "list.filters", "#/components/parameters/DescriptionQuery")
def test_description_query(api: Exchange) -> None:
    """With descriptionQuery a listing finds a part of the description in any case, and nothing else."""
    apple = api.created(api.minimal(description=f"{api.title} Apple_50%"))["id"]
    pear = api.created(api.minimal(description=f"{api.title} Pear"))["id"]
    assert ids(listed(api, descriptionQuery=f"{api.seed.marker} aPPLE")) == [apple]
    assert ids(listed(api, descriptionQuery=f"{api.seed.marker.upper()} P")) == [pear]
    # A database's wildcards are letters like any other.
    assert listed(api, descriptionQuery=f"{api.seed.marker}%Pear") == []
    assert ids(listed(api, descriptionQuery=f"{api.seed.marker} Apple_50%")) == [apple]


@claim("list.start-time", "list.filters", "#/components/parameters/StartTime")
def test_start_time(api: Exchange) -> None:
    """A startTime keeps what was created at that time or later."""
    checkout = api.created()
    created_at = moment(checkout["createdAt"])
    assert ids(listed(api, startTime=checkout["createdAt"])) == [checkout["id"]]
    assert ids(listed(api, startTime=stamp(created_at - timedelta(seconds=2)))) == [checkout["id"]]
    assert listed(api, startTime=stamp(created_at + timedelta(seconds=2))) == []


@claim("list.end-time", "list.filters", "#/components/parameters/EndTime")
def test_end_time(api: Exchange) -> None:
    """An endTime keeps what was created at that time or earlier."""
    checkout = api.created()
    created_at = moment(checkout["createdAt"])
    # The very bound is not tried: a server may show less of the fraction than it keeps.
    assert ids(listed(api, endTime=stamp(created_at + timedelta(seconds=1)))) == [checkout["id"]]
    assert listed(api, endTime=stamp(created_at - timedelta(seconds=2))) == []


@claim("list.offset", "list.filters", "#/components/parameters/StartTime")
def test_offset(api: Exchange) -> None:
    """A time with another offset means the same moment."""
    checkout = api.created()
    later = moment(checkout["createdAt"]) + timedelta(hours=5)
    for seconds, expected in ((-2, [checkout["id"]]), (2, [])):
        start = f"{(later + timedelta(seconds=seconds)).isoformat()[:19]}+05:00"
        assert ids(listed(api, startTime=start)) == expected


@claim("list.all-filters", "list.filters", "list.partition")
def test_all_filters(api: Exchange) -> None:
    """Filters hold together and on every page, not only on the first."""
    expected = made(api, 3)
    accepted(api.deactivate(api.created()["id"]))
    start = stamp(api.now - timedelta(days=1))
    assert expected == ids(listed(api, status="ACTIVE", startTime=start, pageSize=1))


@claim("list.foreign-token", "#/components/parameters/PageToken", "error.bad-request-never-5xx")
def test_foreign_token(api: Exchange) -> None:
    """A pageToken that no listing gave is no reason for a 5xx."""
    for token in ("nobody-gave-this", "e30=", "0", "ééé"):
        assert api.list({"pageToken": token}).status < 500


@each_constraint("listCheckouts", "query")
def test_query(api: Exchange, constraint: Constraint) -> None:
    [name] = constraint.path
    times = {"startTime": api.later(timedelta(days=-1)), "endTime": api.later(timedelta(0))}
    valid: dict[str, Any] = {"pageSize": 20, "status": "ACTIVE", "descriptionQuery": api.seed.marker, **times}

    def send(value: Any) -> Answer:
        # Other people's checkouts are none of this test's business.
        return api.list({"descriptionQuery": api.seed.marker, name: value})

    base = valid[name] if name in valid else example(constraint.schema)
    try_constraint(constraint, base, send)


@claim("list.amounts", "create.echo", f"{LIST}/responses/200")
def test_amounts(api: Exchange) -> None:
    """No digit of an amount is lost in a listing."""
    values = ("0.07", "1.1", "33.33", "12345678.91")
    expected = {made["id"]: made for made in [api.created(api.minimal(amount=value)) for value in values]}
    for found in listed(api):
        assert differences(expected.pop(found["id"]), found) == []
    assert expected == {}


@claim("list.end-time-bound", "list.filters", "#/components/parameters/EndTime")
def test_end_time_bound(api: Exchange) -> None:
    """An endTime keeps what was created at that very time, where createdAt is shown in full."""
    checkout = api.created()
    clock, fraction, offset = re.findall(r"(.{19})(?:\.(\d+))?(.+)", checkout["createdAt"])[0]
    if len(fraction) < 6:
        # A server may keep more of the fraction than it shows: then it was created after a microsecond later, too.
        hair_later = f"{clock}.{fraction.ljust(5, '0')}1{offset}"
        if listed(api, startTime=hair_later):
            return
    assert ids(listed(api, endTime=checkout["createdAt"])) == [checkout["id"]]


@claim("list.plain-words", "list.filters", "#/components/parameters/DescriptionQuery")
def test_plain_words(api: Exchange) -> None:
    """A descriptionQuery is plain text, found in descriptions and nowhere else."""
    text = f"{api.title} 1+1 (or [so]) a.b*c? \\d ^$"
    checkout_id = api.created(api.minimal(description=text, metadata={"note": f"{api.seed.marker} elsewhere"}))["id"]
    assert ids(listed(api, descriptionQuery=text)) == [checkout_id]
    for words in (
        f"{api.seed.marker}.1",
        f"{api.seed.marker} .*",
        f"{api.seed.marker} elsewhere",
        f"1+1 {api.seed.marker}",
    ):
        assert listed(api, descriptionQuery=words) == []


@claim("list.words-on-every-page", "list.filters", "list.partition")
def test_words_on_every_page(api: Exchange) -> None:
    """A descriptionQuery holds on every page, whatever was created before and after."""
    others = api.minimal(description="conformance suite, another checkout")
    api.created(others)
    expected = made(api, 2)
    api.created(others)
    assert expected == ids(listed(api, pageSize=1))


@claim("list.no-time-at-all", "list.filters", "#/components/parameters/StartTime")
def test_no_time_at_all(api: Exchange) -> None:
    """A startTime after the endTime leaves nothing, or is refused."""
    created_at = moment(api.created()["createdAt"])
    early, late = (stamp(created_at + timedelta(seconds=seconds)) for seconds in (-5, 5))
    answer = api.list({"descriptionQuery": api.seed.marker, "startTime": late, "endTime": early})
    if answer.is_success:
        assert answer.json["checkouts"] == []
    else:
        refused(answer)
