"""
The compiled models on data that nobody documented: nothing is lost, nothing breaks.
"""

from __future__ import annotations

import copy
import json
import pickle
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coinbase_checkouts_api
from coinbase_checkouts_api import models
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
from coinbase_checkouts_api.types import UNSET, Unset

Json = dict[str, Any]
OpenEnum = type[CheckoutStatus] | type[RefundStatus] | type[Network] | type[EventType]

SPEC = Path(__file__).resolve().parents[2] / "spec"
DESCRIPTION: Json = json.loads(
    (Path(coinbase_checkouts_api.__file__).parent / "openapi.json").read_text(encoding="utf-8")
)
SCHEMAS: Json = DESCRIPTION["components"]["schemas"]
ENUMS: list[OpenEnum] = [CheckoutStatus, RefundStatus, Network, EventType]


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda it: pickle.loads(pickle.dumps(it, protocol))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}
# The same examples in the same order in every run, however slow the machine.
steady = settings(derandomize=True, deadline=None, max_examples=150)

# ---------------------------------------------------------------- Made from the description


def flat(schema: Json) -> Json:
    """*schema* with what it refers to and what it is all of."""
    whole: Json = {"properties": {}, "required": []}
    referred = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    for part in [*([flat(referred)] if referred else []), *(flat(one) for one in schema.get("allOf", [])), schema]:
        properties = {**whole["properties"], **part.get("properties", {})}
        required = [*whole["required"], *part.get("required", [])]
        whole = {**whole, **part, "properties": properties, "required": required}
    return whole


def smallest(schema: Json) -> Any:
    """A value with nothing but what is required."""
    whole = flat(schema)
    if whole["properties"]:
        return {name: smallest(whole["properties"][name]) for name in whole["required"]}
    if "enum" in whole:
        return whole["enum"][0]
    if whole.get("format") == "date-time":
        return "2026-11-20T10:30:00Z"
    return {"string": "text", "array": [], "object": {}}[whole["type"]]


def largest(schema: Json) -> Any:
    """A value with everything that is described."""
    whole = flat(schema)
    if whole["properties"]:
        return {name: largest(value) for name, value in whole["properties"].items()}
    if whole.get("type") == "array":
        return [largest(whole["items"])]
    return {"a": "b"} if whole.get("type") == "object" else smallest(schema)


ANSWERS = [
    *("Checkout", "CheckoutList", "CheckoutEvent", "Settlement", "Refund", "RefundResult"),
    *("ErrorBody", "ErrorListBody", "ErrorListItem", "LegacyErrorBody"),
]
# The compiler names the model of an inline schema after the path to it.
SHAPES: dict[str, Json] = {
    **{name: SCHEMAS[name] for name in ANSWERS},
    "LegacyErrorBodyError": SCHEMAS["LegacyErrorBody"]["properties"]["error"],
}
OPTIONAL = [
    (name, field)
    for name, schema in SHAPES.items()
    for field in flat(schema)["properties"]
    if field not in flat(schema)["required"]
]


def model(name: str, data: Json) -> Any:
    return getattr(models, name).from_dict(data)


def checkout(**fields: object) -> Json:
    return {**smallest(SCHEMAS["Checkout"]), **fields}


def as_instants(node: Any) -> Any:
    """*node* with every RFC 3339 text replaced by the instant it names."""
    if isinstance(node, dict):
        return {key: as_instants(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_instants(value) for value in node]
    if isinstance(node, str) and (found := re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt](\S+?)([Zz]|[+-]\d\d:\d\d)", node)):
        return instant(*found.groups())
    return node


def instant(day: str, time: str, offset: str) -> datetime:
    """By arithmetic, not by the parser under test; digits after the microsecond are dropped."""
    clock, _, fraction = time.partition(".")
    moment = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    moment += timedelta(microseconds=int((fraction + "000000")[:6]))
    if offset in {"Z", "z"}:
        return moment
    sign = -1 if offset[0] == "+" else 1
    return moment + sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))


# ---------------------------------------------------------------- Open enums


def test_the_enums_are_the_described_ones() -> None:
    """
    Every enum of the description is compiled into one that is tested here.
    """
    assert {name for name, schema in SCHEMAS.items() if "enum" in schema} == {enum.__name__ for enum in ENUMS}


@pytest.mark.parametrize("enum", ENUMS)
def test_a_known_value_is_known(enum: OpenEnum) -> None:
    """
    Each described value is a member, equal to its text, and says that it is known.
    """
    for value in SCHEMAS[enum.__name__]["enum"]:
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
    others = {"CreateCheckoutRequest", "RefundCheckoutRequest", *(enum.__name__ for enum in ENUMS)}
    assert set(SCHEMAS) - others == set(ANSWERS)
    assert 13 + 1 + 13 + 4 + 7 + 2 + 1 == len(OPTIONAL)


@pytest.mark.parametrize(("name", "field"), OPTIONAL)
def test_null_in_an_optional_field_is_absence(name: str, field: str) -> None:
    """
    A null where a value is optional reads like no field at all, and is not written back.
    """
    without = smallest(SHAPES[name])
    with_null = model(name, {**without, field: None})
    assert model(name, without) == with_null
    assert without == with_null.to_dict()


