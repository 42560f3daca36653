"""The control contract, and who may use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

ADVANCE = "/__sandbox__/clock/advance"


def test_about_tells_name_and_time(sandbox: Sandbox) -> None:
    """
    GET /__sandbox__/ has exactly a name and the time of the sandbox.
    """
    content = sandbox.call("GET", "/__sandbox__/").json()
    assert {"name": "coinbase-checkouts sandbox", "now": "2026-11-20T12:00:00.000Z"} == content


def test_the_clock_is_advanced(sandbox: Sandbox) -> None:
    """
    Advancing moves now by that many seconds, again and again.
    """
    assert "2026-11-20T12:01:00.000Z" == sandbox.advance(60)
    assert "2026-11-20T12:01:00.000Z" == sandbox.advance(0)
    assert "2026-11-20T13:01:00.000Z" == sandbox.advance(3600)
    assert "2026-11-20T13:01:00.000Z" == sandbox.call("GET", "/__sandbox__/").json()["now"]


def test_an_integer_may_be_written_with_a_point(sandbox: Sandbox) -> None:
    """
    60.0 is an integer to JSON Schema, and here.
    """
    answer = sandbox.call("POST", ADVANCE, json={"seconds": 60.0})
    assert "2026-11-20T12:01:00.000Z" == answer.json()["now"]


@pytest.mark.parametrize("seconds", [-1, 1.5, "60", True, None, 10**9 * 300, 10**30])
def test_a_clock_is_not_moved_by_nonsense(sandbox: Sandbox, seconds: Any) -> None:
    """
    Back in time, fractions, other types and beyond the calendar are a 400, and the clock stays.
    """
    assert 400 == sandbox.call("POST", ADVANCE, json={"seconds": seconds}).status_code
    assert "2026-11-20T12:00:00.000Z" == sandbox.call("GET", "/__sandbox__/").json()["now"]


def test_at_the_end_of_the_calendar_a_checkout_still_expires(sandbox: Sandbox) -> None:
    """
    However far the clock is moved, the default expiry can be written.
    """
    assert 400 == sandbox.call("POST", ADVANCE, json={"seconds": 1 << 38}).status_code
    # 9998-12-30T23:00:00Z
    sandbox.advance(253_370_674_800 - sandbox.clock.ms // 1000)
    assert "9998-12-31T00:00:00.000Z" == sandbox.create()["expiresAt"]


@pytest.mark.parametrize("body", [{}, {"outcome": "PAID"}, {"outcome": None}, {"outcome": ["COMPLETED"]}])
def test_an_unknown_outcome_is_refused(sandbox: Sandbox, body: dict[str, Any]) -> None:
    """
    Paying and settling know their outcomes only; a refund cannot be PROCESSING.
    """
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    refund_id = sandbox.refund(checkout_id, "1")["refund"]["id"]
    settle = f"/__sandbox__/checkouts/{checkout_id}/refunds/{refund_id}/settle"
    assert 400 == sandbox.call("POST", f"/__sandbox__/checkouts/{checkout_id}/pay", json=body).status_code
    assert 400 == sandbox.call("POST", settle, json=body).status_code
    assert 400 == sandbox.call("POST", settle, json={"outcome": "PROCESSING"}).status_code


def test_unknown_ids_are_not_found(sandbox: Sandbox) -> None:
    """
    A checkout or refund that does not exist is a 404, whatever its id looks like.
    """
    body = {"outcome": "COMPLETED"}
    checkout_id = sandbox.pay(sandbox.create()["id"])["id"]
    other_id = sandbox.pay(sandbox.create()["id"])["id"]
    others_refund = sandbox.refund(other_id, "1")["refund"]["id"]
    for path in (
        "nonsense/pay",
        "68f7a946db0529ea9b6d3a12/pay",
        "nonsense/refunds/nonsense/settle",
        f"{checkout_id}/refunds/nonsense/settle",
        f"{checkout_id}/refunds/{others_refund}/settle",
    ):
        assert 404 == sandbox.call("POST", f"/__sandbox__/checkouts/{path}", json=body).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:8402"},
        {"Host": "[::1]:8402"},
        {"Host": "127.0.0.2"},
        {"Origin": "http://127.0.0.1:8402"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8402"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_programs_and_pages_of_this_machine_are_admitted(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """
    Any loopback name will do, and the sandbox's own pages.
    """
    assert 200 == sandbox.call("POST", ADVANCE, json={"seconds": 1}, headers=headers).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "business.coinbase.com"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.168.0.1"},
        {"Host": "[::1"},
        {"Host": "[::1].evil.example"},
        {"Host": "127.0.0.1/evil.example"},
        {"Host": "127.0.0.1?x.evil.example"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_are_refused(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """
    A page of another origin, or one that points its own name at this machine, is a 403 and moves nothing.
    """
    for method, path in (("POST", ADVANCE), ("GET", "/__sandbox__/")):
        answer = sandbox.call(method, path, json={"seconds": 1}, headers=headers)
        assert (403, "forbidden") == (answer.status_code, answer.json()["errorType"])
    assert "2026-11-20T12:00:00.000Z" == sandbox.call("GET", "/__sandbox__/").json()["now"]


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_without_tokens_other_sites_are_kept_out_of_everything(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """
    Where --no-auth asks for no token, a page of another site can make no checkout either.
    """
    answer = sandbox.call("GET", "/api/v1/checkouts", headers=headers)
    assert (403, "forbidden") == (answer.status_code, answer.json()["errorType"])


@pytest.mark.parametrize(("address", "status"), [("192.168.0.7", 403), ("::1", 200), ("::ffff:127.0.0.1", 200)])
def test_other_machines_are_refused(sandbox_with: Callable[..., Sandbox], address: str, status: int) -> None:
    """
    Only clients on a loopback address are answered.
    """
    sandbox = sandbox_with(client=(address, 1))
    assert status == sandbox.call("GET", "/__sandbox__/").status_code


def test_an_unknown_client_is_refused(sandbox: Sandbox) -> None:
    """
    Where it cannot be told who asks, nobody is admitted.
    """
    from coinbase_checkouts_sandbox.admission import admit
    from coinbase_checkouts_sandbox.errors import ApiError
    from coinbase_checkouts_sandbox.requests import Call

    call = Call("GET", "/", b"", (("host", "127.0.0.1"),), b"", body_limit=0, origin="", client=None)
    with pytest.raises(ApiError, match="this machine only"):
        admit(call, remote=False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/__sandbox__/checkouts/68f7a946db0529ea9b6d3a12/pay", {"outcome": "COMPLETED", "outcom": "FAILED"}),
        ("/__sandbox__/clock/advance", {"seconds": 1, "minutes": 1}),
        ("/__sandbox__/restore", {"schemaVersion": 2, "now": "2026-11-20T12:00:00Z", "tables": {}, "table": {}}),
        ("/__sandbox__/webhooks/mischief", {"kind": "drop", "part": "v0"}),
        ("/__sandbox__/webhooks/mischief", {"kind": "only", "part": "body"}),
        ("/__sandbox__/webhooks/mischief", {"kind": "tamper"}),
    ],
)
def test_a_misspelt_name_is_refused(sandbox: Sandbox, path: str, body: dict[str, object]) -> None:
    """
    A control call with a name that it does not know, or that means nothing there, does nothing.
    """
    answer = sandbox.call("POST", path, json=body)
    assert (400, "body") == (answer.status_code, answer.json()["errorMessage"][:4])
