"""What is refused before anything happens: broken HTTP, broken JSON, broken schemas, broken rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"
GOOD = {"amount": "1.00", "currency": "USDC"}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "missing"),
        (b" ", "not valid JSON"),
        (b"{", "line 1 column 2"),
        (b'{"amount":"1.00","currency":"USDC"} x', "not valid JSON"),
        (b"[]", 'not of type "object"'),
        (b'"x"', 'not of type "object"'),
        (b"null", 'not of type "object"'),
        (b'{"amount":"1.00","currency":"USDC","amount":"2.00"}', "the same name twice"),
        (b'{"amount":"1.00","currency":"USDC","metadata":{"a":"1","a":"1"}}', "the same name twice"),
        (b'{"amount":NaN,"currency":"USDC"}', "NaN"),
        (b'{"amount":"1.00","currency":"USDC","x":-Infinity}', "Infinity"),
        (b'{"amount":"1.00","currency":"USDC","x":1e999}', "number is too large"),
        (b'{"amount":"1.00","currency":"USDC","x":' + b"9" * 5000 + b"}", "number is too large"),
        (b'{"amount":"1.00","currency":"USDC","x":"\\ud800"}', "surrogate"),
        (b'{"amount":"1.00","currency":"USDC","\\udfff":1}', "surrogate"),
        (b'{"amount":"1.00","currency":"USDC","x":"\xff"}', "UTF-8"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b'\xef\xbb\xbf{"amount":"1.00","currency":"USDC"}', "not valid JSON"),
        (b'{"amount":"1.00","currency":"USDC","x":' + b"[" * 64 + b"]" * 64 + b"}", "nested"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b'{"x":"' + b"a" * (1 << 20) + b'"}', "larger than 1048576 bytes"),
    ],
)
@pytest.mark.parametrize("path", [PATH, "/__sandbox__/clock/advance"])
def test_a_body_that_is_not_proper_json_is_refused(sandbox: Sandbox, path: str, body: bytes, told: str) -> None:
    """
    Whatever is wrong with a body, the answer is a 400 that says what, and nothing is created.
    """
    answer = sandbox.call("POST", path, content=body, headers=JSON)
    assert (400, "invalid_request") == (answer.status_code, answer.json()["errorType"])
    assert told in answer.json()["errorMessage"]
    assert [] == sandbox.call("GET", PATH).json()["checkouts"]


def test_depth_and_size_below_the_limits_are_accepted(sandbox: Sandbox) -> None:
    """
    A body of exactly a megabyte, nested as deep as is allowed, is read.
    """
    start = b'{"amount":"1.00","currency":"USDC","x":' + b"[" * 62 + b"]" * 62 + b',"y":"'
    body = start + b"a" * ((1 << 20) - len(start) - 2) + b'"}'
    assert 201 == sandbox.call("POST", PATH, content=body, headers=JSON).status_code


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/jsonx", "application/x-www-form-urlencoded"])
def test_another_media_type_is_refused(sandbox: Sandbox, media_type: str | None) -> None:
    """
    A body that does not say it is JSON is a 400.
    """
    headers = {} if media_type is None else {"content-type": media_type}
    answer = sandbox.call("POST", PATH, content=json.dumps(GOOD).encode(), headers=headers)
    assert (400, "content-type") == (answer.status_code, answer.json()["errorMessage"].split()[1].rstrip(":"))


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
def test_a_media_type_may_have_parameters(sandbox: Sandbox, media_type: str) -> None:
    """
    Case and parameters of the media type do not matter.
    """
    headers = {"content-type": media_type}
    assert 201 == sandbox.call("POST", PATH, content=json.dumps(GOOD).encode(), headers=headers).status_code


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount": 1}, "/amount"),
        ({"amount": None}, "/amount"),
        ({"amount": ""}, "/amount"),
        ({"amount": "1.005"}, "/amount"),
        ({"amount": "1."}, "/amount"),
        ({"amount": "-1"}, "/amount"),
        ({"amount": "1e3"}, "/amount"),
        ({"amount": " 1"}, "/amount"),
        ({"amount": "1.00\n"}, "/amount"),
        ({"amount": "١٢.٣٤"}, "/amount"),
        ({"amount": "0"}, "/amount"),
        ({"amount": "0.00"}, "/amount"),
        ({"amount": "100000000.01"}, "/amount"),
        ({"amount": "9" * 10_000}, "/amount"),
        ({"currency": ""}, "/currency"),
        ({"currency": "usdc"}, "/currency"),
        ({"currency": "JPY"}, "/currency"),
        ({"currency": "X" * 11}, "/currency"),
        ({"network": "ethereum"}, "/network"),
        ({"description": "x" * 501}, "/description"),
        ({"expiresAt": "tomorrow"}, "/expiresAt"),
        ({"expiresAt": "2026-12-01"}, "/expiresAt"),
        ({"expiresAt": "2026-12-01T10:30:00"}, "/expiresAt"),
        ({"expiresAt": "2026-02-30T10:30:00Z"}, "/expiresAt"),
        ({"expiresAt": "2026-11-20T12:00:00Z"}, "/expiresAt"),
        ({"expiresAt": "0000-01-01T00:00:00Z"}, "/expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-00:01"}, "/expiresAt"),
        ({"expiresAt": 1795176000}, "/expiresAt"),
        ({"metadata": {str(n): "" for n in range(21)}}, "/metadata"),
        ({"metadata": {"a/b~c": "x" * 101}}, "/metadata/a~1b~0c"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"metadata": []}, "/metadata"),
        ({"successRedirectUrl": "http://example.com"}, "/successRedirectUrl"),
        ({"successRedirectUrl": "https://exa mple.com"}, "/successRedirectUrl"),
        ({"failRedirectUrl": "https://example.com/" + "x" * 2040}, "/failRedirectUrl"),
    ],
)
def test_a_create_that_breaks_the_description_is_refused(
    sandbox: Sandbox, change: dict[str, Any], pointer: str
) -> None:
    """
    Each broken schema or rule is a 400 that points at the field and does not quote it.
    """
    answer = sandbox.call("POST", PATH, json={**GOOD, **change})
    assert 400 == answer.status_code
    assert f"body {pointer}: " in answer.json()["errorMessage"]
    assert len(answer.json()["errorMessage"]) < 300


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "body: "),
        ({"amount": 25}, "body /amount: "),
        ({"amount": "1", "currency": 5}, "body /currency: "),
        ({"amount": "1", "reason": "x" * 501}, "body /reason: "),
    ],
)
def test_a_refund_that_breaks_the_description_is_refused(sandbox: Sandbox, body: dict[str, Any], pointer: str) -> None:
    """
    The schema of a refund is held too.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    answer = sandbox.call("POST", f"{PATH}/{checkout_id}/refund", json=body)
    assert 400 == answer.status_code
    assert pointer in answer.json()["errorMessage"]


