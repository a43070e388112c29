"""What can go wrong in the local server."""

from collections.abc import Sequence
from typing import Any

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_INTERACTIONS_WORDS = {"INVALID_ARGUMENT": "invalid_request"}


class LocalGeminiError(Exception):
    """Base of every error of the local server."""


class BrainUnavailable(LocalGeminiError):
    """The chosen brain cannot run here: its library or its weights are missing."""


class ConnectionDropped(LocalGeminiError):
    """The connection is to be reset instead of answered."""


class ApiError(LocalGeminiError):
    """An HTTP error with the status, message and details Google would send."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        details: Sequence[dict[str, Any]] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS_NAMES.get(code, "UNKNOWN")
        self.message = message
        self.details = list(details)
        self.retry_after_s = retry_after_s
        if retry_after_s is not None:
            self.details.append(
                {
                    "@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": f"{retry_after_s:g}s",
                }
            )

    def body(self) -> dict[str, Any]:
        """Return the error in the shape of generateContent and its neighbours."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "status": self.status,
        }
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def interactions_body(self) -> dict[str, Any]:
        """Return the error in the shape of the Interactions API: a code in words."""
        word = _INTERACTIONS_WORDS.get(self.status, self.status.lower())
        return {"error": {"message": self.message, "code": word}}

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers that go with the error."""
        if self.retry_after_s is None:
            return []
        return [("Retry-After", f"{self.retry_after_s:g}")]


def invalid_key() -> ApiError:
    """Return Gemini's answer to a wrong API key."""
    return ApiError(
        400,
        "API key not valid. Please pass a valid API key.",
        details=[
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        ],
    )


def missing_key() -> ApiError:
    """Return Gemini's answer to a request without an API key."""
    return ApiError(
        403,
        "Method doesn't allow unregistered callers (callers without established "
        "identity). Please use API Key or other form of API consumer identity to "
        "call this API.",
    )
