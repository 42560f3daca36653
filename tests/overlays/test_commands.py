"""The client's commands, against a real server on loopback; terminals, pipes and Ctrl-C in processes of their own."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coinbase_checkouts import CheckoutStatus, arguments, cli, streams
from coinbase_checkouts.client import Checkouts
from coinbase_checkouts.idempotency import key_for

from .conftest import DROP, Received, Reply, Server

ID = "68f7a946db0529ea9b6d3a12"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
SECRET = "bWFya2VkLXNlY3JldC1tYXJrZWQtc2VjcmV0LW1hcmtlZC1zZWNyZXQ"
PROGRAM = [sys.executable, "-c", "import sys; from coinbase_checkouts.cli import main; sys.exit(main())"]

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key of the surroundings, an empty folder, and retries and readings that follow at once."""
    for name in ("CDP_API_KEY_ID", "CDP_API_KEY_NAME", "CDP_API_KEY_SECRET", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("coinbase_checkouts.shells.random.random", lambda: 0.0)
    monkeypatch.setattr("coinbase_checkouts.waiting.FIRST_WAIT_S", 0.001)


@pytest.fixture
def key_file(tmp_path: Path, ed25519_base64: str) -> Path:
    path = tmp_path / "cdp_api_key.json"
    path.write_text(json.dumps({"id": "key-id", "privateKey": ed25519_base64}))
    return path


@pytest.fixture
def run(server: Server, key_file: Path) -> Run:
    """Runs a command against the server."""

    def call(*given: str) -> int:
        return cli.main([*given, "--base-url", server.url])

    return call


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def refunded(checkout_json: dict[str, Any]) -> dict[str, Any]:
    refund = {
        "id": "r",
        "checkoutId": ID,
        "amount": "25.00",
        "currency": "USDC",
        "status": "PENDING",
        "createdAt": "2026-11-20T11:00:00Z",
    }
    return {
        "checkout": {
            **checkout_json,
            "status": "PARTIALLY_REFUNDED",
            "refundedAmount": "25.00",
            "refunds": [refund],
        },
        "refund": refund,
    }


def body(request: Received) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(request.body)
    return sent


def numbered(checkout_json: dict[str, Any], *numbers: int) -> list[dict[str, Any]]:
    return [{**checkout_json, "id": f"{number:024x}"} for number in numbers]


# What is sent and shown.


def test_create_sends_what_its_options_say(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Every option of create arrives under the API's name, and --json prints the answer as one line.
    """
    server.answer(checkout_json)
    options = ["--currency", "EUR", "--network", "base", "--description", "Tea", "--json"]
    options += ["--metadata", "a=b=c", "--metadata", "d="]
    options += ["--expires-at", "2999-03-20T10:30:00Z", "--idempotency-key", KEY]
    options += ["--success-redirect-url", "https://shop.example/ok", "--fail-redirect-url", "https://shop.example/no"]
    assert run("create", "100.50", *options) == 0
    assert {
        "amount": "100.50",
        "currency": "EUR",
        "network": "base",
        "description": "Tea",
        "metadata": {"a": "b=c", "d": ""},
        "expiresAt": "2999-03-20T10:30:00Z",
        "successRedirectUrl": "https://shop.example/ok",
        "failRedirectUrl": "https://shop.example/no",
    } == body(server.received[0])
    assert server.received[0].headers["x-idempotency-key"] == KEY
    told = capsys.readouterr()
    assert ("", 1) == (told.err, told.out.count("\n"))
    assert {**checkout_json, "updatedAt": "2026-11-20T10:31:00.250000Z"} == json.loads(told.out)


def test_order_id_derives_the_key(run: Run, server: Server, checkout_json: dict[str, Any]) -> None:
    """
    --order-id and --refund-id give the keys that the library derives from them.
    """
    server.answer(checkout_json, refunded(checkout_json))
    assert run("create", "1", "--order-id", "5") == 0
    assert run("refund", ID, "25", "--refund-id", "6", "--yes") == 0
    keys = [request.headers["x-idempotency-key"] for request in server.received]
    assert [key_for("5", operation="create"), key_for(ID, operation="refund", refund_id="6")] == keys


@pytest.mark.parametrize(
    ("given", "expected"),
    [("30m", timedelta(minutes=30)), ("1h", timedelta(hours=1)), ("2d", timedelta(days=2))],
)
def test_expires_in_counts_from_now(
    given: str, expected: timedelta, run: Run, server: Server, checkout_json: dict[str, Any]
) -> None:
    """
    --expires-in takes minutes, hours and days.
    """
    server.answer(checkout_json)
    before = datetime.now(UTC).replace(microsecond=0)
    assert run("create", "1", "--expires-in", given) == 0
    sent = datetime.fromisoformat(body(server.received[0])["expiresAt"])
    assert before + expected <= sent <= datetime.now(UTC) + expected


def test_get_shows_a_checkout_to_a_person(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Names and values in columns, amounts ending below each other, times in UTC, nothing that is not there.
    """
    more = {"createdAt": "2026-11-20T12:30:00+02:00", "metadata": {"order": "5"}, "description": "Tea"}
    server.answer({**refunded(checkout_json)["checkout"], **more})
    assert run("get", ID) == 0
    assert [
        "id              68f7a946db0529ea9b6d3a12",
        "status          PARTIALLY_REFUNDED",
        "url             https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef",
        "amount          100.50 USDC",
        "refunded         25.00 USDC",
        "left to refund   75.50 USDC",
        "fee               1.26 USDC",
        "net              99.24 USDC",
        "description     Tea",
        "metadata order  5",
        "created         2026-11-20T10:30:00Z",
        "updated         2026-11-20T10:31:00Z",
        "transaction     0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef",
        "refund          25.00 PENDING 2026-11-20T11:00:00Z r",
    ] == capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("odd", "line"),
    [
        ({"status": "LOST\x1b[2J"}, "status       LOST�[2J"),
        ({"amount": "all"}, "left to refund  unknown USDC"),
        ({"amount": 7, "refundedAmount": "some"}, "left to refund  unknown USDC"),
        ({"amount": 7.5}, "amount          7.5 USDC"),
        ({"amount": "", "status": "ACTIVE"}, "status       ACTIVE"),
        ({"createdAt": "0001-01-01T00:00:00+14:00"}, "created         0001-01-01 00:00:00+14:00"),
        ({"createdAt": "yesterday"}, "created         0001-01-01T00:00:00Z"),
    ],
)
def test_answer_that_is_not_as_described_is_shown(
    odd: dict[str, Any], line: str, run: Run, server: Server, checkout_json: dict[str, Any]
) -> None:
    """
    A status nobody knows, an amount that is no number and a time before all times are no reason to fail.
    """
    del checkout_json["settlement"]
    server.answer({**checkout_json, **odd})
    with redirect_stdout(io.StringIO()) as out:
        assert run("get", ID) == 0
    assert line in out.getvalue().splitlines()


def test_every_line_of_a_listing_is_aligned(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Without a terminal a listing is text in columns, amounts to the right, one header for all its pages.
    """
    first, second, third = numbered(checkout_json, 1, 2, 3)
    second["amount"], second["description"] = "5", "Tea\x1b[2J\nfor two"
    server.answer(
        {"checkouts": [first, second], "nextPageToken": "t"},
        {"checkouts": [], "nextPageToken": "u"},
        {"checkouts": [third]},
    )
    assert run("list") == 0
    told = capsys.readouterr()
    assert "" == told.err
    assert [
        "ID                        STATUS                    AMOUNT  CUR   CREATED (UTC)         DESCRIPTION",
        "000000000000000000000001  COMPLETED                 100.50  USDC  2026-11-20T10:30:00Z",
        "000000000000000000000002  COMPLETED                      5  USDC  2026-11-20T10:30:00Z  Tea�[2J�for two",
        "000000000000000000000003  COMPLETED                 100.50  USDC  2026-11-20T10:30:00Z",
    ] == told.out.splitlines()


def test_list_asks_for_no_page_beyond_its_limit(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Filters are sent, --limit cuts the last page and the pages after it, --json prints an object a line.
    """
    server.answer(
        {"checkouts": numbered(checkout_json, 1, 2), "nextPageToken": "t"},
        {"checkouts": numbered(checkout_json, 3, 4), "nextPageToken": "u"},
    )
    filters = ["--status", "completed", "--status", "REFUNDED", "--start-time", "2026-01-01T00:00:00Z"]
    filters += ["--end-time", "2026-12-31T00:00:00Z", "--description-query", "tea", "--page-size", "2"]
    assert run("list", "--limit", "3", "--json", *filters) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [f"{number:024x}" for number in (1, 2, 3)] == [json.loads(line)["id"] for line in lines]
    assert (
        "/api/v1/checkouts?pageSize=2&status=COMPLETED&status=REFUNDED&startTime=2026-01-01T00%3A00%3A00Z"
        "&endTime=2026-12-31T00%3A00%3A00Z&descriptionQuery=tea"
    ) == server.received[0].target
    assert 2 == len(server.received)


def test_empty_listing_is_no_output(run: Run, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Nothing found is nothing printed, and success.
    """
    server.answer({"checkouts": []})
    assert (0, 0) == (run("list"), run("list", "--json"))
    assert ("", "") == capsys.readouterr()


@pytest.mark.parametrize("has_rich", [True, False])
def test_listing_on_a_terminal_is_a_table(
    has_rich: bool, run: Run, server: Server, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With rich a table, ids uncut, markup shown as it is; without it the same rows as plain text.
    """
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    checkout_json["description"] = "[red]Tea[/red]"
    server.answer(
        {"checkouts": numbered(checkout_json, 1), "nextPageToken": "t"}, {"checkouts": numbered(checkout_json, 2)}
    )
    assert run("list") == 0
    assert isinstance(sys.stdout, Terminal)
    assert isinstance(sys.stderr, Terminal)
    lines = sys.stdout.getvalue().splitlines()
    assert has_rich == ("\x1b[1m" in lines[0])
    assert 3 == len(lines)
    for number, line in enumerate(lines[1:], 1):
        assert line.startswith(f"{number:024x}")
        assert "[red]Tea[/red]" in line
    # The rows are progress enough where they appear one by one.
    assert ("2 checkouts …\r             \r" if has_rich else "") == sys.stderr.getvalue()


def test_what_was_read_is_shown_when_the_listing_breaks_off(
    run: Run, server: Server, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A table that waits for its end is drawn of what there is, when an error comes first.
    """
    monkeypatch.setattr(sys, "stdout", Terminal())
    server.answer({"checkouts": numbered(checkout_json, 1), "nextPageToken": "t"}, Reply(403))
    assert run("list") == 1
    assert isinstance(sys.stdout, Terminal)
    assert f"{1:024x}" in sys.stdout.getvalue()


def test_deactivate_shows_how_it_is(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The answer is the checkout.
    """
    server.answer({**checkout_json, "status": "DEACTIVATED"})
    assert run("deactivate", ID) == 0
    assert "status       DEACTIVATED\n" in capsys.readouterr().out
    assert f"/api/v1/checkouts/{ID}/deactivate" == server.received[0].target


def test_refund_shows_the_refund_and_its_checkout(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    With --yes nothing is asked; a person sees the refund first, a program both in one object.
    """
    answer = refunded(checkout_json)
    server.answer(answer)
    options = ["--currency", "USDC", "--reason", "Too hot", "--idempotency-key", KEY, "--yes"]
    assert run("refund", ID, "25.00", *options) == 0
    assert ["refund r of 25.00 USDC: PENDING", f"id              {ID}"] == capsys.readouterr().out.splitlines()[:2]
    assert {"amount": "25.00", "currency": "USDC", "reason": "Too hot"} == body(server.received[0])
    assert run("refund", ID, "25.00", *options, "--json") == 0
    assert answer["refund"] == json.loads(capsys.readouterr().out)["refund"]
    assert [KEY, KEY] == [request.headers["x-idempotency-key"] for request in server.received]


def test_wait_tells_each_new_status_on_stderr(
    run: Run, server: Server, checkout_json: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Readings that tell nothing new are not told, passing trouble is; stdout has the last checkout.
    """
    active = {**checkout_json, "status": "ACTIVE"}
    server.answer(active, active, Reply(503), checkout_json)
    assert run("wait", ID, "--max-retries", "0", "--json") == 0
    told = capsys.readouterr()
    assert ["ACTIVE", "getCheckout: 503", "COMPLETED"] == [line.split(" ", 1)[1] for line in told.err.splitlines()]
    assert "COMPLETED" == json.loads(told.out)["status"]


@pytest.mark.parametrize(
    ("status", "options", "reason"),
    [
        ("EXPIRED", ["--until", "completed"], "after which COMPLETED cannot come"),
        ("ACTIVE", ["--timeout-s", "60"], "last seen ACTIVE"),
        ("ACTIVE", ["--until", "REFUNDED", "--until", "FAILED", "--timeout-s", "60"], "not FAILED or REFUNDED"),
    ],
)
def test_wait_in_vain_is_1(
    *,
    status: str,
    options: list[str],
    reason: str,
    run: Run,
    server: Server,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    A status that cannot come any more, or not in time, ends the wait with 1 and nothing on stdout.
    """
    # The first pause would already be too long, so that nobody waits.
    monkeypatch.setattr("coinbase_checkouts.waiting.FIRST_WAIT_S", 1000.0)
    server.answer({**checkout_json, "status": status})
    assert run("wait", ID, *options) == 1
    told = capsys.readouterr()
    assert "" == told.out
    assert reason in told.err


# Exit codes.


@pytest.mark.parametrize(
    ("given", "script", "code"),
    [
        (["get", ID], [Reply(404)], 1),
        (["get", ID], [Reply(503)], 1),
        (["get", ID], [Reply(body=b"<html>")], 1),
        (["get", ID], [DROP], 2),
        (["list"], [{"checkouts": [], "nextPageToken": "t"}], 1),
        (["create", "1"], [Reply(400)], 1),
        (["create", "1"], [DROP], 3),
        (["create", "1"], [Reply(503)], 3),
        (["create", "1"], [Reply(201, b"{}")], 3),
        (["create", "1"], [DROP, Reply(409)], 3),
        (["refund", ID, "1", "--yes"], [Reply(422)], 1),
        (["refund", ID, "1", "--yes"], [DROP], 3),
        (["deactivate", ID], [Reply(409)], 1),
        (["deactivate", ID], [DROP], 3),
        (["wait", ID], [Reply(403)], 1),
    ],
)
def test_exit_code_says_what_is_known(
    *,
    given: list[str],
    script: list[Reply | str | dict[str, Any]],
    code: int,
    run: Run,
    server: Server,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    1: the API said no. 2: nobody was reached. 3: it may have happened, and how to go on is told.
    """
    server.answer(*script)
    assert run(*given) == code
    told = capsys.readouterr()
    assert "" == told.out
    assert told.err.startswith(f"coinbase-checkouts {given[0]}: ")
    assert (code == 3) == ("It may have happened." in told.err)
    assert (code == 3 and given[0] != "deactivate") == ("--idempotency-key" in told.err)


@pytest.mark.parametrize("command", [["get", ID], ["create", "1"], ["refund", ID, "1", "--yes"], ["deactivate", ID]])
def test_nobody_there_is_2(
    command: list[str], key_file: Path, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Where nothing was sent nothing happened, and no key is shown.
    """
    assert cli.main([*command, "--base-url", f"http://127.0.0.1:{closed_port}"]) == 2
    assert "Nothing happened" in (told := capsys.readouterr().err)
    assert "--idempotency-key" not in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "with this:"),
        (["--order-id", "5"], "in place of --order-id:"),
        (["--expires-in", "1h"], "in place of --expires-in:"),
    ],
)
def test_unknown_outcome_tells_what_repeats_it(
    *,
    options: list[str],
    words: str,
    run: Run,
    server: Server,
    checkout_json: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    The options that are told make the same request with the same key, also where its expiry was counted from now.
    """
    server.answer(DROP, DROP, DROP, checkout_json)
    assert run("create", "1", "--description", "Tea", *options) == 3
    *_, advice, again = capsys.readouterr().err.splitlines()
    assert advice.endswith(words)
    assert run("create", "1", "--description", "Tea", *again.split()) == 0
    assert 1 == len({(request.body, request.headers["x-idempotency-key"]) for request in server.received})


def test_deactivation_of_unknown_outcome_is_settled_by_reading(
    run: Run, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    It has no key: the command that shows how things are is told.
    """
    server.answer(DROP)
    assert run("deactivate", ID) == 3
    assert f"See how it is: coinbase-checkouts get {ID}\n" in capsys.readouterr().err


def test_every_violation_has_a_line(run: Run, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A request that breaks the description is not sent, and all that is wrong with it is told.
    """
    assert run("create", "-5", "--currency", "XXX", "--description", "x" * 501, "--expires-at", "tomorrow") == 2
    told = capsys.readouterr().err.splitlines()
    places = ["amount", "currency", "description", "expiresAt"]
    assert places == sorted(line.removeprefix("coinbase-checkouts create: ").split(":")[0] for line in told)
    assert [] == server.received


@pytest.mark.parametrize(
    "given",
    [
        ["create"],
        ["create", "1", "2"],
        ["create", "1", "--metadata", "a"],
        ["create", "1", "--metadata", "=a"],
        ["create", "1", "--metadata", "a=1", "--metadata", "a=2"],
        ["create", "1", "--expires-in", "1"],
        ["create", "1", "--expires-in", "0h"],
        ["create", "1", "--expires-in", "9999999h"],
        ["create", "1", "--expires-in", "1h", "--expires-at", "2999-01-01T00:00:00Z"],
        ["create", "1", "--expires-in", "1h", "--order-id", "5"],
        ["create", "1", "--expires-in", "1h", "--idempotency-key", KEY],
        ["create", "1", "--order-id", "5", "--idempotency-key", KEY],
        ["create", "1", "--order-id", ""],
        ["create", "1", "--idempotency-key", ""],
        ["create", "1", "--idem", KEY],
        ["create", "1", "--description", "\udcff"],
        ["refund", "", "1", "--refund-id", "5"],
        ["refund", ID],
        ["get", ID, "--timeout", "0"],
        ["get", ID, "--timeout", "nan"],
        ["get", ID, "--timeout", "inf"],
        ["get", ID, "--timeout", "soon"],
        ["get", ID, "--timeout", "1e30"],
        ["get", ID, "--max-retries", "-1"],
        ["get", ID, "--max-retries", "²"],
        ["list", "--limit", "0"],
        ["list", "--limit", "9" * 5000],
        ["list", "--status", "PAID"],
        ["wait", ID, "--until", "PAID"],
        ["wait", ID, "--timeout-s", "-1"],
        ["--json", "get", ID],
    ],
)
def test_mistake_in_what_was_typed_is_2(given: list[str], run: Run, server: Server) -> None:
    """
    Usage errors send nothing.
    """
    assert (2, []) == (run(*given), server.received)


@pytest.mark.parametrize(
    "given",
    [
        ["get", ID, "--api-key", SECRET],
        ["get", ID, f"--api-key={SECRET}"],
        ["get", ID, SECRET],
        ["get", ID, f"-----BEGIN EC PRIVATE KEY-----\n{SECRET}"],
        ["get", ID, "--key-file", SECRET],
        ["get", ID, "--key-file", f"-----BEGIN EC PRIVATE KEY-----\\n{SECRET}"],
        ["get", ID, "--key-file", f'{{"privateKey": "{SECRET}"}}'],
        ["get", SECRET],
        ["create", SECRET, "--idempotency-key", SECRET],
        ["create", "1", "--metadata", SECRET],
        ["list", "--limit", SECRET],
        ["list", "--timeout", SECRET],
        ["wait", ID, "--base-url", f"https://user:{SECRET}@example.com"],
    ],
)
def test_misplaced_secret_is_not_repeated(given: list[str], key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A key given where another thing belongs is refused without being shown.
    """
    assert cli.main(given) == 2
    told = "".join(capsys.readouterr())
    assert told
    assert SECRET not in told


# The key.


def test_key_comes_from_the_environment_or_this_folder(
    *,
    run: Run,
    server: Server,
    key_file: Path,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    --key-file wins over the environment, which wins over cdp_api_key.json; half an environment is an error.
    """
    server.answer(checkout_json)
    assert run("get", ID) == 0
    monkeypatch.setenv("CDP_API_KEY_ID", "other")
    assert run("get", ID) == 2
    assert "CDP_API_KEY_SECRET is not set" in capsys.readouterr().err
    assert run("get", ID, "--key-file", str(key_file)) == 0
    monkeypatch.setenv("CDP_API_KEY_SECRET", json.loads(key_file.read_text())["privateKey"])
    key_file.unlink()
    assert run("get", ID) == 0


def test_no_key_is_a_readable_error(
    run: Run, server: Server, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Without a key the three places to put one are named.
    """
    key_file.unlink()
    assert run("get", ID) == 2
    told = capsys.readouterr().err
    assert 1 == told.count("\n")
    for place in ("--key-file", "CDP_API_KEY_ID", "CDP_API_KEY_SECRET", "cdp_api_key.json"):
        assert place in told


def test_settings_reach_the_client(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    --sandbox, --timeout and --max-retries are the client's; a long timeout makes for a longer deadline.
    """
    seen: list[Checkouts] = []

    def get(self: Checkouts, id: str) -> object:
        seen.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkouts, "get", get)
    assert cli.main(["get", ID, "--sandbox", "--timeout", "120", "--max-retries", "0"]) == 130
    policy = seen[0]._policy
    assert "https://business.coinbase.com/sandbox" == seen[0].base_url
    assert (120.0, 120.0, 0) == (policy.timeout_s, policy.deadline_s, policy.max_retries)


# Refunds are asked about.


@pytest.mark.parametrize("stream", ["stdin", "stderr"])
def test_refund_without_a_terminal_needs_yes(
    stream: str, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where nobody can see the question or answer it, nothing is sent, not even a reading.
    """
    for name in ("stdin", "stderr"):
        monkeypatch.setattr(sys, name, io.StringIO("y\n") if name == stream else Terminal("y\n"))
    assert (2, []) == (run("refund", ID, "25"), server.received)


@pytest.mark.parametrize(
    ("answer", "options", "requests", "code"),
    [("y\n", [], 2, 0), ("YES\n", ["--json"], 2, 0), ("\n", [], 1, 2), ("n\n", [], 1, 2), ("", [], 1, 2)],
)
def test_refund_asks_at_a_terminal(
    *,
    answer: str,
    options: list[str],
    requests: int,
    code: int,
    run: Run,
    server: Server,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The amount, what is left and the description are shown; only y or yes goes on.
    """
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", Terminal())
    checkout_json["description"] = "Tea"
    server.answer(checkout_json, refunded(checkout_json))
    assert run("refund", ID, "25", *options) == code
    assert isinstance(sys.stderr, Terminal)
    asked = sys.stderr.getvalue()
    assert "left to refund  100.50 USDC\n" in asked
    assert "description     Tea\n" in asked
    assert f"Refund 25 USDC of checkout {ID}, which is COMPLETED? [y/N] " in asked
    assert (code == 2) == ("not confirmed; nothing was refunded" in asked)
    assert requests == len(server.received)


def test_question_is_about_the_currency_that_is_sent(
    run: Run, server: Server, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without --currency a checkout in fiat is refunded in fiat, and so it is asked; a bad amount is not asked about.
    """
    monkeypatch.setattr(sys, "stdin", Terminal("n\nn\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    server.answer({**checkout_json, "fiatAmount": "90.00", "fiatCurrency": "EUR"})
    assert run("refund", ID, "25") == 2
    assert run("refund", ID, "25", "--currency", "USD") == 2
    assert isinstance(sys.stderr, Terminal)
    assert "fiat amount      90.00 EUR\n" in sys.stderr.getvalue()
    assert "Refund 25 EUR of" in sys.stderr.getvalue()
    assert "Refund 25 USD of" in sys.stderr.getvalue()
    assert run("refund", ID, "25.001") == 2
    assert 2 == len(server.received)


# Interruptions, and streams that go away.


@pytest.mark.parametrize(
    ("command", "method", "code"),
    [
        (["create", "1"], "create", 3),
        (["refund", ID, "1", "--yes"], "refund", 3),
        (["deactivate", ID], "deactivate", 3),
        (["list"], "list", 130),
        (["wait", ID], "wait", 130),
    ],
)
def test_interrupted_change_tells_how_to_go_on(
    *,
    command: list[str],
    method: str,
    code: int,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    Ctrl-C in a change is an unknown outcome, in a reading only an end.
    """

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkouts, method, interrupted)
    assert run(*command) == code
    told = capsys.readouterr().err
    assert "interrupted" in told
    assert (method in ("create", "refund")) == ("--idempotency-key" in told)


def test_second_ctrl_c_does_not_cut_off_the_key(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    While the key is told Ctrl-C is ignored, and heard again afterwards.
    """

    def impatient(line: str) -> None:
        signal.raise_signal(signal.SIGINT)
        streams.tell(line)

    monkeypatch.setattr("coinbase_checkouts.commands.tell", impatient)
    server.answer(DROP)
    before = signal.getsignal(signal.SIGINT)
    assert run("create", "1") == 3
    assert before == signal.getsignal(signal.SIGINT)
    assert server.received[0].headers["x-idempotency-key"] in capsys.readouterr().err


def test_key_is_told_in_a_thread_too(run: Run, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Where signals cannot be ignored the key is told all the same.
    """
    server.answer(DROP)
    with ThreadPoolExecutor() as threads:
        assert 3 == threads.submit(run, "create", "1").result()
    assert server.received[0].headers["x-idempotency-key"] in capsys.readouterr().err


def test_interruption_before_the_command_runs_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Ctrl-C while things are imported is silent.
    """

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "parse", interrupted)
    assert cli.main(["get", ID]) == 130


def failing(*_: object, **__: object) -> None:
    raise LookupError(SECRET)


@pytest.mark.parametrize(("command", "method", "code"), [(["get", ID], "get", 2), (["create", "1"], "create", 3)])
def test_what_nobody_foresaw_keeps_the_key(
    *,
    command: list[str],
    method: str,
    code: int,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    An exception from anywhere is told by its class and place, without its text, and the key with it.
    """
    monkeypatch.setattr(Checkouts, method, failing)
    assert run(*command) == code
    told = capsys.readouterr().err
    assert "LookupError at test_commands.py:" in told
    assert SECRET not in told
    assert (code == 3) == ("--idempotency-key" in told)


def broken_pipe() -> io.TextIOWrapper:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", encoding="utf-8")


def test_reader_that_has_enough_is_no_failure(
    run: Run,
    server: Server,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    A listing into a closed pipe ends quietly with 0, and closing stdout after that is quiet too.
    """
    server.answer({"checkouts": [checkout_json]})
    with broken_pipe() as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run("list") == 0
    with broken_pipe() as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert cli.main(["--print-completion", "bash"]) == 0
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "code"), [(["get", ID], 2), (["create", "1"], 3), (["--print-completion", "zsh"], 2)]
)
@pytest.mark.parametrize("way", ["full", "closed"])
def test_lost_output_is_told(
    *,
    way: str,
    command: list[str],
    code: int,
    run: Run,
    server: Server,
    checkout_json: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    On a full disk or a closed stdout a change that is done says so, with the key that brings its answer once more.
    """
    server.answer(checkout_json)
    # What the device answers to every write.
    with Path("/dev/full").open("w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout if way == "full" else None)
        assert (cli.main(command) if command[0].startswith("-") else run(*command)) == code
    told = capsys.readouterr().err
    assert "No space left on device" in told or "it is closed" in told
    assert (code == 3) == ("it is done" in told and "--idempotency-key" in told)


def test_closed_stderr_stops_nothing(
    run: Run, server: Server, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without a stderr the exit code still tells, and nothing is asked.
    """
    monkeypatch.setattr(sys, "stderr", None)
    server.answer(checkout_json, Reply(403))
    assert (0, 1, 2) == (run("get", ID), run("get", ID), run("refund", ID, "1"))


def test_output_fits_any_locale(
    run: Run, server: Server, checkout_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What a terminal's encoding lacks is written as an escape.
    """
    server.answer({**checkout_json, "description": "Thé ☕"})
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert (0, 0) == (run("get", ID), run("get", ID, "--json"))
    stdout.seek(0)
    text = stdout.read()
    assert "description     Th\\xe9 \\u2615\n" in text
    assert "Thé ☕" == json.loads(text.splitlines()[-1])["description"]


# As processes of their own.


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "error", "TERM": "xterm", "HOME": str(tmp_path)}


def started(given: Sequence[str], server: Server, tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *given, "--base-url", server.url],
        cwd=tmp_path,
        env=environment(tmp_path),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    ("command", "code"), [(["create", "1"], 3), (["refund", ID, "1", "--yes"], 3), (["get", ID], 130), (["list"], 130)]
)
def test_ctrl_c_while_the_answer_is_awaited(
    command: list[str], code: int, server: Server, key_file: Path, tmp_path: Path
) -> None:
    """
    After the request is out, Ctrl-C ends a change with 3 and the key that was sent, a reading with 130.
    """
    arrived = threading.Event()

    def awaited(_: Received) -> Reply:
        arrived.set()
        process.wait(60)
        return Reply()

    server.answer(awaited)
    with started(command, server, tmp_path) as process:
        assert arrived.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (code, "") == (process.returncode, out)
    assert "Traceback" not in err
    if code == 3:
        assert f"--idempotency-key {server.received[0].headers['x-idempotency-key']}\n" in err


def test_pipe_into_head_is_quiet(server: Server, key_file: Path, tmp_path: Path, checkout_json: dict[str, Any]) -> None:
    """
    When the reader of a listing leaves, the program ends with 0, without a word, and reads no more pages.
    """
    process: subprocess.Popen[str]

    def second(_: Received) -> Reply:
        assert process.stdout is not None
        assert f"{1:024x}" == json.loads(process.stdout.readline())["id"]
        process.stdout.close()
        return Reply(body=json.dumps({"checkouts": numbered(checkout_json, 2), "nextPageToken": "u"}).encode())

    server.answer({"checkouts": numbered(checkout_json, 1), "nextPageToken": "t"}, second)
    process = started(["list", "--json"], server, tmp_path)
    assert 0 == process.wait(60)
    assert process.stderr is not None
    with process.stderr:
        assert "" == process.stderr.read()
    assert 2 == len(server.received)


@pytest.mark.parametrize(("answer", "code"), [(b"y\r", 0), (b"n\r", 2), (b"\x03", 130), (b"\x04", 2)])
def test_confirmation_on_a_real_terminal(
    *, answer: bytes, code: int, server: Server, key_file: Path, tmp_path: Path, checkout_json: dict[str, Any]
) -> None:
    """
    y, n, Ctrl-C and Ctrl-D at the question do what they look like; stdout stays clean for the data.
    """
    server.answer(checkout_json, refunded(checkout_json))
    master, slave = pty.openpty()
    # Ctrl-C on a terminal is a signal only to the session whose terminal it is.
    take = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    process = subprocess.Popen(
        [*PROGRAM[:2], take + PROGRAM[2], "refund", ID, "25", "--json", "--base-url", server.url],
        cwd=tmp_path,
        env=environment(tmp_path),
        start_new_session=True,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    seen = b""
    while b"[y/N] " not in seen:
        seen += os.read(master, 4096)
    os.write(master, answer)
    out, _ = process.communicate(timeout=60)
    os.close(master)
    assert code == process.returncode
    assert (2 if code == 0 else 1) == len(server.received)
    assert ("PENDING" == json.loads(out)["refund"]["status"]) if code == 0 else not out


def test_help_needs_no_client() -> None:
    """
    Help, version and mistakes are answered without importing httpx.
    """
    program = (
        "import sys; from coinbase_checkouts.cli import main; main(sys.argv[1:]); sys.exit('httpx' in sys.modules)"
    )
    for given in (["--help"], ["create", "--help"], ["create"], ["--version"], ["--print-completion", "bash"]):
        done = subprocess.run([sys.executable, "-c", program, *given], capture_output=True, text=True, check=False)
        assert (0, "") == (done.returncode, done.stderr if given != ["create"] else "")


# The parts.


def test_statuses_are_those_of_the_description() -> None:
    """
    The names that are offered and accepted are the description's.
    """
    assert sorted(CheckoutStatus) == list(arguments.STATUSES)
