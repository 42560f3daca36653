"""Whatever a side is, the command ends with one readable line and exit code 2, or with a comparison."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinbase_checkouts_conformance.drift.cli import main
from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.problems import CouldNotCompareError
from coinbase_checkouts_conformance.drift.reading import read

from .descriptions import description

Command = Callable[..., tuple[int, str, str]]

START = b"openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"
USES = (
    START
    + b"paths: {/a: {get: {responses: {'200': {description: A, content: {application/json: {schema: {properties: {a: {$ref: '#/components/schemas/A'}}}}}}}}}}\n"
)
BOMB = (
    START
    + b"x-a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    + b"".join(
        b"x-%c: &%c [%s]\n" % (65 + n, 65 + n, b",".join([b"*%c" % (64 + n if n else 97)] * 10)) for n in range(9)
    )
    + b"paths: {}\n"
)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run it; code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\xff\xfe", "not"),
        (b"\x89PNG\r\n\x1a\n\x00", "not text"),
        (b"<!doctype html><html></html>", "HTML"),
        (b"<html><body>404</body></html>", "HTML"),
        (b"swagger: '2.0'\npaths: {}\n", "Swagger 2.0"),
        (b"openapi: 4.0.0\npaths: {}\n", "OpenAPI 4.0.0"),
        (b"hello", "root is no mapping"),
        (b"[1, 2]", "root is no mapping"),
        (b"a: 1\n", "no `openapi`"),
        (START, "cut off"),
        (b'{"openapi": "3.1.0", "paths": {"/a"', "not JSON"),
        (b"openapi: 3.1.0\npaths: {", "not YAML: line"),
        (b"a: b: c", "not YAML: line 1"),
        (START + b"paths: !!python/object/apply:os.system ['echo x']\n", "tag"),
        (START + b"paths: *nowhere\n", "*nowhere"),
        (START + b"paths: &a {b: *a}\n", "contains itself"),
        (START + b"? [a, b]\n: c\npaths: {}\n", "key"),
        (BOMB, "values, aliases written out"),
        (b"[" * 100_000, "nested too deep"),
        (b"a: " + b"[" * 100_000, "nested deeper"),
        (b"a: " + b"{b: " * 5_000, "nested deeper"),
        (b'{"openapi":"3.1.0","paths":' + b'{"a":' * 900 + b"1" + b"}" * 901, "deep"),
        (START + b"paths: {}\nx: a\x00b\n", "NUL"),
        ((START + b"paths: {}\n").decode().encode("utf-32"), "NUL"),
        (START + b"paths: {}\n\tx: 1\n", "not YAML: line 4"),
        (START + b"paths: !!binary aGVsbG8=\n", "tag"),
        (USES + b"components: {schemas: {A: {$ref: '#/components/schemas/A'}}}\n", "side: line 3"),
        (b'{"openapi":"3.1.0","paths":{"/a":{"x":1' + b"0" * 5_000 + b"}}}", "a number is too long"),
        (START + b"paths:\n  /a: []\n", "line 4, #/paths/~1a: is no mapping"),
        (START + b"paths:\n  /a:\n    get: x\n", "line 5, #/paths/~1a/get: is no mapping"),
        (START + b"paths: {/a: {get: {responses: []}}}\n", "#/paths/~1a/get/responses: is no mapping"),
        (START + b"paths: {/a: {parameters: {}}}\n", "#/paths/~1a/parameters: is no list"),
        (START + b"paths: {/a: {get: {parameters: [1]}}}\n", "#/paths/~1a/get/parameters/0: is no mapping"),
        (START + b"paths: {/a: {get: {requestBody: {content: {a/b: {schema: {$ref: 5}}}}}}}\n", "/a~1b/schema: its `$ref` is no text"),
        (START + b"paths: {/a: {$ref: '#/info/title'}}\n", "#/paths/~1a: #/info/title is no mapping"),
        (START + b"paths: {}\nservers: https://example.com\n", "#/servers: is no list"),
        (START + b"components: {schemas: {A: {properties: [a]}}}\n", "#/components/schemas/A/properties: is no mapping"),
        (START + b"components: {schemas: {A: {allOf: {type: object}}}}\n", "#/components/schemas/A/allOf: is no list"),
        (START + b"paths:\n  /a: {$ref: '#/nowhere'}\n", "there is no #/nowhere"),
        (START + b"paths:\n  /a: {$ref: 'other.yaml#/a'}\n", "another file"),
        (START + b"paths:\n  /a: {$ref: '#/paths/~1b'}\n  /b: {$ref: '#/paths/~1a'}\n", "circle"),
    ],
)  # fmt: skip
def test_no_description(content: bytes, words: str, tmp_path: Path, command: Command) -> None:
    """What is no description is told in one line that begins with its name, whichever side it is."""
    path, good = tmp_path / "side", tmp_path / "good.json"
    path.write_bytes(content)
    good.write_text(json.dumps(description()))
    for sides in ((str(path), str(good)), (str(good), str(path))):
        started = time.monotonic()
        code, out, err = command(*sides)
        assert (2, "", 1) == (code, out, err.count("\n")), err
        assert words in err
        assert "Traceback" not in err
        assert time.monotonic() - started < 5


def test_odd_but_no_obstacle(tmp_path: Path, command: Command) -> None:
    """What a part may be is read: nothing, a field named `$ref`, an extension of any kind, true for a schema."""
    path = tmp_path / "odd.yaml"
    path.write_bytes(
        START
        + b"servers:\npaths:\n  x-a: 1\n  /b: {get: {callbacks: {done: {$ref: '#/components/callbacks/C'}}}}\n  /a:\n    parameters:\n    get:\n      x-b: []\n      responses: {x-c: 2, '200': {content: {}}}\n"
        + b"components: {callbacks: {C: {}}, schemas: {A: {properties: {$ref: {type: string}, b: true}, items: [true]}, B: false}}\n"
    )
    assert command(str(path), str(path))[0] == 0


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ("nowhere.yaml", "no such file"),
        (".", "directory"),
        ("generation:9", "there are 1, 2, 3"),
        ("git:HEAD", "git:REVISION:path"),
        ("git:HEAD:nowhere.yaml", "git:HEAD:nowhere.yaml"),
        ("git:--help:x", "git:REVISION:path"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/"),
        ("http://[", "http://["),
    ],
)
def test_no_side(side: str, words: str, command: Command) -> None:
    """What cannot be had is told in one line."""
    code, out, err = command(side, "spec")
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert words in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_pipe(tmp_path: Path, command: Command) -> None:
    """A pipe that nobody writes into is empty, and does not keep anybody waiting."""
    os.mkfifo(tmp_path / "pipe")
    code, out, err = command(str(tmp_path / "pipe"), "spec")
    assert (2, "") == (code, out)
    assert "is empty" in err


def test_git(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, and what a shallow clone does not have, are told as what they are."""
    whole, clone = tmp_path / "with a space", tmp_path / "shallow"
    whole.mkdir()
    (whole / "api").mkdir()
    (whole / "api" / "it.json").write_text(json.dumps(description()))

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *arguments], check=True, capture_output=True
        )

    git("-C", str(whole), "init", "-q")
    git("-C", str(whole), "add", ".")
    for number in range(2):
        git("-C", str(whole), "commit", "-q", "--allow-empty", "-m", str(number))
    git("clone", "-q", "--depth", "1", whole.as_uri(), str(clone))
    monkeypatch.chdir(clone)
    assert (0, "") == command("git:HEAD:api/it.json", str(whole / "api" / "it.json"))[::2]
    for side, words in (
        ("git:HEAD:api", "is a folder"),
        ("git:HEAD~1:api/it.json", "shallow"),
        ("git:-h:api", "write"),
    ):
        code, out, err = command(side, "spec")
        assert (2, "", 1) == (code, out, err.count("\n"))
        assert words in err


