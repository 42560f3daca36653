"""Subscriptions: against the real sandbox, and against a scripted server for what no sandbox does."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from coinbase_checkouts import ApiKey, AsyncSubscriptions, Drift, Subscription, Subscriptions, cli, webhooks
from coinbase_checkouts.auth import Secret
from coinbase_checkouts.errors import (
    AuthenticationError,
    CheckoutsError,
    ConfigurationError,
    InvalidRequestError,
    InvalidResponseError,
    NoResponseError,
    NotFoundError,
    Outcome,
    PaginationError,
    RateLimitError,
    ServerError,
)
from coinbase_checkouts.subscriptions import EVENT_TYPES, PLATFORM
from coinbase_checkouts_sandbox import Sandbox

from .conftest import CUT, DROP, Reply, Server

ID = "4f8e2a31-7c55-4b0e-9a0f-2d9b6a1c7e10"
SECRET = "0f8fad5b-d9cb-469f-a165-70867728950e"
URL = "https://shop.example/webhooks"
ROOT = "/platform/v2/data/webhooks/subscriptions"


@pytest.fixture
def answer() -> dict[str, Any]:
    """A subscription as the reference tells it; each test its own copy."""
    return {
        "subscriptionId": ID,
        "createdAt": "2025-09-10T13:58:38.681893Z",
        "eventTypes": list(EVENT_TYPES),
        "isEnabled": True,
        "secret": SECRET,
        "target": {"url": URL, "headers": {"x-gateway": "a-credential"}},
    }


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0) as running:
        yield running


@pytest.fixture
def real(sandbox: Sandbox) -> Iterator[Subscriptions]:
    sandbox.reset()
    key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
    with Subscriptions(key, base_url=sandbox.base_url) as made:
        yield made


@pytest.fixture
def client(server: Server, api_key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subscriptions]:
    monkeypatch.setattr("coinbase_checkouts.shells.random.random", lambda: 0.0)
    with Subscriptions(api_key, base_url=server.url) as made:
        yield made


# Against the sandbox.


def test_the_life_of_a_subscription(real: Subscriptions, server: Server) -> None:
    """
    Made, read, listed, replaced and deleted; id and secret stay, and what a replacement does not say is gone.
    """
    made = real.create(
        f"{server.url}/hook",
        description="all of it",
        headers={"x-gateway": "a-credential"},
        metadata={"shop": "1"},
        labels={"team": "a"},
    )
    assert made.secret is not None
    assert (EVENT_TYPES, True, {"shop": "1"}) == (made.event_types, made.enabled, made.metadata)
    assert (made, [made]) == (real.get(made.id), list(real.list()))
    replaced = real.replace(
        made.id,
        url=server.url,
        event_types="checkout.payment.success",
        enabled=False,
        description=None,
        headers=None,
        metadata=None,
        labels=None,
    )
    assert replaced.secret is not None
    assert (made.id, made.secret.reveal()) == (replaced.id, replaced.secret.reveal())
    assert (None, {}, {}, {}) == (replaced.description, replaced.headers, replaced.metadata, replaced.labels)
    assert replaced.updated_at is not None
    real.delete(made.id)
    assert [] == list(real.list())
    with pytest.raises(NotFoundError):
        real.get(made.id)
    with pytest.raises(NotFoundError):
        real.delete(made.id)


def test_a_change_keeps_the_rest(real: Subscriptions, server: Server) -> None:
    """
    What is not named stays as it was, and None takes it away; nothing of the secret's copy is sent back.
    """
    made = real.create(server.url, description="before", metadata={"a": "1"}, headers={"x-gateway": "a-credential"})
    changed = real.change(made.id, enabled=False, description=None)
    assert dataclasses.replace(made, enabled=False, description=None, updated_at=changed.updated_at) == changed


@pytest.mark.anyio
async def test_in_async_code(sandbox: Sandbox, real: Subscriptions, server: Server) -> None:
    """
    The same in asyncio.
    """
    key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
    async with AsyncSubscriptions(key, base_url=sandbox.base_url, sandbox=True) as subscriptions:
        made = await subscriptions.create(server.url, metadata={"a": "1"})
        assert made.is_sandbox
        assert made == await subscriptions.get(made.id)
        assert [made] == [one async for one in subscriptions.list(page_size=1)]
        changed = await subscriptions.change(made.id, enabled=False)
        assert (False, {"a": "1"}, True) == (changed.enabled, changed.metadata, changed.is_sandbox)
        said: dict[str, Any] = {"url": server.url, "event_types": EVENT_TYPES, "enabled": True, "description": "b"}
        replaced = await subscriptions.replace(made.id, **said, headers=None, metadata=None, labels={"c": "d"})
        assert ("b", {}, {"c": "d", "sandbox": "true"}) == (replaced.description, replaced.metadata, replaced.labels)
        assert [] == await subscriptions.deliveries(made.id)
        await subscriptions.delete(made.id)


def test_many_are_read_page_by_page(real: Subscriptions, server: Server) -> None:
    """
    A listing is all of them, newest first, each once.
    """
    made = [real.create(server.url, description=str(number)).id for number in range(5)]
    pages = list(real.list(page_size=2).pages())
    assert [2, 2, 1] == [len(page) for page in pages]
    assert sorted(made) == sorted(one.id for page in pages for one in page)


def test_deliveries_and_their_secret(sandbox: Sandbox, real: Subscriptions, server: Server) -> None:
    """
    What is delivered is signed with the secret, and the log tells how that went.
    """
    server.answer({}, Reply(500))
    made = real.create(server.url)
    assert made.secret is not None
    with sandbox.http_client() as http:
        key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
        from coinbase_checkouts import Checkouts

        with Checkouts(key, base_url=sandbox.base_url, http_client=http) as shop:
            for outcome in ("COMPLETED", "FAILED"):
                sandbox.pay(shop.create("1.00").id, outcome)
                sandbox.flush()
    event = webhooks.verify(server.received[0].body, server.received[0].headers, made.secret.reveal())
    failed, succeeded = real.deliveries(made.id)
    assert (event.event_id, "succeeded", 200) == (succeeded.event_id, succeeded.status, response(succeeded))
    assert ("checkout.payment.failed", "retrying", 500) == (failed.event_type_name, failed.status, response(failed))
    assert [succeeded] == real.deliveries(made.id, event_id=succeeded.event_id)
    assert [failed] == real.deliveries(made.id, event_types=["checkout.payment.failed"])
    assert [] == real.deliveries(made.id, min_created_at=datetime(2100, 1, 1, tzinfo=UTC))
    assert [] == real.deliveries(made.id, max_created_at="2020-01-01T00:00:00Z")


def response(delivery: Any) -> int:
    code: int = delivery.response.http_code
    return code


# The request.


def test_the_token_names_the_host_and_the_path(client: Subscriptions, server: Server, answer: dict[str, Any]) -> None:
    """
    The claim `uri` is METHOD, host and path of this API, without scheme, port or query; the real service's host is its own.
    """
    server.answer({"subscriptions": [answer]})
    list(client.list(page_size=5))
    (request,) = server.received
    token = request.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (f"GET 127.0.0.1{ROOT}", f"{ROOT}?pageSize=5") == (claims["uri"], request.target)
    assert "https://api.cdp.coinbase.com" == PLATFORM


def test_labels_of_the_sandbox(server: Server, api_key: ApiKey, answer: dict[str, Any]) -> None:
    """
    sandbox=True labels what is made, beside your own labels; production's are not labelled at all.
    """
    server.answer(Reply(201, json.dumps(answer).encode()))
    for sandbox, labels in ((True, None), (True, {"a": "b"}), (False, None)):
        with Subscriptions(api_key, base_url=f"{server.url}/sandbox", sandbox=sandbox) as client:
            client.create(URL, labels=labels)
    told = [json.loads(request.body).get("labels") for request in server.received]
    assert [{"sandbox": "true"}, {"a": "b", "sandbox": "true"}, None] == told
    assert {ROOT} == {request.target for request in server.received}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "http://shop.example/webhooks"}, "target/url: must be an https:// URL"),
        ({"url": "ftp://shop.example/webhooks"}, "target/url: must match ^https://"),
        ({"url": "https://["}, "target/url: must be a uri"),
        ({"url": "https://a\0"}, "target/url: must be a uri"),
        ({"url": 5}, "target/url: must be string"),
        ({"url": None}, "target/url: must be string"),
        ({"url": f"https://shop.example/{'a' * 2048}"}, "target/url: must have at most 2048"),
        ({"description": "a" * 101}, "description: must have at most 100"),
        ({"event_types": []}, "eventTypes: must have at least 1"),
        ({"event_types": None}, "eventTypes: must be a text, or a list of texts"),
        ({"event_types": 5}, "eventTypes: must be a text, or a list of texts"),
        ({"event_types": "Checkout"}, "eventTypes/0: must match"),
        ({"metadata": {str(number): "" for number in range(11)}}, "metadata: must have at most 10"),
        ({"metadata": {"a" * 41: ""}}, "must have at most 40"),
        ({"metadata": {"a": "b" * 501}}, "metadata/a: must have at most 500"),
        ({"metadata": ["a"]}, "metadata: must be a mapping"),
        ({"metadata": {1: "a"}}, "metadata: must have texts as names"),
        ({"labels": 5}, "labels: must be a mapping"),
        ({"labels": {str(number): "" for number in range(21)}}, "labels: must have at most 20"),
        ({"headers": {"a": 5}}, "target/headers/a: must be string"),
        ({"enabled": "yes"}, "isEnabled: must be boolean"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    given: dict[str, Any], told: str, client: Subscriptions, server: Server
) -> None:
    """
    Every request is held against the description, and all that is wrong is told; nothing is sent.
    """
    asked: dict[str, Any] = {"url": URL, **given}
    with pytest.raises(InvalidRequestError) as caught:
        client.create(**asked)
    assert told in str(caught.value)
    assert Outcome.NOT_SENT is caught.value.outcome
    assert [] == server.received


def test_http_is_for_one_machine(client: Subscriptions, api_key: ApiKey) -> None:
    """
    The real service is never asked to deliver over http, not to loopback either; nor is a local one, to elsewhere.
    """
    with Subscriptions(api_key) as production, pytest.raises(InvalidRequestError, match="https"):
        production.create("http://127.0.0.1:8000/webhooks")
    with pytest.raises(InvalidRequestError, match="https"):
        client.create("http://shop.example/webhooks")


@pytest.mark.parametrize("id", ["", "../checkouts", "4F8E2A31-7C55-4B0E-9A0F-2D9B6A1C7E10", "é", 5])
def test_ids_that_are_none(id: Any, client: Subscriptions, server: Server) -> None:
    """
    An id is part of the address, and always checked.
    """
    for call in (client.get, client.delete, client.deliveries):
        with pytest.raises(InvalidRequestError, match="subscriptionId"):
            call(id)
    assert [] == server.received


def test_addresses_and_keys(api_key: ApiKey) -> None:
    """
    A base URL is an origin, and a key a key.
    """
    with pytest.raises(ConfigurationError, match=r"such as https://api\.cdp\.coinbase\.com"):
        Subscriptions(api_key, base_url="api.cdp.coinbase.com")
    with pytest.raises(TypeError, match="api_key must be an ApiKey"):
        Subscriptions("key")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="pageSize"), Subscriptions(api_key) as client:
        client.list(page_size=0)


def test_what_is_asked_of_the_log(client: Subscriptions, server: Server) -> None:
    """
    A time without its zone is none, and a number no type of events.
    """
    with pytest.raises(InvalidRequestError, match="minCreatedAt"):
        client.deliveries(ID, min_created_at="2026-01-01T00:00:00")
    with pytest.raises(InvalidRequestError, match="eventTypeNames: must be a text"):
        client.deliveries(ID, event_types=5)  # type: ignore[arg-type]
    assert [] == server.received


# The answer.


@pytest.mark.parametrize(
    ("at_root", "copied", "expected"),
    [
        (SECRET, None, SECRET),
        (None, SECRET, SECRET),
        (SECRET, "another", SECRET),
        ("", SECRET, SECRET),
        (None, None, None),
    ],
)
def test_where_the_secret_is(
    at_root: str | None,
    copied: str | None,
    expected: str | None,
    *,
    client: Subscriptions,
    server: Server,
    answer: dict[str, Any],
) -> None:
    """
    At the root, else in the metadata; and no metadata of yours.
    """
    answer |= {"secret": at_root, "metadata": {"yours": "1", "secret": copied}}
    server.answer(without_nulls(answer))
    found = client.get(ID)
    assert expected == (found.secret.reveal() if found.secret else None)
    assert {"yours": "1"} == found.metadata


def without_nulls(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: without_nulls(value) if isinstance(value, dict) else value
        for name, value in given.items()
        if value is not None
    }


def test_the_published_answer(client: Subscriptions, server: Server) -> None:
    """
    The guide's sample: the secret in metadata alone, microseconds, a label of the service's own, which is not sent back.
    """
    sample = {
        "createdAt": "2025-09-10T13:58:38.681893Z",
        "description": "Checkout status webhook",
        "eventTypes": ["checkout.payment.success", "checkout.payment.failed", "checkout.payment.expired"],
        "isEnabled": True,
        "labelKey": "user_uuid",
        "labelValue": "0b9e3c9a",
        "labels": {"user_uuid": "0b9e3c9a", "mine": "1"},
        "metadata": {"secret": SECRET},
        "subscriptionId": ID,
        "target": {"url": "https://your-webhook-url.com", "method": "POST"},
    }
    server.answer(sample)
    found = client.get(ID)
    assert (SECRET, "user_uuid", {"target": {"method": "POST"}}) == (reveal(found), found.own_label, found.extra)
    client.change(ID, enabled=False)
    sent = json.loads(server.received[-1].body)
    assert ({"mine": "1"}, False) == (sent["labels"], "metadata" in sent)
    assert SECRET not in str(sent)


def reveal(subscription: Subscription) -> str:
    assert subscription.secret is not None
    return subscription.secret.reveal()


def test_news_is_no_crash(server: Server, api_key: ApiKey, answer: dict[str, Any]) -> None:
    """
    Unknown fields are kept, unknown values are values, wrong types are mended, and each is reported once.
    """
    drifts: list[Drift] = []
    answer |= {"signingKey": "k", "description": 5, "labels": None, "updatedAt": "soon"}
    answer["target"] |= {"retry": {"most": 3}}
    log = {
        "events": [
            {"eventId": "e", "eventTypeName": "wallet.new", "status": "lost", "createdAt": "2026-01-01T00:00:00Z",
             "retryCount": 1, "response": {"httpCode": "x"}}
        ]
    }  # fmt: skip
    server.answer({"subscriptions": [answer]}, {"subscriptions": [answer]}, log)
    with Subscriptions(api_key, base_url=server.url, on_drift=drifts.append) as client:
        (found,), _ = client.list(), list(client.list())
        (delivery,) = client.deliveries(ID)
    assert ({"signingKey": "k", "target": {"retry": {"most": 3}}}, "5") == (found.extra, found.description)
    assert (None, {}) == (found.updated_at, found.labels)
    assert ("lost", False, 1) == (delivery.status, delivery.status.is_known, delivery.retry_count)
    told = sorted(str(drift).partition(" is not")[0] for drift in drifts)
    assert len(set(told)) == len(told)
    assert {"listWebhookSubscriptions", "listWebhookSubscriptionEvents"} == {drift.operation for drift in drifts}
    assert any("enum 'lost'" in one for one in told)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(401, b'{"errorType": "unauthorized", "errorMessage": "no"}'), AuthenticationError),
        (Reply(404, b'{"errorType": "not_found", "errorMessage": "no"}'), NotFoundError),
        (Reply(429, b'{"errorType": "rate_limit_exceeded", "errorMessage": "no"}'), RateLimitError),
        (Reply(500, b"<html>", {"Content-Type": "text/html"}), ServerError),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), InvalidResponseError),
        (Reply(200, b"{}"), InvalidResponseError),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), InvalidResponseError),
        (CUT, NoResponseError),
        (DROP, NoResponseError),
    ],
)
def test_errors_are_of_the_same_tree(
    reply: Reply | str, expected: type[CheckoutsError], client: Subscriptions, server: Server
) -> None:
    """
    What goes wrong is told as for checkouts; reading has no effect whatever happens.
    """
    server.answer(reply)
    with pytest.raises(expected) as caught:
        client.get(ID)
    assert Outcome.REFUSED is caught.value.outcome


def test_an_answer_about_another(client: Subscriptions, server: Server, answer: dict[str, Any]) -> None:
    """
    The answer has to be about the subscription that was asked for, and a token one that can be sent back.
    """
    server.answer({**answer, "subscriptionId": SECRET})
    with pytest.raises(InvalidResponseError, match="about another subscription"):
        client.get(ID)
    server.answer({"subscriptions": [], "nextPageToken": [5]})
    with pytest.raises(InvalidResponseError):
        list(client.list())
    server.answer({"subscriptions": [answer], "nextPageToken": "again"})
    with pytest.raises(PaginationError, match="listWebhookSubscriptions"):
        list(client.list())


# Once it may have happened.


@pytest.mark.parametrize(
    "reply", [DROP, CUT, Reply(500, b"<html>"), Reply(503), Reply(201, b"<html>"), Reply(201, b"{}")]
)
def test_a_create_is_not_repeated(reply: Reply | str, client: Subscriptions, server: Server) -> None:
    """
    There is no key: once the answer is lost it is not sent again, and the error says how to find out.
    """
    server.answer(reply)
    with pytest.raises(CheckoutsError) as caught:
        client.create(URL)
    assert (Outcome.UNKNOWN, False, 1) == (caught.value.outcome, caught.value.retryable, len(server.received))
    assert "Subscriptions.list()" in caught.value.advice


def test_a_create_that_was_not_done_is_repeated(
    client: Subscriptions, server: Server, answer: dict[str, Any], api_key: ApiKey, closed_port: int
) -> None:
    """
    A refusal for the time being, or a wrong clock, is no effect.
    """
    server.answer(Reply(429), Reply(401), Reply(201, json.dumps(answer).encode()))
    assert ID == client.create(URL).id
    assert 3 == len(server.received)
    with Subscriptions(api_key, base_url=f"http://127.0.0.1:{closed_port}") as nobody:
        with pytest.raises(NoResponseError) as caught:
            nobody.create(URL)
        assert (Outcome.NOT_SENT, True) == (caught.value.outcome, caught.value.retryable)


class Losing(httpx.HTTPTransport):
    """Loses every answer, once the service has given it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        super().handle_request(request).read()
        raise httpx.ReadError("lost")


