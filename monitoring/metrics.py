"""Totals that no row stands for: the write side and their reading."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from monitoring.facts import Timing
from monitoring.models import Sample, Total

_local = threading.local()


def count(**deltas: int) -> None:
    """Add to totals, in whatever transaction is open; while `gathering`, at its end."""
    gathered: Counter[str] | None = getattr(_local, "gathered", None)
    if gathered is None:
        _add(deltas)
    else:
        gathered.update(deltas)


@contextmanager
def gathering() -> Iterator[None]:
    """Add up what this thread counts and write it once, at the end.

    What is counted by a part that raises does not count. Inside another one the sum is
    handed on to that.
    """
    outer: Counter[str] | None = getattr(_local, "gathered", None)
    mine = _local.gathered = Counter[str]()
    try:
        yield
    finally:
        _local.gathered = outer
    count(**mine)


def _add(deltas: dict[str, int]) -> None:
    """Add in one statement; sorted, so that two writers lock in the same order."""
    if not deltas:
        return
    rows = sorted(deltas.items())
    marks = ", ".join(["(%s, %s)"] * len(rows))
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO monitoring_total (name, value) VALUES {marks}"  # noqa: S608
            " ON CONFLICT (name) DO UPDATE"
            " SET value = monitoring_total.value + excluded.value",
            [value for row in rows for value in row],
        )


def observe(name: str, value: float) -> None:
    """Keep one measurement, in whatever transaction is open."""
    Sample.objects.create(name=name, value=value)


def timing(name: str, *, since: datetime) -> Timing:
    """Summarise what was observed since, exactly; at most two days back."""
    samples = Sample.objects.filter(name=name, at__gte=since)
    return Timing.of(list(samples.values_list("value", flat=True)))


def totals(*names: str) -> dict[str, int | None]:
    """Return the totals of these names; None where nothing was ever counted."""
    known = dict(Total.objects.filter(name__in=names).values_list("name", "value"))
    return {name: known.get(name) for name in names}
