"""
What can be lost between a charge of Commerce and a checkout: each way once, with its advice.

Sources are documents of spec/openapi.yaml by their names there, and for Commerce itself those that
docs/commerce.md lists: `commerce-reference`, `commerce-statuses`. `inferred` is nobody's word but ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coinbase_checkouts.errors import Loss, LossKind

LOST: Final = LossKind.LOST
GUESSED: Final = LossKind.GUESSED
NO_EQUIVALENT: Final = LossKind.NO_EQUIVALENT

_REFERENCE: Final = "commerce-reference"
_STATUSES: Final = "commerce-statuses"
_PRICE_IT: Final = "Price it yourself in USDC, USD, EUR, SGD or GBP: set local_price, and convert again."
_REPAIR: Final = "Repair the export, or keep the value yourself."
_KEEP: Final = "Keep the export if you need it; the API has no place for it."
_SHOW: Final = "Show it on a page of your own; the hosted page has the settings of your Coinbase Business account."
_BOOKS: Final = "Take it into your books from the export; no checkout will tell it."
_RECEIVED: Final = "Settle it by hand, and create no checkout for what was already received."


@dataclass(frozen=True, slots=True)
class Note:
    """A loss without its place; the sentence may have gaps to be filled."""

    kind: LossKind
    sentence: str
    advice: str
    source: str


# fmt: off
NOTES: Final[Mapping[str, Note]] = {
    # What is no charge at all.
    "not-an-object": Note(NO_EQUIVALENT, "is {type}, not a JSON object", "Give one charge, as Commerce's API or export has it.", _REFERENCE),
    "list-of-charges": Note(NO_EQUIVALENT, "is a page of charges, not one", "Convert what is in its data one by one; the migrate command does.", _REFERENCE),
    "is-invoice": Note(NO_EQUIVALENT, "is an invoice, not a charge", "Make an invoice in Coinbase Business; its Invoicing API is another one.", _REFERENCE),
    "unknown-resource": Note(NO_EQUIVALENT, "is of a resource that is neither charge nor checkout", "Give one charge, as Commerce's API or export has it.", _REFERENCE),
    "from-event": Note(GUESSED, "is an event; the charge is taken as it was then", "Convert the charge itself, from the API or an export of charges.", _REFERENCE),
    "reusable": Note(NO_EQUIVALENT, "is a checkout of Commerce, which any number of payers could pay; one of this API is paid once", "Create a checkout for each payer, when they come.", "overview"),
    # Price.
    "open-amount": Note(NO_EQUIVALENT, "the payer chose the amount, and a checkout has to have one", "Ask for the amount on a page of your own; with it as local_price and pricing_type fixed_price convert again.", _REFERENCE),
    "pricing-type": Note(GUESSED, "is neither fixed_price nor no_price; it was taken for fixed_price", _REPAIR, _REFERENCE),
    "amount-missing": Note(NO_EQUIVALENT, "there is no price", _PRICE_IT, "create-checkout"),
    "amount-unusable": Note(NO_EQUIVALENT, "is no decimal number", _PRICE_IT, "create-checkout"),
    "amount-range": Note(NO_EQUIVALENT, "is not from 0.01 to 100000000", _PRICE_IT, "create-checkout"),
    "amount-rounded": Note(GUESSED, "had more than two decimals and was rounded to two, half up", "Check the price; a checkout has cents and no less.", "create-checkout"),
    "amount-not-text": Note(GUESSED, "was a JSON number; its digits were taken as they are", "Check the price; whatever wrote the number may have lost digits.", "create-checkout"),
    "amount-many-decimals": Note(NO_EQUIVALENT, "has more than two decimals, which no checkout has", "Do not expect two decimals where you show old charges.", "get-checkout"),
    "prices-differ": Note(GUESSED, "local_price and pricing.local differ; local_price was taken", "Check the price.", _REFERENCE),
    "currency-missing": Note(NO_EQUIVALENT, "there is no currency", _PRICE_IT, "create-checkout"),
    "currency-unknown": Note(NO_EQUIVALENT, "is a currency that no checkout can be created in", _PRICE_IT, "create-checkout"),
    "fiat-one-to-one": Note(GUESSED, "USD became as many USDC, where Commerce priced it by a rate", "Accept it, or keep USD for the service to convert: keep_fiat, --keep-fiat.", "mapping"),
    "fiat-kept": Note(GUESSED, "stays the fiat currency it is, which older documents do not allow", "Try one in the sandbox first; if it is refused, price in USDC.", "get-checkout"),
    "fiat-view": Note(GUESSED, "is fiat, where a checkout's own amount is always USDC", "Show it with its currency, and add no such amounts to those of checkouts.", "get-checkout"),
    "amount-paid": Note(GUESSED, "the payer chose the amount; it is what was paid, or 0", "Read it as what came, not as what was asked.", _REFERENCE),
    # Texts.
    "name-joined": Note(GUESSED, "became one text with the description", "Look at one as a payer sees it.", "mapping"),
    "description-cut": Note(LOST, "is longer than 500 characters with the name, and was cut", "Put what matters first, and the rest on a page of your own.", "create-checkout"),
    "not-text": Note(GUESSED, "was {type}, not a text; it was written out", _REPAIR, _REFERENCE),
    "wrong-type": Note(LOST, "is {type}, which Commerce does not have there; it was left out", _REPAIR, _REFERENCE),
    "half-characters": Note(LOST, "has half a character (a lone surrogate), which was replaced", _REPAIR, "inferred"),
    # Metadata.
    "metadata-too-many": Note(LOST, "is past the 20 keys that a checkout may have", "Keep it yourself, under one key of yours.", "api-evangelist"),
    "metadata-too-long": Note(LOST, "is longer than 100 characters, and was left out, as a part might be taken for the whole", "Keep it yourself, under one key of yours.", "api-evangelist"),
    "metadata-same-key": Note(LOST, "has a key that is the same as another as text; it was left out", "Keep it yourself, under one key of yours.", "inferred"),
    "metadata-null": Note(LOST, "is null; a checkout has texts only", "Take a missing key for null.", "api-evangelist"),
    "metadata-not-text": Note(GUESSED, "was {type}; it is now the text of its JSON", "Read it as text; a checkout has texts only.", "api-evangelist"),
    # Where payers go.
    "redirect-https": Note(GUESSED, "was http; it is now https", "See that the page answers there.", "create-checkout"),
    "redirect-unusable": Note(LOST, "is no https address of at most 2048 characters as RFC 3986 says; it was left out", "Give another; without one payers stay where they are.", "create-checkout"),
    "redirects-differ": Note(GUESSED, "is given twice and differs; that outside of redirects was taken", "Check where payers go.", _REFERENCE),
    "cancel-url": Note(GUESSED, "payers went there to cancel; failRedirectUrl is where they go when a payment fails", "See that the page suits a failed payment; nothing brings back who cancels.", "mapping"),
    # When.
    "expiry-default": Note(GUESSED, "nothing says when it ends; it will be after 1 hour or 24, depending on the document", "Give expires_at (--expires-at).", "create-checkout"),
    "expiry-past": Note(LOST, "has passed, and was left out", "Give expires_at (--expires-at), if it is to be paid at all.", "create-checkout"),
    "time-unusable": Note(LOST, "is no time with its zone; it was left out", _REPAIR, _REFERENCE),
    "time-guessed": Note(GUESSED, "is missing; it was taken from the rest of the charge", _REPAIR, "inferred"),
    "time-missing": Note(NO_EQUIVALENT, "no time says when it was created", _REPAIR, _REFERENCE),
    "update-guessed": Note(GUESSED, "a charge does not say when its status changed; it was taken from the timeline", "Do not build on it.", "mapping"),
    # Which one.
    "id": Note(NO_EQUIVALENT, "is Commerce's; a checkout gets another one, of 24 hexadecimal digits, and none is found by this", "Keep a table from this to the new id.", "mapping"),
    "code": Note(NO_EQUIVALENT, "checkouts have no code, and none is found by one", "Keep a table from the code to the new id; put the code into the metadata to show it.", "mapping"),
    "id-missing": Note(NO_EQUIVALENT, "there is neither id nor code", _REPAIR, _REFERENCE),
    "hosted-url": Note(NO_EQUIVALENT, "is the page of Commerce; a checkout has a page of its own", "Send payers the new checkout's url.", "mapping"),
    "url-missing": Note(LOST, "there is no page", _REPAIR, _REFERENCE),
    "network": Note(GUESSED, "nothing says on which network it is; it was taken for base", "Do not build on it.", "mapping"),
    "network-other": Note(NO_EQUIVALENT, "is another network than base, the only one of checkouts", "Look the transaction up there.", "create-checkout"),
    "address": Note(NO_EQUIVALENT, "has no single address; it is empty", "Never send payers to an address; send them to a url.", "mapping"),
    "transactions": Note(LOST, "has several transactions; the last one is told", _BOOKS, "mapping"),
    # Status.
    "status-missing": Note(GUESSED, "there is no status; it was taken for NEW", _REPAIR, _STATUSES),
    "status-no-text": Note(NO_EQUIVALENT, "is {type}, not the text of a status", "Give the status of the timeline's last entry.", _STATUSES),
    "status-unknown": Note(NO_EQUIVALENT, "is a status that nobody documented; it stays as it is", "Look at the charge; it counts as neither paid nor ended.", _STATUSES),
    "status-blank": Note(LOST, "is an entry of the timeline without a status, and was left out", "Look at the charge.", "inferred"),
    "statuses-differ": Note(GUESSED, "status and timeline differ; the timeline was taken, unless it is NEW", "Look at the charge.", "inferred"),
    "timeline-order": Note(GUESSED, "has not the latest entry last; what is likely the latest was taken", "Look at the charge.", "inferred"),
    "timeline-unclear": Note(GUESSED, "has entries whose times cannot be used; their order was taken", "Look at the charge.", "inferred"),
    "signed": Note(GUESSED, "the payer has signed; in a checkout that is still ACTIVE", "Wait what becomes of it before you create another.", "mapping"),
    "fulfil-at-pending": Note(GUESSED, "PENDING was enough to fulfil by Commerce's documents; PROCESSING is not, only COMPLETED", "Fulfil at checkout.payment.success, or when is_paid(checkout).", "overview"),
    "canceled": Note(GUESSED, "the merchant cancelled it; DEACTIVATED is nearest", "Cancel with deactivate(), which the mapping page says Commerce could not.", "inferred"),
    "refunded": Note(GUESSED, "no charge says how much went back; it was taken for all of it", _BOOKS, _STATUSES),
    "refund-pending": Note(NO_EQUIVALENT, "a refund is under way, which a checkout says in refunds[], not in its status", _RECEIVED, _STATUSES),
    "resolved": Note(NO_EQUIVALENT, "the merchant settled it by hand, paid or not; it stays RESOLVED", _RECEIVED, _STATUSES),
    "unresolved": Note(NO_EQUIVALENT, "money came that was not as asked, and nothing says how; it stays UNRESOLVED", _RECEIVED, _STATUSES),
    "unresolved-underpaid": Note(NO_EQUIVALENT, "too little came; it stays UNRESOLVED", "Ask for the rest with a checkout of its own, or send the money back.", _STATUSES),
    "unresolved-overpaid": Note(NO_EQUIVALENT, "too much came; it stays UNRESOLVED", "Fulfil, and send the difference back by hand: no checkout can refund it.", _STATUSES),
    "unresolved-delayed": Note(NO_EQUIVALENT, "it was paid after it had expired; it stays UNRESOLVED", _RECEIVED, _STATUSES),
    "unresolved-multiple": Note(NO_EQUIVALENT, "it was paid more than once; it stays UNRESOLVED", "Fulfil once, and send the rest back by hand: no checkout can refund it.", _STATUSES),
    "unresolved-manual": Note(NO_EQUIVALENT, "it was marked by hand; it stays UNRESOLVED", _RECEIVED, _STATUSES),
    "unresolved-other": Note(NO_EQUIVALENT, "Commerce did not know what came; it stays UNRESOLVED", _RECEIVED, _STATUSES),
    "not-open": Note(GUESSED, "the charge is {status}: it is not one that waits to be paid", "Create nothing from it, unless you decide that it is to be paid again.", "inferred"),
    "perhaps-paid": Note(GUESSED, "may say that the charge is not NEW any more, so that it does not surely wait to be paid", "Look in your books whether it was paid, and create nothing from it before.", "inferred"),
    # Events.
    "event-type-missing": Note(NO_EQUIVALENT, "there is no type of event", "Give an event as Commerce delivered it, or its type.", _REFERENCE),
    "event-envelope": Note(LOST, "the envelope is gone: a delivery is the checkout itself with eventType, and its id the header X-Event-Id", "Act once per event.dedupe_key; read the checkout, not data.", "webhooks"),
    "event-created": Note(NO_EQUIVALENT, "no event says that a checkout was created", "Go on from what create() returns.", "webhooks"),
    "event-pending": Note(NO_EQUIVALENT, "no event says that a payment is under way", "Fulfil at checkout.payment.success; to show PROCESSING, read the checkout.", "webhooks"),
    "event-delayed": Note(NO_EQUIVALENT, "no event says that a payment came too late", "Look for money that no checkout explains, by hand.", _REFERENCE),
    "event-resolved": Note(NO_EQUIVALENT, "no event says that a merchant settled it by hand", "Tell your own system when you settle something by hand.", _REFERENCE),
    "event-failed": Note(GUESSED, "charge:failed is checkout.payment.failed or checkout.payment.expired, and the charge does not say which; it was taken for failed", "Handle both in the same way.", "webhooks"),
    "event-unknown": Note(NO_EQUIVALENT, "is no event of charges", "See what your code does with it; nothing like it will come.", _REFERENCE),
    # Of files.
    "key-repeated": Note(GUESSED, "is there more than once in one object; the last was taken", "Look at the charge, and create nothing from it before.", "inferred"),
    "charge-repeated": Note(GUESSED, "the same charge is in the files more than once; what counts is at {place}", "Look there; create no second checkout for it.", "inferred"),
    "charge-disputed": Note(GUESSED, "the same charge is in the files more than once, each time with another request, and nothing says which is newer", "Look at each, keep one in the files, and convert again.", "inferred"),
    # The rest of a charge.
    "unknown-field": Note(LOST, "is a field that nobody documented", _KEEP, "inferred"),
}
FIELDS: Final[Mapping[str, Note]] = {
    name: Note(LOST, sentence, advice, _REFERENCE)
    for sentence, advice, names in (
        ("a checkout says its status, not how it came to it", _BOOKS, ("timeline", "confirmed-at")),
        ("a checkout does not say who paid what; its settlement comes later", _BOOKS, ("payments", "pricing-settlement", "web3-retail-payment-metadata", "fee-rate", "fees-settled")),
        ("a checkout's hosted page takes payments; there are no addresses to show", "Send payers to the checkout's url.", ("addresses",)),
        ("a checkout has the hash of its transaction, and none of the rest", _BOOKS, ("web3-data",)),
        ("is not a checkout's to say", _SHOW, ("brand-color", "brand-logo-url", "logo-url", "organization-name", "support-email", "buyer-locale")),
        ("a checkout asks payers for nothing but the payment", "Ask on a page of your own, before you create the checkout.", ("collected-email", "customer-email", "customer-name", "requested-info")),
        ("a checkout is asked for in one currency, and has no rates", _BOOKS, ("exchange-rates", "local-exchange-rates", "pricing-crypto")),
        ("a checkout is paid exactly, and has no thresholds", "Drop what allowed for too little or too much.", ("payment-threshold", "applied-threshold", "applied-threshold-type")),
        ("belongs to another object of Commerce", "Keep a table from your own order to the new id.", ("checkout", "invoice", "checkout-id")),
        ("a checkout goes to successRedirectUrl whenever it has one", "Leave redirect_url out where payers are to stay.", ("redirects-will-redirect-after-success",)),
        ("is about the old charge only", _KEEP, ("charge-kind", "third-party-provider", "pwcb-only", "offchain-eligible", "coinbase-managed-merchant", "utxo", "ocs-points-override", "web3-retail-payments-enabled", "created-at", "updated-at", "warnings")),
    )
    for name in names
}
# fmt: on
BLOCKING: Final = frozenset(
    {
        "not-an-object",
        "list-of-charges",
        "is-invoice",
        "unknown-resource",
        "open-amount",
        "amount-missing",
        "amount-unusable",
        "amount-range",
        "currency-missing",
        "currency-unknown",
        "id-missing",
        "time-missing",
        "status-no-text",
        "event-type-missing",
    }
)
"""Losses that leave nothing to convert."""
_GAP: Final = re.compile(r"\{\w+\}")
CODES: Final = NOTES.keys() | FIELDS.keys()


def noted(code: str, pointer: str, **gaps: str) -> Loss:
    """The loss of this code at *pointer*; *gaps* fill its sentence."""
    return _loss(code, pointer, NOTES[code], gaps)


def field_lost(code: str, pointer: str) -> Loss:
    """The loss of a field that no result has."""
    if code in FIELDS:
        return _loss(code, pointer, FIELDS[code], {})
    return noted("unknown-field", pointer)


def in_general(code: str) -> str:
    """The sentence of a code, about any number of charges."""
    note = NOTES.get(code) or FIELDS[code]
    return _GAP.sub("…", note.sentence)


def _loss(code: str, pointer: str, note: Note, gaps: Mapping[str, str]) -> Loss:
    return Loss(code, pointer, note.kind, note.sentence.format_map(gaps), note.advice, note.source)
