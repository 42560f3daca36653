"""What stands at a checkout's url until there is a payment page."""

from typing import Final

from coinbase_checkouts_sandbox import money
from coinbase_checkouts_sandbox.answers import Answer
from coinbase_checkouts_sandbox.requests import Call
from coinbase_checkouts_sandbox.world import World, found

PATH: Final = "/pay/{id}"


def answer(world: World, call: Call) -> Answer:
    """
    GET /pay/{id}, plain text for a person.

    Raises:
        ApiError: 404, no such checkout.
    """
    with world.store.reading() as transaction:
        checkout, _ = found(transaction, call.path_parameters["id"], world.now_ms(transaction))
    text = (
        f"Sandbox checkout {checkout.id}: {money.text(checkout.amount)} {money.USDC}, {checkout.status}.\n\n"
        "A payer would pay here. Nothing in this sandbox is real money. To pay this checkout:\n\n"
        f"    POST /__sandbox__/checkouts/{checkout.id}/pay\n"
        '    {"outcome": "COMPLETED"}\n'
    )
    return Answer(200, text.encode(), media_type="text/plain; charset=utf-8")
