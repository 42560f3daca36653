"""Differences that are no faults: every one has to pass."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from ..shop import Answer, Request, Shop
from .fault import EVERYWHERE, answered, drops, each_refund, fault, puts, shown
from .refusing import is_no, media, only, says_no
from .transport import wired


def bare(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
    """No reason after the status, and headers in capitals."""
    del request
    lines = [f"HTTP/1.1 {answer.status} ", *(f"{name.upper()}:{value}" for name, value in headers.items())]
    handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)
    return True


def pieces(handler: Any, request: Request, answer: Answer, headers: dict[str, str], body: bytes) -> bool:
    """In pieces, a little late."""
    del request
    handler.write(answer.status, headers, b"")
    for start in range(0, len(body), 400):
        handler.wfile.write(body[start : start + 400])
        time.sleep(0.001)
    return True


def slowly(_: Shop, request: Request) -> Request:
    """After a while."""
    time.sleep(0.02)
    return request


shown("fine-extra-field", "Checkouts have a member nobody knows.", puts("loyalty", {"points": [1, 2]}), harmless=True)
shown("fine-no-token-address", "Checkouts have no tokenAddress.", drops("tokenAddress"), harmless=True)
shown("fine-refund-extra", "Refunds have a member nobody knows.", each_refund(puts("initiator", "api")), harmless=True)
answered(
    "fine-list-extra",
    "Lists have a member nobody knows.",
    lambda answer: replace(answer, body=answer.body | {"count": 3}),
    "list",
    harmless=True,
)
answered(
    "fine-error-type",
    "Errors are of a type nobody knows.",
    says_no(lambda body: body | {"errorType": "sorry_about_that"}),
    status=only(400),
    harmless=True,
)
answered(
    "fine-error-extra",
    "Errors have a member nobody knows.",
    says_no(lambda body: body | {"hints": ["try again"]}),
    status=is_no,
    harmless=True,
)
answered(
    "fine-headers",
    "Answers have headers of all kinds.",
    lambda answer: replace(
        answer,
        headers={
            "Cache-Control": "no-store",
            "ETag": '"1"',
            "Set-Cookie": "a=b; Path=/",
            "X-RateLimit-Remaining": "0",
            "Vary": "*",
        },
    ),
    status=lambda _: True,
    harmless=True,
)
answered(
    "fine-challenge",
    "A 401 has a challenge.",
    lambda answer: replace(answer, headers={"WWW-Authenticate": 'Bearer realm="checkouts"'}),
    status=only(401),
    harmless=True,
)
answered(
    "fine-media-capitals",
    "The media type is in capitals.",
    media('Application/JSON;charset="UTF-8"'),
    status=lambda _: True,
    harmless=True,
)
wired("fine-bare", "There is no reason after the status.", bare, *EVERYWHERE, harmless=True)
wired("fine-pieces", "Answers come in small pieces.", pieces, *EVERYWHERE, harmless=True)
fault(
    "fine-key-known",
    "Repetitions say that they are some.",
    changes={"replay": lambda _, kept: replace(kept.answer, headers={"Idempotent-Replayed": "true"})},
    harmless=True,
)
fault("fine-slow", "Everything takes a while.", before=slowly, harmless=True)
shown(
    "fine-paid-extra",
    "Paid checkouts have a member nobody knows.",
    lambda one: one.setdefault("paidAt", one["updatedAt"]) if one["status"] != "ACTIVE" else None,
    harmless=True,
)
shown(
    "fine-read-extra",
    "What is read has a member nobody knows, another each time.",
    lambda one: one.setdefault("served", time.monotonic_ns()),
    "get",
    "list",
    harmless=True,
)