def test_a_lost_create_can_be_found(sandbox: Sandbox, real: Subscriptions, server: Server) -> None:
    """
    At the sandbox: the answer is lost after the subscription was made, and the listing has it, once.
    """
    key = ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
    with httpx.Client(transport=Losing()) as http:
        losing = Subscriptions(key, base_url=sandbox.base_url, http_client=http)
        with pytest.raises(NoResponseError) as caught:
            losing.create(server.url)
        assert Outcome.UNKNOWN is caught.value.outcome
        (found,) = [one for one in real.list() if one.url == server.url]
        with pytest.raises(NoResponseError):
            losing.delete(found.id)
    assert [] == list(real.list())


def test_a_replacement_is_repeated(client: Subscriptions, server: Server, answer: dict[str, Any]) -> None:
    """
    The same twice is the same as once.
    """
    server.answer(answer, DROP, answer)
    assert ID == client.change(ID, enabled=True).id
    assert ["GET", "PUT", "PUT"] == [request.method for request in server.received]
    server.answer(answer, *[DROP] * 9)
    server.received.clear()
    with pytest.raises(NoResponseError) as caught:
        client.change(ID, enabled=True)
    assert "repeat the call" in caught.value.advice


@pytest.mark.parametrize(
    ("script", "attempts"),
    [
        ([Reply(204, b"")], 1),
        ([DROP, Reply(204, b"")], 2),
        ([DROP, Reply(404, b'{"errorType": "not_found", "errorMessage": "no"}')], 2),
        ([Reply(500), Reply(404, b'{"errorType": "not_found", "errorMessage": "no"}')], 2),
        ([Reply(200, b"{}")], 1),
    ],
)
def test_deleted_is_deleted(script: list[Reply | str], attempts: int, client: Subscriptions, server: Server) -> None:
    """
    That it is not there is done, if an attempt before got no answer.
    """
    server.answer(*script)
    client.delete(ID)
    assert attempts == len(server.received)


