"""What is wrong now, as far as anybody looks."""

from datetime import datetime, timedelta

from django.db.models import Case, IntegerField, QuerySet, Value, When

from monitoring import jobs
from monitoring.models import Alert, Severity, Watch

_EVALUATION = "monitoring.evaluate_alerts"
_BLIND_AFTER, _BLIND_AFTER_PERIODS = timedelta(minutes=15), 3

_RANKS = [
    When(severity=severity, then=Value(rank))
    for rank, severity in enumerate(reversed(Severity.values))
]
_PENDING = When(state=Alert.State.PENDING, then=Value(1))


def open_alerts() -> "QuerySet[Alert]":
    """Select every alert that is not over, with its rule, the worst first.

    Firing before pending, then the more severe, then the newer ones; one query.
    """
    found = Alert.objects.filter(resolved_at=None).select_related("rule")
    return found.order_by(
        Case(_PENDING, default=Value(0), output_field=IntegerField()),
        Case(*_RANKS, default=Value(9), output_field=IntegerField()),
        "-began_at",
        "-pk",
    )


def blind_since(now: datetime) -> datetime | None:
    """Return when rules were last evaluated, if that is long ago; None: it is not.

    Until then nobody notices anything, so that no alert says nothing.
    """
    at = Watch.objects.values_list("evaluated_at", flat=True).first()
    if at is None or now - at <= _BLIND_AFTER:
        return None
    period = timedelta(seconds=jobs.period_s(_EVALUATION) or 0)
    return at if now - at > _BLIND_AFTER_PERIODS * period else None


def blindness(now: datetime) -> str:
    """Say that nobody evaluates the rules; empty where somebody does."""
    at = blind_since(now)
    if at is None:
        return ""
    return (
        f"Nobody has evaluated the alert rules since {at:%Y-%m-%d %H:%M} UTC: what "
        f"began or ended since is not known. Does the worker run?"
    )
