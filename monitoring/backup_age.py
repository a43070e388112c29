"""How old the newest backup is."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.conf import settings
from django.utils import timezone

from monitoring.alerting import measuring
from monitoring.alerting.measuring import Wanted
from monitoring.registry import DEGRADED, HEALTHY, Health

_MAX_AGE = timedelta(hours=26)  # a daily one, and two hours for it to be late
_MAX_ENTRIES = 10_000
_AGE, _PATIENCE_S = Wanted("backup_age_hours", 60), 1.0


def newest() -> datetime | None:
    """Return when the newest backup was written; None when there is none.

    A backup is a file in `BACKUP_DIR` that has something in it; links and hidden files
    are none. Raises: OSError when the folder can't be read.
    """
    try:
        with os.scandir(settings.BACKUP_DIR) as entries:
            return max(_times(islice(entries, _MAX_ENTRIES)), default=None)
    except (FileNotFoundError, NotADirectoryError):
        return None


def check() -> Health:
    """Look for a backup of the last day; a development site needs none."""
    try:
        found = newest()
    except OSError as error:
        kind = type(error).__name__
        return Health(DEGRADED, f"The folder of the backups can't be read: {kind}.")
    return judged(found, now=timezone.now(), is_needed=settings.IS_PRODUCTION)


def judged(found: datetime | None, *, now: datetime, is_needed: bool) -> Health:
    """Judge by the newest one's age: over 26 hours, a daily one is missing."""
    bad = DEGRADED if is_needed else HEALTHY
    if found is None:
        return Health(bad, "There is no backup.")
    hours = (now - found) / timedelta(hours=1)
    is_old = now - found > _MAX_AGE
    return Health(bad if is_old else HEALTHY, f"The newest is {hours:.1f} hours old.")


def level() -> Mapping[str, float]:
    """Return its age in seconds for `/metrics`; nothing when there is none.

    The folder may be another machine's, and hang: it must not keep the threads on which
    `/health` is answered, too.
    """
    readings = measuring.read([_AGE], patience_s=_PATIENCE_S)[_AGE]
    hours = readings[0].value if readings else None
    return {} if hours is None else {"": hours * 3600}


def _times(entries: Iterator["os.DirEntry[str]"]) -> Iterator[datetime]:
    for entry in entries:
        if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
            continue
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted just now
            continue
        if found.st_size:
            yield datetime.fromtimestamp(found.st_mtime, tz=UTC)
