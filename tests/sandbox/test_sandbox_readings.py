"""Readings: what is chosen on the command line is what is answered."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from coinbase_checkouts_sandbox import cli
from coinbase_checkouts_sandbox.clock import milliseconds
from coinbase_checkouts_sandbox.readings import DEFAULT, Readings, parse

if TYPE_CHECKING:
    from tests.sandbox.conftest import Server

PATH = "/api/v1/checkouts"
BODY = {"amount": "1.00", "currency": "USDC"}
CHOICES = {field.metadata["name"]: field.metadata["choices"] for field in fields(Readings)}


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("create=200", "create_status", 200),
        ("create=201", "create_status", 201),
        ("missing=400", "missing_status", 400),
        ("malformed-id=404", "malformed_id_status", 404),
        ("expiry=24h", "default_expiry_s", 86400),
        ("expiry=1h", "default_expiry_s", 3600),
        ("conflict=409", "idempotency_conflict_status", 409),
        ("illegal-change=409", "illegal_change_status", 409),
        ("illegal-change=422", "illegal_change_status", 422),
        ("second-deactivation=unchanged", "second_deactivation", "unchanged"),
        ("refund-scope=view", "refund_scope", "view"),
    ],
)
def test_a_reading_is_chosen(text: str, field: str, value: object) -> None:
    """
    NAME=VALUE changes that reading and leaves the others at their defaults.
    """
    defaults = {each.name: getattr(DEFAULT, each.name) for each in fields(Readings)}
    chosen = parse([text])
    assert {**defaults, field: value} == {each.name: getattr(chosen, each.name) for each in fields(Readings)}


def test_nothing_chosen_is_the_default() -> None:
    """
    Without a choice every reading is the first of its choices, and each choice can be written.
    """
    assert DEFAULT == parse([]) == parse(f"{name}={next(iter(choices))}" for name, choices in CHOICES.items())
    assert len(CHOICES) == len(fields(Readings)) == len(set(CHOICES))
    for name, choices in CHOICES.items():
        assert len(choices) == len({repr(parse([f"{name}={value}"])) for value in choices})


def test_several_are_chosen_together() -> None:
    """
    Any number of readings may be given, the same twice too.
    """
    chosen = parse(["create=200", "missing=400", "create=200"])
    assert Readings(create_status=200, missing_status=400) == chosen


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["colour=red"], "no reading is called 'colour'; there are create, missing, "),
        ([""], "no reading is called ''"),
        (["=200"], "no reading is called ''"),
        (["Create=200"], "no reading is called 'Create'"),
        ([" create=200"], "no reading is called ' create'"),
        (["create_status=200"], "no reading is called"),
        (["create"], "create must be 201 or 200, as in create=201"),
        (["create="], "create must be 201 or 200"),
        (["create=202"], "create must be 201 or 200"),
        (["create=200 "], "create must be 201 or 200"),
        (["create==200"], "create must be 201 or 200"),
        (["illegal-change=500"], "illegal-change must be 400 or 409 or 422"),
        (["create=200", "create=201"], "create is given two values"),
        (["create=201", "create=200"], "create is given two values"),
    ],
)
def test_other_texts_are_no_reading(texts: list[str], told: str) -> None:
    """
    A name, a value or a second choice that does not exist is a ValueError that says what there is.
    """
    with pytest.raises(ValueError, match=told):
        parse(texts)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--reading", "colour=red"], "create, missing, malformed-id, expiry, conflict, illegal-change"),
        (["--reading", "create=202"], "create must be 201 or 200"),
        (["--reading", "create=200,missing=401"], "missing must be 404 or 400"),
        (["--reading", "create=200,"], "no reading is called ''"),
        (["--reading", "create=200", "--reading", "create=201"], "create is given two values"),
        (["--reading"], "expected one argument"),
    ],
)
def test_a_wrong_flag_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    """
    The command ends with 2 before anything is written or listened to, and its last line says what may be chosen.
    """
    with pytest.raises(SystemExit) as caught:
        cli.main(["--no-auth", "--database", "sqlite://", "--port", "0", *arguments])
    out, err = capsys.readouterr()
    assert (2, "") == (caught.value.code, out)
    assert told in err.splitlines()[-1]


def test_help_lists_every_reading(capsys: pytest.CaptureFixture[str]) -> None:
    """
    --help has each reading with its choices, the default first.
    """
    with contextlib.suppress(SystemExit):
        cli.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name, choices in CHOICES.items():
        assert f"  {name}={'|'.join(choices)}" in lines


def behaviour(url: str) -> Iterator[tuple[str, Any]]:
    """How a server answers each open question."""
    with httpx.Client(base_url=url) as client:
        headers = {"X-Idempotency-Key": str(uuid.uuid4())}
        made = client.post(PATH, json=BODY, headers=headers)
        checkout = made.json()
        yield "create", made.status_code
        yield "missing", client.get(f"{PATH}/{'0' * 24}").status_code
        yield "malformed-id", client.get(f"{PATH}/nonsense").status_code
        yield "expiry", (milliseconds(checkout["expiresAt"]) - milliseconds(checkout["createdAt"])) // 1000
        yield "conflict", client.post(PATH, json={**BODY, "amount": "2"}, headers=headers).status_code
        deactivate = f"{PATH}/{checkout['id']}/deactivate"
        assert 200 == client.post(deactivate).status_code
        second = client.post(deactivate)
        yield "second-deactivation", "unchanged" if second.status_code == 200 else "refused"
        refund = client.post(f"{PATH}/{checkout['id']}/refund", json={"amount": "1"})
        yield "illegal-change", refund.status_code
        assert "DEACTIVATED" == client.get(f"{PATH}/{checkout['id']}").json()["status"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_is_chosen_is_answered(serve: Callable[..., Server], number: int) -> None:
    """
    A server started with the first, second or third choice of every reading answers so. (refund-scope: see rights.)
    """
    chosen = {name: list(choices)[min(number, len(choices) - 1)] for name, choices in CHOICES.items()}
    texts = [f"{name}={value}" for name, value in chosen.items()]
    # Both ways of giving several.
    arguments = ["--reading", texts[0], "--reading", ",".join(texts[1:])]
    expected = {name: CHOICES[name][value] for name, value in chosen.items() if name != "refund-scope"}
    assert expected == dict(behaviour(serve("--no-auth", "--database", "sqlite://", *arguments).url))
