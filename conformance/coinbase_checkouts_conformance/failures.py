"""
What a person needs of a claim that does not hold, to see it and to repeat it.

Sentence, request, answer, what is wrong and where, rule, source, what went before, and one line of curl. No secret.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Final

import httpx

from .claims import Claim
from .description import description
from .judge import BrokenError
from .outcomes import ERROR, FAIL
from .scrub import excerpt, scrubbed
from .traffic import Recorded, scheme_of
from .wire import Reply

# A line that is longer is no line for a shell any more.
_CURL_BODY: Final = 8000
_STEPS: Final = 8
_HEADINGS: Final = {FAIL: "BROKEN", ERROR: "ERROR"}


def verdict_of(error: BaseException) -> str:
    """Whether *error* says something about the server, or about the check."""
    return FAIL if isinstance(error, AssertionError) else ERROR


def failure(
    claim: Claim,
    error: BaseException,
    last: tuple[httpx.Request, Reply | None] | None,
    said: Iterable[Recorded] = (),
) -> str:
    """
    The text.

    Args:
        last: The last request of the operations, and its answer if one came.
        said: Everything that was said in this test.
    """
    lines = [f"{_HEADINGS[verdict_of(error)]} {claim.id}", f"  claim    {claim.sentence}"]
    if last is not None:
        request, reply = last
        body = f"  {excerpt(request.content)}" if request.content else ""
        lines.append(f"  request  {request.method} {excerpt(request.url.raw_path.decode('ascii'))}{body}")
        if reply is not None:
            lines.append(f"  answer   {reply.status} {excerpt(reply.content_type)}  {excerpt(reply.content)}")
    rule, source = claim.proves[0], claim.source
    if isinstance(error, BrokenError):
        lines.append(f"  wrong    {excerpt(error.what, limit=400)}")
        if error.pointer:
            lines.append(f"  at       {excerpt(error.pointer)}")
        rule = error.rule or rule
        source = description().source(rule) if rule.startswith("#") else source
    else:
        lines.append(f"  wrong    {_first_lines(error)}")
    lines += [f"  rule     {rule}", f"  source   {source}"]
    if last is not None:
        before = list(said)[: None if last[1] is None else -1]
        lines += [f"  {'before' if not index else '':8} {step}" for index, step in enumerate(_steps(before))]
        lines.append(f"  curl     {curl(last[0])}")
    lines.append(f"  alone    -k '{claim.id}'; more of it: coinbase-checkouts conformance explain {claim.id}")
    return "\n".join(lines)


def _steps(before: list[Recorded]) -> list[str]:
    left_out = [f"({len(before) - _STEPS} more)"] if len(before) > _STEPS else []
    return left_out + [
        f"{one.method} {excerpt(one.path, limit=90)}{_body_of(one)} → {one.status}" for one in before[-_STEPS:]
    ]


def _body_of(exchange: Recorded) -> str:
    return f"  {excerpt(exchange.content, limit=90)}" if exchange.content else ""


def curl(request: httpx.Request) -> str:
    """
    One line for a POSIX shell that sends *request* again.

    A token is never in it, only `$TOKEN` where one goes: the claim says which kind.
    """
    url = scrubbed(str(request.url))
    command = ["curl", "-sS", "-X", request.method]
    if "/." in url.partition("?")[0].partition("://")[2]:
        command.append("--path-as-is")
    if set(url) & set("[]{}"):
        command.append("--globoff")
    command.append(shlex.quote(url))
    scheme = scheme_of(request)
    if scheme is not None:
        command.append(f'-H "Authorization: {f"{scheme} $TOKEN".lstrip()}"')
    headers = [
        (name, request.headers[name]) for name in ("Content-Type", "X-Idempotency-Key") if name in request.headers
    ]
    command += [f"-H {_quoted(f'{name}: {value}')}" for name, value in headers]
    if not request.content:
        return " ".join(command)
    if len(request.content) > _CURL_BODY:
        return " ".join([*command, "--data-binary @body", f"# a body of {len(request.content)} bytes"])
    text = request.content.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return " ".join([*command, "--data-binary", _quoted(text)])
    octets = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"\\" else f"\\0{byte:03o}" for byte in request.content
    )
    return f"printf %b {_quoted(octets)} | {' '.join([*command, '--data-binary @-'])}"


def _quoted(text: str) -> str:
    return shlex.quote(scrubbed(text))


def _first_lines(error: BaseException) -> str:
    """An assertion's own words; of any other exception its type as well."""
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    return kind + "\n           ".join(_some_of(scrubbed(str(error)).splitlines()))


def _some_of(lines: Iterable[str]) -> list[str]:
    return [excerpt(line) for line in lines if line.strip()][:6]