def test_a_message_tells_several_violations_but_not_all(sandbox: Sandbox) -> None:
    """
    Five violations are told, and that there are more.
    """
    body = {"amount": 1, "currency": 1, "description": 1, "network": 1, "metadata": 1, "expiresAt": 1}
    message = sandbox.call("POST", PATH, json=body).json()["errorMessage"]
    assert (5, True) == (message.count("body /"), message.endswith("; and more"))


def test_a_long_message_is_cut(sandbox: Sandbox) -> None:
    """
    Names out of the request do not make a message endless.
    """
    message = sandbox.call("POST", PATH, json={**GOOD, "metadata": {"k" * 5000: 1}}).json()["errorMessage"]
    assert (1001, "…") == (len(message), message[-1])


def test_what_was_sent_is_not_quoted(sandbox: Sandbox) -> None:
    """
    A secret in the wrong field does not come back, and is not logged.
    """
    secret = "-----BEGIN EC PRIVATE KEY-----"
    answer = sandbox.call("POST", PATH, json={"amount": secret, "currency": secret, "expiresAt": secret})
    assert "BEGIN" not in answer.text


@pytest.mark.parametrize(
    "checkout_id", ["x", "68F7A946DB0529EA9B6D3A12", "68f7a946db0529ea9b6d3a1", "68f7a946db0529ea9b6d3a12%0A", "%00"]
)
@pytest.mark.parametrize("rest", ["", "/deactivate", "/refund"])
def test_a_malformed_id_is_refused(sandbox: Sandbox, checkout_id: str, rest: str) -> None:
    """
    An id that breaks the pattern is a 400 on every operation, a trailing newline included.
    """
    method = "POST" if rest else "GET"
    answer = sandbox.call(method, f"{PATH}/{checkout_id}{rest}", json={"amount": "1"})
    assert (400, "path id: ") == (answer.status_code, answer.json()["errorMessage"][:9])


