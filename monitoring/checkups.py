"""The health checks as the schedule runs them: results are kept, changes are told."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from monitoring import probing
from monitoring.models import CheckResult
from monitoring.probing import Finding
from monitoring.registry import HEALTHY

log = structlog.get_logger(__name__)

# The checks run every five minutes; older results say nothing of the present.
FRESH_FOR = timedelta(minutes=15)

_SENTENCE_CHARS = CheckResult._meta.get_field("sentence").max_length
_FEW_RUNS = 2


def run() -> int:
    """Run every check, keep what each found, log which have changed; return how many.

    Raises: django.db.Error when they can't be kept.
    """
    found = probing.findings()
    before = _before(len(found))
    keep(found, at=timezone.now())
    for each in found:
        was = before.get(each.name, HEALTHY)
        if was != each.status:
            _tell("health.changed", each, was=was)
    return len(found)


def keep(found: Iterable[Finding], *, at: datetime) -> None:
    """Store what the checks found at a moment."""
    CheckResult.objects.bulk_create(
        CheckResult(
            name=each.name,
            status=each.status,
            sentence=each.sentence[:_SENTENCE_CHARS],
            took_ms=each.took_ms,
            at=at,
        )
        for each in found
    )


def newest(*, since: datetime) -> dict[str, CheckResult]:
    """Return what each check found last, by name, where that is not from before."""
    found = CheckResult.objects.filter(at__gte=since).order_by("at", "pk")
    return dict(sorted({each.name: each for each in found}.items()))


def tell() -> None:
    """Log every check that is not healthy, for when the database can't keep it."""
    for each in probing.findings():
        if each.status != HEALTHY:
            _tell("health.not_kept", each)


def _before(check_count: int) -> dict[str, str]:
    """Return how each check was in the last run; one that is new is not in it."""
    newest = CheckResult.objects.order_by("-at", "-id")[: check_count * _FEW_RUNS]
    return dict(reversed(newest.values_list("name", "status")))


def _tell(event: str, found: Finding, **more: str) -> None:
    write = log.info if found.status == HEALTHY else log.warning
    write(event, check=found.name, status=found.status, says=found.sentence, **more)
