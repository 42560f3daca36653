"""The sandbox as a Python object: reachable from any code of the process, and gone without a trace."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts, Outcome
from coinbase_checkouts.errors import NoResponseError, ServerError
from coinbase_checkouts_sandbox import Readings, Sandbox, SandboxError
from coinbase_checkouts_sandbox.database import DatabaseError
from coinbase_checkouts_sandbox.endpoints import DROP
from coinbase_checkouts_sandbox.inprocess import IN_PROCESS_URL, wrapping

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/api/v1/checkouts"
BODY = {"amount": "100.50", "currency": "USDC"}


@pytest.fixture(params=[None, 0], ids=["in process", "port"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(port=request.param) as sandbox:
        yield sandbox


@pytest.fixture
def checkouts(sandbox: Sandbox) -> Iterator[Checkouts]:
    with httpx.Client() if sandbox.base_url != IN_PROCESS_URL else sandbox.http_client() as client:
        yield Checkouts(_key(sandbox), base_url=sandbox.base_url, http_client=client)


def _key(sandbox: Sandbox) -> ApiKey:
    return ApiKey(sandbox.key["id"], sandbox.key["privateKey"])


def test_a_payment_from_beginning_to_end(sandbox: Sandbox, checkouts: Checkouts) -> None:
    """
    With its own key the client creates; the verbs pay, settle and move the time; what came in is known.
    """
    checkout = checkouts.create("100.50", idempotency_key="5f0c8a2e-4d3b-4c1a-9e7f-6b5a4c3d2e1f")
    assert "COMPLETED" == sandbox.pay(checkout.id)["status"]
    refund = checkouts.refund(checkout.id, "0.50").refund
    assert "PARTIALLY_REFUNDED" == sandbox.settle(checkout.id, refund.id)["status"]
    before = sandbox.now
    assert sandbox.advance(timedelta(days=1)) - before >= timedelta(days=1)
    created, refunded = sandbox.requests
    assert ("POST", PATH, 201, "5f0c8a2e-4d3b-4c1a-9e7f-6b5a4c3d2e1f") == (
        created.method,
        created.path,
        created.status,
        created.idempotency_key,
    )
    assert (f"{PATH}/{checkout.id}/refund", 200) == (refunded.path, refunded.status)


def test_async_code_reaches_it_from_a_loop_of_its_own(sandbox: Sandbox) -> None:
    """
    An async client on another event loop gets its answers, many at once.
    """

    async def story() -> list[str]:
        async with sandbox.async_http_client() as client:
            checkouts = AsyncCheckouts(_key(sandbox), base_url=sandbox.base_url, http_client=client)
            made = await asyncio.gather(*(checkouts.create("1.00") for _ in range(20)))
            return [(await checkouts.get(checkout.id)).id for checkout in made]

    assert 20 == len(set(asyncio.run(story())))


def test_threads_share_it(sandbox: Sandbox, checkouts: Checkouts) -> None:
    """
    Twenty creates at once under one key, from eight threads, make one checkout.
    """
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(checkouts.create, "1.00", order_id="order-1") for _ in range(20)]
    assert 1 == len({each.result().id for each in made})


def test_key_is_in_the_form_of_the_portal(sandbox: Sandbox, tmp_path: Path) -> None:
    """
    The key file is what the client reads, for its owner only, and the environment has the same key.
    """
    written = sandbox.key_file(tmp_path / "cdp_api_key.json")
    assert 0o600 == stat.S_IMODE(written.stat().st_mode)
    assert sandbox.key == json.loads(written.read_text())
    keys = [ApiKey.from_file(written), ApiKey.from_env(sandbox.environ)]
    assert [sandbox.key["id"]] * 2 == [key.id for key in keys]
    assert sandbox.key["privateKey"] not in repr(sandbox)


def test_a_token_is_asked_for(sandbox: Sandbox) -> None:
    """
    Without a token the answer is 401; a sandbox with auth=False answers all the same.
    """
    with sandbox.http_client() as client:
        assert 401 == client.get(PATH).status_code
    with Sandbox(auth=False) as open_to_all, open_to_all.http_client() as client:
        assert 200 == client.get(PATH).status_code


def test_settings_reach_the_server() -> None:
    """
    Readings, by name as the command takes them too, and the clock are those that were given.
    """
    with pytest.raises(ValueError, match="nonsense"):
        Sandbox(readings=["nonsense=1"])
    with Sandbox(readings=Readings(create_status=200)):
        pass
    with Sandbox(auth=False, readings=["create=200"], clock=lambda: 0) as sandbox:
        with sandbox.http_client() as client:
            assert 200 == client.post(PATH, json=BODY).status_code
        assert "1970-01-01T00:00:00+00:00" == sandbox.now.isoformat()


def test_no_plain_client_reaches_what_has_no_port() -> None:
    """
    The address of a sandbox in process leads nowhere over a socket, and its transport nowhere else.
    """
    with Sandbox() as sandbox:
        assert IN_PROCESS_URL == sandbox.base_url
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{sandbox.base_url}{PATH}", trust_env=False)
        with sandbox.http_client() as client, pytest.raises(httpx.ConnectError, match="and nothing else"):
            client.get("http://127.0.0.1:2/")


class Hostile:
    """Cuts the connection, before or in the middle of the answer, or is slow, by the request's path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.acted = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/drop":
            scope["extensions"][DROP]()
            return
        if scope["path"] == "/half":
            start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}
            await send(start)
            await send({"type": "http.response.body", "body": b"half"})
            return
        if scope["path"] == "/slow":
            await asyncio.sleep(0.2)
            self.acted.set()
        await self._app(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "told"), [("/drop", "without sending a response"), ("/half", "received 4 bytes, expected 9")]
)
def test_a_cut_connection_is_one(path: str, told: str) -> None:
    """
    A dropped or truncated answer is the error that a socket would give, for sync and async clients.
    """

    async def ask(sandbox: Sandbox) -> None:
        async with sandbox.async_http_client() as client:
            await client.get(path)

    with wrapping(Hostile), Sandbox() as sandbox:
        with sandbox.http_client() as client, pytest.raises(httpx.RemoteProtocolError, match=told):
            client.get(path)
        with pytest.raises(httpx.RemoteProtocolError, match=told):
            asyncio.run(ask(sandbox))
        assert [path, path] == [seen.path for seen in sandbox.requests]


