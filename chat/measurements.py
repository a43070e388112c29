"""What was measured on each turn, value by value, for monitoring's history."""

from collections.abc import Callable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from chat import prices, statements
from chat.models import Generation
from flags.evaluation import Variant
from monitoring.facts import Measured
from monitoring.series import NONE

# The status must stand in the statement, or SQLite does not see the partial index.
_RUNNING = "SELECT id FROM chat_generation WHERE status = 'running'"
_BATCH = 2000
_CREATED = Generation.SessionOutcome.CREATED.value
_RECOVERED = Generation.SessionOutcome.RECOVERED.value


class Turn(NamedTuple):
    """A turn's own row, as far as it is measured."""

    created_at: datetime
    status: str
    variant: str
    error_code: str
    session_outcome: str
    session_ms: float | None
    model: str
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    thoughts_tokens: int | None
    time_to_first_token_ms: float | None
    duration_ms: float | None


# The label and the value of one series; a value of None was not measured.
Measure: TypeAlias = Callable[[Turn], tuple[str, float | None]]


def measured(begin: datetime, end: datetime) -> Iterator[Measured]:
    """Yield every value of the turns that began in a window and have ended.

    One query on an index; no row is kept in memory longer than its batch.
    """
    ended = Generation.objects.filter(
        created_at__gte=begin, created_at__lt=end, ended_at__isnull=False
    )
    rows = ended.order_by().values_list(*Turn._fields)
    for turn in map(Turn._make, rows.iterator(chunk_size=_BATCH)):
        for name, measure in _MEASURES.items():
            label, value = measure(turn)
            if value is not None:
                yield Measured(turn.created_at, name, label, value)


def running_since() -> datetime | None:
    """Return when the oldest turn began that still runs; None: none does."""
    running = [row[0] for row in statements.rows(_RUNNING, [])]
    began = Generation.objects.filter(pk__in=running).order_by("created_at")
    return began.values_list("created_at", flat=True).first()


def _by_variant(field: str) -> Measure:
    value = attrgetter(field)
    return lambda turn: (turn.variant or NONE, value(turn))


def _ended(turn: Turn) -> tuple[str, float | None]:
    return turn.status, 1


def _error(turn: Turn) -> tuple[str, float | None]:
    return turn.error_code, 1 if turn.error_code else None


def _found(turn: Turn) -> tuple[str, float | None]:
    is_persistent = turn.variant == Variant.ON and turn.session_outcome
    return turn.session_outcome, 1 if is_persistent else None


def _session_ms(outcome: str) -> Measure:
    return lambda turn: (
        "",
        turn.session_ms if turn.session_outcome == outcome else None,
    )


def _billed(turn: Turn) -> tuple[str, float | None]:
    prompt, cached = turn.prompt_tokens, turn.cached_tokens
    if prompt is None or cached is None:
        return "", None
    return turn.variant or NONE, prices.billed_tokens(prompt, cached)


def _cost(turn: Turn) -> tuple[str, float | None]:
    cost = prices.cost_usd(
        prices.of(turn.model, turn.created_at),
        prompt_tokens=turn.prompt_tokens,
        cached_tokens=turn.cached_tokens,
        output_tokens=turn.output_tokens,
        thoughts_tokens=turn.thoughts_tokens,
    )
    return turn.variant or NONE, cost


_MEASURES: dict[str, Measure] = {
    "turn_ms": _by_variant("duration_ms"),
    "first_text_ms": _by_variant("time_to_first_token_ms"),
    "turns": _ended,
    "errors": _error,
    "prompt_tokens": _by_variant("prompt_tokens"),
    "cached_tokens": _by_variant("cached_tokens"),
    "output_tokens": _by_variant("output_tokens"),
    "thoughts_tokens": _by_variant("thoughts_tokens"),
    "billed_tokens": _billed,
    "cost_usd": _cost,
    "session_found": _found,
    "session_created_ms": _session_ms(_CREATED),
    "session_recovered_ms": _session_ms(_RECOVERED),
}
