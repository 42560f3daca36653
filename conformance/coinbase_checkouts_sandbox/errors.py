"""Errors as the API tells them: an ErrorBody with a status."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# errorType by status. Source: cdp-openapi and api-evangelist, as gathered in the description. method_not_allowed and
# not_implemented are this sandbox's own: no document has a 405 or 501. 409 and 422 mean several things, so whoever
# raises them says which.
_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "invalid_request",
        401: "unauthorized",
        403: "forbidden",
        404: "not_found",
        405: "method_not_allowed",
        500: "internal_server_error",
        501: "not_implemented",
        503: "service_unavailable",
    }
)

_LINK: Final = "https://docs.cdp.coinbase.com/api-reference/v2/errors#"

# Long enough for several violations, short enough for a log; property names come from the request.
_LONGEST_MESSAGE: Final = 1000


class ApiError(Exception):
    """
    A request is refused; say so with *status* and *message*.

    Args:
        message: For a person: which field and which rule. Never a token, a key or a value that was sent.
        error_type: Where it is not the usual one of the status.
        headers: Sent along.
    """

    def __init__(
        self, status: int, message: str, *, error_type: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "…"
        self.error_type = error_type or _TYPES[status]
        self.headers = dict(headers or {})

    def body(self, correlation_id: str) -> dict[str, str]:
        """An ErrorBody with all four properties."""
        return {
            "errorType": self.error_type,
            "errorMessage": self.message,
            "correlationId": correlation_id,
            "errorLink": _LINK + self.error_type.replace("_", "-"),
        }


class IllegalChangeError(Exception):
    """The checkout or refund is not in a status, or has too little left, for what is asked. Nothing was changed."""
