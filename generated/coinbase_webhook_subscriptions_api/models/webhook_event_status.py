# Compiled from spec/webhook-subscriptions.yaml. Do not edit: change it and run `nox -s generate`.
from enum import StrEnum


class WebhookEventStatus(StrEnum):
    """
    An open set: a text that is none of these becomes a member of its own, with `is_known` false.
    """

    FAILED = "failed"
    PENDING = "pending"
    PROCESSING = "processing"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"

    @classmethod
    def _missing_(cls, value: object) -> "WebhookEventStatus | None":
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether the description lists this value."""
        return self.value in type(self)._value2member_map_

    def __str__(self) -> str:
        return str(self.value)
