"""
spec/openapi.yaml against the published documents it was written from, and the published examples against it.

The tables were transcribed from the documents, not from the description.
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
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY
from ruamel.yaml import YAML

Json = dict[str, Any]
Path_ = tuple[str | int, ...]

SPEC = Path(__file__).resolve().parents[2] / "spec"
DESCRIPTION: Final[Json] = YAML(typ="safe", pure=True).load((SPEC / "openapi.yaml").read_text(encoding="utf-8"))
INDEX: Final[Json] = tomllib.loads((SPEC / "examples" / "index.toml").read_text(encoding="utf-8"))

# ---------------------------------------------------------------- What the documents say

ID = r"^[0-9a-f]{24}$"
AMOUNT = r"^\d+(\.\d{1,2})?$"
HTTPS = r"^https://.*"
UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
SIX = ["ACTIVE", "PROCESSING", "DEACTIVATED", "EXPIRED", "COMPLETED", "FAILED"]
EIGHT = [*SIX, "REFUNDED", "PARTIALLY_REFUNDED"]
METADATA = {"invoiceId": "12345", "reference": "Payment for invoice #12345", "customerId": "cust_abc123"}
ADDRESS = "0x742d35Cc6634C0532925a3b844Bc454e4438f44e"
PAGE = "https://payments.coinbase.com/payment-links/pl_01h8441j23abcd1234567890ef"
TOKEN = "eyJsYXN0X2lkIjogImFiYzEyMyIsICJ0aW1lc3RhbXAiOiAxNzA3ODIzNzAxfQ=="  # an opaque page token
T2024 = "2024-03-20T10:30:00Z"
T2026 = "2026-03-20T10:30:00Z"


def text(example: str | None = None, **keywords: object) -> Json:
    return {"type": "string", **keywords, **({} if example is None else {"example": example})}


NETWORK = text("base", enum=["base"], default="base")

# Field by field; `!` marks the required ones, in the order of the rendered page.
FIELDS: Final[dict[str, Json]] = {
    # Reference page Get Checkout, second generation.
    "Checkout": {
        "id!": text("68f7a946db0529ea9b6d3a12", pattern=ID),
        "url!": text(PAGE, format="uri"),
        "amount!": text("100.50"),
        "currency!": text("USDC"),
        "network!": NETWORK,
        "address!": text(ADDRESS),
        "createdAt!": text(T2024, format="date-time"),
        "updatedAt!": text(T2024, format="date-time"),
        "status!": text("ACTIVE", enum=EIGHT),
        "tokenAddress": text("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        "description": text("Payment for order #12345"),
        "expiresAt": text(T2024, format="date-time"),
        "metadata": {"type": "object", "example": METADATA},
        "successRedirectUrl": text("https://example.com/success", format="uri"),
        "failRedirectUrl": text("https://example.com/failed", format="uri"),
        "settlement": {"type": "object"},
        "fiatAmount": text("100.00"),
        "fiatCurrency": text("USD"),
        "transactionHash": text("0x" + 4 * "1234567890abcdef"),
        "refundedAmount": text("25.00"),
        "refunds": {"type": "array", "items": "Refund"},
    },
    # The same page and the mapping page; no inner required list is shown.
    "Settlement": {
        "totalAmount": text("100.00"),
        "feeAmount": text("1.25"),
        "netAmount": text("98.75"),
        "currency": text("USDC"),
    },
    # The example of Get Checkout, and the refund statuses of the overview.
    "Refund": {
        "id!": text(),
        "checkoutId!": text(),
        "amount!": text(),
        "status!": text("PENDING", enum=["PENDING", "COMPLETED", "FAILED"]),
        "createdAt!": text(T2024, format="date-time"),
        "currency": text("USDC"),
        "reason": text(),
        "transactionHash": text(),
        "completedAt": text(T2024, format="date-time"),
        "fiatAmount": text(),
        "fiatCurrency": text(),
        "exchangeRate": text(),
    },
    # Reference page Create Checkout, first generation.
    "CreateCheckoutRequest": {
        "amount!": text("100.50", pattern=AMOUNT),
        "currency!": text("USDC", minLength=1, maxLength=10),
        "network": NETWORK,
        "description": text("Payment for order #12345", maxLength=500),
        "expiresAt": text(T2026, format="date-time"),
        "metadata": {"type": "object", "example": METADATA},
        "successRedirectUrl": text("https://example.com/success", format="uri", maxLength=2048, pattern=HTTPS),
        "failRedirectUrl": text("https://example.com/failed", format="uri", maxLength=2048, pattern=HTTPS),
    },
    # The dossier's reading of Refund Checkout, List Checkouts and CDP's errors.
    "RefundCheckoutRequest": {
        "amount!": text("25.00", pattern=AMOUNT),
        "currency": text("USDC"),
        "reason": text("Customer requested refund", maxLength=500),
    },
    "RefundResult": {"checkout!": "Checkout", "refund!": "Refund"},
    "CheckoutList": {"checkouts!": {"type": "array", "items": "Checkout"}, "nextPageToken": text(TOKEN)},
    "ErrorBody": {
        "errorType!": text(),
        "errorMessage!": text(),
        "correlationId": text("41deb8d59a9dc9a7-IAD"),
        "errorLink": text(format="uri"),
    },
    "ErrorListBody": {"errors!": {"type": "array", "items": "ErrorListItem"}},
    "ErrorListItem": {"id!": text("rate_limit_exceeded"), "message!": text("Too many requests")},
    "LegacyErrorBody": {"error!": {"type": "object"}},
}

# What the description says beyond the tables, by (schema, field, keyword); each owned up to in its x-source.
BEYOND: Final[dict[tuple[str, str, str], object]] = {
    ("Checkout", "amount", "pattern"): AMOUNT,
    ("Checkout", "metadata", "additionalProperties"): True,
    ("Checkout", "x402_url", "type"): "string",
    ("Checkout", "x402_url", "format"): "uri",
    ("Refund", "reason", "maxLength"): 500,
    ("CreateCheckoutRequest", "metadata", "maxProperties"): 20,
    ("CreateCheckoutRequest", "metadata", "additionalProperties"): {"type": "string", "maxLength": 100},
}
# Reference pages that were read in full: what goes beyond them comes from elsewhere.
PAGES: Final = {"get-checkout", "create-checkout", "deactivate-checkout"}

# The pages Create and Deactivate Checkout, first generation.
OLDER: Final = """
    id! url! status! amount! currency! network! address! createdAt! updatedAt! tokenAddress description metadata
    settlement transactionHash expiresAt successRedirectUrl failRedirectUrl
