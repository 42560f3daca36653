"""Observed drift: what traffic has that the description does not, from wherever the traffic is."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from coinbase_checkouts.sensor import Drift, JsonLines
from coinbase_checkouts_conformance.cassettes import CASSETTES
from coinbase_checkouts_conformance.drift.cli import main
from tests.conformance.conversations import ID, OTHER_ID, ROOT, checkout, refund

from .observed import Observe, entry, found, har

CHECKOUT = "#/components/schemas/Checkout"
GET = f"{ROOT}/{ID}"


def whole(status: str = "ACTIVE", /, **fields: Any) -> dict[str, Any]:
    """A checkout with times in whole seconds, as the published examples have them."""
    return checkout(status, **fields)


def test_our_recordings_have_none(observe: Observe) -> None:
    """
    Whatever the suite had recorded from our sandbox is described; that is evidence of a sandbox, and says so.
    """
    code, document, _ = observe("--cassettes", CASSETTES)
    assert (0, False, ["sandbox"]) == (code, document["drift"], list(document["exchanges"]))
    assert [] == document["differences"]


def test_what_is_described_is_silent(observe: Observe, tmp_path: Path) -> None:
    """
    Exit 0 for answers as they should be: errors, pages, refunds, metadata of any kind, and what a CDN adds.
    """
    error = {"errorType": "not_found", "errorMessage": "no"}
    path = har(
        tmp_path / "right.har",
        entry("POST", ROOT, whole(metadata={"a": {"b": [None, 7]}}), status=201),
        entry("GET", GET, whole("REFUNDED", refunds=[refund("2.00", "COMPLETED")], refundedAmount="2.00")),
        entry("GET", f"{ROOT}?pageSize=1", {"checkouts": [whole()], "nextPageToken": "x"}),
        entry("GET", GET, error, status=404, headers={"set-cookie": "a=b", "x-cache": "MISS", "alt-svc": "h3"}),
        entry("GET", GET, {"errors": [{"id": "rate_limit_exceeded", "message": "no"}]}, status=429),
        entry("GET", GET, "", status=0),
    )
    code, document, err = observe("--har", path)
    assert (0, [], "", {"har": 5}) == (code, document["differences"], err, document["exchanges"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"riskScore": 7}, ("additive", "field", f"{CHECKOUT}/properties/riskScore")),
        ({"status": "ON_HOLD"}, ("potential", "value", "#/components/schemas/CheckoutStatus/enum")),
        ({"network": "ethereum"}, ("potential", "value", "#/components/schemas/Network/enum")),
        ({"createdAt": 1_732_180_000}, ("breaking", "type", f"{CHECKOUT}/properties/createdAt")),
        ({"createdAt": "yesterday"}, ("breaking", "format", f"{CHECKOUT}/properties/createdAt/format")),
        ({"createdAt": "2026-11-20T10:00:00.123Z"}, ("example", "time", f"{CHECKOUT}/properties/createdAt")),
        ({"amount": "1.234"}, ("breaking", "pattern", f"{CHECKOUT}/properties/amount/pattern")),
        ({"id": "x" * 24}, ("breaking", "pattern", f"{CHECKOUT}/properties/id/pattern")),
        ({"url": None}, ("breaking", "required", f"{CHECKOUT}/required")),
        ({"amount": 2.5}, ("breaking", "type", f"{CHECKOUT}/properties/amount")),
        (
            {"refunds": [refund("1.00", reason="x" * 501)]},
            ("potential", "limit", "#/components/schemas/Refund/properties/reason/maxLength"),
        ),
        (
            {"refunds": [refund("1.00", fee="1")]},
            ("additive", "field", "#/components/schemas/Refund/properties/fee"),
        ),
    ],
)
def test_each_kind(fields: dict[str, Any], expected: tuple[str, str, str], observe: Observe, tmp_path: Path) -> None:
    """
    Each kind has its class, and the pointer to where the description would change; only other examples fail nothing.
    """
    code, document, _ = observe("--har", har(tmp_path / "a.har", entry("GET", GET, whole(**fields))))
    assert ([expected], int(expected[0] != "example")) == (found(document), code)


@pytest.mark.parametrize(
    ("path", "answer", "place"),
    [
        (GET, whole(riskScore=7), "getCheckout response 200"),
        (ROOT, {"checkouts": [whole(riskScore=7)]}, "listCheckouts response 200 checkouts[]"),
        (GET, whole("REFUNDED", refunds=[refund("1.00", fee="1")]), "getCheckout response 200 refunds[]"),
    ],
)
def test_it_is_told_where_it_was_seen(path: str, answer: Any, place: str, observe: Observe, tmp_path: Path) -> None:
    """
    The place is of an operation that the traffic has; the fingerprint is that of the thing, wherever it is seen.
    """
    _, document, _ = observe("--har", har(tmp_path / "a.har", entry("GET", path, answer)))
    (one,) = document["differences"]
    assert (place, True) == (f"{one['operation']} {one['place']}", one["message"].startswith(f"{place}: "))
    _, both, _ = observe(
        "--har", har(tmp_path / "b.har", entry("POST", ROOT, answer, status=201), entry("GET", path, answer))
    )
    assert one["fingerprint"] in [each["fingerprint"] for each in both["differences"]]


def test_errors_have_the_status_that_was_seen(observe: Observe, tmp_path: Path) -> None:
    """
    What all errors share is told of the one that came; and what a cache on the way was told is no error.
    """
    error = {"errorType": "not_found", "errorMessage": "no", "hint": "look"}
    path = har(tmp_path / "a.har", entry("GET", GET, error, status=404), entry("GET", GET, "", status=304))
    _, document, _ = observe("--har", path)
    assert [("getCheckout", "response 404")] == [(one["operation"], one["place"]) for one in document["differences"]]


def test_null(observe: Observe, tmp_path: Path) -> None:
    """
    Null where a value is described is told.
    """
    answer = {**whole(), "description": None}
    code, document, _ = observe("--har", har(tmp_path / "a.har", entry("GET", GET, answer)))
    assert (1, [("breaking", "null", f"{CHECKOUT}/properties/description")]) == (code, found(document))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1_732_180_000, "looks like Unix seconds"),
        (1_732_180_000_123, "looks like Unix milliseconds"),
        (1_732_180_000.5, "looks like Unix seconds"),
        (7, "a whole number"),
        (True, "true or false"),
    ],
)
def test_times_as_numbers(value: Any, words: str, observe: Observe, tmp_path: Path) -> None:
    """
    A time that comes as a number is told with its unit.
    """
    answer = entry("GET", GET, {**whole(), "updatedAt": value})
    [difference] = observe("--har", har(tmp_path / "a.har", answer))[1]["differences"]
    assert words in difference["message"]
    assert "string of format date-time" in difference["message"]


def test_seconds_and_milliseconds_are_two(observe: Observe, tmp_path: Path) -> None:
    """
    A time that came in seconds and then in milliseconds is two things.
    """
    answers = [entry("GET", GET, {**whole(), "createdAt": value}) for value in (1_732_180_000, 1_732_180_000_000)]
    _, document, _ = observe("--har", har(tmp_path / "a.har", *answers))
    assert 2 == len({one["fingerprint"] for one in document["differences"]})


def test_answers(observe: Observe, tmp_path: Path) -> None:
    """
    Statuses, headers, media types and bodies that are not described; a header of several answers is one thing.
    """
    limits = {"X-RateLimit-Remaining": "5", "Retry-After": "1"}
    path = har(
        tmp_path / "a.har",
        entry("GET", GET, {"errorType": "gone", "errorMessage": "no"}, status=410),
        entry("POST", ROOT, whole(), status=202),
        entry("GET", GET, whole(), headers=limits),
        entry("GET", ROOT, {"checkouts": []}, headers=limits),
        entry("GET", GET, "<html>", status=503, media="text/html"),
        entry("POST", f"{GET}/deactivate", {**whole(), "more": 1}, media="text/plain"),
        entry("GET", ROOT, "{", status=500),
        entry("GET", ROOT, "", status=200),
    )
    code, document, _ = observe("--har", path)
    paths = {"list": "#/paths/~1api~1v1~1checkouts", "get": "#/paths/~1api~1v1~1checkouts~1{id}"}
    assert 1 == code
    assert {
        ("additive", "status", f"{paths['get']}/get/responses/410"),
        ("potential", "status", f"{paths['list']}/post/responses/202"),
        ("additive", "header", f"{paths['get']}/get/responses/200/headers/x-ratelimit-remaining"),
        ("additive", "header", f"{paths['get']}/get/responses/200/headers/retry-after"),
        ("breaking", "media", "#/components/responses/ServiceUnavailable/content/text~1html"),
        ("breaking", "media", f"{paths['get']}~1deactivate/post/responses/200/content/text~1plain"),
        ("additive", "field", f"{CHECKOUT}/properties/more"),
        ("breaking", "body", "#/components/responses/InternalServerError/content/application~1json"),
        ("breaking", "body", f"{paths['list']}/get/responses/200"),
    } == set(found(document))
    [header] = [one for one in document["differences"] if one["name"] == "retry-after"]
    assert [f"{paths['list']}/get/responses/200/headers/retry-after"] == header["alsoAt"]


def test_what_programs_are_told(observe: Observe, tmp_path: Path) -> None:
    """
    A difference has class, direction, pointer, message, fingerprint, count and witnesses with pointers into the body.
    """
    page = {"checkouts": [whole(), {**whole(), "riskScore": "high"}]}
    path = har(tmp_path / "a.har", entry("GET", ROOT, page), entry("GET", GET, {**whole(), "riskScore": 7}))
    _, document, _ = observe("--har", path)
    [difference] = document["differences"]
    assert ("additive", "response", 2) == (difference["class"], difference["direction"], difference["count"])
    assert ["listCheckouts", "getCheckout"] == difference["operations"]
    assert "riskScore (integer or string)" in difference["message"]
    assert len(difference["fingerprint"]) >= 12
    assert [("a.har#0", "/checkouts/1/riskScore"), ("a.har#1", "/riskScore")] == [
        (one["source"], one["pointer"]) for one in difference["witnesses"]
    ]
    assert {"har": 2} == difference["provenance"]


def test_fingerprints_do_not_depend_on_traffic(observe: Observe, tmp_path: Path) -> None:
    """
    The same drift has the same fingerprint, whichever operation shows it and however often.
    """
    answer = {**whole(), "riskScore": 7, "status": "ON_HOLD", "createdAt": 5}
    paths = [
        har(tmp_path / "1.har", entry("GET", GET, answer)),
        har(
            tmp_path / "2.har", entry("GET", ROOT, {"checkouts": [answer] * 3}), entry("POST", ROOT, answer, status=201)
        ),
    ]
    told = [observe("--har", path)[1]["differences"] for path in paths]
    assert [one["fingerprint"] for one in told[0]] == [one["fingerprint"] for one in told[1]]
    assert 3 == len({one["fingerprint"] for one in told[0]})


def test_data_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Ids, addresses, e-mails, descriptions and tokens are in no report, even where they are what is wrong.
    """
    secrets = {
        "status": "someone@example.com",
        "network": "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
        "id": "8e03978e-40d5-43e8-bc93-6894a57f9324",
        "description": 4_111_111_111_111_111,
        "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913": 1,
        "someone@example.org": {"jane@example.com": "Jane Doe"},
        "payer": {"name": "Jane Doe", "card4111111111111111": "x"},
    }
    path = har(
        tmp_path / "a.har",
        entry("GET", GET, {**whole(), **secrets}, headers={"x-4111111111111111": "Jane Doe"}),
        entry("GET", GET, "Jane Doe", media="Jane Doe", server="https://jane:Jane@business.coinbase.com"),
        entry("GET", GET, "Jane Doe", status=418, headers={"x-4111111111111111": "Jane Doe"}, media="Jane Doe"),
    )
    for format_ in ("text", "json", "markdown", "patch"):
        assert 1 == main(["observed", "--har", str(path), "--format", format_])
        told = "".join(capsys.readouterr())
        for word in ("example.com", "example.org", "0x7", "0x8", "8e03978e", "4111", "4_111", "Jane", "secret", ID):
            assert word not in told, (format_, word)
        assert "payer" in told


