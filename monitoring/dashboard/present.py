"""How it is now: health, open alerts, open incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, IntegerField, QuerySet, Value, When

from monitoring.dashboard import checks
from monitoring.models import Alert, CheckResult, Incident, Severity

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Present:
    """`health` is None where no check is fresh; lists have the first few only."""

    health: str | None
    results: Sequence[CheckResult]
    alerts: Sequence[Alert]
    alert_count: int
    incidents: Sequence[Incident]
    incident_count: int

    @property
    def troubles(self) -> list[CheckResult]:
        """The checks that did not find everything healthy."""
        return [each for each in self.results if each.status != "healthy"]


def read(now: datetime) -> Present:
    """Look at all of it, in five queries."""
    results = checks.newest(now)
    alerts = Alert.objects.filter(resolved_at=None)
    incidents = Incident.objects.filter(resolved_at=None)
    return Present(
        health=checks.overall(results),
        results=results,
        alerts=[*_worst_first(alerts)[:_SHOWN]],
        alert_count=alerts.count(),
        incidents=[*incidents.order_by("-detected_at")[:_SHOWN]],
        incident_count=incidents.count(),
    )


def _worst_first(alerts: "QuerySet[Alert]") -> "QuerySet[Alert]":
    """Firing before pending, then the most severe, then the newest."""
    severities = [
        When(severity=severity, then=Value(rank))
        for rank, severity in enumerate(reversed(Severity.values))
    ]
    pending = When(state=Alert.State.PENDING, then=Value(1))
    return alerts.order_by(
        Case(pending, default=Value(0), output_field=IntegerField()),
        Case(*severities, default=Value(9), output_field=IntegerField()),
        "-began_at",
    )
