"""One real message to one channel, now, to see whether it arrives."""

import uuid

import structlog
from django.utils import timezone

from monitoring.channels import clean, kinds, sending
from monitoring.channels.kinds import NotConfigured
from monitoring.channels.message import NotSent
from monitoring.models import Delivery, Severity

log = structlog.get_logger(__name__)


def run(name: str, *, actor: str) -> str:
    """Send it, once, and return what became of it; it is kept like any other message.

    Raises: UnknownChannel, NotConfigured, NotSent.
    """
    kind = kinds.find(name)
    if kind.missing:
        raise NotConfigured(kind.what_to_set)
    delivery = _put(name, actor)
    try:
        said = kind.send(sending.message(delivery))
    except NotSent as error:
        _record(delivery, error=clean.line(str(error), limit=300))
        raise
    except Exception as error:
        # As one that was on its way: only its kind, the rest is in the log.
        log.exception("delivery.broken", delivery=delivery.pk, channel=name)
        words = f"Our own trouble: {type(error).__name__}."
        _record(delivery, error=words)
        raise NotSent(words) from error
    _record(delivery, state=Delivery.State.SENT, sent_at=timezone.now(), error="")
    return said


def _put(name: str, actor: str) -> Delivery:
    """Keep it as one that was given up: nobody else shall send it."""
    return Delivery.objects.create(
        channel=name,
        severity=Severity.INFO,
        subject="[TEST] Oracle Chat AI can reach you",
        text=f"This is a test, sent by {clean.line(actor, limit=150)}. All is well.",
        payload={"kind": "test", "id": uuid.uuid4().hex},
        state=Delivery.State.FAILED,
        attempt_count=1,
        error="It was not sent to its end.",
    )


def _record(delivery: Delivery, **values: object) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(**values)
