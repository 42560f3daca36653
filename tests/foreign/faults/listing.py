"""Pages that lose, repeat, or hold what nobody asked for."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from ..shop import Answer, Checkout, RefusedError, Request, Shop, moment
from .fault import After, Before, Body, fault


def listed(change: Callable[[Shop, Request, Body], object]) -> After:
    """Change a good page."""

    def after(shop: Shop, request: Request, answer: Answer) -> Answer:
        if request.operation == "list" and answer.status == 200:
            change(shop, request, answer.body)
        return answer

    return after


def asked_for(change: Callable[[dict[str, list[str]]], object]) -> Before:
    """Change what a list is asked for."""

    def before(_: Shop, request: Request) -> Request:
        if request.operation == "list":
            change(request.query)
        return request

    return before


def seen_before(shop: Shop, _: Request, body: Body) -> None:
    """The last item of a page opens the next."""
    if "nextPageToken" in body and (last := body["checkouts"][-1:]):
        shop.tokens["again:" + body["nextPageToken"]] = (last[0], 0, 0)


def repeats(shop: Shop, request: Request, body: Body) -> None:
    """Repeat the last item of the page before."""
    token = "again:" + request.query.get("pageToken", [""])[0]
    if token in shop.tokens:
        body["checkouts"].insert(0, shop.tokens[token][0])
    seen_before(shop, request, body)


def off(name: str, by: int) -> Callable[[dict[str, list[str]]], object]:
    """A number in a query, changed."""

    def change(query: dict[str, list[str]]) -> None:
        if query.get(name, [""])[-1].isdecimal() and 1 <= int(query[name][-1]) <= 100:
            query[name] = [str(int(query[name][-1]) + by)]

    return change


def firsts_only(name: str) -> Callable[[dict[str, list[str]]], object]:
    """A filter that counts on the first page only."""
    return lambda query: query.pop(name, None) if "pageToken" in query else None


def without(name: str) -> Callable[[dict[str, list[str]]], object]:
    """A parameter that does not count."""
    return lambda query: query.pop(name, None)


def as_set(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[dict[str, list[str]]], object]:
    """A parameter read in another way."""
    return lambda query: query.__setitem__(name, change(query[name])) if name in query else None


def plus(seconds: float) -> Callable[[list[str]], list[str]]:
    """Date-times moved."""

    def moved(texts: list[str]) -> list[str]:
        when = moment(texts[-1])
        return [(when + timedelta(seconds=seconds)).isoformat()] if when else texts

    return moved


def unzoned(texts: list[str]) -> list[str]:
    """Offsets overlooked."""
    return [re.sub(r"[+-]\d\d:\d\d$", "Z", texts[-1])]


def cut(name: str) -> Callable[[dict[str, list[str]]], object]:
    """Drop a parameter that cannot be read."""
    return lambda query: query.pop(name) if name in query and moment(query[name][-1]) is None else None


def clamped(query: dict[str, list[str]]) -> None:
    """Sizes out of bounds are brought in."""
    size = query.get("pageSize", ["20"])[-1]
    if re.fullmatch("-?[0-9]{1,9}", size):
        query["pageSize"] = [str(min(100, max(1, int(size))))]


def like(shop: Shop, checkout: Checkout, words: str) -> bool:
    """As SQL has it: % and _ stand for others."""
    pattern = re.escape(words).replace("%", ".*").replace("_", ".")
    return re.search(pattern, checkout.asked.get("description", ""), re.IGNORECASE | re.DOTALL) is not None


def any_word(_: Shop, checkout: Checkout, words: str) -> bool:
    """Each word for itself."""
    text = checkout.asked.get("description", "").casefold()
    return not words or any(word in text for word in words.casefold().split())


def any_filter(shop: Shop, checkout: Checkout, query: Mapping[str, list[str]]) -> bool:
    """One filter that fits is enough."""
    named = [name for name in ("status", "startTime", "endTime", "descriptionQuery") if query.get(name)]
    return not named or any(Shop.matches(shop, checkout, {name: query[name]}) for name in named)


def swapped(query: dict[str, list[str]]) -> None:
    """The earlier of two times is the start."""
    times = [moment(query.get(name, [""])[-1]) for name in ("startTime", "endTime")]
    if times[0] and times[1] and times[0] > times[1]:
        query["startTime"], query["endTime"] = query["endTime"], query["startTime"]


def hides(status: str) -> Callable[[Shop, Request, Body], object]:
    """Leave out what has a status."""
    return lambda _, __, body: body.update(checkouts=[one for one in body["checkouts"] if one["status"] != status])


fault(
    "page-loses-boundary",
    "The first item of each further page is lost.",
    after=listed(
        lambda _, request, body: (
            body["checkouts"].pop(0) if "pageToken" in request.query and len(body["checkouts"]) > 1 else None
        )
    ),
)
fault(
    "page-loses-boundary-one",
    "The only item of a further page is lost.",
    after=listed(
        lambda _, request, body: (
            body["checkouts"].clear() if "pageToken" in request.query and "nextPageToken" not in body else None
        )
    ),
)
fault("page-repeats-boundary", "The last item of a page opens the next.", after=listed(repeats))
fault(
    "page-size-ignored",
    "Pages have twenty items whatever is asked for.",
    before=asked_for(
        lambda query: (
            query.update(pageSize=["20"]) if re.fullmatch("[1-9][0-9]?|100", query.get("pageSize", [""])[-1]) else None
        )
    ),
)
fault(
    "page-size-more",
    "Pages have one item more.",
    before=asked_for(off("pageSize", 1)),
    forgives=frozenset({"pageSize.high"}),
)
fault(
    "page-size-first-only",
    "Further pages have twenty items.",
    before=asked_for(lambda query: query.update(pageSize=["20"]) if "pageToken" in query else None),
)
fault(
    "page-size-100-is-50",
    "Pages have at most fifty items, and there is no token then.",
    after=listed(
        lambda _, __, body: (
            (body.pop("nextPageToken", 0), body.update(checkouts=body["checkouts"][:1]))
            if len(body["checkouts"]) > 1 and "nextPageToken" in body
            else None
        )
    ),
)
fault(
    "page-default-10",
    "Without pageSize there are ten items.",
    before=asked_for(lambda query: query.setdefault("pageSize", ["10"])),
)
fault(
    "page-default-100",
    "Without pageSize there are a hundred items.",
    before=asked_for(lambda query: query.setdefault("pageSize", ["100"])),
)
fault(
    "page-default-21",
    "Without pageSize there are twenty-one items.",
    before=asked_for(lambda query: query.setdefault("pageSize", ["21"])),
)
fault(
    "page-size-0",
    "A pageSize of 0 is the default.",
    before=asked_for(lambda query: query.update(pageSize=["20"]) if query.get("pageSize") == ["0"] else None),
)
fault("page-size-101", "A pageSize of 101 is accepted.", forgives=frozenset({"pageSize.high"}))
fault("page-size-clamped", "A pageSize out of bounds is brought in.", before=asked_for(clamped))
fault(
    "page-size-text",
    "A pageSize that is no number is the default.",
    before=asked_for(
        lambda query: (
            query.update(pageSize=["20"]) if not re.fullmatch("-?[0-9]+", query.get("pageSize", ["20"])[-1]) else None
        )
    ),
)
fault(
    "page-size-decimal",
    "A pageSize of 2.5 is 2.",
    before=asked_for(as_set("pageSize", lambda texts: [re.sub(r"\.[0-9]+$", "", texts[-1])])),
)
fault(
    "page-token-always",
    "The last page has a token, of an empty page.",
    after=listed(
        lambda shop, request, body: (
            body.setdefault("nextPageToken", shop.token(request.query, 10**90)) if body["checkouts"] else None
        )
    ),
)
fault(
    "page-token-for-ever",
    "Every page has a token.",
    after=listed(lambda shop, request, body: body.setdefault("nextPageToken", shop.token(request.query, 10**90))),
)
fault(
    "page-token-loops",
    "The last page leads to the first.",
    after=listed(lambda shop, request, body: body.setdefault("nextPageToken", shop.token(request.query, -1))),
)
fault(
    "page-token-null",
    "The last page has a null token.",
    after=listed(lambda _, __, body: body.setdefault("nextPageToken", None)),
)
fault(
    "page-token-number",
    "Tokens are numbers.",
    after=listed(lambda _, __, body: body.update(nextPageToken=7) if "nextPageToken" in body else None),
)
fault("page-token-lost", "There is never a token.", after=listed(lambda _, __, body: body.pop("nextPageToken", 0)))
fault(
    "page-shuffled",
    "Pages are drawn from an order that changes.",
    changes={"rank": lambda shop, one: hash((one.id, len(shop.tokens)))},
    reading="a",
)
fault("list-data", "The items are in data.", after=listed(lambda _, __, body: body.update(data=body.pop("checkouts"))))
fault(
    "list-bare",
    "A list is an array.",
    after=lambda _, request, answer: (
        replace(answer, body=answer.body["checkouts"])
        if request.operation == "list" and answer.status == 200
        else answer
    ),
)
fault(
    "list-without-empty",
    "An empty page has no checkouts.",
    after=listed(lambda _, __, body: body.pop("checkouts") if not body["checkouts"] else None),
)
fault(
    "list-null-empty",
    "An empty page has null for checkouts.",
    after=listed(lambda _, __, body: body.update(checkouts=None) if not body["checkouts"] else None),
)
fault(
    "list-404-empty",
    "An empty page is a 404.",
    after=lambda shop, request, answer: (
        Answer(404, shop.error(RefusedError(404, "not_found", "none")))
        if request.operation == "list" and answer.status == 200 and not answer.body["checkouts"]
        else answer
    ),
)
for status in ("DEACTIVATED", "EXPIRED", "FAILED", "PROCESSING"):
    fault(
        f"list-hides-{status.lower()}",
        f"A list has nothing that is {status}.",
        after=listed(hides(status)),
    )
fault("filter-status-ignored", "status does not count.", before=asked_for(without("status")))
fault(
    "filter-status-last",
    "Of several statuses the last counts.",
    before=asked_for(as_set("status", lambda texts: texts[-1:])),
)
fault(
    "filter-status-first",
    "Of several statuses the first counts.",
    before=asked_for(as_set("status", lambda texts: texts[:1])),
)
fault(
    "filter-status-first-page",
    "status counts on the first page only.",
    before=asked_for(firsts_only("status")),
    reading="b",
)
fault(
    "filter-status-lower",
    "Lower-case statuses are read.",
    before=asked_for(as_set("status", lambda texts: [text.upper() for text in texts])),
)
fault("filter-status-any", "A status that is none finds nothing.", forgives=frozenset({"status"}))
fault(
    "filter-status-active-only",
    "Statuses but ACTIVE find nothing.",
    after=listed(
        lambda _, request, body: (
            body.update(checkouts=[])
            if request.query.get("status") and "ACTIVE" not in request.query["status"]
            else None
        )
    ),
)
fault(
    "filter-refunded-lost",
    "PARTIALLY_REFUNDED finds REFUNDED.",
    before=asked_for(
        as_set("status", lambda texts: ["REFUNDED" if text == "PARTIALLY_REFUNDED" else text for text in texts])
    ),
)
fault(
    "filter-start-ignored",
    "startTime does not count.",
    before=asked_for(lambda query: query.pop("startTime", 0) if moment(query.get("startTime", [""])[-1]) else None),
)
fault(
    "filter-start-exclusive",
    "startTime excludes itself.",
    changes={"since": lambda _, one, query: not query.get("startTime") or one.created > moment(query["startTime"][-1])},
)
fault("filter-start-early", "startTime is a minute early.", before=asked_for(as_set("startTime", plus(-60))))
fault(
    "filter-start-day",
    "startTime is the day's beginning.",
    before=asked_for(
        as_set("startTime", lambda texts: [texts[-1][:10] + "T00:00:00Z"] if moment(texts[-1]) else texts)
    ),
)
fault(
    "filter-end-ignored",
    "endTime does not count.",
    before=asked_for(lambda query: query.pop("endTime", 0) if moment(query.get("endTime", [""])[-1]) else None),
)
fault(
    "filter-end-exclusive-micro",
    "endTime excludes itself.",
    changes={"until": lambda _, one, query: not query.get("endTime") or one.created < moment(query["endTime"][-1])},
    reading="b",
)
fault(
    "filter-end-exclusive-whole",
    "endTime excludes itself, in whole seconds.",
    changes={"until": lambda _, one, query: not query.get("endTime") or one.created < moment(query["endTime"][-1])},
    reading="a",
)
fault("filter-end-late", "endTime is a minute late.", before=asked_for(as_set("endTime", plus(60))))
fault("filter-end-early", "endTime is two seconds early.", before=asked_for(as_set("endTime", plus(-2))))
fault(
    "filter-end-updated",
    "endTime is held against updatedAt.",
    changes={"until": lambda shop, one, query: Shop.until(shop, replace(one, created=one.updated), query)},
)
fault(
    "filter-start-updated",
    "startTime is held against updatedAt.",
    changes={"since": lambda shop, one, query: Shop.since(shop, replace(one, created=one.updated), query)},
)
fault(
    "filter-start-expires",
    "startTime is held against expiresAt.",
    changes={"since": lambda shop, one, query: Shop.since(shop, replace(one, created=one.expires), query)},
)
fault(
    "filter-times-first-page",
    "Times count on the first page only.",
    before=asked_for(
        lambda query: (query.pop("startTime", 0), query.pop("endTime", 0)) if "pageToken" in query else None
    ),
    reading="b",
)
fault(
    "filter-offset",
    "Offsets in times are overlooked.",
    before=asked_for(lambda query: (as_set("startTime", unzoned)(query), as_set("endTime", unzoned)(query))),
)
fault("filter-start-any", "A startTime that is none does not count.", before=asked_for(cut("startTime")))
fault("filter-end-any", "An endTime that is none does not count.", before=asked_for(cut("endTime")))
fault("filter-words-ignored", "descriptionQuery does not count.", before=asked_for(without("descriptionQuery")))
fault(
    "filter-words-case",
    "descriptionQuery minds the case.",
    changes={"described": lambda _, one, words: words in one.asked.get("description", "")},
)
fault(
    "filter-words-prefix",
    "descriptionQuery finds beginnings.",
    changes={
        "described": lambda _, one, words: one.asked.get("description", "").casefold().startswith(words.casefold())
    },
)
fault(
    "filter-words-whole",
    "descriptionQuery finds whole words.",
    changes={
        "described": lambda _, one, words: (
            not words
            or re.search(rf"\b{re.escape(words)}\b", one.asked.get("description", ""), re.IGNORECASE) is not None
        )
    },
)
fault("filter-words-like", "descriptionQuery knows % and _.", changes={"described": like})
fault(
    "filter-words-pattern",
    "descriptionQuery is a regular expression.",
    changes={
        "described": lambda _, one, words: (
            re.search(words.replace("(", r"\("), one.asked.get("description", ""), re.IGNORECASE) is not None
        )
    },
)
fault("filter-words-any", "One word of descriptionQuery is enough.", changes={"described": any_word})
fault(
    "filter-words-first-page",
    "descriptionQuery counts on the first page only.",
    before=asked_for(firsts_only("descriptionQuery")),
    reading="b",
)
fault(
    "filter-words-metadata",
    "descriptionQuery finds metadata, too.",
    changes={
        "described": lambda shop, one, words: (
            Shop.described(shop, one, words) or words in json.dumps(one.asked.get("metadata", {}))
        )
    },
)
fault("filter-words-501", "descriptionQuery may be longer.", forgives=frozenset({"descriptionQuery"}))
fault("filters-or", "One filter that fits is enough.", changes={"matches": any_filter})
fault("filter-swapped", "A startTime after endTime is taken for it.", before=asked_for(swapped))
