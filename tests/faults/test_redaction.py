"""Every way to fail, with marked secrets: none of them is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts
from coinbase_checkouts.errors import KeyFormatError
from coinbase_checkouts.sensor import Drift

from .clients import KINDS, call
from .leaks import ANSWERED, ASKED, IDEMPOTENCY_KEY, Haul, listening
from .proxy import HTML, Answered, Exchange, Fault, Proxy, dropped_before, stalled_before

ID: Final = "68f7a946db0529ea9b6d3a12"
KEY_ID: Final = "organizations/7d0a1f2e/apiKeys/1f0b6c44"
JSON: Final = "Content-Type: application/json"
CREATE: Final = ("create", "10.00")
REFUND: Final = ("refund", ID, "1.00")
WRITTEN: Final = {"description": ASKED, "metadata": {"note": ASKED}, "idempotency_key": IDEMPOTENCY_KEY}
QUICK: Final = {"timeout": 0.05, "max_retries": 1}


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """With nothing behind it."""
    running = Proxy()
    yield running
    running.stop()


@pytest.fixture
def signer(ec_pem: str) -> ApiKey:
    return ApiKey(KEY_ID, ec_pem)


def lines_of(private_key: str) -> list[str]:
    """The secret parts of a PEM, or of a key on one line."""
    return [line for line in private_key.splitlines() if "-----" not in line]


@dataclass(frozen=True)
class Echo:
    """
    Answers with the token it was sent, in every place that is read and in some that are not.

    Args:
        shape: Which of the three shapes an error has.
        also: Something else to echo.
    """

    status: int
    shape: str
    also: str = ""

    def __call__(self, exchange: Exchange) -> bool:
        said = f"{exchange.request.header('authorization')} {self.also}"
        shapes: dict[str, dict[str, Any]] = {
            "plain": {"errorType": said, "errorMessage": said, "correlationId": said, "errorLink": said},
            "list": {"errors": [{"id": said, "message": said}]},
            "legacy": {"error": {"message": said}},
        }
        headers = (JSON, f"X-Echo: {exchange.request.token}", f"Retry-After: {exchange.request.token}")
        return Answered(self.status, json.dumps({**shapes[self.shape], "note": ANSWERED}).encode(), headers)(exchange)


def checkout(answer: dict[str, Any], **fields: Any) -> Answered:
    """A good answer but for *fields*."""
    return Answered(200, json.dumps({**answer, "note": ANSWERED, **fields}).encode())


def fail_on_drift(drift: Drift) -> None:
    raise RuntimeError("on_drift raises")


def never(found: Any) -> bool:
    return False


def crashing(found: Any) -> bool:
    raise ZeroDivisionError


def no_http(exchange: Exchange) -> bool:
    exchange.send(f"{exchange.request.token}\r\n\r\n".encode())
    return False


# Faults of a server, by name; each is met by a create, a refund, a deactivate and a get.
FAULTS: Final[dict[str, Fault]] = {
    "dropped": dropped_before,
    "hanging": stalled_before,
    "html": Answered(200, HTML + ANSWERED.encode()),
    "no json": Answered(201, b'{"id": "' + ANSWERED.encode()),
    "no object": Answered(200, json.dumps([ANSWERED]).encode()),
    "empty object": Answered(200, b"{}"),
    "not UTF-8": Answered(200, b"\xff\xfe" + ANSWERED.encode()),
    "redirect": Answered(307, headers=(JSON, f"Location: https://example.com/{ANSWERED}")),
    "no HTTP": no_http,
}


def run(haul: Haul, proxy: Proxy, fault: Fault, work: Callable[[], Any]) -> list[str]:
    """Let *work* meet *fault* and gather what is told; the tokens that were sent."""
    proxy.plan(otherwise=fault)
    try:
        work()
    except BaseException as error:  # noqa: BLE001 -- whatever it is
        haul.add_error(error)
    return [request.token for request in proxy.requests]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ["plain", "list", "legacy"])
def test_errors_of_the_service_tell_no_secret(kind: str, shape: str, proxy: Proxy, signer: ApiKey, ec_pem: str) -> None:
    """
    Whatever the status and the shape of its body, an error in which the service repeats token and private key is
    told without them, and nothing else of the answer is told.
    """
    settings = {"base_url": proxy.url, "max_retries": 1}
    with listening() as haul:
        for status in (*range(400, 430), 451, 499, *range(500, 600, 7), 520, 599):
            for arguments, options in ((CREATE, WRITTEN), (("deactivate", ID), {})):
                tokens = run(
                    haul,
                    proxy,
                    Echo(status, shape, ec_pem),
                    lambda: call(kind, signer, settings, *arguments, **options),  # noqa: B023 -- called at once
                )
                assert "" not in tokens
                assert tokens
                assert [] == haul.places_with(*tokens, *lines_of(ec_pem), ANSWERED)
                haul.forget_locals()
    assert [] == haul.places_with(IDEMPOTENCY_KEY, but=("local", "pickle"))


@pytest.mark.parametrize(
    ("kind", "fault"),
    [(kind, fault) for kind in KINDS for fault in FAULTS],
)
def test_broken_answers_tell_no_secret(kind: str, fault: str, proxy: Proxy, signer: ApiKey, ec_pem: str) -> None:
    """
    No answer, or one that cannot be used, ends in an error that has neither token nor key nor any of the answer.
    """
    settings = {"base_url": proxy.url, **QUICK}
    with listening() as haul:
        for arguments, options in (
            (CREATE, WRITTEN),
            (REFUND, {"idempotency_key": IDEMPOTENCY_KEY}),
            (("deactivate", ID), {}),
            (("get", ID), {}),
        ):
            tokens = run(haul, proxy, FAULTS[fault], lambda: call(kind, signer, settings, *arguments, **options))  # noqa: B023 -- called at once
            assert tokens
            assert [] == haul.places_with(*tokens, *lines_of(ec_pem), ANSWERED)
            haul.forget_locals()
    assert [] == haul.places_with(IDEMPOTENCY_KEY, but=("local", "pickle"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({"status": "BRAND_NEW"}, {"strict": True}),
        ({"status": "BRAND_NEW", "amount": 5, "createdAt": ANSWERED}, {"on_drift": fail_on_drift}),
        ({"id": None, "description": {"text": ANSWERED}}, {}),
    ],
)
def test_drift_tells_no_secret(  # noqa: PLR0917 -- fixtures
    kind: str, fields: Any, settings: Any, proxy: Proxy, signer: ApiKey, ec_pem: str, checkout_json: dict[str, Any]
) -> None:
    """
    What is reported of answers that are not as described is their form: no token, no key, no text of theirs.
    """
    chosen = {"base_url": proxy.url, **settings}
    with listening() as haul:
        tokens = run(
            haul, proxy, checkout(checkout_json, **fields), lambda: call(kind, signer, chosen, *CREATE, **WRITTEN)
        )
    assert any("drift" in text for place, text in haul.texts if place == "log")
    assert [] == haul.places_with(*tokens, *lines_of(ec_pem), ANSWERED, ASKED, but=("local",))
    assert [] == haul.places_with(IDEMPOTENCY_KEY, but=("local", "pickle"))


MISUSES: Final[dict[str, tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "too long": (CREATE, {**WRITTEN, "description": ASKED * 100}),
    "no amount": (("create", ASKED), WRITTEN),
    "float": (("create", 1.5), WRITTEN),
    "no currency": (("create", "1", ASKED), WRITTEN),
    "no metadata": (CREATE, {**WRITTEN, "metadata": {"note": ASKED * 100}}),
    "no time": (CREATE, {**WRITTEN, "expires_at": ASKED}),
    "no URL": (CREATE, {**WRITTEN, "success_redirect_url": f"http://{ASKED}"}),
    "two keys": (CREATE, {**WRITTEN, "order_id": "1"}),
    "no key": (CREATE, {"idempotency_key": f"{IDEMPOTENCY_KEY}0"}),
    "no id": (("get", f"../{ASKED}"), {}),
    "no reason": (REFUND, {"reason": ASKED * 100}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("misuse", MISUSES)
def test_refused_arguments_are_not_quoted(kind: str, misuse: str, proxy: Proxy, signer: ApiKey, ec_pem: str) -> None:
    """
    An argument that is refused here is told by its name and rule, not by its text.
    """
    arguments, options = MISUSES[misuse]
    with listening() as haul:
        assert [] == run(
            haul, proxy, stalled_before, lambda: call(kind, signer, {"base_url": proxy.url}, *arguments, **options)
        )
    assert [] == haul.places_with(*lines_of(ec_pem))
    assert [] == haul.places_with(ASKED, IDEMPOTENCY_KEY, but=("local", "pickle"))
    assert haul.texts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("until", "timeout", "status"),
    [("COMPLETED", 0.1, "ACTIVE"), ("ACTIVE", 5, "EXPIRED"), (never, 0.1, "ACTIVE"), (crashing, 5, "ACTIVE")],
)
def test_waits_that_fail_tell_no_secret(  # noqa: PLR0917 -- fixtures
    kind: str,
    until: Any,
    timeout: float,
    status: str,
    proxy: Proxy,
    signer: ApiKey,
    ec_pem: str,
    checkout_json: dict[str, Any],
) -> None:
    """
    A wait that ends without what was waited for has the checkout, and tells none of its texts.
    """
    fault = checkout(checkout_json, status=status, description=ANSWERED)
    with listening() as haul:
        tokens = run(
            haul,
            proxy,
            fault,
            lambda: call(kind, signer, {"base_url": proxy.url}, "wait", ID, until=until, timeout=timeout),
        )
    assert tokens
    assert [] == haul.places_with(*tokens, *lines_of(ec_pem))
    # The pickle has error.checkout.
    assert [] == haul.places_with(ANSWERED, but=("local", "pickle"))


@pytest.mark.parametrize("kind", KINDS)
def test_closed_client_tells_no_secret(kind: str, proxy: Proxy, signer: ApiKey, ec_pem: str) -> None:
    """
    Neither does the error of a client that was closed.
    """

    def work() -> None:
        if kind == "sync":
            client = Checkouts(signer, base_url=proxy.url)
            client.close()
            client.create("1", **WRITTEN)  # type: ignore[arg-type]

        async def awork() -> None:
            aclient = AsyncCheckouts(signer, base_url=proxy.url, aiohttp=kind == "aiohttp")
            await aclient.close()
            await aclient.create("1", **WRITTEN)  # type: ignore[arg-type]

        asyncio.run(awork())

    with listening() as haul:
        assert [] == run(haul, proxy, stalled_before, work)
    assert any(place == "str" and "closed" in text for place, text in haul.texts)
    assert [] == haul.places_with(*lines_of(ec_pem))
    assert [] == haul.places_with(ASKED, IDEMPOTENCY_KEY, but=("local",))


@pytest.mark.parametrize("aiohttp", [False, True])
def test_cancelled_task_tells_no_secret(aiohttp: bool, proxy: Proxy, signer: ApiKey, ec_pem: str) -> None:
    """
    Neither does a task that is cancelled while half an answer is there.
    """
    begun = threading.Event()

    def half(exchange: Exchange) -> bool:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + ANSWERED.encode())
        begun.set()
        exchange.until_hung_up()
        return False

    async def work() -> None:
        async with AsyncCheckouts(signer, base_url=proxy.url, aiohttp=aiohttp) as client:
            task = asyncio.create_task(client.create("1", **WRITTEN))  # type: ignore[arg-type]
            assert await asyncio.to_thread(begun.wait, 20)
            task.cancel()
            await task

    with listening() as haul:
        tokens = run(haul, proxy, half, lambda: asyncio.run(work()))
    assert tokens
    assert any(place == "repr" and "CancelledError" in text for place, text in haul.texts)
    assert [] == haul.places_with(*tokens, *lines_of(ec_pem))
    assert [] == haul.places_with(IDEMPOTENCY_KEY, ASKED, ANSWERED, but=("local",))


def damaged(pem: str, base64_key: str) -> dict[str, str]:
    """Private keys that cannot be used, by what is wrong."""
    lines = pem.splitlines()
    return {
        "cut": "\n".join(lines[:2]),
        "a line short": "\n".join([lines[0], *lines[2:]]),
        "no end": "\n".join(lines[:-1]),
        "encrypted": pem.replace("EC PRIVATE", "ENCRYPTED PRIVATE"),
        "public": pem.replace("PRIVATE", "PUBLIC"),
        "base64 cut": base64_key[:40],
        "base64 mixed": base64_key[44:88] + base64_key[:44],
        "no base64": f"{base64_key}§",
    }


@pytest.mark.parametrize("damage", list(damaged("\n" * 4, "")))
@pytest.mark.parametrize("road", ["argument", "file", "environment"])
def test_bad_keys_are_not_quoted(road: str, damage: str, tmp_path: Path, ec_pem: str, ed25519_base64: str) -> None:
    """
    A private key that cannot be used is told by its file or variable, whichever way it came.
    """
    bad = damaged(ec_pem, ed25519_base64)[damage]
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"id": KEY_ID, "privateKey": bad}))
    environment = {"CDP_API_KEY_ID": KEY_ID, "CDP_API_KEY_SECRET": bad}
    roads: dict[str, Callable[[], ApiKey]] = {
        "argument": lambda: ApiKey(KEY_ID, bad),
        "file": lambda: ApiKey.from_file(file),
        "environment": lambda: ApiKey.from_env(environment),
    }
    with listening() as haul:
        with pytest.raises(KeyFormatError) as caught:
            roads[road]()
        haul.add_error(caught.value)
    assert [] == haul.places_with(*lines_of(bad))


@pytest.mark.parametrize("kind", KINDS)
def test_bodies_are_in_no_local(kind: str, proxy: Proxy, signer: ApiKey) -> None:
    """
    No local variable of our frames shows the body of the request or of the answer, but for the caller's own arguments.
    """
    with listening() as haul:
        run(haul, proxy, Echo(400, "plain"), lambda: call(kind, signer, {"base_url": proxy.url}, *CREATE, **WRITTEN))
    own = ("local description of client.create", "local metadata of client.create")
    assert [] == haul.places_with(ASKED, ANSWERED, but=own)


@pytest.mark.parametrize("kind", KINDS)
def test_echoed_token_is_in_no_local(kind: str, proxy: Proxy, signer: ApiKey) -> None:
    """
    Nor does one show the token that a service repeats in its answer.
    """
    with listening() as haul:
        tokens = run(haul, proxy, Echo(400, "plain"), lambda: call(kind, signer, {"base_url": proxy.url}, "get", ID))
    assert [] == haul.places_with(*tokens)


@pytest.mark.parametrize("place", ["value", "name"])
def test_echoed_token_is_not_reported_as_drift(
    place: str, proxy: Proxy, signer: ApiKey, checkout_json: dict[str, Any]
) -> None:
    """
    A token that a service repeats as a status, or as the name of a field, is neither logged nor given to on_drift.
    """
    told: list[Drift] = []

    def echo(exchange: Exchange) -> bool:
        token = exchange.request.token
        return checkout(checkout_json, **({"status": token} if place == "value" else {token: 1}))(exchange)

    settings = {"base_url": proxy.url, "on_drift": told.append}
    with listening() as haul:
        tokens = run(haul, proxy, echo, lambda: call("sync", signer, settings, "get", ID))
        haul.add("drift", repr(told))
    # The value is cut at 100 characters: the head of a token and its first claims are in it.
    assert [] == haul.places_with(*(token[:80] for token in tokens))


def test_echoed_idempotency_key_is_not_told(proxy: Proxy, signer: ApiKey) -> None:
    """
    An idempotency key that the service repeats in its message is neither in str() nor in the log.
    """
    fault = Echo(422, "plain", IDEMPOTENCY_KEY)
    with listening() as haul:
        run(haul, proxy, fault, lambda: call("sync", signer, {"base_url": proxy.url}, *CREATE, **WRITTEN))
    assert [] == haul.places_with(IDEMPOTENCY_KEY, but=("local", "pickle"))


@pytest.mark.parametrize("client", [Checkouts, AsyncCheckouts])
def test_key_in_place_of_an_api_key_is_not_shown(client: Any, ed25519_base64: str) -> None:
    """
    A private key that is given where an ApiKey belongs is refused, and shown nowhere.
    """
    with listening() as haul:
        with pytest.raises(TypeError) as caught:
            client(ed25519_base64)
        haul.add_error(caught.value)
    assert [] == haul.places_with(ed25519_base64)
