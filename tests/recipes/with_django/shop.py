"""A shop on Django, in one file: its settings say where the API is, its environment has the keys."""

from __future__ import annotations

import os
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from coinbase_checkouts import Checkouts, SignatureError, webhooks

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        SECRET_KEY="no session, nothing to sign",
        CHECKOUTS_URL="https://business.coinbase.com",
    )

PRICE = Decimal("100.50")
sent: set[str] = set()


@csrf_exempt
@require_POST
def order(_request: HttpRequest, number: str) -> HttpResponse:
    with Checkouts.from_env(base_url=settings.CHECKOUTS_URL) as checkouts:
        checkout = checkouts.create(PRICE, order_id=number, metadata={"order": number})
    return JsonResponse({"checkout": checkout.id, "url": checkout.url})


# A webhook comes from no form of ours.
@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    # request.body is the bytes as they came: JSON that is written anew has another signature.
    try:
        event = webhooks.verify(request.body, request.headers, os.environ["CHECKOUTS_WEBHOOK_SECRET"])
    except SignatureError:
        return HttpResponse(status=400)
    # A webhook may come twice, late or out of order, so it is a reason to look and not the news itself.
    with Checkouts.from_env(base_url=settings.CHECKOUTS_URL) as checkouts:
        checkout = checkouts.get(event.checkout.id)
    if checkout.status == "COMPLETED" and Decimal(checkout.amount) == PRICE and checkout.metadata:
        sent.add(checkout.metadata["order"])
    return HttpResponse(status=204)


urlpatterns: list[URLPattern] = [path("orders/<str:number>", order), path("webhooks", webhook)]
