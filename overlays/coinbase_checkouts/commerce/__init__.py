"""
The way out of Coinbase Commerce: its charges, statuses and events in the words of the Checkouts API.

    converted = commerce.checkout_request(charge)
    for loss in converted.losses:
        print(loss.kind, loss.pointer, loss.sentence, loss.advice)
    checkout = checkouts.create(**converted.arguments)

Nothing here talks to anybody, and nothing is lost in silence: whatever is not in the result, was guessed, or has
no equivalent is in `losses`. `strict=True` refuses what loses anything that is not in `accept`. Whatever JSON is
given, the answer is a result or a `MigrationError`.
"""

from coinbase_checkouts.errors import Loss, LossKind, MigrationError

from .hazards import HAZARDS, Hazard
from .requests import checkout_request
from .results import Converted, ConvertedRequest
from .statuses import event, status
from .views import checkout_view

__all__ = [
    "HAZARDS",
    "Converted",
    "ConvertedRequest",
    "Hazard",
    "Loss",
    "LossKind",
    "MigrationError",
    "checkout_request",
    "checkout_view",
    "event",
    "status",
]
