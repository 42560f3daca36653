"""What stands beside the five operations at Coinbase and is not played here: 501, rather than an invented answer."""

from dataclasses import dataclass
from typing import Final

from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Call


@dataclass(frozen=True, slots=True)
class Unemulated:
    """A path, everything below it, and why it answers 501 to any method."""

    path: str
    reason: str


# Below each of the servers' prefixes.
UNEMULATED: Final = (
    Unemulated("/api/v1/payment-links", "Payment Links are the API before Checkouts; their rules are not described."),
    Unemulated("/api/v1/invoices", "Invoices are another product; the description has none of their operations."),
    Unemulated("/x402", "x402 needs a payer's signed authorisation and a chain to capture it on; there is none here."),
)

# Rules of the description that no request meets here, by id: they are promises about load, not about one answer.
UNENFORCED: Final = {
    "rate-limit.per-hour": "The sandbox answers as fast as it can; a 429 comes only when a fault asks for one.",
    "rate-limit.rolling": "The same; it is published for another API of Coinbase's.",
}


def paths(prefix: str) -> list[str]:
    """Routes for all of them and everything below, under a server's prefix."""
    return [prefix + one.path + below for one in UNEMULATED for below in ("", "/{rest:path}")]


def answer(_call: Call) -> Answer:
    """
    Any method on such a path.

    Raises:
        ApiError: 501, always.
    """
    raise ApiError(
        501,
        "this sandbox does not emulate this part of the API; GET /__sandbox__/fidelity tells what it does",
        error_type="not_implemented",
    )
