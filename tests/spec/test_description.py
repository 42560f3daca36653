"""
The descriptions against the published documents they were written from, and the published examples against them.

The tables were transcribed from the documents, not from the descriptions.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

from . import checkouts, subscriptions
from .checkouts import EVENTS, MAPPED, OLDER, SIX
from .documents import SPEC, Described, Json, name_of, walk

CHECKOUTS: Final = Described(checkouts.DOCUMENTS)
SUBSCRIPTIONS: Final = Described(subscriptions.DOCUMENTS)
BOTH: Final = {described.documents.file: described for described in (CHECKOUTS, SUBSCRIPTIONS)}
INDEX: Final[Json] = tomllib.loads((SPEC / "examples" / "index.toml").read_text(encoding="utf-8"))

# Tables of each description, as pairs of its file and an entry.
TABLES: Final = [(file, schema) for file, it in BOTH.items() for schema in it.documents.fields]
OPERATIONS: Final = [(file, name) for file, it in BOTH.items() for name in it.documents.operations]


def without_example(keywords: Json) -> Json:
    return {key: value for key, value in keywords.items() if key != "example"}


# ---------------------------------------------------------------- The description itself


@pytest.mark.parametrize("file", BOTH)
def test_it_is_valid_openapi_3_1(file: str) -> None:
    """
    openapi-spec-validator finds no fault, examples and defaults included.
    """
    document = BOTH[file].document
    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["openapi"].startswith("3.1.")


@pytest.mark.parametrize("file", BOTH)
def test_every_reference_resolves(file: str) -> None:
    """
    No $ref points at nothing, webhooks included.
    """
    it = BOTH[file]
    references = [node["$ref"] for _, node in walk(it.document) if isinstance(node, dict) and "$ref" in node]
    assert len(references) > 50
    for reference in references:
        assert isinstance(it.at(reference), dict), reference


@pytest.mark.parametrize("file", BOTH)
def test_every_schema_of_the_components_is_in_a_table(file: str) -> None:
    """
    No schema escapes the comparison with the documents.
    """
    it = BOTH[file]
    assert it.documents.others | set(it.documents.fields) == set(it.schemas)


@pytest.mark.parametrize(("file", "schema"), TABLES)
def test_fields_are_the_documents_fields(file: str, schema: str) -> None:
    """
    The published fields in the published order, then those of other sources; the same ones required.
    """
    it = BOTH[file]
    described, fields = it.schemas[schema], it.documents.fields[schema]
    published = [field.removesuffix("!") for field in fields]
    beyond = [field for owner, field, _ in it.documents.beyond if owner == schema and field not in published]
    assert [*published, *dict.fromkeys(beyond)] == list(described["properties"])
    assert [field[:-1] for field in fields if field.endswith("!")] == described.get("required", [])
    assert described["type"] == "object"


@pytest.mark.parametrize(
    ("file", "schema", "field"),
    [(file, schema, field) for file, schema in TABLES for field in BOTH[file].documents.fields[schema]],
)
def test_a_field_is_the_documents_field(file: str, schema: str, field: str) -> None:
    """
    Type, format, pattern, lengths, enum, default and example are the published ones.
    """
    it = BOTH[file]
    name = field.removesuffix("!")
    described = it.schemas[schema]["properties"][name]
    published = it.documents.fields[schema][field]
    if isinstance(published, str):
        assert published == name_of(described)
        return
    kept = {key: value for key, value in published.items() if (schema, name, key) not in it.documents.left_out}
    beyond = {key: value for (owner, of, key), value in it.documents.beyond.items() if (owner, of) == (schema, name)}
    assert without_example(kept) | beyond == without_example(it.facts(described))
    if "example" in published:
        assert published["example"] == it.facts(described)["example"]


@pytest.mark.parametrize(
    ("file", "schema", "field", "keyword"), [(file, *key) for file, it in BOTH.items() for key in it.documents.beyond]
)
def test_what_goes_beyond_the_pages_says_so(file: str, schema: str, field: str, keyword: str) -> None:
    """
    A keyword that the reference pages do not have comes with another document or a note.
    """
    it = BOTH[file]
    described = it.schemas[schema]["properties"][field]
    assert it.documents.beyond[schema, field, keyword] == it.facts(described)[keyword]
    assert described["x-source"].get("note") or set(described["x-source"]["document"]) - it.documents.pages


@pytest.mark.parametrize(
    ("file", "schema", "field", "keyword"),
    [(file, *key) for file, it in BOTH.items() for key in sorted(it.documents.left_out)],
)
def test_what_is_left_out_is_in_a_note(file: str, schema: str, field: str, keyword: str) -> None:
    """
    A published keyword that is not described was published, and a note tells of it.
    """
    it = BOTH[file]
    fields = {name.removesuffix("!"): keywords for name, keywords in it.documents.fields[schema].items()}
    assert keyword in fields[field]
    assert it.schemas[schema]["properties"][field]["x-source"]["note"]


def test_the_older_pages_describe_the_same_checkout() -> None:
    """
    Create and Deactivate Checkout have no field of their own, require the same nine, and know the first six statuses.
    """
    described = CHECKOUTS.schemas["Checkout"]
    older = OLDER.split()
    assert set() == {field.removesuffix("!") for field in older} - set(described["properties"])
    assert {field[:-1] for field in older if field.endswith("!")} == set(described["required"])
    assert SIX == CHECKOUTS.facts(described["properties"]["status"])["enum"][: len(SIX)]


def test_the_mapping_page_names_only_fields_of_a_checkout() -> None:
    """
    Every field of the mapping page's table is there.
    """
    assert set() == set(MAPPED.split()) - set(CHECKOUTS.schemas["Checkout"]["properties"])


@pytest.mark.parametrize("file", BOTH)
def test_operations_are_the_documents_operations(file: str) -> None:
    """
    Of checkouts create, list, get, deactivate and refund, no update, delete or look-up by code; six of subscriptions.
    """
    it = BOTH[file]
    expected = {name: (method, path) for name, (method, path, *_) in it.documents.operations.items()}
    assert expected == {name: (method, path) for name, (method, path, _) in it.operations.items()}


@pytest.mark.parametrize(("file", "name"), OPERATIONS)
def test_parameters_are_the_documents_parameters(file: str, name: str) -> None:
    """
    The same parameters in the same places, with the published bounds, lengths, patterns and defaults.
    """
    it = BOTH[file]
    described = [it.follow(parameter) for parameter in it.operations[name][2]["parameters"]]
    assert it.documents.operations[name][2] == {
        parameter["name"]: (parameter["in"], parameter["required"], it.facts(parameter["schema"]))
        for parameter in described
    }


def test_several_statuses_are_repeated_parameters() -> None:
    """
    A list of statuses goes out as status=A&status=B.
    """
    status = CHECKOUTS.document["components"]["parameters"]["StatusFilter"]
    assert ("form", True) == (status["style"], status["explode"])


@pytest.mark.parametrize(("file", "name"), OPERATIONS)
def test_bodies_are_the_documents_bodies(file: str, name: str) -> None:
    """
    The same request and success bodies; failures are errors, and the usual ones are all there.
    """
    it = BOTH[file]
    _, _, _, request, successes, failures = it.documents.operations[name]
    operation = it.operations[name][2]
    if request is None:
        assert "requestBody" not in operation
    else:
        assert operation["requestBody"]["required"]
        assert request == name_of(operation["requestBody"]["content"]["application/json"]["schema"])
    answers = {status: it.follow(answer).get("content") for status, answer in operation["responses"].items()}
    schemas = {status: content and content["application/json"]["schema"] for status, content in answers.items()}
    assert successes == {
        status: schema and name_of(schema) for status, schema in schemas.items() if status.startswith("2")
    }
    errors = {status: schema for status, schema in schemas.items() if not status.startswith("2")}
    assert it.documents.failures | failures == set(errors)
    for status, schema in errors.items():
        assert it.documents.errors.get(status, {"$ref": "#/components/schemas/ErrorBody"}) == schema


@pytest.mark.parametrize("file", BOTH)
def test_servers_are_the_documents_servers(file: str) -> None:
    """
    Production, and of Checkouts the sandbox below its prefix.
    """
    assert BOTH[file].documents.servers == [server["url"] for server in BOTH[file].document["servers"]]


@pytest.mark.parametrize("file", BOTH)
def test_every_operation_takes_a_signed_token(file: str) -> None:
    """
    A JWT as bearer token is asked for everywhere but in webhooks.
    """
    it = BOTH[file]
    scheme = it.document["components"]["securitySchemes"]["apiKeyAuth"]
    assert ("http", "bearer", "JWT") == (scheme["type"], scheme["scheme"], scheme["bearerFormat"])
    assert [{"apiKeyAuth": []}] == it.document["security"]
    assert not [name for name, (_, _, operation) in it.operations.items() if "security" in operation]
    assert all([{}] == item["post"]["security"] for item in it.document.get("webhooks", {}).values())


def test_five_webhooks() -> None:
    """
    Each event has a webhook, whose body is the checkout with that very eventType.
    """
    assert EVENTS == list(CHECKOUTS.document["webhooks"])
    assert EVENTS == CHECKOUTS.schemas["EventType"]["enum"]
    for event, item in CHECKOUTS.document["webhooks"].items():
        common, own = item["post"]["requestBody"]["content"]["application/json"]["schema"]["allOf"]
        assert name_of(common) == "CheckoutEvent"
        assert event == own["properties"]["eventType"]["const"]
    checkout, extra = CHECKOUTS.schemas["CheckoutEvent"]["allOf"]
    assert name_of(checkout) == "Checkout"
    assert ["eventType"] == extra["required"] == list(extra["properties"])


def test_a_subscription_is_to_the_five_events() -> None:
    """
    The example of eventTypes, and the rule beside it, are the events of Checkouts' description.
    """
    event_types = SUBSCRIPTIONS.schemas["WebhookSubscriptionRequest"]["properties"]["eventTypes"]
    assert [EVENTS] == event_types["examples"]
    rule = next(rule["rule"] for rule in SUBSCRIPTIONS.rules if rule["id"] == "subscription.checkout-events")
    assert EVENTS == re.findall(r"checkout\.\w+\.\w+", rule)


# ---------------------------------------------------------------- Where facts come from


@pytest.mark.parametrize("file", BOTH)
def test_enough_things_are_looked_at(file: str) -> None:
    """
    The search for what needs a source finds schemas, properties, parameters, responses, operations and rules.
    """
    it, documents = BOTH[file], BOTH[file].documents
    groups = Counter(path.split("/")[-2] for path in it.sourced if "/" in path)
    assert len(it.schemas) == groups["schemas"]
    assert len(it.document["components"]["parameters"]) == groups["parameters"]
    assert sum(map(len, documents.fields.values())) + documents.inner_properties == groups["properties"]
    assert documents.responses == groups["responses"]
    assert len(it.rules) == groups["x-rule"]
    described = len(documents.operations) + len(it.document.get("webhooks", {}))
    assert described == sum("operationId" in node and "responses" in node for node in it.sourced.values())


@pytest.mark.parametrize(("file", "path"), [(file, path) for file, it in BOTH.items() for path in it.sourced])
def test_everything_tells_its_source(file: str, path: str) -> None:
    """
    Each schema, property, parameter, response, operation, server and rule has an x-source.
    """
    assert "x-source" in BOTH[file].sourced[path]


@pytest.mark.parametrize("file", BOTH)
def test_sources_name_a_document_and_a_standing(file: str) -> None:
    """
    Every x-source names documents of x-documents and one of the three standings, and at most adds a note.
    """
    it = BOTH[file]
    sources = [node["x-source"] for _, node in walk(it.document) if isinstance(node, dict) and "x-source" in node]
    assert len(sources) >= len(it.sourced)
    of_examples = [example.source for example in EXAMPLES.values() if example.described is it]
    for source in [*sources, *of_examples]:
        assert {"document", "standing"} <= set(source) <= {"document", "standing", "note"}, source
        assert source["document"], source
        assert set() == set(source["document"]) - set(it.document["x-documents"]), source
        assert source["standing"] in {"documented", "assumed"}, "nothing was recorded live, so nothing is observed"


@pytest.mark.parametrize("file", BOTH)
def test_every_document_is_used(file: str) -> None:
    """
    x-documents lists only what something comes from.
    """
    used = {
        name
        for _, node in walk(BOTH[file].document)
        if isinstance(node, dict) and "x-source" in node
        for name in node["x-source"]["document"]
    }
    assert set(BOTH[file].document["x-documents"]) == used


@pytest.mark.parametrize("file", BOTH)
def test_every_rule_has_an_id_of_its_own_and_a_sentence(file: str) -> None:
    """
    An x-rule is an id that no other has, one sentence, and its source.
    """
    rules = BOTH[file].rules
    assert len(rules) > 25
    assert [] == [name for name, times in Counter(rule["id"] for rule in rules).items() if times > 1]
    for rule in rules:
        assert {"id", "rule", "x-source"} == set(rule), rule
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*", rule["id"])
        assert re.fullmatch(r"\S.*[^.\s]\.", rule["rule"]), rule


def test_a_rule_of_both_says_the_same() -> None:
    """
    An id that stands in both descriptions stands for one sentence.
    """
    ours, others = ({rule["id"]: rule["rule"] for rule in it.rules} for it in BOTH.values())
    assert {"auth.lifetime", "auth.fresh-token", "response.no-null"} <= set(ours) & set(others)
    assert {name: ours[name] for name in set(ours) & set(others)} == {
        name: others[name] for name in set(ours) & set(others)
    }


# ---------------------------------------------------------------- The published examples


@dataclass(frozen=True)
class Example:
    """One file of spec/examples with what the index tells about it."""

    file: str
    described: Described
    what: str
    of: str
    status: str | None
    source: Json
    quirks: dict[str, str]
    body: Json

    @property
    def schema(self) -> Json:
        """Refers to what the body has to match."""
        urn, body = self.described.urn, "content/application~1json/schema"
        if self.what == "event":
            return {"$ref": f"{urn}#/webhooks/{self.of}/post/requestBody/{body}"}
        if self.what == "error":
            return {"$ref": f"{urn}#/components/schemas/{self.of}"}
        method, path, _ = self.described.operations[self.of]
        part = "requestBody" if self.what == "request" else f"responses/{self.status}"
        return {"$ref": f"{urn}#/paths/{path.replace('/', '~1')}/{method}/{part}/{body}"}

    @property
    def checkouts(self) -> list[Json]:
        """The checkouts in the body."""
        if self.described is not CHECKOUTS or self.what not in {"response", "event"}:
            return []
        return list(self.body.get("checkouts", [self.body]))

    @property
    def subscriptions(self) -> list[Json]:
        """The subscriptions in the body, in its order."""
        if self.described is not SUBSCRIPTIONS or self.what != "response" or "events" in self.body:
            return []
        return list(self.body.get("subscriptions", [self.body]))

    @property
    def read(self) -> datetime:
        """When its document was read."""
        return max(instant(self.described.document["x-documents"][name]["read"]) for name in self.source["document"])


def examples() -> Iterator[Example]:
    for file, entry in INDEX["examples"].items():
        body = json.loads((SPEC / "examples" / file).read_text(encoding="utf-8"))
        quirks = {quirk["id"]: quirk["sentence"] for quirk in entry.get("quirks", [])}
        described = BOTH[entry.get("in", CHECKOUTS.documents.file)]
        yield Example(file, described, entry["what"], entry["of"], entry.get("status"), entry["x-source"], quirks, body)


def instant(written: str) -> datetime:
    moment = datetime.fromisoformat(written)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def number(written: str) -> Decimal | None:
    """None for what is no number."""
    try:
        return Decimal(written)
    except InvalidOperation:
        return None


def texts(node: object) -> Iterator[str]:
    return (value for _, value in walk(node) if isinstance(value, str))


EXAMPLES: Final = {example.file: example for example in examples()}
REGISTRY: Final = EMPTY_REGISTRY.with_resources(
    (it.urn, DRAFT202012.create_resource(it.document)) for it in BOTH.values()
)


def faults(body: Any, schema: Json) -> list[str]:
    """What jsonschema says against *body*, formats included."""
    validator = Draft202012Validator(schema, registry=REGISTRY, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def test_every_example_is_in_the_index() -> None:
    """
    No file without an entry, no entry without a file.
    """
    files = {path.name for path in (SPEC / "examples").iterdir()} - {"index.toml"}
    assert files == set(EXAMPLES)


@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_matches_its_schema(file: str) -> None:
    """
    The body validates against the operation's, event's or error's schema, and its name says which that is.
    """
    example = EXAMPLES[file]
    assert [] == faults(example.body, example.schema)
    assert file.startswith("error." if example.what == "error" else f"{example.of}.")
    assert (example.what == "response") <= (example.status is not None)


@pytest.mark.parametrize("file", [file for file, example in EXAMPLES.items() if example.what == "error"])
def test_a_described_error_matches_where_it_is_answered(file: str) -> None:
    """
    An error body validates against every operation's answer of its status.
    """
    it, status = EXAMPLES[file].described, EXAMPLES[file].status
    for name, (method, path, operation) in it.operations.items():
        if status in operation["responses"]:
            pointer = f"{path.replace('/', '~1')}/{method}/responses/{status}"
            response = it.at(f"#/paths/{pointer}").get("$ref", f"#/paths/{pointer}")
            schema = {"$ref": f"{it.urn}{response}/content/application~1json/schema"}
            assert [] == faults(EXAMPLES[file].body, schema), name


@pytest.mark.parametrize("event", EVENTS)
def test_a_sample_is_of_one_event_only(event: str) -> None:
    """
    A webhook's schema takes its own published sample and none of another event.
    """
    schema = {"$ref": f"{CHECKOUTS.urn}#/webhooks/{event}/post/requestBody/content/application~1json/schema"}
    for example in EXAMPLES.values():
        if example.what == "event":
            assert (event == example.of) == (faults(example.body, schema) == []), example.file


# An example of each of the two that everything is about.
WHOLE: Final = {
    "Checkout": EXAMPLES["getCheckout.response-gen-2.json"],
    "WebhookSubscription": EXAMPLES["getWebhookSubscription.response.json"],
}
FORMATTED: Final = [
    (schema, field, keywords["format"])
    for schema, example in WHOLE.items()
    for field, keywords in example.described.schemas[schema]["properties"].items()
    if "format" in keywords
]
MALFORMED: Final = {
    "date-time": ["yesterday", "2024-03-20", "2024-03-20T10:30:00", "2024-13-20T10:30:00Z", "1711000000"],
    "uri": ["not a uri", "/payment-links/pl_1", "", "https://exa mple.com"],
}


@pytest.mark.parametrize(("schema", "field", "format_"), FORMATTED)
def test_formats_bite(schema: str, field: str, format_: str) -> None:
    """
    A malformed time or URI is refused, so that the examples' match means something.
    """
    body = deepcopy(WHOLE[schema].body)
    for malformed in MALFORMED[format_]:
        body[field] = malformed
        assert [f"$.{field}: {malformed!r} is not a {format_!r}"] == faults(body, WHOLE[schema].schema)


@pytest.mark.parametrize("schema", WHOLE)
def test_unknown_fields_are_no_fault(schema: str) -> None:
    """
    A field nobody documented still matches: the service adds some without notice.
    """
    assert [] == faults({**WHOLE[schema].body, "brandNew": {"a": [None]}}, WHOLE[schema].schema)


# ---------------------------------------------------------------- Strict when sent, tolerant when read

SENT: Final = EXAMPLES["createWebhookSubscription.request.json"]
URL: Final = "https://example.com/"
WITHIN: Final[dict[str, Json]] = {
    "the required fields only": {"description": ...},
    "the longest description": {"description": 100 * "é"},
    "no description": {"description": ""},
    "one event of another product": {"eventTypes": ["wallet.typed_data.signed"]},
    "disabled": {"isEnabled": False},
    "the longest URL": {"target": {"url": URL + (2048 - len(URL)) * "a"}},
    "the shortest URL": {"target": {"url": "https://a.b"}},
    "headers": {"target": {"url": URL, "headers": {"custom-header": "value"}}},
    "no labels": {"labels": {}},
    "all labels": {"labels": {f"key{number}": "" for number in range(20)}},
    "all metadata": {"metadata": {f"{number:040}": 500 * "a" for number in range(10)}},
}
BEYOND_LIMITS: Final[dict[str, Json]] = {
    "no event": {"eventTypes": []},
    "no event types": {"eventTypes": ...},
    "an event in two parts": {"eventTypes": ["checkout.payment"]},
    "an event in four parts": {"eventTypes": ["checkout.payment.success.now"]},
    "an event in capitals": {"eventTypes": ["Checkout.Payment.Success"]},
    "an event of Commerce": {"eventTypes": ["charge:confirmed"]},
    "no flag": {"isEnabled": ...},
    "a flag as text": {"isEnabled": "true"},
    "no target": {"target": ...},
    "a target without URL": {"target": {}},
    "a URL without TLS": {"target": {"url": "http://example.com/"}},
    "a URL that is none": {"target": {"url": "https://exa mple.com"}},
    "too short a URL": {"target": {"url": "https://a."}},
    "too long a URL": {"target": {"url": URL + (2049 - len(URL)) * "a"}},
    "a header that is no text": {"target": {"url": URL, "headers": {"a": 1}}},
    "another method": {"target": {"url": URL, "method": "GET"}},
    "too long a description": {"description": 101 * "a"},
    "too many labels": {"labels": {f"key{number}": "" for number in range(21)}},
    "a label that is no text": {"labels": {"sandbox": True}},
    "too much metadata": {"metadata": {f"key{number}": "" for number in range(11)}},
    "too long a key": {"metadata": {41 * "a": ""}},
    "too long a value": {"metadata": {"a": 501 * "a"}},
    "a null": {"description": None},
}


def changed(body: Json, change: Json) -> Json:
    """*body* with other values; without those fields that become `...`."""
    return {key: value for key, value in {**body, **change}.items() if value is not ...}


@pytest.mark.parametrize("case", WITHIN)
def test_what_keeps_the_limits_is_sent(case: str) -> None:
    """
    A request to the very edge of each limit matches.
    """
    assert [] == faults(changed(SENT.body, WITHIN[case]), SENT.schema)


@pytest.mark.parametrize("case", BEYOND_LIMITS)
def test_what_breaks_a_limit_is_not_sent(case: str) -> None:
    """
    A request one step beyond a limit has just that fault.
    """
    assert 1 == len(faults(changed(SENT.body, BEYOND_LIMITS[case]), SENT.schema))


@pytest.mark.parametrize(
    "change",
    [
        {"secret": ...},
        {"secret": "no-uuid", "subscriptionId": "no-uuid"},
        {"eventTypes": []},
        {"eventTypes": ["brand.new"]},
        {"description": 1000 * "a"},
        {"target": {"url": "http://127.0.0.1/", "method": "POST"}},
        {"metadata": {"a": [1], "secret": "no-uuid"}},
        {"createdAt": "2025-09-10T13:58:38.681893Z"},
    ],
    ids=str,
)
def test_what_breaks_a_limit_is_read(change: Json) -> None:
    """
    An answer that keeps none of the limits of a request still matches.
    """
    whole = WHOLE["WebhookSubscription"]
    assert [] == faults(changed(whole.body, change), whole.schema)


# ---------------------------------------------------------------- Where examples contradict rules

PAID: Final = {"COMPLETED", "REFUNDED", "PARTIALLY_REFUNDED"}
AFTER: Final = {
    "checkout.payment.success": {"COMPLETED"},
    "checkout.payment.failed": {"FAILED"},
    "checkout.payment.expired": {"EXPIRED"},
    "checkout.refund.success": {"REFUNDED", "PARTIALLY_REFUNDED"},
}


def in_every_checkout(obeys: Callable[[Json], bool]) -> Callable[[Example], bool]:
    return lambda example: all(obeys(checkout) for checkout in example.checkouts)


def event_status(event: str) -> Callable[[Example], bool]:
    return lambda example: example.of != event or example.body["status"] in AFTER[event]


def created_with(field: str, obeys: Callable[[str, Example], bool]) -> Callable[[Example], bool]:
    """A rule of one field of a create request."""
    return lambda example: (
        (example.what, example.of) != ("request", "createCheckout")
        or field not in example.body
        or obeys(example.body[field], example)
    )


def refund_sum(checkout: Json) -> bool:
    amounts = [number(refund["amount"]) for refund in checkout.get("refunds", []) if refund["status"] != "FAILED"]
    if None in amounts:
        return False
    total = sum((amount for amount in amounts if amount is not None), Decimal(0))
    return Decimal(checkout.get("refundedAmount", "0")) == total <= Decimal(checkout["amount"])


def refunded_exactly(checkout: Json) -> bool:
    refunded = Decimal(checkout.get("refundedAmount", "0"))
    if refunded == 0:
        return checkout["status"] not in {"REFUNDED", "PARTIALLY_REFUNDED"}
    return bool(checkout["status"] == ("REFUNDED" if refunded == Decimal(checkout["amount"]) else "PARTIALLY_REFUNDED"))


def settlement_sum(checkout: Json) -> bool:
    parts = checkout.get("settlement")
    return not parts or Decimal(parts["totalAmount"]) - Decimal(parts["feeAmount"]) == Decimal(parts["netAmount"])


def total_is_amount(checkout: Json) -> bool:
    return Decimal(checkout.get("settlement", {}).get("totalAmount", checkout["amount"])) == Decimal(checkout["amount"])


def completed_at(checkout: Json) -> bool:
    return all(
        (key in refund) == (refund["status"] == "COMPLETED")
        for refund in checkout.get("refunds", [])
        for key in ("completedAt", "transactionHash")
    )


def in_every_subscription(obeys: Callable[[Json], bool]) -> Callable[[Example], bool]:
    return lambda example: all(obeys(subscription) for subscription in example.subscriptions)


def in_every_event(obeys: Callable[[Json], bool]) -> Callable[[Example], bool]:
    """A rule of the entries of a subscription's log."""
    return lambda example: all(obeys(event) for event in example.body.get("events", []))