@pytest.mark.parametrize(
    ("script", "expected", "outcome"),
    [
        ([Reply(404, b'{"errorType": "not_found"}')], NotFoundError, Outcome.REFUSED),
        ([Reply(429), Reply(404, b'{"errorType": "not_found"}')], NotFoundError, Outcome.REFUSED),
        ([DROP, Reply(404, b"<html>")], NotFoundError, Outcome.UNKNOWN),
        ([DROP], NoResponseError, Outcome.UNKNOWN),
    ],
)
def test_deleted_is_not_guessed(
    script: list[Reply | str],
    expected: type[CheckoutsError],
    outcome: Outcome,
    client: Subscriptions,
    server: Server,
) -> None:
    """
    Without such an attempt it is an error, and a page of some proxy's is no answer.
    """
    server.answer(*script)
    with pytest.raises(expected) as caught:
        client.delete(ID)
    assert outcome is caught.value.outcome


# The secret.


def everything(value: object) -> str:
    """All that anybody could print of it."""
    return "".join([repr(value), str(value), f"{value}", "".join(map(repr, getattr(value, "__dict__", {}).values()))])


def test_the_secret_is_nowhere(
    client: Subscriptions, server: Server, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """
    Neither repr nor str, neither log nor error nor traceback with its locals has the secret or a header's value.
    """
    caplog.set_level(logging.DEBUG)
    answer["metadata"] = {"secret": SECRET, "shop": "1"}
    answer["news"] = SECRET
    server.answer(answer)
    found = client.get(ID)
    shown = [everything(found), everything(found.secret), everything(client), caplog.text]
    for broken in (
        {**answer, "eventTypes": 5},
        {**answer, "target": SECRET},
        {**answer, "isEnabled": SECRET},
        {**answer, "subscriptionId": SECRET[::-1]},
    ):
        server.answer(broken)
        with pytest.raises(InvalidResponseError) as caught:
            client.get(ID)
        stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        # The first frame is this test, which knows it.
        shown += [everything(caught.value), *(str(frame.locals) for frame in stack[1:])]
    assert "shop" in shown[0]
    for one in [*shown, caplog.text]:
        assert SECRET not in one
        assert "a-credential" not in one
    for act in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="pickle"):
            act(found)


