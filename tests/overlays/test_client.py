"""The two clients against a real server on loopback, faults included."""

from __future__ import annotations

import base64
import gzip
import inspect
import json
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from coinbase_checkouts import UNSET, ApiKey, AsyncCheckouts, Checkouts
from coinbase_checkouts.errors import (
    ConfigurationError,
    InvalidRequestError,
    InvalidResponseError,
    NoResponseError,
    NotFoundError,
    Outcome,
    ServerError,
)
from coinbase_checkouts.idempotency import key_for
from coinbase_checkouts.sensor import Drift

from .conftest import CUT, DRIP, DROP, FLOOD, GARBAGE, HANG, HEADERS, HINTS, Received, Reply, Server

ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jitter draws nothing, so that retries follow at once."""
    monkeypatch.setattr("coinbase_checkouts.shells.random.random", lambda: 0.0)


@pytest.fixture
def client(server: Server, api_key: ApiKey) -> Iterator[Checkouts]:
    with Checkouts(api_key, base_url=server.url) as made:
        yield made


@pytest.fixture(params=[False, True], ids=["httpx", "aiohttp"])
def aiohttp(request: pytest.FixtureRequest) -> bool:
    """Whether the async client uses aiohttp's connections; both ways are one behaviour."""
    used: bool = request.param
    return used


@pytest.fixture
async def aclient(server: Server, api_key: ApiKey, aiohttp: bool) -> AsyncIterator[AsyncCheckouts]:
    async with AsyncCheckouts(api_key, base_url=server.url, aiohttp=aiohttp) as made:
        yield made


def refunded(checkout_json: dict[str, Any]) -> dict[str, Any]:
    refund = {"id": "r", "checkoutId": ID, "amount": "25.00", "status": "PENDING", "createdAt": "2026-11-20T11:00:00Z"}
    return {"checkout": {**checkout_json, "refunds": [refund]}, "refund": refund}


@pytest.mark.anyio
async def test_five_operations_sync_and_async(
    server: Server, client: Checkouts, aclient: AsyncCheckouts, checkout_json: dict[str, Any]
) -> None:
    """
    Both clients send the same five requests and read the same answers.
    """
    page = {"checkouts": [checkout_json]}
    server.answer(checkout_json, checkout_json, page, checkout_json, refunded(checkout_json))
    results = [
        client.create("100.50", idempotency_key=KEY),
        client.get(ID),
        list(client.list(status=["COMPLETED", "REFUNDED"], page_size=2)),
        client.deactivate(ID),
        client.refund(ID, "25.00", idempotency_key=KEY),
    ]
    server.script = server.script * 2
    aresults = [
        await aclient.create("100.50", idempotency_key=KEY),
        await aclient.get(ID),
        [found async for found in aclient.list(status=["COMPLETED", "REFUNDED"], page_size=2)],
        await aclient.deactivate(ID),
        await aclient.refund(ID, "25.00", idempotency_key=KEY),
    ]
    assert results == aresults
    lines = [(request.method, request.target) for request in server.received]
    assert [
        ("POST", "/api/v1/checkouts"),
        ("GET", f"/api/v1/checkouts/{ID}"),
        ("GET", "/api/v1/checkouts?pageSize=2&status=COMPLETED&status=REFUNDED"),
        ("POST", f"/api/v1/checkouts/{ID}/deactivate"),
        ("POST", f"/api/v1/checkouts/{ID}/refund"),
    ] * 2 == lines
    assert [KEY, None, None, None, KEY] * 2 == [request.headers.get("x-idempotency-key") for request in server.received]
    assert all(request.headers["authorization"].startswith("Bearer ey") for request in server.received)
    assert all(request.headers["user-agent"].startswith("coinbase-checkouts/") for request in server.received)