def test_a_late_answer_is_a_timeout_and_the_act_is_done() -> None:
    """
    A client that leaves after its read timeout does not stop what the server is doing.
    """
    made: list[Hostile] = []

    def wrapper(app: ASGIApp) -> ASGIApp:
        made.append(Hostile(app))
        return made[0]

    with wrapping(wrapper), Sandbox() as sandbox, sandbox.http_client() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/slow", timeout=0.01)
        assert made[0].acted.wait(5)


def test_the_client_calls_a_drop_by_its_name() -> None:
    """
    Our own client, told of a drop by this transport, knows that the outcome is unknown.
    """

    def dropping(_app: ASGIApp) -> ASGIApp:
        async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
            scope["extensions"][DROP]()

        return app

    with wrapping(dropping), Sandbox() as sandbox, sandbox.http_client() as client:
        checkouts = Checkouts(_key(sandbox), base_url=sandbox.base_url, http_client=client, max_retries=0)
        with pytest.raises(NoResponseError) as caught:
            checkouts.create("1.00")
    assert Outcome.UNKNOWN == caught.value.outcome


def test_what_cannot_be_done_is_said(sandbox: Sandbox) -> None:
    """
    A control call that is refused names itself and the reason; half a second is refused before it is sent.
    """
    with pytest.raises(SandboxError, match=r"/checkouts/0{24}/pay: 404 .*no checkout"):
        sandbox.pay("0" * 24)
    with pytest.raises(ValueError, match="whole seconds"):
        sandbox.advance(0.5)


def test_a_world_can_be_kept_and_put_back(sandbox: Sandbox, checkouts: Checkouts) -> None:
    """
    A snapshot brings back what was there; after a reset there is nothing.
    """
    checkout = checkouts.create("1.00")
    before = sandbox.snapshot()
    sandbox.pay(checkout.id)
    sandbox.restore(before)
    assert "ACTIVE" == checkouts.get(checkout.id).status
    sandbox.reset()
    assert ([], 1) == (list(checkouts.list()), len(sandbox.requests))