def test_never_seen_is_told_apart(observe: Observe, tmp_path: Path) -> None:
    """
    What is described and did not come is listed, and fails nothing.
    """
    code, document, _ = observe("--har", har(tmp_path / "a.har", entry("GET", GET, whole("COMPLETED"))))
    never = {(one["kind"], one["what"].rpartition(" ")[2]) for one in document["neverSeen"]}
    assert 0 == code
    assert {
        ("value", "REFUNDED"),
        ("field", "x402_url"),
        ("status", "404"),
        ("event", "checkout.refund.failed"),
    } <= never
    assert not {("field", "settlement"), ("field", "description"), ("field", "status")} & never
    assert "response 201 status COMPLETED" not in {one["what"] for one in document["neverSeen"]}


def test_webhooks(observe: Observe, tmp_path: Path) -> None:
    """
    A delivery to anybody's endpoint counts, of checkouts only; a new type is a new value of the enum.
    """
    event = {**whole("COMPLETED"), "eventType": "checkout.payment.success", "updatedAt": "2026-11-20T10:00:00.123Z"}

    def delivered(body: Any) -> dict[str, Any]:
        return entry("POST", "/hook", "", status=204, server="https://shop.example", sent=body)

    right = har(tmp_path / "1.har", delivered(event), delivered({"eventType": "onchain.activity", "a": 1}))
    code, document, _ = observe("--har", right)
    assert (0, {"har": 1}) == (code, document["exchanges"])
    wrong = har(tmp_path / "2.har", delivered({**event, "eventType": "checkout.payment.held", "attempt": 2}))
    code, document, _ = observe("--har", wrong)
    assert 1 == code
    assert [
        ("potential", "value", "#/components/schemas/EventType/enum"),
        ("additive", "field", "#/components/schemas/CheckoutEvent/allOf/1/properties/attempt"),
    ] == found(document)
    assert {"event"} == {one["direction"] for one in document["differences"]}