@pytest.mark.parametrize(
    "inside",
    ["{not: {anyOf: [%s, %s]}}", "{oneOf: [%s, {type: integer}, %s]}", "{allOf: [{properties: {a: %s, b: %s}}]}"],
)
def test_doubling(inside: str) -> None:
    """Schemas that use each other twice, many levels deep, are compared at once."""
    refs = [b"{$ref: '#/components/schemas/A%d'}" % level for level in range(61)]
    levels = [b"%s: %s" % (b"A%d" % level, inside.encode() % (refs[level + 1], refs[level + 1])) for level in range(60)]
    sides = [
        USES.replace(b"schemas/A'", b"schemas/A0'")
        + b"components: {schemas: {"
        + b", ".join([*levels, b"A60: " + last])
        + b"}}\n"
        for last in (b"{type: string}", b"{type: number}")
    ]
    started = time.monotonic()
    assert compare(read("a", sides[0]), read("b", sides[1]))
    assert time.monotonic() - started < 5


def test_recursion() -> None:
    """Schemas that hold themselves, by any way, are compared to the end."""
    data = description()
    data["components"]["schemas"]["Line"]["allOf"] = [{"$ref": "#/components/schemas/Line"}]
    data["components"]["schemas"]["Order"]["additionalProperties"] = {"$ref": "#/components/schemas/Order"}
    data["components"]["schemas"]["Status"] = {"oneOf": [{"$ref": "#/components/schemas/Status"}, {"type": "string"}]}
    base = json.dumps(data).encode()
    assert compare(read("a", base), read("b", json.dumps(description()).encode()))
    assert [] == compare(read("a", base), read("b", base))


def test_yaml_is_12(tmp_path: Path, command: Command) -> None:
    """`no`, `on`, dates and 0955 are texts, a numeric key is one, and merged keys are there."""
    one = (
        START
        + b"x-base: &b {type: string}\npaths: {/a: {get: {responses: {200: {description: no, content: {a/b: {schema: {<<: *b, enum: [no, on, 2024-01-01, 0955]}}}}}}}}\n"
    )
    other = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "no", "content": {"a/b": {"schema": {"type": "string", "enum": ["no", "on", "2024-01-01", "0955"]}}}}}}}},
    }  # fmt: skip
    assert [] == compare(read("a", one), read("b", json.dumps(other).encode()))


