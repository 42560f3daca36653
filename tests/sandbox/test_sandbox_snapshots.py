"""Snapshots: all that is kept, out and in again, and nothing else."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinbase_checkouts_sandbox.tables import METADATA, SANDBOX

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

PATH = "/api/v1/checkouts"
KEY = "7f0a6a3e-5f0e-4c39-8a52-0f7d1c1a2b3c"
REFUND_KEY = "1f0b6c44-9c7e-4a7e-8d55-2b9e8f3f9f10"
BODY = {"amount": "1.00", "currency": "GBP", "description": "a\x00b é", "metadata": {"a": "b"}}


def post(sandbox: Sandbox, path: str, key: str, body: dict[str, Any]) -> bytes:
    answer = sandbox.call("POST", path, json=body, headers={"X-Idempotency-Key": key})
    assert answer.status_code in {200, 201}, answer.text
    return answer.content


def fill(sandbox: Sandbox) -> str:
    """Something of everything: statuses, refunds, keys, faults and a moved clock. Returns the id of the refunded one."""
    sandbox.advance(60)
    first = json.loads(post(sandbox, PATH, KEY, BODY))["id"]
    sandbox.pay(first)
    post(sandbox, f"{PATH}/{first}/refund", REFUND_KEY, {"amount": "0.50", "reason": "half"})
    refund_id = sandbox.get(first)["refunds"][0]["id"]
    sandbox.settle(first, refund_id)
    sandbox.refund(first, "0.25", currency="USDC")
    sandbox.pay(sandbox.create()["id"], "FAILED")
    sandbox.create(expiresAt="2026-11-20T12:05:00Z", successRedirectUrl="https://example.com/?a=%C3%A9")
    sandbox.arm("error", operation="deactivateCheckout", skip=1, times=2)
    sandbox.arm("unknown_value", operation="deactivateCheckout", probability=0.5, seed=3)
    return str(first)


def snapshot(sandbox: Sandbox) -> dict[str, Any]:
    document: dict[str, Any] = sandbox.call("GET", "/__sandbox__/snapshot").json()
    return document


def restore(sandbox: Sandbox, document: Any) -> int:
    return sandbox.call("POST", "/__sandbox__/restore", json=document).status_code


def seen(sandbox: Sandbox) -> dict[str, Any]:
    """What can be seen from outside."""
    return {
        "checkouts": sandbox.call("GET", PATH, params={"pageSize": 100}).json(),
        "faults": sandbox.faults(),
        "about": sandbox.call("GET", "/__sandbox__/").json(),
    }


@pytest.fixture
def full(sandbox: Sandbox) -> tuple[Sandbox, str]:
    """A sandbox with something of everything, and the id of a refunded checkout."""
    return sandbox, fill(sandbox)


@pytest.fixture
def full_and_good(full: tuple[Sandbox, str]) -> tuple[Sandbox, dict[str, Any]]:
    """A sandbox and its snapshot."""
    return full[0], snapshot(full[0])


def test_what_was_is_there_again(full: tuple[Sandbox, str]) -> None:
    """
    After any change, and after a reset, restore brings back checkouts, refunds, keys, clock and faults as they were.
    """
    sandbox, refunded = full
    document, before = snapshot(sandbox), seen(sandbox)
    one, two = post(sandbox, PATH, KEY, BODY), {"amount": "0.50", "reason": "half"}
    other = post(sandbox, f"{PATH}/{refunded}/refund", REFUND_KEY, two)
    sandbox.create()
    sandbox.advance(86_400)
    sandbox.refund(refunded, "0.10", currency="USDC")
    sandbox.call("DELETE", "/__sandbox__/faults")
    for begin_anew in (False, True):
        if begin_anew:
            sandbox.call("POST", "/__sandbox__/reset")
            assert {"checkouts": [], "faults": []} == {**seen(sandbox)["checkouts"], "faults": sandbox.faults()}
        assert 200 == restore(sandbox, document)
        assert (before, document) == (seen(sandbox), snapshot(sandbox))
        assert one == post(sandbox, PATH, KEY, BODY)
        assert other == post(sandbox, f"{PATH}/{refunded}/refund", REFUND_KEY, two)


def test_another_sandbox_takes_over(full: tuple[Sandbox, str], sandbox_with: Callable[..., Sandbox]) -> None:
    """
    A snapshot restored elsewhere a month later goes on where it stood: same time, nothing expired, rest refundable.
    """
    sandbox, refunded = full
    other = sandbox_with()
    other.clock.ms += 30 * 86_400_000
    other.create()
    assert 200 == restore(other, snapshot(sandbox))
    assert (seen(sandbox), snapshot(sandbox)) == (seen(other), snapshot(other))
    assert {"ACTIVE", "FAILED", "PARTIALLY_REFUNDED"} == {
        checkout["status"] for checkout in seen(other)["checkouts"]["checkouts"]
    }
    assert "REFUNDED" == other.refund(refunded, "0.38", currency="USDC")["checkout"]["status"]
    other.clock.ms += 1000
    assert "2026-11-20T12:01:01.000Z" == other.call("GET", "/__sandbox__/").json()["now"]


def test_faults_go_on_where_they_stood(sandbox: Sandbox) -> None:
    """
    A rule that had struck once of three times strikes twice more, whatever happened since.
    """
    checkout_id = sandbox.create()["id"]
    sandbox.arm("rate_limit", times=3)

    def statuses() -> list[int]:
        return [sandbox.call("GET", f"{PATH}/{checkout_id}").status_code for _ in range(4)]

    sandbox.call("GET", f"{PATH}/{checkout_id}")
    document = snapshot(sandbox)
    assert [429, 429, 200, 200] == statuses()
    restore(sandbox, document)
    assert [429, 429, 200, 200] == statuses()


def test_reset_is_a_fresh_sandbox(full: tuple[Sandbox, str], sandbox_with: Callable[..., Sandbox]) -> None:
    """
    After a reset nothing is left: what is kept is what a new sandbox keeps, and used keys act again.
    """
    sandbox, _ = full
    answer = sandbox.call("POST", "/__sandbox__/reset")
    assert {"now": "2026-11-20T12:00:00.000Z"} == answer.json()
    assert (snapshot(sandbox_with()), seen(sandbox_with())) == (snapshot(sandbox), seen(sandbox))
    post(sandbox, PATH, KEY, {"amount": "2", "currency": "USDC"})


def test_every_table_has_its_rows_described() -> None:
    """
    The control description says of each column of each table what a restored row may hold, and of no other.
    """
    schemas = json.loads((files("coinbase_checkouts_sandbox") / "control.openapi.json").read_text())
    schemas = schemas["components"]["schemas"]
    described = {
        name: set(schemas[items["items"]["$ref"].rpartition("/")[2]]["properties"])
        for name, items in schemas["Snapshot"]["properties"]["tables"]["properties"].items()
    }
    kept = [table for table in METADATA.sorted_tables if table is not SANDBOX]
    assert {table.name: {column.name for column in table.columns} for table in kept} == described


GONE: Any = object()
CHECKOUT, REFUND, ANSWER, FAULT = "checkouts", "refunds", "idempotent_answers", "faults"
TIMES: list[Any] = [None, "5", 5.5, True, -1, 253_402_300_800_000, 10**18, 10**30, [1], {}]
AMOUNTS: list[Any] = [
    "abc",
    "",
    "NaN",
    "Infinity",
    "-1",
    "1E+999999999",
    "1" * 50,
    "1.005",
    1,
    1.5,
    None,
    True,
    [0, [1], 2],
]
COUNTS: list[Any] = [-1, 2**31, 2**63, 10**30, "1", None, 0.5, True]
TEXTS: list[Any] = [5, True, ["a"], {"a": "b"}]
DEEP = json.loads("[" * 100 + "]" * 100)


# Of a table the last row, and a value each that has no place in it.
BAD_VALUES: dict[tuple[str, ...], list[Any]] = {
    ("schemaVersion",): [GONE, 1, 3, "2", None],
    ("now",): [GONE, "0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "tomorrow", 5, None],
    ("tables",): [GONE, [], None, {"sqlite_master": []}, {"sandbox": []}, {CHECKOUT: {}}, {CHECKOUT: [5]}],
    ("tables", CHECKOUT): [GONE],
    **{("tables", CHECKOUT, name): TIMES for name in ("created_ms", "updated_ms", "expires_ms")},
    **{("tables", CHECKOUT, name): AMOUNTS for name in ("amount", "fee_amount", "fiat_amount")},
    ("tables", CHECKOUT, "status"): ["X", None, 5, "completed", "ACTIVE", ["COMPLETED"]],
    ("tables", CHECKOUT, "id"): ["X", None, 5, "0" * 24, "0" * 25, "G" * 24],
    ("tables", CHECKOUT, "metadata"): [5, "text", ["a"], {"a": 5}, {"a": {"b": "c"}}, DEEP],
    **{("tables", CHECKOUT, name): TEXTS for name in ("description", "url", "network", "address", "token_address")},
    **{
        ("tables", CHECKOUT, name): [*TEXTS, "javascript:alert(1)", "/"]
        for name in ("success_redirect_url", "fail_redirect_url")
    },
    ("tables", CHECKOUT, "url"): [GONE, "javascript:alert(1)", "https://example.com/"],
    ("tables", CHECKOUT, "fiat_currency"): ["XYZ", None, 5],
    ("tables", CHECKOUT, "transaction_hash"): [*TEXTS, None, "0x"],
    ("tables", CHECKOUT, "surprise"): [None],
    ("tables", REFUND, "checkout_id"): ["0" * 24, None, 5],
    ("tables", REFUND, "position"): [*COUNTS, 0],
    ("tables", REFUND, "amount"): AMOUNTS,
    ("tables", REFUND, "status"): ["X", None, 5, "COMPLETED", ["PENDING"]],
    ("tables", REFUND, "completed_ms"): [5, "5"],
    ("tables", REFUND, "exchange_rate"): ["1.08", 1],
    ("tables", REFUND, "reason"): TEXTS,
    ("tables", ANSWER, "body"): [None, 5, "no base64!", "", "/w==", "dGV4dA==", "W10=", "W1tb" * 100_000],
    ("tables", ANSWER, "status"): [0, 99, 404, 10**6, "200", None],
    ("tables", ANSWER, "operation"): ["about", None, 5],
    ("tables", ANSWER, "key"): ["x" * 36, "0" * 37, None, 5],
    ("tables", FAULT, "rule"): [5, [], {}, {"kind": "drop"}, {"kind": "fire", "operation": "*", "skip": 0}, None],
    **{("tables", FAULT, name): COUNTS for name in ("id", "seen", "struck")},
}


def put(document: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    """Change *document*; a table's name stands for its last row, where a column follows."""
    *steps, last = place
    node: Any = document
    for step in steps:
        node = node[step][-1] if step in {CHECKOUT, REFUND, ANSWER, FAULT} else node[step]
    if value is GONE:
        del node[last]
    else:
        node[last] = value