def test_headers_of_webhooks(observe: Observe, tmp_path: Path) -> None:
    """
    Of a delivery the sender's headers count, those of its way do not; a signature that does not come is told.
    """
    event = {**whole("COMPLETED"), "eventType": "checkout.payment.success"}
    usual = {"Content-Type": "application/json", "Content-Length": "9", "Host": "shop.example", "User-Agent": "hook0"}
    usual |= {"X-Forwarded-For": "1.2.3.4", "Via": "1.1 a", "traceparent": "00-1", "X-Request-Id": "1", "CF-Ray": "1"}
    described = {"X-Hook0-Signature": "t=1", "X-Event-Id": "1", "X-Event-Type": "checkout.payment.success"}

    def told(headers: dict[str, str], sent: Any = event) -> tuple[int, list[tuple[str, str, str]], list[str]]:
        one = entry("POST", "/hook", "", status=204, server="https://shop.example", sent=sent)
        one["request"]["headers"] += [{"name": name, "value": value} for name, value in headers.items()]
        code, document, _ = observe("--har", har(tmp_path / "a.har", one))
        return code, found(document), [one["message"] for one in document["differences"]]

    assert (0, [], []) == told({**usual, **described})
    assert (0, [], []) == told({})
    post = "#/webhooks/checkout.payment.success/post/parameters"
    code, differences, messages = told({**usual, **described, "X-Event-Version": "2"})
    assert (1, [("additive", "parameter", post)]) == (code, differences)
    assert messages[0].startswith("checkout.payment.success: undocumented header x-event-version;")
    signature = "#/components/parameters/Hook0Signature/required"
    code, differences, messages = told({**usual, "X-Event-Id": "1"})
    assert (1, [("breaking", "required", signature)]) == (code, differences)
    assert "X-Hook0-Signature is required, and does not come" in messages[0]
    assert 1 == told({**usual, **described, "x-4111111111111111": "1"})[0]


