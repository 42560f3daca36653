# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
"""Contains endpoint functions for accessing the API"""
