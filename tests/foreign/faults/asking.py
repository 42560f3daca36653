"""Tokens that should have been refused."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ..shop import Request, Shop
from .fault import EVERYWHERE, answered, fault, rule

TOKEN_FAULTS: Final = {
    "kid": "The header's kid may be another key's.",
    "none": "A token may say alg none.",
    "signature": "The signature may be any.",
    "unsigned": "The signature may be absent.",
    "nbf": "A token may be used before its time.",
    "exp": "A token may be used after its time.",
    "uri.method": "The token may be of another method.",
    "uri.host": "The token may be of another host.",
    "uri.path": "The token may be of another path.",
    "uri.absent": "The token may be of no request.",
    "absent": "No token is needed.",
    "unreadable": "A token may be no token.",
    "scheme": "The scheme may be another than Bearer.",
}
for name, says in TOKEN_FAULTS.items():
    fault(f"token-{name}", says, forgives=frozenset({f"token.{name}"}))


def admits(*operations: str) -> Any:
    """Some operations ask for nothing."""
    return lambda shop, request: None if request.operation in operations else Shop.admit(shop, request)


for operation in EVERYWHERE:
    rule(f"token-not-asked-{operation}", f"The operation {operation} asks for no token.", admit=admits(operation))
answered(
    "token-403",
    "A bad token is a 403.",
    lambda answer: replace(answer, status=403),
    status=lambda status: status == 401,
)
answered(
    "token-400",
    "A bad token is a 400.",
    lambda answer: replace(answer, status=400),
    status=lambda status: status == 401,
)
answered(
    "token-404",
    "A bad token is a 404.",
    lambda answer: replace(answer, status=404),
    status=lambda status: status == 401,
)
answered(
    "token-500",
    "A bad token is a 500.",
    lambda answer: replace(answer, status=500),
    status=lambda status: status == 401,
)


def forgiving(operation: str, name: str) -> Any:
    """One operation overlooks one reason."""

    def admit(shop: Shop, request: Request) -> None:
        usual = shop.forgives
        shop.forgives = frozenset({f"token.{name}"}) if request.operation == operation else usual
        try:
            Shop.admit(shop, request)
        finally:
            shop.forgives = usual

    return admit


for operation in EVERYWHERE:
    for name in ("uri.method", "uri.path", "kid", "exp", "signature"):
        rule(
            f"token-{name}-{operation}",
            f"The operation {operation} overlooks {name}.",
            admit=forgiving(operation, name),
        )
