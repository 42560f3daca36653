"""`migrate`: files of exported charges, read charge by charge, and what is written of them."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts import cli, commerce, key_for
from coinbase_checkouts.commerce import exports, report
from coinbase_checkouts.commerce.exports import Exported, Place, Unreadable, read
from coinbase_checkouts.commerce.requests import NAMESPACE

from .commerce_samples import OLD, REQUEST, WEB3, delivery, open_amount, unpaid, with_status


def other(charge: dict[str, Any], number: int) -> dict[str, Any]:
    """The same of another charge."""
    return {**charge, "code": f"OTHER{number:03}", "id": f"9d3ffc0a-0000-4000-8000-{number:012}"}


OPEN = unpaid()
PAID = other(WEB3, 1)
EXACT: dict[str, Any] = {"description": "A lamp", "local_price": {"amount": "5.00", "currency": "USDC"}}
LATER = ("--expires-at", "2999-01-01T00:00:00Z")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder of its own."""
    monkeypatch.chdir(tmp_path)


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def put(name: str, text: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)
    return name


def migrate(*arguments: str) -> int:
    return cli.main(["migrate", *arguments])


def out(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("out", name).read_text().splitlines()]


# What is written.


def test_each_charge_becomes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A line has where the charge stood, its code and status, what to do, the derived key, the request and the losses.
    """
    assert 1 == migrate(put("all.ndjson", lines(OPEN)))
    told = capsys.readouterr()
    (line,) = map(json.loads, told.out.splitlines())
    expected = commerce.checkout_request(OPEN, now_s=time.time())
    assert ("all.ndjson", 1, "", "ZYXWV987", "NEW", "create") == tuple(
        line[name] for name in ("file", "line", "pointer", "code", "status", "verdict")
    )
    assert key_for("ZYXWV987", operation="create", namespace=NAMESPACE) == line["idempotencyKey"]
    assert expected.value.to_dict() == line["request"]
    assert [loss.code for loss in expected.losses] == [loss["code"] for loss in line["losses"]]
    assert {"code", "pointer", "kind", "sentence", "advice", "source"} == line["losses"][0].keys()
    assert (
        "1 charges: 1 to create, 0 to leave, 0 refused; 0 places could not be read. "
        "Nothing was created. For advice add --report FILE.\n"
    ) == told.err


def test_verdicts_have_files_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """
    What waits to be paid is apart from what must not be created again; a script that sends one file sends no more.
    """
    put("all.ndjson", lines(OPEN, PAID, open_amount(paid=False)))
    assert 1 == migrate("all.ndjson", "--out", "out")
    assert [("NEW", "create")] == [(line["status"], line["verdict"]) for line in out("requests.ndjson")]
    assert [("COMPLETED", "leave")] == [(line["status"], line["verdict"]) for line in out("leave.ndjson")]
    (refused,) = out("refused.ndjson")
    assert ("A1B2C3D4", "NEW", None, None) == (
        refused["code"],
        refused["status"],
        refused["request"],
        refused["idempotencyKey"],
    )
    assert "open-amount" in [loss["code"] for loss in refused["losses"]]
    assert {"leave.ndjson", "refused.ndjson", "report.md", "requests.ndjson"} == {
        path.name for path in Path("out").iterdir()
    }
    assert "" == capsys.readouterr().out


def test_no_loss_is_exit_code_0() -> None:
    """
    0 is: every charge says just the same as a checkout.
    """
    assert 0 == migrate(put("all.ndjson", lines(EXACT, EXACT)), *LATER, "--strict")


def test_strict_refuses_all_that_is_lossy() -> None:
    """
    With --strict nothing lossy gets a request; accepted losses are none.
    """
    put("all.ndjson", lines(EXACT, REQUEST))
    assert 1 == migrate("all.ndjson", *LATER, "--strict", "--out", "out")
    assert (1, 1) == (len(out("requests.ndjson")), len(out("refused.ndjson")))
    accept = ("--accept", "cancel-url", "--accept", "fiat-one-to-one")
    assert 0 == migrate("all.ndjson", *LATER, "--strict", "--out", "out", *accept)
    assert ([], 2) == (out("refused.ndjson"), len(out("requests.ndjson")))
    text = Path("out/report.md").read_text()
    assert "Accepted, and not told: `cancel-url`, `fiat-one-to-one`." in text


def test_options_reach_the_conversion() -> None:
    """
    --keep-fiat leaves USD, --expires-at is in every request.
    """
    migrate(put("all.ndjson", lines(REQUEST)), *LATER, "--keep-fiat", "--out", "out")
    (line,) = out("requests.ndjson")
    assert ("USD", "2999-01-01T00:00:00Z") == (line["request"]["currency"], line["request"]["expiresAt"])


def test_report_has_figures_losses_and_charges() -> None:
    """
    The report counts, gives each loss once with its advice, all hazards of the guide, and the charges folded.
    """
    put("all.ndjson", lines(OPEN, OLD, other(with_status("WEIRD"), 2), other(open_amount(paid=True), 3)) + "{")
    assert 2 == migrate("all.ndjson", "--report", "report.md", "--out", "out")
    text = Path("report.md").read_text()
    for expected in (
        "| read | 4 |",
        "| to create | 1 |",
        "| to leave: paid, being paid, over, or not surely unpaid | 2 |",
        "| refused: nothing can be created from it | 1 |",
        "| places that could not be read | 1 |",
        "| status COMPLETED | 2 |",
        "| status other | 1 |",
        "To create: 40 EUR.",
        "| all.ndjson:5 | is no JSON: Expecting property name enclosed in double quotes |",
        "## Without equivalent",
        "## Lost",
        "## Guessed",
        "| `open-amount` (nothing to create) | 1 |",
        "| `addresses` | 2 |",
        "all.ndjson:2 /addresses |",
        "| 1 | open amount |",
        "| 8 | paging |",
        "your code |",
        "<details><summary>Charge by charge (4 of 4)</summary>",
        "| all.ndjson:1 | ZYXWV987 | NEW | create | 40 EUR |",
    ):
        assert expected in text
    assert not Path("out/report.md").exists()


def test_report_without_anything_to_create_has_no_sum() -> None:
    """
    An archive of paid charges is one to read.
    """
    assert 1 == migrate(put("all.ndjson", lines(OLD)), "--report", "r.md")
    assert "To create:" not in Path("r.md").read_text()


def test_report_is_bounded_and_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Charges and unreadable places past a number are counted only; nothing of a charge becomes markup.
    """
    monkeypatch.setattr(report, "ROWS", 2)
    evil = {**EXACT, "code": "|<b>[x](javascript:1)\n# no"}
    put("all.ndjson", lines(evil, EXACT, EXACT) + "x\nx\nx\n")
    assert 2 == migrate("all.ndjson", "--report", "r.md")
    text = Path("r.md").read_text()
    assert 2 == text.count("\nAnd 1 more.\n")
    assert "\\|&lt;b>\\[x](javascript:1) # no" in text


