"""What a turn adds to the figures of `/metrics`, in the transaction that ends it.

So the figures are exact, whichever process dies: a turn has ended and is counted, or
neither. The names of `gen_ai_*` are OpenTelemetry's (its conventions for GenAI).
"""

from collections import Counter as Sum
from dataclasses import dataclass

from django.conf import settings

from chat import conf
from chat.completion import Usage
from monitoring import metrics, series
from monitoring.series import Counter, Histogram

_BOUNDS_S = tuple(0.01 * 2**step for step in range(14))  # 0.01 … 81.92
_BOUNDS_TOKENS = tuple(4.0**step for step in range(14))  # 1 … 67,108,864
_GEN_AI = {
    "gen_ai_operation_name": "generate_content",
    "gen_ai_provider_name": "gcp.gemini",
}

TURNS = series.declare(
    Counter(
        name="oracle_turns_total",
        help="Turns that have ended; session: how a persistent one found its session.",
        labels=("status", "strategy", "variant", "session"),
    )
)
ERRORS = series.declare(
    Counter(
        name="oracle_turn_errors_total",
        help="Turns that ended with an error.",
        labels=("code",),
    )
)
TOKENS = series.declare(
    Counter(
        name="oracle_tokens_total",
        help="Tokens as the model reported them; prompt includes the cached ones.",
        labels=("type", "variant", "model"),
    )
)
DURATION = series.declare(
    Histogram(
        name="gen_ai_client_operation_duration_seconds",
        help="From the start of an answer to its end.",
        bounds=_BOUNDS_S,
        labels=("gen_ai_request_model", "error_type"),
        fixed=_GEN_AI,
    )
)
FIRST_CHUNK = series.declare(
    Histogram(
        name="gen_ai_client_operation_time_to_first_chunk_seconds",
        help="From the start of an answer to its first text.",
        bounds=_BOUNDS_S,
        labels=("gen_ai_request_model",),
        fixed=_GEN_AI,
    )
)
USAGE = series.declare(
    Histogram(
        name="gen_ai_client_token_usage",
        help="Tokens of a turn: input includes the cached, output the thoughts.",
        bounds=_BOUNDS_TOKENS,
        labels=("gen_ai_token_type", "gen_ai_request_model"),
        fixed=_GEN_AI,
        per_unit=1,
    )
)
REFUSALS = series.declare(
    Counter(
        name="oracle_rate_limit_refusals_total",
        help="What our own rate limits refused, by the limit.",
        labels=("limit",),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A turn that has just ended; None: not known."""

    status: str
    strategy: str
    variant: str
    model: str
    session_outcome: str = ""
    error_code: str = ""
    usage: Usage | None = None
    time_to_first_token_ms: float | None = None
    duration_ms: float | None = None


def count(turn: Ended) -> None:
    """Count it, unless tracking is off; in the transaction that ends it."""
    if conf.TRACKING.get():
        metrics.count(**_deltas(turn))


def _deltas(turn: Ended) -> Sum[str]:
    model = series.known(turn.model, settings.GEMINI_MODELS)
    variant = turn.variant or series.NONE
    added: Sum[str] = Sum(
        TURNS.delta(
            turn.status, turn.strategy, variant, turn.session_outcome or series.NONE
        )
    )
    if turn.error_code:
        added.update(ERRORS.delta(turn.error_code))
    if turn.duration_ms is not None:
        added.update(DURATION.delta(turn.duration_ms / 1000, model, turn.error_code))
    if turn.time_to_first_token_ms is not None:
        added.update(FIRST_CHUNK.delta(turn.time_to_first_token_ms / 1000, model))
    if turn.usage is not None:
        added.update(_tokens(turn.usage, variant=variant, model=model))
    return added


def _tokens(usage: Usage, *, variant: str, model: str) -> Sum[str]:
    """Count what was reported; a number that was not is not 0."""
    added: Sum[str] = Sum()
    by_type = {
        "prompt": usage.prompt_tokens,
        "cached": usage.cached_tokens,
        "output": usage.output_tokens,
        "thoughts": usage.thoughts_tokens,
    }
    for kind, tokens in by_type.items():
        if tokens is not None:
            added.update(TOKENS.delta(kind, variant, model, by=tokens))
    if usage.prompt_tokens is not None:
        added.update(USAGE.delta(usage.prompt_tokens, "input", model))
    if usage.output_tokens is not None:
        output = usage.output_tokens + (usage.thoughts_tokens or 0)
        added.update(USAGE.delta(output, "output", model))
    return added
