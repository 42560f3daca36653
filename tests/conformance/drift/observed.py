"""Traffic in a line, and the command that looks at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Observe = Callable[..., tuple[int, Json, str]]

SERVER = "https://business.coinbase.com"


def entry(
    method: str,
    path: str,
    answer: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media: str = "application/json; charset=utf-8",
    server: str = SERVER,
    sent: Any = None,
    **more: Any,
) -> Json:
    """One entry of a HAR file as a browser writes it."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    request: Json = {
        "method": method,
        "url": f"{server}{path}",
        "httpVersion": "http/2.0",
        "headers": [{"name": ":authority", "value": "x"}, {"name": "authorization", "value": "Bearer secret"}],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": 0,
    }
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    told = {"content-type": media, "server": "cloudflare", "cf-ray": "1", "x-amz-cf-id": "1", **(headers or {})}
    return {
        "_initiator": {"type": "script"},
        "_priority": "High",
        "_resourceType": "fetch",
        "cache": {},
        "connection": "443",
        "startedDateTime": "2026-11-20T10:00:00.000Z",
        "time": 12.5,
        "timings": {"blocked": 1, "dns": -1, "send": 0, "wait": 10, "receive": 1},
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "http/2.0",
            "headers": [{"name": name, "value": value} for name, value in told.items() if value],
            "cookies": [],
            "redirectURL": "",
            "content": {"size": len(text), "mimeType": media, "text": text},
        },
        **more,
    }


def har(path: Path, *entries: Json) -> Path:
    """A HAR file at *path*."""
    log = {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [], "entries": entries}
    path.write_text(json.dumps({"log": log}), encoding="utf-8")
    return path


def found(document: Json) -> list[tuple[str, str, str]]:
    """Class, kind and pointer of what is told."""
    return [(one["class"], one["kind"], one["pointer"]) for one in document["differences"]]