# What is read.


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("a.ndjson", lines(EXACT, EXACT), [(1, ""), (2, "")]),
        ("a.jsonl", "\ufeff" + lines(EXACT) + "\n  \n" + lines(EXACT).strip(), [(1, ""), (4, "")]),
        ("a.NDJSON", lines([EXACT, EXACT], {"data": [EXACT]}), [(1, "/0"), (1, "/1"), (2, "/data/0")]),
        ("a.json", json.dumps(EXACT), [(1, "")]),
        ("a.json", json.dumps([EXACT, EXACT]), [(1, "/0"), (1, "/1")]),
        ("a.json", "\ufeff \n[\n" + lines(EXACT) + ",\n" + lines(EXACT) + "]\n", [(3, "/0"), (5, "/1")]),
        ("a.json", json.dumps({"pagination": {}, "data": [EXACT, EXACT]}, indent=1), [(1, "/data/0"), (1, "/data/1")]),
        ("a.json", lines(EXACT, {"data": EXACT}), [(1, ""), (2, "")]),
        ("a.json", json.dumps([[EXACT], EXACT]), [(1, "/0/0"), (1, "/1")]),
        ("a.json", "[]", []),
        ("a.ndjson", "", []),
    ],
)
def test_all_forms_of_export_are_read(name: str, text: str, places: list[tuple[int, str]]) -> None:
    """
    Lines, arrays, pages of the API and values one after the other; each charge has its line and its pointer.
    """
    put(name, text)
    found = list(read(Path(name)))
    assert places == [(one.place.line, one.place.pointer) for one in found]
    assert all(isinstance(one, Exported) for one in found)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.ndjson", '{"a": }\n', "a.ndjson:1 is no JSON: Expecting value"),
        ("a.ndjson", "\n\n[NaN]\n", "a.ndjson:3 NaN is no JSON"),
        ("a.ndjson", "9" * 5000, "a.ndjson:1 has a number or a depth that cannot be read"),
        ("a.ndjson", "[" * 200_000, "a.ndjson:1 has a number or a depth that cannot be read"),
        ("a.ndjson", "1e" + "9" * 30, "a.ndjson:1 has a number or a depth that cannot be read"),
        ("a.json", "", "a.json:1 is empty"),
        ("a.json", "[1,\n 2", "a.json:2 at /1 ends in the middle"),
        ("a.json", "[1\n 2]", "a.json:1 at /0 a ',' is missing"),
        ("a.json", "[1,\n]", "a.json:2 at /1 is no JSON: Expecting value"),
        ("a.json", "[1]\nx", "a.json:1 there is more after the end of the array"),
        ("a.json", '[{"a":\n1}, {"b": oops}]', "a.json:2 at /1 is no JSON: Expecting value"),
        ("a.json", '{"a": 1}\n{"b"', "a.json:2 is no JSON: Expecting ':' delimiter"),
        ("a.json", "[" * 200_000, "a.json:1 at /0 has a number or a depth that cannot be read"),
    ],
)
def test_what_cannot_be_read_says_where_and_what(name: str, text: str, told: str) -> None:
    """
    File, line, pointer and reason, never what was there; and what to do.
    """
    put(name, text)
    *_, last = read(Path(name))
    assert isinstance(last, Unreadable)
    assert (told, True) == (f"{last.place} {last.reason}", last.advice.endswith("."))


