# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
"""A client library for accessing Webhook Subscriptions API"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
