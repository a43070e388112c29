"""A sign of life for a watcher elsewhere, who tells people when it stops.

The job that sends it needs beat, the queue, a worker and the database: it stops with
each of them. So nothing else may send it.
"""

from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import structlog
from django.conf import settings

from monitoring import checkups
from monitoring.alerting import current
from monitoring.channels import patience, posting
from monitoring.channels.message import NotSent
from monitoring.registry import UNHEALTHY

log = structlog.get_logger(__name__)


def send(now: datetime) -> int:
    """Ping the watcher, in the protocol of healthchecks.io; return how often: 1 or 0.

    While a check is unhealthy it is told so, with the checks' names, and while nobody
    evaluates the alert rules: then people hear of nothing any other way.
    """
    url = settings.HEARTBEAT_URL
    if not url:
        return 0
    bad = unhealthy(now) + (["alerts"] if current.blind_since(now) else [])
    words = f"unhealthy: {', '.join(bad)}" if bad else "alive"
    try:
        patience.within(
            lambda: posting.post(
                failing(url) if bad else url,
                content=words.encode(),
                headers={"Content-Type": "text/plain; charset=utf-8"},
            )
        )
    except NotSent as error:
        log.warning("ping.failed", error=str(error))
        return 0
    return 1


def unhealthy(now: datetime) -> list[str]:
    """Return the checks whose newest result is unhealthy, and not old."""
    found = checkups.newest(since=now - checkups.FRESH_FOR)
    return [name for name, each in found.items() if each.status == UNHEALTHY]


def failing(url: str) -> str:
    """Return the address that says something is wrong: `/fail` behind the path."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
