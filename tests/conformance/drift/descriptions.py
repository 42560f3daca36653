"""A small description to change one thing of, and the ways to write it otherwise without changing anything."""

from __future__ import annotations

import copy
import json
from typing import Any

from coinbase_checkouts_conformance.drift.comparing import compare
from coinbase_checkouts_conformance.drift.differences import Difference
from coinbase_checkouts_conformance.drift.document import Document
from coinbase_checkouts_conformance.drift.reading import read

Json = dict[str, Any]

_STATUS: Json = {"type": "string", "enum": ["OPEN", "PAID", "GONE"]}
_ORDER: Json = {
    "type": "object",
    "required": ["id", "status", "total"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{24}$"},
        "status": {"$ref": "#/components/schemas/Status"},
        "total": {"type": "string"},
        "note": {"type": "string", "maxLength": 100, "description": "Kept for 24 hours."},
        "at": {"type": "string", "format": "date-time"},
        "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
        "count": {"type": "integer", "minimum": 1},
    },
}
_LINE: Json = {
    "type": "object",
    "required": ["sku"],
    "properties": {
        "sku": {"type": "string"},
        "amount": {"type": "number"},
        "parent": {"$ref": "#/components/schemas/Line"},
    },
}
_NEW: Json = {
    "type": "object",
    "required": ["total"],
    "properties": {
        "total": {"type": "string", "pattern": "^[0-9]+$", "example": "100"},
        "note": {"type": "string", "maxLength": 100, "description": "By default 1 hour."},
        "kind": {"type": "string", "enum": ["A", "B"], "default": "A"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
    },
}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def description() -> Json:
    """One resource: create, list, get, and an event."""
    order = {"$ref": "#/components/schemas/Order"}
    error = {
        "description": "Refused.",
        "content": _json({"type": "object", "properties": {"error": {"type": "string"}}}),
    }
    return copy.deepcopy(
        {
            "openapi": "3.1.0",
            "info": {"title": "Orders", "version": "1.0.0"},
            "servers": [{"url": "https://api.example.com"}],
            "security": [{"token": []}],
            "paths": {
                "/orders": {
                    "post": {
                        "operationId": "createOrder",
                        "x-rule": [{"id": "order.range", "rule": "At most 100 a day."}],
                        "parameters": [
                            {"name": "X-Key", "in": "header", "schema": {"type": "string", "minLength": 36}},
                        ],
                        "requestBody": {"required": True, "content": _json({"$ref": "#/components/schemas/NewOrder"})},
                        "responses": {"201": {"description": "Made.", "content": _json(order)}, "400": error},
                    },
                    "get": {
                        "operationId": "listOrders",
                        "parameters": [
                            {"name": "status", "in": "query", "schema": {"$ref": "#/components/schemas/Status"}},
                            {"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                            {
                                "name": "size",
                                "in": "query",
                                "schema": {"type": "integer", "maximum": 100, "default": 20},
                            },
                        ],
                        "responses": {
                            "200": {
                                "description": "Some.",
                                "headers": {"X-Total": {"required": True, "schema": {"type": "integer"}}},
                                "content": _json(
                                    {
                                        "type": "object",
                                        "required": ["orders"],
                                        "properties": {"orders": {"type": "array", "items": order}},
                                    }
                                ),
                            },
                            "400": error,
                        },
                    },
                },
                "/orders/{orderId}": {
                    "parameters": [{"name": "orderId", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "get": {
                        "operationId": "getOrder",
                        "responses": {"200": {"description": "It.", "content": _json(order)}, "404": error},
                    },
                },
            },
            "webhooks": {
                "order.paid": {
                    "post": {
                        "operationId": "onPaid",
                        "requestBody": {
                            "content": _json(
                                {
                                    "type": "object",
                                    "required": ["type"],
                                    "properties": {"type": {"type": "string"}, "ref": {"type": "string"}},
                                }
                            )
                        },
                        "responses": {"2XX": {"description": "Taken."}},
                    }
                }
            },
            "components": {
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer"},
                    "key": {"type": "apiKey", "in": "header", "name": "X-Api"},
                },
                "schemas": {"Status": _STATUS, "Order": _ORDER, "Line": _LINE, "NewOrder": _NEW},
            },
        }
    )


def document(data: Json) -> Document:
    """*data*, read as JSON."""
    return read("test.json", json.dumps(data).encode())


def drift(base: Json, revision: Json) -> list[Difference]:
    """All differences."""
    return compare(document(base), document(revision))


def at(data: Any, path: str) -> Any:
    """What stands at `a b c`."""
    for step in path.split():
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data