"""

# The right-hand column of the mapping page.
MAPPED: Final = """
    id url description amount currency network address updatedAt settlement transactionHash expiresAt metadata
    successRedirectUrl failRedirectUrl createdAt status
"""

# Parameters as (where, required, keywords).
CHECKOUT_ID = ("path", True, text("68f7a946db0529ea9b6d3a12", pattern=ID))
KEY = ("header", False, text("8e03978e-40d5-43e8-bc93-6894a57f9324", minLength=36, maxLength=36, pattern=UUID4))
TIME = ("query", False, text(format="date-time"))
STATUSES = ("query", False, {"type": "array", "items": "CheckoutStatus"})
PAGE_SIZE = ("query", False, {"type": "integer", "minimum": 1, "maximum": 100, "default": 20})
LIST = {
    "pageSize": PAGE_SIZE,
    "pageToken": ("query", False, text(TOKEN)),
    "status": STATUSES,
    "startTime": TIME,
    "endTime": TIME,
    "descriptionQuery": ("query", False, text(maxLength=500)),
}

# operationId: method, path, parameters, request, successes, failures.
BASE = "/api/v1/checkouts"
COMMON = {"400", "401", "403", "429", "500", "503"}
Row = tuple[str, str, Json, str | None, dict[str, str], set[str]]
OPERATIONS: Final[dict[str, Row]] = {
    "createCheckout": (
        "post",
        BASE,
        {"X-Idempotency-Key": KEY},
        "CreateCheckoutRequest",
        {"201": "Checkout", "200": "Checkout"},
        {"409", "422"},
    ),
    "listCheckouts": ("get", BASE, LIST, None, {"200": "CheckoutList"}, set()),
    "getCheckout": ("get", BASE + "/{id}", {"id": CHECKOUT_ID}, None, {"200": "Checkout"}, {"404"}),
    "deactivateCheckout": (
        "post",
        BASE + "/{id}/deactivate",
        {"id": CHECKOUT_ID},
        None,
        {"200": "Checkout"},
        {"404", "409", "422"},
    ),
    "refundCheckout": (
        "post",
        BASE + "/{id}/refund",
        {"id": CHECKOUT_ID, "X-Idempotency-Key": KEY},
        "RefundCheckoutRequest",
        {"200": "RefundResult"},
        {"404", "409", "422"},
    ),
}

EVENTS: Final = [
    "checkout.payment.success",
    "checkout.payment.failed",
    "checkout.payment.expired",
    "checkout.refund.success",
    "checkout.refund.failed",
]

# ---------------------------------------------------------------- Reading the description

KEYWORDS: Final = """
    type format pattern minLength maxLength enum default minimum maximum maxProperties additionalProperties
