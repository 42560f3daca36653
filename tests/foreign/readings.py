"""Every choice that the documents leave to a server: two opposite ways through all of them, and mixes by seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Reading:
    """What one correct server does; each field is a choice that architecture and sources leave open."""

    create_status: int = 201
    missing: int = 404
    malformed: int = 400
    expiry_s: int = 3600
    conflict: int = 422
    unknown: str = "refuse"
    media: str = "refuse"
    metadata: str = "limits"
    fiat: bool = False
    illegal: int = 400
    again: str = "unchanged"
    keys: str = "shared"
    keeps_refusals: bool = True
    refunded_at: str = "start"
    failed_refund: str = "given back"
    nothing_refunded: str = "zero"
    amounts: str = "cents"
    digits: int = 0
    order: str = "newest"
    skew_s: int = 0
    # Undocumented altogether, or mere habits of a server.
    compares: str = "value"
    token_again: str = "refuse"
    token_claims: str = "strict"
    id_first: bool = False
    update: str = "change"
    page_token: str = "remembers"
    trailing_page: bool = False
    window: int = 0
    ids: str = "time"
    errors: str = "full"
    charset: str = ""
    layout: str = "spread"
    connection: str = "close"
    framing: str = "length"
    key: str = "Ed25519"
    extras: bool = False


A: Final = Reading()
B: Final = Reading(
    create_status=200,
    missing=400,
    malformed=404,
    expiry_s=86400,
    conflict=409,
    unknown="ignore",
    media="ignore",
    metadata="any",
    fiat=True,
    illegal=409,
    again="refuse",
    keys="apart",
    keeps_refusals=False,
    refunded_at="completion",
    failed_refund="kept",
    nothing_refunded="absent",
    amounts="sent",
    digits=6,
    order="oldest",
    skew_s=60,
    compares="bytes",
    token_again="accept",
    token_claims="lax",
    id_first=True,
    update="status",
    page_token="position",
    trailing_page=True,
    window=50,
    ids="random",
    errors="short",
    charset="; charset=utf-8",
    layout="tight",
    connection="short",
    framing="chunked",
    key="EC",
    extras=True,
)
OTHERS: Final[dict[str, tuple[Any, ...]]] = {
    "illegal": (422,),
    "digits": (3, 9),
    "order": ("id",),
    "connection": ("keep",),
    "framing": ("close", "gzip"),
    "errors": ("trace",),
}
"""Choices that have more than two answers."""


def mixed(seed: int) -> Reading:
    """Any of the choices, each drawn for itself."""
    draw = random.Random(seed)
    names = [field.name for field in fields(Reading)]
    return replace(
        A,
        **{name: draw.choice((getattr(A, name), getattr(B, name), *OTHERS.get(name, ()))) for name in names},
    )


def reading(name: str) -> Reading:
    """`a`, `b`, or the seed of a mix."""
    return {"a": A, "b": B}.get(name) or mixed(int(name))
