"""
The choices this sandbox makes where the published documents are silent or disagree.

One place, so that a later option can choose another documented reading, and a page can tell which is in force.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal


def _reading(default: Any, *, others: tuple[Any, ...], source: str) -> Any:
    """A choice: what is done, what else a source says, and which source says what."""
    return field(default=default, metadata={"others": others, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """
    Which documented reading each open question is answered with.

    The metadata of each field has `others`, the readings not taken, and `source`, in the words of the
    description's x-documents.
    """

    create_status: Literal[200, 201] = _reading(
        201, others=(200,), source="api-evangelist, survey-2026-08: 201; integrators: 200. Assumed either way."
    )
    missing_status: Literal[404, 400] = _reading(
        404, others=(400,), source="api-evangelist, survey-2026-08, status-codes: 404; woocommerce's mock: 400."
    )
    malformed_id_status: Literal[400, 404] = _reading(
        400, others=(404,), source="errors: a request that breaks the description is invalid_request. Assumed."
    )
    default_expiry_s: Literal[3600, 86400] = _reading(
        3600, others=(86400,), source="create-checkout, b3os: 1 hour; api-evangelist, survey-2026-08: 24 hours."
    )
    idempotency_conflict_status: Literal[422, 409] = _reading(
        422, others=(409,), source="cdp-openapi: idempotency_error is 422. Not documented for Checkouts."
    )
    illegal_change_status: Literal[400, 409, 422] = _reading(
        400, others=(409, 422), source="No document names it; 400 invalid_request is the only fitting documented code."
    )
    second_deactivation: Literal["refused", "unchanged"] = _reading(
        "refused", others=("unchanged",), source="b3os, api-evangelist: only an ACTIVE checkout can be deactivated."
    )


DEFAULT: Final = Readings()