@pytest.mark.parametrize("rest", ["", "/deactivate", "/refund"])
def test_a_missing_checkout_is_not_found(sandbox: Sandbox, rest: str) -> None:
    """
    A well-formed id that no checkout has is 404 not_found on every operation.
    """
    method = "POST" if rest else "GET"
    answer = sandbox.call(method, f"{PATH}/68f7a946db0529ea9b6d3a12{rest}", json={"amount": "1"})
    assert (404, "not_found") == (answer.status_code, answer.json()["errorType"])


@pytest.mark.parametrize(
    "path", ["/", "/api", PATH + "/", "/api/v2/checkouts", "/sandbox", f"{PATH}/a/b/c", "/a%0Ab", "/__sandbox__"]
)
def test_an_unknown_path_is_not_found(sandbox: Sandbox, path: str) -> None:
    """
    There is no redirect and no page of a framework: 404 with an ErrorBody.
    """
    assert 404 == sandbox.call("GET", path).status_code


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", PATH, {"GET", "POST"}),
        ("PUT", "/sandbox" + PATH, {"GET", "POST"}),
        ("PATCH", f"{PATH}/68f7a946db0529ea9b6d3a12", {"GET"}),
        ("GET", f"{PATH}/68f7a946db0529ea9b6d3a12/deactivate", {"POST"}),
        ("OPTIONS", f"{PATH}/68f7a946db0529ea9b6d3a12/refund", {"POST"}),
        ("POST", "/__sandbox__/", {"GET"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(sandbox: Sandbox, method: str, path: str, allowed: set[str]) -> None:
    """
    A path asked with another method answers 405 with Allow.
    """
    answer = sandbox.call(method, path, judged=False)
    assert (405, allowed) == (answer.status_code, set(answer.headers["allow"].split(", ")))
    assert "method_not_allowed" == answer.json()["errorType"]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("pageSize=0", "pageSize"),
        ("pageSize=101", "pageSize"),
        ("pageSize=", "pageSize"),
        ("pageSize=ten", "pageSize"),
        ("pageSize=1.0", "pageSize"),
        ("pageSize=%2B5", "pageSize"),
        ("pageSize=-1", "pageSize"),
        ("pageSize=%D9%A1", "pageSize"),
        ("pageSize=" + "9" * 5000, "pageSize"),
        ("pageSize=5&pageSize=5", "pageSize"),
        ("pageToken=", "pageToken"),
        ("pageToken=nonsense", "pageToken"),
        ("pageToken=%C3%A9", "pageToken"),
        ("pageToken=WzEsIDJd", "pageToken"),
        ("pageToken=WzEsICJhIiwgImIiXQ==", "pageToken"),
        ("pageToken=MQ==", "pageToken"),
        ("status=PAID", "status"),
        ("status=", "status"),
        ("status=ACTIVE&status=active", "status"),
        ("startTime=yesterday", "startTime"),
        ("startTime=2026-11-20T12:00:00", "startTime"),
        ("startTime=2026-11-20T12:00:00+00:00", "startTime"),
        ("endTime=2026-11-20", "endTime"),
        ("endTime=2026-11-20T12:00:00Z&endTime=2026-11-20T12:00:00Z", "endTime"),
        ("descriptionQuery=" + "x" * 501, "descriptionQuery"),
        ("descriptionQuery=%FF", "query"),
    ],
)
def test_a_query_that_breaks_the_description_is_refused(sandbox: Sandbox, query: str, place: str) -> None:
    """
    Each broken parameter of a listing is a 400 that names it.
    """
    answer = sandbox.call("GET", f"{PATH}?{query}")
    assert 400 == answer.status_code
    assert place in answer.json()["errorMessage"]


def test_raw_bytes_in_a_query_are_refused(sandbox: Sandbox) -> None:
    """
    A query that is not ASCII on the wire is a 400, whatever server let it through.
    """
    sent = asyncio.run(_raw(sandbox.app, {"query_string": b"pageSize=\xff"}, [b""]))
    assert 400 == sent[0]["status"]


def test_unknown_parameters_are_ignored(sandbox: Sandbox) -> None:
    """
    A parameter that is not documented changes nothing, even repeated.
    """
    assert 200 == sandbox.call("GET", f"{PATH}?order=asc&order=desc&limit=-1").status_code


