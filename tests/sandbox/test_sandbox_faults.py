"""Faults: which requests they strike, and what the sender sees of each kind."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinbase_checkouts_sandbox.faults import UNKNOWN_FIELD, UNKNOWN_VALUE, Fault, complete, strikes

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox, Server

PATH = "/api/v1/checkouts"
FAULTS = "/__sandbox__/faults"
BODY = {"amount": "1.00", "currency": "USDC"}
OPERATIONS = ["createCheckout", "listCheckouts", "getCheckout", "deactivateCheckout", "refundCheckout"]


def struck_of(rule: dict[str, Any], asked: list[str]) -> list[bool]:
    """Which of these requests, by operation, a rule strikes."""
    fault, struck = Fault(1, complete(rule), 0, 0), list[bool]()
    for operation in asked:
        fault, hit = strikes(fault, operation)
        struck.append(hit)
    assert sum(struck) == fault.struck
    return struck


@given(
    skip=st.integers(0, 5),
    times=st.integers(1, 5) | st.none(),
    operation=st.sampled_from(["*", *OPERATIONS]),
    asked=st.lists(st.sampled_from(OPERATIONS), max_size=20),
)
def test_a_rule_strikes_by_count(skip: int, times: int | None, operation: str, asked: list[str]) -> None:
    """
    Of the requests of its operation a rule lets *skip* pass, and then strikes *times*, one after the other.
    """
    theirs = [number for number, name in enumerate(asked) if operation in {"*", name}]
    chosen = theirs[skip:] if times is None else theirs[skip : skip + times]
    rule = {"kind": "drop", "skip": skip, "times": times, "operation": operation}
    assert [number in chosen for number in range(len(asked))] == struck_of(rule, asked)


@given(probability=st.floats(0.01, 1), seed=st.integers(0, 2**53 - 1), times=st.integers(1, 100) | st.none())
@settings(max_examples=30, deadline=None)
def test_a_rule_strikes_by_chance(probability: float, seed: int, times: int | None) -> None:
    """
    The same seed strikes the same requests, as many as the probability says, and never more than *times*.
    """
    rule = {"kind": "drop", "probability": probability, "seed": seed}
    asked = ["getCheckout"] * 1000
    struck = struck_of(rule, asked)
    assert struck == struck_of(rule, asked)
    # Six standard deviations.
    assert abs(sum(struck) - 1000 * probability) <= 6 * (1000 * probability * (1 - probability)) ** 0.5 + 1
    if times is not None:
        expected = [hit and sum(struck[:number]) < times for number, hit in enumerate(struck)]
        assert expected == struck_of({**rule, "times": times}, asked)


def test_seeds_differ() -> None:
    """
    Two seeds strike different requests, and none draws below 0 or to 1.
    """
    asked = ["getCheckout"] * 50
    seen = {tuple(struck_of({"kind": "drop", "probability": 0.5, "seed": seed}, asked)) for seed in range(20)}
    assert 20 == len(seen)
    assert all(struck_of({"kind": "drop", "probability": 1}, asked))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"operation": "*", "skip": 0, "times": 1}),
        ({"times": 2, "operation": "getCheckout"}, {"operation": "getCheckout", "skip": 0, "times": 2}),
        ({"times": None}, {"operation": "*", "skip": 0, "times": None}),
        ({"probability": 0.5}, {"operation": "*", "skip": 0, "probability": 0.5}),
        ({"probability": 1, "seed": 7, "skip": 2}, {"operation": "*", "skip": 2, "probability": 1, "seed": 7}),
    ],
)
def test_a_rule_is_completed(asked: dict[str, Any], expected: dict[str, Any]) -> None:
    """
    Once, unless a count or a probability is given.
    """
    assert expected == complete(asked)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"kind": "fire"},
        {"kind": "drop", "oops": 1},
        {"kind": "drop", "operation": "about"},
        {"kind": "drop", "when": "during"},
        {"kind": "drop", "times": 0},
        {"kind": "drop", "times": 10**30},
        {"kind": "drop", "times": True},
        {"kind": "drop", "skip": -1},
        {"kind": "drop", "skip": 1.5},
        {"kind": "drop", "probability": 0},
        {"kind": "drop", "probability": 2},
        {"kind": "drop", "probability": "0.5"},
        {"kind": "drop", "probability": 0.5, "seed": -1},
        {"kind": "drop", "status": 500},
        {"kind": "drop", "retryAfter": 1},
        {"kind": "drop", "bytes": 1},
        {"kind": "drop", "milliseconds": 1},
        {"kind": "latency"},
        {"kind": "latency", "milliseconds": -1},
        {"kind": "latency", "milliseconds": 10**9},
        {"kind": "latency", "milliseconds": 1, "status": 500},
        {"kind": "rate_limit", "status": 500},
        {"kind": "rate_limit", "retryAfter": -1},
        {"kind": "error", "status": 200},
        {"kind": "error", "status": 600},
        {"kind": "truncate", "when": "after"},
        {"kind": "truncate", "bytes": -1},
        {"kind": "unknown_value", "when": "before"},
        [],
        None,
    ],
)
def test_a_wrong_rule_is_refused(sandbox: Sandbox, rule: Any) -> None:
    """
    What the control description does not allow is a 400 that names the place, and arms nothing.
    """
    answer = sandbox.call("POST", FAULTS, json=rule)
    assert (400, True) == (answer.status_code, answer.json()["errorMessage"].startswith("body"))
    if isinstance(rule, dict) and len(rule) > 1:
        assert any(f"/{name}" in answer.json()["errorMessage"] or name == "oops" for name in rule)
    assert [] == sandbox.faults()


def test_faults_are_listed_and_cleared(sandbox: Sandbox) -> None:
    """
    A fault tells what it saw and struck and whether it may strike again; cleared ones strike nothing, and numbers
    begin anew.
    """
    first = sandbox.arm("error", skip=1, operation="listCheckouts")
    sandbox.arm("undocumented_field", times=None)
    rule = {"id": 1, "kind": "error", "operation": "listCheckouts", "skip": 1, "times": 1}
    assert {**rule, "seen": 0, "struck": 0, "armed": True} == first
    checkout_id = sandbox.call("POST", PATH, json=BODY, judged=False).json()["id"]
    assert [200, 503, 200] == [sandbox.call("GET", PATH, judged=False).status_code for _ in range(3)]
    one, other = sandbox.faults()
    assert {**rule, "seen": 2, "struck": 1, "armed": False} == one
    assert (2, 4, 4, True, None) == (other["id"], other["seen"], other["struck"], other["armed"], other["times"])
    assert {"faults": []} == sandbox.call("DELETE", FAULTS).json()
    assert ([], checkout_id) == (sandbox.faults(), sandbox.get(checkout_id)["id"])
    assert 1 == sandbox.arm("drop")["id"]


def test_latency_is_real_time(sandbox: Sandbox) -> None:
    """
    A struck request is answered later by at least so many milliseconds, and otherwise as if nothing were.
    """
    sandbox.arm("latency", milliseconds=120)
    sandbox.arm("latency", milliseconds=80, when="after")
    started = time.monotonic()
    sandbox.create()
    assert 0.2 <= time.monotonic() - started
    assert [False, False] == [fault["armed"] for fault in sandbox.faults()]


@pytest.mark.parametrize("seconds", [None, 0, 7, 7.0])
def test_a_rate_limit_is_429(sandbox: Sandbox, seconds: float | None) -> None:
    """
    429 with its documented type, and with Retry-After in whole seconds if that was asked for.
    """
    sandbox.arm("rate_limit", **({} if seconds is None else {"retryAfter": seconds}))
    answer = sandbox.call("GET", PATH)
    assert (429, "rate_limit_exceeded") == (answer.status_code, answer.json()["errorType"])
    assert (None if seconds is None else str(int(seconds))) == answer.headers.get("retry-after")
    assert 200 == sandbox.call("GET", PATH).status_code


@pytest.mark.parametrize(
    ("asked", "status", "error_type"),
    [
        ({}, 503, "service_unavailable"),
        ({"status": 503.0}, 503, "service_unavailable"),
        ({"status": 500}, 500, "internal_server_error"),
        ({"status": 504, "retryAfter": 3}, 504, "timed_out"),
        ({"status": 418}, 418, "invalid_request"),
        ({"status": 599}, 599, "internal_server_error"),
    ],
)
def test_an_error_has_a_body(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, asked: dict[str, Any], status: int, error_type: str
) -> None:
    """
    Any status as an ErrorBody, whose correlation id is in the log.
    """
    caplog.set_level("INFO", "coinbase_checkouts_sandbox")
    sandbox.arm("error", **asked)
    answer = sandbox.call("GET", PATH, judged=False)
    content = answer.json()
    assert {"errorType", "errorMessage", "correlationId", "errorLink"} == set(content)
    assert (status, error_type) == (answer.status_code, content["errorType"])
    assert (str(asked["retryAfter"]) if "retryAfter" in asked else None) == answer.headers.get("retry-after")
    assert any(f"{status} in" in line and content["correlationId"] in line for line in caplog.messages)


def test_html_comes_from_an_edge(sandbox: Sandbox) -> None:
    """
    A page in place of JSON, with any status and Retry-After.
    """
    sandbox.arm("html")
    sandbox.arm("html", status=403, retryAfter=1)
    answers = [sandbox.call("GET", PATH, judged=False) for _ in range(2)]
    # Both strike the first request; the one that was armed first is answered, and neither is left for the second.
    assert [502, 200] == [answer.status_code for answer in answers]
    assert answers[0].headers["content-type"].startswith("text/html")
    assert answers[0].text.startswith("<html>")
    sandbox.arm("html", status=403, retryAfter=1)
    answer = sandbox.call("GET", PATH, judged=False)
    assert (403, "1") == (answer.status_code, answer.headers["retry-after"])


@pytest.mark.parametrize(("kind", "field"), [("unknown_value", "status"), ("undocumented_field", UNKNOWN_FIELD)])
def test_an_answer_says_what_nobody_knows(sandbox: Sandbox, kind: str, field: str) -> None:
    """
    Every Checkout of a created, read, listed, deactivated or refunded one has it; what is kept has not.
    """
    paid, other = sandbox.pay(sandbox.create()["id"])["id"], sandbox.create()["id"]
    sandbox.arm(kind, times=None)
    new = sandbox.call("POST", PATH, json=BODY, judged=False).json()
    read = sandbox.call("GET", f"{PATH}/{paid}", judged=False).json()
    ended = sandbox.call("POST", f"{PATH}/{other}/deactivate", judged=False).json()
    back = sandbox.call("POST", f"{PATH}/{paid}/refund", json={"amount": "1"}, judged=False).json()
    listed = sandbox.call("GET", PATH, judged=False).json()["checkouts"]
    expected = UNKNOWN_VALUE if field == "status" else "undocumented"
    for checkout in (new, read, ended, back["checkout"], *listed):
        assert expected == checkout[field]
    assert (3, "PENDING") == (len(listed), back["refund"]["status"])
    sandbox.call("DELETE", FAULTS)
    assert ["ACTIVE", "DEACTIVATED", "PARTIALLY_REFUNDED"] == sorted(
        sandbox.get(checkout["id"])["status"] for checkout in listed
    )


@pytest.mark.parametrize("kind", ["rate_limit", "error", "html", "drop"])
def test_before_means_that_nothing_was_done(sandbox: Sandbox, kind: str, idempotency_key: str) -> None:
    """
    A fault that comes before leaves no checkout; the same request acts when it is sent again.
    """
    headers = {"X-Idempotency-Key": idempotency_key}
    sandbox.arm(kind)
    assert lost(sandbox, headers)
    assert [] == sandbox.call("GET", PATH).json()["checkouts"]
    assert 201 == sandbox.call("POST", PATH, json=BODY, headers=headers).status_code


@pytest.mark.parametrize("kind", ["rate_limit", "error", "html", "drop"])
def test_after_means_that_it_was_done(sandbox: Sandbox, kind: str, idempotency_key: str) -> None:
    """
    A fault that comes after leaves one checkout; the same key is given its answer, and makes no second one.
    """
    headers = {"X-Idempotency-Key": idempotency_key}
    sandbox.arm(kind, when="after")
    assert lost(sandbox, headers)
    [made] = sandbox.call("GET", PATH).json()["checkouts"]
    again = sandbox.call("POST", PATH, json=BODY, headers=headers)
    assert (201, made) == (again.status_code, again.json())
    assert [made] == sandbox.call("GET", PATH).json()["checkouts"]


def lost(sandbox: Sandbox, headers: dict[str, str]) -> bool:
    """Whether a create was answered by a fault."""
    try:
        return sandbox.call("POST", PATH, json=BODY, headers=headers, judged=False).status_code >= 400
    except httpx.RemoteProtocolError:
        return True


def test_a_refund_is_done_once_whatever_is_lost(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    A refund whose answer was lost twice and spoiled once is one refund.
    """
    paid = sandbox.pay(sandbox.create()["id"])["id"]
    sandbox.arm("drop", when="after", times=2, operation="refundCheckout")
    sandbox.arm("unknown_value", skip=2, operation="refundCheckout")

    def refund() -> dict[str, Any]:
        headers = {"X-Idempotency-Key": idempotency_key}
        path = f"{PATH}/{paid}/refund"
        answer: dict[str, Any] = sandbox.call(
            "POST", path, json={"amount": "100"}, headers=headers, judged=False
        ).json()
        return answer

    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            refund()
    spoiled, good = refund(), refund()
    assert (UNKNOWN_VALUE, "REFUNDED") == (spoiled["checkout"]["status"], good["checkout"]["status"])
    assert [good["refund"]] == [spoiled["refund"]] == sandbox.get(paid)["refunds"]


