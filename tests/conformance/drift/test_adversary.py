"""Pairs of descriptions with the verdict each must have, written from what is promised, not from the code."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.differences import Difference
from coinbase_checkouts_conformance.drift.reading import read

from .descriptions import Json, at, drift

Verdicts = tuple[str, str, str, str]


def always(verdict: str) -> Verdicts:
    return verdict, verdict, verdict, verdict


NONE = "-"
SAME = always(NONE)
# response and request, then both the other way round
WIDER = ("potential", "additive", "additive", "breaking")
BROADER = ("breaking", "additive", "additive", "breaking")
SHIFTED = ("potential|breaking", "breaking", "potential|breaking", "breaking")
OTHER = always("breaking")
REWRITTEN = always("cosmetic")
PROSE = always("prose")
EXAMPLE = always("example")


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: str = "", **properties: Any) -> Json:
    return {"type": "object", "properties": properties, **({"required": required.split()} if required else {})}


def text(**more: Any) -> Json:
    return {"type": "string", **more}


def number(**more: Any) -> Json:
    return {"type": "number", **more}


def integer(**more: Any) -> Json:
    return {"type": "integer", **more}


def array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def every(*schemas: Json, **more: Any) -> Json:
    return {"allOf": list(schemas), **more}


def either(*schemas: Json, **more: Any) -> Json:
    return {"oneOf": list(schemas), **more}


def told_by(names: str, mapping: Json | None = None) -> Json:
    """Components that their field `kind` tells apart."""
    return either(
        *map(ref, names.split()), discriminator={"propertyName": "kind", **({"mapping": mapping} if mapping else {})}
    )


NULL: Json = {"type": "null"}
SHARED: Json = {
    "Cat": obj("kind", kind=text(enum=["cat"]), lives=integer()),
    "Dog": obj("kind", kind=text(enum=["dog"]), barks={"type": "boolean"}),
    "Cat2": obj("kind", kind=text(enum=["cat"]), lives=integer()),
    "Ox": obj("kind", kind=text(), horns=integer()),
    "Bull": obj("kind", kind=text(), horns=integer()),
    "Ass": obj("kind", kind=text(), ears=integer()),
    "Cow": obj("kind", kind=text(enum=["cow"]), milk=number()),
    "Base": obj("id", id=text(), at=text()),
    "Loose": obj(id=text(), at=text()),
    "Strict": every({"required": ["at"]}, ref("Base")),
    "Tree": obj(children=array({"$ref": "#/components/schemas/Tree"}), leaf=text()),
    "Forest": obj(children=array({"$ref": "#/components/schemas/Forest"}), leaf=text()),
    "Bush": obj(children=array({"$ref": "#/components/schemas/Bush"}), leaf=integer()),
    "Alias": {"$ref": "#/components/schemas/Alias2"},
    "Alias2": {"$ref": "#/components/schemas/Base"},
    "Knot": {**obj(z=text()), "anyOf": [obj(t=text()), {"$ref": "#/components/schemas/Knot"}]},
    "State": text(enum=["ON", "OFF"]),
    "Holder": obj(state=text(enum=["ON", "OFF"])),
}


def around(schema: Json, version: str, *, sent: bool) -> Json:
    """The smallest description in which *schema* is a field that is sent, or read."""
    whole = {"application/json": {"schema": obj("x", x=schema)}}
    post: Json = {"responses": {"200": {"description": "Done."}}}
    if sent:
        post["requestBody"] = {"required": True, "content": whole}
    else:
        post["responses"]["200"]["content"] = whole
    return copy.deepcopy(
        {
            "openapi": version,
            "info": {"title": "Things", "version": "1"},
            "servers": [{"url": "https://api.example.com"}],
            "paths": {"/things": {"post": post}},
            "components": {"schemas": SHARED},
        }
    )


# What changed, the schema before and after, the verdicts.
SCHEMAS: list[tuple[str, Json, Json, Verdicts]] = [
    # hidden by allOf
    ("allOf: one level more", every(ref("Base")), every(every(every(ref("Base")))), SAME),
    ("allOf: chain of refs", ref("Base"), ref("Alias"), SAME),
    ("allOf: required apart from properties", obj("id at", id=text(), at=text()), ref("Strict"), SAME),
    ("allOf: required in a sibling", every(ref("Loose"), required=["id"]), ref("Base"), SAME),
    ("allOf: required lost two levels down", every(ref("Strict")), every(every(ref("Base"))), ("breaking", "additive", "additive", "breaking")),
    ("allOf: required of another branch", every(ref("Loose"), {"required": ["id"]}), every(ref("Loose"), {"required": ["at"]}), OTHER),
    ("allOf: limits meet", text(minLength=3, maxLength=5), every(text(minLength=3), {"maxLength": 5}, {"maxLength": 9}), SAME),
    ("allOf: enums meet", text(enum=["A", "B"]), every(text(enum=["A", "B", "C"]), {"enum": ["B", "A"]}), SAME),
    ("allOf: sibling's enum lost", every(ref("Loose"), properties={"at": {"enum": ["X", "Y"]}}), every(ref("Loose")), WIDER),
    ("allOf: nullable in all branches", every({"type": ["string", "null"]}, {"type": ["string", "null"]}), {"type": ["string", "null"]}, SAME),
    ("allOf: nullable in one branch only", every({"type": ["string", "null"]}, text()), text(), SAME),
    ("allOf: field retyped in a branch", every(ref("Base"), obj(n=text())), every(ref("Base"), obj(n=integer())), OTHER),
    ("allOf: another field in a branch", every(ref("Base"), obj(n=text())), every(ref("Base"), obj(n=text(), m=text())), ("additive", "additive", "potential", "potential")),
    ("allOf: order of branches", every(ref("Base"), ref("Cat")), every(ref("Cat"), ref("Base")), SAME),
    ("allOf: description beside the ref", every(ref("Base"), description="A."), every(ref("Base"), description="B."), PROSE),
    ("allOf: integer and number", every(number(), integer()), integer(), SAME),
    # nullable
    ("nullable: order of types", {"type": ["null", "string"]}, {"type": ["string", "null"]}, SAME),
    ("nullable: list of one type", {"type": ["string"]}, text(), SAME),
    ("nullable: of a ref", ref("Base"), either(ref("Base"), NULL), BROADER),
    ("nullable: oneOf or anyOf", either(ref("Base"), NULL), {"anyOf": [NULL, ref("Base")]}, SAME),
    ("nullable: one of a choice", either(text(), NULL), either(text(), ref("Base"), NULL), ("potential|breaking", "additive", "additive", "breaking")),
    ("nullable: beside a choice", {"type": ["string", "null"], "description": "A."}, either(text(format="date"), text(maxLength=3), NULL, description="A."), ("additive", "breaking", "potential|breaking", "additive")),
    ("types: a text to any of a list or more", text(enum=["A", "B"]), {"anyOf": [text(), text(enum=["A", "B"])]}, WIDER),
    ("nullable: in a branch or beside it", either(text(maxLength=1), array(text()), NULL), either({"type": ["string", "null"], "maxLength": 1}, array(text())), SAME),
    ("types: a choice narrowed", {"anyOf": [text(), number()]}, {"anyOf": [text(), integer(format="int64")]}, ("additive", "breaking", "breaking", "additive")),
    ("nullable: items", array(text()), array({"type": ["string", "null"]}), BROADER),
    ("nullable: map", {"type": "object", "additionalProperties": text()}, {"type": "object", "additionalProperties": {"type": ["string", "null"]}}, BROADER),
    ("nullable: enum", text(enum=["A"]), {"type": ["string", "null"], "enum": ["A", None]}, BROADER),
    ("nullable: in enum only", text(enum=["A"]), text(enum=["A", None]), SAME),
    ("types: a number, or one of two kinds of numbers", number(), {"anyOf": [number(), integer()]}, SAME),
    ("keyword: of another type", text(minimum=1, maxItems=2, minProperties=3), text(), SAME),
    ("keyword: pattern of a number", number(pattern="^a", maxLength=3), number(pattern="^b"), SAME),
    ("keyword: of a list of types", {"type": ["string", "integer"], "minimum": 1}, {"type": ["string", "integer"]}, WIDER),
    ("keyword: of no type", {"minimum": 1}, {}, WIDER),
    ("types: anyOf or a list", {"anyOf": [text(), integer()]}, {"type": ["integer", "string"]}, SAME),
    ("types: object to array", ref("Base"), array(ref("Base")), OTHER),
    ("types: none", text(), {}, BROADER),
    ("types: boolean to text", {"type": "boolean"}, text(enum=["true", "false"]), OTHER),
    # limits
    ("limit: exclusive to inclusive", number(exclusiveMinimum=0), number(minimum=0), WIDER),
    ("limit: none", number(maximum=9), number(), WIDER),
    ("limit: same number otherwise", number(minimum=1, maximum=10), number(minimum=1.0, maximum=10.0), SAME),
    ("limit: of integers", integer(exclusiveMaximum=10), integer(maximum=9), SAME),
    ("limit: minLength", text(minLength=3), text(minLength=2), WIDER),
    ("limit: maxItems", array(text(), maxItems=3), array(text(), maxItems=4), WIDER),
    ("limit: minItems", array(text(), minItems=1), array(text()), WIDER),
    ("limit: minItems of 0", array(text(), minItems=0), array(text()), SAME),
    ("limit: moved up", number(minimum=1, maximum=5), number(minimum=3, maximum=9), SHIFTED),
    ("limit: multipleOf finer", number(multipleOf=0.05), number(multipleOf=0.01), WIDER),
    ("limit: multipleOf other", number(multipleOf=2), number(multipleOf=3), SHIFTED),
    ("limit: multipleOf 1", integer(multipleOf=1), integer(), SAME),
    ("limit: uniqueItems", array(text(), uniqueItems=True), array(text(), uniqueItems=False), WIDER),
    ("limit: minProperties", {"type": "object", "minProperties": 1}, {"type": "object"}, WIDER),
    ("limit: in prose", text(description="At most 20 characters."), text(description="At most 40 characters."), PROSE),
    ("default: in prose", text(description="Defaults to USD."), text(description="Defaults to USDC."), PROSE),
    ("default: in schema", text(default="USD"), text(default="USDC"), ("cosmetic|prose|potential", "potential", "cosmetic|prose|potential", "potential")),
    # enums
    ("enum: of one or const", text(enum=["A"]), {"const": "A"}, SAME),
    ("enum: const replaced", {"const": "A"}, {"const": "B"}, SHIFTED),
    ("enum: written twice", text(enum=["A", "B", "A"]), text(enum=["B", "A"]), SAME),
    ("enum: value renamed", text(enum=["A", "B"]), text(enum=["A", "b"]), SHIFTED),
    ("enum: in items", array(text(enum=["A"])), array(text(enum=["A", "B"])), WIDER),
    ("enum: moved ref", ref("State"), {"$ref": "#/components/schemas/Holder/properties/state"}, SAME),
    ("enum: numbers", integer(enum=[1, 2]), integer(enum=[2.0, 1]), SAME),
    ("enum: number and text", {"enum": [1]}, {"enum": ["1"]}, OTHER),
    ("enum: true is not 1", {"enum": [True]}, {"enum": [1]}, OTHER),
    ("enum: choice of enums", text(enum=["A", "B"]), either(text(enum=["A"]), text(enum=["B"])), SAME),
    # formats
    ("format: int32 to int64", integer(format="int32"), integer(format="int64"), ("potential|breaking", "additive", "additive", "breaking")),
    ("format: given", text(format="uuid"), text(), BROADER),
    ("format: uri to uri-reference", text(format="uri"), text(format="uri-reference"), BROADER),
    ("format: uri to iri", text(format="uri"), text(format="iri"), BROADER),
    ("format: uri to iri-reference", text(format="uri"), text(format="iri-reference"), BROADER),
    ("format: uri-reference to iri-reference", text(format="uri-reference"), text(format="iri-reference"), BROADER),
    ("format: iri to iri-reference", text(format="iri"), text(format="iri-reference"), BROADER),
    ("format: iri to uri-reference", text(format="iri"), text(format="uri-reference"), OTHER),
    ("format: email to idn-email", text(format="email"), text(format="idn-email"), BROADER),
    ("format: hostname to idn-hostname", text(format="hostname"), text(format="idn-hostname"), BROADER),
    ("format: date to date-time", text(format="date"), text(format="date-time"), OTHER),
    # patterns
    ("pattern: rewritten class", text(pattern=r"^\d{3}$"), text(pattern="^[0-9][0-9][0-9]$"), REWRITTEN),
    ("pattern: rewritten choice", text(pattern="^(a|b|c)$"), text(pattern="^[abc]$"), REWRITTEN),
    ("pattern: any text", text(pattern="^.*"), text(), REWRITTEN),
    ("pattern: repeated zero or more", text(pattern="^a+$"), text(pattern="^aa*$"), REWRITTEN),
    ("pattern: anchor lost", text(pattern="^abc$"), text(pattern="^abc"), BROADER),
    ("pattern: anchor of the first branch only", text(pattern="^(a|b)$"), text(pattern="^a|b$"), BROADER),
    ("pattern: dot unescaped", text(pattern=r"^a\.b$"), text(pattern="^a.b$"), BROADER),
    ("pattern: neither", text(pattern="^[a-m]+$"), text(pattern="^[g-z]+$"), OTHER),
    ("pattern: unicode", text(pattern="^[a-z]+$"), text(pattern="^[a-zà-ÿ]+$"), BROADER),
    ("pattern: upper case too", text(pattern="^0x[0-9a-f]{40}$"), text(pattern="^0x[0-9a-fA-F]{40}$"), BROADER),
    ("pattern: case of a class only", text(pattern=r"^\w+$"), text(pattern="^[A-Za-z0-9_]+$"), REWRITTEN),
    ("pattern: look-ahead", text(pattern="^(?!.*--)[a-z-]+$"), text(pattern="^[a-z-]+$"), ("breaking", "additive|potential", "additive|potential", "breaking")),
    ("pattern: look-ahead dropped", text(pattern="^(?!.*--)[a-z-]+$"), text(), BROADER),
    ("pattern: of as many as one likes, dropped", text(pattern="^(?=.*(a{99}){99})"), text(), BROADER),
    ("pattern: back-reference dropped", text(pattern=r"^(.)\1$"), text(), BROADER),
    ("pattern: look-ahead told otherwise", text(pattern="^(?=.{3}$)[a-z]+$"), text(pattern="^[a-z]{3}$"), always("cosmetic|potential")),
    ("pattern: for a length", text(pattern="^[a-z]{1,9}$"), text(pattern="^[a-z]{1,10}$"), BROADER),
    ("pattern: group's name", text(pattern="^(?<n>a)$"), text(pattern="^(?:a)$"), REWRITTEN),
    # maps
    ("map: values retyped", {"type": "object", "additionalProperties": text()}, {"type": "object", "additionalProperties": integer()}, OTHER),
    ("map: values typed", {"type": "object", "additionalProperties": text()}, {"type": "object", "additionalProperties": True}, BROADER),
    ("map: unevaluated", {**obj(a=text()), "additionalProperties": False}, {**obj(a=text()), "unevaluatedProperties": False}, SAME),
    ("map: names", {"type": "object", "propertyNames": {"pattern": "^a"}}, {"type": "object"}, ("potential|breaking", "additive", "additive", "breaking")),
    ("map: by pattern", {"type": "object", "patternProperties": {"^x-": text()}}, {"type": "object", "patternProperties": {"^x-": integer()}}, OTHER),
    ("map: required of what is not described", obj(a=text()), {**obj(a=text()), "required": ["b"]}, ("additive", "breaking", "breaking", "additive")),
    # who reads, who writes
    ("readOnly: of a required field", obj("a", a=text()), obj("a", a=text(readOnly=True)), (NONE + "|cosmetic|prose", "potential|breaking|additive", NONE + "|cosmetic|prose", "breaking")),
    ("readOnly: of a new required field", obj(), obj("a", a=text(readOnly=True)), ("additive", NONE, "breaking", NONE)),
    ("writeOnly: of a new required field", obj(), obj("a", a=text(writeOnly=True)), (NONE, "breaking", NONE, "potential")),
    # choices
    ("oneOf: branch added", either(ref("Cat"), ref("Dog")), either(ref("Cat"), ref("Dog"), ref("Cow")), ("potential|breaking", "additive", "additive", "breaking")),
    ("oneOf: branches reordered", either(ref("Cat"), ref("Dog")), either(ref("Dog"), ref("Cat")), SAME),
    ("oneOf: branches inlined and reordered", either(ref("Cat"), ref("Dog")), either(SHARED["Dog"], SHARED["Cat"]), SAME),
    ("oneOf: field of a branch retyped", either(ref("Cat"), obj("kind", kind=text(enum=["fox"]), tail=text())), either(obj("kind", kind=text(enum=["fox"]), tail=integer()), ref("Cat")), OTHER),
    ("oneOf: of one", either(ref("Cat")), ref("Cat"), SAME),
    ("oneOf: nested", either(ref("Cat"), either(ref("Dog"), ref("Cow"))), either(ref("Cat"), ref("Dog"), ref("Cow")), SAME),
    ("oneOf: nested, with a discriminator", either(text(), either(ref("Dog"), ref("Cow"), discriminator={"propertyName": "kind"}), NULL), either(either(ref("Dog"), ref("Cow"), discriminator={"propertyName": "kind"}), NULL), ("additive", "breaking", "breaking", "additive")),
    ("oneOf: nested, described otherwise", either(text(), either(ref("Dog"), ref("Cow"), description="A.")), either(text(), either(ref("Dog"), ref("Cow"), description="B.")), PROSE),
    ("oneOf: fields of all branches beside it", either(obj("t z", t=text(), z=text()), obj("u", u=text(), z=text())), {**obj(z=text()), "oneOf": [obj("t z", t=text()), obj("u", u=text())]}, SAME),
    ("oneOf: fields of all branches in an allOf", either(obj("z", t=text(enum=["a"]), z=text()), obj("z", t=text(enum=["b"]), z=text())), every(obj("z", z=text()), either(obj(t=text(enum=["a"])), obj(t=text(enum=["b"])))), SAME),
    ("oneOf: fields of all branches in an allOf, one retyped", either(obj("z", t=text(enum=["a"]), z=text()), obj("z", t=text(enum=["b"]), z=text())), every(obj("z", z=integer()), either(obj(t=text(enum=["a"])), obj(t=text(enum=["b"])))), OTHER),
    ("oneOf: fields of all branches in an allOf, optional", {"anyOf": [obj("z", t=text(), z=text()), obj("z", u=text(), z=text())]}, every(obj(z=text()), {"anyOf": [obj(t=text()), obj(u=text())]}), BROADER),
    ("oneOf: a field more beside it", every(obj(z=text()), either(ref("Cat"), ref("Dog"))), every(obj(z=text(), y=text()), either(ref("Cat"), ref("Dog"))), ("additive", "additive", "potential", "potential")),
    ("oneOf: of itself, its fields beside it", {"anyOf": [obj(z=text(), t=text()), ref("Knot")]}, {**obj(z=text()), "anyOf": [obj(t=text()), ref("Knot")]}, always("-|potential|breaking|additive")),
    ("oneOf: of anyOf, where a value fits both", {"anyOf": [text(maxLength=3), text(pattern="^a")]}, either(text(maxLength=3), text(pattern="^a")), ("additive", "potential", "potential", "additive")),
    ("oneOf: of anyOf, of objects with other fields", {"anyOf": [obj(a=text()), obj(b=text())]}, either(obj(a=text()), obj(b=text())), ("additive", "potential", "potential", "additive")),
    ("oneOf: of anyOf, beside fields", {**obj(a=text(), b=text()), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {**obj(a=text(), b=text()), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, ("additive", "potential", "potential", "additive")),
    ("oneOf: of anyOf, of other types", {"anyOf": [text(maxLength=3), ref("Cat"), array(text())]}, either(text(maxLength=3), ref("Cat"), array(text())), SAME),
    ("oneOf: of anyOf, told apart by an enum", {"anyOf": [ref("Cat"), ref("Dog"), NULL]}, either(ref("Cat"), ref("Dog"), NULL), SAME),
    ("oneOf: of anyOf, told apart by an optional field", {"anyOf": [obj(k={"const": "a"}), obj(k={"const": "b"})]}, either(obj(k={"const": "a"}), obj(k={"const": "b"})), ("additive", "potential", "potential", "additive")),
    ("oneOf: of anyOf, with a discriminator", {"anyOf": [ref("Base"), ref("Loose")], "discriminator": {"propertyName": "id"}}, either(ref("Base"), ref("Loose"), discriminator={"propertyName": "id"}), SAME),
    ("oneOf: of anyOf, integers among numbers", {"anyOf": [integer(minimum=3), number(maximum=9)]}, either(integer(minimum=3), number(maximum=9)), ("additive", "potential", "potential", "additive")),
    ("discriminator: its field", either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "kind"}), either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "sort"}), always("potential|breaking")),
    ("discriminator: mapping by name or ref", either(ref("Cat"), discriminator={"propertyName": "kind", "mapping": {"cat": "Cat"}}), either(ref("Cat"), discriminator={"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}}), SAME),
    ("discriminator: component renamed", told_by("Ox Ass"), told_by("Bull Ass"), OTHER),
    ("discriminator: component renamed, mapped as before", told_by("Ox Ass"), told_by("Bull Ass", {"Ox": "Bull"}), SAME),
    ("discriminator: component renamed, mapped all the time", told_by("Ox Ass", {"ox": "Ox"}), told_by("Bull Ass", {"ox": "#/components/schemas/Bull"}), SAME),
    ("discriminator: component renamed, its value fixed", either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "kind"}), either(ref("Cat2"), ref("Dog"), discriminator={"propertyName": "kind"}), SAME),
    ("discriminator: mapped as it is fixed", either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "kind"}), either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "Dog"}}), SAME),
    ("discriminator: mapped otherwise", told_by("Ox Ass", {"ox": "Ox"}), told_by("Ox Ass", {"bull": "Ox"}), OTHER),
    ("discriminator: mapped for the first time", told_by("Ox Ass"), told_by("Ox Ass", {"ox": "Ox", "Ass": "Ass"}), OTHER),
    ("discriminator: one more key", told_by("Ox Ass", {"ox": "Ox"}), told_by("Ox Ass", {"ox": "Ox", "bull": "Ox"}), WIDER),
    ("discriminator: component inlined", told_by("Ox Ass"), either(SHARED["Ox"], ref("Ass"), discriminator={"propertyName": "kind"}), SAME),
    ("discriminator: two that look the same reordered", told_by("Ox Bull"), told_by("Bull Ox"), SAME),
    ("discriminator: branch added", told_by("Ox Ass"), told_by("Ox Ass Cat"), ("potential", "additive", "additive", "breaking")),
    ("discriminator: mapping's key", either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "Dog"}}), either(ref("Cat"), ref("Dog"), discriminator={"propertyName": "kind", "mapping": {"Cat": "Cat", "dog": "Dog"}}), always("potential|breaking")),
    ("not: forbidden value", text(), text(**{"not": {"enum": ["X"]}}), ("additive", "breaking", "potential|breaking", "additive")),
    ("if: a condition", obj(a=text(), b=text()), {**obj(a=text(), b=text()), "if": {"required": ["a"]}, "then": {"required": ["b"]}}, ("additive", "breaking|potential", "potential|breaking", "additive|potential")),
    ("dependentRequired", obj(a=text(), b=text()), {**obj(a=text(), b=text()), "dependentRequired": {"a": ["b"]}}, ("additive", "breaking", "potential|breaking", "additive")),
    ("prefixItems: retyped", {"type": "array", "prefixItems": [text()]}, {"type": "array", "prefixItems": [integer()]}, OTHER),
    ("required: still listed, no longer described", obj("a b", a=text(), b=text()), obj("a b", b=text()), ("breaking", "potential|breaking", "additive", "breaking|additive|potential")),
    ("required: one of two", obj(a=text(), b=text()), {**obj(a=text(), b=text()), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, ("additive|potential", "breaking", "potential|breaking", "additive")),
    ("required: one of two, of three now", {**obj(a=text(), b=text(), c=text()), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {**obj(a=text(), b=text(), c=text()), "anyOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["c"]}]}, ("potential|breaking", "additive", "additive|potential", "breaking")),
    ("items: of another kind", array(either(ref("Cat"), ref("Dog"))), array(either(ref("Cat"), ref("Cow"))), ("potential|breaking", "breaking", "potential|breaking", "breaking")),
    ("items: none", array(text()), {"type": "array", "items": False}, ("additive", "breaking", "breaking", "additive")),
    ("items: no more than the first", {"type": "array", "prefixItems": [text()]}, {"type": "array", "prefixItems": [text()], "items": False}, ("additive", "breaking", "breaking", "additive")),
    ("items: one more and no other", {"type": "array", "prefixItems": [text()], "items": False}, {"type": "array", "prefixItems": [text(), integer()], "items": False}, BROADER),
    ("items: any, told otherwise", {"type": "array"}, {"type": "array", "items": True}, SAME),
    ("ref: what is said beside it", ref("Base"), {**ref("Base"), "required": ["at"]}, ("additive", "breaking", "breaking", "additive")),
    ("items: described at last", {"type": "array"}, array(text()), ("additive", "breaking", "breaking", "additive")),
    ("object: described at last", {"type": "object"}, obj(a=text()), ("additive", "additive|breaking|potential", "potential", "potential|additive")),
    ("object: to a map", obj("a", a=text()), {"type": "object", "additionalProperties": text()}, OTHER),
    ("const: of a branch", either(obj("k", k={"const": "a"}), obj("k", k={"const": "b"})), either(obj("k", k={"const": "b"}), obj("k", k={"const": "a"})), SAME),
    # recursion
    ("recursive: another name", ref("Tree"), ref("Forest"), SAME),
    ("recursive: retyped below", ref("Tree"), ref("Bush"), OTHER),
    ("recursive: unrolled once", ref("Tree"), obj(children=array(ref("Tree")), leaf=text()), SAME),
    # words
    ("words: title", text(title="A"), text(title="B"), always("prose|cosmetic")),
    ("words: deprecated", text(), text(deprecated=True), PROSE),
    ("words: described at last", text(), text(description="A text."), PROSE),
    ("words: white space", text(description="A  text\nof two lines."), text(description="A text of two lines.\n"), SAME),
    ("words: extension", text(**{"x-go-name": "A"}), text(**{"x-go-name": "B"}), SAME),
    ("words: comment", text(**{"$comment": "A"}), text(**{"$comment": "B"}), SAME),
    ("words: externalDocs", text(externalDocs={"url": "https://a.example"}), text(externalDocs={"url": "https://b.example"}), always(f"{NONE}|prose|cosmetic")),
    ("example: its case", text(examples=["0xabc"]), text(examples=["0xABC"]), EXAMPLE),
    ("example: milliseconds", text(format="date-time", examples=["2026-01-01T00:00:00Z"]), text(format="date-time", examples=["2026-01-01T00:00:00.123Z"]), EXAMPLE),
    ("example: order of its fields", obj() | {"example": {"a": 1, "b": 2}}, obj() | {"example": {"b": 2, "a": 1}}, SAME),
    ("example: taken away", integer(example=1), integer(), EXAMPLE),
    ("example: of a nested field", obj(a=obj(b=text(example="x"))), obj(a=obj(b=text(example="y"))), EXAMPLE),
    ("example: a field named so", obj(example=text(), description=text()), obj(example=integer(), description=text()), OTHER),
    ("example: a field named enum", obj("enum", enum=text()), obj(enum=text()), BROADER),
    ("field: named $ref", obj() | {"properties": {"$ref": text()}}, obj() | {"properties": {"$ref": integer()}}, OTHER),
    ("field: renamed", obj("unitPrice", unitPrice=text(pattern="^[0-9]$")), obj("unit_price", unit_price=text(pattern="^[0-9]$")), OTHER),
    ("field: moved into another object", obj("a b", a=text(), b=obj(c=text())), obj("b", b=obj("a", a=text(), c=text())), ("breaking", "breaking", "breaking", "breaking")),
    ("field: required moved to another object", obj("a b", a=obj("c", c=text()), b=obj(d=text())), obj("a b", a=obj(c=text()), b=obj("d", d=text())), OTHER),
]  # fmt: skip

# The same in 3.0 and in 3.1.
ACROSS: list[tuple[str, Json, Json, Verdicts]] = [
    ("3.0: nullable", text(nullable=True), {"type": ["string", "null"]}, SAME),
    ("3.0: nullable, kept in 3.1", text(nullable=True), text(nullable=True), SAME),
    ("3.0: not nullable", text(nullable=False), text(), SAME),
    ("3.0: nullable and now not", text(nullable=True), text(), ("additive", "breaking", "breaking", "additive")),
    ("3.0: nullable now", text(), {"type": ["string", "null"]}, BROADER),
    ("3.0: nullable items", array(text(nullable=True)), array({"type": ["null", "string"]}), SAME),
    ("3.0: nullable array", array(text(), nullable=True), {"type": ["array", "null"], "items": text()}, SAME),
    ("3.0: nullable array, nullable items", array(text(), nullable=True), array({"type": ["string", "null"]}), OTHER),
    ("3.0: nullable map", {"type": "object", "additionalProperties": text(nullable=True)}, {"type": "object", "additionalProperties": {"type": ["string", "null"]}}, SAME),
    ("3.0: nullable enum", text(nullable=True, enum=["A", None]), {"type": ["string", "null"], "enum": ["A", None]}, SAME),
    ("3.0: nullable ref", every(ref("Base"), nullable=True), either(ref("Base"), NULL), SAME),
    ("3.0: nullable ref by anyOf", every(ref("Base"), nullable=True), {"anyOf": [ref("Base"), NULL]}, SAME),
    ("3.0: nullable number with a limit", number(nullable=True, minimum=0, exclusiveMinimum=True), {"type": ["number", "null"], "exclusiveMinimum": 0}, SAME),
    ("3.0: exclusive", number(minimum=0, exclusiveMinimum=True, maximum=9, exclusiveMaximum=False), number(exclusiveMinimum=0, maximum=9), SAME),
    ("3.0: exclusive lost", number(minimum=0, exclusiveMinimum=True), number(minimum=0), WIDER),
    ("3.0: exclusive of nothing", number(exclusiveMinimum=True), number(), SAME),
    ("3.0: example", text(example="A"), text(examples=["A"]), SAME),
    ("3.0: example of a list", array(text(), example=["A"]), array(text(), examples=[["A"]]), SAME),
    ("3.0: base64", text(format="byte"), text(contentEncoding="base64"), always(f"{NONE}|cosmetic")),
    ("3.0: const by enum", text(enum=["A"]), {"const": "A"}, SAME),
    ("3.0: any", {}, {}, SAME),
    ("3.0: ignored beside a ref", {**ref("Base"), "required": ["at"], "maxProperties": 1, "allOf": [text()]}, ref("Base"), SAME),
    ("3.0: enum ignored beside a ref", {**ref("State"), "enum": ["ON"], "pattern": "^ON$"}, ref("State"), SAME),
    ("3.0: null beside a ref", {**ref("Base"), "nullable": True, "maxProperties": 1}, either(ref("Base"), NULL), SAME),
    ("3.0: words beside a ref", {**ref("Base"), "description": "A."}, {**ref("Base"), "description": "B."}, PROSE),
    ("3.0: retyped", integer(nullable=True), {"type": ["string", "null"]}, OTHER),
]  # fmt: skip


def worst(found: list[Difference]) -> str:
    return str(found[0].severity) if found else NONE


@pytest.mark.parametrize("sent", [False, True], ids=["read", "sent"])
@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize(
    ("version", "base", "revision", "verdicts"),
    [("3.1.0", *case[1:]) for case in SCHEMAS] + [("3.0.3", *case[1:]) for case in ACROSS],
    ids=[case[0] for case in SCHEMAS + ACROSS],
)
def test_schema(version: str, base: Json, revision: Json, verdicts: Verdicts, *, back: bool, sent: bool) -> None:
    """A changed schema has its verdict where it is read and where it is sent, there and back."""
    sides = around(base, version, sent=sent), around(revision, "3.1.0", sent=sent)
    found = drift(*(reversed(sides) if back else sides))
    assert worst(found) in verdicts[2 * back + sent].split("|"), [f"{one.severity}: {one.message}" for one in found]
    assert {"request" if sent else "response"} >= {str(one.direction) for one in found}


ITEM = obj("id", id=text(), size=integer())
FAULT = {"description": "Refused.", "content": {"application/json": {"schema": obj(error=text())}}}
BEARER = {"type": "http", "scheme": "bearer"}


def parameter(name: str = "q", schema: Json | None = None, location: str = "query", **more: Any) -> Json:
    return {"name": name, "in": location, "schema": schema or text(), **more}


def content(schema: Json, kind: str = "application/json", **more: Any) -> Json:
    return {"content": {kind: {"schema": schema, **more}}}


def shop() -> Json:
    """A description to change operations, parameters and responses of."""
    return copy.deepcopy(
        {
            "openapi": "3.1.0",
            "info": {"title": "Shop", "version": "1"},
            "servers": [{"url": "https://api.example.com/v1"}],
            "security": [{"bearer": []}],
            "tags": [{"name": "a"}, {"name": "b"}],
            "paths": {
                "/items": {
                    "get": {
                        "tags": ["a"],
                        "parameters": [parameter("q"), parameter("state", ref("State")), {"$ref": "#/components/parameters/Size"}],
                        "responses": {"200": {"description": "OK", **content(array(ref("Item")))}, "400": {"$ref": "#/components/responses/Fault"}},
                    },
                    "post": {
                        "x-rule": [{"id": "a.1", "rule": "At most 10 a minute."}, {"id": "a.2", "rule": "Names are unique."}],
                        "requestBody": {"$ref": "#/components/requestBodies/Item"},
                        "responses": {"201": {"description": "Made", **content(ref("Item"))}, "400": FAULT, "422": FAULT},
                        "callbacks": {"done": {"{$request.body#/url}": {"post": {"requestBody": content(obj("id", id=text(), state=ref("State"))), "responses": {"200": {"description": "OK"}}}}}},
                    },
                },
                "/shops/{shop}/items/{item}": {
                    "parameters": [{"name": "shop", "in": "path", "required": True, "schema": text()}, {"name": "item", "in": "path", "required": True, "schema": integer()}],
                    "get": {"responses": {"2XX": {"description": "OK", **content(ref("Item"))}, "default": FAULT}},
                    "put": {"requestBody": content(ref("Item")), "responses": {"204": {"description": "OK"}}},
                },
            },
            "webhooks": {"item": {"post": {"requestBody": content(obj("kind", kind=text(enum=["made", "gone"]), item=ref("Item"))), "responses": {"200": {"description": "OK"}}}}},
            "components": {
                "schemas": {"Item": ITEM, "State": text(enum=["ON", "OFF"])},
                "parameters": {"Size": parameter("size", integer())},
                "responses": {"Fault": FAULT},
                "requestBodies": {"Item": {"required": True, **content(ref("Item"))}},
                "securitySchemes": {"bearer": BEARER, "key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a.example.com/t", "scopes": {"r": "Read", "w": "Write"}}}}},
            },
        }
    )  # fmt: skip


Edit = Callable[[Json], Any]


def put(path: str, **values: Any) -> Edit:
    return lambda data: at(data, path).update(copy.deepcopy(values))


def put_at(path: str, key: str, value: Any) -> Edit:
    return lambda data: at(data, path).update({key: copy.deepcopy(value)})


def cut(path: str, *keys: str) -> Edit:
    return lambda data: [
        at(data, path).pop(int(key) if key.isdigit() and isinstance(at(data, path), list) else key) for key in keys
    ]


def call(path: str, key: str, new: str) -> Edit:
    return lambda data: at(data, path).update({new: at(data, path).pop(key)})


def flip(path: str) -> Edit:
    return lambda data: at(data, path).reverse()


def both(*edits: Edit) -> Edit:
    return lambda data: [edit(data) for edit in edits]


LIST = "paths /items get"
MAKE = "paths /items post"
ONE = "paths /shops/{shop}/items/{item}"
HOOK = "webhooks item post requestBody content application/json schema"
BACK = f"{MAKE} callbacks done {{$request.body#/url}} post requestBody content application/json schema"


RULE: Json = {"x-rule": "A."}


def _lifted(data: Json) -> None:
    for method in ("get", "put"):
        at(data, ONE)[method]["parameters"] = copy.deepcopy(at(data, ONE)["parameters"])
    del at(data, ONE)["parameters"]


def _overridden(data: Json) -> None:
    _lifted(data)
    at(data, ONE)["parameters"] = [
        {"name": "item", "in": "path", "required": True, "schema": text(), "description": "No one reads this."}
    ]


def _lifted_servers(data: Json) -> None:
    servers = data.pop("servers")
    for item in data["paths"].values():
        item["servers"] = servers


def _secured(data: Json) -> None:
    security = data.pop("security")
    for item in data["paths"].values():
        for method in ("get", "put", "post"):
            if method in item:
                item[method]["security"] = security


def _swapped(data: Json) -> None:
    item = data["paths"].pop("/shops/{shop}/items/{item}")
    item["parameters"][0]["name"], item["parameters"][1]["name"] = "item", "shop"
    data["paths"]["/shops/{item}/items/{shop}"] = item


# What changed, before (an edit or nothing), after, the worst class there and back, the direction.
SAME_EDIT: Edit = lambda _: None  # noqa: E731
DOCUMENTS: list[tuple[str, Edit, Edit, str, str, str]] = [
    # parameters
    ("parameter: order", SAME_EDIT, flip(f"{LIST} parameters"), NONE, NONE, ""),
    ("parameter: ref inlined", SAME_EDIT, lambda d: at(d, LIST).update(parameters=[*at(d, LIST)["parameters"][:2], parameter("size", integer())]), NONE, NONE, ""),
    ("parameter: lifted from the path", SAME_EDIT, _lifted, NONE, NONE, ""),
    ("parameter: overridden at the operation", SAME_EDIT, _overridden, NONE, NONE, ""),
    ("parameter: of the shared component", SAME_EDIT, put("components parameters Size schema", maximum=50), "breaking", "additive", "request"),
    ("parameter: scalar to array", SAME_EDIT, put(f"{LIST} parameters 1", schema=array(ref("State"))), "additive", "breaking", "request"),
    ("parameter: scalar to array by commas", SAME_EDIT, put(f"{LIST} parameters 1", schema=array(ref("State")), explode=False), "additive", "breaking", "request"),
    ("parameter: scalar to array of others", SAME_EDIT, put(f"{LIST} parameters 1", schema=array(integer())), "breaking", "breaking", "request"),
    ("parameter: scalar to two or more", SAME_EDIT, put(f"{LIST} parameters 1", schema=array(ref("State"), minItems=2)), "breaking", "breaking", "request"),
    ("parameter: commas to spaces", put(f"{LIST} parameters 1", schema=array(ref("State")), explode=False), put(f"{LIST} parameters 1", schema=array(ref("State")), style="spaceDelimited", explode=False), "breaking", "breaking", "request"),
    ("parameter: commas to repeated", put(f"{LIST} parameters 1", schema=array(ref("State")), explode=False), put(f"{LIST} parameters 1", schema=array(ref("State"))), "breaking", "breaking", "request"),
    ("parameter: style of a scalar", SAME_EDIT, put(f"{LIST} parameters 0", explode=False, style="form"), NONE, NONE, ""),
    ("parameter: explode of an array in the path", put(f"{ONE} parameters 0", schema=array(text())), put(f"{ONE} parameters 0", schema=array(text()), style="simple", explode=True), f"{NONE}|cosmetic", f"{NONE}|cosmetic", "request"),
    ("parameter: to a header", SAME_EDIT, put(f"{LIST} parameters 0", **{"in": "header"}), "breaking|potential", "breaking|potential", "request"),
    ("parameter: as JSON", SAME_EDIT, lambda d: at(d, LIST)["parameters"].__setitem__(0, {"name": "q", "in": "query", **content(text())}), "breaking|potential", "breaking|potential", "request"),
    ("parameter: required one renamed", put(f"{LIST} parameters 0", required=True), put(f"{LIST} parameters 0", required=True, name="query"), "breaking", "breaking", "request"),
    ("parameter: both names of the path swapped", SAME_EDIT, _swapped, "cosmetic", "cosmetic", "request"),
    ("parameter: path parameter retyped and renamed", SAME_EDIT, both(call("paths", "/shops/{shop}/items/{item}", "/shops/{shop}/items/{id}"), lambda d: at(d, "paths /shops/{shop}/items/{id}")["parameters"][1].update(name="id", schema=text(pattern="^[a-z]$"))), "breaking", "breaking", "request"),
    ("parameter: path parameter described", SAME_EDIT, put(f"{ONE} parameters 0", description="The shop."), "prose", "prose", "request"),
    ("parameter: deprecated", SAME_EDIT, put(f"{LIST} parameters 0", deprecated=True), "prose", "prose", "request"),
    ("parameter: a header OpenAPI ignores", SAME_EDIT, lambda d: at(d, LIST)["parameters"].append({"name": "Authorization", "in": "header", "required": True, "schema": text()}), NONE, NONE, ""),
    ("parameter: its default in words", put(f"{LIST} parameters 0", description="Default 20."), put(f"{LIST} parameters 0", description="Default 50."), "prose", "prose", "request"),
    ("parameter: its example", put(f"{LIST} parameters 0", example="a"), put(f"{LIST} parameters 0", examples={"one": {"value": "b"}}), "example", "example", "request"),
    ("parameter: not required told", SAME_EDIT, put(f"{LIST} parameters 0", required=False), NONE, NONE, ""),
    ("parameter: for all of the path", SAME_EDIT, lambda d: at(d, ONE)["parameters"].append(parameter("trace", required=True)), "breaking", "potential", "request"),
    ("parameter: of the same name elsewhere", SAME_EDIT, lambda d: at(d, LIST)["parameters"].append({"name": "q", "in": "header", "schema": text()}), "additive", "potential", "request"),
    ("parameter: the same twice", SAME_EDIT, lambda d: at(d, LIST)["parameters"].append(parameter("q")), NONE, NONE, ""),
    # responses
    ("response: redirect", call(f"{LIST} responses", "200", "302"), call(f"{LIST} responses", "200", "303"), "breaking|potential", "breaking|potential", "response"),
    ("response: ref inlined", SAME_EDIT, put(f"{LIST} responses", **{"400": FAULT}), NONE, NONE, ""),
    ("response: 200 to 201", SAME_EDIT, call(f"{LIST} responses", "200", "201"), "breaking", "breaking", "response"),
    ("response: 204 to 200 and a body", SAME_EDIT, both(cut(f"{ONE} put responses", "204"), put(f"{ONE} put responses", **{"200": {"description": "OK", **content(ref("Item"))}})), "breaking", "breaking", "response"),
    ("response: one code of the range", SAME_EDIT, call(f"{ONE} get responses", "2XX", "200"), "additive|none|-", "potential", "response"),
    ("response: range in small letters", SAME_EDIT, call(f"{ONE} get responses", "2XX", "2xx"), NONE, NONE, ""),
    ("response: body of the range", SAME_EDIT, put(f"{ONE} get responses 2XX", **content(array(ref("Item")))), "breaking", "breaking", "response"),
    ("response: errors by default", SAME_EDIT, both(cut(f"{MAKE} responses", "400", "422"), put(f"{MAKE} responses", default=FAULT)), f"{NONE}|additive|cosmetic", f"{NONE}|additive|cosmetic", "response"),
    ("response: errors by range", SAME_EDIT, both(cut(f"{MAKE} responses", "400", "422"), put_at(f"{MAKE} responses", "4XX", FAULT)), f"{NONE}|additive|cosmetic", f"{NONE}|additive|cosmetic", "response"),
    ("response: errors by default, retyped", SAME_EDIT, both(cut(f"{MAKE} responses", "400", "422"), put(f"{MAKE} responses", default={"description": "No", **content(obj(error=integer()))})), "breaking", "breaking", "response"),
    ("response: error's body", SAME_EDIT, put("components responses Fault content", **{"application/json": {"schema": obj(error=obj(code=text()))}}), "breaking", "breaking", "response"),
    ("response: error's media type", SAME_EDIT, call(f"{MAKE} responses 400 content", "application/json", "application/problem+json"), "breaking", "breaking", "response"),
    ("response: header's case", put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer()}}), put(f"{LIST} responses 200", headers={"x-total": {"schema": integer()}}), NONE, NONE, ""),
    ("response: header to optional", put(f"{LIST} responses 200", headers={"X-Total": {"required": True, "schema": integer()}}), put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer()}}), "breaking", "additive", "response"),
    ("response: header retyped", put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer()}}), put(f"{LIST} responses 200", headers={"X-Total": {"schema": text()}}), "breaking", "breaking", "response"),
    ("response: optional header gone", put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer()}}), SAME_EDIT, "potential", "additive", "response"),
    ("response: header by ref", put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer()}}), both(put(f"{LIST} responses 200", headers={"X-Total": {"$ref": "#/components/headers/Total"}}), put("components", headers={"Total": {"schema": integer()}})), NONE, NONE, ""),
    ("response: the header OpenAPI ignores", SAME_EDIT, put(f"{LIST} responses 200", headers={"Content-Type": {"required": True, "schema": text()}}), NONE, NONE, ""),
    ("response: described otherwise", SAME_EDIT, put(f"{LIST} responses 200", description="All of them."), "prose", "prose", "response"),
    ("response: body at last", cut(f"{MAKE} responses 201", "content"), SAME_EDIT, "additive", "breaking", "response"),
    ("response: media type's parameters", SAME_EDIT, call(f"{LIST} responses 200 content", "application/json", "Application/JSON;charset=utf-8"), NONE, NONE, ""),
    ("response: any media type", SAME_EDIT, call(f"{LIST} responses 200 content", "application/json", "*/*"), "potential", "additive", "response"),
    ("response: any media type of application", SAME_EDIT, put_at(f"{LIST} responses 200 content", "application/*", {"schema": array(ref("Item"))}), "potential", "additive", "response"),
    ("response: wider among wildcards", call(f"{LIST} responses 200 content", "application/json", "application/*"), call(f"{LIST} responses 200 content", "application/json", "*/*"), "potential", "additive", "response"),
    ("response: examples by name", put(f"{LIST} responses 200 content application/json", examples={"a": {"value": [1]}, "b": {"value": [2]}}), put(f"{LIST} responses 200 content application/json", examples={"b": {"value": [2]}, "a": {"value": [1]}}), NONE, NONE, ""),
    ("response: example", put(f"{LIST} responses 200 content application/json", example=[{"id": "0xab"}]), put(f"{LIST} responses 200 content application/json", example=[{"id": "0xAB"}]), "example", "example", "response"),
    ("response: links", SAME_EDIT, put(f"{LIST} responses 200", links={"next": {"operationId": "x"}}), f"{NONE}|cosmetic|additive|prose", f"{NONE}|cosmetic|potential|prose|additive", "response"),
    ("response: item retyped, shared by all", SAME_EDIT, put("components schemas Item properties", size=text()), "breaking", "breaking", "response"),
    # bodies
    ("body: ref inlined", SAME_EDIT, put(MAKE, requestBody={"required": True, **content(ref("Item"))}), NONE, NONE, ""),
    ("body: required", SAME_EDIT, put(f"{ONE} put requestBody", required=True), "breaking", "additive", "request"),
    ("body: not required told", SAME_EDIT, put(f"{ONE} put requestBody", required=False), NONE, NONE, ""),
    ("body: new and optional", SAME_EDIT, put(LIST, requestBody=content(ref("Item"))), "additive", "potential|breaking", "request"),
    ("body: new and required", SAME_EDIT, put(LIST, requestBody={"required": True, **content(ref("Item"))}), "breaking", "potential|breaking", "request"),
    ("body: media type's parameters", SAME_EDIT, call("components requestBodies Item content", "application/json", "application/json; charset=utf-8"), NONE, NONE, ""),
    ("body: another media type instead", SAME_EDIT, call("components requestBodies Item content", "application/json", "application/x-www-form-urlencoded"), "breaking", "breaking", "request"),
    ("body: any media type", SAME_EDIT, call("components requestBodies Item content", "application/json", "*/*"), "additive", "breaking", "request"),
    ("body: described", SAME_EDIT, put("components requestBodies Item", description="An item."), "prose", "prose", "request"),
    ("body: a part's media type", put(f"{ONE} put", requestBody=content(obj(f=text()), "multipart/form-data", encoding={"f": {"contentType": "image/png"}})), put(f"{ONE} put", requestBody=content(obj(f=text()), "multipart/form-data", encoding={"f": {"contentType": "image/gif"}})), "breaking|potential", "breaking|potential", "request"),
    # security
    ("security: told at each operation", SAME_EDIT, _secured, NONE, NONE, ""),
    ("security: none at one", SAME_EDIT, put(LIST, security=[]), "additive", "breaking", "request"),
    ("security: none at one, by {}", put(LIST, security=[]), put(LIST, security=[{}]), NONE, NONE, ""),
    ("security: one more way", SAME_EDIT, lambda d: d.update(security=[{"key": []}, {"bearer": []}]), "additive", "breaking", "request"),
    ("security: order of ways", lambda d: d.update(security=[{"bearer": []}, {"key": []}]), lambda d: d.update(security=[{"key": []}, {"bearer": []}]), NONE, NONE, ""),
    ("security: both at once", lambda d: d.update(security=[{"bearer": []}, {"key": []}]), lambda d: d.update(security=[{"bearer": [], "key": []}]), "breaking", "additive|breaking", "request"),
    ("security: a scope more", lambda d: d.update(security=[{"oauth": ["r"]}]), lambda d: d.update(security=[{"oauth": ["w", "r"]}]), "breaking", "additive", "request"),
    ("security: order of scopes", lambda d: d.update(security=[{"oauth": ["r", "w"]}]), lambda d: d.update(security=[{"oauth": ["w", "r"]}]), NONE, NONE, ""),
    ("security: the key's header", lambda d: d.update(security=[{"key": []}]), both(lambda d: d.update(security=[{"key": []}]), put("components securitySchemes key", name="X-Token")), "breaking", "breaking", "request"),
    ("security: the key's header's case", lambda d: d.update(security=[{"key": []}]), both(lambda d: d.update(security=[{"key": []}]), put("components securitySchemes key", name="x-key")), NONE, NONE, ""),
    ("security: scheme described", SAME_EDIT, put("components securitySchemes bearer", description="A JWT."), "prose", "prose", "request"),
    ("security: scheme's format", SAME_EDIT, put("components securitySchemes bearer", bearerFormat="JWT"), "prose|cosmetic", "prose|cosmetic", "request"),
    ("security: scheme's case", SAME_EDIT, put("components securitySchemes bearer", scheme="Bearer"), NONE, NONE, ""),
    ("security: a scheme nobody uses", SAME_EDIT, put("components securitySchemes", more=BEARER), NONE, NONE, ""),
    # servers and paths
    ("server: at each path", SAME_EDIT, _lifted_servers, NONE, NONE, ""),
    ("server: all gone", SAME_EDIT, cut("", "servers"), "breaking", "additive", "request"),
    ("server: none is the description's own", cut("", "servers"), put("", servers=[{"url": "/"}]), NONE, NONE, ""),
    ("server: described", SAME_EDIT, put("servers 0", description="Live."), f"{NONE}|prose|cosmetic", f"{NONE}|prose|cosmetic", "request"),
    ("server: its variable", SAME_EDIT, lambda d: d.update(servers=[{"url": "https://{host}/v1", "variables": {"host": {"default": "api.example.com"}}}]), NONE, NONE, ""),
    ("server: its version", SAME_EDIT, put("servers 0", url="https://api.example.com/v2"), "breaking", "breaking", "request"),
    ("server: order", lambda d: d["servers"].append({"url": "https://b.example.com/v1"}), lambda d: d["servers"].insert(0, {"url": "https://b.example.com/v1"}), NONE, NONE, ""),
    ("path: a slash at its end", SAME_EDIT, call("paths", "/items", "/items/"), "breaking", "breaking", "request"),
    ("path: order", SAME_EDIT, lambda d: d.update(paths=dict(reversed(d["paths"].items()))), NONE, NONE, ""),
    ("path: another method", SAME_EDIT, call(ONE, "put", "patch"), "breaking", "breaking", "request"),
    ("path: by ref", SAME_EDIT, both(lambda d: d["components"].update(pathItems={"Items": d["paths"].pop("/items")}), put_at("paths", "/items", {"$ref": "#/components/pathItems/Items"})), NONE, NONE, ""),
    # events
    ("event: kind added", SAME_EDIT, put(f"{HOOK} properties kind", enum=["made", "gone", "sold"]), "potential", "additive", "event"),
    ("event: kinds reordered", SAME_EDIT, flip(f"{HOOK} properties kind enum"), NONE, NONE, ""),
    ("event: nullable", SAME_EDIT, put(f"{HOOK} properties", item=either(ref("Item"), NULL)), "breaking", "additive", "event"),
    ("event: field removed", put(HOOK, required=["kind", "item"]), both(cut(f"{HOOK} properties", "item")), "breaking", "additive", "event"),
    ("event: body gone", SAME_EDIT, put("webhooks item post", requestBody={"content": {}}), "breaking", "additive", "event"),
    ("event: by components", SAME_EDIT, both(lambda d: d["components"].update(pathItems={"Hook": d["webhooks"].pop("item")}), put_at("webhooks", "item", {"$ref": "#/components/pathItems/Hook"})), NONE, NONE, ""),
    ("event: described", SAME_EDIT, put("webhooks item post", description="Sent at once."), "prose", "prose", "event"),
    ("event: callback's field to optional", SAME_EDIT, cut(BACK, "required"), "breaking", "additive", "event"),
    ("event: callback's field retyped", SAME_EDIT, put(f"{BACK} properties", state=integer()), "breaking", "breaking", "event"),
    ("event: callback gone", SAME_EDIT, cut(MAKE, "callbacks"), "breaking", "additive", "event"),
    ("event: renamed as its fields are", SAME_EDIT, call("webhooks", "item", "thing"), "breaking", "breaking", "event"),
    ("event: header required no longer", put("webhooks item post", parameters=[parameter("X-Id", location="header", required=True)]), put("webhooks item post", parameters=[parameter("X-Id", location="header")]), "breaking", "additive", "event"),
    ("event: header described", put("webhooks item post", parameters=[parameter("X-Id", location="header")]), put("webhooks item post", parameters=[parameter("X-Id", location="header", description="Its id.")]), "prose", "prose", "event"),
    ("event: our answer", SAME_EDIT, call("webhooks item post responses", "200", "204"), "breaking", "breaking", "event"),
    # rules and words
    ("words: of the path", SAME_EDIT, put(ONE, description="One item."), "prose", "prose", "request"),
    ("words: of the path, moved to its operations", put(ONE, description="One item."), both(put(f"{ONE} get", description="One item."), put(f"{ONE} put", description="One item.")), f"{NONE}|prose", f"{NONE}|prose", "request"),
    ("words: of a header", put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer()}}), put(f"{LIST} responses 200", headers={"X-Total": {"schema": integer(), "description": "How many."}}), "prose", "prose", "response"),
    ("words: of an example", put(f"{LIST} responses 200 content application/json", examples={"a": {"value": [1]}}), put(f"{LIST} responses 200 content application/json", examples={"a": {"value": [1], "summary": "One."}}), f"{NONE}|example|prose|cosmetic", f"{NONE}|example|prose|cosmetic", "response"),
    ("words: of the tag", SAME_EDIT, put("tags 0", description="Items."), "prose", "prose", "request"),
    ("words: of a scope", lambda d: d.update(security=[{"oauth": ["r"]}]), both(lambda d: d.update(security=[{"oauth": ["r"]}]), put("components securitySchemes oauth flows clientCredentials scopes", r="Read all")), "prose", "prose", "request"),
    ("words: of a variable", lambda d: d.update(servers=[{"url": "https://{h}", "variables": {"h": {"default": "a"}}}]), lambda d: d.update(servers=[{"url": "https://{h}", "variables": {"h": {"default": "a", "description": "The host."}}}]), f"{NONE}|prose|cosmetic", f"{NONE}|prose|cosmetic", "request"),
    ("words: line breaks of a summary", put(LIST, summary="All items"), put(LIST, summary=" All\n items "), NONE, NONE, ""),
    ("example: by ref", put(f"{LIST} responses 200 content application/json", examples={"a": {"value": [1]}}), both(put(f"{LIST} responses 200 content application/json", examples={"b": {"$ref": "#/components/examples/b"}}), put("components", examples={"b": {"value": [1]}})), NONE, NONE, ""),
    ("example: of a shared parameter", SAME_EDIT, put("components parameters Size", example=20), "example", "example", "request"),
    ("example: in all places at once", SAME_EDIT, both(put("components schemas Item properties size", example=1), put("components schemas Item", examples=[{"id": "1"}]), put("components schemas State", example="ON")), "example", "example", "request"),
    ("rule: added", SAME_EDIT, lambda d: at(d, MAKE)["x-rule"].append({"id": "a.3", "rule": "Names are short."}), "prose", "prose", "request"),
    ("rule: removed", SAME_EDIT, cut(f"{MAKE} x-rule", "1"), "prose", "prose", "request"),
    ("rule: changed", SAME_EDIT, put(f"{MAKE} x-rule 0", rule="At most 20 a minute."), "prose", "prose", "request"),
    ("rule: order", SAME_EDIT, flip(f"{MAKE} x-rule"), NONE, NONE, ""),
    ("rule: renumbered", SAME_EDIT, put(f"{MAKE} x-rule 0", id="a.7"), f"{NONE}|cosmetic", f"{NONE}|cosmetic", "request"),
    ("rule: of an event", put("webhooks item post", **RULE), put("webhooks item post", **{"x-rule": "B."}), "prose", "prose", "event"),
    ("rule: of an answer", put(f"{LIST} responses 200", **RULE), put(f"{LIST} responses 200", **{"x-rule": "B."}), "prose", "prose", "response"),
    ("rule: of a callback", put(BACK, **RULE), put(BACK, **{"x-rule": "B."}), "prose", "prose", "event"),
    ("rule: of a schema that only answers have", put("components responses Fault", **RULE), put("components responses Fault", **{"x-rule": "B."}), "prose", "prose", "response"),
    ("rule: of a schema that is sent, too", put("components schemas Item", **RULE), put("components schemas Item", **{"x-rule": "B."}), "prose", "prose", "request"),
    ("words: order of tags", SAME_EDIT, flip("tags"), NONE, NONE, ""),
    ("words: tags", SAME_EDIT, put(LIST, tags=["b"]), f"{NONE}|cosmetic|prose", f"{NONE}|cosmetic|prose", "request"),
    ("words: externalDocs", SAME_EDIT, lambda d: d.update(externalDocs={"url": "https://docs.example.com"}), f"{NONE}|cosmetic|prose", f"{NONE}|cosmetic|prose", "request"),
    ("words: of the whole", SAME_EDIT, put("info", description="Things expire after 24 hours."), "prose", "prose", "request"),
    ("words: title and licence", SAME_EDIT, put("info", title="A shop", license={"name": "MIT"}), f"{NONE}|cosmetic|prose", f"{NONE}|cosmetic|prose", "request"),
    ("words: version", SAME_EDIT, put("info", version="2"), NONE, NONE, ""),
    ("words: operation deprecated", SAME_EDIT, put(LIST, deprecated=True), "prose", "prose", "request"),
    ("words: component's name", SAME_EDIT, lambda d: d.update(json.loads(json.dumps(d).replace('"Item"', '"Thing"').replace("/schemas/Item", "/schemas/Thing").replace("/requestBodies/Item", "/requestBodies/Thing"))), NONE, NONE, ""),
]  # fmt: skip


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize(
    ("before", "after", "there", "and_back", "direction"),
    [case[1:] for case in DOCUMENTS],
    ids=[case[0] for case in DOCUMENTS],
)
def test_document(before: Edit, after: Edit, there: str, and_back: str, direction: str, *, back: bool) -> None:
    """A changed operation, parameter, response or event has its verdict and direction, there and back."""
    base, revision = shop(), shop()
    before(base)
    after(revision)
    found = drift(revision, base) if back else drift(base, revision)
    told = [f"{one.severity}: {one.message}" for one in found]
    assert worst(found) in (and_back if back else there).split("|"), told
    assert not found or direction in {str(one.direction) for one in found if one.severity == found[0].severity}, told


def ruled(path: str, sentence: str) -> Json:
    data = shop()
    at(data, path)["x-rule"] = [{"id": "b.1", "rule": sentence}, *at(data, path).get("x-rule", [])]
    return data


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (MAKE, "POST /items"),
        ("webhooks item", "item"),
        ("webhooks item post", "item"),
        ("components schemas Item", None),
    ],
)
def test_a_rule_has_its_place_and_keeps_its_fingerprint_when_it_moves(path: str, place: str | None) -> None:
    """A changed rule is told with the operation or event it stands in, and is the same change wherever that is."""
    (told,) = drift(ruled(path, "A."), ruled(path, "B."))
    (other,) = drift(ruled(LIST, "A."), ruled(LIST, "B."))
    assert (place, other.fingerprint) == (told.as_json()["operation"], told.fingerprint)


def kinds(*events: str, values: str, narrows: str = "const") -> Json:
    """A description in which each event narrows the type that all of them share."""
    data = shop()
    data["components"]["schemas"]["Kind"] = text(enum=values.split())
    for event in events:
        narrowed = {narrows: event if narrows == "const" else [event]}
        body = content(obj("kind", kind=every(ref("Kind"), narrowed)))
        data["webhooks"][event] = {"post": {"requestBody": body, "responses": {"200": {"description": "OK"}}}}
    return data


@pytest.mark.parametrize("narrows", ["const", "enum"])
def test_a_value_that_every_event_narrows_away_is_told(narrows: str) -> None:
    """A new value of an enum is told though no event may have it; one that went, too; and none of an event that did."""
    old = kinds("made", "gone", values="made gone", narrows=narrows)
    new = kinds("made", "gone", values="made gone lost", narrows=narrows)
    more = kinds("made", "gone", "lost", values="made gone lost", narrows=narrows)
    (one,) = drift(old, new)
    assert ("potential", "event", ("gone", "made"), "value-added") == (
        one.severity,
        one.direction,
        one.operations,
        one.kind,
    )
    assert one.message.startswith("gone Kind: new value lost")
    assert ["additive"] == [str(each.severity) for each in drift(new, old)]
    assert ["value-added", "event-added"] == [each.kind for each in drift(old, more)]


def test_a_value_of_a_shared_enum_is_told_once() -> None:
    """Where an enum is met as it is, its new value is one difference for each direction, and none where nobody reads."""
    old, new, unread = shop(), shop(), shop()
    put("components schemas State", enum=["ON", "OFF", "LATE"])(new)
    unread["components"]["schemas"]["Unread"] = text(enum=["A"])
    more = copy.deepcopy(unread)
    more["components"]["schemas"]["Unread"]["enum"].append("B")
    assert [("value-added", "event"), ("value-added", "request")] == [
        (one.kind, one.direction) for one in drift(old, new)
    ]
    assert [] == drift(unread, more)


YAML = """
# A comment, a name and a merge.
openapi: 3.1.0
info: {title: T, version: 1}
x-common: &common
  type: object
  required: [id]
paths:
  /a:
    get:
      responses:
        200:
          description: >-
            Some
            words.
          content:
            application/json:
              schema:
                <<: *common
                properties:
                  id: &id {type: string, example: 2026-01-01}
                  on: {type: string, enum: ['ON', 'OFF', 'no']}
                  other: *id
"""
PLAIN = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "responses": {
                    "200": {
                        "description": "Some words.",
                        **content(obj("id", id=text(example="2026-01-01"), on=text(enum=["no", "OFF", "ON"]), other=text(example="2026-01-01"))),
                    }
                }
            }
        }
    },
}  # fmt: skip


def test_yaml_and_json() -> None:
    """Comments, anchors, merges, numbers as codes and dates as texts are no differences."""
    assert [] == [
        one.message for one in compare(read("a.yaml", YAML.encode()), read("b.json", json.dumps(PLAIN).encode()))
    ]
