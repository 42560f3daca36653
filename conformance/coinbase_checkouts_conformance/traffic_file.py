"""
`traffic.jsonl`: what was said in each test of a run, a line for each, so that who goes on with the run reports it, too.

Scrubbed. A line that was not written to its end, as by a run that was killed, is as good as none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from .scrub import scrubbed
from .traffic import Conversation, Recorded

NAME: Final = "traffic.jsonl"

# Longer bodies are none that a report could show, and there may be hundreds of them.
_LONGEST: Final = 64 * 1024


def begin(folder: Path) -> str:
    """An empty file in *folder*; the reason when it cannot be, else an empty text."""
    return _put(folder / NAME, "", "w")


def add(folder: Path, conversation: Conversation) -> str:
    """One more line, as `begin`."""
    line = {
        "name": conversation.name,
        "standing": conversation.standing,
        "target": conversation.target,
        "recorded_at": conversation.recorded_at and conversation.recorded_at.isoformat(),
        "exchanges": list(map(_written, conversation)),
    }
    # A line of its own even where the one before was cut off.
    return _put(folder / NAME, f"\n{json.dumps(line)}\n", "a")


def read(folder: Path) -> dict[str, Conversation]:
    """By test, the last word on each; what is missing or damaged is left out."""
    try:
        lines = (folder / NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found = filter(None, map(_conversation, lines))
    return {one.name: one for one in found}


def _put(path: Path, text: str, mode: str) -> str:
    try:
        with path.open(mode, encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as exc:
        return f"{path}: cannot be written: {exc.strerror}"
    return ""


def _written(exchange: Recorded) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "path": exchange.path,
        "query": exchange.query,
        "request_headers": {name: scrubbed(value) for name, value in exchange.request_headers.items()},
        "content": _text(exchange.content),
        "status": exchange.status,
        "response_headers": {name: scrubbed(value) for name, value in exchange.response_headers.items()},
        "answer": _text(exchange.answer),
        "scheme": exchange.scheme,
    }


def _text(body: bytes) -> str:
    """What is no UTF-8 in it becomes lone surrogates, which JSON can hold."""
    return scrubbed(body.decode("utf-8", "surrogateescape"))[:_LONGEST]


def _conversation(line: str) -> Conversation | None:
    try:
        written = json.loads(line)
        name, standing, target = (str(written[key]) for key in ("name", "standing", "target"))
        at = written["recorded_at"]
        conversation = Conversation(name, standing, target, at and datetime.fromisoformat(at))
        for exchange in written["exchanges"]:
            conversation.exchanges.append(_recorded(conversation, exchange))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return conversation


def _recorded(conversation: Conversation, written: Mapping[str, Any]) -> Recorded:
    return Recorded(
        conversation.place(),
        str(written["method"]),
        str(written["path"]),
        tuple((str(name), str(value)) for name, value in written["query"]),
        _headers(written["request_headers"]),
        written["content"].encode("utf-8", "surrogateescape"),
        int(written["status"]),
        _headers(written["response_headers"]),
        written["answer"].encode("utf-8", "surrogateescape"),
        scheme=None if (scheme := written["scheme"]) is None else str(scheme),
    )


def _headers(written: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in written.items()}