# ---------------------------------------------------------------- HAR files


@pytest.mark.parametrize("lacking", [{"response": None}, {"response": {"status": 200, "headers": None}}])
def test_what_others_lack_is_nobodys_loss(lacking: dict[str, Any], observe: Observe, tmp_path: Path) -> None:
    """
    An entry that is not whole refuses the file only where it is of the API.
    """
    strange = {**entry("GET", "/pixel.gif", "", server="https://ads.example.com"), **lacking}
    code, document, _ = observe("--har", har(tmp_path / "a.har", strange, entry("GET", GET, whole())))
    assert (0, {"har": 1}) == (code, document["exchanges"])
    assert 2 == observe("--har", har(tmp_path / "b.har", {**entry("GET", GET, whole()), **lacking}))[0]


def test_an_answer_without_content_was_not_saved(observe: Observe, tmp_path: Path) -> None:
    """
    As one without its text; but where there is none, none is missing.
    """
    one = entry("GET", GET, whole())
    del one["response"]["content"]
    code, _, err = observe("--har", har(tmp_path / "a.har", one))
    assert (2, True) == (code, "was saved without its body" in err)
    one["response"] |= {"status": 500, "bodySize": 0}
    assert 1 == observe("--har", har(tmp_path / "a.har", one, entry("GET", GET, whole())))[0]


