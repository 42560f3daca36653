# Compiled from spec/openapi.yaml. Do not edit: change it and run `nox -s generate`.
"""A client library for accessing Checkouts API"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