def test_one_bad_line_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After what cannot be read, not UTF-8 or too long, the next line is read.
    """
    monkeypatch.setattr(exports, "VALUE_LIMIT", 100)
    good = lines(EXACT).encode()
    Path("a.ndjson").write_bytes(good + b'"\xff"\n' + b'"' + b"x" * 350 + b'"\n' + good + b"y" * 150)
    found = list(read(Path("a.ndjson")))
    assert [1, 2, 3, 4, 5] == [one.place.line for one in found]
    assert ["is not UTF-8, here or soon after", *[exports._TOO_LONG] * 2] == [
        one.reason for one in found if isinstance(one, Unreadable)
    ]


def test_broken_document_ends_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    In a document nothing says where the next charge begins; what came before is kept, and little is read ahead.
    """
    monkeypatch.setattr(exports, "VALUE_LIMIT", 1000)
    monkeypatch.setattr(exports, "_CHUNK", 16)
    put("a.json", "[" + lines(EXACT) + ',"' + "x" * 100_000 + '"]')
    good, bad = read(Path("a.json"))
    assert isinstance(good, Exported)
    assert isinstance(bad, Unreadable)
    assert ("/1", "is broken, or longer than 1000 characters") == (bad.place.pointer, bad.reason)
    Path("b.json").write_bytes(b'[1,\n"' + b"a" * 20 + b'\xff"]')
    *_, last = read(Path("b.json"))
    assert isinstance(last, Unreadable)
    assert ("b.json:2 at /1", "is not UTF-8, here or soon after") == (str(last.place), last.reason)


