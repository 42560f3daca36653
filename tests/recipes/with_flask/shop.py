"""A shop on Flask: a factory takes what the shop needs of the outside."""

from __future__ import annotations

from decimal import Decimal

from flask import Flask, request
from flask.typing import ResponseReturnValue

from coinbase_checkouts import Checkouts, SignatureError, webhooks

PRICE = Decimal("100.50")


def create_app(checkouts: Checkouts, webhook_secret: str) -> Flask:
    """The shop; `app.config["SENT"]` has the orders that were sent."""
    app = Flask(__name__)
    sent: set[str] = set()
    app.config["SENT"] = sent

    @app.post("/orders/<number>")
    def order(number: str) -> ResponseReturnValue:
        checkout = checkouts.create(PRICE, order_id=number, metadata={"order": number})
        return {"checkout": checkout.id, "url": checkout.url}

    @app.post("/webhooks")
    def webhook() -> ResponseReturnValue:
        # The bytes as they came: JSON that is written anew has another signature.
        body = request.get_data()
        try:
            event = webhooks.verify(body, request.headers, webhook_secret)
        except SignatureError:
            return "", 400
        # A webhook may come twice, late or out of order, so it is a reason to look and not the news itself.
        checkout = checkouts.get(event.checkout.id)
        if checkout.status == "COMPLETED" and Decimal(checkout.amount) == PRICE and checkout.metadata:
            sent.add(checkout.metadata["order"])
        return "", 204

    return app
