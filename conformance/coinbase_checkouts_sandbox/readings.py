"""
The choices this sandbox makes where the published documents are silent or disagree.

One place, so that a user can choose another documented reading, and a page can tell which is in force.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal


def _reading(name: str, choices: Mapping[str, Any], *, source: str) -> Any:
    """
    A choice.

    Args:
        choices: What may be chosen, as users write it, and what it means; the default is the first.
        source: Which document says what.
    """
    default, *others = choices.values()
    return field(
        default=default, metadata={"name": name, "choices": choices, "others": tuple(others), "source": source}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """
    Which documented reading each open question is answered with.

    The metadata of each field has `name` and `choices`, as `--reading` takes them, `others`, the readings that are not
    the default, and `source`, in the words of the description's x-documents.
    """

    create_status: Literal[200, 201] = _reading(
        "create",
        {"201": 201, "200": 200},
        source="api-evangelist, survey-2026-08: 201; integrators: 200. Assumed either way.",
    )
    missing_status: Literal[404, 400] = _reading(
        "missing",
        {"404": 404, "400": 400},
        source="api-evangelist, survey-2026-08, status-codes: 404; woocommerce's mock: 400.",
    )
    malformed_id_status: Literal[400, 404] = _reading(
        "malformed-id",
        {"400": 400, "404": 404},
        source="errors: a request that breaks the description is invalid_request. Assumed.",
    )
    default_expiry_s: Literal[3600, 86400] = _reading(
        "expiry",
        {"1h": 3600, "24h": 86400},
        source="create-checkout, b3os: 1 hour; api-evangelist, survey-2026-08: 24 hours.",
    )
    idempotency_conflict_status: Literal[422, 409] = _reading(
        "conflict",
        {"422": 422, "409": 409},
        source="cdp-openapi: idempotency_error is 422. Not documented for Checkouts.",
    )
    illegal_change_status: Literal[400, 409, 422] = _reading(
        "illegal-change",
        {"400": 400, "409": 409, "422": 422},
        source="No document names it; 400 invalid_request is the only fitting documented code.",
    )
    second_deactivation: Literal["refused", "unchanged"] = _reading(
        "second-deactivation",
        {"refused": "refused", "unchanged": "unchanged"},
        source="b3os, api-evangelist: only an ACTIVE checkout can be deactivated.",
    )
    refund_scope: Literal["transfer", "view"] = _reading(
        "refund-scope",
        {"transfer": "transfer", "view": "view"},
        source="api-key-authentication: View is for what moves no funds out, Transfer for sending funds. Which of them "
        "a refund needs is not documented.",
    )


DEFAULT: Final = Readings()


def parse(texts: Iterable[str]) -> Readings:
    """
    The readings that *texts* choose, each NAME=VALUE; the default where none does.

    Raises:
        ValueError: No such name or value, or a name with two values; says what there is.
    """
    named = {reading.metadata["name"]: reading for reading in fields(Readings)}
    chosen: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in named:
            raise ValueError(f"no reading is called {name!r}; there are {', '.join(named)}")
        reading = named[name]
        choices = reading.metadata["choices"]
        if value not in choices:
            raise ValueError(f"{name} must be {' or '.join(choices)}, as in {name}={next(iter(choices))}")
        if chosen.setdefault(reading.name, choices[value]) != choices[value]:
            raise ValueError(f"{name} is given two values")
    return Readings(**chosen)
