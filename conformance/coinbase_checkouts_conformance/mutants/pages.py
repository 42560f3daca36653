"""Wrong about listings: pages that lose or repeat, filters that do not filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.layer import Ask, Reply, content_of, error

from .catalogue import PAGES, Mutant, Server, Shelf
from .edits import PAID, Checkout, asking, good, less, moved, query_of, told, without

_PAGES: Final = Shelf(PAGES)
STATUSES: Final = frozenset(description().at("#/components/schemas/CheckoutStatus")["enum"])


def mutants() -> list[Mutant]:
    """All of this module."""
    return _PAGES.mutants


def paged(
    listed: list[Checkout], ask: Ask, *, larger: int = 0, overlap: int = 0, lost: int = 0, shift: int = 0
) -> Reply:
    """
    The page that *ask* asks for, with a token that says where the next one starts.

    Args:
        larger: So many more on each page than were asked for.
        overlap: So many on the next page again.
        lost: So many between two pages.
        shift: From which number left on there is another page.
    """
    query = query_of(ask)
    size = int(query.get("pageSize", ["20"])[0])
    start = int(query.get("pageToken", ["0"])[0])
    end = start + size + larger
    content: dict[str, Any] = {"checkouts": listed[start:end]}
    if end + shift < len(listed):
        content["nextPageToken"] = str(max(end - overlap + lost, start + 1))
    return good(content)


def _pages_wrong(claim: str, name: str, sentence: str, **wrong: int) -> None:
    async def answer(server: Server, ask: Ask) -> Reply:
        if ask.act == "list" and query_of(ask).get("pageToken", ["0"])[0].isdecimal():
            reply = await server.forward(asking(ask, without(ask, "pageToken")))
            return paged(await server.everything(ask), ask, **wrong) if reply.is_good else reply
        return await server.forward(ask)

    _PAGES.mutants.append(Mutant(name, sentence, PAGES, (claim,), answer))


_pages_wrong("list.pages", "pages-are-larger", "A page holds one more than was asked for.", larger=1)
_pages_wrong("list.pages", "pages-overlap", "The last of a page is also the first of the next.", overlap=1)
_pages_wrong("list.pages", "pages-lose-one", "Between two pages a checkout is lost.", lost=1)
_pages_wrong("list.even-pages", "last-full-page-is-lost", "A last page that is full is not reached.", shift=2)
_pages_wrong("list.pages", "last-page-is-lost", "A last page of one is not reached.", shift=1)


@_PAGES.server("list.pages")
async def pages_never_end(server: Server, ask: Ask) -> Reply:
    """A listing has a next page for ever, always with another token."""
    if ask.act != "list":
        return await server.forward(ask)
    reply = await server.forward(asking(ask, without(ask, "pageToken")))
    server.seen["page"] = server.seen.get("page", 0) + 1
    return told(reply, lambda content: {**content, "nextPageToken": f"page-{server.seen['page']}"})


@_PAGES.server("list.pages")
async def the_first_page_comes_again(server: Server, ask: Ask) -> Reply:
    """A pageToken is not read."""
    return await server.forward(asking(ask, without(ask, "pageToken")) if ask.act == "list" else ask)


@_PAGES.server("list.even-pages")
async def token_for_a_page_of_nothing_again(server: Server, ask: Ask) -> Reply:
    """After the last page come empty ones for ever."""
    if ask.act != "list":
        return await server.forward(ask)
    if query_of(ask).get("pageToken", [""])[0].startswith("empty"):
        server.seen["empty"] = server.seen.get("empty", 0) + 1
        return good({"checkouts": [], "nextPageToken": f"empty-{server.seen['empty']}"})
    return told(await server.forward(ask), lambda content: {"nextPageToken": "empty", **content})


@_PAGES.server("list.single-page")
async def the_last_token_is_empty(server: Server, ask: Ask) -> Reply:
    """The last page has an empty token."""
    reply = await server.forward(ask)
    return told(reply, lambda content: {"nextPageToken": "", **content}) if ask.act == "list" else reply


@_PAGES.server("list.single-page")
async def the_last_token_is_null(server: Server, ask: Ask) -> Reply:
    """The last page has a token that is null."""
    reply = await server.forward(ask)
    return told(reply, lambda content: {"nextPageToken": None, **content}) if ask.act == "list" else reply


@_PAGES.server("create.least-kept")
async def what_has_no_description_is_not_listed(server: Server, ask: Ask) -> Reply:
    """A checkout without a description is in no listing."""
    reply = await server.forward(ask)
    return told(reply, _described) if ask.act == "list" else reply


def _described(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "checkouts": [one for one in content["checkouts"] if one.get("description")]}


@_PAGES.tells("create.longest-kept", on=("list",))
def listed_descriptions_are_cut(checkout: Checkout) -> Checkout:
    """In a listing a description has 100 characters at most."""
    return {**checkout, "description": checkout["description"][:100]} if "description" in checkout else checkout


@_PAGES.hears("list.bad-among-statuses", on="list")
def one_good_status_is_enough(ask: Ask) -> Ask:
    """Of several statuses those that there are not are passed over, if one is good."""
    return _good_statuses(ask, lambda statuses: len(set(statuses) & STATUSES) > 0)


@_PAGES.hears("list.bad-among-statuses", on="list")
def the_first_status_is_looked_at(ask: Ask) -> Ask:
    """Of several statuses all but the first may be anything."""
    return _good_statuses(ask, lambda statuses: statuses[0] in STATUSES)


def _good_statuses(ask: Ask, when: Callable[[list[str]], bool]) -> Ask:
    query = query_of(ask)
    statuses = query.get("status", [])
    if not statuses or not when(statuses):
        return ask
    return asking(ask, {**query, "status": [one for one in statuses if one in STATUSES]})


@_PAGES.server("list.all-filters")
async def filters_are_forgotten_on_the_next_page(server: Server, ask: Ask) -> Reply:
    """The status that is asked for is kept on the first page only."""
    if ask.act != "list" or "status" not in query_of(ask):
        return await server.forward(ask)
    listed = await server.everything(asking(ask, without(ask, "status")))
    if "pageToken" in query_of(ask):
        return paged(listed, ask)
    wanted = [one for one in listed if one["status"] in query_of(ask)["status"]]
    first = paged(wanted, ask)
    return first if len(listed) <= 1 else first.saying({**content_of(first.body), "nextPageToken": "1"})


def _filter_not_read(claim: str, parameter: str) -> None:
    async def answer(server: Server, ask: Ask) -> Reply:
        return await server.forward(asking(ask, without(ask, parameter)) if ask.act == "list" else ask)

    name = f"{parameter.lower()}-is-not-read"
    _PAGES.mutants.append(Mutant(name, f"A listing does not look at {parameter}.", PAGES, (claim,), answer))


_filter_not_read("list.one-status", "status")
_filter_not_read("list.description-query", "descriptionQuery")
_filter_not_read("list.start-time", "startTime")
_filter_not_read("list.end-time", "endTime")
_filter_not_read("list.pages", "pageSize")


@_PAGES.hears("list.several-statuses", on="list")
def only_the_first_status_counts(ask: Ask) -> Ask:
    """Of several statuses the first is listed."""
    query = query_of(ask)
    return asking(ask, {**query, "status": query["status"][:1]}) if "status" in query else ask


@_PAGES.hears("list.several-statuses", on="list")
def only_the_last_status_counts(ask: Ask) -> Ask:
    """Of several statuses the last is listed."""
    query = query_of(ask)
    return asking(ask, {**query, "status": query["status"][-1:]}) if "status" in query else ask


def _keeps(*claims: str, when: Callable[[Checkout, dict[str, list[str]]], bool], name: str, does: str) -> None:
    async def answer(server: Server, ask: Ask) -> Reply:
        reply = await server.forward(ask)
        if ask.act != "list":
            return reply
        query = query_of(ask)
        return told(reply, lambda c: {**c, "checkouts": [one for one in c["checkouts"] if when(one, query)]})

    _PAGES.mutants.append(Mutant(name, does, PAGES, claims, answer))


_keeps(
    "list.description-query",
    when=lambda one, query: query.get("descriptionQuery", [""])[0] in one.get("description", ""),
    name="descriptions-are-found-in-their-case",
    does="A descriptionQuery finds what is written in its case only.",
)
_keeps(
    "list.start-time",
    when=lambda one, query: query.get("startTime", [""])[0] != one["createdAt"],
    name="start-time-is-not-included",
    does="What was created at startTime is not listed.",
)
_keeps(
    "list.as-read",
    when=lambda one, _: "metadata" not in one,
    name="those-with-metadata-are-not-listed",
    does="Checkouts with metadata are not listed.",
)
_keeps(
    "list.one-status",
    when=lambda one, _: one["status"] != "DEACTIVATED",
    name="deactivated-are-not-listed",
    does="Deactivated checkouts are not listed.",
)
_keeps(
    "payment.listed",
    when=lambda one, _: one["status"] not in PAID,
    name="paid-are-not-listed",
    does="Paid checkouts are not listed.",
)


@_PAGES.hears("list.description-query", on="list")
def percent_is_a_wildcard(ask: Ask) -> Ask:
    """A % in a descriptionQuery stands for anything."""
    query = query_of(ask)
    text = query.get("descriptionQuery", [""])[0]
    return asking(ask, {**query, "descriptionQuery": [text.split("%", maxsplit=1)[0]]}) if "%" in text else ask


@_PAGES.tells("list.as-read", on=("list",))
def list_is_a_summary(checkout: Checkout) -> Checkout:
    """A listing leaves out what may be left out."""
    return less(checkout, "metadata", "description", "expiresAt", "successRedirectUrl", "failRedirectUrl")


@_PAGES.tells("list.as-read", on=("list",))
def list_tells_other_times(checkout: Checkout) -> Checkout:
    """A listing has times in whole seconds that are rounded up."""
    return {**checkout, "createdAt": moved(checkout["createdAt"], seconds=1)}


@_PAGES.tells("list.one-status", on=("list",))
def list_tells_old_statuses(checkout: Checkout) -> Checkout:
    """A listing tells every checkout ACTIVE."""
    return {**checkout, "status": "ACTIVE"}


@_PAGES.server("list.nothing")
async def nothing_is_everything(server: Server, ask: Ask) -> Reply:
    """A descriptionQuery that finds nothing is answered 404."""
    reply = await server.forward(ask)
    if ask.act == "list" and reply.is_good and not content_of(reply.body)["checkouts"]:
        return error(404, "not_found")
    return reply