@pytest.mark.parametrize(("name", "field"), OPTIONAL)
def test_an_absent_field_is_unset(name: str, field: str) -> None:
    """
    A full object without one optional field is read and written without that one.
    """
    data = largest(SHAPES[name])
    del data[field]
    assert data == model(name, data).to_dict()


@pytest.mark.parametrize("name", SHAPES)
def test_all_fields_go_through(name: str) -> None:
    """
    An object with every described field is written as it came, and none of its fields is taken for unknown.
    """
    data = largest(SHAPES[name])
    read = model(name, data)
    assert data == read.to_dict()
    assert [] == read.additional_keys


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("value", [None, "text", 1.5, True, [None, {"a": []}], {"deep": {"er": None}}], ids=repr)
def test_unknown_fields_are_kept(name: str, value: object) -> None:
    """
    A field that is not described is there by its name and written back, null included.
    """
    data = {**largest(SHAPES[name]), "brandNew": value, "snake_case": value, "additional_properties": value}
    read = model(name, data)
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


def test_reading_leaves_the_data_alone() -> None:
    """
    The object that is read is not changed by it.
    """
    data = {**largest(SCHEMAS["CheckoutEvent"]), "brandNew": None}
    before = copy.deepcopy(data)
    model("CheckoutEvent", data).to_dict()
    assert before == data


@pytest.mark.parametrize("way", COPIES)
def test_unset_is_one(way: str) -> None:
    """
    A copy of UNSET is UNSET itself: models compare by identity.
    """
    assert UNSET is COPIES[way](UNSET)
    assert not UNSET
    assert "UNSET" == repr(UNSET)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("make", [smallest, largest])
def test_models_survive_copies(name: str, way: str, make: Callable[[Json], Any]) -> None:
    """
    A copied or pickled model, with fields unset or not, is equal and still becomes JSON.
    """
    data = {**make(SHAPES[name]), "brandNew": None}
    again = COPIES[way](model(name, data))
    assert model(name, data) == again
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


def example_model(entry: Json) -> str:
    """The name of the model for an entry of the examples' index."""
    if entry["what"] == "event":
        return "CheckoutEvent"
    if entry["what"] == "error":
        return str(entry["of"])
    operation = next(
        operation
        for item in DESCRIPTION["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and operation["operationId"] == entry["of"]
    )
    part = operation["requestBody"] if entry["what"] == "request" else operation["responses"][entry["status"]]
    return str(part["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]


EXAMPLES = {
    file: example_model(entry)
    for file, entry in tomllib.loads((SPEC / "examples" / "index.toml").read_text(encoding="utf-8"))["examples"].items()
}


@pytest.mark.parametrize("file", EXAMPLES)
def test_a_published_example_goes_through(file: str) -> None:
    """
    Every published body is read into its model, which knows all its fields, and written back with the same values.
    """
    body = json.loads((SPEC / "examples" / file).read_text(encoding="utf-8"))
    read = model(EXAMPLES[file], body)
    assert as_instants(body) == as_instants(read.to_dict())
    assert [] == read.additional_keys
    assert read == model(EXAMPLES[file], read.to_dict())
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


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
times = st.builds(
    "2026-{:02}-{:02}T{:02}:30:00.{}{}".format,
    st.integers(min_value=1, max_value=12),
    st.integers(min_value=1, max_value=28),
    st.integers(min_value=0, max_value=23),
    st.text("0123456789", min_size=1, max_size=9),
    st.sampled_from(["Z", "z", "+05:30", "-11:00"]),
)


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Values of a schema as the service may come to send them: other enum values, unknown fields."""
    whole = flat(schema)
    if whole["properties"]:
        needed = {name: values(part) for name, part in whole["properties"].items() if name in whole["required"]}
        others = {name: values(part) for name, part in whole["properties"].items() if name not in whole["required"]}
        unknown = st.dictionaries(st.text().filter(lambda key: key not in whole["properties"]), anything, max_size=2)
        known = st.fixed_dictionaries(needed, optional=others)
        return st.tuples(unknown, known).map(lambda both: {**both[0], **both[1]})
    if whole.get("format") == "date-time":
        return times
    if "enum" in whole:
        return st.sampled_from(whole["enum"]) | st.text()
    if whole["type"] == "array":
        return st.lists(values(whole["items"]), max_size=3)
    return st.dictionaries(st.text(), anything, max_size=3) if whole["type"] == "object" else st.text()


def by_name(data: Any, name: str) -> Any:
    """The times of a checkout as instants; other texts as they are, even if they look like times."""
    if isinstance(data, dict):
        return {key: by_name(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [by_name(value, name) for value in data]
    return as_instants(data) if name in {"createdAt", "updatedAt", "expiresAt", "completedAt"} else data


@steady
@given(data=values(SCHEMAS["Checkout"]))
def test_any_checkout_goes_through(data: Json) -> None:
    """
    A checkout with any described fields, other enum values and unknown fields is written back with the same values.
    """
    read = Checkout.from_dict(data)
    written = read.to_dict()
    assert by_name(data, "") == by_name(written, "")
    assert written == json.loads(json.dumps(written))
    assert read == Checkout.from_dict(written)
    for way in (copy.copy, copy.deepcopy, COPIES["pickle 5"]):
        assert read == way(read)
        assert written == way(read).to_dict()


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
