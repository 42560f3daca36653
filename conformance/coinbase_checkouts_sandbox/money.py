"""Exact money: Decimal inside, text with two decimals outside. No float comes near it."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from types import MappingProxyType
from typing import Final

CENT: Final = Decimal("0.01")

# Range of an amount asked for. Source: description, create.amount-range.
LEAST: Final = CENT
MOST: Final = Decimal(100_000_000)

USDC: Final = "USDC"

# USDC for one unit of a fiat currency. Assumed: no rate is published, and a sandbox needs the same one every day.
# The list of currencies is the description's rule create.currency.
RATES: Final[Mapping[str, Decimal]] = MappingProxyType(
    {"USD": Decimal(1), "EUR": Decimal("1.08"), "SGD": Decimal("0.74"), "GBP": Decimal("1.27")}
)

# What the largest payment is worth at most, whatever it is paid and counted in.
WORTH_MOST: Final = MOST * max(RATES.values()) / min(RATES.values())

# Part of a payment that is kept as fee. Assumed: the published samples come to 1.25 of 100.00, and the real rate
# depends on the account.
FEE_RATE: Final = Decimal("0.0125")


def to_cents(amount: Decimal) -> Decimal:
    """Rounded to two decimals, a half away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def parse(text: str) -> Decimal:
    """
    The amount that *text* writes.

    Args:
        text: Matches the description's pattern for amounts, with any number of digits.
    """
    # Exact whatever the length: the constructor ignores the context's precision.
    return Decimal(text)


def text(amount: Decimal) -> str:
    """Plain digits with two decimals, as in every published sample."""
    return f"{to_cents(amount):f}"


def in_usdc(amount: Decimal, currency: str) -> Decimal:
    """
    What *amount* comes to in USDC, in cents.

    Args:
        currency: USDC or a key of RATES.
    """
    if currency == USDC:
        return to_cents(amount)
    with localcontext(prec=40):
        return to_cents(amount * RATES[currency])


def fee(amount: Decimal, rate: Decimal) -> Decimal:
    """The fee on a payment of *amount*, in cents."""
    with localcontext(prec=40):
        return to_cents(amount * rate)
