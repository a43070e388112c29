"""Holds the rules against their metrics, and sees to what follows from it."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from monitoring import incidents, leases, processes
from monitoring.alerting import judging, measuring, rules, storing
from monitoring.alerting.judging import Verdict
from monitoring.channels import outbox
from monitoring.models import Alert, AlertRule, IncidentEntry, Severity, Watch

log = structlog.get_logger(__name__)

LEASE = "alerts"
_LEASE_S = 90.0
_INCIDENTS_AT_ONCE = 50
_here = threading.Lock()


def evaluate(now: datetime) -> int:
    """Bring all alerts up to date; return how many fired or ended.

    One process at a time does so; another one's call changes nothing and returns 0.
    Raises: django.db.Error while the database is away or read-only.
    """
    me = processes.me()
    if not _here.acquire(blocking=False):
        return 0
    try:
        if not leases.hold(LEASE, holder=me, ttl_s=_LEASE_S, now=now):
            return 0
        try:
            return _evaluate(now)
        finally:
            leases.release(LEASE, holder=me)
    finally:
        _here.release()


def abandon(gone: Iterable[AlertRule], now: datetime) -> None:
    """End the open alerts of rules that are about to be deleted, as nobody else would.

    Left behind they would look as if they had been raised by hand, and keep another
    rule of the name from ever firing.
    """
    for rule in gone:
        mine = Alert.objects.filter(rule=rule, resolved_at=None)
        with transaction.atomic():
            storing.store(judging.dismiss(rule, mine, now))


def evaluated_at() -> datetime | None:
    """Return when that was last done to its end; None: never."""
    return Watch.objects.values_list("evaluated_at", flat=True).first()


def _evaluate(now: datetime) -> int:
    verdicts = _verdicts(now)
    with transaction.atomic():
        count = storing.store(verdicts)
        _note(now)
    _open_incidents()
    outbox.announce(now)
    return count


def _verdicts(now: datetime) -> list[Verdict]:
    alerts = _open_alerts()
    known = list(AlertRule.objects.all())
    watched = {rule.pk for rule in known if rules.is_watched(rule)}
    readings = measuring.read(
        wanted
        for rule in known
        if rule.pk in watched and not rules.tell_if_broken(rule)
        for wanted in judging.wanted(rule)
    )
    found: list[Verdict] = []
    for rule in known:
        here = alerts.get(rule.pk, {})
        if rule.pk in watched:
            strange = {k: a for k, a in here.items() if not _is_part(rule, k)}
            rest = {label: here[label] for label in here.keys() - strange.keys()}
            found += judging.dismiss(rule, strange.values(), now)
            found += judging.judge(rule, rest, readings, now)
        else:
            found += judging.dismiss(rule, here.values(), now)
    return found


def _is_part(rule: AlertRule, label: str) -> bool:
    """Tell whether a rule looks at this part, since it may be for one only."""
    return not rule.label or label in {rule.label, judging.OTHERS}


def _open_alerts() -> Mapping[int, dict[str, Alert]]:
    found: dict[int, dict[str, Alert]] = defaultdict(dict)
    for alert in Alert.objects.filter(resolved_at=None, rule__isnull=False):
        if alert.rule_id is not None:
            found[alert.rule_id][alert.label] = alert
    return found


def _note(now: datetime) -> None:
    Watch.objects.bulk_create(
        [Watch(evaluated_at=now)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["evaluated_at"],
    )


def _open_incidents() -> None:
    """Open one for each critical alert that has none, also from an earlier time."""
    told = IncidentEntry.objects.filter(alert=OuterRef("pk"))
    critical = Alert.objects.filter(
        resolved_at=None, state=Alert.State.FIRING, severity=Severity.CRITICAL
    )
    for alert in critical.exclude(Exists(told))[:_INCIDENTS_AT_ONCE]:
        try:
            incidents.open_for(alert)
        except Exception:
            # Loud, but people must hear of the alert itself.
            log.exception("alerts.incident_failed", alert=alert.pk)
