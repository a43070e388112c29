"""Turns rows into points: each minute's, and of those each hour's.

A minute is worked out again from its rows as long as a turn that began in it still
runs, and only what differs is written; so it does not matter how often that happens.
What no row remembers (`monitoring.history.sampling`) stays as it was when it was seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction

from monitoring.facts import Measured
from monitoring.history import (
    HOUR,
    KEEP_MINUTES,
    MINUTE,
    hour_of,
    minute_of,
    points,
    sampling,
    sources,
    state,
    stored,
)
from monitoring.history.points import Seen, Window
from monitoring.history.state import State
from monitoring.history.stored import Change
from monitoring.models import Point

log = structlog.get_logger(__name__)

# What was done when a run began, but not yet to be seen by others.
_SLACK = MINUTE
# A turn that runs longer is not waited for.
_LONGEST_TURN = HOUR
_PRESENT = timedelta(minutes=10)
_FIRST_BACK = timedelta(days=30)
_DAY = timedelta(days=1)
_HOURS_A_RUN = 6
_EVER = datetime.fromtimestamp(0, UTC)


class _Overtaken(Exception):
    """Another run has written meanwhile."""


@dataclass(slots=True)
class _Run:
    """What holds for all of a run; `number` counts what was written so far, ever."""

    number: int
    known_from: datetime
    turns_from: datetime
    written: int = 0


def record(now: datetime) -> int:
    """Bring the history up to date; return how many points were written.

    After a pause it records the present first, and then up to six hours of what was
    missed, the oldest first. A turn counts in the minute it began in. While tracking is
    off turns are not recorded, and never will be; all else is.
    Of two runs at the same time one writes. Raises: django.db.Error.
    """
    before, until = State.read(), _settled(now)
    recent = minute_of(until - _PRESENT)
    missed = minute_of(min(until, before.until or now - _FIRST_BACK) - _SLACK)
    is_in_step = recent - missed <= HOUR
    run = _begun(before, now)
    try:
        _record_present(run, before, missed if is_in_step else recent, now)
        reached = recent if is_in_step else _catch_up(run, missed, recent)
        _conclude(run, until if reached >= recent else reached, before, now)
    except _Overtaken:
        log.info("history.overtaken", written=run.written)
    return run.written


def _begun(before: State, now: datetime) -> _Run:
    newest = max(before.newest or now, now)
    turns_from = min(before.turns_from or _EVER, minute_of(now) + MINUTE)
    source = sources.turns()
    if source is not None and not source.is_measuring():
        turns_from = minute_of(now) + MINUTE
    return _Run(before.run, newest - KEEP_MINUTES, turns_from)


def _settled(now: datetime) -> datetime:
    """Return the moment before which no turn began that still runs."""
    source = sources.turns()
    since = source.running_since() if source is not None else None
    return max(min(since or now, now), now - _LONGEST_TURN)


def _record_present(run: _Run, before: State, begin: datetime, now: datetime) -> None:
    """Record up to now, and with it what can only be seen now."""
    totals = sampling.totals()
    # What was counted before the first look has no minute that it belongs to.
    since = {key: n - before.totals.get(key, n) for key, n in totals.items()}
    seen = Seen(
        minute_of(now),
        sampling.levels(),
        {key: count for key, count in since.items() if count > 0},
    )
    window = Window(begin, minute_of(now) + MINUTE, run.turns_from)
    changes = _changes(run, window, seen)
    with transaction.atomic():
        _write(run, changes)
        state.put(turns_from=run.turns_from, totals=totals)


def _catch_up(run: _Run, begin: datetime, end: datetime) -> datetime:
    """Record hour by hour what was missed; return how far that came."""
    for _ in range(_HOURS_A_RUN):
        begin = _first_value(begin, end)
        if begin >= end:
            break
        until = min(hour_of(begin) + HOUR, end)
        changes = _changes(run, Window(begin, until, run.turns_from))
        with transaction.atomic():
            _write(run, changes)
        begin = until
    return begin


def _first_value(begin: datetime, end: datetime) -> datetime:
    """Pass by the days and hours in which nothing was measured."""
    for stride in (_DAY, HOUR):
        while begin < end and not _has_values(begin, min(begin + stride, end)):
            begin = min(hour_of(begin + stride), end)
    return begin


def _has_values(begin: datetime, end: datetime) -> bool:
    return next(sources.measured(begin, end), None) is not None


def _conclude(run: _Run, until: datetime, before: State, now: datetime) -> None:
    with transaction.atomic():
        _write(run, [])
        state.put(until=until, newest=max(before.newest or now, now))


def _changes(run: _Run, window: Window, seen: Seen | None = None) -> list[Change]:
    """Work out minutes and their hours; nothing is written, and nobody kept waiting."""
    first, last = hour_of(window.begin), hour_of(window.end - MINUTE) + HOUR
    were = stored.read(Point.Step.MINUTE, first, last)
    minutes = points.minutes(_measured(window), were.points, window)
    if seen is not None:
        minutes = points.with_seen(minutes, seen)
    hours_were = stored.read(Point.Step.HOUR, first, last)
    hours = points.hours(minutes, hours_were.points, known_from=run.known_from)
    return [stored.change(were, minutes), stored.change(hours_were, hours)]


def _measured(window: Window) -> Iterator[Measured]:
    yield from sources.own(window.begin, window.end)
    source, begin = sources.turns(), max(window.begin, window.turns_from)
    if source is not None and begin < window.end:
        yield from source.measured(begin, window.end)


def _write(run: _Run, changes: list[Change]) -> None:
    """Write it all if nobody else has since, in the transaction that is open."""
    if not state.claim(run.number):
        raise _Overtaken
    run.number += 1
    for change in changes:
        change.apply()
        run.written += len(change.new)