def test_a_time_without_a_zone_is_told_as_such(observe: Observe, tmp_path: Path) -> None:
    """
    It is one to people, and none by RFC 3339.
    """
    path = har(tmp_path / "a.har", entry("GET", GET, whole(createdAt="2026-11-20T10:00:00")))
    _, document, _ = observe("--har", path)
    assert "a time in whole seconds without a zone" in document["differences"][0]["message"]


def test_other_hosts_do_not_count(observe: Observe, tmp_path: Path) -> None:
    """
    Traffic with others is left out and counted, same path or not; --host takes a host in, this machine is in.
    """
    strange = {**whole(), "strange": 1}
    path = har(
        tmp_path / "a.har",
        entry("GET", "/favicon.ico", ""),
        entry("GET", GET, strange, server="https://api.example.com"),
        entry("GET", GET, strange, server="https://api.example.com"),
        entry("GET", GET, whole(), server="http://127.0.0.1:8000"),
    )
    code, document, err = observe("--har", path)
    assert (0, {"har": 1}, []) == (code, document["exchanges"], document["differences"])
    assert "2 exchanges with other hosts left out (api.example.com)" in err
    assert "1 exchange left out that no described operation fits" in err
    code, document, _ = observe("--har", path, "--host", "api.example.com")
    assert (1, {"har": 3}) == (code, document["exchanges"])
    code, document, err = observe(
        "--har", har(tmp_path / "b.har", entry("GET", GET, strange, server="https://a.example"))
    )
    assert (2, {}, True) == (code, document, "no exchange with the Checkouts API" in err)


def _encoded(answer: bytes, *, packed: bool) -> dict[str, Any]:
    made = entry("GET", GET, "", headers={"content-encoding": "gzip"})
    content = {"size": 5, "mimeType": "application/json", "encoding": "base64"}
    content["text"] = base64.b64encode(gzip.compress(answer) if packed else answer).decode()
    made["response"]["content"] = content
    return made


@pytest.mark.parametrize("packed", [False, True])
def test_base64_and_gzip(packed: bool, observe: Observe, tmp_path: Path) -> None:
    """
    Bodies in base64 are read, and those that a proxy saved as they were compressed; so is a compressed file.
    """
    answer = json.dumps({**whole(), "riskScore": 7}).encode()
    path = har(tmp_path / "a.har", _encoded(answer, packed=packed))
    code, document, _ = observe("--har", path)
    assert (1, ["riskScore"]) == (code, [one["name"] for one in document["differences"]])
    squeezed = tmp_path / "a.har.gz"
    squeezed.write_bytes(gzip.compress(path.read_bytes()))
    assert document["differences"][0]["fingerprint"] == observe("--har", squeezed)[1]["differences"][0]["fingerprint"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"PK\x03\x04",
        b"\x1f\x8bdamaged",
        gzip.compress(b'{"log": {"entries": []}}', mtime=0)[:-9],
        b'{"log": {"entries": [{"request": {"method": "GE',
        b'{"log": {"entries": [{"request": {}}]}}',
        b'{"log": {"entries": []}}',
        b"[" * 100_000,
    ],
)
def test_no_har(content: bytes, observe: Observe, tmp_path: Path) -> None:
    """
    What is no HAR file, is cut off, or has nothing of the API in it is told in one line; exit 2.
    """
    path = tmp_path / "a.har"
    path.write_bytes(content)
    code, document, err = observe("--har", path)
    assert (2, {}, 1) == (code, document, err.count("\n"))


def test_many_answers(observe: Observe, tmp_path: Path) -> None:
    """
    Thousands of answers with a name, a status and a header of their own each are told, but not without end.
    """
    entries = [
        entry("GET", GET, {**whole(), f"f{chr(97 + n % 26)}{n}": 1}, status=200, headers={f"x-h{n}": "1"})
        for n in range(1500)
    ]
    code, document, err = observe("--har", har(tmp_path / "a.har", *entries))
    assert (1, 1000, True) == (code, len(document["differences"]), "there is more than is told here" in err)


# ---------------------------------------------------------------- Cassettes


