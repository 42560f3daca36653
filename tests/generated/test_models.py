"""
The compiled models on data that nobody documented: nothing is lost, nothing breaks.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinbase_checkouts_api.api.checkouts import list_checkouts
from coinbase_checkouts_api.models import (
    Checkout,
    CheckoutList,
    CheckoutMetadata,
    CheckoutStatus,
    CreateCheckoutRequest,
    EventType,
    Network,
    Refund,
    RefundResult,
    RefundStatus,
    Settlement,
)
from coinbase_checkouts_api.types import Unset
from coinbase_webhook_subscriptions_api.api.webhook_subscriptions import list_webhook_subscription_events
from coinbase_webhook_subscriptions_api.models import (
    WebhookEventList,
    WebhookEventStatus,
    WebhookSubscription,
    WebhookSubscriptionList,
    WebhookSubscriptionMetadata,
    WebhookSubscriptionRequest,
    WebhookTargetRequest,
    WebhookTargetRequestMethod,
)

from .compiled import CHECKOUTS, COPIES, SUBSCRIPTIONS, Compiled, Json, as_instants, by_name, instant, steady

OpenEnum = (
    type[CheckoutStatus]
    | type[RefundStatus]
    | type[Network]
    | type[EventType]
    | type[WebhookEventStatus]
    | type[WebhookTargetRequestMethod]
)

SPEC = Path(__file__).resolve().parents[2] / "spec"
BOTH: Final = {"openapi.yaml": CHECKOUTS, "webhook-subscriptions.yaml": SUBSCRIPTIONS}
SCHEMAS: Json = CHECKOUTS.schemas
smallest, largest = CHECKOUTS.smallest, CHECKOUTS.largest
# With the values that are described.
ENUMS: dict[OpenEnum, list[str]] = {
    **{enum: SCHEMAS[enum.__name__]["enum"] for enum in (CheckoutStatus, RefundStatus, Network, EventType)},
    WebhookEventStatus: SUBSCRIPTIONS.schemas["WebhookEventStatus"]["enum"],
    WebhookTargetRequestMethod: SUBSCRIPTIONS.schemas["WebhookTargetRequest"]["properties"]["method"]["enum"],
}

# ---------------------------------------------------------------- Made from the descriptions

ANSWERS = {
    CHECKOUTS: [
        *("Checkout", "CheckoutList", "CheckoutEvent", "Settlement", "Refund", "RefundResult"),
        *("ErrorBody", "ErrorListBody", "ErrorListItem", "LegacyErrorBody"),
    ],
    SUBSCRIPTIONS: [
        *("WebhookSubscription", "WebhookSubscriptionList", "WebhookTarget"),
        *("WebhookEventList", "WebhookEvent", "WebhookEventResponseDetail", "ErrorBody"),
    ],
}
REQUESTS = {
    CHECKOUTS: {"CreateCheckoutRequest", "RefundCheckoutRequest"},
    SUBSCRIPTIONS: {"WebhookSubscriptionRequest", "WebhookTargetRequest"},
}


def shapes() -> Iterator[tuple[Compiled, str, Json]]:
    """The models of what comes from the service. That of an inline schema is named after the path to it."""
    for it, names in ANSWERS.items():
        for name in names:
            yield it, name, it.schemas[name]
    yield CHECKOUTS, "LegacyErrorBodyError", SCHEMAS["LegacyErrorBody"]["properties"]["error"]
    metadata = SUBSCRIPTIONS.schemas["WebhookSubscription"]["properties"]["metadata"]
    yield SUBSCRIPTIONS, "WebhookSubscriptionMetadata", metadata


SHAPES = [pytest.param(it, name, schema, id=f"{name}-{it.name}") for it, name, schema in shapes()]
OPTIONAL = [
    pytest.param(it, name, schema, field, id=f"{name}.{field}-{it.name}")
    for it, name, schema in shapes()
    for field in it.flat(schema)["properties"]
    if field not in it.flat(schema)["required"]
]
each_shape = pytest.mark.parametrize(("it", "name", "schema"), SHAPES)
each_optional_field = pytest.mark.parametrize(("it", "name", "schema", "field"), OPTIONAL)


def checkout(**fields: object) -> Json:
    return {**smallest(SCHEMAS["Checkout"]), **fields}


def subscription(**fields: object) -> Json:
    return {**SUBSCRIPTIONS.smallest(SUBSCRIPTIONS.schemas["WebhookSubscription"]), **fields}


# ---------------------------------------------------------------- Open enums


def test_the_enums_are_the_described_ones() -> None:
    """
    Every enum of the descriptions is compiled into one that is tested here.
    """
    compiled = {
        value
        for it in BOTH.values()
        for value in vars(it.models).values()
        if isinstance(value, type) and issubclass(value, StrEnum)
    }
    assert compiled == set(ENUMS)
    described = {name for it in BOTH.values() for name, schema in it.schemas.items() if "enum" in schema}
    assert described | {"WebhookTargetRequestMethod"} == {enum.__name__ for enum in ENUMS}


@pytest.mark.parametrize("enum", ENUMS)
def test_a_known_value_is_known(enum: OpenEnum) -> None:
    """
    Each described value is a member, equal to its text, and says that it is known.
    """
    for value in ENUMS[enum]:
        member = enum(value)
        assert value == member
        assert member.is_known
        assert member in list(enum)


@pytest.mark.parametrize("enum", ENUMS)
@pytest.mark.parametrize("text", ["ON_HOLD", "active", "", "two words", "naïve ✓", "__class__", "name", "mro"])
def test_an_unknown_value_keeps_its_text(enum: OpenEnum, text: str) -> None:
    """
    A text that is not described becomes a member of that text that says that it is unknown.
    """
    member = enum(text)
    assert isinstance(member, enum)
    assert text == member == member.value == str(member) == f"{member}"
    assert json.dumps(text) == json.dumps(member)
    assert not member.is_known
    assert text in repr(member)


@pytest.mark.parametrize("enum", ENUMS)
def test_an_unknown_value_is_not_remembered(enum: OpenEnum) -> None:
    """
    Meeting an unknown value adds nothing to the enum, so it does not become known or fill the memory.
    """
    before = list(enum)
    enum("ON_HOLD")
    assert before == list(enum)
    assert not enum("ON_HOLD").is_known
    with pytest.raises(KeyError):
        enum["ON_HOLD"]


@pytest.mark.parametrize("enum", ENUMS)
def test_unknown_values_compare_by_text(enum: OpenEnum) -> None:
    """
    Two members of one unknown text are equal, hash alike, and differ from others.
    """
    assert enum("ON_HOLD") == enum("ON_HOLD")
    assert {enum("ON_HOLD")} == {enum("ON_HOLD"), enum("ON_HOLD")}
    assert enum("ON_HOLD") != enum("ONHOLD")
    assert all(enum("ON_HOLD") != member for member in enum)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("enum", ENUMS)
def test_an_unknown_value_survives_copies(enum: OpenEnum, way: str) -> None:
    """
    Copied or pickled, a member of an unknown text is an equal member of the same enum.
    """
    again = COPIES[way](enum("ON_HOLD"))
    assert enum("ON_HOLD") == again
    assert isinstance(again, enum)
    assert not again.is_known


@pytest.mark.parametrize("enum", ENUMS)
@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}, ["ACTIVE"]])
def test_a_value_that_is_no_text_is_refused(enum: OpenEnum, value: Any) -> None:
    """
    Only texts are an open set; anything else is a ValueError.
    """
    with pytest.raises(ValueError, match="is not a valid"):
        enum(value)


def test_an_unknown_status_goes_through_a_checkout() -> None:
    """
    A checkout with unknown status and network, and refunds of unknown status, is read and written as it came.
    """
    refund = {**smallest(SCHEMAS["Refund"]), "status": "REVERSED"}
    data = checkout(status="ON_HOLD", network="solana", refunds=[refund, {**refund, "status": "PENDING"}])
    read = Checkout.from_dict(data)
    assert not isinstance(read.refunds, Unset)
    assert [False, True] == [it.status.is_known for it in read.refunds]
    assert (False, False) == (read.status.is_known, read.network.is_known)
    assert data == read.to_dict()
    for way in COPIES.values():
        assert read == way(read)
        assert data == way(read).to_dict()


def test_unknown_statuses_go_through_a_list() -> None:
    """
    A page of checkouts keeps each one's unknown status.
    """
    data = {"checkouts": [checkout(status=status) for status in ("ON_HOLD", "ACTIVE", "ON_HOLD")]}
    page = CheckoutList.from_dict(data)
    assert [False, True, False] == [it.status.is_known for it in page.checkouts]
    assert data == page.to_dict()


def test_unknown_statuses_can_be_asked_for() -> None:
    """
    The filter of a listing sends unknown statuses as their text.
    """
    asked = list_checkouts._get_kwargs(status=[CheckoutStatus.ACTIVE, CheckoutStatus("ON_HOLD")])
    assert ["ACTIVE", "ON_HOLD"] == asked["params"]["status"]


# ---------------------------------------------------------------- Absence, null, unknown fields


def test_every_answer_is_looked_at() -> None:
    """
    The schemas tested are all objects that come from the service, as requests and enums do not.
    """
    for it, answers in ANSWERS.items():
        objects = {name for name, schema in it.schemas.items() if "enum" not in schema}
        assert objects - REQUESTS[it] == set(answers)
    of_checkouts = 13 + 1 + 13 + 4 + 7 + 2 + 1
    of_subscriptions = 7 + 1 + 1 + 2 + 4 + 2 + 1
    assert of_checkouts + of_subscriptions == len(OPTIONAL)


@each_optional_field
def test_null_in_an_optional_field_is_absence(it: Compiled, name: str, schema: Json, field: str) -> None:
    """
    A null where a value is optional reads like no field at all, and is not written back.
    """
    without = it.smallest(schema)
    with_null = it.model(name, {**without, field: None})
    assert it.model(name, without) == with_null
    assert without == with_null.to_dict()


@each_optional_field
def test_an_absent_field_is_unset(it: Compiled, name: str, schema: Json, field: str) -> None:
    """
    A full object without one optional field is read and written without that one.
    """
    data = it.largest(schema)
    del data[field]
    assert data == it.model(name, data).to_dict()


@each_shape
def test_all_fields_go_through(it: Compiled, name: str, schema: Json) -> None:
    """
    An object with every described field is written as it came, and none of its fields is taken for unknown.
    """
    data = it.largest(schema)
    read = it.model(name, data)
    assert data == read.to_dict()
    assert [] == read.additional_keys


@each_shape
@pytest.mark.parametrize("value", [None, "text", 1.5, True, [None, {"a": []}], {"deep": {"er": None}}], ids=repr)
def test_unknown_fields_are_kept(it: Compiled, name: str, schema: Json, value: object) -> None:
    """
    A field that is not described is there by its name and written back, null included.
    """
    data = {**it.largest(schema), "brandNew": value, "snake_case": value, "additional_properties": value}
    read = it.model(name, data)
    assert value == read["brandNew"]
    assert ["brandNew", "snake_case", "additional_properties"] == read.additional_keys
    assert data == read.to_dict()


def test_unknown_fields_are_kept_at_every_depth() -> None:
    """
    Unknown fields inside settlement, metadata and refunds are written back too.
    """
    data = largest(SCHEMAS["CheckoutList"])
    page = data["checkouts"][0]
    for part in (data, page, page["settlement"], page["metadata"], page["refunds"][0]):
        part["brandNew"] = {"a": [1, None]}
    assert data == CheckoutList.from_dict(data).to_dict()


def test_unknown_fields_of_subscriptions_are_kept_at_every_depth() -> None:
    """
    Unknown fields inside target, metadata, labels and a delivery's answer are written back too.
    """
    data = SUBSCRIPTIONS.largest(SUBSCRIPTIONS.schemas["WebhookSubscriptionList"])
    one = data["subscriptions"][0]
    for part in (data, one, one["target"], one["target"]["headers"], one["metadata"], one["labels"]):
        part["brandNew"] = {"a": [1, None]}
    assert data == WebhookSubscriptionList.from_dict(data).to_dict()
    log = SUBSCRIPTIONS.largest(SUBSCRIPTIONS.schemas["WebhookEventList"])
    for part in (log, log["events"][0], log["events"][0]["response"]):
        part["brandNew"] = {"a": [1, None]}
    assert log == WebhookEventList.from_dict(log).to_dict()


def test_reading_leaves_the_data_alone() -> None:
    """
    The object that is read is not changed by it.
    """
    data = {**largest(SCHEMAS["CheckoutEvent"]), "brandNew": None}
    before = copy.deepcopy(data)
    CHECKOUTS.model("CheckoutEvent", data).to_dict()
    assert before == data


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("file", BOTH)
def test_unset_is_one(file: str, way: str) -> None:
    """
    A copy of UNSET is UNSET itself: models compare by identity.
    """
    unset = BOTH[file].unset
    assert unset is COPIES[way](unset)
    assert not unset
    assert "UNSET" == repr(unset)


@pytest.mark.parametrize("way", COPIES)
@each_shape
@pytest.mark.parametrize("make", [Compiled.smallest, Compiled.largest])
def test_models_survive_copies(
    it: Compiled, name: str, schema: Json, way: str, make: Callable[[Compiled, Json], Any]
) -> None:
    """
    A copied or pickled model, with fields unset or not, is equal and still becomes JSON.
    """
    data = {**make(it, schema), "brandNew": None}
    again = COPIES[way](it.model(name, data))
    assert it.model(name, data) == again
    assert data == json.loads(json.dumps(again.to_dict()))


def test_a_deep_copy_shares_nothing() -> None:
    """
    Changing a deep copy changes only the copy.
    """
    read = Checkout.from_dict(largest(SCHEMAS["Checkout"]))
    again = copy.deepcopy(read)
    assert isinstance(again.metadata, CheckoutMetadata)
    again.metadata["a"] = "changed"
    assert largest(SCHEMAS["Checkout"]) == read.to_dict()


# ---------------------------------------------------------------- Times


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-03-20T10:30:00Z", "2024-03-20T10:30:00Z"),
        ("2024-03-20t10:30:00z", "2024-03-20T10:30:00Z"),
        ("2025-11-13T20:15:49.329Z", "2025-11-13T20:15:49.329000Z"),
        ("2025-09-10T13:58:38.681893Z", "2025-09-10T13:58:38.681893Z"),
        ("2025-11-13T20:16:55.097011545Z", "2025-11-13T20:16:55.097011Z"),
        ("2025-11-13T20:16:55.999999999Z", "2025-11-13T20:16:55.999999Z"),
        ("2024-03-20T10:30:00+00:00", "2024-03-20T10:30:00Z"),
        ("2024-03-20T10:30:00-00:00", "2024-03-20T10:30:00Z"),
        ("2024-03-20T10:30:00+05:45", "2024-03-20T04:45:00Z"),
        ("2024-01-01T00:00:00+14:00", "2023-12-31T10:00:00Z"),
        ("2024-02-28T23:59:59.5-01:00", "2024-02-29T00:59:59.500000Z"),
    ],
)
def test_times_are_read_and_written_in_utc(written: str, expected: str) -> None:
    """
    Any fraction, case and offset is read; what goes out is the same instant with a Z.
    """
    read = Checkout.from_dict(checkout(createdAt=written, expiresAt=written))
    assert (expected, expected) == (read.to_dict()["createdAt"], read.to_dict()["expiresAt"])


@steady
@given(
    moment=st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2999, 12, 30)),  # noqa: DTZ001
    fraction=st.text("0123456789", max_size=12),
    offset=st.one_of(
        st.sampled_from(["Z", "z"]),
        st.builds(
            "{}{:02}:{:02}".format,
            st.sampled_from("+-"),
            st.integers(min_value=0, max_value=23),
            st.integers(min_value=0, max_value=59),
        ),
    ),
    separator=st.sampled_from("Tt"),
)
def test_any_fraction_and_offset_is_the_same_instant(
    moment: datetime, fraction: str, offset: str, separator: str
) -> None:
    """
    Whatever RFC 3339 allows is read to the microsecond, and goes out as that instant in UTC.
    """
    day, clock = f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}" + ("." + fraction if fraction else "")
    read = Checkout.from_dict(checkout(updatedAt=f"{day}{separator}{clock}{offset}"))
    written = read.to_dict()["updatedAt"]
    assert instant(day, clock, offset) == read.updated_at == as_instants(written)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", written)


def test_a_time_with_an_offset_goes_out_in_utc() -> None:
    """
    A caller's time of another zone is sent as the same instant with a Z.
    """
    there = datetime(2026, 11, 20, 10, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert "2026-11-20T15:30:00Z" == CreateCheckoutRequest("1", "USDC", expires_at=there).to_dict()["expiresAt"]
    asked = list_checkouts._get_kwargs(start_time=there, end_time=there)
    assert ("2026-11-20T15:30:00Z",) * 2 == (asked["params"]["startTime"], asked["params"]["endTime"])


# ---------------------------------------------------------------- Round trips


def example_model(it: Compiled, entry: Json) -> str:
    """The name of the model for an entry of the examples' index."""
    if entry["what"] == "event":
        return "CheckoutEvent"
    if entry["what"] == "error":
        return str(entry["of"])
    operation = next(
        operation
        for item in it.description["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and operation["operationId"] == entry["of"]
    )
    part = operation["requestBody"] if entry["what"] == "request" else operation["responses"][entry["status"]]
    return str(part["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]


EXAMPLES = {
    file: (BOTH[entry.get("in", "openapi.yaml")], entry)
    for file, entry in tomllib.loads((SPEC / "examples" / "index.toml").read_text(encoding="utf-8"))["examples"].items()
}


@pytest.mark.parametrize("file", EXAMPLES)
def test_a_published_example_goes_through(file: str) -> None:
    """
    Every published body is read into its model, which knows all its fields, and written back with the same values.
    """
    it, entry = EXAMPLES[file]
    name = example_model(it, entry)
    body = json.loads((SPEC / "examples" / file).read_text(encoding="utf-8"))
    read = it.model(name, body)
    assert as_instants(body) == as_instants(read.to_dict())
    assert [] == read.additional_keys
    assert read == it.model(name, read.to_dict())
    for way in COPIES.values():
        assert read == way(read)


def test_a_refund_result_goes_through() -> None:
    """
    The answer to a refund, the checkout and the refund beside it, is read and written back.
    """
    body = json.loads((SPEC / "examples" / "checkout.refund.success.sample.json").read_text(encoding="utf-8"))
    del body["eventType"]
    data = {"checkout": body, "refund": body["refunds"][0]}
    read = RefundResult.from_dict(data)
    assert not isinstance(read.checkout.refunds, Unset)
    assert read.checkout.refunds == [read.refund]
    assert as_instants(data) == as_instants(read.to_dict())


def goes_through(it: Compiled, name: str, data: Json) -> None:
    read = it.model(name, data)
    written = read.to_dict()
    assert by_name(data, "") == by_name(written, "")
    assert written == json.loads(json.dumps(written))
    assert read == it.model(name, written)
    for way in (copy.copy, copy.deepcopy, COPIES["pickle 5"]):
        assert read == way(read)
        assert written == way(read).to_dict()


@steady
@given(data=CHECKOUTS.values(SCHEMAS["Checkout"]))
def test_any_checkout_goes_through(data: Json) -> None:
    """
    A checkout with any described fields, other enum values and unknown fields is written back with the same values.
    """
    goes_through(CHECKOUTS, "Checkout", data)


@steady
@given(data=SUBSCRIPTIONS.values(SUBSCRIPTIONS.schemas["WebhookSubscription"]))
def test_any_subscription_goes_through(data: Json) -> None:
    """
    So is a subscription.
    """
    goes_through(SUBSCRIPTIONS, "WebhookSubscription", data)


@steady
@given(data=SUBSCRIPTIONS.values(SUBSCRIPTIONS.schemas["WebhookEventList"]))
def test_any_log_of_deliveries_goes_through(data: Json) -> None:
    """
    So is a subscription's log, with statuses nobody has heard of.
    """
    goes_through(SUBSCRIPTIONS, "WebhookEventList", data)


def test_the_parts_are_models() -> None:
    """
    What is nested in a checkout is read into models of its own.
    """
    read = Checkout.from_dict(largest(SCHEMAS["Checkout"]))
    assert not isinstance(read.refunds, Unset)
    parts = (read.metadata, read.settlement, *read.refunds)
    assert [CheckoutMetadata, Settlement, Refund] == [type(part) for part in parts]


@pytest.mark.parametrize("name", ["id", "url", "amount", "currency", "address"])
def test_null_in_a_required_text_is_as_if_it_were_missing(name: str) -> None:
    """
    A model never has None where its type says text: a required null is the same KeyError as absence.
    """
    path = SPEC / "examples" / "getCheckout.response-gen-2.json"
    body = json.loads(path.read_text(encoding="utf-8"))
    for broken in ({**body, name: None}, {key: value for key, value in body.items() if key != name}):
        with pytest.raises(KeyError) as caught:
            Checkout.from_dict(broken)
        assert caught.value.args == (name,)


@pytest.mark.parametrize(
    ("model", "name"), [("WebhookEvent", "retryCount"), ("WebhookSubscription", "isEnabled"), ("WebhookTarget", "url")]
)
def test_null_in_a_required_number_or_flag_is_as_if_it_were_missing(model: str, name: str) -> None:
    """
    So it is with numbers and flags.
    """
    whole = SUBSCRIPTIONS.smallest(SUBSCRIPTIONS.schemas[model])
    for broken in ({**whole, name: None}, {key: value for key, value in whole.items() if key != name}):
        with pytest.raises(KeyError) as caught:
            SUBSCRIPTIONS.model(model, broken)
        assert caught.value.args == (name,)


# ---------------------------------------------------------------- Subscriptions


def test_an_unknown_status_goes_through_a_log() -> None:
    """
    An event in an unknown status is read and written as it came.
    """
    event = SUBSCRIPTIONS.smallest(SUBSCRIPTIONS.schemas["WebhookEvent"])
    data = {"events": [{**event, "status": status} for status in ("parked", "succeeded")]}
    read = WebhookEventList.from_dict(data)
    assert [False, True] == [it.status.is_known for it in read.events]
    assert data == read.to_dict()


def test_a_subscription_to_anything_is_read() -> None:
    """
    Event types are an open set of texts, in their order, repeated or not.
    """
    names = ["checkout.refund.success", "brand.new", "wallet.activity.detected", "brand.new", ""]
    assert names == WebhookSubscription.from_dict(subscription(eventTypes=names)).event_types


@pytest.mark.parametrize(
    "secret", ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000", "ß"]
)
def test_a_secret_is_read_to_the_letter(secret: str) -> None:
    """
    At the root or in metadata, as UUID or not: it is a text, and the same text.
    """
    read = WebhookSubscription.from_dict(subscription(secret=secret))
    assert (secret, False) == (read.secret, bool(read.metadata))
    read = WebhookSubscription.from_dict(subscription(metadata={"secret": secret, "a": [1]}))
    assert not read.secret
    assert isinstance(read.metadata, WebhookSubscriptionMetadata)
    assert (secret, [1]) == (read.metadata.secret, read.metadata["a"])


def test_a_request_is_what_is_sent() -> None:
    """
    A request made by hand is the published one, field by field.
    """
    body = json.loads((SPEC / "examples" / "createWebhookSubscription.request.json").read_text(encoding="utf-8"))
    target = WebhookTargetRequest("https://your-webhook-url.com", method=WebhookTargetRequestMethod.POST)
    made = WebhookSubscriptionRequest(
        body["eventTypes"], is_enabled=True, target=target, description=body["description"]
    )
    assert body == json.loads(json.dumps(made.to_dict()))


def test_a_log_is_asked_for_in_utc() -> None:
    """
    The filters of a log go out under their names, a time of another zone as the same instant with a Z.
    """
    there = datetime(2026, 11, 20, 10, 30, tzinfo=timezone(timedelta(hours=-5)))
    asked = list_webhook_subscription_events._get_kwargs(
        "123e4567-e89b-12d3-a456-426614174000", min_created_at=there, event_type_names="checkout.payment.success"
    )
    assert "/platform/v2/data/webhooks/subscriptions/123e4567-e89b-12d3-a456-426614174000/events" == asked["url"]
    assert {"minCreatedAt": "2026-11-20T15:30:00Z", "eventTypeNames": "checkout.payment.success"} == asked["params"]
