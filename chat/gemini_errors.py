"""What can go wrong with the model; `errors` has these names, too."""

from chat.chat_error import ChatError
from chat.completion import Usage


class GeminiError(ChatError):
    """The model gave no complete answer; what it said before stays valid.

    Attributes: `upstream` (its own words, shortened and without the key; for the log
    only), `usage` and `finish_reason` as far as they were reported. `is_transient`: the
    same request may work a moment later. `is_outage`: counts for the circuit breaker.
    `interaction_id`: what the provider keeps of the failed answer, to be deleted; None:
    nothing that we know of.
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
        self.interaction_id: str | None = None


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


class InteractionForgotten(GeminiError):
    """The provider cannot go on from the earlier interaction: it has it no more."""

    reason = "interaction_forgotten"
    detail = "The model no longer remembers this conversation. Send the message again."


class InteractionsUnsupported(GeminiError):
    """The server at the model's address does not speak the Interactions API."""

    reason = "interactions_unsupported"
    detail = (
        "The model's service cannot keep conversations. "
        "The operator must check the model's address or change the strategy."
    )


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
