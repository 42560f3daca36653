"""A shop on FastAPI: what it needs of the outside comes in by `Depends`."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from coinbase_checkouts import AsyncCheckouts, SignatureError, webhooks

PRICE = Decimal("100.50")

app = FastAPI()
sent: set[str] = set()


def the_checkouts() -> AsyncCheckouts:
    return AsyncCheckouts.from_env()


def the_secret() -> str:
    return os.environ["CHECKOUTS_WEBHOOK_SECRET"]


@app.post("/orders/{number}")
async def order(number: str, checkouts: Annotated[AsyncCheckouts, Depends(the_checkouts)]) -> dict[str, str]:
    """Where the payer goes on."""
    checkout = await checkouts.create(PRICE, order_id=number, metadata={"order": number})
    return {"checkout": checkout.id, "url": checkout.url}


@app.post("/webhooks")
async def webhook(
    request: Request,
    checkouts: Annotated[AsyncCheckouts, Depends(the_checkouts)],
    secret: Annotated[str, Depends(the_secret)],
) -> Response:
    """Send the goods once they are paid for."""
    # The bytes as they came: JSON that is written anew has another signature.
    body = await request.body()
    try:
        event = webhooks.verify(body, request.headers, secret)
    except SignatureError:
        return Response(status_code=400)
    # A webhook may come twice, late or out of order, so it is a reason to look and not the news itself.
    checkout = await checkouts.get(event.checkout.id)
    if checkout.status == "COMPLETED" and Decimal(checkout.amount) == PRICE and checkout.metadata:
        sent.add(checkout.metadata["order"])
    return Response(status_code=204)
