"""`traffic.jsonl`: what was said comes back as it was, but for secrets; what is damaged is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts_conformance import traffic_file
from coinbase_checkouts_conformance.traffic import Conversation

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


def said(name: str = "test_get/test_one", body: bytes = b'{"amount": "1.00"}', answer: bytes = b"{}") -> Conversation:
    """A conversation of one exchange."""
    conversation = Conversation(name, "sandbox", "http://127.0.0.1:1", datetime(2026, 11, 20, tzinfo=UTC))
    request = httpx.Request("POST", "http://127.0.0.1:1/api/v1/checkouts?a=1&a=&b=%20", content=body)
    request.headers["Authorization"] = f"Bearer {TOKEN}"
    conversation.add(request, 200, "application/json", answer)
    return conversation


@given(body=st.binary(), answer=st.binary())
def test_bodies_come_back(tmp_path_factory: pytest.TempPathFactory, body: bytes, answer: bytes) -> None:
    """
    Whatever bytes were sent and came, and all around them.
    """
    folder = tmp_path_factory.mktemp("said")
    conversation = said(body=body, answer=answer)
    assert "" == traffic_file.begin(folder)
    assert "" == traffic_file.add(folder, conversation)
    assert {conversation.name: conversation} == traffic_file.read(folder)


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    """
    Tokens in bodies are replaced by their kind.
    """
    traffic_file.add(tmp_path, said(body=f'{{"description": "{TOKEN}"}}'.encode(), answer=TOKEN.encode()))
    assert TOKEN not in (tmp_path / "traffic.jsonl").read_text(encoding="utf-8")
    assert b"<token>" == traffic_file.read(tmp_path)["test_get/test_one"].exchanges[0].answer


def test_the_last_word_on_a_test_counts(tmp_path: Path) -> None:
    """
    A test that was tried again has one conversation: the later one.
    """
    for answer in (b"first", b"second"):
        traffic_file.add(tmp_path, said(answer=answer))
    assert [b"second"] == [one.exchanges[0].answer for one in traffic_file.read(tmp_path).values()]


def test_a_new_run_begins_anew(tmp_path: Path) -> None:
    """
    What an older run said is not the evidence of a new one.
    """
    traffic_file.add(tmp_path, said())
    traffic_file.begin(tmp_path)
    assert {} == traffic_file.read(tmp_path)


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path, cut: int) -> None:
    """
    As after kill -9 in the middle of writing; the lines before and after it count.
    """
    path = tmp_path / "traffic.jsonl"
    traffic_file.add(tmp_path, said("one"))
    traffic_file.add(tmp_path, said("two"))
    path.write_bytes(path.read_bytes()[: -1 - cut])
    traffic_file.add(tmp_path, said("three"))
    assert ["one", "three"] == list(traffic_file.read(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        {"name": None, "exchanges": None},
        {"exchanges": [1]},
        {"exchanges": [{}]},
        {"recorded_at": "never"},
        {"recorded_at": 1},
        {"status": "ok"},
        {"status": None},
        {"query": [["a"]]},
        {"query": 1},
        {"content": 1},
        {"answer": None},
        {"request_headers": []},
    ],
)
def test_a_damaged_line_is_left_out(tmp_path: Path, change: dict[str, Any]) -> None:
    """
    Whatever somebody wrote there.
    """
    path = tmp_path / "traffic.jsonl"
    traffic_file.add(tmp_path, said())
    line = json.loads(path.read_text(encoding="utf-8"))
    of_line = {key: value for key, value in change.items() if key in line}
    line["exchanges"][0] |= {key: value for key, value in change.items() if key not in line}
    path.write_text(json.dumps(line | of_line), encoding="utf-8")
    assert {} == traffic_file.read(tmp_path)


def test_nothing_there_is_nothing_said(tmp_path: Path) -> None:
    """
    A run of an older suite has no such file, and can be gone on with.
    """
    assert {} == traffic_file.read(tmp_path / "no such folder")
