"""
Django, under WSGI and ASGI.

    urlpatterns = [path("webhooks", webhook(SECRET, receive))]
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from coinbase_checkouts.handlers import settled
from coinbase_checkouts.webhooks import Event

from . import BODY_LIMIT_BYTES, DONE, NO_LENGTH, TERMINATED, TOO_LARGE, WRONG_METHOD, Gate, Secret, called, endless

View = Callable[[HttpRequest], Any]


def webhook(secret: Secret, receive: Callable[[Event], Any], *, limit_bytes: int = BODY_LIMIT_BYTES) -> View:
    """
    The view for your path: asynchronous if *receive* is. It needs no CSRF token, for it comes from no form.

    Args:
        receive: Called with each verified event.
        limit_bytes: More is not read. Django's own DATA_UPLOAD_MAX_MEMORY_SIZE holds as well.
    """
    gate, receive = Gate(secret, limit_bytes), called(receive)

    def view(request: HttpRequest) -> HttpResponse:
        event = _event(request, gate)
        if isinstance(event, HttpResponse):
            return event
        settled("receive", receive(event))
        return HttpResponse(status=DONE)

    async def async_view(request: HttpRequest) -> HttpResponse:
        event = _event(request, gate)
        if isinstance(event, HttpResponse):
            return event
        settled("receive", await receive(event))
        return HttpResponse(status=DONE)

    made: View = async_view if inspect.iscoroutinefunction(receive) else view
    # What Django's decorator does, which before 5.0 hides that a view is asynchronous.
    setattr(made, "csrf_exempt", True)  # noqa: B010
    return made


# Any: Django has no types, and what checkers guess of it is wrong.
def _event(request: Any, gate: Gate) -> Event | HttpResponse:
    if request.method != "POST":
        return HttpResponse(status=WRONG_METHOD, headers={"Allow": "POST"})
    if gate.too_large(request.META.get("CONTENT_LENGTH")):
        return HttpResponse(status=TOO_LARGE)
    environ = getattr(request, "environ", {})
    if endless(environ):
        return HttpResponse(status=NO_LENGTH)
    # Django takes a body without a length for none.
    is_told = bool(environ.get("CONTENT_LENGTH")) or not environ.get(TERMINATED)
    try:
        body = request.body if is_told else _read(environ["wsgi.input"], gate.limit_bytes)
    except RequestDataTooBig:
        return HttpResponse(status=TOO_LARGE)
    except OSError:
        # There is nobody to read it; it will be sent again.
        return HttpResponse(status=408)
    event = gate.event(body, request.headers)
    return HttpResponse(status=event) if isinstance(event, int) else event


def _read(stream: Any, limit_bytes: int) -> bytes:
    """All that it has, or one more than may be."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = bytearray()
    while part := stream.read(limit_bytes + 1 - len(body)):
        body += part
    if most is not None and len(body) > most:
        raise RequestDataTooBig
    return bytes(body)
