"""Servers that are wrong on purpose: looking at what they say finds what is wrong with it; a right one is silent."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from coinbase_checkouts import ApiKey, Checkouts
from coinbase_checkouts.sensor import JsonLines
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.drift.fetching import Fetcher, cache_folder
from coinbase_checkouts_conformance.drift.observed import Observation, Observed, Witness
from coinbase_checkouts_conformance.drift.sources import Sources
from coinbase_checkouts_conformance.judge import BrokenError
from coinbase_checkouts_conformance.mutants import harmless
from coinbase_checkouts_conformance.mutants.catalogue import HTTP, SCHEMA, Mutant
from coinbase_checkouts_conformance.mutants.runs import application, wrong_servers
from coinbase_checkouts_conformance.mutants.trial import LIMITS, ORIGIN
from coinbase_checkouts_conformance.target import NOBODYS_ID, Target, filled
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_conformance.traffic import Place, recorded
from coinbase_checkouts_conformance.wire import Wire
from coinbase_checkouts_sandbox.inprocess import Socketlike
from tests.conformance.conversations import ID, ROOT, checkout

from .observed import Observe

SCHEMAS = [one for one in wrong_servers() if one.kind == SCHEMA]
# What looking at one answer at a time can see; the others cut connections, or are wrong in what they mean.
LOOKED_AT = {
    "media-type-is-html": "media",
    "media-type-is-missing": "media",
    "errors-are-html": "media",
    "create-is-202": "status",
    "get-is-203": "status",
    "list-is-206": "status",
    "refund-is-201": "status",
    "deactivate-is-204": "status",
    "missing-is-200": "required",
    "missing-is-410": "status",
    "json-is-cut-short": "body",
    "json-has-more-after-it": "body",
    "json-is-latin-1": "body",
    "json-has-a-byte-order-mark": "body",
    "amounts-are-not-a-number": "body",
    "nothing-is-null": "null",
    "unknown-fields-are-null": "field",
}
# What a right server may add.
ADDS = {"undocumented-field", "more-headers", "errors-say-more"}
HTTPS = [one for one in wrong_servers() if one.kind == HTTP and one.name in LOOKED_AT]


@dataclass
class Life:
    """Checkouts with a server that may be wrong, everything of which is looked at; *right* is the one behind it."""

    wire: Wire
    right: Wire
    tokens: Tokens
    observed: Observed

    def ask(self, name: str, checkout_id: str = "", body: Any = None, **query: str) -> None:
        """Look at one answer, if there is one."""
        operation = description().operations[name]
        url = self.wire.target.url(filled(operation.path, id=checkout_id))
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = httpx.Request(operation.method, url, content=content, headers=headers, params=query or None)
        with suppress(BrokenError):
            reply = self.wire.send(request, self.tokens.valid)
            exchange = recorded(Place("life", 0, "sandbox"), request, reply.status, reply.headers, reply.content)
            self.observed.answer(name, exchange, Witness("life", "sandbox", name, reply.status))

    def there(self) -> list[dict[str, Any]]:
        """The checkouts, whatever the wrong server says of them; oldest first."""
        url = self.right.target.url(description().operations["listCheckouts"].path)
        reply = self.right.send(httpx.Request("GET", url), self.tokens.valid)
        found: list[dict[str, Any]] = json.loads(reply.content)["checkouts"]
        return sorted(found, key=lambda one: (str(one["createdAt"]), str(one["id"])))

    def all(self) -> None:
        """Everything that a description has an answer for."""
        control = Control(self.right)
        body = {
            "amount": "2.00",
            "description": "Birne für 3 €",
            "metadata": {"a": "b"},
            "successRedirectUrl": "https://example.com/s",
            "failRedirectUrl": "https://example.com/f",
        }
        for currency in ("USDC", "USD"):
            self.ask("createCheckout", body={**body, "currency": currency})
        for one in self.there():
            self.ask("getCheckout", one["id"])
            control.pay(one["id"])
            self.ask("refundCheckout", one["id"], {"amount": "0.50", "reason": "r" * 500})
        for one in self.there():
            self.ask("getCheckout", one["id"])
            for refund in one.get("refunds", ()):
                control.settle(one["id"], refund["id"], "COMPLETED")
            self.ask("getCheckout", one["id"])
        self.ask("createCheckout", body={**body, "currency": "USDC"})
        self.ask("createCheckout", body={})
        self.ask("listCheckouts")
        self.ask("listCheckouts", pageSize="1")
        for checkout_id in (self.there()[-1]["id"], NOBODYS_ID):
            self.ask("deactivateCheckout", checkout_id)
            self.ask("getCheckout", checkout_id)


def looked_at(mutant: Mutant | None, key_file: Path) -> list[Observation]:
    """What is told of a life with a server."""
    app = application(key_file, mutant.readings if mutant else ())
    failures: list[str] = []
    tokens = Tokens(key_file)
    served = app if mutant is None else mutant.around(app, tokens, failures)
    observed = Observed(Sources(Fetcher(cache_folder())).open("spec"))
    wires = (Wire(Target.parse(ORIGIN), LIMITS, httpx.ASGITransport(Socketlike(one))) for one in (served, app))
    with next(wires) as wire, next(wires) as right:
        Life(wire, right, tokens, observed).all()
    assert [] == failures
    return [one for one in observed.observations if one.fails]


def test_a_right_server_is_silent(key_file: Path) -> None:
    """
    Our sandbox says nothing that is not described.
    """
    assert [] == looked_at(None, key_file)


@pytest.mark.parametrize("mutant", harmless.mutants(), ids=lambda one: one.name)
def test_harmless_differences_are_silent(mutant: Mutant, key_file: Path) -> None:
    """
    Nor does a right server in another documented reading, but for what it adds on purpose.
    """
    told = {one.kind for one in looked_at(mutant, key_file)}
    assert told <= {"field", "header"}
    assert (mutant.name in ADDS) is bool(told)


@pytest.mark.parametrize("mutant", SCHEMAS, ids=lambda one: one.name)
def test_answers_that_break_a_schema(mutant: Mutant, key_file: Path) -> None:
    """
    A server that breaks one constraint on its answers is told, at that constraint.
    """
    told = looked_at(mutant, key_file)
    assert told
    if found := re.search(r"breaks (/\S+?)(/required/\d+|/type|/enum)?\.", mutant.does):
        places = {(one.pointer, one.kind) for one in told}
        schema = f"#{found[1]}"
        assert any(pointer.startswith(schema) or kind in ("type", "null") for pointer, kind in places), places


@pytest.mark.parametrize("mutant", HTTPS, ids=lambda one: one.name)
def test_answers_that_are_odd(mutant: Mutant, key_file: Path) -> None:
    """
    A server with another status, media type or body is told, as what it is.
    """
    assert LOOKED_AT[mutant.name] in {one.kind for one in looked_at(mutant, key_file)}


# ---------------------------------------------------------------- Over a connection


@contextmanager
def answering(answers: dict[str, tuple[int, dict[str, str], bytes]]) -> Generator[tuple[str, list[tuple[str, str]]]]:
    """A server with these answers by the beginning of a path; its URL, and what it was asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path))
            known = [answers[path] for path in answers if self.path.startswith(path)]
            status, headers, body = known[0] if known else (404, {}, b"")
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


