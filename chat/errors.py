"""What can go wrong in a conversation, each with the contract's code and status.

`detail` is one plain sentence for the person: what happened and what to do. It never
holds an upstream's own words, which may repeat the key.
"""

from chat.chat_error import ChatError
from chat.gemini_errors import (
    AnswerCutShort,
    CircuitOpen,
    EmptyAnswer,
    GeminiBusy,
    GeminiError,
    GeminiRefused,
    GeminiRejected,
    GeminiTimeout,
    GeminiUnavailable,
    InteractionForgotten,
    InteractionsUnsupported,
    ResponseBlocked,
    UnknownModel,
)

__all__ = [
    "AnswerCutShort",
    "ChatError",
    "CircuitOpen",
    "EmptyAnswer",
    "GeminiBusy",
    "GeminiError",
    "GeminiRefused",
    "GeminiRejected",
    "GeminiTimeout",
    "GeminiUnavailable",
    "InteractionForgotten",
    "InteractionsUnsupported",
    "ResponseBlocked",
    "UnknownModel",
]


class ConversationNotFound(ChatError):
    """Unknown or somebody else's: the same answer."""

    code = "SESSION_NOT_FOUND"
    status = 404
    reason = "not_found"
    detail = "There is no such conversation. It may have been deleted."


class NoSuchAddress(ConversationNotFound):
    """Nothing lives at this address."""

    detail = "There is nothing at this address."


class AnswerNotFound(ConversationNotFound):
    """No answer of this conversation, or one that another stands for."""

    detail = "There is no such answer in this conversation."


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


class NothingToRate(ChatError):
    """The answer is not finished, or has nothing to read."""

    code = "INVALID_REQUEST"
    status = 400
    reason = "nothing_to_rate"
    detail = "This answer can't be rated: it is not finished, or it has no text."


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