def test_damaged_cassettes(observe: Observe, tmp_path: Path) -> None:
    """
    A recording of ours that was changed by hand is no evidence; a folder without any is told; exit 2.
    """
    source = min(CASSETTES.rglob("*.yaml"))
    path = tmp_path / source.parent.name / source.name
    path.parent.mkdir()
    shutil.copy(source, path)
    assert 0 == observe("--cassettes", tmp_path)[0]
    path.write_text(path.read_text(encoding="utf-8").replace("code: 401", "code: 418"), encoding="utf-8")
    code, _, err = observe("--cassettes", tmp_path)
    assert (2, True) == (code, "changed by hand" in err)
    (tmp_path / "none").mkdir()
    code, _, err = observe("--cassettes", tmp_path / "none")
    assert (2, True) == (code, "no cassette in there" in err)
    assert 2 == observe("--cassettes", tmp_path / "nowhere")[0]


def test_cassettes_of_others(observe: Observe, tmp_path: Path) -> None:
    """
    Anybody's vcrpy cassettes are read; whose they are they do not say.
    """
    answer = json.dumps({**whole(), "riskScore": 7})
    interaction = {
        "request": {"method": "GET", "uri": f"https://business.coinbase.com{GET}", "body": None, "headers": {}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": answer},
        },
    }
    (tmp_path / "a.json").write_text(json.dumps({"version": 1, "interactions": [interaction]}), encoding="utf-8")
    code, document, _ = observe("--cassettes", tmp_path)
    assert (1, {"cassette": 1}) == (code, document["exchanges"])
    (tmp_path / "b.yaml").write_text("interactions: 7", encoding="utf-8")
    assert 2 == observe("--cassettes", tmp_path)[0]


# ---------------------------------------------------------------- The client's drift sensor

DRIFTS = [
    (Drift("getCheckout", "undocumented", "/riskScore"), ("additive", "field", f"{CHECKOUT}/properties/riskScore")),
    (
        Drift("listCheckouts", "undocumented", "/checkouts/*/refunds/*/fee"),
        ("additive", "field", "#/components/schemas/Refund/properties/fee"),
    ),
    (Drift("getCheckout", "enum", "/status", "ON_HOLD"), ("potential", "value", "#/components/schemas/CheckoutStatus/enum")),
    (
        Drift("getCheckout", "status", "", "520"),
        ("additive", "status", "#/paths/~1api~1v1~1checkouts~1{id}/get/responses/520"),
    ),
    (Drift("getCheckout", "required", "/url"), ("breaking", "required", f"{CHECKOUT}/required")),
    (Drift("getCheckout", "null", "/description"), ("breaking", "null", f"{CHECKOUT}/properties/description")),
    (Drift("getCheckout", "type", "/createdAt"), ("breaking", "type", f"{CHECKOUT}/properties/createdAt")),
    (Drift("getCheckout", "format", "/createdAt"), ("breaking", "format", f"{CHECKOUT}/properties/createdAt/format")),
    (Drift("getCheckout", "pattern", "/id"), ("breaking", "pattern", f"{CHECKOUT}/properties/id/pattern")),
    (
        Drift("refundCheckout", "maxLength", "/refund/reason"),
        ("potential", "limit", "#/components/schemas/Refund/properties/reason/maxLength"),
    ),
    (
        Drift("getCheckout", "undocumented", "/errorCode"),
        ("additive", "field", f"{CHECKOUT}/properties/errorCode"),
    ),
    (Drift("getCheckout", "type", "/correlationId"), ("breaking", "type", "#/components/schemas/ErrorBody/properties/correlationId")),
]  # fmt: skip


@pytest.mark.parametrize(("drift", "expected"), DRIFTS)
def test_log(drift: Drift, expected: tuple[str, str, str], observe: Observe, tmp_path: Path) -> None:
    """
    What the client's drift sensor writes is read, as often as it was written.
    """
    write = JsonLines(tmp_path / "drift.jsonl")
    write(drift)
    write(drift)
    code, document, err = observe("--log", tmp_path / "drift.jsonl")
    assert (1, [expected], {"log": 2}, "") == (code, found(document), document["exchanges"], err)
    assert ("drift.jsonl:1", 2) == (
        document["differences"][0]["witnesses"][0]["source"],
        document["differences"][0]["count"],
    )


def test_log_that_is_no_news(observe: Observe, tmp_path: Path) -> None:
    """
    What the description has by now is no drift any more.
    """
    write = JsonLines(tmp_path / "drift.jsonl")
    write(Drift("getCheckout", "undocumented", "/settlement"))
    write(Drift("getCheckout", "enum", "/status", "REFUNDED"))
    write(Drift("getCheckout", "status", "", "404"))
    code, document, _ = observe("--log", tmp_path / "drift.jsonl")
    assert (0, []) == (code, document["differences"])