def test_faults_strike_until_they_are_cleared(sandbox: Sandbox, checkouts: Checkouts) -> None:
    """
    A fault that is armed strikes, is listed with what it has done, and is gone when it was cleared.
    """
    assert sandbox.fault(kind="error", operation="listCheckouts", times=5)["armed"]
    with pytest.raises(ServerError):
        list(checkouts.with_options(max_retries=0).list())
    assert [1] == [fault["struck"] for fault in sandbox.faults]
    sandbox.clear_faults()
    assert [] == sandbox.faults
    assert [] == list(checkouts.list())


@pytest.mark.parametrize("port", [None, 0], ids=["in process", "port"])
@pytest.mark.parametrize("fault", [{"kind": "drop", "when": "after"}, {"kind": "truncate"}], ids=["drop", "truncate"])
def test_connections_break_off(fault: dict[str, str], port: int | None) -> None:
    """
    The faults that cut a connection are, in process too, an answer that did not come, and the act is done.
    """
    with Sandbox(port=port) as sandbox, sandbox.http_client() if port is None else httpx.Client() as client:
        checkouts = Checkouts(_key(sandbox), base_url=sandbox.base_url, http_client=client, max_retries=0)
        sandbox.fault(operation="createCheckout", **fault)
        with pytest.raises(NoResponseError) as caught:
            checkouts.create("1.00")
        assert Outcome.UNKNOWN == caught.value.outcome
        assert 1 == len(list(checkouts.list()))


def test_outside_its_with_it_is_not_running() -> None:
    """
    Before and after, every use is refused with the reason, and it is not started twice.
    """
    sandbox = Sandbox()
    with pytest.raises(SandboxError, match="inside its `with`"):
        _ = sandbox.base_url
    with sandbox:
        kept = sandbox.transport
    with pytest.raises(SandboxError, match="inside its `with`"):
        sandbox.pay("0" * 24)
    with httpx.Client(transport=kept) as client, pytest.raises(SandboxError):
        client.get(IN_PROCESS_URL)
    with pytest.raises(SandboxError, match="started once"):
        sandbox.__enter__()
    assert "Sandbox(not running)" == repr(sandbox)


def test_it_leaves_no_thread_and_no_port_behind() -> None:
    """
    At the end its thread has ended and its port is free.
    """
    before = threading.active_count()
    with Sandbox(port=0) as sandbox, httpx.Client() as client:
        url = sandbox.base_url
        assert 401 == client.get(url + PATH).status_code
    assert before == threading.active_count()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_what_is_wrong_with_the_start_is_raised_where_it_was_asked_for() -> None:
    """
    A database that cannot be opened, or a port that is taken, raises from the `with`.
    """
    with pytest.raises(DatabaseError), Sandbox(database="sqlite:////nowhere/at/all"):
        pass
    with (
        Sandbox(port=0) as first,
        pytest.raises(OSError, match="in use"),
        Sandbox(port=httpx.URL(first.base_url).port),
    ):
        pass


def test_a_forked_child_is_told() -> None:
    """
    In a forked child, where the server's thread is not, using it is refused instead of waiting for ever.
    """
    program = """
import os, sys
from coinbase_checkouts_sandbox import Sandbox, SandboxError
with Sandbox() as sandbox:
    child = os.fork()
    if not child:
        try:
            sandbox.now
        except SandboxError as exc:
            os._exit(0 if "forked child" in str(exc) else 1)
        os._exit(2)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=30, check=False)
    assert 0 == done.returncode


def test_importing_the_package_costs_nothing() -> None:
    """
    Neither httpx nor SQLAlchemy is loaded before the sandbox is used; unknown names are refused.
    """
    program = """
import sys, coinbase_checkouts_sandbox as package
assert not {"httpx", "sqlalchemy", "starlette"} & set(sys.modules)
assert "Sandbox" in dir(package)
assert package.Sandbox is package.Sandbox
try:
    package.Nonsense
except AttributeError:
    sys.exit(0)
"""
    assert 0 == subprocess.run([sys.executable, "-c", program], env=os.environ, check=False).returncode