def test_refused_requests_are_not_counted(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    A request without a token, or one that breaks the description, meets no fault and leaves it armed.
    """
    sandbox = sandbox_with()
    sandbox.arm("error", times=None)
    assert 400 == sandbox.call("POST", PATH, json={}).status_code
    assert 400 == sandbox.call("GET", f"{PATH}/nonsense").status_code
    assert 405 == sandbox.call("PUT", PATH).status_code
    guarded = sandbox_with(keys={})
    guarded.arm("error", times=None)
    assert 401 == guarded.call("GET", PATH).status_code
    assert [0, 0] == [fault["seen"] for either in (sandbox, guarded) for fault in either.faults()]


def test_several_rules_strike_together(sandbox: Sandbox) -> None:
    """
    Each is counted, those that shape an answer are all seen in it, and the first that replaces it wins.
    """
    checkout_id = sandbox.create()["id"]
    sandbox.arm("unknown_value")
    sandbox.arm("undocumented_field")
    answer = sandbox.call("GET", f"{PATH}/{checkout_id}", judged=False).json()
    assert (UNKNOWN_VALUE, "undocumented") == (answer["status"], answer[UNKNOWN_FIELD])
    sandbox.arm("undocumented_field")
    sandbox.arm("error", status=500, when="after")
    sandbox.arm("error", status=504)
    assert 504 == sandbox.call("GET", f"{PATH}/{checkout_id}", judged=False).status_code
    assert [1] * 5 == [fault["struck"] for fault in sandbox.faults()]


def cut_off(url: str) -> tuple[bytes, int]:
    """What arrives of the answer to a create, and how long it was to be."""
    parts: list[bytes] = []
    with httpx.stream("POST", url + PATH, json=BODY) as answer:
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            parts.extend(answer.iter_raw())
        return b"".join(parts), int(answer.headers["content-length"])


def test_a_body_ends_in_the_middle(serve: Callable[..., Server]) -> None:
    """
    A client is promised the whole body, gets that many bytes of it and then the end; the checkout is there.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    for kept in (None, 0, 10, 10.0, 10**9):
        httpx.post(server.url + FAULTS, json={"kind": "truncate", **({} if kept is None else {"bytes": kept})})
        arrived, length = cut_off(server.url)
        assert (length // 2 if kept is None else min(kept, length - 1)) == len(arrived)
        [made, *_] = httpx.get(server.url + PATH).json()["checkouts"]
        whole = httpx.get(f"{server.url}{PATH}/{made['id']}").content
        assert (True, length) == (arrived[:9] in whole, len(whole))
    assert 5 == len(httpx.get(server.url + PATH).json()["checkouts"])
    assert 0 == server.stop()
    assert "Traceback" not in server.log.read_text()


def test_truncation_comes_last(serve: Callable[..., Server]) -> None:
    """
    In whatever order they were armed, an answer that is shaped and truncated is both.
    """
    url = serve("--no-auth", "--database", "sqlite://").url
    truncate, field = {"kind": "truncate", "bytes": 1000}, {"kind": "undocumented_field"}
    for rules in ((truncate, field), (field, truncate)):
        for rule in rules:
            assert 201 == httpx.post(url + FAULTS, json=rule).status_code
        # All but the last byte, however much was asked for.
        assert cut_off(url)[0].endswith(f'"{UNKNOWN_FIELD}":"undocumented"'.encode())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_is_dropped(serve: Callable[..., Server], when: str, idempotency_key: str) -> None:
    """
    A client sees the end of the connection in place of an answer, others keep theirs, and the log has no complaint.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    headers = {"X-Idempotency-Key": idempotency_key}
    with httpx.Client(base_url=server.url) as client, httpx.Client(base_url=server.url) as other:
        assert 200 == client.get(PATH).status_code == other.get(PATH).status_code
        client.post(FAULTS, json={"kind": "drop", "when": when})
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            client.post(PATH, json=BODY, headers=headers)
        assert (1 if when == "after" else 0) == len(other.get(PATH).json()["checkouts"])
        answers = {each.post(PATH, json=BODY, headers=headers).content for each in (client, other)}
        assert (1, 1) == (len(answers), len(other.get(PATH).json()["checkouts"]))
    assert 0 == server.stop()
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(("kind", "answered"), [("drop", 1), ("truncate", 2)])
def test_a_dropped_connection_ends_what_follows_on_it(serve: Callable[..., Server], kind: str, answered: int) -> None:
    """
    Requests that were sent together with the one that is dropped get no answer, and none of them outlives it.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    assert 201 == httpx.post(server.url + FAULTS, json={"kind": kind, "skip": 1}).status_code
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {address.host}\r\n\r\n".encode() * 3)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answered == received.count(b"HTTP/1.1 200 OK")
    assert 0 == server.stop()
    assert not any(word in server.log.read_text() for word in ("Traceback", "Cancel"))


def test_a_slow_answer_holds_up_nobody_else(serve: Callable[..., Server]) -> None:
    """
    While one request waits, a client with less patience gives up on it, and others are answered at once.
    """
    server = serve("--no-auth", "--database", "sqlite://")
    httpx.post(server.url + FAULTS, json={"kind": "latency", "milliseconds": 60_000, "operation": "createCheckout"})
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.url + PATH, json=BODY, timeout=0.2)
    started = time.monotonic()
    assert 201 == httpx.post(server.url + PATH, json=BODY).status_code
    assert 0 == server.stop()
    assert time.monotonic() - started < 20
    assert "Traceback" not in server.log.read_text()


def test_two_processes_share_a_count(serve: Callable[..., Server]) -> None:
    """
    Of many requests at once to two servers on one file exactly three are struck.
    """
    urls = [serve("--no-auth").url, serve("--no-auth").url]
    httpx.post(urls[0] + FAULTS, json={"kind": "error", "times": 3, "skip": 4})

    def create(number: int) -> int:
        return httpx.post(urls[number % 2] + PATH, json=BODY, timeout=60).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, range(24)))
    assert (3, 21) == (statuses.count(503), statuses.count(201))
    [fault] = httpx.get(urls[1] + FAULTS).json()["faults"]
    assert (7, 3, False) == (fault["seen"], fault["struck"], fault["armed"])


def test_control_calls_are_never_struck(sandbox: Sandbox) -> None:
    """
    What breaks every operation leaves paying, settling, the clock and the payment page alone.
    """
    checkout_id = sandbox.create()["id"]
    sandbox.arm("drop", times=None)
    sandbox.arm("latency", times=None, milliseconds=60_000)
    started = time.monotonic()
    assert "COMPLETED" == sandbox.pay(checkout_id)["status"]
    sandbox.advance(1)
    assert 200 == sandbox.call("GET", f"/pay/{checkout_id}", judged=False).status_code
    assert time.monotonic() - started < 20
    assert [0, 0] == [fault["seen"] for fault in sandbox.faults()]


def test_a_server_that_cannot_drop_says_so(sandbox: Sandbox) -> None:
    """
    Under a transport that knows nothing of dropping, a dropped connection is an error of the connection.
    """
    import asyncio

    sandbox.arm("drop")

    async def ask() -> None:
        transport = httpx.ASGITransport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await client.get(PATH)

    with pytest.raises(ConnectionResetError, match="fault"):
        asyncio.run(ask())