def test_file_that_cannot_be_opened_is_told() -> None:
    """
    Of a file in a folder that is gone when its turn comes, too.
    """
    (found,) = read(Path("gone.json"))
    assert (
        Unreadable(
            Place("gone.json", 1),
            "cannot be read: No such file or directory",
            "Give files and folders that exist and are yours to read.",
        )
        == found
    )


def test_folder_that_cannot_be_listed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """
    What may be in it is missing in the results: it is named, and the exit code says so, also where it is alone.
    """
    put("all/a.json", json.dumps(EXACT))
    # Root may list any folder but one whose name is too long for the system.
    here = os.open("all", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        here, above = os.open("d" * 250, os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    assert 2 == migrate("all", "--out", "out")
    assert ": cannot be read: File name too long. Give files and folders" in capsys.readouterr().err
    assert 1 == len(out("requests.ndjson"))
    Path("all/a.json").unlink()
    assert 2 == migrate("all")
    assert "0 charges: 0 to create, 0 to leave, 0 refused; 1 places could not be read." in capsys.readouterr().err


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(
    st.lists(JSON.filter(lambda value: not isinstance(value, list | dict) or not value), max_size=5),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
)
def test_documents_read_the_same_in_pieces_of_any_size(values: list[Any], chunk: int, indent: int | None) -> None:
    """
    An array comes out as json reads it, wherever the pieces of the file end, numbers included.
    """
    whole = json.dumps(values, indent=indent, ensure_ascii=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "_CHUNK", chunk)
        document = io.BytesIO(whole.encode("utf-8", "replace"))
        found = list(exports._document(document, Place("a.json", 1)))
    expected = json.loads(whole.encode("utf-8", "replace"))
    assert [value for value in expected if value != []] == [one.value for one in found if isinstance(one, Exported)]


@given(st.binary(max_size=60) | st.text('[]{}",:0.e- \n', max_size=60).map(str.encode))
def test_whatever_bytes_are_read_nothing_else_comes_out(content: bytes) -> None:
    """
    Charges or places that could not be read, never an exception, from a document and from lines.
    """
    for reader in (exports._document, exports._lines):
        for found in reader(io.BytesIO(content), Place("a", 1)):
            assert isinstance(found, Exported | Unreadable)


def test_folders_are_read_all_the_way_down(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Every .json, .ndjson and .jsonl in it, in order; nothing else.
    """
    for name in ("all/b/2.json", "all/a.ndjson", "all/c.JSONL"):
        put(name, lines(EXACT))
    Path("all/x.json").mkdir()
    assert 0 == migrate("all", *LATER)
    told = capsys.readouterr()
    assert ["all/a.ndjson", "all/b/2.json", "all/c.JSONL"] == [json.loads(row)["file"] for row in told.out.splitlines()]
    assert "Passed over" not in told.err


def test_what_a_folder_has_besides_is_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Packed exports, other suffixes, pipes and links to folders are not read, and not passed over in silence; links to
    files are read, and one to nowhere is told.
    """
    for name in ("all/a.json", "all/charges.csv", "all/export", "all/notes.txt", "all/x.json.gz", "else/b.json"):
        put(name, json.dumps(EXACT))
    Path("all/link").symlink_to("../else")
    Path("all/link.json").symlink_to("../else/b.json")
    Path("all/loop.json").symlink_to(".")
    os.mkfifo("all/pipe.json")
    assert 0 == migrate("all", *LATER, "--report", "r.md")
    told = capsys.readouterr()
    assert ["all/a.json", "all/link.json"] == [json.loads(line)["file"] for line in told.out.splitlines()]
    passed = "7 (all/charges.csv, all/export, all/link, all/loop.json, all/notes.txt and 2 more)"
    assert f"; 0 places could not be read. Passed over: {passed}. Nothing was created." in told.err
    text = Path("r.md").read_text()
    assert f"\nPassed over, as they are no exports by their names, or links to folders: {passed}.\n" in text
    assert "| files and links that were passed over | 7 |" in text
    Path("all/nowhere.json").symlink_to("gone")
    assert 2 == migrate("all", *LATER)
    assert "all/nowhere.json:1: cannot be read: No such file or directory." in capsys.readouterr().err


# Charges that are there more than once.


def updated(charge: dict[str, Any], minute: int | None, **more: Any) -> dict[str, Any]:
    """As it was exported with this time of its last change."""
    return {**charge, "updated_at": None if minute is None else f"2025-01-02T21:{minute:02}:00Z", **more}


def cost(amount: str) -> dict[str, Any]:
    return {"pricing": {"local": {"amount": amount, "currency": "EUR"}}}


ONLY_CODE = {name: value for name, value in OPEN.items() if name != "id"}
ONLY_ID = {name: value for name, value in OPEN.items() if name != "code"}
UNPRICED = {**OPEN, "pricing": {}}
UNTIMED = {**OPEN, **cost("7"), "timeline": [{"status": "NEW"}]}
STRANGE = updated({**OPEN, "timeline": []}, 5)


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        # Paid in one of them.
        ([OPEN, WEB3], ["leave charge-repeated", "leave"]),
        ([updated(OPEN, 9), updated(WEB3, 1)], ["leave charge-repeated", "leave"]),
        ([ONLY_CODE, ONLY_ID, WEB3], ["leave charge-repeated"] * 2 + ["leave"]),
        ([OPEN, delivery("charge:confirmed", WEB3)], ["leave charge-repeated", "leave"]),
        ([OPEN, delivery("charge:confirmed", OPEN)], ["leave charge-repeated", "leave"]),
        ([OPEN, {**WEB3, "pricing_type": "no_price"}], ["leave charge-repeated", "refused"]),
        ([{**OPEN, "code": "zyxwv987", "id": None}, WEB3], ["leave charge-repeated", "leave"]),
        # Known by one name each, until one has both.
        ([ONLY_CODE, {**WEB3, "code": None}, OPEN], ["leave charge-repeated", "leave", "leave charge-repeated"]),
        # Nothing but NEW.
        ([OPEN, {**OPEN, **cost("7")}], ["leave charge-disputed"] * 2),
        ([updated(OPEN, 1), updated(OPEN, 2, **cost("7"))], ["leave charge-repeated", "create"]),
        (
            [updated(OPEN, 1), updated(OPEN, 2), UNPRICED],
            ["leave charge-repeated", "create", "refused charge-repeated"],
        ),
        ([updated(OPEN, 1), UNTIMED], ["leave charge-disputed"] * 2),
        ([updated(OPEN, 2), updated(UNPRICED, 3)], ["leave charge-repeated", "refused"]),
        ([OPEN, UNPRICED], ["leave charge-disputed", "refused charge-disputed"]),
        ([OPEN, delivery("charge:created", OPEN)], ["create", "leave charge-repeated"]),
        # Over in several.
        ([WEB3, STRANGE, updated(WEB3, 3)], ["leave charge-repeated", "leave", "leave charge-repeated"]),
        # Others.
        ([OPEN, other(OPEN, 2)], ["create", "create"]),
        ([REQUEST, REQUEST], ["create", "create"]),
    ],
)
def test_one_charge_is_one_request_at_most(copies: list[Any], expected: list[str]) -> None:
    """
    Of a charge that is there again the newest state counts, the one that is not NEW before all, in whatever order
    they come; the others are left, and tell where that one is.
    """
    marks = ("charge-repeated", "charge-disputed")
    for order in (range(len(copies)), range(len(copies))[::-1]):
        migrate(put("all.ndjson", lines(*(copies[number] for number in order))), "--out", "out")
        told = {line["line"]: line for name in ("requests", "leave", "refused") for line in out(f"{name}.ndjson")}
        assert [expected[number] for number in order] == [
            " ".join([line["verdict"], *(loss["code"] for loss in line["losses"] if loss["code"] in marks)])
            for _, line in sorted(told.items())
        ]


def test_of_lines_that_are_the_same_the_first_counts() -> None:
    """
    An export that is given twice makes no request twice.
    """
    migrate(put("all.ndjson", lines(OPEN, OPEN)), "--out", "out")
    assert [1] == [line["line"] for line in out("requests.ndjson")]
    assert ["charge-repeated"] == [line["losses"][-1]["code"] for line in out("leave.ndjson")]


def test_where_the_other_line_is_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """
    In the line, in the summary and in the report, over files and pages.
    """
    put("days/1.json", json.dumps({"data": [OPEN, PAID]}))
    put("days/2.json", json.dumps({"data": [PAID, with_status("NEW", "COMPLETED")]}))
    assert 1 == migrate("days", "--out", "out")
    left = {line["file"] + line["pointer"]: line["losses"][-1]["sentence"] for line in out("leave.ndjson")}
    assert (
        "the same charge is in the files more than once; what counts is at days/2.json:1 at /data/1"
        == (left["days/1.json/data/0"])
    )
    assert left["days/2.json/data/0"].endswith("what counts is at days/1.json:1 at /data/1")
    assert "read. 2 are of charges that other lines tell of, too. Nothing was created." in capsys.readouterr().err
    text = Path("out/report.md").read_text()
    assert "| of charges that other lines tell of, too | 2 |" in text
    assert "| `charge-repeated` | 2 |" in text


def test_copies_are_refused_where_strict() -> None:
    """
    Unless that loss is accepted: then they are left, and never created.
    """
    named = {**EXACT, "code": "C0001", "timeline": [{"status": "NEW"}]}
    put("all.ndjson", lines(named, named))
    accept = ("--strict", "--accept", "code", "--out", "out", *LATER)
    assert 1 == migrate("all.ndjson", *accept)
    (refused,) = out("refused.ndjson")
    assert (2, None, None) == (refused["line"], refused["request"], refused["idempotencyKey"])
    assert 0 == migrate("all.ndjson", *accept, "--accept", "charge-repeated")
    assert ([1], [2]) == (
        [line["line"] for line in out("requests.ndjson")],
        [line["line"] for line in out("leave.ndjson")],
    )


def test_standard_input_is_held_against_files_too() -> None:
    """
    It can be read once only.
    """
    put("paid.ndjson", lines(WEB3))
    program = f"{sys.executable} -c 'import sys; from coinbase_checkouts.cli import main; sys.exit(main())'"
    command = f"{program} migrate /dev/stdin paid.ndjson"
    done = subprocess.run(["bash", "-c", command], input=lines(OPEN).encode(), capture_output=True, check=False)
    assert ["leave", "leave"] == [json.loads(line)["verdict"] for line in done.stdout.splitlines()]


def test_keys_that_are_there_twice_leave_the_charge_to_a_person() -> None:
    """
    Nobody knows which value was meant; the loss says where. Two pages in one are told, too.
    """
    twice = json.dumps(OPEN).replace('"status": "NEW"', '"status": "COMPLETED", "status": "NEW"')
    page = f'{{"data": [{json.dumps(PAID)}], "data": [{json.dumps(EXACT)}]}}'
    assert 2 == migrate(put("all.ndjson", f"{twice}\n{page}\n"), "--out", "out")
    (left,) = out("leave.ndjson")
    assert ("key-repeated", "/timeline/0/status") == (left["losses"][-1]["code"], left["losses"][-1]["pointer"])
    assert ["/data/0"] == [line["pointer"] for line in out("requests.ndjson")]
    assert "| all.ndjson:2 | has data more than once; the last was read |" in Path("out/report.md").read_text()
    assert 2 == migrate("all.ndjson", "--strict", "--out", "out")
    assert [] == out("leave.ndjson")


def test_rest_of_a_broken_document_is_said_to_be_unread(capsys: pytest.CaptureFixture[str]) -> None:
    """
    In a document nothing says where the next charge begins.
    """
    assert 2 == migrate(put("a.json", json.dumps([EXACT, 0, EXACT]).replace("0,", "{,")))
    assert "a.json:1 at /1: is no JSON: Expecting property name enclosed in double quotes. The rest of the file" in (
        capsys.readouterr().err
    )


# What is wrong with the command.


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.json"], "gone.json: there is no such file or folder"),
        (["empty"], "no file there ends in .json, .jsonl, .ndjson"),
        (["a.json", "--accept", "adresses"], "--accept: no such codes: adresses"),
        (["a.json", "--expires-at", "soon"], "--expires-at: must be a time in the future, with its zone, such as"),
        (["full", "--out", "full/out"], "--out, --report: requests.ndjson must not be where charges are read, nor"),
        (["full", "--report", "full/r.json"], "--out, --report: r.json must not be where charges are read"),
        (["a.json", "--report", "a.json"], "--out, --report: a.json must not be where charges are read"),
        (["leave.ndjson", "--out", "."], "--out, --report: leave.ndjson must not be where charges are read"),
        (["a.json", "--out", ".", "--report", "leave.ndjson"], "--out, --report: leave.ndjson must not be where"),
        (["a.json", "--out", "full/a.json"], "--out, --report: cannot be written: File exists"),
        (["a.json", "--report", "empty"], "--out, --report: cannot be written: Is a directory"),
    ],
)
def test_mistakes_are_told_in_a_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    They exit 2, with what to do better, and leave nothing behind.
    """
    put("a.json", lines(EXACT))
    put("full/a.json", lines(EXACT))
    put("leave.ndjson", lines(EXACT))
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    assert 2 == migrate(*arguments)
    said = capsys.readouterr().err.splitlines()
    assert any(line.startswith(f"coinbase-checkouts migrate: {told}") for line in said)
    assert before == sorted(Path().rglob("*"))


def test_many_bad_places_are_told_a_few_times(capsys: pytest.CaptureFixture[str]) -> None:
    """
    stderr says the first twenty and how many more; the exit code is 2, and what could be read is written.
    """
    assert 2 == migrate(put("a.ndjson", "x\n" * 23 + lines(EXACT)), "--out", "out")
    said = capsys.readouterr().err.splitlines()
    assert "a.ndjson:20: is no JSON: Expecting value. Export it anew, or repair the line." == said[19]
    assert "… and 3 more" == said[20]
    assert 1 == len(out("requests.ndjson"))


def test_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A count that moves, taken away before anything else is said.
    """

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    monkeypatch.setattr("coinbase_checkouts.migrate_commands._PROGRESS_S", 0.0)
    assert 2 == migrate(put("a.ndjson", lines(EXACT, EXACT) + "x\n"), "--out", "out")
    text = seen.getvalue()
    blank = "\r           \r"
    assert text.startswith(f"1 charges …{blank}2 charges …{blank}a.ndjson:3: is no JSON")
    monkeypatch.setattr("coinbase_checkouts.migrate_commands._PROGRESS_S", 60.0)
    assert 1 == migrate(put("b.ndjson", lines(EXACT, EXACT)), "--out", "out2")
    assert "2 charges …" not in seen.getvalue().removeprefix(text)


