"""What becomes of claims, and what a person is told of one that does not hold."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace

import httpx
import pytest

from coinbase_checkouts_conformance.claims import read_claims
from coinbase_checkouts_conformance.failures import curl, failure
from coinbase_checkouts_conformance.judge import BrokenError
from coinbase_checkouts_conformance.notices import notices
from coinbase_checkouts_conformance.outcomes import OUTCOMES, Outcome, Outcomes
from coinbase_checkouts_conformance.wire import Reply

from .runs import CHECKOUT, exchange

URL = "http://127.0.0.1:1/api/v1/checkouts"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
CLAIM = read_claims()[0]


def request(content: bytes = b"", **headers: str) -> httpx.Request:
    return httpx.Request(
        "POST", URL, content=content, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def test_the_worst_of_several_tests_counts() -> None:
    """
    A claim with several tests has the worst outcome of them, all their evidence, and their time together.
    """
    outcomes = Outcomes()
    for number, verdict in enumerate(("pass", "fail", "warn")):
        outcomes.add(Outcome(CLAIM, verdict, verdict, (f"test_{number}",), 1.0))
    [one] = outcomes.by_claim.values()
    assert ("fail", "fail", ("test_0", "test_1", "test_2"), 3.0) == (one.verdict, one.detail, one.tests, one.duration_s)


def test_the_summary_counts_all_six() -> None:
    """
    The first three figures are always there; the others when there are such.
    """
    outcomes = Outcomes()
    for verdict in OUTCOMES:
        outcomes.add(Outcome(replace(CLAIM, id=verdict), verdict, f"why {verdict}"))
    assert outcomes.summary.startswith(
        "2 claims hold, 1 broken, 1 skipped (why skipped), 1 in error, 1 unknown (why unknown)"
    )
    assert Outcomes().summary == "0 claims hold, 0 broken, 0 skipped"


@pytest.mark.parametrize(
    "body",
    [b'{"amount": "1.00"}', b'it\'s $HOME `id` "x" \\n', "ü 🙂".encode(), b"two\nlines\x00\xff\\", b"", b"-n %s %%"],
)
def test_curl_sends_what_was_sent(body: bytes) -> None:
    """
    A shell hands the body on as it was, whatever is in it, on one line.
    """
    line = curl(request(body, Content_Type="application/json"))
    assert "\n" not in line
    made = (
        subprocess.run(["sh", "-c", line.split(" | ")[0]], capture_output=True, check=True).stdout
        if " | " in line
        else None
    )
    words = shlex.split(line.rpartition(" | ")[2])
    assert words[:5] == ["curl", "-sS", "-X", "POST", URL]
    given = words[words.index("--data-binary") + 1] if body else ""
    assert body == (made if given == "@-" else given.encode())


def test_curl_has_no_token() -> None:
    """
    Where a token goes stands $TOKEN; a scheme is kept, a request without a token has none.
    """
    assert '-H "Authorization: Bearer $TOKEN"' in curl(request(authorization=f"Bearer {TOKEN}"))
    assert '-H "Authorization: Basic $TOKEN"' in curl(request(authorization=f"Basic {TOKEN}"))
    assert '-H "Authorization: $TOKEN"' in curl(request(authorization=TOKEN))
    assert "Authorization" not in curl(request())
    assert TOKEN not in curl(request(f'{{"seen": "{TOKEN}"}}'.encode(), authorization=f"Bearer {TOKEN}"))


def test_curl_keeps_an_odd_path() -> None:
    """
    curl would take brackets for a pattern and dots for the way up; it is told not to.
    """
    line = curl(httpx.Request("GET", "http://[::1]:1/api/v1/checkouts/..%2F"))
    assert {"--globoff", "--path-as-is"} <= set(shlex.split(line))


def test_a_failure_has_all_that_is_needed_to_repeat_it() -> None:
    """
    Sentence, request, answer, what is wrong, place, rule, source, what went before, curl, and how to run it alone.
    """
    said = [exchange("test_get/test_x", index, json.dumps(CHECKOUT).encode()) for index in range(12)]
    error = BrokenError("it is not", pointer="/id", rule="#/components/schemas/Checkout/properties/id/pattern")
    text = failure(CLAIM, error, (request(), Reply(200, "text/html", b"<html>")), said)
    titles = [line[2:10].strip() for line in text.splitlines()[1:]]
    expected = ["claim", "request", "answer", "wrong", "at", "rule", "source", "before", "curl", "alone"]
    assert expected == [title for title in titles if title]
    assert "(3 more)" in text
    assert "list-checkouts" not in text
    assert f"explain {CLAIM.id}" in text


def test_an_exception_of_the_suite_is_an_error() -> None:
    """
    Only an assertion says something of the server.
    """
    assert failure(CLAIM, KeyError("x"), None).startswith(f"ERROR {CLAIM.id}\n")
    assert failure(CLAIM, AssertionError("x"), None).startswith(f"BROKEN {CLAIM.id}\n")


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        (CHECKOUT, 200, []),
        ({**CHECKOUT, "metadata": {"any": "thing"}}, 200, []),
        ({**CHECKOUT, "colour": "green"}, 200, ["undocumented field /colour in the answer of getCheckout 200"]),
        (
            {**CHECKOUT, "settlement": {"tax": "1"}},
            200,
            ["undocumented field /settlement/tax in the answer of getCheckout 200"],
        ),
        (
            {**CHECKOUT, "refunds": [{"by": "me"}, {"by": "you"}]},
            200,
            ["undocumented field /refunds/*/by in the answer of getCheckout 200"],
        ),
        ({"errorType": "not_found", "errorMessage": "no"}, 404, []),
        (
            {"errorType": "gone_fishing", "errorMessage": "no"},
            404,
            ["/errorType has the undocumented value 'gone_fishing' in the answer of getCheckout 404"],
        ),
        ({"anything": 1}, 418, []),
        ("no object", 200, []),
    ],
)
def test_what_nobody_documented_is_noticed(answer: object, status: int, expected: list[str]) -> None:
    """
    A field or a value of an open set that no document names is noticed, once, wherever it is; nothing else is.
    """
    assert expected == notices(exchange("test_get/test_x", 0, json.dumps(answer).encode(), status=status))
