"""What chat tells `/metrics` of the present, and of the totals it has always kept."""

from collections.abc import Mapping
from datetime import timedelta

from chat import conf, registrations, statements
from flags import evaluation
from monitoring import metrics, registry, series, slis
from monitoring.registry import Levels
from monitoring.series import Plain

_FOUND = ("hit", "topped_up", "recovered", "stateless")
_CLOSED = ("closed", "evicted", "expired", "forced", "orphaned", "switched_off")
# The status must stand in the statement, or SQLite does not see the partial index.
_RUNNING = "SELECT count(*) FROM chat_generation WHERE status = 'running'"


def register() -> None:
    """Offer them all."""
    series.declare(
        Plain(
            name="oracle_session_operations_total",
            help="What was done with persistent sessions.",
            label="operation",
            totals={
                name: f"sessions_{name}" for name in ("created", *_FOUND, *_CLOSED)
            },
        )
    )
    series.declare(
        Plain(
            name="oracle_session_cache_lookups_total",
            help="How persistent turns found their session; first turns have none.",
            label="result",
            totals={name: f"sessions_{name}" for name in _FOUND},
        )
    )
    for levels in _LEVELS:
        registry.register_levels(levels)


def _answers() -> Mapping[str, float]:
    return {"": statements.rows(_RUNNING, [])[0][0]}


def _stored() -> Mapping[str, float]:
    found = metrics.totals("sessions", "messages")
    return {
        "conversations": found["sessions"] or 0,
        "messages": found["messages"] or 0,
    }


def _bytes() -> Mapping[str, float]:
    return {"": registrations.stats().size_bytes}


def _percent() -> Mapping[str, float]:
    """Return what is set; 0 while the flag is off."""
    state = evaluation.state(conf.FLAG)
    if state is None:
        return {}
    return {conf.FLAG: float(state.percent) if state.is_on else 0}


def _exposure() -> Mapping[str, float]:
    share = slis.exposure(timedelta(hours=1)).value
    return {} if share is None else {conf.FLAG: share}


_LEVELS = (
    Levels(
        name="oracle_answers_running",
        help="Answers that are being made, by all processes.",
        read=_answers,
    ),
    Levels(
        name="oracle_stored",
        help="What is stored now.",
        label="kind",
        read=_stored,
    ),
    Levels(
        name="oracle_sessions_active",
        help="Live persistent sessions of all processes.",
        read=lambda: {"": registrations.count()},
    ),
    Levels(
        name="oracle_sessions_maximum",
        help="How many may be live at a time.",
        read=lambda: {"": conf.MAX_SESSIONS.get()},
    ),
    Levels(
        name="oracle_sessions_bytes",
        help="What the live sessions take.",
        read=_bytes,
    ),
    Levels(
        name="oracle_rollout_percentage",
        help="The share of new conversations that is set to get the feature.",
        label="flag",
        read=_percent,
    ),
    Levels(
        name="oracle_rollout_exposure_ratio",
        help="The share of the last hour's turns that a persistent session served.",
        label="flag",
        read=_exposure,
    ),
)
