"""The base of every error that a door of the chat turns into words."""

from typing import Any


class ChatError(Exception):
    """Something that a door turns into words.

    Attributes: `code` (the contract's error_code), `status` (HTTP), `reason` (a short
    stable word for records), `retry_after_s` (None: no advice), `extra` (more fields
    of the JSON answer).
    """

    code = "SERVICE_UNAVAILABLE"
    status = 503
    reason = "unavailable"
    detail = "The service can't do this right now. Try again in a moment."
    retry_after_s: float | None = None

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after_s: float | None = None,
        **extra: Any,
    ) -> None:
        self.detail = detail or self.detail
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s
        self.extra = extra
        super().__init__(self.detail)