def test_reader_that_has_enough_is_no_failure() -> None:
    """
    `| head -1` ends it with 0; a stdout that takes nothing is told, with 2.
    """
    put("a.ndjson", lines(EXACT) * 2000)
    program = f"{sys.executable} -c 'import sys; from coinbase_checkouts.cli import main; sys.exit(main())'"
    command = f"{program} migrate a.ndjson"
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1 >first; exit ${{PIPESTATUS[0]}}"], capture_output=True, check=False
    )
    assert (0, b"", 1) == (done.returncode, done.stderr, len(Path("first").read_text().splitlines()))
    full = subprocess.run(["bash", "-c", f"{command} >/dev/full"], capture_output=True, check=False)
    assert (2, b"coinbase-checkouts: stdout: No space left on device\n") == (full.returncode, full.stderr)


def test_interrupted_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Ctrl-C ends it with 130; no file has half of the results.
    """

    def interrupted(_: Path) -> Iterator[Exported]:
        yield Exported(Place("a.json", 1), EXACT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("coinbase_checkouts.migrate_commands.read", interrupted)
    assert 130 == migrate(put("a.json", "1"), "--out", "out")
    assert [] == list(Path("out").iterdir())
    assert "interrupted; nothing was kept but what is on stdout" in capsys.readouterr().err


def test_ended_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    SIGTERM is as Ctrl-C, as long as the command runs, in the main thread.
    """

    def ended(_: Path) -> Iterator[Exported]:
        yield Exported(Place("a.json", 1), EXACT)
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr("coinbase_checkouts.migrate_commands.read", ended)
        assert 130 == migrate(put("a.json", json.dumps(EXACT)), "--out", "out")
    assert [] == list(Path("out").iterdir())
    assert before is signal.getsignal(signal.SIGTERM)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(migrate("a.json", *LATER, "--out", "out")))
    thread.start()
    thread.join()
    assert [0] == codes


