"""Runs to report on: one with everything a hostile server can say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from coinbase_checkouts_conformance.claims import read_claims
from coinbase_checkouts_conformance.coverage import covered, proofs_of
from coinbase_checkouts_conformance.description import description
from coinbase_checkouts_conformance.outcomes import OUTCOMES, Outcome, Outcomes
from coinbase_checkouts_conformance.reports import Run
from coinbase_checkouts_conformance.traffic import Conversation, Place, Recorded

SECRET = "Bearer abcdefghijklmnop"
HOSTILE = f"</script><script>alert(1)</script><img src=x onerror=alert(1)> | `a` ```` \x00\x1b[31m\ud800 🙂 {SECRET} </details> {{{{ 7*7 }}}}"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHECKOUT = {
    "id": "68f7a946db0529ea9b6d3a12",
    "url": "https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef",
    "amount": "100.50",
    "currency": "USDC",
    "network": "base",
    "address": "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
    "createdAt": "2024-03-20T10:30:00Z",
    "updatedAt": "2024-03-20T10:30:00Z",
    "status": "ACTIVE",
}


def exchange(name: str, index: int, answer: bytes, *, status: int = 200, standing: str = "sandbox") -> Recorded:
    """A look at a checkout, answered with *answer*."""
    place = Place(name, index, standing, "http://127.0.0.1:1", NOW)
    path = f"/api/v1/checkouts/{CHECKOUT['id']}"
    headers = {"content-type": "application/json"}
    return Recorded(
        place, "GET", path, (("q", HOSTILE),), {}, HOSTILE.encode("utf-8", "replace"), status, headers, answer
    )


def hostile_run(*, failures: int = 3, body: bytes = b"") -> Run:
    """Every outcome, each told with what breaks a page, a table, a fence or XML; *body* is one answer more."""
    answers = [
        json.dumps(CHECKOUT).encode(),
        HOSTILE.encode("utf-8", "replace"),
        b"\xff\x00" + HOSTILE.encode("utf-8", "replace"),
    ]
    conversations = [
        Conversation(
            f"test_get/test_{number}",
            "sandbox",
            "http://127.0.0.1:1",
            NOW,
            [exchange(f"test_get/test_{number}", index, answer) for index, answer in enumerate([*answers, body])],
        )
        for number in range(2)
    ]
    conversations.append(Conversation("live", "live", "", None, [exchange("live", 0, answers[0], standing="live")]))
    claims = read_claims()
    verdicts = [*OUTCOMES, *["fail"] * (failures - 1)]
    outcomes = Outcomes()
    for number in range(max(len(verdicts), len(claims))):
        verdict = verdicts[number] if number < len(verdicts) else "pass"
        # More failures than there are claims.
        claim = claims[number] if number < len(claims) else replace(claims[-1], id=f"made.up-{number}")
        detail = (
            ""
            if verdict == "pass"
            else f"{verdict.upper()} {claim.id}\n  answer   {HOSTILE.replace(SECRET, '<bearer token>')}"
        )
        outcomes.add(Outcome(claim, verdict, detail, (f"test_get/test_{number % 2}",), 0.1))
    coverage = covered(description(), conversations, proofs_of(outcomes))
    return Run(
        "http://127.0.0.1:1/<b>",
        NOW,
        2.5,
        outcomes,
        conversations,
        coverage,
        f"tried over HTTP {HOSTILE.replace(SECRET, '')}",
    )