JSON = {"Content-Type": "application/json"}


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    return status, {**JSON, **(headers or {})}, json.dumps(content).encode()


def test_our_sandbox_over_a_connection(our_sandbox: tuple[str, Path], observe: Observe) -> None:
    """
    Our own sandbox has none, is asked with its key, and is called a sandbox.
    """
    url, key = our_sandbox
    code, document, err = observe("--base-url", url, "--key-file", key)
    assert (0, ["sandbox"], "") == (code, list(document["exchanges"]), err)
    assert [] == document["differences"]


def test_a_server_that_drifted(key_file: Path, observe: Observe) -> None:
    """
    It is asked with GET only: for pages, for what is on them, and for a checkout that does not exist.
    """
    page = {"checkouts": [checkout(), checkout(id="8e03978e-40d5-43e8-bc93-6894a57f9324"), {"id": 7}, None]}
    error = {"errorType": "gone", "errorMessage": "no"}
    answers = {
        f"{ROOT}/{ID}": _json({**checkout("ON_HOLD"), "riskScore": 7}, headers={"X-RateLimit-Limit": "9"}),
        f"{ROOT}/{NOBODYS_ID}": _json(error, 410),
        f"{ROOT}?pageSize=20&pageToken=t": _json({"checkouts": []}),
        ROOT: _json({**page, "nextPageToken": "t"}),
    }
    with answering(answers) as (url, asked):
        code, document, _ = observe("--base-url", url, "--key-file", key_file)
    assert (1, {"GET"}, {"live"}) == (code, {method for method, _ in asked}, set(document["exchanges"]))
    assert f"{ROOT}?pageSize=20&pageToken=t" in {path for _, path in asked}
    told = {(one["kind"], one["name"]) for one in document["differences"]}
    assert {("value", "ON_HOLD"), ("field", "riskScore"), ("status", "410"), ("header", "x-ratelimit-limit")} <= told
    assert {"pattern", "type", "null"} & {kind for kind, _ in told}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            {ROOT: _json({"errorType": "unauthorized", "errorMessage": "no"}, 401)},
            "does not take this key: it answers 401",
        ),
        (
            {ROOT: _json({"errorType": "forbidden", "errorMessage": "no"}, 403)},
            "does not take this key: it answers 403",
        ),
    ],
)
def test_a_server_that_refuses(
    answers: dict[str, tuple[int, dict[str, str], bytes]], words: str, key_file: Path, observe: Observe
) -> None:
    """
    Exit 2 and one line if the server does not take the key, or nobody is there.
    """
    with answering(answers) as (url, _):
        code, document, err = observe("--base-url", url, "--key-file", key_file)
    assert (2, {}, 1, True) == (code, document, err.count("\n"), words in err)
    code, document, err = observe("--base-url", url, "--key-file", key_file)
    assert (2, {}, 1, True) == (code, document, err.count("\n"), "no connection" in err)


