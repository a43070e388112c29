"""What can go wrong in a conversation, each with the contract's code and status.

`detail` is one plain sentence for the person: what happened and what to do. It never
holds an upstream's own words, which may repeat the key.
"""

from typing import Any

from chat.completion import Usage


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


class ConversationNotFound(ChatError):
    """Unknown or somebody else's: the same answer."""

    code = "SESSION_NOT_FOUND"
    status = 404
    reason = "not_found"
    detail = "There is no such conversation. It may have been deleted."


class NoSuchAddress(ConversationNotFound):
    """Nothing lives at this address."""

    detail = "There is nothing at this address."


class Unexpected(ChatError):
    """A surprise; the log has it."""

    code = "SESSION_CREATION_FAILED"
    status = 500
    reason = "unexpected"
    detail = "Something went wrong here. It has been logged; try again."


class InvalidMessage(ChatError):
    """The text can't be a message."""

    code = "INVALID_MESSAGE_CONTENT"
    status = 400
    reason = "invalid_message"
    detail = "The message is empty. Write something first."


class InvalidRequest(ChatError):
    """The request is malformed."""

    code = "INVALID_REQUEST"
    status = 400
    reason = "invalid_request"
    detail = "The request could not be understood."


class KeyReused(InvalidRequest):
    """An `Idempotency-Key` came back with another body."""

    status = 422
    reason = "key_reused"
    detail = (
        "This Idempotency-Key was already used for another message. "
        "Use a new key for a new message."
    )


class NotAuthenticated(ChatError):
    """A credential is missing or no longer valid."""

    code = "NOT_AUTHENTICATED"
    status = 401
    reason = "not_authenticated"
    detail = "Sign in, or send a valid token as 'Authorization: Bearer …'."


class PermissionDenied(ChatError):
    """The credential is valid, but not for this."""

    code = "PERMISSION_DENIED"
    status = 403
    reason = "permission_denied"
    detail = "This token may not do that."


class ConversationBusy(ChatError):
    """An answer is still being written in this conversation."""

    code = "SESSION_BUSY"
    status = 409
    reason = "busy"
    detail = (
        "An answer is still being written in this conversation. "
        "Wait for it or stop it, then send again."
    )


class NothingToRepeat(ChatError):
    """There is no answer that could be retried or continued."""

    code = "INVALID_REQUEST"
    status = 400
    reason = "nothing_to_repeat"
    detail = "The last answer is complete: there is nothing to retry or continue."


class PayloadTooLarge(ChatError):
    """The body or the message is over the limit."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    reason = "too_large"
    detail = "The request is too large."


class RateLimited(ChatError):
    """Too many requests from this owner or address."""

    code = "RATE_LIMITED"
    status = 429
    reason = "rate_limited"
    detail = "Too many messages in a short time."


class Overloaded(ChatError):
    """This process runs as many answers as it may."""

    reason = "overloaded"
    detail = "The service is at its limit of answers at a time. Try again shortly."
    retry_after_s = 5.0


class ShuttingDown(ChatError):
    """This process is finishing its answers and takes no new ones."""

    reason = "shutting_down"
    detail = "The service is restarting. Try again in a few seconds."
    retry_after_s = 2.0


class DatabaseBusy(ChatError):
    """The database did not answer in time; nothing was stored."""

    code = "DATABASE_ERROR"
    reason = "database"
    detail = (
        "The conversation store is not answering, so nothing was saved. "
        "Try again in a few seconds."
    )
    retry_after_s = 5.0


# --- The model ---------------------------------------------------------------------


class GeminiError(ChatError):
    """The model gave no complete answer; what it said before stays valid.

    Attributes: `upstream` (its own words, shortened and without the key; for the log
    only), `usage` and `finish_reason` as far as they were reported. `is_transient`: the
    same request may work a moment later. `is_outage`: counts for the circuit breaker.
    """

    code = "GEMINI_API_ERROR"
    status = 502
    reason = "bad_response"
    detail = (
        "The model's answer could not be read. Try again; if it stays so, "
        "the operator must check the model's address."
    )
    is_transient = False
    is_outage = False

    def __init__(
        self,
        detail: str | None = None,
        *,
        reason: str | None = None,
        upstream: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.reason = reason or self.reason
        self.upstream = upstream
        self.usage: Usage | None = None
        self.finish_reason = ""


class GeminiTimeout(GeminiError):
    """One of our own deadlines passed."""

    code = "GEMINI_TIMEOUT"
    status = 504
    reason = "total_deadline"
    detail = "The model took too long. Try again."
    is_outage = True


class GeminiBusy(GeminiError):
    """The model's rate limit or quota is used up."""

    code = "RATE_LIMITED"
    status = 429
    reason = "rate_limited"
    detail = "The model is busy: its rate limit is reached. Try again in a moment."
    retry_after_s = 5.0
    is_transient = True


class GeminiRefused(GeminiError):
    """The key is missing, wrong or may not do this."""

    reason = "wrong_key"
    detail = "The model refused the service's API key: the operator must check it."


class GeminiRejected(GeminiError):
    """The model does not accept the request as it is."""

    reason = "rejected"
    detail = (
        "The model did not accept this request. Change the message, choose another "
        "model or start a new conversation."
    )


class UnknownModel(GeminiRejected):
    """There is no such model, or this key may not use it."""

    reason = "unknown_model"
    detail = "The chosen model does not exist or may not be used. Choose another one."


class GeminiUnavailable(GeminiError):
    """The model can't be reached, or fails."""

    reason = "connect"
    detail = "The model can't be reached at the moment. Try again in a moment."
    is_transient = True
    is_outage = True


class ResponseBlocked(GeminiError):
    """The model's safety rules stopped the question or the answer."""

    code = "RESPONSE_BLOCKED"
    status = 422
    reason = "safety"
    detail = (
        "The model's safety rules stopped this answer. "
        "Ask in another way, or about something else."
    )


class EmptyAnswer(GeminiError):
    """The model ended without a word."""

    reason = "empty"
    detail = "The model gave an empty answer. Try again, or ask in another way."


class AnswerCutShort(GeminiError):
    """The answer broke off in the middle."""

    reason = "early_end"
    detail = "The answer broke off. What arrived is kept; retry or continue it."


class CircuitOpen(GeminiError):
    """The model failed repeatedly and is given a short rest."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    reason = "circuit_open"
    detail = "The model has failed several times in a row. Try again in a few seconds."
