"""Messages on their way: each is tried until it has arrived or is given up."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Count, F, Q

from monitoring import leases, processes
from monitoring.channels import clean, kinds
from monitoring.channels.message import Message, NotSent
from monitoring.models import Delivery

log = structlog.get_logger(__name__)

# After the first try and after each that follows; then it is given up.
RETRY_AFTER = [
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
]
# Nobody lets one wait for longer, clocks that differ included.
_LONGEST_WAIT = RETRY_AFTER[-1] + timedelta(minutes=1)
# Ten minutes of failures: then it counts as trouble, and others are told of it.
_FEW_TRIES = 4
# Whoever sends one has it for so long: longer than any channel takes.
_TAKEN_FOR = timedelta(seconds=60)
_LEASE, _TTL_S = "outbox", 60.0
# One run ends well before its job is killed.
_EACH, _PATIENCE_S = 20, 30.0


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


def in_trouble(*, since: datetime) -> dict[str, int]:
    """Count, by channel, what was given up since then or has failed for ten minutes.

    The first few failures may pass by themselves. Tests are left out: whoever sends one
    is told at once.
    """
    given_up = Q(state=Delivery.State.FAILED, due_at__gte=since)
    going_wrong = Q(state=Delivery.State.WAITING, attempt_count__gte=_FEW_TRIES)
    is_no_test = Q(payload__kind__isnull=True) | ~Q(payload__kind="test")
    rows = Delivery.objects.filter(given_up | going_wrong, is_no_test).order_by()
    return dict(rows.values_list("channel").annotate(Count("pk")))


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
    """Return what is due; of no channel so much that others would find no place.

    What is due too far ahead is so because a clock was set back: it is due now.
    """
    is_due = Q(due_at__lte=now) | Q(due_at__gt=now + _LONGEST_WAIT)
    waiting = Delivery.objects.filter(is_due, state=Delivery.State.WAITING)
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
    except NotSent as error:
        if error.left:
            delivery.payload = {**delivery.payload, "to": list(error.left)}
        _record_failure(delivery, str(error), now)
        return False
    except (kinds.NotConfigured, kinds.UnknownChannel) as error:
        _record_failure(delivery, str(error), now)
        return False
    except Exception as error:
        log.exception("delivery.broken", delivery=delivery.pk, channel=delivery.channel)
        _record_failure(delivery, f"Our own trouble: {type(error).__name__}.", now)
        return False
    return bool(_record(delivery, state=Delivery.State.SENT, sent_at=now, error=""))


def _record_failure(delivery: Delivery, error: str, now: datetime) -> None:
    """Let it be tried later, for those who have not got it, or give it up."""
    count = delivery.attempt_count
    is_last = count > len(RETRY_AFTER)
    _record(
        delivery,
        state=Delivery.State.FAILED if is_last else Delivery.State.WAITING,
        due_at=now if is_last else now + RETRY_AFTER[count - 1],
        error=clean.line(error, limit=300),
        payload=delivery.payload,
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