def ordered(document: dict[str, Any]) -> dict[str, Any]:
    """The same with rows in a known order: last a checkout that was refunded, and a refund that is PENDING."""
    ordered = copy.deepcopy(document)
    for name, column in ((CHECKOUT, "status"), (REFUND, "position"), (ANSWER, "operation")):
        ordered["tables"][name].sort(key=itemgetter(column))
    return ordered


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def refused_and_unchanged(sandbox: Sandbox, spoiled: dict[str, Any], document: dict[str, Any]) -> None:
    answer = sandbox.call("POST", "/__sandbox__/restore", json=spoiled)
    assert (400, True) == (answer.status_code, answer.json()["errorMessage"].startswith("body")), answer.text
    assert document == snapshot(sandbox)


@pytest.mark.parametrize("place", BAD_VALUES, ids="/".join)
def test_another_document_changes_nothing(full: tuple[Sandbox, str], place: tuple[str, ...]) -> None:
    """
    What no sandbox of this version has kept is a 400 that says where, and all stays as it is.
    """
    sandbox, _ = full
    document = snapshot(sandbox)
    for value in BAD_VALUES[place]:
        spoiled = ordered(document)
        put(spoiled, place, value)
        refused_and_unchanged(sandbox, spoiled, document)


@pytest.mark.parametrize("table", [CHECKOUT, REFUND, ANSWER, FAULT])
def test_a_row_is_restored_once(full: tuple[Sandbox, str], table: str) -> None:
    """
    A row that is there twice, or has a column too few, is refused.
    """
    sandbox, _ = full
    document = snapshot(sandbox)
    for column in document["tables"][table][0]:
        spoiled = ordered(document)
        put(spoiled, ("tables", table, column), GONE)
        refused_and_unchanged(sandbox, spoiled, document)
    spoiled = ordered(document)
    spoiled["tables"][table].append(spoiled["tables"][table][0])
    refused_and_unchanged(sandbox, spoiled, document)