@pytest.mark.parametrize(
    "key", ["", "x", "8E03978E-40D5-43E8-BC93-6894A57F9324", "8e03978e-40d5-13e8-bc93-6894a57f9324"]
)
def test_a_malformed_idempotency_key_is_refused(sandbox: Sandbox, key: str) -> None:
    """
    Only a lower-case UUID of version 4 is a key.
    """
    answer = sandbox.call("POST", PATH, json=GOOD, headers={"X-Idempotency-Key": key})
    assert (400, True) == (answer.status_code, "X-Idempotency-Key" in answer.json()["errorMessage"])


def test_two_idempotency_keys_are_refused(sandbox: Sandbox, idempotency_key: str) -> None:
    """
    A header that was sent twice is a 400, even with the same value.
    """
    headers = [("X-Idempotency-Key", idempotency_key)] * 2
    assert 400 == sandbox.call("POST", PATH, json=GOOD, headers=headers).status_code


def test_a_deactivation_needs_no_body_and_reads_none(sandbox: Sandbox) -> None:
    """
    No body is documented: nothing, an object and nonsense are all the same.
    """
    for body in (b"", b"{}", b"\xff"):
        path = f"{PATH}/{sandbox.create()['id']}/deactivate"
        assert "DEACTIVATED" == sandbox.call("POST", path, content=body).json()["status"]


