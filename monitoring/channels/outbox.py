"""Messages that wait to be sent: made once, tried until they arrive or are given up."""

import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from monitoring import leases, processes
from monitoring.channels import due, kinds, rows, wording, words
from monitoring.channels.message import Message, NotSent
from monitoring.models import Alert, Delivery

log = structlog.get_logger(__name__)

# After the first try and after each that follows; then it is given up.
RETRY_AFTER = [
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
]
# Whoever sends one has it for so long: longer than any channel takes.
_TAKEN_FOR = timedelta(seconds=60)
_LEASE, _TTL_S = "outbox", 60.0
# One run ends well before its job is killed.
_EACH, _PATIENCE_S = 20, 30.0


# --- Make them -----------------------------------------------------------------------


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


def put(
    subject: str,
    text: str,
    *,
    severity: str,
    payload: Mapping[str, Any],
    channels: Iterable[str],
    now: datetime | None = None,
) -> int:
    """Make a message for each of these channels, in whatever transaction is open.

    Secrets are taken out. Each has an id of its own, the same over all tries, and is
    due at once.
    """
    due_at = now or timezone.now()
    made = [
        Delivery(
            channel=channel,
            severity=severity,
            subject=words.line(subject, limit=200),
            text=words.clean(text),
            payload={**words.inside(dict(payload)), "id": uuid.uuid4().hex},
            due_at=due_at,
        )
        for channel in channels
    ]
    return len(Delivery.objects.bulk_create(made))


def mail(*, to: list[str], subject: str, text: str, severity: str = "info") -> int:
    """Make one mail to these addresses, whatever the channel's least severity."""
    return put(
        subject,
        text,
        severity=severity,
        payload={"kind": "mail", "to": to},
        channels=["email"],
    )


def _announce(alerts: list[Alert], severity: str, now: datetime) -> int:
    told = [due.as_told(each) for each in alerts if each.severity == severity]
    if not told:
        return 0
    draft = wording.draft(told, severity=severity, now=now, link=_link())
    return put(
        draft.subject,
        draft.text,
        severity=severity,
        payload=draft.payload,
        channels=rows.listening(severity),
        now=now,
    )


def _link() -> str:
    """Return where the alerts are; empty when nobody said what this site is called."""
    if not settings.SITE_URL:
        return ""
    try:
        return f"{settings.SITE_URL}{reverse('admin:monitoring_alerts')}"
    except NoReverseMatch:
        return str(settings.SITE_URL)


# --- Send them -----------------------------------------------------------------------


def deliver(now: datetime) -> int:
    """Send what is due, the longest due first; return how many arrived.

    One process at a time does, so that receivers that hang never keep two workers. What
    a process was sending when it died is sent again: a receiver may get it twice, with
    the same id.
    """
    me = processes.me()
    if not (_due(now) and leases.hold(_LEASE, holder=me, ttl_s=_TTL_S, now=now)):
        return 0
    try:
        return _send_due(now)
    finally:
        leases.release(_LEASE, holder=me)


def message(delivery: Delivery) -> Message:
    """Return it as the channels take it."""
    return Message(
        id=str(delivery.payload.get("id", delivery.pk)),
        severity=delivery.severity,
        subject=delivery.subject,
        text=delivery.text,
        payload=delivery.payload,
    )


def try_again(pks: Iterable[int], now: datetime) -> int:
    """Let these be tried anew, of those that were given up; return how many are."""
    given_up = Delivery.objects.filter(pk__in=pks, state=Delivery.State.FAILED)
    return given_up.update(state=Delivery.State.WAITING, attempt_count=0, due_at=now)


def _send_due(now: datetime) -> int:
    """Send; a channel that fails is not asked again now: it holds up no other."""
    began = time.monotonic()
    count, failing = 0, set[str]()
    for delivery in _due(now):
        spent_s = time.monotonic() - began
        if spent_s > _PATIENCE_S:
            break
        moment = now + timedelta(seconds=spent_s)
        if delivery.channel in failing or not _take(delivery, moment):
            continue
        if _try(delivery, moment):
            count += 1
        else:
            failing.add(delivery.channel)
    return count


def _due(now: datetime) -> list[Delivery]:
    """Return what is due; of no channel so much that others would find no place."""
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now)
    names = waiting.order_by().values_list("channel", flat=True).distinct()
    found = [
        delivery
        for name in names
        for delivery in waiting.filter(channel=name).order_by("due_at", "pk")[:_EACH]
    ]
    return sorted(found, key=lambda each: (each.due_at, each.pk))


def _take(delivery: Delivery, now: datetime) -> bool:
    """Claim it for the length of the lease."""
    unchanged = Delivery.objects.filter(
        pk=delivery.pk, state=Delivery.State.WAITING, due_at=delivery.due_at
    )
    delivery.due_at = now + _TAKEN_FOR
    delivery.attempt_count += 1
    return bool(
        unchanged.update(due_at=delivery.due_at, attempt_count=F("attempt_count") + 1)
    )


def _try(delivery: Delivery, now: datetime) -> bool:
    """Send one and record how it went; True when it arrived."""
    try:
        kinds.find(delivery.channel).send(message(delivery))
    except (NotSent, kinds.NotConfigured, kinds.UnknownChannel) as error:
        _record_failure(delivery, str(error), now)
        return False
    except Exception as error:
        log.exception("delivery.broken", delivery=delivery.pk, channel=delivery.channel)
        _record_failure(delivery, f"Our own trouble: {type(error).__name__}.", now)
        return False
    return bool(_record(delivery, state=Delivery.State.SENT, sent_at=now, error=""))


def _record_failure(delivery: Delivery, error: str, now: datetime) -> None:
    """Let it be tried later, or give it up."""
    count = delivery.attempt_count
    is_last = count > len(RETRY_AFTER)
    _record(
        delivery,
        state=Delivery.State.FAILED if is_last else Delivery.State.WAITING,
        due_at=now if is_last else now + RETRY_AFTER[count - 1],
        error=words.line(error, limit=300),
    )
    log.warning(
        "delivery.given_up" if is_last else "delivery.failed",
        delivery=delivery.pk,
        channel=delivery.channel,
        attempt_count=count,
        error=error,
    )


def _record(delivery: Delivery, **values: Any) -> int:
    """Write it while the message is still ours."""
    ours = Delivery.objects.filter(
        pk=delivery.pk,
        state=Delivery.State.WAITING,
        attempt_count=delivery.attempt_count,
    )
    return ours.update(**values)