def newest_first(entries: list[Json]) -> bool:
    moments = [instant(entry["createdAt"]) for entry in entries]
    return moments == sorted(moments, reverse=True)


def succeeded_at(event: Json) -> bool:
    if "succeededAt" not in event:
        return True
    return bool(event["status"] == "succeeded" and instant(event["createdAt"]) <= instant(event["succeededAt"]))


# Whether an example obeys a rule; true where the rule has nothing to say.
OBEYS: Final[dict[str, Callable[[Example], bool]]] = {
    "example.total-is-amount": in_every_checkout(total_is_amount),
    "example.expires-later": in_every_checkout(
        lambda it: "expiresAt" not in it or instant(it["createdAt"]) < instant(it["expiresAt"])
    ),
    "example.no-placeholder": lambda example: "<string>" not in texts(example.body),
    "example.no-blank": lambda example: not any(re.fullmatch("<[A-Z_]+>", it) for it in texts(example.body)),
    "create.amount-range": created_with("amount", lambda it, _: Decimal("0.01") <= Decimal(it) <= Decimal(100_000_000)),
    "create.currency": created_with("currency", lambda it, _: it in {"USDC", "USD", "EUR", "SGD", "GBP"}),
    "create.expires-in-future": created_with("expiresAt", lambda it, example: example.read < instant(it)),
    "create.active": lambda example: (
        (example.what, example.of) != ("response", "createCheckout") or example.body["status"] == "ACTIVE"
    ),
    "deactivate.result": lambda example: (
        (example.what, example.of) != ("response", "deactivateCheckout") or example.body["status"] == "DEACTIVATED"
    ),
    "response.no-null": lambda example: all(value is not None for _, value in walk(example.body)),
    "settlement.sum": in_every_checkout(settlement_sum),
    "checkout.settlement": in_every_checkout(lambda it: ("settlement" in it) == (it["status"] in PAID)),
    "checkout.transaction-hash": in_every_checkout(lambda it: ("transactionHash" in it) == (it["status"] in PAID)),
    "checkout.fiat": in_every_checkout(lambda it: ("fiatAmount" in it) == ("fiatCurrency" in it)),
    "checkout.refunded-amount": in_every_checkout(lambda it: ("refundedAmount" in it) == bool(it.get("refunds"))),
    "checkout.refunded-exactly": in_every_checkout(refunded_exactly),
    "checkout.refund-sum": in_every_checkout(refund_sum),
    "checkout.updated-at": in_every_checkout(lambda it: instant(it["createdAt"]) <= instant(it["updatedAt"])),
    "refund.completed-at": in_every_checkout(completed_at),
    "event.payment-success-status": event_status("checkout.payment.success"),
    "event.payment-failed-status": event_status("checkout.payment.failed"),
    "event.payment-expired-status": event_status("checkout.payment.expired"),
    "event.refund-success-status": event_status("checkout.refund.success"),
    "list-subscriptions.newest-first": lambda example: newest_first(example.subscriptions),
    "list-events.newest-first": lambda example: newest_first(example.body.get("events", [])),
    "list-events.at-most-50": lambda example: len(example.body.get("events", [])) <= 50,
    "subscription.checkout-events": lambda example: (
        {name for name in example.body.get("eventTypes", []) if name.startswith("checkout.")} <= set(EVENTS)
    ),
    "subscription.secret": in_every_subscription(lambda it: "secret" in it),
    "subscription.secret-same": in_every_subscription(
        lambda it: "secret" not in it or it.get("metadata", {}).get("secret", it["secret"]) == it["secret"]
    ),
    "subscription.updated-at": in_every_subscription(
        lambda it: "updatedAt" not in it or instant(it["createdAt"]) <= instant(it["updatedAt"])
    ),
    "event-log.succeeded-at": in_every_event(succeeded_at),
}


def test_the_checked_rules_are_rules() -> None:
    """
    Each rule that examples are held against is one of the description, or told in the index.
    """
    own = INDEX["rules"]
    assert {rule for rule in OBEYS if rule.startswith("example.")} == set(own)
    assert set() == set(OBEYS) - set(own) - {rule["id"] for it in BOTH.values() for rule in it.rules}


@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_breaks_just_the_rules_its_quirks_name(file: str) -> None:
    """
    Every quirk in the index is really there, and there is no other.
    """
    example = EXAMPLES[file]
    assert set(example.quirks) == {rule for rule, obeys in OBEYS.items() if not obeys(example)}
    assert all(sentence.endswith(".") for sentence in example.quirks.values())
