"""Messages that wait to be sent: made once, in the transaction of what they tell."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from monitoring.channels import clean, due, rows, wording
from monitoring.channels.message import Draft
from monitoring.models import Alert, Delivery


def announce(now: datetime) -> int:
    """Make the messages that alerts call for; return how many.

    One message for each severity and channel. That an alert was told and its messages
    are one transaction: neither is there without the other.
    """
    if not due.alerts(now):
        return 0  # as nearly always; it takes no lock
    with transaction.atomic():
        found = due.alerts(now, locking=True)
        due.mark(found, now)
        return sum(_announce(found, severity, now) for severity in due.GROUP_WAIT_S)


def put(draft: Draft, *, channels: Iterable[str], now: datetime | None = None) -> int:
    """Make a message for each of these channels, in whatever transaction is open.

    Secrets are taken out. Each has an id of its own, the same over all tries, and is
    due at once.
    """
    made = [
        Delivery(
            channel=channel,
            severity=draft.severity,
            subject=clean.line(draft.subject, limit=200),
            text=clean.text(draft.text),
            payload={**clean.inside(dict(draft.payload)), "id": uuid.uuid4().hex},
            due_at=now or timezone.now(),
        )
        for channel in channels
    ]
    return len(Delivery.objects.bulk_create(made))


def mail(*, to: list[str], subject: str, text: str, severity: str = "info") -> int:
    """Make one mail to these addresses, whatever the channel's least severity."""
    payload = {"kind": "mail", "to": to}
    draft = Draft(severity=severity, subject=subject, text=text, payload=payload)
    return put(draft, channels=["email"])


def _announce(alerts: list[Alert], severity: str, now: datetime) -> int:
    told = [due.as_told(each) for each in alerts if each.severity == severity]
    if not told:
        return 0
    draft = wording.draft(told, severity=severity, now=now, link=_link())
    return put(draft, channels=rows.listening(severity), now=now)


def _link() -> str:
    """Return where the alerts are; empty when nobody said what this site is called."""
    if not settings.SITE_URL:
        return ""
    try:
        return f"{settings.SITE_URL}{reverse('admin:monitoring_alerts')}"
    except NoReverseMatch:
        return str(settings.SITE_URL)