def test_errors_are_logged_under_their_correlation_id(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """
    The id that an error tells is on the log line of its request; the query is not.
    """
    with caplog.at_level("INFO", "coinbase_checkouts_sandbox"):
        answer = sandbox.call("GET", f"{PATH}?pageToken=private")
    line = caplog.records[-1].getMessage()
    assert f"GET {PATH} 400" in line
    assert answer.json()["correlationId"] in line
    assert "private" not in line


def test_an_unforeseen_fault_is_told_without_details(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A bug answers 500 with an ErrorBody; the log says where it is, not what the request said.
    """
    # Not in the source of the line that raises it, which a log may show.
    secret = "private"

    def broken(_self: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr("coinbase_checkouts_sandbox.store.Store.reading", broken)
    answer = sandbox.call("GET", PATH, judged=False)
    assert (500, "internal_server_error") == (answer.status_code, answer.json()["errorType"])
    log = "\n".join(record.getMessage() for record in caplog.records)
    assert (False, True) == ("private" in log, answer.json()["correlationId"] in log)


def test_a_database_that_fails_is_a_503(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When the database cannot, the answer is 503 service_unavailable, and the log has its reason.
    """
    from sqlalchemy.exc import OperationalError

    def full(_self: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr("coinbase_checkouts_sandbox.store.Store.writing", full)
    answer = sandbox.call("POST", PATH, json=GOOD, judged=False)
    assert (503, "service_unavailable") == (answer.status_code, answer.json()["errorType"])
    assert "database or disk is full" in caplog.text


async def _raw(app: Any, scope: dict[str, Any], chunks: list[bytes | None]) -> list[dict[str, Any]]:
    """Send ASGI messages by hand; None is a sender that goes away."""
    left = iter(chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        chunk = next(left)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

    async def send(message: Any) -> None:
        sent.append(message)

    base = {"type": "http", "method": "GET", "path": PATH, "query_string": b"", "headers": [], "scheme": "http"}
    await app({**base, **scope}, receive, send)
    return sent


def test_half_a_request_does_nothing(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """
    A sender that goes away before the end of its body has created nothing, and is told nothing.
    """
    scope = {"method": "POST", "headers": [(b"content-type", b"application/json")]}
    with caplog.at_level("INFO", "coinbase_checkouts_sandbox"):
        assert [] == asyncio.run(_raw(sandbox.app, scope, [json.dumps(GOOD).encode(), None]))
    assert "disconnected" in caplog.text
    assert [] == sandbox.call("GET", PATH).json()["checkouts"]


def test_a_body_without_end_is_not_read_to_its_end(sandbox: Sandbox) -> None:
    """
    After 64 MiB the refusal is sent, whether or not the sender has finished.
    """
    scope = {"method": "POST", "headers": [(b"content-type", b"application/json")]}
    sent = asyncio.run(_raw(sandbox.app, scope, [b"x" * (1 << 20)] * 65))
    assert 400 == sent[0]["status"]


def test_a_server_without_a_name_is_localhost(sandbox: Sandbox) -> None:
    """
    Where ASGI does not say what the server is called, the page of a checkout is on localhost.
    """
    scope = {"method": "POST", "headers": [(b"content-type", b"application/json")]}
    sent = asyncio.run(_raw(sandbox.app, scope, [json.dumps(GOOD).encode(), b""]))
    assert json.loads(sent[1]["body"])["url"].startswith("http://localhost/pay/")


def test_an_ipv6_server_is_named_in_brackets(sandbox: Sandbox) -> None:
    """
    The page of a checkout on an IPv6 address has a valid URL.
    """
    scope = {"method": "POST", "headers": [(b"content-type", b"application/json")], "server": ("::1", 8402)}
    sent = asyncio.run(_raw(sandbox.app, scope, [json.dumps(GOOD).encode(), b""]))
    assert json.loads(sent[1]["body"])["url"].startswith("http://[::1]:8402/pay/")


def test_both_prefixes_are_one_world(sandbox: Sandbox) -> None:
    """
    What is created under /sandbox is read without it.
    """
    created = sandbox.call("POST", "/sandbox" + PATH, json=GOOD)
    assert 201 == created.status_code
    assert created.json() == sandbox.get(created.json()["id"])


def test_every_operation_of_the_description_has_a_handler() -> None:
    """
    The routes come from the description; none of its operations is forgotten.
    """
    from coinbase_checkouts_sandbox.description import load
    from coinbase_checkouts_sandbox.operations import READS, WRITES

    assert sorted([*READS, *WRITES]) == sorted(operation.id for operation in load().operations)


def test_the_client_is_never_imported(sandbox_with: Callable[..., Sandbox]) -> None:
    """
    Serving a request imports neither the client nor a compiled package.
    """
    import subprocess
    import sys

    code = (
        "import sys, coinbase_checkouts_sandbox.cli as c; from coinbase_checkouts_sandbox.app import create_app;"
        "create_app().state.world.store.close();"
        "unwanted = {'coinbase_checkouts', 'coinbase_checkouts_api', 'coinbase_webhook_subscriptions_api', 'httpx'};"
        "print([m for m in sys.modules if m.split('.')[0] in unwanted])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()


@pytest.mark.parametrize(
    ("package", "title"),
    [("coinbase_checkouts_api", "Checkouts API"), ("coinbase_webhook_subscriptions_api", "Webhook Subscriptions API")],
)
def test_a_description_is_read_by_its_package(package: str, title: str) -> None:
    """
    Both descriptions can be read; that of checkouts is the one meant if none is named.
    """
    from coinbase_checkouts_sandbox.description import read_document

    assert title == read_document(package)["info"]["title"]
    assert "Checkouts API" == read_document()["info"]["title"]


def test_a_missing_description_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the compiled package there is one clear error, which names it.
    """
    from coinbase_checkouts_sandbox import description

    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(description, "find_spec", nothing)
    with pytest.raises(FileNotFoundError, match="coinbase_checkouts_api"):
        description.read_document()
    with pytest.raises(FileNotFoundError, match="coinbase_webhook_subscriptions_api"):
        description.read_document("coinbase_webhook_subscriptions_api")


def test_what_was_sent_is_in_no_repr() -> None:
    """
    Tokens, keys, bodies and webhook secrets stay out of what a debugger or a failing test shows of our records.
    """
    from coinbase_checkouts_sandbox import deliveries, description, requests

    call = requests.Call(
        method="POST",
        raw_path=PATH,
        query=b"",
        headers=(("authorization", "Bearer hush"), ("x-idempotency-key", "hush")),
        body=b"hush",
        body_limit=10,
        origin="http://127.0.0.1",
        client=None,
    )
    operation = description.load().operations[0]
    request = requests.Request(call, operation, {}, {}, {"X-Idempotency-Key": "hush"}, {"amount": "hush"})
    parcel = deliveries.Parcel(
        delivery_id="",
        number=1,
        at_ms=0,
        scheduled=True,
        subscription_id="",
        event_id="",
        event_type="",
        body=b"hush",
        target={"url": "http://127.0.0.1", "headers": {"Authorization": "hush"}},
        secret="hush",
        trick=None,
    )
    assert "hush" not in f"{call!r}{request!r}{parcel!r}"
