"""Reading what a form of our own pages sends, and nothing else: every field once, no other field, all of it text."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from coinbase_checkouts_sandbox.errors import ApiError
from coinbase_checkouts_sandbox.requests import Call

# The largest form here has one number.
_LARGEST_BYTES: Final = 4096

# What a browser writes (WHATWG URL, application/x-www-form-urlencoded), + for a space included.
_ENCODED: Final = re.compile(rb"(?:[A-Za-z0-9*._+-]|%[0-9A-Fa-f]{2})*")

_WHOLE: Final = re.compile(r"[0-9]{1,12}")


def read(call: Call, *names: str) -> dict[str, str]:
    """
    The fields of the form in *call*, which are exactly *names*.

    Raises:
        ApiError: 400; another media type, too large, badly encoded, or fields missing, unknown or repeated.
    """
    media_type = (call.header("content-type") or "").split(";")[0].strip().lower()
    # A form without fields may come from a program that sends no body and so no media type either.
    if media_type != "application/x-www-form-urlencoded" and (call.body or names):
        raise ApiError(400, "header content-type: must be application/x-www-form-urlencoded")
    if len(call.body) > _LARGEST_BYTES:
        raise ApiError(400, f"body: larger than {_LARGEST_BYTES} bytes")
    fields: dict[str, str] = {}
    for pair in call.body.split(b"&") if call.body else ():
        encoded_name, equals, encoded_value = pair.partition(b"=")
        if not equals or not _ENCODED.fullmatch(encoded_name) or not _ENCODED.fullmatch(encoded_value):
            raise ApiError(400, "body: not an encoded form")
        name = _text(encoded_name)
        if name not in names:
            raise ApiError(400, "body: a field this form does not have")
        if name in fields:
            raise ApiError(400, f"body {name}: given more than once")
        fields[name] = _text(encoded_value)
    for name in names:
        if name not in fields:
            raise ApiError(400, f"body {name}: missing")
    return fields


def whole_number(fields: dict[str, str], name: str, *, most: int) -> int:
    """
    A field as an integer from 0 to *most*.

    Raises:
        ApiError: 400.
    """
    text = fields[name].strip()
    if not _WHOLE.fullmatch(text) or int(text) > most:
        raise ApiError(400, f"body {name}: must be a whole number from 0 to {most}")
    return int(text)


def choice(fields: dict[str, str], name: str, *known: str) -> str:
    """
    A field as one of *known*.

    Raises:
        ApiError: 400.
    """
    if fields[name] not in known:
        raise ApiError(400, f"body {name}: must be {' or '.join(known)}")
    return fields[name]


def _text(encoded: bytes) -> str:
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise ApiError(400, "body: not percent-encoded UTF-8") from None
