"""Errors, statuses and bodies that are none."""

# pyright: reportUnknownLambdaType=none
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..shop import Answer
from .fault import Body, answered


def is_no(status: int) -> bool:
    """Any refusal."""
    return status >= 400


def only(wanted: int) -> Callable[[int], bool]:
    """One status."""
    return lambda status: status == wanted


def says_no(change: Callable[[Body], Any]) -> Callable[[Answer], Answer]:
    """Another error body."""
    return lambda answer: replace(answer, body=change(answer.body))


def media(text: str | None, body: Callable[[Body], Any] = lambda body: body) -> Callable[[Answer], Answer]:
    """Another media type."""
    return lambda answer: replace(answer, headers={"Content-Type": text or ""}, body=body(answer.body))


answered(
    "error-500-json",
    "A bad request to create is a 500.",
    lambda answer: replace(answer, status=500),
    "create",
    status=only(400),
)
answered(
    "error-500-list",
    "A bad request to list is a 500.",
    lambda answer: replace(answer, status=500),
    "list",
    status=only(400),
)
answered(
    "error-503-refund",
    "A bad request to refund is a 503.",
    lambda answer: replace(answer, status=503),
    "refund",
    status=only(400),
)
answered(
    "error-200",
    "A bad request to create is 200 and an error.",
    lambda answer: replace(answer, status=200),
    "create",
    status=only(400),
)
answered(
    "error-html", "Errors of a 401 are pages.", media("text/html", lambda _: b"<h1>Unauthorized</h1>"), status=only(401)
)
answered(
    "error-text",
    "Errors are plain text.",
    media("text/plain", lambda body: body["errorMessage"].encode()),
    "refund",
    status=is_no,
)
answered("error-text-json", "Errors are JSON that is called text.", media("text/plain"), "get", status=is_no)
answered(
    "error-problem", "Errors are application/problem+json.", media("application/problem+json"), "list", status=is_no
)
answered("error-empty", "Errors of get have no body.", says_no(lambda _: b""), "get", status=is_no)
answered(
    "error-empty-object", "Errors of deactivate are empty objects.", says_no(lambda _: {}), "deactivate", status=is_no
)
answered("error-array", "Errors are arrays.", says_no(lambda body: [body]), "create", status=is_no)
answered(
    "error-many",
    "Errors are lists under errors.",
    says_no(lambda body: {"errors": [{"id": body["errorType"], "message": body["errorMessage"]}]}),
    "list",
    status=is_no,
)
answered(
    "error-legacy",
    "Errors of a 401 are of the old shape.",
    says_no(lambda body: {"error": {"message": body["errorMessage"]}}),
    status=only(401),
)
answered(
    "error-message-empty", "errorMessage is empty.", says_no(lambda body: body | {"errorMessage": ""}), status=is_no
)
answered(
    "error-message-blank", "errorMessage is a blank.", says_no(lambda body: body | {"errorMessage": " "}), status=is_no
)
answered(
    "error-message-missing",
    "A 401 has no errorMessage.",
    says_no(lambda body: {"errorType": body["errorType"]}),
    status=only(401),
)
answered(
    "error-message-list",
    "errorMessage is a list.",
    says_no(lambda body: body | {"errorMessage": [body["errorMessage"]]}),
    "create",
    status=is_no,
)
answered(
    "error-type-missing",
    "A missing checkout has no errorType.",
    says_no(lambda body: {"errorMessage": body["errorMessage"]}),
    "get",
    status=is_no,
)
answered(
    "error-type-number",
    "errorType is the status.",
    says_no(lambda body: body | {"errorType": 400}),
    "refund",
    status=is_no,
)
answered("error-type-empty", "errorType is empty.", says_no(lambda body: body | {"errorType": ""}), status=is_no)
answered(
    "error-type-401",
    "A 401 is called not_found.",
    says_no(lambda body: body | {"errorType": "not_found"}),
    status=only(401),
)
answered(
    "error-type-404",
    "A 404 is called unauthorized.",
    says_no(lambda body: body | {"errorType": "unauthorized"}),
    status=only(404),
)
answered(
    "error-correlation-null",
    "correlationId is null.",
    says_no(lambda body: body | {"correlationId": None}),
    status=is_no,
)
answered(
    "error-correlation-number",
    "correlationId is a number.",
    says_no(lambda body: body | {"correlationId": 17}),
    status=is_no,
)
answered(
    "error-link-relative",
    "errorLink is no URI.",
    says_no(lambda body: body | {"errorLink": "see the docs"}),
    status=is_no,
)
answered(
    "error-snake",
    "Errors are in snake case.",
    says_no(lambda body: {"error_type": body["errorType"], "error_message": body["errorMessage"]}),
    "create",
    status=is_no,
)
answered("status-202-refund", "A refund is a 202.", lambda answer: replace(answer, status=202), "refund")
answered("status-201-refund", "A refund is a 201.", lambda answer: replace(answer, status=201), "refund")
answered("status-204-deactivate", "A deactivation is a 204.", lambda _: Answer(204, b""), "deactivate")
answered("status-202-create", "A creation is a 202.", lambda answer: replace(answer, status=202), "create")
answered("status-203-get", "A reading is a 203.", lambda answer: replace(answer, status=203), "get")
answered("status-206-list", "A list is a 206.", lambda answer: replace(answer, status=206), "list")
answered(
    "status-418", "A bad request is a 418.", lambda answer: replace(answer, status=418), "create", status=only(400)
)
answered("media-html", "Lists are called HTML.", media("text/html"), "list")
answered("media-none", "Checkouts have no media type.", media(None), "get")
answered("media-octets", "New checkouts are octets.", media("application/octet-stream"), "create")
answered("media-javascript", "Lists are called JavaScript.", media("text/javascript"), "list")
answered(
    "body-bom",
    "Answers begin with a byte order mark.",
    lambda answer: replace(answer, body=b"\xef\xbb\xbf" + json.dumps(answer.body).encode()),
    "get",
)
answered(
    "body-latin-1",
    "Answers are in Latin-1.",
    lambda answer: replace(answer, body=json.dumps(answer.body, ensure_ascii=False).encode("latin-1", "replace")),
    "get",
    "list",
    "create",
)
answered(
    "body-utf-16",
    "Answers are in UTF-16.",
    lambda answer: replace(answer, body=json.dumps(answer.body).encode("utf-16")),
    "list",
)
answered(
    "body-twice",
    "Answers are there twice.",
    lambda answer: replace(answer, body=json.dumps(answer.body).encode() * 2),
    "get",
)
answered(
    "body-comment",
    "Answers have a comment.",
    lambda answer: replace(answer, body=json.dumps(answer.body).encode() + b" // ok"),
    "deactivate",
)
answered(
    "body-guard",
    "Answers are guarded against inclusion.",
    lambda answer: replace(answer, body=b")]}'\n" + json.dumps(answer.body).encode()),
    "get",
)
answered(
    "body-single-quotes",
    "Answers are Python.",
    lambda answer: replace(answer, body=repr(answer.body).encode()),
    "refund",
)
answered(
    "body-nan", "An amount is NaN.", lambda answer: replace(answer, body=answer.body | {"amount": float("nan")}), "get"
)
answered(
    "body-nan-extra",
    "A member that nobody knows is NaN.",
    lambda answer: replace(answer, body=answer.body | {"score": float("nan")}),
    "get",
)
answered(
    "body-wrapped-data",
    "Answers are wrapped in data.",
    lambda answer: replace(answer, body={"data": answer.body}),
    "get",
)
answered("body-array", "Answers are arrays of one.", lambda answer: replace(answer, body=[answer.body]), "create")
answered(
    "body-text",
    "Answers are JSON in a JSON text.",
    lambda answer: replace(answer, body=json.dumps(json.dumps(answer.body)).encode()),
    "get",
)
answered("body-null", "Deactivations answer null.", lambda answer: replace(answer, body=b"null"), "deactivate")
answered("body-empty-answer", "Deactivations answer nothing.", lambda answer: replace(answer, body=b""), "deactivate")