def test_sync_and_async_have_the_same_signatures() -> None:
    """
    Whoever knows one client knows the other.
    """
    for name in ("create", "get", "list", "deactivate", "refund", "wait", "with_options"):
        assert (
            inspect.signature(getattr(Checkouts, name)).parameters
            == inspect.signature(getattr(AsyncCheckouts, name)).parameters
        )


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fault", [DROP, CUT, Reply(503), Reply(520, b"<html>"), Reply(429, headers={"Retry-After": "0"})]
)
async def test_passing_fault_costs_a_retry_and_nothing_else(
    fault: str | Reply, server: Server, client: Checkouts, aclient: AsyncCheckouts, checkout_json: dict[str, Any]
) -> None:
    """
    The retry carries the same key and bytes, and a new token.
    """
    server.answer(fault, checkout_json)
    assert client.create("100.50").id == ID
    first, second = server.received
    assert first.body == second.body
    assert first.headers["x-idempotency-key"] == second.headers["x-idempotency-key"]
    assert first.headers["authorization"] != second.headers["authorization"]
    server.received.clear()
    assert (await aclient.create("100.50")).id == ID
    assert len(server.received) == 2


@pytest.mark.anyio
async def test_lost_answer_says_that_the_outcome_is_unknown(
    server: Server, client: Checkouts, aclient: AsyncCheckouts
) -> None:
    """
    After the last attempt the error carries the key to go on with, and says that it may have happened.
    """
    server.answer(DROP)
    with pytest.raises(NoResponseError) as caught:
        client.create("1")
    assert (Outcome.UNKNOWN, 3) == (caught.value.outcome, len(server.received))
    assert server.received[0].headers["x-idempotency-key"] == caught.value.idempotency_key
    with pytest.raises(NoResponseError, match="createCheckout: no answer: ") as acaught:
        await aclient.create("1")
    assert (Outcome.UNKNOWN, 6) == (acaught.value.outcome, len(server.received))


@pytest.mark.anyio
async def test_unreachable_server_is_a_typed_error(closed_port: int, api_key: ApiKey, aiohttp: bool) -> None:
    """
    Where nobody listens nothing was sent, and the error says so.
    """
    url = f"http://127.0.0.1:{closed_port}"
    with Checkouts(api_key, base_url=url, max_retries=0) as client, pytest.raises(NoResponseError) as caught:
        client.create("1")
    assert caught.value.outcome is Outcome.NOT_SENT
    async with AsyncCheckouts(api_key, base_url=url, max_retries=0, aiohttp=aiohttp) as aclient:
        with pytest.raises(NoResponseError, match="Connect") as acaught:
            await aclient.create("1")
    assert acaught.value.outcome is Outcome.NOT_SENT


