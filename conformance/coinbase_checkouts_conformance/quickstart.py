"""
The whole product in one go, on this machine: `python -m coinbase_checkouts_conformance.quickstart`.

Starts our own sandbox, then, with the public client only, creates a checkout from the documented example,
repeats the request, pays, refunds, lists and deactivates; at last it replays the conformance suite. Stops
what it started, however it ends.

Exit codes: 0 all well · 1 a step went otherwise than it should · 2 it could not start · 130 or 143 when
interrupted.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Any, Final

import httpx

from coinbase_checkouts import ApiKey, Checkout, Checkouts, CheckoutsError
from coinbase_checkouts.idempotency import new_key

READY: Final = "listening on "
STOP_WITHIN_S: Final = 5.0


class StepError(Exception):
    """A step went otherwise than it should; the message says which and how."""


class StartError(Exception):
    """The sandbox did not start; the message is what it said."""


def documented_example() -> dict[str, Any]:
    """The create request of the reference page, from the examples in the description."""
    document = json.loads((files("coinbase_checkouts_api") / "openapi.json").read_text(encoding="utf-8"))
    properties = document["components"]["schemas"]["CreateCheckoutRequest"]["properties"]
    return {name: schema["examples"][0] for name, schema in properties.items() if "examples" in schema}


@contextmanager
def running_sandbox(folder: Path) -> Generator[str]:
    """
    Our sandbox as a process of its own, on a free port, with its data in *folder*; its URL.

    Raises:
        StartError: It did not come up.
    """
    # fmt: off
    command = [
        sys.executable, "-m", "coinbase_checkouts_sandbox", "--port", "0",
        "--database", f"sqlite:///{folder / 'sandbox.sqlite3'}", "--key-file", str(folder / "cdp_api_key.json"),
    ]
    # fmt: on
    log = folder / "sandbox.log"
    with (
        log.open("wb") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,  # noqa: S603 -- ours
    ):
        try:
            assert process.stdout is not None, "it was asked for"
            # Comes to an end at once when the process does.
            line = process.stdout.readline()
            if not line.startswith(READY):
                process.wait()
                raise StartError(log.read_text(encoding="utf-8").strip() or "the sandbox ended without a word")
            yield line.removeprefix(READY).strip()
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def control(url: str, path: str, body: dict[str, Any]) -> None:
    """Play the payer's part, through the sandbox's control endpoints."""
    httpx.post(f"{url}/__sandbox__{path}", json=body, timeout=10, trust_env=False).raise_for_status()


def expect(claim: str, *, holds: bool) -> None:
    """Go on only if *claim* holds."""
    if not holds:
        raise StepError(claim)


def story(url: str, checkouts: Checkouts, tell: Callable[[str, str], None]) -> None:
    """One payment from beginning to end, each step told and checked."""
    example = documented_example()
    # The documented time lies in the past by now, and the service refuses that.
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    key = new_key()

    def create(**other: str) -> Checkout:
        return checkouts.create(
            example["amount"],
            example["currency"],
            description=example["description"],
            metadata=example["metadata"],
            expires_at=expires_at,
            success_redirect_url=example["successRedirectUrl"],
            fail_redirect_url=example["failRedirectUrl"],
            **other,
        )

    checkout = create(idempotency_key=key)
    expect("a new checkout is ACTIVE", holds=checkout.status == "ACTIVE")
    tell("create", f"{checkout.id} is {checkout.status}: {checkout.amount} {checkout.currency}")
    tell("", f"the payer's page: {checkout.url}")

    again = create(idempotency_key=key)
    expect("the same key makes no second checkout", holds=again == checkout)
    tell("repeat", "sent again with the same idempotency key: still one checkout")

    control(url, f"/checkouts/{checkout.id}/pay", {"outcome": "COMPLETED"})
    paid = checkouts.get(checkout.id)
    expect("a paid checkout is COMPLETED", holds=paid.status == "COMPLETED")
    assert paid.settlement, "present once the payment is complete"
    tell("pay", f"{paid.status}: {paid.settlement.net_amount} {paid.settlement.currency} net of the fee")

    refund = checkouts.refund(checkout.id, "25.00", reason="Customer requested refund").refund
    expect("a new refund is PENDING", holds=refund.status == "PENDING")
    control(url, f"/checkouts/{checkout.id}/refunds/{refund.id}/settle", {"outcome": "COMPLETED"})
    refunded = checkouts.get(checkout.id)
    expect("a part of it is refunded", holds=refunded.status == "PARTIALLY_REFUNDED")
    left = Decimal(refunded.amount) - Decimal(refunded.refunded_amount or "0")
    tell("refund", f"{refund.amount} went back; {refunded.status}, {left} {refunded.currency} left")

    other = checkouts.create(1, description="A change of mind", expires_at=expires_at)
    ended = checkouts.deactivate(other.id)
    expect("a deactivated checkout is DEACTIVATED", holds=ended.status == "DEACTIVATED")
    tell("deactivate", f"{ended.id} is {ended.status}")

    listed = [f"{found.id} {found.status}" for found in checkouts.list(page_size=1)]
    expect("the listing has both checkouts, each once", holds=len(listed) == 2)
    tell("list", f"{len(listed)} checkouts on {len(listed)} pages: {', '.join(listed)}")


def replay() -> str:
    """Replay the recorded conformance suite; the line with its figures."""
    command = [sys.executable, "-m", "coinbase_checkouts_conformance.replay"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    figures = [line for line in done.stdout.splitlines() if line.startswith("conformance: ")]
    if done.returncode != 0 or not figures:
        raise StepError(f"the conformance suite does not replay:\n{done.stdout}{done.stderr}")
    return figures[-1].removeprefix("conformance: ")


def tell(step: str, what: str) -> None:
    """One line of the story."""
    print(f"  {step:<12}{what}", flush=True)


def _terminated(number: int, _frame: FrameType | None) -> None:
    # So that the `finally` clauses run and nothing is left behind.
    raise SystemExit(128 + number)


def main() -> int:
    """Tell the story; its exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    print("A payment from beginning to end. The server is our own sandbox, on this machine:")
    print("what follows shows this project at work and says nothing about the real service.\n", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="coinbase-checkouts-") as folder, running_sandbox(Path(folder)) as url:
            tell("sandbox", f"listening on {url}")
            with Checkouts(ApiKey.from_file(Path(folder) / "cdp_api_key.json"), base_url=url) as checkouts:
                story(url, checkouts, tell)
        tell("conformance", replay())
    except StartError as exc:
        print(f"quickstart: the sandbox did not start: {exc}", file=sys.stderr)
        return 2
    except (StepError, CheckoutsError, httpx.HTTPError) as exc:
        print(f"quickstart: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nquickstart: interrupted; everything it started is stopped", file=sys.stderr)
        return 130
    print("\nAll of it is stopped again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
