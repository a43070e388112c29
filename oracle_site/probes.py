"""What the site tells monitoring: its queue, its schedule, whether it is ending."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from celery import Celery
from django.db import Error
from django.db.models import Count, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from monitoring import registry, schema
from monitoring.models import JobRun, Lease
from monitoring.registry import (
    DEGRADED,
    HEALTHY,
    UNHEALTHY,
    Health,
    Levels,
    Metric,
    Reading,
)
from oracle_site import broker, celery, lifespan, schedule
from oracle_site.models import BrokerMessage

_CONNECT_S = 1.0
_LONG_WAIT = timedelta(minutes=5)


def queue(app: Celery) -> Health:
    """Ask the task queue: the table of the embedded one, or a server's answer."""
    if app.conf.broker_url.startswith(broker.SCHEME):
        return _embedded()
    return _server(app)


def _embedded() -> Health:
    """Look at the task that has waited longest for a worker."""
    waiting = BrokerMessage.objects.filter(owner="", buried_at=None).order_by("id")
    try:
        oldest = waiting.values_list("created_at", flat=True).first()
    except Error as error:
        return Health(UNHEALTHY, f"Its table can't be read: {type(error).__name__}.")
    if oldest is None:
        return Health(HEALTHY, "No task waits.")
    waited = timezone.now() - oldest
    sentence = f"A task has waited for {waited.total_seconds():.0f} s."
    return Health(DEGRADED if waited > _LONG_WAIT else HEALTHY, sentence)


def _server(app: Celery) -> Health:
    """Connect, which makes the transport ask for an answer; the chat needs none."""
    with app.connection_for_read(connect_timeout=_CONNECT_S) as connection:
        try:
            connection.ensure_connection(
                max_retries=1, interval_start=0, timeout=_CONNECT_S
            )
        except OperationalError as error:
            return Health(DEGRADED, f"It does not answer: {type(error).__name__}.")
    return Health(HEALTHY, "It answers.")


def depth(app: Celery) -> Mapping[str, float]:
    """Count the embedded queue's tasks; of a server's queue nothing is told."""
    if not app.conf.broker_url.startswith(broker.SCHEME):
        return {}
    is_buried = Q(buried_at__isnull=False)
    found: dict[str, int] = BrokerMessage.objects.aggregate(
        waiting=Count("id", filter=Q(owner="") & ~is_buried),
        running=Count("id", filter=~Q(owner="") & ~is_buried),
        buried=Count("id", filter=is_buried),
    )
    return found


def _beat() -> Health:
    """Look at the lease that the scheduler renews all the time."""
    lease = Lease.objects.filter(pk=schedule.LEASE).first()
    if lease is None:
        return Health(DEGRADED, "No scheduler runs.")
    silent = timezone.now() - lease.until
    if silent > timedelta():
        return Health(
            DEGRADED, f"No scheduler has run for {silent.total_seconds():.0f} s."
        )
    return Health(HEALTHY, "A scheduler runs.")


def beat_silence(window: timedelta) -> list[Reading]:
    """Return how long ago the scheduler gave a sign of life, at the latest.

    It renews its lease while it runs and takes it away when it ends. Without one the
    newest run of a job counts, and where none ever ran, when the tables were made.
    """
    del window
    until = Lease.objects.filter(pk=schedule.LEASE).values_list("until", flat=True)
    last = until.first()
    if last is not None:
        last -= timedelta(seconds=schedule.LEASE_S)
    else:
        last = _last_run() or schema.migrated_at()
    if last is None:
        return [Reading(None)]
    return [Reading(max(0.0, (timezone.now() - last).total_seconds()), 1)]


def _last_run() -> datetime | None:
    newest = JobRun.objects.order_by("-started_at")
    return newest.values_list("started_at", flat=True).first()


registry.register_metric(
    Metric(
        name="beat_silent_s",
        unit="s",
        help="Since when no scheduler has given a sign of life.",
        read=beat_silence,
    )
)
registry.register_levels(
    Levels(
        name="oracle_queue_tasks",
        help="Tasks in the embedded queue; buried: given up after several tries.",
        label="state",
        read=lambda: depth(celery.app),
    )
)
registry.register_probe("broker", lambda: queue(celery.app))
registry.register_probe("beat", _beat)
registry.register_blocker(
    lambda: "This process is ending." if lifespan.is_draining() else None
)
