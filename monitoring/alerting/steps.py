"""What people do with an alert: acknowledge it, or end what no rule will end."""

from datetime import datetime

import structlog
from django.db.models import Q

from monitoring import words
from monitoring.errors import Conflict, UnknownAlert, WrongStep
from monitoring.models import Alert

log = structlog.get_logger(__name__)


def find(alert_id: int) -> Alert:
    """Return an alert with its rule. Raises: UnknownAlert."""
    alert = Alert.objects.select_related("rule").filter(pk=alert_id).first()
    if alert is None:
        raise UnknownAlert(f"There is no alert {alert_id}.")
    return alert


def acknowledge(alert: Alert, *, actor: str, now: datetime) -> None:
    """Say that somebody is at it: nobody is told of it again, but of its end.

    Raises: Conflict, WrongStep.
    """
    still = Alert.objects.filter(
        pk=alert.pk, state=Alert.State.FIRING, acknowledged_at=None
    )
    name = words.cut(actor, most=words.MAX_NAME)
    if not still.update(acknowledged_at=now, acknowledged_by=name):
        raise _refusal(alert)
    log.info("alerts.acknowledged", alert=alert.pk, name=alert.name, actor=actor)


def may_resolve(alert: Alert) -> bool:
    """Tell whether a person may end it: no rule does, or its metric has no data."""
    is_nobodys = alert.rule_id is None or alert.frozen_since is not None
    return alert.state == Alert.State.FIRING and is_nobodys


def resolve(alert: Alert, *, actor: str, now: datetime) -> None:
    """End an alert by hand. Raises: Conflict, WrongStep."""
    still = Alert.objects.filter(
        Q(rule=None) | Q(frozen_since__isnull=False),
        pk=alert.pk,
        state=Alert.State.FIRING,
    )
    if not still.update(state=Alert.State.RESOLVED, resolved_at=now):
        if alert.state == Alert.State.FIRING and not may_resolve(alert):
            raise WrongStep(
                "Its rule ends it by itself, once the metric is fine again."
            )
        raise _refusal(alert)
    log.info("alerts.resolved_by_hand", alert=alert.pk, name=alert.name, actor=actor)


def _refusal(alert: Alert) -> Conflict | WrongStep:
    """Say why it can't be done, as the alert is now."""
    alert.refresh_from_db()
    if alert.state == Alert.State.RESOLVED:
        return Conflict("This alert is over already.")
    if alert.state == Alert.State.PENDING:
        return WrongStep("This alert has not fired yet: nobody was told of it.")
    if alert.acknowledged_at is not None:
        return Conflict(f"It was acknowledged by {alert.acknowledged_by} already.")
    return Conflict("This alert has changed meanwhile: look at it again.")
