"""
The hosted payment page, at a checkout's url: what a payer would see, and what a payer might do.

Pay, fail, leave; or authorise now and settle later, which is the documented race: the payer is sent to
successRedirectUrl while the checkout is still ACTIVE. A redirect is not a payment.

Every form is answered by a redirect to a page of our own, which then leads to the merchant's: a policy that keeps forms
from being sent elsewhere also stops redirects after them, those that the merchant's own server adds included.

The ids of what can be pressed or read (pay, authorise, delay, fail, leave, continue, state) are for users' own browser
tests, and stay.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sqlalchemy.exc import DBAPIError

from coinbase_checkouts_sandbox import acts, admission, forms, money, rendering
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.checkouts import Checkout
from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.patience import PAUSE_S, LockedError
from coinbase_checkouts_sandbox.rendering import Page
from coinbase_checkouts_sandbox.requests import Call
from coinbase_checkouts_sandbox.world import World, found

if TYPE_CHECKING:
    from markupsafe import Markup

LOG: Final = logging.getLogger("coinbase_checkouts_sandbox")

# In seconds: what the form proposes, and the longest it takes.
DEFAULT_DELAY_S: Final = 3
_LONGEST_DELAY_S: Final = 3600

# Base Sepolia, the test chain of Coinbase's own sandbox. Source: sandbox.
_TEST_CHAIN: Final = 84532

# Title and sentence of each status, for the payer.
_STATUSES: Final = {
    "ACTIVE": ("Waiting for payment", "Nothing has been paid yet."),
    "PROCESSING": ("Payment under way", "It was seen, and is not confirmed yet."),
    "COMPLETED": ("Paid", "The payment is complete."),
    "FAILED": ("Payment failed", "No money has moved."),
    "EXPIRED": ("Expired", "The time to pay is over. Ask the merchant for a new link."),
    "DEACTIVATED": ("Withdrawn", "The merchant no longer asks for this payment."),
    "PARTIALLY_REFUNDED": ("Refunded in part", "The payment was complete, and part of it went back."),
    "REFUNDED": ("Refunded", "The payment was complete, and all of it went back."),
}


class Authorisations:
    """
    Payments that were authorised and settle by themselves a little later, in real time.

    Kept by this process alone. If it ends first, the checkout stays ACTIVE, as one does whose payment never arrives.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def add(self, checkout_id: str, delay_s: int) -> None:
        """Settle after *delay_s*; a second authorisation takes the place of the first."""
        self.drop(checkout_id)
        loop = asyncio.get_running_loop()
        self._waiting[checkout_id] = loop.call_later(delay_s, self._settle, checkout_id)

    def drop(self, checkout_id: str) -> None:
        """Settle no more; it was settled by hand."""
        handle = self._waiting.pop(checkout_id, None)
        if handle is not None:
            handle.cancel()

    def __contains__(self, checkout_id: str) -> bool:
        return checkout_id in self._waiting

    def _settle(self, checkout_id: str) -> None:
        del self._waiting[checkout_id]
        try:
            acts.pay(self._world, checkout_id, "COMPLETED")
        except LockedError:
            self._waiting[checkout_id] = asyncio.get_running_loop().call_later(PAUSE_S, self._settle, checkout_id)
        except ApiError as exc:
            # Expired, deactivated or paid by other means while it waited.
            LOG.info("an authorised payment did not settle: %s", exc.message)
        except DBAPIError as exc:
            LOG.error("an authorised payment did not settle: %s", type(exc.orig).__name__)  # noqa: TRY400


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the templates know of a checkout."""

    id: str
    amount: str
    fiat: str | None
    description: str | None
    network: str
    address: str
    status: str
    title: str
    sentence: str
    payable: bool
    authorised: bool
    """Settles by itself before long."""
    remaining: str | None
    """Time until it expires; None unless it is ACTIVE."""
    expires_ms: int
    success_url: str | None
    fail_url: str | None

    @property
    def state(self) -> str:
        """Names everything that the live part of the page depends on but the time."""
        return f"{self.status}-authorised" if self.authorised else self.status

    @property
    def next_url(self) -> str | None:
        """Where a payer goes from here, None to stay."""
        if self.status == "FAILED":
            return self.fail_url
        return self.success_url if self.status in {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"} else None

    @property
    def next_host(self) -> str | None:
        """The name of that place."""
        return None if self.next_url is None else host_of(self.next_url)


def view(checkout: Checkout, now_ms: int, *, authorised: bool) -> View:
    """*checkout* as of *now_ms*, for a payer to see."""
    title, sentence = _STATUSES[checkout.status]
    if authorised and checkout.status == "ACTIVE":
        title = "Authorised, not paid yet"
        sentence = (
            "It settles in a moment, unless this server is stopped before. Until then the merchant sees it ACTIVE."
        )
    fiat = checkout.fiat_amount
    active = checkout.status == "ACTIVE"
    return View(
        id=checkout.id,
        amount=f"{money.to_cents(checkout.amount):,f} {money.USDC}",
        fiat=None if fiat is None else f"{money.to_cents(fiat):,f} {checkout.fiat_currency}",
        description=checkout.description,
        network=checkout.network,
        address=checkout.address,
        status=checkout.status,
        title=title,
        sentence=sentence,
        payable=active or checkout.status == "PROCESSING",
        authorised=authorised and active,
        remaining=duration(checkout.expires_ms - now_ms) if active else None,
        expires_ms=checkout.expires_ms,
        success_url=_linkable(checkout.success_redirect_url),
        fail_url=_linkable(checkout.fail_redirect_url),
    )


def duration(milliseconds: int) -> str:
    """A time span for a person, the smaller units left out where they no longer matter."""
    seconds = max(0, milliseconds + 999) // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min {seconds:02d} s"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def host_of(url: str) -> str:
    """The host of a URL that _linkable has let through."""
    return urlsplit(url).hostname or ""


def pages(world: World) -> list[Page]:
    """Everything below /pay."""
    desk = _Desk(world, Authorisations(world))
    return [
        Page("GET", "/pay/{id}", desk.show),
        Page("GET", "/pay/{id}/live", desk.live, quiet=True),
        Page("GET", "/pay/{id}/left", desk.left),
        Page("GET", "/pay/{id}/return/{outcome}", desk.lead_back),
        Page("POST", "/pay/{id}/pay", desk.payer_does(desk.pay)),
        Page("POST", "/pay/{id}/authorise", desk.payer_does(desk.authorise)),
        Page("POST", "/pay/{id}/fail", desk.payer_does(desk.fail)),
    ]


class _Desk:
    def __init__(self, world: World, authorisations: Authorisations) -> None:
        self._world = world
        self._authorisations = authorisations

    def show(self, call: Call) -> Answer:
        """The page."""
        seen = self._view(call)
        qr_code = _qr_code(self._checkout(call)[0]) if seen.payable else None
        return rendering.rendered("payment.html", view=seen, qr_code=qr_code, default_delay_s=DEFAULT_DELAY_S)

    def live(self, call: Call) -> Answer:
        """The part of the page that changes: the countdown, and all else if the page has not seen it."""
        try:
            seen = self._view(call)
        except ApiError as exc:
            # The data was reset under an open page: let htmx load it anew, which ends the asking.
            exc.headers["HX-Refresh"] = "true"
            raise
        # Compared only. What it is worth otherwise does not matter.
        news = call.query != f"seen={seen.state}".encode()
        return rendering.rendered("payment_live.html", view=seen, news=news, default_delay_s=DEFAULT_DELAY_S)

    def left(self, call: Call) -> Answer:
        """A payer has wandered off. Nothing is changed by that, and no document says that anybody is told."""
        return rendering.rendered("left.html", view=self._view(call))

    def lead_back(self, call: Call) -> Answer:
        """On to the merchant, by a page and not by a redirect; for the reason see the top."""
        seen = self._view(call)
        urls = {"success": seen.success_url, "fail": seen.fail_url}
        outcome = call.path_parameters["outcome"]
        if outcome not in urls:
            raise ApiError(404, "there is nothing at this path")
        url = urls[outcome]
        if url is None:
            return rendering.moved(_path(seen))
        return rendering.rendered("returning.html", view=seen, url=url, host=host_of(url))

    def payer_does(self, act: Callable[[Call, str], str]) -> Callable[[Call], Answer]:
        """Admit the payer, let *act* do it, and go where it says: success or fail."""

        def respond(call: Call) -> Answer:
            admission.refuse_other_sites(call, remote=self._world.remote)
            checkout_id = call.path_parameters["id"]
            outcome = act(call, checkout_id)
            seen = self._view(call)
            back = seen.success_url if outcome == "success" else seen.fail_url
            return rendering.moved(_path(seen) if back is None else f"{_path(seen)}/return/{outcome}")

        return respond

    def pay(self, call: Call, checkout_id: str) -> str:
        """Paid at once."""
        forms.read(call)
        acts.pay(self._world, checkout_id, "COMPLETED")
        self._authorisations.drop(checkout_id)
        return "success"

    def fail(self, call: Call, checkout_id: str) -> str:
        """Refused."""
        forms.read(call)
        acts.pay(self._world, checkout_id, "FAILED")
        self._authorisations.drop(checkout_id)
        return "fail"

    def authorise(self, call: Call, checkout_id: str) -> str:
        """Authorised; the checkout stays as it is for now."""
        fields = forms.read(call, "delay_s")
        delay_s = forms.whole_number(fields, "delay_s", most=_LONGEST_DELAY_S)
        checkout, _ = self._checkout(call)
        if checkout.status != "ACTIVE":
            reason = f"only an ACTIVE checkout can be authorised, this one is {checkout.status}"
            raise ApiError(409, reason, error_type="invalid_request")
        self._authorisations.add(checkout_id, delay_s)
        return "success"

    def _view(self, call: Call) -> View:
        checkout, now_ms = self._checkout(call)
        return view(checkout, now_ms, authorised=checkout.id in self._authorisations)

    def _checkout(self, call: Call) -> tuple[Checkout, int]:
        with self._world.store.reading() as transaction:
            now_ms = self._world.now_ms(transaction)
            checkout, _ = found(transaction, call.path_parameters["id"], now_ms)
        return checkout, now_ms


def _path(seen: View) -> str:
    return f"/pay/{seen.id}"


def _linkable(url: str | None) -> str | None:
    """
    *url* if it may become a link: https, with a host.

    The description's pattern demands https of requests, but a database may have been written by something else, and
    javascript: in a link is code.
    """
    if url is None or not url.startswith("https://") or any(char.isspace() or char < " " for char in url):
        return None
    try:
        return url if urlsplit(url).hostname else None
    except ValueError:
        return None


def _qr_code(checkout: Checkout) -> "Markup":
    """
    A transfer request (ERC-681) as inline SVG.

    It names the test chain, so that a wallet that is pointed at the screen cannot move real money.
    """
    # USDC has six decimals.
    units = int(checkout.amount.scaleb(6))
    return _drawn(
        f"ethereum:{checkout.token_address}@{_TEST_CHAIN}/transfer?address={checkout.address}&uint256={units}"
    )


@lru_cache(maxsize=128)
def _drawn(request: str) -> "Markup":
    """Kept, because drawing takes ten times as long as all the rest of the page."""
    # Here, for the reason given in rendering.
    import segno  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    drawn: Any = segno.make_qr(request, error="l")
    # Made of numbers alone: nothing of the text it encodes is in the drawing.
    return Markup(drawn.svg_inline(scale=4, border=2, dark="#000", light="#fff", omitsize=True))  # noqa: S704