"""
METHODS: Final = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def walk(node: object, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value of the description with its path."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, (*path, index))


def at(reference: str) -> Any:
    """What a reference within the description points at."""
    node: Any = DESCRIPTION
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def follow(node: Json) -> Json:
    """*node* merged over what it refers to, if it refers to anything."""
    return {**at(node["$ref"]), **node} if "$ref" in node else node


def name_of(node: Json) -> str:
    """The schema's name that *node* refers to."""
    return str(node["$ref"]).removeprefix("#/components/schemas/")


def facts(schema: Json) -> Json:
    """A schema's keywords, its first example, and the name of its items' schema."""
    whole = follow(schema)
    found = {key: whole[key] for key in KEYWORDS.split() if key in whole}
    if whole.get("examples"):
        found["example"] = whole["examples"][0]
    if "items" in whole:
        found["items"] = name_of(whole["items"])
    return found


def without_example(keywords: Json) -> Json:
    return {key: value for key, value in keywords.items() if key != "example"}


def operations() -> dict[str, tuple[str, str, Json]]:
    """By operationId its method, path and the operation, the path's own parameters among its."""
    return {
        operation["operationId"]: (
            method,
            path,
            {**operation, "parameters": [*item.get("parameters", []), *operation.get("parameters", [])]},
        )
        for path, item in DESCRIPTION["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def sourced() -> dict[str, Json]:
    """Everything that has to tell where it comes from, by its path."""
    found: dict[str, Json] = {}
    for path, node in walk(DESCRIPTION):
        if not isinstance(node, dict) or "x-documents" in path or "examples" in path:
            continue
        group = path[-2] if len(path) >= 2 else None
        component = len(path) == 3 and path[0] == "components"
        operation = len(path) == 3 and path[0] in {"paths", "webhooks"} and path[-1] in METHODS
        response = group == "responses" and "$ref" not in node
        property_ = group == "properties"
        rule = group == "x-rule"
        server = group == "servers"
        if component or operation or response or property_ or rule or server or path == ("info",):
            found["/".join(map(str, path))] = node
    return found


SOURCED: Final = sourced()
RULES: Final[list[Json]] = [
    rule for _, node in walk(DESCRIPTION) if isinstance(node, dict) for rule in node.get("x-rule", [])
]

# ---------------------------------------------------------------- The description itself


def test_it_is_valid_openapi_3_1() -> None:
    """
    openapi-spec-validator finds no fault, examples and defaults included.
    """
    validate(DESCRIPTION, cls=OpenAPIV31SpecValidator)
    assert DESCRIPTION["openapi"].startswith("3.1.")


def test_every_reference_resolves() -> None:
    """
    No $ref points at nothing, webhooks included.
    """
    references = [node["$ref"] for _, node in walk(DESCRIPTION) if isinstance(node, dict) and "$ref" in node]
    assert len(references) > 50
    for reference in references:
        assert isinstance(at(reference), dict), reference


def test_every_schema_of_the_components_is_in_a_table() -> None:
    """
    No schema escapes the comparison with the documents.
    """
    enums = {"CheckoutStatus", "RefundStatus", "Network", "EventType"}
    assert enums | {"CheckoutEvent"} | set(FIELDS) == set(DESCRIPTION["components"]["schemas"])


@pytest.mark.parametrize("schema", FIELDS)
def test_fields_are_the_documents_fields(schema: str) -> None:
    """
    The published fields in the published order, then those of other sources; the same ones required.
    """
    described = DESCRIPTION["components"]["schemas"][schema]
    published = [field.removesuffix("!") for field in FIELDS[schema]]
    beyond = [field for owner, field, _ in BEYOND if owner == schema and field not in published]
    assert [*published, *dict.fromkeys(beyond)] == list(described["properties"])
    assert [field[:-1] for field in FIELDS[schema] if field.endswith("!")] == described.get("required", [])
    assert described["type"] == "object"


@pytest.mark.parametrize(
    ("schema", "field"), [(schema, field) for schema, fields in FIELDS.items() for field in fields]
)
def test_a_field_is_the_documents_field(schema: str, field: str) -> None:
    """
    Type, format, pattern, lengths, enum, default and example are the published ones.
    """
    name = field.removesuffix("!")
    described = DESCRIPTION["components"]["schemas"][schema]["properties"][name]
    published = FIELDS[schema][field]
    if isinstance(published, str):
        assert published == name_of(described)
        return
    beyond = {keyword: value for (owner, key, keyword), value in BEYOND.items() if (owner, key) == (schema, name)}
    assert without_example(published) | beyond == without_example(facts(described))
    if "example" in published:
        assert published["example"] == facts(described)["example"]


@pytest.mark.parametrize(("schema", "field", "keyword"), BEYOND)
def test_what_goes_beyond_the_pages_says_so(schema: str, field: str, keyword: str) -> None:
    """
    A keyword that the reference pages do not have comes with another document or a note.
    """
    described = DESCRIPTION["components"]["schemas"][schema]["properties"][field]
    assert BEYOND[schema, field, keyword] == facts(described)[keyword]
    assert described["x-source"].get("note") or set(described["x-source"]["document"]) - PAGES


def test_the_older_pages_describe_the_same_checkout() -> None:
    """
    Create and Deactivate Checkout have no field of their own, require the same nine, and know the first six statuses.
    """
    described = DESCRIPTION["components"]["schemas"]["Checkout"]
    older = OLDER.split()
    assert set() == {field.removesuffix("!") for field in older} - set(described["properties"])
    assert {field[:-1] for field in older if field.endswith("!")} == set(described["required"])
    assert SIX == facts(described["properties"]["status"])["enum"][: len(SIX)]


def test_the_mapping_page_names_only_fields_of_a_checkout() -> None:
    """
    Every field of the mapping page's table is there.
    """
    assert set() == set(MAPPED.split()) - set(DESCRIPTION["components"]["schemas"]["Checkout"]["properties"])


def test_operations_are_the_documents_operations() -> None:
    """
    Five operations: create, list, get, deactivate, refund, and no update, delete or look-up by code.
    """
    expected = {name: (method, path) for name, (method, path, *_) in OPERATIONS.items()}
    assert expected == {name: (method, path) for name, (method, path, _) in operations().items()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_parameters_are_the_documents_parameters(name: str) -> None:
    """
    The same parameters in the same places, with the published bounds, lengths, patterns and defaults.
    """
    described = [follow(parameter) for parameter in operations()[name][2]["parameters"]]
    assert OPERATIONS[name][2] == {
        parameter["name"]: (parameter["in"], parameter["required"], facts(parameter["schema"]))
        for parameter in described
    }


def test_several_statuses_are_repeated_parameters() -> None:
    """
    A list of statuses goes out as status=A&status=B.
    """
    status = DESCRIPTION["components"]["parameters"]["StatusFilter"]
    assert ("form", True) == (status["style"], status["explode"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_bodies_are_the_documents_bodies(name: str) -> None:
    """
    The same request and success bodies; failures are errors, and the usual ones are all there.
    """
    _, _, _, request, successes, failures = OPERATIONS[name]
    operation = operations()[name][2]
    if request is None:
        assert "requestBody" not in operation
    else:
        assert operation["requestBody"]["required"]
        assert request == name_of(operation["requestBody"]["content"]["application/json"]["schema"])
    schemas = {
        status: follow(response)["content"]["application/json"]["schema"]
        for status, response in operation["responses"].items()
    }
    assert successes == {status: name_of(schema) for status, schema in schemas.items() if status.startswith("2")}
    errors = {status: schema for status, schema in schemas.items() if not status.startswith("2")}
    assert COMMON | failures == set(errors)
    limited = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("ErrorBody", "ErrorListBody")]}
    for status, schema in errors.items():
        assert (limited if status == "429" else {"$ref": "#/components/schemas/ErrorBody"}) == schema


def test_two_servers() -> None:
    """
    Production, and the sandbox below its prefix.
    """
    expected = ["https://business.coinbase.com", "https://business.coinbase.com/sandbox"]
    assert expected == [server["url"] for server in DESCRIPTION["servers"]]


def test_every_operation_takes_a_signed_token() -> None:
    """
    A JWT as bearer token is asked for everywhere but in webhooks.
    """
    scheme = DESCRIPTION["components"]["securitySchemes"]["apiKeyAuth"]
    assert ("http", "bearer", "JWT") == (scheme["type"], scheme["scheme"], scheme["bearerFormat"])
    assert [{"apiKeyAuth": []}] == DESCRIPTION["security"]
    assert not [name for name, (_, _, operation) in operations().items() if "security" in operation]
    assert all([{}] == item["post"]["security"] for item in DESCRIPTION["webhooks"].values())


def test_five_webhooks() -> None:
    """
    Each event has a webhook, whose body is the checkout with that very eventType.
    """
    assert EVENTS == list(DESCRIPTION["webhooks"])
    assert EVENTS == DESCRIPTION["components"]["schemas"]["EventType"]["enum"]
    for event, item in DESCRIPTION["webhooks"].items():
        common, own = item["post"]["requestBody"]["content"]["application/json"]["schema"]["allOf"]
        assert name_of(common) == "CheckoutEvent"
        assert event == own["properties"]["eventType"]["const"]
    checkout, extra = DESCRIPTION["components"]["schemas"]["CheckoutEvent"]["allOf"]
    assert name_of(checkout) == "Checkout"
    assert ["eventType"] == extra["required"] == list(extra["properties"])


# ---------------------------------------------------------------- Where facts come from


def test_enough_things_are_looked_at() -> None:
    """
    The search for what needs a source finds schemas, properties, parameters, responses, operations and rules.
    """
    groups = Counter(path.split("/")[-2] for path in SOURCED if "/" in path)
    assert len(DESCRIPTION["components"]["schemas"]) == groups["schemas"]
    assert len(DESCRIPTION["components"]["parameters"]) == groups["parameters"]
    # Those of the tables and x402_url; the old error's message; eventType, and its value in each webhook.
    assert sum(map(len, FIELDS.values())) + 1 + 1 + 1 + len(EVENTS) == groups["properties"]
    # Nine shared answers, six successes, and two for each webhook.
    assert 9 + 6 + 2 * len(EVENTS) == groups["responses"]
    assert len(RULES) == groups["x-rule"]
    assert len(OPERATIONS) + len(EVENTS) == sum("operationId" in node for node in SOURCED.values())


@pytest.mark.parametrize("path", SOURCED)
def test_everything_tells_its_source(path: str) -> None:
    """
    Each schema, property, parameter, response, operation, server and rule has an x-source.
    """
    assert "x-source" in SOURCED[path]


def test_sources_name_a_document_and_a_standing() -> None:
    """
    Every x-source names documents of x-documents and one of the three standings, and at most adds a note.
    """
    sources = [node["x-source"] for _, node in walk(DESCRIPTION) if isinstance(node, dict) and "x-source" in node]
    assert len(sources) >= len(SOURCED)
    for source in [*sources, *(entry["x-source"] for entry in INDEX["examples"].values())]:
        assert {"document", "standing"} <= set(source) <= {"document", "standing", "note"}, source
        assert source["document"], source
        assert set() == set(source["document"]) - set(DESCRIPTION["x-documents"]), source
        assert source["standing"] in {"documented", "assumed"}, "nothing was recorded live, so nothing is observed"


def test_every_document_is_used() -> None:
    """
    x-documents lists only what something comes from.
    """
    used = {
        name
        for _, node in walk(DESCRIPTION)
        if isinstance(node, dict) and "x-source" in node
        for name in node["x-source"]["document"]
    }
    assert set(DESCRIPTION["x-documents"]) == used


def test_every_rule_has_an_id_of_its_own_and_a_sentence() -> None:
    """
    An x-rule is an id that no other has, one sentence, and its source.
    """
    assert len(RULES) > 40
    assert [] == [name for name, times in Counter(rule["id"] for rule in RULES).items() if times > 1]
    for rule in RULES:
        assert {"id", "rule", "x-source"} == set(rule), rule
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*", rule["id"])
        assert re.fullmatch(r"\S.*[^.\s]\.", rule["rule"]), rule


# ---------------------------------------------------------------- The published examples


@dataclass(frozen=True)
class Example:
    """One file of spec/examples with what the index tells about it."""

    file: str
    what: str
    of: str
    status: str | None
    source: Json
    quirks: dict[str, str]
    body: Json

    @property
    def schema(self) -> Json:
        """Refers to what the body has to match."""
        body = "content/application~1json/schema"
        if self.what == "event":
            return {"$ref": f"urn:description#/webhooks/{self.of}/post/requestBody/{body}"}
        if self.what == "error":
            return {"$ref": f"urn:description#/components/schemas/{self.of}"}
        method, path, _ = operations()[self.of]
        part = "requestBody" if self.what == "request" else f"responses/{self.status}"
        return {"$ref": f"urn:description#/paths/{path.replace('/', '~1')}/{method}/{part}/{body}"}

    @property
    def checkouts(self) -> list[Json]:
        """The checkouts in the body."""
        if self.what not in {"response", "event"}:
            return []
        return list(self.body.get("checkouts", [self.body]))

    @property
    def read(self) -> datetime:
        """When its document was read."""
        return max(instant(DESCRIPTION["x-documents"][name]["read"]) for name in self.source["document"])


def examples() -> Iterator[Example]:
    for file, entry in INDEX["examples"].items():
        body = json.loads((SPEC / "examples" / file).read_text(encoding="utf-8"))
        quirks = {quirk["id"]: quirk["sentence"] for quirk in entry.get("quirks", [])}
        yield Example(file, entry["what"], entry["of"], entry.get("status"), entry["x-source"], quirks, body)


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
REGISTRY: Final = EMPTY_REGISTRY.with_resource("urn:description", DRAFT202012.create_resource(DESCRIPTION))


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
    status = EXAMPLES[file].status
    for name, (method, path, operation) in operations().items():
        if status in operation["responses"]:
            pointer = f"{path.replace('/', '~1')}/{method}/responses/{status}"
            response = at(f"#/paths/{pointer}").get("$ref", f"#/paths/{pointer}")
            schema = {"$ref": f"urn:description{response}/content/application~1json/schema"}
            assert [] == faults(EXAMPLES[file].body, schema), name


@pytest.mark.parametrize("event", EVENTS)
def test_a_sample_is_of_one_event_only(event: str) -> None:
    """
    A webhook's schema takes its own published sample and none of another event.
    """
    schema = {"$ref": f"urn:description#/webhooks/{event}/post/requestBody/content/application~1json/schema"}
    for example in EXAMPLES.values():
        if example.what == "event":
            assert (event == example.of) == (faults(example.body, schema) == []), example.file


FORMATTED: Final = [
    (field.removesuffix("!"), keywords["format"])
    for field, keywords in FIELDS["Checkout"].items()
    if "format" in keywords
]
MALFORMED: Final = {
    "date-time": ["yesterday", "2024-03-20", "2024-03-20T10:30:00", "2024-13-20T10:30:00Z", "1711000000"],
    "uri": ["not a uri", "/payment-links/pl_1", "", "https://exa mple.com"],
}


@pytest.mark.parametrize(("field", "format_"), FORMATTED)
def test_formats_bite(field: str, format_: str) -> None:
    """
    A malformed time or URI in a checkout is refused, so that the examples' match means something.
    """
    body = deepcopy(EXAMPLES["getCheckout.response-gen-2.json"].body)
    for malformed in MALFORMED[format_]:
        body[field] = malformed
        assert [f"$.{field}: {malformed!r} is not a {format_!r}"] == faults(
            body, {"$ref": "urn:description#/components/schemas/Checkout"}
        )


def test_unknown_fields_are_no_fault() -> None:
    """
    A checkout with a field nobody documented still matches: the service adds some without notice.
    """
    body = {**EXAMPLES["getCheckout.response-gen-2.json"].body, "brandNew": {"a": [None]}}
    assert [] == faults(body, {"$ref": "urn:description#/components/schemas/Checkout"})


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


# Whether an example obeys a rule; true where the rule has nothing to say.
OBEYS: Final[dict[str, Callable[[Example], bool]]] = {
    "example.total-is-amount": in_every_checkout(total_is_amount),
    "example.expires-later": in_every_checkout(
        lambda it: "expiresAt" not in it or instant(it["createdAt"]) < instant(it["expiresAt"])
    ),
    "example.no-placeholder": lambda example: "<string>" not in texts(example.body),
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
}


def test_the_checked_rules_are_rules() -> None:
    """
    Each rule that examples are held against is one of the description, or told in the index.
    """
    own = INDEX["rules"]
    assert {rule for rule in OBEYS if rule.startswith("example.")} == set(own)
    assert set() == set(OBEYS) - set(own) - {rule["id"] for rule in RULES}


@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_breaks_just_the_rules_its_quirks_name(file: str) -> None:
    """
    Every quirk in the index is really there, and there is no other.
    """
    example = EXAMPLES[file]
    assert set(example.quirks) == {rule for rule, obeys in OBEYS.items() if not obeys(example)}
    assert all(sentence.endswith(".") for sentence in example.quirks.values())
