"""
Flask, from 3.1.

    app.add_url_rule("/webhooks", view_func=webhook(SECRET, receive), methods=["POST"])
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from coinbase_checkouts.handlers import settled
from coinbase_checkouts.webhooks import Event

from . import BODY_LIMIT_BYTES, DONE, NO_LENGTH, TOO_LARGE, WRONG_METHOD, Gate, Secret, called, endless

View = Callable[[], ResponseReturnValue]

_NUMBERS: Final = count(1)


def webhook(secret: Secret, receive: Callable[[Event], object], *, limit_bytes: int = BODY_LIMIT_BYTES) -> View:
    """
    The view for your route. Its endpoint is called coinbase_webhook_1, 2, 3… unless you name it.

    Args:
        receive: Called with each verified event; async if Flask has its extra `[async]`.
        limit_bytes: More is not read.
    """
    gate, receive = Gate(secret, limit_bytes), called(receive)

    def view() -> ResponseReturnValue:
        if request.method != "POST":
            return "", WRONG_METHOD, {"Allow": "POST"}
        if endless(request.environ):
            return "", NO_LENGTH
        # One more, since a body without a length is cut at this limit without a word.
        request.max_content_length = limit_bytes + 1
        try:
            event = gate.event(request.get_data(), request.headers)
        except RequestEntityTooLarge:
            event = TOO_LARGE
        except ClientDisconnected:
            # There is nobody to read it; it will be sent again.
            event = 408
        if isinstance(event, int):
            return "", event
        settled("receive", current_app.ensure_sync(receive)(event))
        return "", DONE

    # Flask takes it for the endpoint's name, and no two views of an app may have the same.
    view.__name__ = f"coinbase_webhook_{next(_NUMBERS)}"
    return view
