"""What the alert pages show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator

from monitoring import registry, runbook
from monitoring.alerting import current, rules, silences, steps, wording
from monitoring.models import Alert, Silence
from monitoring.responding import records

_PER_PAGE = 25
_PAST = timedelta(days=30)
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Row:
    """An alert in words; `value` and `condition` are empty where it has no rule."""

    alert: Alert
    silences: list[Silence]

    @property
    def value(self) -> str:
        """Its metric's newest value, with the unit."""
        return wording.newest(self.alert)

    @property
    def condition(self) -> str:
        """When its rule fires."""
        return wording.condition(self.alert.rule) if self.alert.rule else ""

    @property
    def measure(self) -> str:
        """What its metric is; empty without one that this release knows."""
        if self.alert.rule is None or self.is_broken:
            return ""
        return registry.metric(self.alert.rule.metric).help

    @property
    def is_broken(self) -> bool:
        """Whether nobody offers its metric in this release."""
        return self.alert.rule is not None and rules.is_broken(self.alert.rule)

    @property
    def may_acknowledge(self) -> bool:
        """Whether somebody can say that they are at it."""
        is_firing = self.alert.state == Alert.State.FIRING
        return is_firing and self.alert.acknowledged_at is None

    @property
    def may_resolve(self) -> bool:
        """Whether a person has to end it."""
        return steps.may_resolve(self.alert)


def overview(*, number: str, now: datetime) -> dict[str, Any]:
    """Return the list's context: what is wrong now, and a page of what was."""
    found = list(current.open_alerts())
    past = Alert.objects.filter(resolved_at__gt=now - _PAST).select_related("rule")
    listed = Paginator(past.order_by("-resolved_at", "-pk"), _PER_PAGE)
    return {
        "rows": rows(found[:_MOST_SHOWN], now),
        "more_count": max(0, len(found) - _MOST_SHOWN),
        "listed": listed.get_page(number),
        "days": _PAST.days,
    }


def one(alert: Alert, *, now: datetime) -> dict[str, Any]:
    """Return the context of one alert's page."""
    (row,) = rows([alert], now)
    return {
        "row": row,
        "alert": alert,
        "window": wording.window(alert.rule) if alert.rule else "",
        "incident": records.incident_of(alert),
        "sections": runbook.sections(alert.runbook, label=alert.label),
    }


def silenced(*, number: str, now: datetime) -> dict[str, Any]:
    """Return the context of the silences' page: those that hold, and the past."""
    past = Silence.objects.filter(ends_at__lte=now).order_by("-ends_at", "-pk")
    return {
        "holding": silences.current(now),
        "listed": Paginator(past, _PER_PAGE).get_page(number),
    }


def rows(alerts: Iterable[Alert], now: datetime) -> list[Row]:
    """Return alerts in words; the silences are read once."""
    holding = silences.current(now)
    return [Row(alert, silences.covering(alert, holding)) for alert in alerts]