def test_twice() -> None:
    """A key that stands twice is told with its line, in YAML and in JSON."""
    told: list[str] = []
    read("a", START + b"paths: {}\npaths: {}\n", tell=told.append)
    read("b", b'{"openapi": "3.1.0", "paths": {}, "paths": {}}', tell=told.append)
    assert ["a: line 4: the key 'paths'", "b: the key 'paths'"] == [one.partition(" stands")[0] for one in told]


def test_lines() -> None:
    """Both readers know the line of every pointer."""
    text = json.dumps(description(), indent=1)
    by_json = read("a", text.encode())
    by_yaml = read("b", b"# in YAML, one line further down\n" + text.encode())
    for pointer in (
        "#/paths/~1orders/post/parameters/0/schema/minLength",
        "#/components/schemas/Status/enum/2",
        "#/webhooks",
    ):
        line = by_json.line(pointer)
        assert line is not None
        last = pointer.rpartition("/")[2]
        assert ("GONE" if last == "2" else last) in text.splitlines()[line - 1]
        assert line + 1 == by_yaml.line(pointer)


def entangled(count: int, limit: int, rule: str) -> dict[str, Any]:
    """A description whose operations all lead to one schema, by ways through all the others."""

    def leads_to(name: int) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/S{name % count}"}

    def operation(name: int) -> dict[str, Any]:
        answer = {"description": "It.", "content": {"application/json": {"schema": leads_to(name)}}}
        return {"get": {"operationId": f"get{name:04}", "responses": {"200": answer}}}

    def schema(name: int) -> dict[str, Any]:
        inner = {"a": leads_to(name + 1), "b": leads_to(name * 7 + 3), "c": leads_to(name * 13 + 5)}
        return {"type": "object", "properties": inner}

    schemas = {f"S{name}": schema(name) for name in range(count)}
    schemas["S5"]["properties"]["id"] = {"type": "string", "maxLength": limit}
    schemas["S6"]["properties"]["kind"] = {"$ref": "#/components/schemas/Kind"}
    schemas["S7"]["x-rule"] = {"id": "seven", "rule": rule}
    schemas["Kind"] = {"type": "string", "enum": ["A", str(limit)]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Many", "version": "1"},
        "paths": {f"/s{name}": operation(name) for name in range(count)},
        "components": {"schemas": schemas},
    }


def test_many_that_lead_to_many() -> None:
    """What a thousand operations reach by a million ways is told once, soon, with a list of them that ends."""
    sides = [json.dumps(entangled(1_000, *said)).encode() for said in ((9, "A."), (8, "B."))]
    started = time.monotonic()
    found = compare(read("a", sides[0]), read("b", sides[1]))
    assert time.monotonic() - started < 8
    assert ["limit-tightened", "rule-changed", "value-added", "value-removed"] == sorted(one.kind for one in found)
    about = next(one for one in found if one.kind == "limit-tightened").operations
    assert (500, "get0005", "get0000", "get0498") == (len(about), about[0], min(about), sorted(about)[-2])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("#/components/schemas/Order"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["$ref", "type", "enum", "allOf", "oneOf", "items", "properties", "required", "name", "in", "schema", "content", "default", "pattern", "x"]),
        inner, max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


def paths_of(data: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [above, *(path for key, child in steps for path in paths_of(child, (*above, key)))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_nonsense(data: st.DataObject) -> None:
    """Anything in any place is compared, or refused in words; both ways round."""
    made = description()
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths_of(made)[1:]))
        owner: Any = made
        for step in path[:-1]:
            owner = owner[step]
        owner[path[-1]] = data.draw(ANYTHING)
    content = json.dumps(made).encode()
    for sides in ((content, json.dumps(description()).encode()), (json.dumps(description()).encode(), content)):
        with suppress(CouldNotCompareError):
            for one in compare(read("a", sides[0]), read("b", sides[1])):
                assert json.dumps(one.as_json())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_both_ways(data: st.DataObject) -> None:
    """A difference one way is a difference the other way, and none of a description to itself."""
    made, whole = description(), description()
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths_of(made)[1:]))
        owner: Any = made
        for step in path[:-1]:
            owner = owner[step]
        if data.draw(st.booleans()):
            del owner[path[-1]]
        else:
            other: Any = whole
            for step in data.draw(st.sampled_from(paths_of(whole)[1:])):
                other = other[step]
            # A copy: what holds itself is no document.
            owner[path[-1]] = copy.deepcopy(other)
    sides = [json.dumps(one).encode() for one in (made, description())]
    with suppress(CouldNotCompareError):
        assert [] == compare(read("a", sides[0]), read("b", sides[0]))
        there, back = (compare(read("a", one), read("b", other)) for one, other in (sides, sides[::-1]))
        assert bool(there) == bool(back)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="replace")))
def test_noise(content: bytes) -> None:
    """Any bytes are read or refused in words."""
    with suppress(CouldNotCompareError):
        read("noise", START + content)