def test_pipes_and_links_stay_what_they_are() -> None:
    """
    What is no regular file is written into, and a link keeps leading where it led.
    """
    Path("out").mkdir()
    os.mkfifo("out/leave.ndjson")
    put("kept.md", "old")
    Path("report.md").symlink_to("kept.md")
    put("a.ndjson", lines(OPEN, PAID))
    with subprocess.Popen(["cat", "out/leave.ndjson"], stdout=subprocess.PIPE) as reader:
        assert 1 == migrate("a.ndjson", "--out", "out", "--report", "report.md")
        assert reader.stdout is not None
        assert "leave" == json.loads(reader.stdout.read())["verdict"]
    assert Path("out/leave.ndjson").is_fifo()
    assert Path("report.md").is_symlink()
    assert Path("kept.md").read_text().startswith("# From Commerce")
    assert 1 == len(out("requests.ndjson"))


def test_report_may_go_where_stdout_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A file that the shell has open is not replaced under it; a stdout that is closed goes nowhere.
    """
    put("a.ndjson", lines(EXACT))
    program = f"{sys.executable} -c 'import sys; from coinbase_checkouts.cli import main; sys.exit(main())'"
    command = f"{program} migrate a.ndjson --report /dev/stdout >all.txt"
    subprocess.run(["bash", "-c", command], check=False)
    text = Path("all.txt").read_text()
    assert text.startswith('{"file": "a.ndjson"')
    assert text.endswith("</details>\n")
    monkeypatch.setattr("coinbase_checkouts.migrate_commands._STDOUT", -1)
    assert 0 == migrate("a.ndjson", *LATER, "--report", "all.txt")
    assert Path("all.txt").read_text().startswith("# From Commerce")


def test_no_room_for_what_waits_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Where the disk is full no result is written, and the message says what to do.
    """
    put("a.ndjson", lines(*(other(WEB3, number) for number in range(1500))))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    try:
        assert 2 == migrate("a.ndjson", "--out", "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be kept until all is there: " in capsys.readouterr().err
    assert [] == list(Path("out").iterdir())


def test_memory_does_not_grow_with_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Ten times as many charges, as lines or as one array, need no more memory at once.
    """
    peaks: list[int] = []
    for count in (200, 2000):
        charges = [{**WEB3, "code": f"{number:08}"} for number in range(count)]
        for name, text in (("a.ndjson", lines(*charges)), ("a.json", json.dumps(charges))):
            put(name, text)
            tracemalloc.start()
            for _ in read(Path(name)):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert max(peaks[2:]) < 2 * max(peaks[:2])