def test_an_integer_may_be_written_with_a_point(full: tuple[Sandbox, str]) -> None:
    """
    2.0 is an integer to JSON Schema, here too, and is kept as one.
    """
    sandbox, _ = full
    document = snapshot(sandbox)
    pointed = json.dumps(document).replace('"created_ms": 1795176060000', '"created_ms": 1795176060000.0')
    pointed = pointed.replace('"schemaVersion": 2', '"schemaVersion": 2.0')
    assert pointed.count(".0,") >= 4
    headers = {"content-type": "application/json"}
    answer = sandbox.call("POST", "/__sandbox__/restore", content=pointed.encode(), headers=headers)
    assert (200, document) == (answer.status_code, snapshot(sandbox))


def test_gaps_between_refunds_do_not_matter(full: tuple[Sandbox, str]) -> None:
    """
    A refund comes after those restored, however they are numbered.
    """
    sandbox, refunded = full
    document = snapshot(sandbox)
    document["tables"]["refunds"] = [row for row in document["tables"]["refunds"] if row["position"] == 1]
    assert 200 == restore(sandbox, document)
    assert 1 == len(sandbox.get(refunded)["refunds"])
    assert 2 == len(sandbox.refund(refunded, "0.10", currency="USDC")["checkout"]["refunds"])