@pytest.mark.anyio
async def test_hanging_server_is_given_up(server: Server, api_key: ApiKey, aiohttp: bool) -> None:
    """
    A server that never answers ends in an error after the timeout, not in a wait for ever.
    """
    server.answer(HANG)
    with (
        Checkouts(api_key, base_url=server.url, timeout=0.05, max_retries=0) as client,
        pytest.raises(NoResponseError, match="ReadTimeout"),
    ):
        client.get(ID)
    async with AsyncCheckouts(api_key, base_url=server.url, timeout=0.05, max_retries=0, aiohttp=aiohttp) as aclient:
        with pytest.raises(NoResponseError, match="not all of it came in time"):
            await aclient.get(ID)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "reason"), [(DRIP, "ReadTimeout|not all of it came in time"), (FLOOD, "it had more than")]
)
async def test_answer_without_end_is_given_up(
    fault: str, reason: str, *, server: Server, api_key: ApiKey, aiohttp: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A body that drips, or pours, for ever ends in an error, though each piece of it comes in time.
    """
    monkeypatch.setattr("coinbase_checkouts.transport.ANSWER_LIMIT_BYTES", 1_000_000)
    server.answer(fault)
    timeout = 0.1 if fault == DRIP else 30
    with (
        Checkouts(api_key, base_url=server.url, timeout=timeout, max_retries=0) as client,
        pytest.raises(NoResponseError, match=reason),
    ):
        client.get(ID)
    async with AsyncCheckouts(api_key, base_url=server.url, timeout=timeout, max_retries=0, aiohttp=aiohttp) as aclient:
        with pytest.raises(NoResponseError, match=reason):
            await aclient.get(ID)


@pytest.mark.anyio
async def test_html_is_a_typed_error(server: Server, client: Checkouts, aclient: AsyncCheckouts) -> None:
    """
    A page of a proxy with status 200 is an InvalidResponseError, and is not repeated.
    """
    server.answer(Reply(200, b"<html>sign in</html>"))
    with pytest.raises(InvalidResponseError):
        client.get(ID)
    with pytest.raises(InvalidResponseError):
        await aclient.get(ID)
    assert len(server.received) == 2


def test_redirect_is_not_followed(server: Server, client: Checkouts) -> None:
    """
    A redirect takes the token nowhere.
    """
    server.answer(Reply(307, headers={"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(InvalidResponseError, match="redirects"):
        client.create("1")
    assert len(server.received) == 1


def test_api_error_is_raised_with_its_words(server: Server, client: Checkouts) -> None:
    """
    A missing checkout is NotFoundError, with what the service said about it.
    """
    body = json.dumps({"errorType": "not_found", "errorMessage": "Checkout not found", "correlationId": "c-1"})
    server.answer(Reply(404, body.encode()))
    with pytest.raises(NotFoundError, match=r"getCheckout: 404 not_found: Checkout not found \(correlation id c-1\)"):
        client.get(ID)


@pytest.mark.anyio
async def test_listing_reads_page_after_page(
    server: Server, client: Checkouts, aclient: AsyncCheckouts, checkout_json: dict[str, Any]
) -> None:
    """
    The token of a page is sent for the next, with the same filters.
    """
    pages: list[dict[str, Any]] = [
        {"checkouts": [checkout_json], "nextPageToken": "t/1="},
        {"checkouts": [{**checkout_json, "id": "0" * 24}]},
    ]
    server.answer(*pages, *pages)
    assert [ID, "0" * 24] == [found.id for found in client.list(status="COMPLETED")]
    assert [ID, "0" * 24] == [found.id async for found in aclient.list(status="COMPLETED")]
    # The two libraries quote a slash differently; it means the same.
    queries = [dict(httpx.QueryParams(request.target.partition("?")[2])) for request in server.received]
    assert [{"status": "COMPLETED"}, {"status": "COMPLETED", "pageToken": "t/1="}] * 2 == queries


def test_unknown_things_do_not_stop_a_payment(server: Server, client: Checkouts, checkout_json: dict[str, Any]) -> None:
    """
    An unknown status, an unknown field and a null are taken, kept and told.
    """
    server.answer({**checkout_json, "status": "ON_HOLD", "riskScore": 7, "description": None})
    checkout = client.get(ID)
    assert ("ON_HOLD", False) == (checkout.status, checkout.status.is_known)
    assert {"riskScore": 7} == checkout.additional_properties
    assert checkout.description is UNSET


@pytest.mark.anyio
async def test_own_http_client_is_used_and_left_open(api_key: ApiKey, checkout_json: dict[str, Any]) -> None:
    """
    An httpx client of the user's own sends, and is not closed by ours.
    """
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json=checkout_json)

    with httpx.Client(transport=httpx.MockTransport(answer)) as own:
        with Checkouts(api_key, sandbox=True, http_client=own) as client:
            client.get(ID)
        assert not own.is_closed
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as aown:
        async with AsyncCheckouts(api_key, http_client=aown) as aclient:
            await aclient.get(ID)
        assert not aown.is_closed
    assert [
        f"https://business.coinbase.com/sandbox/api/v1/checkouts/{ID}",
        f"https://business.coinbase.com/api/v1/checkouts/{ID}",
    ] == seen


@pytest.mark.anyio
async def test_closed_client_says_so(server: Server, api_key: ApiKey) -> None:
    """
    After close() a call is a RuntimeError; closing twice, or what was never used, is no error.
    """
    client, aclient = Checkouts(api_key, base_url=server.url), AsyncCheckouts(api_key, base_url=server.url)
    for _ in range(2):
        client.close()
        await aclient.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.get(ID)
    with pytest.raises(RuntimeError, match="closed"):
        await aclient.get(ID)


def test_one_http_client_for_many_threads(
    server: Server, client: Checkouts, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Sixteen threads that start together build one httpx client, and each gets its answer.
    """
    built: list[httpx.Client] = []
    real = httpx.Client

    def counted(**options: Any) -> httpx.Client:
        built.append(real(**options))
        return built[-1]

    monkeypatch.setattr("coinbase_checkouts.connections.httpx.Client", counted)
    server.answer(checkout_json)
    together = threading.Barrier(16)
    answers: list[str] = []

    def work() -> None:
        together.wait()
        answers.append(client.get(ID).id)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ([ID] * 16, 1) == (answers, len(built))


def test_clients_of_a_process_share_one_tls_context(api_key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Every client is built with the same SSLContext.
    """
    contexts: list[Any] = []
    real = httpx.Client

    def spying(verify: Any) -> httpx.Client:
        contexts.append(verify)
        return real(transport=httpx.MockTransport(lambda _: httpx.Response(404)))

    monkeypatch.setattr("coinbase_checkouts.connections.httpx.Client", spying)
    for _ in range(2):
        with Checkouts(api_key) as client, pytest.raises(NotFoundError):
            client.get(ID)
    assert len(contexts) == 2
    assert contexts[0] is contexts[1]


@pytest.mark.parametrize(
    ("base_url", "sandbox", "expected"),
    [
        ("https://business.coinbase.com", False, "https://business.coinbase.com"),
        ("https://business.coinbase.com/", True, "https://business.coinbase.com/sandbox"),
        ("https://business.coinbase.com/sandbox", False, "https://business.coinbase.com/sandbox"),
        ("https://business.coinbase.com/sandbox/", True, "https://business.coinbase.com/sandbox"),
        ("http://127.0.0.1:8402", False, "http://127.0.0.1:8402"),
        ("http://[::1]:8402", False, "http://[::1]:8402"),
        ("http://localhost:1", True, "http://localhost:1/sandbox"),
        ("http://sandbox:8402", False, "http://sandbox:8402"),
        ("http://10.0.0.5", False, "http://10.0.0.5"),
        ("http://pay.localhost", False, "http://pay.localhost"),
    ],
)
def test_base_url_is_an_origin_with_or_without_the_prefix(
    base_url: str, sandbox: bool, expected: str, api_key: ApiKey
) -> None:
    """
    The sandbox prefix is added once, a closing slash is dropped, plain http is for this network only.
    """
    assert expected == Checkouts(api_key, base_url=base_url, sandbox=sandbox).base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "business.coinbase.com",
        "ftp://business.coinbase.com",
        "https://",
        "",
        None,
        "https://business.coinbase.com/api/v1/checkouts",
        "https://user:password@business.coinbase.com",
        "https://business.coinbase.com?x=1",
        "https://business.coinbase.com#x",
        "http://business.coinbase.com",
        "http://8.8.8.8",
        "http://134744072",
        "http://0x08080808",
        "https://[::1",
        "http://exa mple",
        "https://" + "a" * 64,
        "https://" + "a." * 150 + "example",
        "https://-",
    ],
)
def test_other_base_urls_are_refused_at_once(base_url: Any, api_key: ApiKey) -> None:
    """
    A wrong address is told when the client is made, without quoting a password in it.
    """
    with pytest.raises(ConfigurationError, match=r"^base_url: ") as caught:
        Checkouts(api_key, base_url=base_url)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": -1},
        {"max_retries": True},
        {"max_retries": 1.5},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"deadline": float("inf")},
    ],
)
def test_nonsense_settings_are_refused(options: dict[str, Any], api_key: ApiKey) -> None:
    """
    Settings that would mean no attempt, or one without end, are refused by name.
    """
    with pytest.raises(ValueError, match=next(iter(options))):
        Checkouts(api_key, **options)


@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_time_that_is_none_is_a_type_error(name: str, api_key: ApiKey) -> None:
    """
    None for "no timeout" is told to be none, with what to give.
    """
    settings: dict[str, Any] = {name: None}
    with pytest.raises(TypeError, match=f"{name}: seconds, a finite number, not NoneType"):
        Checkouts(api_key, **settings)


def test_key_that_is_none_is_a_type_error() -> None:
    """
    A path or a text in place of an ApiKey is told at once.
    """
    with pytest.raises(TypeError, match=r"ApiKey\.from_file"):
        Checkouts("cdp_api_key.json")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_clients_come_from_the_environment(ed25519_base64: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    from_env() takes the key of the environment and the options of the class.
    """
    monkeypatch.setenv("CDP_API_KEY_ID", "x")
    monkeypatch.setenv("CDP_API_KEY_SECRET", ed25519_base64)
    for kind in (Checkouts, AsyncCheckouts):
        assert f"{kind.__name__}(base_url='https://business.coinbase.com/sandbox')" == repr(kind.from_env(sandbox=True))


def test_wrong_filter_is_told_before_iterating(client: Checkouts, server: Server) -> None:
    """
    A mistake in an argument of list() is raised where it is made, and nothing is sent.
    """
    with pytest.raises(InvalidRequestError, match="startTime"):
        client.list(start_time="yesterday")
    assert [] == server.received


@pytest.mark.anyio
async def test_wait_reads_until_it_is_decided(
    server: Server,
    client: Checkouts,
    aclient: AsyncCheckouts,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    wait() survives a failing reading and returns the checkout once its status is final; a lasting error ends it.
    """
    monkeypatch.setattr("coinbase_checkouts.waiting.FIRST_WAIT_S", 0.001)
    script: list[Reply | str | dict[str, Any]]
    script = [{**checkout_json, "status": "ACTIVE"}, Reply(500), Reply(500), Reply(500), checkout_json]
    server.answer(*script, *script, Reply(404))
    assert client.wait(ID).status == "COMPLETED"
    assert (await aclient.wait(ID, timeout=60)).status == "COMPLETED"
    with pytest.raises(NotFoundError):
        client.wait(ID)
    with pytest.raises(NotFoundError):
        await aclient.wait(ID)


def test_order_id_derives_the_key(server: Server, client: Checkouts, checkout_json: dict[str, Any]) -> None:
    """
    The same order sends the same key from any client; refunds are told apart by their own ids.
    """
    server.answer(checkout_json, checkout_json, *[refunded(checkout_json)] * 3)
    for _ in range(2):
        client.create("1", order_id="order-12345")
    for refund_id in ("1", "2", "1"):
        client.refund(ID, "1", refund_id=refund_id)
    keys = [request.headers["x-idempotency-key"] for request in server.received]
    assert key_for("order-12345", operation="create") == keys[0] == keys[1]
    assert key_for(ID, operation="refund", refund_id="1") == keys[2] == keys[4]
    assert keys[2] != keys[3]
    with pytest.raises(ValueError, match="give either it or order_id"):
        client.create("1", order_id="x", idempotency_key=KEY)
    with pytest.raises(ValueError, match="give either it or refund_id"):
        client.refund(ID, "1", refund_id="x", idempotency_key=KEY)


def test_options_for_one_call(server: Server, client: Checkouts) -> None:
    """
    with_options() changes what is given, keeps the rest and shares the connections.
    """
    server.answer(Reply(503))
    with pytest.raises(ServerError):
        client.with_options(max_retries=0).get(ID)
    assert len(server.received) == 1
    with pytest.raises(ServerError):
        client.with_options(timeout=5, deadline=9).get(ID)
    assert len(server.received) == 4
    assert client.with_options()._transport is client._transport
    with pytest.raises(ValueError, match="timeout"):
        client.with_options(timeout=-1)


def test_clock_that_is_off_is_learnt(server: Server, client: Checkouts, checkout_json: dict[str, Any]) -> None:
    """
    After a 401 the token is stamped by the service's clock, and so are those of later calls.
    """
    ahead = formatdate(time.time() + 90, usegmt=True)
    server.answer(Reply(401, headers={"Date": ahead}), checkout_json, checkout_json)
    client.get(ID)
    client.get(ID)
    stamps = [
        json.loads(base64.urlsafe_b64decode(request.headers["authorization"].split(".")[1] + "=="))["nbf"]
        for request in server.received
    ]
    assert [True, True] == [85 <= later - stamps[0] <= 95 for later in stamps[1:]]


def test_validation_can_be_switched_off(server: Server, api_key: ApiKey, checkout_json: dict[str, Any]) -> None:
    """
    With validate=False the service is the one to refuse; without it nothing wrong is sent.
    """
    server.answer(checkout_json)
    with Checkouts(api_key, base_url=server.url, validate=False) as client:
        client.create("0.00")
    with Checkouts(api_key, base_url=server.url) as client, pytest.raises(InvalidRequestError):
        client.create("0.00")
    assert len(server.received) == 1


@pytest.mark.anyio
async def test_raw_response_has_what_came_beside_the_model(
    server: Server, client: Checkouts, aclient: AsyncCheckouts, checkout_json: dict[str, Any]
) -> None:
    """
    Status, headers in any case, time and attempts of the very call are there, sync and async.
    """
    good = Reply(201, json.dumps(checkout_json).encode(), {"X-Request-Id": "abc"})
    server.answer(Reply(503), good, good)
    raw = client.with_raw_response(client.create, "100.50", description="x")
    assert (ID, 201, "abc", 2) == (raw.parsed.id, raw.status, raw.headers["x-request-ID"], raw.attempts)
    assert raw.elapsed_s > 0
    araw = await aclient.with_raw_response(aclient.create, "100.50")
    assert (ID, 201, 1) == (araw.parsed.id, araw.status, araw.attempts)


def test_drift_is_told_to_the_callback_once(server: Server, api_key: ApiKey, checkout_json: dict[str, Any]) -> None:
    """
    A client reports each kind of drift once, to the callback it was given.
    """
    heard: list[Drift] = []
    server.answer({**checkout_json, "status": "ON_HOLD"})
    with Checkouts(api_key, base_url=server.url, on_drift=heard.append) as client:
        client.get(ID)
        client.with_options(max_retries=0).get(ID)
    assert [Drift("getCheckout", "enum", "/status", "ON_HOLD")] == heard


@pytest.mark.anyio
async def test_strict_client_raises_on_drift(server: Server, api_key: ApiKey, checkout_json: dict[str, Any]) -> None:
    """
    strict=True makes an error of what is otherwise reported.
    """
    server.answer({**checkout_json, "status": "ON_HOLD"})
    with Checkouts(api_key, base_url=server.url, strict=True) as client, pytest.raises(InvalidResponseError):
        client.get(ID)
    async with AsyncCheckouts(api_key, base_url=server.url, strict=True) as aclient:
        with pytest.raises(InvalidResponseError, match="enum 'ON_HOLD' at /status"):
            await aclient.get(ID)


@pytest.mark.anyio
async def test_what_is_no_http_is_a_typed_error(server: Server, client: Checkouts, aclient: AsyncCheckouts) -> None:
    """
    An answer that is no HTTP at all leaves the outcome unknown, whichever library read it.
    """
    server.answer(GARBAGE)
    with pytest.raises(NoResponseError) as caught:
        client.create("1")
    with pytest.raises(NoResponseError) as acaught:
        await aclient.create("1")
    assert [Outcome.UNKNOWN] * 2 == [caught.value.outcome, acaught.value.outcome]


@pytest.mark.anyio
async def test_error_of_one_s_own_hook_does_not_lose_the_key(server: Server, api_key: ApiKey) -> None:
    """
    What a hook of the user's own raises after the service may have acted is the cause of an error with the key;
    it is not tried again.
    """

    def hook(response: httpx.Response) -> None:
        raise LookupError("mine")

    async def ahook(response: httpx.Response) -> None:
        raise LookupError("mine")

    server.answer(Reply(201))
    with (
        httpx.Client(event_hooks={"response": [hook]}) as own,
        Checkouts(api_key, base_url=server.url, http_client=own) as client,
        pytest.raises(NoResponseError) as caught,
    ):
        client.create("1", idempotency_key=KEY)
    async with (
        httpx.AsyncClient(event_hooks={"response": [ahook]}) as aown,
        AsyncCheckouts(api_key, base_url=server.url, http_client=aown) as aclient,
    ):
        with pytest.raises(NoResponseError) as acaught:
            await aclient.create("1", idempotency_key=KEY)
    for error in (caught.value, acaught.value):
        assert (Outcome.UNKNOWN, KEY, False) == (error.outcome, error.idempotency_key, error.retryable)
        assert isinstance(error.__cause__, LookupError)
    assert len(server.received) == 2


@pytest.mark.anyio
async def test_hook_that_reads_the_answer_is_no_obstacle(
    server: Server, api_key: ApiKey, checkout_json: dict[str, Any]
) -> None:
    """
    A hook of the user's own may read the answer before us.
    """

    def hook(response: httpx.Response) -> None:
        response.read()

    async def ahook(response: httpx.Response) -> None:
        await response.aread()

    server.answer(checkout_json)
    with (
        httpx.Client(event_hooks={"response": [hook]}) as own,
        Checkouts(api_key, base_url=server.url, http_client=own) as client,
    ):
        assert client.get(ID).id == ID
    async with (
        httpx.AsyncClient(event_hooks={"response": [ahook]}) as aown,
        AsyncCheckouts(api_key, base_url=server.url, http_client=aown) as aclient,
    ):
        assert (await aclient.get(ID)).id == ID


@pytest.mark.anyio
async def test_client_closed_in_the_middle_does_not_lose_the_key(
    server: Server, client: Checkouts, aclient: AsyncCheckouts
) -> None:
    """
    Closed between two attempts, a write ends as one whose outcome is unknown, with its key.
    """

    def close_then_fail(_: Received) -> Reply:
        client._transport._closed = aclient._transport._closed = True
        return Reply(503)

    server.answer(close_then_fail)
    with pytest.raises(NoResponseError, match="the client was closed") as caught:
        client.create("1", idempotency_key=KEY)
    aclient._transport._closed = False
    with pytest.raises(NoResponseError, match="the client was closed") as acaught:
        await aclient.create("1", idempotency_key=KEY)
    aclient._transport._closed = client._transport._closed = False
    assert [(Outcome.UNKNOWN, KEY)] * 2 == [
        (error.outcome, error.idempotency_key) for error in (caught.value, acaught.value)
    ]


@pytest.mark.parametrize("fault", [HINTS, HEADERS])
def test_sync_client_keeps_its_timeout_whatever_drips(fault: str, server: Server, api_key: ApiKey) -> None:
    """
    Headers that come one by one, and hints without end, are cut off like a body that drips.
    """
    server.answer(fault)
    with (
        Checkouts(api_key, base_url=server.url, timeout=0.2, max_retries=0) as client,
        pytest.raises(NoResponseError, match="ReadTimeout"),
    ):
        client.get(ID)


@pytest.mark.anyio
async def test_compressed_answers_are_read_within_the_limit(
    server: Server, client: Checkouts, aclient: AsyncCheckouts, checkout_json: dict[str, Any]
) -> None:
    """
    Nothing compressed is asked for; what comes so all the same is read if it is one coding, and no bomb goes off.
    """
    packed = gzip.compress(json.dumps(checkout_json).encode())
    server.answer(Reply(200, packed, {"Content-Encoding": "gzip"}))
    assert client.get(ID).id == ID
    assert (await aclient.get(ID)).id == ID
    assert {"identity"} == {request.headers["accept-encoding"] for request in server.received}
    bomb = gzip.compress(gzip.compress(b" " * 300_000_000))
    for body, coding in ((bomb, "gzip, gzip"), (b"no gzip", "gzip"), (packed, "br")):
        server.answer(Reply(200, body, {"Content-Encoding": coding}))
        with suppress(InvalidResponseError):
            client.get(ID)
        with suppress(InvalidResponseError):
            await aclient.get(ID)


def test_proxies_of_the_environment_keep_the_deadline(
    server: Server, api_key: ApiKey, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Behind a proxy named by the environment calls go through it, and are bounded too.
    """
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.answer(checkout_json, HEADERS)
    with Checkouts(api_key, base_url="http://sandbox:8402", timeout=0.2, max_retries=0) as client:
        assert client.get(ID).id == ID
        assert server.received[0].target == f"http://sandbox:8402/api/v1/checkouts/{ID}"
        with pytest.raises(NoResponseError, match="ReadTimeout"):
            client.get(ID)


@pytest.mark.anyio
async def test_without_the_extra_httpx_does_it(
    server: Server, api_key: ApiKey, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where httpx-aiohttp is not installed nothing is missing.
    """

    def nothing(_: str) -> None:
        return None

    monkeypatch.setattr("coinbase_checkouts.connections.find_spec", nothing)
    server.answer(checkout_json)
    async with AsyncCheckouts(api_key, base_url=server.url) as aclient:
        assert (await aclient.get(ID)).id == ID
        assert [httpx.AsyncClient] == [type(of_loop.client) for of_loop in aclient._transport._loops.values()]


@pytest.mark.anyio
async def test_setting_of_the_environment_that_cannot_be_used_sends_nothing(
    server: Server, api_key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where no connection can even be made ready, it is known that nothing was sent, and the cause is named.
    """

    def broken(**_: Any) -> Any:
        raise FileNotFoundError("no such certificates")

    monkeypatch.setattr("coinbase_checkouts.transport.sync_client", broken)
    monkeypatch.setattr("coinbase_checkouts.transport.async_client", broken)
    with Checkouts(api_key, base_url=server.url) as client, pytest.raises(NoResponseError) as caught:
        client.create("1")
    async with AsyncCheckouts(api_key, base_url=server.url) as aclient:
        with pytest.raises(NoResponseError) as acaught:
            await aclient.create("1")
    for error in (caught.value, acaught.value):
        assert error.outcome is Outcome.NOT_SENT
        assert isinstance(error.__cause__, FileNotFoundError)


@pytest.mark.anyio
async def test_wait_tells_each_reading(
    server: Server,
    client: Checkouts,
    aclient: AsyncCheckouts,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    on_reading hears of every checkout read, and of every reading that failed.
    """
    monkeypatch.setattr("coinbase_checkouts.waiting.FIRST_WAIT_S", 0.001)
    script: list[Reply | str | dict[str, Any]]
    script = [{**checkout_json, "status": "ACTIVE"}, Reply(500), Reply(500), Reply(500), checkout_json]
    server.answer(*script, *script)
    heard: list[str] = []

    def listen(found: Any) -> None:
        heard.append(getattr(found, "status", "?"))

    client.wait(ID, on_reading=listen)
    await aclient.wait(ID, on_reading=listen)
    assert ["ACTIVE", 500, "COMPLETED"] * 2 == heard


def test_errors_show_no_request_in_their_frames(server: Server, client: Checkouts) -> None:
    """
    The locals of our frames in a traceback have neither body nor key, whatever failed.
    """
    server.answer(Reply(500, json.dumps({"errorType": "x", "errorMessage": "y", "secret": "MARKED-ANSWER"}).encode()))
    for amount, kind in (("1", ServerError), ("0.001", InvalidRequestError)):
        with pytest.raises(kind) as caught:
            client.with_options(max_retries=0).refund(ID, amount, reason="MARKED-REASON", idempotency_key=KEY)
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        frames = [part for part in shown.split("  File ") if "coinbase_checkouts/" in part.split("\n")[0]]
        # The arguments of the method that the caller called are the caller's own.
        inner = [part for part in frames if "in refund" not in part.split("\n")[0]]
        assert inner
        for part in inner:
            assert "MARKED" not in part
            assert KEY not in part
