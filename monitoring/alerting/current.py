"""What is wrong now."""

from django.db.models import Case, IntegerField, QuerySet, Value, When

from monitoring.models import Alert, Severity

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