def test_damaged_log(observe: Observe, tmp_path: Path) -> None:
    """
    Damaged lines are told by their numbers, the rest is used; without any whole line exit 2, without any line 0.
    """
    path = tmp_path / "drift.jsonl"
    whole_line = json.dumps({"operation": "getCheckout", "kind": "undocumented", "pointer": "/a", "value": None})
    strange = [
        whole_line.replace("getCheckout", "getInvoice"),
        whole_line.replace("undocumented", "odd"),
        whole_line.replace("/a", "/nowhere/a"),
    ]
    path.write_bytes("\n".join(["{", whole_line, "", "[]", "7", whole_line[:30], *strange]).encode() + b"\n\xff\xfe")
    code, document, err = observe("--log", path)
    assert (1, ["a"]) == (code, [one["name"] for one in document["differences"]])
    assert "lines 1, 4, 5, 6, 10 left out: not what the drift sensor writes" in err
    assert "line 7 left out: its operation is not described" in err
    assert "line 8 left out: its kind is not known" in err
    assert "line 9 left out: its pointer leads to nothing that is described" in err
    path.write_text("{\n[]\n")
    code, _, err = observe("--log", path)
    assert (2, True) == (code, "no line is what" in err)
    path.write_text("")
    code, _, err = observe("--log", path)
    assert (0, True) == (code, "is empty" in err)


# ---------------------------------------------------------------- The command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to look at"),
        (["--har", "nowhere.har"], "nowhere.har"),
        (["--log", "nowhere.jsonl"], "nowhere.jsonl: there is no such file"),
        (["--base-url", "https://example.com"], "go together"),
        (["--base-url", "ftp://example.com", "--key-file", "nowhere"], "is not an http"),
        (["--base-url", "http://127.0.0.1:1", "--key-file", "nowhere"], "nowhere"),
        (["--har", "nowhere.har", "--description", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
    ],
)
def test_it_could_not(arguments: list[str], words: str, observe: Observe) -> None:
    """
    Exit 2 and one line that says why.
    """
    code, document, err = observe(*arguments)
    assert (2, {}, 1) == (code, document, err.count("\n"))
    assert words in err or "No such file" in err


def test_several_sources(observe: Observe, tmp_path: Path) -> None:
    """
    Sources may be named together; each thing is told once, with where it comes from.
    """
    JsonLines(tmp_path / "drift.jsonl")(Drift("getCheckout", "undocumented", "/riskScore"))
    path = har(tmp_path / "a.har", entry("GET", f"{ROOT}/{OTHER_ID}", {**whole(), "riskScore": 7}))
    code, document, _ = observe("--har", path, "--log", tmp_path / "drift.jsonl", "--cassettes", CASSETTES)
    assert (1, {"har", "log", "sandbox"}) == (code, set(document["exchanges"]))
    [difference] = [one for one in document["differences"] if one["drift"]]
    assert {"har": 1, "log": 1} == difference["provenance"]


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_reports(format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Text and Markdown tell the message, its place, what was never seen, and whose traffic it is; --output writes it.
    """
    path = har(tmp_path / "a.har", entry("GET", GET, {**whole(), "riskScore": 7}))
    arguments = ["observed", "--har", str(path), "--format", format_]
    assert 1 == main(arguments)
    out = capsys.readouterr().out
    for words in (
        "undocumented field riskScore (integer)",
        "a.har#0, getCheckout 200 at /riskScore",
        "never seen",
        "do not say whose",
    ):
        assert words in out
    assert 1 == main([*arguments, "--output", str(tmp_path / "report")])
    assert (out, "") == ((tmp_path / "report").read_text(encoding="utf-8"), capsys.readouterr().out)
    assert 2 == main([*arguments, "--output", str(tmp_path / "nowhere" / "report")])


def test_another_description(observe: Observe, tmp_path: Path) -> None:
    """
    Any description of the API may be what traffic is held against: the first generation knows no refunds.
    """
    path = har(tmp_path / "a.har", entry("GET", GET, whole("REFUNDED", refundedAmount="2.00")))
    _, document, _ = observe("--har", path, "--description", "generation:1")
    assert {"REFUNDED", "refundedAmount"} <= {one["name"] for one in document["differences"]}
