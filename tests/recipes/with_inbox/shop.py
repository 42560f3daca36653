"""A shop on Flask that acts on each webhook once: it stores what comes, and a worker does what it tells."""

from __future__ import annotations

from decimal import Decimal

from flask import Flask
from flask.typing import ResponseReturnValue
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, insert, update

from coinbase_checkouts import Checkouts, Event, inbox, is_paid
from coinbase_checkouts.adapters.flask import webhook

PRICE = Decimal("100.50")

metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("checkout", String(24), unique=True),
    Column("status", String(20)),
)
# What must not happen twice: one row is one parcel.
parcels = Table("parcels", metadata, Column("id", Integer, primary_key=True), Column("number", String(20)))


def create_app(engine: Engine, checkouts: Checkouts, secret: str) -> Flask:
    app = Flask(__name__)
    metadata.create_all(engine)
    inbox.create_all(engine)

    @app.post("/orders/<number>")
    def order(number: str) -> ResponseReturnValue:
        checkout = checkouts.create(PRICE, order_id=number, metadata={"order": number})
        with engine.begin() as connection:
            connection.execute(insert(orders).values(number=number, checkout=checkout.id, status="ACTIVE"))
        return {"checkout": checkout.id, "url": checkout.url}

    def receive(event: Event) -> None:
        # In a transaction of its own, which is over when Coinbase has its answer.
        with engine.connect() as connection:
            inbox.store(event, connection)

    app.add_url_rule("/webhooks", view_func=webhook(secret, receive), methods=["POST"])
    return app


def fulfil(event: Event, connection: Connection, checkouts: Checkouts) -> None:
    """For `inbox.work`: what is done through *connection* is done once, or else undone and tried again."""
    checkout = checkouts.get(event.checkout.id)
    if event.event_type == "checkout.payment.success" and checkout.status != "REFUNDED":
        if not is_paid(checkout) or Decimal(checkout.amount) != PRICE or not checkout.metadata:
            # Not to be passed over: it is tried again, and in the end somebody has to look.
            raise ValueError("the API does not say what the webhook says")
        connection.execute(insert(parcels).values(number=checkout.metadata["order"]))
    # An event that came late tells of a state that is over.
    if inbox.is_news(event, connection):
        mine = update(orders).where(orders.c.checkout == checkout.id)
        connection.execute(mine.values(status=str(event.checkout.status)))