def test_answers_that_do_not_come_whole(key_file: Path, observe: Observe) -> None:
    """
    What is cut off is told, and the rest is looked at.
    """
    short = (200, {**JSON, "Content-Length": "500"}, b"{")
    with answering({f"{ROOT}/{ID}": short, ROOT: _json({"checkouts": [checkout()]})}) as (url, _):
        code, document, err = observe("--base-url", url, "--key-file", key_file)
    assert code in (0, 1)
    assert "one answer did not come whole" in err
    assert {"live"} == set(document["exchanges"])
    with answering({ROOT: short}) as (url, _):
        assert 2 == observe("--base-url", url, "--key-file", key_file)[0]


def test_from_production_to_a_patch(key_file: Path, observe: Observe, tmp_path: Path) -> None:
    """
    What the client notices while it is used is written down, and told by the command.
    """
    log = tmp_path / "drift.jsonl"
    strange = {**checkout("ON_HOLD"), "riskScore": 7}
    with answering({f"{ROOT}/{ID}": _json(strange)}) as (url, _):
        api_key = ApiKey.from_file(key_file)
        for _ in range(2):
            with Checkouts(api_key, base_url=url, on_drift=JsonLines(log)) as client:
                client.get(ID)
                client.get(ID)
    code, document, _ = observe("--log", log)
    told = {(one["kind"], one["name"]): one["count"] for one in document["differences"]}
    assert (1, {("value", "ON_HOLD"): 2, ("field", "riskScore"): 2}) == (code, told)