def test_a_restored_answer_may_be_disguised(full: tuple[Sandbox, str]) -> None:
    """
    Any JSON object may be restored as an answer; faults that shape it pass over what is no checkout.
    """
    sandbox, _ = full
    document = snapshot(sandbox)
    for body in ({"checkout": 5}, {"checkouts": 5}, {"checkouts": [5]}, {}, {"id": "x", "checkout": {}}):
        for row in document["tables"]["idempotent_answers"]:
            row["body"] = b64(json.dumps(body).encode())
        assert 200 == restore(sandbox, document)
        sandbox.arm("unknown_value")
        answer = sandbox.call("POST", PATH, json=BODY, headers={"X-Idempotency-Key": KEY}, judged=False)
        assert (201, body) == (answer.status_code, {k: v for k, v in answer.json().items() if k != "status"})


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    if path:
        yield path
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


LATER = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30)
ANYTHING = (
    st.none() | st.booleans() | LATER | st.lists(LATER, max_size=2) | st.dictionaries(st.text(), LATER, max_size=2)
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_whatever_is_restored_can_be_read(full_and_good: tuple[Sandbox, dict[str, Any]], data: st.DataObject) -> None:
    """
    A good document with anything anywhere is a 400 that changes nothing, or a world in which every call answers.
    """
    sandbox, good = full_and_good
    document = copy.deepcopy(good)
    *steps, last = data.draw(st.sampled_from(list(places(good))))
    node: Any = document
    for step in steps:
        node = node[step]
    others = st.sampled_from([value for row in good["tables"].values() for one in row for value in one.values()])
    if data.draw(st.booleans()):
        node[last] = data.draw(ANYTHING | others)
    else:
        del node[last]
    assert 200 == restore(sandbox, good)
    status = restore(sandbox, json.loads(json.dumps(document)))
    assert status in {200, 400}
    if status == 400:
        assert good == snapshot(sandbox)
        return
    for checkout in sandbox.call("GET", PATH, judged=False).json()["checkouts"]:
        for method, path, body in (
            ("GET", f"{PATH}/{checkout['id']}", None),
            ("GET", f"/pay/{checkout['id']}", None),
            ("POST", f"/__sandbox__/checkouts/{checkout['id']}/pay", {"outcome": "COMPLETED"}),
            ("POST", f"{PATH}/{checkout['id']}/refund", {"amount": "0.01"}),
            ("POST", f"{PATH}/{checkout['id']}/deactivate", None),
        ):
            answer = sandbox.call(method, path, json=body, judged=False)
            # 503 is the fault of the good document.
            assert answer.status_code in {200, 400, 409} or "fault" in answer.text, answer.text
    for path in (f"{PATH}?pageSize=1", f"{PATH}?status=EXPIRED", "/__sandbox__/faults", "/__sandbox__/snapshot"):
        assert 200 == sandbox.call("GET", path, judged=False).status_code
    again = sandbox.call("POST", PATH, json=BODY, headers={"X-Idempotency-Key": KEY}, judged=False)
    assert again.status_code in {200, 201, 422}
