"""What a user puts on or under the client: OpenTelemetry, hooks, and a proxy of theirs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from coinbase_checkouts import AsyncCheckouts, Checkouts

from .clients import call
from .conftest import Sandbox
from .proxy import Answered, Proxy, dropped_before

# A name that no machine of this network has: only a proxy can have reached it.
ELSEWHERE: Final = "http://payments-of-this-shop"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans of every httpx client that is made from now on."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()
    provider.shutdown()


def status_of(span: ReadableSpan) -> object:
    attributes = span.attributes or {}
    return attributes.get("http.status_code", attributes.get("http.response.status_code"))


# It knows httpx's own connections only: AsyncCheckouts says so, at its argument aiohttp.
@pytest.mark.parametrize("kind", ["sync", "httpx"])
def test_each_attempt_is_a_span(kind: str, spans: InMemorySpanExporter, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    OpenTelemetry sees a dropped attempt, a refused one and the one that succeeds as a span each, without the token.
    """
    proxy.plan(dropped_before, Answered(503))
    call(kind, sandbox.api_key, {"base_url": proxy.url}, "create", "1.00")
    finished = spans.get_finished_spans()
    assert [None, 503, 201] == [status_of(span) for span in finished]
    told = "".join(span.to_json() for span in finished)
    assert [] == [request.token for request in proxy.requests if request.token in told]


def test_hooks_see_each_attempt_sync(sandbox: Sandbox, proxy: Proxy) -> None:
    """
    The event hooks of a user's httpx client are called for each attempt, with the signed request.
    """
    signed: list[bool] = []
    statuses: list[int] = []

    def on_request(request: httpx.Request) -> None:
        signed.append("authorization" in request.headers)

    def on_response(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    proxy.plan(Answered(503))
    with httpx.Client(event_hooks={"request": [on_request], "response": [on_response]}) as own:
        Checkouts(sandbox.api_key, base_url=proxy.url, http_client=own).create("1.00")
    assert ([True, True], [503, 201]) == (signed, statuses)


@pytest.mark.anyio
async def test_hooks_see_each_attempt_async(sandbox: Sandbox, proxy: Proxy) -> None:
    """
    The same of the async client.
    """
    signed: list[bool] = []
    statuses: list[int] = []

    async def on_request(request: httpx.Request) -> None:
        signed.append("authorization" in request.headers)

    async def on_response(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    proxy.plan(Answered(503))
    async with httpx.AsyncClient(event_hooks={"request": [on_request], "response": [on_response]}) as own:
        await AsyncCheckouts(sandbox.api_key, base_url=proxy.url, http_client=own).create("1.00")
    assert ([True, True], [503, 201]) == (signed, statuses)


@pytest.mark.parametrize("how", ["proxy", "mounts"])
def test_calls_go_through_the_proxy_of_the_user(how: str, sandbox: Sandbox, proxy: Proxy) -> None:
    """
    A proxy given to httpx, for all addresses or for one, is where the calls go, signed for the service's own name.
    """
    order = uuid.uuid4().hex
    mounted = {ELSEWHERE: httpx.HTTPTransport(proxy=proxy.url)}
    with (
        httpx.Client(proxy=proxy.url) if how == "proxy" else httpx.Client(mounts=mounted) as own,
        Checkouts(sandbox.api_key, base_url=ELSEWHERE, http_client=own) as client,
    ):
        made = client.create("1.00", description=order)
    assert [made.id] == [found["id"] for found in sandbox.described(order)]
    assert [f"POST {ELSEWHERE}/api/v1/checkouts"] == [request.target for request in proxy.requests]


@pytest.mark.parametrize("aiohttp", [False, True])
def test_async_calls_go_through_the_proxy_of_the_environment(
    aiohttp: bool, sandbox: Sandbox, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The async client's own connections go through the proxy that the environment names, as httpx's do.
    """
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    order = uuid.uuid4().hex

    async def main() -> str:
        async with AsyncCheckouts(
            sandbox.api_key, base_url=ELSEWHERE, max_retries=0, timeout=5, aiohttp=aiohttp
        ) as client:
            return (await client.create("1.00", description=order)).id

    assert [asyncio.run(main())] == [found["id"] for found in sandbox.described(order)]
    assert [f"POST {ELSEWHERE}/api/v1/checkouts"] == [request.target for request in proxy.requests]
