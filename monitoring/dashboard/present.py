"""How it is now: health, open alerts, open incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring import checkups
from monitoring.alerting import current
from monitoring.dashboard import checks
from monitoring.models import Alert, CheckResult, Incident

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
    def troubles(self) -> list[tuple[str, CheckResult]]:
        """The checks that did not find everything healthy, by name."""
        return [
            (checks.label(each), each)
            for each in self.results
            if each.status != "healthy"
        ]


def read(now: datetime) -> Present:
    """Look at all of it, in five queries."""
    fresh = checkups.newest(since=now - checkups.FRESH_FOR)
    results = [*fresh.values()]
    alerts = current.open_alerts()
    incidents = Incident.objects.filter(resolved_at=None)
    return Present(
        health=checks.overall(results),
        results=results,
        alerts=[*alerts[:_SHOWN]],
        alert_count=alerts.count(),
        incidents=[*incidents.order_by("-detected_at")[:_SHOWN]],
        incident_count=incidents.count(),
    )