def test_secrets_of_one_subscription_are_equal_enough(
    client: Subscriptions, server: Server, answer: dict[str, Any]
) -> None:
    """
    Two readings of one subscription are equal.
    """
    server.answer(answer)
    assert client.get(ID) == client.get(ID)
    assert isinstance(client.get(ID).secret, Secret)


# From a shell.


@pytest.fixture
def shell(server: Server, ed25519_base64: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setattr("coinbase_checkouts.shells.random.random", lambda: 0.0)
    key = {"id": "organizations/a/apiKeys/b", "privateKey": ed25519_base64}
    (tmp_path / "key.json").write_text(json.dumps(key))
    monkeypatch.chdir(tmp_path)

    def run(*given: str) -> int:
        return cli.main(["webhook", *given, "--key-file", "key.json", "--base-url", server.url])

    return run


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_subscribe_shows_no_secret(
    form: list[str], shell: Callable[..., int], server: Server, answer: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """
    What was made is shown, its secret and the values of its headers only with --show-secret.
    """
    answer |= {"description": "mine", "metadata": {"shop": "1"}, "labels": {"sandbox": "true"}}
    server.answer(Reply(201, json.dumps(answer).encode()))
    Path("headers").write_text("x-gateway: a-credential\n\n")
    asked = ["subscribe", URL, "--header-file", "headers", "--metadata", "shop=1", "--description", "mine", "--sandbox"]
    assert 0 == shell(*asked, *form)
    hidden = capsys.readouterr().out
    assert ID in hidden
    assert SECRET not in hidden
    assert "a-credential" not in hidden
    assert "<hidden>" in hidden
    sent = json.loads(server.received[0].body)
    assert {"url": URL, "headers": {"x-gateway": "a-credential"}} == sent["target"]
    assert ({"shop": "1"}, {"sandbox": "true"}, True) == (sent["metadata"], sent["labels"], sent["isEnabled"])
    assert 0 == shell(*asked, *form, "--show-secret", "--disabled", "--event", "checkout.payment.success")
    shown = capsys.readouterr().out
    assert SECRET in shown
    assert "a-credential" in shown
    sent = json.loads(server.received[1].body)
    assert (["checkout.payment.success"], False) == (sent["eventTypes"], sent["isEnabled"])


def test_subscriptions_from_a_shell(
    shell: Callable[..., int], server: Server, answer: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A line for each, all of one, and JSON for programs; the secret only if it is asked for.
    """
    del answer["secret"]
    server.answer({"subscriptions": [answer, {**answer, "subscriptionId": SECRET, "isEnabled": False}]})
    assert 0 == shell("subscriptions")
    first, second, third = capsys.readouterr().out.splitlines()
    assert ("ID", "ENABLED") == tuple(first.split()[:2])
    assert [ID, "yes", "no", "5", "2025-09-10T13:58:38Z", URL] == second.split()
    assert "no" == third.split()[1]
    assert 0 == shell("subscriptions", "--json")
    assert [ID, SECRET] == [json.loads(line)["subscriptionId"] for line in capsys.readouterr().out.splitlines()]
    assert 0 == shell("subscriptions", "--show-secret")
    assert 1 == capsys.readouterr().out.splitlines().count("")
    answer |= {"secret": SECRET, "updatedAt": "2026-01-01T00:00:00Z"}
    server.answer(answer)
    assert 0 == shell("subscriptions", ID, "--show-secret")
    assert f"secret            {SECRET}" in capsys.readouterr().out
    server.answer({"subscriptions": []})
    assert 0 == shell("subscriptions")
    assert "" == capsys.readouterr().out


def test_unsubscribe_and_what_is_left(
    shell: Callable[..., int], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Deleted is 0; what the API refuses is 1, and what may have happened is 3, with what to do.
    """
    server.answer(Reply(204, b""))
    assert 0 == shell("unsubscribe", ID)
    server.answer(Reply(404, b'{"errorType": "not_found", "errorMessage": "none"}'))
    assert 1 == shell("unsubscribe", ID)
    server.answer(DROP)
    assert 3 == shell("unsubscribe", ID)
    assert 3 == shell("subscribe", URL)
    told = capsys.readouterr().err
    assert "Repeat the command; if there is no such subscription any more, it is done." in told
    assert "coinbase-checkouts webhook subscriptions" in told
    assert 2 == shell("subscribe", "http://shop.example/webhooks")
    assert "target/url: must be an https:// URL" in capsys.readouterr().err


def test_deliveries_from_a_shell(shell: Callable[..., int], server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A line for each, with what the endpoint answered, or why it did not.
    """
    event = {"eventId": "e1", "eventTypeName": "checkout.payment.success", "createdAt": "2026-01-01T00:00:00Z"}
    server.answer(
        {
            "events": [
                {**event, "status": "succeeded", "retryCount": 2, "response": {"httpCode": 200}},
                {**event, "status": "retrying", "retryCount": 1, "response": {"errorName": "timeout"}},
                {**event, "status": "pending", "retryCount": 0},
            ]
        }
    )
    asked = ["deliveries", ID, "--event", "checkout.payment.success", "--since", "2026-01-01T00:00:00Z"]
    assert 0 == shell(*asked, "--until", "2026-02-01T00:00:00Z", "--event-id", ID)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    at = "2026-01-01T00:00:00Z"
    assert [at, "succeeded", "2", "200", "checkout.payment.success", "e1"] == lines[1]
    assert [at, "retrying", "1", "timeout", "checkout.payment.success", "e1"] == lines[2]
    assert [at, "pending", "0", "checkout.payment.success", "e1"] == lines[3]
    assert 0 == shell(*asked, "--json")
    assert 3 == len(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot be read: No such file"), (b"a-credential", "each line must be"), (b": v", "each line must be"), (b"\xff", "cannot be read: UnicodeDecodeError")],
)  # fmt: skip
def test_header_files(
    content: bytes | None, told: str, shell: Callable[..., int], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    What is no file of headers is told, and not repeated.
    """
    if content is not None:
        Path("headers").write_bytes(content)
    assert 2 == shell("subscribe", URL, "--header-file", "headers")
    error = capsys.readouterr().err
    assert told in error
    assert "a-credential" not in error
    assert [] == server.received
